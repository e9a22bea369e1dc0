//! Journal entries and their legal steps. Pure.
//!
//! ```text
//!            ┌──────────────────────────────────────────────┐ the same attempt again
//!            v                                              │
//!         begun ──answer with an id──> settled              │
//!           │ │ └──proof of nothing──> refused ─────────────┤
//!           │ └────anything else─────> in doubt             │
//!           │ (the process ended)        │ │                │
//!           └────────counts as───────────┘ │                │
//!                                  found   │  not found in  │
//!                                 settled <┴> absent ───────┘
//!                                             two complete listings
//!                                             after the settle window
//! ```
//!
//! An entry that is *open* (begun or in doubt) blocks its face: it is never simply sent again.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::face::{Doubt, FaceId, OpenCreate, Token, TrainedFrom};
use crate::killpoint::is_off;

/// One create, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    token: Token,
    trained_from: TrainedFrom,
    begun_at: Timestamp,
    /// The face whose place the new one is to take once it is ready; none where it is the key's face at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    beside: Option<FaceId>,
    phase: Phase,
}

/// How far a create is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "phase")]
pub enum Phase {
    /// Written down; it may or may not have been sent.
    Begun,
    /// Sent; no usable answer.
    InDoubt {
        /// What came instead of an answer.
        why: String,
        /// When that was: until then the request may have been under way. None in an entry of an early version.
        #[serde(default)]
        since: Option<Timestamp>,
    },
    /// It made this face.
    Settled {
        /// The face.
        id: FaceId,
    },
    /// Proven: nothing began, because it was refused.
    Refused {
        /// What the API said.
        why: String,
    },
    /// Proven: nothing began, because no listing shows it.
    Absent,
}

/// A step that the diagram above does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the create is {from}, so it cannot become {to}")]
pub struct IllegalStep {
    from: &'static str,
    to: &'static str,
}

impl Phase {
    fn word(&self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::InDoubt { .. } => "in doubt",
            Self::Settled { .. } => "settled",
            Self::Refused { .. } => "refused",
            Self::Absent => "absent",
        }
    }

    fn is_open(&self) -> bool {
        matches!(self, Self::Begun | Self::InDoubt { .. }) && !is_off("journal")
    }
}

impl Entry {
    /// Begins a create, given the key's last entry.
    ///
    /// # Errors
    /// When the last one is still open: sending now could pay twice.
    pub fn begin(
        last: Option<&Self>,
        token: Token,
        trained_from: TrainedFrom,
        now: Timestamp,
    ) -> Result<Self, IllegalStep> {
        if let Some(last) = last.filter(|last| last.phase.is_open()) {
            return Err(IllegalStep { from: last.phase.word(), to: "begun" });
        }
        Ok(Self { token, trained_from, begun_at: now, beside: None, phase: Phase::Begun })
    }

    /// Says that the new face is to take another one's place, and only once it is ready.
    #[must_use]
    pub fn beside(self, present: FaceId) -> Self {
        Self { beside: Some(present), ..self }
    }

    /// Says that the create made a face: it was answered, or its token was found on a live face.
    ///
    /// # Errors
    /// When it is already known what became of it, unless it is known to be this very face. A create that
    /// was held absent may still turn out to have made a face; that is accepted, as it is the truth.
    pub fn settle(&self, id: FaceId) -> Result<Self, IllegalStep> {
        match &self.phase {
            Phase::Begun | Phase::InDoubt { .. } | Phase::Absent => {}
            Phase::Settled { id: known } if *known == id => {}
            Phase::Settled { .. } | Phase::Refused { .. } => return Err(self.illegal("settled")),
        }
        Ok(self.with(Phase::Settled { id }))
    }

    /// Says that the create was refused: nothing began.
    ///
    /// # Errors
    /// When it is not open, or in doubt: a later refusal proves nothing about an earlier sending.
    pub fn refuse(&self, why: String) -> Result<Self, IllegalStep> {
        if self.phase != Phase::Begun {
            return Err(self.illegal("refused"));
        }
        Ok(self.with(Phase::Refused { why }))
    }

    /// Says that nobody knows what became of the create, as of now.
    ///
    /// # Errors
    /// When somebody does.
    pub fn doubt(&self, why: String, now: Timestamp) -> Result<Self, IllegalStep> {
        if !self.phase.is_open() {
            return Err(self.illegal("in doubt"));
        }
        Ok(self.with(Phase::InDoubt { why, since: Some(now) }))
    }

    /// Says that the create is proven never to have begun. The proof is the caller's: two complete
    /// listings without the token, both after the settle window.
    ///
    /// # Errors
    /// When it is not open.
    pub fn absent(&self) -> Result<Self, IllegalStep> {
        if !self.phase.is_open() {
            return Err(self.illegal("absent"));
        }
        Ok(self.with(Phase::Absent))
    }

    /// Returns what blocks the face, while nobody knows what became of the create.
    pub fn open(&self) -> Option<OpenCreate> {
        if !self.phase.is_open() {
            return None;
        }
        let doubt = match &self.phase {
            Phase::Begun => Doubt::Unfinished,
            Phase::InDoubt { why, since: _ } => Doubt::NoAnswer(why.clone()),
            Phase::Settled { .. } | Phase::Refused { .. } | Phase::Absent => return None,
        };
        Some(OpenCreate {
            token: self.token.clone(),
            trained_from: self.trained_from.clone(),
            begun_at: self.begun_at,
            doubt,
            beside: self.beside.clone(),
        })
    }

    /// Returns the token it was, or is to be, sent under.
    pub fn token(&self) -> &Token {
        &self.token
    }

    /// Returns what it was to be made from.
    pub fn trained_from(&self) -> &TrainedFrom {
        &self.trained_from
    }

    /// Returns the last moment at which we know that it may have been under way. The settle window is
    /// counted from here: a request that was waited for as long as the window, and longer, has had no time
    /// to show up when its answer is given up.
    pub fn under_way_until(&self) -> Timestamp {
        match &self.phase {
            Phase::InDoubt { since: Some(since), .. } => self.begun_at.max(*since),
            _ => self.begun_at,
        }
    }

    /// Returns how far it is.
    pub fn phase(&self) -> &Phase {
        &self.phase
    }

    fn with(&self, phase: Phase) -> Self {
        Self { phase, ..self.clone() }
    }

    fn illegal(&self, to: &'static str) -> IllegalStep {
        IllegalStep { from: self.phase.word(), to }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::{Attempt, Model, SourceKind};

    fn trained_from() -> TrainedFrom {
        TrainedFrom {
            model: Model::Phoenix4,
            kind: SourceKind::Video,
            source: "https://m.example.com/a.mp4".into(),
            source_hash: "0".repeat(32),
            revision: None,
            voice: None,
            auto_fix: false,
            green_screen: false,
            training_version: None,
        }
    }

    fn begun(last: Option<&Entry>) -> Result<Entry, IllegalStep> {
        let token =
            Token::of(&"p".parse().unwrap(), &"k".parse().unwrap(), &trained_from().fingerprint(), Attempt::FIRST);
        Entry::begin(last, token, trained_from(), Timestamp::UNIX_EPOCH)
    }

    fn doubted(entry: &Entry) -> Entry {
        entry.doubt("reset".into(), Timestamp::from_second(60).unwrap()).unwrap()
    }

    #[test]
    fn a_doubt_counts_from_when_the_answer_was_given_up() {
        let begun = begun(None).unwrap();
        assert_eq!(begun.under_way_until(), Timestamp::UNIX_EPOCH);
        assert_eq!(doubted(&begun).under_way_until(), Timestamp::from_second(60).unwrap());
        let early = serde_json::from_str::<Phase>(r#"{"phase":"in_doubt","why":"reset"}"#).unwrap();
        assert_eq!(begun.with(early).under_way_until(), Timestamp::UNIX_EPOCH, "an old entry can be read");
    }

    fn id(text: &str) -> FaceId {
        text.parse().unwrap()
    }

    #[test]
    fn an_open_create_is_never_begun_again() {
        let first = begun(None).unwrap();
        assert!(begun(Some(&first)).is_err());
        assert!(begun(Some(&doubted(&first))).is_err());
    }

    #[test]
    fn a_create_that_provably_did_not_begin_may_be_begun_again() {
        let first = begun(None).unwrap();
        assert!(begun(Some(&first.refuse("400".into()).unwrap())).is_ok());
        assert!(begun(Some(&doubted(&first).absent().unwrap())).is_ok());
    }

    #[test]
    fn a_refusal_does_not_end_a_doubt() {
        let doubtful = doubted(&begun(None).unwrap());
        assert!(doubtful.refuse("400".into()).is_err());
    }

    #[test]
    fn a_settled_create_stays_with_its_face() {
        let settled = begun(None).unwrap().settle(id("r1")).unwrap();
        assert!(settled.settle(id("r1")).is_ok());
        assert!(settled.settle(id("r2")).is_err());
        assert!(settled.doubt("x".into(), Timestamp::UNIX_EPOCH).is_err());
        assert!(settled.absent().is_err() && settled.refuse("x".into()).is_err());
        assert_eq!(settled.open(), None);
    }

    #[test]
    fn a_late_face_is_accepted_even_after_it_was_held_absent() {
        assert!(begun(None).unwrap().absent().unwrap().settle(id("r1")).is_ok());
    }
}
