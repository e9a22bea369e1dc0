//! `exec:`: run where somebody on this machine allows it, believed for one link, and never shown.

use std::time::Duration;

use crate::case::{Case, MARKER};
use crate::parts::Parts;

const TWO_DAYS: Duration = Duration::from_secs(2 * 24 * 3600);

/// A face whose link a script prints.
fn with_script<'a>(parts: &'a Parts, script: &str) -> Case<'a> {
    let case = Case::new(parts);
    case.put("ana.mp4", &parts.clips.first);
    case.script("sign", &format!("echo ran >>own/ran\n{script}"));
    case.face("ana", "exec:own/sign 'ana 1.mp4'", "");
    case
}

const ALLOWED: [(&str, &str); 1] = [("FACECTL_ALLOW_EXEC", "own/sign *")];

pub(crate) fn a_command_that_nobody_allowed_is_not_run(parts: &Parts) {
    let case = with_script(parts, "echo https://media.example.com/x.mp4");
    let says = ["own/sign 'ana 1.mp4'` may not be run here", "--allow-exec"];
    case.run("plan").exits(0).prints(&["! ana blocked"]).prints(&says);
    case.run("apply -y").exits(5);
    case.run("validate --online").exits(1).says(&says);
    for other in ["sign *,./own/sign *,sh *", "own/sign", "own/sign ana", "own/sign 'ana 1.mp' *"] {
        case.run_with("apply -y", &[("FACECTL_ALLOW_EXEC", other)]).exits(5);
    }
    assert_eq!(case.trainings(), 0);
    assert!(!case.environment.path("own/ran").exists());
}

pub(crate) fn the_link_that_a_command_prints_is_sent_and_nothing_it_prints_is_shown(parts: &Parts) {
    let case =
        with_script(parts, &format!("env >own/env; printf '%s|' \"$@\" >own/words; echo {MARKER} >&2; cat own/link"));
    let link = parts.link(&case.key("ana.mp4"), TWO_DAYS + Duration::from_secs(600));
    case.environment.write("own/link", format!("{link}\n"));
    case.run_with("plan", &ALLOWED).exits(0).prints(&["exec:own/sign", "1 to create"]);
    let allowed = [("FACECTL_ALLOW_EXEC", "own/sign 'ana 1.mp4'"), ("GITHUB_TOKEN", "no-signer-needs-it")];
    case.run_with("apply -y", &allowed).exits(0).prints(&["1 created"]);
    assert_eq!((case.trainings(), case.links()), (1, vec![link]));
    assert_eq!(case.environment.read("own/words"), "ana 1.mp4|");
    let seen = case.environment.read("own/env");
    assert!(seen.contains("FACECTL_FACE=ana\n") && seen.contains("FACECTL_LINK_LIFETIME_SECS=173400\n"), "{seen}");
    assert!(!seen.contains("TAVUS_") && !seen.contains("FACECTL_REPORT") && !seen.contains("GITHUB_TOKEN"), "{seen}");
    // Trained, it needs the command no more.
    std::fs::remove_file(case.environment.path("own/ran")).unwrap();
    case.run("plan --expect-no-changes").exits(0).prints(&["No changes."]);
    case.run_with("apply -y", &ALLOWED).exits(0);
    assert!(!case.environment.path("own/ran").exists());
}

pub(crate) fn a_command_that_prints_anything_else_pays_nothing_and_shows_nothing(parts: &Parts) {
    let case = with_script(parts, ". own/what");
    for (what, says) in [
        (format!("echo {MARKER}; echo {MARKER} >&2; exit 3"), "it failed (exit status: 3)"),
        (format!("echo https://m.acme.dev/{MARKER}; echo https://m.acme.dev/{MARKER}"), "several lines"),
        (format!("echo http://m.acme.dev/{MARKER}"), "no link that can be used"),
        (format!("echo {MARKER}"), "no link that can be used"),
        (format!("echo s3://media-bucket/{MARKER}"), "no link that can be used"),
        (format!("echo {MARKER} >&2"), "it printed nothing"),
        ("kill -9 $$".to_owned(), "it failed (signal: 9"),
    ] {
        case.environment.write("own/what", what);
        case.run_with("apply -y", &ALLOWED).exits(5).prints(&["! ana blocked", says]);
        case.run_with("validate --online", &ALLOWED).exits(1).says(&[says]);
        assert_eq!(case.trainings(), 0, "{says}");
    }
}

pub(crate) fn a_command_that_is_not_there_is_blocked(parts: &Parts) {
    let case = Case::new(parts);
    case.face("ana", "exec:own/nothing", "");
    let run = case.run_with("apply -y", &[("FACECTL_ALLOW_EXEC", "own/nothing")]).exits(5);
    run.prints(&["! ana blocked", "cannot be started"]);
    assert_eq!(case.trainings(), 0);
}

pub(crate) fn a_link_that_ends_too_soon_is_blocked(parts: &Parts) {
    let case = with_script(parts, "cat own/link");
    case.environment.write("own/link", parts.link(&case.key("ana.mp4"), Duration::from_secs(3600)));
    case.run_with("apply -y", &ALLOWED).exits(5).prints(&["! ana blocked", "expiry", "24 hours"]);
    assert_eq!(case.trainings(), 0);
}
