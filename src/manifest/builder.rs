//! Builds the tree of one document from the parser's events, and keeps the limits.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;

use saphyr_parser::{Event, ScalarStyle, Tag};

use super::diagnostic::{Diagnostic, Place};
use super::source::{Source, Span};
use super::tree::{Entry, Kind, Node, too_deep};

/// The deepest nesting. A manifest needs five levels.
pub(super) const DEPTH_LIMIT: usize = 64;
/// The most values in one document.
const NODE_LIMIT: usize = 100_000;
/// What all aliases of one document may unfold to, in bytes.
const ALIAS_LIMIT: usize = 1024 * 1024;

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

/// A document while it is read.
pub(super) struct Builder<'a, 'o> {
    source: &'a Source,
    out: &'o mut Vec<Diagnostic>,
    stack: Vec<Frame>,
    anchors: HashMap<usize, (Node, usize)>,
    root: Option<Node>,
    nodes: usize,
    unfolded: usize,
}

impl<'a, 'o> Builder<'a, 'o> {
    pub(super) fn new(source: &'a Source, out: &'o mut Vec<Diagnostic>) -> Self {
        Self { source, out, stack: Vec::new(), anchors: HashMap::new(), root: None, nodes: 0, unfolded: 0 }
    }

    fn place(&self, span: Span) -> Place {
        self.source.place(span)
    }

    fn fatal(&self, code: &'static str, span: Span, message: String, help: &str) -> Box<Diagnostic> {
        Box::new(Diagnostic::error(code, self.place(span), message).help(help))
    }

    /// Takes one event.
    pub(super) fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Box<Diagnostic>> {
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
    pub(super) fn finish(self) -> Option<Node> {
        self.root.filter(|root| !matches!(&root.kind, Kind::Scalar { text, plain: true } if text.is_empty()))
    }
}
