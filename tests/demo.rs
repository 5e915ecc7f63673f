//! `upline demo`, as somebody new meets it: opens the page with the mail, presses a link, and watches.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use crate::documents::upline;

/// Within so long somebody new has seen a ticket move by itself.
const SOON: Duration = Duration::from_secs(30);

/// A demo that runs, in a folder for temporary files of its own.
struct Running {
    child: Child,
    lines: BufReader<ChildStdout>,
    folder: PathBuf,
}

impl Running {
    fn start(name: &str, arguments: &[&str]) -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
            .join("demo")
            .join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_upline"))
            .arg("demo")
            .args(arguments)
            .env("TMPDIR", &folder)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self {
            child,
            lines,
            folder,
        }
    }

    /// The next line in which all of this stands.
    fn line(&mut self, words: &[&str]) -> String {
        let mut seen = String::new();
        loop {
            let mut line = String::new();
            let read = self.lines.read_line(&mut line).unwrap();
            assert_ne!(read, 0, "it has ended without {words:?}:\n{seen}");
            seen.push_str(&line);
            if words.iter().all(|word| line.contains(word)) {
                return line;
            }
        }
    }

    /// Presses Ctrl-C: how it ends, and what it leaves behind.
    fn interrupt(mut self) -> (Option<i32>, usize) {
        let id = self.child.id().to_string();
        let told = Command::new("kill").args(["-INT", &id]).status().unwrap();
        assert!(told.success());
        let mut rest = String::new();
        self.lines.read_to_string(&mut rest).unwrap();
        let ended = self.child.wait().unwrap();
        (ended.code(), fs::read_dir(&self.folder).unwrap().count())
    }
}

/// What is answered at an address that was printed.
fn ask(method: &str, url: &str, body: &str) -> String {
    let rest = url.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    write!(
        stream,
        "{method} /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// The piece of a text between two others.
fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let found = text
        .split_once(before)
        .and_then(|(_, rest)| rest.split_once(after));
    found
        .unwrap_or_else(|| panic!("no {before}…{after} in {text}"))
        .0
}

#[test]
fn somebody_new_sees_a_ticket_move_and_takes_another_by_a_mail() {
    let began = Instant::now();
    let mut demo = Running::start("new", &["--seconds", "300"]);
    let asked = demo.line(&["ticket 1", "Ann Berg is asked"]);
    assert!(asked.contains("s it will pass to Bob Stone"), "{asked}");
    let told = demo.line(&["mail to ann@example.com"]);
    let mail = told.split_whitespace().last().unwrap();
    let list = ask("GET", mail.strip_suffix("/1").unwrap(), "");
    assert!(list.contains("refresh: 3"), "{list}");
    assert!(
        list.contains("ann@example.com") && list.contains("No dial tone"),
        "{list}"
    );
    let letter = ask("GET", mail, "");
    let link = between(&letter, "I am on it (number to type: ", "</a>");
    let (number, link) = (&link[..2], between(link, "href=\"", "\""));
    let page = ask("GET", link, "");
    assert!(
        page.contains("Press the button to say: I am on it."),
        "{page}"
    );
    // Whoever presses sooner than people do is asked to press again.
    let form = format!("number={number}");
    let pressed = loop {
        let pressed = ask("POST", link, &form);
        if !pressed.starts_with("HTTP/1.1 429") {
            break pressed;
        }
    };
    assert!(pressed.contains("Done: I am on it."), "{pressed}");
    demo.line(&["ticket 1", "In progress, Ann Berg has it"]);
    demo.line(&["ticket 3", "nobody has acted", "刘梅"]);
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    // She has not acted after two minutes, so her telephone rings.
    demo.line(&["call to duty-phone"]);
    assert_eq!(demo.interrupt(), (Some(0), 0), "nothing is left behind");
}

#[test]
fn a_demo_speaks_chinese_and_ends_by_itself() {
    let mut demo = Running::start("chinese", &["--lang", "zh", "--seconds", "3"]);
    demo.line(&["工单 1", "询问 Ann Berg"]);
    let told = demo.line(&["邮件发给 wang.fang@example.com"]);
    let mail = told.split_whitespace().last().unwrap();
    let letter = ask("GET", mail, "");
    assert!(
        letter.contains("全部邮件") && letter.contains("受理"),
        "{letter}"
    );
    let html = ask("GET", &format!("{mail}/html"), "");
    assert!(
        html.contains("<html lang=\"zh") && html.contains("default-src 'none'"),
        "{html}"
    );
    assert!(ask("GET", &format!("{mail}99"), "").starts_with("HTTP/1.1 404"));
    let mut rest = String::new();
    demo.lines.read_to_string(&mut rest).unwrap();
    assert_eq!(demo.child.wait().unwrap().code(), Some(0), "{rest}");
    assert_eq!(fs::read_dir(&demo.folder).unwrap().count(), 0);
}

#[test]
fn what_a_demo_can_not_do_is_told() {
    let call = |arguments: &[&str]| {
        let arguments: Vec<String> = arguments.iter().map(|one| (*one).to_owned()).collect();
        upline(&arguments)
    };
    for speed in ["0", "-1", "601", "NaN", "inf"] {
        let (said, exit) = call(&["demo", &format!("--speed={speed}")]);
        assert_eq!(exit, 2, "{said}");
        assert!(said.contains("`--speed` must be 1 to 600"), "{said}");
    }
    let (said, exit) = call(&["demo", "--json"]);
    assert_eq!(exit, 2, "{said}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for option in ["--port", "--mail-port"] {
        let (said, exit) = call(&["demo", option, &port]);
        assert_eq!(exit, 3, "{said}");
        assert!(said.contains("no port for the"), "{said}");
    }
}
