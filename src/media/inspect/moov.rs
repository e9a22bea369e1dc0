//! Reading the index of an MP4 or QuickTime file: a dozen numbers at known places (ISO 14496-12, chapter 8).

use std::time::Duration;

use crate::media::{AudioCodec, Facts, Flaw, VideoCodec};

use super::boxes::{Boxes, find, four, shown, u16_at, u32_at, u64_at};

/// Puts into the facts what the body of a `moov` says.
pub(super) fn read(moov: &[u8], has_fragments: bool, facts: &mut Facts) {
    let is_fragmented = has_fragments || find(moov, &[b"mvex"]).is_some();
    facts.is_fragmented = Some(is_fragmented);
    let mut boxes = Boxes(moov);
    let tracks: Vec<&[u8]> = boxes.by_ref().filter(|(name, _)| name == b"trak").map(|(_, body)| body).collect();
    if tracks.is_empty() {
        facts.flaw = Some(Flaw::Unreadable);
        return;
    }
    let kinds: Vec<Option<[u8; 4]>> = tracks.iter().map(|track| handler(track)).collect();
    let of_kind = |kind: &[u8; 4]| kinds.iter().position(|found| found.as_ref() == Some(kind));
    // A track that does not say what it is may be either, and so may one behind a box that did not fit.
    let is_told = kinds.iter().all(Option::is_some) && boxes.is_all_read();
    let has = |place: Option<usize>| if place.is_some() { Some(true) } else { is_told.then_some(false) };
    let (video, audio) = (of_kind(b"vide"), of_kind(b"soun"));
    facts.has_video = has(video);
    facts.has_audio = has(audio);
    if let Some(track) = video.and_then(|place| tracks.get(place)) {
        read_picture(track, facts);
    }
    if let Some(track) = audio.and_then(|place| tracks.get(place)) {
        facts.audio_codec = sample_entry(track).and_then(|(code, entry)| audio_codec(code, entry));
    }
    // What a fragmented file says in front covers what was written by then: nothing, or the first fragment.
    if !is_fragmented {
        let movie = find(moov, &[b"mvhd"]).and_then(duration);
        let longest = || tracks.iter().filter_map(|track| find(track, &[b"mdia", b"mdhd"]).and_then(duration)).max();
        facts.duration = movie.or_else(longest);
    }
}

/// Returns what kind of track it is: `vide`, `soun`, or something else.
fn handler(track: &[u8]) -> Option<[u8; 4]> {
    four(find(track, &[b"mdia", b"hdlr"])?, 8)
}

/// Returns by how much a number stands further back in the second version of a header (`mvhd`, `tkhd`, `mdhd`), whose
/// times before it are longer.
fn moved_by(header: &[u8], by: usize) -> usize {
    if header.first() == Some(&1) { by } else { 0 }
}

/// Reads how long something runs from `mvhd` or `mdhd`. Zero, and all ones, are how "not known" is written.
fn duration(header: &[u8]) -> Option<Duration> {
    let scale = u32_at(header, 12 + moved_by(header, 8)).filter(|scale| *scale > 0)?;
    let ticks = match moved_by(header, 8) {
        0 => u32_at(header, 16).filter(|ticks| *ticks != u32::MAX).map(u64::from)?,
        _ => u64_at(header, 24).filter(|ticks| *ticks != u64::MAX)?,
    };
    let seconds = ticks / u64::from(scale);
    let nanoseconds = ticks % u64::from(scale) * 1_000_000_000 / u64::from(scale);
    // The rest of a division by `scale` is less than a second.
    let duration = Duration::new(seconds, u32::try_from(nanoseconds).ok()?);
    (!duration.is_zero()).then_some(duration)
}

fn read_picture(track: &[u8], facts: &mut Facts) {
    let header = find(track, &[b"tkhd"]).unwrap_or_default();
    let entry = sample_entry(track);
    facts.video_codec = entry.map(|(code, _)| video_codec(code));
    facts.frame_rate = frame_rate(track);
    let turn = turn(header);
    facts.rotation_degrees = turn;
    let size = shown_size(header).or_else(|| entry.and_then(|(_, entry)| coded_size(entry)));
    if let Some((width, height)) = size {
        let is_on_its_side = turn.is_some_and(|degrees| degrees % 180 != 0);
        (facts.width, facts.height) =
            if is_on_its_side { (Some(height), Some(width)) } else { (Some(width), Some(height)) };
    }
}

/// Reads the size a track is shown in before it is turned: `tkhd`, in 65,536ths of a pixel.
fn shown_size(header: &[u8]) -> Option<(u32, u32)> {
    let at = 76 + moved_by(header, 12);
    let (width, height) = (u32_at(header, at)? >> 16, u32_at(header, at + 4)? >> 16);
    (width > 0 && height > 0).then_some((width, height))
}

/// Reads the size it is encoded in, for files whose track says none.
fn coded_size(entry: &[u8]) -> Option<(u32, u32)> {
    let (width, height) = (u16_at(entry, 24)?, u16_at(entry, 26)?);
    (width > 0 && height > 0).then_some((width.into(), height.into()))
}

/// Reads by how many degrees a track is turned clockwise, from the first four numbers of the matrix in `tkhd`. `None` for what is no quarter
/// turn, mirrored pictures among it.
fn turn(header: &[u8]) -> Option<u16> {
    let at = 40 + moved_by(header, 12);
    let sign = |at| four(header, at).map(|bytes| i32::from_be_bytes(bytes).signum());
    // Between these stand numbers of the projection, which no player uses.
    match (sign(at)?, sign(at + 4)?, sign(at + 12)?, sign(at + 16)?) {
        (1, 0, 0, 1) => Some(0),
        (0, 1, -1, 0) => Some(90),
        (-1, 0, 0, -1) => Some(180),
        (0, -1, 1, 0) => Some(270),
        _ => None,
    }
}

/// Reads the average number of pictures a second: how many there are (`stts`), by how long they last.
fn frame_rate(track: &[u8]) -> Option<f64> {
    let scale = find(track, &[b"mdia", b"mdhd"]).and_then(|header| u32_at(header, 12 + moved_by(header, 8)))?;
    let runs = find(track, &[b"mdia", b"minf", b"stbl", b"stts"])?.get(8..)?;
    let (mut pictures, mut ticks) = (0_u64, 0_u64);
    // Read to the end of the box: how many runs it claims to have is not asked.
    for run in runs.chunks_exact(8) {
        let (count, length) = (u64::from(u32_at(run, 0)?), u64::from(u32_at(run, 4)?));
        pictures = pictures.saturating_add(count);
        ticks = ticks.saturating_add(count.saturating_mul(length));
    }
    // One picture has no rate.
    if pictures < 2 || ticks == 0 || scale == 0 {
        return None;
    }
    Some(pictures as f64 * f64::from(scale) / ticks as f64)
}

/// Returns the code and the body of the first sample entry (`stsd`): what a track is encoded as.
fn sample_entry(track: &[u8]) -> Option<([u8; 4], &[u8])> {
    Boxes(find(track, &[b"mdia", b"minf", b"stbl", b"stsd"])?.get(8..)?).next()
}

/// Returns what a code means for a picture (the registry of codecs at mp4ra.org; QuickTime's own codes stay as they are).
fn video_codec(code: [u8; 4]) -> VideoCodec {
    match &code {
        b"avc1" | b"avc2" | b"avc3" | b"avc4" => VideoCodec::H264,
        // The last two are Dolby Vision, which iPhones record, in HEVC.
        b"hvc1" | b"hev1" | b"dvh1" | b"dvhe" => VideoCodec::H265,
        b"vp08" => VideoCodec::Vp8,
        b"vp09" => VideoCodec::Vp9,
        b"av01" => VideoCodec::Av1,
        _ => VideoCodec::Other(shown(code)),
    }
}

/// Returns what a code means for sound; `mp4a` is a family, whose member stands further inside.
fn audio_codec(code: [u8; 4], entry: &[u8]) -> Option<AudioCodec> {
    Some(match &code {
        b"mp4a" => match object_type(entry)? {
            // ISO 14496-1, table 5, as kept at mp4ra.org: AAC of MPEG-4 and of MPEG-2, layers of MPEG audio.
            0x40 | 0x66..=0x68 => AudioCodec::Aac,
            0x69 | 0x6b => AudioCodec::Mp3,
            other => AudioCodec::Other(format!("mp4a.{other:02x}")),
        },
        b".mp3" => AudioCodec::Mp3,
        b"Opus" => AudioCodec::Opus,
        b"sowt" | b"twos" | b"lpcm" | b"ipcm" | b"fpcm" | b"in24" | b"in32" | b"fl32" | b"fl64" | b"raw " => {
            AudioCodec::Pcm
        }
        _ => AudioCodec::Other(shown(code)),
    })
}

/// Reads which member of its family sound is from the `esds` in its sample entry (ISO 14496-1, section 7.2.6).
/// It is searched for, as QuickTime puts other boxes around it and other numbers before it.
fn object_type(entry: &[u8]) -> Option<u8> {
    let place = entry.windows(4).position(|name| name == b"esds")?;
    // The name, a version and flags.
    let stream = descriptor(entry.get(place + 8..)?, 0x03)?;
    let flags = *stream.get(2)?;
    let mut at = 3;
    if flags & 0x80 != 0 {
        at += 2;
    }
    if flags & 0x40 != 0 {
        at += 1 + usize::from(*stream.get(at)?);
    }
    if flags & 0x20 != 0 {
        at += 2;
    }
    descriptor(stream.get(at..)?, 0x04)?.first().copied()
}

/// Returns what follows the heading of a descriptor: its tag, and a length in up to four bytes, of which we need nothing.
fn descriptor(bytes: &[u8], tag: u8) -> Option<&[u8]> {
    let (found, rest) = bytes.split_first()?;
    let last = rest.iter().take(4).position(|byte| byte & 0x80 == 0)?;
    (*found == tag).then(|| rest.get(last + 1..)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_told_only_if_it_is_known() {
        let short = |scale: u32, ticks: u32| {
            let mut header = vec![0; 12];
            header.extend(scale.to_be_bytes());
            header.extend(ticks.to_be_bytes());
            header
        };
        let long = |scale: u32, ticks: u64| {
            let mut header = vec![1];
            header.resize(20, 0);
            header.extend(scale.to_be_bytes());
            header.extend(ticks.to_be_bytes());
            header
        };
        for (header, expected, reason) in [
            (short(1000, 65_500), Some(Duration::from_millis(65_500)), "milliseconds"),
            (short(30_000, 60_060), Some(Duration::from_millis(2002)), "as NTSC counts"),
            (short(1000, 0), None, "zero is how fragmented files say: not known"),
            (short(1000, u32::MAX), None, "all ones are how others do"),
            (short(0, 1000), None, "no scale, no time"),
            (long(90_000, 90_000 * 61), Some(Duration::from_secs(61)), "64 bits"),
            (long(1, u64::MAX), None, "all ones, in 64 bits"),
            (long(1, u64::MAX - 1), Some(Duration::from_secs(u64::MAX - 1)), "absurd, but said"),
            (short(1000, 1000)[..18].to_vec(), None, "cut off"),
        ] {
            assert_eq!(duration(&header), expected, "{reason}");
        }
    }

    #[test]
    fn a_matrix_says_by_how_much_a_picture_is_turned() {
        const ONE: i32 = 0x1_0000;
        for ((a, b, c, d), expected, reason) in [
            ((ONE, 0, 0, ONE), Some(0), "as it is"),
            ((0, ONE, -ONE, 0), Some(90), "a phone held upright"),
            ((-ONE, 0, 0, -ONE), Some(180), "a phone on its other side"),
            ((0, -ONE, ONE, 0), Some(270), "a phone held upside down"),
            ((-ONE, 0, 0, ONE), None, "mirrored"),
            ((ONE, ONE, -ONE, ONE), None, "aslant"),
            ((0, 0, 0, 0), None, "nothing at all"),
        ] {
            let mut header = vec![0; 40];
            for number in [a, b, 0, c, d, 0, 0, 0, 0x4000_0000] {
                header.extend(number.to_be_bytes());
            }
            assert_eq!(turn(&header), expected, "{reason}");
        }
    }

    #[test]
    fn a_member_of_a_family_of_sound_is_found_behind_long_lengths_and_options() {
        let plain = b"esds\0\0\0\0\x03\x19\0\x01\0\x04\x11\x40";
        let long = b"....esds\0\0\0\0\x03\x80\x80\x80\x22\0\x01\0\x04\x80\x80\x80\x14\x6b";
        let optional = b"esds\0\0\0\0\x03\x19\0\x01\xe0\0\x02\x02ab\0\x07\x04\x11\x40";
        for (entry, expected) in [(&plain[..], Some(0x40)), (long, Some(0x6b)), (optional, Some(0x40)), (b"esds", None)]
        {
            assert_eq!(object_type(entry), expected);
        }
    }
}
