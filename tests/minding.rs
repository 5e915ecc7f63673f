//! What an operator does with tickets of a running service, from the command line.

use std::process::Stdio;

use jiff::Timestamp;
use serde_json::json;

use crate::looking::set_aside;
use crate::service::Service;

const WHY: &str = "clock 1 is due, and nothing happens";

/// A call with nobody at a terminal: what was printed, and the exit code.
fn alone(service: &Service, who: &str, words: &[&str]) -> (String, i32) {
    let mut command = service.command(who, words);
    let output = command.stdin(Stdio::null()).output().unwrap();
    let both = [output.stdout, output.stderr].concat();
    (
        String::from_utf8(both).unwrap(),
        output.status.code().unwrap(),
    )
}

#[test]
fn a_ticket_is_erased_only_by_an_admin_who_says_so() {
    let service = Service::start("erase");
    service.call();
    let erase = ["ticket", "erase", "1"];
    let sure = ["ticket", "erase", "1", "--yes"];
    service.refuses("boss", &sure, 4, "still open\n  help: ");
    service.is("boss", &["ticket", "cancel", "1", "--reason", "a mistake"]);
    for who in ["tom", "lea", "eye"] {
        service.refuses(who, &sure, 5, "only an admin may erase tickets");
    }
    service.refuses(
        "boss",
        &["ticket", "erase", "77", "--yes"],
        3,
        "no ticket `77`",
    );
    let (said, exit) = alone(&service, "boss", &erase);
    assert_eq!(exit, 2, "{said}");
    assert!(
        said.contains("no terminal") && said.contains("help: `--yes`"),
        "{said}"
    );
    let (said, exit) = alone(&service, "boss", &[&erase[..], &["--lang", "zh"]].concat());
    assert!(exit == 2 && said.contains("没有终端"), "{said}");
    let ticket = service.json("boss", &["ticket", "show", "1"]);
    assert_eq!(ticket["fields"]["problem"], "话机没有声音");

    assert_eq!(
        alone(&service, "boss", &sure),
        ("1: erased\n".to_owned(), 0)
    );
    let ticket = service.json("boss", &["ticket", "show", "1"]);
    assert_eq!(ticket["fields"], json!({}));
    let again = [&sure[..], &["--lang", "zh"]].concat();
    assert_eq!(service.is("boss", &again), "1：已抹除\n");
    assert_eq!(service.json("boss", &sure)["id"], "1");
    let found = ["ticket", "list", "--contact", "low@example.com"];
    assert_eq!(service.json("boss", &found), json!([]));
}

#[test]
fn tickets_that_are_set_aside_are_listed_and_put_back() {
    let mut service = Service::start("set-aside");
    let list = ["ticket", "set-aside"];
    assert_eq!(service.is("boss", &list), "no ticket is set aside\n");
    for _ in 0..2 {
        service.call();
    }
    service.is("tom", &["ticket", "act", "1", "open"]);
    service.restarted(|data| {
        let now = Timestamp::now().as_millisecond();
        set_aside(data, 1, WHY, now);
        set_aside(data, 2, WHY, now);
    });
    let (said, exit) = alone(&service, "boss", &list);
    assert_eq!(exit, 0, "{said}");
    assert!(said.starts_with("  id  why\n"), "{said}");
    for part in [&format!("  1   {WHY}\n"), "upline ticket put-back ID"] {
        assert!(said.contains(part), "{said}");
    }
    let both = json!([{ "id": "1", "why": WHY }, { "id": "2", "why": WHY }]);
    assert_eq!(service.json("boss", &list), both);
    let said = service.is("boss", &["ticket", "set-aside", "--lang", "zh"]);
    assert!(said.contains("原因"), "{said}");
    let said = service.is("eye", &["status"]);
    assert!(
        said.contains("warning [set-aside]: 2 tickets are set aside: `upline ticket set-aside`"),
        "{said}"
    );
    let said = service.is("eye", &["ticket", "explain", "1"]);
    assert!(said.contains("`upline ticket put-back 1`"), "{said}");
    let accept = ["ticket", "act", "1", "accept"];
    service.refuses("ann", &accept, 4, "`upline ticket put-back ID`");

    let put_back = ["ticket", "put-back", "1"];
    for who in ["ann", "lea", "eye"] {
        service.refuses(who, &list, 5, "only an admin may");
        service.refuses(who, &put_back, 5, "only an admin may put tickets back");
    }
    service.refuses("boss", &["ticket", "put-back", "77"], 3, "no ticket `77`");
    let said = service.is("boss", &put_back);
    assert!(
        said.starts_with("1: goes on\n  dispatched, ann is answerable, next due "),
        "{said}"
    );
    let said = service.is("boss", &["ticket", "put-back", "2", "--lang", "zh"]);
    assert!(said.starts_with("2：继续\n  new，负责人 tom"), "{said}");
    let none = service.is("boss", &["ticket", "set-aside", "--lang", "zh"]);
    assert_eq!(none, "没有被搁置的工单\n");
    let said = service.is("eye", &["ticket", "explain", "1"]);
    assert!(said.contains("put back by boss, "), "{said}");
    service.is("ann", &accept);
}
