//! Looking inside material without reading the whole of it.
//!
//! # Flow
//!
//! The first 64 KiB say what kind of file it is. The tracks of a video stand in one place, its index, which is looked for
//! by jumping from heading to heading; a photo has its size in front.
//!
//! # Guarantees
//!
//! At most [`MOST_READS`] reads of [`MOST_BYTES`] in all, whatever the file says of itself. Everything that is kept is a
//! part that was read: no size that a file claims is ever set aside for it. Time grows with the bytes read, not
//! with numbers written in them.
//!
//! # Caveats
//!
//! How long a read may take is its reader's business. A file that is broken behind its index looks well.
//!
//! | file | does |
//! |---|---|
//! | `parts.rs` | reads within bounds |
//! | `kind.rs` | what kind of file it is, by its first bytes |
//! | `mp4.rs`, `moov.rs`, `boxes.rs` | MP4 and QuickTime: finding the index, reading it, the boxes it is made of |
//! | `webm.rs`, `tracks.rs`, `ebml.rs` | WebM and Matroska: the same three |
//! | `photo.rs` | the size of a photo |
//! | `page.rs` | what a web page or an error message calls itself |
//!
//! MP4 and WebM are read by hand: of each, a dozen numbers at known places. nom-exif 3.8 refuses fragmented MP4 and tells
//! an unknown duration as 0; mp4parse 0.17 knows neither HEVC nor PCM, and sets aside whatever a count claims. Both are
//! asked as witnesses in the tests.

mod boxes;
mod ebml;
mod kind;
mod moov;
mod mp4;
mod page;
mod parts;
mod photo;
mod tracks;
mod webm;

use super::{Container, Facts, Flaw, RangedRead, ReadError};
use parts::Parts;

pub use parts::{MOST_BYTES, MOST_READS};

/// Why material could not be looked into.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InspectError {
    /// A part of it could not be read. Whether to try again is the reader's to say.
    #[error("failed to read a part of it")]
    Read(#[from] ReadError),
    /// It is made so that looking into it would take more than it is worth: nothing is known of it.
    #[error("it is laid out so that more than {MOST_READS} reads or {MOST_BYTES} bytes would be needed")]
    TooScattered,
}

/// Looks into material and returns what was seen.
///
/// # Errors
///
/// Where a read failed, or where it would take too many. A file that is broken, or is no material at all, is no
/// error: that is what was seen.
pub async fn inspect<R: RangedRead + ?Sized>(reader: &R) -> Result<Facts, InspectError> {
    let mut parts = Parts::open(reader).await?;
    let container = kind::recognise(parts.head());
    let mut facts = Facts::only(container, parts.length());
    match container {
        Container::Mp4 | Container::QuickTime => mp4::look(&mut parts, &mut facts).await?,
        Container::WebM | Container::Matroska => webm::look(&mut parts, &mut facts).await?,
        Container::Jpeg | Container::Png | Container::Gif | Container::WebP => {
            photo::look(&mut parts, &mut facts).await?;
        }
        Container::Html | Container::Xml => facts.page = page::name(parts.head()),
        Container::Other if parts.head().is_empty() => facts.flaw = Some(Flaw::Empty),
        Container::Avi | Container::Heif | Container::Json | Container::Other => {}
    }
    // A read that came back short may have shown the end.
    facts.length = parts.length();
    Ok(facts)
}
