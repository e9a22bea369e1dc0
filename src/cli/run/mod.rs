//! What commands that write share: one run over the faces of a project, from the first look to the exit code.

mod ask;
mod carry_out;
mod empty_record;
mod end;
mod rows;
mod tend;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::apply::{Done, ExecuteSettings, Executor, Ledger, Outcome, RunLimits, Settled, Sink};
use crate::face::{DesiredFace, FaceKey, Observed, Recorded, redact_links};
use crate::plan::{
    Action, Block, FacePlan, HeldBack, Plan, Policy, Reason, Restraint, finishing, is_reached, naming_for,
    shared_tokens,
};
use crate::report::{Body, Ran, partial};
use crate::state::StateStore;
use crate::tavus::Client;

use super::Exit;
use super::args::{PolicyArgs, WaitOptions};
use super::error::CliError;
use super::session::{Access, Session};
pub use ask::{agree, agree_unless, answer, ask, ask_for};
pub use empty_record::unproven_for;
use end::still_blocked;
pub use end::{exit, is_about_failure};
pub use tend::Round;

/// One run over the faces of a project, behind its lease.
pub struct Run<'a> {
    /// Manifests, API, time.
    pub session: &'a Session,
    /// What is remembered.
    pub store: Arc<dyn StateStore>,
    /// What causes effects.
    pub executor: Executor<'a, Client>,
    /// What the plan may do.
    pub policy: Policy,
    /// What is held back of every plan.
    pub restraint: Restraint,
    /// What came of it so far.
    pub outcome: Outcome,
    /// Whether trainings that were paid for twice end the run with 5.
    pub minds_duplicates: bool,
    /// Whether somebody says that the project has never run anywhere.
    is_fresh: bool,
    /// Where events go.
    sink: &'a dyn Sink,
}

/// What one look showed, and what follows from it.
pub struct Look {
    /// What was remembered.
    pub recorded: Recorded,
    /// What was live.
    pub observed: Observed,
    /// What is to be done. Shared by who approves it and who tells of it: 10,000 faces take 10 MB.
    pub plan: Arc<Plan>,
    /// What would be done, and is held back.
    pub held: HeldBack,
}

/// How long after its sending a create may still show up: no page says how soon a face is listed.
const SETTLE_WINDOW: Duration = Duration::from_secs(120);
/// The shortest that `spec.settle_window` can make it: a flag or a variable, which is set on the machine, may say less.
const SHORTEST_SETTLE_WINDOW: Duration = Duration::from_secs(60);

impl<'a> Run<'a> {
    /// Takes the state and gets ready.
    ///
    /// # Errors
    /// When the state cannot be taken. Nothing was changed.
    pub fn begin(
        session: &'a Session,
        sink: &'a dyn Sink,
        policy: Option<&PolicyArgs>,
        wait: &WaitOptions,
        create_parallelism: Option<u32>,
    ) -> Result<Self, CliError> {
        let state = session.state(Access::Write)?;
        let store = state.store.ok_or_else(|| CliError::new("the state cannot be written; nothing was changed"))?;
        let is_fresh = policy.is_some_and(|policy| policy.fresh);
        let reason = policy.and_then(|policy| policy.reason.as_deref()).map(redact_links).unwrap_or_default();
        let policy = session.policy(policy, &state.recorded, &session.past(store.as_ref())?);
        let executor = Executor {
            api: &session.api,
            binder: &session.desk,
            store: Arc::clone(&store),
            clock: Arc::clone(&session.clock),
            interrupt: session.interrupt.clone(),
            sink,
            settings: ExecuteSettings { reason, ..execute_settings(session, &policy, wait, create_parallelism) },
            key_refused: AtomicBool::new(false),
            ledger: Ledger::default(),
            context: session.run_context().clone(),
        };
        Ok(Self {
            session,
            store,
            executor,
            policy,
            restraint: Restraint::default(),
            outcome: Outcome::default(),
            minds_duplicates: false,
            is_fresh,
            sink,
        })
    }

    /// Sets how many faces may be deleted, where a flag says it.
    pub fn limit_deletions(&mut self, flag: Option<u32>) {
        self.policy.max_deletions = flag.or(self.policy.max_deletions);
        let before = self.policy.deletions_before;
        self.executor.settings.limits.deletions = self.policy.max_deletions.map(|allowed| (allowed, before));
    }

    /// Notes what one step did, and tells people of trouble.
    pub fn note(&mut self, key: &FaceKey, done: Done) {
        self.outcome.note(key, done, self.sink);
    }

    /// Looks at the live faces and plans.
    ///
    /// # Errors
    /// When they cannot be looked at, or it is not the state's account.
    pub async fn look(&self) -> Result<Look, CliError> {
        let (meta, mut recorded) = self.store.load()?.into_recorded();
        let mut observed = self.session.survey(&meta, &recorded).await?;
        if let Some(serial) = self.session.remember_account(self.store.as_ref(), &meta, &observed)? {
            recorded.serial = serial;
        }
        let mut plan = self.session.plan(&recorded, &mut observed, &self.policy).await?;
        let held = plan.restrain(&self.restraint);
        Ok(Look { recorded, observed, plan: Arc::new(plan), held })
    }

    /// Settles what earlier runs left open, after a look that makes sure of the account.
    ///
    /// # Errors
    /// As [`Run::look`].
    pub async fn settle(&self) -> Result<Settled, CliError> {
        if self.store.load()?.recorded().open.is_empty() {
            return Ok(Settled::default());
        }
        self.look().await?;
        Ok(self.executor.settle().await?)
    }

    /// Settles what earlier runs left open, notes what became of it, and returns that in words.
    ///
    /// # Errors
    /// As [`Run::look`].
    pub async fn settle_first(&mut self) -> Result<Vec<String>, CliError> {
        let Settled { found, absent, in_doubt, trouble } = self.settle().await?;
        let settled = found.iter().map(|key| format!("{key} (its training did start, and is recorded)"));
        let settled = settled.chain(absent.iter().map(|key| format!("{key} (nothing was started)"))).collect();
        self.outcome.adopted.extend(found);
        self.outcome.in_doubt.extend(in_doubt);
        self.outcome.trouble.extend(trouble);
        Ok(settled)
    }

    /// Waits for the faces of the last look that something is still to come for.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub async fn wait(&mut self, last: &Look) -> Result<(), CliError> {
        let keys = self.waitable(last)?;
        let waited = self.executor.wait(self.session.desired(), keys).await;
        self.outcome.absorb(waited);
        Ok(())
    }

    /// Returns the recorded faces that are not yet as far as they are waited for, or whose creation is not
    /// finished (token in the name, voice to be set). What the plan blocks is not waited for.
    fn waitable(&self, last: &Look) -> Result<Vec<FaceKey>, CliError> {
        let snapshot = self.store.load()?;
        let desired = self.session.desired();
        let blocked: BTreeSet<&FaceKey> = last.plan.blocks().map(|(face, _)| &face.key).collect();
        // What was refused a moment ago is told, and not asked for again until the run ends.
        let stopped = self.outcome.trouble.iter().chain(&self.outcome.held);
        let stopped: BTreeSet<&FaceKey> = stopped.filter_map(|trouble| trouble.key.as_ref()).collect();
        let shared = shared_tokens(&last.observed);
        let is_open = |key: &FaceKey, face: &DesiredFace| {
            if !self.policy.selection.selects(key, Some(&face.labels)) {
                return false;
            }
            let Some(recorded) = snapshot.faces.get(key) else { return false };
            let is_over = |id| last.observed.faces.get(id).is_some_and(|live| live.status.is_final());
            if stopped.contains(key)
                && is_over(&recorded.id)
                && recorded.successor.as_ref().is_none_or(|next| is_over(&next.id))
            {
                return false;
            }
            if let Some(next) = &recorded.successor {
                // Until it has taken its place, whatever stage is waited for otherwise; unless nobody wants it any more.
                return next.is_made_for(&face.spec) && !blocked.contains(&key);
            }
            let Some(live) = last.observed.faces.get(&recorded.id) else { return !blocked.contains(&key) };
            let is_unfinished =
                finishing(naming_for(desired.naming, recorded, &shared), face, recorded, live).is_some();
            let is_over = is_reached(&live.status, face.spec.lifecycle.wait_for) || live.status.is_final();
            !is_over || is_unfinished
        };
        Ok(desired.faces.iter().filter(|(key, face)| is_open(key, face)).map(|(key, _)| key.clone()).collect())
    }

    /// Ends the work of a run: notes what stopped it, and brings the lock file up to date.
    pub fn sum_up(&mut self) {
        self.sink.rest();
        // Also where it stopped between two steps, such as while doubts were settled.
        self.outcome.is_interrupted |= self.session.interrupt.is_noted();
        self.outcome.is_key_refused |= self.executor.key_refused.load(Ordering::Relaxed);
        self.publish();
    }

    /// Brings the lock file up to date. The record itself is durable without it.
    fn publish(&self) {
        if let Err(error) = self.store.publish() {
            self.session.output.say(&format!("warning: the lock file could not be written: {error}"));
        }
    }

    /// Shows how things are after the run, and says how it ended. `blocks` says which blocks concern it.
    ///
    /// # Errors
    /// When the result cannot be written.
    pub async fn finish(mut self, before: Look, blocks: fn(&Block) -> bool) -> Result<Exit, CliError> {
        self.sum_up();
        let output = &self.session.output;
        let exit = exit(&self.outcome, &before.plan, self.minds_duplicates, blocks);
        let happened = self.outcome != Outcome::default();
        let blocked: BTreeSet<FaceKey> = still_blocked(&self.outcome, &before.plan)
            .filter(|(_, block)| blocks(block))
            .map(|(face, _)| face.key.clone())
            .collect();
        let plan = Arc::clone(&before.plan);
        let rows = self.rows_after(before, happened).await;
        output.events.statuses(&rows);
        let named = blocked.iter().map(FaceKey::as_str).collect::<Vec<_>>().join(", ");
        let ran = Ran { outcome: &self.outcome, plan: &plan, blocked, rows: &rows };
        let project = &self.session.desired().project;
        output.deliver(exit, Some(project), Body::Run(ran), || self.session.provenance().clone())?;
        if output.is_for_programs() {
            return Ok(exit);
        }
        if !named.is_empty() {
            let line = format!("Blocked, so nothing was done about: {named} (see `facectl plan`).");
            output.say(&output.talk_paint.wrap(&line, 2));
        }
        if plan.left_out.unselected > 0 && happened {
            let line = format!("Partial run: {} See `facectl plan`.", partial(&plan.policy.selection, plan.left_out));
            output.talk(&output.talk_paint.wrap(&line, 2));
        }
        Ok(exit)
    }
}

/// Returns the settle window: flag > environment > file > default.
pub fn settle_window(session: &Session, flag: Option<Duration>) -> Duration {
    // A file comes with a pull request: what keeps anybody from paying twice must not be turned off by one.
    let shortest = if session.is_rehearsal() { Duration::ZERO } else { SHORTEST_SETTLE_WINDOW };
    let of_file = session.loaded.project.settings.settle_window.map(|window| window.max(shortest));
    flag.or(of_file).unwrap_or(SETTLE_WINDOW)
}

/// Returns how to execute: flag > environment > file > default.
fn execute_settings(
    session: &Session,
    policy: &Policy,
    wait: &WaitOptions,
    create_parallelism: Option<u32>,
) -> ExecuteSettings {
    let file = &session.loaded.project.settings;
    ExecuteSettings {
        create_parallelism: create_parallelism.or(file.create_parallelism).unwrap_or(2) as usize,
        parallelism: session.parallelism,
        settle_window: settle_window(session, wait.settle_window),
        request_timeout: session.request_timeout,
        no_settle: wait.no_settle,
        settles_due_only: false,
        poll_interval: wait.poll_interval.or(file.poll_interval),
        wait_timeout: wait.wait_timeout.or(file.wait_timeout),
        reason: String::new(),
        skip_preflight: policy.skip_preflight.clone(),
        limits: RunLimits {
            trainings: policy.max_trainings.map(|allowed| (allowed, policy.trainings_before)),
            deletions: policy.max_deletions.map(|allowed| (allowed, policy.deletions_before)),
        },
    }
}

/// Returns whether a live face was found by its creation token, so that its training was approved before.
pub fn is_found(face: &FacePlan) -> bool {
    let by_token = matches!(face.reason, Reason::FoundByToken | Reason::FoundByTokenOfEarlierInputs);
    by_token && matches!(face.action, Action::Adopt(_))
}
