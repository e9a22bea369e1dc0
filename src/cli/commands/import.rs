//! `facectl import`

use std::collections::BTreeSet;
use std::fmt::Write;
use std::io::IsTerminal;

use serde_json::{Value, json};

use crate::apply::{Done, Interrupt};
use crate::cli::Exit;
use crate::cli::args::{Global, ImportArgs, WaitOptions};
use crate::cli::error::{CliError, unless_interrupted};
use crate::cli::output::Output;
use crate::cli::progress::Progress;
use crate::cli::run::{Look, Run, ask};
use crate::cli::session::Session;
use crate::face::{
    Attempt, DesiredFace, FaceId, FaceKey, ObservedFace, Presence, RecordedFace, Token, TrainedFrom, TrainingStatus,
    told_apart,
};
use crate::plan::{Adopt, NotAdoptable, adoptable, live_name_agrees};
use crate::report::not_adoptable;
use crate::tavus::{FaceReads, if_known};

/// Records faces that live already.
pub async fn run(global: &Global, args: ImportArgs, output: Output, interrupt: Interrupt) -> Result<Exit, CliError> {
    let pairs = pairs(&args.faces)?;
    let session = Session::open(global, &[], output, interrupt).await?;
    let exit = import(&session, &args, &pairs).await;
    session.close().await;
    exit
}

/// What is to be recorded under one key.
struct Case<'a> {
    key: &'a FaceKey,
    desired: &'a DesiredFace,
    live: ObservedFace,
    inputs: Inputs,
    what: What,
}

/// What is known of what the face was made from.
enum Inputs {
    /// Nothing.
    Unknown,
    /// Its token says that it was made from what the manifest states.
    Known(TrainedFrom),
    /// Somebody says so.
    Assumed(TrainedFrom),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    /// The face.
    Face,
    /// Only what it was made from: the face is recorded.
    InputsOnly,
    /// Nothing: it is as asked for.
    Nothing,
}

async fn import(session: &Session, args: &ImportArgs, pairs: &[(FaceKey, FaceId)]) -> Result<Exit, CliError> {
    if let Some((key, _)) = pairs.iter().find(|(key, _)| !session.desired().faces.contains_key(key)) {
        return Err(CliError::new(format!("{key} is not declared; nothing was changed"))
            .hint("declare it first: `facectl export FACE_ID` writes a manifest for a live face"));
    }
    let progress = Progress::new(session.output);
    let wait = WaitOptions { wait_timeout: None, poll_interval: None, settle_window: None, no_settle: true };
    let run = Run::begin(session, &progress, None, &wait, None)?;
    let mut look = run.look().await?;
    let mut cases = Vec::new();
    for (key, id) in pairs {
        let case = unless_interrupted(&session.interrupt, judge(session, &look, key, id, args.assume_current)).await?;
        cases.push(case);
    }
    show(session, &cases)?;
    if cases.iter().all(|case| case.what == What::Nothing) {
        return told(session, &cases);
    }
    if !args.approve.auto_approve && !agrees(session)? {
        return Err(CliError::new("not agreed; nothing was changed"));
    }
    for case in &cases {
        look.observed.faces.insert(case.live.id.clone(), case.live.clone());
        let done = match (case.what, case.inputs.trained_from()) {
            (What::Face, trained_from) => {
                let token = case.live.token();
                let adopt = Adopt { id: case.live.id.clone(), token, trained_from, moved_from: None, beside: None };
                run.executor.import(case.key, &adopt, session.desired(), &look.observed).await
            }
            (What::InputsOnly, Some(trained_from)) => {
                run.executor.assume_inputs(case.key, &case.live.id, trained_from).await
            }
            (What::InputsOnly | What::Nothing, _) => continue,
        };
        if let Done::Failed(trouble) = done {
            return Err(CliError::new(format!("{}: failed to {}: {}", case.key, trouble.doing, trouble.why))
                .hint("what stands before it was recorded; run the same command again"));
        }
    }
    if let Err(error) = run.store.publish() {
        session.output.say(&format!("warning: the lock file could not be written: {error}"));
    }
    told(session, &cases)
}

/// Reads `KEY FACE_ID`, or any number of `KEY=FACE_ID`.
fn pairs(words: &[String]) -> Result<Vec<(FaceKey, FaceId)>, CliError> {
    let texts: Vec<(&str, &str)> = match words {
        [key, id] if !key.contains('=') && !id.contains('=') => vec![(key, id)],
        words => words.iter().map(|word| word.split_once('=').unwrap_or((word, ""))).collect(),
    };
    let mut pairs = Vec::new();
    let (mut keys, mut ids) = (BTreeSet::new(), BTreeSet::new());
    for (key, id) in texts {
        let usage = "write `facectl import KEY FACE_ID`, or `facectl import KEY=FACE_ID KEY=FACE_ID …`";
        if id.is_empty() {
            return Err(CliError::new(format!("no face id is given for `{key}`")).hint(usage));
        }
        let wrong = |what: &str, why: String| CliError::new(format!("`{what}` cannot be used: {why}")).hint(usage);
        let key: FaceKey = key.parse().map_err(|error: crate::face::NameError| wrong(key, error.to_string()))?;
        let id: FaceId = id.parse().map_err(|error: crate::face::NameError| wrong(id, error.to_string()))?;
        if !keys.insert(key.clone()) || !ids.insert(id.clone()) {
            return Err(CliError::new(format!("{key}={id}: each key and each face can be given once")));
        }
        pairs.push((key, id));
    }
    Ok(pairs)
}

/// Checks everything that stands against recording the face under the key.
async fn judge<'a>(
    session: &'a Session,
    look: &Look,
    key: &'a FaceKey,
    id: &FaceId,
    assume_current: bool,
) -> Result<Case<'a>, CliError> {
    let refused = |why: String| CliError::new(format!("{key}: {why}; nothing was changed")).exit(Exit::UNSAFE);
    let Some(desired) = session.desired().faces.get(key) else { return Err(refused("it is not declared".to_owned())) };
    if look.recorded.open.contains_key(key) {
        return Err(refused("a create of it is in doubt".to_owned())
            .hint("run `facectl recover` first: its training may have started")
            .exit(Exit::IN_DOUBT));
    }
    if let Some(named) = desired.declared_id().filter(|named| named != id) {
        return Err(refused(format!("its manifest says that it is {named} (facectl.dev/face-id)"))
            .hint("correct the annotation, or remove it"));
    }
    let recorded = look.recorded.faces.get(key);
    if let Some(recorded) = recorded.filter(|recorded| recorded.id != *id) {
        refuse_living(session, look, key, recorded).await?;
    }
    let Some(live) = if_known(session.api.face(id).await)? else {
        return Err(CliError::new(format!("{key}: there is no face {id} in this account; nothing was changed"))
            .hint("check the id, and that TAVUS_API_KEY is the key of the right account"));
    };
    let is_recorded = recorded.is_some_and(|recorded| recorded.id == *id);
    if !is_recorded {
        refuse_foreign(session, look, key, &live)?;
    }
    let inputs = inputs(session, key, desired, &live, assume_current)?;
    let what = match recorded.filter(|_| is_recorded) {
        None => What::Face,
        Some(recorded) => match &inputs {
            Inputs::Assumed(from) if recorded.trained_from.as_ref() != Some(from) => What::InputsOnly,
            Inputs::Assumed(_) | Inputs::Known(_) | Inputs::Unknown => What::Nothing,
        },
    };
    Ok(Case { key, desired, live, inputs, what })
}

/// A key whose recorded face lives keeps it.
async fn refuse_living(session: &Session, look: &Look, key: &FaceKey, recorded: &RecordedFace) -> Result<(), CliError> {
    let is_gone = look.observed.presence(&recorded.id) == Presence::Gone
        && if_known(session.api.face(&recorded.id).await)?.is_none()
        && !crate::plan::may_not_show_yet(recorded, look.observed.at);
    if is_gone {
        return Ok(());
    }
    Err(CliError::new(format!("{key}: face {} is recorded for it, and is not gone; nothing was changed", recorded.id))
        .hint("declare the other face under a key of its own: `facectl export FACE_ID` writes a manifest for it")
        .exit(Exit::UNSAFE))
}

fn refuse_foreign(session: &Session, look: &Look, key: &FaceKey, live: &ObservedFace) -> Result<(), CliError> {
    let refused = |why: String| CliError::new(format!("{key}: {why}; nothing was changed")).exit(Exit::UNSAFE);
    let holds = |(other, face): &(&FaceKey, &RecordedFace)| *other != key && face.ids().any(|id| *id == live.id);
    let by_record = look.recorded.faces.iter().find(holds).map(|(other, _)| other);
    let names =
        |(other, face): &(&FaceKey, &DesiredFace)| *other != key && face.declared_id().as_ref() == Some(&live.id);
    let by_manifest = || session.desired().faces.iter().find(names).map(|(other, _)| other);
    let project = &session.desired().project;
    if let Err(why) = adoptable(project, key, live, by_record.or_else(by_manifest)) {
        let error = refused(format!("{} cannot be taken: {}", live.id, not_adoptable(&why)));
        return Err(match why {
            NotAdoptable::Failed(_) => error.exit(Exit::FACE_FAILED),
            NotAdoptable::HeldBy(other) => error.hint(format!(
                "if {other} only became {key}, say so in the manifest: `facectl.dev/moved-from: {other}` under metadata.annotations"
            )),
            NotAdoptable::NotFound | NotAdoptable::NotOurs | NotAdoptable::OtherToken(_) => error,
        });
    }
    let owner = Token::owner_of(project, key);
    let is_its_own = |face: &&ObservedFace| {
        face.id != live.id
            && face.status != TrainingStatus::Failed
            && face.token().is_some_and(|token| token.owner() == owner)
    };
    match look.observed.faces.values().find(is_its_own).filter(|_| live.token().is_none()) {
        Some(own) => {
            Err(refused(format!("face {} carries its creation token: it was paid for under this key", own.id))
                .hint(format!("`facectl apply` takes that face up; declare {} under a key of its own", live.id)))
        }
        None => Ok(()),
    }
}

fn inputs(
    session: &Session,
    key: &FaceKey,
    desired: &DesiredFace,
    live: &ObservedFace,
    assume_current: bool,
) -> Result<Inputs, CliError> {
    let stated = desired.spec.trained_from();
    if !assume_current {
        let is_known = |stated: &TrainedFrom| {
            let intent = Token::of(&session.desired().project, key, &stated.fingerprint(), Attempt::FIRST);
            live.token().is_some_and(|token| token.is_same_intent(&intent))
        };
        return Ok(stated.filter(is_known).map_or(Inputs::Unknown, Inputs::Known));
    }
    let refused = |why: String| CliError::new(format!("{key}: --assume-current: {why}; nothing was changed"));
    let Some(stated) = stated else {
        return Err(refused("its manifest does not say what it was trained from".to_owned())
            .hint("add `train_video_url` or `train_image_url`, or leave --assume-current out"));
    };
    if let Some(model) = live.model.as_ref().filter(|model| *model != stated.model.as_str()) {
        return Err(refused(format!("{} is of {model}, and the manifest says {}", live.id, stated.model))
            .hint(format!("set model_name: {model}, or leave --assume-current out"))
            .exit(Exit::UNSAFE));
    }
    Ok(Inputs::Assumed(stated))
}

impl Inputs {
    fn trained_from(&self) -> Option<TrainedFrom> {
        match self {
            Self::Unknown => None,
            Self::Known(from) | Self::Assumed(from) => Some(from.clone()),
        }
    }

    fn words(&self) -> String {
        match self {
            Self::Unknown => "not known, and never a difference".to_owned(),
            Self::Known(from) => format!("{} (its token says so)", from.source),
            Self::Assumed(from) => format!("{} (on your word: --assume-current)", from.source),
        }
    }
}

/// A field that the next apply would change in place: its name, how it is, how it is wanted.
type Difference = (&'static str, Option<String>, String);

fn differences(case: &Case<'_>) -> Vec<Difference> {
    let Case { key: _, desired, live, inputs: _, what: _ } = case;
    let spec = &desired.spec;
    let mut differences = Vec::new();
    if !live_name_agrees(Some(live.shown_name()).filter(|name| !name.is_empty()), &spec.face_name, None) {
        differences.push(("face_name", Some(live.shown_name().to_owned()), spec.face_name.to_string()));
    }
    if let Some(voice) = spec.default_voice.as_ref().filter(|voice| live.default_voice.as_ref() != Some(voice)) {
        let before = live.default_voice.as_ref().map(ToString::to_string);
        differences.push(("default_voice_id", before, voice.to_string()));
    }
    differences
}

/// Shows what will be recorded, to whoever is to agree.
fn show(session: &Session, cases: &[Case<'_>]) -> Result<(), CliError> {
    let output = &session.output;
    if output.is_for_programs() {
        return Ok(());
    }
    let paint = output.paint;
    let mut text = format!("Project {}:\n\n", paint.bold(session.desired().project.as_str()));
    for case in cases {
        let Case { key, desired, live, inputs, what } = case;
        let word = match what {
            What::Face => "import",
            What::InputsOnly => "record its inputs",
            What::Nothing => "recorded already",
        };
        let sign = paint.green(if *what == What::Nothing { "  " } else { "<=" });
        let _ = writeln!(text, " {sign} {}  {word}  {}", paint.bold(key.as_str()), paint.dim(live.id.as_str()));
        let _ = writeln!(text, "      face_name:    {:?}", live.shown_name());
        let declared = desired.spec.model.as_str();
        let note = match live.model.as_deref() {
            Some(model) if model != declared => format!(" (the manifest says {declared}, which changes nothing)"),
            _ => String::new(),
        };
        let _ = writeln!(text, "      model_name:   {}{note}", live.model.as_deref().unwrap_or("(not said)"));
        let _ = writeln!(text, "      status:       {}", live.status.shown());
        if *what != What::Nothing {
            let _ = writeln!(text, "      trained from: {}", paint.wrap(&inputs.words(), 20));
        }
        for (field, before, after) in differences(case) {
            let (before, after) = match before {
                Some(before) => told_apart(&before, &after),
                None => ("(none)".to_owned(), format!("{after:?}")),
            };
            let _ = writeln!(text, "      the next apply changes {field}: {before} -> {after}");
        }
        text.push('\n');
    }
    output.result(&text)
}

fn agrees(session: &Session) -> Result<bool, CliError> {
    if !std::io::stdin().is_terminal() || !session.output.is_talk_seen {
        return Err(CliError::new(
            "there is something to record, and nobody to ask: this is no terminal; nothing was changed",
        )
        .hint("give --auto-approve (-y, --yes): importing sends nothing and costs nothing"));
    }
    ask(session, "Record this? Nothing is sent, nothing costs. Only `yes` is taken: ")
}

/// Tells what was recorded, and what comes next.
fn told(session: &Session, cases: &[Case<'_>]) -> Result<Exit, CliError> {
    let output = &session.output;
    if output.is_for_programs() {
        let faces: Vec<Value> = cases.iter().map(json_of).collect();
        output.value(&json!({ "format_version": "1.0", "project": session.desired().project, "faces": faces }))?;
        return Ok(Exit::SUCCESS);
    }
    let recorded = cases.iter().filter(|case| case.what != What::Nothing).count();
    let is_training = cases.iter().any(|case| !case.live.status.is_final());
    let has_differences = cases.iter().any(|case| !differences(case).is_empty());
    output.result(&match recorded {
        0 => "Nothing to do: it is recorded already.\n".to_owned(),
        1 => "Recorded: 1 face. Nothing was sent, nothing was paid for.\n".to_owned(),
        number => format!("Recorded: {number} faces. Nothing was sent, nothing was paid for.\n"),
    })?;
    match (has_differences, is_training) {
        (true, _) => output.talk("Next: `facectl plan` shows what differs, `facectl apply` changes it."),
        (false, true) => output.talk("Next: `facectl wait` waits for what is still in training."),
        (false, false) => {}
    }
    Ok(Exit::SUCCESS)
}

fn json_of(case: &Case<'_>) -> Value {
    let Case { key, desired: _, live, inputs, what } = case;
    json!({
        "key": key,
        "face_id": live.id,
        "face_name": live.shown_name(),
        "model_name": live.model,
        "status": live.status.shown(),
        "recorded": match what {
            What::Face => "face",
            What::InputsOnly => "inputs",
            What::Nothing => "nothing",
        },
        "inputs": match inputs {
            Inputs::Unknown => "unknown",
            Inputs::Known(_) => "known",
            Inputs::Assumed(_) => "assumed",
        },
        "next_changes": differences(case).into_iter().map(|(field, before, after)| json!({
            "field": field, "before": before, "after": after,
        })).collect::<Vec<_>>(),
    })
}
