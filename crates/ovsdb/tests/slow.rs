//! Servers that are slow or silent, played by the test.
#![expect(clippy::unwrap_used, reason = "a test may panic anywhere, in its own functions too")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ovsdb::client::{Client, Config};
use ovsdb::endpoint::Endpoint;
use ovsdb::session::State;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::{UnixListener, UnixStream};

const PROBE: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(60);

/// A client with a server that the test plays, and how many connections it made.
async fn client<F, T>(play: F) -> (Client, Arc<AtomicUsize>, tempfile::TempDir)
where
    F: Fn(UnixStream) -> T + Send + 'static,
    T: Future<Output = ()> + Send + 'static,
{
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("sock");
    let listener = UnixListener::bind(&path).unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let counter = connections.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counter.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(play(stream));
        }
    });
    let config = Config { probe_interval: PROBE, ..Config::new(Endpoint::Unix(path).into(), "D") };
    (Client::start(config), connections, directory)
}

#[tokio::test]
async fn a_long_message_that_comes_in_pieces_is_a_sign_of_life() {
    // The client's first two requests, in their order.
    let schema = json!({"id": 1, "error": null, "result": {"name": "D", "version": "1.0.0", "tables": {}}});
    let row = json!({"name": "D", "model": "standalone", "connected": true, "leader": true});
    let id = "00000000-0000-0000-0000-000000000001";
    let server = json!({"id": 2, "error": null, "result": [false, id, {"Database": {id: {"initial": row}}}]});
    let said = format!("{schema}{server}");
    let pieces: Vec<Vec<u8>> = said.as_bytes().chunks(said.len() / 35).map(<[u8]>::to_vec).collect();
    let (client, connections, _directory) = client(move |mut stream| {
        let pieces = pieces.clone();
        async move {
            for piece in pieces {
                stream.write_all(&piece).await.unwrap();
                tokio::time::sleep(PROBE / 10).await;
            }
            std::future::pending().await
        }
    })
    .await;
    tokio::time::timeout(PATIENCE, client.schema()).await.unwrap().unwrap();
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_server_that_says_nothing_or_nonsense_is_left() {
    let (silent, connections, _directory) = client(|stream| async move {
        let _open = stream;
        std::future::pending().await
    })
    .await;
    assert_eq!(reason(&silent).await, "the server answered nothing for 1 s");
    while connections.load(Ordering::SeqCst) < 2 {
        tokio::task::yield_now().await;
    }
    let (loud, _, _directory) = client(|mut stream| async move {
        let _ = stream.write_all(b"220 mail.example ESMTP\r\n").await;
        std::future::pending().await
    })
    .await;
    assert_eq!(reason(&loud).await, "a message begins with byte 0x32 instead of an opening brace");
}

async fn reason(client: &Client) -> String {
    let mut states = client.state();
    let down = states.wait_for(|state| matches!(state, State::Down(_)));
    let state = tokio::time::timeout(PATIENCE, down).await.unwrap().unwrap().clone();
    let State::Down(loss) = state else { unreachable!() };
    loss.to_string()
}
