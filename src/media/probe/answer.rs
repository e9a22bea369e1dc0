//! What an answer says about the file, read strictly: a part counts only if it is the one that was asked for.

use reqwest::header::{CONTENT_ENCODING, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, LAST_MODIFIED};

use super::trouble::{Place, Trouble};
use crate::http::{WORD_LIMIT, clean};

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    /// Bytes from an offset on, as a range.
    Part { offset: u64, length: u64 },
    /// The whole, of which only the beginning is read.
    Beginning { length: u64 },
}

impl Ask {
    /// Returns the header of a part.
    pub(super) fn range(self) -> Option<String> {
        match self {
            Self::Part { offset, length } => Some(format!("bytes={offset}-{}", last(offset, length))),
            Self::Beginning { .. } => None,
        }
    }

    /// Returns how many bytes are read at most.
    pub(super) fn length(self) -> u64 {
        match self {
            Self::Part { length, .. } | Self::Beginning { length } => length,
        }
    }
}

/// Returns the place of the last byte: ranges name it, and not the one behind it.
fn last(offset: u64, length: u64) -> u64 {
    offset.saturating_add(length.saturating_sub(1))
}

/// An answer whose status says that there is something: 200, 206 or 416.
pub(super) struct Raw {
    pub(super) place: Place,
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    /// What the message itself is said to hold.
    pub(super) content_length: Option<u64>,
    pub(super) body: Vec<u8>,
    /// Whether the body goes on behind what was read.
    pub(super) has_more: bool,
}

/// What the answer is about.
pub(super) struct Got {
    pub(super) place: Place,
    pub(super) body: Vec<u8>,
    /// How many bytes the whole has, where that is said.
    pub(super) total: Option<u64>,
    /// Whether it is a part, so that others can be asked for.
    pub(super) is_part: bool,
    pub(super) content_type: Option<String>,
    pub(super) encoding: Option<String>,
    pub(super) etag: Option<String>,
    pub(super) last_modified: Option<String>,
}

impl Got {
    /// Returns what the file is called, in lower case and without parameters.
    pub(super) fn media_type(&self) -> Option<String> {
        let text = self.content_type.as_deref()?;
        let word = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        (!word.is_empty()).then_some(word)
    }
}

impl Raw {
    /// Reads what the answer says.
    ///
    /// # Errors
    /// When it is no answer to what was asked: asking for the whole may help.
    pub(super) fn read(self, ask: Ask) -> Result<Got, Trouble> {
        let encoding = self.text(&CONTENT_ENCODING).filter(|word| !word.eq_ignore_ascii_case("identity"));
        let content_type = self.text(&CONTENT_TYPE);
        let (etag, last_modified) = (self.text(&ETAG), self.text(&LAST_MODIFIED));
        let wrong = |why| Trouble::NotThatPart(self.place.clone(), why);
        let (total, is_part) = match (self.status, ask) {
            (206, Ask::Part { offset, length }) => {
                (self.range().and_then(|range| range.check(offset, length, &self)).map_err(wrong)?, true)
            }
            (206, Ask::Beginning { .. }) => {
                return Err(wrong("it sends one though the whole was asked for (HTTP 206)"));
            }
            (416, Ask::Part { offset, .. }) => match self.end() {
                // It ends before: at once, or where a part without a total came up to.
                Some(end) if end <= offset => (Some(end), true),
                _ => return Err(wrong("it says that there is none (HTTP 416)")),
            },
            (416, Ask::Beginning { .. }) => return Err(wrong("it says so though the whole was asked for (HTTP 416)")),
            // Packed, the length is that of the package.
            _ if encoding.is_some() => (None, false),
            _ if !self.has_more => (Some(self.body.len() as u64), false),
            _ => (self.content_length, false),
        };
        let body = if self.status == 416 { Vec::new() } else { self.body };
        Ok(Got { place: self.place, body, total, is_part, content_type, encoding, etag, last_modified })
    }

    fn text(&self, name: &HeaderName) -> Option<String> {
        let text = clean(self.headers.get(name)?.to_str().ok()?, 2 * WORD_LIMIT);
        (!text.is_empty()).then_some(text)
    }

    /// Returns where the file ends, as the refusal of a part says it: `bytes */TOTAL` (RFC 9110, section 14.4).
    fn end(&self) -> Option<u64> {
        self.headers.get(CONTENT_RANGE)?.to_str().ok()?.strip_prefix("bytes */")?.parse().ok()
    }

    fn range(&self) -> Result<ContentRange, &'static str> {
        let text = self.headers.get(CONTENT_RANGE).and_then(|range| range.to_str().ok());
        text.and_then(ContentRange::parse).ok_or("it does not say which one it sends")
    }
}

/// Which part came: `bytes FIRST-LAST/TOTAL` (RFC 9110, section 14.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ContentRange {
    first: u64,
    last: u64,
    total: Option<u64>,
}

impl ContentRange {
    fn parse(text: &str) -> Option<Self> {
        let (unit, rest) = text.trim().split_once(' ')?;
        let (range, total) = rest.split_once('/')?;
        let (first, last) = range.split_once('-')?;
        let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
        let total = if total == "*" { None } else { Some(number(total)?) };
        let range = Self { first: number(first)?, last: number(last)?, total };
        let is_sound = range.first <= range.last && total.is_none_or(|total| range.last < total);
        (unit.eq_ignore_ascii_case("bytes") && is_sound).then_some(range)
    }

    /// Compares with what was asked for and with what came; returns the length of the whole.
    fn check(self, offset: u64, length: u64, raw: &Raw) -> Result<Option<u64>, &'static str> {
        let Self { first, last: end, total } = self;
        let asked_end = last(offset, length);
        let expected_end = total.map_or(asked_end, |total| asked_end.min(total.saturating_sub(1)));
        if first != offset || end > asked_end {
            return Err("it sends another one");
        }
        // Without a total, a shorter part is how the end of the file shows.
        if end < expected_end && total.is_some() {
            return Err("it sends less of it");
        }
        let came = raw.body.len() as u64;
        let said = end - first + 1;
        match () {
            () if raw.has_more || came > said => Err("it sends more than that"),
            () if came < said => Err("it sends less than it says"),
            () => Ok(total),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_range_is_read_strictly() {
        for (text, read) in [
            ("bytes 0-9/100", Some((0, 9, Some(100)))),
            ("Bytes 90-99/100", Some((90, 99, Some(100)))),
            ("bytes 0-9/*", Some((0, 9, None))),
            ("bytes 9-0/100", None),
            ("bytes 0-100/100", None),
            ("bytes */100", None),
            ("bytes 0-9", None),
            ("bytes +0-9/100", None),
            ("bytes -9/100", None),
            ("bytes 0-99999999999999999999/*", None),
            ("items 0-9/100", None),
            ("", None),
        ] {
            let range = ContentRange::parse(text).map(|range| (range.first, range.last, range.total));
            assert_eq!(range, read, "{text}");
        }
    }
}
