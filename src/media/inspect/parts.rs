//! Reads within bounds, so that no file can make us read for ever, or all of it.

use crate::media::{RangedRead, ReadError};

use super::InspectError;

/// The most reads that one look inside takes.
pub const MOST_READS: u32 = 200;
/// The most bytes that one look inside takes.
pub const MOST_BYTES: usize = 20 * 1024 * 1024;
/// How much the first read takes: photos, and videos with their index in front, mostly need no other.
const HEAD: usize = 64 * 1024;

/// Material, with what was read of it last, and what may still be read.
pub(super) struct Parts<'a, R: ?Sized> {
    reader: &'a R,
    length: Option<u64>,
    reads_left: u32,
    bytes_left: usize,
    block: Vec<u8>,
    block_at: u64,
}

impl<'a, R: RangedRead + ?Sized> Parts<'a, R> {
    /// Reads the head.
    pub(super) async fn open(reader: &'a R) -> Result<Self, InspectError> {
        let length = reader.length();
        let mut parts =
            Self { reader, length, reads_left: MOST_READS, bytes_left: MOST_BYTES, block: Vec::new(), block_at: 0 };
        parts.block = parts.read(0, HEAD).await?;
        Ok(parts)
    }

    /// Returns what is at hand from the beginning on; nothing once something else was read.
    pub(super) fn head(&self) -> &[u8] {
        if self.block_at == 0 { &self.block } else { &[] }
    }

    /// Returns how many bytes there are, where that is known by now.
    pub(super) fn length(&self) -> Option<u64> {
        self.length
    }

    /// Returns up to `length` bytes from `offset` on, fewer only at the end. If they have to be read, then `ahead`
    /// bytes in one go, if that is more.
    pub(super) async fn get(&mut self, offset: u64, length: usize, ahead: usize) -> Result<&[u8], InspectError> {
        if self.at_hand(offset).len() < length && !self.is_last_at_hand(offset) {
            self.block = self.read(offset, length.max(ahead)).await?;
            self.block_at = offset;
        }
        let bytes = self.at_hand(offset);
        Ok(bytes.get(..length).unwrap_or(bytes))
    }

    /// Returns up to `length` bytes from `offset` on as a value, fewer only at the end. Reads only what is not at hand.
    pub(super) async fn take(&mut self, offset: u64, length: usize) -> Result<Vec<u8>, InspectError> {
        let front = self.at_hand(offset);
        let mut bytes = front.get(..length).unwrap_or(front).to_vec();
        if bytes.len() < length && !self.is_last_at_hand(offset) {
            let rest = self.read(offset.saturating_add(bytes.len() as u64), length - bytes.len()).await?;
            bytes.extend_from_slice(&rest);
        }
        Ok(bytes)
    }

    /// Returns what is at hand from `offset` on.
    fn at_hand(&self, offset: u64) -> &[u8] {
        let start = offset.checked_sub(self.block_at).and_then(|start| usize::try_from(start).ok());
        start.and_then(|start| self.block.get(start..)).unwrap_or_default()
    }

    /// Returns whether what is at hand from `offset` on is all there is.
    fn is_last_at_hand(&self, offset: u64) -> bool {
        let end = self.block_at.saturating_add(self.block.len() as u64);
        offset >= self.block_at && self.length.is_some_and(|length| end >= length)
    }

    async fn read(&mut self, offset: u64, length: usize) -> Result<Vec<u8>, InspectError> {
        let there = self.length.map_or(u64::MAX, |all| all.saturating_sub(offset));
        let length = length.min(usize::try_from(there).unwrap_or(usize::MAX));
        if length == 0 {
            return Ok(Vec::new());
        }
        if self.reads_left == 0 || length > self.bytes_left {
            return Err(InspectError::TooScattered);
        }
        self.reads_left -= 1;
        self.bytes_left -= length;
        let mut bytes = self.reader.read_at(offset, length).await?;
        bytes.truncate(length);
        self.check_end(offset, length, bytes.len())?;
        Ok(bytes)
    }

    /// Learns the end from a read that came back short; where the end was known, something else is wrong.
    fn check_end(&mut self, offset: u64, asked: usize, came: usize) -> Result<(), InspectError> {
        match self.length {
            _ if came == asked => {}
            Some(length) => {
                let end = offset.saturating_add(came as u64);
                return Err(ReadError(format!("it has {length} bytes, but could be read only up to {end}")).into());
            }
            // None came back: it ends somewhere before.
            None if came == 0 && offset > 0 => {}
            None => self.length = Some(offset.saturating_add(came as u64)),
        }
        Ok(())
    }
}
