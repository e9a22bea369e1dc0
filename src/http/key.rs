//! The API key, which nothing shows.

use std::fmt;

use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

/// The API key. `Debug` and `Display` show stars; its memory is wiped when it is dropped.
#[derive(Clone)]
pub struct ApiKey(SecretString);

/// Why a key was refused. Says nothing about the key but what is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ApiKeyError {
    /// Nothing, or nothing but a line end.
    #[error("the key is empty")]
    Empty,
    /// A blank, a line end or another control character inside.
    #[error("the key has a blank, a line end or a control character in it; was more than the key pasted?")]
    Blank,
    /// A character that cannot stand in a header.
    #[error("the key has a character outside ASCII in it")]
    NotAscii,
}

impl ApiKey {
    /// Reads a key. One line end after it is dropped, as files and pipes have one.
    ///
    /// # Errors
    /// When the text cannot be a key. The error does not show it.
    pub fn parse(text: &str) -> Result<Self, ApiKeyError> {
        let text = text.strip_suffix('\n').unwrap_or(text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        if text.is_empty() {
            return Err(ApiKeyError::Empty);
        }
        if !text.is_ascii() {
            return Err(ApiKeyError::NotAscii);
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ApiKeyError::Blank);
        }
        Ok(Self(SecretString::from(text)))
    }

    /// Returns the value of a header that holds the key alone, marked so that no library prints it.
    pub(crate) fn header(&self) -> Option<HeaderValue> {
        self.header_after("")
    }

    /// Returns the value of an `Authorization` header (RFC 6750), marked alike.
    pub(crate) fn bearer(&self) -> Option<HeaderValue> {
        self.header_after("Bearer ")
    }

    fn header_after(&self, scheme: &str) -> Option<HeaderValue> {
        let mut value = HeaderValue::from_str(&format!("{scheme}{}", self.0.expose_secret())).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// Returns whether the key is so short that it may stand in an answer by chance, in a token or a field's name.
    /// How long the vendor's keys are is not documented; one this short is a stand-in's, or a gateway's.
    pub(crate) fn may_be_a_word(&self) -> bool {
        self.0.expose_secret().len() < 20
    }

    /// Replaces the key in an answer by stars, whatever else the answer is.
    pub(super) fn scrub_bytes(&self, body: &mut Vec<u8>) {
        let quotes_it = str::from_utf8(body).is_ok_and(|text| text.contains(self.0.expose_secret()));
        if quotes_it {
            let text = String::from_utf8_lossy(body).into_owned();
            *body = self.scrub(text).into_bytes();
        }
    }

    /// Replaces the key in a text by stars: a server may quote what it was sent.
    pub(crate) fn scrub(&self, text: String) -> String {
        let key = self.0.expose_secret();
        if text.contains(key) { text.replace(key, "***") } else { text }
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(***)")
    }
}

impl fmt::Display for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_shown_nowhere_and_a_wrong_one_is_not_either() {
        let key = ApiKey::parse("s3cr3t-key\r\n").unwrap();
        assert_eq!(format!("{key:?} {key}"), "ApiKey(***) ***");
        assert_eq!(key.scrub("invalid s3cr3t-key!".into()), "invalid ***!");
        assert!(key.header().unwrap().is_sensitive());
        for (text, error) in [
            ("", ApiKeyError::Empty),
            ("\n", ApiKeyError::Empty),
            ("a\nb", ApiKeyError::Blank),
            ("a b", ApiKeyError::Blank),
            ("a\n\n", ApiKeyError::Blank),
            ("a\u{0}", ApiKeyError::Blank),
            ("schlüssel", ApiKeyError::NotAscii),
        ] {
            assert_eq!(ApiKey::parse(text).unwrap_err(), error, "{text:?}");
        }
    }
}
