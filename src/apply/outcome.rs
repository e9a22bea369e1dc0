//! What came of a run: counted from what happened, never from the plan.

use std::collections::BTreeSet;

use crate::face::{FaceId, FaceKey};
use crate::state::StateError;

use super::{Event, Sink};

/// What one step did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// A training was started.
    Created(FaceId),
    /// A live face was taken into the record.
    Adopted(FaceId),
    /// Name or voice was changed.
    Updated,
    /// A face was dropped from the record.
    Forgotten,
    /// Another face took the present one's place, in PALs and record.
    Switched,
    /// A new face was given up.
    GivenUp,
    /// Live faces were deleted.
    Deleted,
    /// A create was refused: nothing began.
    Refused(String),
    /// A create got no usable answer.
    InDoubt,
    /// A training was started, and that could not be written down: in doubt, with the id in the words.
    Unrecorded(Trouble),
    /// It was not begun, because the run was asked to stop.
    Skipped,
    /// A safety rule stopped it: a person has to act first, and nothing is wrong with the face.
    Held(Trouble),
    /// It failed.
    Failed(Trouble),
}

/// What was being done when it concerned no single face.
const WRITE_STATE: &str = "write the state";
const READ_STATE: &str = "read the state";
const LOOK: &str = "look at the live faces";

/// Something that went wrong without stopping the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// Which face, unless it concerns all.
    pub key: Option<FaceKey>,
    /// What was being done, as a verb.
    pub doing: &'static str,
    /// Why, and what was and was not done.
    pub why: String,
}

impl Trouble {
    /// Says that the state could not be written.
    pub(super) fn state(error: &StateError) -> Self {
        Self { key: None, doing: WRITE_STATE, why: chain(error) }
    }

    /// Says that the state could not be read.
    pub(super) fn unread_state(error: &StateError) -> Self {
        Self { key: None, doing: READ_STATE, why: chain(error) }
    }

    /// Says that the live faces could not be looked at.
    pub(super) fn no_look(why: String) -> Self {
        Self { key: None, doing: LOOK, why }
    }

    /// Returns whether the state is what could not be used.
    pub fn is_about_state(&self) -> bool {
        matches!(self.doing, WRITE_STATE | READ_STATE)
    }

    /// Returns whether the live faces could not be looked at.
    pub fn is_about_looking(&self) -> bool {
        self.doing == LOOK
    }
}

/// Returns an error with all its causes, for people.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// What came of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Trainings that were started.
    pub created: Vec<FaceKey>,
    /// Live faces that were taken into the record.
    pub adopted: Vec<FaceKey>,
    /// Faces whose name or voice was changed.
    pub updated: Vec<FaceKey>,
    /// Faces that were dropped from the record.
    pub forgotten: Vec<FaceKey>,
    /// Faces whose place another one took.
    pub switched: Vec<FaceKey>,
    /// Faces whose replacement was given up.
    pub given_up: Vec<FaceKey>,
    /// Keys of which live faces were deleted, one entry for each deletion that was asked for.
    pub deleted: Vec<FaceKey>,
    /// Creates that were refused, and why: nothing began.
    pub refused: Vec<(FaceKey, String)>,
    /// Creates of which nobody knows what became of them.
    pub in_doubt: Vec<FaceKey>,
    /// Steps that were not begun, because the run was asked to stop.
    pub skipped: Vec<FaceKey>,
    /// What a safety rule stopped, and what a person has to do first.
    pub held: Vec<Trouble>,
    /// Whatever else went wrong.
    pub trouble: Vec<Trouble>,
    /// Faces that are as far as they were waited for.
    pub reached: Vec<FaceKey>,
    /// Faces whose training failed, and why.
    pub failed: Vec<(FaceKey, Option<String>)>,
    /// Faces that are still in training.
    pub still_training: Vec<FaceKey>,
    /// Whether somebody asked to stop.
    pub is_interrupted: bool,
    /// Whether the wait ended because its time was up.
    pub is_deadline_reached: bool,
    /// Whether the key was refused.
    pub is_key_refused: bool,
}

impl Outcome {
    /// Notes what one step did, and tells people of trouble.
    pub fn note(&mut self, key: &FaceKey, done: Done, sink: &dyn Sink) {
        match done {
            Done::Created(_) => self.created.push(key.clone()),
            Done::Adopted(_) => self.adopted.push(key.clone()),
            Done::Updated => self.updated.push(key.clone()),
            Done::Forgotten => self.forgotten.push(key.clone()),
            Done::Switched => self.switched.push(key.clone()),
            Done::GivenUp => self.given_up.push(key.clone()),
            Done::Deleted => self.deleted.push(key.clone()),
            Done::Refused(why) => self.refused.push((key.clone(), why)),
            Done::InDoubt => self.in_doubt.push(key.clone()),
            Done::Skipped => self.skipped.push(key.clone()),
            Done::Unrecorded(trouble) => {
                self.in_doubt.push(key.clone());
                self.note(key, Done::Failed(trouble), sink);
            }
            Done::Held(trouble) => {
                sink.take(&Event::StepFailed { key: key.clone(), doing: trouble.doing, why: trouble.why.clone() });
                self.held.push(trouble);
            }
            Done::Failed(trouble) => {
                sink.take(&Event::StepFailed { key: key.clone(), doing: trouble.doing, why: trouble.why.clone() });
                self.trouble.push(trouble);
            }
        }
    }

    /// Adds what came of a later part of the same run.
    pub fn absorb(&mut self, later: Self) {
        // In full, so that a new field cannot be forgotten here.
        let Self {
            created,
            adopted,
            updated,
            forgotten,
            switched,
            given_up,
            deleted,
            refused,
            in_doubt,
            skipped,
            held,
            trouble,
            reached,
            failed,
            still_training,
            is_interrupted,
            is_deadline_reached,
            is_key_refused,
        } = later;
        // What was in doubt and is known now is in doubt no longer.
        if !self.in_doubt.is_empty() {
            let refused = refused.iter().map(|(key, _)| key);
            let known: BTreeSet<&FaceKey> = created.iter().chain(&adopted).chain(refused).collect();
            self.in_doubt.retain(|key| !known.contains(key));
        }
        let in_doubt: Vec<FaceKey> = in_doubt.into_iter().filter(|key| !self.in_doubt.contains(key)).collect();
        self.created.extend(created);
        self.adopted.extend(adopted);
        self.updated.extend(updated);
        self.forgotten.extend(forgotten);
        self.switched.extend(switched);
        self.given_up.extend(given_up);
        self.deleted.extend(deleted);
        self.refused.extend(refused);
        self.in_doubt.extend(in_doubt);
        self.skipped.extend(skipped);
        self.held.extend(held);
        self.trouble.extend(trouble);
        self.reached.extend(reached);
        self.failed.extend(failed);
        self.still_training.extend(still_training);
        self.is_interrupted |= is_interrupted;
        self.is_deadline_reached |= is_deadline_reached;
        self.is_key_refused |= is_key_refused;
    }
}
