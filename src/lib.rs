//! facectl

pub mod clock;
pub mod face;
pub mod manifest;
pub mod tavus;
