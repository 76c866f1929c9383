use serde_json::{Value as Json, json};

use super::*;
use crate::condition::Function;
use crate::value::{Atom, Uuid};

fn encoded(operation: &Operation) -> Json {
    serde_json::to_value(operation).unwrap()
}

fn row(column: &str, value: impl Into<Value>) -> Row {
    Row::from([(column.to_owned(), value.into())])
}

#[test]
fn an_insert_carries_its_name_only_when_it_has_one() {
    let table = "Bridge".to_owned();
    let named =
        Operation::Insert { table: table.clone(), uuid_name: Some("b".into()), row: row("name", "br0") };
    assert_eq!(
        encoded(&named),
        json!({"op": "insert", "table": "Bridge", "uuid-name": "b", "row": {"name": "br0"}})
    );
    let nameless = Operation::Insert { table, uuid_name: None, row: Row::new() };
    assert_eq!(encoded(&nameless), json!({"op": "insert", "table": "Bridge", "row": {}}));
}

#[test]
fn rows_are_chosen_and_changed_as_rfc_7047_writes_it() {
    let table = "T".to_owned();
    let conditions = vec![Condition::row(Uuid::ZERO), Condition::new("n", Function::LessOrEqual, 5)];
    let chosen = json!([["_uuid", "==", ["uuid", Uuid::ZERO]], ["n", "<=", 5]]);
    let update =
        Operation::Update { table: table.clone(), conditions: conditions.clone(), row: row("a", true) };
    assert_eq!(encoded(&update), json!({"op": "update", "table": "T", "where": chosen, "row": {"a": true}}));
    let mutations = vec![
        Mutation::new("ports", Mutator::Insert, Atom::NamedUuid("p".into())),
        Mutation::new("ids", Mutator::Delete, Value::set(["k", "l"])),
    ];
    let mutate = Operation::Mutate { table: table.clone(), conditions, mutations };
    let changes = json!([["ports", "insert", ["named-uuid", "p"]], ["ids", "delete", ["set", ["k", "l"]]]]);
    assert_eq!(
        encoded(&mutate),
        json!({"op": "mutate", "table": "T", "where": chosen, "mutations": changes})
    );
    let delete = Operation::Delete { table, conditions: vec![] };
    assert_eq!(encoded(&delete), json!({"op": "delete", "table": "T", "where": []}));
}

#[test]
fn a_wait_never_waits() {
    let wait = Operation::Wait {
        table: "T".into(),
        conditions: vec![Condition::equal("name", "x")],
        columns: vec!["name".into()],
        equal: false,
        rows: vec![row("name", "x")],
    };
    assert_eq!(
        encoded(&wait),
        json!({"op": "wait", "table": "T", "where": [["name", "==", "x"]], "timeout": 0,
               "columns": ["name"], "until": "!=", "rows": [{"name": "x"}]})
    );
}

#[test]
fn a_select_names_its_columns_only_when_some_are_chosen() {
    let select = |columns| Operation::Select { table: "T".into(), conditions: vec![], columns };
    assert_eq!(encoded(&select(None)), json!({"op": "select", "table": "T", "where": []}));
    assert_eq!(
        encoded(&select(Some(vec!["a".into()]))),
        json!({"op": "select", "table": "T", "where": [], "columns": ["a"]})
    );
}

#[test]
fn operations_without_a_table_are_short() {
    assert_eq!(encoded(&Operation::Abort), json!({"op": "abort"}));
    assert_eq!(encoded(&Operation::CommitDurably), json!({"op": "commit", "durable": true}));
    assert_eq!(
        encoded(&Operation::Comment { comment: "c".into() }),
        json!({"op": "comment", "comment": "c"})
    );
    assert_eq!(encoded(&Operation::Assert { lock: "l".into() }), json!({"op": "assert", "lock": "l"}));
}
