use proptest::collection::{btree_map, btree_set};
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::value::{Atom, Value};

const SCHEMA: &str = r#"{"name":"D","version":"1.0.0","tables":{"T":{"columns":{
    "name":{"type":"string"},
    "tag":{"type":{"key":"integer","min":0,"max":1}},
    "ports":{"type":{"key":"integer","min":0,"max":"unlimited"}},
    "ids":{"type":{"key":"string","value":"integer","min":0,"max":"unlimited"}},
    "one_id":{"type":{"key":"string","value":"integer","min":0,"max":1}}}},"U":{"columns":{}}}}"#;

fn schema() -> Schema {
    Schema::read(SCHEMA).unwrap()
}

fn shape() -> Shape {
    Shape::new(&Watches::from([("T".to_owned(), Watch::all())]), &schema())
}

/// All rows of the table, in the simplest form.
type Model = BTreeMap<Uuid, Row>;

fn row() -> impl Strategy<Value = Row> {
    let small = 0..3i64;
    let parts = (
        "[ab]?",
        option::of(small.clone()),
        btree_set(small.clone(), 0..4),
        btree_map("[kl]", small.clone(), 0..3),
        option::of(("[kl]", small)),
    );
    parts.prop_map(|(name, tag, ports, ids, one_id)| {
        Row::from([
            ("name".to_owned(), name.into()),
            ("tag".to_owned(), Value::set(tag)),
            ("ports".to_owned(), Value::set(ports)),
            ("ids".to_owned(), Value::map(ids)),
            ("one_id".to_owned(), Value::map(one_id)),
        ])
    })
}

fn model() -> impl Strategy<Value = Model> {
    btree_map((0..5u8).prop_map(|number| Uuid([number; 16])), row(), 0..5)
}

fn is_default(column: &str, value: &Value) -> bool {
    schema().column("T", column).unwrap().default_value() == *value
}

/// What the server tells of a difference, in the words of its manual.
fn told(column: &str, before: &Value, after: &Value) -> Value {
    match (column, before, after) {
        ("ids", Value::Map(before), Value::Map(after)) => {
            let gone = before.iter().filter(|(key, _)| !after.contains_key(key));
            let new = after.iter().filter(|(key, value)| before.get(key) != Some(value));
            Value::Map(gone.chain(new).map(|(k, v)| (k.clone(), v.clone())).collect())
        }
        ("ports", before, after) => {
            let (before, after): (Vec<_>, Vec<_>) = (before.elements().collect(), after.elements().collect());
            let gone = before.iter().filter(|atom| !after.contains(atom));
            let new = after.iter().filter(|atom| !before.contains(atom));
            Value::set(gone.chain(new).map(|atom| Atom::clone(atom)))
        }
        _ => after.clone(),
    }
}

fn step(before: &Model, after: &Model) -> Updates {
    let mut rows = BTreeMap::new();
    for uuid in before.keys().filter(|uuid| !after.contains_key(uuid)) {
        rows.insert(*uuid, RowUpdate::Delete(Nothing));
    }
    for (uuid, row) in after {
        let update = match before.get(uuid) {
            None => {
                let told = row.iter().filter(|(column, value)| !is_default(column, value));
                RowUpdate::Insert(told.map(|(column, value)| (column.clone(), value.clone())).collect())
            }
            Some(same) if same == row => continue,
            Some(before) => {
                let changed = row.iter().filter(|(column, value)| before[*column] != **value);
                RowUpdate::Modify(changed.map(|(c, v)| (c.clone(), told(c, &before[c], v))).collect())
            }
        };
        rows.insert(*uuid, update);
    }
    BTreeMap::from([("T".to_owned(), rows)])
}

fn held(replica: &Replica) -> Model {
    replica.rows("T").map(|(uuid, row)| (uuid, Row::clone(row))).collect()
}

/// What a consumer holds who follows the changes.
fn follow(consumer: &mut Model, changes: Vec<Change>) {
    for Change { uuid, row, .. } in changes {
        match row {
            Some(row) => assert_ne!(consumer.insert(uuid, Row::clone(&row)), Some(Row::clone(&row))),
            None => assert!(consumer.remove(&uuid).is_some()),
        }
    }
}

proptest! {
    #[test]
    fn the_copy_and_whoever_follows_it_equal_the_database_after_each_step(
        states in proptest::collection::vec((model(), any::<bool>()), 1..6),
    ) {
        let (mut replica, mut consumer) = (Replica::new(shape()), Model::new());
        let mut before = Model::new();
        for (after, afresh) in states {
            let changes = if afresh {
                replica.replace(shape(), step(&Model::new(), &after)).unwrap()
            } else {
                replica.apply(step(&before, &after)).unwrap()
            };
            follow(&mut consumer, changes);
            prop_assert_eq!(&held(&replica), &after);
            prop_assert_eq!(&consumer, &after);
            before = after;
        }
    }
}

#[test]
fn the_texts_of_a_server_are_read() {
    let id = "00000000-0000-0000-0000-000000000001";
    let text = format!(
        r#"[false,"{id}",{{"T":{{"{id}":{{"initial":{{"name":"a"}}}}}},"U":{{"{id}":{{"delete":null}}}}}}]"#
    );
    let beginning: Beginning = serde_json::from_str(&text).unwrap();
    let uuid = id.parse().unwrap();
    let initial = RowUpdate::Initial(Row::from([("name".to_owned(), "a".into())]));
    assert_eq!(beginning.updates["T"][&uuid], initial);
    assert_eq!(beginning.updates["U"][&uuid], RowUpdate::Delete(Nothing));
    assert!(!beginning.resumed && beginning.last_transaction == uuid);
    let progress: Progress = serde_json::from_str(&format!(r#"[7,"{id}",{{}}]"#)).unwrap();
    assert_eq!(progress, Progress { monitor: 7, last_transaction: uuid, updates: Updates::new() });
}

#[test]
fn only_what_the_database_has_is_asked_for() {
    let watches = Watches::from([
        ("T".to_owned(), Watch::columns(["name", "newer"]).or_where(Condition::equal("name", "a"))),
        ("U".to_owned(), Watch::all()),
        ("Newer".to_owned(), Watch::all()),
    ]);
    let shape = Shape::new(&watches, &schema());
    let request = serde_json::to_value(shape.request(&watches)).unwrap();
    let wanted = serde_json::json!({
        "T": [{"columns": ["name"], "where": [["name", "==", "a"]]}],
        "U": [{"columns": []}],
    });
    assert_eq!(request, wanted);
}

#[test]
fn an_update_that_does_not_fit_is_told() {
    let uuid = Uuid([1; 16]);
    let apply = |table: &str, update| {
        Replica::new(shape()).apply(Updates::from([(table.to_owned(), BTreeMap::from([(uuid, update)]))]))
    };
    let modify = RowUpdate::Modify(Row::new());
    assert!(matches!(apply("U", modify.clone()), Err(Inconsistent::Table(_))));
    assert!(matches!(apply("T", modify), Err(Inconsistent::Row { .. })));
    let insert = RowUpdate::Insert(Row::from([("other".to_owned(), 1.into())]));
    assert!(matches!(apply("T", insert), Err(Inconsistent::Column { .. })));

    let mut replica = Replica::new(shape());
    replica.apply(step(&Model::new(), &Model::from([(uuid, Row::new())]))).unwrap();
    let modify = RowUpdate::Modify(Row::from([("ids".to_owned(), 1.into())]));
    let updates = Updates::from([("T".to_owned(), BTreeMap::from([(uuid, modify)]))]);
    assert!(matches!(replica.apply(updates), Err(Inconsistent::Difference { .. })));
}

#[test]
fn the_end_of_an_unknown_row_changes_nothing() {
    let gone = BTreeMap::from([(Uuid([9; 16]), RowUpdate::Delete(Nothing))]);
    assert_eq!(Replica::new(shape()).apply(Updates::from([("T".to_owned(), gone)])), Ok(vec![]));
}
