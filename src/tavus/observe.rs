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

use super::in_order::InOrder;
use super::{ApiError, FacePage, FaceReads, Failure};
use crate::clock::Clock;
use crate::face::{Coverage, FaceId, Observed, ObservedFace, Ownership, Sight};

#[cfg(test)]
mod tests;

/// The last page that is asked for: a million faces at 100 rows, a hundred thousand at 10. The vendor's own
/// helper gives up after 100 pages (version 0.11).
const LAST_PAGE: u32 = 10_000;

/// Lists all of our own faces, with at most `parallelism` requests at once.
///
/// Stock faces are left out even where the API shows them. The time of the result is when the first reading
/// began, so that whatever is younger is known to be possibly missing.
///
/// # Errors
/// When a page cannot be had. Half a listing is never returned as if it were an answer.
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
    let mut queue = InOrder::new();
    let mut waiting = ids.iter();
    let mut asked = ids.iter();
    loop {
        while queue.len() < parallelism.max(1)
            && let Some(id) = waiting.next()
        {
            queue.push(reads.face(id));
        }
        let (Some(answer), Some(id)) = (queue.next().await, asked.next()) else { return Ok(()) };
        let Some(row) = observed.faces.get_mut(id) else { continue };
        match answer {
            Ok(Some(face)) if face.ownership != Ownership::System => *row = face,
            // Gone since the listing, which stays what it was: the next one will tell.
            Ok(_) => {}
            Err(error) if error.is_key_refused() => return Err(error),
            Err(error) => row.error = Some(format!("(the reason could not be read: {error})")),
        }
    }
}

/// One reading of the whole list.
#[derive(Debug, Default)]
struct Reading {
    /// Our own faces.
    faces: BTreeMap<FaceId, ObservedFace>,
    /// Stock faces, which count towards the total where the API ignores the filter.
    strangers: HashSet<FaceId>,
    unreadable: usize,
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
    TooManyPages,
}

async fn read_all(reads: &impl FaceReads, parallelism: usize) -> Result<Reading, ApiError> {
    let mut reading = Reading::default();
    let first = reads.face_page(1).await?;
    let page_size = first.faces.len() + first.unreadable_rows;
    reading.take(first, true);
    // Every page but the last is as long as the first, so that many must exist.
    let expected = reading.total.map_or(1, |total| total.div_ceil(page_size.max(1)));
    let expected = u32::try_from(expected).unwrap_or(LAST_PAGE).min(LAST_PAGE);

    let mut queue = InOrder::new();
    let (mut next, mut number) = (2, 2);
    while !reading.is_over() {
        while next <= LAST_PAGE && (queue.len() == 0 || (next <= expected && queue.len() < parallelism)) {
            queue.push(reads.face_page(next));
            next += 1;
        }
        match queue.next().await {
            Some(page) => reading.take(page?, number < expected),
            None => reading.end = Some(End::TooManyPages),
        }
        number += 1;
    }
    drop(queue);
    if reading.may_lack_page_0() {
        match reads.face_page(0).await {
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
        let FacePage { faces, unreadable_rows, total_count } = page;
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
        self.end != Some(End::TooManyPages) && self.total.is_none_or(|total| self.seen() < total)
    }

    /// Returns why this reading may not be the whole, if it may not.
    fn doubt(&self) -> Option<String> {
        let seen = self.seen();
        match (self.total, self.end) {
            (_, Some(End::TooManyPages)) => Some(format!("the listing has more than {LAST_PAGE} pages")),
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
            (None, 1) => Coverage::Partial("1 row of the listing cannot be read".to_owned()),
            (None, rows) => Coverage::Partial(format!("{rows} rows of the listing cannot be read")),
        };
        Observed { at, coverage, sight: Sight::Live, faces: self.faces, pals: None, material: BTreeMap::new() }
    }
}
