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
//! | 5 | yes | | no | listing incomplete | blocked | `ListingIncomplete` |
//! | 6 | yes | | no | exactly one of that name and model, policy | adopt | `FoundByName` |
//! | 7 | yes | | no | some of that name | blocked | `SameName` |
//! | 8 | yes | | no | none | create `$` | `New` |
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
//! An imported face has unknown inputs, and unknown never differs: it counts as "same inputs".
//!
//! Wherever the table says create: a live face that carries the very token is adopted instead; if another
//! key's record holds that face, the row is blocked (`HeldByOther`), as it is while the listing is incomplete
//! (`ListingIncomplete`). A face that this key had before and was left for another one is never adopted by
//! rows 9 and 12: what was given up is not taken back silently.

use std::collections::{BTreeMap, BTreeSet};

use crate::face::{
    Attempt, Coverage, Desired, DesiredFace, Doubt, FaceId, FaceKey, InputChange, Naming, Observed, ObservedFace,
    OnFailed, OnMissing, OpenCreate, Ownership, Presence, Recorded, RecordedFace, Token, TrainingStatus, WaitFor,
};

use super::{
    Action, Adopt, Block, Cause, Change, Create, Drift, Duplicate, FacePlan, Plan, Policy, Reason, Update, drift,
    live_name_agrees, presence, wanted_name,
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
    /// Live own faces without a token that nobody recorded, by name.
    by_name: BTreeMap<&'a str, Vec<&'a ObservedFace>>,
    /// How many desired faces bear a name: what two want cannot be given to either by name.
    wanted_names: BTreeMap<&'a str, usize>,
}

impl<'a> Views<'a> {
    fn new(desired: &'a Desired, recorded: &'a Recorded, observed: &'a Observed, policy: &'a Policy) -> Self {
        let holders: BTreeMap<&FaceId, &FaceKey> = known_ids(recorded).map(|(key, id)| (id, key)).collect();
        let mut by_owner: BTreeMap<String, Vec<(Token, &ObservedFace)>> = BTreeMap::new();
        let mut held = BTreeMap::new();
        let mut by_name: BTreeMap<&str, Vec<&ObservedFace>> = BTreeMap::new();
        for face in observed.faces.values().filter(|face| face.ownership != Ownership::System) {
            match (face.token(), holders.get(&face.id)) {
                (Some(token), Some(key)) if Token::owner_of(&desired.project, key) != token.owner() => {
                    held.insert(token, (&face.id, *key));
                }
                (Some(token), _) => by_owner.entry(token.owner().to_owned()).or_default().push((token, face)),
                (None, None) if face.ownership == Ownership::User => {
                    by_name.entry(face.shown_name()).or_default().push(face);
                }
                (None, _) => {}
            }
        }
        let mut wanted_names = BTreeMap::new();
        for face in desired.faces.values() {
            *wanted_names.entry(face.spec.face_name.as_str()).or_default() += 1;
        }
        Self { desired, recorded, observed, policy, by_owner, held, by_name, wanted_names }
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
    let keys: BTreeSet<&FaceKey> =
        desired.faces.keys().chain(recorded.faces.keys()).chain(recorded.open.keys()).collect();
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
        (None, None, Some(recorded)) => decide_undesired(views, recorded),
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

type Decision = (Option<FaceId>, Action, Reason);

fn blocked(id: Option<&FaceId>, block: Block) -> Decision {
    (id.cloned(), Action::Blocked, Reason::Blocked(block))
}

/// Rows 1 and 2.
fn decide_open(views: &Views<'_>, key: &FaceKey, open: &OpenCreate) -> Decision {
    let carries_it = |(token, _): &&(Token, &ObservedFace)| *token == open.token;
    if let Some((token, face)) = oldest(views.with_token_of(key).iter().filter(carries_it)) {
        let adopt =
            Adopt { id: face.id.clone(), token: Some(token.clone()), trained_from: Some(open.trained_from.clone()) };
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
    if let Some(decision) = adopt_by_token(views, key, desired, &[]) {
        return decision;
    }
    if let Some((_, face)) = newest(views.with_token_of(key)) {
        let adopt = Adopt { id: face.id.clone(), token: face.token(), trained_from: None };
        return (Some(face.id.clone()), Action::Adopt(adopt), Reason::FoundByTokenOfEarlierInputs);
    }
    if let Coverage::Partial(why) = &views.observed.coverage {
        return blocked(None, Block::ListingIncomplete(why.clone()));
    }
    decide_by_name(views, desired).unwrap_or_else(|| start(views, key, desired, Attempt::FIRST, None, Reason::New))
}

/// Row 3, and row 12: a live face carries the token of this very intent. Of several attempts the last
/// one counts, of several faces with one token the oldest. Those that were left before are passed over:
/// they failed, or another one took their place.
fn adopt_by_token(views: &Views<'_>, key: &FaceKey, desired: &DesiredFace, left_before: &[FaceId]) -> Option<Decision> {
    let trained_from = desired.spec.trained_from();
    let wanted = Token::of(&views.desired.project, key, &trained_from.fingerprint(), Attempt::FIRST);
    let same_intent = || {
        let candidates = views.with_token_of(key).iter();
        candidates.filter(|(token, face)| token.is_same_intent(&wanted) && !left_before.contains(&face.id))
    };
    let last = same_intent().map(|(token, _)| token.attempt()).max()?;
    let (token, face) = oldest(same_intent().filter(|(token, _)| token.attempt() == last))?;
    let adopt = Adopt { id: face.id.clone(), token: Some(token.clone()), trained_from: Some(trained_from) };
    Some((Some(face.id.clone()), Action::Adopt(adopt), Reason::FoundByToken))
}

/// Rows 6 and 7: the name alone is never an identity.
fn decide_by_name(views: &Views<'_>, desired: &DesiredFace) -> Option<Decision> {
    let name = desired.spec.face_name.as_str();
    let is_that_model =
        |face: &&&ObservedFace| face.model.as_deref().is_none_or(|model| model == desired.spec.model.as_str());
    let named: Vec<&&ObservedFace> = views.by_name.get(name)?.iter().filter(is_that_model).collect();
    let is_wanted_once = views.wanted_names.get(name) == Some(&1);
    match named.as_slice() {
        [] => None,
        [face] if views.policy.adopt_by_name && is_wanted_once => {
            let adopt = Adopt { id: face.id.clone(), token: None, trained_from: None };
            Some((Some(face.id.clone()), Action::Adopt(adopt), Reason::FoundByName))
        }
        several => Some(blocked(None, Block::SameName(several.iter().map(|face| face.id.clone()).collect()))),
    }
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
            if let Some(decision) = adopt_by_token(views, key, desired, &recorded.previous) {
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
    if let Some(decision) = adopt_by_token(views, key, desired, &recorded.previous) {
        return decision;
    }
    let is_protected = desired.spec.lifecycle.protect || recorded.protect;
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
    if let Some((update, reason)) = update(views.desired.naming, desired, recorded, live) {
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

/// Row 17: what differs in place, and who made it differ; none where nothing does.
pub(crate) fn update(
    naming: Naming,
    desired: &DesiredFace,
    recorded: &RecordedFace,
    live: &ObservedFace,
) -> Option<(Update, Reason)> {
    let has_left_start = live.status.has_left_start();
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
        let adopt = Adopt { id: face.id.clone(), token: Some(token), trained_from: Some(trained_from) };
        return (Some(face.id.clone()), Action::Adopt(adopt), Reason::FoundByToken);
    }
    if let Some((id, by)) = views.held.get(&token) {
        return blocked(instead_of, Block::HeldByOther { id: (*id).clone(), by: (*by).clone() });
    }
    if let Coverage::Partial(why) = &views.observed.coverage {
        return blocked(instead_of, Block::ListingIncomplete(why.clone()));
    }
    let create = Create { spec: desired.spec.clone(), token, trained_from, instead_of: instead_of.cloned() };
    (instead_of.cloned(), Action::Create(Box::new(create)), reason)
}

/// Rows 21 and 22.
fn decide_undesired(views: &Views<'_>, recorded: &RecordedFace) -> Decision {
    let id = Some(recorded.id.clone());
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
