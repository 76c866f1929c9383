//! Over random databases and wishes: the wish comes true, nobody else loses anything, and then there is peace.

use std::collections::{BTreeMap, BTreeSet};

use ovsdb::value::{Atom, Uuid, Value};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::database::Database;
use super::*;
use crate::cell::{Cell, Found, FoundColumns, map, text};
use crate::nb::examples::{acl, balancer, policy, port, route, router, switch};
use crate::nb::*;
use crate::owner::{OWNER_KEY, Owner, OwnerKind, Standing};
use crate::wanted::{Row, Wanted};

fn all() -> Scope {
    Scope::Kinds(OwnerKind::ALL.into())
}

/// One row out of a small number of names, so that two wishes share many.
#[derive(Debug, Clone)]
enum Wish {
    Router(u8),
    Switch(u8, bool),
    Port(u8, u8),
    Route(u8, u8, u8),
    Policy(u8, u8, bool),
    Acl(u8, u8, bool),
    Balancer(u8),
}

fn wish() -> impl Strategy<Value = Wish> {
    let few = 0..3u8;
    prop_oneof![
        few.clone().prop_map(Wish::Router),
        (few.clone(), any::<bool>()).prop_map(|(switch, balanced)| Wish::Switch(switch, balanced)),
        (0..6u8, few.clone()).prop_map(|(port, switch)| Wish::Port(port, switch)),
        (few.clone(), few.clone(), few.clone()).prop_map(|(a, b, c)| Wish::Route(a, b, c)),
        (few.clone(), few.clone(), any::<bool>()).prop_map(|(a, b, c)| Wish::Policy(a, b, c)),
        (few.clone(), few.clone(), any::<bool>()).prop_map(|(a, b, c)| Wish::Acl(a, b, c)),
        few.prop_map(Wish::Balancer),
    ]
}

/// Wishes as a set of rows; of two wishes for one row the first counts.
fn wanted(wishes: &[Wish]) -> Wanted {
    let mut wanted = Wanted::new();
    for wish in wishes {
        let vpc = |n: &u8| Owner::vpc(format!("r{n}"));
        let subnet = |n: &u8| Owner::subnet(format!("s{n}"));
        let _ = match wish {
            Wish::Router(n) => wanted.want(&vpc(n), &router(&format!("r{n}"))),
            Wish::Switch(n, balanced) => {
                let load_balancers = balanced.then(|| LoadBalancer::key_of(&format!("lb{n}")));
                let load_balancers = load_balancers.into_iter().collect();
                wanted.want(&subnet(n), &LogicalSwitch { load_balancers, ..switch(&format!("s{n}")) })
            }
            Wish::Port(n, on) => {
                wanted.want(&Owner::pod("ns", &n.to_string()), &port(&format!("p{n}"), &format!("s{on}")))
            }
            Wish::Route(n, net, hop) => wanted.want(
                &vpc(n),
                &route(&format!("r{n}"), &format!("10.{net}.0.0/16"), &format!("10.0.0.{hop}")),
            ),
            Wish::Policy(n, which, drop) => {
                let action = if *drop { PolicyAction::Drop } else { PolicyAction::Allow };
                wanted.want(&vpc(n), &policy(&format!("r{n}"), 10, &format!("ip.ttl == {which}"), action))
            }
            Wish::Acl(n, which, drop) => {
                let action = if *drop { AclAction::Drop } else { AclAction::Allow };
                wanted.want(&subnet(n), &acl(&format!("s{n}"), 10, &format!("ip.ttl == {which}"), action))
            }
            Wish::Balancer(n) => wanted.want(&vpc(n), &balancer(&format!("lb{n}"))),
        };
    }
    wanted
}

/// Something that happens to a row behind our back.
#[derive(Debug, Clone)]
enum Mischief {
    Untag(Index),
    Disown(Index),
    Rename(Index),
    Twin(Index),
    Spoil(Index),
}

fn mischief() -> impl Strategy<Value = Mischief> {
    prop_oneof![
        any::<Index>().prop_map(Mischief::Untag),
        any::<Index>().prop_map(Mischief::Disown),
        any::<Index>().prop_map(Mischief::Rename),
        any::<Index>().prop_map(Mischief::Twin),
        any::<Index>().prop_map(Mischief::Spoil),
    ]
}

fn happen(database: &mut Database, mischief: &Mischief) {
    let (Mischief::Untag(at)
    | Mischief::Disown(at)
    | Mischief::Rename(at)
    | Mischief::Twin(at)
    | Mischief::Spoil(at)) = mischief;
    if database.rows.is_empty() {
        return;
    }
    let uuid = *at.get(&database.rows.keys().copied().collect::<Vec<_>>());
    let (table, columns) = database.rows.get_mut(&uuid).unwrap();
    match mischief {
        Mischief::Untag(_) => {
            columns.insert("external_ids".into(), Value::Map(BTreeMap::new()));
        }
        Mischief::Disown(_) => {
            if let Some(Value::Map(ids)) = columns.get_mut("external_ids") {
                ids.remove(&Atom::String(OWNER_KEY.into()));
            }
        }
        Mischief::Rename(_) if columns.contains_key("name") && !table.has_name_index() => {
            columns.insert("name".into(), text("s0"));
        }
        Mischief::Spoil(_) => {
            let spoilt = BTreeMap::from([("theirs".to_owned(), "1".to_owned())]);
            columns.insert("options".into(), map(&spoilt));
        }
        Mischief::Twin(_) if !table.has_name_index() => {
            let (table, mut twin) = (*table, columns.clone());
            for (column, _) in table.holds() {
                twin.remove(*column);
            }
            twin_of(database, uuid, table, twin);
        }
        Mischief::Rename(_) | Mischief::Twin(_) => {}
    }
}

fn twin_of(database: &mut Database, uuid: Uuid, table: Table, columns: FoundColumns) {
    let parent = database.snapshot(false).parent(uuid);
    if parent.is_none() && !table.is_root() {
        return;
    }
    let twin = database.insert(table, columns);
    let Some(parent) = parent else { return };
    let (of, columns) = database.rows.get_mut(&parent).unwrap();
    for (column, _) in of.holds().iter().filter(|(_, held)| *held == table) {
        let held = Found(columns).references(column);
        if held.contains(&uuid) {
            let both = held.into_iter().chain([twin]).map(Atom::Uuid);
            columns.insert((*column).into(), crate::cell::set(both));
        }
    }
}

/// A database after a former wish came true and mischief happened.
fn database() -> impl Strategy<Value = Database> {
    (vec(wish(), 0..25), vec(mischief(), 0..8)).prop_map(|(wishes, mischief)| {
        let mut database = Database::default();
        let change = diff(&wanted(&wishes), &Snapshot::new(), &all());
        database.apply(&change.operations).unwrap();
        mischief.iter().for_each(|mischief| happen(&mut database, mischief));
        database
    })
}

fn foreign(database: &Database) -> BTreeMap<Uuid, (Table, FoundColumns)> {
    let snapshot = database.snapshot(false);
    let is_foreign = |uuid: &Uuid| *snapshot.row(*uuid).unwrap().standing() == Standing::Foreign;
    let mut rows: BTreeMap<_, _> =
        database.rows.iter().filter(|(uuid, _)| is_foreign(uuid)).map(|(u, row)| (*u, row.clone())).collect();
    // A weak reference to a row of ours ends with that row, by the database's own hand.
    rows.values_mut().for_each(|(_, columns)| drop(columns.remove("load_balancer")));
    rows
}

fn refused(change: &Change) -> BTreeSet<Key> {
    let keys = change.refusals.iter().filter_map(|refusal| match refusal {
        Refusal::Foreign { key, .. }
        | Refusal::OwnedBy { key, .. }
        | Refusal::NoParent { key, .. }
        | Refusal::ParentRefused { key, .. } => Some(key.clone()),
        Refusal::NoReference { .. } | Refusal::HoldsOthers { .. } | Refusal::HeldByForeign { .. } => None,
    });
    keys.collect()
}

/// Whether a row is there, once, in its place, with every text and every key as wanted.
fn is_there(row: &Row, snapshot: &Snapshot) -> bool {
    let parents: Vec<Option<Uuid>> = match &row.place {
        Some(place) => snapshot.candidates(&place.parent, None).into_iter().map(Some).collect(),
        None => vec![None],
    };
    let found = parents.into_iter().flat_map(|parent| {
        let candidates = snapshot.candidates(&row.key, parent);
        candidates.into_iter().filter(move |uuid| snapshot.parent(*uuid) == parent)
    });
    let ours = found.filter(|uuid| {
        snapshot.row(*uuid).is_some_and(|found| *found.standing() == Standing::Owned(row.owner.clone()))
    });
    let matching: Vec<Uuid> = ours.collect();
    let as_wanted = |uuid: &Uuid| {
        let found = snapshot.row(*uuid).unwrap().read();
        row.columns.iter().all(|(column, cell)| match cell {
            Cell::Whole(value) => {
                crate::cell::same(found.0.get(*column).unwrap_or(&crate::cell::empty()), value)
            }
            Cell::Keys(keys) => keys.iter().all(|(key, value)| found.entry(column, key) == value.as_deref()),
            Cell::WhereKnown(_) | Cell::Refs(_) | Cell::SharedRefs(_) => true,
        })
    };
    !matching.is_empty() && matching.iter().any(as_wanted)
}

proptest! {
    #[test]
    fn the_wish_comes_true_and_nobody_else_loses_anything(
        mut database in database(),
        wishes in vec(wish(), 0..25),
    ) {
        let wanted = wanted(&wishes);
        let before = foreign(&database);
        let change = diff(&wanted, &database.snapshot(false), &all());
        prop_assert_eq!(database.apply(&change.operations), Ok(()));
        let after = foreign(&database);
        for (uuid, row) in &before {
            prop_assert_eq!(after.get(uuid), Some(row));
        }
        let refused = refused(&change);
        let snapshot = database.snapshot(false);
        for row in wanted.rows() {
            prop_assert!(refused.contains(&row.key) || is_there(row, &snapshot), "{} {:?}", row.key, change);
        }
        if change.refusals.is_empty() {
            let owned = snapshot.rows().filter(|(_, row)| matches!(row.standing(), Standing::Owned(_))).count();
            prop_assert_eq!(owned, wanted.len());
        }
        let again = diff(&wanted, &snapshot, &all());
        prop_assert!(again.is_empty(), "{:#?}", again);
    }

    #[test]
    fn the_plan_does_not_depend_on_the_order_of_wishes_or_of_found_rows(
        database in database(),
        wishes in vec(wish(), 0..25),
    ) {
        let mut some = wanted(&wishes);
        let mut others = Wanted::new();
        for row in some.rows().collect::<Vec<_>>().into_iter().rev() {
            others.add(row.clone()).unwrap();
        }
        std::mem::swap(&mut some, &mut others);
        let one = diff(&some, &database.snapshot(false), &all());
        prop_assert_eq!(&one, &diff(&others, &database.snapshot(true), &all()));
    }

    #[test]
    fn one_owner_after_another_comes_to_the_same_as_all_at_once(wishes in vec(wish(), 0..25)) {
        let wanted = wanted(&wishes);
        let mut at_once = Database::default();
        at_once.apply(&diff(&wanted, &Snapshot::new(), &all()).operations).unwrap();
        let mut by_owner = Database::default();
        for _ in 0..2 {
            for owner in wanted.owners() {
                let mut own = Wanted::new();
                for row in wanted.rows().filter(|row| row.owner == *owner) {
                    own.add(row.clone()).unwrap();
                }
                let change = diff_owner(owner, &own, &by_owner.snapshot(false));
                prop_assert_eq!(by_owner.apply(&change.operations), Ok(()));
            }
        }
        prop_assert_eq!(diff(&wanted, &by_owner.snapshot(false), &all()).operations, vec![]);
        prop_assert_eq!(at_once.rows.len(), by_owner.rows.len());
    }

    #[test]
    fn a_snapshot_kept_row_by_row_is_the_one_made_afresh(
        before in database(),
        after in database(),
        wishes in vec(wish(), 0..25),
    ) {
        let mut kept = before.snapshot(false);
        for (uuid, (table, columns)) in after.rows.iter().rev() {
            kept.put(*table, *uuid, columns.clone());
        }
        for uuid in before.rows.keys().filter(|uuid| !after.rows.contains_key(uuid)) {
            kept.remove(*uuid);
        }
        let wanted = wanted(&wishes);
        prop_assert_eq!(diff(&wanted, &kept, &all()), diff(&wanted, &after.snapshot(false), &all()));
    }
}
