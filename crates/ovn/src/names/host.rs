//! The end of a pod's veth on the host, named after the sandbox, so that DEL needs no memory.

/// Longest interface name of the kernel, in bytes (`IFNAMSIZ` less the closing zero).
const LONGEST: usize = 15;
/// Bytes of the container id in the name for `eth0`.
const ID: usize = 12;
/// Fewest bytes of the container id that still tell one node's sandboxes apart: 2^32 for 8 hexadecimal digits. With 4,
/// as upstream has it for long interface names, two of 300 sandboxes have the same name more often than not.
const FEWEST: usize = 8;

/// The name for an interface of a container: `<12 of the id>_h` for `eth0`, else `<12 - n of the id>_<interface>_h`
/// where n is the length of the interface's name (upstream's `generateNicName`).
///
/// Where that would leave fewer than 8 bytes of the id, the id is shorter than needed, or its beginning is not as good as
/// random, the name comes from a hash of both and begins with `z`, which no hexadecimal id does.
pub fn host_name(container_id: &str, interface: &str) -> String {
    let stem = if interface == "eth0" {
        beginning(container_id, ID).map(str::to_owned)
    } else {
        let id = ID.checked_sub(interface.len()).filter(|left| *left >= FEWEST);
        id.and_then(|left| beginning(container_id, left)).map(|id| format!("{id}_{interface}"))
    };
    let name = stem.unwrap_or_else(|| hashed(container_id, interface)) + "_h";
    debug_assert!(name.len() <= LONGEST, "{name}");
    name
}

/// The first bytes of an id that tell it from others: all of it, or those of a long hexadecimal one. People and
/// `cnitool` give ids that begin alike.
fn beginning(id: &str, len: usize) -> Option<&str> {
    let is_random = id.len() >= 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    id.get(..len).filter(|_| is_random || id.len() == len)
}

/// `z` and 55 bits of a hash in the digits of RFC 4648 section 7 (base32hex, lower case).
fn hashed(container_id: &str, interface: &str) -> String {
    const DIGITS: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";
    let mut rest = fnv1a(container_id.bytes().chain([0]).chain(interface.bytes()));
    let mut stem = String::from("z");
    for _ in 1..ID {
        stem.push(char::from(DIGITS[(rest & 31) as usize]));
        rest >>= 5;
    }
    stem
}

/// FNV-1a, 64 bits, with a final mix: short, and the same in every build of every version.
fn fnv1a(bytes: impl Iterator<Item = u8>) -> u64 {
    let hash = bytes
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const CONTAINER: &str = "84449a466cca0f5e1d2c3b4a59687786958473625140f1e2d3c4b5a697887766";

    #[test]
    fn ordinary_names_are_upstreams() {
        assert_eq!(host_name(CONTAINER, "eth0"), "84449a466cca_h");
        assert_eq!(host_name(CONTAINER, "net1"), "84449a46_net1_h");
    }

    #[test]
    fn ids_that_begin_alike_have_names_of_their_own() {
        assert_eq!(host_name("84449a466cca", "eth0"), "84449a466cca_h", "all of it");
        assert_ne!(host_name("cnitool-aabb0001", "eth0"), host_name("cnitool-aabb0002", "eth0"));
        assert_ne!(host_name("abcdef0123", "net1"), host_name("abcdef0124", "net1"));
    }

    #[test]
    fn any_id_and_interface_give_a_name_the_kernel_accepts() {
        for id in ["", "a", "short", "élèveélève", CONTAINER] {
            for interface in ["eth0", "net1", "a", "external", "ten-bytes.", "fifteen-bytes-x", "éééé"] {
                let name = host_name(id, interface);
                assert!(name.len() > 2 && name.len() <= LONGEST, "{name}");
            }
        }
    }

    #[test]
    fn hashed_names_differ_with_either_part() {
        let parts = [("a", "net1"), ("a", "net2"), ("b", "net1"), ("", "anet1"), ("an", "et1")];
        let names: BTreeSet<_> = parts.iter().map(|(id, interface)| host_name(id, interface)).collect();
        assert_eq!(names.len(), parts.len());
        assert!(names.iter().all(|name| name.starts_with('z')), "{names:?}");
    }

    #[test]
    fn a_hashed_name_is_the_same_in_every_version() {
        assert_eq!(host_name("a", "net1"), hashed("a", "net1") + "_h");
        assert_eq!(hashed("a", "net1"), "z6v23u48adl8");
    }
}
