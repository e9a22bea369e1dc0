//! `media inspect`, `validate --online`, and what a plan says of material, as far as no network is needed.

use std::fs;
use std::path::Path;

use crate::environment::Environment;
use crate::schemas::{assert_fits, strict};
use crate::server::Server;

fn clip(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/media/clips").join(name)).unwrap()
}

/// An empty environment with files in it.
fn with_files(files: &[(&str, &str)]) -> Environment {
    let environment = Environment::empty();
    for (name, from) in files {
        environment.write(name, clip(from));
    }
    environment
}

#[test]
fn a_file_is_shown_with_what_is_in_it_and_what_would_stop_a_training() {
    let environment =
        with_files(&[("ana.mp4", "moov-first.mp4"), ("ben.png", "still.png"), ("page.mp4", "sign-in.html")]);
    let run = environment.run("media inspect ana.mp4").exits(1);
    run.prints(&["MP4", "H.264", "AAC", "error: duration:", "documented", "would fail"]);
    environment.run("media inspect ben.png --model phoenix-4").exits(0).prints(&["PNG", "image", "Nothing speaks"]);
    environment.run("media inspect page.mp4").exits(1).prints(&["page:"]);
    environment.run("media inspect ana.mp4 --kind image").exits(1).prints(&["photo"]);
    let document = environment.run("media inspect ana.mp4 ben.png -o json").exits(1).json();
    assert_fits(&strict("inspection"), &document, "media inspect");
    assert_eq!(document["materials"][0]["facts"]["video_codec"], "H.264");
    assert_eq!(
        (&document["materials"][0]["usable"], &document["materials"][1]["usable"]),
        (&false.into(), &true.into())
    );
}

#[test]
fn what_cannot_be_inspected_is_named_without_its_signature() {
    let environment = Environment::empty();
    let run = environment.run("media inspect http://m.example.com/a.mp4?X-Amz-Signature=hush").exits(1);
    run.says(&["cannot inspect", "only https", "hint:"]).hides(&["hush"]);
    environment.run("media inspect nothing.mp4").exits(1).says(&["nothing.mp4", "name a file that is there"]);
    environment.run("media inspect exec:no-such-program").exits(1).prints(&["cannot be started"]);
    environment.run("media inspect").exits(1);
}

#[test]
fn a_file_that_is_not_there_is_a_warning_until_its_face_is_to_be_trained() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &[]);
    environment.face_from("ana", "./media/ana.mp4", "");
    environment.run("validate").exits(0).says(&["./faces/media/ana.mp4 is not here", "faces/ana.yaml:"]);
    environment.run("plan").exits(0).prints(&["! ana", "faces/media/ana.mp4", "is not here", "help:"]);
    environment.run("apply -y").exits(5);
    assert_eq!(server.trainings(), 0);
    environment.write("faces/media/ana.mp4", clip("moov-first.mp4"));
    environment.run("apply -y").exits(0);
    assert_eq!(server.trainings(), 1);
    fs::remove_file(environment.path("faces/media/ana.mp4")).unwrap();
    environment.run("plan").exits(0).prints(&["No changes."]);
    // Another content is another material, wherever it lies.
    environment.write("faces/media/ana.mp4", clip("moov-last.mp4"));
    environment.run("plan").exits(0).prints(&["replace", "sha256:"]);
    environment.write("faces/media/moved.mp4", clip("moov-first.mp4"));
    environment.face_from("ana", "./media/moved.mp4", "");
    environment.run("plan").exits(0).prints(&["No changes."]);
}

#[test]
fn a_file_outside_of_the_project_is_refused_where_it_is_named() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &[]);
    environment.face_from("ana", "../../etc/passwd", "");
    environment.run("validate").exits(1).says(&["leads out of the project", "faces/ana.yaml:"]);
    environment.face_from("ana", "/etc/passwd", "");
    environment.run("validate").exits(1).says(&["./media/ana.mp4"]);
    environment.face_from("ana", "s3://acme", "");
    environment.run("validate").exits(1).says(&["names no object", "s3://BUCKET/KEY"]);
}

#[test]
fn a_rehearsal_signs_runs_and_uploads_nothing_and_trains_by_the_name() {
    let environment = Environment::project(&[]);
    environment.face_from("ana", "s3://acme-media/ana.mp4", "");
    environment.face_from("ben", "exec:no-such-program fail-training.mp4", "");
    environment.write("faces/cleo.mp4", "no video at all");
    environment.face_from("cleo", "./cleo.mp4", "");
    environment.run("apply --sandbox -y").exits(4).says(&["ben"]);
    environment.run("status --sandbox").exits(0).prints(&["Failed", "Ready"]);
    let plan = environment.run("plan --sandbox -o json").exits(0).json();
    assert!(!plan.to_string().contains("rehearsal.invalid"), "the plan names what the manifest names: {plan:#}");
}

#[test]
fn a_check_that_there_is_not_is_refused_with_those_there_are() {
    let environment = Environment::project(&["ana"]);
    for wrong in ["source", "codecs", "none"] {
        environment
            .run(&format!("plan --sandbox --skip-preflight={wrong}"))
            .exits(1)
            .says(&["credentials", "duration"]);
    }
    environment.run("plan --sandbox --skip-preflight").exits(0).prints(&["--skip-preflight"]);
    let plan = environment.run("plan --sandbox --skip-preflight=size,audio -o json").exits(0).json();
    assert_eq!(plan["skip_preflight"], serde_json::json!(["size", "audio"]));
}
