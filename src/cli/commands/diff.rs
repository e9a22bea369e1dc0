//! `facectl diff`

use serde_json::json;

use crate::apply::Interrupt;
use crate::cli::Exit;
use crate::cli::args::{DiffArgs, Global};
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::session::{Access, Session, State};
use crate::face::Coverage;
use crate::report::{Paint, diff_text};

/// Shows each live face against the declared one.
pub async fn run(global: &Global, args: DiffArgs, output: Output, interrupt: Interrupt) -> Result<Exit, CliError> {
    let session = Session::open(global, &args.paths.paths, output, interrupt).await?;
    let State { store: _held, meta, recorded } = session.state(Access::Read)?;
    let observed = session.survey(&meta, &recorded).await?;
    let paint = if output.is_for_programs() { Paint::plain() } else { output.paint };
    let text = diff_text(session.desired(), &recorded, &observed, paint);
    if let Coverage::Partial(why) = &observed.coverage {
        output.say(&format!("warning: the listing of live faces was not complete ({why}); a face that is shown as not live may be there."));
    }
    let has_changes = text.lines().any(|line| line.contains("declared/"));
    if output.is_for_programs() {
        output.value(&json!({ "format_version": "1.0", "differs": has_changes, "complete": observed.is_complete(), "unified": text }))?;
    } else if text.is_empty() {
        output.talk("No differences: each declared face is live as declared.");
    } else {
        output.result(&text)?;
    }
    session.close().await;
    Ok(if has_changes && args.detailed_exitcode { Exit::CHANGES } else { Exit::SUCCESS })
}
