//! A look into a project file without judging it: for those who only need one thing of it.

use std::path::Path;

use crate::face::ProjectName;

use super::discover::project_file;
use super::load::LoadRequest;
use super::source::read_file;
use super::tree::{Documents, Kind, Node};

/// Returns the project's name, if the file says one that can be used.
pub fn name(file: &Path) -> Option<ProjectName> {
    root(file)?.entry("metadata")?.value.text("name")?.parse().ok()
}

/// Returns the name in the project file that a command line means, whatever else is wrong with that file. None where
/// there is no such file, where it is not to be read, or where it says no name that can be used.
pub fn name_of_project(request: &LoadRequest) -> Option<ProjectName> {
    let LoadRequest { paths, project_file: named, cwd, .. } = request;
    let file = match named {
        Some(file) => cwd.join(file),
        None => project_file(paths, cwd).ok()??,
    };
    // The name in a face's document is the face's key.
    name(&file).filter(|_| root(&file).is_none_or(|root| root.text("kind") != Some("Face")))
}

/// Returns what `spec.manifests` names; nothing where it cannot be read.
pub(super) fn manifests(file: &Path) -> Vec<String> {
    let root = root(file);
    let spec = root.as_ref().and_then(|root| root.entry("spec"));
    let Some(Kind::List(items)) = spec.and_then(|spec| spec.value.entry("manifests")).map(|entry| &entry.value.kind)
    else {
        return Vec::new();
    };
    let text = |kind: &Kind| match kind {
        Kind::Scalar { text, .. } => Some(text.clone()),
        Kind::List(_) | Kind::Map(_) => None,
    };
    items.iter().filter_map(|item| text(&item.kind)).collect()
}

fn root(file: &Path) -> Option<Node> {
    let source = read_file(file, &"".into()).ok()?;
    Documents::of(&source).next(&mut Vec::new())?.root
}
