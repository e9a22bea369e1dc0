//! Broken files by the thousand, the same ones each time: none may panic, hang, read without bounds, or make us set aside
//! what it claims to need.
//!
//! `FACECTL_FUZZ=1000000 cargo test --test media hostile` plays more rounds. A failure prints its clip and its round.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use facectl::face::{Model, SourceKind};
use facectl::media::{MOST_BYTES, MOST_READS, judge};
use fastrand::Rng;
use proptest::prelude::*;

use crate::material::{CLIPS, Counted, clip, look};

/// How many rounds are played where nobody asks for more: some seconds without optimisation.
const ROUNDS: u64 = 6_000;
/// When a single file is said to hang. It takes far less than a millisecond.
const PATIENCE: Duration = Duration::from_secs(60);
/// How much more address space all of it may take. What a file of some KB claims to need is beyond that.
const MOST_MEMORY_KB: u64 = 512 * 1024;

/// Sizes and counts that readers trip over: nothing, less than a heading, the largest ones, and signs that turn.
const HARD_NUMBERS: [u64; 12] = [
    0,
    1,
    7,
    8,
    15,
    16,
    0x7FFF_FFFF,
    0x8000_0000,
    0xFFFF_FFFF,
    0x7FFF_FFFF_FFFF_FFFF,
    0xFFFF_FFFF_FFFF_FFF0,
    0xFFFF_FFFF_FFFF_FFFF,
];

/// Looks into bytes, with and without their length, and says everything that can be said of them.
fn try_out(bytes: Vec<u8>) {
    let known = Counted::whole(bytes.clone());
    for counted in [known, Counted::whole(bytes).without_length()] {
        let result = look(&counted);
        let (reads, read) = counted.cost();
        assert!(reads <= u64::from(MOST_READS) && read <= MOST_BYTES as u64, "{reads} reads of {read} bytes");
        let Ok(facts) = result else { continue };
        assert_ne!(facts.duration, Some(Duration::ZERO));
        assert!(facts.frame_rate.is_none_or(|rate| rate.is_finite() && rate > 0.0), "{facts:?}");
        serde_json::to_string(&facts).unwrap();
        for model in Model::ALL {
            for kind in [SourceKind::Video, SourceKind::Image] {
                for finding in judge(&facts, kind, model) {
                    assert!(!finding.message.contains(char::is_control), "{finding:?}");
                }
            }
        }
    }
}

/// Breaks bytes in one way.
fn damage(bytes: &mut Vec<u8>, random: &mut Rng) {
    let length = bytes.len();
    if length < 16 {
        return bytes.extend_from_slice(b"\0\0\0\x10moov\0\0\0\x08trak");
    }
    let (start, other) = (random.usize(..length), random.usize(..length));
    let block = random.usize(1..=64.min(length - start));
    match random.u8(..8) {
        0 => (0..random.usize(1..8)).for_each(|_| bytes[random.usize(..length)] = random.u8(..)),
        1 => bytes[start] ^= 1 << random.u8(..8),
        2 => bytes[start..start + block].fill(if random.bool() { 0 } else { 0xFF }),
        3 => bytes.truncate(start),
        4 => {
            let place = place_of_a_size(bytes, random);
            set_number(bytes, place, random);
        }
        5 => set_number(bytes, start, random),
        6 => {
            // A box, or some of one, once more, somewhere else.
            let place = place_of_a_size(bytes, random);
            let end = random.usize(place..=length);
            let copy = bytes[place..end.min(place + 4096)].to_vec();
            bytes.splice(other..other, copy);
        }
        _ => drop(bytes.drain(start..start + block)),
    }
}

/// Writes a hard number where one may stand, in 4 bytes or in 8.
fn set_number(bytes: &mut [u8], place: usize, random: &mut Rng) {
    let number = HARD_NUMBERS[random.usize(..HARD_NUMBERS.len())].to_be_bytes();
    let number = if random.bool() { &number[4..] } else { &number[..] };
    for (byte, new) in bytes[place..].iter_mut().zip(number) {
        *byte = *new;
    }
}

/// Returns where a size stands: before four letters, or behind the identity of an element.
fn place_of_a_size(bytes: &[u8], random: &mut Rng) -> usize {
    let is_name = |window: &[u8]| window.iter().all(u8::is_ascii_lowercase);
    let boxes = bytes.windows(4).enumerate().filter(|(_, window)| is_name(window)).map(|(at, _)| at.saturating_sub(4));
    let elements = bytes.windows(4).enumerate().filter(|(_, window)| window[0] & 0xF0 == 0x10).map(|(at, _)| at + 4);
    let places: Vec<usize> = boxes.chain(elements).collect();
    places.get(random.usize(..places.len().max(1))).copied().unwrap_or_default().min(bytes.len() - 1)
}

/// Returns how much address space this process ever had, in KB, where the system says so.
fn most_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmPeak:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[test]
fn no_broken_file_does_harm() {
    let rounds =
        std::env::var("FACECTL_FUZZ").map_or(ROUNDS, |rounds| rounds.parse().expect("FACECTL_FUZZ is a number"));
    let before = most_memory();
    let under_way = Arc::new(Mutex::new(String::new()));
    let told = Arc::clone(&under_way);
    let (step, steps) = channel();
    let player = std::thread::spawn(move || {
        let clips: Vec<(&str, Vec<u8>)> = CLIPS.iter().map(|name| (*name, clip(name))).collect();
        for round in 0..rounds {
            let mut random = Rng::with_seed(round);
            let (name, whole) = &clips[random.usize(..clips.len())];
            *told.lock().unwrap() = format!("round {round}, made from {name}");
            let mut bytes = whole.clone();
            (0..random.usize(1..=4)).for_each(|_| damage(&mut bytes, &mut random));
            try_out(bytes);
            step.send(()).unwrap();
        }
    });
    let hangs = loop {
        match steps.recv_timeout(PATIENCE) {
            Ok(()) => {}
            Err(RecvTimeoutError::Disconnected) => break false,
            Err(RecvTimeoutError::Timeout) => break true,
        }
    };
    let case = || under_way.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone();
    assert!(!hangs, "{} hangs", case());
    assert!(player.join().is_ok(), "{} panicked", case());
    if let (Some(before), Some(after)) = (before, most_memory()) {
        let more = after - before;
        assert!(more < MOST_MEMORY_KB, "{more} KB were set aside at once");
    }
}

#[test]
fn a_clip_cut_anywhere_does_no_harm() {
    for name in CLIPS {
        let bytes = clip(name);
        // Every byte of the beginning, where headings are, then some.
        let cuts = (0..bytes.len().min(512)).chain((512..bytes.len()).step_by(61));
        cuts.for_each(|cut| try_out(bytes[..cut].to_vec()));
    }
}

#[test]
fn boxes_within_boxes_and_crowds_of_boxes_cost_no_more_than_their_bytes() {
    let file = |index: &[u8]| {
        let mut bytes = b"\0\0\0\x10ftypisom\0\0\0\0".to_vec();
        bytes.extend((index.len() as u32 + 8).to_be_bytes());
        bytes.extend(b"moov");
        bytes.extend(index);
        bytes
    };
    let empty_track = b"\0\0\0\x08trak".as_slice();
    let nested: Vec<u8> =
        (0..100_000_u32).flat_map(|depth| (800_000 - 8 * depth).to_be_bytes().into_iter().chain(*b"trak")).collect();
    try_out(file(&empty_track.repeat(100_000)));
    try_out(file(&nested));
    // Elements of two bytes, as many as are read.
    let mut webm = clip("recorded.webm");
    webm.splice(40.., b"\xec\x80".repeat(500_000));
    try_out(webm);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_follows_a_true_beginning_does_no_harm(
        place in 0..CLIPS.len(),
        kept in 0_usize..400,
        rest in proptest::collection::vec(any::<u8>(), 0..2048),
    ) {
        let mut bytes = clip(CLIPS[place]);
        bytes.truncate(kept);
        bytes.extend(rest);
        try_out(bytes);
    }

    #[test]
    fn boxes_and_elements_of_random_sizes_do_no_harm(
        is_webm: bool,
        pieces in proptest::collection::vec((0_usize..24, any::<u32>(), proptest::collection::vec(any::<u8>(), 0..32)), 0..64),
    ) {
        let mut bytes = if is_webm { clip("vp9-opus.webm")[..40].to_vec() } else { b"\0\0\0\x10ftypisom\0\0\0\0".to_vec() };
        for (name, size, body) in pieces {
            let names = [
                b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"stts", b"mvhd", b"tkhd", b"mdhd", b"hdlr", b"mvex",
                b"esds", b"mp4a", b"avc1", b"mdat", b"moof", b"free", b"\x18\x53\x80\x67", b"\x15\x49\xa9\x66",
                b"\x16\x54\xae\x6b", b"\x11\x4d\x9b\x74", b"\x1f\x43\xb6\x75", b"\xec\x81\0\xae",
            ];
            // Mostly a size that fits, as else the first piece is the last.
            let size = if size % 4 == 0 { size } else { body.len() as u32 + 8 };
            if is_webm {
                bytes.extend(names[name]);
                bytes.push(0x08);
                bytes.extend(size.to_be_bytes());
            } else {
                bytes.extend(size.to_be_bytes());
                bytes.extend(names[name]);
            }
            bytes.extend(body);
        }
        try_out(bytes);
    }
}
