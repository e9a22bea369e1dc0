//! The manifests of a commit as files in a temporary folder, so that the one loader reads them.
//!
//! Nothing of a tree is believed: files are written below the folder and nowhere else, and links that lead out of it
//! are left out, whatever an ill-made tree says.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::git::path_of;
use crate::manifest::FILE_LIMIT;

use super::super::error::CliError;
use super::repository::{Entry, Repository};

/// The most files of one commit, and the most bytes in them: far beyond every project, and still no trouble.
const FILES: usize = 100_000;
const BYTES: u64 = 200 * 1024 * 1024;
/// The longest target of a link, in bytes.
const TARGET: u64 = 4096;

/// The files of one commit at a time.
pub(super) struct Mirror<'a> {
    repository: &'a Repository,
    folder: TempDir,
    /// Where it is, without links.
    pub(super) top: PathBuf,
    /// Below which paths of the repository; empty: all of it.
    below: Vec<PathBuf>,
    /// Files that are wanted whatever their names end with.
    named: BTreeSet<PathBuf>,
    present: Tree,
}

/// Files of a commit, by their paths.
pub(super) type Tree = BTreeMap<PathBuf, Entry>;

impl<'a> Mirror<'a> {
    /// Makes an empty one.
    pub(super) fn new(
        repository: &'a Repository,
        below: Vec<PathBuf>,
        named: BTreeSet<PathBuf>,
    ) -> Result<Self, CliError> {
        let folder = tempfile::Builder::new().prefix("facectl-since-").tempdir().map_err(|error| cannot(&error))?;
        let top = fs::canonicalize(folder.path()).map_err(|error| cannot(&error))?;
        // What is looked for above the manifests ends at a repository's top.
        fs::create_dir(top.join(".git")).map_err(|error| cannot(&error))?;
        Ok(Self { repository, folder, top, below, named, present: BTreeMap::new() })
    }

    /// Returns the paths of the repository that it is about; empty: all of it.
    pub(super) fn below(&self) -> &[PathBuf] {
        &self.below
    }

    /// Returns the files of a commit that may be manifests or say something about them.
    pub(super) fn tree(&self, commit: &str) -> Result<Tree, CliError> {
        let mut wanted = self.repository.tree(commit, &self.below)?;
        wanted.retain(|path, entry| self.is_wanted(path, entry));
        let bytes: u64 = wanted.values().map(|entry| entry.size).sum();
        if wanted.len() > FILES || bytes > BYTES {
            return Err(CliError::new(format!(
                "--since would have to read {} files with {} MiB of commit {commit}; nothing was changed",
                wanted.len(),
                bytes >> 20
            ))
            .hint("is it the right folder? A project file beside the manifests, or their folder on the command line, says which files are meant"));
        }
        Ok(wanted)
    }

    /// Becomes these files and no other.
    pub(super) fn show(&mut self, mut wanted: Tree) -> Result<(), CliError> {
        let is_kept = |path: &PathBuf, entry: &Entry| wanted.get(path) == Some(entry);
        let gone: Vec<PathBuf> =
            self.present.iter().filter(|(path, entry)| !is_kept(path, entry)).map(|(path, _)| path.clone()).collect();
        for path in gone {
            self.remove(&path);
            self.present.remove(&path);
        }
        wanted.retain(|path, _| !self.present.contains_key(path));
        self.add(wanted).map_err(|error| match error {
            Failed::Read(error) => error,
            Failed::Write(error) => cannot(&error),
        })
    }

    /// Manifests by their names, as the loader knows them, and links to whatever there is.
    fn is_wanted(&self, path: &Path, entry: &Entry) -> bool {
        let is_yaml =
            path.extension().is_some_and(|end| end.eq_ignore_ascii_case("yaml") || end.eq_ignore_ascii_case("yml"));
        (entry.is_link && entry.size <= TARGET) || (!entry.is_link && is_yaml) || self.named.contains(path)
    }

    fn remove(&self, path: &Path) {
        // What cannot be removed cannot be written either, which is said then.
        let _ = fs::remove_file(self.top.join(path));
        for parent in path.ancestors().skip(1).take_while(|parent| !parent.as_os_str().is_empty()) {
            if fs::remove_dir(self.top.join(parent)).is_err() {
                return;
            }
        }
    }

    fn add(&mut self, new: Tree) -> Result<(), Failed> {
        let is_read = |entry: &Entry| entry.size <= FILE_LIMIT as u64;
        let ids: Vec<String> = new.values().filter(|entry| is_read(entry)).map(|entry| entry.id.clone()).collect();
        let mut contents = match ids.is_empty() {
            true => Vec::new(),
            false => self.repository.objects(&ids).map_err(Failed::Read)?,
        }
        .into_iter();
        let mut links = Vec::new();
        for (path, entry) in new {
            let content = if is_read(&entry) { contents.next().unwrap_or_default() } else { Vec::new() };
            match entry.is_link {
                true => links.push((path.clone(), content)),
                false => self.write(&path, &entry, &content).map_err(Failed::Write)?,
            }
            self.present.insert(path, entry);
        }
        self.link(&links);
        Ok(())
    }

    fn write(&self, path: &Path, entry: &Entry, content: &[u8]) -> io::Result<()> {
        let whole = self.top.join(path);
        let folder = whole.parent().unwrap_or(&self.top);
        fs::create_dir_all(folder)?;
        if !fs::canonicalize(folder)?.starts_with(&self.top) {
            return Ok(());
        }
        if content.len() as u64 == entry.size {
            return fs::write(whole, content);
        }
        // Too large to be read: as large as it was, so that the loader says so, and empty, so that it costs nothing.
        File::create(whole)?.set_len(entry.size)
    }

    /// Makes the links, and takes away those that lead out. All of them first: one may lead through another.
    fn link(&self, links: &[(PathBuf, Vec<u8>)]) {
        let made: Vec<PathBuf> = links.iter().filter_map(|(path, target)| self.made(path, target)).collect();
        for link in made {
            let target = fs::canonicalize(&link);
            // One that leads nowhere today may lead out tomorrow.
            if !target.is_ok_and(|target| target.starts_with(&self.top)) {
                let _ = fs::remove_file(link);
            }
        }
    }

    #[cfg(unix)]
    fn made(&self, path: &Path, target: &[u8]) -> Option<PathBuf> {
        let whole = self.top.join(path);
        let folder = whole.parent()?;
        fs::create_dir_all(folder).ok()?;
        let is_inside = fs::canonicalize(folder).ok()?.starts_with(&self.top);
        let target = path_of(target).filter(|target| is_inside && !target.is_absolute())?;
        std::os::unix::fs::symlink(target, &whole).ok()?;
        Some(whole)
    }

    /// Git itself writes links as plain files there, unless it is told otherwise.
    #[cfg(not(unix))]
    fn made(&self, _path: &Path, _target: &[u8]) -> Option<PathBuf> {
        None
    }

    /// Removes the folder.
    pub(super) fn close(self) {
        // What is left of a temporary folder is the machine's to remove.
        let _ = self.folder.close();
    }
}

enum Failed {
    Read(CliError),
    Write(io::Error),
}

fn cannot(error: &io::Error) -> CliError {
    CliError::caused("cannot write the earlier manifests into a temporary folder; nothing was changed", error)
        .hint("TMPDIR chooses another place")
}
