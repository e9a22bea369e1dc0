//! Sends requests to one server with one secret: within limits, repeated only where that is safe, told to the trace.
//!
//! # Guarantees
//! - [`Sender::once`] sends once: never retried, never redirected.
//! - The key is in the headers it was given in and nowhere else: not in an error, not in a trace, not on an open line.
//! - What comes back is bounded in size, and redacted before it becomes part of an error or a trace.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde_json::Value;
use tokio::sync::Semaphore;

use super::answer::{Answer, failure_of, status_failure};
use super::retry::{Decision, GiveUp, RetryPolicy, decide};
use super::transport::{ClientError, Transport};
use super::{Address, ApiError, ApiKey, Failure};
use crate::clock::Clock;
use crate::text;

/// What a sender is made from.
pub(crate) struct SenderConfig {
    /// Where the server is.
    pub(crate) address: Address,
    /// The secret: replaced by stars wherever it comes back.
    pub(crate) key: ApiKey,
    /// Sent with every request, the secret's header among them.
    pub(crate) headers: HeaderMap,
    /// Reads what the other side says in the body of an answer that is no success; redacted.
    pub(crate) told: fn(&[u8]) -> String,
    /// What a 403 says that is a limit and no refusal, in lower case; so is one that says when to come back, or that a
    /// budget is used up. Empty where every 403 is a refusal.
    pub(crate) limits_with_403: &'static [&'static str],
    /// What back-off waits on and elapsed times are read from.
    pub(crate) clock: Arc<dyn Clock>,
    /// How long a connection may take.
    pub(crate) connect_timeout: Duration,
    /// How long a request may take, from the first byte of the connection to the last of the answer.
    pub(crate) request_timeout: Duration,
    /// How many requests may begin in a second; none, or a number that is no rate, means no limit.
    pub(crate) requests_per_second: Option<f64>,
    /// How many requests may be under way at once.
    pub(crate) max_in_flight: usize,
    /// How often and how patiently is repeated what may be.
    pub(crate) retry: RetryPolicy,
    /// A file of more roots to trust, in PEM form.
    pub(crate) ca_file: Option<PathBuf>,
}

/// See the file.
pub(crate) struct Sender {
    config: SenderConfig,
    looking: reqwest::Client,
    creating: reqwest::Client,
    slots: Semaphore,
    limiter: Option<DefaultDirectRateLimiter>,
}

/// One request, as it can be sent any number of times.
pub(crate) struct Call {
    pub(crate) method: &'static str,
    /// Below the address, query included.
    pub(crate) path: String,
    pub(crate) body: Option<Value>,
    /// The largest answer that is read, in bytes.
    pub(crate) limit: usize,
}

/// Enough for any single object.
const ANSWER_LIMIT: usize = 1 << 20;

impl Call {
    /// Asks for something.
    pub(crate) fn get(path: String) -> Self {
        Self { method: "GET", path, body: None, limit: ANSWER_LIMIT }
    }

    /// Deletes something.
    pub(crate) fn delete(path: String) -> Self {
        Self { method: "DELETE", path, body: None, limit: ANSWER_LIMIT }
    }

    /// Sends a JSON value.
    pub(crate) fn with_body(method: &'static str, path: String, body: Value) -> Self {
        Self { method, path, body: Some(body), limit: ANSWER_LIMIT }
    }

    /// Sets the largest answer that is read, in bytes.
    pub(crate) fn reading(self, limit: usize) -> Self {
        Self { limit, ..self }
    }
}

impl Sender {
    /// Makes a sender. Nothing is sent yet.
    ///
    /// # Errors
    /// When the CA file cannot be used or TLS cannot be set up.
    pub(crate) fn new(config: SenderConfig) -> Result<Self, ClientError> {
        let (looking, creating) = Transport {
            address: &config.address,
            connect_timeout: config.connect_timeout,
            request_timeout: config.request_timeout,
            ca_file: config.ca_file.as_deref(),
        }
        .clients()?;
        let slots = Semaphore::new(config.max_in_flight.clamp(1, Semaphore::MAX_PERMITS));
        let limiter = config.requests_per_second.and_then(quota).map(RateLimiter::direct);
        Ok(Self { config, looking, creating, slots, limiter })
    }

    /// Returns what it was made from.
    pub(crate) fn config(&self) -> &SenderConfig {
        &self.config
    }

    /// Sends what may be repeated, as often as the policy allows, until `read` can read the answer.
    pub(crate) async fn repeat<T>(
        &self,
        call: &Call,
        read: impl Fn(&Answer) -> Result<T, String> + Send + Sync,
    ) -> Result<T, ApiError> {
        let config = &self.config;
        let mut attempt = 1;
        loop {
            let error = match self.attempt(&self.looking, call, &read).await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            match decide(&error, attempt, &config.retry, fastrand::f64()) {
                Decision::Wait(wait) => {
                    tell_wait(attempt, wait, &error);
                    config.clock.sleep(wait).await;
                }
                Decision::GiveUp(why) => return Err(explained(error, attempt, why)),
            }
            attempt += 1;
        }
    }

    /// Sends once what must not be repeated blindly, on a connection of its own.
    pub(crate) async fn once<T>(
        &self,
        call: &Call,
        read: impl Fn(&Answer) -> Result<T, String> + Send + Sync,
    ) -> Result<T, ApiError> {
        self.attempt(&self.creating, call, read).await
    }

    /// Sends a request once and reads its answer.
    async fn attempt<T>(
        &self,
        http: &reqwest::Client,
        call: &Call,
        read: impl Fn(&Answer) -> Result<T, String> + Send + Sync,
    ) -> Result<T, ApiError> {
        let SenderConfig { address, key, clock, told, limits_with_403, .. } = &self.config;
        let failed = |failure: Failure| ApiError {
            method: call.method,
            path: format!("{}{}", address.path(), call.path),
            failure: scrubbed(failure, |text| key.scrub(text)),
        };
        let mut answer = self.exchange(http, call).await.map_err(failed)?;
        // Before anything is cut out of it: the beginning of a key is a secret too. But what a face is called must not
        // be changed by a key that is a word: with stars in its token a paid training is not found again.
        if !answer.is_success() || !key.may_be_a_word() {
            key.scrub_bytes(&mut answer.body);
        }
        if !answer.is_success() {
            return Err(failed(match status_failure(&answer, clock.now(), *told) {
                Failure::Status { status: 403, message, retry_after }
                    if is_limit(&answer, &message, retry_after, limits_with_403) =>
                {
                    Failure::Status { status: 429, message, retry_after }
                }
                failure => failure,
            }));
        }
        read(&answer).map_err(|why| failed(Failure::Unreadable { status: answer.status, why }))
    }

    /// Sends a request once, within the limits, and tells the trace about it.
    async fn exchange(&self, http: &reqwest::Client, call: &Call) -> Result<Answer, Failure> {
        let Self { config, slots, limiter, .. } = self;
        // The semaphore is never closed; were it, going on without a permit would be no harm.
        let _permit = slots.acquire().await.ok();
        if let Some(limiter) = limiter {
            limiter.until_ready().await;
        }
        let body = call.body.as_ref().map(|body| body.to_string().into_bytes());
        let path = format!("{}{}", config.address.path(), call.path);
        let sent = body.as_ref().map_or(0, Vec::len);
        if tracing::enabled!(tracing::Level::TRACE) {
            let body = config.key.scrub(text::body_for_trace(body.as_deref().unwrap_or_default()));
            tracing::trace!(method = call.method, path, body, "request");
        }
        let begun = config.clock.now();
        let result = self.send(http, call, body).await;
        let elapsed_ms = config.clock.now().duration_since(begun).as_millis();
        match &result {
            Ok(answer) => {
                let request_id = answer.request_id().map(|id| config.key.scrub(id)).unwrap_or_default();
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
                    let body = config.key.scrub(text::body_for_trace(&answer.body));
                    tracing::trace!(method = call.method, path, body, "answer");
                }
            }
            Err(failure) => {
                let failure = scrubbed(failure.clone(), |text| config.key.scrub(text));
                tracing::debug!(method = call.method, path, elapsed_ms, sent, ?failure, "failed");
            }
        }
        result
    }

    async fn send(&self, http: &reqwest::Client, call: &Call, body: Option<Vec<u8>>) -> Result<Answer, Failure> {
        let config = &self.config;
        let method = match call.method {
            "POST" => reqwest::Method::POST,
            "PATCH" => reqwest::Method::PATCH,
            "PUT" => reqwest::Method::PUT,
            "DELETE" => reqwest::Method::DELETE,
            _ => reqwest::Method::GET,
        };
        let request = http.request(method, format!("{}{}", config.address.as_str(), call.path));
        let mut request = request.headers(config.headers.clone());
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/json").body(body);
        }
        match request.send().await {
            Ok(response) => Answer::read(response, call.limit, config.request_timeout).await,
            Err(error) => Err(failure_of(&error, config.request_timeout)),
        }
    }
}

/// Returns whether a 403 is a limit: GitHub's secondary one says so in words alone, while the budget of the primary one
/// is far from used up.
fn is_limit(answer: &Answer, message: &str, retry_after: Option<Duration>, words: &[&str]) -> bool {
    let message = message.to_lowercase();
    let says_so =
        retry_after.is_some() || answer.is_budget_used_up() || words.iter().any(|word| message.contains(word));
    !words.is_empty() && says_so
}

/// Tells of a wait before something is sent again: to the trace, and to people where they would wonder.
pub(crate) fn tell_wait(attempt: u32, wait: Duration, error: &ApiError) {
    if wait >= WONDERED_AT {
        tracing::warn!("waiting {} s before it is sent again: {error}", wait.as_secs());
    } else {
        tracing::debug!(attempt, ?wait, %error, "sending again");
    }
}

/// A silence that people wonder at.
const WONDERED_AT: Duration = Duration::from_secs(30);

/// Says in the error what the other side's own words cannot: how often it was tried, or that it asks for too long.
fn explained(mut error: ApiError, attempt: u32, why: GiveUp) -> ApiError {
    let note = match why {
        GiveUp::AskedTooLong(asked) => format!("it asks to come back in {} s", asked.as_secs()),
        GiveUp::Exhausted if attempt > 1 => format!("tried {attempt} times"),
        GiveUp::Exhausted | GiveUp::Hopeless => return error,
    };
    let text = match &mut error.failure {
        Failure::Unreachable(text) | Failure::NoAnswer(text) | Failure::Certificate { why: text, .. } => text,
        Failure::TooLong { .. } => return error,
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
        Failure::Certificate { why, problem } => Failure::Certificate { why: scrub(why), problem },
        Failure::TooLong { status, limit } => Failure::TooLong { status, limit },
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
    use std::sync::atomic::{AtomicUsize, Ordering};

    use jiff::Timestamp;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;
    use crate::clock::HandWoundClock;

    #[test]
    fn a_rate_is_a_positive_number_and_lets_one_through_at_least() {
        for (rate, burst) in [(5.0, Some(5)), (0.2, Some(1)), (1e9, Some(1_000_000_000))] {
            assert_eq!(quota(rate).map(|quota| quota.burst_size().get()), burst, "{rate}");
        }
        for no_rate in [0.0, -1.0, f64::NAN, f64::INFINITY, f64::MIN_POSITIVE] {
            assert_eq!(quota(no_rate), None, "{no_rate}");
        }
    }

    /// Answers every request like this, and counts them.
    async fn server(answer: &'static str) -> (u16, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, count) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
        let counted = Arc::clone(&count);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.read(&mut [0; 4096]).await;
                counted.fetch_add(1, Ordering::Relaxed);
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        (port, count)
    }

    #[tokio::test]
    async fn a_limit_in_words_alone_is_waited_for_and_fails_as_a_limit() {
        let body = r#"{"message":"You have exceeded a secondary rate limit. Please wait a few minutes."}"#;
        let limited: &str = Box::leak(
            format!(
                "HTTP/1.1 403 Forbidden\r\nx-ratelimit-remaining: 4771\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            )
            .into_boxed_str(),
        );
        for (words, status, requests, minutes) in [(["rate limit"].as_slice(), 429, 4, 7), (&[], 403, 1, 0)] {
            let (port, count) = server(limited).await;
            let clock = Arc::new(HandWoundClock::at(Timestamp::UNIX_EPOCH));
            let sender = Sender::new(SenderConfig {
                address: Address::parse(&format!("http://127.0.0.1:{port}")).unwrap(),
                key: ApiKey::parse("a-key-of-some-length").unwrap(),
                headers: HeaderMap::new(),
                told: |body| String::from_utf8_lossy(body).into_owned(),
                limits_with_403: Box::leak(words.to_vec().into_boxed_slice()),
                clock: clock.clone(),
                connect_timeout: Duration::from_secs(10),
                request_timeout: Duration::from_secs(30),
                requests_per_second: None,
                max_in_flight: 1,
                retry: RetryPolicy::of_forge(),
                ca_file: None,
            });
            let failed = sender.unwrap().repeat(&Call::get("/x".to_owned()), |_| Ok(())).await.unwrap_err();
            assert_eq!((failed.status(), count.load(Ordering::Relaxed)), (Some(status), requests));
            assert_eq!(clock.now().as_second() / 60, minutes);
        }
    }
}
