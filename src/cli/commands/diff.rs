//! `facectl diff`

use serde_json::json;

use crate::apply::Interrupt;
use crate::cli::Exit;
use crate::cli::args::{DiffArgs, Global};
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::session::{Access, Session, State};
use crate::face::{Coverage, Desired, FaceKey, Recorded};
use crate::plan::{Policy, Selection};
use crate::report::{Paint, diff_text};

/// Shows each live face against the declared one.
pub async fn run(global: &Global, args: DiffArgs, output: Output, interrupt: Interrupt) -> Result<Exit, CliError> {
    let session = Session::open(global, &args.paths.paths, output, interrupt).await?;
    let State { store: _held, meta, recorded } = session.state(Access::Read)?;
    let policy = Policy { selection: args.selection.selection(), ..session.policy(None, &recorded, &[]) };
    session.check_selection(&policy, &recorded)?;
    let observed = session.survey(&meta, &recorded).await?;
    let (desired, recorded, left_out) = selected(&policy.selection, session.desired(), recorded);
    let paint = if output.is_for_programs() { Paint::plain() } else { output.paint };
    let text = diff_text(&desired, &recorded, &observed, paint);
    if let Coverage::Partial(why) = &observed.coverage {
        output.say(&format!("warning: the listing of live faces was not complete ({why}); a face that is shown as not live may be there."));
    }
    let has_changes = text.lines().any(|line| line.contains("declared/"));
    if output.is_for_programs() {
        output.value(&json!({ "format_version": "1.0", "differs": has_changes, "complete": observed.is_complete(), "unified": text, "left_out": left_out }))?;
    } else if text.is_empty() {
        output.talk(match left_out {
            0 => "No differences: each declared face is live as declared.",
            _ => "No differences: each selected face is live as declared.",
        });
    } else {
        output.result(&text)?;
    }
    if left_out > 0 {
        output.talk(&format!("note: {left_out} more left out by `{}`.", policy.selection));
    }
    session.close().await;
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
