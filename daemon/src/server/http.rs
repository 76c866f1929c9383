//! One HTTP/1.1 connection: limits and deadlines that hold for every peer.

use std::cell::RefCell;
use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Body, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};

use super::drain::Drain;

/// A peer has this long to send its request's head, and again to send its body. Upstream's header limit is the same.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(3);
/// Longest head of a request: upstream's plugin sends 200 bytes, ours carries the pod's annotations.
const HEAD_BYTES: usize = daemon_api::route::MAX_CALL_BYTES + (16 << 10);

/// A whole answer.
pub type Answer = Response<Full<Bytes>>;

/// Serves one connection until the peer leaves, breaks a limit, or the daemon drains.
pub async fn serve<S, F, A>(stream: S, mut drain: Drain, answer: F)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: FnMut(Request<Incoming>) -> A + Send + 'static,
    A: Future<Output = Answer> + Send + 'static,
{
    let answer = RefCell::new(answer);
    let service = service_fn(move |request| {
        let answer = (answer.borrow_mut())(request);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(REQUEST_TIMEOUT)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = drain.started() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Why a request's body could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyError {
    /// It is longer than [`daemon_api::route::MAX_BODY_BYTES`].
    TooLong,
    /// It did not arrive in time, or the peer left.
    Incomplete,
}

/// Reads a whole body, bounded in size and time.
///
/// # Errors
/// [`BodyError`].
pub async fn body(incoming: Incoming) -> Result<Bytes, BodyError> {
    let limit = daemon_api::route::MAX_BODY_BYTES;
    if incoming.size_hint().lower() > limit as u64 {
        return Err(BodyError::TooLong);
    }
    match tokio::time::timeout(REQUEST_TIMEOUT, Limited::new(incoming, limit).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => Err(BodyError::TooLong),
        Ok(Err(_)) | Err(_) => Err(BodyError::Incomplete),
    }
}

/// An answer with a JSON body.
pub fn json(status: StatusCode, body: Vec<u8>) -> Answer {
    with_type(status, "application/json", body)
}

/// An answer with a line of text, as upstream's server gives for what no handler took.
pub fn text(status: StatusCode, body: impl Into<Bytes>) -> Answer {
    with_type(status, "text/plain; charset=utf-8", body)
}

fn with_type(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}

/// An answer without a body.
pub fn empty(status: StatusCode) -> Answer {
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = status;
    answer
}
