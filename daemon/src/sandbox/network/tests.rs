//! Facts and resources in, the parsed network or a refusal out.

use std::collections::BTreeMap;
use std::net::IpAddr;

use daemon_api::call::MacvlanConf;
use ipam::{DualStack, Wish};

use super::*;
use crate::resources::files::parse_file;

const EXTERNAL: &str = "external.kube-system";

const SUBNETS: &str = "
apiVersion: kubeovn.io/v1
kind: Subnet
metadata: {name: external}
spec: {provider: external.kube-system, cidrBlock: 192.168.0.0/24, gateway: 192.168.0.1, mtu: 1400}
---
apiVersion: kubeovn.io/v1
kind: Subnet
metadata: {name: external-dual}
spec:
  provider: external.kube-system
  cidrBlock: 10.9.0.0/24,fd09::/64
  gateway: 10.9.0.1,fd09::1
  namespaces: [dual]
---
apiVersion: kubeovn.io/v1
kind: Subnet
metadata: {name: locked}
spec: {provider: locked.ns, cidrBlock: 10.8.0.0/24, namespaces: [friends], vpc: tenant}
---
apiVersion: kubeovn.io/v1
kind: Subnet
metadata: {name: tenant-open}
spec: {provider: tenant.ns, cidrBlock: 10.7.0.0/24, vpc: tenant}
---
apiVersion: kubeovn.io/v1
kind: Subnet
metadata: {name: stretched}
spec: {provider: stretched.ns, cidrBlock: 10.6.0.0/24, namespaces: [default], vpc: tenant}
---
apiVersion: kubeovn.io/v1
kind: Subnet
metadata: {name: homeless}
spec: {provider: homeless.ns, cidrBlock: 10.5.0.0/24, vpc: absent}
---
apiVersion: kubeovn.io/v1
kind: Vpc
metadata: {name: tenant}
spec: {namespaces: [friends]}
";

/// One ADD of an interface, with defaults.
struct Case {
    request: PodRequest,
    call: CallContext,
    namespace: &'static str,
}

fn case() -> Case {
    let request = PodRequest {
        cni_type: "kube-ovn".into(),
        container_id: "c1".into(),
        if_name: "net1".into(),
        provider: EXTERNAL.into(),
        ..PodRequest::default()
    };
    let macvlan = Some(MacvlanConf { master: "eth1".into(), ..MacvlanConf::default() });
    Case { request, call: CallContext { macvlan, ..CallContext::default() }, namespace: "default" }
}

impl Case {
    fn annotated(mut self, annotations: &[(&str, &str)]) -> Self {
        self.call.annotations =
            annotations.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect::<BTreeMap<_, _>>();
        self
    }

    fn provider(mut self, provider: &str) -> Self {
        self.request.provider = provider.to_owned();
        self
    }

    fn interface(mut self, name: &str) -> Self {
        self.request.if_name = name.to_owned();
        self
    }

    fn resolve(&self) -> Result<PodNetwork, Fault> {
        let mut index = Index::default();
        for located in parse_file("subnets.yaml", SUBNETS).objects {
            index.feed(located).unwrap();
        }
        let attachment = Attachment::of(&self.request, &self.call).unwrap();
        let pod = PodRef::new(self.namespace, "db-1").unwrap();
        let facts = crate::facts::request::facts(
            &self.call,
            &pod,
            attachment.provider.as_str(),
            attachment.interface.as_str(),
        )?;
        resolve(&self.request, &self.call, &attachment, &pod, &facts, &index)
    }

    fn refusal(&self) -> (FaultKind, String) {
        let fault = self.resolve().unwrap_err();
        (fault.kind, fault.to_string())
    }
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn a_provider_leads_to_its_open_subnet() {
    let network = case().resolve().unwrap();

    assert_eq!(network.subnet.name(), "external");
    assert_eq!(network.wishes, [Request::any_for(&network.subnet)]);
    assert!(!network.is_static && !network.has_default_route);
    assert_eq!(
        (network.gateway(ip("192.168.0.9")), network.gateway(ip("fd09::9"))),
        (Some(ip("192.168.0.1")), None)
    );
}

#[test]
fn a_subnet_that_lists_the_namespace_comes_first() {
    let mut in_dual = case();
    in_dual.namespace = "dual";

    assert_eq!(in_dual.resolve().unwrap().subnet.name(), "external-dual");
}

#[test]
fn an_unknown_provider_is_told_the_known_ones() {
    let (kind, text) = case().provider("nope.ns").refusal();

    assert_eq!(kind, FaultKind::UnknownProvider);
    assert!(text.starts_with("provider nope.ns is not bound to any subnet; "), "{text}");
    assert!(
        text.contains(
            "known providers: external.kube-system, homeless.ns, locked.ns, stretched.ns, tenant.ns"
        ),
        "{text}"
    );
}

#[test]
fn a_foreign_namespace_gets_neither_the_subnet_nor_a_subnet_of_the_vpc() {
    for provider in ["locked.ns", "tenant.ns"] {
        assert_eq!(case().provider(provider).refusal().0, FaultKind::NotAdmitted, "{provider}");
    }
    let mut friend = case().provider("tenant.ns");
    friend.namespace = "friends";
    assert_eq!(friend.resolve().unwrap().subnet.name(), "tenant-open");
}

#[test]
fn a_subnet_cannot_open_its_vpc_and_a_vpc_that_is_not_there_admits_nobody() {
    let (kind, stretched) = case().provider("stretched.ns").refusal();
    let (_, homeless) = case().provider("homeless.ns").refusal();

    assert_eq!(kind, FaultKind::NotAdmitted);
    assert!(stretched.ends_with("add the namespace to spec.namespaces of Vpc tenant"), "{stretched}");
    assert!(homeless.ends_with("define Vpc absent of subnet homeless, or mend its file"), "{homeless}");
}

#[test]
fn an_annotation_chooses_among_the_providers_subnets_only() {
    let switch = |name| [("external.kube-system.kubernetes.io/logical_switch", name)];

    assert_eq!(case().annotated(&switch("external")).resolve().unwrap().subnet.name(), "external");
    assert_eq!(case().annotated(&switch("external-dual")).refusal().0, FaultKind::NotAdmitted);
    assert_eq!(case().annotated(&switch("locked")).refusal().0, FaultKind::NotAdmitted);
    assert_eq!(case().annotated(&switch("absent")).refusal().0, FaultKind::UnknownSubnet);
}

#[test]
fn a_fixed_address_makes_the_attachment_static() {
    let network = case()
        .annotated(&[("external.kube-system.kubernetes.io/ip_address", "192.168.0.77")])
        .resolve()
        .unwrap();

    assert!(network.is_static);
    let fixed = DualStack { v4: Some(ip("192.168.0.77")), v6: None };
    assert_eq!(network.wishes, [Request::fixed_for(&network.subnet, &fixed)]);
}

#[test]
fn annotation_and_runtime_must_not_contradict_each_other() {
    let mut asked = case().annotated(&[("external.kube-system.kubernetes.io/ip_address", "192.168.0.77")]);
    asked.call.ips.runtime_config = vec!["192.168.0.78/24".into()];

    let (kind, text) = asked.refusal();

    assert_eq!(kind, FaultKind::BadAnnotation);
    assert!(text.contains("says 192.168.0.77, the runtime asks for 192.168.0.78"), "{text}");
}

#[test]
fn a_pool_gives_a_stateful_pod_the_item_of_its_ordinal() {
    let pool = ("external.kube-system.kubernetes.io/ip_pool", "192.168.0.50;192.168.0.51;192.168.0.52");
    let stateful = ("external.kube-system.kubernetes.io/pod_type", "StatefulSet");

    let any = case().annotated(&[pool]).resolve().unwrap();
    let second = case().annotated(&[pool, stateful]).resolve().unwrap();

    let lists = |wish: &Wish, text: &str| match wish {
        Wish::OneOf(ranges) => ranges.iter().any(|range| range.contains(ipam::family::number(ip(text)))),
        Wish::Exactly(one) => *one == ip(text),
        Wish::Any | Wish::None => false,
    };
    for listed in ["192.168.0.50", "192.168.0.51", "192.168.0.52"] {
        assert!(any.wishes.iter().any(|wish| lists(&wish.v4, listed)), "{listed}");
    }
    assert!(!any.is_static);
    let [only] = second.wishes.as_slice() else { panic!("{:?}", second.wishes) };
    let of_second = |text| lists(&only.v4, text);
    assert!(
        of_second("192.168.0.51") && !of_second("192.168.0.50") && !of_second("192.168.0.52"),
        "{only:?}"
    );
}

#[test]
fn the_first_interface_reads_the_guides_keys() {
    let guide = [
        ("ovn.kubernetes.io/ip_address", "192.168.0.99"),
        ("ovn.kubernetes.io/mac_address", "02:00:00:00:00:99"),
    ];

    let first = case().interface("eth0").annotated(&guide).resolve().unwrap();
    let second = case().interface("net1").annotated(&guide).resolve().unwrap();

    assert!(first.is_static && first.has_default_route);
    assert_eq!(first.wishes[0].mac, Some("02:00:00:00:00:99".parse().unwrap()));
    assert!(!second.is_static);
}

#[test]
fn texts_that_cannot_be_read_name_the_annotation() {
    for (key, value) in [
        ("ip_address", "10.0.1.300"),
        ("mac_address", "zz"),
        ("ip_pool", "some-pool-object"),
        ("ip_family", "ipx"),
        ("routes", "not json"),
    ] {
        let key = format!("external.kube-system.kubernetes.io/{key}");
        let (kind, text) = case().annotated(&[(&key, value)]).refusal();

        assert_eq!(kind, FaultKind::BadAnnotation, "{key}");
        assert!(text.contains(&key), "{text}");
    }
}

#[test]
fn a_route_without_destination_is_the_default_of_its_gateways_family() {
    let mut with_routes = case();
    with_routes.request.routes = Some(vec![
        Route { dst: String::new(), gw: "192.168.0.254".into() },
        Route { dst: "203.0.113.7/24".into(), gw: String::new() },
    ]);

    let network = with_routes.resolve().unwrap();

    assert!(network.routes[0].is_default());
    assert_eq!(network.routes[1].destination.to_string(), "203.0.113.0/24");
}

#[test]
fn routes_that_cannot_be_meant_are_refused() {
    for (dst, gw) in [("", ""), ("x", ""), ("10.0.0.0/8", "x"), ("10.0.0.0/8", "fd00::1")] {
        let mut bad = case();
        bad.request.routes = Some(vec![Route { dst: dst.into(), gw: gw.into() }]);
        assert_eq!(bad.refusal().0, FaultKind::BadConfig, "{dst} {gw}");
    }
}

#[test]
fn the_configuration_decides_who_makes_the_interface() {
    let mut delegated = case();
    delegated.request.cni_type = "macvlan".into();
    let mut without_master = case();
    without_master.call.macvlan = None;

    let eth1 = IfName::new("eth1").unwrap();
    assert_eq!(delegated.resolve().unwrap().form, Form::Delegated { master: Some(eth1.clone()) });
    let Form::Macvlan(own) = case().resolve().unwrap().form else { panic!("own") };
    assert_eq!((own.master, own.mtu), (eth1, Some(1400)), "the Subnet's MTU");
    assert_eq!(without_master.refusal().0, FaultKind::NotSupportedHere);
}

#[test]
fn an_mtu_too_small_for_a_family_is_refused() {
    let mtu = |mtu, namespace| {
        let mut small = case();
        small.namespace = namespace;
        small.call.macvlan = Some(MacvlanConf { master: "eth1".into(), mode: String::new(), mtu });
        small.resolve()
    };

    assert!(mtu(1000, "default").is_ok());
    assert_eq!(mtu(1000, "dual").unwrap_err().kind, FaultKind::BadConfig);
    assert_eq!(mtu(60, "default").unwrap_err().kind, FaultKind::BadConfig);
}
