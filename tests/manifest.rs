//! The manifests as a person meets them: files on a disk, in; what is wanted, or every problem, out.

#[path = "manifest/hostile.rs"]
mod hostile;
#[path = "manifest/schemas.rs"]
mod schemas;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use facectl::face::{Desired, Model, OnRemoval, TrainingInput, TrainingVoice, WaitFor};
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
fn a_manifest_says_what_is_wanted() {
    let folder = Folder::new(&[(
        "ana.yaml",
        "apiVersion: facectl.dev/v1
kind: Face
metadata:
  name: ana
  labels: { team: support, tier: 1.10, on-call: yes }
spec:
  face_name: Ana (Support)
  model_name: phoenix-4.5
  train_image_url: https://${FACECTL_VAR_HOST}.example.com/a.png
  voice_name: Anna
  auto_fix_training_image: true
  training_version: 2
  properties: { background_green_screen: true }
  lifecycle: { on_removal: delete, protect: true, wait_for: preview }
",
    )]);
    let desired = folder.desired(&["ana.yaml"]);
    let face = &desired.faces[&"ana".parse().unwrap()];
    assert_eq!(face.origin.to_string(), "ana.yaml:4:9");
    assert_eq!(face.labels["tier"], "1.10");
    assert_eq!(face.labels["on-call"], "yes");
    assert_eq!(face.spec.model, Model::Phoenix45);
    assert_eq!(face.spec.training_version.as_deref(), Some("2"));
    assert!(face.spec.green_screen && face.spec.lifecycle.protect);
    assert_eq!(face.spec.lifecycle.on_removal, OnRemoval::Delete);
    assert_eq!(face.spec.lifecycle.wait_for, WaitFor::Preview);
    let TrainingInput::Image { source, voice, auto_fix } = &face.spec.training else { panic!() };
    assert_eq!(source.expose(), "https://hush.internal.example.com/a.png");
    assert_eq!(*voice, TrainingVoice::Stock("anna".parse().unwrap()));
    assert!(auto_fix);
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
            poll_interval, wait_timeout, requests_per_second, lock_file)

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

/// What is wrong with one spec, and where; `{bad}` marks nothing, it is only short.
fn spec_problems(spec: &str) -> String {
    Folder::new(&[("f.yaml", &face("ana", spec))]).problems(&["f.yaml"]).replace("f.yaml:", "")
}

fn file_problems(text: &str) -> String {
    Folder::new(&[("f.yaml", text)]).problems(&["f.yaml"]).replace("f.yaml:", "")
}

/// Notes a case of a table that went wrong, so that one run shows them all.
fn check(wrong: &mut String, reason: &str, text: &str, found: &str, expected: &str) {
    if found != expected {
        wrong.push_str(&format!("\n{reason}: expected `{expected}`, found `{found}` in\n{text}\n"));
    }
}

#[test]
fn each_rule_of_the_create_call_is_checked_offline_and_at_its_place() {
    let video = "train_video_url: https://m.example.com/a.mp4";
    let image = "train_image_url: https://m.example.com/a.png";
    let mut wrong = String::new();
    for (reason, spec, expected) in [
        ("a source is needed", "face_name: Ana".to_owned(), "no-source 5:1"),
        ("one source only", format!("{video}\n{image}\nvoice_name: anna"), "two-sources 7:3"),
        ("a video brings its own voice", format!("{video}\nvoice_name: anna"), "voice 7:3"),
        ("a video is not repaired", format!("{video}\nauto_fix_training_image: true"), "image-only 7:3"),
        ("a video may have a voice set after training", format!("{video}\ndefault_voice_id: v1"), ""),
        ("a photo needs a voice", image.to_owned(), "voice 6:3"),
        ("a photo takes one voice only", format!("{image}\nvoice_name: anna\ndefault_voice_id: v1"), "voice 8:3"),
        ("phoenix-3 takes no photo", format!("{image}\nvoice_name: anna\nmodel_name: phoenix-3"), "model 8:15"),
        ("an unknown model", format!("{video}\nmodel_name: phoenix4"), "unknown-value 7:15"),
        ("the consent clip is deprecated", format!("{video}\nconsent_video_url: {image}"), "syntax 7:37"),
        ("the consent clip is deprecated", format!("{video}\nconsent_video_url: x"), "deprecated-field 7:3"),
        (
            "gaze correction is no field",
            format!("{video}\nproperties: {{ gaze_correction: true }}"),
            "unknown-field 7:17",
        ),
        ("https only", "train_video_url: http://m.example.com/a.mp4".to_owned(), "invalid-link 6:20"),
        ("public hosts only", "train_video_url: https://10.0.0.1/a.mp4".to_owned(), "invalid-link 6:20"),
        ("callbacks as well", format!("{video}\ncallback_url: https://localhost/x"), "invalid-link 7:17"),
        ("an empty callback is none", format!("{video}\ncallback_url: \"\""), "invalid-link 7:17"),
        ("a callback of nothing", format!("{video}\ncallback_url: ~"), "null-value 7:3"),
        ("names end at 100 characters", format!("{video}\nface_name: {}", "x".repeat(101)), "invalid-name 7:14"),
        ("names hold no control characters", format!("{video}\nface_name: \"a\\tb\""), "invalid-name 7:14"),
        ("names are texts", format!("{video}\nface_name: 1.10"), "wrong-type 7:14"),
        (
            "a boolean is true or false",
            format!("{video}\nproperties: {{ background_green_screen: yes }}"),
            "wrong-type 7:42",
        ),
        ("a boolean has no quotes", format!("{video}\nlifecycle: {{ protect: \"true\" }}"), "wrong-type 7:25"),
        ("a closed set of words", format!("{video}\nlifecycle: {{ wait_for: previev }}"), "unknown-value 7:26"),
        ("a map, not a word", format!("{video}\nlifecycle: retain"), "wrong-type 7:14"),
        ("a word, not a map", format!("{video}\nface_name: {{ a: b }}"), "wrong-type 7:14"),
        ("strange variables", format!("{video}\nface_name: ${{TAVUS_API_KEY}}"), "variable 7:14"),
        ("variables that are not set", format!("{video}\nface_name: ${{FACECTL_VAR_NAME}}"), "variable 7:14"),
        ("variables in words", format!("{video}\nmodel_name: ${{FACECTL_VAR_HOST}}"), "unknown-value 7:15"),
        ("a key written twice", format!("{video}\nface_name: A\nface_name: B"), "duplicate-key 8:3"),
        ("merge keys", format!("{video}\n<<: {{ face_name: A }}"), "merge-key 7:3"),
        ("tags", format!("{video}\nface_name: !!str A"), "tag 7:14"),
        ("unknown aliases", format!("{video}\nface_name: *a"), "syntax 7:14"),
    ] {
        check(&mut wrong, reason, &spec, &spec_problems(&spec), expected);
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn each_rule_of_the_document_is_checked_at_its_place() {
    let spec = "spec: { train_video_url: https://m.example.com/a.mp4 }\n";
    let head = "apiVersion: facectl.dev/v1\nkind: Face\n";
    let mut wrong = String::new();
    for (reason, text, expected) in [
        ("a key is a DNS label", format!("{head}metadata: {{ name: Ana_Support }}\n{spec}"), "invalid-name 3:19"),
        (
            "a key hangs on no variable",
            format!("{head}metadata: {{ name: \"a${{FACECTL_VAR_HOST}}\" }}\n{spec}"),
            "variable 3:19",
        ),
        ("a key is there", format!("{head}metadata: {{ labels: {{}} }}\n{spec}"), "missing-field 3:1"),
        ("metadata is there", format!("{head}{spec}"), "missing-field 1:1"),
        ("a number is no key", format!("{head}metadata: {{ name: 12 }}\n{spec}"), "wrong-type 3:19"),
        (
            "labels can be selected",
            format!("{head}metadata: {{ name: a, labels: {{ \"a b\": c, d: \"e f\" }} }}\n{spec}"),
            "label 3:32\nlabel 3:45",
        ),
        ("a label has a value", format!("{head}metadata: {{ name: a, labels: {{ b: }} }}\n{spec}"), "null-value 3:32"),
        (
            "a version of ours",
            format!("apiVersion: facectl.dev/v2\nkind: Face\nmetadata: {{ name: a }}\n{spec}"),
            "unknown-value 1:13",
        ),
        (
            "a kind of ours",
            format!("apiVersion: facectl.dev/v1\nkind: face\nmetadata: {{ name: a }}\n{spec}"),
            "kind 2:7",
        ),
        ("a kind at all", format!("apiVersion: facectl.dev/v1\nmetadata: {{ name: a }}\n{spec}"), "missing-field 1:1"),
        (
            "a project elsewhere",
            "apiVersion: facectl.dev/v1\nkind: Project\nmetadata: { name: a }\n".to_owned(),
            "misplaced-project 1:1",
        ),
        ("another tool's", "apiVersion: v1\nkind: ConfigMap\n".to_owned(), "kind 2:7"),
        ("no map", "- a\n".to_owned(), "wrong-type 1:3"),
        ("a tab", format!("{head}metadata:\n\tname: a\n{spec}"), "syntax 4:1"),
        ("an open bracket", format!("{head}metadata: {{ name: a\n{spec}"), "syntax 4:5"),
        (
            "lines count through the whole file",
            format!("---\n# nothing\n---\n{head}metadata: {{ name: A }}\n{spec}"),
            "invalid-name 6:19",
        ),
        (
            "columns count characters",
            format!("{head}metadata: {{ annotations: {{ \"ä😀\": b }}, name: A }}\n{spec}"),
            "invalid-name 3:45",
        ),
        ("CRLF", format!("{head}metadata: {{ name: A }}\n{spec}").replace('\n', "\r\n"), "invalid-name 3:19"),
        ("a byte order mark", format!("\u{feff}{head}metadata: {{ name: A }}\n{spec}"), "invalid-name 3:19"),
        ("NUL", format!("{head}metadata: {{ name: \"a\0\" }}\n{spec}"), "control-character f.yaml"),
    ] {
        check(&mut wrong, reason, &text, &file_problems(&text), expected);
    }
    assert!(wrong.is_empty(), "{wrong}");
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
     6 |   train_video_url: https://m.example.com/a.mp4?… # signed
     7 |   callback_url: { url: "https://…@h.example.com/?…" }
       :                 ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
     8 |   train_image_url: http://m.example.com/a.png?…
       `----

    facectl::two-sources

      x a face is trained from a video or from an image, not from both
       ,-[f.yaml:8:3]
     5 | spec:
     6 |   train_video_url: https://m.example.com/a.mp4?… # signed
       :   ^^^^^^^|^^^^^^^
       :          `-- the other source
     7 |   callback_url: { url: "https://…@h.example.com/?…" }
     8 |   train_image_url: http://m.example.com/a.png?…
       :   ^^^^^^^|^^^^^^^
       :          `-- here
       `----
      help: keep exactly one of `train_video_url` and `train_image_url`

    facectl::invalid-link

      x `spec.train_image_url` is not a link that Tavus can use: its scheme is `http`, only https is
      | fetched
       ,-[f.yaml:8:20]
     7 |   callback_url: { url: "https://…@h.example.com/?…" }
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
        "help": "add `train_video_url` (a recording) or `train_image_url` (a photo) with an https link",
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
fn folders_patterns_files_and_standard_input_are_read_once_and_in_any_order() {
    let folder = Folder::new(&[
        ("faces/a.yaml", &video("a")),
        ("faces/deep/er/b.yml", &video("b")),
        ("faces/.hidden/c.yaml", &video("c")),
        ("faces/notes.txt", "not: read"),
        ("faces/facectl.lock.yaml", "lock: file"),
        ("other/d.yaml", &format!("{}---\n{}", video("d"), video("e"))),
    ]);
    let keys =
        |paths: &[&str]| folder.desired(paths).faces.keys().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    assert_eq!(keys(&["faces"]), "a b");
    assert_eq!(keys(&["faces", "./faces/a.yaml", "faces/*", "faces/**/*.yml"]), "a b");
    assert_eq!(keys(&["other/*.yaml"]), "d e");
    assert_eq!(keys(&[]), "a b d e");
    let (one, two) = (folder.desired(&["faces", "other"]), folder.desired(&["other/d.yaml", "faces"]));
    assert_eq!(one, two);
    let mut request = folder.request(&["-", "faces/a.yaml"]);
    request.stdin = Box::new(io::Cursor::new(video("z")));
    let loaded = manifest::load(request).unwrap();
    assert_eq!(loaded.desired.faces[&"z".parse().unwrap()].origin.to_string(), "-:4:9");
    assert_eq!((loaded.files, loaded.documents), (2, 2));
}

#[test]
fn what_is_not_there_is_said() {
    let folder = Folder::new(&[("faces/a.yaml", &video("a")), ("empty/readme.md", "")]);
    assert_snapshot!(folder.rendered(&["facse", "nope/*.yaml", "empty", "deep/er/x.yaml"]), @r"
    facectl::not-found

      x deep/er/x.yaml: there is no such file or folder
      help: its folder does not exist either

    facectl::no-manifests

      x empty: there are no manifests in this folder
      help: it was searched, with all folders in it, for files that end in .yaml or .yml;
            facectl.yaml, the lock file and names that begin with a dot do not count

    facectl::not-found

      x facse: there is no such file or folder
      help: did you mean `faces`?

    facectl::not-found

      x nope/*.yaml: the pattern matches no manifest
      help: it was searched for files that end in .yaml or .yml; if your shell should have expanded
            it, check the folder

    4 problems
    ");
}

#[test]
fn yaml_of_other_tools_is_left_out_of_a_folder_and_refused_by_name() {
    let folder = Folder::new(&[
        ("a.yaml", &video("a")),
        ("k8s.yaml", "apiVersion: v1\nkind: ConfigMap\n"),
        ("mixed.yaml", &format!("apiVersion: v1\nkind: ConfigMap\n---\n{}", video("b"))),
        ("chart.yaml", "{{ if .Values.on }}\na: b\n{{ end }}\n"),
    ]);
    let loaded = folder.load(&["."]).unwrap();
    assert_eq!(loaded.desired.faces.len(), 2);
    let places: Vec<String> = loaded.warnings.iter().map(|one| one.place.to_string()).collect();
    assert_eq!(places, ["chart.yaml", "k8s.yaml", "mixed.yaml:1:1"]);
    assert_eq!(folder.problems(&["k8s.yaml"]), "kind k8s.yaml:2:7");
    // A slip in the version must not make a face look as if nobody wanted it any more.
    for slip in ["facectl.dev/v2", "facectl.dve/v1", "facetcl.dev/v1", "FACECTL.dev/v1", "v1"] {
        folder.write("a.yaml", video("a").replace("facectl.dev/v1", slip));
        assert_eq!(folder.problems(&["."]).lines().next(), Some("unknown-value a.yaml:1:13"), "{slip}");
    }
}

const PROJECT: &str = "apiVersion: facectl.dev/v1\nkind: Project\nmetadata: { name: NAME }\n";

#[test]
fn the_project_is_found_above_what_was_named() {
    let folder = Folder::new(&[
        ("one/facectl.yaml", &PROJECT.replace("NAME", "one")),
        ("one/faces/a.yaml", &video("a")),
        ("two/facectl.yaml", &PROJECT.replace("NAME", "two")),
        ("two/faces/b.yaml", &video("b")),
        ("c.yaml", &video("c")),
    ]);
    let name = |paths: &[&str]| folder.load(paths).map(|loaded| loaded.project.name.to_string());
    assert_eq!(name(&["one"]).unwrap(), "one");
    assert_eq!(name(&["one/faces/a.yaml"]).unwrap(), "one");
    assert_eq!(name(&["two/faces/*.yaml"]).unwrap(), "two");
    let loaded = folder.load(&["c.yaml"]).unwrap();
    assert!(loaded.project.is_default && loaded.project.name.as_str() == "default");
    assert_eq!(folder.problems(&["one", "two/faces/b.yaml"]), "two-projects two/facectl.yaml");
    let mut request = folder.request(&["one"]);
    request.overrides.name = Some("other".parse().unwrap());
    assert_eq!(manifest::load(request).unwrap().project.name.as_str(), "other");
    // A project inside another one's folder is not swept up: its faces would be bought a second time.
    folder.write("facectl.yaml", PROJECT.replace("NAME", "all"));
    let loaded = folder.load(&[]).unwrap();
    assert_eq!(loaded.desired.faces.len(), 1);
    assert_eq!(loaded.warnings.len(), 2);
}

#[test]
fn defaults_hold_field_by_field_unless_the_face_says_otherwise() {
    let folder = Folder::new(&[
        (
            "facectl.yaml",
            &format!(
                "{}spec:\n  manifests: [faces]\n  defaults:\n    model_name: phoenix-3\n    lifecycle: {{ wait_for: none, protect: true }}\n  \
                 limits: {{ max_trainings: 2 }}\n  wait_timeout: 5h30m\n  settle_window: 2m\n",
                PROJECT.replace("NAME", "acme")
            ),
        ),
        ("faces/a.yaml", &face("a", "train_video_url: https://m.example.com/a.mp4\nlifecycle: { protect: false }")),
        ("elsewhere/b.yaml", &video("b")),
    ]);
    let loaded = folder.load(&["."]).unwrap();
    assert_eq!(loaded.desired.faces.len(), 1, "the project's own folder means the project's manifests");
    let spec = &loaded.desired.faces[&"a".parse().unwrap()].spec;
    assert_eq!((spec.model, spec.lifecycle.wait_for, spec.lifecycle.protect), (Model::Phoenix3, WaitFor::None, false));
    let settings = &loaded.project.settings;
    assert_eq!(settings.limits.max_trainings, Some(2));
    assert_eq!(settings.limits.max_deletions, Some(3));
    assert_eq!(settings.wait_timeout.unwrap().as_secs(), 5 * 3600 + 30 * 60);
    assert_eq!(settings.settle_window.unwrap().as_secs(), 120);
    folder.write("faces/c.yaml", face("c", "train_image_url: https://m.example.com/a.png\nvoice_name: anna"));
    assert_eq!(folder.problems(&[]), "model faces/c.yaml:6:3");
}

#[test]
fn a_project_file_can_neither_send_the_key_away_nor_read_the_runner() {
    for (spec, expected) in [
        ("api_url: https://evil.example.com/v2", "invalid-value facectl.yaml:4:18"),
        ("api_url: https://tavusapi.com.evil.example.com/v2", "invalid-value facectl.yaml:4:18"),
        ("api_url: https://tavusapi.com@evil.example.com/v2", "invalid-value facectl.yaml:4:18"),
        ("api_url: http://tavusapi.com/v2", "invalid-value facectl.yaml:4:18"),
        ("api_url: http://127.0.0.1:8080/v2", ""),
        ("api_url: https://tavusapi.com/v2", ""),
        ("manifests: [/etc]", "outside facectl.yaml:4:20"),
        ("manifests: [../other]", "outside facectl.yaml:4:20"),
        ("manifests: [\"-\"]", "outside facectl.yaml:4:20"),
        ("wait_timeout: 5", "wrong-type facectl.yaml:4:23"),
        ("wait_timeout: soon", "invalid-value facectl.yaml:4:23"),
        ("wait_timeout: -2m", "invalid-value facectl.yaml:4:23"),
        ("limits: { max_trainings: -1 }", "wrong-type facectl.yaml:4:34"),
        ("parallelism: 0", "wrong-type facectl.yaml:4:22"),
        ("manifests: faces", "wrong-type facectl.yaml:4:20"),
    ] {
        let project = format!("{}spec: {{ {spec} }}\n", PROJECT.replace("NAME", "acme"));
        let folder = Folder::new(&[("facectl.yaml", &project), ("a.yaml", &video("a"))]);
        let problems = folder.problems(&["a.yaml"]);
        assert_eq!(problems, expected, "{spec}");
    }
}

#[cfg(unix)]
#[test]
fn links_are_followed_inside_a_folder_and_refused_where_they_leave_it() {
    use std::os::unix::fs::symlink;
    let outside = Folder::new(&[("secret.yaml", "kind: Face\nkey: hush\n")]);
    // The shape of a ConfigMap mount: names that are links into a hidden folder, itself a link.
    let folder = Folder::new(&[("mount/..2026/a.yaml", &video("a"))]);
    symlink("..2026", folder.path().join("mount/..data")).unwrap();
    symlink("..data/a.yaml", folder.path().join("mount/a.yaml")).unwrap();
    symlink(".", folder.path().join("mount/loop")).unwrap();
    assert_eq!(folder.desired(&["mount"]).faces.len(), 1);
    symlink(outside.path().join("secret.yaml"), folder.path().join("mount/b.yaml")).unwrap();
    symlink(outside.path(), folder.path().join("mount/c")).unwrap();
    assert_eq!(folder.problems(&["mount"]), "outside mount/b.yaml\noutside mount/c");
    assert!(!folder.rendered(&["mount"]).contains("hush"));
    symlink("gone.yaml", folder.path().join("mount/d.yaml")).unwrap();
    assert!(folder.problems(&["mount"]).contains("unreadable mount/d.yaml"));
}

#[test]
fn files_that_would_hurt_are_refused_in_bounded_memory_and_on_a_bounded_stack() {
    let nested = |open: &str, count: usize| format!("kind: Face\na: {}", open.repeat(count));
    let bomb: String = (1..=12).fold("kind: Face\na0: &a0 [x, x]\n".to_owned(), |text, level| {
        let last = level - 1;
        format!("{text}a{level}: &a{level} [{}]\n", vec![format!("*a{last}"); 9].join(", "))
    });
    let repeated = format!("kind: Face\na: &a {}\nb: [{}]\n", "x".repeat(20_000), "*a, ".repeat(20_000));
    for (reason, text, expected) in [
        ("flow lists", nested("[", 100_000), "too-deep"),
        ("flow maps", nested("{a: ", 100_000), "too-deep"),
        ("block lists", format!("kind: Face\na:\n{}", "- ".repeat(20_000)), "too-deep"),
        ("complex keys", format!("kind: Face\na:\n{}", "? ".repeat(20_000)), "too-deep"),
        ("an alias bomb", bomb, "alias-bomb"),
        ("one text many times", repeated, "alias-bomb"),
        ("an alias of itself", "kind: Face\na: &a [*a]\n".to_owned(), "alias"),
        ("many values", format!("kind: Face\na: [{}]", "x,".repeat(150_000)), "too-many"),
        ("many documents", "---\na\n".repeat(100_001), "too-many"),
        ("a large file", " ".repeat(manifest::FILE_LIMIT + 1), "too-large"),
    ] {
        let folder = Folder::new(&[("f.yaml", &text)]);
        let problems = folder.load(&["f.yaml"]).unwrap_err().diagnostics;
        assert!(
            problems.iter().any(|one| one.code == format!("facectl::{expected}")),
            "{reason}: {:?}",
            problems.first()
        );
    }
    for (reason, bytes, expected) in [
        ("UTF-16", b"\xFF\xFEk\0".to_vec(), "encoding"),
        ("Latin-1", b"kind: Face\nname: J\xF6rg\n".to_vec(), "encoding"),
        ("an escape", b"kind: \x1b[31m\n".to_vec(), "control-character"),
    ] {
        let folder = Folder::new(&[]);
        folder.write("f.yaml", bytes);
        assert_eq!(folder.problems(&["f.yaml"]), format!("{expected} f.yaml"), "{reason}");
    }
}

#[test]
fn the_digest_is_over_what_is_wanted_and_not_over_how_it_is_written() {
    let digest = |text: &str| Folder::new(&[("f.yaml", text)]).desired(&["f.yaml"]).digest;
    let base = digest(&face("ana", "train_video_url: https://m.example.com/a.mp4?X-Amz-Signature=1"));
    let same = face(
        "ana",
        "# signed anew\ntrain_video_url: \"https://m.example.com/a.mp4?X-Amz-Signature=2\"\nface_name: ana",
    );
    assert_eq!(base, digest(&same));
    for spec in [
        "train_video_url: https://m.example.com/b.mp4",
        "train_video_url: https://m.example.com/a.mp4\nface_name: Ana",
        "train_video_url: https://m.example.com/a.mp4\ndefault_voice_id: v1",
        "train_video_url: https://m.example.com/a.mp4\nlifecycle: { protect: true }",
        "train_video_url: https://m.example.com/a.mp4\ntraining_version: 1",
    ] {
        assert_ne!(base, digest(&face("ana", spec)), "{spec}");
    }
}

#[test]
fn long_lines_are_cut_before_they_are_shown() {
    // miette panics on lines of more than 65,535 columns, and pads for each mark in memory.
    let text = format!(
        "kind: Face\na: {{ {} }}\nb: \"{}\" # {}\n",
        "x: ,".repeat(20_000),
        "://?".repeat(20_000),
        "y ".repeat(90_000)
    );
    let rejected = Folder::new(&[("f.yaml", &text)]).load(&["f.yaml"]).unwrap_err();
    let text = shown(&rejected);
    let far = rejected.diagnostics.iter().find(|one| one.place.column > 70_000).unwrap();
    assert!(text.contains(&format!("[{}]", far.place)), "columns are those of the file");
    assert!(text.lines().all(|line| line.chars().count() < 500));
}
