//! Callbacks on their way to the loop: a secret address in front, a bounded queue behind.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

use super::CallbackVerdict;
use crate::face::FaceId;
use crate::tavus::{CallbackError, CallbackHint, parse_callback};

/// The shortest secret, in characters: 24 of 64 kinds are 144 bits.
const SHORTEST: usize = 24;
/// The longest, which keeps the address within what Tavus takes.
const LONGEST: usize = 512;

/// The last part of the address that Tavus is told. Only its hash is kept, and nothing shows it.
#[derive(Clone)]
pub struct CallbackSecret(blake3::Hash);

/// Why a secret is not taken. Says nothing about it but what is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CallbackSecretError {
    /// Too easy to guess.
    #[error("the callback secret is shorter than {SHORTEST} characters; make one with `openssl rand -hex 32`")]
    Short,
    /// Too long for an address.
    #[error("the callback secret is longer than {LONGEST} characters")]
    Long,
    /// A character that would read differently in an address.
    #[error("the callback secret may hold letters, digits, `-`, `_`, `.` and `~` only, as it is part of a URL")]
    Unsafe,
}

impl CallbackSecret {
    /// Reads a secret. One line end after it is dropped, as files have one.
    ///
    /// # Errors
    /// When it could be guessed, or would not arrive as it is.
    pub fn parse(text: &str) -> Result<Self, CallbackSecretError> {
        let text = text.strip_suffix('\n').unwrap_or(text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        if text.len() < SHORTEST {
            return Err(CallbackSecretError::Short);
        }
        if text.len() > LONGEST {
            return Err(CallbackSecretError::Long);
        }
        // What RFC 3986 calls unreserved: nobody on the way writes it in another form.
        if !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte)) {
            return Err(CallbackSecretError::Unsafe);
        }
        Ok(Self(blake3::hash(text.as_bytes())))
    }

    /// Returns whether this is the secret. Two hashes are compared in constant time, so that the time taken says
    /// nothing about how much was right.
    pub(super) fn is(&self, given: &str) -> bool {
        self.0 == blake3::hash(given.as_bytes())
    }
}

impl fmt::Debug for CallbackSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CallbackSecret(***)")
    }
}

/// Faces that somebody should look at, each once however often it was named.
///
/// # Guarantees
/// Bounded: when it is full, further faces are dropped. Nothing is lost by that, as every pass looks at all faces.
#[derive(Debug)]
pub struct Hints {
    capacity: usize,
    waiting: Mutex<BTreeMap<FaceId, CallbackHint>>,
    bell: Notify,
}

impl Hints {
    /// Makes a queue for so many faces.
    pub fn new(capacity: usize) -> Self {
        Self { capacity, waiting: Mutex::default(), bell: Notify::new() }
    }

    /// Waits until there is a hint and takes all there are, in the order of their ids, each as it was heard last.
    /// Nothing is taken if the future is dropped before it is done.
    pub async fn next(&self) -> Vec<CallbackHint> {
        loop {
            let rung = self.bell.notified();
            let taken = std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
            if !taken.is_empty() {
                return taken.into_values().collect();
            }
            rung.await;
        }
    }

    /// Reads a body and queues what it hints at. Never waits.
    pub(super) fn receive(&self, body: &[u8]) -> CallbackVerdict {
        match parse_callback(body) {
            Ok(hint) => self.offer(hint),
            Err(CallbackError::NotAFace) => CallbackVerdict::NotAFace,
            Err(CallbackError::NotJson(why)) => {
                tracing::debug!(why, "a callback cannot be read");
                CallbackVerdict::Unreadable
            }
        }
    }

    fn offer(&self, hint: CallbackHint) -> CallbackVerdict {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known = waiting.contains_key(&hint.face_id);
        if !is_known && waiting.len() >= self.capacity {
            return CallbackVerdict::Dropped;
        }
        waiting.insert(hint.face_id.clone(), hint);
        self.bell.notify_one();
        if is_known { CallbackVerdict::Repeated } else { CallbackVerdict::Queued }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_long_fits_an_address_and_is_shown_nowhere() {
        let secret = CallbackSecret::parse("0123456789abcdef-_.~ABCD\r\n").unwrap();
        assert!(secret.is("0123456789abcdef-_.~ABCD") && !secret.is("0123456789abcdef-_.~ABCE") && !secret.is(""));
        assert_eq!(format!("{secret:?}"), "CallbackSecret(***)");
        let long = "x".repeat(LONGEST + 1);
        for (text, error) in [
            ("", CallbackSecretError::Short),
            ("hunter2", CallbackSecretError::Short),
            (&long, CallbackSecretError::Long),
            ("0123456789abcdef/0123456789", CallbackSecretError::Unsafe),
            ("0123456789abcdef%0123456789", CallbackSecretError::Unsafe),
            ("0123456789abcdef 0123456789", CallbackSecretError::Unsafe),
            ("0123456789abcdefü0123456789", CallbackSecretError::Unsafe),
        ] {
            assert_eq!(CallbackSecret::parse(text).unwrap_err(), error, "{text}");
        }
    }

    fn body(id: &str, status: &str) -> Vec<u8> {
        format!(r#"{{"replica_id":"{id}","status":"{status}"}}"#).into_bytes()
    }

    #[tokio::test]
    async fn a_face_waits_once_as_it_was_heard_last_and_a_full_queue_drops() {
        let hints = Hints::new(2);
        assert_eq!(hints.receive(&body("r2", "started")), CallbackVerdict::Queued);
        assert_eq!(hints.receive(&body("r1", "ready")), CallbackVerdict::Queued);
        assert_eq!(hints.receive(&body("r2", "error")), CallbackVerdict::Repeated);
        assert_eq!(hints.receive(&body("r3", "ready")), CallbackVerdict::Dropped);
        let taken = hints.next().await;
        assert_eq!(taken.iter().map(|hint| hint.face_id.as_str()).collect::<Vec<_>>(), ["r1", "r2"]);
        assert_eq!(taken[1].status.as_ref().map(|status| status.shown()), Some("failed"));
        assert_eq!(hints.receive(&body("r3", "ready")), CallbackVerdict::Queued);
    }

    #[tokio::test]
    async fn whoever_waits_hears_of_a_hint_that_comes_later() {
        let hints = std::sync::Arc::new(Hints::new(1));
        let listener = tokio::spawn({
            let hints = std::sync::Arc::clone(&hints);
            async move { hints.next().await }
        });
        tokio::task::yield_now().await;
        hints.receive(&body("r1", "ready"));
        assert_eq!(listener.await.unwrap().len(), 1);
    }
}
