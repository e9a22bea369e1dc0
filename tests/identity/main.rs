//! What identifies material behind a link. A face is bought again where this changes, so most of it is frozen.

mod corpus;
mod former;
mod frozen;
mod random;

/// Returns the identity of a link.
fn identity(text: &str) -> String {
    facectl::face::Link::parse(text).unwrap_or_else(|error| panic!("{text}: {error}")).identity()
}
