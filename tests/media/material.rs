//! Material to look into, and readers that count.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

use facectl::media::{Facts, InspectError, RangedRead, ReadError, inspect};

/// Every committed clip.
pub(crate) const CLIPS: [&str; 24] = [
    "moov-last.mp4",
    "moov-first.mp4",
    "fragmented.mp4",
    "rotated.mp4",
    "silent.mp4",
    "sound-only.mp4",
    "hevc.mp4",
    "mp3.mp4",
    "ntsc.mp4",
    "camera.mov",
    "mpeg4-pcm.mov",
    "vp9-opus.webm",
    "vp8-vorbis.webm",
    "vp8-silent.webm",
    "recorded.webm",
    "h264-opus.mkv",
    "still.png",
    "still.jpg",
    "large-profile.jpg",
    "still.gif",
    "still.webp",
    "sign-in.html",
    "expired.xml",
    "refused.json",
];

/// Returns the bytes of a clip.
pub(crate) fn clip(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/media/clips/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Looks into material whose reads never wait.
pub(crate) fn look<R: RangedRead + ?Sized>(reader: &R) -> Result<Facts, InspectError> {
    at_once(inspect(reader))
}

/// Runs what never waits, without a runtime.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("nothing here waits"),
    }
}

/// A file with a hole of zeros in it, which is nowhere in memory; counts what is read.
pub(crate) struct Counted {
    front: Vec<u8>,
    hole: u64,
    back: Vec<u8>,
    tells_length: bool,
    reads: AtomicU64,
    bytes: AtomicU64,
}

impl Counted {
    /// Returns a file without a hole.
    pub(crate) fn whole(bytes: Vec<u8>) -> Self {
        Self::with_hole(bytes, 0, Vec::new())
    }

    /// Returns a file that is `front`, `hole` zeros, `back`.
    pub(crate) fn with_hole(front: Vec<u8>, hole: u64, back: Vec<u8>) -> Self {
        Self { front, hole, back, tells_length: true, reads: AtomicU64::new(0), bytes: AtomicU64::new(0) }
    }

    /// Keeps its length to itself, as a server may.
    pub(crate) fn without_length(mut self) -> Self {
        self.tells_length = false;
        self
    }

    /// Returns how many reads there were, and of how many bytes.
    pub(crate) fn cost(&self) -> (u64, u64) {
        (self.reads.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed))
    }

    fn all(&self) -> u64 {
        self.front.len() as u64 + self.hole + self.back.len() as u64
    }

    fn byte(&self, at: u64) -> u8 {
        let front = self.front.len() as u64;
        let place = |at: u64| usize::try_from(at).unwrap();
        match at {
            _ if at < front => self.front[place(at)],
            _ if at < front + self.hole => 0,
            _ => self.back[place(at - front - self.hole)],
        }
    }
}

impl RangedRead for Counted {
    fn length(&self) -> Option<u64> {
        self.tells_length.then(|| self.all())
    }

    async fn read_at(&self, offset: u64, length: usize) -> Result<Vec<u8>, ReadError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(length as u64, Ordering::Relaxed);
        let end = offset.saturating_add(length as u64).min(self.all());
        if self.hole == 0 {
            let place = |at: u64| usize::try_from(at.min(self.all())).unwrap();
            return Ok(self.front.get(place(offset)..place(end)).unwrap_or_default().to_vec());
        }
        Ok((offset.min(end)..end).map(|at| self.byte(at)).collect())
    }
}
