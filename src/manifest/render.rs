//! Diagnostics as people read them: by miette, over a copy of the text in which links show no secret.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, SourceSpan};

use crate::text::{self, visible};

use super::diagnostic::{Diagnostic, Place, Severity};
use super::source::{Source, Sources, line_starts};

/// Returns the diagnostics as text: each with its line, the span marked, other places, and help; at the end, how many.
///
/// Without `colour` only ASCII is used for lines and marks. Queries of links are shown as `…`.
pub fn render_text(diagnostics: &[Diagnostic], sources: &Sources, colour: bool, width: usize) -> String {
    let theme = if colour { GraphicalTheme::unicode() } else { GraphicalTheme::none() };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_links(false)
        .with_show_related_as_nested(true)
        .with_width(width.max(40));
    let by_name: HashMap<&str, &Source> = sources.iter().map(|source| (&**source.name(), source)).collect();
    let mut shown: HashMap<&str, Shown> = HashMap::new();
    let places = diagnostics.iter().flat_map(|one| std::iter::once(&one.place).chain(one.related.iter().map(|r| &r.0)));
    for place in places {
        if let Some((name, source)) = by_name.get_key_value(&*place.file) {
            shown.entry(name).or_insert_with(|| Shown::of(source));
        }
    }
    let mut text = String::new();
    for diagnostic in diagnostics {
        let report = Report {
            diagnostic,
            elsewhere: elsewhere(diagnostic, &shown),
            view: view(diagnostic, &diagnostic.place, &shown),
        };
        // Writing into a String cannot fail; whatever was written before is kept anyway.
        let _ = handler.render_report(&mut text, &report);
        text.push('\n');
    }
    text.push_str(&summary(diagnostics));
    text
}

fn summary(diagnostics: &[Diagnostic]) -> String {
    let count = |severity| diagnostics.iter().filter(|one| one.severity == severity).count();
    let said = |count: usize, word: &str| match count {
        0 => None,
        1 => Some(format!("1 {word}")),
        more => Some(format!("{more} {word}s")),
    };
    let parts: Vec<String> = [said(count(Severity::Error), "problem"), said(count(Severity::Warning), "warning")]
        .into_iter()
        .flatten()
        .collect();
    if parts.is_empty() { String::new() } else { format!("{}\n", parts.join(", ")) }
}

/// A source as it may be shown: without secrets, and without the tails of endless lines.
struct Shown {
    name: String,
    text: String,
    line_starts: Vec<u32>,
    /// From the original to the text, one after the other.
    layers: [Layer; 3],
}

/// What stands for the tail of a line.
const HIDDEN: &str = "…";
/// Bytes of a line that are shown. miette pads each mark by the width of its line, in memory, and panics beyond 65,535.
const LINE_LIMIT: usize = 300;

/// Stretches of a text, in order, each with what stands for it.
struct Layer(Vec<(Range<usize>, String)>);

impl Layer {
    fn apply(replaced: Vec<(Range<usize>, String)>, text: &str) -> (Self, String) {
        let (mut out, mut done) = (String::with_capacity(text.len()), 0);
        for (range, shown) in &replaced {
            out.push_str(&text[done..range.start]);
            out.push_str(shown);
            done = range.end;
        }
        out.push_str(&text[done..]);
        (Self(replaced), out)
    }

    /// Returns where a byte of the text before is found in the text after.
    fn at(&self, byte: usize) -> usize {
        let mut shift = 0isize;
        for (range, shown) in &self.0 {
            if byte < range.start {
                break;
            }
            if byte < range.end {
                return range.start.saturating_add_signed(shift);
            }
            shift += shown.len().cast_signed() - range.len().cast_signed();
        }
        byte.saturating_add_signed(shift)
    }
}

impl Shown {
    fn of(source: &Source) -> Self {
        let (secrets, text) = Layer::apply(text::secrets(source.text()), source.text());
        let (unseen, text) = Layer::apply(unseen(&text), &text);
        let (tails, text) = Layer::apply(tails(&text), &text);
        Self {
            name: visible(source.name()).into_owned(),
            line_starts: line_starts(&text),
            text,
            layers: [secrets, unseen, tails],
        }
    }

    fn span(&self, place: &Place) -> Option<SourceSpan> {
        let range = place.bytes()?;
        let at = |byte| self.layers.iter().fold(byte, |byte, layer| layer.at(byte)).min(self.text.len());
        let start = self.text.floor_char_boundary(at(range.start));
        // A mark that runs over several lines hides what it marks.
        let line_end = self.text[start..].find(['\r', '\n']).map_or(self.text.len(), |at| start + at);
        let end = at(range.end).min(line_end).max(start);
        Some((start, self.text.floor_char_boundary(end) - start).into())
    }

    fn line(&self, byte: usize) -> usize {
        self.line_starts.partition_point(|start| *start as usize <= byte).saturating_sub(1)
    }

    fn line_start(&self, line: usize) -> usize {
        self.line_starts.get(line).map_or(self.text.len(), |start| *start as usize)
    }
}

/// Finds the characters that nobody would see.
fn unseen(text: &str) -> Vec<(Range<usize>, String)> {
    let is_layout = |c: char| matches!(c, '\n' | '\r' | '\t');
    let spelled = |(at, c): (usize, char)| (at..at + c.len_utf8(), visible(c.encode_utf8(&mut [0; 4])).into_owned());
    text::hidden(text).filter(|(_, c)| !is_layout(*c)).map(spelled).collect()
}

/// Finds what is too long to be shown.
fn tails(text: &str) -> Vec<(Range<usize>, String)> {
    let mut found = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let content = line.trim_end_matches(['\r', '\n']);
        if content.len() > LINE_LIMIT {
            found.push((start + content.floor_char_boundary(LINE_LIMIT)..start + content.len(), HIDDEN.to_owned()));
        }
        start += line.len();
    }
    found
}

/// A source as one diagnostic sees it.
struct View<'a> {
    shown: &'a Shown,
    place: &'a Place,
}

impl miette::SourceCode for View<'_> {
    /// Reads by the table of lines: miette's own way scans the text from its start for each label.
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        lines_before: usize,
        lines_after: usize,
    ) -> Result<Box<dyn miette::SpanContents<'a> + 'a>, MietteError> {
        let Shown { name, text, .. } = self.shown;
        let start = span.offset().min(text.len());
        let end = (start + span.len()).min(text.len());
        let (first, last) = (self.shown.line(start), self.shown.line(end));
        let from_line = first.saturating_sub(lines_before);
        let from = if lines_before == 0 { start } else { self.shown.line_start(from_line) };
        let to = if lines_after == 0 { end } else { self.shown.line_start(last + lines_after + 1).max(end) };
        // Without context only the header asks, for the column: that of the original, before anything was hidden.
        let column = if lines_before == 0 { self.place.column.saturating_sub(1) } else { 0 };
        let data = &text.as_bytes()[from..to];
        let count = last + lines_after + 1 - from_line;
        let range = SourceSpan::from((from, to - from));
        Ok(Box::new(MietteSpanContents::new_named(name.clone(), data, range, from_line, column, count)))
    }
}

/// One diagnostic as miette wants it.
struct Report<'a> {
    diagnostic: &'a Diagnostic,
    elsewhere: Vec<Elsewhere<'a>>,
    view: Option<View<'a>>,
}

/// A related place in another file, shown below.
struct Elsewhere<'a> {
    place: &'a Place,
    message: &'a str,
    view: Option<View<'a>>,
}

fn view<'a>(diagnostic: &Diagnostic, place: &'a Place, shown: &'a HashMap<&'a str, Shown>) -> Option<View<'a>> {
    place.span.filter(|_| !diagnostic.hides_line)?;
    shown.get(&*place.file).map(|shown| View { shown, place })
}

fn elsewhere<'a>(diagnostic: &'a Diagnostic, shown: &'a HashMap<&'a str, Shown>) -> Vec<Elsewhere<'a>> {
    let is_elsewhere =
        |place: &Place| place.file != diagnostic.place.file || place.span.is_none() || diagnostic.hides_line;
    let related = diagnostic.related.iter().filter(|(place, _)| is_elsewhere(place));
    related.map(|(place, message)| Elsewhere { place, message, view: view(diagnostic, place, shown) }).collect()
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.view.is_none() {
            write!(f, "{}: ", self.diagnostic.place)?;
        }
        f.write_str(&self.diagnostic.message)
    }
}

impl fmt::Debug for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Report<'_> {}

impl miette::Diagnostic for Report<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.diagnostic.code))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.diagnostic.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.diagnostic.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        self.view.as_ref().map(|view| view as &dyn miette::SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let shown = self.view.as_ref()?.shown;
        let main = shown.span(&self.diagnostic.place)?;
        let here = self.diagnostic.related.iter().filter(|(place, _)| place.file == self.diagnostic.place.file);
        let others = here
            .filter_map(|(place, message)| Some(LabeledSpan::new_with_span(Some(message.clone()), shown.span(place)?)));
        // Primary: else the header names the line of whichever label comes first in the file.
        let others: Vec<LabeledSpan> = others.collect();
        // A word at the mark only where there is another one to tell it from.
        let word = (!others.is_empty()).then(|| "here".to_owned());
        let main = LabeledSpan::new_primary_with_span(word, main);
        Some(Box::new(std::iter::once(main).chain(others)))
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn miette::Diagnostic> + 'a>> {
        if self.elsewhere.is_empty() {
            return None;
        }
        Some(Box::new(self.elsewhere.iter().map(|one| one as &dyn miette::Diagnostic)))
    }
}

impl fmt::Display for Elsewhere<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.view {
            Some(_) => f.write_str(self.message),
            None => write!(f, "{}: {}", self.place, self.message),
        }
    }
}

impl fmt::Debug for Elsewhere<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Elsewhere<'_> {}

impl miette::Diagnostic for Elsewhere<'_> {
    fn severity(&self) -> Option<miette::Severity> {
        Some(miette::Severity::Advice)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        self.view.as_ref().map(|view| view as &dyn miette::SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.view.as_ref()?.shown.span(self.place)?;
        Some(Box::new(std::iter::once(LabeledSpan::new_primary_with_span(None, span))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_and_hidden_characters_are_replaced_before_anything_is_shown() {
        let text = "a: https://h.example.com/a?k=hush # x\r\nb\u{202e}: \"https://h.example.com/a?sig=hush,{hush\"\n";
        let shown = Shown::of(&Source::new("a\nb".into(), text.to_owned()));
        assert_eq!(shown.text, "a: https://h.example.com/a?k=… # x\r\nb\\u{202E}: \"https://h.example.com/a?…\"\n");
        assert_eq!(shown.name, "a\\nb");
    }

    #[test]
    fn places_move_with_what_is_hidden_before_them() {
        let text = "a?bcdefgh";
        let (layer, shown) = Layer::apply(vec![(2..7, HIDDEN.to_owned())], text);
        assert_eq!(shown, "a?…gh");
        assert_eq!([0, 1, 2, 5, 7, 8, 9].map(|byte| layer.at(byte)), [0, 1, 2, 2, 5, 6, 7]);
    }
}
