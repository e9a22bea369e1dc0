//! What the sandbox saw and what it would have charged for.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A copy of the books at one moment.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Ledger {
    /// Every paid training, oldest first, those of deleted faces included. Survives restarts.
    pub trainings: Vec<TrainingStarted>,
    /// Requests received under `/v2`, by operation (`create`, `list`, …), refused and broken ones included.
    /// Counts since the last orderly shutdown are lost in a crash.
    pub requests: BTreeMap<String, u64>,
    /// Callbacks that fell due since the start.
    pub callbacks: Vec<CallbackRecord>,
}

/// One training that costs money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrainingStarted {
    /// The face it makes.
    pub face_id: String,
    /// The name sent with the create, whatever became of it later.
    pub face_name: Option<String>,
    /// The model's word.
    pub model_name: String,
    /// The link it is trained from, without user, query and fragment: these may hold a key, and this is kept on disk.
    pub source: String,
    /// When, on the sandbox's clock.
    pub at: Timestamp,
}

/// One callback, sent or not.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CallbackRecord {
    /// The face it tells about.
    pub face_id: String,
    /// Where it was to go.
    pub url: String,
    /// Its body.
    pub body: Value,
    /// When it fell due, on the sandbox's clock.
    pub at: Timestamp,
    /// `delivered`, or why it was not.
    pub outcome: String,
}

impl Ledger {
    /// Returns how many requests of an operation came in.
    pub fn requests_of(&self, operation: &str) -> u64 {
        self.requests.get(operation).copied().unwrap_or(0)
    }

    /// Returns the trainings paid for under exactly this name.
    pub fn trainings_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a TrainingStarted> + 'a {
        self.trainings.iter().filter(move |training| training.face_name.as_deref() == Some(name))
    }
}
