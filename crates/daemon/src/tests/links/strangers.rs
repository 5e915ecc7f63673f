//! Programs that look at mail, other pages, and people who guess.

use super::kit::{Desk, Linked};

#[test]
fn a_program_that_opens_every_link_and_submits_every_form_changes_nothing() {
    let desk = Desk::shipped();
    let id = desk.dispatched();
    let before = desk.ticket(&id);
    let links = [desk.link("ann", "I am on it"), desk.link("ann", "Not me")];
    for link in &links {
        desk.service.send("HEAD", &link.path, &[], b"").is(200);
        desk.open(link).is(200);
    }
    for link in &links {
        for form in ["", "number=", "number=00", "number=12345&x=y"] {
            desk.submit(link, form).is(429);
        }
        desk.submit(link, "undo=1&number=00").is(410);
        // Even if it could read the number.
        let too_soon = desk.press(link).is(429);
        assert!(too_soon.text.contains("Press again"), "{}", too_soon.text);
    }
    // A patient one, which knows all numbers of the mail: two links in ten seconds are none of a person's.
    desk.wait(9);
    let several = desk.press(&links[1]).is(429);
    assert!(
        several.text.contains("another link of the same message"),
        "{}",
        several.text
    );
    desk.press(&links[0]).is(429);
    assert_eq!(desk.ticket(&id), before);
    // None of it has used up the person's tries.
    desk.wait(10);
    desk.open(&links[0]).is(200);
    desk.wait(3);
    desk.press_with(&links[0], "").is(422);
    desk.press_with(&links[0], &links[0].wrong()).is(422);
    desk.press(&links[0]).is(200);
    assert_eq!(desk.service.standing(&id), ("working".into(), "ann".into()));
}

#[test]
fn looking_at_the_head_is_looking() {
    let desk = Desk::shipped();
    let id = desk.dispatched();
    let link = desk.link("ann", "I am on it");
    let before = desk.ticket(&id);
    let head = desk.service.send("HEAD", &link.path, &[], b"").is(200);
    assert_eq!(head.text, "");
    for (name, value) in [
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-robots-tag", "noindex, nofollow"),
        ("x-frame-options", "DENY"),
        ("x-content-type-options", "nosniff"),
        ("content-language", "en"),
        ("set-cookie", ""),
    ] {
        assert_eq!(head.header(name), value, "{name}");
    }
    let policy = head.header("content-security-policy");
    assert!(
        policy.starts_with("default-src 'none'; style-src 'nonce-"),
        "{policy}"
    );
    assert!(
        policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"),
        "{policy}"
    );
    assert_eq!(desk.ticket(&id), before);
    // It does not count as somebody who opened the page just now.
    desk.press(&link).is(200);
}

#[test]
fn a_form_on_another_page_does_nothing() {
    let desk = Desk::shipped();
    let id = desk.dispatched();
    let link = desk.link("ann", "I am on it");
    let form = format!("number={}", link.number);
    let before = desk.ticket(&id);
    let post = |headers: &[(&str, &str)]| {
        desk.service
            .send("POST", &link.path, headers, form.as_bytes())
    };
    for headers in [
        &[("sec-fetch-site", "cross-site")][..],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "cross-site"), ("origin", "null")],
        &[("origin", "https://evil.example.com")],
        &[("origin", "https://tickets.example.com.evil.example")],
        &[("origin", "garbage")],
    ] {
        let refused = post(headers).is(403);
        assert!(
            refused.text.contains("came from another page"),
            "{}",
            refused.text
        );
        assert!(!refused.text.contains("no dial tone"), "{}", refused.text);
    }
    assert_eq!(desk.ticket(&id), before);
    post(&[("origin", "https://tickets.example.com")]).is(200);
}

#[test]
fn what_is_no_link_is_not_found_whatever_it_is() {
    let desk = Desk::shipped();
    desk.dispatched();
    let link = desk.link("ann", "I am on it");
    let token = link.path.strip_prefix("/a/").unwrap();
    let long = "A".repeat(8000);
    let cut = &token[..token.len() - 1];
    let more = format!("{token}A");
    let tokens = [
        "x",
        "%00",
        "%ff%fe",
        "%E4%B8%AD",
        "..",
        "%2e%2e%2fetc",
        "'%20or%201=1",
        "<script>",
        "{{7*7}}",
        "-",
        "_",
        "AAAA",
        "%0d%0aset-cookie:a=b",
        &long,
        cut,
        &more,
        &token.to_lowercase(),
        &token.to_uppercase(),
    ];
    for token in tokens {
        let link = Linked {
            path: format!("/a/{}", token.replace(['<', '>', '{', '}', '\''], "%3C")),
            number: "00".into(),
        };
        for answer in [desk.open(&link), desk.press(&link)] {
            assert_eq!(answer.status, 404, "{token}: {answer:?}");
            assert!(
                answer.text.contains("There is no such link"),
                "{token}: {answer:?}"
            );
            assert_eq!(answer.header("set-cookie"), "");
        }
    }
    let head = ("accept-language", "fr, zh-CN;q=0.8, en");
    let chinese = desk.service.send("GET", "/a/x", &[head], b"").is(404);
    assert!(chinese.text.contains("没有这个链接"), "{}", chinese.text);
    desk.service
        .send("GET", "/a/", &[], b"")
        .refuses(404, "no-such-path");
    desk.service
        .send("GET", "/a/x/y", &[], b"")
        .refuses(404, "no-such-path");
    desk.service
        .send("PUT", &link.path, &[], b"")
        .refuses(405, "other-method");
}

#[test]
fn bodies_that_are_no_forms_are_no_presses() {
    let desk = Desk::shipped();
    let id = desk.dispatched();
    let before = desk.ticket(&id);
    let link = desk.link("ann", "I am on it");
    let large = vec![b'a'; 2 * 1024 * 1024];
    let json = format!("{{\"number\": \"{}\"}}", link.number);
    let bodies: [&[u8]; 6] = [
        b"",
        b"\xff\xfe=\x00",
        b"number",
        b"number=%",
        json.as_bytes(),
        &large,
    ];
    for body in bodies {
        let answer = desk.service.send("POST", &link.path, &[], body);
        assert_eq!(answer.status, 422, "{answer:?}");
    }
    assert_eq!(desk.ticket(&id), before);
}

#[test]
fn what_a_ticket_says_stays_text() {
    let desk = Desk::small(&["take"]);
    let hostile = "</dd></dl><script>alert(1)</script><img src=x onerror=alert(2)>\" autofocus onfocus=\"alert(3) \
                   {{ 7 * 7 }} &amp; javascript:alert(4) <style>*{display:none}</style>";
    desk.ask(hostile);
    let page = desk.open(&desk.link("ann", "I take it")).is(200);
    for never in ["<script", "<img", "onfocus=\"alert", "<style>*"] {
        assert!(!page.text.contains(never), "{never}\n{}", page.text);
    }
    assert!(
        page.text.contains("&#60;script&#62;alert(1)"),
        "{}",
        page.text
    );
    assert!(page.text.contains("{{ 7 * 7 }} &#38;amp;"), "{}", page.text);
    assert_eq!(page.text.matches("<style").count(), 1);
}
