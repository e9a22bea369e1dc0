//! Each test starts from views that agree and changes one thing.

mod by_id;
mod digest;
mod edges;
mod material;
mod names;
mod properties;
mod replace;
mod restrain;
mod retire;
mod selection;
mod table;
pub(crate) mod world;
