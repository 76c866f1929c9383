//! The conditions of a Subnet and a Vpc: what the planner decided, what the database has of it, what the ledger serves. Pure.
//!
//! The planner's word is about what is wanted. That a router is there, that the database is out of reach, that somebody
//! else's row is in the way: the database has the last word, and takes `Ready` away.

use std::collections::BTreeMap;
use std::sync::Arc;

use crds::condition::{READY, VALIDATED};
use crds::{Condition, Subnet, SubnetStatus, Vpc, VpcStatus};
use ovn::nb::Family;
use vpc::{Facts, Survey};

use crate::northbound::{Model, is_departing, is_ovn};
use crate::resources::files::Refused;

/// The database cannot be reached.
const OUT_OF_REACH: &str = "NorthboundOutOfReach";
/// The database does not have the router yet.
const AWAITED: &str = "RouterAwaited";
/// What is in the database keeps rows from being made.
const ROWS_REFUSED: &str = "RowsRefused";
/// The ledger gives no addresses of the subnet.
const NOT_SERVED: &str = "NotServed";

/// What is known beside the object itself.
pub(super) struct Known<'a> {
    /// The planner's side; `None` when somebody else keeps the database.
    pub(super) model: Option<&'a Model>,
    /// Why the database is out of reach, when it is.
    pub(super) outage: Option<&'a str>,
}

impl Known<'_> {
    /// The status of a subnet, of which `before` has the counters. `served` says whether the ledger gives its addresses.
    pub(super) fn subnet(&self, subnet: &Subnet, served: bool, before: SubnetStatus) -> SubnetStatus {
        let Some(model) = self.model.filter(|_| is_ovn(subnet)) else {
            return addresses_only(subnet, served, before);
        };
        let name = subnet.name();
        let mut status = vpc::status::subnet(model.survey(), &model.facts().ports, name, &before);
        let row = |family| model.dhcp_row(name, family).unwrap_or_default();
        (status.dhcp_v4_options_uuid, status.dhcp_v6_options_uuid) = (row(Family::V4), row(Family::V6));
        let troubles = model.troubles_of_subnet(name);
        if !troubles.is_empty() {
            rows_refused(&mut status.conditions, &troubles.join("; "));
        }
        if !served && !is_departing(subnet) {
            not_ready(&mut status.conditions, NOT_SERVED, "see the daemon's log for file and line");
        }
        if let Some(outage) = self.outage {
            not_ready(&mut status.conditions, OUT_OF_REACH, outage);
        }
        status
    }

    /// The status of a VPC.
    pub(super) fn vpc(&self, vpc: &Vpc, members: Vec<String>) -> VpcStatus {
        let Some(model) = self.model else {
            return VpcStatus { subnets: members, ..vpc.status.clone() };
        };
        let name = vpc.name();
        let mut status = vpc::status::vpc(model.survey(), model.facts(), name, &vpc.status);
        status.standby &= model.has_router(name);
        let troubles = model.troubles_of_vpc(name);
        if !troubles.is_empty() {
            rows_refused(&mut status.conditions, &troubles.join("; "));
        } else if !status.standby {
            not_ready(&mut status.conditions, AWAITED, "the database does not have the VPC's router yet");
        }
        if let Some(outage) = self.outage {
            not_ready(&mut status.conditions, OUT_OF_REACH, outage);
        }
        status
    }
}

/// Says what is in the way, beside what is wrong with the object itself.
fn rows_refused(conditions: &mut Vec<Condition>, message: &str) {
    not_ready(conditions, ROWS_REFUSED, message);
    match conditions.iter_mut().find(|condition| condition.kind == vpc::status::ERROR) {
        Some(error) => error.message = format!("{}; {message}", error.message),
        None => conditions.push(Condition::new(vpc::status::ERROR, true, ROWS_REFUSED, message)),
    }
}

/// Takes `Ready` away, unless it is not held anyway.
fn not_ready(conditions: &mut [Condition], reason: &str, message: &str) {
    for ready in conditions.iter_mut().filter(|condition| condition.kind == READY && condition.holds()) {
        *ready = Condition::new(READY, false, reason, message);
    }
}

/// A subnet whose interfaces others make, or whose rows others keep.
fn addresses_only(subnet: &Subnet, served: bool, before: SubnetStatus) -> SubnetStatus {
    let unread = subnet.unread();
    let conditions = vec![
        Condition::new(VALIDATED, served, if served { "Valid" } else { "Invalid" }, ""),
        match (served, unread.is_empty()) {
            (true, true) => Condition::new(READY, true, "AddressesServed", ""),
            (true, false) => Condition::new(
                READY,
                true,
                "AddressesServed",
                &format!("no effect here: {}", unread.join(", ")),
            ),
            (false, _) => Condition::new(READY, false, NOT_SERVED, "see the daemon's log for file and line"),
        },
    ];
    SubnetStatus { conditions, ..before }
}

/// The status of a subnet that cannot be meant: the planner's reason, where it has one, else the reader's.
pub(super) fn refused(refused: &Refused) -> SubnetStatus {
    let (name, problem) = (refused.subnet.name(), refused.problem.to_string());
    let facts = Facts {
        vpcs: BTreeMap::from([(
            refused.subnet.spec.vpc.clone(),
            Arc::new(Vpc::new(&*refused.subnet.spec.vpc, crds::VpcSpec::default())),
        )]),
        subnets: BTreeMap::from([(name.to_owned(), refused.subnet.clone())]),
        ..Facts::default()
    };
    let mut status = vpc::status::subnet(&Survey::of(&facts), &facts.ports, name, &SubnetStatus::default());
    if status.conditions.iter().all(|condition| condition.kind != READY || condition.holds()) {
        status.conditions = vec![
            Condition::new(VALIDATED, false, "Invalid", &problem),
            Condition::new(READY, false, NOT_SERVED, &problem),
        ];
    }
    status
}

/// Says beside the status of the version in effect that a newer one cannot be meant.
pub(super) fn outdated(status: &mut SubnetStatus, newer: &Refused) {
    let message = format!("its newest version has no effect, the last good one stays: {}", newer.problem);
    status.conditions.push(Condition::new(vpc::status::ERROR, true, "NewestVersionRefused", &message));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resources::files::parse_file;
    use crate::resources::{Index, files::Parsed};

    fn parsed(spec: &str) -> Parsed {
        let yaml =
            format!("apiVersion: kubeovn.io/v1\nkind: Subnet\nmetadata: {{name: net1}}\nspec: {{{spec}}}\n");
        parse_file("a.yaml", &yaml)
    }

    fn model(yaml: &str) -> (Model, Index) {
        let (mut model, mut index) = (Model::new(vpc::Settings::default()), Index::default());
        parse_file("a.yaml", yaml).objects.into_iter().for_each(|object| index.feed(object).unwrap());
        model.set_objects(&index, "now");
        (model, index)
    }

    fn ready(conditions: &[Condition]) -> (bool, String) {
        let ready = Condition::find(conditions, READY).unwrap();
        (ready.holds(), ready.reason.clone())
    }

    const NET1: &str = "\
apiVersion: kubeovn.io/v1
kind: Vpc
metadata: {name: v}
---
apiVersion: kubeovn.io/v1
kind: Subnet
metadata: {name: net1}
spec: {vpc: v, cidrBlock: 10.0.1.0/24}
";

    #[test]
    fn a_vpc_stands_by_only_when_the_database_has_its_router() {
        let (model, index) = model(NET1);
        let known = Known { model: Some(&model), outage: None };
        let status = known.vpc(index.vpc("v").unwrap(), Vec::new());

        assert!(!status.standby);
        assert_eq!(ready(&status.conditions), (false, AWAITED.into()));
        assert_eq!(status.subnets, ["net1"]);
    }

    #[test]
    fn an_outage_is_said_on_every_object_of_ovn() {
        let (model, index) = model(NET1);
        let known = |outage| Known { model: Some(&model), outage };
        let subnet = index.subnet("net1").unwrap();
        let of =
            |outage, served| ready(&known(outage).subnet(subnet, served, SubnetStatus::default()).conditions);

        assert_eq!(of(None, true), (true, "ResetLogicalSwitchAclSuccess".into()));
        assert_eq!(of(Some("no"), true), (false, OUT_OF_REACH.into()));
        assert_eq!(of(None, false), (false, NOT_SERVED.into()));
        let vpc = known(Some("no")).vpc(index.vpc("v").unwrap(), Vec::new());
        assert!(!ready(&vpc.conditions).0);
    }

    #[test]
    fn a_subnet_whose_switch_or_router_is_somebody_elses_is_not_ready_and_its_neighbour_is() {
        let yaml = format!("{NET1}---\n{}", NET1.rsplit_once("---\n").unwrap().1.replace('1', "2"));
        let yaml = yaml.replace("kubeovn.io/v2", "kubeovn.io/v1");
        for (table, name, expected) in [
            ("Logical_Switch", "net1", [(false, ROWS_REFUSED), (true, "ResetLogicalSwitchAclSuccess")]),
            ("Logical_Router", "v", [(false, ROWS_REFUSED), (false, ROWS_REFUSED)]),
        ] {
            let (mut model, index) = model(&yaml);
            model.set_ports(std::iter::empty());
            let row = Arc::new(BTreeMap::from([("name".into(), name.into())]));
            let uuid = ovsdb::value::Uuid([7; 16]);
            let change = ovsdb::monitor::Change { table: table.into(), uuid, row: Some(row) };
            let standing = ovsdb::view::Standing::Current;
            model.take_rows(ovsdb::view::Batch { changes: vec![change], standing });
            model.next(std::time::Instant::now()).unwrap();

            let known = Known { model: Some(&model), outage: None };
            let found = ["net1", "net2"].map(|name| {
                let status = known.subnet(index.subnet(name).unwrap(), true, SubnetStatus::default());
                let errors = status.conditions.iter().filter(|c| c.kind == vpc::status::ERROR).count();
                let (holds, reason) = ready(&status.conditions);
                assert_eq!(errors, usize::from(!holds));
                (holds, reason)
            });
            assert_eq!(found, expected.map(|(holds, reason)| (holds, reason.to_owned())));
        }
    }

    #[test]
    fn a_subnet_of_another_provider_needs_no_database() {
        let yaml = NET1.replace("vpc: v, ", "provider: macvlan.ns, ");
        let (model, index) = model(&yaml);
        let known = Known { model: Some(&model), outage: Some("no") };
        let status = known.subnet(index.subnet("net1").unwrap(), true, SubnetStatus::default());

        assert_eq!(ready(&status.conditions), (true, "AddressesServed".into()));
    }

    #[test]
    fn a_subnet_that_cannot_be_meant_is_shown_with_the_reason() {
        let reason = |spec: &str| {
            let status = refused(&parsed(spec).refused[0]);
            let validated = Condition::find(&status.conditions, VALIDATED).unwrap().clone();
            assert!(!validated.holds() && !validated.message.is_empty());
            ready(&status.conditions)
        };

        assert_eq!(
            reason("vpc: v, cidrBlock: 10.0.1.0/24, gateway: 10.0.2.1"),
            (false, "InvalidGateway".into())
        );
        assert_eq!(reason("cidrBlock: 10.0.1.0/33"), (false, "InvalidCidr".into()));
        assert_eq!(
            reason("provider: a.b, cidrBlock: 10.0.1.0/24, excludeIps: [x]"),
            (false, "NotServed".into())
        );
    }
}
