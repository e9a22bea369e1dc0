//! Finding the index of an MP4 or QuickTime file: jumping from box to box, whatever lies in them.

use crate::media::{Facts, Flaw, RangedRead};

use super::boxes::Heading;
use super::moov;
use super::{InspectError, Parts};

/// How many boxes are looked at. A file has five or so, a fragmented one its index among the first.
const MOST_BOXES: u32 = 150;
/// The largest index that is read. One of two hours has some 5 MB.
const LARGEST_INDEX: u64 = 16 * 1024 * 1024;
/// How much is read at the first jumps: an index of a minute or two is in it.
const AHEAD: usize = 64 * 1024;
/// How many jumps read so much. Later ones take little: the bytes are needed for the index.
const FIRST_JUMPS: u32 = 8;

/// What the boxes of a file are, as far as they were looked at.
#[derive(Debug, Default, PartialEq, Eq)]
struct Layout {
    /// From where to where the body of the index is; to the end of all where `None`.
    index: Option<(u64, Option<u64>)>,
    has_index_first: Option<bool>,
    has_media: bool,
    is_fragmented: bool,
    missing_bytes: Option<u64>,
}

/// Looks for the index and reads it.
pub(super) async fn look<R: RangedRead + ?Sized>(
    parts: &mut Parts<'_, R>,
    facts: &mut Facts,
) -> Result<(), InspectError> {
    let mut layout = walk(parts).await?;
    facts.has_index_first = layout.has_index_first;
    match layout.index {
        None => facts.flaw = Some(Flaw::NoIndex),
        Some((start, end)) => {
            let end = end.or(parts.length());
            let length = end.map_or(LARGEST_INDEX, |end| end.saturating_sub(start));
            if length > LARGEST_INDEX {
                facts.flaw = Some(Flaw::IndexTooLarge);
            } else {
                // It fits into memory and into the number, as it is below the limit.
                let body = parts.take(start, usize::try_from(length).unwrap_or(0)).await?;
                let missing = length - body.len() as u64;
                if end.is_some() && missing > 0 {
                    layout.missing_bytes = layout.missing_bytes.or(Some(missing));
                }
                moov::read(&body, layout.is_fragmented, facts);
            }
        }
    }
    // That it ends too early explains everything else that is missing.
    if let Some(missing_bytes) = layout.missing_bytes {
        facts.flaw = Some(Flaw::CutShort { missing_bytes });
    }
    Ok(())
}

/// Goes from box to box until it knows where the index is and whether the rest is there.
async fn walk<R: RangedRead + ?Sized>(parts: &mut Parts<'_, R>) -> Result<Layout, InspectError> {
    let mut layout = Layout::default();
    let mut at = 0;
    for step in 0..MOST_BOXES {
        // Behind the index only headings are of interest.
        let ahead = if step < FIRST_JUMPS && layout.index.is_none() { AHEAD } else { Heading::LONGEST };
        let Some(heading) = Heading::read(parts.get(at, Heading::LONGEST, ahead).await?) else { break };
        // A size near the largest number is no size.
        let end = match heading.whole.map(|whole| at.checked_add(whole)) {
            Some(None) => break,
            Some(end) => end,
            None => None,
        };
        match &heading.name {
            b"moov" if layout.index.is_none() => {
                layout.index = Some((at + heading.length, end));
                layout.has_index_first = Some(!layout.has_media);
            }
            b"mdat" => layout.has_media = true,
            b"moof" => layout.is_fragmented = true,
            _ => {}
        }
        layout.missing_bytes = end.zip(parts.length()).and_then(|(end, length)| end.checked_sub(length));
        layout.missing_bytes = layout.missing_bytes.filter(|missing| *missing > 0);
        let is_done = layout.index.is_some() && (layout.has_media || layout.is_fragmented);
        match end {
            Some(end) if layout.missing_bytes.is_none() && !is_done => at = end,
            _ => break,
        }
    }
    Ok(layout)
}
