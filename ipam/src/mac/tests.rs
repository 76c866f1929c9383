use std::collections::HashSet;

use super::*;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn a_mac_is_read_in_either_case_and_written_in_one() {
    for text in ["0a:1B:2c:3D:4e:5F", "0A-1b-2C-3d-4E-5f"] {
        assert_eq!(text.parse::<Mac>().unwrap().to_string(), "0a:1b:2c:3d:4e:5f");
    }
}

#[test]
fn a_text_that_is_not_six_pairs_is_refused() {
    let long = "x".repeat(500);
    for text in [
        "",
        "0a:1b:2c:3d:4e",
        "0a:1b:2c:3d:4e:5f:60",
        "0a:1b:2c:3d:4e:5g",
        "a:1b:2c:3d:4e:5f",
        "+a:1b:2c:3d:4e:5f",
    ] {
        assert!(text.parse::<Mac>().is_err(), "{text:?}");
    }
    assert!("0a:1b-2c:3d:4e:5f".parse::<Mac>().is_err(), "mixed separators");
    assert_eq!(long.parse::<Mac>().unwrap_err().text.len(), 80);
}

#[test]
fn json_carries_a_mac_as_text() {
    let mac: Mac = serde_json::from_str("\"0a:1b:2c:3d:4e:5f\"").unwrap();
    assert_eq!(serde_json::to_string(&mac).unwrap(), "\"0a:1b:2c:3d:4e:5f\"");
    assert!(serde_json::from_str::<Mac>("\"web\"").is_err());
}

#[test]
fn groups_and_zero_are_not_unicast() {
    for (text, unicast) in [
        ("0a:00:00:00:00:01", true),
        ("00:00:00:00:00:01", true),
        ("00:00:00:00:00:00", false),
        ("01:00:5e:00:00:01", false),
        ("ff:ff:ff:ff:ff:ff", false),
    ] {
        assert_eq!(text.parse::<Mac>().unwrap().is_unicast(), unicast, "{text}");
    }
}

#[test]
fn a_derived_mac_never_changes_over_versions() {
    assert_eq!(Mac::derived("net1", ip("10.0.1.5")).to_string(), "9a:32:0a:00:01:05");
    assert_eq!(Mac::derived("net1", ip("fd00::5")).to_string(), "62:90:a3:35:e6:0c");
}

#[test]
fn derived_macs_are_local_unicast_and_differ_inside_a_subnet() {
    let mut seen = HashSet::new();
    for n in 0..70_000_u32 {
        for ip in [IpAddr::V4((0x0a00_0000 + n).into()), IpAddr::V6((u128::from(n) << 40 | 1).into())] {
            let mac = Mac::derived("net1", ip);
            assert!(mac.is_unicast() && mac.is_local(), "{mac}");
            assert!(seen.insert(mac), "{mac} comes twice, of {ip}");
        }
    }
}

#[test]
fn the_subnet_and_the_attempt_change_a_derived_mac() {
    for address in ["10.0.1.5", "fd00::5"] {
        let mut macs = (0..5).map(|n| Mac::derived_again("net1", ip(address), n)).collect::<HashSet<_>>();
        macs.extend(["net2", "net3"].map(|subnet| Mac::derived(subnet, ip(address))));
        assert_eq!(macs.len(), 7, "{address}");
    }
}
