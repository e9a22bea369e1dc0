//! YAML as a small tree in which every key and value knows where it was written.
//!
//! # Guarantees
//! One document at a time, in bounded memory and on a bounded stack: depth, nodes, documents and what
//! aliases unfold to are limited here, before any other reader sees the text.

use std::ops::Range;

use saphyr_parser::{Event, Marker, Parser, ScanError, StrInput};

use super::builder::{Builder, DEPTH_LIMIT};
use super::diagnostic::{Diagnostic, Place};
use super::source::{Source, Span};
use super::surrogates::lone_half;

/// The most documents in one file.
const DOCUMENT_LIMIT: usize = 100_000;

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) span: Span,
    pub(super) kind: Kind,
}

/// What a value is.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    /// A text as written; `plain` if without quotes, so that it may be a number, a boolean or nothing.
    Scalar {
        text: String,
        plain: bool,
    },
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key with its value.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_span: Span,
    pub(super) value: Node,
}

impl Node {
    /// Returns the entry of a map with this key.
    pub(super) fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.kind {
            Kind::Map(entries) => entries.iter().find(|entry| entry.key == key),
            Kind::Scalar { .. } | Kind::List(_) => None,
        }
    }

    /// Returns the text of a scalar below this map.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        match &self.entry(key)?.value.kind {
            Kind::Scalar { text, .. } => Some(text),
            Kind::List(_) | Kind::Map(_) => None,
        }
    }

    /// Returns whether this stands for nothing: `~`, `null` or nothing at all.
    pub(super) fn is_null(&self) -> bool {
        matches!(&self.kind, Kind::Scalar { text, plain: true } if is_null_word(text))
    }

    /// Returns roughly what it takes in memory.
    pub(super) fn weight(&self) -> usize {
        const NODE: usize = 64;
        NODE + match &self.kind {
            Kind::Scalar { text, .. } => text.len(),
            Kind::List(items) => items.iter().map(Self::weight).sum(),
            Kind::Map(entries) => entries.iter().map(|entry| entry.key.len() + entry.value.weight()).sum(),
        }
    }
}

/// Returns whether a text without quotes means nothing (YAML 1.2, core schema).
pub(super) fn is_null_word(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

/// One document of a file.
#[derive(Debug)]
pub(super) struct Document {
    /// The value; `None` where there is nothing but comments.
    pub(super) root: Option<Node>,
    /// The bytes of the document in the readable text, whole lines, for another reader to read alone.
    pub(super) bytes: Range<usize>,
}

/// The documents of a file, one by one.
pub(super) struct Documents<'a> {
    source: &'a Source,
    parser: Parser<'a, StrInput<'a>>,
    offsets: Offsets,
    count: usize,
    is_over: bool,
}

impl<'a> Documents<'a> {
    pub(super) fn of(source: &'a Source) -> Self {
        Self {
            source,
            parser: Parser::new_from_str(source.readable()),
            offsets: Offsets::of(source.readable()),
            count: 0,
            is_over: false,
        }
    }

    /// Returns the next document, or `None` at the end or after an error that leaves nothing to go on with.
    pub(super) fn next(&mut self, out: &mut Vec<Diagnostic>) -> Option<Document> {
        if self.is_over {
            return None;
        }
        match self.read_document(out) {
            Ok(Some(document)) => Some(document),
            Ok(None) => {
                self.is_over = true;
                None
            }
            Err(diagnostic) => {
                self.is_over = true;
                out.push(*diagnostic);
                None
            }
        }
    }

    fn read_document(&mut self, out: &mut Vec<Diagnostic>) -> Result<Option<Document>, Box<Diagnostic>> {
        let mut builder: Option<(Builder<'a, '_>, usize)> = None;
        let source = self.source;
        // Moved in and out, as a builder keeps it for the length of one document.
        let mut out = Some(out);
        loop {
            let (event, span) = match self.parser.next_event() {
                None => return Ok(None),
                Some(Err(error)) => return Err(Box::new(self.syntax(&error))),
                Some(Ok(next)) => next,
            };
            let read = self.offsets.span(span.start, span.end, source.readable());
            let span = Span::new(source.origin(read.start as usize), source.origin(read.end as usize));
            match event {
                Event::StreamEnd => return Ok(None),
                Event::DocumentStart(_) => {
                    self.count += 1;
                    if self.count > DOCUMENT_LIMIT {
                        let message = format!("more than {DOCUMENT_LIMIT} documents in one file");
                        return Err(Box::new(Diagnostic::error("facectl::too-many", source.place(span), message)));
                    }
                    if let Some(out) = out.take() {
                        let start = source.readable()[..read.start as usize].rfind('\n').map_or(0, |at| at + 1);
                        builder = Some((Builder::new(source, out), start));
                    }
                }
                Event::DocumentEnd => {
                    let Some((builder, start)) = builder.take() else { continue };
                    let end = (read.start as usize).max(start);
                    return Ok(Some(Document { root: builder.finish(), bytes: start..end }));
                }
                event => {
                    if let Some((builder, _)) = &mut builder {
                        builder.take(event, span)?;
                    }
                }
            }
        }
    }

    fn syntax(&self, error: &ScanError) -> Diagnostic {
        let text = self.source.text();
        let at = self.source.origin(self.offsets.byte(error.marker()).min(self.source.readable().len()));
        let width = text[at..].chars().next().filter(|c| *c != '\n').map_or(0, char::len_utf8);
        let place = self.source.place(Span::new(at, at + width));
        let line_start = text[..at].rfind('\n').map_or(0, |at| at + 1);
        let line = text[line_start..].lines().next().unwrap_or_default();
        let indent: String = line.chars().take_while(|c| c.is_whitespace()).collect();
        let info = error.info();
        if info.contains("recursion limit") {
            return too_deep(place);
        }
        // The parser says where the text in quotes begins.
        if let Some((at, half)) = lone_half(text, at).filter(|_| info.contains("Unicode character escape")) {
            let place = self.source.place(Span::new(at, at + half.len()));
            let message = format!("`{half}` is half of a character, and its other half does not stand beside it");
            return Diagnostic::error("facectl::syntax", place, message).help(
                "a character beyond U+FFFF is written as itself, as `\\U0001F600`, or as both halves: `\\ud83d\\ude00`",
            );
        }
        if indent.contains('\t') {
            let place = self.source.place(Span::new(line_start, line_start + indent.len()));
            return Diagnostic::error("facectl::syntax", place, "this line is indented with a tab")
                .help("YAML is indented with spaces only; replace the tab by spaces");
        }
        let help = if info.contains("mapping values are not allowed") {
            "a value that contains `: ` must stand in quotes; check the indentation as well"
        } else if info.contains("anchor") {
            "an alias `*name` needs an anchor `&name` before it in the same document"
        } else if info.contains("simple key") || info.contains("expected ':'") {
            "a field is written `name: value`, with a blank after the colon"
        } else if info.contains("quoted scalar") {
            "a quote was opened and not closed"
        } else {
            "check the indentation, quotes and brackets on this line and the one before"
        };
        Diagnostic::error("facectl::syntax", place, format!("this is not valid YAML: {info}")).help(help)
    }
}

pub(super) fn too_deep(place: Place) -> Diagnostic {
    Diagnostic::error("facectl::too-deep", place, format!("nested deeper than {DEPTH_LIMIT} levels"))
        .help("a manifest needs five levels at most")
}

/// From the parser's places, which count characters, to bytes.
pub(super) struct Offsets(Option<Vec<u32>>);

impl Offsets {
    pub(super) fn of(text: &str) -> Self {
        if text.is_ascii() {
            return Self(None);
        }
        Self(Some(text.char_indices().map(|(at, _)| Span::new(at, at).start).collect()))
    }

    pub(super) fn byte(&self, marker: &Marker) -> usize {
        match &self.0 {
            None => marker.index(),
            Some(table) => table.get(marker.index()).map_or(usize::MAX, |at| *at as usize),
        }
    }

    /// Returns the bytes between two marks, less blanks at the end, which belong to no value.
    fn span(&self, start: Marker, end: Marker, text: &str) -> Span {
        let start = self.byte(&start).min(text.len());
        let end = self.byte(&end).min(text.len()).max(start);
        Span::new(start, start + text[start..end].trim_end().len())
    }
}
