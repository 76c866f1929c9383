use super::*;

fn parse(cidr: &str, gateway: &str, exclude: &[&str]) -> Result<SubnetSpec, SpecError> {
    let exclude = exclude.iter().map(|&entry| entry.to_owned()).collect::<Vec<_>>();
    SubnetSpec::parse("net1", cidr, gateway, &exclude)
}

fn shown(spec: &SubnetSpec, family: Family) -> [String; 4] {
    let one = spec.family(family).unwrap();
    [
        one.cidr().to_string(),
        one.gateway().to_string(),
        one.usable().display(family).to_string(),
        one.excluded().display(family).to_string(),
    ]
}

#[test]
fn usable_addresses_leave_out_the_first_and_the_last_unless_there_are_two_at_most() {
    let cases = [
        ("10.0.1.0/24", "10.0.1.1-10.0.1.254"),
        ("10.0.1.0/30", "10.0.1.1-10.0.1.2"),
        ("10.0.1.2/31", "10.0.1.2-10.0.1.3"),
        ("10.0.1.7/32", "10.0.1.7"),
        ("0.0.0.0/0", "0.0.0.1-255.255.255.254"),
        ("fd00::/64", "fd00::1-fd00::ffff:ffff:ffff:fffe"),
        ("fd00::/127", "fd00::-fd00::1"),
        ("fd00::7/128", "fd00::7"),
        ("::/0", "::1-ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe"),
    ];
    for (cidr, want) in cases {
        let spec = parse(cidr, "", &[]).unwrap();
        let (family, one) = spec.families().iter().next().unwrap();
        assert_eq!(one.usable().display(family).to_string(), want, "{cidr}");
        assert_eq!(
            number(one.gateway()),
            one.usable().first(),
            "{cidr}: a missing gateway is the first usable"
        );
    }
}

#[test]
fn a_dual_spec_is_read_in_either_order_and_completes_a_missing_gateway() {
    for cidr in ["10.0.1.5/24,fd00::/64", "fd00::9/64, 10.0.1.0/24"] {
        let spec =
            parse(cidr, "10.0.1.254", &["10.0.1.10..10.0.1.20", "fd00::2", "10.0.1.15..10.0.1.30"]).unwrap();
        let v4 = ["10.0.1.0/24", "10.0.1.254", "10.0.1.1-10.0.1.254", "10.0.1.10-10.0.1.30,10.0.1.254"];
        let v6 = ["fd00::/64", "fd00::1", "fd00::1-fd00::ffff:ffff:ffff:fffe", "fd00::1-fd00::2"];
        assert_eq!(shown(&spec, Family::V4), v4, "{cidr}");
        assert_eq!(shown(&spec, Family::V6), v6, "{cidr}");
        assert!(spec.warnings().is_empty());
    }
}

#[test]
fn an_unusable_spec_names_the_field_and_the_text() {
    let cases: [(&str, &str, &[&str], &str, &str); 9] = [
        ("", "", &[], "cidrBlock", "no address is given"),
        ("10.0.1.0", "", &[], "cidrBlock", "\"10.0.1.0\" is not a CIDR"),
        ("10.0.1.0/33", "", &[], "cidrBlock", "\"10.0.1.0/33\""),
        ("10.0.1.0/24,10.0.2.0/24", "", &[], "cidrBlock", "more than one IPv4"),
        ("10.0.1.0/24", "gw", &[], "gateway", "\"gw\""),
        ("10.0.1.0/24", "10.0.1.1,10.0.1.2", &[], "gateway", "more than one IPv4"),
        ("10.0.1.0/24", "", &["10.0.1.9..10.0.1.2"], "excludeIps", "\"10.0.1.9..10.0.1.2\" ends before"),
        ("10.0.1.0/24", "", &["10.0.1.9..fd00::2"], "excludeIps", "mixes"),
        ("10.0.1.0/24", "", &["10.0.1.9-10.0.1.12"], "excludeIps", "\"10.0.1.9-10.0.1.12\""),
    ];
    for (cidr, gateway, exclude, field, text) in cases {
        let error = parse(cidr, gateway, exclude).unwrap_err();
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(error.to_string().contains(field), "{error}");
        assert!(source.contains(text), "{source}");
    }
}

#[test]
fn a_gateway_outside_the_cidr_is_refused() {
    for gateway in ["10.0.2.1", "fd00::1", "10.0.1.1,fd00::1"] {
        let error = parse("10.0.1.0/24", gateway, &[]).unwrap_err();
        assert!(error.to_string().ends_with("is not in 10.0.1.0/24"), "{error}");
    }
}

#[test]
fn an_exclude_entry_without_effect_is_a_warning() {
    let spec = parse(
        "10.0.1.0/24",
        "",
        &["10.0.2.1", "fd00::1..fd00::9", "10.0.1.64/26", " ", "10.0.0.0..10.0.1.3"],
    );
    let spec = spec.unwrap();
    let outside = |entry: &str| SpecWarning::ExcludeOutside { entry: entry.into() };
    let cidr = SpecWarning::ExcludeIsCidr { entry: "10.0.1.64/26".into() };
    assert_eq!(spec.warnings(), [outside("10.0.2.1"), outside("fd00::1..fd00::9"), cidr]);
    assert_eq!(shown(&spec, Family::V4)[3], "10.0.1.1-10.0.1.3");
}

#[test]
fn a_subnet_with_nothing_to_give_is_a_warning() {
    let full = SpecWarning::NothingDynamic { family: Family::V4 };
    assert_eq!(parse("10.0.1.7/32", "", &[]).unwrap().warnings(), std::slice::from_ref(&full));
    assert_eq!(parse("10.0.1.0/30,fd00::/64", "", &["10.0.1.2"]).unwrap().warnings(), [full]);
}
