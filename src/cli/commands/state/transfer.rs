//! `facectl state pull` and `push`

use std::io::Read;
use std::path::Path;

use serde_json::json;

use crate::cli::Exit;
use crate::cli::args::{OutputFormat, PushArgs};
use crate::cli::error::CliError;
use crate::cli::session::{Access, Unmerged, WholeState};
use crate::state::{
    Export, ExportError, Happened, HistoryEntry, LockFile, Losses, Meta, Snapshot, export, read_export,
    read_history_copy, write_backup,
};

use super::Desk;

/// Prints the whole state.
pub fn pull(desk: &Desk<'_>) -> Result<Exit, CliError> {
    let WholeState { store, snapshot, .. } = desk.place.whole(Access::ReadAnyhow)?;
    let is_new = snapshot.meta.serial == 0 && snapshot.faces.is_empty() && snapshot.journal.is_empty();
    if is_new && store.is_none() {
        return Err(CliError::new(format!("there is no state in {} yet", desk.place.directory.display()))
            .hint("`facectl apply` begins one; --state-dir and --project-file choose another"));
    }
    let mut records = match &store {
        Some(store) => store.records()?,
        None => read_history_copy(&desk.place.directory)?,
    };
    // Beside a run that goes on, the history may be ahead of what else was read.
    if let Some(length) = snapshot.meta.history.as_ref().and_then(|head| crate::state::history::reaches(&records, head))
    {
        records.truncate(length);
    }
    desk.output.value(&export(&snapshot, &records)?)?;
    Ok(Exit::SUCCESS)
}

/// Replaces the state by one from a file.
pub fn push(desk: &Desk<'_>, args: &PushArgs) -> Result<Exit, CliError> {
    let new = read(&args.state)?;
    let file = args.state.display();
    let wanted = &desk.place.project;
    if new.snapshot.meta.project != *wanted {
        let found = &new.snapshot.meta.project;
        return Err(CliError::new(format!(
            "{file} is the state of project `{found}`, not `{wanted}`; nothing was changed"
        ))
        .hint("its tokens mean nothing here, so no flag takes it: check facectl.yaml, --project and the file")
        .exit(Exit::UNSAFE));
    }
    let Unmerged { store, snapshot: here, lock } = desk.place.alone()?;
    if new.is_same(&here) && lock.as_ref().is_none_or(|lock| new.losses(&here, Some(lock)).is_none()) {
        desk.publish(store.as_ref());
        return told(desk, &here.meta, None, &Losses::default(), false);
    }
    let records = store.records()?;
    let objections = objections(&new, &here, &records, lock.as_ref());
    let losses = new.losses(&here, lock.as_ref());
    if !args.force && (!objections.is_empty() || !losses.is_none()) {
        return Err(refused(&args.state, objections, &losses));
    }
    let is_empty = here.meta.serial == 0 && here.faces.is_empty() && here.journal.is_empty();
    let backup = match is_empty && lock.is_none() {
        true => None,
        false => Some(write_backup(&desk.place.directory, &here, &records, lock.as_ref())?),
    };
    let Meta { lineage, serial, .. } = &new.snapshot.meta;
    let forced = if objections.is_empty() && losses.is_none() { "" } else { ", forced" };
    let detail = format!("replaced by a file of serial {serial}, lineage {lineage} (state push{forced})");
    let entry = HistoryEntry::new(desk.clock.now(), None, Happened::Pushed, &detail, desk.place.run_context());
    let is_other = !new.records.is_empty() && new.past(&here, &records).is_none() && !is_part(&new, &records);
    store.commit(new.change(&here, &records, entry))?;
    desk.publish(store.as_ref());
    if is_other {
        let line = "note: the history in the file does not follow on the one here, which was kept and goes on.";
        desk.output.talk(&desk.output.talk_paint.wrap(line, 2));
    }
    told(desk, &store.load()?.meta, backup.as_deref(), &losses, true)
}

/// Whether the history of the file is a beginning of the one here.
fn is_part(new: &Export, records: &[serde_json::Value]) -> bool {
    let head = &new.snapshot.meta.history;
    head.as_ref().is_some_and(|head| crate::state::history::reaches(records, head).is_some())
}

fn read(path: &Path) -> Result<Export, CliError> {
    let failed = |error| CliError::caused(format!("cannot read {}; nothing was changed", path.display()), &error);
    let mut text = String::new();
    match path.to_str() {
        Some("-") => std::io::stdin().lock().read_to_string(&mut text).map(drop).map_err(failed)?,
        _ => text = std::fs::read_to_string(path).map_err(failed)?,
    }
    let text = text.trim_start_matches('\u{feff}');
    read_export(text).map_err(|error| {
        let base =
            CliError::caused(format!("{} is no state that can be pushed; nothing was changed", path.display()), &error);
        match error {
            ExportError::Newer { .. } => base.hint("use the facectl that wrote it, or a newer one").exit(Exit::UNSAFE),
            ExportError::TwoKeys { .. } => base.hint("drop it from one of them").exit(Exit::UNSAFE),
            ExportError::UnknownField(_) => {
                base.hint("is it a slip? It would be dropped without a word; take it out or mend it")
            }
            ExportError::Unreadable(_) | ExportError::Foreign(_) | ExportError::Field { .. } => {
                base.hint("`facectl state pull > FILE` writes such a file")
            }
        }
    })
}

/// Returns what speaks against a file, apart from what would be lost.
fn objections(new: &Export, here: &Snapshot, records: &[serde_json::Value], lock: Option<&LockFile>) -> Vec<String> {
    let mut objections = Vec::new();
    let is_begun = here.meta.serial > 0 || !here.faces.is_empty() || !here.journal.is_empty();
    let lineages = [
        is_begun.then_some((&here.meta.lineage, "the state here")),
        lock.map(|lock| (&lock.lineage, "facectl.lock.yaml")),
    ];
    let Meta { lineage, serial, .. } = &new.snapshot.meta;
    for (other, what) in lineages.into_iter().flatten().filter(|(other, _)| *other != lineage) {
        objections.push(format!("it comes from another line of runs ({lineage}) than {what} ({other})"));
    }
    let known = here.meta.serial.max(lock.map_or(0, LockFile::serial));
    if *serial < known && objections.is_empty() {
        objections.push(format!("it is older: its serial is {serial}, and here it is {known}"));
    }
    let broken = new.verdict().breaks.len();
    if broken > 0 && (records.is_empty() || new.past(here, records).is_some()) {
        objections.push(format!("its history is broken in {broken} places"));
    }
    objections
}

fn refused(file: &Path, objections: Vec<String>, losses: &Losses) -> CliError {
    let mut error = CliError::new(format!("{} was not pushed, nothing was changed", file.display())).exit(Exit::UNSAFE);
    error.causes = objections.into_iter().chain(lost(losses)).collect();
    error
        .hint("`facectl state pull` shows what is here: make the change in that, and push it")
        .hint("--force pushes it all the same; what is here now is kept as a file")
}

/// Returns a line for each thing that is lost.
fn lost(losses: &Losses) -> impl Iterator<Item = String> {
    let Losses { open_creates, faces } = losses;
    let open = open_creates.iter().map(|(key, token)| {
        format!(
            "it does not know of the open create of `{key}` (token {token}): its training may be running and paid for"
        )
    });
    let faces =
        faces.iter().map(|(key, id)| format!("it does not know face {id}, which is recorded under `{key}` here"));
    open.chain(faces).collect::<Vec<_>>().into_iter()
}

fn told(
    desk: &Desk<'_>,
    meta: &Meta,
    backup: Option<&Path>,
    losses: &Losses,
    is_changed: bool,
) -> Result<Exit, CliError> {
    let output = &desk.output;
    for line in lost(losses) {
        output.say(&output.talk_paint.wrap(&format!("warning: forced, although {line}."), 2));
    }
    if output.format != OutputFormat::Text {
        output.value(&json!({
            "format_version": "1.0",
            "is_changed": is_changed,
            "lineage": meta.lineage,
            "serial": meta.serial,
            "backup": backup.map(|path| path.display().to_string()),
            "lost": {
                "open_creates": losses.open_creates.iter().map(|(key, token)| json!({ "key": key, "token": token })).collect::<Vec<_>>(),
                "faces": losses.faces.iter().map(|(key, id)| json!({ "key": key, "face_id": id })).collect::<Vec<_>>(),
            },
        }))?;
        return Ok(Exit::SUCCESS);
    }
    if !is_changed {
        output.result(&format!("The state says so already (serial {}); nothing was written.\n", meta.serial))?;
        return Ok(Exit::SUCCESS);
    }
    output.result(&format!("The state was replaced; its serial is {} now.\n", meta.serial))?;
    match backup {
        Some(path) => output.talk(&format!("What was there before is kept in {}.", path.display())),
        None => output.talk("There was nothing before."),
    }
    Ok(Exit::SUCCESS)
}
