//! Tells the YAML of other tools, met in a folder, from ours.

use super::diagnostic::{Diagnostic, Place, nearest};
use super::discover::Met;
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

/// Returns whether a text mentions us in a way that only a manifest does: its lines may be shown in a diagnostic, also
/// where it is too broken to be read. A shorter word of ours can stand in anybody's file.
pub(super) fn mentions_us(text: &str) -> bool {
    text.contains(API_GROUP)
}

/// What every `apiVersion` of ours begins with.
const API_GROUP: &str = "facectl.dev/";

/// Says that something was left out, or, where the project file names it, that it is not what that file takes it for.
pub(super) fn not_ours(place: Place, by: Met) -> Diagnostic {
    let diagnostic = match by {
        Met::Found | Met::Named => Diagnostic::warning(NOT_OURS, place, "left out: this is not a manifest of facectl"),
        Met::Listed => Diagnostic::error(NOT_OURS, place, "spec.manifests names this file, and it is not a manifest"),
    };
    diagnostic
        .help(format!("manifests begin with `apiVersion: {API_VERSION}`; keep them in a folder of their own"))
        .hiding_its_line()
}

/// The code of what is another tool's.
pub(super) const NOT_OURS: &str = "facectl::not-ours";
