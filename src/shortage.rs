//! What the machine still gives this process: threads, memory, open files.
//!
//! Libraries below us panic, hang or report damage when a thread cannot be started. So what they need is tried first,
//! and once more when something went wrong: a shortage is never taken for anything else.

use std::fs::File;
use std::io;
use std::sync::mpsc;
use std::thread;

/// What the machine does not give.
#[derive(Debug, thiserror::Error)]
pub enum Shortage {
    /// Fewer threads than are needed.
    #[error(
        "the machine gives this process only {given} of the {needed} threads it needs (limits: `ulimit -u`, `ulimit -v`, the pids limit of a container)"
    )]
    Threads {
        /// How many could be started.
        given: usize,
        /// How many are needed at once.
        needed: usize,
        /// What the system said.
        source: io::Error,
    },
    /// Less memory than is needed.
    #[error("the machine gives this process no more memory ({} MiB needed; limits: `ulimit -v`, the memory limit of a container)", needed / MIB)]
    Memory {
        /// How many bytes are needed.
        needed: usize,
    },
    /// No more open files.
    #[error("the machine gives this process no more open files (limit: `ulimit -n`)")]
    Files {
        /// What the system said.
        source: io::Error,
    },
}

const MIB: usize = 1024 * 1024;
/// Files that a database, a connection and a report have open beside what is open already.
const FILES: usize = 12;

/// Tries to get so many threads and so much memory at once, and a few open files, and gives all of it back.
///
/// # Errors
/// What is missing.
pub(crate) fn check(threads: usize, memory: usize) -> Result<(), Shortage> {
    if Vec::<u8>::new().try_reserve_exact(memory).is_err() {
        return Err(Shortage::Memory { needed: memory });
    }
    check_files()?;
    check_threads(threads)
}

fn check_threads(needed: usize) -> Result<(), Shortage> {
    // Dropped at the end, which ends all of them.
    let mut started = Vec::with_capacity(needed);
    for given in 0..needed {
        let (release, wait) = mpsc::channel::<()>();
        let thread = thread::Builder::new().name("spare".to_owned()).spawn(move || wait.recv().is_ok());
        match thread {
            Ok(thread) => started.push((release, thread)),
            Err(source) => return Err(Shortage::Threads { given, needed, source }),
        }
    }
    for (release, thread) in started {
        drop(release);
        // Waited for, so that its place is free again; it does nothing that could panic.
        let _ = thread.join();
    }
    Ok(())
}

fn check_files() -> Result<(), Shortage> {
    #[cfg(unix)]
    const ALWAYS_THERE: &str = "/dev/null";
    #[cfg(not(unix))]
    const ALWAYS_THERE: &str = "NUL";
    let opened: Result<Vec<File>, io::Error> = (0..FILES).map(|_| File::open(ALWAYS_THERE)).collect();
    match opened {
        // EMFILE and ENFILE are uncategorised in std; a container without the device is no shortage.
        Err(source) if source.kind() != io::ErrorKind::NotFound && source.kind() != io::ErrorKind::PermissionDenied => {
            Err(Shortage::Files { source })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_no_shortage() {
        check(16, 16 * MIB).unwrap();
    }

    #[test]
    fn a_shortage_names_its_limit() {
        let error = check(1, usize::MAX / 2).unwrap_err();
        assert!(error.to_string().contains("ulimit -v"), "{error}");
    }
}
