//! `facectl delete`

use crate::apply::Interrupt;
use crate::cli::Exit;
use crate::cli::args::{DeleteArgs, Global, WaitOptions};
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::progress::Progress;
use crate::cli::run::{Look, Run, agree};
use crate::cli::session::Session;
use crate::face::{FaceId, FaceKey, RecordedFace};
use crate::plan::{Delete, Keep, refund_until, users};
use crate::report::keep_text;
use crate::tavus::observe_pals;

/// Deletes the live face of a key.
pub async fn run(global: &Global, args: DeleteArgs, output: Output, interrupt: Interrupt) -> Result<Exit, CliError> {
    let session = Session::open_also_empty(global, &[], output, interrupt).await?;
    let exit = delete(&session, &args).await;
    session.close().await;
    exit
}

async fn delete(session: &Session, args: &DeleteArgs) -> Result<Exit, CliError> {
    let progress = Progress::new(session.output);
    let mut run = Run::begin(session, &progress, None, &WaitOptions::default(), None)?;
    run.limit_deletions(args.max_deletions);
    let look = run.look().await?;
    let record = look.recorded.faces.get(&args.key).cloned().ok_or_else(|| unknown(&look, &args.key))?;
    let faces = chosen(args, &record, &look)?;
    object(session, args, &record, &faces, &look)?;
    let pals = observe_pals(&session.api).await?;
    if let Some(keep) = users(Some(&pals), &faces) {
        return Err(refused(&args.key, &keep_text(&keep)));
    }
    if let Some(allowed) = run.policy.max_deletions.filter(|allowed| faces.len() > *allowed as usize) {
        let number = faces.len();
        let why = format!("{number} faces would be deleted, and spec.limits.max_deletions allows {allowed}");
        return Err(refused(&args.key, &why)
            .hint(format!("its faces are: {}", roles(&record, &faces)))
            .hint(format!("--face-id deletes one of them; --max-deletions {number} allows all")));
    }
    let shown = roles(&record, &faces);
    session.output.talk(&format!("{}: {shown}", args.key));
    if !args.approve.auto_approve {
        let (how, word) = match args.hard {
            true => (" with the stored material", args.key.as_str()),
            false => ("", "yes"),
        };
        let question = format!(
            "Delete {shown} of `{}`{how}? Nothing brings a deleted face back. Only `{word}` is taken: ",
            args.key
        );
        agree(session, &question, word)?;
    }
    let done = run.executor.delete(&args.key, &Delete { faces, is_hard: args.hard }).await;
    run.note(&args.key, done);
    run.finish(look, |_| false).await
}

/// Returns the live faces that are meant, in the order in which they are deleted: the present one last.
fn chosen(args: &DeleteArgs, record: &RecordedFace, look: &Look) -> Result<Vec<FaceId>, CliError> {
    let Some(id) = &args.face_id else {
        let mut all: Vec<FaceId> = record.ids().cloned().collect();
        all.reverse();
        return Ok(all);
    };
    let is_duplicate = look.plan.duplicates.iter().any(|one| one.key == args.key && one.others.contains(id));
    if !record.ids().any(|known| known == id) && !is_duplicate {
        let known: Vec<&str> = record.ids().map(FaceId::as_str).collect();
        return Err(CliError::new(format!("{id} is none of the faces of `{}`; nothing was deleted", args.key))
            .hint(format!("its faces are: {}; faces of nobody here are never touched", known.join(", "))));
    }
    if *id == record.id && record.ids().nth(1).is_some() {
        return Err(refused(&args.key, &format!("{id} is its present face, and it has others")).hint(format!(
            "`facectl rollback {}` puts the one before in its place; without --face-id all of them are deleted",
            args.key
        )));
    }
    Ok(vec![id.clone()])
}

/// Says what stands against it, before anybody is asked.
fn object(
    session: &Session,
    args: &DeleteArgs,
    record: &RecordedFace,
    faces: &[FaceId],
    look: &Look,
) -> Result<(), CliError> {
    let key = &args.key;
    let desired = session.desired().faces.get(key);
    let is_whole = faces.contains(&record.id);
    if desired.map_or(record.protect, |face| face.spec.lifecycle.protect) {
        return Err(refused(key, &keep_text(&Keep::Protected)).hint(match desired {
            Some(face) => format!("take lifecycle.protect away in {}", face.origin),
            None => "the state remembers it: declare the face once more without lifecycle.protect and apply, or drop it from the record by `facectl state forget`".to_owned(),
        }));
    }
    if look.recorded.open.contains_key(key) {
        return Err(refused(key, &keep_text(&Keep::InDoubt)).exit(Exit::IN_DOUBT));
    }
    if let (Some(face), true, false) = (desired, is_whole, args.although_declared) {
        return Err(refused(
            key,
            &format!("it is still declared at {}, so the next apply would train it anew, which costs", face.origin),
        )
        .hint("remove it from the manifests first; --although-declared deletes it all the same"));
    }
    if let (Some(until), false) = (refund_until(record, faces, &look.observed), args.although_failed) {
        return Err(
            refused(key, &keep_text(&Keep::FailedLately(until))).hint("--although-failed deletes it all the same")
        );
    }
    Ok(())
}

/// Returns the faces with what each of them is to the key.
fn roles(record: &RecordedFace, faces: &[FaceId]) -> String {
    let role = |id: &FaceId| match id {
        id if *id == record.id => "its present face",
        id if record.successor.as_ref().is_some_and(|next| next.id == *id) => "its new face, which is paid for",
        id if record.previous.iter().any(|left| left.id == *id) => "one from before",
        _ => "a duplicate",
    };
    faces.iter().map(|id| format!("{id} ({})", role(id))).collect::<Vec<_>>().join(", ")
}

fn refused(key: &FaceKey, why: &str) -> CliError {
    CliError::new(format!("`{key}` is not deleted: {why}; nothing was changed")).exit(Exit::UNSAFE)
}

fn unknown(look: &Look, key: &FaceKey) -> CliError {
    let known: Vec<&str> = look.recorded.faces.keys().take(20).map(FaceKey::as_str).collect();
    let error = CliError::new(format!("no face is recorded under the key `{key}`; nothing was deleted"));
    if known.is_empty() { error } else { error.hint(format!("recorded are: {}", known.join(", "))) }
}
