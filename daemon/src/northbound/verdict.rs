//! What is wrong with a pod's port, as the caller of an ADD sees it. Pure.

use daemon_api::{Fault, FaultKind};
use ovn::diff::Refusal;
use ovn::nb::Table;
use ovn::owner::Owner;
use ovn::snapshot::Snapshot;
use ovn::wanted::{Key, Wanted};
use ovsdb::value::Uuid;
use vpc::{Finding, Object, Reason, Survey};

/// A port that the planner refuses.
pub(super) fn of_finding(finding: &Finding, subnet: &str, survey: &Survey) -> Fault {
    let of_subnet = Object::Subnet(subnet.to_owned());
    // That the subnet is refused says nothing; why it is does.
    let cause = survey.about(&of_subnet).next().filter(|_| finding.reason == Reason::SubnetRefused);
    let cause = cause.unwrap_or(finding);
    let (what, fix) = cause.message.rsplit_once("; ").unwrap_or((&cause.message, ""));
    let message = if std::ptr::eq(cause, finding) {
        format!("plan the switch port: {what}")
    } else {
        format!("plan the switch port: {} is refused: {}: {what}", cause.object, cause.reason)
    };
    Fault::new(kind_of(finding.reason), message).hint(fix)
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the other reasons are not about ports")]
fn kind_of(reason: Reason) -> FaultKind {
    match reason {
        Reason::NamespaceNotAdmitted => FaultKind::NotAdmitted,
        Reason::AddressOutsideSubnet | Reason::GatewayAddressTaken => FaultKind::AddressNotUsable,
        Reason::PortNameTaken | Reason::Conflict => FaultKind::BadConfig,
        _ => FaultKind::UnknownSubnet,
    }
}

/// A row that could not be planned because of what is in the database.
pub(super) fn of_refusal(refusal: &Refusal) -> Fault {
    let fix = match refusal {
        Refusal::Foreign { by, .. } => format!("remove or rename row {by}, or rename the pod or its object"),
        Refusal::ParentRefused { parent, .. } => format!("remove or rename the other {parent}"),
        Refusal::OwnedBy { .. }
        | Refusal::NoParent { .. }
        | Refusal::NoReference { .. }
        | Refusal::HoldsOthers { .. }
        | Refusal::HeldByForeign { .. } => String::new(),
    };
    let message = format!("make the switch port in OVN's northbound database: {refusal}");
    Fault::new(FaultKind::NotSupportedHere, message).hint(fix)
}

/// Whether a refusal keeps the port of this name from being made.
pub(super) fn is_about(refusal: &Refusal, port: &str) -> bool {
    not_made(refusal).is_some_and(|key| key.table == Table::LogicalSwitchPort && key.name == port)
}

/// The row that a refusal keeps from being made.
pub(super) fn not_made(refusal: &Refusal) -> Option<&Key> {
    match refusal {
        Refusal::Foreign { key, .. }
        | Refusal::OwnedBy { key, .. }
        | Refusal::NoParent { key, .. }
        | Refusal::ParentRefused { key, .. } => Some(key),
        Refusal::NoReference { .. } | Refusal::HoldsOthers { .. } | Refusal::HeldByForeign { .. } => None,
    }
}

/// Whose row it is that was refused.
pub(super) fn owner_of(refusal: &Refusal, wanted: &Wanted, found: &Snapshot) -> Option<Owner> {
    match refusal {
        Refusal::Foreign { key, .. }
        | Refusal::OwnedBy { key, .. }
        | Refusal::NoParent { key, .. }
        | Refusal::ParentRefused { key, .. }
        | Refusal::NoReference { key, .. } => wanted.get(key).map(|row| row.owner.clone()),
        Refusal::HoldsOthers { row, .. } | Refusal::HeldByForeign { row, .. } => {
            match found.row(*row)?.standing() {
                ovn::owner::Standing::Owned(owner) => Some(owner.clone()),
                ovn::owner::Standing::Unclaimed | ovn::owner::Standing::Foreign => None,
            }
        }
    }
}

/// The rows of others whose change may end a refusal.
pub(super) fn in_the_way(refusal: &Refusal, found: &Snapshot) -> Vec<Uuid> {
    match refusal {
        Refusal::Foreign { by, .. } => vec![*by],
        Refusal::ParentRefused { parent, .. } => found.named(parent.table, &parent.name).collect(),
        Refusal::HoldsOthers { row, held } => vec![*row, *held],
        Refusal::HeldByForeign { row, parent } => vec![*row, *parent],
        Refusal::OwnedBy { .. } | Refusal::NoParent { .. } | Refusal::NoReference { .. } => Vec::new(),
    }
}
