//! What is seen in each committed clip. They are made by `clips/make.sh`.

use std::time::Duration;

use facectl::media::AudioCodec::{Aac, Mp3, Opus, Pcm, Vorbis};
use facectl::media::VideoCodec::{H264, H265, Other, Vp8, Vp9};
use facectl::media::{AudioCodec, Container, Facts, VideoCodec};

use crate::material::{CLIPS, Counted, clip, look};

/// Returns what is seen in a clip of 320 x 240 pixels, two seconds and 25 pictures a second.
fn video(container: Container, picture: VideoCodec, sound: Option<AudioCodec>) -> Facts {
    let is_mp4 = matches!(container, Container::Mp4 | Container::QuickTime);
    Facts {
        duration: Some(Duration::from_secs(2)),
        width: Some(320),
        height: Some(240),
        rotation_degrees: is_mp4.then_some(0),
        frame_rate: Some(25.0),
        video_codec: Some(picture),
        has_video: Some(true),
        has_audio: Some(sound.is_some()),
        audio_codec: sound,
        is_fragmented: is_mp4.then_some(false),
        has_index_first: is_mp4.then_some(false),
        ..Facts::only(container, None)
    }
}

fn photo(container: Container) -> Facts {
    Facts { width: Some(640), height: Some(512), ..Facts::only(container, None) }
}

/// Returns what is to be seen in each clip, less its length, and what it is there for.
fn expected(name: &str) -> (Facts, &'static str) {
    use Container::{Gif, Html, Jpeg, Json, Matroska, Mp4, Png, QuickTime, WebM, WebP, Xml};
    let h264 = || video(Mp4, H264, Some(Aac));
    let milliseconds = |milliseconds| Some(Duration::from_millis(milliseconds));
    match name {
        "moov-last.mp4" => (h264(), "as ffmpeg and cameras write it"),
        "moov-first.mp4" => (Facts { has_index_first: Some(true), ..h264() }, "as it is prepared for the web"),
        "fragmented.mp4" => (
            Facts {
                is_fragmented: Some(true),
                has_index_first: Some(true),
                duration: None,
                frame_rate: None,
                ..h264()
            },
            "its length is unknown, and not the 0 that stands in it",
        ),
        "rotated.mp4" => (
            Facts { rotation_degrees: Some(270), width: Some(240), height: Some(320), ..h264() },
            "encoded lying, shown upright",
        ),
        "silent.mp4" => (video(Mp4, H264, None), "no sound track"),
        "sound-only.mp4" => (
            Facts {
                duration: milliseconds(2000),
                audio_codec: Some(Aac),
                has_video: Some(false),
                has_audio: Some(true),
                is_fragmented: Some(false),
                has_index_first: Some(false),
                ..Facts::only(Mp4, None)
            },
            "no picture",
        ),
        "hevc.mp4" => (video(Mp4, H265, Some(Aac)), "what iPhones record by default"),
        "mp3.mp4" => (video(Mp4, H264, Some(Mp3)), "the same code as AAC, another member of its family"),
        "ntsc.mp4" => (
            Facts { duration: milliseconds(2002), frame_rate: Some(30_000.0 / 1001.0), ..video(Mp4, H264, None) },
            "29.97 pictures a second",
        ),
        "camera.mov" => (video(QuickTime, H264, Some(Aac)), "QuickTime, with the same inside"),
        "mpeg4-pcm.mov" => (
            Facts { duration: milliseconds(1000), ..video(QuickTime, Other("mp4v".to_owned()), Some(Pcm)) },
            "codecs from long ago",
        ),
        "vp9-opus.webm" => (Facts { duration: milliseconds(2008), ..video(WebM, Vp9, Some(Opus)) }, "the common WebM"),
        "vp8-vorbis.webm" => (Facts { duration: milliseconds(2016), ..video(WebM, Vp8, Some(Vorbis)) }, "the old WebM"),
        "vp8-silent.webm" => (video(WebM, Vp8, None), "no sound track"),
        "recorded.webm" => {
            (Facts { duration: None, ..video(WebM, Vp9, Some(Opus)) }, "sizes and length never filled in")
        }
        "h264-opus.mkv" => (Facts { duration: milliseconds(2008), ..video(Matroska, H264, Some(Opus)) }, "Matroska"),
        "still.png" => (photo(Png), "PNG"),
        "still.jpg" => (photo(Jpeg), "JPEG"),
        "large-profile.jpg" => (photo(Jpeg), "JPEG with 16 KB before its size"),
        "still.gif" => (photo(Gif), "GIF"),
        "still.webp" => (photo(WebP), "WebP"),
        "sign-in.html" => {
            let page = Some("Sign in &ndash; Example Drive".to_owned());
            (Facts { page, ..Facts::only(Html, None) }, "a login instead of the file")
        }
        "expired.xml" => {
            let page = Some("AccessDenied".to_owned());
            (Facts { page, ..Facts::only(Xml, None) }, "what S3 answers to a link that ran out")
        }
        "refused.json" => (Facts::only(Json, None), "what an API answers"),
        _ => panic!("{name} is in no row"),
    }
}

#[test]
fn each_clip_shows_what_it_was_made_with() {
    for name in CLIPS {
        let bytes = clip(name);
        let (expected, reason) = expected(name);
        let expected = Facts { length: Some(bytes.len() as u64), ..expected };
        assert_eq!(look(bytes.as_slice()), Ok(expected.clone()), "{name}: {reason}");
        // A server that keeps the length to itself changes nothing, as all of it comes with the first read.
        let silent = Counted::whole(bytes).without_length();
        assert_eq!(look(&silent), Ok(expected), "{name}, of unknown length: {reason}");
        assert_eq!(silent.cost().0, 1, "{name}");
    }
}

#[test]
fn every_clip_that_is_committed_is_looked_into() {
    let directory = format!("{}/tests/media/clips", env!("CARGO_MANIFEST_DIR"));
    let names = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name != "make.sh").collect();
    let mut listed = CLIPS.to_vec();
    names.sort();
    listed.sort_unstable();
    assert_eq!(names, listed);
}

/// nom-exif 3.8 is asked for the same numbers; it knows no rotation, refuses fragmented files, and has 0 for unknown.
#[test]
fn nom_exif_sees_the_same_sizes_and_durations() {
    use nom_exif::{MediaParser, MediaSource, TrackInfoTag};
    for name in CLIPS.iter().filter(|name| [".mp4", ".mov", ".webm", ".mkv"].iter().any(|end| name.ends_with(end))) {
        let source = MediaSource::from_memory(clip(name));
        let Ok(track) = source.and_then(|source| MediaParser::new().parse_track(source)) else {
            assert_eq!(*name, "fragmented.mp4", "the only one it refuses");
            continue;
        };
        let number = |tag| {
            let value = track.get(tag)?;
            value.as_u64().or(value.as_u32().map(u64::from)).filter(|number| *number > 0)
        };
        let facts = look(clip(name).as_slice()).unwrap();
        let duration = facts.duration.map(|duration| u64::try_from(duration.as_millis()).unwrap());
        // It counts in floating point and drops what is below a millisecond: 2.002 s are 2001 ms.
        let off = number(TrackInfoTag::DurationMs).zip(duration).map(|(other, ours)| other.abs_diff(ours));
        assert!(off.is_none_or(|off| off <= 1), "{name}: {duration:?}");
        assert_eq!(number(TrackInfoTag::DurationMs).is_some(), duration.is_some(), "{name}");
        let (mut width, mut height) = (facts.width.map(u64::from), facts.height.map(u64::from));
        if facts.rotation_degrees == Some(270) {
            (width, height) = (height, width);
        }
        assert_eq!((number(TrackInfoTag::Width), number(TrackInfoTag::Height)), (width, height), "{name}");
    }
}

/// mp4parse 0.17 is asked for the same codecs; it has `Unknown` for HEVC and PCM.
#[test]
fn mp4parse_sees_the_same_codecs() {
    use mp4parse::{CodecType, SampleEntry, TrackType};
    for name in CLIPS.iter().filter(|name| name.ends_with(".mp4") || name.ends_with(".mov")) {
        let facts = look(clip(name).as_slice()).unwrap();
        let context = mp4parse::read_mp4(&mut clip(name).as_slice()).unwrap();
        for track in &context.tracks {
            let entry = track.stsd.as_ref().and_then(|entries| entries.descriptions.first());
            let codec = match entry {
                Some(SampleEntry::Video(entry)) => entry.codec_type,
                Some(SampleEntry::Audio(entry)) => entry.codec_type,
                _ => CodecType::Unknown,
            };
            let is_same = match track.track_type {
                TrackType::Video => match facts.video_codec {
                    Some(H264) => codec == CodecType::H264,
                    Some(H265) => codec == CodecType::Unknown,
                    Some(Other(_)) => codec == CodecType::MP4V,
                    _ => false,
                },
                _ => match facts.audio_codec {
                    Some(Aac) => codec == CodecType::AAC,
                    Some(Mp3) => codec == CodecType::MP3,
                    Some(Pcm) => codec == CodecType::Unknown,
                    _ => false,
                },
            };
            assert!(is_same, "{name}: {codec:?} is not in {facts:?}");
        }
        assert_eq!(context.mvex.is_some(), facts.is_fragmented == Some(true), "{name}");
    }
}

#[test]
fn facts_are_written_with_units_in_their_names_and_codecs_as_words() {
    let facts = look(clip("rotated.mp4").as_slice()).unwrap();
    let json = serde_json::to_value(&facts).unwrap();
    assert_eq!(json["duration_seconds"], 2.0);
    assert_eq!(json["length_bytes"], clip("rotated.mp4").len());
    assert_eq!((&json["container"], &json["video_codec"]), (&"mp4".into(), &"H.264".into()));
    let schema = schemars::schema_for!(Facts);
    let validator = jsonschema::validator_for(schema.as_value()).unwrap();
    for name in CLIPS {
        let json = serde_json::to_value(look(clip(name).as_slice()).unwrap()).unwrap();
        assert!(validator.is_valid(&json), "{name}: {json}");
    }
}
