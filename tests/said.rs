//! What was said and done to a ticket, as the commands against a service tell it.

use serde_json::Value;

use crate::documents::upline;
use crate::service::Service;

#[test]
fn what_was_said_and_done_is_shown_in_both_languages() {
    let service = Service::start("said");
    service.call();
    service.is("tom", &["ticket", "act", "1", "open"]);
    service.is("ann", &["ticket", "comment", "1", "I look into it"]);
    let asks = [
        "ticket",
        "comment",
        "1",
        "which house?\nwhich floor?",
        "--to-caller",
    ];
    service.is("ann", &asks);
    let said = service.is("eye", &["ticket", "show", "1"]);
    assert!(said.contains("  person ann: I look into it\n"), "{said}");
    let asked = "  person ann, to the caller:\n      which house?\n      which floor?\n";
    assert!(said.contains(asked), "{said}");
    let said = service.is("eye", &["ticket", "show", "1", "--lang", "zh"]);
    assert!(
        said.contains("人员 ann，对来电人说：\n      which house?"),
        "{said}"
    );
    let shown = service.json("eye", &["ticket", "show", "1"]);
    let last = &shown["comments"][1];
    assert_eq!(last["to-caller"], true);
    assert_eq!(last["by"]["name"], "ann");

    let said = service.is("eye", &["ticket", "timeline", "1"]);
    let told: Vec<&str> = said.lines().collect();
    assert!(told[0].contains("opened by tom"), "{said}");
    assert!(
        said.contains("assigned to ann (least busy in service-desk)"),
        "{said}"
    );
    assert!(said.contains("ann answers: \"which house?"), "{said}");
    let zh = service.is("eye", &["ticket", "timeline", "1", "--lang", "zh-CN"]);
    assert_eq!(zh.lines().count(), told.len(), "{zh}");
    assert!(!zh.contains("assigned to"), "{zh}");
    let all = service.json("eye", &["ticket", "timeline", "1"]);
    let last = service.json("eye", &["ticket", "timeline", "1", "--last", "2"]);
    let (all, last) = (all.as_array().unwrap(), last.as_array().unwrap());
    assert_eq!(last.len(), 2);
    assert_eq!(last[1]["revision"], all[all.len() - 1]["revision"]);
    service.refuses("ann", &["ticket", "timeline", "77"], 3, "no ticket `77`");
    service.refuses(
        "nobody",
        &["ticket", "timeline", "1"],
        5,
        "help: give a token",
    );
}

#[test]
fn of_a_long_comment_the_beginning_is_shown() {
    let service = Service::start("long-comment");
    service.call();
    let long = format!("{}\u{1b}[31m\tred", "a line\n".repeat(11));
    service.is("tom", &["ticket", "comment", "1", &long]);
    let said = service.is("eye", &["ticket", "show", "1"]);
    let end = "      a line\n      \\u{1b}[31m    red\n";
    assert!(
        said.contains(end) && !said.contains("characters;"),
        "{said}"
    );
    let long = format!("{}the end", "a line\n".repeat(40));
    service.is("tom", &["ticket", "comment", "1", &long]);
    let said = service.is("eye", &["ticket", "show", "1"]);
    let end = "      a line\n      … (it has 287 characters; `--json` shows all of them)\n";
    assert!(said.contains(end) && !said.contains("the end"), "{said}");
    let said = service.is("eye", &["ticket", "show", "1", "--lang", "zh"]);
    assert!(said.contains("      …（共 287 个字符"), "{said}");
}

#[test]
fn the_log_says_who_gave_which_command_and_from_where() {
    let service = Service::start("trail");
    let id = service.call();
    let command = service.logged("command");
    let said = |command: &Value, name: &str| command[name].as_str().unwrap_or_default().to_owned();
    assert_eq!(said(&command, "ticket"), id);
    assert_eq!(
        (said(&command, "origin"), said(&command, "peer")),
        ("token tom".into(), "127.0.0.1".into())
    );
    let opened = service.json("eye", &["ticket", "timeline", &id]);
    assert_eq!(opened[0]["revision"], command["revision"]);
    assert_eq!(opened[0]["origin"], command["origin"]);
    service.refuses("lea", &["ticket", "claim", &id], 4, "");
    let refused = service.logged("command-refused");
    assert_eq!(
        (said(&refused, "ticket"), said(&refused, "peer")),
        (id, "127.0.0.1".into())
    );
    assert_eq!(said(&refused, "origin"), "token lea");
    assert!(!said(&refused, "why").is_empty());
    let request = service.logged("request");
    assert_eq!(said(&request, "peer"), "127.0.0.1");
    assert_eq!(request["span"], refused["span"], "one request, one id");
    assert_eq!(request["span"]["id"].as_str().unwrap().len(), 32);
}

#[test]
fn each_clock_says_what_it_does() {
    let service = Service::start("clocks");
    service.call();
    service.is("tom", &["ticket", "act", "1", "open"]);
    let said = service.is("eye", &["ticket", "explain", "1"]);
    assert!(
        said.starts_with("ticket 1, trouble-ticket version 1, as of "),
        "{said}"
    );
    assert!(said.contains("ann is answerable since "), "{said}");
    assert!(
        said.contains("  if nobody acts: another in service-desk, "),
        "{said}"
    );
    let said = service.is("eye", &["ticket", "explain", "1", "--lang", "zh"]);
    assert!(
        said.contains("  若无人处理：another in service-desk，"),
        "{said}"
    );
    let hop = service.json("eye", &["ticket", "show", "1"]);
    let explained = service.json("eye", &["ticket", "explain", "1"]);
    let clock = &explained["positions"][0]["clocks"][0];
    assert_eq!(clock["next"], "another in service-desk");
    assert_eq!(hop["positions"][0]["next-due"], clock["due"]);

    // In progress it is reminded first: that is not when somebody else has it.
    service.is("ann", &["ticket", "act", "1", "accept"]);
    let explained = service.json("eye", &["ticket", "explain", "1"]);
    let at = &explained["positions"][0];
    assert_eq!(at["clocks"][0]["next"], "notify assignee");
    assert_eq!(at["clocks"][0]["moves"], false);
    assert_ne!(at["moves"], at["clocks"][0]["due"]);
    let hop = service.json("eye", &["ticket", "show", "1"]);
    assert_eq!(hop["positions"][0]["next-due"], at["moves"]);
    let list = service.json("eye", &["ticket", "list"]);
    assert_eq!(list[0]["positions"][0]["next-due"], at["moves"]);
}

#[test]
fn of_a_ticket_that_was_erased_it_is_told() {
    let service = Service::start("erased");
    let id = service.call();
    service.is("tom", &["ticket", "comment", &id, "he is called Low"]);
    service.is("boss", &["ticket", "cancel", &id, "--reason", "a test"]);
    let said = service.is("eye", &["ticket", "show", &id]);
    assert!(
        said.contains("he is called Low") && !said.contains("erased"),
        "{said}"
    );
    service.is("boss", &["ticket", "erase", &id, "--yes"]);
    let said = service.is("eye", &["ticket", "show", &id]);
    assert!(
        said.contains("  erased by boss, ") && !said.contains("Low"),
        "{said}"
    );
    let shown = service.json("eye", &["ticket", "show", &id]);
    assert_eq!(shown["erased"]["by"], "boss");
    let said = service.is("eye", &["ticket", "show", &id, "--lang", "zh"]);
    assert!(said.contains("  boss 于 "), "{said}");
}

#[test]
fn what_is_not_on_call_is_told_in_the_language_that_was_asked_for() {
    let service = Service::start("not-on-call");
    let team = ["oncall", "who", "--team", "nobodies", "--lang", "zh"];
    service.refuses("tom", &team, 3, "没有组 `nobodies`");
    let calendar = ["oncall", "check", "--calendar", "none", "--lang", "zh"];
    service.refuses("tom", &calendar, 3, "没有日历 `none`");
    for (words, says) in [
        (
            &["oncall", "who", "workflows", "--team", "nobodies"][..],
            "没有组 `nobodies`",
        ),
        (
            &["oncall", "check", "workflows", "--calendar", "none"],
            "没有日历 `none`",
        ),
        (&["oncall", "who", "examples/mail"], "没有通讯录"),
    ] {
        let words = words.iter().chain(&["--lang", "zh"]);
        let words: Vec<String> = words.map(|word| (*word).to_owned()).collect();
        let (said, exit) = upline(&words);
        assert_eq!(exit, 3, "{said}");
        assert!(said.contains("error: ") && said.contains(says), "{said}");
    }
}
