//! Real repositories in temporary folders, and servers that do not behave.

use std::process::Command as Program;
use std::sync::Arc;

use axum::http::{HeaderMap, StatusCode};
use tokio::io::AsyncReadExt;

use super::*;

/// A repository that somebody else works on.
struct Upstream {
    folder: tempfile::TempDir,
}

impl Upstream {
    fn new() -> Self {
        Self::with_format("sha1")
    }

    fn with_format(format: &str) -> Self {
        let upstream = Self { folder: tempfile::tempdir().unwrap() };
        upstream.git(&["init", "--quiet", "--initial-branch=main", &format!("--object-format={format}")]);
        upstream
    }

    /// A repository with one manifest in `faces/`.
    fn with_ana() -> Self {
        let upstream = Self::new();
        upstream.commit(&[("faces/ana.yaml", "name: ana\n")], "add Ana");
        upstream
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn git(&self, words: &[&str]) -> String {
        let mut program = Program::new("git");
        program.args(["-c", "user.name=Zoë 😀", "-c", "user.email=zoe@example.com", "-c", "core.autocrlf=false"]);
        program.args(words).current_dir(self.path()).env("GIT_CONFIG_NOSYSTEM", "1").env("HOME", self.path());
        let output = program.output().unwrap();
        assert!(output.status.success(), "git {words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Writes files, commits them and returns the commit.
    fn commit(&self, files: &[(&str, &str)], message: &str) -> String {
        for (path, text) in files {
            let path = self.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
        self.git(&["rev-parse", "HEAD"])
    }
}

/// A folder that a source works in.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn settings(&self, url: &str) -> GitSettings {
        GitSettings {
            url: url.to_owned(),
            branch: "main".into(),
            path: None,
            directory: self.0.path().join("git"),
            timeout: Duration::from_secs(60),
        }
    }

    fn source(&self, upstream: &Upstream) -> GitSource {
        GitSource::new(self.settings(&format!("file://{}", upstream.path().display()))).unwrap()
    }

    fn clone_folder(&self) -> PathBuf {
        self.0.path().join("git/clone.git")
    }

    fn commits_on_disk(&self) -> usize {
        std::fs::read_dir(self.0.path().join("git/checkouts")).unwrap().count()
    }
}

fn text(checkout: &Checkout, path: &str) -> String {
    String::from_utf8(std::fs::read(checkout.root.join(path)).unwrap()).unwrap()
}

#[tokio::test]
async fn the_first_refresh_brings_the_files_and_says_who_committed_them() {
    let (upstream, place) = (Upstream::with_ana(), Place::new());
    let mut settings = place.settings(upstream.path().to_str().unwrap());
    settings.path = Some("./faces/".into());
    let checkout = GitSource::new(settings).unwrap().refresh().await.unwrap();
    assert_eq!(text(&checkout, "ana.yaml"), "name: ana\n");
    assert_eq!(checkout.commit, upstream.git(&["rev-parse", "main"]));
    assert_eq!(checkout.author, "Zoë 😀 <zoe@example.com>");
    assert_eq!(checkout.subject, "add Ana");
    assert_eq!(checkout.committed_at.as_second().to_string(), upstream.git(&["log", "-1", "--format=%ct"]));
    assert_eq!(checkout.root, checkout.top.join("faces"));
}

#[tokio::test]
async fn where_nothing_is_new_nothing_is_written() {
    let (upstream, place) = (Upstream::with_ana(), Place::new());
    let source = place.source(&upstream);
    let first = source.refresh().await.unwrap();
    std::fs::write(first.top.join("mark"), "").unwrap();
    assert_eq!(source.refresh().await.unwrap(), first);
    assert!(first.top.join("mark").exists());
}

#[tokio::test]
async fn a_new_commit_is_followed_and_the_files_of_two_are_kept() {
    let (upstream, place) = (Upstream::with_ana(), Place::new());
    let source = place.source(&upstream);
    let first = source.refresh().await.unwrap();
    upstream.commit(&[("faces/bo.yaml", "name: bo\n")], "add Bo");
    let second = source.refresh().await.unwrap();
    assert_eq!(text(&second, "faces/bo.yaml"), "name: bo\n");
    assert_eq!(text(&second, "faces/ana.yaml"), "name: ana\n");
    assert!(first.top.exists());
    upstream.git(&["rm", "--quiet", "faces/ana.yaml"]);
    upstream.commit(&[], "remove Ana");
    let third = source.refresh().await.unwrap();
    assert!(!third.root.join("faces/ana.yaml").exists() && second.top.exists() && !first.top.exists());
    assert_eq!(place.commits_on_disk(), 2);
}

#[tokio::test]
async fn a_branch_that_was_pushed_by_force_is_followed() {
    let (upstream, place) = (Upstream::with_ana(), Place::new());
    upstream.commit(&[("faces/bo.yaml", "")], "add Bo");
    let source = place.source(&upstream);
    source.refresh().await.unwrap();
    upstream.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    let back = source.refresh().await.unwrap();
    assert_eq!(back.subject, "add Ana");
    upstream.git(&["checkout", "--quiet", "--orphan", "fresh"]);
    let elsewhere = upstream.commit(&[("faces/cy.yaml", "")], "another history");
    upstream.git(&["branch", "--force", "main", "fresh"]);
    assert_eq!(source.refresh().await.unwrap().commit, elsewhere);
}

#[tokio::test]
async fn a_deleted_branch_is_said_to_be_gone_and_its_files_stay() {
    let (upstream, place) = (Upstream::with_ana(), Place::new());
    let source = place.source(&upstream);
    let last = source.refresh().await.unwrap();
    upstream.git(&["checkout", "--quiet", "-b", "other"]);
    // Not the same branch, although its full name ends with the other's.
    upstream.git(&["branch", "refs/heads/main"]);
    upstream.git(&["update-ref", "-d", "refs/heads/main"]);
    let trouble = source.refresh().await.unwrap_err();
    assert!(matches!(&trouble, GitTrouble::BranchGone { branch, .. } if branch == "main"), "{trouble}");
    assert!(trouble.to_string().contains(upstream.path().to_str().unwrap()), "{trouble}");
    assert_eq!(text(&last, "faces/ana.yaml"), "name: ana\n");
}

#[tokio::test]
async fn a_repository_without_a_commit_has_no_branch_yet() {
    let (upstream, place) = (Upstream::new(), Place::new());
    assert!(matches!(place.source(&upstream).refresh().await, Err(GitTrouble::BranchGone { .. })));
}

#[tokio::test]
async fn a_remote_that_is_gone_is_named_and_back_when_it_is_back() {
    let (upstream, place) = (Upstream::with_ana(), Place::new());
    let source = place.source(&upstream);
    let last = source.refresh().await.unwrap();
    let away = upstream.path().join(".git-away");
    std::fs::rename(upstream.path().join(".git"), &away).unwrap();
    let trouble = source.refresh().await.unwrap_err();
    let said = trouble.to_string();
    assert!(matches!(trouble, GitTrouble::Failed { .. }), "{said}");
    assert!(said.starts_with("failed to ask file:///") && said.contains("does not appear to be a git repo"), "{said}");
    std::fs::rename(&away, upstream.path().join(".git")).unwrap();
    assert_eq!(source.refresh().await.unwrap(), last);
}

#[tokio::test]
async fn a_path_that_the_newest_commit_does_not_have_is_named() {
    let (upstream, place) = (Upstream::with_ana(), Place::new());
    let mut settings = place.settings(upstream.path().to_str().unwrap());
    settings.path = Some("gesichter".into());
    let trouble = GitSource::new(settings).unwrap().refresh().await.unwrap_err();
    assert!(matches!(&trouble, GitTrouble::PathGone { path, .. } if path == Path::new("gesichter")), "{trouble}");
    for outside in ["../x", "/etc", "a/../../x"] {
        let mut settings = place.settings("/srv/x");
        settings.path = Some(outside.into());
        assert!(matches!(GitSource::new(settings), Err(GitTrouble::BadPath { .. })), "{outside}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_symbolic_link_leads_nowhere() {
    let (upstream, place) = (Upstream::with_ana(), Place::new());
    std::os::unix::fs::symlink("/etc/passwd", upstream.path().join("faces/evil.yaml")).unwrap();
    std::os::unix::fs::symlink("/etc", upstream.path().join("outside")).unwrap();
    upstream.commit(&[], "link");
    let checkout = place.source(&upstream).refresh().await.unwrap();
    assert_eq!(text(&checkout, "faces/evil.yaml"), "/etc/passwd");
    assert!(std::fs::symlink_metadata(checkout.root.join("outside")).unwrap().is_file());
}

#[tokio::test]
async fn a_damaged_clone_is_made_anew() {
    let (upstream, place) = (Upstream::with_ana(), Place::new());
    type Damage = fn(&Path);
    let damages: [(&str, Damage); 5] = [
        ("the objects are gone", |clone| std::fs::remove_dir_all(clone.join("objects")).unwrap()),
        ("HEAD is empty", |clone| std::fs::write(clone.join("HEAD"), "").unwrap()),
        ("HEAD is gone", |clone| std::fs::remove_file(clone.join("HEAD")).unwrap()),
        ("the settings are garbage", |clone| std::fs::write(clone.join("config"), "[[[\0").unwrap()),
        ("somebody was killed at work", |clone| std::fs::write(clone.join("shallow.lock"), "").unwrap()),
    ];
    for (round, (what, damage)) in damages.into_iter().enumerate() {
        place.source(&upstream).refresh().await.unwrap();
        damage(&place.clone_folder());
        let file = format!("faces/face-{round}.yaml");
        let commit = upstream.commit(&[(&file, "new\n")], what);
        let checkout = place.source(&upstream).refresh().await.unwrap_or_else(|trouble| panic!("{what}: {trouble}"));
        assert_eq!((checkout.commit.as_str(), text(&checkout, &file).as_str()), (commit.as_str(), "new\n"), "{what}");
    }
}

#[tokio::test]
async fn a_folder_that_is_removed_meanwhile_is_made_anew() {
    let (upstream, place) = (Upstream::with_ana(), Place::new());
    let source = place.source(&upstream);
    let first = source.refresh().await.unwrap();
    std::fs::remove_dir_all(place.0.path().join("git")).unwrap();
    assert_eq!(source.refresh().await.unwrap(), first);
    assert!(matches!(place.source(&upstream).refresh().await, Err(GitTrouble::InUse { .. })));
    std::fs::remove_dir_all(place.0.path().join("git/checkouts")).unwrap();
    assert_eq!(source.refresh().await.unwrap(), first);
    assert_eq!(text(&first, "faces/ana.yaml"), "name: ana\n");
}

#[tokio::test]
async fn files_of_an_earlier_process_and_unfinished_ones_are_not_trusted() {
    let (upstream, place) = (Upstream::with_ana(), Place::new());
    let checkout = place.source(&upstream).refresh().await.unwrap();
    // What a power cut leaves of files that were never flushed.
    std::fs::write(checkout.root.join("faces/ana.yaml"), "").unwrap();
    let unfinished = checkout.top.with_file_name(format!(".new-{}", checkout.commit));
    std::fs::create_dir(&unfinished).unwrap();
    std::fs::write(unfinished.join("stray.yaml"), "").unwrap();
    let again = place.source(&upstream).refresh().await.unwrap();
    assert_eq!(text(&again, "faces/ana.yaml"), "name: ana\n");
    assert!(!again.root.join("stray.yaml").exists());
    assert_eq!(place.commits_on_disk(), 1);
}

#[tokio::test]
async fn bytes_and_names_arrive_as_they_were_committed() {
    let (upstream, place) = (Upstream::new(), Place::new());
    let attributes = "*.yaml text eol=crlf ident working-tree-encoding=UTF-16 filter=lfs\n";
    let pointer = "version https://git-lfs.github.com/spec/v1\n";
    let files = [("faces/😀 ana.yaml", "a: \"$Id$\"\r\nb: ü\n"), ("faces/lfs.yaml", pointer), ("-x", "dash")];
    upstream.commit(&files, "files first");
    std::fs::write(upstream.path().join(".gitattributes"), attributes).unwrap();
    // Only the attributes: git would convert the others while it adds them.
    upstream.git(&["add", ".gitattributes"]);
    upstream.git(&["commit", "--quiet", "--message", "attributes"]);
    let checkout = place.source(&upstream).refresh().await.unwrap();
    assert_eq!(text(&checkout, ".gitattributes"), attributes);
    for (path, expected) in files {
        assert_eq!(text(&checkout, path), expected, "{path}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn no_hook_and_no_filter_runs_and_no_submodule_is_fetched() {
    let (inner, upstream, place) = (Upstream::with_ana(), Upstream::with_ana(), Place::new());
    let inner_url = inner.path().to_str().unwrap();
    upstream.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", inner_url, "inner"]);
    upstream.commit(&[], "a submodule");
    let source = place.source(&upstream);
    source.refresh().await.unwrap();
    let hooks = place.clone_folder().join("hooks");
    assert!(!hooks.exists());
    std::fs::create_dir_all(&hooks).unwrap();
    let mark = place.0.path().join("a-hook-ran");
    for hook in ["post-checkout", "post-index-change", "reference-transaction", "pre-auto-gc"] {
        let path = hooks.join(hook);
        std::fs::write(&path, format!("#!/bin/sh\ntouch '{}'\n", mark.display())).unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
    // As `git lfs install` does it for a user.
    let filter = format!("\n[filter \"lfs\"]\n\tsmudge = touch '{}'\n\trequired = true\n", mark.display());
    let config = place.clone_folder().join("config");
    std::fs::write(&config, std::fs::read_to_string(&config).unwrap() + &filter).unwrap();
    upstream.commit(&[("faces/bo.yaml", "b"), (".gitattributes", "*.yaml filter=lfs\n")], "add Bo");
    let checkout = source.refresh().await.unwrap();
    assert!(!mark.exists());
    assert!(!checkout.root.join("inner/faces").exists() && checkout.root.join("faces/bo.yaml").exists());
}

#[cfg(unix)]
#[tokio::test]
async fn a_clone_that_a_checkout_brought_configures_nothing_and_its_links_lead_nowhere() {
    let (upstream, place) = (Upstream::with_ana(), Place::new());
    let (mark, victim) = (place.0.path().join("PWNED"), place.0.path().join("bashrc"));
    let clone = place.clone_folder();
    upstream.git(&["clone", "--quiet", "--bare", ".", clone.to_str().unwrap()]);
    let config = std::fs::read_to_string(clone.join("config")).unwrap();
    let evil = format!("[remote \"origin\"]\n\tuploadpack = touch '{}'\n", mark.display());
    std::fs::write(clone.join("config"), config + &evil).unwrap();
    std::fs::write(&victim, "mine").unwrap();
    std::fs::create_dir_all(clone.join("info")).unwrap();
    std::os::unix::fs::symlink(&victim, clone.join("info/attributes")).unwrap();
    upstream.commit(&[("faces/bo.yaml", "b")], "add Bo");
    let checkout = place.source(&upstream).refresh().await.unwrap();
    assert_eq!(text(&checkout, "faces/bo.yaml"), "b");
    assert!(!mark.exists());
    assert_eq!(std::fs::read_to_string(&victim).unwrap(), "mine");
}

#[cfg(unix)]
#[tokio::test]
async fn a_folder_that_is_a_link_is_not_written_to() {
    let (upstream, place, elsewhere) = (Upstream::with_ana(), Place::new(), tempfile::tempdir().unwrap());
    std::fs::create_dir_all(place.0.path().join("git")).unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), place.0.path().join("git/checkouts")).unwrap();
    let trouble = place.source(&upstream).refresh().await.unwrap_err();
    assert!(matches!(&trouble, GitTrouble::Disk { doing: "use", .. }), "{trouble}");
    assert_eq!(std::fs::read_dir(elsewhere.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn two_sources_do_not_share_a_folder() {
    let (upstream, place) = (Upstream::with_ana(), Place::new());
    let first = place.source(&upstream);
    first.refresh().await.unwrap();
    assert!(matches!(place.source(&upstream).refresh().await, Err(GitTrouble::InUse { .. })));
    drop(first);
    assert!(place.source(&upstream).refresh().await.is_ok());
}

#[tokio::test]
async fn another_address_in_the_same_folder_is_followed_from_then_on() {
    let (one, other, place) = (Upstream::with_ana(), Upstream::new(), Place::new());
    other.commit(&[("faces/bo.yaml", "")], "add Bo");
    place.source(&one).refresh().await.unwrap();
    assert_eq!(place.source(&other).refresh().await.unwrap().subject, "add Bo");
}

#[tokio::test]
async fn a_repository_with_longer_ids_is_followed_also_where_the_clone_had_shorter_ones() {
    let (short, long, place) = (Upstream::with_ana(), Upstream::with_format("sha256"), Place::new());
    let commit = long.commit(&[("faces/bo.yaml", "")], "add Bo");
    place.source(&short).refresh().await.unwrap();
    let checkout = place.source(&long).refresh().await.unwrap();
    assert_eq!((checkout.commit.len(), checkout.commit), (64, commit));
}

#[cfg(unix)]
#[tokio::test]
async fn what_is_fetched_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (upstream, place) = (Upstream::with_ana(), Place::new());
    place.source(&upstream).refresh().await.unwrap();
    let mode = std::fs::metadata(place.0.path().join("git")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[tokio::test]
async fn a_server_that_never_answers_is_left_in_time_and_git_ends_with_all_it_started() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = Place::new();
    let mut settings = place.settings(&format!("http://{}/faces.git", listener.local_addr().unwrap()));
    settings.timeout = Duration::from_millis(500);
    let source = GitSource::new(settings).unwrap();
    let refresh = tokio::spawn(async move { source.refresh().await });
    let (mut line, _) = listener.accept().await.unwrap();
    let trouble = refresh.await.unwrap().unwrap_err();
    assert!(matches!(trouble, GitTrouble::TimedOut { .. }), "{trouble}");
    // What spoke http was a child of git: its connection ends with it.
    let mut heard = Vec::new();
    line.read_to_end(&mut heard).await.unwrap();
    assert!(heard.starts_with(b"GET /faces.git/info/refs"), "{}", String::from_utf8_lossy(&heard));
}

#[tokio::test]
async fn a_password_reaches_the_server_that_asks_for_it_and_nothing_else() {
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let noted = Arc::clone(&seen);
    let answer = move |headers: HeaderMap| {
        let given = headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
        let is_asked = given.is_none();
        noted.lock().unwrap().push(given);
        let asks = HeaderMap::from_iter([("www-authenticate".parse().unwrap(), "Basic realm=x".parse().unwrap())]);
        std::future::ready(if is_asked { (StatusCode::UNAUTHORIZED, asks) } else { (StatusCode::IM_A_TEAPOT, asks) })
    };
    let server = tokio::spawn(axum::serve(listener, axum::Router::new().fallback(answer)).into_future());
    let place = Place::new();
    let url = format!("http://ana:gl%2Dsecret%F0%9F%98%80@{address}/faces.git");
    let trouble = GitSource::new(place.settings(&url)).unwrap().refresh().await.unwrap_err();
    let said = format!("{trouble} {trouble:?}");
    assert!(said.contains(&format!("http://{address}/faces.git")) && !said.contains("secret"), "{said}");
    let expected = data_encoding::BASE64.encode("ana:gl-secret😀".as_bytes());
    assert_eq!(*seen.lock().unwrap(), [None, Some(format!("Basic {expected}"))]);
    server.abort();
}

#[test]
fn settings_show_no_password() {
    let place = Place::new();
    let settings = place.settings("https://ana:secret@git.example.com/faces.git");
    assert!(!format!("{settings:?} {:?}", GitSource::new(settings.clone()).unwrap()).contains("secret"));
}
