//! Which connections are served at once, and which one goes when another comes.
//!
//! Every connection is accepted. Where all places are taken, the connection goes that has been idle longest: a stranger
//! who sends nothing, or a client that keeps its connection for later and opens another one then. So probes are answered
//! beside any number of strangers, from any address, and the number of open files stays bounded.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::AbortHandle;
use tokio::time::Instant;

/// The most connections that are served at once.
pub(super) const MOST: usize = 256;
/// The fewest, however few files this process may open.
const FEWEST: usize = 16;
/// How long a new connection is let be: its first request may still be on its way.
const GRACE: Duration = Duration::from_millis(50);

/// What a connection is doing.
#[derive(Debug)]
pub(super) struct Visit(Mutex<Doing>);

#[derive(Debug, Clone, Copy)]
struct Doing {
    /// Whether a request of it is being answered.
    is_served: bool,
    /// Since when it is as it is.
    since: Instant,
}

impl Visit {
    /// Returns what a connection is doing that was just accepted.
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(Doing { is_served: false, since: Instant::now() })))
    }

    /// Notes that a request is being answered, for as long as what is returned lives.
    pub(super) fn serve(self: &Arc<Self>) -> Serving {
        self.note(true);
        Serving(Arc::clone(self))
    }

    fn note(&self, is_served: bool) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Doing { is_served, since: Instant::now() };
    }

    fn doing(&self) -> Doing {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that is being answered.
pub(super) struct Serving(Arc<Visit>);

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.note(false);
    }
}

/// The connections that are open.
#[derive(Debug)]
pub(super) struct Places {
    most: usize,
    taken: Vec<(Arc<Visit>, AbortHandle)>,
}

impl Places {
    pub(super) fn new(most: usize) -> Self {
        Self { most, taken: Vec::new() }
    }

    /// Notes a connection that is being served.
    pub(super) fn take(&mut self, visit: Arc<Visit>, connection: AbortHandle) {
        self.taken.push((visit, connection));
    }

    /// Makes room for one more: closes the connection that has been idle longest, and where none is idle, the one whose
    /// request takes longest. Waits a moment where all of them are new.
    pub(super) async fn make_room(&mut self) {
        self.forget_closed();
        if self.taken.len() >= self.most {
            self.close_one().await;
        }
    }

    /// Closes one, if there is any: the system has no file left for another.
    pub(super) async fn give_back(&mut self) {
        self.forget_closed();
        self.close_one().await;
    }

    fn forget_closed(&mut self) {
        self.taken.retain(|(_, connection)| !connection.is_finished());
    }

    async fn close_one(&mut self) {
        let key = |place: &(Arc<Visit>, AbortHandle)| {
            let Doing { is_served, since } = place.0.doing();
            (is_served, since)
        };
        let Some((_, since)) = self.taken.iter().map(key).min() else { return };
        tokio::time::sleep_until(since + GRACE).await;
        // Asked again: the one that was idle longest may have been busy meanwhile.
        let oldest = self.taken.iter().enumerate().min_by_key(|(_, place)| key(place)).map(|(at, _)| at);
        if let Some(at) = oldest {
            self.taken.swap_remove(at).1.abort();
        }
    }
}

/// Returns how many connections may be open: a quarter of the files that this process may open, as the loop needs some
/// for its own work.
pub(super) fn most_connections() -> usize {
    #[cfg(unix)]
    let quarter = {
        let files = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
        files.and_then(|files| usize::try_from(files / 4).ok()).unwrap_or(MOST)
    };
    #[cfg(not(unix))]
    let quarter = MOST;
    quarter.clamp(FEWEST, MOST)
}
