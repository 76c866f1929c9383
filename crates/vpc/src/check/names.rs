//! What a `match` names and nobody defines: ovn-controller waits for it and leaves the rule out meanwhile.

use crate::expression::{Expression, Name};
use crate::finding::{Fault, Reason};

const WAITS: &str = "and OVN leaves the rule out until somebody does";

/// The names that nothing here makes. `is_port` says whether a port of the switch or router may be called so.
pub(super) fn unknown(expression: &Expression, is_port: impl Fn(&str) -> bool) -> Vec<Fault> {
    let told = |name: &Name| match name {
        Name::AddressSet(name) => {
            Some(format!("nothing here makes address set ${name}, {WAITS}; write the addresses"))
        }
        Name::PortGroup(name) => {
            Some(format!("nothing here makes port group @{name}, {WAITS}; write the ports"))
        }
        Name::Port(name) if is_port(name) => None,
        Name::Port(name) => Some(format!("no port here can be called {name:?}; correct the name")),
    };
    expression.names().filter_map(told).map(|message| Fault::new(Reason::UnknownName, message)).collect()
}
