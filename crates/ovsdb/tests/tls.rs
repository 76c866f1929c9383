//! TLS with a real ovsdb-server and certificates from ovs-pki.

mod lab;

use std::time::Duration;

use lab::pki::{Pki, options};
use lab::{Server, config, has_servers, new_switch, state, within};
use ovsdb::client::{Client, Config};
use ovsdb::failure::{TransactError, Unsent};
use ovsdb::session::State;
use ovsdb::tls::TlsFiles;

fn with_tls(port: u16, files: Option<TlsFiles>) -> Config {
    Config { tls: files, ..config(&format!("ssl:127.0.0.1:{port}")) }
}

/// Why a client does not get in; it must not.
async fn refusal(config: Config) -> String {
    let client = Client::start(config);
    let sent = client.transact_within(Duration::from_millis(500), &[new_switch("intruder")]).await;
    assert_eq!(sent, Err(TransactError::NotSent(Unsent::Overdue)));
    state(&client, |state| match state {
        State::Down(loss) => Some(loss.to_string()),
        State::Ready { .. } => panic!("it got in"),
        State::Starting => None,
    })
    .await
}

#[tokio::test]
async fn both_sides_take_only_certificates_of_their_authority() {
    if !has_servers() {
        return;
    }
    let directory = lab::directory();
    let mut server = Server::alone(&directory, "nb");
    let (ours, theirs) = (Pki::new(), Pki::new());
    server.restart_with(&options(&ours.files("server")));
    let port = server.ports()[0];
    let (files, foreign) = (ours.files("client"), theirs.files("client"));

    let client = Client::start(with_tls(port, Some(files.clone())));
    within(client.transact(&[new_switch("sw")])).await.unwrap();
    client.close().await;

    let wrong_server = TlsFiles { ca_cert: theirs.ca_cert().into(), ..files.clone() };
    let why = refusal(with_tls(port, Some(wrong_server))).await;
    // Two authorities that were made in one second have the same name; then it is the signature that tells them apart.
    assert!(why.contains("UnknownIssuer") || why.contains("BadSignature"), "{why}");
    let wrong_client = TlsFiles { ca_cert: ours.ca_cert().into(), ..foreign };
    let why = refusal(with_tls(port, Some(wrong_client))).await;
    assert!(why.contains("alert") || why.contains("closed") || why.contains("read"), "{why}");
    let why = refusal(with_tls(port, None)).await;
    assert!(why.contains("no private key"), "{why}");
    refusal(config(&format!("tcp:127.0.0.1:{port}"))).await;
    let absent = TlsFiles { private_key: "/nonexistent".into(), ..files };
    let why = refusal(with_tls(port, Some(absent))).await;
    assert!(why.contains("cannot read /nonexistent: No such file"), "{why}");

    assert_eq!(server.nbctl(&["--bare", "--columns=name", "list", "Logical_Switch"]).trim(), "sw");
}

#[tokio::test]
async fn new_certificates_count_from_the_next_connection_on() {
    if !has_servers() {
        return;
    }
    let directory = lab::directory();
    let mut server = Server::alone(&directory, "nb");
    let (before, after) = (Pki::new(), Pki::new());
    server.restart_with(&options(&after.files("server")));
    let port = server.ports()[0];
    let (old, new) = (before.files("client"), after.files("client"));
    let client = Client::start(with_tls(port, Some(old.clone())));
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.transact(&[new_switch("sw")]).await }
    });
    state(&client, |state| matches!(state, State::Down(_)).then_some(())).await;
    std::fs::copy(&new.private_key, &old.private_key).unwrap();
    std::fs::copy(&new.certificate, &old.certificate).unwrap();
    std::fs::copy(&new.ca_cert, &old.ca_cert).unwrap();
    within(waiting).await.unwrap().unwrap();
}
