//! What happened, in the past tense. The only thing that people and programs learn of while effects go on.

use std::time::Duration;

use jiff::Timestamp;

use crate::face::{FaceId, FaceKey, Pal, Progress, Token, TrainingStatus, WaitFor};

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A local file is on its way to where Tavus can fetch it.
    UploadProgressed {
        /// Which face.
        key: FaceKey,
        /// The file, as people see it.
        name: String,
        /// How many bytes are there.
        done: u64,
        /// How many it has.
        total: u64,
    },
    /// A create was written down and is being sent.
    CreateBegun {
        /// Which face.
        key: FaceKey,
        /// Under which token.
        token: Token,
    },
    /// A training was started.
    FaceCreated {
        /// Which face.
        key: FaceKey,
        /// Its id.
        id: FaceId,
    },
    /// A create was refused: nothing began.
    CreateRefused {
        /// Which face.
        key: FaceKey,
        /// What the API said.
        why: String,
    },
    /// A create was refused for now; it is sent again later.
    CreatePostponed {
        /// Which face.
        key: FaceKey,
        /// How long it waits.
        wait: Duration,
    },
    /// A create got no usable answer: a training may be running.
    CreateFellInDoubt {
        /// Which face.
        key: FaceKey,
        /// What came instead.
        why: String,
    },
    /// A create in doubt was found to have made a face.
    CreateSettled {
        /// Which face.
        key: FaceKey,
        /// Its id.
        id: FaceId,
        /// The token it was found by.
        token: Token,
    },
    /// A create in doubt was proven never to have begun.
    CreateProvenAbsent {
        /// Which face.
        key: FaceKey,
        /// The token that no listing shows.
        token: Token,
    },
    /// Creates in doubt are being looked for.
    SettlingWaited {
        /// Which faces.
        keys: Vec<FaceKey>,
        /// When the settle window ends.
        until: Timestamp,
        /// How long that still is.
        left: Duration,
    },
    /// Neither state nor lock file know the project: the first paid create waits, and the live faces are listed again.
    EmptyRecordWaited {
        /// When they are.
        until: Timestamp,
        /// How long that still is.
        left: Duration,
    },
    /// A live face was taken into the record.
    FaceAdopted {
        /// Which face.
        key: FaceKey,
        /// Its id.
        id: FaceId,
    },
    /// Name or voice was changed.
    FaceUpdated {
        /// Which face.
        key: FaceKey,
        /// Its id.
        id: FaceId,
        /// What was changed, for people.
        what: String,
        /// Whether only the creation token left the name, which nobody needs to hear about.
        is_housekeeping: bool,
    },
    /// A face was dropped from the record.
    FaceForgotten {
        /// Which face.
        key: FaceKey,
    },
    /// A PAL was pointed to another face.
    PalRepointed {
        /// Whose face.
        key: FaceKey,
        /// Which PAL.
        pal: Pal,
        /// The face it uses now.
        to: FaceId,
    },
    /// Another face took the present one's place, which is one from before now.
    FaceSwitched {
        /// Which key.
        key: FaceKey,
        /// The face from before.
        from: FaceId,
        /// The present face.
        to: FaceId,
    },
    /// A new face that waited beside the present one was given up; it stays alive.
    ReplacementGivenUp {
        /// Which key.
        key: FaceKey,
        /// The new face.
        id: FaceId,
    },
    /// A live face was deleted.
    FaceDeleted {
        /// Which key.
        key: FaceKey,
        /// Its id.
        id: FaceId,
        /// Whether its stored material went too.
        is_hard: bool,
    },
    /// A step failed; the others go on.
    StepFailed {
        /// Which face.
        key: FaceKey,
        /// What was being done, as a verb.
        doing: &'static str,
        /// Why, and what was not done.
        why: String,
    },
    /// Waiting began.
    WaitBegan {
        /// How many faces are waited for.
        faces: usize,
    },
    /// A face in training was looked at.
    TrainingProgressed(Training),
    /// All awaited faces were looked at.
    RoundEnded {
        /// How many are still waited for.
        waiting: usize,
        /// How long until the next look.
        next: Duration,
    },
    /// A face is as far as it was waited for.
    FaceReached(Training),
    /// A training failed, or the face will never be as far as it is waited for.
    TrainingFailed {
        /// Which face, and how far it was.
        training: Training,
        /// The API's reason, if it gave one.
        why: Option<String>,
    },
    /// A look at the live faces failed; it is tried again.
    LookFailed {
        /// What happened.
        why: String,
        /// How often in a row.
        times: u32,
        /// How long until the next look.
        next: Duration,
    },
}

/// How far a training is.
#[derive(Debug, Clone, PartialEq)]
pub struct Training {
    /// Which face.
    pub key: FaceKey,
    /// Its id.
    pub id: FaceId,
    /// Its model's word.
    pub model: String,
    /// Its stage.
    pub status: TrainingStatus,
    /// Its share, where the API says it.
    pub progress: Option<Progress>,
    /// How far it is waited for.
    pub wait_for: WaitFor,
    /// Since its creation.
    pub elapsed: Duration,
    /// How long it usually takes, from and to, in hours.
    pub usual_hours: Option<(u32, u32)>,
}

/// Where events go. Must not block: effects wait for it.
pub trait Sink: Send + Sync {
    /// Takes one event.
    fn take(&self, event: &Event);

    /// Hears that nothing more comes for now: what moves on a screen is taken off it.
    fn rest(&self) {}
}

impl<F: Fn(&Event) + Send + Sync> Sink for F {
    fn take(&self, event: &Event) {
        self(event);
    }
}
