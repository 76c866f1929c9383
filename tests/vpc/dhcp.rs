//! What a client inside a pod is told: DHCP for both families, and router advertisements.

use serde_json::json;
use tests::lab::Lab;
use tests::skip::{Requirement, needs};
use tests::wait;

use crate::can;
use crate::cloud::{Cloud, PATIENCE, Pod, subnet, vpc};

/// Asks with ISC's client, which writes what it was told into a file, and returns that. Nothing of it is put on the
/// interface.
#[track_caller]
fn lease(lab: &Lab, pod: &Pod<'_>, family: u8) -> String {
    let file = lab.dir().join(format!("lease-{family}"));
    let pid = lab.dir().join(format!("dhclient-{family}.pid"));
    let (file, pid) = (file.display(), pid.display());
    let asked = pod.exec(&format!("dhclient -{family} -1 -sf /bin/true -lf {file} -pf {pid} eth0"));
    let told = std::fs::read_to_string(file.to_string()).unwrap_or_default();
    // It goes on in the background to renew the lease; it ends with the pod's namespace.
    assert!(told.contains("lease"), "{asked:?}\n{told}");
    told
}

#[test]
fn a_dhcp_client_is_told_address_router_mtu_and_lease() {
    if !can() || !needs(Requirement::Program("dhclient")) {
        return;
    }
    let lab = Lab::new();
    vpc(&lab, "v", json!({}));
    let spec = json!({
        "vpc": "v", "cidrBlock": "10.0.1.0/24,fd00:10:1::/64", "enableDHCP": true,
        "dhcpV4Options": "lease_time=7200,dns_server={8.8.8.8,8.8.4.4}", "dhcpV6Options": "dns_server={2001:4860:4860::8888}",
        "enableIPv6RA": true,
    });
    subnet(&lab, "net1", spec);
    let cloud = Cloud::start(&lab);
    let (pod, other) = (cloud.pod("ns/a", "net1", ""), cloud.pod("ns/b", "net1", ""));

    for pod in [&pod, &other] {
        let told = lease(&lab, pod, 4);
        let address = format!("fixed-address {};", pod.ip(4));
        let options = [
            "option subnet-mask 255.255.255.0;",
            "option routers 10.0.1.1;",
            "option interface-mtu 1400;",
            "option dhcp-lease-time 7200;",
            "option domain-name-servers 8.8.8.8,8.8.4.4;",
        ];
        for line in options.into_iter().chain([&*address]) {
            assert!(told.contains(line), "no `{line}` in\n{told}");
        }
    }
    // The kernel looks whether anybody has its link-local address, from which the client asks.
    wait::until("the link-local address", PATIENCE, || {
        let found = pod.must("ip -6 addr show dev eth0 scope link");
        (found.contains("fe80") && !found.contains("tentative")).then_some(())
    });
    let told = lease(&lab, &pod, 6);
    for line in [format!("iaaddr {} {{", pod.ip(6)), "2001:4860:4860::8888".into()] {
        assert!(told.contains(&line), "no `{line}` in\n{told}");
    }
    let advertised = pod.must("rdisc6 -1 eth0");
    assert!(advertised.contains("fd00:10:1::/64"), "{advertised}");
}
