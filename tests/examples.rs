//! Every example loads, and on an empty account it asks for creates and nothing else.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use facectl::face::{Coverage, Observed, Recorded, Sight};
use facectl::manifest::{LoadRequest, Loaded, load};
use facectl::media::{Hashes, read_contents};
use facectl::plan::{Action, Policy, plan};
use facectl::report::{Paint, plan_json, plan_text};

/// Stands in for what an example takes from the environment; it may not be shown.
const SECRET: &str = "hook-token-7f3a";

/// The examples: folders below `examples/` with a project file of their own.
fn examples() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let entries = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> = entries.filter(|path| path.join("facectl.yaml").is_file()).collect();
    found.sort();
    found
}

fn load_in(folder: &Path, paths: Vec<String>) -> Loaded {
    let request = LoadRequest {
        paths,
        project_file: None,
        cwd: folder.to_owned(),
        variables: BTreeMap::from([("FACECTL_VAR_HOOK_TOKEN".to_owned(), SECRET.to_owned())]),
        stdin: Box::new(std::io::empty()),
        overrides: Default::default(),
    };
    let mut loaded = load(request).unwrap_or_else(|rejected| panic!("{}: {rejected:?}", folder.display()));
    read_contents(&mut loaded.desired, &mut Hashes::default());
    loaded
}

fn assert_only_creates(loaded: &Loaded, what: &str) {
    let observed = Observed {
        at: "2026-11-22T12:00:00Z".parse().unwrap(),
        coverage: Coverage::Complete,
        sight: Sight::Live,
        faces: BTreeMap::new(),
        pals: None,
        material: BTreeMap::new(),
    };
    let policy = Policy { max_trainings: loaded.project.settings.limits.max_trainings, ..Policy::default() };
    let plan = plan(&loaded.desired, &Recorded::default(), &observed, &policy);
    assert!(plan.refusals.is_empty(), "{what}: a newcomer's first apply would be over the example's own limit");
    assert!(!plan.faces.is_empty(), "{what} declares no face");
    for face in &plan.faces {
        assert!(matches!(face.action, Action::Create(_)), "{what}: {} is to {}", face.key, face.action.word());
    }
    assert_eq!(plan.summary().paid_trainings, loaded.documents, "{what}");
    let shown = plan_text(&plan, Paint::plain()) + &plan_json(&plan, plan.basis.observed_at, None).to_string();
    assert!(!shown.contains(SECRET), "{what} shows a secret");
}

#[test]
fn every_example_loads_and_asks_for_creates_only() {
    let examples = examples();
    assert!(examples.len() >= 2, "the examples have moved");
    for example in examples {
        let loaded = load_in(&example, Vec::new());
        assert_eq!(loaded.warnings.len(), 0, "{}: {:?}", example.display(), loaded.warnings);
        assert_only_creates(&loaded, &example.display().to_string());
    }
}

#[test]
fn every_manifest_of_an_example_can_be_tried_alone() {
    let mut tried = 0;
    for example in examples() {
        for entry in walkdir::WalkDir::new(example.join("faces")).sort_by_file_name() {
            let entry = entry.unwrap();
            if entry.path().extension().is_some_and(|end| end == "yaml") {
                let path = entry.path().strip_prefix(&example).unwrap().display().to_string();
                assert_only_creates(&load_in(&example, vec![path]), &entry.path().display().to_string());
                tried += 1;
            }
        }
    }
    assert!(tried >= 6, "only {tried} manifests were tried");
}

#[test]
fn every_manifest_below_the_examples_belongs_to_one_of_them() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let examples = examples();
    for entry in walkdir::WalkDir::new(root).into_iter().map(Result::unwrap) {
        let is_yaml = entry.path().extension().is_some_and(|end| end == "yaml" || end == "yml");
        // Other programs' files are tested where they are used.
        let is_manifest = is_yaml && std::fs::read_to_string(entry.path()).unwrap().contains("facectl.dev/v1");
        let is_covered = examples.iter().any(|example| entry.path().starts_with(example));
        assert!(!is_manifest || is_covered, "{} is tested by nobody", entry.path().display());
    }
}
