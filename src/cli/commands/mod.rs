//! One file per verb, thin: parse, call, report.

pub mod apply;
pub mod converse;
pub mod diff;
pub mod drift;
pub mod exit_codes;
pub mod generate;
pub mod plan;
pub mod recover;
pub mod sandbox;
pub mod schema;
pub mod show;
pub mod status;
pub mod validate;
pub mod wait;
