//! The rest of a body that a route has not read: one that is too large, or that nobody asked for.
//!
//! A connection that is closed while its peer still writes is reset, and the peer may lose the answer that
//! was on its way; and a peer that is not told of the end writes its next request into a connection that is
//! gone. So as much of the rest is read as an honest mistake can be, and of more than that the end is told.
//! RFC 9112, section 9.6, has the reasons.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::HeaderMap;
use axum::http::header::EXPECT;
use futures_util::StreamExt as _;
use hyper::body::{Body as _, Frame, SizeHint};

use crate::limits::MAX_REST_BYTES;

/// A body that two read in turn: the route, and who reads what the route has left.
#[derive(Debug, Clone)]
struct Shared(Arc<Mutex<Body>>);

impl Shared {
    fn with<T>(&self, of: impl FnOnce(Pin<&mut Body>) -> T) -> T {
        let mut body = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        of(Pin::new(&mut *body))
    }
}

impl hyper::body::Body for Shared {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.with(|body| body.poll_frame(context))
    }

    fn is_end_stream(&self) -> bool {
        self.with(|body| body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.with(|body| body.size_hint())
    }
}

/// What will be left of a body.
pub(crate) struct Rest {
    body: Shared,
    /// Its sender waits to be asked for it, and so sends nothing that is not asked for.
    waits: bool,
}

impl Rest {
    /// The body for the route, and what it will leave of it.
    pub(crate) fn of(body: Body, headers: &HeaderMap) -> (Body, Self) {
        let body = Shared(Arc::new(Mutex::new(body)));
        let waits = headers.contains_key(EXPECT);
        (Body::new(body.clone()), Self { body, waits })
    }

    /// Reads it, within limits, for so long. `false`: there is more, so nothing else may come on this
    /// connection.
    pub(crate) async fn read(self, time: Duration) -> bool {
        if self.body.is_end_stream() {
            return true;
        }
        if self.waits {
            return false;
        }
        let mut frames = Body::new(self.body).into_data_stream();
        let reading = async {
            let mut left = MAX_REST_BYTES;
            while let Some(frame) = frames.next().await {
                let length = frame.map_or(usize::MAX, |bytes| bytes.len());
                match left.checked_sub(length) {
                    Some(less) => left = less,
                    None => return false,
                }
            }
            true
        };
        tokio::time::timeout(time, reading).await.unwrap_or(false)
    }
}
