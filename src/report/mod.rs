//! Everything a person or a program reads. Values in, text out; asks nobody anything and prints nothing.
//!
//! Each text makes sense without colour: signs and words carry the meaning, colour only helps the eye.

mod diff;
mod documents;
mod drift;
mod explain;
mod format;
mod formats;
mod inspection;
mod material;
mod offline;
mod outcome;
mod paint;
mod plan_text;
mod plan_words;
mod progress;
mod since;
mod state;
mod status;
#[cfg(test)]
mod tests;
mod voices;
mod words;

pub use diff::diff_text;
pub use documents::{
    Counts, Document, DriftDocument, EVENTS_FORMAT_VERSION, EventLine, FaceDrift, FailureDocument, InspectionDocument,
    Level, OutcomeDocument, PLAN_FORMAT_VERSION, PlanDocument, SinceDocument, StatusDocument, ValidationDocument, What,
    document_schema, plan_json,
};
pub use drift::drift_text;
pub use explain::{field_text, kinds_text};
pub use format::{format_json, format_summary, format_text};
pub use formats::{
    Body, Drifted, Failure, MARKDOWN_LIMIT, PROBLEMS_SHOWN, Planned, Ran, Rejection, Report, Roots, Sound, Standing,
    github_commands, github_outputs, gitlab_code_quality, gitlab_plan, headline, junit, markdown,
};
pub use inspection::inspection_text;
pub use offline::{lock_file_text, offline_text, reason_in};
pub use outcome::outcome_text;
pub use paint::Paint;
pub use plan_text::{digest_text, plan_text};
pub(crate) use plan_words::over_limit;
pub use progress::{Heartbeat, line};
pub use since::{changed_by_text, since_text};
pub use state::{history_text, state_rows, state_table, verdict_text};
pub use status::{Health, StatusRow, Sync, status_rows, status_table, table};
pub use voices::{voices_json, voices_table};
pub(crate) use words::keep as keep_text;
pub use words::{duration, hours, not_adoptable, partial, reason};
