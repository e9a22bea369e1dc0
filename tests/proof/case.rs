//! Runs that die, and what must be true after each of them.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use facectl::sandbox::TrainingStarted;

use crate::environment::{Environment, Run};
use crate::server::Server;

/// What one apply is called: short waits, but a window longer than any lag or late effect below.
pub(crate) const APPLY: &str = "apply -y --no-wait --settle-window 1s --request-timeout 1s";
/// The same patience without sending anything.
pub(crate) const RECOVER: &str = "recover --settle-window 1s --request-timeout 1s";

/// What was found wrong; none where all is well.
pub(crate) type Verdict = Result<(), String>;

/// Fails unless so.
pub(crate) fn ensure(is_so: bool, what: impl FnOnce() -> String) -> Verdict {
    if is_so { Ok(()) } else { Err(what()) }
}

/// The key that a training was started for: the word before the token in its name.
pub(crate) fn key_of(training: &TrainingStarted) -> String {
    let name = training.face_name.clone().unwrap_or_default();
    name.split(' ').next().unwrap_or_default().to_owned()
}

/// The trainings that were paid for, by key.
pub(crate) fn by_key(server: &Server) -> BTreeMap<String, Vec<String>> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for training in server.ledger().trainings {
        all.entry(key_of(&training)).or_default().push(training.face_id);
    }
    all
}

/// The ids in a lock file, by key.
pub(crate) fn locked(environment: &Environment) -> BTreeMap<String, String> {
    let mut ids = BTreeMap::new();
    if !environment.path("facectl.lock.yaml").exists() {
        return ids;
    }
    let mut key = String::new();
    for line in environment.read("facectl.lock.yaml").lines() {
        if let Some(name) = line.strip_prefix("  ").and_then(|line| line.strip_suffix(':')) {
            name.trim_start().clone_into(&mut key);
        } else if let Some(id) = line.strip_prefix("    face_id: ") {
            ids.insert(key.clone(), id.to_owned());
        }
    }
    ids
}

/// Runs and checks that what it says is what the books say.
pub(crate) fn run(environment: &Environment, server: &Server, line: &str) -> Result<Run, String> {
    let before = server.trainings();
    let run = environment.run(line);
    claims_are_true(&run, server, before)?;
    Ok(run)
}

/// Checks what a run said against the books: nothing is called created that was not paid for in it, and no id is
/// told that does not exist. A run that says that all is well has told of everything that was paid for.
pub(crate) fn claims_are_true(run: &Run, server: &Server, before: usize) -> Verdict {
    let trainings = server.ledger().trainings;
    let paid = trainings.len() - before;
    let created = number_before(&run.stdout, " created");
    let adopted = number_before(&run.stdout, " adopted");
    ensure(created <= paid, || format!("{created} are called created, {paid} were paid for: {run}"))?;
    let in_doubt = number_before(&run.stdout, " in doubt");
    let is_over = run.code.is_some_and(|code| matches!(code, 0 | 4 | 5 | 10)) && run.stdout.contains("Done");
    if is_over {
        let told = created + adopted + in_doubt;
        ensure(paid <= told, || format!("{paid} were paid for, {told} are told of: {run}"))?;
    }
    for line in run.stderr.lines().filter(|line| line.starts_with("+ ") && line.contains("training started as ")) {
        let id = line.rsplit(' ').next().unwrap_or_default();
        let key = line[2..].split(':').next().unwrap_or_default();
        let is_true = trainings.iter().any(|training| training.face_id == id && key_of(training) == key);
        ensure(is_true, || format!("{line:?} is not so: {run}"))?;
    }
    ensure(run.code.is_none_or(|code| matches!(code, 0 | 1 | 4 | 5 | 6 | 9 | 10)), || format!("odd exit code: {run}"))
}

/// The number that stands before a word in the closing line.
fn number_before(stdout: &str, word: &str) -> usize {
    let Some(line) = stdout.lines().skip_while(|line| !line.starts_with("Done")).collect::<Vec<_>>().join(" ").into()
    else {
        return 0;
    };
    let line: String = line;
    let Some(at) = line.find(word) else { return 0 };
    line[..at].rsplit(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// Runs until one run says that all is well.
pub(crate) fn until_well(environment: &Environment, server: &Server, at_most: usize) -> Result<Run, String> {
    let mut said = String::new();
    for _ in 0..at_most {
        let run = run(environment, server, APPLY)?;
        if run.code == Some(0) {
            return Ok(run);
        }
        said.push_str(&run.to_string());
    }
    Err(format!("no run of {at_most} ended well: {said}"))
}

/// Checks the end of all: each key was paid for once, the record knows which face it is, nothing is left to do.
pub(crate) fn is_converged(environment: &Environment, server: &Server, keys: &[&str]) -> Verdict {
    let paid = by_key(server);
    for key in keys {
        let ids = paid.get(*key).cloned().unwrap_or_default();
        ensure(ids.len() == 1, || format!("{key} was paid for {} times: {ids:?}", ids.len()))?;
    }
    ensure(paid.len() == keys.len(), || format!("something else was paid for: {paid:?}"))?;
    let known = locked(environment);
    let right: BTreeMap<String, String> = paid.into_iter().map(|(key, ids)| (key, ids[0].clone())).collect();
    ensure(known == right, || format!("recorded is {known:?}, paid for was {right:?}"))?;
    let plan = environment.run("plan");
    let is_quiet = plan.code == Some(0) && plan.stdout.contains("No changes.") && !plan.stdout.contains("duplicate");
    ensure(is_quiet, || format!("something is left to do: {plan}"))
}

/// A way to a sandbox that opens once: the client that looks keeps its connection, the one that creates cannot
/// have another.
pub(crate) fn way_for_one(server: &Server) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let way = format!("http://{}/v2", listener.local_addr().unwrap());
    let there = server.url().trim_start_matches("http://").trim_end_matches("/v2").to_owned();
    thread::spawn(move || {
        let (here, _) = listener.accept().unwrap();
        drop(listener);
        let there = TcpStream::connect(there).unwrap();
        let back = (there.try_clone().unwrap(), here.try_clone().unwrap());
        thread::spawn(move || pump(back.0, back.1));
        pump(here, there);
    });
    way
}

fn pump(mut from: TcpStream, mut to: TcpStream) {
    let mut piece = [0; 8192];
    while let Ok(read) = from.read(&mut piece) {
        if read == 0 || to.write_all(&piece[..read]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}

/// How many cases are under way at once: they mostly wait.
fn lanes() -> usize {
    thread::available_parallelism().map_or(4, |cores| cores.get() * 4)
}

/// Judges all cases, some at once, and returns what was found wrong.
pub(crate) fn judge_all<T: Sync>(cases: &[T], judge: impl Fn(&T) -> Verdict + Sync) -> Vec<String> {
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..lanes().min(cases.len()) {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(why) = judge(case) {
                        wrong.lock().unwrap().push(why);
                    }
                }
            });
        }
    });
    wrong.into_inner().unwrap()
}

/// Whether all of it was asked for.
pub(crate) fn is_full() -> bool {
    std::env::var("FACECTL_PROOF").is_ok_and(|how| how == "full")
}

/// Says what was measured, to whoever asked with `--nocapture`.
#[allow(clippy::print_stderr, reason = "a test's own words")]
pub(crate) fn tell(what: &str) {
    eprintln!("{what}");
}
