//! Rules, routes of tables other than main, and a veth pair in one namespace, as `ip` sees them.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]

mod lab;

use lab::{Space, needs_root};
use netlink::{Errno, Family, Link, RouteSpec, RuleSpec, VethPair};

const TABLE: u32 = 10_001;

fn marked(family: Family) -> RuleSpec {
    RuleSpec { mark: Some((0x90003, 0x90003)), ..RuleSpec::new(family, 90, TABLE) }
}

fn roots_tcp(family: Family) -> RuleSpec {
    let input = Some("lo".to_owned());
    RuleSpec { input, uids: Some((0, 0)), protocol: Some(6), ..RuleSpec::new(family, 32_800, TABLE) }
}

#[test]
fn rules_are_added_read_back_as_they_were_meant_and_removed() {
    if !needs_root() {
        return;
    }
    let space = Space::new();
    let handle = space.handle();
    for family in Family::BOTH {
        for rule in [marked(family), roots_tcp(family)] {
            handle.add_rule(&rule).unwrap();
            assert_eq!(handle.add_rule(&rule).unwrap_err().errno(), Some(Errno::Exists));
        }
        let version = if family == Family::V4 { "-4" } else { "-6" };
        let shown = space.show(&[version, "rule", "show", "table", "10001"]);
        assert_eq!(shown[0]["fwmark"], "0x90003", "{shown}");
        assert_eq!((&shown[1]["iif"], &shown[1]["ipproto"]), (&"lo".into(), &"tcp".into()), "{shown}");
        assert_eq!((&shown[1]["uid_start"], &shown[1]["uid_end"]), (&0.into(), &0.into()), "{shown}");

        let found: Vec<_> = handle.rules(family).unwrap();
        let ours: Vec<_> = found.iter().filter(|rule| rule.spec.table == TABLE).collect();
        assert_eq!(
            ours.iter().map(|rule| rule.spec.clone()).collect::<Vec<_>>(),
            [marked(family), roots_tcp(family)]
        );
        assert!(found.iter().all(|rule| rule.is_plain), "{found:?}");
        for rule in ours {
            assert!(handle.delete_rule(rule).unwrap());
            assert!(!handle.delete_rule(rule).unwrap());
        }
        assert!(handle.rules(family).unwrap().iter().all(|rule| rule.spec.table != TABLE));
    }
}

#[test]
fn a_rule_that_asks_more_than_we_know_is_not_plain_and_can_be_removed() {
    if !needs_root() {
        return;
    }
    let space = Space::new();
    space.ip(&["rule", "add", "pref", "7", "from", "10.0.0.0/8", "sport", "80", "table", "10001"]);
    space.ip(&["rule", "add", "pref", "8", "not", "fwmark", "1", "table", "10001"]);

    let handle = space.handle();
    let found: Vec<_> =
        handle.rules(Family::V4).unwrap().into_iter().filter(|r| r.spec.table == TABLE).collect();

    assert_eq!(found.iter().map(|rule| rule.is_plain).collect::<Vec<_>>(), [false, false]);
    assert!(found.iter().all(|rule| handle.delete_rule(rule).unwrap()));
    assert_eq!(space.show(&["-4", "rule", "show", "table", "10001"]).as_array().unwrap().len(), 0);
}

#[test]
fn routes_of_a_table_are_listed_and_removed_whatever_their_kind() {
    if !needs_root() {
        return;
    }
    let (space, _peer) = Space::pair();
    let (handle, index) = (space.handle(), space.index("p0"));
    for (family, default) in Family::BOTH.into_iter().zip(["0.0.0.0/0", "::/0"]) {
        assert!(handle.routes_of_table(family, TABLE).unwrap().is_empty());
        let to = RouteSpec { table: Some(TABLE), ..RouteSpec::to(default.parse().unwrap()) };
        handle.replace_route(index, &to).unwrap();
        let version = if family == Family::V4 { "-4" } else { "-6" };
        space.ip(&[version, "route", "add", "blackhole", default, "metric", "9999", "table", "10001"]);
        if family == Family::V4 {
            space.ip(&["route", "add", "local", "10.9.0.0/16", "dev", "lo", "table", "10001"]);
        }

        let found = handle.routes_of_table(family, TABLE).unwrap();

        assert_eq!(found.len(), if family == Family::V4 { 3 } else { 2 }, "{found:?}");
        assert!(found.iter().any(|route| route.link_index == Some(index)), "{found:?}");
        assert!(found.iter().all(|route| handle.delete_found_route(route).unwrap()));
        assert!(handle.routes_of_table(family, TABLE).unwrap().is_empty());
    }
}

#[test]
fn a_pair_is_born_down_with_its_addresses_and_without_arp() {
    if !needs_root() {
        return;
    }
    let space = Space::new();
    let handle = space.handle();
    let pair = VethPair { near: ("prb0", [2, 0, 0, 0, 0, 1]), far: ("prb1", [2, 0, 0, 0, 0, 2]) };
    handle.add_veth_pair(&pair).unwrap();

    for (name, mac) in [("prb0", "02:00:00:00:00:01"), ("prb1", "02:00:00:00:00:02")] {
        let shown = space.show(&["link", "show", name]);
        assert_eq!(shown[0]["address"], mac);
        assert_eq!(shown[0]["operstate"], "DOWN");
        assert!(shown[0]["flags"].as_array().unwrap().contains(&"NOARP".into()), "{shown}");
        assert_eq!(handle.is_without_arp(space.index(name)).unwrap(), Some(true));
    }
    assert!(handle.add_veth_pair(&pair).unwrap_err().is_exists());
    let index = space.index("prb0");
    space.ip(&["link", "set", "prb0", "arp", "on"]);
    assert_eq!(handle.is_without_arp(index).unwrap(), Some(false));
    handle.request(&Link::without_arp(index)).unwrap();
    assert_eq!(handle.is_without_arp(index).unwrap(), Some(true));
    assert!(handle.delete_link(index).unwrap());
    assert_eq!(handle.is_without_arp(index).unwrap(), None);
}
