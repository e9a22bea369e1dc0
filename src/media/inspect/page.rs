//! What a web page or an error message calls itself, so that people see what they linked to.

use crate::http::{WORD_LIMIT, clean};

/// How much of a page is looked at.
const LOOKED_AT: usize = 16 * 1024;

/// Returns the title of HTML, or the code of an error in XML, as one clean line. Nothing else of such a page is
/// kept: what S3 answers can quote the key and what was signed with it.
pub(super) fn name(head: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(head.get(..LOOKED_AT).unwrap_or(head));
    let name = between(&text, "<title", "</title").or_else(|| between(&text, "<code", "</code"))?;
    let name = clean(name, WORD_LIMIT);
    (!name.is_empty()).then_some(name)
}

/// Returns what stands in an element, whatever the case of its name and whatever attributes it has.
fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    // ASCII letters alone change, so places in one are places in the other.
    let lower = text.to_ascii_lowercase();
    let opened = lower.find(start)? + start.len();
    let begin = opened + lower.get(opened..)?.find('>')? + 1;
    let length = lower.get(begin..)?.find(end)?;
    text.get(begin..begin + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_named_by_its_title_and_an_error_by_its_code() {
        for (page, expected, reason) in [
            ("<html><head><TITLE lang=en>\n Sign in\n</TITLE>", Some("Sign in"), "capitals, attributes, lines"),
            ("<Error><Code>AccessDenied</Code><Message>m</Message>", Some("AccessDenied"), "what S3 answers"),
            ("<title>a\u{1b}[2Jb</title>", Some("a\\u{001B}[2Jb"), "what steers a terminal is spelled out"),
            ("<title></title>", None, "an empty title"),
            ("<title>never ends", None, "cut off"),
            ("<title", None, "cut off sooner"),
            ("<html>", None, "no title"),
        ] {
            assert_eq!(name(page.as_bytes()).as_deref(), expected, "{reason}");
        }
        let leaking = "<title>https://bucket.example/a.mp4?X-Amz-Signature=0123456789</title>";
        assert!(!name(leaking.as_bytes()).unwrap().contains("0123456789"));
    }
}
