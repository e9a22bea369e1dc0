//! A part of the project: what is selected is planned as ever, what is not is only counted.

use insta::assert_snapshot;

use super::world::{World, id, key};
use crate::plan::{Action, LeftOut, Reason, Selection};

fn targeting(mut world: World, targets: &[&str]) -> World {
    let targets = targets.iter().map(|text| text.parse().unwrap()).collect();
    world.policy.selection = Selection { targets, ..Selection::default() };
    world
}

fn selecting(mut world: World, selector: &str) -> World {
    world.policy.selection = Selection { labels: vec![selector.parse().unwrap()], ..Selection::default() };
    world
}

fn keys(world: &World) -> Vec<String> {
    world.plan().faces.iter().map(|face| face.key.to_string()).collect()
}

fn label(world: &mut World, name: &str, label: &str, value: &str) {
    let labels = &mut world.desired.faces.get_mut(&key(name)).unwrap().labels;
    labels.insert(label.to_owned(), value.to_owned());
}

#[test]
fn what_is_left_out_is_counted_with_the_changes_it_has() {
    let world = World::agreeing().declared("ana").declared("bea").face("cho").failed("dan").training("eva");
    assert_snapshot!(targeting(world.clone(), &["ana"]).text(), @r#"
    Project acme:

      + ana  create  $ starts a paid training
          face_name:       "Ana"
          model_name:      phoenix-4
          train_video_url: https://media.example.com/ana.mp4?…
          wait_for:        ready
          token:           fc-fediognc-432xq5-1
          because it is declared, nothing is recorded, and no live face answers to
          its token or name
          at faces/ana.yaml:1:1

    Plan: 1 to create, 0 to update, 0 to replace, 0 to delete.
    1 paid training; it usually takes 3 to 4 hours.
    partial plan: only what `--target ana` selects. 4 other faces are left out,
        and 2 of them have changes of their own. Without these flags the plan is
        whole.
    "#);
    let plan = targeting(world, &["cho"]).plan();
    assert!(!plan.has_changes());
    assert_eq!(plan.left_out, LeftOut { elsewhere: 0, unselected: 4, unselected_with_changes: 3 });
}

#[test]
fn a_selector_means_declared_faces_and_a_target_recorded_ones_too() {
    let mut world = World::agreeing().face("ana").face("bea").face("old");
    label(&mut world, "ana", "team", "support");
    label(&mut world, "old", "team", "support");
    world.undeclare("old");
    assert_eq!(keys(&selecting(world.clone(), "team=support")), ["ana"]);
    assert_eq!(keys(&selecting(world.clone(), "!team")), ["bea"]);
    assert_eq!(keys(&targeting(world.clone(), &["old"])), ["old"]);
    assert_eq!(keys(&targeting(world, &["?ea", "o*"])), ["bea", "old"]);
}

#[test]
fn a_renamed_key_is_recognised_although_only_the_new_one_is_selected() {
    let mut world = World::agreeing().face("rio").declared("rio-2");
    world.desired.faces.get_mut(&key("rio-2")).unwrap().spec = world.desired.faces[&key("rio")].spec.clone();
    world.undeclare("rio");
    let world = targeting(world, &["rio-2"]);
    assert!(matches!(world.reason("rio-2"), Reason::Blocked(_)), "it buys nothing: {:?}", world.reason("rio-2"));
    let mut moved = world.clone();
    let annotations = &mut moved.desired.faces.get_mut(&key("rio-2")).unwrap().annotations;
    annotations.insert("facectl.dev/moved-from".to_owned(), "rio".to_owned());
    assert_eq!(moved.reason("rio-2"), Reason::Moved(key("rio")));
    assert_eq!(moved.reason("rio"), Reason::MovedTo(key("rio-2")), "a key goes with the one it became");
    assert_eq!(moved.plan().left_out, LeftOut::default());
}

#[test]
fn names_and_owners_are_judged_by_the_whole_project() {
    // Two want one name, and one live face bears it: neither may take it by name, whichever is selected.
    let mut world = World::agreeing().declared("ana").declared("bea").stray("r1", "Ana");
    world.wants("bea").face_name = "Ana".parse().unwrap();
    world.policy.adopt_by_name = true;
    let world = targeting(world, &["ana"]);
    assert_eq!(world.action("ana"), Action::Blocked);
    // The token of a face that was left out still says that it is ours.
    let world = targeting(World::agreeing().face("ana").declared("bea").bearer("r-bea", "bea", 1), &["ana"]);
    assert_eq!((world.plan().foreign, world.observed.faces.contains_key(&id("r-bea"))), (0, true));
}

#[test]
fn a_limit_counts_what_is_selected_and_duplicates_of_others_are_for_another_run() {
    let mut world = World::agreeing().declared("ana").declared("bea").face("cho").bearer("r9", "cho", 1);
    world.policy.max_trainings = Some(1);
    assert_eq!((world.plan().refusals.len(), world.plan().duplicates.len()), (1, 1));
    let plan = targeting(world, &["bea"]).plan();
    assert_eq!((plan.refusals.len(), plan.duplicates.len(), plan.summary().paid_trainings), (0, 0, 1));
}
