//! Bytes on the daemon's socket, with no client in between.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// How long an answer may take on a busy machine. Nothing asserts on it.
const PATIENCE: Duration = Duration::from_secs(60);

/// An HTTP answer in pieces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status line without its line end.
    pub status: String,
    /// The headers, names in lower case, in the order of the answer.
    pub headers: Vec<(String, String)>,
    /// As many bytes as `content-length` says, none without it.
    pub body: Vec<u8>,
}

impl Answer {
    /// Takes recorded or received bytes apart; `None` when a part is missing.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|w| w == b"\r\n\r\n")?;
        let head = std::str::from_utf8(&bytes[..end]).ok()?;
        let mut lines = head.split("\r\n");
        let status = lines.next()?.to_owned();
        let headers: Vec<_> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let answer = Self { status, headers, body: Vec::new() };
        let length = answer.header("content-length").map_or(Some(0), |value| value.parse().ok())?;
        let body = bytes.get(end + 4..end + 4 + length)?.to_vec();
        Some(Self { body, ..answer })
    }

    /// The value of a header, named in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The number in the status line, 0 when there is none.
    pub fn code(&self) -> u16 {
        self.status.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or_default()
    }
}

/// A POST of a JSON body to one of the daemon's routes.
pub fn post(path: &str, body: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nHost: dummy\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// A connection to the socket.
///
/// # Panics
/// When nobody listens.
#[track_caller]
pub fn connect(socket: &Path) -> UnixStream {
    let stream =
        UnixStream::connect(socket).unwrap_or_else(|e| panic!("connect to {}: {e}", socket.display()));
    stream.set_read_timeout(Some(PATIENCE)).unwrap_or_else(|e| panic!("set a timeout: {e}"));
    stream
}

/// Sends bytes and reads one answer; `None` when the daemon hangs up without a whole one.
///
/// # Panics
/// When nobody listens, or the daemon neither answers nor hangs up.
#[track_caller]
pub fn exchange(socket: &Path, bytes: &[u8]) -> Option<Answer> {
    let mut stream = connect(socket);
    // The daemon may hang up before it has read everything.
    drop(stream.write_all(bytes));
    read_answer(&mut stream)
}

/// As [`exchange`], and tells the daemon that nothing more will come.
///
/// # Panics
/// As [`exchange`].
#[track_caller]
pub fn exchange_and_end(socket: &Path, bytes: &[u8]) -> Option<Answer> {
    let mut stream = connect(socket);
    drop(stream.write_all(bytes));
    drop(stream.shutdown(Shutdown::Write));
    read_answer(&mut stream)
}

/// Reads one answer; `None` when the daemon hangs up without a whole one.
///
/// # Panics
/// When the daemon neither answers nor hangs up.
#[track_caller]
pub fn read_answer(stream: &mut UnixStream) -> Option<Answer> {
    let (mut bytes, mut piece) = (Vec::new(), [0; 16 << 10]);
    loop {
        match stream.read(&mut piece) {
            Ok(0) => return None,
            Ok(count) => bytes.extend_from_slice(&piece[..count]),
            Err(e) if e.kind() == std::io::ErrorKind::ConnectionReset => return None,
            // A read with a time limit does not go on by itself when the process was stopped and continued (signal(7)).
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => panic!("no answer within {PATIENCE:?}: {e}"),
        }
        if let Some(answer) = Answer::parse(&bytes) {
            return Some(answer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_once_its_body_is() {
        let bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";

        let answer = Answer::parse(bytes).unwrap();

        assert_eq!(
            (answer.code(), answer.header("content-length"), answer.body.as_slice()),
            (200, Some("2"), &b"{}"[..])
        );
        assert_eq!(Answer::parse(&bytes[..bytes.len() - 1]), None);
    }
}
