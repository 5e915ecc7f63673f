//! `upline notify`: what people would be told, and whether it reaches them.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;

use serde_json::Value;

use crate::documents::upline;
use crate::repository::root;
use crate::service::Service;

fn call(words: &[&str]) -> (String, i32) {
    let words: Vec<String> = words.iter().map(|one| (*one).to_owned()).collect();
    upline(&words)
}

fn folder(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
        .join("notifying")
        .join(name);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

const SAMPLE: [&str; 2] = ["--workflow", "workflows/trouble-ticket.yaml"];

fn preview(topic: &str, more: &[&str]) -> (String, i32) {
    call(&[&["notify", "preview", topic], &SAMPLE[..], more].concat())
}

#[test]
fn every_topic_can_be_seen_in_both_languages() {
    for topic in [
        "assigned",
        "offered",
        "informed",
        "reminded",
        "promise-warned",
        "promise-breached",
        "outcome",
        "commented",
        "customer",
        "answered",
    ] {
        for (tag, says) in [("en", "Trouble ticket"), ("zh", "故障工单")] {
            let (printed, exit) = preview(topic, &["--lang", tag, "--json"]);
            assert_eq!(exit, 0, "{topic}: {printed}");
            let letter: Value = serde_json::from_str(&printed).unwrap();
            assert_eq!(letter["language"], tag);
            for part in ["subject", "text", "html"] {
                assert!(
                    letter[part].as_str().unwrap().contains(says),
                    "{topic} {part}: {printed}"
                );
            }
        }
    }
    let (text, _) = preview("assigned", &["--lang", "en", "--person", "lea"]);
    assert!(
        text.starts_with("Subject: ") && text.contains("Upline sends this to you as lea."),
        "{text}"
    );
    let (html, _) = preview("assigned", &["--html"]);
    assert!(
        html.starts_with("<!doctype html>") && html.ends_with("</html>\n"),
        "{html}"
    );
}

#[test]
fn a_template_of_ones_own_is_seen_and_a_broken_one_told() {
    let own = folder("templates");
    fs::write(
        own.join("assigned.en.txt"),
        "Subject: Mine\n\nHello {{ you.name }}!\n",
    )
    .unwrap();
    let path = own.to_str().unwrap();
    let more = ["--templates", path, "--lang", "en"];
    let (printed, exit) = preview("assigned", &more);
    assert_eq!(exit, 0, "{printed}");
    assert!(
        printed.starts_with("Subject: Mine\nBrief: Mine\n\nHello "),
        "{printed}"
    );
    fs::write(
        own.join("assigned.en.txt"),
        "Subject: Mine\n\n{{ your.name }}\n",
    )
    .unwrap();
    let (printed, exit) = preview("assigned", &more);
    assert_eq!(exit, 1, "{printed}");
    assert!(
        printed.contains("assigned.en.txt:3: undefined value"),
        "{printed}"
    );
    assert!(
        printed.contains("help: ") && printed.contains("You have ticket 10238 now"),
        "{printed}"
    );
}

#[test]
fn shipped_templates_are_printed_to_begin_with() {
    let (names, exit) = call(&["notify", "templates"]);
    assert_eq!(exit, 0);
    assert!(
        names.lines().count() > 20 && names.contains("assigned.zh.txt\n"),
        "{names}"
    );
    let (text, _) = call(&["notify", "templates", "assigned.zh.txt"]);
    let shipped = fs::read_to_string(root().join("crates/daemon/letters/assigned.zh.txt")).unwrap();
    assert_eq!(text, shipped);
    let (told, exit) = call(&["notify", "templates", "asigned.zh.txt"]);
    assert_eq!(exit, 3);
    assert!(told.contains("did you mean `assigned.zh.txt`?"), "{told}");
}

#[test]
fn what_can_not_be_seen_is_told() {
    for (words, code, says) in [
        (vec!["notify", "preview", "assigned"], 2, "--workflow"),
        (
            vec!["notify", "preview", "asigned", SAMPLE[0], SAMPLE[1]],
            2,
            "assigned",
        ),
        (
            vec!["notify", "preview", "assigned", "nowhere", "1"],
            3,
            "nowhere",
        ),
        (
            vec![
                "notify", "preview", "assigned", SAMPLE[0], SAMPLE[1], "--lang", "fr",
            ],
            2,
            "en, zh",
        ),
        (
            vec![
                "notify", "preview", "assigned", SAMPLE[0], SAMPLE[1], "--person", "leaa",
            ],
            3,
            "`lea`",
        ),
        (
            vec!["notify", "test", "lea", "--config", "nowhere.toml"],
            3,
            "nowhere.toml",
        ),
    ] {
        let (printed, exit) = call(&words);
        assert_eq!(exit, code, "{words:?}: {printed}");
        assert!(printed.contains(says), "{words:?}: {printed}");
    }
}

/// Settings of a daemon whose mail server listens on this port.
fn config(name: &str, mail: &str) -> String {
    let folder = folder(name);
    let workflows = root().join("workflows");
    let text = format!(
        "data = \"tickets\"\nworkflows = \"{}\"\n{mail}",
        workflows.display()
    );
    let path = folder.join("upline.toml");
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn mail(port: u16) -> String {
    format!(
        "[mail]\nserver = \"127.0.0.1\"\nport = {port}\nsecurity = \"none\"\nfrom = \"desk@example.com\"\n"
    )
}

#[test]
fn a_mail_is_tried_and_the_servers_word_told() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let config = config("test", &mail(listener.local_addr().unwrap().port()));
    // It takes mail for mei, and for nobody else.
    let server = std::thread::spawn(move || {
        let mut heard = Vec::new();
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            write!(stream, "220 here\r\n").unwrap();
            let mut in_data = false;
            while let Some(Ok(line)) = lines.next() {
                let answer = match line.get(..4).unwrap_or(&line) {
                    "." => "250 taken",
                    _ if in_data => "",
                    "RCPT" if !line.contains("mei@") => "550 5.1.1 who?",
                    "DATA" => "354 go on",
                    "QUIT" => "221 bye",
                    _ => "250 well",
                };
                in_data = (in_data || line == "DATA") && line != ".";
                heard.push(line);
                if !answer.is_empty() {
                    write!(stream, "{answer}\r\n").unwrap();
                }
            }
        }
        heard.join("\n")
    });
    let (printed, exit) = call(&["notify", "test", "mei", "--config", &config]);
    assert_eq!(
        (printed.as_str(), exit),
        (
            "the mail server `127.0.0.1` has taken a mail to mei@example.com\n",
            0
        )
    );
    let (printed, exit) = call(&["notify", "test", "ann", "--config", &config]);
    assert_eq!(exit, 1, "{printed}");
    assert!(
        printed.contains("refuses the recipient: 550 5.1.1 who?"),
        "{printed}"
    );
    let heard = server.join().unwrap();
    assert!(
        heard.contains("MAIL FROM:<desk@example.com>") && heard.contains("Subject: Upline ="),
        "{heard}"
    );
    assert!(heard.contains("Auto-Submitted: auto-generated"), "{heard}");
}

#[test]
fn settings_without_mail_or_with_mistakes_send_nothing() {
    let without = config("without", "");
    let (printed, exit) = call(&["notify", "test", "mei", "--config", &without]);
    assert_eq!(exit, 2);
    assert!(printed.contains("no section `[mail]`"), "{printed}");
    let wrong = "[mail]\nserver = \"mail.example.com\"\nsecurity = \"none\"\nfrom = \"desk\"\n\
                 user = \"upline\"\ntimeout = \"1 h\"\n";
    let wrong = config("wrong", wrong);
    let (printed, exit) = call(&["notify", "test", "mei", "--config", &wrong]);
    assert_eq!(exit, 2);
    for says in [
        "`security`: without TLS",
        "`from`: `desk` is no mail address",
        "`user` and `password` must be given together",
        "`timeout` must be a time such as `10 s`, 1 to 40 s",
    ] {
        assert!(printed.contains(says), "{says}\n{printed}");
    }
}

#[test]
fn a_webhook_is_tried_and_the_peers_word_told() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let peer = std::thread::spawn(move || {
        let mut heard = Vec::new();
        for answer in ["200 OK", "403 Forbidden"] {
            let (mut stream, _) = listener.accept().unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap());
            let mut length = 0;
            loop {
                let mut line = String::new();
                lines.read_line(&mut line).unwrap();
                if let Some(text) = line.strip_prefix("content-length: ") {
                    length = text.trim().parse().unwrap();
                }
                if line.trim().is_empty() {
                    break;
                }
            }
            let mut body = vec![0; length];
            lines.read_exact(&mut body).unwrap();
            heard.push(String::from_utf8(body).unwrap());
            let body = r#"{"errcode":0}"#;
            let length = body.len();
            let head = format!("HTTP/1.1 {answer}\r\nContent-Length: {length}\r\n");
            write!(stream, "{head}Connection: close\r\n\r\n{body}").unwrap();
        }
        heard
    });
    let section = |name: &str, more: &str| {
        format!(
            "[webhook.{name}]\nurl = \"http://127.0.0.1:{port}/x?key=s3cret\"\nshape = \"wecom\"\n{more}\n"
        )
    };
    let text = section("room", "allow-private = true");
    let config = config("webhook", &text);
    let test = |name: &str| call(&["notify", "test", name, "--config", &config]);
    let (told, exit) = test("webhook:room");
    assert_eq!(exit, 0, "{told}");
    assert!(told.contains("`127.0.0.1` has taken a message"), "{told}");
    let (told, exit) = test("webhook:room");
    assert_eq!(exit, 1, "{told}");
    assert!(told.contains("403") && !told.contains("s3cret"), "{told}");
    assert!(peer.join().unwrap()[0].contains("webhook room"));
    let (told, exit) = test("webhook:other");
    assert_eq!(exit, 2, "{told}");
    assert!(told.contains("no section `[webhook.other]`"), "{told}");
    // What would be refused to messages is refused to a trial.
    let text = section("room", "").replace("http:", "https:");
    fs::write(&config, format!("data = \"d\"\nworkflows = \"w\"\n{text}")).unwrap();
    let (told, exit) = test("webhook:room");
    assert_eq!(exit, 2, "{told}");
    assert!(told.contains("private network"), "{told}");
}

#[test]
fn what_a_daemon_refuses_to_dial_is_refused_here_too() {
    let text = "listen = \"127.0.0.1:18099\"\n[webhook.self]\n\
        url = \"http://127.0.0.1:18099/v1/tickets\"\nshape = \"slack\"\nallow-private = true\n";
    let config = config("itself", text);
    let (told, exit) = call(&["notify", "test", "webhook:self", "--config", &config]);
    assert_eq!(exit, 1, "{told}");
    assert!(told.contains("is Upline itself"), "{told}");
}

#[test]
fn a_letter_about_a_ticket_of_the_service_is_seen_by_its_leads() {
    let service = Service::start("previewed");
    service.call();
    service.is("tom", &["ticket", "act", "1", "open"]);
    let words = ["notify", "preview", "assigned", "--ticket", "1"];
    let letter = service.json("lea", &words);
    assert!(
        letter["text"].as_str().unwrap().contains("Ann Berg"),
        "{letter}"
    );
    let to_max = [&words[..], &["--person", "max", "--lang", "zh"]].concat();
    let said = service.is("boss", &to_max);
    assert!(
        said.contains("Subject: ") && said.contains("故障工单"),
        "{said}"
    );
    let html = service.is("lea", &[&words[..], &["--html"]].concat());
    assert!(
        html.contains("<html") && !html.contains("Subject:"),
        "{html}"
    );
    service.refuses("ann", &words, 5, "only an admin or a lead");
    let nobody = [&words[..], &["--person", "maxx"]].concat();
    service.refuses("lea", &nobody, 1, "did you mean `max`?");
    let other = ["notify", "preview", "assigned", "--ticket", "9"];
    service.refuses("lea", &other, 3, "no ticket `9`");
    let both = [&words[..], &SAMPLE[..]].concat();
    service.refuses("lea", &both, 2, "cannot be used with");
}

#[test]
fn the_service_says_what_became_of_its_tests() {
    let service = Service::start("tested");
    let words = ["notify", "test", "max"];
    let (said, exit) = service.ask("boss", &words);
    assert_eq!(exit, 1, "{said}");
    let rows: Vec<&str> = said.lines().skip(1).collect();
    for (row, via) in rows.iter().zip(["mail", "webhook:duty-phone"]) {
        assert!(
            row.contains("failed") && row.contains("is not set up here"),
            "{said}"
        );
        assert!(row.trim_start().starts_with(via), "{said}");
    }
    assert_eq!(rows.len(), 2, "{said}");
    let (said, _) = service.ask("boss", &[&words[..], &["--lang", "zh"]].concat());
    assert!(said.contains("失败"), "{said}");
    let one = ["notify", "test", "webhook:chat", "--json"];
    let (said, exit) = service.ask("boss", &one);
    assert_eq!(exit, 1, "{said}");
    let answer: Value = serde_json::from_str(&said).expect(&said);
    assert_eq!(answer["results"][0]["via"], "webhook:chat");
    service.refuses("lea", &words, 5, "only an admin");
    service.refuses(
        "boss",
        &["notify", "test", "maxx"],
        1,
        "did you mean `max`?",
    );
    // Without a service named, it is the settings that are tried.
    let (said, exit) = call(&["notify", "test", "max", "--via", "mail"]);
    assert_eq!(exit, 2, "{said}");
    assert!(said.contains("name the service by `--server`"), "{said}");
    let local = [&words[..], &["--config", "nowhere.toml"]].concat();
    service.refuses("boss", &local, 3, "cannot read `nowhere.toml`");
}
