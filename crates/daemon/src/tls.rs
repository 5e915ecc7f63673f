//! TLS to the servers that mail is sent to and comes from.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};

/// Trusts what the system trusts, and the authorities of this file.
pub(crate) fn config(ca: Option<&Path>) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    let (_added, _odd) =
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = ca {
        let wrong = |error: &dyn fmt::Display| format!("`{}`: {error}", path.display());
        let read = CertificateDer::pem_file_iter(path).map_err(|error| wrong(&error))?;
        for certificate in read {
            let certificate = certificate.map_err(|error| wrong(&error))?;
            roots.add(certificate).map_err(|error| wrong(&error))?;
        }
    }
    let provider = Arc::new(crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider);
    let config = config.with_safe_default_protocol_versions();
    let config = config.map_err(|error| format!("no TLS: {error}"))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

/// TLS over a connection to this server, whose certificate must be for its name.
pub(crate) async fn over<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    server: &str,
    config: Arc<ClientConfig>,
) -> Result<TlsStream<S>, String> {
    let name = ServerName::try_from(server.to_owned());
    let name = name.map_err(|_| format!("`{server}` is no name of a server"))?;
    let connected = TlsConnector::from(config).connect(name, stream).await;
    connected.map_err(|error| format!("no TLS: {error}"))
}
