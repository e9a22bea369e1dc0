//! A stand-in for the Tavus API: real HTTP on loopback, a world that survives restarts, faults on demand.
//!
//! It exists so that everything that can go wrong with money at stake can go wrong here first, and so that a newcomer can
//! rehearse hours of training in seconds without a key. It keeps a ledger of every training it would have charged for.
//!
//! **It shares no code with the client.** The types in [`crate::tavus`] that read and write the wire are not used here:
//! bodies are put together field by field from the documents. If both sides read one set of types, a field misread
//! there would be misread here too, and no test would notice.
//!
//! | file | holds |
//! |---|---|
//! | `lifecycle.rs` | what a face shows at a given moment, and the magic media names |
//! | `records.rs`, `table.rs`, `world.rs` | the account, and the changes it goes through |
//! | `store.rs` | the account on disk |
//! | `catalogue.rs` | stock faces, voices, PALs |
//! | `faults.rs`, `script.rs` | the fault rules: how they are written, what they do to a request |
//! | `socket.rs` | connections that can be broken on purpose |
//! | `callbacks.rs`, `ledger.rs` | what it sends, what it counted |
//! | `routes/` | the paths |
//!
//! # Caveats
//!
//! Where the documents leave a question open, the sandbox gives one answer by default and often another by a rule; see
//! [`FAULTS`]. Media links are judged by their names ([`MAGIC_NAMES`]) and never fetched. It connects to nothing but
//! loopback.

mod callbacks;
mod catalogue;
mod faults;
mod ledger;
mod lifecycle;
mod records;
mod routes;
mod script;
mod socket;
mod store;
mod table;
#[cfg(test)]
mod tests;
mod world;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::clock::{Clock, SystemClock};

pub use catalogue::{READY_VOICE, UNFINISHED_VOICE};
pub use faults::{FAULTS, FaultRule, FaultRuleError, Operation};
pub use ledger::{CallbackRecord, Ledger, TrainingStarted};
pub use lifecycle::MAGIC_NAMES;

use callbacks::Callbacks;
use records::Change;
use script::{Script, Switches};
use socket::{BreakableListener, Line, Lines};
use store::Store;

/// How a sandbox is to run.
#[derive(Debug)]
pub struct SandboxConfig {
    /// Where to listen; a loopback address. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where the world is kept; none: it ends with the sandbox. A journal and a lock file lie beside it.
    pub world_file: Option<PathBuf>,
    /// The time faces are trained by. For a world that was saved, start it at [`resume_time`].
    pub clock: Arc<dyn Clock>,
    /// What shall go wrong.
    pub faults: Vec<FaultRule>,
    /// The only key that is taken; none: any that is not empty and does not begin with `wrong` or `bad`.
    pub api_key: Option<String>,
    /// Takes fields and query parameters that the contract does not list, as the vendor's own client sends some.
    pub lenient: bool,
}

impl Default for SandboxConfig {
    /// A strict sandbox on a free port, without faults and without a file, in real time.
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            world_file: None,
            clock: Arc::new(SystemClock),
            faults: Vec::new(),
            api_key: None,
            lenient: false,
        }
    }
}

/// Why a sandbox cannot start, or could not keep its world.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// It has no real authentication, so it must not be reachable from elsewhere.
    #[error("the sandbox listens on loopback addresses only, such as 127.0.0.1:8787, not on {0}")]
    NotLoopback(SocketAddr),
    /// The port is taken, most likely: choose another.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// A file cannot be read or written.
    #[error("cannot use {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is left as it is: repair it, or move it away to start with an empty world.
    #[error("{} is damaged: {why}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where and how.
        why: String,
    },
    /// The file is left as it is: use the newer program, or another file.
    #[error("{} was written by a newer version (format {format}, this one knows up to {known})", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        format: u32,
        /// The newest format known here.
        known: u32,
    },
    /// Changes without the world they belong to: bring the world file back, or remove the journal too.
    #[error("{} holds changes, but {} is missing; restore it, or remove both", journal.display(), world.display())]
    Orphaned {
        /// The file with the changes.
        journal: PathBuf,
        /// The file that should be there.
        world: PathBuf,
    },
    /// Another sandbox works on the same world.
    #[error("another sandbox uses this world ({} is locked)", path.display())]
    InUse {
        /// The lock file.
        path: PathBuf,
    },
    /// A request came in while the sandbox was ending; nothing happened.
    #[error("the sandbox is shutting down")]
    Closed,
}

/// Returns the moment a clock for this world has to start at: the present, or the last moment the world has seen if
/// that is later. A world whose time went back would show finished trainings as running.
///
/// # Errors
///
/// As [`Sandbox::start`], for files that cannot be read.
pub fn resume_time(world_file: Option<&Path>) -> Result<Timestamp, SandboxError> {
    let saved = match world_file {
        Some(file) => store::saved_time(file)?,
        None => None,
    };
    let present = SystemClock.now();
    Ok(saved.map_or(present, |saved| saved.max(present)))
}

/// The server.
#[derive(Debug, Clone, Copy)]
pub struct Sandbox;

impl Sandbox {
    /// Opens the world and serves it until the handle is shut down or dropped.
    ///
    /// # Errors
    ///
    /// An address that is not loopback or is taken, and a world file that cannot be used; nothing is overwritten then.
    pub async fn start(config: SandboxConfig) -> Result<RunningSandbox, SandboxError> {
        let SandboxConfig { listen, world_file, clock, faults, api_key, lenient } = config;
        if !listen.ip().is_loopback() {
            return Err(SandboxError::NotLoopback(listen));
        }
        let failed = |source| SandboxError::Listen { address: listen, source };
        let listener = tokio::net::TcpListener::bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let present = clock.now();
        let store = Store::open(world_file.as_deref(), present)?;
        let (stop, stopped) = watch::channel(false);
        let shared = Arc::new(Shared {
            ahead: Mutex::new(store.time().duration_since(present)),
            store: Mutex::new(store),
            script: Mutex::new(Script::new(faults)),
            callbacks: Mutex::default(),
            ticked: Mutex::new(None),
            clock,
            api_key,
            lenient,
            stopped,
        });
        shared.expect_callbacks();
        let (listener, lines) = BreakableListener::new(listener);
        let app = routes::router(Arc::clone(&shared)).into_make_service_with_connect_info::<Line>();
        let mut ending = shared.stopped.clone();
        let server = axum::serve(listener, app).with_graceful_shutdown(async move {
            // An error means that the handle is gone: time to end as well.
            let _ = ending.wait_for(|stop| *stop).await;
        });
        let server = tokio::spawn(async move { server.await });
        let sender = tokio::spawn(callbacks::run(Arc::clone(&shared)));
        Ok(RunningSandbox { address, shared, stop, lines, server, sender })
    }
}

/// A sandbox at work. Dropping it ends it and saves the world as well, but cannot report that this failed.
#[derive(Debug)]
pub struct RunningSandbox {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    lines: Lines,
    server: JoinHandle<io::Result<()>>,
    sender: JoinHandle<()>,
}

/// How long, in real time, a shutdown waits for requests that are being answered.
const GRACE: Duration = Duration::from_secs(1);

impl RunningSandbox {
    /// Returns what to give a client as its base URL: `http://127.0.0.1:PORT/v2`.
    pub fn base_url(&self) -> String {
        format!("http://{}/v2", self.address)
    }

    /// Returns where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns a copy of the books as they are now.
    pub fn ledger(&self) -> Ledger {
        self.shared.ledger()
    }

    /// Ends the server, closes every connection and saves the world.
    ///
    /// # Errors
    ///
    /// The world file cannot be written. The journal beside it still holds every change.
    pub async fn shutdown(mut self) -> Result<(), SandboxError> {
        self.stop.send_replace(true);
        // Requests that are slow on purpose end by themselves; a client that keeps its connection busy is cut off.
        let _ = tokio::time::timeout(GRACE, &mut self.server).await;
        self.end()
    }

    /// Serves until the future is dropped; the world is saved then.
    pub async fn wait(mut self) {
        let _ = (&mut self.server).await;
    }

    fn end(&self) -> Result<(), SandboxError> {
        self.stop.send_replace(true);
        self.lines.cut_all();
        self.server.abort();
        self.sender.abort();
        let now = self.shared.now();
        self.shared.store().close(now)
    }
}

impl Drop for RunningSandbox {
    fn drop(&mut self) {
        // Nobody is left to tell; the journal holds every change anyway.
        let _ = self.end();
    }
}

/// What all requests share.
struct Shared {
    store: Mutex<Store>,
    script: Mutex<Script>,
    callbacks: Mutex<Callbacks>,
    /// When, in real time, the world was last told the time.
    ticked: Mutex<Option<Instant>>,
    clock: Arc<dyn Clock>,
    /// How far the world is ahead of the clock: from the start, and because somebody wound it. Added for good, so that
    /// time neither goes back nor stops.
    ahead: Mutex<SignedDuration>,
    api_key: Option<String>,
    lenient: bool,
    stopped: watch::Receiver<bool>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("clock", &self.clock).finish_non_exhaustive()
    }
}

/// How often, in real time, a clock that runs ahead is written down while requests come in.
const TICK: Duration = Duration::from_millis(50);

impl Shared {
    fn now(&self) -> Timestamp {
        let ahead = *self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        self.clock.now().checked_add(ahead).unwrap_or(Timestamp::MAX)
    }

    /// Lets time pass at once, and returns how late it is then.
    fn wind(&self, by: SignedDuration) -> Timestamp {
        let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        *ahead = ahead.saturating_add(by);
        drop(ahead);
        self.now()
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn callbacks(&self) -> MutexGuard<'_, Callbacks> {
        self.callbacks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn switches(&self) -> Switches {
        self.script().switches().clone()
    }

    fn ledger(&self) -> Ledger {
        let callbacks = self.callbacks().log.clone();
        let store = self.store();
        Ledger { trainings: store.world().trainings().to_vec(), requests: store.world().requests.clone(), callbacks }
    }

    fn expect_callbacks(&self) {
        let (now, mut callbacks, store) = (self.now(), self.callbacks(), self.store());
        store.world().live_faces().for_each(|face| callbacks.expect(face, now));
    }

    /// Remembers how late it is. What somebody was shown as finished must not be running again after a crash, so a clock
    /// that is ahead of the machine's is written down while it is looked at.
    fn tick(&self, now: Timestamp) {
        let is_ahead = now.duration_since(SystemClock.now()) > SignedDuration::from_secs(1);
        let mut ticked = self.ticked.lock().unwrap_or_else(PoisonError::into_inner);
        let mut store = self.store();
        store.saw(now);
        if is_ahead && ticked.is_none_or(|at| at.elapsed() >= TICK) {
            *ticked = Some(Instant::now());
            // At worst the world is a little younger after a crash.
            let _ = store.commit(Change::TimePassed, now, false);
        }
    }
}
