//! The written contract as a judge: is this request, or this answer, what `tavus-faces.yaml` allows?
//!
//! Used on both sides: what the sandbox answers and what the client sends are held against one document that neither
//! of them reads. Everything is checked against the new paths; [`with_new_words`] turns legacy answers into them.

#![allow(dead_code, reason = "each test binary that includes this uses its own part of it")]

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

static CONTRACT: LazyLock<Value> = LazyLock::new(|| {
    let text = include_str!("tavus-faces.yaml");
    as_json_schema(serde_yaml::from_str(text).expect("the contract is YAML"))
});

/// Returns every documented operation: method in capitals, path with its placeholders.
pub(crate) fn operations() -> Vec<(String, String)> {
    let methods = ["get", "post", "patch", "put", "delete"];
    let of_path = |(path, item): (&String, &Value)| -> Vec<(String, String)> {
        let documented = methods.iter().filter(|method| item.get(method).is_some());
        documented.map(|method| (method.to_uppercase(), path.clone())).collect()
    };
    paths().iter().flat_map(of_path).collect()
}

/// Checks a request: the path and its query, and the body. The path begins with `/v2`.
///
/// # Errors
///
/// Everything that the contract does not allow, one line each.
pub(crate) fn validate_request(method: &str, path: &str, body: Option<&Value>) -> Result<(), String> {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let (item, operation) = find(method, path)?;
    let mut problems = query_problems(&[item, operation], query);
    let schema = operation.pointer("/requestBody/content/application~1json/schema");
    match (schema, body) {
        (Some(schema), Some(body)) => problems.extend(schema_problems(schema, body)),
        (Some(_), None) => problems.push("a body is required".into()),
        (None, Some(_)) => problems.push("no body is documented".into()),
        (None, None) => {}
    }
    as_result(method, path, problems)
}

/// Checks an answer. `body` is none where the answer has no body, and a JSON text where it is not JSON.
///
/// # Errors
///
/// Everything that the contract does not allow, one line each.
pub(crate) fn validate_response(method: &str, path: &str, status: u16, body: Option<&Value>) -> Result<(), String> {
    let path = path.split('?').next().unwrap_or(path);
    let (_, operation) = find(method, path)?;
    let responses = operation.get("responses").ok_or("the operation has no responses")?;
    let documented = responses.get(status.to_string());
    let response = documented.or_else(|| responses.get("default")).map(resolve);
    let Some(response) = response else { return Err(format!("{method} {path}: status {status} is not documented")) };
    let problems = match (response.pointer("/content/application~1json/schema"), body) {
        // A gateway's page, where the contract expects one.
        (_, Some(Value::String(_))) if response.pointer("/content/text~1html").is_some() => Vec::new(),
        (Some(schema), Some(body)) => schema_problems(schema, body),
        // "Empty, or an object without a contract", and every status that is not documented.
        (Some(_), None) if documented.is_none() || is_open(response) => Vec::new(),
        (Some(_), None) => vec![format!("status {status} needs a body")],
        (None, Some(_)) => vec![format!("status {status} must have no body")],
        (None, None) => Vec::new(),
    };
    as_result(method, path, problems)
}

/// Turns an answer of a legacy path into what the new path would have said.
pub(crate) fn with_new_words(body: Value) -> Value {
    match body {
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| {
                let name = name.replace("replica_", "face_").replace("persona_", "pal_");
                (name, with_new_words(value))
            })
            .collect(),
        Value::Array(items) => items.into_iter().map(with_new_words).collect(),
        other => other,
    }
}

fn paths() -> &'static Map<String, Value> {
    CONTRACT.get("paths").and_then(Value::as_object).expect("the contract has paths")
}

/// Finds the path item and the operation of a request.
fn find(method: &str, path: &str) -> Result<(&'static Value, &'static Value), String> {
    let parts: Vec<&str> = path.split('/').collect();
    let is_it = |template: &str| {
        let template: Vec<&str> = template.split('/').collect();
        template.len() == parts.len()
            && template
                .iter()
                .zip(&parts)
                .all(|(one, other)| one == other || (one.starts_with('{') && !other.is_empty()))
    };
    let item = paths().iter().find(|(template, _)| is_it(template)).map(|(_, item)| item);
    let item = item.ok_or_else(|| format!("{path} is not a documented path"))?;
    let operation = item.get(method.to_lowercase());
    Ok((item, operation.ok_or_else(|| format!("{method} is not documented for {path}"))?))
}

fn resolve(value: &'static Value) -> &'static Value {
    match value.get("$ref").and_then(Value::as_str) {
        Some(reference) => CONTRACT.pointer(reference.trim_start_matches('#')).expect("references lead somewhere"),
        None => value,
    }
}

fn is_open(response: &Value) -> bool {
    response.pointer("/content/application~1json/schema")
        == Some(&json!({ "type": "object", "additionalProperties": true }))
}

fn query_problems(places: &[&'static Value], query: &str) -> Vec<String> {
    let parameters: Vec<&Value> = places
        .iter()
        .filter_map(|place| place.get("parameters").and_then(Value::as_array))
        .flatten()
        .map(resolve)
        .filter(|parameter| parameter["in"] == "query")
        .collect();
    let problems_of = |(name, text): (_, _)| {
        let (name, text): (String, String) = (name, text);
        match parameters.iter().find(|parameter| parameter["name"] == name.as_str()) {
            None => vec![format!("the query parameter {name} is not documented")],
            Some(parameter) => {
                let is_plain = parameter["schema"]["type"] == "string" || parameter["schema"].get("$ref").is_some();
                let value = serde_json::from_str(&text).ok().filter(|_| !is_plain);
                schema_problems(&parameter["schema"], &value.unwrap_or(Value::String(text)))
            }
        }
    };
    url::form_urlencoded::parse(query.as_bytes()).into_owned().flat_map(problems_of).collect()
}

/// Every problem of a value with a schema that may refer to the contract's components.
fn schema_problems(schema: &Value, value: &Value) -> Vec<String> {
    let mut whole = schema.as_object().cloned().unwrap_or_default();
    whole.insert("components".into(), CONTRACT["components"].clone());
    let options = jsonschema::options().with_draft(jsonschema::Draft::Draft202012).should_validate_formats(true);
    let validator = options.build(&Value::Object(whole)).expect("the contract's schemas are valid");
    validator.iter_errors(value).map(|error| format!("{} at {}", error, error.instance_path())).collect()
}

/// OpenAPI 3.0 to JSON Schema: `nullable` becomes a type of its own. Words with an `x-` are ignored by every validator.
fn as_json_schema(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Map<String, Value> =
                fields.into_iter().map(|(name, value)| (name, as_json_schema(value))).collect();
            if fields.get("nullable") != Some(&Value::Bool(true)) {
                return Value::Object(fields);
            }
            fields.remove("nullable");
            if let Some(Value::Array(values)) = fields.get_mut("enum") {
                values.push(Value::Null);
            }
            match fields.get("type").cloned() {
                Some(kind) => {
                    fields.insert("type".into(), json!([kind, "null"]));
                    Value::Object(fields)
                }
                None => json!({ "anyOf": [Value::Object(fields), { "type": "null" }] }),
            }
        }
        Value::Array(items) => items.into_iter().map(as_json_schema).collect(),
        other => other,
    }
}

fn as_result(method: &str, path: &str, problems: Vec<String>) -> Result<(), String> {
    match problems.is_empty() {
        true => Ok(()),
        false => Err(format!("{method} {path}: {}", problems.join("\n"))),
    }
}
