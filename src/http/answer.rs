//! What came back: a whole answer, or a failure and how far it got.

use std::error::Error;
use std::fmt::Write as _;
use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::header::{DATE, HeaderMap, LINK, LOCATION, RETRY_AFTER};

use super::Failure;
use super::certificate::{CertificateProblem, cause};
use crate::text::{MESSAGE_LIMIT, WORD_LIMIT, clean};

/// A whole answer, whatever its status.
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// Reads the rest of an answer, up to `limit` bytes. Anything short of the whole is no answer: the status
    /// alone proves nothing if what was to be said with it is missing.
    pub(super) async fn read(
        mut response: reqwest::Response,
        limit: usize,
        timeout: Duration,
    ) -> Result<Self, Failure> {
        let status = response.status().as_u16();
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(None) => break,
                Ok(Some(chunk)) if body.len() + chunk.len() > limit => {
                    return Err(Failure::TooLong { status, limit });
                }
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Err(error) => {
                    let why = told(&error, timeout);
                    return Err(Failure::NoAnswer(format!("HTTP {status}, then the answer broke off: {why}")));
                }
            }
        }
        Ok(Self { status, headers: response.headers().clone(), body })
    }

    /// Returns whether the status is a 2xx.
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Returns what support would ask for. The API documents no such header; gateways in front of it add them.
    pub(super) fn request_id(&self) -> Option<String> {
        let names = ["x-request-id", "x-amzn-requestid", "x-amz-cf-id", "cf-ray"];
        names.iter().find_map(|name| self.header(name))
    }

    fn header(&self, name: &str) -> Option<String> {
        let value = self.headers.get(name)?.to_str().ok()?;
        Some(clean(value, WORD_LIMIT))
    }

    /// Returns whether a listing says that there is a further page (RFC 8288); none where it has no `Link` at all.
    /// Where that page is said to be is not looked at: a secret goes to no address that an answer names.
    pub(crate) fn has_next_page(&self) -> Option<bool> {
        let links = self.headers.get_all(LINK).iter().filter_map(|link| link.to_str().ok());
        let is_next = |link: &str| {
            let parameters = link.split(';').skip(1).map(|parameter| parameter.replace(['"', ' '], ""));
            parameters.into_iter().any(|parameter| parameter == "rel=next")
        };
        links.map(|links| links.split(',').any(is_next)).reduce(|any, next| any || next)
    }

    /// Returns whether the answer says that a budget of requests is used up.
    pub(super) fn is_budget_used_up(&self) -> bool {
        self.header("x-ratelimit-remaining").is_some_and(|left| left.trim() == "0")
    }

    /// Returns how long to stay away: what `Retry-After` says, else, where a budget is used up, until it is renewed
    /// (GitHub, "Rate limits for the REST API": `x-ratelimit-remaining`, `x-ratelimit-reset` in epoch seconds).
    fn retry_after(&self, now: Timestamp) -> Option<Duration> {
        // The answer's own date is the clock that a date in it was read from.
        let date = self.headers.get(DATE).and_then(|date| date.to_str().ok()).and_then(http_date).unwrap_or(now);
        let told = |name: &str| self.headers.get(name).and_then(|value| value.to_str().ok());
        if let Some(text) = told(RETRY_AFTER.as_str()) {
            return parse_retry_after(text, date);
        }
        if !self.is_budget_used_up() {
            return None;
        }
        let reset = Timestamp::from_second(told("x-ratelimit-reset")?.trim().parse().ok()?).ok()?;
        Some(Duration::try_from(reset.duration_since(date)).unwrap_or(Duration::ZERO).min(RETRY_AFTER_CAP))
    }
}

/// Makes a failure of a whole answer that is no success; `told` reads what the other side said in its body.
pub(super) fn status_failure(answer: &Answer, now: Timestamp, told: fn(&[u8]) -> String) -> Failure {
    let message = match answer.status {
        300..=399 => redirect_message(answer),
        _ => told(&answer.body),
    };
    Failure::Status { status: answer.status, message, retry_after: answer.retry_after(now) }
}

/// Makes a failure of what the HTTP library could not finish.
pub(super) fn failure_of(error: &reqwest::Error, timeout: Duration) -> Failure {
    let why = told(error, timeout);
    if let Some(problem) = cause(error).and_then(CertificateProblem::of) {
        return Failure::Certificate { why, problem };
    }
    // `is_connect` covers name resolution, TCP, the proxy's tunnel and the TLS handshake: all come before the
    // first byte of the request. `is_builder` comes before even those.
    if error.is_connect() || error.is_builder() { Failure::Unreachable(why) } else { Failure::NoAnswer(why) }
}

fn redirect_message(answer: &Answer) -> String {
    let location = answer.headers.get(LOCATION).and_then(|to| to.to_str().ok());
    // Its host is enough to see what is wrong; the rest may hold a credential.
    let host = location.and_then(|to| url::Url::parse(to).ok()).and_then(|to| to.host_str().map(str::to_owned));
    match (answer.status, host) {
        (304, _) => "not modified".to_owned(),
        (_, Some(host)) => format!("redirects to {}, which is not followed; check the base URL", clean(&host, 100)),
        (_, None) => "a redirect, which is not followed; check the base URL".to_owned(),
    }
}

/// The longest that is understood: what is longer is not told apart.
const RETRY_AFTER_CAP: Duration = Duration::from_secs(24 * 3600);

/// Reads `Retry-After`: seconds or an HTTP date (RFC 9110, section 10.2.3); a date that has passed means now.
fn parse_retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let seconds = text.parse().map_or(RETRY_AFTER_CAP, Duration::from_secs);
        return Some(seconds.min(RETRY_AFTER_CAP));
    }
    let wait = http_date(text)?.duration_since(now);
    Some(Duration::try_from(wait).unwrap_or(Duration::ZERO).min(RETRY_AFTER_CAP))
}

fn http_date(text: &str) -> Option<Timestamp> {
    rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
}

/// Tells an error with its causes in one line, without the URL.
pub(crate) fn told(error: &reqwest::Error, timeout: Duration) -> String {
    if error.is_timeout() && !error.is_connect() {
        return format!("timed out after {timeout:?}");
    }
    // reqwest's own line repeats the URL; the causes say what happened.
    let mut causes = Vec::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        causes.push(error.to_string());
        cause = error.source();
    }
    let mut told = if error.is_timeout() { "timed out while connecting: ".to_owned() } else { String::new() };
    causes.dedup();
    let _ = write!(told, "{}", causes.join(": "));
    if told.is_empty() {
        told.push_str("the request could not be sent");
    }
    clean(&told, MESSAGE_LIMIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date_and_never_absurd() {
        let now = http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        for (text, seconds) in [
            ("5", Some(5)),
            (" 0 ", Some(0)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
            ("Sun, 06 Nov 1994 08:40:37 GMT", Some(0)),
            ("Mon, 06 Nov 2094 08:40:37 GMT", None),
            ("Sat, 06 Nov 2094 08:40:37 GMT", Some(86_400)),
            ("99999999999999999999999", Some(86_400)),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(parse_retry_after(text, now), seconds.map(Duration::from_secs), "{text}");
        }
    }
}
