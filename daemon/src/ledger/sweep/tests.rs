use daemon_api::{ContainerId, IfName, NetnsPath, PodRef, Provider};
use ipam::Workload;

use super::*;
use crate::ledger::{Link, Owner, PortTraits, Sandbox, Segment};

fn claim(id: u64, revision: u64, netns: Option<&str>) -> Claim {
    let sandbox = netns.map(|path| Sandbox {
        container: ContainerId::new(&format!("c{id}")).unwrap(),
        netns: NetnsPath::new(path).unwrap(),
        netns_id: (4, id),
    });
    Claim {
        id: ClaimId(id),
        owner: Owner {
            pod: PodRef::new("ns", &format!("p{id}")).unwrap(),
            uid: String::new(),
            provider: Provider::new("x.ns").unwrap(),
            interface: IfName::new("eth0").unwrap(),
        },
        workload: Workload::Pod,
        sandbox,
        network: String::new(),
        subnet: "s".into(),
        segment: Segment("provider/x.ns".into()),
        addresses: Vec::new(),
        mac: None,
        link: Link::Delegated,
        port: PortTraits::default(),
        revision,
        since: 0,
    }
}

fn ids(claims: &[Claim]) -> Vec<u64> {
    claims.iter().map(|c| c.id.0).collect()
}

#[test]
fn only_sandboxes_that_are_surely_gone_count() {
    let claims = [claim(1, 1, Some("/run/netns/a")), claim(2, 2, Some("/run/netns/b")), claim(3, 3, None)];

    let found = gone(&claims, |c| match c.id.0 {
        1 => Presence::Gone,
        2 => Presence::Unknown,
        _ => Presence::Alive,
    });

    assert_eq!(ids(&found), [1], "one that cannot be seen and one that is parked stay");
}

#[test]
fn of_two_claims_in_one_place_the_newer_lives() {
    let claims = [claim(1, 5, Some("/run/netns/a")), claim(2, 9, Some("/run/netns/a"))];

    assert_eq!(ids(&gone(&claims, |_| Presence::Alive)), [1]);
}

#[test]
fn a_claim_is_freed_at_the_second_look_only() {
    let (first, nothing) = (vec![claim(1, 1, Some("/run/netns/a"))], Vec::new());

    let (sure, suspects) = judge(&Suspects::new(), first.clone());
    assert_eq!(sure, nothing);

    let (sure, suspects) = judge(&suspects, first.clone());
    assert_eq!(ids(&sure), [1]);

    let (sure, _) = judge(&suspects, nothing.clone());
    assert_eq!(sure, nothing);
}

#[test]
fn a_claim_that_changed_between_the_looks_is_looked_at_again() {
    let (_, suspects) = judge(&Suspects::new(), vec![claim(1, 1, Some("/run/netns/a"))]);

    let (sure, suspects) = judge(&suspects, vec![claim(1, 2, Some("/run/netns/a"))]);

    assert!(sure.is_empty(), "an ADD came in between");
    assert_eq!(suspects.get(&ClaimId(1)), Some(&2));
}

#[test]
fn a_sandbox_that_came_back_is_forgotten() {
    let (_, suspects) = judge(&Suspects::new(), vec![claim(1, 1, Some("/run/netns/a"))]);
    let (_, suspects) = judge(&suspects, Vec::new());

    let (sure, _) = judge(&suspects, vec![claim(1, 1, Some("/run/netns/a"))]);

    assert!(sure.is_empty());
}
