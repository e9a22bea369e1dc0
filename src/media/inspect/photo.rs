//! The size of a photo.

use crate::media::{Container, Facts, Flaw, RangedRead};

use super::{InspectError, Parts};

/// How much is read, step by step, until the size is found: cameras put previews and colour profiles before it.
const STEPS: [usize; 3] = [64 * 1024, 256 * 1024, 1024 * 1024];

/// Puts the size of a photo into the facts.
pub(super) async fn look<R: RangedRead + ?Sized>(
    parts: &mut Parts<'_, R>,
    facts: &mut Facts,
) -> Result<(), InspectError> {
    let mut bytes = Vec::new();
    for step in STEPS {
        let missing = step - bytes.len();
        let more = parts.take(bytes.len() as u64, missing).await?;
        let is_all = more.len() < missing;
        bytes.extend_from_slice(&more);
        if let Ok(size) = imagesize::blob_size(&bytes) {
            facts.width = u32::try_from(size.width).ok().filter(|width| *width > 0);
            facts.height = u32::try_from(size.height).ok().filter(|height| *height > 0);
            return Ok(());
        }
        // Only a JPEG has its size further inside; what has none in all of it has none.
        if is_all || facts.container != Container::Jpeg {
            break;
        }
    }
    facts.flaw = Some(Flaw::Unreadable);
    Ok(())
}
