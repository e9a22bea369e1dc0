//! Everything the account owns, and how a change alters it. No IO, no clock.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::catalogue;
use super::ledger::TrainingStarted;
use super::lifecycle::Model;
use super::records::{Change, ConversationRecord, FaceRecord, PalRecord, VoiceRecord};
use super::table::Table;

/// The account.
///
/// Deleted things stay in it, so that no id is ever given twice and an old id can be told from a wrong one.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct World {
    faces: Table<FaceRecord>,
    voices: Table<VoiceRecord>,
    pals: Table<PalRecord>,
    conversations: BTreeMap<String, ConversationRecord>,
    trainings: Vec<TrainingStarted>,
    #[serde(default)]
    pub(super) requests: BTreeMap<String, u64>,
    /// The faces that are not deleted, ascending: a page of a listing is a slice of this.
    #[serde(skip)]
    live: Vec<usize>,
}

/// Which faces a listing is about.
#[derive(Debug, Default)]
pub(super) struct FaceFilter {
    pub(super) model: Option<Model>,
    pub(super) ids: Option<Vec<String>>,
    /// How long a new face stays out of listings.
    pub(super) lag: SignedDuration,
    /// Deleted faces are shown too.
    pub(super) with_deleted: bool,
}

impl World {
    /// Makes the account of a newcomer: no faces, some voices and PALs.
    pub(super) fn new(now: Timestamp) -> Self {
        let voices = catalogue::VOICES.map(|(id, name, voice_type, is_ready)| VoiceRecord {
            id: id.into(),
            name: name.into(),
            description: None,
            voice_type: voice_type.into(),
            tags: vec!["english".into(), "warm".into()],
            created_at: now,
            ready_at: is_ready.then_some(now),
        });
        let (system, other) = catalogue::STOCK_PALS;
        let pals = (0..system + other).map(|number| PalRecord {
            id: format!("p57ac{number:07x}"),
            name: format!("Stock PAL {}", number + 1),
            pal_type: if number < system { "system" } else { "other" }.into(),
            default_face_id: catalogue::STOCK_FACES.get(number).map(|face| face.id.clone()),
            created_at: now,
            updated_at: now,
        });
        Self { voices: voices.into_iter().collect(), pals: pals.collect(), ..Self::default() }
    }

    /// Rebuilds what is not saved. To be called once after loading.
    pub(super) fn index(&mut self) {
        self.live = (0..self.faces.len()).filter(|place| self.faces[*place].deleted_at.is_none()).collect();
    }

    /// Makes a change. Cannot fail: whoever asks for it has checked it.
    pub(super) fn apply(&mut self, change: Change) {
        match change {
            Change::FacesAdded { faces, paid, voice } => {
                for face in faces {
                    let place = self.faces.put(face);
                    self.live.push(place);
                }
                self.trainings.extend(paid);
                if let Some(voice) = voice {
                    self.voices.put(voice);
                }
            }
            Change::FaceChanged(face) => {
                let Some(place) = self.faces.place(&face.id) else { return };
                if face.deleted_at.is_some()
                    && let Ok(position) = self.live.binary_search(&place)
                {
                    self.live.remove(position);
                }
                self.faces.put(face);
            }
            Change::VoicePut(voice) => {
                self.voices.put(voice);
            }
            Change::PalPut(pal) => {
                self.pals.put(pal);
            }
            Change::ConversationPut(conversation) => {
                self.conversations.insert(conversation.id.clone(), conversation);
            }
            Change::TimePassed => {}
        }
    }

    /// Returns a face that is not deleted.
    pub(super) fn face(&self, id: &str) -> Option<&FaceRecord> {
        self.faces.find(id).filter(|face| face.deleted_at.is_none())
    }

    /// Returns every face that is not deleted.
    pub(super) fn live_faces(&self) -> impl Iterator<Item = &FaceRecord> {
        self.live.iter().map(|place| &self.faces[*place])
    }

    /// Returns the faces a listing shows, newest first.
    ///
    /// Without a filter by model or id this costs the same for ten faces and ten thousand.
    pub(super) fn listing(&self, filter: &FaceFilter, now: Timestamp) -> Listing<'_> {
        let is_visible = |face: &FaceRecord| now.duration_since(face.added_at) >= filter.lag;
        if filter.model.is_none() && filter.ids.is_none() && !filter.with_deleted {
            // `added_at` never decreases, so the visible ones are a beginning of the list.
            let visible = self.live.partition_point(|place| is_visible(&self.faces[*place]));
            return Listing { faces: &self.faces, places: std::borrow::Cow::Borrowed(&self.live[..visible]) };
        }
        let is_wanted = |face: &FaceRecord| {
            is_visible(face)
                && (filter.with_deleted || face.deleted_at.is_none())
                && filter.model.is_none_or(|model| face.training.model == model)
        };
        let mut places: Vec<usize> = match &filter.ids {
            Some(ids) => ids.iter().filter_map(|id| self.faces.place(id)).collect(),
            None => (0..self.faces.len()).collect(),
        };
        places.retain(|place| is_wanted(&self.faces[*place]));
        places.sort_unstable();
        places.dedup();
        Listing { faces: &self.faces, places: places.into() }
    }

    pub(super) fn voices(&self) -> &[VoiceRecord] {
        &self.voices
    }

    pub(super) fn voice(&self, id: &str) -> Option<&VoiceRecord> {
        self.voices.find(id)
    }

    pub(super) fn pals(&self) -> &[PalRecord] {
        &self.pals
    }

    pub(super) fn pal(&self, id: &str) -> Option<&PalRecord> {
        self.pals.find(id)
    }

    pub(super) fn conversation(&self, id: &str) -> Option<&ConversationRecord> {
        self.conversations.get(id)
    }

    pub(super) fn trainings(&self) -> &[TrainingStarted] {
        &self.trainings
    }

    /// Returns when the last face was added.
    pub(super) fn last_added(&self) -> Option<Timestamp> {
        self.faces.last().map(|face| face.added_at)
    }

    /// Returns an id nobody ever had: `prefix`, then `digits` hexadecimal digits.
    ///
    /// Seen in the wild: face `r` + 9 to 11, PAL `p` + 11, voice `v` + 12, conversation `c` + some (2026).
    pub(super) fn fresh_id(&self, prefix: char, digits: usize) -> String {
        loop {
            let id: String = std::iter::once(prefix)
                .chain((0..digits).filter_map(|_| char::from_digit(fastrand::u32(0..16), 16)))
                .collect();
            let is_taken = self.faces.find(&id).is_some()
                || self.voice(&id).is_some()
                || self.pal(&id).is_some()
                || self.conversations.contains_key(&id)
                || catalogue::stock_face(&id).is_some();
            if !is_taken {
                return id;
            }
        }
    }
}

/// The faces of one listing, in order.
pub(super) struct Listing<'a> {
    faces: &'a [FaceRecord],
    /// Ascending; shown from the end.
    places: std::borrow::Cow<'a, [usize]>,
}

impl<'a> Listing<'a> {
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// Returns the face at a place of the listing, counted from the newest.
    pub(super) fn get(&self, place: usize) -> Option<&'a FaceRecord> {
        let place = self.places.len().checked_sub(place + 1)?;
        Some(&self.faces[self.places[place]])
    }
}
