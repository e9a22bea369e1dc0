//! The client against a hand-written server on a raw socket: what each kind of broken answer proves, that a
//! create reaches the server once at most, and that no secret comes back out.

use std::future::Future;
use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use facectl::clock::{Clock, HandWoundClock};
use facectl::face::{FaceId, Link, Model, TrainingInput};
use facectl::tavus::{
    ApiError, ApiKey, Client, ClientConfig, ConversationRequest, CreateFace, CreateOutcome, Effect, FaceApi, FaceReads,
    FaceUpdate, Failure, parse_base_url,
};
use jiff::Timestamp;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const KEY: &str = "key-that-nobody-may-see";
const SIGNATURE: &str = "signature-that-nobody-may-see";

/// A server on loopback. Counts the requests that arrived whole and keeps their text.
struct Server {
    port: u16,
    requests: Arc<Mutex<Vec<String>>>,
    connections: Arc<AtomicUsize>,
}

impl Server {
    /// Answers the n-th request, counted from 0, with what `script` returns for it, then closes.
    async fn saying(script: impl Fn(usize) -> String + Send + Sync + 'static) -> Self {
        Self::doing(move |mut stream, requests, _| {
            let script = script(requests.lock().unwrap().len());
            async move {
                let request = read_request(&mut stream).await;
                requests.lock().unwrap().push(request);
                let _ = stream.write_all(script.as_bytes()).await;
                let _ = stream.shutdown().await;
            }
        })
        .await
    }

    /// Does anything at all with each connection.
    async fn doing<F, D>(deed: D) -> Self
    where
        F: Future<Output = ()> + Send,
        D: Fn(TcpStream, Arc<Mutex<Vec<String>>>, usize) -> F + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let connections = Arc::new(AtomicUsize::new(0));
        let (kept, counted) = (requests.clone(), connections.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let number = counted.fetch_add(1, Ordering::SeqCst);
                deed(stream, kept.clone(), number).await;
            }
        });
        Self { port, requests, connections }
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// Reads head and body of one request.
async fn read_request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length =
                head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return text;
            }
        }
        match stream.read(&mut chunk).await {
            Ok(read) if read > 0 => bytes.extend_from_slice(&chunk[..read]),
            _ => return text,
        }
    }
}

/// A whole answer.
fn answer(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n{body}", body.len())
}

fn clock() -> Arc<HandWoundClock> {
    Arc::new(HandWoundClock::at(Timestamp::from_second(1_800_000_000).unwrap()))
}

fn config(port: u16, clock: Arc<dyn Clock>) -> ClientConfig {
    let base_url = parse_base_url(&format!("http://127.0.0.1:{port}/v2/")).unwrap();
    ClientConfig::new(base_url, ApiKey::parse(KEY).unwrap(), clock)
}

fn client(port: u16) -> Client {
    Client::new(config(port, clock())).unwrap()
}

fn ana() -> CreateFace {
    let source = format!("https://media.example.com/ana.mp4?X-Amz-Signature={SIGNATURE}");
    let link = Link::parse(&source).unwrap();
    CreateFace {
        face_name: "Ana [fc-k3j7x2m7-qa4bd2-1]".into(),
        model: Model::Phoenix45,
        training: TrainingInput::Video { source: link.clone().into() },
        link,
        callback_url: None,
        green_screen: false,
    }
}

fn face_id() -> FaceId {
    "r90bbd427f71".parse().unwrap()
}

/// The outcome in one word, and what was said about it.
fn told(outcome: CreateOutcome) -> (String, String) {
    match outcome {
        CreateOutcome::Accepted { id } => (format!("accepted {id}"), String::new()),
        CreateOutcome::Refused(error) => ("refused".into(), error.to_string()),
        CreateOutcome::RetryLater { after, error } => (format!("later {after:?}"), error.to_string()),
        CreateOutcome::Unknown(error) => ("unknown".into(), error.to_string()),
    }
}

#[tokio::test]
async fn a_create_is_judged_by_what_its_answer_proves_and_sent_once() {
    let ok = r#"{"face_id":"r1","status":"started"}"#;
    let cut = |status: &str| format!("HTTP/1.1 {status}\r\ncontent-length: 900\r\n\r\n{{\"error\":\"half");
    for (answer, outcome, says) in [
        (answer("200 OK", "", ok), "accepted r1", ""),
        (answer("201 Created", "", r#"{"replica_id":"r1"}"#), "accepted r1", ""),
        (answer("200 OK", "", "<html>hello</html>"), "unknown", "<html>hello</html>"),
        (answer("200 OK", "", r#"{"status":"started"}"#), "unknown", "usable `face_id`"),
        (answer("200 OK", "", r#"{"face_id":"","status":"started"}"#), "unknown", "usable `face_id`"),
        (answer("204 No Content", "", ""), "unknown", "empty"),
        (cut("200 OK"), "unknown", "broke off"),
        (cut("400 Bad Request"), "unknown", "HTTP 400, then the answer broke off"),
        (cut("429 Too Many Requests"), "unknown", "broke off"),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n23\r\n{\"face".into(), "unknown", "broke off"),
        ("HTTP/1.1 200 OK\r\ncontent-le".into(), "unknown", "no complete answer"),
        ("SSH-2.0-OpenSSH_9.9\r\n".into(), "unknown", "no complete answer"),
        (String::new(), "unknown", "no complete answer"),
        (answer("400 Bad Request", "", r#"{"error":"bad voice"}"#), "refused", "HTTP 400: bad voice"),
        (answer("401 Unauthorized", "", r#"{"message":"Invalid access token"}"#), "refused", "Invalid access token"),
        (answer("402 Payment Required", "", r#"{"message":"Payment required"}"#), "refused", "Payment required"),
        (answer("403 Forbidden", "", ""), "refused", "HTTP 403"),
        (answer("404 Not Found", "", "<h1>404</h1>"), "refused", "<h1>404</h1>"),
        (answer("422 Unprocessable", "", ""), "refused", "HTTP 422"),
        (answer("408 Request Timeout", "", ""), "unknown", "HTTP 408"),
        (answer("409 Conflict", "", ""), "unknown", "HTTP 409"),
        (answer("425 Too Early", "", ""), "unknown", "HTTP 425"),
        (answer("429 Too Many Requests", "", ""), "later None", "HTTP 429"),
        (answer("429 Too Many Requests", "retry-after: 7\r\n", ""), "later Some(7s)", "HTTP 429"),
        (
            answer(
                "429 Too Many Requests",
                "date: Sun, 06 Nov 1994 08:49:37 GMT\r\nretry-after: Sun, 06 Nov 1994 08:50:37 GMT\r\n",
                "",
            ),
            "later Some(60s)",
            "HTTP 429",
        ),
        (answer("500 Internal Server Error", "", r#"{"error":"oops"}"#), "unknown", "oops"),
        (answer("502 Bad Gateway", "", "<html>nginx"), "unknown", "nginx"),
        (answer("503 Service Unavailable", "retry-after: 1\r\n", ""), "unknown", "HTTP 503"),
        (answer("304 Not Modified", "", ""), "unknown", "HTTP 304"),
        (
            answer("200 OK", "", &format!("{{\"face_id\":\"r1\",\"x\":\"{}\"}}", "x".repeat(2 << 20))),
            "unknown",
            "more than",
        ),
    ] {
        let scripted = answer.clone();
        let server = Server::saying(move |_| scripted.clone()).await;
        let (word, message) = told(client(server.port).create_face(&ana()).await);
        let shown = &answer[..answer.len().min(200)];
        assert_eq!(word, outcome, "{shown}\n{message}");
        assert!(message.contains(says), "{shown}\n{message}");
        assert_eq!(server.requests().len(), 1, "{shown}");
        assert_eq!(server.connections(), 1, "{shown}");
    }
}

#[tokio::test]
async fn a_create_that_finds_nobody_is_refused() {
    let port = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap().port()
    };
    let (word, message) = told(client(port).create_face(&ana()).await);
    assert_eq!(word, "refused", "{message}");
    assert!(message.starts_with("POST /v2/faces: no connection"), "{message}");
}

#[tokio::test]
async fn a_create_that_meets_no_tls_is_refused_before_anything_is_sent() {
    // The server speaks, but not TLS: the handshake fails, so that no request can have left.
    let server = Server::doing(|mut stream, requests, _| async move {
        let mut hello = [0; 4096];
        let read = stream.read(&mut hello).await.unwrap_or(0);
        requests.lock().unwrap().push(String::from_utf8_lossy(&hello[..read]).into_owned());
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    })
    .await;
    let base_url = parse_base_url(&format!("https://127.0.0.1:{}/v2", server.port)).unwrap();
    let client = Client::new(ClientConfig { base_url, ..config(server.port, clock()) }).unwrap();
    let (word, message) = told(client.create_face(&ana()).await);
    assert_eq!(word, "refused", "{message}");
    assert!(server.requests().iter().all(|hello| !hello.contains("/v2/faces") && !hello.contains(KEY)));
}

#[tokio::test]
async fn a_connection_closed_before_the_request_was_read_proves_nothing() {
    let server = Server::doing(|stream, _, _| async move { drop(stream) }).await;
    let (word, message) = told(client(server.port).create_face(&ana()).await);
    assert_eq!(word, "unknown", "{message}");
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_connection_that_is_reset_proves_nothing() {
    let server = Server::doing(|mut stream, requests, _| async move {
        let mut some = [0; 16];
        let _ = stream.read(&mut some).await;
        requests.lock().unwrap().push(String::new());
        // Closing with bytes unread makes the kernel send a reset.
        drop(stream);
    })
    .await;
    let (word, message) = told(client(server.port).create_face(&ana()).await);
    assert_eq!(word, "unknown", "{message}");
    assert_eq!((server.connections(), server.requests().len()), (1, 1));
}

#[tokio::test]
async fn a_create_that_is_never_answered_is_unknown_and_not_sent_again() {
    for head in ["", "HTTP/1.1 400 Bad Request\r\ncontent-length: 10\r\n\r\n{"] {
        let server = Server::doing(move |mut stream, requests, _| async move {
            let request = read_request(&mut stream).await;
            requests.lock().unwrap().push(request);
            let _ = stream.write_all(head.as_bytes()).await;
            let mut rest = [0; 16];
            let _ = stream.read(&mut rest).await; // Until the client has had enough.
        })
        .await;
        let request_timeout = Duration::from_millis(200);
        let client = Client::new(ClientConfig { request_timeout, ..config(server.port, clock()) }).unwrap();
        let (word, message) = told(client.create_face(&ana()).await);
        assert_eq!(word, "unknown", "{message}");
        assert!(message.contains("timed out after 200ms"), "{message}");
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn nobody_follows_a_redirect() {
    let other = Server::saying(|_| answer("200 OK", "", r#"{"face_id":"r1"}"#)).await;
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let location = format!("location: http://127.0.0.1:{}/v2/faces?x={SIGNATURE}\r\n", other.port);
        let redirect = answer(status, &location, "");
        let server = Server::saying(move |_| redirect.clone()).await;
        let client = client(server.port);
        let (word, message) = told(client.create_face(&ana()).await);
        assert_eq!(word, "unknown", "{message}");
        assert!(message.contains("redirects to 127.0.0.1") && !message.contains(SIGNATURE), "{message}");
        let error = client.face_page(1).await.unwrap_err();
        assert!(error.to_string().contains("check the base URL"), "{error}");
        assert_eq!(server.requests().len(), 2);
    }
    assert_eq!(other.connections(), 0);
}

#[tokio::test]
async fn each_create_has_a_connection_of_its_own() {
    // The server would keep the connection; the client must not come back on it.
    let server = Server::doing(|mut stream, requests, _| async move {
        let kept = requests.clone();
        tokio::spawn(async move {
            loop {
                let request = read_request(&mut stream).await;
                if request.is_empty() {
                    return;
                }
                kept.lock().unwrap().push(request);
                let body = r#"{"face_id":"r1"}"#;
                let _ = stream
                    .write_all(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()).as_bytes())
                    .await;
            }
        });
    })
    .await;
    let client = client(server.port);
    for _ in 0..3 {
        assert_eq!(told(client.create_face(&ana()).await).0, "accepted r1");
    }
    assert_eq!((server.connections(), server.requests().len()), (3, 3));
}

#[tokio::test]
async fn a_request_is_exactly_what_is_documented() {
    let server = Server::saying(|_| answer("200 OK", "", r#"{"face_id":"r1","data":[],"total_count":0}"#)).await;
    let client = client(server.port);
    assert!(matches!(client.create_face(&ana()).await, CreateOutcome::Accepted { .. }));
    client.face_page(3).await.unwrap();
    let update = FaceUpdate { face_name: Some("Ana".into()), default_voice: Some("v1".parse().unwrap()) };
    client.update_face(&face_id(), &update).await.unwrap();
    client.update_face(&face_id(), &FaceUpdate::default()).await.unwrap();
    let [create, list, patch] = <[String; 3]>::try_from(server.requests()).unwrap();
    assert!(create.starts_with("POST /v2/faces HTTP/1.1\r\n"), "{create}");
    assert!(create.contains(&format!("x-api-key: {KEY}\r\n")) && create.contains(SIGNATURE));
    assert!(create.contains(&format!("user-agent: facectl/{} (", env!("CARGO_PKG_VERSION"))), "{create}");
    assert!(create.contains("content-type: application/json\r\n"), "{create}");
    assert!(list.starts_with("GET /v2/faces?limit=100&page=3&face_type=user&verbose=true HTTP/1.1\r\n"), "{list}");
    assert!(patch.starts_with("PATCH /v2/faces/r90bbd427f71 HTTP/1.1\r\n"), "{patch}");
    assert!(patch.ends_with(r#"{"face_name":"Ana","default_voice_id":"v1"}"#), "{patch}");
}

#[tokio::test]
async fn what_may_be_repeated_is_repeated_after_the_wait_that_was_asked_for() {
    let server = Server::saying(|n| match n {
        0 => answer("429 Too Many Requests", "retry-after: 7\r\n", ""),
        1 => answer("502 Bad Gateway", "", "<html>"),
        2 => String::new(),
        3 => answer("200 OK", "", "<html>maintenance"),
        _ => answer("200 OK", "", r#"{"data":[{"face_id":"r1"}],"total_count":1}"#),
    })
    .await;
    let clock = clock();
    let begun = clock.now();
    let page = Client::new(config(server.port, clock.clone())).unwrap().face_page(1).await.unwrap();
    assert_eq!((page.faces.len(), server.requests().len()), (1, 5));
    // 7 s as asked, then at least half of 1, 2 and 4 s: on a clock that is wound by hand.
    assert!(clock.now().duration_since(begun).as_millis() >= 10_500);
}

#[tokio::test]
async fn what_keeps_failing_is_given_up_and_says_how_often_it_was_tried() {
    let server = Server::saying(|_| answer("503 Service Unavailable", "", "")).await;
    let rename = FaceUpdate { face_name: Some("Ana".into()), default_voice: None };
    let error = client(server.port).update_face(&face_id(), &rename).await.unwrap_err();
    assert!(error.to_string().ends_with("HTTP 503: tried 5 times"), "{error}");
    assert_eq!(server.requests().len(), 5);

    let server = Server::saying(|_| answer("429 Too Many Requests", "retry-after: 3600\r\n", "")).await;
    let error = client(server.port).face_page(1).await.unwrap_err();
    assert!(error.to_string().contains("come back in 3600 s"), "{error}");
    assert_eq!(server.requests().len(), 1);

    let server = Server::saying(|_| answer("401 Unauthorized", "", r#"{"message":"Invalid access token"}"#)).await;
    assert!(client(server.port).face_page(1).await.unwrap_err().is_key_refused());
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_face_is_absent_only_where_the_api_says_so() {
    for (reply, absent) in [
        (answer("404 Not Found", "", ""), true),
        // With another account's key every id is invalid.
        (answer("400 Bad Request", "", r#"{"error":"Invalid face_id"}"#), false),
        (answer("400 Bad Request", "", r#"{"message":"Invalid replica_uuid"}"#), false),
        (answer("400 Bad Request", "", r#"{"error":"bad query"}"#), false),
        (answer("401 Unauthorized", "", r#"{"message":"Invalid access token"}"#), false),
        (answer("410 Gone", "", ""), false),
    ] {
        let scripted = reply.clone();
        let server = Server::saying(move |_| scripted.clone()).await;
        let found = client(server.port).face(&face_id()).await;
        assert_eq!(found == Ok(None), absent, "{reply}");
        assert!(absent || found.is_err(), "{reply}");
        let deleted = client(server.port).delete_face(&face_id(), false).await;
        assert_eq!(deleted.is_ok(), absent, "{reply}");
    }
}

#[tokio::test]
async fn a_page_of_millions_of_rows_is_refused() {
    let rows = vec!["{}"; 1_000_000].join(",");
    let page = answer("200 OK", "", &format!(r#"{{"data":[{rows}]}}"#));
    let server = Server::saying(move |_| page.clone()).await;
    let error = client(server.port).face_page(1).await.unwrap_err().to_string();
    assert!(error.contains("more than 1000 rows") && error.len() < 500, "{error}");
}

#[tokio::test]
async fn a_conversation_is_opened_once_whatever_happens() {
    for reply in [answer("503 Service Unavailable", "", ""), String::new(), answer("200 OK", "", "<html>")] {
        let server = Server::saying(move |_| reply.clone()).await;
        let request = ConversationRequest { face: face_id(), pal: None, test_mode: false, name: None };
        let error = client(server.port).create_conversation(&request).await.unwrap_err();
        assert_eq!(error.effect(), Effect::Unknown);
        assert_eq!(server.requests().len(), 1);
    }
}

/// What a program that traces everything would have written, of all tests here.
///
/// One for the whole process: a place in the code that a thread without a subscriber comes to first would count as
/// traced by nobody, for all threads.
static CAPTURED: LazyLock<Captured> = LazyLock::new(|| {
    let captured = Captured::default();
    let writer = captured.clone();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_ansi(false);
    subscriber.with_writer(move || writer.clone()).init();
    tracing::callsite::rebuild_interest_cache();
    captured
});

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn neither_key_nor_signature_comes_back_out() {
    let captured = &*CAPTURED;
    // A server that quotes everything it was sent, in several spellings.
    let link = format!("https://m.example.com/a?b=1&X-Amz-Signature={SIGNATURE}");
    let escaped = link.replace('&', "\\u0026").replace('/', "\\/");
    let bodies = [
        format!(r#"{{"error":"cannot fetch {link} with key {KEY}"}}"#),
        format!(r#"{{"error":"cannot fetch {escaped}","key":"{KEY}"}}"#),
        format!("<html>{link} {KEY}</html>"),
        format!(r#"{{"error": {{"url":"{escaped}", "key":"{KEY}""#),
    ];
    let mut said = format!("{:?}", config(1, clock()));
    for body in bodies {
        for status in ["200 OK", "400 Bad Request", "500 Internal Server Error"] {
            let reply = answer(status, &format!("x-request-id: id-{KEY}\r\n"), &body);
            let server = Server::saying(move |_| reply.clone()).await;
            let client = client(server.port);
            said.push_str(&format!("{client:?} {:?} {:?}", ana(), client.create_face(&ana()).await));
            let error: ApiError = client.face_page(1).await.unwrap_err();
            said.push_str(&format!("{error} {error:?} {:?}", Failure::NoAnswer(error.to_string())));
        }
    }
    let trace = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
    assert!(trace.contains("/v2/faces?limit=100") && trace.contains("train_video_url"), "nothing was traced");
    for (place, text) in [("errors", &said), ("traces", &trace)] {
        for secret in [KEY, SIGNATURE] {
            let at = text.find(secret).map(|at| &text[at.saturating_sub(200)..]);
            assert_eq!(at, None, "{secret} in {place}");
        }
    }
}
