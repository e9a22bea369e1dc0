//! Who may ask at all: programs on this machine, and no web page from elsewhere.
//!
//! A browser lets any page send requests to loopback, only not read the answers; and a page whose name is made to point at
//! loopback (DNS rebinding) may read them as well. Such a request carries the page's name in `Host` or `Origin`. What is
//! sent without asking first ("simple requests", Fetch standard) cannot carry JSON, so `/_sandbox/` takes nothing else.

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use url::{Host, Url};

use super::request::Refusal;

/// Lets a request through that can only come from a program on this machine.
pub(super) async fn door(request: Request, next: Next) -> Response {
    match refusal(&request) {
        Some(refusal) => refusal.into_response(),
        None => next.run(request).await,
    }
}

fn refusal(request: &Request) -> Option<Refusal> {
    let headers = request.headers();
    // A request that is meant for a proxy names the host in its first line as well.
    let is_ours = request.uri().authority().is_none_or(|authority| is_loopback(authority.as_str()));
    if !is_ours || !all(headers, header::HOST, is_loopback) {
        let text = "Misdirected: the sandbox answers to localhost, 127.0.0.1 and [::1] only";
        return Some(Refusal::error(StatusCode::MISDIRECTED_REQUEST, text));
    }
    let site = HeaderName::from_static("sec-fetch-site");
    if !all(headers, header::ORIGIN, is_loopback_origin) || !all(headers, site, |site| site != "cross-site") {
        return Some(Refusal::error(StatusCode::FORBIDDEN, "Forbidden: a page from elsewhere asks"));
    }
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let is_behind = request.uri().path().starts_with("/_sandbox");
    let has_json = headers.contains_key(header::CONTENT_TYPE) && all(headers, header::CONTENT_TYPE, is_json);
    if is_behind && !is_read && !has_json {
        let text = "The body must be JSON, sent with `content-type: application/json`";
        return Some(Refusal::error(StatusCode::UNSUPPORTED_MEDIA_TYPE, text));
    }
    None
}

/// Returns whether a test holds for every value of a header; also where there is none.
fn all(headers: &HeaderMap, name: HeaderName, test: impl Fn(&str) -> bool) -> bool {
    headers.get_all(name).iter().all(|value| value.to_str().is_ok_and(&test))
}

/// Returns whether `HOST` or `HOST:PORT` names this machine, whatever a resolver says.
fn is_loopback(authority: &str) -> bool {
    let authority: Option<Authority> = authority.parse().ok();
    authority
        .filter(|authority| !authority.as_str().contains('@'))
        .is_some_and(|authority| is_loopback_host(authority.host()))
}

fn is_loopback_host(host: &str) -> bool {
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    match host.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => host.trim_end_matches('.').eq_ignore_ascii_case("localhost"),
    }
}

/// Returns whether a page was served by this machine. `null`, the origin of a page without one, is anybody's.
fn is_loopback_origin(origin: &str) -> bool {
    Url::parse(origin).is_ok_and(|url| match url.host() {
        Some(Host::Domain(name)) => is_loopback_host(name),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    })
}

fn is_json(content_type: &str) -> bool {
    content_type.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_known_by_its_names_with_any_port() {
        for ours in ["localhost", "LocalHost:80", "localhost.:1", "127.0.0.1:8787", "127.9.9.9", "[::1]:8787", "[::1]"]
        {
            assert!(is_loopback(ours), "{ours}");
        }
        let foreign = ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "0.0.0.0", "10.0.0.1:80"];
        for other in foreign.into_iter().chain(["localhost@evil.example", "evil@localhost", "", "x", "[::2]", "[::]"]) {
            assert!(!is_loopback(other), "{other}");
        }
    }

    #[test]
    fn a_page_is_ours_by_its_origin() {
        for ours in ["http://localhost:3000", "http://127.0.0.1", "https://[::1]:8443"] {
            assert!(is_loopback_origin(ours), "{ours}");
        }
        for other in ["null", "", "https://evil.example", "http://localhost.evil.example", "file://", "http://10.0.0.1"]
        {
            assert!(!is_loopback_origin(other), "{other}");
        }
    }

    #[test]
    fn json_is_one_content_type() {
        assert!(is_json("application/json") && is_json("Application/JSON; charset=utf-8"));
        for other in
            ["text/plain", "text/plain; application/json", "application/x-www-form-urlencoded", "application/jsonp", ""]
        {
            assert!(!is_json(other), "{other}");
        }
    }
}
