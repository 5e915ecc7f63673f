//! The accept loop: connections with limits, and a stop that lets those under way finish.

use std::sync::Arc;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

use crate::limits::{GRACE, HEADER_TIME, MAX_CONNECTIONS, MAX_HEADER_BYTES};
use crate::paced::Paced;

/// How long nothing is accepted after the system has refused to: it has no descriptors left, and asking again
/// at once would only take its time.
const BREATH: std::time::Duration = std::time::Duration::from_millis(100);

/// Serves until `stop` says so; then no connection is accepted, and those under way have [`GRACE`] to finish.
pub(crate) async fn serve(listener: TcpListener, router: Router, mut stop: watch::Receiver<bool>) {
    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &room) => accepted,
            // An error is a daemon that was dropped: that is a stop too.
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let Some((stream, permit)) = accepted else {
            continue;
        };
        let mut builder = http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIME)
            .max_buf_size(MAX_HEADER_BYTES);
        let service = TowerToHyperService::new(router.clone());
        let stream = TokioIo::new(Paced::new(stream, stop.clone()));
        let connection = builder.serve_connection(stream, service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(code = "connection", error = %error, "a connection broke");
            }
            drop(permit);
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
) -> Option<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let permit = Arc::clone(room).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => {
            // Answers are small, and a caller waits for each.
            let _ = stream.set_nodelay(true);
            Some((stream, permit))
        }
        Err(error) => {
            tracing::warn!(code = "accept", error = %error, "a connection could not be accepted");
            tokio::time::sleep(BREATH).await;
            None
        }
    }
}
