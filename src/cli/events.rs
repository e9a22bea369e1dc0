//! `--events`: what happens, one JSON object a line, while it happens.
//!
//! # Guarantees
//! A line is written whole and at once, before whatever comes next in the run. That a line cannot be written harms no
//! run: it is told once, and the run goes on without events.
//!
//! # Caveats
//! A reader that keeps the other end of a pipe open and stops reading stops the run, as with any program in a pipe.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::apply::{Event, Sink};
use crate::clock::{Clock, SystemClock};
use crate::face::ProjectName;
use crate::files;
use crate::manifest::{Diagnostic, DiagnosticDocument};
use crate::plan::{DriftReport, Plan};
use crate::report::{Counts, EVENTS_FORMAT_VERSION, EventLine, StatusRow, What};
use crate::state::Provenance;

use super::Exit;
use super::error::CliError;
use crate::text::json_escaped;

use super::output::say;

/// What begins every file of events.
const BEGINNING: &[u8] = br#"{"seq":1,"at":""#;

/// Where events go; nowhere unless they were asked for. Can be handed on freely: all of them write to one stream.
#[derive(Clone, Copy, Default)]
pub struct Events(Option<&'static Mutex<Stream>>);

/// The one stream of a process, over as many runs as it has.
struct Stream {
    /// None once a line could not be written.
    target: Option<Box<dyn Write + Send>>,
    /// Whether that is standard output.
    is_stdout: bool,
    /// The lines so far.
    seq: u64,
    command: String,
    is_rehearsal: bool,
    /// The clock of the run.
    clock: Arc<dyn Clock>,
    /// Whether a run has begun and not ended.
    is_begun: bool,
    counts: Counts,
}

impl Events {
    /// Opens a target and writes the first line. `-` is standard output.
    ///
    /// # Errors
    /// When it cannot be written, or is a file that holds something else than events: nothing was done then.
    pub fn open(target: &Path, command: &str, is_rehearsal: bool) -> Result<Self, CliError> {
        let is_stdout = target == Path::new("-");
        let writer: Box<dyn Write + Send> = match is_stdout {
            true => Box::new(io::stdout()),
            false => Box::new(open_file(target)?),
        };
        Self::writing_to(writer, is_stdout, command, is_rehearsal).map_err(|error| unwritable(target, &error))
    }

    /// Makes a stream of a writer and writes the first line. `command` is what its runs are called.
    ///
    /// # Errors
    /// When the first line cannot be written.
    pub fn writing_to(
        writer: Box<dyn Write + Send>,
        is_stdout: bool,
        command: &str,
        is_rehearsal: bool,
    ) -> io::Result<Self> {
        let mut stream = Stream {
            target: Some(writer),
            is_stdout,
            seq: 0,
            command: command.to_owned(),
            is_rehearsal,
            clock: Arc::new(SystemClock),
            is_begun: false,
            counts: Counts::default(),
        };
        let facectl = env!("CARGO_PKG_VERSION");
        stream.put(&What::Version { format_version: EVENTS_FORMAT_VERSION, facectl }, None)?;
        // There is one for each process, and its last line is the last thing that the process does.
        Ok(Self(Some(Box::leak(Box::new(Mutex::new(stream))))))
    }

    /// Returns whether standard output is for events, and for nothing else.
    pub fn is_stdout(self) -> bool {
        self.lock().is_some_and(|stream| stream.is_stdout)
    }

    /// Says that a run began, of which project, by which clock, and where it comes from, which is asked only if
    /// somebody listens.
    pub fn begin(self, project: &ProjectName, clock: &Arc<dyn Clock>, provenance: impl FnOnce() -> Provenance) {
        if let Some(mut stream) = self.lock() {
            stream.clock = Arc::clone(clock);
            stream.begin(Some(project), Some(provenance()));
        }
    }

    /// Tells what is wrong with manifests, or worth knowing about them.
    pub fn diagnostics(self, diagnostics: &[Diagnostic]) {
        let told = diagnostics.iter().map(|one| What::Diagnostic { diagnostic: DiagnosticDocument::of(one) });
        self.tell(told);
    }

    /// Tells a plan.
    pub fn planned(self, plan: &Plan) {
        self.tell(What::planned(plan));
    }

    /// Tells how faces are.
    pub fn statuses(self, rows: &[StatusRow]) {
        self.tell(rows.iter().map(|status| What::FaceStatus { key: &status.key, status }));
    }

    /// Tells what drifted.
    pub fn drifted(self, report: &DriftReport) {
        self.tell(What::drifted(report));
    }

    /// Tells why a run cannot go on. What was explained already is left out.
    pub fn error(self, error: &CliError) {
        // In full, so that a new field cannot be forgotten here.
        let CliError { message, causes, hints, exit, is_silent, concerns: _ } = error;
        if !is_silent {
            self.tell([What::Error { what: message, causes, hints, exit_code: exit.0 }]);
        }
    }

    /// Says that a run ended. The next one may begin after it.
    pub fn end(self, exit: Exit) {
        if let Some(mut stream) = self.lock() {
            stream.end(exit);
        }
    }

    /// As [`Events::end`], where the process must end now: a line that is being written elsewhere is not waited for.
    pub fn end_at_once(self, exit: Exit) {
        if let Some(Ok(mut stream)) = self.0.map(Mutex::try_lock) {
            stream.end(exit);
        }
    }

    fn tell<'a>(self, told: impl IntoIterator<Item = What<'a>>) {
        if let Some(mut stream) = self.lock() {
            for what in told {
                stream.tell(&what, None);
            }
        }
    }

    fn lock(self) -> Option<MutexGuard<'static, Stream>> {
        self.0.map(|stream| stream.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Sink for Events {
    fn take(&self, event: &Event) {
        if let Some(mut stream) = self.lock() {
            stream.counts.count(event);
            stream.tell(&What::from(event), Some(event));
        }
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Events(on)" } else { "Events(off)" })
    }
}

impl Stream {
    fn begin(&mut self, project: Option<&ProjectName>, provenance: Option<Provenance>) {
        if self.is_begun {
            return;
        }
        self.is_begun = true;
        self.counts = Counts::default();
        let command = self.command.clone();
        let rehearsal = self.is_rehearsal;
        self.write(&What::RunBegan { command: &command, project, rehearsal, provenance }, None);
    }

    fn tell(&mut self, what: &What<'_>, event: Option<&Event>) {
        // What fails before the manifests are loaded belongs to a run as well.
        self.begin(None, None);
        self.write(what, event);
    }

    fn end(&mut self, exit: Exit) {
        self.begin(None, None);
        let counts = self.counts.clone();
        self.write(&What::RunEnded { exit_code: exit.0, counts }, None);
        self.is_begun = false;
    }

    fn write(&mut self, what: &What<'_>, event: Option<&Event>) {
        if let Err(error) = self.put(what, event) {
            self.target = None;
            say(
                &format!("warning: events cannot be written any more, and the run goes on without them: {error}"),
                false,
            );
        }
    }

    fn put(&mut self, what: &What<'_>, event: Option<&Event>) -> io::Result<()> {
        let Some(target) = &mut self.target else { return Ok(()) };
        self.seq += 1;
        let real = SystemClock.now();
        let is_scaled = self.is_rehearsal && self.is_begun;
        let line = EventLine {
            seq: self.seq,
            at: if is_scaled { self.clock.now() } else { real },
            real_at: is_scaled.then_some(real),
            level: what.level(),
            what: what.clone(),
            message: what.message(event),
        };
        let line = format!("{}\n", json_escaped(&serde_json::to_string(&line)?));
        // At once and whole: whoever follows the file never sees half a line.
        target.write_all(line.as_bytes())?;
        target.flush()
    }
}

/// Opens a file for events, and empties it. Nothing but events is ever overwritten.
fn open_file(path: &Path) -> Result<std::fs::File, CliError> {
    let failed = |error: &io::Error| unwritable(path, error);
    let is_file = std::fs::metadata(path).is_ok_and(|about| about.is_file());
    if is_file && !holds_events(path).map_err(|error| failed(&error))? {
        return Err(CliError::new(format!(
            "{} is there, and holds no events of facectl; it is left as it is, and nothing was done",
            path.display()
        ))
        .hint("give --events another name"));
    }
    // Each line at the end: another run that was given the same file must not be written over in its middle.
    let file = match std::fs::metadata(path).is_ok_and(|about| !about.is_file()) {
        // A pipe or a device, which may well have a link for a name (`/dev/stdout`).
        true => OpenOptions::new().append(true).open(path),
        false => files::open_append(path),
    };
    let file = file.map_err(|error| failed(&error))?;
    if is_file {
        file.set_len(0).map_err(|error| failed(&error))?;
    }
    Ok(file)
}

fn unwritable(target: &Path, error: &io::Error) -> CliError {
    let shown = if target == Path::new("-") { "standard output".to_owned() } else { target.display().to_string() };
    CliError::caused(format!("cannot write events to {shown}; nothing was done"), error)
        .hint("--events needs a file that can be written, or `-` for standard output")
}

/// Returns whether a file is empty, or begins as files of events do.
fn holds_events(path: &Path) -> io::Result<bool> {
    let mut beginning = Vec::new();
    std::fs::File::open(path)?.take(BEGINNING.len() as u64).read_to_end(&mut beginning)?;
    Ok(BEGINNING.starts_with(&beginning))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ScaledClock;
    use crate::plan::tests::world::key;
    use serde_json::Value;

    /// What was written, shared with who writes it; refuses everything after some lines.
    #[derive(Clone, Default)]
    struct Paper {
        lines: Arc<Mutex<Vec<u8>>>,
        room: Option<usize>,
    }

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut lines = self.lines.lock().unwrap();
            if self.room.is_some_and(|room| lines.len() + bytes.len() > room) {
                return Err(io::Error::from(io::ErrorKind::StorageFull));
            }
            lines.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Paper {
        fn read(&self) -> Vec<Value> {
            let text = String::from_utf8(self.lines.lock().unwrap().clone()).unwrap();
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
        }

        fn types(&self) -> Vec<String> {
            self.read().iter().map(|line| line["type"].as_str().unwrap().to_owned()).collect()
        }
    }

    fn forgotten() -> Event {
        Event::FaceForgotten { key: key("ana") }
    }

    #[test]
    fn one_stream_takes_many_runs_and_counts_each_by_itself() {
        let paper = Paper::default();
        let events = Events::writing_to(Box::new(paper.clone()), false, "reconcile", false).unwrap();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        for times in 1..=2 {
            events.begin(&"acme".parse().unwrap(), &clock, Provenance::default);
            (0..times).for_each(|_| events.take(&forgotten()));
            events.end(Exit::SUCCESS);
        }
        let first = ["version", "run_began", "face_forgotten", "run_ended"];
        assert_eq!(paper.types()[..4], first);
        assert_eq!(paper.types()[4..], ["run_began", "face_forgotten", "face_forgotten", "run_ended"]);
        let lines = paper.read();
        let numbers: Vec<u64> = lines.iter().map(|line| line["seq"].as_u64().unwrap()).collect();
        assert_eq!(numbers, (1..=8).collect::<Vec<u64>>());
        assert_eq!((&lines[3]["counts"]["forgotten"], &lines[7]["counts"]["forgotten"]), (&1.into(), &2.into()));
        assert!(paper.lines.lock().unwrap().starts_with(BEGINNING), "a file of events is known by its beginning");
    }

    #[test]
    fn what_fails_before_anything_is_loaded_stands_between_a_beginning_and_an_end() {
        let paper = Paper::default();
        let events = Events::writing_to(Box::new(paper.clone()), false, "plan", false).unwrap();
        events.error(&CliError::new("no API key").hint("make one"));
        events.end(Exit::ERROR);
        assert_eq!(paper.types(), ["version", "run_began", "error", "run_ended"]);
        assert_eq!(paper.read()[1]["project"], Value::Null);
    }

    #[test]
    fn a_rehearsal_tells_both_times() {
        let paper = Paper::default();
        let events = Events::writing_to(Box::new(paper.clone()), false, "apply", true).unwrap();
        let clock: Arc<dyn Clock> = Arc::new(ScaledClock::new(jiff::Timestamp::UNIX_EPOCH, 1.0));
        events.begin(&"acme".parse().unwrap(), &clock, Provenance::default);
        let began = &paper.read()[1];
        assert!(began["at"].as_str().unwrap().starts_with("1970-01-01T00:"), "{began}");
        assert!(!began["real_at"].as_str().unwrap().starts_with("1970"), "{began}");
    }

    #[test]
    fn a_full_disk_ends_the_events_and_nothing_else() {
        let paper = Paper { room: Some(400), ..Paper::default() };
        let events = Events::writing_to(Box::new(paper.clone()), false, "apply", false).unwrap();
        (0..10).for_each(|_| events.take(&forgotten()));
        events.end(Exit::SUCCESS);
        let lines = paper.read();
        assert!((1..10).contains(&lines.len()), "{lines:?}");
        Events::default().take(&forgotten());
    }
}
