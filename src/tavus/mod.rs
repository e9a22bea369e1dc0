//! The API. The only room that knows URLs, JSON field names and status words.
//!
//! Code that looks gets [`FaceReads`], so that it cannot write; only `apply/` gets [`FaceApi`].
//! Every fact about the wire carries its source where it is used.
//!
//! | file | does |
//! |---|---|
//! | `client.rs` | the calls, over [`crate::http`]; judges a create |
//! | `wire.rs` | bodies, field names, status words |
//! | `observe.rs` | every page -> `Observed`, several asked for at once |
//! | `pals.rs` | which PALs use which face, and pointing one to another face |
//! | `voices.rs` | every page of both listings of voices -> what a manifest can name |
//! | `base_url.rs` | where the key may go |
//! | `callback.rs` | what a training callback claims: a hint to look, never more |

mod base_url;
mod callback;
mod client;
mod observe;
mod pals;
mod voices;
mod wire;

use std::future::Future;
use std::time::Duration;

use crate::face::{FaceId, Link, Model, ObservedFace, PalId, TrainingInput, VoiceId};
pub use crate::http::{
    ApiError, ApiKey, ApiKeyError, ClientError, Decision, Effect, Failure, GiveUp, Retry, RetryPolicy, decide,
};

pub use base_url::{BaseUrl, BaseUrlError, DEFAULT_BASE_URL, parse_base_url};
pub use callback::{CallbackError, CallbackHint, parse_callback};
pub(crate) use client::if_known;
pub use client::{Client, ClientConfig, is_unknown_id};
pub use observe::{details, observe};
pub use pals::{PalPage, PalRow, Repointed, observe_pals, repoint};
pub use voices::{VoicePage, VoiceQuery, Voices, list_voices};

/// Looking, which costs nothing and may be repeated.
pub trait FaceReads: Send + Sync {
    /// Returns one page of our own faces, counted from 1, 100 rows at most.
    fn face_page(&self, page: u32) -> impl Future<Output = Result<FacePage, ApiError>> + Send;

    /// Returns one face, or none where the API says that it is not there: 404 alone. A 400 with "Invalid face_id" is an
    /// error ([`is_unknown_id`]): with another account's key every id is answered like that (seen in 2026).
    fn face(&self, id: &FaceId) -> impl Future<Output = Result<Option<ObservedFace>, ApiError>> + Send;

    /// Returns one page of all PALs, whoever's they are, counted from 1, 100 rows at most.
    fn pal_page(&self, page: u32) -> impl Future<Output = Result<PalPage, ApiError>> + Send;

    /// Returns one PAL, or none where it is not there: 404 alone, as for faces.
    fn pal(&self, id: &PalId) -> impl Future<Output = Result<Option<PalRow>, ApiError>> + Send;

    /// Returns one voice, or none where there is no such voice.
    fn voice(&self, id: &VoiceId) -> impl Future<Output = Result<Option<Voice>, ApiError>> + Send;

    /// Returns one page of voices, counted from 1, 100 rows at most.
    fn voice_page(&self, page: u32, query: &VoiceQuery) -> impl Future<Output = Result<VoicePage, ApiError>> + Send;
}

/// Looking and changing. Nothing outside `apply/` and `cli/commands/converse.rs` is handed one.
pub trait FaceApi: FaceReads {
    /// Sends one create, once: never retried, never redirected, on a connection of its own.
    ///
    /// Each accepted create starts a paid training, so the outcome has three values and the caller must
    /// have written its intent down durably before calling this.
    fn create_face(&self, request: &CreateFace) -> impl Future<Output = CreateOutcome> + Send;

    /// Changes the name, the default voice, or both; retried, as repeating it changes nothing more.
    fn update_face(&self, id: &FaceId, update: &FaceUpdate) -> impl Future<Output = Result<(), ApiError>> + Send;

    /// Deletes a face, with its stored material if that is asked for; retried, as what is gone stays gone. A face
    /// that is not there (404) counts as deleted, one whose id the API does not know (400) does not. Final either way:
    /// nothing brings a deleted face back.
    fn delete_face(&self, id: &FaceId, is_hard: bool) -> impl Future<Output = Result<(), ApiError>> + Send;

    /// Points a PAL from one face to another, under the guard that it still uses the first; never over unpublished
    /// edits. What came of it is for [`repoint`] to find out: an answer may be lost, or say more than was done.
    fn patch_pal(&self, id: &PalId, from: &FaceId, to: &FaceId) -> impl Future<Output = Result<(), ApiError>> + Send;

    /// Opens a conversation; never retried, as a real one costs minutes from its creation on.
    fn create_conversation(
        &self,
        request: &ConversationRequest,
    ) -> impl Future<Output = Result<Conversation, ApiError>> + Send;
}

/// One page of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FacePage {
    /// The rows, in the API's order, as they came. Rows without a readable id are left out and counted.
    pub faces: Vec<ObservedFace>,
    /// Rows that could not be read as a face.
    pub unreadable_rows: usize,
    /// Which of them came first, and why, for people.
    pub first_unreadable: Option<String>,
    /// How many faces match in all, where the API says it.
    pub total_count: Option<usize>,
}

/// A create, ready for the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateFace {
    /// The whole name, with the creation token in it.
    pub face_name: String,
    /// Always sent: the newest page lists it as required (Create Face, docs.tavus.io, October 2026).
    pub model: Model,
    /// What to train from; says which of the two source fields, and which voice field, is sent.
    pub training: TrainingInput,
    /// The link to the material, as it is sent: bound at the moment of the create where the manifest names something
    /// else.
    pub link: Link,
    /// Sent where the manifest has one, omitted otherwise.
    pub callback_url: Option<Link>,
    /// Sent only where true.
    pub green_screen: bool,
}

/// What became of a create. Decided by what is provable on the wire.
#[derive(Debug, Clone)]
pub enum CreateOutcome {
    /// A complete 2xx answer with an id.
    Accepted {
        /// The new face.
        id: FaceId,
    },
    /// Proof that nothing began: no connection was made, or a complete 4xx other than 408, 409, 425 and 429.
    Refused(ApiError),
    /// Proof that nothing began, and an invitation to come back: 429.
    RetryLater {
        /// What `Retry-After` says, if it is there and readable.
        after: Option<Duration>,
        /// The answer.
        error: ApiError,
    },
    /// Anything else: a training may be running.
    Unknown(ApiError),
}

/// A change in place: only what differs is set (JSON Merge Patch; Update Face page, October 2026).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FaceUpdate {
    /// The new name, whole.
    pub face_name: Option<String>,
    /// The new voice.
    pub default_voice: Option<VoiceId>,
}

/// A voice, as far as a face needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voice {
    /// Its id.
    pub id: VoiceId,
    /// Its name.
    pub name: String,
    /// Whether it says `completed`: only then it can be used.
    pub is_completed: bool,
    /// Its status in the API's word.
    pub status: String,
}

/// What a conversation is to be opened with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversationRequest {
    /// The face to talk to.
    pub face: FaceId,
    /// The PAL that says how it behaves, if one is chosen.
    pub pal: Option<String>,
    /// Nothing joins, nothing is charged, the room is created already ended.
    pub test_mode: bool,
    /// The name the room is listed under.
    pub name: Option<String>,
}

/// An opened conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    /// Its id.
    pub id: String,
    /// The link people join by; none in some test answers.
    pub url: Option<String>,
    /// `active` or `ended`, or a word we do not know.
    pub status: String,
}
