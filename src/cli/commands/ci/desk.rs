//! What both commands work with: the project, the place, the token, and how things are told.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::cli::Exit;
use crate::cli::args::{ForgeArgs, Global};
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::session::{load_only_project, load_request};
use crate::clock::SystemClock;
use crate::face::ProjectName;
use crate::forge::{
    Change, Chosen, Document, Event, Forge, ForgeConfig, ForgeError, ForgeKind, Marker, MarkerKind, Place, Repository,
    Run, Settled,
};
use crate::manifest::{load_project, peek};
use crate::tavus::ApiKey;

/// What both commands work with.
pub struct Desk<'a> {
    global: &'a Global,
    args: &'a ForgeArgs,
    pub output: Output,
    pub project: ProjectName,
    /// Where to say it, or why that is not known: a dry run does without.
    place: Result<Place, CliError>,
}

/// Where tokens are looked for, the first that is set first. `gh` takes the same two in the same order.
const GITHUB_TOKENS: [&str; 3] = ["FACECTL_GITHUB_TOKEN", "GH_TOKEN", "GITHUB_TOKEN"];
const GITLAB_TOKENS: [&str; 2] = ["FACECTL_GITLAB_TOKEN", "GITLAB_TOKEN"];
/// What must not be posted, however it came into the text.
pub const SECRETS: [&str; 7] = [
    "TAVUS_API_KEY",
    "FACECTL_GITHUB_TOKEN",
    "GH_TOKEN",
    "GITHUB_TOKEN",
    "FACECTL_GITLAB_TOKEN",
    "GITLAB_TOKEN",
    "CI_JOB_TOKEN",
];

impl<'a> Desk<'a> {
    /// Finds out whose text it is and where it belongs. Sends nothing.
    ///
    /// # Errors
    /// When nobody says what the project is called.
    pub fn open(
        global: &'a Global,
        args: &'a ForgeArgs,
        number: Option<u64>,
        output: Output,
    ) -> Result<Self, CliError> {
        let project = project(global, &output)?;
        Ok(Self { global, args, output, project, place: place(args, number) })
    }

    /// Returns whether nothing is to be sent.
    pub fn is_rehearsal(&self) -> bool {
        self.args.dry_run || self.global.sandbox
    }

    /// Returns where to say it.
    ///
    /// # Errors
    /// When that is not known.
    pub fn place(&self) -> Result<&Place, CliError> {
        self.place.as_ref().map_err(Clone::clone)
    }

    /// Returns a marker of this run without a digest.
    pub fn marker(&self, kind: MarkerKind) -> Marker {
        let place = self.place.as_ref().ok();
        Marker {
            kind,
            project: self.project.clone(),
            run: place.and_then(|place| place.run),
            commit: place.and_then(|place| place.head.clone()),
            digest: String::new(),
        }
    }

    /// Makes a text fit to be posted here.
    ///
    /// # Errors
    /// When it is empty.
    pub fn document(&self, text: &str, finding: Option<&str>, kind: MarkerKind) -> Result<Document, CliError> {
        let chosen = self.args.kind.map_or(ForgeKind::GitHub, Into::into);
        let forge = self.place.as_ref().map_or(chosen, |place| place.kind);
        let document = Document::new(text, finding, self.marker(kind), forge).map_err(|error| {
            CliError::caused("cannot post this; nothing was sent", &error)
                .hint("did the command in front of the pipe fail? `set -o pipefail` lets a job notice")
        })?;
        if document.cut() > 0 {
            let cut = document.cut();
            self.output.say(&format!("warning: the text is too long for the forge: {cut} characters were cut off."));
        }
        Ok(document)
    }

    /// Prints what would be posted, and says where.
    ///
    /// # Errors
    /// When it cannot be printed.
    pub fn rehearse(&self, what: &str, text: &str) -> Result<Exit, CliError> {
        let whither = match &self.place {
            Ok(place) => format!("would be written as {what} in {} at {}", place.target, place.address),
            Err(error) => format!("would be written as {what}; where is not known here ({})", error.message),
        };
        self.output.talk(&format!("Nothing was sent: this {whither}."));
        self.output.result(&format!("{text}\n"))?;
        Ok(Exit::SUCCESS)
    }

    /// Connects to the forge; none where there is no token and that is allowed, which has then been said.
    ///
    /// # Errors
    /// When there is no token or it cannot be used.
    pub fn forge(&self, repository: &Repository) -> Result<Option<Forge>, CliError> {
        let place = self.place()?;
        let token = match token(place.kind) {
            Some((name, text)) => ApiKey::parse(&text)
                .map_err(|error| CliError::caused(format!("cannot use the token in {name}"), &error))?,
            None => return self.unless_permitted(no_token(place.kind)).map(|_| None),
        };
        let config = ForgeConfig {
            kind: place.kind,
            address: place.address.clone(),
            repository: repository.clone(),
            token,
            is_actions: place.is_actions,
            clock: Arc::new(SystemClock),
            request_timeout: self.global.request_timeout.unwrap_or(Duration::from_secs(30)),
            ca_file: self.global.ca_file.clone(),
        };
        Ok(Some(Forge::new(config)?))
    }

    /// Turns a missing right into a warning, where that was asked for.
    ///
    /// # Errors
    /// The error itself, otherwise.
    pub fn unless_permitted(&self, error: CliError) -> Result<Exit, CliError> {
        if !self.args.if_permitted {
            return Err(error);
        }
        let CliError { message, causes, .. } = error;
        let why = causes.into_iter().fold(message, |text, cause| format!("{text}: {cause}"));
        self.output.say(&format!(
            "warning: nothing was written at the forge: {why}. That is allowed here (--if-permitted); the text stands in the job's log and summary where the job put it."
        ));
        Ok(Exit::SUCCESS)
    }

    /// Makes an end of an error of the forge.
    ///
    /// # Errors
    /// The error itself, unless the token has no right to do this and that is allowed.
    pub fn failed(&self, error: ForgeError) -> Result<Exit, CliError> {
        if error.is_denied() { self.unless_permitted(error.into()) } else { Err(error.into()) }
    }

    /// Tells how things stand: a link, or a value for programs.
    ///
    /// # Errors
    /// When it cannot be printed.
    pub fn tell(&self, what: &str, settled: &Settled, more: &[(&str, Value)]) -> Result<Exit, CliError> {
        let Settled { change, id, link, run, before: _, removed } = settled;
        self.output.talk(&sentence(what, *change, *run));
        if *removed > 0 {
            self.output.talk(&format!(
                "Removed {removed} more of this project's own: jobs at the same time had written them."
            ));
        }
        if self.output.is_for_programs() {
            let mut value = json!({
                "format_version": "1.0", "project": self.project.as_str(), "change": word(*change), "id": id,
                "link": link, "run": run.map(|run| run.to_string()), "removed": removed,
            });
            if let Some(fields) = value.as_object_mut() {
                fields.extend(more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
            }
            self.output.value(&value)?;
        } else if let Some(link) = link {
            self.output.result(&format!("{link}\n"))?;
        }
        Ok(Exit::SUCCESS)
    }
}

/// Returns whose text it is. A project file that is wrong is what a pipeline has most to tell about, so nothing but its
/// name is needed of it, and not even that where a flag or a variable says it.
fn project(global: &Global, output: &Output) -> Result<ProjectName, CliError> {
    if let Some(name) = &global.project {
        return Ok(name.clone());
    }
    let request = || load_request(global, &[]);
    if let Ok(loaded) = load_project(request()?) {
        if loaded.project.is_default {
            output.talk("note: no facectl.yaml was found, so the project is called `default`; --project names it. Each project has one comment and one issue.");
        }
        return Ok(loaded.project.name);
    }
    if let Some(name) = peek::name_of_project(&request()?) {
        output.say(&format!(
            "warning: the project file is wrong (`facectl validate` tells how); the name in it, `{name}`, is used all the same."
        ));
        return Ok(name);
    }
    let told = load_only_project(global, output);
    if told.is_err() {
        output.say("hint: --project NAME (FACECTL_PROJECT) says whose text it is, whatever the project file says; nothing was sent");
    }
    Ok(told?.name)
}

fn word(change: Change) -> &'static str {
    match change {
        Change::Created => "created",
        Change::Updated => "updated",
        Change::Unchanged => "unchanged",
        Change::Outdated => "outdated",
        Change::Moved => "moved",
        Change::Closed => "closed",
        Change::Absent => "absent",
    }
}

fn sentence(what: &str, change: Change, run: Option<Run>) -> String {
    match change {
        Change::Created => format!("Wrote {what}."),
        Change::Updated => format!("Updated {what}."),
        Change::Unchanged => format!("Nothing to do: {what} says this already."),
        Change::Closed => format!("Closed {what}."),
        Change::Absent => format!("Nothing to do: {what} is not open."),
        Change::Outdated => match run {
            Some(run) => format!("Nothing was written: {what} is from run {run}, which is newer than this one."),
            None => format!("Nothing was written: {what} is from a newer run."),
        },
        Change::Moved => format!(
            "Nothing was written to {what}: the pull request has another commit at its head. Either it moved on, and a newer run speaks for it, or the number is another one's."
        ),
    }
}

fn place(args: &ForgeArgs, number: Option<u64>) -> Result<Place, CliError> {
    let ForgeArgs { kind, repository, head_sha, forge_url, .. } = args;
    let chosen = Chosen {
        kind: kind.map(Into::into),
        repository: repository.clone(),
        number,
        head: head_sha.clone(),
        address: forge_url.clone(),
    };
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let event = variable("GITHUB_EVENT_PATH").map(|path| Event::read(Path::new(&path))).transpose()?;
    Ok(Place::find(&chosen, &variable, event.as_ref())?)
}

fn token(kind: ForgeKind) -> Option<(&'static str, String)> {
    let names: &[&str] = match kind {
        ForgeKind::GitHub => &GITHUB_TOKENS,
        ForgeKind::GitLab => &GITLAB_TOKENS,
    };
    let set = |name: &&'static str| Some((*name, std::env::var(name).ok().filter(|token| !token.trim().is_empty())?));
    names.iter().find_map(set)
}

fn no_token(kind: ForgeKind) -> CliError {
    match kind {
        ForgeKind::GitHub => CliError::new("no token for GitHub: none of FACECTL_GITHUB_TOKEN, GH_TOKEN and GITHUB_TOKEN is set; nothing was sent")
            .hint("give the step `env: { GITHUB_TOKEN: \"${{ github.token }}\" }` and the job `permissions: { pull-requests: write }` (for an issue `issues: write`)"),
        ForgeKind::GitLab => CliError::new("no token for GitLab: neither FACECTL_GITLAB_TOKEN nor GITLAB_TOKEN is set; nothing was sent")
            .hint("CI_JOB_TOKEN may not write comments or issues: make a project access token (role Reporter, scope `api`) and store it as the masked variable FACECTL_GITLAB_TOKEN")
            .hint("a protected variable is not given to pipelines of branches that are not protected"),
    }
}
