//! The examples of `docs/http-api.md` are sent, in their order, to one service.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use super::kit::{Service, tokens_text};
use crate::ROUTES;
use crate::api::KINDS;
use crate::tokens::{Role, Tokens};

/// How long the index may be behind.
const PATIENCE: Duration = Duration::from_secs(30);

fn document() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/http-api.md");
    fs::read_to_string(path).unwrap()
}

/// The words of a command, as a shell takes them, with variables that stand for callers.
fn words(command: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    let mut begun = false;
    for c in command.replace("\\\n", " ").chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => (quote, begun) = (Some(c), true),
            (None, c) if c.is_whitespace() => {
                if begun {
                    words.push(std::mem::take(&mut word));
                }
                begun = false;
            }
            (_, c) => {
                word.push(c);
                begun = true;
            }
        }
    }
    words.extend(begun.then_some(word));
    words
}

/// Sends what a `curl` line says; the status that came.
fn curl(service: &Service, command: &str, token: &str) -> (String, super::kit::Answer) {
    let words = words(command);
    let mut words = words.iter();
    assert_eq!(words.next().map(String::as_str), Some("curl"), "{command}");
    let (mut method, mut path, mut body) = ("GET".to_owned(), String::new(), Vec::new());
    let mut headers: Vec<(String, String)> = Vec::new();
    while let Some(word) = words.next() {
        match word.as_str() {
            "-i" => (),
            "-X" => method = words.next().unwrap().clone(),
            "-H" => {
                let header = words.next().unwrap().replace("$TOM", "upl_tom");
                let header = header
                    .replace("$ANN", "upl_ann")
                    .replace("$ADMIN", "upl_boss")
                    .replace("$TOKEN", token);
                let (name, value) = header.split_once(": ").unwrap();
                headers.push((name.to_lowercase(), value.to_owned()));
            }
            "-d" => {
                body = words.next().unwrap().clone().into_bytes();
                method = "POST".into();
            }
            "--data-binary" => {
                let file = words.next().unwrap().strip_prefix('@').unwrap();
                body = fs::read(super::kit::shipped().join(file)).unwrap();
            }
            url => {
                path = url
                    .strip_prefix("$UPLINE")
                    .unwrap_or_else(|| panic!("{url}"))
                    .into()
            }
        }
    }
    let headers: Vec<(&str, &str)> = headers
        .iter()
        .map(|(a, b)| (a.as_str(), b.as_str()))
        .collect();
    let mut answer = service.send(&method, &path, &headers, &body);
    // The index follows behind the answers: who is told so asks again, as the document says.
    let end = Instant::now() + PATIENCE;
    while answer.status == 503 && answer.text.contains("\"indexing\"") && Instant::now() < end {
        std::thread::park_timeout(Duration::from_millis(20));
        answer = service.send(&method, &path, &headers, &body);
    }
    (format!("{method} {path}"), answer)
}

#[test]
fn examples_of_the_document_are_answered_as_it_says() {
    let service = Service::adjusted(|start| {
        let login = super::login::entry("ann-web", "correct horse battery staple", "agent", "ann");
        start.tokens(Tokens::read(&(tokens_text() + &login)).unwrap())
    });
    let document = document();
    let mut token = String::new();
    let blocks = document.split("```sh\n").skip(1);
    let mut sent = Vec::new();
    for block in blocks {
        let block = block.split("```").next().unwrap();
        let Some((command, status)) = block.split_once("# ") else {
            continue;
        };
        let (request, answer) = curl(&service, command.trim(), &token);
        let status: u16 = status.split_whitespace().next().unwrap().parse().unwrap();
        assert_eq!(answer.status, status, "{command}\n{}", answer.text);
        if request.ends_with("/login") {
            token = answer.json()["token"].as_str().unwrap().to_owned();
        }
        sent.push(request);
    }
    assert!(sent.len() >= 12, "{sent:#?}");
}

#[test]
fn every_route_role_and_code_is_in_the_document() {
    let document = document();
    for (method, path) in ROUTES {
        assert!(
            document.contains(&format!("`{method} {path}`")),
            "{method} {path}"
        );
    }
    let source = include_str!("../problem.rs");
    let codes = source
        .split("(\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next());
    let is_code =
        |code: &&str| code.contains('-') && code.chars().all(|c| matches!(c, 'a'..='z' | '-'));
    for code in codes.filter(is_code) {
        assert!(document.contains(&format!("`{code}`")), "the code {code}");
    }
}

#[test]
fn every_type_of_events_is_in_the_document() {
    let document = document();
    for kind in KINDS {
        assert!(document.contains(&format!("`{kind}`")), "{kind}");
    }
}

#[test]
fn the_tokens_of_the_document_are_read() {
    let document = document();
    let text = document
        .split("```toml\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    let hash = crate::tokens::hash("upl_example");
    assert!(text.contains(&hash), "the hash is {hash}");
    let tokens = Tokens::read(text).unwrap();
    let caller = tokens.find("upl_example").unwrap();
    assert_eq!(
        (caller.role, caller.person.as_deref()),
        (Role::Agent, Some("ann"))
    );
}
