//! The command line. Help text is the doc comments below, complete enough that nobody needs a web page.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::face::{FaceKey, Naming, ProjectName};
use crate::sandbox::FaultRule;

/// Declarative GitOps for Tavus faces.
///
/// Declare faces in YAML, see exactly what a change would do and cost (`plan`), create what is missing
/// (`apply`), wait for trainings that take hours (`wait`), and hear about drift (`drift`). Each training is
/// paid for exactly once, whatever breaks.
///
/// Try it without a key, a network or money: `facectl apply --sandbox -y examples/quickstart`
#[derive(Debug, Parser)]
#[command(name = "facectl", version, max_term_width = 100, subcommand_required = true, arg_required_else_help = true)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

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

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check the manifests; needs no network and no key
    Validate(Paths),
    /// Show what apply would do and cost, and change nothing
    #[command(visible_alias = "preview")]
    Plan(PlanArgs),
    /// Show each live face against the declared one, as a unified diff
    Diff(DiffArgs),
    /// Create what is missing, update what differs, and wait for the trainings
    Apply(ApplyArgs),
    /// Wait for trainings that are under way; safe to interrupt and to run again
    Wait(WaitArgs),
    /// Show how things are: as declared or not, ready or not
    Status(StatusArgs),
    /// Show what somebody else changed since the last apply; never writes anything
    Drift(DriftArgs),
    /// Find out what became of creates that got no answer; sends nothing
    Recover(RecoverArgs),
    /// Open a conversation with a face and print its link
    Converse(ConverseArgs),
    /// Serve the sandbox on this machine, for any client of the Tavus API
    Sandbox(SandboxArgs),
    /// Print the JSON Schema of a kind of manifest
    Schema(SchemaArgs),
    /// Print a shell completion script
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man {
        /// Write one page for each command into this folder instead
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
    /// Explain the exit codes
    #[command(after_help = super::commands::exit_codes::text())]
    ExitCodes,
    /// Print the version
    Version,
}

/// Manifests.
#[derive(Debug, Clone, Args)]
pub struct Paths {
    /// Manifests: files, folders, patterns, or `-`
    #[arg(value_name = "PATH")]
    pub paths: Vec<String>,
}

/// What a plan may do.
#[derive(Debug, Clone, Args)]
pub struct PolicyArgs {
    /// Take over a live face that alone bears a declared face's name and model
    #[arg(long, env = "FACECTL_ADOPT", value_parser = clap::builder::FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    pub adopt: bool,
    /// Train this face again if it is missing, which costs; repeatable
    #[arg(long, value_name = "KEY", env = "FACECTL_RECREATE", value_delimiter = ',')]
    pub recreate: Vec<FaceKey>,
    /// Train this face again if its training failed, which costs; repeatable
    #[arg(long, value_name = "KEY", env = "FACECTL_RETRY", value_delimiter = ',')]
    pub retry: Vec<FaceKey>,
    /// Train this face although a live face bears its name, or a recorded one looks like it under another
    /// key; repeatable
    #[arg(long, value_name = "KEY", env = "FACECTL_CREATE_NEW", value_delimiter = ',')]
    pub create_new: Vec<FaceKey>,
    /// The most trainings that may be started [default: 10]
    #[arg(long, value_name = "N", env = "FACECTL_MAX_TRAININGS")]
    pub max_trainings: Option<u32>,
}

/// `plan`
#[derive(Debug, Args)]
pub struct PlanArgs {
    #[command(flatten)]
    pub paths: Paths,
    #[command(flatten)]
    pub policy: PolicyArgs,
    /// Do not look at the API: compare with what was last seen
    #[arg(long, value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set, num_args = 0..=1, default_missing_value = "true", env = "FACECTL_REFRESH")]
    pub refresh: bool,
    /// Exit with 2 when there are changes
    #[arg(long, env = "FACECTL_DETAILED_EXITCODE", value_parser = clap::builder::FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    pub detailed_exitcode: bool,
    /// Exit with 7 when there are changes
    #[arg(long, env = "FACECTL_EXPECT_NO_CHANGES", value_parser = clap::builder::FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    pub expect_no_changes: bool,
}

/// `diff`
#[derive(Debug, Args)]
pub struct DiffArgs {
    #[command(flatten)]
    pub paths: Paths,
    /// Exit with 2 when there are differences
    #[arg(long, env = "FACECTL_DETAILED_EXITCODE", value_parser = clap::builder::FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    pub detailed_exitcode: bool,
}

/// How to wait.
#[derive(Debug, Clone, Args)]
pub struct WaitOptions {
    /// How long to wait, such as `5h30m`; then exit with 9 [default: as long as it takes]
    #[arg(long, value_name = "DURATION", env = "FACECTL_WAIT_TIMEOUT", value_parser = parse_duration)]
    pub wait_timeout: Option<Duration>,
    /// A fixed time between two looks [default: 15s for a young phoenix-4.5 face, then 2m, then 5m]
    #[arg(long, value_name = "DURATION", env = "FACECTL_POLL_INTERVAL", value_parser = parse_duration)]
    pub poll_interval: Option<Duration>,
    /// How long after its sending a create without an answer may still show up [default: 120s]
    #[arg(long, value_name = "DURATION", env = "FACECTL_SETTLE_WINDOW", value_parser = parse_positive_duration)]
    pub settle_window: Option<Duration>,
    /// Look once for creates in doubt, do not wait for them, and exit with 10 if one remains
    #[arg(long, env = "FACECTL_NO_SETTLE", value_parser = clap::builder::FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    pub no_settle: bool,
}

/// `apply`
#[derive(Debug, Args)]
pub struct ApplyArgs {
    #[command(flatten)]
    pub paths: Paths,
    #[command(flatten)]
    pub policy: PolicyArgs,
    #[command(flatten)]
    pub wait: WaitOptions,
    /// Do not ask
    #[arg(short = 'y', long, env = "FACECTL_AUTO_APPROVE", value_parser = clap::builder::FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    pub auto_approve: bool,
    /// Do not wait for the trainings
    #[arg(long, env = "FACECTL_NO_WAIT", value_parser = clap::builder::FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    pub no_wait: bool,
    /// Creates under way at once [default: 2]
    #[arg(long, value_name = "N", env = "FACECTL_CREATE_PARALLELISM", value_parser = clap::value_parser!(u32).range(1..=16))]
    pub create_parallelism: Option<u32>,
    /// Exit with 7, and change nothing, when there are changes
    #[arg(long, env = "FACECTL_EXPECT_NO_CHANGES", value_parser = clap::builder::FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    pub expect_no_changes: bool,
}

/// `wait`
#[derive(Debug, Args)]
pub struct WaitArgs {
    #[command(flatten)]
    pub paths: Paths,
    #[command(flatten)]
    pub wait: WaitOptions,
}

/// `status`
#[derive(Debug, Args)]
pub struct StatusArgs {
    #[command(flatten)]
    pub paths: Paths,
    /// Do not look at the API: show what was last seen
    #[arg(long, value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set, num_args = 0..=1, default_missing_value = "true", env = "FACECTL_REFRESH")]
    pub refresh: bool,
}

/// `drift`
#[derive(Debug, Args)]
pub struct DriftArgs {
    #[command(flatten)]
    pub paths: Paths,
    /// Exit with 2 when there is drift
    #[arg(long, env = "FACECTL_DETAILED_EXITCODE", value_parser = clap::builder::FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    pub detailed_exitcode: bool,
    /// Exit with 7 when there is drift
    #[arg(long, env = "FACECTL_EXPECT_NO_CHANGES", value_parser = clap::builder::FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    pub expect_no_changes: bool,
}

/// `recover`
///
/// Looks for the token of every create that got no answer, and settles what it can: found (its training did
/// start, and is recorded now), absent (two complete listings after the settle window do not show it), or
/// still in doubt. Sends nothing.
#[derive(Debug, Args)]
pub struct RecoverArgs {
    #[command(flatten)]
    pub paths: Paths,
    #[command(flatten)]
    pub wait: WaitOptions,
    /// Take this create as never begun, on your word: for an account whose listings never prove it. Look in
    /// the Tavus console first: if its training did start, the next apply pays twice; repeatable
    #[arg(long, value_name = "KEY")]
    pub assume_absent: Vec<FaceKey>,
}

/// `converse`
///
/// A conversation costs minutes of your plan from the moment it is created, whether somebody joins or not.
/// With --test nothing joins and nothing is charged.
#[derive(Debug, Args)]
pub struct ConverseArgs {
    /// The face
    #[arg(value_name = "KEY")]
    pub key: FaceKey,
    /// A test: nothing joins, nothing is charged, the room is created already ended
    #[arg(long)]
    pub test: bool,
    /// The PAL that says how the face behaves
    #[arg(long, value_name = "PAL_ID", env = "FACECTL_PAL")]
    pub pal: Option<String>,
    /// What the conversation is listed under
    #[arg(long, value_name = "TEXT")]
    pub name: Option<String>,
    /// Do not ask
    #[arg(short = 'y', long)]
    pub yes: bool,
}

/// `sandbox`
#[derive(Debug, Args)]
#[command(after_long_help = super::commands::sandbox::after_help())]
pub struct SandboxArgs {
    /// The port, on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 8787, env = "FACECTL_SANDBOX_PORT")]
    pub port: u16,
    /// How many seconds pass in it in one real second
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, env = "FACECTL_SANDBOX_SERVER_SPEED", value_parser = parse_speed)]
    pub speed: f64,
    /// Where its world is kept; without it the world ends with the server
    #[arg(long, value_name = "FILE")]
    pub world: Option<PathBuf>,
    /// What shall go wrong; repeatable
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    pub fault: Vec<FaultRule>,
    /// The only key that is taken [default: any that does not begin with `wrong` or `bad`]
    #[arg(long, value_name = "KEY")]
    pub accept_key: Option<String>,
    /// Refuse fields and query parameters that the contract does not list
    #[arg(long)]
    pub strict: bool,
}

/// `schema`
#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// Which kind
    #[arg(default_value = "face")]
    pub kind: SchemaKind,
}

/// Kinds that have a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemaKind {
    /// `kind: Face`
    Face,
    /// `kind: Project`, facectl.yaml
    Project,
}

fn parse_naming(text: &str) -> Result<Naming, String> {
    match text {
        "clean" => Ok(Naming::Clean),
        "marker" => Ok(Naming::Marker),
        _ => Err("it is `clean` or `marker`".to_owned()),
    }
}

fn parse_speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if speed.is_finite() && speed > 0.0 && speed <= 1e6 => Ok(speed),
        _ => Err("a number above 0, up to 1000000".to_owned()),
    }
}

/// Reads `90s`, `5h30m`, `2 minutes`, `PT1H`.
fn parse_duration(text: &str) -> Result<Duration, String> {
    let duration: jiff::SignedDuration = text.parse().map_err(|_| "a duration such as 90s, 10m or 5h30m".to_owned())?;
    Duration::try_from(duration).map_err(|_| "a duration that is not negative".to_owned())
}

/// Reads a duration that has to be one: without a settle window a lost answer would prove nothing.
fn parse_positive_duration(text: &str) -> Result<Duration, String> {
    match parse_duration(text)? {
        duration if duration.is_zero() => Err("a duration longer than 0s".to_owned()),
        duration => Ok(duration),
    }
}
