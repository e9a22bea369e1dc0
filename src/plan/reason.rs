//! Why it is to be done, or why nothing may be.

use jiff::Timestamp;

use crate::face::{FaceId, FaceKey, Finding, InputChange, Token};

use super::{Keep, NotAdoptable};

/// Why an action was chosen. A closed set; each action has exactly one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// All three views agree.
    Agrees,
    /// Nothing is recorded, and no live face answers to its token or name.
    New,
    /// The recorded face is gone, and policy says to train it again.
    RecreateMissing,
    /// Its training failed, and policy says to try again.
    RetryFailed(Option<String>),
    /// Its training failed, and the manifest asks for other inputs now.
    ChangedAfterFailure(Vec<InputChange>),
    /// The manifest asks for other training inputs than the live face was made from.
    InputsChanged(Vec<InputChange>),
    /// The training of the new face failed, and policy says to try again.
    RetryReplacement(Option<String>),
    /// The new face is gone, and policy says to train it again.
    RecreateReplacement,
    /// The new face is ready to take the present one's place.
    ReplacementReady,
    /// The new face that is to take the present one's place is in training.
    ReplacementTrains,
    /// A face from before was made from just what the manifest asks for now, and still lives.
    PreviousHasInputs,
    /// The manifest asks for what the present face was made from, or for something else than the new one.
    ReplacementNotWanted,
    /// A live face carries the token of this very intent.
    FoundByToken,
    /// A live face carries this key's token, made from earlier inputs.
    FoundByTokenOfEarlierInputs,
    /// Exactly one live face bears its name and model, and policy says to take it.
    FoundByName,
    /// Its manifest says by id which live face it is.
    DeclaredById,
    /// Its manifest says that only its key changed.
    Moved(FaceKey),
    /// Another key's manifest says that this key became that one.
    MovedTo(FaceKey),
    /// The manifest changed.
    ManifestChanged,
    /// Somebody else changed the live face.
    Drifted,
    /// The manifest changed, and somebody else changed the live face.
    ManifestChangedAndDrifted,
    /// The creation is durable and training is under way: the token has done its work.
    TokenLeavesName,
    /// The project wants the token in the name, and it is not there.
    TokenEntersName,
    /// Training goes on.
    TrainingGoesOn,
    /// It was created a moment ago, and the listing does not show it yet.
    NotShownYet,
    /// The face can be used as far as the manifest waits for; the rest goes on in the background.
    TrainingGoesOnUnawaited,
    /// It left the manifests.
    LeftManifests,
    /// It left the manifests, and may be deleted with `--prune`.
    LeftManifestsPrunable,
    /// It left the manifests, and something stands against its deletion.
    LeftManifestsKept(Keep),
    /// It left the manifests, `on_removal` says that it may go, and `--prune` was given.
    Pruned,
    /// It left the manifests and is gone.
    LeftManifestsAndGone,
    /// Blocked.
    Blocked(Block),
}

/// What blocks a face.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// A create was begun and nobody knows what became of it.
    InDoubt {
        /// When it was written down.
        begun_at: Timestamp,
        /// What came instead of an answer.
        why: Option<String>,
        /// What to look for.
        token: Token,
    },
    /// The recorded face is gone.
    Missing,
    /// Its training failed.
    Failed(Option<String>),
    /// It will never become more than a preview, and the manifest wants it ready.
    TuningFailed,
    /// The listing was not complete, so nothing proves that the face does not exist already.
    ListingIncomplete(String),
    /// Live faces bear its name, and none is known to be it.
    SameName(Vec<FaceId>),
    /// A live face carries the very token that would be sent, and another key's record holds it.
    HeldByOther {
        /// The live face.
        id: FaceId,
        /// The key that holds it.
        by: FaceKey,
    },
    /// A recorded face that is no longer declared was made from the very same inputs: its key was changed.
    Renamed(FaceKey),
    /// Its manifest names a live face by id, and that one cannot be taken.
    NotAdoptable {
        /// The face that the manifest names.
        id: FaceId,
        /// What stands against it.
        why: NotAdoptable,
    },
    /// Its manifest names a live face by id, and the key has another one.
    NamesAnother {
        /// The face that the manifest names.
        named: FaceId,
        /// The face that the key has.
        has: FaceId,
        /// Whether that one is recorded; otherwise it carries the key's token.
        is_recorded: bool,
    },
    /// A training would be needed, and nothing says what to train it from.
    NoSource,
    /// The material lies on a host that is reserved for examples: the training could only fail.
    ExampleHost(String),
    /// A training would be needed, and what is in the file it is to be trained from is not known here: it is missing,
    /// or cannot be read.
    FileUnread(String),
    /// The training could only fail: what was found about its material. Never empty.
    Material(Vec<Finding>),
    /// Other training inputs are asked for, which needs a new face, and this one is protected.
    ProtectedFromReplacement {
        /// What differs; empty where only the token tells that something does.
        changes: Vec<InputChange>,
    },
    /// The training of the new face failed; the present one stays.
    ReplacementFailed(Option<String>),
    /// The tuning of the new face failed, and the manifest wants it ready; the present one stays.
    ReplacementTuningFailed,
    /// The new face is gone; the present one stays.
    ReplacementMissing,
    /// Somebody was going back to this face from before, and that ended half-way: some PALs may use it already.
    RollbackUnfinished(FaceId),
    /// A person went back to the present face, and the manifest still asks for what they left.
    RolledBack,
    /// Which PALs use the present face could not be found out, so it cannot be replaced in them.
    PalsUnknown(String),
}
