//! `facectl recover`

use serde_json::json;

use crate::apply::{Interrupt, Settled};
use crate::cli::Exit;
use crate::cli::args::{Global, RecoverArgs};
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::progress::Progress;
use crate::cli::run::Run;
use crate::cli::session::Session;
use crate::face::FaceKey;

/// Finds out what became of creates that got no answer.
pub async fn run(global: &Global, args: RecoverArgs, output: Output, interrupt: Interrupt) -> Result<Exit, CliError> {
    let session = Session::open(global, &args.paths.paths, output, interrupt).await?;
    let exit = recover(&session, &args).await;
    session.close().await;
    exit
}

async fn recover(session: &Session, args: &RecoverArgs) -> Result<Exit, CliError> {
    let progress = Progress::new(session.output);
    let run = Run::begin(session, &progress, session.policy(None), &args.wait, None)?;
    let settled = run.settle().await?;
    if let Err(error) = run.store.publish() {
        session.output.say(&format!("warning: the lock file could not be written: {error}"));
    }
    show(&settled, &session.output)?;
    Ok(match &settled {
        _ if session.interrupt.is_noted() => Exit::INTERRUPTED,
        settled if !settled.in_doubt.is_empty() => Exit::IN_DOUBT,
        settled if !settled.trouble.is_empty() => Exit::ERROR,
        _ => Exit::SUCCESS,
    })
}

fn show(settled: &Settled, output: &Output) -> Result<(), CliError> {
    let Settled { found, absent, in_doubt, trouble } = settled;
    if output.is_for_programs() {
        return output.value(&json!({
            "format_version": "1.0",
            "found": found,
            "absent": absent,
            "in_doubt": in_doubt,
            "trouble": trouble.iter().map(|trouble| json!({ "key": trouble.key, "why": trouble.why })).collect::<Vec<_>>(),
        }));
    }
    if found.is_empty() && absent.is_empty() && in_doubt.is_empty() && trouble.is_empty() {
        return output.result("Nothing was open: the outcome of every create is known.\n");
    }
    let keys = |keys: &[FaceKey]| keys.iter().map(FaceKey::as_str).collect::<Vec<_>>().join(", ");
    for (word, faces, meaning) in [
        ("Found", found, "their trainings did start and are recorded now"),
        ("Absent", absent, "nothing was started; if they are still declared, the next apply creates them"),
        ("In doubt", in_doubt, "nobody knows yet; run `facectl recover` again later"),
    ] {
        if !faces.is_empty() {
            output.result(&format!("{word}: {} ({meaning}).\n", keys(faces)))?;
        }
    }
    for trouble in trouble {
        output.say(&format!("error: failed to {}: {}", trouble.doing, trouble.why));
    }
    Ok(())
}
