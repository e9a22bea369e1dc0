//! The manifests of other commits, loaded as the present ones are.
//!
//! A face resolves from its own file and the project's alone. So of a commit whose project file is the one that was
//! seen last, only the files are loaded that differ: thousands of faces through hundreds of commits are no trouble.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::face::FaceKey;
use crate::face::shown_path;
use crate::git::plain;
use crate::manifest::{
    Diagnostic, LoadRequest, Loaded, PROJECT_FILE, Severity, face_digest, file_name_shown, load_as_it_was,
};

use super::super::error::CliError;
use super::mirror::{Mirror, Tree};

/// Problems of earlier manifests that are named.
const NAMED: usize = 3;

/// The faces that some manifests declare, as far as it matters whether they changed.
#[derive(Debug, Clone, Default)]
pub(super) struct Resolved {
    /// By key.
    pub(super) faces: BTreeMap<FaceKey, Resolution>,
}

/// What one face resolved to.
#[derive(Debug, Clone)]
pub(super) struct Resolution {
    /// A hash over all that decides what the face is.
    digest: String,
    /// The name of its file, as it is shown.
    pub(super) file: String,
}

impl Resolved {
    /// Takes what matters of loaded manifests.
    pub(super) fn of(loaded: &Loaded) -> Self {
        let desired = &loaded.desired;
        // A face is another one in another project, and has another live name.
        let whole = |digest: String| format!("{} {:?} {digest}", desired.project, desired.naming);
        let faces = desired.faces.iter().map(|(key, face)| {
            let (digest, file) = (whole(face_digest(face)), face.origin.file.clone());
            (key.clone(), Resolution { digest, file })
        });
        Self { faces: faces.collect() }
    }

    /// Returns what tells whether a face is the same; none where it is not declared.
    pub(super) fn digest(&self, key: &FaceKey) -> Option<&str> {
        self.faces.get(key).map(|face| face.digest.as_str())
    }

    /// Returns the keys that are not the same in both.
    pub(super) fn changes_to(&self, other: &Self) -> BTreeSet<FaceKey> {
        let keys = self.faces.keys().chain(other.faces.keys());
        keys.filter(|key| self.digest(key) != other.digest(key)).cloned().collect()
    }
}

/// Manifests of other commits.
pub(super) struct Past<'a> {
    pub(super) mirror: Mirror<'a>,
    request: LoadRequest,
    /// The faces that matter; none: all of them.
    only: Option<BTreeSet<FaceKey>>,
    last: Option<(Tree, Rc<Resolved>)>,
    /// Files that are not called what they are shown as: a name need not be text.
    odd: BTreeMap<String, PathBuf>,
}

impl<'a> Past<'a> {
    /// Loads by a request whose paths are seen from the repository's top.
    pub(super) fn new(mirror: Mirror<'a>, request: LoadRequest) -> Self {
        Self { mirror, request, only: None, last: None, odd: BTreeMap::new() }
    }

    /// Says that from now on no other faces matter.
    pub(super) fn only(&mut self, keys: BTreeSet<FaceKey>) {
        self.only = Some(keys);
    }

    /// Returns the file that is shown by a name.
    pub(super) fn file(&self, shown: &str) -> PathBuf {
        self.odd.get(shown).cloned().unwrap_or_else(|| PathBuf::from(shown))
    }

    /// Returns how many files the last commit had.
    pub(super) fn files(&self) -> usize {
        self.last.as_ref().map_or(0, |(tree, _)| tree.len())
    }

    /// Returns what the manifests of a commit resolve to, or what is wrong with them.
    pub(super) fn resolved(&mut self, commit: &str) -> Result<Result<Rc<Resolved>, Vec<String>>, CliError> {
        let tree = self.mirror.tree(commit)?;
        let odd = tree.keys().map(|path| (shown(path), path)).filter(|(shown, path)| path.to_str() != Some(shown));
        self.odd.extend(odd.map(|(shown, path)| (shown, path.clone())));
        let mut resolved = match self.last.as_ref().filter(|(last, _)| self.is_near(last, &tree)) {
            None => {
                self.mirror.show(tree.clone())?;
                self.load()
            }
            Some((last, before)) => {
                let changed = differing(last, &tree);
                let is_shown = |path: &Path| self.is_project_file(path) || changed.contains(&shown(path));
                let mut resolved = Resolved::clone(before);
                resolved.faces.retain(|_, face| !changed.contains(&face.file));
                let shown = tree.iter().filter(|(path, _)| is_shown(path));
                self.mirror.show(shown.map(|(path, entry)| (path.clone(), entry.clone())).collect())?;
                self.load().map(|part| {
                    resolved.faces.extend(part.faces);
                    resolved
                })
            }
        };
        if let (Ok(resolved), Some(only)) = (&mut resolved, &self.only) {
            resolved.faces.retain(|key, _| only.contains(key));
        }
        Ok(resolved.map(|resolved| {
            let resolved = Rc::new(resolved);
            self.last = Some((tree, Rc::clone(&resolved)));
            resolved
        }))
    }

    /// Returns whether the files that differ tell which faces do: not where a project file differs, and not among links,
    /// where a face's file is not what it is called.
    fn is_near(&self, one: &Tree, other: &Tree) -> bool {
        let project_files = |tree: &Tree| -> Tree {
            let files = tree.iter().filter(|(path, _)| self.is_project_file(path));
            files.map(|(path, entry)| (path.clone(), entry.clone())).collect()
        };
        let has_links = |tree: &Tree| tree.values().any(|entry| entry.is_link);
        !has_links(one) && !has_links(other) && project_files(one) == project_files(other)
    }

    fn is_project_file(&self, path: &Path) -> bool {
        path.file_name() == Some(OsStr::new(PROJECT_FILE)) || self.request.project_file.as_deref() == Some(path)
    }

    /// Loads the files that are there now.
    fn load(&self) -> Result<Resolved, Vec<String>> {
        let LoadRequest { paths, project_file, cwd: _, variables, stdin: _, overrides } = &self.request;
        let top = &self.mirror.top;
        let request = LoadRequest {
            paths: paths.clone(),
            // A project may have had no file then.
            project_file: project_file.as_ref().map(|file| top.join(file)).filter(|file| file.is_file()),
            cwd: top.clone(),
            variables: variables.clone(),
            stdin: Box::new(std::io::empty()),
            overrides: overrides.clone(),
        };
        let problem = |one: &Diagnostic| format!("{}:{}: {}", shown_path(&one.place.file), one.place.line, one.message);
        load_as_it_was(request).map(|loaded| Resolved::of(&loaded)).map_err(|rejected| {
            let errors = rejected.diagnostics.iter().filter(|one| one.severity == Severity::Error);
            errors.take(NAMED).map(|one| plain(&problem(one), 300)).collect()
        })
    }
}

/// Returns a path of the repository as a face's file is named.
fn shown(path: &Path) -> String {
    (*file_name_shown(path, Path::new(""))).to_owned()
}

/// Returns the paths that are not the same in both, as they are shown.
fn differing(one: &Tree, other: &Tree) -> BTreeSet<String> {
    let paths = one.keys().chain(other.keys()).filter(|path| one.get(*path) != other.get(*path));
    paths.map(|path| shown(path)).collect()
}
