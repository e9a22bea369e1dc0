//! What the README shows, on a copy of the example it shows it with.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::environment::Environment;

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        match entry.path().is_dir() {
            // What a rehearsal in the checkout may have left behind.
            true if entry.file_name() == ".facectl" => {}
            true => copy(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}

fn quickstart() -> Environment {
    let environment = Environment::empty();
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/quickstart");
    copy(&examples, &environment.path("quickstart"));
    environment
}

fn trainings(environment: &Environment) -> usize {
    let world: Value = serde_json::from_str(&environment.read("quickstart/.facectl/sandbox/world.json")).unwrap();
    world["world"]["trainings"].as_array().unwrap().len()
}

#[test]
fn the_quickstart_is_created_once_found_unchanged_and_then_edited() {
    let environment = quickstart();
    let apply = "apply --sandbox --sandbox-speed 36000 -y quickstart";
    let first = environment.run(apply).exits(0);
    let first = first.prints(&["Plan: 5 to create, 0 to update", "5 paid trainings", "Done: 5 created"]);
    for (key, model) in [
        ("ana", "phoenix-4"),
        ("bruno", "phoenix-3"),
        ("carla", "phoenix-4"),
        ("dan", "phoenix-4.5"),
        ("nova", "phoenix-4"),
    ] {
        let row = first.stdout.lines().rfind(|line| line.split_whitespace().next() == Some(key)).unwrap();
        let cells: Vec<&str> = row.split_whitespace().collect();
        assert!(cells[1].starts_with('r') && cells[2] == model && cells[3] == "Synced", "{first}");
        assert!(["Ready", "Preview"].contains(&cells[4]), "{first}");
    }
    // Talk is on standard error: the progress there, the results here.
    let first =
        first.says(&["+ ana: training started as r", "Waiting for 5 faces. Interrupting is safe", "✓ bruno: ready"]);
    assert!(!first.stdout.contains("Waiting for") && !first.stderr.contains("Plan:"), "{first}");
    assert_eq!(trainings(&environment), 5);

    let second = environment.run(apply).exits(0).says_nothing();
    assert_eq!(second.stdout, "No changes. 5 faces as declared.\n");

    environment.edit("quickstart/faces/1-personal.yaml", "face_name: Ana ", "face_name: Ana (Support) ");
    let plan = environment.run("plan --sandbox quickstart").exits(0).says_nothing();
    let plan = plan.prints(&["~ ana update", r#"face_name: "Ana" -> "Ana (Support)""#, "0 to create, 1 to update"]);
    assert!(plan.stdout.contains("because the manifest changed"), "{plan}");
    environment.run(apply).exits(0).prints(&["Done: 0 created, 1 updated"]);
    environment.run(apply).exits(0).prints(&["No changes. 5 faces as declared."]);
    assert_eq!(trainings(&environment), 5);
    // Nothing of a rehearsal lies outside of the ignored folder.
    let inside = fs::read_dir(environment.path("quickstart")).unwrap().map(|entry| entry.unwrap().file_name());
    let mut inside: Vec<_> = inside.map(|name| name.into_string().unwrap()).collect();
    inside.sort();
    assert_eq!(inside, [".facectl", "facectl.yaml", "faces", "recording.svg"]);
}

#[test]
fn a_rehearsal_hears_no_key_and_needs_none() {
    let environment =
        quickstart().with("TAVUS_API_KEY", "real-key").with("TAVUS_PUBLIC_API_BASE_URL", "https://192.0.2.1/v2");
    environment.run("plan --sandbox quickstart").exits(0).prints(&["5 to create"]).hides(&["real-key"]);
    for (path, bytes) in environment.files("") {
        assert!(!String::from_utf8_lossy(&bytes).contains("real-key"), "{}", path.display());
    }
}
