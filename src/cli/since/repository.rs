//! What is asked of the repository: commits, trees and files.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use crate::git::{Git, GitError, path_of, plain};
use crate::plan::Commit;

use super::super::error::CliError;

/// How long git may take for one question. Long histories and cold disks take seconds.
const PATIENCE: Duration = Duration::from_secs(60);
/// The most that is read at once, in bytes: manifests are small, and there are some ten thousand at most.
const ANSWER: u64 = 256 * 1024 * 1024;
/// The longest author and subject that are shown.
const LONGEST: usize = 100;

/// A repository, seen from its top folder.
pub(super) struct Repository {
    git: Git,
    /// The folder that holds all of it, without links.
    pub(super) top: PathBuf,
}

/// One file of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Its content's hash.
    pub(super) id: String,
    /// Its size in bytes.
    pub(super) size: u64,
    /// Whether it is a link, whose content is its target.
    pub(super) is_link: bool,
}

/// A commit with those before it.
#[derive(Debug, Clone)]
pub(super) struct Known {
    /// The commits it follows on, the first parent first.
    pub(super) parents: Vec<String>,
    /// How it is shown.
    pub(super) shown: Commit,
}

impl Repository {
    /// Finds the repository that a folder belongs to.
    pub(super) fn around(folder: &Path) -> Result<Self, CliError> {
        // A file is named as it is called, and never by a pattern.
        let git = |folder: &Path| Git::reading(folder, PATIENCE, ANSWER).with_variable("GIT_LITERAL_PATHSPECS", "1");
        let top = git(folder).line(&["rev-parse", "--show-toplevel"]).map_err(|error| match &error {
            GitError::NotThere(_) => {
                CliError::caused("--since needs git, and it cannot be run; nothing was changed", &error)
                    .hint("install git, or leave --since away")
            }
            _ => CliError::caused(
                format!("--since needs a git repository, and {} is in none that git can read", folder.display()),
                &error,
            )
            .hint("run it in a clone with its .git folder, or leave --since away"),
        })?;
        let top = std::fs::canonicalize(&top).unwrap_or_else(|_| top.into());
        Ok(Self { git: git(&top), top })
    }

    /// Returns the commit that is checked out.
    pub(super) fn head(&self) -> Result<String, CliError> {
        self.commit("HEAD").map_err(|_| {
            CliError::new("--since needs something to compare with, and nothing was committed in this repository yet")
        })
    }

    /// Returns the commit that a person means.
    pub(super) fn named(&self, rev: &str) -> Result<String, CliError> {
        match self.commit(rev) {
            Ok(id) => Ok(id),
            Err(GitError::Refused { .. }) => {
                let error = CliError::new(format!(
                    "--since {}: there is no such commit in this clone; nothing was changed",
                    plain(rev, LONGEST)
                ));
                Err(self.how_to_fetch(error, rev))
            }
            Err(error) => Err(failed(&error)),
        }
    }

    fn commit(&self, rev: &str) -> Result<String, GitError> {
        let asked = ["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{rev}^{{commit}}")];
        self.line(&asked)
    }

    /// Asks for one line that is text.
    fn line(&self, words: &[&str]) -> Result<String, GitError> {
        Ok(self.git.line(words)?.to_string_lossy().into_owned())
    }

    /// Returns the commit at which two histories parted, as `git diff A...B` takes it.
    pub(super) fn base(&self, rev: &str, commit: &str, head: &str) -> Result<String, CliError> {
        match self.line(&["merge-base", commit, head]) {
            Ok(base) => Ok(base),
            Err(GitError::Refused { .. }) => {
                let error = CliError::new(format!(
                    "--since {}: it has no commit in common with what is checked out; nothing was changed",
                    plain(rev, LONGEST)
                ));
                Err(self.how_to_fetch(error, rev))
            }
            Err(error) => Err(failed(&error)),
        }
    }

    /// Adds how a commit that is not here is fetched.
    fn how_to_fetch(&self, error: CliError, rev: &str) -> CliError {
        let is_shallow = self.line(&["rev-parse", "--is-shallow-repository"]).is_ok_and(|answer| answer == "true");
        match (is_shallow, rev.split_once('/')) {
            (true, _) => error
                .hint("this clone is shallow: it has only the latest commits. In a pipeline fetch all of them (GitHub: `fetch-depth: 0` for actions/checkout; GitLab: `GIT_DEPTH: 0`)")
                .hint("or fetch more: `git fetch --unshallow`, or `git fetch --depth=200` and the branch by its name"),
            (false, Some(("origin", branch))) => {
                error.hint(format!("is it spelled right? If so, fetch it: `git fetch origin {}`", plain(branch, LONGEST)))
            }
            (false, _) => error.hint("a branch, a tag or a hash will do; `git fetch` brings those that are not here yet"),
        }
    }

    /// Returns the commits after one and up to another that touched any of the paths, the latest first. No paths: the
    /// whole repository.
    pub(super) fn commits(
        &self,
        after: &str,
        to: &str,
        paths: &[PathBuf],
        most: usize,
    ) -> Result<Vec<String>, CliError> {
        let (count, after) = (format!("--max-count={most}"), format!("^{after}"));
        let words = with_paths(&["rev-list", "--topo-order", &count, to, &after, "--"], paths);
        let answer = self.git.ask(&words, &[]).map_err(|error| failed(&error))?;
        Ok(String::from_utf8_lossy(&answer).lines().map(ToOwned::to_owned).collect())
    }

    /// Returns what commits say about themselves, in the order in which they are asked for.
    pub(super) fn known(&self, commits: &[String]) -> Result<Vec<Known>, CliError> {
        let objects = self.objects(commits)?;
        Ok(commits.iter().zip(objects).map(|(id, bytes)| known(id, &String::from_utf8_lossy(&bytes))).collect())
    }

    /// Returns the files of a commit below any of the paths; of the whole tree where there is none.
    pub(super) fn tree(&self, commit: &str, paths: &[PathBuf]) -> Result<BTreeMap<PathBuf, Entry>, CliError> {
        let words = with_paths(&["ls-tree", "-r", "-l", "-z", "--full-tree", commit, "--"], paths);
        let answer = self.git.ask(&words, &[]).map_err(|error| failed(&error))?;
        Ok(answer.split(|byte| *byte == 0).filter_map(entry).collect())
    }

    /// Returns the contents of objects, in the order in which they are asked for.
    pub(super) fn objects(&self, ids: &[String]) -> Result<Vec<Vec<u8>>, CliError> {
        let input: String = ids.iter().flat_map(|id| [id.as_str(), "\n"]).collect();
        let answer = self.git.ask(&["cat-file", "--batch"], input.as_bytes()).map_err(|error| failed(&error))?;
        let mut rest = answer.as_slice();
        let next = |rest: &mut &[u8]| {
            let (head, after) = rest.split_at_checked(rest.iter().position(|byte| *byte == b'\n')?)?;
            let size: usize = String::from_utf8_lossy(head).split(' ').nth(2)?.parse().ok()?;
            let (content, after) = after.get(1..)?.split_at_checked(size)?;
            *rest = after.get(1..)?;
            Some(content.to_owned())
        };
        let objects: Option<Vec<Vec<u8>>> = ids.iter().map(|_| next(&mut rest)).collect();
        objects.ok_or_else(|| {
            CliError::new("cannot read the history: an object of it is missing in this clone; nothing was changed")
                .hint("in a clone without all of its contents (`--filter`), fetch them first, or clone without the filter")
        })
    }
}

fn with_paths(words: &[&str], paths: &[PathBuf]) -> Vec<OsString> {
    words.iter().map(OsString::from).chain(paths.iter().map(|path| path.as_os_str().to_owned())).collect()
}

fn failed(error: &GitError) -> CliError {
    CliError::caused("cannot read the history of the manifests; nothing was changed", error)
        .hint("--since asks git; without it the whole project is planned")
}

/// Reads `100644 blob 3b18e5…     12<TAB>faces/ana.yaml`. The name is bytes, as it is to the loader. Submodules are left
/// out, and so is what no honest tree has: a path that leads out of it.
fn entry(line: &[u8]) -> Option<(PathBuf, Entry)> {
    let (head, path) = line.split_at_checked(line.iter().position(|byte| *byte == b'\t')?)?;
    let mut words = std::str::from_utf8(head).ok()?.split_whitespace();
    let (mode, kind, id, size) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let path = path_of(path.get(1..)?)?;
    let is_inside = path.components().all(|part| matches!(part, Component::Normal(_)));
    let entry = Entry { id: id.to_owned(), size: size.parse().ok()?, is_link: mode == "120000" };
    (kind == "blob" && is_inside).then_some((path, entry))
}

/// Reads a commit as git stores it.
fn known(id: &str, text: &str) -> Known {
    let (head, message) = text.split_once("\n\n").unwrap_or((text, ""));
    let of = |name: &'static str| head.lines().filter_map(move |line| line.strip_prefix(name)?.strip_prefix(' '));
    let author = of("author").next().and_then(|who| who.split(" <").next()).unwrap_or_default();
    let subject = message.trim_start().lines().next().unwrap_or_default();
    Known {
        parents: of("parent").map(ToOwned::to_owned).collect(),
        shown: Commit { id: id.to_owned(), author: plain(author, LONGEST), subject: plain(subject, LONGEST) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_a_tree_is_read_and_what_leads_out_of_it_is_not() {
        let (path, found) = entry("100644 blob 3b18e5      12\tfaces/ana 😀.yaml".as_bytes()).unwrap();
        assert_eq!(path, Path::new("faces/ana 😀.yaml"));
        assert_eq!(found, Entry { id: "3b18e5".to_owned(), size: 12, is_link: false });
        assert!(entry(b"120000 blob 3b18e5 12\tlink.yaml").unwrap().1.is_link);
        let odd = entry(b"100644 blob 3b18e5 12\t-a\t\"b\nc\\.yaml").unwrap().0;
        assert_eq!(odd, Path::new("-a\t\"b\nc\\.yaml"));
        #[cfg(unix)]
        assert!(entry(b"100644 blob 3b18e5 12\tb\xe9n.yaml").is_some_and(|(path, _)| path.to_str().is_none()));
        for line in
            ["160000 commit 3b18e5 -\tmodule", "100644 blob 3b18e5 12\t../out.yaml", "100644 blob 3b 1\t/etc/x", ""]
        {
            assert!(entry(line.as_bytes()).is_none(), "{line}");
        }
    }

    #[test]
    fn a_commit_tells_its_parents_author_and_subject_and_writes_no_escape_codes() {
        let text = "tree 1\nparent aa\nparent bb\nauthor Zoë \u{1b}[31m😀 <z@example.com> 1 +0000\ncommitter C <c> 1 +0000\ngpgsig x\n author no\n\nfaces: \u{202e}https://u:pw@example.com/?sig=abc\n\nbody";
        let Known { parents, shown } = known("cc", text);
        assert_eq!(parents, ["aa", "bb"]);
        assert_eq!(shown.author, "Zoë \\u{001B}[31m😀");
        assert!(
            shown.subject.starts_with("faces: \\u{202E}https://") && !shown.subject.contains("abc"),
            "{}",
            shown.subject
        );
    }
}
