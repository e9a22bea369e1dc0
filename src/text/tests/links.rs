//! Links of any spelling, in texts of any kind: no part of a secret is left.

use proptest::prelude::*;
use proptest::sample::select;

use super::super::redact::secrets;
use super::super::*;

#[test]
fn a_text_without_secrets_stays_as_it_is() {
    for text in [
        "no link here? no",
        "a?b",
        "see section 3 & 4",
        "R&D",
        "face_name=Ana",
        "why?",
        "100% of it: done",
        "{a: b, c: d}",
        "https://docs.example.com/faces#section",
        "https://h.example.com/a.mp4",
        "see (https://h.example.com/a?).",
        "s3://bucket/key.mp4",
        "ssh://git@github.com/a/b",
        "git@github.com:a/b.git",
        "https://a.example.com/b?…\nhttps://a.example.com/c\nname: Ana\nlifecycle:\n",
        "C:\\Users\\ana",
        "12:30:00",
        "a token fc-k3j7x2m7-qa4bd2-1",
        "the bearer of it",
        "usage: x --key <TOKEN> [--sig <SIGNATURE>] <FILE>",
        "mail ana@example.com",
        "*.ya?ml",
        "facectl import KEY FACE_ID --assume-current",
        "https://a.example.com/b.mp4?…",
        "https://a.example.com/b.mp4?v=1&…",
        "https://a.example.com/b?c=…&…",
        "https://a.example.com/b?token=…&versionId=7&…",
        "https://a.example.com/…",
    ] {
        assert_eq!(redact_links(text), text);
    }
}

#[test]
fn a_text_around_a_link_stays_readable() {
    for (text, shown) in [
        (
            "cannot fetch \"https://h.example.com/a?b=1&sig=hush\" now",
            "cannot fetch \"https://h.example.com/a?b=…&…\" now",
        ),
        ("(see https://h.example.com/a?sig=hush).", "(see https://h.example.com/a?…)."),
        ("see https://u:p@h.example.com/x.", "see https://…@h.example.com/x."),
        ("https://h.example.com/a?versionId=7&k=1#t", "https://h.example.com/a?versionId=7&k=…&…"),
        ("http://:80?sig=secret end", "http://:80?… end"),
        ("https://h.example.com/a?hush", "https://h.example.com/a?…"),
        ("Authorization: Bearer hush, then", "Authorization: … then"),
        ("X-Amz-Signature=hush and more", "X-Amz-Signature=… and more"),
        ("<StringToSign>hush hush</StringToSign>", "<StringToSign>…</StringToSign>"),
        (r#"{"sig":"hush","n":1}"#, r#"{"sig":"…","n":1}"#),
        ("x-amz-request-id: ABC", "x-amz-request-id: ABC"),
    ] {
        assert_eq!(redact_links(text), shown);
    }
}

#[test]
fn a_link_that_ends_early_hides_what_follows() {
    for text in [
        "https://h.example.com/ana(1).mp4?X-Amz-Signature=hush",
        "'https://h.example.com/it's.mp4?sig=hush'",
        "[https://h.example.com/a[1].mp4?sig=hush]",
        "HtTps://h.example.com/a?sig=hush",
        "//host/a?sig=hush",
        "host.example.com/a.mp4?hush",
        "https%3A%2F%2Fh.example.com%2Fa.mp4%3Fsig%3Dhush",
        "https%253A%252F%252Fh%252Fa.mp4%253Fb%253D1%2526sig%253Dhush",
        r#"{"u":"https:\/\/m.example.com\/l.mp4?a=1\u0026sig=hush"} https://m.example.com/?b=1\x26sig=hush"#,
        "https://h.example.com/a?b=1&amp;sig=hush",
        "https://h.example.com/a?b=1\"&sig=hush",
        "ht\u{1b}[0mtps://h.example.com/a?s\u{200b}ig=hush",
        "u: >-\n  https://h.example.com/a.mp4?X-Amz-Date=1&\n  X-Amz-Signature=hush\n",
        "u: >-\n  https://h.example.com/a.mp4?sig=ab\n  hush\n  hush\nname: Ana\n",
        "u: \"https://h.example.com/a.mp4?sig=ab\\\n  hush\"\n",
        "https://u:hush/hush@h.example.com/",
        "htps://u:hush@h.example.com/?k=hush",
        "https://hush@h.example.com/",
        "cookie: a=hush",
        "Authorization: AWS4-HMAC-SHA256 Credential=hush, SignedHeaders=host, Signature=hush",
        "curl -H 'Authorization: Bearer hush'",
        "a bearer hush1234hush",
        "sig='hush'",
    ] {
        assert!(!redact_links(text).contains("hush"), "{text}: {}", redact_links(text));
    }
}

#[test]
fn a_long_text_loses_nothing_between_its_parts() {
    let line = "  train_video_url: https://h.example.com/a.mp4?X-Amz-Date=1&X-Amz-\n    Signature=hush\n    hush\n  name: Ana B\n";
    let text = line.repeat(5_000);
    let shown = redact_links(&text);
    assert!(!shown.contains("hush"));
    assert_eq!(shown.matches("name: Ana B").count(), 5_000);
    assert_eq!(shown.lines().count(), text.lines().count());
}

#[test]
fn a_long_row_of_anything_is_read_once() {
    for piece in [
        "?",
        "&",
        "?a",
        "&a",
        "#a=",
        "://",
        "//",
        "@",
        "\\",
        "%25",
        "%",
        "&amp;",
        "amp;",
        "<sig>",
        "sig=",
        "\"sig\": ",
        "a:b@",
        "\n ",
        " ",
        "=",
        "x-api-key ",
        "bearer ",
    ] {
        // A search that began anew at each piece would not end while anybody waits.
        let text = piece.repeat(100_000 / piece.len());
        let shown = redact_links(&format!("{text}\n{text} https://h.example.com/?sig=hush"));
        assert!(!shown.contains("hush"), "{piece}");
    }
}

#[test]
fn a_value_that_is_a_link_ends_where_something_is_hidden() {
    assert_eq!(redact_value("https://h.example.com/a?sig=ab hush hush"), "https://h.example.com/a?…");
    assert_eq!(redact_value("see section 3"), "see section 3");
}

/// A secret: no part of it of this many characters may be left.
const PART: usize = 5;

fn secret() -> impl Strategy<Value = String> {
    "5[a-zA-Z0-9_-]{14,40}"
}

/// Names that carry a secret wherever they stand.
const NAMES: [&str; 22] = [
    "X-Amz-Signature",
    "X-Amz-Credential",
    "x-amz-security-token",
    "X-Goog-Signature",
    "Signature",
    "sig",
    "Policy",
    "Key-Pair-Id",
    "token",
    "access_token",
    "hdnts",
    "hdnea",
    "__token__",
    "verify",
    "Expires",
    "Authorization",
    "AWSAccessKeyId",
    "GoogleAccessId",
    "q-signature",
    "x-oss-signature",
    "OSSAccessKeyId",
    "client_secret",
];

#[derive(Debug, Clone, Copy)]
enum Spelling {
    Plain,
    Percent,
    PercentTwice,
    Json,
    Html,
}

fn spelling() -> impl Strategy<Value = Spelling> {
    use Spelling::{Html, Json, Percent, PercentTwice, Plain};
    select(vec![Plain, Plain, Percent, PercentTwice, Json, Html])
}

fn spelled(link: &str, spelling: Spelling) -> String {
    let encoded = |mark: &'static str| {
        link.chars()
            .map(|c| if "?&=:/#".contains(c) { format!("{mark}{:02X}", u32::from(c)) } else { c.to_string() })
            .collect()
    };
    match spelling {
        Spelling::Plain => link.to_owned(),
        Spelling::Percent => encoded("%"),
        Spelling::PercentTwice => encoded("%25"),
        Spelling::Json => link.replace('/', "\\/").replace('&', "\\u0026").replace('=', "\\u003d"),
        Spelling::Html => link.replace('&', "&amp;"),
    }
}

prop_compose! {
    fn link()(
        scheme in select(vec!["https://", "http://", "HtTps://", "//", "", "s3://"]),
        host in select(vec!["h.example.com", "b.s3.amazonaws.com:443", "[::1]:8080", "localhost"]),
        path in r"[a-z0-9()'\[\],;!*$@~%+.-]{0,12}",
        before in prop::collection::vec("[a-z]{1,6}=[a-z0-9()'\\[\\],;{}|]{0,6}", 0..3),
        name in select(NAMES.to_vec()),
        secret in secret(),
        after in prop::option::of("&[a-z]{1,4}=[a-z0-9()']{0,3}"),
        spelling in spelling(),
    ) -> (String, String) {
        let before: String = before.iter().map(|pair| format!("{pair}&")).collect();
        let link = format!("{scheme}{host}/{path}.mp4?{before}{name}={secret}{}", after.unwrap_or_default());
        (spelled(&link, spelling), secret)
    }
}

fn no_part_is_left(shown: &str, secret: &str) -> Result<(), TestCaseError> {
    for start in 0..=secret.len() - PART {
        let part = &secret[start..start + PART];
        prop_assert!(!shown.contains(part), "{part} of {secret} is in {shown}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_link_shows_its_secret_in_any_text(
        (link, secret) in link(),
        (open, close) in select(vec![("", ""), ("'", "'"), ("\"", "\""), ("(", ")."), ("<", ">"), ("`", "`,"), ("{\"u\": \"", "\"}"), ("url: ", " # x"), ("[", "](x)"), ("a=", ""), ("\\\"", "\\\"")]),
        before in "[A-Za-z ,.:;!()'\"\n-]{0,30}",
        after in "[A-Za-z ,.:;!()'\"\n-]{0,30}",
    ) {
        let text = format!("{before} {open}{link}{close} {after}");
        no_part_is_left(&redact_links(&text), &secret)?;
        no_part_is_left(&clean(&text, 1000), &secret)?;
        no_part_is_left(&body_for_trace(serde_json::json!({ "e": text }).to_string().as_bytes()), &secret)?;
        no_part_is_left(&body_for_trace(text.as_bytes()), &secret)?;
    }

    #[test]
    fn a_link_folded_anywhere_shows_nothing(
        (link, secret) in link(),
        at in 0.0..1.0f64,
        fold in select(vec!["\n", "\n    ", "\r\n  ", "\\\n  "]),
        end in select(vec!["", "\n", "\nname: Ana\n", " # x", "\""]),
    ) {
        // In its query, as a path may be shown.
        let query = link.find(['?']).or_else(|| link.find("%3F")).or_else(|| link.find("%253F")).unwrap() + 6;
        let at = query + ((link.len() - query) as f64 * at) as usize;
        // An escape of two lines means nothing to anybody.
        prop_assume!(!link[at.saturating_sub(5)..at].contains(['%', '\\', '&']));
        let text = format!("u: >-\n  {}{fold}{}{end}", &link[..link.floor_char_boundary(at)], &link[link.floor_char_boundary(at)..]);
        no_part_is_left(&redact_links(&text), &secret)?;
    }

    #[test]
    fn a_parameter_without_its_link_shows_nothing(
        name in select(NAMES.to_vec()),
        secret in secret(),
        spelling in spelling(),
        (open, close) in select(vec![(" ", " "), ("?", ""), ("&", ""), ("'", "'"), ("(", ")"), (";", ""), ("\n", "\n"), (",", ","), ("x&", "&y=1")]),
    ) {
        let text = format!("denied{open}{}{close}end", spelled(&format!("{name}={secret}"), spelling));
        no_part_is_left(&redact_links(&text), &secret)?;
    }

    #[test]
    fn redacting_again_changes_nothing((link, _) in link(), words in "[a-z ]{0,20}") {
        let once = redact_links(&format!("{words} {link} {words}"));
        prop_assert_eq!(redact_links(&once), once);
    }

    #[test]
    fn prose_is_never_touched(words in prop::collection::vec("[A-Za-zäöü]{1,9}[.,;:!?]?|&|\\([a-z]+\\)|[0-9]{1,4}%?|'[a-z ]+'|[a-z]+\\?[a-z]+|/[a-z/.]{1,9}|[a-z]+@[a-z]+\\.com", 0..20)) {
        let text = words.join(" ");
        prop_assert_eq!(redact_links(&text), text);
    }

    #[test]
    fn stretches_are_in_order_whatever_the_text(
        parts in prop::collection::vec(r#"\\u[0-9a-f+]{0,5}|\\/|https://|//|@|\?|sig|=|&|&amp;|&#6[0-9];|%3[DdFf]|%25|%|\x1b[\[\]P]?|é|[ "<>;#\n]|\u{9b}|Bearer |authorization: "#, 0..40)
    ) {
        let text = parts.concat();
        let mut done = 0;
        for (range, _) in secrets(&text) {
            prop_assert!(range.start >= done && range.end >= range.start && text.is_char_boundary(range.start) && text.is_char_boundary(range.end));
            done = range.end;
        }
        body_for_trace(text.as_bytes());
    }
}
