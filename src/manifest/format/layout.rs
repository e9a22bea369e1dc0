//! One text laid out, and the proof that it still says the same.

use pretty_yaml::config::{FormatOptions, LanguageOptions, LayoutOptions, LineBreak, Quotes};
use serde::Deserialize;

use super::super::source::Source;
use super::super::tree::{Document, Kind, Node};
use super::comments::{are_same, comments, into_columns};
use super::documents;

/// Why a text is left as it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The formatter's reader stumbles over it.
    Unread(String),
    /// It would say something else.
    Meaning,
    /// A comment would be lost or change places with another.
    Comments,
    /// Each round changes it again.
    Restless,
}

/// The comment that keeps the layout of the entry below it.
pub const IGNORE: &str = "facectl-fmt-ignore";

/// Rounds until nothing changes any more: the second has only to confirm the first.
const ROUNDS: usize = 4;

/// Returns the text laid out. `text` is the file as it is, `source` what was read of it, and `before` what it says.
pub(super) fn lay_out(text: &str, source: &Source, before: &[Document]) -> Result<String, Trouble> {
    // A text block that ends the file without a line break is one: the reader has put it there.
    let plain = source.text().replace("\r\n", "\n");
    let mut result = Err(Trouble::Restless);
    for style in [Style::Broken, Style::Joined] {
        result = in_style(&plain, style, source, before);
        if result.is_ok() {
            break;
        }
    }
    let laid_out = result?;
    // The line ends are the file's own, so that git shows what was laid out and nothing else.
    let has_crlf = text.split_once('\n').is_some_and(|(first, _)| first.ends_with('\r'));
    Ok(if has_crlf { laid_out.replace('\n', "\r\n") } else { laid_out })
}

/// What becomes of brackets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// They are broken where they do not fit, one item a line.
    Broken,
    /// They stay on one line. The reader of the manifests (saphyr-parser 0.3) does not take a text in quotes before a
    /// closing bracket on a line of its own, so that not everything can be broken.
    Joined,
}

fn in_style(plain: &str, style: Style, source: &Source, before: &[Document]) -> Result<String, Trouble> {
    let mut laid_out = once(plain, style)?;
    let mut is_at_rest = false;
    for _ in 1..ROUNDS {
        let again = once(&laid_out, style)?;
        is_at_rest = again == laid_out;
        laid_out = again;
        if is_at_rest {
            break;
        }
    }
    if !is_at_rest {
        return Err(Trouble::Restless);
    }
    if !says_the_same(plain, &laid_out, source, before) {
        return Err(Trouble::Meaning);
    }
    Ok(laid_out)
}

fn once(text: &str, style: Style) -> Result<String, Trouble> {
    let laid_out = pretty_yaml::format_text(text, &options(style)).map_err(|error| {
        let why = error.to_string();
        // Its own message may show the line, which may hold a signed link.
        Trouble::Unread(crate::face::redact_links(why.lines().next().unwrap_or_default()))
    })?;
    let before = comments(text).ok_or(Trouble::Comments)?;
    let after = comments(&laid_out).ok_or(Trouble::Comments)?;
    if !are_same(&before, &after) {
        return Err(Trouble::Comments);
    }
    Ok(into_columns(text, &before, &laid_out, &after))
}

/// Two blanks a level, lists below their field by two more, `{ a: b }` and `[a, b]`, double quotes, 80 columns for what
/// stands in brackets. Texts are not wrapped: they are what people wrote.
fn options(style: Style) -> FormatOptions {
    let (print_width, prefer_single_line) = match style {
        Style::Broken => (80, false),
        Style::Joined => (usize::MAX, true),
    };
    FormatOptions {
        layout: LayoutOptions { print_width, indent_width: 2, line_break: LineBreak::Lf },
        language: LanguageOptions {
            quotes: Quotes::PreferDouble,
            trailing_comma: false,
            indent_block_sequence_in_map: true,
            brace_spacing: true,
            bracket_spacing: false,
            trim_trailing_whitespaces: true,
            prefer_single_line,
            ignore_comment_directive: IGNORE.to_owned(),
            ..LanguageOptions::default()
        },
    }
}

/// Judged by the spanned tree and by `serde_yaml`, neither of which shares code with the formatter.
fn says_the_same(plain: &str, laid_out: &str, source: &Source, before: &[Document]) -> bool {
    let after = Source::new(source.name().clone(), laid_out.to_owned());
    let mut out = Vec::new();
    let documents = documents(&after, &mut out);
    let is_same_tree = out.is_empty()
        && documents.len() == before.len()
        && documents.iter().zip(before).all(|(one, other)| match (&one.root, &other.root) {
            (Some(one), Some(other)) => is_same(one, other),
            (None, None) => true,
            _ => false,
        });
    let before = Source::new(source.name().clone(), plain.to_owned());
    is_same_tree && values(before.readable()) == values(after.readable())
}

/// Recursion is bounded by the depth of the tree.
fn is_same(one: &Node, other: &Node) -> bool {
    match (&one.kind, &other.kind) {
        (Kind::Scalar { text, plain }, Kind::Scalar { text: other_text, plain: other_plain }) => {
            text == other_text && plain == other_plain
        }
        (Kind::List(items), Kind::List(others)) => {
            items.len() == others.len() && items.iter().zip(others).all(|(one, other)| is_same(one, other))
        }
        // Order counts: what a plan lists first must not hang on a formatter.
        (Kind::Map(entries), Kind::Map(others)) => {
            entries.len() == others.len()
                && entries
                    .iter()
                    .zip(others)
                    .all(|(one, other)| one.key == other.key && is_same(&one.value, &other.value))
        }
        _ => false,
    }
}

/// The documents as `serde_yaml` reads them; `None` stands for one that it cannot read, and is the last.
fn values(text: &str) -> Vec<Option<serde_yaml::Value>> {
    let mut values = Vec::new();
    for document in serde_yaml::Deserializer::from_str(text) {
        let value = serde_yaml::Value::deserialize(document).ok();
        let is_over = value.is_none();
        values.push(value);
        // It would repeat a syntax error for ever.
        if is_over {
            break;
        }
    }
    values
}
