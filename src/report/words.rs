//! Values in words.

use std::time::Duration;

use crate::plan::{Block, LeftOut, Reason, Selection};

/// Returns a duration with at most two units: `3h 20m`, `4m 10s`, `5m`, `12s`, `2d 3h`.
pub fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) if seconds == 0 && !duration.is_zero() => format!("{}ms", duration.as_millis().max(1)),
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, minutes) => two(minutes, "m", seconds % 60, "s"),
        (0, hours, minutes) => two(hours, "h", minutes, "m"),
        (days, hours, _) => two(days, "d", hours, "h"),
    }
}

fn two(large: u64, unit: &str, small: u64, small_unit: &str) -> String {
    if small == 0 { format!("{large}{unit}") } else { format!("{large}{unit} {small}{small_unit}") }
}

/// Returns a range of hours: `3 to 4 hours`.
pub fn hours((from, to): (u32, u32)) -> String {
    if from == to { format!("{from} hours") } else { format!("{from} to {to} hours") }
}

/// Returns a count with its noun: `1 face`, `2 faces`.
pub(super) fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// Returns what a partial run or plan leaves out, behind "partial plan:" or "partial run:".
pub fn partial(selection: &Selection, left_out: LeftOut) -> String {
    let LeftOut { elsewhere: _, unselected, unselected_with_changes } = left_out;
    let rest = match (unselected, unselected_with_changes) {
        (0, _) => return format!("`{selection}` selects every face there is."),
        (1, 0) => "1 other face is left out, and agrees.".to_owned(),
        (1, _) => "1 other face is left out, with changes of its own.".to_owned(),
        (others, 0) => format!("{others} other faces are left out, and agree."),
        (others, 1) => format!("{others} other faces are left out, and 1 of them has changes of its own."),
        (others, changes) => {
            format!("{others} other faces are left out, and {changes} of them have changes of their own.")
        }
    };
    format!("only what `{selection}` selects. {rest}")
}

/// Returns why an action was chosen. Fits after "because".
pub fn reason(reason: &Reason) -> String {
    match reason {
        Reason::Agrees => "manifest, record and live face agree".to_owned(),
        Reason::New => "it is declared, nothing is recorded, and no live face answers to its token or name".to_owned(),
        Reason::RecreateMissing => "the recorded face is gone, and the policy is to train it again".to_owned(),
        Reason::RetryFailed(_) => "its training failed, and the policy is to try again".to_owned(),
        Reason::ChangedAfterFailure(_) => {
            "its training failed, and the manifest asks for other inputs now; the failed face is left alone".to_owned()
        }
        Reason::FoundByToken => "a live face carries the token of this very creation, so nothing is created".to_owned(),
        Reason::FoundByTokenOfEarlierInputs => {
            "a live face carries this key's token, made from earlier inputs".to_owned()
        }
        Reason::FoundByName => {
            "exactly one live face bears its name and model; what it was trained from is not known and never counts as a difference".to_owned()
        }
        Reason::Moved(from) => format!("only its key changed: it was recorded as {from}, and nothing is trained"),
        Reason::MovedTo(key) => format!("its key became {key}"),
        Reason::ManifestChanged => "the manifest changed".to_owned(),
        Reason::Drifted => "the live face was changed by somebody else (drift)".to_owned(),
        Reason::ManifestChangedAndDrifted => {
            "the manifest changed, and the live face was changed by somebody else (drift)".to_owned()
        }
        Reason::TokenLeavesName => "training is under way, so the creation token leaves the name".to_owned(),
        Reason::TokenEntersName => "the project keeps creation tokens in names (naming: marker)".to_owned(),
        Reason::TrainingGoesOn => "its training goes on".to_owned(),
        Reason::NotShownYet => "it was created a moment ago, and the listing does not show it yet".to_owned(),
        Reason::TrainingGoesOnUnawaited => "it is as far as the manifest waits for; the rest goes on in the background".to_owned(),
        Reason::LeftManifests => {
            "it left the manifests; it stays alive and recorded, as facectl deletes nothing on its own".to_owned()
        }
        Reason::LeftManifestsAndGone => "it left the manifests, and no live face is left of it".to_owned(),
        Reason::Blocked(block) => self::block(block),
    }
}

fn block(block: &Block) -> String {
    match block {
        Block::InDoubt { begun_at, why, token } => {
            let what = why.as_deref().unwrap_or("the run ended before an answer came");
            format!(
                "a create was begun at {begun_at:.0} under token {token}, and nobody knows what became of it: {what}"
            )
        }
        Block::Missing => {
            "the recorded face is gone, and facectl did not delete it; training it again would cost".to_owned()
        }
        Block::Failed(error) => match error {
            Some(error) => format!("its training failed: {error}"),
            None => "its training failed, and the API does not say why".to_owned(),
        },
        Block::TuningFailed => {
            "its tuning failed: it stays a preview with a watermark for ever, and the manifest waits for ready"
                .to_owned()
        }
        Block::ListingIncomplete(why) => {
            format!(
                "the listing of live faces was not complete ({why}), so nothing proves that it does not exist already"
            )
        }
        Block::SameName(ids) => {
            let ids: Vec<&str> = ids.iter().map(crate::face::FaceId::as_str).collect();
            format!(
                "nothing is recorded for it, but {} its name already ({}), and a name alone is no identity",
                if ids.len() == 1 { "a live face bears" } else { "live faces bear" },
                ids.join(", ")
            )
        }
        Block::HeldByOther { id, by } => {
            format!("the face {id} answers to this key too, but {by} holds it, and a face belongs to one key")
        }
        Block::Renamed(from) => {
            format!(
                "{from} is recorded, made from the very same inputs, and no longer declared: was only the key changed?"
            )
        }
        Block::NeedsReplacement { changes, is_protected } => {
            let fields: Vec<&str> = changes.iter().map(|change| change.field).collect();
            let fields = if fields.is_empty() { "its training inputs".to_owned() } else { fields.join(", ") };
            let protected = if *is_protected { ", and it is protected" } else { "" };
            format!("{fields} cannot change in place: it needs a new face{protected}")
        }
    }
}

/// Returns what a person can do about a blocked face.
pub(super) fn advice(key: &str, block: &Block) -> String {
    match block {
        Block::InDoubt { .. } => {
            "run `facectl recover`: it looks for the token and settles the entry; nothing is sent until then".to_owned()
        }
        Block::Missing => format!(
            "to train it again run `facectl apply --recreate {key}`, or set lifecycle.on_missing: recreate; to give it up remove it from the manifests"
        ),
        Block::Failed(_) => format!(
            "change the source (or raise training_version) to train from other material, or run `facectl apply --retry {key}`"
        ),
        Block::TuningFailed => "be content with it by lifecycle.wait_for: preview, or declare the face under a new key to train it anew"
            .to_owned(),
        Block::ListingIncomplete(_) => "settle what the reason names, or just run it again later; until then nothing is created".to_owned(),
        Block::SameName(ids) => {
            let adopt = if ids.len() == 1 { "to take that face over run `facectl apply --adopt`; " } else { "" };
            format!("{adopt}to train another one all the same give it another face_name, or run `facectl apply --create-new {key}`")
        }
        Block::Renamed(from) => format!(
            "if so, add the annotation `facectl.dev/moved-from: {from}` under metadata.annotations; to train another one all the same run `facectl apply --create-new {key}`"
        ),
        Block::HeldByOther { .. } => {
            "keep one of the two keys; to train another face from the same inputs raise training_version".to_owned()
        }
        Block::NeedsReplacement { is_protected: true, .. } => {
            "set the manifest back, or declare the new inputs under a new key".to_owned()
        }
        Block::NeedsReplacement { .. } => {
            "replacing a face without an outage is not in this release yet: declare the new inputs under a new key, and set this one back".to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_two_units_at_most() {
        for (seconds, text) in
            [(0, "0s"), (12, "12s"), (250, "4m 10s"), (300, "5m"), (7200, "2h"), (12_000, "3h 20m"), (180_000, "2d 2h")]
        {
            assert_eq!(duration(Duration::from_secs(seconds)), text);
        }
        assert_eq!(duration(Duration::from_millis(83)), "83ms");
    }
}
