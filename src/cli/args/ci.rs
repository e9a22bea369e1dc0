//! `facectl ci`

#![allow(rustdoc::bare_urls, reason = "these comments are the help text: terminals show no angle brackets")]

use clap::{Args, Subcommand, ValueEnum};

use crate::forge::{Commit, ForgeKind, Label};

/// `ci`
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub struct CiArgs {
    #[command(subcommand)]
    pub command: CiCommand,
}

/// What to say at the forge.
#[derive(Debug, Subcommand)]
pub enum CiCommand {
    /// Write a text into the one comment of this project on the pull request
    ///
    /// Posts the text as a comment of the pull request (merge request) that the job runs for, or edits the one that is
    /// there: one for each project name, safe for jobs at the same time, and never a comment that somebody else wrote. A
    /// job of an older run leaves a newer run's text alone. For example: `facectl plan -o markdown | facectl ci comment`
    ///
    /// On GitHub the token is FACECTL_GITHUB_TOKEN, GH_TOKEN or GITHUB_TOKEN, with the permission `pull-requests:
    /// write`; on GitLab it is FACECTL_GITLAB_TOKEN or GITLAB_TOKEN, with the scope `api` (CI_JOB_TOKEN may not
    /// comment). It is never shown.
    ///
    /// With --number the pull request must have the commit of the job, or of --head-sha, at its head: a number that a
    /// stranger's job handed on leads to no other pull request. Otherwise nothing is written, and the exit code is 0.
    Comment(CommentArgs),
    /// Open, update or close the one issue of this project
    ///
    /// Opens an issue with the text, or replaces title and text of the one that is open: one for each project name.
    /// People are told by a comment only where the finding changed. With --close it is closed, if one is open. For
    /// example: `facectl ci issue drift.md --title "Faces drifted"`
    ///
    /// Tokens as for `ci comment`; GitHub needs the permission `issues: write`.
    Issue(IssueArgs),
}

/// `ci comment`
#[derive(Debug, Args)]
pub struct CommentArgs {
    /// The text: a file in markdown, or `-` for standard input
    #[arg(value_name = "BODY", default_value = "-")]
    pub body: String,
    /// The pull request [default: the one that the job runs for]
    #[arg(long, visible_alias = "pull-request", value_name = "N", env = "FACECTL_FORGE_NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    pub number: Option<u64>,
    #[command(flatten)]
    pub forge: ForgeArgs,
}

/// `ci issue`
#[derive(Debug, Args)]
pub struct IssueArgs {
    /// The text: a file in markdown, or `-` for standard input, which is the default; with --close what to say last
    #[arg(value_name = "BODY")]
    pub body: Option<String>,
    /// The title; with --close it does not matter
    #[arg(long, value_name = "TEXT", required_unless_present = "close")]
    pub title: Option<String>,
    /// Close the issue, if one is open
    #[arg(long, conflicts_with = "finding")]
    pub close: bool,
    /// The label by which the issue is found again
    #[arg(long, value_name = "LABEL", default_value = "facectl-drift", env = "FACECTL_FORGE_LABEL")]
    pub label: Label,
    /// What was found, in any form that changes only when the finding does, such as a digest [default: the text]
    #[arg(long, value_name = "TEXT")]
    pub finding: Option<String>,
    #[command(flatten)]
    pub forge: ForgeArgs,
}

/// Where the forge is. All of it comes from the CI's own variables otherwise.
#[derive(Debug, Clone, Args)]
pub struct ForgeArgs {
    /// Which kind of forge
    #[arg(long = "forge", value_name = "KIND", env = "FACECTL_FORGE")]
    pub kind: Option<ForgeWord>,
    /// The repository: OWNER/NAME, on GitLab also the project's number
    #[arg(long, value_name = "NAME", env = "FACECTL_FORGE_REPOSITORY")]
    pub repository: Option<String>,
    /// The commit that the text speaks about
    #[arg(long, value_name = "COMMIT", env = "FACECTL_HEAD_SHA")]
    pub head_sha: Option<Commit>,
    /// The forge's API, such as https://git.example.com/api/v3; plain http only to this machine
    #[arg(long, value_name = "URL", env = "FACECTL_FORGE_URL")]
    pub forge_url: Option<String>,
    /// Where the token may not write, or there is none, warn and exit with 0: for pull requests from forks, whose jobs
    /// get a token that may only read
    #[arg(long, env = "FACECTL_IF_PERMITTED", value_parser = clap::builder::FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    pub if_permitted: bool,
    /// Print what would be written; needs no token and sends nothing. A rehearsal (--sandbox) does the same
    #[arg(long)]
    pub dry_run: bool,
}

/// Which kind of forge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ForgeWord {
    /// github.com or GitHub Enterprise Server
    Github,
    /// gitlab.com or a GitLab of one's own
    Gitlab,
}

impl From<ForgeWord> for ForgeKind {
    fn from(word: ForgeWord) -> Self {
        match word {
            ForgeWord::Github => Self::GitHub,
            ForgeWord::Gitlab => Self::GitLab,
        }
    }
}
