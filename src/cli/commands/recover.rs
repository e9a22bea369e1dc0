//! `facectl recover`

use std::sync::Arc;

use serde_json::json;

use crate::apply::{Interrupt, Outcome};
use crate::cli::Exit;
use crate::cli::args::{Global, RecoverArgs};
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::progress::Progress;
use crate::cli::session::{Access, Session};

use super::apply::{execute_settings, executor, held};

/// Finds out what became of creates that got no answer.
pub async fn run(global: &Global, args: RecoverArgs, output: Output, interrupt: Interrupt) -> Result<Exit, CliError> {
    let session = Session::open(global, &args.paths.paths, output, interrupt).await?;
    let exit = recover(&session, &args).await;
    session.close().await;
    exit
}

async fn recover(session: &Session, args: &RecoverArgs) -> Result<Exit, CliError> {
    let state = session.state(Access::Write)?;
    let store = held(&state)?;
    let progress = Progress::new(session.output);
    let executor = executor(session, Arc::clone(&store), &progress, execute_settings(session, &args.wait, None));
    let settled = executor.settle().await?;
    let output = &session.output;
    let mut outcome =
        Outcome { in_doubt: settled.in_doubt.clone(), trouble: settled.trouble.clone(), ..Outcome::default() };
    outcome.is_interrupted = session.interrupt.is_noted();
    if output.is_for_programs() {
        output.value(&json!({
            "format_version": "1.0",
            "found": settled.found,
            "absent": settled.absent,
            "in_doubt": settled.in_doubt,
            "trouble": settled.trouble.iter().map(|trouble| json!({ "key": trouble.key, "why": trouble.why })).collect::<Vec<_>>(),
        }))?;
    } else if settled.found.is_empty()
        && settled.absent.is_empty()
        && settled.in_doubt.is_empty()
        && settled.trouble.is_empty()
    {
        output.result("Nothing was open: the outcome of every create is known.\n")?;
    } else {
        let keys = |keys: &[crate::face::FaceKey]| {
            keys.iter().map(crate::face::FaceKey::as_str).collect::<Vec<_>>().join(", ")
        };
        for (word, faces, meaning) in [
            ("Found", &settled.found, "their trainings did start and are recorded now"),
            ("Absent", &settled.absent, "nothing was started; apply sends them again under the same token"),
            ("In doubt", &settled.in_doubt, "nobody knows yet; run `facectl recover` again later"),
        ] {
            if !faces.is_empty() {
                output.result(&format!("{word}: {} ({meaning}).\n", keys(faces)))?;
            }
        }
        for trouble in &settled.trouble {
            output.say(&format!("error: failed to {}: {}", trouble.doing, trouble.why));
        }
    }
    let recorded = store.load()?.recorded();
    let plan = session.plan(&recorded, &session.unobserved(&recorded), &session.policy(None));
    let only_open = crate::plan::Plan { faces: Vec::new(), ..plan };
    Ok(super::apply::exit(&outcome, &only_open))
}
