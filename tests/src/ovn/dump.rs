//! The content of a database in a form that two moments or two databases can be compared by.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::{Value, json};

use crate::command;

use super::Database;

/// Tables that OVN, or the machine, fills with what is its own.
const SKIPPED_TABLES: &[&str] = &["NB_Global", "Connection", "SSL"];

/// Columns that OVN writes: what it found out, not what is wanted of it.
const VOLATILE: &[(&str, &[&str])] = &[
    ("BFD", &["status"]),
    ("Logical_Router_Port", &["status"]),
    ("Logical_Switch_Port", &["up", "tag", "dynamic_addresses"]),
];

/// Every row of a database with its UUID.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// By UUID.
    rows: BTreeMap<String, Row>,
}

#[derive(Debug, Clone, PartialEq)]
struct Row {
    table: String,
    columns: BTreeMap<String, Value>,
}

/// The content of a database without UUIDs: one line per row, `TABLE {columns}`. Columns that are empty are left out, and
/// references are the names, or the contents, of their rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dump {
    lines: Vec<String>,
}

impl Rows {
    #[track_caller]
    pub(super) fn of(database: &Database, name: &str) -> Self {
        let mut dump = Command::new("ovsdb-client");
        dump.args(["--timeout=60", "-f", "json", "dump", &database.endpoint(), name]);
        Self::parse(&command::run(dump, b"").expect_success().text())
    }

    /// From what `ovsdb-client -f json dump` prints: one line per table.
    #[track_caller]
    fn parse(text: &str) -> Self {
        let mut rows = BTreeMap::new();
        for table in text.lines().filter(|line| !line.is_empty()) {
            let table: Value = serde_json::from_str(table).unwrap_or_else(|e| panic!("{e}: {table}"));
            add_table(&mut rows, &table);
        }
        Self { rows }
    }

    /// The content without UUIDs.
    pub fn dump(&self) -> Dump {
        let mut lines: Vec<_> = self.rows.keys().map(|uuid| self.line(uuid)).collect();
        lines.sort();
        Dump { lines }
    }

    /// The UUIDs of one table's rows by the names of the rows, or by their content where a row has no name.
    pub fn uuids(&self, table: &str) -> BTreeMap<String, Vec<String>> {
        let mut found: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (uuid, _) in self.rows.iter().filter(|(_, row)| row.table == table) {
            let label = self.label(uuid);
            let label = label.as_str().map_or_else(|| label.to_string(), str::to_owned);
            found.entry(label).or_default().push(uuid.clone());
        }
        found
    }

    /// The UUIDs of all rows but of the tables that are OVN's own: equal before and after when no row was made anew.
    pub fn all_uuids(&self) -> BTreeSet<&str> {
        self.rows.keys().map(String::as_str).collect()
    }

    /// The row as one line.
    fn line(&self, uuid: &str) -> String {
        let table = self.rows.get(uuid).map_or("", |row| &row.table);
        format!("{table} {}", self.content(uuid))
    }

    /// The columns of a row that are not empty.
    fn content(&self, uuid: &str) -> Value {
        let columns = self.rows.get(uuid).into_iter().flat_map(|row| &row.columns);
        let named = columns.map(|(column, value)| (column.clone(), self.named(value)));
        Value::Object(named.filter(|(_, value)| *value != json!([]) && *value != json!({})).collect())
    }

    /// How other rows call this one: by its name, without one by its content.
    fn label(&self, uuid: &str) -> Value {
        let name = self.rows.get(uuid).and_then(|row| row.columns.get("name"));
        name.filter(|name| name.as_str().is_some_and(|n| !n.is_empty()))
            .cloned()
            .unwrap_or_else(|| self.content(uuid))
    }

    /// A value of the wire with labels for references, sets in order and maps as objects (RFC 7047, 5.1).
    fn named(&self, value: &Value) -> Value {
        let Some([kind, inner]) =
            value.as_array().and_then(|pair| <&[Value; 2]>::try_from(pair.as_slice()).ok())
        else {
            return value.clone();
        };
        match (kind.as_str(), inner) {
            (Some("uuid"), Value::String(uuid)) => self.label(uuid),
            (Some("set"), Value::Array(members)) => {
                let mut members: Vec<_> = members.iter().map(|member| self.named(member)).collect();
                members.sort_by_key(Value::to_string);
                Value::Array(members)
            }
            (Some("map"), Value::Array(pairs)) => {
                let pairs = pairs.iter().filter_map(|pair| Some((pair.get(0)?, pair.get(1)?)));
                let text = |key: &Value| key.as_str().map_or_else(|| key.to_string(), str::to_owned);
                Value::Object(pairs.map(|(k, v)| (text(&self.named(k)), self.named(v))).collect())
            }
            _ => value.clone(),
        }
    }
}

/// Takes over the rows of one table of the dump.
fn add_table(rows: &mut BTreeMap<String, Row>, table: &Value) {
    let caption = table["caption"].as_str().unwrap_or_default();
    let name = caption.strip_suffix(" table").unwrap_or(caption);
    if SKIPPED_TABLES.contains(&name) {
        return;
    }
    let volatile = VOLATILE.iter().find(|(of, _)| *of == name).map_or(&[][..], |(_, columns)| columns);
    let headings: Vec<_> =
        table["headings"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for values in table["data"].as_array().into_iter().flatten() {
        let cells = headings.iter().zip(values.as_array().into_iter().flatten());
        let mut columns: BTreeMap<_, _> = cells.map(|(&k, v)| (k.to_owned(), v.clone())).collect();
        let uuid = columns.remove("_uuid").and_then(|uuid| uuid.get(1)?.as_str().map(str::to_owned));
        columns.retain(|column, _| column != "_version" && !volatile.contains(&column.as_str()));
        if let Some(uuid) = uuid {
            rows.insert(uuid, Row { table: name.to_owned(), columns });
        }
    }
}

impl Dump {
    /// One line per row, sorted.
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// Asserts that this content is the one of `before`.
    ///
    /// # Panics
    /// When it is not, with the lines that differ.
    #[track_caller]
    pub fn assert_same(&self, before: &Self) {
        let (gone, new) = (minus(&before.lines, &self.lines), minus(&self.lines, &before.lines));
        assert!(gone.is_empty() && new.is_empty(), "gone: {gone:#?}\nnew: {new:#?}");
    }
}

/// The lines of `a` that are not in `b`, each as often as it is missing.
fn minus<'l>(a: &'l [String], b: &[String]) -> Vec<&'l String> {
    let mut left: Vec<_> = b.iter().collect();
    let missing = a.iter().filter(|line| match left.iter().position(|other| other == line) {
        Some(at) => {
            left.swap_remove(at);
            false
        }
        None => true,
    });
    missing.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A router with two equal routes, and its port.
    fn router(uuids: [&str; 4], ports_up: bool) -> Rows {
        let [router, first, second, port] = uuids;
        let route = |uuid| json!([["uuid", uuid], "10.0.0.0/8", ["map", [["b", "2"], ["a", "1"]]]]);
        let routes = json!(["set", [["uuid", first], ["uuid", second]]]);
        let tables = [
            json!({"caption": "Logical_Router table", "headings": ["_uuid", "name", "static_routes"],
                "data": [[["uuid", router], "vpc", routes]]}),
            json!({"caption": "Logical_Router_Static_Route table", "headings": ["_uuid", "ip_prefix", "options"],
                "data": [route(first), route(second)]}),
            json!({"caption": "Logical_Switch_Port table", "headings": ["_uuid", "name", "up", "tag"],
                "data": [[["uuid", port], "p", ports_up, ["set", []]]]}),
            json!({"caption": "NB_Global table", "headings": ["_uuid"], "data": [[["uuid", "g"]]]}),
        ];
        Rows::parse(&tables.map(|table| table.to_string()).join("\n\n"))
    }

    #[test]
    fn equal_content_in_other_rows_is_the_same() {
        let (one, two) = (router(["1", "2", "3", "4"], true), router(["8", "7", "6", "5"], false));

        two.dump().assert_same(&one.dump());

        assert_ne!(one.all_uuids(), two.all_uuids());
        assert_eq!(
            one.dump().lines(),
            [
                r#"Logical_Router {"name":"vpc","static_routes":[{"ip_prefix":"10.0.0.0/8","options":{"a":"1","b":"2"}},{"ip_prefix":"10.0.0.0/8","options":{"a":"1","b":"2"}}]}"#,
                r#"Logical_Router_Static_Route {"ip_prefix":"10.0.0.0/8","options":{"a":"1","b":"2"}}"#,
                r#"Logical_Router_Static_Route {"ip_prefix":"10.0.0.0/8","options":{"a":"1","b":"2"}}"#,
                r#"Logical_Switch_Port {"name":"p"}"#,
            ]
        );
    }

    #[test]
    fn uuids_are_found_by_the_names_of_rows() {
        let uuids = router(["1", "2", "3", "4"], true).uuids("Logical_Router");

        assert_eq!(uuids, BTreeMap::from([("vpc".to_owned(), vec!["1".to_owned()])]));
    }

    #[test]
    #[should_panic(expected = "gone: [\n    \"b\",\n]\nnew: []")]
    fn a_row_that_was_there_twice_is_missed_when_it_is_there_once() {
        let dump = |lines: &[&str]| Dump { lines: lines.iter().map(|&l| l.to_owned()).collect() };

        dump(&["a", "b"]).assert_same(&dump(&["a", "b", "b"]));
    }
}
