//! How much there is of it.

use super::answer::Got;
use crate::media::{Certainty, Check, Finding};

const KILO: u64 = 1000;
const KIBI: u64 = 1024;

/// Judges how long it is. `limit` is in megabytes; none is for material whose size nobody limits.
pub(super) fn findings(got: &Got, limit: Option<u64>) -> Vec<Finding> {
    if got.total == Some(0) || (got.body.is_empty() && got.encoding.is_none()) {
        let finding = Finding::error(Check::Size, "it is empty", "a file has more than 0 bytes", Certainty::Evident);
        return vec![finding.help("upload it again; an upload that was broken off often leaves an empty file")];
    }
    let Some(limit) = limit else { return Vec::new() };
    let rule = format!("a video has at most {limit} MB");
    let shorten = "encode it with fewer bits a second: 1080p needs no more than 8 Mbit/s, which is 60 MB a minute";
    match got.total {
        None => {
            let finding =
                Finding::advice(Check::Size, "its server does not say how long it is", rule, Certainty::Documented);
            vec![finding.help("look at its size where it lies")]
        }
        // Nobody says whether a megabyte has 1,000,000 or 1,048,576 bytes: what is too long either way is an error.
        Some(bytes) if bytes > limit.saturating_mul(KIBI * KIBI) => {
            vec![Finding::error(Check::Size, size(bytes), rule, Certainty::Documented).help(shorten)]
        }
        Some(bytes) if bytes > limit.saturating_mul(KILO * KILO) => {
            let rule = format!("{rule}, of 1,000,000 bytes each");
            vec![Finding::advice(Check::Size, size(bytes), rule, Certainty::Assumed).help(shorten)]
        }
        Some(_) => Vec::new(),
    }
}

fn size(bytes: u64) -> String {
    format!("it has {} MB", bytes.div_ceil(KILO * KILO))
}
