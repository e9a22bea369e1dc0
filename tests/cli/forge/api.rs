//! The two APIs, as their pages describe them: which paths there are, what a row looks like, what is refused.

use axum::http::HeaderMap;
use serde_json::{Value, json};

use super::stand_in::{Comment, Issue, Kind, TOKEN, Who, World, refusal};

type Answer = (u16, Option<String>, Value);

pub(super) fn answer(world: &mut World, method: &str, uri: &str, headers: &HeaderMap, body: &Value) -> Answer {
    let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
    if headers.get("user-agent").is_none() {
        return refusal(
            403,
            "Request forbidden by administrative rules. Please make sure your request has a User-Agent header",
        );
    }
    let token = match world.kind {
        Kind::GitHub => headers.get("authorization").and_then(|value| value.to_str().ok()?.strip_prefix("Bearer ")),
        Kind::GitLab => headers.get("private-token").and_then(|value| value.to_str().ok()),
    };
    if token != Some(TOKEN) {
        return refusal(401, &format!("Bad credentials: {}", token.unwrap_or_default()));
    }
    if method != "GET" && path != "/graphql" && world.is_read_only {
        return match world.kind {
            Kind::GitHub => refusal(403, "Resource not accessible by integration"),
            Kind::GitLab => (403, None, json!({ "error": "insufficient_scope", "scope": "api" })),
        };
    }
    let segments: Vec<&str> = path.trim_start_matches("/api/v4").trim_start_matches('/').split('/').collect();
    match (world.kind, segments.as_slice()) {
        (Kind::GitHub, ["user"]) if world.is_person => (200, None, user(Kind::GitHub, Who::Bot)),
        (Kind::GitHub, ["user"]) => refusal(403, "Resource not accessible by integration"),
        (Kind::GitHub, ["graphql"]) => {
            (200, None, json!({ "data": { "viewer": { "login": "github-actions[bot]", "databaseId": 41_898_282 } } }))
        }
        (Kind::GitLab, ["user"]) => (200, None, user(Kind::GitLab, Who::Bot)),
        (Kind::GitHub, ["repos", "acme", "faces", rest @ ..]) => match rest {
            ["pulls", number] => pull_request(world, number),
            ["issues", "comments", id] => one_comment(world, method, id, body),
            ["issues", number, "comments"] => comments(world, method, number, query, body),
            ["issues"] => issues(world, method, query, body),
            ["issues", number] => issue(world, method, number, body),
            _ => refusal(404, "Not Found"),
        },
        (Kind::GitLab, ["projects", "42", rest @ ..]) => match rest {
            ["merge_requests", number] => pull_request(world, number),
            ["merge_requests" | "issues", _, "notes", id] => one_comment(world, method, id, body),
            ["merge_requests" | "issues", number, "notes"] => comments(world, method, number, query, body),
            ["issues"] => issues(world, method, query, body),
            ["issues", number] => issue(world, method, number, body),
            _ => refusal(404, "404 Not found"),
        },
        (Kind::GitHub, _) => refusal(404, "Not Found"),
        (Kind::GitLab, _) => refusal(404, "404 Project Not Found"),
    }
}

fn pull_request(world: &World, number: &str) -> Answer {
    match number.parse().ok().and_then(|number| Some((number, world.heads.get(&number)?))) {
        Some((number, sha)) => {
            (200, None, json!({ "number": number, "iid": number, "head": { "sha": sha }, "sha": sha }))
        }
        None => refusal(404, "Not Found"),
    }
}

fn user(kind: Kind, who: Who) -> Value {
    match (kind, who) {
        (Kind::GitHub, Who::Bot) => json!({ "login": "github-actions[bot]", "id": 41_898_282, "type": "Bot" }),
        (Kind::GitHub, Who::Stranger) => json!({ "login": "mallory", "id": 666, "type": "User" }),
        (Kind::GitLab, Who::Bot) => json!({ "username": "project_42_bot_x", "id": 9, "bot": true }),
        (Kind::GitLab, Who::Stranger) => json!({ "username": "mallory", "id": 666 }),
    }
}

fn comment_row(kind: Kind, comment: &Comment) -> Value {
    let Comment { id, number, who, body } = comment;
    let user = user(kind, *who);
    match kind {
        Kind::GitHub => {
            let link = format!("https://git.example.com/acme/faces/pull/{number}#issuecomment-{id}");
            json!({ "id": id, "user": user, "body": body, "html_url": link })
        }
        Kind::GitLab => json!({ "id": id, "author": user, "body": body, "system": false }),
    }
}

fn comments(world: &mut World, method: &str, number: &str, query: &str, body: &Value) -> Answer {
    let number: u64 = number.parse().unwrap();
    if method == "GET" {
        let of_thread = world.comments.iter().filter(|comment| comment.number == number);
        return page(of_thread.map(|comment| comment_row(world.kind, comment)).collect(), query);
    }
    let text = body["body"].as_str().unwrap_or_default();
    let limit = if world.kind == Kind::GitHub { 65_536 } else { 1_000_000 };
    if text.chars().count() > limit {
        return refusal(422, "body is too long (maximum is 65536 characters)");
    }
    world.add_comment(number, Who::Bot, text);
    (201, None, comment_row(world.kind, world.comments.last().unwrap()))
}

fn one_comment(world: &mut World, method: &str, id: &str, body: &Value) -> Answer {
    let id: u64 = id.parse().unwrap();
    let Some(at) = world.comments.iter().position(|comment| comment.id == id) else { return refusal(404, "Not Found") };
    let change = if world.kind == Kind::GitHub { "PATCH" } else { "PUT" };
    match method {
        "DELETE" => {
            world.comments.remove(at);
            (204, None, Value::Null)
        }
        method if method == change => {
            world.comments[at].body = body["body"].as_str().unwrap().to_owned();
            (200, None, comment_row(world.kind, &world.comments[at]))
        }
        _ => refusal(405, "405 Method Not Allowed"),
    }
}

fn issue_row(kind: Kind, issue: &Issue) -> Value {
    let Issue { number, who, title, body, labels, is_open } = issue;
    let (user, link) = (user(kind, *who), format!("https://git.example.com/acme/faces/issues/{number}"));
    match kind {
        Kind::GitHub => {
            let labels: Vec<Value> = labels.iter().map(|name| json!({ "name": name })).collect();
            let state = if *is_open { "open" } else { "closed" };
            json!({ "id": number * 1000, "number": number, "user": user, "title": title, "body": body, "labels": labels,
                "state": state, "html_url": link })
        }
        Kind::GitLab => {
            let state = if *is_open { "opened" } else { "closed" };
            json!({ "id": number * 1000, "iid": number, "author": user, "title": title, "description": body,
                "labels": labels, "state": state, "web_url": link })
        }
    }
}

fn issues(world: &mut World, method: &str, query: &str, body: &Value) -> Answer {
    let kind = world.kind;
    if method == "GET" {
        let label = parameter(query, "labels").unwrap_or_default();
        let is_listed = |issue: &&Issue| issue.is_open && issue.labels.contains(&label);
        return page(world.issues.iter().filter(is_listed).map(|issue| issue_row(kind, issue)).collect(), query);
    }
    let labels = match (&body["labels"], world.drops_labels) {
        (_, true) => Vec::new(),
        (Value::Array(names), _) => names.iter().map(|name| name.as_str().unwrap().to_owned()).collect(),
        (names, _) => names.as_str().unwrap().split(',').map(str::to_owned).collect(),
    };
    let number = 30 + u64::try_from(world.issues.len()).unwrap();
    let text = if kind == Kind::GitHub { &body["body"] } else { &body["description"] };
    let (title, body) = (body["title"].as_str().unwrap().to_owned(), text.as_str().unwrap().to_owned());
    world.issues.push(Issue { number, who: Who::Bot, title, body, labels, is_open: true });
    (201, None, issue_row(kind, world.issues.last().unwrap()))
}

fn issue(world: &mut World, method: &str, number: &str, body: &Value) -> Answer {
    let kind = world.kind;
    let Some(issue) = world.issues.iter_mut().find(|issue| issue.number.to_string() == number) else {
        return refusal(404, "Not Found");
    };
    if method != if kind == Kind::GitHub { "PATCH" } else { "PUT" } {
        return refusal(405, "405 Method Not Allowed");
    }
    let text = if kind == Kind::GitHub { &body["body"] } else { &body["description"] };
    if let Some(text) = text.as_str() {
        issue.body = text.to_owned();
    }
    if let Some(title) = body["title"].as_str() {
        issue.title = title.to_owned();
    }
    if body["state"] == "closed" || body["state_event"] == "close" {
        issue.is_open = false;
    }
    (200, None, issue_row(kind, issue))
}

fn parameter(query: &str, name: &str) -> Option<String> {
    query.split('&').find_map(|pair| Some(pair.split_once('=').filter(|(key, _)| *key == name)?.1.to_owned()))
}

/// One page, and a `Link` where there is more than one. Its address is somebody else's: nobody may follow it.
fn page(rows: Vec<Value>, query: &str) -> Answer {
    let size: usize = parameter(query, "per_page").unwrap().parse().unwrap();
    let number: usize = parameter(query, "page").unwrap().parse().unwrap();
    let (skipped, all) = (size * (number - 1), rows.len());
    let rows: Vec<Value> = rows.into_iter().skip(skipped).take(size).collect();
    let elsewhere = "https://elsewhere.example.com/?page";
    let link = match (all > size, skipped + rows.len() < all) {
        (true, true) => Some(format!("<{elsewhere}=9>; rel=\"next\", <{elsewhere}=99>; rel=\"last\"")),
        (true, false) => Some(format!("<{elsewhere}=1>; rel=\"first\"")),
        (false, _) => None,
    };
    (200, link, Value::Array(rows))
}
