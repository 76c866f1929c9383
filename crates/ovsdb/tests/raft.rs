//! A northbound database on three real ovsdb-servers.
#![expect(clippy::unwrap_used, reason = "a test may panic anywhere, in its own functions too")]

mod lab;

use std::time::Duration;

use lab::tap::Tap;
use lab::{Server, config, has_servers, names, new_switch, state, watch, within};
use ovsdb::client::Client;
use ovsdb::session::State;
use ovsdb::view::{Standing, View};
use tempfile::TempDir;

struct Cluster {
    directory: TempDir,
    servers: Vec<Server>,
}

impl Cluster {
    fn new() -> Self {
        let directory = lab::directory();
        let one = Server::cluster(&directory, "1");
        let two = Server::join(&directory, "2", &[&one]);
        let three = Server::join(&directory, "3", &[&one, &two]);
        Self { directory, servers: vec![one, two, three] }
    }

    fn leader(&self) -> usize {
        self.servers.iter().position(Server::is_leader).unwrap()
    }

    /// Sockets before theirs, in the order of their numbers.
    fn taps(&self) -> Vec<Tap> {
        let tap = |(number, server): (usize, &Server)| {
            Tap::new(&self.directory, &format!("tap{number}"), server.socket())
        };
        self.servers.iter().enumerate().map(tap).collect()
    }

    /// All of them, the one of this number last.
    fn endpoints_with_last(&self, last: usize) -> String {
        let order = (1..=3).map(|step| (last + step) % 3);
        order.map(|number| self.servers[number].endpoint()).collect::<Vec<_>>().join(",")
    }
}

fn serving(state: &State) -> Option<usize> {
    match state {
        State::Ready { endpoint, .. } => Some(*endpoint),
        State::Starting | State::Down(_) => None,
    }
}

/// Makes a switch, again and again while it certainly was not made; there must be a leader in the end.
async fn make_until_made(client: &Client, name: &str) {
    within(async {
        while let Err(error) = client.transact(&[new_switch(name)]).await {
            assert!(error.is_certain(), "{error:?}");
        }
    })
    .await;
}

async fn shows(view: &mut View, wanted: &[&str]) {
    let all = |view: &View| names(view.rows("Logical_Switch").iter().map(|(_, row)| &**row)) == wanted;
    within(view.wait_for(|view| (view.standing() == Standing::Current && all(view)).then_some(())))
        .await
        .unwrap();
}

#[tokio::test]
async fn only_the_leader_serves_and_the_next_one_is_followed() {
    if !has_servers() {
        return;
    }
    let mut cluster = Cluster::new();
    let leader = cluster.leader();
    let client = Client::start(config(&cluster.endpoints_with_last(leader)));
    let mut view = client.monitor(watch(&[("Logical_Switch", &["name"])])).await.unwrap().view();
    assert_eq!(state(&client, serving).await, 2, "the two followers are passed over");
    within(client.transact(&[new_switch("one")])).await.unwrap();
    shows(&mut view, &["one"]).await;

    cluster.servers[leader].kill();
    state(&client, |state| matches!(state, State::Down(_)).then_some(())).await;
    make_until_made(&client, "two").await;
    shows(&mut view, &["one", "two"]).await;
    let served = state(&client, serving).await;
    let next = (leader + 1 + served) % 3;
    assert!(next != leader && cluster.servers[next].is_leader());
    let listed = cluster.servers[next].nbctl(&["--bare", "--columns=name", "list", "Logical_Switch"]);
    assert!(listed.contains("one") && listed.contains("two"), "{listed}");
}

#[tokio::test]
async fn the_next_leader_tells_only_the_difference() {
    if !has_servers() {
        return;
    }
    let mut cluster = Cluster::new();
    let (leader, taps) = (cluster.leader(), cluster.taps());
    let endpoints: Vec<String> = taps.iter().map(Tap::endpoint).collect();
    let client = Client::start(config(&endpoints.join(",")));
    let mut view = client.monitor(watch(&[("Logical_Switch", &["name"])])).await.unwrap().view();
    within(client.transact(&[new_switch("one")])).await.unwrap();
    shows(&mut view, &["one"]).await;
    cluster.servers[leader].kill();
    state(&client, |state| matches!(state, State::Down(_)).then_some(())).await;
    make_until_made(&client, "two").await;
    shows(&mut view, &["one", "two"]).await;
    let said: Vec<String> = taps.iter().map(|tap| tap.said().concat()).collect();
    assert!(said[leader].contains(r#""one""#));
    let others: String =
        (0..3).filter(|number| *number != leader).map(|number| said[number].as_str()).collect();
    assert!(others.contains(r#""two""#) && !others.contains(r#""one""#), "{others}");
}

#[tokio::test]
async fn without_a_majority_nothing_is_written_and_what_is_shown_is_called_stale() {
    if !has_servers() {
        return;
    }
    let mut cluster = Cluster::new();
    let leader = cluster.leader();
    let client = Client::start(config(&cluster.endpoints_with_last(leader)));
    let mut view = client.monitor(watch(&[("Logical_Switch", &["name"])])).await.unwrap().view();
    within(client.transact(&[new_switch("one")])).await.unwrap();
    shows(&mut view, &["one"]).await;
    let followers: Vec<usize> = (0..3).filter(|number| *number != leader).collect();
    followers.iter().for_each(|number| cluster.servers[*number].kill());
    let written = client.transact_within(Duration::from_secs(3), &[new_switch("never seen as done")]).await;
    assert!(written.is_err(), "{written:?}");
    within(view.wait_for(|view| (view.standing() == Standing::Stale).then_some(()))).await.unwrap();
    assert_eq!(view.rows("Logical_Switch").len(), 1);

    followers.iter().for_each(|number| cluster.servers[*number].start());
    make_until_made(&client, "two").await;
    let all = |view: &View| names(view.rows("Logical_Switch").iter().map(|(_, row)| &**row));
    let two = |view: &View| all(view).contains(&"two".to_owned()) && view.standing() == Standing::Current;
    within(view.wait_for(|view| two(view).then_some(()))).await.unwrap();
}

#[tokio::test]
async fn a_reader_may_follow_any_server_that_is_in_touch_with_the_cluster() {
    if !has_servers() {
        return;
    }
    let cluster = Cluster::new();
    let leader = cluster.leader();
    let mut any = config(&cluster.endpoints_with_last(leader));
    any.leader_only = false;
    let client = Client::start(any);
    let mut view = client.monitor(watch(&[("Logical_Switch", &["name"])])).await.unwrap().view();
    assert_eq!(state(&client, serving).await, 0);
    cluster.servers[leader].nbctl(&["ls-add", "one"]);
    shows(&mut view, &["one"]).await;
    // A follower forwards what is written to it.
    within(client.transact(&[new_switch("two")])).await.unwrap();
    assert!(cluster.servers[leader].nbctl(&["ls-list"]).contains("(two)"));
}
