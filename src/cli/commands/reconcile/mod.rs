//! `facectl reconcile`
//!
//! # Flow
//! Ask the source, load, take a pass, note what is due next, sleep until then. Each pass takes the state for itself and
//! gives it back, so that a person can run any command in between; a pass that finds it held comes again later.
//!
//! # Guarantees
//! What is done, is done by [`Run`](crate::cli::run::Run), as `apply` does it. What is declared is always the newest
//! manifests that were sound; broken ones are told of and change nothing.

mod log;
mod pass;
mod refresh;
mod source;
mod standing;
mod telling;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Notify;

use crate::apply::Interrupt;
use crate::cli::Exit;
use crate::cli::args::{Global, ReconcileArgs};
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::session::Session;
use crate::controller::{Agenda, Item};
use crate::face::{FaceId, FaceKey, TrainingStatus};
use crate::http::back_off;
use crate::tavus::{CallbackHint, FaceReads};

use pass::{Ground, Pass};
use source::Source;
use standing::Standing;
use telling::Telling;

/// How long the faces that callbacks name are looked up at most.
const HINTS_FOR: Duration = Duration::from_secs(10);
/// How long a folder has to stay as it is before it counts.
const STILL: Duration = Duration::from_secs(3);
/// How much later than the interval a source or an API is asked that failed many times: at most this long after.
const LONGEST_BACK_OFF: Duration = Duration::from_secs(5 * 60);

/// Follows a folder or a repository until it is stopped.
pub async fn run(
    global: &Global,
    args: ReconcileArgs,
    output: Output,
    interrupt: Interrupt,
    reload: Arc<Notify>,
) -> Result<Exit, CliError> {
    let (source, global) = Source::of(global, &args)?;
    let telling = Telling::begin(&args, output.events).await?;
    let mut follower = Follower {
        global,
        args,
        output,
        interrupt,
        source,
        session: None,
        agenda: Agenda::default(),
        awaited: BTreeSet::new(),
        looked_at: BTreeMap::new(),
        standing: Standing::default(),
        telling,
        failed_passes: 0,
        told: None,
        is_sound: false,
        is_moving: false,
        failed_refreshes: 0,
    };
    let exit = follower.follow(&reload).await;
    let Follower { session, telling, .. } = follower;
    if let Some(session) = session {
        session.close().await;
    }
    telling.end().await;
    exit
}

/// The loop, and what it remembers between passes. All that must outlive the process is in the state.
struct Follower {
    global: Global,
    args: ReconcileArgs,
    output: Output,
    interrupt: Interrupt,
    source: Source,
    /// None until manifests were sound for the first time.
    session: Option<Session>,
    agenda: Agenda,
    /// Faces that the last round of waiting left open.
    awaited: BTreeSet<FaceKey>,
    /// How far the live ones of them were: what a callback claims is held against that.
    looked_at: BTreeMap<FaceId, TrainingStatus>,
    standing: Standing,
    telling: Telling,
    /// Passes in a row that could not look at the live faces, or not take the state.
    failed_passes: u32,
    /// The digest of the plan that was told last.
    told: Option<String>,
    /// Whether what the source shows now is what is in force.
    is_sound: bool,
    /// Whether the folder is being written, as it seems.
    is_moving: bool,
    /// Times in a row that the source showed nothing to go by.
    failed_refreshes: u32,
}

impl Follower {
    async fn follow(&mut self, reload: &Notify) -> Result<Exit, CliError> {
        let mut due = BTreeSet::from([Item::Everything]);
        let mut is_first = true;
        loop {
            self.telling.health.loop_ticked();
            if due.contains(&Item::Everything) {
                self.refresh().await?;
            }
            self.telling.health.loop_ticked();
            let may_settle = is_first || due.contains(&Item::Doubts);
            is_first = false;
            let exit = self.pass(may_settle).await;
            if self.args.once {
                return Ok(self.exit_once(exit));
            }
            match self.sleep(reload).await {
                Some(items) => due = items,
                None => break,
            }
        }
        tracing::info!("stopped in order; trainings go on, and the next start takes them up");
        Ok(Exit::SUCCESS)
    }

    /// Takes one pass, and notes what is due next. Returns its exit code.
    async fn pass(&mut self, may_settle: bool) -> Exit {
        let Some(session) = &mut self.session else {
            let at = after(Timestamp::now(), self.args.interval);
            self.agenda.ask(Item::Everything, at);
            return Exit::ERROR;
        };
        session.begin_again();
        let events = self.telling.events;
        events.begin(&session.desired().project, &session.clock, || session.provenance().clone());
        let began = Timestamp::now();
        let (source, global) = (&self.source, &self.global);
        let ground = Ground {
            args: &self.args,
            agenda: &mut self.agenda,
            awaited: &self.awaited,
            may_settle,
            told: &mut self.told,
            is_still: &|| source.is_still(global),
        };
        let taken = pass::take(session, ground, &self.telling).await;
        let now = session.clock.now();
        self.telling.health.backing_off(self.agenda.failing());
        let (exit, wait) = match taken {
            Ok(Pass { exit, result, faces, standing, awaited, looked_at, next, unsettled }) => {
                self.failed_passes = 0;
                self.telling.passed(began, result, Some(faces));
                (self.awaited, self.looked_at) = (awaited, looked_at);
                self.standing.tell(standing);
                if let Some(next) = next {
                    self.agenda.ask(Item::Trainings, after(now, next));
                }
                if let Some(unsettled) = unsettled.filter(|_| !self.args.dry_run) {
                    // What cannot be settled now, as no listing is whole, is not tried again and again.
                    let wait = if unsettled.is_zero() { LONGEST_BACK_OFF } else { unsettled };
                    self.agenda.ask(Item::Doubts, after(now, wait));
                }
                (exit, self.args.interval)
            }
            Err(error) => {
                let exit = error.exit;
                if let Some(result) = telling::result_of(&error) {
                    self.telling.passed(began, result, None);
                }
                self.failed_passes = self.failed_passes.saturating_add(1);
                let wait = rest(self.args.interval, self.failed_passes);
                log::failed_pass(&error, self.failed_passes, wait);
                events.error(&error);
                (exit, wait)
            }
        };
        events.end(exit);
        if exit == Exit::KEY_REFUSED {
            self.read_key_again();
        }
        let wait = if self.is_moving { STILL } else { wait };
        self.agenda.ask(Item::Everything, after(now, wait.mul_f64(0.9 + 0.2 * fastrand::f64())));
        exit
    }

    /// A key that is refused may have been replaced by now in its file.
    fn read_key_again(&mut self) {
        if let Some(session) = &mut self.session
            && let Err(error) = session.read_key_again(&self.global)
        {
            log::trouble("the key cannot be read anew; the present one is used on", &error);
        }
    }

    /// Sleeps until something is due, or somebody says so. Returns what; none once it is to end.
    async fn sleep(&mut self, reload: &Notify) -> Option<BTreeSet<Item>> {
        let clock = self.session.as_ref().map(|session| Arc::clone(&session.clock));
        let clock = clock.unwrap_or_else(|| Arc::new(crate::clock::SystemClock));
        loop {
            if self.interrupt.is_noted() {
                return None;
            }
            let due = self.agenda.take_due(clock.now());
            if !due.is_empty() {
                return Some(due);
            }
            let left = self.agenda.next().map_or(self.args.interval, |at| until(clock.now(), at));
            tokio::select! {
                () = clock.sleep(left) => {}
                () = self.interrupt.noted() => return None,
                () = reload.notified() => {
                    tracing::info!("told to reload (SIGHUP): the key is read anew, and everything is looked at now");
                    self.read_key_again();
                    self.source.forget();
                    if let Some(session) = &self.session {
                        session.desk.forget();
                    }
                    self.agenda.wake(clock.now());
                }
                hints = self.telling.hints.next() => {
                    self.telling.health.loop_ticked();
                    // What is not looked up in time is seen by the next look at everything.
                    if tokio::time::timeout(HINTS_FOR, self.is_news(hints)).await.unwrap_or(false) {
                        self.agenda.ask(Item::Trainings, clock.now());
                    }
                }
            }
        }
    }

    /// Asks the API about the faces that callbacks named, as far as they are waited for, and returns whether one of them
    /// is further than it was. A callback alone proves nothing: anybody can send one.
    async fn is_news(&self, hints: Vec<CallbackHint>) -> bool {
        let Some(session) = &self.session else { return false };
        for CallbackHint { face_id, .. } in hints {
            let Some(before) = self.looked_at.get(&face_id) else {
                tracing::debug!(%face_id, "a callback names a face that nobody waits for");
                continue;
            };
            let live = tokio::select! {
                live = session.api.face(&face_id) => live,
                () = self.interrupt.noted() => return false,
            };
            match live {
                Ok(Some(live)) if live.status == *before => {}
                Ok(_) => {
                    tracing::info!(%face_id, "a callback, and a look at the face, say that it got on");
                    return true;
                }
                Err(error) => {
                    tracing::warn!(%face_id, %error, "what a callback says could not be looked up");
                    return false;
                }
            }
        }
        false
    }

    /// Returns how a single pass ended, for the exit code.
    fn exit_once(&self, exit: Exit) -> Exit {
        match (self.interrupt.is_noted(), self.is_sound) {
            (true, _) => Exit::INTERRUPTED,
            (false, false) if exit == Exit::SUCCESS => Exit::ERROR,
            _ => exit,
        }
    }
}

fn after(now: Timestamp, wait: Duration) -> Timestamp {
    now.saturating_add(wait).unwrap_or(Timestamp::MAX)
}

fn until(now: Timestamp, at: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(now)).unwrap_or_default()
}

/// Returns how long to wait after so many failed passes in a row.
fn rest(interval: Duration, failures: u32) -> Duration {
    back_off(interval, failures, LONGEST_BACK_OFF.max(interval))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_that_fails_again_and_again_comes_back_within_five_minutes_or_the_interval() {
        let waits = |interval| (1..6).map(move |times| rest(Duration::from_secs(interval), times).as_secs());
        assert_eq!(waits(60).collect::<Vec<_>>(), [60, 120, 240, 300, 300]);
        assert_eq!(waits(900).collect::<Vec<_>>(), [900; 5]);
    }
}
