//! The boxes that MP4 and QuickTime are made of (ISO 14496-12, section 4.2): a size, a name of four letters, a body.

/// What stands in front of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Heading {
    pub(super) name: [u8; 4],
    /// How long the heading itself is: 8 bytes, or 16.
    pub(super) length: u64,
    /// How long the whole box is, its heading included; `None` where it reaches to the end of all.
    pub(super) whole: Option<u64>,
}

impl Heading {
    /// How many bytes are enough for any heading.
    pub(super) const LONGEST: usize = 16;

    /// Reads a heading. `None` where there are too few bytes, or where a box would be shorter than its heading.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let name = four(bytes, 4)?;
        let (length, whole) = match u32_at(bytes, 0)? {
            0 => (8, None),
            1 => (16, Some(u64_at(bytes, 8)?)),
            whole => (8, Some(u64::from(whole))),
        };
        whole.is_none_or(|whole| whole >= length).then_some(Self { name, length, whole })
    }
}

/// The boxes in a body, in order. Ends at the first that does not fit into it.
pub(super) struct Boxes<'a>(pub(super) &'a [u8]);

impl Boxes<'_> {
    /// Returns whether nothing is left that could be a box.
    pub(super) fn is_all_read(&self) -> bool {
        self.0.len() < 8
    }
}

impl<'a> Iterator for Boxes<'a> {
    type Item = ([u8; 4], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let heading = Heading::read(self.0)?;
        let whole = match heading.whole {
            Some(whole) => usize::try_from(whole).ok()?,
            None => self.0.len(),
        };
        // A heading has 8 bytes at least, so that each step goes on.
        let start = usize::try_from(heading.length).ok()?;
        let body = self.0.get(start..whole)?;
        self.0 = self.0.get(whole..)?;
        Some((heading.name, body))
    }
}

/// Returns the body of the box at the end of a path of names, the first of each name.
pub(super) fn find<'a>(body: &'a [u8], path: &[&[u8; 4]]) -> Option<&'a [u8]> {
    path.iter().try_fold(body, |body, name| Boxes(body).find(|(found, _)| found == *name).map(|(_, body)| body))
}

/// Returns the four bytes at a place.
pub(super) fn four(bytes: &[u8], at: usize) -> Option<[u8; 4]> {
    bytes.get(at..)?.first_chunk().copied()
}

/// Returns the number of 16 bits at a place.
pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().copied().map(u16::from_be_bytes)
}

/// Returns the number of 32 bits at a place.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    four(bytes, at).map(u32::from_be_bytes)
}

/// Returns the number of 64 bits at a place.
pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().copied().map(u64::from_be_bytes)
}

/// Returns a code of four letters as text: what is not visible ASCII becomes `?`, spaces at its end go.
pub(super) fn shown(code: [u8; 4]) -> String {
    let visible = |byte: u8| if byte.is_ascii_graphic() || byte == b' ' { char::from(byte) } else { '?' };
    code.map(visible).iter().collect::<String>().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heading_is_short_or_long_or_reaches_to_the_end() {
        let long = b"\0\0\0\x01mdat\0\0\0\x02\0\0\0\0";
        for (bytes, expected, reason) in [
            (&b"\0\0\0\x0cfree"[..], Some((8, Some(12))), "a size of 32 bits"),
            (&long[..], Some((16, Some(1 << 33))), "a size of 64 bits, for which a 1 stands"),
            (&b"\0\0\0\0mdat"[..], Some((8, None)), "0 is: up to the end"),
            (&b"\0\0\0\x07free"[..], None, "shorter than its heading"),
            (&b"\0\0\0\x01mdat\0\0\0\0\0\0\0\x0f"[..], None, "shorter than its long heading"),
            (&b"\0\0\0\x01mdat\0"[..], None, "its long size is cut off"),
            (&b"\0\0\0\x08fre"[..], None, "its name is cut off"),
        ] {
            let heading = Heading::read(bytes).map(|heading| (heading.length, heading.whole));
            assert_eq!(heading, expected, "{reason}");
        }
    }

    #[test]
    fn boxes_end_at_the_first_that_does_not_fit() {
        let body = b"\0\0\0\x0aaaaaAA\0\0\0\x08bbbb\0\0\0\x0accccC";
        let names: Vec<_> = Boxes(body).map(|(name, body)| (name, body.len())).collect();
        assert_eq!(names, [(*b"aaaa", 2), (*b"bbbb", 0)]);
    }

    #[test]
    fn a_code_is_shown_without_what_steers_a_terminal() {
        assert_eq!(shown(*b"raw "), "raw");
        assert_eq!(shown(*b"\x1b[2J"), "?[2J");
    }
}
