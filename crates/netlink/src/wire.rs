//! Netlink messages in a datagram: splitting it and telling answers apart (RFC 3549 section 2.3).

use netlink_packet_core::{DecodeError, NLM_F_DUMP_INTR, NLMSG_DONE, NLMSG_ERROR, NLMSG_NOOP, NLMSG_OVERRUN};

use crate::attribute::{u16_at, u32_at};
use crate::extack;

/// Length of `struct nlmsghdr`.
pub(crate) const HEADER_LEN: usize = 16;

/// One message of an answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Message<'a> {
    /// The request it answers.
    pub(crate) sequence: u32,
    /// `nlmsg_type`.
    pub(crate) kind: u16,
    /// The dump it belongs to was disturbed and must be read again.
    pub(crate) is_interrupted: bool,
    pub(crate) answer: Answer<'a>,
}

/// What a message says about its request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer<'a> {
    /// A part of the answer; more follows.
    Data(&'a [u8]),
    /// The request succeeded and is over.
    Done,
    /// The request failed and is over.
    Refused(Refusal),
    /// Nothing.
    Ignored,
}

/// The kernel's no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// Positive `errno(3)` number.
    pub(crate) code: i32,
    pub(crate) kernel_says: Option<String>,
}

/// The messages in one datagram; the iterator ends after its first error.
pub(crate) fn messages(datagram: &[u8]) -> impl Iterator<Item = Result<Message<'_>, DecodeError>> {
    let mut rest = datagram;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let parsed = split(rest);
        rest = match &parsed {
            Ok((_, after)) => after,
            Err(_) => &[],
        };
        Some(parsed.map(|(message, _)| message))
    })
}

fn split(bytes: &[u8]) -> Result<(Message<'_>, &[u8]), DecodeError> {
    let short = || DecodeError::from("a message is shorter than its header says");
    let header_fields = (u32_at(bytes, 0), u16_at(bytes, 4), u16_at(bytes, 6), u32_at(bytes, 8));
    let (Some(len), Some(kind), Some(flags), Some(sequence)) = header_fields else { return Err(short()) };
    let len = usize::try_from(len).map_err(|_| short())?;
    let body = bytes.get(HEADER_LEN..len).ok_or_else(short)?;
    let rest = bytes.get(len.next_multiple_of(4)..).unwrap_or_default();
    let message = Message {
        sequence,
        kind,
        is_interrupted: flags & NLM_F_DUMP_INTR != 0,
        answer: answer(kind, flags, body).ok_or_else(short)?,
    };
    Ok((message, rest))
}

fn answer(kind: u16, flags: u16, body: &[u8]) -> Option<Answer<'_>> {
    Some(match kind {
        NLMSG_NOOP | NLMSG_OVERRUN => Answer::Ignored,
        NLMSG_ERROR => verdict(u32_at(body, 0)?, || extack::of_error(flags, body)),
        NLMSG_DONE => verdict(u32_at(body, 0).unwrap_or(0), || extack::of_done(flags, body)),
        _ => Answer::Data(body),
    })
}

/// The code is a negative errno, or zero for success.
fn verdict(code: u32, words: impl FnOnce() -> Option<String>) -> Answer<'static> {
    match code.cast_signed() {
        0 => Answer::Done,
        code => Answer::Refused(Refusal { code: code.saturating_neg(), kernel_says: words() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u16, flags: u16, sequence: u32, body: &[u8]) -> Vec<u8> {
        let mut bytes = u32::try_from(HEADER_LEN + body.len()).unwrap().to_ne_bytes().to_vec();
        bytes.extend_from_slice(&kind.to_ne_bytes());
        bytes.extend_from_slice(&flags.to_ne_bytes());
        bytes.extend_from_slice(&sequence.to_ne_bytes());
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(body);
        bytes
    }

    #[test]
    fn data_then_done_in_one_datagram() {
        let mut bytes = message(16, NLM_F_DUMP_INTR, 7, b"abcd");
        bytes.extend(message(NLMSG_DONE, 0, 7, &0i32.to_ne_bytes()));

        let found: Vec<_> = messages(&bytes).map(Result::unwrap).collect();

        assert_eq!(found[0].answer, Answer::Data(b"abcd"));
        assert!(found[0].is_interrupted);
        assert_eq!(found[1].answer, Answer::Done);
    }

    #[test]
    fn a_dump_that_failed_half_way_is_a_refusal_and_no_end() {
        let bytes = message(NLMSG_DONE, 0, 1, &(-libc::ENOENT).to_ne_bytes());

        let found = messages(&bytes).next().unwrap().unwrap();

        assert_eq!(found.answer, Answer::Refused(Refusal { code: libc::ENOENT, kernel_says: None }));
    }

    #[test]
    fn a_cut_message_is_an_error_and_the_last_item() {
        let bytes = message(16, 0, 1, b"abcd");

        let found: Vec<_> = messages(&bytes[..18]).collect();

        assert_eq!(found.len(), 1);
        assert!(found[0].is_err());
    }
}
