//! The sandbox as a process of its own, so that what it needs is not counted.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

pub(crate) struct Server {
    child: Child,
    /// With `/v2`.
    url: String,
}

impl Server {
    pub(crate) fn start(binary: &Path) -> Self {
        Self::at_speed(binary, 1.0)
    }

    /// So many seconds pass in it in one.
    pub(crate) fn at_speed(binary: &Path, speed: f64) -> Self {
        let mut command = Command::new(binary);
        command
            .args(["sandbox", "--port", "0", "--speed", &speed.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut url = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut url).unwrap();
        Self { child, url: url.trim().to_owned() }
    }

    pub(crate) fn url(&self) -> String {
        self.url.clone()
    }

    /// How many requests came in.
    pub(crate) fn requests(&self) -> u64 {
        self.by_operation().values().sum()
    }

    /// How many requests of each operation came in.
    pub(crate) fn by_operation(&self) -> BTreeMap<String, u64> {
        let mut ledger = self.ask("/_sandbox/ledger");
        serde_json::from_value(ledger["requests"].take()).unwrap()
    }

    /// The ids of all faces that were made.
    pub(crate) fn ids(&self) -> Vec<String> {
        let ledger = self.ask("/_sandbox/ledger");
        let trainings = ledger["trainings"].as_array().into_iter().flatten();
        trainings.filter_map(|training| training["face_id"].as_str()).map(str::to_owned).collect()
    }

    fn ask(&self, path: &str) -> Value {
        let address = self.url.trim_start_matches("http://").trim_end_matches("/v2");
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
