//! What becomes of a world when its plan is carried out, and when time passes.

use crate::face::{
    Attempt, FaceId, ObservedFace, Presence, RecordedFace, Token, TrainedFrom, TrainingStatus, named_with,
};
use crate::plan::tests::world::{World, key, live, noon};
use crate::plan::{Action, Adopt, Switch, presence};

/// Does in memory what the executor does there and here.
pub(super) fn applied(mut world: World) -> World {
    let plan = world.plan();
    for (key, wanted) in &world.desired.faces {
        if let Some(record) = world.recorded.faces.get_mut(key) {
            let lifecycle = wanted.spec.lifecycle;
            (record.on_removal, record.protect) = (lifecycle.on_removal, lifecycle.protect);
        }
    }
    for face in &plan.faces {
        let name = face.key.as_str();
        match face.action.clone() {
            Action::Create(create) | Action::Replace(create) => {
                let is_beside = matches!(face.action, Action::Replace(_));
                let new = live(&format!("n-{name}-{}", create.token), "", TrainingStatus::Training, noon());
                let new = ObservedFace { name: Some(named_with(&create.spec.face_name, &create.token)), ..new };
                world.observed.faces.insert(new.id.clone(), new.clone());
                let beside = create.instead_of.clone().filter(|_| is_beside);
                let is_gone = create.instead_of.is_none();
                take(&mut world, name, (&new.id, Some(create.token), Some(create.trained_from)), beside, is_gone);
            }
            Action::Adopt(Adopt { moved_from: Some(from), .. }) => {
                // Of two that claim one record, the executor refuses the second; the plan must not ask for it.
                let record = world.recorded.faces.remove(&from).expect("one record is moved once");
                world.recorded.faces.insert(face.key.clone(), record);
            }
            Action::Adopt(adopt) => {
                let present = world.recorded.faces.get(&face.key);
                let is_gone = present.is_some_and(|face| presence(face, &world.observed) == Presence::Gone);
                take(&mut world, name, (&adopt.id, adopt.token, adopt.trained_from), adopt.beside, is_gone);
                world.recorded.open.remove(&face.key);
            }
            Action::Update(update) => {
                let token_in_name = update.token_in_name;
                if let Some(change) = update.name {
                    world.live(name).name = Some(change.after().clone());
                    let wanted = world.wants(name).face_name.clone();
                    let record = world.record(name);
                    (record.name, record.token_in_name) = (wanted, token_in_name);
                }
            }
            Action::Switch(switch) => go_over(&mut world, name, &switch),
            Action::GiveUp(_) => {
                let record = world.record(name);
                let left = record.successor.take().expect("it has one");
                record.previous.push(left.left(noon()));
            }
            Action::Forget => drop(world.recorded.faces.remove(&face.key)),
            Action::NoOp | Action::Wait | Action::Orphaned | Action::Delete(_) | Action::Blocked => {}
        }
    }
    for (key, id) in plan.deletions() {
        world.observed.faces.remove(id);
        if let Some(record) = world.recorded.faces.remove(key).filter(|record| record.id != *id) {
            world.recorded.faces.insert(key.clone(), record.without(id));
        }
    }
    world
}

fn go_over(world: &mut World, name: &str, switch: &Switch) {
    let repoints = world.wants(name).lifecycle.repoint_pals;
    if let Some(pals) = world.observed.pals.as_mut().filter(|_| repoints) {
        let users = pals.by_face.remove(&switch.from).unwrap_or_default();
        pals.by_face.entry(switch.to.clone()).or_default().extend(users);
    }
    let record = world.recorded.faces.remove(&key(name)).expect("it is recorded");
    let is_next = record.successor.as_ref().is_some_and(|successor| successor.id == switch.to);
    let over = if is_next { record.succeeded(noon()) } else { record.back_to(&switch.to, noon()).unwrap() };
    world.recorded.faces.insert(key(name), over);
}

fn take(
    world: &mut World,
    name: &str,
    (new, token, trained_from): (&FaceId, Option<Token>, Option<TrainedFrom>),
    beside: Option<FaceId>,
    is_gone: bool,
) {
    let shown = world.observed.faces.get(new).map(|face| face.shown_name().to_owned());
    let wanted = world.desired.faces.get(&key(name)).map(|face| face.spec.face_name.clone());
    let record = RecordedFace {
        id: new.clone(),
        name: shown.and_then(|name| name.parse().ok()).or(wanted).unwrap(),
        default_voice: None,
        attempt: token.as_ref().map_or(Attempt::FIRST, Token::attempt),
        token_in_name: token.is_some(),
        token,
        trained_from,
        created_at: Some(noon()),
        on_removal: crate::face::OnRemoval::Retain,
        protect: false,
        manifest: None,
        seen_usable: false,
        last_seen: None,
        successor: None,
        previous: Vec::new(),
        rolled_back_from: None,
        going_back_to: None,
    };
    let before = world.recorded.faces.remove(&key(name));
    let record = crate::apply::placed(before, record, beside.as_ref(), is_gone, noon());
    world.recorded.faces.insert(key(name), record);
}

/// Hours pass: what trains becomes ready, or fails where a key has no luck.
pub(super) fn ripened(mut world: World, unlucky: &[bool]) -> World {
    for (name, is_unlucky) in super::generator::KEYS.iter().zip(unlucky) {
        let ids: Vec<FaceId> =
            world.recorded.faces.get(&key(name)).map(|record| record.ids().cloned().collect()).unwrap_or_default();
        for id in ids {
            let Some(face) = world.observed.faces.get_mut(&id) else { continue };
            face.status = match &face.status {
                TrainingStatus::Training if *is_unlucky => TrainingStatus::Failed,
                TrainingStatus::Training | TrainingStatus::Preview => TrainingStatus::Ready,
                status => status.clone(),
            };
        }
    }
    world
}
