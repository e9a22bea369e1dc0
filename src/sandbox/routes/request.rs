//! Reading requests as the contract words them, and refusing what it does not list.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRef, FromRequestParts};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use url::Url;

use crate::sandbox::faults::PageTrick;
use crate::sandbox::{SandboxError, Shared};

/// A complete answer that says no.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    body: Value,
}

pub(super) type Answer = Result<Response, Refusal>;

impl Refusal {
    /// Most refusals put their text under `error`.
    pub(super) fn error(status: StatusCode, text: impl Into<String>) -> Self {
        Self { status, body: json!({ "error": text.into() }) }
    }

    /// Keys, payment and conversations put it under `message`.
    pub(super) fn message(status: StatusCode, text: impl Into<String>) -> Self {
        Self { status, body: json!({ "message": text.into() }) }
    }

    pub(super) fn bad(text: impl Into<String>) -> Self {
        Self::error(StatusCode::BAD_REQUEST, text)
    }

    pub(super) fn body(status: StatusCode, body: Value) -> Self {
        Self { status, body }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, Json(self.body)).into_response()
    }
}

impl From<SandboxError> for Refusal {
    /// The change was not written down, so it was not made.
    fn from(error: SandboxError) -> Self {
        Self::error(StatusCode::INTERNAL_SERVER_ERROR, format!("sandbox: {error}"))
    }
}

/// Answers 200 with a body.
pub(super) fn ok(body: Value) -> Answer {
    Ok(Json(body).into_response())
}

/// Which generation of words a path uses; the answer uses the same (face/replica, PAL/persona).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Words {
    New,
    Old,
}

impl Words {
    /// Returns `face_…` or `replica_…`.
    pub(super) fn face(self, suffix: &str) -> String {
        format!("{}_{suffix}", if self == Self::New { "face" } else { "replica" })
    }

    /// Returns `pal_…` or `persona_…`.
    pub(super) fn pal(self, suffix: &str) -> String {
        format!("{}_{suffix}", if self == Self::New { "pal" } else { "persona" })
    }
}

/// What every route wants to know about its request besides the body.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) words: Words,
    pub(super) lenient: bool,
    pub(super) pages: Option<PageTrick>,
    query: Vec<(String, String)>,
}

impl<S> FromRequestParts<S> for Call
where
    Arc<Shared>: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let path = parts.uri.path();
        let is_old = path.starts_with("/v2/replicas") || path.starts_with("/v2/personas");
        let query = parts.uri.query().unwrap_or("");
        Ok(Self {
            words: if is_old { Words::Old } else { Words::New },
            lenient: Arc::<Shared>::from_ref(state).lenient,
            pages: parts.extensions.get().copied(),
            query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        })
    }
}

impl Call {
    /// Takes a parameter under any of its names.
    pub(super) fn text(&mut self, names: &[&str]) -> Option<String> {
        let mut found = None;
        self.query.retain_mut(|(name, value)| {
            let is_it = names.contains(&name.as_str());
            if is_it {
                found = Some(std::mem::take(value));
            }
            !is_it
        });
        found
    }

    pub(super) fn flag(&mut self, name: &str) -> Result<bool, Refusal> {
        match self.text(&[name]).as_deref() {
            None | Some("false" | "False") => Ok(false),
            Some("true" | "True") => Ok(true),
            Some(_) => Err(Refusal::bad(format!("{name} must be true or false"))),
        }
    }

    /// Takes a parameter that can only have certain values.
    pub(super) fn word(&mut self, names: &[&str], allowed: &[&str]) -> Result<Option<String>, Refusal> {
        match self.text(names) {
            Some(word) if !allowed.contains(&word.as_str()) => {
                Err(Refusal::bad(format!("{} must be one of: {}", names[0], allowed.join(", "))))
            }
            word => Ok(word),
        }
    }

    /// Takes `limit` and `page`: 10 by default and 100 at most, pages from 1, and 0 means 1.
    pub(super) fn window(&mut self) -> Result<Window, Refusal> {
        let mut number = |name: &str, default: usize| match self.text(&[name]) {
            None => Ok(default),
            Some(text) => text.parse().map_err(|_| Refusal::bad(format!("{name} must be a whole number"))),
        };
        let (limit, page) = (number("limit", 10)?, number("page", 1)?.max(1));
        if limit == 0 {
            return Err(Refusal::bad("limit must be at least 1"));
        }
        Ok(Window { page, limit: limit.min(100) })
    }

    /// Refuses what is left over.
    pub(super) fn done(&self) -> Result<(), Refusal> {
        match self.query.first() {
            Some((name, _)) if !self.lenient => Err(Refusal::bad(format!("Unknown query parameter: {name}"))),
            _ => Ok(()),
        }
    }
}

/// One page of a listing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    /// From 1.
    pub(super) page: usize,
    pub(super) limit: usize,
}

impl Window {
    pub(super) fn offset(self) -> usize {
        (self.page - 1).saturating_mul(self.limit)
    }
}

/// The fields of a JSON object, taken one by one; what is left over is refused.
#[derive(Debug)]
pub(super) struct Fields {
    fields: Map<String, Value>,
    /// In front of the names in texts: `properties.`, for example.
    place: String,
    lenient: bool,
}

impl Fields {
    pub(super) fn read(body: &[u8], lenient: bool) -> Result<Self, Refusal> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => Ok(Self { fields, place: String::new(), lenient }),
            Ok(_) => Err(Refusal::bad("The body must be a JSON object")),
            Err(error) => Err(Refusal::bad(format!("The body is not JSON: {error}"))),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }

    /// Takes a field as it is; a lenient sandbox reads null as absent.
    pub(super) fn value(&mut self, name: &str) -> Option<Value> {
        self.fields.shift_remove(name).filter(|value| !(self.lenient && value.is_null()))
    }

    /// Takes a text that is not blank.
    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, Refusal> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) if !text.trim().is_empty() => Ok(Some(text)),
            Some(_) => Err(self.wrong(name, "a text that is not blank")),
        }
    }

    /// Takes a text of 1 to 255 characters; kept as it was sent.
    pub(super) fn name(&mut self, name: &str) -> Result<Option<String>, Refusal> {
        match self.text(name)? {
            Some(text) if text.chars().count() > 255 => Err(self.wrong(name, "at most 255 characters long")),
            text => Ok(text),
        }
    }

    pub(super) fn flag(&mut self, name: &str) -> Result<Option<bool>, Refusal> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(_) => Err(self.wrong(name, "true or false")),
        }
    }

    /// Takes a link; the text is kept as it was sent.
    pub(super) fn link(&mut self, name: &str) -> Result<Option<(String, Url)>, Refusal> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        match Url::parse(&text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && text.len() <= 2048 => Ok(Some((text, url))),
            _ => Err(self.wrong(name, "an http or https link of at most 2048 characters")),
        }
    }

    /// Takes a callback link, where the empty text means none (as the documents' own examples send it).
    pub(super) fn callback(&mut self) -> Result<Option<String>, Refusal> {
        if self.fields.get("callback_url") == Some(&Value::from("")) {
            self.fields.shift_remove("callback_url");
        }
        Ok(self.link("callback_url")?.map(|(text, _)| text))
    }

    /// Takes an array of texts.
    pub(super) fn texts(&mut self, name: &str) -> Result<Option<Vec<String>>, Refusal> {
        let Some(value) = self.value(name) else { return Ok(None) };
        serde_json::from_value(value).map(Some).map_err(|_| self.wrong(name, "an array of texts"))
    }

    /// Takes a whole number of at least `least`.
    pub(super) fn number(&mut self, name: &str, least: u64) -> Result<Option<u64>, Refusal> {
        match self.value(name) {
            None => Ok(None),
            Some(value) => match value.as_u64() {
                Some(number) if number >= least => Ok(Some(number)),
                _ => Err(self.wrong(name, &format!("a whole number of at least {least}"))),
            },
        }
    }

    /// Takes an object, empty where it is absent.
    pub(super) fn object(&mut self, name: &str) -> Result<Self, Refusal> {
        let place = format!("{}{name}.", self.place);
        match self.value(name) {
            None => Ok(Self { fields: Map::new(), place, lenient: self.lenient }),
            Some(Value::Object(fields)) => Ok(Self { fields, place, lenient: self.lenient }),
            Some(_) => Err(self.wrong(name, "an object")),
        }
    }

    /// Refuses what is left over.
    pub(super) fn done(self) -> Result<(), Refusal> {
        match self.fields.keys().next() {
            Some(name) if !self.lenient => Err(Refusal::bad(format!("Unknown field: {}{name}", self.place))),
            _ => Ok(()),
        }
    }

    fn wrong(&self, name: &str, right: &str) -> Refusal {
        Refusal::bad(format!("{}{name} must be {right}", self.place))
    }
}

/// Returns whether an id can be one at all: the contract's pattern, not the forms seen so far.
pub(super) fn is_id(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}
