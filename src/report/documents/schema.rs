//! The JSON Schemas of what programs read (draft 2020-12).

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

/// Returns the schema of a document as it is written, published as `schemas/KIND.v1.json`.
pub fn document_schema<T: JsonSchema>(kind: &str) -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let mut schema = SchemaGenerator::new(settings).into_root_schema_for::<T>().to_value();
    // What it is comes first, for people who open the file.
    let mut whole = Map::new();
    let id = json!(format!("https://facectl.dev/schemas/{kind}.v1.json"));
    for (name, value) in [("$schema", schema["$schema"].take()), ("$id", id), ("title", schema["title"].take())] {
        whole.insert(name.to_owned(), value);
    }
    if let Value::Object(object) = schema {
        whole.extend(object.into_iter().filter(|(_, value)| !value.is_null()));
    }
    let mut whole = Value::Object(whole);
    tidy(&mut whole);
    whole
}

/// Drops what says nothing to a validator, and the line ends of doc comments, which are wrapped for the source.
fn tidy(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            let is_width = |format: &Value| {
                let widths = ["int", "uint", "float", "double"];
                format.as_str().is_some_and(|format| widths.iter().any(|width| format.starts_with(width)))
            };
            if object.get("format").is_some_and(is_width) {
                object.remove("format");
            }
            if let Some(Value::String(text)) = object.get_mut("description") {
                *text = text.replace('\n', " ");
            }
            object.values_mut().for_each(tidy);
        }
        Value::Array(items) => items.iter_mut().for_each(tidy),
        _ => {}
    }
}
