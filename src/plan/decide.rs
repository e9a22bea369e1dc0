//! One face, one action: the decision table.
//!
//! Rows are tried from the top; the first that fits decides.
//!
//! | # | desired | open create | recorded | live | action | reason |
//! |---|---|---|---|---|---|---|
//! | 1 | any | yes | any | carries its token | adopt | `FoundByToken` |
//! | 2 | any | yes | any | not found | blocked | `InDoubt` |
//! | 3 | yes | | no | one carries our token, same inputs | adopt | `FoundByToken` |
//! | 4 | yes | | no | one carries our token, other inputs | adopt | `FoundByTokenOfEarlierInputs` |
//! | 5 | yes | | no | recorded under a key that left, same inputs | adopt, or blocked | `Moved`, `Renamed` |
//! | 6 | yes | | no | exactly one of that name and model, policy | adopt | `FoundByName` |
//! | 7 | yes | | no | some of that name, whatever their model and token | blocked | `SameName` |
//! | 8 | yes | | no | none, in a complete listing | create `$` | `New` |
//! | 9 | yes | | yes | gone, policy | create `$` | `RecreateMissing` |
//! | 10 | yes | | yes | gone | blocked | `Missing` |
//! | 11 | yes | | yes | not shown, listing incomplete | blocked | `ListingIncomplete` |
//! | 11a | yes | | a moment ago | not shown | wait | `NotShownYet` |
//! | 12 | yes | | other inputs | another one carries our token, same inputs | adopt | `FoundByToken` |
//! | 13 | yes | | other inputs | failed | create `$` | `ChangedAfterFailure` |
//! | 14 | yes | | other inputs | any | blocked | `NeedsReplacement` |
//! | 15 | yes | | same inputs | failed, policy | create `$` | `RetryFailed` |
//! | 16 | yes | | same inputs | failed | blocked | `Failed` |
//! | 17 | yes | | same inputs | name or voice differ | update | who did it |
//! | 18 | yes | | same inputs | tuning failed, wanted ready | blocked | `TuningFailed` |
//! | 19 | yes | | same inputs | not as far as waited for | wait | `TrainingGoesOn` |
//! | 20 | yes | | same inputs | agrees | no-op | `Agrees` |
//! | 21 | no | | yes | gone, with all it had before | forget | `LeftManifestsAndGone` |
//! | 22 | no | | yes | any | orphaned | `LeftManifests` |
//!
//! Rows that create do so through [`start`], which also blocks where the listing is not complete, a live face
//! that nobody recorded bears the name, or the token is held elsewhere: whatever the reason for creating.
//!
//! An imported face has unknown inputs, and unknown never differs: it counts as "same inputs".
//!
//! Wherever the table says create: a live face that carries the very token is adopted instead; if another
//! key's record holds that face, the row is blocked (`HeldByOther`), as it is while the listing is incomplete
//! (`ListingIncomplete`). A face that this key had before and was left for another one is never adopted by
//! rows 9 and 12: what was given up is not taken back silently.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::face::{
    Attempt, Coverage, Desired, DesiredFace, Doubt, FaceId, FaceKey, InputChange, Naming, Observed, ObservedFace,
    OnFailed, OnMissing, OpenCreate, Ownership, Presence, Recorded, RecordedFace, Token, TrainingStatus, WaitFor,
};

use super::{
    Action, Adopt, Block, Cause, Change, Create, Drift, Duplicate, FacePlan, Plan, Policy, Reason, Scope, Update,
    drift, live_name_agrees, presence, wanted_name,
};

/// Everything one decision may look at.
struct Views<'a> {
    desired: &'a Desired,
    recorded: &'a Recorded,
    observed: &'a Observed,
    policy: &'a Policy,
    /// Live faces that carry a token, by its owner part, less those that another key's record holds.
    by_owner: BTreeMap<String, Vec<(Token, &'a ObservedFace)>>,
    /// Live faces that carry one key's token while another key's record holds them, by token.
    held: BTreeMap<Token, (&'a FaceId, &'a FaceKey)>,
    /// Live faces that nobody recorded and that are not known by a token to be another key's, by name.
    by_name: BTreeMap<&'a str, Vec<&'a ObservedFace>>,
    /// A young live face that shows no name yet: it could be anybody's.
    nameless: Option<&'a FaceId>,
    /// Tokens that several live faces carry.
    shared: BTreeSet<Token>,
    /// How many desired faces bear a name: what two want cannot be given to either by name.
    wanted_names: BTreeMap<&'a str, usize>,
}

/// How long after its creation a face without a name may still get one: how soon rows are whole is not documented.
const NAMELESS_FOR: SignedDuration = SignedDuration::from_mins(10);

impl<'a> Views<'a> {
    fn new(desired: &'a Desired, recorded: &'a Recorded, observed: &'a Observed, policy: &'a Policy) -> Self {
        let holders: BTreeMap<&FaceId, &FaceKey> = known_ids(recorded).map(|(key, id)| (id, key)).collect();
        let keys = desired.faces.keys().chain(recorded.faces.keys()).chain(recorded.open.keys());
        let our_owners: BTreeSet<String> = keys.map(|key| Token::owner_of(&desired.project, key)).collect();
        let mut by_owner: BTreeMap<String, Vec<(Token, &ObservedFace)>> = BTreeMap::new();
        let mut held = BTreeMap::new();
        let mut by_name: BTreeMap<&str, Vec<&ObservedFace>> = BTreeMap::new();
        for face in observed.faces.values().filter(|face| face.ownership != Ownership::System) {
            let holder = holders.get(&face.id);
            match face.token().filter(|token| our_owners.contains(token.owner())) {
                Some(token) => match holder {
                    Some(key) if Token::owner_of(&desired.project, key) != token.owner() => {
                        held.insert(token, (&face.id, *key));
                    }
                    _ => by_owner.entry(token.owner().to_owned()).or_default().push((token, face)),
                },
                None if holder.is_none() => by_name.entry(face.shown_name()).or_default().push(face),
                None => {}
            }
        }
        let is_young_and_nameless = |face: &&ObservedFace| {
            let oldest = observed.at.saturating_sub(NAMELESS_FOR).unwrap_or(Timestamp::MIN);
            face.name.is_none() && !holders.contains_key(&face.id) && face.created_at.is_none_or(|at| at > oldest)
        };
        let nameless = observed.faces.values().find(is_young_and_nameless).map(|face| &face.id);
        let mut wanted_names = BTreeMap::new();
        for face in desired.faces.values() {
            *wanted_names.entry(face.spec.face_name.as_str()).or_default() += 1;
        }
        let shared = shared_tokens(observed);
        Self { desired, recorded, observed, policy, by_owner, held, by_name, nameless, shared, wanted_names }
    }

    /// Returns the live faces that carry the key's owner part and may be its own.
    fn with_token_of(&self, key: &FaceKey) -> &[(Token, &'a ObservedFace)] {
        let owner = Token::owner_of(&self.desired.project, key);
        self.by_owner.get(&owner).map_or(&[], Vec::as_slice)
    }
}

/// Every id in the record, with the key that holds it; present ones last, so that they win where ids are
/// collected into a map.
fn known_ids(recorded: &Recorded) -> impl Iterator<Item = (&FaceKey, &FaceId)> {
    let previous = recorded.faces.iter().flat_map(|(key, face)| face.previous.iter().map(move |id| (key, id)));
    previous.chain(recorded.faces.iter().map(|(key, face)| (key, &face.id)))
}

/// Decides about every face, and counts what is not ours.
pub(super) fn fill(plan: &mut Plan, desired: &Desired, recorded: &Recorded, observed: &Observed, policy: &Policy) {
    let views = Views::new(desired, recorded, observed, policy);
    let mut keys: BTreeSet<&FaceKey> =
        desired.faces.keys().chain(recorded.faces.keys()).chain(recorded.open.keys()).collect();
    if policy.scope == Scope::Part {
        let all = keys.len();
        keys.retain(|key| desired.faces.contains_key(*key));
        plan.left_out = all - keys.len();
    }
    let mut ours: BTreeSet<&FaceId> = known_ids(recorded).map(|(_, id)| id).collect();
    for key in &keys {
        plan.duplicates.extend(duplicates(&views, key));
        ours.extend(views.with_token_of(key).iter().map(|(_, face)| &face.id));
        plan.faces.push(decide(&views, key));
    }
    let adopted: BTreeSet<FaceId> = plan
        .faces
        .iter()
        .filter_map(|face| match &face.action {
            Action::Adopt(adopt) => Some(adopt.id.clone()),
            _ => None,
        })
        .collect();
    plan.foreign = observed.faces.keys().filter(|id| !ours.contains(id) && !adopted.contains(*id)).count();
}

fn decide(views: &Views<'_>, key: &FaceKey) -> FacePlan {
    let desired = views.desired.faces.get(key);
    let recorded = views.recorded.faces.get(key);
    let (id, action, reason) = match (views.recorded.open.get(key), desired, recorded) {
        (Some(open), _, _) => decide_open(views, key, open),
        (None, Some(desired), None) => decide_unrecorded(views, key, desired),
        (None, Some(desired), Some(recorded)) => decide_recorded(views, key, desired, recorded),
        (None, None, Some(recorded)) => decide_undesired(views, key, recorded),
        // The key set is made of these three maps, so one of them has it.
        (None, None, None) => (None, Action::NoOp, Reason::Agrees),
    };
    let live = id.as_ref().and_then(|id| views.observed.faces.get(id));
    let name =
        desired.map(|face| face.spec.face_name.to_string()).or_else(|| recorded.map(|face| face.name.to_string()));
    FacePlan {
        key: key.clone(),
        origin: desired.map(|face| face.origin.clone()),
        name: name.or_else(|| live.map(|face| face.shown_name().to_owned())).unwrap_or_default(),
        model: desired.map(|face| face.spec.model.to_string()).or_else(|| live.and_then(|face| face.model.clone())),
        drift: recorded.map_or_else(Vec::new, |face| found_drift(views, face)),
        status: live.map(|face| face.status.clone()),
        wait_for: desired.map(|face| face.spec.lifecycle.wait_for),
        id,
        action,
        reason,
    }
}

fn found_drift(views: &Views<'_>, recorded: &RecordedFace) -> Vec<Drift> {
    drift(recorded, presence(recorded, views.observed))
}

/// The annotation by which a manifest says under which key its face was recorded before.
pub(super) const MOVED_FROM: &str = "facectl.dev/moved-from";

type Decision = (Option<FaceId>, Action, Reason);

fn blocked(id: Option<&FaceId>, block: Block) -> Decision {
    (id.cloned(), Action::Blocked, Reason::Blocked(block))
}

/// Rows 1 and 2.
fn decide_open(views: &Views<'_>, key: &FaceKey, open: &OpenCreate) -> Decision {
    let carries_it = |(token, _): &&(Token, &ObservedFace)| *token == open.token;
    if let Some((token, face)) = oldest(views.with_token_of(key).iter().filter(carries_it)) {
        let adopt = Adopt {
            id: face.id.clone(),
            token: Some(token.clone()),
            trained_from: Some(open.trained_from.clone()),
            moved_from: None,
        };
        return (Some(face.id.clone()), Action::Adopt(adopt), Reason::FoundByToken);
    }
    let why = match &open.doubt {
        Doubt::Unfinished => None,
        Doubt::NoAnswer(why) => Some(why.clone()),
    };
    blocked(None, Block::InDoubt { begun_at: open.begun_at, why, token: open.token.clone() })
}

/// Rows 3 to 8.
fn decide_unrecorded(views: &Views<'_>, key: &FaceKey, desired: &DesiredFace) -> Decision {
    if let Some(decision) = adopt_by_token(views, key, desired, &[], Failed::PassedOver) {
        return decision;
    }
    if namesakes(views, desired).is_empty() {
        if let Some(decision) = adopt_by_token(views, key, desired, &[], Failed::Taken) {
            return decision;
        }
        if let Some((_, face)) = newest(views.with_token_of(key)) {
            let adopt = Adopt { id: face.id.clone(), token: face.token(), trained_from: None, moved_from: None };
            return (Some(face.id.clone()), Action::Adopt(adopt), Reason::FoundByTokenOfEarlierInputs);
        }
    }
    decide_moved(views, key, desired)
        .or_else(|| adopt_by_name(views, desired))
        .unwrap_or_else(|| start(views, key, desired, Attempt::FIRST, None, Reason::New))
}

/// Whether a failed face may be taken up by its token.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Failed {
    /// Only where nothing better is there: it shows that this intent was paid for and what came of it.
    Taken,
    /// It must not take the place of a face that may work.
    PassedOver,
}

/// Row 3, and row 12: a live face carries the token of this very intent. Of several attempts the last
/// one counts, of several faces with one token the oldest. Those that were left before are passed over:
/// they failed, or another one took their place.
fn adopt_by_token(
    views: &Views<'_>,
    key: &FaceKey,
    desired: &DesiredFace,
    left_before: &[FaceId],
    failed: Failed,
) -> Option<Decision> {
    let trained_from = desired.spec.trained_from();
    let wanted = Token::of(&views.desired.project, key, &trained_from.fingerprint(), Attempt::FIRST);
    let is_taken = |(token, face): &&(Token, &ObservedFace)| {
        token.is_same_intent(&wanted)
            && !left_before.contains(&face.id)
            && (failed == Failed::Taken || face.status != TrainingStatus::Failed)
    };
    let same_intent = || views.with_token_of(key).iter().filter(is_taken);
    let last = same_intent().map(|(token, _)| token.attempt()).max()?;
    let (token, face) = oldest(same_intent().filter(|(token, _)| token.attempt() == last))?;
    let adopt =
        Adopt { id: face.id.clone(), token: Some(token.clone()), trained_from: Some(trained_from), moved_from: None };
    Some((Some(face.id.clone()), Action::Adopt(adopt), Reason::FoundByToken))
}

/// Row 5: a recorded face that is no longer declared was made from the very same inputs. A rename of the key
/// must not buy a second one.
fn decide_moved(views: &Views<'_>, key: &FaceKey, desired: &DesiredFace) -> Option<Decision> {
    let fingerprint = Some(desired.spec.fingerprint());
    let is_left = |other: &FaceKey| !views.desired.faces.contains_key(other);
    if let Some(from) = desired.annotations.get(MOVED_FROM)
        && let Some((from, old)) =
            views.recorded.faces.iter().find(|(other, _)| other.as_str() == from && is_left(other))
    {
        let adopt = Adopt {
            id: old.id.clone(),
            token: old.token.clone(),
            trained_from: old.trained_from.clone(),
            moved_from: Some(from.clone()),
        };
        return Some((Some(old.id.clone()), Action::Adopt(adopt), Reason::Moved(from.clone())));
    }
    if views.policy.create_new.contains(key) {
        return None;
    }
    let is_it = |face: &RecordedFace| {
        // Of a part of the manifests nobody knows what is declared elsewhere: both must agree then.
        face.fingerprint() == fingerprint && (views.policy.scope == Scope::Whole || face.name == desired.spec.face_name)
    };
    let (from, old) = views.recorded.faces.iter().find(|(other, face)| is_left(other) && is_it(face))?;
    Some(blocked(Some(&old.id), Block::Renamed(from.clone())))
}

/// Returns the live faces that bear the wanted name and that nobody recorded.
fn namesakes<'a, 'b>(views: &'b Views<'a>, desired: &DesiredFace) -> &'b [&'a ObservedFace] {
    views.by_name.get(desired.spec.face_name.as_str()).map_or(&[], Vec::as_slice)
}

/// Row 6: the name alone is never an identity, unless the policy says so and nothing else fits.
fn adopt_by_name(views: &Views<'_>, desired: &DesiredFace) -> Option<Decision> {
    let [face] = namesakes(views, desired) else { return None };
    let is_that_model = face.model.as_deref().is_none_or(|model| model == desired.spec.model.as_str());
    let is_wanted_once = views.wanted_names.get(desired.spec.face_name.as_str()) == Some(&1);
    let is_ours = face.ownership == Ownership::User && face.token().is_none();
    if !(views.policy.adopt_by_name && is_that_model && is_wanted_once && is_ours) {
        return None;
    }
    let adopt = Adopt { id: face.id.clone(), token: None, trained_from: None, moved_from: None };
    Some((Some(face.id.clone()), Action::Adopt(adopt), Reason::FoundByName))
}

/// Rows 9 to 20.
fn decide_recorded(views: &Views<'_>, key: &FaceKey, desired: &DesiredFace, recorded: &RecordedFace) -> Decision {
    let lifecycle = desired.spec.lifecycle;
    let changes = input_changes(views, key, desired, recorded);
    let live = match presence(recorded, views.observed) {
        Presence::Present(live) => live,
        Presence::Unknown => {
            return match &views.observed.coverage {
                Coverage::Partial(why) => blocked(Some(&recorded.id), Block::ListingIncomplete(why.clone())),
                Coverage::Complete => (Some(recorded.id.clone()), Action::Wait, Reason::NotShownYet),
            };
        }
        Presence::Gone => {
            if let Some(decision) = adopt_by_token(views, key, desired, &recorded.previous, Failed::PassedOver) {
                return decision;
            }
            if lifecycle.on_missing == OnMissing::Recreate || views.policy.recreate.contains(key) {
                let attempt = next_attempt(recorded, changes.is_some());
                return start(views, key, desired, attempt, None, Reason::RecreateMissing);
            }
            return blocked(Some(&recorded.id), Block::Missing);
        }
    };
    if let Some(changes) = changes {
        return decide_changed(views, key, desired, recorded, live, changes);
    }
    if live.status == TrainingStatus::Failed {
        let may_retry = lifecycle.on_failed == OnFailed::Retry && recorded.attempt == Attempt::FIRST;
        if may_retry || views.policy.retry.contains(key) {
            let reason = Reason::RetryFailed(live.error.clone());
            return start(views, key, desired, recorded.attempt.next(), Some(&live.id), reason);
        }
        return blocked(Some(&live.id), Block::Failed(live.error.clone()));
    }
    decide_same_inputs(views, desired, recorded, live)
}

/// Rows 12 to 14.
fn decide_changed(
    views: &Views<'_>,
    key: &FaceKey,
    desired: &DesiredFace,
    recorded: &RecordedFace,
    live: &ObservedFace,
    changes: Vec<InputChange>,
) -> Decision {
    if let Some(decision) = adopt_by_token(views, key, desired, &recorded.previous, Failed::PassedOver) {
        return decision;
    }
    let is_protected = desired.spec.lifecycle.protect;
    if live.status == TrainingStatus::Failed && !is_protected {
        // Nobody can be using a failed face, so nothing has to be switched over.
        return start(views, key, desired, Attempt::FIRST, Some(&live.id), Reason::ChangedAfterFailure(changes));
    }
    blocked(Some(&live.id), Block::NeedsReplacement { changes, is_protected })
}

/// Rows 17 to 20.
fn decide_same_inputs(
    views: &Views<'_>,
    desired: &DesiredFace,
    recorded: &RecordedFace,
    live: &ObservedFace,
) -> Decision {
    let id = Some(live.id.clone());
    let naming = naming_for(views.desired.naming, recorded, &views.shared);
    if let Some((update, reason)) = update(naming, desired, recorded, live) {
        return (id, Action::Update(update), reason);
    }
    match (&live.status, desired.spec.lifecycle.wait_for) {
        (TrainingStatus::TuningFailed, WaitFor::Ready) => blocked(Some(&live.id), Block::TuningFailed),
        (status, wait_for) if is_reached(status, wait_for) => match status.is_final() {
            true => (id, Action::NoOp, Reason::Agrees),
            false => (id, Action::NoOp, Reason::TrainingGoesOnUnawaited),
        },
        _ => (id, Action::Wait, Reason::TrainingGoesOn),
    }
}

/// Returns the tokens that several live faces carry: one intent was paid for more than once.
pub(crate) fn shared_tokens(observed: &Observed) -> BTreeSet<Token> {
    let mut seen = BTreeSet::new();
    observed.faces.values().filter_map(ObservedFace::token).filter(|token| !seen.insert(token.clone())).collect()
}

/// Returns how a face is to be named: the token stays while another live face carries it too. Machines that
/// each took theirs out would leave two faces of one name, and nothing that tells of the second payment.
pub(crate) fn naming_for(naming: Naming, recorded: &RecordedFace, shared: &BTreeSet<Token>) -> Naming {
    let is_evidence = recorded.token_in_name && recorded.token.as_ref().is_some_and(|token| shared.contains(token));
    if is_evidence { Naming::Marker } else { naming }
}

/// Row 17: what differs in place, and who made it differ; none where nothing does.
pub(crate) fn update(
    naming: Naming,
    desired: &DesiredFace,
    recorded: &RecordedFace,
    live: &ObservedFace,
) -> Option<(Update, Reason)> {
    // A failed face keeps its token: without it a machine that lost its record could not tell it from the
    // face of the next attempt, which bears the same name.
    let has_left_start = live.status.is_usable();
    let token = recorded.token.as_ref();
    // Once it has left the name it does not come back, also where the status goes back to a word we do not know.
    let is_needed = !has_left_start && recorded.token_in_name;
    let (wanted, token_in_name) = wanted_name(&desired.spec, token, naming, is_needed);
    let mut causes = Vec::new();
    let mut reason_of_name = None;
    let live_name = live.name.clone();
    let name = live_name.filter(|live| *live != wanted).and_then(|live_name| {
        if live_name_agrees(Some(&live_name), &desired.spec.face_name, token) {
            if token_in_name && !has_left_start {
                // The plain name while training: the token is not needed once the id is recorded.
                return None;
            }
            reason_of_name = Some(if token_in_name { Reason::TokenEntersName } else { Reason::TokenLeavesName });
            return Change::between(wanted.clone(), &live_name, live_name.clone());
        }
        // With or without the token, it is the name that was recorded: only the rest of it tells who moved.
        let recorded_name = match live_name_agrees(Some(&live_name), &recorded.name, token) {
            true => live_name.clone(),
            false => recorded_name(recorded, token_in_name),
        };
        let change = Change::between(wanted.clone(), &recorded_name, live_name)?;
        causes.push(change.cause());
        Some(change)
    });
    // While training the voice waits: whether it may be set then is not known, so it is not tried.
    let voice = desired.spec.default_voice.as_ref().filter(|_| has_left_start).and_then(|voice| {
        let change = Change::between(Some(voice.clone()), &recorded.default_voice, live.default_voice.clone())?;
        causes.push(change.cause());
        Some(change)
    });
    if name.is_none() && voice.is_none() {
        return None;
    }
    let cause = causes.into_iter().reduce(Cause::and);
    let reason = match cause {
        Some(Cause::Manifest) => Reason::ManifestChanged,
        Some(Cause::Drift) => Reason::Drifted,
        Some(Cause::Both) => Reason::ManifestChangedAndDrifted,
        None => reason_of_name?,
    };
    Some((Update { id: live.id.clone(), name, voice, token_in_name }, reason))
}

/// Returns the part of an update that only finishes what was approved with the creation: the token leaves
/// (or enters) the name, or the voice is set that had to wait for the training. Anything else needs a plan.
pub(crate) fn finishing(
    naming: Naming,
    desired: &DesiredFace,
    recorded: &RecordedFace,
    live: &ObservedFace,
) -> Option<Update> {
    let (Update { id, name, voice, token_in_name }, _) = update(naming, desired, recorded, live)?;
    let is_token_only = live_name_agrees(live.name.as_deref(), &desired.spec.face_name, recorded.token.as_ref());
    let name = name.filter(|_| is_token_only);
    let voice = voice.filter(|_| recorded.default_voice.is_none());
    (name.is_some() || voice.is_some()).then_some(Update { id, name, voice, token_in_name })
}

fn recorded_name(recorded: &RecordedFace, with_token: bool) -> String {
    match (&recorded.token, with_token) {
        (Some(token), true) => crate::face::named_with(&recorded.name, token),
        _ => recorded.name.as_str().to_owned(),
    }
}

/// Returns what differs between what the recorded face was made from and what is asked for; none where
/// nothing does, or nobody knows.
fn input_changes(
    views: &Views<'_>,
    key: &FaceKey,
    desired: &DesiredFace,
    recorded: &RecordedFace,
) -> Option<Vec<InputChange>> {
    let wanted = desired.spec.trained_from();
    match (&recorded.trained_from, &recorded.token) {
        (Some(trained_from), _) => Some(trained_from.changes_to(&wanted)).filter(|changes| !changes.is_empty()),
        (None, Some(token)) => {
            // Adopted by a token of earlier inputs: what they were is lost, but not that they differ.
            let now = Token::of(&views.desired.project, key, &wanted.fingerprint(), token.attempt());
            (!now.is_same_intent(token)).then(Vec::new)
        }
        (None, None) => None,
    }
}

fn next_attempt(recorded: &RecordedFace, has_other_inputs: bool) -> Attempt {
    if has_other_inputs { Attempt::FIRST } else { recorded.attempt.next() }
}

/// The one road to a paid training: taken only where a complete listing shows that no live face carries
/// the very token that would be sent. One that does is taken up instead, whoever made it.
fn start(
    views: &Views<'_>,
    key: &FaceKey,
    desired: &DesiredFace,
    attempt: Attempt,
    instead_of: Option<&FaceId>,
    reason: Reason,
) -> Decision {
    let trained_from = desired.spec.trained_from();
    let token = Token::of(&views.desired.project, key, &trained_from.fingerprint(), attempt);
    if let Some((_, face)) = oldest(views.with_token_of(key).iter().filter(|(live, _)| *live == token)) {
        let adopt =
            Adopt { id: face.id.clone(), token: Some(token), trained_from: Some(trained_from), moved_from: None };
        return (Some(face.id.clone()), Action::Adopt(adopt), Reason::FoundByToken);
    }
    if let Some((id, by)) = views.held.get(&token) {
        return blocked(instead_of, Block::HeldByOther { id: (*id).clone(), by: (*by).clone() });
    }
    if let Coverage::Partial(why) = &views.observed.coverage {
        return blocked(instead_of, Block::ListingIncomplete(why.clone()));
    }
    if let Some(id) = views.nameless {
        let why = format!("the young face {id} shows no name yet, so nobody can tell whose it is");
        return blocked(instead_of, Block::ListingIncomplete(why));
    }
    // With clean names the token is gone by the time a face is finished: then only its name tells that
    // another machine, whose record we do not have, paid for it already.
    let namesakes = namesakes(views, desired);
    if !namesakes.is_empty() && !views.policy.create_new.contains(key) {
        return blocked(instead_of, Block::SameName(namesakes.iter().map(|face| face.id.clone()).collect()));
    }
    let create = Create { spec: desired.spec.clone(), token, trained_from, instead_of: instead_of.cloned() };
    (instead_of.cloned(), Action::Create(Box::new(create)), reason)
}

/// Rows 21 and 22.
fn decide_undesired(views: &Views<'_>, key: &FaceKey, recorded: &RecordedFace) -> Decision {
    let id = Some(recorded.id.clone());
    let takes_it = |(other, face): &(&FaceKey, &DesiredFace)| {
        face.annotations.get(MOVED_FROM).is_some_and(|from| from == key.as_str())
            && !views.recorded.faces.contains_key(*other)
    };
    if let Some((other, _)) = views.desired.faces.iter().find(takes_it) {
        return (id, Action::NoOp, Reason::MovedTo(other.clone()));
    }
    let is_live = |id: &FaceId| views.observed.faces.contains_key(id);
    match presence(recorded, views.observed) {
        // The record is all that knows of the faces it had before.
        Presence::Gone if recorded.previous.iter().any(is_live) => (id, Action::Orphaned, Reason::LeftManifests),
        Presence::Gone => (id, Action::Forget, Reason::LeftManifestsAndGone),
        Presence::Present(_) | Presence::Unknown => (id, Action::Orphaned, Reason::LeftManifests),
    }
}

/// Returns whether a face is as far as it is waited for. Pure, and the only place that says so.
pub(crate) fn is_reached(status: &TrainingStatus, wait_for: WaitFor) -> bool {
    match wait_for {
        WaitFor::None => true,
        WaitFor::Preview => status.is_usable(),
        WaitFor::Ready => *status == TrainingStatus::Ready,
    }
}

/// Reports live faces that were created for one intent under one token.
fn duplicates(views: &Views<'_>, key: &FaceKey) -> Vec<Duplicate> {
    let mut by_token: BTreeMap<&Token, Vec<&(Token, &ObservedFace)>> = BTreeMap::new();
    for pair in views.with_token_of(key) {
        by_token.entry(&pair.0).or_default().push(pair);
    }
    let recorded = views.recorded.faces.get(key);
    // The recorded face counts under its token also when the token has left its name.
    let live = recorded.and_then(|recorded| Some((recorded.token.clone()?, views.observed.faces.get(&recorded.id)?)));
    if let Some(pair) = &live {
        let group = by_token.entry(&pair.0).or_default();
        if !group.iter().any(|other| other.1.id == pair.1.id) {
            group.push(pair);
        }
    }
    by_token
        .into_iter()
        .filter_map(|(token, faces)| {
            let is_recorded =
                |pair: &&&(Token, &ObservedFace)| recorded.is_some_and(|recorded| recorded.id == pair.1.id);
            let kept = match faces.iter().find(is_recorded) {
                Some(pair) => &pair.1.id,
                None => &oldest(faces.iter().copied())?.1.id,
            };
            let others: Vec<FaceId> = faces.iter().map(|pair| &pair.1.id).filter(|id| *id != kept).cloned().collect();
            (!others.is_empty()).then(|| Duplicate {
                key: key.clone(),
                token: token.clone(),
                kept: kept.clone(),
                others,
            })
        })
        .collect()
}

/// The oldest; of equally old ones the id that sorts first, so that every machine picks the same.
fn oldest<'a, 'b: 'a>(
    pairs: impl Iterator<Item = &'a (Token, &'b ObservedFace)>,
) -> Option<&'a (Token, &'b ObservedFace)> {
    pairs.min_by_key(|(_, face)| (face.created_at.is_none(), face.created_at, &face.id))
}

/// The face of the youngest creation; of several that share its token the oldest, as everywhere.
fn newest<'a, 'b>(pairs: &'a [(Token, &'b ObservedFace)]) -> Option<&'a (Token, &'b ObservedFace)> {
    let (token, _) = pairs.iter().max_by_key(|(_, face)| (face.created_at, &face.id))?;
    oldest(pairs.iter().filter(|(other, _)| other == token))
}
