//! Objects: signed when they are sent, looked at before, and noticed when they change.

use std::time::Duration;

use crate::case::{Case, fetch};
use crate::parts::{BUCKET, Parts};

const RETRAIN: &str = "  lifecycle: { on_source_change: retrain }\n";

pub(crate) fn an_object_is_signed_at_the_create_and_its_link_works_and_lives_two_days(parts: &Parts) {
    let case = Case::new(parts);
    case.face_of_object("ana", "");
    case.run("apply -y").exits(0).prints(&["1 created"]);
    assert_eq!(case.trainings(), 1);
    let links = case.links();
    assert_eq!(links.len(), 1);
    let link = &links[0];
    assert!(link.contains("&X-Amz-Expires=172800&"), "{link}");
    assert_eq!(fetch(parts, link), (200, parts.clips.first.clone()));
    let other = link.replace("172800", "172801");
    assert_eq!(fetch(parts, &other).0, 403, "the store does look at signatures");
    case.run("plan --expect-no-changes").exits(0).prints(&["No changes."]);
}

pub(crate) fn what_is_written_and_shown_holds_the_stable_name_and_no_signature(parts: &Parts) {
    let case = Case::new(parts);
    case.face_of_object("ana", "");
    let name = case.object("ana.mp4");
    case.run("plan").exits(0).prints(&[&name]);
    let plan = case.run("plan -o json --out out/saved.json").exits(0);
    assert!(plan.stdout.contains(&name), "{plan}");
    assert!(case.text_of("saved.json").contains(&name));
    // The signature is made anew for each run, and each run's output was searched for all that the store saw.
    case.run("apply out/saved.json").exits(0);
    for (file, is_named) in [
        ("facectl.lock.yaml", true),
        (".facectl/snapshot", true),
        (".facectl/db", true),
        (".facectl/history.log", false),
        ("events.jsonl", false),
        ("report.", false),
    ] {
        let text = case.text_of(file);
        assert!(!text.is_empty() && !text.contains("X-Amz-"), "{file}: {text}");
        assert!(text.contains(&name) || !is_named, "{file}: {text}");
    }
    for line in
        ["status -o json", "diff", "drift -o json", "state show ana", "state pull", "history", "plan -o markdown"]
    {
        case.run(line);
    }
    assert_eq!(case.trainings(), 1);
}

pub(crate) fn a_missing_object_is_blocked_by_name_and_nothing_is_paid(parts: &Parts) {
    let case = Case::new(parts);
    case.face("ana", &case.object("nobody.mp4"), "");
    let says = [&format!("{}: there is no such object", case.object("nobody.mp4")), "under this very name"];
    case.run("plan").exits(0).prints(&says).prints(&["1 blocked"]);
    case.run("apply -y").exits(5).prints(&says).says(&["nothing was done about: ana"]);
    assert_eq!((case.trainings(), case.links().len()), (0, 0));
    // Put there after all, it is trained from.
    case.put("nobody.mp4", &parts.clips.first);
    case.run("apply -y").exits(0).prints(&["1 created"]);
    assert_eq!(case.trainings(), 1);
}

pub(crate) fn a_wrong_secret_key_is_blocked_with_what_is_needed(parts: &Parts) {
    let case = Case::new(parts);
    case.face_of_object("ana", "");
    case.hush("wrong-key-hush");
    let wrong = [("AWS_SECRET_ACCESS_KEY", "wrong-key-hush")];
    let says = ["the store refuses it", "s3:GetObject", "AWS_REGION must be the bucket's"];
    case.run_with("plan", &wrong).exits(0).prints(&says);
    case.run_with("apply -y", &wrong).exits(5).prints(&says).says(&["nothing was done about: ana"]);
    assert_eq!(case.trainings(), 0);
}

pub(crate) fn an_object_that_was_replaced_is_reported_and_nothing_else_happens(parts: &Parts) {
    let case = Case::new(parts);
    case.face_of_object("ana", "");
    case.run("apply -y").exits(0);
    case.put("ana.mp4", &parts.clips.second);
    case.run("plan").exits(0).prints(&["source changed", &case.object("ana.mp4")]);
    case.run("plan --expect-no-changes").exits(0);
    case.run("apply -y").exits(0);
    assert_eq!(case.trainings(), 1);
    // The first version again is what it was trained from.
    case.put("ana.mp4", &parts.clips.first);
    let run = case.run("plan").exits(0);
    assert!(!run.stdout.contains("source changed"), "{run}");
}
