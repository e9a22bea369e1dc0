//! `facectl apply`

use std::io::IsTerminal;

use crate::apply::{Interrupt, Trouble};
use crate::cli::Exit;
use crate::cli::args::{ApplyArgs, Global};
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::progress::Progress;
use crate::cli::run::{Look, Run, ask, ask_for, is_found};
use crate::cli::saved::SavedPlan;
use crate::cli::session::Session;
use crate::face::FaceKey;
use crate::plan::{Action, Approved, Consent, ExpectedDigest, Fate, NotApproved, Plan, Retired, review};
use crate::report::{over_limit, plan_text};

/// How often creates that are proven absent are sent again in one run.
const RESENDS: u32 = 2;

/// Creates what is missing, updates what differs, and waits.
pub async fn run(global: &Global, args: ApplyArgs, output: Output, interrupt: Interrupt) -> Result<Exit, CliError> {
    let saved = SavedPlan::named(&args.paths.paths)?;
    let (global, args) = match &saved {
        Some(saved) => {
            saved.check_version()?;
            saved.request.asked_again(global, &args)?
        }
        None => (global.clone(), args),
    };
    let session = match args.policy.allow_empty {
        true => Session::open_also_empty(&global, &args.paths.paths, output, interrupt).await?,
        false => Session::open(&global, &args.paths.paths, output, interrupt).await?,
    };
    let exit = apply(&session, &args, saved.as_ref()).await;
    session.close().await;
    exit
}

async fn apply(session: &Session, args: &ApplyArgs, saved: Option<&SavedPlan>) -> Result<Exit, CliError> {
    if let Some(saved) = saved {
        saved.check_project(&session.desired().project)?;
    }
    let progress = Progress::new(session.output);
    let mut run = Run::begin(session, &progress, Some(&args.policy), &args.wait, args.create_parallelism)?;
    run.minds_duplicates = true;
    run.policy.selection = args.selection.selection();
    let recorded = run.store.load()?.recorded();
    if let Some(saved) = saved {
        saved.check_unused(run.store.as_ref())?;
        saved.check_ground(session, &recorded)?;
    }
    session.check_keys(&args.policy, &recorded)?;
    session.check_selection(&run.policy, &recorded)?;
    let settled = run.settle_first().await?;
    let mut look = run.look().await?;
    if let Some(saved) = saved {
        saved.check_plan(&look.plan, &settled)?;
        if look.plan.refusals.is_empty() {
            session.output.talk(&format!("The plan made {} still stands.", saved.age()));
        }
    }
    show(&look.plan, session)?;
    if let Some(expected) = &args.expect_digest {
        check_digest(&look.plan, expected)?;
    }
    if args.expect_no_changes && (look.plan.has_changes() || look.plan.blocks().next().is_some()) {
        return Err(CliError::new("there are changes, and --expect-no-changes was given; no face was changed")
            .exit(Exit::UNEXPECTED_CHANGES));
    }
    let consent = match saved {
        Some(_) => Consent::Bound,
        None => consent(&look.plan, session, args)?,
    };
    let is_paid = look.plan.summary().paid_trainings > 0 && look.plan.refusals.is_empty();
    if consent == Consent::Given || (consent != Consent::Withheld && is_paid) {
        look = second_look(&run, look, consent).await?;
    }
    let approved = review(look.plan.clone(), consent).map_err(not_approved)?;
    run.executor.context.plan_digest = Some(approved.plan().digest().to_string());
    let has_steps = approved.steps().next().is_some() || approved.plan().deletions().next().is_some();
    if let Some(saved) = saved.filter(|_| has_steps) {
        saved.note_applied(run.store.as_ref(), session.clock.now(), &run.executor.context)?;
    }
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
    if consent == Consent::Bound && second.plan.digest() == first.plan.digest() {
        return Ok(second);
    }
    let was_planned =
        |key: &FaceKey, action: &Action| first.plan.faces.iter().any(|face| face.key == *key && face.action == *action);
    let mut moved = Vec::new();
    for face in &mut second.plan.faces {
        let is_same = was_planned(&face.key, &face.action);
        let is_harmless = !face.action.is_change() || is_found(face);
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
        return super::plan::show(plan, session);
    }
    if output.is_talk_seen {
        output.say(&plan_text(plan, output.talk_paint));
    }
    Ok(())
}

/// Refuses a plan that is not the one which was approved by its digest.
fn check_digest(plan: &Plan, expected: &ExpectedDigest) -> Result<(), CliError> {
    if expected.is_met_by(plan.digest()) {
        return Ok(());
    }
    let error = CliError::new(format!(
        "this is not the plan that was expected: its digest is {}, and not {expected}; nothing was changed",
        plan.digest().short()
    ))
    .exit(Exit::UNSAFE);
    Err(match plan.has_changes() {
        true => error.hint("what it stands on has moved since: look at the plan above, and approve that one. A plan that is saved (`plan --out FILE`) tells what has moved"),
        false => error.hint("there is nothing to change: was it applied already?"),
    })
}

fn consent(plan: &Plan, session: &Session, args: &ApplyArgs) -> Result<Consent, CliError> {
    if args.auto_approve && args.expect_digest.is_some() {
        return Ok(Consent::Bound);
    }
    if args.auto_approve || !plan.has_changes() || !plan.refusals.is_empty() {
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
    if !ask(session, &format!("Apply this plan?{cost} Only `yes` is taken: "))? {
        return Ok(Consent::Withheld);
    }
    let hard = hard_deletions(plan);
    if hard.is_empty() {
        return Ok(Consent::Given);
    }
    // What nothing brings back is not agreed to by the same word as everything else.
    let question = format!(
        "{} deleted with the stored material, which nothing brings back. Type `delete` to go on: ",
        match hard.as_slice() {
            [one] => format!("{one} is"),
            all => format!("{} are", all.join(", ")),
        }
    );
    match ask_for(session, &question, "delete")? {
        true => Ok(Consent::Given),
        false => Ok(Consent::Withheld),
    }
}

/// Returns the live faces that a plan deletes with their stored material.
fn hard_deletions(plan: &Plan) -> Vec<String> {
    let left = plan.faces.iter().filter_map(|face| match &face.action {
        Action::Delete(delete) if delete.is_hard => Some(delete.faces.iter()),
        _ => None,
    });
    let is_hard = |retired: &&Retired| matches!(retired.fate, Fate::Delete { is_hard: true });
    let retired = plan.retired.iter().filter(is_hard).map(|retired| &retired.id);
    left.flatten().chain(retired).map(ToString::to_string).collect()
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
