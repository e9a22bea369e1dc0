//! With a guard switched off, the same cases do find double payments: they would notice.

use crate::matrix::{Case, WEATHERS, play_all};
use crate::storm::{DOUBTFUL, storms};

fn doubtful() -> Vec<Case> {
    DOUBTFUL.iter().map(|point| Case { weather: &WEATHERS[0], deaths: vec![(*point).to_owned()] }).collect()
}

#[track_caller]
fn pays_twice(guard: &str) {
    // The next run has to look within the lag, which is shorter than the window. Where a machine has too much to do for
    // that, once more.
    let mut tries = (0..10).map(|_| play_all(&doubtful(), Some(guard)).0);
    let is_found = tries.any(|wrong| wrong.iter().any(|why| why.contains("was paid for 2 times")));
    assert!(is_found, "without the {guard} the matrix finds nothing paid for twice");
    // Eight at a time, until one finds it: where requests run into their time-outs fewer of them get as far as paying.
    let mut finds = (0..64).step_by(8).map(|seed| storms(seed..seed + 8, Some(guard)));
    assert!(finds.any(|storms| storms.duplicates > 0), "without the {guard} no storm finds anything paid for twice");
}

#[test]
fn without_the_journal_a_create_is_sent_again_before_the_first_one_shows() {
    pays_twice("journal");
}

#[test]
fn without_the_token_a_create_is_held_absent_and_sent_again() {
    pays_twice("token");
}
