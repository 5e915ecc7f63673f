//! A connection to a peer of which only so much is read before its user allows more.
//!
//! The clients of mail protocols that are used here read a line to its end, however long it gets, or keep
//! hundreds of megabytes: a peer that sends without end would have the memory of the daemon. So each answer,
//! and each mail, has an allowance, which is given when it is asked for.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How much may still be read of a connection. Copies are of the same connection.
#[derive(Debug, Clone)]
pub(crate) struct Allowance(Arc<State>);

#[derive(Debug)]
struct State {
    given: AtomicUsize,
    left: AtomicUsize,
    one_by_one: AtomicBool,
}

impl Allowance {
    pub(crate) fn new(bytes: usize) -> Self {
        Self(Arc::new(State {
            given: AtomicUsize::new(bytes),
            left: AtomicUsize::new(bytes),
            one_by_one: AtomicBool::new(false),
        }))
    }

    /// So much from now on, whatever was left.
    pub(crate) fn give(&self, bytes: usize) {
        // One task has the connection: nothing is read between the two.
        self.0.given.store(bytes, Ordering::Relaxed);
        self.0.left.store(bytes, Ordering::Relaxed);
    }

    /// Whether each read gets one byte, so that no reader takes more than the lines it asked for. What is
    /// sent in the clear behind the answer to STARTTLS is then for the handshake, which breaks on it, and is
    /// never taken for something that was said under TLS.
    pub(crate) fn one_by_one(&self, is: bool) {
        self.0.one_by_one.store(is, Ordering::Relaxed);
    }
}

/// The connection.
#[derive(Debug)]
pub(crate) struct Metered<S> {
    stream: S,
    allowance: Allowance,
}

impl<S> Metered<S> {
    pub(crate) fn new(stream: S, allowance: Allowance) -> Self {
        Self { stream, allowance }
    }

    pub(crate) fn allowance(&self) -> &Allowance {
        &self.allowance
    }

    pub(crate) fn into_inner(self) -> S {
        self.stream
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let state = Arc::clone(&self.allowance.0);
        let left = state.left.load(Ordering::Relaxed);
        if left == 0 {
            let given = state.given.load(Ordering::Relaxed);
            let told = format!("it says more than {given} bytes at once");
            return Poll::Ready(Err(io::Error::other(told)));
        }
        let most = match state.one_by_one.load(Ordering::Relaxed) {
            true => 1,
            false => left,
        };
        let room = most.min(buf.remaining());
        let mut part = ReadBuf::new(buf.initialize_unfilled_to(room));
        let polled = Pin::new(&mut self.stream).poll_read(cx, &mut part);
        let read = part.filled().len();
        buf.advance(read);
        state.left.store(left - read, Ordering::Relaxed);
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
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

/// What SMTP goes over: a connection, or TLS over one.
pub(crate) trait Peer {
    fn peer(&self) -> io::Result<SocketAddr>;
}

impl Peer for tokio::net::TcpStream {
    fn peer(&self) -> io::Result<SocketAddr> {
        self.peer_addr()
    }
}

impl Peer for tokio_rustls::client::TlsStream<tokio::net::TcpStream> {
    fn peer(&self) -> io::Result<SocketAddr> {
        self.get_ref().0.peer_addr()
    }
}

impl<S> AsyncTokioStream for Metered<S>
where
    S: AsyncRead + AsyncWrite + Peer + Send + Sync + Unpin + std::fmt::Debug,
{
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;

    use super::*;

    #[tokio::test]
    async fn what_is_not_allowed_is_not_read() {
        let mut stream = Metered::new(&b"0123456789abcdef"[..], Allowance::new(10));
        let mut got = Vec::new();
        let error = stream.read_to_end(&mut got).await.unwrap_err();
        assert_eq!(got, b"0123456789");
        assert_eq!(error.to_string(), "it says more than 10 bytes at once");
        stream.allowance().give(3);
        let error = stream.read_to_end(&mut got).await.unwrap_err();
        assert_eq!(got, b"0123456789abc");
        assert_eq!(error.to_string(), "it says more than 3 bytes at once");
        stream.allowance().give(4);
        stream.read_to_end(&mut got).await.unwrap();
        assert_eq!(got, b"0123456789abcdef");
    }

    #[tokio::test]
    async fn one_by_one_no_byte_is_taken_too_much() {
        let stream = Metered::new(&b"220 go on\r\n250 mine"[..], Allowance::new(100));
        stream.allowance().one_by_one(true);
        let mut reader = tokio::io::BufReader::new(stream);
        let mut line = String::new();
        let read = tokio::io::AsyncBufReadExt::read_line(&mut reader, &mut line).await;
        assert_eq!(
            (read.unwrap(), reader.buffer(), line.as_str()),
            (11, &b""[..], "220 go on\r\n")
        );
        let stream = reader.get_mut();
        stream.allowance().one_by_one(false);
        let mut rest = [0; 100];
        assert_eq!(stream.read(&mut rest).await.unwrap(), 8);
    }
}
