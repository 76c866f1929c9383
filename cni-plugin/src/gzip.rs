//! A gzip member → its bytes (RFC 1952). Upstream's daemon compresses whatever it is allowed to.

use miniz_oxide::inflate;
use thiserror::Error;

/// Why bytes are not a gzip member we take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum GzipError {
    /// The header is not gzip's, or is cut.
    #[error("the gzip header is not valid")]
    Header,
    /// The deflate stream is broken, cut, or inflates to more than the limit.
    #[error("the gzip data cannot be inflated, or only to more than the limit")]
    Data,
    /// Length or checksum differ from what the trailer says.
    #[error("the gzip trailer does not match the data")]
    Trailer,
}

const HEADER_CRC: u8 = 1 << 1;
const EXTRA: u8 = 1 << 2;
const NAME: u8 = 1 << 3;
const COMMENT: u8 = 1 << 4;
const TRAILER_BYTES: usize = 8;

/// Inflates one member to at most `limit` bytes.
///
/// # Errors
/// [`GzipError`].
pub fn inflate(member: &[u8], limit: usize) -> Result<Vec<u8>, GzipError> {
    let (deflated, trailer) = skip_header(member)
        .ok_or(GzipError::Header)?
        .split_last_chunk::<TRAILER_BYTES>()
        .ok_or(GzipError::Data)?;
    let bytes = inflate::decompress_to_vec_with_limit(deflated, limit).map_err(|_| GzipError::Data)?;
    let [c0, c1, c2, c3, l0, l1, l2, l3] = *trailer;
    let length = u32::from_le_bytes([l0, l1, l2, l3]);
    let is_whole = usize::try_from(length).is_ok_and(|n| n == bytes.len())
        && u32::from_le_bytes([c0, c1, c2, c3]) == crc32(&bytes);
    if is_whole { Ok(bytes) } else { Err(GzipError::Trailer) }
}

fn skip_header(member: &[u8]) -> Option<&[u8]> {
    let [0x1f, 0x8b, 8, flags, _, _, _, _, _, _, rest @ ..] = member else { return None };
    let mut rest = rest;
    if flags & EXTRA != 0 {
        let [low, high, tail @ ..] = rest else { return None };
        rest = tail.get(usize::from(u16::from_le_bytes([*low, *high]))..)?;
    }
    for text in [NAME, COMMENT] {
        if flags & text != 0 {
            let end = rest.iter().position(|b| *b == 0)?;
            rest = &rest[end + 1..];
        }
    }
    if flags & HEADER_CRC != 0 { rest.get(2..) } else { Some(rest) }
}

/// Bit by bit: replies are below 1 KiB, and a table would cost more than it saves.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `printf hello | gzip -n`, with every optional header field put in when `with_fields`.
    fn hello(with_fields: bool) -> Vec<u8> {
        let flags = if with_fields { HEADER_CRC | EXTRA | NAME | COMMENT } else { 0 };
        let mut member = vec![0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 3];
        if with_fields {
            member.extend([2, 0, 1, 1]);
            member.extend(b"name\0comment\0");
            member.extend([9, 9]);
        }
        member.extend([0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]);
        member.extend(0x3610_a686_u32.to_le_bytes());
        member.extend(5_u32.to_le_bytes());
        member
    }

    #[test]
    fn members_inflate_with_and_without_optional_fields() {
        assert_eq!(inflate(&hello(false), 5).unwrap(), b"hello");
        assert_eq!(inflate(&hello(true), 5).unwrap(), b"hello");
    }

    #[test]
    fn broken_members_are_refused() {
        assert_eq!(inflate(b"hello, no gzip at all", 99), Err(GzipError::Header));
        assert_eq!(inflate(&hello(false), 4), Err(GzipError::Data), "more than the limit");
        let mut wrong = hello(false);
        *wrong.last_mut().unwrap() = 1;
        assert_eq!(inflate(&wrong, 99), Err(GzipError::Trailer));
        for end in 0..hello(true).len() {
            assert!(inflate(&hello(true)[..end], 99).is_err(), "{end}");
        }
    }
}
