//! What counts as the same name, and who changed it.

use super::world::{World, id, key};
use crate::face::{FaceName, Naming, TrainingStatus, named_with};
use crate::plan::{Action, Block, Reason, Update};

fn update(action: Action) -> Update {
    match action {
        Action::Update(update) => update,
        other => panic!("not updated: {other:?}"),
    }
}

fn renamed(world: &World) -> (String, String) {
    let change = update(world.action("rio")).name.unwrap();
    (change.before().clone(), change.after().clone())
}

#[test]
fn a_token_in_the_name_is_never_drift() {
    for mut world in [World::agreeing().training("rio"), World::agreeing().face("rio")] {
        let name = named_with(&"Rio".parse().unwrap(), &world.token("rio", 1));
        world.live("rio").name = Some(name);
        assert_eq!(world.face_plan("rio").drift, []);
    }
}

#[test]
fn the_token_leaves_the_name_once_the_first_stage_is_over_and_not_before() {
    let mut world = World::agreeing().training("rio");
    assert_eq!(world.decision("rio"), (Action::Wait, Reason::TrainingGoesOn));
    for status in [TrainingStatus::Preview, TrainingStatus::Ready, TrainingStatus::TuningFailed] {
        world.live("rio").status = status;
        assert_eq!(world.reason("rio"), Reason::TokenLeavesName);
        let (before, after) = renamed(&world);
        assert_eq!((before, after.as_str()), (named_with(&"Rio".parse().unwrap(), &world.token("rio", 1)), "Rio"));
    }
}

#[test]
fn a_project_that_marks_its_names_keeps_and_restores_the_token() {
    let mut world = World::agreeing().training("rio");
    world.desired.naming = Naming::Marker;
    world.live("rio").status = TrainingStatus::Ready;
    assert_eq!(world.decision("rio"), (Action::NoOp, Reason::Agrees));
    world.live("rio").name = Some("Rio".to_owned());
    assert_eq!(world.reason("rio"), Reason::TokenEntersName);
    assert_eq!(renamed(&world).1, named_with(&"Rio".parse().unwrap(), &world.token("rio", 1)));
    assert_eq!(world.face_plan("rio").drift, [], "nobody renamed it");
}

#[test]
fn a_long_name_is_cut_for_its_token_and_still_agrees() {
    let long = "R".repeat(100);
    let mut world = World::agreeing().training("rio");
    world.wants("rio").face_name = long.parse().unwrap();
    world.record("rio").name = long.parse().unwrap();
    let live_name = named_with(&long.parse().unwrap(), &world.token("rio", 1));
    assert_eq!(live_name.chars().count(), 100);
    world.live("rio").name = Some(live_name);
    assert_eq!(world.action("rio"), Action::Wait);
    assert_eq!(world.face_plan("rio").drift, []);
    world.live("rio").status = TrainingStatus::Ready;
    assert_eq!(renamed(&world).1, long, "once there is room the whole name stands");
}

#[test]
fn a_name_that_the_api_does_not_show_differs_from_nothing() {
    let mut world = World::agreeing().face("rio");
    world.live("rio").name = None;
    assert_eq!(world.decision("rio"), (Action::NoOp, Reason::Agrees));
    assert_eq!(world.face_plan("rio").drift, []);
}

#[test]
fn a_rename_while_training_keeps_the_token() {
    let mut world = World::agreeing().training("rio");
    world.wants("rio").face_name = "Bea".parse().unwrap();
    assert_eq!(world.reason("rio"), Reason::ManifestChanged);
    assert_eq!(renamed(&world).1, named_with(&"Bea".parse().unwrap(), &world.token("rio", 1)));
}

#[test]
fn a_token_that_has_left_the_name_stays_away_and_blames_nobody() {
    let mut world = World::agreeing().face("rio");
    world.live("rio").status = TrainingStatus::Unknown("paused".into());
    world.wants("rio").face_name = "Bea".parse().unwrap();
    assert_eq!(renamed(&world), ("Rio".to_owned(), "Bea".to_owned()));
    assert_eq!(world.reason("rio"), Reason::ManifestChanged);
}

#[test]
fn who_changed_the_name_is_told_apart() {
    let renamed = |wanted: &str, live: &str| {
        let mut world = World::agreeing().face("rio");
        world.wants("rio").face_name = wanted.parse().unwrap();
        world.live("rio").name = Some(live.to_owned());
        (world.reason("rio"), world.face_plan("rio").drift.len())
    };
    assert_eq!(renamed("Bea", "Rio"), (Reason::ManifestChanged, 0));
    assert_eq!(renamed("Rio", "Old"), (Reason::Drifted, 1));
    assert_eq!(renamed("Bea", "Old"), (Reason::ManifestChangedAndDrifted, 1));
    assert_eq!(renamed("Bea", "Bea"), (Reason::Agrees, 1), "done by hand already: drift, and nothing to do");
}

#[test]
fn two_desired_faces_with_one_name_are_never_adopted_by_name() {
    let mut world = World::agreeing().declared("rio").declared("ana").stray("r1", "Rio");
    world.policy.adopt_by_name = true;
    world.wants("ana").face_name = "Rio".parse().unwrap();
    for name in ["ana", "rio"] {
        assert_eq!(world.reason(name), Reason::Blocked(Block::SameName(vec![id("r1")])));
    }
}

#[test]
fn a_face_of_another_model_is_not_taken_by_name_and_one_that_the_record_holds_is_nobodys() {
    let mut world = World::agreeing().declared("rio").stray("r1", "Rio");
    world.observed.faces.get_mut(&id("r1")).unwrap().model = Some("phoenix-3".to_owned());
    world.policy.adopt_by_name = true;
    let same_name = Reason::Blocked(Block::SameName(vec![id("r1")]));
    assert_eq!(world.reason("rio"), same_name, "another model is not taken, but a changed manifest looks like this");
    let mut world = World::agreeing().face("ana").declared("rio");
    world.wants("ana").face_name = "Rio".parse::<FaceName>().unwrap();
    world.record("ana").name = "Rio".parse().unwrap();
    world.live("ana").name = Some("Rio".to_owned());
    world.policy.adopt_by_name = true;
    assert_eq!(world.reason("rio"), Reason::New, "it is ana's");
}

#[test]
fn a_face_with_another_projects_token_is_never_taken_but_its_name_blocks_until_somebody_says_so() {
    let mut other = World::agreeing().declared("rio");
    other.desired.project = "other".parse().unwrap();
    let name = named_with(&"Rio".parse().unwrap(), &other.token("rio", 1));
    let mut world = World::agreeing().declared("rio").stray("r1", &name);
    world.policy.adopt_by_name = true;
    assert_eq!(
        world.reason("rio"),
        Reason::Blocked(Block::SameName(vec![id("r1")])),
        "the project may have been renamed"
    );
    world.policy.create_new.insert(key("rio"));
    assert_eq!(world.reason("rio"), Reason::New);
    assert_eq!(world.plan().foreign, 1);
}

#[test]
fn a_voice_waits_while_training_and_is_set_after() {
    let mut world = World::agreeing().training("rio");
    world.wants("rio").default_voice = Some("v1".parse().unwrap());
    assert_eq!(world.decision("rio"), (Action::Wait, Reason::TrainingGoesOn));
    world.live("rio").status = TrainingStatus::Preview;
    let update = update(world.action("rio"));
    assert_eq!(update.voice.unwrap().after().as_ref().unwrap().as_str(), "v1");
    assert_eq!(world.face_plan("rio").drift, []);
}

#[test]
fn an_imported_face_has_unknown_inputs_and_unknown_never_differs() {
    let mut world = World::agreeing().face("rio");
    let record = world.record("rio");
    (record.trained_from, record.token) = (None, None);
    world.retrain("rio");
    assert_eq!(world.decision("rio"), (Action::NoOp, Reason::Agrees));
    world.desired.naming = Naming::Marker;
    assert_eq!(world.action("rio"), Action::NoOp, "without a token there is nothing to mark it with");
    world.live("rio").status = TrainingStatus::Unknown("paused".into());
    assert_eq!(world.action("rio"), Action::Wait);
    assert!(world.plan().faces.iter().all(|face| face.key == key("rio")));
}

#[test]
fn whatever_the_reason_to_create_a_live_face_of_that_name_blocks_it() {
    // Another machine paid for the next attempt already, and its token has left the name.
    let mut world = World::agreeing().face("rio").stray("r9", "Rio");
    world.vanish("rio");
    world.policy.recreate.insert(key("rio"));
    assert_eq!(world.reason("rio"), Reason::Blocked(Block::SameName(vec![id("r9")])));
    let mut world = World::agreeing().failed("rio").stray("r9", "Rio");
    world.policy.retry.insert(key("rio"));
    assert_eq!(world.reason("rio"), Reason::Blocked(Block::SameName(vec![id("r9")])));
    world.policy.create_new.insert(key("rio"));
    assert!(matches!(world.action("rio"), Action::Create(_)));
}

#[test]
fn a_renamed_key_buys_nothing_and_moves_where_the_manifest_says_so() {
    let mut world = World::agreeing().face("rio").declared("rio-2");
    world.desired.faces.get_mut(&key("rio-2")).unwrap().spec = world.desired.faces[&key("rio")].spec.clone();
    world.undeclare("rio");
    assert_eq!(world.reason("rio-2"), Reason::Blocked(Block::Renamed(key("rio"))));
    let annotations = &mut world.desired.faces.get_mut(&key("rio-2")).unwrap().annotations;
    annotations.insert("facectl.dev/moved-from".to_owned(), "rio".to_owned());
    assert_eq!(world.reason("rio-2"), Reason::Moved(key("rio")));
    assert_eq!(world.reason("rio"), Reason::MovedTo(key("rio-2")));
}

/// Spellings of `Zo\u{eb} B` that a person reads as it.
const ZOE: [&str; 5] =
    ["Zoe\u{308} B", "zo\u{eb}  b", "\u{200B}Zo\u{eb} B", "\u{FF3A}o\u{eb}\u{a0}B", "Zo\u{eb} B\u{FE0F}"];

#[test]
fn a_live_face_whose_name_looks_the_same_blocks_a_create() {
    for live in ZOE {
        let mut world = World::agreeing().declared("zoe").stray("r1", live);
        world.wants("zoe").face_name = "Zo\u{eb} B".parse().unwrap();
        assert_eq!(world.reason("zoe"), Reason::Blocked(Block::SameName(vec![id("r1")])), "{live:?}");
        world.policy.adopt_by_name = true;
        assert_eq!(world.reason("zoe"), Reason::FoundByName, "{live:?}");
    }
}

#[test]
fn two_live_faces_whose_names_look_the_same_are_ambiguous() {
    let mut world = World::agreeing().declared("zoe").stray("r1", ZOE[0]).stray("r2", "Zo\u{eb} B");
    world.wants("zoe").face_name = "Zo\u{eb} B".parse().unwrap();
    world.policy.adopt_by_name = true;
    let Reason::Blocked(Block::SameName(ids)) = world.reason("zoe") else { panic!("{:?}", world.reason("zoe")) };
    assert_eq!(ids.len(), 2);
}

#[test]
fn two_desired_faces_whose_names_look_the_same_are_never_adopted_by_name() {
    let mut world = World::agreeing().declared("rio").declared("ana").stray("r1", "Rio");
    world.policy.adopt_by_name = true;
    world.wants("ana").face_name = "R\u{AD}io".parse().unwrap();
    for name in ["ana", "rio"] {
        assert_eq!(world.reason(name), Reason::Blocked(Block::SameName(vec![id("r1")])));
    }
}

#[test]
fn another_normal_form_of_a_name_is_neither_drift_nor_change() {
    let (composed, decomposed) = ("Zo\u{eb}", "Zoe\u{308}");
    for (wanted, recorded, live) in
        [(decomposed, decomposed, composed), (composed, decomposed, decomposed), (decomposed, composed, composed)]
    {
        let mut world = World::agreeing().face("zoe");
        world.wants("zoe").face_name = wanted.parse().unwrap();
        world.record("zoe").name = recorded.parse().unwrap();
        world.live("zoe").name = Some(live.to_owned());
        assert_eq!(world.decision("zoe"), (Action::NoOp, Reason::Agrees));
        assert_eq!(world.face_plan("zoe").drift, []);
        world.live("zoe").name = Some("Old".to_owned());
        assert_eq!(world.reason("zoe"), Reason::Drifted, "another spelling is no change of the manifest");
    }
}

#[test]
fn the_token_leaves_a_name_that_the_api_spells_its_own_way() {
    let mut world = World::agreeing().training("zoe");
    world.wants("zoe").face_name = "Zoe\u{308}".parse().unwrap();
    world.record("zoe").name = "Zoe\u{308}".parse().unwrap();
    let token = world.token("zoe", 1);
    world.live("zoe").name = Some(format!("Zo\u{eb} [{token}]"));
    assert_eq!(world.decision("zoe"), (Action::Wait, Reason::TrainingGoesOn));
    world.live("zoe").status = TrainingStatus::Ready;
    assert_eq!(world.reason("zoe"), Reason::TokenLeavesName);
    let (desired, recorded) = (world.desired.faces[&key("zoe")].clone(), world.recorded.faces[&key("zoe")].clone());
    for live_name in [format!("Zo\u{eb} [{token}]"), format!("\u{FF3A}o\u{eb} [{token}]")] {
        world.live("zoe").name = Some(live_name.clone());
        let live = world.live("zoe").clone();
        let update = crate::plan::finishing(Naming::Clean, &desired, &recorded, &live).unwrap();
        assert_eq!(update.name.unwrap().after(), "Zoe\u{308}", "{live_name}");
    }
}

#[test]
fn a_rename_that_no_eye_sees_is_shown_escaped() {
    let mut world = World::agreeing().face("zoe");
    world.wants("zoe").face_name = "Zo\u{eb}".parse().unwrap();
    world.record("zoe").name = "Zo\u{eb}".parse().unwrap();
    world.live("zoe").name = Some("\u{200B}Zoe\u{308}".to_owned());
    assert_eq!(world.reason("zoe"), Reason::Drifted);
    let text = world.text();
    assert!(text.contains(r#"face_name: "\u{200b}Zoe\u{308}" -> "Zo\u{eb}""#), "{text}");
}

#[test]
fn a_part_of_the_project_says_nothing_about_the_rest() {
    let mut world = World::agreeing().face("rio").face("ana");
    world.undeclare("rio");
    world.vanish("rio");
    assert_eq!(world.action("rio"), Action::Forget);
    world.policy.scope = crate::plan::Scope::Part;
    let plan = world.plan();
    assert_eq!((plan.faces.len(), plan.left_out.count(), plan.left_out.elsewhere), (1, 1, 1));
}
