//! The names of things, as types that cannot be mixed up and are made only by parsing.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Why a name was refused. The text fits after "`x` is not a valid …: ".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing, or nothing but blanks.
    #[error("it is empty")]
    Empty,
    /// Longer than the limit, in characters.
    #[error("it has {length} characters, {limit} are allowed")]
    TooLong {
        /// Characters it has.
        length: usize,
        /// Characters it may have.
        limit: usize,
    },
    /// Not of the form that a DNS label has.
    #[error("only lower-case letters, digits and `-` are allowed, and a letter or digit at both ends")]
    NotALabel,
    /// A control character, which would garble terminals and logs.
    #[error("it contains the control character {0}")]
    Control(String),
    /// Blanks at an end, which the API may trim: the name would then differ for ever.
    #[error("it begins or ends with a blank")]
    OuterBlank,
    /// A character that cannot stand in an id.
    #[error("only letters, digits, `-` and `_` are allowed")]
    NotAnId,
    /// Not one of a closed set of words.
    #[error("it is not one of {0}")]
    Unknown(&'static str),
}

macro_rules! text_newtype {
    ($name:ident, $check:path) => {
        impl $name {
            /// Returns the text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                // `pad` and not `write_str`, so that `{:<12}` works for callers that align.
                f.pad(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                $check(text)?;
                Ok(Self(text.to_owned()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, NameError> {
                $check(&text)?;
                Ok(Self(text))
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }
    };
}

/// The key of a face: ours, from `metadata.name`. A DNS label, unique in the project. What plans,
/// state and commands call the face.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct FaceKey(String);
text_newtype!(FaceKey, check_label);

/// The project's name: part of every creation token, so that two projects in one account never touch
/// each other's faces.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct ProjectName(String);
text_newtype!(ProjectName, check_label);

/// The name a face is shown under: `face_name` of the API. Not unique, not an identity.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct FaceName(String);
text_newtype!(FaceName, check_face_name);

/// The id of a face: chosen by the server, opaque, never compared by age.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct FaceId(String);
text_newtype!(FaceId, check_id);

/// The id of a voice: chosen by the server, opaque.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct VoiceId(String);
text_newtype!(VoiceId, check_id);

/// The id of a PAL: chosen by the server, opaque.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct PalId(String);
text_newtype!(PalId, check_id);

/// The slug of a stock voice, such as `anna`. The API compares it without case, so it is kept in
/// lower case (Create Face page, docs.tavus.io, August 2026).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct VoiceSlug(String);

impl VoiceSlug {
    /// Returns the slug, in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for VoiceSlug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl TryFrom<String> for VoiceSlug {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        check_shown(&text, 100)?;
        Ok(Self(text.to_lowercase()))
    }
}

impl FromStr for VoiceSlug {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::try_from(text.to_owned())
    }
}

impl From<VoiceSlug> for String {
    fn from(slug: VoiceSlug) -> String {
        slug.0
    }
}

/// The family of rendering models that a face can be trained for.
///
/// These three are what a client may send (Create Face page, docs.tavus.io, October 2026).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Model {
    /// `phoenix-3`: video only, 4 to 6 hours.
    #[serde(rename = "phoenix-3")]
    Phoenix3,
    /// `phoenix-4`: 3 to 4 hours.
    #[serde(rename = "phoenix-4")]
    Phoenix4,
    /// `phoenix-4.5`: a preview within minutes, then a tuning of a few hours in the background.
    #[serde(rename = "phoenix-4.5")]
    Phoenix45,
}

impl Model {
    /// Every model, oldest first.
    pub const ALL: [Self; 3] = [Self::Phoenix3, Self::Phoenix4, Self::Phoenix45];

    /// Returns the word the API uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Phoenix3 => "phoenix-3",
            Self::Phoenix4 => "phoenix-4",
            Self::Phoenix45 => "phoenix-4.5",
        }
    }

    /// Returns whether a face of this model can be trained from a photo (all but phoenix-3, Create Face
    /// page, October 2026).
    pub fn takes_image(self) -> bool {
        self != Self::Phoenix3
    }

    /// Returns whether a face of this model is usable as a preview long before it is finished.
    pub fn has_preview(self) -> bool {
        self == Self::Phoenix45
    }

    /// Returns how long training usually takes until nothing more changes, in hours, from and to.
    ///
    /// Phoenix-4: "3 to 4 h"; phoenix-3: "4 to 6 h" in older pages; phoenix-4.5: 2 to 3 h of tuning
    /// reported (docs.tavus.io and public reports, read August to October 2026). No upper bound is published.
    pub fn usual_hours(self) -> (u32, u32) {
        match self {
            Self::Phoenix3 => (4, 6),
            Self::Phoenix4 => (3, 4),
            Self::Phoenix45 => (2, 3),
        }
    }
}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Model {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::ALL
            .into_iter()
            .find(|model| model.as_str() == text)
            .ok_or(NameError::Unknown("phoenix-3, phoenix-4, phoenix-4.5"))
    }
}

/// The longest key: a DNS label (RFC 1035, section 2.3.4).
const LABEL_LIMIT: usize = 63;
/// The longest face name we send. No limit is published; 100 is the careful choice.
pub(super) const FACE_NAME_LIMIT: usize = 100;
/// The longest id we accept. Ids seen have 10 to 13 characters; no form is promised.
const ID_LIMIT: usize = 64;

fn check_length(text: &str, limit: usize) -> Result<(), NameError> {
    let length = text.chars().count();
    if text.trim().is_empty() {
        return Err(NameError::Empty);
    }
    if length > limit {
        return Err(NameError::TooLong { length, limit });
    }
    Ok(())
}

fn check_label(text: &str) -> Result<(), NameError> {
    check_length(text, LABEL_LIMIT)?;
    let is_inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !text.chars().all(is_inner) || text.starts_with('-') || text.ends_with('-') {
        return Err(NameError::NotALabel);
    }
    Ok(())
}

fn check_shown(text: &str, limit: usize) -> Result<(), NameError> {
    check_length(text, limit)?;
    if let Some(control) = text.chars().find(|c| crate::text::is_steering(*c)) {
        return Err(NameError::Control(control.escape_unicode().to_string()));
    }
    if text.trim() != text {
        return Err(NameError::OuterBlank);
    }
    Ok(())
}

fn check_face_name(text: &str) -> Result<(), NameError> {
    check_shown(text, FACE_NAME_LIMIT)
}

fn check_id(text: &str) -> Result<(), NameError> {
    check_length(text, ID_LIMIT)?;
    if !text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_') {
        return Err(NameError::NotAnId);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_dns_labels() {
        for good in ["a", "ana-support", "0", "a1-2"] {
            assert!(good.parse::<FaceKey>().is_ok(), "{good}");
        }
        for bad in ["", " ", "-a", "a-", "Ana", "a_b", "a.b", "é", &"a".repeat(64)] {
            assert!(bad.parse::<FaceKey>().is_err(), "{bad}");
        }
    }

    #[test]
    fn face_names_are_counted_in_characters_and_cannot_garble_a_terminal() {
        assert!("😀".repeat(100).parse::<FaceName>().is_ok());
        assert!(matches!("😀".repeat(101).parse::<FaceName>(), Err(NameError::TooLong { length: 101, limit: 100 })));
        for bad in ["a\u{1b}[31m", "a\nb", "a\u{202e}b", " a", "a ", "\u{0}"] {
            assert!(bad.parse::<FaceName>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_id_can_always_stand_in_a_path() {
        assert!("r90bbd427f71".parse::<FaceId>().is_ok());
        for bad in ["", "../faces", "a?b", "a/b", "a b"] {
            assert!(bad.parse::<FaceId>().is_err(), "{bad}");
        }
    }
}
