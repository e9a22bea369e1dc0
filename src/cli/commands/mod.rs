//! One file per verb, thin: parse, call, report.

pub mod apply;
pub mod ci;
pub mod converse;
pub mod delete;
pub mod diff;
pub mod drift;
pub mod exit_codes;
pub mod explain;
pub mod export;
pub mod fmt;
pub mod generate;
pub mod import;
pub mod init;
pub mod media;
pub mod plan;
pub mod reconcile;
pub mod recover;
pub mod rollback;
pub mod sandbox;
pub mod schema;
pub mod show;
pub mod state;
pub mod status;
pub mod validate;
pub mod voices;
pub mod wait;
