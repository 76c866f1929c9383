//! The planned operations, taken by a real ovsdb-server with the installed schemas.
//!
//! Skipped, with a line that says so, where ovsdb-server or a schema is not installed.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic and say so anywhere")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};
use std::time::{Duration, Instant};

use ovn::address::{Mac, PortAddress, Station};
use ovn::diff::{Change, Scope, diff, diff_owner};
use ovn::nb::*;
use ovn::owner::{Owner, OwnerKind};
use ovn::snapshot::Snapshot;
use ovn::vswitch::{
    Local, LocalTable, PodInterface, PodPort, Policing, Shaping, Which, add_pod_port, remove_pod_ports,
};
use ovn::wanted::{Key, NbRow, Wanted};
use ovsdb::op::Operation;
use ovsdb::value::{Row, Uuid, Value};
use serde_json::{Value as Json, json};

const NB: (&str, &str) = ("OVN_Northbound", "/usr/share/ovn/ovn-nb.ovsschema");
const OVS: (&str, &str) = ("Open_vSwitch", "/usr/share/openvswitch/vswitch.ovsschema");

/// One ovsdb-server with one database, all its files in a folder of its own.
struct Server {
    process: Child,
    folder: PathBuf,
    database: &'static str,
}

impl Server {
    fn start((database, schema): (&'static str, &str), name: &str) -> Option<Self> {
        if !Path::new(schema).exists() || Command::new("ovsdb-server").arg("--version").output().is_err() {
            println!("SKIP: ovsdb-server or {schema} is not installed");
            return None;
        }
        let folder = std::env::temp_dir().join(format!("ovn-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (file, socket) = (folder.join("db"), folder.join("sock"));
        let created =
            Command::new("ovsdb-tool").arg("create").args([&file, &PathBuf::from(schema)]).output().unwrap();
        assert!(created.status.success(), "{created:?}");
        let process = Command::new("ovsdb-server")
            .arg(&file)
            .arg(format!("--remote=punix:{}", socket.display()))
            .arg(format!("--unixctl={}", folder.join("ctl").display()))
            .arg(format!("--log-file={}", folder.join("log").display()))
            .spawn()
            .unwrap();
        let server = Self { process, folder, database };
        let deadline = Instant::now() + Duration::from_secs(20);
        while !server.client(&["list-dbs"], None).status.success() {
            assert!(Instant::now() < deadline, "ovsdb-server does not answer");
            std::thread::yield_now();
        }
        Some(server)
    }

    fn client(&self, before: &[&str], after: Option<&str>) -> Output {
        let socket = format!("unix:{}", self.folder.join("sock").display());
        Command::new("ovsdb-client").args(before).arg(socket).args(after).output().unwrap()
    }

    /// Sends one transaction; the error of the first operation that failed.
    fn transact(&self, operations: &[Operation]) -> Result<Vec<Json>, String> {
        let mut call = vec![json!(self.database)];
        call.extend(operations.iter().map(|operation| serde_json::to_value(operation).unwrap()));
        let output = self.client(&["transact"], Some(&Json::Array(call).to_string()));
        assert!(output.status.success(), "{output:?}");
        let results: Vec<Json> = serde_json::from_slice(&output.stdout).unwrap();
        let failed = results.iter().find(|result| !result["error"].is_null());
        failed.map_or(Ok(results.clone()), |result| Err(result.to_string()))
    }

    fn rows(&self, table: &str, columns: &[&str]) -> Vec<(Uuid, Row)> {
        let known = columns.iter().filter(|column| **column != "tier").chain([&"_uuid"]);
        let columns = Some(known.map(|column| (*column).to_owned()).collect());
        let select = Operation::Select { table: table.to_owned(), conditions: vec![], columns };
        let results = self.transact(&[select]).unwrap();
        let rows = results[0]["rows"].as_array().unwrap().iter();
        rows.map(|row| {
            let mut row: BTreeMap<String, Value> = serde_json::from_value(row.clone()).unwrap();
            (row.remove("_uuid").unwrap().as_uuid().unwrap(), row)
        })
        .collect()
    }

    fn northbound(&self) -> Snapshot {
        let mut snapshot = Snapshot::new();
        for table in Table::ALL {
            for (uuid, row) in self.rows(table.name(), table.columns()) {
                snapshot.put(table, uuid, row);
            }
        }
        snapshot
    }

    fn local(&self) -> Local {
        let mut local = Local::new();
        for table in LocalTable::ALL {
            for (uuid, row) in self.rows(table.name(), table.columns()) {
                local.put(table, uuid, row);
            }
        }
        local
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn all() -> Scope {
    Scope::Kinds(OwnerKind::ALL.into())
}

fn station(last: u8) -> Station {
    Station { mac: Mac::new([2, 0, 0, 0, 0, last]), ips: vec![[10, 0, 1, last].into()] }
}

fn pod_port(pod: &str, switch: &str, last: u8) -> LogicalSwitchPort {
    LogicalSwitchPort {
        name: format!("{pod}.ns1"),
        switch: switch.into(),
        kind: PortKind::Station,
        addresses: vec![PortAddress::Station(station(last))],
        port_security: vec![station(last)],
        dhcpv4: Some(DhcpOptions::key_of(&DhcpFor::Switch(switch.into()), Family::V4)),
        dhcpv6: None,
        pod: Some(("ns1".into(), pod.into())),
    }
}

fn vpc_rows() -> Vec<Box<dyn NbRow>> {
    let balancer = || LoadBalancer::key_of("vpc-a-tcp-load");
    vec![
        Box::new(LogicalRouter {
            name: "a".into(),
            mac_binding_age: Some(300),
            dynamic_neigh_routers: true,
            always_learn_from_arp_request: false,
            load_balancers: [].into(),
        }),
        Box::new(LogicalSwitch { name: "net1".into(), load_balancers: [balancer()].into() }),
        Box::new(LogicalRouterPort {
            name: "a-net1".into(),
            router: "a".into(),
            mac: Mac::new([2, 0, 0, 0, 0, 1]),
            networks: vec!["10.0.1.1/24".parse().unwrap()],
            peer: None,
            route_table: None,
            ipv6_ra_configs: BTreeMap::new(),
        }),
        Box::new(LogicalSwitchPort {
            name: "net1-a".into(),
            kind: PortKind::Router { router_port: "a-net1".into(), arp_proxy: [].into() },
            addresses: vec![PortAddress::Router],
            port_security: vec![],
            dhcpv4: None,
            pod: None,
            ..pod_port("", "net1", 1)
        }),
        Box::new(LogicalRouterStaticRoute {
            router: "a".into(),
            route_table: String::new(),
            policy: RoutePolicy::Destination,
            prefix: "0.0.0.0/0".parse().unwrap(),
            next_hop: "10.0.1.254".parse().unwrap(),
            output_port: None,
            symmetric_reply: true,
        }),
        Box::new(LogicalRouterPolicy {
            router: "a".into(),
            priority: 31_000,
            r#match: "ip4.dst == 10.0.1.0/24".into(),
            action: PolicyAction::Allow,
            subnet: Some("net1".into()),
        }),
        Box::new(Acl {
            parent: AclParent::Switch("net1".into()),
            direction: Direction::ToPort,
            priority: 1000,
            r#match: "ip".into(),
            action: AclAction::Drop,
            name: Some("net1".into()),
            log: Some(Severity::Warning),
            subnet: None,
        }),
    ]
}

fn service_rows() -> Vec<Box<dyn NbRow>> {
    vec![
        Box::new(LoadBalancer {
            name: "vpc-a-tcp-load".into(),
            protocol: ovn::names::Protocol::Tcp,
            vips: [("10.96.0.10:80".to_owned(), ["10.0.1.7:8080".to_owned()].into())].into(),
            reject: true,
            selection_fields: [SelectionField::IpSource].into(),
            ip_port_mappings: BTreeMap::new(),
        }),
        Box::new(LoadBalancerHealthCheck {
            load_balancer: "vpc-a-tcp-load".into(),
            vip: "10.96.0.10:80".into(),
            interval: 5,
            timeout: 20,
            success_count: 3,
            failure_count: 3,
            subnet: None,
        }),
        Box::new(DhcpOptions {
            scope: DhcpFor::Switch("net1".into()),
            family: Family::V4,
            cidr: "10.0.1.0/24".parse().unwrap(),
            options: [("lease_time".to_owned(), "3600".to_owned())].into(),
        }),
        Box::new(PortGroup { name: "pg".into(), ports: [LogicalSwitchPort::key_of("web1.ns1")].into() }),
        Box::new(Qos {
            switch: "net1".into(),
            port: "web1.ns1".into(),
            direction: Direction::FromPort,
            priority: 2003,
            rate: 3000,
            burst: None,
        }),
    ]
}

/// One row of every table.
fn world() -> Wanted {
    let mut wanted = Wanted::new();
    for row in vpc_rows().into_iter().chain(service_rows()) {
        wanted.want(&Owner::vpc("a"), row.as_ref()).unwrap();
    }
    wanted.want(&Owner::pod("ns1", "web1"), &pod_port("web1", "net1", 7)).unwrap();
    wanted
}

fn applied(server: &Server, change: &Change) {
    assert_eq!(change.refusals, []);
    server.transact(&change.operations).unwrap();
}

#[test]
fn a_real_northbound_database_becomes_what_is_wanted_and_then_nothing_is_left_to_do() {
    let Some(server) = Server::start(NB, "nb") else { return };
    let first = diff(&world(), &server.northbound(), &all());
    applied(&server, &first);
    let found = server.northbound();
    assert_eq!(found.rows().count(), world().len());
    assert_eq!(diff(&world(), &found, &all()).operations, []);
    assert!(server.transact(&first.operations).is_err(), "an outdated plan fails as a whole");
    assert_eq!(server.northbound().rows().count(), world().len());
    applied(&server, &diff(&Wanted::new(), &found, &all()));
    assert_eq!(server.northbound().rows().count(), 0);
}

#[test]
fn a_real_database_takes_changes_of_columns_moves_and_removals() {
    let Some(server) = Server::start(NB, "moves") else { return };
    applied(&server, &diff(&world(), &server.northbound(), &all()));
    let owner = Owner::pod("ns1", "web1");
    let port_of = |wanted: &Wanted| diff_owner(&owner, wanted, &server.northbound());
    let second = LogicalSwitch { name: "net2".into(), load_balancers: [].into() };
    let mut other = Wanted::new();
    other.want(&Owner::subnet("net2"), &second).unwrap();
    applied(&server, &diff_owner(&Owner::subnet("net2"), &other, &server.northbound()));
    let mut moved = Wanted::new();
    moved.want(&owner, &LogicalSwitchPort { dhcpv4: None, ..pod_port("web1", "net2", 8) }).unwrap();
    let key = LogicalSwitchPort::key_of("web1.ns1");
    let uuid = |key: &Key| server.northbound().named(key.table, &key.name).collect::<Vec<_>>();
    let before = uuid(&key);
    applied(&server, &port_of(&moved));
    assert_eq!(uuid(&key), before, "it keeps its identity");
    let found = server.northbound();
    let parent = found.parent(before[0]).and_then(|parent| found.row(parent)).unwrap();
    assert_eq!(parent.read().text("name"), Some("net2"));
    applied(&server, &port_of(&Wanted::new()));
    assert_eq!(uuid(&key), []);
}

#[test]
fn a_real_switch_takes_a_pods_port_in_again_and_out() {
    let Some(server) = Server::start(OVS, "ovs") else { return };
    let bridge =
        |name: &str, row: Row| Operation::Insert { table: name.into(), uuid_name: Some("b".into()), row };
    let reference = Value::set([ovsdb::value::Atom::NamedUuid("b".into())]);
    let root = Operation::Insert {
        table: "Open_vSwitch".into(),
        uuid_name: None,
        row: [("bridges".to_owned(), reference)].into(),
    };
    server.transact(&[bridge("Bridge", [("name".to_owned(), "br-int".into())].into()), root]).unwrap();
    let mut port = PodPort {
        bridge: "br-int".into(),
        interface: PodInterface {
            name: "84449a466cca_h".into(),
            iface_id: "web1.ns1".into(),
            pod: "web1".into(),
            namespace: "ns1".into(),
            netns: "/run/netns/web1".into(),
            ips: vec![[10, 0, 1, 7].into()],
            encap_ip: None,
            policing: Some(Policing::of_megabits(1, None)),
        },
        shaping: Some(Shaping::of_megabits(3, None)),
    };
    let add = |port: &PodPort| server.transact(&add_pod_port(port, &server.local()).unwrap()).unwrap();
    let counts = || LocalTable::ALL.map(|table| server.local().rows(table).count());
    add(&port);
    add(&port);
    assert_eq!(counts(), [1, 1, 1, 1, 1, 1]);
    port.shaping = Some(Shaping::of_megabits(4, Some(1)));
    add(&port);
    assert_eq!(counts(), [1, 1, 1, 1, 1, 1], "the old limit is gone");
    let older = port.clone();
    port.interface.name = "99999a466cca_h".into();
    let outdated = add_pod_port(&port, &server.local()).unwrap();
    add(&port);
    assert!(server.transact(&outdated).is_err(), "a second row of this name is refused");
    let ids = |name: &str| server.local().interface(name).and_then(|(_, interface)| interface.iface_id);
    assert_eq!((ids(&older.interface.name), ids(&port.interface.name)), (None, Some("web1.ns1".into())));
    let remove = |name: &str| remove_pod_ports(&Which::Device(name.into()), &server.local());
    server.transact(&remove(&older.interface.name)).unwrap();
    assert_eq!(ids(&port.interface.name), Some("web1.ns1".into()), "the newer sandbox keeps its port");
    assert_eq!(counts(), [1, 1, 1, 1, 1, 1]);
    server.transact(&remove(&port.interface.name)).unwrap();
    assert_eq!(counts(), [1, 1, 0, 0, 0, 0]);
    assert_eq!(remove(&port.interface.name), []);
}
