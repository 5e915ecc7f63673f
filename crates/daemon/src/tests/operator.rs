//! What only an admin does: erasing tickets, and letting those go on that were set aside.

use std::sync::Arc;

use serde_json::{Value, json};
use upline::clock::Clock as _;
use upline::disk::RealDisk;
use upline::record::{Entry, Number};
use upline::store::log::{LogOptions, LogStore};
use upline::store::{Batch, Store as _};
use upline::vault::system_entropy;

use super::kit::{Answer, Service, bearer, token};
use crate::tokens::Tokens;

const WHY: &str = "clock 1 is due, and nothing happens";
/// All who are no admin: people, a leader, another system, one who only reads.
const OTHERS: [&str; 6] = ["tom", "ann", "lea", "rosa", "pbx", "eye"];

fn command(service: &Service, who: &str, id: &str, word: &str) -> Answer {
    let path = format!("/v1/tickets/{id}/{word}");
    service.send("POST", &path, &[("authorization", &bearer(who))], b"")
}

/// What was told of it, in one text.
fn timeline(service: &Service, id: &str) -> String {
    let path = format!("/v1/tickets/{id}/timeline");
    service.get("eye", &path).is(200).text
}

#[test]
fn an_admin_erases_what_is_personal_and_nobody_else() {
    let mut service = Service::start();
    let id = service.call("tom", "one");
    let text = json!({ "text": "his dog is called Rex" });
    service.act("tom", &id, "comment", &text).is(200);
    for who in OTHERS {
        for ticket in [&id, "77"] {
            command(&service, who, ticket, "erase").refuses(403, "not-allowed");
        }
    }
    for missing in ["77", "no-such"] {
        let refused = command(&service, "boss", missing, "erase").refuses(404, "no-such-ticket");
        assert_eq!(refused["detail"], format!("there is no ticket `{missing}`"));
    }
    let refused = command(&service, "boss", &id, "erase").refuses(409, "still-open");
    assert!(refused["hint"].as_str().unwrap().contains("`cancel`"));
    let because = json!({ "reason": "a mistake" });
    service.act("boss", &id, "cancel", &because).is(200);
    service.settle();
    let path = format!("/v1/tickets/{id}/erase");
    let more = service.post("boss", &path, &[], &json!({ "reason": "he asked" }));
    more.refuses(422, "body-wrong");
    let found = |service: &Service| {
        let list = service.get("eye", "/v1/tickets?contact=low@example.com");
        list.is(200).json()["tickets"].as_array().unwrap().len()
    };
    assert_eq!(found(&service), 1, "what was refused has changed nothing");
    assert!(timeline(&service, &id).contains("Rex"));

    let erased = command(&service, "boss", &id, "erase").is(200);
    assert_eq!(erased.json()["fields"], json!({}));
    assert!(erased.json()["ended"].is_object() && !erased.header("etag").is_empty());
    let again = service.post("boss", &path, &[], &json!({})).is(200);
    assert_eq!(
        (erased.json(), erased.header("etag")),
        (again.json(), again.header("etag"))
    );
    for restarted in [false, true] {
        if restarted {
            service.restart();
        }
        assert_eq!(found(&service), 0, "{restarted}");
        let ticket = service.get("boss", &format!("/v1/tickets/{id}")).is(200);
        let told = timeline(&service, &id);
        assert!(told.contains("erased by boss"), "{told}");
        let events = service
            .get("boss", "/v1/events?after=0&limit=200")
            .is(200)
            .text;
        assert!(events.contains("upline.ticket.erased.v1"), "{events}");
        for text in [ticket.text, told, events] {
            for gone in ["Rex", "low@example.com", "dial tone"] {
                assert!(!text.contains(gone), "{gone}: {text}");
            }
        }
        command(&service, "boss", &id, "erase").is(200);
    }
}

/// These can't be moved any more, as an engine has found.
pub(super) fn set_aside(service: &Service, numbers: &[Number]) {
    let disk = Arc::new(RealDisk::new(service.data.path()));
    let mut store = LogStore::open(disk, LogOptions::default(), system_entropy()).unwrap();
    store.recover(&mut |_| Ok(())).unwrap();
    let at = service.clock.read().wall;
    for number in numbers {
        let mut record = store.ticket(*number).unwrap().unwrap();
        record.set_aside = Some(WHY.to_owned());
        let entry = Entry::SetAside {
            number: *number,
            why: record.set_aside.clone(),
        };
        let batch = Batch {
            fence: 0,
            at,
            wall: at,
            entries: vec![entry],
            after: vec![&mut record],
        };
        store.commit(batch).unwrap();
    }
}

/// A service whose operator is a person of the directory.
fn with_an_operator() -> Service {
    let callers = [
        ("boss", "admin", "lea"),
        ("tom", "agent", "tom"),
        ("ann", "agent", "ann"),
        ("lea", "lead", "lea"),
        ("rosa", "agent", "rosa"),
        ("eye", "reader", ""),
        ("pbx", "integration", ""),
    ];
    let tokens = callers.map(|(name, role, person)| token(name, role, person));
    let tokens = Tokens::read(&tokens.concat()).unwrap();
    Service::adjusted(move |start| start.tokens(tokens.clone()))
}

fn aside(service: &Service) -> Value {
    service.get("boss", "/v1/set-aside").is(200).json()
}

/// The detail of the warning.
fn warned(service: &Service) -> Option<String> {
    let ready = service.send("GET", "/readyz", &[], b"").json();
    let mut all = ready["warnings"].as_array().unwrap().iter();
    let one = all.find(|one| one["code"] == "set-aside")?;
    Some(one["detail"].as_str().unwrap().to_owned())
}

/// Three tickets that wait for somebody, of which the first and the last are set aside.
fn two_of_three() -> Service {
    let mut service = with_an_operator();
    for key in ["one", "two", "three"] {
        let id = service.call("tom", key);
        service.act("tom", &id, "open", &json!({})).is(200);
    }
    service.settle();
    service.stop();
    set_aside(&service, &[1, 3]);
    service.start_again();
    service
}

#[test]
fn those_that_are_set_aside_are_listed_for_an_admin() {
    let service = two_of_three();
    let detail = warned(&service).unwrap();
    assert!(detail.starts_with("2 tickets are set aside: "), "{detail}");
    for who in OTHERS {
        service
            .get(who, "/v1/set-aside")
            .refuses(403, "not-allowed");
    }
    let both = json!([{ "id": "1", "why": WHY }, { "id": "3", "why": WHY }]);
    assert_eq!(aside(&service), json!({ "tickets": both, "next": null }));
    let first = service.get("boss", "/v1/set-aside?limit=1").is(200);
    assert_eq!(first.json()["tickets"], json!([both[0]]));
    let next = first
        .header("link")
        .strip_suffix(">; rel=\"next\"")
        .unwrap();
    let next = next.trim_start_matches('<');
    assert!(next.ends_with(&format!(
        "&cursor={}",
        first.json()["next"].as_str().unwrap()
    )));
    let last = service.get("boss", next).is(200).json();
    assert_eq!(last, json!({ "tickets": [both[1]], "next": null }));
    for (query, code) in [
        ("cursor=x", "cursor-wrong"),
        ("limit=0", "query-wrong"),
        ("limit=201", "query-wrong"),
        ("state=new", "query-wrong"),
    ] {
        let refused = service.get("boss", &format!("/v1/set-aside?{query}"));
        refused.refuses(400, code);
    }
}

#[test]
fn an_admin_puts_back_what_is_there_and_open_and_nobody_else() {
    let service = two_of_three();
    for who in OTHERS {
        for ticket in ["1", "77"] {
            command(&service, who, ticket, "put-back").refuses(403, "not-allowed");
        }
    }
    command(&service, "boss", "77", "put-back").refuses(404, "no-such-ticket");
    let because = json!({ "reason": "a mistake" });
    service.act("boss", "2", "cancel", &because).is(200);
    command(&service, "boss", "2", "put-back").refuses(409, "has-ended");
    let one = json!({ "id": "1", "why": WHY });
    assert_eq!(aside(&service)["tickets"][0], one, "nothing has changed");
    let told = timeline(&service, "1");
    assert!(!told.contains("let go on"), "{told}");
}

#[test]
fn an_admin_lets_a_ticket_go_on_and_it_says_who_did() {
    let service = two_of_three();
    let (before, other) = (service.standing("1"), service.standing("2"));
    service.pass(30);
    assert_eq!(service.standing("1"), before, "no clock of it fires");
    assert_ne!(service.standing("2"), other);
    let refused = service.act(&before.1, "1", "accept", &json!({}));
    let refused = refused.refuses(409, "set-aside");
    assert!(
        refused["hint"]
            .as_str()
            .unwrap()
            .contains("`upline ticket put-back ID`")
    );
    let explain = |id: &str| {
        let path = format!("/v1/tickets/{id}/explain");
        service.get("eye", &path).is(200).json()
    };
    assert_eq!(
        (&explain("1")["set-aside"], &explain("1")["put-back"]),
        (&json!(WHY), &Value::Null)
    );

    // Done again it changes nothing more.
    for _ in 0..2 {
        let ticket = command(&service, "boss", "1", "put-back").is(200).json();
        assert_eq!(
            (&ticket["id"], &ticket["ended"]),
            (&json!("1"), &Value::Null)
        );
    }
    service.settle();
    assert_ne!(service.standing("1").1, before.1, "its clock was overdue");
    assert_eq!(
        aside(&service)["tickets"],
        json!([{ "id": "3", "why": WHY }])
    );
    let detail = warned(&service).unwrap();
    assert!(detail.starts_with("1 ticket is set aside: "), "{detail}");
    let now = service.standing("1").1;
    service
        .act("boss", "1", "comment", &json!({ "text": "on it goes" }))
        .is(200);
    assert_ne!(now, "", "somebody is asked");

    let told = timeline(&service, "1");
    assert!(told.contains(&format!("set aside: {WHY}")), "{told}");
    assert_eq!(told.matches("let go on by lea").count(), 1, "{told}");
    let chinese = service
        .get("eye", "/v1/tickets/1/timeline?lang=zh")
        .is(200)
        .text;
    assert!(chinese.contains("lea 让它继续"), "{chinese}");
    let explained = explain("1");
    assert_eq!(
        (&explained["put-back"]["by"], &explained["set-aside"]),
        (&json!("lea"), &Value::Null)
    );
    let at: jiff::Timestamp = explained["put-back"]["at"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(at.as_millisecond(), service.clock.read().wall);
    let events = service.get("eye", "/v1/events?after=0&limit=200&type=ticket.taken-up.*");
    let events = events.is(200).json();
    let by: Vec<&Value> = events["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["data"]["by"])
        .collect();
    assert_eq!(by, ["lea"]);
    command(&service, "boss", "3", "put-back").is(200);
    assert_eq!(
        (aside(&service), warned(&service)),
        (json!({ "tickets": [], "next": null }), None)
    );
}
