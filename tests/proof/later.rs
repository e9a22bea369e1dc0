//! The kill points of what comes after a first training: a replacement, with PALs that use the face meanwhile, and a
//! deletion. Judged by the sandbox's ledger, its listing and its PALs.

use std::collections::BTreeSet;
use std::fs;

use serde_json::json;

use crate::case::{Verdict, by_key, ensure, is_full, judge_all, locked, run, tell};
use crate::environment::Environment;
use crate::server::Server;

/// It waits, and trainings take part of a second.
const APPLY: &str = "apply -y --settle-window 1s --request-timeout 1s";
const PRUNE: &str = "apply -y --settle-window 1s --request-timeout 1s --prune";

const MOMENTS: &[&str] = &["before-write", "unflushed", "between", "written"];
/// What only all of it plays, besides every moment of every step.
const ON_THE_WAY: &[&str] = &["create.before-send", "create.mid-body", "update.before-send", "switch.pal-done@2"];
/// Points of a replacement that the ordinary suite plays.
const OF_A_REPLACEMENT: &[&str] = &[
    "begun.between",
    "create.sent",
    "create.answered",
    "settled.before-write",
    "settled.between",
    "update.answered",
    "switch.before-pal",
    "switch.before-pal@2",
    "switch.pal-done",
    "pal-repointed.unflushed",
    "pal-repointed.between@2",
    "switch.before-record",
    "replaced.before-write",
    "replaced.unflushed",
    "replaced.between",
    "replaced.written",
];
const OF_A_DELETION: &[&str] = &[
    "delete.before-send",
    "delete.answered",
    "deleted.before-write",
    "deleted.unflushed",
    "deleted.between",
    "deleted.written",
];

fn replacement_points() -> BTreeSet<String> {
    let mut points: BTreeSet<String> = OF_A_REPLACEMENT.iter().map(ToString::to_string).collect();
    if is_full() {
        points.extend(ON_THE_WAY.iter().map(ToString::to_string));
        for step in ["begun", "settled", "updated", "pal-repointed", "replaced"] {
            points.extend(MOMENTS.iter().map(|moment| format!("{step}.{moment}")));
        }
    }
    points
}

/// A face that two PALs use, and another one that one uses. The first one's inputs have changed.
fn changed(server: &Server) -> Result<(Environment, String), String> {
    let environment = Environment::against(server, &["ana", "bruno"]);
    run(&environment, server, APPLY)?;
    let known = locked(&environment);
    for face in ["ana", "ana", "bruno"] {
        server.add_pal(face, &known[face]);
    }
    environment.face("ana", "  training_version: \"2\"\n");
    Ok((environment, known["ana"].clone()))
}

/// No PAL uses a face that is missing or not finished.
fn every_pal_works(server: &Server) -> Verdict {
    let living = server.living();
    for used in [server.used_by("ana"), server.used_by("bruno")].concat() {
        ensure(living.contains(&used), || format!("a PAL uses {used}, which is gone"))?;
        let status = server.face(&used)["status"].clone();
        ensure(status == "completed", || format!("a PAL uses {used}, which is {status}"))?;
    }
    Ok(())
}

fn is_replaced(environment: &Environment, server: &Server, old: &str) -> Verdict {
    every_pal_works(server)?;
    let ids = by_key(server)["ana"].clone();
    ensure(ids.len() == 2 && ids[0] == old, || format!("paid for: {ids:?}, the first was {old}"))?;
    let known = locked(environment);
    ensure(known["ana"] == ids[1], || format!("recorded is {known:?}, made were {ids:?}"))?;
    ensure(environment.read("facectl.lock.yaml").contains(old), || format!("{old} is lost from the record"))?;
    ensure(server.living().contains(&ids[0]), || format!("{old} was deleted"))?;
    let used = server.used_by("ana");
    ensure(used.iter().all(|face| *face == ids[1]), || format!("the PALs use {used:?}, not {}", ids[1]))?;
    ensure(server.used_by("bruno") == [known["bruno"].clone()], || "another face's PAL was touched".to_owned())?;
    let plan = environment.run("plan");
    ensure(plan.code == Some(0) && plan.stdout.contains("No changes."), || format!("left to do: {plan}"))
}

fn dies_replacing(points: &[&str]) -> Verdict {
    let server = Server::fast(&[]);
    let (mut environment, old) = changed(&server)?;
    for (number, point) in points.iter().enumerate() {
        environment = environment.with("FACECTL_KILL_AT", point);
        let died = run(&environment, &server, APPLY)?;
        ensure(died.code.is_none() || number > 0, || format!("nobody died: {died}"))?;
        every_pal_works(&server)?;
        let living = server.living();
        ensure(living.contains(&old), || format!("{old} is gone"))?;
    }
    let environment = environment.without("FACECTL_KILL_AT");
    let mut last = run(&environment, &server, APPLY)?;
    if last.code != Some(0) {
        last = run(&environment, &server, APPLY)?;
    }
    ensure(last.code == Some(0), || format!("it does not end well: {last}"))?;
    is_replaced(&environment, &server, &old)
}

#[test]
fn a_death_at_any_point_of_a_replacement_is_paid_for_once_and_every_pal_works_at_every_moment() {
    let mut cases: Vec<Vec<String>> = replacement_points().into_iter().map(|point| vec![point]).collect();
    let seconds: &[&str] = match is_full() {
        true => OF_A_REPLACEMENT,
        false => &["switch.pal-done", "replaced.between"],
    };
    cases.extend(seconds.iter().map(|second| vec!["create.sent".to_owned(), (*second).to_owned()]));
    let wrong = judge_all(&cases, |points| {
        let points: Vec<&str> = points.iter().map(String::as_str).collect();
        dies_replacing(&points).map_err(|why| format!("death at {points:?}: {why}"))
    });
    tell(&format!("replacements: {} cases, {} wrong", cases.len(), wrong.len()));
    assert!(wrong.is_empty(), "{}", wrong.join("\n---\n"));
}

#[test]
fn whatever_the_server_does_with_a_pal_it_works_at_every_moment_and_the_next_run_goes_on() {
    // Which request to the PALs it is that goes wrong: listing, patch, or the look afterwards.
    let faults = [
        "drop-after-effect",
        "drop-before-effect",
        "502",
        "502;after-effect",
        "html200",
        "truncate",
        "409",
        "429;retry-after=0",
    ];
    let places = if is_full() { 1..=9 } else { 3..=4 };
    let cases: Vec<String> =
        places.flat_map(|place| faults.iter().map(move |fault| format!("pals@{place}:{fault}"))).collect();
    let wrong = judge_all(&cases, |fault| {
        let server = Server::fast(&[]);
        let (environment, old) = changed(&server)?;
        server.faults(&[fault]);
        run(&environment, &server, APPLY)?;
        // The judge's own look at the PALs must not meet it.
        server.faults(&[]);
        every_pal_works(&server)?;
        let last = run(&environment, &server, APPLY)?;
        ensure(last.code == Some(0), || format!("{fault}: it does not end well: {last}"))?;
        is_replaced(&environment, &server, &old).map_err(|why| format!("{fault}: {why}"))
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n---\n"));
}

#[test]
fn a_death_at_any_point_of_a_deletion_deletes_only_what_was_to_go() {
    let wrong = judge_all(OF_A_DELETION, |point| {
        let server = Server::fast(&[]);
        let environment = Environment::against(&server, &["ana"]);
        environment.face("bruno", "  lifecycle: { on_removal: delete }\n");
        run(&environment, &server, APPLY)?;
        let known = locked(&environment);
        fs::remove_file(environment.path("faces/bruno.yaml")).unwrap();
        let environment = environment.with("FACECTL_KILL_AT", point);
        let died = run(&environment, &server, PRUNE)?;
        ensure(died.code.is_none(), || format!("nobody died at {point}: {died}"))?;
        let environment = environment.without("FACECTL_KILL_AT");
        // Without the flag nothing more goes, and nothing that lives is forgotten.
        let living = server.living();
        let idle = run(&environment, &server, APPLY)?;
        ensure(idle.code == Some(0) && server.living() == living, || format!("death at {point}: {idle}"))?;
        let is_known = locked(&environment).contains_key("bruno");
        ensure(is_known == living.contains(&known["bruno"]), || format!("death at {point}: {living:?}, {idle}"))?;
        let last = run(&environment, &server, PRUNE)?;
        ensure(last.code == Some(0), || format!("death at {point}: {last}"))?;
        ensure(server.living() == [known["ana"].clone()], || {
            format!("death at {point}: left are {:?}", server.living())
        })?;
        ensure(locked(&environment).len() == 1, || format!("death at {point}: {:?}", locked(&environment)))?;
        ensure(server.trainings() == 2, || format!("death at {point}: {:?}", by_key(&server)))
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n---\n"));
}

#[test]
fn the_tests_above_can_fail_a_pal_of_a_missing_or_unfinished_face_is_noticed() {
    let server = Server::slow(&[]);
    let fine = server.add_faces(1, "face").remove(0);
    server.add_pal("ana", &fine);
    assert_eq!(every_pal_works(&server), Ok(()));
    let environment = Environment::against(&server, &["carla"]);
    environment.run("apply -y --no-wait").exits(0);
    let unfinished = server.add_pal("bruno", &locked(&environment)["carla"]);
    assert!(every_pal_works(&server).unwrap_err().contains("started"), "{unfinished}");
    server.alter(&fine, &json!({ "removed": true }));
    assert!(every_pal_works(&server).unwrap_err().contains("which is gone"));
}
