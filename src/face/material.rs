//! What is asked of material before a training is paid for, what the answers are, and which version of it lies there.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One question that is asked of material. A closed set: its words are what `--skip-preflight` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// Is it somewhere that can be reached from the public internet, also after name resolution and redirects?
    Address,
    /// Does a plain GET without credentials bring it?
    Reachable,
    /// Is it the material itself, and no page about it, nor a login?
    Page,
    /// Does the link live long enough?
    Expiry,
    /// Does the link end with temporary credentials?
    Credentials,
    /// Does the link bring the same thing a second time?
    Stable,
    /// Is it small enough?
    Size,
    /// Is it a kind of file that is taken, and what its sender calls it?
    Type,
    /// Are picture and sound encoded in a way that is taken?
    Codec,
    /// Is it long enough?
    Duration,
    /// Has it enough pixels, and enough pictures a second?
    Picture,
    /// Is there sound in it?
    Audio,
    /// Is what a name stands for there at all, and can it be read: an object, a file, a command's answer?
    Source,
}

impl Check {
    /// Every check, in the order in which they are made.
    pub const ALL: [Self; 13] = [
        Self::Source,
        Self::Address,
        Self::Expiry,
        Self::Credentials,
        Self::Reachable,
        Self::Page,
        Self::Stable,
        Self::Size,
        Self::Type,
        Self::Codec,
        Self::Duration,
        Self::Picture,
        Self::Audio,
    ];

    /// Returns its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Reachable => "reachable",
            Self::Page => "page",
            Self::Expiry => "expiry",
            Self::Credentials => "credentials",
            Self::Stable => "stable",
            Self::Size => "size",
            Self::Type => "type",
            Self::Codec => "codec",
            Self::Duration => "duration",
            Self::Picture => "picture",
            Self::Audio => "audio",
            Self::Source => "source",
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// A word that names no check.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no such check; there are {}", Check::ALL.map(Check::word).join(", "))]
pub struct NoSuchCheck;

impl FromStr for Check {
    type Err = NoSuchCheck;

    fn from_str(text: &str) -> Result<Self, NoSuchCheck> {
        Self::ALL.into_iter().find(|check| check.word() == text).ok_or(NoSuchCheck)
    }
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The training would fail: nothing is paid for.
    Error,
    /// It may well work, and could be better.
    Advice,
}

/// How sure a rule is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Certainty {
    /// Tavus' own pages say so, as a limit.
    Documented,
    /// Tavus' own pages recommend it.
    Recommended,
    /// It was seen to be so, by somebody.
    Observed,
    /// It follows from what the link or the answer itself says.
    Evident,
    /// Nothing confirms it; it is the safe side.
    Assumed,
}

impl Certainty {
    /// Returns its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Documented => "documented",
            Self::Recommended => "recommended",
            Self::Observed => "observed",
            Self::Evident => "evident",
            Self::Assumed => "assumed",
        }
    }
}

/// One thing that was found about material. Holds no signature: whoever makes it shows links by [`super::Link::shown`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// Which question it answers.
    pub check: Check,
    /// How bad it is.
    pub severity: Severity,
    /// What was found: a lower-case fragment without a period, such as `it is 812 MB long`.
    pub message: String,
    /// The rule, such as `a video has at most 750 MB`.
    pub rule: String,
    /// How sure that rule is.
    pub certainty: Certainty,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl Finding {
    /// Makes a finding that stops a training.
    pub fn error(check: Check, message: impl Into<String>, rule: impl Into<String>, certainty: Certainty) -> Self {
        Self { check, severity: Severity::Error, message: message.into(), rule: rule.into(), certainty, help: None }
    }

    /// Makes a finding that stops nothing.
    pub fn advice(check: Check, message: impl Into<String>, rule: impl Into<String>, certainty: Certainty) -> Self {
        Self { severity: Severity::Advice, ..Self::error(check, message, rule, certainty) }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Returns it on one line: `size: it is 812 MB (rule: a video has at most 750 MB; documented)`.
    pub fn line(&self) -> String {
        let Self { check, severity: _, message, rule, certainty, help: _ } = self;
        format!("{check}: {message} (rule: {rule}; {})", certainty.word())
    }

    /// Returns whether it stops a training.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// Which version of an object lies under its name, as the store says it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Revision {
    /// The version's id, where the bucket keeps versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The entity tag, which most stores make from the content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
}

impl Revision {
    /// Returns whether the content is another one. Unknown never differs; and the same content that was put there
    /// again, under a new version with the same entity tag, is the same.
    pub fn differs_from(&self, other: &Self) -> bool {
        match (&self.etag, &other.etag, &self.version, &other.version) {
            (Some(one), Some(other), ..) if one == other => false,
            (_, _, Some(one), Some(other)) => one != other,
            (Some(one), Some(other), ..) => one != other,
            _ => false,
        }
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.version, &self.etag) {
            (Some(version), _) => f.pad(&format!("version {version}")),
            (None, Some(etag)) => f.pad(&format!("etag {}", etag.trim_matches('"'))),
            (None, None) => f.pad("an unknown version"),
        }
    }
}

/// What a look at the material of one face showed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MaterialSight {
    /// Which version lies there now, where the store says it.
    pub revision: Option<Revision>,
    /// What was found about it; none where nobody asked.
    pub findings: Option<Vec<Finding>>,
}

impl MaterialSight {
    /// Returns what stops a training from it.
    pub fn errors(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().flatten().filter(|finding| finding.is_error())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_check_is_read_back_from_its_word() {
        for check in Check::ALL {
            assert_eq!(check.word().parse(), Ok(check));
            assert_eq!(serde_json::to_value(check).unwrap(), check.word());
        }
        assert!("codecs".parse::<Check>().unwrap_err().to_string().contains("codec, duration"));
    }

    #[test]
    fn a_revision_differs_only_where_both_say_so() {
        let revision = |version: Option<&str>, etag: Option<&str>| Revision {
            version: version.map(str::to_owned),
            etag: etag.map(str::to_owned),
        };
        for (one, other, differs, why) in [
            (revision(None, Some("a")), revision(None, Some("b")), true, "another content"),
            (revision(None, Some("a")), revision(None, Some("a")), false, "the same content"),
            (
                revision(Some("1"), Some("a")),
                revision(Some("2"), Some("a")),
                false,
                "the same content, put there again",
            ),
            (revision(Some("1"), Some("a")), revision(Some("2"), Some("b")), true, "another version"),
            (revision(Some("1"), Some("a")), revision(Some("1"), Some("b")), false, "one version is one content"),
            (revision(Some("1"), None), revision(None, Some("b")), false, "nothing to compare"),
            (revision(None, None), revision(None, Some("b")), false, "unknown never differs"),
        ] {
            assert_eq!(one.differs_from(&other), differs, "{why}");
            assert_eq!(other.differs_from(&one), differs, "{why}, the other way round");
        }
    }
}
