//! A part of the project.

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::plan::{KeyPattern, LabelSelector, Selection};

/// Which faces are meant. Without any of these: all of them.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SelectionArgs {
    /// Only this face, or the faces that fit a pattern such as `ana-*`; also one that left the manifests;
    /// repeatable. All faces are still compared, and what is left out is counted
    #[arg(long, value_name = "KEY", env = "FACECTL_TARGET", value_delimiter = ',')]
    pub target: Vec<KeyPattern>,
    /// Not this face, nor the faces that fit a pattern; repeatable, and stronger than --target
    #[arg(long, value_name = "KEY", env = "FACECTL_EXCLUDE", value_delimiter = ',')]
    pub exclude: Vec<KeyPattern>,
    /// Only declared faces with such labels, in kubectl's grammar: `team=support,tier!=1,region in (eu,us),
    /// approved,!legacy`; repeatable, each must hold
    #[arg(short = 'l', long, value_name = "LABELS", env = "FACECTL_SELECTOR")]
    pub selector: Vec<LabelSelector>,
}

impl SelectionArgs {
    /// Returns what they ask for.
    pub fn selection(&self) -> Selection {
        let Self { target, exclude, selector } = self;
        Selection { targets: target.clone(), exclude: exclude.clone(), labels: selector.clone(), since: None }
    }
}
