//! YAML to [`Desired`](crate::face::Desired), or diagnostics. Knows `face/` only: neither state nor API.
//!
//! ```text
//! discover.rs   paths, folders, patterns, the project file       } the only IO
//! entries.rs    what a project file may name
//! source.rs     one file, of bounded size, as text               }
//! peek.rs       one thing of a project file, without judging it
//! surrogates.rs characters that JSON writes as two escapes
//! tree.rs       text -> a tree that knows its places;  builder.rs: limits, duplicate keys, aliases
//! foreign.rs    what in a folder is another tool's
//! document.rs   the two kinds as Rust types: schema, fields and typed reading come from here
//! schemas.rs    -> JSON Schema -> shape.rs: fields, words and types, checked over the whole tree
//! fields.rs     -> the same schemas as a tree of fields, for `explain`
//! typed.rs      -> the types, by serde_yaml, which must agree with the tree
//! resolve.rs    -> DesiredFace: the rules of the Create Face call;  project.rs: facectl.yaml
//! resolver.rs   places, variables, parsing, for both of them
//! format.rs     the same texts laid out, for `fmt`: the only place that writes manifests
//! locate.rs     where the files are that faces are trained from
//! lost.rs       files that declared a face before and do not any more
//! reading.rs    all of that, file by file, several at once
//! load.rs       all of them, in order, and what documents do to each other
//! findings.rs   what was found about material later, at its place in the manifests
//! export.rs     the other way round: a manifest for a face that lives already
//! diagnostic.rs what is wrong and where;  render.rs: as text
//! ```
//!
//! # Guarantees
//! Every problem of every document is found in one go. Nothing comes out unless nothing is wrong. The result
//! does not hang on the order of files or paths. No file is read beyond its limit, no input makes the stack
//! grow, and neither queries of links nor values of variables are shown.

mod builder;
mod diagnostic;
mod digest;
mod discover;
mod document;
mod entries;
mod export;
pub mod fields;
mod findings;
mod foreign;
pub mod format;
mod load;
mod locate;
mod lost;
pub mod peek;
mod project;
mod reading;
mod render;
mod resolve;
mod resolver;
pub mod schemas;
mod shape;
mod source;
mod surrogates;
mod tree;
mod typed;
mod variables;

pub(crate) use diagnostic::nearest;
pub use diagnostic::{Diagnostic, DiagnosticDocument, Place, Severity, to_json};
pub use digest::{of_face as face_digest, refresh as refresh_digest};
pub use discover::project_above as find_project;
pub(crate) use discover::shown as file_name_shown;
pub use document::API_VERSION;
pub use export::{keys_for, manifest_of};
pub use findings::material_diagnostics;
pub use load::{LoadRequest, Loaded, Rejected, load, load_also_none, load_as_it_was, load_if_any, load_project};
pub use lost::{Skipped, SkippedKind, refuse_lost, refuse_skipped};
pub use project::{
    Adopt, Defaults, LINK_LIFETIMES, Limits, MediaSettings, PROJECT_FILE, Project, ProjectOverrides, ProjectSettings,
};
pub use render::render_text;
pub use source::{FILE_LIMIT, Source, Sources};
pub use variables::VARIABLE_PREFIX;
