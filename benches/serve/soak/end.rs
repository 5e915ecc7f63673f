//! When it is over: every message has its fate, every ticket is where its commands have brought it, each
//! command is in its history once, and the folder is whole.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use upline::disk::RealDisk;
use upline::doctor::{IndexCheck, compare_index};
use upline::journal::verify;

use super::Shared;
use super::desk::EYES;
use super::drive::{Driven, World};
use super::peers::Peers;
use super::watch::{Watch, figures};
use crate::line::Request;

/// Waits until no ticket is open and no message waits.
pub(super) async fn settle(world: &Shared, watch: &mut Watch, peers: &Peers) {
    let began = Instant::now();
    let mut beat = tokio::time::interval(Duration::from_millis(250));
    while began.elapsed() < world.scale.patience {
        beat.tick().await;
        watch.look_if_due(world, peers).await;
        let Some(figures) = figures(world).await else {
            return;
        };
        let of = |name: &str| figures.get(name).copied().unwrap_or(f64::NAN);
        if of("upline_tickets") == 0.0 && of("upline_notifications_unsent") == 0.0 {
            let took = began.elapsed().as_secs();
            println!("soak: all tickets have ended, all messages have their fate, {took} s after");
            return;
        }
    }
    let patience = world.scale.patience.as_secs();
    world.tally.wrong(format!(
        "tickets are open or messages wait {patience} s after the last command"
    ));
}

/// Looks at each ticket: where it is, what was done to it, and whom it told.
pub(super) async fn audit(world: &Shared, driven: &[Driven], peers: &Peers) {
    let began = Instant::now();
    let next = AtomicUsize::new(0);
    let auditor = |eye: usize| {
        let next = &next;
        async move {
            while let Some(one) = driven.get(next.fetch_add(1, Ordering::Relaxed)) {
                audit_one(world, one, &format!("eye{eye}"), peers).await;
            }
        }
    };
    futures_util::future::join_all((0..EYES).map(auditor)).await;
    if let Some(figures) = figures(world).await {
        let given_up = figures.get("upline_notifications_given_up_total");
        let failed = world.tally.of("messages that failed for good");
        if given_up != Some(&(failed as f64)) {
            world
                .tally
                .wrong(format!("{failed} messages have failed, not {given_up:?}"));
        }
    }
    let took = began.elapsed().as_secs();
    println!("soak: {} tickets were audited in {took} s", driven.len());
}

async fn audit_one(world: &World, one: &Driven, eye: &str, peers: &Peers) {
    let (id, tally) = (&one.id, &world.tally);
    let wrong = |what: String| tally.wrong(format!("ticket {id} of life {}: {what}", one.number));
    let Some(ticket) = get(world, eye, format!("/v1/tickets/{id}")).await else {
        return wrong("it can't be seen".to_owned());
    };
    tally.count(format!("tickets that end in {}", one.ends));
    if ticket["ended"]["state"] != one.ends {
        wrong(format!("it must end in {}: {ticket}", one.ends));
    }
    let entries = all(world, eye, &format!("/v1/tickets/{id}/timeline"), "entries").await;
    let by_token = |entry: &&Value| {
        let origin = entry["origin"].as_str();
        origin.is_some_and(|origin| origin.starts_with("token "))
    };
    let given = entries.iter().filter(by_token).count();
    tally.add("commands in the histories", given as u64);
    if given != one.done as usize {
        wrong(format!(
            "{} commands were answered, {given} are in its history",
            one.done
        ));
    }
    let messages = all(
        world,
        eye,
        &format!("/v1/tickets/{id}/messages"),
        "messages",
    )
    .await;
    if messages.is_empty() {
        wrong("nobody was told of it".to_owned());
    }
    for message in &messages {
        audit_message(world, one, message, &messages, peers);
    }
}

/// A message must have gone, and to the peer if it says so; be about what is over; or have failed for good, and
/// then the next way was taken.
fn audit_message(world: &World, one: &Driven, told: &Value, all: &[Value], peers: &Peers) {
    let tally = &world.tally;
    let text = |name: &str| told[name].as_str().unwrap_or_default();
    let (via, state, topic) = (text("via"), text("state"), text("topic"));
    let by = via.split(':').next().unwrap_or_default();
    tally.count(format!("messages by {by}: {state}"));
    if told["tries"].as_u64() > Some(1) {
        tally.count(format!("messages by {by}: tried more than once"));
    }
    match state {
        "delivered" if by == "webhook" && !peers.has_accepted(text("key")) => {
            tally.wrong(format!("no peer has taken what is delivered: {told}"));
        }
        "delivered" | "withdrawn" => (),
        "failed" => {
            tally.count("messages that failed for good");
            let id = told["id"].as_u64();
            let goes_on = all.iter().any(|other| other["id"].as_u64() > id);
            let is_last = told["to"]["name"] == "boss";
            if topic == "assigned" && one.done == 1 && !goes_on && !is_last {
                tally.wrong(format!(
                    "a message failed, and nobody else was told: {told}"
                ));
            }
        }
        _ => tally.wrong(format!("ticket {}: no fate: {told}", one.id)),
    }
}

/// All entries of a list that comes in pages.
async fn all(world: &World, eye: &str, path: &str, member: &str) -> Vec<Value> {
    let mut found = Vec::new();
    let mut after = String::new();
    loop {
        let page = get(world, eye, format!("{path}?limit=200{after}")).await;
        let Some(mut page) = page else {
            world.tally.wrong(format!("{path} can't be read"));
            return found;
        };
        if let Value::Array(some) = page[member].take() {
            found.extend(some);
        }
        match &page["next"] {
            Value::Null => return found,
            Value::String(next) => after = format!("&after={next}"),
            next => after = format!("&after={next}"),
        }
    }
}

/// Asked again while the daemon says that it is asked too often.
async fn get(world: &World, eye: &str, path: String) -> Option<Value> {
    let request = Request::get(eye, path);
    let mut beat = tokio::time::interval(Duration::from_millis(100));
    for _ in 0..100 {
        match world.lines.ask(&request).await {
            Ok(answer) if answer.status == 200 => return Some(answer.json()),
            Ok(answer) if ![429, 503].contains(&answer.status) => return None,
            _ => beat.tick().await,
        };
    }
    None
}

/// What `upline verify` does.
fn verify_folder(data: &Path) -> Result<(u64, u64), String> {
    let disk = RealDisk::new(data);
    let report = verify(&disk, None, None, &mut |_| ()).map_err(|error| error.to_string())?;
    if !report.is_whole() {
        return Err(format!("the journal is damaged: {:?}", report.damage));
    }
    match compare_index(data, &mut |_, _| ()).map_err(|error| error.to_string())? {
        IndexCheck::Compared(index) if index.is_fine() => Ok((report.frames, index.tickets)),
        other => Err(format!("the index: {other:?}")),
    }
}

/// The folder is whole, and holds the tickets that were opened and no other.
pub(super) fn verify_tickets(data: &Path, opened: usize, world: &World) {
    match verify_folder(data) {
        Ok((frames, tickets)) => {
            println!("soak: {frames} commits and an index of {tickets} tickets, all as written");
            if tickets != opened as u64 {
                world.tally.wrong(format!("{opened} tickets were opened"));
            }
        }
        Err(why) => world.tally.wrong(format!("the folder: {why}")),
    }
}
