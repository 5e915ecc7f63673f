//! What a promise's change does to its ledger.

use crate::Name;
use crate::event::{Event, PromiseChange};
use crate::ticket::{Ledger, PromiseState, Ticket};

pub(super) fn promise_changed(
    ticket: &mut Ticket,
    event: &Event,
    promise: &Name,
    change: &PromiseChange,
) {
    if let PromiseChange::Started { budget } = change {
        let ledger = Ledger {
            started: event.at,
            budget: *budget,
            consumed: 0,
            running: Some(event.at),
            state: PromiseState::Running,
            warned: 0,
            breached: None,
        };
        ticket.promises.insert(promise.clone(), ledger);
        return;
    }
    let Some(ledger) = ticket.promises.get_mut(promise) else {
        return;
    };
    match change {
        PromiseChange::Started { .. } => (),
        PromiseChange::Paused { consumed } | PromiseChange::Met { consumed } => {
            ledger.consumed = *consumed;
            ledger.running = None;
            ledger.state = match change {
                PromiseChange::Met { .. } => PromiseState::Met,
                _ => PromiseState::Paused,
            };
        }
        PromiseChange::Resumed => {
            ledger.running = Some(event.at);
            ledger.state = PromiseState::Running;
        }
        PromiseChange::Warned { percent, .. } => ledger.warned = *percent,
        PromiseChange::Breached { .. } => ledger.breached = Some(event.at),
        PromiseChange::Retargeted { budget } => {
            ledger.budget = *budget;
            ledger.warned = 0;
        }
    }
}
