//! `facectl status`

use crate::apply::Interrupt;
use crate::cli::Exit;
use crate::cli::args::{Global, StatusArgs};
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::session::{Access, Session, State};
use crate::plan::Policy;
use crate::report::{Body, Standing, status_rows};

/// Shows how things are.
pub async fn run(global: &Global, args: StatusArgs, output: Output, interrupt: Interrupt) -> Result<Exit, CliError> {
    let session = Session::open_also_empty(global, &args.paths.paths, output, interrupt).await?;
    let State { store: _held, meta, recorded, .. } = session.state(Access::ReadAnyhow)?;
    let observed = match args.refresh {
        true => session.survey(&meta, &recorded).await?,
        false => session.unobserved(&recorded),
    };
    let policy = Policy { selection: args.selection.selection(), ..session.policy(None, &recorded, &[]) };
    session.check_selection(&policy, &recorded)?;
    let plan = session.plan_without_pals(&recorded, &observed, &policy);
    let rows = status_rows(&plan, &recorded, &observed, args.refresh);
    output.events.statuses(&rows);
    let project = &session.desired().project;
    let observed_at = args.refresh.then_some(observed.at);
    let standing = Standing { project, rows: &rows, observed_at, left_out: plan.left_out.count() };
    output.deliver(Exit::SUCCESS, Some(project), Body::Status(standing), || session.provenance().clone())?;
    if output.is_for_programs() {
        // The whole is in the result.
    } else if rows.is_empty() {
        output.talk("No faces are declared or recorded.");
    } else {
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
