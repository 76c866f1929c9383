//! What is sent to the node's Open vSwitch for small states of it, and that its schema takes it.

use ovsdb::op::{Mutator, Operation};
use ovsdb::value::{Atom, Row, Uuid, Value};
use std::collections::BTreeSet;

use super::*;
use crate::cell::FoundColumns;
use crate::schema_check::{installed, misfit};

const SCHEMA: &str = "/usr/share/openvswitch/vswitch.ovsschema";
const BRIDGE: Uuid = Uuid([1; 16]);
const PORT: Uuid = Uuid([2; 16]);
const INTERFACE: Uuid = Uuid([3; 16]);
const QOS: Uuid = Uuid([4; 16]);
const QUEUE: Uuid = Uuid([5; 16]);

fn wanted() -> PodPort {
    PodPort {
        bridge: "br-int".into(),
        interface: PodInterface {
            name: "84449a466cca_h".into(),
            iface_id: "two1.ns1".into(),
            pod: "two1".into(),
            namespace: "ns1".into(),
            netns: "/run/netns/ku-two1".into(),
            ips: vec!["10.0.1.4".parse().unwrap(), "fd00::4".parse().unwrap()],
            encap_ip: Some("172.30.0.1".parse().unwrap()),
            policing: Some(Policing::of_megabits(1, None)),
        },
        shaping: Some(Shaping::of_megabits(3, None)),
    }
}

fn columns<const N: usize>(columns: [(&str, Value); N]) -> FoundColumns {
    columns.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn ids<const N: usize>(pairs: [(&str, &str); N]) -> Value {
    Value::map(pairs)
}

/// A bridge, with the wanted port on it as far as `interface` says what that is.
fn local(interface: Option<Value>) -> Local {
    let mut local = Local::new();
    let ports = if interface.is_some() { PORT.into() } else { Value::empty() };
    local.put(LocalTable::Bridge, BRIDGE, columns([("name", "br-int".into()), ("ports", ports)]));
    if let Some(external_ids) = interface {
        let name: Value = "84449a466cca_h".into();
        let port = columns([("name", name.clone()), ("interfaces", INTERFACE.into()), ("qos", QOS.into())]);
        local.put(LocalTable::Port, PORT, port);
        local.put(
            LocalTable::Interface,
            INTERFACE,
            columns([("name", name), ("external_ids", external_ids)]),
        );
        let made_for = ids([("iface-id", "two1.ns1"), ("pod", "ns1/two1")]);
        let queues = Value::map([(0, QUEUE)]);
        local.put(LocalTable::Qos, QOS, columns([("queues", queues), ("external_ids", made_for.clone())]));
        let limit = ids([("max-rate", "3000000"), ("burst", "300000")]);
        local.put(LocalTable::Queue, QUEUE, columns([("other_config", limit), ("external_ids", made_for)]));
    }
    local
}

fn ours() -> Value {
    ids([("iface-id", "two1.ns1"), ("vendor", "kube-ovn"), ("ovn-installed", "true")])
}

fn names(operations: &[Operation]) -> Vec<(&str, &str)> {
    operations.iter().map(|op| (op.name(), op.table().unwrap_or_default())).collect()
}

fn inserted<'a>(operations: &'a [Operation], of: &str) -> &'a Row {
    let row = operations.iter().find_map(|operation| {
        if let Operation::Insert { table, row, .. } = operation { (table == of).then_some(row) } else { None }
    });
    row.unwrap()
}

#[test]
fn a_new_port_is_one_transaction_with_upstreams_columns() {
    let operations = add_pod_port(&wanted(), &local(None)).unwrap();
    assert_eq!(
        names(&operations),
        [
            ("wait", "Bridge"),
            ("mutate", "Interface"),
            ("insert", "Interface"),
            ("insert", "Queue"),
            ("insert", "QoS"),
            ("insert", "Port"),
            ("mutate", "Bridge"),
        ]
    );
    let interface = inserted(&operations, "Interface");
    let expected = ids([
        ("encap-ip", "172.30.0.1"),
        ("iface-id", "two1.ns1"),
        ("ip", "10.0.1.4,fd00::4"),
        ("pod_name", "two1"),
        ("pod_namespace", "ns1"),
        ("pod_netns", "/run/netns/ku-two1"),
        ("vendor", "kube-ovn"),
    ]);
    assert_eq!(interface["external_ids"], expected);
    assert_eq!(
        (&interface["ingress_policing_rate"], &interface["ingress_policing_burst"]),
        (&1000.into(), &800.into())
    );
    let queue = inserted(&operations, "Queue");
    assert_eq!(queue["other_config"], ids([("burst", "300000"), ("max-rate", "3000000")]));
    assert_eq!(inserted(&operations, "QoS")["type"], "linux-htb".into());
}

#[test]
fn the_installed_schema_takes_every_column_that_is_written_and_has_every_one_that_is_watched() {
    let Some(schema) = installed(SCHEMA) else { return };
    let tables = &schema["tables"];
    for operation in add_pod_port(&wanted(), &local(None)).unwrap() {
        let Operation::Insert { table, row, .. } = operation else { continue };
        for (column, value) in row {
            let column_type = &tables[&table]["columns"][&column]["type"];
            assert_eq!(misfit(column_type, &value), None, "{table}.{column}");
        }
    }
    for table in LocalTable::ALL {
        for column in table.columns() {
            assert!(!tables[table.name()]["columns"][column].is_null(), "{table}.{column}");
        }
    }
}

#[test]
fn an_older_sandbox_of_the_pod_loses_the_switch_port_and_nobody_else_does() {
    let operations = add_pod_port(&wanted(), &local(None)).unwrap();
    let Operation::Mutate { conditions, mutations, .. } = &operations[1] else { unreachable!() };
    let texts: Vec<String> = conditions.iter().map(|of| serde_json::to_string(of).unwrap()).collect();
    assert_eq!(
        texts,
        [
            r#"["external_ids","includes",["map",[["iface-id","two1.ns1"]]]]"#,
            r#"["external_ids","includes",["map",[["vendor","kube-ovn"]]]]"#,
            r#"["name","!=","84449a466cca_h"]"#,
        ]
    );
    assert_eq!(mutations[0].mutator, Mutator::Delete);
    assert_eq!(mutations[0].value, "iface-id".into());
}

#[test]
fn a_port_that_is_there_is_brought_up_to_date_and_keeps_its_queue() {
    let operations = add_pod_port(&wanted(), &local(Some(ours()))).unwrap();
    assert_eq!(
        names(&operations),
        [
            ("wait", "Bridge"),
            ("mutate", "Interface"),
            ("wait", "Interface"),
            ("update", "Interface"),
            ("mutate", "Interface"),
        ]
    );
}

#[test]
fn another_limit_replaces_the_queue_and_no_limit_removes_it() {
    let other = PodPort { shaping: Some(Shaping::of_megabits(4, None)), ..wanted() };
    let operations = add_pod_port(&other, &local(Some(ours()))).unwrap();
    assert_eq!(
        names(&operations)[5..],
        [("insert", "Queue"), ("insert", "QoS"), ("update", "Port"), ("delete", "QoS"), ("delete", "Queue")]
    );
    let none = PodPort { shaping: None, ..wanted() };
    let operations = add_pod_port(&none, &local(Some(ours()))).unwrap();
    assert_eq!(names(&operations)[5..], [("update", "Port"), ("delete", "QoS"), ("delete", "Queue")]);
}

#[test]
fn a_port_of_somebody_else_and_a_missing_bridge_are_refused() {
    let foreign = local(Some(ids([("iface-id", "two1.ns1")])));
    assert!(matches!(add_pod_port(&wanted(), &foreign), Err(CannotAdd::Foreign { .. })));
    assert!(matches!(add_pod_port(&wanted(), &Local::new()), Err(CannotAdd::NoBridge { .. })));
}

#[test]
fn removal_by_device_or_switch_port_takes_the_limits_along() {
    for which in [Which::Device("84449a466cca_h".into()), Which::IfaceId("two1.ns1".into())] {
        let operations = remove_pod_ports(&which, &local(Some(ours())));
        assert_eq!(
            names(&operations),
            [
                ("wait", "Interface"),
                ("mutate", "Bridge"),
                ("update", "Port"),
                ("delete", "QoS"),
                ("delete", "Queue")
            ]
        );
    }
}

#[test]
fn removal_of_what_is_not_there_or_not_ours_does_nothing() {
    let which = Which::Device("84449a466cca_h".into());
    assert_eq!(remove_pod_ports(&which, &local(None)), []);
    assert_eq!(remove_pod_ports(&which, &local(Some(ids([("iface-id", "two1.ns1")])))), []);
    let gone = Which::Device("ffffffffffff_h".into());
    assert_eq!(remove_pod_ports(&gone, &local(Some(ours()))), []);
}

#[test]
fn a_sweep_removes_only_limits_of_pods_that_no_port_uses() {
    let mut local = local(Some(ours()));
    assert_eq!(sweep_qos(&local), []);
    local.put(LocalTable::Qos, Uuid([9; 16]), columns([("type", "linux-htb".into())]));
    assert_eq!(sweep_qos(&local), [], "one without a pod is somebody else's");
    local.remove(LocalTable::Port, PORT);
    assert_eq!(names(&sweep_qos(&local)), [("delete", "QoS"), ("delete", "Queue")]);
}

#[test]
fn the_readiness_of_a_port_is_read_from_what_ovn_controller_writes() {
    let local = local(Some(ours()));
    let (_, interface) = local.interface("84449a466cca_h").unwrap();
    assert!(interface.is_installed && interface.is_ours);
    assert_eq!(interface.iface_id.as_deref(), Some("two1.ns1"));
    let (_, bridge) = local.bridge("br-int").unwrap();
    assert_eq!(bridge.ports, BTreeSet::from([PORT]));
    assert_eq!(local.settings().integration_bridge, "br-int");
    let qos = local.row(LocalTable::Qos, QOS).map(Qos::read).unwrap();
    assert_eq!(qos.queues, BTreeSet::from([QUEUE]));
    assert_eq!(Atom::from(QUEUE), Atom::Uuid(QUEUE));
}
