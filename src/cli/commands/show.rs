//! `facectl show`

use crate::cli::Exit;
use crate::cli::args::ShowArgs;
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::saved::SavedPlan;
use crate::report::digest_text;

/// Shows a saved plan as it was shown when it was made.
pub fn run(args: &ShowArgs, output: &Output) -> Result<Exit, CliError> {
    let saved = SavedPlan::read(&args.plan)?;
    if output.is_for_programs() {
        output.value(&saved.json())?;
        return Ok(Exit::SUCCESS);
    }
    let place = match (saved.request.sandbox, &saved.request.api_url) {
        (false, Some(url)) => format!(", for {url}"),
        _ => ", in the sandbox".to_owned(),
    };
    let commit = saved.git_commit.as_ref().map_or_else(String::new, |commit| {
        let changes = if saved.git_dirty == Some(true) { " and changes that were not committed" } else { "" };
        format!(", from commit {commit}{changes}")
    });
    let from = saved.provenance.clone().unwrap_or_default();
    let branch = from.branch.map_or_else(String::new, |branch| format!(" of branch {branch}"));
    let by = from.by.map_or_else(String::new, |by| format!(", by {by}"));
    let head = format!("Saved plan of project {}, made {}{commit}{branch}{by}{place}.", saved.project, saved.age());
    let run = from.run_url.map_or_else(String::new, |url| format!("  {url}\n"));
    output.result(&format!("{}\n{run}\n{}", output.paint.wrap(&head, 2), saved.text))?;
    output.result(&digest_text(saved.digest, output.paint))?;
    output.talk(
        &output.talk_paint.wrap(
            "note: whether it still stands was not checked; `facectl apply` does that before it sends anything.",
            2,
        ),
    );
    Ok(Exit::SUCCESS)
}
