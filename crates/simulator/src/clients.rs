//! Those who give commands, and their ledger: what they were answered must be what the journal says.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use upline::drive::Driver;
use upline::{Done, Error, Submission, Target};
use upline_core::{Command, Wish};

use crate::counters::Counters;
use crate::oracle::Oracle;
use crate::oracle::fold::Wrong;

/// A command's id.
pub type Id = [u8; 16];

/// A command that was sent.
#[derive(Debug, Clone)]
pub struct Sent {
    /// To open a ticket of this workflow, or else to which ticket.
    pub to: Result<String, String>,
    /// The command.
    pub command: Command,
    /// Its id.
    pub id: Option<Id>,
    /// The revision that its giver has seen.
    pub expecting: Option<u64>,
}

/// What the giver of a command knows of it. As an answer, `New` says nothing of an earlier one.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Verdict {
    /// No answer has come yet.
    New,
    /// Whether it was carried out is not known.
    Open,
    /// It was carried out.
    Done(Done),
    /// It was not.
    Absent,
}

type Answers = Arc<Mutex<Vec<(usize, Result<Done, Error>)>>>;

/// The ledger.
#[derive(Debug, Default)]
pub struct Clients {
    sent: Vec<Sent>,
    with_id: Vec<usize>,
    verdicts: BTreeMap<Id, Verdict>,
    answers: Answers,
    waiting: usize,
}

impl Clients {
    /// The command with an id that was sent so many commands ago.
    #[must_use]
    pub fn earlier(&self, back: usize) -> Option<&Sent> {
        let at = self.with_id.len().checked_sub(1 + back)?;
        self.sent.get(*self.with_id.get(at)?)
    }

    /// An id that no command has yet.
    #[must_use]
    pub fn fresh_id(&self) -> Id {
        let mut id = [7; 16];
        id[..8].copy_from_slice(&(self.sent.len() as u64).to_le_bytes());
        id
    }

    /// Gives a command to the engine; it is answered in the next turn.
    pub fn send(&mut self, driver: &mut Driver, sent: Sent) {
        let index = self.sent.len();
        let answers = Arc::clone(&self.answers);
        let reply = move |answer| {
            let mut answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
            answers.push((index, answer));
        };
        let mut submission = Submission::of(sent.command.clone()).origin("client");
        if let Some(id) = sent.id {
            submission = submission.id(id);
            self.verdicts.entry(id).or_insert(Verdict::New);
            self.with_id.push(index);
        }
        if let Some(revision) = sent.expecting {
            submission = submission.expecting(revision);
        }
        match &sent.to {
            Ok(workflow) => driver.open_ticket(workflow, submission, reply),
            Err(ticket) => {
                driver.submit(Target::Id(ticket.as_str().into()), submission, reply);
            }
        }
        self.sent.push(sent);
        self.waiting += 1;
    }

    /// The process that was to answer is gone.
    pub fn hang_up(&mut self) {
        self.waiting = 0;
    }

    /// Takes the answers in. Each must be true by the journal as it would survive.
    ///
    /// # Errors
    /// What is wrong.
    pub fn hear(
        &mut self,
        oracle: &Oracle,
        counters: &mut Counters,
        trace: &mut dyn FnMut(String),
    ) -> Result<(), Wrong> {
        let answers = Arc::clone(&self.answers);
        let answers = std::mem::take(&mut *answers.lock().unwrap_or_else(PoisonError::into_inner));
        if self.waiting > 1 && answers.len() > 1 {
            counters.add("several_in_one_commit");
        }
        self.waiting = self.waiting.saturating_sub(answers.len());
        for (index, answer) in answers {
            let sent = &self.sent[index];
            trace(match &answer {
                Ok(done) => format!("answer {index}: {done:?}"),
                Err(error) => format!("answer {index}: {error}"),
            });
            let verdict = match answer {
                Ok(done) => {
                    is_true(sent, &done, oracle, counters)
                        .map_err(|wrong| format!("answer to command {index}: {wrong}"))?;
                    Verdict::Done(done)
                }
                Err(error) => refused(sent, &error, counters)?,
            };
            let Some(known) = sent.id.and_then(|id| self.verdicts.get_mut(&id)) else {
                continue;
            };
            match (&*known, &verdict) {
                (Verdict::Done(before), Verdict::Done(now)) => {
                    let same = before.number == now.number
                        && before.id == now.id
                        && before.revision == now.revision;
                    if !same {
                        return Err(format!("first answered {before:?}, then {now:?}"));
                    }
                }
                (Verdict::Done(_), Verdict::Absent) => {
                    return Err(format!("command {index} was carried out, and is refused"));
                }
                // It says nothing of what became of the command when it was sent before.
                (_, Verdict::New) if *known != Verdict::New => (),
                (_, Verdict::New) => *known = Verdict::Absent,
                (Verdict::Done(_), Verdict::Open) => (),
                _ => *known = verdict,
            }
        }
        match self.waiting {
            0 => Ok(()),
            waiting => Err(format!("{waiting} commands were not answered")),
        }
    }

    /// Holds all that was ever answered against the journal.
    ///
    /// # Errors
    /// What is wrong.
    pub fn audit(&self, oracle: &Oracle, counters: &mut Counters) -> Result<(), Wrong> {
        for (id, verdict) in &self.verdicts {
            let effect = oracle.effects.get(id);
            match (verdict, effect) {
                (Verdict::New, _) => (),
                (Verdict::Open, Some(_)) => counters.add("commit_unknown_was_done"),
                (Verdict::Open, None) => counters.add("commit_unknown_was_lost"),
                (Verdict::Absent, None) => (),
                (Verdict::Absent, Some(_)) => {
                    return Err(format!("command {id:?} was refused and was carried out"));
                }
                (Verdict::Done(done), Some(effect)) if effect.after == done.revision => (),
                (Verdict::Done(done), _) => {
                    return Err(format!(
                        "{done:?} was answered; the journal says {effect:?}"
                    ));
                }
            }
        }
        Ok(())
    }
}

fn is_true(
    sent: &Sent,
    done: &Done,
    oracle: &Oracle,
    counters: &mut Counters,
) -> Result<(), Wrong> {
    counters.add(match done.again {
        true => "duplicate_command_absorbed",
        false => "answered",
    });
    let ticket = oracle.tickets.get(&done.number);
    let ticket = ticket.filter(|ticket| ticket.revision >= done.revision);
    let Some(ticket) = ticket else {
        return Err(format!("{done:?} is not on disk"));
    };
    if ticket.id != done.id {
        return Err(format!("{done:?} is of ticket {}", ticket.id));
    }
    if let Some(id) = sent.id {
        let effect = oracle.effects.get(&id);
        let same =
            effect.filter(|effect| effect.number == done.number && effect.after == done.revision);
        let Some(effect) = same else {
            return Err(format!("{done:?}, and the journal says {effect:?}"));
        };
        if sent.expecting.is_some_and(|seen| seen != effect.before) && !done.again {
            return Err(format!(
                "expected {:?}, was {}",
                sent.expecting, effect.before
            ));
        }
    }
    if done.again {
        return Ok(());
    }
    match sent.command.wish {
        Wish::Claim => counters.add("claimed"),
        Wish::Decline { .. } => counters.add("declined"),
        Wish::Delegate { .. } => counters.add("delegated"),
        Wish::Reassign { .. } => counters.add("reassigned"),
        Wish::Act { .. } | Wish::Cancel { .. } if !ticket.is_open() => {
            counters.add("cancelled_or_ended_by_people");
        }
        _ => (),
    }
    Ok(())
}

fn refused(sent: &Sent, error: &Error, counters: &mut Counters) -> Result<Verdict, Wrong> {
    let word = match error {
        Error::Unknown(_) => {
            counters.add("unknown");
            return Ok(Verdict::Open);
        }
        Error::SetAside { why } => return Err(format!("a ticket is set aside: {why}")),
        Error::OtherCommand => {
            counters.add("same_id_other_payload");
            return Ok(Verdict::New);
        }
        Error::Unavailable(_) => {
            counters.add("unavailable");
            return Ok(Verdict::New);
        }
        Error::Changed { .. } => "stale_revision_refused",
        Error::SameKey { .. } => "same_key_refused",
        Error::Rejected(_) if sent.command.wish == Wish::Claim => "claim_race_lost",
        Error::Rejected(_) => "rejected",
        _ => "refused_otherwise",
    };
    counters.add(word);
    Ok(Verdict::Absent)
}
