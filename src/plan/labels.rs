//! Label selectors, in kubectl's grammar.
//!
//! ```text
//! selector    = requirement *( "," requirement )          all of them must hold
//! requirement = key | "!" key                             it has the label, or has it not
//!             | key ( "=" | "==" | "!=" ) value
//!             | key ( "in" | "notin" ) "(" value *( "," value ) ")"
//! ```
//!
//! As in Kubernetes (API concepts, "Labels and Selectors", read October 2026), `!=` and `notin` hold for a face that
//! does not have the label at all. Unlike there, an empty selector and an empty value in parentheses are errors: both
//! come from a variable that was not set, and would select more than anybody meant.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which labels a face must have, and which not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct LabelSelector {
    requirements: Vec<Requirement>,
    /// As it was written, for messages.
    text: String,
}

/// One part of a selector.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Requirement {
    key: String,
    test: Test,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    Exists,
    Absent,
    In(BTreeSet<String>),
    NotIn(BTreeSet<String>),
}

/// Why a text is no label selector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} (such as `team=support,tier!=1,region in (eu,us),approved,!legacy`)")]
pub struct SelectorError(String);

impl LabelSelector {
    /// Returns whether a face with these labels is meant.
    pub fn is_met_by(&self, labels: &BTreeMap<String, String>) -> bool {
        self.requirements.iter().all(|Requirement { key, test }| {
            let value = labels.get(key);
            match test {
                Test::Exists => value.is_some(),
                Test::Absent => value.is_none(),
                Test::In(values) => value.is_some_and(|value| values.contains(value)),
                Test::NotIn(values) => value.is_none_or(|value| !values.contains(value)),
            }
        })
    }
}

impl FromStr for LabelSelector {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, SelectorError> {
        let requirements = parts(text)?.into_iter().map(requirement).collect::<Result<_, _>>()?;
        Ok(Self { requirements, text: text.trim().to_owned() })
    }
}

impl fmt::Display for LabelSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl From<LabelSelector> for String {
    fn from(selector: LabelSelector) -> Self {
        selector.text
    }
}

impl TryFrom<String> for LabelSelector {
    type Error = SelectorError;

    fn try_from(text: String) -> Result<Self, SelectorError> {
        text.parse()
    }
}

/// Cuts at the commas that stand outside of parentheses.
fn parts(text: &str) -> Result<Vec<&str>, SelectorError> {
    let (mut parts, mut start, mut is_inside) = (Vec::new(), 0, false);
    for (place, letter) in text.char_indices() {
        match letter {
            '(' if is_inside => return Err(SelectorError(format!("`{text}` opens a parenthesis inside another"))),
            ')' if !is_inside => {
                return Err(SelectorError(format!("`{text}` closes a parenthesis that was not opened")));
            }
            '(' => is_inside = true,
            ')' => is_inside = false,
            ',' if !is_inside => {
                parts.push(&text[start..place]);
                start = place + 1;
            }
            _ => {}
        }
    }
    if is_inside {
        return Err(SelectorError(format!("`{text}` does not close its parenthesis")));
    }
    parts.push(&text[start..]);
    Ok(parts)
}

fn requirement(part: &str) -> Result<Requirement, SelectorError> {
    let part = part.trim();
    if part.is_empty() {
        return Err(SelectorError("there is an empty requirement in it".to_owned()));
    }
    if let Some(key) = part.strip_prefix('!') {
        return Ok(Requirement { key: checked_key(key, part)?, test: Test::Absent });
    }
    // The longer operators first: `=` is a part of both.
    for (operator, is_wanted) in [("!=", false), ("==", true), ("=", true)] {
        if let Some((key, value)) = part.split_once(operator) {
            let values = BTreeSet::from([checked_value(value, part)?]);
            let test = if is_wanted { Test::In(values) } else { Test::NotIn(values) };
            return Ok(Requirement { key: checked_key(key, part)?, test });
        }
    }
    let Some((head, list)) = part.split_once('(') else {
        return Ok(Requirement { key: checked_key(part, part)?, test: Test::Exists });
    };
    let values = values(list, part)?;
    match head.split_whitespace().collect::<Vec<_>>().as_slice() {
        [key, "in"] => Ok(Requirement { key: checked_key(key, part)?, test: Test::In(values) }),
        [key, "notin"] => Ok(Requirement { key: checked_key(key, part)?, test: Test::NotIn(values) }),
        _ => Err(SelectorError(format!("`{part}` is neither `label in (…)` nor `label notin (…)`"))),
    }
}

/// Reads what follows an opening parenthesis.
fn values(list: &str, part: &str) -> Result<BTreeSet<String>, SelectorError> {
    let Some((list, rest)) = list.split_once(')') else {
        return Err(SelectorError(format!("`{part}` does not close its parenthesis")));
    };
    if !rest.trim().is_empty() {
        return Err(SelectorError(format!("after `{part}` a comma is missing")));
    }
    let values: BTreeSet<String> = list.split(',').map(|value| checked_value(value, part)).collect::<Result<_, _>>()?;
    if values.contains("") {
        return Err(SelectorError(format!("there is an empty value in `{part}`")));
    }
    Ok(values)
}

fn checked_key(key: &str, part: &str) -> Result<String, SelectorError> {
    let key = key.trim();
    match !key.is_empty() && is_word(key, "/") {
        true => Ok(key.to_owned()),
        false => Err(SelectorError(format!("`{key}` in `{part}` cannot be the name of a label"))),
    }
}

fn checked_value(value: &str, part: &str) -> Result<String, SelectorError> {
    let value = value.trim();
    match is_word(value, "") {
        true => Ok(value.to_owned()),
        false => Err(SelectorError(format!("`{value}` in `{part}` cannot be the value of a label"))),
    }
}

/// What manifests may use: letters, digits, `-`, `_` and `.`.
fn is_word(text: &str, extra: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c) || extra.contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_met(selector: &str, labels: &[(&str, &str)]) -> bool {
        let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        selector.parse::<LabelSelector>().unwrap_or_else(|error| panic!("{selector}: {error}")).is_met_by(&labels)
    }

    #[test]
    fn a_selector_means_what_it_means_to_kubectl() {
        let ana: &[(&str, &str)] = &[("team", "support"), ("tier", "2"), ("empty", "")];
        for (selector, wanted, why) in [
            ("team=support", true, "equal"),
            ("team==support", true, "the same, written with two signs"),
            ("team=sales", false, "not equal"),
            ("team!=sales", true, "another value"),
            ("team!=support", false, "that very value"),
            ("owner!=bob", true, "without the label it has another value, too"),
            ("team in (support,sales)", true, "one of these"),
            ("team in (sales)", false, "none of these"),
            ("owner in (bob)", false, "without the label it is none of these"),
            ("team notin (sales, legal)", true, "none of these, as wanted"),
            ("owner notin (bob)", true, "without the label it is none of these, as wanted"),
            ("team", true, "it has the label"),
            ("owner", false, "it has not"),
            ("!owner", true, "it has not, as wanted"),
            ("! team", false, "it has, a blank does not matter"),
            ("empty=", true, "a label may be empty"),
            ("team=", false, "and this one is not"),
            ("team = support , tier != 1 , tier in ( 2 , 3 ) , empty , !owner", true, "all hold, blanks or not"),
            ("team=support,tier=1", false, "all must hold"),
            ("in=out", false, "a label may be called like an operator"),
            ("!in", true, "even here"),
            ("example.com/team", false, "a prefix belongs to the name"),
        ] {
            assert_eq!(is_met(selector, ana), wanted, "{selector}: {why}");
        }
    }

    #[test]
    fn what_is_no_selector_is_refused_and_not_guessed_at() {
        for (text, why) in [
            ("", "an empty requirement"),
            (" ", "an empty requirement"),
            ("team=a,", "an empty requirement"),
            ("team=a,,tier=1", "an empty requirement"),
            ("!", "`` in `!`"),
            ("=a", "cannot be the name of a label"),
            ("team=a b", "`a b` in `team=a b` cannot be the value"),
            ("team=a=b", "cannot be the value"),
            ("team in a", "`team in a` in `team in a` cannot be the name"),
            ("team in (a", "does not close its parenthesis"),
            ("team in a)", "closes a parenthesis that was not opened"),
            ("team in ((a))", "opens a parenthesis inside another"),
            ("team in ()", "an empty value"),
            ("team in (a,)", "an empty value"),
            ("team in (a) tier=1", "cannot be the"),
            ("team in (a) tier", "a comma is missing"),
            ("team of (a)", "neither `label in (…)` nor"),
            ("tier>1", "cannot be the name of a label"),
            ("größe=1", "cannot be the name of a label"),
        ] {
            let error = text.parse::<LabelSelector>().unwrap_err().to_string();
            assert!(error.contains(why), "{text:?}: {error}");
        }
    }
}
