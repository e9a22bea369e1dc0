//! GitLab's words (REST API v4, "Notes", "Issues", "Merge requests").

use reqwest::header::{ACCEPT, HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use crate::http::ApiKey;

use super::dialect::{Author, Dialect, Post, Thread, link, text};
use super::{Label, Repository};

/// See the file.
pub(super) struct GitLab {
    pub(super) repository: Repository,
}

impl GitLab {
    fn thread(&self, thread: Thread) -> String {
        let (kind, number) = match thread {
            Thread::PullRequest(number) => ("merge_requests", number),
            Thread::Issue(number) => ("issues", number),
        };
        format!("/projects/{}/{kind}/{number}", self.repository.encoded())
    }
}

impl Dialect for GitLab {
    fn headers(&self, token: &ApiKey) -> Option<HeaderMap> {
        let mut headers = HeaderMap::new();
        // The version is a part of the address: /api/v4.
        headers.insert(HeaderName::from_static("private-token"), token.header()?);
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        Some(headers)
    }

    fn change_method(&self) -> &'static str {
        "PUT"
    }

    fn pull_request(&self, number: u64) -> String {
        self.thread(Thread::PullRequest(number))
    }

    fn head(&self, pull_request: &Value) -> Option<String> {
        text(pull_request, "sha")
    }

    fn comments(&self, thread: Thread) -> (String, &'static str) {
        (format!("{}/notes", self.thread(thread)), "sort=asc&order_by=created_at&")
    }

    fn comment(&self, thread: Thread, id: u64) -> String {
        format!("{}/notes/{id}", self.thread(thread))
    }

    fn read_comment(&self, _thread: Thread, row: &Value) -> Option<Post> {
        // What GitLab itself notes about changes.
        if row.get("system").and_then(Value::as_bool) == Some(true) {
            return None;
        }
        Some(Post {
            id: row.get("id")?.as_u64()?,
            author: row.get("author").and_then(author),
            text: text(row, "body").unwrap_or_default(),
            link: None,
            labels: Vec::new(),
        })
    }

    fn issues(&self, label: &Label) -> (String, String) {
        let label = label.as_str().replace(' ', "%20");
        let query = format!("state=opened&scope=all&labels={label}&sort=asc&order_by=created_at&");
        (format!("/projects/{}/issues", self.repository.encoded()), query)
    }

    fn issue(&self, number: u64) -> String {
        self.thread(Thread::Issue(number))
    }

    fn read_issue(&self, row: &Value) -> Option<Post> {
        let labels = row.get("labels").and_then(Value::as_array).into_iter().flatten();
        Some(Post {
            id: row.get("iid")?.as_u64()?,
            author: row.get("author").and_then(author),
            text: text(row, "description").unwrap_or_default(),
            link: link(row, "web_url"),
            labels: labels.filter_map(Value::as_str).map(str::to_owned).collect(),
        })
    }

    fn new_issue(&self, title: &str, text: &str, label: &Label) -> Value {
        json!({ "title": title, "description": text, "labels": label.as_str() })
    }

    fn changed_issue(&self, title: &str, text: &str) -> Value {
        json!({ "title": title, "description": text })
    }

    fn closed_issue(&self) -> Value {
        json!({ "state_event": "close" })
    }
}

/// Reads a user. Every token of GitLab that may write has one with an id, those of projects and groups too ("Project
/// access tokens", bot users).
pub(super) fn author(user: &Value) -> Option<Author> {
    let is_bot = user.get("bot").and_then(Value::as_bool).unwrap_or_default();
    Some(Author { id: Some(user.get("id")?.as_u64()?), login: text(user, "username").unwrap_or_default(), is_bot })
}
