//! GitHub's words (REST API, version 2022-11-28, "Issue comments", "Issues", "Pulls").

use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use crate::http::ApiKey;

use super::dialect::{Author, Dialect, Post, Thread, link, text};
use super::{Label, Repository};

/// See the file.
pub(super) struct GitHub {
    pub(super) repository: Repository,
}

/// The name of the bot behind a job's own token.
pub(super) const ACTIONS_BOT: &str = "github-actions[bot]";

impl Dialect for GitHub {
    fn headers(&self, token: &ApiKey) -> Option<HeaderMap> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, token.bearer()?);
        headers.insert(ACCEPT, HeaderValue::from_static("application/vnd.github+json"));
        let version = HeaderName::from_static("x-github-api-version");
        headers.insert(version, HeaderValue::from_static("2022-11-28"));
        Some(headers)
    }

    fn change_method(&self) -> &'static str {
        "PATCH"
    }

    fn pull_request(&self, number: u64) -> String {
        format!("/repos/{}/pulls/{number}", self.repository)
    }

    fn head(&self, pull_request: &Value) -> Option<String> {
        text(pull_request.get("head")?, "sha")
    }

    fn comments(&self, thread: Thread) -> (String, &'static str) {
        // A pull request is an issue too; its reviews are elsewhere.
        let (Thread::PullRequest(number) | Thread::Issue(number)) = thread;
        // Always by ascending id.
        (format!("/repos/{}/issues/{number}/comments", self.repository), "")
    }

    fn comment(&self, _thread: Thread, id: u64) -> String {
        format!("/repos/{}/issues/comments/{id}", self.repository)
    }

    fn read_comment(&self, _thread: Thread, row: &Value) -> Option<Post> {
        Some(Post {
            id: row.get("id")?.as_u64()?,
            author: row.get("user").and_then(author),
            text: text(row, "body").unwrap_or_default(),
            link: link(row, "html_url"),
            labels: Vec::new(),
        })
    }

    fn issues(&self, label: &Label) -> (String, String) {
        let label = label.as_str().replace(' ', "%20");
        let query = format!("state=open&labels={label}&sort=created&direction=asc&");
        (format!("/repos/{}/issues", self.repository), query)
    }

    fn issue(&self, number: u64) -> String {
        format!("/repos/{}/issues/{number}", self.repository)
    }

    fn read_issue(&self, row: &Value) -> Option<Post> {
        if row.get("pull_request").is_some_and(|pull| !pull.is_null()) {
            return None;
        }
        let labels = row.get("labels").and_then(Value::as_array).into_iter().flatten();
        Some(Post {
            id: row.get("number")?.as_u64()?,
            labels: labels.filter_map(|label| text(label, "name")).collect(),
            ..self.read_comment(Thread::Issue(0), row)?
        })
    }

    fn new_issue(&self, title: &str, text: &str, label: &Label) -> Value {
        json!({ "title": title, "body": text, "labels": [label.as_str()] })
    }

    fn changed_issue(&self, title: &str, text: &str) -> Value {
        json!({ "title": title, "body": text })
    }

    fn closed_issue(&self) -> Value {
        json!({ "state": "closed", "state_reason": "completed" })
    }
}

/// Reads a user.
pub(super) fn author(user: &Value) -> Option<Author> {
    let is_bot = text(user, "type").is_some_and(|kind| kind == "Bot");
    Some(Author { id: user.get("id").and_then(Value::as_u64), login: text(user, "login")?, is_bot })
}

/// The path of the GraphQL API, seen from the REST API: beside `/v3` on a server of one's own ("Forming calls with
/// GraphQL": `/api/graphql`), below the host on github.com.
pub(super) fn graphql(rest: &str) -> &'static str {
    if rest.ends_with("/v3") { "/../graphql" } else { "/graphql" }
}

/// Asks whose token it is. An app's token may not ask REST ("Get the authenticated user" answers it 403).
pub(super) fn viewer_query() -> Value {
    json!({ "query": "query { viewer { login databaseId } }" })
}

/// Reads whose token it is.
pub(super) fn viewer(answer: &Value) -> Option<Author> {
    let viewer = answer.get("data")?.get("viewer")?;
    let login = text(viewer, "login")?;
    Some(Author { id: viewer.get("databaseId").and_then(Value::as_u64), is_bot: login.ends_with("[bot]"), login })
}
