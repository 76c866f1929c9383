//! What pods serve: pages that name the pod, an echo, HTTP/2's first words, a port that hangs.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use nix::sys::socket::{self, AddressFamily, Backlog, Shutdown, SockFlag, SockType, SockaddrStorage};
use tests::netns::Netns;

/// Room for every test's connections: a full queue is a pod's own failure, and seen as one.
const QUEUE: i32 = 4096;

/// A server on a port of a pod, of both families; it ends with the value.
pub(crate) struct Server {
    listener: Arc<TcpListener>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Answers every GET with `NAME PEER`.
    #[track_caller]
    pub(crate) fn web(pod: &Netns, name: &str, port: u16) -> Self {
        let name = name.to_owned();
        Self::start(pod, port, move |stream, peer| page(stream, &format!("{name} {peer}")))
    }

    /// Sends back what came, once the client has told the end of it.
    #[track_caller]
    pub(crate) fn echo(pod: &Netns, port: u16) -> Self {
        Self::start(pod, port, |mut stream, _| {
            let mut body = Vec::new();
            stream.read_to_end(&mut body)?;
            stream.write_all(&body)
        })
    }

    /// Begins as a gRPC server does: reads [`http2::CLIENT`] and answers [`http2::SERVER`].
    #[track_caller]
    pub(crate) fn http2(pod: &Netns, port: u16) -> Self {
        Self::start(pod, port, |mut stream, _| {
            let mut begin = vec![0; http2::CLIENT.len()];
            stream.read_exact(&mut begin)?;
            if begin == http2::CLIENT { stream.write_all(http2::SERVER) } else { Ok(()) }
        })
    }

    #[track_caller]
    fn start(
        pod: &Netns,
        port: u16,
        work: impl Fn(TcpStream, IpAddr) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let listener = Arc::new(pod.inside(|| TcpListener::bind(everywhere(port)).unwrap()));
        listen(&listener);
        let (accepting, work) = (Arc::clone(&listener), Arc::new(work));
        let thread = thread::spawn(move || {
            while let Ok((stream, peer)) = accepting.accept() {
                let work = Arc::clone(&work);
                // A client that goes away early is no failure of the server.
                thread::spawn(move || drop(work(stream, peer.ip().to_canonical())));
            }
        });
        Self { listener, thread: Some(thread) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        close(&self.listener);
        drop(self.thread.take().map(JoinHandle::join));
    }
}

/// Opens the port of a listener, also after [`close`].
#[track_caller]
pub(crate) fn listen(listener: &TcpListener) {
    socket::listen(listener, Backlog::new(QUEUE).unwrap()).unwrap();
}

/// Closes the port at once, whoever else holds the socket: a program that another test is just starting does.
pub(crate) fn close(listener: &TcpListener) {
    let _ = socket::shutdown(listener.as_raw_fd(), Shutdown::Read);
}

/// A port whose queue is full and whose owner accepts nobody.
pub(crate) struct Hung(#[expect(dead_code, reason = "held open")] (OwnedFd, TcpStream));

impl Hung {
    #[track_caller]
    pub(crate) fn at(pod: &Netns, port: u16) -> Self {
        pod.inside(|| {
            let hung =
                socket::socket(AddressFamily::Inet6, SockType::Stream, SockFlag::SOCK_CLOEXEC, None).unwrap();
            socket::bind(hung.as_raw_fd(), &SockaddrStorage::from(everywhere(port))).unwrap();
            socket::listen(&hung, Backlog::new(0).unwrap()).unwrap();
            // The queue takes one more than it is long.
            let first = TcpStream::connect(("::1", port)).unwrap();
            Self((hung, first))
        })
    }
}

/// The beginning of HTTP/2 (RFC 9113 section 3.4), which every gRPC connection has.
pub(crate) mod http2 {
    /// The client's preface with empty SETTINGS.
    pub(crate) const CLIENT: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    /// The server's empty SETTINGS, and its word that it has seen the client's.
    pub(crate) const SERVER: &[u8] = b"\0\0\0\x04\0\0\0\0\0\0\0\0\x04\x01\0\0\0\0";
}

fn page(mut stream: TcpStream, body: &str) -> io::Result<()> {
    let mut asked = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    while asked.read_line(&mut line)? > 2 {
        line.clear();
    }
    let length = body.len();
    write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
}

fn everywhere(port: u16) -> SocketAddr {
    (IpAddr::from([0_u16; 8]), port).into()
}
