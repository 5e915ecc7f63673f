//! A mail server, and a telephone, that take everything and pass on nothing.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use mailin::{Action, Handler, Response, SessionBuilder, response};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

use super::clock::FastClock;

/// Most mails that are kept: the newest.
const MAX_MAILS: usize = 500;
/// Longest line of a mail, in bytes; a longer one ends the connection.
const MAX_LINE: u64 = 64 * 1024;
/// Largest mail, in bytes; what is beyond is left out.
const MAX_MAIL: usize = 1024 * 1024;

/// A mail that came.
#[derive(Debug, Clone)]
pub(super) struct Mail {
    /// From 1, in the order in which they came.
    pub(super) number: usize,
    pub(super) at: Timestamp,
    pub(super) to: String,
    /// A call of the telephone, and no mail.
    pub(super) is_call: bool,
    pub(super) raw: Arc<Vec<u8>>,
}

#[derive(Debug, Default)]
struct Kept {
    mails: VecDeque<Mail>,
    came: usize,
}

/// The server, and what it has taken.
#[derive(Debug, Clone)]
pub(super) struct Office {
    address: SocketAddr,
    clock: FastClock,
    kept: Arc<Mutex<Kept>>,
    task: Arc<Mutex<Option<AbortHandle>>>,
}

impl Office {
    pub(super) async fn open(clock: FastClock) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let office = Self {
            address: listener.local_addr()?,
            clock,
            kept: Arc::default(),
            task: Arc::default(),
        };
        let clerk = office.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, peer)) = listener.accept().await {
                let clerk = clerk.clone();
                tokio::spawn(async move { clerk.converse(stream, peer).await });
            }
        });
        *lock(&office.task) = Some(task.abort_handle());
        Ok(office)
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more connections.
    pub(super) fn close(&self) {
        if let Some(task) = lock(&self.task).take() {
            task.abort();
        }
    }

    /// What came, the newest first.
    pub(super) fn mails(&self) -> Vec<Mail> {
        lock(&self.kept).mails.iter().rev().cloned().collect()
    }

    pub(super) fn mail(&self, number: usize) -> Option<Mail> {
        let kept = lock(&self.kept);
        kept.mails
            .iter()
            .find(|mail| mail.number == number)
            .cloned()
    }

    /// Somebody is called by telephone, and told this.
    pub(super) fn ring(&self, telephone: &str, text: &str) {
        let subject = text.lines().next().unwrap_or_default();
        let raw = format!(
            "Subject: {subject}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
        );
        self.keep(telephone.to_owned(), true, raw.into_bytes());
    }

    fn keep(&self, to: String, is_call: bool, raw: Vec<u8>) {
        let mut kept = lock(&self.kept);
        kept.came += 1;
        let mail = Mail {
            number: kept.came,
            at: self.clock.now(),
            to,
            is_call,
            raw: Arc::new(raw),
        };
        kept.mails.push_back(mail);
        if kept.mails.len() > MAX_MAILS {
            kept.mails.pop_front();
        }
    }

    async fn converse(self, stream: TcpStream, peer: SocketAddr) -> Option<()> {
        let clerk = Clerk {
            office: self,
            to: Vec::new(),
            raw: Vec::new(),
        };
        let mut session = SessionBuilder::new("demo").build(peer.ip(), clerk);
        let mut stream = BufReader::new(stream);
        stream
            .write_all(&session.greeting().buffer().ok()?)
            .await
            .ok()?;
        loop {
            let mut line = Vec::new();
            (&mut stream)
                .take(MAX_LINE)
                .read_until(b'\n', &mut line)
                .await
                .ok()?;
            if !line.ends_with(b"\n") {
                return None;
            }
            let answer = session.process(&line);
            if answer.action != Action::NoReply {
                stream.write_all(&answer.buffer().ok()?).await.ok()?;
                stream.flush().await.ok()?;
            }
            if answer.action == Action::Close {
                return Some(());
            }
        }
    }
}

/// One connection's side of the protocol.
struct Clerk {
    office: Office,
    to: Vec<String>,
    raw: Vec<u8>,
}

impl Handler for Clerk {
    fn data_start(&mut self, _: &str, _: &str, _: bool, to: &[String]) -> Response {
        self.to = to.to_vec();
        self.raw.clear();
        response::OK
    }

    fn data(&mut self, bytes: &[u8]) -> io::Result<()> {
        let room = MAX_MAIL.saturating_sub(self.raw.len());
        self.raw.extend(bytes.iter().take(room));
        Ok(())
    }

    fn data_end(&mut self) -> Response {
        let raw = std::mem::take(&mut self.raw);
        self.office.keep(self.to.join(", "), false, raw);
        response::OK
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
