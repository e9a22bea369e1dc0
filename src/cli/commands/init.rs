//! `facectl init`

use std::fs;
use std::io::IsTerminal;
use std::path::Path;

use serde_json::{Value, json};

use crate::apply::Interrupt;
use crate::cli::Exit;
use crate::cli::args::{CiSystem, Global, InitArgs, parse_model};
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::run::answer;
use crate::cli::scaffold::{Scaffold, Surroundings, What, Written, name_for};
use crate::face::{Model, ProjectName};
use crate::manifest::{Defaults, PROJECT_FILE, find_project, peek};

/// How often a question is put before it is given up.
const TRIES: usize = 3;

/// Begins a project.
#[expect(clippy::unused_async, reason = "as the other commands that somebody may interrupt at a question")]
pub async fn run(global: &Global, args: InitArgs, output: Output, interrupt: Interrupt) -> Result<Exit, CliError> {
    let cwd = std::env::current_dir().map_err(|error| CliError::caused("cannot tell the current folder", &error))?;
    let dir = cwd.join(args.dir.as_deref().unwrap_or(Path::new(".")));
    refuse_wrong_places(&dir)?;
    let default_name = name_for(&fs::canonicalize(&dir).unwrap_or_else(|_| dir.clone()));
    let recorded = peek::name(&dir.join(PROJECT_FILE));
    let is_new = !dir.join(PROJECT_FILE).exists();
    let asks = is_new && !args.approve.auto_approve && std::io::stdin().is_terminal() && output.is_talk_seen;
    let questions = Questions { asks, interrupt: &interrupt, output: &output };
    let name = match args.name.or_else(|| global.project.clone()) {
        Some(name) => Some(name),
        None if is_new => Some(questions.name(default_name)?),
        None => recorded.clone().or(default_name),
    };
    let name = name.ok_or_else(|| CliError::new("no name for the project; nothing was written").hint("give --name"))?;
    let model = match args.model {
        Some(model) => model,
        None => questions.model()?,
    };
    if let Some(recorded) = recorded.filter(|recorded| *recorded != name) {
        output.say(&output.talk_paint.wrap(
            &format!(
                "note: {PROJECT_FILE} is kept as it is, so the project is still called `{recorded}`, not `{name}`"
            ),
            6,
        ));
    }
    let made = !dir.exists();
    fs::create_dir_all(&dir).map_err(|error| {
        CliError::caused(format!("cannot make the folder {}; nothing was written", dir.display()), &error)
    })?;
    let surroundings = Surroundings::of(&dir, &cwd);
    let ci = args.ci.unwrap_or_else(|| surroundings.ci());
    let written = Scaffold { name: &name, model, ci, surroundings: &surroundings }.write().inspect_err(|_| {
        // An empty folder that nobody asked for again is only in the way.
        if made {
            let _ = fs::remove_dir(&dir);
        }
    })?;
    show(&Done { name, model, ci, is_new, written, surroundings }, &output)
}

fn refuse_wrong_places(dir: &Path) -> Result<(), CliError> {
    let nearest = dir.ancestors().find(|folder| folder.exists());
    if let Some(file) = nearest.filter(|path| !path.is_dir()) {
        return Err(CliError::new(format!("{} is a file, not a folder; nothing was written", file.display()))
            .hint("name a folder, or none for this one"));
    }
    let above = nearest.and_then(find_project).filter(|file| {
        let own = fs::canonicalize(dir).unwrap_or_else(|_| dir.to_owned());
        file.parent() != Some(own.as_path())
    });
    match above {
        Some(file) => {
            let name = peek::name(&file).map(|name| format!(" `{name}`")).unwrap_or_default();
            Err(CliError::new(format!(
                "this folder belongs to the project{name} already ({}); nothing was written",
                file.display()
            ))
            .hint("for another face, write a file into one of its folders: `facectl explain face`")
            .hint("for another project, begin outside of it"))
        }
        None => Ok(()),
    }
}

/// What a person is asked, where there is one.
struct Questions<'a> {
    asks: bool,
    interrupt: &'a Interrupt,
    output: &'a Output,
}

impl Questions<'_> {
    fn name(&self, default: Option<ProjectName>) -> Result<ProjectName, CliError> {
        let shown = default.as_ref().map(|name| format!(" [{name}]")).unwrap_or_default();
        self.ask(&format!("Project name, part of every creation token{shown}: "), default, |text| {
            text.parse::<ProjectName>().map_err(|error| error.to_string())
        })
    }

    fn model(&self) -> Result<Model, CliError> {
        let all: Vec<&str> = Model::ALL.into_iter().map(Model::as_str).collect();
        let default = Defaults::default().model;
        self.ask(&format!("Model of its faces ({}) [{default}]: ", all.join(", ")), Some(default), parse_model)
    }

    /// Puts a question until its answer can be used; nothing means the default.
    fn ask<T>(
        &self,
        question: &str,
        default: Option<T>,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, CliError> {
        if !self.asks {
            return default.ok_or_else(|| CliError::new("nobody to ask; nothing was written").hint("give --name"));
        }
        let mut default = default;
        for _ in 0..TRIES {
            let Some(text) = answer(self.interrupt, question)? else {
                return Err(CliError::new("not answered; nothing was written"));
            };
            match (text.trim(), default.take()) {
                ("", Some(default)) => return Ok(default),
                (text, kept) => match parse(text) {
                    Ok(value) => return Ok(value),
                    Err(why) => {
                        default = kept;
                        self.output.say(&format!("That cannot be used: {why}."));
                    }
                },
            }
        }
        Err(CliError::new("no answer that can be used; nothing was written")
            .hint("give --name and --model, or -y for the defaults"))
    }
}

struct Done {
    name: ProjectName,
    model: Model,
    ci: CiSystem,
    is_new: bool,
    written: Vec<Written>,
    surroundings: Surroundings,
}

fn show(done: &Done, output: &Output) -> Result<Exit, CliError> {
    let Done { name, model, ci, is_new, written, surroundings: _ } = done;
    if output.is_for_programs() {
        let action = |what: &What| match what {
            What::Wrote => "written",
            What::Added(_) => "added",
            What::Kept => "kept",
        };
        let file = |written: &Written| json!({ "file": written.path, "action": action(&written.what) });
        output.value(&json!({
            "format_version": "1.0",
            "project": name.as_str(),
            "model_name": is_new.then(|| model.as_str()),
            "ci": match ci { CiSystem::Github => "github", CiSystem::Gitlab => "gitlab", CiSystem::None => "none" },
            "files": written.iter().map(file).collect::<Vec<Value>>(),
        }))?;
        return Ok(Exit::SUCCESS);
    }
    output.result(&text(done, output))?;
    if *ci == CiSystem::Gitlab && written.last().is_some_and(|last| last.what == What::Kept) {
        let is_pipeline = |file: &&Written| file.path.contains(".gitlab/") && file.path.ends_with(".yml");
        let file = written.iter().find(is_pipeline).map(|file| file.path.as_str()).unwrap_or_default();
        output.talk(&output.talk_paint.wrap(
            &format!("note: .gitlab-ci.yml was there already; if it does not include {file} yet, add it below its `include:` as `- local: ` with that path from the root of the repository"),
            6,
        ));
    }
    Ok(Exit::SUCCESS)
}

fn text(done: &Done, output: &Output) -> String {
    let Done { name, model: _, ci, is_new, written, surroundings } = done;
    let paint = output.paint;
    let mut text = String::new();
    for Written { path, what } in written {
        text += &match what {
            What::Wrote => format!("{}  {path}\n", paint.green("wrote")),
            What::Added(line) => format!("{}  {path}: {line}\n", paint.green("added")),
            What::Kept => format!("{}   {path}\n", paint.dim("kept")),
        };
    }
    let verb = if *is_new { "begun" } else { "complete" };
    text += &format!("\nThe project `{name}` is {verb}. Next:\n");
    let place = surroundings.shown(&surroundings.dir);
    if place != "." {
        text += &format!("\n  cd {}", quoted(&place));
    }
    text += "\n  facectl validate           # are the manifests right?";
    text += "\n  facectl apply --sandbox    # rehearse it: no key, no network, no money";
    text += "\n  facectl plan               # what a real apply would do and cost; needs TAVUS_API_KEY\n";
    let wrote = |end: &str| written.iter().any(|file| file.what == What::Wrote && file.path.ends_with(end));
    let advice = [
        (
            wrote("faces/ana.yaml"),
            "Before the first real apply, put a link of your own into faces/ana.yaml: every training is paid for, also one that fails.",
        ),
        (wrote("action.yml") || wrote("facectl/install.sh"), pipeline_advice(*ci)),
    ];
    for (_, advice) in advice.into_iter().filter(|(is_needed, _)| *is_needed) {
        text += &format!("\n{}\n", paint.wrap(advice, 0));
    }
    text
}

/// What a pipeline cannot know by itself.
fn pipeline_advice(ci: CiSystem) -> &'static str {
    match ci {
        CiSystem::None => "",
        CiSystem::Github => {
            "Before the pipeline can run it must be told how facectl gets onto its runner: fill in `url` and `sha256` in .github/actions/facectl/action.yml. Then give TAVUS_API_KEY to the environments that the workflows name in their first lines."
        }
        CiSystem::Gitlab => {
            "Before the pipeline can run it must be told how facectl gets onto its runner: fill in INSTALL_URL and INSTALL_SHA256. Then set the variables and schedules that its first lines name."
        }
    }
}

/// A path that a shell takes as one word.
fn quoted(path: &str) -> String {
    let is_plain = path.chars().all(|c| c.is_alphanumeric() || "-_./".contains(c)) && !path.starts_with('-');
    if is_plain { path.to_owned() } else { format!("'{}'", path.replace('\'', r"'\''")) }
}
