//! The one writer of YAML: whatever it writes reads the same everywhere.
//!
//! Others read what we write: the lock file, `-o yaml`, exported manifests. For a reader of YAML 1.1 (PyYAML, Psych,
//! go-yaml v2) `no` is false, `2024-01-02` a date, `1:20` eighty and `=` the end of the document; for one of YAML 1.2 `0o7` is
//! seven. So a text stands without quotes only where none of them takes it for something else.
//!
//! Sources: yaml.org/type (YAML 1.1) and YAML 1.2.2, section 10.3; PyYAML `resolver.py`, Psych `scalar_scanner.rb`, go-yaml v2
//! `resolve.go` (read in November 2026). The layout is that of `serde_yaml`, whose files are still around.

use std::borrow::Cow;
use std::fmt::Write;

use serde::Serialize;
use serde_json::{Map, Number, Value};

use crate::text;

/// The longest key that every reader takes without a `?` before it, in bytes (YAML 1.2.2, section 7.4.3: 1024).
const KEY_LIMIT: usize = 1000;

/// Returns a value as a YAML document, by way of JSON: of an enum's variant a tag would be left, which most readers
/// refuse.
///
/// # Errors
/// For a map whose keys are no text.
pub(crate) fn to_string(value: &impl Serialize) -> Result<String, serde_json::Error> {
    let value = serde_json::to_value(value)?;
    let mut out = String::new();
    match &value {
        Value::Object(fields) if !fields.is_empty() => map(&mut out, fields, 0),
        Value::Array(items) if !items.is_empty() => list(&mut out, items, 0),
        scalar => {
            leaf(&mut out, scalar);
            out.push('\n');
        }
    }
    Ok(out)
}

/// Writes one field of a map that stands `indent` blanks in.
///
/// # Errors
/// For a map whose keys are no text.
pub(crate) fn field(
    out: &mut String,
    name: &str,
    value: &impl Serialize,
    indent: usize,
) -> Result<(), serde_json::Error> {
    let value = serde_json::to_value(value)?;
    entry(out, name, &value, indent);
    Ok(())
}

/// Returns a text as a scalar, in quotes wherever a reader could take it for something else.
pub(crate) fn scalar(text: &str) -> Cow<'_, str> {
    let is_printable = !text.contains(['\n', '\t']) && matches!(text::visible(text), Cow::Borrowed(_));
    match is_printable {
        false => Cow::Owned(double_quoted(text)),
        true if is_plain(text) => Cow::Borrowed(text),
        true => Cow::Owned(format!("'{}'", text.replace('\'', "''"))),
    }
}

fn map(out: &mut String, fields: &Map<String, Value>, indent: usize) {
    for (name, value) in fields {
        entry(out, name, value, indent);
    }
}

fn entry(out: &mut String, name: &str, value: &Value, indent: usize) {
    pad(out, indent);
    after_indent(out, name, value, indent);
}

/// Writes a field whose indent stands there already.
fn after_indent(out: &mut String, name: &str, value: &Value, indent: usize) {
    let name = scalar(name);
    if name.len() > KEY_LIMIT {
        out.push_str("? ");
        out.push_str(&name);
        out.push('\n');
        pad(out, indent);
    } else {
        out.push_str(&name);
    }
    out.push(':');
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            out.push('\n');
            map(out, fields, indent + 2);
        }
        Value::Array(items) if !items.is_empty() => {
            out.push('\n');
            list(out, items, indent);
        }
        value => {
            out.push(' ');
            leaf(out, value);
            out.push('\n');
        }
    }
}

fn list(out: &mut String, items: &[Value], indent: usize) {
    for item in items {
        pad(out, indent);
        self::item(out, item, indent);
    }
}

/// Writes an item whose indent stands there already: what it holds begins on its line.
fn item(out: &mut String, item: &Value, indent: usize) {
    out.push_str("- ");
    match item {
        Value::Object(fields) if !fields.is_empty() => {
            for (at, (name, value)) in fields.iter().enumerate() {
                match at {
                    0 => after_indent(out, name, value, indent + 2),
                    _ => entry(out, name, value, indent + 2),
                }
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    pad(out, indent + 2);
                }
                self::item(out, item, indent + 2);
            }
        }
        value => {
            leaf(out, value);
            out.push('\n');
        }
    }
}

fn leaf(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => out.push_str(&self::number(number)),
        Value::String(text) => out.push_str(&scalar(text)),
        Value::Array(_) => out.push_str("[]"),
        Value::Object(_) => out.push_str("{}"),
    }
}

/// YAML 1.1 knows no float without a dot, nor an exponent without a sign.
fn number(number: &Number) -> String {
    let text = number.to_string();
    let Some((digits, exponent)) = text.split_once('e') else { return text };
    let dot = if digits.contains('.') { "" } else { ".0" };
    let sign = if exponent.starts_with(['-', '+']) { "" } else { "+" };
    format!("{digits}{dot}e{sign}{exponent}")
}

fn pad(out: &mut String, indent: usize) {
    out.extend(std::iter::repeat_n(' ', indent));
}

/// Writes a text as JSON does, whose escapes are YAML's as well: but for characters beyond U+FFFF, for which YAML has an
/// escape of its own.
fn double_quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    out.push('"');
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    out.push_str(&text::escape_hidden(
        &escaped,
        |_| false,
        |out, c| {
            // Writing into a text cannot fail.
            let _ = match c {
                '\n' => write!(out, "\\n"),
                '\r' => write!(out, "\\r"),
                '\t' => write!(out, "\\t"),
                c if u32::from(c) <= 0xFFFF => write!(out, "\\u{:04X}", u32::from(c)),
                c => write!(out, "\\U{:08X}", u32::from(c)),
            };
        },
    ));
    out.push('"');
    out
}

/// Returns whether every reader takes a printable text without quotes for this text.
fn is_plain(text: &str) -> bool {
    let is_indicator = |c: char| "-?:,[]{}#&*!|>'\"%@`=<".contains(c);
    !text.is_empty()
        && text.trim() == text
        && !text.starts_with(is_indicator)
        && !text.starts_with("...")
        && !text.ends_with(':')
        && !text.contains(": ")
        && !text.contains(" #")
        && !is_word(text)
        && !is_number(text)
        && !is_date(text)
}

/// Words for true, false, nothing, infinity and no number, in any case: readers differ in which they take.
fn is_word(text: &str) -> bool {
    const WORDS: [&str; 16] = [
        "y", "n", "yes", "no", "on", "off", "true", "false", "null", "nil", "none", "~", "inf", "nan", "infinity",
        "merge",
    ];
    let word = text.trim_start_matches(['+', '.']);
    WORDS.iter().any(|one| one.eq_ignore_ascii_case(word))
}

/// Returns whether some reader takes a text for a number: in any base, with `_` or `,` between its digits, with
/// minutes and seconds (`1:20`), with a dot or an exponent.
fn is_number(text: &str) -> bool {
    let text = text.strip_prefix('+').unwrap_or(text);
    if !text.starts_with(|c: char| c.is_ascii_digit() || c == '.') || !text.contains(|c: char| c.is_ascii_digit()) {
        return false;
    }
    let lower = text.to_ascii_lowercase();
    let is_made_of = |text: &str, others: &str| text.chars().all(|c| c.is_ascii_digit() || others.contains(c));
    if let Some(hex) = lower.strip_prefix("0x") {
        return is_made_of(hex, "abcdef_,.p+-");
    }
    if let Some(digits) = lower.strip_prefix("0o").or_else(|| lower.strip_prefix("0b")) {
        return is_made_of(digits, "_,");
    }
    let (digits, exponent) = lower.split_once('e').unwrap_or((&lower, "0"));
    is_made_of(digits, "_,.:") && is_made_of(exponent.trim_start_matches(['+', '-']), "_")
}

/// Returns whether a text begins as a date does: four digits, a dash, a month.
fn is_date(text: &str) -> bool {
    let mut parts = text.splitn(3, '-');
    let mut is_digits = |least: usize| {
        parts.next().is_some_and(|part| part.len() >= least && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    is_digits(1) && is_digits(1) && parts.next().is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests;
