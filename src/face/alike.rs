//! Names that look the same: when two texts are one name, when they only look like it, and how a difference that no
//! eye sees is shown.
//!
//! | comparison | equal where | used by |
//! |---|---|---|
//! | [`is_same_text`] | both are one text in normal form C | drift: an API may store names in another normal form |
//! | [`folded`] | a person would read the same name | every guard against paying for a face twice |
//!
//! Letters of different scripts that look alike (Latin `a`, Cyrillic `а`) stay different: they are other names.

use std::borrow::Cow;

use caseless::Caseless;
use icu_properties::CodePointSetData;
use icu_properties::props::DefaultIgnorableCodePoint;
use unicode_normalization::UnicodeNormalization;

use super::split_name;

/// Returns whether two texts are canonically the same (Unicode Standard Annex 15): `ë` is `e` with a diaeresis.
pub(crate) fn is_same_text(one: &str, other: &str) -> bool {
    one == other || one.nfc().eq(other.nfc())
}

/// Returns what a name is to a person: without case, width, ligatures and invisible characters, and with single
/// spaces. It follows NFKC_Casefold (Unicode Standard, section 3.13), and folds spaces too.
///
/// Control characters and U+FFFD, which stands for a character that must not reach a terminal, count as invisible:
/// a guard must not depend on what is left out of a name before it is shown.
pub(crate) fn folded(name: &str) -> Cow<'_, str> {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if name.bytes().all(is_plain) {
        return Cow::Borrowed(name);
    }
    // Folding the case of what compatibility opened can open more, so both are done twice, as the standard does.
    let visible = name.chars().filter(|c| !is_invisible(*c));
    let once: String = visible.nfkd().default_case_fold().nfkc().collect();
    let twice = once.chars().default_case_fold().nfkc().filter(|c| !is_invisible(*c)).collect::<String>();
    Cow::Owned(twice.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Returns whether a person would read both as one name.
pub(crate) fn is_alike(one: &str, other: &str) -> bool {
    one == other || folded(one) == folded(other)
}

/// Returns both names escaped, where they differ in what no eye sees: `Zoe\u{308}` and `Zo\u{eb}`; none where a person
/// can tell them apart, or they are the same.
pub(crate) fn escaped_if_alike(before: &str, after: &str) -> Option<(String, String)> {
    // A creation token on one side hides nothing of what differs before it.
    let (before_shown, after_shown) = (split_name(before).0, split_name(after).0);
    let is_hidden = before_shown != after_shown && is_alike(before_shown, after_shown);
    is_hidden.then(|| (escaped(before), escaped(after)))
}

/// Returns both names in quotes, as a person can tell them apart.
pub(crate) fn told_apart(before: &str, after: &str) -> (String, String) {
    match escaped_if_alike(before, after) {
        Some((before, after)) => (format!("\"{before}\""), format!("\"{after}\"")),
        None => (format!("{before:?}"), format!("{after:?}")),
    }
}

fn escaped(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '"' | '\\' => text.extend(['\\', c]),
            ' '..='~' => text.push(c),
            _ => text.extend(c.escape_unicode()),
        }
    }
    text
}

/// Spaces are seen, also those that are control characters.
fn is_invisible(c: char) -> bool {
    let is_ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c);
    is_ignorable || c == '\u{FFFD}' || (c.is_control() && !c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_person_reads_these_as_one_name() {
        for other in [
            "Zoe\u{308} B",
            "ZOË B",
            " Zo\u{eb}\u{a0}\u{3000}B ",
            "\u{200B}Zo\u{eb} B\u{FE0F}",
            "Z\u{AD}o\u{eb} B",
            "Zoe\u{34F}\u{308} B",
            "Ｚｏë Ｂ",
            "Zo\u{eb}\tB",
            "Zo\u{FFFD}\u{eb} B",
        ] {
            assert!(is_alike("Zo\u{eb} B", other), "{other:?}: {:?}", folded(other));
        }
        assert!(is_alike("Straße ﬁn Ⅳ", "STRASSE FIN IV"));
        assert!(is_alike("Ω", "\u{2126}"));
    }

    #[test]
    fn these_are_other_names() {
        for (one, other) in
            [("Zoe", "Zo\u{eb}"), ("Ana", "\u{410}na"), ("Ana 1", "Ana 11"), ("a b", "ab"), ("a-b", "ab")]
        {
            assert!(!is_alike(one, other), "{one:?} {other:?}");
        }
    }

    #[test]
    fn only_canonically_equal_texts_are_the_same_text() {
        assert!(is_same_text("Zoe\u{308}", "Zo\u{eb}"));
        assert!(is_same_text("\u{212B}", "A\u{30A}"));
        for other in ["zo\u{eb}", "\u{200B}Zo\u{eb}", "Ｚo\u{eb}", "Zo\u{eb} "] {
            assert!(!is_same_text("Zo\u{eb}", other), "{other:?}");
        }
    }

    #[test]
    fn what_no_eye_tells_apart_is_shown_escaped_on_both_sides() {
        let shown = |before: &str, after: &str| {
            let (before, after) = told_apart(before, after);
            format!("{before} -> {after}")
        };
        assert_eq!(shown("Zoe\u{308}", "Zo\u{eb}"), r#""Zoe\u{308}" -> "Zo\u{eb}""#);
        assert_eq!(shown("\u{200B}\"Ana\"", "\"Ana\""), r#""\u{200b}\"Ana\"" -> "\"Ana\"""#);
        let token = "[fc-aaaaaaaa-aaaaaa-1]";
        let with_token = shown(&format!("Zoe\u{308} {token}"), "Zo\u{eb}");
        assert_eq!(with_token, format!(r#""Zoe\u{{308}} {token}" -> "Zo\u{{eb}}""#));
        assert_eq!(shown("Zo\u{eb}", "Zo\u{e9}"), "\"Zo\u{eb}\" -> \"Zo\u{e9}\"", "these can be told apart");
        let only_token = shown(&format!("Zo\u{eb} {token}"), "Zo\u{eb}");
        assert_eq!(only_token, format!("\"Zo\u{eb} {token}\" -> \"Zo\u{eb}\""));
    }

    proptest! {
        #[test]
        fn folding_is_done_once_and_for_all(name in any::<String>(), parts in prop::collection::vec("[ßﬁＡé\u{308}\u{345}\u{200B} \u{3000}ΣςİŉK]", 0..8)) {
            for name in [name, parts.concat()] {
                let once = folded(&name).into_owned();
                prop_assert_eq!(folded(&once).into_owned(), once);
            }
        }

        #[test]
        fn every_normal_form_is_one_text_and_one_name(name in any::<String>()) {
            let forms: [String; 2] = [name.nfc().collect(), name.nfd().collect()];
            for form in &forms {
                prop_assert!(is_same_text(&name, form) && is_alike(&name, form));
            }
            let compatible: String = name.nfkc().collect();
            prop_assert!(is_alike(&name, &compatible));
        }
    }
}
