//! For tests: whether columns that we write fit a database schema (RFC 7047 section 3.2).

use ovsdb::value::{Atom, Value};
use serde_json::Value as Json;

use crate::cell::Cell;

/// The installed schema; `None`, with a line that says so, when the package is not installed.
pub(crate) fn installed(path: &str) -> Option<Json> {
    let Ok(text) = std::fs::read_to_string(path) else {
        println!("SKIP: {path} is not installed, so columns are not checked against it");
        return None;
    };
    Some(serde_json::from_str(&text).unwrap())
}

/// What does not fit, if anything.
pub(crate) fn fault(schema: &Json, table: &str, column: &str, cell: &Cell) -> Option<String> {
    let of_table = &schema["tables"][table];
    if of_table.is_null() {
        return Some(format!("there is no table {table}"));
    }
    let column_type = &of_table["columns"][column]["type"];
    if column_type.is_null() {
        return match cell {
            Cell::WhereKnown(_) => None,
            Cell::Whole(_) | Cell::Keys(_) | Cell::Refs(_) | Cell::SharedRefs(_) => {
                Some(format!("{table} has no column {column}"))
            }
        };
    }
    let why = match cell {
        Cell::Whole(value) | Cell::WhereKnown(value) => misfit(column_type, value),
        Cell::Keys(_) => (column_type["key"] != "string" || column_type["value"] != "string")
            .then(|| "is no map of texts".to_owned()),
        Cell::Refs(keys) | Cell::SharedRefs(keys) => {
            let expected = &column_type["key"]["refTable"];
            let wrong = keys.iter().find(|key| expected != key.table.name());
            wrong.map(|key| format!("refers to {expected}, not to {}", key.table)).or_else(|| {
                (keys.len() > 1 && column_type["max"] != "unlimited")
                    .then(|| "takes one reference".to_owned())
            })
        }
    };
    why.map(|why| format!("{table}.{column} {why}: {column_type}"))
}

pub(crate) fn misfit(column_type: &Json, value: &Value) -> Option<String> {
    let key = if column_type.is_string() { column_type } else { &column_type["key"] };
    let count = match value {
        Value::Atom(_) => 1,
        Value::Set(set) => set.len(),
        Value::Map(map) => map.len(),
    } as u64;
    let least = column_type["min"].as_u64().unwrap_or(1);
    let most = if column_type["max"].is_null() { 1 } else { column_type["max"].as_u64().unwrap_or(u64::MAX) };
    if count < least || count > most {
        return Some(format!("takes {least} to {most} elements, not {count}"));
    }
    let is_map = !column_type["value"].is_null();
    match value {
        Value::Map(_) if !is_map => Some("is no map".to_owned()),
        Value::Atom(_) if is_map => Some("is a map".to_owned()),
        Value::Atom(atom) => misfit_atom(key, atom),
        Value::Set(set) => set.iter().find_map(|atom| misfit_atom(key, atom)),
        Value::Map(map) => map
            .iter()
            .find_map(|(k, v)| misfit_atom(key, k).or_else(|| misfit_atom(&column_type["value"], v))),
    }
}

fn misfit_atom(base: &Json, atom: &Atom) -> Option<String> {
    let name = base.as_str().or_else(|| base["type"].as_str()).unwrap();
    let fits = match atom {
        Atom::String(text) => {
            let short = base["maxLength"].as_u64().is_none_or(|most| text.len() as u64 <= most);
            let listed =
                base["enum"].is_null() || base["enum"][1].as_array().unwrap().iter().any(|v| v == text);
            name == "string" && short && listed
        }
        Atom::Integer(number) => {
            let low = base["minInteger"].as_i64().is_none_or(|least| *number >= least);
            name == "integer" && low && base["maxInteger"].as_i64().is_none_or(|most| *number <= most)
        }
        Atom::Boolean(_) => name == "boolean",
        Atom::Uuid(_) | Atom::NamedUuid(_) => name == "uuid",
        Atom::Real(_) => name == "real",
    };
    (!fits).then(|| format!("does not take {atom:?}"))
}
