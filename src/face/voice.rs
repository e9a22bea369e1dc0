//! Voices, as far as a manifest can name them.

use super::{VoiceId, VoiceSlug};

/// One voice, as a listing shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedVoice {
    /// Its id; a stock voice that is known by its slug alone has none.
    pub id: Option<VoiceId>,
    /// Its name, which is the slug of a stock voice.
    pub name: String,
    /// Whose it is.
    pub kind: VoiceKind,
    /// Its status in the API's word, where it says one: a stock voice by its slug has none.
    pub status: Option<String>,
    /// What somebody wrote about it.
    pub description: Option<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// The stock face it belongs to: several rows of one slug differ by it.
    pub linked_face: Option<String>,
}

/// Whose voice it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VoiceKind {
    /// From the catalogue.
    Stock,
    /// Made in this account.
    User,
}

/// How a manifest names a voice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VoiceUse {
    /// `voice_name`.
    Name(VoiceSlug),
    /// `default_voice_id`.
    Id(VoiceId),
}

impl ListedVoice {
    /// Returns how a manifest names it; none while it cannot be used.
    ///
    /// A voice is usable when it is `completed` (Get Voice page, October 2026), or when it is a stock voice whose row
    /// says no status: then its name is a slug.
    pub fn usage(&self) -> Option<VoiceUse> {
        let is_completed = |word: &str| matches!(word.to_lowercase().as_str(), "completed" | "ready");
        let by_slug = || self.name.parse().ok().map(VoiceUse::Name);
        match (&self.status, &self.id, self.kind) {
            (Some(word), _, _) if !is_completed(word) => None,
            (Some(_), Some(id), _) => Some(VoiceUse::Id(id.clone())),
            (_, _, VoiceKind::Stock) => by_slug(),
            (_, _, VoiceKind::User) => None,
        }
    }
}
