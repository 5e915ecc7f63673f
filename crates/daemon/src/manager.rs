//! What a service manager such as systemd is told: that the daemon is ready, that it reads its files again,
//! that it stops, and, as long as the engine answers, that it is alive.
//!
//! Where no service manager asks for it (`NOTIFY_SOCKET`, `WATCHDOG_USEC`), nothing is said.

use std::time::Duration;

use sd_notify::NotifyState;
use tokio::sync::watch;
use tokio::time::timeout;
use upline::Handle;

/// It is ready, and this is what it does.
pub(crate) fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// It reads its files again; [`ready`] follows.
pub(crate) fn reloading() {
    // A manager that waits for the end of it must know from when it began.
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(_) => tell(&[NotifyState::Status("reading the files again")]),
    }
}

/// It stops.
pub(crate) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

fn tell(what: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(what) {
        tracing::warn!(
            code = "service-manager",
            error = %error,
            "the service manager could not be told how it is"
        );
    }
}

/// Says that it is alive, twice as often as it must, as long as the engine answers questions. One whose
/// writer hangs is then started anew by the manager, and goes on from its disk.
pub(crate) async fn watchdog(handle: Handle, mut stop: watch::Receiver<bool>) {
    let Some(time) = sd_notify::watchdog_enabled() else {
        return;
    };
    let half = (time / 2).max(Duration::from_millis(1));
    loop {
        match timeout(half, handle.status()).await {
            Ok(Ok(_)) => tell(&[NotifyState::Watchdog]),
            Ok(Err(error)) => silent(&error.to_string()),
            Err(_) => silent("it does not answer"),
        }
        tokio::select! {
            // An error is a daemon that was dropped: that is a stop too.
            _ = stop.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(half) => (),
        }
    }
}

fn silent(why: &str) {
    tracing::error!(
        code = "watchdog",
        why,
        "the engine does not answer; if it stays so, the service manager starts it anew"
    );
}
