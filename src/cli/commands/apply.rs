//! `facectl apply`

use std::io::IsTerminal;

use crate::apply::{Interrupt, Trouble};
use crate::cli::Exit;
use crate::cli::args::{ApplyArgs, Global};
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::progress::Progress;
use crate::cli::run::{Look, Run, ask};
use crate::cli::session::Session;
use crate::face::FaceKey;
use crate::plan::{Action, Approved, Consent, Fate, NotApproved, Plan, review};
use crate::report::{over_limit, plan_text};

/// How often creates that are proven absent are sent again in one run.
const RESENDS: u32 = 2;

/// Creates what is missing, updates what differs, and waits.
pub async fn run(global: &Global, args: ApplyArgs, output: Output, interrupt: Interrupt) -> Result<Exit, CliError> {
    let session = Session::open(global, &args.paths.paths, output, interrupt).await?;
    let exit = apply(&session, &args).await;
    session.close().await;
    exit
}

async fn apply(session: &Session, args: &ApplyArgs) -> Result<Exit, CliError> {
    let progress = Progress::new(session.output);
    let mut run = Run::begin(session, &progress, Some(&args.policy), &args.wait, args.create_parallelism)?;
    session.check_keys(&args.policy, &run.store.load()?.recorded())?;
    run.settle_first().await?;
    let mut look = run.look().await?;
    show(&look.plan, session)?;
    if args.expect_no_changes && (look.plan.has_changes() || look.plan.blocks().next().is_some()) {
        return Err(CliError::new("there are changes, and --expect-no-changes was given; no face was changed")
            .exit(Exit::UNEXPECTED_CHANGES));
    }
    let consent = consent(&look.plan, session, args.auto_approve)?;
    let is_paid = look.plan.summary().paid_trainings > 0 && look.plan.refusals.is_empty();
    if consent == Consent::Given || (consent == Consent::Automatic && is_paid) {
        look = second_look(&run, look, consent).await?;
    }
    let approved = review(look.plan.clone(), consent).map_err(not_approved)?;
    let doubts_of_earlier_runs = run.outcome.in_doubt.clone();
    let executed = run.executor.execute(&approved, session.desired(), &look.observed).await;
    run.outcome.absorb(executed);
    if let Err(error) = resend_absent(&mut run, &approved, &doubts_of_earlier_runs).await {
        // What was done is reported all the same: an error here must not hide what was paid for.
        let why = std::iter::once(error.message).chain(error.causes).collect::<Vec<_>>().join(": ");
        run.outcome.trouble.push(Trouble { key: None, doing: "look for creates in doubt", why });
    }
    if let Err(error) = run.store.publish() {
        session.output.say(&format!("warning: the lock file could not be written: {error}"));
    }
    if !args.no_wait {
        run.wait(&look).await?;
    }
    run.finish(look, |_| true).await
}

/// Looks once more before the first training is paid for: between the plan and the answer hours may have
/// passed, and one listing by pages can miss a face when others come and go meanwhile. What is planned in
/// both looks is done; what turned out to exist is taken up; nothing new is slipped in.
///
/// # Errors
/// When a person said yes to a plan that is no longer the one that was shown: a yes counts for that one, or
/// not at all.
async fn second_look(run: &Run<'_>, first: Look, consent: Consent) -> Result<Look, CliError> {
    let mut second = run.look().await?;
    let was_planned =
        |key: &FaceKey, action: &Action| first.plan.faces.iter().any(|face| face.key == *key && face.action == *action);
    let mut moved = Vec::new();
    for face in &mut second.plan.faces {
        let is_same = was_planned(&face.key, &face.action);
        let is_harmless =
            !face.action.is_change() || matches!(&face.action, Action::Adopt(adopt) if adopt.token.is_some());
        let was_step = first.plan.faces.iter().any(|before| before.key == face.key && before.action.is_change());
        if !is_same && (was_step || face.action.is_change()) {
            moved.push(face.key.to_string());
        }
        if !is_same && !is_harmless {
            face.action = Action::NoOp;
        }
    }
    for retired in second.plan.retired.iter_mut().filter(|retired| retired.is_deleted()) {
        if !first.plan.retired.contains(retired) {
            moved.push(retired.key.to_string());
            retired.fate = Fate::Prunable;
        }
    }
    if !moved.is_empty() && consent == Consent::Given {
        return Err(CliError::new("the live faces have changed since the plan was shown; nothing was changed")
            .hint(format!(
                "what it says about {} no longer holds: run it again and look at the new plan",
                moved.join(", ")
            ))
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
        let is_approved = |key: &FaceKey| approved.steps().any(|face| face.key == *key && face.action.is_paid());
        let absent: Vec<FaceKey> = settled.absent.into_iter().filter(is_approved).collect();
        if absent.is_empty() {
            return Ok(());
        }
        let Look { observed, mut plan, .. } = run.look().await?;
        plan.faces.retain(|face| absent.contains(&face.key));
        plan.retired.clear();
        plan.refusals.clear();
        let Ok(again) = review(plan, Consent::Automatic) else { return Ok(()) };
        let executed = run.executor.execute(&again, run.session.desired(), &observed).await;
        run.outcome.absorb(executed);
    }
    Ok(())
}

/// Shows the plan to whoever is to approve it; programs get the outcome instead.
fn show(plan: &Plan, session: &Session) -> Result<(), CliError> {
    let output = &session.output;
    if !output.is_for_programs() {
        return output.result(&plan_text(plan, output.paint));
    }
    if output.is_talk_seen {
        output.say(&plan_text(plan, output.talk_paint));
    }
    Ok(())
}

fn consent(plan: &Plan, session: &Session, is_automatic: bool) -> Result<Consent, CliError> {
    if is_automatic || !plan.has_changes() || !plan.refusals.is_empty() {
        return Ok(Consent::Automatic);
    }
    if !std::io::stdin().is_terminal() || !session.output.is_talk_seen {
        return Err(CliError::new(
            "there are changes to apply, and nobody to ask: this is no terminal; nothing was changed",
        )
        .hint("give --auto-approve (-y) once the plan is what you want"));
    }
    let cost = match plan.summary().paid_trainings {
        0 => String::new(),
        1 => " This starts 1 paid training.".to_owned(),
        paid => format!(" This starts {paid} paid trainings."),
    };
    match ask(session, &format!("Apply this plan?{cost} Only `yes` is taken: "))? {
        true => Ok(Consent::Given),
        false => Ok(Consent::Withheld),
    }
}

fn not_approved(error: NotApproved) -> CliError {
    match error {
        NotApproved::Withheld => CliError::new("not approved; nothing was changed"),
        NotApproved::OverLimit(refusals) => {
            let mut error = CliError::new("the plan breaks a limit; nothing was changed").exit(Exit::UNSAFE);
            for refusal in &refusals {
                let before = refusal.before.map_or(0, |before| before.count as usize);
                error = error.hint(format!(
                    "{}: raise it there, give {} {}, or apply fewer faces at a time",
                    over_limit(refusal),
                    refusal.limit.flag(),
                    refusal.faces.len() + before
                ));
            }
            error
        }
    }
}
