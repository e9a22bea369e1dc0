//! Every voice that could be named, from both kinds of listing.
//!
//! # Flow
//! The plain listing has stock voices by their slug, mostly without an id; with `source=all` there are voices with an
//! id (voice pages, docs.tavus.io, September and October 2026). Which rows a server shows in which of them has
//! changed over time, so both are read and put together. A server that does not know `source` refuses the second,
//! or repeats the first: either is no loss.
//!
//! # Guarantees
//! Each listing is read as that of faces is (`observe.rs`): until as many rows as the total says are in hand, an
//! empty page, or a page that shows known rows only; never because a page is short; and page 0 as well where
//! something is missing. What cannot be made sure of is said in [`Voices::doubt`].

use std::collections::{BTreeMap, HashSet};

use super::{ApiError, FaceReads, Failure};
use crate::face::ListedVoice;

#[cfg(test)]
mod tests;

/// The last page that is asked for: 50,000 voices at 100 rows. One account saw 40 (October 2026).
const LAST_PAGE: u32 = 500;

/// Which voices are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VoiceQuery {
    /// A part of the name, which the server may look for, with or without a care for case.
    pub search: Option<String>,
    /// Ask for voices of all sources, and not only for stock voices by their slug.
    pub is_of_all_sources: bool,
}

/// One page of a listing of voices.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VoicePage {
    /// The rows that could be read.
    pub voices: Vec<ListedVoice>,
    /// Rows without a name and a usable id.
    pub unreadable_rows: usize,
    /// How many voices match in all, where the API says it.
    pub total_count: Option<usize>,
}

/// Every voice that was shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Voices {
    /// The voices, by name.
    pub voices: Vec<ListedVoice>,
    /// Why these may not be all, if they may not.
    pub doubt: Option<String>,
}

/// Lists the voices whose name has a part, whatever its case; all where none is given.
///
/// # Errors
/// When a page cannot be had.
pub async fn list_voices(reads: &impl FaceReads, search: Option<&str>) -> Result<Voices, ApiError> {
    let mut query = VoiceQuery { search: search.map(str::to_owned), is_of_all_sources: false };
    let plain = read_all(reads, &query).await?;
    query.is_of_all_sources = true;
    let all = match read_all(reads, &query).await {
        Ok(reading) => reading,
        Err(error) if is_refused_query(&error) => Reading::default(),
        Err(error) => return Err(error),
    };
    let doubt = plain.doubt().or_else(|| all.doubt());
    let part = search.map(str::to_lowercase);
    let is_meant = |voice: &ListedVoice| part.as_ref().is_none_or(|part| voice.name.to_lowercase().contains(part));
    let mut voices = BTreeMap::new();
    for voice in plain.rows.into_iter().chain(all.rows).filter(is_meant) {
        let name = voice.name.to_lowercase();
        let identity = (name, voice.id.as_ref().map(ToString::to_string));
        voices.entry(identity).or_insert(voice);
    }
    Ok(Voices { voices: voices.into_values().collect(), doubt })
}

/// Returns what a row is told apart by within one listing.
fn identity(voice: &ListedVoice) -> String {
    match &voice.id {
        Some(id) => format!("id {id}"),
        None => format!("slug {} {}", voice.name.to_lowercase(), voice.linked_face.as_deref().unwrap_or_default()),
    }
}

/// A server that counts pages from 1, or does not know a parameter, may well refuse it.
fn is_refused_query(error: &ApiError) -> bool {
    matches!(error.failure, Failure::Status { status: 400 | 404 | 422, .. })
}

/// One reading of one listing.
#[derive(Debug, Default)]
struct Reading {
    rows: Vec<ListedVoice>,
    known: HashSet<String>,
    unreadable: usize,
    total: Option<usize>,
    end: Option<End>,
}

/// What ended a reading, other than having everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    EmptyPage,
    KnownPage,
    TooManyPages,
}

async fn read_all(reads: &impl FaceReads, query: &VoiceQuery) -> Result<Reading, ApiError> {
    let mut reading = Reading::default();
    for page in 1..=LAST_PAGE {
        reading.take(reads.voice_page(page, query).await?);
        if reading.end.is_some() || reading.has_all() {
            break;
        }
    }
    if reading.end.is_none() && !reading.has_all() {
        reading.end = Some(End::TooManyPages);
    } else if reading.total.is_none_or(|total| reading.seen() < total) {
        match reads.voice_page(0, query).await {
            Ok(page) => drop(reading.add(page)),
            Err(error) if is_refused_query(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(reading)
}

impl Reading {
    fn seen(&self) -> usize {
        self.rows.len() + self.unreadable
    }

    fn has_all(&self) -> bool {
        self.total == Some(self.seen())
    }

    fn take(&mut self, page: VoicePage) {
        let (rows, unreadable) = (page.voices.len() + page.unreadable_rows, page.unreadable_rows);
        let new = self.add(page);
        self.unreadable += unreadable;
        if rows == 0 {
            self.end = Some(End::EmptyPage);
        } else if new == 0 {
            self.end = Some(End::KnownPage);
        }
    }

    /// Returns how many rows were new. Those that cannot be read are left to the caller.
    fn add(&mut self, page: VoicePage) -> usize {
        let VoicePage { voices, unreadable_rows: _, total_count } = page;
        self.total = total_count.or(self.total);
        let before = self.rows.len();
        for voice in voices {
            if self.known.insert(identity(&voice)) {
                self.rows.push(voice);
            }
        }
        self.rows.len() - before
    }

    /// Returns why this reading may not be the whole, if it may not.
    fn doubt(&self) -> Option<String> {
        let seen = self.seen();
        match (self.total, self.end) {
            (_, Some(End::TooManyPages)) => Some(format!("the listing has more than {LAST_PAGE} pages")),
            (Some(total), _) if total != seen => Some(format!("the API counts {total} voices and lists {seen}")),
            (None, Some(End::KnownPage)) => Some("the API says no total and repeats a page".to_owned()),
            _ if self.unreadable > 0 => Some(format!("{} of its rows cannot be read", self.unreadable)),
            _ => None,
        }
    }
}
