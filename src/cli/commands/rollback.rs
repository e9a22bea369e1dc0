//! `facectl rollback`

use crate::apply::{Done, Interrupt};
use crate::cli::Exit;
use crate::cli::args::{Global, RollbackArgs, WaitOptions};
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::progress::Progress;
use crate::cli::run::{Run, agree};
use crate::cli::session::Session;
use crate::face::{FaceKey, PreviousFace, RecordedFace};

/// Goes back to the face that a key had before: PALs first, then the record.
pub async fn run(global: &Global, args: RollbackArgs, output: Output, interrupt: Interrupt) -> Result<Exit, CliError> {
    let session = Session::open_also_empty(global, &[], output, interrupt).await?;
    let exit = rollback(&session, &args).await;
    session.close().await;
    exit
}

async fn rollback(session: &Session, args: &RollbackArgs) -> Result<Exit, CliError> {
    let RollbackArgs { key, to, yes } = args;
    let progress = Progress::new(session.output);
    let mut run = Run::begin(session, &progress, None, &WaitOptions::default(), None)?;
    // Makes sure of the account before anything else.
    let look = run.look().await?;
    let record = recorded(&run, key)?;
    if look.recorded.open.contains_key(key) {
        return Err(CliError::new(format!("a create of `{key}` is in doubt; nothing was changed"))
            .hint("run `facectl recover` first")
            .exit(Exit::IN_DOUBT));
    }
    let desired = session.desired().faces.get(key);
    let repoints = desired.is_none_or(|face| face.spec.lifecycle.repoint_pals);
    if !yes {
        let target = to.as_ref().map_or_else(|| "the face before it".to_owned(), ToString::to_string);
        let pals = if repoints { ", first in every PAL that uses it, then in the record" } else { "" };
        let question = format!("Put {target} in the place of {} of `{key}`{pals}? Only `yes` is taken: ", record.id);
        agree(session, &question, "yes")?;
    }
    // What is asked for now is what is gone back from, also while its new face still trains.
    let from = desired.and_then(|face| face.spec.fingerprint()).or(record.fingerprint());
    let done = run.executor.roll_back(key, to.as_ref(), repoints, from).await.map_err(|why| {
        CliError::new(format!("cannot roll `{key}` back: {why}; nothing was changed"))
            .hint(match record.previous.as_slice() {
                [] => "a face has one from before once it was replaced; `facectl state show` tells of each".to_owned(),
                faces => format!("faces from before: {}", shown(faces)),
            })
            .exit(Exit::UNSAFE)
    })?;
    let is_done = done == Done::Switched;
    run.note(key, done);
    if is_done && desired.is_some() {
        session.output.talk(&format!(
            "note: while the manifest asks for what `{key}` was rolled back from, the plan shows it as blocked and goes nowhere: set the manifest back, or go on with `facectl apply --roll-forward {key}`."
        ));
    }
    run.finish(look, |_| false).await
}

fn recorded(run: &Run<'_>, key: &FaceKey) -> Result<RecordedFace, CliError> {
    let snapshot = run.store.load()?;
    snapshot.faces.get(key).cloned().ok_or_else(|| {
        let known: Vec<&str> = snapshot.faces.keys().take(20).map(FaceKey::as_str).collect();
        let error = CliError::new(format!("no face is recorded under the key `{key}`; nothing was changed"));
        if known.is_empty() { error } else { error.hint(format!("recorded are: {}", known.join(", "))) }
    })
}

fn shown(faces: &[PreviousFace]) -> String {
    let of = |face: &PreviousFace| match face.left_at {
        Some(at) => format!("{} (until {at:.0})", face.id),
        None => face.id.to_string(),
    };
    faces.iter().rev().map(of).collect::<Vec<_>>().join(", ")
}
