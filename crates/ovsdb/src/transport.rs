//! Byte streams to a server: unix sockets, TCP, TLS.

use std::io;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;

use crate::endpoint::{Address, Endpoint};
use crate::tls::{TlsError, TlsFiles};

/// What the server says.
pub(crate) type Reader = Box<dyn AsyncRead + Send + Unpin>;
/// What we say.
pub(crate) type Writer = Box<dyn AsyncWrite + Send + Unpin>;

/// A connection cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// Nobody listens there, or we may not go there.
    #[error("cannot connect to {endpoint}")]
    Connect {
        /// Where.
        endpoint: Endpoint,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// An `ssl:` endpoint without keys and certificates for it.
    #[error("no private key and certificates are given for {0}")]
    NoFiles(Endpoint),
    /// The files for TLS do not serve.
    #[error(transparent)]
    Files(#[from] TlsError),
    /// A host whose name cannot stand in a certificate.
    #[error("{0} is no host name for TLS")]
    Name(Endpoint),
    /// The server is not one of ours, or does not take us for one of its own.
    #[error("cannot agree with {endpoint} on TLS")]
    Handshake {
        /// Where.
        endpoint: Endpoint,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

/// Makes a connection, however long it takes.
pub(crate) async fn dial(
    endpoint: &Endpoint,
    files: Option<&TlsFiles>,
) -> Result<(Reader, Writer), DialError> {
    let connect = |source| DialError::Connect { endpoint: endpoint.clone(), source };
    match endpoint {
        Endpoint::Unix(path) => Ok(split(UnixStream::connect(path).await.map_err(connect)?)),
        Endpoint::Tcp(address) => Ok(split(tcp(address).await.map_err(connect)?)),
        Endpoint::Ssl(address) => {
            let config = files.ok_or_else(|| DialError::NoFiles(endpoint.clone()))?.load().await?;
            let name = ServerName::try_from(address.host.clone());
            let name = name.map_err(|_| DialError::Name(endpoint.clone()))?;
            let stream = tcp(address).await.map_err(connect)?;
            let stream = TlsConnector::from(config).connect(name, stream).await;
            let stream =
                stream.map_err(|source| DialError::Handshake { endpoint: endpoint.clone(), source })?;
            Ok(split(stream))
        }
    }
}

async fn tcp(address: &Address) -> io::Result<TcpStream> {
    let stream = TcpStream::connect((address.host.as_str(), address.port)).await?;
    // Small requests follow each other without waiting for answers.
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn split<S: AsyncRead + AsyncWrite + Send + 'static>(stream: S) -> (Reader, Writer) {
    let (reader, writer) = tokio::io::split(stream);
    (Box::new(reader), Box::new(writer))
}
