//! A client of the daemon's own API.

use std::net::SocketAddr;

use axum::body::{Body, to_bytes};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, IF_MATCH};
use axum::http::{Method, Request};
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use super::DemoError;
use super::story::Scene;
use crate::limits::MAX_BODY_BYTES;

/// A client with the tokens of those who play.
#[derive(Debug)]
pub(super) struct Client {
    address: SocketAddr,
    caller: String,
    pub(super) admin: String,
    /// How many tickets were opened: each has a key of its own.
    opened: u32,
}

impl Client {
    pub(super) fn new(caller: String, admin: String) -> Self {
        Self {
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            caller,
            admin,
            opened: 0,
        }
    }

    pub(super) fn at(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Opens a ticket, and takes its first action if it has one. Its id.
    pub(super) async fn play(&mut self, scene: &Scene) -> Result<String, DemoError> {
        // Its own for the action too: an id is never used for two commands.
        let (key, acting) = (
            format!("demo-{}", self.opened),
            format!("demo-{}-then", self.opened),
        );
        let body = json!({ "workflow": scene.workflow, "fields": scene.fields });
        let headers = [("idempotency-key", key.as_str())];
        let ticket = self
            .ask(
                Method::POST,
                "/v1/tickets",
                &self.caller,
                &headers,
                Some(&body),
            )
            .await?;
        let id = text(&ticket["id"]).to_owned();
        if let Some(action) = scene.then {
            let path = format!("/v1/tickets/{id}/actions/{action}");
            let headers = [
                (IF_MATCH.as_str(), "*"),
                ("idempotency-key", acting.as_str()),
            ];
            self.ask(
                Method::POST,
                &path,
                &self.caller,
                &headers,
                Some(&json!({})),
            )
            .await?;
        }
        self.opened += 1;
        Ok(id)
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        token: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Value, DemoError> {
        let wrong = |what: &dyn std::fmt::Display| DemoError::Answer(format!("{path}: {what}"));
        let stream = TcpStream::connect(self.address).await;
        let stream = stream.map_err(DemoError::io("the daemon can't be reached"))?;
        let connection = handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = connection.map_err(|error| wrong(&error))?;
        // It ends with the answer; what is wrong with it, the answer tells.
        tokio::spawn(connection);
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, self.address.to_string())
            .header(AUTHORIZATION, format!("Bearer {token}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let body = body.map(Value::to_string).unwrap_or_default();
        let request = request
            .body(Body::from(body))
            .map_err(|error| wrong(&error))?;
        let response = sender
            .send_request(request)
            .await
            .map_err(|error| wrong(&error))?;
        let status = response.status();
        let bytes = to_bytes(Body::new(response.into_body()), MAX_BODY_BYTES).await;
        let bytes = bytes.map_err(|error| wrong(&error))?;
        if !status.is_success() {
            let said = String::from_utf8_lossy(&bytes);
            return Err(wrong(&format!("{status} {said}")));
        }
        serde_json::from_slice(&bytes).map_err(|error| wrong(&error))
    }
}

/// A text of an answer.
fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
