//! The accept loop: connections with limits, and a stop that lets those under way finish.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::limits::{
    GRACE, HEADER_TIME, MAX_CONNECTIONS, MAX_CONNECTIONS_PER_ADDRESS, MAX_HEADER_BYTES,
};
use crate::paced::Paced;

/// What a connection too many is told.
const TOO_MANY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
    content-type: application/problem+json\r\nretry-after: 1\r\nconnection: close\r\n\r\n\
    {\"title\":\"Service Unavailable\",\"status\":503,\"code\":\"busy\",\
    \"detail\":\"too many connections from this address\"}";

/// How long nothing is accepted after the system has refused to: it has no descriptors left, and asking again
/// at once would only take its time.
const BREATH: Duration = Duration::from_millis(100);

/// Who is at the other end of a request's connection: a proxy, if there is one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// What a peer may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) header_time: Duration,
    /// Most connections from one address; `None`: a proxy is in front, and all come from its address.
    pub(crate) per_address: Option<usize>,
}

impl Bounds {
    pub(crate) fn new(behind_proxy: bool) -> Self {
        Self {
            header_time: HEADER_TIME,
            per_address: (!behind_proxy).then_some(MAX_CONNECTIONS_PER_ADDRESS),
        }
    }
}

/// How many connections there are from each address.
#[derive(Debug, Default)]
struct Addresses(Mutex<HashMap<IpAddr, usize>>);

/// A connection from an address, which is counted until this is dropped.
struct Counted {
    address: IpAddr,
    all: Arc<Addresses>,
}

impl Addresses {
    fn with<T>(&self, of: impl FnOnce(&mut HashMap<IpAddr, usize>) -> T) -> T {
        of(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// `None`: there are as many from this address as may be.
    fn count(self: &Arc<Self>, address: IpAddr, most: usize) -> Option<Counted> {
        let address = whose(address);
        let is_counted = self.with(|all| {
            let count = all.entry(address).or_default();
            let has_room = *count < most;
            *count += usize::from(has_room);
            has_room
        });
        let all = Arc::clone(self);
        // Made only if it counts: dropped, it would count one less.
        is_counted.then(|| Counted { address, all })
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.all.with(|all| {
            if let Some(count) = all.get_mut(&self.address) {
                *count -= 1;
                if *count == 0 {
                    all.remove(&self.address);
                }
            }
        });
    }
}

/// The address that is counted. Of IPv6 the first half: whoever has one address there has all of a network.
fn whose(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        address => address,
    }
}

/// Serves until `stop` says so; then no connection is accepted, and those under way have [`GRACE`] to finish.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    bounds: Bounds,
    mut stop: watch::Receiver<bool>,
) {
    let graceful = GracefulShutdown::new();
    let addresses = Arc::new(Addresses::default());
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &room) => accepted,
            // An error is a daemon that was dropped: that is a stop too.
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let Some((stream, peer, permit)) = accepted else {
            continue;
        };
        let counted = match bounds.per_address {
            Some(most) => match addresses.count(peer.ip(), most) {
                None => {
                    tracing::debug!(code = "connection", peer = %peer.ip(), "too many connections");
                    // What there is no room for in the system's buffer is not worth waiting for.
                    let _ = stream.try_write(TOO_MANY);
                    continue;
                }
                counted => counted,
            },
            None => None,
        };
        let mut builder = http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(bounds.header_time)
            .max_buf_size(MAX_HEADER_BYTES);
        let routes = TowerToHyperService::new(router.clone());
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(Peer(peer));
            routes.call(request)
        });
        let stream = TokioIo::new(Paced::new(stream, stop.clone()));
        let connection = builder.serve_connection(stream, service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(code = "connection", error = %error, "a connection broke");
            }
            drop((permit, counted));
        });
    }
    drop(listener);
    if tokio::time::timeout(GRACE, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!(
            code = "stopped-early",
            "requests were under way for longer than a stop waits, and were cut off"
        );
    }
}

async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let permit = Arc::clone(room).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => {
            // Answers are small, and a caller waits for each.
            let _ = stream.set_nodelay(true);
            Some((stream, peer, permit))
        }
        Err(error) => {
            tracing::warn!(code = "accept", error = %error, "a connection could not be accepted");
            tokio::time::sleep(BREATH).await;
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, Read as _, Write as _};
    use std::net::TcpStream as Peered;
    use std::time::Instant;

    use axum::Extension;
    use axum::routing::get;
    use tokio::task::JoinHandle;

    use super::*;

    const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

    /// A server that says who asks.
    async fn server(bounds: Bounds) -> (SocketAddr, watch::Sender<bool>, JoinHandle<()>) {
        let who = |Extension(Peer(peer)): Extension<Peer>| async move { peer.to_string() };
        let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (stop, stopped) = watch::channel(false);
        let routes = Router::new().route("/", get(who));
        let server = tokio::spawn(serve(listener, routes, bounds, stopped));
        (SocketAddr::from(([127, 0, 0, 1], port)), stop, server)
    }

    /// What is answered on a connection.
    fn asked(mut stream: Peered) -> String {
        stream.write_all(GET).unwrap();
        let mut answer = Vec::new();
        // One that is closed at once may be reset.
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8(answer).unwrap()
    }

    /// A connection from this address of this machine.
    async fn from(own: [u8; 4], to: SocketAddr) -> Peered {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind((own, 0).into()).unwrap();
        let stream = socket.connect((own, to.port()).into()).await.unwrap();
        let stream = stream.into_std().unwrap();
        stream.set_nonblocking(false).unwrap();
        stream
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_request_knows_from_whom_it_comes() {
        let (address, stop, server) = server(Bounds::new(true)).await;
        let asked = tokio::task::spawn_blocking(move || {
            let stream = Peered::connect(address).unwrap();
            let own = stream.local_addr().unwrap().to_string();
            (asked(stream), own)
        });
        let (answer, own) = asked.await.unwrap();
        assert!(answer.ends_with(&own), "{own}: {answer}");
        stop.send(true).unwrap();
        server.await.unwrap();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn one_address_alone_shuts_nobody_out() {
        let most = 20;
        let bounds = Bounds {
            per_address: Some(most),
            ..Bounds::new(false)
        };
        let (address, _stop, _server) = server(bounds).await;
        let mut idle = Vec::new();
        for _ in 0..most {
            idle.push(from([127, 0, 0, 1], address).await);
        }
        // They are accepted in the order in which they came.
        for _ in 0..3 * most {
            let refused = asked(from([127, 0, 0, 1], address).await);
            let is_refused = refused.is_empty() || refused.starts_with("HTTP/1.1 503 ");
            assert!(is_refused, "{refused}");
        }
        let other = asked(from([127, 0, 0, 2], address).await);
        assert!(other.starts_with("HTTP/1.1 200 "), "{other}");
        // As soon as one of them goes, the next is served.
        let first = idle.pop().unwrap();
        assert!(asked(first).starts_with("HTTP/1.1 200 "));
        let limit = Instant::now() + Duration::from_secs(20);
        while !asked(from([127, 0, 0, 1], address).await).starts_with("HTTP/1.1 200 ") {
            assert!(Instant::now() < limit, "its place stays taken");
        }
    }

    #[test]
    fn addresses_are_counted_by_network_and_forgotten() {
        let all = Arc::new(Addresses::default());
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let held: Vec<_> = [
            "2001:db8:1:2::1",
            "2001:db8:1:2:ffff::9",
            "192.0.2.1",
            "::ffff:192.0.2.1",
        ]
        .map(|text| all.count(ip(text), 2).unwrap())
        .into();
        for full in ["2001:db8:1:2::3", "192.0.2.1", "::ffff:192.0.2.1"] {
            assert!(all.count(ip(full), 2).is_none(), "{full}");
        }
        assert!(all.count(ip("2001:db8:1:3::1"), 2).is_some());
        drop(held);
        assert!(all.with(|all| all.is_empty()));
    }

    #[test]
    fn behind_a_proxy_all_come_from_its_address() {
        assert_eq!(Bounds::new(true).per_address, None);
        let alone = Bounds::new(false).per_address.unwrap();
        assert!(alone < MAX_CONNECTIONS, "{alone}");
        assert_eq!(Bounds::new(false).header_time, Duration::from_secs(10));
    }

    /// Sends a byte each time the server has said nothing for a moment, until it closes the connection: what
    /// it has said, and after how long.
    fn drip(address: SocketAddr, begin: &[u8]) -> (String, Duration) {
        let began = Instant::now();
        let mut stream = Peered::connect(address).unwrap();
        stream.write_all(begin).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_millis(20)))
            .unwrap();
        let mut said = Vec::new();
        let mut piece = [0; 1024];
        loop {
            match stream.read(&mut piece) {
                Ok(0) => break,
                Ok(read) => said.extend_from_slice(&piece[..read]),
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
                {
                    assert!(began.elapsed() < Duration::from_secs(20), "it is let go on");
                    if stream.write_all(b"x").is_err() {
                        break;
                    }
                }
                Err(_) => break,
            }
        }
        (String::from_utf8(said).unwrap(), began.elapsed())
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn who_sends_a_byte_now_and_then_is_cut_off() {
        let header_time = Duration::from_millis(400);
        let bounds = Bounds {
            header_time,
            ..Bounds::new(false)
        };
        let (address, _stop, _server) = server(bounds).await;
        for begin in ["", "G", "GET / HTTP/1.1\r\nHost: x\r\nX-A: "] {
            let dripped = move || drip(address, begin.as_bytes());
            let (said, took) = tokio::task::spawn_blocking(dripped).await.unwrap();
            assert!(took >= header_time, "{begin}: {took:?}");
            assert!(!said.contains(" 200 "), "{begin}: {said}");
        }
        // Nor does it help to have been answered before.
        let first = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
        let dripped = move || drip(address, first.as_bytes());
        let (said, _) = tokio::task::spawn_blocking(dripped).await.unwrap();
        assert!(said.starts_with("HTTP/1.1 200 "), "{said}");
    }
}
