//! Creation tokens: how a face is recognised again whose creation got no answer.
//!
//! The API has no idempotency key, no tags and no unique names; `face_name` is the only text on a face
//! that a client owns (Create Face page, docs.tavus.io, October 2026). So a create is sent under the
//! name `Ana (Support) [fc-k3j9x2m7-qa4bd2-1]`:
//!
//! ```text
//! fc - k3j9x2m7 - qa4bd2 - 1
//!      owner      content  attempt
//!      8 of       6 of     a number
//!      BLAKE3     BLAKE3   from 1
//!      (project,  (training
//!       key)      fingerprint)
//! ```
//!
//! # Guarantees
//! The same intent has the same token on every machine, so an empty disk and a listing are enough to
//! find a running training again, and to tell whose it is, from which inputs, and which attempt.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::sync::LazyLock;

use data_encoding::{Encoding, Specification};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::name::FACE_NAME_LIMIT;
use super::{FaceKey, FaceName, Fingerprint, ProjectName};

/// Which try at one intent this is, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Attempt(NonZeroU32);

impl Attempt {
    /// The first try.
    pub const FIRST: Self = Self(NonZeroU32::MIN);

    /// Returns the attempt with this number, if it is one.
    pub fn new(number: u32) -> Option<Self> {
        NonZeroU32::new(number).map(Self)
    }

    /// Returns the attempt after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// Returns the number.
    pub fn number(self) -> u32 {
        self.0.get()
    }
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A creation token. Its text form is what stands in a live name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct Token {
    owner: String,
    content: String,
    attempt: Attempt,
}

/// Base32 characters of the owner part: 40 bits, so that two of 10,000 keys clash with a chance of 1 in
/// 22,000. A clash inside one project is a manifest error, so it can never mix two faces up.
const OWNER_LENGTH: usize = 8;
/// Base32 characters of the content part: it only has to tell the few inputs of one owner apart.
const CONTENT_LENGTH: usize = 6;

impl Token {
    /// Computes the token of one try at creating one face from its present inputs.
    pub fn of(project: &ProjectName, key: &FaceKey, fingerprint: &Fingerprint, attempt: Attempt) -> Self {
        let mut content = base32(&fingerprint.0);
        content.truncate(CONTENT_LENGTH);
        Self { owner: Self::owner_of(project, key), content, attempt }
    }

    /// Returns the owner part for a key of a project.
    pub fn owner_of(project: &ProjectName, key: &FaceKey) -> String {
        let mut hasher = blake3::Hasher::new_derive_key("facectl 2026-11 creation token, owner");
        // A length in front, so that (ab, c) and (a, bc) cannot meet.
        for part in [project.as_str(), key.as_str()] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        let mut owner = base32(hasher.finalize().as_bytes());
        owner.truncate(OWNER_LENGTH);
        owner
    }

    /// Returns the part that says whose face it is.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// Returns the part that says what it was made from.
    pub fn content(&self) -> &str {
        &self.content
    }

    /// Returns which try it was.
    pub fn attempt(&self) -> Attempt {
        self.attempt
    }

    /// Returns whether both tokens belong to the same key and the same inputs, whatever the attempt.
    pub fn is_same_intent(&self, other: &Self) -> bool {
        self.owner == other.owner && self.content == other.content
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { owner, content, attempt } = self;
        write!(f, "fc-{owner}-{content}-{attempt}")
    }
}

/// The text is not a creation token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not a creation token (fc-<owner>-<content>-<attempt>)")]
pub struct NotAToken;

impl FromStr for Token {
    type Err = NotAToken;

    fn from_str(text: &str) -> Result<Self, NotAToken> {
        let mut parts = text.strip_prefix("fc-").ok_or(NotAToken)?.split('-');
        let (Some(owner), Some(content), Some(attempt), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(NotAToken);
        };
        let is_base32 = |part: &str, length: usize| {
            part.len() == length && part.bytes().all(|b| b.is_ascii_lowercase() || (b'2'..=b'7').contains(&b))
        };
        // One spelling only: `+1` and `01` parse as numbers but are not what we write.
        let number: u32 = attempt.parse().map_err(|_| NotAToken)?;
        if !is_base32(owner, OWNER_LENGTH) || !is_base32(content, CONTENT_LENGTH) || number.to_string() != attempt {
            return Err(NotAToken);
        }
        let attempt = Attempt::new(number).ok_or(NotAToken)?;
        Ok(Self { owner: owner.to_owned(), content: content.to_owned(), attempt })
    }
}

impl TryFrom<String> for Token {
    type Error = NotAToken;

    fn try_from(text: String) -> Result<Self, NotAToken> {
        text.parse()
    }
}

impl From<Token> for String {
    fn from(token: Token) -> Self {
        token.to_string()
    }
}

/// Returns the name a create is sent under: the shown name, cut so that the whole has at most 100
/// characters, then the token in brackets. The token is never cut.
pub fn named_with(name: &FaceName, token: &Token) -> String {
    let suffix = format!(" [{token}]");
    let room = FACE_NAME_LIMIT.saturating_sub(suffix.chars().count());
    let shown: String = name.as_str().chars().take(room).collect();
    format!("{}{suffix}", shown.trim_end())
}

/// Splits a live name into what people read and the token at its end, if there is one.
pub fn split_name(live: &str) -> (&str, Option<Token>) {
    let trimmed = live.trim_end();
    let Some(inner) = trimmed.strip_suffix(']') else { return (live, None) };
    let Some((shown, candidate)) = inner.rsplit_once('[') else { return (live, None) };
    match candidate.parse() {
        Ok(token) => (shown.trim_end(), Some(token)),
        Err(NotAToken) => (live, None),
    }
}

/// RFC 4648 base32 in lower case, without padding: safe in names, cannot be misread.
static BASE32: LazyLock<Option<Encoding>> = LazyLock::new(|| {
    let mut specification = Specification::new();
    specification.symbols.push_str("abcdefghijklmnopqrstuvwxyz234567");
    specification.encoding().ok()
});

fn base32(bytes: &[u8]) -> String {
    let bytes = &bytes[..bytes.len().min(10)];
    // The alphabet is a constant that data-encoding accepts; hex would keep a token well-formed enough to fail loudly.
    BASE32.as_ref().map_or_else(|| data_encoding::HEXLOWER.encode(bytes), |encoding| encoding.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn token(project: &str, key: &str, fingerprint: u8, attempt: u32) -> Token {
        Token::of(
            &project.parse().unwrap(),
            &key.parse().unwrap(),
            &Fingerprint([fingerprint; 32]),
            Attempt::new(attempt).unwrap(),
        )
    }

    #[test]
    fn the_token_of_an_intent_is_the_same_on_every_machine_for_ever() {
        // Changing this value would orphan every running training of every user.
        assert_eq!(token("acme-faces", "ana-support", 7, 1).to_string(), "fc-twiotsi7-a4dqob-1");
    }

    #[test]
    fn project_and_key_cannot_run_into_each_other() {
        assert_ne!(token("ab", "c", 1, 1).owner(), token("a", "bc", 1, 1).owner());
    }

    #[test]
    fn a_name_carries_its_token_and_gives_it_back() {
        let token = token("p", "k", 1, 12);
        let name: FaceName = "Ana [Support]".parse().unwrap();
        let live = named_with(&name, &token);
        assert_eq!(split_name(&live), ("Ana [Support]", Some(token)));
        assert_eq!(split_name("Ana [Support]"), ("Ana [Support]", None));
        assert_eq!(split_name("Ana [fc-UPPERCAS-aaaaaa-1]").1, None);
        assert_eq!(split_name("Ana [fc-aaaaaaaa-aaaaaa-01]").1, None);
        assert_eq!(split_name("Ana [fc-aaaaaaaa-aaaaaa-0]").1, None);
    }

    proptest! {
        #[test]
        fn the_whole_name_never_exceeds_the_limit_and_the_token_is_never_cut(shown in "\\PC{1,100}", attempt in 1u32..) {
            let Ok(name) = shown.parse::<FaceName>() else { return Ok(()) };
            let token = token("p", "k", 3, attempt);
            let live = named_with(&name, &token);
            prop_assert!(live.chars().count() <= FACE_NAME_LIMIT);
            prop_assert_eq!(split_name(&live).1, Some(token));
        }
    }
}
