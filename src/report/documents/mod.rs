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

pub use drift::{DriftDocument, FaceDrift, drift_json};
pub use events::{Counts, EVENTS_FORMAT_VERSION, EventLine, Level, What};
pub use failure::{FailureDocument, failure_json};
pub use inspection::{InspectionDocument, inspection_json};
pub use outcome::{OutcomeDocument, outcome_json};
pub use plan::{PLAN_FORMAT_VERSION, PlanDocument, plan_json};
pub use schema::document_schema;
pub use since::{SinceDocument, since_json};
pub use status::{StatusDocument, status_json};
pub use validation::{ValidationDocument, validation_json};

/// The version of every form but the plan's, which counts by itself.
const FORMAT_VERSION: &str = "1.0";

/// Returns a document as JSON.
fn value(document: &impl Serialize) -> Value {
    // It fails only for maps whose keys are no text; ours have none.
    serde_json::to_value(document).unwrap_or_default()
}
