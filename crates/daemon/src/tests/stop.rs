//! A daemon that is told to stop while much is under way.

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::json;

use super::kit::{Service, bearer, shipped_copy};
use super::mail::{header, read, service};
use super::post::{Deed, PostOffice, Step};
use crate::limits::GRACE;
use crate::settings::{Given, Settings};

/// How many tickets are brought to the desk at once: more than mails are sent at once.
const TICKETS: usize = 16;

/// How long the mail server takes for one.
const SLOWLY: Duration = Duration::from_millis(150);

/// Brings a new ticket to the desk, as an agent does, from elsewhere than this thread. Whether it was answered.
fn dispatch(url: &str, etag: &str) -> Option<u16> {
    let config = ureq::Agent::config_builder().http_status_as_error(false);
    let agent: ureq::Agent = config.build().into();
    let request = agent
        .post(url)
        .header("authorization", bearer("tom"))
        .header("if-match", etag)
        .header("content-type", "application/json");
    let answer = request.send("{}").ok()?;
    Some(answer.status().as_u16())
}

#[test]
fn what_was_answered_is_there_and_no_mail_is_sent_twice() {
    let post = PostOffice::slow(SLOWLY);
    let mut service = service(post.port, "digest-over = 1000");
    let ids: Vec<String> = (0..TICKETS)
        .map(|number| service.call("tom", &number.to_string()))
        .collect();
    service.settle();
    let (told, answers) = mpsc::channel();
    for id in ids.clone() {
        let path = format!("/v1/tickets/{id}");
        let seen = service.get("eye", &path).is(200);
        let etag = seen.header("etag").to_owned();
        let url = format!("http://{}{path}/actions/open", service.daemon().address());
        let told = told.clone();
        std::thread::spawn(move || {
            let answer = dispatch(&url, &etag);
            told.send((id, answer)).unwrap();
        });
    }
    drop(told);
    // Some mails are taken, others are under way, others wait.
    let begun = Instant::now();
    while post.taken().len() < 2 {
        assert!(begun.elapsed() < Duration::from_secs(60));
        std::thread::park_timeout(Duration::from_millis(5));
    }
    let begun = Instant::now();
    service.stop();
    assert!(begun.elapsed() < GRACE + Duration::from_secs(2));
    let taken = post.taken().len();
    let answers: BTreeMap<String, Option<u16>> = answers.iter().collect();
    assert!(answers.values().any(|answer| *answer == Some(200)));

    service.start_again();
    service.settle();
    let mut dispatched = BTreeSet::new();
    for (id, answer) in &answers {
        let (state, _) = service.standing(id);
        match answer {
            Some(200) => assert_eq!(state, "dispatched", "{id} was answered"),
            Some(other) => panic!("{id}: {other}"),
            // It was on its way, and is there or not.
            None => assert!(["new", "dispatched"].contains(&state.as_str()), "{state}"),
        }
        if state != "new" {
            dispatched.insert(id.clone());
        }
    }
    let mails = post.mails(dispatched.len());
    let own = mails
        .iter()
        .map(|mail| header(&read(mail), "Message-ID").to_owned());
    let own: BTreeSet<String> = own.collect();
    assert_eq!(
        own.len(),
        mails.len(),
        "each once, {taken} of them before the stop"
    );
    let threads = mails
        .iter()
        .map(|mail| header(&read(mail), "References").to_owned());
    let threads: BTreeSet<String> = threads.collect();
    assert_eq!(threads.len(), dispatched.len(), "one for each ticket");
}

#[test]
fn mailboxes_that_hang_are_waited_for_all_together() {
    // They take connections, and never say a word.
    let silent = [0, 1].map(|_| TcpListener::bind("127.0.0.1:0").unwrap());
    let port = |server: &TcpListener| server.local_addr().unwrap().port();
    let mut text = "data = \"d\"\nworkflows = \"w\"\n".to_owned();
    for (number, server) in silent.iter().enumerate() {
        text += &format!(
            "[mailbox.m{number}]\nserver = \"127.0.0.1\"\nport = {}\nsecurity = \"none\"\n\
             user = \"u\"\npassword = {{ env = \"PATH\" }}\n",
            port(server)
        );
    }
    let settings = Settings::read(&Given::default().text("upline.toml", text)).unwrap();
    let mailboxes = settings.mailboxes;
    let adjust = move |start: crate::Start| start.mailboxes(mailboxes.clone());
    let mut service = Service::with(shipped_copy(), adjust).unwrap();
    for server in &silent {
        server.accept().unwrap();
    }
    service.call("tom", "one");
    let begun = Instant::now();
    service.stop();
    let took = begun.elapsed();
    assert!(took < GRACE + Duration::from_secs(3), "{took:?}");
    service.adjust(|start| start);
    service.start_again();
    let tickets = service.get("eye", "/v1/tickets").is(200).json();
    assert_eq!(
        tickets["tickets"].as_array().map(Vec::len),
        Some(1),
        "{}",
        json!(tickets)
    );
}

#[test]
fn a_mail_that_hangs_is_cut_off_and_sent_at_the_next_start() {
    let post = PostOffice::open();
    post.fails(Step::Content, Deed::Hangs, 1);
    let mut service = service(post.port, "");
    let id = service.call("tom", "one");
    service.settle();
    let seen = service.get("eye", &format!("/v1/tickets/{id}")).is(200);
    let url = format!(
        "http://{}/v1/tickets/{id}/actions/open",
        service.daemon().address()
    );
    assert_eq!(dispatch(&url, seen.header("etag")), Some(200));
    let begun = Instant::now();
    service.stop();
    let took = begun.elapsed();
    assert!(took < GRACE + Duration::from_secs(3), "{took:?}");
    service.start_again();
    assert_eq!(post.mails(1)[0].to, ["ann@example.com"]);
}
