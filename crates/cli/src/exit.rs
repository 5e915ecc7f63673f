//! How `upline` ends: the exit codes, which scripts rely on, and what is told if a command can't do its work.

use std::fmt;
use std::process::ExitCode;

use serde::Serialize;
use upline_dsl::render::{Colour, Report, texts};
use upline_dsl::{Diagnostic, Sources, Unreadable};

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done, and nothing was found wrong.
    Ok = 0,
    /// Mistakes were found in a file, or a test failed.
    Findings = 1,
    /// The command line itself was wrong.
    Usage = 2,
    /// A file, a workflow or a code that was named doesn't exist, or can't be read.
    NotFound = 3,
    /// Somebody else was first, or it is not possible now.
    Conflict = 4,
    /// The token has no right to it.
    NotAllowed = 5,
    /// The service can't be reached.
    Unreachable = 6,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command could not do its work at all; printed to stderr, and with `--json` to stdout too.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    problems: Vec<Problem>,
    /// The mistakes in files because of which it could not.
    found: (Sources, Vec<Diagnostic>),
    /// Who has what was asked for.
    pub(crate) holder: Option<String>,
}

/// Something that is wrong.
#[derive(Debug, Serialize)]
pub(crate) struct Problem {
    /// What, a lower-case fragment.
    message: String,
    /// The way out, if one is known.
    help: Option<String>,
}

/// A failure for programs.
#[derive(Serialize)]
pub(crate) struct FailureReport<'a> {
    exit: u8,
    problems: &'a [Problem],
    diagnostics: Vec<Report<'a>>,
}

impl Failure {
    /// The command line asks for something that can't be.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message, None)
    }

    /// What was named isn't there.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(Exit::NotFound, message, None)
    }

    /// What was read is wrong.
    pub(crate) fn findings(message: impl Into<String>) -> Self {
        Self::new(Exit::Findings, message, None)
    }

    /// The command line is wrong in several places, each with its way out.
    pub(crate) fn usages(problems: impl IntoIterator<Item = (String, Option<String>)>) -> Self {
        let problems = problems.into_iter();
        Self {
            exit: Exit::Usage,
            problems: problems
                .map(|(message, help)| Problem { message, help })
                .collect(),
            found: Default::default(),
            holder: None,
        }
    }

    /// With this exit code.
    pub(crate) fn of(exit: Exit, message: impl Into<String>) -> Self {
        Self::new(exit, message, None)
    }

    /// Says who has what was asked for.
    pub(crate) fn holder(self, holder: Option<String>) -> Self {
        Self { holder, ..self }
    }

    /// Two ways of printing are asked for at once.
    pub(crate) fn two_formats() -> Self {
        let message = "`--json` and `--format` can't be had at once: JSON has one form";
        Self::usage(message).help("leave one of them out")
    }

    fn new(exit: Exit, message: impl Into<String>, help: Option<String>) -> Self {
        let message = message.into();
        Self {
            exit,
            problems: vec![Problem { message, help }],
            found: Default::default(),
            holder: None,
        }
    }

    /// Says the way out.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        if let Some(last) = self.problems.last_mut() {
            last.help = Some(help.into());
        }
        self
    }

    /// Tells the mistakes because of which it is so.
    pub(crate) fn found(self, sources: Sources, found: Vec<Diagnostic>) -> Self {
        let found = (sources, found);
        Self { found, ..self }
    }

    /// What programs are told.
    pub(crate) fn report(&self) -> FailureReport<'_> {
        let (sources, found) = &self.found;
        FailureReport {
            exit: self.exit as u8,
            problems: &self.problems,
            diagnostics: found.iter().map(|one| Report::new(sources, one)).collect(),
        }
    }

    /// What people are told.
    pub(crate) fn text(&self, colour: Colour) -> String {
        let (sources, found) = &self.found;
        format!("{}{self}", texts(sources, found, colour))
    }

    /// Whether the reader of the output went away, as `head` does when it has seen enough.
    pub(crate) fn is_closed_pipe(error: &std::io::Error) -> bool {
        error.kind() == std::io::ErrorKind::BrokenPipe
    }
}

/// Printing failed: a closed pipe ends the command quietly, anything else is told.
impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        if Self::is_closed_pipe(&error) {
            Self::new(Exit::Ok, "", None)
        } else {
            Self::not_found(format!("cannot write: {error}"))
        }
    }
}

impl From<Unreadable> for Failure {
    fn from(unreadable: Unreadable) -> Self {
        Self::not_found(unreadable.to_string())
    }
}

/// What is wrong with the command line: the first paragraph of what clap says.
impl From<clap::Error> for Failure {
    fn from(error: clap::Error) -> Self {
        let text = error.render().to_string();
        let message = text.split("\n\n").next().unwrap_or_default();
        Self::usage(message.trim_start_matches("error: ").trim_end())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Problem { message, help }) in self.problems.iter().enumerate() {
            let line_end = if index > 0 { "\n" } else { "" };
            write!(f, "{line_end}error: {message}")?;
            if let Some(help) = help {
                write!(f, "\n  help: {help}")?;
            }
        }
        Ok(())
    }
}
