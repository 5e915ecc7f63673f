//! Mails that open tickets, and how a mailbox is set up.

use std::fs;

use upline::core::{Actor, Value};

use super::kit::{OPENS, Post, mail, mailboxes};

fn text(post: &Post, id: &str, field: &str) -> String {
    let ticket = post.ticket(id).unwrap();
    let value = ticket.fields.get(field).map(Value::to_string);
    value.unwrap_or_default()
}

const LOW: &str = "Mr Low <Low@Example.com>";

#[test]
fn a_mail_opens_a_ticket_once_whatever_happens_between() {
    let mut post = Post::start(&format!("{OPENS}fields = {{ service = \"E-mail\" }}\n"));
    let mail = mail(
        LOW,
        "Subject: =?utf-8?B?5rKh5pyJ5L+h5Y+3?=\r\n",
        "No dial tone.\nSince nine.",
    );
    post.take("1.a", &mail);
    let ticket = post.ticket("1").unwrap();
    assert_eq!(ticket.opener, Actor::Contact("caller".into()));
    assert_eq!(text(&post, "1", "caller"), "Mr Low <low@example.com>");
    assert_eq!(text(&post, "1", "service"), "E-mail");
    assert_eq!(
        text(&post, "1", "problem"),
        "没有信号\n\nNo dial tone.\nSince nine."
    );
    assert_eq!(
        (post.at("new"), post.at("cur")),
        (vec![], vec!["1.a:2,S".to_owned()])
    );

    // It was on disk, and the power went before the mail was marked.
    for _ in 0..2 {
        let cur = post.mail.path().join("cur/1.a:2,S");
        fs::rename(cur, post.mail.path().join("new/1.a")).unwrap();
        post.look();
        assert_eq!(
            (post.at("new"), post.at("cur")),
            (vec![], vec!["1.a:2,S".to_owned()])
        );
        assert_eq!(post.ticket("2"), None);
        post.restart();
    }
    // The same mail by another way is the same command too.
    post.take("2.b", format!("Received: from elsewhere\r\n{mail}"));
    assert_eq!(post.ticket("2"), None);
    // Another mail is another ticket, also if its writer gives it the same id.
    post.take("3.c", mail.replace("nine", "ten"));
    assert!(text(&post, "2", "problem").contains("Since ten"));
    assert_eq!(post.at("cur").len(), 3);
}

#[test]
fn who_may_open_is_a_setting() {
    let cases = [
        ("", "ann@example.com", false),
        (
            "open = \"known\"\nknown = [\"@partner.example\", \"x@y.example\"]\n",
            "low@example.com",
            false,
        ),
        ("open = \"known\"\n", "ANN@example.com", true),
        (
            "open = \"known\"\nknown = [\"@Partner.example\"]\n",
            "who@partner.example",
            true,
        ),
        (
            "open = \"known\"\nknown = [\"@partner.example\"]\n",
            "who@evil-partner.example",
            false,
        ),
        (
            "open = \"known\"\nknown = [\"x@y.example\"]\n",
            "xx@y.example",
            false,
        ),
        ("open = \"anyone\"\n", "who@else.example", true),
    ];
    for (section, from, opens) in cases {
        let rest = match section.is_empty() {
            true => String::new(),
            false => format!("{section}{}", OPENS.replace("open = \"anyone\"\n", "")),
        };
        let post = Post::start(&rest);
        post.take("1", mail(from, "Subject: hello\r\n", "text"));
        assert_eq!(post.ticket("1").is_some(), opens, "{section} {from}");
        assert_eq!(post.aside().is_empty(), opens, "{section} {from}");
    }
}

#[test]
fn who_writes_from_outside_is_no_person_of_the_directory() {
    let post = Post::start(OPENS);
    post.take(
        "1",
        mail("Ann Berg <ann@example.com>", "Subject: x\r\n", "text"),
    );
    assert_eq!(
        post.ticket("1").unwrap().opener,
        Actor::Contact("caller".into())
    );
}

#[test]
fn a_mail_of_one_writer_to_his_own_first_mail_is_about_the_same_ticket() {
    let post = Post::start(OPENS);
    let first = mail(LOW, "Subject: x\r\n", "no dial tone");
    let id = first
        .split("Message-ID: <")
        .nth(1)
        .unwrap()
        .split('>')
        .next()
        .unwrap();
    post.take("1", &first);
    let again = format!("Subject: Re: x\r\nReferences: <{id}>\r\n");
    post.take("2", mail("low@example.com", &again, "still none"));
    assert_eq!(post.ticket("2"), None);
    let said = post.said("1");
    assert_eq!(
        said,
        [(Actor::Contact("caller".into()), "still none".into(), true)]
    );
    // Nobody else gets in by it.
    post.take("3", mail("else@example.com", &again, "let me in"));
    assert_eq!((post.said("1").len(), post.aside().len()), (1, 1));
}

#[test]
fn attachments_are_kept_or_named() {
    let with_file = "From: low@example.com\r\nSubject: see\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nlook\r\n--b\r\n\
        Content-Type: image/png; name=\"../../etc/passwd\"\r\nContent-Transfer-Encoding: base64\r\n\
        Content-Disposition: attachment; filename=\"../../etc/passwd\"\r\n\r\naGVsbG8=\r\n--b--\r\n";
    let post = Post::start(OPENS);
    post.take("1", with_file);
    let said = text(&post, "1", "problem");
    assert_eq!(
        said,
        "see\n\nlook\n\nAttachment left out: ../../etc/passwd (5 B)"
    );

    let kept = tempfile::tempdir().unwrap();
    let folder = kept.path().join("files");
    let section = format!(
        "{OPENS}language = \"zh\"\nattachments = \"{}\"\n",
        folder.display()
    );
    let post = Post::start(&section);
    post.take("1", with_file);
    let names = super::kit::names(&folder);
    let expected = blake3::hash(b"hello").to_hex();
    assert_eq!(names, [&expected[..32]]);
    assert_eq!(fs::read(folder.join(&names[0])).unwrap(), b"hello");
    let said = text(&post, "1", "problem");
    assert!(
        said.ends_with(&format!(
            "附件：../../etc/passwd（5 B），保存为 {}",
            names[0]
        )),
        "{said}"
    );

    // Where they can't be kept the mail waits.
    fs::remove_dir_all(&folder).unwrap();
    fs::write(&folder, "in the way").unwrap();
    post.take("2", with_file.replace("look", "look again"));
    assert_eq!((post.at("new").len(), post.ticket("2")), (1, None));
    assert!(post.get("/readyz").contains("attachments can't be kept"));
    fs::remove_file(&folder).unwrap();
    post.look();
    assert_eq!(post.at("new").len(), 0);
    assert!(post.ticket("2").is_some() && !post.get("/readyz").contains("mailbox"));
}

#[test]
fn a_mailbox_that_cannot_be_used_is_told_and_stops_nothing() {
    let post = Post::start(OPENS);
    fs::remove_dir(post.mail.path().join("cur")).unwrap();
    post.put("1", mail(LOW, "", "text"));
    post.look();
    let ready = post.get("/readyz");
    assert!(
        ready.contains("\"ready\":true") && ready.contains("it is no mailbox"),
        "{ready}"
    );
    assert!(
        post.get("/metrics")
            .contains("upline_mailbox_waits{mailbox=\"desk\"} 1\n")
    );
    fs::create_dir(post.mail.path().join("cur")).unwrap();
    post.look();
    assert!(post.ticket("1").is_some());
    let metrics = post.get("/metrics");
    assert!(metrics.contains("upline_mailbox_waits{mailbox=\"desk\"} 0\n"));
    let opened = "upline_mails_total{mailbox=\"desk\",became=\"opened\"} 1\n";
    assert!(metrics.contains(opened), "{metrics}");
}

#[test]
fn settings_that_do_not_fit_the_workflow_lose_no_mail() {
    for (wrong, expected) in [
        (
            OPENS.replace("trouble-ticket", "no-such"),
            "there is no workflow `no-such`",
        ),
        (
            OPENS.replace("\"problem\"", "\"trouble\""),
            "there is no field `trouble`",
        ),
    ] {
        let post = Post::start(&wrong);
        post.take("1", mail(LOW, "", "text"));
        assert_eq!((post.at("new").len(), post.aside().len()), (1, 0));
        let ready = post.get("/readyz");
        assert!(ready.contains(expected), "{ready}");
    }
}

#[test]
fn every_fault_of_a_section_is_told() {
    let cases: [(&str, &[&str]); 7] = [
        ("", &["`folder`, or `server`"]),
        (
            "folder = \"x\"\nuser = \"u\"",
            &["`user` belongs to a server"],
        ),
        (
            "server = \"s\"",
            &["`user` is missing", "`password` is missing"],
        ),
        (
            "server = \"s\"\nuser = \"u\"\npassword = { env = \"P\" }\nsecurity = \"none\"",
            &["would show the password"],
        ),
        (
            "folder = \"x\"\nopen = \"known\"",
            &["`workflow` is missing"],
        ),
        (
            "folder = \"x\"\nworkflow = \"w\"\nevery = 0\nper-hour = 0",
            &["`workflow` is for", "`every` must", "`per-hour` must"],
        ),
        (
            "folder = \"x\"\nknown = [\"nobody\"]\naddresses = [\"x y@z\"]",
            &["`nobody` is no address", "`x y@z` is no address"],
        ),
    ];
    for (section, expected) in cases {
        let faults = mailboxes(&format!("[mailbox.desk]\n{section}\n")).unwrap_err();
        assert_eq!(faults.len(), expected.len(), "{section}: {faults:?}");
        for (fault, expected) in faults.iter().zip(expected) {
            assert!(
                fault.contains("[mailbox.desk]") && fault.contains(expected),
                "{fault}"
            );
        }
    }
    assert!(mailboxes("[mailbox.\"../x\"]\nfolder = \"x\"\n").is_err());
    assert!(mailboxes("[mailbox.desk]\npassword = \"plain\"\n").is_err());
}

/// One mail with several messages is about several tickets: what answers it opens none, and shows nobody its links.
#[test]
fn an_answer_to_a_mail_with_several_messages_is_put_aside() {
    let post = Post::start(OPENS);
    let quoted = "not me\n> http://desk.example.com/a/secret";
    let refers = "Subject: Re: 34 messages\r\nIn-Reply-To: <digest-1-35-33@example.com>\r\n";
    post.take("1", mail(LOW, refers, quoted));
    assert_eq!((post.ticket("1"), post.aside().len()), (None, 1));
    let other = "Subject: Re: news\r\nIn-Reply-To: <digest-march@example.com>\r\n";
    post.take("2", mail(LOW, other, "no dial tone"));
    assert!(post.ticket("1").is_some());
}
