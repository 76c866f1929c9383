//! One rtnetlink message together with the words that name it in an error.

use netlink_packet_core::{NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, NetlinkSerializable};
use netlink_packet_route::RouteNetlinkMessage;

use crate::wire::HEADER_LEN;

/// A change to ask of the kernel. Nouns make them ([`crate::AddrSpec::replace`], …); [`crate::Handle::batch`] sends them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    attempt: String,
    flags: u16,
    message: RouteNetlinkMessage,
}

impl Request {
    /// A change that is acknowledged; `extra` are `NLM_F_*` flags.
    pub(crate) fn change(attempt: String, extra: u16, message: RouteNetlinkMessage) -> Self {
        Self { attempt, flags: NLM_F_REQUEST | NLM_F_ACK | extra, message }
    }

    /// A question about one object.
    pub(crate) fn get(attempt: String, message: RouteNetlinkMessage) -> Self {
        Self { attempt, flags: NLM_F_REQUEST | NLM_F_ACK, message }
    }

    /// A question about many objects.
    pub(crate) fn dump(attempt: String, message: RouteNetlinkMessage) -> Self {
        Self { attempt, flags: NLM_F_REQUEST | NLM_F_DUMP, message }
    }

    /// What is asked of what.
    pub fn attempt(&self) -> &str {
        &self.attempt
    }

    /// Appends the message to `buffer`, aligned for the next one.
    pub(crate) fn encode(&self, sequence: u32, buffer: &mut Vec<u8>) {
        let start = buffer.len();
        let body_len = self.message.buffer_len();
        let len = u32::try_from(HEADER_LEN + body_len).expect("a request is some hundred bytes long");
        buffer.extend_from_slice(&len.to_ne_bytes());
        buffer.extend_from_slice(&self.message.message_type().to_ne_bytes());
        buffer.extend_from_slice(&self.flags.to_ne_bytes());
        buffer.extend_from_slice(&sequence.to_ne_bytes());
        buffer.extend_from_slice(&0u32.to_ne_bytes());
        buffer.resize((start + HEADER_LEN + body_len).next_multiple_of(4), 0);
        self.message.serialize(&mut buffer[start + HEADER_LEN..start + HEADER_LEN + body_len]);
    }
}
