use super::*;

fn accepted(text: &str) {
    if let Err(error) = Expression::parse(text) {
        panic!("{text}: {error}");
    }
}

fn error(text: &str) -> String {
    match Expression::parse(text) {
        Ok(read) => panic!("{text} was read as {read:?}"),
        Err(error) => error.to_string(),
    }
}

fn destinations_of(text: &str) -> Option<Vec<String>> {
    let found = Expression::parse(text).unwrap().destinations()?;
    Some(found.iter().map(ToString::to_string).collect())
}

#[test]
fn the_guides_matches_are_expressions() {
    accepted("ip4.src==10.0.1.0/24 && ip4.dst==10.0.1.250");
    accepted("ip4.src==10.0.1.0/24");
}

#[test]
fn garbage_is_refused_with_its_place() {
    assert_eq!(error(""), "at character 1: expected a condition here, such as ip4.src == 10.0.1.0/24");
    assert_eq!(error("ip4.src = 10.0.0.1"), "at character 9: '=' means nothing here");
    assert_eq!(
        error("ip4.source == 10.0.0.1"),
        "at character 1: \"ip4.source\" is no field that a match may use"
    );
    assert_eq!(error("(ip4 && tcp"), "at character 12: expected ) here");
    assert_eq!(error("ip4)"), "at character 4: this parenthesis was never opened");
    assert_eq!(error("ip4 tcp"), "at character 5: expected && or || or the end here");
    assert_eq!(error("ip4.src"), "at character 1: ip4.src is compared with nothing; write ip4.src == …");
    assert_eq!(error("ip4 &&"), "at character 7: expected a condition here, such as ip4.src == 10.0.1.0/24");
    assert_eq!(error("inport == \"web"), "at character 11: the quotation mark is not closed");
}

#[test]
fn what_ovn_reads_differently_is_refused() {
    assert_eq!(
        error("ip4 && tcp || udp"),
        "at character 12: && and || stand side by side; put one of them in parentheses"
    );
    assert_eq!(error("!ip4.src == 10.0.0.1"), "at character 2: put what stands after ! in parentheses");
    assert_eq!(error("tcp.dst == 70000"), "at character 12: expected a number from 0 to 65535 here");
    assert_eq!(
        error("ip4.src == fd00::1"),
        "at character 12: expected an IPv4 address, a range of them or an address set $name here"
    );
    assert_eq!(error("ip.proto > 6"), "at character 12: only == and != work here, not >");
    assert_eq!(error("tcp.dst > {80, 443}"), "at character 11: only == and != work here, not >");
    assert!(error("ip4 && !tcp").starts_with("at character 9: tcp can be asked for, but not excluded; "));
    assert!(
        error("ip.proto != 6").starts_with("at character 1: ip.proto can be asked for, but not excluded")
    );
    assert_eq!(error("!!ip4"), "at character 2: two ! side by side; leave both out");
    assert_eq!(error("tcp.dst == {}"), "at character 12: the set is empty");
    assert!(error("reg0 == 1").contains("no field"));
}

#[test]
fn no_text_makes_the_reader_panic_or_recurse_for_ever() {
    for text in
        ["(".repeat(100_000), "!".repeat(100_000), "ip4 && ".repeat(1000), "{[..}".into(), "é == ü".into()]
    {
        let _ = Expression::parse(&text);
    }
    for word in
        ["1/", "/", "::/200", "10.0.0.0/33", "0x", "99999999999999999999999999999999999999999", "ip4.dst["]
    {
        let _ = Expression::parse(word).map(|read| read.destinations());
        let _ = Expression::parse(&format!("ip4.dst == {word}")).map(|read| read.destinations());
    }
}

#[test]
fn the_destinations_of_a_match_are_known_when_it_names_them() {
    let guide = destinations_of("ip4.src==10.0.1.0/24 && ip4.dst==10.0.1.250").unwrap();
    assert_eq!(guide, ["10.0.1.250/32"]);
    assert_eq!(destinations_of("ip4.dst == {10.0.0.0/8, 1.2.3.4}").unwrap(), ["10.0.0.0/8", "1.2.3.4/32"]);
    assert_eq!(destinations_of("ip4.dst == 10.0.0.1 || ip6.dst == fd00::/64").unwrap().len(), 2);
    assert_eq!(destinations_of("ip4.dst == 0.0.0.0/0").unwrap(), ["0.0.0.0/0"]);
    assert_eq!(destinations_of("ip4.dst == 10.0.1.5/24").unwrap(), ["10.0.1.0/24"]);
}

#[test]
fn other_matches_may_have_any_destination() {
    for text in [
        "ip4.src == 10.0.0.0/8",
        "ip4.dst == 10.0.0.1 || tcp",
        "ip4.dst != 10.0.0.1",
        "!(ip4.dst == 10.0.0.1)",
        "ip4.dst == $set",
        "ip4.dst == 10.0.0.1/255.0.0.255",
        "ip4.dst[0..7] == 1",
    ] {
        assert_eq!(destinations_of(text), None, "{text}");
    }
}

#[test]
fn the_version_of_ip_that_a_match_needs_is_known() {
    let versions = |text: &str| {
        let read = Expression::parse(text).unwrap();
        (read.admits(Family::V4), read.admits(Family::V6))
    };
    for text in
        ["ip4", "ip4.src == 10.0.0.1", "ip4.dst != 10.0.0.1 && tcp", "10.0.0.1 == ip4.src", "icmp4.type == 8"]
    {
        assert_eq!(versions(text), (true, false), "{text}");
    }
    for text in ["ip6 && tcp.dst == 80", "ip6.dst == $set", "(nd || icmp6)", "ip6.dst[0..7] == 1"] {
        assert_eq!(versions(text), (false, true), "{text}");
    }
    for text in ["ip", "tcp", "1", "ip4 || ip6", "!(ip4.src == 10.0.0.1)"] {
        assert_eq!(versions(text), (true, true), "{text}");
    }
}

#[test]
fn what_a_match_names_is_known() {
    let read = Expression::parse("inport == {\"web.ns\", @group} && ip4.src == $set && !(ip6.dst == $other)")
        .unwrap();
    let names: Vec<_> = read.names().cloned().collect();
    let set = |name: &str| Name::AddressSet(name.into());
    let (group, port) = (Name::PortGroup("group".into()), Name::Port("web.ns".into()));
    assert_eq!(names, [set("other"), set("set"), group, port]);
    assert!(read.asks_for("inport") && !read.asks_for("outport"));
    assert!(Expression::parse("\"a\" == outport").unwrap().asks_for("outport"));
}
