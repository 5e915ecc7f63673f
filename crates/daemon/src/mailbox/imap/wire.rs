//! The way to an IMAP server.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use async_imap::{Client, Session};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};

use crate::mailbox::mail::line;
use crate::mailbox::settings::ImapSettings;
use crate::tell::MailSecurity;

/// Longest part of what a server says that is told on, in characters.
const MAX_SAID_CHARS: usize = 300;

/// A connection, with TLS or without.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send + fmt::Debug {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send + fmt::Debug> Stream for T {}

/// Whatever the connection is.
pub(super) type Wire = Box<dyn Stream>;

/// Connects and logs in.
///
/// # Errors
/// Why not, as a line for the operator; nothing in it is secret.
pub(super) async fn connect(settings: &ImapSettings) -> Result<Session<Wire>, String> {
    // Read each time, so that it can be changed without a restart.
    let password = settings.password.read()?;
    let address = (settings.server.as_str(), settings.port);
    let stream = TcpStream::connect(address).await;
    let stream = stream.map_err(|error| format!("no connection: {error}"))?;
    let client = match settings.security {
        MailSecurity::None => greeted(Box::new(stream)).await?,
        MailSecurity::Tls => greeted(tls(settings, Box::new(stream)).await?).await?,
        MailSecurity::StartTls => {
            let mut plain = greeted(Box::new(stream)).await?;
            let asked = plain.run_command_and_check_ok("STARTTLS", None).await;
            asked.map_err(|error| format!("it refuses TLS: {}", said(&error)))?;
            // What came before the handshake is dropped: anybody may have sent it.
            Client::new(tls(settings, plain.into_inner()).await?)
        }
    };
    let logged_in = client.login(&settings.user, password.reveal()).await;
    logged_in.map_err(|(error, _)| format!("it refuses the login: {}", said(&error)))
}

fn said(error: &async_imap::error::Error) -> String {
    line(&error.to_string(), MAX_SAID_CHARS)
}

async fn greeted(stream: Wire) -> Result<Client<Wire>, String> {
    let mut client = Client::new(stream);
    match client.read_response().await {
        Ok(Some(_)) => Ok(client),
        Ok(None) => Err("it closed the connection".to_owned()),
        Err(error) => {
            let error = line(&error.to_string(), MAX_SAID_CHARS);
            Err(format!("it is no IMAP server: {error}"))
        }
    }
}

async fn tls(settings: &ImapSettings, stream: Wire) -> Result<Wire, String> {
    let ca = settings.ca.clone();
    let config = tokio::task::spawn_blocking(move || config(ca.as_deref())).await;
    let config = config.map_err(|_| "stopped".to_owned())??;
    let name = ServerName::try_from(settings.server.clone());
    let name = name.map_err(|_| format!("`{}` is no name of a server", settings.server))?;
    let connected = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await;
    let connected = connected.map_err(|error| format!("no TLS: {error}"))?;
    Ok(Box::new(connected))
}

/// Trusts what the system trusts, and what the settings name.
fn config(ca: Option<&Path>) -> Result<ClientConfig, String> {
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
