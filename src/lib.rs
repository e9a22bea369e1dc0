//! facectl

pub mod clock;
pub mod face;
pub mod state;
pub mod tavus;
