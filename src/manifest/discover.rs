//! Finds the project file and the manifests. With `source.rs` the only IO of this room.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use walkdir::WalkDir;

use crate::boundary::{Beyond, Boundary, is_hidden};

use super::diagnostic::{Diagnostic, Place, nearest};
use super::entries::{STDIN, is_manifest_name, refused_entry};
use super::project::PROJECT_FILE;

/// A file that is to be read.
#[derive(Debug)]
pub(super) struct Found {
    /// Where it is; `None` for standard input.
    pub(super) path: Option<PathBuf>,
    /// As it is shown to people.
    pub(super) name: Arc<str>,
    /// How it came to be read.
    pub(super) by: Met,
}

/// How a file came to be read: what must be in it, and whether its lines may be shown, depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Met {
    /// In a folder or by a pattern: what is not ours is skipped.
    Found,
    /// The project file names it, which may be a stranger's: it must be ours, and shows no line if it is not.
    Listed,
    /// A person names it on the command line: it must be ours.
    Named,
}

/// Who asks for files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    /// The command line: a person may name whatever they like.
    Person,
    /// The project file, or nobody: nothing outside of the project is read.
    Project,
}

/// Returns a path as people read it: relative to `cwd` if it lies below, with forward slashes.
pub(crate) fn shown(path: &Path, cwd: &Path) -> Arc<str> {
    let path = path.strip_prefix(cwd).unwrap_or(path);
    let mut text = String::new();
    for part in path.components().filter(|part| *part != Component::CurDir) {
        if !text.is_empty() && !text.ends_with('/') {
            text.push('/');
        }
        text.push_str(&part.as_os_str().to_string_lossy().replace('\\', "/"));
    }
    if text.is_empty() { ".".into() } else { text.into() }
}

/// Finds the project file for what was named on the command line.
pub(super) fn project_file(paths: &[String], cwd: &Path) -> Result<Option<PathBuf>, Box<Diagnostic>> {
    let mut found: Vec<PathBuf> = Vec::new();
    for text in paths.iter().filter(|text| *text != STDIN) {
        let file = project_above(&folder_of(text, cwd));
        if let Some(file) = file.filter(|file| !found.iter().any(|other| is_same(other, file))) {
            found.push(file);
        }
    }
    let stays = |file: PathBuf| match link_outside(&file, &seen_from(cwd, file.clone()), cwd) {
        Some(diagnostic) => Err(Box::new(diagnostic)),
        None => Ok(Some(seen_from(cwd, file))),
    };
    match found.as_slice() {
        [] => project_above(cwd).map_or(Ok(None), stays),
        [only] => stays(only.clone()),
        [first, second, ..] => Err(Box::new(
            Diagnostic::error(
                "facectl::two-projects",
                Place::whole(shown(second, cwd)),
                "the paths belong to more than one project",
            )
            .related(Place::whole(shown(first, cwd)), "the other project")
            .help("run facectl once for each, or name the one that is meant with --project-file"),
        )),
    }
}

/// Finds the project file for a folder, as it looks from there.
pub(super) fn project_above_seen_from(cwd: &Path) -> Option<PathBuf> {
    project_above(cwd).map(|file| seen_from(cwd, file))
}

/// Returns a path without links as it looks from `cwd`, which may itself be reached by a link.
fn seen_from(cwd: &Path, path: PathBuf) -> PathBuf {
    match fs::canonicalize(cwd).ok().and_then(|real| path.strip_prefix(real).ok().map(|rest| cwd.join(rest))) {
        Some(seen) => seen,
        None => path,
    }
}

/// Says that a project file is a link to a place outside of its folder, or to a hidden one, if it is one. A checkout must
/// not be able to make a runner show lines of its own files.
pub(super) fn link_outside(file: &Path, seen: &Path, cwd: &Path) -> Option<Diagnostic> {
    let folder = fs::canonicalize(file.parent()?).ok()?;
    let beyond = Boundary::of(vec![folder]).refuses_target_of(file)?;
    Some(led_beyond(&shown(seen, cwd), beyond))
}

fn led_beyond(name: &Arc<str>, beyond: Beyond) -> Diagnostic {
    let (message, help) = match beyond {
        Beyond::Outside => (
            "this link leads out of the folder and the project",
            "move the file into the project, or name it on the command line",
        ),
        Beyond::Hidden => (
            "this leads to a hidden file or folder, which is never read",
            "put the file into a folder such as `faces/`",
        ),
    };
    Diagnostic::error(OUTSIDE, Place::whole(Arc::clone(name)), message).help(help)
}

/// The code of a folder that is a project of its own.
pub(super) const OTHER_PROJECT: &str = "facectl::other-project";

/// The code of what lies where a project must not reach.
pub(super) const OUTSIDE: &str = "facectl::outside";

fn is_same(one: &Path, other: &Path) -> bool {
    one == other || matches!((fs::canonicalize(one), fs::canonicalize(other)), (Ok(one), Ok(other)) if one == other)
}

/// The folder that a named path is, or lies in; for a pattern, the folder before its first wildcard.
pub(super) fn folder_of(text: &str, cwd: &Path) -> PathBuf {
    let path = cwd.join(text);
    if path.is_dir() {
        return path;
    }
    let is_plain = |part: &Component<'_>| !is_pattern(&part.as_os_str().to_string_lossy());
    let folder: PathBuf = path.parent().unwrap_or(&path).components().take_while(is_plain).collect();
    if folder.as_os_str().is_empty() { cwd.to_owned() } else { folder }
}

/// Looks for a project file in a folder and those above it, not beyond a repository or the home folder.
pub fn project_above(folder: &Path) -> Option<PathBuf> {
    // Without `..` and links, so that "above" means what a person sees.
    let folder = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    let home = std::env::home_dir();
    for folder in folder.ancestors() {
        let file = folder.join(PROJECT_FILE);
        if file.is_file() {
            return Some(file);
        }
        if folder.join(".git").exists() || home.as_deref() == Some(folder) {
            return None;
        }
    }
    None
}

/// Returns what lies where a pattern looks and has a name that is not UTF-8: were it passed over, a face in it would look
/// as if nobody asked for it.
fn unmatchable(text: &str, base: &Path) -> Vec<PathBuf> {
    let folder = folder_of(text, base);
    let below = base.join(text).components().count().saturating_sub(folder.components().count());
    let depth = if text.contains("**") { usize::MAX } else { below };
    let walk = WalkDir::new(&folder).max_depth(depth).into_iter();
    let entered = walk.filter_entry(|entry| entry.depth() == 0 || !is_hidden(entry.file_name()));
    let odd = entered.flatten().filter(|entry| entry.file_name().to_str().is_none());
    odd.map(walkdir::DirEntry::into_path).collect()
}

fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// Collects the files behind paths, folders and patterns, each once.
pub(super) struct Collector<'a> {
    cwd: &'a Path,
    root: PathBuf,
    project_file: Option<PathBuf>,
    found: Vec<Found>,
    seen: HashSet<PathBuf>,
    folders: HashMap<PathBuf, PathBuf>,
    out: &'a mut Vec<Diagnostic>,
}

impl<'a> Collector<'a> {
    pub(super) fn new(cwd: &'a Path, root: &Path, project_file: Option<&Path>, out: &'a mut Vec<Diagnostic>) -> Self {
        Self {
            cwd,
            root: fs::canonicalize(root).unwrap_or_else(|_| root.to_owned()),
            project_file: project_file.map(|file| fs::canonicalize(file).unwrap_or_else(|_| file.to_owned())),
            found: Vec::new(),
            seen: HashSet::new(),
            folders: HashMap::new(),
            out,
        }
    }

    /// Returns what was found, in an order that does not hang on the order of the paths.
    pub(super) fn finish(mut self) -> Vec<Found> {
        self.found.sort_by(|a, b| a.name.cmp(&b.name));
        self.found
    }

    /// Adds whatever a text from the command line stands for, seen from `base`.
    pub(super) fn add(&mut self, text: &str, base: &Path) {
        if text == STDIN {
            if !self.found.iter().any(|found| found.path.is_none()) {
                self.found.push(Found { path: None, name: STDIN.into(), by: Met::Named });
            }
            return;
        }
        self.take(text, base, By::Person);
    }

    /// Adds what the project file names, or all that is below its folder where it names nothing: nothing that really
    /// lies elsewhere or is hidden, and no file that cannot be a manifest by its name. An entry that cannot be used by
    /// its text is for the caller to say.
    pub(super) fn add_project(&mut self, manifests: &[String], root: &Path) {
        for text in manifests.iter().filter(|text| refused_entry(text).is_none()) {
            self.take(text, root, By::Project);
        }
        if manifests.is_empty() {
            self.take(".", root, By::Project);
        }
    }

    fn take(&mut self, text: &str, base: &Path, by: By) {
        let path = base.join(text);
        match fs::metadata(&path) {
            Ok(_) if by == By::Project && !self.may_read(&path, &self.boundary(base, by)) => {}
            Ok(metadata) if metadata.is_dir() => self.folder(&path, by),
            Ok(_) if path.file_name().is_some_and(|name| name == PROJECT_FILE) => {
                let help = "name its folder, or use --project-file".to_owned();
                self.say("facectl::misplaced-project", &path, "the project file is not a manifest", Some(help));
            }
            Ok(metadata) if by == By::Project && !(is_manifest_name(&path) && metadata.is_file()) => {
                let help = "spec.manifests names folders, patterns, and files that end in .yaml or .yml".to_owned();
                self.say("facectl::not-a-manifest", &path, "this cannot be a manifest by its name", Some(help));
            }
            Ok(_) => self.file(path, if by == By::Person { Met::Named } else { Met::Listed }, None),
            // Nothing of what lies elsewhere is told, not even whether it is there.
            Err(_) if by == By::Project && !self.may_read(&folder_of(text, base), &self.boundary(base, by)) => {}
            Err(_) if is_pattern(text) => self.pattern(text, base, by),
            Err(_) => self.missing(&path),
        }
    }

    /// Returns where whatever is found below a folder must really lie.
    fn boundary(&self, folder: &Path, by: By) -> Boundary {
        let own = (by == By::Person).then(|| fs::canonicalize(folder).ok()).flatten();
        Boundary::of(std::iter::once(self.root.clone()).chain(own).collect())
    }

    /// Returns whether what was met may be read, and says which link leads beyond if not: once, and no name behind it.
    fn may_read(&mut self, path: &Path, boundary: &Boundary) -> bool {
        let Some(beyond) = boundary.refuses_target_of(path) else { return true };
        let mut link = path;
        while let Some(parent) = link.parent().filter(|parent| boundary.refuses_target_of(parent).is_some()) {
            link = parent;
        }
        if self.seen.insert(link.to_owned()) {
            self.out.push(led_beyond(&shown(link, self.cwd), beyond));
        }
        false
    }

    fn say(&mut self, code: &'static str, path: &Path, message: impl Into<String>, help: Option<String>) {
        let place = Place::whole(shown(path, self.cwd));
        self.out.push(Diagnostic::error(code, place, message).help_if(help));
    }

    fn missing(&mut self, path: &Path) {
        let wanted = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let siblings: Vec<String> = path
            .parent()
            .and_then(|parent| fs::read_dir(parent).ok())
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .take(10_000)
            .collect();
        let near = nearest(&wanted, siblings.iter().map(String::as_str));
        let help = match (near, path.parent().is_some_and(Path::is_dir)) {
            (Some(near), _) => format!("did you mean `{}`?", shown(&path.with_file_name(near), self.cwd)),
            (None, true) => "paths are read from the folder in which facectl runs".to_owned(),
            (None, false) => "its folder does not exist either".to_owned(),
        };
        self.say("facectl::not-found", path, "there is no such file or folder", Some(help));
    }

    fn pattern(&mut self, text: &str, base: &Path, by: By) {
        // First of all: on such a name the matcher panics, or passes over it.
        let odd = unmatchable(text, base);
        for path in &odd {
            let help = "rename it, or name its folder instead of a pattern".to_owned();
            self.say("facectl::not-utf8", path, "its name is not UTF-8, so no pattern can match it", Some(help));
        }
        if !odd.is_empty() {
            return;
        }
        let whole = format!("{}/{text}", glob::Pattern::escape(&base.to_string_lossy()));
        let options = glob::MatchOptions { require_literal_leading_dot: true, ..glob::MatchOptions::new() };
        let matches = match glob::glob_with(&whole, options) {
            Ok(matches) => matches,
            Err(error) => {
                return self.say("facectl::pattern", &base.join(text), format!("not a valid pattern: {error}"), None);
            }
        };
        let boundary = self.boundary(&folder_of(text, base), by);
        let mut count = 0;
        for hit in matches {
            let path = match hit {
                Ok(path) => path,
                // What cannot be looked into may hold manifests: it must not look as if they were gone.
                Err(error) => {
                    self.unreadable(error.path(), error.error());
                    count += 1;
                    continue;
                }
            };
            let is_folder = path.is_dir();
            if !is_folder && !is_manifest_name(&path) {
                continue;
            }
            count += 1;
            if !self.may_read(&path, &boundary) {
                continue;
            }
            match is_folder {
                true => drop(self.walk(&path, by)),
                false => self.file(path, Met::Found, None),
            }
        }
        if count == 0 {
            let help = "it was searched for files that end in .yaml or .yml; if your shell should have expanded it, \
                        check the folder";
            self.say("facectl::not-found", &base.join(text), "the pattern matches no manifest", Some(help.to_owned()));
        }
    }

    fn folder(&mut self, folder: &Path, by: By) {
        if self.walk(folder, by) == 0 {
            let help = "it was searched, with all folders in it, for files that end in .yaml or .yml; facectl.yaml, the \
                        lock file and names that begin with a dot do not count. Where none is left on purpose, `plan` and \
                        `apply` take --allow-empty";
            self.say("facectl::no-manifests", folder, "there are no manifests in this folder", Some(help.to_owned()));
        }
    }

    fn unreadable(&mut self, path: &Path, reason: &impl std::fmt::Display) {
        self.say("facectl::unreadable", path, format!("cannot read it: {reason}"), None);
    }

    /// Adds the manifests below a folder and returns how many there are, those already added included.
    fn walk(&mut self, folder: &Path, by: By) -> usize {
        let boundary = self.boundary(folder, by);
        let mut count = 0;
        // Links are followed, as ConfigMap mounts consist of them; walkdir sees loops, and what leaves is refused.
        let mut entries = WalkDir::new(folder).follow_links(true).sort_by_file_name().into_iter();
        while let Some(entry) = entries.next() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) if error.loop_ancestor().is_some() => continue,
                Err(error) => {
                    let path = error.path().unwrap_or(folder).to_owned();
                    let reason = error.io_error().map_or_else(|| error.to_string(), ToString::to_string);
                    self.unreadable(&path, &reason);
                    continue;
                }
            };
            let is_folder = entry.file_type().is_dir();
            let is_hidden = entry.depth() > 0 && is_hidden(entry.file_name());
            let is_foreign = is_folder && entry.depth() > 0 && self.is_other_project(entry.path());
            let leaves = entry.depth() > 0
                && entry.path_is_symlink()
                && (is_folder || is_manifest_name(entry.path()))
                && !is_hidden
                && !self.may_read(entry.path(), &boundary);
            if is_hidden || is_foreign || leaves {
                if is_folder {
                    entries.skip_current_dir();
                }
            } else if entry.file_type().is_file() && is_manifest_name(entry.path()) {
                count += 1;
                let is_link = entry.path_is_symlink();
                self.file(entry.into_path(), Met::Found, Some(is_link));
            }
        }
        count
    }

    /// Returns whether a folder below is a project of its own, and says so: its faces bear another project's tokens,
    /// so that taking them for ours would buy each of them again.
    fn is_other_project(&mut self, folder: &Path) -> bool {
        let file = folder.join(PROJECT_FILE);
        let is_other = file.is_file() && self.project_file.as_ref().is_none_or(|own| !is_same(own, &file));
        if is_other {
            let place = Place::whole(shown(folder, self.cwd));
            self.out.push(
                Diagnostic::warning(OTHER_PROJECT, place, "left out: this folder is a project of its own")
                    .help("run facectl in it, or remove its facectl.yaml"),
            );
        }
        is_other
    }

    /// `is_link` spares a question to the system where it is known.
    fn file(&mut self, path: PathBuf, by: Met, is_link: Option<bool>) {
        let canonical = self.canonical(&path, is_link);
        if !self.seen.insert(canonical) {
            // Named after it was met: then it must be ours after all.
            if let Some(found) = self.found.iter_mut().find(|found| by > found.by && found.path.as_ref() == Some(&path))
            {
                found.by = by;
            }
            return;
        }
        let name = shown(&path, self.cwd);
        self.found.push(Found { path: Some(path), name, by });
    }

    /// As `fs::canonicalize`, which costs a system call a component, but once a folder only.
    fn canonical(&mut self, path: &Path, is_link: Option<bool>) -> PathBuf {
        let looks_like_one = || fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink());
        let is_link = is_link.unwrap_or_else(looks_like_one);
        let (Some(parent), Some(name), false) = (path.parent(), path.file_name(), is_link) else {
            return fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        };
        let folder = self
            .folders
            .entry(parent.to_owned())
            .or_insert_with(|| fs::canonicalize(parent).unwrap_or_else(|_| parent.to_owned()));
        folder.join(name)
    }
}
