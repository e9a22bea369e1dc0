//! Identities as they were computed in November 2026, before further ways of signing were learned.
//!
//! `frozen.txt` was written by the code of that day: a link, and below it, indented, its identity. A line of it is
//! never edited: fingerprints of faces that people paid for stand on these texts.

use crate::{former, identity};

/// Returns each link with its frozen identity.
fn pairs() -> Vec<(&'static str, &'static str)> {
    let mut lines = include_str!("frozen.txt").lines();
    let mut pairs = Vec::new();
    while let (Some(link), Some(identity)) = (lines.next(), lines.next()) {
        pairs.push((link, identity.trim_start()));
    }
    pairs
}

#[test]
fn no_identity_of_that_day_has_changed() {
    let pairs = pairs();
    assert!(pairs.len() > 50, "the table lost lines");
    for (link, frozen) in pairs {
        assert_eq!(identity(link), frozen, "{link}");
    }
}

#[test]
fn the_copy_of_the_former_rules_agrees_with_the_table() {
    for (link, frozen) in pairs() {
        assert_eq!(former::identity(link), frozen, "{link}");
    }
}
