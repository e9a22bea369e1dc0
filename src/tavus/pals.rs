//! Which PALs use which face, and pointing one of them to another face.
//!
//! # Flow
//! A listing of PALs is read as one of faces is (`observe.rs`), page after page: until as many rows as the total
//! says are in hand, at an empty page, or at one that shows known ids only. Is something missing then, or is no
//! total said, page 0 is read as well. A reading that leaves a doubt is made once more.
//!
//! # Guarantees
//! [`ObservedPals::missing`] is none only where one reading showed exactly as many PALs as the API said there are,
//! on every page of it, or, where it says no total, ended at an empty page, and where each row could be read.
//! Anything else proves of no face that it is used by none; what any reading showed counts as used.
//!
//! # Assumptions
//! - Stock PALs and PALs that are in neither filter come with the listing only where no filter is given (seen in
//!   2026: 46 = 10 own + 30 stock + 6 in neither), so none is given.
//! - Pages are offsets, as for faces, and whether they are counted from 0 or 1 is disputed (documentation 1, the
//!   vendor's own client 0).

use std::collections::BTreeMap;

use super::{ApiError, FaceApi, FaceReads, Failure, is_unknown_id};
use crate::face::{FaceId, ObservedPals, Pal, PalId};

#[cfg(test)]
mod tests;

/// One page of a listing of PALs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PalPage {
    /// The rows that have a readable id.
    pub pals: Vec<PalRow>,
    /// Rows that could not be read as a PAL.
    pub unreadable_rows: usize,
    /// How many there are in all, where the API says it.
    pub total_count: Option<usize>,
}

/// One PAL, as far as faces go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PalRow {
    /// Which one.
    pub pal: Pal,
    /// The face it uses; none where it uses none.
    pub default_face: Option<FaceId>,
    /// Whether the row says anything about the face at all.
    pub is_said: bool,
}

/// What came of pointing a PAL to another face: what it shows now, not what the answer claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repointed {
    /// It uses the new face.
    Done,
    /// It is gone, or uses a third face by now: there is nothing left to do.
    NoLongerOurs,
    /// Somebody has unpublished edits in the web editor, which forcing would discard (409 `maker_changes`, PAL
    /// pages, October 2026). It still uses the old face.
    UnpublishedEdits,
    /// The API said that it is done, and the PAL still shows the old face: an older page says that a change
    /// becomes a draft, which a person must publish (July 2026).
    NotPublished,
}

/// The last page that is asked for.
const LAST_PAGE: u32 = 1_000;

/// Lists the PALs and says which face each of them uses.
///
/// # Errors
/// When a page cannot be had.
pub async fn observe_pals(reads: &impl FaceReads) -> Result<ObservedPals, ApiError> {
    let mut reading = read(reads).await?;
    let mut missing = None;
    if reading.end == Some(End::TooManyPages) {
        // What has no end has none when it is read again.
        missing = reading.doubt();
    } else if reading.doubt().is_some() {
        let second = read(reads).await?;
        let first = std::mem::replace(&mut reading, second);
        missing = reading.doubt();
        if missing.is_some() {
            // What either of them showed is in use.
            for (id, row) in first.rows {
                reading.rows.entry(id).or_insert(row);
            }
        }
    }
    let mut by_face: BTreeMap<FaceId, Vec<Pal>> = BTreeMap::new();
    for (id, row) in reading.rows {
        let row = match row.is_said {
            true => Some(row),
            false => match reads.pal(&id).await {
                // It is listed, so this proves nothing: it may use any face.
                Err(error) if is_unknown_id(&error) => {
                    missing = missing.or_else(|| Some(format!("PAL {id} is listed, and cannot be looked at: {error}")));
                    None
                }
                row => row?,
            },
        };
        // Looked at by itself, a PAL that says nothing about a face uses none (seen in 2026); or it is gone by now.
        if let Some(PalRow { pal, default_face: Some(face), .. }) = row {
            by_face.entry(face).or_default().push(pal);
        }
    }
    Ok(ObservedPals { missing, by_face })
}

/// One reading of the whole list.
#[derive(Debug, Default)]
struct Reading {
    rows: BTreeMap<PalId, PalRow>,
    unreadable: usize,
    total: Option<usize>,
    /// Two pages said different totals.
    is_moved: bool,
    end: Option<End>,
}

/// What ended a reading, other than having everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    EmptyPage,
    KnownPage,
    TooManyPages,
}

async fn read(reads: &impl FaceReads) -> Result<Reading, ApiError> {
    let mut reading = Reading::default();
    let first = reads.pal_page(1).await?;
    let page_size = first.pals.len() + first.unreadable_rows;
    reading.take(first, true);
    // Every page but the last is as long as the first, so that many must exist.
    let expected = reading.total.map_or(1, |total| total.div_ceil(page_size.max(1)));
    let mut number = 1;
    while !reading.is_over() {
        number += 1;
        if number > LAST_PAGE {
            reading.end = Some(End::TooManyPages);
            break;
        }
        let is_followed = usize::try_from(number).is_ok_and(|number| number < expected);
        reading.take(reads.pal_page(number).await?, is_followed);
    }
    if reading.may_lack_page_0() {
        match reads.pal_page(0).await {
            Ok(page) => reading.take_page_0(page),
            // A server that counts from 1 may well refuse it: then there is nothing there.
            Err(ApiError { failure: Failure::Status { status: 400 | 404 | 422, .. }, .. }) => {}
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

    fn is_over(&self) -> bool {
        self.end.is_some() || self.has_all()
    }

    /// Adds a page. `is_followed` says that more pages must exist.
    fn take(&mut self, page: PalPage, is_followed: bool) {
        let rows = page.pals.len() + page.unreadable_rows;
        // A page of nothing but unreadable rows is not one of known ids, as long as others are to come.
        let is_blur = page.unreadable_rows > 0 && is_followed;
        let new = self.add(page);
        if rows == 0 {
            self.end = Some(End::EmptyPage);
        } else if new == 0 && !is_blur {
            self.end = Some(End::KnownPage);
        }
    }

    fn take_page_0(&mut self, page: PalPage) {
        // The rows of a page that is page 1 under another number were counted there.
        let (unreadable, is_moved) = (page.unreadable_rows, self.is_moved);
        if self.add(page) == 0 {
            self.unreadable -= unreadable;
            self.is_moved = is_moved;
        }
    }

    /// Returns how many ids were new.
    fn add(&mut self, page: PalPage) -> usize {
        let PalPage { pals, unreadable_rows, total_count } = page;
        if let Some(total) = total_count {
            self.is_moved |= self.total.is_some_and(|before| before != total);
            self.total = Some(total);
        }
        self.unreadable += unreadable_rows;
        let before = self.rows.len();
        self.rows.extend(pals.into_iter().map(|row| (row.pal.id.clone(), row)));
        self.rows.len() - before
    }

    fn may_lack_page_0(&self) -> bool {
        self.end != Some(End::TooManyPages) && self.total.is_none_or(|total| self.seen() < total)
    }

    /// Returns why this reading may not be the whole, if it may not.
    fn doubt(&self) -> Option<String> {
        match (self.total, self.end) {
            (_, Some(End::TooManyPages)) => Some(format!("the listing of PALs has more than {LAST_PAGE} pages")),
            _ if self.is_moved => Some("PALs came or went while they were listed".to_owned()),
            (Some(total), _) if total != self.seen() => {
                Some(format!("the API counts {total} PALs and lists {}", self.seen()))
            }
            (None, Some(End::KnownPage)) => {
                Some("the API says no total of PALs and repeats a page, so that more may follow".to_owned())
            }
            _ => match self.unreadable {
                0 => None,
                1 => Some("1 row of the listing of PALs cannot be read".to_owned()),
                rows => Some(format!("{rows} rows of the listing of PALs cannot be read")),
            },
        }
    }
}

/// Points a PAL from one face to another and looks what came of it.
///
/// # Guarantees
/// Nothing is forced. A PAL that uses a third face by now is left alone.
///
/// # Errors
/// When it cannot be found out what the PAL uses now, or the API refused for a reason of its own.
pub async fn repoint(api: &impl FaceApi, id: &PalId, from: &FaceId, to: &FaceId) -> Result<Repointed, ApiError> {
    let sent = api.patch_pal(id, from, to).await;
    if let Err(error) = &sent
        && error.is_key_refused()
    {
        return Err(error.clone());
    }
    // Whatever the answer was: what counts is what the PAL uses now.
    let now = api.pal(id).await?.and_then(|row| row.default_face);
    match (sent, now) {
        (_, Some(now)) if now == *to => Ok(Repointed::Done),
        (sent, Some(now)) if now == *from => match sent {
            Ok(()) => Ok(Repointed::NotPublished),
            Err(ApiError { failure: Failure::Status { status: 409, .. }, .. }) => Ok(Repointed::UnpublishedEdits),
            Err(error) => Err(error),
        },
        (_, _) => Ok(Repointed::NoLongerOurs),
    }
}
