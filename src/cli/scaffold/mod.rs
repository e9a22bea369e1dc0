//! What `init` writes. Whatever exists is kept: not a byte of a file that somebody wrote is changed, lines are only
//! added to `.gitignore` and `.gitattributes`.

mod disk;
mod pipeline;
mod surroundings;

use std::path::PathBuf;

use crate::face::{Model, ProjectName};
use crate::manifest::PROJECT_FILE;
use crate::manifest::schemas::{face_schema, project_schema};

use super::args::CiSystem;
use super::error::CliError;

use pipeline::Pipeline;
pub use surroundings::{Surroundings, name_for};

/// A project to begin.
#[derive(Debug)]
pub struct Scaffold<'a> {
    /// Its name.
    pub name: &'a ProjectName,
    /// The model that faces are trained for unless they say otherwise.
    pub model: Model,
    /// Where its pipeline runs.
    pub ci: CiSystem,
    /// Its folder, and what lies around it.
    pub surroundings: &'a Surroundings,
}

/// What was done about one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The file, seen from where facectl runs.
    pub path: String,
    /// What was done.
    pub what: What,
}

/// What was done about a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// It is new.
    Wrote,
    /// It was there, and has a line more now.
    Added(&'static str),
    /// It was there, and is as it was.
    Kept,
}

/// What is to be in a file.
enum Piece {
    /// The whole of it.
    File(PathBuf, String),
    /// A line, unless one of those that begin like this is there.
    Line(PathBuf, &'static str, &'static [&'static str]),
}

impl Scaffold<'_> {
    /// Writes what is not there yet.
    ///
    /// # Errors
    /// When a file cannot be written. Those before it have been written, and are kept when it is run again.
    pub fn write(&self) -> Result<Vec<Written>, CliError> {
        let mut done: Vec<Written> = Vec::new();
        if self.surroundings.has_faces {
            let path = self.surroundings.shown(&self.surroundings.dir.join("faces"));
            done.push(Written { path: format!("{path}/"), what: What::Kept });
        }
        for piece in self.pieces() {
            let (Piece::File(path, _) | Piece::Line(path, _, _)) = &piece;
            let result = self.surroundings.refuse_links(path).and_then(|()| match &piece {
                Piece::File(path, text) => disk::create(path, text),
                Piece::Line(path, line, same) => disk::add_line(path, line, same),
            });
            let shown = self.surroundings.shown(path);
            let what = result.map_err(|error| {
                let count = done.iter().filter(|written| written.what != What::Kept).count();
                let so_far = match count {
                    0 => "nothing was written".to_owned(),
                    count => format!("{count} written before it, and nothing else changed"),
                };
                CliError::caused(format!("cannot write {shown}; {so_far}"), &error)
                    .hint("is the folder writable? What is there is kept when `facectl init` runs again")
            })?;
            done.push(Written { path: shown, what });
        }
        Ok(done)
    }

    fn pieces(&self) -> Vec<Piece> {
        let dir = &self.surroundings.dir;
        let pretty = |schema| serde_json::to_string_pretty(&schema).map(|text| text + "\n").unwrap_or_default();
        let mut pieces = vec![
            Piece::File(dir.join(PROJECT_FILE), self.fill(include_str!("templates/project.yaml"))),
            Piece::File(dir.join("schemas/project.v1.json"), pretty(project_schema())),
            Piece::File(dir.join("schemas/face.v1.json"), pretty(face_schema())),
            Piece::Line(dir.join(".gitignore"), ".facectl/", &[".facectl", "/.facectl", "**/.facectl"]),
            Piece::Line(dir.join(".gitattributes"), "facectl.lock.yaml merge=union", &["facectl.lock.yaml"]),
        ];
        // Whoever has faces needs no example.
        if !self.surroundings.has_faces {
            let face = self.fill(include_str!("templates/face.yaml"));
            pieces.insert(1, Piece::File(dir.join("faces/ana.yaml"), face));
        }
        pieces.extend(self.pipeline());
        pieces
    }

    fn pipeline(&self) -> Vec<Piece> {
        let Surroundings { repository, below, branch, .. } = self.surroundings;
        let pipeline = Pipeline { name: self.name, below, branch };
        let files = match self.ci {
            CiSystem::None => Vec::new(),
            CiSystem::Github => pipeline.github(),
            CiSystem::Gitlab => {
                let mut files = pipeline.gitlab();
                let file = files.first().map(|(file, _)| file.clone()).unwrap_or_default();
                let include = include_str!("templates/gitlab-ci.yml");
                files.push((".gitlab-ci.yml".into(), include.replace("__FILE__", &file.to_string_lossy())));
                files
            }
        };
        files.into_iter().map(|(file, text)| Piece::File(repository.join(file), text)).collect()
    }

    fn fill(&self, template: &str) -> String {
        // `2026` and `null` are names that YAML takes for something else.
        let project = crate::yaml::scalar(self.name.as_str());
        template.replace("__PROJECT__", &project).replace("__MODEL__", self.model.as_str())
    }
}
