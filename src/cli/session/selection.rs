//! Whether what a command line selects is there at all.

use std::collections::{BTreeMap, BTreeSet};

use crate::face::{DesiredFace, FaceKey, Recorded};
use crate::manifest::nearest;
use crate::plan::{KeyPattern, Policy, Scope, Selection};

use super::super::error::CliError;
use super::Workspace;

/// Keys and labels named in one hint.
const NAMED: usize = 20;

impl Workspace {
    /// Checks that a selection means something: a slip must not pass for "no changes", nor must a face be paid
    /// for that somebody believes to have excluded.
    ///
    /// # Errors
    /// When a target or an excluded key fits no face, nothing is selected, or a face that is to be paid for again
    /// was left out.
    pub fn check_selection(&self, policy: &Policy, recorded: &Recorded) -> Result<(), CliError> {
        let selection = &policy.selection;
        if selection.is_everything() {
            return Ok(());
        }
        let declared = &self.desired().faces;
        let remembered: BTreeSet<&FaceKey> = recorded.faces.keys().chain(recorded.open.keys()).collect();
        let is_whole = policy.scope == Scope::Whole;
        let known: BTreeSet<&FaceKey> =
            declared.keys().chain(remembered.iter().copied().filter(|_| is_whole)).collect();
        let Selection { targets, exclude, labels: _, since } = selection;
        let is_there = |pattern: &&KeyPattern| known.iter().any(|key| pattern.is_met_by(key));
        if let Some(pattern) = targets.iter().find(|pattern| !is_there(pattern)) {
            let is_elsewhere = remembered.iter().any(|key| pattern.is_met_by(key));
            return Err(no_such("--target", pattern, &known, is_elsewhere));
        }
        // A pattern may well exclude nothing today. A key that is not there is a slip.
        if let Some(pattern) = exclude.iter().find(|pattern| pattern.is_one_key() && !is_there(pattern)) {
            return Err(no_such("--exclude", pattern, &known, false));
        }
        let is_selected = |key: &FaceKey| selection.selects(key, declared.get(key).map(|face| &face.labels));
        // That nothing changed is an answer, and no slip.
        if since.is_none() && !known.iter().any(|key| is_selected(key)) {
            return Err(CliError::new(format!("`{selection}` selects no face; nothing was changed"))
                .hint(labels_hint(declared)));
        }
        let named = [
            ("--recreate", &policy.recreate),
            ("--retry", &policy.retry),
            ("--create-new", &policy.create_new),
            ("--roll-forward", &policy.roll_forward),
        ];
        let mut named = named.into_iter().flat_map(|(flag, keys)| keys.iter().map(move |key| (flag, key)));
        match named.find(|(_, key)| !is_selected(key)) {
            Some((flag, key)) => Err(CliError::new(format!(
                "{flag} {key} says to train a face that `{selection}` leaves out; nothing was changed"
            ))
            .hint(format!("select it too (--target {key}), or leave {flag} away"))),
            None => Ok(()),
        }
    }
}

fn no_such(flag: &str, pattern: &KeyPattern, known: &BTreeSet<&FaceKey>, is_elsewhere: bool) -> CliError {
    let what = if pattern.is_one_key() { "there is no such face" } else { "no face fits" };
    let error = CliError::new(format!("{flag} {pattern}: {what}; nothing was changed"));
    if is_elsewhere {
        return error.hint("it is recorded, but the manifests that were given do not declare it, and they are only a part of the project: leave the paths away");
    }
    let names = known.iter().map(|key| key.as_str());
    match nearest(pattern.as_str(), names.clone()) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint(format!("there are: {}", some_of(names.map(ToOwned::to_owned)))),
    }
}

fn labels_hint(declared: &BTreeMap<FaceKey, DesiredFace>) -> String {
    let labels: BTreeSet<String> =
        declared.values().flat_map(|face| face.labels.iter().map(|(name, value)| format!("{name}={value}"))).collect();
    match labels.is_empty() {
        true => "none of the declared faces has labels: they stand under metadata.labels".to_owned(),
        false => format!("the labels in the manifests are: {}", some_of(labels.into_iter())),
    }
}

fn some_of(names: impl Iterator<Item = String>) -> String {
    let names: Vec<String> = names.collect();
    match names.len().saturating_sub(NAMED) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names[..NAMED].join(", ")),
    }
}
