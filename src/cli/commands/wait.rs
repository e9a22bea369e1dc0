//! `facectl wait`

use crate::apply::{Interrupt, Outcome};
use crate::cli::Exit;
use crate::cli::args::{Global, WaitArgs};
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::progress::Progress;
use crate::cli::run::{Run, is_about_failure, is_found};
use crate::cli::session::Session;
use crate::plan::{Block, Consent, Plan, review};

/// Waits for trainings that are under way. Starts none.
pub async fn run(global: &Global, args: WaitArgs, output: Output, interrupt: Interrupt) -> Result<Exit, CliError> {
    let session = Session::open(global, &args.paths.paths, output, interrupt).await?;
    let exit = wait(&session, &args).await;
    session.close().await;
    exit
}

async fn wait(session: &Session, args: &WaitArgs) -> Result<Exit, CliError> {
    let progress = Progress::new(session.output);
    let mut run = Run::begin(session, &progress, None, &args.wait, None)?;
    run.policy.selection = args.selection.selection();
    session.check_selection(&run.policy, &run.store.load()?.recorded())?;
    run.settle_first().await?;
    let look = run.look().await?;
    // A running training that carries our token is taken up, so that any machine can go on waiting for it.
    let mut taken_up = Plan::clone(&look.plan);
    taken_up.refusals.clear();
    taken_up.retired.clear();
    // Nothing else: what somebody gave up, or names by hand, takes a plan.
    taken_up.faces.retain(is_found);
    if let Ok(approved) = review(taken_up, Consent::Automatic) {
        let executed = run.executor.execute(&approved, session.desired(), &look.observed).await;
        run.outcome.absorb(executed);
    }
    run.wait(&look).await?;
    if run.outcome == Outcome::default() {
        session.output.talk("Nothing to wait for.");
    }
    // What else is blocked has nothing to do with waiting: `plan` and `apply` say so.
    run.finish(look, |block| matches!(block, Block::InDoubt { .. }) || is_about_failure(block)).await
}
