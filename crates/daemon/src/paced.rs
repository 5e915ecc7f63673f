//! A connection whose peer must take what is sent to it: one that takes nothing for too long is closed, so
//! that it holds nothing for ever. When the service stops it is given less time.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::limits::{WRITE_TIME, WRITE_TIME_AT_STOP};

/// See the module.
pub(crate) struct Paced<S> {
    stream: S,
    patience: Duration,
    /// Runs while something is to be sent and the peer takes nothing.
    waits: Option<Pin<Box<Sleep>>>,
    /// Until the service stops.
    until_stop: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl<S> Paced<S> {
    pub(crate) fn new(stream: S, mut stopped: watch::Receiver<bool>) -> Self {
        let until_stop = async move {
            // An error is a daemon that was dropped: that is a stop too.
            let _ = stopped.wait_for(|stopped| *stopped).await;
        };
        Self {
            stream,
            patience: WRITE_TIME,
            waits: None,
            until_stop: Some(Box::pin(until_stop)),
        }
    }

    /// What came of a try to send.
    fn tried<T>(
        &mut self,
        tried: Poll<io::Result<T>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if tried.is_ready() {
            self.waits = None;
            return tried;
        }
        if let Some(until_stop) = &mut self.until_stop
            && until_stop.as_mut().poll(context).is_ready()
        {
            self.until_stop = None;
            self.patience = WRITE_TIME_AT_STOP;
            self.waits = None;
        }
        let end = Instant::now() + self.patience;
        let waits = self.waits.get_or_insert_with(|| Box::pin(sleep_until(end)));
        ready!(waits.as_mut().poll(context));
        let what = "the peer took nothing for too long";
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, what)))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let own = self.get_mut();
        let tried = Pin::new(&mut own.stream).poll_write(context, bytes);
        own.tried(tried, context)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let own = self.get_mut();
        let tried = Pin::new(&mut own.stream).poll_write_vectored(context, pieces);
        own.tried(tried, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let own = self.get_mut();
        let tried = Pin::new(&mut own.stream).poll_flush(context);
        own.tried(tried, context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let own = self.get_mut();
        let tried = Pin::new(&mut own.stream).poll_shutdown(context);
        own.tried(tried, context)
    }
}
