//! The user guide's own objects, end to end: what OVN is asked for, and what people are told.

mod lab;

use lab::{add, keys, port, rows};
use vpc::{Facts, Plan, Survey, plan, plan_vpc, routes, status};

const VPCS: &str = "kind: Vpc
apiVersion: kubeovn.io/v1
metadata:
  name: test-vpc-1
spec:
  namespaces:
  - ns1
---
kind: Vpc
apiVersion: kubeovn.io/v1
metadata:
  name: test-vpc-2
spec:
  namespaces:
  - ns2
";

const SUBNETS: &str = "kind: Subnet
apiVersion: kubeovn.io/v1
metadata:
  name: net1
spec:
  vpc: test-vpc-1
  cidrBlock: 10.0.1.0/24
  protocol: IPv4
  namespaces:
    - ns1
---
kind: Subnet
apiVersion: kubeovn.io/v1
metadata:
  name: net2
spec:
  vpc: test-vpc-2
  cidrBlock: 10.0.1.0/24
  protocol: IPv4
  namespaces:
    - ns2
---
apiVersion: kubeovn.io/v1
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
";

const ROUTES: &str = "kind: Vpc
apiVersion: kubeovn.io/v1
metadata:
  name: test-vpc-1
spec:
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
";

const DEFAULT_SUBNET: &str = "apiVersion: kubeovn.io/v1
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
";

fn facts() -> Facts {
    let mut facts = Facts::default();
    add(&mut facts, VPCS);
    add(&mut facts, SUBNETS);
    facts.ports.insert(port("ns1", "vpc1-pod", "net1", "10.0.1.2"));
    facts.ports.insert(port("ns2", "vpc2-pod", "net2", "10.0.1.2"));
    facts
}

fn told(plan: &Plan) -> Vec<String> {
    plan.findings.iter().map(ToString::to_string).collect()
}

#[test]
fn two_vpcs_with_one_range_have_rows_of_their_own() {
    let plan = plan(&facts());

    assert_eq!(told(&plan), [""; 0]);
    assert_eq!(
        keys(&plan.wanted),
        "\
vpc/test-vpc-1 Logical_Router test-vpc-1
vpc/test-vpc-2 Logical_Router test-vpc-2
vpc/test-vpc-1 Logical_Switch net1
vpc/test-vpc-2 Logical_Switch net2
vpc/test-vpc-1 Logical_Router_Port test-vpc-1-net1
vpc/test-vpc-2 Logical_Router_Port test-vpc-2-net2
vpc/test-vpc-1 Logical_Router_Policy 31000:ip4.dst == 10.0.1.0/24 of Logical_Router test-vpc-1
vpc/test-vpc-2 Logical_Router_Policy 31000:ip4.dst == 10.0.1.0/24 of Logical_Router test-vpc-2
vpc/test-vpc-1 Logical_Switch_Port net1-test-vpc-1
vpc/test-vpc-2 Logical_Switch_Port net2-test-vpc-2
pod/ns1/vpc1-pod Logical_Switch_Port vpc1-pod.ns1
pod/ns2/vpc2-pod Logical_Switch_Port vpc2-pod.ns2"
    );
}

#[test]
fn the_rows_are_upstreams() {
    let survey = Survey::of(&facts());
    let plan = plan_vpc(&survey, &facts().ports, "test-vpc-1");

    assert_eq!(
        rows(&plan.wanted, "Logical_Router"),
        "name=test-vpc-1 options={always_learn_from_arp_request=false,dynamic_neigh_routers=true,mac_binding_age_threshold=300}"
    );
    assert_eq!(
        rows(&plan.wanted, "Logical_Router_Port"),
        "[test-vpc-1] external_ids={lr=test-vpc-1} mac=9a:4d:2e:e0:0f:e8 name=test-vpc-1-net1 networks=10.0.1.1/24"
    );
    assert_eq!(
        rows(&plan.wanted, "Logical_Switch_Port"),
        "\
[net1] addresses=router external_ids={ls=net1} name=net1-test-vpc-1 options={router-port=test-vpc-1-net1} type=router
[net1] addresses=02:00:00:00:00:6f 10.0.1.2 external_ids={ls=net1,pod=ns1/vpc1-pod} name=vpc1-pod.ns1 port_security=02:00:00:00:00:6f 10.0.1.2"
    );
    assert_eq!(
        rows(&plan.wanted, "Logical_Router_Policy"),
        "[test-vpc-1] action=allow external_ids={subnet=net1} match=ip4.dst == 10.0.1.0/24 priority=31000"
    );
}

#[test]
fn the_guides_routes_become_rows_and_its_traps_are_told() {
    let mut facts = facts();
    add(&mut facts, ROUTES);
    let plan = plan(&facts);

    assert_eq!(
        rows(&plan.wanted, "Logical_Router_Static_Route"),
        "\
[test-vpc-1] ip_prefix=0.0.0.0/0 nexthop=10.0.1.254 policy=dst-ip
[test-vpc-1] ip_prefix=172.31.0.0/24 nexthop=10.0.1.253 policy=src-ip route_table=rtb1"
    );
    assert_eq!(
        rows(&plan.wanted, "Logical_Router_Policy").lines().take(2).collect::<Vec<_>>(),
        [
            "[test-vpc-1] action=reroute match=ip4.src==10.0.1.0/24 nexthops=10.0.1.252 priority=10",
            "[test-vpc-1] action=drop match=ip4.src==10.0.1.0/24 && ip4.dst==10.0.1.250 priority=11",
        ]
    );
    let reasons: Vec<_> = plan.findings.iter().map(|finding| finding.reason.as_str()).collect();
    assert_eq!(reasons, ["PolicyNeverActs", "RouteNeverActs"]);
}

#[test]
fn a_vpc_without_namespaces_admits_all() {
    let mut facts = facts();
    add(&mut facts, ROUTES);
    assert!(Survey::of(&facts).subnet("net1").is_some());
}

#[test]
fn the_routes_of_a_vpc_tell_where_they_come_from() {
    let mut facts = facts();
    add(&mut facts, ROUTES);
    let routes = routes::routes(&Survey::of(&facts).vpcs["test-vpc-1"]);

    let table: Vec<_> = routes
        .routes
        .iter()
        .map(|r| format!("{:?} {} {} {:?} {}", r.table, r.policy.as_str(), r.prefix, r.next_hops, r.origin))
        .collect();
    assert_eq!(
        table,
        [
            "\"\" dst-ip 10.0.1.0/24 [] connected",
            "\"\" dst-ip 0.0.0.0/0 [10.0.1.254] static",
            "\"rtb1\" src-ip 172.31.0.0/24 [10.0.1.253] static",
        ]
    );
    let policies: Vec<_> = routes.policies.iter().map(|p| format!("{} {}", p.priority, p.origin)).collect();
    assert_eq!(policies, ["31000 subnet net1", "11 policy", "10 policy"]);
}

#[test]
fn the_external_network_is_ready_and_has_no_switch() {
    let facts = facts();
    let survey = Survey::of(&facts);
    let name = "ovn-vpc-external-network";
    let status = status::subnet(&survey, &facts.ports, name, &facts.subnets[name].status);

    assert_eq!(status.conditions[1].reason, "SetNonOvnSubnetSuccess");
    assert!(status.conditions[1].holds());
    assert!(!keys(&plan(&facts).wanted).contains(name));
}

#[test]
fn the_status_of_the_guides_vpc_is_standby_with_its_subnets() {
    let mut facts = facts();
    add(&mut facts, ROUTES);
    let survey = Survey::of(&facts);
    let status = status::vpc(&survey, &facts, "test-vpc-1", &facts.vpcs["test-vpc-1"].status);

    assert!(status.standby && !status.default);
    assert_eq!((status.router.as_str(), status.subnets.as_slice()), ("test-vpc-1", &["net1".to_owned()][..]));
    let conditions: Vec<_> =
        status.conditions.iter().map(|c| format!("{}={} {}", c.kind, c.status, c.reason)).collect();
    assert_eq!(conditions, ["Validated=True Standby", "Ready=True Standby", "Warning=True PolicyNeverActs"]);
}

#[test]
fn an_overlapping_subnet_says_so_in_its_conditions() {
    let mut facts = facts();
    add(&mut facts, &SUBNETS.replace("net1", "net1b").replace("net2", "net2b"));
    let survey = Survey::of(&facts);
    let status = status::subnet(&survey, &facts.ports, "net1b", &facts.subnets["net1b"].status);

    let conditions: Vec<_> =
        status.conditions.iter().map(|c| format!("{}={} {}", c.kind, c.status, c.reason)).collect();
    assert_eq!(
        conditions,
        ["Validated=False ValidateLogicalSwitchFailed", "Ready=False CidrOverlap", "Error=True CidrOverlap"]
    );
    assert!(status.conditions[1].message.contains("choose another range"));
}

#[test]
fn an_object_that_the_survey_has_not_seen_yet_is_not_judged() {
    let (survey, facts) = (Survey::default(), facts());
    assert_eq!(status::subnet(&survey, &facts.ports, "net1", &crds::SubnetStatus::default()).conditions, []);
    assert_eq!(status::vpc(&survey, &facts, "test-vpc-1", &crds::VpcStatus::default()).conditions, []);
}

#[test]
fn the_guides_default_subnet_is_planned_with_the_default_vpc() {
    let mut facts = Facts::default();
    add(&mut facts, DEFAULT_SUBNET);
    let plan = plan(&facts);

    assert_eq!(told(&plan), [""; 0]);
    assert!(keys(&plan.wanted).contains("vpc/ovn-cluster Logical_Router_Port ovn-cluster-ovn-default"));
    let status = status::vpc(&Survey::of(&facts), &facts, "ovn-cluster", &crds::VpcStatus::default());
    assert!(status.default && status.standby);
    assert_eq!(status.default_logical_switch, "ovn-default");
}

#[test]
fn a_gateway_pod_of_ours_may_forward_and_needs_no_namespace() {
    let mut facts = facts();
    let mut gateway = port("kube-system", "vpc-nat-gw-gw1-0", "net1", "10.0.1.254");
    (gateway.is_ours, gateway.port_security) = (true, false);
    facts.ports.insert(gateway);
    let plan = plan(&facts);

    assert_eq!(told(&plan), [""; 0]);
    let rows = rows(&plan.wanted, "Logical_Switch_Port");
    let row = rows.lines().find(|row| row.contains("vpc-nat-gw-gw1-0.kube-system")).unwrap();
    assert!(!row.contains("port_security"), "{row}");
}

#[test]
fn a_pod_of_another_tenant_gets_no_port() {
    let mut facts = facts();
    facts.ports.insert(port("ns2", "thief", "net1", "10.0.1.9"));
    let plan = plan(&facts);

    assert_eq!(
        told(&plan),
        [
            "port thief.ns2: NamespaceNotAdmitted: Vpc test-vpc-1 does not admit namespace ns2; add it to namespaces or move the pod"
        ]
    );
    assert!(!keys(&plan.wanted).contains("thief"));
}
