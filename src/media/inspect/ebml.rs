//! The elements that WebM and Matroska are made of (EBML, RFC 8794): an identity, a size, a body.

/// What stands in front of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Heading {
    /// The identity as specifications write it, with the bit that marks its length.
    pub(super) id: u32,
    /// How long the heading itself is.
    pub(super) length: u64,
    /// How long the body is; `None` where whoever wrote it did not know yet.
    pub(super) body: Option<u64>,
}

impl Heading {
    /// How many bytes are enough for any heading: an identity of 4 bytes, a size of 8.
    pub(super) const LONGEST: usize = 12;

    /// Reads a heading; `None` where there are too few bytes, or none that begin one.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let id_length = width(*bytes.first()?).filter(|length| *length <= 4)?;
        let id = number(bytes.get(..id_length)?);
        let size_length = width(*bytes.get(id_length)?)?;
        let marked = number(bytes.get(id_length..id_length + size_length)?);
        // Seven bits of each byte are the size; all of them set stand for a size that is not known.
        let mask = (1_u64 << (7 * size_length)) - 1;
        let size = marked & mask;
        Some(Self {
            id: u32::try_from(id).ok()?,
            length: (id_length + size_length) as u64,
            body: (size != mask).then_some(size),
        })
    }
}

/// The elements in a body, in order. Ends at the first that does not fit into it, or does not know its size.
pub(super) struct Elements<'a>(pub(super) &'a [u8]);

impl<'a> Iterator for Elements<'a> {
    type Item = (u32, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let heading = Heading::read(self.0)?;
        // A heading has 2 bytes at least, so that each step goes on.
        let start = usize::try_from(heading.length).ok()?;
        let end = start.checked_add(usize::try_from(heading.body?).ok()?)?;
        let body = self.0.get(start..end)?;
        self.0 = self.0.get(end..)?;
        Some((heading.id, body))
    }
}

/// Returns the body of the first element of an identity.
pub(super) fn find(body: &[u8], id: u32) -> Option<&[u8]> {
    Elements(body).find(|(found, _)| *found == id).map(|(_, body)| body)
}

/// Returns the unsigned number that a body is.
pub(super) fn unsigned(body: &[u8]) -> Option<u64> {
    (body.len() <= 8).then(|| number(body))
}

/// Returns the number with a fraction that a body is.
pub(super) fn float(body: &[u8]) -> Option<f64> {
    match body.len() {
        4 => body.first_chunk().map(|bytes| f32::from_be_bytes(*bytes).into()),
        8 => body.first_chunk().map(|bytes| f64::from_be_bytes(*bytes)),
        _ => None,
    }
}

/// Returns how many bytes a number has that begins with this one: as many as there are zero bits in front, and one.
fn width(first: u8) -> Option<usize> {
    (first != 0).then(|| first.leading_zeros() as usize + 1)
}

/// Returns the number that up to eight bytes are.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heading_is_an_identity_and_a_size_that_may_be_unknown() {
        for (bytes, expected, reason) in [
            (&b"\x83\x81"[..], Some((0x83, 2, Some(1))), "the shortest"),
            (&b"\x1a\x45\xdf\xa3\x9f"[..], Some((0x1A45_DFA3, 5, Some(31))), "the longest identity"),
            (&b"\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff"[..], Some((0x1853_8067, 12, None)), "not known yet"),
            (&b"\xec\xff"[..], Some((0xEC, 2, None)), "not known yet, in one byte"),
            (&b"\xec\x01\xff\xff\xff\xff\xff\xff\xfe"[..], Some((0xEC, 9, Some((1 << 56) - 2))), "absurd, but a size"),
            (&b"\x08\x00\x00\x00\x00\x81"[..], None, "an identity of five bytes"),
            (&b"\x00\x81"[..], None, "no identity"),
            (&b"\xec\x00"[..], None, "no size"),
            (&b"\xec\x40"[..], None, "a size that is cut off"),
            (&b""[..], None, "nothing"),
        ] {
            let heading = Heading::read(bytes).map(|heading| (heading.id, heading.length, heading.body));
            assert_eq!(heading, expected, "{reason}");
        }
    }

    #[test]
    fn elements_end_at_the_first_that_does_not_fit() {
        let body = b"\x83\x81\x01\xec\x80\x86\x85abc";
        assert_eq!(Elements(body).map(|(id, body)| (id, body.len())).collect::<Vec<_>>(), [(0x83, 1), (0xEC, 0)]);
    }
}
