//! The repository: a bare one, as a forge keeps it, and a person who works on it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A repository at the forge, with a clone in which people work.
pub(crate) struct Repository {
    folder: TempDir,
}

impl Repository {
    /// Makes one whose main branch holds what an example holds.
    pub(crate) fn from_example(example: &str) -> Self {
        let repository = Self { folder: TempDir::new().unwrap() };
        repository.git(".", "init --quiet --bare --initial-branch main acme/faces.git");
        let settings = [
            // As the forges do: any commit can be asked for, and pushes may carry options.
            "uploadpack.allowAnySHA1InWant true",
            "receive.advertisePushOptions true",
        ];
        for setting in settings {
            repository.git("acme/faces.git", &format!("config {setting}"));
        }
        repository.git(".", "clone --quiet acme/faces.git desk");
        repository.git("desk", "checkout --quiet -B main");
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/ci").join(example), &repository.desk());
        repository
    }

    /// The bare repository.
    pub(crate) fn origin(&self) -> PathBuf {
        self.folder.path().join("acme/faces.git")
    }

    /// Where people work.
    pub(crate) fn desk(&self) -> PathBuf {
        self.folder.path().join("desk")
    }

    /// Where forges that speak of a server find `acme/faces.git`.
    pub(crate) fn server(&self) -> String {
        format!("file://{}", self.folder.path().display())
    }

    /// Writes a file at the desk.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.desk().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Puts a link in the place of a file at the desk.
    pub(crate) fn link(&self, name: &str, target: &str) {
        let path = self.desk().join(name);
        let _ = fs::remove_file(&path);
        std::os::unix::fs::symlink(target, path).unwrap();
    }

    /// Lets nobody push to the main branch any more, or everybody again.
    pub(crate) fn protect(&self, is_protected: bool) {
        use std::os::unix::fs::PermissionsExt;
        let hook = self.origin().join("hooks/pre-receive");
        fs::create_dir_all(hook.parent().unwrap()).unwrap();
        fs::write(&hook, format!("#!/bin/sh\nexit {}\n", u8::from(is_protected))).unwrap();
        fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Replaces a text in a file, which must be there.
    pub(crate) fn edit(&self, name: &str, before: &str, after: &str) {
        let text = fs::read_to_string(self.desk().join(name)).unwrap();
        assert!(text.contains(before), "{name} has no {before:?}:\n{text}");
        self.write(name, &text.replace(before, after));
    }

    /// Begins a branch from the main one as it is at the forge.
    pub(crate) fn branch(&self, name: &str) {
        self.git("desk", "fetch --quiet origin");
        self.git("desk", &format!("checkout --quiet -B {name} origin/main"));
    }

    /// Commits everything at the desk and pushes it to a branch; returns the commit.
    pub(crate) fn push(&self, branch: &str) -> String {
        self.git("desk", "add --all");
        self.git("desk", "commit --quiet --message work");
        self.git("desk", &format!("push --quiet --force origin HEAD:refs/heads/{branch}"));
        self.git("desk", "rev-parse HEAD")
    }

    /// Commits everything at the desk as the head of a pull request, as if it came from a fork: at the forge there is no
    /// branch of it. Returns the commit.
    pub(crate) fn propose(&self, number: u64) -> String {
        self.git("desk", "add --all");
        self.git("desk", "commit --quiet --message work");
        self.git("desk", &format!("push --quiet --force origin HEAD:refs/pull/{number}/head"));
        // What the forge would make of merging it, which is what a pull request's run is given.
        let head = self.git("desk", "rev-parse HEAD");
        self.git("desk", "fetch --quiet origin");
        self.git("desk", "checkout --quiet --detach origin/main");
        self.git("desk", &format!("merge --quiet --no-ff --message merged {head}"));
        self.git("desk", &format!("push --quiet --force origin HEAD:refs/pull/{number}/merge"));
        self.git("desk", &format!("checkout --quiet --detach {head}"));
        head
    }

    /// Merges a pull request.
    pub(crate) fn merge(&self, head: &str) {
        self.git("desk", "fetch --quiet origin");
        self.git("desk", "checkout --quiet -B main origin/main");
        self.git("desk", &format!("merge --quiet --no-ff --message merged {head}"));
        self.git("desk", "push --quiet origin HEAD:refs/heads/main");
    }

    /// Returns a file as it stands at the forge; none where there is none.
    pub(crate) fn file(&self, revision: &str, name: &str) -> Option<String> {
        let output = command(&self.origin(), &["show", &format!("{revision}:{name}")]).output().unwrap();
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
    }

    /// Returns the commit that a name stands for at the forge.
    pub(crate) fn commit(&self, revision: &str) -> String {
        self.git("acme/faces.git", &format!("rev-parse {revision}"))
    }

    /// Returns the subjects of the main branch, the latest first.
    pub(crate) fn log(&self) -> String {
        self.git("acme/faces.git", "log --format=%s main")
    }

    /// Runs git with these words, none of which holds a blank, and returns what it printed.
    fn git(&self, folder: &str, words: &str) -> String {
        let words: Vec<&str> = words.split_whitespace().collect();
        let output = command(&self.folder.path().join(folder), &words).output().unwrap();
        assert!(output.status.success(), "git {words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

/// Git as on a machine on which nobody set anything up.
pub(crate) fn command(folder: &Path, words: &[&str]) -> Command {
    let mut command = Command::new("git");
    command.args(words).current_dir(folder).env_clear().env("PATH", path()).env("HOME", "/nonexistent");
    for role in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{role}_NAME"), "Ana Example").env(format!("GIT_{role}_EMAIL"), "ana@example.com");
    }
    command.env("GIT_CONFIG_NOSYSTEM", "1");
    command
}

/// Where the programs of this machine are.
pub(crate) fn path() -> String {
    std::env::var("PATH").unwrap_or_default()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}
