//! What looks at material showed, and for how long that holds.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::face::{FaceKey, MaterialSight, Revision};
use crate::http::back_off;

/// How long a good look holds, but for the moment of the create, which always looks.
const GOOD_HOLDS: Duration = Duration::from_mins(5);
/// How long a look holds that found an error: each one in a row twice as long as the last.
const SHORTEST: Duration = Duration::from_mins(1);
/// Whoever mends material, without a change of the manifest, waits no longer than this.
const LONGEST: Duration = Duration::from_hours(1);

/// Looks that were taken, by what was looked at.
#[derive(Debug, Default)]
pub(super) struct Sights(HashMap<String, Seen>);

#[derive(Debug)]
struct Seen {
    key: FaceKey,
    at: Timestamp,
    sight: MaterialSight,
    /// How many looks in a row found an error.
    failures: u32,
}

impl Sights {
    /// Returns what a look showed, if it still holds.
    pub(super) fn get(&self, name: &str, now: Timestamp) -> Option<&MaterialSight> {
        let seen = self.0.get(name)?;
        let age = now.duration_since(seen.at);
        // A clock that was set back makes nothing hold longer.
        (!age.is_negative() && age.unsigned_abs() < seen.holds()).then_some(&seen.sight)
    }

    /// Remembers what a look showed.
    pub(super) fn note(&mut self, key: &FaceKey, name: String, at: Timestamp, sight: MaterialSight) {
        let before = self.0.get(&name).map_or(0, |seen| seen.failures);
        let failures = if sight.errors().next().is_some() { before.saturating_add(1) } else { 0 };
        self.0.insert(name, Seen { key: key.clone(), at, sight, failures });
    }

    /// Forgets what was seen of another version of the object of a face than the one that lies there: it is looked at
    /// anew.
    pub(super) fn lies(&mut self, key: &FaceKey, revision: &Revision) {
        let is_other = |seen: &Seen| seen.sight.revision.as_ref().is_none_or(|seen| seen.differs_from(revision));
        self.0.retain(|_, seen| seen.key != *key || !is_other(seen));
    }

    /// Forgets everything: a person said so.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }
}

impl Seen {
    fn holds(&self) -> Duration {
        match self.failures {
            0 => GOOD_HOLDS,
            failures => back_off(SHORTEST, failures, LONGEST),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::{Certainty, Check, Finding};
    use crate::plan::tests::world::{key, revision};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn broken() -> MaterialSight {
        let error = Finding::error(Check::Reachable, "no answer", "it can be fetched", Certainty::Evident);
        MaterialSight { revision: None, findings: Some(vec![error]) }
    }

    fn good(version: &str) -> MaterialSight {
        MaterialSight { revision: Some(revision(version)), findings: Some(Vec::new()) }
    }

    #[test]
    fn what_is_broken_is_looked_at_again_each_time_after_twice_as_long_and_within_an_hour() {
        let mut sights = Sights::default();
        let mut rests = Vec::new();
        for _ in 0..9 {
            sights.note(&key("ana"), "ana".to_owned(), at(0), broken());
            rests.push((0..).step_by(60).find(|second| sights.get("ana", at(*second)).is_none()).unwrap() / 60);
        }
        assert_eq!(rests, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        sights.note(&key("ana"), "ana".to_owned(), at(0), good("v1"));
        assert!(sights.get("ana", at(299)).is_some() && sights.get("ana", at(300)).is_none());
        assert!(sights.get("ana", at(-1)).is_none(), "a clock that was set back");
        sights.note(&key("ana"), "ana".to_owned(), at(0), broken());
        assert!(sights.get("ana", at(60)).is_none(), "after a good one it begins anew");
    }

    #[test]
    fn another_version_that_lies_there_is_looked_at_anew_and_no_other_face_is() {
        let mut sights = Sights::default();
        for name in ["ana", "ben"] {
            sights.note(&key(name), name.to_owned(), at(0), good("v1"));
        }
        sights.lies(&key("ana"), &revision("v1"));
        assert!(sights.get("ana", at(1)).is_some(), "it is the same");
        sights.lies(&key("ana"), &revision("v2"));
        assert!(sights.get("ana", at(1)).is_none() && sights.get("ben", at(1)).is_some());
        sights.note(&key("ana"), "ana".to_owned(), at(0), broken());
        sights.lies(&key("ana"), &revision("v2"));
        assert!(sights.get("ana", at(1)).is_none(), "what was broken before it could be asked");
        sights.forget();
        assert!(sights.get("ben", at(1)).is_none());
    }
}
