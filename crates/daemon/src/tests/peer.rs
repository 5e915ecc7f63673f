//! A peer of webhooks: a real listener that notes what it is sent, and answers as a test wants.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// What a peer does with a request.
#[derive(Debug, Clone)]
pub(crate) enum Reaction {
    /// Answers with a status, headers (a line each, with its end) and a body.
    Answer(u16, &'static str, String),
    /// Reads the request and closes the connection.
    Drop,
    /// Closes the connection without reading.
    Refuse,
    /// Says nothing until the other side goes.
    Hang,
    /// Begins to answer 200, and hangs before the body ends.
    HalfAnswer,
    /// Answers 200 with a body of 1 GB.
    Flood,
}

impl Reaction {
    pub(crate) fn ok() -> Self {
        Self::status(200)
    }

    pub(crate) fn status(status: u16) -> Self {
        Self::Answer(status, "", String::new())
    }
}

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// What a peer does with the request of this number, from 0.
type Choice = dyn Fn(usize, Option<&Seen>) -> Reaction + Send + Sync;

#[derive(Default)]
struct Notes {
    seen: Mutex<Vec<Seen>>,
    more: Condvar,
}

/// A running peer. Its thread ends with the process.
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    notes: Arc<Notes>,
}

impl Peer {
    /// One that does these things, one after the other, and the last for ever.
    pub(crate) fn start(reactions: impl Into<Vec<Reaction>>) -> Self {
        let reactions = reactions.into();
        let last = reactions.len() - 1;
        Self::noting(true, move |index, _| reactions[index.min(last)].clone())
    }

    /// One that is asked what to do each time: before a request is read, to which it may say that the
    /// connection is refused, and when it has been read. It keeps no requests.
    pub(crate) fn choosing(
        choice: impl Fn(usize, Option<&Seen>) -> Reaction + Send + Sync + 'static,
    ) -> Self {
        Self::noting(false, choice)
    }

    fn noting(
        notes_all: bool,
        choice: impl Fn(usize, Option<&Seen>) -> Reaction + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let notes = Arc::new(Notes::default());
        let (choice, own): (Arc<Choice>, _) = (Arc::new(choice), Arc::clone(&notes));
        std::thread::spawn(move || {
            for (index, stream) in listener.incoming().enumerate() {
                let (choice, notes) = (Arc::clone(&choice), Arc::clone(&own));
                let stream = stream.unwrap();
                std::thread::spawn(move || {
                    let notes = notes_all.then_some(&*notes);
                    react(stream, &|seen| choice(index, seen), notes);
                });
            }
        });
        Self { address, notes }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// What came so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.notes.seen.lock().unwrap().clone()
    }

    /// Waits until so many requests have come.
    pub(crate) fn wait_for(&self, count: usize) -> Vec<Seen> {
        let seen = self.notes.seen.lock().unwrap();
        let few = |seen: &mut Vec<Seen>| seen.len() < count;
        let limit = Duration::from_secs(60);
        let (seen, late) = self
            .notes
            .more
            .wait_timeout_while(seen, limit, few)
            .unwrap();
        assert!(
            !late.timed_out(),
            "{count} requests were expected, not {}",
            seen.len()
        );
        seen.clone()
    }
}

fn react(mut stream: TcpStream, choice: &dyn Fn(Option<&Seen>) -> Reaction, notes: Option<&Notes>) {
    if matches!(choice(None), Reaction::Refuse) {
        return;
    }
    // A client that has gone is what some tests are about.
    let Some(request) = read(&stream) else { return };
    let reaction = choice(Some(&request));
    if let Some(notes) = notes {
        notes.seen.lock().unwrap().push(request);
        notes.more.notify_all();
    }
    match &reaction {
        Reaction::Answer(status, headers, body) => {
            let length = body.len();
            let head = format!(
                "HTTP/1.1 {status} X\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n"
            );
            let _ = stream.write_all(head.as_bytes());
            let _ = stream.write_all(body.as_bytes());
        }
        Reaction::Drop | Reaction::Refuse => (),
        Reaction::Hang => hang(&mut stream),
        Reaction::HalfAnswer => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
            hang(&mut stream);
        }
        Reaction::Flood => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
            let piece = vec![b'x'; 64 * 1024];
            let sent =
                (0..1_000_000_000 / piece.len()).take_while(|_| stream.write_all(&piece).is_ok());
            let sent = sent.count() * piece.len();
            assert!(sent < 100_000_000, "somebody reads it all");
        }
    }
}

/// Until the other side goes.
fn hang(stream: &mut TcpStream) {
    let _ = stream.read(&mut [0]);
}

fn read(stream: &TcpStream) -> Option<Seen> {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let path = lines.first()?.split(' ').nth(1)?.to_owned();
    let header = |line: &String| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_lowercase(), value.trim().to_owned()))
    };
    let headers: Vec<(String, String)> = lines[1..].iter().filter_map(header).collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.map_or(0, |(_, value)| value.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Seen {
        path,
        headers,
        body,
    })
}
