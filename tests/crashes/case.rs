//! One pod whose first sandbox is hit by a crash, and what may come next.

use std::time::Duration;

use tests::cni::Call;
use tests::netns::Netns;
use tests::{ledger, wait, witness};

use crate::points::Verb;
use crate::site::{Form, Site};

/// Long enough for a machine that does much else. Nothing asserts on it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// What comes after the crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    /// The runtime's DEL of the same sandbox.
    Del,
    /// The same ADD again, as of a runtime that does not give up a sandbox at once, and its DEL.
    SameAgain,
    /// Another sandbox of the same pod, as the kubelet makes it, and late the DEL of the first one.
    NewSandbox,
    /// No call: the sandbox ends.
    NetnsGone,
}

impl Then {
    /// The reference plugin takes no ADD twice.
    pub(crate) fn of(form: Form) -> &'static [Self] {
        match form {
            Form::Delegated => &[Self::Del, Self::NewSandbox, Self::NetnsGone],
            Form::Own | Form::Veth => &[Self::Del, Self::SameAgain, Self::NewSandbox, Self::NetnsGone],
        }
    }
}

/// A pod and its first sandbox.
pub(crate) struct Case<'a> {
    pub(crate) site: &'a Site<'a>,
    name: String,
    sandbox: Netns,
    pub(crate) add: Call,
}

impl<'a> Case<'a> {
    pub(crate) fn new(site: &'a Site<'a>, number: usize) -> Self {
        let name = format!("p{number}");
        let sandbox = site.lab.pod(&name);
        let add = add(site, &name, &name, &sandbox);
        Self { site, name, sandbox, add }
    }

    /// The call of the first sandbox.
    pub(crate) fn call(&self, verb: Verb) -> Call {
        match verb {
            Verb::Add => self.add.clone(),
            Verb::Del => self.add.clone().verb("DEL"),
        }
    }

    /// The interfaces in the first sandbox.
    pub(crate) fn links(&self) -> Vec<String> {
        witness::link_names(&self.sandbox)
    }

    /// Lets it come and go until nothing should be left of the pod. `held` is what a new sandbox takes over.
    #[track_caller]
    pub(crate) fn follow(self, then: Then, held: &[String]) {
        let lab = self.site.lab;
        match then {
            Then::Del => {
                self.call(Verb::Del).run(lab).ok();
                assert_eq!(self.links(), Vec::<String>::new());
            }
            Then::SameAgain => {
                let given = self.add.run(lab).addresses();
                assert_eq!(witness::addresses(&self.sandbox, "net1"), given);
                assert_eq!(ledger::held(lab).len(), 1);
                self.site.assert_ports(1);
                self.call(Verb::Del).run(lab).ok();
                assert_eq!(self.links(), Vec::<String>::new());
            }
            Then::NewSandbox => self.new_sandbox(held),
            Then::NetnsGone => {
                drop(self.sandbox);
                wait::until("the sweep", PATIENCE, || ledger::held(lab).is_empty().then_some(()));
            }
        }
    }

    #[track_caller]
    fn new_sandbox(&self, held: &[String]) {
        let container = format!("{}-again", self.name);
        let Site { lab, form, .. } = *self.site;
        let sandbox = lab.pod(&container);
        let add = add(self.site, &self.name, &container, &sandbox);

        let given = add.run(lab).addresses();

        let has_it_alone = || {
            assert_eq!(witness::addresses(&sandbox, "net1"), given);
            let held: Vec<_> = ledger::held(lab).iter().map(|ip| format!("{ip}/24")).collect();
            assert_eq!(held, given);
            self.site.assert_ports(1);
        };
        has_it_alone();
        assert!(held.iter().all(|ip| given.contains(&format!("{ip}/24"))), "{held:?} {given:?}");
        if form != Form::Delegated {
            assert_eq!(self.links(), Vec::<String>::new(), "the older sandbox");
        }
        self.call(Verb::Del).run(lab).ok();
        has_it_alone();
        add.verb("DEL").run(lab).ok();
        assert_eq!(witness::link_names(&sandbox), Vec::<String>::new());
    }
}

fn add(site: &Site<'_>, pod: &str, container: &str, sandbox: &Netns) -> Call {
    let call = Call::add(&site.conf()).container(container).netns(sandbox.path());
    // The same UID in every sandbox of the pod.
    call.pod("default", pod)
}
