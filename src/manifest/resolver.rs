//! Finds the places of fields, fills in variables, parses texts, and says what is wrong with them.

use crate::face::{Link, LinkError, NameError, SourceError, TrainingSource};

use super::diagnostic::{Diagnostic, Place, nearest};
use super::shape::clipped;
use super::source::{Source, Span};
use super::tree::Node;
use super::typed::first_key;
use super::variables::{self, Variables};

/// A document while it is resolved: finds places and collects problems.
pub(super) struct Resolver<'a> {
    pub(super) source: &'a Source,
    pub(super) root: &'a Node,
    pub(super) variables: &'a Variables<'a>,
    pub(super) out: &'a mut Vec<Diagnostic>,
}

impl Resolver<'_> {
    /// Returns the place of a field's value, or of the nearest field around it that was written.
    pub(super) fn place(&self, path: &[&str]) -> Place {
        self.source.place(self.spans(path).1)
    }

    /// Returns the place of a field's name, or of the nearest field around it that was written.
    pub(super) fn key_place(&self, path: &[&str]) -> Place {
        self.source.place(self.spans(path).0)
    }

    fn spans(&self, path: &[&str]) -> (Span, Span) {
        let mut node = self.root;
        let mut spans = (first_key(node), first_key(node));
        for key in path {
            let Some(entry) = node.entry(key) else { return (spans.0, spans.0) };
            let value = entry.value.span;
            spans = (entry.key_span, if value.end > value.start { value } else { entry.key_span });
            node = &entry.value;
        }
        spans
    }

    pub(super) fn say(&mut self, code: &'static str, place: Place, message: impl Into<String>, help: Option<String>) {
        self.out.push(Diagnostic::error(code, place, message).help_if(help));
    }

    /// Fills in variables and parses a text, or says what is wrong with it. `what` as in "is not a valid …".
    pub(super) fn parse<T, E: Into<Wrong>>(
        &mut self,
        path: &[&str],
        text: Option<&str>,
        what: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = text?;
        let expanded = match variables::expand(text, self.variables) {
            Ok(expanded) => expanded,
            Err(refusal) => {
                self.say("facectl::variable", self.place(path), refusal.message, Some(refusal.help));
                return None;
            }
        };
        match parse(&expanded.text) {
            Ok(value) => Some(value),
            Err(error) => {
                let wrong: Wrong = error.into();
                let from = if expanded.has_variables { ", with its variables filled in," } else { "" };
                let reason = if expanded.has_variables { wrong.without_value } else { wrong.reason };
                let field = path.join(".");
                self.say(wrong.code, self.place(path), format!("`{field}`{from} is not {what}: {reason}"), wrong.help);
                None
            }
        }
    }

    pub(super) fn link(&mut self, path: &[&str], text: Option<&str>) -> Option<Link> {
        self.parse(path, text, "a link that Tavus can use", Link::parse)
    }

    pub(super) fn material(&mut self, path: &[&str], text: Option<&str>) -> Option<TrainingSource> {
        self.parse(path, text, "a source that a face can be trained from", TrainingSource::parse)
    }

    /// Parses a name that must not depend on the environment.
    pub(super) fn label<T: std::str::FromStr<Err = NameError>>(
        &mut self,
        path: &[&str],
        text: Option<&str>,
    ) -> Option<T> {
        let text = text?;
        if text.contains("${") {
            let help = "what a face is paid for must not hang on who runs facectl; write the name out".to_owned();
            self.say("facectl::variable", self.place(path), "a name cannot hold a variable", Some(help));
            return None;
        }
        match text.parse() {
            Ok(name) => Some(name),
            Err(error) => {
                let shown = clipped(text);
                let message = format!("`{shown}` is not a valid `{}`: {error}", path.join("."));
                let help = suggestion(text).map(|name| format!("for instance `{name}`"));
                self.say("facectl::invalid-name", self.place(path), message, help);
                None
            }
        }
    }
}

/// Why a text was refused.
pub(super) struct Wrong {
    code: &'static str,
    reason: String,
    without_value: String,
    help: Option<String>,
}

impl Wrong {
    pub(super) fn value(reason: &str, help: &str) -> Self {
        Self {
            code: "facectl::invalid-value",
            reason: reason.to_owned(),
            without_value: reason.to_owned(),
            help: Some(help.to_owned()),
        }
    }
}

impl From<NameError> for Wrong {
    fn from(error: NameError) -> Self {
        let reason = error.to_string();
        Self { code: "facectl::invalid-name", without_value: reason.clone(), reason, help: None }
    }
}

impl From<LinkError> for Wrong {
    fn from(error: LinkError) -> Self {
        let help = match &error {
            LinkError::NotAUrl(_) => "a link begins with https:// and names a host",
            LinkError::NotHttps(_) => "put the file where it can be fetched by https",
            LinkError::NoHost => "a link names a host: https://media.example.com/ana.mp4",
            LinkError::NotPublic(_) => "Tavus fetches the link from its own servers; use a public or a pre-signed link",
            LinkError::Credentials => "use a pre-signed link, or one that needs no login",
            LinkError::TooLong(_) => "use a shorter link",
            LinkError::Blank => "a blank inside a link is written %20",
        };
        let without_value = match &error {
            LinkError::NotAUrl(_) => "it is not a URL".to_owned(),
            LinkError::NotHttps(_) => "its scheme is not https".to_owned(),
            LinkError::NotPublic(_) => "its host cannot be reached from the public internet".to_owned(),
            other => other.to_string(),
        };
        Self { code: "facectl::invalid-link", reason: error.to_string(), without_value, help: Some(help.to_owned()) }
    }
}

impl From<SourceError> for Wrong {
    fn from(error: SourceError) -> Self {
        let help = match &error {
            SourceError::Link(link) => return link.clone().into(),
            SourceError::NoScheme(true) => "a file is named by a path from the manifest on: ./media/ana.mp4",
            SourceError::NoScheme(false) => {
                "a link begins with https://, an object with s3://, gs:// or az://, and a file with ./ (./ana.mp4)"
            }
            SourceError::FileUrl => "write a path from the manifest on: ./media/ana.mp4",
            SourceError::Path(_) => "write it like ./media/ana.mp4, seen from the manifest",
            SourceError::Bucket(..) | SourceError::NoKey(_) => {
                "write s3://BUCKET/KEY, gs://BUCKET/KEY or az://ACCOUNT/CONTAINER/BLOB"
            }
            SourceError::Key(_) => "name the object as it is listed in its bucket",
            SourceError::Query(_) => {
                "the link is signed when it is sent, so nothing but a version can follow: ?versionId=… (s3), ?generation=… (gs)"
            }
            SourceError::Command => "write exec:PROGRAM ARGUMENTS, quoted as in a shell; no shell sees it",
        };
        let reason = error.to_string();
        // What a variable brought is not shown.
        let without_value = match &error {
            SourceError::Bucket(_, what) => format!("it does not name {what}"),
            SourceError::Query(_) => "what follows the `?` names no version".to_owned(),
            _ => reason.clone(),
        };
        Self { code: "facectl::invalid-source", reason, without_value, help: Some(help.to_owned()) }
    }
}

/// A DNS label near to a text that is none.
fn suggestion(text: &str) -> Option<String> {
    let mut name = String::new();
    for c in text.to_lowercase().chars() {
        match c {
            'a'..='z' | '0'..='9' => name.push(c),
            _ if name.is_empty() || name.ends_with('-') => {}
            _ => name.push('-'),
        }
    }
    name.truncate(63);
    let name = name.trim_end_matches('-');
    (!name.is_empty() && name != text).then(|| name.to_owned())
}

/// Returns the kind of a document, or says why it has none that we know.
pub(super) fn kind_of(resolver: &mut Resolver<'_>) -> Option<Known> {
    match resolver.root.text("kind") {
        Some("Face") => Some(Known::Face),
        Some("Project") => Some(Known::Project),
        Some(other) => {
            let meant = nearest(other, ["Face", "Project"]);
            let help = meant.map_or_else(
                || "facectl knows `Face` and `Project`".to_owned(),
                |meant| format!("did you mean `{meant}`?"),
            );
            let message = format!("`{}` is not a kind of document that facectl knows", clipped(other));
            resolver.say("facectl::kind", resolver.place(&["kind"]), message, Some(help));
            None
        }
        None => {
            let place = resolver.key_place(&["kind"]);
            let help = "begin each document with `apiVersion: facectl.dev/v1` and `kind: Face`".to_owned();
            resolver.say("facectl::missing-field", place, "`kind` is missing", Some(help));
            None
        }
    }
}

/// The kinds of document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    Face,
    Project,
}
