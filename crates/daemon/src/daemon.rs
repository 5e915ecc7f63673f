//! The daemon: an engine, its folder of workflows, and a server before them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use upline::clock::{Clock, SystemClock};
use upline::{Engine, Error, Handle};

use crate::api::{self, Pace, State, Ways};
use crate::folder::Folder;
use crate::given::{Shared, Voice};
use crate::heartbeat::{Heartbeat, HeartbeatSettings};
use crate::inbound::{SourceSettings, Sources};
use crate::limits::GRACE;
use crate::links::{Links, LinksSettings};
use crate::mailbox::{self, MailboxSettings, Mailboxes};
use crate::manager;
use crate::overrides::Overrides;
use crate::passwords::Logins;
use crate::rates::Rates;
use crate::reload::{Files, watch_files};
use crate::server::{Bounds, serve};
use crate::settings::{PublicUrl, Section as _};
use crate::signals::{Signals, Told};
use crate::start_error::StartError;
use crate::tell::{
    Back, Hooks, Language, Linker, MailSettings, Teller, Trials, WebhookSettings, means,
    tell_operator, threads,
};
use crate::tokens::Tokens;
use crate::watch::Watch;

/// What a daemon is started with.
///
/// ```no_run
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use upline_daemon::{Daemon, Start};
/// let start = Start::new("tickets", "workflows", "127.0.0.1:8080".parse()?);
/// let daemon = Daemon::start(start).await?;
/// println!("listening on {}", daemon.address());
/// daemon.stop().await?;
/// # Ok(())
/// # }
/// ```
pub struct Start {
    data: PathBuf,
    folder: Folder,
    listen: SocketAddr,
    tokens: Tokens,
    behind_proxy: bool,
    sources: BTreeMap<String, SourceSettings>,
    webhooks: BTreeMap<String, WebhookSettings>,
    clock: Arc<dyn Clock>,
    mail: Option<MailSettings>,
    teller: Option<Teller>,
    links: LinksSettings,
    public: PublicUrl,
    language: Language,
    pace: Pace,
    mailboxes: BTreeMap<String, MailboxSettings>,
    token_file: Option<PathBuf>,
    watch_files: bool,
    keep_history: Option<Duration>,
    requests_per_second: Option<NonZeroU32>,
    heartbeat: Option<HeartbeatSettings>,
    #[cfg(test)]
    disk: Option<upline::disk::sim::SimDisk>,
}

impl Start {
    /// The folder of tickets, the folder of workflows, and the address to listen on (port 0: any that is
    /// free). Without tokens nobody gets in.
    #[must_use]
    pub fn new(
        data: impl Into<PathBuf>,
        workflows: impl Into<PathBuf>,
        listen: SocketAddr,
    ) -> Self {
        Self {
            data: data.into(),
            folder: Folder::new(workflows),
            listen,
            tokens: Tokens::default(),
            behind_proxy: false,
            sources: BTreeMap::new(),
            webhooks: BTreeMap::new(),
            clock: Arc::new(SystemClock::new()),
            mail: None,
            teller: None,
            links: LinksSettings::default(),
            public: PublicUrl::default(),
            language: Language::default(),
            pace: Pace::default(),
            mailboxes: BTreeMap::new(),
            token_file: None,
            watch_files: false,
            keep_history: None,
            requests_per_second: None,
            heartbeat: None,
            #[cfg(test)]
            disk: None,
        }
    }

    /// Who gets in.
    #[must_use]
    pub fn tokens(mut self, tokens: Tokens) -> Self {
        self.tokens = tokens;
        self
    }

    /// The file that they came from: a reload reads it again.
    #[must_use]
    pub fn token_file(mut self, path: Option<PathBuf>) -> Self {
        self.token_file = path;
        self
    }

    /// Reload by itself when workflows, the directory, tokens or templates change.
    #[must_use]
    pub fn watch_files(mut self, watch: bool) -> Self {
        self.watch_files = watch;
        self
    }

    /// For how long history is kept; `None`: for ever. See
    /// [`Builder::keep_history`](upline::Builder::keep_history).
    #[must_use]
    pub fn keep_history(mut self, keep: Option<Duration>) -> Self {
        self.keep_history = keep;
        self
    }

    /// Most requests of one token in a second; else
    /// [`MAX_REQUESTS_PER_SECOND`](crate::limits::MAX_REQUESTS_PER_SECOND).
    #[must_use]
    pub fn requests_per_second(mut self, most: NonZeroU32) -> Self {
        self.requests_per_second = Some(most);
        self
    }

    /// Tickets are on this disk, without an index.
    #[cfg(test)]
    pub(crate) fn disk(mut self, disk: upline::disk::sim::SimDisk) -> Self {
        self.disk = Some(disk);
        self
    }

    /// An engine with its folder.
    fn builder(&self) -> Result<upline::Builder, StartError> {
        #[cfg(test)]
        if let Some(disk) = &self.disk {
            let entropy = upline::vault::system_entropy();
            let options = upline::store::LogOptions::default();
            let store = upline::store::LogStore::open(Arc::new(disk.clone()), options, entropy)?;
            return Ok(Engine::builder().store(store));
        }
        let builder = Engine::builder().folder(&self.data)?;
        Ok(match self.keep_history {
            Some(keep) => builder.keep_history(keep),
            None => builder,
        })
    }

    /// Who is told again and again that all is well.
    #[must_use]
    pub fn heartbeat(mut self, heartbeat: Option<HeartbeatSettings>) -> Self {
        self.heartbeat = heartbeat;
        self
    }

    /// The heartbeat, made ready.
    fn make_heartbeat(
        &self,
        own: SocketAddr,
        seen: &Watch,
    ) -> Result<Option<Heartbeat>, StartError> {
        let made = self.heartbeat.as_ref();
        let made = made.map(|settings| Heartbeat::new(settings, own, seen.alarms().clone()));
        let section = HeartbeatSettings::NAME;
        made.transpose()
            .map_err(|why| StartError::Section { section, why })
    }

    /// A proxy with TLS is in front of it.
    #[must_use]
    pub fn behind_proxy(mut self, behind: bool) -> Self {
        self.behind_proxy = behind;
        self
    }

    /// Where mail comes from, by name.
    #[must_use]
    pub fn mailboxes(mut self, mailboxes: BTreeMap<String, MailboxSettings>) -> Self {
        self.mailboxes = mailboxes;
        self
    }

    /// Other systems that open tickets, by name.
    #[must_use]
    pub fn sources(mut self, sources: BTreeMap<String, SourceSettings>) -> Self {
        self.sources = sources;
        self
    }

    /// Where messages for `webhook: NAME` go, by that name.
    #[must_use]
    pub fn webhooks(mut self, webhooks: BTreeMap<String, WebhookSettings>) -> Self {
        self.webhooks = webhooks;
        self
    }

    /// The webhooks, made ready. Messages say by the public address which installation they come from.
    fn make_hooks(&self, own: SocketAddr) -> Result<Hooks, StartError> {
        let source = self.public.url().map_or("urn:upline", |url| url.as_str());
        Hooks::new(&self.webhooks, Some(own), source).map_err(StartError::Sections)
    }

    /// Where time comes from, for tests that move it.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// How mail is sent. Without it, and without another way, messages are only written into the log.
    #[must_use]
    pub fn mail(mut self, mail: Option<MailSettings>) -> Self {
        self.mail = mail;
        self
    }

    /// Who tells people, in the place of what the settings say.
    #[must_use]
    pub fn teller(mut self, teller: Teller) -> Self {
        self.teller = Some(teller);
        self
    }

    /// Where people reach it: messages to them have links then, as `links` says. `language` is for people who
    /// speak none that pages are written in.
    #[must_use]
    pub fn links(mut self, public: PublicUrl, links: LinksSettings, language: Language) -> Self {
        (self.public, self.links, self.language) = (public, links, language);
        self
    }

    /// The links of messages, if there are any.
    fn make_links(&self) -> Result<Option<Arc<Links>>, StartError> {
        if !self.links.enabled || self.public.url().is_none() {
            return Ok(None);
        }
        let (links, public) = (self.links.clone(), self.public.clone());
        let clock = Arc::clone(&self.clock);
        let links = Links::open(&self.data, links, public, self.language, clock)?;
        Ok(Some(Arc::new(links)))
    }

    /// How patient streams of events are.
    #[cfg(test)]
    pub(crate) fn pace(mut self, pace: Pace) -> Self {
        self.pace = pace;
        self
    }

    /// What would be unsafe by default does not start.
    fn is_safe(&self) -> Result<(), StartError> {
        if self.listen.ip().is_loopback() {
            return Ok(());
        }
        let listen = self.listen;
        if self.tokens.is_empty() {
            return Err(StartError::NoTokens { listen });
        }
        match self.behind_proxy {
            true => Ok(()),
            false => Err(StartError::NoTls { listen }),
        }
    }
}

/// A running daemon. Dropped, it stops without waiting.
#[derive(Debug)]
pub struct Daemon {
    address: SocketAddr,
    engine: Engine,
    files: Files,
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
    mailboxes: Mailboxes,
}

impl Daemon {
    /// Starts it. When this returns, requests are answered.
    ///
    /// Files with mistakes stop a daemon that has no tickets from before. One that has goes on with the files
    /// that it knows, and says so in `/readyz`, in `/metrics` and in the log.
    ///
    /// # Errors
    /// [`StartError`]; nothing runs then.
    pub async fn start(mut start: Start) -> Result<Self, StartError> {
        start.is_safe()?;
        if start.tokens.is_empty() {
            tracing::warn!(code = "no-tokens", "there are no tokens: nobody gets in");
        }
        let sources = Sources::new(&start.sources).map_err(StartError::Sections)?;
        let listen = start.listen;
        let failed = |error| StartError::Listen { listen, error };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let seen = Arc::new(Watch::default());
        let builder = start.builder()?;
        let links = start.make_links()?;
        let hooks = start.make_hooks(address)?;
        let heartbeat = start.make_heartbeat(address, &seen)?;
        let overrides = Overrides::open(&start.data, seen.alarms().clone())?;
        let (letters, teller) = means(&start.data, start.mail.as_ref(), &hooks, seen.alarms())?;
        let teller = start.teller.take().or(teller);
        let teller = teller.map(|teller| equipped(teller, &seen, links.as_ref()));
        let language = start.mail.as_ref().map(|mail| mail.language);
        let back = Arc::new(Back::new(language.unwrap_or_default()));
        let voice = Voice {
            teller,
            back: Arc::clone(&back),
        };
        let engine = builder
            .clock(Shared(Arc::clone(&start.clock)))
            .notifier(voice)
            .on_incident(seen.listener())
            .start()
            .await?;
        back.set(engine.handle());
        let (stop, stopped) = watch::channel(false);
        let watched = Arc::clone(&seen);
        let state = State::new(
            engine.handle(),
            start.folder,
            start.tokens,
            Ways {
                links,
                sources,
                hooks,
                letters: Arc::clone(&letters),
                trials: Trials::new(start.mail.clone()),
                overrides,
                rates: Rates::new(start.requests_per_second, start.behind_proxy),
                logins: Logins::new(Arc::clone(&start.clock)),
            },
            seen,
            stopped.clone(),
            start.pace,
        );
        let templates = start.mail.as_ref().and_then(|mail| mail.templates.clone());
        let files = Files::new(state.clone(), letters, start.token_file, templates);
        if let Err(error) = usable(files.load().await, &engine.handle()).await {
            let _ = engine.stop().await;
            return Err(error);
        }
        if let Some(mail) = &start.mail {
            let place = start.public.url().map(ToString::to_string);
            let place = place.unwrap_or_else(|| address.to_string());
            tell_operator(mail, place, watched, stop.subscribe());
        }
        let threads = threads(&start.data)?;
        let mailboxes = mailbox::start(mailbox::Given {
            mailboxes: start.mailboxes,
            data: start.data,
            handle: engine.handle(),
            threads,
            clock: start.clock,
            figures: state.watch().mailboxes().clone(),
            mail: start.mail,
        });
        let (routes, bounds) = (api::router(state.clone()), Bounds::new(start.behind_proxy));
        let server = tokio::spawn(serve(listener, routes, bounds, stopped));
        beat(heartbeat, state.clone(), stop.subscribe());
        if start.watch_files {
            tokio::spawn(watch_files(files.clone(), stop.subscribe()));
        }
        tracing::info!(code = "started", address = %address, "listening");
        Ok(Self {
            address,
            engine,
            files,
            stop,
            server,
            mailboxes,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The engine's handle.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.engine.handle()
    }

    /// Reads the folder of workflows again, the file of tokens, and the folder of templates. With a mistake
    /// in the first two, what held before holds on; in the place of a broken template the shipped one is
    /// used.
    ///
    /// # Errors
    /// [`StartError`] says what is wrong; it is in `/readyz` too until a later reload finds it right.
    pub async fn reload(&self) -> Result<(), StartError> {
        self.files.reload().await
    }

    /// Looks at all mailboxes now, and answers when what was in them is taken.
    pub async fn take_mail(&self) {
        self.mailboxes.look().await;
    }

    /// Goes on until the process is told to end, by SIGTERM or SIGINT, and stops then. SIGHUP reads the
    /// folder of workflows again.
    ///
    /// # Errors
    /// As [`Daemon::stop`].
    pub async fn run(self, mut signals: Signals) -> Result<(), Error> {
        let status = format!("listening on {}", self.address);
        tokio::spawn(manager::watchdog(self.handle(), self.stop.subscribe()));
        manager::ready(&status);
        while signals.next().await == Told::Reload {
            manager::reloading();
            // What is wrong is in the log, and in `/readyz`.
            let _ = self.reload().await;
            manager::ready(&status);
        }
        tracing::info!(code = "stopping", "told to stop");
        manager::stopping();
        self.stop().await
    }

    /// Stops: no new connection is accepted; requests, mailboxes and messages that are under way are finished
    /// for at most [`GRACE`] together, then the engine is stopped. Clocks and tickets go on at the next
    /// start.
    ///
    /// # Errors
    /// [`Error::Stopped`] if the engine had stopped by itself before.
    pub async fn stop(self) -> Result<(), Error> {
        let end = Instant::now() + GRACE;
        // Nobody listens only if the server has ended by itself.
        let _ = self.stop.send(true);
        let (_, ()) = tokio::join!(self.server, self.mailboxes.stop());
        let rest = end.saturating_duration_since(Instant::now());
        let stopped = self.engine.stop_within(rest).await;
        tracing::info!(code = "stopped", "stopped");
        stopped
    }
}

/// Notes its tries where they are looked for, and has links, if there are any.
fn equipped(teller: Teller, seen: &Watch, links: Option<&Arc<Links>>) -> Teller {
    let teller = teller.tries(seen.tries().clone());
    match links {
        Some(links) => teller.linker(Arc::clone(links) as Arc<dyn Linker>),
        None => teller,
    }
}

/// Whether a daemon can serve with what was loaded. Without people it can't; what is wrong with their file is
/// what must be told then.
async fn usable(
    loaded: Result<Vec<String>, StartError>,
    handle: &Handle,
) -> Result<(), StartError> {
    let loaded = match loaded {
        Ok(strange) if !strange.is_empty() => return Err(StartError::Sections(strange)),
        loaded => loaded,
    };
    match handle.directory().await? {
        Some(_) => Ok(()),
        None => Err(loaded.err().unwrap_or(StartError::NoDirectory)),
    }
}

/// The monitor elsewhere is told from now on, if there is one.
fn beat(heartbeat: Option<Heartbeat>, state: State, stop: watch::Receiver<bool>) {
    if let Some(heartbeat) = heartbeat {
        let is_well = move || api::is_well(state.clone());
        tokio::spawn(heartbeat.run(is_well, stop));
    }
}
