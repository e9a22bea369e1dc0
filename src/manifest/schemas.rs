//! The JSON Schemas of what people write, for editors and other validators (draft 2020-12).

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::document::{FaceDocument, ProjectDocument};
use crate::face::FACE_ID_ANNOTATION;

/// Returns the schema of `kind: Face`, published as `schemas/face.v1.json`.
pub fn face_schema() -> Value {
    let mut schema = generate::<FaceDocument>("face.v1.json");
    if let Some(Value::Object(spec)) = schema.pointer_mut("/properties/spec") {
        spec.insert("not".into(), json!({ "required": ["train_video_url", "train_image_url"] }));
        spec.insert("allOf".into(), source_rules());
    }
    if let Value::Object(root) = &mut schema {
        let is_named = json!({ "required": ["metadata"], "properties": { "metadata": {
            "required": ["annotations"], "properties": { "annotations": { "required": [FACE_ID_ANNOTATION] } }
        } } });
        root.insert("if".into(), json!({ "not": is_named }));
        root.insert(
            "then".into(),
            json!({ "properties": { "spec": {
            "description": "A face that does not exist yet is trained from something.",
            "anyOf": [{ "required": ["train_video_url"] }, { "required": ["train_image_url"] }]
        } } }),
        );
    }
    schema
}

/// Returns the schema of `kind: Project`, published as `schemas/project.v1.json`.
pub fn project_schema() -> Value {
    generate::<ProjectDocument>("project.v1.json")
}

/// The rules of the Create Face call that hang on the kind of the source (docs.tavus.io, October 2026).
fn source_rules() -> Value {
    json!([
        {
            "if": { "required": ["train_image_url"] },
            "then": {
                "description": "A photo has no sound: it needs voice_name or default_voice_id, and not phoenix-3.",
                "oneOf": [{ "required": ["voice_name"] }, { "required": ["default_voice_id"] }],
                "properties": { "model_name": { "not": { "const": "phoenix-3" } } }
            }
        },
        {
            "if": { "required": ["train_video_url"] },
            "then": {
                "description": "A video brings its own voice, and is never repaired.",
                "properties": { "voice_name": false, "auto_fix_training_image": false }
            }
        },
        {
            "if": { "not": { "anyOf": [{ "required": ["train_image_url"] }, { "required": ["train_video_url"] }] } },
            "then": {
                "description": "Nothing says how a face is trained where nothing says from what.",
                "properties": {
                    "voice_name": false,
                    "auto_fix_training_image": false,
                    "training_version": false,
                    "properties": { "properties": { "background_green_screen": false } }
                }
            }
        }
    ])
}

fn generate<T: JsonSchema>(file: &str) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let schema = SchemaGenerator::new(settings).into_root_schema_for::<T>();
    let mut schema = without_null(schema.to_value());
    let id = json!(format!("https://facectl.dev/schemas/{file}"));
    // What it is comes first, for people who open the file.
    let mut whole = Map::new();
    for (name, value) in [("$schema", schema["$schema"].take()), ("$id", id), ("title", schema["title"].take())] {
        whole.insert(name.to_owned(), value);
    }
    if let Value::Object(object) = schema {
        whole.extend(object.into_iter().filter(|(_, value)| !value.is_null()));
    }
    Value::Object(whole)
}

/// Drops every permission for `null`: a field is either left out or has a value, and `name:` with nothing
/// behind it is far more often a slip than a wish.
fn without_null(schema: Value) -> Value {
    match schema {
        Value::Object(object) => Value::Object(object_without_null(object)),
        Value::Array(items) => Value::Array(items.into_iter().map(without_null).collect()),
        other => other,
    }
}

fn object_without_null(object: Map<String, Value>) -> Map<String, Value> {
    let mut kept = Map::new();
    for (key, value) in object {
        match (key.as_str(), value) {
            // Rust's integer widths say nothing to a validator.
            ("format", Value::String(format)) if format.starts_with("uint") => {}
            ("default", Value::Null) => {}
            // A doc comment is wrapped for the source, not for the window of an editor.
            ("description", Value::String(text)) => {
                kept.insert(key, Value::String(text.replace('\n', " ")));
            }
            ("type", Value::Array(types)) => {
                let types: Vec<Value> = types.into_iter().filter(|word| word != "null").collect();
                let value = if let [only] = types.as_slice() { only.clone() } else { Value::Array(types) };
                kept.insert(key, value);
            }
            ("anyOf", Value::Array(options)) => {
                let options: Vec<Value> =
                    options.into_iter().filter(|option| option["type"] != "null").map(without_null).collect();
                match options.as_slice() {
                    [Value::Object(only)] => {
                        for (inner, value) in only {
                            // What the field says about itself beats what its type says.
                            kept.entry(inner.clone()).or_insert_with(|| value.clone());
                        }
                    }
                    _ => {
                        kept.insert(key, Value::Array(options));
                    }
                }
            }
            (_, value) => {
                kept.insert(key, without_null(value));
            }
        }
    }
    kept
}
