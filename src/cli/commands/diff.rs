//! `facectl diff`

use serde_json::json;

use crate::apply::Interrupt;
use crate::cli::Exit;
use crate::cli::args::{DiffArgs, Global};
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::session::{Access, Session, State, Workspace};
use crate::cli::since;
use crate::face::{Coverage, Desired, FaceKey, Observed, Recorded};
use crate::manifest::load;
use crate::plan::{Policy, Selection};
use crate::report::{Paint, SinceDocument, diff_text, lock_file_text, since_text};

/// Shows each live face against the declared one.
pub async fn run(global: &Global, args: DiffArgs, output: Output, interrupt: Interrupt) -> Result<Exit, CliError> {
    if args.look.offline {
        let workspace = Workspace::open(load, global, &args.paths.paths, output, interrupt)?;
        let (recorded, observed) = workspace.offline()?;
        let selection = selection(global, &workspace, &args, &recorded)?;
        return show(&workspace, &args, &selection, recorded, &observed);
    }
    let session = Session::open(global, &args.paths.paths, output, interrupt).await?;
    let State { store: _held, meta, recorded, .. } = session.state(Access::Read)?;
    let selection = selection(global, &session, &args, &recorded)?;
    let observed = session.survey(&meta, &recorded).await?;
    let exit = show(&session, &args, &selection, recorded, &observed)?;
    session.close().await;
    Ok(exit)
}

/// Returns which faces are to be shown.
fn selection(
    global: &Global,
    workspace: &Workspace,
    args: &DiffArgs,
    recorded: &Recorded,
) -> Result<Selection, CliError> {
    let selection = since::selection(global, &args.paths.paths, (&args.selection, &args.look), workspace)?;
    let policy = Policy { selection, ..workspace.policy(None, recorded, &[]) };
    workspace.check_selection(&policy, recorded)?;
    Ok(policy.selection)
}

fn show(
    workspace: &Workspace,
    args: &DiffArgs,
    selection: &Selection,
    recorded: Recorded,
    observed: &Observed,
) -> Result<Exit, CliError> {
    let output = workspace.output;
    let serial = recorded.serial;
    let (desired, recorded, left_out) = selected(selection, workspace.desired(), recorded);
    let paint = if output.is_for_programs() { Paint::plain() } else { output.paint };
    let text = diff_text(&desired, &recorded, observed, paint);
    let is_offline = observed.sight.is_offline();
    if let (Coverage::Partial(why), false) = (&observed.coverage, is_offline) {
        output.say(&format!("warning: the listing of live faces was not complete ({why}); a face that is shown as not live may be there."));
    }
    let has_changes = text.lines().any(|line| line.contains("declared/"));
    if output.is_for_programs() {
        let since = selection.since.as_ref().map(SinceDocument::of);
        output.value(&json!({ "format_version": "1.0", "differs": has_changes, "complete": observed.is_complete(), "basis": observed.sight, "since": since, "unified": text, "left_out": left_out }))?;
    } else if text.is_empty() {
        output.talk(match (left_out, is_offline) {
            (0, false) => "No differences: each declared face is live as declared.",
            (_, false) => "No differences: each selected face is live as declared.",
            (0, true) => "No differences: each declared face is in the lock file as declared.",
            (_, true) => "No differences: each selected face is in the lock file as declared.",
        });
    } else {
        output.result(&text)?;
    }
    if let Some(line) = lock_file_text(observed.sight, serial) {
        output.talk(&format!("note: {line}"));
    }
    if let Some(since) = &selection.since {
        output.talk(&format!("note: {}", since_text(since)));
    }
    if left_out > 0 {
        output.talk(&format!("note: {left_out} more left out by `{selection}`."));
    }
    Ok(if has_changes && args.detailed_exitcode { Exit::CHANGES } else { Exit::SUCCESS })
}

/// Returns what is selected of both sides, and how many faces were left out.
fn selected(selection: &Selection, desired: &Desired, mut recorded: Recorded) -> (Desired, Recorded, usize) {
    let is_selected = |key: &FaceKey| selection.selects(key, desired.faces.get(key).map(|face| &face.labels));
    let all = desired.faces.len() + recorded.faces.keys().filter(|key| !desired.faces.contains_key(*key)).count();
    recorded.faces.retain(|key, _| is_selected(key));
    let mut narrowed = desired.clone();
    narrowed.faces.retain(|key, _| is_selected(key));
    let kept = narrowed.faces.len() + recorded.faces.keys().filter(|key| !narrowed.faces.contains_key(*key)).count();
    (narrowed, recorded, all - kept)
}
