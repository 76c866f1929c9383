//! The user guide's YAML parses as written, and objects recorded from a cluster survive a round trip.
#![allow(clippy::unwrap_used)]

use crds::{Counter, Ip, IpSpec, List, Object, Spec, Subnet, SubnetSpec, Vpc, VpcSpec};
use serde_json::Value;

fn yaml<S: Spec>(text: &str) -> Object<S> {
    serde_saphyr::from_str(text).unwrap()
}

fn row<S: Spec>(object: &Object<S>, wide: bool) -> Vec<String> {
    S::COLUMNS.iter().filter(|column| wide || !column.wide_only).map(|column| (column.read)(object)).collect()
}

fn headers<S: Spec>() -> String {
    let shown: Vec<&str> = S::COLUMNS.iter().filter(|c| !c.wide_only).map(|c| c.header).collect();
    shown.join(" ")
}

/// Reads a recorded list, checks that writing it gives the same objects, and returns it.
fn round_trip<S: Spec>(recorded: &str) -> Vec<Object<S>> {
    let list: List<S> = serde_json::from_str(recorded).unwrap();
    let recorded: Value = serde_json::from_str(recorded).unwrap();
    let written = serde_json::to_value(&list).unwrap();

    assert_eq!(written["items"], recorded["items"]);
    assert_eq!(written["kind"], format!("{}List", S::KIND));
    list.items
}

#[test]
fn the_guides_vpc_parses() {
    let vpc: Vpc = yaml(
        "kind: Vpc
apiVersion: kubeovn.io/v1
metadata:
  name: test-vpc-1
spec:
  namespaces:
  - ns1
  staticRoutes:
    - cidr: 0.0.0.0/0
      nextHopIP: 10.0.1.254
      policy: policyDst
    - cidr: 172.31.0.0/24
      nextHopIP: 10.0.1.253
      policy: policySrc
      routeTable: \"rtb1\"
  policyRoutes:
    - action: drop
      match: ip4.src==10.0.1.0/24 && ip4.dst==10.0.1.250
      priority: 11
    - action: reroute
      match: ip4.src==10.0.1.0/24
      nextHopIP: 10.0.1.252
      priority: 10
",
    );

    assert_eq!(vpc.name(), "test-vpc-1");
    assert!(vpc.spec.admits("ns1") && !vpc.spec.admits("ns2"));
    assert_eq!(vpc.spec.static_routes[1].route_table, "rtb1");
    assert_eq!(vpc.spec.policy_routes[0].match_expression, "ip4.src==10.0.1.0/24 && ip4.dst==10.0.1.250");
    assert_eq!(vpc.spec.policy_routes[1].next_hop_ip, "10.0.1.252");
    assert!(vpc.unread().is_empty());
}

#[test]
fn the_guides_tenant_subnet_parses() {
    let subnet: Subnet = yaml(
        "kind: Subnet
apiVersion: kubeovn.io/v1
metadata:
  name: net1
spec:
  vpc: test-vpc-1
  cidrBlock: 10.0.1.0/24
  protocol: IPv4
  namespaces:
    - ns1
",
    );

    assert_eq!((subnet.spec.vpc.as_str(), subnet.spec.cidr_block.as_str()), ("test-vpc-1", "10.0.1.0/24"));
    assert_eq!(subnet.spec.provider(), "ovn");
    assert_eq!(subnet.spec.namespaces, ["ns1"]);
    assert!(subnet.unread().is_empty());
}

#[test]
fn the_guides_external_subnet_parses() {
    let subnet: Subnet = yaml(
        "apiVersion: kubeovn.io/v1
kind: Subnet
metadata:
  name: ovn-vpc-external-network
spec:
  protocol: IPv4
  provider: ovn-vpc-external-network.kube-system
  cidrBlock: 192.168.0.0/24
  gateway: 192.168.0.1  # IP address of the physical gateway
  excludeIps:
  - 192.168.0.1..192.168.0.10
",
    );

    assert_eq!(subnet.spec.provider(), "ovn-vpc-external-network.kube-system");
    assert_eq!(subnet.spec.gateway, "192.168.0.1");
    assert_eq!(subnet.spec.exclude_ips, ["192.168.0.1..192.168.0.10"]);
}

#[test]
fn the_guides_default_subnet_parses() {
    let subnet: Subnet = yaml(
        "apiVersion: kubeovn.io/v1
kind: Subnet
metadata:
  name: ovn-default
spec:
  cidrBlock: 10.16.0.0/16
  default: true
  disableGatewayCheck: false
  disableInterConnection: false
  enableDHCP: false
  enableIPv6RA: false
  excludeIps:
  - 10.16.0.1
  gateway: 10.16.0.1
  gatewayType: distributed
  logicalGateway: false
  natOutgoing: true
  private: false
  protocol: IPv4
  provider: ovn-nad.default.ovn
  vpc: ovn-cluster
",
    );

    assert!(subnet.spec.default && subnet.spec.nat_outgoing);
    assert!(subnet.spec.other.is_empty(), "{:?}", subnet.spec.other);
}

#[test]
fn the_fields_of_the_planner_are_read() {
    let subnet: Subnet = yaml(
        "metadata: {name: x}
spec:
  acls: [{direction: to-lport, priority: 1002, match: ip4, action: drop}]
  allowEWTraffic: true
  enableDHCP: true
  dhcpV4Options: lease_time=60
  dhcpV6Options: server_id=00:00:00:00:00:01
  ipv6RAConfigs: address_mode=slaac
",
    );

    assert!(subnet.unread().is_empty() && subnet.spec.allow_ew_traffic);
    assert_eq!(subnet.spec.acls[0].match_expression, "ip4");
    assert_eq!(subnet.spec.dhcp_v4_options, "lease_time=60");
    assert_eq!(subnet.spec.ipv6_ra_configs, "address_mode=slaac");
}

#[test]
fn fields_that_nobody_reads_are_kept_and_named() {
    let subnet: Subnet = yaml(
        "metadata: {name: x}
spec:
  cidrBlock: 10.0.0.0/24
  natOutgoingPolicyRules: [{action: nat}]
  u2oFeatures: {}
  gatewayNode: \"\"
sepc: {}
spce: {vpc: a}
",
    );

    assert_eq!(subnet.unread(), ["spce", "spec.natOutgoingPolicyRules"]);
    assert_eq!(serde_json::to_value(&subnet).unwrap()["spec"]["natOutgoingPolicyRules"][0]["action"], "nat");
}

#[test]
fn null_is_the_same_as_nothing() {
    let subnet: Subnet =
        yaml("metadata:\n  name: x\n  labels:\nspec:\n  vpc:\n  namespaces: ~\n  mtu: null\n");
    let bare: Vpc = yaml("kind: Vpc\nmetadata: {name: y}\nspec:\n");

    assert_eq!(subnet, Subnet::new("x", SubnetSpec::default()));
    assert_eq!(bare, Vpc::new("y", VpcSpec::default()));
}

#[test]
fn recorded_subnets_survive_a_round_trip() {
    let subnets = round_trip::<SubnetSpec>(include_str!("data/subnets.json"));

    let net1 = subnets.iter().find(|s| s.name() == "net1").unwrap();
    assert_eq!(net1.status.v4_available_ips, Counter(250));
    assert_eq!(net1.status.v4_using_ip_range, "10.0.1.7-10.0.1.9");
    assert!(crds::Condition::find(&net1.status.conditions, "Ready").unwrap().holds());
    assert!(net1.unread().is_empty(), "{:?}", net1.unread());
    assert_eq!(
        headers::<SubnetSpec>(),
        "NAME PROVIDER VPC VLAN PROTOCOL CIDR PRIVATE NAT DEFAULT GATEWAYTYPE V4USED V4AVAILABLE V6USED V6AVAILABLE \
         EXCLUDEIPS U2OINTERCONNECTIONIP"
    );
    assert_eq!(
        row(net1, false).join("|"),
        "net1|ovn|test-vpc-1||IPv4|10.0.1.0/24|false|false|false||3|250|0|0|[\"10.0.1.1\"]|"
    );
    assert_eq!(row(net1, true)[16..], ["10.0.1.1", "[\"ns1\"]"]);
}

#[test]
fn recorded_vpcs_survive_a_round_trip() {
    let vpcs = round_trip::<VpcSpec>(include_str!("data/vpcs.json"));

    assert_eq!(
        headers::<VpcSpec>(),
        "NAME ENABLEEXTERNAL ENABLEBFD STANDBY SUBNETS EXTRAEXTERNALSUBNETS NAMESPACES DEFAULTSUBNET"
    );
    assert_eq!(
        row(&vpcs[1], false).join("|"),
        "test-vpc-1|false|false|true|[\"net1\",\"net1att\"]||[\"ns1\"]|"
    );
}

#[test]
fn recorded_ips_survive_a_round_trip() {
    let ips = round_trip::<IpSpec>(include_str!("data/ips.json"));

    assert_eq!(headers::<IpSpec>(), "NAME V4IP V6IP MAC NODE SUBNET");
    assert_eq!(row(&ips[0], false).join("|"), "node-ku-node|100.64.0.2||f2:35:c9:c3:bc:67|ku-node|join");
    assert_eq!(ips[0].meta.labels[crds::annotation::LABEL_SUBNET], "join");
    assert!(serde_json::to_value(Ip::new("x", IpSpec::default())).unwrap().get("status").is_none());
}
