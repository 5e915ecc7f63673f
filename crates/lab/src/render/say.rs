//! Events as things to say, without a language.

use jiff::Timestamp;
use upline_core::ticket::Level;
use upline_core::{
    Actor, Branch, Cause, Clock, ClockKind, ClockMove, Delivery, Event, Fact, Holder, Hop, LeftOut,
    Name, Notice, PromiseChange, Reason, Recipient, Topic, Value, Workflow,
};

use super::next::{Next, only_ladder};
use super::Said;

/// One thing to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Say {
    /// The ticket exists.
    Opened {
        /// Who opened it.
        by: Actor,
        /// The key by which another system finds it.
        key: Option<Name>,
        /// The ticket that waits for its end.
        parent: Option<Name>,
    },
    /// Fields changed.
    Fields {
        /// Who changed them.
        by: Actor,
        /// What they hold now; `None` is empty.
        values: Vec<(Name, Option<Value>)>,
    },
    /// Somebody took an action.
    Acted {
        /// Who.
        by: Actor,
        /// Which.
        action: Name,
        /// What he said to it.
        note: Option<String>,
    },
    /// A state was entered.
    State {
        /// Which.
        state: Name,
        /// Who has it, if nobody had to be asked.
        holder: Option<Name>,
        /// What led here, if no person did.
        cause: Option<Cause>,
    },
    /// Somebody else was asked.
    Asked {
        /// Who has it now.
        holder: Holder,
        /// For whom he stands in.
        deputy_of: Option<Name>,
        /// The rule.
        rule: Name,
        /// Whether the state asked, and not its ladder or a person.
        entry: bool,
        /// Whether the last resort has it now.
        last_resort: bool,
        /// What led to it.
        cause: Cause,
    },
    /// People who would have been asked, and why they were not.
    LeftOut(Vec<LeftOut>),
    /// A message was sent.
    Notice(Notice),
    /// What comes next if nobody acts, and when.
    Next(Next, Timestamp),
    /// A level that changes nobody was reached.
    Level {
        /// Which.
        number: u16,
        /// Of which ladder.
        ladder: Name,
        /// Seconds between the due time and when it happened.
        late: i64,
    },
    /// A level had nobody.
    Passed {
        /// Which; `None` is the state's own `assign`.
        number: Option<u16>,
        /// What was asked.
        rule: Name,
        /// Each who was looked at, and why not.
        left_out: Vec<LeftOut>,
    },
    /// The last resort was reminded.
    Reminded {
        /// Seconds between the due time and when it happened.
        late: i64,
    },
    /// The fate of a message.
    Delivery {
        /// The channel.
        via: Name,
        /// What became of it.
        state: Delivery,
        /// What the peer said.
        detail: Option<String>,
    },
    /// The ladder stands still.
    Suspended {
        /// Until when.
        until: Timestamp,
        /// Who.
        by: Actor,
        /// Why.
        reason: Option<String>,
    },
    /// The ladder goes on.
    Resumed {
        /// What led to it.
        cause: Cause,
    },
    /// A due time was changed.
    ClockMoved {
        /// The new one.
        due: Timestamp,
        /// What it does.
        next: Next,
        /// Who.
        by: Actor,
        /// How it came about.
        how: ClockMove,
    },
    /// Something was said.
    Commented {
        /// Who.
        by: Actor,
        /// What.
        text: String,
        /// Whether the caller sees it.
        to_caller: bool,
    },
    /// A checklist item was ticked, or the tick taken away.
    Ticked {
        /// Who.
        by: Actor,
        /// Which.
        item: Name,
        /// Whether it is ticked now.
        done: bool,
    },
    /// A promise's ledger changed.
    Promise {
        /// Which.
        promise: Name,
        /// How.
        change: PromiseChange,
        /// When it is due now.
        due: Option<Timestamp>,
    },
    /// A machine was called.
    RunStarted {
        /// The webhook.
        webhook: Name,
        /// Number of the try.
        attempt: u32,
        /// When the try is given up.
        until: Timestamp,
    },
    /// A try failed.
    RunFailed {
        /// Number of the try.
        attempt: u32,
        /// What went wrong.
        reason: String,
        /// The next try; `None` if it was the last.
        again: Option<Timestamp>,
    },
    /// Another workflow is opened.
    Called {
        /// Which.
        workflow: Name,
    },
    /// A branch has ended.
    BranchEnded {
        /// The outcome.
        outcome: Name,
    },
    /// The ticket has ended.
    Ended {
        /// The end state; empty if it was cancelled.
        state: Name,
        /// The outcome.
        outcome: Name,
        /// What led to it.
        cause: Cause,
    },
    /// The ticket goes on in another version.
    Migrated {
        /// Which.
        version: u32,
        /// Who.
        by: Actor,
    },
}

pub(super) fn all(events: &[Event], workflow: Option<&Workflow>) -> Vec<Said> {
    let mut teller = Teller {
        workflow,
        said: Vec::new(),
        at: Timestamp::default(),
        state: None,
    };
    let mut rest = events.iter().peekable();
    while let Some(event) = rest.next() {
        let next = rest.peek().map(|event| &event.fact);
        match merged(event, next) {
            Some((branch, said)) => {
                teller.at = event.at;
                let hop = rest.next();
                teller.say(branch, said);
                teller.entry_clocks(&event.fact);
                if let Some(Event { fact: Fact::Hopped(hop), .. }) = hop {
                    teller.hop_clocks(hop);
                }
            }
            None => teller.event(event),
        }
    }
    teller.said
}

/// A state whose person is whoever led the ticket there is one line with that person's name.
fn merged<'a>(event: &'a Event, next: Option<&Fact>) -> Option<(&'a Branch, Say)> {
    let Fact::Entered { branch, state, cause, .. } = &event.fact else {
        return None;
    };
    let Some(Fact::Hopped(hop)) = next else {
        return None;
    };
    let Holder::Assignee(person) = &hop.holder else {
        return None;
    };
    let quiet = hop.branch == *branch && hop.notices.is_empty() && hop.left_out.iter().all(is_rank);
    let merged = Say::State {
        state: state.clone(),
        holder: Some(person.clone()),
        cause: told_cause(cause),
    };
    quiet.then_some((branch, merged))
}

/// Whether somebody was left out only because somebody else came first; that needs no line.
pub(super) fn is_rank(left: &LeftOut) -> bool {
    matches!(
        left.reason,
        Reason::Busier { .. } | Reason::LaterInLine | Reason::HadIt | Reason::HasIt | Reason::More { .. }
    )
}

/// The causes that no other line tells.
fn told_cause(cause: &Cause) -> Option<Cause> {
    match cause {
        Cause::Clock { .. } | Cause::Chosen { .. } | Cause::Joined | Cause::Breach { .. } => {
            Some(cause.clone())
        }
        _ => None,
    }
}

struct Teller<'a> {
    workflow: Option<&'a Workflow>,
    said: Vec<Said>,
    at: Timestamp,
    /// The state that was entered last, with its branch: later clocks of the same command are its.
    state: Option<(Branch, Name)>,
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

    fn next(&mut self, branch: &Branch, clock: &Clock, ladder: Option<&Name>) {
        let state = self.state.as_ref().filter(|(other, _)| other == branch);
        let next = Next::of(clock, ladder, state.map(|(_, state)| state), self.workflow);
        self.say(branch, Say::Next(next, clock.due));
    }

    fn entry_clocks(&mut self, fact: &Fact) {
        if let Fact::Entered { branch, state, clocks, .. } = fact {
            self.state = Some((branch.clone(), state.clone()));
            for clock in clocks {
                self.next(branch, clock, None);
            }
        }
    }

    fn hop_clocks(&mut self, hop: &Hop) {
        for clock in hop.reach.iter().chain(&hop.clock) {
            self.next(&hop.branch, clock, hop.ladder.as_ref());
        }
    }

    fn hop(&mut self, hop: &Hop) {
        let asked = Say::Asked {
            holder: hop.holder.clone(),
            deputy_of: hop.deputy_of.clone(),
            rule: hop.why.rule.clone(),
            entry: hop.level == Level::Entry && !matches!(hop.cause, Cause::Person { .. }),
            last_resort: hop.level == Level::LastResort,
            cause: hop.cause.clone(),
        };
        self.say(&hop.branch, asked);
        let left_out: Vec<_> = hop.left_out.iter().filter(|left| !is_rank(left)).cloned().collect();
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
        if let Fact::Entered { branch, state, cause, holder, .. } = fact {
            // Without `assign` it stays with whom it was; otherwise a hop of the same command says who.
            let stays = self
                .workflow
                .and_then(|workflow| workflow.work(state))
                .is_some_and(|work| work.assign.is_none());
            let holder = holder.answerable().filter(|_| stays).cloned();
            let cause = told_cause(cause);
            self.say(branch, Say::State { state: state.clone(), holder, cause });
            self.entry_clocks(fact);
        }
    }

    /// What people said and wrote, and what became of messages.
    fn word(&mut self, fact: &Fact) {
        let root = Branch::default();
        let (branch, say) = match fact {
            Fact::Opened { by, key, parent, .. } => {
                let parent = parent.as_ref().map(|parent| parent.ticket.clone());
                (&root, Say::Opened { by: by.clone(), key: key.clone(), parent })
            }
            Fact::FieldsSet { by, values } => {
                (&root, Say::Fields { by: by.clone(), values: values.clone() })
            }
            Fact::Acted { branch, action, by, note } => {
                (branch, Say::Acted { by: by.clone(), action: action.clone(), note: note.clone() })
            }
            Fact::Delivery { branch, via, state, detail, .. } => {
                let (via, detail) = (via.clone(), detail.clone());
                (branch, Say::Delivery { via, state: *state, detail })
            }
            Fact::Commented { branch, by, text, to_caller } => {
                let (by, text, to_caller) = (by.clone(), text.clone(), *to_caller);
                (branch, Say::Commented { by, text, to_caller })
            }
            Fact::Ticked { branch, item, done, by } => {
                (branch, Say::Ticked { by: by.clone(), item: item.clone(), done: *done })
            }
            Fact::Migrated { version, by } => {
                (&root, Say::Migrated { version: *version, by: by.clone() })
            }
            Fact::Notified { branch, notices, .. } => return self.notices(branch, notices),
            _ => return,
        };
        self.say(branch, say);
    }

    /// What the ladder did without asking somebody else.
    fn ladder(&mut self, fact: &Fact) {
        match fact {
            Fact::LevelReached { branch, ladder, level, cause, notices, clock, .. } => {
                if let (Level::Number(number), false) = (level, matches!(cause, Cause::Activity)) {
                    let late = lateness(cause);
                    self.say(branch, Say::Level { number: *number, ladder: ladder.clone(), late });
                }
                self.notices(branch, notices);
                if let Some(clock) = clock {
                    self.next(branch, clock, Some(ladder));
                }
            }
            Fact::LevelPassed { branch, level, why, left_out } => {
                let number = match level {
                    Level::Number(number) => Some(*number),
                    Level::Entry | Level::LastResort => None,
                };
                let (rule, left_out) = (why.rule.clone(), left_out.clone());
                self.say(branch, Say::Passed { number, rule, left_out });
            }
            Fact::Reminded { branch, late, notices, clock } => {
                self.say(branch, Say::Reminded { late: *late });
                self.notices(branch, notices);
                self.next(branch, clock, None);
            }
            Fact::Suspended { branch, by, reason, clock } => {
                let (by, reason) = (by.clone(), reason.clone());
                self.say(branch, Say::Suspended { until: clock.due, by, reason });
            }
            Fact::Resumed { branch, cause, clock, notices } => {
                self.say(branch, Say::Resumed { cause: cause.clone() });
                self.notices(branch, notices);
                if let Some(clock) = clock {
                    let ladder = self.ladder_of(branch);
                    self.next(branch, clock, ladder.as_ref());
                }
            }
            Fact::ClockMoved { branch, new, by, how, .. } => {
                let ladder = self.ladder_of(branch);
                let next = Next::of(new, ladder.as_ref(), None, self.workflow);
                let (due, by, how) = (new.due, by.clone(), how.clone());
                self.say(branch, Say::ClockMoved { due, next, by, how });
            }
            _ => (),
        }
    }

    fn ladder_of(&self, branch: &Branch) -> Option<Name> {
        let state = self.state.as_ref().filter(|(other, _)| other == branch);
        only_ladder(self.workflow, state.map(|(_, state)| state)).cloned()
    }

    /// Promises, machines, and ends.
    fn progress(&mut self, fact: &Fact) {
        let root = Branch::default();
        match fact {
            Fact::Promise { promise, change, clocks, notices } => {
                let breach = |clock: &&Clock| matches!(clock.kind, ClockKind::PromiseBreach { .. });
                let due = clocks.iter().find(breach).map(|clock| clock.due);
                let (promise, change) = (promise.clone(), change.clone());
                self.say(&root, Say::Promise { promise, change, due });
                self.notices(&root, notices);
            }
            Fact::RunStarted { branch, webhook, attempt, clock, .. } => {
                let (webhook, attempt, until) = (webhook.clone(), *attempt, clock.due);
                self.say(branch, Say::RunStarted { webhook, attempt, until });
            }
            Fact::RunFailed { branch, attempt, reason, clock } => {
                let again = clock.as_ref().map(|clock| clock.due);
                let (attempt, reason) = (*attempt, reason.clone());
                self.say(branch, Say::RunFailed { attempt, reason, again });
            }
            Fact::Called { branch, workflow, .. } => {
                self.say(branch, Say::Called { workflow: workflow.clone() });
            }
            Fact::BranchEnded { branch, outcome, notices } => {
                self.say(branch, Say::BranchEnded { outcome: outcome.clone() });
                self.notices(branch, notices);
            }
            Fact::Ended { state, outcome, cause, notices } => {
                let (state, outcome, cause) = (state.clone(), outcome.clone(), cause.clone());
                self.say(&root, Say::Ended { state, outcome, cause });
                self.notices(&root, notices);
            }
            _ => (),
        }
    }
}

/// Seconds by which a clock fired late; 0 for other causes.
pub(super) fn lateness(cause: &Cause) -> i64 {
    match cause {
        Cause::Clock { late, .. } => *late,
        _ => 0,
    }
}

/// A recipient's name.
pub(super) fn recipient(to: &Recipient) -> &Name {
    match to {
        Recipient::Person(name) | Recipient::Contact(name) => name,
    }
}

/// Whether the message only reminds or warns somebody who has it already.
pub(super) fn is_reminder(topic: &Topic) -> bool {
    matches!(topic, Topic::Reminded)
}

/// An actor's name; `None` for Upline itself.
pub(super) fn actor(by: &Actor) -> Option<&Name> {
    match by {
        Actor::Person(name) | Actor::Operator(name) | Actor::Contact(name) | Actor::System(name) => {
            Some(name)
        }
        Actor::Clock => None,
    }
}
