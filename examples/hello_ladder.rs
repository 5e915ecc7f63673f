//! A ladder in a few lines: opens a ticket, lets an hour of virtual time pass, and prints what happened.
//!
//! `cargo run --example hello_ladder`

use std::error::Error;
use std::io::Write;

use upline_core::{Command, Name, Ticket, Wish};
use upline_dsl::{load, render};
use upline_lab::World;
use upline_lab::render::{Language, Times, say};
use upline_lab::world::Workflows;

const WORKFLOW: &str = r#"
workflow: hello
start: asked
ladders:
  nobody-acts:
    - { after: 15 min, assign: another in desk }
    - { after: 15 min, assign: lead of desk }
states:
  asked:
    assign: next in desk
    escalate: nobody-acts
    actions: { done: { goto: over } }
  over: { end: done }
"#;

const DIRECTORY: &str = r#"
directory: hello
last-resort: user max
people:
  ann: { mail: ann@example.com }
  bob: { mail: bob@example.com }
  lea: { mail: lea@example.com }
  max: { mail: max@example.com }
groups:
  desk: { members: [ann, bob], lead: lea }
"#;

fn main() -> Result<(), Box<dyn Error>> {
    let files = [("hello.yaml", WORKFLOW), ("directory.yaml", DIRECTORY)];
    let loaded = load(files.map(|(name, text)| (name, text.as_bytes())));
    let Some(directory) = loaded.directory else {
        let found = loaded.found.into_sorted();
        return Err(render::texts(&loaded.sources, &found, render::Colour::Off).into());
    };
    let workflows = Workflows::new(loaded.workflows.into_iter().map(|read| read.value.into()));

    let mut world = World::new(
        "2026-03-06T09:00:00Z".parse()?,
        workflows,
        directory.value.into(),
    );
    let open = Wish::Open {
        ticket: Name::new("t1"),
        key: None,
        parent: None,
        fields: Vec::new(),
    };
    world.open("hello", &Command::person("ann", open))?;
    world.advance_to("2026-03-06T10:00:00Z".parse()?);

    let mut out = std::io::stdout().lock();
    let mut times = Times::new(jiff::tz::TimeZone::UTC, Language::English);
    let mut ticket = Ticket::default();
    for entry in &world.observer().entries {
        let workflow = world.workflow_of(&entry.ticket).map(AsRef::as_ref);
        for said in say(std::slice::from_ref(&entry.event), &mut ticket, workflow) {
            let line = said.text(Language::English, &times);
            writeln!(out, "{}  {line}", times.stamp(said.at))?;
        }
    }
    Ok(())
}
