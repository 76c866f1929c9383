//! Addresses, routes and neighbours, one by one and in a batch.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]

mod lab;

use std::os::fd::AsRawFd;

use lab::{Space, needs_root};
use netlink::{AddrSpec, Errno, Family, Request, RouteSpec};
use nix::sys::socket::{NetlinkAddr, getsockname};

fn address(net: &str) -> AddrSpec {
    AddrSpec { net: net.parse().unwrap(), no_dad: true }
}

fn via(dst: &str, gateway: &str) -> RouteSpec {
    RouteSpec { gateway: Some(gateway.parse().unwrap()), ..RouteSpec::to(dst.parse().unwrap()) }
}

#[test]
fn pod_link_is_made_ready_in_both_families_and_may_be_again() {
    if !needs_root() {
        return;
    }
    let (_host, pod) = Space::pair();
    pod.ip(&["link", "set", "p1", "down"]);
    let (handle, index) = (pod.handle(), pod.index("p1"));
    let addresses = [address("10.0.0.5/24"), address("fd00::5/64")];
    let routes = [via("0.0.0.0/0", "10.0.0.1"), via("::/0", "fd00::1"), via("10.9.0.0/16", "10.0.0.254")];

    for _ in 0..2 {
        handle.configure(index, &addresses, &routes).unwrap();
    }

    let seen = pod.show(&["-4", "address", "show", "p1"]);
    assert_eq!(seen[0]["addr_info"][0]["local"], "10.0.0.5");
    assert_eq!(seen[0]["addr_info"][0]["prefixlen"], 24);
    assert_eq!(seen[0]["addr_info"][0]["broadcast"], "10.0.0.255");
    assert_eq!(seen[0]["addr_info"].as_array().unwrap().len(), 1);
    assert_eq!(pod.show(&["-6", "route", "show", "default"])[0]["gateway"], "fd00::1");
    assert_eq!(pod.show(&["-4", "route", "show", "default"])[0]["gateway"], "10.0.0.1");
    assert_eq!(pod.show(&["-4", "route", "show", "10.9.0.0/16"])[0]["gateway"], "10.0.0.254");
}

#[test]
fn refused_step_is_named() {
    if !needs_root() {
        return;
    }
    let (_host, pod) = Space::pair();
    let index = pod.index("p1");

    let routes = [via("0.0.0.0/0", "192.0.2.1")];
    let refusal = pod.handle().configure(index, &[address("10.0.0.5/24")], &routes).unwrap_err();

    let text = refusal.to_string();
    assert_eq!(refusal.errno(), Some(Errno::Unreachable));
    assert!(text.starts_with(&format!("set route 0.0.0.0/0 via 192.0.2.1 on link {index}: ")), "{text}");
    assert!(text.contains("kernel says: Nexthop has invalid gateway"), "{text}");
}

#[test]
fn batch_tells_the_first_refusal_and_executes_the_rest() {
    if !needs_root() {
        return;
    }
    let (_host, pod) = Space::pair();
    let index = pod.index("p1");
    let mut requests: Vec<Request> =
        (0..200).map(|n| address(&format!("10.0.{n}.1/24")).add(index)).collect();
    requests[150] = address("10.0.0.1/24").add(index);

    let refusal = pod.handle().batch(&requests).unwrap_err();

    assert_eq!(refusal.index, 150);
    assert!(refusal.source.is_exists());
    // Of the 64 in one system call those after the refused one are executed; later calls are not made.
    assert_eq!(pod.handle().addresses(index).unwrap().iter().filter(|a| a.net.addr().is_ipv4()).count(), 191);
}

#[test]
fn addresses_are_listed_over_many_datagrams_and_of_one_link_only() {
    if !needs_root() {
        return;
    }
    let (_host, pod) = Space::pair();
    pod.ip(&["link", "add", "br0", "type", "bridge"]);
    let (handle, index, other) = (pod.handle(), pod.index("p1"), pod.index("br0"));
    let many: Vec<_> =
        (0..3000u32).map(|n| address(&format!("10.{}.{}.1/24", n / 250, n % 250)).add(index)).collect();
    handle.batch(&many).unwrap();
    handle.add_address(other, &address("192.0.2.1/24")).unwrap();

    let found = handle.addresses(index).unwrap();

    assert_eq!(found.iter().filter(|a| a.net.addr().is_ipv4()).count(), 3000);
    assert_eq!(handle.addresses(other).unwrap()[0].net, "192.0.2.1/24".parse().unwrap());
    assert_eq!(handle.addresses(4711).unwrap(), []);
}

#[test]
fn duplicate_detection_is_skipped_only_when_asked() {
    if !needs_root() {
        return;
    }
    let (_host, pod) = Space::pair();
    let (handle, index) = (pod.handle(), pod.index("p1"));

    handle.add_address(index, &address("fd00::5/64")).unwrap();
    handle.add_address(index, &AddrSpec::new("fd00::6/64".parse().unwrap())).unwrap();

    let found = handle.addresses(index).unwrap();
    let of = |net: &str| found.iter().find(|a| a.net == net.parse().unwrap()).unwrap();
    assert!(!of("fd00::5/64").is_tentative);
    assert!(of("fd00::6/64").is_tentative);
    assert!(!of("fd00::6/64").is_link_local);
}

#[test]
fn address_is_removed_once() {
    if !needs_root() {
        return;
    }
    let (_host, pod) = Space::pair();
    let (handle, index) = (pod.handle(), pod.index("p1"));
    for net in ["10.0.0.5/24", "fd00::5/64"] {
        handle.add_address(index, &address(net)).unwrap();
        assert!(handle.add_address(index, &address(net)).unwrap_err().is_exists());

        assert!(handle.delete_address(index, net.parse().unwrap()).unwrap());
        assert!(!handle.delete_address(index, net.parse().unwrap()).unwrap());
    }
}

#[test]
fn routes_of_a_link_leave_out_what_the_kernel_keeps_for_itself() {
    if !needs_root() {
        return;
    }
    let (_host, pod) = Space::pair();
    let (handle, index) = (pod.handle(), pod.index("p1"));
    assert_eq!(Space::new().handle().routes(1).unwrap(), []);
    let routes = [via("0.0.0.0/0", "10.0.0.1"), via("::/0", "fd00::1")];
    handle.configure(index, &[address("10.0.0.5/24"), address("fd00::5/64")], &routes).unwrap();
    let elsewhere = RouteSpec { table: Some(1000), ..via("10.8.0.0/16", "10.0.0.1") };
    handle.add_route(index, &elsewhere).unwrap();

    let found = handle.routes(index).unwrap();

    let mut text: Vec<_> = found.iter().map(|r| format!("{} {:?} {}", r.dst, r.gateway, r.metric)).collect();
    text.sort();
    assert_eq!(
        text,
        ["0.0.0.0/0 Some(10.0.0.1) 0", "10.0.0.0/24 None 0", "::/0 Some(fd00::1) 1024", "fd00::/64 None 256"]
    );
}

#[test]
fn gateway_beyond_every_prefix_is_reached_on_link() {
    if !needs_root() {
        return;
    }
    let (_host, pod) = Space::pair();
    let (handle, index) = (pod.handle(), pod.index("p1"));
    // A namespace without any IPv4 address has no local table, and the kernel takes no gateway for unicast there.
    handle.add_address(index, &address("10.0.0.5/32")).unwrap();
    for route in [via("0.0.0.0/0", "169.254.1.1"), via("::/0", "fd99::1")] {
        assert!(handle.add_route(index, &route).is_err());
        let on_link = RouteSpec { on_link: true, table: Some(1000), metric: Some(7), ..route };

        handle.add_route(index, &on_link).unwrap();

        let family = if route.dst.addr().is_ipv4() { "-4" } else { "-6" };
        let seen = &pod.show(&[family, "route", "show", "table", "1000"])[0];
        assert_eq!(seen["gateway"], route.gateway.unwrap().to_string());
        assert_eq!(seen["flags"][0], "onlink");
        assert_eq!(seen["metric"], 7);
        assert!(handle.add_route(index, &on_link).unwrap_err().is_exists());
        handle.replace_route(index, &on_link).unwrap();
        assert!(handle.delete_route(index, &on_link).unwrap());
        assert!(!handle.delete_route(index, &on_link).unwrap());
    }
}

#[test]
fn default_routes_of_one_family_go_whoever_made_them() {
    if !needs_root() {
        return;
    }
    let (_host, pod) = Space::pair();
    pod.ip(&["address", "add", "10.0.0.5/24", "dev", "p1"]);
    pod.ip(&["address", "add", "fd00::5/64", "dev", "p1", "nodad"]);
    pod.ip(&["route", "add", "default", "via", "10.0.0.1", "proto", "static"]);
    pod.ip(&["route", "add", "default", "via", "10.0.0.2", "metric", "50"]);
    pod.ip(&["route", "add", "default", "dev", "p1", "scope", "link", "metric", "60"]);
    pod.ip(&[
        "route", "add", "default", "metric", "70", "nexthop", "via", "10.0.0.3", "nexthop", "via", "10.0.0.4",
    ]);
    pod.ip(&["-6", "route", "add", "default", "via", "fd00::1"]);
    let handle = pod.handle();

    assert_eq!(handle.delete_default_routes(Family::V4).unwrap(), 4);

    assert_eq!(pod.show(&["-4", "route", "show", "default"]).as_array().unwrap().len(), 0);
    assert_eq!(pod.show(&["-6", "route", "show", "default"]).as_array().unwrap().len(), 1);
    assert_eq!(handle.delete_default_routes(Family::V6).unwrap(), 1);
    assert_eq!(handle.delete_default_routes(Family::V6).unwrap(), 0);
}

#[test]
fn neighbour_is_permanent_and_follows_a_new_mac() {
    if !needs_root() {
        return;
    }
    let (_host, pod) = Space::pair();
    let (handle, index) = (pod.handle(), pod.index("p1"));
    for ip in ["169.254.77.1", "fd99::1"] {
        handle.set_neighbour(index, ip.parse().unwrap(), [2, 0, 0, 0, 0, 1]).unwrap();
        handle.set_neighbour(index, ip.parse().unwrap(), [2, 0, 0, 0, 0, 2]).unwrap();

        let seen = pod.show(&["neighbour", "show", ip, "dev", "p1"]);
        assert_eq!(seen[0]["lladdr"], "02:00:00:00:00:02");
        assert_eq!(seen[0]["state"][0], "PERMANENT");
        assert!(handle.delete_neighbour(index, ip.parse().unwrap()).unwrap());
        assert!(!handle.delete_neighbour(index, ip.parse().unwrap()).unwrap());
    }
}

#[test]
fn threads_share_a_handle_and_each_gets_its_own_answer() {
    if !needs_root() {
        return;
    }
    let (_host, pod) = Space::pair();
    let (handle, index) = (pod.handle(), pod.index("p1"));

    std::thread::scope(|scope| {
        for thread in 0..8 {
            let handle = &handle;
            scope.spawn(move || {
                for n in 0..20 {
                    let spec = address(&format!("10.{thread}.{n}.1/24"));
                    handle.add_address(index, &spec).unwrap();
                    assert_eq!(handle.link("p1").unwrap().unwrap().index, index);
                    assert!(handle.addresses(index).unwrap().iter().any(|found| found.net == spec.net));
                }
            });
        }
    });

    assert_eq!(handle.addresses(index).unwrap().iter().filter(|a| a.net.addr().is_ipv4()).count(), 160);
}

/// Sends a message to the netlink port `argv[1]` and prints the errno.
const FORGER: &str = "
import errno, socket, sys
s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
try:
    s.sendto(bytes(20), (int(sys.argv[1]), 0))
    print('sent')
except OSError as e:
    print(errno.errorcode[e.errno])
";

#[test]
fn nobody_but_the_kernel_can_put_an_answer_into_a_handle() {
    if !needs_root() {
        return;
    }
    let pod = Space::new();
    let handle = pod.handle();
    let port = getsockname::<NetlinkAddr>(handle.as_raw_fd()).unwrap().pid();

    assert_eq!(pod.exec("python3", &["-c", FORGER, &port.to_string()]).trim(), "ECONNREFUSED");
}
