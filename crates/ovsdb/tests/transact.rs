//! Transactions with a real ovsdb-server, seen by ovn-nbctl.

mod lab;

use std::time::Duration;

use lab::{Server, config, has_servers, names, new_switch, row, sorted, state, watch, within};
use ovsdb::client::Client;
use ovsdb::condition::Condition;
use ovsdb::failure::{Doubt, TransactError, Unsent};
use ovsdb::op::{Mutation, Mutator, Operation};
use ovsdb::outcome::Outcome;
use ovsdb::session::State;
use ovsdb::value::{Atom, Value};

#[tokio::test]
async fn rows_that_are_made_together_refer_to_each_other() {
    if !has_servers() {
        return;
    }
    let directory = lab::directory();
    let server = Server::alone(&directory, "nb");
    let client = Client::start(config(&server.endpoint()));
    let odd = "a \"port\" \\ with [odd] {text} é \u{1}";
    let port = Operation::Insert {
        table: "Logical_Switch_Port".into(),
        uuid_name: Some("port".into()),
        row: row([("name", "p1".into()), ("external_ids", Value::map([("odd", odd)]))]),
    };
    let switch = Operation::Insert {
        table: "Logical_Switch".into(),
        uuid_name: None,
        row: row([("name", "sw".into()), ("ports", Value::Atom(Atom::NamedUuid("port".into())))]),
    };
    let rename = Operation::Mutate {
        table: "Logical_Switch".into(),
        conditions: vec![Condition::equal("name", "sw")],
        mutations: vec![Mutation::new("external_ids", Mutator::Insert, Value::map([("a", "b")]))],
    };
    let read = Operation::Select {
        table: "Logical_Switch_Port".into(),
        conditions: vec![Condition::equal("name", "p1")],
        columns: Some(vec!["external_ids".into(), "tag".into()]),
    };
    let comment = Operation::Comment { comment: "made by a test".into() };
    let outcomes = within(client.transact(&[port, switch, rename, read, comment])).await.unwrap();

    let found = row([("external_ids", Value::map([("odd", odd)])), ("tag", Value::empty())]);
    let [
        Outcome::Inserted(port),
        Outcome::Inserted(switch),
        Outcome::Count(1),
        Outcome::Rows(rows),
        Outcome::Done,
    ] = &outcomes[..]
    else {
        panic!("{outcomes:?}")
    };
    assert_eq!(rows, &[found]);
    assert_eq!(server.nbctl(&["lsp-list", "sw"]).trim(), format!("{port} (p1)"));
    assert_eq!(server.nbctl(&["get", "Logical_Switch", "sw", "_uuid"]).trim(), switch.to_string());
    assert_eq!(server.nbctl(&["get", "Logical_Switch", "sw", "external_ids"]).trim(), "{a=b}");
    client.close().await;
}

#[tokio::test]
async fn a_refused_transaction_leaves_nothing_behind() {
    if !has_servers() {
        return;
    }
    let directory = lab::directory();
    let server = Server::alone(&directory, "nb");
    let client = Client::start(config(&server.endpoint()));
    let refused = async |operations: &[Operation]| match within(client.transact(operations)).await {
        Err(TransactError::Refused(refusal)) => (refusal.operation, refusal.error),
        other => panic!("{other:?}"),
    };
    let expect_none = Operation::Wait {
        table: "Logical_Switch".into(),
        conditions: vec![Condition::equal("name", "sw")],
        columns: vec!["name".into()],
        equal: true,
        rows: vec![row([("name", "sw".into())])],
    };
    assert_eq!(refused(&[new_switch("a"), expect_none]).await, (Some(1), "timed out".into()));
    assert_eq!(refused(&[new_switch("a"), Operation::Abort]).await, (Some(1), "aborted".into()));
    let dangling = Operation::Insert {
        table: "Logical_Switch".into(),
        uuid_name: None,
        row: row([("ports", ovsdb::value::Uuid([1; 16]).into())]),
    };
    assert_eq!(refused(&[dangling]).await, (None, "referential integrity violation".into()));
    let router = Operation::Insert {
        table: "Logical_Router".into(),
        uuid_name: None,
        row: row([("enabled", "perhaps".into())]),
    };
    assert_eq!(refused(&[router]).await.0, Some(0));
    assert_eq!(server.nbctl(&["ls-list"]), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_is_already_in_every_view() {
    if !has_servers() {
        return;
    }
    let directory = lab::directory();
    let server = Server::alone(&directory, "nb");
    let client = Client::start(config(&server.endpoint()));
    let monitor = client.monitor(watch(&[("Logical_Switch", &["name"])])).await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..200 {
        let (client, view) = (client.clone(), monitor.view());
        tasks.spawn(async move {
            let outcomes = client.transact(&[new_switch(&format!("sw{number}"))]).await.unwrap();
            let [Outcome::Inserted(uuid)] = outcomes[..] else { panic!() };
            assert_eq!(view.row("Logical_Switch", uuid).unwrap()["name"], format!("sw{number}").into());
        });
    }
    within(tasks.join_all()).await;
    let rows = monitor.view().rows("Logical_Switch");
    let listed = server.nbctl(&["--bare", "--columns=name", "list", "Logical_Switch"]);
    let listed: Vec<String> = sorted(&listed).into_iter().filter(|line| !line.is_empty()).collect();
    assert_eq!(names(rows.iter().map(|(_, row)| &**row)), listed);
    assert_eq!(rows.len(), 200);
}

#[tokio::test]
async fn the_outcome_is_unknown_when_the_server_dies_and_nothing_is_done_twice() {
    if !has_servers() {
        return;
    }
    let directory = lab::directory();
    let mut server = Server::alone(&directory, "nb");
    let client = Client::start(config(&server.endpoint()));
    within(client.transact(&[new_switch("before")])).await.unwrap();
    server.signal("STOP");
    let other = client.clone();
    let waiting = tokio::spawn(async move { other.transact(&[new_switch("doubtful")]).await });
    // Another one that is answered by its time tells that the first was sent.
    let late = client.transact_within(Duration::from_millis(200), &[new_switch("late")]).await;
    assert_eq!(late, Err(TransactError::Unknown(Doubt::Overdue)));
    server.kill();
    let answer = within(waiting).await.unwrap();
    assert!(matches!(answer, Err(TransactError::Unknown(Doubt::Lost(_)))), "{answer:?}");

    let early = client.transact_within(Duration::from_millis(200), &[new_switch("early")]).await;
    assert_eq!(early, Err(TransactError::NotSent(Unsent::Overdue)));
    server.start();
    within(client.transact(&[new_switch("after")])).await.unwrap();
    let listed = server.nbctl(&["--bare", "--columns=name", "find", "Logical_Switch"]);
    let listed: Vec<String> = sorted(&listed).into_iter().filter(|line| !line.is_empty()).collect();
    // A stopped process has read nothing, and whoever is killed reads nothing any more.
    assert_eq!(listed, ["after", "before"]);
}

#[tokio::test]
async fn dead_and_wrong_endpoints_are_passed_over() {
    if !has_servers() {
        return;
    }
    let directory = lab::directory();
    let (mut one, mut two) = (Server::alone(&directory, "one"), Server::alone(&directory, "two"));
    two.restart_with(&["--remote=ptcp:0:127.0.0.1".to_owned()]);
    let port = two.ports()[0];
    let nobody = directory.path().join("nobody");
    let endpoints = format!("unix:{},{},tcp:127.0.0.1:{port}", nobody.display(), one.endpoint());
    let client = Client::start(config(&endpoints));
    let serving = |state: &State| match state {
        State::Ready { endpoint, .. } => Some(*endpoint),
        State::Starting | State::Down(_) => None,
    };
    assert_eq!(state(&client, serving).await, 1);
    one.kill();
    assert_eq!(state(&client, |state| serving(state).filter(|number| *number == 2)).await, 2);
    within(client.transact(&[new_switch("sw")])).await.unwrap();
    assert!(two.nbctl(&["ls-list"]).contains("(sw)"));

    let mut strange = config(&two.endpoint());
    strange.database = "OVN_Westbound".into();
    let client = Client::start(strange);
    let why = state(&client, |state| match state {
        State::Down(loss) => Some(loss.to_string()),
        State::Ready { .. } | State::Starting => None,
    });
    assert!(why.await.contains("unknown database"));
}

#[tokio::test]
async fn a_closed_client_answers_all_and_lets_its_connection_go() {
    if !has_servers() {
        return;
    }
    let directory = lab::directory();
    let server = Server::alone(&directory, "nb");
    let client = Client::start(config(&server.endpoint()));
    let mut monitor = client.monitor(watch(&[("Logical_Switch", &["name"])])).await.unwrap();
    lab::current(&mut monitor).await;
    server.signal("STOP");
    let other = client.clone();
    let waiting = tokio::spawn(async move { other.transact(&[new_switch("sw")]).await });
    let mut states = client.state();
    while !waiting.is_finished() {
        within(client.clone().close()).await;
        tokio::task::yield_now().await;
    }
    let answer = waiting.await.unwrap();
    assert!(answer.is_err());
    assert_eq!(client.transact(&[new_switch("sw")]).await, Err(TransactError::NotSent(Unsent::Closed)));
    server.signal("CONT");
    within(async { while states.changed().await.is_ok() {} }).await;
    within(async { while monitor.changed().await.is_ok() {} }).await;
}
