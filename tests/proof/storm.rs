//! Seeded random runs: whatever goes wrong at once or in a row, the books are right at the end.
//!
//! Two machines with a folder, a state and a lock file of their own work on one project, mostly one after the
//! other. They meet faults of every kind, are killed at points and at odd moments, and lose their disks.
//!
//! In every third storm hours pass in seconds: trainings end meanwhile, and the tokens leave the names.
//!
//! # What must be true
//! One training a face, each recorded, and after a few runs nothing left to do, on both machines. With one
//! exception, which no client of an API without idempotency keys can avoid: a machine with a record of its own that
//! begins while another one's create is still under way, or not listed yet, may send one of its own. Such a
//! moment is an *excuse*; it is rare here, counted, and then the plan must name all that were paid for. A machine
//! that has lost its disk and its lock file has no excuse: it waits one settle window before it pays.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::ops::Range;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use fastrand::Rng;
use serde_json::Value;

use crate::case::{APPLY, RECOVER, Verdict, by_key, claims_are_true, ensure, is_full, judge_all, locked, tell};
use crate::environment::{Environment, Run};
use crate::server::Server;

/// Two are declared at first, the others one by one.
const KEYS: &[&str] = &["ana", "bruno", "carla", "dora", "edgar", "fatou"];
const POINTS: &[&str] = &[
    "begun.before-write",
    "begun.unflushed",
    "begun.between",
    "begun.written",
    "create.before-send",
    "create.mid-body",
    "create.sent",
    "create.answered",
    "create.postponed",
    "settled.before-write",
    "settled.unflushed",
    "settled.between",
    "settled.written",
    "refused.before-write",
    "refused.between",
    "refused.written",
    "in-doubt.before-write",
    "in-doubt.between",
    "in-doubt.written",
    "absent.before-write",
    "absent.between",
    "absent.written",
    "adopted.before-write",
    "adopted.between",
    "adopted.written",
    "updated.before-write",
    "updated.between",
    "update.before-send",
    "update.answered",
    "noted.between",
];
/// How many seconds pass in one of those storms in a second: a training takes some.
const FAST: f64 = 3600.0;
/// Longer than any lag of a storm, in real milliseconds.
const LONGEST_LAG: u32 = 500;
/// The lag where a guard is off, in real milliseconds: the next run has to look before the first create shows, also
/// on a machine that is slow and has much to do.
const LAG_OF_A_CONTROL: u32 = 900;
/// Deaths after which somebody has to find out what became of a create.
pub(crate) const DOUBTFUL: &[&str] = &["create.answered", "settled.before-write"];
/// Also waits for the trainings, for a while.
const APPLY_AND_WAIT: &str = "apply -y --settle-window 1s --request-timeout 1s --wait-timeout 1s";
/// At the end: takes up what only its name tells of, and waits for all of it.
const FINISH: &str = "apply -y --adopt --settle-window 1s --request-timeout 1s";
/// Lags and late effects stay below the settle window, as is assumed of the API.
const FAULTS: &[&str] = &[
    "create@1:drop-after-effect",
    "create@2:drop-after-effect",
    "create@1:drop-before-effect",
    "create@1:late-effect",
    "create@2:late-effect",
    "create@1:502",
    "create@1:502;after-effect",
    "create@2:500;after-effect",
    "create@1:truncate",
    "create@2:truncate",
    "create@1:html200",
    "create@1:html",
    "create@1-2:408;after-effect",
    "create@1:409;after-effect",
    "create@1:hang",
    "create@1:slow=1200ms",
    "create@1-2:429;retry-after=0",
    "create@1:400",
    "create@1:redirect",
    "list@2:502",
    "list@1-3:html",
    "list@3:truncate",
    "list@2:drop-after-effect",
    "list@2:shrink",
    "list@2:grow",
    "list@4:502",
    "list:max-limit=1",
    "list@3-4:reorder",
    "update@1:drop-after-effect",
    "update@1-2:502",
    "any@3:slow=200ms",
];

/// What came of many storms.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    runs: usize,
    deaths: usize,
    lost_disks: usize,
    /// Storms in which a second training was excusable.
    excused: usize,
    /// Excused second trainings, all of them reported.
    reported: usize,
    /// Second trainings without an excuse.
    pub(crate) duplicates: usize,
    lost_faces: usize,
    wrong: Vec<String>,
}

/// One project on two machines, and what they did.
struct Storm {
    rng: Rng,
    speed: f64,
    /// Whether a guard is off: then it is made likely that a guard is needed.
    is_control: bool,
    /// How many of the keys are declared.
    declared: usize,
    server: Server,
    machines: [Environment; 2],
    /// Whose last run left nothing open, as far as one can tell from outside.
    is_clean: [bool; 2],
    /// Whose disk was bad, and has not been repaired by a run since.
    is_damaged: [bool; 2],
    excuses: usize,
    runs: usize,
    deaths: usize,
    lost_disks: usize,
    /// What was done, for whoever has to find out why it went wrong.
    log: String,
}

impl Storm {
    fn new(seed: u64, broken: Option<&str>) -> Self {
        let speed = if seed % 3 == 2 { FAST } else { 1.0 };
        let server = Server::at_speed(speed, &[]);
        let machine = || {
            // As a pipeline has it: nobody says that the project has never run anywhere.
            let machine = Environment::against(&server, &KEYS[..2]).without("FACECTL_FRESH");
            match broken {
                Some(guard) => machine.with("FACECTL_BREAK", guard),
                None => machine,
            }
        };
        let machines = [machine(), machine()];
        let rng = Rng::with_seed(seed);
        Self {
            rng,
            speed,
            is_control: broken.is_some(),
            declared: 2,
            server,
            machines,
            is_clean: [true; 2],
            is_damaged: [false; 2],
            excuses: 0,
            runs: 0,
            deaths: 0,
            lost_disks: 0,
            log: String::new(),
        }
    }

    fn play(&mut self) -> Verdict {
        let mut here = 0;
        for _ in 0..self.rng.usize(2..6) {
            if self.rng.bool() {
                self.declare_one_more();
            }
            match self.rng.u32(0..10) {
                0 => {
                    self.damage(here);
                    self.turn(here)?;
                }
                1 => {
                    self.hand_over(here)?;
                    here = 1 - here;
                    self.turn(here)?;
                }
                2 => {
                    // Who knows nothing at all waits by itself until everything is listed.
                    let loses_lock_file = self.rng.bool();
                    if !loses_lock_file {
                        self.hand_over(here)?;
                    }
                    self.lose_disk(here, loses_lock_file);
                    self.turn(here)?;
                }
                3 if self.rng.u32(0..3) == 0 => self.both_at_once()?,
                _ => self.turn(here)?,
            }
            self.at_most_one_each()?;
        }
        self.end(here)
    }

    /// Somebody pushed a manifest, and everybody pulled.
    fn declare_one_more(&mut self) {
        if let Some(key) = KEYS.get(self.declared) {
            self.declared += 1;
            self.machines.iter().for_each(|machine| machine.face(key, ""));
        }
    }

    /// One run of one machine, in some weather, that may be killed.
    fn turn(&mut self, here: usize) -> Verdict {
        self.change_weather();
        let before = self.server.trainings();
        let run = self.begin(here);
        self.note(here, &run);
        self.judge(&run, before)
    }

    /// What a run says must be what the books say. Only where two machines sent the same create nobody can know
    /// who has paid for a face that is found by its token.
    fn judge(&self, run: &Run, before: usize) -> Verdict {
        if self.excuses > 0 { Ok(()) } else { claims_are_true(run, &self.server, before) }
    }

    fn run(&mut self, here: usize, line: &str) -> Result<Run, String> {
        let before = self.server.trainings();
        let run = self.machines[here].run(line);
        self.note(here, &run);
        self.judge(&run, before).map(|()| run)
    }

    fn both_at_once(&mut self) -> Verdict {
        self.change_weather();
        self.excuses += 1;
        let (one, two) = (self.machines[0].spawn(APPLY), self.machines[1].spawn(APPLY));
        for (here, run) in [one.end(), two.end()].into_iter().enumerate() {
            self.note(here, &run);
        }
        Ok(())
    }

    fn begin(&mut self, here: usize) -> Run {
        let is_waiting = self.speed > 1.0 && self.rng.bool();
        let line = if is_waiting { APPLY_AND_WAIT } else { APPLY };
        let machine = &self.machines[here];
        let mut command = machine.command(line);
        match self.rng.u32(0..10) {
            0..5 => {
                let points = if self.is_control { DOUBTFUL } else { POINTS };
                let (point, times) = (points[self.rng.usize(..points.len())], 1 + self.rng.u32(..2));
                command.env("FACECTL_KILL_AT", format!("{point}@{times}"));
                let _ = writeln!(self.log, "to die at {point}@{times}");
                machine.spawn_command(command, line).end()
            }
            5..7 => {
                let running = machine.spawn_command(command, line);
                let moment = Instant::now() + Duration::from_millis(self.rng.u64(20..400));
                while Instant::now() < moment {
                    std::thread::yield_now();
                }
                running.signal("KILL");
                running.end()
            }
            _ => machine.spawn_command(command, line).end(),
        }
    }

    fn note(&mut self, here: usize, run: &Run) {
        self.runs += 1;
        self.deaths += usize::from(run.code.is_none());
        let _ = writeln!(self.log, "machine {here}: {run}{:?}\n", by_key(&self.server));
        self.is_clean[here] = run.code == Some(0);
        self.is_damaged[here] &= run.code.is_none();
    }

    fn change_weather(&mut self) {
        let milliseconds = if self.is_control { LAG_OF_A_CONTROL } else { self.rng.u32(..LONGEST_LAG) };
        let mut rules = vec![self.lag(milliseconds)];
        for _ in 0..self.rng.usize(0..3) {
            let fault = FAULTS[self.rng.usize(..FAULTS.len())];
            rules.push(match fault.ends_with("late-effect") {
                true => format!("{fault}={}ms", self.by_its_clock(250)),
                false => fault.to_owned(),
            });
        }
        self.set(&rules);
        let _ = writeln!(self.log, "weather: {rules:?}");
    }

    fn set(&self, rules: &[String]) {
        self.server.faults(&rules.iter().map(String::as_str).collect::<Vec<_>>());
    }

    /// So many real milliseconds on the clock of the sandbox.
    fn by_its_clock(&self, milliseconds: u32) -> u64 {
        (f64::from(milliseconds) * self.speed) as u64
    }

    fn lag(&self, milliseconds: u32) -> String {
        format!("list:lag={}ms", self.by_its_clock(milliseconds))
    }

    /// A bad disk: the database or its copy is gone, or the end of the database. What is left knows all.
    fn damage(&mut self, here: usize) {
        if std::mem::replace(&mut self.is_damaged[here], true) {
            return;
        }
        let state = self.machines[here].path(".facectl");
        let how = self.rng.u32(..3);
        let _ = writeln!(self.log, "machine {here} has a bad disk ({how})");
        let has_copy = state.join("snapshot.json").exists() && state.join("snapshot.log").exists();
        let log = state.join("db/db");
        match (how, fs::read(&log)) {
            (0, _) if has_copy => drop(fs::remove_dir_all(state.join("db"))),
            (1, Ok(bytes)) if has_copy && bytes.iter().any(|byte| *byte != 0) => {
                let end = bytes.iter().rposition(|byte| *byte != 0).unwrap();
                fs::write(log, &bytes[..end - self.rng.usize(..end.clamp(1, 500))]).unwrap();
            }
            (2, Ok(_)) => drop(fs::remove_file(state.join("snapshot.json"))),
            _ => {}
        }
    }

    /// Mostly, a machine's work is known to all before another one begins: nothing of its own is open, and
    /// everything it has paid for is listed. Otherwise the next one has an excuse.
    fn hand_over(&mut self, from: usize) -> Verdict {
        if self.rng.u32(0..6) == 0 {
            self.excuses += 1;
            let _ = writeln!(self.log, "nobody waits until all is known");
            return Ok(());
        }
        self.server.faults(&[]);
        for machine in [from, 1 - from] {
            for _ in 0..4 {
                if self.is_clean[machine] {
                    break;
                }
                self.run(machine, RECOVER)?;
            }
            ensure(self.is_clean[machine], || "recover does not end in good weather".to_owned())?;
        }
        self.until_all_is_listed()
    }

    /// Waits until no lag that the next weather may have hides anything.
    fn until_all_is_listed(&self) -> Verdict {
        self.set(&[self.lag(LONGEST_LAG)]);
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let listed = self.server.ask("GET", "/v2/faces?face_type=user&limit=100", &Value::Null);
            if listed["data"].as_array().map_or(0, Vec::len) == self.server.trainings() {
                return Ok(());
            }
            ensure(Instant::now() < deadline, || format!("not everything is ever listed: {listed}"))?;
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn lose_disk(&mut self, here: usize, loses_lock_file: bool) {
        self.lost_disks += 1;
        let _ = writeln!(self.log, "machine {here} loses its disk");
        let machine = &self.machines[here];
        let _ = fs::remove_dir_all(machine.path(".facectl"));
        if loses_lock_file {
            let _ = fs::remove_file(machine.path("facectl.lock.yaml"));
        }
        self.is_clean[here] = true;
    }

    fn at_most_one_each(&self) -> Verdict {
        for (key, ids) in by_key(&self.server) {
            ensure(ids.len() <= 1 + self.excuses, || {
                format!("{key} was paid for {} times, with {} excuses: {ids:?}", ids.len(), self.excuses)
            })?;
        }
        Ok(())
    }

    /// Good weather: both machines come to rest, one after the other, and agree with the books.
    fn end(&mut self, here: usize) -> Verdict {
        self.set(&[self.lag(LONGEST_LAG)]);
        for machine in [here, 1 - here] {
            self.come_to_rest(machine)?;
            self.at_most_one_each()?;
            // The other one may know nothing yet.
            self.until_all_is_listed()?;
        }
        let paid = by_key(&self.server);
        for key in &KEYS[..self.declared] {
            ensure(paid.contains_key(*key), || format!("{key} was never made: {paid:?}"))?;
        }
        let all: BTreeSet<&String> = paid.values().flatten().collect();
        for machine in &self.machines {
            let known: BTreeSet<String> = locked(machine).into_values().collect();
            let plan = machine.run("plan");
            let told = |id: &String| known.contains(id) || plan.stdout.contains(id.as_str());
            ensure(known.iter().all(|id| all.contains(id)), || format!("{known:?} were not all paid for: {all:?}"))?;
            ensure(all.iter().all(|id| told(id)), || format!("a face is lost, of {all:?}: {plan}"))?;
            ensure(plan.stdout.contains("No changes.") || all.len() > self.declared, || format!("left to do: {plan}"))?;
            ensure((all.len() > self.declared) == plan.stdout.contains("duplicate"), || format!("of {all:?}: {plan}"))?;
        }
        Ok(())
    }

    fn come_to_rest(&mut self, here: usize) -> Verdict {
        let mut said = String::new();
        for _ in 0..4 {
            let run = self.run(here, if self.speed > 1.0 { FINISH } else { APPLY })?;
            let is_reported = self.server.trainings() > self.declared && run.code == Some(5);
            if run.code == Some(0) || is_reported {
                return Ok(());
            }
            said.push_str(&run.to_string());
        }
        Err(format!("no rest after 4 runs: {said}"))
    }
}

/// Plays storms and says what came of them.
pub(crate) fn storms(seeds: Range<u64>, broken: Option<&str>) -> Tally {
    let seeds: Vec<u64> = seeds.collect();
    let tally = Mutex::new(Tally::default());
    let wrong = judge_all(&seeds, |seed| {
        let mut storm = Storm::new(*seed, broken);
        let verdict = storm.play();
        let paid = by_key(&storm.server);
        let mut tally = tally.lock().unwrap();
        tally.runs += storm.runs;
        tally.deaths += storm.deaths;
        tally.lost_disks += storm.lost_disks;
        tally.excused += usize::from(storm.excuses > 0);
        for ids in paid.values() {
            match storm.excuses {
                0 => tally.duplicates += ids.len() - 1,
                _ => tally.reported += ids.len() - 1,
            }
        }
        tally.lost_faces += usize::from(verdict.as_ref().is_err_and(|why| why.contains("a face is lost")));
        verdict.map_err(|why| format!("FACECTL_STORM_SEED={seed}: {why}\n{}", storm.log))
    });
    Tally { wrong, ..tally.into_inner().unwrap() }
}

#[test]
fn a_storm_of_faults_deaths_and_lost_disks_pays_once_and_loses_nothing() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match number("FACECTL_STORM_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("FACECTL_STORMS").unwrap_or(if is_full() { 500 } else { 30 }),
    };
    let begun = Instant::now();
    let tally = storms(seeds.clone(), None);
    tell(&format!("{} storms in {:?}: {tally:#?}", seeds.count(), begun.elapsed()));
    assert!(tally.wrong.is_empty(), "{}", tally.wrong.join("\n---\n"));
    assert_eq!((tally.duplicates, tally.lost_faces), (0, 0));
}

#[test]
fn two_machines_that_both_paid_are_told_of_both_faces_also_once_the_trainings_are_over() {
    // Neither sees what the other one makes until both have paid. The trainings end some seconds later.
    let server = Server::at_speed(2000.0, &["list:lag=1000h"]);
    let machines = [(); 2].map(|()| Environment::against(&server, &["ana"]));
    for machine in &machines {
        machine.run("apply -y --no-wait").exits(0).prints(&["1 created"]);
    }
    let ids = server.ids();
    assert_eq!(ids.len(), 2);
    server.faults(&[]);
    for machine in &machines {
        // The wait is over when the training is: by then the tokens would have left the names.
        machine.run("apply -y");
    }
    for machine in &machines {
        machine.run("plan").prints(&["duplicate", &ids[0], &ids[1]]);
        machine.run("apply -y").exits(5).prints(&["duplicate"]);
    }
    // Somebody decides. The token then leaves the name as it would have at first.
    let kept = locked(&machines[0])["ana"].clone();
    server.alter(ids.iter().find(|id| **id != kept).unwrap(), &serde_json::json!({ "removed": true }));
    machines[0].run("apply -y").exits(0);
    machines[0].run("plan").exits(0).prints(&["No changes."]);
    assert_eq!(server.face(&kept)["face_name"], "ana");
}
