//! What kind of file it is, by its first bytes.

use crate::media::Container;

use super::boxes::four;

/// What boxes a QuickTime file from before `ftyp` may begin with ("QuickTime File Format", Apple, read in October 2026).
const OLD_QUICKTIME: [&[u8; 4]; 6] = [b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"];
/// What brands photos have in the box that MP4 also begins with (mp4ra.org, read in October 2026).
const PHOTO_BRANDS: [&[u8; 4]; 10] =
    [b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis"];

/// Tells what kind of file begins like this.
pub(super) fn recognise(head: &[u8]) -> Container {
    let letters = |at| four(head, at).unwrap_or_default();
    match (letters(0), letters(4), letters(8)) {
        (_, name, brand) if name == *b"ftyp" => of_brand(brand),
        // A short word in a text may stand there too; a size that begins with a letter would be above 1 GB.
        ([0, ..], name, _) if OLD_QUICKTIME.contains(&&name) => Container::QuickTime,
        // Told apart from Matroska where its heading is read.
        ([0x1A, 0x45, 0xDF, 0xA3], ..) => Container::WebM,
        ([0xFF, 0xD8, 0xFF, _], ..) => Container::Jpeg,
        ([0x89, b'P', b'N', b'G'], [0x0D, 0x0A, 0x1A, 0x0A], _) => Container::Png,
        (magic, ..) if magic == *b"GIF8" => Container::Gif,
        (magic, _, form) if magic == *b"RIFF" && form == *b"WEBP" => Container::WebP,
        (magic, _, form) if magic == *b"RIFF" && form == *b"AVI " => Container::Avi,
        _ => of_text(head).unwrap_or(Container::Other),
    }
}

fn of_brand(brand: [u8; 4]) -> Container {
    match &brand {
        b"qt  " => Container::QuickTime,
        brand if PHOTO_BRANDS.contains(&brand) => Container::Heif,
        _ => Container::Mp4,
    }
}

/// Tells what kind of text begins like this, behind a byte order mark and spaces.
fn of_text(head: &[u8]) -> Option<Container> {
    let head = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head).trim_ascii_start();
    let front = head.get(..head.len().min(1024)).unwrap_or_default().to_ascii_lowercase();
    let begins_with = |words: &[&str]| words.iter().any(|word| front.starts_with(word.as_bytes()));
    let holds = |word: &str| front.windows(word.len()).any(|bytes| bytes == word.as_bytes());
    if begins_with(&["<!doctype html", "<html", "<head", "<body", "<script", "<title", "<meta"]) {
        return Some(Container::Html);
    }
    // XHTML begins as XML does; a page may begin with a comment.
    if begins_with(&["<?xml", "<!--", "<!doctype"]) {
        return Some(if holds("<html") { Container::Html } else { Container::Xml });
    }
    if begins_with(&["<error", "<svg", "<listbucketresult"]) {
        return Some(Container::Xml);
    }
    let is_text = !front.iter().any(|byte| byte.is_ascii_control() && !byte.is_ascii_whitespace());
    (is_text && begins_with(&["{", "["])).then_some(Container::Json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_told_by_the_first_bytes() {
        for (head, expected, reason) in [
            (&b"\0\0\0\x20ftypisom\0\0\x02\0"[..], Container::Mp4, "the common brand"),
            (b"\0\0\0\x20ftypM4A ", Container::Mp4, "sound only: told by its tracks"),
            (b"\0\0\0\x14ftypqt  ", Container::QuickTime, "QuickTime's brand"),
            (b"\0\0\0\x08wide\0\0\0\0", Container::QuickTime, "QuickTime from before brands"),
            (b"this moov", Container::Other, "a text with that word"),
            (b"\0\0\0\x18ftypheic", Container::Heif, "an iPhone's photo"),
            (b"\0\0\0\x1cftypavif", Container::Heif, "AVIF"),
            (b"\x1A\x45\xDF\xA3\x9F", Container::WebM, "EBML"),
            (b"\xFF\xD8\xFF\xE1", Container::Jpeg, "JPEG"),
            (b"\x89PNG\r\n\x1a\n", Container::Png, "PNG"),
            (b"\x89PNG\n\x1a\n....", Container::Other, "a PNG that was sent as a text"),
            (b"GIF89a", Container::Gif, "GIF"),
            (b"RIFF\x10\0\0\0WEBPVP8 ", Container::WebP, "WebP"),
            (b"RIFF\x10\0\0\0AVI LIST", Container::Avi, "AVI"),
            (b"RIFF\x10\0\0\0WAVEfmt ", Container::Other, "sound"),
            (b"\xEF\xBB\xBF \r\n<!DOCTYPE HTML>", Container::Html, "a mark, spaces, capitals"),
            (b"<html lang=en>", Container::Html, "no doctype"),
            (b"<!-- a note --><html>", Container::Html, "a comment first"),
            (b"<?xml version='1.0'?><!DOCTYPE html><html>", Container::Html, "XHTML"),
            (b"<?xml version='1.0'?>\n<Error><Code>", Container::Xml, "what S3 answers"),
            (b"<Error><Code>NoSuchKey", Container::Xml, "the same, bare"),
            (b"<svg xmlns=", Container::Xml, "a drawing"),
            (b"{\"error\": 1}", Container::Json, "what APIs answer"),
            (b"{\0\x01\x02", Container::Other, "a brace in something else"),
            (b"%PDF-1.7", Container::Other, "a document"),
            (b"", Container::Other, "nothing"),
        ] {
            assert_eq!(recognise(head), expected, "{reason}");
        }
    }
}
