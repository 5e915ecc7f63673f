//! Mail: settings, and the channel that sends letters by SMTP.

mod address;
mod compose;
mod digest;
mod operator;
mod smtp;

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use lettre::transport::smtp::client::{Certificate, TlsParameters};
use serde::Deserialize;
use upline::core::Person;
use upline::notify::{Message, SendError, Sending};

use super::{Channel, Language, Letter, letters};
use crate::alarms::Alarms;
use crate::settings::{Secret, Section};
use crate::thread::Threads;
use compose::{Ready, Sender};
use digest::{Digests, Turn};
use smtp::{Failed, Smtp, Whose};

pub(crate) use digest::is_digest;
pub use digest::{DEFAULT_DIGEST_OVER, MAX_DIGEST_WAIT, MAX_IN_DIGEST};
pub(crate) use operator::tell_operator;
pub use operator::{MAX_OPERATOR_MAILS, MAX_OPERATORS, Operators};
pub use smtp::MAX_CONNECTIONS;

/// How long one mail may take to be sent, unless the settings say otherwise: less than the engine waits for
/// an answer.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// Longest that the settings may let one mail take: with [`MAX_DIGEST_WAIT`] before it, still less.
pub const MAX_TIMEOUT: Duration = Duration::from_secs(40);

/// The code of the alarm that mail can't be sent.
const ALARM: &str = "mail";

/// How the way to the mail server is kept from others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailSecurity {
    /// TLS from the first byte.
    #[default]
    Tls,
    /// TLS after `STARTTLS`; without it nothing is sent.
    StartTls,
    /// Not at all: a server on this machine only.
    None,
}

/// The section `[mail]`: how mail is sent.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct MailSettings {
    /// The mail server's name.
    pub server: String,
    /// Its port; else 465 with TLS, 587 with `starttls`, 25 without.
    pub port: Option<u16>,
    /// How the way to it is kept from others.
    #[serde(default)]
    pub security: MailSecurity,
    /// The user to log in as.
    pub user: Option<String>,
    /// His password.
    pub password: Option<Secret>,
    /// Who the mail is from: `Service Desk <desk@example.com>`.
    pub from: String,
    /// Where answers go, if not there.
    pub reply_to: Option<String>,
    /// Whether answers go to an address of their own, `desk+…@example.com`, which says what they answer. Off:
    /// for a server that has no such addresses; the thread says it then, if the answer keeps it.
    #[serde(default = "yes")]
    pub sub_addresses: bool,
    /// The language of people who speak none that mail is written in.
    #[serde(default)]
    pub language: Language,
    /// Who is written to when something is wrong around the daemon.
    #[serde(default)]
    pub operator: Operators,
    /// A folder of templates that take the place of those shipped.
    pub templates: Option<PathBuf>,
    /// How long one mail may take: `30 s`, at most [`MAX_TIMEOUT`].
    pub timeout: Option<String>,
    /// How many mails a minute one person gets at most, before the rest is gathered into one; else
    /// [`DEFAULT_DIGEST_OVER`].
    pub digest_over: Option<usize>,
    /// For how long messages are gathered then; at most, and else, [`MAX_DIGEST_WAIT`].
    pub digest_wait: Option<String>,
    /// A file with the certificate of the authority that the mail server's is signed by, if the system does
    /// not know it; in PEM.
    pub ca: Option<PathBuf>,
}

fn yes() -> bool {
    true
}

fn span(text: Option<&str>) -> Option<Duration> {
    let given: SignedDuration = text?.parse().ok()?;
    Duration::try_from(given).ok()
}

impl MailSettings {
    /// The port to connect to.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(match self.security {
            MailSecurity::Tls => 465,
            MailSecurity::StartTls => 587,
            MailSecurity::None => 25,
        })
    }

    /// How long one mail may take.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        span(self.timeout.as_deref()).unwrap_or(DEFAULT_TIMEOUT)
    }

    /// How many mails a minute one person gets at most, before the rest is gathered into one.
    #[must_use]
    pub fn digest_over(&self) -> usize {
        self.digest_over.unwrap_or(DEFAULT_DIGEST_OVER)
    }

    /// For how long messages are gathered then.
    #[must_use]
    pub fn digest_wait(&self) -> Duration {
        span(self.digest_wait.as_deref()).unwrap_or(MAX_DIGEST_WAIT)
    }

    fn tls(&self) -> Result<TlsParameters, String> {
        let mut builder = TlsParameters::builder(self.server.clone());
        if let Some(path) = &self.ca {
            let failed = |why: String| format!("`ca`: `{}`: {why}", path.display());
            let pem = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
            let certificate = Certificate::from_pem(&pem);
            let certificate = certificate.map_err(|error| failed(error.to_string()))?;
            builder = builder.add_root_certificate(certificate);
        }
        builder
            .build()
            .map_err(|error| format!("no TLS can be had: {error}"))
    }

    fn is_on_this_machine(&self) -> bool {
        let ip: Option<IpAddr> = self.server.parse().ok();
        self.server == "localhost" || ip.is_some_and(|ip| ip.is_loopback())
    }

    fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.user.is_some() != self.password.is_some() {
            faults.push("`user` and `password` must be given together".to_owned());
        }
        if self.security == MailSecurity::None && !self.is_on_this_machine() {
            faults.push(
                "`security`: without TLS mail is sent to a server on this machine only, such as `127.0.0.1`"
                    .to_owned(),
            );
        }
        if let Err(fault) = Sender::new(self) {
            faults.push(fault);
        }
        faults.extend(self.operator.faults());
        for (field, given, most) in [
            ("timeout", &self.timeout, MAX_TIMEOUT),
            ("digest-wait", &self.digest_wait, MAX_DIGEST_WAIT),
        ] {
            let fits = |span| (Duration::from_secs(1)..=most).contains(&span);
            if given.is_some() && !span(given.as_deref()).is_some_and(fits) {
                let most = most.as_secs();
                let told = format!("`{field}` must be a time such as `10 s`, 1 to {most} s");
                faults.push(told);
            }
        }
        if self.digest_over == Some(0) {
            faults.push("`digest-over` must be 1 or more".to_owned());
        }
        faults
    }
}

impl Section for MailSettings {
    const NAME: &'static str = "mail";

    fn settle(&mut self, folder: &Path) -> Result<(), Vec<String>> {
        if let Some(password) = &mut self.password {
            password.settle(folder);
        }
        for path in [&mut self.templates, &mut self.ca].into_iter().flatten() {
            *path = folder.join(&path);
        }
        let faults = self.faults();
        match faults.is_empty() {
            true => Ok(()),
            false => Err(faults),
        }
    }

    fn secrets(&self) -> Vec<&Secret> {
        self.password.iter().collect()
    }

    fn rows(&self) -> Vec<(&'static str, String)> {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let password = self.password.as_ref();
        let path = |path: &Option<PathBuf>| {
            let path = path.as_ref();
            path.map(|path| path.display().to_string())
                .unwrap_or_default()
        };
        vec![
            ("server", self.server.clone()),
            ("port", self.port().to_string()),
            ("security", format!("{:?}", self.security).to_lowercase()),
            ("user", text(&self.user)),
            (
                "password",
                password.map(Secret::to_string).unwrap_or_default(),
            ),
            ("from", self.from.clone()),
            ("reply-to", text(&self.reply_to)),
            ("sub-addresses", self.sub_addresses.to_string()),
            ("language", self.language.to_string()),
            ("operator", self.operator.to_string()),
            ("templates", path(&self.templates)),
            ("timeout", format!("{} s", self.timeout().as_secs())),
            ("digest-over", self.digest_over().to_string()),
            ("digest-wait", format!("{} s", self.digest_wait().as_secs())),
            ("ca", path(&self.ca)),
        ]
    }
}

/// Sends letters as mail.
pub struct Mail {
    sender: Sender,
    smtp: Smtp,
    threads: Threads,
    digests: Digests,
    alarms: Alarms,
}

impl Mail {
    /// # Errors
    /// What is wrong with the settings, a line for the operator: a password or a certificate that can't be
    /// read.
    pub fn new(settings: &MailSettings, threads: Threads, alarms: Alarms) -> Result<Self, String> {
        let sender = Sender::new(settings)?;
        Ok(Self {
            smtp: Smtp::new(settings, sender.from.email.domain())?,
            sender,
            threads,
            digests: Digests::new(settings.digest_over(), settings.digest_wait()),
            alarms,
        })
    }

    async fn deliver(&self, message: &Message, letter: &Letter) -> Result<(), SendError> {
        let ready = self.sender.mail(&self.threads, message, letter);
        let ready = ready.map_err(|why| refused(message, why))?;
        // A customer has one ticket at a time, and nothing to do with others.
        let Some(person) = &message.person else {
            return self.send_now(message, &ready).await;
        };
        match self.digests.turn(&person.id, letter) {
            Turn::Now => self.send_now(message, &ready).await,
            Turn::Joined(verdict) => verdict.await.unwrap_or_else(|_| Err(digest::left())),
            Turn::Full => Err(SendError::Temporary {
                reason: "more has come for this person than one mail holds".to_owned(),
                after: Some(MAX_DIGEST_WAIT),
            }),
            Turn::First(gathering) => {
                let items = gathering.gathered().await;
                if items.is_empty() {
                    return self.send_now(message, &ready).await;
                }
                let all = digest::letter(letter, &items);
                let key = digest::key(&message.key, items.len());
                let ready = self.sender.plain(person, &key, message.now, &all);
                let verdict = match ready {
                    Ok(ready) => self.send_now(message, &ready).await,
                    Err(why) => Err(refused(message, why)),
                };
                digest::settle(items, &verdict);
                verdict
            }
        }
    }

    async fn send_now(&self, message: &Message, ready: &Ready) -> Result<(), SendError> {
        let from = &self.sender.from.email;
        let Err(failed) = self.smtp.send(from, &ready.to, &ready.bytes).await else {
            self.alarms.clear(ALARM);
            return Ok(());
        };
        let (reason, after) = (failed.reason, None);
        Err(match failed.whose {
            Whose::Recipient => refused(message, reason),
            Whose::Passing => SendError::Temporary { reason, after },
            Whose::Operator => {
                self.alarms.raise(ALARM, &reason);
                SendError::Temporary { reason, after }
            }
        })
    }
}

/// A mail to a person that answers one of his, about a ticket.
pub(crate) struct Reply<'a> {
    /// The same for every try, and for no other mail: of lower-case letters and digits.
    pub(crate) key: &'a str,
    pub(crate) ticket: &'a str,
    pub(crate) person: &'a Person,
    pub(crate) written: Timestamp,
}

/// Sends replies, which no message of the engine asks for.
pub(crate) struct Replier {
    sender: Sender,
    smtp: Smtp,
    threads: Threads,
}

impl Replier {
    /// # Errors
    /// As [`Mail::new`].
    pub(crate) fn new(settings: &MailSettings, threads: Threads) -> Result<Self, String> {
        let sender = Sender::new(settings)?;
        Ok(Self {
            smtp: Smtp::new(settings, sender.from.email.domain())?,
            sender,
            threads,
        })
    }

    /// Sends one. When this says that it was sent, the server has it.
    pub(crate) async fn send(&self, reply: &Reply<'_>, letter: &Letter) -> Result<(), SendError> {
        let ready = self.sender.reply(&self.threads, reply, letter);
        let ready = ready.map_err(|reason| SendError::Permanent { reason })?;
        let from = &self.sender.from.email;
        let sent = self.smtp.send(from, &ready.to, &ready.bytes).await;
        sent.map_err(|Failed { whose, reason }| match whose {
            Whose::Recipient => SendError::Permanent { reason },
            Whose::Passing | Whose::Operator => SendError::Temporary {
                reason,
                after: None,
            },
        })
    }
}

/// Sends one mail to a person, to see whether the settings are right. The address that it went to.
///
/// # Errors
/// What the settings lack, or what the mail server said; a line for the operator.
pub async fn try_mail(
    settings: &MailSettings,
    person: &Person,
    language: Language,
    now: Timestamp,
) -> Result<String, String> {
    let sender = Sender::new(settings)?;
    let smtp = Smtp::new(settings, sender.from.email.domain())?;
    let key = format!("test-{}", now.as_millisecond());
    let ready = sender.plain(person, &key, now, &letters::trial(language, person))?;
    let sent = smtp.send(&sender.from.email, &ready.to, &ready.bytes).await;
    sent.map_err(|failed| failed.reason)?;
    Ok(ready.to.to_string())
}

/// It will never go; whom the core does not pass on to the next one is in the log at least.
fn refused(message: &Message, reason: String) -> SendError {
    tracing::warn!(
        code = "message-failed",
        key = %message.key,
        ticket = %message.ticket.id,
        to = %message.to.name(),
        via = %message.via,
        why = %reason,
        "somebody can't be told this way"
    );
    SendError::Permanent { reason }
}

impl Channel for Mail {
    fn send<'a>(&'a self, message: &'a Message, letter: &'a Letter) -> Sending<'a> {
        Box::pin(self.deliver(message, letter))
    }
}
