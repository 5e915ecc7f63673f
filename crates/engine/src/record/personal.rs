//! Takes what is personal out of events and tickets, and puts it back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use upline_core::event::Personal;
use upline_core::{Event, Name, Ticket, Value};

/// Something personal, out of its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Secret {
    Text(String),
    Value(Value),
}

/// Takes what is personal out of the events. Empty: nothing is.
pub(crate) fn take_events(events: &mut [Event]) -> Result<Vec<u8>, postcard::Error> {
    let mut secrets = Vec::new();
    for event in events {
        event.fact.each_personal(&mut |place| {
            secrets.push(match place {
                Personal::Text(text) => Secret::Text(std::mem::take(text)),
                Personal::Value(value) => Secret::Value(std::mem::replace(value, erased())),
            });
        });
    }
    match secrets.is_empty() {
        true => Ok(Vec::new()),
        false => postcard::to_stdvec(&secrets),
    }
}

/// Puts back what [`take_events`] has taken out.
pub(crate) fn restore_events(events: &mut [Event], secrets: &[u8]) -> Result<(), postcard::Error> {
    if secrets.is_empty() {
        return Ok(());
    }
    let secrets: Vec<Secret> = postcard::from_bytes(secrets)?;
    let mut secrets = secrets.into_iter();
    for event in events {
        event
            .fact
            .each_personal(&mut |place| match (place, secrets.next()) {
                (Personal::Text(place), Some(Secret::Text(text))) => *place = text,
                (Personal::Value(place), Some(Secret::Value(value))) => *place = value,
                _ => (),
            });
    }
    Ok(())
}

/// The fields as bytes. Empty: there are none.
pub(crate) fn fields_bytes(fields: &BTreeMap<Name, Value>) -> Result<Vec<u8>, postcard::Error> {
    match fields.is_empty() {
        true => Ok(Vec::new()),
        false => postcard::to_stdvec(fields),
    }
}

/// Puts the fields back.
pub(crate) fn restore_fields(ticket: &mut Ticket, fields: &[u8]) -> Result<(), postcard::Error> {
    if !fields.is_empty() {
        ticket.fields = postcard::from_bytes::<BTreeMap<Name, Value>>(fields)?;
    }
    Ok(())
}

/// What stands where a value was: an empty text.
fn erased() -> Value {
    Value::Text(String::new())
}
