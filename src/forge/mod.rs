//! The forge: GitHub or GitLab, where pull requests are talked about. Says there what a plan would do, in one comment,
//! and what drifted, in one issue.
//!
//! # Guarantees
//! - One comment (one issue) for each project name. It carries a hidden line, the [`Marker`], and is edited in place.
//! - Only what the token's own user wrote is edited, closed or deleted. A stranger who pastes the marker changes nothing.
//! - Jobs at the same time end with one: after each write there is another look, of several the oldest stays, and it
//!   gets the text of the newest run. An older run never overwrites a newer one's text that it can see.
//! - A POST whose answer got lost is not sent again before a look.
//!
//! # Assumptions
//! - Run numbers of a forge grow with time, within one repository (GitHub, "Variables reference": `GITHUB_RUN_ID`;
//!   GitLab, "Predefined CI/CD variables reference": `CI_PIPELINE_ID`).
//!
//! # Caveats
//! - Neither forge can edit "if unchanged". Where two jobs of different runs both look before either writes, and the
//!   older one writes last, its text stands until the next run.
//!
//! | file | does |
//! |---|---|
//! | `place.rs` | flags and the CI's own variables -> which forge, repository, pull request, run |
//! | `event.rs` | what GitHub says of the event that started the run |
//! | `marker.rs` | the hidden line |
//! | `document.rs` | the text, fit to be posted: harmless, and cut to what the forge takes |
//! | `converge.rs` | pure: what is there and what is wanted -> the next step; and the loop that takes the steps |
//! | `comment.rs`, `issue.rs` | that loop over the comments of a pull request, and over issues |
//! | `client.rs` | the calls, over [`crate::http`] |
//! | `dialect.rs`, `github.rs`, `gitlab.rs` | what each forge calls things |

mod client;
mod comment;
mod converge;
mod dialect;
mod document;
mod error;
mod event;
mod github;
mod gitlab;
mod issue;
mod marker;
mod place;

pub use client::{Forge, ForgeConfig};
pub use comment::{CommentRequest, comment};
pub use converge::{Change, Settled};
pub use document::{Document, DocumentError};
pub use error::ForgeError;
pub use event::{Event, EventError};
pub use issue::{IssueRequest, Noted, close_issue, open_issue};
pub use marker::{Marker, MarkerKind, Run};
pub use place::{Chosen, Commit, ForgeKind, Label, Place, PlaceError, Repository};
