use proptest::prelude::*;
use std::collections::BTreeSet;

use super::*;
use crate::interval::Interval;
use crate::ip_pool::{parse_ip_pool, wishes_from_pool};
use crate::request::{Request, Wish};

mod model_tests;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn mac(text: &str) -> Mac {
    text.parse().unwrap()
}

fn spec(cidr: &str, exclude: &[&str]) -> SubnetSpec {
    let exclude = exclude.iter().map(|&entry| entry.to_owned()).collect::<Vec<_>>();
    SubnetSpec::parse("net1", cidr, "", &exclude).unwrap()
}

fn subnet(cidr: &str, exclude: &[&str]) -> Subnet {
    Subnet::new(spec(cidr, exclude))
}

fn exactly(address: &str) -> Request {
    let mut request = Request::default();
    request.set(Family::of(ip(address)), Wish::Exactly(ip(address)));
    request
}

fn take(subnet: &mut Subnet, request: &Request) -> Result<String, PickError> {
    let pick = subnet.pick(request)?;
    subnet.take(&pick)?;
    Ok(pick.addresses().to_string())
}

fn take_any(subnet: &mut Subnet) -> Result<String, PickError> {
    let request = Request::any_for(subnet.spec());
    take(subnet, &request)
}

#[test]
fn a_dual_claim_gets_both_families_and_a_mac_of_its_ipv4_address() {
    let mut subnet = subnet("10.0.1.0/24,fd00::/64", &[]);
    let pick = subnet.pick(&Request::any_for(subnet.spec())).unwrap();
    assert_eq!(pick.addresses().to_string(), "10.0.1.2,fd00::2");
    assert_eq!(pick.mac(), Mac::derived("net1", ip("10.0.1.2")));
    subnet.take(&pick).unwrap();
    assert_eq!(take_any(&mut subnet).unwrap(), "10.0.1.3,fd00::3");
}

#[test]
fn a_full_family_refuses_the_whole_claim_and_takes_nothing() {
    let mut subnet = subnet("10.0.1.0/30,fd00::/64", &[]);
    take_any(&mut subnet).unwrap();
    let before = subnet.clone();
    let full = PickError::Exhausted { subnet: "net1".into(), family: Family::V4 };
    assert_eq!(take_any(&mut subnet), Err(full));
    assert_eq!(subnet, before);
}

#[test]
fn a_static_request_may_have_an_excluded_address_but_not_these() {
    let mut subnet = subnet("10.0.1.0/24", &["10.0.1.10..10.0.1.20"]);
    assert_eq!(take(&mut subnet, &exactly("10.0.1.15")).unwrap(), "10.0.1.15");
    subnet.set_aside(ip("10.0.1.16"));
    let name = || "net1".to_owned();
    let cases = [
        ("10.0.1.15", PickError::Held { ip: ip("10.0.1.15"), subnet: name() }),
        ("10.0.1.16", PickError::SetAside { ip: ip("10.0.1.16"), subnet: name() }),
        ("10.0.1.1", PickError::IsGateway { ip: ip("10.0.1.1"), subnet: name() }),
        ("10.0.1.0", PickError::IsNetworkOrBroadcast { ip: ip("10.0.1.0"), subnet: name() }),
        ("10.0.1.255", PickError::IsNetworkOrBroadcast { ip: ip("10.0.1.255"), subnet: name() }),
        (
            "10.0.2.5",
            PickError::OutsideSubnet { ip: ip("10.0.2.5"), subnet: name(), cidr: "10.0.1.0/24".into() },
        ),
        ("fd00::5", PickError::FamilyNotServed { subnet: name(), family: Family::V6 }),
    ];
    for (address, wanted) in cases {
        assert_eq!(take(&mut subnet, &exactly(address)), Err(wanted), "{address}");
    }
}

#[test]
fn an_address_in_the_place_of_the_other_family_is_outside() {
    let subnet = subnet("10.0.1.0/24,fd00::/64", &[]);
    let request = Request { v6: Wish::Exactly(ip("10.0.1.5")), ..Request::default() };
    assert!(matches!(subnet.pick(&request), Err(PickError::OutsideSubnet { .. })));
    let nothing = PickError::NothingAsked { subnet: "net1".into() };
    assert_eq!(subnet.pick(&Request::default()), Err(nothing));
}

#[test]
fn a_pool_gives_the_first_free_item_and_pairs_stay_pairs() {
    let mut subnet = subnet("10.0.1.0/24,fd00::/64", &["10.0.1.9"]);
    let items = parse_ip_pool("10.0.1.9,fd00::9;10.0.1.7,fd00::7").unwrap();
    let requests = wishes_from_pool(subnet.spec(), &items, None).unwrap();
    subnet.hold(ip("fd00::9"), None);
    let pick = subnet.pick_first(&requests).unwrap();
    assert_eq!(pick.addresses().to_string(), "10.0.1.7,fd00::7");
    subnet.take(&pick).unwrap();
    let full = subnet.pick_first(&requests).unwrap_err();
    assert_eq!(
        full.to_string(),
        "none of the listed addresses 10.0.1.9,fd00::9,10.0.1.7,fd00::7 is free in subnet net1"
    );
    subnet.release(ip("fd00::9"));
    assert_eq!(subnet.pick_first(&requests).unwrap().addresses().to_string(), "10.0.1.9,fd00::9");
}

#[test]
fn a_pool_of_one_family_leaves_the_other_dynamic_and_skips_what_no_pod_can_have() {
    let mut subnet = subnet("10.0.1.0/24,fd00::/64", &[]);
    let items = parse_ip_pool("10.0.1.0/30").unwrap();
    let requests = wishes_from_pool(subnet.spec(), &items, None).unwrap();
    let pick = subnet.pick_first(&requests).unwrap();
    assert_eq!(pick.addresses().to_string(), "10.0.1.2,fd00::2");
    subnet.take(&pick).unwrap();
    assert_eq!(subnet.pick_first(&requests).unwrap().addresses().to_string(), "10.0.1.3,fd00::3");
    let elsewhere =
        wishes_from_pool(subnet.spec(), &parse_ip_pool("10.9.0.1;10.9.0.2").unwrap(), None).unwrap();
    assert!(matches!(subnet.pick_first(&elsewhere), Err(PickError::OutsideSubnet { .. })));
}

#[test]
fn a_static_mac_is_unicast_and_unique_inside_the_subnet() {
    let mut subnet = subnet("10.0.1.0/24,fd00::/64", &[]);
    let request = |text| Request::any_for(&spec("10.0.1.0/24,fd00::/64", &[])).with_mac(Some(mac(text)));
    take(&mut subnet, &request("0a:00:00:00:00:01")).unwrap();
    let held = PickError::MacHeld { mac: mac("0a:00:00:00:00:01"), subnet: "net1".into() };
    assert_eq!(take(&mut subnet, &request("0a:00:00:00:00:01")), Err(held));
    let group = PickError::MacNotUnicast { mac: mac("01:00:5e:00:00:01") };
    assert_eq!(take(&mut subnet, &request("01:00:5e:00:00:01")), Err(group));
    subnet.release(ip("10.0.1.2"));
    assert!(subnet.pick(&request("0a:00:00:00:00:01")).is_err(), "the IPv6 half still has it");
    subnet.release(ip("fd00::2"));
    assert!(subnet.pick(&request("0a:00:00:00:00:01")).is_ok());
}

#[test]
fn a_derived_mac_that_somebody_chose_before_is_derived_again() {
    let mut subnet = subnet("10.0.1.0/24", &[]);
    let first = Mac::derived("net1", ip("10.0.1.2"));
    subnet.hold(ip("10.0.1.200"), Some(first));
    let pick = subnet.pick(&Request::any_for(subnet.spec())).unwrap();
    assert_eq!(pick.addresses().to_string(), "10.0.1.2");
    assert_eq!(pick.mac(), Mac::derived_again("net1", ip("10.0.1.2"), 1));
}

#[test]
fn a_mac_that_was_replaced_or_given_back_is_free_again() {
    let mut subnet = subnet("10.0.1.0/24", &[]);
    let request = Request::any_for(subnet.spec()).with_mac(Some(mac("0a:00:00:00:00:01")));
    subnet.hold(ip("10.0.1.9"), request.mac);
    assert!(subnet.pick(&request).is_err());
    subnet.hold(ip("10.0.1.9"), Some(mac("0a:00:00:00:00:02")));
    let pick = subnet.pick(&request).unwrap();
    subnet.take(&pick).unwrap();
    subnet.give_back(&pick);
    assert_eq!(subnet.pick(&request), Ok(pick));
}

#[test]
fn a_pick_whose_mac_was_held_since_is_not_taken() {
    let mut subnet = subnet("10.0.1.0/24", &[]);
    let pick = subnet.pick(&Request::any_for(subnet.spec())).unwrap();
    subnet.hold(ip("10.0.1.9"), Some(pick.mac()));
    assert!(matches!(subnet.take(&pick), Err(PickError::MacHeld { .. })));
    assert!(!subnet.is_held(ip("10.0.1.2")));
}

#[test]
fn taking_a_pick_that_is_out_of_date_changes_nothing() {
    let mut subnet = subnet("10.0.1.0/24", &[]);
    let pick = subnet.pick(&Request::any_for(subnet.spec())).unwrap();
    subnet.take(&pick).unwrap();
    let before = subnet.clone();
    assert!(matches!(subnet.take(&pick), Err(PickError::Held { .. })));
    assert_eq!(subnet, before);
    subnet.release(ip("10.0.1.2"));
    assert!(matches!(subnet.take(&pick), Err(PickError::Stale { .. })));
    subnet.set_aside(ip("10.0.1.2"));
    assert!(matches!(subnet.take(&pick), Err(PickError::SetAside { .. })));
}

#[test]
fn a_stored_claim_is_held_wherever_it_lies_and_reported() {
    let mut subnet = subnet("10.0.1.0/24", &["10.0.1.10"]);
    subnet.set_aside(ip("10.0.1.30"));
    let cases = [
        ("10.0.1.5", Place::Dynamic, false),
        ("10.0.1.10", Place::Excluded, false),
        ("10.0.1.1", Place::Gateway, false),
        ("10.0.1.0", Place::NetworkOrBroadcast, false),
        ("10.9.0.1", Place::OutsideSubnet, false),
        ("fd00::1", Place::FamilyNotServed, false),
        ("10.0.1.30", Place::Dynamic, true),
    ];
    for (address, place, set_aside) in cases {
        let wanted = Held { already: false, place, set_aside, same_mac: vec![] };
        assert_eq!(subnet.hold(ip(address), None), wanted, "{address}");
        assert!(subnet.hold(ip(address), None).already, "{address}");
    }
    let counts = subnet.counts();
    // Usable less gateway, the excluded one, 10.0.1.5 and the one set aside.
    assert_eq!(counts.v4, Some(Counts { available: 250, using: 6 }));
    assert_eq!(counts.v6, Some(Counts { available: 0, using: 1 }));
}

#[test]
fn a_stored_claim_with_anothers_mac_is_reported_but_its_own_pair_is_not() {
    let mut subnet = subnet("10.0.1.0/24,fd00::/64", &[]);
    let shared = Some(mac("0a:00:00:00:00:01"));
    subnet.hold(ip("10.0.1.5"), shared);
    assert_eq!(subnet.hold(ip("fd00::5"), shared).same_mac, Vec::<IpAddr>::new());
    assert_eq!(subnet.hold(ip("10.0.1.6"), shared).same_mac, [ip("10.0.1.5")]);
}

#[test]
fn a_changed_spec_keeps_what_is_held_released_and_set_aside() {
    let mut subnet = subnet("10.0.1.0/29", &[]);
    assert_eq!(take_any(&mut subnet).unwrap(), "10.0.1.2");
    assert_eq!(take_any(&mut subnet).unwrap(), "10.0.1.3");
    subnet.release(ip("10.0.1.2"));
    subnet.set_aside(ip("10.0.1.4"));
    subnet.respec(spec("10.0.1.0/28,fd00::/64", &["10.0.1.5..10.0.1.13"]));
    assert_eq!(take_any(&mut subnet).unwrap(), "10.0.1.14,fd00::2");
    assert_eq!(take_any(&mut subnet).unwrap(), "10.0.1.2,fd00::3", "the released one comes last");
    assert!(take_any(&mut subnet).is_err(), "10.0.1.4 is set aside, 10.0.1.3 held");
    subnet.respec(spec("10.0.9.0/29", &[]));
    let using = subnet.usage().v4.unwrap().using_ranges;
    assert_eq!(using, "10.0.1.2-10.0.1.3,10.0.1.14");
    assert_eq!(subnet.usage().v6.unwrap().using, 2, "claims of a family that is gone are still claims");
}

#[test]
fn usage_has_the_form_of_the_subnet_status() {
    let mut subnet = subnet("10.0.1.0/24", &["10.0.1.100..10.0.1.200"]);
    for address in ["10.0.1.5", "10.0.1.6", "10.0.1.150"] {
        take(&mut subnet, &exactly(address)).unwrap();
    }
    let usage = Usage {
        available: 254 - 1 - 101 - 2,
        using: 3,
        available_ranges: "10.0.1.2-10.0.1.4,10.0.1.7-10.0.1.99,10.0.1.201-10.0.1.254".into(),
        using_ranges: "10.0.1.5-10.0.1.6,10.0.1.150".into(),
    };
    assert_eq!(subnet.usage(), DualStack { v4: Some(usage), v6: None });
}

#[test]
fn avoided_addresses_are_passed_over_only_by_a_dynamic_wish() {
    let subnet = subnet("10.0.1.0/24", &[]);
    let mut request = Request::any_for(subnet.spec());
    request.avoid = BTreeSet::from([ip("10.0.1.2"), ip("10.0.1.3"), ip("fd00::4")]);
    assert_eq!(subnet.pick(&request).unwrap().addresses().to_string(), "10.0.1.4");
    request.v4 = Wish::Exactly(ip("10.0.1.2"));
    assert!(subnet.pick(&request).is_ok());
}

#[test]
fn a_snapshot_prints_the_whole_state() {
    let mut subnet = subnet("10.0.1.0/29", &["10.0.1.6"]);
    take_any(&mut subnet).unwrap();
    subnet.hold(ip("10.0.1.3"), Some(mac("0a:00:00:00:00:01")));
    subnet.release(ip("10.0.1.2"));
    subnet.set_aside(ip("10.0.1.5"));
    let wanted = "subnet net1\n\
        IPv4 available: 10.0.1.2,10.0.1.4\n\
        IPv4 excluded: 10.0.1.1,10.0.1.6\n\
        IPv4 held: 10.0.1.3\n\
        IPv4 set aside: 10.0.1.5\n\
        IPv4 released lately: 10.0.1.2\n\
        10.0.1.3 has 0a:00:00:00:00:01\n";
    assert_eq!(subnet.snapshot().to_string(), wanted);
}
