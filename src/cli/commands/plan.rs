//! `facectl plan`

use crate::apply::Interrupt;
use crate::cli::Exit;
use crate::cli::args::{Global, PlanArgs};
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::session::{Access, Session, State};
use crate::plan::{Plan, Policy};
use crate::report::{plan_json, plan_text};

/// Shows what `apply` would do.
pub async fn run(global: &Global, args: PlanArgs, output: Output, interrupt: Interrupt) -> Result<Exit, CliError> {
    let session = Session::open(global, &args.paths.paths, output, interrupt).await?;
    let State { store: _held, meta, recorded } =
        session.state(if args.refresh { Access::Read } else { Access::ReadAnyhow })?;
    session.check_keys(&args.policy, &recorded)?;
    let policy = Policy { selection: args.selection.selection(), ..session.policy(Some(&args.policy)) };
    session.check_selection(&policy, &recorded)?;
    let observed = match args.refresh {
        true => session.survey(&meta, &recorded).await?,
        false => session.unobserved(&recorded),
    };
    if !args.refresh {
        session.output.talk("note: the API was not asked; this compares with what was last applied and seen.");
    }
    let plan = session.plan(&recorded, &observed, &policy);
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
