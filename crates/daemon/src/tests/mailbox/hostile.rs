//! Mails that no person wrote, and mails that were made to do harm.

use upline::core::{Actor, Recipient};

use super::kit::{OPENS, Post, mail};
use crate::mailbox::{MAX_MAIL_BYTES, MAX_PARTS};

const LOW: &str = "low@example.com";

#[test]
fn what_no_person_wrote_opens_nothing() {
    let post = Post::start(&format!("{OPENS}addresses = [\"desk@example.com\"]\n"));
    let headers = [
        "Auto-Submitted: auto-replied\r\n",
        "Auto-Submitted: AUTO-GENERATED; owner=x\r\n",
        "Precedence: bulk\r\n",
        "Precedence: auto_reply\r\n",
        "X-Auto-Response-Suppress: All\r\n",
        "X-Autoreply: yes\r\n",
        "List-Id: <news.example.com>\r\n",
        "List-Unsubscribe: <https://example.com>\r\n",
        "Return-Path: <>\r\n",
    ];
    for (at, header) in headers.iter().enumerate() {
        post.take(&at.to_string(), mail(LOW, header, "I am away"));
        assert_eq!(post.aside().len(), at + 1, "{header}");
    }
    let senders = [
        "MAILER-DAEMON@example.com",
        "postmaster@example.com",
        "Desk <DESK@example.com>",
    ];
    for (at, sender) in senders.iter().enumerate() {
        post.take(&format!("s{at}"), mail(sender, "", "text"));
        assert_eq!(post.aside().len(), headers.len() + at + 1, "{sender}");
    }
    // One of our own has come back.
    let own = post.mail_to("1", "ann");
    let back = mail(LOW, "", "text");
    let id = back
        .split("Message-ID: <")
        .nth(1)
        .unwrap()
        .split('>')
        .next()
        .unwrap();
    post.take("own", back.replace(id, &own));
    assert_eq!(post.aside().len(), headers.len() + senders.len() + 1);
    assert_eq!(post.ticket("1"), None);
    // These say that a person wrote it.
    post.take("p1", mail(LOW, "Auto-Submitted: no\r\n", "one"));
    post.take(
        "p2",
        mail(
            LOW,
            "Return-Path: <low@example.com>\r\nPrecedence: first-class\r\n",
            "two",
        ),
    );
    assert!(post.ticket("2").is_some());
}

#[test]
fn a_report_of_a_mail_that_did_not_arrive_is_told_on_the_ticket() {
    let post = Post::start(OPENS);
    let id = post.call();
    let to = Recipient::Person("ann".into());
    let lost = post.threads().made(&id, post.clock.now(), &to);
    let report = |action: &str, lost: &str| {
        format!(
            "From: MAILER-DAEMON@mx.example.com\r\nTo: desk@example.com\r\nSubject: Undelivered\r\n\
             Message-ID: <{action}{}@mx>\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=r\r\n\r\n\
             --r\r\n\r\nSorry.\r\n--r\r\nContent-Type: message/delivery-status\r\n\r\n\
             Reporting-MTA: dns; mx\r\n\r\nFinal-Recipient: rfc822; ann@example.com\r\nAction: {action}\r\n\
             Diagnostic-Code: smtp; 550 no such user\r\n--r\r\nContent-Type: text/rfc822-headers\r\n\r\n\
             Message-ID: <{lost}>\r\nSubject: ticket\r\n--r--\r\n",
            lost.len()
        )
    };
    post.take("1", report("failed", &lost));
    let said = post.said(&id);
    let text = "A mail about this ticket could not be delivered: smtp; 550 no such user";
    assert_eq!(
        said,
        [(Actor::System("mailbox desk".into()), text.into(), false)]
    );
    assert!(
        post.get("/metrics")
            .contains("upline_mails_bounced_total{mailbox=\"desk\"} 1\n")
    );
    post.take("2", report("delayed", &lost));
    post.take("3", report("failed", &lost.replace("1-1", "1-2")));
    post.take("4", report("failed", "who@knows"));
    assert_eq!((post.said(&id).len(), post.aside().len()), (1, 4));
    assert_eq!(post.ticket("2"), None);
}

#[test]
fn who_sends_too_much_is_put_aside_for_an_hour() {
    let post = Post::start(&format!("{OPENS}per-hour = 2\n"));
    for at in 0..4 {
        post.take(&at.to_string(), mail(LOW, "", &format!("text {at}")));
    }
    assert_eq!((post.at("cur").len(), post.aside().len()), (2, 2));
    post.take("other", mail("x@example.com", "", "another sender"));
    assert_eq!(post.at("cur").len(), 3);
    post.pass(61);
    post.take("later", mail(LOW, "", "an hour later"));
    assert_eq!(post.at("cur").len(), 4);
}

/// Mails that are broken.
fn broken() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("empty", Vec::new()),
        ("zeros", vec![0; 4096]),
        ("newlines", b"\r\n".repeat(1000)),
        ("no headers", b"just text without anything".to_vec()),
        ("no from", b"Subject: x\r\n\r\ntext".to_vec()),
        (
            "from of nobody",
            b"From: undisclosed-recipients:;\r\n\r\ntext".to_vec(),
        ),
        (
            "no address",
            b"From: Ann <not an address>\r\n\r\ntext".to_vec(),
        ),
        (
            "a line in from",
            mail("=?utf-8?Q?a=0d=0ab?= <low@example.com>", "", "one").into(),
        ),
        (
            "control characters",
            mail(
                "low@example.com",
                "Subject: =?utf-8?Q?a=00b=1bc?=\r\n",
                "a\u{1b}[31mb\u{202e}c\u{0}",
            )
            .into(),
        ),
        (
            "half an encoding",
            mail("low@example.com", "Subject: =?utf-8?B?////\r\n", "two").into(),
        ),
        (
            "wrong utf-8",
            [mail(LOW, "", "three").into_bytes(), vec![0xff, 0xfe, 0x80]].concat(),
        ),
        (
            "unknown charset",
            mail(LOW, "", "four").replace("utf-8", "x-klingon").into(),
        ),
    ]
}

/// Mails that are made to be too much.
fn odd() -> Vec<(&'static str, Vec<u8>)> {
    let nested = |kind: &str, depth: usize| {
        let layer = |at: usize| format!("Content-Type: {kind}; boundary=b{at}\r\n\r\n--b{at}\r\n");
        let layers: String = (0..depth).map(layer).collect();
        format!("From: {LOW}\r\n{layers}deep")
    };
    let mut all: Vec<(&str, Vec<u8>)> = vec![
        (
            "deep multipart",
            nested("multipart/mixed", MAX_PARTS - 10).into(),
        ),
        ("too deep", nested("multipart/mixed", 20_000).into()),
        (
            "deep mails",
            format!(
                "From: {LOW}\r\n{}",
                "Content-Type: message/rfc822\r\n\r\n".repeat(MAX_PARTS - 10)
            )
            .into(),
        ),
        (
            "too deep mails",
            format!(
                "From: {LOW}\r\n{}",
                "Content-Type: message/rfc822\r\n\r\n".repeat(100_000)
            )
            .into(),
        ),
        (
            "deep digests",
            nested("multipart/digest", MAX_PARTS - 10).into(),
        ),
        (
            "many recipients",
            mail(
                LOW,
                &format!("Cc: {}\r\n", "a@b.example, ".repeat(50_000)),
                "five",
            )
            .into(),
        ),
        (
            "many references",
            mail(
                LOW,
                &format!("References: {}\r\n", "<a@b>\r\n ".repeat(50_000)),
                "six",
            )
            .into(),
        ),
        (
            "long header",
            mail(
                LOW,
                &format!("Subject: {}\r\n", "x".repeat(1_000_000)),
                "seven",
            )
            .into(),
        ),
        ("long text", mail(LOW, "", &"long ".repeat(400_000)).into()),
        (
            "html bomb",
            mail(LOW, "", &"<blockquote>".repeat(100_000))
                .replace("text/plain", "text/html")
                .into(),
        ),
        (
            "boundary of nothing",
            format!("From: {LOW}\r\nContent-Type: multipart/mixed; boundary=\"\"\r\n\r\n----\r\n")
                .into(),
        ),
        ("too large", vec![b'x'; MAX_MAIL_BYTES + 1]),
    ];
    all.splice(0..0, broken());
    all
}

/// Whatever it is, it is taken or put aside, and the next one is taken.
#[test]
fn nothing_stops_the_mailbox_and_nothing_is_lost() {
    let post = Post::start(OPENS);
    let odd = odd();
    for (at, (what, bytes)) in odd.iter().enumerate() {
        post.take(&format!("{at:02}"), bytes);
        let there = post.at("cur").len() + post.aside().len();
        assert_eq!((post.at("new").len(), there), (0, at + 1), "{what}");
    }
    let before = post.at("cur").len();
    post.take("zz", mail("fine@example.com", "", "after all that"));
    assert_eq!(post.at("cur").len(), before + 1);
    let fields = (1..).map_while(|id| post.ticket(&format!("{id}")));
    for ticket in fields {
        let problem = ticket
            .fields
            .get("problem")
            .map(ToString::to_string)
            .unwrap_or_default();
        assert!(problem.len() <= upline::core::value::MAX_TEXT_BYTES);
        let caller = ticket.fields["caller"].to_string();
        let harmful = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
        assert!(
            !problem.contains(harmful) && !caller.contains(char::is_control),
            "{problem}"
        );
    }
}

#[test]
fn a_thousand_pieces_of_mails_do_no_harm() {
    let whole = "From: \"=?gb2312?B?xOO6ww==?=\" <low@example.com>\r\nTo: desk@example.com\r\n\
        Subject: =?utf-8?Q?a_b?=\r\nReferences: <a@b> <c@d>\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/alternative; boundary=\"x\"\r\n\r\n--x\r\n\
        Content-Type: text/plain; charset=gbk\r\nContent-Transfer-Encoding: base64\r\n\r\nxOO6ww==\r\n--x\r\n\
        Content-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<p>=E4=BD</p>\r\n--x\r\n\
        Content-Type: message/rfc822\r\n\r\nFrom: z@y\r\n\r\ninner\r\n--x--\r\n";
    let bytes = whole.as_bytes();
    for end in 0..bytes.len() {
        let _ = crate::mailbox::read_for_tests(&bytes[..end]);
        let mut broken = bytes.to_vec();
        broken[end] = broken[end].wrapping_mul(31).wrapping_add(7);
        let _ = crate::mailbox::read_for_tests(&broken);
        broken.remove(end / 2);
        let _ = crate::mailbox::read_for_tests(&broken);
    }
    let read = crate::mailbox::read_for_tests(bytes).unwrap();
    assert_eq!(
        read,
        (
            "你好 <low@example.com>".to_owned(),
            "a b".to_owned(),
            "你好".to_owned()
        )
    );
}

#[test]
fn all_character_sets_are_read() {
    let cases: [(&str, &[u8], &str); 5] = [
        ("gb18030", b"\xb9\xca\xd5\xcf\x84\x31\xa4\x37", "故障"),
        ("GBK", b"\xc4\xe3\xba\xc3", "你好"),
        ("big5", b"\xa7\x41\xa6\x6e", "你好"),
        ("iso-8859-1", b"Stra\xdfe", "Straße"),
        ("shift_jis", b"\x93\xfa\x96\x7b", "日本"),
    ];
    for (charset, text, expected) in cases {
        let head = format!("From: {LOW}\r\nContent-Type: text/plain; charset={charset}\r\n\r\n");
        let (_, _, read) =
            crate::mailbox::read_for_tests(&[head.as_bytes(), text].concat()).unwrap();
        assert!(read.starts_with(expected), "{charset}: {read}");
    }
    let html = format!(
        "From: {LOW}\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>故障 &amp; Co<br>zwei</p>"
    );
    let (_, _, read) = crate::mailbox::read_for_tests(html.as_bytes()).unwrap();
    assert_eq!(read, "故障 & Co\nzwei");
}
