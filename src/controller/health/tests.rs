//! What is told, and what probes and Prometheus hear of it.

use insta::assert_snapshot;

use super::*;
use crate::clock::HandWoundClock;

fn health() -> (Arc<HandWoundClock>, Health) {
    let clock = Arc::new(HandWoundClock::at("2026-11-22T12:00:00Z".parse().unwrap()));
    (Arc::clone(&clock), Health::new(clock, Duration::from_secs(600)))
}

fn ended(health: &Health, result: PassResult) {
    let now = health.clock.now();
    let faces = result.is_success().then(|| FaceCounts { in_sync: 3, training: 1, ..FaceCounts::default() });
    health.pass_ended(PassReport { started_at: now, ended_at: now, result, faces });
}

#[test]
fn a_loop_is_alive_for_as_long_as_it_gets_on() {
    let (clock, health) = health();
    clock.wind(Duration::from_secs(600));
    assert!(health.status().is_alive());
    clock.wind(Duration::from_secs(1));
    assert_snapshot!(health.status().alive_text(), @"the loop has made no progress since 2026-11-22 12:00:00 UTC");
    health.loop_ticked();
    assert_snapshot!(health.status().alive_text(), @"alive");
}

#[test]
fn it_is_ready_once_manifests_are_loaded_and_a_pass_saw_the_api() {
    let (_, health) = health();
    assert_snapshot!(health.status().ready_text(), @"
    no manifests have been loaded yet
    no pass has ended yet
    ");
    health.desired_loaded("acme", Some("c0ffee"), 4);
    assert_snapshot!(health.status().ready_text(), @"no pass has ended yet");
    ended(&health, PassResult::Interrupted);
    assert_snapshot!(health.status().ready_text(), @"no pass has seen the API yet");
    for result in PassResult::ALL {
        ended(&health, PassResult::Converged);
        ended(&health, result);
        let is_ready = result.is_success() || result == PassResult::Interrupted;
        assert_eq!(health.status().is_ready(), is_ready, "{result:?}");
    }
}

#[test]
fn the_reason_why_nothing_is_loaded_is_said_where_it_is_known() {
    let (_, health) = health();
    health.source_failed("failed to ask https://u:p@h.example.com/f?token=hush:\n fatal: no");
    let text = health.status().ready_text();
    assert_snapshot!(text, @"
    no manifests have been loaded yet
    the repository cannot be followed since 2026-11-22 12:00:00 UTC: failed to ask https://…@h.example.com/f?…: fatal: no
    no pass has ended yet
    ");
}

#[test]
fn newer_manifests_that_cannot_be_used_are_a_note_as_the_older_ones_are_in_force() {
    let (clock, health) = health();
    health.source_answered("c0ffee");
    health.desired_loaded("acme", Some("c0ffee"), 4);
    ended(&health, PassResult::Training);
    health.desired_rejected(Some("badbad"), 2);
    health.source_failed("gone");
    clock.wind(Duration::from_secs(3600));
    // Neither begins anew when it is told once more.
    health.desired_rejected(Some("badbad"), 2);
    health.source_failed("gone");
    assert_snapshot!(health.status().ready_text(), @"
    ready
    note: the repository cannot be followed since 2026-11-22 12:00:00 UTC: gone
    note: the manifests of commit badbad cannot be used since 2026-11-22 12:00:00 UTC (problems: 2)
    ");
    health.source_answered("c0ffee");
    health.desired_loaded("acme", Some("c0ffee"), 4);
    assert_snapshot!(health.status().ready_text(), @"ready");
}

#[test]
fn what_a_failed_pass_could_not_see_still_stands() {
    let (_, health) = health();
    ended(&health, PassResult::Converged);
    ended(&health, PassResult::Unreachable);
    let faces = health.status().faces.unwrap();
    assert_eq!((faces.in_sync, faces.training), (3, 1));
    assert!(health.metrics.text().contains("facectl_faces{state=\"in_sync\"} 3\n"));
}

#[test]
fn every_series_is_there_from_the_start_under_its_documented_name() {
    let (_, health) = health();
    health.desired_loaded("acme", None, 4);
    let now = health.clock.now();
    let later = now + SignedDuration::from_millis(700);
    let faces = Some(FaceCounts { in_sync: 3, in_doubt: 1, ..FaceCounts::default() });
    health.pass_ended(PassReport { started_at: now, ended_at: later, result: PassResult::Held, faces });
    health.training_started();
    health.source_answered("c0ffee");
    health.source_answered("c0ffee");
    health.source_failed("gone");
    health.callback_received(CallbackVerdict::Queued);
    health.backing_off(2);
    let text = health.metrics.text();
    let mut lines: Vec<&str> =
        text.lines().filter(|line| !line.starts_with('#') && !line.contains("_bucket")).collect();
    lines.sort_unstable();
    assert_snapshot!(lines.join("\n"), @r#"
    facectl_build_info{version="0.1.0",project="acme"} 1
    facectl_callbacks_total{verdict="dropped"} 0
    facectl_callbacks_total{verdict="not_a_face"} 0
    facectl_callbacks_total{verdict="queued"} 1
    facectl_callbacks_total{verdict="refused"} 0
    facectl_callbacks_total{verdict="repeated"} 0
    facectl_callbacks_total{verdict="unreadable"} 0
    facectl_creates_in_doubt 1
    facectl_desired_faces 4
    facectl_desired_rejected 0
    facectl_faces_backing_off 2
    facectl_faces{state="blocked"} 0
    facectl_faces{state="drifted"} 0
    facectl_faces{state="failed"} 0
    facectl_faces{state="in_doubt"} 1
    facectl_faces{state="in_sync"} 3
    facectl_faces{state="training"} 0
    facectl_last_pass_timestamp_seconds 1795348800.7
    facectl_last_successful_pass_timestamp_seconds 1795348800.7
    facectl_loop_timestamp_seconds 1795348800.0
    facectl_pass_duration_seconds_count 1
    facectl_pass_duration_seconds_sum 0.7
    facectl_passes_total{result="converged"} 0
    facectl_passes_total{result="failed"} 0
    facectl_passes_total{result="held"} 1
    facectl_passes_total{result="interrupted"} 0
    facectl_passes_total{result="key_refused"} 0
    facectl_passes_total{result="state_failed"} 0
    facectl_passes_total{result="training"} 0
    facectl_passes_total{result="unreachable"} 0
    facectl_source_commits_total 1
    facectl_source_failures_total 1
    facectl_source_up 0
    facectl_trainings_started_total 1
    "#);
}
