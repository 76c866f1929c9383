//! The TCP port: `/metrics`, `/healthz`, `/readyz`, and upstream's `/livez`, which dials the socket.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hyper::{Method, StatusCode};
use prometheus_client::registry::Registry;
use tokio::net::{TcpListener, UnixStream};

use super::drain::Drain;
use super::http::{self, Answer};
use crate::health::Readiness;
use crate::metrics;

/// Upstream's limit for the dial of `/livez`.
const DIAL_TIMEOUT: Duration = Duration::from_secs(2);

/// What the port shows.
pub struct Observability {
    /// What readiness waits for.
    pub readiness: Readiness,
    /// The metrics; `None` when they are switched off.
    pub registry: Option<Registry>,
    /// Brings gauges up to date before they are shown.
    pub refresh: Box<dyn Fn() + Send + Sync>,
    /// The CNI socket.
    pub socket: PathBuf,
}

/// Binds the port.
///
/// # Errors
/// The kernel's.
pub async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await
}

/// Serves until the daemon drains.
pub async fn run(listener: TcpListener, shown: Arc<Observability>, mut drain: Drain) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = drain.started() => return,
        };
        let Ok((stream, _)) = accepted else { continue };
        let (shown, drain) = (shown.clone(), drain.clone());
        tokio::spawn(http::serve(stream, drain, move |request| {
            let shown = shown.clone();
            async move { shown.answer(request.method(), request.uri().path()).await }
        }));
    }
}

impl Observability {
    async fn answer(&self, method: &Method, path: &str) -> Answer {
        if method != Method::GET && method != Method::HEAD {
            return http::text(StatusCode::METHOD_NOT_ALLOWED, "405: Method Not Allowed");
        }
        match (path, &self.registry) {
            ("/healthz", _) => http::text(StatusCode::OK, "ok"),
            ("/readyz", _) => self.ready(),
            ("/livez", _) => self.alive().await,
            ("/metrics", Some(registry)) => {
                (self.refresh)();
                http::text(StatusCode::OK, metrics::render(registry))
            }
            _ => http::text(StatusCode::NOT_FOUND, "404: Page Not Found"),
        }
    }

    fn ready(&self) -> Answer {
        let waits_for = self.readiness.waits_for();
        if waits_for.is_empty() {
            http::text(StatusCode::OK, "ok")
        } else {
            http::text(StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {}\n", waits_for.join(", ")))
        }
    }

    async fn alive(&self) -> Answer {
        match tokio::time::timeout(DIAL_TIMEOUT, UnixStream::connect(&self.socket)).await {
            Ok(Ok(_)) => http::text(StatusCode::OK, "ok"),
            Ok(Err(_)) | Err(_) => http::text(StatusCode::SERVICE_UNAVAILABLE, "probe failed"),
        }
    }
}
