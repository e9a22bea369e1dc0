//! Reading parts of material, wherever it lies: nothing is ever read whole to look inside.

use std::future::Future;

/// Why a part could not be read. Holds no signature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ReadError(pub String);

/// Something that can be read in parts.
pub trait RangedRead: Send + Sync {
    /// Returns how many bytes it has, where that is known.
    fn length(&self) -> Option<u64>;

    /// Returns up to `length` bytes from `offset` on; fewer only where it ends, none behind its end.
    fn read_at(&self, offset: u64, length: usize) -> impl Future<Output = Result<Vec<u8>, ReadError>> + Send;
}

/// Bytes at hand, for tests and for what was read already.
impl RangedRead for [u8] {
    fn length(&self) -> Option<u64> {
        Some(self.len() as u64)
    }

    async fn read_at(&self, offset: u64, length: usize) -> Result<Vec<u8>, ReadError> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(self.len());
        Ok(self[start..self.len().min(start.saturating_add(length))].to_vec())
    }
}
