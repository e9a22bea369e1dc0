//! Who is at work, on which commit, in which pipeline: for the history, saved plans, results and events.
//!
//! Asked of the plain `git` command line, once for each run that says it, and never for long. Where there is no git,
//! no repository or no answer in time, it is just not said. Remotes are not asked for: their links can hold passwords.
//! Names and variables may be a stranger's: they are cut, and lose what could break a line or show a secret.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use crate::git::{Git, wait_for};
use crate::state::{Provenance, RunContext};
use crate::text::{clean, redact_links};

/// How long git may take. It answers in milliseconds; a repository on a stuck network drive never does.
const PATIENCE: Duration = Duration::from_secs(2);

/// The most that is read of an answer.
const ANSWER: u64 = 64 * 1024;

/// The longest name that is written down.
const LONGEST: usize = 200;

/// The longest link that is written down: a longer one is left out, as half a link leads nowhere.
const LONGEST_LINK: usize = 400;

/// Variables in which pipelines say who started them, on which commit, for which branch, and where to look at them.
const ACTORS: [&str; 4] = ["GITHUB_ACTOR", "GITLAB_USER_LOGIN", "CIRCLE_USERNAME", "BUILDKITE_BUILD_CREATOR"];
const COMMITS: [&str; 4] = ["GITHUB_SHA", "CI_COMMIT_SHA", "CIRCLE_SHA1", "BUILDKITE_COMMIT"];
/// Where a request to merge is built, the branch that is to be merged stands in a variable of its own, which comes first.
const BRANCHES: [&str; 5] =
    ["GITHUB_HEAD_REF", "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "CI_COMMIT_BRANCH", "CIRCLE_BRANCH", "BUILDKITE_BRANCH"];
const RUNS: [&str; 4] = ["CI_JOB_URL", "CI_PIPELINE_URL", "CIRCLE_BUILD_URL", "BUILDKITE_BUILD_URL"];

/// Finds out who is at work in a project's folder. What facectl itself writes there, `own`, makes no tree dirty.
pub fn gather(root: &Path, own: &[&Path], command: String) -> RunContext {
    let git = Git::reading(root, PATIENCE, ANSWER);
    let status = status_arguments(root, own);
    let answers = wait_for(async {
        // Without guessing: the name of a pipeline's machine says less than its actor does.
        let identity = git.begin(&["-c", "user.useConfigOnly=true", "var", "GIT_AUTHOR_IDENT"], &[]);
        let tree = async { git.clone().without_own_filters().await.begin(&status, &[]).await };
        tokio::join!(identity, tree)
    });
    let (identity, tree) = answers.map_or((None, None), |(identity, tree)| (identity.ok(), tree.ok()));
    let identity = identity.and_then(|ident| author(&String::from_utf8_lossy(&ident)));
    let tree = tree.map(|status| WorkTree::read(&String::from_utf8_lossy(&status)));
    let variable = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
    let first = |names: &[&str]| names.iter().find_map(|name| variable(name));
    let (commit, branch, dirty) = match tree {
        Some(WorkTree { commit, branch, is_dirty }) => (commit, branch, Some(is_dirty)),
        None => (first(&COMMITS), None, None),
    };
    let by =
        identity.or_else(|| first(&ACTORS)).unwrap_or_else(|| user_at_host(first(&["USER", "LOGNAME", "USERNAME"])));
    // Pipelines check a commit out, and no branch.
    let branch = branch.or_else(|| branch_of_pipeline(variable));
    let provenance = Provenance {
        run: Some(uuid::Uuid::new_v4().simple().to_string().chars().take(12).collect()),
        by: Some(plain(&by)),
        commit: commit.map(|commit| plain(&commit)),
        branch: branch.map(|branch| plain(&branch)).filter(|branch| !branch.is_empty()),
        dirty,
        run_url: run_of_pipeline(variable),
    };
    RunContext { provenance, command: Some(command), plan_digest: None }
}

/// Returns the branch that a pipeline says it runs for (GitHub: "Default environment variables"; GitLab: "Predefined
/// CI/CD variables"; read in November 2026). A tag is no branch.
fn branch_of_pipeline(variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    let is_tag = variable("GITHUB_REF_TYPE").is_some_and(|kind| kind == "tag");
    let pushed = || variable("GITHUB_REF_NAME").filter(|_| !is_tag);
    BRANCHES.iter().find_map(|name| variable(name)).or_else(pushed)
}

/// Returns the page of the pipeline's run, where its variables say one.
fn run_of_pipeline(variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    let github = || {
        let (server, repository) = (variable("GITHUB_SERVER_URL")?, variable("GITHUB_REPOSITORY")?);
        Some(format!("{server}/{repository}/actions/runs/{}", variable("GITHUB_RUN_ID")?))
    };
    link(&github().or_else(|| RUNS.iter().find_map(|name| variable(name)))?)
}

/// Returns a link as it can be shown: a page on the web, without a password, a query and a fragment.
fn link(text: &str) -> Option<String> {
    let mut url = url::Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    url.set_username("").and_then(|()| url.set_password(None)).ok()?;
    url.set_query(None);
    url.set_fragment(None);
    let shown = redact_links(url.as_str());
    (shown.len() <= LONGEST_LINK).then_some(shown)
}

/// One question for commit and changes. What is not committed inside of a submodule is not looked for: git would be run in
/// there, by settings of its own.
fn status_arguments(root: &Path, own: &[&Path]) -> Vec<OsString> {
    let options =
        ["status", "--porcelain=v2", "--branch", "-z", "--untracked-files=normal", "--ignore-submodules=dirty"];
    let mut words: Vec<OsString> = options.into_iter().chain(["--", "."]).map(OsString::from).collect();
    let below = own.iter().filter_map(|path| path.strip_prefix(root).ok()).filter(|path| !path.as_os_str().is_empty());
    words.extend(below.map(|path| {
        let mut word = OsString::from(":(exclude,literal)");
        word.push(path);
        word
    }));
    words
}

/// Reads `Ana Example <ana@example.com> 1763800000 +0000`.
fn author(ident: &str) -> Option<String> {
    let end = ident.rfind('>')?;
    Some(ident.get(..=end)?.trim().to_owned()).filter(|text| !text.starts_with('<'))
}

/// What git says about the folder.
#[derive(Debug, PartialEq, Eq)]
struct WorkTree {
    /// None before the first commit.
    commit: Option<String>,
    /// None where a commit is checked out, and no branch.
    branch: Option<String>,
    is_dirty: bool,
}

impl WorkTree {
    /// Reads a status in its second porcelain form, each line ended by a zero.
    fn read(status: &str) -> Self {
        let lines = || status.split('\0').filter(|line| !line.is_empty());
        let header = |name: &str| lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
        Self {
            commit: header("# branch.oid ").filter(|commit| commit.chars().all(|c| c.is_ascii_hexdigit())),
            branch: header("# branch.head ").filter(|branch| branch != "(detached)"),
            is_dirty: lines().any(|line| !line.starts_with("# ")),
        }
    }
}

fn user_at_host(user: Option<String>) -> String {
    let host = gethostname::gethostname();
    format!("{}@{}", user.as_deref().unwrap_or("unknown"), host.to_string_lossy())
}

/// Makes text from outside fit for one line of a history.
fn plain(text: &str) -> String {
    clean(text, LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_tells_the_commit_the_branch_and_whether_anything_differs() {
        let tree = |commit: Option<&str>, branch: Option<&str>, is_dirty| WorkTree {
            commit: commit.map(str::to_owned),
            branch: branch.map(str::to_owned),
            is_dirty,
        };
        let head = "# branch.oid 3b4df28d3c\0# branch.head main\0# branch.upstream origin/main\0";
        assert_eq!(WorkTree::read(head), tree(Some("3b4df28d3c"), Some("main"), false));
        assert_eq!(WorkTree::read(&format!("{head}? faces/new.yaml\0")), tree(Some("3b4df28d3c"), Some("main"), true));
        let detached = "# branch.oid 3b4df28d3c\0# branch.head (detached)\0";
        assert_eq!(WorkTree::read(detached), tree(Some("3b4df28d3c"), None, false));
        assert_eq!(WorkTree::read("# branch.oid (initial)\0"), tree(None, None, false));
    }

    /// The variables of a pipeline.
    fn set<'a>(variables: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<String> + 'a {
        |name| variables.iter().find(|(set, _)| *set == name).map(|(_, value)| (*value).to_owned())
    }

    #[test]
    fn a_pipeline_says_its_branch_also_where_a_request_is_built_and_a_tag_is_none() {
        for (variables, branch, why) in [
            (&[("GITHUB_REF_NAME", "main"), ("GITHUB_REF_TYPE", "branch")][..], Some("main"), "pushed"),
            (&[("GITHUB_REF_NAME", "7/merge"), ("GITHUB_HEAD_REF", "new-face")], Some("new-face"), "pull request"),
            (&[("GITHUB_REF_NAME", "v1"), ("GITHUB_REF_TYPE", "tag")], None, "tag"),
            (&[("CI_COMMIT_BRANCH", "main")], Some("main"), "GitLab"),
            (&[("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "new-face")], Some("new-face"), "merge request"),
            (&[], None, "no pipeline"),
        ] {
            assert_eq!(branch_of_pipeline(set(variables)).as_deref(), branch, "{why}");
        }
    }

    #[test]
    fn a_pipelines_page_is_a_link_without_secrets_or_none() {
        let github = |server, run| {
            run_of_pipeline(set(&[
                ("GITHUB_SERVER_URL", server),
                ("GITHUB_REPOSITORY", "acme/faces"),
                ("GITHUB_RUN_ID", run),
            ]))
        };
        let page = "https://github.com/acme/faces/actions/runs/42";
        assert_eq!(github("https://github.com", "42").as_deref(), Some(page));
        assert_eq!(github("https://bot:TOKEN@github.com", "42?sig=abc#x").as_deref(), Some(page));
        assert_eq!(github("https://github.com", "4\n2").as_deref(), Some(page));
        assert_eq!(github("javascript:alert(1)//", "42"), None);
        assert_eq!(github("https://github.com", &"4".repeat(500)), None);
        assert_eq!(run_of_pipeline(set(&[("GITHUB_RUN_ID", "42")])), None);
        let job = "https://gitlab.com/acme/faces/-/jobs/7";
        assert_eq!(run_of_pipeline(set(&[("CI_JOB_URL", job)])).as_deref(), Some(job));
    }

    #[test]
    fn an_author_is_name_and_address_without_the_time() {
        assert_eq!(author("Zoë 😀 <z@example.com> 1763800000 +0100\n").as_deref(), Some("Zoë 😀 <z@example.com>"));
        assert_eq!(author("<z@example.com> 1763800000 +0100"), None);
        assert_eq!(author("what is this"), None);
    }

    #[test]
    fn a_name_stays_on_its_line_and_shows_no_secret_of_a_link() {
        assert_eq!(plain("Ana\u{1b}[31m\n<a@b>"), "Ana\\u{001B}[31m <a@b>");
        assert!(!plain("https://u:secret@example.com/?sig=abc").contains("abc"));
        assert_eq!(plain(&"x".repeat(500)).chars().count(), LONGEST + 1);
        assert_eq!(plain("main\u{202e}niam\u{2028}"), "main\\u{202E}niam");
    }

    #[test]
    fn what_is_ours_makes_no_tree_dirty() {
        let root = Path::new("/project");
        let words = status_arguments(root, &[&root.join(".facectl"), Path::new("/elsewhere/state")]);
        assert_eq!(words.last(), Some(&OsString::from(":(exclude,literal).facectl")));
        assert_eq!(words.iter().filter(|word| word.to_string_lossy().starts_with(":(")).count(), 1);
    }
}
