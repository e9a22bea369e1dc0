//! The published schemas: fresh, and of one mind with the loader.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use facectl::manifest::{self, LoadRequest, ProjectOverrides, schemas};
use serde::Deserialize;
use serde_json::Value;

use super::{Folder, face, shown};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn validator(schema: &Value) -> jsonschema::Validator {
    jsonschema::draft202012::meta::validate(schema).unwrap();
    jsonschema::validator_for(schema).unwrap()
}

#[test]
fn the_files_under_schemas_are_what_the_code_generates() {
    for (file, schema) in [("face.v1.json", schemas::face_schema()), ("project.v1.json", schemas::project_schema())] {
        let path = root().join("schemas").join(file);
        let fresh = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        if std::env::var_os("FACECTL_UPDATE_SCHEMAS").is_some() {
            fs::write(&path, &fresh).unwrap();
        }
        let kept = fs::read_to_string(&path).unwrap_or_default();
        assert!(kept == fresh, "schemas/{file} is stale: run `FACECTL_UPDATE_SCHEMAS=1 cargo test --test manifest`");
        validator(&schema);
    }
}

fn examples() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join("examples")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let path = entry.path();
            // What a rehearsal leaves behind is no example.
            if entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "yaml") && is_ours(&path) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Other programs' files, such as a deployment, are tested where they are used.
fn is_ours(path: &Path) -> bool {
    fs::read_to_string(path).unwrap().contains("facectl.dev/v1")
}

#[test]
fn every_example_names_its_schema_and_agrees_with_it() {
    let files = examples();
    assert!(files.len() >= 9, "{files:?}");
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let shown = file.display();
        let first = text.lines().next().unwrap();
        let named =
            first.strip_prefix("# yaml-language-server: $schema=").unwrap_or_else(|| panic!("{shown}: {first}"));
        let schema: Value = serde_json::from_slice(&fs::read(file.parent().unwrap().join(named)).unwrap()).unwrap();
        let validator = validator(&schema);
        for document in serde_yaml::Deserializer::from_str(&text) {
            let value = Value::deserialize(document).unwrap();
            let wrong: Vec<String> =
                validator.iter_errors(&value).map(|e| format!("{}: {e}", e.instance_path())).collect();
            assert!(wrong.is_empty(), "{shown}: {wrong:?}");
        }
    }
}

#[test]
fn every_example_loads_without_a_word() {
    for (name, faces) in [("quickstart", 5), ("team", 4)] {
        let request = LoadRequest {
            paths: vec![format!("examples/{name}")],
            project_file: None,
            cwd: root().to_owned(),
            variables: BTreeMap::from([("FACECTL_VAR_HOOK_TOKEN".to_owned(), "t".to_owned())]),
            stdin: Box::new(io::empty()),
            overrides: ProjectOverrides::default(),
        };
        let loaded = manifest::load(request).unwrap_or_else(|rejected| panic!("{}", shown(&rejected)));
        assert_eq!((loaded.desired.faces.len(), loaded.warnings.len()), (faces, 0), "{name}");
        assert!(!loaded.project.is_default);
    }
}

#[test]
fn schema_and_loader_are_of_one_mind() {
    let validator = validator(&schemas::face_schema());
    let video = "train_video_url: https://m.example.com/a.mp4";
    let image = "train_image_url: https://m.example.com/a.png";
    for (spec, is_good) in [
        (video.to_owned(), true),
        (format!("{image}\nvoice_name: anna"), true),
        (format!("{image}\ndefault_voice_id: v1"), true),
        (format!("{video}\ndefault_voice_id: v1"), true),
        (format!("{video}\ntraining_version: 3"), true),
        (format!("{video}\ncallback_url: ${{FACECTL_VAR_HOST}}/x"), false), // by the loader only: no scheme
        ("{}".to_owned(), false),
        (format!("{video}\n{image}\nvoice_name: anna"), false),
        (image.to_owned(), false),
        (format!("{image}\nvoice_name: anna\ndefault_voice_id: v1"), false),
        (format!("{image}\nvoice_name: anna\nmodel_name: phoenix-3"), false),
        (format!("{video}\nvoice_name: anna"), false),
        (format!("{video}\nauto_fix_training_image: false"), false),
        (format!("{video}\nmodel_name: phoenix-9"), false),
        (format!("{video}\nface_name: 12"), false),
        (format!("{video}\nface_name: ~"), false),
        (format!("{video}\nface_name: {}", "x".repeat(101)), false),
        (format!("{video}\nfoo: bar"), false),
        (format!("{video}\nproperties: {{ gaze_correction: true }}"), false),
        (format!("{video}\nlifecycle: {{ wait_for: never }}"), false),
        (format!("{video}\nlifecycle: {{ protect: \"true\" }}"), false),
        ("train_video_url: http://m.example.com/a.mp4".to_owned(), false),
        (format!("{video}\ntraining_version: [1]"), false),
        (format!("{video}\ntraining_version: 1.10"), false),
        (format!("{video}\ntraining_version: true"), false),
        (format!("{video}\ntraining_version: \"1.10\""), true),
    ] {
        let text = face("ana", &spec);
        let value: Value = serde_yaml::from_str(&text).unwrap();
        let by_loader = Folder::new(&[("f.yaml", &text)]).load(&["f.yaml"]).is_ok();
        assert_eq!(by_loader, is_good, "the loader on\n{text}");
        // A schema cannot fill in variables.
        let by_schema = validator.is_valid(&value) && !spec.contains("${");
        assert_eq!(by_schema, is_good, "the schema on\n{text}");
    }
    for (spec, is_good) in [
        ("face_name: Ana".to_owned(), true),
        (video.to_owned(), true),
        (format!("{video}\n{image}\nvoice_name: anna"), false),
        ("voice_name: anna".to_owned(), false),
        ("training_version: 1".to_owned(), false),
        ("auto_fix_training_image: true".to_owned(), false),
        ("properties: { background_green_screen: false }".to_owned(), false),
        (image.to_owned(), false),
    ] {
        let text = face("ana", &spec).replace("spec:", "  annotations: { facectl.dev/face-id: r1, note: x }\nspec:");
        let by_loader = Folder::new(&[("f.yaml", &text)]).load(&["f.yaml"]).is_ok();
        assert_eq!(by_loader, is_good, "the loader on\n{text}");
        assert_eq!(validator.is_valid(&serde_yaml::from_str(&text).unwrap()), is_good, "the schema on\n{text}");
    }
}
