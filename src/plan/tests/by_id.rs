//! Faces that a manifest names by their id: rows 2a to 2c and 8a, and what follows from unknown inputs.

use insta::assert_snapshot;

use super::world::{World, id, key, spec};
use crate::face::{Coverage, Naming, OnFailed, OnMissing, Ownership, PreviousFace, TrainingStatus, named_with};
use crate::plan::{Action, Adopt, Block, NotAdoptable, Reason};

/// `rio` is declared to be the live face r1, which somebody made elsewhere.
fn named() -> World {
    let mut world = World::agreeing().declared("rio").stray("r1", "Rio");
    world.names("rio", "r1");
    world.observed.faces.get_mut(&id("r1")).unwrap().status = TrainingStatus::Ready;
    world
}

/// `rio` was imported as the live face r-rio.
fn imported() -> World {
    let mut world = World::agreeing().face("rio");
    (world.record("rio").trained_from, world.record("rio").token) = (None, None);
    world.names("rio", "r-rio");
    world
}

fn why(world: &World) -> NotAdoptable {
    match world.reason("rio") {
        Reason::Blocked(Block::NotAdoptable { id: face, why }) if face == id("r1") => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn row_2a_a_live_face_that_the_manifest_names_is_adopted_without_a_source() {
    let world = named();
    assert_snapshot!(world.text(), @r#"
    Project acme:

     <= rio  adopt  r1
          face_name: "Rio"
          because its manifest says by id which live face it is; what it was trained
          from is not known and never counts as a difference

    Plan: 0 to create, 0 to update, 0 to replace, 0 to delete.
    Also: 1 to adopt.
    Nothing here is paid for.
    "#);
    let adopt = Adopt { id: id("r1"), token: None, trained_from: None, moved_from: None, beside: None };
    assert_eq!(world.action("rio"), Action::Adopt(adopt));
    assert_eq!(world.plan().foreign, 0);
}

#[test]
fn row_2a_neither_name_nor_model_nor_a_source_has_to_agree() {
    let mut world = named();
    world.wants("rio").training = spec("rio").training;
    let live = world.observed.faces.get_mut(&id("r1")).unwrap();
    (live.name, live.model) = (Some("Somebody".to_owned()), Some("phoenix-3".to_owned()));
    live.status = TrainingStatus::Training;
    let Action::Adopt(adopt) = world.action("rio") else { panic!() };
    assert_eq!(adopt.trained_from, None, "that the manifest names a source does not tell what it was made from");
}

#[test]
fn row_2a_its_own_token_in_the_name_is_no_obstacle_and_tells_what_it_was_made_from() {
    let mut world = World::agreeing().declared("rio").bearer("r1", "rio", 1).bearer("r2", "rio", 2);
    let (token, inputs) = (world.token("rio", 1), world.wants("rio").training.clone());
    world.names("rio", "r1");
    let Action::Adopt(adopt) = world.action("rio") else { panic!() };
    assert_eq!((&adopt.token, adopt.trained_from), (&Some(token), None));
    world.wants("rio").training = inputs;
    let Action::Adopt(adopt) = world.action("rio") else { panic!() };
    assert_eq!(adopt.trained_from, world.wants("rio").trained_from());
}

#[test]
fn row_2b_a_face_that_cannot_be_taken_blocks_and_nothing_is_created_instead() {
    let mut gone = named();
    gone.observed.faces.clear();
    gone.wants("rio").training = spec("rio").training;
    assert_eq!(why(&gone), NotAdoptable::NotFound);
    assert_snapshot!(gone.text(), @r"
    Project acme:

      ! rio  blocked  r1
          because the manifest says that it is r1 (facectl.dev/face-id), but no live
          face of this account has that id
          help: correct the annotation; to train a new face instead, remove
                facectl.dev/face-id and name a source
          at faces/rio.yaml:1:1

    Plan: 0 to create, 0 to update, 0 to replace, 0 to delete.
    Also: 1 blocked.
    ");
    for ownership in [Ownership::System, Ownership::Unsaid] {
        let mut world = named();
        world.observed.faces.get_mut(&id("r1")).unwrap().ownership = ownership;
        assert_eq!(why(&world), NotAdoptable::NotOurs);
    }
    let mut failed = named();
    let live = failed.observed.faces.get_mut(&id("r1")).unwrap();
    (live.status, live.error) = (TrainingStatus::Failed, Some("too dark".to_owned()));
    assert_eq!(why(&failed), NotAdoptable::Failed(Some("too dark".to_owned())));
    let mut partial = named().seen_in_part();
    assert!(matches!(partial.action("rio"), Action::Adopt(_)), "what a listing in part shows is there");
    partial.observed.faces.clear();
    assert!(matches!(partial.reason("rio"), Reason::Blocked(Block::ListingIncomplete(_))));
}

#[test]
fn row_2b_what_belongs_to_another_key_or_project_is_left_there() {
    let mut world = named().face("ana");
    world.record("ana").id = id("r1");
    assert_eq!(why(&world), NotAdoptable::HeldBy(key("ana")));
    // Also what it had before.
    let mut world = named().face("ana");
    let names = world.clone();
    let from_before = names.observed.faces.keys().filter(|face| **face == id("r1"));
    world.record("ana").previous = from_before.cloned().map(PreviousFace::known_by_id).collect();
    assert_eq!(why(&world), NotAdoptable::HeldBy(key("ana")));
    // A manifest error, but a plan must hold without that.
    let mut world = named().declared("ana");
    world.names("ana", "r1");
    assert_eq!(why(&world), NotAdoptable::HeldBy(key("ana")));
    assert_eq!(world.reason("ana"), Reason::DeclaredById);
    let mut world = named();
    world.desired.project = "other".parse().unwrap();
    let token = World::agreeing().declared("rio").token("rio", 1);
    world.observed.faces.get_mut(&id("r1")).unwrap().name = Some(named_with(&"Rio".parse().unwrap(), &token));
    assert_eq!(why(&world), NotAdoptable::OtherToken(token));
    assert_eq!(world.plan().foreign, 1);
}

#[test]
fn row_2c_a_key_whose_own_training_lives_is_not_given_another_face() {
    let mut world = named();
    world.wants("rio").training = spec("rio").training;
    let mut world = world.bearer("r2", "rio", 1);
    let block = Block::NamesAnother { named: id("r1"), has: id("r2"), is_recorded: false };
    assert_eq!(world.reason("rio"), Reason::Blocked(block));
    world.observed.faces.get_mut(&id("r2")).unwrap().status = TrainingStatus::Failed;
    assert_eq!(world.reason("rio"), Reason::DeclaredById, "a failed one was for nothing");
}

#[test]
fn row_2_an_open_create_comes_first() {
    let world = World::agreeing().declared("rio").in_doubt("rio", 1).stray("r1", "Rio");
    let mut world = world;
    world.names("rio", "r1");
    assert!(matches!(world.reason("rio"), Reason::Blocked(Block::InDoubt { .. })));
}

#[test]
fn row_5_a_key_that_was_renamed_takes_its_imported_face_along() {
    let mut world = imported().declared("bea");
    world.names("bea", "r-rio");
    world.undeclare("rio");
    let held = Block::NotAdoptable { id: id("r-rio"), why: NotAdoptable::HeldBy(key("rio")) };
    assert_eq!(world.reason("bea"), Reason::Blocked(held));
    let annotations = &mut world.desired.faces.get_mut(&key("bea")).unwrap().annotations;
    annotations.insert("facectl.dev/moved-from".to_owned(), "rio".to_owned());
    assert_eq!(world.reason("bea"), Reason::Moved(key("rio")));
}

#[test]
fn row_5_two_faces_of_unknown_inputs_are_not_taken_for_one() {
    let mut world = imported().declared("bea").stray("r1", "Bea");
    world.names("bea", "r1");
    world.undeclare("rio");
    assert_eq!(world.reason("bea"), Reason::DeclaredById);
}

#[test]
fn row_6_a_face_that_is_named_for_one_key_is_not_taken_by_name_for_another() {
    let mut world = named().declared("bea");
    world.wants("rio").face_name = "Somebody".parse().unwrap();
    world.wants("bea").face_name = "Rio".parse().unwrap();
    world.policy.adopt_by_name = true;
    assert_eq!(world.reason("bea"), Reason::Blocked(Block::SameName(vec![id("r1")])));
}

#[test]
fn row_8a_a_recorded_key_whose_manifest_names_another_face_is_blocked() {
    let mut world = World::agreeing().face("rio").stray("r1", "Somebody");
    world.names("rio", "r1");
    let block = || Block::NamesAnother { named: id("r1"), has: id("r-rio"), is_recorded: true };
    assert_eq!(world.reason("rio"), Reason::Blocked(block()));
    assert_snapshot!(world.text(), @r"
    Project acme:

      ! rio  blocked  r-rio
          because the manifest says that it is r1 (facectl.dev/face-id), but r-rio
          is what is recorded for it
          help: remove facectl.dev/face-id to keep the face that it has, or declare
                the named one under a key of its own
          at faces/rio.yaml:1:1

    Plan: 0 to create, 0 to update, 0 to replace, 0 to delete.
    Also: 1 blocked.
    1 live face of the account is not managed here and will not be touched.
    ");
    let mut world = imported();
    world.names("rio", "r1");
    assert_eq!(world.reason("rio"), Reason::Blocked(block()), "an imported face is what it was imported as");
}

#[test]
fn row_8a_an_annotation_that_has_done_its_work_does_no_harm() {
    let mut world = imported();
    assert_eq!(world.decision("rio"), (Action::NoOp, Reason::Agrees));
    // The imported face was replaced by one that was trained here, and lives on.
    let mut replaced = World::agreeing().face("rio").stray("r1", "Rio");
    replaced.names("rio", "r1");
    let names = replaced.observed.faces.keys().filter(|face| **face == id("r1"));
    let names = names.cloned().map(PreviousFace::known_by_id).collect();
    replaced.record("rio").previous = names;
    assert_eq!(replaced.action("rio"), Action::NoOp);
    // Then it was deleted.
    replaced.record("rio").previous.clear();
    replaced.observed.faces.remove(&id("r1"));
    assert_eq!(replaced.action("rio"), Action::NoOp);
    world.desired.naming = Naming::Marker;
    assert_eq!(world.action("rio"), Action::NoOp, "there is no token to mark it with");
}

#[test]
fn unknown_inputs_differ_from_nothing_on_either_side() {
    let mut world = imported();
    world.wants("rio").training = spec("rio").training;
    world.wants("rio").model = crate::face::Model::Phoenix45;
    assert_eq!(world.action("rio"), Action::NoOp, "a source that was added later");
    let mut world = World::agreeing().face("rio");
    world.names("rio", "r-rio");
    assert_eq!(world.action("rio"), Action::NoOp, "a source that was taken out");
}

#[test]
fn what_would_have_to_be_trained_from_nothing_is_blocked_whatever_the_policy() {
    let no_source = Reason::Blocked(Block::NoSource);
    let mut gone = imported();
    gone.vanish("rio");
    assert_eq!(gone.reason("rio"), Reason::Blocked(Block::Missing));
    gone.lifecycle("rio").on_missing = OnMissing::Recreate;
    assert_eq!(gone.reason("rio"), no_source);
    assert_snapshot!(gone.text(), @r"
    Project acme:

      ! rio  blocked
          because it would have to be trained, and nothing says what to train it
          from
          help: add `train_video_url` (a recording), or `train_image_url` and a
                voice (a photo), to the manifest
          at faces/rio.yaml:1:1
          drift: missing: it was there, and a complete listing does not show it

    Plan: 0 to create, 0 to update, 0 to replace, 0 to delete.
    Also: 1 blocked.
    ");
    let mut failed = imported();
    failed.live("rio").status = TrainingStatus::Failed;
    failed.lifecycle("rio").on_failed = OnFailed::Retry;
    assert_eq!(failed.reason("rio"), no_source);
    let mut nothing = World::agreeing().declared("rio");
    nothing.wants("rio").training = None;
    assert_eq!(nothing.reason("rio"), no_source, "which no manifest can say");
    nothing.observed.coverage = Coverage::Partial("x".to_owned());
    assert_eq!(nothing.reason("rio"), no_source);
}
