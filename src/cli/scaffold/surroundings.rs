//! The folder of a new project, and what lies around it.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use crate::cli::args::CiSystem;
use crate::face::ProjectName;
use crate::files::refuse_link;
use crate::text::visible;

/// The folder of a new project, and what lies around it.
#[derive(Debug)]
pub struct Surroundings {
    /// The folder.
    pub dir: PathBuf,
    /// The root of the git repository that it lies in, else the folder itself.
    pub repository: PathBuf,
    /// The folder seen from there, with forward slashes; empty where they are the same.
    pub below: String,
    /// The branch that is worked on, if it is one of the usual main ones.
    pub branch: &'static str,
    /// Whether there are files in `faces/`.
    pub has_faces: bool,
    cwd: PathBuf,
}

impl Surroundings {
    /// Refuses a file whose folder is a link, or lies behind one: a checkout could lead out of itself.
    ///
    /// # Errors
    /// When it does.
    pub fn refuse_links(&self, path: &Path) -> io::Result<()> {
        let folders = path.ancestors().skip(1).take_while(|folder| *folder != self.repository);
        folders.into_iter().try_for_each(refuse_link)
    }

    /// Looks around a folder, which exists.
    pub fn of(dir: &Path, cwd: &Path) -> Self {
        let dir = fs::canonicalize(dir).unwrap_or_else(|_| dir.to_owned());
        let repository = dir.ancestors().find(|folder| folder.join(".git").exists()).unwrap_or(&dir).to_owned();
        let below = dir.strip_prefix(&repository).unwrap_or(Path::new(""));
        let below: Vec<_> = below.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
        let is_yaml = |path: &Path| path.extension().is_some_and(|end| end == "yaml" || end == "yml");
        let faces = fs::read_dir(dir.join("faces"));
        let has_faces = faces.is_ok_and(|mut all| all.any(|entry| entry.is_ok_and(|entry| is_yaml(&entry.path()))));
        Self {
            below: below.join("/"),
            branch: branch(&repository),
            has_faces,
            cwd: fs::canonicalize(cwd).unwrap_or_else(|_| cwd.to_owned()),
            repository,
            dir,
        }
    }

    /// Returns where the pipeline most likely runs.
    pub fn ci(&self) -> CiSystem {
        let config = fs::read_to_string(self.repository.join(".git/config")).unwrap_or_default();
        let has_remote = |host: &str| config.lines().any(|line| line.trim().starts_with("url") && line.contains(host));
        if self.repository.join(".github").is_dir() || has_remote("github.com") {
            CiSystem::Github
        } else if self.repository.join(".gitlab-ci.yml").exists() || has_remote("gitlab.") {
            CiSystem::Gitlab
        } else {
            CiSystem::Github
        }
    }

    /// Returns a path as people read it: from where facectl runs, if it lies near.
    pub fn shown(&self, path: &Path) -> String {
        let mut up = 0;
        let mut base = self.cwd.as_path();
        while !path.starts_with(base) && up < 3 {
            up += 1;
            base = base.parent().unwrap_or(base);
        }
        let Ok(rest) = path.strip_prefix(base) else { return visible(&path.to_string_lossy()).into_owned() };
        let parts = std::iter::repeat_n("..".to_owned(), up);
        let rest = rest.components().filter(|part| matches!(part, Component::Normal(_)));
        let parts: Vec<String> =
            parts.chain(rest.map(|part| part.as_os_str().to_string_lossy().into_owned())).collect();
        if parts.is_empty() { ".".to_owned() } else { visible(&parts.join("/")).into_owned() }
    }
}

/// The usual main branches; on any other one a person is at work on something else.
fn branch(repository: &Path) -> &'static str {
    let head = fs::read_to_string(repository.join(".git/HEAD")).unwrap_or_default();
    match head.trim().strip_prefix("ref: refs/heads/") {
        Some("master") => "master",
        Some("trunk") => "trunk",
        _ => "main",
    }
}

/// Returns a project name that is as near as can be to the name of a folder.
pub fn name_for(dir: &Path) -> Option<ProjectName> {
    let folder = dir.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let plain: String = folder.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let words: Vec<&str> = plain.split('-').filter(|word| !word.is_empty()).collect();
    let name: String = words.join("-").chars().take(63).collect();
    // Nothing may be left of it; then it is at least said what is in it.
    name.trim_end_matches('-').parse().or_else(|_| "faces".parse()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_folder_has_a_name_that_a_project_can_bear() {
        for (folder, expected) in [
            ("acme-faces", "acme-faces"),
            ("Acme Faces (2026)", "acme-faces-2026"),
            ("my_project.v2", "my-project-v2"),
            ("--x--", "x"),
            ("💥", "faces"),
            ("", "faces"),
            ("123", "123"),
        ] {
            assert_eq!(
                name_for(&Path::new("/srv").join(folder)).unwrap().as_str(),
                if folder.is_empty() { "srv" } else { expected }
            );
        }
        assert_eq!(name_for(Path::new("/")).unwrap().as_str(), "faces");
        assert_eq!(name_for(&PathBuf::from(format!("/{}-b", "a".repeat(62)))).unwrap().as_str(), "a".repeat(62));
    }
}
