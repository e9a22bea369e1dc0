//! How things are, on two axes as in Argo CD: is it as declared, and is it well.

use comfy_table::{ContentArrangement, Table};
use schemars::JsonSchema;
use serde::Serialize;

use crate::face::{FaceId, FaceKey, Observed, Presence, Recorded, TrainingStatus};
use crate::plan::{Action, Block, FacePlan, Plan, Reason};
use crate::text::clean;

use super::Paint;

/// Whether a face is as declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub enum Sync {
    /// As declared.
    Synced,
    /// Not as declared.
    OutOfSync,
    /// Nobody can tell: not looked, in doubt, or the listing was not complete.
    Unknown,
}

/// Whether a face is well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub enum Health {
    /// Nothing more will change.
    Ready,
    /// Usable, with a watermark.
    Preview,
    /// Not usable yet.
    Training,
    /// Never will be.
    Failed,
    /// Not there.
    Missing,
    /// Nobody can tell.
    Unknown,
}

/// One line of `status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StatusRow {
    /// Which face.
    pub key: FaceKey,
    /// Its id, where there is one.
    pub face_id: Option<FaceId>,
    /// The name people know it by.
    pub face_name: String,
    /// Its model's word.
    pub model_name: Option<String>,
    /// Whether it is as declared.
    pub sync: Sync,
    /// Whether it is well.
    pub health: Health,
    /// How far its training is, in per cent, where that is known and not over.
    pub percent: Option<u32>,
    /// A word that the API used and we do not know.
    pub unknown_status: Option<String>,
    /// What needs attention, and what to do next.
    pub note: Option<String>,
}

/// Returns one row for each face of a plan. `is_fresh` says whether the live faces were looked at for it;
/// otherwise nothing is known to be in sync, and health is what was last seen.
pub fn status_rows(plan: &Plan, recorded: &Recorded, observed: &Observed, is_fresh: bool) -> Vec<StatusRow> {
    plan.faces.iter().map(|face| row(face, recorded, observed, is_fresh)).collect()
}

fn row(face: &FacePlan, recorded: &Recorded, observed: &Observed, is_fresh: bool) -> StatusRow {
    let record = recorded.faces.get(&face.key);
    let id = face.id.clone().or_else(|| record.map(|record| record.id.clone()));
    let live = id.as_ref().map_or(Presence::Gone, |id| observed.presence(id));
    let (status, progress) = match live {
        Presence::Present(live) => (Some(&live.status), live.progress),
        Presence::Gone | Presence::Unknown => (None, None),
    };
    let health = match (status, live) {
        (Some(status), _) => health(status),
        (None, Presence::Gone)
            if matches!(&face.reason, Reason::Blocked(Block::InDoubt { .. } | Block::ListingIncomplete(_))) =>
        {
            Health::Unknown
        }
        (None, _) if face.reason == Reason::NotShownYet => Health::Training,
        (None, Presence::Gone) => Health::Missing,
        (None, _) => Health::Unknown,
    };
    let is_under_way = matches!(health, Health::Training | Health::Preview);
    StatusRow {
        key: face.key.clone(),
        face_id: id,
        face_name: face.name.clone(),
        model_name: face.model.clone(),
        sync: if is_fresh { sync(face) } else { Sync::Unknown },
        health,
        percent: progress.filter(|_| is_under_way).map(crate::face::Progress::percent),
        unknown_status: match status {
            Some(TrainingStatus::Unknown(word)) => Some(word.clone()),
            _ => None,
        },
        note: if is_fresh { note(face, health) } else { None },
    }
}

fn health(status: &TrainingStatus) -> Health {
    match status {
        TrainingStatus::Training => Health::Training,
        TrainingStatus::Preview | TrainingStatus::TuningFailed => Health::Preview,
        TrainingStatus::Ready => Health::Ready,
        TrainingStatus::Failed => Health::Failed,
        TrainingStatus::Unknown(_) => Health::Unknown,
    }
}

fn sync(face: &FacePlan) -> Sync {
    match (&face.action, &face.reason) {
        (_, Reason::Blocked(Block::InDoubt { .. } | Block::ListingIncomplete(_))) => Sync::Unknown,
        (_, Reason::Blocked(Block::Failed(_) | Block::TuningFailed)) => Sync::Synced,
        (_, Reason::ReplacementTrains) => Sync::OutOfSync,
        (Action::NoOp | Action::Wait, _) => Sync::Synced,
        _ if face.is_housekeeping() => Sync::Synced,
        _ => Sync::OutOfSync,
    }
}

fn note(face: &FacePlan, health: Health) -> Option<String> {
    match (&face.action, &face.reason) {
        (_, Reason::Blocked(Block::InDoubt { .. })) => Some("create in doubt: facectl recover".to_owned()),
        (_, Reason::Blocked(Block::Failed(error))) => {
            Some(error.clone().unwrap_or_else(|| "training failed".to_owned()))
        }
        (_, Reason::Blocked(Block::TuningFailed)) => Some("tuning failed: stays a preview".to_owned()),
        (_, Reason::Blocked(Block::Missing)) => Some("deleted by somebody else: facectl plan".to_owned()),
        (_, Reason::Blocked(_)) => Some("blocked: facectl plan".to_owned()),
        (_, Reason::ReplacementTrains) => Some("its new face is in training: facectl wait".to_owned()),
        (Action::Orphaned, _) => Some("no longer declared".to_owned()),
        _ if face.is_housekeeping() => Some("facectl wait".to_owned()),
        (Action::Delete(_), _) => Some("delete: facectl apply --prune".to_owned()),
        (
            Action::Create(_)
            | Action::Replace(_)
            | Action::Switch(_)
            | Action::GiveUp(_)
            | Action::Update(_)
            | Action::Adopt(_)
            | Action::Forget,
            _,
        ) => Some(format!("{}: facectl apply", face.action.word())),
        (Action::Wait, _) => Some("facectl wait".to_owned()),
        (Action::NoOp, _) if health == Health::Ready => Some(format!("facectl converse {}", face.key)),
        (Action::NoOp, _) if health == Health::Preview => Some(format!("usable: facectl converse {}", face.key)),
        (Action::NoOp | Action::Blocked, _) => None,
    }
}

/// Returns the rows as a table.
pub fn status_table(rows: &[StatusRow], paint: Paint) -> String {
    let cells = rows.iter().map(|row| {
        vec![
            row.key.to_string(),
            row.face_id.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string),
            row.model_name.clone().unwrap_or_else(|| "-".to_owned()),
            format!("{:?}", row.sync),
            health_word(row),
            row.note.as_deref().map(|note| clean(note, NOTE_LIMIT)).unwrap_or_default(),
        ]
    });
    let text = table(&["KEY", "FACE ID", "MODEL", "SYNC", "HEALTH", "NEXT"], cells.collect());
    // Coloured after the layout, which counts characters: colours have none.
    let mut lines = text.lines();
    let header = lines.next().map(|line| paint.dim(line)).unwrap_or_default();
    let rows = lines.zip(rows).map(|(line, row)| coloured(line, row, paint));
    std::iter::once(header).chain(rows).map(|line| line + "\n").collect()
}

/// The longest note in a table; the plan and the JSON form have the whole.
const NOTE_LIMIT: usize = 100;

fn health_word(row: &StatusRow) -> String {
    match (&row.unknown_status, row.percent) {
        (Some(word), _) => format!("Unknown ({word})"),
        (None, Some(percent)) => format!("{:?} {percent}%", row.health),
        (None, None) => format!("{:?}", row.health),
    }
}

fn coloured(line: &str, row: &StatusRow, paint: Paint) -> String {
    let sync = format!("{:?}", row.sync);
    let health = health_word(row);
    let painted_sync = match row.sync {
        Sync::Synced => paint.green(&sync),
        Sync::OutOfSync => paint.yellow(&sync),
        Sync::Unknown => paint.dim(&sync),
    };
    let painted_health = match row.health {
        Health::Ready => paint.green(&health),
        Health::Preview | Health::Training => paint.cyan(&health),
        Health::Failed | Health::Missing => paint.red(&health),
        Health::Unknown => paint.yellow(&health),
    };
    // Keys, ids and models are in lower case, so the first capital word is the sync column.
    let Some((before, after)) = line.split_once(&sync) else { return line.to_owned() };
    format!("{before}{painted_sync}{}", after.replacen(&health, &painted_health, 1))
}

/// Returns cells as a table without lines, as kubectl prints it: easy to read, to copy and to cut.
pub fn table(header: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header.to_vec());
    table.add_rows(rows);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.to_string().lines().map(|line| format!("{}\n", line.trim_end())).collect()
}
