//! What a field is for, in kubectl's manner.

use std::fmt::Write;

use crate::manifest::API_VERSION;
use crate::manifest::fields::Field;

use super::Paint;

/// Returns what there is to explain: the kinds, and how to ask for more.
pub fn kinds_text(kinds: &[Field], paint: Paint) -> String {
    let mut text = format!("{}\n", paint.bold("KINDS:"));
    for kind in kinds {
        let _ = writeln!(text, "  {:<9}{}", kind.name, paint.wrap(&kind.description, 11));
    }
    text.push_str("\nfacectl explain face            what a face is made of\n");
    text.push_str("facectl explain face.spec       the fields in its spec\n");
    text.push_str("facectl explain wait_for        one field, wherever it stands\n");
    text.push_str("facectl explain face --recursive\n                                all fields of a face as a tree\n");
    text
}

/// Returns what a field, or a whole kind, is for. `is_recursive`: the tree of everything below it instead of what
/// each field directly in it is for.
pub fn field_text(kind: &Field, field: &Field, is_recursive: bool, paint: Paint) -> String {
    let Field { name, path, type_word, is_required, description, default, words, limits, rules, fields, schema: _ } =
        field;
    let title = kind.schema["title"].as_str().unwrap_or(&kind.name);
    let mut text = format!("{}     {title}\n{}  {API_VERSION}\n", paint.bold("KIND:"), paint.bold("VERSION:"));
    if path != name {
        let shown = path.split_once('.').map_or(path.as_str(), |(_, below)| below);
        let _ = write!(text, "\n{} {shown} <{type_word}>", paint.bold("FIELD:"));
        text.push_str(if *is_required { " -required-\n" } else { "\n" });
        if let Some(default) = default {
            let _ = writeln!(text, "{} {}", paint.bold("DEFAULT:"), paint.wrap(default, 9));
        }
    }
    let _ = write!(text, "\n{}\n    {}\n", paint.bold("DESCRIPTION:"), paint.wrap(description, 4));
    section(&mut text, "RULES:", rules.iter().map(String::as_str), paint);
    section(&mut text, "LIMITS:", limits.iter().map(String::as_str), paint);
    allowed(&mut text, words, paint);
    if !fields.is_empty() {
        let _ = writeln!(text, "\n{}", paint.bold("FIELDS:"));
        if is_recursive {
            tree(&mut text, fields, 2);
        } else {
            let each: Vec<String> = fields.iter().map(|field| one(field, paint)).collect();
            text.push_str(&each.join("\n"));
        }
    }
    text
}

fn section<'a>(text: &mut String, head: &str, lines: impl Iterator<Item = &'a str>, paint: Paint) {
    for (number, line) in lines.enumerate() {
        if number == 0 {
            let _ = writeln!(text, "\n{}", paint.bold(head));
        }
        let _ = writeln!(text, "    {}", paint.wrap(line, 4));
    }
}

fn allowed(text: &mut String, words: &[(String, Option<String>)], paint: Paint) {
    let widest = words.iter().map(|(word, _)| word.chars().count()).max().unwrap_or_default();
    for (number, (word, meaning)) in words.iter().enumerate() {
        if number == 0 {
            let _ = writeln!(text, "\n{}", paint.bold("ALLOWED:"));
        }
        match meaning {
            Some(meaning) => {
                let _ = writeln!(text, "    {word:<widest$}  {}", paint.wrap(meaning, widest + 6));
            }
            None => {
                let _ = writeln!(text, "    {word}");
            }
        }
    }
}

fn one(field: &Field, paint: Paint) -> String {
    let mut text = format!("{}\n    {}\n", head(field, 2), paint.wrap(&field.description, 4));
    if !field.words.is_empty() {
        let words: Vec<String> = field.words.iter().map(|(word, _)| word.clone()).collect();
        let _ = writeln!(text, "    Allowed:{}", paint.list_behind("Allowed:", &words, 4));
    }
    text
}

fn tree(text: &mut String, fields: &[Field], indent: usize) {
    for field in fields {
        let _ = writeln!(text, "{}", head(field, indent));
        tree(text, &field.fields, indent + 2);
    }
}

fn head(field: &Field, indent: usize) -> String {
    let required = if field.is_required { " -required-" } else { "" };
    format!("{}{} <{}>{required}", " ".repeat(indent), field.name, field.type_word)
}
