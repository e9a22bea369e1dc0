//! The form of one record on disk: a checksum, then JSON.
//!
//! sled notices a torn page, but not a byte that changed on the way to the disk; a face id with a
//! wrong digit would look like a vanished face, and that must not happen silently.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::StateError;

/// Bytes of BLAKE3 in front of each record.
const CHECKSUM_LENGTH: usize = 16;

/// Returns the bytes to store.
pub(super) fn encode<T: Serialize>(name: &str, value: &T) -> Result<Vec<u8>, StateError> {
    let json = serde_json::to_vec(value).map_err(|source| StateError::Record { record: name.to_owned(), source })?;
    let mut bytes = blake3::hash(&json).as_bytes()[..CHECKSUM_LENGTH].to_vec();
    bytes.extend_from_slice(&json);
    Ok(bytes)
}

/// Returns the value that was stored.
pub(super) fn decode<T: DeserializeOwned>(name: &str, bytes: &[u8]) -> Result<T, StateError> {
    let (checksum, json) = bytes
        .split_at_checked(CHECKSUM_LENGTH)
        .filter(|(checksum, json)| blake3::hash(json).as_bytes().starts_with(checksum))
        .ok_or_else(|| StateError::Checksum { record: name.to_owned() })?;
    debug_assert_eq!(checksum.len(), CHECKSUM_LENGTH);
    serde_json::from_slice(json).map_err(|source| StateError::Record { record: name.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_comes_back_and_any_changed_byte_is_noticed() {
        let bytes = encode("x", &"r90bbd427f71").unwrap();
        assert_eq!(decode::<String>("x", &bytes).unwrap(), "r90bbd427f71");
        for place in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1;
            assert!(matches!(decode::<String>("x", &damaged), Err(StateError::Checksum { .. })), "byte {place}");
        }
        assert!(decode::<String>("x", &bytes[..3]).is_err());
    }
}
