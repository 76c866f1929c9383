//! The kubelet's probes into pods of custom VPCs, whole: the real plugin and daemon with `--enable-tproxy` on a real OVN.
//!
//! Whatever a probe says has to be what is true in the pod, and nobody but the node's root may ask. The tests called
//! `kube_ovn_1_17_0_…` show a defect of that version that we do not have. Witnesses are sockets in the pods, `curl`, `nft`,
//! `tcpdump`, `ovn-nbctl` and `vpcctl`, never code of the product.
#![expect(clippy::unwrap_used, reason = "a test may panic anywhere, in its own functions too")]

mod bad_input;
mod capture;
mod churn;
mod clash;
mod forgery;
mod host_network;
mod isolation;
mod kinds;
mod kubelet;
mod many;
mod node;
mod outages;
mod server;
mod stage;
mod switched;
mod toggle;
mod told;
mod unseen;

use tests::lab::Lab;
use tests::skip::{Requirement, needs_all};

/// The lab of [`stage::lab`]; `None`, and a word about it, on a machine that cannot do it.
fn lab() -> Option<Lab> {
    let programs = ["nft", "curl", "tcpdump", "setpriv"].map(Requirement::Program);
    let needed = [&[Requirement::Root, Requirement::Ovn][..], &programs].concat();
    needs_all(&needed).then(stage::lab)
}
