//! What was seen in material: plain values, which know no rule.

use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Serialize, Serializer};

/// What was seen in material. What could not be told is `None`, and never a zero.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Facts {
    /// What kind of file it is, by its first bytes: neither its name nor what its sender calls it is asked.
    pub container: Container,
    /// How many bytes it has.
    #[serde(rename = "length_bytes")]
    pub length: Option<u64>,
    /// How long it runs. Unknown for fragmented MP4 and for what a browser recorded, which do not say it.
    #[serde(rename = "duration_seconds", serialize_with = "as_seconds")]
    #[schemars(with = "Option<f64>")]
    pub duration: Option<Duration>,
    /// How wide a video is as it is shown, turned if it is to be turned; a photo as it is stored.
    pub width: Option<u32>,
    /// How high it is, likewise.
    pub height: Option<u32>,
    /// By how many degrees a player turns the picture clockwise: 0, 90, 180 or 270.
    pub rotation_degrees: Option<u16>,
    /// How many pictures a second it has, on average.
    pub frame_rate: Option<f64>,
    /// How the picture of a video is encoded.
    pub video_codec: Option<VideoCodec>,
    /// How its sound is encoded.
    pub audio_codec: Option<AudioCodec>,
    /// Whether there is a moving picture in it.
    pub has_video: Option<bool>,
    /// Whether there is sound in it.
    pub has_audio: Option<bool>,
    /// Whether it is an MP4 in fragments, as streams are written.
    pub is_fragmented: Option<bool>,
    /// Whether the index of an MP4 (`moov`) stands before what it is an index of.
    pub has_index_first: Option<bool>,
    /// What a page calls itself: the title of HTML, the code of an error in XML. One clean line of somebody else's text.
    pub page: Option<String>,
    /// What is wrong with the file itself.
    pub flaw: Option<Flaw>,
}

impl Facts {
    /// Returns facts of which nothing but the kind and the length is known.
    pub fn only(container: Container, length: Option<u64>) -> Self {
        Self {
            container,
            length,
            duration: None,
            width: None,
            height: None,
            rotation_degrees: None,
            frame_rate: None,
            video_codec: None,
            audio_codec: None,
            has_video: None,
            has_audio: None,
            is_fragmented: None,
            has_index_first: None,
            page: None,
            flaw: None,
        }
    }
}

/// Writes a length of time as seconds.
fn as_seconds<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    duration.map(|duration| duration.as_secs_f64()).serialize(serializer)
}

/// A kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Container {
    /// MP4 and its relatives (ISO base media).
    Mp4,
    /// QuickTime, `.mov`: MP4's older sibling.
    QuickTime,
    /// WebM.
    WebM,
    /// Matroska, `.mkv`, which WebM is a part of.
    Matroska,
    /// AVI.
    Avi,
    /// A JPEG photo.
    Jpeg,
    /// A PNG picture.
    Png,
    /// A GIF picture.
    Gif,
    /// A WebP picture.
    WebP,
    /// A photo as iPhones store it (HEIC), or AVIF.
    Heif,
    /// A web page.
    Html,
    /// XML: what object stores answer instead of an object, mostly.
    Xml,
    /// JSON: what APIs answer instead of a file, mostly.
    Json,
    /// None of these.
    Other,
}

impl Container {
    /// Returns whether it is something to read, and no material at all.
    pub fn is_page(self) -> bool {
        matches!(self, Self::Html | Self::Xml | Self::Json)
    }

    /// Returns whether it holds a still picture.
    pub fn is_photo(self) -> bool {
        matches!(self, Self::Jpeg | Self::Png | Self::Gif | Self::WebP | Self::Heif)
    }

    /// Returns whether it is made for moving pictures.
    pub fn is_video(self) -> bool {
        matches!(self, Self::Mp4 | Self::QuickTime | Self::WebM | Self::Matroska | Self::Avi)
    }
}

impl fmt::Display for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Mp4 => "MP4",
            Self::QuickTime => "QuickTime (.mov)",
            Self::WebM => "WebM",
            Self::Matroska => "Matroska (.mkv)",
            Self::Avi => "AVI",
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::Gif => "GIF",
            Self::WebP => "WebP",
            Self::Heif => "HEIC or AVIF",
            Self::Html => "a web page",
            Self::Xml => "XML",
            Self::Json => "JSON",
            Self::Other => "no kind of file known here",
        })
    }
}

/// How a moving picture is encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VideoCodec {
    /// H.264, also called AVC.
    H264,
    /// H.265, also called HEVC.
    H265,
    /// VP8.
    Vp8,
    /// VP9.
    Vp9,
    /// AV1.
    Av1,
    /// Another one: the code that stands in the file, in visible ASCII.
    Other(String),
}

impl fmt::Display for VideoCodec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::H264 => "H.264",
            Self::H265 => "H.265 (HEVC)",
            Self::Vp8 => "VP8",
            Self::Vp9 => "VP9",
            Self::Av1 => "AV1",
            Self::Other(code) => code,
        })
    }
}

/// How sound is encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AudioCodec {
    /// AAC.
    Aac,
    /// Opus.
    Opus,
    /// Vorbis.
    Vorbis,
    /// MP3.
    Mp3,
    /// Samples as they are.
    Pcm,
    /// Another one: the code that stands in the file, in visible ASCII.
    Other(String),
}

impl fmt::Display for AudioCodec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Aac => "AAC",
            Self::Opus => "Opus",
            Self::Vorbis => "Vorbis",
            Self::Mp3 => "MP3",
            Self::Pcm => "PCM",
            Self::Other(code) => code,
        })
    }
}

/// Writes a codec as the word it is shown by, and says in a schema that it is a word.
macro_rules! is_a_word {
    ($codec:ty, $name:literal) => {
        impl Serialize for $codec {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl JsonSchema for $codec {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                String::json_schema(generator)
            }
        }
    };
}

is_a_word!(VideoCodec, "VideoCodec");
is_a_word!(AudioCodec, "AudioCodec");

/// What is wrong with a file itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Flaw {
    /// There is not one byte in it.
    Empty,
    /// It ends before its end: so many bytes are not there.
    CutShort {
        /// At least so many are missing.
        missing_bytes: u64,
    },
    /// What says what is in it is missing: the `moov` of an MP4, the tracks of a WebM.
    NoIndex,
    /// Its index is too large to be looked into: nothing is known, nothing is wrong.
    IndexTooLarge,
    /// What says what is in it makes no sense here.
    Unreadable,
}
