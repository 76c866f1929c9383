//! Walks netlink attributes (`struct nlattr`) without interpreting them.

/// Nested and byte-order bits above the attribute's number (`NLA_TYPE_MASK`).
const KIND_MASK: u16 = 0x3fff;
/// Length of `struct nlattr`.
const HEADER_LEN: usize = 4;

/// The `(number, value)` pairs in `bytes`; ends quietly at the first attribute that does not fit.
pub(crate) fn attributes(bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let len = usize::from(u16_at(rest, 0)?);
        let kind = u16_at(rest, 2)? & KIND_MASK;
        let value = rest.get(HEADER_LEN..len)?;
        rest = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, value))
    })
}

/// The native-endian number at `offset`.
pub(crate) fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(offset..offset + 2)?.try_into().ok()?))
}

/// The native-endian number at `offset`.
pub(crate) fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(offset..offset + 4)?.try_into().ok()?))
}

/// A NUL-terminated or plain text; bytes that are not UTF-8 are replaced.
pub(crate) fn text(value: &[u8]) -> String {
    let end = value.iter().position(|b| *b == 0).unwrap_or(value.len());
    String::from_utf8_lossy(&value[..end]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_between_attributes_is_skipped() {
        let mut bytes = Vec::new();
        bytes.extend_from_slice(&6u16.to_ne_bytes());
        bytes.extend_from_slice(&3u16.to_ne_bytes());
        bytes.extend_from_slice(b"a\0\0\0");
        bytes.extend_from_slice(&8u16.to_ne_bytes());
        bytes.extend_from_slice(&(4u16 | 0x8000).to_ne_bytes());
        bytes.extend_from_slice(&7u32.to_ne_bytes());

        let found: Vec<_> = attributes(&bytes).collect();

        assert_eq!(found, [(3, &b"a\0"[..]), (4, &7u32.to_ne_bytes()[..])]);
    }

    #[test]
    fn an_attribute_longer_than_the_buffer_or_shorter_than_its_header_ends_the_walk() {
        for len in [0u16, 3, 200] {
            let mut bytes = len.to_ne_bytes().to_vec();
            bytes.extend_from_slice(&[1, 0, 9, 9]);
            assert_eq!(attributes(&bytes).count(), 0, "{len}");
        }
    }
}
