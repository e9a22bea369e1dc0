//! Finding what a WebM or Matroska file says of itself (RFC 9559): one element about the whole, one about its tracks.

use crate::media::{Container, Facts, Flaw, RangedRead};

use super::ebml::{Elements, Heading, find, unsigned};
use super::tracks;
use super::{InspectError, Parts};

const EBML: u32 = 0x1A45_DFA3;
const DOC_TYPE: u32 = 0x4282;
const SEGMENT: u32 = 0x1853_8067;
const SEEK_HEAD: u32 = 0x114D_9B74;
const SEEK: u32 = 0x4DBB;
const SEEK_ID: u32 = 0x53AB;
const SEEK_POSITION: u32 = 0x53AC;
const INFO: u32 = 0x1549_A966;
const TRACKS: u32 = 0x1654_AE6B;
const CLUSTER: u32 = 0x1F43_B675;

/// How many elements are looked at. Before the first picture there are ten or so.
const MOST_ELEMENTS: u32 = 100;
/// The largest element that is read. Tracks with the tables of their codecs have some KB.
const LARGEST_ELEMENT: u64 = 1024 * 1024;
/// How much is read at a jump: the elements before the first picture are in it.
const AHEAD: usize = 64 * 1024;

/// Where things are, as far as they were seen or promised.
#[derive(Debug, Default)]
struct Layout {
    info: Option<Vec<u8>>,
    tracks: Option<Vec<u8>>,
    /// Where a table in front says that the two are.
    promised: Vec<(u32, u64)>,
}

impl Layout {
    /// Returns the place of what an identity stands for.
    fn slot(&mut self, id: u32) -> Option<&mut Option<Vec<u8>>> {
        match id {
            INFO => Some(&mut self.info),
            TRACKS => Some(&mut self.tracks),
            _ => None,
        }
    }
}

/// Looks for the two elements and reads them.
pub(super) async fn look<R: RangedRead + ?Sized>(
    parts: &mut Parts<'_, R>,
    facts: &mut Facts,
) -> Result<(), InspectError> {
    let Some(start) = read_front(parts, facts).await? else {
        facts.flaw = Some(Flaw::Unreadable);
        return Ok(());
    };
    let Some(body) = segment(parts, start, facts).await? else {
        facts.flaw = facts.flaw.or(Some(Flaw::NoIndex));
        return Ok(());
    };
    let mut layout = walk(parts, body).await?;
    for (id, at) in std::mem::take(&mut layout.promised) {
        if layout.slot(id).is_some_and(|slot| slot.is_none()) {
            let Some(heading) = Heading::read(parts.get(at, Heading::LONGEST, AHEAD).await?) else { continue };
            if heading.id == id {
                read_element(parts, at, heading, &mut layout).await?;
            }
        }
    }
    if let Some(info) = &layout.info {
        facts.duration = tracks::duration(info);
    }
    match &layout.tracks {
        Some(list) => tracks::read(list, facts),
        // That it ends too early explains it.
        None => facts.flaw = facts.flaw.or(Some(Flaw::NoIndex)),
    }
    Ok(())
}

/// Reads the element in front, which says whether it is WebM; returns where it ends.
async fn read_front<R: RangedRead + ?Sized>(
    parts: &mut Parts<'_, R>,
    facts: &mut Facts,
) -> Result<Option<u64>, InspectError> {
    let Some(heading) = Heading::read(parts.get(0, Heading::LONGEST, AHEAD).await?) else { return Ok(None) };
    let Some(size) = heading.body.filter(|size| heading.id == EBML && *size <= LARGEST_ELEMENT) else {
        return Ok(None);
    };
    let body = parts.take(heading.length, usize::try_from(size).unwrap_or(0)).await?;
    // A type may be filled up with zeros (RFC 8794, section 7.4).
    let doc_type = find(&body, DOC_TYPE).map(|text| text.split(|byte| *byte == 0).next().unwrap_or_default());
    facts.container = match doc_type {
        Some(b"webm") => Container::WebM,
        Some(b"matroska") => Container::Matroska,
        _ => return Ok(None),
    };
    Ok(Some(heading.length + size))
}

/// Looks for the element around all others; returns where its body begins, and notes whether all of it is there.
async fn segment<R: RangedRead + ?Sized>(
    parts: &mut Parts<'_, R>,
    start: u64,
    facts: &mut Facts,
) -> Result<Option<u64>, InspectError> {
    let Some(heading) = Heading::read(parts.get(start, Heading::LONGEST, AHEAD).await?) else { return Ok(None) };
    if heading.id != SEGMENT {
        return Ok(None);
    }
    let body = start + heading.length;
    if let (Some(size), Some(length)) = (heading.body, parts.length()) {
        let missing_bytes = body.saturating_add(size).saturating_sub(length);
        facts.flaw = (missing_bytes > 0).then_some(Flaw::CutShort { missing_bytes });
    }
    Ok(Some(body))
}

/// Goes from element to element until both are read, or pictures begin.
async fn walk<R: RangedRead + ?Sized>(parts: &mut Parts<'_, R>, start: u64) -> Result<Layout, InspectError> {
    let mut layout = Layout::default();
    let mut at = start;
    for _ in 0..MOST_ELEMENTS {
        if layout.info.is_some() && layout.tracks.is_some() {
            break;
        }
        let Some(heading) = Heading::read(parts.get(at, Heading::LONGEST, AHEAD).await?) else { break };
        match heading.id {
            CLUSTER => break,
            SEEK_HEAD => {
                let body = take_body(parts, at, heading).await?.unwrap_or_default();
                layout.promised.extend(promises(&body, start));
            }
            _ => read_element(parts, at, heading, &mut layout).await?,
        }
        let end = heading.body.and_then(|size| at.checked_add(heading.length)?.checked_add(size));
        match end {
            Some(end) => at = end,
            None => break,
        }
    }
    Ok(layout)
}

/// Keeps an element if it is one of the two, and the first of its kind that is whole.
async fn read_element<R: RangedRead + ?Sized>(
    parts: &mut Parts<'_, R>,
    at: u64,
    heading: Heading,
    layout: &mut Layout,
) -> Result<(), InspectError> {
    if let Some(slot) = layout.slot(heading.id)
        && slot.is_none()
    {
        *slot = take_body(parts, at, heading).await?;
    }
    Ok(())
}

/// Reads the body of an element. `None` if it is too large, does not know its size, or is cut short.
async fn take_body<R: RangedRead + ?Sized>(
    parts: &mut Parts<'_, R>,
    at: u64,
    heading: Heading,
) -> Result<Option<Vec<u8>>, InspectError> {
    let size = heading.body.filter(|size| *size <= LARGEST_ELEMENT).and_then(|size| usize::try_from(size).ok());
    let Some(size) = size else { return Ok(None) };
    let body = parts.take(at.saturating_add(heading.length), size).await?;
    Ok((body.len() == size).then_some(body))
}

/// Reads where the two elements are promised to be; places count from where the outermost body begins.
fn promises(body: &[u8], start: u64) -> Vec<(u32, u64)> {
    let seeks = Elements(body).filter(|(id, _)| *id == SEEK);
    let promise = |seek: &[u8]| {
        let id = find(seek, SEEK_ID).and_then(unsigned).and_then(|id| u32::try_from(id).ok())?;
        let at = find(seek, SEEK_POSITION).and_then(unsigned)?.checked_add(start)?;
        [INFO, TRACKS].contains(&id).then_some((id, at))
    };
    // Two are needed; more than a few are nonsense.
    seeks.filter_map(|(_, seek)| promise(seek)).take(8).collect()
}
