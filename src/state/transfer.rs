//! The whole state as one file: `state pull` writes it, `state push` reads it. Pure, but for the backup.
//!
//! # Guarantees
//! A file is judged as a whole before anything is written: its form, every field of it, that no face belongs to two
//! keys, and the chain of its history. What replacing a state by it would lose is named beforehand.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use crate::face::{FaceId, FaceKey, RecordedFace, Token};
use crate::files::{self, Mode};

use super::history::{self, HistoryRecord, Verdict, read_entry, verify};
use super::{Change, Entry, FORMAT_VERSION, HistoryEntry, LockFile, Meta, Past, Phase, Snapshot, StateError};

/// The version of the file's form.
pub const EXPORT_VERSION: &str = "1.0";

/// Where the states are kept that a push replaced, in the state's folder.
const BACKUPS: &str = "backups";

/// A state from a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Export {
    /// Everything but the history.
    pub snapshot: Snapshot,
    /// The history, as it was stored.
    pub records: Vec<Value>,
}

/// Why a file is no state that can be used.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// Neither JSON nor YAML.
    #[error("it is neither JSON nor YAML: {0}")]
    Unreadable(String),
    /// Something else than `state pull` writes.
    #[error("it is not what `facectl state pull` writes: it has no {0}")]
    Foreign(&'static str),
    /// Written by a newer facectl.
    #[error("its {what} is {found}, and this facectl reads up to {known}")]
    Newer {
        /// Which version.
        what: &'static str,
        /// What it says.
        found: String,
        /// What we know.
        known: String,
    },
    /// A value that is not what it should be.
    #[error("`{path}` in it cannot be used: {why}")]
    Field {
        /// Where.
        path: String,
        /// Why.
        why: String,
    },
    /// A field that means nothing, such as a slip in a name: it would be dropped without a word.
    #[error("`{0}` in it is no field of a state")]
    UnknownField(String),
    /// One face, two keys.
    #[error("face {id} stands under two keys in it, `{first}` and `{second}`")]
    TwoKeys {
        /// The face.
        id: FaceId,
        /// One key.
        first: FaceKey,
        /// The other.
        second: FaceKey,
    },
}

/// A whole state, as `facectl state pull` writes it. It holds no secret.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "State", title = "A state of facectl, as `facectl state pull` writes it")]
pub struct StateDocument<'a> {
    /// The version of this form. The first number changes when a reader could break.
    format_version: &'static str,
    /// What the state says about itself.
    meta: &'a Meta,
    /// The faces in the record, by key.
    faces: &'a BTreeMap<FaceKey, RecordedFace>,
    /// The last create of each key.
    journal: &'a BTreeMap<FaceKey, Entry>,
    /// What happened, oldest first. Kept as it was stored, whichever version wrote it, as the hashes cover all of it.
    #[schemars(with = "Vec<HistoryRecord<'static>>")]
    history: &'a [Value],
}

/// Returns a state as one value. It holds no secret.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn export(snapshot: &Snapshot, records: &[Value]) -> Result<Value, StateError> {
    let Snapshot { meta, faces, journal } = snapshot;
    serde_json::to_value(StateDocument { format_version: EXPORT_VERSION, meta, faces, journal, history: records })
        .map_err(|source| StateError::Record { record: "state".to_owned(), source })
}

/// Reads a state, as JSON or YAML, and judges all of it but its history's chain.
///
/// # Errors
/// When it is of a newer form, or anything in it is not what it should be.
pub fn read_export(text: &str) -> Result<Export, ExportError> {
    let value: Value = match serde_json::from_str(text) {
        Ok(value) => value,
        // What begins like JSON was meant as JSON: then its own complaint helps more.
        Err(error) if text.trim_start().starts_with(['{', '[']) => {
            return Err(ExportError::Unreadable(error.to_string()));
        }
        Err(_) => serde_yaml::from_str(text).map_err(|error| ExportError::Unreadable(error.to_string()))?,
    };
    check_versions(&value)?;
    let records = match &value["history"] {
        Value::Array(records) => records.clone(),
        _ => return Err(ExportError::Foreign("list `history`")),
    };
    let mut known = json!({});
    for part in ["meta", "faces", "journal"] {
        if value.get(part).is_none() {
            return Err(ExportError::Foreign(match part {
                "faces" => "`faces`",
                _ => "`journal`",
            }));
        }
        known[part] = value[part].clone();
    }
    let snapshot: Snapshot = serde_path_to_error::deserialize(&known)
        .map_err(|error| ExportError::Field { path: error.path().to_string(), why: error.inner().to_string() })?;
    let again = serde_json::to_value(&snapshot)
        .map_err(|error| ExportError::Field { path: ".".to_owned(), why: error.to_string() })?;
    if let Some(path) = unknown_field(&known, &again, "") {
        return Err(ExportError::UnknownField(path));
    }
    for (number, record) in records.iter().enumerate() {
        if let Err(StateError::Record { source, .. }) = read_entry(record) {
            return Err(ExportError::Field { path: format!("history[{number}]"), why: source.to_string() });
        }
    }
    check_keys(&snapshot)?;
    Ok(Export { snapshot, records })
}

fn check_versions(value: &Value) -> Result<(), ExportError> {
    let newer = |what, found: String, known: String| Err(ExportError::Newer { what, found, known });
    let Some(version) = value["format_version"].as_str() else { return Err(ExportError::Foreign("`format_version`")) };
    if version.split('.').next() != EXPORT_VERSION.split('.').next() {
        return newer("format_version", version.to_owned(), EXPORT_VERSION.to_owned());
    }
    let Some(found) = value["meta"]["format_version"].as_u64() else {
        return Err(ExportError::Foreign("`meta.format_version`"));
    };
    if found > u64::from(FORMAT_VERSION) {
        return newer("meta.format_version", found.to_string(), FORMAT_VERSION.to_string());
    }
    Ok(())
}

/// Returns a field that reading passed over. What says nothing (null, false, an empty list) may be left out.
fn unknown_field(given: &Value, known: &Value, path: &str) -> Option<String> {
    let says_nothing = |value: &Value| match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(true) | Value::Number(_) | Value::String(_) => false,
    };
    match (given, known) {
        (Value::Object(given), Value::Object(known)) => given.iter().find_map(|(name, value)| {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            match known.get(name) {
                Some(known) => unknown_field(value, known, &path),
                None => (!says_nothing(value)).then_some(path),
            }
        }),
        (Value::Array(given), Value::Array(known)) => {
            let mut pairs = given.iter().zip(known).enumerate();
            pairs.find_map(|(number, (given, known))| unknown_field(given, known, &format!("{path}[{number}]")))
        }
        _ => None,
    }
}

fn check_keys(snapshot: &Snapshot) -> Result<(), ExportError> {
    let mut holders: BTreeMap<&FaceId, &FaceKey> = BTreeMap::new();
    for (key, face) in &snapshot.faces {
        for id in face.ids() {
            if let Some(first) = holders.insert(id, key).filter(|first| *first != key) {
                return Err(ExportError::TwoKeys { id: id.clone(), first: first.clone(), second: key.clone() });
            }
        }
    }
    Ok(())
}

/// What would be lost if a state were replaced by one from a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Losses {
    /// Creates whose outcome nobody knows, and that the file does not know of.
    pub open_creates: Vec<(FaceKey, Token)>,
    /// Faces that the file does not know.
    pub faces: Vec<(FaceKey, FaceId)>,
}

impl Losses {
    /// Returns whether nothing would be lost.
    pub fn is_none(&self) -> bool {
        self.open_creates.is_empty() && self.faces.is_empty()
    }
}

impl Export {
    /// Returns what verifying its history shows.
    pub fn verdict(&self) -> Verdict {
        verify(&self.records, self.snapshot.meta.history.as_ref())
    }

    /// Returns what a state, and the lock file beside it, know and this one does not.
    pub fn losses(&self, here: &Snapshot, lock: Option<&LockFile>) -> Losses {
        let known: BTreeSet<&FaceId> = self.snapshot.faces.values().flat_map(RecordedFace::ids).collect();
        let locked = lock.map(LockFile::recorded).unwrap_or_default();
        let recorded = here.faces.iter().chain(&locked);
        let ids = recorded.flat_map(|(key, face)| face.ids().map(move |id| (key.clone(), id.clone())));
        let mut faces: Vec<(FaceKey, FaceId)> = ids.filter(|(_, id)| !known.contains(id)).collect();
        faces.sort();
        faces.dedup();
        let open = here.journal.iter().filter_map(|(key, entry)| Some((key.clone(), entry.open()?.token)));
        Losses { open_creates: open.filter(|(_, token)| !self.knows_of(token)).collect(), faces }
    }

    /// Returns whether a create that is open elsewhere is open here too, or known to have made a face. That it made
    /// none is not for a file to say.
    fn knows_of(&self, token: &Token) -> bool {
        let is_it = |entry: &Entry| {
            entry.token() == token && (entry.open().is_some() || matches!(entry.phase(), Phase::Settled { .. }))
        };
        let has_it = |face: &RecordedFace| {
            [Some(face), face.successor.as_deref()].into_iter().flatten().any(|face| face.token.as_ref() == Some(token))
        };
        self.snapshot.journal.values().any(is_it) || self.snapshot.faces.values().any(has_it)
    }

    /// Returns whether a state says the same already, whatever its serial and its history.
    pub fn is_same(&self, here: &Snapshot) -> bool {
        let Meta { format_version: _, lineage, serial: _, project: _, account, history: _ } = &self.snapshot.meta;
        *lineage == here.meta.lineage
            && *account == here.meta.account
            && self.snapshot.faces == here.faces
            && self.snapshot.journal == here.journal
    }

    /// Returns the change that makes a state say what this one does. The history here is kept, and gone on with by
    /// what only the file knows, where it follows on it: no push rewrites what was done.
    pub fn change(&self, here: &Snapshot, records: &[Value], entry: HistoryEntry) -> Change {
        let Snapshot { meta, faces, journal } = &self.snapshot;
        Change {
            journal: differing(&here.journal, journal),
            faces: differing(&here.faces, faces),
            history: vec![entry],
            past: self.past(here, records),
            lineage: Some((meta.lineage.clone(), meta.serial)),
            account: Some(meta.account.clone()),
        }
    }

    /// Returns the part of its history that follows on the one here; none where they have nothing in common.
    pub fn past(&self, here: &Snapshot, records: &[Value]) -> Option<Past> {
        let from = match &here.meta.history {
            Some(head) => history::reaches(&self.records, head)?,
            None if records.is_empty() => 0,
            None => return None,
        };
        let new = self.records.get(from..).filter(|new| !new.is_empty())?;
        Some(Past { records: new.to_vec(), head: self.snapshot.meta.history.clone() })
    }
}

fn differing<T: Clone + PartialEq>(
    here: &BTreeMap<FaceKey, T>,
    wanted: &BTreeMap<FaceKey, T>,
) -> Vec<(FaceKey, Option<T>)> {
    let gone = here.keys().filter(|key| !wanted.contains_key(*key)).map(|key| (key.clone(), None));
    let new = wanted.iter().filter(|(key, value)| here.get(*key) != Some(*value));
    gone.chain(new.map(|(key, value)| (key.clone(), Some(value.clone())))).collect()
}

/// Keeps a state as a file that can be pushed again, and returns where. What the lock file said stands in it for
/// people.
///
/// # Errors
/// When it cannot be written: then nothing must be replaced.
pub fn write_backup(
    directory: &Path,
    snapshot: &Snapshot,
    records: &[Value],
    lock: Option<&LockFile>,
) -> Result<PathBuf, StateError> {
    let folder = directory.join(BACKUPS);
    let failed = |path: &Path, source| StateError::Io { action: "write", path: path.to_owned(), source };
    std::fs::create_dir_all(&folder).map_err(|source| failed(&folder, source))?;
    let mut value = export(snapshot, records)?;
    if let Some(lock) = lock {
        value["lock_file"] = serde_json::to_value(lock)
            .map_err(|source| StateError::Record { record: "lock file".to_owned(), source })?;
    }
    let stamp = Timestamp::now().strftime("%Y%m%dT%H%M%SZ");
    let name = |more: &str| folder.join(format!("state-{:06}-{stamp}{more}.json", snapshot.meta.serial));
    let mut path = name("");
    for number in 2..100 {
        if !path.exists() {
            break;
        }
        path = name(&format!("-{number}"));
    }
    files::replace(&path, format!("{value:#}\n").as_bytes(), Mode::Default).map_err(|source| failed(&path, source))?;
    Ok(path)
}
