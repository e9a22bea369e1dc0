//! `facectl apply`

use std::io::IsTerminal;

use crate::apply::Interrupt;
use crate::cli::Exit;
use crate::cli::args::{ApplyArgs, Global};
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::progress::Progress;
use crate::cli::run::{Run, ask, ask_for};
use crate::cli::saved::SavedPlan;
use crate::cli::session::Session;
use crate::plan::{Action, Consent, ExpectedDigest, Fate, Plan, Retired};
use crate::report::{digest_text, plan_text};

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
    let look = run.look().await?;
    if let Some(saved) = saved {
        saved.check_plan(&look.plan, &settled)?;
        if look.plan.refusals.is_empty() {
            session.output.talk(&format!("The plan made {} still stands.", saved.age()));
        }
    }
    session.output.events.planned(&look.plan);
    session.output.delivery.note_plan(&look.plan, session.clock.now());
    show(&look.plan, &session.output)?;
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
    let look = run
        .carry_out(look, consent, |run, approved| {
            let has_steps = approved.steps().next().is_some() || approved.plan().deletions().next().is_some();
            match saved.filter(|_| has_steps) {
                Some(saved) => saved.note_applied(run.store.as_ref(), session.clock.now(), &run.executor.context),
                None => Ok(()),
            }
        })
        .await?;
    if !args.no_wait {
        run.wait(&look).await?;
    }
    run.finish(look, |_| true).await
}

/// Shows the plan to whoever is to approve it; programs get the outcome instead.
fn show(plan: &Plan, output: &Output) -> Result<(), CliError> {
    if output.is_for_programs() {
        output.preview(plan);
        return Ok(());
    }
    output.result(&plan_text(plan, output.paint))?;
    match plan.has_changes() {
        true => output.result(&digest_text(plan.digest(), output.paint)),
        false => Ok(()),
    }
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
        .hint("give --auto-approve (-y, --yes) once the plan is what you want"));
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
