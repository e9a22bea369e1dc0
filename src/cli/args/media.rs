//! What every command understands about training material.

use std::collections::BTreeSet;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::face::{Check, ObjectPrefix};
use crate::manifest::LINK_LIFETIMES;
use crate::media::{AllowedCommand, Commands, parse_seen_variable};

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
    /// A command line that `exec:` in a manifest may run on this machine; repeatable, and separated by commas
    ///
    /// `sign --bucket faces` allows these words and more behind them, `sign` allows the program without arguments, and
    /// `sign *` allows any arguments. The program is compared as it is written. Without this flag nothing is run: a
    /// manifest may be a stranger's, and so may a program in the checkout, so name one outside of it.
    #[arg(
        long,
        value_name = "COMMAND",
        global = true,
        env = "FACECTL_ALLOW_EXEC",
        value_delimiter = ',',
        value_parser = AllowedCommand::parse,
        hide_short_help = true
    )]
    pub allow_exec: Vec<AllowedCommand>,
    /// A variable that such a command sees besides PATH, HOME, locale, proxies, TLS roots and AWS_*, GOOGLE_*,
    /// CLOUDSDK_* and AZURE_*; repeatable. Never TAVUS_*, FACECTL_* or a token of the forge
    #[arg(
        long,
        value_name = "NAME",
        global = true,
        env = "FACECTL_EXEC_ENV",
        value_delimiter = ',',
        value_parser = parse_seen_variable,
        hide_short_help = true
    )]
    pub exec_env: Vec<String>,
    /// Look at material also where the API is on this machine: a gateway stands there, and no sandbox
    #[arg(long, global = true, env = "FACECTL_PREFLIGHT", value_parser = clap::builder::FalseyValueParser::new(), action = clap::ArgAction::SetTrue, hide_short_help = true)]
    pub preflight: bool,
}

impl MediaArgs {
    /// Returns what manifests may run on this machine.
    pub fn commands(&self) -> Commands {
        Commands { allowed: self.allow_exec.clone(), variables: self.exec_env.clone() }
    }
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
