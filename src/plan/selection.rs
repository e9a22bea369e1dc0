//! A part of the project: which faces get an entry in the plan.
//!
//! Everything is still loaded and compared, so that renamed keys, names that two faces share, and who owns what are
//! judged by the whole project. The selection only decides about which faces anything is said and done.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::face::FaceKey;

use super::{LabelSelector, Since};

/// Which faces are meant: those that fit a target, no exclusion, and every selector. Empty: all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Selection {
    /// `--target`: only these.
    pub targets: Vec<KeyPattern>,
    /// `--exclude`: these not.
    pub exclude: Vec<KeyPattern>,
    /// `--selector`: only declared faces with such labels; each must hold.
    pub labels: Vec<LabelSelector>,
    /// `--since`: only faces that changed since a revision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Since>,
}

impl Selection {
    /// Returns whether a face is meant. A face that left the manifests has no labels, so that no selector means
    /// it: nobody can tell which ones it had.
    pub fn selects(&self, key: &FaceKey, labels: Option<&BTreeMap<String, String>>) -> bool {
        let Self { targets, exclude, labels: selectors, since } = self;
        let is_met = |selector: &LabelSelector| labels.is_some_and(|labels| selector.is_met_by(labels));
        (targets.is_empty() || targets.iter().any(|pattern| pattern.is_met_by(key)))
            && !exclude.iter().any(|pattern| pattern.is_met_by(key))
            && selectors.iter().all(is_met)
            && since.as_ref().is_none_or(|since| since.faces.contains_key(key))
    }

    /// Returns whether it means every face.
    pub fn is_everything(&self) -> bool {
        let Self { targets, exclude, labels, since } = self;
        targets.is_empty() && exclude.is_empty() && labels.is_empty() && since.is_none()
    }
}

/// The flags that ask for it.
impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { targets, exclude, labels, since } = self;
        let since = since.iter().map(|since| format!("--since {}", since.rev));
        let targets = targets.iter().map(|pattern| format!("--target {pattern}"));
        let exclude = exclude.iter().map(|pattern| format!("--exclude {pattern}"));
        let labels = labels.iter().map(|selector| match selector.to_string() {
            text if text.contains([' ', '(', '!']) => format!("-l '{text}'"),
            text => format!("-l {text}"),
        });
        f.write_str(&targets.chain(exclude).chain(labels).chain(since).collect::<Vec<_>>().join(" "))
    }
}

/// A key, or a pattern of keys: `*`, `?` and `[ab]` as in a shell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct KeyPattern(glob::Pattern);

/// Why a text is neither a key nor a pattern of keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Nothing at all.
    #[error("it is empty")]
    Empty,
    /// No pattern.
    #[error("it is no pattern: {0}")]
    NoPattern(String),
    /// No key could ever fit.
    #[error("no face can be called that: a key has small letters, digits, `-` and `.`")]
    NoKey,
}

impl KeyPattern {
    /// Returns whether a key fits.
    pub fn is_met_by(&self, key: &FaceKey) -> bool {
        self.0.matches(key.as_str())
    }

    /// Returns whether it is one key, and no pattern.
    pub fn is_one_key(&self) -> bool {
        !self.0.as_str().contains(['*', '?', '['])
    }

    /// Returns it as it was written.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl FromStr for KeyPattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        if text.is_empty() {
            return Err(PatternError::Empty);
        }
        let pattern = glob::Pattern::new(text).map_err(|error| PatternError::NoPattern(error.msg.to_owned()))?;
        let pattern = Self(pattern);
        // A slip such as `Ana` or `faces/ana.yaml` is told at once, and not as a face that is not there.
        if pattern.is_one_key() && text.parse::<FaceKey>().is_err() {
            return Err(PatternError::NoKey);
        }
        Ok(pattern)
    }
}

impl fmt::Display for KeyPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl From<KeyPattern> for String {
    fn from(pattern: KeyPattern) -> Self {
        pattern.as_str().to_owned()
    }
}

impl TryFrom<String> for KeyPattern {
    type Error = PatternError;

    fn try_from(text: String) -> Result<Self, PatternError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selection(targets: &[&str], exclude: &[&str], labels: &[&str]) -> Selection {
        Selection {
            targets: targets.iter().map(|text| text.parse().unwrap()).collect(),
            exclude: exclude.iter().map(|text| text.parse().unwrap()).collect(),
            labels: labels.iter().map(|text| text.parse().unwrap()).collect(),
            since: None,
        }
    }

    #[test]
    fn a_face_is_meant_by_any_target_no_exclusion_and_every_selector() {
        let support = BTreeMap::from([("team".to_owned(), "support".to_owned())]);
        let (declared, left) = (Some(&support), None);
        for (targets, exclude, labels, key, of, wanted, why) in [
            (&[][..], &[][..], &[][..], "ana", left, true, "nothing is asked for, so all are meant"),
            (&["ana"], &[], &[], "ana", declared, true, "it is named"),
            (&["ana"], &[], &[], "ana-2", declared, false, "a key is no beginning of a key"),
            (&["bo", "an*"], &[], &[], "ana", left, true, "one target is enough, also for a face that left"),
            (&[], &["an*"], &[], "ana", declared, false, "it is excluded"),
            (&["ana"], &["ana"], &[], "ana", declared, false, "an exclusion beats a target"),
            (&[], &["b?"], &[], "ana", left, true, "another one is excluded"),
            (&[], &[], &["team=support"], "ana", declared, true, "its labels fit"),
            (&[], &[], &["team=support", "!team"], "ana", declared, false, "each selector must hold"),
            (&[], &[], &["!team"], "ana", left, false, "a face that left has no labels, not even missing ones"),
            (&["ana"], &[], &["team=sales"], "ana", declared, false, "target and selector must both hold"),
        ] {
            let selection = selection(targets, exclude, labels);
            assert_eq!(selection.selects(&key.parse().unwrap(), of), wanted, "{selection}: {why}");
        }
    }

    #[test]
    fn a_pattern_that_no_key_can_fit_is_refused() {
        for text in ["", "Ana", "ana bo", "faces/ana.yaml", "[", "a***"] {
            assert!(text.parse::<KeyPattern>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn it_is_shown_as_the_flags_that_ask_for_it_and_comes_back_from_json() {
        let selection = selection(&["ana", "b*"], &["bo"], &["team=a,b", "!c"]);
        assert_eq!(selection.to_string(), "--target ana --target b* --exclude bo -l team=a,b -l '!c'");
        let json = serde_json::to_string(&selection).unwrap();
        assert_eq!(serde_json::from_str::<Selection>(&json).unwrap(), selection);
    }
}
