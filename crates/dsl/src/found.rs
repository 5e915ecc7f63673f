//! [`Found`]: collects an author's mistakes, and words each of them in one place.

use crate::names::{NameFault, TextFault};
use crate::reader::quoted;
use crate::suggest::{FEW, hint};
use crate::{Code, Diagnostic, FileId, PhraseError, Severity, Site, Sources};

/// Most diagnostics that are kept; a file with more is not read to the end by anybody.
pub const MAX_DIAGNOSTICS: usize = 1_000;

/// All that is wrong.
///
/// Each mistake has a constructor here, so that it is worded once:
/// `found.unknown_state(site, "wating", ["waiting"])`.
#[derive(Debug, Default)]
pub struct Found {
    all: Vec<Diagnostic>,
    left_out: usize,
}

impl Found {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether a file can't be used.
    pub fn has_errors(&self) -> bool {
        self.left_out > 0 || self.all.iter().any(|one| one.severity == Severity::Error)
    }

    /// How many errors were found.
    pub fn errors(&self) -> usize {
        let errors = |one: &&Diagnostic| one.severity == Severity::Error;
        self.left_out + self.all.iter().filter(errors).count()
    }

    /// Whether nothing at all was found.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// How many were left out, because there were more than [`MAX_DIAGNOSTICS`].
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// All that was found, by file and place. The same mistake at the same place is there once.
    #[must_use]
    pub fn into_sorted(mut self) -> Vec<Diagnostic> {
        self.all.sort_by(|a, b| key(a).cmp(&key(b)));
        self.all.dedup();
        self.all
    }

    /// All that was found, in the order in which it was.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.all.iter()
    }

    /// Takes over what another has found.
    pub fn append(&mut self, other: Self) {
        self.left_out += other.left_out;
        for diagnostic in other.all {
            self.push(diagnostic);
        }
    }

    /// Adds a mistake.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        if self.all.len() < MAX_DIAGNOSTICS {
            self.all.push(diagnostic);
        } else {
            self.left_out += 1;
        }
    }

    /// Adds a mistake that is made only if there is room for it: looking for its place takes time.
    pub fn add(&mut self, make: impl FnOnce() -> Diagnostic) {
        if self.all.len() < MAX_DIAGNOSTICS {
            self.all.push(make());
        } else {
            self.left_out += 1;
        }
    }

    /// Adds a mistake that has no constructor of its own.
    pub fn report(&mut self, code: Code, site: Site, message: impl Into<String>) {
        self.push(Diagnostic::new(code, site, message));
    }

    /// Adds a mistake with the way out under its place.
    pub fn report_with(
        &mut self,
        code: Code,
        site: Site,
        message: impl Into<String>,
        label: impl Into<String>,
    ) {
        let mut diagnostic = Diagnostic::new(code, site, message);
        diagnostic.label(label);
        self.push(diagnostic);
    }

    /// A key that means nothing here. `inside` says where: `a state`, `the workflow`.
    pub fn unknown_key(&mut self, site: Site, key: &str, inside: &str, known: &[&str]) {
        let message = format!("{inside} has no key `{key}`");
        self.report_with(
            Code::UnknownKey,
            site,
            message,
            hint(key, known.iter().copied()),
        );
    }

    /// Keys that mean nothing here, when others were reported one by one.
    pub(crate) fn more_unknown_keys(&mut self, site: Site, keys: &[&str], inside: &str) {
        let shown: Vec<String> = keys.iter().take(FEW).map(|key| quoted(key)).collect();
        let (some, count) = (shown.join(", "), keys.len());
        let all = if count > FEW { ", …" } else { "" };
        let message = format!("{count} more keys that {inside} does not have: {some}{all}");
        self.report(Code::UnknownKey, site, message);
    }

    /// A file that is neither a workflow nor a directory.
    pub(crate) fn not_of_the_language(&mut self, file: FileId) {
        let message = "this is neither a workflow nor a directory";
        let help = "a workflow begins with `workflow: NAME`, a directory with `directory: NAME`";
        self.report_with(Code::MissingKey, Site::new(file, 0..0), message, help);
    }

    /// A key that must be there.
    pub fn missing_key(&mut self, site: Site, key: &str, inside: &str) {
        let message = format!("{inside} must have the key `{key}`");
        self.report(Code::MissingKey, site, message);
    }

    /// A key that stands twice.
    pub fn duplicate_key(&mut self, site: Site, first: Site, key: &str) {
        let mut diagnostic = Diagnostic::new(
            Code::DuplicateKey,
            site,
            format!("the key `{key}` stands here twice"),
        );
        diagnostic.label("a second time");
        diagnostic.also(first, "the first time");
        self.push(diagnostic);
    }

    /// Something of another kind than is meant: `expected` and `got` with an article (`a list`, `a text`).
    pub fn wrong_type(&mut self, site: Site, what: &str, expected: &str, got: &str) {
        let message = format!("{what} must be {expected}, not {got}");
        self.report(Code::WrongType, site, message);
    }

    /// Two things of one name. `kind` is the thing: `state`, `person`.
    pub fn duplicate_name(&mut self, site: Site, first: Site, kind: &str, name: &str) {
        let message = format!("there are two of the name `{name}`, and each {kind} needs its own");
        let mut diagnostic = Diagnostic::new(Code::DuplicateName, site, message);
        diagnostic.label("the second");
        diagnostic.also(first, "the first");
        self.push(diagnostic);
    }

    /// Files whose workflows have one name, told at the first of them. Nothing if there is one only.
    pub(crate) fn same_workflow(&mut self, sources: &Sources, name: &str, sites: &[Site]) {
        let Some((first, others @ [_, ..])) = sites.split_first() else {
            return;
        };
        let files = others.iter().take(FEW).map(|site| sources.name(site.file));
        let files: Vec<String> = files.map(quoted).collect();
        let (some, name) = (files.join(", "), quoted(&printable(name)));
        let more = if others.len() > FEW { ", …" } else { "" };
        let be = if others.len() > 1 { "are" } else { "is" };
        let message = format!("{some}{more} {be} the workflow {name} too");
        let mut diagnostic = Diagnostic::new(Code::DuplicateName, *first, message);
        diagnostic.label("each workflow of a folder needs a name of its own");
        for other in others.iter().take(FEW) {
            diagnostic.also(*other, "the same name");
        }
        diagnostic.help(
            "delete the copy, move it to another folder, or let its name not end with `.yaml`; a new version \
             has the file name of the one that it replaces",
        );
        self.push(diagnostic);
    }

    /// A name that names can't have.
    pub fn bad_name(&mut self, site: Site, name: &str, fault: &NameFault) {
        let message = format!("`{}` can't be a name: {fault}", printable(name));
        self.report_with(fault.code(), site, message, fault.help());
    }

    /// A text that can't be shown to people.
    pub fn bad_text(&mut self, site: Site, what: &str, fault: &TextFault) {
        self.report(Code::BadText, site, format!("{what} {fault}"));
    }

    /// A phrase that its grammar refuses: `text` is the phrase that was read from the scalar at `site`.
    pub fn bad_phrase(&mut self, sources: &Sources, site: Site, text: &str, error: &PhraseError) {
        let at = sources.within(site, text, &error.range);
        let mut diagnostic = Diagnostic::new(error.code, at, error.message.clone());
        diagnostic.label(error.label.clone());
        diagnostic.help.clone_from(&error.help);
        self.push(diagnostic);
    }

    /// A name that nothing has. `thing` is the word for what it should be.
    pub fn unknown<'a>(
        &mut self,
        code: Code,
        site: Site,
        thing: &str,
        name: &str,
        candidates: impl IntoIterator<Item = &'a str> + Clone,
    ) {
        let message = format!("there is no {thing} `{}`", printable(name));
        self.report_with(code, site, message, hint(name, candidates));
    }
}

/// A constructor for each kind of reference.
macro_rules! unknown {
    ($($(#[doc = $doc:literal])+ $method:ident = $variant:ident $thing:literal,)+) => {
        impl Found {
            $($(#[doc = $doc])+
            pub fn $method<'a>(
                &mut self,
                site: Site,
                name: &str,
                candidates: impl IntoIterator<Item = &'a str> + Clone,
            ) {
                self.unknown(Code::$variant, site, $thing, name, candidates);
            })+
        }
    };
}

unknown! {
    /// A state that the workflow does not have.
    unknown_state = UnknownState "state",
    /// An action that no state has.
    unknown_action = UnknownAction "action",
    /// A field that the workflow does not have.
    unknown_field = UnknownField "field",
    /// A person that the directory does not have.
    unknown_person = UnknownPerson "person",
    /// A group that the directory does not have.
    unknown_group = UnknownGroup "group",
    /// A skill that nobody has.
    unknown_skill = UnknownSkill "skill",
    /// A schedule that the directory does not have.
    unknown_schedule = UnknownSchedule "schedule",
    /// A calendar that the directory does not have.
    unknown_calendar = UnknownCalendar "calendar",
    /// A ladder that the workflow does not have.
    unknown_ladder = UnknownLadder "ladder",
    /// A workflow that was not read.
    unknown_workflow = UnknownWorkflow "workflow",
    /// An item that the state's checklist does not have.
    unknown_item = UnknownItem "checklist item",
}

fn key(one: &Diagnostic) -> (crate::FileId, usize, usize, Code, &str) {
    let span = &one.primary.span;
    (
        one.primary.file,
        span.start,
        span.end,
        one.code,
        &one.message,
    )
}

/// The text with everything escaped that would not be seen or would move the line.
pub(crate) fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if crate::names::is_hidden(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}
