//! `facectl reconcile`

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::values::{parse_duration, parse_positive_duration};
use super::{Paths, PolicyArgs, SelectionArgs, Skip, WaitOptions};

/// Follow a folder or a git repository, and keep the live faces as it declares them
///
/// Runs until it is stopped: on each new commit, and at every interval, it loads the manifests, plans, carries the
/// plan out within the limits, and looks after trainings that are under way, without waiting for them. It is the
/// same plan and the same apply as elsewhere, with the same limits and protections; nothing is asked.
///
/// What a commit breaks is reported, and the last good manifests stay in force. Limits count over the last 24 hours
/// here, unless spec.limits says over how long. A face for which something failed is tried again after a minute, then
/// two, then four, at most an hour, and at once when its manifest changes. Drift of names and voices is healed
/// (--heal); a face that is missing is never trained again by itself.
///
/// SIGHUP reads the key anew and looks at once; SIGTERM and Ctrl-C end it in order.
#[derive(Debug, Args)]
pub struct ReconcileArgs {
    #[command(flatten)]
    pub paths: Paths,
    /// Follow this git repository instead of a folder: a path, file://, ssh:// or https://, or host:path. It is asked
    /// by the git command line with your git and ssh settings; paths are then seen from its root, or from --path
    #[arg(long, value_name = "URL", env = "FACECTL_GIT")]
    pub git: Option<String>,
    /// The branch to follow
    #[arg(long, value_name = "NAME", default_value = "main", env = "FACECTL_BRANCH")]
    pub branch: String,
    /// The folder of the repository that holds the project [default: its root]
    #[arg(long, value_name = "FOLDER", env = "FACECTL_PATH", requires = "git")]
    pub path: Option<String>,
    /// How often the source is asked and the live faces are compared
    #[arg(long, value_name = "DURATION", default_value = "60s", env = "FACECTL_INTERVAL", value_parser = parse_positive_duration)]
    pub interval: Duration,
    /// What is healed where somebody else changed a live face: `name`, `voice`, both, or `none`
    #[arg(long, value_name = "WHAT", default_value = "name,voice", value_delimiter = ',', env = "FACECTL_HEAL")]
    pub heal: Vec<Heal>,
    /// One pass, then exit with its code, as for a schedule of your own
    #[arg(long, env = "FACECTL_ONCE", value_parser = clap::builder::FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    pub once: bool,
    /// Plan and report, and change nothing
    #[arg(long, env = "FACECTL_DRY_RUN", value_parser = clap::builder::FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    pub dry_run: bool,
    /// Serve /healthz, /readyz and /metrics here, such as 127.0.0.1:8080
    #[arg(long, value_name = "ADDRESS", env = "FACECTL_LISTEN")]
    pub listen: Option<SocketAddr>,
    /// A file that holds a secret: then training callbacks are taken at POST /callbacks/SECRET. They only hurry the
    /// next look
    #[arg(long, value_name = "FILE", env = "FACECTL_CALLBACK_SECRET_FILE", requires = "listen")]
    pub callback_secret_file: Option<PathBuf>,
    #[command(flatten)]
    pub selection: SelectionArgs,
    /// Take over a live face that alone bears a declared face's name and model
    #[arg(long, env = "FACECTL_ADOPT", value_parser = clap::builder::FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    pub adopt: bool,
    /// Delete what left the manifests, as `apply --prune`
    #[arg(long, env = "FACECTL_PRUNE", value_parser = clap::builder::FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    pub prune: bool,
    /// Do not wait before the first paid training although neither state nor lock file know the project: it has never
    /// run anywhere
    #[arg(long, env = "FACECTL_FRESH", value_parser = clap::builder::FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    pub fresh: bool,
    /// The most trainings that may be started within the time that limits count over [default: 10]
    #[arg(long, value_name = "N", env = "FACECTL_MAX_TRAININGS")]
    pub max_trainings: Option<u32>,
    /// The most faces that may be deleted within the time that limits count over [default: 3]
    #[arg(long, value_name = "N", env = "FACECTL_MAX_DELETIONS")]
    pub max_deletions: Option<u32>,
    /// Do not look at training material before it is paid for, or not ask these questions of it (as `apply` has it)
    #[arg(long, value_name = "CHECK", env = "FACECTL_SKIP_PREFLIGHT", value_delimiter = ',', num_args = 0..=1, require_equals = true, default_missing_value = "all")]
    pub skip_preflight: Vec<Skip>,
    /// A fixed time between two looks at trainings [default: 15s for a young phoenix-4.5 face, then 2m, then 5m]
    #[arg(long, value_name = "DURATION", env = "FACECTL_POLL_INTERVAL", value_parser = parse_duration)]
    pub poll_interval: Option<Duration>,
    /// How long after its sending a create without an answer may still show up [default: 120s]
    #[arg(long, value_name = "DURATION", env = "FACECTL_SETTLE_WINDOW", value_parser = parse_positive_duration)]
    pub settle_window: Option<Duration>,
    /// Creates under way at once [default: 2]
    #[arg(long, value_name = "N", env = "FACECTL_CREATE_PARALLELISM", value_parser = clap::value_parser!(u32).range(1..=16))]
    pub create_parallelism: Option<u32>,
}

/// What is healed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Heal {
    /// The name.
    Name,
    /// The default voice.
    Voice,
    /// Nothing.
    None,
}

impl ReconcileArgs {
    /// Returns what a pass may do. Nothing that a person allows once is among it.
    pub fn policy(&self) -> PolicyArgs {
        PolicyArgs {
            adopt: self.adopt,
            prune: self.prune,
            fresh: self.fresh,
            max_trainings: self.max_trainings,
            max_deletions: self.max_deletions,
            skip_preflight: self.skip_preflight.clone(),
            ..PolicyArgs::default()
        }
    }

    /// Returns how a pass waits: not at all.
    pub fn wait(&self) -> WaitOptions {
        WaitOptions {
            wait_timeout: None,
            poll_interval: self.poll_interval,
            settle_window: self.settle_window,
            no_settle: true,
        }
    }

    /// Returns whether something is healed.
    pub fn heals(&self, what: Heal) -> bool {
        self.heal.contains(&what)
    }
}
