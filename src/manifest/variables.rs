//! `${FACECTL_VAR_…}` inside values.
//!
//! Only variables with that prefix: a pull request from a stranger must not be able to send `TAVUS_API_KEY`,
//! or any other secret of the machine, to a link of its choice. They are put in after parsing, so a value can
//! never add a field.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeMap;

use super::diagnostic::nearest;
use super::source::FILE_LIMIT;

/// The longest text that variables may make, in bytes. Links are limited to some thousand, and a name to a hundred
/// characters: a text that repeats a variable must not take the machine's memory.
const EXPANDED_LIMIT: usize = 16 * 1024;

/// What the name of a variable must begin with.
pub const VARIABLE_PREFIX: &str = "FACECTL_VAR_";

/// What all texts of one file may grow to, in bytes: each of a hundred thousand annotations may be as long as one may be.
const FILE_BUDGET: usize = 2 * FILE_LIMIT;

/// The variables that the texts of one file may use.
#[derive(Debug)]
pub(super) struct Variables<'v> {
    values: &'v BTreeMap<String, String>,
    /// How much more may be made of them.
    left: Cell<usize>,
}

impl<'v> Variables<'v> {
    pub(super) fn of(values: &'v BTreeMap<String, String>) -> Self {
        Self { values, left: Cell::new(FILE_BUDGET) }
    }
}

/// A text with its variables filled in.
#[derive(Debug)]
pub(super) struct Expanded<'t> {
    pub(super) text: Cow<'t, str>,
    /// Whether a variable had a part in it: then it may be secret and is never shown.
    pub(super) has_variables: bool,
}

/// Why a text cannot be filled in.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) message: String,
    pub(super) help: String,
}

/// Fills in the variables of a text. `$${` stands for `${`.
pub(super) fn expand<'t>(text: &'t str, variables: &Variables<'_>) -> Result<Expanded<'t>, Refusal> {
    if !text.contains("${") {
        return Ok(Expanded { text: Cow::Borrowed(text), has_variables: false });
    }
    let (mut out, mut rest, mut has_variables) = (String::with_capacity(text.len().min(EXPANDED_LIMIT)), text, false);
    while let Some(at) = rest.find("${") {
        let (before, after) = (&rest[..at], &rest[at + 2..]);
        if let Some(before) = before.strip_suffix('$') {
            out.push_str(before);
            out.push_str("${");
            rest = after;
            continue;
        }
        out.push_str(before);
        let Some((name, after)) = after.split_once('}') else {
            return Err(Refusal {
                message: "`${` is not closed by `}`".to_owned(),
                help: "write `$${` if the text itself contains `${`".to_owned(),
            });
        };
        let value = value_of(name, variables.values)?;
        // Before it is put in: what is refused must not have been made.
        if variables.left.get() == 0 {
            return Err(too_long("the file up to here", FILE_BUDGET));
        }
        if out.len() + value.len() > EXPANDED_LIMIT {
            return Err(too_long("this", EXPANDED_LIMIT));
        }
        out.push_str(value);
        has_variables = true;
        rest = after;
    }
    if has_variables && out.len() + rest.len() > EXPANDED_LIMIT {
        return Err(too_long("this", EXPANDED_LIMIT));
    }
    out.push_str(rest);
    if has_variables {
        let left = variables.left.get().checked_sub(out.len());
        variables.left.set(left.unwrap_or_default());
        left.ok_or_else(|| too_long("the file up to here", FILE_BUDGET))?;
    }
    Ok(Expanded { text: Cow::Owned(out), has_variables })
}

fn too_long(what: &str, limit: usize) -> Refusal {
    Refusal {
        message: format!("with its variables filled in, {what} is longer than {} KiB", limit / 1024),
        help: "shorten the text, or the values of its variables".to_owned(),
    }
}

fn value_of<'v>(name: &str, values: &'v BTreeMap<String, String>) -> Result<&'v str, Refusal> {
    let is_name = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !is_name(name) {
        return Err(Refusal {
            message: "`${…}` does not hold the name of a variable".to_owned(),
            help: format!("write `${{{VARIABLE_PREFIX}NAME}}`; defaults and other shell forms are not supported"),
        });
    }
    if !name.starts_with(VARIABLE_PREFIX) || name == VARIABLE_PREFIX {
        return Err(Refusal {
            message: format!("the variable `{name}` cannot be used in a manifest"),
            help: format!(
                "only variables whose name begins with {VARIABLE_PREFIX} can, so that a manifest from a stranger \
                 cannot send a secret of this machine away; a value that is meant for manifests is passed under \
                 such a name"
            ),
        });
    }
    values.get(name).map(String::as_str).ok_or_else(|| Refusal {
        message: format!("the variable `{name}` is not set"),
        help: match nearest(name, values.keys().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`? else set it in the environment"),
            None => "set it in the environment in which facectl runs".to_owned(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(text: &str) -> Result<String, String> {
        let values = BTreeMap::from([("FACECTL_VAR_HOST".to_owned(), "media.example.com".to_owned())]);
        match expand(text, &Variables::of(&values)) {
            Ok(expanded) => Ok(expanded.text.into_owned()),
            Err(refusal) => Err(refusal.message),
        }
    }

    #[test]
    fn only_our_variables_are_filled_in_and_a_doubled_dollar_escapes() {
        assert_eq!(expanded("https://${FACECTL_VAR_HOST}/a").unwrap(), "https://media.example.com/a");
        assert_eq!(expanded("$${FACECTL_VAR_HOST} $5 $").unwrap(), "${FACECTL_VAR_HOST} $5 $");
        for bad in ["${TAVUS_API_KEY}", "${HOME}", "${FACECTL_VAR_}", "${", "${}", "${A B}", "${FACECTL_VAR_X:-y}"] {
            assert!(expanded(bad).is_err(), "{bad}");
        }
        assert_eq!(expanded("${FACECTL_VAR_HOTS}").unwrap_err(), "the variable `FACECTL_VAR_HOTS` is not set");
    }

    #[test]
    fn what_variables_make_is_bounded() {
        let values = BTreeMap::from([("FACECTL_VAR_X".to_owned(), "x".repeat(8192))]);
        let filled = |times: usize| {
            expand(&"${FACECTL_VAR_X}".repeat(times), &Variables::of(&values)).map(|filled| filled.text.len())
        };
        assert_eq!(filled(2).unwrap(), EXPANDED_LIMIT);
        for times in [3, 250_000] {
            let refusal = filled(times).unwrap_err();
            assert_eq!(refusal.message, "with its variables filled in, this is longer than 16 KiB");
        }
        assert!(expand(&format!("${{FACECTL_VAR_X}}{}", "y".repeat(EXPANDED_LIMIT)), &Variables::of(&values)).is_err());
        let file = Variables::of(&values);
        let filled = std::iter::repeat_with(|| expand("${FACECTL_VAR_X}", &file)).take_while(Result::is_ok).count();
        assert_eq!(filled, FILE_BUDGET / 8192);
    }

    #[test]
    fn a_value_is_not_filled_in_again() {
        let values = BTreeMap::from([("FACECTL_VAR_A".to_owned(), "${FACECTL_VAR_A}${HOME}".to_owned())]);
        assert_eq!(expand("${FACECTL_VAR_A}", &Variables::of(&values)).unwrap().text, "${FACECTL_VAR_A}${HOME}");
    }
}
