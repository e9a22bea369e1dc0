//! The one sanitiser: every text that leaves the program and came from outside it goes through here.
//!
//! Names of files, keys and tags of a manifest, answers of an API, output of other programs, files of the state and the
//! environment are somebody else's text. None of it may steer a terminal, forge a line or a command of a CI runner,
//! hide or reorder what a person reads, or show the signature of a link.
//!
//! | where text comes in or goes out | function |
//! |---|---|
//! | outside text becomes part of a line of ours | [`visible`]; `clean` for prose of a server or a program |
//! | outside text of many lines is shown as it is laid out | `clean_document` |
//! | a name that is compared with what a manifest asks for | `clean_name` |
//! | our own text goes to a person (`cli/output.rs`): the last line of defence | [`for_people`] |
//! | text of JSON goes out | [`json_escaped`], [`JsonFormatter`] |
//! | anything that may quote a link | [`redact_links`], `redact_value` |
//!
//! What cannot be seen is never removed, but spelled out (`\u{202E}`): a text and the same text with something hidden in
//! it must not look alike. YAML and XML are written by `yaml.rs` and `report/formats/junit.rs`, which ask here what is
//! hidden.

mod hidden;
mod redact;

use std::borrow::Cow;
use std::fmt::Write;
use std::io;

pub(crate) use hidden::{escape_hidden, hidden, is_steering};
pub use redact::redact_links;
pub(crate) use redact::{redact_value, redacted, secrets};

/// How much of a text is looked at, in bytes: the rest of a long page says nothing that helps.
const LOOKED_AT: usize = 16 * 1024;
/// The longest text of an error, in characters.
pub(crate) const MESSAGE_LIMIT: usize = 400;
/// The longest word (a status, a model) that is kept, in characters.
pub(crate) const WORD_LIMIT: usize = 60;
/// How many characters of a name are kept in front, and at its end, if it is too long. What we send has 100
/// at most; the end is kept because that is where a creation token stands.
const NAME_KEPT: (usize, usize) = (300, 60);

/// Returns a text on one line, with everything spelled out that cannot be seen: `\n`, `\u{202E}`.
pub fn visible(text: &str) -> Cow<'_, str> {
    escape_hidden(text, |_| false, spelled)
}

/// Returns prose from outside as one line of at most `limit` characters: redacted, its blanks and line ends single
/// spaces, everything else that cannot be seen spelled out.
pub(crate) fn clean(text: &str, limit: usize) -> String {
    let redacted = redacted(head(text));
    let line = redacted.split_whitespace().collect::<Vec<_>>().join(" ");
    clipped(&visible(&line), limit)
}

/// Returns a text cut to so many characters.
pub(crate) fn clipped(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default().trim_end()),
        None => text.to_owned(),
    }
}

/// Returns a name in which every character that no name of ours may have is replaced by `�`, so that it still differs
/// from the same name without it.
///
/// Links and other characters are left alone: a name is compared with the one that was asked for, and one that reads
/// differently would look like drift for ever. It is sanitised once more where it is shown.
pub(crate) fn clean_name(text: &str) -> String {
    let length = text.chars().count();
    let (front, back) = NAME_KEPT;
    let shown = |c: char| if is_steering(c) { '\u{FFFD}' } else { c };
    if length <= front + back {
        return text.chars().map(shown).collect();
    }
    let kept = text.chars().take(front).chain(['…']).chain(text.chars().skip(length - back));
    kept.map(shown).collect()
}

/// Returns a text of many lines whose lines and indents stay, and in which everything else that cannot be seen is
/// spelled out, but for colours: for what a command printed and is to be read as a document somewhere else. Links stay.
pub(crate) fn clean_document(text: &str) -> String {
    let text =
        without_colours(text).replace("\r\n", "\n").replace(['\r', '\u{2028}', '\u{2029}'], "\n").replace('\t', "    ");
    escape_hidden(&text, |c| c == '\n', spelled).into_owned()
}

/// Returns a text of many lines with everything spelled out that cannot be seen, but for line ends and tabs.
pub(crate) fn clean_lines(text: &str) -> String {
    escape_hidden(text, is_layout, spelled).into_owned()
}

/// Returns our own text as it may go to a person: of what cannot be seen only line ends, tabs and, with `colour`, our
/// colours are left, and no line is a command to a CI runner.
///
/// Whatever came from outside should have gone through [`visible`] or `clean` before: a line end that stands here
/// already cannot be told from one of ours.
pub fn for_people(text: &str, colour: bool) -> Cow<'_, str> {
    let plain = match colour && text.contains('\u{1b}') {
        false => escape_hidden(text, is_layout, spelled),
        true => Cow::Owned(styled(text)),
    };
    match is_command_free(&plain) {
        true => plain,
        false => Cow::Owned(defused(&plain)),
    }
}

fn is_layout(c: char) -> bool {
    matches!(c, '\n' | '\t')
}

/// Spells out what is hidden, but for sequences that choose a colour or a weight in which text can be read (ECMA-48, SGR).
fn styled(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\u{1b}') {
        let (before, sequence) = rest.split_at(at);
        out.push_str(&escape_hidden(before, is_layout, spelled));
        let length = colour_length(sequence).unwrap_or(1);
        match length {
            1 => spelled(&mut out, '\u{1b}'),
            _ => out.push_str(&sequence[..length]),
        }
        rest = &sequence[length..];
    }
    out.push_str(&escape_hidden(rest, is_layout, spelled));
    out
}

fn without_colours(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let sequence = format!("\u{1b}{part}");
        out.push_str(&sequence[colour_length(&sequence).unwrap_or(0)..]);
    }
    out
}

/// Returns how many bytes a colour takes: `ESC [`, numbers with semicolons, `m`.
fn colour_length(sequence: &str) -> Option<usize> {
    let parameters = sequence.strip_prefix("\u{1b}[")?;
    let length = parameters.find(|c: char| !c.is_ascii_digit() && c != ';')?;
    // Neither black nor concealed nor on another ground: what we make has none of these.
    let is_readable =
        |number: &str| matches!(number.parse(), Ok(0..=4 | 22..=24 | 31..=37 | 39 | 91..=97)) || number.is_empty();
    let is_colour = parameters[length..].starts_with('m') && parameters[..length].split(';').all(is_readable);
    is_colour.then_some("\u{1b}[".len() + length + 1)
}

/// Returns a text of which no line is a command to a runner, on whatever stream: GitHub reads `::error::` at the start
/// of a line and, from older tools, `##[error]` anywhere in it; Azure Pipelines reads `##vso[`.
pub(crate) fn defused(text: &str) -> String {
    let line = |line: &str| {
        let begin = line.len() - line.trim_start().len();
        let line = match line.split_at(begin) {
            (blanks, rest) if rest.starts_with("::") => format!("{blanks}: :{}", &rest[2..]),
            _ => line.to_owned(),
        };
        OLD_COMMANDS.iter().fold(line, |line, word| line.replace(word, &format!("# {}", &word[1..])))
    };
    let lines: Vec<String> = text.split(['\n', '\r']).map(line).collect();
    lines.join("\n")
}

const OLD_COMMANDS: [&str; 3] = ["##[", "##vso[", "##teamcity["];

fn is_command_free(text: &str) -> bool {
    !text.contains("::") && !text.contains("##")
}

/// Returns the text of a JSON document in which every hidden character is written as JSON writes it. They can stand
/// in strings only, so that it reads as the same document.
pub fn json_escaped(json: &str) -> Cow<'_, str> {
    escape_hidden(json, is_layout, |out, c| {
        for unit in c.encode_utf16(&mut [0; 2]) {
            let _ = write!(out, "\\u{unit:04x}");
        }
    })
}

/// Writes JSON for people's eyes as serde_json does, with hidden characters escaped.
#[derive(Debug, Default)]
pub struct JsonFormatter(serde_json::ser::PrettyFormatter<'static>);

impl serde_json::ser::Formatter for JsonFormatter {
    fn begin_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W, is_first: bool) -> io::Result<()> {
        self.0.begin_array_value(writer, is_first)
    }

    fn end_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, is_first: bool) -> io::Result<()> {
        self.0.begin_object_key(writer, is_first)
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }

    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        writer.write_all(json_escaped(fragment).as_bytes())
    }
}

/// Writes a value as JSON of many lines, with hidden characters escaped.
///
/// # Errors
/// When the writer fails, or for a map whose keys are no text.
pub fn write_json(writer: &mut (impl io::Write + ?Sized), value: &impl serde::Serialize) -> io::Result<()> {
    let mut serializer = serde_json::Serializer::with_formatter(&mut *writer, JsonFormatter::default());
    value.serialize(&mut serializer)?;
    writer.write_all(b"\n")
}

/// Returns a body as a trace may show it.
pub(crate) fn body_for_trace(body: &[u8]) -> String {
    // In JSON a link can hide behind escapes (`\u0026` for `&`), so it is redacted after decoding.
    match serde_json::from_slice::<serde_json::Value>(body) {
        Ok(mut value) => {
            redact_strings(&mut value);
            let text = value.to_string();
            let text = json_escaped(&text);
            let shown = head(&text);
            if shown.len() < text.len() { format!("{shown}…") } else { text.into_owned() }
        }
        Err(_) => clean(&String::from_utf8_lossy(body), LOOKED_AT),
    }
}

fn redact_strings(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::String(text) => {
            if let Cow::Owned(redacted) = redacted(text) {
                *text = redacted;
            }
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(redact_strings),
        serde_json::Value::Object(fields) => fields.values_mut().for_each(redact_strings),
        _ => {}
    }
}

/// Cuts to what is looked at. Half a link is redacted as a whole one is.
fn head(text: &str) -> &str {
    &text[..text.floor_char_boundary(LOOKED_AT)]
}

/// Spells out a character.
pub(crate) fn spelled(out: &mut String, c: char) {
    match c {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        c => {
            // Writing into a text cannot fail.
            let _ = write!(out, "\\u{{{:04X}}}", u32::from(c));
        }
    }
}

#[cfg(test)]
mod tests;
