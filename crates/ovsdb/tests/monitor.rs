//! Watched rows of a real ovsdb-server, changed by ovn-nbctl behind our back.
#![expect(clippy::unwrap_used, reason = "a test may panic anywhere, in its own functions too")]

mod lab;

use lab::tap::Tap;
use lab::{Server, config, current, has_servers, names, new_switch, sorted, tag_switch, watch, within};
use ovsdb::client::Client;
use ovsdb::condition::{Condition, Function};
use ovsdb::monitor::{Watch, Watches};
use ovsdb::value::Value;
use ovsdb::view::{Monitor, Standing, View};

const TABLES: [(&str, &[&str]); 2] = [
    ("Logical_Switch", &["name", "ports", "external_ids"]),
    ("Logical_Switch_Port", &["name", "tag", "addresses", "options", "external_ids", "up"]),
];

/// The rows as ovsdb-client prints them.
fn dump(server: &Server) -> Vec<String> {
    let mut lines = Vec::new();
    for (table, columns) in TABLES {
        let mut all = vec!["-f", "json", "-d", "json", "--no-leader-only", "dump"];
        let endpoint = server.endpoint();
        all.extend([&endpoint, lab::NORTHBOUND, table, "_uuid"]);
        all.extend(columns);
        let dump: serde_json::Value = serde_json::from_str(&lab::run("ovsdb-client", &all)).unwrap();
        let headings: Vec<String> = serde_json::from_value(dump["headings"].clone()).unwrap();
        for row in dump["data"].as_array().unwrap() {
            let row: Vec<Value> = serde_json::from_value(row.clone()).unwrap();
            let mut cells: Vec<String> =
                headings.iter().zip(row).map(|(heading, value)| format!("{heading}={value:?}")).collect();
            cells.sort();
            lines.push(format!("{table} {}", cells.join(" ")));
        }
    }
    sorted(&lines.join("\n"))
}

/// The rows of a view in the same form.
fn shown(view: &View) -> Vec<String> {
    let mut lines = Vec::new();
    for (table, _) in TABLES {
        for (uuid, row) in view.rows(table) {
            let mut cells: Vec<String> =
                row.iter().map(|(column, value)| format!("{column}={value:?}")).collect();
            cells.push(format!("_uuid={:?}", Value::from(uuid)));
            cells.sort();
            lines.push(format!("{table} {}", cells.join(" ")));
        }
    }
    sorted(&lines.join("\n"))
}

async fn becomes_equal(server: &Server, view: &mut View) {
    let wanted = dump(server);
    let found =
        tokio::time::timeout(lab::PATIENCE, view.wait_for(|view| (shown(view) == wanted).then_some(())));
    assert!(found.await.is_ok(), "{:#?}\n{wanted:#?}", shown(view));
}

/// The names of the rows that the next batch tells.
async fn told(monitor: &mut Monitor) -> Vec<String> {
    let batch = current(monitor).await;
    names(batch.changes.iter().filter_map(|change| change.row.as_deref()))
}

/// Takes batches until this many rows have been told.
async fn told_all(monitor: &mut Monitor, rows: usize) {
    let mut seen = 0;
    while seen < rows {
        seen += told(monitor).await.len();
    }
}

#[tokio::test]
async fn the_view_follows_every_kind_of_change() {
    if !has_servers() {
        return;
    }
    let directory = lab::directory();
    let server = Server::alone(&directory, "nb");
    server.nbctl(&["ls-add", "old", "--", "lsp-add", "old", "p0"]);
    let client = Client::start(config(&server.endpoint()));
    let mut view = client.monitor(watch(&TABLES)).await.unwrap().view();
    becomes_equal(&server, &mut view).await;
    for command in [
        "ls-add sw -- lsp-add sw p1 -- lsp-add sw p2",
        "set logical_switch_port p1 addresses=1,2,3",
        "set logical_switch_port p1 addresses=2,3,4 tag=5",
        "set logical_switch_port p1 options:a=1 options:b=2 external_ids:x=y",
        "set logical_switch_port p1 options:a=3 options:c=4 tag=6",
        "remove logical_switch_port p1 options b -- clear logical_switch_port p1 tag",
        "lsp-del p2 -- lsp-add sw p3 -- clear logical_switch_port p1 options",
        "clear logical_switch_port p1 addresses -- set logical_switch_port p1 up=true",
        "set logical_switch_port p1 addresses=9 up=false",
        "ls-del sw -- ls-add sw",
    ] {
        server.nbctl(&command.split(' ').collect::<Vec<_>>());
        becomes_equal(&server, &mut view).await;
    }
}

#[tokio::test]
async fn rows_come_and_go_with_the_conditions_any_of_which_will_do() {
    if !has_servers() {
        return;
    }
    let directory = lab::directory();
    let server = Server::alone(&directory, "nb");
    server.nbctl(&["ls-add", "a", "--", "ls-add", "b", "--", "ls-add", "c"]);
    let client = Client::start(config(&server.endpoint()));
    let mine = Condition::new("external_ids", Function::Includes, Value::map([("vendor", "us")]));
    let watch = Watch::columns(["name"]).or_where(Condition::equal("name", "a")).or_where(mine);
    let mut monitor = client.monitor(Watches::from([("Logical_Switch".to_owned(), watch)])).await.unwrap();
    assert_eq!(told(&mut monitor).await, ["a"]);
    server.nbctl(&["set", "logical_switch", "b", "external_ids:vendor=us", "external_ids:z=1"]);
    assert_eq!(told(&mut monitor).await, ["b"]);
    server.nbctl(&["set", "logical_switch", "b", "external_ids:vendor=them"]);
    assert_eq!(current(&mut monitor).await.changes[0].row, None);
    assert_eq!(monitor.view().rows("Logical_Switch").len(), 1);
}

#[tokio::test]
async fn a_cluster_tells_only_the_difference_after_a_restart() {
    if !has_servers() {
        return;
    }
    let directory = lab::directory();
    let mut server = Server::cluster(&directory, "nb");
    let tap = Tap::new(&directory, "tap", server.socket());
    let client = Client::start(config(&tap.endpoint()));
    // A server keeps no more history than it has data.
    let ballast: Vec<_> = (0..200).map(|number| new_switch(&format!("ballast{number}"))).collect();
    within(client.transact(&ballast)).await.unwrap();
    server.nbctl(&["ls-add", "same", "--", "ls-add", "gone", "--", "ls-add", "changed"]);
    let mut monitor = client.monitor(watch(&TABLES)).await.unwrap();
    told_all(&mut monitor, 203).await;
    let before = tap.said().len();
    let gate = tap.close();
    server.kill();
    assert_eq!(within(monitor.changed()).await.unwrap().standing, Standing::Stale);
    server.start();
    server.nbctl(&["set", "logical_switch", "changed", "external_ids:a=b"]);
    server.nbctl(&["ls-del", "gone", "--", "ls-add", "new"]);
    gate.open();
    let batch = current(&mut monitor).await;
    assert_eq!(names(batch.changes.iter().filter_map(|change| change.row.as_deref())), ["changed", "new"]);
    assert_eq!(batch.changes.len(), 3);
    becomes_equal(&server, &mut monitor.view()).await;
    let since: String = tap.said().split_off(before).concat();
    assert!(since.contains(r#""new""#) && !since.contains(r#""same""#), "{since}");
}

#[tokio::test]
async fn a_server_that_has_forgotten_tells_all_again_but_we_tell_only_what_differs() {
    if !has_servers() {
        return;
    }
    let directory = lab::directory();
    // The one never keeps a history, the other none that is longer than its few rows.
    for mut server in [Server::alone(&directory, "alone"), Server::cluster(&directory, "cluster")] {
        let tap = Tap::new(&directory, "tap", server.socket());
        let client = Client::start(config(&tap.endpoint()));
        server.nbctl(&["ls-add", "same", "--", "ls-add", "gone"]);
        let mut monitor = client.monitor(watch(&TABLES)).await.unwrap();
        told_all(&mut monitor, 2).await;
        server.kill();
        assert_eq!(within(monitor.changed()).await.unwrap().standing, Standing::Stale);
        let gate = tap.close();
        server.start();
        server.nbctl(&["ls-del", "gone", "--", "ls-add", "new"]);
        gate.open();
        let batch = current(&mut monitor).await;
        assert_eq!(names(batch.changes.iter().filter_map(|change| change.row.as_deref())), ["new"]);
        assert_eq!(batch.changes.len(), 2);
        becomes_equal(&server, &mut monitor.view()).await;
    }
}

#[tokio::test]
async fn tables_and_columns_of_other_versions_are_left_out() {
    if !has_servers() {
        return;
    }
    let directory = lab::directory();
    let server = Server::alone(&directory, "nb");
    let client = Client::start(config(&server.endpoint()));
    let schema = within(client.schema()).await.unwrap();
    assert_eq!(schema.name, lab::NORTHBOUND);
    assert!(
        schema.column("Logical_Switch", "name").is_some()
            && schema.column("Logical_Switch", "later").is_none()
    );
    server.nbctl(&["ls-add", "sw"]);
    let tables = [("Logical_Switch", &["name", "later"][..]), ("Later_Table", &["name"])];
    let mut monitor = client.monitor(watch(&tables)).await.unwrap();
    let batch = current(&mut monitor).await;
    let row = batch.changes[0].row.as_deref().unwrap();
    assert_eq!(row.keys().collect::<Vec<_>>(), ["name"]);
}

#[tokio::test]
async fn a_condition_that_the_server_does_not_understand_is_told() {
    if !has_servers() {
        return;
    }
    let directory = lab::directory();
    let server = Server::alone(&directory, "nb");
    let client = Client::start(config(&server.endpoint()));
    let watch = Watch::all().or_where(Condition::equal("no_such_column", 1));
    let mut monitor = client.monitor(Watches::from([("Logical_Switch".to_owned(), watch)])).await.unwrap();
    assert!(matches!(within(monitor.changed()).await.unwrap().standing, Standing::Refused(_)));
    within(client.transact(&[new_switch("sw")])).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn megabytes_of_rows_and_of_transactions_cross_without_blocking_each_other() {
    if !has_servers() {
        return;
    }
    let directory = lab::directory();
    let server = Server::alone(&directory, "nb");
    let client = Client::start(config(&server.endpoint()));
    let text = "x".repeat(2000);
    let make: Vec<_> = (0..2000).map(|number| new_switch(&format!("{text}{number}"))).collect();
    within(client.transact(&make)).await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let (client, text) = (client.clone(), text.clone());
        tasks.spawn(async move {
            let mut monitor = client.monitor(watch(&TABLES)).await.unwrap();
            for number in 0..50 {
                client.transact(&[tag_switch(&format!("{text}{number}"), "k", &text)]).await.unwrap();
            }
            current(&mut monitor).await;
            assert_eq!(monitor.view().rows("Logical_Switch").len(), 2000);
        });
    }
    within(tasks.join_all()).await;
}
