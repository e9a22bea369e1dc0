//! `facectl wait`

use std::sync::Arc;

use crate::apply::{Interrupt, Outcome};
use crate::cli::Exit;
use crate::cli::args::{Global, WaitArgs};
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::progress::Progress;
use crate::cli::session::{Access, Session};
use crate::plan::{Action, Consent, review};

use super::apply::{execute_settings, executor, finish, held, note_settled, note_stops, waitable};

/// Waits for trainings that are under way. Starts none.
pub async fn run(global: &Global, args: WaitArgs, output: Output, interrupt: Interrupt) -> Result<Exit, CliError> {
    let session = Session::open(global, &args.paths.paths, output, interrupt).await?;
    let exit = wait(&session, &args).await;
    session.close().await;
    exit
}

async fn wait(session: &Session, args: &WaitArgs) -> Result<Exit, CliError> {
    let state = session.state(Access::Write)?;
    let store = held(&state)?;
    let progress = Progress::new(session.output);
    let executor = executor(session, Arc::clone(&store), &progress, execute_settings(session, &args.wait, None));
    let policy = session.policy(None);
    let mut outcome = Outcome::default();
    note_settled(executor.settle().await?, &mut outcome);
    let recorded = store.load()?.recorded();
    let observed = session.survey(&recorded).await?;
    let mut plan = session.plan(&recorded, &observed, &policy);
    // A running training that carries our token is taken up, so that any machine can go on waiting for it.
    plan.faces.retain(|face| matches!(face.action, Action::Adopt(_) | Action::Wait | Action::NoOp | Action::Blocked));
    plan.faces.retain(|face| !matches!(&face.action, Action::Adopt(adopt) if adopt.token.is_none()));
    plan.refusals.clear();
    let blocked_before_waiting = plan.clone();
    if let Ok(approved) = review(plan, Consent::Automatic) {
        outcome.absorb(executor.execute(&approved, session.desired(), &observed).await);
    }
    let keys = waitable(session, &store, &observed, &blocked_before_waiting, &outcome)?;
    outcome.absorb(executor.wait(session.desired(), keys).await);
    progress.clear();
    note_stops(session, &executor, &mut outcome);
    if outcome == Outcome::default() {
        session.output.talk("Nothing to wait for.");
    }
    finish(session, &store, &blocked_before_waiting, &policy, &outcome, observed).await
}
