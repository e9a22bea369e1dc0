//! `facectl state list` and `show`

use serde_json::json;

use crate::cli::Exit;
use crate::cli::args::StateShowArgs;
use crate::cli::error::CliError;
use crate::cli::session::{Access, WholeState};
use crate::report::{state_rows, state_table};
use crate::state::Entry;

use super::{Desk, unknown};

/// Lists the faces in the record.
pub fn list(desk: &Desk<'_>) -> Result<Exit, CliError> {
    let WholeState { store: _held, snapshot, .. } = desk.place.whole(Access::ReadAnyhow)?;
    let rows = state_rows(&snapshot);
    if desk.output.is_for_programs() {
        desk.output.value(&json!({
            "format_version": "1.0",
            "project": snapshot.meta.project,
            "lineage": snapshot.meta.lineage,
            "serial": snapshot.meta.serial,
            "faces": rows,
        }))?;
    } else if rows.is_empty() {
        desk.output.talk("No face is recorded.");
    } else {
        desk.output.result(&state_table(&rows, desk.output.paint))?;
    }
    Ok(Exit::SUCCESS)
}

/// Shows everything that is recorded about one face.
pub fn show(desk: &Desk<'_>, args: &StateShowArgs) -> Result<Exit, CliError> {
    let WholeState { store: _held, snapshot, .. } = desk.place.whole(Access::ReadAnyhow)?;
    let (face, entry) = (snapshot.faces.get(&args.key), snapshot.journal.get(&args.key));
    if face.is_none() && entry.is_none() {
        return Err(unknown(&args.key, &snapshot));
    }
    let open = entry.and_then(Entry::open);
    let value = json!({ "key": args.key, "face": face, "last_create": entry, "open_create": open });
    if desk.output.is_for_programs() {
        let mut whole = json!({
            "format_version": "1.0",
            "project": snapshot.meta.project,
            "lineage": snapshot.meta.lineage,
            "serial": snapshot.meta.serial,
        });
        if let (Some(whole), Some(value)) = (whole.as_object_mut(), value.as_object()) {
            whole.extend(value.clone());
        }
        desk.output.value(&whole)?;
        return Ok(Exit::SUCCESS);
    }
    let text = crate::yaml::to_string(&value).map_err(|error| CliError::caused("cannot show the record", &error))?;
    desk.output.verbatim(&text)?;
    if face.is_none() {
        desk.output
            .talk("note: no face is recorded under this key now; this is the last create that was begun for it.");
    }
    if open.is_some() {
        desk.output.talk("note: nobody knows what became of its last create; `facectl recover` finds out.");
    }
    Ok(Exit::SUCCESS)
}
