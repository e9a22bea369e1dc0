//! What could be a secret in a link, wherever a text has it, is shown as `…`.
//!
//! Where a link ends nobody can tell: brackets, quotes and line folds may be a part of it or not. So a text is searched
//! for parameters instead: each `name=value` behind `?`, `&` or `#`, and each parameter of a known signature anywhere.
//! A value goes on to the next parameter, or to what can stand in no link at all. What is encoded (`%3D`, `%253D`,
//! `\u003d`, `&#61;`) is read as what it means.

mod names;
mod read;

use std::borrow::Cow;
use std::ops::Range;

use names::{is_of_sas, is_secret, is_secret_element, is_secret_header, is_version};
use read::{Unit, is_end, units};

/// What stands for what is hidden.
const HIDDEN: char = '…';
/// The longest name of a parameter that is looked for or shown, in characters.
const NAME_LIMIT: usize = 40;
/// How far a password is looked for that holds a slash, in characters.
const PASSWORD_LIMIT: usize = 512;

/// Replaces everything in a text that could be a secret of a link, if there is anything.
pub fn redact_links(text: &str) -> String {
    redacted(text).into_owned()
}

/// As [`redact_links`], without a copy of a text that has nothing to hide.
pub(crate) fn redacted(text: &str) -> Cow<'_, str> {
    let found = secrets(text);
    if found.is_empty() {
        return Cow::Borrowed(text);
    }
    let (mut out, mut done) = (String::with_capacity(text.len()), 0);
    for (range, shown) in found {
        out.push_str(&text[done..range.start]);
        out.push_str(&shown);
        done = range.end;
    }
    out.push_str(&text[done..]);
    Cow::Owned(out)
}

/// As [`redact_links`], for the text of one value: where it is a link with something to hide, nothing behind that is
/// shown, blanks or not. A link that was folded over two lines has become one with a blank in it.
pub(crate) fn redact_value(text: &str) -> Cow<'_, str> {
    match redacted(text) {
        Cow::Owned(redacted) if text.trim_start().split(char::is_whitespace).next().is_some_and(has_link) => {
            let end = redacted.find(HIDDEN).map_or(redacted.len(), |at| at + HIDDEN.len_utf8());
            Cow::Owned(redacted[..end].to_owned())
        }
        redacted => redacted,
    }
}

fn has_link(word: &str) -> bool {
    word.contains("//") || word.contains('?')
}

/// Finds what must not be shown: each stretch in bytes, in order, with what is shown instead.
pub(crate) fn secrets(text: &str) -> Vec<(Range<usize>, String)> {
    let mut found = Vec::new();
    let mut start = 0;
    while start < text.len() {
        let end = start + end_of_block(&text[start..]);
        let block = &text[start..end];
        if may_hold(block) {
            let mut search = Search { text: block, units: units(block), found: Vec::new(), word: Word::default() };
            search.run();
            found
                .extend(search.found.into_iter().map(|(range, shown)| (range.start + start..range.end + start, shown)));
        }
        start = end;
    }
    found
}

fn may_hold(text: &str) -> bool {
    let is_sign = |byte: u8| matches!(byte, b'?' | b'=' | b'%' | b':' | b'@' | b'\\' | b'<' | b'&');
    text.bytes().any(is_sign) || text.contains("earer ") || text.contains("EARER ")
}

/// How much is decoded at once, in bytes: each takes some 24 then.
const BLOCK: usize = 64 * 1024;

/// Returns where a text can be divided: behind a line that no value of a link can reach over, of several words and without
/// a sign of a link.
fn end_of_block(text: &str) -> usize {
    let mut at = text.floor_char_boundary(BLOCK);
    while let Some(length) = text[at..].find('\n') {
        let line = text[..at + length].rsplit('\n').next().unwrap_or_default();
        at += length + 1;
        let has_sign = line.bytes().any(|byte| matches!(byte, b'?' | b'=' | b'%' | b'&' | b'\\' | b'<'));
        if !has_sign && line.trim().contains(' ') {
            return at;
        }
    }
    text.len()
}

struct Search<'a> {
    text: &'a str,
    units: Vec<Unit>,
    found: Vec<(Range<usize>, String)>,
    word: Word,
}

/// What is known of the word that is being read: a stretch without blanks and quotes.
#[derive(Default)]
struct Word {
    /// Where it ends.
    end: usize,
    /// Its last `=`.
    last_equals: Option<usize>,
    /// Whether it goes on with a value on the next line.
    has_folded_value: bool,
    /// Whether what was read of it looks like the beginning of a link.
    is_link: bool,
    has_dot: bool,
}

impl Search<'_> {
    fn run(&mut self) {
        let mut at = 0;
        while at < self.units.len() {
            if at >= self.word.end {
                self.begin_word(at);
            }
            at = self.step(at);
        }
    }

    fn begin_word(&mut self, at: usize) {
        let end = self.end_of_word(at);
        let last_equals = (at..end).rev().find(|at| self.is(*at, '='));
        let folded = if end > at { self.folded(end) } else { None };
        let has_folded_value = folded.is_some_and(|mut word| word.any(|at| self.is(at, '=')));
        // A word is one character at least, or nothing would end.
        self.word = Word { end: end.max(at + 1), last_equals, has_folded_value, is_link: false, has_dot: false };
    }

    /// Reads on from a unit, and returns where to go on.
    fn step(&mut self, at: usize) -> usize {
        match self.units[at].c {
            '?' if self.begins_query(at) => self.hide_query(at),
            '&' | '#' if self.continues_query(at) => self.hide_query(at),
            ':' if self.is(at + 1, '/') && self.is(at + 2, '/') => {
                self.word.is_link = true;
                self.hide_user(at, at + 3)
            }
            '/' if self.is(at + 1, '/') && self.is_begin(at) => {
                self.word.is_link = true;
                self.hide_user(at, at + 2)
            }
            '/' => {
                self.word.is_link |= self.word.has_dot;
                at + 1
            }
            c if is_name(c) => self.read_name(at),
            _ => at + 1,
        }
    }

    fn is(&self, at: usize, c: char) -> bool {
        self.units.get(at).is_some_and(|unit| unit.c == c)
    }

    fn is_blank(&self, at: usize) -> bool {
        self.units.get(at).is_none_or(is_end)
    }

    /// Returns whether nothing but brackets and quotes stands before a unit in its word.
    fn is_begin(&self, at: usize) -> bool {
        at.checked_sub(1).is_none_or(|before| {
            is_end(&self.units[before])
                || matches!(self.units[before].c, '(' | '[' | '{' | '\'' | '*' | '_' | '|' | '=' | ',')
        })
    }

    fn end_of_word(&self, from: usize) -> usize {
        (from..self.units.len()).find(|at| self.is_blank(*at)).unwrap_or(self.units.len())
    }

    fn end_of_name(&self, from: usize) -> usize {
        (from..self.units.len()).find(|at| !is_name(self.units[*at].c)).unwrap_or(self.units.len())
    }

    fn bytes(&self, units: Range<usize>) -> Range<usize> {
        if units.is_empty() {
            let at = self.units.get(units.start).map_or(self.text.len(), |unit| unit.start);
            return at..at;
        }
        self.units[units.start].start..self.units[units.end - 1].end
    }

    fn source(&self, units: Range<usize>) -> &str {
        &self.text[self.bytes(units)]
    }

    fn decoded(&self, units: Range<usize>) -> String {
        self.units[units].iter().map(|unit| unit.c).collect()
    }

    /// Returns whether a question mark begins a query: a value is given behind it, or a link stands before it.
    fn begins_query(&self, at: usize) -> bool {
        let is_value_given = self.word.last_equals.is_some_and(|equals| equals > at + 1);
        !self.is_blank(at + 1) && (is_value_given || self.word.has_folded_value || self.word.is_link)
    }

    /// Returns whether `&` or `#` goes on with a query, or begins one that stands alone: directly between other text and
    /// `name=`.
    fn continues_query(&self, at: usize) -> bool {
        let name_end = self.end_of_name(at + 1);
        at > 0 && !self.is_blank(at - 1) && name_end > at + 1 && self.is(name_end, '=')
    }

    /// Hides the values of a query that begins with the unit at `at`, and returns where it ends.
    fn hide_query(&mut self, at: usize) -> usize {
        let end = self.end_of_word(at + 1);
        let shown_end = self.without_punctuation(at + 1, end);
        let (mut kept, mut has_hidden) = (Vec::new(), false);
        let mut from = at + 1;
        let mut separator = "&";
        while from <= shown_end {
            let next = (from..shown_end).find(|at| matches!(self.units[*at].c, '&' | '#')).unwrap_or(shown_end);
            match self.shown_pair(from..next) {
                Some(pair) => kept.push(pair),
                None => has_hidden |= next > from,
            }
            if self.is(next, '&') && next < shown_end {
                separator = self.source(next..next + 1);
            }
            from = next + 1;
        }
        if has_hidden {
            kept.push(HIDDEN.to_string());
        }
        let shown = kept.join(separator);
        self.replace(at + 1..shown_end, shown);
        self.hide_folds(shown_end, end)
    }

    /// Returns a parameter of a query as it may be shown; none where its name says nothing more than that something is
    /// hidden.
    fn shown_pair(&self, pair: Range<usize>) -> Option<String> {
        let equals = pair.clone().find(|at| self.is(*at, '='))?;
        let name = self.decoded(pair.start..equals);
        let value = self.decoded(equals + 1..pair.end);
        let is_plain = !name.is_empty() && name.len() <= NAME_LIMIT && name.chars().all(is_name);
        if !is_plain || value.is_empty() {
            return None;
        }
        let lower = name.to_ascii_lowercase();
        let is_harmless = value.len() <= 128 && value.chars().all(|c| c.is_ascii_alphanumeric() || "._:+-".contains(c));
        if value.chars().eq([HIDDEN]) || (is_version(&lower) && is_harmless) {
            return Some(self.source(pair).to_owned());
        }
        if is_secret(&lower) || is_of_sas(&lower) {
            return None;
        }
        Some(format!("{}{HIDDEN}", self.source(pair.start..equals + 1)))
    }

    /// Takes off what ends a sentence or closes a bracket, so that the text around a link stays readable. A few such
    /// characters of a secret tell nothing.
    fn without_punctuation(&self, start: usize, end: usize) -> usize {
        let is_punctuation = |unit: &Unit| !unit.is_percent && ".,;:!?)'\"]}|".contains(unit.c);
        let length = self.units[start..end].iter().rev().take_while(|unit| is_punctuation(unit)).count();
        end - length
    }

    fn replace(&mut self, units: Range<usize>, shown: String) {
        let bytes = self.bytes(units);
        if self.text[bytes.clone()] != shown {
            self.found.push((bytes, shown));
        }
    }

    /// Hides what a value goes on with on the next lines, where its own is at its end: a word that stands alone there.
    fn hide_folds(&mut self, shown_end: usize, end: usize) -> usize {
        if shown_end < end {
            return end;
        }
        let mut at = end;
        while let Some(word) = self.folded(at) {
            at = word.end;
            self.replace(word, HIDDEN.to_string());
        }
        at
    }

    fn folded(&self, at: usize) -> Option<Range<usize>> {
        let after_return = if self.is(at, '\r') { at + 1 } else { at };
        if !self.is(after_return, '\n') {
            return None;
        }
        let is_indent = |at: &usize| self.is(*at, ' ') || self.is(*at, '\t');
        let start = (after_return + 1..).find(|at| !is_indent(at))?;
        let end = self.end_of_word(start);
        let after = (end..).find(|at| !is_indent(at))?;
        let stands_alone = match self.units.get(after).map(|unit| unit.c) {
            None | Some('\n' | '\r' | '"' | '\'' | '<') => true,
            Some('#') => after > end,
            Some(_) => false,
        };
        let word = self.units.get(start..end)?;
        let is_field = word.last().is_some_and(|unit| unit.c == ':');
        let slashes = (start..end).find(|at| self.is(*at, ':') && self.is(at + 1, '/') && self.is(at + 2, '/'));
        let is_link = slashes.is_some_and(|at| !(start..at).any(|at| matches!(self.units[at].c, '=' | '&')));
        let has_value = word.iter().any(|unit| unit.c.is_alphanumeric());
        (stands_alone && has_value && !is_field && !is_link && !self.is(start, '#')).then_some(start..end)
    }

    /// Hides a user's name and password before a host, and returns where to go on.
    fn hide_user(&mut self, before: usize, start: usize) -> usize {
        let host_end = (start..self.word.end)
            .find(|at| matches!(self.units[*at].c, '/' | '?' | '#'))
            .unwrap_or(self.word.end.max(start));
        let last_at = |range: Range<usize>| range.rev().find(|at| self.is(*at, '@'));
        let at = last_at(start..host_end).or_else(|| {
            // `user:pass/word@host`: what stands behind the colon is no port.
            let colon = (start..host_end).find(|at| self.is(*at, ':'))?;
            let is_port = self.units[colon + 1..host_end].iter().all(|unit| unit.c.is_ascii_digit());
            let end = self.word.end.min(start + PASSWORD_LIMIT);
            if is_port || host_end >= end { None } else { last_at(host_end..end) }
        });
        let Some(at) = at else { return start };
        let user = self.decoded(start..at);
        let is_login = !user.contains(':') && self.is_shell_scheme(before);
        if !is_login && !user.is_empty() {
            self.replace(start..at, HIDDEN.to_string());
        }
        at
    }

    /// Returns whether a user's name before the host is no secret: with git and ssh the key is elsewhere.
    fn is_shell_scheme(&self, colon: usize) -> bool {
        let start = colon.saturating_sub(8);
        let before = self.decoded(start..colon).to_ascii_lowercase();
        before.ends_with("ssh") || before.ends_with("git") || before.ends_with("sftp")
    }

    /// Reads a word that could be the name of a parameter, hides its value if it is one of a signature, and returns where
    /// to go on.
    fn read_name(&mut self, start: usize) -> usize {
        let end = self.end_of_name(start);
        self.word.has_dot |= self.units[start..end].iter().any(|unit| unit.c == '.');
        let first =
            (start..end).find(|at| self.units[*at].c.is_ascii_alphanumeric() || self.is(*at, '_')).unwrap_or(end);
        if end - first > NAME_LIMIT || end == first {
            return end;
        }
        let name = self.decoded(first..end).to_ascii_lowercase();
        if self.is(end, '=') && is_secret(&name) {
            return self.hide_value(end + 1);
        }
        let is_element = first.checked_sub(1).is_some_and(|at| self.is(at, '<')) && self.is(end, '>');
        if is_element && (is_secret(&name) || is_secret_element(&name)) {
            // It may have been cut off; but `<TOKEN>` alone stands for something that is to be put there.
            let close = (end + 1..self.units.len()).find(|at| self.is(*at, '<'));
            if close.is_none_or(|at| self.is(at + 1, '/')) && !self.is(end + 1, ' ') {
                return self.hide(end + 1..close.unwrap_or(self.units.len()));
            }
        }
        if let Some(value) = self.value_of_field(&name, end) {
            return self.hide(value);
        }
        if name == "bearer" && self.is(end, ' ') {
            let token = end + 1..self.end_of_word(end + 1);
            let has_digit = self.units[token.clone()].iter().any(|unit| unit.c.is_ascii_digit());
            if token.len() >= 16 || (token.len() >= 8 && has_digit) {
                return self.hide(token);
            }
        }
        end
    }

    /// Hides the value of a parameter outside of a query, up to the next one.
    fn hide_value(&mut self, start: usize) -> usize {
        let quote = self.units.get(start).map(|unit| unit.c).filter(|c| matches!(c, '"' | '\''));
        if let Some(quote) = quote {
            let close = (start + 1..self.units.len()).find(|at| self.is(*at, quote) || self.is(*at, '\n'));
            return self.hide(start + 1..close.unwrap_or(self.units.len()));
        }
        let word = self.end_of_word(start);
        let end = (start..word).find(|at| matches!(self.units[*at].c, '&' | '#')).unwrap_or(word);
        let shown_end = self.without_punctuation(start, end);
        self.hide(start..shown_end);
        match end == word {
            true => self.hide_folds(shown_end, end),
            false => end,
        }
    }

    fn hide(&mut self, units: Range<usize>) -> usize {
        let end = units.end;
        if !units.is_empty() {
            self.replace(units, HIDDEN.to_string());
        }
        end
    }

    /// Returns the value of a header (`Authorization: Bearer x`) or of a field of JSON (`"sig": "x"`), as far as the name
    /// is one of those whose value is secret.
    fn value_of_field(&self, name: &str, end: usize) -> Option<Range<usize>> {
        let is_quoted = matches!(self.units.get(end).map(|unit| unit.c), Some('"' | '\''));
        if !(is_secret_header(name) || (is_quoted && is_secret(name))) {
            return None;
        }
        let skip = |from: usize| (from..=self.units.len()).find(|at| !self.is(*at, ' ')).unwrap_or(from);
        let colon = skip(end + usize::from(is_quoted));
        if !self.is(colon, ':') && !self.is(colon, '=') {
            return None;
        }
        let start = skip(colon + 1);
        if let Some(quote) = self.units.get(start).map(|unit| unit.c).filter(|c| matches!(c, '"' | '\'')) {
            let close = (start + 1..self.units.len()).find(|at| self.is(*at, quote) || self.is(*at, '\n'));
            return Some(start + 1..close.unwrap_or(self.units.len()));
        }
        if !is_secret_header(name) || self.is_blank(start) {
            return None;
        }
        let word = self.end_of_word(start);
        let next = skip(word);
        let is_way = self.units[start..word].iter().all(|unit| unit.c.is_ascii_alphanumeric() || unit.c == '-');
        // `Bearer x`: the way comes first.
        let is_two = name.ends_with("authorization") && is_way && next > word && !self.is_blank(next);
        Some(start..if is_two { self.end_of_word(next) } else { word })
    }
}

/// What a name of a parameter is made of.
fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '~' | '[' | ']' | '$')
}
