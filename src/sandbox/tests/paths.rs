//! What the paths answer when nothing goes wrong.

use tokio::net::TcpListener;

use super::*;

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
async fn hours_pass_at_once_where_somebody_winds_the_clock() {
    let folder = tempfile::tempdir().unwrap();
    let world = folder.path().join("world.json");
    let bench = Bench::with(&[], Some(&world)).await;
    let path = format!("/v2/faces/{}", bench.new_face("a.mp4", "phoenix-4").await);
    assert_eq!(bench.get(&path).await["status"], "started");
    let wound = bench.send("POST", "/_sandbox/clock", Some(json!({ "advance": "4h 30m" }))).await.json();
    assert_eq!(wound["now"], "2026-11-22T12:30:00Z");
    assert_eq!(bench.get(&path).await["status"], "completed");
    for wrong in
        [json!({ "advance": "-1h" }), json!({ "advance": "soon" }), json!({ "advance": "99999999h" }), json!({})]
    {
        assert_eq!(bench.send("POST", "/_sandbox/clock", Some(wrong.clone())).await.status(), 400, "{wrong}");
    }
    bench.sandbox.shutdown().await.unwrap();
    let again = Bench::with(&[], Some(&world)).await;
    assert_eq!(again.get("/_sandbox/health").await["now"], "2026-11-22T12:30:00Z", "nor is it lost by a restart");
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
    let request = "GET /v2/faces HTTP/1.1\r\nhost: localhost\r\nx-api-key: wrong-one\r\nconnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = Raw(answer);
    assert_eq!((answer.status(), answer.json()), (401, json!({ "message": "Invalid access token" })));
}

#[tokio::test]
async fn a_lenient_sandbox_takes_what_the_vendors_own_client_sends() {
    let config = SandboxConfig { lenient: true, ..SandboxConfig::default() };
    let sandbox = Sandbox::start(config).await.unwrap();
    let bench = Bench { sandbox, clock: Arc::new(HandWoundClock::at(jiff::Timestamp::UNIX_EPOCH)) };
    assert_eq!(bench.get("/v2/faces?sort=recommended&limit=1").await["total_count"], 145);
    assert_eq!(bench.get("/v2/voices?tags=warm,young&page=0").await["total_count"], 40);
    let body = json!({
        "train_video_url": "https://x.example/a.mp4", "replica_name": "Ana", "callback_url": "", "voice_name": null,
        "properties": { "gaze_correction": true },
    });
    let answer = bench.send("POST", "/v2/replicas", Some(body)).await;
    let id = answer.json()["replica_id"].as_str().unwrap().to_owned();
    assert_eq!(bench.get(&format!("/v2/faces/{id}")).await["face_name"], "Ana");
}

#[tokio::test]
async fn callbacks_can_be_repeated_dropped_and_told_in_new_words() {
    let bench = Bench::with(&["any:callback-repeat", "any:callback-drop", "any:callback-new-words"], None).await;
    let body = json!({
        "train_image_url": "https://x.example/fail-tuning.png", "voice_name": "anna", "model_name": "phoenix-4.5",
        "callback_url": "http://localhost:1/hook",
    });
    let id = bench.send("POST", "/v2/faces", Some(body)).await.json()["face_id"].clone();
    bench.clock.wind(4 * HOUR);
    while bench.sandbox.ledger().callbacks.len() < 4 {
        tokio::task::yield_now().await;
    }
    let log = bench.sandbox.ledger().callbacks;
    let body = |finetune: &str| json!({ "face_id": id, "status": "completed", "finetune_status": finetune });
    assert_eq!(
        log.iter().map(|record| &record.body).collect::<Vec<_>>(),
        [&body("training"), &body("training"), &body("errored"), &body("errored")]
    );
    assert!(log.iter().all(|record| record.outcome == "dropped by a fault rule"));
}

/// Sends lines of a head by hand, with a body, and returns the status.
async fn asked(bench: &Bench, head: &str, body: &str) -> u16 {
    let mut stream = TcpStream::connect(bench.sandbox.address()).await.unwrap();
    let rest = format!("x-api-key: k\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    stream.write_all(format!("{head}{rest}").as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    Raw(answer).status()
}

#[tokio::test]
async fn a_page_from_elsewhere_reaches_neither_the_api_nor_what_is_behind_it() {
    let bench = Bench::with(&[], None).await;
    let (json, here) = ("content-type: application/json\r\n", "host: 127.0.0.1:8787\r\n");
    let before = bench.get("/_sandbox/health").await["now"].clone();
    let advance = r#"{"advance":"4h"}"#;
    for (headers, code, why) in [
        (format!("host: evil.example\r\n{json}"), 421, "a foreign host"),
        (format!("{here}host: evil.example\r\n{json}"), 400, "two hosts"),
        (format!("{here}{json}origin: https://evil.example\r\n"), 403, "a foreign origin"),
        (format!("{here}{json}origin: null\r\n"), 403, "an origin that anybody has"),
        (format!("{here}{json}sec-fetch-site: cross-site\r\n"), 403, "a page elsewhere"),
        (format!("{here}content-type: text/plain\r\n"), 415, "a simple request"),
        (format!("{here}content-type: application/x-www-form-urlencoded\r\n"), 415, "a form"),
        (here.to_owned(), 415, "no content type"),
    ] {
        let found = asked(&bench, &format!("POST /_sandbox/clock HTTP/1.1\r\n{headers}"), advance).await;
        // Two hosts are refused by the server itself, or by us.
        assert!(found == code || (why == "two hosts" && found == 421), "{why}: {found}");
    }
    assert_eq!(bench.get("/_sandbox/health").await["now"], before);
    for path in ["/v2/faces", "/_sandbox/ledger", "/nothing/here"] {
        let found = asked(&bench, &format!("GET {path} HTTP/1.1\r\nhost: evil.example\r\n"), "").await;
        assert_eq!(found, 421, "{path}");
        let head = format!("GET http://evil.example{path} HTTP/1.1\r\n{here}");
        assert_eq!(asked(&bench, &head, "").await, 421, "{path}");
    }
    for headers in [format!("{here}{json}origin: http://localhost:3000\r\n"), format!("host: [::1]\r\n{json}")] {
        let found = asked(&bench, &format!("POST /_sandbox/clock HTTP/1.1\r\n{headers}"), advance).await;
        assert_eq!(found, 200, "{headers}");
    }
    assert_eq!(asked(&bench, &format!("GET /v2/faces HTTP/1.1\r\n{here}"), "").await, 200);
}
