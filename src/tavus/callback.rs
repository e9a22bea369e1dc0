//! Training callbacks: what somebody claims to be Tavus and says of a face.
//!
//! The documented body is a flat object in the old words, `{"replica_id":"r90bbd427f71","status":"ready"}`, with
//! `error_message` where the status is `error`. The newest phoenix-4.5 page lets a callback come at each change, so
//! the new words and `finetune_status` are read as well (callback and preview pages, docs.tavus.io, October 2026).
//!
//! # Assumptions
//! Nothing is signed, ordered, repeated or de-duplicated, as no page says so. So a callback is a hint to look, and what
//! it says is never written down: only a GET says how far a face is.

use super::wire;
use crate::face::{FaceId, TrainingStatus};

/// That a face may have changed, and what was claimed about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallbackHint {
    /// The face. It may be nobody's, or not ours.
    pub face_id: FaceId,
    /// How far it is said to be. `ready` of a phoenix-4.5 face can mean its preview: the body does not say the model.
    pub status: Option<TrainingStatus>,
    /// Why it is said to have failed, without what could steer a terminal, links redacted.
    pub error: Option<String>,
}

/// Why a body gives no hint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallbackError {
    /// Not JSON, or cut short.
    #[error("the body is not JSON: {0}")]
    NotJson(String),
    /// JSON that names no face: a callback about a voice or a conversation, most likely.
    #[error("the body names no face")]
    NotAFace,
}

/// Reads the body of a callback. Unknown fields, nulls and words are taken; nothing here trusts the sender.
///
/// # Errors
/// When it is not JSON, or names no face.
pub fn parse_callback(body: &[u8]) -> Result<CallbackHint, CallbackError> {
    wire::callback(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<CallbackHint, CallbackError> {
        parse_callback(body.as_bytes())
    }

    #[test]
    fn both_generations_of_words_say_the_same() {
        for (body, status) in [
            (r#"{"replica_id":"r90bbd427f71","status":"ready"}"#, Some(TrainingStatus::Ready)),
            (r#"{"face_id":"r90bbd427f71","status":"completed"}"#, Some(TrainingStatus::Ready)),
            (r#"{"face_id":"r90bbd427f71","status":"completed","finetune_status":null}"#, Some(TrainingStatus::Ready)),
            (
                r#"{"face_id":"r90bbd427f71","status":"completed","finetune_status":"training","new":[1]}"#,
                Some(TrainingStatus::Preview),
            ),
            (
                r#"{"face_id":"r90bbd427f71","status":"completed","finetune_status":"errored"}"#,
                Some(TrainingStatus::TuningFailed),
            ),
            (r#"{"data":{"replica_id":"r90bbd427f71","status":"STARTED"}}"#, Some(TrainingStatus::Training)),
            (r#"{"replica_id":"r90bbd427f71","status":"queued"}"#, Some(TrainingStatus::Unknown("queued".into()))),
            (r#"{"replica_id":"r90bbd427f71","status":7}"#, Some(TrainingStatus::Unknown("7".into()))),
            (r#"{"replica_id":"r90bbd427f71","status":null}"#, None),
            (r#" {"replica_id":"r90bbd427f71"} "#, None),
        ] {
            let hint = read(body).unwrap();
            assert_eq!((hint.face_id.as_str(), hint.status), ("r90bbd427f71", status), "{body}");
        }
    }

    #[test]
    fn a_reason_is_made_fit_to_be_shown() {
        let body =
            r#"{"replica_id":"r1","status":"error","error_message":"\u001b[31mcannot fetch https://h/a?sig=hush\n"}"#;
        let hint = read(body).unwrap();
        assert_eq!(hint.status, Some(TrainingStatus::Failed));
        assert_eq!(hint.error.as_deref(), Some("\\u{001B}[31mcannot fetch https://h/a?…"));
    }

    #[test]
    fn what_names_no_face_is_no_hint() {
        for body in [
            r#"{"event_type":"application.voice_status_changed","voice_id":"v1","status":"completed"}"#,
            r#"{"event_type":"system.shutdown","conversation_id":"c1","properties":{"replica_id":"r1"}}"#,
            r#"{"face_id":"","status":"ready"}"#,
            r#"{"face_id":{"$ne":1}}"#,
            "[]",
            "null",
            "\"r1\"",
        ] {
            assert_eq!(read(body), Err(CallbackError::NotAFace), "{body}");
        }
        let deep = "[".repeat(10_000);
        for body in ["", "{", "replica_id=r1", "\u{0}", &deep] {
            assert!(matches!(read(body), Err(CallbackError::NotJson(_))));
        }
    }
}
