//! How a plan was asked for, in a form that means the same in another checkout.

use std::path::{Component, Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::face::{Naming, ProjectName};
use crate::manifest::{PROJECT_FILE, Project};

use super::super::Exit;
use super::super::args::{ApplyArgs, Global, Paths, PolicyArgs, SelectionArgs};
use super::super::error::CliError;

/// How a plan was asked for. Paths are relative, with `/` between their parts.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Whether it was a rehearsal.
    pub sandbox: bool,
    /// The API it was made for; none in a rehearsal.
    pub api_url: Option<String>,
    /// The project's folder, seen from where facectl ran.
    root: String,
    /// The project's file, seen from the project's folder; none where there was none.
    project_file: Option<String>,
    /// The manifests that were named, seen from the project's folder; empty: those of the project.
    paths: Vec<String>,
    /// `--project`
    project: Option<ProjectName>,
    /// `--naming`
    naming: Option<Naming>,
    /// What it may do.
    policy: PolicyArgs,
    /// Which part of the project it is about.
    selection: SelectionArgs,
}

impl Request {
    /// Writes down how a plan is asked for.
    ///
    /// # Errors
    /// When that cannot be asked again.
    pub fn of(
        global: &Global,
        (paths, policy, selection): (&Paths, &PolicyArgs, &SelectionArgs),
        project: &Project,
        api_url: Option<&str>,
    ) -> Result<Self, CliError> {
        let cwd = current_folder()?;
        let paths: Vec<&String> = global.file.iter().chain(&paths.paths).collect();
        if paths.iter().any(|path| *path == "-") {
            return Err(CliError::new(
                "manifests from standard input cannot be read again, so a plan of them cannot be saved; nothing was saved",
            )
            .hint("write them to a file, and name that"));
        }
        Ok(Self {
            sandbox: global.sandbox,
            api_url: api_url.map(ToOwned::to_owned),
            root: relative(&cwd, &project.root),
            project_file: project.file.as_ref().map(|file| relative(&project.root, file)),
            paths: paths.into_iter().map(|path| relative(&project.root, &cwd.join(path))).collect(),
            project: global.project.clone(),
            naming: global.naming,
            policy: policy.clone(),
            selection: selection.clone(),
        })
    }

    /// Returns the command line that asks for the same plan once more, and applies it as `args` say.
    ///
    /// # Errors
    /// When flags or variables ask for another plan, or the project cannot be found.
    pub fn asked_again(&self, global: &Global, args: &ApplyArgs) -> Result<(Global, ApplyArgs), CliError> {
        if global.sandbox != self.sandbox {
            return Err(CliError::new(match self.sandbox {
                true => "the plan was made in the sandbox, and means nothing outside of it; nothing was changed",
                false => "the plan was made for the real API, and not in the sandbox; nothing was changed",
            })
            .hint(if self.sandbox { "add --sandbox" } else { "leave --sandbox away" })
            .exit(Exit::UNSAFE));
        }
        let cwd = current_folder()?;
        let (root, file) = self.find(global, &cwd)?;
        self.check_flags(global, args, &cwd, &root)?;
        // Seen from here, as people give them: an absolute pattern would take its own folder for a part of it.
        let paths = self.paths.iter().map(|path| relative(&cwd, &root.join(path))).collect();
        let global = Global {
            file: Vec::new(),
            project: self.project.clone(),
            project_file: file,
            naming: self.naming,
            ..global.clone()
        };
        let args = ApplyArgs {
            paths: Paths { paths },
            policy: PolicyArgs { fresh: args.policy.fresh, ..self.policy.clone() },
            selection: self.selection.clone(),
            ..args.clone()
        };
        Ok((global, args))
    }

    /// Finds the project: where it was, seen from here; else above here.
    fn find(&self, global: &Global, cwd: &Path) -> Result<(PathBuf, Option<PathBuf>), CliError> {
        let is_there = |root: PathBuf, name: &str| {
            let file = tidy(&root.join(name));
            file.is_file().then(|| (file.parent().map_or(root, Path::to_owned), Some(file)))
        };
        if let Some(file) = &global.project_file {
            let file = tidy(&cwd.join(file));
            return Ok((file.parent().unwrap_or(cwd).to_owned(), Some(file)));
        }
        let there = tidy(&cwd.join(&self.root));
        let Some(name) = &self.project_file else {
            return Ok((there, None));
        };
        is_there(there.clone(), name)
            .or_else(|| cwd.ancestors().find_map(|folder| is_there(folder.to_owned(), name)))
            .ok_or_else(|| {
                CliError::new(format!(
                    "cannot find the project that the plan was made for: there is no {name} in {} nor above; nothing was changed",
                    there.display()
                ))
                .hint(format!("run it where the plan was made, or say where the project is: --project-file PATH/{PROJECT_FILE}"))
            })
    }

    /// Refuses flags and variables that ask for another plan than the one that was saved. What says the same is
    /// harmless: a pipeline sets its variables for both steps.
    fn check_flags(&self, global: &Global, args: &ApplyArgs, cwd: &Path, root: &Path) -> Result<(), CliError> {
        let files: Vec<String> = global.file.iter().map(|path| relative(root, &cwd.join(path))).collect();
        let mut other = Vec::new();
        if !files.is_empty() && files != self.paths {
            other.push("--file".to_owned());
        }
        if global.project.is_some() && global.project != self.project {
            other.push("--project".to_owned());
        }
        if global.naming.is_some() && global.naming != self.naming {
            other.push("--naming".to_owned());
        }
        other.extend(differing(&args.policy, &self.policy, &PolicyArgs::default()));
        other.extend(differing(&args.selection, &self.selection, &SelectionArgs::default()));
        let Some(first) = other.first() else { return Ok(()) };
        let variable = first.trim_start_matches('-').replace('-', "_").to_uppercase();
        Err(CliError::new(format!(
            "{} cannot shape a plan that is made already; nothing was changed",
            other.join(" and ")
        ))
        .hint(format!("leave {first} (or FACECTL_{variable}) away, or give it to `facectl plan --out FILE`"))
        .exit(Exit::UNSAFE))
    }
}

/// Returns the flags that are given and say something else than the saved ones.
fn differing<T: Serialize>(given: &T, saved: &T, nothing: &T) -> Vec<String> {
    let fields = |args: &T| serde_json::to_value(args).unwrap_or(Value::Null);
    let (given, saved, nothing) = (fields(given), fields(saved), fields(nothing));
    let Some(given) = given.as_object() else { return Vec::new() };
    given
        .iter()
        .filter(|(name, value)| **value != nothing[name.as_str()] && **value != saved[name.as_str()])
        .map(|(name, _)| format!("--{}", name.replace('_', "-")))
        .collect()
}

fn current_folder() -> Result<PathBuf, CliError> {
    std::env::current_dir().map_err(|error| CliError::caused("cannot tell the current folder", &error))
}

/// Returns a path as it is seen from a folder, by its words alone: patterns have no file to look at.
fn relative(from: &Path, to: &Path) -> String {
    let (from, to) = (tidy(from), tidy(to));
    let common = from.components().zip(to.components()).take_while(|(a, b)| a == b).count();
    let up = from.components().skip(common).map(|_| "..".to_owned());
    let down = to.components().skip(common).map(|part| part.as_os_str().to_string_lossy().into_owned());
    let parts: Vec<String> = up.chain(down).collect();
    if parts.is_empty() { ".".to_owned() } else { parts.join("/") }
}

/// Returns a path without `.` and `..`.
fn tidy(path: &Path) -> PathBuf {
    let mut tidy = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                tidy.pop();
            }
            part => tidy.push(part),
        }
    }
    tidy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_seen_from_the_projects_folder() {
        for (from, to, wanted) in [
            ("/work/acme", "/work/acme", "."),
            ("/work/acme", "/work/acme/faces/ana.yaml", "faces/ana.yaml"),
            ("/work/acme", "/work/acme/ci/../faces/*.yaml", "faces/*.yaml"),
            ("/work/acme", "/work/shared/./faces", "../shared/faces"),
            ("/work/acme/ci", "/work/acme", ".."),
        ] {
            assert_eq!(relative(Path::new(from), Path::new(to)), wanted, "{to} from {from}");
        }
    }

    #[test]
    fn only_a_flag_that_says_something_else_clashes() {
        let flags = |max_trainings, adopt| PolicyArgs { max_trainings, adopt, ..PolicyArgs::default() };
        let nothing = PolicyArgs::default();
        assert_eq!(differing(&nothing, &flags(Some(3), true), &nothing), Vec::<String>::new());
        assert_eq!(differing(&flags(Some(3), true), &flags(Some(3), true), &nothing), Vec::<String>::new());
        assert_eq!(differing(&flags(Some(2), true), &flags(Some(3), false), &nothing), ["--adopt", "--max-trainings"]);
    }
}
