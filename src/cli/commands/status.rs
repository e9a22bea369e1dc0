//! `facectl status`

use crate::apply::Interrupt;
use crate::cli::Exit;
use crate::cli::args::{Global, StatusArgs};
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::session::{Access, Session, State};
use crate::report::{status_json, status_rows, status_table};

/// Shows how things are.
pub async fn run(global: &Global, args: StatusArgs, output: Output, interrupt: Interrupt) -> Result<Exit, CliError> {
    let session = Session::open(global, &args.paths.paths, output, interrupt).await?;
    let State { store: _held, meta, recorded } = session.state(Access::ReadAnyhow)?;
    let observed = match args.refresh {
        true => session.survey(&meta, &recorded).await?,
        false => session.unobserved(&recorded),
    };
    let plan = session.plan_without_pals(&recorded, &observed, &session.policy(None, &recorded, &[]));
    let rows = status_rows(&plan, &recorded, &observed, args.refresh);
    if output.is_for_programs() {
        output.value(&status_json(&session.desired().project, &rows, args.refresh.then_some(observed.at)))?;
    } else if rows.is_empty() {
        output.talk("No faces are declared or recorded.");
    } else {
        output.result(&status_table(&rows, output.paint))?;
        if !args.refresh {
            output.talk("note: the API was not asked; health is what was last seen.");
        }
    }
    session.close().await;
    Ok(Exit::SUCCESS)
}
