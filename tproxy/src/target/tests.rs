use super::*;

fn pod(name: &str, ip: &str, ports: &[u16]) -> Pod {
    Pod {
        key: PodKey::new("default", name),
        vpc: format!("vpc-{name}"),
        host_side: HostSide::new(&format!("veth-{name}"), 7).unwrap(),
        mac: [2, 0, 0, 0, 0, 1],
        addresses: [ip.parse().unwrap()].into(),
        ports: ports.iter().copied().collect(),
    }
}

fn table(pods: &[&Pod]) -> TargetTable {
    pods.iter().map(|pod| (*pod).clone()).collect()
}

fn ports(table: &TargetTable, name: &str) -> Vec<u16> {
    let target = table.target(&PodKey::new("default", name));
    target.map(|target| target.endpoints.iter().map(|endpoint| endpoint.port).collect()).unwrap_or_default()
}

#[test]
fn a_pod_is_reached_at_every_address_and_port_but_port_zero() {
    let mut both = pod("a", "10.0.1.5", &[0, 80, 443]);
    both.addresses.insert("fd00::5".parse().unwrap());

    let target = table(&[&both]).target(&both.key).unwrap();

    let texts: Vec<_> = target.endpoints.iter().map(ToString::to_string).collect();
    assert_eq!(texts, ["10.0.1.5:80", "10.0.1.5:443", "[fd00::5]:80", "[fd00::5]:443"]);
}

#[test]
fn a_clash_names_both_pods_and_the_first_keeps_the_path() {
    let (a, b) = (pod("a", "10.0.1.5", &[80, 81]), pod("b", "10.0.1.5", &[80, 82]));

    let table = table(&[&b, &a]);

    assert_eq!((ports(&table, "b"), ports(&table, "a")), (vec![80, 82], vec![81]));
    let clashes = table.clashes();
    assert_eq!(clashes.len(), 1);
    let text = clashes[0].to_string();
    let wanted =
        "probes of 10.0.1.5:80 reach pod default/b and so cannot reach pod default/a on the same node";
    assert_eq!(text, wanted);
}

#[test]
fn an_endpoint_passes_on_when_its_pod_goes() {
    let (a, b) = (pod("a", "10.0.1.5", &[80]), pod("b", "10.0.1.5", &[80]));
    let mut table = table(&[&a, &b]);
    assert_eq!(ports(&table, "b"), []);

    assert_eq!(table.remove(&a.key), Some(a.clone()));

    assert_eq!(ports(&table, "b"), [80]);
    assert!(table.clashes().is_empty());
    assert_eq!(table.remove(&a.key), None);
}

#[test]
fn a_pod_that_changes_keeps_its_place() {
    let (a, b) = (pod("a", "10.0.1.5", &[80]), pod("b", "10.0.1.5", &[80, 81]));
    let mut table = table(&[&a, &b]);

    table.insert(pod("a", "10.0.1.5", &[80, 81]));

    assert_eq!((ports(&table, "a"), ports(&table, "b")), (vec![80, 81], vec![]));
    assert_eq!(table.pods().count(), 2);
}

#[test]
fn same_address_with_other_ports_is_no_clash() {
    let (a, b) = (pod("a", "10.0.1.5", &[80]), pod("b", "10.0.1.5", &[81]));

    let table = table(&[&a, &b]);

    assert!(table.clashes().is_empty());
    assert_eq!(table.targets().count(), 2);
}

#[test]
fn a_change_touches_those_who_want_the_same() {
    let (a, b, c) = (pod("a", "10.0.1.5", &[80]), pod("b", "10.0.1.5", &[81]), pod("c", "10.0.1.6", &[80]));
    let table = table(&[&a, &b, &c]);

    let touched = table.touched_by(&pod("d", "10.0.1.5", &[80, 82]));

    let names: Vec<_> = touched.iter().map(|key| key.name.as_str()).collect();
    assert_eq!(names, ["a", "d"]);
}

#[test]
fn a_device_name_that_no_device_can_have_is_refused() {
    for bad in ["", "a\0b", "abcdefghijklmnop"] {
        assert!(HostSide::new(bad, 1).is_err(), "{bad:?}");
    }
}
