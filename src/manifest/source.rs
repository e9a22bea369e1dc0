//! The texts that manifests were read from, and reading one file safely.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use super::diagnostic::{Diagnostic, Place};
use super::surrogates::Joined;

/// The largest file that is read, in bytes. A face takes some 300: this is room for ten thousand.
pub const FILE_LIMIT: usize = 4 * 1024 * 1024;

/// The room that std wants to have left when it looks for the end of a file; and a line break is added to some texts.
const END: usize = 64;

/// A stretch of one source, in bytes. Files end at [`FILE_LIMIT`], so 32 bits are plenty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Span {
    pub(super) fn new(start: usize, end: usize) -> Self {
        let clip = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self { start: clip(start), end: clip(end.max(start)) }
    }
}

/// One file, read.
#[derive(Debug)]
pub struct Source {
    name: Arc<str>,
    text: String,
    joined: Option<Joined>,
    line_starts: OnceLock<Vec<u32>>,
}

impl Source {
    pub(super) fn new(name: Arc<str>, text: String) -> Self {
        Self { joined: Joined::of(&text), name, text, line_starts: OnceLock::new() }
    }

    /// Returns the name as it is shown to people.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Returns the text, without a byte order mark and with a line break at the end. May hold signed links: for spans, not for showing.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the text as readers of YAML are to see it: without the escapes that only JSON has.
    pub(super) fn readable(&self) -> &str {
        self.joined.as_ref().map_or(&self.text, Joined::text)
    }

    /// Returns where a byte of the readable text is in the text.
    pub(super) fn origin(&self, byte: usize) -> usize {
        self.joined.as_ref().map_or(byte, |joined| joined.origin(byte))
    }

    /// Returns the byte at which each line begins.
    pub(super) fn line_starts(&self) -> &[u32] {
        self.line_starts.get_or_init(|| line_starts(&self.text))
    }

    /// Returns the place that a span stands for.
    pub(super) fn place(&self, span: Span) -> Place {
        let start = self.floor(span.start as usize);
        let end = self.floor(span.end as usize).max(start);
        let (line, column) = self.line_and_column(start);
        let (end_line, end_column) = self.line_and_column(end);
        Place { file: Arc::clone(&self.name), line, column, end_line, end_column, span: Some((start, end)) }
    }

    /// Returns the nearest character boundary at or before a byte.
    fn floor(&self, at: usize) -> usize {
        self.text.floor_char_boundary(at)
    }

    fn line_and_column(&self, at: usize) -> (usize, usize) {
        let starts = self.line_starts();
        let line = starts.partition_point(|start| *start as usize <= at).max(1);
        let start = starts.get(line - 1).map_or(0, |start| *start as usize);
        (line, self.text.get(start..at).map_or(0, |before| before.chars().count()) + 1)
    }
}

pub(super) fn line_starts(text: &str) -> Vec<u32> {
    let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
    std::iter::once(0).chain(breaks.map(|(at, _)| Span::new(at + 1, at + 1).start)).collect()
}

/// Every file that was read, for showing the lines that diagnostics speak of.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    files: Vec<Arc<Source>>,
}

impl Sources {
    pub(super) fn add(&mut self, source: Source) -> Arc<Source> {
        let source = Arc::new(source);
        self.push(Arc::clone(&source));
        source
    }

    pub(super) fn push(&mut self, source: Arc<Source>) {
        self.files.push(source);
    }

    /// Returns the files, in the order in which they were read.
    pub fn iter(&self) -> impl Iterator<Item = &Source> {
        self.files.iter().map(AsRef::as_ref)
    }
}

/// Reads a file, never more than [`FILE_LIMIT`] bytes of it.
pub(super) fn read_file(path: &Path, name: &Arc<str>) -> Result<Source, Box<Diagnostic>> {
    from_bytes(file_bytes(path, name)?, name)
}

/// As [`read_file`], with the text exactly as it is in the file beside it.
pub(super) fn read_file_as_it_is(path: &Path, name: &Arc<str>) -> Result<(Source, String), Box<Diagnostic>> {
    as_it_is(file_bytes(path, name)?, name)
}

/// As [`read`], with the text exactly as it came beside it.
pub(super) fn read_as_it_is(stream: impl Read, name: &Arc<str>) -> Result<(Source, String), Box<Diagnostic>> {
    as_it_is(stream_bytes(stream, name, 0)?, name)
}

fn as_it_is(bytes: Vec<u8>, name: &Arc<str>) -> Result<(Source, String), Box<Diagnostic>> {
    let source = from_bytes(bytes.clone(), name)?;
    // It was read as UTF-8 just now, so nothing is replaced.
    Ok((source, String::from_utf8_lossy(&bytes).into_owned()))
}

fn file_bytes(path: &Path, name: &Arc<str>) -> Result<Vec<u8>, Box<Diagnostic>> {
    let unreadable = |error: io::Error| {
        let message = format!("cannot read it: {error}");
        Box::new(Diagnostic::error("facectl::unreadable", Place::whole(Arc::clone(name)), message))
    };
    let file = File::open(path).map_err(unreadable)?;
    // Asked before the first byte is read: a huge file must cost nothing.
    let length = file.metadata().map_err(unreadable)?.len();
    if length > FILE_LIMIT as u64 {
        return Err(too_large(name, Some(length)));
    }
    stream_bytes(file, name, length as usize)
}

/// Reads a stream, never more than [`FILE_LIMIT`] bytes of it.
pub(super) fn read(stream: impl Read, name: &Arc<str>) -> Result<Source, Box<Diagnostic>> {
    from_bytes(stream_bytes(stream, name, 0)?, name)
}

/// `expected` is how many bytes there are, as far as that is known.
fn stream_bytes(stream: impl Read, name: &Arc<str>, expected: usize) -> Result<Vec<u8>, Box<Diagnostic>> {
    // With room to find the end in: two reads then, and not one more for each time that the room is doubled.
    let mut bytes = Vec::with_capacity(expected + END);
    // A pipe has no length and a device no end, so the limit is kept here as well.
    stream.take(FILE_LIMIT as u64 + 1).read_to_end(&mut bytes).map_err(|error| {
        let message = format!("cannot read it: {error}");
        Box::new(Diagnostic::error("facectl::unreadable", Place::whole(Arc::clone(name)), message))
    })?;
    if bytes.len() > FILE_LIMIT {
        return Err(too_large(name, None));
    }
    Ok(bytes)
}

fn from_bytes(bytes: Vec<u8>, name: &Arc<str>) -> Result<Source, Box<Diagnostic>> {
    let mut text = decode(bytes, name)?;
    match control_character(&text) {
        None => {
            // YAML libraries differ on whether a block text that the end of the file cuts off ends its last line.
            if !text.ends_with('\n') {
                text.push('\n');
            }
            Ok(Source::new(Arc::clone(name), text))
        }
        Some((at, found)) => {
            let source = Source::new(Arc::clone(name), text);
            let place = source.place(Span::new(at, at + found.len_utf8()));
            let message = match found {
                '\r' => "a carriage return stands alone, without a line feed after it".to_owned(),
                found => format!("the control character U+{:04X} cannot stand in a manifest", u32::from(found)),
            };
            // Without the line: a file with such bytes in it may be anything, secrets of the machine included.
            let place = Place { span: None, ..place };
            let message = format!("{message} (line {}, column {})", place.line, place.column);
            let help = "save the file as plain UTF-8 text; in a quoted text, write the character as an escape";
            Err(Box::new(Diagnostic::error("facectl::control-character", place, message).help(help)))
        }
    }
}

fn too_large(name: &Arc<str>, length: Option<u64>) -> Box<Diagnostic> {
    let message = match length {
        Some(length) => format!("it has {length} bytes, a manifest may have {FILE_LIMIT} (4 MiB)"),
        None => format!("it has more than the {FILE_LIMIT} bytes (4 MiB) that a manifest may have"),
    };
    let help = "split it into several files; a folder is read as a whole";
    Box::new(Diagnostic::error("facectl::too-large", Place::whole(Arc::clone(name)), message).help(help))
}

/// Turns bytes into text and drops a byte order mark.
fn decode(bytes: Vec<u8>, name: &Arc<str>) -> Result<String, Box<Diagnostic>> {
    let wrong = |message: String| {
        let help = "save the file as UTF-8 (in PowerShell: `Out-File -Encoding utf8`)";
        Box::new(Diagnostic::error("facectl::encoding", Place::whole(Arc::clone(name)), message).help(help))
    };
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        return Err(wrong("it is UTF-16 text, manifests are UTF-8".to_owned()));
    }
    let mut text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let bytes = error.as_bytes();
        let line = bytes[..at.min(bytes.len())].iter().filter(|byte| **byte == b'\n').count() + 1;
        wrong(format!("it is not UTF-8 text: byte {at} (line {line}) begins no character"))
    })?;
    if text.starts_with('\u{FEFF}') {
        text.drain(..'\u{FEFF}'.len_utf8());
    }
    Ok(text)
}

fn control_character(text: &str) -> Option<(usize, char)> {
    let bytes = text.as_bytes();
    text.char_indices().find(|(at, c)| match c {
        '\n' | '\t' => false,
        '\r' => bytes.get(at + 1) != Some(&b'\n'),
        // A second byte order mark hides inside a key and looks like nothing.
        '\u{FEFF}' => true,
        c => c.is_control(),
    })
}
