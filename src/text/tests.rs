use proptest::prelude::*;

use super::hidden::is_hidden;
use super::*;

mod links;

#[test]
fn what_cannot_be_seen_is_spelled_out() {
    for (raw, shown) in [
        ("a\u{1b}[2Jb", r"a\u{001B}[2Jb"),
        ("a\n::error::b", r"a\n::error::b"),
        ("\r\t\u{7f}\u{9b}\u{0}", r"\r\t\u{007F}\u{009B}\u{0000}"),
        ("left\u{202e}right\u{2066}\u{200f}\u{61c}", r"left\u{202E}right\u{2066}\u{200F}\u{061C}"),
        ("a\u{2028}b\u{85}c", r"a\u{2028}b\u{0085}c"),
        ("a\u{200b}b\u{ad}c\u{34f}d\u{2060}\u{feff}", r"a\u{200B}b\u{00AD}c\u{034F}d\u{2060}\u{FEFF}"),
        ("a\u{fe0f}b\u{e0100}c\u{e0041}\u{180b}", r"a\u{FE0F}b\u{E0100}c\u{E0041}\u{180B}"),
        ("\u{e000}\u{ffff}\u{1fffe}\u{10ffff}\u{fff9}", r"\u{E000}\u{FFFF}\u{1FFFE}\u{10FFFF}\u{FFF9}"),
        ("a\u{200d}b\u{200c}", r"a\u{200D}b\u{200C}"),
    ] {
        assert_eq!(visible(raw), shown, "{raw:?}");
    }
}

#[test]
fn what_people_write_stays_as_it_is() {
    for text in
        ["Zoë Müller-Łukasz", "Zoe\u{308}", "日本", "नमस्ते क्‍ष", "می\u{200c}خواهم", "❤️ 👩‍👩‍👧‍👦 👍🏽 🏳️‍🌈 1️⃣ ™️", "a b", "¡…—“x”"]
    {
        assert_eq!(visible(text), text);
    }
}

#[test]
fn one_joiner_hides_nothing_and_a_row_of_them_is_shown() {
    assert_eq!(visible("😀\u{fe0f}\u{fe0e}\u{fe01}"), "😀\u{fe0f}\\u{FE0E}\\u{FE01}");
}

#[test]
fn prose_becomes_one_line_of_bounded_length() {
    assert_eq!(clean("two\r\n lines\t", 100), "two lines");
    assert_eq!(clean("a\u{1b}]8;;http://x\u{7}b", 100), r"a\u{001B}]8;;http://x\u{0007}b");
    assert_eq!(clean("ääää", 2), "ää…");
}

#[test]
fn a_name_keeps_its_length_and_its_end() {
    assert_eq!(clean_name("a\u{1b}[31mb"), "a\u{FFFD}[31mb");
    let name = format!("{} [fc-k3j7x2m7-qa4bd2-1]", "é".repeat(5000));
    let kept = clean_name(&name);
    assert!(kept.chars().count() < 400 && kept.ends_with("[fc-k3j7x2m7-qa4bd2-1]"));
}

#[test]
fn a_document_keeps_its_lines_and_indents() {
    assert_eq!(
        clean_document("# T\r\n\n  - a\u{1b}[31mb\u{1b}[2J\u{0}\n\tc\u{202e}d\n"),
        "# T\n\n  - ab\\u{001B}[2J\\u{0000}\n    c\\u{202E}d\n"
    );
}

#[test]
fn our_colours_pass_and_nothing_else_that_steers() {
    let text = "\u{1b}[1m\u{1b}[31merror:\u{1b}[0m a\u{1b}[8mb\u{1b}[2Jc\u{1b}]0;t\u{7}\n\tnext\r";
    assert_eq!(
        for_people(text, true),
        "\u{1b}[1m\u{1b}[31merror:\u{1b}[0m a\\u{001B}[8mb\\u{001B}[2Jc\\u{001B}]0;t\\u{0007}\n\tnext\\r"
    );
    assert!(!for_people(text, false).contains('\u{1b}'));
}

#[test]
fn no_line_commands_a_runner() {
    let text = "a\n  ::error::x\n::set-output name=y::z\na ##[error] b ##vso[task.x]\n a::b";
    assert_eq!(
        for_people(text, false),
        "a\n  : :error::x\n: :set-output name=y::z\na # #[error] b # #vso[task.x]\n a::b"
    );
}

#[test]
fn json_reads_the_same_and_holds_nothing_hidden() {
    let value = serde_json::json!({ "a\u{9b}\u{202e}": ["b\n\u{e0041}", { "c": "d\u{7f}❤️" }], "e": [], "f": {} });
    let mut bytes = Vec::new();
    write_json(&mut bytes, &value).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    assert!(!text.chars().any(|c| matches!(c, '\u{9b}' | '\u{202e}' | '\u{e0041}' | '\u{7f}')), "{text:?}");
    assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&json_escaped(&value.to_string())).unwrap(), value);
}

#[test]
fn a_trace_shows_a_body_without_signatures() {
    let body = br#"{"train_video_url":"https://h.example.com/a?b=1\u0026sig=hush","n":1}"#;
    assert_eq!(body_for_trace(body), r#"{"train_video_url":"https://h.example.com/a?b=…&…","n":1}"#);
    let long = format!("{} https://h.example.com/a?sig={}", "x".repeat(LOOKED_AT - 40), "hush".repeat(90));
    assert!(!body_for_trace(long.as_bytes()).contains("hush"));
    assert!(!clean(&long, usize::MAX).contains("hush"));
}

fn is_seen(text: &str) -> bool {
    hidden(text).next().is_none()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_becomes_harmless(text in any::<String>(), limit in 0usize..50) {
        let line = clean(&text, limit);
        prop_assert!(line.chars().count() <= limit + 1 && !line.contains('\n') && is_seen(&line), "{line:?}");
        prop_assert!(is_seen(&visible(&text)) && visible(&text).lines().count() <= 1);
        prop_assert!(is_seen(&for_people(&text, false).replace(['\n', '\t'], "")));
        prop_assert!(!clean_name(&text).contains(is_steering));
    }

    #[test]
    fn hidden_characters_in_any_mixture_are_spelled_out(
        parts in prop::collection::vec("[\u{0}-\u{1f}\u{7f}-\u{9f}\u{200b}-\u{206f}\u{fe00}-\u{fe0f}\u{e0000}-\u{e01ef}]|😀|a|\u{1b}\\[[0-9;]{0,4}[mJ]|::|##\\[|\n", 0..30)
    ) {
        let text = parts.concat();
        prop_assert!(is_seen(&visible(&text)), "{text:?}");
        let once = visible(&text);
        prop_assert_eq!(visible(&once), once.as_ref());
        for line in for_people(&text, true).lines() {
            prop_assert!(!line.trim_start().starts_with("::") && !line.contains("##["), "{line:?}");
            // What is left of escapes chooses a colour.
            let plain = anstream::adapter::strip_str(line).to_string();
            prop_assert!(!plain.chars().any(|c| is_hidden(c) && c != '\t' && !matches!(c, '\u{200d}' | '\u{fe0e}' | '\u{fe0f}')), "{line:?}");
        }
    }
}
