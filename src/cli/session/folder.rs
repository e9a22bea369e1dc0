//! Whether the folder of a state may be used.
//!
//! A checkout comes from strangers: it can carry the folder itself, links in it, and records in it. It must not choose
//! which files facectl writes, nor what facectl believes was paid for.

use std::fs;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use crate::files::{find_link, is_link};
use crate::git::{Git, GitError};

use super::super::Exit;
use super::super::error::CliError;

/// Who chose the folder of a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChosenBy {
    /// A flag or a variable, or nobody: the default.
    Machine,
    /// `spec.state_dir` of the project file, which may come with a pull request.
    ProjectFile,
}

/// Refuses a folder that is a link or holds one, and one outside the project that only the project file asks for.
///
/// # Errors
/// When it must not be used; nothing was written.
pub(super) fn check(directory: &Path, root: &Path, chosen_by: ChosenBy) -> Result<(), CliError> {
    if chosen_by == ChosenBy::ProjectFile {
        check_inside(directory, root)?;
    }
    let below = directory.strip_prefix(root).unwrap_or(Path::new(""));
    let mut path = root.to_owned();
    let on_the_way = below.components().map(|part| {
        path.push(part);
        path.clone()
    });
    // What git wrote below `source/` are the files of commits, which no other file of ours is opened through.
    let is_ours = |folder: &Path| {
        folder.strip_prefix(directory).is_ok_and(|below| {
            !below.starts_with("source") && !below.starts_with("sandbox/source") || below.components().count() < 2
        })
    };
    let link = on_the_way.chain([directory.to_owned()]).find(|path| is_link(path));
    match link.or_else(|| find_link(directory, is_ours)) {
        None => Ok(()),
        Some(link) => Err(refused(directory, &format!("{} is a link", link.display()))
            .hint("remove that link (facectl makes none), or choose another folder with --state-dir")),
    }
}

/// Refuses a folder that was chosen on this machine where it is a link, holds one, or is tracked by git.
///
/// # Errors
/// When it must not be used; nothing was written.
pub fn check_own(directory: &Path) -> Result<(), CliError> {
    check(directory, &std::env::current_dir().unwrap_or_default(), ChosenBy::Machine)?;
    if is_tracked(directory) { Err(tracked(directory)) } else { Ok(()) }
}

/// Refuses a folder that the project file wants outside the project, or where something else lives.
fn check_inside(directory: &Path, root: &Path) -> Result<(), CliError> {
    let outside = |why: &str| {
        refused(directory, &format!("`spec.state_dir` in facectl.yaml {why}")).hint(
            "name a folder below the project's, or choose one on this machine with --state-dir or FACECTL_STATE_DIR",
        )
    };
    let Some(real) = resolved(directory) else { return Err(outside("cannot be resolved")) };
    let root = fs::canonicalize(root).unwrap_or_else(|_| root.to_owned());
    match real.strip_prefix(&root) {
        Err(_) => Err(outside("leads out of the project")),
        Ok(below) if below.as_os_str().is_empty() => Err(outside("is the project's own folder")),
        Ok(below) if below.components().any(|part| part.as_os_str() == ".git") => Err(outside("is a folder of git")),
        Ok(_) => Ok(()),
    }
}

/// Returns where a folder is, or would be: links are followed as far as it exists.
fn resolved(path: &Path) -> Option<PathBuf> {
    let there = path.ancestors().find(|path| fs::symlink_metadata(path).is_ok())?;
    let missing = path.strip_prefix(there).ok()?;
    let is_plain = missing.components().all(|part| matches!(part, Component::Normal(_)));
    Some(fs::canonicalize(there).ok()?.join(is_plain.then_some(missing)?))
}

/// Returns whether git tracks anything in the folder. Then a commit, perhaps a stranger's, wrote it.
pub(super) fn is_tracked(directory: &Path) -> bool {
    // Without a repository around it there is no need to start git.
    let has_repository =
        || fs::canonicalize(directory).is_ok_and(|real| real.ancestors().any(|up| up.join(".git").exists()));
    if !directory.is_dir() || !has_repository() {
        return false;
    }
    let git = Git::reading(directory, PATIENCE, ANSWER);
    match git.ask(&["ls-files", "-z", "--cached", "--", "."], &[]) {
        Ok(files) => !files.is_empty(),
        Err(GitError::Long { .. }) => true,
        // No git, no answer, or somebody else's repository, which git does not read.
        Err(_) => false,
    }
}

const PATIENCE: Duration = Duration::from_secs(5);
/// One name is enough.
const ANSWER: u64 = 1024;

/// Returns the error for a folder that git tracks, where a run would have to believe or to write it.
pub(super) fn tracked(directory: &Path) -> CliError {
    refused(directory, "git tracks files in it, so its records may be anybody's").hint(untrack(directory))
}

/// Returns what to do about a folder that git tracks.
pub(super) fn untrack(directory: &Path) -> String {
    let top =
        directory.ancestors().find(|up| up.file_name().is_some_and(|name| name == ".facectl")).unwrap_or(directory);
    format!(
        "`git rm --cached -r {}`, add it to .gitignore, and commit; facectl.lock.yaml is the file to commit",
        top.display()
    )
}

fn refused(directory: &Path, why: &str) -> CliError {
    CliError::new(format!("cannot use the state folder {}: {why}; nothing was sent or written", directory.display()))
        .exit(Exit::UNSAFE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(directory: &Path, root: &Path, by: ChosenBy) -> Option<String> {
        check(directory, root, by).err().map(|error| error.message)
    }

    #[test]
    fn a_project_file_may_name_only_a_folder_of_the_project() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("project");
        fs::create_dir_all(root.join("faces")).unwrap();
        for (name, is_fine) in [
            (".facectl", true),
            ("faces/../state", true),
            ("state/deep", true),
            ("../other", false),
            ("missing/../../other", false),
            (".", false),
            ("faces/..", false),
            (".git/facectl", false),
        ] {
            assert_eq!(refusal(&root.join(name), &root, ChosenBy::ProjectFile).is_none(), is_fine, "{name}");
            let by_flag = refusal(&root.join(name), &root, ChosenBy::Machine);
            assert_eq!(by_flag, None, "{name}");
        }
        assert!(refusal(folder.path(), &root, ChosenBy::ProjectFile).is_some());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_on_the_way_or_inside_is_refused() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let (root, elsewhere) = (folder.path().join("project"), folder.path().join("elsewhere"));
        fs::create_dir_all(root.join("state/sandbox")).unwrap();
        fs::create_dir_all(&elsewhere).unwrap();
        symlink(&elsewhere, root.join("link")).unwrap();
        symlink(elsewhere.join("file"), root.join("state/sandbox/world.json")).unwrap();
        for name in ["link", "link/deep", "state", "state/sandbox"] {
            for by in [ChosenBy::Machine, ChosenBy::ProjectFile] {
                let message = refusal(&root.join(name), &root, by).unwrap_or_else(|| panic!("{name}"));
                assert!(message.contains("nothing was sent or written"), "{message}");
            }
        }
        fs::remove_file(root.join("state/sandbox/world.json")).unwrap();
        assert_eq!(refusal(&root.join("state"), &root, ChosenBy::Machine), None);
    }
}
