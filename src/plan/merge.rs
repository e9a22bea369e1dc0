//! Three-way merge of one field.

use schemars::JsonSchema;
use serde::Serialize;

/// Before and after, which differ: equal sides cannot be constructed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change<T> {
    before: T,
    after: T,
    cause: Cause,
}

/// Who made a field differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The manifest did.
    Manifest,
    /// Somebody else did, on the live face.
    Drift,
    /// Both did, differently.
    Both,
}

impl<T: PartialEq> Change<T> {
    /// Compares what is live with what is wanted, and asks the record who moved.
    ///
    /// | wanted | recorded | live | who |
    /// |---|---|---|---|
    /// | a | any | a | nobody: no change |
    /// | b | a | a | the manifest |
    /// | a | a | b | somebody else |
    /// | c | a | b | both |
    pub fn between(wanted: T, recorded: &T, live: T) -> Option<Self> {
        if wanted == live {
            return None;
        }
        let cause = match (*recorded == live, *recorded == wanted) {
            (true, _) => Cause::Manifest,
            (false, true) => Cause::Drift,
            (false, false) => Cause::Both,
        };
        Some(Self { before: live, after: wanted, cause })
    }
}

impl<T> Change<T> {
    /// Returns what is live.
    pub fn before(&self) -> &T {
        &self.before
    }

    /// Returns what is wanted.
    pub fn after(&self) -> &T {
        &self.after
    }

    /// Returns who made them differ.
    pub fn cause(&self) -> Cause {
        self.cause
    }
}

impl Cause {
    /// Returns the cause of two fields taken together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        if self == other { self } else { Self::Both }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_record_tells_who_moved() {
        for (wanted, recorded, live, cause, why) in [
            ("a", "a", "a", None, "all agree"),
            ("a", "b", "a", None, "the live face is as wanted, whatever we remember"),
            ("b", "a", "a", Some(Cause::Manifest), "only the manifest moved"),
            ("a", "a", "b", Some(Cause::Drift), "only the live face moved"),
            ("c", "a", "b", Some(Cause::Both), "both moved"),
        ] {
            assert_eq!(Change::between(wanted, &recorded, live).map(|change| change.cause()), cause, "{why}");
        }
    }
}
