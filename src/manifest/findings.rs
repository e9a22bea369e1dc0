//! What was found about material, told where the manifest names it.

use std::collections::{BTreeMap, BTreeSet};

use crate::face::{Finding, Severity as FindingSeverity};

use super::diagnostic::{Diagnostic, Place, sort};
use super::load::Loaded;
use super::resolve::{IMAGE, VIDEO};
use super::resolver::Resolver;
use super::tree::Documents;
use super::variables::Variables;

/// Returns what was found about the material of faces, each at the place in its manifest where the material is named.
/// `found` is in the order of the keys.
pub fn material_diagnostics<'a>(
    loaded: &Loaded,
    found: impl IntoIterator<Item = (&'a crate::face::FaceKey, &'a Finding)>,
) -> Vec<Diagnostic> {
    let found: Vec<_> = found.into_iter().collect();
    let files = found.iter().filter_map(|(key, _)| Some(loaded.desired.faces.get(*key)?.origin.file.as_str()));
    let places = source_places(loaded, &files.collect());
    let told = found.into_iter().map(|(key, finding)| {
        let place = places.get(key.as_str()).cloned().unwrap_or_else(|| Place::whole("."));
        let message = format!("{key}: {}", finding.line());
        let diagnostic = match finding.severity {
            FindingSeverity::Error => Diagnostic::error("facectl::material", place, message),
            FindingSeverity::Advice => Diagnostic::warning("facectl::material", place, message),
        };
        diagnostic.help_if(finding.help.clone())
    });
    let mut all: Vec<Diagnostic> = told.collect();
    sort(&mut all);
    all
}

/// Returns where the manifests in these files name their material. The texts are read once more: only who asks pays for
/// it.
fn source_places(loaded: &Loaded, files: &BTreeSet<&str>) -> BTreeMap<String, Place> {
    let mut places = BTreeMap::new();
    let no_values = BTreeMap::new();
    let no_variables = Variables::of(&no_values);
    for source in loaded.sources.iter().filter(|source| files.contains(source.name().as_ref())) {
        // Nothing is wrong with any of them: they were loaded.
        let mut out = Vec::new();
        let mut documents = Documents::of(source);
        while let Some(document) = documents.next(&mut out) {
            let Some(root) = &document.root else { continue };
            let Some(name) = root.entry("metadata").and_then(|metadata| metadata.value.text("name")) else { continue };
            let resolver = Resolver { source, root, variables: &no_variables, out: &mut Vec::new() };
            let has = |field: &str| root.entry("spec").is_some_and(|spec| spec.value.entry(field).is_some());
            let path = if has(VIDEO[1]) { VIDEO } else { IMAGE };
            places.entry(name.to_owned()).or_insert_with(|| resolver.place(&path));
        }
    }
    places
}
