//! [`Code`]: the closed set of mistakes an author can make, in words.

use std::fmt;

/// How bad a mistake is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The file can be used; somebody should look at it.
    Warning,
    /// The file can't be used.
    Error,
}

impl Severity {
    /// `error` or `warning`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One table makes the variants, their words and their severity, so that none can be forgotten.
macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $word:literal $severity:ident,)+) => {
        /// What is wrong, in words that stay the same: `unknown-state`. Each has a page in the manual.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Code {
            /// Every code, in the order of the manual.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The code in words.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// How bad it is.
            pub const fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity),+ }
            }

            /// Its page in the manual, in Markdown.
            pub(crate) const fn page(self) -> &'static str {
                match self { $(Self::$variant => include_str!(concat!("../manual/", $word, ".md"))),+ }
            }
        }
    };
}

codes! {
    // Files and YAML.
    /// The file is not YAML.
    YamlSyntax = "yaml-syntax" Error,
    /// The file, a list in it or its nesting is larger than any author needs.
    TooLarge = "too-large" Error,
    /// The file is not UTF-8.
    WrongEncoding = "wrong-encoding" Error,
    /// A key stands twice in one mapping.
    DuplicateKey = "duplicate-key" Error,
    /// A key that means nothing here.
    UnknownKey = "unknown-key" Error,
    /// A key that must be there is not.
    MissingKey = "missing-key" Error,
    /// A list where a text is meant, or the like.
    WrongType = "wrong-type" Error,
    /// A key that YAML 1.1 tools read as a boolean or as nothing.
    Yaml11 = "yaml-1-1" Error,

    // Leaves.
    /// A name with characters that names can't have.
    BadName = "bad-name" Error,
    /// A text with control characters, or empty where something must be said.
    BadText = "bad-text" Error,
    /// Not a *how long* phrase.
    BadSpan = "bad-span" Error,
    /// Not a *who* phrase, or not one that may stand here.
    BadPhrase = "bad-phrase" Error,
    /// Not a *when* phrase.
    BadCondition = "bad-condition" Error,
    /// A value that the field or the key can't hold.
    BadValue = "bad-value" Error,
    /// A day or a time of day that does not exist, or is not written as one.
    BadDate = "bad-date" Error,
    /// A cron expression that says nothing, or not the same thing to everybody.
    BadCron = "bad-cron" Error,

    // References.
    /// There is no such state.
    UnknownState = "unknown-state" Error,
    /// There is no such action.
    UnknownAction = "unknown-action" Error,
    /// There is no such field.
    UnknownField = "unknown-field" Error,
    /// There is no such person.
    UnknownPerson = "unknown-person" Error,
    /// There is no such group.
    UnknownGroup = "unknown-group" Error,
    /// Nobody has the skill.
    UnknownSkill = "unknown-skill" Error,
    /// There is no such schedule.
    UnknownSchedule = "unknown-schedule" Error,
    /// There is no such calendar.
    UnknownCalendar = "unknown-calendar" Error,
    /// There is no such time zone.
    UnknownZone = "unknown-zone" Error,
    /// There is no such ladder.
    UnknownLadder = "unknown-ladder" Error,
    /// There is no such workflow.
    UnknownWorkflow = "unknown-workflow" Error,
    /// There is no such item of the checklist.
    UnknownItem = "unknown-item" Error,
    /// Two things have one name.
    DuplicateName = "duplicate-name" Error,

    // Calendars, schedules, people.
    /// A calendar that can't be, such as hours that overlap.
    BadCalendar = "bad-calendar" Error,
    /// A calendar that is never open, or a range of holidays that is longer than a year.
    ClosedCalendar = "closed-calendar" Error,
    /// A schedule that can't be, such as a rotation without members.
    BadSchedule = "bad-schedule" Error,
    /// An absence that ends before it begins, or has its own person as deputy.
    BadAbsence = "bad-absence" Error,
    /// Quiet hours in which, or outside of which, nothing reaches the person; or a way for quiet hours of
    /// somebody who has none.
    BadQuietHours = "bad-quiet-hours" Error,
    /// The directory names nobody who is answerable in the end.
    NoLastResort = "no-last-resort" Error,
    /// A group without the people that a phrase asks of it.
    EmptyGroup = "empty-group" Error,
    /// People stand in for each other in a circle.
    DeputyCycle = "deputy-cycle" Error,
    /// Somebody who can be asked has no channel.
    UnreachablePerson = "unreachable-person" Error,
    /// Hours of the week in which a level has nobody on shift.
    CoverageGap = "coverage-gap" Warning,

    // The meaning of a workflow.
    /// No way from the start leads to the state.
    UnreachableState = "unreachable-state" Error,
    /// No end can be reached from the state.
    NoWayOut = "no-way-out" Error,
    /// Nothing watches the state: neither a ladder nor `after`.
    ForgettableState = "forgettable-state" Error,
    /// Nobody is answerable in the state.
    NobodyAnswerable = "nobody-answerable" Error,
    /// An action requires a field that no form on the way has.
    NeverAsked = "never-asked" Error,
    /// A phrase asks who took an action that nobody can have taken by then.
    NeverDone = "never-done" Error,
    /// States that run in a circle with no person and no time between.
    InstantLoop = "instant-loop" Error,
    /// A circle of states that time alone drives, each starting its ladder anew.
    EndlessSilence = "endless-silence" Error,
    /// An end that silence alone reaches, without saying that this is meant.
    SilentEnd = "silent-end" Error,
    /// A level at which nobody can ever be found.
    HopelessLadder = "hopeless-ladder" Error,
    /// The last resort is not reached within a bound.
    Unbounded = "unbounded" Error,
    /// A ticket may wait for longer than a quarter of a year until somebody has to act.
    LongSilence = "long-silence" Warning,
    /// A calendar that clocks count in is closed for longer than a quarter of a year, after the proved one.
    LongClosure = "long-closure" Warning,
    /// A workflow calls itself, directly or through others.
    SelfCall = "self-call" Error,
    /// Branches of a parallel state that lead into each other or out.
    BadBranch = "bad-branch" Error,
    /// More of something than the limit allows.
    TooMany = "too-many" Error,
    /// If the last resort has done one action himself, nobody can take another, which is not for who did it.
    FourEyes = "four-eyes" Warning,
    /// A promise is due before the ladder has reached its second level.
    PromiseBeforeHelp = "promise-before-help" Warning,
    /// The spans of one promise count some in a calendar and some around the clock.
    MixedClocks = "mixed-clocks" Warning,
    /// A text lacks a language that other texts have.
    MissingTranslation = "missing-translation" Warning,
    /// A condition that can't be true, or one behind a condition that always is.
    DeadBranch = "dead-branch" Warning,
    /// A ladder that no state uses.
    UnusedLadder = "unused-ladder" Warning,
    /// A field that no form, condition or phrase uses.
    UnusedField = "unused-field" Warning,

    // Transcripts.
    /// A line of a transcript that means nothing, or not there.
    BadTranscript = "bad-transcript" Error,
}

impl Code {
    /// The code of these words.
    pub fn from_words(words: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|code| code.as_str() == words)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
