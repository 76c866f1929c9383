//! The probed pod's server: one thread, so that it costs every path the same and little.

use std::io;

use tests::netns::Netns;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::{Builder, Runtime};

/// Room for everybody who comes at once.
const QUEUE: u32 = 4096;

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";

/// Answers GETs in the pod until the process ends.
pub(super) fn start(pod: &Netns, port: u16) {
    // The socket belongs to the namespace that it is made in, whoever serves it.
    let (runtime, listener) =
        pod.inside(|| listen(port)).unwrap_or_else(|e| panic!("listen on port {port} of a pod: {e}"));
    std::thread::spawn(move || {
        runtime.block_on(async {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(async move { drop(answer(stream).await) });
            }
        });
    });
}

fn listen(port: u16) -> io::Result<(Runtime, TcpListener)> {
    let runtime = Builder::new_current_thread().enable_io().build()?;
    let listener = {
        let _inside = runtime.enter();
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind(([0, 0, 0, 0], port).into())?;
        socket.listen(QUEUE)?
    };
    Ok((runtime, listener))
}

async fn answer(stream: TcpStream) -> io::Result<()> {
    let mut asked = Vec::new();
    while !asked.ends_with(b"\r\n\r\n") {
        stream.readable().await?;
        match stream.try_read_buf(&mut asked) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    stream.writable().await?;
    stream.try_write(ANSWER).map(|_| ())
}
