//! What the loop tells of itself: to the log, to probes and to Prometheus; and what callbacks tell it.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::net::TcpListener;

use crate::apply::{Event, Outcome, Sink, Trouble};
use crate::cli::Exit;
use crate::cli::args::ReconcileArgs;
use crate::cli::error::{CliError, Concern};
use crate::cli::events::Events;
use crate::cli::run::{Look, is_about_failure};
use crate::clock::SystemClock;
use crate::controller::callbacks::{CallbackSecret, Hints};
use crate::controller::health::{FaceCounts, Health, PassReport, PassResult};
use crate::controller::http::{Callbacks, PATIENCE, ServerHandle, Shared, serve};
use crate::plan::{Action, Block, Reason};

use super::log;

/// What is shared by the loop and whoever asks how it is.
pub struct Telling {
    /// How the loop is.
    pub health: Arc<Health>,
    /// Faces that callbacks named.
    pub hints: Arc<Hints>,
    /// Where programs hear of what happens.
    pub events: Events,
    server: Option<ServerHandle>,
}

/// Faces that may be named by callbacks between two looks: more are seen by the next pass anyway.
const HINTS: usize = 1000;
/// The longest that a pass takes that gets on: creates under way, a settle window, listings at a limited rate.
const LONGEST_PASS: Duration = Duration::from_secs(15 * 60);

impl Telling {
    /// Begins to serve where the command line says so.
    ///
    /// # Errors
    /// When it cannot listen there, or the secret cannot be used.
    pub async fn begin(args: &ReconcileArgs, events: Events) -> Result<Self, CliError> {
        let stuck_after = args.interval.saturating_mul(3).max(LONGEST_PASS);
        // In the machine's own time also in a rehearsal: probes and Prometheus know no other.
        let health = Arc::new(Health::new(Arc::new(SystemClock), stuck_after));
        let hints = Arc::new(Hints::new(HINTS));
        let Some(address) = args.listen else { return Ok(Self { health, hints, events, server: None }) };
        let secret = args.callback_secret_file.as_ref().map(|path| {
            let text = std::fs::read_to_string(path)
                .map_err(|error| CliError::caused(format!("cannot read {}", path.display()), &error))?;
            CallbackSecret::parse(&text).map_err(|error| {
                CliError::caused(format!("cannot use the callback secret in {}", path.display()), &error)
            })
        });
        let secret = secret.transpose()?;
        let cannot = |error: std::io::Error| {
            CliError::caused(format!("cannot listen on {address}"), &error)
                .hint("--listen 127.0.0.1:0 takes a free port, and the log says which")
        };
        let listener = TcpListener::bind(address).await.map_err(cannot)?;
        let callbacks = secret.map(|secret| Callbacks { secret, hints: Arc::clone(&hints) });
        let takes_callbacks = callbacks.is_some();
        let shared = Shared { health: Arc::clone(&health), callbacks, patience: PATIENCE };
        let server = serve(listener, shared).map_err(cannot)?;
        tracing::info!(address = %server.address(), takes_callbacks, "serving /healthz, /readyz and /metrics");
        Ok(Self { health, hints, events, server: Some(server) })
    }

    /// Tells what a pass came to.
    pub fn passed(&self, began: Timestamp, result: PassResult, faces: Option<FaceCounts>) {
        self.health.pass_ended(PassReport { started_at: began, ended_at: Timestamp::now(), result, faces });
    }

    /// Ends the server.
    pub async fn end(self) {
        if let Some(server) = self.server {
            server.shutdown().await;
        }
    }
}

impl Sink for Telling {
    fn take(&self, event: &Event) {
        self.health.loop_ticked();
        if matches!(event, Event::FaceCreated { .. } | Event::CreateSettled { .. }) {
            self.health.training_started();
        }
        self.events.take(event);
        log::told(event);
    }
}

/// Returns how a pass ended, for probes and metrics.
pub fn result(exit: Exit, outcome: &Outcome, is_training: bool) -> PassResult {
    match exit {
        Exit::INTERRUPTED => PassResult::Interrupted,
        Exit::KEY_REFUSED => PassResult::KeyRefused,
        _ if outcome.trouble.iter().any(Trouble::is_about_state) => PassResult::StateFailed,
        _ if outcome.trouble.iter().any(Trouble::is_about_looking) => PassResult::Unreachable,
        Exit::FACE_FAILED => PassResult::Failed,
        Exit::SUCCESS if is_training => PassResult::Training,
        Exit::SUCCESS => PassResult::Converged,
        _ => PassResult::Held,
    }
}

/// Returns how a pass ended that could not be taken; none where somebody else held the state, as nothing was tried.
pub fn result_of(error: &CliError) -> Option<PassResult> {
    match (error.exit, error.concerns) {
        (Exit::HELD, _) => None,
        (Exit::INTERRUPTED, _) => Some(PassResult::Interrupted),
        (Exit::KEY_REFUSED, _) => Some(PassResult::KeyRefused),
        (_, Concern::State) => Some(PassResult::StateFailed),
        (_, Concern::Api) => Some(PassResult::Unreachable),
        (_, Concern::Request) => Some(PassResult::Held),
    }
}

/// Counts the faces by how they are after a pass.
pub fn counts(look: &Look, outcome: &Outcome) -> FaceCounts {
    let mut counts = FaceCounts::default();
    for face in &look.plan.faces {
        let is_young = outcome.created.contains(&face.key) || outcome.adopted.contains(&face.key);
        let is_failed = outcome.failed.iter().any(|(key, _)| *key == face.key)
            || matches!(&face.reason, Reason::Blocked(block) if is_about_failure(block));
        let is_in_doubt = outcome.in_doubt.contains(&face.key)
            || matches!(face.reason, Reason::Blocked(Block::InDoubt { .. }) if !is_young);
        let is_training = matches!(face.action, Action::Wait) || matches!(face.reason, Reason::TrainingGoesOnUnawaited);
        let is_put_off = look.held.faces.iter().any(|(key, _)| *key == face.key);
        let is_stopped =
            outcome.trouble.iter().chain(&outcome.held).any(|trouble| trouble.key.as_ref() == Some(&face.key))
                || outcome.refused.iter().any(|(key, _)| *key == face.key);
        let count = match () {
            () if is_in_doubt => &mut counts.in_doubt,
            () if is_failed => &mut counts.failed,
            () if is_stopped || is_put_off => &mut counts.blocked,
            () if is_training || is_young => &mut counts.training,
            () if matches!(face.action, Action::Blocked) => &mut counts.blocked,
            () => &mut counts.in_sync,
        };
        *count += 1;
        counts.drifted += usize::from(!face.drift.is_empty() && !outcome.updated.contains(&face.key));
    }
    counts
}
