//! Real repositories with settings that mean no good.

use std::process::Command as Program;

use super::*;

/// A repository with one committed file, and nothing of this machine in it.
struct Repository(tempfile::TempDir);

impl Repository {
    fn new() -> Self {
        let repository = Self(tempfile::tempdir().unwrap());
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        std::fs::write(repository.path().join("ana.yaml"), "name: ana\n").unwrap();
        repository.git(&["add", "--all"]);
        repository.git(&["commit", "--quiet", "--message", "first"]);
        repository
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn git(&self, words: &[&str]) {
        let mut program = Program::new("git");
        program.args(["-c", "user.name=Ana", "-c", "user.email=ana@example.com"]).args(words);
        let output = program.current_dir(self.path()).env("HOME", self.path()).output().unwrap();
        assert!(output.status.success(), "git {words:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn reading(&self) -> Git {
        Git::reading(self.path(), Duration::from_secs(60), 64 * 1024).with_variable("HOME", self.path())
    }
}

#[test]
fn git_gets_what_finds_the_users_keys_and_none_of_our_secrets() {
    for passed in [
        "HOME",
        "PATH",
        "SSH_AUTH_SOCK",
        "https_proxy",
        "XDG_CONFIG_HOME",
        "GIT_ASKPASS",
        "GIT_CEILING_DIRECTORIES",
        "GIT_CONFIG_COUNT",
        "GIT_CONFIG_KEY_0",
        "GIT_CONFIG_PARAMETERS",
        "GIT_EXEC_PATH",
        "GIT_SSH",
        "GIT_SSH_COMMAND",
        "GIT_SSL_CAINFO",
        "GIT_SSL_NO_VERIFY",
    ] {
        assert!(passes(OsStr::new(passed)), "{passed}");
    }
    let kept_back =
        ["TAVUS_API_KEY", "FACECTL_GIT", "GIT_TRACE_CURL", "GIT_TRACE2", "GIT_ICASE_PATHSPECS", "SSH_ASKPASS"];
    for kept_back in kept_back.into_iter().chain(PLACES) {
        assert!(!passes(OsStr::new(kept_back)), "{kept_back}");
    }
}

#[test]
fn every_variable_that_git_calls_local_is_taken_away_or_a_setting() {
    let listed = Program::new("git").args(["rev-parse", "--local-env-vars"]).output().unwrap();
    // The last two say how much is checked, and come from outside of hooks alone.
    let harmless = ["GIT_NO_REPLACE_OBJECTS", "GIT_INTERNAL_SUPER_PREFIX"];
    for name in String::from_utf8(listed.stdout).unwrap().lines() {
        let stays = name.starts_with("GIT_CONFIG_") || harmless.contains(&name);
        assert!(stays || !passes(OsStr::new(name)), "{name}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn settings_of_a_repository_start_nothing() {
    let repository = Repository::new();
    let (mark, hooks) = (repository.path().join("PWNED"), repository.path().join(".hooks"));
    let touch = format!("touch '{}'", mark.display());
    for (name, value) in [
        ("alias.status", format!("!{touch}")),
        ("core.fsmonitor", touch.clone()),
        ("core.hooksPath", hooks.display().to_string()),
        ("core.pager", touch.clone()),
        ("core.sshCommand", touch.clone()),
        ("core.gitProxy", touch.clone()),
        ("credential.helper", format!("!{touch}")),
        ("diff.external", touch.clone()),
        ("diff.evil.textconv", touch.clone()),
        ("filter.evil.clean", format!("{touch}; cat")),
        ("filter.evil.process", touch.clone()),
        ("filter.e=v.il.clean", format!("{touch}; cat")),
        ("filter.evil.required", "true".to_owned()),
        ("gpg.program", touch.clone()),
        ("log.showSignature", "true".to_owned()),
        ("pager.status", touch.clone()),
    ] {
        repository.git(&["config", name, &value]);
    }
    std::fs::write(repository.path().join(".gitattributes"), "*.yaml filter=evil diff=evil\n").unwrap();
    std::fs::create_dir(&hooks).unwrap();
    std::fs::write(hooks.join("post-index-change"), format!("#!/bin/sh\n{touch}\n")).unwrap();
    // Touched, so that git has to look at what is in it.
    std::fs::write(repository.path().join("ana.yaml"), "name: ane\n").unwrap();
    let git = repository.reading().without_own_filters().await;
    let status = git.run(&["status", "--porcelain", "-z"], &[]).await.unwrap();
    assert!(String::from_utf8(status).unwrap().contains(" M ana.yaml\0"));
    for words in [&["rev-list", "HEAD"][..], &["ls-tree", "-r", "HEAD"], &["var", "GIT_AUTHOR_IDENT"]] {
        // The last one may have no author to name.
        let _ = git.run(words, &[]).await;
    }
    assert!(!mark.exists());
}

#[cfg(unix)]
#[tokio::test]
async fn reading_speaks_to_no_other_machine() {
    let (repository, mark) = (Repository::new(), tempfile::tempdir().unwrap());
    let mark = mark.path().join("PWNED");
    repository.git(&["config", "core.sshCommand", &format!("touch '{}'", mark.display())]);
    for address in ["ssh://git@example.invalid/x", "git@example.invalid:x", "https://example.invalid/x", "/srv/x"] {
        let said = repository.reading().run(&["ls-remote", address], &[]).await.unwrap_err().to_string();
        assert!(said.contains("not allowed"), "{address}: {said}");
    }
    assert!(!mark.exists());
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_an_error_or_cut() {
    let repository = Repository::new();
    let git = Git { limit: 9, ..repository.reading() };
    let words = ["rev-parse", "HEAD"];
    let error = git.run(&words, &[]).await.unwrap_err();
    assert_eq!(error.to_string(), "git rev-parse answers with more than 9 bytes");
    assert_eq!(git.begin(&words, &[]).await.unwrap().len(), 10);
}

#[tokio::test]
async fn a_question_is_answered_from_async_code_and_reads_its_input() {
    let repository = Repository::new();
    let git = repository.reading();
    let head = git.line(&["rev-parse", "HEAD"]).unwrap().into_string().unwrap();
    let input = format!("{head}\n").repeat(20_000);
    let answer = Git { limit: 64 << 20, ..git }.ask(&["cat-file", "--batch-check"], input.as_bytes()).unwrap();
    assert_eq!(answer.iter().filter(|byte| **byte == b'\n').count(), 20_000);
}

#[tokio::test]
async fn what_git_says_is_one_line_without_secrets() {
    let repository = Repository::new();
    let git = repository.reading().hiding([SecretString::from("hunter2")]);
    let refused = git.run(&["rev-parse", "--verify", "hunter2\u{1b}[2J"], &[]).await.unwrap_err();
    assert!(matches!(refused, GitError::Refused { .. }), "{refused}");
    let said = git.run(&["cat-file", "blob", "hunter2"], &[]).await.unwrap_err().to_string();
    assert!(said.contains("…") && !said.contains("hunter2") && !said.contains('\n'), "{said}");
}

#[test]
fn what_may_be_a_password_is_in_no_debug_output() {
    let git = Git::speaking(Path::new("/"), Duration::ZERO, 0, "https").with_variable("PASSWORD", "hunter2");
    assert!(!format!("{:?}", git.hiding([SecretString::from("hunter2")])).contains("hunter2"));
}
