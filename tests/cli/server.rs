//! A sandbox that runs beside the binary, so that a test can look into its books and turn things by hand.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use facectl::clock::{Clock, ScaledClock, SystemClock};
use facectl::sandbox::{Ledger, RunningSandbox, Sandbox, SandboxConfig};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

/// A sandbox, and what keeps it running.
pub(crate) struct Server {
    // Dropped first: it writes its end down on the runtime.
    sandbox: RunningSandbox,
    _runtime: Runtime,
}

impl Server {
    /// In real time: a training that is started goes on for as long as any test lasts.
    pub(crate) fn slow(faults: &[&str]) -> Self {
        Self::at_speed(1.0, faults)
    }

    /// Ten hours in a second: a training ends while a test looks on.
    pub(crate) fn fast(faults: &[&str]) -> Self {
        Self::at_speed(36_000.0, faults)
    }

    /// So many seconds in one.
    pub(crate) fn at_speed(speed: f64, faults: &[&str]) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let config = SandboxConfig {
            clock: Arc::new(ScaledClock::new(SystemClock.now(), speed)),
            faults: faults.iter().map(|rule| rule.parse().unwrap()).collect(),
            ..SandboxConfig::default()
        };
        let sandbox = runtime.block_on(Sandbox::start(config)).unwrap();
        Self { sandbox, _runtime: runtime }
    }

    pub(crate) fn url(&self) -> String {
        self.sandbox.base_url()
    }

    pub(crate) fn ledger(&self) -> Ledger {
        self.sandbox.ledger()
    }

    /// How many trainings were paid for.
    pub(crate) fn trainings(&self) -> usize {
        self.ledger().trainings.len()
    }

    /// How many requests of an operation came in.
    pub(crate) fn requests(&self, operation: &str) -> u64 {
        self.ledger().requests_of(operation)
    }

    /// The ids of everything that was paid for, oldest first.
    pub(crate) fn ids(&self) -> Vec<String> {
        // By name: of two creates under way at once either may arrive first.
        let mut trainings = self.ledger().trainings;
        trainings.sort_by(|a, b| a.face_name.cmp(&b.face_name));
        trainings.into_iter().map(|training| training.face_id).collect()
    }

    /// Puts these rules in the place of the ones before.
    pub(crate) fn faults(&self, rules: &[&str]) {
        self.ask("POST", "/_sandbox/faults", &json!(rules));
    }

    /// Does to a face what somebody else might do to it.
    pub(crate) fn alter(&self, id: &str, how: &Value) {
        self.ask("PATCH", &format!("/_sandbox/faces/{id}"), how);
    }

    /// Adds finished faces that nobody here declared.
    pub(crate) fn add_faces(&self, count: usize, prefix: &str) -> Vec<String> {
        let added = self.ask("POST", "/_sandbox/faces", &json!({ "count": count, "name_prefix": prefix }));
        added["face_ids"].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect()
    }

    /// Adds a PAL that uses a face; returns its id.
    pub(crate) fn add_pal(&self, name: &str, face: &str) -> String {
        let pal = self.ask("POST", "/_sandbox/pals", &json!({ "pal_name": name, "default_face_id": face }));
        pal["pal_id"].as_str().unwrap().to_owned()
    }

    /// Returns the faces that PALs of a name use, in the order in which these were made.
    pub(crate) fn used_by(&self, name: &str) -> Vec<String> {
        let pals = self.ask("GET", "/v2/pals?limit=100", &Value::Null);
        let named = pals["data"].as_array().unwrap().iter().filter(|pal| pal["pal_name"] == name);
        named.map(|pal| pal["default_face_id"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Returns the ids of all faces of the account, as far as they live.
    pub(crate) fn living(&self) -> Vec<String> {
        let faces = self.ask("GET", "/v2/faces?face_type=user&limit=100", &Value::Null);
        faces["data"].as_array().unwrap().iter().map(|face| face["face_id"].as_str().unwrap().to_owned()).collect()
    }

    /// Returns a face as a client sees it.
    pub(crate) fn face(&self, id: &str) -> Value {
        self.ask("GET", &format!("/v2/faces/{id}"), &Value::Null)
    }

    /// Sends one request by hand.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut stream = TcpStream::connect(self.sandbox.address()).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nx-api-key: key\r\ncontent-type: application/json\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{method} {path}: {answer}");
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}"))
    }
}
