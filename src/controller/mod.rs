//! What a loop stands on that follows a folder or a repository.
//!
//! The loop is level-triggered: a commit, a callback, a passed interval and a person's signal all lead to the same
//! pass over the newest manifests and the live faces, and several of them lead to one. The loop itself is `facectl
//! reconcile`; it plans and carries out by the very functions that `facectl apply` uses. Nothing here plans, applies or
//! prints.
//!
//! | part | what it does |
//! |---|---|
//! | [`agenda`] | what there is to look at again, and when; what failed rests |
//! | [`git`] | fetches a branch and lays the files of its newest commit into a folder |
//! | [`health`] | what the loop tells of itself, and what that means to probes, people and Prometheus |
//! | [`callbacks`] | training callbacks: a secret address, and a bounded queue of faces to look at |
//! | [`http`] | probes, metrics and callbacks over HTTP |

pub mod agenda;
pub mod callbacks;
pub mod git;
pub mod health;
pub mod http;
mod metrics;

pub use agenda::{Agenda, Item};
pub use metrics::CallbackVerdict;
