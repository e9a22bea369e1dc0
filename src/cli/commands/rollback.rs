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
    let RollbackArgs { key, to, approve } = args;
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
    if desired.map_or(record.protect, |face| face.spec.lifecycle.protect) {
        return Err(CliError::new(format!(
            "`{key}` is protected, so no other face takes its place; nothing was changed"
        ))
        .hint("take lifecycle.protect away first")
        .exit(Exit::UNSAFE));
    }
    let target = run.executor.rollback_target(key, to.as_ref()).await.map_err(|why| cannot(key, &record, &why))?;
    let repoints = desired.is_none_or(|face| face.spec.lifecycle.repoint_pals);
    if !approve.auto_approve {
        let since = target.left_at.map_or_else(String::new, |at| format!(" (in use until {at:.0})"));
        let next = record.successor.as_ref().map_or_else(String::new, |next| {
            format!(" Its new face {}, which is paid for, is given up and kept.", next.id)
        });
        let pals = if repoints { ", first in every PAL that uses it, then in the record" } else { "" };
        let question = format!(
            "Put {}{since} in the place of {} of `{key}`{pals}?{next} Only `yes` is taken: ",
            target.id, record.id
        );
        agree(session, &question, "yes")?;
    }
    // What is asked for now is what is gone back from, also while its new face still trains.
    let wanted = desired.and_then(|face| face.spec.fingerprint());
    let from = wanted.filter(|wanted| target.fingerprint() != Some(*wanted)).or(record.fingerprint());
    let done = run.executor.roll_back(key, &target.id, repoints, from).await;
    let is_done = done == Done::Switched;
    run.note(key, done);
    let is_held = wanted.is_some() && from == wanted;
    if is_done && is_held {
        session.output.talk(&format!(
            "note: while the manifest asks for what `{key}` was rolled back from, the plan shows it as blocked and goes nowhere: set the manifest back, or go on with `facectl apply --roll-forward {key}`."
        ));
    }
    run.finish(look, |_| false).await
}

fn cannot(key: &FaceKey, record: &RecordedFace, why: &str) -> CliError {
    CliError::new(format!("cannot roll `{key}` back: {why}; nothing was changed"))
        .hint(match record.previous.as_slice() {
            [] => "a face has one from before once it was replaced; `facectl state show` tells of each".to_owned(),
            faces => format!("faces from before: {}", shown(faces)),
        })
        .exit(Exit::UNSAFE)
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
