//! How far a port has come on its way from a row to a reachable pod, and whose turn it is. Pure.

use std::time::Duration;

use daemon_api::{Fault, FaultKind};
use ovn::cell::{Found, FoundColumns};
use ovn::vswitch::Interface;

/// How far an interface has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// Its row is not there.
    Unplugged,
    /// Open vSwitch has not looked at it.
    Waiting,
    /// Open vSwitch cannot use the device.
    Failed(String),
    /// Open vSwitch forwards its packets, OVN has not installed its flows.
    Added,
    /// The pod can be reached.
    Installed,
}

/// Reads an interface's row.
pub fn of(row: Option<&FoundColumns>) -> Progress {
    let Some(interface) = row.and_then(|columns| Interface::read(Found(columns))) else {
        return Progress::Unplugged;
    };
    match (interface.is_installed, interface.error, interface.ofport) {
        (true, _, _) => Progress::Installed,
        (false, Some(error), _) if !error.is_empty() => Progress::Failed(error),
        (false, _, Some(port)) if port > 0 => Progress::Added,
        (false, _, Some(-1)) => Progress::Failed("could not be added".to_owned()),
        (false, _, _) => Progress::Waiting,
    }
}

impl Progress {
    /// The end of the wait, when this is one.
    pub fn verdict(&self) -> Option<Result<(), Fault>> {
        match self {
            Progress::Installed => Some(Ok(())),
            Progress::Failed(error) => Some(Err(Fault::new(
                FaultKind::Kernel,
                format!("Open vSwitch cannot use the pod's interface: {error}"),
            )
            .hint("see ovs-vswitchd's log"))),
            Progress::Unplugged | Progress::Waiting | Progress::Added => None,
        }
    }

    /// The fault of a wait that took too long.
    pub fn overdue(&self, within: Duration, is_current: bool) -> Fault {
        let seconds = within.as_secs();
        let (what, hint) = match self {
            _ if !is_current => {
                ("the node's Open vSwitch database does not answer any more", "start its ovsdb-server")
            }
            Progress::Unplugged => ("its port was taken out of the bridge again", "see who does that"),
            Progress::Waiting => {
                ("ovs-vswitchd has not taken it up", "see whether ovs-vswitchd runs on this node")
            }
            Progress::Failed(_) | Progress::Added | Progress::Installed => (
                "OVN has not installed its flows (ovn-installed)",
                "see whether ovn-controller runs on this node and reaches the southbound database, and whether \
                 ovn-northd runs",
            ),
        };
        Fault::new(FaultKind::Busy, format!("the interface was not reachable within {seconds} s: {what}"))
            .hint(hint)
    }
}

#[cfg(test)]
mod tests {
    use ovsdb::value::{Atom, Value};

    use super::*;

    fn row(ofport: Option<i64>, error: &str, installed: bool) -> FoundColumns {
        let ids = installed.then(|| (Atom::from("ovn-installed"), Atom::from("true")));
        let mut row = FoundColumns::from([
            ("name".to_owned(), Value::from("x_h")),
            ("external_ids".to_owned(), Value::Map(ids.into_iter().collect())),
        ]);
        if let Some(number) = ofport {
            row.insert("ofport".to_owned(), Value::Atom(Atom::Integer(number)));
        }
        if !error.is_empty() {
            row.insert("error".to_owned(), Value::from(error));
        }
        row
    }

    #[test]
    fn a_port_goes_from_row_to_ofport_to_installed() {
        assert_eq!(of(None), Progress::Unplugged);
        assert_eq!(of(Some(&row(None, "", false))), Progress::Waiting);
        assert_eq!(of(Some(&row(Some(3), "", false))), Progress::Added);
        assert_eq!(of(Some(&row(Some(3), "", true))).verdict(), Some(Ok(())));
    }

    #[test]
    fn a_device_that_cannot_be_used_ends_the_wait() {
        let failed = of(Some(&row(Some(-1), "could not open network device x_h (No such device)", false)));

        let fault = failed.verdict().unwrap().unwrap_err();
        assert!(fault.message.contains("No such device"), "{fault}");
        assert_eq!(of(Some(&row(Some(-1), "", false))), Progress::Failed("could not be added".to_owned()));
    }

    #[test]
    fn a_wait_that_took_too_long_says_whose_turn_it_was() {
        let told = |progress: &Progress| progress.overdue(Duration::from_secs(30), true).to_string();

        assert!(told(&Progress::Waiting).contains("ovs-vswitchd has not"));
        assert!(told(&Progress::Added).contains("ovn-controller"));
        assert!(Progress::Added.overdue(Duration::from_secs(1), false).message.contains("database"));
    }
}
