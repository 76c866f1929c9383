//! A pod's port with nothing around it: the kernel by netlink, OVN by two transactions over open sockets, and the wait for
//! `ovn-installed`. Nothing is checked, claimed or written to disk by us; it is what our ADD and DEL are compared with.

use std::path::Path;
use std::time::{Duration, Instant};

use netlink::{AddrSpec, Handle, RouteSpec, Veth};
use serde_json::{Value, json};

use super::rpc::Rpc;
use super::{GATEWAY, SWITCH};
use crate::process::INTERFACE;

/// The switch port and the host's end of the pair.
const PORT: &str = "bare";
const HOST_END: &str = "bare_h";
/// An address at the end of the subnet, where no pod's is.
const ADDRESS: &str = "10.98.255.1";
const MAC: [u8; 6] = [2, 0, 0, 98, 255, 1];
const MAC_TEXT: &str = "02:00:00:62:ff:01";
/// The daemon's MTU of a pod, so that the kernel does the same work.
const MTU: u32 = 1400;

/// How long the parts took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Took {
    pub(crate) kernel: Duration,
    pub(crate) rpc: Duration,
}

impl Took {
    pub(crate) fn whole(self) -> Duration {
        self.kernel + self.rpc
    }
}

/// The open sockets.
pub(crate) struct Floor {
    northbound: Rpc,
    switch: Rpc,
    watch: Rpc,
    node: Handle,
}

impl Floor {
    pub(crate) fn open(northbound: &Path, switch: &Path) -> Self {
        let mut watch = Rpc::open(switch, "Open_vSwitch");
        watch.monitor("Interface", "external_ids");
        Self {
            northbound: Rpc::open(northbound, "OVN_Northbound"),
            switch: Rpc::open(switch, "Open_vSwitch"),
            watch,
            node: must(Handle::here()),
        }
    }

    pub(crate) fn add(&mut self, pod: &Path) -> Took {
        let kernel = self.make_pair(pod);
        let begin = Instant::now();
        self.northbound.transact(&[
            json!({"op": "insert", "table": "Logical_Switch_Port", "uuid-name": "p", "row": {
                "name": PORT, "addresses": format!("{MAC_TEXT} {ADDRESS}"),
                "port_security": format!("{MAC_TEXT} {ADDRESS}")}}),
            json!({"op": "mutate", "table": "Logical_Switch", "where": [["name", "==", SWITCH]],
                "mutations": [["ports", "insert", ["named-uuid", "p"]]]}),
        ]);
        let made = self.switch.transact(&[
            json!({"op": "insert", "table": "Interface", "uuid-name": "i", "row": {
                "name": HOST_END, "external_ids": ["map", [["iface-id", PORT]]]}}),
            json!({"op": "insert", "table": "Port", "uuid-name": "p", "row": {
                "name": HOST_END, "interfaces": ["named-uuid", "i"]}}),
            json!({"op": "mutate", "table": "Bridge", "where": [["name", "==", "br-int"]],
                "mutations": [["ports", "insert", ["named-uuid", "p"]]]}),
        ]);
        let interface = made[0]["uuid"][1].as_str().unwrap_or_default();
        self.watch.until(|update| is_installed(&update["Interface"][interface]["new"]));
        Took { kernel, rpc: begin.elapsed() }
    }

    pub(crate) fn del(&mut self) -> Took {
        let begin = Instant::now();
        for (rpc, table, name, holder, held_by) in [
            (&mut self.switch, "Port", HOST_END, "Bridge", "br-int"),
            (&mut self.northbound, "Logical_Switch_Port", PORT, "Logical_Switch", SWITCH),
        ] {
            let uuid = uuid_of(rpc, table, name);
            rpc.transact(&[json!({"op": "mutate", "table": holder, "where": [["name", "==", held_by]],
                "mutations": [["ports", "delete", uuid]]})]);
        }
        let rpc = begin.elapsed();
        let begin = Instant::now();
        let link = must(self.node.link(HOST_END));
        must(link.map_or(Ok(false), |link| self.node.delete_link(link.index)));
        Took { kernel: begin.elapsed(), rpc }
    }

    /// The kernel's part of an ADD.
    pub(crate) fn make_pair(&self, pod: &Path) -> Duration {
        let begin = Instant::now();
        let netns = netlink::Netns::open(pod).unwrap_or_else(|e| panic!("open {}: {e}", pod.display()));
        let pair = Veth {
            host_name: HOST_END,
            pod_name: INTERFACE,
            pod_mac: MAC,
            mtu: Some(MTU),
            is_host_promiscuous: false,
        };
        must(self.node.add_veth(&pair, &netns));
        let inside = must(Handle::inside(&netns));
        must(inside.set_tx_checksum(INTERFACE, false));
        let link = must(inside.link(INTERFACE)).unwrap_or_else(|| panic!("{INTERFACE} is gone"));
        let address = AddrSpec::new(parsed(&format!("{ADDRESS}/16")));
        let route = RouteSpec { gateway: Some(parsed(GATEWAY)), ..RouteSpec::to(parsed("0.0.0.0/0")) };
        must(inside.configure(link.index, &[address], &[route]));
        begin.elapsed()
    }
}

fn is_installed(interface: &Value) -> bool {
    let ids = interface["external_ids"][1].as_array();
    ids.is_some_and(|ids| ids.contains(&json!(["ovn-installed", "true"])))
}

fn uuid_of(rpc: &mut Rpc, table: &str, name: &str) -> Value {
    let found = rpc.transact(&[json!({"op": "select", "table": table, "where": [["name", "==", name]],
        "columns": ["_uuid"]})]);
    found[0]["rows"][0]["_uuid"].clone()
}

fn parsed<T: std::str::FromStr>(text: &str) -> T {
    text.parse().unwrap_or_else(|_| panic!("{text} cannot be read"))
}

fn must<T>(outcome: Result<T, netlink::Error>) -> T {
    outcome.unwrap_or_else(|e| panic!("netlink: {e}"))
}
