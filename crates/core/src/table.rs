//! The one table: what each operation does, for whom, where.
//!
//! `decide` asks it before anything else; the test `table_is_what_decide_does` plays every row.
//!
//! | operation | owner afterwards | ladder afterwards |
//! |---|---|---|
//! | act | the next state says | the next state's |
//! | claim | the claimant | from the start, on him |
//! | decline | the next, at once | goes on with the next |
//! | release | whom the state asks, anew | from the start, same round |
//! | delegate | the delegate; the owner learns the outcome | same level, its clock anew |
//! | reassign | the one named | from the start, on him |
//! | escalate | the next level | goes on from that level |
//! | suspend | kept | stands still until the wake-up |
//! | resume | kept | same level, its clock anew |
//! | comment, save | kept | a ladder against silence restarts when it is the assignee; an offer's is kept |
//! | tick | kept | kept |
//! | answer by | kept | the next due time is the one named, once |
//! | change clock | kept | the one clock is moved |
//! | hold | kept | put off by [`HOLD`](crate::decide::HOLD_SECONDS), once a hop |
//! | cancel | nobody: it has ended | over |
//!
//! Promises are touched by none of them: passing a ticket round postpones nothing.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Because;

/// What can be done to a position, or be refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Operation {
    /// Take an action of the state.
    Act,
    /// Take what was offered.
    Claim,
    /// Pass it to the next.
    Decline,
    /// Give it back.
    Release,
    /// Let somebody do it.
    Delegate,
    /// Hand it over.
    Reassign,
    /// Take the next level.
    Escalate,
    /// Stop the ladder for a time.
    Suspend,
    /// Let it go on.
    Resume,
    /// Say something.
    Comment,
    /// Save fields.
    Save,
    /// Tick a checklist item.
    Tick,
    /// Set one's own next due time.
    AnswerBy,
    /// Change a running clock.
    ChangeClock,
    /// Hold the ladder by a link.
    Hold,
    /// Give the ticket up.
    Cancel,
}

impl Operation {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 16] = [
        Self::Act,
        Self::Claim,
        Self::Decline,
        Self::Release,
        Self::Delegate,
        Self::Reassign,
        Self::Escalate,
        Self::Suspend,
        Self::Resume,
        Self::Comment,
        Self::Save,
        Self::Tick,
        Self::AnswerBy,
        Self::ChangeClock,
        Self::Hold,
        Self::Cancel,
    ];

    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Act => "act",
            Self::Claim => "claim",
            Self::Decline => "decline",
            Self::Release => "release",
            Self::Delegate => "delegate",
            Self::Reassign => "reassign",
            Self::Escalate => "escalate",
            Self::Suspend => "suspend",
            Self::Resume => "resume",
            Self::Comment => "comment",
            Self::Save => "save",
            Self::Tick => "tick",
            Self::AnswerBy => "answer by",
            Self::ChangeClock => "change clock",
            Self::Hold => "hold",
            Self::Cancel => "cancel",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What a position is like, as far as operations are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Situation {
    /// A group may claim it; its lead is answerable.
    Offered,
    /// Somebody was asked and has not taken it yet.
    Asked,
    /// Somebody has taken it.
    Taken,
    /// The last resort has it.
    LastResort,
    /// Somebody has it, and the ladder stands still.
    Suspended,
    /// Its branches have it.
    Branches,
    /// The branch, or the ticket, has ended.
    Over,
}

impl Situation {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Offered,
        Self::Asked,
        Self::Taken,
        Self::LastResort,
        Self::Suspended,
        Self::Branches,
        Self::Over,
    ];
}

/// What somebody is to a position. The first that fits counts; a lead who is the holder himself may in
/// addition
/// what a lead may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Has the operator's rights.
    Operator,
    /// Is answerable: the assignee, or the lead while candidates are asked.
    Holder,
    /// May claim.
    Candidate,
    /// Is named by the `by` of the action in question.
    Named,
    /// Leads or manages a group that the holder is in, or that was offered it.
    Lead,
    /// Anybody else of the directory.
    Colleague,
    /// Somebody outside whom a contact field names.
    Contact,
    /// Another system.
    System,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Operator,
        Self::Holder,
        Self::Candidate,
        Self::Named,
        Self::Lead,
        Self::Colleague,
        Self::Contact,
        Self::System,
    ];
}

/// What the table says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ruling {
    /// It is done, and this becomes of the owner.
    Allowed(Owner),
    /// The ticket or branch has ended.
    Over,
    /// Somebody else has it.
    HeldBy,
    /// It is not for this role.
    NotAllowed,
    /// It makes no sense here.
    NotPossible(Because),
}

/// Who is answerable after an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// Whoever was.
    Kept,
    /// Whoever did it.
    Actor,
    /// The person named in the command.
    Named,
    /// The next one: of the level, or of the next level.
    Next,
    /// The next level's.
    NextLevel,
    /// Whom the state asks, asked anew.
    AskedAnew,
    /// Whom the next state asks.
    NextState,
    /// Nobody: it has ended.
    Nobody,
}

/// The table.
pub const fn rule(situation: Situation, operation: Operation, role: Role) -> Ruling {
    use Because as B;
    use Operation as O;
    use Ruling::{Allowed, NotPossible};
    use Situation as S;
    match (situation, operation) {
        (S::Over, _) => return Ruling::Over,
        (_, O::Comment) => return Allowed(Owner::Kept),
        (S::Branches, O::Cancel) => (),
        (S::Branches, _) => return NotPossible(B::Branches),
        _ => (),
    }
    match operation {
        O::Act | O::Claim | O::Decline | O::Release | O::Delegate | O::Reassign | O::Escalate => {
            handing_on(situation, operation, role)
        }
        _ => keeping(situation, operation, role),
    }
}

/// The rows that may change who answers.
const fn handing_on(situation: Situation, operation: Operation, role: Role) -> Ruling {
    use Because as B;
    use Operation as O;
    use Ruling::{Allowed, HeldBy, NotAllowed, NotPossible};
    use Situation as S;
    let leads = matches!(role, Role::Operator | Role::Lead);
    let holds = matches!(role, Role::Holder);
    // While it is offered, the lead is answerable, and each candidate may act as if he had claimed.
    let may_take = holds || leads || matches!(role, Role::Candidate);
    match operation {
        O::Act => match role {
            Role::Operator | Role::Holder | Role::Named => Allowed(Owner::NextState),
            Role::Candidate | Role::Lead if matches!(situation, S::Offered) => {
                Allowed(Owner::NextState)
            }
            Role::Contact | Role::System => NotAllowed,
            _ => HeldBy,
        },
        O::Claim => match situation {
            S::Offered if may_take => Allowed(Owner::Actor),
            S::Offered => NotAllowed,
            _ if holds => NotPossible(B::NotOffered),
            _ => HeldBy,
        },
        O::Decline => match (situation, role) {
            (S::LastResort, Role::Holder) => NotPossible(B::LastResort),
            (S::Offered, Role::Candidate) | (_, Role::Holder) => Allowed(Owner::Next),
            _ => NotAllowed,
        },
        O::Release => match situation {
            _ if !holds && !leads => NotAllowed,
            S::Offered | S::Asked => NotPossible(B::NotTaken),
            _ => Allowed(Owner::AskedAnew),
        },
        O::Delegate => match situation {
            _ if !holds => NotAllowed,
            S::Offered => NotPossible(B::NotTaken),
            _ => Allowed(Owner::Named),
        },
        O::Reassign if holds || leads => Allowed(Owner::Named),
        O::Escalate => match situation {
            _ if !may_take => NotAllowed,
            S::LastResort => NotPossible(B::LastResort),
            _ => Allowed(Owner::NextLevel),
        },
        _ => NotAllowed,
    }
}

/// The rows that leave it with whom it is, or end it.
const fn keeping(situation: Situation, operation: Operation, role: Role) -> Ruling {
    use Because as B;
    use Operation as O;
    use Ruling::{Allowed, HeldBy, NotAllowed, NotPossible};
    use Situation as S;
    let leads = matches!(role, Role::Operator | Role::Lead);
    let holds = matches!(role, Role::Holder);
    match operation {
        O::Suspend => match situation {
            _ if !holds && !leads => NotAllowed,
            S::Suspended => NotPossible(B::Suspended),
            S::Offered | S::Asked => NotPossible(B::NotTaken),
            _ => Allowed(Owner::Kept),
        },
        O::Resume => match situation {
            _ if !holds && !leads => NotAllowed,
            S::Suspended => Allowed(Owner::Kept),
            _ => NotPossible(B::NotSuspended),
        },
        O::Save | O::Tick if holds || leads => Allowed(Owner::Kept),
        O::Save | O::Tick => match role {
            Role::Contact | Role::System => NotAllowed,
            _ => HeldBy,
        },
        O::AnswerBy => match situation {
            _ if !holds => NotAllowed,
            S::Taken => Allowed(Owner::Kept),
            S::LastResort => NotPossible(B::LastResort),
            S::Suspended => NotPossible(B::Suspended),
            _ => NotPossible(B::NotTaken),
        },
        O::ChangeClock if leads => Allowed(Owner::Kept),
        O::Hold => match situation {
            _ if !holds && !matches!(role, Role::Candidate) => NotAllowed,
            S::LastResort => NotPossible(B::LastResort),
            S::Suspended => NotPossible(B::Suspended),
            _ => Allowed(Owner::Kept),
        },
        O::Cancel if leads => Allowed(Owner::Nobody),
        _ => NotAllowed,
    }
}
