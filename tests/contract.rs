//! Holds every answer of the sandbox against the written contract.

mod openapi;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, Once};
use std::time::Duration;

use facectl::clock::HandWoundClock;
use facectl::sandbox::{READY_VOICE, RunningSandbox, Sandbox, SandboxConfig, UNFINISHED_VOICE};
use reqwest::Method;
use serde_json::{Value, json};

const PHOTO: &str = "https://media.example.com/ana.png";
const VIDEO: &str = "https://media.example.com/ana.mp4";

/// A client that lets no answer pass that the contract does not allow.
struct Judge {
    sandbox: RunningSandbox,
    clock: Arc<HandWoundClock>,
    client: reqwest::Client,
    seen: Mutex<BTreeSet<(String, u16)>>,
}

impl Judge {
    async fn new(faults: &[&str]) -> Self {
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
        let clock = Arc::new(HandWoundClock::at("2026-11-22T08:00:00Z".parse().unwrap()));
        let config = SandboxConfig {
            clock: clock.clone(),
            faults: faults.iter().map(|rule| rule.parse().unwrap()).collect(),
            ..SandboxConfig::default()
        };
        let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        Self {
            sandbox: Sandbox::start(config).await.unwrap(),
            clock,
            client: client.build().unwrap(),
            seen: Mutex::default(),
        }
    }

    /// Sends a request and returns status and body, both allowed by the contract.
    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        self.call_with_key("key", method, path, body).await
    }

    async fn call_with_key(&self, key: &str, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let url = format!("http://{}{path}", self.sandbox.address());
        let mut request = self.client.request(method.clone(), url).header("x-api-key", key);
        if let Some(body) = &body {
            request = request.json(body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        let value = (!text.is_empty()).then(|| serde_json::from_str(&text).unwrap_or(Value::String(text)));
        if path.starts_with("/v2/") {
            let judged = value.clone().map(openapi::with_new_words);
            let path = path.replace("/replicas", "/faces").replace("/personas", "/pals");
            if let Err(problems) = openapi::validate_response(method.as_str(), &path, status, judged.as_ref()) {
                panic!("status {status}: {problems}\n{value:?}");
            }
            self.seen.lock().unwrap().insert((method.to_string(), status));
        }
        (status, value.unwrap_or(Value::Null))
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body) = self.call(Method::GET, path, None).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// Creates a face; what is sent is held against the contract too.
    async fn face(&self, file: &str, model: &str) -> String {
        let mut body = json!({ "face_name": "Ana", "model_name": model });
        let link = format!("https://media.example.com/{file}");
        match file.ends_with(".png") {
            true => {
                body["train_image_url"] = link.into();
                body["voice_name"] = "anna".into();
            }
            false => body["train_video_url"] = link.into(),
        }
        openapi::validate_request("POST", "/v2/faces", Some(&body)).unwrap();
        let (status, answer) = self.call(Method::POST, "/v2/faces", Some(body)).await;
        assert_eq!(status, 200, "{answer}");
        answer["face_id"].as_str().unwrap().to_owned()
    }

    async fn pal(&self) -> String {
        let (_, pal) = self.call(Method::POST, "/_sandbox/pals", Some(json!({ "pal_name": "Host" }))).await;
        pal["pal_id"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn every_documented_operation_is_served() {
    let judge = Judge::new(&[]).await;
    let (face, pal) = (judge.face("ana.mp4", "phoenix-4").await, judge.pal().await);
    judge.clock.wind(Duration::from_secs(4 * 3600));
    let probe = json!({ "face_id": face, "test_mode": true });
    let (_, opened) = judge.call(Method::POST, "/v2/conversations", Some(probe)).await;
    let conversation = opened["conversation_id"].as_str().unwrap().to_owned();
    // Deletions last: the others need what they take away.
    let mut operations = openapi::operations();
    operations.sort_by_key(|(method, _)| method == "DELETE");
    assert_eq!(operations.len(), 15);
    for (method, template) in operations {
        let path = template
            .replace("{face_id}", &face)
            .replace("{voice_id}", READY_VOICE)
            .replace("{conversation_id}", &conversation)
            .replace("{pal_id}", &pal);
        let body = match (method.as_str(), template.as_str()) {
            ("POST", "/v2/faces") => Some(json!({ "model_name": "phoenix-4", "train_video_url": VIDEO })),
            ("POST", "/v2/conversations") => Some(json!({ "face_id": face, "test_mode": true })),
            ("PATCH", "/v2/voices/{voice_id}") => Some(json!({ "tags": ["warm"], "description": null })),
            ("PATCH", "/v2/pals/{pal_id}") => Some(json!([{ "op": "add", "path": "/default_face_id", "value": face }])),
            ("PATCH", _) => Some(json!({ "face_name": "Rio" })),
            _ => None,
        };
        openapi::validate_request(&method, &path, body.as_ref()).unwrap();
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let (status, answer) = judge.call(method.clone(), &path, body).await;
        assert_eq!(status, 200, "{method} {template}: {answer}");
    }
}

#[tokio::test]
async fn every_operation_refuses_a_wrong_key_as_documented() {
    let judge = Judge::new(&[]).await;
    for (method, template) in openapi::operations() {
        let path = template.replace(['{', '}'], "");
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        for key in ["", "wrong", "bad-key"] {
            let (status, answer) = judge.call_with_key(key, method.clone(), &path, None).await;
            assert_eq!((status, answer), (401, json!({ "message": "Invalid access token" })), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn a_face_keeps_to_the_contract_at_every_stage_of_every_fate() {
    let judge = Judge::new(&[]).await;
    let mut ids = Vec::new();
    for model in ["phoenix-3", "phoenix-4", "phoenix-4.5"] {
        for file in ["a.mp4", "a.png", "fail-training.mp4", "fail-tuning.mp4", "stuck.mp4", "unknown-status.mp4"] {
            if !(model == "phoenix-3" && file == "a.png") {
                ids.push(judge.face(file, model).await);
            }
        }
    }
    for seconds in [0, 60, 180, 3600, 3600, 3 * 3600, 12 * 3600] {
        judge.clock.wind(Duration::from_secs(seconds));
        for id in &ids {
            judge.get(&format!("/v2/faces/{id}?verbose=true")).await;
            judge.get(&format!("/v2/replicas/{id}")).await;
        }
        judge.get("/v2/faces?limit=100&page=1&verbose=true&face_type=user").await;
        judge.get("/v2/faces?limit=100&page=2&verbose=false").await;
        judge.get("/v2/replicas?limit=100&verbose=true").await;
    }
}

#[tokio::test]
async fn listings_of_voices_and_pals_keep_to_the_contract() {
    let judge = Judge::new(&[]).await;
    judge.pal().await;
    for path in [
        "/v2/voices",
        "/v2/voices?limit=100&page=0&source=all&sort=desc",
        "/v2/voices?search=AN&tag=WARM",
        "/v2/pals?limit=100&page=0",
        "/v2/pals?pal_type=user&sort=desc",
        "/v2/personas?limit=5",
    ] {
        openapi::validate_request("GET", &path.replace("personas", "pals"), None).unwrap();
        let page = judge.get(path).await;
        assert!(page["data"].as_array().is_some_and(|rows| !rows.is_empty()), "{path}: {page}");
    }
    let (all, mine) = (judge.get("/v2/pals").await, judge.get("/v2/pals?pal_type=user").await);
    let stock = judge.get("/v2/pals?pal_type=system").await;
    let count = |page: &Value| page["total_count"].as_u64().unwrap();
    assert!(count(&all) > count(&mine) + count(&stock), "some are in neither filter");
    assert_eq!(judge.get(&format!("/v2/voices/{UNFINISHED_VOICE}")).await["status"], "started");
}

#[tokio::test]
async fn refusals_keep_to_the_contract() {
    let judge = Judge::new(&[]).await;
    let (face, pal) = (judge.face("ana.png", "phoenix-4.5").await, judge.pal().await);
    let own = |rest: &str| format!("/v2/faces/{face}{rest}");
    let table = [
        (Method::POST, "/v2/faces".to_owned(), Some(json!({ "model_name": "phoenix-4" })), 400),
        (Method::POST, "/v2/faces".into(), Some(json!({ "train_image_url": PHOTO, "model_name": "phoenix-4" })), 400),
        (Method::POST, "/v2/faces".into(), Some(json!({ "train_video_url": "https://x.example/plan-402.mp4" })), 402),
        (Method::GET, "/v2/faces?verbose=perhaps".into(), None, 400),
        (Method::GET, "/v2/faces?colour=red".into(), None, 400),
        (Method::GET, "/v2/faces/r00000000000".into(), None, 404),
        (Method::GET, "/v2/faces/not%20an%20id".into(), None, 400),
        (Method::PATCH, own(""), Some(json!({ "face_name": null })), 400),
        (Method::PATCH, own(""), Some(json!({ "default_voice_id": "v0" })), 400),
        (Method::PATCH, own("/name"), Some(json!({})), 400),
        (Method::DELETE, "/v2/faces/r00000000000?hard=true".into(), None, 404),
        (Method::GET, "/v2/voices/v0".into(), None, 404),
        (Method::PATCH, format!("/v2/voices/{READY_VOICE}"), Some(json!({ "tags": null })), 400),
        (Method::POST, "/v2/conversations".into(), Some(json!({ "face_id": face, "test_mode": true })), 400),
        (Method::POST, "/v2/conversations".into(), Some(json!({ "face_id": face, "replica_id": face })), 400),
        (Method::GET, "/v2/conversations/c0".into(), None, 400),
        (Method::POST, "/v2/conversations/c0/end".into(), None, 400),
        (Method::GET, "/v2/pals/p0".into(), None, 400),
        (Method::PATCH, format!("/v2/pals/{pal}"), Some(json!({ "default_face_id": face })), 422),
        (Method::PATCH, format!("/v2/pals/{pal}"), Some(json!([{ "op": "add", "path": "/x", "value": "y" }])), 400),
    ];
    for (method, path, body, expected) in table {
        let (status, answer) = judge.call(method.clone(), &path, body).await;
        assert_eq!(status, expected, "{method} {path}: {answer}");
    }
}

#[tokio::test]
async fn answers_under_a_rule_keep_to_the_contract_too() {
    let rules =
        ["list@1:429;retry-after=1", "list@2:html", "list@3:500", "pals@2:409", "pals:envelope", "delete:no-content"];
    let judge = Judge::new(&rules).await;
    for expected in [429, 502, 500, 200] {
        assert_eq!(judge.call(Method::GET, "/v2/faces?limit=100&page=1", None).await.0, expected);
    }
    let pal = format!("/v2/pals/{}", judge.pal().await);
    let face = judge.face("ana.mp4", "phoenix-4").await;
    assert!(judge.get(&pal).await["data"].is_array());
    let change = json!([{ "op": "add", "path": "/default_face_id", "value": face }]);
    for expected in [409, 200, 304] {
        assert_eq!(judge.call(Method::PATCH, &pal, Some(change.clone())).await.0, expected);
    }
    assert_eq!(judge.call(Method::DELETE, &format!("/v2/faces/{face}"), None).await.0, 204);
    assert_eq!(judge.seen.lock().unwrap().len(), 9);
}

/// A pooled connection that closes without an answer tempts HTTP clients to send the request again by themselves.
#[tokio::test]
async fn a_client_that_loses_an_answer_is_seen_to_have_sent_it_once() {
    let judge = Judge::new(&["create@1:drop-after-effect", "create@2:truncate", "create@3:html200"]).await;
    judge.get("/v2/faces?limit=1").await;
    let url = format!("{}/faces", judge.sandbox.base_url());
    let body = json!({ "model_name": "phoenix-4", "train_video_url": VIDEO });
    for lost in 1..=3 {
        let answer = judge.client.post(&url).header("x-api-key", "key").json(&body).send().await;
        let text = match answer {
            Ok(answer) => answer.text().await.ok(),
            Err(_) => None,
        };
        assert!(text.is_none_or(|text| serde_json::from_str::<Value>(&text).is_err()), "answer {lost} is readable");
        let ledger = judge.sandbox.ledger();
        assert_eq!((ledger.trainings.len(), ledger.requests_of("create")), (lost, lost as u64));
    }
}

#[tokio::test]
async fn creates_at_the_same_time_start_one_training_each() {
    let judge = Arc::new(Judge::new(&[]).await);
    let mut creates = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let judge = Arc::clone(&judge);
        creates.spawn(async move { judge.face("ana.mp4", "phoenix-4").await });
    }
    let ids: BTreeSet<String> = creates.join_all().await.into_iter().collect();
    let paid: BTreeSet<String> = judge.sandbox.ledger().trainings.into_iter().map(|paid| paid.face_id).collect();
    assert_eq!((ids.len(), &ids), (50, &paid));
}

#[test]
fn the_judge_refuses_what_the_contract_does_not_list() {
    let create = |body: Value| openapi::validate_request("POST", "/v2/faces", Some(&body));
    let good = json!({ "model_name": "phoenix-4", "train_image_url": PHOTO, "voice_name": "anna" });
    create(good.clone()).unwrap();
    for (name, value) in [
        ("default_voice_id", json!(READY_VOICE)),
        ("train_video_url", json!(VIDEO)),
        ("model_name", json!("phoenix-3")),
        ("colour", json!("red")),
        ("train_image_url", json!("not a link")),
    ] {
        let mut bad = good.clone();
        bad[name] = value;
        assert!(create(bad).is_err(), "{name}");
    }
    openapi::validate_request("GET", "/v2/faces?face_type=user&limit=100&page=1&verbose=true", None).unwrap();
    assert!(openapi::validate_request("GET", "/v2/faces?limit=1000", None).is_err());
    assert!(openapi::validate_request("GET", "/v2/faces?model_name=phoenix-9", None).is_err());
    assert!(openapi::validate_request("GET", "/v2/faces?colour=red", None).is_err());
    assert!(openapi::validate_response("GET", "/v2/faces", 200, Some(&json!({ "data": [{}] }))).is_err());
    assert!(openapi::validate_response("GET", "/v2/faces", 200, None).is_err());
    let nulls = json!({ "face_id": "r1", "status": "new word", "finetune_status": null, "error_message": null });
    openapi::validate_response("GET", "/v2/faces/r1", 200, Some(&nulls)).unwrap();
    let wrong = json!({ "face_id": "r1", "status": null });
    assert!(openapi::validate_response("GET", "/v2/faces/r1", 200, Some(&wrong)).is_err());
}
