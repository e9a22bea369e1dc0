//! What we remember. Knows `face/` only.
//!
//! # Guarantees
//! [`StateStore::commit`] is the only way to write, and when it has returned, what was written survives
//! the death of the process. No create is sent without a committed `begun` entry.
//!
//! # Caveats
//! The store is a cache: everything in it can be found again from the API, where tokens stand in the
//! live names, or by adopting. So a damaged store is moved aside, never repaired.

mod account;
pub mod history;
mod history_copy;
mod holders;
pub mod journal;
mod lease;
mod lockfile;
mod memory;
mod published;
mod record;
mod sled;
mod snapshot;
mod transfer;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::face::{FaceId, FaceKey, ProjectName, Recorded, RecordedFace, Token};

pub use crate::shortage::Shortage;
pub use account::{account_sample, is_same_account};
pub use history::{ChainHead, Provenance, RunContext};
pub use history_copy::read_history_copy;
pub use journal::{Entry, Phase};
pub use lease::{Holder, Lease, LeaseError};
pub use lockfile::{LOCK_FILE, LockFile, LockedFace, Merge, OtherLineage, base_lock_file, is_own_lock_file, merge};
pub use memory::MemoryStore;
pub use published::{Last, PublishedStore};
pub use sled::{Rebuilt, SledReader, SledStore};
pub use snapshot::read_snapshot;
pub use transfer::{EXPORT_VERSION, Export, ExportError, Losses, StateDocument, export, read_export, write_backup};

/// What lies in the folder of a state, or of a rehearsal: files and folders that nobody else may write.
pub const STATE_FILES: [&str; 16] = [
    "lock",
    "lock.holder.json",
    "db",
    "snapshot.json",
    "snapshot.log",
    "history.log",
    "lock-file.base.yaml",
    "lock-file.serial",
    "lock-file.followed.yaml",
    "backups",
    "source",
    "facectl.lock.yaml",
    "media-hashes.json",
    "uploads",
    "world.json",
    "world.json.journal",
];

/// The version of what is on disk. Raised when an older program could misread a newer state.
pub const FORMAT_VERSION: u32 = 2;

/// Remembers faces, open creates and what happened.
pub trait StateStore: Send + Sync {
    /// Returns everything but the history.
    ///
    /// # Errors
    /// When the store cannot be read or a record in it does not match its checksum.
    fn load(&self) -> Result<Snapshot, StateError>;

    /// Returns one face of the record.
    ///
    /// # Errors
    /// As [`StateStore::load`].
    fn face(&self, key: &FaceKey) -> Result<Option<RecordedFace>, StateError> {
        Ok(self.load()?.faces.remove(key))
    }

    /// Returns the last create of one key.
    ///
    /// # Errors
    /// As [`StateStore::load`].
    fn entry(&self, key: &FaceKey) -> Result<Option<Entry>, StateError> {
        Ok(self.load()?.journal.remove(key))
    }

    /// Returns the key whose record holds a face: as its present one, as the next one, or from before.
    ///
    /// # Errors
    /// As [`StateStore::load`].
    fn holder(&self, id: &FaceId) -> Result<Option<FaceKey>, StateError> {
        Ok(self.load()?.holder(id).cloned())
    }

    /// Writes a change as one, and returns the new serial once it is durable.
    ///
    /// # Errors
    /// When it is not certain that all of it is on disk: the caller must not go on as if it were.
    fn commit(&self, change: Change) -> Result<u64, StateError>;

    /// Remembers a change that alone is not worth beginning a state for, such as which account was seen: written at
    /// once where there is a state, else together with the first commit or [`StateStore::keep`]. Until then only this
    /// process knows it, so a run that is refused leaves no trace.
    ///
    /// # Errors
    /// As [`StateStore::commit`].
    fn note(&self, change: Change) -> Result<u64, StateError> {
        self.commit(change)
    }

    /// Makes the state on disk where there is none, so that a full disk is found before anything is sent.
    ///
    /// # Errors
    /// As [`StateStore::commit`].
    fn prepare(&self) -> Result<(), StateError> {
        Ok(())
    }

    /// Writes what was noted.
    ///
    /// # Errors
    /// As [`StateStore::commit`].
    fn keep(&self) -> Result<(), StateError> {
        Ok(())
    }

    /// Brings copies for others, such as the lock file, up to date.
    ///
    /// # Errors
    /// When they cannot be written. The record itself is not concerned.
    fn publish(&self) -> Result<(), StateError> {
        Ok(())
    }

    /// Returns the records of the history as they are stored, oldest first: with serials and hashes.
    ///
    /// # Errors
    /// As [`StateStore::load`].
    fn records(&self) -> Result<Vec<Value>, StateError>;

    /// Returns what happened, oldest first.
    ///
    /// # Errors
    /// As [`StateStore::load`].
    fn history(&self) -> Result<Vec<HistoryEntry>, StateError> {
        self.records()?.iter().map(history::read_entry).collect()
    }
}

/// Everything that is remembered, at one serial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Snapshot {
    /// What it is a snapshot of.
    pub meta: Meta,
    /// The faces in the record.
    pub faces: BTreeMap<FaceKey, RecordedFace>,
    /// The last create of each key.
    pub journal: BTreeMap<FaceKey, Entry>,
}

/// What a state says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Meta {
    /// The version of its form.
    pub format_version: u32,
    /// Made once, when the state began.
    pub lineage: String,
    /// Grows by one with each commit.
    pub serial: u64,
    /// The project it belongs to: a token depends on it.
    pub project: ProjectName,
    /// Hashed ids of live faces that were seen: which account it belongs to.
    #[serde(default)]
    pub account: Vec<String>,
    /// Where its history ends; none before its first entry.
    #[serde(default)]
    pub history: Option<ChainHead>,
}

impl Meta {
    /// Returns the beginning of a new state.
    pub fn new(project: ProjectName) -> Self {
        Self {
            format_version: FORMAT_VERSION,
            lineage: uuid::Uuid::new_v4().to_string(),
            serial: 0,
            project,
            account: Vec::new(),
            history: None,
        }
    }
}

impl Meta {
    /// Returns what the state says about itself after one more commit, and the records that it adds.
    fn after(&self, change: &Change) -> Result<(Self, Vec<Value>), StateError> {
        // In full, so that a new field cannot be forgotten here.
        let Change { journal: _, faces: _, history, past, lineage, account } = change;
        let mut new = self.clone();
        if let Some((lineage, serial)) = lineage {
            new.lineage.clone_from(lineage);
            new.serial = new.serial.max(*serial);
        }
        new.serial += 1;
        if let Some(account) = account {
            new.account.clone_from(account);
        }
        let mut records = Vec::new();
        if let Some(Past { records: taken, head }) = past {
            records.clone_from(taken);
            new.history.clone_from(head);
        }
        for entry in history {
            let (record, head) = history::link(new.history.as_ref(), new.serial, entry)?;
            records.push(record);
            new.history = Some(head);
        }
        Ok((new, records))
    }
}

impl Snapshot {
    /// Returns a state in which nothing is remembered yet.
    pub fn empty(project: ProjectName) -> Self {
        Self { meta: Meta::new(project), faces: BTreeMap::new(), journal: BTreeMap::new() }
    }

    /// Returns whether no face, no create and nothing that happened is remembered: such a state belongs to no project yet.
    pub fn remembers_nothing(&self) -> bool {
        self.faces.is_empty() && self.journal.is_empty() && self.meta.history.is_none()
    }

    /// Returns the key whose record holds a face: as its present one, as the next one, or from before.
    pub fn holder(&self, id: &FaceId) -> Option<&FaceKey> {
        let holds = |face: &RecordedFace| face.ids().any(|known| known == id);
        self.faces.iter().find(|(_, face)| holds(face)).map(|(key, _)| key)
    }

    /// Returns the view that a plan is made from.
    pub fn recorded(&self) -> Recorded {
        self.clone().into_recorded().1
    }

    /// Turns into what the state says about itself and the view that a plan is made from, without a copy.
    pub fn into_recorded(self) -> (Meta, Recorded) {
        let Self { meta, faces, journal } = self;
        let open = journal.into_iter().filter_map(|(key, entry)| Some((key, entry.open()?))).collect();
        let recorded = Recorded { lineage: meta.lineage.clone(), serial: meta.serial, faces, open };
        (meta, recorded)
    }

    /// Applies a change in memory, as a store does on disk, and returns the records it adds to the history.
    pub(crate) fn apply(&mut self, change: &Change) -> Result<Vec<Value>, StateError> {
        let (meta, records) = self.meta.after(change)?;
        self.become_after(meta, &change.journal, &change.faces);
        Ok(records)
    }

    /// Takes on what a change says about keys, and what the state says about itself after it.
    fn become_after(
        &mut self,
        meta: Meta,
        journal: &[(FaceKey, Option<Entry>)],
        faces: &[(FaceKey, Option<RecordedFace>)],
    ) {
        fn take<T: Clone>(into: &mut BTreeMap<FaceKey, T>, changes: &[(FaceKey, Option<T>)]) {
            for (key, value) in changes {
                match value {
                    Some(value) => into.insert(key.clone(), value.clone()),
                    None => into.remove(key),
                };
            }
        }
        self.meta = meta;
        take(&mut self.journal, journal);
        take(&mut self.faces, faces);
    }
}

/// What is written at once. Either all of it is durable, or none of it.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// Journal entries, which replace the key's last one, or (none) drop it.
    pub journal: Vec<(FaceKey, Option<Entry>)>,
    /// Faces to remember, or (none) to forget.
    pub faces: Vec<(FaceKey, Option<RecordedFace>)>,
    /// What to add to the history.
    pub history: Vec<HistoryEntry>,
    /// History from elsewhere that goes before it, where a whole state is taken over.
    pub past: Option<Past>,
    /// The lineage to go on under, and the serial to go on from: those of the lock file that was taken over.
    pub lineage: Option<(String, u64)>,
    /// The account's sample, where it changed.
    pub account: Option<Vec<String>>,
}

/// History that was written elsewhere and follows on what is here.
#[derive(Debug, Clone, Default)]
pub struct Past {
    /// Its records, as they were stored there.
    pub records: Vec<Value>,
    /// Where it ends.
    pub head: Option<ChainHead>,
}

/// One line of the history: what was done, in the past tense.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HistoryEntry {
    /// When.
    pub at: Timestamp,
    /// Which face; none where the whole state is concerned.
    pub key: Option<FaceKey>,
    /// What happened.
    pub what: Happened,
    /// The live face, where there is one.
    pub id: Option<FaceId>,
    /// The creation token, where one was used.
    pub token: Option<Token>,
    /// Words for people; no secret.
    pub detail: String,
    /// Who did it: the git author, the actor of a pipeline, or user and host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The commit that the project's folder was at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The branch it was on, or that the pipeline ran for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// Whether something there differed from that commit; none where it could not be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dirty: Option<bool>,
    /// The page of the pipeline's run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_url: Option<String>,
    /// The digest of the plan that was carried out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// The same for all entries of one run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// What the run was called with; no secret is ever given on the command line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// How long the API took to answer, where it was asked for this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took_ms: Option<u64>,
}

impl HistoryEntry {
    /// Returns an entry about one face, or (none) the whole state, with who is at work.
    pub fn new(at: Timestamp, key: Option<&FaceKey>, what: Happened, detail: &str, context: &RunContext) -> Self {
        // In full, so that a new field cannot be forgotten here.
        let RunContext { provenance, command, plan_digest } = context.clone();
        let Provenance { run, by, commit, branch, dirty, run_url } = provenance;
        Self {
            at,
            key: key.cloned(),
            what,
            id: None,
            token: None,
            detail: detail.to_owned(),
            by,
            commit,
            branch,
            dirty,
            run_url,
            plan: plan_digest,
            run,
            command,
            took_ms: None,
        }
    }

    /// Returns the entry with how long the API took to answer.
    #[must_use]
    pub fn took(self, time: Duration) -> Self {
        Self { took_ms: Some(u64::try_from(time.as_millis()).unwrap_or(u64::MAX)), ..self }
    }
}

/// What can stand in the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Happened {
    /// A create was written down, before it was sent.
    CreateBegun,
    /// A create was answered with an id, or found again by its token.
    CreateSettled,
    /// A create was refused: nothing began.
    CreateRefused,
    /// A create got no usable answer.
    CreateInDoubt,
    /// A create in doubt is proven never to have begun.
    CreateAbsent,
    /// A live face was taken into the record.
    Adopted,
    /// Name or voice was changed.
    Updated,
    /// A face was dropped from the record; it was not deleted.
    Forgotten,
    /// A PAL was pointed to another face.
    PalRepointed,
    /// A new face took the place of the one before it.
    Replaced,
    /// A person went back to a face from before.
    RolledBack,
    /// A live face was deleted.
    Deleted,
    /// A face was recorded under another key; nothing was sent.
    Moved,
    /// The whole state was replaced by one from a file.
    Pushed,
    /// The database was rebuilt from its copies.
    Rebuilt,
    /// A saved plan is being applied: written before its first step.
    PlanApplied,
}

/// Why the state could not be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The file system said no.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// sled said no.
    #[error("the state database in {} cannot {action}", path.display())]
    Database {
        /// What was tried, as a verb.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// What sled said.
        source: ::sled::Error,
    },
    /// The machine lacks what opening the database needs. Nothing was moved.
    #[error("cannot open the state database {}, which is unchanged", path.display())]
    Shortage {
        /// The database.
        path: PathBuf,
        /// What is missing.
        source: crate::shortage::Shortage,
    },
    /// The database does not open in time, and waits rather than works. Nothing was moved.
    #[error("the state database {} did not open within {} s: the disk or the machine is too slow just now; it is unchanged", path.display(), waited.as_secs())]
    Slow {
        /// The database.
        path: PathBuf,
        /// How long it was waited for.
        waited: Duration,
    },
    /// The database cannot be read. Nothing was moved, as it was opened to be read only.
    #[error("the state database {} is damaged ({why}); it is unchanged", path.display())]
    Unreadable {
        /// The database.
        path: PathBuf,
        /// How that showed.
        why: String,
    },
    /// The database cannot be read; it was moved aside.
    #[error("the state database was damaged ({why}) and has been moved to {}", moved_to.display())]
    Damaged {
        /// How that showed.
        why: String,
        /// Where it is now.
        moved_to: PathBuf,
    },
    /// Written by a newer facectl.
    #[error("the state in {} has format {found}, this facectl reads up to {FORMAT_VERSION}", path.display())]
    Newer {
        /// Where.
        path: PathBuf,
        /// Its format version.
        found: u32,
    },
    /// Another project's state.
    #[error("the state in {} belongs to project `{found}`, not `{wanted}`", path.display())]
    OtherProject {
        /// Where.
        path: PathBuf,
        /// Whose it is.
        found: ProjectName,
        /// Whose it should be.
        wanted: ProjectName,
    },
    /// The lock file is not what it should be.
    #[error("the lock file {} cannot be read: {why}", path.display())]
    LockFile {
        /// Where.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// A record that is not what was written.
    #[error("record `{record}` of the state does not match its checksum")]
    Checksum {
        /// Which.
        record: String,
    },
    /// A record that cannot be written or read as what it should be.
    #[error("record `{record}` of the state cannot be read")]
    Record {
        /// Which.
        record: String,
        /// Why.
        source: serde_json::Error,
    },
}
