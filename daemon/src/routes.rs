//! The effective routes of a VPC, as people read them.

use daemon_api::routes::{PolicyRow, RouteRow, RouteTable};
use ovn::nb::PolicyAction;
use vpc::checked::CheckedVpc;
use vpc::routes::{Policy, Route};
use vpc::{Object, Survey};

use crate::northbound::Northbound;

/// The routes of a VPC.
///
/// # Errors
/// Why there are none, in one sentence.
pub fn table(northbound: &Northbound, name: &str) -> Result<RouteTable, String> {
    let outage = northbound.outage();
    northbound.look(|model| {
        let survey = model.ok_or("no routes are planned here: --ovn-nb is empty")?.survey();
        let mut table = survey.vpcs.get(name).map(of).ok_or_else(|| absent(survey, name))?;
        let findings = Object::Vpc(name.to_owned());
        table.notices =
            survey.about(&findings).map(|finding| finding.message.clone()).chain(outage).collect();
        Ok(table)
    })
}

fn absent(survey: &Survey, name: &str) -> String {
    match survey.about(&Object::Vpc(name.to_owned())).next() {
        Some(finding) => format!("{} is refused: {}: {}", finding.object, finding.reason, finding.message),
        None => format!("vpcs.kubeovn.io {name:?} not found"),
    }
}

fn of(vpc: &CheckedVpc) -> RouteTable {
    let planned = vpc::routes::routes(vpc);
    RouteTable {
        vpc: vpc.name.clone(),
        routes: planned.routes.iter().map(route).collect(),
        policies: planned.policies.iter().map(policy).collect(),
        notices: Vec::new(),
    }
}

fn route(route: &Route) -> RouteRow {
    RouteRow {
        table: route.table.clone(),
        policy: route.policy.as_str().to_owned(),
        prefix: route.prefix.to_string(),
        next_hops: route.next_hops.iter().map(ToString::to_string).collect(),
        port: route.port.clone().unwrap_or_default(),
        origin: route.origin.to_string(),
    }
}

fn policy(policy: &Policy) -> PolicyRow {
    PolicyRow {
        priority: policy.priority,
        match_text: policy.match_text.clone(),
        action: policy.action.as_str().to_owned(),
        next_hops: match &policy.action {
            PolicyAction::Reroute(next_hops) => next_hops.iter().map(ToString::to_string).collect(),
            PolicyAction::Allow | PolicyAction::Drop => Vec::new(),
        },
        origin: policy.origin.to_string(),
    }
}
