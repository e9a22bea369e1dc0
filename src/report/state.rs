//! What is remembered, as people read it.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::face::{FaceId, FaceKey, OpenCreate, RecordedFace};
use crate::state::history::{Spot, Verdict};
use crate::state::{Entry, Happened, HistoryEntry, Snapshot};

use super::words::count;
use super::{Paint, duration, table};

/// One line of `state list`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StateRow {
    /// Which face.
    pub key: FaceKey,
    /// Its id; none while its first create is open.
    pub face_id: Option<FaceId>,
    /// What it was trained with, where that is known.
    pub model_name: Option<String>,
    /// Which attempt made it.
    pub attempt: Option<u32>,
    /// When its creation was settled.
    pub created_at: Option<Timestamp>,
    /// The new face that is to take its place.
    pub successor: Option<FaceId>,
    /// Faces the key had before.
    pub previous: Value,
    /// The create whose outcome nobody knows.
    pub open_create: Option<OpenCreate>,
}

/// Returns a line for each key that has a face, or a create whose outcome nobody knows.
pub fn state_rows(snapshot: &Snapshot) -> Vec<StateRow> {
    let open = |key: &FaceKey| snapshot.journal.get(key).and_then(Entry::open);
    let is_open = |(key, entry): (&FaceKey, &Entry)| entry.open().map(|_| key.clone());
    let keys: BTreeSet<FaceKey> =
        snapshot.faces.keys().cloned().chain(snapshot.journal.iter().filter_map(is_open)).collect();
    let row = |key: FaceKey| {
        let face = snapshot.faces.get(&key);
        StateRow {
            face_id: face.map(|face| face.id.clone()),
            model_name: face.and_then(|face| face.trained_from.as_ref()).map(|from| from.model.to_string()),
            attempt: face.map(|face| face.attempt.number()),
            created_at: face.and_then(|face| face.created_at),
            successor: face.and_then(|face| face.successor.as_deref()).map(|next| next.id.clone()),
            previous: face.map_or_else(|| Value::Array(Vec::new()), previous),
            open_create: open(&key),
            key,
        }
    };
    keys.into_iter().map(row).collect()
}

/// The faces a key had before, in whatever form the record keeps them.
fn previous(face: &RecordedFace) -> Value {
    serde_json::to_value(&face.previous).unwrap_or_default()
}

/// Returns the lines as a table.
pub fn state_table(rows: &[StateRow], paint: Paint) -> String {
    let text = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    let cells = rows.iter().map(|row| {
        let StateRow { key, face_id, model_name, attempt, created_at, successor, previous, open_create } = row;
        vec![
            key.to_string(),
            text(face_id.as_ref().map(ToString::to_string)),
            text(model_name.clone()),
            text(attempt.map(|attempt| attempt.to_string())),
            text(created_at.map(|at| at.strftime("%Y-%m-%d %H:%M").to_string())),
            text(successor.as_ref().map(ToString::to_string)),
            previous.as_array().map_or(0, Vec::len).to_string(),
            text(open_create.as_ref().map(|open| open.token.to_string())),
        ]
    });
    let header = ["KEY", "FACE ID", "MODEL", "ATTEMPT", "CREATED (UTC)", "NEXT", "PREVIOUS", "OPEN CREATE"];
    let text = table(&header, cells.collect());
    let is_open =
        |line: usize| line.checked_sub(1).and_then(|row| rows.get(row)).is_some_and(|row| row.open_create.is_some());
    let lines = text.lines().enumerate().map(|(number, line)| match number {
        0 => paint.dim(line),
        number if is_open(number) => paint.yellow(line),
        _ => line.to_owned(),
    });
    lines.map(|line| line + "\n").collect()
}

/// Returns entries of a history as text, in their order.
pub fn history_text(entries: &[HistoryEntry], paint: Paint) -> String {
    entries.iter().map(|entry| entry_text(entry, paint)).collect()
}

fn entry_text(entry: &HistoryEntry, paint: Paint) -> String {
    // In full, so that a new field cannot be forgotten here.
    let HistoryEntry {
        at,
        key,
        what,
        id,
        token,
        detail,
        by,
        commit,
        branch,
        dirty,
        run_url,
        plan,
        run,
        command,
        took_ms,
    } = entry;
    let words = happened(*what);
    let painted = match what {
        Happened::CreateSettled | Happened::Adopted => paint.green(&words),
        Happened::CreateRefused | Happened::CreateInDoubt | Happened::Rebuilt => paint.yellow(&words),
        _ => words,
    };
    let key = key.as_ref().map_or("(the whole state)", FaceKey::as_str);
    let id = id.as_ref().map(|id| format!("  {id}")).unwrap_or_default();
    let mut text = format!("{}  {}  {painted}{id}\n", at.strftime("%Y-%m-%d %H:%M:%S"), paint.bold(key));
    let took = took_ms.map(|took| format!("took {}", duration(Duration::from_millis(took))));
    let outcome = [Some(detail.clone()), token.as_ref().map(|token| format!("token {token}")), took];
    let short = |text: &String| text.chars().take(12).collect::<String>();
    let mark = if *dirty == Some(true) { " and uncommitted changes" } else { "" };
    let origin = [
        by.as_ref().map(|by| format!("by {by}")),
        commit.as_ref().map(|commit| format!("commit {}{mark}", short(commit))),
        branch.as_ref().map(|branch| format!("branch {branch}")),
        plan.as_ref().map(|plan| format!("plan {}", short(plan))),
        run.as_ref().map(|run| format!("run {run}")),
        command.as_ref().map(|command| format!("`{command}`")),
    ];
    // On a line of its own, so that it can be clicked whole.
    for parts in [outcome.as_slice(), &origin, std::slice::from_ref(run_url)] {
        let said: Vec<&str> = parts.iter().flatten().map(String::as_str).filter(|part| !part.is_empty()).collect();
        if !said.is_empty() {
            text.push_str(&format!("    {}\n", paint.dim(&paint.wrap(&said.join(", "), 4))));
        }
    }
    text
}

/// What happened, in the words that the state uses for it.
fn happened(what: Happened) -> String {
    let word = serde_json::to_value(what).unwrap_or_default();
    word.as_str().unwrap_or_default().replace('_', " ")
}

/// Returns what verifying a history showed.
pub fn verdict_text(verdict: &Verdict, paint: Paint) -> String {
    let Verdict { linked, unlinked, gaps, breaks } = verdict;
    let entries = |number: u64| match number {
        1 => "1 entry".to_owned(),
        number => format!("{number} entries"),
    };
    let mut text = match breaks.len() {
        0 if *linked == 0 => "The history has no entry with a hash yet.\n".to_owned(),
        0 => format!("{} The history is whole: {} in one chain.\n", paint.green("✓"), entries(*linked)),
        broken => paint.red(&format!("The history is broken in {}.", count(broken, "place"))) + "\n",
    };
    if *unlinked > 0 {
        let line = format!("{} from before there was a chain: nothing proves or disproves them.", entries(*unlinked));
        text.push_str(&format!("  {}\n", paint.wrap(&line, 2)));
    }
    for (sign, spots) in [("!", breaks), ("·", gaps)] {
        for spot in spots {
            text.push_str(&format!("  {sign} {}\n", paint.wrap(&spot_text(spot), 4)));
        }
    }
    text
}

fn spot_text(spot: &Spot) -> String {
    let Spot { record, serial, at, key, what } = spot;
    let place = [serial.map(|serial| format!("serial {serial}")), at.clone(), key.clone()];
    let place: Vec<String> = place.into_iter().flatten().collect();
    match place.is_empty() {
        true => format!("after the last entry: {what}"),
        false => format!("entry {record} ({}): {what}", place.join(", ")),
    }
}
