//! What Tavus asks of material, and what the facts say to it.
//!
//! | | phoenix-4.5 | phoenix-4 | phoenix-3 | if not |
//! |---|---|---|---|---|
//! | video: size | 750 MB at most | the same | the same | error |
//! | video: file | MP4 or WebM | MP4 | MP4 | error; `.mov`, and WebM for 4.5: advice |
//! | video: picture in MP4 | H.264 | the same | the same | error |
//! | video: sound in MP4 | AAC | the same | the same | advice |
//! | video: length of the take | 30 s + 30 s | 30 s + 30 s | 1 min + 1 min | error |
//! | video: a sound track | there must be speech | the same | the same | error |
//! | video: pixels | 1080p | the same | the same | advice |
//! | video: pictures a second | 25 or more | about 30 | about 30 | advice |
//! | photo: file | JPEG or PNG | the same | takes none | error |
//! | photo: pixels | 512 x 512 at least | the same | takes none | error |
//!
//! Source: the phoenix-4.5 media requirements page and its siblings for phoenix-4 and phoenix-3, docs.tavus.io, read August to
//! October 2026. What a file is not known to be is never held against it.
//!
//! # Where the pages leave it open
//!
//! - **WebM.** The phoenix-4.5 guide names it; the general page on failures calls anything but MP4 an error. For 4.5 the page
//!   about the model counts, so it is advice. The pages about 4 and 3 name MP4 alone, as the general page does: two
//!   against none, so it is an error, which one command of ffmpeg takes away.
//! - **`.mov`** is named nowhere, but holds the same inside, and is what cameras write: advice.
//! - **No sound.** No page says "a sound track". But half of the take is speech, and the consent is spoken: as with a
//!   take that is too short, what is asked for cannot be in the file. An error.
//! - **MB** may be 1,000,000 bytes or 1,048,576: an error above the larger reading, advice between the two.
//! - **H.265 in `.mov`**, as iPhones record by default: `video_codec` is a documented reason of failure, so an error as in MP4.

use std::time::Duration;

use crate::face::{Model, SourceKind};

use super::{AudioCodec, Certainty, Check, Container, Facts, Finding, Flaw, VideoCodec};

/// What one model asks of a video.
struct Wanted {
    /// Whether its page names WebM beside MP4.
    has_webm: bool,
    /// How long each half of the take is: speaking, then listening.
    half: Duration,
    /// From how many to how many pictures a second.
    frame_rate: (f64, f64),
    /// The rule about them in words.
    frame_rate_rule: &'static str,
}

/// "About 30", made a number by us: 29.97 and 30 are, 25 and 60 are not.
const ABOUT_30: (f64, f64) = (28.0, 32.0);
const ABOUT_30_RULE: &str = "about 30 pictures a second are recommended for this model";

/// Returns the column of the table above.
fn wanted(model: Model) -> Wanted {
    let (half, frame_rate, frame_rate_rule) = (Duration::from_secs(30), ABOUT_30, ABOUT_30_RULE);
    match model {
        Model::Phoenix45 => Wanted {
            has_webm: true,
            half,
            // 24.98 is 25, seen through a counter that drops a picture.
            frame_rate: (24.9, f64::INFINITY),
            frame_rate_rule: "25 pictures a second or more are recommended",
        },
        Model::Phoenix4 => Wanted { has_webm: false, half, frame_rate, frame_rate_rule },
        Model::Phoenix3 => Wanted { has_webm: false, half: Duration::from_secs(60), frame_rate, frame_rate_rule },
    }
}

/// The largest video, in MB; see above for what that may mean.
const LARGEST_VIDEO_MB: u64 = 750;
const SIZE_RULE: &str = "a video has at most 750 MB";
/// 1080p: the shorter side, so that upright videos count as well.
const SHORTER_SIDE: u32 = 1080;
/// The smallest side of a photo.
const PHOTO_SIDE: u32 = 512;
/// What a recorder and a rounded length may be off by.
const SLACK: Duration = Duration::from_secs(1);

/// Holds facts against the rules. Returns what is wrong or could be better, in the order of the checks; nothing where all is
/// well. Facts that are unknown never make an error.
pub fn judge(facts: &Facts, kind: SourceKind, model: Model) -> Vec<Finding> {
    if let Some(finding) = judge_page(facts, kind) {
        return vec![finding];
    }
    match kind {
        SourceKind::Video => judge_video(facts, &wanted(model)),
        SourceKind::Image => judge_photo(facts),
    }
}

fn judge_page(facts: &Facts, kind: SourceKind) -> Option<Finding> {
    let what = match facts.container {
        Container::Html => "a web page",
        Container::Xml => "a message in XML",
        Container::Json => "a message in JSON",
        _ => return None,
    };
    let name = facts.page.as_ref().map(|name| format!(" that calls itself \"{name}\"")).unwrap_or_default();
    let help = match facts.container {
        Container::Html => {
            "give the link of the file itself, not of the page that shows it, and one that needs no login"
        }
        _ => "open the link in a private window: what it says there is what Tavus would get; make a new link",
    };
    let rule = format!("the link brings the {} itself", noun(kind));
    Some(Finding::error(Check::Page, format!("it is {what}{name}"), rule, Certainty::Evident).help(help))
}

/// Returns what people call what is asked for.
fn noun(kind: SourceKind) -> &'static str {
    match kind {
        SourceKind::Video => "video",
        SourceKind::Image => "photo",
    }
}

fn judge_video(facts: &Facts, wanted: &Wanted) -> Vec<Finding> {
    let mut findings: Vec<Finding> = judge_size(facts).into_iter().chain(judge_flaw(facts)).collect();
    findings.extend(judge_video_type(facts, wanted));
    // Of what is no video, nothing else is worth saying.
    if facts.container.is_video() && facts.has_video != Some(false) {
        findings.extend(judge_video_codec(facts));
        findings.extend(judge_audio_codec(facts));
        findings.extend(judge_duration(facts, wanted));
        findings.extend(judge_pixels(facts));
        findings.extend(judge_frame_rate(facts, wanted));
        findings.extend(judge_sound(facts));
    }
    findings
}

fn judge_size(facts: &Facts) -> Option<Finding> {
    let length = facts.length?;
    let message = format!("it is {}", megabytes(length));
    let help = format!(
        "make it smaller: ffmpeg -i {} -c:v libx264 -crf 23 -pix_fmt yuv420p -c:a aac out.mp4",
        input(facts.container)
    );
    if length > LARGEST_VIDEO_MB * 1024 * 1024 {
        return Some(Finding::error(Check::Size, message, SIZE_RULE, Certainty::Documented).help(help));
    }
    let message = format!("{message}, which is too large if a MB has 1,000,000 bytes");
    (length > LARGEST_VIDEO_MB * 1_000_000)
        .then(|| Finding::advice(Check::Size, message, SIZE_RULE, Certainty::Documented).help(help))
}

/// What is wrong with the file itself, whatever it is to be.
fn judge_flaw(facts: &Facts) -> Option<Finding> {
    let whole = "a file is whole";
    let again = "copy or upload it again, and compare the sizes";
    let error =
        |message: String, help: &str| Some(Finding::error(Check::Type, message, whole, Certainty::Evident).help(help));
    let advice = |message: &str| {
        let rule = "what cannot be looked into is not checked";
        Some(Finding::advice(Check::Type, message, rule, Certainty::Evident))
    };
    match facts.flaw? {
        Flaw::Empty => error("it is empty".to_owned(), again),
        Flaw::CutShort { missing_bytes } => {
            error(format!("it is cut short: {} are missing at its end", megabytes(missing_bytes)), again)
        }
        Flaw::NoIndex => error(
            "what says what is in it is missing: it was cut short, or its recording was never finished".to_owned(),
            "record or export it again: without that part nobody can play it",
        ),
        Flaw::IndexTooLarge => advice("its index is too large to be looked into"),
        Flaw::Unreadable => advice("it says nothing of what is in it that is understood here"),
    }
}

fn judge_video_type(facts: &Facts, wanted: &Wanted) -> Option<Finding> {
    let rule = if wanted.has_webm { "a video is MP4 or WebM" } else { "a video for this model is MP4" };
    let error = |message: String| Some(Finding::error(Check::Type, message, rule, Certainty::Documented));
    match facts.container {
        // That it is empty was said.
        Container::Other if facts.flaw == Some(Flaw::Empty) => None,
        container if container.is_photo() => {
            let help = "give a video, or put the link under `train_image_url`";
            error(format!("it is a photo ({container})"))?.help(help).into()
        }
        Container::Mp4 | Container::WebM | Container::QuickTime if facts.has_video == Some(false) => {
            let help = "export it again with its picture";
            error("there is sound in it, but no picture".to_owned())?.help(help).into()
        }
        Container::Mp4 => facts.is_fragmented.filter(|is| *is).map(|_| {
            let message = "it is an MP4 in fragments, as streams are written: it does not say how long it is";
            let rule = "an ordinary MP4 is accepted everywhere";
            Finding::advice(Check::Type, message, rule, Certainty::Assumed).help(repack(facts))
        }),
        Container::QuickTime => {
            let message = "it is a QuickTime file (.mov)";
            Some(Finding::advice(Check::Type, message, rule, Certainty::Documented).help(repack(facts)))
        }
        Container::WebM if wanted.has_webm => {
            let message = "it is WebM, which another page of the documents calls an error";
            let rule = "MP4 with H.264 and AAC is accepted everywhere";
            Some(Finding::advice(Check::Type, message, rule, Certainty::Documented).help(convert(facts)))
        }
        container => error(format!("it is {container}"))?.help(convert(facts)).into(),
    }
}

fn judge_video_codec(facts: &Facts) -> Option<Finding> {
    let codec = facts.video_codec.as_ref()?;
    let message = format!("its picture is encoded in {codec}");
    match (facts.container, codec) {
        (Container::Mp4 | Container::QuickTime, VideoCodec::H264) => None,
        (Container::Mp4 | Container::QuickTime, _) => {
            let rule = "the picture of an MP4 is H.264";
            Some(Finding::error(Check::Codec, message, rule, Certainty::Documented).help(convert(facts)))
        }
        // No page says what may be in a WebM; these three are what its own specification allows.
        (_, VideoCodec::Vp8 | VideoCodec::Vp9 | VideoCodec::Av1) => None,
        (Container::WebM, _) => {
            let rule = "the picture of a WebM is VP8, VP9 or AV1";
            Some(Finding::advice(Check::Codec, message, rule, Certainty::Assumed).help(convert(facts)))
        }
        _ => None,
    }
}

fn judge_audio_codec(facts: &Facts) -> Option<Finding> {
    let codec = facts.audio_codec.as_ref()?;
    let (is_fine, rule, certainty) = match facts.container {
        Container::Mp4 | Container::QuickTime => {
            (*codec == AudioCodec::Aac, "the sound of an MP4 is AAC", Certainty::Documented)
        }
        Container::WebM => {
            let is_fine = matches!(codec, AudioCodec::Opus | AudioCodec::Vorbis);
            (is_fine, "the sound of a WebM is Opus or Vorbis", Certainty::Assumed)
        }
        _ => return None,
    };
    let message = format!("its sound is encoded in {codec}");
    let help = format!("ffmpeg -i {} -c:v copy -c:a aac out.mp4", input(facts.container));
    let help = if facts.container == Container::WebM { convert(facts) } else { help };
    (!is_fine).then(|| Finding::advice(Check::Codec, message, rule, certainty).help(help))
}

fn judge_duration(facts: &Facts, wanted: &Wanted) -> Option<Finding> {
    let half = wanted.half.as_secs();
    let rule = format!("one take holds {half} s of speaking, then {half} s of listening");
    let Some(duration) = facts.duration else {
        // That it is fragmented or broken was said, and explains it.
        let is_explained = facts.is_fragmented == Some(true) || facts.flaw.is_some();
        let message = "it does not say how long it is";
        return (!is_explained)
            .then(|| Finding::advice(Check::Duration, message, rule, Certainty::Documented).help(repack(facts)));
    };
    let help = "record both parts in one take, without a cut";
    (duration.saturating_add(SLACK) < 2 * wanted.half).then(|| {
        let message = format!("it is {} long", seconds(duration));
        Finding::error(Check::Duration, message, rule, Certainty::Documented).help(help)
    })
}

fn judge_pixels(facts: &Facts) -> Option<Finding> {
    let (width, height) = (facts.width?, facts.height?);
    let rule = "1080p is recommended: 1080 pixels or more on the shorter side";
    (width.min(height) < SHORTER_SIDE).then(|| {
        let message = format!("it has {width} x {height} pixels");
        Finding::advice(Check::Picture, message, rule, Certainty::Recommended)
            .help("record it again with more: making it larger brings nothing back")
    })
}

fn judge_frame_rate(facts: &Facts, wanted: &Wanted) -> Option<Finding> {
    let (rate, (least, most)) = (facts.frame_rate?, wanted.frame_rate);
    let message = format!("it has {} pictures a second", rounded(rate));
    let finding = Finding::advice(Check::Picture, message, wanted.frame_rate_rule, Certainty::Recommended);
    if rate < least {
        // Pictures that were never taken cannot be made up well.
        return Some(finding.help("set the camera to 30 pictures a second and record it again"));
    }
    (rate > most).then(|| finding.help(convert(facts)))
}

fn judge_sound(facts: &Facts) -> Option<Finding> {
    let rule = "the person speaks in the first half of the take, and says the consent";
    (facts.has_audio == Some(false)).then(|| {
        Finding::error(Check::Audio, "there is no sound in it", rule, Certainty::Documented)
            .help("export it again with its sound track, or record it again with a microphone")
    })
}

fn judge_photo(facts: &Facts) -> Vec<Finding> {
    let is_taken = matches!(facts.container, Container::Jpeg | Container::Png);
    let mut findings: Vec<Finding> = judge_flaw(facts).into_iter().collect();
    let rule = "a photo is JPEG or PNG";
    let error = |message: String| Finding::error(Check::Type, message, rule, Certainty::Documented);
    findings.extend(match facts.container {
        _ if is_taken || facts.flaw == Some(Flaw::Empty) => None,
        container if container.is_video() => Some(
            error(format!("it is a video ({container})")).help("give a photo, or put the link under `train_video_url`"),
        ),
        container => Some(error(format!("it is {container}")).help("ffmpeg -i in -frames:v 1 out.png")),
    });
    if let (true, Some(width), Some(height)) = (is_taken, facts.width, facts.height)
        && width.min(height) < PHOTO_SIDE
    {
        let message = format!("it has {width} x {height} pixels");
        let rule = "a photo has at least 512 x 512 pixels";
        let help = "give a larger photo: making this one larger brings nothing back";
        findings.push(Finding::error(Check::Picture, message, rule, Certainty::Documented).help(help));
    }
    findings
}

/// Returns the command that makes what is accepted everywhere, whatever is in it now.
fn convert(facts: &Facts) -> String {
    let input = input(facts.container);
    format!("ffmpeg -i {input} -c:v libx264 -pix_fmt yuv420p -c:a aac -r 30 out.mp4")
}

/// Returns the command that puts the same picture and sound into an ordinary MP4, where both may be in one.
fn repack(facts: &Facts) -> String {
    let is_fine = matches!(facts.video_codec, Some(VideoCodec::H264))
        && matches!(facts.audio_codec, Some(AudioCodec::Aac) | None);
    match (is_fine, facts.container) {
        (true, container) => format!("ffmpeg -i {} -c copy -movflags +faststart out.mp4", input(container)),
        (false, Container::WebM) => "ffmpeg -i in.webm -c copy out.webm".to_owned(),
        (false, _) => convert(facts),
    }
}

/// Returns what such a file may be called.
fn input(container: Container) -> &'static str {
    match container {
        Container::QuickTime => "in.mov",
        Container::WebM => "in.webm",
        Container::Matroska => "in.mkv",
        Container::Avi => "in.avi",
        _ => "in.mp4",
    }
}

/// Returns a number of bytes as people read it.
fn megabytes(bytes: u64) -> String {
    match bytes {
        1 => "1 byte".to_owned(),
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{} KB", rounded(bytes as f64 / 1e3)),
        _ => format!("{} MB", rounded(bytes as f64 / 1e6)),
    }
}

/// Returns a length of time as people read it.
fn seconds(duration: Duration) -> String {
    format!("{} s", rounded(duration.as_secs_f64()))
}

/// Returns a number with two digits behind the point, or fewer if they are zeros.
fn rounded(number: f64) -> String {
    let text = format!("{number:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests;
