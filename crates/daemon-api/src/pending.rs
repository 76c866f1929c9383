//! A DEL that the daemon could not take: one file in [`crate::route::pending_dir`], written by the plugin, replayed and
//! removed by the daemon.
//!
//! A file counts once its name ends in `.json`: it is written under a name with a leading dot, synced, and renamed.

use serde::{Deserialize, Serialize};

use crate::call::CallContext;
use crate::ids::{ContainerId, IfName};
use crate::request::{DecodeError, PodRequest, decode_own};

/// The content of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingDel {
    /// The body of the DEL.
    pub pod: PodRequest,
    /// What its header said.
    pub call: CallContext,
}

impl PendingDel {
    /// The file's bytes.
    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads a file's bytes.
    ///
    /// # Errors
    /// As [`PodRequest::decode`].
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        decode_own(bytes)
    }
}

/// The file's name: of the attachment, so that a repeated DEL replaces its own entry; a hash, because an interface name
/// may be anything.
pub fn file_name(container_id: &ContainerId, ifname: &IfName) -> String {
    let bytes = container_id.as_str().bytes().chain([0]).chain(ifname.as_str().bytes());
    format!("{:016x}.json", fnv1a_64(bytes))
}

/// FNV-1a (Fowler, Noll, Vo): part of the file format, unlike the hashers of std.
fn fnv1a_64(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_published_one() {
        assert_eq!(fnv1a_64("".bytes()), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a_64("foobar".bytes()), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn names_tell_attachments_apart_and_never_change() {
        let name = |c: &str, i: &str| file_name(&ContainerId::new(c).unwrap(), &IfName::new(i).unwrap());

        assert_eq!(name("c1", "eth0"), name("c1", "eth0"));
        assert_ne!(name("c1", "eth0"), name("c1", "eth1"));
        assert_ne!(name("c1e", "th0"), name("c1", "eth0"));
        assert_eq!(name("c1", "..a").len(), "0123456789abcdef.json".len());
    }

    #[test]
    fn nothing_is_lost_in_the_file() {
        let pod = PodRequest { device_id: "0000:01:00.0".into(), ..PodRequest::default() };
        let call = CallContext { pod_uid: "u".into(), ..CallContext::default() };
        let pending = PendingDel { pod, call };

        assert_eq!(PendingDel::decode(&pending.encode()), Ok(pending));
    }
}
