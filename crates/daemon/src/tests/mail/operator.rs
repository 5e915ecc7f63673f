//! Mail to whoever keeps the daemon running.

use std::fs;
use std::time::Duration;

use super::{header, read, service, text};
use crate::tell::MAX_OPERATOR_MAILS;
use crate::tests::kit::Service;
use crate::tests::post::{Deed, PostOffice, Step};

const OPERATOR: &str = "operator = [\"Ops <ops@example.com>\"]";

fn reload(service: &Service) {
    // What is wrong is told by the mail.
    let _ = service.runtime.block_on(service.daemon().reload());
}

#[test]
fn a_broken_file_brings_one_mail_and_the_mended_one_the_all_clear() {
    let post = PostOffice::open();
    let mut service = service(post.port, OPERATOR);
    let path = service.workflows.path().join("trouble-ticket.yaml");
    let right = fs::read_to_string(&path).unwrap();
    let wrong = right.replace("start: new", "start: nwe");
    fs::write(&path, &wrong).unwrap();
    reload(&service);
    let mails = post.mails(1);
    assert_eq!(mails[0].to, ["ops@example.com"]);
    let mail = read(&mails[0]);
    assert_eq!(mail.subject(), Some("Upline needs you: files"));
    assert_eq!(header(&mail, "Auto-Submitted"), "auto-generated");
    let said = text(&mail);
    for word in [
        "trouble-ticket.yaml:",
        "there is no state `nwe`",
        "did you mean `new`?",
        "What to do: put the file right",
        &service.daemon().address().to_string(),
    ] {
        assert!(said.contains(word), "{word}\n{said}");
    }
    // It is still so, and still so after another look.
    reload(&service);
    fs::write(&path, &right).unwrap();
    reload(&service);
    let mails = post.mails(2);
    let mail = read(&mails[1]);
    assert_eq!(mail.subject(), Some("Upline: right again: files"));

    // One that is broken when the daemon starts is told too.
    fs::write(&path, &wrong).unwrap();
    service.restart();
    let mail = read(&post.mails(3)[2]);
    assert_eq!(mail.subject(), Some("Upline needs you: files"));
}

#[test]
fn what_comes_and_goes_all_the_time_buries_nobody() {
    let post = PostOffice::open();
    let service = service(
        post.port,
        "operator = \"ops@example.com\"\nlanguage = \"zh\"",
    );
    let path = service.workflows.path().join("trouble-ticket.yaml");
    let right = fs::read_to_string(&path).unwrap();
    let turn = |broken: bool| {
        let text = match broken {
            true => right.replace("start: new", "start: nwe"),
            false => right.clone(),
        };
        fs::write(&path, text).unwrap();
        reload(&service);
    };
    for number in 0..MAX_OPERATOR_MAILS {
        turn(number % 2 == 0);
        post.mails(number + 1);
    }
    assert_eq!(
        read(&post.taken()[0]).subject(),
        Some("Upline 需要您处理：files")
    );
    turn(true);
    std::thread::park_timeout(Duration::from_millis(500));
    assert_eq!(post.taken().len(), MAX_OPERATOR_MAILS);
}

#[test]
fn a_mail_server_that_hangs_for_the_operator_delays_nothing() {
    let post = PostOffice::open();
    post.fails(Step::Greeting, Deed::Hangs, 1);
    let service = service(post.port, OPERATOR);
    let path = service.workflows.path().join("trouble-ticket.yaml");
    let right = fs::read_to_string(&path).unwrap();
    fs::write(&path, right.replace("start: new", "start: nwe")).unwrap();
    reload(&service);
    let id = super::dispatched(&service);
    let mails = post.mails(1);
    assert_eq!(mails[0].to, ["ann@example.com"], "{id}");
}
