//! A connection that stays open, and what is asked over it.

use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A connection that was idle for longer may have been closed by the daemon meanwhile.
const FRESH: Duration = Duration::from_secs(5);

/// How long an answer is waited for; the daemon itself gives up before.
const PATIENCE: Duration = Duration::from_secs(60);

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    /// Whose token.
    pub(crate) who: String,
    /// More headers, each with its end of line.
    pub(crate) headers: String,
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn get(who: &str, path: String) -> Self {
        Self {
            method: "GET",
            path,
            who: who.to_owned(),
            headers: String::new(),
            body: String::new(),
        }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let (method, path, who, body) = (self.method, &self.path, &self.who, &self.body);
        format!(
            "{method} {path} HTTP/1.1\r\nhost: soak\r\nauthorization: Bearer upl_{who}\r\n{}\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.headers,
            body.len()
        )
        .into_bytes()
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// It was given before, to the same command.
    pub(crate) is_replay: bool,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// What it says; `null` if that is not JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// The connections to a daemon.
pub(crate) struct Lines {
    pub(crate) address: SocketAddr,
    idle: Mutex<Vec<(Instant, TcpStream)>>,
}

impl Lines {
    pub(crate) fn to(address: SocketAddr) -> Self {
        let idle = Mutex::default();
        Self { address, idle }
    }

    /// Asks over a connection that is idle, or a new one.
    pub(crate) async fn ask(&self, request: &Request) -> io::Result<Answer> {
        let asked = async {
            let mut line = self.line().await?;
            line.write_all(&request.bytes()).await?;
            let (answer, stays) = answer(&mut line).await?;
            if stays {
                self.idle().push((Instant::now(), line));
            }
            Ok(answer)
        };
        let late = |_| io::Error::new(io::ErrorKind::TimedOut, "no answer in a minute");
        tokio::time::timeout(PATIENCE, asked).await.map_err(late)?
    }

    /// A connection to do with as one likes.
    pub(crate) async fn fresh(&self) -> io::Result<TcpStream> {
        let line = TcpStream::connect(self.address).await?;
        line.set_nodelay(true)?;
        Ok(line)
    }

    async fn line(&self) -> io::Result<TcpStream> {
        let found = {
            let mut idle = self.idle();
            idle.retain(|(since, _)| since.elapsed() < FRESH);
            idle.pop()
        };
        match found {
            Some((_, line)) => Ok(line),
            None => self.fresh().await,
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<(Instant, TcpStream)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An answer, and whether the connection stays open.
pub(crate) async fn answer(line: &mut TcpStream) -> io::Result<(Answer, bool)> {
    let broken = |why: &str| io::Error::new(io::ErrorKind::InvalidData, why.to_owned());
    let mut bytes = Vec::with_capacity(4096);
    let head = loop {
        if line.read_buf(&mut bytes).await? == 0 {
            return Err(broken("the daemon has hung up"));
        }
        let end = bytes.windows(4).position(|part| part == b"\r\n\r\n");
        if let Some(end) = end {
            break end;
        }
    };
    let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
    let header = |name: &str| {
        let mut lines = text.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    };
    let status = text.split(' ').nth(1).and_then(|code| code.parse().ok());
    let length: Option<usize> = header("content-length").and_then(|length| length.parse().ok());
    let is_replay = header("idempotent-replayed").is_some();
    let stays = header("connection") != Some("close");
    let (Some(status), Some(length)) = (status, length) else {
        return Err(broken("an answer without a status or a length"));
    };
    let mut body = bytes.split_off(head + 4);
    while body.len() < length {
        if line.read_buf(&mut body).await? == 0 {
            return Err(broken("the answer breaks off"));
        }
    }
    let answer = Answer {
        status,
        is_replay,
        body,
    };
    Ok((answer, stays))
}
