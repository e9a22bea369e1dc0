//! The schemas of what facectl writes: fresh, and of one mind with what it really writes.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::environment::{Environment, project};
use crate::server::Server;

const KINDS: [&str; 13] = [
    "face",
    "project",
    "plan",
    "saved-plan",
    "outcome",
    "status",
    "drift",
    "validation",
    "failure",
    "inspection",
    "events",
    "lock",
    "state",
];

fn schema(kind: &str) -> Value {
    Environment::empty().run(&format!("schema {kind}")).exits(0).says_nothing().json()
}

/// A validator to which a field that the schema does not name is an error. Readers are to pass over such fields, so
/// the schemas themselves allow them; but what is written today must all be said.
pub(crate) fn strict(kind: &str) -> jsonschema::Validator {
    let mut schema = schema(kind);
    close(&mut schema);
    jsonschema::validator_for(&schema).unwrap()
}

fn close(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            let is_tagged = object.contains_key("properties");
            if let Some(Value::Array(kinds)) = object.get_mut("oneOf").filter(|_| is_tagged) {
                // One object whose fields stand in two places: what it has is what both of them say.
                let fields = kinds.iter_mut().filter_map(|kind| kind["properties"].as_object_mut());
                fields.for_each(|fields| fields.values_mut().for_each(close));
                object.insert("unevaluatedProperties".to_owned(), json!(false));
                return;
            }
            object.values_mut().for_each(close);
            if object.get("properties").is_some_and(Value::is_object) && !object.contains_key("additionalProperties") {
                object.insert("additionalProperties".to_owned(), json!(false));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

#[track_caller]
pub(crate) fn assert_fits(validator: &jsonschema::Validator, value: &Value, what: &str) {
    let errors: Vec<String> =
        validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{what}:\n{}\n{value:#}", errors.join("\n"));
}

#[test]
fn each_kind_has_a_fresh_file_and_each_file_is_of_a_kind() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
    for kind in KINDS {
        let path = folder.join(format!("{kind}.v1.json"));
        let fresh = serde_json::to_string_pretty(&schema(kind)).unwrap() + "\n";
        if std::env::var_os("FACECTL_UPDATE_SCHEMAS").is_some() {
            fs::write(&path, &fresh).unwrap();
        }
        let kept = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            kept == fresh,
            "{} is stale: run `FACECTL_UPDATE_SCHEMAS=1 cargo test --test cli schemas`",
            path.display()
        );
        jsonschema::draft202012::meta::validate(&schema(kind)).unwrap();
    }
    assert_eq!(fs::read_dir(folder).unwrap().count(), KINDS.len(), "a file of no kind is lying about");
    let run = Environment::empty().run("schema nonsense").exits(1);
    run.says(&KINDS);
}

#[test]
fn a_document_without_a_field_that_is_always_there_does_not_fit() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["ana"]);
    let mut plan = environment.run("plan -o json").exits(0).json();
    let validator = strict("plan");
    assert_fits(&validator, &plan, "whole");
    plan["faces"][0].as_object_mut().unwrap().remove("reason");
    assert!(!validator.is_valid(&plan));
}

/// A project in which most of what a plan can say is to be said.
fn eventful(server: &Server) -> Environment {
    let environment = Environment::against(server, &["ana", "bea", "cid", "dan"]).with("GITHUB_ACTOR", "octo");
    environment.face("bea", "  lifecycle: { on_removal: delete }\n");
    environment.run("apply -y -o json").exits(0);
    // A new name, a new training, one that goes, one that left and stays, and one that is new.
    environment.face("ana", "  face_name: Ana (Support)\n");
    environment.face_from("cid", "https://media.example.com/cid/other.mp4?X-Amz-Signature=x", "");
    fs::remove_file(environment.path("faces/bea.yaml")).unwrap();
    fs::remove_file(environment.path("faces/dan.yaml")).unwrap();
    environment.write(
        "faces/eva.yaml",
        "apiVersion: facectl.dev/v1\nkind: Face\nmetadata: { name: eva }\nspec:\n  train_image_url: https://media.example.com/eva.png\n  voice_name: anna\n",
    );
    environment
}

#[test]
fn what_plan_apply_wait_and_saved_plans_write_fits_its_schema() {
    let server = Server::fast(&["create@6:402"]);
    let environment = eventful(&server);
    let (plan, saved, outcome) = (strict("plan"), strict("saved-plan"), strict("outcome"));
    for line in [
        "plan -o json",
        "plan --prune -o json",
        "plan --refresh=false -o json",
        "plan --target a* --exclude eva -o json",
        "plan --offline --prune -o json",
    ] {
        assert_fits(&plan, &environment.run(line).json(), line);
    }
    let limited = environment.run("plan --max-trainings 1 -o json").exits(5).json();
    assert_eq!(limited["refusals"][0]["allowed"], 1);
    assert_fits(&plan, &limited, "over a limit");
    assert_fits(&plan, &environment.run("plan --prune --out plan.json -o json").exits(0).json(), "plan --out");
    assert_fits(&saved, &serde_json::from_str(&environment.read("plan.json")).unwrap(), "plan.json");
    let applied = environment.run("apply plan.json -o json --create-parallelism 1").exits(4).json();
    assert_eq!(applied["refused"].as_array().unwrap().len(), 1, "{applied:#}");
    assert_fits(&outcome, &applied, "apply");
    assert_fits(&plan, &environment.run("plan -o json").exits(0).json(), "after a replacement");
    assert_fits(&outcome, &environment.run("wait -o json").json(), "wait");
    assert_fits(&outcome, &environment.run("rollback cid -y -o json").exits(0).json(), "rollback");
    assert_fits(&outcome, &environment.run("delete dan -y -o json").exits(0).json(), "delete");
}

#[test]
fn what_an_unlucky_run_writes_fits_its_schema() {
    let server = Server::slow(&["create:drop-after-effect", "list:lag=10m"]);
    let environment = Environment::against(&server, &["ana"]);
    let outcome = environment.run("apply -y --no-wait --no-settle -o json").exits(10).json();
    assert_fits(&strict("outcome"), &outcome, "in doubt");
    assert_fits(&strict("plan"), &environment.run("plan -o json").exits(0).json(), "in doubt");
    assert_fits(&strict("status"), &environment.run("status -o json").exits(0).json(), "in doubt");
    assert_fits(&strict("state"), &environment.run("state pull").exits(0).json(), "in doubt");
}

#[test]
fn what_status_and_drift_write_fits_its_schema() {
    let server = Server::fast(&[]);
    let environment = eventful(&server);
    for line in ["status -o json", "status --refresh=false -o json"] {
        assert_fits(&strict("status"), &environment.run(line).exits(0).json(), line);
    }
    let drift = environment.run("drift -o json").exits(0).json();
    assert_eq!(drift["changed_in_manifests"].as_array().unwrap().len(), 5, "{drift:#}");
    assert_fits(&strict("drift"), &drift, "drift");
}

#[test]
fn what_validate_writes_fits_its_schema_whatever_it_finds() {
    let environment = Environment::project(&["ana"]);
    let validation = strict("validation");
    assert_fits(&validation, &environment.run("validate -o json").exits(0).json(), "valid");
    environment.face("ana", "  face_nam: x\n  face_nam: y\n");
    environment.write("facectl.yaml", project("acme", "").replace("acme", "Acme!"));
    for line in ["validate -o json", "plan -o json --sandbox", "validate -o json gone.yaml"] {
        let found = environment.run(line).exits(1).json();
        assert_ne!(found["diagnostics"], json!([]), "{line}");
        assert_fits(&validation, &found, line);
    }
}

#[test]
fn what_a_report_says_of_a_command_that_failed_fits_its_schema() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &["ana", "bea"]);
    let failure = strict("failure");
    let reported = |line: &str, environment: &Environment| -> Value {
        environment.run(&format!("{line} --report failed.json")).prints_nothing();
        serde_json::from_str(&environment.read("failed.json")).unwrap()
    };
    // With the plan that it refused.
    let refused = reported("apply -y --max-trainings 1 -o json", &environment);
    assert_eq!((&refused["exit_code"], &refused["plan"]["summary"]["create"]), (&5.into(), &2.into()));
    assert_fits(&failure, &refused, "over a limit");
    let environment = environment.without("TAVUS_API_KEY");
    for line in ["plan -o json", "apply -y -o json", "status -o json", "drift -o json", "wait -o json"] {
        let failed = reported(line, &environment);
        assert_eq!((&failed["exit_code"], &failed["plan"]), (&1.into(), &Value::Null), "{line}");
        assert_fits(&failure, &failed, line);
    }
}

#[test]
fn the_lock_file_and_a_pulled_state_fit_their_schemas() {
    let server = Server::fast(&[]);
    let environment = eventful(&server);
    environment.run("apply -y --prune").exits(0);
    let lock: Value = serde_yaml::from_str(&environment.read("facectl.lock.yaml")).unwrap();
    assert!(lock["faces"]["cid"]["previous"].is_array(), "{lock:#}");
    assert_fits(&strict("lock"), &lock, "facectl.lock.yaml");
    let state = environment.run("state pull").exits(0).json();
    assert!(state["history"].as_array().unwrap().len() > 8);
    assert_fits(&strict("state"), &state, "state pull");
}
