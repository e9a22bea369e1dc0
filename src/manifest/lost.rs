//! Manifests that lost their shape: a file that declared a face before must not be taken for one that nobody asks for.
//!
//! An emptied file, a list in place of a map, a document without `apiVersion`: each is skipped as another tool's, and the
//! face would look as if somebody had removed it. Where a face was declared is known from the record or the lock file.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Component, Path};
use std::sync::Arc;

use crate::boundary::is_hidden;
use crate::face::FaceKey;

use super::diagnostic::{Diagnostic, Place, Severity, sort};
use super::discover::OTHER_PROJECT;
use super::entries::is_manifest_name;
use super::foreign::{NOT_OURS, mentions_us};
use super::load::{Loaded, Rejected};
use super::reading::EMPTY;
use super::source::FILE_LIMIT;

/// A file among the manifests, or a folder, that was skipped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// As it is shown to people.
    pub name: Arc<str>,
    /// What it is.
    pub kind: SkippedKind,
}

/// What was skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SkippedKind {
    /// A file that is no manifest, or in part.
    File,
    /// A folder that is a project of its own.
    Project,
}

/// Returns what some diagnostics say was skipped, each once.
pub(super) fn skipped(diagnostics: &[Diagnostic]) -> Vec<Skipped> {
    let of = |one: &Diagnostic| {
        let kind = match one.code {
            NOT_OURS | EMPTY => SkippedKind::File,
            OTHER_PROJECT => SkippedKind::Project,
            _ => return None,
        };
        Some(Skipped { name: Arc::clone(&one.place.file), kind })
    };
    let mut all: Vec<Skipped> = diagnostics.iter().filter_map(of).collect();
    all.dedup();
    all
}

/// Returns where a manifest lies, seen from the project's folder; none for one outside of it.
pub(super) fn place_in_project(file: &Path, root: &Path) -> Option<String> {
    let plain = |below: &Path| {
        let names: Option<Vec<&str>> = below
            .components()
            .filter(|part| *part != Component::CurDir)
            .map(|part| match part {
                Component::Normal(name) => name.to_str(),
                _ => None,
            })
            .collect();
        Some(names?.join("/")).filter(|place| !place.is_empty())
    };
    let as_named = file.strip_prefix(root).ok().and_then(plain);
    as_named.or_else(|| {
        let (file, root) = (fs::canonicalize(file).ok()?, fs::canonicalize(root).ok()?);
        plain(file.strip_prefix(root).ok()?)
    })
}

/// Refuses manifests among which a file was skipped that declared a face before: `before` says where each was declared,
/// as far as that is known. One that is declared elsewhere now is not missed.
///
/// # Errors
/// When there is such a file. Each is named, with its faces.
pub fn refuse_lost(mut loaded: Loaded, before: &BTreeMap<FaceKey, String>) -> Result<Loaded, Rejected> {
    let mut lost: BTreeMap<Arc<str>, Vec<&FaceKey>> = BTreeMap::new();
    for (key, place) in before.iter().filter(|(key, _)| !loaded.desired.faces.contains_key(*key)) {
        let is_it = |skipped: &&Skipped| skipped.kind == SkippedKind::File && loaded.is_at(&skipped.name, place);
        if let Some(skipped) = loaded.skipped.iter().find(is_it) {
            lost.entry(Arc::clone(&skipped.name)).or_default().push(key);
        }
    }
    if lost.is_empty() {
        return Ok(loaded);
    }
    let mut diagnostics = std::mem::take(&mut loaded.warnings);
    // One word for each file: what is wrong says more than that it was left out.
    diagnostics.retain(|one| !(lost.contains_key(&one.place.file) && [NOT_OURS, EMPTY].contains(&one.code)));
    diagnostics.extend(lost.into_iter().map(|(name, keys)| {
        let keys = keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
        let message = format!("this file declared {keys} before, and is not a manifest any more");
        Diagnostic::error("facectl::lost-manifest", Place::whole(name), message)
            .help("restore its content from git; to give the face up, remove the file")
    }));
    sort(&mut diagnostics);
    Err(Rejected { diagnostics, sources: loaded.sources })
}

/// Takes what was skipped for errors.
///
/// # Errors
/// When any file was skipped.
pub fn refuse_skipped(mut loaded: Loaded) -> Result<Loaded, Rejected> {
    let is_skipped = |one: &Diagnostic| [NOT_OURS, EMPTY].contains(&one.code);
    if !loaded.warnings.iter().any(is_skipped) {
        return Ok(loaded);
    }
    for one in loaded.warnings.iter_mut().filter(|one| is_skipped(one)) {
        one.severity = Severity::Error;
    }
    Err(Rejected { diagnostics: loaded.warnings, sources: loaded.sources })
}

impl Loaded {
    fn is_at(&self, shown: &str, place: &str) -> bool {
        place_in_project(&self.cwd.join(shown), &self.project.root).as_deref() == Some(place)
    }

    /// Returns the files that were skipped, and the entries of `spec.manifests` that lead nowhere: as long as there are
    /// any, nobody can say what left the manifests. `allows_empty` is a person's word that a folder may be gone, and that
    /// nothing at all may be declared.
    pub fn unread(&self, allows_empty: bool) -> Vec<String> {
        let is_meant = allows_empty && self.desired.faces.is_empty();
        let skipped = self.skipped.iter().filter(|skipped| skipped.kind == SkippedKind::File && !is_meant);
        let gone = self.gone.iter().filter(|_| !allows_empty);
        skipped.map(|skipped| &skipped.name).chain(gone).map(ToString::to_string).collect()
    }

    /// Returns which faces that are not declared have their file still: it was not read as a manifest, or not at all.
    /// `before` says where each was declared, as far as that is known.
    pub fn still_there<'a>(
        &self,
        before: impl IntoIterator<Item = (&'a FaceKey, Option<&'a str>)>,
    ) -> BTreeMap<FaceKey, String> {
        let declared = &self.desired.faces;
        let read: BTreeSet<&str> = declared.values().filter_map(|face| face.manifest.as_deref()).collect();
        let other_project = self.skipped.iter().find(|skipped| skipped.kind == SkippedKind::Project);
        let undeclared = before.into_iter().filter(|(key, _)| !declared.contains_key(*key));
        let found = undeclared.filter_map(|(key, place)| {
            let file = match place {
                // A file that still declares others had this one's document removed.
                Some(place) if read.contains(place) => None,
                Some(place) => is_there(&self.project.root, place).then(|| place.to_owned()),
                // It may have been declared in there.
                None => other_project.map(|skipped| skipped.name.to_string()),
            };
            let file = file.or_else(|| renamed(&self.project.root, place?, &read));
            Some((key.clone(), file?))
        });
        found.collect()
    }
}

/// The place may come from a lock file that a stranger wrote: it is looked for below the project and nowhere else.
fn is_below(place: &str) -> bool {
    Path::new(place).components().all(|part| matches!(part, Component::Normal(_)))
}

fn is_there(root: &Path, place: &str) -> bool {
    is_below(place) && fs::symlink_metadata(root.join(place)).is_ok()
}

/// Returns the file that a manifest became when it was given another ending, such as `ana.yaml.bak`: it still speaks of
/// us, and is not read.
fn renamed(root: &Path, place: &str, read: &BTreeSet<&str>) -> Option<String> {
    let path = Path::new(place);
    let (folder, stem) = (path.parent()?, path.file_stem()?.to_str()?);
    let is_it = |name: &str| {
        let below = name.strip_prefix('.').unwrap_or(name);
        below.strip_prefix(stem).is_some_and(|end| end.starts_with(['.', '~']) || end.is_empty())
    };
    let entries = is_below(place).then(|| fs::read_dir(root.join(folder)).ok()).flatten()?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut found = names.filter(|name| is_it(name)).filter_map(|name| {
        let file = folder.join(&name);
        let place = file.to_str()?.replace('\\', "/");
        let is_read = is_manifest_name(&file) && !is_hidden(OsStr::new(&name));
        (!is_read && !read.contains(place.as_str()) && speaks_of_us(&root.join(&file))).then_some(place)
    });
    found.next()
}

/// Only a plain file that lies here, and no more of it than a manifest may have.
fn speaks_of_us(file: &Path) -> bool {
    if !fs::symlink_metadata(file).is_ok_and(|metadata| metadata.is_file()) {
        return false;
    }
    let mut bytes = Vec::new();
    let read = File::open(file).and_then(|file| file.take(FILE_LIMIT as u64).read_to_end(&mut bytes));
    read.is_ok() && mentions_us(&String::from_utf8_lossy(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_seen_from_the_project() {
        for (file, expected) in [
            ("/p/faces/a.yaml", Some("faces/a.yaml")),
            ("/p/./a.yaml", Some("a.yaml")),
            ("/elsewhere/a.yaml", None),
            ("/p/../a.yaml", None),
            ("/p", None),
        ] {
            assert_eq!(place_in_project(Path::new(file), Path::new("/p")).as_deref(), expected, "{file}");
        }
    }
}
