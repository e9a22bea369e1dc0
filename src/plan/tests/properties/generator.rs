//! Worlds of all kinds: what each key asks for, remembers and shows, chosen from small sets.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use crate::face::{
    Certainty, Check, FaceId, Finding, LastSeen, Naming, ObservedPals, OnFailed, OnMissing, OnRemoval, OnSourceChange,
    Pal, PreviousFace, RecordedFace, SourceFile, TrainedFrom, TrainingInput, TrainingSource, TrainingStatus, WaitFor,
    named_with,
};
use crate::plan::tests::world::{World, from_object, id, key, live, noon, revision};

pub(super) const KEYS: [&str; 3] = ["ana", "bea", "rio"];

/// What one key is, in each view. Numbers choose from small sets, so that views meet often.
#[derive(Debug, Clone)]
struct Case {
    declared: Option<Wish>,
    recorded: Option<Memory>,
    /// A create left open: which inputs and attempt, and whether it was to wait beside the present face.
    open: Option<(u8, u32, bool)>,
    /// Further live faces under this key's tokens: which inputs, attempt, status.
    bearers: Vec<(u8, u32, u8)>,
    material: Material,
}

/// What a key is trained from, and what a look at it showed.
#[derive(Debug, Clone)]
struct Material {
    /// An object, whose versions are numbered from 0; a link otherwise.
    is_object: bool,
    retrains: bool,
    /// A file that cannot be read stands in the manifest by now.
    is_unread: bool,
    /// Which version lies there, where somebody could ask.
    lies: Option<u8>,
    /// 0: nobody looked. 1: nothing. 2: advice. 3: an error.
    findings: u8,
    /// The version that the create left open was sent with.
    open: Option<u8>,
}

#[derive(Debug, Clone)]
struct Wish {
    inputs: u8,
    shares_name: bool,
    recreate: bool,
    retry: bool,
    protect: bool,
    wait_for: u8,
    on_removal: u8,
    /// Hours.
    retire_after: u8,
    repoints: bool,
}

#[derive(Debug, Clone)]
struct Memory {
    /// None: imported. Some of them know their token only.
    inputs: Option<u8>,
    knows_inputs: bool,
    /// Which version of the object.
    version: Option<u8>,
    attempt: u32,
    /// What the live face says; none: it is gone.
    status: Option<u8>,
    name: u8,
    is_young: bool,
    /// Whether the first bearer was left for this face.
    left_bearer: bool,
    /// The new face that is to take the place.
    successor: Option<Other>,
    /// Faces that were left for this one.
    previous: Vec<Other>,
    rolled_back_from: Option<u8>,
    on_removal: u8,
    protect: bool,
    /// How many hours ago it was seen failed.
    failed_since: Option<u8>,
}

/// A face of a key that is not its present one.
#[derive(Debug, Clone)]
struct Other {
    inputs: u8,
    version: Option<u8>,
    /// 0: all is known of it. 1: its token only. 2: not even that, unless its name shows it.
    forgotten: u8,
    attempt: u32,
    /// None: it is gone.
    status: Option<u8>,
    shows_token: bool,
    /// How many hours ago it was left, or made.
    hours: u8,
}

/// The first kind is the most frequent, so that wish and memory often agree.
fn inputs() -> impl Strategy<Value = u8> {
    prop_oneof![Just(0u8), 0..3u8]
}

fn wish() -> impl Strategy<Value = Wish> {
    let lifecycle = (prop::bool::weighted(0.3), 0..3u8, 0..3u8, prop::sample::select(vec![0, 24u8]), any::<bool>());
    (inputs(), any::<bool>(), any::<bool>(), any::<bool>(), lifecycle).prop_map(
        |(inputs, shares_name, recreate, retry, (protect, wait_for, on_removal, retire_after, repoints))| Wish {
            inputs,
            shares_name,
            recreate,
            retry,
            protect,
            wait_for,
            on_removal,
            retire_after,
            repoints,
        },
    )
}

fn status_or_gone() -> impl Strategy<Value = Option<u8>> {
    // Ready is what most faces are.
    prop::option::weighted(0.8, prop_oneof![Just(2u8), 0..6u8])
}

fn other() -> impl Strategy<Value = Other> {
    let hours = prop::sample::select(vec![1, 12, 30, 80u8]);
    ((inputs(), version()), 0..3u8, 1..4u32, status_or_gone(), any::<bool>(), hours).prop_map(
        |((inputs, version), forgotten, attempt, status, shows_token, hours)| Other {
            inputs,
            version,
            forgotten,
            attempt,
            status,
            shows_token,
            hours,
        },
    )
}

fn version() -> impl Strategy<Value = Option<u8>> {
    prop::option::weighted(0.8, 0..3u8)
}

fn material() -> impl Strategy<Value = Material> {
    let policy = (any::<bool>(), prop::bool::weighted(0.7), prop::bool::weighted(0.1));
    (policy, version(), prop::sample::select(vec![0, 1, 1, 2, 3u8]), version()).prop_map(
        |((is_object, retrains, is_unread), lies, findings, open)| Material {
            is_object,
            retrains,
            is_unread,
            lies,
            findings,
            open,
        },
    )
}

fn memory() -> impl Strategy<Value = Memory> {
    let inputs = (prop::option::weighted(0.9, inputs()), version());
    let present = (inputs, any::<bool>(), 1..3u32, status_or_gone(), 0..4u8);
    let others = (prop::option::weighted(0.4, other()), prop::collection::vec(other(), 0..3));
    let kept = (prop::option::weighted(0.1, 0..3u8), 0..3u8, prop::bool::weighted(0.3));
    (present, any::<bool>(), any::<bool>(), others, kept, prop::option::of(0..48u8)).prop_map(
        |(present, is_young, left_bearer, (successor, previous), kept, failed_since)| {
            let ((inputs, version), knows_inputs, attempt, status, name) = present;
            let (rolled_back_from, on_removal, protect) = kept;
            Memory {
                inputs,
                knows_inputs,
                version,
                attempt,
                status,
                name,
                is_young,
                left_bearer,
                successor,
                previous,
                rolled_back_from,
                on_removal,
                protect,
                failed_since,
            }
        },
    )
}

fn case() -> impl Strategy<Value = Case> {
    let bearers = prop::collection::vec((0..3u8, 1..3u32, 0..6u8), 0..3);
    let bearers = prop_oneof![Just(Vec::new()), bearers];
    (
        prop::option::weighted(0.8, wish()),
        prop::option::weighted(0.7, memory()),
        prop::option::weighted(0.2, (0..3u8, 1..3u32, any::<bool>())),
        bearers,
        material(),
    )
        .prop_map(|(declared, recorded, open, bearers, material)| Case {
            declared,
            recorded,
            open,
            bearers,
            material,
        })
}

prop_compose! {
    pub(super) fn world()(
        cases in prop::collection::vec(case(), KEYS.len()),
        flags in prop::collection::vec((any::<bool>(), any::<bool>(), any::<bool>()), KEYS.len()),
        (prune, allow_empty, prune_failed) in (prop::bool::weighted(0.7), any::<bool>(), any::<bool>()),
        pals in pals(),
        is_partial in prop::bool::weighted(0.2),
        is_marker in any::<bool>(),
        adopt_by_name in any::<bool>(),
        strangers in 0..3usize,
        steals in prop::bool::weighted(0.2),
        moves in prop::collection::vec(prop::option::weighted(0.2, 0..KEYS.len()), KEYS.len()),
        names in prop::collection::vec(prop::option::weighted(0.3, (0..NAMED.len(), any::<bool>())), KEYS.len()),
    ) -> World {
        let mut world = World::agreeing();
        world.desired.naming = if is_marker { Naming::Marker } else { Naming::Clean };
        world.policy.adopt_by_name = adopt_by_name;
        (world.policy.prune, world.policy.allow_empty, world.policy.prune_failed) = (prune, allow_empty, prune_failed);
        for (name, (recreate, retry, roll_forward)) in KEYS.iter().zip(&flags) {
            if *roll_forward { world.policy.roll_forward.insert(key(name)); }
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
        for (name, named) in KEYS.iter().zip(&names) {
            if let (Some((place, keeps_source)), true) = (named, world.desired.faces.contains_key(&key(name))) {
                let source = world.wants(name).training.clone();
                world.names(name, NAMED[*place]);
                world.wants(name).training = source.filter(|_| *keeps_source);
            }
        }
        if is_partial { world = world.seen_in_part(); }
        look_at_pals(&mut world, &pals);
        world
    }
}

/// Faces that manifests name by their id: strangers, recorded ones, ones that carry a token, and one that is not there.
const NAMED: [&str; 7] = ["s0", "s1", "s2", "r-ana", "r-rio", "b-bea-0", "nowhere"];

/// What a look at the PALs showed: which live faces are used (a number chooses one), and whether that was all.
#[derive(Debug, Clone)]
struct Pals {
    used: Vec<usize>,
    is_whole: bool,
}

fn pals() -> impl Strategy<Value = Option<Pals>> {
    let used = prop::collection::vec(0..12usize, 0..3);
    let pals = (used, prop::bool::weighted(0.8)).prop_map(|(used, is_whole)| Pals { used, is_whole });
    prop::option::weighted(0.85, pals)
}

fn look_at_pals(world: &mut World, pals: &Option<Pals>) {
    let Some(Pals { used, is_whole }) = pals else { return };
    let missing = (!is_whole).then(|| "the API counts 46 PALs and lists 40".to_owned());
    let ids: Vec<FaceId> = world.observed.faces.keys().cloned().collect();
    let mut by_face: BTreeMap<FaceId, Vec<Pal>> = BTreeMap::new();
    for (number, place) in used.iter().enumerate() {
        let pal = Pal { id: format!("p{number}").parse().unwrap(), name: format!("PAL {number}") };
        if let Some(id) = ids.get(*place) {
            by_face.entry(id.clone()).or_default().push(pal);
        }
    }
    world.observed.pals = Some(ObservedPals { missing, by_face });
}

fn removal(number: u8) -> OnRemoval {
    [OnRemoval::Retain, OnRemoval::Delete, OnRemoval::HardDelete][usize::from(number)]
}

fn training_version(inputs: u8) -> Option<String> {
    Some(format!("{inputs}"))
}

fn source(name: &str, is_object: bool) -> Option<TrainingInput> {
    if is_object { Some(from_object(name)) } else { crate::plan::tests::world::spec(name).training }
}

/// A link has no versions.
fn of_version(from: TrainedFrom, version: Option<u8>, is_object: bool) -> TrainedFrom {
    let version = version.filter(|_| is_object);
    TrainedFrom { revision: version.map(|version| revision(&format!("v{version}"))), ..from }
}

/// Says what a look at the material showed.
fn look_at_material(world: &mut World, name: &str, material: &Material) {
    let Material { is_object, retrains, is_unread, lies, findings, open: _ } = material;
    if let Some(version) = lies.filter(|_| *is_object) {
        world.lies(name, &format!("v{version}"));
    }
    let error = Finding::error(Check::Size, "it is 812 MB", "a video has at most 750 MB", Certainty::Documented);
    let advice = Finding::advice(Check::Duration, "it is 30 s long", "2 minutes", Certainty::Recommended);
    match findings {
        0 => {}
        1 => world.found(name, Vec::new()),
        2 => world.found(name, vec![advice]),
        _ => world.found(name, vec![error, advice]),
    }
    let Some(face) = world.desired.faces.get_mut(&key(name)) else { return };
    face.spec.lifecycle.on_source_change = if *retrains { OnSourceChange::Retrain } else { OnSourceChange::Report };
    if *is_unread {
        let file = SourceFile { name: format!("./{name}.mp4"), path: "".into(), root: "".into(), content: None };
        face.spec.training = Some(TrainingInput::Video { source: TrainingSource::File(file) });
    }
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
    let Case { declared, recorded, open, bearers, material } = case;
    let Material { is_object, open: sent, .. } = *material;
    world.wants(name).training = source(name, is_object);
    for (number, (inputs, attempt, state)) in bearers.iter().enumerate() {
        world.wants(name).training_version = training_version(*inputs);
        let face_id = format!("b-{name}-{number}");
        world = world.bearer(&face_id, name, *attempt);
        world.observed.faces.get_mut(&id(&face_id)).unwrap().status = status(*state);
    }
    if let Some((inputs, attempt, _)) = open {
        world.wants(name).training_version = training_version(*inputs);
        world = world.in_doubt(name, *attempt);
        let open = world.recorded.open.get_mut(&key(name)).unwrap();
        open.trained_from = of_version(open.trained_from.clone(), sent, is_object);
    }
    if let Some(memory) = recorded {
        world = remember(world, name, memory, is_object);
    }
    if let (Some((_, _, true)), Some(record)) = (open, world.recorded.faces.get(&key(name))) {
        let beside = Some(record.id.clone());
        world.recorded.open.get_mut(&key(name)).unwrap().beside = beside;
    }
    match declared {
        None => world.undeclare(name),
        Some(Wish { inputs, shares_name, recreate, retry, protect, wait_for, on_removal, retire_after, repoints }) => {
            let spec = world.wants(name);
            spec.training_version = training_version(*inputs);
            if *shares_name {
                spec.face_name = "Shared".parse().unwrap();
            }
            spec.lifecycle.on_missing = if *recreate { OnMissing::Recreate } else { OnMissing::Block };
            spec.lifecycle.on_failed = if *retry { OnFailed::Retry } else { OnFailed::Block };
            spec.lifecycle.protect = *protect;
            spec.lifecycle.on_removal = removal(*on_removal);
            spec.lifecycle.retire_after = SignedDuration::from_hours(i64::from(*retire_after));
            spec.lifecycle.repoint_pals = *repoints;
            spec.lifecycle.wait_for = [WaitFor::None, WaitFor::Preview, WaitFor::Ready][usize::from(*wait_for)];
        }
    }
    look_at_material(&mut world, name, material);
    world
}

fn remember(mut world: World, name: &str, memory: &Memory, is_object: bool) -> World {
    let Memory {
        inputs,
        knows_inputs,
        version,
        attempt,
        status: state,
        name: live_name,
        is_young,
        left_bearer,
        successor,
        previous,
        rolled_back_from,
        on_removal,
        protect,
        failed_since,
    } = memory;
    world.wants(name).training_version = training_version(inputs.unwrap_or(0));
    world = world.face(name);
    world.wants(name).training = source(name, is_object);
    world.wants(name).training_version = training_version(inputs.unwrap_or(0));
    let (token, trained_from) = (world.token(name, *attempt), world.wants(name).trained_from());
    let record = world.record(name);
    record.attempt = token.attempt();
    record.token = inputs.is_some().then(|| token.clone());
    let trained_from = trained_from.map(|from| of_version(from, *version, is_object));
    record.trained_from = trained_from.filter(|_| inputs.is_some() && *knows_inputs);
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
    for (number, other) in previous.iter().enumerate() {
        let whole = stand_beside(&mut world, name, &format!("o-{name}-{number}"), other, is_object);
        let left = whole.left(hours_ago(other.hours));
        let left = match other.forgotten {
            0 => left,
            1 => PreviousFace { trained_from: None, ..left },
            _ => PreviousFace::known_by_id(left.id),
        };
        world.record(name).previous.push(left);
    }
    if let Some(other) = successor {
        let new = stand_beside(&mut world, name, &format!("x-{name}"), other, is_object);
        world.record(name).successor = Some(Box::new(new));
    }
    world.wants(name).training_version = rolled_back_from.and_then(training_version);
    let rolled_back_from = rolled_back_from.and_then(|_| world.wants(name).fingerprint());
    let record = world.record(name);
    (record.rolled_back_from, record.on_removal, record.protect) = (rolled_back_from, removal(*on_removal), *protect);
    let seen = |hours: &u8| LastSeen { at: hours_ago(*hours), status: TrainingStatus::Failed, progress: None };
    record.last_seen = failed_since.as_ref().map(seen);
    world
}

fn hours_ago(hours: u8) -> Timestamp {
    noon() - SignedDuration::from_hours(i64::from(hours))
}

/// Returns the record of one more face of a key, which lives unless it is gone.
fn stand_beside(world: &mut World, name: &str, face_id: &str, other: &Other, is_object: bool) -> RecordedFace {
    let Other { inputs, version, forgotten, attempt, status: state, shows_token, hours } = other;
    world.wants(name).training_version = training_version(*inputs);
    let (token, trained_from) = (world.token(name, *attempt), world.wants(name).trained_from());
    let shown = world.wants(name).face_name.clone();
    if let Some(state) = state {
        let shown = if *shows_token { named_with(&shown, &token) } else { shown.to_string() };
        world.observed.faces.insert(id(face_id), live(face_id, &shown, status(*state), hours_ago(*hours)));
    }
    RecordedFace {
        id: id(face_id),
        trained_from: trained_from.map(|from| of_version(from, *version, is_object)).filter(|_| *forgotten == 0),
        attempt: token.attempt(),
        token: Some(token),
        token_in_name: *shows_token,
        created_at: Some(hours_ago(*hours)),
        seen_usable: state.is_some_and(|state| status(state).is_usable()),
        successor: None,
        previous: Vec::new(),
        rolled_back_from: None,
        going_back_to: None,
        ..world.record(name).clone()
    }
}
