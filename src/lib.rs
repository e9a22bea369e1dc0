//! facectl

pub mod apply;
pub mod clock;
pub mod face;
pub mod plan;
pub mod report;
pub mod state;
pub mod tavus;
