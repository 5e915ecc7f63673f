//! Mail: settings, and the channel that sends letters by SMTP.

mod address;
mod compose;
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
use compose::Sender;
use smtp::{Smtp, Whose};

pub use smtp::MAX_CONNECTIONS;

/// How long one mail may take to be sent, unless the settings say otherwise: less than the engine waits for
/// an answer.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// Longest that the settings may let one mail take.
pub const MAX_TIMEOUT: Duration = Duration::from_secs(50);

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
    /// A folder of templates that take the place of those shipped.
    pub templates: Option<PathBuf>,
    /// How long one mail may take: `30 s`, at most [`MAX_TIMEOUT`].
    pub timeout: Option<String>,
    /// A file with the certificate of the authority that the mail server's is signed by, if the system does
    /// not know it; in PEM.
    pub ca: Option<PathBuf>,
}

fn yes() -> bool {
    true
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
        self.timeout_given().unwrap_or(DEFAULT_TIMEOUT)
    }

    fn timeout_given(&self) -> Option<Duration> {
        let given: SignedDuration = self.timeout.as_deref()?.parse().ok()?;
        Duration::try_from(given).ok()
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
        if self.timeout.is_some() {
            let fits = |timeout| (Duration::from_secs(1)..=MAX_TIMEOUT).contains(&timeout);
            if !self.timeout_given().is_some_and(fits) {
                let most = MAX_TIMEOUT.as_secs();
                faults.push(format!(
                    "`timeout` must be a time such as `30 s`, 1 to {most} s"
                ));
            }
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
            ("templates", path(&self.templates)),
            ("timeout", format!("{} s", self.timeout().as_secs())),
            ("ca", path(&self.ca)),
        ]
    }
}

/// Sends letters as mail.
pub struct Mail {
    sender: Sender,
    smtp: Smtp,
    threads: Threads,
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
            alarms,
        })
    }

    async fn deliver(&self, message: &Message, letter: &Letter) -> Result<(), SendError> {
        let ready = self.sender.mail(&self.threads, message, letter);
        let ready = ready.map_err(|why| refused(message, why))?;
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
