//! What a look at the project stands on.

use clap::Args;

/// What a look at the project stands on.
#[derive(Debug, Clone, Default, Args)]
pub struct LookArgs {
    /// Compare the manifests with facectl.lock.yaml alone: no key, no network, no state, nothing written. For pull
    /// requests of strangers: what it shows cannot be applied, and it does not see live faces, failed or running
    /// trainings, drift or PALs. Manifests, facectl.yaml and lock file are read as they are, so whoever wrote them
    /// decides what it shows; it costs and changes nothing. FACECTL_VAR_* are put in as always: set none to a secret
    #[arg(long, env = "FACECTL_OFFLINE", value_parser = clap::builder::FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    pub offline: bool,
    /// Only faces that are declared in another way than where this branch and REV parted (`git diff REV...`), such as
    /// `origin/main`, with the commit that changed each of them last. What a project's default changes counts; a
    /// renamed or newly laid out file does not. It is for looking at: `apply` knows no --since. Needs git and the commits
    #[arg(long, value_name = "REV", env = "FACECTL_SINCE")]
    pub since: Option<String>,
}
