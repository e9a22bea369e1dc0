//! Reading parts of what was opened, by further requests that cost little and are bounded.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use tokio::sync::Mutex;

use super::answer::{Ask, Got};
use super::get::{Budget, Getter};
use super::trouble::Trouble;
use crate::face::Link;
use crate::media::{RangedRead, ReadError};

/// What is asked for at a time, in bytes, so that reads beside one another cost one request. An index at the end of a
/// file took two blocks of this size (measured with two seconds of H.264, September 2026).
pub(super) const BLOCK: u64 = 64 * 1024;
/// The longest part that one request asks for, in bytes: an index of an hour's video has about 3 MB.
const RUN_LIMIT: u64 = 8 * 1024 * 1024;

/// A file that was opened through its link.
///
/// Each read goes from the link on, by its redirects, under the same rules as the first request did, and holds only if
/// length, tag and date are still those. All reads together have the time, the bytes and the requests that one link is
/// worth. Reads wait for one another.
pub struct Fetched {
    getter: Arc<Getter>,
    link: Link,
    is_ranged: bool,
    content_type: Option<String>,
    etag: Option<String>,
    last_modified: Option<String>,
    length: Option<u64>,
    state: Mutex<State>,
}

struct State {
    /// By number, counted from 0; all but the last are whole.
    blocks: BTreeMap<u64, Vec<u8>>,
    /// Where it ends, as soon as that is seen.
    end: Option<u64>,
    budget: Budget,
}

impl fmt::Debug for Fetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { link, length, .. } = self;
        f.debug_struct("Fetched").field("link", link).field("length", length).finish_non_exhaustive()
    }
}

impl Fetched {
    /// Keeps what the first answer brought.
    pub(super) fn new(getter: Arc<Getter>, link: Link, got: Got, is_tag_kept: bool, budget: Budget) -> Self {
        let Got { body, total, is_part, content_type, etag, last_modified, .. } = got;
        let is_short = (body.len() as u64) < BLOCK;
        let end = total.or(is_short.then_some(body.len() as u64));
        let state = State { blocks: BTreeMap::from([(0, body)]), end, budget };
        Self {
            getter,
            link,
            is_ranged: is_part,
            content_type,
            etag: etag.filter(|_| is_tag_kept),
            last_modified: last_modified.filter(|_| is_tag_kept),
            length: end,
            state: Mutex::new(state),
        }
    }

    /// Returns what tells this version from others, where its server says and does not contradict itself.
    pub fn etag(&self) -> Option<&str> {
        self.etag.as_deref()
    }

    /// Returns what its server calls it.
    pub fn content_type(&self) -> Option<&str> {
        self.content_type.as_deref()
    }

    /// Returns whether parts of it can be read; else there is only its beginning.
    pub fn is_ranged(&self) -> bool {
        self.is_ranged
    }

    /// Brings blocks that are not there yet, `count` of them from `first` on.
    async fn bring(&self, state: &mut State, first: u64, count: u64) -> Result<(), ReadError> {
        let offset = first.saturating_mul(BLOCK);
        let length = count.saturating_mul(BLOCK);
        let ask = Ask::Part { offset, length };
        let within = state.budget.time;
        let got = self.getter.get(&self.link, ask, within, &mut state.budget).await.map_err(|error| unread(&error))?;
        self.check(&got)?;
        if (got.body.len() as u64) < length {
            state.end = Some(offset.saturating_add(got.body.len() as u64));
        }
        // A block is 64 KiB, which every `usize` holds.
        for (number, block) in (first..).zip(got.body.chunks(BLOCK as usize)) {
            state.blocks.insert(number, block.to_vec());
        }
        Ok(())
    }

    /// Parts of two versions make no file.
    fn check(&self, got: &Got) -> Result<(), ReadError> {
        let is_same = |before: &Option<String>, now: &Option<String>| before.is_none() || before == now;
        let is_one_version = got.total.is_none_or(|total| self.length.is_none_or(|length| length == total))
            && is_same(&self.etag, &got.etag)
            && (self.etag.is_some() || is_same(&self.last_modified, &got.last_modified));
        match () {
            () if !is_one_version => Err(ReadError("it was changed while it was read".to_owned())),
            () if !got.is_part => Err(ReadError("its server sent parts before and sends the whole now".to_owned())),
            () => Ok(()),
        }
    }
}

fn unread(trouble: &Trouble) -> ReadError {
    ReadError(trouble.to_string())
}

impl RangedRead for Fetched {
    fn length(&self) -> Option<u64> {
        self.length
    }

    async fn read_at(&self, offset: u64, length: usize) -> Result<Vec<u8>, ReadError> {
        let mut state = self.state.lock().await;
        let end = |state: &State| offset.saturating_add(length as u64).min(state.end.unwrap_or(u64::MAX));
        let mut block = offset / BLOCK;
        while block.saturating_mul(BLOCK) < end(&state) {
            if state.blocks.contains_key(&block) {
                block += 1;
                continue;
            }
            if !self.is_ranged {
                let message = "its server sends no parts, so that only its first 64 KiB can be looked at";
                return Err(ReadError(message.to_owned()));
            }
            let wanted = (block..end(&state).div_ceil(BLOCK)).take((RUN_LIMIT / BLOCK) as usize);
            let missing = wanted.take_while(|number| !state.blocks.contains_key(number)).count() as u64;
            self.bring(&mut state, block, missing).await?;
        }
        Ok(state.gather(offset, end(&state)))
    }
}

impl State {
    /// Puts bytes together that are all there.
    fn gather(&self, offset: u64, end: u64) -> Vec<u8> {
        let mut out = Vec::new();
        for (number, block) in self.blocks.range(offset / BLOCK..end.div_ceil(BLOCK).max(offset / BLOCK)) {
            let start = number.saturating_mul(BLOCK);
            // Both are at most 64 KiB after the cut.
            let from = offset.saturating_sub(start).min(block.len() as u64) as usize;
            let to = end.saturating_sub(start).min(block.len() as u64) as usize;
            out.extend_from_slice(block.get(from..to).unwrap_or_default());
        }
        out
    }
}
