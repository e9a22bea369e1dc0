//! `facectl status`

use crate::apply::Interrupt;
use crate::cli::Exit;
use crate::cli::args::{Global, StatusArgs};
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::session::{Access, Session, State};
use crate::plan::Policy;
use crate::report::{status_json, status_rows, status_table};

/// Shows how things are.
pub async fn run(global: &Global, args: StatusArgs, output: Output, interrupt: Interrupt) -> Result<Exit, CliError> {
    let session = Session::open_also_empty(global, &args.paths.paths, output, interrupt).await?;
    let State { store: _held, meta, recorded } = session.state(Access::ReadAnyhow)?;
    let observed = match args.refresh {
        true => session.survey(&meta, &recorded).await?,
        false => session.unobserved(&recorded),
    };
    let policy = Policy { selection: args.selection.selection(), ..session.policy(None, &recorded, &[]) };
    session.check_selection(&policy, &recorded)?;
    let plan = session.plan_without_pals(&recorded, &observed, &policy);
    let rows = status_rows(&plan, &recorded, &observed, args.refresh);
    output.events.statuses(&rows);
    if output.is_for_programs() {
        let (project, left_out) = (&session.desired().project, plan.left_out.count());
        let at = args.refresh.then_some(observed.at);
        output.value(&status_json(project, &rows, at, left_out, Some(session.provenance())))?;
    } else if rows.is_empty() {
        output.talk("No faces are declared or recorded.");
    } else {
        output.result(&status_table(&rows, output.paint))?;
        if !args.refresh {
            output.talk("note: the API was not asked; health is what was last seen.");
        }
        if plan.left_out.unselected > 0 {
            output.talk(&format!("note: {} more left out by `{}`.", plan.left_out.unselected, plan.policy.selection));
        }
    }
    session.close().await;
    Ok(Exit::SUCCESS)
}
