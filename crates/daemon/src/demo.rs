//! The demo: a daemon on a folder of its own, with the shipped workflows, a clock that runs faster, mail that
//! goes no further than a page, and tickets that come by themselves.
//!
//! Everything in it is the real thing: the engine on disk, the HTTP API by which the tickets are opened, mail
//! by SMTP, links. Only the clock and the mail server are the demo's own.

mod client;
mod clock;
mod news;
mod office;
mod pages;
mod story;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use jiff::Timestamp;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::server::{Bounds, serve};
use crate::tell::hook::Shape;
use crate::tell::{Language, MailSettings, WebhookSettings};
use crate::tokens::{Tokens, hash, new_secret};
use crate::{Daemon, Start, StartError};
use client::Client;
use clock::FastClock;
use news::News;
use office::Office;
use pages::{DUTY_PHONE, TELEPHONE};
use story::Scene;

/// The slowest clock that a demo has.
pub const MIN_SPEED: f64 = 1.0;
/// The fastest: beyond it mail would take longer than people are given.
pub const MAX_SPEED: f64 = 600.0;

/// The files that are shipped.
const FILES: [(&str, &str); 5] = [
    (
        "directory.yaml",
        include_str!("../../../workflows/directory.yaml"),
    ),
    (
        "complaint.yaml",
        include_str!("../../../workflows/complaint.yaml"),
    ),
    (
        "field-service.yaml",
        include_str!("../../../workflows/field-service.yaml"),
    ),
    (
        "it-incident.yaml",
        include_str!("../../../workflows/it-incident.yaml"),
    ),
    (
        "trouble-ticket.yaml",
        include_str!("../../../workflows/trouble-ticket.yaml"),
    ),
];
/// A Tuesday, ten past nine in Shanghai: the office has just opened, and everybody is there.
const BEGIN: &str = "2026-03-03T09:10:00+08:00";
/// Where that office is.
const ZONE: &str = "Asia/Shanghai";
/// How often the daemon may not be able to take a ticket, before the demo ends.
const MAX_FAILED: u32 = 20;
/// How often it is looked whether something has happened.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Longest that a demo runs that has no limit.
const A_YEAR: Duration = Duration::from_secs(366 * 24 * 3600);

/// What a demo is started with.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many times faster time runs: [`MIN_SPEED`] to [`MAX_SPEED`].
    pub speed: f64,
    /// The language of what is told about it.
    pub language: Language,
    /// Where the daemon listens; 0 is any port that is free.
    pub port: u16,
    /// Where the page with the mail is; 0 is any port that is free.
    pub mail_port: u16,
}

/// Why there is no demo.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DemoError {
    /// The daemon.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The daemon, when it was to stop.
    #[error(transparent)]
    Engine(#[from] upline::Error),
    /// The machine.
    #[error("{what}: {error}")]
    Io {
        /// What was to be done.
        what: &'static str,
        /// Why not.
        error: std::io::Error,
    },
    /// The daemon answers in a way that it never should.
    #[error("the daemon answers {0}")]
    Answer(String),
}

impl DemoError {
    fn io(what: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |error| Self::Io { what, error }
    }
}

/// A demo that runs. Dropped, it leaves nothing behind.
pub struct Demo {
    daemon: Daemon,
    clock: FastClock,
    office: Office,
    pages: SocketAddr,
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
    client: Client,
    language: Language,
    scenes: std::vec::IntoIter<Scene>,
    next_scene: Option<Scene>,
    /// How often a ticket could not be opened.
    failed: u32,
    news: News,
    /// Removed with the demo: after the daemon, which is dropped before it.
    _folder: TempDir,
}

impl std::fmt::Debug for Demo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Demo")
            .field("pages", &self.pages)
            .finish_non_exhaustive()
    }
}

impl Demo {
    /// Starts it: the first tickets come with the first [`Demo::step`].
    ///
    /// # Errors
    /// [`DemoError`].
    pub async fn start(options: &Options) -> Result<Self, DemoError> {
        let folder = tempfile::Builder::new().prefix("upline-demo-").tempdir();
        let folder = folder.map_err(DemoError::io("no folder for the demo"))?;
        let workflows = folder.path().join("workflows");
        let written = std::fs::create_dir(&workflows).and_then(|()| {
            FILES
                .iter()
                .try_for_each(|(name, text)| std::fs::write(workflows.join(name), text))
        });
        written.map_err(DemoError::io("the demo's files can't be written"))?;
        let begin: Timestamp = BEGIN.parse().unwrap_or_default();
        let clock = FastClock::new(begin, options.speed);
        let office = Office::open(clock.clone()).await;
        let office = office.map_err(DemoError::io("no mail server for the demo"))?;
        let (tokens, client) = callers()?;
        let listen = free(options.port)
            .await
            .map_err(DemoError::io("no port for the demo"))?;
        let listener = TcpListener::bind(("127.0.0.1", options.mail_port)).await;
        let listener = listener.map_err(DemoError::io("no port for the page with the mail"))?;
        let pages = listener.local_addr().map_err(DemoError::io("no port"))?;
        let public = format!("http://{listen}/").parse().unwrap_or_default();
        let mail = mail(office.address());
        let start = Start::new(folder.path().join("data"), workflows, listen)
            .tokens(tokens)
            .clock(clock.clone())
            .mail(mail)
            .webhooks(telephone(pages))
            .links(public, Default::default(), Language::En);
        let daemon = Daemon::start(start).await?;
        let (stop, stopped) = watch::channel(false);
        let router = pages::router(office.clone(), options.language);
        let mut scenes = story::scenes().into_iter();
        Ok(Self {
            client: client.at(daemon.address()),
            next_scene: scenes.next(),
            scenes,
            failed: 0,
            news: News::new(daemon.handle(), clock.clone(), options.language),
            daemon,
            clock,
            office,
            pages,
            stop,
            server: tokio::spawn(serve(listener, router, Bounds::new(false), stopped)),
            language: options.language,
            _folder: folder,
        })
    }

    /// The page with the mail.
    #[must_use]
    pub fn mail_page(&self) -> String {
        format!("http://{}/dev/mail", self.pages)
    }

    /// What to say first.
    #[must_use]
    pub fn introduction(&self) -> String {
        let (mail, api) = (
            self.mail_page(),
            format!("http://{}/v1/tickets", self.client.address()),
        );
        let (version, speed, secret) = (
            env!("CARGO_PKG_VERSION"),
            self.clock.speed(),
            &self.client.admin,
        );
        match self.language {
            Language::En => format!(
                "Upline {version}, a demo: the daemon with the shipped workflows, on a folder that goes with \
                 it.\nTime runs {speed} times faster; there it is a Tuesday in March, ten past nine in \
                 Shanghai.\n\n\
                 \x20 open {mail}   every mail that is sent: act by its links\n\
                 \x20 API  {api}   curl -H 'Authorization: Bearer {secret}' {api}\n\n\
                 Ctrl-C ends it and leaves nothing behind.\n"
            ),
            Language::Zh => format!(
                "Upline {version} 演示：带有随附流程的服务，使用随演示一起删除的目录。\n\
                 时间加快 {speed} 倍；那里是三月的一个星期二，上海时间九点十分。\n\n\
                 \x20 打开 {mail}   发出的每封邮件：用其中的链接处理\n\
                 \x20 API  {api}   curl -H 'Authorization: Bearer {secret}' {api}\n\n\
                 按 Ctrl-C 结束，不留下任何东西。\n"
            ),
        }
    }

    /// Opens the tickets whose time has come, and tells what has happened since it was asked last.
    ///
    /// # Errors
    /// [`DemoError`].
    pub async fn step(&mut self) -> Result<Vec<String>, DemoError> {
        let since = self.clock.passed();
        while let Some(scene) = self.next_scene.take_if(|scene| scene.after <= since) {
            match self.client.play(&scene).await {
                Ok(id) => {
                    self.news.follow(id);
                    self.next_scene = self.scenes.next();
                }
                // Not now: the same again with the next step, under the same key.
                Err(_) if self.failed < MAX_FAILED => {
                    self.failed += 1;
                    self.next_scene = Some(scene);
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        let mut lines = Vec::new();
        self.news.tickets(&mut lines).await?;
        let page = self.mail_page();
        self.news.mail(&self.office.mails(), &page, &mut lines);
        Ok(lines)
    }

    /// Goes on until the process is told to end, or for so long, and tells line by line what happens.
    ///
    /// # Errors
    /// [`DemoError`]; also then it leaves nothing behind.
    pub async fn run(
        mut self,
        limit: Option<Duration>,
        mut tell: impl FnMut(&str) -> io::Result<()>,
    ) -> Result<(), DemoError> {
        let told = self.tell_all(limit, &mut tell).await;
        let stopped = self.stop().await;
        told.and(stopped)
    }

    async fn tell_all(
        &mut self,
        limit: Option<Duration>,
        tell: &mut impl FnMut(&str) -> io::Result<()>,
    ) -> Result<(), DemoError> {
        let listen = |kind| signal(kind).map_err(DemoError::io("no signals"));
        let mut interrupt = listen(SignalKind::interrupt())?;
        let mut terminate = listen(SignalKind::terminate())?;
        let end = Instant::now() + limit.unwrap_or(A_YEAR);
        tell(&self.introduction()).map_err(DemoError::io("nobody reads this"))?;
        loop {
            for line in self.step().await? {
                tell(&line).map_err(DemoError::io("nobody reads this"))?;
            }
            tokio::select! {
                _ = interrupt.recv() => return Ok(()),
                _ = terminate.recv() => return Ok(()),
                () = tokio::time::sleep_until(end) => return Ok(()),
                () = tokio::time::sleep(LOOK_EVERY) => (),
            }
        }
    }

    /// Ends it.
    ///
    /// # Errors
    /// [`DemoError`], if something of it had failed before.
    pub async fn stop(self) -> Result<(), DemoError> {
        let _ = self.stop.send(true);
        let stopped = self.daemon.stop().await;
        let _ = self.server.await;
        self.office.close();
        Ok(stopped?)
    }
}

/// A port that is free: the one that is wished for, else any.
async fn free(port: u16) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    listener.local_addr()
}

/// The settings of mail, as they would stand in a file.
fn mail(office: SocketAddr) -> Option<MailSettings> {
    let text = format!(
        "server = \"{}\"\nport = {}\nsecurity = \"none\"\nfrom = \"Service Desk <desk@example.com>\"\n",
        office.ip(),
        office.port()
    );
    toml::from_str(&text).ok()
}

/// Whoever is called by telephone is called on the demo's page.
fn telephone(pages: SocketAddr) -> BTreeMap<String, WebhookSettings> {
    let mut telephone = WebhookSettings::new(format!("http://{pages}{TELEPHONE}"));
    telephone.shape = Shape::Slack;
    telephone.allow_private = true;
    BTreeMap::from([(DUTY_PHONE.to_owned(), telephone)])
}

/// Who calls: somebody who answers the telephone, and an admin.
fn callers() -> Result<(Tokens, Client), DemoError> {
    let secret = || new_secret().map_err(DemoError::io("no random bytes"));
    let (caller, admin) = (secret()?, secret()?);
    let file = format!(
        "[[token]]\nname = \"demo-desk\"\nhash = \"{}\"\nrole = \"agent\"\nperson = \"tom\"\n\
         [[token]]\nname = \"demo-admin\"\nhash = \"{}\"\nrole = \"admin\"\n",
        hash(&caller),
        hash(&admin)
    );
    let tokens = Tokens::read(&file).map_err(|error| DemoError::Answer(error.to_string()))?;
    Ok((tokens, Client::new(caller, admin)))
}
