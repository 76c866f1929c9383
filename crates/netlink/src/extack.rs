//! Extended acknowledgements: the kernel's own words about a refusal (Documentation/userspace-api/netlink/intro.rst).

use netlink_packet_core::{NLM_F_ACK_TLVS, NLM_F_CAPPED};

use crate::attribute::{attributes, text, u32_at};

/// `NLMSGERR_ATTR_MSG` in linux/netlink.h.
const MSG: u16 = 1;
/// `int error`.
const CODE_LEN: usize = 4;
/// `struct nlmsghdr`.
const HEADER_LEN: usize = 16;

/// The message in the body of an `NLMSG_ERROR`, whose header has `flags`.
pub(crate) fn of_error(flags: u16, body: &[u8]) -> Option<String> {
    let echoed = if flags & NLM_F_CAPPED != 0 {
        HEADER_LEN
    } else {
        usize::try_from(u32_at(body, CODE_LEN)?).ok()?.next_multiple_of(4)
    };
    words(flags, body.get(CODE_LEN.checked_add(echoed)?..)?)
}

/// The message in the body of an `NLMSG_DONE`, which ends a dump and echoes nothing.
pub(crate) fn of_done(flags: u16, body: &[u8]) -> Option<String> {
    words(flags, body.get(CODE_LEN..)?)
}

fn words(flags: u16, tlvs: &[u8]) -> Option<String> {
    if flags & NLM_F_ACK_TLVS == 0 {
        return None;
    }
    attributes(tlvs).find(|(kind, _)| *kind == MSG).map(|(_, value)| text(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tlv(words: &[u8]) -> Vec<u8> {
        let mut tlv = u16::try_from(4 + words.len()).unwrap().to_ne_bytes().to_vec();
        tlv.extend_from_slice(&MSG.to_ne_bytes());
        tlv.extend_from_slice(words);
        tlv
    }

    #[test]
    fn words_follow_the_bare_header_when_the_echo_is_capped() {
        let mut body = (-22i32).to_ne_bytes().to_vec();
        body.extend_from_slice(&[0; HEADER_LEN]);
        body.extend(tlv(b"Invalid MTU\0"));

        assert_eq!(of_error(NLM_F_CAPPED | NLM_F_ACK_TLVS, &body).as_deref(), Some("Invalid MTU"));
        assert_eq!(of_error(NLM_F_CAPPED, &body), None);
    }

    #[test]
    fn words_follow_the_whole_request_when_it_is_echoed() {
        let mut body = (-22i32).to_ne_bytes().to_vec();
        body.extend_from_slice(&24u32.to_ne_bytes());
        body.extend_from_slice(&[0; 20]);
        body.extend(tlv(b"no\0"));

        assert_eq!(of_error(NLM_F_ACK_TLVS, &body).as_deref(), Some("no"));
    }

    #[test]
    fn a_length_beyond_the_body_is_no_panic() {
        let mut body = (-22i32).to_ne_bytes().to_vec();
        body.extend_from_slice(&u32::MAX.to_ne_bytes());

        assert_eq!(of_error(NLM_F_ACK_TLVS, &body), None);
    }
}
