//! Characters beyond U+FFFF as JSON writes them: two escapes, `\ud83d\ude00`, for one character.
//!
//! YAML wants one escape, `\U0001F600`, and both readers refuse the two. Programs that write JSON write the two, so each
//! pair is joined before anybody reads, and every place still counts in the text as it was written.

use saphyr_parser::{Event, Parser, ScalarStyle};

use super::tree::Offsets;

/// Bytes of one escape, `\ud83d`.
const HALF: usize = "\\ud83d".len();
/// Bytes of a pair, and of what it becomes.
const PAIR: usize = 2 * HALF;
const JOINED: usize = "\\U0001F600".len();

/// A text whose pairs are joined.
#[derive(Debug)]
pub(super) struct Joined {
    text: String,
    /// Where each joined pair ends in it, in order.
    ends: Vec<usize>,
}

impl Joined {
    /// Joins the pairs of a text; none where it has none. A half that stands alone stays as it is, and is refused by who
    /// reads the text.
    pub(super) fn of(text: &str) -> Option<Self> {
        if !has_half(text) {
            return None;
        }
        let mut joined = Self { text: String::with_capacity(text.len()), ends: Vec::new() };
        let mut done = 0;
        for (at, found) in pairs(text) {
            joined.text.push_str(&text[done..at]);
            joined.text.push_str(&format!("\\U{:08X}", u32::from(found)));
            joined.ends.push(joined.text.len());
            done = at + PAIR;
        }
        joined.text.push_str(&text[done..]);
        (!joined.ends.is_empty()).then_some(joined)
    }

    /// Returns the text for readers.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Returns where a byte of the text is in the text as it was written.
    pub(super) fn origin(&self, byte: usize) -> usize {
        byte + self.ends.partition_point(|end| *end <= byte) * (PAIR - JOINED)
    }
}

/// Returns the first half that stands alone in a text in quotes that begins at a byte, as where it stands and its escape.
pub(super) fn lone_half(text: &str, quote: usize) -> Option<(usize, &str)> {
    let found = escapes(text, quote, text.len()).find(|escape| matches!(escape.kind, Kind::Lone))?;
    Some((found.at, text.get(found.at..found.at + HALF)?))
}

fn has_half(text: &str) -> bool {
    text.match_indices("\\u").any(|(at, _)| half(text, at).is_some())
}

/// Returns the half that an escape at a byte stands for.
fn half(text: &str, at: usize) -> Option<u16> {
    let digits = text.get(at..at + HALF)?.strip_prefix("\\u")?;
    let unit = u16::from_str_radix(digits, 16).ok().filter(|_| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
    (0xD800..=0xDFFF).contains(&unit).then_some(unit)
}

/// Returns the pairs of a text, and where they begin: only in double quotes an escape is one.
fn pairs(text: &str) -> Vec<(usize, char)> {
    // Every half replaced by a sound escape of the same length, so that a reader gets through and says where the double
    // quotes are.
    let mut sound = text.as_bytes().to_vec();
    for (at, _) in text.match_indices("\\u").filter(|(at, _)| half(text, *at).is_some()) {
        sound[at + 2] = b'e';
    }
    let sound = String::from_utf8(sound).unwrap_or_default();
    let offsets = Offsets::of(&sound);
    let mut parser = Parser::new_from_str(&sound);
    let mut found = Vec::new();
    // Where it cannot be read any further, nobody else can either.
    while let Some(Ok((event, span))) = parser.next_event() {
        if matches!(event, Event::Scalar(_, ScalarStyle::DoubleQuoted, _, _)) {
            let (start, end) = (offsets.byte(&span.start), offsets.byte(&span.end).min(text.len()));
            let quote = text.get(start..end).and_then(|text| text.find('"')).map_or(end, |at| start + at);
            let joined = escapes(text, quote, end).filter_map(|escape| match escape.kind {
                Kind::Pair(c) => Some((escape.at, c)),
                Kind::Lone | Kind::Other => None,
            });
            found.extend(joined);
        }
        if matches!(event, Event::StreamEnd) {
            break;
        }
    }
    found.sort_unstable_by_key(|(at, _)| *at);
    found.dedup();
    found
}

struct Escape {
    at: usize,
    kind: Kind,
}

enum Kind {
    /// Both halves of a character.
    Pair(char),
    /// A half alone.
    Lone,
    /// Any other escape.
    Other,
}

/// Returns the escapes of a text in double quotes, from its opening quote on.
fn escapes(text: &str, quote: usize, end: usize) -> impl Iterator<Item = Escape> {
    let mut next = quote + 1;
    std::iter::from_fn(move || {
        let rest = text.get(next..end)?;
        let at = next + rest.find(['\\', '"']).filter(|at| rest.as_bytes().get(*at) == Some(&b'\\'))?;
        let halves = half(text, at).map(|first| (first, half(text, at + HALF)));
        let (length, kind) = match halves {
            None => (1 + text[at + 1..].chars().next().map_or(0, char::len_utf8), Kind::Other),
            Some((first, second)) => {
                let units = [Some(first), second].into_iter().flatten();
                match char::decode_utf16(units).next() {
                    Some(Ok(c)) => (PAIR, Kind::Pair(c)),
                    Some(Err(_)) | None => (HALF, Kind::Lone),
                }
            }
        };
        next = at + length;
        Some(Escape { at, kind })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(text: &str) -> String {
        Joined::of(text).map_or_else(|| text.to_owned(), |joined| joined.text)
    }

    #[test]
    fn pairs_are_joined_in_double_quotes_and_nowhere_else() {
        for (text, expected) in [
            (r#"a: "x\ud83d\ude00y""#, r#"a: "x\U0001F600y""#),
            (r#"a: "\uD83D\uDE00\ud83d\ude01""#, r#"a: "\U0001F600\U0001F601""#),
            (r#"{"é\ud83d\ude00": 1, "b": "\ud83d\ude00"}"#, r#"{"é\U0001F600": 1, "b": "\U0001F600"}"#),
            (r#"a: "\"\ud83d\ude00""#, r#"a: "\"\U0001F600""#),
            // An escaped backslash before it: no escape.
            (r#"a: "\\ud83d\\ude00""#, r#"a: "\\ud83d\\ude00""#),
            (r"a: '\ud83d\ude00'", r"a: '\ud83d\ude00'"),
            (r"a: \ud83d\ude00", r"a: \ud83d\ude00"),
            ("# \"\\ud83d\\ude00\"\na: b", "# \"\\ud83d\\ude00\"\na: b"),
            ("a: |\n  \"\\ud83d\\ude00\"\n", "a: |\n  \"\\ud83d\\ude00\"\n"),
            // Halves alone, and in the wrong order.
            (r#"a: "\ud83d""#, r#"a: "\ud83d""#),
            (r#"a: "\ude00\ud83d""#, r#"a: "\ude00\ud83d""#),
            (r#"a: "\ud83d x \ude00""#, r#"a: "\ud83d x \ude00""#),
        ] {
            assert_eq!(joined(text), expected);
        }
    }

    #[test]
    fn places_count_in_the_text_as_it_was_written() {
        let text = r#"{"a": "\ud83d\ude00", "b\ud83d\ude00": 1}"#;
        let joined = Joined::of(text).unwrap();
        for word in ["\"a\"", "\"b", ": 1", "}"] {
            let at = joined.text().find(word).unwrap();
            assert_eq!(Some(joined.origin(at)), text.find(word), "{word}");
        }
    }

    #[test]
    fn a_half_that_stands_alone_is_found() {
        let text = r#"a: "x\\ \ud83d\ude00 \ud83d y""#;
        assert_eq!(lone_half(text, 3), Some((text.rfind("\\ud83d").unwrap(), "\\ud83d")));
        assert_eq!(lone_half(r#"a: "\ud83d\ude00" # \ud83d"#, 3), None);
    }
}
