//! Whether a link brings the same a second time: Tavus fetches after us, and maybe more than once.

use super::answer::Got;
use super::page;
use super::trouble::Trouble;
use crate::face::Link;
use crate::media::{Certainty, Check, Finding};

const RULE: &str = "the link brings the same file each time";

/// What the second look says.
pub(super) struct Compared {
    pub(super) finding: Option<Finding>,
    /// Whether its entity tag stayed, so that it tells one version from another.
    pub(super) is_tag_kept: bool,
}

/// Compares two looks at the same bytes. What differs in length or bytes is an error, as something else would be
/// trained than was judged; a tag or a date alone may come from two servers that hold the same file.
pub(super) fn compare(link: &Link, first: &Got, second: Result<&Got, &Trouble>) -> Compared {
    let is_tag_kept = second.is_ok_and(|second| second.etag == first.etag);
    let finding = match second {
        Err(trouble) if trouble.is_refusal() => Some(only_once(&trouble.to_string())),
        // A redirect that leads somewhere private now is what it is, the second time as well.
        Err(Trouble::Private(_) | Trouble::NotPublic(_) | Trouble::NotHttps(..) | Trouble::Credentials(_)) => {
            second.err().map(|trouble| trouble.finding(link))
        }
        Err(trouble) => {
            let message = format!("it worked, and a moment later it did not: {trouble}");
            let finding = Finding::advice(Check::Stable, message, RULE, Certainty::Assumed);
            Some(finding.help("try again; if it stays so, upload the file somewhere else"))
        }
        Ok(second) if page::finding(link, second).is_some() => Some(only_once("it brings a page")),
        Ok(second) => differing(first, second),
    };
    Compared { finding, is_tag_kept }
}

fn only_once(what: &str) -> Finding {
    let message = format!("it worked once, and the second time {what}");
    let rule = "the link works more than once: Tavus fetches after it was looked at here";
    Finding::error(Check::Stable, message, rule, Certainty::Evident)
        .help("make a link that works until it ends, such as a signed one; this one may be used up now")
}

fn differing(first: &Got, second: &Got) -> Option<Finding> {
    let error = |message: String| {
        Finding::error(Check::Stable, message, RULE, Certainty::Evident)
            .help("wait until its upload has ended, and give a link to one version of it")
    };
    let advice = |message: &str| {
        Finding::advice(Check::Stable, message, RULE, Certainty::Assumed)
            .help("make sure that nobody is changing it; give a link to one version where the storage knows versions")
    };
    if let (Some(before), Some(after)) = (first.total, second.total)
        && before != after
    {
        return Some(error(format!("it had {before} bytes, and a moment later {after}")));
    }
    if !first.body.starts_with(&second.body) {
        return Some(error("it began with other bytes a moment later".to_owned()));
    }
    match (&first.etag, &second.etag) {
        (Some(before), Some(after)) if before != after => Some(advice("its ETag changed within a moment")),
        (None, None) if first.last_modified != second.last_modified => {
            Some(advice("its Last-Modified changed within a moment"))
        }
        _ => None,
    }
}
