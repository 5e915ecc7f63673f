//! What each robot is sent, and what its answers mean.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::*;
use crate::tell::Language;

const HOSTILE: &str = "</text> <!channel> <@all> @all @here [bank](https://evil.example) **x** {{DATE(1,SHORT)}} \
    <at id=all></at> `x`\n# head\n- item";

fn letter() -> Letter {
    Letter {
        language: Language::Zh,
        subject: format!("[L2 · 30 分钟] 17 宽带中断 {}", HOSTILE.replace('\n', " ")),
        text: "https://u.example/a/1".to_owned(),
        html: None,
        brief: format!("王芳 没有处理，现在轮到您。\n{HOSTILE}"),
        buttons: vec![
            Button {
                label: "受理 [x](y) <!here>".to_owned(),
                href: "https://u.example/a/T(1)".to_owned(),
                number: Some("47".to_owned()),
                is_main: true,
            },
            Button {
                label: "Not me".to_owned(),
                href: "https://u.example/a/U".to_owned(),
                number: None,
                is_main: false,
            },
        ],
    }
}

fn bodies(letter: &Letter, buttons: &[Button]) -> [(Shape, Value); 5] {
    [
        (Shape::Slack, slack::body(letter, buttons)),
        (Shape::Teams, teams::body(letter, buttons)),
        (Shape::Wecom, wecom::body(letter, buttons)),
        (Shape::Dingtalk, dingtalk::body(letter, buttons)),
        (Shape::Feishu, feishu::body(letter, buttons)),
    ]
}

/// Every text in a body.
fn texts<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(members) => members.values().for_each(|item| texts(item, found)),
        _ => (),
    }
}

#[test]
fn every_robot_is_told_in_the_persons_language_and_with_links_only_if_wanted() {
    let letter = letter();
    for (shape, body) in bodies(&letter, &letter.buttons) {
        let text = body.to_string();
        assert!(
            text.contains("宽带中断") && text.contains("现在轮到您"),
            "{shape}: {text}"
        );
        assert!(
            text.contains("受理") && text.contains("47"),
            "{shape}: {text}"
        );
        assert!(text.contains("https://u.example/a/U"), "{shape}: {text}");
        assert!(text.len() <= MAX_SENT_BYTES, "{shape}");
    }
    for (shape, body) in bodies(&letter, &[]) {
        let text = body.to_string();
        assert!(
            !text.contains("u.example") && !text.contains("47"),
            "{shape}: {text}"
        );
    }
}

#[test]
fn what_a_ticket_says_stays_text() {
    let letter = letter();
    for (shape, body) in bodies(&letter, &letter.buttons) {
        let mut found = Vec::new();
        texts(&body, &mut found);
        for text in found {
            let context = format!("{shape}: {text}");
            match shape {
                Shape::Slack => {
                    let text = text.replace("https://", "");
                    assert!(
                        !text.contains(['<', '>']) && !text.contains("@here"),
                        "{context}"
                    );
                }
                // Only our own signs are there: bold, quotes, headings, and two links.
                Shape::Wecom | Shape::Dingtalk => {
                    for sign in ["<", "@", "`", "_"] {
                        assert!(!text.contains(sign), "{sign} in {context}");
                    }
                    assert!(!text.contains("](https://evil"), "{context}");
                    assert!(text.matches("](").count() <= 2, "{context}");
                    assert!(
                        !text.contains("\n# ") && !text.contains("\n- "),
                        "{context}"
                    );
                    assert!(text.matches("**").count() <= 2, "{context}");
                }
                Shape::Teams => assert!(!text.contains("{{"), "{context}"),
                _ => (),
            }
        }
    }
    // These two say of each text that it is plain.
    let mut kinds = Vec::new();
    let feishu = feishu::body(&letter, &letter.buttons).to_string();
    assert!(!feishu.contains("lark_md"));
    let teams = teams::body(&letter, &letter.buttons);
    let blocks = teams["attachments"][0]["content"]["body"]
        .as_array()
        .unwrap()
        .clone();
    kinds.extend(
        blocks
            .iter()
            .map(|block| block["type"].as_str().unwrap().to_owned()),
    );
    assert!(
        kinds.iter().all(|kind| kind == "RichTextBlock"),
        "{kinds:?}"
    );
    let slack = slack::body(&letter, &letter.buttons).to_string();
    assert!(!slack.contains("\"type\":\"mrkdwn\""));
}

#[test]
fn a_long_letter_stays_within_what_robots_take() {
    let mut long = letter();
    long.subject = "宽带&<>".repeat(2000);
    long.brief = "断\"\\<网\n".repeat(5000);
    long.buttons[1].label = "x".repeat(5000);
    for (shape, body) in bodies(&long, &long.buttons) {
        assert!(
            body.to_string().len() <= MAX_SENT_BYTES,
            "{shape}: {}",
            body.to_string().len()
        );
    }
    let wecom = wecom::body(&long, &long.buttons);
    assert!(wecom["markdown"]["content"].as_str().unwrap().len() <= 4096);
    let slack = slack::body(&long, &long.buttons);
    let blocks = slack["blocks"].as_array().unwrap();
    let chars = |value: &Value| value["text"]["text"].as_str().unwrap().chars().count();
    assert!(chars(&blocks[0]) <= 150 && chars(&blocks[1]) <= 3000);
    assert!(chars(&blocks[2]["elements"][1]) <= 75);
}

#[test]
fn dingtalk_and_feishu_are_signed_as_their_pages_say() {
    // Made with another implementation, Python's `hmac`.
    let now = "2026-03-06T01:10:00Z".parse().unwrap();
    let key = Hidden::from("SECret".to_owned());
    let mut url: Url = "https://oapi.dingtalk.com/robot/send?access_token=x"
        .parse()
        .unwrap();
    dingtalk::sign(&mut url, &key, now);
    let expected = "8ozkL3T6mk8SrPQZGQ5DZWnO7jZk+tg6uFSRazTzBRU=";
    let query: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    assert_eq!(
        query[1],
        ("timestamp".to_owned(), "1772759400000".to_owned())
    );
    assert_eq!(query[2], ("sign".to_owned(), expected.to_owned()));
    assert!(
        !url.query().unwrap().contains('+'),
        "a plus sign would be read as a space"
    );
    let mut body = json!({});
    feishu::sign(&mut body, &key, now);
    assert_eq!(body["timestamp"], "1772759400");
    assert_eq!(body["sign"], "h//O0KC2iIUnGcTRgoseLypomgdWLALsaa7ZCQqh4cA=");
}

fn verdict_of(shape: Shape, status: u16, body: &str) -> &'static str {
    let answer = Answer {
        status: StatusCode::from_u16(status).unwrap(),
        retry_after: None,
        body: body.as_bytes().to_vec(),
    };
    match shape.verdict(&answer) {
        Verdict::Delivered => "delivered",
        Verdict::Later { after, .. } if after == Some(Duration::from_secs(60)) => "in a minute",
        Verdict::Later { .. } => "later",
        Verdict::Never { .. } => "never",
        Verdict::Gone { .. } => "gone",
    }
}

#[test]
fn what_a_robot_says_in_its_body_counts() {
    let cases = [
        (
            Shape::Wecom,
            200,
            r#"{"errcode":0,"errmsg":"ok"}"#,
            "delivered",
        ),
        (
            Shape::Wecom,
            200,
            r#"{"errcode":93000,"errmsg":"invalid webhook url"}"#,
            "never",
        ),
        (
            Shape::Wecom,
            200,
            r#"{"errcode":45009,"errmsg":"api freq out of limit"}"#,
            "in a minute",
        ),
        (
            Shape::Wecom,
            200,
            r#"{"errcode":-1,"errmsg":"system busy"}"#,
            "in a minute",
        ),
        (
            Shape::Wecom,
            200,
            "<html>log in to the network</html>",
            "later",
        ),
        (Shape::Wecom, 200, "", "later"),
        (Shape::Wecom, 200, r#"{"errcode":"0"}"#, "later"),
        (Shape::Wecom, 502, "bad gateway", "later"),
        (
            Shape::Dingtalk,
            200,
            r#"{"errcode":0,"errmsg":"ok"}"#,
            "delivered",
        ),
        (
            Shape::Dingtalk,
            200,
            r#"{"errcode":310000,"errmsg":"sign not match"}"#,
            "never",
        ),
        (
            Shape::Dingtalk,
            200,
            r#"{"errcode":130101,"errmsg":"send too fast"}"#,
            "in a minute",
        ),
        (Shape::Dingtalk, 404, "no", "never"),
        (
            Shape::Feishu,
            200,
            r#"{"code":0,"msg":"success","data":{}}"#,
            "delivered",
        ),
        (
            Shape::Feishu,
            200,
            r#"{"StatusCode":0,"StatusMessage":"success"}"#,
            "delivered",
        ),
        (
            Shape::Feishu,
            200,
            r#"{"code":19021,"msg":"sign match fail"}"#,
            "never",
        ),
        (
            Shape::Feishu,
            400,
            r#"{"code":11232,"msg":"frequency limited"}"#,
            "in a minute",
        ),
        (
            Shape::Feishu,
            400,
            r#"{"code":9499,"msg":"Bad Request"}"#,
            "never",
        ),
        (Shape::Feishu, 500, r#"{"code":0}"#, "later"),
        (
            Shape::Feishu,
            200,
            r#"{"code":19021,"StatusCode":0}"#,
            "never",
        ),
        (Shape::Teams, 202, "", "delivered"),
        (
            Shape::Teams,
            200,
            "Webhook message delivery failed with error: HTTP 429",
            "later",
        ),
        (Shape::Slack, 200, "ok", "delivered"),
        (Shape::Slack, 403, "action_prohibited", "never"),
        (Shape::Slack, 410, "channel_is_archived", "gone"),
        (Shape::Standard, 204, "", "delivered"),
    ];
    for (shape, status, body, expected) in cases {
        assert_eq!(
            verdict_of(shape, status, body),
            expected,
            "{shape} {status} {body}"
        );
    }
}
