//! The routes, each with what it takes and answers.

mod files;
mod people;

use serde_json::{Value, json};

use super::{Operation, Types, codes};
use crate::api::view::TicketView;
use crate::api::{batch, events, login, messages, operator, questions, telling, tickets, wishes};

const KEY: &str = "Idempotency-Key";

/// All of them.
pub(super) fn all(types: &mut Types) -> Vec<Operation> {
    let mut all = vec![
        open(types),
        list(types),
        show(types),
        save(types),
        act(types),
        batch(types),
        message(types),
    ];
    all.extend(asking(types));
    all.extend(people::all(types));
    all.push(notify_tests(types));
    all.extend(operating(types));
    all.extend(coming_and_going(types));
    all.push(events(types));
    all.extend(files::all(types));
    all.extend(others());
    all
}

fn open(types: &mut Types) -> Operation {
    let body = types.of::<tickets::Opening>();
    let done = done(types);
    Operation::new("POST", "/v1/tickets", "openTicket", "Opens a ticket")
        .token()
        .header(
            KEY,
            true,
            "1 to 255 bytes; the same request with it again opens nothing.",
        )
        .json(body, true)
        .answers(201, "The ticket.", done)
        .answer_header(201, "ETag", "Its revision.")
        .answer_header(201, "Location", "Where it is.")
        .answer_header(201, "Idempotent-Replayed", "`true`: it was opened before.")
        .refuses(400, &["key-missing", "key-wrong"])
        .refuses(403, &["not-allowed"])
        .refuses(409, codes::CONFLICT)
        .refuses(422, codes::WRONG)
}

fn list(types: &mut Types) -> Operation {
    let ticket = types.of::<TicketView<'_>>();
    let page = page("tickets", ticket, json!({ "type": ["string", "null"] }));
    Operation::new("GET", "/v1/tickets", "listTickets", "Finds tickets")
        .token()
        .query(types.query::<tickets::Wanted>())
        .answers(200, "A page.", page)
        .answer_header(200, "Link", "The whole address of the next page.")
        .refuses(400, &["cursor-wrong"])
}

fn show(types: &mut Types) -> Operation {
    let ticket = types.of::<TicketView<'_>>();
    let path = "/v1/tickets/{id}";
    Operation::new(
        "GET",
        path,
        "showTicket",
        "A ticket, and what the caller could do",
    )
    .token()
    .query(types.query::<tickets::Speaking>())
    .answers(200, "The ticket.", ticket)
    .answer_header(200, "ETag", "Its revision.")
    .refuses(404, &["no-such-ticket"])
}

fn act(types: &mut Types) -> Operation {
    let bodies: [Value; 12] = [
        types.of::<wishes::Bare>(),
        types.of::<wishes::Why>(),
        types.of::<wishes::To>(),
        types.of::<wishes::Up>(),
        types.of::<wishes::Until>(),
        types.of::<wishes::Say>(),
        types.of::<wishes::Save>(),
        types.of::<wishes::Tick>(),
        types.of::<wishes::AnswerBy>(),
        types.of::<wishes::ChangeClock>(),
        types.of::<wishes::Cancel>(),
        types.of::<wishes::Act>(),
    ];
    let path = "/v1/tickets/{id}/actions/{action}";
    let operation = Operation::new("POST", path, "act", "Does something to a ticket")
        .header("If-Match", true, "The ETag that was seen, or `*`.")
        .refuses(400, &["if-match-wrong"])
        .refuses(404, &["no-such-action"])
        .refuses(412, &["changed"])
        .refuses(428, &["if-match-missing"]);
    command(types, operation, json!({ "anyOf": bodies }))
}

fn save(types: &mut Types) -> Operation {
    let path = "/v1/tickets/{id}";
    let body = types.of::<wishes::Save>();
    let operation = Operation::new("PATCH", path, "saveFields", "Saves fields of a ticket")
        .header("If-Match", true, "The ETag that was seen, or `*`.")
        .refuses(400, &["if-match-wrong"])
        .refuses(412, &["changed"])
        .refuses(428, &["if-match-missing"]);
    command(types, operation, body)
}

fn batch(types: &mut Types) -> Operation {
    let body = types.of::<batch::Batch>();
    let path = "/v1/tickets:batch";
    let results = json!({
        "type": "object",
        "required": ["results"],
        "properties": { "results": { "type": "array", "items": {
            "type": "object",
            "required": ["ticket", "status"],
            "properties": {
                "ticket": { "type": "string" },
                "status": { "type": "integer" },
                "revision": { "type": "integer" },
                "replayed": { "type": "boolean" },
                "problem": { "$ref": "#/components/schemas/Problem" },
            },
        } } },
    });
    Operation::new("POST", path, "batch", "Does something to several tickets")
        .token()
        .header(
            KEY,
            true,
            "1 to 255 bytes; the same batch with it again does nothing anew.",
        )
        .json(body, true)
        .answers(207, "What became of each, in their order.", results)
        .refuses(400, &["key-missing", "key-wrong"])
        .refuses(403, &["not-allowed"])
        .refuses(422, codes::WRONG)
}

fn message(types: &mut Types) -> Operation {
    let path = "/v1/tickets/{id}/messages/{message}";
    let summary = "Another system's message";
    let operation = Operation::new("POST", path, "sendMessage", summary);
    let body = types.of::<wishes::Message>();
    command(types, operation, body)
}

/// What a command has in common with others.
fn command(types: &mut Types, operation: Operation, body: Value) -> Operation {
    let done = done(types);
    operation
        .token()
        .header(
            KEY,
            false,
            "The same request with it again is answered as the first time.",
        )
        .json(body, false)
        .answers(200, "The ticket as it is now.", done)
        .answer_header(200, "ETag", "Its revision.")
        .answer_header(200, "Idempotent-Replayed", "`true`: it was done before.")
        .refuses(400, &["key-wrong"])
        .refuses(403, &["not-allowed"])
        .refuses(404, &["no-such-ticket", "no-such-action"])
        .refuses(409, codes::CONFLICT)
        .refuses(422, codes::WRONG)
}

/// The ticket, or where that can't be looked at any more, a receipt.
fn done(types: &mut Types) -> Value {
    let ticket = types.of::<TicketView<'_>>();
    json!({ "anyOf": [ticket, {
        "type": "object",
        "required": ["id", "revision"],
        "properties": { "id": { "type": "string" }, "revision": { "type": "integer" } },
    }] })
}

fn asking(types: &mut Types) -> Vec<Operation> {
    let object = |required: &[&str]| json!({ "type": "object", "required": required });
    let history = types.of::<questions::History>();
    let timeline = Operation::new(
        "GET",
        "/v1/tickets/{id}/timeline",
        "timeline",
        "What happened to a ticket, the oldest first",
    );
    let explain = Operation::new(
        "GET",
        "/v1/tickets/{id}/explain",
        "explain",
        "Who has a ticket, since when, why, and what the clocks have counted",
    );
    let forecast = Operation::new(
        "GET",
        "/v1/tickets/{id}/forecast",
        "forecast",
        "What happens next, and when, if nobody acts",
    );
    let sent = types.of::<messages::Messages>();
    let told = Operation::new(
        "GET",
        "/v1/tickets/{id}/messages",
        "messages",
        "What became of each message of a ticket, the oldest first",
    );
    let shown = types.of::<telling::Shown>();
    let preview = Operation::new(
        "GET",
        "/v1/tickets/{id}/preview",
        "preview",
        "What somebody would be told of a ticket; nobody is",
    );
    let explained = [
        "ticket",
        "workflow",
        "version",
        "now",
        "positions",
        "promises",
        "lines",
    ];
    let ahead = [
        "ticket",
        "from",
        "to",
        "answerable",
        "more",
        "steps",
        "lines",
    ];
    let all = [
        timeline
            .query(types.query::<questions::Piece>())
            .answers(200, "A page.", history),
        told.query(types.query::<messages::Piece>())
            .answers(200, "A page.", sent),
        preview
            .query(types.query::<telling::Wanted>())
            .answers(200, "The letter.", shown)
            .refuses(403, &["not-allowed"])
            .refuses(422, &["no-such-person", "no-contact"]),
        explain
            .query(types.query::<tickets::Speaking>())
            .answers(200, "The explanation.", object(&explained))
            .refuses(409, &["set-aside", "has-ended"]),
        forecast
            .query(types.query::<questions::Ahead>())
            .answers(200, "The forecast.", object(&ahead))
            .refuses(409, &["set-aside", "has-ended"]),
    ];
    let all = all.into_iter();
    all.map(|one| one.token().refuses(404, &["no-such-ticket"]))
        .collect()
}

/// Passwords.
fn coming_and_going(types: &mut Types) -> [Operation; 2] {
    let given = types.of::<login::Given>();
    let logged_in = types.of::<login::LoggedIn>();
    let nothing = types.of::<questions::Nothing>();
    let login = "Takes a password, and gives a token that ends by itself";
    let logout = "Ends the token that it comes with";
    [
        Operation::new("POST", "/v1/login", "login", login)
            .open()
            .json(given, true)
            .answers(200, "The token.", logged_in)
            .refuses(401, &["login-wrong"])
            .refuses(429, &["too-many-requests"]),
        Operation::new("POST", "/v1/logout", "logout", logout)
            .token()
            .json(nothing, false)
            .answers_nothing(204, "It has ended.")
            .refuses(409, &["no-login"]),
    ]
}

fn notify_tests(types: &mut Types) -> Operation {
    let (body, done) = (types.of::<telling::Test>(), types.of::<telling::Tests>());
    let summary = "Sends a person a test message by each of his channels";
    Operation::new("POST", "/v1/notify-tests", "testNotifications", summary)
        .token()
        .json(body, true)
        .answers(200, "What became of each.", done)
        .refuses(403, &["not-allowed"])
        .refuses(
            422,
            &["body-wrong", "name-wrong", "no-such-person", "no-channel"],
        )
        .refuses(429, &["too-many-requests"])
}

/// What only an admin does.
fn operating(types: &mut Types) -> [Operation; 3] {
    let nothing = types.of::<questions::Nothing>();
    let ticket = types.of::<TicketView<'_>>();
    let done = json!({ "anyOf": [ticket, {
        "type": "object",
        "required": ["id"],
        "properties": { "id": { "type": "string" } },
    }] });
    let command = |path: &str, id, summary| {
        Operation::new("POST", path, id, summary)
            .json(nothing.clone(), false)
            .answers(200, "The ticket as it is now.", done.clone())
            .answer_header(200, "ETag", "Its revision.")
            .refuses(404, &["no-such-ticket"])
    };
    let erase = "Destroys what is personal in a ticket that has ended";
    let put_back = "Lets a ticket go on that was set aside";
    let aside = types.of::<operator::Aside>();
    let page = page("tickets", aside, json!({ "type": ["string", "null"] }));
    let list = "Those that are set aside, and why, the oldest first";
    [
        command("/v1/tickets/{id}/erase", "eraseTicket", erase)
            .refuses(409, &["still-open", "set-aside"]),
        command("/v1/tickets/{id}/put-back", "putBackTicket", put_back)
            .refuses(409, &["has-ended", "set-aside"]),
        Operation::new("GET", "/v1/set-aside", "listSetAside", list)
            .query(types.query::<operator::Piece>())
            .answers(200, "A page.", page)
            .answer_header(200, "Link", "The whole address of the next page.")
            .refuses(400, &["cursor-wrong"]),
    ]
    .map(|one| one.token().refuses(403, &["not-allowed"]))
}

fn events(types: &mut Types) -> Operation {
    let event = json!({ "$ref": "#/components/schemas/Event" });
    let mut page = page("events", event, json!({ "type": "string" }));
    page["properties"]["more"] = json!({ "type": "boolean" });
    Operation::new("GET", "/v1/events", "events", "What happens to tickets")
        .token()
        .query(types.query::<events::Wanted>())
        .header(
            "Last-Event-ID",
            false,
            "Of a stream: the last event that was seen.",
        )
        .answers(200, "A page, or a stream that goes on.", page)
        .answers_with(200, "", "text/event-stream", json!({ "type": "string" }))
        .refuses(400, &["cursor-wrong"])
        .refuses(404, &["no-such-ticket"])
        .refuses(410, &["too-old"])
}

fn others() -> Vec<Operation> {
    let object = |required: &[&str]| json!({ "type": "object", "required": required });
    let text = || json!({ "type": "string" });
    let ready = Operation::new("GET", "/readyz", "readyz", "Whether it does its work");
    let page = |operation: Operation| {
        let what = "A page for people.";
        let statuses = [200, 403, 404, 409, 410, 422, 429, 503];
        let all = statuses
            .into_iter()
            .fold(operation.open(), |operation, status| {
                operation.answers_with(status, what, "text/html", text())
            });
        let what = "Seconds, if too many links that there are not came from there.";
        all.answer_header(429, "Retry-After", what)
    };
    vec![
        Operation::new("GET", "/v1/openapi.json", "openapi", "This file")
            .open()
            .answers(200, "The file.", object(&["openapi", "info", "paths"])),
        hook(),
        page(Operation::new(
            "GET",
            "/a/{token}",
            "showLink",
            "What a link in a message is for",
        )),
        page(Operation::new(
            "POST",
            "/a/{token}",
            "pressLink",
            "Does what a link is for",
        )),
        Operation::new("GET", "/healthz", "healthz", "The process answers")
            .open()
            .answers(200, "It does.", object(&["ok"])),
        ready
            .open()
            .answers(200, "It does.", object(&["ready", "reasons", "warnings"]))
            .answers(
                503,
                "It does not.",
                object(&["ready", "reasons", "warnings"]),
            ),
        Operation::new("GET", "/metrics", "metrics", "Figures for Prometheus")
            .token()
            .answers_with(200, "The figures.", "text/plain", text()),
        Operation::new("GET", "/version", "version", "Which program this is")
            .open()
            .answers(200, "Its name and version.", object(&["name", "version"])),
    ]
}

fn hook() -> Operation {
    let summary = "Another system's messages, in its own words";
    let results = json!({ "type": "object", "required": ["results"] });
    Operation::new("POST", "/v1/hooks/{source}", "takeHook", summary)
        .open()
        .body("application/json")
        .answers(200, "What became of each.", results)
        .refuses(400, &["not-json", "path-wrong"])
        .refuses(401, &["not-proved"])
        .refuses(429, &["too-many-requests"])
        .refuses(403, &["not-allowed"])
        .refuses(404, &["no-such-source", "no-such-ticket", "no-such-action"])
        .refuses(409, codes::CONFLICT)
        .refuses(413, &["too-many"])
        .refuses(422, &["not-understood"])
        .refuses(422, codes::WRONG)
}

fn page(of: &str, item: Value, next: Value) -> Value {
    let mut page = json!({
        "type": "object",
        "required": [of, "next"],
        "properties": { "next": next },
    });
    page["properties"][of] = json!({ "type": "array", "items": item });
    page
}
