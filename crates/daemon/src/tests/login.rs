//! People who come with a password.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use super::kit::{Answer, Service, tokens_text};
use crate::limits::{LOGIN_TIME, MAX_LOGINS_OF_ONE, MAX_PASSWORD_TRIES};
use crate::passwords::HashedPassword;
use crate::tokens::Tokens;

const PASSWORD: &str = "correct horse battery staple";

/// An entry of the file of tokens, of somebody who has this password.
pub(super) fn entry(name: &str, password: &str, role: &str, person: &str) -> String {
    let hashed = HashedPassword::of(password).unwrap();
    let hashed = hashed.as_str();
    format!(
        "[[login]]\nname = \"{name}\"\npassword = \"{hashed}\"\nrole = \"{role}\"\nperson = \"{person}\"\n"
    )
}

/// A service with a login `ann-web` besides the tokens, and the file that it reads them from.
struct Desk {
    service: Service,
    file: PathBuf,
    _folder: tempfile::TempDir,
}

impl Desk {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tokens.toml");
        let text = tokens_text() + &entry("ann-web", PASSWORD, "agent", "ann");
        fs::write(&file, &text).unwrap();
        let read = file.clone();
        let service = Service::adjusted(move |start| {
            let tokens = Tokens::read(&text).unwrap();
            // Who asks is said by a header, so that one test has many addresses.
            let start = start.behind_proxy(true).tokens(tokens);
            start.token_file(Some(read.clone()))
        });
        Self {
            service,
            file,
            _folder: folder,
        }
    }

    /// Reads the file again, which says this besides the tokens.
    fn reload(&self, logins: &str) {
        fs::write(&self.file, tokens_text() + logins).unwrap();
        let daemon = self.service.daemon();
        self.service.runtime.block_on(daemon.reload()).unwrap();
    }

    fn log_in(&self, name: &str, password: &str, address: &str) -> Answer {
        let body = json!({ "name": name, "password": password }).to_string();
        let headers = [
            ("content-type", "application/json"),
            ("x-forwarded-for", address),
        ];
        self.service
            .send("POST", "/v1/login", &headers, body.as_bytes())
    }

    /// Logs ann in; her token.
    fn token(&self, address: &str) -> String {
        let answer = self.log_in("ann-web", PASSWORD, address).is(200).json();
        answer["token"].as_str().unwrap().to_owned()
    }

    fn with(&self, token: &str, method: &str, path: &str) -> Answer {
        let bearer = format!("Bearer {token}");
        self.service
            .send(method, path, &[("authorization", &bearer)], b"")
    }

    fn is_in(&self, token: &str) -> bool {
        match self.with(token, "GET", "/v1/tickets").status {
            200 => true,
            401 => false,
            other => panic!("{other}"),
        }
    }
}

#[test]
fn a_password_gives_a_token_for_a_day_of_work_and_no_longer() {
    let desk = Desk::start();
    let answer = desk.log_in("ann-web", PASSWORD, "198.51.100.1").is(200);
    assert_eq!(answer.header("cache-control"), "no-store");
    let body = answer.json();
    assert_eq!(
        (&body["role"], &body["person"]),
        (&json!("agent"), &json!("ann"))
    );
    assert_eq!(body["ends"], "2026-03-06T13:10:00Z");
    let token = body["token"].as_str().unwrap();

    // It is ann, as by her own token.
    let id = desk.service.call("tom", "call-1");
    let asked = format!("/v1/tickets/{id}/actions/comment");
    let headers = [
        ("authorization", format!("Bearer {token}")),
        ("content-type", "application/json".to_owned()),
        ("if-match", "*".to_owned()),
    ];
    let headers = headers
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    let said = desk
        .service
        .send("POST", &asked, &headers, br#"{"text": "I know that one"}"#);
    let own = desk.service.post(
        "ann",
        &asked,
        &[("if-match", "*")],
        &json!({ "text": "so do I" }),
    );
    assert_eq!(said.status, own.status, "{said:?}\n{own:?}");

    desk.service
        .clock
        .forward(LOGIN_TIME - Duration::from_secs(1));
    assert!(desk.is_in(token));
    desk.service.clock.forward(Duration::from_secs(1));
    assert!(!desk.is_in(token));
}

#[test]
fn whether_a_name_is_known_is_not_told() {
    let desk = Desk::start();
    let wrong = desk.log_in("ann-web", "correct horse battery", "198.51.100.1");
    let unknown = desk.log_in("nobody", PASSWORD, "198.51.100.1");
    // A token is no login, though it has a name.
    let token = desk.log_in("ann", PASSWORD, "198.51.100.1");
    let long = desk.log_in("ann-web", &PASSWORD.repeat(100), "198.51.100.1");
    let wrong = wrong.refuses(401, "login-wrong");
    for other in [unknown, token, long] {
        assert_eq!(other.refuses(401, "login-wrong"), wrong);
    }
    for (body, code) in [
        (json!({ "name": "ann-web" }), "body-wrong"),
        (json!({ "name": "ann-web", "password": 1 }), "body-wrong"),
        (
            json!({ "name": "ann-web", "password": PASSWORD, "role": "admin" }),
            "body-wrong",
        ),
    ] {
        let json = [("content-type", "application/json")];
        let body: Value = body;
        let answer = desk
            .service
            .send("POST", "/v1/login", &json, body.to_string().as_bytes());
        answer.refuses(422, code);
    }
}

#[test]
fn a_logout_ends_this_login_and_no_other() {
    let desk = Desk::start();
    let (one, other) = (desk.token("198.51.100.1"), desk.token("198.51.100.1"));
    assert_ne!(one, other);
    desk.with(&one, "POST", "/v1/logout").is(204);
    assert!(!desk.is_in(&one) && desk.is_in(&other));
    desk.with(&one, "POST", "/v1/logout")
        .refuses(401, "no-token");
    desk.with("upl_ann", "POST", "/v1/logout")
        .refuses(409, "no-login");
    assert!(desk.is_in("upl_ann"));
}

#[test]
fn a_stream_ends_with_the_token_that_it_came_with() {
    let desk = Desk::start();
    let begin = |token: &str| {
        let address = desk.service.daemon().address();
        let mut stream = TcpStream::connect(address).unwrap();
        let time = Some(Duration::from_secs(30));
        stream.set_read_timeout(time).unwrap();
        let head = "GET /v1/events HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream";
        write!(stream, "{head}\r\nAuthorization: Bearer {token}\r\n\r\n").unwrap();
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        while !line.starts_with(": as of") {
            line.clear();
            assert_ne!(reader.read_line(&mut line).unwrap(), 0);
        }
        reader
    };
    let (one, other) = (desk.token("198.51.100.1"), desk.token("198.51.100.1"));
    let (mut gone, mut out) = (begin(&one), begin(&other));
    desk.with(&one, "POST", "/v1/logout").is(204);
    desk.reload("");
    desk.service.call("tom", "one");
    for reader in [&mut gone, &mut out] {
        let mut rest = String::new();
        reader.read_to_string(&mut rest).unwrap();
        assert!(!rest.contains("data:"), "{rest}");
    }
}

#[test]
fn what_the_file_says_now_holds_for_those_who_are_in() {
    let mut desk = Desk::start();
    let token = desk.token("198.51.100.1");
    let reads_metrics = |desk: &Desk| desk.with(&token, "GET", "/v1/set-aside").status;
    assert_eq!(reads_metrics(&desk), 403);
    // The same hash, and another role.
    let text = fs::read_to_string(&desk.file).unwrap();
    let (_, login) = text.split_once("[[login]]").unwrap();
    let login = format!("[[login]]{login}");
    desk.reload(&login.replace("agent", "admin"));
    assert_eq!(reads_metrics(&desk), 200);
    // A new password, though it be the same word; and one who was taken out.
    desk.reload(&entry("ann-web", PASSWORD, "agent", "ann"));
    assert!(!desk.is_in(&token));
    let token = desk.token("198.51.100.1");
    desk.reload("");
    assert!(!desk.is_in(&token));
    // Nobody stays in over a restart.
    desk.reload(&login);
    let token = desk.token("198.51.100.1");
    desk.service.restart();
    assert!(!desk.is_in(&token));
}

#[test]
fn passwords_are_not_guessed_and_nobody_is_locked_out() {
    let desk = Desk::start();
    let guess = || desk.log_in("ann-web", "correct horse battery", "198.51.100.1");
    for _ in 0..MAX_PASSWORD_TRIES.get() {
        guess().refuses(401, "login-wrong");
    }
    let refused = guess();
    let after: u32 = refused.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&after), "{after}");
    refused.refuses(429, "too-many-requests");
    // The right one too: else guessing would go on.
    let right = desk.log_in("ann-web", PASSWORD, "198.51.100.1");
    right.refuses(429, "too-many-requests");
    desk.token("198.51.100.2");
}

#[test]
fn of_too_many_logins_the_oldest_ends() {
    let desk = Desk::start();
    let tokens = (0..=MAX_LOGINS_OF_ONE).map(|number| {
        desk.service.clock.forward(Duration::from_secs(1));
        desk.token(&format!("198.51.100.{number}"))
    });
    let tokens: Vec<String> = tokens.collect();
    let are_in: Vec<bool> = tokens.iter().map(|token| desk.is_in(token)).collect();
    assert!(
        !are_in[0] && are_in[1..].iter().all(|is_in| *is_in),
        "{are_in:?}"
    );
}
