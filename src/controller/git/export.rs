//! The folders on disk: the lock, the clone's surroundings, and the files of commits.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::files::{self, Mode};

use super::command::Git;
use super::{Broken, GitTrouble};

/// How many commits' files are kept: those in use, and those that somebody may still be reading.
const KEPT: usize = 2;
/// How folders begin whose files are still being written.
const UNFINISHED: &str = ".new-";

/// The right to work in a directory. The kernel gives it back when this process ends, however it ends.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // By name, as closing alone would not do it: a child that is just being started may hold the file open too.
        let _ = self.0.unlock();
    }
}

/// Returns whether the lock's file is still there.
pub(super) fn has_lock(directory: &Path) -> bool {
    directory.join("lock").is_file()
}

/// Makes the directory and takes its lock.
pub(super) fn take_directory(directory: &Path) -> Result<Lock, GitTrouble> {
    for folder in [directory.to_owned(), directory.join("checkouts")] {
        make_private(&folder)?;
        // Files are written and removed below: not where a link in a checkout leads.
        if let Err(source) = files::refuse_link(&folder) {
            return Err(GitTrouble::Disk { doing: "use", path: folder, source });
        }
    }
    let path = directory.join("lock");
    let file = files::open_lock(&path);
    let file = file.map_err(|source| GitTrouble::Disk { doing: "open", path: path.clone(), source })?;
    match file.try_lock() {
        Ok(()) => Ok(Lock(file)),
        Err(TryLockError::WouldBlock) => Err(GitTrouble::InUse { directory: directory.to_owned() }),
        Err(TryLockError::Error(source)) => Err(GitTrouble::Disk { doing: "lock", path, source }),
    }
}

/// No file of a repository says how files are to be written: no filters, no line ends, no other encodings. This file
/// outranks every `.gitattributes` (gitattributes(5), git 2.47).
const ATTRIBUTES: &str = "* -text -eol -filter -ident -working-tree-encoding\n";

/// The clone's own settings: what `git init` has to say about a bare repository, and nothing else.
fn settings(digits: usize) -> &'static str {
    match digits {
        64 => "[core]\n\trepositoryformatversion = 1\n\tbare = true\n[extensions]\n\tobjectformat = sha256\n",
        _ => "[core]\n\trepositoryformatversion = 0\n\tbare = true\n",
    }
}

/// Returns whether a clone is one that we made, for ids of so many digits. Settings of anybody else could name programs
/// that git would start.
pub(super) fn is_ours(clone: &Path, digits: usize) -> bool {
    let is_file = |path: &Path| std::fs::symlink_metadata(path).is_ok_and(|about| about.is_file());
    let is_folder = |path: &Path| std::fs::symlink_metadata(path).is_ok_and(|about| about.is_dir());
    let holds = |path: &Path, text: &str| {
        // Its length first: what else is there may be of any size.
        let has_length = std::fs::symlink_metadata(path).is_ok_and(|about| about.len() == text.len() as u64);
        is_file(path) && has_length && std::fs::read(path).is_ok_and(|bytes| bytes == text.as_bytes())
    };
    let folders = [clone.to_owned(), clone.join("info"), clone.join("objects"), clone.join("refs")];
    folders.iter().all(|folder| is_folder(folder))
        && is_file(&clone.join("HEAD"))
        && holds(&clone.join("config"), settings(digits))
        && holds(&clone.join("info").join("attributes"), ATTRIBUTES)
}

/// Makes a clone that git has just begun ours.
pub(super) fn make_ours(clone: &Path, digits: usize) -> Result<(), GitTrouble> {
    let write = |path: PathBuf, text: &str| {
        files::replace(&path, text.as_bytes(), Mode::Default).map_err(|source| GitTrouble::Disk {
            doing: "write",
            path,
            source,
        })
    };
    make_private(&clone.join("info"))?;
    write(clone.join("config"), settings(digits))?;
    write(clone.join("info").join("attributes"), ATTRIBUTES)
}

/// Writes the files of a commit into a folder of their own, which gets its name once it is whole.
pub(super) async fn write(git: &Git<'_>, directory: &Path, commit: &str) -> Result<(), Broken> {
    let checkouts = directory.join("checkouts");
    let unfinished = checkouts.join(format!("{UNFINISHED}{commit}"));
    let index = checkouts.join(format!("{UNFINISHED}{commit}.index"));
    let finished = checkouts.join(commit);
    // What a run before may have left. We hold the lock, so nobody writes there now.
    remove(&unfinished)?;
    remove(&index)?;
    make_private(&unfinished)?;
    git.run_with_files(&["read-tree", "--end-of-options", commit], &unfinished, &index).await?;
    git.run_with_files(&["checkout-index", "--all", "--force", "--quiet"], &unfinished, &index).await?;
    remove(&index)?;
    remove(&finished)?;
    std::fs::rename(&unfinished, &finished).map_err(|source| GitTrouble::Disk {
        doing: "rename",
        path: unfinished,
        source,
    })?;
    Ok(())
}

/// Removes the files of older commits and what is left of unfinished ones, and lets git drop what it no longer needs.
/// Nothing depends on it, so that nothing fails because of it.
pub(super) async fn tidy(git: &Git<'_>, directory: &Path, newest: &str) {
    let checkouts = directory.join("checkouts");
    let entries = std::fs::read_dir(&checkouts).into_iter().flatten().flatten();
    let mut older: Vec<(SystemTime, PathBuf)> = Vec::new();
    for entry in entries.filter(|entry| entry.file_name() != newest) {
        let modified = entry.metadata().and_then(|metadata| metadata.modified());
        match entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
            true => report(remove(&entry.path())),
            false => older.push((modified.unwrap_or(SystemTime::UNIX_EPOCH), entry.path())),
        }
    }
    older.sort();
    let too_many = older.len().saturating_sub(KEPT - 1);
    older.iter().take(too_many).for_each(|(_, path)| report(remove(path)));
    let words = ["-c", "gc.auto=500", "gc", "--auto", "--quiet", "--prune=now"];
    if let Err(failure) = git.run(&words).await {
        tracing::debug!(?failure, "git could not tidy up");
    }
}

/// Removes a file or a folder with all that is in it; that it is not there is as good.
pub(super) fn remove(path: &Path) -> Result<(), GitTrouble> {
    let removed = match std::fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => std::fs::remove_dir_all(path),
        Ok(_) => std::fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(GitTrouble::Disk { doing: "remove", path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}

fn report(removed: Result<(), GitTrouble>) {
    if let Err(trouble) = removed {
        tracing::debug!(%trouble, "the files of an older commit stay");
    }
}

/// Makes a folder, with those above it, for its owner's eyes only: a repository may be private.
fn make_private(path: &Path) -> Result<(), GitTrouble> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|source| GitTrouble::Disk { doing: "make", path: path.to_owned(), source })
}
