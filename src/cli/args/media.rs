//! What every command understands about training material.

use std::collections::BTreeSet;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::face::{Check, ObjectPrefix};
use crate::manifest::LINK_LIFETIMES;

use super::values::parse_duration;

/// How training material gets to Tavus.
#[derive(Debug, Clone, Default, Args)]
pub struct MediaArgs {
    /// Where local files are uploaded to, each once: s3://BUCKET/PREFIX, gs://… or az://ACCOUNT/CONTAINER/PREFIX;
    /// overrides spec.media.upload
    #[arg(long, value_name = "PLACE", global = true, env = "FACECTL_MEDIA_UPLOAD", hide_short_help = true, value_parser = parse_place)]
    pub media_upload: Option<ObjectPrefix>,
    /// How long the links hold that are signed for objects, 24h to 7d [default: 48h]
    #[arg(long, value_name = "DURATION", global = true, env = "FACECTL_LINK_LIFETIME", hide_short_help = true, value_parser = parse_lifetime)]
    pub link_lifetime: Option<Duration>,
    /// A program that `exec:` in a manifest may run on this machine, as it is written there; repeatable. Without it none
    /// is run: a manifest may be a stranger's, and so may a program in the checkout: name one outside of it
    #[arg(
        long,
        value_name = "PROGRAM",
        global = true,
        env = "FACECTL_ALLOW_EXEC",
        value_delimiter = ',',
        hide_short_help = true
    )]
    pub allow_exec: Vec<String>,
    /// Look at material also where the API is on this machine: a gateway stands there, and no sandbox
    #[arg(long, global = true, env = "FACECTL_PREFLIGHT", value_parser = clap::builder::FalseyValueParser::new(), action = clap::ArgAction::SetTrue, hide_short_help = true)]
    pub preflight: bool,
}

fn parse_place(text: &str) -> Result<ObjectPrefix, String> {
    ObjectPrefix::parse(text).map_err(|error| error.to_string())
}

fn parse_lifetime(text: &str) -> Result<Duration, String> {
    let lifetime = parse_duration(text)?;
    LINK_LIFETIMES.contains(&lifetime).then_some(lifetime).ok_or_else(|| {
        "between 24h, as long as Tavus may fetch the material, and 7d, as long as a store signs for".to_owned()
    })
}

/// What is not asked of material.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", untagged)]
pub enum Skip {
    /// Nothing is asked.
    All(All),
    /// One question.
    One(Check),
}

/// The word for everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum All {
    /// All questions.
    All,
}

impl FromStr for Skip {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.parse::<Check>()) {
            // What a variable for a switch is set to.
            ("all" | "true" | "1", _) => Ok(Self::All(All::All)),
            // Without its source nothing can be sent at all.
            (_, Ok(check)) if check != Check::Source => Ok(Self::One(check)),
            _ => {
                let checks = Check::ALL.into_iter().filter(|check| *check != Check::Source).map(Check::word);
                Err(format!("it is `all`, or one of {}", checks.collect::<Vec<_>>().join(", ")))
            }
        }
    }
}

impl Skip {
    /// Returns every question that is not asked.
    pub fn checks(skips: &[Self]) -> BTreeSet<Check> {
        let checks = |skip: &Self| match skip {
            Self::All(All::All) => Check::ALL.to_vec(),
            Self::One(check) => vec![*check],
        };
        skips.iter().flat_map(checks).collect()
    }
}
