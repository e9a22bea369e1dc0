//! Who is at work, and on which commit: for the history.
//!
//! Asked of the plain `git` command line, once for each run that writes, and never for long. Where there is no git,
//! no repository or no answer in time, the history just does not say. Remotes are not asked for: their links can
//! hold passwords.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use crate::face::redact_links;
use crate::state::RunContext;

/// How long git may take. It answers in milliseconds; a repository on a stuck network drive never does.
const PATIENCE: Duration = Duration::from_secs(2);

/// The most that is read of an answer.
const ANSWER: u64 = 64 * 1024;

/// The longest name that is written down.
const LONGEST: usize = 200;

/// Variables in which pipelines say who started them, and on which commit.
const ACTORS: [&str; 4] = ["GITHUB_ACTOR", "GITLAB_USER_LOGIN", "CIRCLE_USERNAME", "BUILDKITE_BUILD_CREATOR"];
const COMMITS: [&str; 4] = ["GITHUB_SHA", "CI_COMMIT_SHA", "CIRCLE_SHA1", "BUILDKITE_COMMIT"];

/// Finds out who is at work in a project's folder. What facectl itself writes there, `own`, makes no tree dirty.
pub fn gather(root: &Path, own: &[&Path], command: String) -> RunContext {
    let (identity, tree) = std::thread::scope(|scope| {
        // Without guessing: the name of a pipeline's machine says less than its actor does.
        let identity = scope.spawn(|| {
            git(root, &["-c", "user.useConfigOnly=true", "var", "GIT_AUTHOR_IDENT"]).as_deref().and_then(author)
        });
        let tree = git(root, &status_arguments(root, own)).as_deref().map(work_tree);
        (identity.join().ok().flatten(), tree)
    });
    let variable =
        |names: &[&str]| names.iter().find_map(|name| std::env::var(name).ok().filter(|text| !text.is_empty()));
    let (commit, dirty) = match tree {
        Some((commit, is_dirty)) => (commit, Some(is_dirty)),
        None => (variable(&COMMITS), None),
    };
    let by = identity
        .or_else(|| variable(&ACTORS))
        .unwrap_or_else(|| user_at_host(variable(&["USER", "LOGNAME", "USERNAME"])));
    RunContext {
        run: Some(uuid::Uuid::new_v4().simple().to_string().chars().take(12).collect()),
        by: Some(plain(&by)),
        commit: commit.map(|commit| plain(&commit)),
        dirty,
        command: Some(command),
        plan_digest: None,
    }
}

/// One question for commit and changes. No file of the repository's configuration may start a program for it, and
/// git must not write its index while somebody else commits.
fn status_arguments(root: &Path, own: &[&Path]) -> Vec<String> {
    let mut words: Vec<String> =
        ["-c", "core.fsmonitor=false", "--no-optional-locks", "status", "--porcelain=v2", "--branch", "--", "."]
            .map(str::to_owned)
            .into();
    let below = own.iter().filter_map(|path| path.strip_prefix(root).ok()).filter_map(Path::to_str);
    words.extend(below.filter(|path| !path.is_empty()).map(|path| format!(":(exclude,literal){path}")));
    words
}

/// Runs git in a folder; none unless it answers well and in time.
fn git(root: &Path, words: &[impl AsRef<std::ffi::OsStr>]) -> Option<String> {
    let mut command = Command::new("git");
    // A checkout may hold a folder that looks like a repository without a work tree, with a configuration of its own
    // that starts programs. Only `.git`, which no checkout brings, is taken for one (git 2.38; older ones do not know it).
    command
        .args(["-c", "safe.bareRepository=explicit"])
        .args(words)
        .current_dir(root)
        .env("LC_ALL", "C")
        .env("GIT_TERMINAL_PROMPT", "0");
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
    let stdout = child.stdout.take()?;
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut answer = Vec::new();
        let read = stdout.take(ANSWER).read_to_end(&mut answer);
        // Nobody listens any more once the patience has ended.
        let _ = sender.send(read.map(|_| answer));
    });
    let answer = receiver.recv_timeout(PATIENCE).ok().and_then(Result::ok);
    let is_long = answer.as_ref().is_some_and(|answer| answer.len() as u64 >= ANSWER);
    if answer.is_none() || is_long {
        // It fails only if it has ended already.
        let _ = child.kill();
    }
    let is_well = child.wait().ok()?.success();
    answer.filter(|_| is_well || is_long).map(|answer| String::from_utf8_lossy(&answer).into_owned())
}

/// Reads `Ana Example <ana@example.com> 1763800000 +0000`.
fn author(ident: &str) -> Option<String> {
    let end = ident.rfind('>')?;
    Some(ident.get(..=end)?.trim().to_owned()).filter(|text| !text.starts_with('<'))
}

/// Reads a status in its second porcelain form: the commit, none before the first, and whether anything differs.
fn work_tree(status: &str) -> (Option<String>, bool) {
    let commit = status.lines().find_map(|line| line.strip_prefix("# branch.oid "));
    let commit = commit.filter(|commit| commit.chars().all(|c| c.is_ascii_hexdigit())).map(str::to_owned);
    (commit, status.lines().any(|line| !line.starts_with('#')))
}

fn user_at_host(user: Option<String>) -> String {
    let host = gethostname::gethostname();
    format!("{}@{}", user.as_deref().unwrap_or("unknown"), host.to_string_lossy())
}

/// Makes text from outside fit for one line of a history.
fn plain(text: &str) -> String {
    let line: String = text.chars().filter(|c| !c.is_control()).take(LONGEST).collect();
    redact_links(&line).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_tells_the_commit_and_whether_anything_differs() {
        let head = "# branch.oid 3b4df28d3c\n# branch.head main\n# branch.upstream origin/main\n";
        assert_eq!(work_tree(head), (Some("3b4df28d3c".to_owned()), false));
        assert_eq!(work_tree(&format!("{head}? faces/new.yaml\n")), (Some("3b4df28d3c".to_owned()), true));
        assert_eq!(work_tree("# branch.oid (initial)\n"), (None, false));
    }

    #[test]
    fn an_author_is_name_and_address_without_the_time() {
        assert_eq!(author("Zoë 😀 <z@example.com> 1763800000 +0100\n").as_deref(), Some("Zoë 😀 <z@example.com>"));
        assert_eq!(author("<z@example.com> 1763800000 +0100"), None);
        assert_eq!(author("what is this"), None);
    }

    #[test]
    fn a_name_stays_on_its_line_and_shows_no_secret_of_a_link() {
        assert_eq!(plain("Ana\u{1b}[31m\n<a@b>"), "Ana[31m<a@b>");
        assert!(!plain("https://u:secret@example.com/?sig=abc").contains("abc"));
        assert_eq!(plain(&"x".repeat(500)).len(), LONGEST);
    }

    #[test]
    fn what_is_ours_makes_no_tree_dirty() {
        let root = Path::new("/project");
        let words = status_arguments(root, &[&root.join(".facectl"), Path::new("/elsewhere/state")]);
        assert_eq!(words.last().map(String::as_str), Some(":(exclude,literal).facectl"));
        assert_eq!(words.iter().filter(|word| word.starts_with(":(")).count(), 1);
    }
}
