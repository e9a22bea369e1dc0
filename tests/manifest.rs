//! The manifests as a person meets them: files on a disk, in; what is wanted, or every problem, out.

#[path = "manifest/discovery.rs"]
mod discovery;
#[path = "manifest/export.rs"]
mod export;
#[path = "manifest/format.rs"]
mod format;
#[path = "manifest/hostile.rs"]
mod hostile;
#[path = "manifest/rules.rs"]
mod rules;
#[path = "manifest/schemas.rs"]
mod schemas;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use facectl::face::Desired;
use facectl::manifest::{self, LoadRequest, Loaded, ProjectOverrides, Rejected, render_text};
use insta::assert_snapshot;
use tempfile::TempDir;

/// A folder with files in it.
struct Folder(TempDir);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = Self(TempDir::new().unwrap());
        // So that no project file above the temporary folder is ever found.
        fs::create_dir(folder.path().join(".git")).unwrap();
        for (name, text) in files {
            folder.write(name, text);
        }
        folder
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn request(&self, paths: &[&str]) -> LoadRequest {
        LoadRequest {
            paths: paths.iter().map(|path| (*path).to_owned()).collect(),
            project_file: None,
            cwd: self.path().to_owned(),
            variables: BTreeMap::from([("FACECTL_VAR_HOST".to_owned(), "hush.internal".to_owned())]),
            stdin: Box::new(io::empty()),
            overrides: ProjectOverrides::default(),
        }
    }

    fn load(&self, paths: &[&str]) -> Result<Loaded, Rejected> {
        manifest::load(self.request(paths))
    }

    fn desired(&self, paths: &[&str]) -> Desired {
        self.load(paths).unwrap_or_else(|rejected| panic!("{}", shown(&rejected))).desired
    }

    /// Every problem as `code file:line:column`, one a line.
    fn problems(&self, paths: &[&str]) -> String {
        match self.load(paths) {
            Ok(_) => String::new(),
            Err(rejected) => {
                let line = |one: &manifest::Diagnostic| format!("{} {}", &one.code["facectl::".len()..], one.place);
                rejected.diagnostics.iter().map(line).collect::<Vec<_>>().join("\n")
            }
        }
    }

    fn rendered(&self, paths: &[&str]) -> String {
        shown(&self.load(paths).unwrap_err())
    }
}

fn shown(rejected: &Rejected) -> String {
    render_text(&rejected.diagnostics, &rejected.sources, false, 100)
}

fn face(name: &str, spec: &str) -> String {
    let spec: String = spec.lines().map(|line| format!("  {line}\n")).collect();
    format!("apiVersion: facectl.dev/v1\nkind: Face\nmetadata:\n  name: {name}\nspec:\n{spec}")
}

fn video(name: &str) -> String {
    face(name, "train_video_url: https://m.example.com/a.mp4")
}

#[test]
fn every_problem_of_every_document_is_said_at_once() {
    let folder = Folder::new(&[
        ("facectl.yaml", "apiVersion: facectl.dev/v1\nkind: Project\nmetadata: { name: acme }\nspec: { limit: {} }\n"),
        (
            "faces/a.yaml",
            &face("ana", "train_video_ulr: https://m.example.com/a.mp4\nmodel_name: phoenix-5\nface_name:"),
        ),
        ("faces/b.yaml", &video("ana")),
    ]);
    assert_snapshot!(folder.rendered(&[]), @r"
    facectl::unknown-field

      x `limit` is not a field in `spec`
       ,-[facectl.yaml:4:9]
     3 | metadata: { name: acme }
     4 | spec: { limit: {} }
       :         ^^^^^
       `----
      help: did you mean `limits`? (allowed here: manifests, defaults, limits, naming, adopt, api_url,
            state_dir, parallelism, create_parallelism, lock_timeout, request_timeout, settle_window,
            poll_interval, wait_timeout, requests_per_second, lock_file, media)

    facectl::unknown-field

      x `train_video_ulr` is not a field in `spec`
       ,-[faces/a.yaml:6:3]
     5 | spec:
     6 |   train_video_ulr: https://m.example.com/a.mp4
       :   ^^^^^^^^^^^^^^^
     7 |   model_name: phoenix-5
       `----
      help: did you mean `train_video_url`? (allowed here: face_name, model_name, train_video_url,
            train_image_url, voice_name, default_voice_id, auto_fix_training_image, callback_url,
            properties, training_version, lifecycle)

    facectl::unknown-value

      x `spec.model_name` must be one of phoenix-3, phoenix-4, phoenix-4.5, this is `phoenix-5`
       ,-[faces/a.yaml:7:15]
     6 |   train_video_ulr: https://m.example.com/a.mp4
     7 |   model_name: phoenix-5
       :               ^^^^^^^^^
     8 |   face_name:
       `----
      help: did you mean `phoenix-4.5`?

    facectl::null-value

      x `spec.face_name` has no value
       ,-[faces/a.yaml:8:3]
     7 |   model_name: phoenix-5
     8 |   face_name:
       :   ^^^^^^^^^
       `----
      help: give it a value (a text), or leave the field out

    facectl::duplicate-name

      x two faces are called `ana`
       ,-[faces/b.yaml:4:9]
     3 | metadata:
     4 |   name: ana
       :         ^^^
     5 | spec:
       `----
      help: a name is the identity of a face in the project; give one of them another name
      `->   > the first of them
             ,-[faces/a.yaml:4:9]
           3 | metadata:
           4 |   name: ana
             :         ^^^
           5 | spec:
             `----

    5 problems
    ");
}

#[test]
fn two_places_that_clash_are_both_shown_and_links_show_no_secret() {
    let folder = Folder::new(&[(
        "f.yaml",
        &face(
            "ana",
            "train_video_url: https://m.example.com/a.mp4?X-Amz-Signature=hush&x=1 # signed\n\
             callback_url: { url: \"https://u:hush@h.example.com/?k=hush\" }\n\
             train_image_url: http://m.example.com/a.png?token=hush",
        ),
    )]);
    let text = folder.rendered(&["f.yaml"]);
    assert!(!text.contains("hush"), "{text}");
    assert_snapshot!(text, @r#"
    facectl::wrong-type

      x `spec.callback_url` must be a text, this is a map
       ,-[f.yaml:7:17]
     6 |   train_video_url: https://m.example.com/a.mp4?x=…&… # signed
     7 |   callback_url: { url: "https://…@h.example.com/?k=…" }
       :                 ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
     8 |   train_image_url: http://m.example.com/a.png?…
       `----

    facectl::two-sources

      x a face is trained from a video or from an image, not from both
       ,-[f.yaml:8:3]
     5 | spec:
     6 |   train_video_url: https://m.example.com/a.mp4?x=…&… # signed
       :   ^^^^^^^|^^^^^^^
       :          `-- the other source
     7 |   callback_url: { url: "https://…@h.example.com/?k=…" }
     8 |   train_image_url: http://m.example.com/a.png?…
       :   ^^^^^^^|^^^^^^^
       :          `-- here
       `----
      help: keep exactly one of `train_video_url` and `train_image_url`

    facectl::invalid-link

      x `spec.train_image_url` is not a source that a face can be trained from: its scheme is `http`,
      | only https is fetched
       ,-[f.yaml:8:20]
     7 |   callback_url: { url: "https://…@h.example.com/?k=…" }
     8 |   train_image_url: http://m.example.com/a.png?…
       :                    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       `----
      help: put the file where it can be fetched by https

    3 problems
    "#);
    let json = manifest::to_json(&folder.load(&["f.yaml"]).unwrap_err().diagnostics);
    assert!(!json.to_string().contains("hush"), "{json}");
}

#[test]
fn the_value_of_a_variable_is_never_shown() {
    let spec = "train_video_url: http://${FACECTL_VAR_HOST}/a\nface_name: \" ${FACECTL_VAR_HOST}\"\ncallback_url: https://${FACECTL_VAR_HOST}";
    let folder = Folder::new(&[("f.yaml", &face("ana", spec))]);
    assert_eq!(folder.problems(&["f.yaml"]).lines().count(), 3);
    let text = folder.rendered(&["f.yaml"]);
    assert!(!text.contains("hush"), "{text}");
}

#[test]
fn the_json_form_has_every_field_always() {
    let folder = Folder::new(&[("f.yaml", &face("ana", "face_name: A\nface_name: B"))]);
    let json = manifest::to_json(&folder.load(&["f.yaml", "gone.yaml"]).unwrap_err().diagnostics);
    assert_snapshot!(serde_json::to_string_pretty(&json).unwrap(), @r#"
    [
      {
        "severity": "error",
        "code": "facectl::no-source",
        "file": "f.yaml",
        "line": 5,
        "column": 1,
        "end_line": 5,
        "end_column": 5,
        "message": "the face has nothing to be trained from",
        "help": "add `train_video_url` (a recording) or `train_image_url` (a photo) with an https link; a face that lives in Tavus already is named by the annotation `facectl.dev/face-id` instead (`facectl export` writes such manifests, `facectl import` records one face)",
        "related": []
      },
      {
        "severity": "error",
        "code": "facectl::duplicate-key",
        "file": "f.yaml",
        "line": 7,
        "column": 3,
        "end_line": 7,
        "end_column": 12,
        "message": "`face_name` is written twice in the same map",
        "help": "keep one of the two",
        "related": [
          {
            "file": "f.yaml",
            "line": 6,
            "column": 3,
            "end_line": 6,
            "end_column": 12,
            "message": "first written here"
          }
        ]
      },
      {
        "severity": "error",
        "code": "facectl::not-found",
        "file": "gone.yaml",
        "line": null,
        "column": null,
        "end_line": null,
        "end_column": null,
        "message": "there is no such file or folder",
        "help": "paths are read from the folder in which facectl runs",
        "related": []
      }
    ]
    "#);
}

#[test]
fn keys_whose_tokens_could_not_be_told_apart_are_refused() {
    // Found by trying a million names: the owner parts of these two are equal in the project `acme`.
    let folder = Folder::new(&[
        ("facectl.yaml", "apiVersion: facectl.dev/v1\nkind: Project\nmetadata: { name: acme }\n"),
        ("a.yaml", &video("face-1067000")),
        ("b.yaml", &video("face-1105508")),
    ]);
    let problems = folder.load(&[]).unwrap_err().diagnostics;
    assert_eq!((problems.len(), problems[0].code), (1, "facectl::token-clash"));
    assert_eq!(
        (problems[0].place.to_string(), problems[0].related[0].0.to_string()),
        ("b.yaml:4:9".into(), "a.yaml:4:9".into())
    );
}
