//! What is remembered on disk: when it cannot be written, cannot be read, or belongs to somebody else.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::environment::Environment;
use crate::server::Server;

#[test]
fn a_state_folder_that_cannot_be_made_stops_the_run_before_anything_is_sent() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &["ana"]);
    environment.write("file", "not a folder");
    let run = environment.run("apply -y --state-dir file/state").exits(1).prints_nothing();
    run.says(&["cannot take the state; nothing was changed", "file/state", "--state-dir chooses another one"]);
    environment.run("recover --state-dir file/state").exits(1);
    environment.run("wait --state-dir file/state").exits(1);
    assert_eq!((server.trainings(), server.requests("create")), (0, 0));
    environment.run("plan --state-dir file/state").exits(1).says(&["cannot read file/state/snapshot.json"]);
    environment.run("plan --sandbox --state-dir file/state").exits(1).says(&["cannot make the sandbox's folder"]);
}

#[test]
fn a_folder_that_nobody_can_write_to_is_enough_to_look_on() {
    // Not even root makes folders there.
    if !std::path::Path::new("/proc/self").exists() {
        return;
    }
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &["ana"]).with("FACECTL_STATE_DIR", "/proc/facectl");
    environment.run("apply -y").exits(1).says(&["cannot take the state; nothing was changed", "/proc/facectl"]);
    for line in ["plan", "status", "drift", "diff"] {
        environment.run(line).exits(0);
    }
    assert_eq!(server.requests("create"), 0);
}

#[test]
fn a_result_that_cannot_be_written_is_an_error() {
    if !std::path::Path::new("/dev/full").exists() {
        return;
    }
    let environment = Environment::project(&["ana"]);
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = environment.command("validate").stdout(full).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("cannot write to standard output"), "{stderr}");
}

#[test]
fn a_state_that_cannot_be_written_any_more_sends_nothing() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &["ana"]);
    environment.run("plan").exits(0);
    // In the place of the database stands a file: as good as a disk that takes nothing, also for root.
    environment.write(".facectl/db", "not a folder");
    let run = environment.run("apply -y --no-wait");
    assert_ne!(run.code, Some(0), "{run}");
    assert!(run.stderr.contains("nothing was sent"), "{run}");
    assert_eq!((server.trainings(), server.requests("create")), (0, 0), "{run}");
}

#[test]
fn a_full_disk_sends_nothing_that_it_could_not_write_down() {
    // A small file system of its own; only where this machine lets us mount one.
    let environment = Environment::project(&["ana"]);
    let disk = environment.path("disk");
    fs::create_dir(&disk).unwrap();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=64k", "none"]).arg(&disk).output();
    if !mounted.is_ok_and(|done| done.status.success()) {
        return;
    }
    let server = Server::slow(&[]);
    let environment = environment.talking_to(&server);
    fs::write(disk.join("filler"), vec![0; 60 << 10]).unwrap();
    let run = environment.run("apply -y --no-wait --state-dir disk/state");
    let (trainings, creates) = (server.trainings(), server.requests("create"));
    let unmounted = Command::new("umount").arg(&disk).status();
    assert!(unmounted.is_ok_and(|status| status.success()));
    assert_eq!((trainings, creates), (0, 0), "{run}");
    run.exits(1).says(&["No space left on device", "is the disk full"]);
}

/// Breaks the database in a way that shows at once.
fn damage(environment: &Environment) {
    let database = environment.path(".facectl/db");
    let configuration = database.join("conf");
    assert!(configuration.is_file(), "sled keeps its configuration there");
    fs::write(configuration, "no configuration").unwrap();
}

#[test]
fn a_damaged_database_is_moved_aside_rebuilt_and_told_about() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["ana", "bruno"]);
    environment.run("apply -y").exits(0);
    damage(&environment);
    let run = environment.run("apply -y").exits(0).prints(&["No changes. 2 faces as declared."]);
    run.says(&[
        "warning: the state database was damaged",
        "db.damaged-",
        "rebuilt from the snapshot",
        "faces and open creates are all there",
    ]);
    let aside = fs::read_dir(environment.path(".facectl")).unwrap();
    assert_eq!(
        aside.filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("db.damaged-")).count(),
        1
    );
    environment.run("apply -y").exits(0).says_nothing();
    assert_eq!((server.trainings(), server.requests("create")), (2, 2));
}

#[test]
fn a_damaged_database_without_a_snapshot_stops_the_run_and_buys_nothing() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &["ana"]).with("FACECTL_LOCK_FILE", "false");
    environment.run("apply -y --no-wait").exits(0);
    damage(&environment);
    fs::remove_file(environment.path(".facectl/snapshot.json")).unwrap();
    let run = environment.run("apply -y --no-wait").exits(1);
    run.says(&["the state database was damaged", "has been moved to", "finds running trainings by their tokens"]);
    environment.run("apply -y --no-wait").exits(0).prints(&["1 adopted"]);
    assert_eq!((server.trainings(), server.requests("create")), (1, 1));
}

#[test]
fn a_damaged_state_with_a_create_in_doubt_still_knows_of_the_doubt() {
    let server = Server::slow(&["create:drop-after-effect", "list:lag=10m"]);
    let environment = Environment::against(&server, &["ana"]);
    environment.run("apply -y --no-wait --no-settle").exits(10);
    damage(&environment);
    environment.run("apply -y --no-wait --no-settle").exits(10).says(&["rebuilt from the snapshot"]);
    assert_eq!((server.trainings(), server.requests("create")), (1, 1));
}

#[test]
fn another_projects_state_is_refused_and_left_as_it_is() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["ana"]);
    environment.run("apply -y").exits(0);
    for line in ["apply -y", "plan", "status --refresh=false", "drift"] {
        let run = environment.run(&format!("{line} --project other")).exits(1).prints_nothing();
        run.says(&["belongs to project `acme`, not `other`", "--state-dir"]);
    }
    assert_eq!(server.trainings(), 1);
    environment.run("plan").exits(0).prints(&["No changes."]);
}

#[test]
fn a_snapshot_of_a_newer_format_is_refused_and_left_as_it_is() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["ana"]);
    environment.run("apply -y").exits(0);
    // As a newer facectl would leave it, and with the database out of reach.
    let mut snapshot: Value = serde_json::from_str(&environment.read(".facectl/snapshot.json")).unwrap();
    snapshot["meta"]["format_version"] = 99.into();
    environment.write(".facectl/snapshot.json", snapshot.to_string());
    fs::remove_dir_all(environment.path(".facectl/db")).unwrap();
    let before = environment.read(".facectl/snapshot.json");
    for line in ["plan", "status", "drift", "apply -y", "wait", "recover"] {
        let run = environment.run(line).exits(1).prints_nothing();
        run.says(&["has format 99", "it was left as it is"]);
        assert_eq!(environment.read(".facectl/snapshot.json"), before, "{line}");
    }
    assert_eq!(server.trainings(), 1);
}

/// Rewrites one record of the database, as a newer program or a bad disk would.
fn rewrite(environment: &Environment, tree: &str, key: &str, with: impl Fn(Value) -> Vec<u8>) {
    let database = sled::open(environment.path(".facectl/db")).unwrap();
    let tree = database.open_tree(tree).unwrap();
    let record = tree.get(key).unwrap().unwrap();
    // A checksum of 16 bytes, then JSON.
    let value = serde_json::from_slice(&record[16..]).unwrap();
    tree.insert(key, with(value)).unwrap();
    database.flush().unwrap();
}

fn with_checksum(value: &Value) -> Vec<u8> {
    let json = value.to_string().into_bytes();
    [&blake3::hash(&json).as_bytes()[..16], &json].concat()
}

#[test]
fn a_database_of_a_newer_format_is_refused_and_left_as_it_is() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["ana"]);
    environment.run("apply -y").exits(0);
    rewrite(&environment, "meta", "meta", |mut meta| {
        meta["format_version"] = 99.into();
        with_checksum(&meta)
    });
    let before = environment.read(".facectl/snapshot.json");
    for line in ["apply -y", "plan", "wait", "recover"] {
        environment.run(line).exits(1).prints_nothing().says(&["has format 99", "use the facectl that wrote it"]);
    }
    rewrite(&environment, "meta", "meta", |meta| {
        assert_eq!(meta["format_version"], 99);
        with_checksum(&meta)
    });
    assert_eq!(environment.read(".facectl/snapshot.json"), before);
    assert_eq!(server.trainings(), 1);
}

#[test]
fn a_record_with_a_wrong_digit_is_noticed_and_rebuilt() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["ana"]);
    environment.run("apply -y").exits(0);
    rewrite(&environment, "faces", "ana", |face| {
        let mut bytes = with_checksum(&face);
        let last = bytes.len() - 3;
        bytes[last] ^= 1;
        bytes
    });
    let run = environment.run("apply -y").exits(0).prints(&["No changes."]);
    run.says(&["record `ana` of the state does not match its checksum", "rebuilt from the snapshot"]);
    assert_eq!(server.trainings(), 1);
}

#[test]
fn a_state_without_its_database_is_brought_back_from_its_snapshot() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["ana"]);
    environment.run("apply -y").exits(0);
    fs::remove_dir_all(environment.path(".facectl/db")).unwrap();
    environment.run("plan").exits(0).prints(&["No changes."]);
    let run = environment.run("apply -y").exits(0).prints(&["No changes."]);
    run.says(&["warning: the state database was gone", "rebuilt from the snapshot"]);
    environment.run("apply -y").exits(0).says_nothing();
    assert_eq!(server.trainings(), 1);
}

#[test]
fn a_doubt_survives_the_loss_of_the_database() {
    let server = Server::slow(&["create:drop-after-effect", "list:lag=10m"]);
    let environment = Environment::against(&server, &["ana"]);
    environment.run("apply -y --no-wait --no-settle").exits(10);
    fs::remove_dir_all(environment.path(".facectl/db")).unwrap();
    environment.run("apply -y --no-wait --no-settle").exits(10).prints(&["! ana blocked"]);
    assert_eq!((server.trainings(), server.requests("create")), (1, 1));
}

#[test]
fn a_cut_history_that_nobody_holds_is_a_broken_one() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &["ana", "bea"]);
    environment.run("apply -y --no-wait").exits(0);
    let log = environment.read(".facectl/history.log");
    let (first, _) = log.split_once('\n').unwrap();
    environment.write(".facectl/history.log", format!("{first}\n"));
    fs::remove_dir_all(environment.path(".facectl/db")).unwrap();
    environment
        .run("state history --verify")
        .exits(5)
        .says(&["the history is not what was written"])
        .hides(&["another run"]);
}

#[test]
fn a_refused_run_writes_nothing() {
    let server = Server::slow(&[]);
    server.add_faces(2, "Somebody");
    let environment = Environment::against(&server, &["ana", "bea"]);
    let before = environment.files("");
    for (line, code) in [
        ("apply", 1),
        ("apply --max-trainings 1 -y", 5),
        ("apply -y --expect-digest 00000000-00000000-00000000-00000000", 5),
        ("apply -y --expect-no-changes", 7),
        ("plan", 0),
        ("state list", 0),
        ("delete zoe -y", 1),
    ] {
        environment.run(line).exits(code);
        assert_eq!(environment.files("").keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>(), "{line}");
    }
    assert!(!environment.path(".facectl").exists());
    assert_eq!(server.trainings(), 0);
}

#[test]
fn a_folder_without_a_project_file_is_not_bound_by_a_refused_run() {
    let server = Server::slow(&[]);
    server.add_faces(1, "Somebody");
    let environment = Environment::against(&server, &["ana"]);
    let project = environment.read("facectl.yaml");
    fs::remove_file(environment.path("facectl.yaml")).unwrap();
    environment.run("apply faces").exits(1);
    // As earlier versions left it: an account was remembered, and nothing else.
    environment.run("apply faces -y --target nobody").exits(1);
    environment.write("facectl.yaml", project);
    environment.run("plan").exits(0).prints(&["+ ana"]);
    environment.run("apply -y --no-wait").exits(0);
    assert_eq!(server.trainings(), 1);
    environment.run("plan --project default").exits(1).says(&["belongs to project `acme`"]);
}

/// Runs it as a user whose limits count, as root's do not; none where this machine cannot.
fn run_within(environment: &Environment, limit: &str, line: &str) -> Option<std::process::Output> {
    let nobody = Command::new("setpriv").args(["--reuid=65534", "--regid=65534", "--clear-groups", "true"]).output();
    if !nobody.is_ok_and(|done| done.status.success()) {
        return None;
    }
    // The binary lies where only its owner may look.
    let binary = environment.path("facectl-binary");
    if !binary.exists() {
        fs::copy(env!("CARGO_BIN_EXE_facectl"), &binary).unwrap();
    }
    let script = format!("{limit}; exec ./facectl-binary {line}");
    let wrapped = ["--reuid=65534", "--regid=65534", "--clear-groups", "bash", "-c", &script];
    let template = environment.command("");
    let mut command = Command::new("timeout");
    command.arg("60").arg("setpriv").args(wrapped).current_dir(environment.path(""));
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.envs(template.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.stdin(std::process::Stdio::null());
    Some(command.output().unwrap())
}

#[test]
fn a_shortage_of_the_machine_is_not_damage() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &["ana"]);
    environment.run("apply -y --no-wait").exits(0);
    let opened = Command::new("chown").args(["-R", "65534:65534", "."]).current_dir(environment.path("")).status();
    if !opened.is_ok_and(|status| status.success()) {
        return;
    }
    // sled names its own files as it likes.
    let database = environment.path(".facectl/db");
    let names = |environment: &Environment| {
        let all = environment.files(".facectl").into_keys();
        all.filter(|path| !path.starts_with(&database) || path.ends_with("db/db")).collect::<Vec<_>>()
    };
    let before = names(&environment);
    for line in ["plan", "apply -y --no-wait", "state list", "recover"] {
        for threads in (1..=20).chain([24, 30]) {
            let Some(done) = run_within(&environment, &format!("ulimit -u {threads}"), line) else { return };
            let stderr = String::from_utf8_lossy(&done.stderr).into_owned();
            assert!(matches!(done.status.code(), Some(0 | 1)), "{line}, {threads} threads: {done:?}");
            if done.status.code() == Some(1) {
                assert!(stderr.contains("ulimit -u"), "{line}, {threads} threads: {stderr}");
            }
            assert!(!stderr.contains("damaged"), "{line}, {threads} threads: {stderr}");
            assert_eq!(names(&environment), before, "{line}, {threads} threads: {stderr}");
        }
    }
    let done = run_within(&environment, "ulimit -u 4000", "plan").unwrap();
    assert_eq!(done.status.code(), Some(0), "{done:?}");
    for kilobytes in [60_000, 100_000, 150_000, 200_000, 300_000] {
        let done = run_within(&environment, &format!("ulimit -v {kilobytes}"), "plan").unwrap();
        let stderr = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(!stderr.contains("damaged"), "{kilobytes}: {stderr}");
        assert_eq!(names(&environment), before, "{kilobytes}: {stderr}");
    }
    for files in [8, 16, 24, 32, 64] {
        let done = run_within(&environment, &format!("ulimit -n {files}"), "plan").unwrap();
        let stderr = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(matches!(done.status.code(), Some(0 | 1)), "{files} files: {stderr}");
        assert_eq!(names(&environment), before, "{files} files: {stderr}");
    }
    assert_eq!(server.trainings(), 1);
}
