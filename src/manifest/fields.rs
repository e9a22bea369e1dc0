//! The fields of the two kinds as a tree for people, read off the JSON Schemas, so that it says what is checked.

mod find;

use serde_json::Value;

use super::schemas::{face_schema, project_schema};
use super::shape::listed;

pub use find::{Found, NotFound, find};

/// One field, or a whole kind at the root.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Its name; of a kind, its word in small letters.
    pub name: String,
    /// Where it stands, from the kind on: `face.spec.lifecycle`.
    pub path: String,
    /// What it holds, in kubectl's manner: `string`, `Object`, `[]string`, `map[string]string`.
    pub type_word: String,
    /// Whether it must be there.
    pub is_required: bool,
    /// What it is for.
    pub description: String,
    /// What holds where it is left out.
    pub default: Option<String>,
    /// The only words it takes, each with what it means, where that is said.
    pub words: Vec<(String, Option<String>)>,
    /// How long, how large, of what form.
    pub limits: Vec<String>,
    /// What its fields must be to each other.
    pub rules: Vec<String>,
    /// The fields in it.
    pub fields: Vec<Field>,
    /// Its part of the schema.
    pub schema: Value,
}

impl Field {
    fn of(name: &str, path: String, is_required: bool, schema: &Value) -> Self {
        let description = schema["description"].as_str().unwrap_or_default().to_owned();
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let below = |(name, schema): (&String, &Value)| {
            Self::of(name, format!("{path}.{name}"), required.contains(&name.as_str()), schema)
        };
        let fields = schema["properties"].as_object().into_iter().flatten().map(below).collect();
        Self {
            name: name.to_owned(),
            type_word: type_word(schema),
            is_required,
            default: default(schema, &description),
            words: words(schema),
            limits: limits(schema),
            rules: rules(schema),
            fields,
            schema: schema.clone(),
            description,
            path,
        }
    }

    /// Returns this field and everything below it, parents first.
    pub fn walk(&self) -> Vec<&Self> {
        std::iter::once(self).chain(self.fields.iter().flat_map(Self::walk)).collect()
    }
}

/// Returns both kinds, the one that people write most first.
pub fn kinds() -> [Field; 2] {
    [("face", face_schema()), ("project", project_schema())]
        .map(|(name, schema)| Field::of(name, name.to_owned(), true, &schema))
}

fn type_word(schema: &Value) -> String {
    match &schema["type"] {
        Value::Array(types) => types.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("|"),
        Value::String(word) => match word.as_str() {
            "array" => format!("[]{}", type_word(&schema["items"])),
            "object" if schema["properties"].is_object() => "Object".to_owned(),
            "object" => format!("map[string]{}", type_word(&schema["additionalProperties"])),
            word => word.to_owned(),
        },
        // A closed set of words names no type.
        _ => "string".to_owned(),
    }
}

/// The schema's own default, else what the description calls one: it is checked by no validator, but it stands
/// beside the type in the code.
fn default(schema: &Value, description: &str) -> Option<String> {
    if let Some(value) = schema.get("default") {
        return Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    }
    let (_, rest) = description.split_once("Default: ")?;
    let sentence = rest.split_once(". ").map_or(rest, |(sentence, _)| sentence);
    Some(sentence.trim_end_matches('.').to_owned())
}

fn words(schema: &Value) -> Vec<(String, Option<String>)> {
    let plain = schema.get("const").into_iter().chain(schema["enum"].as_array().into_iter().flatten());
    let plain = plain.filter_map(|word| Some((word.as_str()?.to_owned(), None)));
    let explained = schema["oneOf"].as_array().into_iter().flatten().filter_map(|option| {
        Some((option["const"].as_str()?.to_owned(), option["description"].as_str().map(str::to_owned)))
    });
    plain.chain(explained).collect()
}

fn limits(schema: &Value) -> Vec<String> {
    let number = |name: &str| schema[name].as_u64();
    let mut limits = Vec::new();
    match (number("minLength"), number("maxLength")) {
        (Some(min), Some(max)) => limits.push(format!("{min} to {max} characters")),
        (None, Some(max)) => limits.push(format!("at most {max} characters")),
        (Some(1), None) => limits.push("not empty".to_owned()),
        (Some(min), None) => limits.push(format!("at least {min} characters")),
        (None, None) => {}
    }
    match (number("minimum"), number("maximum")) {
        (Some(min), Some(max)) => limits.push(format!("from {min} to {max}")),
        (None, Some(max)) => limits.push(format!("at most {max}")),
        (Some(min), None) if min > 0 => limits.push(format!("at least {min}")),
        _ => {}
    }
    limits.extend(schema["pattern"].as_str().map(|pattern| format!("of the form {pattern}")));
    limits.extend(schema["propertyNames"]["pattern"].as_str().map(|pattern| format!("keys of the form {pattern}")));
    let examples: Vec<&str> = schema["examples"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if !examples.is_empty() {
        limits.push(format!("such as {}", listed(examples.into_iter())));
    }
    limits
}

fn rules(schema: &Value) -> Vec<String> {
    let required = |option: &Value| option["required"][0].as_str().map(str::to_owned);
    let options: Vec<String> = schema["oneOf"].as_array().into_iter().flatten().filter_map(required).collect();
    let one_of = (!options.is_empty())
        .then(|| format!("Exactly one of {} must be there.", listed(options.iter().map(String::as_str))));
    let conditions = schema["allOf"].as_array().into_iter().flatten();
    let conditions = conditions.filter_map(|rule| {
        let when = rule["if"]["required"][0].as_str()?;
        Some(format!("With {when}: {}", rule["then"]["description"].as_str()?))
    });
    one_of.into_iter().chain(conditions).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_of_both_kinds_says_what_it_is_for() {
        for field in kinds().iter().flat_map(|kind| kind.walk()) {
            assert!(!field.description.is_empty(), "{} has no description", field.path);
            assert!(!field.type_word.is_empty() && !field.type_word.contains("null"), "{}", field.path);
        }
    }

    #[test]
    fn a_default_is_what_the_description_calls_one() {
        let kinds = kinds();
        let default = |path: &str| {
            let field = kinds.iter().flat_map(|kind| kind.walk()).find(|field| field.path == path).unwrap();
            field.default.clone().unwrap_or_default()
        };
        for (path, expected) in [
            ("face.spec.face_name", "`metadata.name`"),
            ("face.spec.model_name", "the project's, else phoenix-4"),
            ("face.spec.lifecycle.on_removal", "retain"),
            ("face.spec.lifecycle.protect", "false"),
            ("face.spec.train_video_url", ""),
            ("project.spec.state_dir", "`.facectl`"),
            ("project.spec.limits.max_trainings", "10"),
        ] {
            assert_eq!(default(path), expected, "{path}");
        }
    }

    #[test]
    fn every_default_that_is_a_word_is_one_of_the_allowed_words() {
        for field in kinds().iter().flat_map(|kind| kind.walk()) {
            let Some(default) = field.default.as_deref().filter(|_| !field.words.is_empty()) else { continue };
            let is_word = field.words.iter().any(|(word, _)| default == word || default.ends_with(&format!(" {word}")));
            assert!(is_word, "{}: {default}", field.path);
        }
    }
}
