//! What a project file may name as manifests, by its text alone, and which files can be manifests by their names.

use std::path::{Component, Path};

use crate::boundary::is_hidden;

use super::project::{LOCK_FILE, PROJECT_FILE};

/// The name that stands for standard input.
pub(super) const STDIN: &str = "-";

/// Returns whether a file can be a manifest by its name.
pub(super) fn is_manifest_name(path: &Path) -> bool {
    let is_yaml =
        path.extension().is_some_and(|end| end.eq_ignore_ascii_case("yaml") || end.eq_ignore_ascii_case("yml"));
    is_yaml && path.file_name().is_some_and(|name| name != PROJECT_FILE && name != LOCK_FILE)
}

/// Returns why an entry of `spec.manifests` cannot be used, as what to do about it; none for one that can.
pub(super) fn refused_entry(text: &str) -> Option<&'static str> {
    let mut parts = Path::new(text).components();
    match text {
        "" => Some("name a folder, a file or a pattern, such as `faces/`"),
        STDIN => Some("standard input can only be named on the command line"),
        _ if !parts.clone().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) => {
            Some("name a path below the folder of facectl.yaml; others can be named on the command line")
        }
        _ if parts.any(|part| matches!(part, Component::Normal(name) if is_hidden(name))) => {
            Some("hidden files and folders are never read as manifests; name a folder such as `faces/`")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_of_the_project_file_stays_below_it_and_is_not_hidden() {
        for text in ["faces/", "./faces", "faces/**/*.yaml", "a.yaml", ".", "f*/[ab].yml"] {
            assert_eq!(refused_entry(text), None, "{text}");
        }
        let refused = ["", "-", "/etc", "../other", "faces/../../x", ".env", ".git/config", "faces/.x/a.yaml", "./.*"];
        for text in refused {
            assert!(refused_entry(text).is_some(), "{text}");
        }
    }
}
