//! `facectl apply`

use std::collections::BTreeSet;
use std::io::{BufRead, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::apply::{ExecuteSettings, Executor, Interrupt, Outcome, Settled, Sink, Trouble};
use crate::cli::Exit;
use crate::cli::args::{ApplyArgs, Global, WaitOptions};
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::progress::Progress;
use crate::cli::session::{Access, Session, State};
use crate::face::{DesiredFace, FaceKey, Observed, Recorded};
use crate::plan::{Action, Block, Consent, FacePlan, NotApproved, Plan, Policy, Refusal, is_reached, review};
use crate::report::{outcome_json, outcome_text, plan_text, status_rows, status_table};
use crate::state::StateStore;
use crate::tavus::Client;

/// How often creates that are proven absent are sent again in one run.
const RESENDS: u32 = 2;

/// Creates what is missing, updates what differs, and waits.
pub async fn run(global: &Global, args: ApplyArgs, output: Output, interrupt: Interrupt) -> Result<Exit, CliError> {
    let session = Session::open(global, &args.paths.paths, output, interrupt).await?;
    let exit = apply(&session, &args).await;
    session.close().await;
    exit
}

async fn apply(session: &Session, args: &ApplyArgs) -> Result<Exit, CliError> {
    let state = session.state(Access::Write)?;
    let store = held(&state)?;
    let progress = Progress::new(session.output);
    let settings = execute_settings(session, &args.wait, args.create_parallelism);
    let executor = executor(session, Arc::clone(&store), &progress, settings);
    session.check_keys(&args.policy, &state.recorded())?;
    let policy = session.policy(Some(&args.policy));

    let mut outcome = Outcome::default();
    note_settled(executor.settle().await?, &mut outcome);
    let doubts_of_earlier_runs = outcome.in_doubt.clone();
    let recorded = store.load()?.recorded();
    let observed = session.survey(&recorded).await?;
    let plan = session.plan(&recorded, &observed, &policy);
    if !session.output.is_for_programs() {
        session.output.result(&plan_text(&plan, session.output.paint))?;
    }
    if plan.has_changes() && args.expect_no_changes {
        return Err(CliError::new("there are changes, and --expect-no-changes was given; nothing was changed")
            .exit(Exit::UNEXPECTED_CHANGES));
    }
    let consent = consent(&plan, session, args.auto_approve)?;
    let (plan, observed) = match consent {
        Consent::Given => look_again(session, &recorded, plan, &policy).await?,
        Consent::Automatic | Consent::Withheld => (plan, observed),
    };
    let approved = review(plan, consent).map_err(not_approved)?;
    outcome.absorb(executor.execute(&approved, session.desired(), &observed).await);
    resend_absent(session, &executor, &policy, &mut outcome, &doubts_of_earlier_runs).await?;
    if !args.no_wait {
        let keys = waitable(session, &store, &observed, approved.plan(), &outcome)?;
        outcome.absorb(executor.wait(session.desired(), keys).await);
    }
    progress.clear();
    note_stops(session, &executor, &mut outcome);
    finish(session, &store, approved.plan(), &policy, &outcome, observed).await
}

/// Notes what stopped the run also where it stopped between two steps, such as while doubts were settled.
pub fn note_stops(session: &Session, executor: &Executor<'_, Client>, outcome: &mut Outcome) {
    outcome.is_interrupted |= session.interrupt.is_noted();
    outcome.is_key_refused |= executor.key_refused.load(Ordering::Relaxed);
}

/// A person may think for an hour, and somebody else may have created the same faces from another machine
/// meanwhile. So the answer counts for what was shown, or not at all.
async fn look_again(
    session: &Session,
    recorded: &Recorded,
    shown: Plan,
    policy: &Policy,
) -> Result<(Plan, Observed), CliError> {
    let observed = session.survey(recorded).await?;
    let plan = session.plan(recorded, &observed, policy);
    let steps = |plan: &Plan| -> Vec<(FaceKey, Action)> {
        let steps = plan.faces.iter().filter(|face| face.action.is_change());
        steps.map(|face| (face.key.clone(), face.action.clone())).collect()
    };
    if steps(&plan) == steps(&shown) {
        return Ok((plan, observed));
    }
    Err(CliError::new("the live faces have changed since the plan was shown; nothing was changed")
        .hint("run it again and look at the new plan")
        .exit(Exit::UNSAFE))
}

/// After the last create of a run: what fell in doubt is looked for, and what is proven never to have
/// begun is sent again under the same token.
async fn resend_absent(
    session: &Session,
    executor: &Executor<'_, Client>,
    policy: &Policy,
    outcome: &mut Outcome,
    doubts_of_earlier_runs: &[FaceKey],
) -> Result<(), CliError> {
    for _ in 0..RESENDS {
        if outcome.in_doubt.is_empty() || outcome.is_interrupted || outcome.is_key_refused {
            return Ok(());
        }
        let settled = match executor.settle().await {
            Ok(settled) => settled,
            Err(error) => {
                outcome.trouble.push(Trouble { key: None, doing: "look for creates in doubt", why: error.to_string() });
                return Ok(());
            }
        };
        outcome.in_doubt.clear();
        let absent = settled.absent.clone();
        // What this run has sent and found again, this run has paid for.
        let (adopted, created) = settled.found.into_iter().partition(|key| doubts_of_earlier_runs.contains(key));
        outcome.created.extend::<Vec<_>>(created);
        note_settled(Settled { found: adopted, ..settled }, outcome);
        if absent.is_empty() {
            return Ok(());
        }
        let recorded = executor.store.load()?.recorded();
        let observed = session.survey(&recorded).await?;
        let mut plan = session.plan(&recorded, &observed, policy);
        // Only what was approved once and provably did not begin: nothing new is slipped in.
        plan.faces.retain(|face| absent.contains(&face.key));
        plan.refusals.clear();
        let Ok(approved) = review(plan, Consent::Automatic) else { return Ok(()) };
        outcome.absorb(executor.execute(&approved, session.desired(), &observed).await);
    }
    Ok(())
}

/// Returns the store, which a writing command always holds.
pub fn held(state: &State) -> Result<Arc<dyn StateStore>, CliError> {
    state.store.clone().ok_or_else(|| CliError::new("the state cannot be written; nothing was changed"))
}

/// Makes an executor.
pub fn executor<'a>(
    session: &'a Session,
    store: Arc<dyn StateStore>,
    sink: &'a dyn Sink,
    settings: ExecuteSettings,
) -> Executor<'a, Client> {
    Executor {
        api: &session.api,
        store,
        clock: Arc::clone(&session.clock),
        interrupt: session.interrupt.clone(),
        sink,
        settings,
        key_refused: AtomicBool::new(false),
    }
}

/// Returns how to execute: flag > environment > file > default.
pub fn execute_settings(session: &Session, wait: &WaitOptions, create_parallelism: Option<u32>) -> ExecuteSettings {
    let file = &session.loaded.project.settings;
    ExecuteSettings {
        create_parallelism: create_parallelism.or(file.create_parallelism).unwrap_or(2) as usize,
        parallelism: session.parallelism,
        settle_window: wait.settle_window.or(file.settle_window).unwrap_or(std::time::Duration::from_secs(120)),
        no_settle: wait.no_settle,
        poll_interval: wait.poll_interval.or(file.poll_interval),
        wait_timeout: wait.wait_timeout.or(file.wait_timeout),
    }
}

/// Notes what became of the creates that were open.
pub fn note_settled(settled: Settled, outcome: &mut Outcome) {
    let Settled { found, absent: _, in_doubt, trouble } = settled;
    outcome.adopted.extend(found);
    outcome.in_doubt.extend(in_doubt);
    outcome.trouble.extend(trouble);
}

/// Returns the recorded faces that are not yet as far as they are waited for, going by what was last seen. A
/// face that nobody can see is for a person to look into, not to be waited for.
pub fn waitable(
    session: &Session,
    store: &Arc<dyn StateStore>,
    observed: &Observed,
    plan: &Plan,
    outcome: &Outcome,
) -> Result<Vec<FaceKey>, CliError> {
    let snapshot = store.load()?;
    let is_unseen = |key: &FaceKey| {
        plan.blocks()
            .any(|(face, block)| face.key == *key && matches!(block, Block::Missing | Block::ListingIncomplete(_)))
            && !outcome.created.contains(key)
            && !outcome.adopted.contains(key)
    };
    let is_open = |key: &&FaceKey, face: &DesiredFace| {
        if is_unseen(key) {
            return false;
        }
        let Some(recorded) = snapshot.faces.get(*key) else { return false };
        let live = observed.faces.get(&recorded.id);
        !live.is_some_and(|live| is_reached(&live.status, face.spec.lifecycle.wait_for) || live.status.is_final())
    };
    Ok(session.desired().faces.iter().filter(|(key, face)| is_open(key, face)).map(|(key, _)| key.clone()).collect())
}

fn consent(plan: &Plan, session: &Session, is_automatic: bool) -> Result<Consent, CliError> {
    if is_automatic || !plan.has_changes() || !plan.refusals.is_empty() {
        return Ok(Consent::Automatic);
    }
    if !std::io::stdin().is_terminal() || !session.output.is_talk_seen {
        return Err(CliError::new(
            "there are changes to apply, and nobody to ask: this is no terminal; nothing was changed",
        )
        .hint("give --auto-approve (-y) once the plan is what you want"));
    }
    let paid = plan.summary().paid_trainings;
    let cost = match paid {
        0 => String::new(),
        1 => " This starts 1 paid training.".to_owned(),
        paid => format!(" This starts {paid} paid trainings."),
    };
    match ask(session, &format!("Apply this plan?{cost} Only `yes` is taken: "))? {
        true => Ok(Consent::Given),
        false => Ok(Consent::Withheld),
    }
}

/// Asks a person. Only `yes` means yes.
pub fn ask(session: &Session, question: &str) -> Result<bool, CliError> {
    use std::io::Write;
    let mut error = std::io::stderr();
    let asked = write!(error, "\n{question}").and_then(|()| error.flush());
    asked.map_err(|error| CliError::caused("cannot ask", &error))?;
    // Read on a thread of its own, so that an interrupt ends the run while the question stands.
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let _ = sender.send(std::io::stdin().lock().read_line(&mut line).map(|_| line));
    });
    loop {
        match receiver.recv_timeout(std::time::Duration::from_millis(50)) {
            Ok(Ok(line)) => return Ok(line.trim() == "yes"),
            Ok(Err(error)) => return Err(CliError::caused("cannot read the answer", &error)),
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) if session.interrupt.is_noted() => {
                return Err(CliError::interrupted());
            }
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {}
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => return Ok(false),
        }
    }
}

fn not_approved(error: NotApproved) -> CliError {
    match error {
        NotApproved::Withheld => CliError::new("not approved; nothing was changed"),
        NotApproved::OverLimit(refusals) => {
            let mut error = CliError::new("the plan breaks a limit; nothing was changed").exit(Exit::UNSAFE);
            for Refusal { limit, allowed, faces } in refusals {
                error = error.hint(format!(
                    "{} trainings would be started and {} allows {allowed}: raise it there, give {} {}, or apply fewer faces at a time",
                    faces.len(), limit.setting(), limit.flag(), faces.len()
                ));
            }
            error
        }
    }
}

/// Shows how things are after the run, and says how it ended.
pub async fn finish(
    session: &Session,
    store: &Arc<dyn StateStore>,
    plan: &Plan,
    policy: &Policy,
    outcome: &Outcome,
    before: Observed,
) -> Result<Exit, CliError> {
    let exit = exit(outcome, plan);
    let recorded = store.load()?.recorded();
    let happened = *outcome != Outcome::default();
    let after = match outcome.is_interrupted || outcome.is_key_refused {
        true => None,
        // Where nothing happened, things are as they were: no need to list ten thousand faces once more.
        false if !happened => Some(before),
        false => match session.survey(&recorded).await {
            Ok(observed) => Some(observed),
            Err(error) => {
                // The run itself is over and told about below; only the table is missing.
                session
                    .output
                    .say(&format!("warning: how the faces are now could not be looked up: {}", error.message));
                None
            }
        },
    };
    // What was allowed once is used up: what to do next must not be to pay again.
    let policy = Policy { recreate: BTreeSet::new(), retry: BTreeSet::new(), ..policy.clone() };
    let rows = after.map_or_else(Vec::new, |observed| {
        let plan = session.plan(&recorded, &observed, &policy);
        status_rows(&plan, &recorded, &observed, true)
    });
    if session.output.is_for_programs() {
        session.output.value(&outcome_json(&session.desired().project, outcome, &rows, exit.0))?;
        return Ok(exit);
    }
    let paint = session.output.paint;
    if happened && !rows.is_empty() {
        session.output.result(&format!("\n{}", status_table(&rows, paint)))?;
    }
    if happened {
        session.output.result(&format!("\n{}", outcome_text(outcome, paint)))?;
    }
    let blocked: Vec<&str> = still_blocked(plan, outcome).map(|(face, _)| face.key.as_str()).collect();
    if !blocked.is_empty() {
        let line = format!("Blocked, so nothing was done about: {} (see `facectl plan`).", blocked.join(", "));
        session.output.say(&session.output.talk_paint.wrap(&line, 2));
    }
    Ok(exit)
}

/// Returns the faces that the plan called blocked and whose fate was not settled since.
fn still_blocked<'a>(plan: &'a Plan, outcome: &'a Outcome) -> impl Iterator<Item = (&'a FacePlan, &'a Block)> {
    plan.blocks().filter(|(face, _)| !outcome.adopted.contains(&face.key) && !outcome.created.contains(&face.key))
}

/// Returns the exit code: what stopped the run, then what needs a person, then what needs time.
pub fn exit(outcome: &Outcome, plan: &Plan) -> Exit {
    let is_blocked = |wanted: fn(&Block) -> bool| still_blocked(plan, outcome).any(|(_, block)| wanted(block));
    let is_failed = !outcome.failed.is_empty()
        || !outcome.refused.is_empty()
        || outcome.trouble.iter().any(|trouble| trouble.key.is_some());
    if outcome.is_interrupted {
        Exit::INTERRUPTED
    } else if outcome.is_key_refused {
        Exit::KEY_REFUSED
    } else if !outcome.in_doubt.is_empty() || is_blocked(|block| matches!(block, Block::InDoubt { .. })) {
        Exit::IN_DOUBT
    } else if is_failed || is_blocked(|block| matches!(block, Block::Failed(_) | Block::TuningFailed)) {
        Exit::FACE_FAILED
    } else if is_blocked(|block| !matches!(block, Block::Failed(_) | Block::TuningFailed | Block::InDoubt { .. })) {
        Exit::UNSAFE
    } else if !outcome.trouble.is_empty() {
        Exit::ERROR
    } else if outcome.is_deadline_reached {
        Exit::STILL_TRAINING
    } else {
        Exit::SUCCESS
    }
}
