//! A text as the characters that it means.

use super::super::hidden::is_hidden;

/// One character, and where it stands in the text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unit {
    pub(super) c: char,
    /// Its first byte.
    pub(super) start: usize,
    /// The byte behind it.
    pub(super) end: usize,
    /// Whether it is written as `%3D`: then it ends no link.
    pub(super) is_percent: bool,
}

/// Returns whether a character can stand in no link, so that a value ends before it.
pub(super) fn is_end(unit: &Unit) -> bool {
    !unit.is_percent && (unit.c.is_whitespace() || unit.c.is_control() || matches!(unit.c, '"' | '<' | '>' | '`'))
}

/// Decodes a text: percent signs (also encoded again), escapes of JSON and entities of HTML, as far as they mean an ASCII
/// character. What is not seen belongs to the character before it.
pub(super) fn units(text: &str) -> Vec<Unit> {
    let mut units: Vec<Unit> = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) {
        let rest = &text[at..];
        let decoded = match c {
            '%' => percent(rest).map(|(c, length)| (c, length, true)),
            '\\' => escape(rest).map(|(c, length)| (c, length, false)),
            '&' => entity(rest).map(|(c, length)| (c, length, false)),
            _ => None,
        };
        let (c, length, is_percent) = decoded.unwrap_or((c, c.len_utf8(), false));
        match units.last_mut() {
            Some(before) if decoded.is_none() && is_hidden(c) && !c.is_whitespace() => before.end = at + length,
            _ => units.push(Unit { c, start: at, end: at + length, is_percent }),
        }
        at += length;
    }
    units
}

/// Reads `%3D`, `%253D` and so on, and the sign for what is hidden, as a parser of links writes it.
fn percent(text: &str) -> Option<(char, usize)> {
    const DOTS: &str = "%E2%80%A6";
    if text.get(..DOTS.len()).is_some_and(|head| head.eq_ignore_ascii_case(DOTS)) {
        return Some(('…', DOTS.len()));
    }
    let hex = |at: usize| text.get(at..at + 2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
    let mut at = 1;
    while text.get(at..at + 2) == Some("25") && is_hex(text, at + 2) {
        at += 2;
    }
    let byte = hex(at).filter(|byte| byte.is_ascii() && is_hex(text, at))?;
    Some((char::from(byte), at + 2))
}

fn is_hex(text: &str, at: usize) -> bool {
    text.get(at..at + 2).is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Reads `\u0026`, `\u{26}`, `\x26`, `\/` and `\&`, also behind several backslashes.
fn escape(text: &str) -> Option<(char, usize)> {
    /// More of them nobody writes, and a long row would be counted again and again.
    const SLASHES: usize = 8;
    let slashes = text.bytes().take(SLASHES).take_while(|byte| *byte == b'\\').count();
    let rest = &text[slashes..];
    let ascii = |digits: &str| {
        let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        u8::from_str_radix(digits, 16).ok().filter(|byte| byte.is_ascii() && is_hex).map(char::from)
    };
    let first = rest.chars().next()?;
    let (c, length) = match first {
        '/' | '"' | '\'' | '&' | '=' | '?' | '#' | '%' => (first, 1),
        'u' if rest.starts_with("u{") => {
            let digits = rest.get(2..)?.split_once('}')?.0;
            (ascii(digits.trim_start_matches('0')).filter(|_| digits.len() <= 8)?, digits.len() + 3)
        }
        // The first two digits of an ASCII character are zeros.
        'u' => (ascii(rest.get(1..5)?.strip_prefix("00")?)?, 5),
        'x' => (ascii(rest.get(1..3)?)?, 3),
        _ => return None,
    };
    Some((c, slashes + length))
}

/// Reads `&amp;`, also written again and again, `&#38;`, `&#x26;` and the named ones that matter.
fn entity(text: &str) -> Option<(char, usize)> {
    let mut length = 1;
    while text.get(length..).is_some_and(|rest| rest.starts_with("amp;")) {
        length += "amp;".len();
    }
    let rest = text.get(length..)?;
    let name = rest.get(..rest.bytes().take(8).position(|byte| byte == b';').unwrap_or(0))?;
    let number = |digits: &str, radix| u8::from_str_radix(digits, radix).ok().filter(u8::is_ascii).map(char::from);
    let named = match name {
        "quot" => Some('"'),
        "apos" => Some('\''),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "equals" => Some('='),
        "quest" => Some('?'),
        "colon" => Some(':'),
        "sol" => Some('/'),
        name => match name.strip_prefix('#') {
            Some(code) => match code.strip_prefix(['x', 'X']) {
                Some(digits) => number(digits, 16),
                None => number(code, 10),
            },
            None => None,
        },
    };
    match named {
        Some(c) => Some((c, length + name.len() + 1)),
        None if length > 1 => Some(('&', length)),
        None => None,
    }
}
