//! A daemon for one connection, and calls of the plugin against it.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use cni_plugin::{Deadlines, Outcome, run};
use tempfile::TempDir;

/// What the daemon does with its one connection.
pub(crate) enum Behaviour {
    /// Reads the request and sends these pieces, each with a pause before it but the first.
    Answers(Vec<Vec<u8>>),
    /// Reads the request and never answers.
    KeepsSilent,
    /// Closes without reading.
    ClosesAtOnce,
    /// Answers and closes without having read the request.
    AnswersUnread(Vec<u8>),
}

/// The request as the daemon saw it.
pub(crate) struct Seen {
    pub(crate) head: String,
    pub(crate) body: String,
}

pub(crate) struct FakeDaemon {
    pub(crate) socket: PathBuf,
    /// Holds the socket's folder.
    _folder: TempDir,
    thread: JoinHandle<Option<Seen>>,
}

const PAUSE: Duration = Duration::from_millis(20);

impl FakeDaemon {
    pub(crate) fn new(behaviour: Behaviour) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let socket = folder.path().join("d.sock");
        let listener = UnixListener::bind(&socket).expect("a socket in an empty folder");
        let thread = thread::spawn(move || serve(&listener, behaviour));
        Self { socket, _folder: folder, thread }
    }

    pub(crate) fn answering(answer: impl Into<Vec<u8>>) -> Self {
        Self::new(Behaviour::Answers(vec![answer.into()]))
    }

    /// The request; only after the plugin has called.
    pub(crate) fn seen(self) -> Option<Seen> {
        self.thread.join().expect("the fake daemon does not panic")
    }
}

fn serve(listener: &UnixListener, behaviour: Behaviour) -> Option<Seen> {
    let (mut stream, _) = listener.accept().expect("the plugin connects");
    match behaviour {
        Behaviour::ClosesAtOnce => None,
        Behaviour::AnswersUnread(answer) => {
            stream.write_all(&answer).expect("the plugin reads");
            None
        }
        Behaviour::KeepsSilent => {
            let seen = read_request(&mut stream);
            // Until the plugin gives up.
            let _ = stream.read(&mut [0]);
            Some(seen)
        }
        Behaviour::Answers(pieces) => {
            let seen = read_request(&mut stream);
            for (i, piece) in pieces.iter().enumerate() {
                if i > 0 {
                    thread::park_timeout(PAUSE);
                }
                stream.write_all(piece).expect("the plugin reads");
            }
            Some(seen)
        }
    }
}

fn read_request(stream: &mut UnixStream) -> Seen {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let count = stream.read(&mut piece).expect("the plugin sends");
        assert_ne!(count, 0, "the plugin closed before the end of its request");
        bytes.extend_from_slice(&piece[..count]);
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("Content-Length: "))
            .and_then(|n| n.parse::<usize>().ok());
        if length.expect("the request has a length") == body.len() {
            return Seen { head: head.to_owned(), body: body.to_owned() };
        }
    }
}

/// An answer with status, JSON body and length.
pub(crate) fn answer(status: u16, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// A plain environment of `command`.
pub(crate) fn environment(command: &str) -> Vec<(String, String)> {
    [
        ("CNI_COMMAND", command),
        ("CNI_CONTAINERID", "c1"),
        ("CNI_NETNS", "/run/netns/x"),
        ("CNI_IFNAME", "eth0"),
        ("CNI_PATH", "/opt/cni/bin"),
        ("CNI_ARGS", "K8S_POD_NAMESPACE=ns1;K8S_POD_NAME=p1;K8S_POD_UID=u1"),
    ]
    .map(|(k, v)| (k.to_owned(), v.to_owned()))
    .to_vec()
}

/// A plain configuration that names `socket`; good for every verb.
pub(crate) fn config(socket: &Path) -> String {
    format!(
        r#"{{"cniVersion":"1.1.0","name":"net","type":"kube-ovn","server_socket":"{}","prevResult":{{}},
            "cni.dev/valid-attachments":[]}}"#,
        socket.display()
    )
}

/// Calls the plugin with every deadline at `limit`.
pub(crate) fn call(environment: &[(String, String)], stdin: &str, limit: Duration) -> Outcome {
    let lookup =
        |name: &str| environment.iter().find(|(key, _)| key == name).map(|(_, value)| OsString::from(value));
    let deadlines = Deadlines { add: limit, check: limit, del: limit, gc: limit, status: limit };
    run(&lookup, &mut stdin.as_bytes(), &deadlines)
}
