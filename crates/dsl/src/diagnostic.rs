//! [`Diagnostic`]: one mistake in an author's file, at its place, with a way out.

use std::ops::Range;

use crate::{Code, FileId, Severity};

/// A stretch of a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Site {
    /// The file.
    pub file: FileId,
    /// First byte.
    pub start: usize,
    /// First byte after it; the same as `start` for a point.
    pub end: usize,
}

impl Site {
    /// The bytes `span` of the file.
    pub const fn new(file: FileId, span: Range<usize>) -> Self {
        Self {
            file,
            start: span.start,
            end: span.end,
        }
    }

    /// The bytes.
    pub const fn span(self) -> Range<usize> {
        self.start..self.end
    }
}

/// A stretch of a file with what there is to say about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The file.
    pub file: FileId,
    /// The bytes of the file's text.
    pub span: Range<usize>,
    /// What is said about them; may be empty.
    pub text: String,
}

impl Label {
    /// Says `text` about the site.
    pub fn new(site: Site, text: impl Into<String>) -> Self {
        Self {
            file: site.file,
            span: site.span(),
            text: text.into(),
        }
    }
}

/// One mistake of an author.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// What is wrong, in words that stay the same.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong here: a lower-case fragment that names the thing.
    pub message: String,
    /// Where, and the way out if it is short.
    pub primary: Label,
    /// Other places that have to do with it, such as the first of two.
    pub secondary: Vec<Label>,
    /// A longer way out.
    pub help: Option<String>,
}

impl Diagnostic {
    /// A mistake at a site, with the severity of its code.
    pub fn new(code: Code, site: Site, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: code.severity(),
            message: message.into(),
            primary: Label::new(site, ""),
            secondary: Vec::new(),
            help: None,
        }
    }

    /// Says `text` under the place: the short way out.
    pub fn label(&mut self, text: impl Into<String>) -> &mut Self {
        self.primary.text = text.into();
        self
    }

    /// Points at another place too.
    pub fn also(&mut self, site: Site, text: impl Into<String>) -> &mut Self {
        self.secondary.push(Label::new(site, text));
        self
    }

    /// Adds the longer way out.
    pub fn help(&mut self, text: impl Into<String>) -> &mut Self {
        self.help = Some(text.into());
        self
    }
}
