//! What is wrong with what a person wrote, and where.

use std::ops::Range;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::text::visible;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nothing is planned until it is put right.
    Error,
    /// Worth knowing; the load goes on.
    Warning,
}

/// A stretch of a file. Lines and columns count from 1, columns in characters; the end is exclusive.
///
/// Where a whole file or folder is meant, line and column are 0 and there is no span.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file as it is shown to people: relative to where facectl runs if it lies below; `-` for standard input.
    pub file: Arc<str>,
    /// The first line, or 0.
    pub line: usize,
    /// The first column, or 0.
    pub column: usize,
    /// The last line, or 0.
    pub end_line: usize,
    /// The column after the last, or 0.
    pub end_column: usize,
    /// The bytes in the source, without a byte order mark.
    pub span: Option<(usize, usize)>,
}

impl Place {
    /// Returns the place that stands for a whole file or folder.
    pub fn whole(file: impl Into<Arc<str>>) -> Self {
        Self { file: file.into(), line: 0, column: 0, end_line: 0, end_column: 0, span: None }
    }

    /// Returns lines and columns, where a part of a file is meant: a program must not take "the whole file" for a line 0
    /// that no editor has.
    fn numbers(&self) -> (Option<usize>, Option<usize>, Option<usize>, Option<usize>) {
        let Self { file: _, line, column, end_line, end_column, span } = self;
        let number = |value: &usize| span.map(|_| *value);
        (number(line), number(column), number(end_line), number(end_column))
    }

    /// Returns the bytes meant, where a part of a file is meant.
    pub fn bytes(&self) -> Option<Range<usize>> {
        self.span.map(|(start, end)| start..end)
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.span {
            Some(_) => write!(f, "{}:{}:{}", visible(&self.file), self.line, self.column),
            None => f.write_str(&visible(&self.file)),
        }
    }
}

/// One thing that is wrong, said so that it can be put right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// A stable word for programs and searches, such as `facectl::unknown-field`.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// Where.
    pub place: Place,
    /// Other places that have a part in it, each with what it is.
    pub related: Vec<(Place, String)>,
    /// What is wrong, on one line. Never holds a link's query or the value of a variable.
    pub message: String,
    /// What would be right.
    pub help: Option<String>,
    /// Whether the line it speaks of is not to be shown: the file is not ours, and may hold anybody's secrets.
    pub hides_line: bool,
}

impl Diagnostic {
    pub(super) fn error(code: &'static str, place: Place, message: impl Into<String>) -> Self {
        // It quotes keys, tags and values of a file that may be a stranger's.
        let message = visible(&message.into()).into_owned();
        Self { code, severity: Severity::Error, place, related: Vec::new(), message, help: None, hides_line: false }
    }

    pub(super) fn warning(code: &'static str, place: Place, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, place, message) }
    }

    #[must_use]
    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(visible(&help.into()).into_owned());
        self
    }

    #[must_use]
    pub(super) fn help_if(self, help: Option<String>) -> Self {
        match help {
            Some(help) => self.help(help),
            None => self,
        }
    }

    /// The same, without the line it speaks of, wherever it is shown.
    #[must_use]
    pub(super) fn hiding_its_line(mut self) -> Self {
        self.hides_line = true;
        self
    }

    #[must_use]
    pub(super) fn related(mut self, place: Place, what: impl Into<String>) -> Self {
        self.related.push((place, visible(&what.into()).into_owned()));
        self
    }
}

/// Sorts by file, line and column, and drops exact repetitions.
pub(super) fn sort(diagnostics: &mut Vec<Diagnostic>) {
    diagnostics.sort_by(|a, b| (&a.place, a.code, &a.message).cmp(&(&b.place, b.code, &b.message)));
    diagnostics.dedup();
}

/// Returns the diagnostics for programs: a list of objects whose fields are always all there.
pub fn to_json(diagnostics: &[Diagnostic]) -> Value {
    let all: Vec<DiagnosticDocument<'_>> = diagnostics.iter().map(DiagnosticDocument::of).collect();
    // It fails only for maps whose keys are no text; these have none.
    serde_json::to_value(all).unwrap_or_default()
}

/// One thing that is wrong, as programs read it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Diagnostic")]
pub struct DiagnosticDocument<'a> {
    /// How bad it is.
    severity: Severity,
    /// A stable word for programs and searches, such as `facectl::unknown-field`.
    code: &'static str,
    /// The file, relative to where facectl runs if it lies below; `-` for standard input.
    file: &'a str,
    /// The first line, from 1; null where the whole file is meant, as are the three numbers below.
    line: Option<usize>,
    /// The first column, from 1, in characters.
    column: Option<usize>,
    /// The last line.
    end_line: Option<usize>,
    /// The column after the last.
    end_column: Option<usize>,
    /// What is wrong. Never holds a link's query or the value of a variable.
    message: &'a str,
    /// What would be right.
    help: Option<&'a str>,
    /// Other places that have a part in it.
    related: Vec<RelatedPlace<'a>>,
}

/// Another place that has a part in a problem.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct RelatedPlace<'a> {
    /// The file.
    file: &'a str,
    /// The first line, from 1; null where the whole file is meant, as are the three numbers below.
    line: Option<usize>,
    /// The first column, from 1, in characters.
    column: Option<usize>,
    /// The last line.
    end_line: Option<usize>,
    /// The column after the last.
    end_column: Option<usize>,
    /// What it is.
    message: &'a str,
}

impl<'a> DiagnosticDocument<'a> {
    /// Returns how bad it is.
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// Returns it on one line: `faces/ana.yaml:3:5: unknown field`.
    pub fn line(&self) -> String {
        let place = match (self.line, self.column) {
            (Some(line), Some(column)) => format!("{}:{line}:{column}", visible(self.file)),
            _ => visible(self.file).into_owned(),
        };
        format!("{place}: {}", self.message)
    }

    /// Returns one problem for programs.
    pub fn of(diagnostic: &'a Diagnostic) -> Self {
        // In full, so that a new field cannot be forgotten here.
        let Diagnostic { code, severity, place, related, message, help, hides_line: _ } = diagnostic;
        let (line, column, end_line, end_column) = place.numbers();
        let related = related.iter().map(|(place, message)| {
            let (line, column, end_line, end_column) = place.numbers();
            RelatedPlace { file: &place.file, line, column, end_line, end_column, message }
        });
        Self {
            severity: *severity,
            code,
            file: &place.file,
            line,
            column,
            end_line,
            end_column,
            message,
            help: help.as_deref(),
            related: related.collect(),
        }
    }
}

/// Returns the candidate that a mistyped word most likely means, if one is near.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = word.to_lowercase().replace(['-', '.'], "_");
    candidates
        .into_iter()
        .map(|candidate| {
            let plain = candidate.to_lowercase().replace(['-', '.'], "_");
            (strsim::jaro_winkler(&wanted, &plain), strsim::damerau_levenshtein(&wanted, &plain), candidate)
        })
        .filter(|(likeness, edits, candidate)| *likeness > 0.85 || *edits <= 1.max(candidate.len() / 5))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, _, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_a_different_word_is_not() {
        let fields = ["face_name", "model_name", "train_video_url", "train_image_url", "voice_name", "lifecycle"];
        for (slip, meant) in [
            ("train_video_ulr", Some("train_video_url")),
            ("trainVideoUrl", Some("train_video_url")),
            ("face-name", Some("face_name")),
            ("lifecyle", Some("lifecycle")),
            ("Model_Name", Some("model_name")),
            ("consent", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(slip, fields), meant, "{slip}");
        }
        assert_eq!(nearest("v1", ["facectl.dev/v1"]), None);
        assert_eq!(nearest("apps/v1", ["facectl.dev/v1"]), None);
    }
}
