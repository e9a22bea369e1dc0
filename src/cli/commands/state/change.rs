//! `facectl state forget` and `move`

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::json;

use crate::cli::Exit;
use crate::cli::args::{ForgetArgs, MoveArgs};
use crate::cli::error::CliError;
use crate::cli::run::agree_unless;
use crate::cli::session::{Access, WholeState, declared};
use crate::face::{FaceId, FaceKey, RecordedFace};
use crate::state::{Change, Entry, Happened, HistoryEntry, LOCK_FILE, Snapshot, StateStore};

use super::{Desk, unknown};

/// Drops faces from the record; the live faces live on.
pub fn forget(desk: &Desk<'_>, args: &ForgetArgs) -> Result<Exit, CliError> {
    let (store, snapshot) = take(desk)?;
    let keys: BTreeSet<&FaceKey> = args.keys.iter().collect();
    let mut faces = Vec::new();
    for key in keys {
        refuse_open(key, &snapshot, "forgotten")?;
        faces.push((key, snapshot.faces.get(key).ok_or_else(|| unknown(key, &snapshot))?));
    }
    consent(desk, args, &faces)?;
    let context = desk.place.run_context();
    let entry = |(key, face): &(&FaceKey, &RecordedFace)| HistoryEntry {
        id: Some(face.id.clone()),
        token: face.token.clone(),
        ..HistoryEntry::new(
            desk.clock.now(),
            Some(*key),
            Happened::Forgotten,
            "by hand (state forget); the live face was left as it is",
            context,
        )
    };
    let change = Change {
        faces: faces.iter().map(|(key, _)| ((*key).clone(), None)).collect(),
        history: faces.iter().map(entry).collect(),
        ..Change::default()
    };
    let serial = store.commit(change)?;
    desk.publish(store.as_ref());
    told_forgotten(desk, &faces, serial)
}

fn take(desk: &Desk<'_>) -> Result<(Arc<dyn StateStore>, Snapshot), CliError> {
    let lock = desk.place.lock_path.as_ref();
    if !desk.place.directory.join("db").exists() && !lock.is_some_and(|path| path.exists()) {
        // A slip in the folder's name must not leave an empty state behind.
        return Err(CliError::new(format!("there is no state in {} yet", desk.place.directory.display()))
            .hint("--state-dir and --project-file choose another project's"));
    }
    let WholeState { store, snapshot, .. } = desk.place.whole(Access::Write)?;
    let store = store.ok_or_else(|| CliError::new("the state cannot be written; nothing was changed"))?;
    Ok((store, snapshot))
}

/// Refuses to touch a key while nobody knows what became of its create: the record is what a found face goes into.
fn refuse_open(key: &FaceKey, snapshot: &Snapshot, what: &str) -> Result<(), CliError> {
    let Some(open) = snapshot.journal.get(key).and_then(Entry::open) else { return Ok(()) };
    let begun = open.begun_at.strftime("%Y-%m-%d %H:%M:%S UTC");
    let error = CliError::new(format!(
        "nobody knows what became of the create of `{key}` (token {}, begun {begun}), so it cannot be {what}; nothing was changed",
        open.token
    ));
    Err(error.hint("settle it first: `facectl recover`").exit(Exit::IN_DOUBT))
}

fn consent(desk: &Desk<'_>, args: &ForgetArgs, faces: &[(&FaceKey, &RecordedFace)]) -> Result<(), CliError> {
    if args.approve.auto_approve {
        return Ok(());
    }
    let lines: String = faces.iter().map(|(key, face)| format!("  . {key}  {}\n", ids(face).join(", "))).collect();
    let text = "The live faces live on, and nothing here knows them any more:";
    let question = format!("{text}\n{lines}Forget them? Only `yes` is taken: ");
    agree_unless(&desk.place.interrupt, &desk.output, &question, "yes")
}

fn ids(face: &RecordedFace) -> Vec<String> {
    face.ids().map(FaceId::to_string).collect()
}

fn told_forgotten(desk: &Desk<'_>, faces: &[(&FaceKey, &RecordedFace)], serial: u64) -> Result<Exit, CliError> {
    let loaded = declared(desk.global);
    let is_declared = |key: &FaceKey| loaded.as_ref().map(|loaded| loaded.desired.faces.contains_key(key));
    let output = &desk.output;
    if output.is_for_programs() {
        let forgotten = faces
            .iter()
            .map(|(key, face)| json!({ "key": key, "face_ids": ids(face), "is_still_declared": is_declared(key) }));
        output
            .value(&json!({ "format_version": "1.0", "forgotten": forgotten.collect::<Vec<_>>(), "serial": serial }))?;
    }
    for (key, face) in faces {
        let id = ids(face).join(", ");
        if !output.is_for_programs() {
            output.result(&format!(". {key}  forgotten; {id} lives on\n"))?;
        }
        if is_declared(key) == Some(true) {
            let line = format!(
                "warning: {key} is still declared. While its live name carries the creation token, or where `adopt: unique` is set, the next apply takes {} up again; otherwise the plan is blocked by its name. Remove its manifest to let go of it for good.",
                face.id
            );
            output.say(&output.talk_paint.wrap(&line, 2));
        }
    }
    if loaded.is_none() {
        output.talk("note: the manifests could not be loaded, so nobody looked whether they still declare it.");
    }
    warn_of_lock_file(desk, faces);
    Ok(Exit::SUCCESS)
}

/// With the lock file turned off, one that lies there all the same would bring the faces back on another machine.
fn warn_of_lock_file(desk: &Desk<'_>, faces: &[(&FaceKey, &RecordedFace)]) {
    if desk.place.lock_path.is_some() {
        return;
    }
    let path = desk.place.root.join(LOCK_FILE);
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    if faces.iter().any(|(_, face)| text.contains(face.id.as_str())) {
        let line = format!(
            "warning: the lock file is turned off (--lock-file=false), and {} still names what was forgotten: whoever reads it takes it over again.",
            path.display()
        );
        desk.output.say(&desk.output.talk_paint.wrap(&line, 2));
    }
}

/// Records a face under another key.
pub fn rename(desk: &Desk<'_>, args: &MoveArgs) -> Result<Exit, CliError> {
    let MoveArgs { old, new } = args;
    let (store, snapshot) = take(desk)?;
    if old == new {
        return Err(CliError::new(format!("`{old}` and `{new}` are one key; nothing was changed")));
    }
    refuse_open(old, &snapshot, "moved")?;
    refuse_open(new, &snapshot, "moved to")?;
    let face = snapshot.faces.get(old).ok_or_else(|| unknown(old, &snapshot))?;
    if let Some(there) = snapshot.faces.get(new) {
        return Err(CliError::new(format!("`{new}` is recorded already, as {}; nothing was changed", there.id))
            .hint(format!("if it is to give way: `facectl state move {new} OTHER`, or `facectl state forget {new}`"))
            .exit(Exit::UNSAFE));
    }
    let context = desk.place.run_context();
    let entry = |key: &FaceKey, detail: String| HistoryEntry {
        id: Some(face.id.clone()),
        token: face.token.clone(),
        ..HistoryEntry::new(desk.clock.now(), Some(key), Happened::Moved, &detail, context)
    };
    // Its last create goes along: it says what this face was made by.
    let journal = snapshot.journal.get(old).map(|last| vec![(old.clone(), None), (new.clone(), Some(last.clone()))]);
    let change = Change {
        journal: journal.unwrap_or_default(),
        faces: vec![(old.clone(), None), (new.clone(), Some(face.clone()))],
        history: vec![
            entry(old, format!("recorded as {new} from now on (state move)")),
            entry(new, format!("was recorded as {old} until now (state move)")),
        ],
        ..Change::default()
    };
    let serial = store.commit(change)?;
    desk.publish(store.as_ref());
    told_moved(desk, args, face, serial)
}

fn told_moved(desk: &Desk<'_>, args: &MoveArgs, face: &RecordedFace, serial: u64) -> Result<Exit, CliError> {
    let MoveArgs { old, new } = args;
    let output = &desk.output;
    if output.is_for_programs() {
        let moved = json!({ "from": old, "to": new, "face_id": face.id });
        output.value(&json!({ "format_version": "1.0", "moved": moved, "serial": serial }))?;
    } else {
        output.result(&format!("{old} -> {new}  {}; nothing was sent, nothing is trained\n", face.id))?;
    }
    let loaded = declared(desk.global);
    let is_declared = |key: &FaceKey| loaded.as_ref().is_some_and(|loaded| loaded.desired.faces.contains_key(key));
    if is_declared(old) || (loaded.is_some() && !is_declared(new)) {
        let line = format!(
            "warning: the manifests do not follow yet: set `metadata.name: {new}` where it says `{old}`, before the next apply."
        );
        output.say(&output.talk_paint.wrap(&line, 2));
    }
    let line = format!(
        "note: other checkouts learn of it by facectl.lock.yaml. The declarative way, for the next time, is the annotation `facectl.dev/moved-from: {old}` in the manifest of {new}: the next apply moves the record then."
    );
    output.talk(&output.talk_paint.wrap(&line, 2));
    Ok(Exit::SUCCESS)
}
