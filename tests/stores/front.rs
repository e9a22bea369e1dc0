//! What stands between the binary and the other parts: TLS in front of the store, the proxy that leads there, and a
//! relay that writes down what is sent to the API.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, copy, copy_bidirectional, split};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// The store's public name.
pub(crate) const HOST: &str = "s3.test-store.dev";

/// One request to the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    /// Whether it is for a few bytes only.
    pub(crate) is_ranged: bool,
}

impl Asked {
    /// The number of the part that it brings, from 1.
    pub(crate) fn part(&self) -> Option<usize> {
        let number = self.target.split(['?', '&']).find_map(|pair| pair.strip_prefix("partNumber="));
        number.filter(|_| self.method == "PUT").map(|number| number.parse().unwrap())
    }
}

#[derive(Default)]
struct Seen {
    asked: Vec<Asked>,
    signatures: BTreeSet<String>,
    gates: Vec<Gate>,
}

/// Requests with this in their target, and with a part that is at least so far, do not pass.
struct Gate {
    about: String,
    from: usize,
    /// The line breaks where it would hold them back.
    breaks: bool,
}

/// TLS in front of the store, and the proxy that knows where it is.
pub(crate) struct Front {
    folder: TempDir,
    pub(crate) proxy: SocketAddr,
    seen: Arc<Mutex<Seen>>,
    turned: watch::Sender<()>,
}

impl Front {
    pub(crate) fn start(runtime: &Runtime, store: u16) -> Self {
        let (authority, config) = certificate();
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("ca.pem"), authority).unwrap();
        std::fs::write(folder.path().join("other.pem"), certificate().0).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let (seen, turned) = (Arc::new(Mutex::new(Seen::default())), watch::Sender::new(()));
        let (kept, turning) = (Arc::clone(&seen), turned.clone());
        let front = listen(runtime, move |stream| {
            let (acceptor, kept, turning) = (acceptor.clone(), Arc::clone(&kept), turning.subscribe());
            async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let Ok(upstream) = TcpStream::connect(("127.0.0.1", store)).await else { return };
                let _ = relay(stream, upstream, &kept, turning).await;
            }
        });
        let proxy = listen(runtime, move |stream| async move { drop(tunnel(stream, front).await) });
        Self { folder, proxy, seen, turned }
    }

    pub(crate) fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// The root of somebody else.
    pub(crate) fn other_roots(&self) -> PathBuf {
        self.folder.path().join("other.pem")
    }

    /// The requests whose target has a text.
    pub(crate) fn asked(&self, about: &str) -> Vec<Asked> {
        let seen = self.seen.lock().unwrap();
        seen.asked.iter().filter(|asked| asked.target.contains(about)).cloned().collect()
    }

    /// Every signature that came by.
    pub(crate) fn signatures(&self) -> BTreeSet<String> {
        self.seen.lock().unwrap().signatures.clone()
    }

    /// Holds back parts from this number on of what has a text in its target.
    pub(crate) fn hold(&self, about: &str, part: usize) {
        self.shut(about, part, false);
    }

    /// Breaks the line on parts from this number on of what has a text in its target.
    pub(crate) fn cut(&self, about: &str, part: usize) {
        self.shut(about, part, true);
    }

    fn shut(&self, about: &str, from: usize, breaks: bool) {
        self.seen.lock().unwrap().gates.push(Gate { about: about.to_owned(), from, breaks });
    }

    /// Lets everything pass that has a text in its target.
    pub(crate) fn let_pass(&self, about: &str) {
        self.seen.lock().unwrap().gates.retain(|gate| gate.about != about);
        self.turned.send_replace(());
    }
}

/// Serves each connection on loopback by itself.
fn listen<D>(runtime: &Runtime, deed: impl Fn(TcpStream) -> D + Send + 'static) -> SocketAddr
where
    D: Future<Output = ()> + Send + 'static,
{
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    runtime.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(deed(stream));
        }
    });
    address
}

/// Opens a tunnel to the store's front; nothing else is known here.
async fn tunnel(stream: TcpStream, front: SocketAddr) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let head = head(&mut stream).await?;
    if !head.starts_with(&format!("CONNECT {HOST}:443 ")) {
        return stream.write_all(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n").await;
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
    let mut upstream = TcpStream::connect(front).await?;
    copy_bidirectional(&mut stream, &mut upstream).await.map(drop)
}

async fn head(stream: &mut (impl AsyncRead + Unpin)) -> std::io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    Ok(String::from_utf8(head).unwrap())
}

/// Hands on request after request as they are, and the answers as they come: a signature covers the host's name.
async fn relay(
    stream: impl AsyncRead + AsyncWrite + Send + 'static,
    upstream: TcpStream,
    seen: &Mutex<Seen>,
    mut turned: watch::Receiver<()>,
) -> std::io::Result<()> {
    let (from_client, mut to_client) = split(stream);
    let (mut from_store, mut to_store) = upstream.into_split();
    tokio::spawn(async move {
        let _ = copy(&mut from_store, &mut to_client).await;
        let _ = to_client.shutdown().await;
    });
    let mut from_client = BufReader::new(from_client);
    loop {
        let head = head(&mut from_client).await?;
        let asked = note(&head, seen);
        let gate = || {
            let gates = &seen.lock().unwrap().gates;
            let is_shut = |gate: &&Gate| asked.part().is_some_and(|part| part >= gate.from);
            gates.iter().filter(|gate| asked.target.contains(&gate.about)).find(is_shut).map(|gate| gate.breaks)
        };
        while let Some(breaks) = gate() {
            if breaks || turned.changed().await.is_err() {
                return Ok(());
            }
        }
        to_store.write_all(head.as_bytes()).await?;
        let length = field(&head, "content-length").map_or(0, |length| length.parse().unwrap());
        copy(&mut (&mut from_client).take(length), &mut to_store).await?;
    }
}

fn note(head: &str, seen: &Mutex<Seen>) -> Asked {
    let mut words = head.split(' ');
    let (method, target) = (words.next().unwrap().to_owned(), words.next().unwrap().to_owned());
    let asked = Asked { method, target, is_ranged: field(head, "range").is_some() };
    let mut seen = seen.lock().unwrap();
    seen.asked.push(asked.clone());
    seen.signatures.extend(signatures(head));
    asked
}

/// The values of all signatures in a text: in links, and in what goes with signed requests.
pub(crate) fn signatures(text: &str) -> impl Iterator<Item = String> + '_ {
    let values = text.split("Signature=").skip(1);
    values
        .map(|rest| rest.chars().take_while(char::is_ascii_hexdigit).collect::<String>())
        .filter(|value| value.len() == 64)
}

fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut fields = head.lines().filter_map(|line| line.split_once(": "));
    fields.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// Stands in front of the API and keeps everything that is sent to it.
pub(crate) struct Tap {
    pub(crate) address: SocketAddr,
    sent: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Tap {
    pub(crate) fn before(api: SocketAddr, runtime: &Runtime) -> Self {
        let sent: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
        let kept = Arc::clone(&sent);
        let address = listen(runtime, move |stream| {
            let kept = Arc::clone(&kept);
            let connection = {
                let mut kept = kept.lock().unwrap();
                kept.push(Vec::new());
                kept.len() - 1
            };
            async move { drop(record(stream, api, &kept, connection).await) }
        });
        Self { address, sent }
    }

    /// The links that were sent with creates, as they were sent.
    pub(crate) fn links(&self) -> Vec<String> {
        let sent = self.sent.lock().unwrap();
        let texts = sent.iter().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        texts.flat_map(|text| links(&text)).collect()
    }
}

fn links(text: &str) -> Vec<String> {
    let values = text.split("\"train_").skip(1).filter_map(|rest| rest.split_once("_url\":\""));
    values.map(|(_, rest)| rest.split('"').next().unwrap().to_owned()).collect()
}

async fn record(stream: TcpStream, api: SocketAddr, kept: &Mutex<Vec<Vec<u8>>>, at: usize) -> std::io::Result<()> {
    let (mut from_client, mut to_client) = stream.into_split();
    let (mut from_api, mut to_api) = TcpStream::connect(api).await?.into_split();
    tokio::spawn(async move {
        let _ = copy(&mut from_api, &mut to_client).await;
        let _ = to_client.shutdown().await;
    });
    let mut piece = vec![0; 16 * 1024];
    loop {
        let read = from_client.read(&mut piece).await?;
        if read == 0 {
            return to_api.shutdown().await;
        }
        kept.lock().unwrap()[at].extend_from_slice(&piece[..read]);
        to_api.write_all(&piece[..read]).await?;
    }
}

/// A certificate for the store's name, and the root that it leads to.
fn certificate() -> (String, ServerConfig) {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate().unwrap();
    let root = authority.self_signed(&authority_key).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec![HOST.to_owned()]).unwrap();
    let leaf = leaf.signed_by(&key, &Issuer::new(authority, authority_key)).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
        .unwrap();
    (root.pem(), config)
}
