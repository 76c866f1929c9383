//! TLS as Open vSwitch and OVN use it: both sides have a certificate of one authority, and names do not count.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

/// The files with keys and certificates, in PEM; the options of the same names of Open vSwitch's programs.
///
/// They are read for each connection, so that new ones count from the next one on. Certificates must be of X.509 version 3,
/// as `ovs-pki` makes them; `openssl x509 -req` without `-extfile` makes version 1, which is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// Our private key.
    pub private_key: PathBuf,
    /// Our certificate, and those between it and the authority's.
    pub certificate: PathBuf,
    /// The certificates of the authorities one of which has signed the server's.
    pub ca_cert: PathBuf,
}

/// The files do not give us what TLS needs.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file has no PEM of what it should have.
    #[error("cannot take {what} from {path}")]
    Pem {
        /// What it should have.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: pem::Error,
    },
    /// Key and certificates do not serve.
    #[error("cannot use the key and certificates of {path}")]
    Use {
        /// The file with our certificate or the authority's.
        path: PathBuf,
        /// Why not.
        #[source]
        source: rustls::Error,
    },
}

impl TlsFiles {
    /// Reads the files.
    pub(crate) async fn load(&self) -> Result<Arc<ClientConfig>, TlsError> {
        let (key, certificate) = (read(&self.private_key).await?, read(&self.certificate).await?);
        let ca_cert = read(&self.ca_cert).await?;
        let key = PrivateKeyDer::from_pem_slice(&key).map_err(|source| TlsError::Pem {
            what: "a private key",
            path: self.private_key.clone(),
            source,
        })?;
        let chain = certificates(&certificate, &self.certificate)?;
        let mut roots = RootCertStore::empty();
        for authority in certificates(&ca_cert, &self.ca_cert)? {
            roots.add(authority).map_err(|source| TlsError::Use { path: self.ca_cert.clone(), source })?;
        }
        let provider = Arc::new(ring::default_provider());
        let verifier = Arc::new(ChainVerifier { roots, provider: provider.clone() });
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| {
                builder
                    .dangerous()
                    .with_custom_certificate_verifier(verifier)
                    .with_client_auth_cert(chain, key)
            })
            .map_err(|source| TlsError::Use { path: self.certificate.clone(), source })?;
        Ok(Arc::new(config))
    }
}

async fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    tokio::fs::read(path).await.map_err(|source| TlsError::Read { path: path.to_owned(), source })
}

fn certificates(text: &[u8], path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let fault = |source| TlsError::Pem { what: "a certificate", path: path.to_owned(), source };
    let found = CertificateDer::pem_slice_iter(text).collect::<Result<Vec<_>, _>>().map_err(fault)?;
    if found.is_empty() { Err(fault(pem::Error::NoItemsFound)) } else { Ok(found) }
}

/// Asks that one of the authorities has signed the server's certificate, and not what name it has: those that `ovs-pki` makes
/// carry none of a host, and a connection may be to an address.
#[derive(Debug)]
struct ChainVerifier {
    roots: RootCertStore,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for ChainVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let certificate = ParsedCertificate::try_from(end_entity)?;
        let algorithms = self.provider.signature_verification_algorithms.all;
        verify_server_cert_signed_by_trust_anchor(&certificate, &self.roots, intermediates, now, algorithms)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
