//! Text from outside, made harmless for a comment that people read.
//!
//! GitHub and GitLab look for mentions (`@ana`), references (`#1`, `GH-1`, `!1`), links and emoji in the text that is left
//! once markdown was read, so a backslash does not help against them: a blank of no width does (U+200B, as an entity).
//! In code spans and code blocks neither looks (GitHub, "About writing and formatting"; GitLab Flavored Markdown,
//! both read in November 2026).

pub(super) use crate::text::clipped;
use crate::text::{redacted, visible};

/// The longest piece of prose from outside, in characters: more of it stands in the log.
const LONGEST: usize = 400;

/// A blank of no width: between a sign and a word nobody sees it, and no reference is found any more.
const NO_WIDTH: &str = "&#8203;";

/// Returns text on one line, without secrets of links, and with the characters made visible that hide or reorder others.
/// Line ends and tabs become blanks.
pub(super) fn shown(text: &str) -> String {
    let is_break = |c: char| (c.is_control() && c.is_whitespace()) || matches!(c, '\u{2028}' | '\u{2029}');
    visible(&redacted(text).replace("\r\n", " ").replace(is_break, " ")).into_owned()
}

/// Returns prose as markdown: what stands between backticks becomes code, everything else is only text.
pub(super) fn prose(text: &str) -> String {
    let text = clipped(&shown(text), LONGEST);
    let parts: Vec<&str> = text.split('`').collect();
    let last = parts.len() - 1;
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for (at, part) in parts.iter().enumerate() {
        match (at % 2 == 1, at == last) {
            // A backtick without its fellow.
            (true, true) => out.push_str(&format!("\\`{}", plain(part))),
            (true, false) => out.push_str(&code(part)),
            (false, _) => out.push_str(&plain(part)),
        }
    }
    out
}

/// Returns text of one line that holds no backticks on purpose, as markdown that is only text.
pub(super) fn plain_words(text: &str) -> String {
    plain(&clipped(&shown(text), LONGEST))
}

/// Returns text that means nothing to markdown, to HTML, to a table, and to whoever looks for references.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    let (mut before, mut last) = (' ', ' ');
    while let Some(c) = rest.next() {
        let is_followed = rest.peek().is_some_and(|next| !next.is_whitespace());
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // Dollars would begin a formula.
            '$' => out.push_str("&#36;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '|' | '~' | '!' | '^' | '#' | '@' | '%' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
        // Of a colon only what begins a link or an emoji: times stay as they are.
        let is_word = rest.peek().is_some_and(|next| next.is_ascii_alphabetic() || matches!(next, '/' | '+' | '-'));
        let is_sign = matches!(c, '@' | '#' | '!' | '~' | '%' | '$' | '&' | '^') || (c == ':' && is_word);
        let is_gh = c == '-' && matches!((before, last), ('g' | 'G', 'h' | 'H' | 'l' | 'L'));
        let is_www = c == '.' && last.eq_ignore_ascii_case(&'w');
        if is_followed && (is_sign || is_gh || is_www) {
            out.push_str(NO_WIDTH);
        }
        (before, last) = (last, c);
    }
    out
}

/// Returns text as code inside a line, also of a table.
pub(super) fn code(text: &str) -> String {
    let text = clipped(&shown(text), LONGEST);
    if text.contains(['|', '`', '\\']) {
        // A bar would end the cell of a table, and a backtick the span.
        return format!("<code>{}</code>", plain(&text));
    }
    if text.trim().is_empty() {
        return "(empty)".to_owned();
    }
    let pad = if text.starts_with(' ') || text.ends_with(' ') { " " } else { "" };
    format!("`{pad}{text}{pad}`")
}

/// Returns lines as a block of code that they cannot end.
pub(super) fn fenced(language: &str, lines: &[String]) -> String {
    let lines: Vec<String> = lines.iter().map(|line| shown(line)).collect();
    let longest = lines.iter().flat_map(|line| line.split(|c| c != '`').map(str::len)).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}{language}\n{}\n{fence}\n", lines.join("\n"))
}

/// Returns a link with our words, to a place that came from outside; only the words where it is no web address.
pub(super) fn link(words: &str, to: &str) -> String {
    match url::Url::parse(to).ok().filter(|url| matches!(url.scheme(), "https" | "http")) {
        // In angle brackets, as a bracket may stand in an address; these are never left bare in one.
        Some(url) if !url.as_str().contains(['<', '>', '\\']) => format!("[{words}](<{}>)", url.as_str()),
        _ => words.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_calls_nobody_and_commands_nothing() {
        for (text, safe) in [
            ("@ana", "\\@&#8203;ana"),
            ("fixes #1 and GH-2", "fixes \\#&#8203;1 and GH-&#8203;2"),
            ("<b>x</b>", "&lt;b&gt;x&lt;/b&gt;"),
            ("a | b", "a \\| b"),
            ("run `facectl recover`", "run `facectl recover`"),
            ("one ` two", "one \\` two"),
            ("`a|b`", "<code>a\\|b</code>"),
            ("see https://example.com/a", "see https:&#8203;//example.com/a"),
            ("a\nb\u{202e}c\u{1b}[0m", "a b\\\\u\\{202E\\}c\\\\u\\{001B\\}\\[0m"),
            ("$x$", "&#36;&#8203;x&#36;"),
        ] {
            assert_eq!(prose(text), safe, "{text}");
        }
    }

    #[test]
    fn a_block_of_code_cannot_be_ended_from_inside() {
        let block = fenced("diff", &["+ ````".to_owned(), "# @ana\n```".to_owned()]);
        assert_eq!(block, "`````diff\n+ ````\n# @ana ```\n`````\n");
    }

    #[test]
    fn only_web_addresses_become_links() {
        assert_eq!(link("run", "https://ci.example.com/1)"), "[run](<https://ci.example.com/1)>)");
        assert_eq!(link("run", "javascript:alert(1)"), "run");
        assert_eq!(link("run", "https://ci.example.com/>x"), "[run](<https://ci.example.com/%3Ex>)");
    }

    #[test]
    fn long_prose_is_cut_between_characters() {
        assert_eq!(clipped("😀😀😀", 2), "😀😀…");
        assert!(prose(&"é".repeat(5_000)).chars().count() <= LONGEST + 1);
    }
}
