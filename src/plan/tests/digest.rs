//! What a plan is recognised by: all that is done and what it stands on, and nothing that moves by itself.

use std::time::Duration;

use super::world::{World, id, key, noon};
use crate::face::{Coverage, OnRemoval, Progress, TrainingStatus};
use crate::plan::{ExpectedDigest, PlanDigest};

fn digest(world: &World) -> PlanDigest {
    world.plan().digest()
}

/// One face for each thing that can be planned.
fn busy() -> World {
    let mut world = World::agreeing().declared("ana").face("bea").training("cho").failed("dan").face("eva").face("fay");
    world.wants("bea").face_name = "Bea (Support)".parse().unwrap();
    world.undeclare("eva");
    world.vanish("fay");
    world.declared("gus").bearer("r-gus", "gus", 1).declared("hal").in_doubt("hal", 1).stray("r-foreign", "Other")
}

/// A step of a training, in a world.
type Change = fn(&mut World);

#[test]
fn what_moves_by_itself_is_no_part_of_it() {
    let changes: [(&str, Change); 9] = [
        ("an hour passes", |world| world.observed.at = noon() + Duration::from_secs(3600)),
        ("another machine has a state of its own", |world| world.recorded.lineage = "another".to_owned()),
        ("a commit that changes no face", |world| world.recorded.serial += 5),
        ("a training advances", |world| world.live("cho").progress = Some(Progress { done: 40, total: 100 })),
        ("a training ends", |world| world.live("cho").status = TrainingStatus::Ready),
        ("it was seen usable", |world| world.record("cho").seen_usable = true),
        ("somebody else has one face more", |world| *world = world.clone().stray("r-more", "More")),
        ("a manifest moves to another line", |world| {
            world.desired.faces.get_mut(&key("ana")).unwrap().origin.line = 99;
        }),
        ("a link is signed anew", |world| {
            let signed = super::world::link("https://media.example.com/ana.mp4?X-Amz-Signature=another");
            world.wants("ana").training = Some(crate::face::TrainingInput::Video { source: signed.into() });
        }),
    ];
    for (why, change) in changes {
        let mut world = busy();
        change(&mut world);
        assert_eq!(digest(&world), digest(&busy()), "{why}");
    }
}

#[test]
fn whatever_makes_apply_do_or_refuse_something_else_is_a_part_of_it() {
    let changes: [(&str, Change); 16] = [
        ("the manifests", |world| world.desired.digest = "another".to_owned()),
        ("the project", |world| world.desired.project = "other".parse().unwrap()),
        ("what is created", |world| world.retrain("ana")),
        ("the name it is created under", |world| world.wants("ana").face_name = "Anna".parse().unwrap()),
        ("where it reports to", |world| {
            world.wants("ana").callback_url = Some(super::world::link("https://hooks.example.com/x"));
        }),
        ("the voice it is created with", |world| world.wants("ana").default_voice = Some("v1".parse().unwrap())),
        ("one face less", |world| world.undeclare("ana")),
        ("the name that is replaced", |world| world.live("bea").name = Some("By hand".to_owned())),
        ("a face that needed nothing is gone", |world| world.vanish("cho")),
        ("a face is another one", |world| {
            world.record("cho").id = id("r-other");
            world
                .observed
                .faces
                .insert(id("r-other"), super::world::live("r-other", "Cho", TrainingStatus::Ready, noon()));
        }),
        ("the face that is adopted", |world| {
            world.observed.faces.remove(&id("r-gus"));
            *world = world.clone().bearer("r-gus-2", "gus", 1);
        }),
        ("a create that is not in doubt any more", |world| world.recorded.open.clear()),
        ("a limit", |world| world.policy.max_trainings = Some(7)),
        ("a limit that is broken", |world| world.policy.max_trainings = Some(0)),
        ("a flag", |world| world.policy.adopt_by_name = true),
        ("a part of the project", |world| world.policy.selection.targets = vec!["*".parse().unwrap()]),
    ];
    let mut seen = vec![("nothing", digest(&busy()))];
    for (why, change) in changes {
        let mut world = busy();
        change(&mut world);
        let digest = digest(&world);
        assert!(seen.iter().all(|(_, other)| *other != digest), "{why}: as {seen:?}");
        seen.push((why, digest));
    }
    let mut world = busy();
    world.observed.coverage = Coverage::Partial("1 row is missing".to_owned());
    assert_ne!(digest(&world), digest(&busy()), "what a listing proves");
}

#[test]
fn the_plan_of_each_face_has_one_of_its_own() {
    let mut world = busy();
    let before = world.plan().face_digests();
    world.wants("bea").face_name = "Bea".parse().unwrap();
    let after = world.plan().face_digests();
    let moved: Vec<String> = before
        .iter()
        .filter(|(key, digest)| after.get(*key) != Some(*digest))
        .map(|(key, _)| key.to_string())
        .collect();
    assert_eq!(moved, ["bea"]);
}

#[test]
fn it_is_pasted_whole_or_short_and_never_cut() {
    let digest = digest(&busy());
    let (whole, short) = (digest.to_string(), digest.short());
    assert_eq!((whole.len(), short.len()), (64, 39));
    for text in [whole.clone(), short.clone(), short.replace('-', ""), short.to_uppercase(), format!(" {short}\n")] {
        assert!(text.parse::<ExpectedDigest>().unwrap().is_met_by(digest), "{text}");
    }
    let other = World::agreeing().plan().digest();
    assert!(!short.parse::<ExpectedDigest>().unwrap().is_met_by(other));
    for text in ["", "1a2b", &whole[..63], &short[..34], &"g".repeat(64), &format!("{whole}0")] {
        assert!(text.parse::<ExpectedDigest>().is_err(), "{text:?}");
    }
}

#[test]
fn what_is_deleted_and_what_takes_whose_place_is_a_part_of_it() {
    let left = super::retire::prunable();
    let mut kept = left.clone();
    kept.policy.prune = false;
    let mut hard = left.clone();
    hard.record("rio").on_removal = OnRemoval::HardDelete;
    let before = super::retire::replaced();
    let mut both = before.clone();
    both.lifecycle("rio").on_removal = OnRemoval::Retain;
    let ready = super::replace::beside(TrainingStatus::Ready);
    let used = ready.clone().pal("p1", "r-rio");
    let training = super::replace::beside(TrainingStatus::Training);
    let all = [left, kept, hard, before, both, ready, used, training];
    let digests: Vec<PlanDigest> = all.iter().map(digest).collect();
    let distinct: std::collections::BTreeSet<&PlanDigest> = digests.iter().collect();
    assert_eq!(distinct.len(), digests.len(), "{digests:#?}");
}

#[test]
fn the_version_that_is_trained_from_is_a_part_of_it_and_what_a_look_found_is_not() {
    let mut world = World::agreeing().object("rio");
    let at_rest = digest(&world);
    world.lies("rio", "v2");
    let second = digest(&world);
    world.found("rio", vec![super::material::advice()]);
    assert_eq!(digest(&world), second, "advice stops nothing");
    world.lies("rio", "v3");
    let third = digest(&world);
    world.lifecycle("rio").on_source_change = crate::face::OnSourceChange::Report;
    assert_eq!(
        digest(&world),
        at_rest,
        "what is told and not done is none of it; the manifest has its say by its digest"
    );
    world.lifecycle("rio").on_source_change = crate::face::OnSourceChange::Retrain;
    world.found("rio", vec![super::material::error()]);
    let blocked = digest(&world);
    let distinct = std::collections::BTreeSet::from([at_rest, second, third, blocked]);
    assert_eq!(distinct.len(), 4);
    let mut new = World::agreeing().declared("rio");
    new.wants("rio").training = Some(super::world::from_object("rio"));
    let unknown = digest(&new);
    new.lies("rio", "v1");
    assert_ne!(digest(&new), unknown, "an approval is for the version that lay there");
}

#[test]
fn checks_that_are_skipped_are_a_part_of_it_and_none_is_what_it_always_was() {
    let mut world = busy();
    let mut seen = vec![digest(&world)];
    for check in [crate::face::Check::Size, crate::face::Check::Codec] {
        world.policy.skip_preflight.insert(check);
        let digest = digest(&world);
        assert!(!seen.contains(&digest), "{check}");
        seen.push(digest);
    }
    world.policy.skip_preflight.clear();
    assert_eq!(digest(&world), seen[0]);
}

#[test]
fn what_may_go_some_day_and_stays_today_is_no_part_of_it() {
    let mut world = super::retire::replaced();
    world.policy.prune = false;
    let mut later = world.clone();
    later.observed.at = noon() + Duration::from_secs(400 * 86_400);
    assert_eq!(digest(&world), digest(&later));
    // With --prune it goes once its time has come, which nobody has approved before.
    world.policy.prune = true;
    world.lifecycle("rio").retire_after = jiff::SignedDuration::from_hours(100 * 24);
    let mut later = world.clone();
    later.observed.at = noon() + Duration::from_secs(400 * 86_400);
    assert_ne!(digest(&world), digest(&later));
}
