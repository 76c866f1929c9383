//! A socket before a server's socket that keeps what the server says.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};

pub struct Tap {
    path: PathBuf,
    shut: Arc<AtomicBool>,
    cut: Arc<Notify>,
    /// What the server said over each connection.
    said: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Tap {
    pub fn new(directory: &tempfile::TempDir, name: &str, server: PathBuf) -> Self {
        let path = directory.path().join(format!("{name}.sock"));
        let _ = std::fs::remove_file(&path);
        let listener = UnixListener::bind(&path).unwrap();
        let said = Arc::new(Mutex::new(Vec::new()));
        let shut = Arc::new(AtomicBool::new(false));
        let cut = Arc::new(Notify::new());
        let (log, closed, end) = (said.clone(), shut.clone(), cut.clone());
        let task = tokio::spawn(async move {
            let mut open = JoinSet::new();
            loop {
                let client = tokio::select! {
                    client = listener.accept() => client,
                    () = end.notified() => {
                        open.shutdown().await;
                        continue;
                    }
                };
                let (client, _) = client.unwrap();
                if closed.load(Ordering::SeqCst) {
                    continue;
                }
                // Nobody there: the client sees the end of the connection, as from the server itself.
                if let Ok(server) = UnixStream::connect(&server).await {
                    log.lock().unwrap().push(String::new());
                    let number = log.lock().unwrap().len() - 1;
                    open.spawn(pass(client, server, log.clone(), number));
                }
            }
        });
        Self { path, shut, cut, said, task }
    }

    pub fn endpoint(&self) -> String {
        format!("unix:{}", self.path.display())
    }

    /// Ends every connection, and new ones at once, until the gate is opened.
    pub fn close(&self) -> Gate {
        self.shut.store(true, Ordering::SeqCst);
        self.cut.notify_one();
        Gate(self.shut.clone())
    }

    /// What the server said over each connection.
    pub fn said(&self) -> Vec<String> {
        self.said.lock().unwrap().clone()
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(client: UnixStream, server: UnixStream, log: Arc<Mutex<Vec<String>>>, number: usize) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let there = async {
        let _ = copy(&mut from_client, &mut to_server).await;
    };
    let back = async {
        let mut piece = vec![0; 64 << 10];
        while let Ok(length @ 1..) = from_server.read(&mut piece).await {
            log.lock().unwrap()[number].push_str(&String::from_utf8_lossy(&piece[..length]));
            if to_client.write_all(&piece[..length]).await.is_err() {
                break;
            }
        }
    };
    tokio::select! { () = there => {}, () = back => {} }
}

pub struct Gate(Arc<AtomicBool>);

impl Gate {
    pub fn open(self) {
        self.0.store(false, Ordering::SeqCst);
    }
}
