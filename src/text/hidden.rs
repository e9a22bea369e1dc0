//! Which characters nobody sees.

use std::borrow::Cow;

/// Returns a text with every hidden character written by `spell`, but for those that `is_kept`.
pub(crate) fn escape_hidden<'a>(
    text: &'a str,
    is_kept: impl Fn(char) -> bool,
    spell: impl Fn(&mut String, char),
) -> Cow<'a, str> {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Cow::Borrowed(text);
    }
    let mut out = String::new();
    let mut done = 0;
    for (at, c) in hidden(text).filter(|(_, c)| !is_kept(*c)) {
        out.push_str(&text[done..at]);
        spell(&mut out, c);
        done = at + c.len_utf8();
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[done..]);
    Cow::Owned(out)
}

/// Returns each character of a text that nobody sees, with its place in bytes.
pub(crate) fn hidden(text: &str) -> impl Iterator<Item = (usize, char)> {
    let mut before = None;
    text.char_indices().filter(move |(at, c)| {
        let before = before.replace(*c);
        is_hidden(*c) && !joins(*c, before, text[at + c.len_utf8()..].chars().next())
    })
}

/// Returns whether a character ends a line, steers a terminal or turns the text around it: no name may have one, as it
/// could rewrite the plan that somebody reads before approving it (Unicode TR 36, bidirectional text spoofing).
///
/// Names that are recorded obey this rule: a character more here would make old records unreadable.
pub(crate) fn is_steering(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

/// Returns whether a character is not seen, or shows no certain form: controls, line ends, marks of direction, the
/// default-ignorable ones (Unicode 16, DerivedCoreProperties.txt), marks of annotations, private ones, and those that
/// are none (U+FFFE). Most that are unassigned have no form either, but new letters are assigned each year.
pub(super) fn is_hidden(c: char) -> bool {
    if matches!(c, ' '..='~') {
        return false;
    }
    is_steering(c)
        || matches!(
            c,
            '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
                | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200D}' | '\u{2060}'..='\u{206F}' | '\u{3164}'
                | '\u{E000}'..='\u{F8FF}' | '\u{FDD0}'..='\u{FDEF}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}'
                | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{13430}'..='\u{1343F}' | '\u{1BCA0}'..='\u{1BCA3}'
                | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{10FFFF}'
        )
        || u32::from(c) & 0xFFFE == 0xFFFE
}

/// Returns whether a character that is hidden elsewhere does its work here: a joiner or the sign for colour inside of an
/// emoji, a joiner between letters of a script that is written with it.
fn joins(c: char, before: Option<char>, after: Option<char>) -> bool {
    let is_between = |test: fn(char) -> bool| before.is_some_and(test) && after.is_some_and(test);
    match c {
        '\u{FE0E}' | '\u{FE0F}' => {
            let is_keycap = before.is_some_and(|c| c.is_ascii_digit() || matches!(c, '#' | '*'));
            before.is_some_and(is_pictograph) || (is_keycap && after == Some('\u{20E3}'))
        }
        '\u{200D}' => {
            let is_emoji = |c: char| is_pictograph(c) || c == '\u{FE0F}';
            (before.is_some_and(is_emoji) && after.is_some_and(is_pictograph)) || is_between(is_joined_letter)
        }
        '\u{200C}' => is_between(is_joined_letter),
        _ => false,
    }
}

fn is_pictograph(c: char) -> bool {
    matches!(
        c,
        '©' | '®' | '‼' | '⁉' | '™' | 'ℹ' | '\u{2190}'..='\u{21FF}' | '\u{2300}'..='\u{23FF}' | 'Ⓜ'
            | '\u{25A0}'..='\u{27BF}' | '\u{2900}'..='\u{297F}' | '\u{2B00}'..='\u{2BFF}' | '〰' | '〽' | '㊗' | '㊙'
            | '\u{1F000}'..='\u{1FAFF}'
    )
}

/// Letters and marks of Arabic, Indic, Burmese, Khmer and Mongolian.
fn is_joined_letter(c: char) -> bool {
    matches!(
        c,
        '\u{0600}'..='\u{0DFF}' | '\u{1000}'..='\u{109F}' | '\u{1780}'..='\u{17FF}' | '\u{1800}'..='\u{18AF}'
    ) && !is_hidden(c)
}
