//! The world survives restarts and crashes, and damage is not made worse.

use std::fs;

use jiff::SignedDuration;

use super::*;

#[tokio::test]
async fn a_restart_keeps_the_world_the_ledger_and_the_time() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("deep/world.json");
    let first = Bench::with(&[], Some(&file)).await;
    let kept = first.new_face("a.mp4", "phoenix-4").await;
    let deleted = first.new_face("b.mp4", "phoenix-4").await;
    first.send("DELETE", &format!("/v2/faces/{deleted}"), None).await;
    let clock = first.clock.clone();
    clock.wind(100_000 * HOUR);
    first.get(&format!("/v2/faces/{kept}")).await;
    let ledger = first.sandbox.ledger();
    first.sandbox.shutdown().await.unwrap();

    assert!(resume_time(Some(&file)).unwrap() >= clock.now());
    let second = Bench::on(Arc::new(HandWoundClock::at(Timestamp::UNIX_EPOCH)), &[], Some(&file)).await;
    assert_eq!(second.get(&format!("/v2/faces/{kept}")).await["status"], "completed", "time never goes back");
    assert_eq!(second.send("GET", &format!("/v2/faces/{deleted}"), None).await.status(), 404);
    assert_eq!(second.sandbox.ledger().trainings, ledger.trainings);
    let before = second.sandbox.shared.now();
    second.clock.wind(HOUR);
    assert_eq!(second.sandbox.shared.now().duration_since(before).as_hours(), 1, "nor does it stop");
    let config = SandboxConfig { world_file: Some(file), ..SandboxConfig::default() };
    assert!(matches!(Sandbox::start(config).await, Err(SandboxError::InUse { .. })));
}

#[tokio::test]
async fn a_crash_loses_nothing_that_was_answered() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("world.json");
    let bench = Bench::with(&[], Some(&file)).await;
    let id = bench.new_face("a.mp4", "phoenix-4").await;
    bench.clock.wind(100_000 * HOUR);
    bench.get(&format!("/v2/faces/{id}")).await;
    // What lies on disk at this moment, with a write that was cut short after it.
    let copy = folder.path().join("copy.json");
    fs::copy(&file, &copy).unwrap();
    let mut journal = fs::read(folder.path().join("world.json.journal")).unwrap();
    journal.extend(b"{\"n\":99,\"at\":");
    fs::write(folder.path().join("copy.json.journal"), &journal).unwrap();
    assert!(resume_time(Some(&copy)).unwrap() >= bench.clock.now() - SignedDuration::from_secs(1));
    let after = Bench::with(&[], Some(&copy)).await;
    assert_eq!(after.trainings(), 1);
    assert_eq!(after.get(&format!("/v2/faces/{id}")).await["status"], "completed");
}

#[tokio::test]
async fn a_newer_or_damaged_world_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("world.json");
    for (text, expected) in [(r#"{"format":99,"soul":true}"#, "newer version"), ("{\"format\":1,", "is damaged")] {
        fs::write(&file, text).unwrap();
        let config = SandboxConfig { world_file: Some(file.clone()), ..SandboxConfig::default() };
        let error = Sandbox::start(config).await.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains(expected) && error.contains("world.json"), "{error}");
        assert_eq!(fs::read_to_string(&file).unwrap(), text);
    }
    fs::remove_file(&file).unwrap();
    let bench = Bench::with(&[], Some(&file)).await;
    bench.new_face("a.mp4", "phoenix-4").await;
    let journal = folder.path().join("world.json.journal");
    let mut damaged = b"{\"n\":1,oops}\n".to_vec();
    damaged.extend(fs::read(&journal).unwrap());
    fs::write(&journal, damaged).unwrap();
    let error = resume_time(Some(&file)).unwrap_err().to_string();
    assert!(error.contains("world.json.journal") && error.contains("line 1"), "{error}");
}

#[tokio::test]
async fn signatures_of_links_are_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("world.json");
    let bench = Bench::with(&[], Some(&file)).await;
    let body = json!({
        "train_video_url": "https://user:hush@media.example.com/a.mp4?signature=hush#hush",
        "callback_url": "https://hooks.example.com/x?secret=hush",
    });
    assert_eq!(bench.send("POST", "/v2/faces", Some(body)).await.status(), 200);
    assert_eq!(bench.sandbox.ledger().trainings[0].source, "https://media.example.com/a.mp4");
    assert!(!fs::read_to_string(folder.path().join("world.json.journal")).unwrap().contains("hush"));
    bench.sandbox.shutdown().await.unwrap();
    assert!(!fs::read_to_string(&file).unwrap().contains("hush"));
}

#[tokio::test]
async fn a_world_of_format_1_can_still_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("world.json");
    fs::write(&file, include_str!("world-1.json")).unwrap();
    fs::write(folder.path().join("world.json.journal"), include_str!("world-1.json.journal")).unwrap();
    let bench = Bench::with(&[], Some(&file)).await;
    assert_eq!(bench.get("/v2/faces/r0123456789a").await["face_name"], "Ana", "change 7 is not made twice");
    assert_eq!(bench.get("/v2/faces/r0123456789a").await["finetune_status"], "errored");
    assert_eq!(bench.get("/v2/faces/r1123456789a").await["status"], "started");
    assert_eq!(bench.get("/v2/voices/v1123456789ab").await["status"], "started");
    assert_eq!(bench.get("/v2/pals/p0123456789a").await["default_face_id"], "r0123456789a");
    assert_eq!(bench.get("/v2/conversations/c0123456789ab").await["status"], "ended");
    assert_eq!((bench.trainings(), bench.sandbox.ledger().requests_of("list")), (2, 4));
}
