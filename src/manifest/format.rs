//! One look for all manifests, with every comment kept.
//!
//! ```text
//! files.rs     which files are meant
//! layout.rs    a text in, the same text laid out;  comments.rs: each comment in its place
//! write.rs     a file replaced as a whole, or not at all
//! ```
//!
//! # Guarantees
//! A library (pretty_yaml) proposes, and this room disposes: a text whose values, comments or order of fields would
//! not be the same afterwards, judged by two other readers, is refused and its file left alone. Laying out twice is
//! the same as once. Only files that hold nothing but our two kinds are touched, and only if something changes.

mod comments;
mod files;
mod layout;
mod write;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::diagnostic::{Diagnostic, Place, sort};
use super::discover::{Found, Met};
use super::foreign::{is_foreign, looks_like_ours, mentions_us, not_ours};
use super::source::{self, Source, Sources};
use super::tree::{Document, Documents};

pub use layout::IGNORE;
use layout::Trouble;

/// What to lay out.
pub struct FormatRequest {
    /// Files, folders and patterns, seen from `cwd`, or `-` alone for standard input. Empty: the project file and what
    /// it names, else `cwd`.
    pub paths: Vec<String>,
    /// The project file (`--project-file`); `None`: it is looked for.
    pub project_file: Option<PathBuf>,
    /// Where facectl runs.
    pub cwd: PathBuf,
    /// Standard input; read only if `-` is named.
    pub stdin: Box<dyn io::Read>,
    /// Whether files that change are written.
    pub is_written: bool,
}

impl fmt::Debug for FormatRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { paths, project_file, cwd, stdin: _, is_written } = self;
        f.debug_struct("FormatRequest")
            .field("paths", paths)
            .field("project_file", project_file)
            .field("cwd", cwd)
            .field("is_written", is_written)
            .finish_non_exhaustive()
    }
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Formatted {
    /// Every file that was looked at, by name.
    pub files: Vec<FormattedFile>,
    /// What went wrong, and what was left out. Files with errors were left as they are.
    pub diagnostics: Vec<Diagnostic>,
    /// The texts that the diagnostics speak of.
    pub sources: Sources,
}

/// What came of one file.
#[derive(Debug)]
pub struct FormattedFile {
    /// The name as it is shown to people; `-` for standard input.
    pub name: Arc<str>,
    /// What came of it.
    pub fate: Fate,
}

/// What came of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is as it should be.
    Unchanged {
        /// The text.
        text: String,
    },
    /// It looks otherwise now, or would. May hold signed links: for files, not for showing.
    Changed {
        /// The text as it was.
        before: String,
        /// The text as it is to be.
        after: String,
    },
    /// It is another tool's.
    LeftAlone {
        /// The text.
        text: String,
    },
    /// Something is wrong with it: see the diagnostics.
    Failed,
}

impl Fate {
    /// Returns the text as it is to be; none where something is wrong with it. May hold signed links.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Unchanged { text } | Self::LeftAlone { text } | Self::Changed { before: _, after: text } => {
                Some(text)
            }
            Self::Failed => None,
        }
    }
}

/// Lays out manifests, and writes those that change if that is asked for.
pub fn format(request: FormatRequest) -> Formatted {
    let FormatRequest { paths, project_file, cwd, stdin, is_written } = request;
    let mut formatted = Formatted::default();
    let mut stdin = Some(stdin);
    for found in files::files(&paths, project_file, &cwd, &mut formatted.diagnostics) {
        let fate = formatted.one(&found, &mut stdin, is_written);
        formatted.files.push(FormattedFile { name: found.name, fate });
    }
    sort(&mut formatted.diagnostics);
    formatted
}

impl Formatted {
    fn one(&mut self, found: &Found, stdin: &mut Option<Box<dyn io::Read>>, is_written: bool) -> Fate {
        let fate = match read(found, stdin) {
            Ok((source, text)) => self.text(found, source, text),
            Err(diagnostic) => Err(diagnostic),
        };
        let fate = fate.and_then(|fate| match (&fate, &found.path) {
            (Fate::Changed { before, after }, Some(path)) if is_written => {
                write::replace(path, &found.name, before, after).map(|()| fate)
            }
            _ => Ok(fate),
        });
        fate.unwrap_or_else(|diagnostic| {
            self.diagnostics.push(*diagnostic);
            Fate::Failed
        })
    }

    fn text(&mut self, found: &Found, source: Source, text: String) -> Result<Fate, Box<Diagnostic>> {
        // In a folder another tool's file may be a template that is no YAML at all.
        if found.by == Met::Found && !looks_like_ours(source.text()) {
            return Ok(Fate::LeftAlone { text });
        }
        let mut out = Vec::new();
        let documents: Vec<Document> = documents(&source, &mut out);
        let roots = || documents.iter().filter_map(|document| document.root.as_ref());
        let foreign = roots().find(|root| is_foreign(root));
        if let Some(root) = foreign {
            let place = source.place(super::typed::first_key(root));
            if roots().any(|root| !is_foreign(root)) {
                let message = "left as it is: this document is another tool's";
                self.diagnostics.push(
                    Diagnostic::warning("facectl::not-ours", place, message)
                        .help("only files that hold nothing but faces, or the project, are laid out")
                        .hiding_its_line(),
                );
                self.sources.add(source);
            } else if found.by != Met::Found {
                self.diagnostics.push(not_ours(Place { span: None, ..place }, Met::Found));
            }
            return Ok(Fate::LeftAlone { text });
        }
        if !out.is_empty() {
            if found.by != Met::Named && !mentions_us(source.text()) && roots().next().is_none() {
                out.iter_mut().for_each(|one| one.hides_line = true);
            }
            self.diagnostics.append(&mut out);
            self.sources.add(source);
            return Ok(Fate::Failed);
        }
        // Nothing but comments, or nothing at all: it is nobody's.
        if roots().next().is_none() {
            return Ok(Fate::LeftAlone { text });
        }
        match layout::lay_out(&text, &source, &documents) {
            Ok(after) if after == text => Ok(Fate::Unchanged { text }),
            Ok(after) => Ok(Fate::Changed { before: text, after }),
            Err(trouble) => Err(refused(&found.name, trouble)),
        }
    }
}

fn documents(source: &Source, out: &mut Vec<Diagnostic>) -> Vec<Document> {
    let mut reader = Documents::of(source);
    std::iter::from_fn(|| reader.next(out)).collect()
}

fn read(found: &Found, stdin: &mut Option<Box<dyn io::Read>>) -> Result<(Source, String), Box<Diagnostic>> {
    match (&found.path, stdin.take()) {
        (Some(path), kept) => {
            *stdin = kept;
            source::read_file_as_it_is(path, &found.name)
        }
        (None, Some(stdin)) => source::read_as_it_is(stdin, &found.name),
        (None, None) => source::read_as_it_is(io::empty(), &found.name),
    }
}

fn refused(name: &Arc<str>, trouble: Trouble) -> Box<Diagnostic> {
    let message = match trouble {
        Trouble::Unread(why) => format!("left as it is: the formatter cannot read it ({why})"),
        Trouble::Meaning => "left as it is: laying it out would change what it says".to_owned(),
        Trouble::Comments => "left as it is: laying it out would lose or move a comment".to_owned(),
        Trouble::Restless => "left as it is: laying it out does not come to an end".to_owned(),
    };
    let help = "write it more plainly: one field a line, comments on lines of their own or behind a value";
    Box::new(Diagnostic::error("facectl::format", Place::whole(Arc::clone(name)), message).help(help))
}

/// Returns whether a path is the project file or the lock file by its name.
fn is_called(path: &Path, name: &str) -> bool {
    path.file_name().is_some_and(|own| own == name)
}
