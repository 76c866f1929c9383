//! Announcements as another program sees them, and sightings of others.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]

mod lab;

use std::io::{BufRead, BufReader, Read};
use std::net::IpAddr;
use std::os::fd::AsFd;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use lab::{Space, needs_root};
use netlink::{AddrSpec, NeighbourWatch, Sighting, announce};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

const MAC: [u8; 6] = [2, 0, 0, 0, 0, 5];

/// A capture on `p1` that is already running, of `count` packets.
fn capture(space: &Space, filter: &str, count: u32) -> Child {
    let count = count.to_string();
    let mut tcpdump = Command::new("ip")
        .args(["netns", "exec", &space.name, "timeout", "10"])
        .args(["tcpdump", "-n", "-e", "-vv", "--immediate-mode", "-l", "-i", "p1", "-c", &count, filter])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut words = BufReader::new(tcpdump.stderr.as_mut().unwrap());
    let mut line = String::new();
    while !line.contains("listening on") {
        line.clear();
        assert_ne!(words.read_line(&mut line).unwrap(), 0, "tcpdump ended before it listened");
    }
    tcpdump
}

fn output(mut tcpdump: Child) -> String {
    let mut text = String::new();
    tcpdump.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    tcpdump.wait().unwrap();
    text
}

fn ips(list: &[&str]) -> Vec<IpAddr> {
    list.iter().map(|ip| ip.parse().unwrap()).collect()
}

#[test]
fn announcements_are_what_the_standards_ask_for() {
    if !needs_root() {
        return;
    }
    let (here, there) = Space::pair();
    let tcpdump = capture(&there, "ether src 02:00:00:00:00:05", 2);

    announce(&here.netns, here.index("p0"), MAC, &ips(&["10.0.0.5", "fd00::5"])).unwrap();

    let text = output(tcpdump);
    assert!(text.contains("02:00:00:00:00:05 > ff:ff:ff:ff:ff:ff, ethertype ARP"), "{text}");
    assert!(text.contains("Request who-has 10.0.0.5 tell 10.0.0.5"), "{text}");
    assert!(text.contains("02:00:00:00:00:05 > 33:33:00:00:00:01, ethertype IPv6"), "{text}");
    assert!(text.contains("hlim 255"), "{text}");
    assert!(text.contains("fd00::5 > ff02::1: [icmp6 sum ok] ICMP6, neighbor advertisement"), "{text}");
    assert!(text.contains("tgt is fd00::5, Flags [override]"), "{text}");
    assert!(text.contains("destination link-address option (2), length 8 (1): 02:00:00:00:00:05"), "{text}");
}

#[test]
fn announcing_on_a_link_that_is_down_or_gone_says_so() {
    if !needs_root() {
        return;
    }
    let (here, _there) = Space::pair();
    let index = here.index("p0");
    here.ip(&["link", "set", "p0", "down"]);

    let down = announce(&here.netns, index, MAC, &ips(&["10.0.0.5"])).unwrap_err();
    let gone = announce(&here.netns, 4711, MAC, &ips(&["10.0.0.5"])).unwrap_err();

    assert_eq!(down.errno(), Some(netlink::Errno::Unreachable), "{down}");
    assert!(gone.is_not_found(), "{gone}");
}

#[test]
fn announcing_does_not_wait_for_its_socket_to_close() {
    if !needs_root() {
        return;
    }
    let (here, _there) = Space::pair();
    let (index, ip) = (here.index("p0"), ips(&["10.0.0.5"]));

    let mut took: Vec<Duration> = (0..30)
        .map(|_| {
            let start = Instant::now();
            announce(&here.netns, index, MAC, &ip).unwrap();
            start.elapsed()
        })
        .collect();

    took.sort();
    eprintln!("announce: median {:?}, worst {:?}", took[15], took[29]);
    assert!(took[15] < Duration::from_millis(5), "median {:?}", took[15]);
}

/// Sightings until one is of `ip`; `ask` is done over and over, as a single frame may be lost.
fn wait_for(watch: &NeighbourWatch, ip: IpAddr, ask: impl Fn()) -> Vec<Sighting> {
    let deadline = Instant::now() + Duration::from_secs(5);
    let mut seen = Vec::new();
    ask();
    while !seen.iter().any(|sighting: &Sighting| sighting.ip == ip) {
        assert!(Instant::now() < deadline, "no sighting of {ip} but {seen:?}");
        match watch.recv().unwrap() {
            Some(sighting) => seen.push(sighting),
            None => {
                let mut ready = [PollFd::new(watch.as_fd(), PollFlags::POLLIN)];
                if poll(&mut ready, PollTimeout::from(200u16)).unwrap() == 0 {
                    ask();
                }
            }
        }
    }
    seen
}

fn watch(space: &Space, link: &str) -> NeighbourWatch {
    let link = space.handle().link(link).unwrap().unwrap();
    space.netns.run(|| NeighbourWatch::open(link.index, link.mac)).unwrap().unwrap()
}

#[test]
fn probe_finds_who_has_an_address_and_nobody_for_one_that_is_free() {
    if !needs_root() {
        return;
    }
    let (here, there) = Space::pair();
    let holder = there.handle().link("p1").unwrap().unwrap();
    for (net, free) in [("10.0.0.5/24", "10.0.0.6"), ("fd00::5/64", "fd00::6")] {
        let spec = AddrSpec { net: net.parse().unwrap(), no_dad: true };
        there.handle().add_address(holder.index, &spec).unwrap();
        let watch = watch(&here, "p0");

        let seen = wait_for(&watch, spec.net.addr(), || {
            watch.send_probe(free.parse().unwrap()).unwrap();
            watch.send_probe(spec.net.addr()).unwrap();
        });

        assert!(seen.iter().all(|sighting| sighting.mac == holder.mac), "{seen:?}");
        assert!(!seen.iter().any(|sighting| sighting.ip.to_string() == free), "{seen:?}");
    }
}

#[test]
fn probe_claims_nothing() {
    if !needs_root() {
        return;
    }
    let (here, there) = Space::pair();
    let mac = here.handle().link("p0").unwrap().unwrap().mac.map(|byte| format!("{byte:02x}")).join(":");
    let filter = format!("ether src {mac} and (arp or (icmp6 and ip6[40] == 135 and ip6[48] == 0xfd))");
    let tcpdump = capture(&there, &filter, 2);
    let watch = watch(&here, "p0");

    watch.send_probe("10.0.0.5".parse().unwrap()).unwrap();
    watch.send_probe("fd00::12:3456".parse().unwrap()).unwrap();

    let text = output(tcpdump);
    assert!(text.contains("Request who-has 10.0.0.5 tell 0.0.0.0"), "{text}");
    assert!(text.contains(":: > ff02::1:ff12:3456: [icmp6 sum ok] ICMP6, neighbor solicitation"), "{text}");
    assert!(text.contains("33:33:ff:12:34:56"), "{text}");
}

#[test]
fn watch_sees_announcements_of_others_and_none_of_its_own_side() {
    if !needs_root() {
        return;
    }
    let (here, there) = Space::pair();
    let watch = watch(&here, "p0");

    announce(&here.netns, here.index("p0"), MAC, &ips(&["10.0.0.4", "fd00::4"])).unwrap();
    let seen = wait_for(&watch, "fd00::5".parse().unwrap(), || {
        announce(&there.netns, there.index("p1"), MAC, &ips(&["10.0.0.5", "fd00::5"])).unwrap();
    });

    assert!(seen.contains(&Sighting { ip: "10.0.0.5".parse().unwrap(), mac: MAC }), "{seen:?}");
    assert!(
        !seen.iter().any(|s| s.ip.to_string() == "10.0.0.4" || s.ip.to_string() == "fd00::4"),
        "{seen:?}"
    );
}

#[test]
fn watch_outlives_its_link_going_down_and_up() {
    if !needs_root() {
        return;
    }
    let (here, there) = Space::pair();
    let watch = watch(&here, "p0");

    here.ip(&["link", "set", "p0", "down"]);
    let mut refusals = 0;
    while watch.recv().is_err() {
        refusals += 1;
    }
    here.ip(&["link", "set", "p0", "up"]);
    there.wait_until_sending("p1");

    assert_eq!(refusals, 1);
    wait_for(&watch, "10.0.0.5".parse().unwrap(), || {
        announce(&there.netns, there.index("p1"), MAC, &ips(&["10.0.0.5"])).unwrap();
    });
}

/// A gratuitous ARP for 10.0.0.9 with the VLAN tag `0x81000000 + argv[1]`, then one without for 10.0.0.5.
const TAGGED_THEN_PLAIN: &str = "
import socket, struct, sys
def arp(tag, ip):
    mac, ip = bytes([2, 0, 0, 0, 0, 5]), socket.inet_aton(ip)
    body = struct.pack('!HHBBH', 1, 0x800, 6, 4, 1) + mac + ip + bytes(6) + ip
    return b'\\xff' * 6 + mac + tag + struct.pack('!H', 0x806) + body
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
s.bind(('p1', 0))
s.send(arp(struct.pack('!HH', 0x8100, int(sys.argv[1])), '10.0.0.9'))
s.send(arp(b'', '10.0.0.5'))
";

#[test]
fn addresses_in_a_vlan_are_not_those_of_the_link_itself() {
    if !needs_root() {
        return;
    }
    let (here, there) = Space::pair();
    for (tag, is_of_the_link) in [(100, false), (0x6000 | 100, false), (0x6000, true)] {
        let watch = watch(&here, "p0");

        let seen = wait_for(&watch, "10.0.0.5".parse().unwrap(), || {
            there.exec("python3", &["-c", TAGGED_THEN_PLAIN, &tag.to_string()]);
        });

        assert_eq!(
            seen.iter().any(|s| s.ip.to_string() == "10.0.0.9"),
            is_of_the_link,
            "tag {tag:#x}: {seen:?}"
        );
    }
}
