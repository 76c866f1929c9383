//! Sysctls and offloads are those of the namespace one is in.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]

mod lab;

use lab::{Space, needs_root};
use netlink::Errno;
use netlink::sysctl::{Written, read, set};

const ACCEPT_RA: [&str; 4] = ["ipv6", "conf", "default", "accept_ra"];

#[test]
fn sysctl_is_written_once_and_only_in_its_namespace() {
    if !needs_root() {
        return;
    }
    let (one, other) = (Space::new(), Space::new());
    assert_eq!(one.netns.run(|| set(&ACCEPT_RA, "2")).unwrap().unwrap(), Written::Changed);

    assert_eq!(one.netns.run(|| set(&ACCEPT_RA, "2")).unwrap().unwrap(), Written::Already);
    assert_eq!(one.netns.run(|| read(&ACCEPT_RA)).unwrap().unwrap().as_deref(), Some("2"));

    let proc = "/proc/sys/net/ipv6/conf/default/accept_ra";
    assert_eq!(one.exec("cat", &[proc]).trim(), "2");
    assert_ne!(other.exec("cat", &[proc]).trim(), "2");
    assert_ne!(read(&ACCEPT_RA).unwrap().as_deref(), Some("2"));
}

#[test]
fn sysctl_of_a_link_that_is_not_there_is_skipped_and_a_senseless_value_is_not() {
    if !needs_root() {
        return;
    }
    let space = Space::new();

    let absent = space.netns.run(|| set(&["ipv6", "conf", "eth9", "accept_ra"], "0")).unwrap();
    let senseless = space.netns.run(|| set(&ACCEPT_RA, "many")).unwrap();

    assert_eq!(absent.unwrap(), Written::Skipped);
    assert_eq!(senseless.unwrap_err().to_string(), "write sysctl net.ipv6.conf.default.accept_ra");
}

/// `ETHTOOL_GTXCSUM` asked by another program.
const WITNESS: &str = "
import array, fcntl, socket, struct
value = array.array('B', struct.pack('II', 0x16, 0))
request = struct.pack('16sP', b'p0', value.buffer_info()[0])
fcntl.ioctl(socket.socket(), 0x8946, request)
print(struct.unpack('II', value.tobytes())[1])
";

#[test]
fn tx_checksum_offload_is_turned_off_and_on() {
    if !needs_root() {
        return;
    }
    let (space, _peer) = Space::pair();
    for is_on in [false, false, true] {
        space.handle().set_tx_checksum("p0", is_on).unwrap();

        assert_eq!(space.handle().tx_checksum("p0").unwrap(), is_on);
        assert_eq!(space.exec("python3", &["-c", WITNESS]).trim(), u8::from(is_on).to_string());
    }
    let gone = space.handle().set_tx_checksum("p9", false).unwrap_err();
    assert_eq!(gone.errno(), Some(Errno::NotFound));
    assert!(gone.to_string().starts_with("turn tx checksum offload of p9 off"));
}
