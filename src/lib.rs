//! facectl

pub mod clock;
pub mod face;
pub mod sandbox;
pub mod tavus;
