//! `key=value,key=value` as it stands in `dhcpV4Options` and the like.
//!
//! OVN takes all options of a switch together: one that it cannot read takes DHCP away from every pod. So each is looked
//! at, and what is no option of OVN's is left out while the others work.

use std::collections::BTreeMap;

use super::option_kind::Table;
use crate::finding::{Effect, Fault, Findings, Reason};

/// Reads options. A comma inside `{…}` or `"…"` belongs to the value: `dns_server={8.8.8.8,8.8.4.4}`.
pub(crate) fn options(table: &Table, text: &str, findings: &mut Findings) -> BTreeMap<String, String> {
    let (found, faults) = read(table, text);
    faults.into_iter().for_each(|fault| findings.add(Effect::PartLeftOut, fault));
    found
}

fn read(table: &Table, text: &str) -> (BTreeMap<String, String>, Vec<Fault>) {
    let bad = |why: String| Fault::new(Reason::InvalidOptions, format!("{}: {why}", table.field));
    let mut found = BTreeMap::new();
    let Some(items) = split(text) else {
        let why = "a brace or quotation mark is not closed, so none of it has effect; close it".to_owned();
        return (found, vec![bad(why)]);
    };
    let mut faults = Vec::new();
    for item in items {
        match one(table, item) {
            Ok((key, _)) if found.contains_key(key) => {
                faults.push(bad(format!("{key} stands there twice, the first one counts; remove one")));
            }
            Ok((key, value)) => {
                found.insert(key.to_owned(), value.to_owned());
            }
            Err(why) => faults.push(bad(why)),
        }
    }
    (found, faults)
}

fn one<'a>(table: &Table, item: &'a str) -> Result<(&'a str, &'a str), String> {
    let (key, value) = item.split_once('=').ok_or_else(|| {
        format!("{item:?} has no = and is left out; write key=value, several with commas between")
    })?;
    let (key, value) = (key.trim(), value.trim());
    let kind =
        table.kind(key).ok_or_else(|| format!("{key:?} is no option of OVN's and is left out; remove it"))?;
    if kind.admits(value) {
        return Ok((key, value));
    }
    Err(format!("{key} cannot be {value:?} and is left out; write {key}={}", kind.example()))
}

fn split(text: &str) -> Option<Vec<&str>> {
    let (mut items, mut start, mut depth, mut is_quoted) = (Vec::new(), 0, 0_u32, false);
    for (at, c) in text.char_indices() {
        match c {
            '"' => is_quoted = !is_quoted,
            '{' if !is_quoted => depth += 1,
            '}' if !is_quoted => depth = depth.checked_sub(1)?,
            ',' if !is_quoted && depth == 0 => {
                items.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    items.push(&text[start..]);
    let items = items.into_iter().map(str::trim).filter(|item| !item.is_empty()).collect();
    (depth == 0 && !is_quoted).then_some(items)
}

#[cfg(test)]
mod tests {
    use super::super::option_kind::{DHCP_V4, DHCP_V6, ROUTER_ADVERTISEMENTS};
    use super::*;

    fn kept(table: &Table, text: &str) -> Vec<String> {
        let (found, faults) = read(table, text);
        assert!(faults.is_empty(), "{faults:?}");
        found.iter().map(|(key, value)| format!("{key}={value}")).collect()
    }

    fn faults(table: &Table, text: &str) -> Vec<String> {
        read(table, text).1.into_iter().map(|fault| fault.message).collect()
    }

    #[test]
    fn a_comma_inside_braces_or_quotes_belongs_to_the_value() {
        assert_eq!(
            kept(&DHCP_V4, "lease_time=60, dns_server={8.8.8.8,8.8.4.4},domain_name=\"a,b\""),
            ["dns_server={8.8.8.8,8.8.4.4}", "domain_name=\"a,b\"", "lease_time=60"]
        );
        assert!(kept(&DHCP_V4, "").is_empty());
    }

    #[test]
    fn malformed_options_are_refused() {
        for bad in
            ["lease_time", "=1", "a b=1", "mtu=", "mtu=100,mtu=200", "dns_server={1", "wpad=\"1", "x=}"]
        {
            assert_eq!(faults(&DHCP_V4, bad).len(), 1, "{bad}");
        }
    }

    #[test]
    fn an_option_that_ovn_cannot_read_is_left_out_and_the_others_stay() {
        let (found, faults) = read(&DHCP_V4, "lease_time=abc,foo=bar,router=zz,mtu=1300");
        assert_eq!(found.into_keys().collect::<Vec<_>>(), ["mtu"]);
        let messages: Vec<_> = faults.into_iter().map(|fault| fault.message).collect();
        assert_eq!(
            messages,
            [
                "dhcpV4Options: lease_time cannot be \"abc\" and is left out; write lease_time=3600",
                "dhcpV4Options: \"foo\" is no option of OVN's and is left out; remove it",
                "dhcpV4Options: router cannot be \"zz\" and is left out; write router=10.0.1.1"
            ]
        );
    }

    #[test]
    fn each_kind_of_option_admits_what_ovn_reads() {
        for good in [
            "server_mac=00:00:00:2E:2F:B8,server_id=169.254.0.254",
            "classless_static_route={30.0.0.0/24,10.0.0.10, 0.0.0.0/0,10.0.0.1}",
            "tftp_server=10.0.0.9,ip_forward_enable=1,T1=100",
            "tftp_server=\"boot\"",
        ] {
            kept(&DHCP_V4, good);
        }
        for bad in [
            "domain_name=example.org",
            "classless_static_route={30.0.0.0/24}",
            "ethernet_encap=yes",
            "mtu=67",
            "offerip=10.0.0.1",
            "server_id={10.0.0.1,10.0.0.2}",
            "wpad=\"a\"b\"",
        ] {
            assert_eq!(faults(&DHCP_V4, bad).len(), 1, "{bad}");
        }
        kept(&DHCP_V6, "server_id=00:00:00:2E:2F:C5,dns_server={fd00::1,fd00::2},domain_search=\"a.b\"");
        assert_eq!(faults(&DHCP_V6, "lease_time=60,dns_server=8.8.8.8").len(), 2);
    }

    #[test]
    fn router_advertisements_admit_their_own_options() {
        kept(
            &ROUTER_ADVERTISEMENTS,
            "address_mode=slaac,max_interval=30,min_interval=5,send_periodic=true,mtu=1400,router_preference=HIGH,\
             rdnss=fd00::53,dnssl=a.b,route_info=HIGH-aef1::11/48",
        );
        for bad in ["address_mode=auto", "mtu=1000", "send_periodic=1", "lease_time=60", "route_info=UP-::/0"]
        {
            assert_eq!(faults(&ROUTER_ADVERTISEMENTS, bad).len(), 1, "{bad}");
        }
    }
}
