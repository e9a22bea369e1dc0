//! facectl
fn main() {}
