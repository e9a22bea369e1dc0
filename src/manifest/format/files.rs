//! Which files are meant.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::super::diagnostic::{Diagnostic, Place};
use super::super::discover::{self, Collector, Found, Met, shown};
use super::super::entries::{STDIN, refused_entry};
use super::super::peek;
use super::super::project::{LOCK_FILE, PROJECT_FILE};
use super::is_called;

/// Returns the files behind the paths, each once, by name; what cannot be found is said.
pub(super) fn files(
    paths: &[String],
    project_file: Option<PathBuf>,
    cwd: &Path,
    out: &mut Vec<Diagnostic>,
) -> Vec<Found> {
    let project_file = project_file.map(|file| cwd.join(file));
    let mut found = Vec::new();
    if paths.is_empty() {
        match project_file.or_else(|| discover::project_above_seen_from(cwd)) {
            Some(file) => project(&file, cwd, &mut found, out),
            None => {
                let mut collector = Collector::new(cwd, cwd, None, out);
                collector.add_project(&[], cwd);
                found.append(&mut collector.finish());
            }
        }
    }
    for text in paths {
        named(text, cwd, &mut found, out);
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    let mut seen = HashSet::new();
    found.retain(|file| seen.insert(file.path.as_ref().map(|path| fs::canonicalize(path).unwrap_or(path.clone()))));
    // A project that has no faces yet still has its own file to lay out.
    if !found.is_empty() {
        out.retain(|one| one.code != "facectl::no-manifests");
    }
    found
}

fn named(text: &str, cwd: &Path, found: &mut Vec<Found>, out: &mut Vec<Diagnostic>) {
    let path = cwd.join(text);
    if path.is_dir() && path.join(PROJECT_FILE).is_file() {
        // To name the project's folder is to name the project.
        return project(&path.join(PROJECT_FILE), cwd, found, out);
    }
    if text != STDIN && is_called(&path, LOCK_FILE) {
        let message = "left as it is: facectl writes this file, and its form is part of its meaning for git";
        return out.push(Diagnostic::warning("facectl::not-ours", Place::whole(shown(&path, cwd)), message));
    }
    if text != STDIN && is_called(&path, PROJECT_FILE) && path.is_file() {
        return found.push(Found { name: shown(&path, cwd), path: Some(path), by: Met::Named });
    }
    let own = discover::project_above(&discover::folder_of(text, cwd));
    let root = own.as_deref().and_then(Path::parent).unwrap_or(cwd).to_owned();
    let mut collector = Collector::new(cwd, &root, own.as_deref(), out);
    collector.add(text, cwd);
    found.append(&mut collector.finish());
}

/// The project file and what it names.
fn project(file: &Path, cwd: &Path, found: &mut Vec<Found>, out: &mut Vec<Diagnostic>) {
    if let Some(diagnostic) = discover::link_outside(file, file, cwd) {
        return out.push(diagnostic);
    }
    found.push(Found { name: shown(file, cwd), path: Some(file.to_owned()), by: Met::Listed });
    let root = file.parent().unwrap_or(cwd);
    // It is judged when it is formatted itself, all but this.
    let manifests = peek::manifests(file);
    for help in manifests.iter().filter_map(|text| refused_entry(text)) {
        let message = "an entry of `spec.manifests` cannot be used";
        out.push(Diagnostic::error(discover::OUTSIDE, Place::whole(shown(file, cwd)), message).help(help));
    }
    let mut collector = Collector::new(cwd, root, Some(file), out);
    collector.add_project(&manifests, root);
    found.append(&mut collector.finish());
}
