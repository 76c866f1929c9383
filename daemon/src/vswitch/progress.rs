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

impl Progress {
    /// How far an interface has come by its row.
    pub fn of(interface: &Interface) -> Self {
        match (interface.is_installed, interface.error.as_deref(), interface.ofport) {
            (true, _, _) => Self::Installed,
            (false, Some(error), _) if !error.is_empty() => Self::Failed(error.to_owned()),
            (false, _, Some(-1)) => Self::Failed("could not be added".to_owned()),
            (false, _, Some(port)) if port > 0 => Self::Added,
            (false, _, _) => Self::Waiting,
        }
    }

    /// The same of a row that may be gone.
    pub fn of_row(row: Option<&FoundColumns>) -> Self {
        let interface = row.and_then(|columns| Interface::read(Found(columns)));
        interface.as_ref().map_or(Self::Unplugged, Self::of)
    }

    /// What is missing, and what to do about it; `None` when nothing is.
    pub fn complaint(&self) -> Option<(String, &'static str)> {
        let (what, fix) = match self {
            Self::Unplugged => ("its port was taken out of the bridge again", "see who does that"),
            Self::Waiting => {
                ("ovs-vswitchd has not taken it up", "see whether ovs-vswitchd runs on this node")
            }
            Self::Failed(error) => {
                return Some((format!("Open vSwitch cannot use it: {error}"), "see ovs-vswitchd's log"));
            }
            Self::Added => (
                "OVN has not installed its flows (ovn-installed)",
                "see whether ovn-controller runs on this node and reaches the southbound database, and whether \
                 ovn-northd runs",
            ),
            Self::Installed => return None,
        };
        Some((what.to_owned(), fix))
    }

    /// The end of the wait, when this is one.
    pub fn verdict(&self) -> Option<Result<(), Fault>> {
        match (self, self.complaint()) {
            (Self::Installed, _) | (_, None) => Some(Ok(())),
            (Self::Failed(_), Some((what, fix))) => {
                Some(Err(Fault::new(FaultKind::Kernel, format!("plug the interface in: {what}")).hint(fix)))
            }
            (Self::Unplugged | Self::Waiting | Self::Added, Some(_)) => None,
        }
    }

    /// The fault of a wait that took too long. `is_current` is false when the database does not answer any more.
    pub fn overdue(&self, within: Duration, is_current: bool) -> Fault {
        let gone =
            || ("the node's Open vSwitch database does not answer".to_owned(), "start its ovsdb-server");
        let (what, fix) = self.complaint().filter(|_| is_current).unwrap_or_else(gone);
        let seconds = within.as_secs();
        Fault::new(FaultKind::Busy, format!("the interface was not reachable within {seconds} s: {what}"))
            .hint(fix)
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
        assert_eq!(Progress::of_row(None), Progress::Unplugged);
        assert_eq!(Progress::of_row(Some(&row(None, "", false))), Progress::Waiting);
        assert_eq!(Progress::of_row(Some(&row(Some(3), "", false))), Progress::Added);
        assert_eq!(Progress::of_row(Some(&row(Some(3), "", true))).verdict(), Some(Ok(())));
    }

    #[test]
    fn a_device_that_cannot_be_used_ends_the_wait() {
        let failed = Progress::of_row(Some(&row(
            Some(-1),
            "could not open network device x_h (No such device)",
            false,
        )));

        let fault = failed.verdict().unwrap().unwrap_err();
        assert!(fault.message.contains("No such device"), "{fault}");
        assert_eq!(
            Progress::of_row(Some(&row(Some(-1), "", false))),
            Progress::Failed("could not be added".to_owned())
        );
    }

    #[test]
    fn a_wait_that_took_too_long_says_whose_turn_it_was() {
        let told = |progress: &Progress| progress.overdue(Duration::from_secs(30), true).to_string();

        assert!(told(&Progress::Waiting).contains("ovs-vswitchd has not"));
        assert!(told(&Progress::Added).contains("ovn-controller"));
        assert!(Progress::Added.overdue(Duration::from_secs(1), false).message.contains("database"));
    }
}
