//! What can change on a living face without a new training: its name and its voice.

use std::collections::BTreeSet;

use crate::face::{DesiredFace, Naming, ObservedFace, RecordedFace, Token, TrainingStatus, WaitFor, is_same_text};

use super::{Cause, Change, Reason, Update, is_token_only, live_name_agrees, wanted_name};

/// Row 17: what differs in place, and who made it differ; none where nothing does.
pub(crate) fn update(
    naming: Naming,
    desired: &DesiredFace,
    recorded: &RecordedFace,
    live: &ObservedFace,
) -> Option<(Update, Reason)> {
    // A failed face keeps its token: without it a machine that lost its record could not tell it from the
    // face of the next attempt, which bears the same name.
    let is_usable = live.status.is_usable();
    let token = recorded.token.as_ref();
    // Once it has left the name it does not come back, also where the status goes back to a word we do not know.
    let is_needed = !is_usable && recorded.token_in_name;
    let (wanted, token_in_name) = wanted_name(&desired.spec, token, naming, is_needed);
    let mut causes = Vec::new();
    let mut reason_of_name = None;
    let live_name = live.name.clone();
    let name = live_name.filter(|live| !is_same_text(live.trim(), &wanted)).and_then(|live_name| {
        if live_name_agrees(Some(&live_name), &desired.spec.face_name, token) {
            if token_in_name && !is_usable {
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
        // Another normal form of the same name is no change of the manifest.
        let recorded_name = if is_same_text(&recorded_name, &wanted) { wanted.clone() } else { recorded_name };
        let change = Change::between(wanted.clone(), &recorded_name, live_name)?;
        causes.push(change.cause());
        Some(change)
    });
    // While training the voice waits: whether it may be set then is not known, so it is not tried.
    let voice = desired.spec.default_voice.as_ref().filter(|_| is_usable).and_then(|voice| {
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
    let (wanted, token) = (&desired.spec.face_name, recorded.token.as_ref());
    let is_only = |name: &Change<String>| {
        live_name_agrees(Some(name.before()), wanted, token)
            || token.is_some_and(|token| is_token_only(name.before(), wanted, token))
    };
    let name = name.filter(is_only);
    // A face that was made elsewhere is finished as it is: its voice is changed by a plan, and by nothing else.
    let voice = voice.filter(|_| recorded.default_voice.is_none() && recorded.token.is_some());
    (name.is_some() || voice.is_some()).then_some(Update { id, name, voice, token_in_name })
}

/// Returns how a face is to be named: the token stays while another live face carries it too. Machines that
/// each took theirs out would leave two faces of one name, and nothing that tells of the second payment.
pub(crate) fn naming_for(naming: Naming, recorded: &RecordedFace, shared: &BTreeSet<Token>) -> Naming {
    let is_evidence = recorded.token_in_name && recorded.token.as_ref().is_some_and(|token| shared.contains(token));
    if is_evidence { Naming::Marker } else { naming }
}

fn recorded_name(recorded: &RecordedFace, with_token: bool) -> String {
    match (&recorded.token, with_token) {
        (Some(token), true) => crate::face::named_with(&recorded.name, token),
        _ => recorded.name.as_str().to_owned(),
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
