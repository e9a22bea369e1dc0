//! Everything a person or a program reads. Values in, text out; asks nobody anything and prints nothing.
//!
//! Each text makes sense without colour: signs and words carry the meaning, colour only helps the eye.

mod diff;
mod drift;
mod explain;
mod format;
mod offline;
mod outcome;
mod outcome_json;
mod paint;
mod plan_json;
mod plan_text;
mod progress;
mod state;
mod status;
#[cfg(test)]
mod tests;
mod voices;
mod words;

pub use diff::diff_text;
pub use drift::{drift_json, drift_text};
pub use explain::{field_text, kinds_text};
pub use format::{format_json, format_summary, format_text};
pub use offline::{lock_file_text, offline_text, reason_in};
pub use outcome::outcome_text;
pub use outcome_json::outcome_json;
pub use paint::Paint;
pub use plan_json::{PLAN_FORMAT_VERSION, plan_json};
pub(crate) use plan_text::over_limit;
pub use plan_text::{digest_text, plan_text};
pub use progress::{Heartbeat, line};
pub use state::{history_text, state_rows, state_table, verdict_text};
pub use status::{Health, StatusRow, Sync, status_json, status_rows, status_table, table};
pub use voices::{voices_json, voices_table};
pub(crate) use words::keep as keep_text;
pub use words::{duration, hours, not_adoptable, partial, reason};
