//! The only key that opens `apply`.

use std::sync::Arc;

use super::{FacePlan, Plan, Refusal};

/// A plan that a person or a policy has approved. Made by [`review`] alone.
///
/// Blocked faces stand in it, to be reported, but nothing executes them: one blocked face must not keep
/// the others from being served.
#[derive(Debug)]
pub struct Approved(Arc<Plan>);

/// Who said yes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    /// A person, who was shown the plan and asked.
    Given,
    /// `--auto-approve`.
    Automatic,
    /// Somebody, before, to exactly this plan: it was saved, or named by its digest.
    Bound,
    /// A person, who said no.
    Withheld,
}

/// Why a plan was not approved. Nothing was done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotApproved {
    /// It breaks a limit.
    #[error("the plan breaks a limit")]
    OverLimit(Vec<Refusal>),
    /// The person said no.
    #[error("the plan was not approved")]
    Withheld,
}

impl Approved {
    /// Returns the plan.
    pub fn plan(&self) -> &Plan {
        &self.0
    }

    /// Returns the faces that something is to be done to.
    pub fn steps(&self) -> impl Iterator<Item = &FacePlan> {
        self.0.faces.iter().filter(|face| face.action.is_change())
    }
}

/// Turns a plan into an approved one.
///
/// # Errors
/// When it breaks a limit, whoever says yes, or when the person said no. Nobody's yes counts for a plan that was made
/// without a look at the live faces.
pub fn review(plan: impl Into<Arc<Plan>>, consent: Consent) -> Result<Approved, NotApproved> {
    let plan = plan.into();
    if !plan.refusals.is_empty() {
        return Err(NotApproved::OverLimit(plan.refusals.clone()));
    }
    if !plan.is_for_approval() {
        return Err(NotApproved::Withheld);
    }
    match consent {
        Consent::Given | Consent::Automatic | Consent::Bound => Ok(Approved(plan)),
        Consent::Withheld => Err(NotApproved::Withheld),
    }
}
