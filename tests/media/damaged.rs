//! Files that are cut short, or whose size is a lie: told as what they are.

use facectl::face::{Model, SourceKind};
use facectl::media::{Check, Container, Facts, Flaw, judge};

use crate::material::{Counted, clip, look};

fn flaw(bytes: &[u8]) -> Option<Flaw> {
    look(bytes).unwrap().flaw
}

/// Returns where the first box of a name begins.
fn place_of(bytes: &[u8], name: &[u8; 4]) -> usize {
    bytes.windows(4).position(|window| window == name).unwrap() - 4
}

#[test]
fn a_video_that_was_cut_short_is_told_as_that_wherever_it_was_cut() {
    let last = clip("moov-last.mp4");
    let (media, index) = (place_of(&last, b"mdat"), place_of(&last, b"moov"));
    let missing = |missing_bytes| Some(Flaw::CutShort { missing_bytes });
    for (cut, expected, reason) in [
        (media + 100, missing((index - media - 100) as u64), "in its pictures: more is missing than is said"),
        (index, Some(Flaw::NoIndex), "before its index"),
        (index + 4, Some(Flaw::NoIndex), "in the heading of its index"),
        (last.len() - 1, missing(1), "in its index"),
        (0, Some(Flaw::Empty), "before its beginning"),
    ] {
        assert_eq!(flaw(&last[..cut]), expected, "{reason}");
    }
    let first = clip("moov-first.mp4");
    let facts = look(&first[..first.len() - 500]).unwrap();
    assert_eq!(facts.flaw, missing(500), "the index in front says how long the pictures are");
    assert_eq!((facts.width, facts.has_audio), (Some(320), Some(true)), "what it says is still said");
    let webm = clip("vp9-opus.webm");
    assert_eq!(flaw(&webm[..webm.len() - 77]), missing(77), "a WebM says how long all of it is");
    assert_eq!(flaw(&webm[..60]), missing((webm.len() - 60) as u64), "also before its tracks");
}

#[test]
fn a_video_cut_short_whose_length_nobody_told_is_told_as_that_too() {
    let last = clip("moov-last.mp4");
    let cut = Counted::whole(last[..last.len() - 1].to_vec()).without_length();
    assert_eq!(look(&cut).unwrap().flaw, Some(Flaw::CutShort { missing_bytes: 1 }));
}

#[test]
fn an_index_that_is_no_index_is_unreadable_and_one_that_is_too_large_is_left_alone() {
    let mut empty = clip("moov-last.mp4");
    empty.truncate(place_of(&empty, b"moov"));
    empty.extend(b"\0\0\0\x08moov");
    assert_eq!(flaw(&empty), Some(Flaw::Unreadable));
    let huge = Counted::with_hole(b"\0\0\0\x10ftypisom\0\0\0\0\x02\0\0\0moov".to_vec(), 0x0200_0000 - 8, Vec::new());
    assert_eq!(look(&huge).unwrap().flaw, Some(Flaw::IndexTooLarge));
    assert_eq!(huge.cost().0, 1, "not for a moment");
}

#[test]
fn a_track_that_cannot_be_read_leaves_open_what_it_was() {
    // The second track of each, the sound, claims to be longer than what it stands in.
    let mut mp4 = clip("moov-last.mp4");
    let track = mp4.windows(4).rposition(|window| window == b"trak").unwrap();
    mp4[track - 4] = 0x7F;
    let mut webm = clip("vp9-opus.webm");
    let codec = webm.windows(6).position(|window| window == b"A_OPUS").unwrap();
    let track = webm[..codec].windows(2).rposition(|window| window == [0xAE, 0x01]).unwrap();
    webm[track + 2] = 0x7F;
    for bytes in [mp4, webm] {
        let facts = look(bytes.as_slice()).unwrap();
        assert_eq!((facts.has_video, facts.has_audio), (Some(true), None), "{facts:?}");
        let findings = judge(&facts, SourceKind::Video, Model::Phoenix45);
        assert!(findings.iter().all(|finding| finding.check != Check::Audio), "{findings:?}");
    }
}

#[test]
fn a_long_index_and_one_that_reaches_to_the_end_are_read_as_well() {
    let last = clip("moov-last.mp4");
    let expected = look(last.as_slice()).unwrap();
    let index = place_of(&last, b"moov");
    let mut to_the_end = last.clone();
    to_the_end[index..index + 4].fill(0);
    assert_eq!(look(to_the_end.as_slice()).unwrap(), expected);
    let mut long = last[..index].to_vec();
    long.extend(b"\0\0\0\x01moov");
    long.extend(((last.len() - index + 8) as u64).to_be_bytes());
    long.extend(&last[index + 8..]);
    assert_eq!(look(long.as_slice()).unwrap(), Facts { length: Some(long.len() as u64), ..expected });
}

#[test]
fn a_photo_is_found_behind_blocks_of_any_size_up_to_a_limit() {
    let photo = clip("still.jpg");
    for (blocks, expected, reads) in [(1, Some(640), 2), (4, Some(640), 3), (15, Some(640), 3), (17, None, 3)] {
        let mut bytes = photo[..2].to_vec();
        for _ in 0..blocks {
            // The longest that a block can be: its length has 16 bits.
            bytes.extend(b"\xFF\xE1\xFF\xFF");
            bytes.resize(bytes.len() + 0xFFFD, 0);
        }
        bytes.extend(&photo[2..]);
        let counted = Counted::whole(bytes);
        let facts = look(&counted).unwrap();
        assert_eq!(facts.width, expected, "{blocks} blocks");
        assert_eq!(facts.flaw, expected.is_none().then_some(Flaw::Unreadable), "{blocks} blocks");
        assert_eq!(counted.cost().0, reads, "{blocks} blocks");
    }
}

#[test]
fn pages_and_photos_are_refused_as_videos_and_videos_as_photos() {
    let errors = |name: &str, kind| {
        let findings = judge(&look(clip(name).as_slice()).unwrap(), kind, Model::Phoenix45);
        findings.into_iter().filter(|finding| finding.is_error()).map(|finding| finding.check).collect::<Vec<_>>()
    };
    for (name, as_video, as_photo) in [
        ("sign-in.html", Check::Page, Check::Page),
        ("expired.xml", Check::Page, Check::Page),
        ("refused.json", Check::Page, Check::Page),
        ("still.jpg", Check::Type, Check::Type),
        ("moov-last.mp4", Check::Duration, Check::Type),
    ] {
        assert_eq!(errors(name, SourceKind::Video), [as_video], "{name}");
        // A JPEG of 640 x 512 is a photo.
        let expected = if name == "still.jpg" { vec![] } else { vec![as_photo] };
        assert_eq!(errors(name, SourceKind::Image), expected, "{name}");
    }
    assert_eq!(look(b"".as_slice()).unwrap().container, Container::Other);
}
