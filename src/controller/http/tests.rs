//! Real requests on raw sockets: a client library would hide what is sent, and what comes back.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::clock::{Clock, HandWoundClock};
use crate::controller::health::{FaceCounts, PassReport, PassResult};
use crate::sandbox::{RunningSandbox, Sandbox, SandboxConfig};

const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// A server, and those it works for.
struct Bench {
    server: ServerHandle,
    health: Arc<Health>,
    hints: Arc<Hints>,
    clock: Arc<HandWoundClock>,
}

impl Bench {
    async fn start() -> Self {
        Self::with_patience(PATIENCE).await
    }

    async fn with_patience(patience: Duration) -> Self {
        let clock = Arc::new(HandWoundClock::at("2026-11-22T12:00:00Z".parse().unwrap()));
        let health = Arc::new(Health::new(clock.clone(), Duration::from_secs(600)));
        let hints = Arc::new(Hints::new(2));
        let callbacks = Callbacks { secret: CallbackSecret::parse(SECRET).unwrap(), hints: Arc::clone(&hints) };
        let shared = Shared { health: Arc::clone(&health), callbacks: Some(callbacks), patience };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self { server: serve(listener, shared).unwrap(), health, hints, clock }
    }

    /// Sends bytes and returns all that comes back until the server closes.
    async fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.server.address()).await.unwrap();
        // A server that refuses early may close before all is sent.
        let _ = stream.write_all(bytes).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    async fn get(&self, path: &str) -> String {
        self.raw(format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes()).await
    }

    async fn post(&self, path: &str, body: &str) -> String {
        let head =
            format!("POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
        self.raw(format!("{head}\r\n{body}").as_bytes()).await
    }

    fn work(&self) {
        self.health.desired_loaded("acme", Some("c0ffee"), 1);
        let now = self.clock.now();
        let faces = Some(FaceCounts { in_sync: 1, ..FaceCounts::default() });
        self.health.pass_ended(PassReport { started_at: now, ended_at: now, result: PassResult::Converged, faces });
    }

    fn count(&self, verdict: &str) -> u64 {
        let text = self.health.metrics.text();
        let name = format!("facectl_callbacks_total{{verdict=\"{verdict}\"}} ");
        text.lines().find_map(|line| line.strip_prefix(&name)).and_then(|count| count.parse().ok()).unwrap()
    }
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("nothing")
}

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}

/// An answer without its time.
fn timeless(answer: &str) -> String {
    answer.lines().filter(|line| !line.starts_with("date: ")).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn probes_answer_with_their_reasons_and_in_json_where_it_is_wanted() {
    let bench = Bench::start().await;
    let answer = bench.get("/readyz").await;
    assert_eq!((status(&answer), body(&answer)), ("503", "no manifests have been loaded yet\nno pass has ended yet\n"));
    assert_eq!(status(&bench.get("/healthz").await), "200");
    bench.work();
    let answer = bench.get("/readyz").await;
    assert_eq!((status(&answer), body(&answer)), ("200", "ready\n"));
    assert!(answer.contains("content-type: text/plain") && answer.contains("cache-control: no-store"), "{answer}");
    bench.clock.wind(Duration::from_secs(601));
    let answer = bench.get("/healthz").await;
    assert_eq!(status(&answer), "503", "{answer}");
    for request in ["GET /healthz?verbose HTTP/1.1\r\n", "GET /readyz HTTP/1.1\r\naccept: application/json\r\n"] {
        let answer = bench.raw(format!("{request}host: x\r\nconnection: close\r\n\r\n").as_bytes()).await;
        let shown: serde_json::Value = serde_json::from_str(body(&answer)).unwrap();
        assert_eq!(shown["desired"]["commit"], "c0ffee", "{shown}");
        assert_eq!(shown["last_pass"]["result"], "converged", "{shown}");
        assert!(shown["stuck"].as_str().unwrap().contains("no progress"), "{shown}");
    }
}

#[tokio::test]
async fn metrics_come_as_prometheus_reads_them() {
    let bench = Bench::start().await;
    bench.work();
    let answer = bench.get("/metrics").await;
    assert!(answer.contains("content-type: application/openmetrics-text; version=1.0.0"), "{answer}");
    assert!(body(&answer).contains("\nfacectl_passes_total{result=\"converged\"} 1\n"), "{answer}");
    assert!(answer.ends_with("# EOF\n"), "{answer}");
}

#[tokio::test]
async fn a_wrong_secret_is_answered_like_a_path_that_does_not_exist() {
    let bench = Bench::start().await;
    let nothing = timeless(&bench.post("/no/such/path", "{}").await);
    assert_eq!(status(&nothing), "404");
    for path in [
        "/callbacks/wrong".to_owned(),
        "/callbacks/".to_owned(),
        "/callbacks".to_owned(),
        "/callbacks/%FF".to_owned(),
        format!("/callbacks/{}", &SECRET[1..]),
        format!("/callbacks/{SECRET}/"),
        format!("/callbacks/{}", SECRET.replace('0', "%30")),
    ] {
        assert_eq!(timeless(&bench.post(&path, "{}").await), nothing, "{path}");
    }
    // Another method shows no more.
    let right = format!("/callbacks/{SECRET}");
    assert_eq!(timeless(&bench.get(&right).await), timeless(&bench.get("/no/such/path").await));
    assert_eq!(bench.count("refused"), 6);
    assert_eq!(bench.count("queued"), 0);
}

#[tokio::test]
async fn callbacks_are_noted_counted_and_never_more_than_a_hint() {
    let bench = Bench::start().await;
    let path = format!("/callbacks/{SECRET}");
    for (body, code, verdict) in [
        (r#"{"replica_id":"r1","status":"ready"}"#, "202", "queued"),
        (r#"{"face_id":"r1","status":"completed"}"#, "202", "repeated"),
        (r#"{"replica_id":"r2","status":"error"}"#, "202", "queued"),
        (r#"{"replica_id":"r3","status":"ready"}"#, "202", "dropped"),
        (r#"{"voice_id":"v1","status":"ready"}"#, "202", "not_a_face"),
        ("replica_id=r1", "400", "unreadable"),
    ] {
        let before = bench.count(verdict);
        let answer = bench.post(&path, body).await;
        assert_eq!((status(&answer), bench.count(verdict)), (code, before + 1), "{body}");
        assert!(!answer.contains(SECRET));
    }
    let ids: Vec<String> = bench.hints.next().await.iter().map(|hint| hint.face_id.to_string()).collect();
    assert_eq!(ids, ["r1", "r2"]);
}

#[tokio::test]
async fn what_is_too_large_is_refused() {
    let bench = Bench::start().await;
    let path = format!("/callbacks/{SECRET}");
    assert_eq!(status(&bench.post(&path, &" ".repeat(BODY_LIMIT + 1)).await), "413");
    // Nobody said how long it will be.
    let chunk = format!("{:x}\r\n{}\r\n", BODY_LIMIT, " ".repeat(BODY_LIMIT));
    let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n");
    assert_eq!(status(&bench.raw(format!("{head}{chunk}{chunk}0\r\n\r\n").as_bytes()).await), "413");
    assert_eq!(status(&bench.get(&format!("/{}", "x".repeat(HEAD_LIMIT))).await), "431");
    let headers = "a: b\r\n".repeat(HEADER_LIMIT + 1);
    assert_eq!(status(&bench.raw(format!("GET /healthz HTTP/1.1\r\n{headers}\r\n").as_bytes()).await), "431");
    assert!(bench.raw(b"\x16\x03\x01 this is not HTTP\r\n\r\n").await.starts_with("HTTP/1.1 400"));
    assert_eq!(status(&bench.get("/healthz").await), "200");
}

#[tokio::test]
async fn whoever_does_not_end_a_request_is_left() {
    let bench = Bench::with_patience(Duration::from_millis(50)).await;
    // The head.
    assert!(!bench.raw(b"GET /healthz HTTP/1.1\r\nhost: x\r\n").await.contains("200"));
    // The body.
    let head = format!("POST /callbacks/{SECRET} HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{{");
    assert_eq!(status(&bench.raw(head.as_bytes()).await), "408");
    // The next request of a connection that is kept.
    assert_eq!(status(&bench.raw(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await), "200");
}

/// Waits until the other side closes a connection, and returns all that came before.
async fn closed(mut stream: TcpStream) -> String {
    let mut heard = Vec::new();
    // A connection that was cut may end with an error.
    let _ = stream.read_to_end(&mut heard).await;
    String::from_utf8_lossy(&heard).into_owned()
}

#[tokio::test]
async fn probes_answer_beside_any_number_of_strangers() {
    let bench = Bench::start().await;
    let half_a_body = format!("POST /callbacks/{SECRET} HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{{");
    let kept = "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";
    for (what, bytes) in [
        ("silent", ""),
        ("half a head", "GET /healthz HTTP/1.1\r\nhost: x\r\n"),
        ("kept for later", kept),
        ("half a body", half_a_body.as_str()),
    ] {
        let mut strangers = Vec::new();
        for _ in 0..places::MOST + 44 {
            let mut stream = TcpStream::connect(bench.server.address()).await.unwrap();
            let _ = stream.write_all(bytes.as_bytes()).await;
            strangers.push(stream);
        }
        assert_eq!(status(&bench.get("/healthz").await), "200", "{what}");
        assert_eq!(status(&bench.get("/metrics").await), "200", "{what}");
        // Those that were there first made room, long before their time was up.
        let first = closed(strangers.remove(0)).await;
        assert_eq!(first.is_empty(), bytes != kept, "{what}: {first}");
    }
}

#[tokio::test]
async fn a_request_under_way_is_not_cut_off_by_strangers() {
    let bench = Bench::start().await;
    let body = r#"{"replica_id":"r1","status":"ready"}"#;
    let head = format!("POST /callbacks/{SECRET} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: ");
    let mut callback = TcpStream::connect(bench.server.address()).await.unwrap();
    callback.write_all(format!("{head}{}\r\n\r\n", body.len()).as_bytes()).await.unwrap();
    let mut strangers = Vec::new();
    for _ in 0..places::MOST + 8 {
        strangers.push(TcpStream::connect(bench.server.address()).await.unwrap());
    }
    assert_eq!(status(&bench.get("/healthz").await), "200");
    callback.write_all(body.as_bytes()).await.unwrap();
    assert_eq!(status(&closed(callback).await), "202");
}

#[tokio::test]
async fn without_a_secret_there_are_no_callbacks() {
    let bench = Bench::start().await;
    let shared = Shared { health: Arc::clone(&bench.health), callbacks: None, patience: PATIENCE };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let bench = Bench { server: serve(listener, shared).unwrap(), ..bench };
    assert_eq!(status(&bench.post(&format!("/callbacks/{SECRET}"), "{}").await), "404");
}

#[tokio::test]
async fn a_shutdown_closes_idle_connections_and_frees_the_port() {
    let mut is_freed = false;
    // Another test of this process may be given the very port in between; not each time.
    for _ in 0..5 {
        let bench = Bench::start().await;
        let address = bench.server.address();
        let mut idle = TcpStream::connect(address).await.unwrap();
        idle.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let mut first = [0; 12];
        idle.read_exact(&mut first).await.unwrap();
        bench.server.shutdown().await;
        idle.read_to_end(&mut Vec::new()).await.unwrap();
        is_freed |= TcpListener::bind(address).await.is_ok();
        if is_freed {
            break;
        }
    }
    assert!(is_freed, "a port stayed taken each time");
}

/// Creates a face whose changes are told to an address; returns its id.
async fn create(sandbox: &RunningSandbox, callback_url: &str) -> String {
    let body = serde_json::json!({
        "face_name": "Ana", "model_name": "phoenix-4", "callback_url": callback_url,
        "train_video_url": "https://media.example.com/ana.mp4",
    });
    let body = body.to_string();
    let head = "POST /v2/faces HTTP/1.1\r\nhost: localhost\r\nx-api-key: k\r\nconnection: close\r\ncontent-length: ";
    let mut stream = TcpStream::connect(sandbox.address()).await.unwrap();
    stream.write_all(format!("{head}{}\r\n\r\n{body}", body.len()).as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    serde_json::from_str::<serde_json::Value>(body).unwrap()["face_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_finished_training_is_heard_of_from_the_sandbox() {
    let bench = Bench::start().await;
    let faults = vec!["any:callback-repeat".parse().unwrap()];
    let config = SandboxConfig { clock: bench.clock.clone(), faults, ..SandboxConfig::default() };
    let sandbox = Sandbox::start(config).await.unwrap();
    let url = format!("http://{}/callbacks/{SECRET}", bench.server.address());
    let id = create(&sandbox, &url).await;
    bench.clock.wind(Duration::from_secs(24 * 3600));
    let hints = bench.hints.next().await;
    assert_eq!(hints.iter().map(|hint| hint.face_id.as_str()).collect::<Vec<_>>(), [id]);
    assert_eq!(hints[0].status.as_ref().map(|status| status.shown()), Some("ready"));
    while sandbox.ledger().callbacks.len() < 2 {
        tokio::task::yield_now().await;
    }
    let outcomes: Vec<String> = sandbox.ledger().callbacks.into_iter().map(|callback| callback.outcome).collect();
    assert_eq!(outcomes, ["delivered, answered 202", "delivered, answered 202"]);
}
