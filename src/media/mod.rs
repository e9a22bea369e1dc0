//! Training material: where it lies, whether it can be fetched, and what is in it. Knows nothing of plans.
//!
//! | file | does |
//! |---|---|
//! | `read.rs` | reading parts of it, wherever it lies |
//! | `inspect/` | looking inside through a few such reads |
//! | `facts.rs` | what was seen inside |
//! | `rules.rs` | what follows from it, by what Tavus' pages ask for |
//! | `expiry.rs` | whether a link lives long enough, by what it says itself |
//! | `probe/` | fetching a link from here: reachable, the file itself, the same twice |
//! | `store.rs` | object stores: what lies there, links to it, uploads; the only file that names the library |
//! | `command.rs` | commands that print links |
//! | `content.rs` | what is in local files, hashed once |
//! | `note.rs` | what is remembered of both between runs |
//! | `upload.rs` | local files to a store, each once |
//! | `stop.rs` | what stops a training before anything is seen, in words |
//! | `sights.rs` | for how long a look holds |
//! | `desk.rs` | all of it together: a look before it is paid for, and the link that is sent |
//!
//! What a finding is stands with the words, in [`crate::face`].

mod command;
mod content;
mod desk;
mod expiry;
mod facts;
mod inspect;
mod note;
mod probe;
mod read;
mod rules;
mod sights;
mod stop;
mod store;
mod upload;

pub use crate::face::{Certainty, Check, Finding, NoSuchCheck, Severity};
pub use command::{AllowedCommand, Commands, parse_seen_variable};
pub use content::{HASHES_FILE, Hashes, has_files, read_contents, stamps};
pub use desk::{Desk, DeskSettings, Inspection, LINK_LIFETIME};
pub use expiry::judge_expiry;
pub use facts::{AudioCodec, Container, Facts, Flaw, VideoCodec};
pub use inspect::{InspectError, MOST_BYTES, MOST_READS, inspect};
pub use probe::{
    Fetched, Probe, ProbeConfig, Probed, Proxies, Resolution, Resolver, SystemResolver, VIDEO_MEGABYTES, Wanted,
};
pub use read::{RangedRead, ReadError};
pub use rules::judge;
pub use upload::{UPLOADS_FOLDER, Uploading};
