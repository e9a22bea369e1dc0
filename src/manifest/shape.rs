//! Which fields there are and what may stand in them, taken from the JSON Schema, and the walk that checks a
//! document against it and stops at nothing.

use std::sync::LazyLock;

use serde_json::Value as Json;
use serde_yaml::Value as Yaml;

use crate::text;

use super::diagnostic::{Diagnostic, nearest};
use super::schemas;
use super::source::{Source, Span};
use super::tree::{Kind, Node, is_null_word};

/// What may stand in a place.
#[derive(Debug)]
pub(super) enum Shape {
    /// A text; numbers and booleans need quotes.
    Text,
    /// One of a closed set of words.
    Word(Vec<String>),
    /// A text, or one of these kinds of value, taken as the text that was written.
    Written(Vec<String>),
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Integer { min: u64, max: u64 },
    /// A list.
    List(Box<Shape>),
    /// A map with keys of the writer's choice.
    Map(Box<Shape>),
    /// A map with these fields.
    Fields(Vec<Field>),
}

#[derive(Debug)]
pub(super) struct Field {
    name: String,
    is_required: bool,
    shape: Shape,
}

/// The shape of `kind: Face`.
pub(super) static FACE: LazyLock<Shape> = LazyLock::new(|| Shape::of(&schemas::face_schema()));
/// The shape of `kind: Project`.
pub(super) static PROJECT: LazyLock<Shape> = LazyLock::new(|| Shape::of(&schemas::project_schema()));

impl Shape {
    fn of(schema: &Json) -> Self {
        if let Some(word) = schema["const"].as_str() {
            return Self::Word(vec![word.to_owned()]);
        }
        if let Some(words) = schema["enum"].as_array() {
            return Self::Word(words.iter().filter_map(Json::as_str).map(str::to_owned).collect());
        }
        match &schema["type"] {
            Json::Array(kinds) => Self::Written(kinds.iter().filter_map(Json::as_str).map(str::to_owned).collect()),
            Json::String(word) => match word.as_str() {
                "boolean" => Self::Bool,
                "integer" => Self::Integer {
                    min: schema["minimum"].as_u64().unwrap_or(0),
                    max: schema["maximum"].as_u64().unwrap_or(u64::from(u32::MAX)),
                },
                "array" => Self::List(Box::new(Self::of(&schema["items"]))),
                "object" => Self::of_object(schema),
                _ => Self::Text,
            },
            _ => match schema["oneOf"].as_array() {
                Some(options) => Self::Word(
                    options.iter().filter_map(|option| option["const"].as_str()).map(str::to_owned).collect(),
                ),
                None => Self::Text,
            },
        }
    }

    fn of_object(schema: &Json) -> Self {
        // Known names among free ones are for editors: any other may stand beside them.
        let is_free = schema["additionalProperties"].is_object();
        let Some(properties) = schema["properties"].as_object().filter(|_| !is_free) else {
            return Self::Map(Box::new(Self::of(&schema["additionalProperties"])));
        };
        let required = schema["required"].as_array().map(Vec::as_slice).unwrap_or_default();
        let field = |(name, schema): (&String, &Json)| Field {
            is_required: required.iter().any(|word| word == name),
            shape: Self::of(schema),
            name: name.clone(),
        };
        Self::Fields(properties.iter().map(field).collect())
    }

    /// What is wanted, as in "must be …".
    fn wanted(&self) -> String {
        match self {
            Self::Text => "a text".to_owned(),
            Self::Word(words) => match words.as_slice() {
                [only] => format!("`{only}`"),
                words => format!("one of {}", listed(words.iter().map(String::as_str))),
            },
            Self::Written(kinds) if kinds.iter().any(|kind| kind == "integer") => "a text or a whole number".to_owned(),
            Self::Written(_) => "a single value".to_owned(),
            Self::Bool => "`true` or `false`".to_owned(),
            Self::Integer { min: 0, max } if *max == u64::from(u32::MAX) => "a whole number".to_owned(),
            Self::Integer { min, max } => format!("a whole number from {min} to {max}"),
            Self::List(_) => "a list".to_owned(),
            Self::Map(_) | Self::Fields(_) => "a map of fields".to_owned(),
        }
    }
}

/// Fields that people try to use and that are not there, with the reason.
const REFUSED: [(&str, &str); 5] = [
    (
        "consent_video_url",
        "the separate consent clip is deprecated by Tavus; let the person speak the consent sentence at the start of \
         the training video",
    ),
    ("replica_name", "Tavus now calls replicas faces: write `face_name`"),
    ("id", "facectl finds the face by itself; to take over a live face, run `facectl import KEY FACE_ID`"),
    ("face_id", "the id is chosen by Tavus; to take over a live face, run `facectl import KEY FACE_ID`"),
    ("api_key", "a key never stands in a file under version control; set TAVUS_API_KEY or use --api-key-file"),
];

/// Checks one document and keeps what is sound.
pub(super) struct Walk<'a> {
    source: &'a Source,
    out: &'a mut Vec<Diagnostic>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(source: &'a Source, out: &'a mut Vec<Diagnostic>) -> Self {
        Self { source, out }
    }

    /// Returns the value without everything that does not fit, after saying what that is.
    pub(super) fn check(&mut self, node: &Node, shape: &Shape) -> Option<Yaml> {
        self.value(node, shape, &mut String::new(), node.span)
    }

    fn say(&mut self, code: &'static str, span: Span, message: String, help: Option<String>) {
        self.out.push(Diagnostic::error(code, self.source.place(span), message).help_if(help));
    }

    fn value(&mut self, node: &Node, shape: &Shape, path: &mut String, key: Span) -> Option<Yaml> {
        if node.is_null() {
            let help = format!("give it a value ({}), or leave the field out", shape.wanted());
            self.say("facectl::null-value", key, format!("`{}` has no value", shown(path)), Some(help));
            return None;
        }
        match (shape, &node.kind) {
            (Shape::Fields(fields), Kind::Map(_)) => Some(self.fields(node, fields, path, key)),
            (Shape::Map(inner), Kind::Map(entries)) => {
                let mut map = serde_yaml::Mapping::new();
                for entry in entries {
                    if let Some(value) =
                        self.below(path, &entry.key, |walk, path| walk.value(&entry.value, inner, path, entry.key_span))
                    {
                        map.insert(entry.key.clone().into(), value);
                    }
                }
                Some(Yaml::Mapping(map))
            }
            (Shape::List(inner), Kind::List(items)) => {
                let items = items.iter().filter_map(|item| self.value(item, inner, path, item.span));
                Some(Yaml::Sequence(items.collect()))
            }
            (_, Kind::Scalar { text, plain }) => self.scalar(node, shape, text, *plain, path),
            (_, Kind::List(_)) => self.wrong_type(node, shape, path, "a list", None),
            (_, Kind::Map(_)) => self.wrong_type(node, shape, path, "a map", None),
        }
    }

    fn below<T>(&mut self, path: &mut String, key: &str, then: impl FnOnce(&mut Self, &mut String) -> T) -> T {
        let length = path.len();
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(key);
        let result = then(self, path);
        path.truncate(length);
        result
    }

    fn fields(&mut self, node: &Node, fields: &[Field], path: &mut String, key: Span) -> Yaml {
        let mut map = serde_yaml::Mapping::new();
        let Kind::Map(entries) = &node.kind else { return Yaml::Mapping(map) };
        for entry in entries {
            let Some(field) = fields.iter().find(|field| field.name == entry.key) else {
                self.unknown(&entry.key, entry.key_span, fields, path);
                continue;
            };
            if let Some(value) =
                self.below(path, &entry.key, |walk, path| walk.value(&entry.value, &field.shape, path, entry.key_span))
            {
                map.insert(entry.key.clone().into(), value);
            }
        }
        for field in fields.iter().filter(|field| field.is_required && node.entry(&field.name).is_none()) {
            let at = if path.is_empty() { first_line(self.source, key) } else { key };
            let name = self.below(path, &field.name, |_, path| path.clone());
            let help = format!("add `{name}`: {}", field.shape.wanted());
            self.say("facectl::missing-field", at, format!("`{name}` is missing"), Some(help));
        }
        Yaml::Mapping(map)
    }

    fn unknown(&mut self, name: &str, span: Span, fields: &[Field], path: &str) {
        let within = if path.is_empty() { String::new() } else { format!(" in `{path}`") };
        let code = "facectl::unknown-field";
        if let Some((_, reason)) = REFUSED.iter().find(|(refused, _)| *refused == name) {
            let code = if name == "consent_video_url" { "facectl::deprecated-field" } else { code };
            return self.say(code, span, format!("`{name}` cannot be used{within}"), Some((*reason).to_owned()));
        }
        if name.trim().is_empty() {
            let help = "a field is written `name: value`".to_owned();
            return self.say(code, span, format!("a field{within} has no name"), Some(help));
        }
        let names = || fields.iter().map(|field| field.name.as_str());
        let all = format!("allowed here: {}", listed(names()));
        let help = match nearest(name, names()) {
            Some(meant) => format!("did you mean `{meant}`? ({all})"),
            None => all,
        };
        self.say(code, span, format!("`{}` is not a field{within}", clipped(name)), Some(help));
    }

    fn wrong_type(&mut self, node: &Node, shape: &Shape, path: &str, is: &str, help: Option<String>) -> Option<Yaml> {
        let message = format!("`{}` must be {}, this is {is}", shown(path), shape.wanted());
        self.say("facectl::wrong-type", node.span, message, help);
        None
    }

    fn scalar(&mut self, node: &Node, shape: &Shape, text: &str, plain: bool, path: &str) -> Option<Yaml> {
        match shape {
            Shape::Written(kinds) => {
                let is_integer = text.parse::<i128>().is_ok();
                let takes = |kind: &str| kinds.iter().any(|word| word == kind);
                match meaning(text).filter(|_| plain) {
                    Some(is)
                        if !(is == "a boolean" && takes("boolean")
                            || is == "a number" && (takes("number") || takes("integer") && is_integer)) =>
                    {
                        let help = Some(format!("put it in quotes: \"{}\"", clipped(text)));
                        self.wrong_type(node, shape, path, is, help)
                    }
                    _ => Some(text.to_owned().into()),
                }
            }
            Shape::Text => match (plain, meaning(text)) {
                (true, Some(is)) => {
                    let help = Some(format!("put it in quotes: \"{}\"", clipped(text)));
                    self.wrong_type(node, shape, path, is, help)
                }
                _ => Some(text.to_owned().into()),
            },
            Shape::Word(words) => {
                if words.iter().any(|word| word == text) {
                    return Some(text.to_owned().into());
                }
                let meant = nearest(text, words.iter().map(String::as_str));
                let help = match (no_variables(text), meant, words.as_slice()) {
                    (Some(help), _, _) => Some(help),
                    (None, Some(meant), [_, _, ..]) => Some(format!("did you mean `{meant}`?")),
                    _ => None,
                };
                let message = format!("`{}` must be {}, this is `{}`", shown(path), shape.wanted(), clipped(text));
                self.say("facectl::unknown-value", node.span, message, help);
                None
            }
            Shape::Bool => match (plain, text) {
                (true, "true" | "True" | "TRUE") => Some(true.into()),
                (true, "false" | "False" | "FALSE") => Some(false.into()),
                (true, "yes" | "Yes" | "YES" | "on" | "On" | "ON") => self.bool_word(node, shape, text, path, "true"),
                (true, "no" | "No" | "NO" | "off" | "Off" | "OFF") => self.bool_word(node, shape, text, path, "false"),
                (false, "true" | "false") => self.bool_word(node, shape, &format!("\"{text}\""), path, text),
                _ => self.wrong_type(node, shape, path, "something else", no_variables(text)),
            },
            Shape::Integer { min, max } => match text.parse::<u64>() {
                Ok(number) if plain && (*min..=*max).contains(&number) && number.to_string() == text => {
                    Some(number.into())
                }
                _ => self.wrong_type(node, shape, path, &format!("`{}`", clipped(text)), no_variables(text)),
            },
            Shape::List(_) | Shape::Map(_) | Shape::Fields(_) => {
                let help =
                    matches!(shape, Shape::List(_)).then(|| format!("write it in brackets: [{}]", clipped(text)));
                self.wrong_type(node, shape, path, "a single value", help)
            }
        }
    }

    fn bool_word(&mut self, node: &Node, shape: &Shape, is: &str, path: &str, write: &str) -> Option<Yaml> {
        self.wrong_type(node, shape, path, &format!("`{is}`"), Some(format!("write `{write}`, without quotes")))
    }
}

fn no_variables(text: &str) -> Option<String> {
    text.contains("${").then(|| "variables can stand in free texts only, such as links and names".to_owned())
}

/// The first line of a document, for what is wrong with it as a whole.
fn first_line(source: &Source, span: Span) -> Span {
    let start = span.start as usize;
    let line = source.text().get(start..).and_then(|text| text.lines().next()).unwrap_or_default();
    Span::new(start, start + line.trim_end().len())
}

fn shown(path: &str) -> &str {
    if path.is_empty() { "the document" } else { path }
}

/// A text from a file, short enough for a message, and without what could be a secret in a link.
pub(super) fn clipped(text: &str) -> String {
    const LIMIT: usize = 60;
    text::clipped(&text::visible(&text::redact_value(text)), LIMIT)
}

pub(super) fn listed<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.collect::<Vec<_>>().join(", ")
}

/// What a text without quotes is in YAML 1.2, if it is not simply a text.
fn meaning(text: &str) -> Option<&'static str> {
    if is_null_word(text) {
        return Some("nothing");
    }
    if matches!(text, "true" | "True" | "TRUE" | "false" | "False" | "FALSE") {
        return Some("a boolean");
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is_radix = |prefix: &str, radix: u32| {
        digits.strip_prefix(prefix).is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_digit(radix)))
    };
    let is_decimal = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && digits.contains(|c: char| c.is_ascii_digit())
        && digits.parse::<f64>().is_ok();
    let is_special = matches!(digits, ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN");
    (is_decimal || is_special || is_radix("0x", 16) || is_radix("0o", 8)).then_some("a number")
}
