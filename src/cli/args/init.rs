//! `init`

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::face::{Model, ProjectName};

use super::ApproveArgs;
use super::values::parse_model;

/// Begin a project: facectl.yaml, a first face, a pipeline
///
/// Writes into DIR, which is made if need be:
///
///   facectl.yaml        the project: defaults, limits
///   faces/ana.yaml      a face to begin with, unless there are faces
///   schemas/            the JSON Schemas, for editors; the first lines of the manifests name them
///   .gitignore          one line: the state stays out of git
///   .gitattributes      one line: lock files of two branches merge by themselves
///   .github/ or .gitlab/ with .gitlab-ci.yml
///                       a pipeline: plan pull requests and comment on them, apply what is merged,
///                       finish long waits in short jobs, look for drift every night
///
/// Whatever exists is kept, so that it can be run again, such as for what is missing. On a terminal
/// it asks for the name and the model unless they are given; elsewhere, and with -y, it takes the
/// defaults. Needs no network and no key, and creates nothing in Tavus.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct InitArgs {
    /// The folder [default: this one]
    #[arg(value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// The project's name, part of every creation token [default: from the name of the folder]
    #[arg(long, value_name = "NAME", env = "FACECTL_NAME")]
    pub name: Option<ProjectName>,
    /// What faces are trained for unless they say otherwise: phoenix-3, phoenix-4 or phoenix-4.5
    /// [default: phoenix-4]
    #[arg(long, value_name = "MODEL", env = "FACECTL_MODEL", value_parser = parse_model)]
    pub model: Option<Model>,
    /// Where the pipeline runs [default: what the repository looks like, else github]
    #[arg(long, value_name = "SYSTEM", env = "FACECTL_CI")]
    pub ci: Option<CiSystem>,
    #[command(flatten)]
    pub approve: ApproveArgs,
}

/// Where a pipeline runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CiSystem {
    /// GitHub Actions.
    Github,
    /// GitLab CI/CD.
    Gitlab,
    /// No pipeline.
    None,
}
