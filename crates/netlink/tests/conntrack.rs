//! Connections that the kernel tracks are seen and forgotten.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]

mod lab;

use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use lab::{Space, needs_root};
use netlink::{Conntrack, Family};

const PORT: u16 = 8080;
const FILTERED: u16 = 6666;

#[test]
fn connections_without_an_answer_are_seen_and_forgotten_one_by_one() {
    if !needs_root() {
        return;
    }
    let (here, there) = Space::pair();
    for (space, link, last) in [(&here, "p0", 1), (&there, "p1", 2)] {
        space.ip(&["addr", "add", &format!("10.9.0.{last}/24"), "dev", link]);
        space.ip(&["addr", "add", &format!("fd09::{last}/64"), "dev", link, "nodad"]);
    }
    let rules = tempfile::NamedTempFile::new().unwrap();
    let track = "table inet t {\n chain post {\n type nat hook postrouting priority 100\n tcp dport 8080 masquerade\n }\n }\n";
    std::fs::write(rules.path(), track).unwrap();
    here.exec("nft", &["-f", rules.path().to_str().unwrap()]);
    there.exec("nft", &["add table inet fw; add chain inet fw in { type filter hook input priority 0; }; add rule inet fw in tcp dport 6666 drop"]);
    let listener = there.netns.run(|| TcpListener::bind(("::", PORT))).unwrap().unwrap();
    let conntrack = Conntrack::inside(&here.netns).unwrap();

    for ip in ["10.9.0.2", "fd09::2"] {
        let ip: IpAddr = ip.parse().unwrap();
        assert_eq!(conntrack.unanswered_tcp(Family::of(ip)).unwrap(), []);
        let connect = |port| {
            here.netns
                .run(|| TcpStream::connect_timeout(&SocketAddr::new(ip, port), Duration::from_millis(200)))
        };
        let open = connect(PORT).unwrap().unwrap();
        connect(FILTERED).unwrap().unwrap_err();

        let flows = conntrack.unanswered_tcp(Family::of(ip)).unwrap();

        let [filtered] = flows.try_into().unwrap();
        assert_eq!(filtered.destination, SocketAddr::new(ip, FILTERED));
        assert_eq!(filtered.answers_to, filtered.source);
        assert!(conntrack.delete(&filtered).unwrap());
        assert!(!conntrack.delete(&filtered).unwrap());
        assert_eq!(conntrack.unanswered_tcp(Family::of(ip)).unwrap(), []);
        drop(open);
    }
    drop(listener);
}
