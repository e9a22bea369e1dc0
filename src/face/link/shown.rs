//! What people may see of a link: every value that could be a secret is `…`.

use url::Url;

use super::scheme::{Query, Signature};

/// Query parameters whose value is never a secret and says which version of an object is meant.
const VERSION_PARAMETERS: [&str; 4] = ["versionid", "generation", "version", "v"];

/// Returns a link as people may see it: without a user name and with `…` for each value, except those that name a
/// version.
pub(super) fn shown(url: &Url) -> String {
    let mut bare = url.clone();
    bare.set_fragment(None);
    bare.set_query(None);
    // Both fail only for URLs without a host, which have no credentials to hide.
    let _ = bare.set_username("");
    let _ = bare.set_password(None);
    let mut text = String::from(bare);
    let query = Query::of(url);
    let signature = Signature::of(&query);
    let mut parts: Vec<String> = Vec::new();
    let mut has_signature = false;
    for (name, value) in &query.pairs {
        if signature.owns(name) {
            has_signature = true;
        } else if VERSION_PARAMETERS.contains(&name.to_ascii_lowercase().as_str()) {
            parts.push(format!("{name}={value}"));
        } else {
            parts.push(format!("{name}=…"));
        }
    }
    if has_signature {
        parts.push("…".to_owned());
    }
    if !parts.is_empty() {
        text.push('?');
        text.push_str(&parts.join("&"));
    }
    text
}

/// Returns the shown form, also of a link that is in it already: what was hidden once stays as it was shown.
fn shown_again(url: &Url) -> String {
    /// How a parser writes the sign for what is hidden.
    const HIDDEN: &str = "%E2%80%A6";
    let mut text = shown(url);
    if let Some(head) = text.strip_suffix("…=…").filter(|_| url.query().is_some_and(|query| query.ends_with(HIDDEN)))
    {
        text = format!("{head}…");
    }
    match text.strip_suffix(HIDDEN).filter(|head| head.ends_with('/')) {
        Some(head) => format!("{head}…"),
        None => text,
    }
}

/// Replaces every link inside a text of unknown origin (an API's error, a trace) by its shown form.
pub fn redact_links(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = find_link(rest) {
        out.push_str(&rest[..start]);
        let tail = &rest[start..];
        let end = tail.find(|c: char| c.is_whitespace() || "\"'<>`\\)]}".contains(c)).unwrap_or(tail.len());
        let candidate = &tail[..end];
        // An escape inside of a query, such as `\u0026` for `&`: what comes behind it belongs to the link, and may well
        // be its signature.
        if tail[end..].starts_with('\\') {
            let end = tail.find(|c: char| c.is_whitespace() || "\"'<>`".contains(c)).unwrap_or(tail.len());
            match tail[..end].split_once('?') {
                Some((head, _)) => {
                    out.push_str(head);
                    out.push_str("?…");
                }
                None => out.push_str(&tail[..end]),
            }
            rest = &tail[end..];
            continue;
        }
        match Url::parse(candidate) {
            Ok(url) => out.push_str(&shown_again(&url)),
            // Not a URL after all: whatever follows a `?` may still be a secret.
            Err(_) => match candidate.split_once('?') {
                Some((head, _)) => {
                    out.push_str(head);
                    out.push_str("?…");
                }
                None => out.push_str(candidate),
            },
        }
        rest = &tail[end..];
    }
    out.push_str(rest);
    out
}

fn find_link(text: &str) -> Option<usize> {
    // The last two are how some writers of JSON put it.
    ["https://", "http://", "HTTPS://", "HTTP://", "https:\\/", "http:\\/"]
        .iter()
        .filter_map(|scheme| text.find(scheme))
        .min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::Link;

    #[test]
    fn what_is_hidden_already_stays_as_it_is_shown() {
        for text in ["https://a.example.com/b.mp4?…", "https://a.example.com/b.mp4?v=1&…", "https://a.example.com/…"]
        {
            assert_eq!(redact_links(text), text);
        }
        assert_eq!(redact_links("https://u:p@a.example.com/b?c=d&…"), "https://a.example.com/b?c=…&…");
    }

    #[test]
    fn a_signature_behind_an_escape_is_hidden_too() {
        for text in [
            r#"url: "https://m.example.com/l.mp4?X-Amz-Algorithm=A\u0026X-Amz-Signature=LEAK" # x"#,
            r#"{"u":"https:\/\/m.example.com\/l.mp4?a=1\u0026sig=LEAK"} https://m.example.com/?b=1\x26sig=LEAK"#,
        ] {
            assert!(!redact_links(text).contains("LEAK"), "{}", redact_links(text));
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let link = Link::parse("https://h.example.com/a.mp4?token=hush&versionId=7&X-Amz-Signature=deadbeef").unwrap();
        assert_eq!(link.shown(), "https://h.example.com/a.mp4?token=…&versionId=7&…");
        for text in
            [link.to_string(), format!("{link:?}"), redact_links(&format!("cannot fetch \"{}\" now", link.expose()))]
        {
            assert!(!text.contains("hush") && !text.contains("deadbeef"), "{text}");
        }
        assert_eq!(redact_links("no link here? no"), "no link here? no");
        assert_eq!(redact_links("see https://u:p@h.example.com/x."), "see https://h.example.com/x.");
        assert_eq!(redact_links("http://:80?sig=secret end"), "http://:80?… end");
    }
}
