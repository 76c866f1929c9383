//! Every order of up to five ADDs and DELs of two sandboxes of one pod, on the daemon's socket; of veths up to four.
//!
//! The model is one sentence: the newest ADD owns the address, and only its owner's DEL frees it. The orders of
//! five calls begin with all the shorter ones; the state is compared once after each of the 1,364. Witnesses are the
//! kernel's `/proc`, the daemon's list of `IP` objects and `ovs-vsctl`, at the end `vpcctl` and `ip`.
#![expect(clippy::unwrap_used, reason = "a test may panic anywhere, in its own functions too")]

mod inside;
mod lane;
mod model;

use std::thread;

use serde_json::json;
use tests::daemon::Daemon;
use tests::lab::Lab;
use tests::ovn::{Node, Ovn};
use tests::skip::{Requirement, needs_all};
use tests::{ledger, objects, witness};

use crate::lane::Lane;
use crate::model::{Form, Maker, Model};

/// Pods that go through their share of the orders at the same time: the kernel lets a DEL wait, not work.
const LANES: usize = 8;

#[test]
fn two_sandboxes_of_one_pod_have_one_address_in_every_order_of_adds_and_dels() {
    play(Form { uids: ["uid-1", "uid-1"], ..Form::default() });
}

#[test]
fn without_pod_uids_the_newest_sandbox_owns_the_address_in_every_order() {
    play(Form { uids: ["", ""], ..Form::default() });
}

#[test]
fn with_another_plugins_interface_the_newest_sandbox_owns_the_address_in_every_order() {
    play(Form { uids: ["uid-1", "uid-1"], maker: Maker::Delegated, ..Form::default() });
}

#[test]
fn two_pods_of_one_name_have_an_address_each_in_every_order() {
    play(Form { uids: ["uid-1", "uid-2"], ..Form::default() });
}

#[test]
fn a_stateful_pod_keeps_its_one_address_over_every_order_and_another_uid() {
    play(Form { uids: ["uid-1", "uid-2"], is_kept: true, ..Form::default() });
}

#[test]
fn the_newest_sandbox_owns_address_and_port_of_a_veth_in_every_order() {
    play_veths(Form { uids: ["uid-1", "uid-1"], maker: Maker::Veth, ..Form::default() });
}

#[test]
fn a_stateful_pod_keeps_its_one_address_of_ovn_over_every_order_and_another_uid() {
    play_veths(Form { uids: ["uid-1", "uid-2"], maker: Maker::Veth, is_kept: true });
}

/// Plays all orders of five calls about macvlans.
fn play(form: Form) {
    if !needs_all(&[Requirement::Root, Requirement::Macvlan]) {
        return;
    }
    let lab = Lab::new();
    lab.write_object("guide.yaml", objects::GUIDE);
    let _daemon = Daemon::start(&lab, &[]);
    go_through(&lab, None, form, 5);
}

/// Plays all orders of four calls about veths: each takes Open vSwitch its time.
fn play_veths(form: Form) {
    if !needs_all(&[Requirement::Root, Requirement::Ovn]) {
        return;
    }
    let lab = Lab::new();
    lab.write_object("v1.yaml", &objects::vpc("v1", &json!({})));
    lab.write_object(
        "net1.yaml",
        &objects::subnet("net1", &json!({"vpc": "v1", "cidrBlock": "10.0.1.0/24"})),
    );
    let ovn = Ovn::start(&lab);
    let node = ovn.node(&lab);
    let _daemon = node.daemon(&[]);
    go_through(&lab, Some(&node), form, 4);
    assert_eq!(node.ports(), Vec::<String>::new());
}

/// Plays the orders, shared among pods that start and end every order with nothing but a kept address.
fn go_through(lab: &Lab, node: Option<&Node<'_>>, form: Form, calls: u32) {
    let orders: Vec<_> = model::orders(calls).collect();
    thread::scope(|scope| {
        for (number, share) in orders.chunks(orders.len() / LANES).enumerate() {
            let lane = Lane::new(lab, node, form, number);
            scope.spawn(move || {
                let mut model = Model::new(form);
                let mut before: &[_] = &[];
                for order in share {
                    lane.play(&mut model, order, model::common(before, order));
                    before = order;
                }
                assert_eq!(witness::link_names(&lane.netns[0]), Vec::<String>::new());
                assert_eq!(witness::link_names(&lane.netns[1]), Vec::<String>::new());
            });
        }
    });
    if !form.is_kept {
        return ledger::assert_empty(lab);
    }
    let claims = ledger::claims(lab);
    assert!(
        claims.iter().all(|claim| claim["nodeName"] == "" && claim["podType"] == "StatefulSet"),
        "{claims:?}"
    );
    assert_eq!(claims.len(), LANES);
    ledger::assert_sound(lab);
}
