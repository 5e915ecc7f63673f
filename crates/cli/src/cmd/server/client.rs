//! A client of the HTTP API: what passes is tried again, and what is refused is told in the caller's words.

use std::time::Duration;

use serde_json::Value;
use upline_daemon::tokens::new_secret;
use ureq::Agent;
use ureq::http::Request;

use super::At;
use crate::exit::{Exit, Failure};

/// Where a service is looked for if nothing else is said.
const DEFAULT_SERVER: &str = "http://127.0.0.1:8080";
/// How long is waited before each further try.
const AGAIN_AFTER: [Duration; 3] = [
    Duration::from_millis(200),
    Duration::from_secs(1),
    Duration::from_secs(3),
];
/// How long a service may make a caller wait by `Retry-After`.
const MAX_WAIT: Duration = Duration::from_secs(10);
/// How long an answer may take; the service gives a request 30 seconds.
const ANSWER_TIME: Duration = Duration::from_secs(40);

/// A service, and who asks.
pub(crate) struct Client {
    agent: Agent,
    server: String,
    token: Option<String>,
}

/// An answer that is no refusal.
pub(crate) struct Answer {
    pub(crate) body: Value,
}

/// A request.
#[derive(Debug, Clone, Copy)]
struct Asked<'a> {
    method: &'a str,
    path: &'a str,
    headers: &'a [(&'a str, &'a str)],
    body: &'a str,
}

impl Client {
    /// Of what the options and the environment say.
    pub(crate) fn new(at: &At) -> Result<Self, Failure> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let server = at.server.clone().or_else(|| variable("UPLINE_SERVER"));
        let server = server.unwrap_or_else(|| DEFAULT_SERVER.to_owned());
        let server = server.trim_end_matches('/').to_owned();
        let host = server
            .strip_prefix("http://")
            .or_else(|| server.strip_prefix("https://"));
        // What stands before an `@` may be a secret: it is not repeated.
        if host.is_none_or(|host| host.is_empty() || host.contains(['@', '?', '#', ' '])) {
            let message = "the address of the service must be `http://HOST:PORT` or `https://HOST`";
            return Err(Failure::usage(message).help("name it by `--server` or UPLINE_SERVER"));
        }
        let config = Agent::config_builder()
            .http_status_as_error(false)
            // A token goes to nobody else.
            .max_redirects(0)
            .timeout_connect(Some(Duration::from_secs(10)))
            .timeout_recv_response(Some(ANSWER_TIME));
        let local = ["http://127.", "http://localhost", "http://[::1]"];
        let config = match local.iter().any(|start| server.starts_with(start)) {
            true => config.proxy(None),
            false => config,
        };
        Ok(Self {
            agent: config.build().into(),
            server,
            token: at.token.clone().or_else(|| variable("UPLINE_TOKEN")),
        })
    }

    pub(crate) fn get(&self, path: &str) -> Result<Answer, Failure> {
        self.send(Asked {
            method: "GET",
            path,
            headers: &[],
            body: "",
        })
    }

    /// Gives a command, under a key of its own: tried again after a broken connection it is carried out once.
    pub(crate) fn post(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Result<Answer, Failure> {
        let key = new_secret();
        let key = key.map_err(|error| Failure::not_found(format!("no random bytes: {error}")))?;
        let key = key.replace("upl_", "cli-");
        let mut all = vec![("content-type", "application/json")];
        if !headers.iter().any(|(name, _)| *name == "idempotency-key") {
            all.push(("idempotency-key", key.as_str()));
        }
        all.extend_from_slice(headers);
        let text = body.to_string();
        self.send(Asked {
            method: "POST",
            path,
            headers: &all,
            body: &text,
        })
    }

    /// Removes what is at this path; done again, it is answered as the first time.
    pub(crate) fn delete(&self, path: &str) -> Result<Answer, Failure> {
        self.send(Asked {
            method: "DELETE",
            path,
            headers: &[],
            body: "",
        })
    }

    /// Opens a stream of events; it is read until it ends.
    pub(crate) fn stream(
        &self,
        path: &str,
        after: Option<&str>,
    ) -> Result<impl std::io::Read + use<>, Failure> {
        let mut headers = vec![("accept", "text/event-stream")];
        headers.extend(after.map(|after| ("last-event-id", after)));
        let asked = Asked {
            method: "GET",
            path,
            headers: &headers,
            body: "",
        };
        let response = self.answered(asked)?;
        Ok(response.into_body().into_reader())
    }

    fn send(&self, asked: Asked<'_>) -> Result<Answer, Failure> {
        let mut response = self.answered(asked)?;
        if response.status() == ureq::http::StatusCode::NO_CONTENT {
            return Ok(Answer { body: Value::Null });
        }
        let text = response.body_mut().read_to_string();
        let text = text.map_err(|error| self.unreachable(&error.to_string()))?;
        let none = |_| self.unreachable("what answers there is no Upline");
        let body = serde_json::from_str(&text).map_err(none)?;
        Ok(Answer { body })
    }

    /// An answer of the hundreds 200; what passes is tried again.
    fn answered(&self, asked: Asked<'_>) -> Result<ureq::http::Response<ureq::Body>, Failure> {
        let mut waits = AGAIN_AFTER.into_iter();
        loop {
            let last = match self.once(asked) {
                Ok(response) if response.status().is_success() => return Ok(response),
                Ok(mut response) => {
                    let status = response.status().as_u16();
                    let after = response.headers().get("retry-after");
                    let after = after.and_then(|after| after.to_str().ok()?.parse().ok());
                    let text = response.body_mut().read_to_string().unwrap_or_default();
                    let refused = self.refused(status, &text);
                    if !matches!(status, 429 | 500..) {
                        return Err(refused);
                    }
                    (refused, after.map(Duration::from_secs))
                }
                Err(failure) => (failure, None),
            };
            match (waits.next(), last) {
                (Some(wait), (_, after)) => {
                    std::thread::sleep(after.unwrap_or(wait).min(MAX_WAIT));
                }
                (None, (failure, _)) => return Err(failure),
            }
        }
    }

    fn once(&self, asked: Asked<'_>) -> Result<ureq::http::Response<ureq::Body>, Failure> {
        let url = format!("{}{}", self.server, asked.path);
        let mut request = Request::builder().method(asked.method).uri(&url);
        for (name, value) in asked.headers {
            request = request.header(*name, *value);
        }
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {}", token.trim()));
        }
        // Never what was wrong with it: that may be the token.
        let wrong =
            |_| Failure::usage("the address, the token or another value can't be sent as it is");
        let request = request
            .body(asked.body.as_bytes().to_vec())
            .map_err(wrong)?;
        let response = self.agent.run(request);
        response.map_err(|error| self.unreachable(&error.to_string()))
    }

    fn unreachable(&self, why: &str) -> Failure {
        let message = format!("`{}` can't be reached: {why}", self.server);
        Failure::of(Exit::Unreachable, message)
            .help("is `upline serve` running there? `--server` or UPLINE_SERVER name another one")
    }

    /// A refusal as the failure of a command.
    fn refused(&self, status: u16, text: &str) -> Failure {
        let problem: Value = serde_json::from_str(text).unwrap_or(Value::Null);
        let said = |name: &str| problem[name].as_str().map(str::to_owned);
        let exit = match status {
            401 | 403 => Exit::NotAllowed,
            404 | 410 => Exit::NotFound,
            409 | 412 => Exit::Conflict,
            422 => Exit::Findings,
            500.. => Exit::Unreachable,
            _ => Exit::Usage,
        };
        let other = || format!("`{}` answers with status {status}", self.server);
        let mut message = said("detail").unwrap_or_else(other);
        for fault in problem["fields"].as_array().into_iter().flatten() {
            if let Some(detail) = fault["detail"].as_str() {
                message.push_str(&format!("\n  {detail}"));
            }
        }
        let possible = problem["possible"].as_array().map(|all| {
            let all: Vec<&str> = all.iter().filter_map(Value::as_str).collect();
            format!("possible now: {}", all.join(", "))
        });
        let help = match status {
            401 if problem["code"] != "login-wrong" => Some(
                "give a token by UPLINE_TOKEN or `--token`; `upline login` gives one for a password"
                    .to_owned(),
            ),
            _ => possible.or_else(|| said("hint")),
        };
        let failure = Failure::of(exit, message).holder(said("holder"));
        match help {
            Some(help) => failure.help(help),
            None => failure,
        }
    }
}

/// A part of a path.
pub(crate) fn part(text: &str) -> String {
    let mut part = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => part.push(byte.into()),
            other => part.push_str(&format!("%{other:02X}")),
        }
    }
    part
}

impl Client {
    /// Where it asks.
    pub(crate) fn server(&self) -> &str {
        &self.server
    }

    /// What `/readyz` says, whether it is ready or not.
    pub(crate) fn ready(&self) -> Result<Value, Failure> {
        let asked = Asked {
            method: "GET",
            path: "/readyz",
            headers: &[],
            body: "",
        };
        let mut response = self.once(asked)?;
        let text = response.body_mut().read_to_string().unwrap_or_default();
        let none = |_| self.unreachable("what answers there is no Upline");
        serde_json::from_str(&text).map_err(none)
    }
}
