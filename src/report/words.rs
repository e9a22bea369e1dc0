//! Values in words.

use std::time::Duration;

use crate::face::{FACE_ID_ANNOTATION, InputChange, shown_path};
use crate::plan::{Block, Keep, LeftOut, NotAdoptable, Reason, Selection};

use super::material::{findings_help, findings_text};

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
        (others, changes) if others == changes => {
            format!("{others} other faces are left out, and all of them have changes of their own.")
        }
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
        Reason::DeclaredById => {
            "its manifest says by id which live face it is; what it was trained from is not known and never counts as a difference".to_owned()
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
            "it left the manifests; it stays alive and recorded, as facectl deletes nothing on its own (`facectl state forget` drops it from the record alone)".to_owned()
        }
        Reason::InputsChanged(changes) => format!(
            "{} cannot change in place: a new face is trained first, and takes the place of this one once it is ready",
            fields(changes)
        ),
        Reason::RetryReplacement(error) => match error {
            Some(error) => format!("the training of its new face failed ({error}), and policy says to try again"),
            None => "the training of its new face failed, and policy says to try again".to_owned(),
        },
        Reason::RecreateReplacement => "its new face is gone, and policy says to train it again".to_owned(),
        Reason::ReplacementReady => "its new face is ready to take its place".to_owned(),
        Reason::ReplacementTrains => "its new face is in training; this one serves until it is ready".to_owned(),
        Reason::PreviousHasInputs => {
            "a face that it had before was made from just these inputs and still lives: nothing has to be trained".to_owned()
        }
        Reason::ReplacementNotWanted => {
            "the manifest asks for what the present face was made from: its new face is not wanted any more".to_owned()
        }
        Reason::LeftManifestsPrunable => {
            "it left the manifests, and on_removal says that it may go: `--prune` deletes it".to_owned()
        }
        Reason::LeftManifestsKept(why) => format!("it left the manifests, and stays: {}", keep(why)),
        Reason::Pruned => "it left the manifests, on_removal says that it may go, and --prune was given".to_owned(),
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
                "nothing is recorded for it, but {} its name already, or one that reads the same ({}), and a name alone is no identity",
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
        Block::NotAdoptable { id, why } => {
            format!("the manifest says that it is {id} ({FACE_ID_ANNOTATION}), but {}", not_adoptable(why))
        }
        Block::NamesAnother { named, has, is_recorded } => {
            let other = if *is_recorded { "is what is recorded for it" } else { "carries its creation token" };
            format!("the manifest says that it is {named} ({FACE_ID_ANNOTATION}), but {has} {other}")
        }
        Block::NoSource => "it would have to be trained, and nothing says what to train it from".to_owned(),
        Block::ExampleHost(host) => {
            format!("its source lies on {host}, which is reserved for examples: nothing can be fetched from there")
        }
        Block::FileUnread(file) => {
            format!("it would have to be trained, and {file} is not here or cannot be read, so nobody knows what is in it")
        }
        Block::Material(findings) => {
            format!("nothing is paid for a training that could not work: {}", findings_text(findings))
        }
        Block::ProtectedFromReplacement { changes } => {
            format!("{} cannot change in place: it needs a new face, and it is protected", fields(changes))
        }
        Block::ReplacementFailed(error) => match error {
            Some(error) => format!("the training of its new face failed: {error}; the present one stays"),
            None => "the training of its new face failed, and the API does not say why; the present one stays".to_owned(),
        },
        Block::ReplacementTuningFailed => {
            "the tuning of its new face failed: that one stays a preview with a watermark for ever, so the present one stays".to_owned()
        }
        Block::ReplacementMissing => {
            "its new face is gone, and facectl did not delete it; the present one stays, and training again would cost".to_owned()
        }
        Block::RollbackUnfinished(to) => {
            format!("somebody was going back to {to}, and that ended half-way: some PALs may use it already")
        }
        Block::RolledBack => {
            "a person went back to this face, and the manifest still asks for what they went back from".to_owned()
        }
        Block::PalsUnknown(why) => {
            format!("nobody can say which PALs use it ({why}), so they cannot be pointed to its new face")
        }
    }
}

/// Returns the training inputs that a reason is about; none where it is about none.
pub(super) fn input_changes(reason: &Reason) -> Option<&[InputChange]> {
    match reason {
        Reason::ChangedAfterFailure(changes)
        | Reason::InputsChanged(changes)
        | Reason::Blocked(Block::ProtectedFromReplacement { changes }) => Some(changes),
        _ => None,
    }
}

/// Returns the fields that differ, for people.
fn fields(changes: &[InputChange]) -> String {
    let fields: Vec<&str> = changes.iter().map(|change| change.field).collect();
    if fields.is_empty() { "its training inputs".to_owned() } else { fields.join(", ") }
}

/// Returns why a face is not deleted although it may go.
pub(crate) fn keep(keep: &Keep) -> String {
    match keep {
        Keep::Protected => "it is protected".to_owned(),
        Keep::UsedByPals(pals) => {
            let shown: Vec<String> = pals.iter().take(5).map(|pal| format!("{} ({:?})", pal.id, pal.name)).collect();
            let more = pals.len().saturating_sub(shown.len());
            let more = if more == 0 { String::new() } else { format!(" and {more} more") };
            format!(
                "{} {}{more} it; point them to another face first",
                if pals.len() == 1 { "PAL" } else { "PALs" },
                shown.join(", ") + if pals.len() == 1 { " uses" } else { " use" }
            )
        }
        Keep::PalsUnknown(why) => format!("nobody can say which PALs use it ({why})"),
        Keep::FailedLately(until) => format!(
            "its training failed less than a day ago, and deleting it now may lose the refund; from {until:.0} on, or where somebody insists (--prune-failed; --although-failed for `delete`)"
        ),
        Keep::ListingIncomplete(why) => format!("the listing of live faces was not complete ({why})"),
        Keep::NothingDeclared => {
            "nothing at all is declared, which may be a slip; --allow-empty says that it is meant".to_owned()
        }
        Keep::PresentNotUsable => "the present face cannot be used, and this one could be gone back to".to_owned(),
        Keep::HeldBy(other) => format!(
            "the record of {other} holds it too, and a face belongs to one key: take it out of one of them, as by `facectl state pull` and `push`"
        ),
        Keep::LooksRenamed(other) => {
            format!("it looks as if only its key was changed, to {other}; say so there by `facectl.dev/moved-from`")
        }
        Keep::AskedFor => "the manifest asks for what it was made from, and the present face is another one".to_owned(),
        Keep::MaterialUnknown => {
            "what its key is trained from cannot be looked at now, and this one may be what is asked for".to_owned()
        }
        Keep::ManifestsUnread(files) => {
            let shown: Vec<_> = files.iter().take(3).map(|file| shown_path(file)).collect();
            let more = files.len().saturating_sub(shown.len());
            let more = if more == 0 { String::new() } else { format!(" and {more} more") };
            format!(
                "{}{more} could not be read as manifests and may declare it: nothing is deleted in this run; repair them, or move them out of the folders of `spec.manifests`",
                shown.join(", ")
            )
        }
        Keep::FileStillThere(file) => format!(
            "{} declared it and is still there, but was not read as its manifest: remove the file, or make it a manifest again",
            shown_path(file)
        ),
        Keep::InDoubt => "a create of its key is in doubt: run `facectl recover` first".to_owned(),
    }
}

/// Returns what stands against taking a live face. Fits after "but".
pub fn not_adoptable(why: &NotAdoptable) -> String {
    match why {
        NotAdoptable::NotFound => "no live face of this account has that id".to_owned(),
        NotAdoptable::NotOurs => {
            "the API does not say that it is yours: stock faces belong to everybody, and are never taken over"
                .to_owned()
        }
        NotAdoptable::HeldBy(key) => format!("{key} has it already, and a face belongs to one key"),
        NotAdoptable::OtherToken(token) => {
            format!("its name carries {token}, the creation token of another key or project")
        }
        NotAdoptable::Failed(Some(error)) => format!("its training failed: {error}"),
        NotAdoptable::Failed(None) => "its training failed, and the API does not say why".to_owned(),
    }
}

fn adoption_advice(why: &NotAdoptable) -> String {
    match why {
        NotAdoptable::NotFound => {
            format!("correct the annotation; to train a new face instead, remove {FACE_ID_ANNOTATION} and name a source")
        }
        NotAdoptable::NotOurs => {
            "name a face of your own; a stock face needs no managing, use its id as it is".to_owned()
        }
        NotAdoptable::HeldBy(key) => format!(
            "keep one of the two; if {key} was only renamed, add the annotation `facectl.dev/moved-from: {key}` under metadata.annotations"
        ),
        NotAdoptable::OtherToken(_) => {
            "leave it to the project that made it; once that has given it up, rename the face in Tavus without the token"
                .to_owned()
        }
        NotAdoptable::Failed(_) => {
            format!("a failed face never becomes usable: to train a new one, remove {FACE_ID_ANNOTATION} and name a source")
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
        Block::NotAdoptable { id: _, why } => adoption_advice(why),
        Block::NamesAnother { .. } => format!(
            "remove {FACE_ID_ANNOTATION} to keep the face that it has, or declare the named one under a key of its own"
        ),
        Block::ExampleHost(_) => {
            "put the link to the real material into the manifest; a rehearsal takes any: add --sandbox".to_owned()
        }
        Block::FileUnread(_) => {
            "put the file there, or run facectl where it is; the path is seen from the manifest".to_owned()
        }
        Block::Material(findings) => findings_help(findings),
        Block::NoSource => {
            "add `train_video_url` (a recording), or `train_image_url` and a voice (a photo), to the manifest".to_owned()
        }
        Block::ProtectedFromReplacement { .. } => {
            "set the manifest back, declare the new inputs under a new key, or take lifecycle.protect away".to_owned()
        }
        Block::ReplacementFailed(_) => format!(
            "change the source (or raise training_version), run `facectl apply --retry {key}`, or set the manifest back to keep the present face"
        ),
        Block::ReplacementTuningFailed => {
            "be content with it by lifecycle.wait_for: preview, raise training_version to train another one, or set the manifest back".to_owned()
        }
        Block::ReplacementMissing => {
            format!("to train it again run `facectl apply --recreate {key}`; to keep the present face set the manifest back")
        }
        Block::RollbackUnfinished(_) => {
            format!("run `facectl rollback {key}` again: it does what is left; nothing else is done to it before")
        }
        Block::RolledBack => format!(
            "set the manifest back to what the present face was made from, raise training_version to train another one, or go on to the newer face by `facectl apply --roll-forward {key}`"
        ),
        Block::PalsUnknown(_) => {
            "run it again later; to replace it without looking at PALs set lifecycle.repoint_pals: false".to_owned()
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
