//! Servers that never stop talking. What is read of them is bounded, whatever they say about it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::kit::{OPENS, Post};
use crate::mailbox::MAX_MAIL_BYTES;

/// How much a server sends at most: who reads all of it has no bound.
const FLOOD: usize = 1_000_000_000;

/// What the system takes for a peer that reads nothing any more: the buffers of both sides.
const BUFFERS: usize = 64 * 1024 * 1024;

/// A server that answers like any other until the command that begins like this, which it answers with this
/// and then the piece, again and again. Its thread ends with the process.
#[derive(Clone, Copy)]
struct Flood {
    at: &'static str,
    head: &'static str,
    piece: &'static str,
}

impl Flood {
    /// Its port, and how much one connection was sent at most.
    fn start(self) -> (u16, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let sent = Arc::new(AtomicUsize::new(0));
        let own = Arc::clone(&sent);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let flooded = self.converse(&mut stream.unwrap());
                own.fetch_max(flooded, Ordering::Relaxed);
            }
        });
        (port, sent)
    }

    fn converse(self, stream: &mut TcpStream) -> usize {
        if self.at.is_empty() {
            return self.flood(stream);
        }
        let _ = stream.write_all(b"* OK at your service\r\n");
        let lines = BufReader::new(stream.try_clone().unwrap());
        for line in lines.lines() {
            // The peer has gone.
            let Ok(line) = line else { return 0 };
            let (tag, command) = line.split_once(' ').unwrap_or((&line, ""));
            if command.starts_with(self.at) {
                return self.flood(stream);
            }
            let answer = match command.split(' ').next().unwrap_or_default() {
                "CAPABILITY" => "* CAPABILITY IMAP4rev1 IDLE\r\n",
                "SELECT" => "* 1 EXISTS\r\n* OK [UIDVALIDITY 7] .\r\n* OK [UIDNEXT 2] .\r\n",
                "UID" if command.starts_with("UID SEARCH") => "* SEARCH 1\r\n",
                "UID" if command.contains("RFC822.SIZE") => "* 1 FETCH (UID 1 RFC822.SIZE 100)\r\n",
                _ => "",
            };
            let _ = stream.write_all(format!("{answer}{tag} OK done\r\n").as_bytes());
        }
        0
    }

    fn flood(self, stream: &mut TcpStream) -> usize {
        if stream.write_all(self.head.as_bytes()).is_err() {
            return 0;
        }
        let piece = self.piece.repeat(64 * 1024 / self.piece.len() + 1);
        let mut sent = 0;
        while sent < FLOOD && stream.write_all(piece.as_bytes()).is_ok() {
            sent += piece.len();
        }
        sent
    }
}

#[test]
fn a_server_that_never_stops_talking_is_left_soon() {
    let flood = |at, head, piece| Flood { at, head, piece };
    let more = "says more than 262144 bytes at once";
    let cases = [
        (flood("", "* OK ", "x"), more),
        (flood("LOGIN", "* OK ", "x"), more),
        (flood("CAPABILITY", "", "* 1 EXISTS\r\n"), more),
        (flood("SELECT", "", "* FLAGS (a b)\r\n"), more),
        (flood("UID SEARCH", "* SEARCH", " 1"), more),
        (
            flood("UID FETCH 1 (UID RFC822.SIZE)", "", "* 1 FETCH (UID 1)\r\n"),
            more,
        ),
        (
            flood(
                "UID FETCH 1 (UID BODY",
                "* 1 FETCH (UID 1 BODY[] {26214401}\r\n",
                "x",
            ),
            "announces 26214401 bytes",
        ),
        (
            flood(
                "UID FETCH 1 (UID BODY",
                "* 1 FETCH (UID 1 BODY[] {26214400}\r\n",
                "x",
            ),
            "waits in `desk`",
        ),
    ];
    for (flood, told) in cases {
        let (port, sent) = flood.start();
        let secret = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(secret.path(), "secret").unwrap();
        let section = format!(
            "[mailbox.desk]\nserver = \"127.0.0.1\"\nport = {port}\nsecurity = \"none\"\n\
             user = \"desk\"\npassword = {{ file = \"{}\" }}\n{OPENS}",
            secret.path().display()
        );
        let post = Post::with(tempfile::tempdir().unwrap(), &section);
        post.look();
        let ready = post.get("/readyz");
        let at = flood.at;
        assert!(ready.contains(told), "{at}: {ready}");
        let most = MAX_MAIL_BYTES + BUFFERS;
        let sent = sent.load(Ordering::Relaxed);
        assert!(sent < most, "{at}: {sent}");
    }
}
