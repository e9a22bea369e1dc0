//! The comment of a pull request.

use crate::http::ApiError;

use super::converge::{Change, Settled, Shelf, converge};
use super::dialect::{Author, Post, Thread};
use super::{Commit, Document, Forge, ForgeError};

/// What to say, and where.
#[derive(Debug)]
pub struct CommentRequest<'a> {
    /// The pull request.
    pub number: u64,
    /// The text.
    pub document: &'a Document,
    /// The commit that must be at the head of the pull request; none where number and commit come from one source.
    pub only_at: Option<&'a Commit>,
}

struct Comments<'a> {
    forge: &'a Forge,
    thread: Thread,
    me: Author,
}

/// Brings about that one comment of ours is there for the document's project, and says what it says or something newer.
///
/// Where the pull request has another commit at its head than it must have, nothing is written: it moved on, or it is
/// not the one that was meant.
///
/// # Errors
/// When the forge cannot be asked, refuses, or other jobs do not let it come to an end. Run again, it takes up what is
/// there.
pub async fn comment(forge: &Forge, request: &CommentRequest<'_>) -> Result<Settled, ForgeError> {
    let CommentRequest { number, document, only_at } = *request;
    if let Some(commit) = only_at
        && !commit.is_same(&forge.head(number).await?)
    {
        return Ok(Settled { change: Change::Moved, id: None, link: None, run: None, before: None, removed: 0 });
    }
    let comments = Comments { forge, thread: Thread::PullRequest(number), me: forge.who().await? };
    converge(&comments, document).await
}

impl Shelf for Comments<'_> {
    const NAME: &'static str = "the comment";

    fn forge(&self) -> &Forge {
        self.forge
    }

    async fn look(&self) -> Result<Vec<Post>, ForgeError> {
        self.forge.comments(self.thread, &self.me).await
    }

    async fn post(&self, text: &str) -> Result<Post, ApiError> {
        self.forge.post_comment(self.thread, text).await
    }

    async fn edit(&self, id: u64, text: &str) -> Result<(), ApiError> {
        self.forge.edit_comment(self.thread, id, text).await
    }

    async fn remove(&self, id: u64, _kept: &Post) -> Result<(), ApiError> {
        self.forge.delete_comment(self.thread, id).await
    }
}
