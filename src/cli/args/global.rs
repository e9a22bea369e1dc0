//! What every command understands.

#![allow(rustdoc::bare_urls, reason = "these comments are the help text: terminals show no angle brackets")]

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::face::{Naming, ProjectName};
use crate::sandbox::FaultRule;

use super::media::MediaArgs;
use super::report::ReportTarget;
use super::values::{parse_duration, parse_naming, parse_speed};

/// What every command understands. Flag > environment > facectl.yaml > default.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Common options")]
pub struct Global {
    /// Manifests: files, folders, patterns, or `-` for standard input; repeatable. Paths may also follow the
    /// command. Default: what facectl.yaml names, else its folder
    #[arg(short, long = "file", value_name = "PATH", global = true, env = "FACECTL_FILE", value_delimiter = if cfg!(windows) { ';' } else { ':' })]
    pub file: Vec<String>,

    /// The project's name, part of every creation token; overrides facectl.yaml
    #[arg(long, value_name = "NAME", global = true, env = "FACECTL_PROJECT")]
    pub project: Option<ProjectName>,

    /// The project file, instead of the facectl.yaml found beside or above the manifests
    #[arg(long, value_name = "FILE", global = true, env = "FACECTL_PROJECT_FILE")]
    pub project_file: Option<PathBuf>,

    /// What live names look like: `clean`, or `marker` to keep the creation token in them for ever
    #[arg(long, value_name = "clean|marker", global = true, env = "FACECTL_NAMING", value_parser = parse_naming)]
    pub naming: Option<Naming>,

    /// How results are written on standard output
    #[arg(short, long, value_name = "FORMAT", global = true, env = "FACECTL_OUTPUT", default_value = "text")]
    pub output: OutputFormat,

    /// Write what happens while it happens to this file, one JSON object a line (`facectl schema events`); `-` is
    /// standard output, and results go to standard error then. The file is emptied first; one that holds
    /// anything but events is refused. For validate, plan, apply, wait, status, drift, recover, rollback,
    /// delete, import and reconcile (each pass is a run); elsewhere the variable is ignored and the flag refused
    #[arg(long, value_name = "FILE", global = true, env = "FACECTL_EVENTS", hide_short_help = true)]
    pub events: Option<PathBuf>,

    /// Write the result to a file, too, in one of these forms: json (which it is where none is named), yaml,
    /// markdown, junit, gitlab (the counts that a merge request shows) or codequality; repeatable. Several in
    /// the variable, or after one flag, are separated by `:`, on Windows by `;`. Where the command fails before it has
    /// a result, json and yaml are as `facectl schema failure` says
    #[arg(long, value_name = "[FORMAT=]FILE", global = true, env = "FACECTL_REPORT", value_delimiter = if cfg!(windows) { ';' } else { ':' })]
    pub report: Vec<ReportTarget>,

    /// The API's base, with /v2 (also TAVUS_PUBLIC_API_BASE_URL); plain http only to this machine
    /// [default: https://tavusapi.com/v2]
    #[arg(long, value_name = "URL", global = true, env = "FACECTL_API_URL")]
    pub api_url: Option<String>,

    /// A file that holds the API key, instead of TAVUS_API_KEY
    #[arg(long, value_name = "FILE", global = true, env = "FACECTL_API_KEY_FILE")]
    pub api_key_file: Option<PathBuf>,

    /// More certificate authorities to trust, in PEM form
    #[arg(long, value_name = "FILE", global = true, env = "FACECTL_CA_FILE")]
    pub ca_file: Option<PathBuf>,

    /// Rehearse in a sandbox inside this process: no key, no network, no money, hours in seconds. State and
    /// world live in .facectl/sandbox, apart from the real ones
    #[arg(long, global = true, env = "FACECTL_SANDBOX", value_parser = clap::builder::FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    pub sandbox: bool,

    /// How many seconds pass in the sandbox in one real second
    #[arg(long, value_name = "FACTOR", global = true, env = "FACECTL_SANDBOX_SPEED", default_value_t = 3600.0, value_parser = parse_speed, hide_short_help = true)]
    pub sandbox_speed: f64,

    /// What shall go wrong in the sandbox, such as `create@1:drop-after-effect`; repeatable. `facectl sandbox
    /// --help` lists what there is
    #[arg(
        long,
        value_name = "RULE",
        global = true,
        env = "FACECTL_SANDBOX_FAULT",
        value_delimiter = ',',
        hide_short_help = true
    )]
    pub sandbox_fault: Vec<FaultRule>,

    /// Where the state is kept [default: .facectl beside facectl.yaml]
    #[arg(long, value_name = "DIR", global = true, env = "FACECTL_STATE_DIR")]
    pub state_dir: Option<PathBuf>,

    /// Whether the record is also written to facectl.lock.yaml beside facectl.yaml, to be committed
    /// [default: true]
    #[arg(long, value_name = "BOOL", global = true, env = "FACECTL_LOCK_FILE", num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_short_help = true)]
    pub lock_file: Option<bool>,

    /// Go on although none of the faces seen before is in this account: they were all deleted, and the key
    /// is the right one
    #[arg(long, global = true, env = "FACECTL_ACCEPT_ACCOUNT", value_parser = clap::builder::FalseyValueParser::new(), action = clap::ArgAction::SetTrue, hide_short_help = true)]
    pub accept_account: bool,

    /// Take listings as complete although their count does not add up, for an account in which it never does
    #[arg(long, global = true, env = "FACECTL_ACCEPT_INCOMPLETE_LISTING", value_parser = clap::builder::FalseyValueParser::new(), action = clap::ArgAction::SetTrue, hide_short_help = true)]
    pub accept_incomplete_listing: bool,

    /// How long to wait for a state that another run holds, such as `10m` [default: 0s]
    #[arg(long, value_name = "DURATION", global = true, env = "FACECTL_LOCK_TIMEOUT", value_parser = parse_duration)]
    pub lock_timeout: Option<Duration>,

    /// Reads under way at once [default: 4]
    #[arg(long, value_name = "N", global = true, env = "FACECTL_PARALLELISM", hide_short_help = true, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub parallelism: Option<u32>,

    /// How long one request may take [default: 30s]
    #[arg(long, value_name = "DURATION", global = true, env = "FACECTL_REQUEST_TIMEOUT", hide_short_help = true, value_parser = parse_duration)]
    pub request_timeout: Option<Duration>,

    /// Requests begun per second at most; nothing is limited on loopback [default: 5]
    #[arg(long, value_name = "N", global = true, env = "FACECTL_REQUESTS_PER_SECOND", hide_short_help = true, value_parser = clap::value_parser!(u32).range(1..))]
    pub requests_per_second: Option<u32>,

    #[command(flatten, next_help_heading = "Common options")]
    pub media: MediaArgs,

    /// When to colour: `auto` where a terminal reads, and NO_COLOR is not set
    #[arg(
        long,
        value_name = "WHEN",
        global = true,
        env = "FACECTL_COLOR",
        default_value = "auto",
        hide_short_help = true
    )]
    pub color: ColorChoice,

    /// Never colour
    #[arg(long, global = true, env = "FACECTL_NO_COLOR", value_parser = clap::builder::FalseyValueParser::new(), hide_short_help = true)]
    pub no_color: bool,

    /// Say more: -v what is done, -vv every request, -vvv bodies too (never the key, never a signature)
    #[arg(short, long, global = true, action = clap::ArgAction::Count, env = "FACECTL_VERBOSE")]
    pub verbose: u8,

    /// Say nothing but results and errors
    #[arg(short, long, global = true, env = "FACECTL_QUIET", value_parser = clap::builder::FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    pub quiet: bool,

    /// How logs are written on standard error
    #[arg(
        long,
        value_name = "FORMAT",
        global = true,
        env = "FACECTL_LOG_FORMAT",
        default_value = "text",
        hide_short_help = true
    )]
    pub log_format: LogFormat,
}

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// For programs that read YAML.
    Yaml,
    /// For a comment on a pull request, no longer than one may be.
    Markdown,
    /// For a step of GitHub Actions: the text, notes at file and line, step summary, step outputs.
    Github,
    /// For a merge request of GitLab: the counts of a plan, or problems as a code quality report.
    Gitlab,
    /// For pipelines that show tests: JUnit XML, a test for each face or file.
    Junit,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    /// Where a terminal reads, and NO_COLOR is not set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How logs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}
