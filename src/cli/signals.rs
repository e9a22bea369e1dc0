//! Being asked to stop by the system: once to end in order, twice to leave at once.

use crate::apply::{Interrupt, interrupt};
use crate::shortage;

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::Notify;

use super::Exit;
use super::error::CliError;
use super::output::Output;

/// Runs a command that waits, and lets SIGINT, SIGTERM and SIGHUP end it.
///
/// # Errors
/// Those of the command, and when the runtime cannot be started.
pub fn with_runtime<F, W>(output: Output, command: F) -> Result<Exit, CliError>
where
    F: FnOnce(Interrupt) -> W,
    W: Future<Output = Result<Exit, CliError>>,
{
    run(output, Hangup::Stops, |interrupt, _reload| command(interrupt))
}

/// Runs a command that goes on until it is stopped: SIGINT and SIGTERM end it, SIGHUP tells it to look at its
/// settings again. Several of those before it listens are one.
///
/// # Errors
/// As [`with_runtime`].
pub fn with_runtime_and_reload<F, W>(output: Output, command: F) -> Result<Exit, CliError>
where
    F: FnOnce(Interrupt, Arc<Notify>) -> W,
    W: Future<Output = Result<Exit, CliError>>,
{
    run(output, Hangup::Reloads, command)
}

/// What SIGHUP means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hangup {
    /// The terminal went away.
    Stops,
    /// Settings were changed.
    Reloads,
}

fn run<F, W>(output: Output, hangup: Hangup, command: F) -> Result<Exit, CliError>
where
    F: FnOnce(Interrupt, Arc<Notify>) -> W,
    W: Future<Output = Result<Exit, CliError>>,
{
    let runtime = start()?;
    let (interrupter, ear) = interrupt();
    let reload = Arc::new(Notify::new());
    // Before anything of the command runs: on a busy machine the first question may stand before a task is begun, and
    // whoever answers it with Ctrl-C would see the process die without a word.
    let listening = runtime.enter();
    let mut signals = StopSignals::listen(hangup);
    if hangup == Hangup::Reloads {
        pass_on_hangups(&runtime, &reload);
    }
    drop(listening);
    runtime.spawn(async move {
        signals.next().await;
        output.say("Interrupted: nothing new begins, and what is under way is awaited. Interrupt again to leave at once, which is safe too.");
        // Said first: what ends because of it has its own last words.
        interrupter.interrupt();
        signals.next().await;
        output.say("Left at once. What was under way is written down as begun, and the next run finds out what became of it.");
        output.events.end_at_once(Exit::INTERRUPTED);
        std::process::exit(i32::from(Exit::INTERRUPTED.0));
    });
    let done = runtime.block_on(Box::pin(command(ear, reload)));
    // A listener that is still being served must not keep the process.
    runtime.shutdown_background();
    done
}

/// Starts the runtime, with one thread more for what blocks. Where a thread is missing, tokio panics or waits for ever,
/// so that is found out first.
fn start() -> Result<Runtime, CliError> {
    shortage::check(THREADS, MEMORY).map_err(|error| {
        CliError::caused("cannot start: nothing was sent", &error)
            .hint("raise that limit, or end other processes, and run it again")
    })?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .worker_threads(WORKERS)
        .thread_keep_alive(FOR_EVER)
        .build()
        .map_err(|error| CliError::caused("cannot start the async runtime; nothing was sent", &error))?;
    // From now on a write to the state finds a thread, whatever happens to the machine.
    drop(runtime.spawn_blocking(|| ()));
    Ok(runtime)
}

const WORKERS: usize = 2;
/// Workers, one that blocks, those of the state's database, and those that read manifests and what git and a person say.
const THREADS: usize = WORKERS + 1 + 11 + 10;
/// Enough for a listing and its plan to begin with.
const MEMORY: usize = 16 * 1024 * 1024;
/// Longer than any run.
const FOR_EVER: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// Passes each SIGHUP on. Where there is no such signal nothing ever is.
fn pass_on_hangups(runtime: &Runtime, reload: &Arc<Notify>) {
    #[cfg(unix)]
    if let Ok(mut hangups) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()) {
        let reload = Arc::clone(reload);
        runtime.spawn(async move {
            while hangups.recv().await.is_some() {
                reload.notify_one();
            }
        });
    }
    #[cfg(not(unix))]
    let _ = (runtime, reload);
}

/// The signals that ask this process to stop. Listening begins when it is made and does not pause in between.
struct StopSignals {
    #[cfg(unix)]
    signals: Vec<tokio::signal::unix::Signal>,
}

impl StopSignals {
    fn listen(hangup: Hangup) -> Self {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
            // Whoever starts us with `nohup` wants hours of waiting to outlive the terminal. SIGINT is heard even
            // where it was ignored, as shells ignore it for background jobs, and pipelines send it to stop one.
            let is_unwanted = |kind: SignalKind| {
                kind == SignalKind::hangup() && (hangup == Hangup::Reloads || is_ignored(kind.as_raw_value()))
            };
            let kinds = kinds.into_iter().filter(|kind| !is_unwanted(*kind));
            // Without a handler the signal ends the process, which is safe as well.
            Self { signals: kinds.filter_map(|kind| signal(kind).ok()).collect() }
        }
        #[cfg(not(unix))]
        {
            let _ = hangup;
            Self {}
        }
    }

    #[cfg(unix)]
    async fn next(&mut self) {
        std::future::poll_fn(|context| {
            let is_any = self.signals.iter_mut().any(|signal| signal.poll_recv(context).is_ready());
            if is_any { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
        .await;
    }

    #[cfg(not(unix))]
    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Returns whether this process was started with a signal ignored. Known on Linux only, where the kernel
/// shows it; elsewhere every signal is heard.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask.checked_shr(signal.saturating_sub(1).unsigned_abs()).is_some_and(|mask| mask & 1 == 1)
}
