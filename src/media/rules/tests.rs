//! One test for each row of the table: it starts from material that is well, and changes one thing.

use crate::media::Severity;

use super::*;

/// A video that every model takes without a word.
fn video() -> Facts {
    Facts {
        duration: Some(Duration::from_secs(125)),
        width: Some(1920),
        height: Some(1080),
        rotation_degrees: Some(0),
        frame_rate: Some(30.0),
        video_codec: Some(VideoCodec::H264),
        audio_codec: Some(AudioCodec::Aac),
        has_video: Some(true),
        has_audio: Some(true),
        is_fragmented: Some(false),
        has_index_first: Some(false),
        ..Facts::only(Container::Mp4, Some(100_000_000))
    }
}

/// A photo that is taken without a word.
fn photo() -> Facts {
    Facts { width: Some(512), height: Some(700), ..Facts::only(Container::Jpeg, Some(200_000)) }
}

/// Returns each finding as `error codec: message`.
fn told(facts: &Facts, kind: SourceKind, model: Model) -> Vec<String> {
    let severity = |finding: &Finding| if finding.is_error() { "error" } else { "advice" };
    let findings = judge(facts, kind, model);
    findings.iter().map(|finding| format!("{} {}: {}", severity(finding), finding.check, finding.message)).collect()
}

/// Asserts what each model, newest first, has to say to a video.
#[track_caller]
fn assert_video(facts: &Facts, expected: [&[&str]; 3], reason: &str) {
    for (model, expected) in [Model::Phoenix45, Model::Phoenix4, Model::Phoenix3].into_iter().zip(expected) {
        assert_eq!(told(facts, SourceKind::Video, model), expected, "{model}: {reason}");
    }
}

#[test]
fn material_that_is_well_has_no_findings_and_neither_has_material_of_which_nothing_is_known() {
    assert_video(&video(), [&[], &[], &[]], "well");
    assert_eq!(told(&photo(), SourceKind::Image, Model::Phoenix45), [""; 0]);
    let unknown = Facts::only(Container::Mp4, None);
    for finding in judge(&unknown, SourceKind::Video, Model::Phoenix3) {
        assert_eq!(finding.severity, Severity::Advice, "{}", finding.message);
    }
    assert_eq!(told(&Facts::only(Container::Png, None), SourceKind::Image, Model::Phoenix4), [""; 0]);
}

#[test]
fn what_a_video_is_asked_for_is_an_error_or_advice_as_in_the_table() {
    let same = |finding: &'static str| -> [Vec<&'static str>; 3] { [vec![finding], vec![finding], vec![finding]] };
    let cases: Vec<(Facts, [Vec<&str>; 3], &str)> = vec![
        (
            Facts { length: Some(812_000_000), ..video() },
            same("error size: it is 812 MB"),
            "above either reading of MB",
        ),
        (
            Facts { length: Some(760_000_000), ..video() },
            same("advice size: it is 760 MB, which is too large if a MB has 1,000,000 bytes"),
            "above one reading only",
        ),
        (Facts { length: Some(750_000_000), ..video() }, [vec![], vec![], vec![]], "exactly as large as is allowed"),
        (
            Facts {
                container: Container::WebM,
                video_codec: Some(VideoCodec::Vp9),
                audio_codec: Some(AudioCodec::Opus),
                ..video()
            },
            [
                vec!["advice type: it is WebM, which another page of the documents calls an error"],
                vec!["error type: it is WebM"],
                vec!["error type: it is WebM"],
            ],
            "only the page about 4.5 names it",
        ),
        (
            Facts { container: Container::QuickTime, ..video() },
            same("advice type: it is a QuickTime file (.mov)"),
            "the same inside",
        ),
        (
            Facts { container: Container::Matroska, ..video() },
            same("error type: it is Matroska (.mkv)"),
            "named nowhere",
        ),
        (
            Facts::only(Container::Other, Some(9)),
            same("error type: it is no kind of file known here"),
            "none of the two",
        ),
        (Facts::only(Container::Png, Some(9)), same("error type: it is a photo (PNG)"), "a photo for a video"),
        (
            Facts { has_video: Some(false), video_codec: None, ..video() },
            same("error type: there is sound in it, but no picture"),
            "a recording of sound",
        ),
        (
            Facts { video_codec: Some(VideoCodec::H265), ..video() },
            same("error codec: its picture is encoded in H.265 (HEVC)"),
            "what iPhones record by default",
        ),
        (
            Facts { audio_codec: Some(AudioCodec::Mp3), ..video() },
            same("advice codec: its sound is encoded in MP3"),
            "AAC is named, another sound is no documented failure",
        ),
        (
            Facts { has_audio: Some(false), audio_codec: None, ..video() },
            same("error audio: there is no sound in it"),
            "nobody can speak",
        ),
        (
            Facts { duration: Some(Duration::from_millis(61_500)), ..video() },
            [vec![], vec![], vec!["error duration: it is 61.5 s long"]],
            "a take of half a minute each, not of a minute",
        ),
        (
            Facts { duration: Some(Duration::from_millis(12_040)), ..video() },
            same("error duration: it is 12.04 s long"),
            "no take fits",
        ),
        (
            Facts { duration: Some(Duration::from_millis(59_300)), ..video() },
            [vec![], vec![], vec!["error duration: it is 59.3 s long"]],
            "a minute, as recorders count",
        ),
        (
            Facts { duration: None, ..video() },
            same("advice duration: it does not say how long it is"),
            "unknown is no error",
        ),
        (
            Facts { duration: None, is_fragmented: Some(true), ..video() },
            same("advice type: it is an MP4 in fragments, as streams are written: it does not say how long it is"),
            "said once",
        ),
        (
            Facts { width: Some(720), height: Some(1280), ..video() },
            same("advice picture: it has 720 x 1280 pixels"),
            "720p, upright",
        ),
        (
            Facts { frame_rate: Some(24.0), ..video() },
            same("advice picture: it has 24 pictures a second"),
            "as films have",
        ),
        (
            Facts { frame_rate: Some(25.0), ..video() },
            [
                vec![],
                vec!["advice picture: it has 25 pictures a second"],
                vec!["advice picture: it has 25 pictures a second"],
            ],
            "25 or more is not about 30",
        ),
        (Facts { frame_rate: Some(30_000.0 / 1001.0), ..video() }, [vec![], vec![], vec![]], "29.97 is about 30"),
        (
            Facts { flaw: Some(Flaw::CutShort { missing_bytes: 1_500_000 }), ..video() },
            same("error type: it is cut short: 1.5 MB are missing at its end"),
            "half a file",
        ),
        (
            Facts { has_index_first: Some(true), rotation_degrees: Some(90), ..video() },
            [vec![], vec![], vec![]],
            "of no account",
        ),
    ];
    for (facts, expected, reason) in cases {
        assert_video(&facts, [&expected[0], &expected[1], &expected[2]], reason);
    }
}

#[test]
fn a_photo_is_jpeg_or_png_and_large_enough() {
    for (facts, expected, reason) in [
        (Facts { width: Some(511), ..photo() }, "error picture: it has 511 x 700 pixels", "one pixel too few"),
        (Facts { container: Container::WebP, ..photo() }, "error type: it is WebP", "named nowhere"),
        (Facts { container: Container::Heif, ..photo() }, "error type: it is HEIC or AVIF", "what iPhones store"),
        (video(), "error type: it is a video (MP4)", "a video for a photo"),
        (
            Facts { flaw: Some(Flaw::Empty), ..Facts::only(Container::Other, Some(0)) },
            "error type: it is empty",
            "said once",
        ),
        (
            Facts { flaw: Some(Flaw::Unreadable), ..Facts::only(Container::Jpeg, Some(5)) },
            "advice type: it says nothing of what is in it that is understood here",
            "what is not understood is no error",
        ),
    ] {
        assert_eq!(told(&facts, SourceKind::Image, Model::Phoenix45), [expected], "{reason}");
    }
}

#[test]
fn a_page_is_told_as_what_it_is_and_nothing_else_is_said_of_it() {
    let page = |container, name: Option<&str>| Facts {
        page: name.map(str::to_owned),
        ..Facts::only(container, Some(2_000_000_000))
    };
    for (facts, expected) in [
        (page(Container::Html, Some("Sign in")), "error page: it is a web page that calls itself \"Sign in\""),
        (
            page(Container::Xml, Some("AccessDenied")),
            "error page: it is a message in XML that calls itself \"AccessDenied\"",
        ),
        (page(Container::Json, None), "error page: it is a message in JSON"),
    ] {
        for kind in [SourceKind::Video, SourceKind::Image] {
            assert_eq!(told(&facts, kind, Model::Phoenix4), [expected]);
        }
    }
}

#[test]
fn each_error_says_what_to_do() {
    for facts in [
        Facts { length: Some(812_000_000), ..video() },
        Facts { video_codec: Some(VideoCodec::H265), container: Container::QuickTime, ..video() },
        Facts { has_audio: Some(false), ..video() },
        Facts { duration: Some(Duration::from_secs(5)), ..video() },
        Facts { container: Container::Avi, ..video() },
        Facts { has_video: Some(false), ..video() },
        Facts { flaw: Some(Flaw::NoIndex), ..video() },
        photo(),
    ] {
        for finding in judge(&facts, SourceKind::Video, Model::Phoenix4).iter().filter(|finding| finding.is_error()) {
            assert!(finding.help.is_some(), "{}", finding.message);
        }
    }
}

#[test]
fn a_command_names_the_file_it_is_for_and_encodes_anew_only_where_it_must() {
    let help = |facts: &Facts| judge(facts, SourceKind::Video, Model::Phoenix45)[0].help.clone().unwrap();
    let mov = Facts { container: Container::QuickTime, ..video() };
    assert_eq!(help(&mov), "ffmpeg -i in.mov -c copy -movflags +faststart out.mp4");
    let hevc = Facts { video_codec: Some(VideoCodec::H265), ..video() };
    assert_eq!(help(&hevc), "ffmpeg -i in.mp4 -c:v libx264 -pix_fmt yuv420p -c:a aac -r 30 out.mp4");
}
