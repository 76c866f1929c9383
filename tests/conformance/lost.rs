//! Multus 4.3 with `clusterNetwork` loses every key of ours before the DEL: the default socket has to be guessed.

use serde_json::{Value, json};
use tests::cni::{self, Call};
use tests::daemon::Daemon;
use tests::{ledger, own_run, witness};

use crate::{guide, merged};

/// Where a daemon listens that is not told otherwise.
const DEFAULT_SOCKET: &str = "/run/openvswitch/kube-ovn-daemon.sock";

#[test]
fn the_guides_network_unchanged_and_a_del_that_lost_everything() {
    let Some(lab) = guide() else { return };
    // A node has a default route; macvlan looks for its interface when the configuration names none.
    lab.node.must("ip addr add 192.168.0.2/24 dev eth1");
    lab.node.must("ip route add default via 192.168.0.1");
    let pod = lab.pod("p1");
    let wrapper = own_run::wrapper(&lab, &[("p1", &pod)]);
    let seen_from_here = own_run::path(&lab).join("openvswitch/kube-ovn-daemon.sock");
    std::os::unix::fs::symlink(seen_from_here, lab.socket()).unwrap();
    let mut daemon = Daemon::start_in(&lab, wrapper, &[&format!("--bind-socket={DEFAULT_SOCKET}")]);
    let pid = daemon.service().pid();
    let nad = cni::guide_nad(DEFAULT_SOCKET.as_ref());
    let add = Call::add(&nad).netns("/run/netns/p1").pod("default", "p1").mounts_of(pid);

    for (lost, plugin) in [
        (
            json!({"cniVersion": "1.0.0", "ipam": {"type": "kube-ovn"}, "name": "x", "type": "macvlan"}),
            "macvlan",
        ),
        (json!({"cniVersion": "1.0.0", "name": "x", "type": "kube-ovn"}), "kube-ovn"),
        (json!({"cniVersion": "1.0.0", "name": "x"}), "kube-ovn"),
        (json!({"cniVersion": "1.0.0", "name": "x", "type": "kube-ovn", "server_socket": {}}), "kube-ovn"),
    ] {
        let result = add.run(&lab).ok();
        assert_eq!(witness::addresses(&pod, "net1"), cni::addresses(&result));
        assert_eq!(ledger::held(&lab).len(), 1);

        let del = add.clone().verb("DEL").plugin(plugin).stdin(lost.to_string()).args("");
        assert_eq!(del.run(&lab).ok(), Value::Null, "{lost}");

        assert_eq!(ledger::held(&lab), Vec::<String>::new(), "{lost}");
        // Our own binary alone does not remove what macvlan made.
        pod.exec("ip link del net1");
    }
    ledger::assert_empty(&lab);
}

#[test]
fn an_add_that_lost_its_socket_is_told_where_to_write_it() {
    let Some(lab) = guide() else { return };
    let pod = lab.pod("p1");
    let no_socket = |mut conf: Value, place: &[&str]| {
        let inner = place.iter().fold(&mut conf, |conf, key| &mut conf[*key]);
        inner.as_object_mut().unwrap().remove("server_socket");
        let error = crate::add(&conf, &pod, "p1").run(&lab).error();
        assert_eq!(error["code"], 7, "{conf}");
        error["details"].as_str().unwrap().to_owned()
    };

    assert!(no_socket(cni::own_macvlan(&lab.socket()), &[]).contains("beside \"type\": \"kube-ovn\""));
    assert!(no_socket(cni::guide_nad(&lab.socket()), &["ipam"]).contains("in the \"ipam\" block"));
    let relative = merged(cni::own_macvlan(&lab.socket()), json!({"server_socket": "../d.sock"}));
    assert_eq!(crate::add(&relative, &pod, "p1").run(&lab).code(), 7);
}
