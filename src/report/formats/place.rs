//! Where a file is, as a forge names it.

use std::path::{Component, Path, PathBuf};

/// What paths are relative to.
#[derive(Debug, Clone)]
pub struct Roots {
    /// Where facectl runs: what paths in reports are relative to.
    pub current: PathBuf,
    /// The top of the repository: what a forge takes paths to be relative to.
    pub repository: PathBuf,
}

impl Roots {
    /// Returns a path as a forge names it, from the top of the repository and with slashes; none where it lies outside,
    /// or is no file at all.
    pub fn within(&self, file: &str) -> Option<String> {
        if file == "-" || file.is_empty() {
            return None;
        }
        let whole = without_dots(&self.current.join(file));
        let below = whole.strip_prefix(&self.repository).ok()?;
        let parts: Option<Vec<&str>> = below.components().map(|part| part.as_os_str().to_str()).collect();
        parts.filter(|parts| !parts.is_empty()).map(|parts| parts.join("/"))
    }
}

/// Takes `.` and `..` out, without a look at the disk.
fn without_dots(path: &Path) -> PathBuf {
    let mut whole = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                whole.pop();
            }
            part => whole.push(part),
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_named_from_the_top_of_the_repository_and_nothing_outside_of_it_is() {
        let roots = Roots { current: "/work/repo/prod".into(), repository: "/work/repo".into() };
        for (file, named) in [
            ("faces/a.yaml", Some("prod/faces/a.yaml")),
            ("./faces/../b.yaml", Some("prod/b.yaml")),
            ("../shared/a.yaml", Some("shared/a.yaml")),
            ("/work/repo/x.yaml", Some("x.yaml")),
            ("../../secret.yaml", None),
            ("/etc/passwd", None),
            ("-", None),
        ] {
            assert_eq!(roots.within(file).as_deref(), named, "{file}");
        }
    }
}
