//! How long a link holds, as far as the link itself says so. Pure: nobody asks for the time here.
//!
//! # Guarantees
//! Where a link says a thing twice, the safe side counts: the latest beginning, the earliest end. What cannot be read is
//! named by its parameter, never by its value, and nothing panics.

mod read;

use jiff::{SignedDuration, Timestamp};

use super::Link;
use super::scheme::{EDGE_TOKEN, Query, SigningScheme, edge_token_fields};

/// What a link says of the time in which it can be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Validity {
    /// The known ways in which it is signed: none, usually one.
    pub schemes: Vec<SigningScheme>,
    /// From when on it holds; none where it says nothing of that.
    pub begins: Option<Timestamp>,
    /// When it ends.
    pub ends: LinkEnd,
    /// Parameters that say when it begins or ends, and are missing or cannot be read.
    pub unreadable: Vec<&'static str>,
    /// Whether it was signed with temporary credentials: it ends with them, whatever it says itself.
    pub has_temporary_credentials: bool,
    /// The lifetime it was signed for, where its provider refuses one as long.
    pub too_long: Option<TooLong>,
}

/// When a link ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkEnd {
    /// At this moment.
    At(Timestamp),
    /// It does not say: it is not signed in a way we know, or its end is kept with its provider.
    NotInLink,
    /// It says so in a way that cannot be read.
    Unreadable,
}

/// A lifetime that a provider refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLong {
    /// How long the link was signed for.
    pub signed: SignedDuration,
    /// The longest that is allowed.
    pub allowed: SignedDuration,
}

/// Seven days: the longest for S3 (AWS, "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)",
/// `X-Amz-Expires`), for Google Cloud Storage ("Signed URLs", V4) and for OSS (Alibaba Cloud, "V4 signatures in presigned
/// URLs", `x-oss-expires`).
const LONGEST: SignedDuration = SignedDuration::from_secs(604_800);

impl Link {
    /// Returns what the link says of the time in which it can be fetched.
    pub fn validity(&self) -> Validity {
        let query = Query::of(&self.0);
        let schemes = SigningScheme::all_in(&query);
        let mut reading = Reading { query: &query, found: Found::default() };
        for scheme in &schemes {
            reading.scheme(*scheme);
        }
        let Found { begins, ends, mut unreadable, is_end_unreadable, has_temporary_credentials, too_long } =
            reading.found;
        unreadable.sort_unstable();
        unreadable.dedup();
        let ends = match ends {
            Some(end) => LinkEnd::At(end),
            None if is_end_unreadable => LinkEnd::Unreadable,
            None => LinkEnd::NotInLink,
        };
        Validity { schemes, begins, ends, unreadable, has_temporary_credentials, too_long }
    }
}

/// What was found so far.
#[derive(Default)]
struct Found {
    begins: Option<Timestamp>,
    ends: Option<Timestamp>,
    unreadable: Vec<&'static str>,
    is_end_unreadable: bool,
    has_temporary_credentials: bool,
    too_long: Option<TooLong>,
}

struct Reading<'a> {
    query: &'a Query,
    found: Found,
}

/// The parameters of a way of signing that says when it was signed and for how long.
struct SignedFor {
    date: &'static str,
    lifetime: &'static str,
}

impl Reading<'_> {
    fn scheme(&mut self, scheme: SigningScheme) {
        match scheme {
            SigningScheme::S3V4 => {
                self.signed_for(&SignedFor { date: "X-Amz-Date", lifetime: "X-Amz-Expires" });
                self.temporary_key("X-Amz-Credential");
                self.session("X-Amz-Security-Token");
            }
            SigningScheme::S3V2 => {
                self.epoch_end("Expires");
                self.temporary_key("AWSAccessKeyId");
                self.session("x-amz-security-token");
            }
            SigningScheme::GoogleV4 => self.signed_for(&SignedFor { date: "X-Goog-Date", lifetime: "X-Goog-Expires" }),
            SigningScheme::AzureSas => self.azure(),
            SigningScheme::CloudFrontCustom => self.cloudfront_policy(),
            // It says when it was signed; for how long that counts is a rule in the zone (Cloudflare, "Configure token
            // authentication"), as is the duration of a download authorization (Backblaze).
            SigningScheme::CloudflareToken | SigningScheme::Backblaze => {}
            SigningScheme::AlibabaV4 => {
                self.signed_for(&SignedFor { date: "x-oss-date", lifetime: "x-oss-expires" });
                self.session("x-oss-security-token");
            }
            SigningScheme::AlibabaV1 => {
                self.epoch_end("Expires");
                self.session("security-token");
            }
            SigningScheme::TencentCos => {
                self.tencent("q-sign-time");
                self.tencent("q-key-time");
                self.session("x-cos-security-token");
            }
            SigningScheme::GoogleV2 | SigningScheme::CloudFrontCanned | SigningScheme::GoogleCdn => {
                self.epoch_end("Expires");
            }
            SigningScheme::EdgeToken => self.edge_tokens(),
            SigningScheme::Fastly => self.fastly(),
            SigningScheme::Bunny => self.epoch_end("expires"),
        }
    }

    fn begin(&mut self, moment: Timestamp) {
        self.found.begins = self.found.begins.max(Some(moment));
    }

    fn end(&mut self, moment: Timestamp) {
        self.found.ends = Some(self.found.ends.map_or(moment, |end| end.min(moment)));
    }

    fn unreadable_begin(&mut self, parameter: &'static str) {
        self.found.unreadable.push(parameter);
    }

    fn unreadable_end(&mut self, parameter: &'static str) {
        self.found.unreadable.push(parameter);
        self.found.is_end_unreadable = true;
    }

    /// A moment in seconds since 1970.
    fn epoch_end(&mut self, parameter: &'static str) {
        let values = self.query.words(parameter);
        if values.is_empty() {
            self.unreadable_end(parameter);
        }
        for value in values {
            match read::epoch(value) {
                Some(end) => self.end(end),
                None => self.unreadable_end(parameter),
            }
        }
    }

    /// When it was signed, and for how many seconds. Whoever checks refuses a link in which one of both is missing.
    fn signed_for(&mut self, SignedFor { date, lifetime }: &SignedFor) {
        let dates: Vec<Option<Timestamp>> = self.query.values(date).map(read::compact).collect();
        let lifetimes: Vec<Option<SignedDuration>> = self.query.values(lifetime).map(read::seconds).collect();
        if dates.is_empty() || dates.contains(&None) {
            self.unreadable_end(date);
        }
        if lifetimes.is_empty() || lifetimes.contains(&None) {
            self.unreadable_end(lifetime);
        }
        for date in dates.iter().flatten() {
            self.begin(*date);
        }
        let longest = lifetimes.iter().flatten().max().copied();
        if let Some(signed) = longest.filter(|longest| *longest > LONGEST) {
            self.found.too_long = Some(TooLong { signed, allowed: LONGEST });
        }
        if let (Some(date), Some(shortest)) = (dates.iter().flatten().min(), lifetimes.iter().flatten().min()) {
            match date.checked_add(*shortest) {
                Ok(end) => self.end(end),
                Err(_) => self.unreadable_end(lifetime),
            }
        }
    }

    /// `ASIA` is how the id of a temporary access key begins (AWS, "IAM identifiers", unique ID prefixes).
    fn temporary_key(&mut self, parameter: &str) {
        self.found.has_temporary_credentials |= self.query.values(parameter).any(|key| key.starts_with("ASIA"));
    }

    /// A session token comes with temporary credentials only (AWS, "Request temporary security credentials").
    fn session(&mut self, parameter: &str) {
        self.found.has_temporary_credentials |= self.query.values(parameter).any(|token| !token.is_empty());
    }

    /// `st` and `se` of the link, `skt` and `ske` of the key behind a user delegation SAS: it holds while both do
    /// (Microsoft, "Create a user delegation SAS"). With a stored access policy, `si`, they may stand there instead
    /// ("Define a stored access policy").
    fn azure(&mut self) {
        for parameter in ["st", "skt"] {
            for value in self.query.values(parameter) {
                match read::azure(value) {
                    Some(begin) => self.begin(begin),
                    None => self.unreadable_begin(parameter),
                }
            }
        }
        for parameter in ["se", "ske"] {
            for value in self.query.values(parameter) {
                match read::azure(value) {
                    Some(end) => self.end(end),
                    None => self.unreadable_end(parameter),
                }
            }
        }
        if !self.query.has("se") && !self.query.has("si") {
            self.unreadable_end("se");
        }
    }

    fn cloudfront_policy(&mut self) {
        const POLICY: &str = "Policy";
        for value in self.query.words(POLICY) {
            let Some(read::Policy { begins, ends }) = read::policy(value) else {
                self.unreadable_end(POLICY);
                continue;
            };
            begins.into_iter().for_each(|begin| self.begin(begin));
            self.end(ends);
        }
    }

    /// Two moments with a semicolon between (Tencent Cloud, "Request Signature", `KeyTime`).
    fn tencent(&mut self, parameter: &'static str) {
        if !self.query.has(parameter) {
            self.unreadable_end(parameter);
        }
        for value in self.query.values(parameter) {
            let moments = value.split_once(';').map(|(begin, end)| (read::epoch(begin), read::epoch(end)));
            match moments {
                Some((Some(begin), Some(end))) => {
                    self.begin(begin);
                    self.end(end);
                }
                _ => self.unreadable_end(parameter),
            }
        }
    }

    /// `exp` and `st` (Akamai, "Token Authentication 2.0"), `Expires` and `Starts` (Media CDN, "Generate tokens").
    fn edge_tokens(&mut self) {
        for parameter in EDGE_TOKEN {
            for (name, value) in self.query.values(parameter).flat_map(edge_token_fields) {
                match (name, read::epoch(value)) {
                    ("exp" | "Expires", Some(end)) => self.end(end),
                    ("exp" | "Expires", None) => self.unreadable_end(parameter),
                    ("st" | "Starts", Some(begin)) => self.begin(begin),
                    ("st" | "Starts", None) => self.unreadable_begin(parameter),
                    _ => {}
                }
            }
        }
    }

    fn fastly(&mut self) {
        const TOKEN: &str = "token";
        for value in self.query.values(TOKEN) {
            match value.split_once('_').and_then(|(end, _)| read::epoch(end)) {
                Some(end) => self.end(end),
                None => self.unreadable_end(TOKEN),
            }
        }
    }
}

#[cfg(test)]
mod tests;
