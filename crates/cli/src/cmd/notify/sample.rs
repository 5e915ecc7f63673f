//! A made-up ticket of a workflow, for letters about it.

use jiff::Timestamp;
use upline_core::ticket::Holder;
use upline_core::{Actor, Command, Field, FieldType, Name, Wish};
use upline_lab::transcript::Setting;
use upline_lab::world::World;

use super::Case;
use crate::exit::Failure;

/// How many clocks may fire until somebody is asked.
const MAX_FIRED: usize = 8;

/// Opened by the person, or by the first one of the directory, with every field filled; and gone on until
/// somebody has it who was asked.
pub(super) fn case(
    setting: &Setting,
    person: Option<&Name>,
    tag: &str,
    now: Timestamp,
) -> Result<Case, Failure> {
    let nothing = || Failure::not_found(format!("there is no workflow `{}`", setting.main));
    let workflow = setting
        .workflows
        .newest(&setting.main)
        .ok_or_else(nothing)?;
    let first = setting.directory.people.keys().next();
    let opener = person.or(first).cloned().unwrap_or_default();
    let fields = workflow.field_order.iter().filter_map(|name| {
        let field = workflow.fields.get(name)?;
        Some((name.clone(), value(field, &opener, tag)))
    });
    let wish = Wish::Open {
        ticket: Name::new("10238"),
        key: None,
        parent: None,
        fields: fields.collect(),
    };
    let open = Command {
        by: Actor::Person(opener),
        branch: None,
        wish,
    };
    let mut world = World::new(now, setting.workflows.clone(), setting.directory.clone());
    let opened = world.open(&setting.main, &open);
    opened.map_err(|refusal| Failure::findings(format!("no ticket can be made up: {refusal}")))?;
    for _ in 0..MAX_FIRED {
        let ticket = world.ticket("10238");
        let asked = ticket.is_some_and(|ticket| {
            let mut positions = ticket.positions.values();
            positions.any(|at| at.ladder.is_some() && !matches!(at.holder, Holder::Branches))
        });
        let due = ticket
            .filter(|_| !asked)
            .and_then(|ticket| ticket.next_due());
        match due.map(|clock| clock.due) {
            Some(due) => world.advance_to(due),
            None => break,
        }
    }
    let ticket = world.ticket("10238").cloned();
    Ok(Case {
        now: world.now(),
        ticket: ticket.ok_or_else(nothing)?,
        workflow: workflow.clone(),
        directory: setting.directory.clone(),
    })
}

/// Something that a field of this type can hold.
fn value(field: &Field, person: &Name, tag: &str) -> String {
    match &field.kind {
        FieldType::Text | FieldType::Paragraph | FieldType::Article => {
            let label = field.label.text(tag);
            let label = if label.is_empty() { &field.name } else { label };
            format!("({label})")
        }
        FieldType::Choice(options) | FieldType::Choices(options) => {
            options.first().map(ToString::to_string).unwrap_or_default()
        }
        FieldType::Number => "42".to_owned(),
        FieldType::Flag => "true".to_owned(),
        FieldType::Date => "2026-03-06".to_owned(),
        FieldType::Contact => "Mr Low <low@example.com>".to_owned(),
        FieldType::Person => person.to_string(),
    }
}
