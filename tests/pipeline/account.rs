//! The account that is paid from: a sandbox, and its time.

use std::future::Future;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use facectl::clock::{Clock, SystemClock};
use facectl::sandbox::{RunningSandbox, Sandbox, SandboxConfig};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

/// The system's time, and what was wound on top of it: hours pass between two jobs, and nobody sleeps.
#[derive(Debug, Default)]
struct WoundClock {
    ahead: Mutex<Duration>,
}

impl Clock for WoundClock {
    fn now(&self) -> Timestamp {
        SystemClock.now() + *self.ahead.lock().unwrap()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// A sandbox, and what keeps it running.
pub(crate) struct Account {
    // Dropped first: it writes its end down on the runtime.
    sandbox: RunningSandbox,
    clock: Arc<WoundClock>,
    _runtime: Runtime,
}

impl Account {
    pub(crate) fn open() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let clock = Arc::new(WoundClock::default());
        let config = SandboxConfig { clock: clock.clone(), api_key: Some(KEY.to_owned()), ..SandboxConfig::default() };
        let sandbox = runtime.block_on(Sandbox::start(config)).unwrap();
        Self { sandbox, clock, _runtime: runtime }
    }

    pub(crate) fn url(&self) -> String {
        self.sandbox.base_url()
    }

    /// Lets time pass.
    pub(crate) fn pass(&self, minutes: u64) {
        *self.clock.ahead.lock().unwrap() += Duration::from_secs(minutes * 60);
    }

    /// How many trainings were paid for.
    pub(crate) fn trainings(&self) -> usize {
        self.sandbox.ledger().trainings.len()
    }

    /// How many requests came in.
    pub(crate) fn requests(&self) -> u64 {
        self.sandbox.ledger().requests.values().sum()
    }

    /// Returns every living face: id and name.
    pub(crate) fn faces(&self) -> Vec<(String, String)> {
        let faces = self.ask("GET", "/v2/faces?face_type=user&limit=100", &Value::Null);
        let text = |face: &Value, field: &str| face[field].as_str().unwrap_or_default().to_owned();
        let mut all: Vec<_> = faces["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|face| (text(face, "face_id"), text(face, "face_name")))
            .collect();
        all.sort_by(|a, b| a.1.cmp(&b.1));
        all
    }

    /// Does by hand what somebody does in the console.
    pub(crate) fn rename(&self, from: &str, to: &str) {
        let faces = self.faces();
        let (id, _) = faces.iter().find(|(_, name)| name == from).unwrap_or_else(|| panic!("no {from} in {faces:?}"));
        self.ask("PATCH", &format!("/_sandbox/faces/{id}"), &json!({ "face_name": to }));
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut stream = TcpStream::connect(self.sandbox.address()).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nx-api-key: {KEY}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{method} {path}: {answer}");
        serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
    }
}

/// The one key that the account takes; nothing that is shown or kept may hold it.
pub(crate) const KEY: &str = "tavus-KEYKEYKEY";
