//! The page with the mail.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, REFRESH,
};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use jiff::tz::TimeZone;
use mail_parser::MessageParser;
use serde::Deserialize;
use serde_json::Value;

use super::ZONE;
use super::office::{Mail, Office};
use crate::tell::Language;

/// How often the list looks for new mail by itself, in seconds.
const REFRESH_SECONDS: u16 = 3;

/// Where the directory's telephone is.
pub(super) const TELEPHONE: &str = "/dev/duty-phone";
/// What the directory calls it.
pub(super) const DUTY_PHONE: &str = "duty-phone";

#[derive(Clone)]
struct Shared {
    office: Office,
    language: Language,
}

pub(super) fn router(office: Office, language: Language) -> Router {
    Router::new()
        .route("/", get(|| async { Redirect::to("/dev/mail") }))
        .route("/dev/mail", get(list))
        .route("/dev/mail/{number}", get(view))
        .route("/dev/mail/{number}/html", get(html))
        .route("/dev/mail/{number}/raw", get(raw))
        .route(TELEPHONE, post(ring))
        .with_state(Shared { office, language })
}

#[derive(Deserialize)]
struct Asked {
    lang: Option<String>,
    /// The list does not look for new mail by itself.
    stay: Option<String>,
}

impl Asked {
    fn language(&self, shared: &Shared) -> Language {
        match self.lang.as_deref() {
            Some(tag) if tag.starts_with("zh") => Language::Zh,
            Some(tag) if tag.starts_with("en") => Language::En,
            _ => shared.language,
        }
    }
}

/// What stands on the pages.
struct Words {
    tag: &'static str,
    mail: &'static str,
    about: &'static str,
    time: &'static str,
    to: &'static str,
    from: &'static str,
    subject: &'static str,
    none: &'static str,
    stay: &'static str,
    go_on: &'static str,
    back: &'static str,
    as_html: &'static str,
    as_sent: &'static str,
    other: &'static str,
    other_tag: &'static str,
}

fn words(language: Language) -> &'static Words {
    match language {
        Language::En => &Words {
            tag: "en",
            mail: "Mail",
            about: "Every mail that was sent, and every call, the newest first. New ones come by themselves.",
            time: "Time",
            to: "To",
            from: "From",
            subject: "Subject",
            stay: "Stop that",
            go_on: "They do not now: let them",
            none: "No mail yet: the first one comes within a few seconds.",
            back: "All mail",
            as_html: "as HTML",
            as_sent: "as it was sent",
            other: "中文",
            other_tag: "zh",
        },
        Language::Zh => &Words {
            tag: "zh-CN",
            mail: "邮件",
            about: "服务发出的每封邮件和每通电话，最新的在前。本页自动刷新。",
            time: "时间",
            to: "收件人",
            from: "发件人",
            subject: "主题",
            stay: "停止刷新",
            go_on: "已停止，恢复刷新",
            none: "还没有邮件：第一封将在几秒内到达。",
            back: "全部邮件",
            as_html: "HTML 版",
            as_sent: "原文",
            other: "English",
            other_tag: "en",
        },
    }
}

struct Row {
    number: usize,
    time: String,
    to: String,
    subject: String,
}

#[derive(Template)]
#[template(path = "demo-mails.html")]
struct List {
    words: &'static Words,
    stays: bool,
    rows: Vec<Row>,
}

/// A piece of a line of a mail.
enum Piece {
    Text(String),
    Link(String),
}

#[derive(Template)]
#[template(path = "demo-mail.html")]
struct View {
    words: &'static Words,
    row: Row,
    from: String,
    lines: Vec<Vec<Piece>>,
}

async fn list(State(shared): State<Shared>, Query(asked): Query<Asked>) -> Response {
    let words = words(asked.language(&shared));
    let rows = shared.office.mails().iter().map(row).collect();
    let stays = asked.stay.is_some();
    let mut answer = page(&List { words, stays, rows });
    if !stays {
        let seconds = HeaderValue::from(REFRESH_SECONDS);
        answer.headers_mut().insert(REFRESH, seconds);
    }
    answer
}

async fn view(
    State(shared): State<Shared>,
    Path(number): Path<usize>,
    Query(asked): Query<Asked>,
) -> Response {
    let Some(mail) = shared.office.mail(number) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let parsed = MessageParser::default().parse(mail.raw.as_slice());
    let text = parsed.as_ref().and_then(|mail| mail.body_text(0));
    let text = text.unwrap_or_default();
    let from = parsed.as_ref().and_then(|mail| mail.from()?.first());
    let from = from.map(|from| {
        let (name, address) = (
            from.name().unwrap_or_default(),
            from.address().unwrap_or_default(),
        );
        format!("{name} <{address}>")
    });
    page(&View {
        words: words(asked.language(&shared)),
        row: row(&mail),
        from: from.unwrap_or_default(),
        lines: text.lines().map(pieces).collect(),
    })
}

/// The mail as a program for mail would show it: without scripts, and with nothing from elsewhere.
async fn html(State(shared): State<Shared>, Path(number): Path<usize>) -> Response {
    let mail = shared.office.mail(number);
    let parsed = mail
        .as_ref()
        .and_then(|mail| MessageParser::default().parse(mail.raw.as_slice()));
    let html = parsed.as_ref().and_then(|mail| mail.body_html(0));
    let Some(html) = html else {
        return StatusCode::NOT_FOUND.into_response();
    };
    answer("text/html; charset=utf-8", html.into_owned())
}

async fn raw(State(shared): State<Shared>, Path(number): Path<usize>) -> Response {
    let Some(mail) = shared.office.mail(number) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let text = String::from_utf8_lossy(&mail.raw).into_owned();
    answer("text/plain; charset=utf-8", text)
}

/// What a webhook that is shaped as for Slack says, is said by telephone.
async fn ring(State(shared): State<Shared>, Json(body): Json<Value>) -> &'static str {
    let text = body["text"].as_str().unwrap_or_default();
    shared.office.ring(DUTY_PHONE, text);
    "ok"
}

fn page(template: &impl Template) -> Response {
    match template.render() {
        Ok(text) => answer("text/html; charset=utf-8", text),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn answer(kind: &'static str, text: String) -> Response {
    let policy =
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";
    let headers = [
        (CONTENT_TYPE, kind),
        (CONTENT_SECURITY_POLICY, policy),
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("x-content-type-options"), "nosniff"),
    ];
    (headers, text).into_response()
}

fn row(mail: &Mail) -> Row {
    let parsed = MessageParser::default().parse(mail.raw.as_slice());
    let subject = parsed.as_ref().and_then(|mail| mail.subject());
    let zone = TimeZone::get(ZONE).unwrap_or(TimeZone::UTC);
    Row {
        number: mail.number,
        time: mail.at.to_zoned(zone).strftime("%H:%M:%S").to_string(),
        to: mail.to.clone(),
        subject: subject.unwrap_or_default().to_owned(),
    }
}

/// A line of a mail, with its links.
fn pieces(line: &str) -> Vec<Piece> {
    let is_link = |word: &str| word.starts_with("http://") || word.starts_with("https://");
    let words = line.split_inclusive(' ');
    words
        .map(|word| match word.trim_end() {
            link if is_link(link) => {
                Piece::Link(link.trim_end_matches(['>', ')', ',', '.']).to_owned())
            }
            _ => Piece::Text(word.to_owned()),
        })
        .collect()
}
