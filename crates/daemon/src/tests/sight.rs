//! What each role sees, and what it is shown that it could do.

use serde_json::{Value, json};

use super::kit::Service;

fn ids(list: &Value) -> Vec<&str> {
    let tickets = list["tickets"].as_array().unwrap();
    tickets
        .iter()
        .map(|ticket| ticket["id"].as_str().unwrap())
        .collect()
}

#[test]
fn agents_see_what_has_to_do_with_them() {
    let service = Service::start();
    let id = service.call("tom", "one");
    service.act("tom", &id, "open", &json!({})).is(200);
    let machine = service.call("pbx", "two");
    let path = format!("/v1/tickets/{id}");
    let questions = ["", "/timeline", "/explain", "/forecast"];
    for who in ["tom", "ann", "bob", "lea", "boss", "eye"] {
        for question in questions {
            service.get(who, &format!("{path}{question}")).is(200);
        }
    }
    // Of the complaints' desk, and another system.
    for who in ["rosa", "pbx", "erp"] {
        for question in questions {
            service
                .get(who, &format!("{path}{question}"))
                .refuses(404, "no-such-ticket");
        }
        service
            .act(who, &id, "comment", &json!({ "text": "x" }))
            .refuses(404, "no-such-ticket");
        assert!(
            !ids(&service.get(who, "/v1/tickets").json()).contains(&id.as_str()),
            "{who}"
        );
    }
    assert_eq!(
        ids(&service.get("pbx", "/v1/tickets").json()),
        [machine.as_str()]
    );
    assert_eq!(ids(&service.get("eye", "/v1/tickets").json()).len(), 2);
}

#[test]
fn the_actions_that_are_shown_are_those_that_are_taken() {
    let service = Service::start();
    let id = service.call("tom", "one");
    service.act("tom", &id, "open", &json!({})).is(200);
    let shown = |who: &str, lang: &str| {
        let ticket = service
            .get(who, &format!("/v1/tickets/{id}?lang={lang}"))
            .is(200)
            .json();
        ticket["actions"].as_array().unwrap().clone()
    };
    let names = |who: &str| -> Vec<String> {
        let all = shown(who, "en");
        all.iter()
            .map(|one| one["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names("eye"), [""; 0]);
    assert_eq!(names("bob"), ["comment"], "a colleague may say something");
    assert_eq!(
        names("ann"),
        [
            "accept", "decline", "delegate", "reassign", "escalate", "comment"
        ]
    );
    assert!(names("boss").contains(&"cancel".to_owned()));
    let labels = |lang: &str| {
        let all = shown("ann", lang);
        let labels = all.iter().map(|one| one["label"].as_str().unwrap());
        labels.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(labels("zh"), "受理 谢绝 委托 改派 升级 留言");
    assert!(labels("en").ends_with(" decline delegate reassign escalate comment"));
    // What it says is what is posted to.
    let accept = &shown("ann", "en")[0];
    assert_eq!(
        (&accept["method"], &accept["needs"]),
        (&json!("POST"), &json!([]))
    );
    let href = accept["href"].as_str().unwrap();
    service
        .post("ann", href, &[("if-match", "*")], &json!({}))
        .is(200);
    let resolve = shown("ann", "en");
    let resolve = resolve.iter().find(|one| one["name"] == "resolve").unwrap();
    assert_eq!(resolve["needs"], json!(["cause", "solution"]));
}

#[test]
fn who_is_next_is_told_of_rows_and_of_the_whole() {
    let service = Service::start();
    let id = service.call("tom", "one");
    service.act("tom", &id, "open", &json!({})).is(200);
    let then = || {
        let whole = service.get("eye", &format!("/v1/tickets/{id}")).json();
        let rows = service.get("eye", "/v1/tickets").json();
        let then = whole["positions"][0]["then"].clone();
        assert_eq!(rows["tickets"][0]["positions"][0]["then"], then);
        let text = |name: &str| then[name].as_str().unwrap_or("-").to_owned();
        format!("{} {} {}", text("kind"), text("by"), text("person"))
    };
    // Who of a group is asked is decided then.
    assert_eq!(then(), "asks another in service-desk -");
    let mut seen = vec![then()];
    for _ in 0..12 {
        service.pass(30);
        seen.push(then());
    }
    seen.dedup();
    let expected = [
        "asks another in service-desk -",
        "asks lead of service-desk lea",
        "asks manager of service-desk max",
        "last-resort - max",
        "- - -",
    ];
    assert_eq!(seen, expected);
}

#[test]
fn what_is_offered_is_asked_for_of_open_ones_and_by_people() {
    let service = Service::start();
    for (who, query) in [
        ("eye", "candidate=me"),
        ("ann", "candidate=ann&standing=ended"),
        ("ann", "candidate=ann&standing=all"),
    ] {
        let path = format!("/v1/tickets?{query}");
        service.get(who, &path).refuses(400, "query-wrong");
    }
    let none = service.get("ann", "/v1/tickets?candidate=me").is(200);
    assert_eq!(none.json()["tickets"], json!([]));
}

#[test]
fn lists_come_in_pages_and_are_filtered() {
    let service = Service::start();
    let opened: Vec<String> = (0..5)
        .map(|at| service.call("tom", &at.to_string()))
        .collect();
    service.act("tom", "1", "open", &json!({})).is(200);
    let (mut path, mut found) = ("/v1/tickets?standing=all&limit=2".to_owned(), Vec::new());
    loop {
        let page = service.get("eye", &path).is(200);
        let body = page.json();
        assert!(ids(&body).len() <= 2);
        found.extend(ids(&body).into_iter().map(str::to_owned));
        let Some(next) = page.header("link").strip_suffix(">; rel=\"next\"") else {
            assert_eq!(body["next"], Value::Null);
            break;
        };
        path = next.trim_start_matches('<').to_owned();
    }
    let newest_first: Vec<String> = opened.into_iter().rev().collect();
    assert_eq!(found, newest_first);
    let of = |query: &str| {
        let list = service
            .get("tom", &format!("/v1/tickets?{query}"))
            .is(200)
            .json();
        ids(&list).len()
    };
    assert_eq!(
        (of("state=new"), of("state=dispatched"), of("state=none")),
        (4, 1, 0)
    );
    assert_eq!(
        (
            of("assignee=me"),
            of("assignee=ann"),
            of("workflow=complaint")
        ),
        (4, 1, 0)
    );
}

#[test]
fn what_is_due_first_comes_first() {
    let service = Service::start();
    let opened: Vec<String> = (0..3)
        .map(|at| {
            service.pass(at);
            service.call("tom", &at.to_string())
        })
        .collect();
    let of = |query: &str| {
        let list = service.get("tom", &format!("/v1/tickets?{query}"));
        let list = list.is(200).json();
        let all: Vec<String> = ids(&list).into_iter().map(str::to_owned).collect();
        all
    };
    assert_eq!(of("sort=due"), opened);
    assert_eq!(of("sort=due&assignee=me&level=entry&limit=2"), opened[..2]);
    assert_eq!(of("level=1"), Vec::<String>::new());
    let due = |id: &str| {
        let ticket = service.get("tom", &format!("/v1/tickets/{id}")).is(200);
        let due = ticket.json()["positions"][0]["next-due"].clone();
        due.as_str().unwrap().to_owned()
    };
    let before = format!("due-before={}", due(&opened[1]));
    assert_eq!(of(&before), opened[..1]);
    for wrong in [
        "sort=due&standing=all",
        "level=0",
        "level=high",
        "due-before=soon",
        "sort=newest&due-before=2026-01-01T00:00:00Z",
        "sort=urgent",
    ] {
        let answer = service.get("tom", &format!("/v1/tickets?{wrong}"));
        answer.refuses(400, "query-wrong");
    }
}

#[test]
fn the_tickets_of_a_caller_are_found_by_whoever_may_see_them() {
    let service = Service::start();
    let call = |who: &str, key: &str, caller: &str| {
        let body = json!({
            "workflow": "trouble-ticket",
            "fields": { "caller": caller, "problem": "no dial tone" },
        });
        let opened = service.post(who, "/v1/tickets", &[("idempotency-key", key)], &body);
        opened.is(201).json()["id"].as_str().unwrap().to_owned()
    };
    let first = call("tom", "one", "+49 30 1234567");
    let second = call("tom", "two", "0049 (0)30 / 123 45-67");
    let machine = call("pbx", "three", "tel:+49301234567");
    let other = call("tom", "four", "Mr Low <low@example.com>");
    let because = json!({ "reason": "a mistake" });
    service.act("boss", &first, "cancel", &because).is(200);
    let list = |who: &str, query: &str| {
        service
            .get(who, &format!("/v1/tickets?{query}"))
            .is(200)
            .json()
    };
    // A `+` that was not escaped is a space when it arrives.
    for contact in ["%2B49+30+1234567", "+49+301234567", "0049-30-1234567"] {
        let found = list("eye", &format!("contact={contact}"));
        assert_eq!(ids(&found), [&machine, &second, &first], "{contact}");
    }
    let number = "contact=%2B49301234567";
    let ended = list("eye", &format!("{number}&standing=ended"));
    assert_eq!(ids(&ended), [&first]);
    let open = list(
        "eye",
        &format!("{number}&standing=open&workflow=trouble-ticket"),
    );
    assert_eq!(ids(&open), [&machine, &second]);
    assert_eq!(ids(&list("eye", "contact=LOW@example.com")), [&other]);
    assert_eq!(ids(&list("eye", "contact=low")), [""; 0]);

    assert_eq!(ids(&list("pbx", number)), [&machine]);
    assert_eq!(ids(&list("tom", number)), [&second, &first]);
    // Nor does a page that has more behind it say that there are some.
    for limit in [1, 2, 50] {
        let none = list("rosa", &format!("contact=low@example.com&limit={limit}"));
        assert_eq!(none, json!({ "tickets": [], "next": null }), "{limit}");
    }
    for wrong in [
        "contact=",
        "contact=+",
        &format!("contact={}", "x".repeat(513)),
    ] {
        let refused = service.get("eye", &format!("/v1/tickets?{wrong}"));
        refused.refuses(400, "query-wrong");
    }
}
