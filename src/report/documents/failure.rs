//! Why there is no result, as programs read it.

use schemars::JsonSchema;
use serde::Serialize;

use crate::face::ProjectName;

use super::super::Failure;
use super::{FORMAT_VERSION, PlanDocument};

/// Why a command has no result. It is written to files alone: a pipe that waits for a result finds none.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Failure", title = "Why a command of facectl has no result")]
pub struct FailureDocument<'a> {
    /// The version of this form. The first number changes when a reader could break.
    format_version: &'static str,
    /// The command, as it is typed.
    command: &'a str,
    /// The project; null where not even that could be found out.
    project: Option<&'a ProjectName>,
    /// The exit code; `facectl exit-codes` explains each.
    exit_code: u8,
    /// What went wrong.
    error: Problem<'a>,
    /// The plan that was shown before, such as the one that was refused; null where there was none.
    plan: Option<PlanDocument<'a>>,
}

/// What went wrong.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FailureError")]
struct Problem<'a> {
    /// What happened.
    message: &'a str,
    /// Why, outermost first.
    causes: &'a [String],
    /// What to do now.
    hints: &'a [String],
}

impl<'a> FailureDocument<'a> {
    /// Returns why a command has no result, for programs.
    pub fn of(command: &'a str, project: Option<&'a ProjectName>, exit_code: u8, failure: &Failure<'a>) -> Self {
        let Failure { message, causes, hints, plan } = *failure;
        Self {
            format_version: FORMAT_VERSION,
            command,
            project,
            exit_code,
            error: Problem { message, causes, hints },
            plan: plan.map(|(plan, now)| PlanDocument::of(plan, now, None)),
        }
    }
}
