//! The only place that writes to standard output and standard error.

use std::io::{self, IsTerminal, Write};

use serde_json::Value;

use crate::report::Paint;

use super::args::{ColorChoice, Global, OutputFormat};
use super::error::CliError;
use super::events::Events;

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
}

/// The widest text: longer lines are hard to read.
const WIDEST: usize = 100;

impl Output {
    /// Decides once, from flags, environment and terminal.
    pub fn new(global: &Global) -> Self {
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

    /// Writes a result.
    ///
    /// # Errors
    /// When it cannot be written. A reader that went away is no error: it has seen enough.
    pub fn result(&self, text: &str) -> Result<(), CliError> {
        if self.events.is_stdout() {
            self.say(text);
            return Ok(());
        }
        match io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush()) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            Err(error) => Err(CliError::caused("cannot write to standard output", &error)),
        }
    }

    /// Writes a result for programs, in the format that was asked for.
    ///
    /// # Errors
    /// As [`Output::result`].
    pub fn value(&self, value: &Value) -> Result<(), CliError> {
        let text = match self.format {
            OutputFormat::Yaml => serde_yaml::to_string(value).map_err(|error| error.to_string()),
            OutputFormat::Json | OutputFormat::Text => {
                serde_json::to_string_pretty(value).map(|text| text + "\n").map_err(|error| error.to_string())
            }
        };
        match text {
            Ok(text) => self.result(&text),
            Err(why) => Err(CliError::new(format!("cannot write the result: {why}"))),
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
            false => say(text),
        }
    }
}

/// Says something that must be said.
pub fn say(text: &str) {
    // Nobody is left to tell when standard error is gone.
    let _ = writeln!(io::stderr(), "{}", text.trim_end_matches('\n'));
}
