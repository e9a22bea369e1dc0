//! What may be read for a project: the one place that says so.
//!
//! The project file, the folders and their links come with a checkout, and a checkout can be a stranger's. It must not
//! be able to make a runner read, show or rewrite anything but manifests of its own. So each hit is judged by where it
//! really lies, and not by the text that led to it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

/// Returns whether a file or folder is hidden by its name: git's own folder, `.env`, `.ssh`.
pub(crate) fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

/// Why something that was found must not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beyond {
    /// It lies outside.
    Outside,
    /// It lies in a hidden folder, or is hidden.
    Hidden,
}

/// The folders that whatever is found must really lie in.
#[derive(Debug, Clone)]
pub(crate) struct Boundary(Vec<PathBuf>);

impl Boundary {
    /// Makes it of folders without links.
    pub(crate) fn of(folders: Vec<PathBuf>) -> Self {
        Self(folders)
    }

    /// Returns why a path without links must not be read; none where it may.
    pub(crate) fn refuses(&self, real: &Path) -> Option<Beyond> {
        let mut below = self.0.iter().filter_map(|folder| real.strip_prefix(folder).ok()).peekable();
        if below.peek().is_none() {
            return Some(Beyond::Outside);
        }
        below.all(goes_through_hidden).then_some(Beyond::Hidden)
    }

    /// As [`Self::refuses`], for a path with links. One that leads nowhere can be read by nobody.
    pub(crate) fn refuses_target_of(&self, path: &Path) -> Option<Beyond> {
        self.refuses(&fs::canonicalize(path).ok()?)
    }
}

/// The links of a ConfigMap mount lead into folders called `..2026_03_01`, which are no secret (Kubernetes, "atomic
/// writer").
fn goes_through_hidden(below: &Path) -> bool {
    below.iter().any(|name| is_hidden(name) && !name.as_encoded_bytes().starts_with(b".."))
}

/// Returns why a file that a face is trained from must not be sent: it must really lie below the project, and neither it
/// nor a folder on the way may be hidden. One that is not there is refused by its name alone.
pub(crate) fn refuses_material(root: &Path, file: &Path) -> Option<Beyond> {
    let named = file
        .strip_prefix(root)
        .ok()
        .map_or(Some(Beyond::Outside), |below| below.iter().any(is_hidden).then_some(Beyond::Hidden));
    let real = || Boundary::of(vec![fs::canonicalize(root).ok()?]).refuses_target_of(file);
    named.or_else(real)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_elsewhere_or_hidden_is_refused() {
        let boundary = Boundary::of(vec!["/p".into(), "/q/.hidden".into()]);
        for (path, expected) in [
            ("/p/faces/a.yaml", None),
            ("/p/..2026/a.yaml", None),
            ("/q/.hidden/a.yaml", None),
            ("/p2/a.yaml", Some(Beyond::Outside)),
            ("/", Some(Beyond::Outside)),
            ("/p/.git/config", Some(Beyond::Hidden)),
            ("/p/faces/.env", Some(Beyond::Hidden)),
            ("/q/.hidden/.ssh/id", Some(Beyond::Hidden)),
        ] {
            assert_eq!(boundary.refuses(Path::new(path)), expected, "{path}");
        }
    }
}
