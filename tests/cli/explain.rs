//! `explain`: what the fields are for, from any folder.

use insta::assert_snapshot;

use crate::environment::Environment;

#[test]
fn a_field_is_explained_with_its_words_and_its_default() {
    let environment = Environment::empty();
    let run = environment.run("explain face.spec.lifecycle.wait_for").exits(0).says_nothing();
    assert_snapshot!(run.stdout, @"
    KIND:     Face
    VERSION:  facectl.dev/v1

    FIELD: spec.lifecycle.wait_for <string>
    DEFAULT: ready

    DESCRIPTION:
        How far `apply` and `wait` wait. Default: ready.

    ALLOWED:
        none     Do not wait.
        preview  Until the face can be used, even if its quality still improves
                 (phoenix-4.5).
        ready    Until nothing more will change.
    ");
}

#[test]
fn required_fields_forms_and_rules_are_said() {
    let environment = Environment::empty();
    let run = environment.run("explain face.metadata.name").exits(0);
    run.prints(&["FIELD: metadata.name <string> -required-", "1 to 63 characters", "of the form ^[a-z0-9]"]);
    let run = environment.run("explain face.spec").exits(0);
    run.prints(&["Exactly one of train_video_url, train_image_url must be there.", "Allowed: phoenix-3, phoenix-4,"]);
    environment.run("explain project.spec.manifests").exits(0).prints(&["<[]string>"]);
    environment.run("explain face.metadata.labels").exits(0).prints(&["<map[string]string|number|boolean>"]);
    let lines = environment.run("explain project --recursive").exits(0).stdout;
    assert!(lines.contains("\n    limits <Object>\n      max_trainings <integer>\n"), "{lines}");
}

#[test]
fn no_line_of_any_explanation_is_wider_than_a_terminal() {
    let environment = Environment::empty();
    for field in ["", "face", "face.spec", "project.spec", "project.spec.defaults", "face.metadata.labels"] {
        let run = environment.run(&format!("explain {field}")).exits(0);
        assert!(run.stdout.lines().all(|line| line.chars().count() <= 80), "{run}");
    }
}

#[test]
fn which_field_was_taken_is_said_and_a_wrong_one_is_answered_with_near_ones() {
    let environment = Environment::empty();
    let run = environment.run("explain protect").exits(0).prints(&["FIELD: spec.lifecycle.protect <boolean>"]);
    run.says(&["note: this is face.spec.lifecycle.protect; project.spec.defaults.lifecycle.protect is there too"]);
    environment.run("explain protect -q").exits(0).says_nothing();
    let run = environment.run("explain face.spec.train_vidoe_url").exits(1).prints_nothing();
    run.says(&["error: `face.spec` has no field `train_vidoe_url`", "facectl explain face.spec.train_video_url"]);
    environment.run("explain xyzzy").exits(1).says(&["there is no field `xyzzy`", "face --recursive"]);
}

#[test]
fn programs_get_the_schema_of_the_field() {
    let environment = Environment::empty();
    let schema = environment.run("explain project.spec.limits -o json").exits(0).says_nothing().json();
    assert_eq!(schema["properties"]["max_trainings"]["type"], "integer");
    let whole = environment.run("schema face").exits(0).json();
    assert_eq!(environment.run("explain face -o json").exits(0).json(), whole);
    environment.run("explain face.kind -o yaml").exits(0).prints(&["const: Face"]);
    let kinds = environment.run("explain -o json").exits(0).json();
    assert_eq!((&kinds[0]["kind"], &kinds[1]["kind"]), (&"Face".into(), &"Project".into()));
}

#[test]
fn help_tells_the_whole_story() {
    let environment = Environment::empty();
    let run = environment.run("explain --help").exits(0);
    run.prints(&["Explain the fields of manifests", "facectl explain project.spec.limits", "Needs no project"]);
}
