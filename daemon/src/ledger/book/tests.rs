use std::collections::{BTreeMap, BTreeSet};

use daemon_api::{ContainerId, IfName, NetnsPath, PodRef, Provider};
use ipam::{DualStack, Request, SubnetSpec, Wish, Workload};
use proptest::prelude::*;

use super::*;
use crate::ledger::{Link, PortTraits, Sandbox};

mod clash;

const SUBNET: &str = "s";

fn spec(cidr: &str) -> SubnetSpec {
    SubnetSpec::parse(SUBNET, cidr, "", &[]).unwrap()
}

fn segment() -> Segment {
    Segment("provider/x.ns".into())
}

fn served(spec: SubnetSpec) -> Served {
    Served { spec, segment: segment() }
}

fn book() -> Book {
    let mut book = Book::default();
    book.respec(vec![served(spec("10.0.0.0/29"))]);
    book
}

/// A pod's ADD: pod `pod` of UID `uid` in container `container`.
fn request(pod: &str, uid: &str, container: &str) -> ClaimRequest {
    ClaimRequest {
        owner: Owner {
            pod: PodRef::new("ns", pod).unwrap(),
            uid: uid.to_owned(),
            provider: Provider::new("x.ns").unwrap(),
            interface: IfName::new("eth0").unwrap(),
        },
        workload: Workload::Pod,
        sandbox: Sandbox {
            container: ContainerId::new(container).unwrap(),
            netns: NetnsPath::new(&format!("/run/netns/{container}")).unwrap(),
            netns_id: (4, container.bytes().fold(0, |n, b| n * 31 + u64::from(b))),
        },
        network: "net".into(),
        subnet: SUBNET.into(),
        wishes: vec![Request::any_for(&spec("10.0.0.0/29"))],
        link: Link::Macvlan,
        port: PortTraits::default(),
        are_probes_carried: false,
        on_chosen: None,
        now: 7,
    }
}

fn claim(book: &mut Book, request: &ClaimRequest) -> Result<Claimed, LedgerError> {
    let decision = book.decide(request)?;
    decision.changes.iter().for_each(|change| book.apply(change));
    Ok(decision.claimed)
}

/// What DEL does.
fn del(book: &mut Book, container: &str) -> usize {
    let conditions: Vec<ReleaseIf> = book
        .claims_of_container(container)
        .filter(|c| c.is_used_by(container, "eth0"))
        .map(ReleaseIf::unchanged)
        .collect();
    let changes = book.decide_release(&conditions);
    changes.iter().for_each(|change| book.apply(change));
    changes.len()
}

fn address(claimed: &Claimed) -> String {
    claimed.claim.addresses[0].to_string()
}

#[test]
fn the_same_sandbox_gets_the_same_answer_and_nothing_changes() {
    let mut book = book();
    let first = claim(&mut book, &request("p", "u", "c1")).unwrap();

    let decision = book.decide(&request("p", "u", "c1")).unwrap();

    assert!(decision.changes.is_empty() && !decision.claimed.is_fresh);
    assert_eq!(decision.claimed.claim, first.claim);
}

#[test]
fn a_newer_sandbox_of_the_pod_takes_over_and_the_older_ones_del_frees_nothing() {
    let mut book = book();
    let first = claim(&mut book, &request("p", "u", "c1")).unwrap();

    let second = claim(&mut book, &request("p", "u", "c2")).unwrap();

    assert_eq!(address(&second), address(&first));
    assert_eq!(second.superseded.unwrap().container.as_str(), "c1");
    assert_eq!(del(&mut book, "c1"), 0);
    assert_eq!(del(&mut book, "c2"), 1);
    assert_eq!(book.claims().count(), 0);
}

#[test]
fn another_pod_of_the_same_name_gets_another_address_while_the_first_lives() {
    let mut book = book();
    let first = claim(&mut book, &request("p", "u1", "c1")).unwrap();

    let second = claim(&mut book, &request("p", "u2", "c2")).unwrap();

    assert_ne!(address(&second), address(&first));
    assert_eq!(del(&mut book, "c1"), 1);
    assert!(book.claims().all(|c| c.id == second.claim.id));
}

#[test]
fn a_kept_address_is_parked_and_goes_to_the_next_pod_of_that_name() {
    let mut book = book();
    let stateful = |uid, container| ClaimRequest {
        workload: Workload::StatefulSet { ordinal: 0 },
        ..request("db-0", uid, container)
    };
    let first = claim(&mut book, &stateful("u1", "c1")).unwrap();
    assert_eq!(del(&mut book, "c1"), 1);
    assert_eq!(book.claims().next().unwrap().sandbox, None);

    let second = claim(&mut book, &stateful("u2", "c2")).unwrap();

    assert_eq!((second.claim.id, address(&second)), (first.claim.id, address(&first)));
}

#[test]
fn a_pod_that_wants_another_address_now_gives_the_old_one_back() {
    let mut book = book();
    claim(&mut book, &request("p", "u", "c1")).unwrap();
    let fixed = DualStack { v4: Some("10.0.0.6".parse().unwrap()), v6: None };
    let pinned = ClaimRequest {
        wishes: vec![Request::fixed_for(&spec("10.0.0.0/29"), &fixed)],
        ..request("p", "u", "c2")
    };

    let second = claim(&mut book, &pinned).unwrap();

    assert_eq!(address(&second), "10.0.0.6");
    assert_eq!(second.superseded.unwrap().container.as_str(), "c1");
    assert_eq!(book.claims().count(), 1);
}

#[test]
fn a_refusal_names_who_holds_the_address() {
    let mut book = book();
    let first = claim(&mut book, &request("p", "u", "c1")).unwrap();
    let fixed = DualStack { v4: Some(first.claim.addresses[0]), v6: None };
    let thief = ClaimRequest {
        wishes: vec![Request::fixed_for(&spec("10.0.0.0/29"), &fixed)],
        ..request("thief", "t", "c9")
    };

    let fault = daemon_api::Fault::from(book.decide(&thief).unwrap_err());

    assert_eq!(fault.kind, daemon_api::FaultKind::AddressTaken);
    assert!(fault.message.contains("by pod ns/p (interface eth0)"), "{}", fault.message);
}

#[test]
fn a_release_that_saw_an_older_revision_frees_nothing() {
    let mut book = book();
    let seen = ReleaseIf::unchanged(&claim(&mut book, &request("p", "u", "c1")).unwrap().claim);

    claim(&mut book, &request("p", "u", "c2")).unwrap();

    assert!(book.decide_release(&[seen]).is_empty());
}

#[test]
fn a_claim_outlives_its_subnet_and_counts_when_the_subnet_comes_back() {
    let mut book = book();
    let first = claim(&mut book, &request("p", "u", "c1")).unwrap();

    book.respec(Vec::new());
    assert!(matches!(book.decide(&request("q", "u", "c2")), Err(LedgerError::NoSuchSubnet { .. })));
    book.respec(vec![served(spec("10.0.0.0/29"))]);

    assert_ne!(address(&claim(&mut book, &request("q", "u", "c2")).unwrap()), address(&first));
}

#[test]
fn an_address_set_aside_is_given_again_only_after_it_was_readmitted() {
    let mut book = book();
    let first: IpAddr = "10.0.0.2".parse().unwrap();
    book.set_aside(&segment(), first, 100);

    let other = book.decide(&request("p", "u", "c1")).unwrap();
    book.readmit(101);
    let again = book.decide(&request("p", "u", "c1")).unwrap();

    assert_ne!(other.claimed.claim.addresses, [first]);
    assert_eq!(again.claimed.claim.addresses, [first]);
}

#[test]
fn a_change_that_is_taken_back_leaves_every_claim_as_it_was() {
    let mut book = book();
    let kept = ClaimRequest { workload: Workload::StatefulSet { ordinal: 0 }, ..request("db-0", "u", "c1") };
    claim(&mut book, &kept).unwrap();
    claim(&mut book, &request("p", "u", "c2")).unwrap();
    let before: Vec<Claim> = book.claims().cloned().collect();
    let releases: Vec<ReleaseIf> = before.iter().map(ReleaseIf::unchanged).collect();
    // One claim parked, one freed, one taken over, one made.
    let mut changes = book.decide_release(&releases);
    changes.extend(book.decide(&request("p", "u", "c3")).unwrap().changes);
    changes.extend(book.decide(&request("q", "u", "c4")).unwrap().changes);

    for change in &changes {
        let inverse = book.inverse(change);
        book.apply(change);
        book.apply(&inverse);
    }

    assert_eq!((changes.len(), book.claims().cloned().collect::<Vec<_>>()), (4, before));
    check(&book, &spec("10.0.0.0/29"));
}

fn named(name: &str, cidr: &str) -> SubnetSpec {
    SubnetSpec::parse(name, cidr, "", &[]).unwrap()
}

/// A pod's ADD from the subnet `name` that has what `named` gives it.
fn request_of(name: &str, pod: &str) -> ClaimRequest {
    ClaimRequest { subnet: name.to_owned(), ..request(pod, "u", pod) }
}

#[test]
fn a_renamed_subnet_and_one_that_overlaps_give_no_address_twice() {
    let mut book = book();
    let first = claim(&mut book, &request("p", "u", "c1")).unwrap();

    book.respec(vec![served(named("renamed", "10.0.0.0/29")), served(named("wider", "10.0.0.0/28"))]);
    let second = claim(&mut book, &request_of("renamed", "q")).unwrap();
    let third = claim(&mut book, &request_of("wider", "r")).unwrap();

    let given: BTreeSet<String> = [&first, &second, &third].map(address).into();
    assert_eq!(given.len(), 3, "{given:?}");
    assert_eq!(del(&mut book, "c1"), 1);
    assert_eq!(del(&mut book, "q"), 1);
    let using: u128 = book.subnet("renamed").unwrap().counts().iter().map(|(_, c)| c.using).sum();
    assert_eq!(using, 1, "what is freed is free in every subnet; the wider one's is held in both");
}

#[test]
fn the_same_addresses_may_be_given_in_two_segments() {
    let mut book = Book::default();
    let vpc =
        |name: &str| Served { spec: named(name, "10.0.0.0/29"), segment: Segment(format!("vpc/{name}")) };
    book.respec(vec![vpc("a"), vpc("b")]);

    let [one, two] = ["a", "b"].map(|name| claim(&mut book, &request_of(name, name)).unwrap());

    assert_eq!(address(&one), address(&two));
}

#[test]
fn a_mac_that_is_asked_for_is_unique_in_the_segment() {
    let mut book = Book::default();
    book.respec(vec![served(named("a", "10.0.0.0/29")), served(named("b", "10.0.0.8/29"))]);
    let with_mac = |name: &str, pod: &str| {
        let mac = Some("02:00:00:00:00:07".parse().unwrap());
        let wishes = vec![Request::any_for(&named("a", "10.0.0.0/29")).with_mac(mac)];
        ClaimRequest { wishes, ..request_of(name, pod) }
    };
    claim(&mut book, &with_mac("a", "p")).unwrap();

    let fault = daemon_api::Fault::from(book.decide(&with_mac("b", "q")).unwrap_err());

    assert_eq!(fault.kind, daemon_api::FaultKind::AddressTaken);
    assert!(fault.message.contains("by pod ns/p"), "{}", fault.message);
}

#[test]
fn a_new_sandbox_does_not_keep_an_address_that_left_the_subnet() {
    let mut book = book();
    claim(&mut book, &request("p", "u", "c1")).unwrap();
    let moved = SubnetSpec::parse(SUBNET, "10.9.0.0/29", "", &[]).unwrap();
    book.respec(vec![served(moved)]);

    let same = claim(&mut book, &request("p", "u", "c1")).unwrap();
    let next = claim(&mut book, &request("p", "u", "c2")).unwrap();

    assert_eq!((address(&same).as_str(), address(&next).as_str()), ("10.0.0.2", "10.9.0.2"));
}

#[derive(Debug, Clone)]
enum Step {
    Add { pod: u8, uid: u8, container: u8, kept: bool },
    Del { container: u8 },
    Respec { wide: bool },
    Reload,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let add = (0u8..4, 0u8..2, 0u8..5, any::<bool>()).prop_map(|(pod, uid, container, kept)| Step::Add {
        pod,
        uid,
        container,
        kept: kept && pod == 0,
    });
    let step = prop_oneof![
        6 => add,
        4 => (0u8..5).prop_map(|container| Step::Del { container }),
        1 => any::<bool>().prop_map(|wide| Step::Respec { wide }),
        1 => Just(Step::Reload),
    ];
    prop::collection::vec(step, 0..60)
}

/// What every state of a book must satisfy.
fn check(book: &Book, subnet: &SubnetSpec) {
    let mut owners: BTreeMap<IpAddr, ClaimId> = BTreeMap::new();
    for claim in book.claims() {
        for ip in &claim.addresses {
            assert_eq!(owners.insert(*ip, claim.id), None, "{ip} has two owners");
            assert_eq!(book.holder(&segment(), *ip).map(|c| c.id), Some(claim.id));
        }
    }
    let used: BTreeSet<(String, String)> = book
        .claims()
        .filter_map(|c| Some((c.sandbox.as_ref()?.container.to_string(), c.owner.pod.to_string())))
        .collect();
    let with_sandbox = book.claims().filter(|c| c.sandbox.is_some()).count();
    assert_eq!(used.len(), with_sandbox, "a sandbox has two claims of one pod");
    let pool = book.subnet(SUBNET).unwrap();
    assert_eq!(pool.spec(), subnet);
    let using: u128 = pool.counts().iter().map(|(_, c)| c.using).sum();
    assert_eq!(using, owners.len() as u128, "the pool counts what the claims hold");
}

proptest! {
    #[test]
    fn no_history_gives_an_address_two_owners_or_loses_one(steps in steps()) {
        let mut book = book();
        let mut subnet = spec("10.0.0.0/29");
        for step in steps {
            match step {
                Step::Add { pod, uid, container, kept } => {
                    let mut wanted = request(&format!("p-{pod}"), &format!("u{uid}"), &format!("c{container}"));
                    wanted.wishes = vec![Request::any_for(&subnet)];
                    if kept {
                        wanted.workload = Workload::StatefulSet { ordinal: u32::from(pod) };
                    }
                    if let Ok(claimed) = claim(&mut book, &wanted) {
                        let held = book.claims_of_container(wanted.sandbox.container.as_str());
                        prop_assert!(held.into_iter().any(|c| c.id == claimed.claim.id));
                    }
                }
                Step::Del { container } => {
                    let container = format!("c{container}");
                    del(&mut book, &container);
                    prop_assert_eq!(book.claims_of_container(&container).count(), 0);
                }
                Step::Respec { wide } => {
                    subnet = spec(if wide { "10.0.0.0/28" } else { "10.0.0.0/29" });
                    book.respec(vec![served(subnet.clone())]);
                }
                Step::Reload => {
                    let claims: Vec<Claim> = book.claims().cloned().collect();
                    book = Book::load(claims);
                    book.respec(vec![served(subnet.clone())]);
                }
            }
            check(&book, &subnet);
        }
    }
}
