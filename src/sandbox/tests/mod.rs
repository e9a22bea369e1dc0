//! Real requests against a running sandbox, on raw sockets: a client library would hide what is sent.

mod broken;
mod disk;
mod paths;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

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
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nx-api-key: k\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
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
