//! Each test starts from views that agree and changes one thing.

mod digest;
mod edges;
mod names;
mod properties;
mod replace;
mod retire;
mod selection;
mod table;
pub(crate) mod world;
