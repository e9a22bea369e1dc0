//! The words: one face seen three ways.
//!
//! Nothing here does IO, waits, asks for the time, or knows YAML, JSON field names or URLs of the API.
//!
//! | view | says | file |
//! |---|---|---|
//! | [`Desired`] | what the manifests ask for | `desired.rs` |
//! | [`Recorded`] | what we last applied | `recorded.rs` |
//! | [`Observed`] | what the API showed, when, and whether it was everything | `observed.rs` |

mod alike;
mod desired;
mod link;
mod material;
mod name;
mod observed;
mod recorded;
mod source;
mod spec;
mod token;
mod voice;

pub use crate::text::{redact_links, visible as shown_path};
pub(crate) use alike::{escaped_if_alike, folded, is_alike, is_same_text, told_apart};
pub use desired::{Desired, DesiredFace, FACE_ID_ANNOTATION, Naming, Origin};
pub use link::{Link, LinkEnd, LinkError, SigningScheme, TooLong, Validity, is_public_address};
pub use material::{Certainty, Check, Finding, MaterialSight, NoSuchCheck, Revision, Severity};
pub use name::{FaceId, FaceKey, FaceName, Model, NameError, PalId, ProjectName, VoiceId, VoiceSlug};
pub use observed::{
    Coverage, Observed, ObservedFace, ObservedPals, Ownership, Pal, Presence, Progress, Sight, TrainingStatus,
};
pub(crate) use recorded::previous_faces;
pub use recorded::{Doubt, LastSeen, OpenCreate, PreviousFace, Recorded, RecordedFace};
pub use source::{
    FileContent, ObjectName, ObjectPrefix, SourceCommand, SourceError, SourceFile, Store, TrainingSource,
};
pub use spec::{
    FaceSpec, Fingerprint, InputChange, Lifecycle, OnFailed, OnMissing, OnRemoval, OnSourceChange, SourceKind,
    TrainedFrom, TrainingInput, TrainingVoice, WaitFor,
};
pub use token::{Attempt, Token, named_with, split_name};
pub use voice::{ListedVoice, VoiceKind, VoiceUse};
