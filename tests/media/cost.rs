//! How little of a large file is read.

use facectl::media::{Facts, InspectError, MOST_BYTES, MOST_READS, RangedRead, ReadError};

use crate::material::{Counted, clip, look};

/// How large the middle of the files here is: about as large as a video may be.
const HOLE: u64 = 700 * 1024 * 1024;

/// Returns a clip whose media data are so much larger, as a file that is nowhere whole.
fn blown_up(name: &str) -> Counted {
    let bytes = clip(name);
    let start = bytes.windows(4).position(|window| window == b"mdat").unwrap() - 4;
    let size = u32::from_be_bytes(bytes[start..start + 4].try_into().unwrap());
    let end = start + size as usize;
    let mut front = bytes[..end].to_vec();
    front[start..start + 4].copy_from_slice(&(size + u32::try_from(HOLE).unwrap()).to_be_bytes());
    Counted::with_hole(front, HOLE, bytes[end..].to_vec())
}

#[test]
fn a_video_of_700_mb_takes_a_read_or_two_wherever_its_index_is() {
    for (name, reads) in [("moov-first.mp4", 1), ("moov-last.mp4", 2), ("camera.mov", 2), ("hevc.mp4", 2)] {
        let large = blown_up(name);
        let facts = look(&large).unwrap();
        let expected = Facts { length: large.length(), ..look(clip(name).as_slice()).unwrap() };
        assert_eq!(facts, expected, "{name}");
        let (read, bytes) = large.cost();
        assert_eq!(read, reads, "{name}");
        assert!(bytes <= 128 * 1024, "{name} took {bytes} bytes");
    }
}

#[test]
fn a_webm_of_700_mb_takes_one_read() {
    let large = Counted::with_hole(clip("recorded.webm"), HOLE, Vec::new());
    assert_eq!(look(&large).unwrap().has_audio, Some(true));
    assert_eq!(large.cost(), (1, 64 * 1024));
}

#[test]
fn an_index_of_megabytes_is_read_once() {
    let bytes = clip("moov-last.mp4");
    let place = bytes.windows(4).position(|window| window == b"moov").unwrap() - 4;
    let mut index = bytes[place + 8..].to_vec();
    // A track of another kind that is large: a list of places, as long videos have.
    index.extend((8_000_008_u32).to_be_bytes());
    index.extend(b"free");
    index.resize(index.len() + 8_000_000, 0);
    let mut large = bytes[..place].to_vec();
    large.extend((index.len() as u32 + 8).to_be_bytes());
    large.extend(b"moov");
    large.extend(index);
    let counted = Counted::whole(large);
    assert_eq!(look(&counted).unwrap().width, Some(320));
    let (reads, read) = counted.cost();
    assert_eq!(reads, 2);
    assert!(read < 8_100_000, "{read}");
}

#[test]
fn a_file_of_nothing_but_headings_ends_the_search_within_its_bounds() {
    // Each of 1 MB: every heading lies where nothing was read.
    let mut chain = Counted::with_hole(b"\0\0\0\x10ftypisom\0\0\0\0".to_vec(), 1 << 40, Vec::new());
    for tells_length in [true, false] {
        let headings = Headings { chain, tells_length };
        let facts = look(&headings).unwrap();
        assert_eq!(facts.has_video, None);
        let (reads, bytes) = headings.chain.cost();
        assert!(reads <= u64::from(MOST_READS) && bytes <= MOST_BYTES as u64, "{reads} reads of {bytes} bytes");
        assert!(bytes < 1024 * 1024, "jumping is cheap: {bytes}");
        chain = Counted::with_hole(b"\0\0\0\x10ftypisom\0\0\0\0".to_vec(), 1 << 40, Vec::new());
    }
}

/// A file that has a heading wherever one looks.
struct Headings {
    chain: Counted,
    tells_length: bool,
}

impl RangedRead for Headings {
    fn length(&self) -> Option<u64> {
        self.tells_length.then(|| self.chain.length()).flatten()
    }

    async fn read_at(&self, offset: u64, length: usize) -> Result<Vec<u8>, ReadError> {
        let mut bytes = self.chain.read_at(offset, length).await?;
        if offset > 0 && bytes.len() >= 8 {
            bytes[..8].copy_from_slice(b"\0\x10\0\0free");
        } else if bytes.len() >= 24 {
            bytes[16..24].copy_from_slice(b"\0\x10\0\0free");
        }
        Ok(bytes)
    }
}

/// A reader that breaks off, and one that has less than it said.
struct Broken(Option<u64>);

impl RangedRead for Broken {
    fn length(&self) -> Option<u64> {
        self.0
    }

    async fn read_at(&self, _: u64, _: usize) -> Result<Vec<u8>, ReadError> {
        match self.0 {
            Some(_) => Ok(b"\0\0\0\x10ftyp".to_vec()),
            None => Err(ReadError("the connection broke off".to_owned())),
        }
    }
}

#[test]
fn a_read_that_fails_or_comes_short_is_an_error_and_no_fact() {
    assert_eq!(look(&Broken(None)), Err(InspectError::Read(ReadError("the connection broke off".to_owned()))));
    let short = look(&Broken(Some(100))).unwrap_err();
    assert_eq!(short, InspectError::Read(ReadError("it has 100 bytes, but could be read only up to 8".to_owned())));
}
