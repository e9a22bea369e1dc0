//! Following a folder or a repository: when to look again, and what rests meanwhile.
//!
//! The loop is level-triggered: a commit, a callback, a passed interval and a person's signal all lead to the same
//! pass over the newest manifests and the live faces, and several of them lead to one. It plans and carries out by
//! the very functions that `facectl apply` uses; nothing here decides what is done to a face.

mod agenda;

pub use agenda::{Agenda, Item};
