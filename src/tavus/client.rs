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
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::HeaderMap;

use super::{
    BaseUrl, Conversation, ConversationRequest, CreateFace, CreateOutcome, FaceApi, FacePage, FaceReads, FaceUpdate,
    PalPage, PalRow, Voice, VoicePage, VoiceQuery, wire,
};
use crate::clock::Clock;
use crate::face::{FaceId, ObservedFace, PalId, VoiceId};
use crate::http::{ApiError, ApiKey, Call, ClientError, Effect, Failure, RetryPolicy, Sender, SenderConfig};
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
    sender: Sender,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("base_url", &self.inner.config.base_url).finish_non_exhaustive()
    }
}

/// Enough for 100 rows of 160 KB each.
const LISTING_LIMIT: usize = 16 << 20;

impl Client {
    /// Makes a client. Nothing is sent yet.
    ///
    /// # Errors
    /// When the CA file cannot be used or TLS cannot be set up.
    pub fn new(config: ClientConfig) -> Result<Self, ClientError> {
        let mut headers = HeaderMap::new();
        headers.insert("x-api-key", config.api_key.header().ok_or(ClientError::Key)?);
        let sender = Sender::new(SenderConfig {
            address: config.base_url.address().clone(),
            key: config.api_key.clone(),
            headers,
            told: wire::error_message,
            limits_with_403: &[],
            clock: Arc::clone(&config.clock),
            connect_timeout: config.connect_timeout,
            request_timeout: config.request_timeout,
            requests_per_second: config.requests_per_second,
            max_in_flight: config.max_in_flight,
            retry: config.retry,
            ca_file: config.ca_file.clone(),
        })?;
        Ok(Self { inner: Arc::new(Inner { config, sender }) })
    }

    /// Sends what may be repeated, as often as the policy allows, until `read` can read the answer.
    async fn repeat<T>(
        &self,
        call: &Call,
        read: impl Fn(&[u8]) -> Result<T, String> + Send + Sync,
    ) -> Result<T, ApiError> {
        self.inner.sender.repeat(call, |answer| read(&answer.body)).await
    }
}

impl FaceReads for Client {
    async fn face_page(&self, page: u32) -> Result<FacePage, ApiError> {
        let limit = wire::PAGE_LIMIT;
        // Without face_type the stock catalogue comes along; without verbose no row says whose it is.
        let call = Call::get(format!("/faces?limit={limit}&page={page}&face_type=user&verbose=true"));
        self.repeat(&call.reading(LISTING_LIMIT), wire::face_page).await
    }

    async fn face(&self, id: &FaceId) -> Result<Option<ObservedFace>, ApiError> {
        let call = Call::get(format!("/faces/{id}?verbose=true"));
        or_none(self.repeat(&call, |body| wire::face(body, id)).await)
    }

    async fn pal_page(&self, page: u32) -> Result<PalPage, ApiError> {
        let limit = wire::PAGE_LIMIT;
        let call = Call::get(format!("/pals?limit={limit}&page={page}")).reading(LISTING_LIMIT);
        self.repeat(&call, wire::pal_page).await
    }

    async fn pal(&self, id: &PalId) -> Result<Option<PalRow>, ApiError> {
        let call = Call::get(format!("/pals/{id}"));
        or_none(self.repeat(&call, |body| wire::pal(body, id)).await)
    }

    async fn voice(&self, id: &VoiceId) -> Result<Option<Voice>, ApiError> {
        let call = Call::get(format!("/voices/{id}"));
        if_known(or_none(self.repeat(&call, wire::voice).await))
    }

    async fn voice_page(&self, page: u32, query: &VoiceQuery) -> Result<VoicePage, ApiError> {
        let call = Call::get(wire::voices_path(page, query)).reading(LISTING_LIMIT);
        self.repeat(&call, wire::voice_page).await
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
            let key = self.inner.config.api_key.header();
            let key = key.as_ref().map(|key| key.as_bytes()).unwrap_or_default();
            crate::killpoint::die_while_sending(&url, key, body.to_string().as_bytes());
        }
        let answer = self.inner.sender.once(&call, |answer| wire::created_id(&answer.body)).await;
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
        // 404: it is gone already, by an earlier try or somebody else.
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
        self.inner.sender.once(&call, |answer| wire::conversation(&answer.body)).await
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

/// Turns "it is not there" into none: 404, and nothing else.
fn or_none<T>(result: Result<T, ApiError>) -> Result<Option<T>, ApiError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(ApiError { failure: Failure::Status { status: 404, .. }, .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns whether the API says that an id names nothing of ours: 400 with "Invalid … id". That is no proof that
/// it is gone, as with another account's key every id is answered like that (seen in 2026).
pub fn is_unknown_id(error: &ApiError) -> bool {
    matches!(&error.failure, Failure::Status { status: 400, message, .. } if wire::is_invalid_id(message))
}

/// Turns an id that the API does not know into none, too: only for what does no more than refuse to go on then.
pub(crate) fn if_known<T>(found: Result<Option<T>, ApiError>) -> Result<Option<T>, ApiError> {
    match found {
        Err(error) if is_unknown_id(&error) => Ok(None),
        found => found,
    }
}
