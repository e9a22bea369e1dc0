//! What programs read, as types: the JSON that is printed is written from them, and so is its schema.
//!
//! Versions: the first number of `format_version` changes when a reader could break; new fields do not change it.

mod change;
mod drift;
mod events;
mod failure;
mod inspection;
mod outcome;
mod plan;
mod schema;
mod since;
mod status;
mod validation;

use serde::Serialize;
use serde_json::Value;

pub use drift::{DriftDocument, FaceDrift};
pub use events::{Counts, EVENTS_FORMAT_VERSION, EventLine, Level, What};
pub use failure::FailureDocument;
pub use inspection::InspectionDocument;
pub use outcome::OutcomeDocument;
pub use plan::{PLAN_FORMAT_VERSION, PlanDocument, plan_json};
pub use schema::document_schema;
pub use since::SinceDocument;
pub use status::StatusDocument;
pub use validation::ValidationDocument;

/// The version of every form but the plan's, which counts by itself.
const FORMAT_VERSION: &str = "1.0";

/// The document of one result. It borrows what it shows, and is written as it is read: with 10,000 faces a tree of JSON
/// would be the largest thing in memory.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Document<'a> {
    /// What checking manifests showed.
    Validation(ValidationDocument<'a>),
    /// What would be done.
    Plan(Box<PlanDocument<'a>>),
    /// What was done.
    Outcome(Box<OutcomeDocument<'a>>),
    /// How things are.
    Status(StatusDocument<'a>),
    /// What somebody else changed.
    Drift(DriftDocument<'a>),
    /// Why there is no result.
    Failure(Box<FailureDocument<'a>>),
}

/// Returns a document as a tree of JSON.
fn value(document: &impl Serialize) -> Value {
    // It fails only for maps whose keys are no text; ours have none.
    serde_json::to_value(document).unwrap_or_default()
}
