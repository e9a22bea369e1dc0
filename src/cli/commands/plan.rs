//! `facectl plan`

use crate::apply::Interrupt;
use crate::cli::Exit;
use crate::cli::args::{Global, PlanArgs};
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::session::{Access, Session, State};
use crate::plan::Plan;
use crate::report::{plan_json, plan_text};

/// Shows what `apply` would do.
pub async fn run(global: &Global, args: PlanArgs, output: Output, interrupt: Interrupt) -> Result<Exit, CliError> {
    let session = Session::open(global, &args.paths.paths, output, interrupt).await?;
    let State { store: held, meta, recorded } =
        session.state(if args.refresh { Access::Read } else { Access::ReadAnyhow })?;
    session.check_keys(&args.policy, &recorded)?;
    let history = held.as_ref().map_or_else(|| Ok(Vec::new()), |store| store.history())?;
    let policy = session.policy(Some(&args.policy), &recorded, &history);
    let plan = match args.refresh {
        true => session.plan(&recorded, &mut session.survey(&meta, &recorded).await?, &policy).await?,
        false => session.plan_without_pals(&recorded, &session.unobserved(&recorded), &policy),
    };
    if !args.refresh {
        session.output.talk("note: the API was not asked; this compares with what was last applied and seen.");
    }
    show(&plan, &session)?;
    let has_changes = plan.has_changes() || plan.blocks().next().is_some();
    session.close().await;
    if !plan.refusals.is_empty() {
        return Ok(Exit::UNSAFE);
    }
    Ok(match has_changes {
        true if args.expect_no_changes => Exit::UNEXPECTED_CHANGES,
        true if args.detailed_exitcode => Exit::CHANGES,
        _ => Exit::SUCCESS,
    })
}

/// Writes a plan in the format that was asked for.
pub fn show(plan: &Plan, session: &Session) -> Result<(), CliError> {
    let output = &session.output;
    if output.is_for_programs() {
        return output.value(&plan_json(plan, session.clock.now()));
    }
    output.result(&plan_text(plan, output.paint))
}
