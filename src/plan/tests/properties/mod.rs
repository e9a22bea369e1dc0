//! Rules that hold for every world, one property a rule.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;

use super::world::{World, id, key, live, noon};
use crate::face::{
    Attempt, Coverage, FaceId, Naming, Observed, OnFailed, OnMissing, Presence, PreviousFace, RecordedFace, Token,
    TrainingStatus, WaitFor, named_with,
};
use crate::plan::{Action, Plan, Reason, plan, presence};

const KEYS: [&str; 3] = ["ana", "bea", "rio"];

/// What one key is, in each view. Numbers choose from small sets, so that views meet often.
#[derive(Debug, Clone)]
struct Case {
    declared: Option<Wish>,
    recorded: Option<Memory>,
    /// A create left open: which inputs and attempt.
    open: Option<(u8, u32)>,
    /// Further live faces under this key's tokens: which inputs, attempt, status.
    bearers: Vec<(u8, u32, u8)>,
}

#[derive(Debug, Clone)]
struct Wish {
    inputs: u8,
    shares_name: bool,
    recreate: bool,
    retry: bool,
    protect: bool,
    wait_for: u8,
}

#[derive(Debug, Clone)]
struct Memory {
    /// None: imported. Some of them know their token only.
    inputs: Option<u8>,
    knows_inputs: bool,
    attempt: u32,
    /// What the live face says; none: it is gone.
    status: Option<u8>,
    name: u8,
    is_young: bool,
    /// Whether the first bearer was left for this face.
    left_bearer: bool,
}

fn wish() -> impl Strategy<Value = Wish> {
    (0..2u8, any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>(), 0..3u8).prop_map(
        |(inputs, shares_name, recreate, retry, protect, wait_for)| Wish {
            inputs,
            shares_name,
            recreate,
            retry,
            protect,
            wait_for,
        },
    )
}

fn memory() -> impl Strategy<Value = Memory> {
    let status = prop::option::weighted(0.75, 0..6u8);
    (prop::option::weighted(0.9, 0..2u8), any::<bool>(), 1..3u32, status, 0..4u8, any::<bool>(), any::<bool>())
        .prop_map(|(inputs, knows_inputs, attempt, status, name, is_young, left_bearer)| Memory {
            inputs,
            knows_inputs,
            attempt,
            status,
            name,
            is_young,
            left_bearer,
        })
}

fn case() -> impl Strategy<Value = Case> {
    let bearers = prop::collection::vec((0..2u8, 1..3u32, 0..6u8), 0..3);
    (
        prop::option::weighted(0.8, wish()),
        prop::option::weighted(0.6, memory()),
        prop::option::weighted(0.2, (0..2u8, 1..3u32)),
        bearers,
    )
        .prop_map(|(declared, recorded, open, bearers)| Case { declared, recorded, open, bearers })
}

prop_compose! {
    fn world()(
        cases in prop::collection::vec(case(), KEYS.len()),
        flags in prop::collection::vec((any::<bool>(), any::<bool>()), KEYS.len()),
        is_partial in prop::bool::weighted(0.2),
        is_marker in any::<bool>(),
        adopt_by_name in any::<bool>(),
        strangers in 0..3usize,
        steals in prop::bool::weighted(0.2),
        moves in prop::collection::vec(prop::option::weighted(0.2, 0..KEYS.len()), KEYS.len()),
    ) -> World {
        let mut world = World::agreeing();
        world.desired.naming = if is_marker { Naming::Marker } else { Naming::Clean };
        world.policy.adopt_by_name = adopt_by_name;
        for (name, (recreate, retry)) in KEYS.iter().zip(&flags) {
            if *recreate { world.policy.recreate.insert(key(name)); }
            if *retry { world.policy.retry.insert(key(name)); }
        }
        for (name, case) in KEYS.iter().zip(&cases) {
            world = with(world, name, case);
        }
        for number in 0..strangers {
            let names = ["Rio", "Shared", "Rio [fc-aaaaaaaa-aaaaaa-1]"];
            world = world.stray(&format!("s{number}"), names[number]);
        }
        if steals && let (Some(mut record), false) =
            (world.recorded.faces.remove(&key("ana")), world.recorded.faces.contains_key(&key("bea"))) {
            // As `state move` would do.
            record.previous.clear();
            world.recorded.faces.insert(key("bea"), record);
        }
        for (name, from) in KEYS.iter().zip(&moves) {
            if let (Some(from), Some(face)) = (from, world.desired.faces.get_mut(&key(name))) {
                face.annotations.insert("facectl.dev/moved-from".to_owned(), KEYS[*from].to_owned());
            }
        }
        if is_partial { world = world.seen_in_part(); }
        world
    }
}

fn version(inputs: u8) -> Option<String> {
    Some(format!("{inputs}"))
}

fn status(number: u8) -> TrainingStatus {
    match number {
        0 => TrainingStatus::Training,
        1 => TrainingStatus::Preview,
        2 => TrainingStatus::Ready,
        3 => TrainingStatus::TuningFailed,
        4 => TrainingStatus::Failed,
        _ => TrainingStatus::Unknown("paused".to_owned()),
    }
}

fn with(world: World, name: &str, case: &Case) -> World {
    let mut world = world.declared(name);
    let Case { declared, recorded, open, bearers } = case;
    for (number, (inputs, attempt, state)) in bearers.iter().enumerate() {
        world.wants(name).training_version = version(*inputs);
        let face_id = format!("b-{name}-{number}");
        world = world.bearer(&face_id, name, *attempt);
        world.observed.faces.get_mut(&id(&face_id)).unwrap().status = status(*state);
    }
    if let Some((inputs, attempt)) = open {
        world.wants(name).training_version = version(*inputs);
        world = world.in_doubt(name, *attempt);
    }
    if let Some(memory) = recorded {
        world = remember(world, name, memory);
    }
    match declared {
        None => world.undeclare(name),
        Some(Wish { inputs, shares_name, recreate, retry, protect, wait_for }) => {
            let spec = world.wants(name);
            spec.training_version = version(*inputs);
            if *shares_name {
                spec.face_name = "Shared".parse().unwrap();
            }
            spec.lifecycle.on_missing = if *recreate { OnMissing::Recreate } else { OnMissing::Block };
            spec.lifecycle.on_failed = if *retry { OnFailed::Retry } else { OnFailed::Block };
            spec.lifecycle.protect = *protect;
            spec.lifecycle.wait_for = [WaitFor::None, WaitFor::Preview, WaitFor::Ready][usize::from(*wait_for)];
        }
    }
    world
}

fn remember(mut world: World, name: &str, memory: &Memory) -> World {
    let Memory { inputs, knows_inputs, attempt, status: state, name: live_name, is_young, left_bearer } = memory;
    world.wants(name).training_version = version(inputs.unwrap_or(0));
    world = world.face(name);
    world.wants(name).training_version = version(inputs.unwrap_or(0));
    let (token, trained_from) = (world.token(name, *attempt), world.wants(name).trained_from());
    let record = world.record(name);
    record.attempt = token.attempt();
    record.token = inputs.is_some().then(|| token.clone());
    record.trained_from = Some(trained_from).filter(|_| inputs.is_some() && *knows_inputs);
    record.token_in_name = *live_name == 1;
    if *is_young {
        (record.seen_usable, record.created_at) = (false, Some(noon() - Duration::from_secs(60)));
    }
    let live = world.live(name);
    live.name = match live_name {
        0 => None,
        1 => live.name.as_deref().map(|name| named_with(&name.parse().unwrap(), &token)),
        2 => live.name.take(),
        _ => Some("Edited".to_owned()),
    };
    match state {
        Some(state) => live.status = status(*state),
        None => world.vanish(name),
    }
    let bearer = id(&format!("b-{name}-0"));
    if *left_bearer && world.observed.faces.contains_key(&bearer) {
        world.record(name).previous.push(PreviousFace::known_by_id(bearer));
    }
    world
}

fn creates(plan: &Plan) -> impl Iterator<Item = (&crate::face::FaceKey, &crate::plan::Create)> {
    plan.faces.iter().filter_map(|face| Some((&face.key, face.action.training()?)))
}

/// The live faces that an action would touch or take.
fn touched(plan: &Plan) -> Vec<FaceId> {
    let of = |action: &Action| match action {
        Action::Adopt(adopt) => Some(adopt.id.clone()),
        Action::Update(update) => Some(update.id.clone()),
        Action::Switch(switch) => Some(switch.to.clone()),
        Action::GiveUp(id) => Some(id.clone()),
        Action::NoOp
        | Action::Create(_)
        | Action::Replace(_)
        | Action::Wait
        | Action::Forget
        | Action::Orphaned
        | Action::Delete(_)
        | Action::Blocked => None,
    };
    let deleted = plan.deletions().map(|(_, id)| id.clone());
    plan.faces.iter().filter_map(|face| of(&face.action)).chain(deleted).collect()
}

/// Does in memory what the executor does there and here.
fn applied(mut world: World) -> World {
    let plan = world.plan();
    for (key, id) in plan.deletions() {
        world.observed.faces.remove(id);
        if let Some(record) = world.recorded.faces.remove(key).filter(|record| record.id != *id) {
            world.recorded.faces.insert(key.clone(), record.without(id));
        }
    }
    for face in plan.faces {
        let name = face.key.as_str();
        match face.action {
            Action::Create(create) | Action::Replace(create) => {
                let is_beside = matches!(face.reason, Reason::InputsChanged(_))
                    || matches!(face.reason, Reason::RetryReplacement(_) | Reason::RecreateReplacement);
                let new = live(&format!("n-{name}-{}", create.token), "", TrainingStatus::Training, noon());
                let new =
                    crate::face::ObservedFace { name: Some(named_with(&create.spec.face_name, &create.token)), ..new };
                world.observed.faces.insert(new.id.clone(), new.clone());
                let beside = create.instead_of.clone().filter(|_| is_beside);
                let is_gone = create.instead_of.is_none();
                take(&mut world, name, (&new.id, Some(create.token), Some(create.trained_from)), beside, is_gone);
            }
            Action::Adopt(crate::plan::Adopt { moved_from: Some(from), .. }) => {
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
            Action::Switch(switch) => {
                let record = world.recorded.faces.remove(&face.key).expect("it is recorded");
                let is_next = record.successor.as_ref().is_some_and(|successor| successor.id == switch.to);
                let over = if is_next { record.succeeded(noon()) } else { record.back_to(&switch.to, noon()).unwrap() };
                world.recorded.faces.insert(face.key.clone(), over);
            }
            Action::GiveUp(_) => {
                let record = world.record(name);
                let left = record.successor.take().expect("it has one");
                record.previous.push(left.left(noon()));
            }
            Action::Forget => drop(world.recorded.faces.remove(&face.key)),
            Action::NoOp | Action::Wait | Action::Orphaned | Action::Delete(_) | Action::Blocked => {}
        }
    }
    world
}

fn take(
    world: &mut World,
    name: &str,
    (new, token, trained_from): (&FaceId, Option<Token>, Option<crate::face::TrainedFrom>),
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
        seen_usable: false,
        last_seen: None,
        successor: None,
        previous: Vec::new(),
        rolled_back_from: None,
    };
    let record = match world.recorded.faces.remove(&key(name)) {
        None => record,
        Some(before) if beside.as_ref() == Some(&before.id) => before.with_successor(record, noon()),
        Some(before) => before.replaced_by(record, is_gone, noon()),
    };
    world.recorded.faces.insert(key(name), record);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn planning_twice_gives_the_same_plan(world in world()) {
        prop_assert_eq!(world.plan(), world.plan());
        prop_assert_eq!(world.text(), world.text());
    }

    #[test]
    fn the_order_of_the_manifests_does_not_matter(world in world()) {
        let backwards: BTreeMap<_, _> = world.desired.faces.clone().into_iter().rev().collect();
        let faces: BTreeMap<_, _> = world.observed.faces.clone().into_iter().rev().collect();
        let desired = crate::face::Desired { faces: backwards, ..world.desired.clone() };
        let observed = Observed { faces, ..world.observed.clone() };
        prop_assert_eq!(plan(&desired, &world.recorded, &observed, &world.policy), world.plan());
    }

    #[test]
    fn each_key_that_anybody_knows_stands_in_the_plan_exactly_once(world in world()) {
        let World { desired, recorded, .. } = &world;
        let known: BTreeSet<_> = desired.faces.keys().chain(recorded.faces.keys()).chain(recorded.open.keys()).collect();
        let plan = world.plan();
        prop_assert_eq!(plan.faces.iter().map(|face| &face.key).collect::<Vec<_>>(), known.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn nothing_foreign_is_touched(world in world()) {
        let World { desired, recorded, observed, policy } = &world;
        for face_id in touched(&world.plan()) {
            // A record can also be moved to another key when its face is gone.
            let Some(face) = observed.faces.get(&face_id) else { continue };
            let is_recorded = recorded.faces.values().any(|face| face.ids().any(|id| *id == face_id));
            let carries_ours = face.token().is_some_and(|token| {
                KEYS.iter().any(|name| Token::owner_of(&desired.project, &key(name)) == token.owner())
            });
            let bears_the_name = policy.adopt_by_name && face.token().is_none()
                && desired.faces.values().filter(|wanted| wanted.spec.face_name.as_str() == face.shown_name()).count() == 1;
            prop_assert!(is_recorded || carries_ours || bears_the_name, "{face_id}");
        }
    }

    #[test]
    fn nothing_is_created_on_a_listing_in_part(world in world()) {
        let world = world.seen_in_part();
        prop_assert_eq!(creates(&world.plan()).count(), 0);
    }

    #[test]
    fn nothing_is_created_while_a_live_face_carries_that_very_token(world in world()) {
        let plan = world.plan();
        for (_, create) in creates(&plan) {
            let bearer = world.observed.faces.values().find(|face| face.token().as_ref() == Some(&create.token));
            prop_assert!(bearer.is_none(), "{:?} carries {}", bearer, create.token);
        }
    }

    #[test]
    fn nothing_is_created_while_an_earlier_create_of_the_key_is_open(world in world()) {
        let plan = world.plan();
        for (key, _) in creates(&plan) {
            prop_assert!(!world.recorded.open.contains_key(key));
        }
    }

    #[test]
    fn nothing_takes_the_place_at_once_of_a_face_that_works_or_trains(world in world()) {
        let plan = world.plan();
        let creates = plan.faces.iter().filter(|face| matches!(face.action, Action::Create(_))).map(|face| &face.key);
        for key in creates {
            let live = world.recorded.faces.get(key).and_then(|face| world.observed.faces.get(&face.id));
            prop_assert!(live.is_none_or(|face| face.status == TrainingStatus::Failed), "{key}");
        }
    }

    #[test]
    fn nothing_is_created_for_a_face_of_the_last_minutes_that_a_listing_does_not_show(world in world()) {
        let plan = world.plan();
        for (key, _) in creates(&plan) {
            let Some(record) = world.recorded.faces.get(key) else { continue };
            let is_young = !record.seen_usable && record.created_at > Some(noon() - Duration::from_secs(300));
            prop_assert!(!is_young || world.observed.faces.contains_key(&record.id), "{key}");
        }
    }

    #[test]
    fn no_face_goes_to_two_keys(world in world()) {
        let World { recorded, .. } = applied(world);
        let mut seen = BTreeSet::new();
        for record in recorded.faces.values() {
            prop_assert!(seen.insert(record.id.clone()), "{} belongs to two", record.id);
        }
    }

    #[test]
    fn no_live_face_is_lost_from_the_record(world in world()) {
        let known = |world: &World| -> BTreeSet<FaceId> {
            let ids = world.recorded.faces.values().flat_map(RecordedFace::ids);
            ids.filter(|id| world.observed.faces.contains_key(*id)).cloned().collect()
        };
        let before = known(&world);
        let after = known(&applied(world));
        prop_assert!(before.is_subset(&after), "{before:?} -> {after:?}");
    }

    #[test]
    fn planning_after_applying_comes_to_rest_and_pays_once_for_each_intent(world in world()) {
        // Flags are given for one run, and the first run has had them.
        let mut world = world;
        let mut paid: Vec<Token> = creates(&world.plan()).map(|(_, create)| create.token.clone()).collect();
        world = applied(world);
        world.policy.recreate.clear();
        world.policy.retry.clear();
        for _ in 0..6 {
            let plan = world.plan();
            if !plan.has_changes() {
                return Ok(());
            }
            paid.extend(creates(&plan).map(|(_, create)| create.token.clone()));
            let distinct: BTreeSet<&Token> = paid.iter().collect();
            prop_assert_eq!(distinct.len(), paid.len(), "paid twice: {:?}", paid);
            world = applied(world);
        }
        prop_assert!(false, "it does not come to rest: {}", world.text());
    }

    #[test]
    fn a_plan_over_its_limit_names_every_paid_face(world in world(), allowed in 0..3u32) {
        let mut world = world;
        world.policy.max_trainings = Some(allowed);
        let plan = world.plan();
        let paid: Vec<_> = creates(&plan).map(|(key, _)| key.clone()).collect();
        let refused: Vec<_> = plan.refusals.iter().flat_map(|refusal| refusal.faces.clone()).collect();
        prop_assert_eq!(refused, if paid.len() > allowed as usize { paid } else { Vec::new() });
    }

    #[test]
    fn absence_from_a_listing_in_part_is_never_called_missing(world in world()) {
        let world = world.seen_in_part();
        prop_assert!(matches!(world.observed.coverage, Coverage::Partial(_)));
        for face in world.plan().faces {
            prop_assert!(!face.drift.contains(&crate::plan::Drift::Missing), "{}", face.key);
            prop_assert!(face.action != Action::Forget, "{}", face.key);
        }
    }
}

#[test]
fn the_worlds_above_are_not_all_alike() {
    // Otherwise a property could hold because nothing it speaks of ever happens.
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for _ in 0..512 {
        let world = world().new_tree(&mut runner).unwrap().current();
        for face in world.plan().faces {
            *seen.entry(face.action.word()).or_default() += 1;
        }
    }
    for word in ["no-op", "create", "adopt", "update", "wait", "forget", "orphaned", "blocked"] {
        assert!(seen.get(word).copied().unwrap_or(0) >= 5, "{word}: {seen:?}");
    }
}
