//! The HTTP client.
//!
//! # Guarantees
//! - A POST is sent once: on a connection of its own, never retried, never redirected.
//! - The key is in one header and nowhere else: not in an error, not in a trace, not on a line that is open.
//! - What the API answers is bounded in size, and redacted before it becomes part of an error or a trace.
//!
//! # Assumptions
//! - A complete answer with a status 4xx means that nothing began. No page says so; all live answers agree.
//!
//! # Caveats
//! - A whole answer is one that HTTP framing calls whole. Without a length and without TLS a cut cannot be seen;
//!   that can only happen on loopback.

use std::fmt;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use serde_json::Value;
use tokio::sync::Semaphore;

use super::answer::{Answer, failure_of, status_failure};
use super::retry::{Decision, GiveUp, RetryPolicy, decide};
use super::transport::{ClientError, Transport};
use super::{
    ApiError, ApiKey, BaseUrl, Conversation, ConversationRequest, CreateFace, CreateOutcome, Effect, FaceApi, FacePage,
    FaceReads, FaceUpdate, Failure, PalPage, PalRow, Voice, text, wire,
};
use crate::clock::Clock;
use crate::face::{FaceId, ObservedFace, PalId, VoiceId};
use crate::killpoint::kill_point;

/// Everything that can be chosen about a client.
#[derive(Debug, Clone)]
pub struct ClientConfig {
    /// Where the API is.
    pub base_url: BaseUrl,
    /// The key.
    pub api_key: ApiKey,
    /// What back-off waits on and elapsed times are read from. Real time in production; a hand-wound clock in
    /// tests, so that none of them sleeps.
    pub clock: Arc<dyn Clock>,
    /// How long a connection may take, name resolution and TLS included: 10 s, and never more than half of
    /// `request_timeout`.
    pub connect_timeout: Duration,
    /// How long a request may take, from the first byte of the connection to the last of the answer: 30 s, as in
    /// the vendor's own client (version 0.11).
    pub request_timeout: Duration,
    /// How many requests may begin in a second; none, or a number that is no rate, means no limit. 5: no limit is
    /// published, so be modest.
    pub requests_per_second: Option<f64>,
    /// How many requests may be under way at once: 4.
    pub max_in_flight: usize,
    /// How often and how patiently GET, PATCH and DELETE are repeated.
    pub retry: RetryPolicy,
    /// A file of more roots to trust, in PEM form.
    pub ca_file: Option<PathBuf>,
}

impl ClientConfig {
    /// Returns the usual choices. On loopback nothing is limited.
    pub fn new(base_url: BaseUrl, api_key: ApiKey, clock: Arc<dyn Clock>) -> Self {
        Self {
            requests_per_second: (!base_url.is_loopback()).then_some(5.0),
            base_url,
            api_key,
            clock,
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(30),
            max_in_flight: 4,
            retry: RetryPolicy::default(),
            ca_file: None,
        }
    }
}

/// The API over HTTP. Cloning it shares connections and limits.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    config: ClientConfig,
    key: HeaderValue,
    looking: reqwest::Client,
    creating: reqwest::Client,
    slots: Semaphore,
    limiter: Option<DefaultDirectRateLimiter>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("base_url", &self.inner.config.base_url).finish_non_exhaustive()
    }
}

/// One request, as it can be sent any number of times.
struct Call {
    method: &'static str,
    /// Below the base URL, query included.
    path: String,
    body: Option<Value>,
    /// The largest answer that is read, in bytes.
    limit: usize,
}

/// Enough for 100 rows of 160 KB each.
const LISTING_LIMIT: usize = 16 << 20;
/// Enough for any single object.
const ANSWER_LIMIT: usize = 1 << 20;

impl Call {
    fn get(path: String) -> Self {
        Self { method: "GET", path, body: None, limit: ANSWER_LIMIT }
    }

    fn delete(path: String) -> Self {
        Self { method: "DELETE", path, body: None, limit: ANSWER_LIMIT }
    }

    fn with_body(method: &'static str, path: String, body: Value) -> Self {
        Self { method, path, body: Some(body), limit: ANSWER_LIMIT }
    }
}

impl Client {
    /// Makes a client. Nothing is sent yet.
    ///
    /// # Errors
    /// When the CA file cannot be used or TLS cannot be set up.
    pub fn new(config: ClientConfig) -> Result<Self, ClientError> {
        let key = config.api_key.header().ok_or(ClientError::Key)?;
        let (looking, creating) = Transport {
            base_url: &config.base_url,
            connect_timeout: config.connect_timeout,
            request_timeout: config.request_timeout,
            ca_file: config.ca_file.as_deref(),
        }
        .clients()?;
        let slots = Semaphore::new(config.max_in_flight.clamp(1, Semaphore::MAX_PERMITS));
        let limiter = config.requests_per_second.and_then(quota).map(RateLimiter::direct);
        Ok(Self { inner: Arc::new(Inner { config, key, looking, creating, slots, limiter }) })
    }

    /// Sends what may be repeated, as often as the policy allows, until `read` can read the answer.
    async fn repeat<T>(
        &self,
        call: &Call,
        read: impl Fn(&[u8]) -> Result<T, String> + Send + Sync,
    ) -> Result<T, ApiError> {
        let Inner { config, looking, .. } = &*self.inner;
        let mut attempt = 1;
        loop {
            let error = match self.once(looking, call, &read).await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            match decide(&error, attempt, &config.retry, fastrand::f64()) {
                Decision::Wait(wait) => {
                    tracing::debug!(attempt, ?wait, %error, "sending again");
                    config.clock.sleep(wait).await;
                }
                Decision::GiveUp(why) => return Err(explained(error, attempt, why)),
            }
            attempt += 1;
        }
    }

    /// Sends a request once and reads its answer.
    async fn once<T>(
        &self,
        http: &reqwest::Client,
        call: &Call,
        read: impl Fn(&[u8]) -> Result<T, String> + Send + Sync,
    ) -> Result<T, ApiError> {
        let key = &self.inner.config.api_key;
        let failed = |failure: Failure| ApiError {
            method: call.method,
            path: format!("{}{}", self.inner.config.base_url.path(), call.path),
            failure: scrubbed(failure, |text| key.scrub(text)),
        };
        let mut answer = self.exchange(http, call).await.map_err(failed)?;
        // Before anything is cut out of it: the beginning of a key is a secret too. But what a face is called must not
        // be changed by a key that is a word: with stars in its token a paid training is not found again.
        if !answer.is_success() || !key.may_be_a_word() {
            key.scrub_bytes(&mut answer.body);
        }
        if !answer.is_success() {
            return Err(failed(status_failure(&answer, self.inner.config.clock.now())));
        }
        read(&answer.body).map_err(|why| failed(Failure::Unreadable { status: answer.status, why }))
    }

    /// Sends a request once, within the limits, and tells the trace about it.
    async fn exchange(&self, http: &reqwest::Client, call: &Call) -> Result<Answer, Failure> {
        let Inner { config, slots, limiter, .. } = &*self.inner;
        // The semaphore is never closed; were it, going on without a permit would be no harm.
        let _permit = slots.acquire().await.ok();
        if let Some(limiter) = limiter {
            limiter.until_ready().await;
        }
        let body = call.body.as_ref().map(|body| body.to_string().into_bytes());
        let path = format!("{}{}", config.base_url.path(), call.path);
        let sent = body.as_ref().map_or(0, Vec::len);
        if tracing::enabled!(tracing::Level::TRACE) {
            let body = config.api_key.scrub(text::body_for_trace(body.as_deref().unwrap_or_default()));
            tracing::trace!(method = call.method, path, body, "request");
        }
        let begun = config.clock.now();
        let result = self.send(http, call, body).await;
        let elapsed_ms = config.clock.now().duration_since(begun).as_millis();
        match &result {
            Ok(answer) => {
                let request_id = answer.request_id().map(|id| config.api_key.scrub(id)).unwrap_or_default();
                let received = answer.body.len();
                tracing::debug!(
                    method = call.method,
                    path,
                    status = answer.status,
                    elapsed_ms,
                    sent,
                    received,
                    request_id,
                    "answered"
                );
                if tracing::enabled!(tracing::Level::TRACE) {
                    let body = config.api_key.scrub(text::body_for_trace(&answer.body));
                    tracing::trace!(method = call.method, path, body, "answer");
                }
            }
            Err(failure) => {
                let failure = scrubbed(failure.clone(), |text| config.api_key.scrub(text));
                tracing::debug!(method = call.method, path, elapsed_ms, sent, ?failure, "failed");
            }
        }
        result
    }

    async fn send(&self, http: &reqwest::Client, call: &Call, body: Option<Vec<u8>>) -> Result<Answer, Failure> {
        let Inner { config, key, .. } = &*self.inner;
        let method = match call.method {
            "POST" => reqwest::Method::POST,
            "PATCH" => reqwest::Method::PATCH,
            "DELETE" => reqwest::Method::DELETE,
            _ => reqwest::Method::GET,
        };
        let mut request = http.request(method, format!("{}{}", config.base_url.as_str(), call.path));
        request = request.header("x-api-key", key.clone());
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/json").body(body);
        }
        match request.send().await {
            Ok(response) => Answer::read(response, call.limit, config.request_timeout).await,
            Err(error) => Err(failure_of(&error, config.request_timeout)),
        }
    }
}

impl FaceReads for Client {
    async fn face_page(&self, page: u32) -> Result<FacePage, ApiError> {
        let limit = wire::PAGE_LIMIT;
        let call = Call {
            limit: LISTING_LIMIT,
            // Without face_type the stock catalogue comes along; without verbose no row says whose it is.
            ..Call::get(format!("/faces?limit={limit}&page={page}&face_type=user&verbose=true"))
        };
        self.repeat(&call, wire::face_page).await
    }

    async fn face(&self, id: &FaceId) -> Result<Option<ObservedFace>, ApiError> {
        let call = Call::get(format!("/faces/{id}?verbose=true"));
        or_none(self.repeat(&call, |body| wire::face(body, id)).await)
    }

    async fn pal_page(&self, page: u32) -> Result<PalPage, ApiError> {
        let limit = wire::PAGE_LIMIT;
        let call = Call { limit: LISTING_LIMIT, ..Call::get(format!("/pals?limit={limit}&page={page}")) };
        self.repeat(&call, wire::pal_page).await
    }

    async fn pal(&self, id: &PalId) -> Result<Option<PalRow>, ApiError> {
        let call = Call::get(format!("/pals/{id}"));
        or_none(self.repeat(&call, |body| wire::pal(body, id)).await)
    }

    async fn voice(&self, id: &VoiceId) -> Result<Option<Voice>, ApiError> {
        let call = Call::get(format!("/voices/{id}"));
        or_none(self.repeat(&call, wire::voice).await)
    }
}

impl FaceApi for Client {
    /// Sends one create, once, and says what is provable about it.
    ///
    /// | on the wire | outcome | because |
    /// |---|---|---|
    /// | no name resolved, no connection, no TLS | refused | not a byte of the request left |
    /// | connection closed, reset or timed out after that | unknown | the request may have arrived |
    /// | whole 2xx with a usable id | accepted | |
    /// | whole 2xx without one, or not JSON | unknown | something was probably made |
    /// | whole 429 | retry later | the API had enough of us; nothing began |
    /// | whole 408, 409, 425 | unknown | these speak of a request that may have been worked on |
    /// | any other whole 4xx | refused | the API said no |
    /// | 3xx, 5xx, 1xx | unknown | whoever answered may have passed the request on before |
    /// | any status, answer cut off or too long | unknown | what was meant to be said is not known |
    async fn create_face(&self, request: &CreateFace) -> CreateOutcome {
        let call = Call::with_body("POST", "/faces".to_owned(), wire::create_body(request));
        kill_point("create", "before-send");
        #[cfg(debug_assertions)]
        if let Some(body) = &call.body {
            let url = format!("{}{}", self.inner.config.base_url.as_str(), call.path);
            crate::killpoint::die_while_sending(&url, self.inner.key.as_bytes(), body.to_string().as_bytes());
        }
        let answer = self.once(&self.inner.creating, &call, wire::created_id).await;
        kill_point("create", "answered");
        match answer {
            Ok(id) => CreateOutcome::Accepted { id },
            Err(error) => outcome_of(error),
        }
    }

    async fn update_face(&self, id: &FaceId, update: &FaceUpdate) -> Result<(), ApiError> {
        let Some(body) = wire::update_body(update) else { return Ok(()) };
        let call = Call::with_body("PATCH", format!("/faces/{id}"), body);
        match self.repeat(&call, |_| Ok(())).await {
            // "Nothing changed" is a 304 for PALs (observed, 2026); for a face it would mean the same.
            Err(ApiError { failure: Failure::Status { status: 304, .. }, .. }) => Ok(()),
            other => other,
        }
    }

    async fn delete_face(&self, id: &FaceId, is_hard: bool) -> Result<(), ApiError> {
        let query = if is_hard { "?hard=true" } else { "" };
        let call = Call::delete(format!("/faces/{id}{query}"));
        // 404 and 400 "Invalid face_id": it is gone already, by an earlier try or somebody else.
        or_none(self.repeat(&call, |_| Ok(())).await).map(Option::unwrap_or_default)
    }

    async fn patch_pal(&self, id: &PalId, from: &FaceId, to: &FaceId) -> Result<(), ApiError> {
        let call = Call::with_body("PATCH", format!("/pals/{id}"), wire::pal_patch(from, to));
        match self.repeat(&call, |_| Ok(())).await {
            // Nothing to change: it is as wanted (seen in 2026).
            Err(ApiError { failure: Failure::Status { status: 304, .. }, .. }) => Ok(()),
            other => other,
        }
    }

    async fn create_conversation(&self, request: &ConversationRequest) -> Result<Conversation, ApiError> {
        let call = Call::with_body("POST", "/conversations".to_owned(), wire::conversation_body(request));
        self.once(&self.inner.creating, &call, wire::conversation).await
    }
}

fn outcome_of(error: ApiError) -> CreateOutcome {
    match (&error.failure, error.effect()) {
        (Failure::Status { status: 429, retry_after, .. }, _) => {
            CreateOutcome::RetryLater { after: *retry_after, error }
        }
        (_, Effect::No) => CreateOutcome::Refused(error),
        (_, Effect::Yes | Effect::Unknown) => CreateOutcome::Unknown(error),
    }
}

/// Turns "there is no such thing of yours" into none: 404, or 400 with "Invalid … id" (both seen, 2026).
fn or_none<T>(result: Result<T, ApiError>) -> Result<Option<T>, ApiError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) => match &error.failure {
            Failure::Status { status: 404, .. } => Ok(None),
            Failure::Status { status: 400, message, .. } if wire::is_invalid_id(message) => Ok(None),
            _ => Err(error),
        },
    }
}

/// Says in the error what the API's own words cannot: how often it was tried, or that it asks for too long.
fn explained(mut error: ApiError, attempt: u32, why: GiveUp) -> ApiError {
    let note = match why {
        GiveUp::AskedTooLong(asked) => format!("it asks to come back in {} s", asked.as_secs()),
        GiveUp::Exhausted if attempt > 1 => format!("tried {attempt} times"),
        GiveUp::Exhausted | GiveUp::Hopeless => return error,
    };
    let text = match &mut error.failure {
        Failure::Unreachable(text) | Failure::NoAnswer(text) => text,
        Failure::Status { message: text, .. } | Failure::Unreadable { why: text, .. } => text,
    };
    if !text.is_empty() {
        text.push_str("; ");
    }
    text.push_str(&note);
    error
}

fn scrubbed(failure: Failure, scrub: impl Fn(String) -> String) -> Failure {
    match failure {
        Failure::Unreachable(why) => Failure::Unreachable(scrub(why)),
        Failure::NoAnswer(why) => Failure::NoAnswer(scrub(why)),
        Failure::Status { status, message, retry_after } => {
            Failure::Status { status, message: scrub(message), retry_after }
        }
        Failure::Unreadable { status, why } => Failure::Unreadable { status, why: scrub(why) },
    }
}

/// None for a number that is no rate.
fn quota(per_second: f64) -> Option<Quota> {
    let period = Duration::try_from_secs_f64(1.0 / per_second).ok()?;
    // As many at once as a second allows, one at least; a saturating cast is what is wanted for huge rates.
    let burst = NonZeroU32::new(per_second as u32).unwrap_or(NonZeroU32::MIN);
    Some(Quota::with_period(period)?.allow_burst(burst))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_positive_number_and_lets_one_through_at_least() {
        for (rate, burst) in [(5.0, Some(5)), (0.2, Some(1)), (1e9, Some(1_000_000_000))] {
            assert_eq!(quota(rate).map(|quota| quota.burst_size().get()), burst, "{rate}");
        }
        for no_rate in [0.0, -1.0, f64::NAN, f64::INFINITY, f64::MIN_POSITIVE] {
            assert_eq!(quota(no_rate), None, "{no_rate}");
        }
    }
}
