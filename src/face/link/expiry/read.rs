//! Moments and lifetimes as providers write them: text in, none where it is not of that form.

use data_encoding::BASE64_NOPAD;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::super::scheme::is_digits;

/// Reads seconds since 1970.
pub(super) fn epoch(text: &str) -> Option<Timestamp> {
    Some(text).filter(|text| is_digits(text)).and_then(|text| Timestamp::from_second(text.parse().ok()?).ok())
}

/// Reads a number of seconds.
pub(super) fn seconds(text: &str) -> Option<SignedDuration> {
    Some(text).filter(|text| is_digits(text)).and_then(|text| Some(SignedDuration::from_secs(text.parse().ok()?)))
}

/// Reads the basic form of ISO 8601, `20261128T090000Z` (AWS, "Elements of an AWS API request signature").
pub(super) fn compact(text: &str) -> Option<Timestamp> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    // The parser also takes signs, blanks and fewer digits.
    if date.len() != 8 || time.len() != 6 || !is_digits(date) || !is_digits(time) {
        return None;
    }
    universal(DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok()?)
}

/// Reads a moment of a shared access signature: a date alone, or with minutes, seconds, a fraction, and with `Z`, an
/// offset or neither (Microsoft, "Formatting DateTime values"). All of it is universal time where no offset is said.
pub(super) fn azure(text: &str) -> Option<Timestamp> {
    // A plus that was not encoded is read as a blank in a query.
    let text = text.replace(' ', "+");
    let Some((date, time)) = text.split_once(['T', 't']) else {
        return universal(text.parse::<Date>().ok()?.to_datetime(jiff::civil::Time::midnight()));
    };
    // The parsers take more than the service does, such as a week date or a zone in brackets.
    let is_plain = time.bytes().all(|byte| byte.is_ascii_digit() || b":.+-Zz".contains(&byte));
    if date.len() != 10 || !is_plain {
        return None;
    }
    match time.contains(['Z', 'z', '+', '-']) {
        true => text.parse().ok(),
        false => universal(text.parse().ok()?),
    }
}

fn universal(moment: DateTime) -> Option<Timestamp> {
    Some(moment.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// When a policy of CloudFront begins and ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Policy {
    pub(super) begins: Option<Timestamp>,
    pub(super) ends: Timestamp,
}

#[derive(Deserialize)]
struct PolicyText {
    #[serde(rename = "Statement")]
    statements: Vec<Statement>,
}

#[derive(Deserialize)]
struct Statement {
    #[serde(rename = "Condition")]
    condition: Condition,
}

#[derive(Deserialize)]
struct Condition {
    #[serde(rename = "DateLessThan")]
    ends: Moment,
    #[serde(rename = "DateGreaterThan")]
    begins: Option<Moment>,
}

#[derive(Deserialize)]
struct Moment {
    #[serde(rename = "AWS:EpochTime")]
    seconds: i64,
}

/// Reads a custom policy: base64 in which `+`, `=` and `/` are written as `-`, `_` and `~`, and in it JSON with one
/// statement, whose `DateLessThan` is a must (AWS, "Create a signed URL using a custom policy").
pub(super) fn policy(text: &str) -> Option<Policy> {
    let base64: String = text
        .chars()
        .map(|c| match c {
            // A plus that was not encoded is read as a blank in a query.
            '-' | ' ' => '+',
            '_' => '=',
            '~' => '/',
            c => c,
        })
        .collect();
    let json = BASE64_NOPAD.decode(base64.trim_end_matches('=').as_bytes()).ok()?;
    let PolicyText { statements } = serde_json::from_slice(&json).ok()?;
    let moment = |moment: &Moment| Timestamp::from_second(moment.seconds).ok();
    let mut policy: Option<Policy> = None;
    for Statement { condition } in &statements {
        let begins = match &condition.begins {
            Some(begins) => Some(moment(begins)?),
            None => None,
        };
        let ends = moment(&condition.ends)?;
        policy = Some(match policy {
            Some(former) => Policy { begins: former.begins.max(begins), ends: former.ends.min(ends) },
            None => Policy { begins, ends },
        });
    }
    policy
}
