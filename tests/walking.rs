//! A ticket is walked through everything that people do to one, and what is told of it in both languages.

use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr as _;

use crate::service::{Service, printed, upline};

/// Offered to a group, then somebody's, with a ladder beside it.
const ERRAND: &str = "\
workflow: errand
title: { en: An errand, zh: 跑腿 }
fields:
  what: { type: text, label: { en: What?, zh: 什么事 } }
ladders:
  slow:
    - { after: 4 h, assign: lead of service-desk }
    - { after: 4 h, assign: manager of service-desk }
start: asked
states:
  asked:
    title: { en: Who goes?, zh: 等待认领 }
    assign: anyone in service-desk
    escalate: slow
    form: [what]
    actions:
      done: { label: { en: Done, zh: 完成 }, goto: closed }
  closed:
    title: { en: Closed, zh: 已关闭 }
    end: done
";

fn errand(name: &str) -> Service {
    let service = Service::with(name, &[("errand.yaml", ERRAND)]);
    let open = ["ticket", "open", "errand", "--key", "西区-甲"];
    assert_eq!(service.is("tom", &open), "1\n");
    service
}

fn tomorrow() -> String {
    let tomorrow = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24);
    tomorrow.to_string()
}

/// Does something to the ticket, and compares what is said of how it stands.
fn told(service: &Service, who: &str, words: &[&str], expected: &str) {
    let said = service.is(who, &[&["ticket"], words].concat());
    assert!(said.starts_with(expected), "{who} {words:?}: {said}");
}

#[test]
fn every_verb_says_how_the_ticket_stands_then() {
    let service = errand("verbs");
    let at = tomorrow();
    let until = ["suspend", "1", "--until", &at, "--reason", "on holiday"];
    told(&service, "ann", &["claim", "1"], "1: asked, ann has it");
    let release = ["release", "1", "--reason", "no time"];
    told(&service, "ann", &release, "1: asked, lea is asked since");
    told(&service, "bob", &["claim", "1"], "1: asked, bob has it");
    told(&service, "bob", &until, "1: asked, bob has it since");
    let said = service.is("eye", &["ticket", "show", "1"]);
    assert!(said.contains("paused until"), "{said}");
    told(&service, "bob", &["resume", "1"], "1: asked, bob");
    let said = service.is("eye", &["ticket", "show", "1"]);
    assert!(!said.contains("paused"), "{said}");
    let delegate = ["delegate", "1", "--to", "ann", "--reason", "on your way"];
    told(&service, "bob", &delegate, "1: asked, ann is asked since");
    let reassign = ["reassign", "1", "--to", "bob", "--reason", "his"];
    told(&service, "lea", &reassign, "1: asked, bob is asked since");
    told(&service, "bob", &["escalate", "1"], "1: asked, lea is");
    let reassign = ["reassign", "1", "--to", "ann", "--reason", "hers"];
    told(&service, "lea", &reassign, "1: asked, ann is asked since");
    let level = ["escalate", "1", "--level", "2"];
    told(&service, "ann", &level, "1: asked, max is asked since");
    told(&service, "lea", &reassign, "1: asked, ann is asked since");
    service.is("tom", &["ticket", "open", "errand"]);
    let decline = ["decline", "2", "--reason", "far away"];
    told(&service, "bob", &decline, "2: asked, lea is asked since");
    let said = service.is("eye", &["ticket", "timeline", "2"]);
    assert!(said.contains("declined by bob: \"far away\""), "{said}");
    let done = ["act", "1", "done", "--lang", "zh"];
    told(&service, "ann", &done, "1：已结束，done，");
}

#[test]
fn what_can_not_be_done_has_an_exit_code() {
    let service = errand("refused-verbs");
    let mut wrong = String::new();
    let mut refuses = |who: &str, words: &[&str], exit: i32, says: &str| {
        let (said, code) = service.ask(who, &[&["ticket"], words].concat());
        if code != exit || !said.contains(says) {
            wrong.push_str(&format!("{who} {words:?}: {code}, {said}\n"));
        }
    };
    let tomorrow = tomorrow();
    let until = |until| ["suspend", "1", "--until", until];
    let to = |verb, to| [verb, "1", "--to", to];
    refuses("tom", &["claim", "1"], 5, "not for you");
    refuses("lea", &until(&tomorrow), 4, "nobody has taken it");
    service.is("ann", &["ticket", "claim", "1"]);
    refuses("ann", &["resume", "1"], 4, "not suspended");
    refuses("bob", &["claim", "1"], 4, "1: ann took it");
    refuses("bob", &["claim", "1", "--lang", "zh"], 4, "组长可以接管");
    refuses("bob", &["decline", "1"], 5, "not for you");
    refuses("bob", &["release", "1"], 5, "not for you");
    refuses("bob", &["escalate", "1"], 5, "not for you");
    refuses("bob", &to("delegate", "bob"), 5, "not for you");
    refuses("tom", &to("reassign", "tom"), 5, "not for you");
    refuses("ann", &to("delegate", "nobody"), 1, "`nobody`");
    refuses("lea", &to("reassign", "nobody"), 1, "`nobody`");
    refuses("ann", &["escalate", "1", "--level", "7"], 1, "2 levels");
    refuses("ann", &until("2020-01-01 12:00"), 1, "after now");
    refuses(
        "ann",
        &until("soon"),
        2,
        "`--until 'soon'`: this is no time",
    );
    refuses("ann", &["escalate", "1", "--revision", "1"], 4, "revision");
    service.is("ann", &[&["ticket"], &until(&tomorrow)[..]].concat());
    refuses("ann", &until(&tomorrow), 4, "suspended");
    refuses("eye", &["release", "1"], 5, "do nothing");
    service.is("ann", &["ticket", "resume", "1"]);
    service.is("ann", &["ticket", "act", "1", "done"]);
    refuses("ann", &["claim", "1"], 4, "ended");
    refuses("ann", &["release", "9"], 3, "no ticket `9`");
    assert!(wrong.is_empty(), "{wrong}");
}

/// Where each cell of the head begins on the screen, and whether every row has one beginning there.
fn aligned(table: &str, head: &[&str]) {
    let lines: Vec<&str> = table.lines().collect();
    let first = lines[0];
    let starts: Vec<usize> = head
        .iter()
        .map(|name| first[..first.find(name).expect(table)].width())
        .collect();
    for line in &lines[1..] {
        // The columns of the screen at which something begins after a gap.
        let mut begins = Vec::new();
        let (mut at, mut blanks) = (0, 2);
        for letter in line.chars() {
            if letter != ' ' && blanks >= 2 {
                begins.push(at);
            }
            blanks = if letter == ' ' { blanks + 1 } else { 0 };
            at += letter.to_string().width();
        }
        // What stands before the first or behind the last of them is aligned to the right.
        let between = starts[0]..=starts[starts.len() - 1];
        for begin in begins.into_iter().filter(|begin| between.contains(begin)) {
            assert!(starts.contains(&begin), "{begin} {starts:?}\n{table}");
        }
    }
}

#[test]
fn tables_and_sentences_are_told_in_chinese_too() {
    let service = errand("chinese");
    let open = [
        "ticket", "open", "errand", "--key", "B7", "--field", "what=a",
    ];
    service.is("tom", &open);
    service.is("ann", &["ticket", "claim", "2"]);
    let zh = |words: &[&str]| service.is("eye", &[words, &["--lang", "zh"]].concat());
    let list = zh(&["ticket", "list"]);
    let head = [
        "工单",
        "级别",
        "负责人",
        "之后",
        "状态",
        "流程",
        "打开",
        "外部编号",
    ];
    aligned(&list, &head);
    assert!(list.contains("西区-甲") && list.contains("小时"), "{list}");
    // By the ladder lea is next, who leads the group.
    assert_eq!(list.matches("lea").count(), 3, "{list}");
    let words = ["ticket", "list", "--candidate"];
    let ids = |who: &str, person: &str| {
        let found = service.json(who, &[&words[..], &[person]].concat());
        let ids = found.as_array().unwrap().iter();
        ids.map(|one| one["id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    // The second is claimed already.
    assert_eq!(ids("bob", "me"), ["1"]);
    assert_eq!(ids("eye", "cem"), ["1"]);
    assert_eq!(ids("eye", "lea"), [] as [&str; 0]);
    let messages = zh(&["ticket", "messages", "1"]);
    aligned(&messages, &["时间", "给", "渠道", "内容", "状态"]);
    assert!(messages.contains("待认领"), "{messages}");
    let status = zh(&["status"]);
    assert!(status.contains("工作正常"), "{status}");
    let tail = zh(&["events", "tail", "--once", "--after", "0", "--ticket", "2"]);
    assert!(tail.contains("负责人：ann"), "{tail}");
}

#[test]
fn what_became_of_each_message_of_a_ticket() {
    let service = errand("messages");
    let words = ["ticket", "messages", "1"];
    let offered = |one: &&Value| one["to"]["name"] == "ann" && one["topic"] == "offered";
    // It is sent beside the command, which was answered before.
    let sent = (0..500).find_map(|_| {
        let all = service.json("eye", &words);
        let all = all.as_array().unwrap();
        let to_ann = all.iter().find(offered).unwrap();
        (to_ann["state"] != "waiting").then(|| to_ann.clone())
    });
    let sent = sent.expect("it waits still");
    assert_eq!(
        (&sent["state"], &sent["tries"]),
        (&"delivered".into(), &1.into())
    );
    let said = service.is("eye", &words);
    let head: Vec<&str> = said.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(
        head,
        ["when", "to", "via", "about", "state", "tries", "why"]
    );
    let to_ann = said.lines().find(|line| line.contains("ann")).unwrap();
    assert!(
        to_ann.contains("offered") && to_ann.contains("delivered"),
        "{said}"
    );
    // More than a page of them.
    let hand = |to: &str| json!({ "ticket": "1", "action": "reassign", "with": { "to": to } });
    let commands: Vec<Value> = ["ann", "bob"].repeat(50).into_iter().map(hand).collect();
    for key in ["first", "second", "third"] {
        let answer = service.batch("lea", key, &commands);
        let results = answer["results"].as_array().unwrap();
        let done = results.iter().filter(|one| one["status"] == 200);
        assert_eq!(done.count(), 100, "{answer}");
    }
    let all = service.json("eye", &words);
    let all = all.as_array().unwrap();
    assert!(all.len() > 200, "{}", all.len());
    let ids: Vec<u64> = all.iter().map(|one| one["id"].as_u64().unwrap()).collect();
    assert!(ids.is_sorted_by(|one, next| one < next), "{ids:?}");
    service.refuses("eye", &["ticket", "messages", "9"], 3, "no ticket `9`");
    service.refuses("nobody", &words, 5, "help: give a token");
    let (said, exit) = printed(&mut upline(
        &[&words[..], &["--server", "http://127.0.0.1:1"]].concat(),
    ));
    assert_eq!(exit, 6, "{said}");
}
