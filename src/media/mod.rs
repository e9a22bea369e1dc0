//! Training material: where it lies, whether it can be fetched, and what is in it. Knows nothing of plans.
//!
//! | file | does |
//! |---|---|
//! | `check.rs` | the questions that are asked of material, and what a finding is |
//! | `read.rs` | reading parts of it, wherever it lies |

mod check;
mod read;

pub use check::{Certainty, Check, Finding, NoSuchCheck, Severity};
pub use read::{RangedRead, ReadError};
