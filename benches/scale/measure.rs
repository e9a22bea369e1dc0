//! One process from its start to its exit: time and memory by the operating system's own books.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use wait4::Wait4;

/// A command that is measured.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    program: PathBuf,
    arguments: Vec<String>,
    variables: Vec<(String, OsString)>,
    folder: Option<PathBuf>,
    codes: Vec<i32>,
}

/// What one command came to: the middle of its runs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    pub(crate) wall: Duration,
    /// The fastest and the slowest.
    pub(crate) range: (Duration, Duration),
    /// Processor time, of user and system.
    pub(crate) processor: Duration,
    /// The largest resident set, in bytes.
    pub(crate) peak: u64,
}

impl Run {
    pub(crate) fn new(program: &Path) -> Self {
        let program = program.to_owned();
        Self { program, arguments: Vec::new(), variables: Vec::new(), folder: None, codes: vec![0] }
    }

    pub(crate) fn arguments(mut self, arguments: impl IntoIterator<Item = String>) -> Self {
        self.arguments.extend(arguments);
        self
    }

    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn within(mut self, folder: &Path) -> Self {
        self.folder = Some(folder.to_owned());
        self
    }

    /// How it may end: a command that fails quickly is not a fast one.
    pub(crate) fn codes(mut self, codes: &[i32]) -> Self {
        self.codes = codes.to_vec();
        self
    }

    /// Runs it so often, after one run that is not counted; once means once.
    pub(crate) fn times(&self, times: usize) -> Measured {
        if times > 1 {
            self.once();
        }
        let mut runs: Vec<Measured> = (0..times.max(1)).map(|_| self.once()).collect();
        let peak = runs.iter().map(|run| run.peak).max().unwrap_or_default();
        runs.sort_by_key(|run| run.wall);
        let range = (runs[0].wall, runs[runs.len() - 1].wall);
        Measured { range, peak, ..runs[runs.len() / 2] }
    }

    fn once(&self) -> Measured {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).envs(self.variables.iter().map(|(name, value)| (name, value)));
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        // A file takes what it says, so that nobody has to read along.
        let said = tempfile::tempfile().unwrap();
        command.stdin(Stdio::null()).stdout(said.try_clone().unwrap()).stderr(said.try_clone().unwrap());
        let begun = Instant::now();
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", self.program.display()));
        let used = child.wait4().unwrap();
        let wall = begun.elapsed();
        let is_as_meant = used.status.code().is_some_and(|code| self.codes.contains(&code));
        assert!(is_as_meant, "{self:?} ended with {}:\n{}", used.status, tail(said));
        let processor = used.rusage.utime + used.rusage.stime;
        Measured { wall, range: (wall, wall), processor, peak: used.rusage.maxrss }
    }
}

fn tail(mut said: std::fs::File) -> String {
    use std::io::{Read, Seek};
    let mut bytes = Vec::new();
    let _ = said.rewind().and_then(|()| said.read_to_end(&mut bytes));
    String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(2_000)..]).into_owned()
}
