//! How `upline` ends: the exit codes, which scripts rely on.

use std::fmt;
use std::process::ExitCode;

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
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command could not do its work at all; printed to stderr.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    /// What went wrong, a lower-case fragment.
    pub(crate) message: String,
    /// The way out, if one is known.
    pub(crate) help: Option<String>,
}

impl Failure {
    /// The command line asks for something that can't be.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// What was named isn't there.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(Exit::NotFound, message)
    }

    /// What was read is wrong.
    pub(crate) fn findings(message: impl Into<String>) -> Self {
        Self::new(Exit::Findings, message)
    }

    fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            help: None,
        }
    }

    /// Says the way out.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
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
            Self::new(Exit::Ok, "")
        } else {
            Self::not_found(format!("cannot write: {error}"))
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message)?;
        match &self.help {
            Some(help) => write!(f, "\n  help: {help}"),
            None => Ok(()),
        }
    }
}
