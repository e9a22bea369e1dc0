//! `facectl export`

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::apply::Interrupt;
use crate::cli::Exit;
use crate::cli::args::{ExportArgs, Global};
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::session::{Access, Session, State};
use crate::face::{
    Coverage, FaceId, FaceKey, Observed, ObservedFace, Origin, Ownership, Recorded, Token, TrainingStatus,
};
use crate::files::{self, Mode};
use crate::manifest::{Project, keys_for, manifest_of};
use crate::tavus::details;

/// Writes manifests for faces that live already.
pub async fn run(global: &Global, args: ExportArgs, output: Output, interrupt: Interrupt) -> Result<Exit, CliError> {
    let session = Session::open_before_the_first(global, output, interrupt).await?;
    let exit = export(global, &session, &args).await;
    session.close().await;
    exit
}

/// One face to be written.
struct Exported {
    id: FaceId,
    key: FaceKey,
    name: String,
    text: String,
}

/// One face that is not written, and why.
struct Skipped {
    id: FaceId,
    name: String,
    why: String,
}

async fn export(global: &Global, session: &Session, args: &ExportArgs) -> Result<Exit, CliError> {
    let State { store: _held, meta, recorded, .. } = session.state(Access::ReadAnyhow)?;
    let mut observed = session.survey(&meta, &recorded).await?;
    if let Coverage::Partial(why) = &observed.coverage {
        return Err(CliError::new(format!("the listing of live faces was not complete ({why}); nothing was written"))
            .hint("run it again later: keys are made of all names, and would come out otherwise")
            .hint("--accept-incomplete-listing takes it as complete, for an account in which it never adds up")
            .exit(Exit::UNSAFE));
    }
    let known = Known::new(session, &recorded);
    let chosen = choose(&known, &observed, args)?;
    // A row may show no voice, or not say whose the face is: then the face itself is asked.
    let is_unclear = |id: &&FaceId| {
        let face = observed.faces.get(*id);
        face.is_some_and(|face| face.default_voice.is_none() || face.ownership == Ownership::Unsaid)
    };
    let unclear: Vec<FaceId> = chosen.iter().filter(is_unclear).cloned().collect();
    let look = async {
        details(&session.api, &mut observed, &unclear, session.parallelism).await?;
        Ok(())
    };
    crate::cli::error::unless_interrupted(&session.interrupt, look).await?;
    let target = Target::of(session, args)?;
    let (exported, skipped) = sort_out(&known, &observed, &chosen, &target, args.overwrite);
    if !args.stdout {
        write(&exported, &target, args.overwrite)?;
    }
    tell(global, session, args, &target, &exported, &skipped)?;
    Ok(Exit::SUCCESS)
}

/// What is known of faces beside what is live.
struct Known<'a> {
    session: &'a Session,
    recorded: &'a Recorded,
    /// The key that a face has, in the record or in a manifest that names it.
    keys: BTreeMap<FaceId, &'a FaceKey>,
    /// Faces that a key had before.
    earlier: BTreeMap<&'a FaceId, &'a FaceKey>,
}

impl<'a> Known<'a> {
    fn new(session: &'a Session, recorded: &'a Recorded) -> Self {
        let named = session.desired().faces.iter().filter_map(|(key, face)| Some((face.declared_id()?, key)));
        let present = recorded.faces.iter().map(|(key, face)| (face.id.clone(), key));
        let earlier = recorded.faces.iter().flat_map(|(key, face)| face.ids().skip(1).map(move |id| (id, key)));
        // What is recorded counts more than what is declared.
        Self { session, recorded, keys: named.chain(present).collect(), earlier: earlier.collect() }
    }

    fn key_of(&self, id: &FaceId) -> Option<&'a FaceKey> {
        self.keys.get(id).copied()
    }

    fn is_recorded(&self, id: &FaceId) -> bool {
        self.key_of(id).and_then(|key| self.recorded.faces.get(key)).is_some_and(|face| face.id == *id)
    }

    fn origin_of(&self, key: &FaceKey) -> Option<&Origin> {
        self.session.desired().faces.get(key).map(|face| &face.origin)
    }
}

/// Returns the faces that the command line asks for.
///
/// # Errors
/// When one of its words fits no live face of our own.
fn choose(known: &Known<'_>, observed: &Observed, args: &ExportArgs) -> Result<BTreeSet<FaceId>, CliError> {
    let is_offered = |face: &&ObservedFace| args.all || !known.is_recorded(&face.id);
    if args.faces.is_empty() {
        return Ok(observed.faces.values().filter(is_offered).map(|face| face.id.clone()).collect());
    }
    let mut chosen = BTreeSet::new();
    for word in &args.faces {
        let is_it = |face: &&ObservedFace| {
            face.id.as_str() == word || known.key_of(&face.id).is_some_and(|key| key.as_str() == word)
        };
        let before = chosen.len();
        let mut found: Vec<&ObservedFace> = observed.faces.values().filter(is_it).collect();
        if found.is_empty() {
            let pattern = glob::Pattern::new(word)
                .map_err(|error| CliError::new(format!("`{word}` is not a pattern: {error}; nothing was written")))?;
            let fits = |face: &&ObservedFace| pattern.matches_with(face.shown_name(), ANY_CASE);
            let all: Vec<&ObservedFace> = observed.faces.values().filter(fits).collect();
            found = all.iter().copied().filter(|face| is_offered(face)).collect();
            if found.is_empty() && !all.is_empty() {
                return Err(CliError::new(format!("what `{word}` fits is recorded already; nothing was written"))
                    .hint("--all exports recorded faces as well"));
            }
        }
        chosen.extend(found.into_iter().map(|face| face.id.clone()));
        if chosen.len() == before {
            return Err(CliError::new(format!(
                "`{word}` is no key, no face id, and fits no name of a live face of yours; nothing was written"
            ))
            .hint("a pattern is over names, such as 'Ana*'; quote it, so that your shell does not expand it"));
        }
    }
    Ok(chosen)
}

const ANY_CASE: glob::MatchOptions =
    glob::MatchOptions { case_sensitive: false, require_literal_separator: false, require_literal_leading_dot: false };

/// Tells what can be written from what cannot.
fn sort_out(
    known: &Known<'_>,
    observed: &Observed,
    chosen: &BTreeSet<FaceId>,
    target: &Target,
    overwrite: bool,
) -> (Vec<Exported>, Vec<Skipped>) {
    // Of all live faces, so that a key does not hang on which of them were asked for.
    let nameless = observed.faces.values().filter(|face| known.key_of(&face.id).is_none());
    let is_taken = |key: &FaceKey| known.recorded.faces.contains_key(key) || known.origin_of(key).is_some();
    let new_keys = keys_for(nameless.map(|face| (&face.id, face.shown_name())), is_taken);
    let (mut exported, mut skipped) = (Vec::new(), Vec::new());
    for live in chosen.iter().filter_map(|id| observed.faces.get(id)) {
        let Some(key) = known.key_of(&live.id).or_else(|| new_keys.get(&live.id)) else { continue };
        let name = live.shown_name().to_owned();
        match obstacle(known, live, key, target, overwrite) {
            Some(why) => skipped.push(Skipped { id: live.id.clone(), name, why }),
            None => {
                let record = known.recorded.faces.get(key).filter(|face| face.id == live.id);
                let text = manifest_of(key, live, record, &target.schema);
                exported.push(Exported { id: live.id.clone(), key: key.clone(), name, text });
            }
        }
    }
    exported.sort_by(|one, other| one.key.cmp(&other.key));
    (exported, skipped)
}

/// Returns why a face is not written; none where it can be.
fn obstacle(known: &Known<'_>, live: &ObservedFace, key: &FaceKey, target: &Target, overwrite: bool) -> Option<String> {
    let is_recorded = known.is_recorded(&live.id);
    if let Some(by) = known.earlier.get(&live.id).filter(|_| !is_recorded) {
        return Some(format!("it is an earlier face of {by}"));
    }
    if live.ownership != Ownership::User {
        return Some("the API does not say that it is yours".to_owned());
    }
    if live.status == TrainingStatus::Failed && !is_recorded {
        let why = live.error.as_ref().map_or_else(String::new, |why| format!(": {why}"));
        return Some(format!("its training failed{why}"));
    }
    let owner = Token::owner_of(&known.session.desired().project, key);
    if let Some(token) = live.token().filter(|token| !is_recorded && token.owner() != owner) {
        return Some(format!("its name carries {token}, the creation token of another key or project"));
    }
    // A second manifest for one key would stop everything.
    let origin = known.origin_of(key).filter(|origin| target.folder.is_some() && !target.is_file_of(key, origin));
    match (origin, known.origin_of(key)) {
        (Some(origin), _) => Some(format!("it is declared as {key} already, at {origin}")),
        (None, Some(origin)) if target.folder.is_some() && !overwrite => {
            Some(format!("it is declared as {key} already, at {origin} (--overwrite writes it anew)"))
        }
        _ => None,
    }
}

/// Where manifests go.
struct Target {
    /// The folder; none for standard output.
    folder: Option<PathBuf>,
    /// The folder as people and commands name it.
    shown: String,
    /// Whether `facectl apply` looks there by itself.
    is_covered: bool,
    /// Where an editor finds the schema.
    schema: String,
}

impl Target {
    fn of(session: &Session, args: &ExportArgs) -> Result<Self, CliError> {
        let cwd =
            std::env::current_dir().map_err(|error| CliError::caused("cannot tell the current folder", &error))?;
        let project = &session.loaded.project;
        let folder = match &args.dir {
            Some(dir) => cwd.join(dir),
            None => project.root.join(default_folder(project)),
        };
        let shown = folder.strip_prefix(&cwd).unwrap_or(&folder);
        let shown = if shown.as_os_str().is_empty() { ".".to_owned() } else { shown.display().to_string() };
        Ok(Self {
            is_covered: is_covered(&folder, project),
            schema: schema_for(&folder, project),
            shown,
            folder: (!args.stdout).then_some(folder),
        })
    }

    fn file(folder: &Path, key: &FaceKey) -> PathBuf {
        folder.join(format!("{key}.yaml"))
    }

    /// Returns whether a manifest stands where this one would be written.
    fn is_file_of(&self, key: &FaceKey, origin: &Origin) -> bool {
        let Some(folder) = &self.folder else { return false };
        let real = |path: &Path| fs::canonicalize(path).ok();
        real(&Self::file(folder, key)).is_some_and(|file| Some(file) == real(Path::new(&origin.file)))
    }
}

/// The first plain folder that facectl.yaml names.
fn default_folder(project: &Project) -> PathBuf {
    let is_folder = |text: &&String| {
        !text.contains(['*', '?', '[']) && !text.ends_with(".yaml") && !text.ends_with(".yml") && !text.is_empty()
    };
    project.settings.manifests.iter().find(is_folder).map_or_else(|| "faces".into(), PathBuf::from)
}

fn is_covered(folder: &Path, project: &Project) -> bool {
    // The folder may not be there yet: then what is above it counts.
    let real = |path: &Path| {
        let there = path.ancestors().find(|path| path.exists())?;
        Some(fs::canonicalize(there).ok()?.join(path.strip_prefix(there).ok()?))
    };
    let Some(folder) = real(folder) else { return false };
    let is_below = |path: PathBuf| real(&path).is_some_and(|path| folder.starts_with(path));
    match project.settings.manifests.as_slice() {
        [] => is_below(project.root.clone()),
        some => some.iter().any(|text| is_below(project.root.join(text))),
    }
}

/// The schema in the project, if it keeps one, else the published one.
fn schema_for(folder: &Path, project: &Project) -> String {
    let published = || "https://facectl.dev/schemas/face.v1.json".to_owned();
    let Ok(below) = folder.strip_prefix(&project.root) else { return published() };
    match project.root.join("schemas/face.v1.json").is_file() {
        true => format!("{}schemas/face.v1.json", "../".repeat(below.components().count())),
        false => published(),
    }
}

/// Writes the files: all of them, or none where one is in the way.
fn write(exported: &[Exported], target: &Target, overwrite: bool) -> Result<(), CliError> {
    let Some(folder) = target.folder.as_deref().filter(|_| !exported.is_empty()) else { return Ok(()) };
    let is_there = |one: &&Exported| fs::symlink_metadata(Target::file(folder, &one.key)).is_ok();
    let in_the_way: Vec<String> = exported.iter().filter(is_there).map(|one| format!("{}.yaml", one.key)).collect();
    if !in_the_way.is_empty() && !overwrite {
        return Err(CliError::new(format!(
            "in {} there is {} already; nothing was written",
            target.shown,
            in_the_way.join(", ")
        ))
        .hint("--overwrite replaces what is there, --dir writes elsewhere"));
    }
    let failed = |path: &Path, error: &std::io::Error| {
        CliError::caused(format!("cannot write {}", path.display()), error)
            .hint("--dir chooses another folder, --stdout writes none; manifests written before it are whole")
    };
    fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
    for one in exported {
        let path = Target::file(folder, &one.key);
        let bytes = one.text.as_bytes();
        let written = match overwrite {
            true => files::replace(&path, bytes, Mode::Default),
            false => files::create(&path, bytes).and_then(|is_new| match is_new {
                true => Ok(()),
                false => Err(std::io::ErrorKind::AlreadyExists.into()),
            }),
        };
        written.map_err(|error| failed(&path, &error))?;
    }
    Ok(())
}

/// Says what was written and what was not, and what to do next.
fn tell(
    global: &Global,
    session: &Session,
    args: &ExportArgs,
    target: &Target,
    exported: &[Exported],
    skipped: &[Skipped],
) -> Result<(), CliError> {
    let output = &session.output;
    let file = |one: &Exported| target.folder.as_ref().map(|_| format!("{}/{}.yaml", target.shown, one.key));
    if output.is_for_programs() {
        let faces: Vec<Value> = exported
            .iter()
            .map(|one| {
                let mut value = json!({ "key": one.key, "face_id": one.id, "face_name": one.name, "file": file(one) });
                if args.stdout {
                    value["manifest"] = json!(one.text);
                }
                value
            })
            .collect();
        let left_out: Vec<Value> =
            skipped.iter().map(|one| json!({ "face_id": one.id, "face_name": one.name, "why": one.why })).collect();
        return output.value(&json!({
            "format_version": "1.0",
            "project": session.desired().project,
            "faces": faces,
            "left_out": left_out,
        }));
    }
    for one in exported {
        output.result(&match file(one) {
            Some(file) => format!("{file}  {}  {:?}\n", one.id, one.name),
            None => format!("---\n{}", one.text),
        })?;
    }
    for Skipped { id, name, why } in skipped {
        output.talk(&format!("# left out: {id} {name:?}: {}", output.talk_paint.wrap(why, 2)));
    }
    if exported.is_empty() {
        output.talk("Nothing to write: every live face is recorded or declared already, or left out.");
        return Ok(());
    }
    let is_unnamed = session.loaded.project.is_default && global.project.is_none();
    if is_unnamed {
        let note = format!(
            "note: there is no facectl.yaml, so the project is called `{}`. Its name is part of every creation token and of the state: write a facectl.yaml with a name of its own before the first apply:",
            session.desired().project
        );
        output.talk(&format!(
            "{}\n\n  apiVersion: facectl.dev/v1\n  kind: Project\n  metadata: {{ name: acme-faces }}\n",
            output.talk_paint.wrap(&note, 0)
        ));
    }
    if !args.stdout {
        let sandbox = if global.sandbox { " --sandbox" } else { "" };
        let place = if target.is_covered { String::new() } else { format!(" {}", target.shown) };
        let faces = if exported.len() == 1 { "that face" } else { "these faces" };
        let gap = if is_unnamed { "\n" } else { "" };
        output.talk(&format!("{gap}Next: `facectl apply{sandbox}{place}` takes {faces} over, and trains nothing."));
    }
    Ok(())
}
