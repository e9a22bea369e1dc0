//! `plan --since REV`: the faces that a branch changed, and by which commit.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::environment::{Environment, Run, project};
use crate::schemas::{assert_fits, strict};
use crate::server::Server;

/// Runs git in a folder of the environment; what it does must work.
#[track_caller]
fn git_in(environment: &Environment, folder: &str, words: &[&str]) -> String {
    let mut command = Command::new("git");
    command.current_dir(environment.path(folder)).args(words).env("HOME", environment.path(""));
    for (name, value) in [("GIT_AUTHOR_NAME", "Zoë 😀"), ("GIT_COMMITTER_NAME", "CI")] {
        command.env(name, value);
    }
    for name in ["GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"] {
        command.env(name, "someone@example.com");
    }
    let done = command.output().unwrap();
    assert!(done.status.success(), "git {words:?}: {done:?}");
    String::from_utf8(done.stdout).unwrap().trim().to_owned()
}

#[track_caller]
fn git(environment: &Environment, words: &str) -> String {
    git_in(environment, "", &words.split(' ').collect::<Vec<_>>())
}

/// Commits everything, and returns the commit.
#[track_caller]
fn commit(environment: &Environment, subject: &str) -> String {
    git(environment, "add -A");
    git_in(environment, "", &["commit", "-q", "--allow-empty", "-m", subject]);
    git(environment, "rev-parse HEAD")
}

/// A project of three faces, committed on `main`; offline, so that nothing but manifests and git matters.
fn committed() -> Environment {
    let environment = Environment::project(&["ana", "bruno", "carla"])
        .with("TAVUS_PUBLIC_API_BASE_URL", "http://127.0.0.1:9/v2")
        .with("FACECTL_OFFLINE", "1");
    git(&environment, "init -q -b main");
    commit(&environment, "first");
    environment
}

/// A branch of it.
fn branched() -> Environment {
    let environment = committed();
    git(&environment, "checkout -q -b work");
    environment
}

/// The keys that changed, each with the subject of the commit that did it.
#[track_caller]
fn changes(run: &Run) -> Vec<(String, Value)> {
    let plan = run.json();
    let changed: Vec<&str> =
        plan["since"]["changed"].as_array().unwrap().iter().map(|key| key.as_str().unwrap()).collect();
    let faces = plan["faces"].as_array().unwrap().iter();
    let faces = faces.map(|face| (face["key"].as_str().unwrap().to_owned(), face["changed_by"]["subject"].clone()));
    let faces: Vec<_> = faces.collect();
    assert!(faces.iter().all(|(key, _)| changed.contains(&key.as_str())), "{run}");
    faces
}

fn told(key: &str, subject: &str) -> (String, Value) {
    (key.to_owned(), subject.into())
}

#[test]
fn a_branch_is_compared_with_where_it_began_and_each_change_has_its_commit() {
    let environment = branched();
    let first = git(&environment, "rev-parse HEAD");
    environment.edit("faces/ana.yaml", "training.mp4", "one.mp4");
    commit(&environment, "ana: one");
    environment.edit("faces/ana.yaml", "one.mp4", "two.mp4");
    let second = commit(&environment, "ana: two 😀");
    environment.face("dan", "");
    commit(&environment, "dan is new");
    environment.write("README", "nothing of ours");
    commit(&environment, "docs");
    // Main goes on meanwhile, which is none of the branch's business.
    git(&environment, "checkout -q main");
    environment.edit("faces/carla.yaml", "training.mp4", "main.mp4");
    commit(&environment, "carla, on main");
    git(&environment, "checkout -q work");

    let run = environment.run("plan --since main").exits(0);
    let run = run.prints(&[
        "+ ana create",
        &format!("changed by {} (Zoë 😀): ana: two 😀", &second[..10]),
        "+ dan create",
        "partial plan: only what `--since main` selects. 2 other faces are left out",
        &format!(
            "since main: compared with commit {}, where the two parted; 2 faces changed. It cannot be applied",
            &first[..10]
        ),
    ]);
    run.hides(&["carla create", "someone@example.com", "Plan digest"]);
    let run = environment.run("plan --since main -o json").exits(0);
    assert_eq!(changes(&run), [told("ana", "ana: two 😀"), told("dan", "dan is new")]);
    let plan = run.json();
    assert_eq!((&plan["since"]["rev"], &plan["since"]["commit"]), (&json!("main"), &json!(first)));
    assert_fits(&strict("plan"), &plan, "since");
    assert_eq!((&plan["digest"], &plan["applyable"], &plan["left_out"]), (&json!(null), &json!(false), &json!(2)));
    let by =
        json!({ "commit": second, "author": "Zoë 😀", "subject": "ana: two 😀", "uncommitted": false, "exact": true });
    assert_eq!(plan["faces"][0]["changed_by"], by);
    // By a hash, from a detached head, and from a folder below.
    git(&environment, "checkout -q --detach");
    assert_eq!(changes(&environment.run(&format!("plan --since {} -o json", &first[..8]))).len(), 2);
    let mut below = environment.command("plan --since main -o json");
    below.current_dir(environment.path("faces"));
    assert_eq!(changes(&environment.spawn_command(below, "plan --since main -o json").end()).len(), 2);
}

#[test]
fn what_is_not_committed_counts_as_a_change_and_is_told_as_that() {
    let environment = branched();
    environment.edit("faces/ana.yaml", "training.mp4", "one.mp4");
    commit(&environment, "ana: one");
    environment.edit("faces/ana.yaml", "one.mp4", "two.mp4");
    environment.face("dan", "");
    let run = environment.run("plan --since main").exits(0).prints(&["changed by what is not committed yet"]);
    run.prints(&["2 faces changed, 2 of them not committed yet"]);
    let by = environment.run("plan --since HEAD -o json").json()["faces"][0]["changed_by"].clone();
    assert_eq!((&by["uncommitted"], &by["commit"]), (&json!(true), &json!(null)));
}

#[test]
fn nothing_changed_is_an_answer() {
    let environment = branched();
    commit(&environment, "empty");
    let run = environment.run("plan --since main --expect-no-changes").exits(0);
    run.prints(&["No changes.", "3 other faces are left out", "no face changed."]);
    environment.run("diff --since main").exits(0).prints_nothing().says(&["no face changed", "3 more left out"]);
}

#[test]
fn a_default_of_the_project_counts_for_every_face_that_it_reaches() {
    let environment = branched();
    environment.edit("faces/ana.yaml", "spec:\n", "spec:\n  model_name: phoenix-4\n");
    commit(&environment, "ana says what was the default");
    environment.write("facectl.yaml", project("acme", "  defaults: { model_name: phoenix-4.5 }\n"));
    commit(&environment, "all on phoenix-4.5");
    let subject = "all on phoenix-4.5";
    let run = environment.run("plan --since main -o json").exits(0);
    assert_eq!(changes(&run), [told("bruno", subject), told("carla", subject)]);
    environment.edit("facectl.yaml", "name: acme", "name: other");
    assert_eq!(changes(&environment.run("plan --since main -o json")).len(), 3, "another project, other tokens");
}

#[test]
fn files_that_were_renamed_or_laid_out_anew_change_no_face() {
    let environment = branched();
    git(&environment, "mv faces/ana.yaml faces/zoë😀.yaml");
    commit(&environment, "renamed");
    let windows = environment.read("faces/bruno.yaml").replace('\n', "\r\n");
    environment.write("faces/bruno.yaml", format!("\u{feff}# a comment\r\n{windows}"));
    commit(&environment, "from Windows");
    environment.edit("faces/carla.yaml", "training.mp4", "training.mp4?X-Amz-Signature=new");
    commit(&environment, "signed anew");
    environment.run("plan --since main").exits(0).prints(&["no face changed"]);
    environment.edit("faces/zoë😀.yaml", "training.mp4", "one.mp4");
    commit(&environment, "ana: one");
    let run = environment.run("plan --since main -o json").exits(0);
    assert_eq!(changes(&run), [told("ana", "ana: one")]);
}

#[test]
fn faces_that_left_and_keys_that_changed_are_told_with_their_commit() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["ana", "bruno"]);
    environment.run("apply -y").exits(0);
    git(&environment, "init -q -b main");
    environment.write(".gitignore", ".facectl/\n");
    commit(&environment, "first");
    git(&environment, "checkout -q -b work");
    fs::remove_file(environment.path("faces/ana.yaml")).unwrap();
    commit(&environment, "ana leaves");
    let run = environment.run("plan --since main -o json").exits(0);
    assert_eq!(changes(&run), [told("ana", "ana leaves")]);
    let run = environment.run("plan --since main").exits(0).prints(&["o ana orphaned", "(Zoë 😀): ana leaves"]);
    assert!(!run.stdout.contains("digest"), "{run}");
    let run = environment.run("plan --since main --out plan.json").exits(1).prints_nothing();
    run.says(&["--out and --since exclude each other", "--target KEY"]);
    let diff = environment.run("diff --since main -o json").exits(0).json();
    assert_eq!((&diff["since"]["changed"], &diff["left_out"]), (&json!(["ana"]), &json!(1)));
    environment
        .run("plan --since main --target bruno")
        .exits(0)
        .prints(&["No changes.", "--target bruno --since main"]);
    environment.run("plan --since main --retry bruno").exits(1).says(&["`--since main` leaves out"]);
    assert_eq!(server.trainings(), 2);
}

#[test]
fn a_merge_is_told_only_for_what_it_did_itself() {
    let environment = branched();
    git(&environment, "checkout -q -b side");
    environment.edit("faces/ana.yaml", "training.mp4", "side.mp4");
    environment.edit("faces/bruno.yaml", "training.mp4", "side.mp4");
    commit(&environment, "on the side");
    git(&environment, "checkout -q work");
    environment.edit("faces/bruno.yaml", "training.mp4", "work.mp4");
    environment.edit("faces/carla.yaml", "training.mp4", "work.mp4");
    commit(&environment, "at work");
    // Both changed bruno; the merge takes neither.
    git(&environment, "merge -q --no-commit -s ours side");
    environment.edit("faces/ana.yaml", "training.mp4", "side.mp4");
    environment.edit("faces/bruno.yaml", "work.mp4", "both.mp4");
    commit(&environment, "merged");
    let run = environment.run("plan --since main -o json").exits(0);
    let wanted = [told("ana", "on the side"), told("bruno", "merged"), told("carla", "at work")];
    assert_eq!(changes(&run), wanted);
}

#[test]
fn broken_commits_on_the_way_are_passed_over_and_a_broken_revision_is_named() {
    let environment = branched();
    environment.edit("faces/ana.yaml", "training.mp4", "one.mp4");
    commit(&environment, "ana: one");
    environment.write("faces/bruno.yaml", "apiVersion: facectl.dev/v1\nkind: Face\n  oops");
    let broken = commit(&environment, "broken");
    environment.face_from("bruno", "https://media.example.com/bruno/two.mp4", "");
    commit(&environment, "mended");
    let run = environment.run("plan --since main -o json").exits(0);
    assert_eq!(changes(&run), [told("ana", "ana: one"), told("bruno", "mended")]);
    let run = environment.run(&format!("plan --since {broken}")).exits(1).prints_nothing();
    run.says(&[
        &format!("error: the manifests at commit {}", &broken[..10]),
        "cannot be used; nothing was changed",
        "caused by: faces/bruno.yaml:",
        "hint: name a revision whose manifests are sound",
    ]);
}

#[test]
fn a_project_that_is_new_on_the_branch_is_new_as_a_whole() {
    let environment =
        Environment::empty().with("TAVUS_PUBLIC_API_BASE_URL", "http://127.0.0.1:9/v2").with("FACECTL_OFFLINE", "1");
    git(&environment, "init -q -b main");
    commit(&environment, "nothing");
    git(&environment, "checkout -q -b work");
    environment.write("team/facectl.yaml", project("acme", ""));
    for key in ["ana", "bruno"] {
        let link = format!("https://media.example.com/{key}/training.mp4");
        environment.write(&format!("team/faces/{key}.yaml"), crate::environment::face(key, &link, ""));
    }
    commit(&environment, "a team");
    let run = environment.run("plan --since main -o json team").exits(0);
    assert_eq!(changes(&run), [told("ana", "a team"), told("bruno", "a team")]);
    // One file, and a pattern, of a folder below: what is not among them is not looked at.
    for paths in ["team/faces/ana.yaml", "team/faces/a*.yaml", "./team/../team/faces/ana.yaml"] {
        let run = environment.run(&format!("plan --since main -o json {paths}")).exits(0);
        assert_eq!(changes(&run), [told("ana", "a team")], "{paths}");
    }
}

#[test]
fn a_long_history_names_the_last_commit_of_the_file() {
    let environment = branched();
    environment.edit("faces/ana.yaml", "training.mp4", "one.mp4");
    commit(&environment, "ana: one");
    // In one go: two hundred commits by hand take seconds.
    let mut input = String::new();
    for number in 0..200 {
        let text = format!("# {number}\n");
        input += &format!(
            "commit refs/heads/work\ncommitter CI <ci@example.com> {} +0000\ndata 4\nmore\n",
            2_000_000_000 + number
        );
        if number == 0 {
            input += "from refs/heads/work^0\n";
        }
        input += &format!("M 100644 inline faces/note.yaml\ndata {}\n{text}\n", text.len());
    }
    environment.write(".git/input", input);
    let mut command = Command::new("git");
    let input = fs::File::open(environment.path(".git/input")).unwrap();
    assert!(
        command
            .current_dir(environment.path(""))
            .args(["fast-import", "--quiet"])
            .stdin(input)
            .status()
            .unwrap()
            .success()
    );
    git(&environment, "reset -q --hard work");
    let run = environment.run("plan --since main -o json").exits(0);
    assert_eq!(changes(&run), [told("ana", "ana: one")]);
    assert_eq!(run.json()["faces"][0]["changed_by"]["exact"], json!(false));
    environment.run("plan --since main").prints(&["an earlier commit; the last one of its file is", "ana: one"]);
}

#[test]
fn a_revision_that_is_none_is_an_error_that_says_what_to_do() {
    let environment = committed();
    for (rev, wanted) in [
        ("nowhere", "there is no such commit in this clone"),
        ("origin/nowhere", "git fetch origin nowhere"),
        ("main..HEAD", "there is no such commit in this clone"),
        ("HEAD:faces", "there is no such commit in this clone"),
        ("-x", "that is no revision"),
        ("--output=pwned", "that is no revision"),
        ("main\u{1b}[31m", "that is no revision"),
    ] {
        let run = environment.run(&format!("plan --since={rev}")).exits(1).prints_nothing();
        let run = run.says(&["error: --since", "nothing was changed", wanted, "hint:"]);
        assert!(!run.stderr.contains('\u{1b}'), "{run}");
    }
    environment.run("plan --since -x").exits(1).prints_nothing();
    assert!(!environment.path("pwned").exists());
    environment.run_reading("plan --since main -f -", "").exits(1);
    let run = environment.run_reading("plan --since main -f -", &environment.read("faces/ana.yaml")).exits(1);
    run.says(&["--since cannot say what manifests from standard input were before"]);
}

#[test]
fn without_git_a_repository_or_a_commit_that_is_said() {
    let environment = Environment::project(&["ana"])
        .with("TAVUS_PUBLIC_API_BASE_URL", "http://127.0.0.1:9/v2")
        .with("FACECTL_OFFLINE", "1")
        // Above the temporary folder there may be one.
        .with("GIT_CEILING_DIRECTORIES", "/");
    let run = environment.run("plan --since main").exits(1).prints_nothing();
    run.says(&["--since needs a git repository", "not a git repository", "leave --since away"]);
    git(&environment, "init -q -b main");
    environment.run("plan --since main").exits(1).says(&["nothing was committed in this repository yet"]);
    let environment = environment.with("PATH", "/nowhere");
    let run = environment.run("plan --since main").exits(1).prints_nothing();
    run.says(&["--since needs git, and it cannot be run", "cannot run git", "install git"]);
    environment.run("plan").exits(0);
}

#[test]
fn a_shallow_clone_says_how_to_get_the_commits() {
    let environment = committed();
    environment.edit("faces/ana.yaml", "training.mp4", "one.mp4");
    commit(&environment, "ana: one");
    git(&environment, "branch old HEAD~1");
    let from = format!("file://{}", environment.path("").display());
    git_in(&environment, "", &["clone", "-q", "--depth=1", &from, ".clone"]);
    let mut command = environment.command("plan --since HEAD~1");
    command.current_dir(environment.path(".clone"));
    let run = environment.spawn_command(command, "plan --since HEAD~1").end().exits(1);
    run.says(&["there is no such commit in this clone", "shallow", "fetch-depth: 0", "GIT_DEPTH", "git fetch --depth"]);
    git_in(&environment, ".clone", &["fetch", "-q", "--depth=1", "origin", "old:old"]);
    let mut command = environment.command("plan --since old");
    command.current_dir(environment.path(".clone"));
    let run = environment.spawn_command(command, "plan --since old").end().exits(1);
    run.says(&["it has no commit in common with what is checked out", "git fetch --unshallow"]);
}

#[test]
fn what_a_tree_holds_leads_nowhere_and_starts_nothing() {
    let environment = branched();
    environment.write("secret/x.yaml", "hunter2: [\n");
    let link = |name: &str, target: &str| std::os::unix::fs::symlink(target, environment.path(name)).unwrap();
    link("faces/out.yaml", "/etc/passwd");
    link("faces/up.yaml", "../../../../../../etc/passwd");
    let evil = commit(&environment, "links");
    for name in ["faces/out.yaml", "faces/up.yaml", "secret/x.yaml"] {
        fs::remove_file(environment.path(name)).unwrap();
    }
    environment.write(".gitattributes", "*.yaml export-ignore diff=evil filter=evil\n");
    for (name, command) in [
        ("diff.external", "touch pwned"),
        ("diff.evil.textconv", "touch pwned"),
        ("filter.evil.smudge", "touch pwned; cat"),
        ("core.fsmonitor", "touch pwned"),
        ("core.pager", "touch pwned"),
        ("log.showSignature", "true"),
        ("gpg.program", "touch pwned"),
    ] {
        git_in(&environment, "", &["config", name, command]);
    }
    environment.edit("faces/ana.yaml", "training.mp4", "one.mp4");
    let run = environment.run(&format!("plan --since {evil} -o json")).exits(0).hides(&["root:", "hunter2"]);
    assert_eq!(changes(&run), [("ana".to_owned(), Value::Null)]);
    assert!(!environment.path("pwned").exists());
}

/// Another repository than the project's, with a commit of its own; returns that.
fn foreign(environment: &Environment) -> String {
    environment.write(".foreign/other.txt", "other");
    git_in(environment, ".foreign", &["init", "-q", "-b", "main"]);
    git_in(environment, ".foreign", &["add", "-A"]);
    git_in(environment, ".foreign", &["commit", "-q", "-m", "other"]);
    git_in(environment, ".foreign", &["rev-parse", "HEAD"])
}

#[test]
fn variables_that_name_another_repository_are_not_believed() {
    let environment = branched();
    environment.edit("faces/ana.yaml", "training.mp4", "one.mp4");
    let own = commit(&environment, "ana: one");
    let other = foreign(&environment);
    let of = |name: &str| environment.path(".foreign").join(name).display().to_string();
    for (name, value) in [
        ("GIT_DIR", of(".git")),
        ("GIT_WORK_TREE", of("")),
        ("GIT_INDEX_FILE", of(".git/index")),
        ("GIT_COMMON_DIR", of(".git")),
        ("GIT_OBJECT_DIRECTORY", of(".git/objects")),
        ("GIT_NAMESPACE", "other".to_owned()),
        ("GIT_PREFIX", "faces/".to_owned()),
        ("GIT_CONFIG", of(".git/config")),
        ("GIT_GLOB_PATHSPECS", "1".to_owned()),
    ] {
        let mut command = environment.command("plan --since main -o json");
        command.env(name, &value).env("PATH", std::env::var("PATH").unwrap());
        let run = environment.spawn_command(command, name).end().exits(0).hides(&[&other]);
        assert_eq!(changes(&run), [told("ana", "ana: one")], "{name}");
        assert_eq!(run.json()["provenance"]["commit"], json!(own), "{name}");
        assert_eq!(run.json()["provenance"]["branch"], json!("work"), "{name}");
    }
}

#[test]
fn a_hook_of_a_linked_worktree_sees_the_worktree() {
    let environment = committed();
    git(&environment, "worktree add -q -b work .linked");
    let plan = format!("exec {} plan --since main -o json > \"$OUT\"", env!("CARGO_BIN_EXE_facectl"));
    environment.write(".git/hooks/pre-commit", format!("#!/bin/sh\n{plan}\n"));
    let hook = environment.path(".git/hooks/pre-commit");
    fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    environment.edit(".linked/faces/ana.yaml", "training.mp4", "one.mp4");
    let mut command = Command::new("git");
    command.current_dir(environment.path(".linked")).env("HOME", environment.path(""));
    command.args(["-c", "user.name=Zoë", "-c", "user.email=z@example.com", "commit", "-qam", "ana: one"]);
    command.env("OUT", environment.path("out.json")).env("FACECTL_OFFLINE", "1").env_remove("TAVUS_API_KEY");
    let done = command.env("TAVUS_PUBLIC_API_BASE_URL", "http://127.0.0.1:9/v2").output().unwrap();
    assert!(done.status.success(), "{done:?}");
    let plan: Value = serde_json::from_str(&environment.read("out.json")).unwrap();
    assert_eq!(plan["since"]["changed"], json!(["ana"]));
    let provenance = &plan["provenance"];
    assert_eq!(
        (&provenance["commit"], &provenance["branch"], &provenance["dirty"]),
        (&json!(git(&environment, "rev-parse main")), &json!("work"), &json!(true))
    );
}

#[test]
fn names_that_are_no_text_or_odd_are_followed_like_others() {
    use std::os::unix::ffi::OsStrExt;
    let environment = committed();
    let odd: [&[u8]; 8] = [
        b"b\xe9n.yaml",
        b"b\xe8n.yaml",
        b"a\nb.yaml",
        b"\"q'.yaml",
        b"-x.yaml",
        b"a b.yaml",
        b"a\\b.yaml",
        b"t\xff/f.yaml",
    ];
    for (number, name) in odd.iter().enumerate() {
        let path = environment.path("faces").join(std::ffi::OsStr::from_bytes(name));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let link = format!("https://media.example.com/{number}/training.mp4");
        fs::write(path, crate::environment::face(&format!("odd-{number}"), &link, "")).unwrap();
    }
    let head = commit(&environment, "odd names");
    environment.run("plan --since main").exits(0).prints(&["no face changed"]);
    git(&environment, "checkout -q -b work");
    let mut wanted = Vec::new();
    for (number, name) in odd.iter().enumerate() {
        let path = environment.path("faces").join(std::ffi::OsStr::from_bytes(name));
        let text = fs::read_to_string(&path).unwrap().replace("training.mp4", "one.mp4");
        fs::write(path, text).unwrap();
        let subject = format!("change {number}");
        commit(&environment, &subject);
        wanted.push(told(&format!("odd-{number}"), &subject));
    }
    assert_eq!(changes(&environment.run("plan --since main -o json").exits(0)), wanted);
    assert_eq!(changes(&environment.run(&format!("plan --since {head} -o json")).exits(0)).len(), odd.len());
    // The name of a link's target is bytes as well.
    std::os::unix::fs::symlink(std::ffi::OsStr::from_bytes(odd[0]), environment.path("faces/aa.yaml")).unwrap();
    commit(&environment, "a link");
    environment.run("plan --since HEAD").exits(0).prints(&["no face changed"]);
}
