use super::*;

fn pool(text: &str) -> Vec<String> {
    parse_ip_pool(text).unwrap().iter().map(PoolItem::to_string).collect()
}

fn dual() -> SubnetSpec {
    SubnetSpec::parse("net1", "10.0.1.0/24,fd00::/64", "", &[]).unwrap()
}

fn wishes(text: &str, ordinal: Option<u32>) -> Vec<(Wish, Wish)> {
    let requests = wishes_from_pool(&dual(), &parse_ip_pool(text).unwrap(), ordinal).unwrap();
    requests.into_iter().map(|request| (request.v4, request.v6)).collect()
}

fn exactly(ip: &str) -> Wish {
    Wish::Exactly(ip.parse().unwrap())
}

fn one_of<const N: usize>(ips: [&str; N]) -> Wish {
    Wish::OneOf(ips.map(|ip| Interval::of(ip.parse().unwrap())).to_vec())
}

#[test]
fn the_written_forms_of_a_pool_are_all_read() {
    let cases: [(&str, &[&str]); 9] = [
        ("10.0.1.2", &["10.0.1.2"]),
        ("10.0.1.2;10.0.1.3;", &["10.0.1.2", "10.0.1.3"]),
        ("10.0.1.2,10.0.1.3,10.0.1.4", &["10.0.1.2", "10.0.1.3", "10.0.1.4"]),
        ("10.0.1.2,fd00::2", &["10.0.1.2,fd00::2"]),
        ("fd00::2, 10.0.1.2", &["10.0.1.2,fd00::2"]),
        ("10.0.1.2,fd00::2;10.0.1.3,fd00::3", &["10.0.1.2,fd00::2", "10.0.1.3,fd00::3"]),
        ("10.0.1.2,fd00::2,10.0.1.3", &["10.0.1.2", "fd00::2", "10.0.1.3"]),
        ("10.0.1.2..10.0.1.9,10.0.1.64/30", &["10.0.1.2..10.0.1.9", "10.0.1.64..10.0.1.67"]),
        ("10.0.1.2..10.0.1.9,fd00::2..fd00::9", &["10.0.1.2..10.0.1.9,fd00::2..fd00::9"]),
    ];
    for (text, want) in cases {
        assert_eq!(pool(text), want, "{text}");
        let again = parse_ip_pool(text).unwrap().iter().map(|item| format!("{item};")).collect::<String>();
        assert_eq!(pool(&again), want, "{again}");
    }
}

#[test]
fn a_malformed_pool_is_refused() {
    for text in ["", " ; ", ",", "web", "10.0.1.2;web", "10.0.1.9..10.0.1.2", "10.0.1.2,10.0.1.3;10.0.1.4"] {
        assert!(parse_ip_pool(text).is_err(), "{text:?}");
    }
}

#[test]
fn a_stateful_set_pod_takes_the_item_of_its_number() {
    assert_eq!(wishes("10.0.1.2;10.0.1.7;10.0.1.3", Some(1)), [(exactly("10.0.1.7"), Wish::Any)]);
    assert_eq!(
        wishes("10.0.1.2,fd00::2;10.0.1.7,fd00::7", Some(1)),
        [(exactly("10.0.1.7"), exactly("fd00::7"))]
    );
}

#[test]
fn a_range_numbers_its_addresses_one_by_one() {
    let text = "10.0.1.2..10.0.1.4;10.0.1.9";
    assert_eq!(wishes(text, Some(2)), [(exactly("10.0.1.4"), Wish::Any)]);
    assert_eq!(wishes(text, Some(3)), [(exactly("10.0.1.9"), Wish::Any)]);
    let pairs = "10.0.1.2..10.0.1.4,fd00::a..fd00::ff";
    assert_eq!(wishes(pairs, Some(2)), [(exactly("10.0.1.4"), exactly("fd00::c"))]);
    let beyond = wishes_from_pool(&dual(), &parse_ip_pool(pairs).unwrap(), Some(3));
    assert_eq!(beyond, Err(OrdinalBeyondPool { ordinal: 3, items: 3 }));
}

#[test]
fn other_pods_take_any_item_and_a_pair_only_as_a_pair() {
    let want = [(one_of(["10.0.1.2", "10.0.1.3"]), Wish::Any)];
    assert_eq!(wishes("10.0.1.2;10.0.1.3", None), want);
    let want = [(one_of(["10.0.1.2"]), one_of(["fd00::2"])), (one_of(["10.0.1.3"]), one_of(["fd00::3"]))];
    assert_eq!(wishes("10.0.1.2,fd00::2;10.0.1.3,fd00::3", None), want);
    let want = [(one_of(["10.0.1.2"]), Wish::Any), (Wish::Any, one_of(["fd00::3"]))];
    assert_eq!(wishes("10.0.1.2;fd00::3", None), want);
}
