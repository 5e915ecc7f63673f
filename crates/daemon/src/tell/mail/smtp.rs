//! Sending over SMTP: connections that are kept for a while, and for each refusal the step at which it came.
//!
//! The steps matter. A server that does not let us in, or does not take our sender, is the operator's to
//! mend: the message waits. One that does not know the recipient has said so for good: the next channel is
//! tried.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use lettre::Address;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, AsyncTokioStream, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt, Rset};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_rustls::rustls::ClientConfig;

use super::{MailSecurity, MailSettings};
use crate::metered::{Allowance, Metered};
use crate::settings::Secret;
use crate::tell::letters::{clipped, one_line};
use crate::tls;

/// Most connections to the mail server at once; further mails wait for one.
pub const MAX_CONNECTIONS: usize = 4;

/// For how long a connection is kept that nothing is sent on.
const IDLE: Duration = Duration::from_secs(20);

/// Most bytes that are read of a server's answer to one command, certificates included: lettre takes answers
/// of 100,000 bytes, but reads a line to its end before it looks how long it is.
const MAX_ANSWER_BYTES: usize = 256 * 1024;

/// Most characters of a server's answer that are told.
const MAX_ANSWER: usize = 200;

/// Where in a conversation something went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Connect,
    Login,
    From,
    To,
    Content,
}

/// Whose matter a failure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// The recipient's: it will never go there.
    Recipient,
    /// The operator's: it goes when he has mended it.
    Operator,
    /// Nobody's: it may go another time.
    Passing,
}

/// Why a mail was not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failed {
    pub(super) whose: Whose,
    pub(super) reason: String,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl Failed {
    fn new(whose: Whose, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self { whose, reason }
    }

    /// What an error means at this step.
    fn at(step: Step, server: &str, error: &Error) -> Self {
        let code = error.status().map(u16::from);
        let source = std::error::Error::source(error).map(ToString::to_string);
        let told = clipped(&one_line(&source.unwrap_or_default()), MAX_ANSWER);
        let answer = match code {
            Some(code) => format!("{code} {told}"),
            None if told.is_empty() => error.to_string(),
            None => told.clone(),
        };
        let what = match step {
            Step::Connect => "can't be reached",
            Step::Login => "does not let us in",
            Step::From => "does not take our sender",
            Step::To => "refuses the recipient",
            Step::Content => "refuses the message",
        };
        let whose = match (step, code) {
            (Step::To, Some(code @ 500..)) if !is_ours(code, &told) => Whose::Recipient,
            (Step::Content, Some(code @ 500..)) if !is_ours(code, &told) => Whose::Recipient,
            (Step::To | Step::Content, Some(500..)) => Whose::Operator,
            (Step::To | Step::Content, _) => Whose::Passing,
            // A server that is busy or greylists us is not a matter of settings.
            (_, Some(400..500)) => Whose::Passing,
            _ => Whose::Operator,
        };
        let what = match (code, step) {
            (None, Step::To | Step::Content | Step::From) => "broke off",
            _ => what,
        };
        Self::new(
            whose,
            format!("the mail server `{server}` {what}: {answer}"),
        )
    }
}

/// Whether a refusal at the recipient or the message means that the server does not take our mail at all: it
/// wants a login, or won't relay.
fn is_ours(code: u16, told: &str) -> bool {
    let told = told.to_ascii_lowercase();
    matches!(code, 530 | 534 | 535 | 538)
        || (told.contains("relay") && !told.contains("user unknown"))
        || told.contains("authentication required")
}

/// A connection, and what may be read of it.
struct Line {
    connection: AsyncSmtpConnection,
    allowance: Allowance,
}

impl Line {
    async fn command(&mut self, command: impl fmt::Display) -> Result<(), Error> {
        self.allowed().command(command).await.map(drop)
    }

    /// The connection, for one more answer.
    fn allowed(&mut self) -> &mut AsyncSmtpConnection {
        self.allowance.give(MAX_ANSWER_BYTES);
        &mut self.connection
    }
}

struct Idle {
    line: Line,
    since: Instant,
}

/// A mail and the line that ends it, in one piece. In two pieces, as `message` writes them, the second waits
/// until the server has confirmed the first, and the server's system takes its time to do so: 40 ms a mail.
struct Whole<'a>(&'a str);

impl fmt::Display for Whole<'_> {
    /// With a second dot where a line begins with one (RFC 5321, 4.5.2).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, line) in self.0.split("\r\n").enumerate() {
            if number > 0 {
                f.write_str("\r\n")?;
            }
            if line.starts_with('.') {
                f.write_str(".")?;
            }
            f.write_str(line)?;
        }
        f.write_str("\r\n.\r\n")
    }
}

/// How a connection is kept from others.
enum Way {
    Open,
    Tls(Arc<ClientConfig>),
    StartTls(TlsParameters),
}

/// The way to one mail server.
pub(super) struct Smtp {
    server: String,
    port: u16,
    way: Way,
    login: Option<(String, Secret)>,
    hello: ClientId,
    timeout: Duration,
    room: Semaphore,
    idle: Mutex<Vec<Idle>>,
}

impl Smtp {
    /// # Errors
    /// What is wrong with the settings, a line for the operator.
    pub(super) fn new(settings: &MailSettings, domain: &str) -> Result<Self, String> {
        let way = match settings.security {
            MailSecurity::None => Way::Open,
            MailSecurity::Tls => {
                let config = tls::config(settings.ca.as_deref());
                Way::Tls(Arc::new(config.map_err(|why| format!("`ca`: {why}"))?))
            }
            MailSecurity::StartTls => Way::StartTls(settings.tls()?),
        };
        let login = settings.user.clone().zip(settings.password.clone());
        if let Some((_, password)) = &login {
            password
                .read()
                .map_err(|why| format!("`password`: {why}"))?;
        }
        Ok(Self {
            server: settings.server.clone(),
            port: settings.port(),
            way,
            login,
            hello: ClientId::Domain(domain.to_owned()),
            timeout: settings.timeout(),
            room: Semaphore::new(MAX_CONNECTIONS),
            idle: Mutex::new(Vec::new()),
        })
    }

    /// Sends one mail. When this says that it was sent, the server has it.
    pub(super) async fn send(
        &self,
        from: &Address,
        to: &Address,
        mail: &[u8],
    ) -> Result<(), Failed> {
        let stopped = || Failed::new(Whose::Passing, "mail is not sent any more");
        let _room = self.room.acquire().await.map_err(|_| stopped())?;
        let sent = tokio::time::timeout(self.timeout, self.attempt(from, to, mail)).await;
        sent.unwrap_or_else(|_| {
            let seconds = self.timeout.as_secs();
            let reason = format!(
                "the mail server `{}` took longer than {seconds} s",
                self.server
            );
            Err(Failed::new(Whose::Operator, reason))
        })
    }

    async fn attempt(&self, from: &Address, to: &Address, mail: &[u8]) -> Result<(), Failed> {
        let mut line = match self.kept().await {
            Some(line) => line,
            None => self.connect().await?,
        };
        let sent = self.talk(&mut line, from, to, mail).await;
        // A recipient who was refused leaves the connection as good as it was.
        let is_good = match &sent {
            Ok(()) => true,
            Err(failed) => failed.whose == Whose::Recipient && line.command(Rset).await.is_ok(),
        };
        if is_good {
            self.keep(line);
        }
        sent
    }

    async fn talk(
        &self,
        line: &mut Line,
        from: &Address,
        to: &Address,
        mail: &[u8],
    ) -> Result<(), Failed> {
        let failed = |step| move |error| Failed::at(step, &self.server, &error);
        let mut parameters = Vec::new();
        let is_ascii = |address: &Address| AsRef::<str>::as_ref(address).is_ascii();
        if !is_ascii(from) || !is_ascii(to) {
            let info = line.connection.server_info();
            if !info.supports_feature(Extension::SmtpUtfEight) {
                let server = &self.server;
                let reason = format!("the mail server `{server}` takes no address such as `{to}`");
                return Err(Failed::new(Whose::Recipient, reason));
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        let sender = Mail::new(Some(from.clone()), parameters);
        line.command(sender).await.map_err(failed(Step::From))?;
        let recipient = Rcpt::new(to.clone(), Vec::new());
        line.command(recipient).await.map_err(failed(Step::To))?;
        line.command(Data).await.map_err(failed(Step::Content))?;
        let sent = match std::str::from_utf8(mail) {
            Ok(text) => line.command(Whole(text)).await,
            Err(_) => line.allowed().message(mail).await.map(drop),
        };
        sent.map_err(failed(Step::Content))?;
        Ok(())
    }

    async fn connect(&self) -> Result<Line, Failed> {
        let failed = |step| move |error: Error| Failed::at(step, &self.server, &error);
        let mut line = self.greeted().await?;
        if let Way::StartTls(tls) = &self.way {
            if !line.connection.can_starttls() {
                let server = &self.server;
                let reason = format!("the mail server `{server}` has no STARTTLS: nothing is sent");
                return Err(Failed::new(Whose::Operator, reason));
            }
            let started = line.allowed().starttls(tls.clone(), &self.hello).await;
            started.map_err(failed(Step::Connect))?;
            line.allowance.one_by_one(false);
        }
        if let Some((user, password)) = &self.login {
            // Read anew, so that it can be changed while the daemon runs.
            let password = password.read();
            let password = password.map_err(|why| Failed::new(Whose::Operator, why))?;
            let credentials = Credentials::new(user.clone(), password.reveal().to_owned());
            let mechanisms = [Mechanism::Plain, Mechanism::Login];
            let login = line.allowed().auth(&mechanisms, &credentials).await;
            login.map_err(failed(Step::Login))?;
        }
        Ok(line)
    }

    /// A new connection that was greeted; with TLS, if that is from the first byte.
    async fn greeted(&self) -> Result<Line, Failed> {
        let server = &self.server;
        let unreached = |why: String| {
            let reason = format!("the mail server `{server}` can't be reached: {why}");
            Failed::new(Whose::Operator, reason)
        };
        let stream = TcpStream::connect((server.as_str(), self.port)).await;
        let stream = stream.map_err(|error| unreached(error.to_string()))?;
        let allowance = Allowance::new(MAX_ANSWER_BYTES);
        let metered: Box<dyn AsyncTokioStream> = match &self.way {
            Way::Open => Box::new(Metered::new(stream, allowance.clone())),
            Way::Tls(config) => {
                let stream = tls::over(stream, server, Arc::clone(config)).await;
                let stream = stream.map_err(unreached)?;
                Box::new(Metered::new(stream, allowance.clone()))
            }
            Way::StartTls(_) => {
                allowance.one_by_one(true);
                Box::new(Metered::new(stream, allowance.clone()))
            }
        };
        let greeted = AsyncSmtpConnection::connect_with_transport(metered, &self.hello).await;
        let connection = greeted.map_err(|error| Failed::at(Step::Connect, server, &error))?;
        Ok(Line {
            connection,
            allowance,
        })
    }

    /// A connection of before that still answers.
    async fn kept(&self) -> Option<Line> {
        loop {
            let idle = self
                .idle
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .pop();
            let Idle { mut line, since } = idle?;
            if since.elapsed() < IDLE && line.allowed().test_connected().await {
                return Some(line);
            }
        }
    }

    fn keep(&self, line: Line) {
        if line.connection.has_broken() {
            return;
        }
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|kept| kept.since.elapsed() < IDLE);
        if idle.len() < MAX_CONNECTIONS {
            let since = Instant::now();
            idle.push(Idle { line, since });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_of_a_mail_ends_it() {
        let cases = [
            ("", "\r\n.\r\n"),
            ("one", "one\r\n.\r\n"),
            (".\r\none\r\n", "..\r\none\r\n\r\n.\r\n"),
            ("a\r\n.\r\nb", "a\r\n..\r\nb\r\n.\r\n"),
            ("a.\r\n\r\n..b\r\n.", "a.\r\n\r\n...b\r\n..\r\n.\r\n"),
        ];
        for (mail, sent) in cases {
            assert_eq!(Whole(mail).to_string(), sent, "{mail:?}");
        }
    }
}
