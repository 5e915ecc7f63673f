//! The heartbeat: a monitor elsewhere is told again and again that all is well, and raises the alarm when it
//! hears nothing. Whoever watches from inside can't tell that the machine is gone.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use serde::Deserialize;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::alarms::Alarms;
use crate::settings::{Secret, Section};
use crate::tell::hook::{Address, System, Target, chain};

/// How often it beats, unless a setting says otherwise.
pub const DEFAULT_EVERY: Duration = Duration::from_secs(60);

/// How often it may beat: not so often that it is a load, and not so seldom that the alarm comes too late.
pub const EVERY: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(10)..=Duration::from_secs(3600);

/// How long the monitor may take to answer.
pub const BEAT_TIME: Duration = Duration::from_secs(10);

/// The code of the alarm while the monitor can't be reached.
pub(crate) const ALARM: &str = "heartbeat";

/// The section `[heartbeat]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct HeartbeatSettings {
    /// What is asked with GET, such as `https://hc-ping.com/…`; there is mostly a secret in it.
    pub url: Address,
    /// Whether the monitor may be in the own network.
    #[serde(default)]
    pub allow_private: bool,
    /// How often: `1 min`.
    every: Option<SignedDuration>,
}

impl HeartbeatSettings {
    /// With an address, and everything else as if nothing was said.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: Address::Text(url.into()),
            allow_private: false,
            every: None,
        }
    }

    /// How often it beats.
    #[must_use]
    pub fn every(&self) -> Duration {
        let given = self.every.and_then(|given| given.try_into().ok());
        given.unwrap_or(DEFAULT_EVERY)
    }

    /// As often as a test needs.
    #[cfg(test)]
    pub(crate) fn beating(mut self, every: Duration) -> Self {
        self.every = every.try_into().ok();
        self
    }
}

impl Section for HeartbeatSettings {
    const NAME: &'static str = "heartbeat";

    fn settle(&mut self, folder: &Path) -> Result<(), Vec<String>> {
        self.url.settle(folder);
        let is_negative = self.every.is_some_and(|every| every.is_negative());
        let mut faults: Vec<String> = self.url.fault(self.allow_private).into_iter().collect();
        if is_negative || !EVERY.contains(&self.every()) {
            faults.push("`every` must be 10 s to 1 h".to_owned());
        }
        match faults.is_empty() {
            true => Ok(()),
            false => Err(faults),
        }
    }

    fn secrets(&self) -> Vec<&Secret> {
        self.url.secret().into_iter().collect()
    }

    fn rows(&self) -> Vec<(&'static str, String)> {
        vec![
            ("url", self.url.shown()),
            ("allow-private", self.allow_private.to_string()),
            ("every", format!("{} s", self.every().as_secs())),
        ]
    }
}

/// Tells the monitor.
pub(crate) struct Heartbeat {
    target: Target,
    client: reqwest::Client,
    every: Duration,
    alarms: Alarms,
}

impl Heartbeat {
    /// # Errors
    /// What is wrong with the settings, a line for the operator.
    pub(crate) fn new(
        settings: &HeartbeatSettings,
        own: SocketAddr,
        alarms: Alarms,
    ) -> Result<Self, String> {
        let url = settings.url.read().map_err(|why| format!("`url`: {why}"))?;
        let target = Target::new(url.reveal(), settings.allow_private, Some(own))?;
        let client = target.client(Arc::new(System), BEAT_TIME)?;
        Ok(Self {
            target,
            client,
            every: settings.every(),
            alarms,
        })
    }

    /// Beats at once and then again and again while `is_well` says so, until it is stopped. What was missed
    /// while the machine slept is not made up for.
    pub(crate) async fn run<F>(self, is_well: impl Fn() -> F, mut stopped: watch::Receiver<bool>)
    where
        F: Future<Output = bool>,
    {
        let mut beats = interval_at(Instant::now(), self.every);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let beating = async {
            loop {
                beats.tick().await;
                match is_well().await {
                    true => self.beat().await,
                    false => tracing::warn!(
                        code = "no-heartbeat",
                        "the heartbeat is left out: `/readyz` says why"
                    ),
                }
            }
        };
        tokio::select! {
            _ = stopped.changed() => (),
            () = beating => (),
        }
    }

    async fn beat(&self) {
        let told = match self.client.get(self.target.url().clone()).send().await {
            Ok(answer) if answer.status().is_success() => {
                self.alarms.clear(ALARM);
                return;
            }
            Ok(answer) => format!("it answers {}", answer.status().as_u16()),
            Err(error) => chain(&error.without_url()),
        };
        let host = self.target.host();
        let why = format!("the monitor `{host}` is not told that all is well: {told}");
        self.alarms.raise(ALARM, &why);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::tests::peer::{Peer, Reaction};

    fn to(peer: &Peer, alarms: &Alarms) -> Heartbeat {
        let mut settings = HeartbeatSettings::new(peer.url()).beating(Duration::from_millis(20));
        settings.allow_private = true;
        let own = "127.0.0.1:1".parse().unwrap();
        Heartbeat::new(&settings, own, alarms.clone()).unwrap()
    }

    #[tokio::test]
    async fn while_the_monitor_does_not_hear_it_there_is_an_alarm() {
        let elsewhere = "Location: /elsewhere\r\n";
        let peer = Peer::start([
            Reaction::status(500),
            Reaction::Drop,
            Reaction::Answer(302, elsewhere, String::new()),
            Reaction::ok(),
        ]);
        let alarms = Alarms::default();
        let heartbeat = to(&peer, &alarms);
        for told in ["it answers 500", "connection", "it answers 302", ""] {
            heartbeat.beat().await;
            let now = alarms.current();
            let now = now.first().map(|(code, why)| (*code, why.as_str()));
            match (told, now) {
                ("", None) => (),
                (told, Some((ALARM, why))) => {
                    assert!(why.contains("`127.0.0.1`") && why.contains(told), "{why}");
                    assert!(!why.contains("hook"), "{why}");
                }
                other => panic!("{other:?}"),
            }
        }
        assert!(peer.seen().iter().all(|seen| seen.path == "/hook"));
    }

    #[tokio::test]
    async fn it_is_left_out_while_all_is_not_well_and_ends_when_it_is_stopped() {
        let peer = Peer::start([Reaction::ok(), Reaction::Hang]);
        let (stop, stopped) = watch::channel(false);
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let is_well = move || {
            let ill = count.fetch_add(1, Ordering::SeqCst) < 3;
            async move { !ill }
        };
        let beating = tokio::spawn(to(&peer, &Alarms::default()).run(is_well, stopped));
        let heard = tokio::task::spawn_blocking(move || (peer.wait_for(2), peer)).await;
        assert!(heard.is_ok() && asked.load(Ordering::SeqCst) >= 5);
        // The monitor still says nothing to the second one.
        stop.send(true).unwrap();
        beating.await.unwrap();
    }

    fn read(text: &str) -> Result<HeartbeatSettings, String> {
        let mut read: HeartbeatSettings =
            toml::from_str(text).map_err(|error| error.to_string())?;
        read.settle(Path::new("etc"))
            .map_err(|faults| faults.join("; "))?;
        Ok(read)
    }

    #[test]
    fn it_is_read_and_its_address_is_not_shown() {
        let settings = read("url = \"https://hc.example/s3cret\"\nevery = \"30 s\"").unwrap();
        assert_eq!(settings.every(), Duration::from_secs(30));
        let shown = format!("{settings:?} {:?}", settings.rows());
        assert!(
            shown.contains("hc.example") && !shown.contains("s3cret"),
            "{shown}"
        );
        let settings = read("url = { file = \"monitor.url\" }").unwrap();
        assert_eq!(settings.every(), DEFAULT_EVERY);
        assert!(settings.rows()[0].1.contains("etc/monitor.url"));
        for every in ["9 s", "61 min", "-1 min", "soon"] {
            let wrong = read(&format!(
                "url = \"https://hc.example\"\nevery = \"{every}\""
            ));
            let wrong = wrong.unwrap_err();
            assert!(wrong.contains("every") || wrong.contains("soon"), "{wrong}");
        }
    }

    #[test]
    fn it_goes_to_public_addresses_by_https_unless_it_may_stay_at_home() {
        let own = "127.0.0.1:8080".parse().unwrap();
        let made = |settings: &HeartbeatSettings| {
            Heartbeat::new(settings, own, Alarms::default()).map(|_| ())
        };
        let mut home = HeartbeatSettings::new("http://127.0.0.1:9/x");
        assert!(made(&home).unwrap_err().contains("allow-private"));
        home.allow_private = true;
        assert_eq!(made(&home), Ok(()));
        home.url = Address::Text("http://127.0.0.1:8080/v1".into());
        assert!(made(&home).unwrap_err().contains("Upline itself"));
        let plain = HeartbeatSettings::new("http://hc.example/x");
        assert!(made(&plain).unwrap_err().contains("https://"));
        assert_eq!(
            made(&HeartbeatSettings::new("https://hc.example/x")),
            Ok(())
        );
    }
}
