//! `media`

#![allow(rustdoc::bare_urls, reason = "these comments are the help text: terminals show no angle brackets")]

use clap::{Args, Subcommand, ValueEnum};

use crate::face::{Model, SourceKind};

use super::values::parse_model;

/// Look at training material, without paying for anything
#[derive(Debug, Args)]
pub struct MediaCommandArgs {
    #[command(subcommand)]
    pub command: MediaCommand,
}

/// What to do with material.
#[derive(Debug, Subcommand)]
pub enum MediaCommand {
    Inspect(InspectArgs),
}

/// Show what a link, an object or a file is, and what Tavus would refuse
///
/// Fetches the first bytes and the index, never the whole, and says what kind of file it is, how long it runs, how large
/// its picture is, how it is encoded, how long its link holds, and what is wrong with it, each with the rule and how sure
/// that rule is. Needs no key and no project. Exits with 1 where something would keep a training from working.
///
///   facectl media inspect ana.mp4
///   facectl media inspect 'https://media.acme.dev/ana.mp4?X-Amz-Signature=…'
///   facectl media inspect s3://acme-media/ana.mp4 --model phoenix-4
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct InspectArgs {
    /// A link, an object (s3://, gs://, az://), `exec:COMMAND`, or a file
    #[arg(value_name = "LINK|FILE", required = true)]
    pub sources: Vec<String>,
    /// The model that it would be for
    #[arg(long, value_name = "MODEL", default_value = "phoenix-4.5", value_parser = parse_model, env = "FACECTL_MODEL")]
    pub model: Model,
    /// What it would be for [default: what it is]
    #[arg(long, value_name = "KIND")]
    pub kind: Option<MaterialKind>,
}

/// What material is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MaterialKind {
    /// `train_video_url`
    Video,
    /// `train_image_url`
    Image,
}

impl From<MaterialKind> for SourceKind {
    fn from(kind: MaterialKind) -> Self {
        match kind {
            MaterialKind::Video => Self::Video,
            MaterialKind::Image => Self::Image,
        }
    }
}
