//! Finds the field that a person means.

use super::Field;
use crate::manifest::diagnostic::nearest;

/// The field that was meant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found<'a> {
    /// The kind it belongs to.
    pub kind: &'a Field,
    /// The field, or the kind itself.
    pub field: &'a Field,
    /// Whether the kind was not named, so that it must be said which one was taken.
    pub is_guessed: bool,
    /// A field of the other kind that could have been meant as well.
    pub other: Option<&'a Field>,
}

/// No field, or not a single one, is called like that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotFound {
    /// Why. Fits after "error: ".
    pub why: String,
    /// Whole paths of what may have been meant, best first.
    pub near: Vec<String>,
}

/// Finds a field by its path: from the kind on (`face.spec.lifecycle`), from the top of a document on
/// (`spec.lifecycle`, a face's where both kinds have it), or by its end alone (`lifecycle.protect`).
///
/// # Errors
/// When there is none, or when several of one kind end like that.
pub fn find<'a>(kinds: &'a [Field], text: &str) -> Result<Found<'a>, NotFound> {
    let words: Vec<&str> = text.trim().trim_start_matches('.').split('.').collect();
    let (first, rest) = words.split_first().map_or(("", [].as_slice()), |(first, rest)| (*first, rest));
    if let Some(kind) = kinds.iter().find(|kind| is_kind(kind, first)) {
        let field = descend(kind, rest).map_err(|at| not_below(at, text, kinds))?;
        return Ok(Found { kind, field, is_guessed: false, other: None });
    }
    let from_the_top = kinds.iter().filter_map(|kind| Some((kind, descend(kind, &words).ok()?)));
    if let Some(found) = one_of(&from_the_top.collect::<Vec<_>>()) {
        return Ok(found);
    }
    if let Some(kind) = kinds.iter().find(|kind| kind.fields.iter().any(|field| field.name == first)) {
        let Err(at) = descend(kind, &words) else { return Err(unknown(text, kinds)) };
        return Err(not_below(at, text, kinds));
    }
    let end = format!(".{}", words.join("."));
    let by_end =
        |kind: &'a Field| kind.walk().into_iter().filter(|field| field.path.ends_with(&end)).collect::<Vec<_>>();
    let mut all = Vec::new();
    for kind in kinds {
        match by_end(kind).as_slice() {
            [] => {}
            [only] => all.push((kind, *only)),
            several if all.is_empty() => {
                return Err(NotFound {
                    why: format!("several fields are called `{text}`"),
                    near: several.iter().map(|field| field.path.clone()).collect(),
                });
            }
            _ => {}
        }
    }
    one_of(&all).ok_or_else(|| unknown(text, kinds))
}

/// The first of the kinds wins; the other one is kept to be told of.
fn one_of<'a>(all: &[(&'a Field, &'a Field)]) -> Option<Found<'a>> {
    let (kind, field) = *all.first()?;
    Some(Found { kind, field, is_guessed: true, other: all.get(1).map(|(_, field)| *field) })
}

fn is_kind(kind: &Field, word: &str) -> bool {
    let word = word.to_lowercase();
    word == kind.name || word.strip_suffix('s') == Some(kind.name.as_str())
}

/// Where a path leads nowhere: the last field that is there, and the word that is not.
struct Astray<'a, 'w> {
    parent: &'a Field,
    word: &'w str,
}

fn descend<'a, 'w>(from: &'a Field, words: &[&'w str]) -> Result<&'a Field, Astray<'a, 'w>> {
    words.iter().try_fold(from, |parent, word| {
        parent.fields.iter().find(|field| field.name == *word).ok_or(Astray { parent, word })
    })
}

fn not_below(astray: Astray<'_, '_>, text: &str, kinds: &[Field]) -> NotFound {
    let Astray { parent, word } = astray;
    if parent.fields.is_empty() {
        let what = match parent.type_word.split_once('[') {
            Some(("map", _)) => "a map whose keys are of your choice",
            Some(_) => "a list",
            None => "a single value",
        };
        return NotFound {
            why: format!("there is nothing below `{}`: it is {what}", parent.path),
            near: vec![parent.path.clone()],
        };
    }
    let names = parent.fields.iter().map(|field| field.name.as_str());
    let near = nearest(word, names).map(|name| format!("{}.{name}", parent.path));
    let mut near: Vec<String> = near.map_or_else(|| unknown(text, kinds).near, |near| vec![near]);
    if near.is_empty() {
        near.extend(parent.fields.iter().map(|field| field.path.clone()));
    }
    NotFound { why: format!("`{}` has no field `{word}`", parent.path), near }
}

fn unknown(text: &str, kinds: &[Field]) -> NotFound {
    let last = text.rsplit('.').next().unwrap_or(text);
    let all: Vec<&Field> = kinds.iter().flat_map(Field::walk).collect();
    // The same name may stand in several places: all of them are worth showing.
    let name = nearest(last, all.iter().map(|field| field.name.as_str()));
    let near = all.iter().filter(|field| Some(field.name.as_str()) == name).map(|field| field.path.clone()).collect();
    NotFound { why: format!("there is no field `{text}`"), near }
}

#[cfg(test)]
mod tests {
    use super::super::kinds;
    use super::*;

    fn found(text: &str) -> String {
        let kinds = kinds();
        match find(&kinds, text) {
            Ok(Found { kind: _, field, is_guessed, other }) => {
                let other = other.map(|field| format!(" or {}", field.path)).unwrap_or_default();
                format!("{}{}{other}", if is_guessed { "? " } else { "" }, field.path)
            }
            Err(NotFound { why, near }) => format!("{why} -> {}", near.join(", ")),
        }
    }

    #[test]
    fn a_field_is_found_by_as_much_of_its_path_as_is_needed() {
        for (text, expected) in [
            ("face", "face"),
            ("Faces", "face"),
            ("PROJECT", "project"),
            ("face.spec.lifecycle.on_removal", "face.spec.lifecycle.on_removal"),
            ("project.spec.limits", "project.spec.limits"),
            ("spec.lifecycle", "? face.spec.lifecycle"),
            (".spec.lifecycle", "? face.spec.lifecycle"),
            ("spec", "? face.spec or project.spec"),
            ("spec.limits", "? project.spec.limits"),
            ("lifecycle.protect", "? face.spec.lifecycle.protect or project.spec.defaults.lifecycle.protect"),
            ("protect", "? face.spec.lifecycle.protect or project.spec.defaults.lifecycle.protect"),
            ("max_trainings", "? project.spec.limits.max_trainings"),
            ("defaults.lifecycle", "? project.spec.defaults.lifecycle"),
        ] {
            assert_eq!(found(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_not_there_is_answered_with_what_is_near() {
        for (text, expected) in [
            (
                "face.spec.lifecycle.on_removel",
                "`face.spec.lifecycle` has no field `on_removel` -> face.spec.lifecycle.on_removal",
            ),
            (
                "face.protect",
                "`face` has no field `protect` -> face.spec.lifecycle.protect, project.spec.defaults.lifecycle.protect",
            ),
            ("trainVideoUrl", "there is no field `trainVideoUrl` -> face.spec.train_video_url"),
            (
                "face.metadata.labels.team",
                "there is nothing below `face.metadata.labels`: it is a map whose keys are of your choice -> face.metadata.labels",
            ),
            (
                "project.spec.manifests.0",
                "there is nothing below `project.spec.manifests`: it is a list -> project.spec.manifests",
            ),
            (
                "spec.face_name.x",
                "there is nothing below `face.spec.face_name`: it is a single value -> face.spec.face_name",
            ),
            ("xyzzy", "there is no field `xyzzy` -> "),
            ("", "there is no field `` -> "),
            ("face..spec", "`face` has no field `` -> face.spec, project.spec"),
            ("💥", "there is no field `💥` -> "),
        ] {
            assert_eq!(found(text), expected, "{text}");
        }
    }
}
