//! The store's own process, and recordings made by ffmpeg: once for all cases.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Once;
use std::sync::atomic::AtomicUsize;
use std::time::{Duration, Instant};

use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::multipart::MultipartStore;
use object_store::path::Path as Key;
use object_store::signer::Signer;
use object_store::{ObjectStoreExt, PutPayload};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::front::{Front, HOST};

pub(crate) const ACCESS_KEY: &str = "ACCESSKEYHUSH";
pub(crate) const SECRET_KEY: &str = "secret-key-hush";
pub(crate) const BUCKET: &str = "media-bucket";
/// How long the store may take to be there.
const PATIENCE: Duration = Duration::from_secs(60);

/// Everything real that cases share.
pub(crate) struct Parts {
    pub(crate) front: Front,
    pub(crate) clips: Clips,
    /// How many cases there were.
    pub(crate) cases: AtomicUsize,
    store: AmazonS3,
    signer: AmazonS3,
    pub(crate) runtime: Runtime,
    weed: Weed,
}

/// Recordings, as they are on disk.
pub(crate) struct Clips {
    /// One that can be trained from.
    pub(crate) first: Vec<u8>,
    /// Another one that can.
    pub(crate) second: Vec<u8>,
    /// One that is too short.
    pub(crate) short: Vec<u8>,
}

impl Parts {
    /// Starts everything; none where this machine has not what it takes.
    pub(crate) fn find() -> Option<Self> {
        let (weed, ffmpeg) = (on_path("weed")?, on_path("ffmpeg")?);
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let weed = Weed::start(&weed);
        let clips = Clips::make(&ffmpeg);
        let store =
            AmazonS3Builder::new().with_endpoint(format!("http://127.0.0.1:{}", weed.port)).with_allow_http(true);
        let store = keys(store).build().unwrap();
        let signer = keys(AmazonS3Builder::new().with_endpoint(format!("https://{HOST}"))).build().unwrap();
        let front = Front::start(&runtime, weed.port);
        let parts = Self { front, clips, cases: AtomicUsize::new(0), store, signer, runtime, weed };
        parts.await_the_bucket();
        Some(parts)
    }

    fn await_the_bucket(&self) {
        let deadline = Instant::now() + PATIENCE;
        let put =
            || self.runtime.block_on(self.store.put(&Key::from("first"), PutPayload::from_static(b"it is there")));
        while let Err(error) = put() {
            let log = || std::fs::read_to_string(self.weed.folder.path().join("weed.log")).unwrap_or_default();
            assert!(Instant::now() < deadline, "the store does not come up: {error}\n{}", log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Puts an object into the store, as its owner does.
    pub(crate) fn put(&self, key: &str, bytes: &[u8]) {
        let payload = PutPayload::from(bytes.to_vec());
        self.runtime.block_on(self.store.put(&name(key), payload)).unwrap();
    }

    /// Where the store itself listens.
    pub(crate) fn store_port(&self) -> u16 {
        self.weed.port
    }

    pub(crate) fn delete(&self, key: &str) {
        self.runtime.block_on(self.store.delete(&name(key))).unwrap();
    }

    /// The names of all objects below a prefix.
    pub(crate) fn list(&self, prefix: &str) -> Vec<String> {
        let listed = self
            .runtime
            .block_on(object_store::ObjectStore::list_with_delimiter(&self.store, Some(&Key::from(prefix))));
        listed.unwrap().objects.into_iter().map(|object| object.location.to_string()).collect()
    }

    /// Gives an upload up that is under way, as stores do after some days where they are told to.
    pub(crate) fn abort(&self, key: &str, upload: &str) {
        self.runtime.block_on(self.store.abort_multipart(&name(key), &upload.to_owned())).unwrap();
    }

    /// A link to an object, as somebody else would sign it.
    pub(crate) fn link(&self, key: &str, lifetime: Duration) -> String {
        self.runtime.block_on(self.signer.signed_url(http::Method::GET, &name(key), lifetime)).unwrap().into()
    }
}

/// Parsed: what is converted would be encoded twice.
fn name(key: &str) -> Key {
    Key::parse(key).unwrap()
}

fn keys(builder: AmazonS3Builder) -> AmazonS3Builder {
    let builder = builder.with_bucket_name(BUCKET).with_region("us-east-1");
    builder.with_access_key_id(ACCESS_KEY).with_secret_access_key(SECRET_KEY)
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// SeaweedFS, as one process. It ends with this one, however that ends.
struct Weed {
    child: Child,
    port: u16,
    folder: TempDir,
}

impl Weed {
    fn start(program: &Path) -> Self {
        let folder = TempDir::new().unwrap();
        let ports = free_ports(11);
        let names = [
            "s3.port",
            "s3.port.grpc",
            "s3.port.iceberg",
            "s3.port.lance",
            "filer.port",
            "filer.port.grpc",
            "master.port",
            "master.port.grpc",
            "volume.port",
            "volume.port.grpc",
        ];
        let mut command = Command::new("sh");
        // The pipe ends with whoever holds its other end, also where that is killed.
        command.args(["-c", "\"$@\" >weed.log 2>&1 & cat >/dev/null; kill -9 $!", "sh"]).arg(program);
        command.args(["mini", "-dir=.", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-admin.ui=false", "-webdav=false"]);
        command.arg(format!("-bucket={BUCKET}"));
        command.args(names.iter().zip(&ports).map(|(name, port)| format!("-{name}={port}")));
        // Its worker expects the second port there, and says so for ever where nobody listens.
        let admin = ports[10];
        command.args([format!("-admin.port={admin}"), format!("-admin.port.grpc={}", admin + 10_000)]);
        command.env("AWS_ACCESS_KEY_ID", ACCESS_KEY).env("AWS_SECRET_ACCESS_KEY", SECRET_KEY);
        command.env("HOME", folder.path()).current_dir(folder.path());
        for name in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"] {
            command.env_remove(name);
        }
        let child = command.stdin(Stdio::piped()).spawn().unwrap();
        Self { child, port: ports[0], folder }
    }
}

impl Drop for Weed {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// Ports that nobody listens on; the last so that the one ten thousand above is free as well.
fn free_ports(count: usize) -> Vec<u16> {
    let listen = |port: u16| TcpListener::bind(("127.0.0.1", port)).ok();
    let mut held = Vec::new();
    let mut ports = Vec::new();
    while ports.len() < count {
        let listener = listen(0).unwrap();
        let port = listener.local_addr().unwrap().port();
        held.push(listener);
        let is_last = ports.len() + 1 == count;
        if !is_last || port.checked_add(10_000).and_then(listen).is_some() {
            ports.push(port);
        }
    }
    ports
}

impl Clips {
    fn make(ffmpeg: &Path) -> Self {
        let folder = TempDir::new().unwrap();
        let run = |words: &str| {
            let mut command = Command::new(ffmpeg);
            command.args(["-v", "error", "-nostdin", "-y"]).args(words.split_whitespace()).current_dir(folder.path());
            assert!(
                command.stderr(File::create(folder.path().join("log")).unwrap()).status().unwrap().success(),
                "{words}"
            );
        };
        run("-f lavfi -i color=c=navy:size=160x90:rate=25 -f lavfi -i sine=frequency=440 -t 65 \
             -c:v libx264 -preset ultrafast -g 1000 -pix_fmt yuv420p -c:a aac -ac 1 -b:a 16k -movflags +faststart first.mp4");
        run("-i first.mp4 -t 62 -c copy -movflags +faststart second.mp4");
        run("-i first.mp4 -t 10 -c copy -movflags +faststart short.mp4");
        let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
        Self { first: read("first.mp4"), second: read("second.mp4"), short: read("short.mp4") }
    }
}

/// A recording with so many bytes behind it that no player looks at.
pub(crate) fn padded(clip: &[u8], length: usize) -> Vec<u8> {
    let more = length - clip.len();
    let mut bytes = clip.to_vec();
    bytes.extend(u32::try_from(more).unwrap().to_be_bytes());
    bytes.extend(b"free");
    // No two parts of it are alike.
    bytes.extend((8..more).map(|at| (at / 1_048_576 + at) as u8));
    bytes
}
