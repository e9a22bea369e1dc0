//! Links to training material: the full text, which is a credential, and what identifies the material.
//!
//! A pre-signed link changes each time it is made. What counts as "the same material" is the link
//! without its signature; what people may see is the link with every value that could be a secret
//! shown as `…`.

use std::fmt;

use url::Url;

/// A link as it goes over the wire. `Debug` and `Display` never show a signature.
#[derive(Clone, PartialEq, Eq)]
pub struct Link(Url);

/// Why a link was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// Not a URL at all.
    #[error("it is not a URL ({0})")]
    NotAUrl(String),
    /// A blank or a line end inside, which a browser would repair and a download may not.
    #[error("it has a blank in it; write %20 where one is meant")]
    Blank,
    /// Not `https:`.
    #[error("its scheme is `{0}`, only https is fetched")]
    NotHttps(String),
    /// No host to fetch from.
    #[error("it names no host")]
    NoHost,
    /// A host that only this machine or this network can reach.
    #[error("`{0}` cannot be reached from the public internet")]
    NotPublic(String),
    /// A user name or password in front of the host.
    #[error("it carries a user name or password")]
    Credentials,
    /// Longer than the API takes.
    #[error("it has {0} characters, 2048 are allowed")]
    TooLong(usize),
}

/// The longest link that the contract allows, in characters.
const LINK_LIMIT: usize = 2048;

impl Link {
    /// Reads a link that Tavus' servers are to fetch or to call.
    ///
    /// # Errors
    /// When the service could not use it: not https, not public, or with credentials in it. A name is
    /// judged by its text only; what it resolves to is not asked here.
    pub fn parse(text: &str) -> Result<Self, LinkError> {
        let length = text.chars().count();
        if length > LINK_LIMIT {
            return Err(LinkError::TooLong(length));
        }
        if text.chars().any(char::is_whitespace) {
            return Err(LinkError::Blank);
        }
        let url = Url::parse(text).map_err(|error| LinkError::NotAUrl(error.to_string()))?;
        if url.scheme() != "https" {
            return Err(LinkError::NotHttps(url.scheme().to_owned()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(LinkError::Credentials);
        }
        match url.host() {
            None => return Err(LinkError::NoHost),
            Some(host) if !is_public(&host) => return Err(LinkError::NotPublic(host.to_string())),
            Some(_) => {}
        }
        Ok(Self(url))
    }

    /// Returns the whole text, signature included. For the wire only.
    pub fn expose(&self) -> &str {
        self.0.as_str()
    }

    /// Returns what identifies the material: scheme, host, path and the query without the parameters
    /// of a signature, sorted. Signing a link anew never changes this.
    pub fn identity(&self) -> String {
        let mut kept: Vec<(String, String)> = {
            let pairs: Vec<(String, String)> = self.0.query_pairs().into_owned().collect();
            let schemes = SigningSchemes::of(&pairs);
            pairs.into_iter().filter(|(name, _)| !schemes.owns(name)).collect()
        };
        kept.sort();
        let mut bare = self.0.clone();
        bare.set_fragment(None);
        bare.set_query(None);
        if !kept.is_empty() {
            bare.query_pairs_mut().extend_pairs(kept);
        }
        bare.into()
    }

    /// Returns the link as people may see it: query values are `…`, except those that name a version.
    pub fn shown(&self) -> String {
        shown(&self.0)
    }
}

impl Link {
    /// Returns the host alone: what a receiver of callbacks needs as a secret is put into the path, as Tavus
    /// signs nothing (callback pages, docs.tavus.io, October 2026).
    pub fn shown_host(&self) -> String {
        format!("https://{}/…", self.0.host_str().unwrap_or_default())
    }

    /// Returns the host, where it is one that is reserved for examples and tests (RFC 2606, RFC 6761): nothing can
    /// be fetched from there, now or ever.
    pub fn reserved_host(&self) -> Option<&str> {
        let host = self.0.host_str()?.trim_end_matches('.');
        let is_below = |name: &str| host == name || host.strip_suffix(name).is_some_and(|rest| rest.ends_with('.'));
        let names = ["example.com", "example.net", "example.org", "example", "invalid", "test", "localhost"];
        names.into_iter().any(is_below).then_some(host)
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.shown())
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Link({})", self.shown())
    }
}

/// Query parameters whose value is never a secret and says which version of an object is meant.
const VERSION_PARAMETERS: [&str; 4] = ["versionid", "generation", "version", "v"];

fn shown(url: &Url) -> String {
    let mut bare = url.clone();
    bare.set_fragment(None);
    bare.set_query(None);
    // Both fail only for URLs without a host, which have no credentials to hide.
    let _ = bare.set_username("");
    let _ = bare.set_password(None);
    let mut text = String::from(bare);
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let schemes = SigningSchemes::of(&pairs);
    let mut parts: Vec<String> = Vec::new();
    let mut has_signature = false;
    for (name, value) in &pairs {
        if schemes.owns(name) {
            has_signature = true;
        } else if VERSION_PARAMETERS.contains(&name.to_ascii_lowercase().as_str()) {
            parts.push(format!("{name}={value}"));
        } else {
            parts.push(format!("{name}=…"));
        }
    }
    if has_signature {
        parts.push("…".to_owned());
    }
    if !parts.is_empty() {
        text.push('?');
        text.push_str(&parts.join("&"));
    }
    text
}

/// Returns the shown form, also of a link that is in it already: what was hidden once stays as it was shown.
fn shown_again(url: &Url) -> String {
    /// How a parser writes the sign for what is hidden.
    const HIDDEN: &str = "%E2%80%A6";
    let mut text = shown(url);
    if let Some(head) = text.strip_suffix("…=…").filter(|_| url.query().is_some_and(|query| query.ends_with(HIDDEN)))
    {
        text = format!("{head}…");
    }
    match text.strip_suffix(HIDDEN).filter(|head| head.ends_with('/')) {
        Some(head) => format!("{head}…"),
        None => text,
    }
}

/// Replaces every link inside a text of unknown origin (an API's error, a trace) by its shown form.
pub fn redact_links(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = find_link(rest) {
        out.push_str(&rest[..start]);
        let tail = &rest[start..];
        let end = tail.find(|c: char| c.is_whitespace() || "\"'<>`\\)]}".contains(c)).unwrap_or(tail.len());
        let candidate = &tail[..end];
        // An escape inside of a query, such as `\u0026` for `&`: what comes behind it belongs to the link, and may well
        // be its signature.
        if tail[end..].starts_with('\\') {
            let end = tail.find(|c: char| c.is_whitespace() || "\"'<>`".contains(c)).unwrap_or(tail.len());
            match tail[..end].split_once('?') {
                Some((head, _)) => {
                    out.push_str(head);
                    out.push_str("?…");
                }
                None => out.push_str(&tail[..end]),
            }
            rest = &tail[end..];
            continue;
        }
        match Url::parse(candidate) {
            Ok(url) => out.push_str(&shown_again(&url)),
            // Not a URL after all: whatever follows a `?` may still be a secret.
            Err(_) => match candidate.split_once('?') {
                Some((head, _)) => {
                    out.push_str(head);
                    out.push_str("?…");
                }
                None => out.push_str(candidate),
            },
        }
        rest = &tail[end..];
    }
    out.push_str(rest);
    out
}

fn find_link(text: &str) -> Option<usize> {
    // The last two are how some writers of JSON put it.
    ["https://", "http://", "HTTPS://", "HTTP://", "https:\\/", "http:\\/"]
        .iter()
        .filter_map(|scheme| text.find(scheme))
        .min()
}

/// Which ways of signing a link are in use in one query: generic words such as `Expires` or `sv` are
/// dropped only where the signature they belong to is there, as they may otherwise be part of the identity.
struct SigningSchemes {
    aws_v2: bool,
    google_v2: bool,
    azure: bool,
    cloudfront: bool,
    cloudflare: bool,
}

impl SigningSchemes {
    fn of(pairs: &[(String, String)]) -> Self {
        let has = |wanted: &str| pairs.iter().any(|(name, _)| name.eq_ignore_ascii_case(wanted));
        Self {
            aws_v2: has("AWSAccessKeyId") && has("Signature"),
            google_v2: has("GoogleAccessId") && has("Signature"),
            azure: has("sig") && (has("sv") || has("se")),
            cloudfront: has("Key-Pair-Id") && has("Signature"),
            // `verify=<unix time>-<mac>` (Cloudflare, "Configure token authentication").
            cloudflare: pairs.iter().any(|(name, value)| {
                name == "verify"
                    && value
                        .split_once('-')
                        .is_some_and(|(time, _)| time.len() >= 9 && time.bytes().all(|b| b.is_ascii_digit()))
            }),
        }
    }

    /// Returns whether the parameter belongs to a signature rather than to the identity.
    fn owns(&self, name: &str) -> bool {
        let Self { aws_v2, google_v2, azure, cloudfront, cloudflare } = *self;
        let name = name.to_ascii_lowercase();
        let name = name.as_str();
        // `x-id` is added by the AWS SDK for JavaScript to every signed GET.
        name.starts_with("x-amz-")
            || name.starts_with("x-goog-")
            || name == "x-id"
            || (aws_v2 && matches!(name, "awsaccesskeyid" | "signature" | "expires"))
            || (google_v2 && matches!(name, "googleaccessid" | "signature" | "expires"))
            || (cloudfront && matches!(name, "policy" | "signature" | "key-pair-id" | "expires" | "hash-algorithm"))
            || (cloudflare && name == "verify")
            || (azure && AZURE_SAS.contains(&name))
    }
}

/// The parameters of an Azure shared access signature (Microsoft, "Create a service SAS", "Create a user
/// delegation SAS"). `snapshot` and `versionid` are not among them: they name what is fetched.
const AZURE_SAS: [&str; 22] = [
    "sv", "ss", "srt", "sp", "se", "st", "spr", "sig", "sr", "sip", "si", "skoid", "sktid", "skt", "ske", "sks", "skv",
    "saoid", "suoid", "scid", "sdd", "ses",
];

fn is_public(host: &url::Host<&str>) -> bool {
    match host {
        url::Host::Domain(domain) => {
            let domain = domain.trim_end_matches('.').to_ascii_lowercase();
            let is_local_name = domain == "localhost"
                || [".localhost", ".local", ".internal", ".lan", ".home.arpa"].iter().any(|end| domain.ends_with(end));
            // A name without a dot can only be resolved inside somebody's network.
            !is_local_name && domain.contains('.')
        }
        url::Host::Ipv4(address) => is_public_v4(*address),
        url::Host::Ipv6(address) => match address.to_ipv4_mapped() {
            Some(mapped) => is_public_v4(mapped),
            None => {
                let first = address.segments()[0];
                let is_unique_local = first & 0xfe00 == 0xfc00;
                let is_link_local = first & 0xffc0 == 0xfe80;
                !(address.is_loopback()
                    || address.is_unspecified()
                    || address.is_multicast()
                    || is_unique_local
                    || is_link_local)
            }
        },
    }
}

fn is_public_v4(address: std::net::Ipv4Addr) -> bool {
    let [a, b, ..] = address.octets();
    let is_shared = a == 100 && (64..128).contains(&b); // RFC 6598, carrier-grade NAT
    !(address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_unspecified()
        || address.is_broadcast()
        || address.is_multicast()
        || address.is_documentation()
        || a == 0
        || is_shared)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(text: &str) -> String {
        Link::parse(text).unwrap().identity()
    }

    #[test]
    fn what_is_hidden_already_stays_as_it_is_shown() {
        for text in ["https://a.example.com/b.mp4?…", "https://a.example.com/b.mp4?v=1&…", "https://a.example.com/…"]
        {
            assert_eq!(redact_links(text), text);
        }
        assert_eq!(redact_links("https://u:p@a.example.com/b?c=d&…"), "https://a.example.com/b?c=…&…");
    }

    #[test]
    fn a_signature_behind_an_escape_is_hidden_too() {
        for text in [
            r#"url: "https://m.example.com/l.mp4?X-Amz-Algorithm=A\u0026X-Amz-Signature=LEAK" # x"#,
            r#"{"u":"https:\/\/m.example.com\/l.mp4?a=1\u0026sig=LEAK"} https://m.example.com/?b=1\x26sig=LEAK"#,
        ] {
            assert!(!redact_links(text).contains("LEAK"), "{}", redact_links(text));
        }
    }

    #[test]
    fn signing_anew_never_changes_the_identity() {
        let bare = "https://b.s3.amazonaws.com/ana.mp4";
        for (scheme, first, second) in [
            (
                "S3 v4",
                "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=1&X-Amz-Expires=9&X-Amz-Signature=aa",
                "X-Amz-Signature=bb&X-Amz-Security-Token=t&x-id=GetObject",
            ),
            ("S3 v2", "AWSAccessKeyId=A&Expires=1&Signature=x", "AWSAccessKeyId=B&Expires=2&Signature=y"),
            ("GCS v4", "X-Goog-Signature=a&X-Goog-Date=1", "X-Goog-Signature=b&X-Goog-Date=2"),
            ("GCS v2", "GoogleAccessId=a&Expires=1&Signature=x", "GoogleAccessId=a&Expires=2&Signature=y"),
            ("Azure", "sv=2024&sr=b&se=2026&sp=r&sig=a", "sv=2025&sr=b&se=2027&sp=r&sig=b"),
            ("CloudFront", "Policy=p&Signature=s&Key-Pair-Id=k", "Expires=1&Signature=t&Key-Pair-Id=k"),
            ("Cloudflare", "verify=1700000000-abc", "verify=1700009999-def"),
        ] {
            assert_eq!(identity(&format!("{bare}?{first}")), identity(&format!("{bare}?{second}")), "{scheme}");
            assert_eq!(identity(&format!("{bare}?{first}")), bare, "{scheme}");
        }
    }

    #[test]
    fn what_names_another_object_changes_the_identity() {
        let base = identity("https://h.example.com/a.mp4?versionId=1&X-Amz-Signature=s");
        for other in [
            "https://h.example.com/a.mp4?versionId=2&X-Amz-Signature=s",
            "https://h.example.com/b.mp4?versionId=1&X-Amz-Signature=s",
            "https://i.example.com/a.mp4?versionId=1&X-Amz-Signature=s",
        ] {
            assert_ne!(base, identity(other), "{other}");
        }
        // Without the rest of a signature these words may well be part of the identity.
        assert_ne!(identity("https://h.example.com/a?sv=1"), identity("https://h.example.com/a?sv=2"));
        assert_ne!(identity("https://h.example.com/a?Expires=1"), identity("https://h.example.com/a?Expires=2"));
    }

    #[test]
    fn host_and_scheme_are_normalised_and_order_does_not_count() {
        assert_eq!(identity("HTTPS://H.Example.com:443/a?b=2&a=1#x"), identity("https://h.example.com/a?a=1&b=2"));
    }

    #[test]
    fn secrets_are_not_shown() {
        let link = Link::parse("https://h.example.com/a.mp4?token=hush&versionId=7&X-Amz-Signature=deadbeef").unwrap();
        assert_eq!(link.shown(), "https://h.example.com/a.mp4?token=…&versionId=7&…");
        for text in
            [link.to_string(), format!("{link:?}"), redact_links(&format!("cannot fetch \"{}\" now", link.expose()))]
        {
            assert!(!text.contains("hush") && !text.contains("deadbeef"), "{text}");
        }
        assert_eq!(redact_links("no link here? no"), "no link here? no");
        assert_eq!(redact_links("see https://u:p@h.example.com/x."), "see https://h.example.com/x.");
        assert_eq!(redact_links("http://:80?sig=secret end"), "http://:80?… end");
    }

    #[test]
    fn only_public_https_hosts_are_taken() {
        for good in ["https://media.example.com/a.mp4", "https://8.8.8.8/a", "https://[2606:4700::1111]/a"] {
            assert!(Link::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "http://media.example.com/a",
            "ftp://x.example.com/a",
            "media.example.com/a",
            "",
            "https://localhost/a",
            "https://a.localhost/x",
            "https://nas/x",
            "https://nas.local/x",
            "https://127.0.0.1/a",
            "https://10.1.2.3/a",
            "https://192.168.0.1/a",
            "https://172.16.0.1/",
            "https://169.254.169.254/latest",
            "https://100.64.0.1/",
            "https://0.0.0.0/",
            "https://[::1]/",
            "https://[fd00::1]/",
            "https://[fe80::1]/",
            "https://m.example.com/a b.mp4",
            "https://[::ffff:10.0.0.1]/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://user:secret@h.example.com/a",
        ] {
            assert!(Link::parse(bad).is_err(), "{bad}");
        }
    }
}
