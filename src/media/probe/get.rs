//! Asking a server: one answer, by way of redirects that are each judged, as often as is worth it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::client::proxy::matcher::Matcher;
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_LENGTH, LOCATION, RANGE};
use reqwest::{Client, ClientBuilder, Proxy, Response, StatusCode, redirect, retry};
use tokio::time::Instant;
use url::{Host, Url};

use super::ProbeConfig;
use super::answer::{Ask, Got, Raw};
use super::config::Proxies;
use super::reach::Guard;
use super::refusal::Code;
use super::trouble::{Place, Scheme, Trouble};
use crate::clock::Clock;
use crate::face::{Link, is_public_address};
use crate::http::{ClientError, Roots};

/// How many redirects are followed. Storage services need one, services that share files up to three.
const REDIRECT_LIMIT: usize = 5;
/// The longest address that is followed, in bytes: signed ones with a session's token have about 2,000.
const ADDRESS_LIMIT: usize = 8 * 1024;
/// How much is read of an answer that is a refusal: what a storage service says fits in it.
const REFUSAL_LIMIT: u64 = 4 * 1024;
/// The largest head of an HTTP/2 answer, in bytes. That of HTTP/1.1 is bounded by hyper, at about 400 KB.
const HEAD_LIMIT: u32 = 64 * 1024;
/// How long to wait before the second and the third try.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(3)];

/// No contact and no machine: what is sent to a server that a manifest names says nothing about who asks.
const USER_AGENT: &str = concat!("facectl/", env!("CARGO_PKG_VERSION"));

/// What one link may still cost.
pub(super) struct Budget {
    pub(super) requests: u32,
    pub(super) bytes: u64,
    /// Waiting for servers, and between tries.
    pub(super) time: Duration,
}

/// Asks, without any secret: the link itself is all that is known of whoever it belongs to.
pub(super) struct Getter {
    direct: Client,
    /// Which addresses go by a proxy, and the client that does.
    proxied: Option<(Matcher, Client)>,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for Getter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Getter")
    }
}

impl Getter {
    pub(super) fn new(config: &ProbeConfig) -> Result<Self, ClientError> {
        let guard = |proxy_host| Guard {
            resolver: config.resolver.clone(),
            also_reached: config.also_reached.clone().into(),
            proxy_host,
        };
        let connect_timeout = config.connect_timeout;
        let (roots, direct) =
            Roots::find(config.ca_file.as_deref(), || builder(guard(None), connect_timeout).no_proxy())?;
        let (matcher, proxy) = match &config.proxies {
            Proxies::None => (None, None),
            Proxies::Environment => (Some(Matcher::from_system()), None),
            Proxies::All(address) => {
                let proxy = Proxy::all(address.as_str()).map_err(ClientError::Tls)?;
                (Some(Matcher::builder().all(address.clone()).build()), Some(proxy))
            }
        };
        // Whether there is a proxy at all: asked with a name that no rule for exceptions holds.
        let intercepted =
            matcher.as_ref().and_then(|matcher| matcher.intercept(&"https://proxy-for.invalid/".parse().ok()?));
        let proxied = match (matcher, intercepted) {
            (Some(matcher), Some(intercepted)) => {
                let host = intercepted.uri().host().map(|host| host.trim_matches(['[', ']']).to_owned());
                let builder = builder(guard(host), connect_timeout);
                let builder = proxy.into_iter().fold(builder, ClientBuilder::proxy);
                Some((matcher, roots.client(builder)?))
            }
            _ => None,
        };
        Ok(Self { direct, proxied, clock: config.clock.clone() })
    }

    /// Asks, and asks again where that may help: twice, after a pause. Each try has at most `within`.
    ///
    /// # Errors
    /// The last trouble. What it cost is taken off the budget either way.
    pub(super) async fn get(
        &self,
        link: &Link,
        ask: Ask,
        within: Duration,
        budget: &mut Budget,
    ) -> Result<Got, Trouble> {
        let mut pauses = PAUSES.into_iter();
        loop {
            let trouble = match self.try_once(link, ask, within, budget).await {
                Ok(raw) => return raw.read(ask),
                Err(trouble) => trouble,
            };
            match pauses.next().filter(|pause| trouble.is_passing() && *pause < budget.time) {
                Some(pause) => {
                    budget.time = budget.time.saturating_sub(pause);
                    self.clock.sleep(pause).await;
                }
                None => return Err(trouble),
            }
        }
    }

    async fn try_once(&self, link: &Link, ask: Ask, within: Duration, budget: &mut Budget) -> Result<Raw, Trouble> {
        // Measured on the machine's clock: a server's time does not run faster because the sandbox's does.
        let within = within.min(budget.time);
        if within.is_zero() {
            return Err(Trouble::Spent("time"));
        }
        let began = Instant::now();
        let mut place = Place { host: String::new(), is_redirected: false };
        let answer = tokio::time::timeout(within, self.follow(link, ask, within, budget, &mut place)).await;
        budget.time = budget.time.saturating_sub(began.elapsed());
        answer.unwrap_or_else(|_| Err(Trouble::Late(place, within)))
    }

    /// Follows redirects from the link on, as what one leads to may be short-lived.
    async fn follow(
        &self,
        link: &Link,
        ask: Ask,
        within: Duration,
        budget: &mut Budget,
        place: &mut Place,
    ) -> Result<Raw, Trouble> {
        // A link was read as a URL before.
        let mut url = Url::parse(link.expose()).map_err(|_| Trouble::NotPublic(place.clone()))?;
        url.set_fragment(None);
        let mut seen = Vec::new();
        loop {
            *place = Place { host: url.host_str().unwrap_or_default().to_owned(), is_redirected: !seen.is_empty() };
            judge(&url, place)?;
            let response = self.send(&url, ask, within, budget, place).await?;
            let status = response.status();
            if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
                return self.receive(response, ask, within, budget, place).await;
            }
            let target = target(&url, &response).ok_or_else(|| Trouble::NoTarget(place.clone(), status.as_u16()))?;
            seen.push(url);
            if seen.contains(&target) {
                return Err(Trouble::Circle(place.clone()));
            }
            if seen.len() > REDIRECT_LIMIT {
                return Err(Trouble::TooManyRedirects(REDIRECT_LIMIT));
            }
            url = target;
        }
    }

    async fn send(
        &self,
        url: &Url,
        ask: Ask,
        within: Duration,
        budget: &mut Budget,
        place: &Place,
    ) -> Result<Response, Trouble> {
        budget.requests = budget.requests.checked_sub(1).ok_or(Trouble::Spent("requests"))?;
        if budget.bytes < ask.length() {
            return Err(Trouble::Spent("bytes"));
        }
        let mut request =
            self.client_for(url).get(url.clone()).header(ACCEPT, "*/*").header(ACCEPT_ENCODING, "identity");
        if let Some(range) = ask.range() {
            request = request.header(RANGE, range);
        }
        request.send().await.map_err(|error| Trouble::of(&error, place.clone(), within))
    }

    /// Reads what is worth reading of an answer that is no redirect.
    async fn receive(
        &self,
        mut response: Response,
        ask: Ask,
        within: Duration,
        budget: &mut Budget,
        place: &Place,
    ) -> Result<Raw, Trouble> {
        let status = response.status();
        let is_answer =
            matches!(status, StatusCode::OK | StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE);
        let limit = if is_answer && status != StatusCode::RANGE_NOT_SATISFIABLE { ask.length() } else { REFUSAL_LIMIT };
        let body = read(&mut response, limit, &mut budget.bytes).await;
        if !is_answer {
            // What it says on top is a courtesy; the status stands without it.
            let code = body.ok().and_then(|(body, _)| Code::of(&body));
            return Err(Trouble::Status(place.clone(), status.as_u16(), code));
        }
        let (body, has_more) = body.map_err(|error| Trouble::of(&error, place.clone(), within))?;
        let headers = response.headers().clone();
        let content_length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        Ok(Raw { place: place.clone(), status: status.as_u16(), headers, content_length, body, has_more })
    }

    fn client_for(&self, url: &Url) -> &Client {
        let by_proxy =
            |(matcher, _): &&(Matcher, Client)| url.as_str().parse().is_ok_and(|uri| matcher.intercept(&uri).is_some());
        self.proxied.as_ref().filter(by_proxy).map_or(&self.direct, |(_, client)| client)
    }
}

fn builder(guard: Guard, connect_timeout: Duration) -> ClientBuilder {
    Client::builder()
        .user_agent(USER_AGENT)
        .dns_resolver(Arc::new(guard))
        .https_only(true)
        // Followed by us, as each step is to be judged.
        .redirect(redirect::Policy::none())
        .referer(false)
        .retry(retry::never())
        // The bytes are wanted as they lie there, also from a server that packs them unasked.
        .gzip(false)
        .connect_timeout(connect_timeout)
        .pool_idle_timeout(Duration::from_secs(30))
        .http2_max_header_list_size(HEAD_LIMIT)
}

/// Judges an address before anything is sent to it. By its text alone, but for hosts that are addresses themselves.
fn judge(url: &Url, place: &Place) -> Result<(), Trouble> {
    if url.scheme() != "https" {
        return Err(Trouble::NotHttps(place.clone(), Scheme::of(url.scheme())));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Trouble::Credentials(place.clone()));
    }
    let is_public = match url.host() {
        Some(Host::Ipv4(address)) => is_public_address(address.into()),
        Some(Host::Ipv6(address)) => is_public_address(address.into()),
        // The rules for names stand in one place. The length of a link is limited there too, and matters only to the
        // API: so the host goes alone.
        Some(Host::Domain(name)) => Link::parse(&format!("https://{name}/")).is_ok(),
        None => false,
    };
    if is_public { Ok(()) } else { Err(Trouble::NotPublic(place.clone())) }
}

/// Returns where a redirect leads to.
fn target(url: &Url, response: &Response) -> Option<Url> {
    let location = response.headers().get(LOCATION)?.to_str().ok()?;
    let mut target = url.join(location).ok().filter(|target| target.as_str().len() <= ADDRESS_LIMIT)?;
    target.set_fragment(None);
    Some(target)
}

/// Reads up to `limit` bytes, and whether there are more. All that came is taken off `left`, also if it breaks off.
async fn read(response: &mut Response, limit: u64, left: &mut u64) -> Result<(Vec<u8>, bool), reqwest::Error> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut body = Vec::new();
    let is_said_to_have = |length: usize| response.content_length() == Some(length as u64);
    let is_exact = is_said_to_have(limit);
    // What is exactly as long as it should be is read to its end, which frees the connection for the next part; what
    // does not say how long it is could go on for ever.
    while body.len() < limit || (body.len() == limit && is_exact) {
        match response.chunk().await? {
            Some(chunk) => {
                *left = left.saturating_sub(chunk.len() as u64);
                body.extend_from_slice(&chunk);
            }
            None => return Ok((body, false)),
        }
    }
    let is_longer = body.len() > limit || response.content_length().is_some_and(|length| length > limit as u64);
    body.truncate(limit);
    Ok((body, is_longer))
}
