//! What a look at material finds before it is paid for, and where that is shown.

use std::time::Duration;

use serde_json::Value;

use crate::case::Case;
use crate::parts::Parts;

const DAYS: Duration = Duration::from_secs(3 * 24 * 3600);

pub(crate) fn what_is_signed_here_lives_as_long_as_it_has_to(parts: &Parts) {
    let case = with_object(parts, &parts.clips.first);
    for (lifetime, seconds) in [("48h", 173_400), ("24h", 87_000), ("7d", 604_800)] {
        let run = case.run(&format!("plan --link-lifetime {lifetime}")).exits(0).prints(&["1 to create"]);
        assert_eq!(
            run.stdout.contains("expiry:"),
            lifetime == "24h",
            "it is advice, and only where it is short: {run}"
        );
        assert!(case.asked(&format!("Expires={seconds}&")).len() > 1, "{lifetime}: {:?}", case.asked("Expires"));
    }
}

/// A face of an object that brings something else than a recording.
fn with_object<'a>(parts: &'a Parts, bytes: &[u8]) -> Case<'a> {
    let case = Case::new(parts);
    case.put("ana.mp4", bytes);
    case.face("ana", &case.object("ana.mp4"), "");
    case
}

const PAGE: &[u8] = include_bytes!("../media/clips/sign-in.html");

pub(crate) fn a_page_in_place_of_the_recording_is_blocked(parts: &Parts) {
    let case = with_object(parts, PAGE);
    case.run("plan").exits(0).prints(&["! ana blocked", "page: it brings an HTML page"]);
    case.run("apply -y").exits(5);
    assert_eq!(case.trainings(), 0);
}

pub(crate) fn a_recording_that_is_too_short_is_blocked_unless_somebody_knows_better(parts: &Parts) {
    let case = with_object(parts, &parts.clips.short);
    case.run("plan").exits(0).prints(&["! ana blocked", "duration: it is 10.0", "--skip-preflight=duration"]);
    case.run("apply -y").exits(5);
    case.run("apply -y --skip-preflight=audio").exits(5);
    assert_eq!(case.trainings(), 0);
    let skipped = "not asked of training material before it is paid for (--skip-preflight): duration";
    case.run("plan --skip-preflight=duration").exits(0).prints(&["+ ana create", skipped]);
    let plan = case.run("plan --skip-preflight=duration -o json --out out/saved.json").exits(0);
    assert_eq!(plan.json()["skip_preflight"], serde_json::json!(["duration"]), "{plan}");
    let saved: Value = serde_json::from_str(&case.environment.read("out/saved.json")).unwrap();
    assert!(saved.to_string().contains("\"skip_preflight\":[\"duration\"]"), "{saved}");
    // What was approved is what is done: the wish is in the plan, and needs not be said again.
    case.run("apply out/saved.json").exits(0).prints(&["1 created"]);
    assert_eq!(case.trainings(), 1);
    case.run("plan --expect-no-changes").exits(0);
}

pub(crate) fn without_any_look_a_link_is_made_and_nothing_is_fetched(parts: &Parts) {
    let case = with_object(parts, PAGE);
    case.run("plan --skip-preflight").exits(0).prints(&["+ ana create", "training material is not looked at"]);
    case.run("apply -y --skip-preflight").exits(0);
    assert_eq!(case.trainings(), 1);
    assert!(case.asked("").iter().all(|asked| asked.method == "HEAD"), "{:?}", case.asked(""));
}

pub(crate) fn temporary_credentials_that_the_store_refuses_pay_nothing(parts: &Parts) {
    let case = with_object(parts, &parts.clips.first);
    case.hush("session-hush");
    let session = [("AWS_SESSION_TOKEN", "session-hush")];
    case.run_with("apply -y", &session).exits(5).prints(&["! ana blocked", "the store refuses it"]);
    case.run_with("apply -y --skip-preflight", &session).exits(5);
    assert_eq!(case.trainings(), 0);
}

pub(crate) fn a_link_with_temporary_credentials_is_blocked_by_a_check_of_its_own(parts: &Parts) {
    let case = Case::new(parts);
    case.put("ana.mp4", &parts.clips.first);
    let link = parts.link(&case.key("ana.mp4"), DAYS);
    case.hush("session-hush");
    // The store looks at no token here; what the link says of itself is what counts.
    case.script("sign", &format!("echo '{link}&X-Amz-Security-Token=session-hush'"));
    case.face("ana", "exec:own/sign", "");
    let allowed = [("FACECTL_ALLOW_EXEC", "own/sign")];
    let run = case.run_with("apply -y", &allowed).exits(5);
    run.prints(&["! ana blocked", "credentials:", "--skip-preflight=credentials"]);
    // As far as the store goes: the signature does not cover what was added here.
    let run = case.run_with("apply -y --skip-preflight=credentials", &allowed).exits(5);
    assert!(!run.stdout.contains("credentials:") && run.stdout.contains("reachable:"), "{run}");
    assert_eq!(case.trainings(), 0);
}

pub(crate) fn validate_online_shows_each_problem_at_its_place(parts: &Parts) {
    let case = with_object(parts, &parts.clips.short);
    case.face("bruno", &case.object("nobody.mp4"), "");
    case.face_of_object("carla", "");
    let run = case.run("validate --online").exits(1);
    run.says(&["faces/ana.yaml:6:20", "it is 10.0", "faces/bruno.yaml:6:20", "nobody.mp4: there is no such"]);
    let run = case.run("validate --online -o json").exits(1);
    assert!(run.stdout.contains("faces/ana.yaml"), "{run}");
    // What is signed here lives as long as it had better.
    assert!(!run.stdout.contains("expiry"), "{run}");
    case.run("validate").exits(0);
    // Without its source nothing can be sent, so that question cannot be left out by itself.
    let run = case.run("validate --online --skip-preflight=duration").exits(1);
    run.says(&["nobody.mp4"]).hides(&["it is 10.0"]);
    case.run("validate --online --skip-preflight=source").exits(1);
    case.run("validate --online --skip-preflight").exits(0);
    assert_eq!(case.server.requests("list"), 0, "the API is not asked");
}

pub(crate) fn inspect_shows_an_object_a_file_and_a_link(parts: &Parts) {
    let case = with_object(parts, &parts.clips.first);
    let object = case.object("ana.mp4");
    let link = parts.link(&case.key("ana.mp4"), DAYS);
    case.environment.write("ana.mp4", &parts.clips.first);
    case.environment.write("short.mp4", &parts.clips.short);
    for source in [object.as_str(), "ana.mp4", &link] {
        let shown = ["MP4", "H.264", "65.0 s", "160 x 90", "Nothing stops a training"];
        case.run(&format!("media inspect {source}")).exits(0).prints(&shown);
        let value = case.run(&format!("media inspect {source} -o json")).exits(0).json();
        let one = &value["materials"][0];
        assert_eq!((&one["usable"], &one["facts"]["duration_seconds"]), (&true.into(), &65.0.into()), "{value}");
        assert_eq!(one["revision"].is_null(), source != object, "{value}");
    }
    let run = case.run(&format!("media inspect short.mp4 {object}")).exits(1);
    run.prints(&["error: duration", "would fail", "Nothing stops"]);
    let missing = case.object("nobody.mp4");
    case.run(&format!("media inspect {missing}")).exits(1).prints(&["there is no such object"]);
}
