//! `facectl.lock.yaml`: the record as a file that can be committed.
//!
//! Applications read face ids from it, and a fresh checkout needs no state: the cache is rebuilt from it.
//! It is sorted, has one block for each face and holds no secret. Each block carries the serial at which
//! it last changed, so that two branches that touch different faces merge without a conflict; the serial
//! of the whole is the highest of them.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::face::{
    Attempt, FaceId, FaceKey, FaceName, Fingerprint, OnRemoval, PreviousFace, ProjectName, RecordedFace, Token,
    TrainedFrom, VoiceId,
};
use crate::files::{self, Mode};
use crate::text::{MESSAGE_LIMIT, clean};
use crate::yaml;

use super::{Snapshot, StateError};

mod merge;

pub use merge::{Merge, OtherLineage, merge};

/// The name of the file, beside the manifests.
pub const LOCK_FILE: &str = "facectl.lock.yaml";

/// The version of its form.
const LOCK_FORMAT: u32 = 2;

/// The largest lock file that is read where a stranger may have written it, in bytes: room for some 200,000 faces, as
/// 10,000 newly made ones take 5.8 MB, in bounded memory.
const UNTRUSTED_LIMIT: u64 = 128 << 20;

const HEADER: &str = "\
# Written by facectl. Commit it: applications read face ids from it, and a fresh checkout rebuilds its state from it.
# Do not edit it by hand. It holds no secret.
";

/// The lock file as a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "facectl.lock.yaml")]
pub struct LockFile {
    /// The version of its form.
    pub lock_version: u32,
    /// The project it belongs to.
    pub project: ProjectName,
    /// The state it was written from.
    pub lineage: String,
    /// The faces, by key.
    pub faces: BTreeMap<FaceKey, LockedFace>,
}

/// One face of the lock file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LockedFace {
    /// Its id.
    pub face_id: FaceId,
    /// The name we last gave it.
    pub face_name: FaceName,
    /// The serial at which this block last changed.
    pub serial: u64,
    /// The voice we last set by id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_voice_id: Option<VoiceId>,
    /// Which attempt made it.
    pub attempt: Attempt,
    /// The token it was created under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Token>,
    /// A hash over what it was made from; for people and programs that compare.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<Fingerprint>,
    /// What it was made from; none for a face whose inputs nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trained_from: Option<TrainedFrom>,
    /// When its creation was settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// What the manifest last said about removal.
    #[serde(default)]
    pub on_removal: OnRemoval,
    /// What the manifest last said about protection.
    #[serde(default)]
    pub protect: bool,
    /// The file that last declared it, seen from the project's folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<String>,
    /// The new face that is to take this one's place once it is ready. Applications keep using `face_id` until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub successor: Option<Box<LockedFace>>,
    /// Faces this key had before, which still exist as far as we know, the latest last.
    #[serde(default, deserialize_with = "crate::face::previous_faces", skip_serializing_if = "Vec::is_empty")]
    pub previous: Vec<PreviousFace>,
    /// The inputs from which a person has rolled it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rolled_back_from: Option<Fingerprint>,
    /// The face from before that a person is going back to, where that ended half-way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub going_back_to: Option<FaceId>,
}

impl LockFile {
    /// Makes the lock file of a state, given the one that stands: unchanged blocks keep their serial.
    pub fn of(snapshot: &Snapshot, before: Option<&Self>) -> Self {
        let faces = snapshot.faces.iter().map(|(key, face)| {
            let mut new = locked(face, snapshot.meta.serial);
            let old = before.and_then(|before| before.faces.get(key));
            if let Some(old) = old.filter(|old| new.says_the_same(old)) {
                new.serial = old.serial;
            }
            (key.clone(), new)
        });
        Self {
            lock_version: LOCK_FORMAT,
            project: snapshot.meta.project.clone(),
            lineage: snapshot.meta.lineage.clone(),
            faces: faces.collect(),
        }
    }

    /// Returns the serial of the whole: the highest of its blocks.
    pub fn serial(&self) -> u64 {
        self.faces.values().map(|face| face.serial).max().unwrap_or(0)
    }

    /// Returns the faces as the record keeps them.
    pub fn recorded(&self) -> BTreeMap<FaceKey, RecordedFace> {
        self.faces.iter().map(|(key, face)| (key.clone(), recorded(face))).collect()
    }

    /// Reads the lock file; none if there is none.
    ///
    /// # Errors
    /// When it cannot be read, is a link out of its folder, is of a newer form, or belongs to another project.
    pub fn read(path: &Path, project: &ProjectName) -> Result<Option<Self>, StateError> {
        if leads_away(path) {
            let why =
                "it is a link that leads out of its folder, and what lies there is none of this project's".to_owned();
            return Err(StateError::LockFile { path: path.to_owned(), why });
        }
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(StateError::Io { action: "read", path: path.to_owned(), source }),
        };
        Self::parse(path, &text, project).map(Some)
    }

    /// As [`LockFile::read`], for a file that a stranger may have written, as in a pull request: it must be a plain
    /// file, as a link could show lines of another one, and no larger than 128 MiB.
    ///
    /// # Errors
    /// As there, and when it is something else or larger.
    pub fn read_untrusted(path: &Path, project: &ProjectName) -> Result<Option<Self>, StateError> {
        let refused = |why: String| Err(StateError::LockFile { path: path.to_owned(), why });
        let io = |source| StateError::Io { action: "read", path: path.to_owned(), source };
        // Before it is opened: a pipe would never end.
        match std::fs::symlink_metadata(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(io(source)),
            Ok(metadata) if !metadata.is_file() => return refused("it is a link or no plain file".to_owned()),
            Ok(_) => {}
        }
        let too_large = || refused(format!("it is larger than {} MiB", UNTRUSTED_LIMIT >> 20));
        let file = std::fs::File::open(path).map_err(io)?;
        if file.metadata().map_err(io)?.len() > UNTRUSTED_LIMIT {
            return too_large();
        }
        let mut bytes = Vec::new();
        file.take(UNTRUSTED_LIMIT + 1).read_to_end(&mut bytes).map_err(io)?;
        // It may have grown meanwhile.
        if bytes.len() as u64 > UNTRUSTED_LIMIT {
            return too_large();
        }
        match String::from_utf8(bytes) {
            Ok(text) => Self::parse(path, &text, project).map(Some),
            Err(_) => refused("it is not UTF-8 text".to_owned()),
        }
    }

    fn parse(path: &Path, text: &str, project: &ProjectName) -> Result<Self, StateError> {
        let lock: Self = match serde_yaml::from_str(text) {
            Ok(lock) => lock,
            Err(error) => return Err(unreadable(path, text, &error)),
        };
        if lock.lock_version > LOCK_FORMAT {
            return Err(StateError::Newer { path: path.to_owned(), found: lock.lock_version });
        }
        super::snapshot::check_project(path, &lock.project, project)?;
        if let Some(why) = lock.shared_id() {
            return Err(StateError::LockFile { path: path.to_owned(), why });
        }
        Ok(lock)
    }

    /// Returns which face stands under two keys, if one does: after a merge by hand, one key's removal would hit the
    /// other's face.
    fn shared_id(&self) -> Option<String> {
        let mut holders: BTreeMap<&FaceId, &FaceKey> = BTreeMap::new();
        for (key, face) in &self.faces {
            for id in face.ids() {
                if let Some(other) = holders.insert(id, key).filter(|other| *other != key) {
                    return Some(format!(
                        "face {id} stands under {other} and under {key}, and a face belongs to one key: take it out of the block that lost it (or out of its `previous`)"
                    ));
                }
            }
        }
        None
    }

    /// Replaces the lock file, if it says something else, and remembers in the state's directory what it says.
    ///
    /// # Errors
    /// When it cannot be written; the old one then still stands.
    pub fn write(&self, path: &Path, directory: &Path) -> Result<(), StateError> {
        let text =
            self.text().map_err(|source| StateError::LockFile { path: path.to_owned(), why: source.to_string() })?;
        if std::fs::read(path).is_ok_and(|bytes| bytes == text.as_bytes()) {
            remember_written(directory, text.as_bytes());
            return Ok(());
        }
        files::replace(path, text.as_bytes(), Mode::Default).map_err(|source| StateError::Io {
            action: "write",
            path: path.to_owned(),
            source,
        })?;
        remember_written(directory, text.as_bytes());
        Ok(())
    }
}

impl LockFile {
    /// Returns the whole text. Face by face: 10,000 of them as values at once would take more room than their text.
    fn text(&self) -> Result<String, serde_json::Error> {
        // In full, so that a new field cannot be forgotten here.
        let Self { lock_version, project, lineage, faces } = self;
        let mut text = HEADER.to_owned();
        yaml::field(&mut text, "lock_version", lock_version, 0)?;
        yaml::field(&mut text, "project", project, 0)?;
        yaml::field(&mut text, "lineage", lineage, 0)?;
        text.push_str(if faces.is_empty() { "faces: {}\n" } else { "faces:\n" });
        for (key, face) in faces {
            yaml::field(&mut text, key.as_str(), face, 2)?;
        }
        Ok(text)
    }
}

impl LockedFace {
    /// Returns every id of the block.
    fn ids(&self) -> impl Iterator<Item = &FaceId> {
        let next = self.successor.iter().map(|face| &face.face_id);
        std::iter::once(&self.face_id).chain(next).chain(self.previous.iter().map(|face| &face.id))
    }

    /// Returns whether two blocks say the same, whenever they were written.
    fn says_the_same(&self, other: &Self) -> bool {
        Self { serial: other.serial, ..self.clone() } == *other
    }
}

/// Returns whether the file is a link that ends outside of its folder: a checkout must not be able to make a runner
/// show what is in its own files, as an error about their form would.
fn leads_away(path: &Path) -> bool {
    let folder = path.parent().and_then(|folder| folder.canonicalize().ok());
    matches!((folder, path.canonicalize()), (Some(folder), Ok(target)) if !target.starts_with(&folder))
}

/// A newer form may not fit our types at all: then its version says more than what did not fit.
fn unreadable(path: &Path, text: &str, error: &serde_yaml::Error) -> StateError {
    #[derive(Deserialize)]
    struct Header {
        lock_version: u32,
    }
    match serde_yaml::from_str::<Header>(text) {
        Ok(Header { lock_version: found }) if found > LOCK_FORMAT => StateError::Newer { path: path.to_owned(), found },
        Ok(_) | Err(_) => StateError::LockFile { path: path.to_owned(), why: clean(&error.to_string(), MESSAGE_LIMIT) },
    }
}

/// Where a state keeps the lock file as it wrote it last: what both sides of a merge began from.
const BASE: &str = "lock-file.base.yaml";

/// Returns whether the lock file is, to the byte, what this very state wrote last: then it has nothing to
/// say that the state does not know, and reading 10,000 faces from YAML can be spared.
pub fn is_own_lock_file(directory: &Path, path: &Path) -> bool {
    let base = directory.join(BASE);
    let length = |path: &Path| std::fs::metadata(path).map(|metadata| metadata.len()).ok();
    if length(&base).is_none() || length(&base) != length(path) {
        return false;
    }
    matches!((std::fs::read(base), std::fs::read(path)), (Ok(base), Ok(now)) if base == now)
}

/// Returns the lock file as the state in a directory wrote it last; none where that cannot be told.
pub fn base_lock_file(directory: &Path, project: &ProjectName) -> Option<LockFile> {
    LockFile::read(&directory.join(BASE), project).ok().flatten()
}

/// Remembers what was written. Without it a merge takes more over than it must, and never less.
fn remember_written(directory: &Path, bytes: &[u8]) {
    let _ = files::replace(&directory.join(BASE), bytes, Mode::Default);
}

fn locked(face: &RecordedFace, serial: u64) -> LockedFace {
    // In full, so that a new field cannot be forgotten here. What is only seen, and changes by itself, stays out.
    let RecordedFace {
        id,
        name,
        default_voice,
        trained_from,
        attempt,
        token,
        token_in_name: _,
        created_at,
        on_removal,
        protect,
        manifest,
        seen_usable: _,
        last_seen: _,
        successor,
        previous,
        rolled_back_from,
        going_back_to,
    } = face.clone();
    LockedFace {
        successor: successor.map(|successor| Box::new(locked(&successor, 0))),
        rolled_back_from,
        going_back_to,
        face_id: id,
        face_name: name,
        serial,
        default_voice_id: default_voice,
        attempt,
        token,
        fingerprint: face.fingerprint(),
        trained_from,
        created_at,
        on_removal,
        protect,
        manifest,
        previous,
    }
}

fn recorded(face: &LockedFace) -> RecordedFace {
    let LockedFace {
        face_id,
        face_name,
        serial: _,
        default_voice_id,
        attempt,
        token,
        fingerprint: _,
        trained_from,
        created_at,
        on_removal,
        protect,
        manifest,
        successor,
        previous,
        rolled_back_from,
        going_back_to,
    } = face.clone();
    RecordedFace {
        successor: successor.map(|successor| Box::new(recorded(&successor))),
        rolled_back_from,
        going_back_to,
        id: face_id,
        name: face_name,
        default_voice: default_voice_id,
        trained_from,
        attempt,
        token_in_name: token.is_some(),
        token,
        created_at,
        on_removal,
        protect,
        manifest,
        seen_usable: false,
        last_seen: None,
        previous,
    }
}

#[cfg(test)]
mod tests;
