//! A daemon in this process, on a folder of its own, with the desk of the engine's benches; and its callers.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use upline_daemon::tokens::Tokens;
use upline_daemon::{Daemon, Start};

use crate::kit::{PEOPLE, call, desk, folder};
use crate::line::{Lines, Request};
use crate::token;

/// Starts it; ladders have `first` as their first step. Each of the desk's people has a token, and so have a
/// telephone system and an operator, `max`.
pub(crate) async fn daemon(name: &str, first: &str) -> (Daemon, PathBuf) {
    let folder = folder(name);
    let tokens = write(&folder, first);
    let listen = "127.0.0.1:0".parse().expect("an address");
    let start = Start::new(folder.join("data"), folder.join("workflows"), listen);
    let start = start.tokens(Tokens::read(&tokens).expect("tokens"));
    // One token stands for many people here.
    let start = start.requests_per_second(NonZeroU32::MAX);
    (Daemon::start(start).await.expect("it starts"), folder)
}

/// Writes the files of a daemon; its tokens.
pub(crate) fn write(folder: &Path, first: &str) -> String {
    let workflows = folder.join("workflows");
    std::fs::create_dir_all(&workflows).expect("a folder");
    let mut tokens = token("pbx", "integration", "") + &token("max", "admin", "max");
    for one in 0..PEOPLE {
        let id = format!("p{one}");
        tokens += &token(&id, "lead", &id);
    }
    let write = |path: &Path, text: &str| std::fs::write(path, text).expect("a file");
    write(&workflows.join("desk.yaml"), &desk());
    write(&workflows.join("call.yaml"), &call(first));
    write(&folder.join("tokens.toml"), &tokens);
    tokens
}

/// What opens a ticket; by this key it is known again.
pub(crate) fn opening(key: &str) -> Request {
    Request {
        method: "POST",
        path: "/v1/tickets".into(),
        who: "pbx".into(),
        headers: format!("idempotency-key: {key}\r\n"),
        body: "{\"workflow\":\"call\",\"fields\":{\"problem\":\"no dial tone\"}}".into(),
    }
}

/// What takes an action of a ticket.
pub(crate) fn acting(ticket: &str, action: &str, who: &str) -> Request {
    Request {
        method: "POST",
        path: format!("/v1/tickets/{ticket}/actions/{action}"),
        who: who.to_owned(),
        headers: "if-match: *\r\n".into(),
        body: "{}".into(),
    }
}

/// Gives a command, which must be carried out; the ticket.
pub(crate) async fn give(lines: &Lines, request: &Request) -> serde_json::Value {
    let answer = lines.ask(request).await.expect("an answer");
    let done = matches!(answer.status, 200 | 201);
    assert!(done, "{}: {}", request.path, answer.text());
    answer.json()
}
