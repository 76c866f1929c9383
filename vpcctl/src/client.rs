//! One question to the daemon: an HTTP/1.1 `GET` over its unix socket.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::Failure;

/// How long the whole exchange may take.
const DEADLINE: Duration = Duration::from_secs(10);
/// The longest answer that is read, in bytes. An object is below 2 KiB.
const MAX_ANSWER_BYTES: u64 = 256 << 20;
/// The most header lines of an answer.
const MAX_HEADERS: usize = 32;

/// The daemon behind a socket.
pub(crate) struct Client {
    socket: PathBuf,
    deadline: Duration,
}

impl Client {
    /// A daemon at `socket`, which is not looked for yet.
    pub(crate) fn new(socket: &Path) -> Self {
        Self { socket: socket.to_owned(), deadline: DEADLINE }
    }

    /// Asks for `path` and reads the answer as a `T`.
    pub(crate) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        let answer = self.exchange(path)?;
        let (status, body) = split(&answer).map_err(|why| self.bad_answer(path, why))?;
        match status {
            200 => serde_json::from_slice(body).map_err(|e| self.bad_answer(path, e.to_string())),
            404 => {
                let message = message(body).unwrap_or_else(|| format!("{path} not found"));
                Err(Failure::NotFound { message })
            }
            status => {
                let message = message(body).unwrap_or_else(|| "no reason given".to_owned());
                Err(Failure::Refused { path: path.to_owned(), status, message })
            }
        }
    }

    fn exchange(&self, path: &str) -> Result<Vec<u8>, Failure> {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\nConnection: close\r\n\r\n"
        );
        let (done, answer) = mpsc::channel();
        let socket = self.socket.clone();
        // In a thread of its own because connecting to a unix socket has no timeout: it waits while the backlog
        // is full. The thread ends with the program.
        thread::spawn(move || done.send(talk(&socket, request.as_bytes())));
        match answer.recv_timeout(self.deadline) {
            Ok(answer) => {
                answer.map_err(|source| Failure::Unreachable { socket: self.socket.clone(), source })
            }
            Err(_) => Err(Failure::Late { socket: self.socket.clone(), seconds: self.deadline.as_secs() }),
        }
    }

    fn bad_answer(&self, path: &str, why: String) -> Failure {
        Failure::BadAnswer { socket: self.socket.clone(), path: path.to_owned(), why }
    }
}

fn talk(socket: &Path, request: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = UnixStream::connect(socket)?;
    stream.write_all(request)?;
    let mut answer = Vec::new();
    stream.take(MAX_ANSWER_BYTES).read_to_end(&mut answer)?;
    Ok(answer)
}

/// The status and the body of a whole answer.
fn split(answer: &[u8]) -> Result<(u16, &[u8]), String> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut head = httparse::Response::new(&mut headers);
    let length = match head.parse(answer) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Err("it ends inside its head".to_owned()),
        Err(error) => return Err(format!("it is not HTTP: {error}")),
    };
    let header =
        |name: &str| head.headers.iter().find(|h| h.name.eq_ignore_ascii_case(name)).map(|h| h.value);
    if header("transfer-encoding").is_some() {
        return Err("it is sent in chunks, which a kube-ovn-daemon does not do".to_owned());
    }
    let body = &answer[length..];
    let announced = header("content-length")
        .and_then(|value| std::str::from_utf8(value).ok()?.trim().parse::<usize>().ok());
    if announced.is_some_and(|announced| body.len() < announced) {
        return Err("it is cut off".to_owned());
    }
    let status = head.code.ok_or("it has no status")?;
    Ok((status, &body[..announced.unwrap_or(body.len())]))
}

/// What a refusal says: a fault's message, upstream's `error`, or the text as it is.
fn message(body: &[u8]) -> Option<String> {
    let text = match serde_json::from_slice::<Value>(body) {
        Ok(json) => ["/fault/message", "/message", "/error"]
            .iter()
            .find_map(|path| json.pointer(path)?.as_str().map(str::to_owned))?,
        Err(_) => String::from_utf8_lossy(body).trim().to_owned(),
    };
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests;
