//! The calls. Listings are read to their end; only what the token's own user wrote is handed on.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::clock::Clock;
use crate::http::{
    Address, Answer, ApiError, ApiKey, Call, ClientError, Decision, Effect, Failure, MESSAGE_LIMIT, Place, RetryPolicy,
    Sender, SenderConfig, clean, decide, read_rows, tell_wait,
};

use super::dialect::{Author, Dialect, Post, Thread};
use super::github::{ACTIONS_BOT, GitHub};
use super::gitlab::GitLab;
use super::{ForgeError, ForgeKind, Label, Repository, github, gitlab};

/// What a forge is reached with.
#[derive(Debug)]
pub struct ForgeConfig {
    /// Which kind.
    pub kind: ForgeKind,
    /// Where its API is.
    pub address: Address,
    /// The repository to speak in.
    pub repository: Repository,
    /// The token.
    pub token: ApiKey,
    /// Whether an unnamed token is the one of a job of GitHub Actions.
    pub is_actions: bool,
    /// What back-off waits on.
    pub clock: Arc<dyn Clock>,
    /// How long one request may take.
    pub request_timeout: Duration,
    /// A file of more roots to trust, in PEM form.
    pub ca_file: Option<PathBuf>,
}

/// A forge, one repository of it, and a token.
pub struct Forge {
    sender: Sender,
    dialect: Box<dyn Dialect>,
    kind: ForgeKind,
    is_actions: bool,
}

/// Rows of a page: the most that both forges give.
const ROWS: usize = 100;
/// A listing longer than this has no end: 10,000 rows are more comments than GitHub (2,500) or GitLab (5,000) allow.
const PAGES: u32 = 100;
/// Enough for a page of the longest comments that anybody can write.
const LISTING_LIMIT: usize = 128 << 20;
/// The longest error body that is looked into, in bytes.
const ERROR_LIMIT: usize = 64 << 10;
/// Enough for an answer that holds the longest text, however it is escaped.
const POST_LIMIT: usize = 16 << 20;

impl Forge {
    /// Makes the client. Nothing is sent yet.
    ///
    /// # Errors
    /// When TLS cannot be set up or the token cannot stand in a header.
    pub fn new(config: ForgeConfig) -> Result<Self, ForgeError> {
        let ForgeConfig { kind, address, repository, token, is_actions, clock, request_timeout, ca_file } = config;
        let dialect: Box<dyn Dialect> = match kind {
            ForgeKind::GitHub => Box::new(GitHub { repository }),
            ForgeKind::GitLab => Box::new(GitLab { repository }),
        };
        let headers = dialect.headers(&token).ok_or(ForgeError::Client(ClientError::Key))?;
        let sender = Sender::new(SenderConfig {
            address,
            key: token,
            headers,
            told,
            // "You have exceeded a secondary rate limit" (GitHub, 2026), and what it said before.
            limits_with_403: &["rate limit", "abuse detection"],
            clock,
            connect_timeout: Duration::from_secs(10),
            request_timeout,
            requests_per_second: None,
            // One after the other, as GitHub asks for ("Best practices for using the REST API").
            max_in_flight: 1,
            retry: RetryPolicy::of_forge(),
            ca_file,
        })
        .map_err(ForgeError::Client)?;
        Ok(Self { sender, dialect, kind, is_actions })
    }

    /// Finds out whose token it is.
    pub(super) async fn who(&self) -> Result<Author, ForgeError> {
        let read = |answer: &Answer| {
            let user = json(answer)?;
            let author = match self.kind {
                ForgeKind::GitHub => github::author(&user),
                ForgeKind::GitLab => gitlab::author(&user),
            };
            author.ok_or_else(|| "it names no user".to_owned())
        };
        let refused = match self.sender.repeat(&Call::get("/user".to_owned()), read).await {
            Ok(author) => return Ok(author),
            Err(error) => error,
        };
        let is_app = matches!(refused.failure, Failure::Status { status: 403 | 404, .. });
        if self.kind == ForgeKind::GitLab || !is_app {
            return Err(self.failed("asking whose token it is", refused));
        }
        // It only asks, whatever its method says.
        let path = github::graphql(self.sender.config().address.path());
        let call = Call::with_body("POST", path.to_owned(), github::viewer_query());
        let viewer = |answer: &Answer| github::viewer(&json(answer)?).ok_or_else(|| "it names no user".to_owned());
        match self.sender.repeat(&call, viewer).await {
            Ok(author) => Ok(author),
            // Without an id: told from persons, who cannot bear that name, by being a bot.
            Err(_) if self.is_actions => Ok(Author { id: None, login: ACTIONS_BOT.to_owned(), is_bot: true }),
            Err(error) => Err(ForgeError::NoIdentity(error)),
        }
    }

    /// Returns the commit at the head of a pull request.
    pub(super) async fn head(&self, number: u64) -> Result<String, ForgeError> {
        let call = Call::get(self.dialect.pull_request(number)).reading(POST_LIMIT);
        let read = |answer: &Answer| {
            self.dialect.head(&json(answer)?).ok_or_else(|| "it names no commit at its head".to_owned())
        };
        self.sender.repeat(&call, read).await.map_err(|error| self.failed("looking at the pull request", error))
    }

    /// Returns every comment of a thread that `me` wrote.
    pub(super) async fn comments(&self, thread: Thread, me: &Author) -> Result<Vec<Post>, ForgeError> {
        let (path, query) = self.dialect.comments(thread);
        let read = |row: &Value| self.dialect.read_comment(thread, row);
        self.listing(&path, query, "listing the comments", read, me).await
    }

    /// Returns every open issue with a label that `me` wrote.
    pub(super) async fn issues(&self, label: &Label, me: &Author) -> Result<Vec<Post>, ForgeError> {
        let (path, query) = self.dialect.issues(label);
        self.listing(&path, &query, "listing the issues", |row| self.dialect.read_issue(row), me).await
    }

    /// Reads every page, and keeps what `me` wrote. A page too many is no harm; one too few would miss our own comment,
    /// and write a second one. A row that cannot be read is none of ours.
    async fn listing(
        &self,
        path: &str,
        query: &str,
        what: &str,
        read_post: impl Fn(&Value) -> Option<Post> + Send + Sync,
        me: &Author,
    ) -> Result<Vec<Post>, ForgeError> {
        let mut all = Vec::new();
        let own = |row: Map<String, Value>| Some(read_post(&Value::Object(row)).filter(|post| is_by(post, me)));
        for page in 1..=PAGES {
            let call = Call::get(format!("{path}?{query}per_page={ROWS}&page={page}")).reading(LISTING_LIMIT);
            let read = |answer: &Answer| {
                let page = read_rows(&answer.body, Place::Bare, 10 * ROWS, own)?;
                Ok((page, answer.has_next_page()))
            };
            let (page, has_next) = self.sender.repeat(&call, read).await.map_err(|error| self.failed(what, error))?;
            let rows = page.rows.len() + page.unreadable;
            let (is_full, is_empty) = (rows >= ROWS, rows == 0);
            all.extend(page.rows.into_iter().flatten());
            if is_empty || !has_next.unwrap_or(is_full) {
                return Ok(all);
            }
        }
        Err(ForgeError::Endless(PAGES))
    }

    /// Writes a comment, once.
    pub(super) async fn post_comment(&self, thread: Thread, text: &str) -> Result<Post, ApiError> {
        let (path, _) = self.dialect.comments(thread);
        let call = Call::with_body("POST", path, serde_json::json!({ "body": text })).reading(POST_LIMIT);
        self.sender.once(&call, |answer| self.read_post(answer, |row| self.dialect.read_comment(thread, row))).await
    }

    /// Replaces the text of a comment.
    pub(super) async fn edit_comment(&self, thread: Thread, id: u64, text: &str) -> Result<(), ApiError> {
        self.change(self.dialect.comment(thread, id), serde_json::json!({ "body": text })).await
    }

    /// Deletes a comment.
    pub(super) async fn delete_comment(&self, thread: Thread, id: u64) -> Result<(), ApiError> {
        let call = Call::delete(self.dialect.comment(thread, id));
        self.sender.repeat(&call, |_| Ok(())).await
    }

    /// Opens an issue, once.
    pub(super) async fn post_issue(&self, title: &str, text: &str, label: &Label) -> Result<Post, ApiError> {
        let (path, _) = self.dialect.issues(label);
        let call = Call::with_body("POST", path, self.dialect.new_issue(title, text, label)).reading(POST_LIMIT);
        self.sender.once(&call, |answer| self.read_post(answer, |row| self.dialect.read_issue(row))).await
    }

    /// Replaces title and text of an issue.
    pub(super) async fn edit_issue(&self, number: u64, title: &str, text: &str) -> Result<(), ApiError> {
        self.change(self.dialect.issue(number), self.dialect.changed_issue(title, text)).await
    }

    /// Closes an issue.
    pub(super) async fn close_issue(&self, number: u64) -> Result<(), ApiError> {
        self.change(self.dialect.issue(number), self.dialect.closed_issue()).await
    }

    async fn change(&self, path: String, body: Value) -> Result<(), ApiError> {
        let call = Call::with_body(self.dialect.change_method(), path, body).reading(POST_LIMIT);
        self.sender.repeat(&call, |_| Ok(())).await
    }

    fn read_post(&self, answer: &Answer, read: impl Fn(&Value) -> Option<Post>) -> Result<Post, String> {
        read(&json(answer)?).ok_or_else(|| "it is not what was sent".to_owned())
    }

    /// Waits before something is tried again, or says that it is not worth it.
    ///
    /// # Errors
    /// The same error, where another try would not help or there were enough.
    pub(super) async fn pause(&self, what: &str, error: ApiError, attempt: u32) -> Result<(), ForgeError> {
        let SenderConfig { retry, clock, .. } = self.sender.config();
        match decide(&error, attempt, retry, fastrand::f64()) {
            Decision::Wait(wait) => {
                tell_wait(attempt, wait, &error);
                clock.sleep(wait).await;
                Ok(())
            }
            // It may have been done all the same: the next look tells.
            Decision::GiveUp(_) if attempt == 1 && error.effect() == Effect::Unknown => Ok(()),
            Decision::GiveUp(_) => Err(self.failed(what, error)),
        }
    }

    /// Makes an error of a request that failed.
    pub(super) fn failed(&self, what: &str, source: ApiError) -> ForgeError {
        ForgeError::Call { what: what.to_owned(), kind: self.kind, source }
    }
}

fn is_by(post: &Post, me: &Author) -> bool {
    post.author.as_ref().is_some_and(|author| author.is(me))
}

fn json(answer: &Answer) -> Result<Value, String> {
    serde_json::from_slice(&answer.body).map_err(|error| format!("it is no JSON ({error})"))
}

/// Reads what a forge says went wrong: `message` with `errors` (GitHub), `message` or `error` (GitLab), which may be
/// text or objects.
fn told(body: &[u8]) -> String {
    // What is longer says nothing that a person could read, and would be many times as long in memory.
    let body = &body[..body.len().min(ERROR_LIMIT)];
    let value = serde_json::from_slice::<Value>(body).unwrap_or_default();
    let shown = |name: &str| match value.get(name) {
        Some(Value::String(text)) => Some(text.clone()),
        None | Some(Value::Null) => None,
        Some(other) => Some(other.to_string()),
    };
    let parts: Vec<String> =
        ["message", "error", "error_description", "errors"].into_iter().filter_map(shown).collect();
    let text = if parts.is_empty() { String::from_utf8_lossy(body).into_owned() } else { parts.join("; ") };
    clean(&text, MESSAGE_LIMIT)
}
