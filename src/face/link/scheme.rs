//! The ways of signing a link that are known: by what each is recognised, and which parameters belong to it.
//!
//! Generic words such as `Expires`, `token` or `sv` count only where the rest of that way of signing is there: they may
//! name an object elsewhere, and taking another object for the same would train nothing where something is to be
//! trained. A signature that is not recognised only costs a difference that is none.
//!
//! # Guarantees
//! What was recognised first, in November 2026, is recognised alone: no later way is looked for in such a link, so that
//! its identity, and the fingerprint of a face made from it, stays what it was.

use url::Url;

/// A way of signing a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SigningScheme {
    /// AWS, "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)"; also of Cloudflare R2,
    /// Backblaze B2, DigitalOcean Spaces, MinIO and others that speak S3.
    S3V4,
    /// AWS, "Signing and authenticating REST requests", query string authentication of version 2.
    S3V2,
    /// Google Cloud Storage, "Signed URLs", V4 signing process.
    GoogleV4,
    /// Google Cloud Storage, "V2 signing process".
    GoogleV2,
    /// Microsoft, "Create a service SAS", "Create an account SAS", "Create a user delegation SAS".
    AzureSas,
    /// AWS, "Create a signed URL using a canned policy" (CloudFront).
    CloudFrontCanned,
    /// AWS, "Create a signed URL using a custom policy" (CloudFront).
    CloudFrontCustom,
    /// Cloudflare, "Configure token authentication": `verify=<when it was signed>-<mac>`.
    CloudflareToken,
    /// Alibaba Cloud OSS, "V4 signatures in presigned URLs".
    AlibabaV4,
    /// Alibaba Cloud OSS, "Include a V1 signature in a URL".
    AlibabaV1,
    /// Tencent Cloud COS, "Request Signature".
    TencentCos,
    /// Google Cloud CDN, "Use signed URLs"; Media CDN, "Use signed requests".
    GoogleCdn,
    /// Akamai, "Token Authentication 2.0", and Google Media CDN, "Generate tokens": fields between tildes.
    EdgeToken,
    /// Fastly, "Enabling URL token validation": `token=<end>_<mac>`.
    Fastly,
    /// Bunny, "Token authentication", basic and advanced.
    Bunny,
    /// Backblaze B2, "b2_get_download_authorization".
    Backblaze,
}

/// What was recognised from the beginning.
const FIRST: [SigningScheme; 8] = [
    SigningScheme::S3V4,
    SigningScheme::S3V2,
    SigningScheme::GoogleV4,
    SigningScheme::GoogleV2,
    SigningScheme::AzureSas,
    SigningScheme::CloudFrontCanned,
    SigningScheme::CloudFrontCustom,
    SigningScheme::CloudflareToken,
];

/// What was learned later.
const LATER: [SigningScheme; 8] = [
    SigningScheme::AlibabaV4,
    SigningScheme::AlibabaV1,
    SigningScheme::TencentCos,
    SigningScheme::GoogleCdn,
    SigningScheme::EdgeToken,
    SigningScheme::Fastly,
    SigningScheme::Bunny,
    SigningScheme::Backblaze,
];

impl SigningScheme {
    /// Returns the ways in which a link is signed: none, usually one.
    pub(super) fn all_in(query: &Query) -> Vec<Self> {
        FIRST.into_iter().chain(LATER).filter(|scheme| scheme.is_used_in(query)).collect()
    }

    fn is_used_in(self, query: &Query) -> bool {
        let has = |name| query.has(name);
        let is_cloudfront = has("Key-Pair-Id") && has("Signature");
        match self {
            Self::S3V4 => has("X-Amz-Signature"),
            Self::S3V2 => has("AWSAccessKeyId") && has("Signature"),
            Self::GoogleV4 => has("X-Goog-Signature"),
            Self::GoogleV2 => has("GoogleAccessId") && has("Signature"),
            Self::AzureSas => has("sig") && (has("sv") || has("se")),
            Self::CloudFrontCanned => is_cloudfront && (has("Expires") || !has("Policy")),
            Self::CloudFrontCustom => is_cloudfront && has("Policy"),
            Self::CloudflareToken => query.pairs.iter().any(|(name, value)| {
                name == "verify" && value.split_once('-').is_some_and(|(time, _)| time.len() >= 9 && is_digits(time))
            }),
            Self::AlibabaV4 => has("x-oss-signature") && has("x-oss-signature-version"),
            Self::AlibabaV1 => has("OSSAccessKeyId") && has("Signature") && has("Expires"),
            Self::TencentCos => has("q-signature") && has("q-sign-algorithm") && has("q-ak"),
            Self::GoogleCdn => has("KeyName") && has("Signature") && has("Expires"),
            Self::EdgeToken => EDGE_TOKEN.iter().any(|name| query.values(name).any(is_edge_token)),
            Self::Fastly => query.values("token").any(is_fastly_token),
            Self::Bunny => is_bunny(query),
            // Its own hosts only: behind a name of one's own, nothing tells whose word `Authorization` is.
            Self::Backblaze => query.host.ends_with(".backblazeb2.com") && has("Authorization"),
        }
    }

    /// Returns the parameters that belong to the signature, in lower case. What names a version or another form of an
    /// object (`versionId`, `generation`, `snapshot`, `x-oss-process`) is never among them.
    fn parameters(self) -> &'static [&'static str] {
        match self {
            // By their prefixes, see `is_always_owned`.
            Self::S3V4 | Self::GoogleV4 => &[],
            Self::S3V2 => &["awsaccesskeyid", "signature", "expires"],
            Self::GoogleV2 => &["googleaccessid", "signature", "expires"],
            Self::AzureSas => &AZURE_SAS,
            Self::CloudFrontCanned | Self::CloudFrontCustom => {
                &["policy", "signature", "key-pair-id", "expires", "hash-algorithm"]
            }
            Self::CloudflareToken => &["verify"],
            Self::AlibabaV4 => &[
                "x-oss-signature",
                "x-oss-signature-version",
                "x-oss-credential",
                "x-oss-date",
                "x-oss-expires",
                "x-oss-additional-headers",
                "x-oss-security-token",
            ],
            Self::AlibabaV1 => &["ossaccesskeyid", "signature", "expires", "security-token"],
            Self::TencentCos => &[
                "q-sign-algorithm",
                "q-ak",
                "q-sign-time",
                "q-key-time",
                "q-header-list",
                "q-url-param-list",
                "q-signature",
                "x-cos-security-token",
            ],
            Self::GoogleCdn => &["keyname", "signature", "expires", "urlprefix"],
            Self::EdgeToken => &EDGE_TOKEN,
            Self::Fastly => &["token"],
            Self::Bunny => {
                &["token", "expires", "token_path", "token_countries", "token_countries_blocked", "token_ignore_params"]
            }
            Self::Backblaze => &["authorization"],
        }
    }
}

/// The parameters of an Azure shared access signature (Microsoft, "Create a service SAS", "Create a user
/// delegation SAS"). `snapshot` and `versionid` are not among them: they name what is fetched.
const AZURE_SAS: [&str; 22] = [
    "sv", "ss", "srt", "sp", "se", "st", "spr", "sig", "sr", "sip", "si", "skoid", "sktid", "skt", "ske", "sks", "skv",
    "saoid", "suoid", "scid", "sdd", "ses",
];

/// The names under which Akamai and Media CDN document their tokens. Both let an operator choose others, which are
/// not guessed.
pub(super) const EDGE_TOKEN: [&str; 5] = ["hdnts", "hdnea", "hdntl", "__token__", "edge-cache-token"];

/// Returns whether a value has an end and a signature between its tildes.
fn is_edge_token(value: &str) -> bool {
    let has = |names: [&str; 2]| edge_token_fields(value).any(|(name, _)| names.contains(&name));
    has(["exp", "Expires"]) && has(["hmac", "Signature"])
}

/// Returns the fields of a token that are written between tildes: `exp=1~acl=/*~hmac=ab`.
pub(super) fn edge_token_fields(value: &str) -> impl Iterator<Item = (&str, &str)> {
    value.split('~').filter_map(|field| field.split_once('='))
}

/// Returns whether a value is a time and an HMAC by SHA-1, as Fastly's page has it, or by SHA-256.
fn is_fastly_token(value: &str) -> bool {
    value.split_once('_').is_some_and(|(time, mac)| {
        (10..=11).contains(&time.len())
            && is_digits(time)
            && [40, 64].contains(&mac.len())
            && mac.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    })
}

/// Returns whether a link is signed for Bunny. `token` and `expires` are anybody's words, and elsewhere a token may be
/// all that says which file is meant: so a host of Bunny's is asked for, or the mark of its newer tokens, or a
/// `token_path` that covers the link.
fn is_bunny(query: &Query) -> bool {
    let is_ours = query.host.ends_with(".b-cdn.net")
        || query.values("token").any(|token| token.starts_with("HS256-"))
        || query.values("token_path").any(|path| path.starts_with('/') && query.path.starts_with(path));
    is_ours && query.values("token").any(is_bunny_token) && query.values("expires").any(is_digits)
}

/// MD5 or SHA-256 in the URL alphabet of base64, without its padding.
fn is_bunny_token(value: &str) -> bool {
    let digest = value.strip_prefix("HS256-").unwrap_or(value);
    [22, 43].contains(&digest.len())
        && digest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

pub(super) fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The query of a link, decoded, with what tells whose it is.
pub(super) struct Query {
    /// The host, in lower case as the parser leaves it.
    host: String,
    path: String,
    /// Names and values in their order.
    pub(super) pairs: Vec<(String, String)>,
}

impl Query {
    /// Decodes the query of a link.
    pub(super) fn of(url: &Url) -> Self {
        Self {
            host: url.host_str().unwrap_or_default().to_owned(),
            path: url.path().to_owned(),
            pairs: url.query_pairs().into_owned().collect(),
        }
    }

    /// Returns whether a parameter is there, in any case.
    pub(super) fn has(&self, name: &str) -> bool {
        self.values(name).next().is_some()
    }

    /// Returns each value of a parameter, in any case.
    pub(super) fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.pairs.iter().filter(move |(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Returns each value of a parameter in exactly this case, or in any case where there is none: a generic word such
    /// as `Expires` may stand beside somebody's own `expires`.
    pub(super) fn words<'a>(&'a self, name: &'a str) -> Vec<&'a str> {
        let exact: Vec<&str> =
            self.pairs.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_str()).collect();
        if exact.is_empty() { self.values(name).collect() } else { exact }
    }
}

/// Which parameters of one query belong to a signature rather than to the identity.
pub(super) struct Signature(Vec<SigningScheme>);

impl Signature {
    /// Finds the ways of signing in a query: later ones only where there is nothing of the first.
    pub(super) fn of(query: &Query) -> Self {
        let first: Vec<SigningScheme> = FIRST.into_iter().filter(|scheme| scheme.is_used_in(query)).collect();
        let has_first = !first.is_empty() || query.pairs.iter().any(|(name, _)| is_always_owned(name));
        if has_first {
            return Self(first);
        }
        Self(LATER.into_iter().filter(|scheme| scheme.is_used_in(query)).collect())
    }

    /// Returns whether the parameter belongs to a signature.
    pub(super) fn owns(&self, name: &str) -> bool {
        let lower = name.to_ascii_lowercase();
        is_always_owned(&lower) || self.0.iter().any(|scheme| scheme.parameters().contains(&lower.as_str()))
    }
}

/// Returns whether a parameter belongs to a signature wherever it stands: `x-id` is added by the AWS SDK for JavaScript
/// to every signed GET.
fn is_always_owned(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.starts_with("x-amz-") || name.starts_with("x-goog-") || name == "x-id"
}
