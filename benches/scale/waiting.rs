//! Waiting for a thousand trainings: what it asks for, and what it costs to do nothing for hours.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use wait4::Wait4;

use crate::measure::Run;
use crate::project::Project;
use crate::server::Server;

/// How long a training of phoenix-4 takes in the sandbox, with what comes before and after.
const SIMULATED: f64 = 4.0 * 3600.0;
/// The looks that the usual schedule makes in that time: every two minutes for 45 minutes, then every five.
const LOOKS: f64 = 62.0;

/// Lets four hours pass in so many seconds, and tells what a wait over them needed.
pub(crate) fn measure(binary: &Path, faces: usize, seconds: f64) -> String {
    let speed = SIMULATED / seconds;
    let server = Server::at_speed(binary, speed);
    let project = Project::new(faces, 100);
    let interval = format!("{}ms", (seconds / LOOKS * 1000.0).round());
    let environment = [
        ("FACECTL_API_URL", server.url()),
        ("TAVUS_API_KEY", "any".to_owned()),
        ("FACECTL_POLL_INTERVAL", interval.clone()),
        ("FACECTL_FRESH", "1".to_owned()),
    ];
    let create = format!("apply -y --no-wait --max-trainings {faces}");
    let mut create = Run::new(binary).arguments(create.split(' ').map(str::to_owned)).within(project.path());
    for (name, value) in &environment {
        create = create.variable(name, value);
    }
    create.times(1);
    let wait = || {
        let mut command = Command::new(binary);
        command.arg("wait").current_dir(project.path()).envs(environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    };
    let mut text = format!("\n### Waiting for {faces} faces: four hours in {seconds} s, a look every {interval}\n\n");

    let mut interrupted = wait();
    sleep(Duration::from_secs_f64(seconds / 20.0));
    let begun = Instant::now();
    Command::new("kill").args(["-INT", &interrupted.id().to_string()]).status().unwrap();
    let status = interrupted.wait().unwrap();
    writeln!(text, "- Ctrl-C between two looks: ended with {status} after {:.0?}", begun.elapsed()).unwrap();

    let before = server.by_operation();
    let mut child = wait();
    let (mut resident, begun) = (Vec::new(), Instant::now());
    while still_runs(&child) {
        resident.extend(resident_of(&child));
        sleep(Duration::from_millis(100));
    }
    let used = child.wait4().unwrap();
    let largest = resident.iter().copied().fold(0.0, f64::max);
    // The first look is behind it, and the last one, which takes the tokens out of all names, is not reached.
    let quarters = [1, 2, 3].map(|quarter| resident.get(resident.len() * quarter / 4).copied().unwrap_or(0.0));
    writeln!(text, "- ended with {} after {:.1} s", used.status, begun.elapsed().as_secs_f64()).unwrap();
    let [first, second, third] = quarters;
    writeln!(
        text,
        "- memory: {first:.1} MB after a quarter, {second:.1} MB half-way, {third:.1} MB after three quarters, \
         {largest:.1} MB at most"
    )
    .unwrap();
    let processor = (used.rusage.utime + used.rusage.stime).as_secs_f64();
    writeln!(text, "- processor: {processor:.2} s in all, {:.1} ms a look", processor / LOOKS * 1000.0).unwrap();
    for (operation, count) in server.by_operation() {
        let count = count - before.get(&operation).copied().unwrap_or(0);
        writeln!(text, "- requests `{operation}`: {count}, {:.1} a look", count as f64 / LOOKS).unwrap();
    }
    text
}

/// Whether it still runs; what `wait4` is to find is left where it is.
fn still_runs(child: &Child) -> bool {
    let about = fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap_or_default();
    about.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with('Z'))
}

/// Its resident memory in MB, where the system tells it.
fn resident_of(child: &Child) -> Option<f64> {
    let about = fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = about.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().trim_end_matches(" kB").trim().parse::<f64>().ok()? / 1000.0)
}
