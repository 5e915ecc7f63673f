//! The way to an IMAP server.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_imap::{Client, Session};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::mailbox::mail::{MAX_MAIL_BYTES, line};
use crate::mailbox::settings::ImapSettings;
use crate::metered::{Allowance, Metered};
use crate::tell::MailSecurity;

/// Longest part of what a server says that is told on, in characters.
const MAX_SAID_CHARS: usize = 300;

/// A connection, with TLS or without.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send + fmt::Debug {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send + fmt::Debug> Stream for T {}

/// Most bytes that are read of a server's answer to one command: about 30,000 numbers of mails.
/// The client reads what has come of a line from its beginning each time that more comes, so more would also
/// take a lot of time.
pub(super) const MAX_ANSWER_BYTES: usize = 256 * 1024;

/// Most bytes that are read when a mail is asked for: the mail, and what else the server says meanwhile.
pub(super) const MAX_MAIL_ANSWER_BYTES: usize = MAX_MAIL_BYTES + MAX_ANSWER_BYTES;

/// Whatever the connection is; only so much is read of it as was allowed.
#[derive(Debug)]
pub(super) struct Wire {
    stream: Metered<Box<dyn Stream>>,
    literals: Literals,
}

impl Wire {
    fn new(stream: Box<dyn Stream>) -> Self {
        // For the greeting and the login.
        let stream = Metered::new(stream, Allowance::new(MAX_ANSWER_BYTES));
        let literals = Literals::default();
        Self { stream, literals }
    }

    /// So much may be read from now on.
    pub(super) fn allow(&self, bytes: usize) {
        self.stream.allowance().give(bytes);
    }
}

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
        MailSecurity::None => greeted(Wire::new(Box::new(stream))).await?,
        MailSecurity::Tls => greeted(tls(settings, Box::new(stream)).await?).await?,
        MailSecurity::StartTls => {
            let mut plain = greeted(Wire::new(Box::new(stream))).await?;
            let asked = plain.run_command_and_check_ok("STARTTLS", None).await;
            asked.map_err(|error| format!("it refuses TLS: {}", said(&error)))?;
            // What came before the handshake is dropped: anybody may have sent it.
            Client::new(tls(settings, plain.into_inner().stream.into_inner()).await?)
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

async fn tls(settings: &ImapSettings, stream: Box<dyn Stream>) -> Result<Wire, String> {
    let ca = settings.ca.clone();
    let config = tokio::task::spawn_blocking(move || crate::tls::config(ca.as_deref())).await;
    let config = config.map_err(|_| "stopped".to_owned())??;
    let connected = crate::tls::over(stream, &settings.server, Arc::new(config)).await?;
    Ok(Wire::new(Box::new(connected)))
}

/// Sees that no literal is announced that is longer than any may be: a client makes room for all of it before
/// a byte has come. A mail in which a line ends like one is taken for one too, and is put aside: what is a
/// literal and what is text is only known if the server is believed.
#[derive(Debug, Default)]
struct Literals {
    seen: Seen,
}

/// How much of `{123}` and the end of its line has come.
#[derive(Debug, Default, Clone, Copy)]
enum Seen {
    #[default]
    Nothing,
    Number(usize),
    Closed(usize),
    Return(usize),
}

impl Literals {
    /// The length of one that is too long.
    fn too_long(&mut self, bytes: &[u8]) -> Option<usize> {
        for byte in bytes {
            self.seen = match (self.seen, byte) {
                (_, b'{') => Seen::Number(0),
                (Seen::Number(so_far), b'0'..=b'9') => {
                    let digit = usize::from(byte - b'0');
                    Seen::Number(so_far.saturating_mul(10).saturating_add(digit))
                }
                (Seen::Number(length), b'}') => Seen::Closed(length),
                (Seen::Closed(length), b'\r') => Seen::Return(length),
                (Seen::Return(length), b'\n') if length > MAX_MAIL_BYTES => return Some(length),
                _ => Seen::Nothing,
            };
        }
        None
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        if let Some(length) = self.literals.too_long(&buf.filled()[before..]) {
            let told = format!("it announces {length} bytes");
            return Poll::Ready(Err(io::Error::other(told)));
        }
        polled
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_that_is_too_long_is_seen_before_it_comes() {
        let most = MAX_MAIL_BYTES;
        let cases = [
            (format!("* 1 FETCH (BODY[] {{{most}}}\r\nabc"), None),
            (
                format!("* 1 FETCH (BODY[] {{{}}}\r\n", most + 1),
                Some(most + 1),
            ),
            (
                "* OK {99999999999999999999999}\r\n".to_owned(),
                Some(usize::MAX),
            ),
            ("{{123{99999999}\r\n".to_owned(), Some(99_999_999)),
            (
                "a {99999999} b\r\n{99999999}\n{9999 9999}\r\n".to_owned(),
                None,
            ),
        ];
        for (text, expected) in cases {
            let whole = Literals::default().too_long(text.as_bytes());
            let mut parts = Literals::default();
            let split = text.bytes().find_map(|byte| parts.too_long(&[byte]));
            assert_eq!((whole, split), (expected, expected), "{text}");
        }
    }
}
