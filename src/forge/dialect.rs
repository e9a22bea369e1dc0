//! What a forge calls things: paths, bodies, fields. Pure.

use reqwest::header::HeaderMap;
use serde_json::Value;

use crate::http::ApiKey;

use super::Label;

/// What comments stand under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thread {
    PullRequest(u64),
    Issue(u64),
}

/// Who wrote something, or whose token it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Author {
    /// None where the forge did not say it.
    pub(super) id: Option<u64>,
    pub(super) login: String,
    /// Whether it is no person: only a forge itself can make one.
    pub(super) is_bot: bool,
}

impl Author {
    /// Returns whether both are the same. Names alone are enough only for a bot, as no person can have its brackets.
    pub(super) fn is(&self, other: &Self) -> bool {
        match (self.id, other.id) {
            (Some(one), Some(another)) => one == another,
            _ => self.is_bot && other.is_bot && self.login == other.login,
        }
    }
}

/// A comment, or the opening text of an issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Post {
    /// For a comment its id, for an issue its number.
    pub(super) id: u64,
    pub(super) author: Option<Author>,
    pub(super) text: String,
    pub(super) link: Option<String>,
    /// Of an issue.
    pub(super) labels: Vec<String>,
}

/// One forge's words.
pub(super) trait Dialect: Send + Sync {
    /// What goes with every request; none where the token cannot stand in a header.
    fn headers(&self, token: &ApiKey) -> Option<HeaderMap>;
    /// The method that changes a part of something.
    fn change_method(&self) -> &'static str;
    /// The path of a pull request.
    fn pull_request(&self, number: u64) -> String;
    /// The commit at the head of a pull request.
    fn head(&self, pull_request: &Value) -> Option<String>;
    /// The path of all comments, and the query that puts the oldest first.
    fn comments(&self, thread: Thread) -> (String, &'static str);
    /// The path of one comment.
    fn comment(&self, thread: Thread, id: u64) -> String;
    /// A comment, if the row is one.
    fn read_comment(&self, thread: Thread, row: &Value) -> Option<Post>;
    /// The path of all issues, and the query for the open ones with a label.
    fn issues(&self, label: &Label) -> (String, String);
    /// The path of one issue.
    fn issue(&self, number: u64) -> String;
    /// An issue, if the row is one.
    fn read_issue(&self, row: &Value) -> Option<Post>;
    /// The body that opens an issue.
    fn new_issue(&self, title: &str, text: &str, label: &Label) -> Value;
    /// The body that changes an issue.
    fn changed_issue(&self, title: &str, text: &str) -> Value;
    /// The body that closes an issue.
    fn closed_issue(&self) -> Value;
}

pub(super) fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name).and_then(Value::as_str).map(str::to_owned)
}

/// A link of an answer, if it is one that can be shown.
pub(super) fn link(value: &Value, name: &str) -> Option<String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/#%+".contains(c);
    let is_link = |link: &String| link.starts_with("https://") || link.starts_with("http://");
    text(value, name).filter(is_link).filter(|link| link.len() <= 500 && link.chars().all(is_plain))
}
