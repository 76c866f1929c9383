//! What one target adds to the tables.

use nft::{Element, Field, Key};

use super::{Node, Tables, Wire, frames};
use crate::target::{Endpoint, Target};

/// Adds the elements and the chain of `target`. Endpoints of a family that is not carried are left out.
pub(super) fn add(tables: &mut Tables, node: &Node, target: &Target) {
    let carried = |endpoint: &&Endpoint| match endpoint.ip {
        std::net::IpAddr::V4(_) => node.probe.v4.is_some(),
        std::net::IpAddr::V6(_) => node.probe.v6.is_some(),
    };
    let mut is_carried = false;
    for endpoint in target.endpoints.iter().filter(carried) {
        is_carried = true;
        add_endpoint(tables, target, *endpoint);
    }
    if is_carried {
        let chain = frames::of_pod(target.host_side.name(), node);
        tables.netdev.chains.insert(target.host_side.chain().clone(), chain);
    }
}

fn add_endpoint(tables: &mut Tables, target: &Target, endpoint: Endpoint) {
    let wire = Wire::of(endpoint.ip);
    let index = Field::Index(target.host_side.index());
    let fields = [endpoint.ip.into(), Field::Port(endpoint.port)];
    let own = [index.clone(), fields[0].clone(), fields[1].clone()];
    if let Some(targets) = tables.inet.sets.get_mut(&wire.targets) {
        targets.elements.insert(Key::of(&fields), Element::default());
    }
    let rows = [
        (&wire.macs, Key::of(&fields), Element::to(Field::Mac(target.mac))),
        (&wire.devices, Key::of(&fields), Element::to(index)),
        (&wire.own, Key::of(&own), Element::default()),
    ];
    for (set, key, element) in rows {
        if let Some(set) = tables.netdev.sets.get_mut(set) {
            set.elements.insert(key, element);
        }
    }
}
