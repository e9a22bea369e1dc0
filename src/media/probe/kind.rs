//! What kind of file it is by its first bytes, against what its sender calls it.

use super::answer::Got;
use crate::media::{Certainty, Check, Finding};

/// A kind of file, as far as its first bytes tell; whether it is taken is not judged here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Mp4,
    QuickTime,
    Heif,
    Matroska,
    Avi,
    Wave,
    Ogg,
    Mp3,
    Jpeg,
    Png,
    Gif,
    Webp,
    Gzip,
    Zip,
    Pdf,
}

impl Kind {
    /// Reads it from the first bytes (WHATWG MIME Sniffing, section 6; ISO/IEC 14496-12, section 4.3, for `ftyp`).
    pub(super) fn of(body: &[u8]) -> Option<Self> {
        let four = |at: usize| body.get(at..at + 4);
        if four(4) == Some(b"ftyp") {
            return Some(match four(8) {
                Some(b"qt  ") => Self::QuickTime,
                Some(b"heic" | b"heix" | b"mif1" | b"avif" | b"avis") => Self::Heif,
                _ => Self::Mp4,
            });
        }
        // QuickTime before there was `ftyp` (QuickTime File Format, "Movie Atoms").
        if matches!(four(4), Some(b"moov" | b"mdat" | b"wide" | b"free" | b"skip" | b"pnot")) {
            return Some(Self::QuickTime);
        }
        if four(0) == Some(b"RIFF") {
            return match four(8) {
                Some(b"AVI ") => Some(Self::Avi),
                Some(b"WAVE") => Some(Self::Wave),
                Some(b"WEBP") => Some(Self::Webp),
                _ => None,
            };
        }
        let begins: [(&[u8], Self); 10] = [
            (b"\x1A\x45\xDF\xA3", Self::Matroska),
            (b"OggS", Self::Ogg),
            (b"ID3", Self::Mp3),
            (b"\xFF\xD8\xFF", Self::Jpeg),
            (b"\x89PNG\r\n\x1A\n", Self::Png),
            (b"GIF8", Self::Gif),
            (b"\x1F\x8B\x08", Self::Gzip),
            (b"PK\x03\x04", Self::Zip),
            (b"PK\x05\x06", Self::Zip),
            (b"%PDF-", Self::Pdf),
        ];
        begins.into_iter().find(|(magic, _)| body.starts_with(magic)).map(|(_, kind)| kind)
    }

    fn words(self) -> &'static str {
        match self {
            Self::Mp4 => "MP4",
            Self::QuickTime => "QuickTime",
            Self::Heif => "HEIF",
            Self::Matroska => "WebM or Matroska",
            Self::Avi => "AVI",
            Self::Wave => "WAVE",
            Self::Ogg => "Ogg",
            Self::Mp3 => "MP3",
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::Gif => "GIF",
            Self::Webp => "WebP",
            Self::Gzip => "gzip",
            Self::Zip => "ZIP",
            Self::Pdf => "PDF",
        }
    }

    /// Returns what a sender may call it; the first is the one to recommend (IANA Media Types, and the `x-` words
    /// that were in use before).
    fn types(self) -> &'static [&'static str] {
        match self {
            Self::Mp4 => {
                &["video/mp4", "audio/mp4", "video/x-m4v", "audio/x-m4a", "application/mp4", "video/iso.segment"]
            }
            // What calls MOV an MP4 is told so by who looks inside.
            Self::QuickTime => &["video/quicktime", "video/mp4"],
            Self::Heif => &["image/heic", "image/heif", "image/avif"],
            Self::Matroska => {
                &["video/webm", "audio/webm", "video/x-matroska", "video/matroska", "application/x-matroska"]
            }
            Self::Avi => &["video/x-msvideo", "video/avi", "video/msvideo"],
            Self::Wave => &["audio/wav", "audio/x-wav", "audio/wave", "audio/vnd.wave"],
            Self::Ogg => &["audio/ogg", "video/ogg", "application/ogg"],
            Self::Mp3 => &["audio/mpeg", "audio/mp3"],
            Self::Jpeg => &["image/jpeg", "image/jpg", "image/pjpeg"],
            Self::Png => &["image/png", "image/x-png"],
            Self::Gif => &["image/gif"],
            Self::Webp => &["image/webp"],
            Self::Gzip => &["application/gzip", "application/x-gzip"],
            Self::Zip => &["application/zip", "application/x-zip-compressed"],
            Self::Pdf => &["application/pdf"],
        }
    }
}

/// What says nothing about the kind: storage services send it for what was uploaded without a type.
const NEUTRAL: [&str; 4] =
    ["application/octet-stream", "binary/octet-stream", "application/x-download", "application/force-download"];

/// Judges what the sender calls the file. Nothing is said where its bytes tell no kind.
pub(super) fn finding(got: &Got) -> Option<Finding> {
    const RULE: &str = "the Content-Type names the kind of file";
    let kind = Kind::of(&got.body)?;
    let words = kind.words();
    let [good, ..] = kind.types() else { return None };
    let help = format!("upload it with `Content-Type: {good}`");
    let found = match got.media_type() {
        None => return None,
        Some(called) if NEUTRAL.contains(&called.as_str()) || kind.types().contains(&called.as_str()) => return None,
        // A downloader that goes by it sees a page, and pages are what they refuse.
        Some(called) if matches!(called.as_str(), "text/html" | "application/xhtml+xml") => {
            Finding::error(Check::Type, format!("it is {words} and called an HTML page"), RULE, Certainty::Assumed)
        }
        Some(called) => {
            Finding::advice(Check::Type, format!("it is {words} and called {called}"), RULE, Certainty::Assumed)
        }
    };
    Some(found.help(help))
}

/// Judges whether the bytes came as they lie there: they were asked for as such.
pub(super) fn encoding_finding(got: &Got) -> Option<Finding> {
    const RULE: &str = "the file comes as it is, as was asked for (Accept-Encoding: identity)";
    let encoding = got.encoding.as_deref()?;
    let finding = Finding::error(Check::Type, format!("it comes packed with {encoding}"), RULE, Certainty::Assumed);
    Some(
        finding
            .help("upload it without a Content-Encoding: what is unpacked by a browser may not be unpacked by Tavus"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_known_by_its_first_bytes() {
        for (body, kind) in [
            (&b"\0\0\0\x18ftypmp42\0\0\0\0"[..], Some(Kind::Mp4)),
            (b"\0\0\0\x14ftypqt  ", Some(Kind::QuickTime)),
            (b"\0\0\0\x08wide\0\0", Some(Kind::QuickTime)),
            (b"\0\0\0\x18ftypheic", Some(Kind::Heif)),
            (b"\0\0\0\x18ftyp", Some(Kind::Mp4)),
            (b"\x1A\x45\xDF\xA3\x01", Some(Kind::Matroska)),
            (b"RIFF\0\0\0\0AVI LIST", Some(Kind::Avi)),
            (b"RIFF\0\0\0\0WEBPVP8 ", Some(Kind::Webp)),
            (b"RIFF", None),
            (b"\xFF\xD8\xFF\xE0", Some(Kind::Jpeg)),
            (b"\x89PNG\r\n\x1A\n", Some(Kind::Png)),
            (b"hello", None),
            (b"", None),
        ] {
            assert_eq!(Kind::of(body), kind, "{body:?}");
        }
    }
}
