//! The issue of a project: opened when something is found, kept up to date, closed when nothing is found any more.

use std::sync::OnceLock;

use crate::http::ApiError;

use super::converge::{Change, Settled, Shelf, clear, converge};
use super::dialect::{Author, Post, Thread};
use super::{Document, Forge, ForgeError, Label, Marker};

/// What to say, and under which label and title.
#[derive(Debug)]
pub struct IssueRequest<'a> {
    /// The title.
    pub title: &'a str,
    /// The text.
    pub document: &'a Document,
    /// The label by which one's own issues are listed.
    pub label: &'a Label,
    /// Written as a comment where an issue that was open says something new.
    pub note: &'a str,
}

/// How things stand in the end, and whether it was said that something changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noted {
    /// How things stand.
    pub settled: Settled,
    /// Whether a comment was written.
    pub is_noted: bool,
}

struct Issues<'a> {
    forge: &'a Forge,
    label: &'a Label,
    title: &'a str,
    me: Author,
    /// What the forge made of what we posted.
    posted: OnceLock<Post>,
}

/// Brings about that one open issue of ours is there for the document's project, and says what it says or something
/// newer. People are told by a comment only where the finding changed.
///
/// # Errors
/// When the forge cannot be asked, refuses, or does not set the label.
pub async fn open_issue(forge: &Forge, request: &IssueRequest<'_>) -> Result<Noted, ForgeError> {
    let IssueRequest { title, document, label, note } = *request;
    let issues = Issues { forge, label, title, me: forge.who().await?, posted: OnceLock::new() };
    let settled = converge(&issues, document).await?;
    issues.check_label()?;
    let is_new = settled.before.as_ref().is_some_and(|before| before.digest != document.marker().digest);
    let is_noted = is_new && settled.change == Change::Updated;
    if let (true, Some(number)) = (is_noted, settled.id) {
        issues.note(number, note).await?;
    }
    Ok(Noted { settled, is_noted })
}

/// Closes the open issue of ours for the marker's project, if there is one, and says so in a comment.
///
/// # Errors
/// When the forge cannot be asked or refuses.
pub async fn close_issue(forge: &Forge, marker: &Marker, label: &Label, note: &str) -> Result<Noted, ForgeError> {
    let issues = Issues { forge, label, title: "", me: forge.who().await?, posted: OnceLock::new() };
    let settled = clear(&issues, marker, async |post: &Post| forge.close_issue(post.id).await).await?;
    let is_noted = settled.change == Change::Closed;
    if let (true, Some(number)) = (is_noted, settled.id) {
        // After it: were the closing to fail, each run would say it again.
        issues.note(number, note).await?;
    }
    Ok(Noted { settled, is_noted })
}

impl Issues<'_> {
    /// Writes a comment, once: one that got lost is no harm, one that comes twice is.
    async fn note(&self, number: u64, note: &str) -> Result<(), ForgeError> {
        let written = self.forge.post_comment(Thread::Issue(number), note).await;
        written.map(drop).map_err(|error| self.forge.failed("commenting on the issue", error))
    }

    /// Makes sure that the next run finds the issue: a forge drops a label silently where the token may not set it
    /// (GitHub, "Create an issue": "Only users with push access can set labels").
    fn check_label(&self) -> Result<(), ForgeError> {
        let is_ours = |label: &String| label.eq_ignore_ascii_case(self.label.as_str());
        match self.posted.get() {
            Some(post) if !post.labels.iter().any(is_ours) => {
                let issue = post.link.clone().unwrap_or_else(|| format!("#{}", post.id));
                Err(ForgeError::Unlabelled { issue, label: self.label.clone() })
            }
            _ => Ok(()),
        }
    }
}

impl Shelf for Issues<'_> {
    const NAME: &'static str = "the issue";

    fn forge(&self) -> &Forge {
        self.forge
    }

    async fn look(&self) -> Result<Vec<Post>, ForgeError> {
        self.forge.issues(self.label, &self.me).await
    }

    async fn post(&self, text: &str) -> Result<Post, ApiError> {
        let post = self.forge.post_issue(self.title, text, self.label).await?;
        Ok(self.posted.get_or_init(|| post).clone())
    }

    async fn edit(&self, id: u64, text: &str) -> Result<(), ApiError> {
        self.forge.edit_issue(id, self.title, text).await
    }

    /// An issue cannot be deleted: it is closed, and says in favour of which.
    async fn remove(&self, id: u64, kept: &Post) -> Result<(), ApiError> {
        self.forge.close_issue(id).await?;
        let note = format!("Opened twice by jobs at the same time; #{} is the one that is kept up to date.", kept.id);
        self.forge.post_comment(Thread::Issue(id), &note).await.map(drop)
    }
}
