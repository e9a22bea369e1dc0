//! Text from the other side, made fit to be shown, logged and stored.
//!
//! What the API answers is somebody else's text: a name may have been typed by anybody with access to the
//! account, an error may quote the link it could not fetch. None of it may steer a terminal, show a
//! signature or fill a log.

use crate::face::redact_links;

/// How much of a text is looked at, in bytes: the rest of a long page says nothing that helps.
const LOOKED_AT: usize = 16 * 1024;
/// The longest text of an error, in characters.
pub(crate) const MESSAGE_LIMIT: usize = 400;
/// The longest word (a status, a model) that is kept, in characters.
pub(crate) const WORD_LIMIT: usize = 60;
/// How many characters of a name are kept in front, and at its end, if it is too long. What we send has 100
/// at most; the end is kept because that is where a creation token stands.
const NAME_KEPT: (usize, usize) = (300, 60);

/// Returns a text as one line of at most `limit` characters: without escape sequences and control characters,
/// links redacted.
pub(crate) fn clean(text: &str, limit: usize) -> String {
    let plain = without_escapes(&unescaped(head(text)));
    let redacted = redact_links(&plain);
    let line = redacted.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(limit) {
        Some((end, _)) => format!("{}…", line[..end].trim_end()),
        None => line,
    }
}

/// Returns a name in which every character that could garble a terminal is replaced by `�`, so that it still
/// differs from the same name without it.
///
/// Links are left alone: a name is compared with the one that was asked for, and a link that reads differently
/// would look like drift for ever.
pub(crate) fn clean_name(text: &str) -> String {
    let length = text.chars().count();
    let (front, back) = NAME_KEPT;
    let shown = |c: char| if is_harmful(c) { '\u{FFFD}' } else { c };
    if length <= front + back {
        return text.chars().map(shown).collect();
    }
    let kept = text.chars().take(front).chain(['…']).chain(text.chars().skip(length - back));
    kept.map(shown).collect()
}

/// Returns a text of many lines without escape sequences and control characters. Its lines, its indents and its links
/// stay: for what is to be read as a document somewhere else.
pub(crate) fn clean_document(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace(['\r', '\u{2028}', '\u{2029}'], "\n").replace('\t', "    ");
    text.split('\n').map(without_escapes).collect::<Vec<_>>().join("\n")
}

/// Returns a body as a trace may show it.
pub(super) fn body_for_trace(body: &[u8]) -> String {
    // In JSON a link can hide behind escapes (`\u0026` for `&`), so it is redacted after decoding.
    match serde_json::from_slice::<serde_json::Value>(body) {
        Ok(mut value) => {
            redact_strings(&mut value);
            let text = value.to_string();
            let shown = head(&text);
            if shown.len() < text.len() { format!("{shown}…") } else { text }
        }
        Err(_) => clean(&String::from_utf8_lossy(body), LOOKED_AT),
    }
}

fn redact_strings(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::String(text) => *text = redact_links(&without_escapes(text)),
        serde_json::Value::Array(items) => items.iter_mut().for_each(redact_strings),
        serde_json::Value::Object(fields) => fields.values_mut().for_each(redact_strings),
        _ => {}
    }
}

/// Cuts to what is looked at. A link that the cut goes through is dropped, as half of it cannot be redacted.
fn head(text: &str) -> &str {
    if text.len() <= LOOKED_AT {
        return text;
    }
    let cut = &text[..text.floor_char_boundary(LOOKED_AT)];
    let is_delimiter = |c: char| c.is_whitespace() || "\"'<>".contains(c);
    let last_word = cut.char_indices().rev().find(|(_, c)| is_delimiter(*c)).map_or(0, |(at, c)| at + c.len_utf8());
    let is_link = cut.get(last_word..).is_none_or(|word| word.contains(':'));
    if is_link { cut.get(..last_word).unwrap_or("") } else { cut }
}

/// Undoes the JSON escapes that can hide a link in a text that is no JSON any more: `\/` and `\u0026`.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let tail = &rest[at + 1..];
        let code = tail.strip_prefix('u').and_then(|t| t.get(..4)).and_then(|hex| u32::from_str_radix(hex, 16).ok());
        rest = match code.and_then(char::from_u32) {
            Some(decoded) => {
                out.push(decoded);
                &tail[5..] // `u` and four hex digits, all ASCII, as `get` has just shown.
            }
            None if tail.starts_with('/') => tail,
            None => {
                out.push('\\');
                tail
            }
        };
    }
    out.push_str(rest);
    out
}

fn without_escapes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => match chars.next() {
                // CSI: parameters up to a final byte (ECMA-48, section 5.4).
                Some('[') => while chars.next().is_some_and(|c| !('@'..='~').contains(&c)) {},
                // OSC and its like: a string up to BEL or the string terminator; what it says is dropped with it.
                Some(']' | 'P' | 'X' | '^' | '_') => while chars.next().is_some_and(|c| c != '\u{7}' && c != '\\') {},
                _ => {}
            },
            '\u{9b}' => while chars.next().is_some_and(|c| !('@'..='~').contains(&c)) {},
            '\n' | '\r' | '\t' => out.push(' '),
            c if is_harmful(c) => {}
            c => out.push(c),
        }
    }
    out
}

/// Control characters, and the marks that reorder text (Unicode TR 36, bidirectional text spoofing).
fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_from_the_other_side_can_steer_a_terminal() {
        for (raw, shown) in [
            ("a\u{1b}[31mred\u{1b}[0m b", "ared b"),
            ("a\u{1b}]8;;http://x\u{7}b", "ab"),
            ("a\u{9b}2Jb\u{0}\u{7f}", "ab"),
            ("two\r\n lines\t", "two lines"),
            ("left\u{202e}right", "leftright"),
            ("\u{1b}", ""),
        ] {
            assert_eq!(clean(raw, 100), shown, "{raw:?}");
        }
        assert_eq!(clean_name("a\u{1b}[31mb"), "a\u{FFFD}[31mb");
    }

    #[test]
    fn a_document_keeps_its_lines_and_indents_and_nothing_that_steers() {
        assert_eq!(clean_document("# T\r\n\n  - a\u{1b}[31mb\u{0}\n\tc\u{202e}d\n"), "# T\n\n  - ab\n    cd\n");
    }

    #[test]
    fn no_spelling_of_a_link_shows_its_signature() {
        let long = format!("{} https://h.example.com/a?sig=hush{}", "x".repeat(LOOKED_AT - 40), "h".repeat(90));
        for raw in [
            "cannot fetch https://h.example.com/a?b=1&X-Amz-Signature=hush now",
            r#"{"e":"https:\/\/h.example.com\/a?sig=hush"#,
            r#"{"e":"https://h.example.com/a?b=1\u0026sig=hush"#,
            "ht\u{1b}[0mtps://h.example.com/a?sig=hush",
            &long,
        ] {
            assert!(!clean(raw, usize::MAX).contains("hush"), "{}", clean(raw, usize::MAX));
            assert!(!body_for_trace(raw.as_bytes()).contains("hush"), "{raw}");
        }
        let body = br#"{"train_video_url":"https://h.example.com/a?b=1\u0026sig=hush","n":1}"#;
        assert_eq!(body_for_trace(body), r#"{"train_video_url":"https://h.example.com/a?b=…&sig=…","n":1}"#);
    }

    #[test]
    fn lengths_are_bounded_and_the_end_of_a_name_is_kept() {
        assert_eq!(clean("ääää", 2), "ää…");
        let name = format!("{} [fc-k3j7x2m7-qa4bd2-1]", "é".repeat(5000));
        let kept = clean_name(&name);
        assert!(kept.chars().count() < 400 && kept.ends_with("[fc-k3j7x2m7-qa4bd2-1]"));
    }

    proptest! {
        #[test]
        fn any_text_becomes_one_harmless_line(text in any::<String>(), limit in 0usize..50) {
            let line = clean(&text, limit);
            prop_assert!(line.chars().count() <= limit + 1 && !line.contains(is_harmful), "{line:?}");
            prop_assert!(!clean_name(&text).contains(is_harmful));
        }

        #[test]
        fn escapes_and_links_in_any_mixture_are_survived(
            parts in prop::collection::vec(r#"\\u[0-9a-f+]{0,5}|\\/|https://|\?sig=|\x1b[\[\]P]?|é|[ "<;]|\u{9b}"#, 0..40)
        ) {
            let text = parts.concat();
            let line = clean(&text, 100);
            prop_assert!(!line.contains(is_harmful), "{line:?}");
            body_for_trace(text.as_bytes());
        }
    }
}
