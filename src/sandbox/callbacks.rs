//! Tells a callback address that a face changed, in the documented old shape.
//!
//! Fields and words: the page on callbacks (`replica_id`, `ready` or `error`, 2026); one call per change, as the newest
//! phoenix-4.5 page says. Nothing is retried and nothing is signed, as no source says otherwise. Only loopback addresses
//! are ever called: all others are written to the ledger and left alone. Callbacks that fall due while no sandbox runs
//! are lost.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use url::{Host, Url};

use super::Shared;
use super::ledger::CallbackRecord;
use super::records::FaceRecord;

/// How often, in real time, the sandbox looks for callbacks that fell due.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How long a receiver may take, in real time.
const PATIENCE: Duration = Duration::from_secs(5);

/// Callbacks to come, and those that were.
#[derive(Debug, Default)]
pub(super) struct Callbacks {
    due: Vec<(Timestamp, String)>,
    pub(super) log: Vec<CallbackRecord>,
}

impl Callbacks {
    /// Remembers the changes of a face that come after `now`, if somebody wants to hear of them.
    pub(super) fn expect(&mut self, face: &FaceRecord, now: Timestamp) {
        if face.callback_url.is_some() && face.deleted_at.is_none() {
            let steps = [face.training.trained(), face.training.tuned()].into_iter().flatten();
            self.due.extend(steps.filter(|step| step.at > now).map(|step| (step.at, face.id.clone())));
        }
    }

    /// Takes out what fell due, earliest first.
    fn take_due(&mut self, now: Timestamp) -> Vec<(Timestamp, String)> {
        let mut taken: Vec<_> = self.due.extract_if(.., |(at, _)| *at <= now).collect();
        taken.sort();
        taken
    }
}

/// Sends what falls due, for as long as the sandbox runs.
pub(super) async fn run(shared: Arc<Shared>) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let mut due = shared.callbacks().take_due(shared.now());
        let switches = shared.switches();
        if switches.callback_reorder {
            due.reverse();
        }
        for (at, face_id) in due {
            let Some((url, body)) = message(&shared, &face_id, at, switches.callback_new_words) else { continue };
            for _ in 0..if switches.callback_repeat { 2 } else { 1 } {
                let outcome = match switches.callback_drop {
                    true => "dropped by a fault rule".to_owned(),
                    false => deliver(&url, &body).await,
                };
                let record =
                    CallbackRecord { face_id: face_id.clone(), url: url.clone(), body: body.clone(), at, outcome };
                shared.callbacks().log.push(record);
            }
        }
    }
}

/// Returns where to and what; none where the face was deleted meanwhile.
fn message(shared: &Shared, face_id: &str, at: Timestamp, new_words: bool) -> Option<(String, Value)> {
    let store = shared.store();
    let face = store.world().face(face_id)?;
    let stage = face.training.stage(at, &Default::default());
    let mut body = match new_words {
        true => json!({ "face_id": face_id, "status": stage.status, "finetune_status": stage.finetune_status }),
        false if stage.status == "completed" => json!({ "replica_id": face_id, "status": "ready" }),
        false => json!({ "replica_id": face_id, "status": stage.status }),
    };
    if let Some(text) = stage.error_message {
        body["error_message"] = text.into();
    }
    Some((face.callback_url.clone()?, body))
}

/// Returns where a callback would be sent to: nowhere but this machine.
fn target(url: &Url) -> Option<SocketAddr> {
    let address = match (url.scheme(), url.host()?) {
        ("http", Host::Ipv4(address)) if address.is_loopback() => IpAddr::V4(address),
        ("http", Host::Ipv6(address)) if address.is_loopback() => IpAddr::V6(address),
        // Not looked up: the name means this machine, whatever a resolver says.
        ("http", Host::Domain("localhost")) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        _ => return None,
    };
    Some(SocketAddr::new(address, url.port_or_known_default().unwrap_or(80)))
}

/// Returns what to remember of a callback link: all of it where it will be called; otherwise its secrets are of no use
/// here and stay off the disk.
pub(super) fn remembered(text: String) -> String {
    match Url::parse(&text) {
        Ok(url) if target(&url).is_some() => text,
        Ok(url) => without_secrets(url),
        Err(_) => String::new(),
    }
}

/// Returns a link without user, query and fragment, any of which may be a credential.
pub(super) fn without_secrets(mut url: Url) -> String {
    url.set_query(None);
    url.set_fragment(None);
    // These fail for links that have no place for a user, which is as good.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.into()
}

async fn deliver(url: &str, body: &Value) -> String {
    let Ok(url) = Url::parse(url) else { return "not a link".into() };
    let Some(address) = target(&url) else {
        return "not sent: the sandbox calls loopback addresses over plain http only".into();
    };
    match tokio::time::timeout(PATIENCE, post(address, &url, body)).await {
        Ok(Ok(status)) => format!("delivered, answered {status}"),
        Ok(Err(error)) => format!("not delivered: {error}"),
        Err(_) => "no answer in time".into(),
    }
}

/// Sends one request and returns the status of its answer. By hand, as a client would follow proxies and redirects.
async fn post(address: SocketAddr, url: &Url, body: &Value) -> std::io::Result<String> {
    let body = body.to_string();
    let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let head = format!(
        "POST {target} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(4096).read_to_end(&mut answer).await?;
    let line = String::from_utf8_lossy(answer.split(|byte| *byte == b'\r').next().unwrap_or_default()).into_owned();
    Ok(line.split(' ').nth(1).unwrap_or("nothing readable").to_owned())
}
