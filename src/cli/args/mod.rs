//! The command line. Help text is the doc comments below, complete enough that nobody needs a web page.

mod approve;
mod ci;
mod delete;
mod explain;
mod export;
mod fmt;
mod global;
mod import;
mod init;
mod inspect;
mod look;
mod media;
mod reconcile;
mod report;
mod rollback;
mod selection;
mod show;
mod state;
mod values;
mod voices;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::face::FaceKey;
use crate::plan::ExpectedDigest;
use crate::sandbox::FaultRule;

pub use approve::ApproveArgs;
pub use ci::{CiArgs, CiCommand, CommentArgs, ForgeArgs, IssueArgs};
pub use delete::DeleteArgs;
pub use explain::ExplainArgs;
pub use export::ExportArgs;
pub use fmt::FmtArgs;
pub use global::{ColorChoice, Global, LogFormat, OutputFormat};
pub use import::ImportArgs;
pub use init::{CiSystem, InitArgs};
pub use inspect::{InspectArgs, MediaCommand, MediaCommandArgs};
pub use look::LookArgs;
pub use media::Skip;
pub use reconcile::{Heal, ReconcileArgs};
pub use report::{ReportForm, ReportTarget, settle};
pub use rollback::RollbackArgs;
pub use selection::SelectionArgs;
pub use show::ShowArgs;
pub use state::{ForgetArgs, HistoryArgs, MoveArgs, PushArgs, StateArgs, StateCommand, StateShowArgs};
pub use values::parse_model;
use values::{parse_duration, parse_positive_duration, parse_speed};
pub use voices::VoicesArgs;

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

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    Init(InitArgs),
    /// Check the manifests; needs no network and no key
    ///
    /// Checks every rule that can be checked without asking anybody, and shows all problems at once, each with its place.
    /// With --online the training material of every face is looked at, too, as `plan` and `apply` do before they pay for
    /// one: that needs the network, and the stores' own credentials for objects, and no key of Tavus.
    Validate(ValidateArgs),
    Fmt(FmtArgs),
    Media(MediaCommandArgs),
    /// Show what apply would do and cost, and change nothing
    #[command(visible_alias = "preview")]
    Plan(PlanArgs),
    /// Show a plan that was saved with `plan --out`
    ///
    /// As it was shown then, with its digest, when it was made and from which commit. Nothing is looked up: whether the
    /// plan still stands is checked by `facectl apply FILE`, before anything is sent.
    Show(ShowArgs),
    /// Show each live face against the declared one, as a unified diff
    Diff(DiffArgs),
    /// Create what is missing, update what differs, and wait for the trainings
    ///
    /// Shows the plan, asks, and carries it out. Instead of manifests the path may be a plan that `facectl plan --out
    /// FILE` saved: then nothing is asked, and exactly that plan is carried out, once, or nothing at all. What it
    /// stands on is looked at again first: manifests, record, live faces. What has moved is said, with exit code 5.
    Apply(ApplyArgs),
    /// Wait for trainings that are under way; safe to interrupt and to run again
    Wait(WaitArgs),
    /// Show how things are: as declared or not, ready or not
    Status(StatusArgs),
    /// Show what somebody else changed since the last apply; never writes anything
    Drift(DriftArgs),
    /// Find out what became of creates that got no answer; sends nothing
    ///
    /// Looks for the token of every create that got no answer, and settles what it can: found (its training did
    /// start, and is recorded now), absent (two complete listings after the settle window do not show it), or
    /// still in doubt.
    Recover(RecoverArgs),
    Reconcile(ReconcileArgs),
    Rollback(RollbackArgs),
    Delete(DeleteArgs),
    /// Look at what is remembered, and change it by hand
    ///
    /// Looks at what is remembered, and changes it by hand where nothing else helps. None of these commands needs a
    /// key, the network, or sound manifests, and none of them changes or deletes a live face.
    State(StateArgs),
    /// Open a conversation with a face and print its link
    ///
    /// A conversation costs minutes of your plan from the moment it is created, whether somebody joins or not.
    /// With --test nothing joins and nothing is charged.
    Converse(ConverseArgs),
    /// List the voices that a manifest can name, and how
    ///
    /// Lists stock voices and your own, with the line that a manifest names each by: `voice_name: anna` for a
    /// stock voice by its slug (only for a face from a photo), or `default_voice_id: v…` for a voice with an id.
    /// Needs a key, and no manifest. Only what can be used now is shown; --all shows the rest with its status.
    Voices(VoicesArgs),
    /// Record a face that lives already under a declared key; sends nothing, costs nothing
    ///
    /// Records that a live face of the account is the declared one: from then on it is planned, updated and
    /// waited for like any other. What it was trained from is not known, and never counts as a difference, so
    /// that nothing is trained anew. It sends nothing but questions and costs nothing.
    ///
    /// The key must be declared (`facectl export` writes a manifest for a live face). A face that failed, that
    /// another key holds, that carries another project's creation token, or that is of the stock catalogue is
    /// refused.
    ///
    /// With --assume-current the inputs of the manifest are recorded as what the face was trained from: then a
    /// later change of them is seen, and needs a new training. It can be given later, too, once a source was added
    /// to the manifest of an imported face, and where the same material has a new link.
    Import(ImportArgs),
    /// Write manifests for the faces that live in the account already
    ///
    /// Writes a manifest for each live face of your own that is neither recorded nor declared yet, ready to be
    /// applied: `facectl apply` then takes the faces over by their ids, and trains nothing. So an account that
    /// was filled by hand comes under git in two commands. It needs no manifest and no facectl.yaml to begin
    /// with.
    ///
    /// The key is made from the face's name. What the API does not tell (what a face was trained from) stands in
    /// the manifest as a comment. Faces whose training failed are left out.
    Export(ExportArgs),
    /// Say at the forge, GitHub or GitLab, what a pipeline found: in one comment, in one issue
    Ci(CiArgs),
    /// Serve the sandbox on this machine, for any client of the Tavus API
    Sandbox(SandboxArgs),
    Explain(ExplainArgs),
    /// Print the JSON Schema of a manifest, or of something that facectl writes
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
    #[command(after_help = crate::cli::commands::exit_codes::text())]
    ExitCodes,
    /// Print the version
    Version,
}

impl Command {
    /// Returns what events and reports call a command; empty for one that tells none.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Validate(_) => "validate",
            Self::Plan(_) => "plan",
            Self::Apply(_) => "apply",
            Self::Wait(_) => "wait",
            Self::Status(_) => "status",
            Self::Drift(_) => "drift",
            Self::Recover(_) => "recover",
            Self::Rollback(_) => "rollback",
            Self::Delete(_) => "delete",
            Self::Import(_) => "import",
            Self::Reconcile(_) => "reconcile",
            _ => "",
        }
    }
}

/// Manifests.
#[derive(Debug, Clone, Args)]
pub struct Paths {
    /// Manifests: files, folders, patterns, or `-`
    #[arg(value_name = "PATH")]
    pub paths: Vec<String>,
}

/// `validate`
#[derive(Debug, Clone, Args)]
pub struct ValidateArgs {
    #[command(flatten)]
    pub paths: Paths,
    /// Look at the training material of every face, too: can it be fetched, and could a training from it work
    #[arg(long, env = "FACECTL_ONLINE", value_parser = clap::builder::FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    pub online: bool,
    /// Fail where a file was skipped: among manifests it may be one that lost its shape
    #[arg(long, env = "FACECTL_STRICT", value_parser = clap::builder::FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    pub strict: bool,
    /// With --online: do not ask one of these questions: address, expiry, credentials, reachable, page, stable, size,
    /// type, codec, duration, picture, audio
    #[arg(long, value_name = "CHECK", env = "FACECTL_SKIP_PREFLIGHT", value_delimiter = ',', num_args = 0..=1, require_equals = true, default_missing_value = "all")]
    pub skip_preflight: Vec<Skip>,
}

/// What a plan may do.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
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
    /// Why, for the history: with --retry, --recreate or --create-new
    #[arg(long, value_name = "TEXT", env = "FACECTL_REASON")]
    pub reason: Option<String>,
    /// Train this face although a live face bears its name, or a recorded one looks like it under another
    /// key; repeatable
    #[arg(long, value_name = "KEY", env = "FACECTL_CREATE_NEW", value_delimiter = ',')]
    pub create_new: Vec<FaceKey>,
    /// Do not wait before the first paid training although neither state nor lock file know the project: it has never
    /// run anywhere, on no other machine and on no disk that was lost. Without it `apply` and `reconcile` wait one
    /// settle window and look again, unless a person approves the plan at a terminal
    #[arg(long, env = "FACECTL_FRESH", value_parser = clap::builder::FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    // True of the moment it is said, so it is not saved with a plan.
    #[serde(skip)]
    pub fresh: bool,
    /// Go on to this face again although somebody went back from it (`rollback`); repeatable
    #[arg(long, value_name = "KEY", env = "FACECTL_ROLL_FORWARD", value_delimiter = ',')]
    pub roll_forward: Vec<FaceKey>,
    /// Delete faces that left the manifests, or were replaced longer than retire_after ago, where
    /// lifecycle.on_removal says delete or hard_delete. Never one that is protected or that a PAL uses
    #[arg(long, env = "FACECTL_PRUNE", value_parser = clap::builder::FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    pub prune: bool,
    /// Go on where nothing at all is declared: the project has no face left on purpose
    #[arg(long, env = "FACECTL_ALLOW_EMPTY", value_parser = clap::builder::FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    pub allow_empty: bool,
    /// With --prune: also faces whose training failed less than a day ago, which may lose the refund
    #[arg(long, env = "FACECTL_PRUNE_FAILED", value_parser = clap::builder::FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    pub prune_failed: bool,
    /// The most trainings that may be started [default: 10]
    #[arg(long, value_name = "N", env = "FACECTL_MAX_TRAININGS")]
    pub max_trainings: Option<u32>,
    /// The most faces that may be deleted [default: 3]
    #[arg(long, value_name = "N", env = "FACECTL_MAX_DELETIONS")]
    pub max_deletions: Option<u32>,
    /// Do not look at training material before it is paid for, or not ask one of these questions of it: address,
    /// expiry, credentials, reachable, page, stable, size, type, codec, duration, picture, audio
    #[arg(long, value_name = "CHECK", env = "FACECTL_SKIP_PREFLIGHT", value_delimiter = ',', num_args = 0..=1, require_equals = true, default_missing_value = "all")]
    pub skip_preflight: Vec<Skip>,
}

/// `plan`
#[derive(Debug, Args)]
pub struct PlanArgs {
    #[command(flatten)]
    pub paths: Paths,
    #[command(flatten)]
    pub selection: SelectionArgs,
    #[command(flatten)]
    pub policy: PolicyArgs,
    #[command(flatten)]
    pub look: LookArgs,
    /// Look at the API first; `--refresh=false` compares with what was last seen
    #[arg(long, value_name = "BOOL", conflicts_with = "offline", default_value_t = true, action = clap::ArgAction::Set, num_args = 0..=1, require_equals = true, default_missing_value = "true", env = "FACECTL_REFRESH")]
    pub refresh: bool,
    /// Save the plan, for `facectl apply FILE` to carry out exactly this and nothing else; it holds no secret
    #[arg(long, value_name = "FILE", env = "FACECTL_OUT")]
    pub out: Option<PathBuf>,
    /// Exit with 2 when there are changes or blocked faces
    #[arg(long, env = "FACECTL_DETAILED_EXITCODE", value_parser = clap::builder::FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    pub detailed_exitcode: bool,
    /// Exit with 7 when there are changes or blocked faces
    #[arg(long, env = "FACECTL_EXPECT_NO_CHANGES", value_parser = clap::builder::FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    pub expect_no_changes: bool,
}

/// `diff`
#[derive(Debug, Args)]
pub struct DiffArgs {
    #[command(flatten)]
    pub paths: Paths,
    #[command(flatten)]
    pub selection: SelectionArgs,
    #[command(flatten)]
    pub look: LookArgs,
    /// Exit with 2 when there are differences
    #[arg(long, env = "FACECTL_DETAILED_EXITCODE", value_parser = clap::builder::FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    pub detailed_exitcode: bool,
}

/// How to wait.
#[derive(Debug, Clone, Default, Args)]
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
#[derive(Debug, Clone, Args)]
pub struct ApplyArgs {
    #[command(flatten)]
    pub paths: Paths,
    #[command(flatten)]
    pub selection: SelectionArgs,
    #[command(flatten)]
    pub policy: PolicyArgs,
    #[command(flatten)]
    pub wait: WaitOptions,
    /// Do not ask
    #[arg(short = 'y', long, visible_alias = "yes", env = "FACECTL_AUTO_APPROVE", value_parser = clap::builder::FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    pub auto_approve: bool,
    /// Go on only if the plan has this digest, as `facectl plan` prints it; else exit with 5
    #[arg(long, value_name = "DIGEST", env = "FACECTL_EXPECT_DIGEST")]
    pub expect_digest: Option<ExpectedDigest>,
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
    pub selection: SelectionArgs,
    #[command(flatten)]
    pub wait: WaitOptions,
}

/// `status`
#[derive(Debug, Args)]
pub struct StatusArgs {
    #[command(flatten)]
    pub paths: Paths,
    #[command(flatten)]
    pub selection: SelectionArgs,
    /// Look at the API first; `--refresh=false` shows what was last seen
    #[arg(long, value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set, num_args = 0..=1, require_equals = true, default_missing_value = "true", env = "FACECTL_REFRESH")]
    pub refresh: bool,
}

/// `drift`
#[derive(Debug, Args)]
pub struct DriftArgs {
    #[command(flatten)]
    pub paths: Paths,
    #[command(flatten)]
    pub selection: SelectionArgs,
    /// Exit with 2 when there is drift
    #[arg(long, env = "FACECTL_DETAILED_EXITCODE", value_parser = clap::builder::FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    pub detailed_exitcode: bool,
    /// Exit with 7 when there is drift
    #[arg(long, env = "FACECTL_EXPECT_NO_CHANGES", value_parser = clap::builder::FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    pub expect_no_changes: bool,
}

/// `recover`
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
    #[command(flatten)]
    pub approve: ApproveArgs,
}

/// `sandbox`
#[derive(Debug, Args)]
#[command(after_long_help = crate::cli::commands::sandbox::after_help())]
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
    /// What `plan -o json` prints
    Plan,
    /// What `plan --out FILE` saves
    SavedPlan,
    /// What `apply`, `wait`, `delete` and `rollback` print with `-o json`
    Outcome,
    /// What `status -o json` prints
    Status,
    /// What `drift -o json` prints
    Drift,
    /// What `validate -o json` prints, and every other command whose manifests cannot be used
    Validation,
    /// What `--report` writes as JSON where a command fails before it has a result
    Failure,
    /// What `media inspect -o json` prints
    Inspection,
    /// A line of what `--events` writes
    Events,
    /// facectl.lock.yaml
    Lock,
    /// What `state pull` writes
    State,
}
