//! A mail server in this process: the protocol is a library's, and it can be made to fail at each step.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use mailin::{Action, AuthMechanism, Handler, Response, SessionBuilder, response};

/// The step of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Greeting,
    Hello,
    Login,
    From,
    To,
    Data,
    /// The end of the mail itself.
    Content,
}

/// What the server does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    /// It says nothing more.
    Hangs,
    /// It closes the connection.
    Drops,
    /// It takes the mail, and closes the connection before it says so.
    TakesAndDrops,
    /// It answers this.
    Says(&'static str),
    /// It says this again and again, up to 1 GB.
    Floods(&'static str),
}

/// A mail that was taken.
#[derive(Debug, Clone)]
pub(crate) struct Caught {
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    pub(crate) raw: String,
}

/// What goes wrong at a step.
type Choice = dyn Fn(Step) -> Option<Deed> + Send + Sync;

#[derive(Default)]
struct Shared {
    mails: Mutex<Vec<Caught>>,
    came: Condvar,
    /// How often it is done yet.
    fault: Mutex<Option<(Step, Deed, usize)>>,
    logins: Mutex<Vec<String>>,
    wants_login: bool,
    /// Asked at each step; the mails are then not kept.
    choice: Option<Box<Choice>>,
    /// They are kept all the same.
    keeps: bool,
    taken: AtomicU64,
    /// What one connection was sent at most by [`Deed::Floods`].
    flooded: AtomicU64,
}

/// A mail server.
#[derive(Clone)]
pub(crate) struct PostOffice {
    pub(crate) port: u16,
    shared: Arc<Shared>,
}

impl PostOffice {
    pub(crate) fn open() -> Self {
        Self::with(Shared::default())
    }

    /// One that wants a login.
    pub(crate) fn closed() -> Self {
        Self::with(Shared {
            wants_login: true,
            ..Shared::default()
        })
    }

    /// One that asks at each step what goes wrong, and only counts what it takes.
    pub(crate) fn choosing(choice: impl Fn(Step) -> Option<Deed> + Send + Sync + 'static) -> Self {
        Self::with(Shared {
            choice: Some(Box::new(choice)),
            ..Shared::default()
        })
    }

    /// One that takes so long for each mail.
    pub(crate) fn slow(time: Duration) -> Self {
        let choice = move |step| {
            if step == Step::Content {
                std::thread::park_timeout(time);
            }
            None
        };
        Self::with(Shared {
            choice: Some(Box::new(choice)),
            keeps: true,
            ..Shared::default()
        })
    }

    fn with(shared: Shared) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let office = Self {
            port: listener.local_addr().unwrap().port(),
            shared: Arc::new(shared),
        };
        let shared = Arc::clone(&office.shared);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || converse(stream.unwrap(), &shared));
            }
        });
        office
    }

    /// From now on, so often, it does this at that step.
    pub(crate) fn fails(&self, step: Step, deed: Deed, times: usize) {
        *self.shared.fault.lock().unwrap() = Some((step, deed, times));
    }

    /// The mails, as soon as there are so many.
    pub(crate) fn mails(&self, count: usize) -> Vec<Caught> {
        let mails = self.shared.mails.lock().unwrap();
        let long = Duration::from_secs(20);
        let waited = self
            .shared
            .came
            .wait_timeout_while(mails, long, |mails| mails.len() < count);
        let mails = waited.unwrap().0;
        assert_eq!(mails.len(), count, "{mails:#?}");
        mails.clone()
    }

    /// The mails so far.
    pub(crate) fn taken(&self) -> Vec<Caught> {
        self.shared.mails.lock().unwrap().clone()
    }

    /// How many they are.
    pub(crate) fn count(&self) -> u64 {
        self.shared.taken.load(Ordering::Relaxed)
    }

    /// What one connection was sent at most by [`Deed::Floods`].
    pub(crate) fn flooded(&self) -> u64 {
        self.shared.flooded.load(Ordering::Relaxed)
    }

    pub(crate) fn logins(&self) -> Vec<String> {
        self.shared.logins.lock().unwrap().clone()
    }
}

/// One connection's side of the protocol.
struct Clerk {
    shared: Arc<Shared>,
    mail: Caught,
    bytes: Vec<u8>,
}

impl Clerk {
    fn new(shared: &Arc<Shared>) -> Self {
        Self {
            shared: Arc::clone(shared),
            mail: Caught {
                from: String::new(),
                to: Vec::new(),
                raw: String::new(),
            },
            bytes: Vec::new(),
        }
    }
}

impl Handler for Clerk {
    fn data_start(&mut self, _: &str, from: &str, _: bool, to: &[String]) -> Response {
        self.mail.from = from.to_owned();
        self.mail.to = to.to_vec();
        self.bytes.clear();
        response::OK
    }

    fn data(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn data_end(&mut self) -> Response {
        self.mail.raw = String::from_utf8(self.bytes.clone()).expect("mail is ASCII");
        self.shared.taken.fetch_add(1, Ordering::Relaxed);
        if self.shared.choice.is_none() || self.shared.keeps {
            self.shared.mails.lock().unwrap().push(self.mail.clone());
            self.shared.came.notify_all();
        }
        response::OK
    }

    fn auth_plain(&mut self, _: &str, user: &str, password: &str) -> Response {
        self.shared
            .logins
            .lock()
            .unwrap()
            .push(format!("{user}:{password}"));
        match (user, password) {
            ("upline", "sesame") => response::AUTH_OK,
            _ => response::INVALID_CREDENTIALS,
        }
    }
}

fn converse(mut stream: TcpStream, shared: &Arc<Shared>) {
    let ip = stream.peer_addr().unwrap().ip();
    let mut builder = SessionBuilder::new("post.example.com");
    if shared.wants_login {
        builder
            .enable_auth(AuthMechanism::Plain)
            .insecure_enable_plaintext_auth();
    }
    let mut session = builder.build(ip, Clerk::new(shared));
    let mut lines = BufReader::new(stream.try_clone().unwrap());
    let mut in_data = false;
    let mut line = Vec::new();
    let mut greeting = Some(session.greeting());
    loop {
        let step = match &greeting {
            Some(_) => Some(Step::Greeting),
            None => {
                line.clear();
                // The peer has gone.
                if lines.read_until(b'\n', &mut line).unwrap_or(0) == 0 {
                    return;
                }
                step(&line, in_data)
            }
        };
        let deed = step.and_then(|step| deed(shared, step));
        match deed {
            Some(Deed::Hangs) => {
                let _ = lines.read_to_end_of_time();
                return;
            }
            Some(Deed::Drops) => return,
            Some(Deed::Floods(piece)) => {
                let piece = piece.repeat(64 * 1024 / piece.len());
                let sent = (0..1_000_000_000 / piece.len())
                    .take_while(|_| stream.write_all(piece.as_bytes()).is_ok());
                let sent = (sent.count() * piece.len()) as u64;
                shared.flooded.fetch_max(sent, Ordering::Relaxed);
                return;
            }
            Some(Deed::Says(answer)) => {
                greeting = None;
                if in_data {
                    // What came of the mail is forgotten.
                    session = builder.build(ip, Clerk::new(shared));
                    session.process(b"EHLO again\r\n");
                    in_data = false;
                }
                let _ = write!(stream, "{answer}\r\n");
                continue;
            }
            Some(Deed::TakesAndDrops) => {
                session.process(&line);
                return;
            }
            None => (),
        }
        let answer = greeting.take().unwrap_or_else(|| session.process(&line));
        in_data = answer.code == 354 || (in_data && answer.action == Action::NoReply);
        let mut bytes = Vec::new();
        answer.write_to(&mut bytes).unwrap();
        if stream.write_all(&bytes).is_err() || answer.action == Action::Close {
            return;
        }
    }
}

/// Reads until the peer closes.
trait Endless {
    fn read_to_end_of_time(&mut self) -> std::io::Result<u64>;
}

impl<R: BufRead> Endless for R {
    fn read_to_end_of_time(&mut self) -> std::io::Result<u64> {
        std::io::copy(self, &mut std::io::sink())
    }
}

fn step(line: &[u8], in_data: bool) -> Option<Step> {
    if in_data {
        return (line == b".\r\n").then_some(Step::Content);
    }
    let verb = String::from_utf8_lossy(line).to_ascii_uppercase();
    let verbs = [
        ("EHLO", Step::Hello),
        ("AUTH", Step::Login),
        ("MAIL", Step::From),
        ("RCPT", Step::To),
        ("DATA", Step::Data),
    ];
    let found = verbs.into_iter().find(|(known, _)| verb.starts_with(known));
    found.map(|(_, step)| step)
}

fn deed(shared: &Shared, at: Step) -> Option<Deed> {
    if let Some(choice) = &shared.choice {
        return choice(at);
    }
    let mut fault = shared.fault.lock().unwrap();
    let (step, deed, times) = fault.as_mut()?;
    if *step != at || *times == 0 {
        return None;
    }
    *times -= 1;
    Some(*deed)
}
