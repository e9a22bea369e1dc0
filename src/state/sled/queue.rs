//! Commits that come at about the same time are written as one.
//!
//! Each is as durable when it returns as it would be alone, and either all of it is or none. While one batch is
//! on its way to the disk, what comes meanwhile waits, and goes with the next: a flush for each batch, not for each
//! commit. Who comes alone waits for nobody.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::super::{Change, StateError};

/// Where changes wait, and what is needed to write them, which one thread has at a time.
#[derive(Debug, Default)]
pub(super) struct Queue<W> {
    waiting: Mutex<Vec<(Change, Ticket)>>,
    writer: Mutex<W>,
}

/// Where the result of a commit is left for whoever waits for it.
type Ticket = Arc<Mutex<Option<Result<u64, StateError>>>>;

impl<W> Queue<W> {
    /// Lets nobody write until `work` is done with what is needed to write.
    pub(super) fn alone<R>(&self, work: impl FnOnce(&mut W) -> R) -> R {
        work(&mut lock(&self.writer))
    }

    /// Writes a change, with all that wait, and returns its serial once it is durable. `write` returns the serials in
    /// the order of the changes.
    ///
    /// # Errors
    /// Inside, what `write` said. Outside, when the thread that wrote it is gone, and nobody knows what became of it.
    pub(super) fn commit(
        &self,
        change: Change,
        write: impl FnOnce(&[Change], &mut W) -> Result<Vec<u64>, StateError>,
    ) -> Result<Result<u64, StateError>, String> {
        let ticket = Ticket::default();
        lock(&self.waiting).push((change, Arc::clone(&ticket)));
        let mut writer = lock(&self.writer);
        // Whoever had the writer before may have taken this one along.
        if let Some(done) = lock(&ticket).take() {
            return Ok(done);
        }
        let (changes, tickets): (Vec<Change>, Vec<Ticket>) =
            std::mem::take(&mut *lock(&self.waiting)).into_iter().unzip();
        let written = if changes.is_empty() { Ok(Vec::new()) } else { write(&changes, &mut writer) };
        match written {
            Ok(serials) => {
                for (ticket, serial) in tickets.iter().zip(serials) {
                    *lock(ticket) = Some(Ok(serial));
                }
            }
            Err(error) => {
                // Each of them is told. One says what the error was, the others what was said.
                let said = chain(&error);
                for other in tickets.iter().filter(|other| !Arc::ptr_eq(other, &ticket)) {
                    let source = std::io::Error::other(said.clone());
                    *lock(other) = Some(Err(StateError::Io { action: "write", path: "the state".into(), source }));
                }
                *lock(&ticket) = Some(Err(error));
            }
        }
        let done = lock(&ticket).take();
        done.ok_or_else(|| "the thread that was to write it ended; what became of it is not known".to_owned())
    }
}

/// Returns an error with its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    fn change(key: &str) -> Change {
        Change { faces: vec![(key.parse().unwrap(), None)], ..Change::default() }
    }

    fn failed() -> StateError {
        StateError::Io { action: "write", path: "db".into(), source: std::io::Error::other("the disk is full") }
    }

    /// Commits one change whose write is held until three more wait, and returns what became of those.
    fn three_behind_one(
        write: impl Fn(&[Change]) -> Result<Vec<u64>, StateError> + Sync,
    ) -> (Vec<Result<u64, String>>, Vec<usize>) {
        let (queue, batches) = (Queue::<()>::default(), Mutex::new(Vec::new()));
        let write = |changes: &[Change]| {
            lock(&batches).push(changes.len());
            write(changes)
        };
        let told = |done: Result<Result<u64, StateError>, String>| done.unwrap().map_err(|error| chain(&error));
        let (begun, is_begun) = mpsc::channel();
        let done = thread::scope(|scope| {
            let (queue, write) = (&queue, &write);
            let first = scope.spawn(move || {
                told(queue.commit(change("first"), |changes, ()| {
                    begun.send(()).unwrap();
                    while lock(&queue.waiting).len() < 3 {
                        thread::yield_now();
                    }
                    write(changes)
                }))
            });
            is_begun.recv().unwrap();
            let others =
                ["a", "b", "c"].map(|key| scope.spawn(move || told(queue.commit(change(key), |all, ()| write(all)))));
            first.join().unwrap().unwrap();
            others.map(|other| other.join().unwrap()).into()
        });
        (done, batches.into_inner().unwrap())
    }

    #[test]
    fn what_waits_is_written_as_one_and_each_gets_its_own_serial() {
        let next = Mutex::new(0);
        let (done, batches) = three_behind_one(|changes| {
            let serials = changes.iter().map(|_| {
                *lock(&next) += 1;
                *lock(&next)
            });
            Ok(serials.collect())
        });
        assert_eq!(batches, [1, 3]);
        assert_eq!(done.into_iter().map(Result::unwrap).collect::<BTreeSet<_>>(), [2, 3, 4].into());
    }

    #[test]
    fn where_writing_fails_all_that_were_in_it_are_told_and_the_next_one_is_tried() {
        let (done, batches) = three_behind_one(|changes| if changes.len() == 3 { Err(failed()) } else { Ok(vec![1]) });
        assert_eq!(batches, [1, 3]);
        for error in done {
            assert!(error.as_ref().unwrap_err().contains("the disk is full"), "{error:?}");
        }
    }

    #[test]
    fn who_was_taken_along_by_a_thread_that_died_is_told_that_nothing_is_known() {
        let queue = Queue::<()>::default();
        let (taken, is_taken) = mpsc::channel();
        thread::scope(|scope| {
            let dying = scope.spawn(|| {
                let died = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                    queue.commit(change("dying"), |_, ()| {
                        taken.send(()).unwrap();
                        while lock(&queue.waiting).is_empty() {
                            thread::yield_now();
                        }
                        // As if it had been taken along, and then the thread died.
                        lock(&queue.waiting).clear();
                        panic!("on purpose")
                    })
                }));
                assert!(died.is_err());
            });
            is_taken.recv().unwrap();
            let other = queue.commit(change("other"), |_, ()| Ok(vec![1]));
            assert!(other.unwrap_err().contains("not known"));
            dying.join().unwrap();
        });
        assert_eq!(queue.commit(change("next"), |_, ()| Ok(vec![1])).unwrap().unwrap(), 1);
    }
}
