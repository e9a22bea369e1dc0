//! Holds every request of the client against the written contract, as it went over the wire.

mod openapi;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread::JoinHandle;

use facectl::clock::SystemClock;
use facectl::face::{Link, Model, TrainingInput, TrainingVoice};
use facectl::tavus::{
    ApiKey, Client, ClientConfig, ConversationRequest, CreateFace, CreateOutcome, FaceApi, FaceReads, FaceUpdate,
    VoicePage, VoiceQuery, parse_base_url,
};
use serde_json::{Value, json};

/// What one request looked like.
struct Seen {
    method: String,
    path: String,
    headers: Vec<String>,
    body: Option<Value>,
}

/// Answers one request with a JSON body, and gives back what it was asked.
fn answer_once(answer: Value) -> (Client, JoinHandle<Seen>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v2", listener.local_addr().unwrap());
    let config = ClientConfig::new(
        parse_base_url(&url).unwrap(),
        ApiKey::parse("key-for-the-contract").unwrap(),
        Arc::new(SystemClock),
    );
    let server = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(stream);
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        let length = |line: &String| line.to_lowercase().strip_prefix("content-length: ")?.parse::<usize>().ok();
        let mut body = vec![0; lines.iter().find_map(length).unwrap_or(0)];
        reader.read_exact(&mut body).unwrap();
        let answer = answer.to_string();
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            answer.len()
        );
        reader.get_mut().write_all((head + &answer).as_bytes()).unwrap();
        let mut first = lines[0].split(' ').map(str::to_owned);
        let (method, path) = (first.next().unwrap(), first.next().unwrap());
        let body = (!body.is_empty()).then(|| serde_json::from_slice(&body).unwrap());
        Seen { method, path, headers: lines.split_off(1), body }
    });
    (Client::new(config).unwrap(), server)
}

/// Checks what was sent, and returns its body.
fn check(server: JoinHandle<Seen>) -> Value {
    let Seen { method, path, headers, body } = server.join().unwrap();
    if let Err(problems) = openapi::validate_request(&method, &path, body.as_ref()) {
        panic!("{problems}\nbody: {body:?}");
    }
    let has = |wanted: &str| headers.iter().any(|header| header.to_lowercase().starts_with(wanted));
    assert!(has("x-api-key: key-for-the-contract"), "{method} {path}: {headers:?}");
    assert!(has("user-agent: facectl/"), "{method} {path}: {headers:?}");
    assert!(!has("authorization:"), "the key is not a bearer token: {headers:?}");
    assert_eq!(has("content-type: application/json"), body.is_some(), "{method} {path}: {headers:?}");
    body.unwrap_or(Value::Null)
}

fn create(training: TrainingInput) -> CreateFace {
    let link = training.source().link().unwrap().clone();
    CreateFace {
        face_name: "Ana (Support) [fc-k3j9x2m7-qa4bd2-1]".into(),
        model: Model::Phoenix45,
        training,
        link,
        callback_url: None,
        green_screen: false,
    }
}

fn link(text: &str) -> Link {
    Link::parse(text).unwrap()
}

async fn sent(request: CreateFace) -> Value {
    let (client, server) = answer_once(json!({ "face_id": "r90bbd427f71", "status": "started" }));
    let outcome = client.create_face(&request).await;
    assert!(matches!(&outcome, CreateOutcome::Accepted { id } if id.as_str() == "r90bbd427f71"), "{outcome:?}");
    check(server)
}

#[tokio::test]
async fn every_kind_of_create_is_what_the_contract_allows_and_says_no_more() {
    let video = TrainingInput::Video { source: link("https://media.example.com/ana.mp4?X-Amz-Signature=s").into() };
    let body = sent(create(video.clone())).await;
    let signed = "https://media.example.com/ana.mp4?X-Amz-Signature=s";
    let name = "Ana (Support) [fc-k3j9x2m7-qa4bd2-1]";
    assert_eq!(body, json!({ "face_name": name, "model_name": "phoenix-4.5", "train_video_url": signed }));

    let callback = Some(link("https://hooks.example.com/tavus/secret"));
    let all = CreateFace { callback_url: callback, green_screen: true, ..create(video) };
    let body = sent(all).await;
    assert_eq!(body["callback_url"], "https://hooks.example.com/tavus/secret");
    assert_eq!(body["properties"], json!({ "background_green_screen": true }));

    for (voice, field, value) in [
        (TrainingVoice::Stock("anna".parse().unwrap()), "voice_name", "anna"),
        (TrainingVoice::Id("v0a1b2c3d4e5f".parse().unwrap()), "default_voice_id", "v0a1b2c3d4e5f"),
    ] {
        for auto_fix in [false, true] {
            let source = link("https://media.example.com/ana.png");
            let body =
                sent(create(TrainingInput::Image { source: source.into(), voice: voice.clone(), auto_fix })).await;
            assert_eq!(body[field], value);
            assert_eq!(body.get("auto_fix_training_image").and_then(Value::as_bool).unwrap_or(false), auto_fix);
        }
    }
}

#[tokio::test]
async fn voices_are_asked_for_in_both_ways_that_the_contract_knows() {
    for query in [VoiceQuery::default(), VoiceQuery { search: Some("Än & na=1#".into()), is_of_all_sources: true }] {
        let (client, server) = answer_once(json!({ "data": [], "total_count": 0, "page": 1, "limit": 100 }));
        assert_eq!(
            client.voice_page(1, &query).await.unwrap(),
            VoicePage { total_count: Some(0), ..VoicePage::default() }
        );
        check(server);
    }
}

#[tokio::test]
async fn looking_asks_for_own_faces_in_full_pages() {
    let (client, server) = answer_once(json!({ "data": [], "total_count": 0 }));
    client.face_page(1).await.unwrap();
    check(server);
    let face = json!({ "face_id": "r90bbd427f71", "status": "completed" });
    let (client, server) = answer_once(face);
    assert!(client.face(&"r90bbd427f71".parse().unwrap()).await.unwrap().is_some());
    check(server);
    let voice = json!({ "voice_id": "v0a1b2c3d4e5f", "voice_name": "Ana", "status": "completed" });
    let (client, server) = answer_once(voice);
    assert!(client.voice(&"v0a1b2c3d4e5f".parse().unwrap()).await.unwrap().unwrap().is_completed);
    check(server);
}

#[tokio::test]
async fn an_update_is_a_merge_patch_of_what_differs() {
    for (update, body) in [
        (FaceUpdate { face_name: Some("Ana".into()), default_voice: None }, json!({ "face_name": "Ana" })),
        (
            FaceUpdate { face_name: None, default_voice: Some("v0a1b2c3d4e5f".parse().unwrap()) },
            json!({ "default_voice_id": "v0a1b2c3d4e5f" }),
        ),
    ] {
        let (client, server) = answer_once(json!({ "face_id": "r90bbd427f71" }));
        client.update_face(&"r90bbd427f71".parse().unwrap(), &update).await.unwrap();
        assert_eq!(check(server), body);
    }
}

#[tokio::test]
async fn a_conversation_says_whether_it_is_a_test() {
    for test_mode in [false, true] {
        let answer =
            json!({ "conversation_id": "c1", "conversation_url": "https://tavus.daily.co/c1", "status": "active" });
        let (client, server) = answer_once(answer);
        let request = ConversationRequest {
            face: "r90bbd427f71".parse().unwrap(),
            pal: Some("pcb7a34da5fe".into()),
            test_mode,
            name: Some("A look".into()),
        };
        client.create_conversation(&request).await.unwrap();
        let body = check(server);
        assert_eq!(body.get("test_mode").and_then(Value::as_bool).unwrap_or(false), test_mode);
        assert_eq!(body["face_id"], "r90bbd427f71");
    }
}
