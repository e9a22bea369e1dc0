//! `--since REV`: the faces that are declared in another way than at a revision, and by which commit.
//!
//! # Flow
//! The commit at which the present one and REV parted is the base, as in `git diff REV...`: what a branch changed. Its
//! manifests are loaded as the present ones are: with the same settings, flags and variables, so that a default of the
//! project file counts for every face that it reaches. Faces are compared as they resolve, by their keys: a file that
//! was renamed or laid out anew changes none. Who changed a face last is told by the commits in between, each
//! compared with those before it, from the latest on.

mod history;
mod mirror;
mod past;
mod repository;

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use crate::face::FaceKey;
use crate::git::plain;
use crate::manifest::LoadRequest;
use crate::plan::{ChangedBy, Selection, Since};

use super::args::{Global, LookArgs, SelectionArgs};
use super::error::CliError;
use super::session::{Workspace, load_request};
use history::History;
use mirror::Mirror;
use past::{Past, Resolved};
use repository::Repository;

/// Returns which faces a command line means: what its flags say, of what changed since a revision where it names one.
///
/// # Errors
/// When there is no git, no repository or no such commit, or the manifests at the revision cannot be used. Nothing
/// was changed.
pub fn selection(
    global: &Global,
    paths: &[String],
    (selection, look): (&SelectionArgs, &LookArgs),
    workspace: &Workspace,
) -> Result<Selection, CliError> {
    let changed = look.since.as_ref().map(|rev| since(global, paths, workspace, rev)).transpose()?;
    Ok(Selection { since: changed, ..selection.selection() })
}

/// Returns the faces that changed since a revision.
fn since(global: &Global, paths: &[String], workspace: &Workspace, rev: &str) -> Result<Since, CliError> {
    if rev.is_empty() || rev.starts_with('-') || rev.contains(|c: char| c.is_control()) {
        let shown = plain(rev, 100);
        return Err(CliError::new(format!("--since {shown}: that is no revision; nothing was changed"))
            .hint("name a branch, a tag or a commit, such as `origin/main`"));
    }
    let repository = Repository::around(&workspace.loaded.project.root)?;
    let head = repository.head()?;
    let base = repository.base(rev, &repository.named(rev)?, &head)?;
    let mut request = load_request(global, paths)?;
    let (below, named) = translate(&mut request, workspace, &repository.top)?;
    let mut past = Past::new(Mirror::new(&repository, below, named)?, request);
    let found = changed(&mut past, &repository, workspace, (rev, &base, &head));
    past.mirror.close();
    found
}

fn changed(
    past: &mut Past<'_>,
    repository: &Repository,
    workspace: &Workspace,
    (rev, base, head): (&str, &str, &str),
) -> Result<Since, CliError> {
    let now = Resolved::of(&workspace.loaded);
    let then = past.resolved(base)?.map_err(|problems| {
        let rev = plain(rev, 100);
        let short: String = base.chars().take(10).collect();
        let message = format!("the manifests at commit {short} (--since {rev}) cannot be used; nothing was changed");
        let error = CliError::new(message).hint("name a revision whose manifests are sound, or leave --since away");
        CliError { causes: problems, ..error }
    })?;
    let changed = then.changes_to(&now);
    past.only(changed.clone());
    let mut history = History::new(repository, past, &workspace.interrupt, base, then);
    let committed = history.at(head)?;
    let (uncommitted, committed): (Vec<FaceKey>, Vec<FaceKey>) =
        changed.into_iter().partition(|key| committed.digest(key) != now.digest(key));
    let mut faces = history.changes(head, committed)?;
    faces.extend(uncommitted.into_iter().map(|key| (key, ChangedBy::Uncommitted)));
    Ok(Since { rev: plain(rev, 100), commit: base.to_owned(), faces })
}

/// Turns what is loaded now into paths seen from the repository's top. Returns below which of its paths the manifests
/// are, and the files that are named whatever they are called.
fn translate(
    request: &mut LoadRequest,
    workspace: &Workspace,
    top: &Path,
) -> Result<(Vec<PathBuf>, BTreeSet<PathBuf>), CliError> {
    let project = &workspace.loaded.project;
    if request.paths.iter().any(|path| path == "-") {
        return Err(CliError::new(
            "--since cannot say what manifests from standard input were before; nothing was changed",
        )
        .hint("write them to a file in the repository, and name that"));
    }
    let cwd = real(&request.cwd);
    let of_line: Result<Vec<PathBuf>, CliError> =
        request.paths.iter().map(|path| inside(&tidy(&cwd.join(path)), top)).collect();
    let of_line = of_line?;
    let root = inside(&real(&project.root), top)?;
    let file =
        project.file.as_ref().map(|file| inside(&real(&project.root).join(file.file_name().unwrap_or_default()), top));
    request.project_file = file.transpose()?;
    // Without a project file it is the folder in which facectl runs.
    let is_here = of_line.is_empty() && request.project_file.is_none();
    request.paths = match is_here {
        true => vec![text(&root)?],
        false => of_line.iter().map(|path| text(path)).collect::<Result<_, CliError>>()?,
    };
    let linked = project.settings.manifests.iter().filter_map(|path| inside(&real(&project.root.join(path)), top).ok());
    let folders = of_line.iter().map(|path| before_pattern(path));
    let below = outermost(std::iter::once(root).chain(folders).chain(linked));
    let named = of_line.into_iter().chain(request.project_file.clone()).collect();
    Ok((below, named))
}

fn real(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

fn inside(path: &Path, top: &Path) -> Result<PathBuf, CliError> {
    path.strip_prefix(top).map(Path::to_owned).map_err(|_| {
        CliError::new(format!(
            "--since cannot say what {} was before: it is outside of the repository {}; nothing was changed",
            path.display(),
            top.display()
        ))
    })
}

/// Returns a path of the repository as the loader is told it, which is in text.
fn text(path: &Path) -> Result<String, CliError> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    path.to_str().map(str::to_owned).ok_or_else(|| {
        let shown = crate::face::shown_path(&path.to_string_lossy()).into_owned();
        CliError::new(format!("--since cannot follow {shown}: its name is not UTF-8 text; nothing was changed"))
            .hint("rename it, or put a facectl.yaml in it and run facectl without naming it")
    })
}

/// Returns a path without `.` and `..`, by its words alone: patterns have no file to look at.
fn tidy(path: &Path) -> PathBuf {
    let mut tidy = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(tidy.pop()),
            part => tidy.push(part),
        }
    }
    tidy
}

fn before_pattern(path: &Path) -> PathBuf {
    path.components().take_while(|part| !part.as_os_str().to_string_lossy().contains(['*', '?', '['])).collect()
}

/// Returns the paths below which all of them are; none where that is the whole repository.
fn outermost(paths: impl Iterator<Item = PathBuf>) -> Vec<PathBuf> {
    let all: BTreeSet<PathBuf> = paths.collect();
    let is_covered = |path: &&PathBuf| all.iter().any(|other| other != *path && path.starts_with(other));
    let outer: Vec<&PathBuf> = all.iter().filter(|path| !is_covered(path)).collect();
    match outer.iter().any(|path| path.as_os_str().is_empty()) {
        true => Vec::new(),
        false => outer.into_iter().cloned().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_lie_in_others_are_covered_by_them() {
        let of = |paths: &[&str]| outermost(paths.iter().map(PathBuf::from));
        assert_eq!(of(&["a/b", "a", "c", "a/b/d"]), [Path::new("a"), Path::new("c")]);
        assert_eq!(of(&["a/b", "a-c"]), [Path::new("a/b"), Path::new("a-c")]);
        assert_eq!(of(&["", "a"]), Vec::<PathBuf>::new());
    }

    #[test]
    fn a_pattern_is_looked_for_below_what_comes_before_it() {
        assert_eq!(before_pattern(Path::new("faces/te*/ana.yaml")), Path::new("faces"));
        assert_eq!(before_pattern(Path::new("faces/ana.yaml")), Path::new("faces/ana.yaml"));
    }
}
