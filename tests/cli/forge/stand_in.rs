//! A forge on loopback that answers as GitHub or GitLab does, as far as `facectl ci` asks it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::sync::Barrier;

use crate::environment::{Environment, project};

use super::{api, event};

/// The token that may write; nobody may see it.
pub(crate) const TOKEN: &str = "forge-token-that-nobody-may-see";
pub(crate) const SHA: &str = "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    GitHub,
    GitLab,
}

/// Who writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    /// The job's own token.
    Bot,
    /// Somebody else.
    Stranger,
}

/// A comment, on a pull request or an issue.
#[derive(Debug, Clone)]
pub(crate) struct Comment {
    pub(crate) id: u64,
    pub(crate) number: u64,
    pub(crate) who: Who,
    pub(crate) body: String,
}

#[derive(Debug, Clone)]
pub(crate) struct Issue {
    pub(crate) number: u64,
    pub(crate) who: Who,
    pub(crate) title: String,
    pub(crate) body: String,
    pub(crate) labels: Vec<String>,
    pub(crate) is_open: bool,
}

/// What shall go wrong, once, at the next request of this method whose path has this part.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) does: Does,
}

#[derive(Debug, Clone)]
pub(crate) enum Does {
    /// Answers this, and does nothing.
    Refuses(u16, &'static [(&'static str, &'static str)], &'static str),
    /// Does it, and answers with half of a body.
    LosesAnswer,
    /// Does it, and a gateway in front answers 502.
    HidesAnswer,
}

/// One request, as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
}

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) kind: Kind,
    pub(crate) comments: Vec<Comment>,
    pub(crate) issues: Vec<Issue>,
    /// The commit at the head of each pull request.
    pub(crate) heads: BTreeMap<u64, String>,
    pub(crate) seen: Vec<Seen>,
    pub(crate) faults: Vec<Fault>,
    /// The token may read and not write.
    pub(crate) is_read_only: bool,
    /// The token belongs to a person, who may ask who they are.
    pub(crate) is_person: bool,
    /// Labels of new issues are dropped in silence.
    pub(crate) drops_labels: bool,
    pub(crate) next_id: u64,
    /// Listings wait until so many are there, once.
    gate: Option<(usize, Arc<Barrier>)>,
}

pub(crate) struct StandIn {
    world: Arc<Mutex<World>>,
    port: u16,
    _runtime: Runtime,
}

impl StandIn {
    pub(crate) fn start(kind: Kind) -> Self {
        let runtime = Runtime::new().unwrap();
        let world = Arc::new(Mutex::new(World {
            kind,
            comments: Vec::new(),
            issues: Vec::new(),
            heads: BTreeMap::from([(7, SHA.to_owned())]),
            seen: Vec::new(),
            faults: Vec::new(),
            is_read_only: false,
            is_person: false,
            drops_labels: false,
            next_id: 1,
            gate: None,
        }));
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let port = listener.local_addr().unwrap().port();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&world));
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self { world, port, _runtime: runtime }
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    pub(crate) fn url(&self) -> String {
        match self.world().kind {
            Kind::GitHub => format!("http://127.0.0.1:{}", self.port),
            Kind::GitLab => format!("http://127.0.0.1:{}/api/v4", self.port),
        }
    }

    /// A job of run 100 for pull request 7, with a token.
    pub(crate) fn job(&self) -> Environment {
        self.job_without_token().with(
            match self.world().kind {
                Kind::GitHub => "GITHUB_TOKEN",
                Kind::GitLab => "FACECTL_GITLAB_TOKEN",
            },
            TOKEN,
        )
    }

    pub(crate) fn job_without_token(&self) -> Environment {
        let environment = Environment::empty();
        environment.write("facectl.yaml", project("acme", ""));
        environment.write("event.json", event(7, SHA).to_string());
        let kind = self.world().kind;
        match kind {
            Kind::GitHub => environment
                .with("GITHUB_ACTIONS", "true")
                .with("GITHUB_API_URL", &self.url())
                .with("GITHUB_REPOSITORY", "acme/faces")
                .with("GITHUB_EVENT_PATH", "event.json")
                .with("GITHUB_SERVER_URL", "https://git.example.com")
                .with("GITHUB_RUN_ID", "100")
                .with("GITHUB_RUN_ATTEMPT", "1"),
            Kind::GitLab => environment
                .with("GITLAB_CI", "true")
                .with("CI_API_V4_URL", &self.url())
                .with("CI_PROJECT_ID", "42")
                .with("CI_MERGE_REQUEST_IID", "7")
                .with("CI_COMMIT_SHA", SHA)
                .with("CI_PIPELINE_ID", "100")
                .with("CI_JOB_ID", "1000"),
        }
    }

    /// The same job of another run.
    pub(crate) fn job_of_run(&self, run: &str) -> Environment {
        let name = if self.world().kind == Kind::GitHub { "GITHUB_RUN_ID" } else { "CI_PIPELINE_ID" };
        self.job().with(name, run)
    }

    pub(crate) fn fails(&self, method: &'static str, path: &'static str, does: Does) {
        self.world().faults.push(Fault { method, path, does });
    }

    /// Lets the first `count` listings go on only together.
    pub(crate) fn listings_wait_for(&self, count: usize) {
        self.world().gate = Some((count, Arc::new(Barrier::new(count))));
    }

    pub(crate) fn comment_by(&self, who: Who, body: &str) -> u64 {
        self.world().add_comment(7, who, body)
    }

    /// The texts of all comments of pull request 7, oldest first.
    pub(crate) fn comments(&self) -> Vec<String> {
        self.world().comments.iter().filter(|comment| comment.number == 7).map(|comment| comment.body.clone()).collect()
    }

    /// How many requests of a method arrived.
    pub(crate) fn count(&self, method: &str) -> usize {
        self.world().seen.iter().filter(|seen| seen.method == method && !seen.path.contains("graphql")).count()
    }
}

impl World {
    pub(crate) fn add_comment(&mut self, number: u64, who: Who, body: &str) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        self.comments.push(Comment { id, number, who, body: body.to_owned() });
        id
    }

    fn fault(&mut self, method: &str, path: &str) -> Option<Does> {
        let at = self.faults.iter().position(|fault| fault.method == method && path.contains(fault.path))?;
        Some(self.faults.remove(at).does)
    }
}

async fn answer(State(world): State<Arc<Mutex<World>>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let bytes = to_bytes(body, 64 << 20).await.unwrap();
    let body: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let (method, path) = (head.method.as_str().to_owned(), head.uri.to_string());
    let is_listing = method == "GET" && path.contains("per_page");
    let gate = {
        let mut world = world.lock().unwrap();
        world.seen.push(Seen { method: method.clone(), path: path.clone(), headers: head.headers.clone() });
        match &mut world.gate {
            Some((left, barrier)) if is_listing && *left > 0 => {
                *left -= 1;
                Some(Arc::clone(barrier))
            }
            _ => None,
        }
    };
    if let Some(barrier) = gate {
        barrier.wait().await;
    }
    let mut world = world.lock().unwrap();
    let fault = world.fault(&method, &path);
    if let Some(Does::Refuses(status, headers, text)) = fault {
        let builder = headers.iter().fold(Response::builder().status(status), |builder, (k, v)| builder.header(*k, *v));
        return builder.body(Body::from(text)).unwrap();
    }
    let (status, link, value) = api::answer(&mut world, &method, &path, &head.headers, &body);
    let text = if value.is_null() { String::new() } else { value.to_string() };
    match fault {
        Some(Does::LosesAnswer) => response(status, None, text[..text.len() / 2].to_owned()),
        Some(Does::HidesAnswer) => response(502, None, "<html>bad gateway</html>".to_owned()),
        _ => response(status, link, text),
    }
}

fn response(status: u16, link: Option<String>, text: String) -> Response {
    let mut builder = Response::builder().status(StatusCode::from_u16(status).unwrap());
    if let Some(link) = link {
        builder = builder.header("link", link);
    }
    builder.header("content-type", "application/json").body(Body::from(text)).unwrap()
}

/// An error as both forges put it.
pub(crate) fn refusal(status: u16, message: &str) -> (u16, Option<String>, Value) {
    (status, None, json!({ "message": message, "documentation_url": "https://docs.example.com" }))
}
