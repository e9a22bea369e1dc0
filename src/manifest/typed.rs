//! From a checked document to a typed one, by `serde_yaml`.
//!
//! A document without a mistake is read by `serde_yaml` from its text, and the result must equal what the
//! spanned tree says. The two rest on parsers that share no code, so a text that YAML libraries read
//! differently is refused rather than paid for in the wrong reading.

use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};
use serde_yaml::Value as Yaml;

use super::diagnostic::Diagnostic;
use super::source::{Source, Span};
use super::tree::{Document, Kind, Node};

const PLAINLY: &str = "write it more plainly: one field a line, texts in quotes, no unusual blanks or line breaks";

/// Returns the typed document: from its text if it `is_clean`, else from what the walk has kept of it.
pub(super) fn read<T: DeserializeOwned + PartialEq>(
    source: &Source,
    document: &Document,
    root: &Node,
    kept: Yaml,
    is_clean: bool,
    out: &mut Vec<Diagnostic>,
) -> Option<T> {
    let from_tree: T = match serde_path_to_error::deserialize(kept) {
        Ok(typed) => typed,
        Err(error) => {
            let (path, error) = (error.path().clone(), error.into_inner());
            out.push(refused(source, root, &path, &error));
            return None;
        }
    };
    if !is_clean {
        return Some(from_tree);
    }
    let text = source.readable().get(document.bytes.clone()).unwrap_or_default();
    match serde_path_to_error::deserialize::<_, T>(serde_yaml::Deserializer::from_str(text)) {
        Ok(from_text) if from_text == from_tree => Some(from_text),
        Ok(_) => {
            let place = source.place(first_key(root));
            out.push(
                Diagnostic::error(
                    "facectl::ambiguous",
                    place,
                    "YAML libraries do not agree on what this document says",
                )
                .help(PLAINLY),
            );
            None
        }
        Err(error) => {
            let (path, error) = (error.path().clone(), error.into_inner());
            out.push(refused(source, root, &path, &error));
            None
        }
    }
}

fn refused(source: &Source, root: &Node, path: &Path, error: &serde_yaml::Error) -> Diagnostic {
    let message = error.to_string();
    // Its own place counts from the start of the document, so it would mislead.
    let message = message.split(" at line ").next().unwrap_or(&message);
    let message = crate::face::redact_links(message);
    Diagnostic::error("facectl::syntax", source.place(at(root, path)), format!("this cannot be read: {message}"))
        .help(PLAINLY)
}

fn at(root: &Node, path: &Path) -> Span {
    let mut node = root;
    let mut span = first_key(root);
    for segment in path.iter() {
        let next = match (segment, &node.kind) {
            (Segment::Map { key }, _) => node.entry(key).map(|entry| (&entry.value, entry.key_span)),
            (Segment::Seq { index }, Kind::List(items)) => items.get(*index).map(|item| (item, item.span)),
            _ => None,
        };
        let Some((inner, place)) = next else { break };
        (node, span) = (inner, place);
    }
    span
}

/// The first key of a document, or its first value.
pub(super) fn first_key(root: &Node) -> Span {
    match &root.kind {
        Kind::Map(entries) => entries.first().map_or(root.span, |entry| entry.key_span),
        Kind::List(items) => items.first().map_or(root.span, |item| item.span),
        Kind::Scalar { .. } => root.span,
    }
}
