//! A service of a test's own, and the commands against it.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;

use crate::repository::root;

/// A service of this test's own, with a token for each of these people.
pub(crate) struct Service {
    daemon: Child,
    address: String,
    /// Its log, which is read, so that it never waits for a reader.
    log: Receiver<Value>,
    folder: PathBuf,
}

const SECRET: &str = "upl_5ec2e7";

impl Service {
    pub(crate) fn start(name: &str) -> Self {
        Self::with(name, &[])
    }

    /// With these files among its workflows.
    pub(crate) fn with(name: &str, files: &[(&str, &str)]) -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
            .join("asking")
            .join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let token = |(name, role, person): (&str, &str, &str)| {
            let hash = upline_daemon::tokens::hash(&format!("{SECRET}{name}"));
            let person = match person {
                "" => String::new(),
                person => format!("person = \"{person}\"\n"),
            };
            format!("[[token]]\nname = \"{name}\"\nhash = \"{hash}\"\nrole = \"{role}\"\n{person}")
        };
        let tokens: String = [
            ("tom", "agent", "tom"),
            ("ann", "agent", "ann"),
            ("bob", "agent", "bob"),
            ("lea", "lead", "lea"),
            ("eye", "reader", ""),
            ("boss", "admin", ""),
        ]
        .map(token)
        .concat();
        fs::write(folder.join("tokens.toml"), tokens).unwrap();
        on_duty_at_all_hours(&folder);
        for (file, text) in files {
            fs::write(folder.join("workflows").join(file), text).unwrap();
        }
        let (daemon, address, log) = begun(&folder);
        Self {
            daemon,
            address,
            log,
            folder,
        }
    }

    /// Kills it, has something done to its data folder, and starts it again.
    pub(crate) fn restarted(&mut self, between: impl FnOnce(&Path)) {
        self.daemon.kill().unwrap();
        self.daemon.wait().unwrap();
        between(&self.folder.join("data"));
        (self.daemon, self.address, self.log) = begun(&self.folder);
    }

    /// The next line of its log with this code.
    pub(crate) fn logged(&self, code: &str) -> Value {
        let soon = Duration::from_secs(60);
        loop {
            let line = self.log.recv_timeout(soon).expect(code);
            if line["code"] == code {
                return line;
            }
        }
    }

    pub(crate) fn command(&self, who: &str, words: &[&str]) -> Command {
        let mut command = upline(words);
        command
            .env("UPLINE_SERVER", format!("http://{}", self.address))
            .env("UPLINE_TOKEN", format!("{SECRET}{who}"));
        command
    }

    /// Gives commands to tickets, up to 100 at once.
    pub(crate) fn batch(&self, who: &str, key: &str, commands: &[Value]) -> Value {
        let token = format!("Bearer {SECRET}{who}");
        let answer = ureq::post(format!("http://{}/v1/tickets:batch", self.address))
            .header("authorization", &token)
            .header("idempotency-key", key)
            .header("content-type", "application/json")
            .send(serde_json::json!({ "commands": commands }).to_string());
        let text = answer.unwrap().body_mut().read_to_string().unwrap();
        serde_json::from_str(&text).expect(&text)
    }

    /// What was printed, on both streams, and the exit code.
    pub(crate) fn ask(&self, who: &str, words: &[&str]) -> (String, i32) {
        printed(&mut self.command(who, words))
    }

    pub(crate) fn is(&self, who: &str, words: &[&str]) -> String {
        let (said, exit) = self.ask(who, words);
        assert_eq!(exit, 0, "{words:?}: {said}");
        said
    }

    pub(crate) fn json(&self, who: &str, words: &[&str]) -> Value {
        let said = self.is(who, &[words, &["--json"]].concat());
        serde_json::from_str(&said).expect(&said)
    }

    /// Opens a trouble ticket; its id.
    pub(crate) fn call(&self) -> String {
        let fields = [
            "--field",
            "caller=Mr Low <low@example.com>",
            "--field",
            "problem=话机没有声音",
        ];
        let said = self.is(
            "tom",
            &[&["ticket", "open", "trouble-ticket"], &fields[..]].concat(),
        );
        said.trim().to_owned()
    }

    pub(crate) fn refuses(&self, who: &str, words: &[&str], exit: i32, says: &str) {
        let (said, code) = self.ask(who, words);
        assert_eq!(code, exit, "{words:?}: {said}");
        assert!(
            said.contains("error: ") && said.contains(says),
            "{words:?}: {said}"
        );
        assert!(!said.contains(SECRET), "{said}");
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

/// A daemon on this folder, and where it listens.
fn begun(folder: &Path) -> (Child, String, Receiver<Value>) {
    let mut daemon = upline(&["serve", "--listen", "127.0.0.1:0", "--log", "info"])
        .args([Path::new("--data"), &folder.join("data")])
        .args([Path::new("--workflows"), &folder.join("workflows")])
        .args([Path::new("--tokens"), &folder.join("tokens.toml")])
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut log = BufReader::new(daemon.stderr.take().unwrap());
    let mut all = String::new();
    let address = loop {
        let mut line = String::new();
        assert_ne!(log.read_line(&mut line).unwrap(), 0, "it has ended: {all}");
        all.push_str(&line);
        let entry: Value = serde_json::from_str(&line).expect(&line);
        if entry["code"] == "started" {
            break entry["address"].as_str().unwrap().to_owned();
        }
    };
    let (tell, told) = channel();
    std::thread::spawn(move || {
        for line in log.lines().map_while(Result::ok) {
            // Nobody may be listening any more.
            let _ = tell.send(serde_json::from_str(&line).expect(&line));
        }
    });
    (daemon, address, told)
}

/// The trouble ticket and its people, with the desk on duty day and night: whom a ticket comes to must not
/// depend on the hour of the test.
fn on_duty_at_all_hours(folder: &Path) {
    let workflows = folder.join("workflows");
    fs::create_dir(&workflows).unwrap();
    let shipped = |name: &str| fs::read_to_string(root().join("workflows").join(name)).unwrap();
    let people = shipped("directory.yaml");
    let (shift, always) = (
        "{ days: mon-sat, hours: \"09:00-18:00\"",
        "{ days: mon-sun, hours: \"00:00-24:00\"",
    );
    assert!(people.contains(shift), "{people}");
    let people = people.replace(shift, always);
    fs::write(workflows.join("directory.yaml"), people).unwrap();
    let ticket = "trouble-ticket.yaml";
    fs::write(workflows.join(ticket), shipped(ticket)).unwrap();
}

/// The program, which finds no setting around it: whoever runs the tests may have some, and says by others how
/// they are run.
pub(crate) fn upline(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_upline"));
    command.args(words).env("NO_COLOR", "1");
    let around = std::env::vars_os().map(|(name, _)| name);
    for name in around.filter(|name| name.to_string_lossy().starts_with("UPLINE_")) {
        command.env_remove(name);
    }
    command
}

pub(crate) fn printed(command: &mut Command) -> (String, i32) {
    let output = command.output().unwrap();
    let both = [output.stdout, output.stderr].concat();
    (
        String::from_utf8(both).unwrap(),
        output.status.code().unwrap(),
    )
}
