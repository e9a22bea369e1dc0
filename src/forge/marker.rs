//! The hidden line that tells our comment or issue from everybody else's, and one run's from another's.
//!
//! ```text
//! <!-- facectl:comment project=acme run=1234.1 commit=0a1b2c3 digest=0123456789abcdef -->
//! ```
//!
//! It is the first line, alone. Anywhere else it is somebody's text: a face may be called like that.

use std::fmt;

use crate::face::ProjectName;

use super::Commit;

/// What the line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker {
    /// Comment or issue.
    pub kind: MarkerKind,
    /// Whose it is.
    pub project: ProjectName,
    /// Which run wrote it.
    pub run: Option<Run>,
    /// Which commit it speaks about.
    pub commit: Option<Commit>,
    /// What the text says, as a short hash: whether it says something new.
    pub digest: String,
}

/// What the line stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkerKind {
    /// The comment of a pull request.
    Comment,
    /// An issue.
    Issue,
}

/// A run of a pipeline. Those of one repository are in order: the later, the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Run {
    /// Its number.
    pub id: u64,
    /// How often it was started again.
    pub attempt: u64,
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.id, self.attempt)
    }
}

impl MarkerKind {
    fn word(self) -> &'static str {
        match self {
            Self::Comment => "comment",
            Self::Issue => "issue",
        }
    }
}

impl Marker {
    /// Reads the marker of a text, if it has one.
    pub fn read(text: &str) -> Option<Self> {
        let line = text.lines().next()?.trim_end();
        let mut words = line.strip_prefix("<!-- facectl:")?.strip_suffix(" -->")?.split(' ');
        let kind = match words.next()? {
            "comment" => MarkerKind::Comment,
            "issue" => MarkerKind::Issue,
            _ => return None,
        };
        let (mut project, mut run, mut commit, mut digest) = (None, None, None, String::new());
        for (name, value) in words.filter_map(|word| word.split_once('=')) {
            match name {
                "project" => project = value.parse().ok(),
                "run" => run = parse_run(value),
                "commit" => commit = value.parse().ok(),
                "digest" => value.clone_into(&mut digest),
                // A later version may say more.
                _ => {}
            }
        }
        Some(Self { kind, project: project?, run, commit, digest })
    }

    /// Returns whether both stand for the same thing.
    pub(super) fn is_of(&self, other: &Self) -> bool {
        self.kind == other.kind && self.project == other.project
    }
}

fn parse_run(text: &str) -> Option<Run> {
    let (id, attempt) = text.split_once('.')?;
    Some(Run { id: id.parse().ok()?, attempt: attempt.parse().ok()? })
}

impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, project, run, commit, digest } = self;
        write!(f, "<!-- facectl:{} project={project}", kind.word())?;
        if let Some(run) = run {
            write!(f, " run={run}")?;
        }
        if let Some(commit) = commit {
            write!(f, " commit={commit}")?;
        }
        write!(f, " digest={digest} -->")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marker() -> Marker {
        Marker {
            kind: MarkerKind::Comment,
            project: "acme".parse().unwrap(),
            run: Some(Run { id: 12, attempt: 2 }),
            commit: Some("0a1b2c3".parse().unwrap()),
            digest: "0123456789abcdef".into(),
        }
    }

    #[test]
    fn a_marker_is_read_as_it_was_written_whatever_follows_it() {
        for marker in [marker(), Marker { run: None, commit: None, kind: MarkerKind::Issue, ..marker() }] {
            for rest in ["", "\n\n# Plan\n", "\r\n\r\n# Plan"] {
                assert_eq!(Marker::read(&format!("{marker}{rest}")).as_ref(), Some(&marker), "{marker}{rest:?}");
            }
        }
    }

    #[test]
    fn what_is_not_the_whole_first_line_is_no_marker() {
        let line = marker().to_string();
        for text in [
            format!("\n{line}"),
            format!("look: {line}"),
            format!("> {line}"),
            format!("{line} and more"),
            line.replace("project=acme", "project=a<b"),
            line.replace("comment", "else"),
            line.replace(" project=acme", ""),
            String::new(),
        ] {
            assert_eq!(Marker::read(&text), None, "{text:?}");
        }
    }

    #[test]
    fn a_later_run_and_a_later_attempt_are_greater() {
        let run = |id, attempt| Some(Run { id, attempt });
        assert!(run(2, 1) > run(1, 9) && run(2, 2) > run(2, 1) && run(1, 1) > None);
    }
}
