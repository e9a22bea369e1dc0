//! A server of media on loopback, over TLS, that says whatever a test wants; and a proxy in front of it.

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use facectl::clock::{Clock, HandWoundClock};
use facectl::media::{Probe, ProbeConfig, Proxies, Resolution, Resolver};
use jiff::Timestamp;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::server::TlsStream;

/// All names that the server goes by.
pub(crate) const NAMES: [&str; 6] = [
    "media.test-host.com",
    "cdn.test-host.net",
    "www.dropbox.com",
    "drive.google.com",
    "accounts.google.com",
    "inside.test-host.com",
];

/// One request, as far as tests ask.
pub(crate) struct Request {
    /// How many came before.
    pub(crate) number: usize,
    pub(crate) host: String,
    pub(crate) path: String,
    /// First and last byte that are asked for.
    pub(crate) range: Option<(usize, usize)>,
}

/// What the server does.
pub(crate) enum Reply {
    /// Sends this and closes.
    Text(Vec<u8>),
    /// Says nothing, and keeps the connection.
    Silence,
    /// Sends this, and then zeroes without end.
    Endless(Vec<u8>),
}

/// The heads of the requests that came.
pub(crate) type Heads = Arc<Mutex<Vec<String>>>;

type Script = Arc<dyn Fn(&Request) -> Reply + Send + Sync>;

/// Which certificate the server shows.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Identity {
    Sound,
    Expired,
    Future,
    OtherName,
    SelfSigned,
    /// Self-signed as most tools make it: the certificate of an authority.
    OwnAuthority,
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    folder: tempfile::TempDir,
    heads: Heads,
}

impl Server {
    pub(crate) async fn saying(script: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::with(Identity::Sound, script).await
    }

    pub(crate) async fn with(identity: Identity, script: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let (config, heads) = (TlsConfig::new(identity), Heads::default());
        let script: Script = Arc::new(script);
        let kept = heads.clone();
        Self::each(config, heads, move |stream| serve(stream, script.clone(), kept.clone())).await
    }

    /// Does anything at all with each connection, as soon as it is encrypted.
    pub(crate) async fn each<D>(
        config: TlsConfig,
        heads: Heads,
        deed: impl Fn(TlsStream<TcpStream>) -> D + Send + Sync + 'static,
    ) -> Self
    where
        D: Future<Output = ()> + Send + 'static,
    {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), config.authority).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (acceptor, deed) = (TlsAcceptor::from(Arc::new(config.server)), Arc::new(deed));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, deed) = (acceptor.clone(), deed.clone());
                tokio::spawn(async move {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        deed(stream).await;
                    }
                });
            }
        });
        Self { address, folder, heads }
    }

    /// The heads of all requests, in the order in which they came.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }

    /// A probe that reaches this server under all of its names.
    pub(crate) fn config(&self) -> ProbeConfig {
        let clock: Arc<dyn Clock> = Arc::new(HandWoundClock::at(Timestamp::from_second(1_800_000_000).unwrap()));
        ProbeConfig {
            ca_file: Some(self.ca_file()),
            resolver: Arc::new(Names::of(self.address)),
            also_reached: vec![self.address],
            proxies: Proxies::None,
            ..ProbeConfig::new(clock)
        }
    }

    pub(crate) fn probe(&self) -> Probe {
        Probe::new(&self.config()).unwrap()
    }

    /// A probe that loses patience at once, for what never answers.
    pub(crate) fn hasty_probe(&self) -> Probe {
        Probe::new(&ProbeConfig { request_timeout: Duration::from_millis(300), ..self.config() }).unwrap()
    }

    fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }
}

/// A resolver that knows a few names.
pub(crate) struct Names(pub(crate) BTreeMap<&'static str, Vec<SocketAddr>>);

impl Names {
    pub(crate) fn of(address: SocketAddr) -> Self {
        Self(NAMES.into_iter().map(|name| (name, vec![address])).collect())
    }

    pub(crate) fn and(mut self, name: &'static str, addresses: &[&str]) -> Self {
        let port = |address: &&str| SocketAddr::new(address.parse().unwrap(), 0);
        self.0.insert(name, addresses.iter().map(port).collect());
        self
    }
}

impl Resolver for Names {
    fn resolve(&self, host: &str) -> Resolution {
        let found = self.0.get(host).cloned().ok_or_else(|| io::Error::other("no such name"));
        Box::pin(std::future::ready(found))
    }
}

/// A certificate for all names of the server, and the root it leads to.
pub(crate) struct TlsConfig {
    authority: String,
    pub(crate) server: ServerConfig,
}

impl TlsConfig {
    pub(crate) fn new(identity: Identity) -> Self {
        let names = if identity == Identity::OtherName { vec!["other.test-host.com"] } else { NAMES.to_vec() };
        let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority_key = KeyPair::generate().unwrap();
        let root = authority.self_signed(&authority_key).unwrap();
        let mut leaf = CertificateParams::new(names).unwrap();
        match identity {
            Identity::Expired => leaf.not_after = rcgen::date_time_ymd(2001, 1, 1),
            Identity::SelfSigned => leaf.distinguished_name.push(rcgen::DnType::CommonName, "itself"),
            Identity::OwnAuthority => leaf.is_ca = IsCa::Ca(BasicConstraints::Unconstrained),
            Identity::Future => leaf.not_before = rcgen::date_time_ymd(2999, 1, 1),
            Identity::Sound | Identity::OtherName => {}
        }
        let key = KeyPair::generate().unwrap();
        let certificate = if matches!(identity, Identity::SelfSigned | Identity::OwnAuthority) {
            leaf.self_signed(&key).unwrap()
        } else {
            leaf.signed_by(&key, &Issuer::new(authority, authority_key)).unwrap()
        };
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
            .unwrap();
        Self { authority: root.pem(), server: config }
    }
}

async fn serve(mut stream: TlsStream<TcpStream>, script: Script, heads: Heads) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let head = String::from_utf8(head).unwrap();
    let number = {
        let mut heads = heads.lock().unwrap();
        heads.push(head.clone());
        heads.len() - 1
    };
    match script(&request(number, &head)) {
        Reply::Text(text) => {
            let _ = stream.write_all(&text).await;
            let _ = stream.shutdown().await;
        }
        Reply::Silence => std::future::pending().await,
        Reply::Endless(text) => {
            let _ = stream.write_all(&text).await;
            let zeroes = chunk(&[0; 16 * 1024]);
            while stream.write_all(&zeroes).await.is_ok() {}
        }
    }
}

fn request(number: usize, head: &str) -> Request {
    let field = |name: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
    };
    let range = field("range").map(|range| {
        let (first, last) = range.strip_prefix("bytes=").unwrap().split_once('-').unwrap();
        (first.parse().unwrap(), last.parse().unwrap())
    });
    let path = head.split(' ').nth(1).unwrap().to_owned();
    Request { number, host: field("host").unwrap(), path, range }
}

/// One chunk of a chunked body.
pub(crate) fn chunk(bytes: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

/// A whole answer.
pub(crate) fn answer(status: &str, headers: &str, body: &[u8]) -> Reply {
    raw(&format!("{status}\r\ncontent-length: {}\r\n{headers}", body.len()), body)
}

/// An answer whose headers are all the test's.
pub(crate) fn raw(status_and_headers: &str, body: &[u8]) -> Reply {
    let head = format!("HTTP/1.1 {}\r\nconnection: close\r\n\r\n", status_and_headers.trim_end());
    Reply::Text([head.as_bytes(), body].concat())
}

pub(crate) fn redirect(to: &str) -> Reply {
    answer("302 Found", &format!("location: {to}"), b"")
}

/// What a good server of files says.
pub(crate) fn file(request: &Request, bytes: &[u8], headers: &str) -> Reply {
    match request.range {
        None => answer("200 OK", headers, bytes),
        Some((first, _)) if first >= bytes.len() => {
            answer("416 Range Not Satisfiable", &format!("content-range: bytes */{}", bytes.len()), b"")
        }
        Some((first, last)) => {
            let last = last.min(bytes.len() - 1);
            let range = format!("content-range: bytes {first}-{last}/{}\r\n{headers}", bytes.len());
            answer("206 Partial Content", &range, &bytes[first..=last])
        }
    }
}

/// An HTTP proxy that leads every tunnel to `server`; returns its address and what it was asked for.
pub(crate) async fn proxy(server: SocketAddr) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let kept = asked.clone();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(client.read_u8().await.unwrap());
            }
            let head = String::from_utf8(head).unwrap();
            kept.lock().unwrap().push(head.lines().next().unwrap().to_owned());
            client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            let mut server = TcpStream::connect(server).await.unwrap();
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut client, &mut server).await });
        }
    });
    (address, asked)
}
