//! What is wrong with what a person wrote, and where.

use std::ops::Range;
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Value, json};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
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

    /// Returns the bytes meant, where a part of a file is meant.
    pub fn bytes(&self) -> Option<Range<usize>> {
        self.span.map(|(start, end)| start..end)
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.span {
            Some(_) => write!(f, "{}:{}:{}", self.file, self.line, self.column),
            None => f.write_str(&self.file),
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
    /// What is wrong. Never holds a link's query or the value of a variable.
    pub message: String,
    /// What would be right.
    pub help: Option<String>,
}

impl Diagnostic {
    pub(super) fn error(code: &'static str, place: Place, message: impl Into<String>) -> Self {
        Self { code, severity: Severity::Error, place, related: Vec::new(), message: message.into(), help: None }
    }

    pub(super) fn warning(code: &'static str, place: Place, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, place, message) }
    }

    #[must_use]
    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    #[must_use]
    pub(super) fn help_if(mut self, help: Option<String>) -> Self {
        self.help = help.or(self.help);
        self
    }

    #[must_use]
    pub(super) fn related(mut self, place: Place, what: impl Into<String>) -> Self {
        self.related.push((place, what.into()));
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
    diagnostics.iter().map(one_to_json).collect()
}

fn one_to_json(diagnostic: &Diagnostic) -> Value {
    let Diagnostic { code, severity, place, related, message, help } = diagnostic;
    let related: Vec<Value> = related
        .iter()
        .map(|(place, what)| {
            let mut object = place_to_json(place);
            object.insert("message".into(), json!(what));
            Value::Object(object)
        })
        .collect();
    let mut object = serde_json::Map::new();
    object.insert("severity".into(), json!(severity));
    object.insert("code".into(), json!(code));
    object.extend(place_to_json(place));
    object.insert("message".into(), json!(message));
    object.insert("help".into(), json!(help));
    object.insert("related".into(), json!(related));
    Value::Object(object)
}

fn place_to_json(place: &Place) -> serde_json::Map<String, Value> {
    let Place { file, line, column, end_line, end_column, span } = place;
    // A program must not take "the whole file" for a line 0 that no editor has.
    let number = |value: &usize| span.map(|_| *value);
    let mut object = serde_json::Map::new();
    object.insert("file".into(), json!(**file));
    object.insert("line".into(), json!(number(line)));
    object.insert("column".into(), json!(number(column)));
    object.insert("end_line".into(), json!(number(end_line)));
    object.insert("end_column".into(), json!(number(end_column)));
    object
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
