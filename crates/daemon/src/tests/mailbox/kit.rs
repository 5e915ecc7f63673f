//! A daemon with a mailbox.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;
use tokio::runtime::Runtime;
use upline::clock::ManualClock;
use upline::core::{Actor, Event, Fact, Name, Recipient, Ticket, Wish};
use upline::{Handle, Submission};

use crate::mailbox::MailboxSettings;
use crate::settings::{Given, Settings};
use crate::tell::MailSettings;
use crate::tests::kit::{BEGIN, shipped, tokens};
use crate::thread::Threads;
use crate::{Daemon, Start};

/// What opens trouble tickets by mail.
pub(super) const OPENS: &str = "open = \"anyone\"\nworkflow = \"trouble-ticket\"\n\
    sender = \"caller\"\nbody = \"problem\"\n";

/// A daemon with the shipped workflows and a mailbox.
pub(super) struct Post {
    pub(super) runtime: Runtime,
    daemon: Option<Daemon>,
    pub(super) data: TempDir,
    workflows: TempDir,
    pub(super) mail: TempDir,
    pub(super) clock: ManualClock,
    mailboxes: BTreeMap<String, MailboxSettings>,
    /// How mail is sent.
    sends: Option<MailSettings>,
}

/// The mailboxes of a file of settings.
pub(super) fn mailboxes(text: &str) -> Result<BTreeMap<String, MailboxSettings>, Vec<String>> {
    let text = format!("data = \"d\"\nworkflows = \"w\"\n{text}");
    let given = Given::default().text("upline.toml", text);
    Settings::read(&given).map(|settings| settings.mailboxes)
}

impl Post {
    /// With a folder, and what the section says besides.
    pub(super) fn start(section: &str) -> Self {
        let mail = tempfile::tempdir().unwrap();
        for part in ["new", "cur", "tmp"] {
            fs::create_dir(mail.path().join(part)).unwrap();
        }
        let folder = mail.path().display();
        let text = format!("[mailbox.desk]\nfolder = \"{folder}\"\n{section}");
        Self::with(mail, &text)
    }

    /// With these mailboxes.
    pub(super) fn with(mail: TempDir, text: &str) -> Self {
        let workflows = tempfile::tempdir().unwrap();
        let here = [shipped(), shipped().join("../examples/mail")];
        for entry in here.iter().flat_map(|folder| fs::read_dir(folder).unwrap()) {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|ending| ending == "yaml") {
                fs::copy(&path, workflows.path().join(path.file_name().unwrap())).unwrap();
            }
        }
        let mut post = Self {
            runtime: Runtime::new().unwrap(),
            daemon: None,
            data: tempfile::tempdir().unwrap(),
            workflows,
            mail,
            clock: ManualClock::at(BEGIN.parse().unwrap()),
            mailboxes: mailboxes(text).unwrap(),
            sends: None,
        };
        post.begin();
        post
    }

    fn begin(&mut self) {
        let listen = "127.0.0.1:0".parse().unwrap();
        let start = Start::new(self.data.path(), self.workflows.path(), listen)
            .tokens(tokens())
            .mailboxes(self.mailboxes.clone())
            .mail(self.sends.clone())
            .clock(self.clock.clone());
        self.daemon = Some(self.runtime.block_on(Daemon::start(start)).unwrap());
    }

    /// From now on mail is sent, by this server.
    pub(super) fn send_by(&mut self, port: u16) {
        let text = format!(
            "server = \"127.0.0.1\"\nport = {port}\nsecurity = \"none\"\n\
             from = \"Desk <desk@example.com>\"\nreply-to = \"desk@example.com\"\n"
        );
        self.sends = Some(toml::from_str(&text).unwrap());
        self.restart();
    }

    pub(super) fn stop(&mut self) {
        let daemon = self.daemon.take().unwrap();
        self.runtime.block_on(daemon.stop()).unwrap();
    }

    pub(super) fn restart(&mut self) {
        self.stop();
        self.begin();
    }

    pub(super) fn restart_after_stop(&mut self) {
        self.begin();
    }

    pub(super) fn daemon(&self) -> &Daemon {
        self.daemon.as_ref().unwrap()
    }

    pub(super) fn handle(&self) -> Handle {
        self.daemon().handle()
    }

    /// Puts a mail into the mailbox.
    pub(super) fn put(&self, name: &str, mail: impl AsRef<[u8]>) {
        let path = self.mail.path();
        fs::write(path.join("tmp").join(name), mail).unwrap();
        fs::rename(path.join("tmp").join(name), path.join("new").join(name)).unwrap();
    }

    /// Takes what is there.
    pub(super) fn look(&self) {
        self.runtime.block_on(self.daemon().take_mail());
    }

    /// Puts a mail into the mailbox and takes it.
    pub(super) fn take(&self, name: &str, mail: impl AsRef<[u8]>) {
        self.put(name, mail);
        self.look();
    }

    /// The names of the mails in a part of the folder.
    pub(super) fn at(&self, part: &str) -> Vec<String> {
        names(&self.mail.path().join(part))
    }

    pub(super) fn aside(&self) -> Vec<String> {
        self.at(".upline-refused/new")
    }

    pub(super) fn pass(&self, minutes: u64) {
        self.clock.forward(Duration::from_secs(minutes * 60));
        let handle = self.handle();
        self.runtime.block_on(handle.settled()).unwrap();
    }

    pub(super) fn ticket(&self, id: &str) -> Option<Ticket> {
        let handle = self.handle();
        self.runtime.block_on(handle.ticket(id)).unwrap()
    }

    /// Its state, and who is answerable.
    pub(super) fn standing(&self, id: &str) -> (String, String) {
        let ticket = self.ticket(id).unwrap();
        let position = ticket.positions.values().next().unwrap();
        let who = position.holder.answerable().cloned().unwrap_or_default();
        (position.state.to_string(), who.to_string())
    }

    pub(super) fn events(&self, id: &str) -> Vec<Event> {
        let handle = self.handle();
        let history = self.runtime.block_on(handle.history(id, None)).unwrap();
        let mut events: Vec<Event> = Vec::new();
        for entry in history.into_iter().rev() {
            events.extend(entry.events);
        }
        events
    }

    /// What was said: by whom, what, and whether the caller sees it.
    pub(super) fn said(&self, id: &str) -> Vec<(Actor, String, bool)> {
        let events = self.events(id).into_iter();
        let said = events.filter_map(|event| match event.fact {
            Fact::Commented {
                by,
                text,
                to_caller,
                ..
            } => Some((by, text, to_caller)),
            _ => None,
        });
        said.collect()
    }

    pub(super) fn act(&self, id: &str, by: Actor, action: &str) {
        let handle = self.handle();
        self.runtime.block_on(handle.act(id, by, action)).unwrap();
        self.runtime.block_on(handle.settled()).unwrap();
    }

    /// Answers the caller.
    pub(super) fn tell_caller(&self, id: &str, by: Actor, text: &str) {
        let (text, to_caller) = (text.to_owned(), true);
        let said = Submission::new(by, Wish::Comment { text, to_caller });
        let handle = self.handle();
        self.runtime.block_on(handle.submit(id, said)).unwrap();
        self.runtime.block_on(handle.settled()).unwrap();
    }

    /// A ticket that waits for an agent: its id. Mr Low has called.
    pub(super) fn call(&self) -> String {
        self.call_of("Mr Low <low@example.com>")
    }

    /// The same, of another caller.
    pub(super) fn call_of(&self, caller: &str) -> String {
        let fields = vec![
            (Name::from("caller"), caller.to_owned()),
            ("problem".into(), "no dial tone".to_owned()),
        ];
        let handle = self.handle();
        let tom = Actor::Person("tom".into());
        let open = handle.open("trouble-ticket", tom.clone(), fields);
        let id = self.runtime.block_on(open).unwrap().id;
        self.act(&id, tom, "open");
        id.to_string()
    }

    pub(super) fn threads(&self) -> Threads {
        Threads::in_folder(self.data.path()).unwrap()
    }

    /// The id of a mail about the ticket that went to this person now.
    pub(super) fn mail_to(&self, ticket: &str, person: &str) -> String {
        let to = Recipient::Person(Name::new(person));
        self.threads().made(ticket, self.clock.now(), &to)
    }

    /// The warnings and figures of the daemon.
    pub(super) fn get(&self, path: &str) -> String {
        let url = format!("http://{}{path}", self.daemon().address());
        let request = ureq::get(url).header("authorization", "Bearer upl_eye");
        request.call().unwrap().body_mut().read_to_string().unwrap()
    }
}

pub(super) fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

/// A mail with these headers besides, and this text.
pub(super) fn mail(from: &str, headers: &str, text: &str) -> String {
    let id = blake3::hash(format!("{from}{headers}{text}").as_bytes());
    let id = id.to_hex();
    format!(
        "From: {from}\r\nTo: desk@example.com\r\nMessage-ID: <{}@client.example.com>\r\n\
        Date: Fri, 6 Mar 2026 09:00:00 +0800\r\n{headers}\
        Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n",
        &id[..16]
    )
}

/// An answer to the mail of this id.
pub(super) fn answer(from: &str, to: &str, text: &str) -> String {
    let headers = format!("Subject: Re: the ticket\r\nIn-Reply-To: <{to}>\r\n");
    mail(from, &headers, text)
}
