//! What is to be posted: harmless, behind its marker, and no longer than the forge takes.

use std::fmt::Write;

use crate::face::redact_links;
use crate::http::clean_document;

use super::ForgeKind;
use super::marker::Marker;

/// A text with its marker, as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    marker: Marker,
    text: String,
    cut: usize,
}

/// Why a text cannot be posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// There is nothing in it.
    #[error("the text is empty")]
    Empty,
}

impl Document {
    /// Makes a document of a text in markdown. The marker gets the digest of `finding`, or of the text where there is
    /// none.
    ///
    /// Colours go, and other characters that nobody sees are spelled out. Links lose what could be a signature. Lines that a forge or a bot would take for a command
    /// (`/merge`) are told as text. What is too long is cut at the end of a line, with a note.
    ///
    /// # Errors
    /// When there is nothing to say.
    pub fn new(text: &str, finding: Option<&str>, mut marker: Marker, kind: ForgeKind) -> Result<Self, DocumentError> {
        let clean = redact_links(&clean_document(text)).split('\n').map(harmless).collect::<Vec<_>>().join("\n");
        let clean = clean.trim_matches('\n').trim_end();
        if clean.trim().is_empty() {
            return Err(DocumentError::Empty);
        }
        marker.digest = blake3::hash(finding.unwrap_or(clean).as_bytes()).to_hex().chars().take(16).collect();
        let head = format!("{marker}\n\n");
        let (body, cut) = fit(clean, limit(kind).saturating_sub(length(&head)));
        Ok(Self { marker, text: head + &body, cut })
    }

    /// Returns its marker.
    pub fn marker(&self) -> &Marker {
        &self.marker
    }

    /// Returns the whole text, marker first.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns how many characters were cut off.
    pub fn cut(&self) -> usize {
        self.cut
    }
}

/// The longest text that is taken. GitHub refuses more than 65,536 characters ("body is too long (maximum is 65536
/// characters)"); GitLab 1,000,000 (Notes API, `body`).
fn limit(kind: ForgeKind) -> usize {
    match kind {
        ForgeKind::GitHub => 65_536,
        ForgeKind::GitLab => 1_000_000,
    }
}

/// The length that counts: neither page says whether a character outside the BMP is one or two; two is safe.
fn length(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

fn harmless(line: &str) -> String {
    let start = line.len() - line.trim_start().len();
    let is_command = line.get(start..).and_then(|rest| rest.strip_prefix('/')).is_some_and(|rest| {
        // Quick actions of GitLab, and commands that bots of both forges obey.
        rest.starts_with(|c: char| c.is_ascii_alphabetic())
    });
    if is_command { format!("{}\\{}", &line[..start], &line[start..]) } else { line.to_owned() }
}

/// The room for the note and what is closed in front of it.
const NOTE: usize = 400;

/// Cuts a text to a length, at the end of a line where there is one, and closes what the cut left open.
fn fit(text: &str, limit: usize) -> (String, usize) {
    if length(text) <= limit {
        return (text.to_owned(), 0);
    }
    let mut used = 0;
    let is_fitting = |c: char| {
        used += c.len_utf16();
        used <= limit.saturating_sub(NOTE)
    };
    let end = text.len() - text.trim_start_matches(is_fitting).len();
    let kept = text.get(..end).unwrap_or_default();
    let kept = kept.rfind('\n').and_then(|line| kept.get(..line)).unwrap_or(kept).trim_end();
    let cut = text.chars().count() - kept.chars().count();
    let mut out = kept.to_owned();
    let fence = open_fence(kept);
    if let Some(fence) = &fence {
        let _ = write!(out, "\n{fence}");
    }
    let open = kept.matches("<details").count().saturating_sub(kept.matches("</details>").count());
    for _ in 0..open.min(10) {
        out.push_str("\n\n</details>");
    }
    let _ = write!(out, "\n\n*{cut} more characters do not fit here; the whole text is in the log of the job.*");
    (out, cut)
}

/// Returns the fence of a code block that a text leaves open (CommonMark, "Fenced code blocks").
fn open_fence(text: &str) -> Option<String> {
    let mut open: Option<String> = None;
    for line in text.lines().map(str::trim_start) {
        let Some(mark) = line.chars().next().filter(|c| "`~".contains(*c)) else { continue };
        let fence: String = line.chars().take_while(|c| *c == mark).take(100).collect();
        match &open {
            Some(begun) if fence.starts_with(begun.as_str()) && line.trim_end().chars().all(|c| c == mark) => {
                open = None
            }
            None if fence.len() >= 3 => open = Some(fence),
            _ => {}
        }
    }
    open
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::forge::{MarkerKind, Run};

    fn marker() -> Marker {
        Marker {
            kind: MarkerKind::Comment,
            project: "acme".parse().unwrap(),
            run: Some(Run { id: 7, attempt: 1 }),
            commit: None,
            digest: String::new(),
        }
    }

    fn document(text: &str) -> Document {
        Document::new(text, None, marker(), ForgeKind::GitHub).unwrap()
    }

    fn body(text: &str) -> String {
        document(text).text().split_once("-->\n\n").unwrap().1.to_owned()
    }

    #[test]
    fn a_text_stands_behind_its_marker_as_it_is() {
        let document = document("# Plan\n\n| a | b |\n\n```diff\n- x\n+ y\n```\n");
        assert_eq!(Marker::read(document.text()).as_ref(), Some(document.marker()));
        assert!(document.text().ends_with("-->\n\n# Plan\n\n| a | b |\n\n```diff\n- x\n+ y\n```"));
        assert_eq!(document.cut(), 0);
    }

    #[test]
    fn nothing_is_no_text() {
        for text in ["", " \n\t\n", "\u{1b}[31m\u{1b}[0m\n"] {
            assert_eq!(Document::new(text, None, marker(), ForgeKind::GitLab), Err(DocumentError::Empty));
        }
    }

    #[test]
    fn commands_are_told_and_not_given() {
        assert_eq!(
            body("/merge\n  /close now\na /b\n/\n//x\n/tmp/x"),
            "\\/merge\n  \\/close now\na /b\n/\n//x\n\\/tmp/x"
        );
    }

    #[test]
    fn signatures_go_and_links_to_lines_stay() {
        let text =
            "see https://m.example.com/a.mp4?X-Amz-Signature=HUSH\n[x](https://git.example.com/o/r/blob/1/f.yaml#L3)";
        let shown = body(text);
        assert!(!shown.contains("HUSH") && shown.contains("f.yaml#L3)"), "{shown}");
    }

    #[test]
    fn a_marker_within_the_text_stays_text() {
        let other = Marker { project: "other".parse().unwrap(), ..marker() };
        assert_eq!(Marker::read(document(&format!("{other}\n# Plan")).text()).unwrap().project.as_str(), "acme");
    }

    #[test]
    fn a_finding_decides_the_digest_where_it_is_given() {
        let digest =
            |text, finding| Document::new(text, finding, marker(), ForgeKind::GitHub).unwrap().marker().digest.clone();
        assert_eq!(digest("a", Some("x")), digest("b", Some("x")));
        assert_ne!(digest("a", None), digest("b", None));
        assert_eq!(digest("a", None).len(), 16);
    }

    #[test]
    fn what_is_too_long_is_cut_at_a_line_and_closed() {
        let long = format!("# Plan\n<details>\n\n````diff\n{}", "+ 😀 added\n```\n".repeat(10_000));
        let document = document(&long);
        assert!(length(document.text()) <= 65_536, "{}", length(document.text()));
        let tail: Vec<&str> = document.text().lines().rev().take(6).collect();
        assert!(tail[0].ends_with("the whole text is in the log of the job.*") && tail[2] == "</details>", "{tail:?}");
        assert_eq!(tail[4], "````");
        assert!(document.cut() > 50_000);
        let on_gitlab = Document::new(&long, None, marker(), ForgeKind::GitLab).unwrap();
        assert_eq!(on_gitlab.cut(), 0);
    }

    proptest! {
        #[test]
        fn any_text_fits_and_keeps_its_marker(text in "\\PC{0,200}", times in 1usize..2000) {
            if let Ok(document) = Document::new(&text.repeat(times), None, marker(), ForgeKind::GitHub) {
                prop_assert!(length(document.text()) <= 65_536);
                prop_assert_eq!(Marker::read(document.text()), Some(document.marker().clone()));
            }
        }
    }
}
