//! What was measured, as a table that can be pasted, each row as soon as it is known.

use std::path::Path;
use std::process::Command;

use crate::measure::Measured;

/// The columns of every table.
const HEAD: [&str; 7] = ["command", "seconds", "range", "processor s", "peak MB", "requests", "x floor"];

pub(crate) struct Table;

#[allow(clippy::print_stdout, reason = "the tables are what this is for")]
impl Table {
    pub(crate) fn new(size: usize) -> Self {
        let faces = if size == 1 { "1 face".to_owned() } else { format!("{size} faces") };
        println!("\n### {faces}\n\n| {} |\n|---{}|", HEAD.join(" | "), "|---:".repeat(HEAD.len() - 1));
        Self
    }

    pub(crate) fn add(&self, what: &str, measured: &Measured, requests: u64, floor: Option<&Measured>) {
        let seconds = |time: std::time::Duration| format!("{:.3}", time.as_secs_f64());
        let ratio = floor.map(|floor| measured.wall.as_secs_f64() / floor.wall.as_secs_f64());
        let cells: [String; HEAD.len()] = [
            format!("`{what}`"),
            seconds(measured.wall),
            format!("{} to {}", seconds(measured.range.0), seconds(measured.range.1)),
            seconds(measured.processor),
            format!("{:.1}", measured.peak as f64 / 1e6),
            requests.to_string(),
            ratio.map_or("-".to_owned(), |ratio| format!("{ratio:.1}")),
        ];
        println!("| {} |", cells.join(" | "));
    }
}

/// On what it was measured.
pub(crate) fn machine(binary: &Path) -> String {
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let size = std::fs::metadata(binary).map_or(0, |about| about.len());
    let version = Command::new(binary).arg("version").output().map(|said| said.stdout).unwrap_or_default();
    let version = String::from_utf8_lossy(&version).trim().to_owned();
    let model = model.trim_start_matches(['\t', ' ', ':']);
    format!("{version}, {:.1} MB; {cores} cores, {model}; {}", size as f64 / 1e6, std::env::consts::OS)
}
