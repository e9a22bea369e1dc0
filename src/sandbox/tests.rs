//! Real requests against a running sandbox, on raw sockets: a client library would hide what is sent.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::clock::HandWoundClock;

const HOUR: Duration = Duration::from_secs(3600);

/// A sandbox and the hand on its clock.
struct Bench {
    sandbox: RunningSandbox,
    clock: Arc<HandWoundClock>,
}

/// What came back: everything, byte for byte.
struct Raw(Vec<u8>);

impl Raw {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }

    fn status(&self) -> u16 {
        self.text().split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or(0)
    }

    fn body(&self) -> String {
        self.text().split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default()
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body()).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    fn content_length(&self) -> usize {
        let text = self.text().to_lowercase();
        let line = text.lines().find_map(|line| line.strip_prefix("content-length: ").map(str::to_owned));
        line.and_then(|line| line.trim().parse().ok()).unwrap_or(0)
    }
}

impl Bench {
    async fn with(faults: &[&str], world_file: Option<&Path>) -> Self {
        let clock = Arc::new(HandWoundClock::at("2026-11-22T08:00:00Z".parse().unwrap()));
        Self::on(clock, faults, world_file).await
    }

    async fn on(clock: Arc<HandWoundClock>, faults: &[&str], world_file: Option<&Path>) -> Self {
        let config = SandboxConfig {
            world_file: world_file.map(Path::to_path_buf),
            clock: clock.clone(),
            faults: faults.iter().map(|rule| rule.parse().unwrap()).collect(),
            ..SandboxConfig::default()
        };
        Self { sandbox: Sandbox::start(config).await.unwrap(), clock }
    }

    async fn send(&self, method: &str, path: &str, body: Option<Value>) -> Raw {
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: sandbox\r\nx-api-key: k\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut stream = TcpStream::connect(self.sandbox.address()).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        // A reset after the last byte is one of the ways to be cut off.
        let _ = stream.read_to_end(&mut answer).await;
        Raw(answer)
    }

    async fn get(&self, path: &str) -> Value {
        self.send("GET", path, None).await.json()
    }

    async fn create(&self, file: &str, model: &str) -> Raw {
        let mut body = json!({ "face_name": file, "model_name": model });
        if file.ends_with(".png") {
            body["train_image_url"] = format!("https://media.example.com/{file}").into();
            body["voice_name"] = "Anna".into();
        } else {
            body["train_video_url"] = format!("https://media.example.com/{file}").into();
        }
        self.send("POST", "/v2/faces", Some(body)).await
    }

    async fn new_face(&self, file: &str, model: &str) -> String {
        let answer = self.create(file, model).await.json();
        answer["face_id"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    fn trainings(&self) -> usize {
        self.sandbox.ledger().trainings.len()
    }
}

#[tokio::test]
async fn a_create_starts_one_training_and_the_face_goes_its_way() {
    let bench = Bench::with(&[], None).await;
    let id = bench.new_face("ana.png", "phoenix-4.5").await;
    let path = format!("/v2/faces/{id}?verbose=true");
    let face = bench.get(&path).await;
    assert_eq!((&face["status"], &face["face_type"]), (&json!("started"), &json!("user")));
    assert_eq!(face["created_at"], "2026-11-22T08:00:00.000Z");
    bench.clock.wind(HOUR);
    assert_eq!(bench.get(&path).await["finetune_status"], "training");
    bench.clock.wind(2 * HOUR);
    assert_eq!(bench.get(&path).await["finetune_status"], "completed");
    let ledger = bench.sandbox.ledger();
    assert_eq!((ledger.trainings.len(), ledger.requests_of("create"), ledger.requests_of("get")), (1, 1, 3));
    assert_eq!(ledger.trainings_named("ana.png").count(), 1);
}

#[tokio::test]
async fn a_dropped_answer_has_no_byte_and_the_training_runs() {
    let bench = Bench::with(&["create@1:drop-after-effect", "create@2:drop-before-effect"], None).await;
    assert_eq!(bench.create("ana.mp4", "phoenix-4").await.0, b"");
    assert_eq!(bench.trainings(), 1);
    assert_eq!(bench.create("ana.mp4", "phoenix-4").await.0, b"");
    assert_eq!(bench.trainings(), 1);
    assert_eq!(bench.create("ana.mp4", "phoenix-4").await.status(), 200);
}

#[tokio::test]
async fn a_truncated_answer_promises_more_than_it_sends() {
    let bench = Bench::with(&["create@1:truncate"], None).await;
    let answer = bench.create("ana.mp4", "phoenix-4").await;
    assert_eq!(answer.status(), 200);
    assert!(answer.content_length() > answer.body().len() && !answer.body().is_empty(), "{}", answer.text());
    assert!(serde_json::from_str::<Value>(&answer.body()).is_err());
    assert_eq!(bench.trainings(), 1);
}

#[tokio::test]
async fn a_hanging_request_has_taken_effect_and_ends_with_its_client_or_the_sandbox() {
    let bench = Bench::with(&["create@1:hang"], None).await;
    let waiting = bench.create("ana.mp4", "phoenix-4");
    tokio::pin!(waiting);
    while bench.trainings() == 0 {
        tokio::select! {
            _ = &mut waiting => panic!("it must not be answered"),
            () = tokio::task::yield_now() => {}
        }
    }
    bench.sandbox.stop.send_replace(true);
    assert_eq!(waiting.await.0, b"");
}

#[tokio::test]
async fn statuses_pages_and_redirects_do_nothing_unless_told_to() {
    let rules = [
        "create@1:502",
        "create@2:html200",
        "create@3:redirect",
        "create@4:429;retry-after=7",
        "create@5:503;after-effect",
    ];
    let bench = Bench::with(&rules, None).await;
    assert_eq!((bench.create("a.mp4", "phoenix-4").await.status(), bench.trainings()), (502, 0));
    let page = bench.create("a.mp4", "phoenix-4").await;
    assert!(page.status() == 200 && page.body().starts_with("<html>") && bench.trainings() == 1);
    let elsewhere = bench.create("a.mp4", "phoenix-4").await;
    assert!(elsewhere.status() == 307 && elsewhere.text().contains("location: /v2/replicas\r\n"));
    let limited = bench.create("a.mp4", "phoenix-4").await;
    assert!(limited.status() == 429 && limited.text().contains("retry-after: 7\r\n"));
    assert_eq!((bench.create("a.mp4", "phoenix-4").await.status(), bench.trainings()), (503, 2));
}

#[tokio::test]
async fn a_late_effect_comes_after_its_client_was_cut_off() {
    let bench = Bench::with(&["create:late-effect=30s"], None).await;
    assert_eq!(bench.create("a.mp4", "phoenix-4").await.0, b"");
    while bench.trainings() == 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_listing_is_newest_first_and_stock_comes_after_our_own() {
    let bench = Bench::with(&[], None).await;
    let first = bench.new_face("a.mp4", "phoenix-4").await;
    let second = bench.new_face("b.mp4", "phoenix-3").await;
    let page = bench.get("/v2/faces?limit=3").await;
    assert_eq!((&page["data"][0]["face_id"], &page["data"][1]["face_id"]), (&json!(second), &json!(first)));
    assert_eq!((&page["total_count"], page["data"].as_array().map(Vec::len)), (&json!(147), Some(3)));
    assert!(page["data"][0].get("face_type").is_none() && page["data"][0].get("error_message").is_none());
    assert_eq!(bench.get("/v2/faces?face_type=user&page=0").await["total_count"], 2);
    assert_eq!(bench.get("/v2/faces?face_type=user&model_name=phoenix-3").await["total_count"], 1);
    assert_eq!(bench.get(&format!("/v2/faces?face_ids={first},{second},nobody")).await["total_count"], 2);
    let old = bench.get("/v2/replicas?replica_type=user&verbose=true").await;
    assert_eq!((&old["data"][1]["replica_id"], &old["data"][1]["replica_type"]), (&json!(first), &json!("user")));
}

#[tokio::test]
async fn a_listing_can_lag_and_its_pages_can_disagree() {
    let bench = Bench::with(&["list:lag=60s", "list@3:shrink"], None).await;
    for number in 0..4 {
        bench.new_face(&format!("{number}.mp4"), "phoenix-4").await;
    }
    assert_eq!(bench.get("/v2/faces?face_type=user").await["total_count"], 0);
    bench.clock.wind(Duration::from_secs(60));
    let names = |page: Value| -> Vec<String> {
        let rows = page["data"].as_array().cloned().unwrap_or_default();
        rows.iter().filter_map(|row| row["face_name"].as_str().map(str::to_owned)).collect()
    };
    assert_eq!(names(bench.get("/v2/faces?face_type=user&limit=2").await), ["3.mp4", "2.mp4"]);
    assert_eq!(names(bench.get("/v2/faces?face_type=user&limit=2&page=2").await), ["0.mp4"], "1.mp4 is skipped");
}

#[tokio::test]
async fn a_bad_create_is_refused_and_costs_nothing() {
    let bench = Bench::with(&[], None).await;
    let video = "https://media.example.com/a.mp4";
    let image = "https://media.example.com/a.png";
    let table = [
        (json!({}), 400, "no source"),
        (json!({ "train_video_url": video, "train_image_url": image }), 400, "two sources"),
        (json!({ "train_video_url": video, "model_name": "phoenix-5" }), 400, "unknown model"),
        (json!({ "train_image_url": image, "model_name": "phoenix-3", "voice_name": "anna" }), 400, "no photos there"),
        (json!({ "train_image_url": image }), 400, "a photo needs a voice"),
        (json!({ "train_image_url": image, "voice_name": "anna", "default_voice_id": READY_VOICE }), 400, "two voices"),
        (json!({ "train_image_url": image, "default_voice_id": UNFINISHED_VOICE }), 400, "a voice still being made"),
        (json!({ "train_image_url": image, "default_voice_id": "v000" }), 400, "no such voice"),
        (json!({ "train_image_url": image, "voice_name": "nobody" }), 400, "no such slug"),
        (json!({ "train_video_url": video, "voice_name": "nobody" }), 400, "checked on a video too"),
        (json!({ "train_video_url": video, "default_voice_id": READY_VOICE }), 400, "not on a video"),
        (json!({ "train_video_url": video, "auto_fix_training_image": true }), 400, "images only"),
        (json!({ "train_video_url": video, "colour": "red" }), 400, "unknown field"),
        (json!({ "train_video_url": video, "properties": { "gaze": true } }), 400, "unknown inner field"),
        (json!({ "train_video_url": video, "face_name": " " }), 400, "blank name"),
        (json!({ "train_video_url": "ftp://media.example.com/a.mp4" }), 400, "not http"),
        (json!({ "train_video_url": "https://x.example/unreachable.mp4" }), 400, "magic"),
        (json!({ "train_video_url": "https://x.example/plan-402.mp4?sig=1" }), 402, "magic"),
    ];
    for (body, status, reason) in table {
        let answer = bench.send("POST", "/v2/faces", Some(body)).await;
        assert_eq!(answer.status(), status, "{reason}: {}", answer.text());
    }
    assert_eq!(bench.trainings(), 0);
    let taken = json!({ "train_video_url": video, "callback_url": "" });
    assert_eq!(bench.send("POST", "/v2/faces", Some(taken)).await.status(), 200);
}

#[tokio::test]
async fn a_video_brings_its_voice_and_a_voice_can_be_changed() {
    let bench = Bench::with(&[], None).await;
    let id = bench.new_face("a.mp4", "phoenix-4").await;
    let path = format!("/v2/faces/{id}");
    assert_eq!(bench.get(&path).await["default_voice_id"], Value::Null);
    bench.clock.wind(4 * HOUR);
    let own = bench.get(&path).await["original_voice_id"].as_str().unwrap().to_owned();
    assert_eq!(bench.get(&format!("/v2/voices/{own}")).await["status"], "completed");
    let change = |voice: &str| Some(json!({ "default_voice_id": voice, "face_name": "Ana" }));
    assert_eq!(bench.send("PATCH", &path, change(UNFINISHED_VOICE)).await.status(), 400);
    let changed = bench.send("PATCH", &path, change(READY_VOICE)).await.json();
    let expected =
        json!({ "face_id": id, "face_name": "Ana", "default_voice_id": READY_VOICE, "original_voice_id": own });
    assert_eq!(changed, expected);
    assert_eq!(bench.send("PATCH", &path, Some(json!({}))).await.status(), 400);
    assert_eq!(bench.send("DELETE", &path, None).await.status(), 200);
    assert_eq!(bench.send("DELETE", &path, None).await.status(), 404);
    assert_eq!(bench.send("GET", &path, None).await.status(), 404);
}

#[tokio::test]
async fn limits_of_the_plan_are_met_by_rule() {
    let bench = Bench::with(&["create:slots=2", "create:concurrent=1"], None).await;
    bench.new_face("a.mp4", "phoenix-4").await;
    assert_eq!(bench.create("b.mp4", "phoenix-4").await.status(), 400);
    bench.clock.wind(4 * HOUR);
    bench.new_face("b.mp4", "phoenix-4").await;
    bench.clock.wind(4 * HOUR);
    assert_eq!(bench.create("c.mp4", "phoenix-4").await.status(), 402);
}

#[tokio::test]
async fn a_pal_is_pointed_at_a_face_by_json_patch() {
    let bench = Bench::with(&[], None).await;
    let id = bench.new_face("a.mp4", "phoenix-4").await;
    let pal = bench.send("POST", "/_sandbox/pals", Some(json!({ "pal_name": "Host" }))).await.json();
    let path = format!("/v2/pals/{}", pal["pal_id"].as_str().unwrap());
    let to = |op: &str| Some(json!([{ "op": op, "path": "/default_replica_id", "value": id }]));
    assert_eq!(bench.send("PATCH", &path, to("replace")).await.status(), 400);
    assert_eq!(bench.send("PATCH", &path, to("add")).await.json()["default_face_id"], json!(id));
    let same = bench.send("PATCH", &path, to("add")).await;
    assert_eq!((same.status(), same.body().as_str()), (304, ""));
    assert_eq!(bench.send("PATCH", &path, to("move")).await.status(), 422);
    let rules = Some(json!(["pals:conflict"]));
    assert_eq!(bench.send("POST", "/_sandbox/faults", rules).await.status(), 200);
    let other = Some(json!([{ "op": "add", "path": "/default_face_id", "value": "r5f0c0000000" }]));
    assert_eq!(bench.send("PATCH", &path, other.clone()).await.json()["conflict"], "maker_changes");
    assert_eq!(bench.send("PATCH", &format!("{path}?force=true"), other).await.json()["discarded_maker_changes"], true);
}

#[tokio::test]
async fn a_conversation_proves_that_a_face_is_usable() {
    let bench = Bench::with(&[], None).await;
    let id = bench.new_face("a.png", "phoenix-4.5").await;
    let probe = || Some(json!({ "face_id": id, "test_mode": true }));
    let refused = bench.send("POST", "/v2/conversations", probe()).await;
    assert_eq!((refused.status(), refused.json()), (400, json!({ "message": "Invalid replica_uuid" })));
    bench.clock.wind(Duration::from_secs(60));
    let opened = bench.send("POST", "/v2/conversations", probe()).await.json();
    let conversation = opened["conversation_id"].as_str().unwrap();
    assert_eq!(opened["status"], "ended");
    assert_eq!(opened["conversation_url"], format!("https://tavus.daily.co/{conversation}"));
    assert_eq!(bench.get(&format!("/v2/conversations/{conversation}")).await["face_id"], json!(id));
}

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
async fn only_loopback_is_listened_on() {
    let config = SandboxConfig { listen: "0.0.0.0:0".parse().unwrap(), ..SandboxConfig::default() };
    assert!(matches!(Sandbox::start(config).await, Err(SandboxError::NotLoopback(_))));
}

#[tokio::test]
async fn callbacks_go_to_loopback_and_nowhere_else() {
    let receiver = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hook = format!("http://{}/hook?secret=1", receiver.local_addr().unwrap());
    let bench = Bench::with(&[], None).await;
    let mut ids = Vec::new();
    for url in ["https://hooks.example.com/x", hook.as_str()] {
        let body = json!({ "train_video_url": "https://x.example/a.mp4", "callback_url": url });
        let answer = bench.send("POST", "/v2/faces", Some(body)).await.json();
        ids.push(answer["face_id"].as_str().unwrap().to_owned());
    }
    bench.clock.wind(4 * HOUR);
    let (mut stream, _) = receiver.accept().await.unwrap();
    let mut text = String::new();
    while !text.contains('}') {
        let mut bytes = [0; 1024];
        let count = stream.read(&mut bytes).await.unwrap();
        text.push_str(&String::from_utf8_lossy(&bytes[..count]));
    }
    stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
    drop(stream);
    assert!(text.starts_with("POST /hook?secret=1 HTTP/1.1\r\n"));
    assert!(text.ends_with(&json!({ "replica_id": ids[1], "status": "ready" }).to_string()), "{text}");
    while bench.sandbox.ledger().callbacks.len() < 2 {
        tokio::task::yield_now().await;
    }
    let outcome = |id: &str| {
        let log = bench.sandbox.ledger().callbacks;
        log.into_iter().find(|record| record.face_id == id).map(|record| record.outcome).unwrap_or_default()
    };
    assert!(outcome(&ids[0]).starts_with("not sent"));
    assert_eq!(outcome(&ids[1]), "delivered, answered 204");
}

#[tokio::test]
async fn ten_thousand_faces_can_be_listed_page_by_page_and_drift_by_hand() {
    let bench = Bench::with(&[], None).await;
    let bulk = json!({ "count": 10_000, "model_name": "phoenix-4", "name_prefix": "x" });
    assert_eq!(bench.send("POST", "/_sandbox/faces", Some(bulk)).await.status(), 200);
    assert_eq!(bench.trainings(), 0);
    let last = bench.get("/v2/faces?face_type=user&limit=1000&page=100").await;
    assert_eq!((&last["total_count"], last["data"].as_array().map(Vec::len)), (&json!(10_000), Some(100)));
    assert_eq!((&last["data"][0]["status"], &last["data"][99]["face_name"]), (&json!("completed"), &json!("x-0")));
    let id = last["data"][99]["face_id"].as_str().unwrap();
    let path = format!("/_sandbox/faces/{id}");
    bench.send("PATCH", &path, Some(json!({ "face_name": "by hand" }))).await;
    assert_eq!(bench.get(&format!("/v2/faces/{id}")).await["face_name"], "by hand");
    bench.send("PATCH", &path, Some(json!({ "removed": true }))).await;
    assert_eq!(bench.get("/v2/faces?face_type=user&limit=1").await["total_count"], 9_999);
}

#[tokio::test]
async fn keys_are_checked_and_unknown_paths_say_so() {
    let bench = Bench::with(&[], None).await;
    assert_eq!(bench.send("GET", "/v2/account", None).await.status(), 404);
    assert_eq!(bench.send("PUT", "/v2/faces", None).await.status(), 405);
    let mut stream = TcpStream::connect(bench.sandbox.address()).await.unwrap();
    let request = "GET /v2/faces HTTP/1.1\r\nhost: x\r\nx-api-key: wrong-one\r\nconnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = Raw(answer);
    assert_eq!((answer.status(), answer.json()), (401, json!({ "message": "Invalid access token" })));
}
