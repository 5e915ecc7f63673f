//! What a link does, and what it does twice.

use serde_json::json;

use super::kit::Desk;

#[test]
fn a_press_takes_the_ticket_and_a_second_one_says_that_it_is_taken() {
    let desk = Desk::shipped();
    let id = desk.dispatched();
    assert_eq!(desk.labels("ann"), ["I am on it", "Not me"]);
    let link = desk.link("ann", "I am on it");
    let before = desk.ticket(&id);

    let page = desk.open(&link).is(200);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    for shown in [
        "<html lang=\"en\">",
        "Trouble ticket 1",
        "Press the button to say: I am on it.",
        "Waiting for an agent",
        "Ann Berg · since Fri 2026-03-06 09:10 +08:00",
        "Fri 2026-03-06 09:25 +08:00 · another in service-desk",
        "no dial tone",
        "<label for=\"number\">",
        "autofocus",
        "<button type=\"submit\">I am on it</button>",
    ] {
        assert!(page.text.contains(shown), "{shown}\n{}", page.text);
    }
    // Who the customer is, is no business of whoever looks into mail.
    assert!(
        !page.text.contains("Mr Low") && !page.text.contains("<script"),
        "{}",
        page.text
    );
    assert_eq!(desk.ticket(&id), before, "to look changes nothing");

    desk.wait(3);
    let done = desk.press(&link).is(200);
    assert!(done.text.contains("Done: I am on it."), "{}", done.text);
    assert!(done.text.contains("In progress"), "{}", done.text);
    assert_eq!(desk.service.standing(&id), ("working".into(), "ann".into()));
    let after = desk.ticket(&id);
    let again = desk.press(&link).is(200);
    assert!(
        again.text.contains("This was done before"),
        "{}",
        again.text
    );
    // Whoever has pressed it himself is not told that somebody has.
    let page = desk.open(&link).is(200);
    assert!(page.text.contains("This was done before"), "{}", page.text);
    let at_once = desk.press(&link).is(200);
    assert!(
        at_once.text.contains("This was done before"),
        "{}",
        at_once.text
    );
    let other = desk.link("ann", "Not me");
    let page = desk.open(&other).is(410);
    assert!(page.text.contains("has moved on"), "{}", page.text);
    assert_eq!(desk.ticket(&id), after);

    let timeline = desk
        .service
        .get("ann", &format!("/v1/tickets/{id}/timeline"))
        .json();
    let entries = timeline["entries"].as_array().unwrap();
    let by_link: Vec<String> = entries
        .iter()
        .filter(|entry| entry["origin"] == "link")
        .map(|entry| entry["lines"].to_string())
        .collect();
    assert_eq!(by_link.len(), 2, "{timeline}");
    assert!(by_link[1].contains("working, ann"), "{by_link:?}");
}

#[test]
fn the_ladder_is_held_for_whoever_presses_too_late_to_be_sure() {
    let desk = Desk::shipped();
    let id = desk.dispatched();
    let link = desk.link("ann", "I am on it");
    desk.service.pass(14);
    desk.press(&link).is(200);
    let timeline = desk
        .service
        .get("ann", &format!("/v1/tickets/{id}/timeline"))
        .json();
    let lines = timeline.to_string();
    assert!(
        lines.contains("Fri 09:29"),
        "put off by five minutes: {lines}"
    );
}

#[test]
fn not_me_asks_the_next_at_once() {
    let desk = Desk::shipped();
    let id = desk.dispatched();
    let link = desk.link("ann", "Not me");
    let page = desk.open(&link).is(200);
    assert!(
        page.text.contains("somebody else is asked at once"),
        "{}",
        page.text
    );
    desk.wait(4);
    let done = desk.press(&link).is(200);
    assert!(done.text.contains("Bob Stone"), "{}", done.text);
    assert_eq!(desk.service.standing(&id).1, "bob");
    desk.press(&link).is(200);
    assert_eq!(desk.service.standing(&id).1, "bob", "once");
    let other = desk.link("bob", "I am on it");
    desk.press(&other).is(200);
    assert_eq!(desk.service.standing(&id), ("working".into(), "bob".into()));
    let outcome = desk.letter("ann");
    assert_eq!(
        (outcome.subject.as_str(), outcome.buttons),
        ("Outcome", Vec::new())
    );
}

#[test]
fn of_two_who_press_one_has_it_and_he_can_give_it_back() {
    let desk = Desk::small(&["take", "decline"]);
    let id = desk.ask("why?");
    assert_eq!(desk.labels("ann"), ["I take it", "Not me"]);
    let (ann, bob) = (desk.link("ann", "I take it"), desk.link("bob", "I take it"));
    assert_ne!(ann.path, bob.path);
    desk.open(&ann).is(200);
    let page = desk.open(&bob).is(200);
    assert!(page.text.contains("Ann Berg, Bob Stone"), "{}", page.text);
    desk.wait(5);
    let done = desk.press(&ann).is(200);
    assert!(done.text.contains("Undo: give it back"), "{}", done.text);
    let late = desk.press(&bob).is(410);
    assert!(
        late.text.contains("Ann Berg") && !late.text.contains("Undo"),
        "{}",
        late.text
    );
    assert_eq!(desk.ticket(&id)["positions"][0]["answerable"], "ann");

    // The page that she opens again asks for the number; the one after the press has it.
    let hidden = format!(
        "<input type=\"hidden\" name=\"number\" value=\"{}\">",
        ann.number
    );
    assert!(done.text.contains(&hidden), "{}", done.text);
    let again = desk.open(&ann).is(200);
    assert!(
        again.text.contains("Undo") && !again.text.contains(&hidden),
        "{}",
        again.text
    );
    desk.wait(5);
    let wrong = desk.submit(&ann, &format!("undo=1&number={}", ann.wrong()));
    assert!(wrong.is(422).text.contains("Undo: give it back"));
    let undo = format!("undo=1&number={}", ann.number);
    desk.submit(&ann, &undo).is(200);
    let given_back = desk.ticket(&id);
    assert_eq!(given_back["positions"][0]["taken"], false, "{given_back}");
    desk.submit(&ann, &undo).is(200);
    assert_eq!(desk.ticket(&id), given_back, "once");
    // Her claim was one press, and the link is used up.
    let used = desk.press(&ann).is(200);
    assert!(used.text.contains("This was done before"), "{}", used.text);
    assert_eq!(desk.ticket(&id), given_back);
    desk.press(&bob).is(410);
    desk.press(&desk.link("bob", "I take it")).is(200);
    assert_eq!(desk.ticket(&id)["positions"][0]["answerable"], "bob");
}

#[test]
fn after_five_minutes_nothing_is_undone() {
    let desk = Desk::small(&["take"]);
    let id = desk.ask("why?");
    let link = desk.link("ann", "I take it");
    desk.press(&link).is(200);
    let taken = desk.ticket(&id);
    desk.wait(5 * 60);
    let page = desk.open(&link).is(200);
    assert!(!page.text.contains("<form"), "{}", page.text);
    desk.wait(5);
    desk.submit(&link, &format!("undo=1&number={}", link.number))
        .is(410);
    assert_eq!(desk.ticket(&id), taken);
}

#[test]
fn everybody_who_presses_at_the_same_moment_presses_once() {
    let desk = Desk::small(&["take"]);
    let id = desk.ask("why?");
    let link = desk.link("ann", "I take it");
    let address = desk.service.daemon().address();
    let pressed: Vec<u16> = std::thread::scope(|scope| {
        let press = || {
            let agent = ureq::Agent::config_builder()
                .http_status_as_error(false)
                .build();
            let agent: ureq::Agent = agent.into();
            let request = agent.post(format!("http://{address}{}", link.path));
            request
                .send(format!("number={}", link.number))
                .unwrap()
                .status()
                .as_u16()
        };
        let all: Vec<_> = (0..8).map(|_| scope.spawn(press)).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(pressed, [200; 8]);
    let timeline = desk
        .service
        .get("boss", &format!("/v1/tickets/{id}/timeline"))
        .json();
    let by_link = timeline.to_string().matches("\"origin\":\"link\"").count();
    assert!((1..=2).contains(&by_link), "a hold and a claim: {timeline}");
}

#[test]
fn to_take_an_incident_is_a_link_beside_that_it_is_over_by_itself() {
    let desk = Desk::shipped();
    let body = json!({
        "workflow": "it-incident",
        "fields": { "severity": "Sev 1", "summary": "the shop is down", "alert": "cpu" },
    });
    let key = [("idempotency-key", "cpu")];
    let opened = desk
        .service
        .post("boss", "/v1/tickets", &key, &body)
        .is(201);
    desk.service.settle();
    let id = opened.json()["id"].as_str().unwrap().to_owned();
    let (state, who) = desk.service.standing(&id);
    assert_eq!(state, "paged");
    // That it is over is a decision, and no link.
    assert_eq!(desk.labels(&who).len(), 2, "{:?}", desk.labels(&who));
    let own = ["I am on it", "我来处理"];
    let label = own
        .into_iter()
        .find(|own| desk.labels(&who).contains(&(*own).to_owned()));
    let link = desk.link(&who, label.unwrap());
    desk.open(&link).is(200);
    desk.wait(3);
    desk.press(&link).is(200);
    assert_eq!(desk.service.standing(&id), ("working".into(), who));
}

#[test]
fn which_links_there_are_is_set() {
    let labels = |actions: &[&str]| {
        let desk = Desk::small(actions);
        desk.ask("why?");
        desk.labels("ann")
    };
    assert_eq!(labels(&[]), [""; 0]);
    assert_eq!(labels(&["decline"]), ["Not me"]);
    assert_eq!(labels(&["all"]), ["Answered", "To China"]);
    assert_eq!(labels(&["ask/done", "take"]), ["I take it", "Answered"]);
    assert_eq!(labels(&["other/done"]), [""; 0]);
}

#[test]
fn digits_are_read_as_people_type_them() {
    let desk = Desk::small(&["take"]);
    desk.ask("why?");
    let link = desk.link("ann", "I take it");
    let wide: String = link
        .number
        .chars()
        .map(|digit| format!("%EF%BC%{:02X}", 0x90 + digit.to_digit(10).unwrap()))
        .collect();
    desk.press_with(&link, &format!("+{wide}%20")).is(200);
}

#[test]
fn a_chinese_reader_gets_chinese_pages() {
    let desk = Desk::small(&["take", "ask/far"]);
    let id = desk.ask("为什么？");
    desk.press(&desk.link("ann", "To China")).is(200);
    assert_eq!(desk.ticket(&id)["positions"][0]["answerable"], "mei");
    assert_eq!(desk.labels("mei"), ["受理"]);
    let link = desk.link("mei", "受理");
    let page = desk.open(&link).is(200);
    for shown in [
        "<html lang=\"zh-CN\">",
        "提问 1",
        "按下按钮即表示：受理。",
        "中国处理",
        "2026-03-06 周五 09:10 +08:00",
        "为什么？",
        "消息中链接旁的两位数字",
        "lang=\"en\"",
        "刘梅 &#60;b&#62;",
    ] {
        assert!(page.text.contains(shown), "{shown}\n{}", page.text);
    }
    let english = desk
        .service
        .send("GET", &format!("{}?lang=en&utm=x", link.path), &[], b"");
    assert!(
        english
            .text
            .contains("Press the button to say: I am on it."),
        "{english:?}"
    );
    desk.wait(4);
    let wrong = desk.press_with(&link, &link.wrong()).is(422);
    assert!(wrong.text.contains("还可以再试 2 次"), "{}", wrong.text);
    let done = desk.press(&link).is(200);
    assert!(done.text.contains("已完成：受理。"), "{}", done.text);
    let own = desk.open(&link).is(200);
    assert!(own.text.contains("之前已完成"), "{}", own.text);
    desk.service.act("boss", &id, "done", &json!({})).is(200);
    let ended = desk.open(&link).is(200);
    assert!(
        ended.text.contains("结果") && !ended.text.contains("<form"),
        "{}",
        ended.text
    );
}
