//! Reading what WebM and Matroska say of the whole and of its tracks (RFC 9559, section 5.1).

use std::time::Duration;

use crate::media::{AudioCodec, Facts, VideoCodec};

use super::ebml::{Elements, find, float, unsigned};

const TIMESTAMP_SCALE: u32 = 0x2A_D7B1;
const DURATION: u32 = 0x4489;
const TRACK_ENTRY: u32 = 0xAE;
const TRACK_TYPE: u32 = 0x83;
const CODEC_ID: u32 = 0x86;
const DEFAULT_DURATION: u32 = 0x23_E383;
const VIDEO: u32 = 0xE0;
const PIXEL_WIDTH: u32 = 0xB0;
const PIXEL_HEIGHT: u32 = 0xBA;

/// The value of [`TIMESTAMP_SCALE`] where it is not said: a millisecond, in nanoseconds.
const MILLISECOND: u64 = 1_000_000;
/// The longest code of a codec that is kept. `V_MPEG4/ISO/AVC` is a long one.
const LONGEST_CODE: usize = 32;

/// Reads how long the whole is, from the body of `Info`. Browsers that record do not know it, and leave it out.
pub(super) fn duration(info: &[u8]) -> Option<Duration> {
    let scale = find(info, TIMESTAMP_SCALE).map_or(Some(MILLISECOND), unsigned)?;
    let seconds = find(info, DURATION).and_then(float)? * scale as f64 / 1e9;
    // No number, none above zero, or more than fits: not known.
    Duration::try_from_secs_f64(seconds).ok().filter(|duration| !duration.is_zero())
}

/// Puts into the facts what the body of `Tracks` says.
pub(super) fn read(tracks: &[u8], facts: &mut Facts) {
    let mut elements = Elements(tracks);
    let entries: Vec<&[u8]> = elements.by_ref().filter(|(id, _)| *id == TRACK_ENTRY).map(|(_, body)| body).collect();
    let kind = |entry: &[u8]| find(entry, TRACK_TYPE).and_then(unsigned);
    let of_kind = |wanted| entries.iter().copied().find(|entry| kind(entry) == Some(wanted));
    let (video, audio) = (of_kind(1), of_kind(2));
    // A track that does not say what it is may be either, and so may one behind an element that did not fit.
    let is_told = !entries.is_empty() && entries.iter().all(|entry| kind(entry).is_some()) && elements.0.is_empty();
    let has = |track: Option<&[u8]>| if track.is_some() { Some(true) } else { is_told.then_some(false) };
    facts.has_video = has(video);
    facts.has_audio = has(audio);
    facts.audio_codec = audio.and_then(code).map(|code| audio_codec(&code));
    if let Some(track) = video {
        facts.video_codec = code(track).map(|code| video_codec(&code));
        let picture_lasts = find(track, DEFAULT_DURATION).and_then(unsigned).filter(|length| *length > 0);
        facts.frame_rate = picture_lasts.map(|nanoseconds| 1e9 / nanoseconds as f64);
        let pixels = |id| find(find(track, VIDEO)?, id).and_then(unsigned).and_then(|side| u32::try_from(side).ok());
        facts.width = pixels(PIXEL_WIDTH).filter(|width| *width > 0);
        facts.height = pixels(PIXEL_HEIGHT).filter(|height| *height > 0);
    }
}

/// Reads what a track is encoded as, in visible ASCII.
fn code(track: &[u8]) -> Option<String> {
    let bytes = find(track, CODEC_ID)?.split(|byte| *byte == 0).next()?;
    let visible = |byte: &u8| if byte.is_ascii_graphic() { char::from(*byte) } else { '?' };
    Some(bytes.iter().take(LONGEST_CODE).map(visible).collect())
}

/// Returns what a code means for a picture (Matroska's list of codecs, matroska.org).
fn video_codec(code: &str) -> VideoCodec {
    match code {
        "V_VP8" => VideoCodec::Vp8,
        "V_VP9" => VideoCodec::Vp9,
        "V_AV1" => VideoCodec::Av1,
        "V_MPEG4/ISO/AVC" => VideoCodec::H264,
        "V_MPEGH/ISO/HEVC" => VideoCodec::H265,
        _ => VideoCodec::Other(code.to_owned()),
    }
}

/// Returns what a code means for sound (the same list).
fn audio_codec(code: &str) -> AudioCodec {
    match code {
        "A_OPUS" => AudioCodec::Opus,
        "A_VORBIS" => AudioCodec::Vorbis,
        "A_MPEG/L3" => AudioCodec::Mp3,
        _ if code.starts_with("A_AAC") => AudioCodec::Aac,
        _ if code.starts_with("A_PCM/") => AudioCodec::Pcm,
        _ => AudioCodec::Other(code.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_told_only_if_it_is_a_length_of_time() {
        let info = |scale: Option<&[u8]>, duration: &[u8]| {
            let mut info = Vec::new();
            if let Some(scale) = scale {
                info.extend([0x2A, 0xD7, 0xB1, 0x80 | scale.len() as u8]);
                info.extend(scale);
            }
            info.extend([0x44, 0x89, 0x80 | duration.len() as u8]);
            info.extend(duration);
            info
        };
        let milliseconds = 65_500_f64.to_be_bytes();
        for (info, expected, reason) in [
            (info(None, &milliseconds), Some(65.5), "milliseconds, where no scale is said"),
            (info(Some(&[0x98, 0x96, 0x80]), &6_550_f32.to_be_bytes()), Some(65.5), "ten of them"),
            (info(None, &0_f64.to_be_bytes()), None, "zero is not known"),
            (info(None, &(-1_f64).to_be_bytes()), None, "no time goes backwards"),
            (info(None, &f64::NAN.to_be_bytes()), None, "no number"),
            (info(None, &f64::INFINITY.to_be_bytes()), None, "no end"),
            (info(None, &f64::MAX.to_be_bytes()), None, "more than fits"),
            (info(None, &[1, 2, 3]), None, "no such number"),
            (info(Some(&[0xFF; 9]), &milliseconds), None, "a scale of nine bytes"),
            (Vec::new(), None, "nothing said"),
        ] {
            assert_eq!(duration(&info).map(|duration| duration.as_secs_f64()), expected, "{reason}");
        }
    }
}
