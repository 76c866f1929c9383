//! Where the pods of one form live: a node of crash builds with what the form needs.

use serde_json::{Value, json};
use tests::binaries::Binaries;
use tests::cni;
use tests::daemon::Daemon;
use tests::lab::Lab;
use tests::ovn::{Node, Ovn};
use tests::skip::{Requirement, needs_all};
use tests::{ledger, objects, wait};

use crate::case::PATIENCE;

/// The sweep, which frees what nobody asks about any more, is quick; it touches no sandbox that is there.
const FLAGS: [&str; 1] = ["--sweep-interval=0.2"];

/// Who makes the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// We do, a macvlan.
    Own,
    /// The reference macvlan, with our addresses.
    Delegated,
    /// We do, a veth of OVN.
    Veth,
}

impl Form {
    fn needs(self) -> &'static [Requirement] {
        use Requirement::{CrashBinaries, Macvlan, Ovn, ReferencePlugins, Root};
        match self {
            Self::Own | Self::Delegated => &[Root, Macvlan, ReferencePlugins, CrashBinaries],
            Self::Veth => &[Root, Ovn, CrashBinaries],
        }
    }
}

/// A node, and the OVN that all its veths share.
#[derive(Clone, Copy)]
pub(crate) struct Site<'a> {
    pub(crate) lab: &'a Lab,
    pub(crate) form: Form,
    ovn: Option<(&'a Ovn, &'a Node<'a>)>,
}

/// Plays at a site with one Subnet of the form; passes with a word about it on a machine that cannot do it.
pub(crate) fn at(form: Form, play: impl FnOnce(&Site<'_>)) {
    let Some(binaries) = needs_all(form.needs()).then(Binaries::crashing).flatten() else { return };
    let lab = Lab::builder().binaries(binaries).build();
    if form != Form::Veth {
        lab.write_object("guide.yaml", objects::GUIDE);
        return play(&Site { lab: &lab, form, ovn: None });
    }
    lab.write_object("v1.yaml", &objects::vpc("v1", &json!({})));
    lab.write_object(
        "net1.yaml",
        &objects::subnet("net1", &json!({"vpc": "v1", "cidrBlock": "10.0.1.0/24"})),
    );
    let ovn = Ovn::start(&lab);
    let node = ovn.node(&lab);
    play(&Site { lab: &lab, form, ovn: Some((&ovn, &node)) });
}

impl<'a> Site<'a> {
    /// The network's configuration.
    pub(crate) fn conf(&self) -> Value {
        let socket = self.lab.socket();
        match self.form {
            Form::Own => cni::own_macvlan(&socket),
            Form::Delegated => cni::guide_nad(&socket),
            Form::Veth => cni::own_ovn(&socket),
        }
    }

    /// Starts the daemon with further environment variables and does not wait.
    #[track_caller]
    pub(crate) fn daemon(&self, environment: &[(&str, &str)]) -> Daemon<'a> {
        match self.ovn {
            Some((_, node)) => node.daemon_with(&FLAGS, environment),
            None => Daemon::start_with(self.lab, &FLAGS, environment),
        }
    }

    /// Asserts that Open vSwitch has as many ports of pods.
    #[track_caller]
    pub(crate) fn assert_ports(&self, count: usize) {
        if let Some((_, node)) = self.ovn {
            assert_eq!(node.ports().len(), count, "{:?}", node.ports());
        }
    }

    /// Asserts that nothing is left of any pod.
    #[track_caller]
    pub(crate) fn assert_empty(&self) {
        let Some((ovn, node)) = self.ovn else { return ledger::assert_empty(self.lab) };
        node.assert_empty();
        let ports = || ovn.nb(&["--bare", "--columns=name", "find", "Logical_Switch_Port", "type=\"\""]);
        wait::until("the switch ports to go", PATIENCE, || ports().trim().is_empty().then_some(()));
    }
}
