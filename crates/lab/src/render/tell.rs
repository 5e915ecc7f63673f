//! Events as things to say.

use jiff::Timestamp;
use upline_core::ticket::Level;
use upline_core::{
    Branch, Cause, Clock, ClockKind, Directory, Event, Fact, Hop, Notice, Ticket, Workflow, evolve,
};

use super::next::{Next, later};
use super::reasons::{is_rank, lateness, merged, told_cause};
use super::{Said, Say};

pub(super) fn all<'a>(
    events: impl IntoIterator<Item = (&'a Event, bool)>,
    ticket: &mut Ticket,
    workflow: Option<&Workflow>,
    directory: Option<&Directory>,
) -> Vec<Said> {
    let mut teller = Teller {
        workflow,
        directory,
        said: Vec::new(),
        at: Timestamp::default(),
        ticket,
        unasked: None,
    };
    let mut rest = events.into_iter().peekable();
    while let Some((event, shown)) = rest.next() {
        teller.at = event.at;
        evolve(teller.ticket, event);
        if !shown {
            continue;
        }
        let hop = match rest.peek() {
            Some((
                Event {
                    fact: Fact::Hopped(hop),
                    ..
                },
                true,
            )) => Some(hop),
            _ => None,
        };
        match hop.and_then(|hop| merged(event, hop, &teller.ticket.opener)) {
            Some((branch, said)) => {
                teller.say(branch, said);
                teller.entry_clocks(&event.fact);
                if let Some((hopped, _)) = rest.next() {
                    evolve(teller.ticket, hopped);
                    if let Fact::Hopped(hop) = &hopped.fact {
                        teller.hop_clocks(hop);
                    }
                }
            }
            None => teller.event(event),
        }
    }
    teller.said
}

struct Teller<'a> {
    workflow: Option<&'a Workflow>,
    /// The one that holds at the events, if it is at hand.
    directory: Option<&'a Directory>,
    said: Vec<Said>,
    at: Timestamp,
    /// The ticket with the event that is being told.
    ticket: &'a mut Ticket,
    /// The branch whose state was entered by the same command and has asked nobody yet.
    unasked: Option<Branch>,
}

impl Teller<'_> {
    fn say(&mut self, branch: &Branch, say: Say) {
        self.said.push(Said {
            at: self.at,
            branch: branch.clone(),
            say,
        });
    }

    fn notices(&mut self, branch: &Branch, notices: &[Notice]) {
        for notice in notices {
            self.say(branch, Say::Notice(notice.clone()));
        }
    }

    fn next(&mut self, branch: &Branch, clock: &Clock) {
        let position = self.ticket.positions.get(branch);
        let next = Next::of(clock, position, self.workflow);
        self.say(branch, Say::Next(next, clock.due));
    }

    fn entry_clocks(&mut self, fact: &Fact) {
        if let Fact::Entered { branch, clocks, .. } = fact {
            self.unasked = Some(branch.clone());
            for clock in clocks {
                self.next(branch, clock);
            }
        }
    }

    fn hop_clocks(&mut self, hop: &Hop) {
        self.unasked = None;
        for (next, due) in later(hop, self.directory, self.at) {
            self.say(&hop.branch, Say::Next(next, due));
        }
        if let Some(clock) = &hop.clock {
            self.next(&hop.branch, clock);
        }
    }

    fn hop(&mut self, hop: &Hop) {
        let asked = Say::Asked {
            from: hop.from.clone(),
            holder: hop.holder.clone(),
            deputy_of: hop.deputy_of.clone(),
            stand_ins: hop.stand_ins.clone(),
            rule: hop.why.rule.clone(),
            entry: hop.level == Level::Entry && !matches!(hop.cause, Cause::Person { .. }),
            last_resort: hop.level == Level::LastResort,
            cause: hop.cause.clone(),
        };
        self.say(&hop.branch, asked);
        let left_out: Vec<_> = hop
            .left_out
            .iter()
            .filter(|left| !is_rank(left))
            .cloned()
            .collect();
        if !left_out.is_empty() {
            self.say(&hop.branch, Say::LeftOut(left_out));
        }
        self.notices(&hop.branch, &hop.notices);
        self.hop_clocks(hop);
    }

    fn event(&mut self, event: &Event) {
        self.at = event.at;
        match &event.fact {
            Fact::Hopped(hop) => self.hop(hop),
            Fact::Entered { .. } => self.entered(&event.fact),
            Fact::Promise { .. }
            | Fact::RunStarted { .. }
            | Fact::RunFailed { .. }
            | Fact::Called { .. }
            | Fact::BranchEnded { .. }
            | Fact::Ended { .. } => self.progress(&event.fact),
            Fact::LevelReached { .. }
            | Fact::LevelPassed { .. }
            | Fact::Reminded { .. }
            | Fact::Suspended { .. }
            | Fact::Resumed { .. }
            | Fact::ClockMoved { .. } => self.ladder(&event.fact),
            fact => self.word(fact),
        }
    }

    fn entered(&mut self, fact: &Fact) {
        if let Fact::Entered {
            branch,
            state,
            cause,
            holder,
            ..
        } = fact
        {
            // Without `assign` it stays with whom it was; otherwise a hop of the same command says who.
            let stays = self
                .workflow
                .and_then(|workflow| workflow.work(state))
                .is_some_and(|work| work.assign.is_none());
            let holder = holder.answerable().filter(|_| stays).cloned();
            let cause = told_cause(cause);
            self.say(
                branch,
                Say::State {
                    state: state.clone(),
                    holder,
                    cause,
                },
            );
            self.entry_clocks(fact);
        }
    }

    /// What people said and wrote, and what became of messages.
    fn word(&mut self, fact: &Fact) {
        let root = Branch::default();
        let (branch, say) = match fact {
            Fact::Opened {
                by, key, parent, ..
            } => {
                let parent = parent.as_ref().map(|parent| parent.ticket.clone());
                (
                    &root,
                    Say::Opened {
                        by: by.clone(),
                        key: key.clone(),
                        parent,
                    },
                )
            }
            Fact::FieldsSet { by, values } => (
                &root,
                Say::Fields {
                    by: by.clone(),
                    values: values.clone(),
                },
            ),
            Fact::Acted {
                branch,
                action,
                by,
                note,
            } => (
                branch,
                Say::Acted {
                    by: by.clone(),
                    action: action.clone(),
                    note: note.clone(),
                },
            ),
            Fact::Delivery {
                branch,
                via,
                state,
                detail,
                ..
            } => {
                let (via, detail) = (via.clone(), detail.clone());
                (
                    branch,
                    Say::Delivery {
                        via,
                        state: *state,
                        detail,
                    },
                )
            }
            Fact::Commented {
                branch,
                by,
                text,
                to_caller,
            } => {
                let (by, text, to_caller) = (by.clone(), text.clone(), *to_caller);
                (
                    branch,
                    Say::Commented {
                        by,
                        text,
                        to_caller,
                    },
                )
            }
            Fact::Ticked {
                branch,
                item,
                done,
                by,
            } => (
                branch,
                Say::Ticked {
                    by: by.clone(),
                    item: item.clone(),
                    done: *done,
                },
            ),
            Fact::Migrated { version, by, .. } => (
                &root,
                Say::Migrated {
                    version: *version,
                    by: by.clone(),
                },
            ),
            Fact::Notified {
                branch, notices, ..
            } => return self.notices(branch, notices),
            _ => return,
        };
        self.say(branch, say);
    }

    /// What the ladder did without asking somebody else.
    fn ladder(&mut self, fact: &Fact) {
        match fact {
            Fact::LevelReached {
                branch,
                ladder,
                level,
                cause,
                notices,
                clock,
                ..
            } => {
                if let (Level::Number(number), false) = (level, matches!(cause, Cause::Activity)) {
                    let late = lateness(cause);
                    self.say(
                        branch,
                        Say::Level {
                            number: *number,
                            ladder: ladder.clone(),
                            late,
                        },
                    );
                }
                self.stays(branch);
                self.notices(branch, notices);
                if let Some(clock) = clock {
                    self.next(branch, clock);
                }
            }
            Fact::LevelPassed {
                branch,
                level,
                why,
                left_out,
            } => {
                let number = match level {
                    Level::Number(number) => Some(*number),
                    Level::Entry | Level::LastResort => None,
                };
                let (rule, left_out) = (why.rule.clone(), left_out.clone());
                self.say(
                    branch,
                    Say::Passed {
                        number,
                        rule,
                        left_out,
                    },
                );
            }
            Fact::Reminded {
                branch,
                late,
                notices,
                clock,
            } => {
                self.say(branch, Say::Reminded { late: *late });
                self.notices(branch, notices);
                self.next(branch, clock);
            }
            Fact::Suspended {
                branch,
                by,
                reason,
                clock,
            } => {
                let (by, reason) = (by.clone(), reason.clone());
                self.say(
                    branch,
                    Say::Suspended {
                        until: clock.due,
                        by,
                        reason,
                    },
                );
            }
            Fact::Resumed {
                branch,
                cause,
                clock,
                notices,
            } => {
                let cause = cause.clone();
                self.say(branch, Say::Resumed { cause });
                self.notices(branch, notices);
                if let Some(clock) = clock {
                    self.next(branch, clock);
                }
            }
            Fact::ClockMoved {
                branch,
                new,
                by,
                how,
                ..
            } => {
                let next = Next::of(new, self.ticket.positions.get(branch), self.workflow);
                let (due, by, how) = (new.due, by.clone(), how.clone());
                self.say(branch, Say::ClockMoved { due, next, by, how });
            }
            _ => (),
        }
    }

    /// Where the phrase of a state leads to nobody, it stays with whoever had it: that is worth a line.
    fn stays(&mut self, branch: &Branch) {
        let Some(position) = self.ticket.positions.get(branch) else {
            return;
        };
        let work = self
            .workflow
            .and_then(|workflow| workflow.work(&position.state));
        let asks = work.is_some_and(|work| work.assign.is_some());
        let holder = position.holder.answerable().cloned();
        if let (true, Some(who)) = (asks && self.unasked.take().as_ref() == Some(branch), holder) {
            self.say(branch, Say::Stays { who });
        }
    }

    /// Promises, machines, and ends.
    fn progress(&mut self, fact: &Fact) {
        let root = Branch::default();
        match fact {
            Fact::Promise {
                promise,
                change,
                clocks,
                notices,
            } => {
                let breach = |clock: &&Clock| matches!(clock.kind, ClockKind::PromiseBreach { .. });
                let due = clocks.iter().find(breach).map(|clock| clock.due);
                let (promise, change) = (promise.clone(), change.clone());
                self.say(
                    &root,
                    Say::Promise {
                        promise,
                        change,
                        due,
                    },
                );
                self.notices(&root, notices);
            }
            Fact::RunStarted {
                branch,
                webhook,
                attempt,
                clock,
                ..
            } => {
                let (webhook, attempt, until) = (webhook.clone(), *attempt, clock.due);
                self.say(
                    branch,
                    Say::RunStarted {
                        webhook,
                        attempt,
                        until,
                    },
                );
            }
            Fact::RunFailed {
                branch,
                attempt,
                reason,
                clock,
            } => {
                let again = clock.as_ref().map(|clock| clock.due);
                let (attempt, reason) = (*attempt, reason.clone());
                self.say(
                    branch,
                    Say::RunFailed {
                        attempt,
                        reason,
                        again,
                    },
                );
            }
            Fact::Called {
                branch, workflow, ..
            } => {
                let workflow = workflow.clone();
                self.say(branch, Say::Called { workflow });
            }
            Fact::BranchEnded {
                branch,
                outcome,
                notices,
                ..
            } => {
                let outcome = outcome.clone();
                self.say(branch, Say::BranchEnded { outcome });
                self.notices(branch, notices);
            }
            Fact::Ended {
                state,
                outcome,
                cause,
                notices,
            } => {
                let (state, outcome, cause) = (state.clone(), outcome.clone(), cause.clone());
                self.say(
                    &root,
                    Say::Ended {
                        state,
                        outcome,
                        cause,
                    },
                );
                self.notices(&root, notices);
            }
            _ => (),
        }
    }
}
