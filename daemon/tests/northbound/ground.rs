//! A northbound database, nodes that keep it, and `ovn-nbctl` as a witness. Needs ovsdb-server, ovn-nbctl and ovs-vsctl; no root.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Arc;
use std::time::{Duration, Instant};

use daemon::ledger::writer::LocalLedger;
use daemon::ledger::{Claim, ClaimRequest, Ledger, Link, Owner, PortTraits, ReleaseIf, Sandbox, served};
use daemon::metrics::LedgerMetrics;
use daemon::northbound::{Northbound, NorthboundMetrics, Published, Surroundings};
use daemon::resources::{Index, Snapshot, files::parse_file};
use daemon::vswitch::Vswitch;
use daemon_api::{ContainerId, Fault, IfName, NetnsPath, PodRef, Provider};
use ipam::{Request, Wish, Workload};
use ovn::nb::Table;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::watch;

const NB: &str = "/usr/share/ovn/ovn-nb.ovsschema";
const OVS: &str = "/usr/share/openvswitch/vswitch.ovsschema";
/// How long anything may take. Nothing asserts on less.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// The guide's two VPCs of one range.
pub(crate) const GUIDE: &str = "\
apiVersion: kubeovn.io/v1
kind: Vpc
metadata: {name: test-vpc-1}
spec:
  namespaces: [ns1]
  staticRoutes:
  - {cidr: 0.0.0.0/0, nextHopIP: 10.0.1.254, policy: policyDst}
  policyRoutes:
  - {action: drop, match: ip4.src==10.0.1.0/24 && ip4.dst==8.8.8.8, priority: 11}
---
apiVersion: kubeovn.io/v1
kind: Vpc
metadata: {name: test-vpc-2}
---
apiVersion: kubeovn.io/v1
kind: Subnet
metadata: {name: net1}
spec: {vpc: test-vpc-1, cidrBlock: 10.0.1.0/24, namespaces: [ns1], enableDHCP: true, private: true}
---
apiVersion: kubeovn.io/v1
kind: Subnet
metadata: {name: net2}
spec: {vpc: test-vpc-2, cidrBlock: 10.0.1.0/24}
";

/// False, with a line that says so, where the tools are not installed.
pub(crate) fn is_equipped() -> bool {
    let is_there = |tool: &&str| Command::new(tool).arg("--version").output().is_ok();
    let is_equipped =
        Path::new(NB).exists() && ["ovsdb-server", "ovn-nbctl", "ovs-vsctl"].iter().all(is_there);
    if !is_equipped {
        println!("SKIP: OVN is not installed");
    }
    is_equipped
}

/// One ovsdb-server.
pub(crate) struct Server {
    process: Option<Child>,
    folder: TempDir,
    schema: &'static str,
}

impl Server {
    pub(crate) fn northbound() -> Self {
        Self::create(NB)
    }

    fn create(schema: &'static str) -> Self {
        let mut server = Self { process: None, folder: tempfile::tempdir().unwrap(), schema };
        server.empty();
        server.start();
        server
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("unix:{}", self.path("sock").display())
    }

    fn empty(&self) {
        let _ = std::fs::remove_file(self.path("db"));
        let _ = std::fs::remove_file(self.path(".db.~lock~"));
        run(Command::new("ovsdb-tool").arg("create").arg(self.path("db")).arg(self.schema));
    }

    fn start(&mut self) {
        let process = Command::new("ovsdb-server")
            .arg(self.path("db"))
            .arg(format!("--remote=p{}", self.endpoint()))
            .arg(format!("--unixctl={}", self.path("ctl").display()))
            .arg(format!("--log-file={}", self.path("log").display()))
            .stderr(std::process::Stdio::null())
            .spawn();
        self.process = Some(process.unwrap());
        until("the server answers", || {
            Command::new("ovsdb-client")
                .arg("list-dbs")
                .arg(self.endpoint())
                .output()
                .unwrap()
                .status
                .success()
        });
    }

    pub(crate) fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    pub(crate) fn restart(&mut self) {
        self.stop();
        self.start();
    }

    /// Serves an empty database at the same place.
    pub(crate) fn wipe(&mut self) {
        self.stop();
        self.empty();
        self.start();
    }

    pub(crate) fn nb(&self, words: &[&str]) -> String {
        run(Command::new("ovn-nbctl")
            .arg(format!("--db={}", self.endpoint()))
            .arg("--no-leader-only")
            .args(words))
    }

    /// Every row with its version, which changes with every write.
    pub(crate) fn versions(&self) -> Vec<String> {
        let select = |table: &Table| json!({"op": "select", "table": table.name(), "where": [], "columns": ["_uuid", "_version"]});
        let call: Vec<Value> =
            std::iter::once(json!("OVN_Northbound")).chain(Table::ALL.iter().map(select)).collect();
        let call = Value::Array(call).to_string();
        let text = run(Command::new("ovsdb-client").arg("transact").arg(self.endpoint()).arg(call));
        let results: Vec<Value> = serde_json::from_str(&text).unwrap();
        let mut rows: Vec<String> = results
            .iter()
            .flat_map(|result| result["rows"].as_array().unwrap())
            .map(Value::to_string)
            .collect();
        rows.sort();
        rows
    }

    /// What is in the database without UUIDs, sorted.
    pub(crate) fn dump(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (table, columns) in [
            ("Logical_Router", "name,options,external_ids"),
            ("Logical_Switch", "name,external_ids"),
            ("Logical_Router_Port", "name,mac,networks,options,external_ids"),
            ("Logical_Switch_Port", "name,type,options,addresses,port_security,external_ids"),
            ("Logical_Router_Static_Route", "ip_prefix,nexthop,policy,route_table,external_ids"),
            ("Logical_Router_Policy", "priority,match,action,nexthops,external_ids"),
            ("ACL", "direction,priority,match,action,name,external_ids"),
            ("DHCP_Options", "cidr,options,external_ids"),
            ("QoS", "direction,priority,match,bandwidth,external_ids"),
        ] {
            let columns = format!("--columns={columns}");
            let text = self.nb(&["--format=csv", "--no-headings", &columns, "list", table]);
            lines.extend(text.lines().map(|line| format!("{table} {line}")));
        }
        lines.sort();
        lines
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Waits until something holds.
#[track_caller]
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        std::thread::yield_now();
    }
}

/// One node: its Open vSwitch database, its ledger, its objects, and the task that keeps the northbound database.
pub(crate) struct Node {
    pub(crate) northbound: Option<Northbound>,
    pub(crate) ledger: LocalLedger,
    pub(crate) metrics: NorthboundMetrics,
    objects: watch::Sender<Arc<Snapshot>>,
    vswitch: Vswitch,
    _server: Server,
    folder: TempDir,
    endpoint: String,
}

impl Node {
    pub(crate) async fn start(chassis: &str, endpoint: &str, yaml: &str) -> Self {
        let server = Server::create(OVS);
        let db = format!("--db={}", server.endpoint());
        run(Command::new("ovs-vsctl").args([&db, "--no-wait", "init"]));
        let id = format!("external_ids:system-id={chassis}");
        run(Command::new("ovs-vsctl").args([&db, "--no-wait", "set", "Open_vSwitch", ".", &id]));
        let vswitch = Vswitch::open(Some(&server.endpoint().parse().unwrap())).await;
        let folder = tempfile::tempdir().unwrap();
        let ledger = LocalLedger::open(&folder.path().join("ledger"), LedgerMetrics::default()).unwrap();
        let (objects, _) = watch::channel(Arc::default());
        let mut node = Self {
            northbound: None,
            ledger,
            metrics: NorthboundMetrics::default(),
            objects,
            vswitch,
            _server: server,
            folder,
            endpoint: endpoint.to_owned(),
        };
        node.set_objects(yaml).await;
        node.keep().await;
        node
    }

    async fn keep(&mut self) {
        self.metrics = NorthboundMetrics::default();
        let around = Surroundings {
            ledger: self.ledger.clone(),
            resources: self.objects.subscribe(),
            vswitch: self.vswitch.view(),
            settings: vpc::Settings::default(),
            metrics: self.metrics.clone(),
        };
        self.northbound = Some(Northbound::open(Some(&self.endpoint.parse().unwrap()), around).await);
    }

    /// Another daemon over the same ledger.
    pub(crate) async fn restart(self) -> Self {
        let Self { northbound, ledger, objects, vswitch, _server, folder, endpoint, .. } = self;
        drop((northbound, ledger));
        let path = folder.path().join("ledger");
        let deadline = Instant::now() + PATIENCE;
        // The task and the ledger's thread end a moment after their handles.
        let ledger = loop {
            match LocalLedger::open(&path, LedgerMetrics::default()) {
                Ok(ledger) => break ledger,
                Err(error) => assert!(Instant::now() < deadline, "{error}"),
            }
            tokio::task::yield_now().await;
        };
        let metrics = NorthboundMetrics::default();
        let mut node =
            Self { northbound: None, ledger, metrics, objects, vswitch, _server, folder, endpoint };
        let index = node.objects.borrow().index.clone();
        node.ledger.respec(served::of(&index)).await.unwrap();
        node.keep().await;
        node
    }

    pub(crate) async fn set_objects(&self, yaml: &str) {
        let mut snapshot = Snapshot::default();
        for object in parse_file("a.yaml", yaml).objects {
            Index::feed(&mut snapshot.index, object).unwrap();
        }
        self.ledger.respec(served::of(&snapshot.index)).await.unwrap();
        self.objects.send_replace(Arc::new(snapshot));
    }

    pub(crate) async fn claim(&self, pod: &str, subnet: &str, address: &str) -> Claim {
        let traits = PortTraits::default();
        self.claim_with(pod, subnet, address, traits).await
    }

    pub(crate) async fn claim_with(&self, pod: &str, subnet: &str, address: &str, port: PortTraits) -> Claim {
        let v4 = Wish::Exactly(address.parse().unwrap());
        let request = ClaimRequest {
            owner: Owner {
                pod: pod_ref(pod),
                uid: String::new(),
                provider: Provider::new("ovn").unwrap(),
                interface: IfName::new("eth0").unwrap(),
            },
            workload: Workload::Pod,
            sandbox: Sandbox {
                container: ContainerId::new(&pod.replace('/', "-")).unwrap(),
                netns: NetnsPath::new("/run/netns/x").unwrap(),
                netns_id: (1, 2),
            },
            network: "net".into(),
            subnet: subnet.into(),
            wishes: vec![Request { v4, ..Request::default() }],
            link: Link::Veth,
            port,
            are_probes_carried: false,
            on_chosen: None,
            now: 1,
        };
        self.ledger.claim(request).await.unwrap().claim
    }

    pub(crate) fn northbound(&self) -> &Northbound {
        self.northbound.as_ref().unwrap()
    }

    pub(crate) async fn release(&self, claim: &Claim) {
        self.ledger.release(vec![ReleaseIf::unchanged(claim)]).await.unwrap();
    }

    pub(crate) async fn publish(&self, pod: &str) -> Result<Published, Fault> {
        let pod = pod_ref(pod);
        self.northbound().publish(&pod, &format!("{}.{}", pod.name, pod.namespace), PATIENCE).await
    }

    /// Claims and publishes.
    pub(crate) async fn add(&self, pod: &str, subnet: &str, address: &str) -> Result<Published, Fault> {
        self.claim(pod, subnet, address).await;
        self.publish(pod).await
    }
}

fn pod_ref(pod: &str) -> PodRef {
    let (namespace, name) = pod.split_once('/').unwrap();
    PodRef::new(namespace, name).unwrap()
}
