//! Whether a link lives long enough for a training, by what it says itself.
//!
//! | the link | finding |
//! |---|---|
//! | begins after it is sent | error |
//! | has ended, or ends within 24 hours | error |
//! | ends within 48 hours | advice |
//! | ends in a way that cannot be read, or elsewhere | advice |
//! | is signed for longer than its provider takes | error |
//! | is signed with temporary credentials | error of its own check |
//! | is not signed in a way we know | none |

use jiff::{SignedDuration, Timestamp};

use super::{Certainty, Check, Finding};
use crate::face::{Link, LinkEnd, SigningScheme, TooLong, Validity};

/// How long a link must hold after it was sent (links of training material, docs.tavus.io, October 2026).
const DEMANDED: SignedDuration = SignedDuration::from_hours(24);

/// How long it had better hold: whether the file is fetched again for tuning is not known.
const ADVISED: SignedDuration = SignedDuration::from_hours(48);

/// How far the clock of whoever signed may be ahead of ours. A link that begins within is fetched after it began, as
/// nothing is fetched before our request has arrived.
const CLOCKS_APART: SignedDuration = SignedDuration::from_mins(1);

const LIVES_A_DAY: &str = "a link stays valid for at least 24 hours after it was sent";
const SIGN_ANEW: &str = "sign it anew, for 48 hours or more";

/// Judges whether a link that is sent at a moment lives long enough. Findings hold times and names of parameters,
/// never a value of the link.
pub fn judge_expiry(link: &Link, sent_at: Timestamp) -> Vec<Finding> {
    let Validity { schemes, begins, ends, unreadable, has_temporary_credentials, too_long } = link.validity();
    if schemes.is_empty() {
        return Vec::new();
    }
    let mut findings = Vec::new();
    findings.extend(begins.and_then(|begins| judge_begin(begins, sent_at)));
    match ends {
        LinkEnd::At(ends) => findings.extend(judge_end(ends, sent_at)),
        LinkEnd::NotInLink => findings.push(end_elsewhere()),
        // Told by the names of what cannot be read.
        LinkEnd::Unreadable => {}
    }
    findings.extend(unreadable.into_iter().map(cannot_be_read));
    findings.extend(too_long.map(refused_lifetime));
    if has_temporary_credentials {
        let is_s3 = schemes.iter().any(|scheme| matches!(scheme, SigningScheme::S3V4 | SigningScheme::S3V2));
        findings.push(temporary_credentials(is_s3));
    }
    findings
}

fn judge_begin(begins: Timestamp, sent_at: Timestamp) -> Option<Finding> {
    let wait = begins.duration_since(sent_at);
    (wait > CLOCKS_APART).then(|| {
        Finding::error(
            Check::Expiry,
            format!("it holds only in {}, from {} on", span(wait), moment(begins)),
            "a link can be fetched from the moment it is sent",
            Certainty::Evident,
        )
        .help("sign it with a beginning that has passed, or look whether the clock of the machine that signs is right")
    })
}

fn judge_end(ends: Timestamp, sent_at: Timestamp) -> Option<Finding> {
    let left = ends.duration_since(sent_at);
    if left >= ADVISED {
        return None;
    }
    if left >= DEMANDED {
        let message = format!("it ends in {}, at {}", span(left), moment(ends));
        let rule = "a link had better stay valid for 48 hours: it may be fetched again for tuning";
        return Some(Finding::advice(Check::Expiry, message, rule, Certainty::Assumed).help(SIGN_ANEW));
    }
    let message = if left > SignedDuration::ZERO {
        format!("it ends in {}, at {}", span(left), moment(ends))
    } else {
        format!("it ended {} ago, at {}", span(left.abs()), moment(ends))
    };
    Some(Finding::error(Check::Expiry, message, LIVES_A_DAY, Certainty::Documented).help(SIGN_ANEW))
}

/// A stored access policy of Azure, a token of Cloudflare, a download authorization of Backblaze.
fn end_elsewhere() -> Finding {
    Finding::advice(
        Check::Expiry,
        "it does not say when it ends: that is kept with its provider",
        LIVES_A_DAY,
        Certainty::Documented,
    )
    .help("look there whether it holds for 48 hours or more")
}

fn cannot_be_read(parameter: &'static str) -> Finding {
    Finding::advice(
        Check::Expiry,
        format!("how long it holds is not certain: its `{parameter}` is missing or cannot be read"),
        LIVES_A_DAY,
        Certainty::Documented,
    )
    .help("look whether the link was copied whole; a provider may well refuse it as it is")
}

fn refused_lifetime(TooLong { signed, allowed }: TooLong) -> Finding {
    Finding::error(
        Check::Expiry,
        format!("it is signed for {}, and its provider refuses more than {}", span(signed), span(allowed)),
        "a link is signed for no longer than its provider allows",
        Certainty::Evident,
    )
    .help(format!("sign it anew, for at least 48 hours and at most {}", span(allowed)))
}

/// Sessions of roles last 12 hours at most, those of `GetSessionToken` 36 (AWS, "Request temporary security
/// credentials"), and a link ends with the credentials it was signed with (AWS, "Download and upload objects with
/// presigned URLs").
fn temporary_credentials(is_s3: bool) -> Finding {
    let by_name = if is_s3 { "or name the object as s3://bucket/key, with such a key at hand; " } else { "" };
    Finding::error(
        Check::Credentials,
        "it is signed with temporary credentials, and ends when they do, whatever it says itself",
        "a link does not end with a session: the sessions of roles end within 12 hours",
        Certainty::Evident,
    )
    .help(format!(
        "sign it with a long-lived key; {by_name}or, where the session is known to live longer, say \
         --skip-preflight=credentials"
    ))
}

/// Returns a length of time in two units at most: `3 h 20 min`, `5 min`, `12 s`, `3 days 4 h`.
fn span(length: SignedDuration) -> String {
    let seconds = length.as_secs().max(0);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600, seconds / 60);
    let two = |large: String, small: i64, unit: &str| match small {
        0 => large,
        small => format!("{large} {small} {unit}"),
    };
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} min"),
        // In hours for two days, as the rules are.
        (0 | 1, hours, minutes) => two(format!("{hours} h"), minutes % 60, "min"),
        (days, hours, _) => two(format!("{days} days"), hours % 24, "h"),
    }
}

/// Returns a moment to the second.
fn moment(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::Severity;

    const SENT: &str = "2026-11-28T05:40:00Z";

    fn judged(link: &str) -> Vec<Finding> {
        judge_expiry(&Link::parse(link).unwrap(), SENT.parse().unwrap())
    }

    /// A link that ends at a moment, and says nothing else.
    fn ending(end: &str) -> String {
        format!("https://acc.blob.core.windows.net/c/a.mp4?sv=1&sig=HUSH&se={end}")
    }

    /// A link of S3, signed at a moment, for some seconds.
    fn signed(date: &str, seconds: u64) -> String {
        format!("https://b.s3.amazonaws.com/a.mp4?X-Amz-Signature=HUSH&X-Amz-Date={date}&X-Amz-Expires={seconds}")
    }

    #[test]
    fn an_end_is_measured_from_the_moment_of_sending() {
        for (end, severity, message) in [
            ("2026-11-28T09:00:00Z", Some(Severity::Error), "it ends in 3 h 20 min, at 2026-11-28T09:00:00Z"),
            ("2026-11-28T05:40:00Z", Some(Severity::Error), "it ended 0 s ago, at 2026-11-28T05:40:00Z"),
            ("2026-11-28T05:39:48.5Z", Some(Severity::Error), "it ended 11 s ago, at 2026-11-28T05:39:48Z"),
            ("2026-11-25T01:40:00Z", Some(Severity::Error), "it ended 3 days 4 h ago, at 2026-11-25T01:40:00Z"),
            ("2026-11-28T05:45:59Z", Some(Severity::Error), "it ends in 5 min, at 2026-11-28T05:45:59Z"),
            ("2026-11-29T05:39:59Z", Some(Severity::Error), "it ends in 23 h 59 min, at 2026-11-29T05:39:59Z"),
            ("2026-11-29T05:40:00Z", Some(Severity::Advice), "it ends in 24 h, at 2026-11-29T05:40:00Z"),
            ("2026-11-30T05:39:59Z", Some(Severity::Advice), "it ends in 47 h 59 min, at 2026-11-30T05:39:59Z"),
            ("2026-11-30T05:40:00Z", None, ""),
            ("9999-12-30", None, ""),
        ] {
            let findings = judged(&ending(end));
            let told: Vec<_> = findings.iter().map(|f| (f.check, f.severity, f.message.as_str())).collect();
            let expected: Vec<_> = severity.map(|severity| (Check::Expiry, severity, message)).into_iter().collect();
            assert_eq!(told, expected, "{end}");
        }
    }

    #[test]
    fn a_link_that_holds_only_later_is_an_error() {
        let findings = judged(&signed("20261128T100000Z", 604_800));
        assert_eq!(findings[0].message, "it holds only in 4 h 20 min, from 2026-11-28T10:00:00Z on");
        assert!(findings.len() == 1 && findings[0].is_error());
        // The clock of whoever signed is some seconds ahead.
        assert_eq!(judged(&signed("20261128T054100Z", 604_800)), []);
    }

    #[test]
    fn temporary_credentials_are_an_error_of_their_own_check() {
        for part in ["X-Amz-Security-Token=HUSH", "X-Amz-Credential=ASIAHUSH"] {
            let findings = judged(&format!("{}&{part}", signed("20261128T054000Z", 604_800)));
            assert_eq!(findings.len(), 1, "{findings:?}");
            assert!(findings[0].is_error() && findings[0].check == Check::Credentials);
            assert!(findings[0].help.as_deref().unwrap_or_default().contains("--skip-preflight=credentials"));
        }
    }

    #[test]
    fn a_lifetime_that_is_refused_is_an_error() {
        let findings = judged(&signed("20261128T054000Z", 30 * 86_400));
        assert_eq!(findings[0].message, "it is signed for 30 days, and its provider refuses more than 7 days");
        assert!(findings.len() == 1 && findings[0].is_error());
    }

    #[test]
    fn what_is_not_known_is_advice_and_unsigned_links_are_no_matter() {
        for (link, message) in [
            (ending("soon"), "how long it holds is not certain: its `se` is missing or cannot be read"),
            (
                "https://acc.blob.core.windows.net/c/a.mp4?sv=1&sig=HUSH&si=policy".to_owned(),
                "it does not say when it ends: that is kept with its provider",
            ),
            (
                "https://cdn.example.com/a.mp4?verify=1764000000-HUSH".to_owned(),
                "it does not say when it ends: that is kept with its provider",
            ),
        ] {
            let findings = judged(&link);
            assert_eq!(findings.iter().map(|f| f.message.as_str()).collect::<Vec<_>>(), [message], "{link}");
            assert!(!findings[0].is_error());
        }
        assert_eq!(judged("https://m.example.com/a.mp4?Expires=1"), []);
    }

    #[test]
    fn everything_that_is_wrong_is_told_and_nothing_of_the_signature() {
        let link = "https://b.s3.amazonaws.com/a.mp4?X-Amz-Signature=HUSH&X-Amz-Date=20261201T000000Z\
             &X-Amz-Date=20261101T000000Z&X-Amz-Expires=900000&X-Amz-Expires=HUSH&X-Amz-Credential=ASIAHUSH";
        let findings = judged(link);
        assert_eq!(findings.len(), 5, "{findings:?}");
        let told = serde_json::to_string(&findings).unwrap();
        assert!(!told.contains("HUSH") && !told.contains("ASIA"), "{told}");
    }
}
