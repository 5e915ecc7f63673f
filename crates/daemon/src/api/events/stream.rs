//! A stream of server-sent events. What a client does not take in time ends it: nothing is kept for a slow
//! one, who comes back with the last id that he has seen.

use std::collections::HashMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use hyper::body::Frame;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use upline::core::Name;
use upline::feed::EventId;

use super::super::State;
use super::{READ_AT_ONCE, Sight};
use crate::limits::{
    MAX_STREAMS, MAX_STREAMS_A_TOKEN, REQUEST_TIME, REST_TIME, STREAM_HEARTBEAT, STREAM_SLOW,
};
use crate::problem::Problem;

/// Pieces that wait for a client.
const WAITING: usize = 2;
/// About how many bytes a piece has at most; an event is never cut.
const PIECE_BYTES: usize = 64 * 1024;
/// How long events are let come together for a client whose sight of each must be asked for.
const BREATH: Duration = Duration::from_millis(100);
/// After how long a question is asked again that the engine could not answer for a moment.
const AGAIN: Duration = Duration::from_secs(1);
/// What a client is told when the service stops: to come again so many milliseconds later.
const COME_AGAIN: &str = "retry: 2000\n\n";

/// The streams that are open.
#[derive(Debug, Clone, Default)]
pub(crate) struct Streams(Arc<Mutex<Open>>);

#[derive(Debug, Default)]
struct Open {
    all: usize,
    by_token: HashMap<Name, usize>,
}

/// A place among them.
struct Place {
    streams: Streams,
    token: Name,
}

impl Streams {
    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).all
    }

    fn enter(&self, token: &Name) -> Result<Place, Problem> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let full = |detail: String| Problem::unavailable("too-many-streams", detail, 10);
        if open.all >= MAX_STREAMS {
            return Err(full(format!(
                "{MAX_STREAMS} streams are open, and no more are"
            )));
        }
        let own = open.by_token.entry(token.clone()).or_default();
        if *own >= MAX_STREAMS_A_TOKEN {
            let detail = format!("this token has {MAX_STREAMS_A_TOKEN} streams open");
            return Err(full(detail).hint("close one, or read pages"));
        }
        *own += 1;
        open.all += 1;
        Ok(Place {
            streams: self.clone(),
            token: token.clone(),
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self
            .streams
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        open.all -= 1;
        if let Some(own) = open.by_token.get_mut(&self.token) {
            *own -= 1;
            if *own == 0 {
                open.by_token.remove(&self.token);
            }
        }
    }
}

/// What a client reads.
struct Pieces(mpsc::Receiver<Bytes>);

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = self.0.poll_recv(context);
        piece.map(|piece| piece.map(|piece| Ok(Frame::data(piece))))
    }
}

/// Begins a stream behind `after`; without it, with the oldest that is kept.
pub(super) async fn begin(
    state: State,
    sight: Sight,
    token: blake3::Hash,
    after: Option<EventId>,
) -> Result<Response, Problem> {
    let place = state.streams().enter(&sight.caller.name)?;
    // What can't be begun is refused as any other request is.
    let first = sight.read(&state, after, 1).await;
    let after = match (first, after) {
        (Err(problem), _) => return Err(problem),
        (Ok(_), Some(after)) => after,
        (Ok(_), None) => state.handle().begin_of_events()?,
    };
    let (sender, receiver) = mpsc::channel(WAITING);
    let writer = Writer {
        state,
        sight,
        token,
        after,
        sender,
        _place: place,
    };
    tokio::spawn(writer.run());
    let mut response = Body::new(Pieces(receiver)).into_response();
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        axum::http::HeaderValue::from_static("text/event-stream"),
    );
    // A proxy that holds answers back would make a stream of nothing.
    headers.insert(
        "x-accel-buffering",
        axum::http::HeaderValue::from_static("no"),
    );
    Ok(response)
}

/// How patient streams and requests are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// After so long without an event a client is told that the stream lives.
    pub(crate) heartbeat: Duration,
    /// A client that takes nothing for so long is cut off.
    pub(crate) slow: Duration,
    /// How long a request may take.
    pub(crate) request: Duration,
    /// How long the rest of a body is read that nobody wants.
    pub(crate) rest: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            heartbeat: STREAM_HEARTBEAT,
            slow: STREAM_SLOW,
            request: REQUEST_TIME,
            rest: REST_TIME,
        }
    }
}

/// What writes a stream.
struct Writer {
    state: State,
    sight: Sight,
    /// What it came with: it may be taken back, or get other rights.
    token: blake3::Hash,
    after: EventId,
    sender: mpsc::Sender<Bytes>,
    _place: Place,
}

/// Why a stream ends.
enum End {
    /// The client has gone, or takes nothing; or its token is none any more.
    Gone,
    /// The service stops, or what comes next is kept no more: the client comes again, and learns it then.
    Over,
}

impl Writer {
    async fn run(mut self) {
        let mut stopped = self.state.stopped();
        let end = tokio::select! {
            end = self.write() => end,
            // An error is a daemon that was dropped: that is a stop too.
            _ = stopped.wait_for(|stopped| *stopped) => End::Over,
        };
        if matches!(end, End::Over) {
            // If there is no room for it the client comes again all the same.
            let _ = self
                .sender
                .try_send(Bytes::from_static(COME_AGAIN.as_bytes()));
        }
    }

    async fn write(&mut self) -> End {
        let Ok(mut tide) = self.state.handle().tide() else {
            return End::Over;
        };
        // The client knows from where to come again, whatever happens.
        let mut said = self.send(self.mark()).await;
        let mut beat = self.next_beat();
        while said.is_ok() {
            let (pieces, more) = match self.pieces().await {
                Ok(found) => found,
                Err(end) => return end,
            };
            if !pieces.is_empty() {
                for piece in pieces {
                    said = said.and(self.send(piece).await);
                }
                beat = self.next_beat();
                self.breathe().await;
                continue;
            }
            if more {
                continue;
            }
            tokio::select! {
                risen = tide.more() => if risen.is_err() {
                    return End::Over;
                },
                () = self.sender.closed() => return End::Gone,
                () = sleep_until(beat) => {
                    said = self.send(self.mark()).await;
                    beat = self.next_beat();
                }
            }
        }
        End::Gone
    }

    fn next_beat(&self) -> Instant {
        Instant::now() + self.state.pace().heartbeat
    }

    /// The next events as text, and whether there are more already.
    async fn pieces(&mut self) -> Result<(Vec<String>, bool), End> {
        let found = loop {
            let Some(caller) = self.state.caller(&self.token) else {
                return Err(End::Gone);
            };
            self.sight.caller = caller;
            let after = Some(self.after);
            match self.sight.read(&self.state, after, READ_AT_ONCE).await {
                Ok(found) => break found,
                Err(problem) if problem.is_passing() => sleep(AGAIN).await,
                Err(_) => return Err(End::Over),
            }
            if self.sender.is_closed() {
                return Err(End::Gone);
            }
        };
        self.after = found.next;
        let mut pieces: Vec<String> = Vec::new();
        for event in found.events {
            let id = event["id"].as_str().unwrap_or_default();
            let text = format!("id: {id}\ndata: {event}\n\n");
            match pieces.last_mut() {
                Some(last) if last.len() + text.len() <= PIECE_BYTES => last.push_str(&text),
                _ => pieces.push(text),
            }
        }
        Ok((pieces, found.more))
    }

    /// How far was looked, for a client that comes again: a comment, and no event.
    fn mark(&self) -> String {
        format!(": as of\nid: {}\n\n", self.after)
    }

    async fn breathe(&self) {
        if !self.sight.caller.sees_all() {
            sleep(BREATH).await;
        }
    }

    async fn send(&self, text: String) -> Result<(), Gone> {
        let slow = self.state.pace().slow;
        match timeout(slow, self.sender.send(text.into())).await {
            Ok(sent) => sent.map_err(|_| Gone),
            Err(_) => {
                let token = &self.sight.caller.name;
                let what = "a client of events took nothing for too long, and was cut off";
                tracing::info!(code = "slow-stream", token = %token, "{what}");
                Err(Gone)
            }
        }
    }
}

/// The client has gone, or takes nothing.
struct Gone;
