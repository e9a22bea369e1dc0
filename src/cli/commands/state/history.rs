//! `facectl state history`

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cli::Exit;
use crate::cli::args::{HistoryArgs, OutputFormat};
use crate::cli::error::CliError;
use crate::cli::session::{Access, WholeState};
use crate::report::{history_text, verdict_text};
use crate::state::history::{read_entry, verify};
use crate::state::{HistoryEntry, Meta};

use super::Desk;

/// Shows what was done, or checks that it was not tampered with.
pub fn run(mut desk: Desk<'_>, args: &HistoryArgs) -> Result<Exit, CliError> {
    if args.json {
        desk.output.format = OutputFormat::Json;
    }
    let WholeState { store, snapshot, is_held_elsewhere } = desk.place.whole(Access::ReadAnyhow)?;
    let records = match &store {
        Some(store) => store.records()?,
        // After the snapshot: whoever holds the state writes the history first.
        None => desk.place.history_copy()?,
    };
    match args.verify {
        true => check(&desk, &snapshot.meta, records, is_held_elsewhere),
        false => show(&desk, args, &snapshot.meta, records),
    }
}

fn show(desk: &Desk<'_>, args: &HistoryArgs, meta: &Meta, records: Vec<Value>) -> Result<Exit, CliError> {
    let earliest = args.since.map(|since| desk.clock.now().saturating_sub(since).unwrap_or(Timestamp::MIN));
    let mut chosen: Vec<(Value, HistoryEntry)> = Vec::new();
    for record in records {
        let entry = read_entry(&record)?;
        let is_wanted = args.key.as_ref().is_none_or(|key| entry.key.as_ref() == Some(key))
            && earliest.is_none_or(|earliest| entry.at >= earliest);
        if is_wanted {
            chosen.push((record, entry));
        }
    }
    let first = args.limit.map_or(0, |limit| chosen.len().saturating_sub(limit));
    let (records, entries): (Vec<Value>, Vec<HistoryEntry>) = chosen.drain(first..).unzip();
    if desk.output.is_for_programs() {
        desk.output.value(&json!({
            "format_version": "1.0",
            "project": meta.project,
            "lineage": meta.lineage,
            "serial": meta.serial,
            "head": meta.history,
            "entries": records,
        }))?;
    } else if entries.is_empty() {
        desk.output.talk("Nothing in the history fits.");
    } else {
        desk.output.result(&history_text(&entries, desk.output.paint))?;
    }
    Ok(Exit::SUCCESS)
}

fn check(desk: &Desk<'_>, meta: &Meta, mut records: Vec<Value>, is_held_elsewhere: bool) -> Result<Exit, CliError> {
    if is_held_elsewhere && let Some(head) = &meta.history {
        match crate::state::history::reaches(&records, head) {
            // Whoever holds the state may have gone on since.
            Some(length) => records.truncate(length),
            None => {
                return Err(CliError::new(
                    "another run holds the state, and the copy of its history lacks the end, which proves nothing",
                )
                .hint("run it again when that run has ended")
                .exit(Exit::HELD));
            }
        }
    }
    let verdict = verify(&records, meta.history.as_ref());
    if desk.output.is_for_programs() {
        desk.output.value(&json!({
            "format_version": "1.0",
            "project": meta.project,
            "lineage": meta.lineage,
            "serial": meta.serial,
            "head": meta.history,
            "is_whole": verdict.is_whole(),
            "linked": verdict.linked,
            "unlinked": verdict.unlinked,
            "gaps": verdict.gaps,
            "breaks": verdict.breaks,
        }))?;
    } else {
        desk.output.result(&verdict_text(&verdict, desk.output.paint))?;
    }
    if verdict.is_whole() {
        return Ok(Exit::SUCCESS);
    }
    Err(CliError::new("the history is not what was written: somebody changed it, or the disk did")
        .hint("faces and open creates are not concerned: they have checksums of their own, and `facectl plan` holds them against the live faces")
        .hint("compare it with a `facectl state pull` that was kept, such as by a pipeline, or with `backups/` in the state's folder")
        .exit(Exit::UNSAFE))
}
