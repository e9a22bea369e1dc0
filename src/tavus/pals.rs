//! Which PALs use which face, and pointing one of them to another face.
//!
//! # Assumptions
//! - Stock PALs and PALs that are in neither filter come with the listing only where no filter is given (seen in
//!   2026: 46 = 10 own + 30 stock + 6 in neither), so none is given.
//! - Pages are offsets, as for faces, and whether they are counted from 0 or 1 is disputed (documentation 1, the
//!   vendor's own client 0): page 0 is read as well where rows are missing.

use std::collections::BTreeMap;

use super::{ApiError, FaceApi, FaceReads, Failure};
use crate::face::{FaceId, ObservedPals, Pal, PalId};

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
    if reading.doubt().is_some() {
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
            false => reads.pal(&id).await?,
        };
        if let Some(PalRow { pal, default_face: Some(face), .. }) = row {
            by_face.entry(face).or_default().push(pal);
        }
    }
    Ok(ObservedPals { missing, by_face })
}

#[derive(Debug, Default)]
struct Reading {
    rows: BTreeMap<PalId, PalRow>,
    unreadable: usize,
    total: Option<usize>,
    /// Why the reading ended before everything was in hand.
    is_cut: bool,
}

async fn read(reads: &impl FaceReads) -> Result<Reading, ApiError> {
    let mut reading = Reading { is_cut: true, ..Reading::default() };
    for number in 1..=LAST_PAGE {
        let page = reads.pal_page(number).await?;
        // An empty page is the end, and so is one of known ids only: a server that ignores `page`.
        if reading.add(page) == 0 || reading.has_all() {
            reading.is_cut = false;
            break;
        }
    }
    if !reading.has_all() && reading.total.is_some() {
        match reads.pal_page(0).await {
            Ok(page) => {
                let unreadable = reading.unreadable;
                reading.add(page);
                reading.unreadable = unreadable;
            }
            // A server that counts from 1 may well refuse it: then there is nothing there.
            Err(ApiError { failure: Failure::Status { status: 400 | 404 | 422, .. }, .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(reading)
}

impl Reading {
    /// Adds a page; returns how many ids were new.
    fn add(&mut self, page: PalPage) -> usize {
        let PalPage { pals, unreadable_rows, total_count } = page;
        self.total = total_count.or(self.total);
        let before = self.rows.len();
        self.rows.extend(pals.into_iter().map(|row| (row.pal.id.clone(), row)));
        let new = self.rows.len() - before;
        // Rows of a page that was read before were counted there.
        if new > 0 || before == 0 {
            self.unreadable += unreadable_rows;
        }
        new
    }

    fn has_all(&self) -> bool {
        self.total == Some(self.rows.len() + self.unreadable)
    }

    /// Returns why this reading may not be the whole, if it may not.
    fn doubt(&self) -> Option<String> {
        match (self.total, self.unreadable) {
            _ if self.is_cut => Some(format!("the listing of PALs has more than {LAST_PAGE} pages")),
            (_, unreadable @ 1..) => Some(format!("{unreadable} rows of the listing of PALs cannot be read")),
            (Some(total), _) if total != self.rows.len() => {
                Some(format!("the API counts {total} PALs and lists {}", self.rows.len()))
            }
            _ => None,
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
