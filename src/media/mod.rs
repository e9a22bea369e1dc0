//! Training material: where it lies, whether it can be fetched, and what is in it. Knows nothing of plans.
//!
//! | file | does |
//! |---|---|
//! | `check.rs` | the questions that are asked of material, and what a finding is |
//! | `expiry.rs` | whether a link lives long enough, by what it says itself |
//! | `read.rs` | reading parts of it, wherever it lies |
//! | `probe/` | fetching a link from here: reachable, the file itself, the same twice |
//! | `inspect/` | looking inside through a few such reads |
//! | `facts.rs` | what was seen inside |
//! | `rules.rs` | what Tavus asks of material, and what the facts say to it |

mod check;
mod expiry;
mod facts;
mod inspect;
mod probe;
mod read;
mod rules;

pub use check::{Certainty, Check, Finding, NoSuchCheck, Severity};
pub use expiry::judge_expiry;
pub use facts::{AudioCodec, Container, Facts, Flaw, VideoCodec};
pub use inspect::{InspectError, MOST_BYTES, MOST_READS, inspect};
pub use probe::{
    Fetched, Probe, ProbeConfig, Probed, Proxies, Resolution, Resolver, SystemResolver, VIDEO_MEGABYTES, Wanted,
};
pub use read::{RangedRead, ReadError};
pub use rules::judge;
