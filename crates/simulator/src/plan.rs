//! A plan: everything that a run does, written down. Seeds rot when the generator changes, plans do not.

use serde::{Deserialize, Serialize};
use upline::disk::sim::{Fault, Keep};

/// A comment that is said to the caller.
pub const TO_CALLER: &str = "soon, dear caller";

/// A run's setting and its steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// What the disk's, the peers' and the outbox's chance begins with.
    pub seed: u64,
    /// The setting.
    pub setting: Setting,
    /// What happens, in order.
    pub steps: Vec<Step>,
}

/// How the engine is set up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Setting {
    /// Length of a segment of the journal, in bytes.
    pub segment_bytes: u64,
    /// Commits after which a snapshot is written.
    pub snapshot_commits: u64,
    /// What the clock on the wall shows at the beginning, in milliseconds since 1970.
    pub begin: i64,
    /// For how long an answer of a peer is waited for, in seconds.
    pub lease: u64,
    /// After how many minutes a message is given up.
    pub give_up: u64,
    /// How many messages are under way at once.
    pub at_once: usize,
    /// Directory and workflows that hold from the beginning.
    pub files: Vec<Text>,
    /// Workflows of which tickets are opened.
    pub workflows: Vec<String>,
    /// Who takes part.
    pub people: Vec<String>,
    /// What is done in the workflows.
    pub actions: Vec<String>,
    /// For how many days history is kept; without it, for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_history: Option<u64>,
}

/// A file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    /// Its name.
    pub name: String,
    /// What is in it.
    pub text: String,
}

/// One thing that happens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Step {
    /// Files are deployed.
    Deploy(Vec<Text>),
    /// Somebody opens a ticket.
    Open {
        /// Which workflow.
        workflow: String,
        /// Who.
        by: String,
        /// By which key another system finds it.
        key: Option<String>,
        /// How it is sent.
        how: How,
    },
    /// Somebody does something.
    Do {
        /// To which of the tickets opened so far, counted back from the last one.
        ticket: usize,
        /// Who.
        by: By,
        /// What.
        act: Act,
        /// How it is sent.
        how: How,
    },
    /// A command that bore an id is sent again, counted back from the last one.
    Again {
        /// Which.
        back: usize,
        /// With another wish.
        other: bool,
        /// Whether the next one is in the same commit.
        together: bool,
    },
    /// Time passes, in milliseconds.
    Pass {
        /// How much.
        millis: i64,
        /// The process stands still meanwhile, as on a machine that sleeps.
        asleep: bool,
    },
    /// Time passes until the next clock is due, and so many milliseconds more or less.
    PassToDue {
        /// More, or if negative less.
        more: i64,
    },
    /// The clock on the wall is set, forward or back by so many milliseconds.
    Wall {
        /// By how much.
        millis: i64,
    },
    /// The clock on the wall is right again.
    WallRight,
    /// An operator says that the clock is right.
    Believe,
    /// From now on peers answer so.
    Peers(Mood),
    /// The process is killed at the n-th operation of its disk from now on, and starts again.
    Kill {
        /// Which operation.
        operation: u64,
    },
    /// The power is cut at the n-th operation from now on, and comes back.
    Cut {
        /// Which operation.
        operation: u64,
        /// What is left.
        keep: Left,
    },
    /// The n-th operation from now on fails.
    Fail {
        /// Which operation.
        operation: u64,
        /// How.
        fault: Failure,
    },
    /// The n-th reading from now on fails.
    FailRead {
        /// Which.
        read: u64,
    },
    /// The disk is full but for so many bytes.
    Full {
        /// How many.
        spare: u64,
    },
    /// There is room again.
    Free,
    /// The process ends now and starts again; with a power cut, if something is said of what it leaves.
    Restart {
        /// What is left of what was not synced.
        keep: Option<Left>,
    },
    /// While the process is down a bit of a snapshot turns over.
    Damage {
        /// Which snapshot, counted from the newest.
        back: usize,
        /// Which byte, of its length.
        byte: u64,
    },
}

/// How a command is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct How {
    /// With an id of its own.
    pub id: bool,
    /// It says the revision that its giver has seen: this much less than it is.
    pub expecting: Option<u64>,
    /// The next one is in the same commit.
    pub together: bool,
}

/// Who does something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum By {
    /// Whoever is answerable.
    Holder,
    /// One of those to whom it is offered, else whoever is answerable.
    Candidate(usize),
    /// This person, whatever he has to do with it.
    Person(String),
    /// Somebody with the rights to do it.
    Operator(String),
}

/// What is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Act {
    /// An action of the state.
    Take(String),
    /// Claim.
    Claim,
    /// Decline.
    Decline,
    /// Release.
    Release,
    /// Delegate to somebody.
    Delegate(String),
    /// Reassign to somebody.
    Reassign(String),
    /// Escalate.
    Escalate,
    /// Suspend for so many milliseconds, and so many nanoseconds.
    Suspend(i64, i64),
    /// Resume.
    Resume,
    /// Say something; [`TO_CALLER`] is said to the caller.
    Comment(String),
    /// Save a field of the form.
    Save(String, String),
    /// Hold the ladder by a link.
    Hold,
    /// Say that the answer comes in so many milliseconds.
    AnswerBy(i64),
    /// Put the first clock off by so many milliseconds.
    ChangeClock(i64),
    /// Cancel.
    Cancel,
}

/// How peers answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Mood {
    /// They take everything.
    #[default]
    Well,
    /// They fail for the moment.
    Temporary,
    /// They refuse for good.
    Permanent,
    /// They never answer.
    Never,
    /// They take it, and say so when nobody waits any more.
    Late,
    /// They take it, and say so twice.
    Twice,
    /// Each message otherwise.
    Mixed,
}

/// [`Keep`], written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Left {
    /// [`Keep::Nothing`]
    #[default]
    Nothing,
    /// [`Keep::Everything`]
    Everything,
    /// [`Keep::Half`]
    Half,
    /// [`Keep::Torn`]
    Torn,
}

impl From<Left> for Keep {
    fn from(left: Left) -> Self {
        match left {
            Left::Nothing => Self::Nothing,
            Left::Everything => Self::Everything,
            Left::Half => Self::Half,
            Left::Torn => Self::Torn,
        }
    }
}

/// [`Fault`], written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Failure {
    /// [`Fault::Error`]
    #[default]
    Error,
    /// [`Fault::Part`]
    Part,
    /// [`Fault::Done`]
    Done,
    /// [`Fault::Full`]
    Full,
    /// [`Fault::FullInPart`]
    FullInPart,
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Error => Self::Error,
            Failure::Part => Self::Part,
            Failure::Done => Self::Done,
            Failure::Full => Self::Full,
            Failure::FullInPart => Self::FullInPart,
        }
    }
}

impl Step {
    /// Whether it is a fault of the machine: something that a store in memory knows nothing of.
    #[must_use]
    pub fn is_of_machine(&self) -> bool {
        matches!(
            self,
            Self::Kill { .. }
                | Self::Cut { .. }
                | Self::Fail { .. }
                | Self::FailRead { .. }
                | Self::Full { .. }
                | Self::Free
                | Self::Restart { .. }
                | Self::Damage { .. }
        )
    }
}

impl Step {
    /// Whether it is a fault that strikes later, so that a plan can begin with it.
    #[must_use]
    pub fn is_ahead(&self) -> bool {
        matches!(
            self,
            Self::Kill { .. } | Self::Cut { .. } | Self::Fail { .. } | Self::FailRead { .. }
        )
    }
}

impl Plan {
    /// The same without faults of the machine.
    #[must_use]
    pub fn without_faults(&self) -> Self {
        let mut plan = self.clone();
        plan.steps.retain(|step| !step.is_of_machine());
        plan
    }
}
