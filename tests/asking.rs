//! The commands against a running service, as people and scripts use them.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::process::Stdio;

use serde_json::Value;

use crate::repository::root;
use crate::service::{Service, printed, upline};

#[test]
fn a_ticket_is_opened_found_moved_and_asked_about() {
    let service = Service::start("moves");
    let id = service.call();
    assert_eq!(id, "1");
    let of_caller = |caller: &str| {
        let list = ["ticket", "list", "--contact", caller];
        service.json("eye", &list).as_array().unwrap().len()
    };
    assert_eq!(
        (of_caller("LOW@example.com"), of_caller("+49 30 1234567")),
        (1, 0)
    );
    let opened = [
        "--field",
        "service=Telephony",
        "--field",
        "impact=One person",
    ];
    let said = service.is(
        "tom",
        &[&["ticket", "act", "1", "open"], &opened[..]].concat(),
    );
    assert!(said.contains("dispatched, ann is asked since"), "{said}");
    let said = service.is("eye", &["ticket", "list", "--assignee", "ann"]);
    assert!(
        said.contains("answerable") && said.contains("trouble-ticket"),
        "{said}"
    );
    assert_eq!(
        service.json("eye", &["ticket", "list", "--state", "new"]),
        serde_json::json!([])
    );
    let due = ["ticket", "list", "--sort", "due", "--level", "entry"];
    let soon = ["--due-before", "2999-01-01 00:00"];
    let list = service.json("eye", &[&due[..], &soon[..]].concat());
    assert_eq!(list[0]["id"], "1");
    let refused = ["ticket", "list", "--due-before", "soon"];
    service.refuses("eye", &refused, 2, "`--due-before 'soon'`: this is no time");
    let said = service.is("ann", &["ticket", "show", "1"]);
    assert!(
        said.contains("话机没有声音") && said.contains("you could: accept"),
        "{said}"
    );
    let said = service.is("eye", &["ticket", "explain", "1"]);
    assert!(
        said.contains("ann is answerable") && said.contains("because: least busy in"),
        "{said}"
    );
    let said = service.is("eye", &["ticket", "forecast", "1", "--days", "1"]);
    assert!(said.contains("another in service-desk"), "{said}");
    let ticket = service.json("ann", &["ticket", "comment", "1", "I look into it"]);
    assert_eq!(ticket["id"], "1");
    let said = service.is(
        "lea",
        &[
            "ticket",
            "reassign",
            "1",
            "--to",
            "bob",
            "--reason",
            "ann is ill",
        ],
    );
    assert!(said.contains("bob"), "{said}");
    service.is("bob", &["ticket", "act", "1", "accept"]);
    let tomorrow = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24);
    let tomorrow = tomorrow.to_string();
    service.is("bob", &["ticket", "suspend", "1", "--until", &tomorrow]);
    let said = service.is("eye", &["ticket", "list"]);
    assert!(said.contains("paused"), "{said}");
    service.is("bob", &["ticket", "resume", "1"]);
    let said = service.is("eye", &["status"]);
    assert!(said.contains("it does its work"), "{said}");
}

#[test]
fn refusals_have_codes_and_say_what_to_do() {
    let service = Service::start("refusals");
    service.call();
    service.is("tom", &["ticket", "act", "1", "open"]);
    let accept = ["ticket", "act", "1", "accept"];
    service.refuses("bob", &accept, 4, "1: ann has it since");
    service.refuses("bob", &accept, 4, "upline ticket reassign 1 --to PERSON");
    service.is("ann", &accept);
    service.refuses("ann", &["ticket", "claim", "1"], 4, "");
    service.refuses(
        "ann",
        &["ticket", "comment", "1", "x", "--revision", "1"],
        4,
        "revision",
    );
    service.refuses("ann", &["ticket", "show", "77"], 3, "no ticket `77`");
    service.refuses("ann", &["ticket", "act", "1", "dance"], 3, "possible now: ");
    service.refuses(
        "ann",
        &["ticket", "open", "nothing"],
        1,
        "no workflow `nothing`",
    );
    service.refuses("eye", &["ticket", "comment", "1", "x"], 5, "do nothing");
    service.refuses("nobody", &["ticket", "list"], 5, "help: give a token");
    service.refuses(
        "ann",
        &["ticket", "list", "--standing", "maybe"],
        2,
        "maybe",
    );
    service.refuses(
        "ann",
        &["ticket", "open", "x", "--field", "none"],
        2,
        "this is no field",
    );
    let words = ["ticket", "list", "--json"];
    let (said, exit) = service.ask("nobody", &words);
    let report: Value = serde_json::from_str(said.split("error: ").next().unwrap()).expect(&said);
    assert_eq!((exit, &report["exit"]), (5, &serde_json::json!(5)));
    for server in ["http://user:secret@127.0.0.1:1", "ftp://x", "127.0.0.1"] {
        let (said, exit) = printed(&mut upline(&["status", "--server", server]));
        assert_eq!(exit, 2, "{said}");
        assert!(!said.contains("secret"), "{said}");
    }
    let (said, exit) = printed(upline(&["status"]).env("UPLINE_TOKEN", "upl_\u{1}"));
    assert!(exit != 0 && !said.contains("upl_"), "{said}");
}

#[test]
fn who_is_on_call_is_the_same_from_the_service_and_from_its_files() {
    let service = Service::start("on-call");
    let at = ["--at", "2026-03-06T10:00:00+08:00"];
    let who = [&["oncall", "who"][..], &at].concat();
    let said = service.is("tom", &who);
    assert!(said.contains("duty-officer"), "{said}");
    assert!(said.contains("last resort: max"), "{said}");
    let of_service = service.json("tom", &[&["oncall", "check"][..], &at].concat());
    let folder = root().join("workflows");
    let of_files = |words: &[&str]| {
        let mut command = upline(words);
        printed(command.arg(&folder).args(at))
    };
    // The service of this test has other shifts: of all the other teams the same is told.
    let (said, exit) = of_files(&["oncall", "check", "--json"]);
    assert_eq!(exit, 1, "{said}");
    let of_folder: Value = serde_json::from_str(&said).expect(&said);
    let teams = |found: &Value| {
        let teams = found["teams"].as_array().unwrap().iter();
        let others = teams.filter(|team| team["schedule"] != "desk-shifts");
        others.cloned().collect::<Vec<Value>>()
    };
    assert!(teams(&of_folder).len() > 5);
    assert_eq!(teams(&of_service), teams(&of_folder));
    assert_eq!(of_service["last-resort"], of_folder["last-resort"]);

    let words = ["oncall", "check", "--team", "service-desk", "--days", "2"];
    let (said, exit) = of_files(&words);
    assert_eq!(exit, 1, "{said}");
    let nobody = "service-desk: nobody from Fri 18:00 to Sat 09:00 (15 h)";
    assert!(said.contains(nobody), "{said}");
    let (said, exit) = of_files(&[&words[..], &["--lang", "zh"]].concat());
    assert_eq!(exit, 1, "{said}");
    assert!(
        said.contains("service-desk：周五 18:00 到 周六 09:00 无人（15 小时）"),
        "{said}"
    );
    let (said, exit) = of_files(&["oncall", "next", "--team", "service-desk", "--days", "1"]);
    assert_eq!(exit, 0, "{said}");
    assert!(said.contains("Fri 18:00  service-desk  nobody"), "{said}");
    let (said, exit) = of_files(&["oncall", "check", "--team", "platform"]);
    assert_eq!(exit, 0, "{said}");
    assert!(said.contains("somebody is there at all times"), "{said}");
    let (said, exit) = of_files(&["oncall", "who", "--team", "nobodies"]);
    assert_eq!(exit, 3, "{said}");
    service.refuses(
        "tom",
        &["oncall", "who", "--team", "nobodies"],
        3,
        "no group",
    );
    service.refuses(
        "tom",
        &["oncall", "check", "--calendar", "none"],
        3,
        "calendar",
    );
    service.refuses("nobody", &["oncall", "who"], 5, "help: give a token");
}

#[test]
fn events_are_followed_and_a_watch_ends_with_its_ticket() {
    let service = Service::start("events");
    service.call();
    let mut watch = service
        .command("tom", &["ticket", "watch", "1", "--json"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut tail = service
        .command(
            "eye",
            &[
                "events", "tail", "--after", "0", "--type", "ticket.*", "--json",
            ],
        )
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(tail.stdout.take().unwrap());
    let mut kinds = Vec::new();
    let mut until = |kind: &str| {
        while kinds.last().map(String::as_str) != Some(kind) {
            let mut line = String::new();
            assert_ne!(lines.read_line(&mut line).unwrap(), 0, "{kinds:?}");
            let event: Value = serde_json::from_str(&line).expect(&line);
            kinds.push(event["type"].as_str().unwrap().to_owned());
        }
    };
    until("upline.ticket.opened.v1");
    let mut watched = BufReader::new(watch.stdout.take().unwrap());
    // It may have begun after any of these; it has begun when it tells one.
    let mut first = String::new();
    let commenting = std::thread::scope(|scope| {
        let told = scope.spawn(|| watched.read_line(&mut first).unwrap());
        let mut said = 0;
        while !told.is_finished() && said < 500 {
            service.is("tom", &["ticket", "comment", "1", "is somebody there?"]);
            said += 1;
        }
        told.join().unwrap()
    });
    assert!(commenting > 0 && first.contains("commented"), "{first}");
    service.is("tom", &["ticket", "act", "1", "open"]);
    service.is("lea", &["ticket", "show", "1"]);
    until("upline.ticket.assigned.v1");
    let once = service.is(
        "eye",
        &["events", "tail", "--once", "--since", "1h", "--ticket", "1"],
    );
    assert!(
        once.contains("ticket.opened") && once.contains("answerable: ann"),
        "{once}"
    );
    tail.kill().unwrap();
    tail.wait().unwrap();
    service.is("boss", &["ticket", "cancel", "1", "--reason", "enough"]);
    assert!(
        watch.wait().unwrap().success(),
        "it has ended, and so has the watch"
    );
}

#[test]
fn what_is_not_there_is_tried_again_and_a_command_is_given_once() {
    // Nobody listens.
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let (said, exit) = printed(&mut upline(&[
        "status",
        "--server",
        &format!("http://{free}"),
    ]));
    assert_eq!(exit, 6, "{said}");
    assert!(
        said.contains("can't be reached") && said.contains("help: "),
        "{said}"
    );
    // One that takes the command and drops the connection, and then says that it is busy.
    let flaky = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = flaky.local_addr().unwrap();
    let peer = std::thread::spawn(move || {
        let mut keys = Vec::new();
        for turn in 0..3 {
            let (mut stream, _) = flaky.accept().unwrap();
            let mut request = [0; 4096];
            let read = stream.read(&mut request).unwrap();
            let request = String::from_utf8_lossy(&request[..read]).to_lowercase();
            let key = request
                .lines()
                .find(|line| line.starts_with("idempotency-key"));
            keys.push(key.unwrap().to_owned());
            let answer = match turn {
                0 => continue,
                1 => {
                    "HTTP/1.1 503 x\r\nretry-after: 0\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
                }
                _ => {
                    "HTTP/1.1 201 x\r\ncontent-length: 10\r\nconnection: close\r\n\r\n{\"id\":\"7\"}"
                }
            };
            stream.write_all(answer.as_bytes()).unwrap();
        }
        keys
    });
    let server = format!("http://{address}");
    let words = [
        "ticket", "open", "call", "--server", &server, "--token", "x",
    ];
    let (said, exit) = printed(&mut upline(&words));
    assert_eq!((said.as_str(), exit), ("7\n", 0));
    let keys = peer.join().unwrap();
    assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
}
