//! Several jobs, one comment: look, take one step, look again, until what is there is what is wanted.
//!
//! # Flow
//! | there is of ours | step |
//! |---|---|
//! | none | post |
//! | a newest one by a later run, alone | done: outdated |
//! | a newest one by a later run, and others | give the oldest its text, then remove the others |
//! | the oldest says what is wanted, and others | remove the others |
//! | the oldest says what is wanted, alone | done |
//! | the oldest says something else | edit it |
//!
//! What is wanted is our own text; once we have written, it is the newest text of this run or a later one, so that two
//! jobs of one run do not take turns. Every job decides alike from what it sees, so that all end with the same one.

use std::collections::BTreeSet;

use crate::http::{ApiError, Effect, Failure};

use super::dialect::Post;
use super::document::Document;
use super::marker::{Marker, Run};
use super::{Forge, ForgeError};

/// What posts of ours stand on: the comments of a pull request, or the issues of a repository.
pub(super) trait Shelf: Sync {
    /// What is looked at, after a verb: "the comment".
    const NAME: &'static str;
    fn forge(&self) -> &Forge;
    /// Returns all of our own.
    fn look(&self) -> impl Future<Output = Result<Vec<Post>, ForgeError>> + Send;
    /// Adds one, once.
    fn post(&self, text: &str) -> impl Future<Output = Result<Post, ApiError>> + Send;
    fn edit(&self, id: u64, text: &str) -> impl Future<Output = Result<(), ApiError>> + Send;
    /// Takes one away in favour of another.
    fn remove(&self, id: u64, kept: &Post) -> impl Future<Output = Result<(), ApiError>> + Send;
}

/// What was done to a comment or an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It is new.
    Created,
    /// It was there and says something else now.
    Updated,
    /// It said all that already.
    Unchanged,
    /// It was left alone: what it says is newer.
    Outdated,
    /// It was left alone: the pull request has another commit at its head.
    Moved,
    /// It was open and is closed now.
    Closed,
    /// There is none.
    Absent,
}

/// How things stand in the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// What was done.
    pub change: Change,
    /// The id of the comment, or the number of the issue.
    pub id: Option<u64>,
    /// Where it can be read, if the forge says it.
    pub link: Option<String>,
    /// Which run wrote what stands there now.
    pub run: Option<Run>,
    /// What its marker said before; of several the newest one's.
    pub before: Option<Marker>,
    /// How many further ones of ours were taken away.
    pub removed: usize,
}

/// One of ours, with its marker.
#[derive(Debug, Clone)]
struct Found {
    marker: Marker,
    post: Post,
}

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Post,
    Edit(u64, String),
    Remove(Vec<u64>),
    Done { is_outdated: bool },
}

/// What this job did so far.
#[derive(Debug, Default)]
struct Progress {
    posts: u32,
    is_posted: bool,
    has_written: bool,
    /// What we posted, in case that a listing does not show it yet.
    own: Option<Found>,
    /// What is known to be gone, whatever a listing shows.
    gone: BTreeSet<u64>,
    removed: usize,
    before: Option<Marker>,
}

/// More looks than jobs at the same time could make sense of.
const LOOKS: u32 = 25;

/// Brings about that one post of ours is there, and says what the document says or something newer.
pub(super) async fn converge(shelf: &impl Shelf, document: &Document) -> Result<Settled, ForgeError> {
    let mut progress = Progress::default();
    for _ in 0..LOOKS {
        let found = find(shelf, document.marker(), &progress).await?;
        if progress.posts == 0 && !progress.has_written {
            progress.before = newest(&found).map(|newest| newest.marker.clone());
        }
        match next(&found, document, progress.has_written) {
            Step::Post => post(shelf, document, &mut progress).await?,
            Step::Edit(id, text) => {
                let done = shelf.edit(id, &text).await;
                note(shelf, "editing", done, id, &mut progress)?;
                progress.has_written = true;
            }
            Step::Remove(ids) => {
                let Some(kept) = found.first() else { continue };
                for id in ids {
                    let done = shelf.remove(id, &kept.post).await;
                    note(shelf, "removing a second one of", done, id, &mut progress)?;
                    progress.gone.insert(id);
                    progress.removed += 1;
                }
            }
            Step::Done { is_outdated } => return Ok(settled(found, progress, is_outdated)),
        }
    }
    Err(ForgeError::Unsettled)
}

/// Returns all of ours with a marker of this kind and project, oldest first.
async fn find(shelf: &impl Shelf, marker: &Marker, progress: &Progress) -> Result<Vec<Found>, ForgeError> {
    let mut found: Vec<Found> = of_ours(shelf.look().await?, marker);
    if let Some(own) = &progress.own
        && found.iter().all(|found| found.post.id != own.post.id)
    {
        found.push(own.clone());
    }
    found.retain(|found| !progress.gone.contains(&found.post.id));
    found.sort_by_key(|found| found.post.id);
    Ok(found)
}

fn of_ours(posts: Vec<Post>, wanted: &Marker) -> Vec<Found> {
    let read = |post: Post| Marker::read(&post.text).map(|marker| Found { marker, post });
    posts.into_iter().filter_map(read).filter(|found| found.marker.is_of(wanted)).collect()
}

/// Decides: see the table above.
fn next(found: &[Found], document: &Document, has_written: bool) -> Step {
    let own = document.marker();
    let (Some(oldest), Some(newest)) = (found.first(), newest(found)) else { return Step::Post };
    // Without a run of our own a person asked, and knows better.
    let is_outdated = own.run.is_some() && newest.marker.run > own.run;
    let is_theirs = is_outdated || (has_written && newest.marker.run >= own.run);
    let wanted = if is_theirs { newest.post.text.as_str() } else { document.text() };
    if !says(oldest, wanted, has_written) {
        return Step::Edit(oldest.post.id, wanted.to_owned());
    }
    let others: Vec<u64> = found.iter().skip(1).map(|other| other.post.id).collect();
    if others.is_empty() { Step::Done { is_outdated } } else { Step::Remove(others) }
}

/// Returns the one by the latest run; of one run the last.
fn newest(found: &[Found]) -> Option<&Found> {
    found.iter().max_by_key(|found| (found.marker.run, found.post.id))
}

/// Returns whether a post says this text. A forge may store it in its own way, such as with other line ends: once we have
/// written, the marker alone decides.
fn says(found: &Found, text: &str, has_written: bool) -> bool {
    let is_marked = Marker::read(text).is_some_and(|marker| marker == found.marker);
    is_marked && (has_written || plain(&found.post.text) == plain(text))
}

fn plain(text: &str) -> String {
    text.replace("\r\n", "\n").trim_end().to_owned()
}

/// Posts once. Where nobody knows whether that came through, the next look tells.
async fn post(shelf: &impl Shelf, document: &Document, progress: &mut Progress) -> Result<(), ForgeError> {
    progress.posts += 1;
    match shelf.post(document.text()).await {
        Ok(post) => {
            progress.is_posted = true;
            progress.has_written = true;
            progress.own = Some(Found { marker: document.marker().clone(), post });
            Ok(())
        }
        Err(error) => {
            progress.is_posted |= error.effect() != Effect::No;
            let attempt = progress.posts;
            shelf.forge().pause(&format!("writing {}", name(shelf)), error, attempt).await
        }
    }
}

fn name<S: Shelf>(_: &S) -> &'static str {
    S::NAME
}

/// Takes what is not there any more as gone: another job, or a person, was faster.
fn note<S: Shelf>(
    shelf: &S,
    doing: &str,
    done: Result<(), ApiError>,
    id: u64,
    progress: &mut Progress,
) -> Result<(), ForgeError> {
    match done {
        Ok(()) => Ok(()),
        Err(ApiError { failure: Failure::Status { status: 404 | 410, .. }, .. }) => {
            progress.gone.insert(id);
            Ok(())
        }
        Err(error) => Err(shelf.forge().failed(&format!("{doing} {}", S::NAME), error)),
    }
}

fn settled(found: Vec<Found>, progress: Progress, is_outdated: bool) -> Settled {
    let Progress { is_posted, has_written, removed, before, .. } = progress;
    let change = match (is_outdated, before.is_none() && is_posted, has_written) {
        (true, ..) => Change::Outdated,
        (_, true, _) => Change::Created,
        (_, _, true) => Change::Updated,
        _ => Change::Unchanged,
    };
    let first = found.into_iter().next();
    let run = first.as_ref().and_then(|first| first.marker.run);
    let post = first.map(|first| first.post);
    let (id, link) = post.map(|post| (post.id, post.link)).unzip();
    Settled { change, id, link: link.flatten(), run, before, removed }
}

/// Takes all of ours away, unless a later run wrote one of them.
pub(super) async fn clear<S: Shelf>(
    shelf: &S,
    marker: &Marker,
    close: impl AsyncFn(&Post) -> Result<(), ApiError>,
) -> Result<Settled, ForgeError> {
    let mut progress = Progress::default();
    let found = find(shelf, marker, &progress).await?;
    progress.before = newest(&found).map(|newest| newest.marker.clone());
    let is_outdated = marker.run.is_some() && progress.before.as_ref().is_some_and(|before| before.run > marker.run);
    let is_empty = found.is_empty();
    if !is_outdated {
        for found in &found {
            close(&found.post).await.map_err(|error| shelf.forge().failed(&format!("closing {}", S::NAME), error))?;
        }
    }
    let removed = found.len().saturating_sub(1);
    let settled = settled(found, progress, is_outdated);
    let change = match (is_outdated, is_empty) {
        (true, _) => Change::Outdated,
        (_, true) => Change::Absent,
        _ => Change::Closed,
    };
    Ok(Settled { change, removed: if is_outdated { 0 } else { removed }, ..settled })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forge::{ForgeKind, MarkerKind};

    fn document(run: Option<u64>, text: &str) -> Document {
        let run = run.map(|id| Run { id, attempt: 1 });
        let marker = Marker {
            kind: MarkerKind::Comment,
            project: "acme".parse().unwrap(),
            run,
            commit: None,
            digest: String::new(),
        };
        Document::new(text, None, marker, ForgeKind::GitHub).unwrap()
    }

    fn found(id: u64, document: &Document) -> Found {
        let text = document.text().to_owned();
        let post = Post { id, author: None, text, link: None, labels: Vec::new() };
        Found { marker: document.marker().clone(), post }
    }

    fn edit(id: u64, document: &Document) -> Step {
        Step::Edit(id, document.text().to_owned())
    }

    const DONE: Step = Step::Done { is_outdated: false };

    #[test]
    fn each_row_of_the_table_holds() {
        let (old, ours, later) = (document(Some(1), "old"), document(Some(2), "ours"), document(Some(3), "later"));
        for (row, there, step) in [
            ("none", vec![], Step::Post),
            ("ours", vec![found(5, &ours)], DONE),
            ("an older one", vec![found(5, &old)], edit(5, &ours)),
            ("a later one", vec![found(5, &later)], Step::Done { is_outdated: true }),
            ("an older and ours", vec![found(5, &old), found(6, &ours)], edit(5, &ours)),
            ("ours and an older", vec![found(5, &ours), found(6, &old)], Step::Remove(vec![6])),
            ("ours and a later", vec![found(5, &ours), found(6, &later)], edit(5, &later)),
            ("a later twice", vec![found(5, &later), found(6, &later)], Step::Remove(vec![6])),
        ] {
            assert_eq!(next(&there, &ours, false), step, "{row}");
        }
    }

    #[test]
    fn two_jobs_of_one_run_do_not_take_turns() {
        let (one, other) = (document(Some(2), "one"), document(Some(2), "other"));
        assert_eq!(next(&[found(5, &other)], &one, false), edit(5, &one));
        assert_eq!(next(&[found(5, &other)], &one, true), DONE);
        for (document, is_first) in [(&one, true), (&other, false)] {
            let there = [found(5, &one), found(6, &other)];
            assert_eq!(next(&there, document, true), edit(5, &other), "{is_first}");
        }
    }

    #[test]
    fn an_older_run_that_wrote_last_is_put_right_by_whoever_sees_it() {
        let (old, ours) = (document(Some(1), "old"), document(Some(2), "ours"));
        assert_eq!(next(&[found(5, &old)], &ours, true), edit(5, &ours));
    }

    #[test]
    fn a_person_may_say_what_a_pipeline_said_before_and_a_hand_edit_is_put_right() {
        let (run, person) = (document(Some(9), "run"), document(None, "person"));
        assert_eq!(next(&[found(5, &run)], &person, false), edit(5, &person));
        assert_eq!(next(&[found(5, &person)], &person, false), DONE);
        let mut edited = found(5, &person);
        edited.post.text.push_str("and more");
        assert_eq!(next(&[edited.clone()], &person, false), edit(5, &person));
        // A forge that gives back something else than it got would be written to for ever.
        assert_eq!(next(&[edited], &person, true), DONE);
    }
}
