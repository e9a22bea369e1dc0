//! Tells the YAML of other tools, met in a folder, from ours.

use super::diagnostic::{Diagnostic, Place, nearest};
use super::document::API_VERSION;
use super::tree::Node;

/// Words that no other YAML file is likely to hold. A file met in a folder without any of them is somebody else's,
/// and is not even parsed: it may be a template that is no YAML at all.
const OURS: [&str; 4] = ["facectl.", "kind: Face", "train_video_url", "train_image_url"];

/// Returns whether a text could hold a manifest.
pub(super) fn looks_like_ours(text: &str) -> bool {
    OURS.iter().any(|word| text.contains(word))
}

/// Returns whether a document is plainly another tool's. A slip in our own `apiVersion` must not count as that: the
/// face would silently be gone from what is wanted.
pub(super) fn is_foreign(root: &Node) -> bool {
    let is_ours = |version: &str| version.starts_with("facectl") || nearest(version, [API_VERSION]).is_some();
    let has_source = root
        .entry("spec")
        .is_some_and(|spec| ["train_video_url", "train_image_url"].iter().any(|name| spec.value.entry(name).is_some()));
    !(root.text("apiVersion").is_some_and(is_ours) || root.text("kind") == Some("Face") || has_source)
}

/// Says that something was left out.
pub(super) fn not_ours(place: Place) -> Diagnostic {
    Diagnostic::warning("facectl::not-ours", place, "left out: this is not a manifest of facectl")
        .help(format!("manifests begin with `apiVersion: {API_VERSION}`; keep them in a folder of their own"))
}
