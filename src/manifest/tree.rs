//! YAML as a small tree in which every key and value knows where it was written.
//!
//! # Guarantees
//! One document at a time, in bounded memory and on a bounded stack: depth, nodes, documents and what
//! aliases unfold to are limited here, before any other reader sees the text.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::ops::Range;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, StrInput, Tag};

use super::diagnostic::{Diagnostic, Place};
use super::source::{Source, Span};

/// The deepest nesting. A manifest needs five levels.
const DEPTH_LIMIT: usize = 64;
/// The most documents in one file.
const DOCUMENT_LIMIT: usize = 100_000;
/// The most values in one document.
const NODE_LIMIT: usize = 100_000;
/// What all aliases of one document may unfold to, in bytes.
const ALIAS_LIMIT: usize = 1024 * 1024;

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

    fn weight(&self) -> usize {
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
    /// The bytes of the document, whole lines, for another reader to read alone.
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
            parser: Parser::new_from_str(source.text()),
            offsets: Offsets::of(source.text()),
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
            let span = self.offsets.span(span.start, span.end, source.text());
            match event {
                Event::StreamEnd => return Ok(None),
                Event::DocumentStart(_) => {
                    self.count += 1;
                    if self.count > DOCUMENT_LIMIT {
                        let message = format!("more than {DOCUMENT_LIMIT} documents in one file");
                        return Err(Box::new(Diagnostic::error("facectl::too-many", source.place(span), message)));
                    }
                    if let Some(out) = out.take() {
                        let start = source.text()[..span.start as usize].rfind('\n').map_or(0, |at| at + 1);
                        builder = Some((Builder::new(source, out), start));
                    }
                }
                Event::DocumentEnd => {
                    let Some((builder, start)) = builder.take() else { continue };
                    let end = (span.start as usize).max(start);
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
        let at = self.offsets.byte(error.marker()).min(text.len());
        let width = text[at..].chars().next().filter(|c| *c != '\n').map_or(0, char::len_utf8);
        let place = self.source.place(Span::new(at, at + width));
        let line_start = text[..at].rfind('\n').map_or(0, |at| at + 1);
        let line = text[line_start..].lines().next().unwrap_or_default();
        let indent: String = line.chars().take_while(|c| c.is_whitespace()).collect();
        let info = error.info();
        if info.contains("recursion limit") {
            return too_deep(place);
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

fn too_deep(place: Place) -> Diagnostic {
    Diagnostic::error("facectl::too-deep", place, format!("nested deeper than {DEPTH_LIMIT} levels"))
        .help("a manifest needs five levels at most")
}

/// From the parser's places, which count characters, to bytes.
struct Offsets(Option<Vec<u32>>);

impl Offsets {
    fn of(text: &str) -> Self {
        if text.is_ascii() {
            return Self(None);
        }
        Self(Some(text.char_indices().map(|(at, _)| Span::new(at, at).start).collect()))
    }

    fn byte(&self, marker: &Marker) -> usize {
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

/// A list or map whose end has not been seen.
struct Frame {
    anchor: usize,
    start: Span,
    items: Items,
}

enum Items {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, seen: HashMap<String, Span>, key: Pending },
}

/// The key that waits for its value.
enum Pending {
    None,
    Key(String, Span),
    /// A key that was reported: its value is read and dropped.
    Refused,
}

struct Builder<'a, 'o> {
    source: &'a Source,
    out: &'o mut Vec<Diagnostic>,
    stack: Vec<Frame>,
    anchors: HashMap<usize, (Node, usize)>,
    root: Option<Node>,
    nodes: usize,
    unfolded: usize,
}

impl<'a, 'o> Builder<'a, 'o> {
    fn new(source: &'a Source, out: &'o mut Vec<Diagnostic>) -> Self {
        Self { source, out, stack: Vec::new(), anchors: HashMap::new(), root: None, nodes: 0, unfolded: 0 }
    }

    fn place(&self, span: Span) -> Place {
        self.source.place(span)
    }

    fn fatal(&self, code: &'static str, span: Span, message: String, help: &str) -> Box<Diagnostic> {
        Box::new(Diagnostic::error(code, self.place(span), message).help(help))
    }

    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Box<Diagnostic>> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_tag(tag.as_deref(), span);
                let plain = style == ScalarStyle::Plain;
                self.add(Node { span, kind: Kind::Scalar { text: text.into_owned(), plain } }, anchor)
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse_tag(tag.as_deref(), span);
                self.open(Frame { anchor, start: span, items: Items::List(Vec::new()) })
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse_tag(tag.as_deref(), span);
                let items = Items::Map { entries: Vec::new(), seen: HashMap::new(), key: Pending::None };
                self.open(Frame { anchor, start: span, items })
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            Event::Alias(anchor) => self.unfold(anchor, span),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => {
                Ok(())
            }
        }
    }

    fn refuse_tag(&mut self, tag: Option<&Tag>, span: Span) {
        let Some(tag) = tag else { return };
        let tag = if tag.is_yaml_core_schema() { format!("!!{}", tag.suffix) } else { tag.to_string() };
        let diagnostic =
            Diagnostic::error("facectl::tag", self.place(span), format!("the tag `{tag}` has no meaning here"))
                .help("leave it out; to make something a text, put it in quotes");
        self.out.push(diagnostic);
    }

    fn open(&mut self, frame: Frame) -> Result<(), Box<Diagnostic>> {
        if self.stack.len() >= DEPTH_LIMIT {
            return Err(Box::new(too_deep(self.place(frame.start))));
        }
        self.stack.push(frame);
        Ok(())
    }

    fn close(&mut self, end: Span) -> Result<(), Box<Diagnostic>> {
        let Some(Frame { anchor, start, items }) = self.stack.pop() else { return Ok(()) };
        let (kind, last) = match items {
            Items::List(items) => {
                let last = items.last().map(|node| node.span.end);
                (Kind::List(items), last)
            }
            Items::Map { entries, .. } => {
                let last = entries.last().map(|entry| entry.value.span.end.max(entry.key_span.end));
                (Kind::Map(entries), last)
            }
        };
        // The end of a flow collection is its bracket; that of a block lies on a later line and says nothing.
        let flow = start.end > start.start && end.end > end.start;
        let until = if flow { end.end } else { last.unwrap_or(start.end) };
        self.add(Node { span: Span { start: start.start, end: until.max(start.start) }, kind }, anchor)
    }

    /// Puts a finished value where it belongs.
    fn add(&mut self, node: Node, anchor: usize) -> Result<(), Box<Diagnostic>> {
        self.nodes += 1;
        if self.nodes > NODE_LIMIT {
            let message = format!("more than {NODE_LIMIT} values in one document");
            return Err(self.fatal("facectl::too-many", node.span, message, "write one document a face"));
        }
        if anchor > 0 {
            let weight = node.weight();
            self.spend(weight, node.span)?;
            self.anchors.insert(anchor, (node.clone(), weight));
        }
        match self.stack.last_mut().map(|frame| &mut frame.items) {
            None => self.root = Some(node),
            Some(Items::List(items)) => items.push(node),
            Some(Items::Map { entries, key, .. }) => match std::mem::replace(key, Pending::None) {
                Pending::Key(key, key_span) => entries.push(Entry { key, key_span, value: node }),
                Pending::Refused => {}
                Pending::None => self.add_key(node),
            },
        }
        Ok(())
    }

    fn add_key(&mut self, node: Node) {
        let source = self.source;
        let Some(Frame { items: Items::Map { seen, key, .. }, .. }) = self.stack.last_mut() else { return };
        let span = node.span;
        *key = Pending::Refused;
        let Kind::Scalar { text, plain } = node.kind else {
            let place = source.place(span);
            self.out.push(
                Diagnostic::error("facectl::key", place, "a list or map cannot be the name of a field")
                    .help("a field is written `name: value`"),
            );
            return;
        };
        if plain && text == "<<" {
            self.out.push(
                Diagnostic::error("facectl::merge-key", source.place(span), "merge keys (`<<`) are not supported")
                    .help("write the fields out, or set them once for all faces under spec.defaults of facectl.yaml"),
            );
            return;
        }
        match seen.entry(text.clone()) {
            Slot::Occupied(first) => self.out.push(
                Diagnostic::error(
                    "facectl::duplicate-key",
                    source.place(span),
                    format!("`{text}` is written twice in the same map"),
                )
                .related(source.place(*first.get()), "first written here")
                .help("keep one of the two"),
            ),
            Slot::Vacant(slot) => {
                slot.insert(span);
                *key = Pending::Key(text, span);
            }
        }
    }

    fn unfold(&mut self, anchor: usize, span: Span) -> Result<(), Box<Diagnostic>> {
        let Some((node, weight)) = self.anchors.get(&anchor) else {
            return Err(self.fatal(
                "facectl::alias",
                span,
                "this alias refers to itself, or to another document".to_owned(),
                "an alias can only repeat a value that is complete and stands before it in the same document",
            ));
        };
        let (mut node, weight) = (node.clone(), *weight);
        self.spend(weight, span)?;
        // Errors in the value are shown where it is used; its own parts keep their places.
        node.span = span;
        self.add(node, 0)
    }

    fn spend(&mut self, weight: usize, span: Span) -> Result<(), Box<Diagnostic>> {
        self.unfolded = self.unfolded.saturating_add(weight);
        if self.unfolded > ALIAS_LIMIT {
            let message = format!("the aliases up to here unfold to more than {} KiB", ALIAS_LIMIT / 1024);
            let help = "write the values out; aliases of aliases grow without bound";
            return Err(self.fatal("facectl::alias-bomb", span, message, help));
        }
        Ok(())
    }

    /// Returns the document's value, unless there is nothing but comments.
    fn finish(self) -> Option<Node> {
        self.root.filter(|root| !matches!(&root.kind, Kind::Scalar { text, plain: true } if text.is_empty()))
    }
}
