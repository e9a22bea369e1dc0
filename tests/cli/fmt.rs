//! `fmt`: what it says, what it writes, how it ends.

use std::fs;

use crate::environment::{Environment, face, project};

const LINK: &str = "https://media.example.com/ana.mp4?X-Amz-Signature=hush";

fn untidy(key: &str) -> String {
    face(key, LINK, "").replace("kind: ", "kind:   ").replace("  name: ", "  # the key\n    name: ")
}

fn environment() -> Environment {
    let environment = Environment::empty();
    environment.write("facectl.yaml", project("acme", ""));
    environment.write("faces/ana.yaml", untidy("ana"));
    environment.write("faces/bob.yaml", face("bob", LINK, ""));
    environment
}

#[test]
fn the_names_of_what_was_laid_out_are_printed_and_once_is_enough() {
    let environment = environment();
    let run = environment.run("fmt").exits(0).says(&["Laid out 1 of 3 files."]);
    assert_eq!(run.stdout, "faces/ana.yaml\n");
    assert!(environment.read("faces/ana.yaml").contains("kind: Face\nmetadata:\n  # the key\n  name: ana\n"));
    environment.run("fmt").exits(0).prints_nothing().says(&["Nothing to do: 3 files laid out already."]);
    environment.run("fmt --check").exits(0).prints_nothing();
    environment.run("validate").exits(0);
}

#[test]
fn a_check_writes_nothing_and_exits_with_1() {
    let environment = environment();
    let before = environment.files("faces");
    let run = environment.run("fmt --check").exits(1).says(&["1 of 3 files to be laid out: run `facectl fmt`."]);
    assert_eq!(run.stdout, "faces/ana.yaml\n");
    environment.run("fmt --check -q faces/ana.yaml").exits(1).says_nothing();
    environment.run("fmt --check faces/bob.yaml").exits(0).prints_nothing();
    assert_eq!(environment.files("faces"), before);
}

#[test]
fn a_diff_shows_what_changes_and_no_signature() {
    let environment = environment();
    environment.edit("faces/ana.yaml", "  train_video_url", "    train_video_url");
    let run = environment.run("fmt --check --diff").exits(1).hides(&["hush"]);
    let run = run.prints(&["--- faces/ana.yaml", "+++ faces/ana.yaml (laid out)", "-kind: Face", "+kind: Face"]);
    assert!(run.stdout.contains("-    train_video_url: https://media.example.com/ana.mp4?…"), "{run}");
    environment.run("fmt --diff").exits(0).prints(&["+kind: Face"]);
    assert!(environment.read("faces/ana.yaml").contains("hush"));
    environment.run("fmt --diff").exits(0).prints_nothing();
}

#[test]
fn standard_input_goes_to_standard_output() {
    let environment = Environment::empty();
    let tidy = face("ana", LINK, "");
    for text in [tidy.clone(), tidy.replace("kind: ", "kind:   "), format!("\u{FEFF}{tidy}")] {
        let run = environment.run_reading("fmt -", &text).exits(0).says_nothing();
        assert_eq!(run.stdout, tidy);
    }
    let foreign = "apiVersion: v1\nkind:   ConfigMap\n";
    let run = environment.run_reading("fmt -", foreign).exits(0).says(&["this is not a manifest of facectl"]);
    assert_eq!(run.stdout, foreign);
    let run = environment.run_reading("fmt -", "kind: Face\n  x: [").exits(1).prints_nothing();
    run.says(&["this is not valid YAML", "-:2:"]);
    assert_eq!(environment.run_reading("fmt - --check", &untidy("ana")).exits(1).stdout, "-\n");
    let json = environment.run_reading("fmt - -o json", &untidy("ana")).exits(0).says_nothing().json();
    assert!(json["files"][0]["text"].as_str().unwrap().contains("kind: Face\n"), "{json}");
    environment.run_reading("fmt - faces", "").exits(1).says(&["`-` stands alone"]);
}

#[test]
fn a_file_that_cannot_be_read_is_shown_and_the_others_are_laid_out() {
    let environment = environment();
    environment.write("faces/💥.yaml", "apiVersion: facectl.dev/v1\nkind: Face\n  name: [\n");
    environment.write("faces/latin.yaml", b"kind: Face # \xE9\n");
    let run = environment.run("fmt").exits(1).says(&["faces/💥.yaml:3:", "not UTF-8", "2 were left as they are"]);
    assert_eq!(run.stdout, "faces/ana.yaml\n");
    let json = environment.run("fmt -o json").exits(1).says_nothing().json();
    assert_eq!((&json["valid"], &json["files"][1]["action"]), (&false.into(), &"unchanged".into()), "{json}");
    assert_eq!(json["diagnostics"].as_array().unwrap().len(), 2, "{json}");
    environment.run("fmt nowhere.yaml").exits(1).says(&["there is no such file or folder"]);
}

#[test]
fn programs_hear_of_each_file() {
    let environment = environment();
    let json = environment.run("fmt --check --diff -o json").exits(1).says_nothing().hides(&["hush"]).json();
    let fates: Vec<_> = json["files"].as_array().unwrap().iter().map(|file| &file["action"]).collect();
    assert_eq!(fates, ["unchanged", "needs_formatting", "unchanged"], "{json}");
    assert!(json["files"][1]["unified"].as_str().unwrap().contains("+kind: Face"), "{json}");
    let json = environment.run("fmt -o json").exits(0).json();
    assert_eq!(json["files"][1], serde_json::json!({ "file": "faces/ana.yaml", "action": "formatted" }));
}

#[test]
fn a_folder_that_cannot_be_written_is_said_and_nothing_is_lost() {
    use std::os::unix::fs::PermissionsExt;
    let environment = environment();
    let before = environment.files("faces");
    fs::set_permissions(environment.path("faces"), fs::Permissions::from_mode(0o555)).unwrap();
    let is_root = fs::write(environment.path("faces/probe"), "").is_ok();
    if is_root {
        // Nothing is read-only to the administrator, except what says so of itself.
        fs::remove_file(environment.path("faces/probe")).unwrap();
        fs::set_permissions(environment.path("faces/ana.yaml"), fs::Permissions::from_mode(0o444)).unwrap();
    }
    environment.run("fmt").exits(1).prints_nothing().says(&["faces/ana.yaml", "it cannot be written", "--check"]);
    fs::set_permissions(environment.path("faces"), fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(environment.files("faces"), before);
}

#[test]
fn many_at_once_end_with_the_same_files() {
    let environment = environment();
    for number in 0..40 {
        environment.write(&format!("faces/f{number}.yaml"), untidy(&format!("f{number}")));
    }
    let runs: Vec<_> = (0..4).map(|_| environment.spawn("fmt")).collect();
    for run in runs {
        run.end().exits(0);
    }
    environment.run("fmt --check").exits(0);
    assert_eq!(environment.files("faces").len(), 42, "nothing is left lying about");
}
