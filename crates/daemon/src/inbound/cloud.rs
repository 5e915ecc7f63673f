//! CloudEvents 1.0 over HTTP: in the body, in the headers, or several in a list.

use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

/// What the headers of an event in binary mode begin with.
const PREFIX: &str = "ce-";

/// What every event has.
const NEEDED: [&str; 4] = ["specversion", "id", "source", "type"];

/// The events of a request, each as it is in structured mode.
///
/// # Errors
/// A line that says what is missing.
pub(super) fn events(headers: &HeaderMap, body: Value) -> Result<Vec<Value>, String> {
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or_default().to_ascii_lowercase();
    let events = if kind.starts_with("application/cloudevents-batch+json") {
        match body {
            Value::Array(events) => events,
            _ => return Err("a batch of events must be a list".to_owned()),
        }
    } else if kind.starts_with("application/cloudevents+json") || !headers.contains_key("ce-id") {
        vec![body]
    } else {
        vec![binary(headers, body)]
    };
    for event in &events {
        for name in NEEDED {
            let is_there = event[name].as_str().is_some_and(|text| !text.is_empty());
            if !is_there {
                return Err(format!("`/{name}` is missing: it is no CloudEvent"));
            }
        }
        if event["specversion"] != "1.0" {
            return Err("`/specversion` must be 1.0".to_owned());
        }
    }
    Ok(events)
}

/// An event whose attributes are headers, and whose data is the body.
fn binary(headers: &HeaderMap, data: Value) -> Value {
    let mut event = Map::new();
    for (name, value) in headers {
        let Some(name) = name.as_str().strip_prefix(PREFIX) else {
            continue;
        };
        // What is not ASCII comes as percent and two digits for each byte.
        let value = value.to_str().unwrap_or_default();
        let value = percent_decode_str(value).decode_utf8_lossy();
        event.insert(name.to_owned(), Value::String(value.into_owned()));
    }
    event.insert("data".to_owned(), data);
    Value::Object(event)
}
