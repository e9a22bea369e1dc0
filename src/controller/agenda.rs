//! What there is to look at again, and when: one queue, each thing in it once. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use crate::face::{Desired, FaceKey};
use crate::http::back_off;

/// Something to look at again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Item {
    /// The manifests, and everything live.
    Everything,
    /// Trainings that go on.
    Trainings,
    /// Creates in doubt, whose window is over by then.
    Doubts,
    /// A face for which something failed.
    Face(FaceKey),
}

/// The queue of a loop.
///
/// An item is in it once, at the earliest time that anybody asked for. A face for which something failed rests until
/// its time has come; each failure in a row doubles the rest, and a manifest that changed ends it.
#[derive(Debug, Default)]
pub struct Agenda {
    due: BTreeMap<Item, Timestamp>,
    failures: BTreeMap<FaceKey, Failures>,
}

/// What failed for a face, in a row.
#[derive(Debug)]
struct Failures {
    times: u32,
    /// What its manifest asked for then; none where it was not declared.
    wanted: Option<String>,
}

/// The first rest.
const SHORTEST: Duration = Duration::from_secs(60);
/// The longest rest: a person who mends something outside of the manifests waits no longer than this.
const LONGEST: Duration = Duration::from_secs(60 * 60);

impl Agenda {
    /// Asks for a look at a time, or earlier where one was asked for earlier.
    pub fn ask(&mut self, item: Item, at: Timestamp) {
        let due = self.due.entry(item).or_insert(at);
        *due = at.min(*due);
    }

    /// Returns when something is due next.
    pub fn next(&self) -> Option<Timestamp> {
        self.due.values().min().copied()
    }

    /// Takes what is due by now: one pass serves all of it.
    pub fn take_due(&mut self, now: Timestamp) -> BTreeSet<Item> {
        let due: BTreeSet<Item> = self.due.iter().filter(|(_, at)| **at <= now).map(|(item, _)| item.clone()).collect();
        self.due.retain(|item, _| !due.contains(item));
        due
    }

    /// Returns the faces that rest now. Those whose manifest says something else by now rest no longer.
    pub fn resting(&mut self, desired: &Desired) -> BTreeSet<FaceKey> {
        let due = &mut self.due;
        self.failures.retain(|key, failures| {
            let is_same = failures.wanted == wanted(desired, key);
            if !is_same {
                due.remove(&Item::Face(key.clone()));
            }
            is_same
        });
        self.failures.keys().filter(|key| due.contains_key(&Item::Face((*key).clone()))).cloned().collect()
    }

    /// Notes that something failed for a face: it rests from now on. `jitter` from 0 to 1 lengthens the rest by up to
    /// a quarter, so that faces that failed together are not tried together.
    pub fn failed(&mut self, key: &FaceKey, desired: &Desired, now: Timestamp, jitter: f64) {
        let wanted = wanted(desired, key);
        let failures = self.failures.entry(key.clone()).or_insert(Failures { times: 0, wanted: None });
        failures.times = if failures.wanted == wanted { failures.times.saturating_add(1) } else { 1 };
        failures.wanted = wanted;
        let rest = back_off(SHORTEST, failures.times, LONGEST).mul_f64(1.0 + jitter.clamp(0.0, 1.0) / 4.0);
        self.due.insert(Item::Face(key.clone()), now.saturating_add(rest).unwrap_or(Timestamp::MAX));
    }

    /// Notes that something succeeded for a face.
    pub fn succeeded(&mut self, key: &FaceKey) {
        self.failures.remove(key);
        self.due.remove(&Item::Face(key.clone()));
    }

    /// Ends every rest, and asks for a look at everything now: a person said so.
    pub fn wake(&mut self, now: Timestamp) {
        self.failures.clear();
        self.due.retain(|item, _| !matches!(item, Item::Face(_)));
        self.ask(Item::Everything, now);
    }

    /// Returns how many faces rest or wait for another try.
    pub fn failing(&self) -> usize {
        self.failures.len()
    }
}

/// What a manifest asks for, so that a change of it can be told.
fn wanted(desired: &Desired, key: &FaceKey) -> Option<String> {
    desired.faces.get(key).map(|face| format!("{:?}", face.spec))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::world::{World, key};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn many_that_ask_for_the_same_are_served_once_and_at_the_earliest_time() {
        let mut agenda = Agenda::default();
        for second in [30, 10, 20] {
            agenda.ask(Item::Everything, at(second));
        }
        agenda.ask(Item::Trainings, at(15));
        assert_eq!(agenda.next(), Some(at(10)));
        assert_eq!(agenda.take_due(at(9)), BTreeSet::new());
        assert_eq!(agenda.take_due(at(15)), BTreeSet::from([Item::Everything, Item::Trainings]));
        assert_eq!(agenda.next(), None);
    }

    #[test]
    fn a_face_that_fails_rests_twice_as_long_each_time_but_never_longer_than_an_hour() {
        let desired = World::agreeing().face("ana").face("ben").desired;
        let mut agenda = Agenda::default();
        let mut rests = Vec::new();
        for _ in 0..10 {
            agenda.failed(&key("ana"), &desired, at(0), 0.0);
            assert_eq!(agenda.resting(&desired), BTreeSet::from([key("ana")]), "nobody else rests");
            let until = agenda.next().unwrap();
            rests.push(until.as_second());
            assert_eq!(agenda.take_due(until), BTreeSet::from([Item::Face(key("ana"))]));
            assert_eq!(agenda.resting(&desired), BTreeSet::new(), "its time has come");
        }
        assert_eq!(rests, [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600, 3600]);
        agenda.succeeded(&key("ana"));
        agenda.failed(&key("ana"), &desired, at(0), 1.0);
        assert_eq!(agenda.next(), Some(at(75)), "after a success it begins anew, and jitter only lengthens");
    }

    #[test]
    fn a_manifest_that_changed_ends_the_rest_of_its_face_and_of_no_other() {
        let world = World::agreeing().face("ana").face("ben");
        let mut agenda = Agenda::default();
        for name in ["ana", "ben", "left"] {
            agenda.failed(&key(name), &world.desired, at(0), 0.0);
        }
        let mut changed = world.desired.clone();
        changed.faces.get_mut(&key("ana")).unwrap().spec.face_name = "Another".parse().unwrap();
        assert_eq!(agenda.resting(&changed), BTreeSet::from([key("ben"), key("left")]));
        agenda.wake(at(5));
        assert_eq!((agenda.resting(&changed).len(), agenda.failing(), agenda.next()), (0, 0, Some(at(5))));
    }
}
