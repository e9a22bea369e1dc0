//! The only place that writes to standard output and standard error.

use std::io::{self, BufWriter, IsTerminal, Write};

use serde::Serialize;

use crate::face::ProjectName;
use crate::plan::Plan;
use crate::report::{
    Body, Failure, MARKDOWN_LIMIT, Paint, Report, github_commands, gitlab_code_quality, gitlab_plan, junit, markdown,
    plan_text,
};
use crate::state::Provenance;
use crate::text::{for_people, write_json};
use crate::yaml;

use super::Exit;
use super::args::{ColorChoice, Global, OutputFormat, ReportForm};
use super::delivery::Delivery;
use super::error::CliError;
use super::events::Events;
use super::pipeline;

/// Where a run writes, and how.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    /// How results are written.
    pub format: OutputFormat,
    /// For standard output.
    pub paint: Paint,
    /// For standard error.
    pub talk_paint: Paint,
    /// Whether nothing but results and errors is to be said.
    pub is_quiet: bool,
    /// Whether a person reads standard error.
    pub is_talk_seen: bool,
    /// Whether what is said goes into the log, with its time and its form.
    pub is_logged: bool,
    /// Where programs hear of what happens meanwhile.
    pub events: Events,
    /// What is written besides.
    pub delivery: &'static Delivery,
}

/// The widest text: longer lines are hard to read.
const WIDEST: usize = 100;

impl Output {
    /// Decides once, from flags, environment and terminal.
    pub fn new(global: &Global, delivery: &'static Delivery) -> Self {
        let width = terminal_size::terminal_size().map_or(80, |(width, _)| usize::from(width.0)).clamp(40, WIDEST);
        let is_plain = global.no_color || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let paint = |is_terminal: bool| Paint {
            colour: match global.color {
                ColorChoice::Always => !global.no_color,
                ColorChoice::Never => false,
                ColorChoice::Auto => {
                    is_terminal && !is_plain && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
                }
            },
            width: if is_terminal { width } else { 80 },
        };
        Self {
            format: global.output,
            paint: paint(io::stdout().is_terminal()),
            talk_paint: paint(io::stderr().is_terminal()),
            is_quiet: global.quiet,
            is_talk_seen: io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb"),
            is_logged: false,
            events: Events::default(),
            delivery,
        }
    }

    /// Writes the result of a command in every form that was asked for: on standard output, for the pipeline, and to
    /// files. `provenance` is asked only where a form says it.
    ///
    /// # Errors
    /// As [`Output::result`]. What cannot be written to a file is told, and makes the run fail only if it is well
    /// otherwise.
    pub fn deliver(
        &self,
        exit: Exit,
        project: Option<&ProjectName>,
        body: Body<'_>,
        provenance: impl FnOnce() -> Provenance,
    ) -> Result<(), CliError> {
        // Text does not say it, and git need not be asked.
        let provenance = (self.is_for_programs() || self.delivery.has_targets()).then(provenance);
        let report = Report {
            command: self.delivery.command,
            project,
            provenance: provenance.as_ref(),
            is_rehearsal: self.delivery.is_rehearsal,
            exit: exit.0,
            exit_means: exit.meaning(),
            body,
        };
        self.delivery.note_done();
        let shown = self.show(&report);
        for error in self.delivery.write(|form| self.rendered(form, &report)) {
            self.delivery.note_failed();
            self.say(&error.text(self.talk_paint));
        }
        // That nobody could be told must not hide how it ended.
        shown.map_err(|error| if exit == Exit::SUCCESS { error } else { error.exit(exit) })
    }

    /// Delivers that a command failed before it had a result. On standard output only the forms say so that a pipeline
    /// shows: what reads JSON finds none there, as ever.
    pub fn deliver_failure(&self, error: &CliError) -> Result<(), CliError> {
        let plan = self.delivery.plan();
        let failure = Failure { message: &error.message, causes: &error.causes, hints: &error.hints, plan };
        let project = plan.map(|(plan, _)| &plan.project);
        self.deliver(error.exit, project, Body::Failure(failure), pipeline::provenance)
    }

    fn show(&self, report: &Report<'_>) -> Result<(), CliError> {
        let is_failure = matches!(report.body, Body::Failure(_));
        match self.format {
            OutputFormat::Text => self.result(&report.text(self.paint)),
            OutputFormat::Json | OutputFormat::Yaml if is_failure => Ok(()),
            OutputFormat::Json | OutputFormat::Yaml => self.value(&report.document()),
            OutputFormat::Markdown => self.result(&markdown(report, MARKDOWN_LIMIT)),
            OutputFormat::Gitlab => self.verbatim(&gitlab(report)),
            OutputFormat::Junit => self.verbatim(&junit(report, &pipeline::roots())),
            OutputFormat::Github => {
                let text = match &report.body {
                    Body::Rejected(rejection) => rejection.text(self.paint),
                    _ => report.text(self.paint),
                };
                let text = for_people(&text, self.paint.colour);
                let commands = github_commands(report, &text, &pipeline::roots(), &pipeline::secret_word());
                let shown = self.verbatim(&commands);
                for error in pipeline::write_step_files(report) {
                    self.delivery.note_failed();
                    self.say(&error.text(self.talk_paint));
                }
                shown
            }
        }
    }

    fn rendered(&self, form: ReportForm, report: &Report<'_>) -> String {
        match form {
            // Values of ours always serialise.
            ReportForm::Json => as_json(&report.document()),
            ReportForm::Yaml => yaml::to_string(&report.document()).unwrap_or_default(),
            ReportForm::Markdown => markdown(report, MARKDOWN_LIMIT),
            ReportForm::Junit => junit(report, &pipeline::roots()),
            ReportForm::Gitlab => as_json(&gitlab_plan(report)),
            ReportForm::Codequality => as_json(&gitlab_code_quality(report, &pipeline::roots())),
        }
    }

    /// Shows a plan to whoever follows along, where the result is for programs: before anything is done by it.
    pub fn preview(&self, plan: &Plan) {
        // Where the result goes to a pipeline, people read the log once something went wrong on the way.
        let is_data = matches!(self.format, OutputFormat::Json | OutputFormat::Yaml);
        if self.is_talk_seen || (!is_data && !self.is_quiet) {
            self.say(&plan_text(plan, self.talk_paint));
        }
    }

    /// Returns the same for a command that runs for days: what it says goes into the log.
    #[must_use]
    pub fn into_log(self) -> Self {
        Self { is_logged: true, is_talk_seen: false, ..self }
    }

    /// Returns the same with events. Where they take standard output, results go to standard error.
    pub fn with_events(self, events: Events) -> Self {
        let paint = if events.is_stdout() { self.talk_paint } else { self.paint };
        Self { events, paint, ..self }
    }

    /// Writes a result for people: what steers a terminal or commands a runner is spelled out, wherever it came from.
    ///
    /// # Errors
    /// When it cannot be written. A reader that went away is no error: it has seen enough.
    pub fn result(&self, text: &str) -> Result<(), CliError> {
        self.verbatim(&for_people(text, self.paint.colour))
    }

    /// Writes a result as it is: in a form that has escapes of its own, or a text that the reader gave us.
    ///
    /// # Errors
    /// As [`Output::result`].
    pub fn verbatim(&self, text: &str) -> Result<(), CliError> {
        if self.events.is_stdout() {
            self.say(text);
            return Ok(());
        }
        match text {
            "" => Ok(()),
            text => print(|out| out.write_all(text.as_bytes())),
        }
    }

    /// Writes a result for programs, in the format that was asked for.
    ///
    /// # Errors
    /// As [`Output::result`].
    pub fn value(&self, value: &impl Serialize) -> Result<(), CliError> {
        match self.format {
            OutputFormat::Yaml => match yaml::to_string(value) {
                Ok(text) => self.verbatim(&text),
                Err(why) => Err(CliError::caused("cannot write the result", &why)),
            },
            // Commands with these other forms have a report.
            OutputFormat::Json
            | OutputFormat::Text
            | OutputFormat::Markdown
            | OutputFormat::Github
            | OutputFormat::Gitlab
            | OutputFormat::Junit => match self.events.is_stdout() {
                true => self.verbatim(&as_json(value)),
                // As it is made: of 10,000 faces the text alone is 20 MB.
                false => print(|out| write_json(out, value)),
            },
        }
    }

    /// Returns whether results are for programs.
    pub fn is_for_programs(&self) -> bool {
        self.format != OutputFormat::Text
    }

    /// Says something on the way, unless told to be quiet.
    pub fn talk(&self, text: &str) {
        if self.is_quiet {
            return;
        }
        match self.is_logged {
            true => tracing::info!("{}", text.trim()),
            false => self.say(text),
        }
    }

    /// Says something that must be said.
    pub fn say(&self, text: &str) {
        match self.is_logged {
            true => tracing::warn!("{}", text.strip_prefix("warning: ").unwrap_or(text).trim()),
            false => say(text, self.talk_paint.colour),
        }
    }
}

/// Writes to standard output. A reader that went away is no error: it has seen enough.
fn print(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), CliError> {
    let mut out = BufWriter::with_capacity(64 * 1024, io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            // What is left in the buffer would be tried once more.
            let _ = out.into_parts();
            Ok(())
        }
        Err(error) => Err(CliError::caused("cannot write to standard output", &error)),
    }
}

fn as_json(value: &impl Serialize) -> String {
    let mut bytes = Vec::new();
    // It fails only for maps whose keys are no text; ours have none.
    match write_json(&mut bytes, value) {
        Ok(()) => String::from_utf8(bytes).unwrap_or_default(),
        Err(_) => String::new(),
    }
}

/// What GitLab reads of a result: the counts of a plan, and of everything else the problems.
fn gitlab(report: &Report<'_>) -> String {
    match &report.body {
        Body::Plan(_) => as_json(&gitlab_plan(report)),
        _ => as_json(&gitlab_code_quality(report, &pipeline::roots())),
    }
}

/// Says something that must be said, in colours only where `colour` says so. A runner takes commands from standard
/// error, too.
pub fn say(text: &str, colour: bool) {
    // Nobody is left to tell when standard error is gone.
    let _ = writeln!(io::stderr(), "{}", for_people(text.trim_end_matches('\n'), colour));
}

/// Asks something: as [`say`], without a line end behind it.
///
/// # Errors
/// When it cannot be written.
pub fn ask(question: &str, colour: bool) -> io::Result<()> {
    let mut error = io::stderr();
    write!(error, "{}", for_people(question, colour))?;
    error.flush()
}
