//! facectl

pub mod clock;
pub mod face;
pub mod plan;
pub mod state;
pub mod tavus;
