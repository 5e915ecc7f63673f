//! When a link does nothing any more, and what its page says then.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use super::kit::{DESK, Desk, adjusted};
use crate::links::LinksSettings;

#[test]
fn a_link_is_void_when_the_ticket_has_moved_on() {
    let desk = Desk::shipped();
    let id = desk.dispatched();
    let link = desk.link("ann", "I am on it");
    desk.open(&link).is(200);
    desk.service.pass(15);
    assert_eq!(desk.service.standing(&id).1, "bob");
    let before = desk.ticket(&id);
    for answer in [desk.open(&link), desk.press(&link)] {
        let page = answer.is(410);
        assert!(page.text.contains("has moved on"), "{}", page.text);
        assert!(page.text.contains("Bob Stone"), "she had it: {}", page.text);
        assert!(
            !page.text.contains("<form") && !page.text.contains("no dial tone"),
            "{}",
            page.text
        );
    }
    assert_eq!(desk.ticket(&id), before);
}

#[test]
fn who_has_nothing_to_do_with_the_ticket_any_more_is_told_nothing_of_it() {
    let desk = Desk::small(&["take"]);
    let id = desk.ask("a secret");
    let link = desk.link("bob", "I take it");
    desk.press(&desk.link("ann", "I take it")).is(200);
    desk.service.act("boss", &id, "far", &json!({})).is(200);
    let page = desk.open(&link).is(410);
    assert!(page.text.contains("has moved on"), "{}", page.text);
    for never in ["a secret", "In China", "刘梅", "Ann Berg"] {
        assert!(!page.text.contains(never), "{never}\n{}", page.text);
    }
}

#[test]
fn three_wrong_numbers_burn_a_link_and_a_restart_does_not_mend_it() {
    let mut desk = Desk::shipped();
    let id = desk.dispatched();
    let link = desk.link("ann", "I am on it");
    let two = desk.press_with(&link, &link.wrong()).is(422);
    assert!(two.text.contains("You have 2 more tries."), "{}", two.text);
    let one = desk.press_with(&link, &link.wrong()).is(422);
    assert!(one.text.contains("You have 1 more try."), "{}", one.text);
    let burned = desk.press_with(&link, &link.wrong()).is(410);
    assert!(burned.text.contains("typed 3 times"), "{}", burned.text);
    desk.press(&link).is(410);
    desk.open(&link).is(410);
    desk.service.restart();
    desk.open(&link).is(410);
    desk.press(&link).is(410);
    assert_eq!(
        desk.service.standing(&id),
        ("dispatched".into(), "ann".into())
    );
    // The other link of the message is another one.
    desk.wait(10);
    desk.press(&desk.link("ann", "Not me")).is(200);
    assert_eq!(desk.service.standing(&id).1, "bob");
}

#[test]
fn a_link_is_good_for_three_days_and_over_a_restart() {
    let mut desk = Desk::small(&["take"]);
    let id = desk.ask("why?");
    let (ann, bob) = (desk.link("ann", "I take it"), desk.link("bob", "I take it"));
    desk.wait(72 * 3600 - 20);
    desk.open(&ann).is(200);
    desk.service.restart();
    let key = desk.service.data.path().join(crate::links::SECRET_FILE);
    assert_eq!(
        fs::metadata(&key).unwrap().permissions().mode() & 0o777,
        0o600
    );
    desk.wait(20);
    let over = desk.open(&ann).is(410);
    assert!(over.text.contains("good for 72 hours"), "{}", over.text);
    assert!(!over.text.contains("Bob Stone"), "{}", over.text);
    desk.press(&bob).is(410);
    assert_eq!(desk.ticket(&id)["positions"][0]["taken"], false);
}

#[test]
fn without_its_secret_a_link_is_none() {
    let mut desk = Desk::small(&["take"]);
    desk.ask("why?");
    let link = desk.link("ann", "I take it");
    fs::remove_file(desk.service.data.path().join(crate::links::SECRET_FILE)).unwrap();
    desk.service.restart();
    desk.open(&link).is(404);
    desk.press(&link).is(404);
}

#[test]
fn what_the_core_does_not_let_a_person_do_no_link_does() {
    let desk = Desk::small(&["take"]);
    let id = desk.ask("why?");
    let link = desk.link("bob", "I take it");
    let directory = DESK.replace("  bob: { name: Bob Stone, mail: bob@example.com }\n", "");
    let directory = directory.replace("[ann, bob]", "[ann]");
    let token = super::super::kit::bearer("boss");
    let headers = [("authorization", token.as_str())];
    let body = directory.as_bytes();
    desk.service
        .send("PUT", "/v1/files/directory.yaml", &headers, body)
        .is(200);
    let pressed = desk.press(&link);
    assert!(matches!(pressed.status, 409 | 410), "{pressed:?}");
    assert_eq!(desk.ticket(&id)["positions"][0]["taken"], false);
}

#[test]
fn without_links_there_are_none_and_those_that_were_sent_are_none() {
    let mut desk = Desk::small(&["take"]);
    let first = desk.ask("one?");
    let link = desk.link("ann", "I take it");
    let restart = |desk: &mut Desk, enabled: bool| {
        let post = desk.post.clone();
        let links = LinksSettings {
            enabled,
            ..LinksSettings::default()
        };
        let adjust = move |start| adjusted(start, &post, links.clone());
        desk.service.adjust(adjust);
        desk.service.restart();
    };
    restart(&mut desk, false);
    desk.open(&link).is(404);
    desk.press(&link).is(404);
    desk.ask("two?");
    assert_eq!(desk.labels("ann"), [""; 0]);
    // Switched on again, they are as good as before.
    restart(&mut desk, true);
    desk.press(&link).is(200);
    assert_eq!(desk.ticket(&first)["positions"][0]["answerable"], "ann");
}
