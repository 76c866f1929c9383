//! What the state has to be after any order of calls.

use std::collections::BTreeMap;
use std::fmt;

/// One of a pod's two sandboxes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Container {
    /// The first.
    C1,
    /// The second.
    C2,
}

/// One call.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// ADD.
    Add(Container),
    /// DEL.
    Del(Container),
}

const STEPS: [Step; 4] =
    [Step::Add(Container::C1), Step::Add(Container::C2), Step::Del(Container::C1), Step::Del(Container::C2)];

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Add(container) => write!(f, "ADD {container:?}"),
            Self::Del(container) => write!(f, "DEL {container:?}"),
        }
    }
}

/// Every order of so many calls, those that begin alike after each other.
pub(crate) fn orders(calls: u32) -> impl Iterator<Item = Vec<Step>> {
    let all = STEPS.len();
    (0..all.pow(calls)).map(move |number| {
        let digits = (0..calls).rev().map(|place| number / all.pow(place) % all);
        digits.map(|digit| STEPS[digit]).collect()
    })
}

/// How many calls two orders have in common until they part.
pub(crate) fn common(one: &[Step], other: &[Step]) -> usize {
    one.iter().zip(other).take_while(|(a, b)| a == b).count()
}

/// Who makes the interface.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Maker {
    /// We do, a macvlan.
    #[default]
    Own,
    /// Another plugin.
    Delegated,
    /// We do, a veth of OVN.
    Veth,
}

/// What kind of pod goes through the orders.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Form {
    /// The pod's UID as each sandbox has it; empty as podman's.
    pub(crate) uids: [&'static str; 2],
    /// Who makes the interface.
    pub(crate) maker: Maker,
    /// The pod is one of a StatefulSet.
    pub(crate) is_kept: bool,
}

impl Form {
    /// Whether the second sandbox takes the first one's address over: a kept one by its pod's name, any other by its UID.
    fn is_shared(self) -> bool {
        self.is_kept || self.uids[0] == self.uids[1]
    }
}

/// Who has which address.
pub(crate) struct Model {
    form: Form,
    held: BTreeMap<Container, String>,
    parked: Option<String>,
}

impl Model {
    /// A pod that never was.
    pub(crate) fn new(form: Form) -> Self {
        Self { form, held: BTreeMap::new(), parked: None }
    }

    /// The address that an ADD has to answer; `None` when any free one will do.
    pub(crate) fn expected(&self, container: Container) -> Option<&String> {
        if self.form.is_shared() {
            self.held.values().next().or(self.parked.as_ref())
        } else {
            self.held.get(&container)
        }
    }

    /// An ADD answered with this address.
    pub(crate) fn added(&mut self, container: Container, address: String) {
        if self.form.is_shared() {
            self.held.clear();
        }
        self.parked = None;
        self.held.insert(container, address);
    }

    /// A DEL succeeded.
    pub(crate) fn deleted(&mut self, container: Container) {
        let freed = self.held.remove(&container);
        if self.form.is_kept && freed.is_some() {
            self.parked = freed;
        }
    }

    /// The address that a sandbox's interface has.
    pub(crate) fn held_by(&self, container: Container) -> Option<&String> {
        self.held.get(&container)
    }

    /// The claims: whose, and for which address.
    pub(crate) fn claims(&self) -> Vec<(Option<Container>, String)> {
        let parked = self.parked.iter().map(|address| (None, address.clone()));
        parked
            .chain(self.held.iter().map(|(container, address)| (Some(*container), address.clone())))
            .collect()
    }
}
