//! What is planned for small databases, one behaviour a test.

use std::collections::{BTreeMap, BTreeSet};

use ovsdb::op::Operation;
use ovsdb::value::{Atom, Uuid, Value};

use super::database::Database;
use super::*;
use crate::cell::{Found, FoundColumns, map, text};
use crate::nb::examples::{acl, balancer, policy, port, route, router, switch};
use crate::nb::tests::stored;
use crate::nb::*;
use crate::owner::{Owner, OwnerKind};
use crate::wanted::{NbRow, Wanted};

fn all() -> Scope {
    Scope::Kinds(OwnerKind::ALL.into())
}

fn vpc() -> Owner {
    Owner::vpc("a")
}

/// A router with a route, a switch with a port.
fn world() -> Wanted {
    let mut wanted = Wanted::new();
    wanted.want(&vpc(), &router("a")).unwrap();
    wanted.want(&vpc(), &route("a", "0.0.0.0/0", "10.0.1.254")).unwrap();
    wanted.want(&vpc(), &switch("net1")).unwrap();
    wanted.want(&Owner::pod("ns1", "web1"), &port("web1.ns1", "net1")).unwrap();
    wanted
}

fn built(wanted: &Wanted) -> Database {
    let mut database = Database::default();
    let change = diff(wanted, &Snapshot::new(), &all());
    assert_eq!(change.refusals, []);
    database.apply(&change.operations).unwrap();
    database
}

fn put(database: &mut Database, row: &dyn NbRow, ids: &[(&str, &str)]) -> Uuid {
    let mut columns = stored(row);
    let ids: BTreeMap<String, String> = ids.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
    let ids = (!ids.is_empty()).then(|| map(&ids));
    columns.insert("external_ids".into(), ids.unwrap_or(Value::Map(BTreeMap::new())));
    database.insert(row.key().table, columns)
}

fn the(database: &Database, key: &Key) -> Uuid {
    let snapshot = database.snapshot(false);
    snapshot.candidates(key, None)[0]
}

fn column<'a>(database: &'a mut Database, uuid: Uuid, name: &str) -> &'a mut Value {
    database.rows.get_mut(&uuid).unwrap().1.get_mut(name).unwrap()
}

fn kinds(change: &Change) -> Vec<&'static str> {
    change.operations.iter().map(Operation::name).collect()
}

#[test]
fn an_empty_database_gets_the_rows_with_their_children_in_one_insert_each() {
    let change = diff(&world(), &Snapshot::new(), &all());
    assert_eq!(kinds(&change), ["wait", "wait", "insert", "insert", "insert", "insert"]);
    assert_eq!((change.inserted, change.updated, change.removed), (4, 0, 0));
    let database = built(&world());
    assert_eq!(database.rows.len(), 4);
    assert!(diff(&world(), &database.snapshot(false), &all()).is_empty());
}

#[test]
fn only_the_column_that_differs_is_written_and_what_it_was_is_guarded() {
    let mut database = built(&world());
    let port = the(&database, &LogicalSwitchPort::key_of("web1.ns1"));
    *column(&mut database, port, "addresses") = text("unknown");
    let change = diff(&world(), &database.snapshot(false), &all());
    assert_eq!(kinds(&change), ["wait", "update"]);
    let Operation::Update { row, .. } = &change.operations[1] else { unreachable!() };
    assert_eq!(row.keys().collect::<Vec<_>>(), ["addresses"]);
    let mut meanwhile = database.clone();
    *column(&mut meanwhile, port, "addresses") = text("router");
    assert!(meanwhile.apply(&change.operations).unwrap_err().starts_with("timed out"));
    database.apply(&change.operations).unwrap();
    assert!(diff(&world(), &database.snapshot(false), &all()).is_empty());
}

#[test]
fn a_row_that_was_removed_or_lost_its_tag_meanwhile_fails_the_transaction() {
    let mut database = built(&world());
    let port = the(&database, &LogicalSwitchPort::key_of("web1.ns1"));
    *column(&mut database, port, "addresses") = text("unknown");
    let change = diff(&world(), &database.snapshot(false), &all());
    let mut gone = database.clone();
    gone.rows.remove(&port);
    assert!(gone.apply(&change.operations).is_err());
    let mut foreign = database.clone();
    *column(&mut foreign, port, "external_ids") = Value::Map(BTreeMap::new());
    assert!(foreign.apply(&change.operations).is_err());
}

#[test]
fn a_twin_made_meanwhile_by_another_fails_the_transaction() {
    let mut wanted = world();
    let before = built(&wanted);
    wanted.want(&vpc(), &route("a", "10.9.0.0/16", "10.0.1.9")).unwrap();
    wanted.want(&vpc(), &switch("net2")).unwrap();
    let change = diff(&wanted, &before.snapshot(false), &all());
    let mut once = before.clone();
    once.apply(&change.operations).unwrap();
    assert!(once.apply(&change.operations).is_err(), "the same plan again would make everything twice");
}

#[test]
fn a_row_of_somebody_else_is_in_the_way_and_stays_as_it_is() {
    let mut database = Database::default();
    let foreign = put(&mut database, &switch("net1"), &[]);
    let before = database.rows[&foreign].clone();
    let change = diff(&world(), &database.snapshot(false), &all());
    let key = |row: &dyn NbRow| row.key();
    let (net1, web1) = (key(&switch("net1")), key(&port("web1.ns1", "net1")));
    assert_eq!(
        change.refusals,
        [
            Refusal::Foreign { key: net1.clone(), by: foreign },
            Refusal::ParentRefused { key: web1, parent: net1 }
        ]
    );
    database.apply(&change.operations).unwrap();
    assert_eq!(database.rows[&foreign], before);
    assert_eq!(database.rows.len(), 3, "the router and its route are made all the same");
}

#[test]
fn what_upstream_made_is_taken_over_with_its_uuid_and_what_it_left_on_our_router_goes() {
    let mut database = Database::default();
    let trap =
        LogicalRouterStaticRoute { policy: RoutePolicy::Source, ..route("a", "10.0.1.0/24", "10.0.1.1") };
    let kept = put(&mut database, &route("a", "0.0.0.0/0", "10.0.1.254"), &[("vendor", "kube-ovn")]);
    let trap = put(&mut database, &trap, &[("vendor", "kube-ovn")]);
    let foreign = put(&mut database, &route("a", "10.7.0.0/16", "10.0.1.7"), &[]);
    let of_upstream = put(&mut database, &router("a"), &[("vendor", "kube-ovn"), ("note", "x")]);
    let routes = [kept, trap, foreign].map(Atom::Uuid);
    database.rows.get_mut(&of_upstream).unwrap().1.insert("static_routes".into(), Value::Set(routes.into()));
    let change = diff_owner(&vpc(), &world(), &database.snapshot(false));
    assert_eq!(change.refusals, []);
    database.apply(&change.operations).unwrap();
    assert!(!database.rows.contains_key(&trap), "nobody wants it");
    assert!(database.rows.contains_key(&foreign));
    let found = Found(&database.rows[&of_upstream].1);
    assert_eq!(found.external_id("kube-ovn-owner"), Some("vpc/a"));
    assert_eq!(found.external_id("note"), Some("x"));
    assert_eq!(Found(&database.rows[&kept].1).external_id("kube-ovn-owner"), Some("vpc/a"));
}

#[test]
fn an_acl_taken_over_comes_down_to_our_tier_and_a_new_one_names_none() {
    let mut wanted = Wanted::new();
    wanted.want(&vpc(), &switch("net1")).unwrap();
    wanted.want(&vpc(), &acl("net1", 1000, "ip", AclAction::Drop)).unwrap();
    let mut database = built(&wanted);
    let drop =
        database.rows.iter().find(|(_, (table, _))| *table == Table::Acl).map(|(uuid, _)| *uuid).unwrap();
    assert!(!database.rows[&drop].1.contains_key("tier"));
    let two = Value::Atom(Atom::Integer(2));
    database.rows.get_mut(&drop).unwrap().1.insert("tier".into(), two);
    let change = diff(&wanted, &database.snapshot(false), &all());
    database.apply(&change.operations).unwrap();
    assert_eq!(Found(&database.rows[&drop].1).integer("tier"), Some(0));
}

#[test]
fn of_two_rows_with_one_key_the_lowest_uuid_stays() {
    let mut wanted = world();
    let mut database = built(&wanted);
    let snapshot = database.snapshot(false);
    let router = the(&database, &LogicalRouter::key_of("a"));
    let route = database.rows
        [&snapshot.owned(&vpc()).find(|uuid| snapshot.parent(*uuid) == Some(router)).unwrap()]
        .1
        .clone();
    let twin = database.insert(Table::LogicalRouterStaticRoute, route);
    let held = crate::cell::references(column(&mut database, router, "static_routes"));
    let both: BTreeSet<Uuid> = held.into_iter().chain([twin]).collect();
    *column(&mut database, router, "static_routes") =
        Value::Set(both.iter().copied().map(Atom::Uuid).collect());
    let change = diff_owner(&vpc(), &wanted, &database.snapshot(false));
    assert_eq!(change.removed, 1);
    database.apply(&change.operations).unwrap();
    assert!(database.rows.contains_key(both.first().unwrap()));
    assert!(!database.rows.contains_key(both.last().unwrap()));
    wanted = Wanted::new();
    let change = diff(&wanted, &database.snapshot(false), &all());
    database.apply(&change.operations).unwrap();
    assert!(database.rows.is_empty());
}

#[test]
fn a_port_that_is_found_on_another_switch_is_moved_with_its_uuid() {
    let mut database = built(&world());
    let key = LogicalSwitchPort::key_of("web1.ns1");
    let before = the(&database, &key);
    let mut wanted = Wanted::new();
    wanted.want(&vpc(), &router("a")).unwrap();
    wanted.want(&vpc(), &switch("net2")).unwrap();
    wanted.want(&Owner::pod("ns1", "web1"), &port("web1.ns1", "net2")).unwrap();
    let change = diff(&wanted, &database.snapshot(false), &all());
    assert_eq!(change.refusals, []);
    database.apply(&change.operations).unwrap();
    assert_eq!(the(&database, &key), before);
    let parent = database.snapshot(false).parent(before).unwrap();
    assert_eq!(Found(&database.rows[&parent].1).text("name"), Some("net2"));
    assert_eq!(database.rows.len(), 3, "the old switch and the route are gone");
}

#[test]
fn one_owners_change_finds_its_switch_without_wanting_it_and_touches_nobody_else() {
    let mut database = built(&world());
    let owner = Owner::pod("ns1", "web2");
    let mut wanted = Wanted::new();
    wanted.want(&owner, &port("web2.ns1", "net1")).unwrap();
    let change = diff_owner(&owner, &wanted, &database.snapshot(false));
    assert_eq!(kinds(&change), ["wait", "insert", "mutate"]);
    database.apply(&change.operations).unwrap();
    assert_eq!(database.rows.len(), 5);
    let change = diff_owner(&owner, &Wanted::new(), &database.snapshot(false));
    assert_eq!(kinds(&change), ["wait", "wait", "mutate"]);
    database.apply(&change.operations).unwrap();
    assert_eq!(database.rows.len(), 4);
}

#[test]
fn a_port_without_a_switch_waits_for_one() {
    let owner = Owner::pod("ns1", "web1");
    let mut wanted = Wanted::new();
    wanted.want(&owner, &port("web1.ns1", "net1")).unwrap();
    let change = diff_owner(&owner, &wanted, &Snapshot::new());
    assert!(change.is_empty());
    assert!(matches!(change.refusals[..], [Refusal::NoParent { .. }]));
}

#[test]
fn a_switch_with_ports_of_others_is_not_removed() {
    let mut database = built(&world());
    let change = diff_owner(&vpc(), &Wanted::new(), &database.snapshot(false));
    assert!(matches!(change.refusals[..], [Refusal::HoldsOthers { .. }]), "the pod's port is on it");
    let net1 = the(&database, &LogicalSwitch::key_of("net1"));
    let foreign = put(&mut database, &port("theirs", "net1"), &[]);
    let held = crate::cell::references(column(&mut database, net1, "ports"));
    let ports = held.into_iter().chain([foreign]).map(Atom::Uuid).collect();
    *column(&mut database, net1, "ports") = Value::Set(ports);
    let change = diff(&Wanted::new(), &database.snapshot(false), &all());
    assert_eq!(change.refusals, [Refusal::HoldsOthers { row: net1, held: foreign }]);
    database.apply(&change.operations).unwrap();
    assert_eq!(database.rows.keys().copied().collect::<BTreeSet<_>>(), BTreeSet::from([net1, foreign]));
}

#[test]
fn another_owners_row_is_not_taken_by_a_change_that_does_not_speak_for_it() {
    let database = built(&world());
    let thief = Owner::vpc("b");
    let mut wanted = Wanted::new();
    wanted.want(&thief, &switch("net1")).unwrap();
    let change = diff_owner(&thief, &wanted, &database.snapshot(false));
    assert!(change.is_empty());
    let key = LogicalSwitch::key_of("net1");
    assert_eq!(change.refusals, [Refusal::OwnedBy { key, owner: vpc() }]);
    assert!(!diff(&wanted, &database.snapshot(false), &all()).is_empty(), "one that speaks for all may");
}

#[test]
fn keys_and_references_of_others_in_a_shared_column_are_left() {
    let mut database = built(&world());
    let (net1, a) =
        (the(&database, &LogicalSwitch::key_of("net1")), the(&database, &LogicalRouter::key_of("a")));
    let theirs = put(&mut database, &balancer("theirs"), &[]);
    let mut options =
        FoundColumns::from([("options".into(), map(&BTreeMap::from([("theirs".into(), "1".into())])))]);
    database.rows.get_mut(&a).unwrap().1.append(&mut options);
    database.rows.get_mut(&net1).unwrap().1.insert("load_balancer".into(), Value::Atom(Atom::Uuid(theirs)));
    let mut wanted = world();
    let ours = balancer("vpc-a-tcp-load");
    let load_balancers = BTreeSet::from([ours.key()]);
    let mut again = Wanted::new();
    again.want(&vpc(), &ours).unwrap();
    again.want(&vpc(), &LogicalSwitch { load_balancers, ..switch("net1") }).unwrap();
    for row in wanted.rows().filter(|row| row.key != LogicalSwitch::key_of("net1")) {
        again.extend(only(row.clone())).unwrap();
    }
    std::mem::swap(&mut wanted, &mut again);
    let change = diff(&wanted, &database.snapshot(false), &all());
    database.apply(&change.operations).unwrap();
    assert_eq!(Found(&database.rows[&net1].1).references("load_balancer").len(), 2);
    assert_eq!(Found(&database.rows[&a].1).entry("options", "theirs"), Some("1"));
    assert_eq!(Found(&database.rows[&a].1).entry("options", "dynamic_neigh_routers"), Some("true"));
    let change = diff(&again, &database.snapshot(false), &all());
    database.apply(&change.operations).unwrap();
    assert_eq!(Found(&database.rows[&net1].1).references("load_balancer"), BTreeSet::from([theirs]));
}

fn only(row: crate::wanted::Row) -> Wanted {
    let mut wanted = Wanted::new();
    wanted.add(row).unwrap();
    wanted
}

#[test]
fn a_policy_is_the_one_of_its_priority_and_match_whatever_it_does() {
    let expression = "ip4.src == 10.0.1.0/24";
    let with = |action| {
        let mut wanted = world();
        wanted.want(&vpc(), &policy("a", 10, expression, action)).unwrap();
        wanted
    };
    let mut database = built(&with(PolicyAction::Drop));
    let next_hop = BTreeSet::from(["10.0.1.252".parse().unwrap()]);
    let rerouted = with(PolicyAction::Reroute(next_hop));
    let change = diff(&rerouted, &database.snapshot(false), &all());
    assert_eq!(kinds(&change), ["wait", "update"]);
    database.apply(&change.operations).unwrap();
    assert!(diff(&rerouted, &database.snapshot(false), &all()).is_empty());
}

#[test]
fn a_reference_to_nothing_is_left_out_and_reported() {
    let dhcp = DhcpOptions::key_of(&DhcpFor::Switch("net1".into()), Family::V4);
    let owner = Owner::pod("ns1", "web1");
    let mut wanted = Wanted::new();
    wanted.want(&vpc(), &switch("net1")).unwrap();
    wanted
        .want(&owner, &LogicalSwitchPort { dhcpv4: Some(dhcp.clone()), ..port("web1.ns1", "net1") })
        .unwrap();
    let change = diff(&wanted, &Snapshot::new(), &all());
    assert_eq!(
        change.refusals,
        [Refusal::NoReference { key: LogicalSwitchPort::key_of("web1.ns1"), to: dhcp }]
    );
    assert_eq!(change.inserted, 2);
}
