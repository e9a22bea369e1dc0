//! facectl

pub mod clock;
pub mod face;
pub mod tavus;
