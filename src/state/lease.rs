//! Who is working, since when.
//!
//! A file of our own is locked before sled is opened: sled's own refusal does not say who holds it. The
//! kernel releases the lock when the process dies, however it dies, so a lease can never be left behind.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::files::{self, Mode};

/// The right to work on a state directory. Given back on drop.
#[derive(Debug)]
pub struct Lease {
    /// Held open: closing it releases the lock.
    _file: File,
    directory: PathBuf,
}

/// Who holds a lease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The process.
    pub pid: u32,
    /// The machine.
    pub host: String,
    /// What it was called with; no secret is ever given on the command line.
    pub command: String,
    /// Since when.
    pub since: Timestamp,
}

impl Holder {
    /// Returns this very process.
    pub fn of_this_process(command: String, now: Timestamp) -> Self {
        Self {
            pid: std::process::id(),
            host: gethostname::gethostname().to_string_lossy().into_owned(),
            command,
            since: now,
        }
    }
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { pid, host, command, since } = self;
        write!(f, "`{command}` (process {pid} on {host}, since {})", since.strftime("%Y-%m-%d %H:%M:%S UTC"))
    }
}

/// Why a lease was not given.
#[derive(Debug, thiserror::Error)]
pub enum LeaseError {
    /// Somebody else works there.
    #[error("the state in {} is held by {}", directory.display(), holder.as_ref().map_or_else(|| "another process".to_owned(), ToString::to_string))]
    Held {
        /// Which state.
        directory: PathBuf,
        /// Who, where it could be read.
        holder: Option<Holder>,
    },
    /// The file system said no.
    #[error("cannot lock {}", path.display())]
    Io {
        /// The lock file, or its folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// How often a held lock is tried again.
const RETRY_EVERY: Duration = Duration::from_millis(100);

impl Lease {
    /// Takes the lease of a state directory, which is made if it is not there; waits up to `patience`.
    ///
    /// # Errors
    /// When somebody else still holds it after that, or the directory cannot be written.
    pub fn take(directory: &Path, holder: &Holder, patience: Duration) -> Result<Self, LeaseError> {
        let path = directory.join("lock");
        let io_error = |source| LeaseError::Io { path: path.clone(), source };
        std::fs::create_dir_all(directory).map_err(|source| LeaseError::Io { path: directory.to_owned(), source })?;
        let mut file = files::open_lock(&path).map_err(io_error)?;
        let holder_file = directory.join("lock.holder.json");
        let deadline = Instant::now() + patience;
        loop {
            match file.try_lock() {
                Ok(()) if is_at(&file, &path) => break,
                // Whoever held it before removed it: what is locked has no name any more, and would guard nothing.
                Ok(()) => {
                    std::fs::create_dir_all(directory)
                        .map_err(|source| LeaseError::Io { path: directory.to_owned(), source })?;
                    file = files::open_lock(&path).map_err(io_error)?;
                }
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => std::thread::sleep(RETRY_EVERY),
                Err(TryLockError::WouldBlock) => {
                    return Err(LeaseError::Held {
                        directory: directory.to_owned(),
                        holder: read_holder(&holder_file),
                    });
                }
                Err(TryLockError::Error(source)) => return Err(io_error(source)),
            }
        }
        // A name is a courtesy: without it the lock still holds.
        if let Ok(json) = serde_json::to_vec(holder) {
            let _ = files::replace(&holder_file, &json, Mode::Default);
        }
        Ok(Self { _file: file, directory: directory.to_owned() })
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // Before the lock goes, so that a stale name is never shown for a new holder.
        let _ = std::fs::remove_file(self.directory.join("lock.holder.json"));
        if !self.directory.join("db").exists() {
            // Nothing was ever remembered here. The folder stays where anything else is in it.
            let _ = std::fs::remove_file(self.directory.join("lock"));
            let _ = std::fs::remove_dir(&self.directory);
        }
    }
}

/// Returns whether the file that is open is still the one with that name.
fn is_at(file: &File, path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let place = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
        let named = std::fs::symlink_metadata(path).map(place).ok();
        file.metadata().map(place).ok() == named
    }
    #[cfg(not(unix))]
    {
        // A file that is open cannot be removed there.
        let _ = (file, path);
        true
    }
}

fn read_holder(path: &Path) -> Option<Holder> {
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder() -> Holder {
        Holder::of_this_process("facectl apply".into(), Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn a_second_lease_is_refused_with_the_name_of_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let first = Lease::take(folder.path(), &holder(), Duration::ZERO).unwrap();
        let refused = Lease::take(folder.path(), &holder(), Duration::ZERO).unwrap_err().to_string();
        assert!(refused.contains("facectl apply") && refused.contains(&std::process::id().to_string()), "{refused}");
        drop(first);
        assert!(Lease::take(folder.path(), &holder(), Duration::ZERO).is_ok());
    }
}
