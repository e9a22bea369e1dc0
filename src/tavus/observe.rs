//! Every page -> `Observed`.
//!
//! # Flow
//! 1. Page 1 first. Where it says how many faces there are, the pages that must follow are asked for side by
//!    side; beyond them, and where no total is said, one after another.
//! 2. A reading ends when as many rows as the total says are in hand, at an empty page, or at a page that shows
//!    known ids only (a server that ignores `page`). It never ends because a page is short: the server may cap
//!    `limit`.
//! 3. Is something missing, page 0 is read as well: whether faces are counted from 0 or 1 is written nowhere.
//! 4. Do the numbers still differ, or did the total change meanwhile, the whole list is read once more.
//!
//! # Guarantees
//! [`Coverage::Complete`] means: one reading showed exactly as many distinct rows as the API said there are, on
//! every page of it, or, where it says no total, ended at an empty page; and each row could be read. Anything
//! else is [`Coverage::Partial`], with everything that any reading showed: absence then proves nothing.
//!
//! # Caveats
//! One face deleted and one made between two pages can hide a third without changing any number. Nothing in the API
//! would show it, so whoever is about to act on absence asks for the face itself or, where there is no id yet, lists
//! twice.
//!
//! # Assumptions
//! Pages are offsets: a face that comes or goes meanwhile shifts the others, and is noticed by the total or by a
//! row seen twice. Time and memory grow linearly with the number of faces.

use std::collections::{BTreeMap, HashSet};

use futures_util::stream::{self, FuturesOrdered, StreamExt};

use super::{ApiError, FacePage, FaceReads, Failure};
use crate::clock::Clock;
use crate::face::{Coverage, FaceId, Observed, ObservedFace, Ownership, Sight};

#[cfg(test)]
mod tests;

/// The last page that is asked for, where the total does not ask for more: a hundred thousand faces at 100 rows. The
/// vendor's own helper gives up after 100 pages (version 0.11).
const LAST_PAGE: u32 = 1_000;
/// The last page that is asked for whatever the total says: a server may cap the page at 20 rows.
const LAST_PAGE_BY_TOTAL: u32 = 10_000;
/// Pages beyond those that the total accounts for: faces may come while they are listed.
const PAGES_BEYOND: u32 = 10;
/// The most faces that are listed: twice what facectl is made for.
const MOST_FACES: usize = 200_000;

/// Lists all of our own faces, with at most `parallelism` requests at once.
///
/// Stock faces are left out even where the API shows them. The time of the result is when the first reading
/// began, so that whatever is younger is known to be possibly missing.
///
/// # Errors
/// When a page cannot be had, or the listing has no end. Half a listing is never returned as if it were an answer.
pub async fn observe(reads: &impl FaceReads, clock: &dyn Clock, parallelism: usize) -> Result<Observed, ApiError> {
    let at = clock.now();
    let first = read_all(reads, parallelism).await?;
    let Some(doubt) = first.doubt() else { return Ok(first.observed(at)) };
    tracing::debug!(doubt, "listing the faces once more");
    let mut second = read_all(reads, parallelism).await?;
    if let Some(doubt) = second.doubt() {
        second.unsure = Some(doubt);
        for (id, face) in first.faces {
            second.faces.entry(id).or_insert(face);
        }
    }
    Ok(second.observed(at))
}

/// Asks for single faces, to learn what rows of a listing do not say: why a training failed (the listing has no
/// `error_message`; OpenAPI document, August 2026).
///
/// A face that cannot be had keeps its row, and its reason then says why it is not known: one lost sentence must
/// not stop a run.
///
/// # Errors
/// When the key is refused.
pub async fn details(
    reads: &impl FaceReads,
    observed: &mut Observed,
    ids: &[FaceId],
    parallelism: usize,
) -> Result<(), ApiError> {
    let mut answers = stream::iter(ids.iter().map(|id| reads.face(id))).buffered(parallelism.max(1));
    for id in ids {
        let Some(answer) = answers.next().await else { break };
        let Some(row) = observed.faces.get_mut(id) else { continue };
        match answer {
            Ok(Some(face)) if face.ownership != Ownership::System => *row = face,
            // Gone since the listing, which stays what it was: the next one will tell.
            Ok(_) => {}
            Err(error) if error.is_key_refused() => return Err(error),
            Err(error) => row.error = Some(format!("(the reason could not be read: {error})")),
        }
    }
    Ok(())
}

/// One reading of the whole list.
#[derive(Debug, Default)]
struct Reading {
    /// Our own faces.
    faces: BTreeMap<FaceId, ObservedFace>,
    /// Stock faces, which count towards the total where the API ignores the filter.
    strangers: HashSet<FaceId>,
    unreadable: usize,
    /// Which row that cannot be read came first, and why.
    first_unreadable: Option<String>,
    total: Option<usize>,
    /// Two pages said different totals.
    moved: bool,
    end: Option<End>,
    /// Set from outside: why the result is not the whole, whatever the numbers say.
    unsure: Option<String>,
}

/// What ended a reading, other than having everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    EmptyPage,
    KnownPage,
}

async fn read_all(reads: &impl FaceReads, parallelism: usize) -> Result<Reading, ApiError> {
    let mut reading = Reading::default();
    let first = located(reads.face_page(1).await?, 1);
    let page_size = first.faces.len() + first.unreadable_rows;
    reading.take(first, true);
    // Every page but the last is as long as the first, so that many must exist.
    let expected = match reading.total {
        None => 1,
        Some(total) if total > MOST_FACES => LAST_PAGE,
        Some(total) => u32::try_from(total.div_ceil(page_size.max(1))).unwrap_or(LAST_PAGE_BY_TOTAL),
    };
    let last_page = if expected <= LAST_PAGE { LAST_PAGE } else { expected.saturating_add(PAGES_BEYOND) };
    let last_page = last_page.min(LAST_PAGE_BY_TOTAL);

    let mut queue = FuturesOrdered::new();
    let (mut next, mut number) = (2, 2);
    while !reading.is_over() {
        while next <= last_page && (queue.is_empty() || (next <= expected && queue.len() < parallelism)) {
            queue.push_back(reads.face_page(next));
            next += 1;
        }
        match queue.next().await {
            Some(page) => reading.take(located(page?, number), number < expected),
            None => return Err(endless(&reading, number - 1)),
        }
        if reading.seen() > MOST_FACES {
            return Err(endless(&reading, number));
        }
        number += 1;
    }
    drop(queue);
    if reading.may_lack_page_0() {
        match reads.face_page(0).await {
            Ok(page) => reading.take_page_0(located(page, 0)),
            // A server that counts from 1 may well refuse it: then there is nothing there.
            Err(ApiError { failure: Failure::Status { status: 400 | 404 | 422, .. }, .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(reading)
}

/// Says on which page the first row is that cannot be read.
fn located(page: FacePage, number: u32) -> FacePage {
    FacePage { first_unreadable: page.first_unreadable.map(|why| format!("page {number}, {why}")), ..page }
}

/// A listing that goes on and on: whatever it is, it is none of the faces of an account.
fn endless(reading: &Reading, pages: u32) -> ApiError {
    let total = reading.total.map_or_else(|| "says no total".to_owned(), |total| format!("counts {total} faces"));
    let why = format!("the listing has no end: {} faces on {pages} pages, and the API {total}", reading.seen());
    ApiError { method: "GET", path: "/v2/faces".to_owned(), failure: Failure::Unreadable { status: 200, why } }
}

impl Reading {
    fn seen(&self) -> usize {
        self.faces.len() + self.strangers.len() + self.unreadable
    }

    fn has_all(&self) -> bool {
        self.total == Some(self.seen())
    }

    fn is_over(&self) -> bool {
        self.end.is_some() || self.has_all()
    }

    /// Adds a page. `is_followed` says that more pages must exist.
    fn take(&mut self, page: FacePage, is_followed: bool) {
        let rows = page.faces.len() + page.unreadable_rows;
        // A page of nothing but unreadable rows is not one of known ids, as long as others are to come.
        let is_blur = page.unreadable_rows > 0 && is_followed;
        let new = self.add(page);
        if rows == 0 {
            self.end = Some(End::EmptyPage);
        } else if new == 0 && !is_blur {
            self.end = Some(End::KnownPage);
        }
    }

    fn take_page_0(&mut self, page: FacePage) {
        // The rows of a page that is page 1 under another number were counted there.
        let (unreadable, moved) = (page.unreadable_rows, self.moved);
        if self.add(page) == 0 {
            self.unreadable -= unreadable;
            self.moved = moved;
        }
    }

    /// Returns how many ids were new.
    fn add(&mut self, page: FacePage) -> usize {
        let FacePage { faces, unreadable_rows, first_unreadable, total_count } = page;
        self.first_unreadable = self.first_unreadable.take().or(first_unreadable);
        if let Some(total) = total_count {
            self.moved |= self.total.is_some_and(|before| before != total);
            self.total = Some(total);
        }
        self.unreadable += unreadable_rows;
        let before = self.faces.len() + self.strangers.len();
        for face in faces {
            if face.ownership == Ownership::System {
                self.strangers.insert(face.id);
            } else {
                // The later row is the younger one.
                self.faces.insert(face.id.clone(), face);
            }
        }
        self.faces.len() + self.strangers.len() - before
    }

    fn may_lack_page_0(&self) -> bool {
        self.total.is_none_or(|total| self.seen() < total)
    }

    /// Returns why this reading may not be the whole, if it may not.
    fn doubt(&self) -> Option<String> {
        let seen = self.seen();
        match (self.total, self.end) {
            _ if self.moved => Some("faces came or went while they were listed".to_owned()),
            (Some(total), _) if total != seen => Some(format!("the API counts {total} faces and lists {seen}")),
            (None, Some(End::KnownPage)) => {
                Some("the API says no total and repeats a page, so that more may follow".to_owned())
            }
            _ => None,
        }
    }

    fn observed(self, at: jiff::Timestamp) -> Observed {
        let coverage = match (self.unsure, self.unreadable) {
            (Some(doubt), _) => Coverage::Partial(doubt),
            (None, 0) => Coverage::Complete,
            (None, rows) => {
                let what = if rows == 1 { "1 row".to_owned() } else { format!("{rows} rows") };
                let first = self.first_unreadable.map_or_else(String::new, |first| format!(" ({first})"));
                Coverage::Partial(format!("{what} of the listing cannot be read{first}"))
            }
        };
        Observed { at, coverage, sight: Sight::Live, faces: self.faces, pals: None, material: BTreeMap::new() }
    }
}
