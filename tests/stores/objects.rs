//! Objects: signed when they are sent, looked at before, and noticed when they change.

use crate::case::{Case, fetch};
use crate::parts::Parts;

const RETRAIN: &str = "  lifecycle: { on_source_change: retrain }\n";

pub(crate) fn an_object_is_signed_at_the_create_and_its_link_works_and_lives_two_days(parts: &Parts) {
    let case = Case::new(parts);
    case.face_of_object("ana", "");
    case.run("apply -y").exits(0).prints(&["1 created"]);
    assert_eq!(case.trainings(), 1);
    let links = case.links();
    assert_eq!(links.len(), 1);
    let link = &links[0];
    // Ten minutes more than two days: so long it may take from the signature to the create.
    assert!(link.contains("&X-Amz-Expires=173400&"), "{link}");
    assert_eq!(fetch(parts, link), (200, parts.clips.first.clone()));
    let other = link.replace("173400", "173401");
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

pub(crate) fn an_object_that_is_gone_after_its_training_is_told_and_counts_as_unchanged(parts: &Parts) {
    let case = Case::new(parts);
    case.face_of_object("ana", RETRAIN);
    case.run("apply -y").exits(0);
    parts.delete(&case.key("ana.mp4"));
    let run = case.run("plan --expect-no-changes").exits(0).prints(&["No changes."]);
    run.says(&["could not be found out", "It counts as unchanged"]);
    case.run("apply -y").exits(0);
    assert_eq!(case.trainings(), 1);
}

pub(crate) fn with_retrain_a_replaced_object_is_a_replacement_once(parts: &Parts) {
    let case = Case::new(parts);
    case.face_of_object("ana", RETRAIN);
    case.run("apply -y").exits(0);
    case.run("plan --expect-no-changes").exits(0);
    case.put("ana.mp4", &parts.clips.second);
    case.run("plan").exits(0).prints(&["-/+ ana replace", &case.object("ana.mp4"), "1 paid training"]);
    case.run("apply -y").exits(0).prints(&["1 created"]);
    assert_eq!(case.trainings(), 2);
    assert_eq!(fetch(parts, &case.links()[1]).1, parts.clips.second);
    case.run("plan --expect-no-changes").exits(0).prints(&["No changes."]);
    case.run("apply -y").exits(0);
    assert_eq!(case.trainings(), 2);
}

/// What is left on the disk of whoever plans next.
#[derive(Clone, Copy, PartialEq)]
enum Left {
    All,
    LockFile,
    Nothing,
}

/// A face whose object was replaced, and which is trained anew at the moment.
fn training_anew(parts: &Parts) -> Case<'_> {
    let case = Case::slow(parts);
    case.face_of_object("ana", RETRAIN);
    case.run("apply -y --no-wait").exits(0).prints(&["1 created"]);
    case.hours_pass(10);
    case.run("wait").exits(0);
    case.put("ana.mp4", &parts.clips.second);
    case.run("apply -y --no-wait").exits(0).prints(&["1 created"]);
    assert_eq!(case.trainings(), 2);
    case
}

fn the_first_version_comes_back(parts: &Parts, left: Left) {
    let case = training_anew(parts);
    case.put("ana.mp4", &parts.clips.first);
    if left != Left::All {
        case.lose_the_state(left == Left::Nothing);
    }
    // Whatever a machine knows: what was paid for twice is not paid for a third time.
    for _ in 0..2 {
        let plan = case.run("plan").exits(0);
        assert!(!plan.stdout.contains("paid training"), "{plan}");
        case.run("apply -y --no-wait");
        case.hours_pass(10);
        case.run("wait");
    }
    let run = case.run("plan").exits(0);
    assert_eq!(case.trainings(), 2, "{run}");
    assert_eq!(case.server.living().len(), 2, "nothing is deleted: {run}");
    if left != Left::Nothing {
        run.prints(&["No changes."]);
    }
}

pub(crate) fn the_first_version_put_back_while_the_second_trains_buys_nothing(parts: &Parts) {
    the_first_version_comes_back(parts, Left::All);
}

pub(crate) fn the_first_version_put_back_is_bought_by_no_checkout_that_has_the_lock_file(parts: &Parts) {
    the_first_version_comes_back(parts, Left::LockFile);
}

pub(crate) fn the_first_version_put_back_is_bought_by_no_empty_disk(parts: &Parts) {
    the_first_version_comes_back(parts, Left::Nothing);
}

pub(crate) fn a_checkout_with_the_lock_file_knows_the_version_and_one_without_buys_nothing(parts: &Parts) {
    let case = Case::new(parts);
    case.face_of_object("ana", RETRAIN);
    case.run("apply -y").exits(0);
    case.lose_the_state(false);
    case.run("plan --expect-no-changes").exits(0).prints(&["No changes."]);
    case.put("ana.mp4", &parts.clips.second);
    case.run("plan").exits(0).prints(&["-/+ ana replace"]);
    case.lose_the_state(true);
    case.run("apply -y").prints(&["ana"]);
    assert_eq!(case.trainings(), 1);
}

pub(crate) fn a_replaced_object_refuses_a_saved_plan(parts: &Parts) {
    let case = Case::new(parts);
    case.face_of_object("ana", RETRAIN);
    case.run("plan --out out/saved.json").exits(0).prints(&["1 to create"]);
    case.put("ana.mp4", &parts.clips.second);
    case.run("apply out/saved.json").exits(5).says(&["nothing was sent"]);
    assert_eq!((case.trainings(), case.links().len()), (0, 0));
    case.run("plan --out out/saved.json").exits(0);
    case.run("apply out/saved.json").exits(0).prints(&["1 created"]);
    case.run("apply out/saved.json");
    assert_eq!(case.trainings(), 1);
    // The same for one that replaces a face.
    case.put("ana.mp4", &parts.clips.first);
    case.run("plan --out out/saved.json").exits(0).prints(&["1 to replace"]);
    case.put("ana.mp4", &parts.clips.second);
    case.run("apply out/saved.json").exits(5);
    assert_eq!(case.trainings(), 1);
}

pub(crate) fn an_object_that_is_replaced_just_before_its_create_is_not_paid_for(parts: &Parts) {
    let case = Case::slow(parts);
    case.face_of_object("ana", "");
    case.face_of_object("bruno", "");
    case.server.faults(&["create@1:slow=1s"]);
    let mut run = case.spawn("apply -y --no-wait --create-parallelism 1");
    run.until("the first create arrived", || case.trainings() == 1);
    case.put("bruno.mp4", &parts.clips.second);
    let run = run.end();
    case.assert_nothing_secret(&run);
    let run = run.exits(5);
    run.prints(&["1 created", "is another object now", "plan again"]);
    assert_eq!((case.trainings(), case.links().len()), (1, 1));
    case.run("apply -y --no-wait").exits(0).prints(&["1 created"]);
    assert_eq!(fetch(parts, &case.links()[1]).1, parts.clips.second);
}

pub(crate) fn a_postponed_create_is_sent_again_with_a_link_of_its_own(parts: &Parts) {
    let case = Case::new(parts);
    case.face_of_object("ana", "");
    case.server.faults(&["create@1:429;retry-after=1"]);
    case.run("apply -y").exits(0).prints(&["1 created"]);
    let links = case.links();
    assert_eq!((case.trainings(), links.len()), (1, 2));
    assert_ne!(links[0], links[1]);
    assert_eq!(fetch(parts, &links[1]).0, 200);
}

pub(crate) fn a_create_whose_answer_was_lost_is_found_again_with_its_version(parts: &Parts) {
    let case = Case::new(parts);
    case.face_of_object("ana", RETRAIN);
    case.server.faults(&["create@1:drop-after-effect"]);
    case.run("apply -y").exits(0);
    case.run("plan --expect-no-changes").exits(0).prints(&["No changes."]);
    assert_eq!((case.trainings(), case.links().len()), (1, 1));
    case.put("ana.mp4", &parts.clips.second);
    case.run("plan").exits(0).prints(&["-/+ ana replace"]);
    // Killed while the answer to the second is under way.
    case.server.faults(&["create@1:hang"]);
    let mut run = case.spawn("apply -y");
    run.until("the create arrived", || case.trainings() == 2);
    run.signal("KILL");
    case.assert_nothing_secret(&run.end());
    case.run("apply -y").exits(0);
    case.run("plan --expect-no-changes").exits(0).prints(&["No changes."]);
    assert_eq!((case.trainings(), case.links().len()), (2, 2));
}

pub(crate) fn what_a_killed_create_was_made_from_is_known_afterwards(parts: &Parts) {
    for (point, is_sent) in [
        ("begun.unflushed", false),
        ("begun.written", false),
        ("create.before-send", false),
        ("create.sent", true),
        ("create.answered", true),
        ("settled.unflushed", true),
    ] {
        let case = Case::new(parts);
        case.face_of_object("ana", "");
        let killed = case.run_with("apply -y", &[("FACECTL_KILL_AT", point)]);
        assert_eq!(killed.code, None, "{point}: {killed}");
        case.put("ana.mp4", &parts.clips.second);
        // So long a request may still be under way, which is waited for.
        let run = case.run("apply -y --request-timeout 2s").exits(0);
        assert_eq!((case.trainings(), case.links().len()), (1, 1), "{point}: {run}");
        let plan = case.run("plan").exits(0);
        assert_eq!(plan.stdout.contains("source changed"), is_sent, "{point}: {plan}");
    }
}

pub(crate) fn names_that_need_encoding_are_signed_as_they_are(parts: &Parts) {
    let case = Case::new(parts);
    for (face, name) in [("ana", "take 1 (final)/Añã+ü&=.mp4"), ("bruno", "100%25/b'~*.mp4")] {
        case.put(name, &parts.clips.first);
        case.face(face, &case.object(name), "");
    }
    case.run("apply -y").exits(0).prints(&["2 created"]);
    for link in case.links() {
        assert_eq!(fetch(parts, &link).0, 200, "{link}");
    }
    case.run("plan --expect-no-changes").exits(0);
}

pub(crate) fn a_store_that_cannot_be_reached_is_blocked_and_an_existing_face_is_left_alone(parts: &Parts) {
    let case = Case::new(parts);
    case.face_of_object("ana", RETRAIN);
    case.run("apply -y").exits(0);
    case.face_of_object("bruno", "");
    let nowhere = [("AWS_ENDPOINT_URL_S3", "https://nowhere.test-store.dev")];
    let run = case.run_with("plan", &nowhere).exits(0).prints(&["! bruno blocked", "no usable answer"]);
    run.says(&["could not be found out", "It counts as unchanged"]);
    assert_eq!(case.trainings(), 1);
}
