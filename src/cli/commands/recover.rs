//! `facectl recover`

use std::collections::BTreeMap;

use serde_json::json;

use crate::apply::{Interrupt, Settled};
use crate::cli::Exit;
use crate::cli::args::{Global, RecoverArgs};
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::progress::Progress;
use crate::cli::run::Run;
use crate::cli::session::Session;
use crate::face::{FaceKey, OpenCreate, Recorded};

/// Finds out what became of creates that got no answer.
pub async fn run(global: &Global, args: RecoverArgs, output: Output, interrupt: Interrupt) -> Result<Exit, CliError> {
    let session = Session::open_also_empty(global, &args.paths.paths, output, interrupt).await?;
    let exit = recover(&session, &args).await;
    session.close().await;
    exit
}

async fn recover(session: &Session, args: &RecoverArgs) -> Result<Exit, CliError> {
    let progress = Progress::new(session.output);
    let run = Run::begin(session, &progress, None, &args.wait, None)?;
    for key in &args.assume_absent {
        if let Err(why) = run.executor.assume_absent(key).await {
            return Err(CliError::new(format!("--assume-absent {key}: {why}; nothing was changed about it")));
        }
        session.output.talk(&format!("{key}: taken as never begun, on your word."));
    }
    let open = run.store.load()?.recorded().open;
    let settled = run.settle().await?;
    if let Err(error) = run.store.publish() {
        session.output.say(&format!("warning: the lock file could not be written: {error}"));
    }
    let recorded = run.store.load()?.recorded();
    let cases = cases(&settled, &open, &recorded);
    show(&cases, &settled, &session.output)?;
    Ok(match &settled {
        _ if session.interrupt.is_noted() => Exit::INTERRUPTED,
        settled if !settled.in_doubt.is_empty() => Exit::IN_DOUBT,
        settled if !settled.trouble.is_empty() => Exit::ERROR,
        _ => Exit::SUCCESS,
    })
}

/// What became of one create, with the evidence.
struct Case {
    key: FaceKey,
    verdict: &'static str,
    token: Option<String>,
    begun_at: Option<String>,
    face_id: Option<String>,
    evidence: String,
}

fn cases(settled: &Settled, open: &BTreeMap<FaceKey, OpenCreate>, recorded: &Recorded) -> Vec<Case> {
    let case = |key: &FaceKey, verdict: &'static str, evidence: String| Case {
        key: key.clone(),
        verdict,
        token: open.get(key).map(|open| open.token.to_string()),
        begun_at: open.get(key).map(|open| format!("{:.0}", open.begun_at)),
        face_id: None,
        evidence,
    };
    let found = settled.found.iter().map(|key| {
        let id = recorded.faces.get(key).map(|face| face.id.to_string());
        let evidence = format!(
            "live face {} carries its token: its training did start, and is recorded now",
            id.as_deref().unwrap_or("(unknown)")
        );
        Case { face_id: id, ..case(key, "found", evidence) }
    });
    let absent = settled.absent.iter().map(|key| {
        let evidence = "two complete listings after the settle window do not show its token: nothing was started; if it is still declared, the next apply creates it".to_owned();
        case(key, "absent", evidence)
    });
    let in_doubt = settled.in_doubt.iter().map(|key| {
        let evidence = "its token is not to be seen, and nothing proves yet that it will not show up: run `facectl recover` again later".to_owned();
        case(key, "in doubt", evidence)
    });
    found.chain(absent).chain(in_doubt).collect()
}

fn show(cases: &[Case], settled: &Settled, output: &Output) -> Result<(), CliError> {
    let Settled { found, absent, in_doubt, trouble } = settled;
    if output.is_for_programs() {
        return output.value(&json!({
            "format_version": "1.0",
            "found": found,
            "absent": absent,
            "in_doubt": in_doubt,
            "creates": cases.iter().map(|case| json!({
                "key": case.key,
                "verdict": case.verdict,
                "token": case.token,
                "begun_at": case.begun_at,
                "face_id": case.face_id,
                "evidence": case.evidence,
            })).collect::<Vec<_>>(),
            "trouble": trouble.iter().map(|trouble| json!({ "key": trouble.key, "why": trouble.why })).collect::<Vec<_>>(),
        }));
    }
    if cases.is_empty() && trouble.is_empty() {
        return output.result("Nothing was open: the outcome of every create is known.\n");
    }
    for Case { key, verdict, token, begun_at, face_id: _, evidence } in cases {
        let what = match (token, begun_at) {
            (Some(token), Some(at)) => format!("token {token}, begun at {at}; "),
            _ => String::new(),
        };
        output.result(&format!("{key}: {verdict}\n  {}\n", output.paint.wrap(&format!("{what}{evidence}"), 2)))?;
    }
    for trouble in trouble {
        output.say(&format!("error: failed to {}: {}", trouble.doing, trouble.why));
    }
    Ok(())
}
