//! The little of HTTP/1.1 (RFC 9112) that one exchange on the daemon's socket needs.

use daemon_api::route;
use httparse::Status;
use thiserror::Error;

use crate::gzip::{self, GzipError};
use crate::verb::Request;

/// Most bytes of an answer, as sent and inflated.
pub const MAX_ANSWER_BYTES: usize = 1 << 20;
const MAX_HEADERS: usize = 64;

/// The daemon's answer, with its body decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body; empty when there is none.
    pub body: Vec<u8>,
}

/// Bytes that are no answer we understand.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HttpError {
    /// Not HTTP.
    #[error("the answer is not HTTP: {0}")]
    NotHttp(httparse::Error),
    /// A framing or encoding that we do not understand, or two that contradict each other.
    #[error("the answer has a {header} header we do not take: {value:?}")]
    Header {
        /// The header's name.
        header: &'static str,
        /// Its value.
        value: String,
    },
    /// A broken chunk.
    #[error("the answer has a broken chunk")]
    Chunk,
    /// More than [`MAX_ANSWER_BYTES`].
    #[error("the answer is larger than 1 MiB")]
    TooLong,
    /// A broken gzip body.
    #[error("the answer's body cannot be unpacked: {0}")]
    Gzip(#[from] GzipError),
    /// The connection was closed before the answer's end.
    #[error("the daemon closed the connection before the end of its answer")]
    Cut,
}

/// The bytes of a request.
pub fn encode(request: &Request) -> Vec<u8> {
    let mut bytes = format!(
        "POST {} HTTP/1.1\r\nHost: dummy\r\nUser-Agent: kube-ovn-cni/{}\r\nContent-Length: {}\r\n\
         Content-Type: application/json\r\n{}: {}\r\nConnection: close\r\n\r\n",
        request.path,
        env!("CARGO_PKG_VERSION"),
        request.body.len(),
        route::CALL_HEADER,
        request.call,
    )
    .into_bytes();
    bytes.extend_from_slice(&request.body);
    bytes
}

/// Reads an answer out of what has come so far; `None` when more must come.
///
/// # Errors
/// [`HttpError`]; [`HttpError::Cut`] only when `is_closed`.
pub fn decode(bytes: &[u8], is_closed: bool) -> Result<Option<Answer>, HttpError> {
    if bytes.len() > MAX_ANSWER_BYTES {
        return Err(HttpError::TooLong);
    }
    let decoded = decode_part(bytes, is_closed)?;
    if decoded.is_none() && is_closed { Err(HttpError::Cut) } else { Ok(decoded) }
}

fn decode_part(bytes: &[u8], is_closed: bool) -> Result<Option<Answer>, HttpError> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let Status::Complete(start) = response.parse(bytes).map_err(HttpError::NotHttp)? else {
        return Ok(None);
    };
    let status = response.code.ok_or(HttpError::NotHttp(httparse::Error::Status))?;
    if matches!(status, 100..=199 | 204 | 304) {
        return Ok(Some(Answer { status, body: Vec::new() }));
    }
    let head = Head::new(response.headers)?;
    let rest = &bytes[start..];
    let body = match head.framing {
        Framing::Chunked => dechunk(rest)?,
        Framing::Length(length) => rest.get(..length).map(<[u8]>::to_vec),
        Framing::UntilClose => is_closed.then(|| rest.to_vec()),
    };
    let Some(body) = body else { return Ok(None) };
    let is_packed = head.is_gzip && !body.is_empty();
    let body = if is_packed { gzip::inflate(&body, MAX_ANSWER_BYTES)? } else { body };
    Ok(Some(Answer { status, body }))
}

/// How the body's end is found (RFC 9112, section 6.3).
enum Framing {
    Chunked,
    Length(usize),
    UntilClose,
}

struct Head {
    framing: Framing,
    is_gzip: bool,
}

impl Head {
    fn new(headers: &[httparse::Header<'_>]) -> Result<Self, HttpError> {
        let mut length = None;
        let mut is_chunked = false;
        let mut is_gzip = false;
        for header in headers {
            let text = std::str::from_utf8(header.value).unwrap_or_default().trim();
            let refuse = |header| HttpError::Header { header, value: text.to_owned() };
            if header.name.eq_ignore_ascii_case("transfer-encoding") {
                is_chunked = text.eq_ignore_ascii_case("chunked");
                if !is_chunked {
                    return Err(refuse("Transfer-Encoding"));
                }
            } else if header.name.eq_ignore_ascii_case("content-length") {
                let value = text.parse::<usize>().map_err(|_| refuse("Content-Length"))?;
                if length.is_some_and(|earlier| earlier != value) {
                    return Err(refuse("Content-Length"));
                }
                if value > MAX_ANSWER_BYTES {
                    return Err(HttpError::TooLong);
                }
                length = Some(value);
            } else if header.name.eq_ignore_ascii_case("content-encoding") {
                is_gzip = text.eq_ignore_ascii_case("gzip") || text.eq_ignore_ascii_case("x-gzip");
                if !is_gzip && !text.is_empty() && !text.eq_ignore_ascii_case("identity") {
                    return Err(refuse("Content-Encoding"));
                }
            }
        }
        let framing = match length {
            _ if is_chunked => Framing::Chunked,
            Some(length) => Framing::Length(length),
            None => Framing::UntilClose,
        };
        Ok(Self { framing, is_gzip })
    }
}

/// Joins the chunks; `None` when the last one has not come yet. Trailers are not waited for: the connection ends here.
fn dechunk(mut rest: &[u8]) -> Result<Option<Vec<u8>>, HttpError> {
    let mut body = Vec::new();
    loop {
        let parsed = httparse::parse_chunk_size(rest).map_err(|_| HttpError::Chunk)?;
        let Status::Complete((start, size)) = parsed else { return Ok(None) };
        if size == 0 {
            return Ok(Some(body));
        }
        let size = usize::try_from(size).map_err(|_| HttpError::TooLong)?;
        if size > MAX_ANSWER_BYTES {
            return Err(HttpError::TooLong);
        }
        let Some((chunk, tail)) = rest[start..].split_at_checked(size) else { return Ok(None) };
        body.extend_from_slice(chunk);
        rest = match tail {
            [b'\r', b'\n', next @ ..] => next,
            [] | [b'\r'] => return Ok(None),
            _ => return Err(HttpError::Chunk),
        };
    }
}

#[cfg(test)]
mod tests;
