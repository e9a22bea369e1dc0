//! The command line: arguments, settings, one thin file per command, exit codes. The only room that prints.

#![allow(unreachable_pub, reason = "these modules are private: pub means for the rest of this room")]

mod args;
mod commands;
mod delivery;
mod error;
mod events;
mod exit;
mod output;
mod pipeline;
mod progress;
mod provenance;
mod run;
mod saved;
mod scaffold;
mod session;
mod signals;
mod since;

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::builder::Resettable;
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{CommandFactory, FromArgMatches};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::text::{self, for_people, json_escaped};

use args::{Cli, Command, Global, LogFormat, OutputFormat, settle};
use delivery::Delivery;
use error::CliError;
use events::Events;
pub use exit::Exit;
use output::Output;

/// Runs the program and returns its exit code.
pub fn run() -> ExitCode {
    let cli = match parse() {
        Ok(cli) => cli,
        Err(error) => {
            let is_help = !error.use_stderr();
            refuse(&error);
            // clap would exit with 2, which means "changes present" here.
            return if is_help { Exit::SUCCESS.into() } else { Exit::ERROR.into() };
        }
    };
    let Cli { global, command } = cli;
    // It lives as long as the process, and is handed everywhere that anything is written.
    let delivery: &'static Delivery =
        Box::leak(Box::new(Delivery::new(command.name(), global.sandbox, global.report.clone())));
    let output = Output::new(&global, delivery);
    start_logs(&global, &output, matches!(command, Command::Reconcile(_)));
    let events = delivery.check().and_then(|()| match &global.events {
        Some(target) => Events::open(target, command.name(), global.sandbox),
        None => Ok(Events::default()),
    });
    let events = match events {
        Ok(events) => events,
        Err(error) => return failed(&error, &output).into(),
    };
    let output = output.with_events(events);
    let done = delivery.spare(global.events.iter().map(PathBuf::as_path));
    let done = done.and_then(|()| dispatch(command, &global, output));
    let exit = done.unwrap_or_else(|error| failed(&error, &output));
    // A report that somebody waits for and that is not there must not go unseen.
    let exit = if exit == Exit::SUCCESS && delivery.has_failed() { Exit::ERROR } else { exit };
    events.end(exit);
    exit.into()
}

/// Tells of a failure wherever somebody waits to hear of it, and returns the code to exit with.
fn failed(error: &CliError, output: &Output) -> Exit {
    if !error.is_silent {
        output.say(&error.text(output.talk_paint));
        if !output.delivery.is_done()
            && let Err(error) = output.deliver_failure(error)
        {
            output.say(&error.text(output.talk_paint));
        }
    }
    output.events.error(error);
    error.exit
}

fn dispatch(command: Command, global: &Global, output: Output) -> Result<Exit, CliError> {
    match command {
        Command::Validate(args) if args.online => {
            signals::with_runtime(output, |interrupt| commands::validate::online(global, args, output, interrupt))
        }
        Command::Validate(args) => commands::validate::run(global, &args, &output),
        Command::Media(args) => {
            signals::with_runtime(output, |interrupt| commands::media::run(global, args, output, interrupt))
        }
        Command::Init(args) => {
            signals::with_runtime(output, |interrupt| commands::init::run(global, args, output, interrupt))
        }
        Command::Fmt(args) => commands::fmt::run(global, &args, &output),
        Command::Explain(args) => commands::explain::run(&args, &output),
        Command::Schema(args) => commands::schema::run(&args, &output),
        Command::Completions { shell } => commands::generate::completions(shell, &output),
        Command::Man { dir } => commands::generate::man(dir.as_deref(), &output),
        Command::ExitCodes => commands::exit_codes::run(&output),
        Command::Version => {
            output.result(&format!("facectl {}\n", env!("CARGO_PKG_VERSION")))?;
            Ok(Exit::SUCCESS)
        }
        Command::Show(args) => commands::show::run(&args, &output),
        Command::Plan(args) => {
            signals::with_runtime(output, |interrupt| commands::plan::run(global, args, output, interrupt))
        }
        Command::Diff(args) => {
            signals::with_runtime(output, |interrupt| commands::diff::run(global, args, output, interrupt))
        }
        Command::Apply(args) => {
            signals::with_runtime(output, |interrupt| commands::apply::run(global, args, output, interrupt))
        }
        Command::Wait(args) => {
            signals::with_runtime(output, |interrupt| commands::wait::run(global, args, output, interrupt))
        }
        Command::Status(args) => {
            signals::with_runtime(output, |interrupt| commands::status::run(global, args, output, interrupt))
        }
        Command::Drift(args) => {
            signals::with_runtime(output, |interrupt| commands::drift::run(global, args, output, interrupt))
        }
        Command::Recover(args) => {
            signals::with_runtime(output, |interrupt| commands::recover::run(global, args, output, interrupt))
        }
        Command::Reconcile(args) => signals::with_runtime_and_reload(output.into_log(), |interrupt, reload| {
            commands::reconcile::run(global, args, output.into_log(), interrupt, reload)
        }),
        Command::Rollback(args) => {
            signals::with_runtime(output, |interrupt| commands::rollback::run(global, args, output, interrupt))
        }
        Command::Delete(args) => {
            signals::with_runtime(output, |interrupt| commands::delete::run(global, args, output, interrupt))
        }
        Command::State(args) => {
            signals::with_runtime(output, |interrupt| commands::state::run(global, args, output, interrupt))
        }
        Command::Converse(args) => {
            signals::with_runtime(output, |interrupt| commands::converse::run(global, args, output, interrupt))
        }
        Command::Voices(args) => {
            signals::with_runtime(output, |interrupt| commands::voices::run(global, args, output, interrupt))
        }
        Command::Import(args) => {
            signals::with_runtime(output, |interrupt| commands::import::run(global, args, output, interrupt))
        }
        Command::Export(args) => {
            signals::with_runtime(output, |interrupt| commands::export::run(global, args, output, interrupt))
        }
        Command::Ci(args) => {
            signals::with_runtime(output, |interrupt| commands::ci::run(global, args, output, interrupt))
        }
        Command::Sandbox(args) => {
            signals::with_runtime(output, |interrupt| commands::sandbox::run(args, output, interrupt))
        }
    }
}

/// Reads command line and environment.
///
/// What is wrong with them is said of a copy that is fit to be shown: a pipeline fills in names of branches and files.
fn parse() -> Result<Cli, clap::Error> {
    let words: Vec<OsString> = std::env::args_os().collect();
    parse_from(without_empty_variables(command()), &words).map_err(|error| {
        let shown = [quotable, on_one_line].into_iter().find_map(|fit| {
            let words: Vec<OsString> = words.iter().map(|word| fit(word)).collect();
            parse_from(with_variables(without_empty_variables(command()), fit), &words).err()
        });
        shown.unwrap_or(error)
    })
}

fn parse_from(mut command: clap::Command, words: &[OsString]) -> Result<Cli, clap::Error> {
    let matches = command.try_get_matches_from_mut(words)?;
    // A rehearsal must never be mistaken for the real thing, nor the other way round. A variable for the real API
    // may well be set where a pipeline rehearses: then --sandbox wins.
    let mut deepest = &matches;
    while let Some((_, below)) = deepest.subcommand() {
        deepest = below;
    }
    let is_flag = |id: &str| deepest.value_source(id) == Some(ValueSource::CommandLine);
    let clash = ["api_url", "api_key_file"].into_iter().find(|id| is_flag(id) && deepest.get_flag("sandbox"));
    if let Some(id) = clash {
        let what = format!(
            "--sandbox{} and --{} exclude each other: a rehearsal talks to nobody outside",
            if is_flag("sandbox") { "" } else { " (FACECTL_SANDBOX)" },
            id.replace('_', "-"),
        );
        return Err(command.error(ErrorKind::ArgumentConflict, what));
    }
    let (output_is_flag, report_is_flag) = (is_flag("output"), is_flag("report"));
    let mut cli = Cli::from_arg_matches(&matches)?;
    check_events(&mut cli, is_flag("events")).map_err(|what| command.error(ErrorKind::ArgumentConflict, what))?;
    let Cli { global, command: asked } = &mut cli;
    match settle(asked, (&mut global.output, output_is_flag), (&mut global.report, report_is_flag)) {
        Ok(()) => Ok(cli),
        Err(why) => Err(command.error(ErrorKind::InvalidValue, why)),
    }
}

/// Refuses events where there are none to write, or where standard output is for something else.
fn check_events(cli: &mut Cli, is_flag: bool) -> Result<(), String> {
    let name = cli.command.name();
    if name.is_empty() && is_flag {
        return Err("--events is for commands that work on faces, and this one tells no events".to_owned());
    }
    // A pipeline sets the variable once for all its steps: a step that tells nothing must not empty the file.
    cli.global.events = cli.global.events.take().filter(|_| !name.is_empty());
    let is_stdout = cli.global.events.as_deref() == Some(Path::new("-"));
    if is_stdout && cli.global.output != OutputFormat::Text {
        return Err(
            "--events - takes standard output for itself, so --output can only be `text`: give --events a file"
                .to_owned(),
        );
    }
    Ok(())
}

/// A variable that is set to nothing counts as not set: pipelines pass on inputs that nobody gave like that.
fn without_empty_variables(command: clap::Command) -> clap::Command {
    let is_empty = |arg: &clap::Arg| {
        arg.get_env().is_some_and(|name| std::env::var_os(name).is_some_and(|value| value.is_empty()))
    };
    let command = command.mut_args(|arg| if is_empty(&arg) { arg.env(Resettable::Reset) } else { arg });
    command.mut_subcommands(without_empty_variables)
}

/// Makes variables fit for an error that quotes them.
fn with_variables(command: clap::Command, fit: fn(&OsStr) -> OsString) -> clap::Command {
    let command = command.mut_args(|arg| {
        let value = arg.get_env().and_then(std::env::var_os);
        match value.map(|value| (fit(&value), value)) {
            Some((shown, value)) if shown != value => {
                // clap keeps texts of the whole run only; this one ends with its error.
                let shown: &'static OsStr = Box::leak(shown.into_boxed_os_str());
                arg.env(Resettable::Reset).default_value(shown)
            }
            _ => arg,
        }
    });
    command.mut_subcommands(|command| with_variables(command, fit))
}

/// Returns the whole command line as clap knows it, for completions and manual pages.
fn command() -> clap::Command {
    Cli::command()
}

/// Says what is wrong with a command line, or what it asked to know.
fn refuse(error: &clap::Error) {
    if !error.use_stderr() {
        // When nobody listens any more there is nobody to tell.
        let _ = error.print();
        return;
    }
    let colour = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let text = error.render();
    let text = if colour { text.ansi().to_string() } else { text.to_string() };
    output::say(&text::redacted(&text), colour);
}

/// Makes a word of a command line fit for an error that quotes it, or a piece of it.
fn quotable(word: &OsStr) -> OsString {
    text::visible(&text::redacted(&word.to_string_lossy())).into_owned().into()
}

/// As [`quotable`], with its links: where one is what is wrong.
fn on_one_line(word: &OsStr) -> OsString {
    text::visible(&word.to_string_lossy()).into_owned().into()
}

/// Standard error for the log, an entry at a time.
struct LogWriter {
    is_json: bool,
    colour: bool,
}

impl Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // One call brings one entry, whole.
        let entry = indented(String::from_utf8_lossy(bytes));
        let shown = if self.is_json { json_escaped(&entry) } else { for_people(&entry, self.colour) };
        io::stderr().write_all(shown.as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Sets the further lines of an entry apart from the entries around it: they may quote somebody else's text.
fn indented(entry: Cow<'_, str>) -> Cow<'_, str> {
    match entry.trim_end_matches('\n') {
        whole if whole.contains('\n') => Cow::Owned(format!("{}\n", whole.replace('\n', "\n    "))),
        _ => entry,
    }
}

/// Starts the log. A command that runs for days tells more, and when.
fn start_logs(global: &Global, output: &Output, is_loop: bool) {
    let level = match global.verbose + u8::from(is_loop && !global.quiet) {
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    // Of what others log, warnings: sled tells of every page that it touches.
    let filter = Targets::new().with_default(LevelFilter::WARN).with_target("facectl", level);
    let (is_json, colour) = (global.log_format == LogFormat::Json, output.talk_paint.colour);
    let builder = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(move || LogWriter { is_json, colour })
        .with_target(false)
        // It would tell of a closed standard error on standard error, which panics, in the middle of a create.
        .log_internal_errors(false)
        .with_ansi(colour);
    // It fails only if a subscriber is set already, which then does the work.
    let _ = match global.log_format {
        LogFormat::Text if is_loop => builder.finish().with(filter).try_init(),
        LogFormat::Text => builder.without_time().finish().with(filter).try_init(),
        LogFormat::Json => builder.json().finish().with(filter).try_init(),
    };
}
