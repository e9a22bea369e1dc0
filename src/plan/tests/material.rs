//! Training material that is named where it lies: which version of an object a face was made from, what a look at it
//! found, and what is not known.

use insta::assert_snapshot;

use super::table::adopt;
use super::world::{World, from_object, id, key, revision};
use crate::face::{
    Certainty, Check, FileContent, Finding, Naming, OnFailed, OnMissing, OnRemoval, OnSourceChange, SourceFile,
    TrainedFrom, TrainingInput, TrainingSource, TrainingStatus,
};
use crate::plan::{Action, Block, Create, Fate, Keep, Plan, Reason, needs_revision};

/// A face whose object was overwritten.
fn overwritten() -> World {
    let mut world = World::agreeing().object("rio");
    world.lies("rio", "v2");
    world
}

/// A face with the new one of the second version of its object beside it.
fn beside(status: TrainingStatus) -> World {
    World::agreeing().object("rio").revised("rio", "r2", ("v2", 2), status)
}

fn reports(world: &mut World) {
    world.lifecycle("rio").on_source_change = OnSourceChange::Report;
}

fn paid(action: Action) -> Option<Create> {
    match action {
        Action::Create(create) | Action::Replace(create) => Some(*create),
        _ => None,
    }
}

pub(super) fn error() -> Finding {
    Finding::error(Check::Size, "it is 812 MB", "a video has at most 750 MB", Certainty::Documented)
}

pub(super) fn advice() -> Finding {
    Finding::advice(Check::Duration, "it is 30 s long", "a video has 2 minutes", Certainty::Recommended)
}

/// A face from a file beside the manifest; what is in it, or nothing where it cannot be read.
fn file(content: Option<&str>) -> TrainingInput {
    let content = content.map(|text| FileContent {
        sha256: blake3::hash(text.as_bytes()).to_hex().to_string(),
        length: 5,
        is_pointer: false,
    });
    let file = SourceFile { name: "./rio.mp4".to_owned(), path: "rio.mp4".into(), root: "/".into(), content };
    TrainingInput::Video { source: TrainingSource::File(file) }
}

/// A face that was made from a file.
fn from_file() -> World {
    let mut world = World::agreeing().face("rio");
    world.wants("rio").training = Some(file(Some("one")));
    let (token, made) = (world.token("rio", 1), world.wants("rio").trained_from());
    let record = world.record("rio");
    (record.token, record.trained_from) = (Some(token), made);
    world
}

#[test]
fn an_object_that_lies_as_it_was_trained_from_changes_nothing() {
    assert_snapshot!(World::agreeing().object("rio").text(), @"No changes. 1 face as declared.");
}

#[test]
fn with_retrain_an_object_that_was_overwritten_gets_a_new_face_as_the_next_attempt() {
    let world = overwritten();
    assert_snapshot!(world.text(), @r#"
    Project acme:

    -/+ rio  replace  $ starts a paid training
          face_name:       "Rio"
          model_name:      phoenix-4
          train_video_url: s3://acme-media/rio.mp4
          wait_for:        ready
          token:           fc-rltmsmyr-ucz36g-2
          takes the place of r-rio once it is ready: first in every PAL that uses
          it, then in the record
          because train_video_url cannot change in place: a new face is trained
          first, and takes the place of this one once it is ready
          train_video_url: s3://acme-media/rio.mp4 (version v1) ->
                           s3://acme-media/rio.mp4 (version v2)
          at faces/rio.yaml:1:1

    Plan: 0 to create, 0 to update, 1 to replace, 0 to delete.
    1 paid training; it usually takes 3 to 4 hours.
    "#);
    let create = paid(world.action("rio")).unwrap();
    assert_eq!((create.token, create.trained_from.revision), (world.token("rio", 2), Some(revision("v2"))));
}

#[test]
fn with_report_an_object_that_was_overwritten_is_told_and_nothing_follows() {
    let mut world = overwritten();
    reports(&mut world);
    assert_snapshot!(world.text(), @r"
    Project acme:

        rio  no-op  r-rio
          because manifest, record and live face agree
          source changed: s3://acme-media/rio.mp4 is another object now
            (version v2) than the face was trained from (version v1); nothing is
            trained by that: raise training_version, or set
            lifecycle.on_source_change: retrain

    No changes. 1 face as declared.
    ");
    assert!(!world.plan().has_changes());
    assert_eq!(world.face_plan("rio").source_change.unwrap().after, revision("v2"));
}

#[test]
fn a_version_that_is_not_known_on_either_side_is_no_difference() {
    let mut nobody_asked = overwritten();
    nobody_asked.cannot_ask("rio");
    let mut never_known = overwritten();
    never_known.record("rio").trained_from.as_mut().unwrap().revision = None;
    for (world, why) in [(nobody_asked, "what lies there now"), (never_known, "what it was made from")] {
        assert_eq!(world.decision("rio"), (Action::NoOp, Reason::Agrees), "{why}");
        assert_eq!(world.face_plan("rio").source_change, None, "{why}");
    }
}

#[test]
fn the_same_content_put_there_again_is_no_difference() {
    let mut world = World::agreeing().object("rio");
    world.observed.material.get_mut(&key("rio")).unwrap().revision.as_mut().unwrap().version = Some("v9".to_owned());
    assert_eq!(world.action("rio"), Action::NoOp);
}

#[test]
fn going_over_from_report_to_retrain_takes_up_what_changed_meanwhile() {
    let mut world = overwritten();
    reports(&mut world);
    assert_eq!(world.action("rio"), Action::NoOp);
    world.lifecycle("rio").on_source_change = OnSourceChange::Retrain;
    assert!(matches!(world.reason("rio"), Reason::InputsChanged(_)));
}

#[test]
fn a_new_face_of_another_version_is_waited_for_and_takes_the_place() {
    assert_eq!(beside(TrainingStatus::Training).decision("rio"), (Action::Wait, Reason::ReplacementTrains));
    assert_eq!(beside(TrainingStatus::Ready).reason("rio"), Reason::ReplacementReady);
}

#[test]
fn a_new_face_of_another_version_is_not_given_up_because_nobody_can_ask_or_the_policy_is_report_now() {
    for status in [TrainingStatus::Training, TrainingStatus::Ready] {
        let expected = beside(status.clone()).decision("rio");
        let mut blind = beside(status.clone());
        blind.cannot_ask("rio");
        assert_eq!(blind.decision("rio"), expected, "nobody can ask");
        let mut reporting = beside(status);
        reports(&mut reporting);
        assert_eq!(reporting.decision("rio"), expected, "what trains is paid for, and was asked for last");
    }
}

#[test]
fn a_third_version_leaves_the_new_face_for_one_more() {
    let mut world = beside(TrainingStatus::Training);
    world.lies("rio", "v3");
    let create = paid(world.action("rio")).unwrap();
    assert_eq!((create.token, create.gives_up), (world.token("rio", 3), Some(id("r2"))));
    reports(&mut world);
    assert_eq!(world.decision("rio"), (Action::Wait, Reason::ReplacementTrains), "with report nothing follows from it");
    assert_eq!(world.face_plan("rio").source_change.unwrap().before, revision("v2"), "it is told of the newest face");
}

#[test]
fn the_first_version_that_lies_there_again_gives_the_new_face_up_and_pays_nothing() {
    let mut world = beside(TrainingStatus::Training);
    world.lies("rio", "v1");
    assert_eq!(world.decision("rio"), (Action::GiveUp(id("r2")), Reason::ReplacementNotWanted));
    let mut world = world.given_up("rio");
    assert_eq!(world.action("rio"), Action::NoOp);
    world.lies("rio", "v2");
    let adopt = adopt(world.action("rio"));
    assert_eq!(
        (adopt.id, adopt.beside),
        (id("r2"), Some(id("r-rio"))),
        "what was paid for and lives is not bought again"
    );
    assert_eq!(adopt.trained_from.unwrap().revision, Some(revision("v2")));
}

#[test]
fn going_to_and_fro_between_two_versions_that_live_never_pays() {
    let mut world = beside(TrainingStatus::Ready).gone_over("rio");
    for (version, to) in [("v1", "r-rio"), ("v2", "r2"), ("v1", "r-rio"), ("v2", "r2")] {
        world.lies("rio", version);
        let Action::Switch(switch) = world.action("rio") else { panic!("{version}: {:?}", world.action("rio")) };
        assert_eq!(switch.to, id(to), "{version}");
        let record = world.record("rio").clone().back_to(&switch.to, world.observed.at).unwrap();
        world.recorded.faces.insert(key("rio"), record);
        assert_eq!(world.action("rio"), Action::NoOp, "{version}");
    }
}

#[test]
fn a_failed_new_face_is_not_bought_again_by_itself_and_a_better_version_is() {
    let mut world = beside(TrainingStatus::Failed);
    assert_eq!(world.reason("rio"), Reason::Blocked(Block::ReplacementFailed(None)));
    world.lies("rio", "v3");
    assert_eq!(paid(world.action("rio")).unwrap().token, world.token("rio", 3));
    world.lies("rio", "v1");
    assert_eq!(world.action("rio"), Action::GiveUp(id("r2")));
}

#[test]
fn a_failed_new_face_that_report_asks_for_no_more_is_given_up_and_blocks_nothing() {
    let mut world = beside(TrainingStatus::Failed);
    reports(&mut world);
    assert_eq!(world.decision("rio"), (Action::GiveUp(id("r2")), Reason::ReplacementNotWanted));
    world.policy.retry.insert(key("rio"));
    assert_eq!(world.reason("rio"), Reason::RetryReplacement(None), "unless a person says otherwise");
}

#[test]
fn on_failed_retry_tries_each_version_once_more_and_no_more() {
    let mut world = beside(TrainingStatus::Failed);
    world.lifecycle("rio").on_failed = OnFailed::Retry;
    assert_eq!(world.reason("rio"), Reason::RetryReplacement(None));
    assert_eq!(paid(world.action("rio")).unwrap().token, world.token("rio", 3));
    let world = world.given_up("rio").revised("rio", "r3", ("v2", 3), TrainingStatus::Failed);
    assert_eq!(world.reason("rio"), Reason::Blocked(Block::ReplacementFailed(None)), "the second failure is final");
}

#[test]
fn a_version_whose_last_training_failed_is_not_bought_again_after_another_one_came_between() {
    // The second version failed, the third took the place, and the second lies there again.
    let world = beside(TrainingStatus::Failed).given_up("rio");
    let mut world = world.revised("rio", "r3", ("v3", 3), TrainingStatus::Ready).gone_over("rio");
    world.lies("rio", "v2");
    assert_eq!(world.reason("rio"), Reason::Blocked(Block::ReplacementFailed(None)));
    world.policy.retry.insert(key("rio"));
    assert_eq!(paid(world.action("rio")).unwrap().token, world.token("rio", 4));
}

#[test]
fn a_failed_face_whose_object_changed_is_created_anew() {
    let mut world = overwritten();
    world.live("rio").status = TrainingStatus::Failed;
    assert!(matches!(world.reason("rio"), Reason::ChangedAfterFailure(_)));
    reports(&mut world);
    assert_eq!(world.reason("rio"), Reason::Blocked(Block::Failed(None)));
}

#[test]
fn a_face_that_vanished_is_not_bought_again_because_its_object_changed() {
    let mut world = overwritten();
    world.vanish("rio");
    assert_eq!(world.reason("rio"), Reason::Blocked(Block::Missing));
    world.lifecycle("rio").on_missing = OnMissing::Recreate;
    assert_eq!(paid(world.action("rio")).unwrap().trained_from.revision, Some(revision("v2")));
}

#[test]
fn a_protected_face_is_not_replaced_because_its_object_changed() {
    let mut world = overwritten();
    world.lifecycle("rio").protect = true;
    assert!(matches!(world.reason("rio"), Reason::Blocked(Block::ProtectedFromReplacement { .. })));
}

/// A person went back from the second version to the first.
fn rolled_back() -> World {
    let world = beside(TrainingStatus::Ready).gone_over("rio");
    let mut world = world;
    let from = world.record("rio").fingerprint();
    let mut record = world.record("rio").clone().back_to(&id("r-rio"), world.observed.at).unwrap();
    record.rolled_back_from = from;
    world.recorded.faces.insert(key("rio"), record);
    world
}

#[test]
fn what_a_person_went_back_from_is_not_gone_on_to_and_a_newer_version_is() {
    let mut world = rolled_back();
    assert_eq!(world.reason("rio"), Reason::Blocked(Block::RolledBack));
    world.lies("rio", "v3");
    assert_eq!(paid(world.action("rio")).unwrap().token, world.token("rio", 3), "that is another recording");
    world.lies("rio", "v2");
    world.policy.roll_forward.insert(key("rio"));
    assert!(matches!(world.action("rio"), Action::Switch(switch) if switch.to == id("r2")));
}

#[test]
fn what_a_person_went_back_from_is_not_gone_on_to_because_the_face_failed_and_nobody_can_ask() {
    let mut world = rolled_back();
    world.cannot_ask("rio");
    world.live("rio").status = TrainingStatus::Failed;
    world.policy.retry.insert(key("rio"));
    assert_eq!(world.reason("rio"), Reason::Blocked(Block::RolledBack));
}

/// Replaced long ago, and everything may be deleted that may go.
fn prunable() -> World {
    let mut world = beside(TrainingStatus::Ready).gone_over("rio").pal("p1", "r-other");
    world.policy.prune = true;
    world.lifecycle("rio").on_removal = OnRemoval::Delete;
    world
}

fn fate(world: &World) -> Fate {
    world.plan().retired[0].fate.clone()
}

#[test]
fn the_face_of_an_older_version_goes_with_prune_as_any_other() {
    assert_eq!(fate(&prunable()), Fate::Delete { is_hard: false });
}

#[test]
fn the_face_of_another_version_stays_as_long_as_nobody_knows_whether_that_version_lies_there() {
    let mut world = prunable();
    world.cannot_ask("rio");
    assert_eq!(fate(&world), Fate::Kept(Keep::MaterialUnknown));
    reports(&mut world);
    assert_eq!(fate(&world), Fate::Delete { is_hard: false }, "with report no version is asked for");
}

#[test]
fn a_present_face_of_unknown_version_does_not_end_the_training_of_one_that_is_known() {
    let mut world = beside(TrainingStatus::Training);
    world.record("rio").trained_from.as_mut().unwrap().revision = None;
    assert_eq!(world.action("rio"), Action::Wait);
    world.lies("rio", "v3");
    assert_eq!(world.action("rio"), Action::Wait, "nor is a third one bought: the present one may be it");
}

#[test]
fn a_new_face_is_not_needed_once_the_present_one_is_known_to_be_what_lies_there() {
    let mut world = beside(TrainingStatus::Failed);
    // A second machine found it by its token, which does not say from which version it was made.
    world.record("rio").successor.as_mut().unwrap().trained_from.as_mut().unwrap().revision = None;
    world.lies("rio", "v1");
    assert_eq!(world.action("rio"), Action::GiveUp(id("r2")));
}

#[test]
fn a_failed_new_face_is_not_tried_again_by_policy_while_nobody_can_ask_what_lies_there() {
    let mut world = beside(TrainingStatus::Failed);
    world.lifecycle("rio").on_failed = OnFailed::Retry;
    world.cannot_ask("rio");
    // It may be the first version, of which there is a face that serves.
    assert_eq!(world.reason("rio"), Reason::Blocked(Block::ReplacementFailed(None)));
    world.lies("rio", "v2");
    assert_eq!(world.reason("rio"), Reason::RetryReplacement(None));
    world.lifecycle("rio").on_missing = OnMissing::Recreate;
    world.observed.faces.remove(&id("r2"));
    assert_eq!(world.reason("rio"), Reason::RecreateReplacement);
    world.cannot_ask("rio");
    assert_eq!(world.reason("rio"), Reason::Blocked(Block::ReplacementMissing));
}

#[test]
fn a_cold_machine_takes_up_the_face_that_serves_first_and_the_one_that_trains_beside_it() {
    for naming in [Naming::Clean, Naming::Marker] {
        let mut world = World::agreeing().object("rio");
        world.desired.naming = naming;
        world.recorded.faces.clear();
        world.observed.faces.clear();
        world.cannot_ask("rio");
        let mut world = world.bearer("r1", "rio", 1).bearer("r2", "rio", 2);
        world.observed.faces.get_mut(&id("r1")).unwrap().status = TrainingStatus::Ready;
        let first = adopt(world.action("rio"));
        assert_eq!((first.id, first.token), (id("r1"), Some(world.token("rio", 1))));
        let made = first.trained_from.unwrap();
        assert_eq!(made, TrainedFrom { revision: None, ..world.made_from("rio", "v1") }, "no token tells the version");
        let mut world = world.object("rio");
        world.observed.faces.remove(&id("r-rio"));
        world.desired.naming = naming;
        (world.record("rio").id, world.record("rio").token_in_name) = (id("r1"), true);
        world.record("rio").trained_from = Some(made);
        let second = adopt(world.action("rio"));
        assert_eq!((second.id, second.beside), (id("r2"), Some(id("r1"))), "{naming:?}");
    }
}

#[test]
fn a_face_whose_version_is_known_to_lie_there_is_not_left_for_another_attempt() {
    let world = World::agreeing().object("rio").bearer("r2", "rio", 2);
    assert_eq!(world.action("rio"), Action::NoOp);
}

#[test]
fn a_second_machine_takes_up_what_the_first_one_trains() {
    let mut world = overwritten().bearer("r2", "rio", 2);
    let adopt = adopt(world.action("rio"));
    assert_eq!((adopt.id, adopt.beside), (id("r2"), Some(id("r-rio"))));
    // It trained what lay there then, and something else lies there now: it has the very token all the same.
    world.lies("rio", "v3");
    assert_eq!(super::table::adopt(world.action("rio")).id, id("r2"));
    // Its token has left its name by now.
    world.observed.faces.get_mut(&id("r2")).unwrap().name = Some("Rio".to_owned());
    assert_eq!(world.reason("rio"), Reason::Blocked(Block::SameName(vec![id("r2")])));
}

#[test]
fn with_markers_in_the_names_a_key_never_adopts_what_it_has() {
    let mut world = overwritten();
    world.desired.naming = Naming::Marker;
    let token = world.token("rio", 1);
    world.live("rio").name = Some(crate::face::named_with(&"Rio".parse().unwrap(), &token));
    world.record("rio").token_in_name = true;
    assert_eq!(paid(world.action("rio")).unwrap().token, world.token("rio", 2));
}

#[test]
fn a_create_in_doubt_is_found_with_the_version_it_was_sent_with() {
    let mut world = overwritten().in_doubt("rio", 2);
    world.recorded.open.get_mut(&key("rio")).unwrap().trained_from.revision = Some(revision("v2"));
    world.lies("rio", "v3");
    assert!(matches!(world.reason("rio"), Reason::Blocked(Block::InDoubt { .. })), "whatever lies there by now");
    let adopt = adopt(world.bearer("r2", "rio", 2).action("rio"));
    assert_eq!((adopt.beside, adopt.trained_from.unwrap().revision), (Some(id("r-rio")), Some(revision("v2"))));
}

#[test]
fn a_moved_face_keeps_its_version_and_counts_its_attempts() {
    let mut world = World::agreeing().object("rio");
    let record = world.recorded.faces.remove(&key("rio")).unwrap();
    world.recorded.faces.insert(key("old"), record);
    world.desired.faces.get_mut(&key("rio")).unwrap().annotations.insert("facectl.dev/moved-from".into(), "old".into());
    let adopt = adopt(world.action("rio"));
    assert_eq!(adopt.trained_from.unwrap().revision, Some(revision("v1")));
    let record = world.recorded.faces.remove(&key("old")).unwrap();
    world.recorded.faces.insert(key("rio"), record);
    world.lies("rio", "v2");
    assert_eq!(paid(world.action("rio")).unwrap().token, world.token("rio", 2));
}

#[test]
fn the_versions_that_matter_are_those_of_every_face_that_a_key_has() {
    let asks = |world: &World| needs_revision(&world.desired, &world.recorded).count();
    let mut world = beside(TrainingStatus::Training).given_up("rio");
    assert_eq!(asks(&world), 1);
    world.record("rio").trained_from.as_mut().unwrap().revision = None;
    assert_eq!(asks(&world), 1, "of one from before");
    world.record("rio").previous.clear();
    assert_eq!(asks(&world), 0, "nothing could differ");
    assert_eq!(asks(&World::agreeing().face("rio")), 0, "a link has no version");
}

#[test]
fn an_error_in_the_material_stops_a_training_and_nothing_else() {
    let mut world = overwritten();
    world.found("rio", vec![error(), advice()]);
    assert_snapshot!(world.text(), @r"
    Project acme:

      ! rio  blocked  r-rio
          because nothing is paid for a training that could not work
          error: size: it is 812 MB (rule: a video has at most 750 MB;
            documented)
          help: if you know better, `--skip-preflight=size` does not ask that
          at faces/rio.yaml:1:1

    Plan: 0 to create, 0 to update, 0 to replace, 0 to delete.
    Also: 1 blocked.
    ");
    world.lies("rio", "v1");
    assert_eq!(world.action("rio"), Action::NoOp, "the face that serves is none of its business");
    let mut new = World::agreeing().declared("rio");
    new.found("rio", vec![error()]);
    assert_eq!(new.reason("rio"), Reason::Blocked(Block::Material(vec![error()])));
    let found = new.bearer("r1", "rio", 1);
    assert_eq!(found.reason("rio"), Reason::FoundByToken, "what is paid for is taken up");
}

#[test]
fn an_error_in_the_material_does_not_stand_between_a_key_and_a_face_it_has() {
    let mut world = beside(TrainingStatus::Training).given_up("rio");
    world.found("rio", vec![error()]);
    assert_eq!(world.reason("rio"), Reason::PreviousHasInputs);
}

#[test]
fn advice_is_shown_with_what_is_paid_for_and_stops_nothing() {
    let mut world = World::agreeing().declared("rio");
    world.wants("rio").training = Some(from_object("rio"));
    world.lies("rio", "v1");
    world.found("rio", vec![advice()]);
    assert_snapshot!(world.text(), @r#"
    Project acme:

      + rio  create  $ starts a paid training
          face_name:       "Rio"
          model_name:      phoenix-4
          train_video_url: s3://acme-media/rio.mp4
          wait_for:        ready
          token:           fc-rltmsmyr-ucz36g-1
          because it is declared, nothing is recorded, and no live face answers to
          its token or name
          advice: duration: it is 30 s long (rule: a video has 2 minutes;
            recommended)
          at faces/rio.yaml:1:1

    Plan: 1 to create, 0 to update, 0 to replace, 0 to delete.
    1 paid training; it usually takes 3 to 4 hours.
    "#);
}

#[test]
fn material_is_looked_at_once_and_only_where_something_is_paid_for() {
    let looked_at = |world: &World| -> usize { world.plan().needs_preflight(&world.observed.material).count() };
    let mut world = overwritten();
    assert_eq!(looked_at(&world), 1);
    world.found("rio", Vec::new());
    assert_eq!(looked_at(&world), 0);
    assert_eq!(looked_at(&World::agreeing().face("rio")), 0);
}

#[test]
fn an_approval_holds_for_the_content_that_lay_there_and_for_one_that_was_not_known() {
    let of = |version: Option<&str>| {
        let mut world = World::agreeing().declared("rio");
        world.wants("rio").training = Some(from_object("rio"));
        if let Some(version) = version {
            world.lies("rio", version);
        }
        world.action("rio")
    };
    let (unknown, first, second) = (of(None), of(Some("v1")), of(Some("v2")));
    assert!(first.is_as_approved(&unknown), "what lies there was no matter then");
    assert!(unknown.is_as_approved(&first), "it is looked at once more before it is sent");
    assert!(!second.is_as_approved(&first));
    let mut again = first.clone();
    if let Action::Create(create) = &mut again {
        create.trained_from.revision.as_mut().unwrap().version = Some("v9".to_owned());
    }
    assert!(again.is_as_approved(&first), "the same content, put there again");
    let mut renamed = first.clone();
    if let Action::Create(create) = &mut renamed {
        create.spec.face_name = "Another".parse().unwrap();
    }
    assert!(!renamed.is_as_approved(&first) && !first.is_as_approved(&Action::NoOp));
}

#[test]
fn a_file_that_cannot_be_read_is_no_difference_and_trains_nothing() {
    let mut world = from_file();
    assert_eq!(world.action("rio"), Action::NoOp);
    world.wants("rio").training = Some(file(None));
    assert_eq!(world.decision("rio"), (Action::NoOp, Reason::Agrees));
    world.lifecycle("rio").on_missing = OnMissing::Recreate;
    world.vanish("rio");
    assert_snapshot!(world.text(), @r"
    Project acme:

      ! rio  blocked
          because it would have to be trained, and ./rio.mp4 is not here or cannot
          be read, so nobody knows what is in it
          help: put the file there, or run facectl where it is; the path is seen
                from the manifest
          at faces/rio.yaml:1:1
          drift: missing: it was there, and a complete listing does not show it

    Plan: 0 to create, 0 to update, 0 to replace, 0 to delete.
    Also: 1 blocked.
    ");
    let mut new = World::agreeing().declared("rio");
    new.wants("rio").training = Some(file(None));
    assert_eq!(new.reason("rio"), Reason::Blocked(Block::FileUnread("./rio.mp4".to_owned())));
}

#[test]
fn a_file_with_another_content_is_another_input() {
    let mut world = from_file();
    world.wants("rio").training = Some(file(Some("two")));
    assert_eq!(paid(world.action("rio")).unwrap().token, world.token("rio", 1));
}

#[test]
fn nothing_is_deleted_that_may_have_been_made_from_a_file_that_cannot_be_read() {
    let mut world = from_file().pal("p1", "r-other");
    let mut left = world.record("rio").clone().left(world.observed.at - std::time::Duration::from_secs(40 * 3600));
    left.id = id("r0");
    left.trained_from.as_mut().unwrap().source_hash = "0".repeat(32);
    world.record("rio").previous.push(left);
    world = world.stray("r0", "Rio");
    world.policy.prune = true;
    world.lifecycle("rio").on_removal = OnRemoval::Delete;
    assert_eq!(fate(&world), Fate::Delete { is_hard: false });
    world.wants("rio").training = Some(file(None));
    assert_eq!(fate(&world), Fate::Kept(Keep::MaterialUnknown));
}

#[test]
fn a_face_that_left_stays_while_the_file_of_a_new_key_cannot_be_read_as_it_may_have_been_renamed() {
    let mut world = from_file().pal("p1", "r-other");
    world.record("rio").on_removal = OnRemoval::Delete;
    world.policy.prune = true;
    world.undeclare("rio");
    let mut world = world.declared("new");
    world.wants("new").training = Some(file(Some("one")));
    let kept = Reason::LeftManifestsKept(Keep::LooksRenamed(key("new")));
    assert_eq!(world.reason("rio"), kept);
    world.wants("new").training = Some(file(None));
    assert_eq!(world.reason("rio"), kept);
}

fn text_of(plan: &Plan) -> String {
    crate::report::plan_text(plan, crate::report::Paint::plain())
}

#[test]
fn many_objects_that_changed_are_told_one_by_one() {
    let mut world = World::agreeing().object("ana").object("rio");
    for name in ["ana", "rio"] {
        world.lifecycle(name).on_source_change = OnSourceChange::Report;
        world.lies(name, "v2");
    }
    assert_snapshot!(text_of(&world.plan()), @r"
    Project acme:

        ana  no-op  r-ana
          because manifest, record and live face agree
          source changed: s3://acme-media/ana.mp4 is another object now
            (version v2) than the face was trained from (version v1); nothing is
            trained by that: raise training_version, or set
            lifecycle.on_source_change: retrain

        rio  no-op  r-rio
          because manifest, record and live face agree
          source changed: s3://acme-media/rio.mp4 is another object now
            (version v2) than the face was trained from (version v1); nothing is
            trained by that: raise training_version, or set
            lifecycle.on_source_change: retrain

    No changes. 2 faces as declared.
    ");
}
