//! Carrying a plan out: a second look before anything is paid for, the steps, and what fell in doubt.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::apply::Trouble;
use crate::cli::Exit;
use crate::cli::error::CliError;
use crate::face::FaceKey;
use crate::plan::{Action, Approved, Consent, FacePlan, Fate, NotApproved, Plan, review};
use crate::report::over_limit;

use super::{Look, Run, is_found};

/// How often creates that are proven absent are sent again in one run.
const RESENDS: u32 = 2;

impl Run<'_> {
    /// Carries a plan out: looks once more before anything is paid for, does what was approved, and settles what fell
    /// in doubt. `before` is called once the plan is approved and before anything is sent. Returns the look that the
    /// steps were taken by.
    ///
    /// # Errors
    /// When the plan is not approved, it no longer holds, or `before` says so; nothing was changed. What goes wrong
    /// later is in the outcome.
    pub async fn carry_out(
        &mut self,
        first: Look,
        consent: Consent,
        before: impl FnOnce(&Self, &Approved) -> Result<(), CliError>,
    ) -> Result<Look, CliError> {
        let mut look = first;
        let is_paid = look.plan.summary().paid_trainings > 0 && look.plan.refusals.is_empty();
        if consent == Consent::Given || (consent != Consent::Withheld && is_paid) {
            if is_paid {
                // Before the second look: an upload may take an hour, and that look is what the creates stand on.
                self.session.upload_files(&look.plan, self.sink).await?;
                self.outwait_empty_record(consent).await?;
            }
            look = second_look(self, look.plan, consent).await?;
        }
        let approved = review(Arc::clone(&look.plan), consent).map_err(not_approved)?;
        self.executor.context.plan_digest = Some(approved.plan().digest().to_string());
        if approved.steps().next().is_some() {
            self.store.prepare()?;
        }
        before(self, &approved)?;
        let doubts_of_earlier_runs = self.outcome.in_doubt.clone();
        let executed = self.executor.execute(&approved, self.session.desired(), &look.observed).await;
        self.outcome.absorb(executed);
        if let Err(error) = resend_absent(self, &approved, &doubts_of_earlier_runs).await {
            // What was done is reported all the same: an error here must not hide what was paid for.
            let why = std::iter::once(error.message).chain(error.causes).collect::<Vec<_>>().join(": ");
            self.outcome.trouble.push(Trouble { key: None, doing: "look for creates in doubt", why });
        }
        self.publish();
        Ok(look)
    }
}

/// Looks once more before the first training is paid for: between the plan and the answer hours may have
/// passed, and one listing by pages can miss a face when others come and go meanwhile. What is planned in
/// both looks is done; what turned out to exist is taken up; nothing new is slipped in.
///
/// # Errors
/// When a person said yes to a plan that is no longer the one that was shown: a yes counts for that one, or
/// not at all.
async fn second_look(run: &Run<'_>, first: Arc<Plan>, consent: Consent) -> Result<Look, CliError> {
    let mut second = run.look().await?;
    if consent == Consent::Bound && second.plan.digest() == first.digest() {
        return Ok(second);
    }
    let before: BTreeMap<&FaceKey, &Action> = first.faces.iter().map(|face| (&face.key, &face.action)).collect();
    let mut moved = Vec::new();
    let plan = Arc::make_mut(&mut second.plan);
    for face in &mut plan.faces {
        let before = before.get(&face.key).copied();
        let is_same = before.is_some_and(|before| face.action.is_as_approved(before));
        let is_harmless = !face.action.is_change() || is_found(face);
        let was_step = before.is_some_and(|before| before.is_change());
        if !is_same && (was_step || face.action.is_change()) {
            moved.push(face.key.to_string());
        }
        if !is_same && !is_harmless {
            face.action = Action::NoOp;
        }
    }
    for retired in plan.retired.iter_mut().filter(|retired| retired.is_deleted()) {
        if !first.retired.contains(retired) {
            moved.push(retired.key.to_string());
            retired.fate = Fate::Prunable;
        }
    }
    if consent == Consent::Bound || (!moved.is_empty() && consent == Consent::Given) {
        return Err(CliError::new("the live faces have changed since the plan was shown; nothing was changed")
            .hint(match moved.is_empty() {
                true => "make a new plan, and look at it".to_owned(),
                false => {
                    format!("what it says about {} no longer holds: make a new plan, and look at it", moved.join(", "))
                }
            })
            .exit(Exit::UNSAFE));
    }
    if !moved.is_empty() {
        run.session.output.say(&format!(
            "warning: the live faces changed since the plan was made, so what it says about {} is not carried out as planned; run apply again.",
            moved.join(", ")
        ));
    }
    Ok(second)
}

/// After the last create of a run: what fell in doubt is looked for, and what is proven never to have
/// begun is sent again under the same token.
async fn resend_absent(
    run: &mut Run<'_>,
    approved: &Approved,
    doubts_of_earlier_runs: &[FaceKey],
) -> Result<(), CliError> {
    for _ in 0..RESENDS {
        let outcome = &run.outcome;
        if outcome.in_doubt.is_empty() || run.session.interrupt.is_noted() || outcome.is_key_refused {
            return Ok(());
        }
        let settled = run.executor.settle().await?;
        run.outcome.in_doubt = settled.in_doubt;
        run.outcome.trouble.extend(settled.trouble);
        // What this run has sent and found again, this run has paid for.
        let (adopted, created): (Vec<_>, Vec<_>) =
            settled.found.into_iter().partition(|key| doubts_of_earlier_runs.contains(key));
        run.outcome.adopted.extend(adopted);
        run.outcome.created.extend(created);
        // Only what was approved as a create: nothing new is slipped in.
        let steps: BTreeMap<&FaceKey, &Action> = approved.steps().map(|face| (&face.key, &face.action)).collect();
        let is_approved = |key: &FaceKey| steps.get(key).is_some_and(|action| action.is_paid());
        let absent: BTreeSet<FaceKey> = settled.absent.into_iter().filter(is_approved).collect();
        if absent.is_empty() {
            return Ok(());
        }
        let Look { observed, plan, .. } = run.look().await?;
        let mut plan = Arc::unwrap_or_clone(plan);
        plan.faces.retain(|face| absent.contains(&face.key));
        // Also of its material: what lies there by now may be another recording than the one that was approved.
        let is_as_approved =
            |face: &FacePlan| steps.get(&face.key).is_some_and(|action| face.action.is_as_approved(action));
        let moved = plan.faces.iter().filter(|face| !is_found(face) && !is_as_approved(face));
        let trouble = moved.map(|face| Trouble {
            key: Some(face.key.clone()),
            doing: "send the create again",
            why: "nothing was started, and what is planned for it by now is not what was approved; run it again"
                .to_owned(),
        });
        run.outcome.trouble.extend(trouble);
        plan.faces.retain(|face| is_found(face) || is_as_approved(face));
        plan.retired.clear();
        plan.refusals.clear();
        let Ok(again) = review(plan, Consent::Automatic) else { return Ok(()) };
        let executed = run.executor.execute(&again, run.session.desired(), &observed).await;
        run.outcome.absorb(executed);
    }
    Ok(())
}

fn not_approved(error: NotApproved) -> CliError {
    match error {
        NotApproved::Withheld => CliError::new("not approved; nothing was changed"),
        NotApproved::OverLimit(refusals) => {
            let mut error = CliError::new("the plan breaks a limit; nothing was changed").exit(Exit::UNSAFE);
            for refusal in &refusals {
                let before = refusal.before.map_or(0, |before| before.count as usize);
                error = error.hint(format!(
                    "{}: raise it there, give {} {}, or apply fewer faces at a time (--target)",
                    over_limit(refusal),
                    refusal.limit.flag(),
                    refusal.faces.len() + before
                ));
            }
            error
        }
    }
}
