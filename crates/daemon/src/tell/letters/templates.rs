//! Templates: those that are shipped, and those of the operator, which take the place of single ones.
//!
//! A template is data of the operator's, and still bounded: in the work it makes, in how much it writes, in
//! what it can name. One that can't be used is told with its file and line, and the shipped one is used.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, ErrorKind, UndefinedBehavior, Value};
use upline::dsl::did_you_mean;

/// Most bytes of what one template writes: a comment to a customer may have half of them.
pub const MAX_PART_BYTES: usize = 128 * 1024;

/// Most bytes of a template.
pub const MAX_TEMPLATE_BYTES: u64 = 64 * 1024;

/// Most steps that one template takes.
pub const FUEL: u64 = 50_000;

/// How deep templates may include each other.
const MAX_DEPTH: usize = 16;

macro_rules! shipped {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../../../letters/", $name)))),*]
    };
}

/// Every template that there is, as it is shipped.
pub(crate) static SHIPPED: [(&str, &str); 31] = shipped![
    "assigned.en.txt",
    "assigned.zh.txt",
    "offered.en.txt",
    "offered.zh.txt",
    "informed.en.txt",
    "informed.zh.txt",
    "reminded.en.txt",
    "reminded.zh.txt",
    "promise-warned.en.txt",
    "promise-warned.zh.txt",
    "promise-breached.en.txt",
    "promise-breached.zh.txt",
    "outcome.en.txt",
    "outcome.zh.txt",
    "commented.en.txt",
    "commented.zh.txt",
    "customer.en.txt",
    "customer.zh.txt",
    "answered.en.txt",
    "answered.zh.txt",
    "next.en.txt",
    "next.zh.txt",
    "letter.en.txt",
    "letter.zh.txt",
    "letter.en.html",
    "letter.zh.html",
    "customer-letter.en.txt",
    "customer-letter.zh.txt",
    "customer-letter.en.html",
    "customer-letter.zh.html",
    "style.html",
];

/// What is wrong with a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateFault {
    /// Where it is.
    pub file: PathBuf,
    /// The line, from 1, if one is at fault.
    pub line: Option<usize>,
    /// What is wrong.
    pub message: String,
    /// The way out.
    pub help: String,
}

impl TemplateFault {
    /// Whether the template is right, and only writes too much.
    pub(super) fn is_too_long(&self) -> bool {
        self.message == too_long()
    }

    /// Whether it takes too many steps.
    pub(super) fn is_fuel(&self) -> bool {
        self.help == help(ErrorKind::OutOfFuel)
    }
}

impl fmt::Display for TemplateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}; help: {}", self.message, self.help)
    }
}

/// A set of templates that can be used.
pub(super) struct Templates {
    environment: Environment<'static>,
    /// Where the operator's are; a name that is not in `own` is a shipped one.
    folder: PathBuf,
    own: Vec<&'static str>,
}

impl Templates {
    /// Those that are shipped.
    pub(super) fn shipped() -> Self {
        let mut templates = Self {
            environment: bounded(),
            folder: PathBuf::new(),
            own: Vec::new(),
        };
        for (name, source) in SHIPPED {
            // A test sees to it that each can be read.
            let _ = templates.environment.add_template(name, source);
        }
        templates
    }

    /// Those of the folder in place of shipped ones, and what is wrong in it: a template that can't be read
    /// leaves the shipped one in its place.
    pub(super) fn of(folder: &Path) -> (Self, Vec<TemplateFault>) {
        let mut templates = Self {
            folder: folder.to_owned(),
            ..Self::shipped()
        };
        let mut faults = Vec::new();
        let names = match files(folder) {
            Ok(names) => names,
            Err(error) => {
                faults.push(TemplateFault {
                    file: folder.to_owned(),
                    line: None,
                    message: format!("the folder can't be read: {error}"),
                    help: "name a folder in `templates`, or take the setting out".to_owned(),
                });
                Vec::new()
            }
        };
        for name in names {
            if let Err(fault) = templates.take(&name) {
                faults.push(fault);
            }
        }
        (templates, faults)
    }

    fn take(&mut self, file: &str) -> Result<(), TemplateFault> {
        let path = self.folder.join(file);
        let fault = |line, message: String, help: String| TemplateFault {
            file: path.clone(),
            line,
            message,
            help,
        };
        let known = SHIPPED.iter().find(|(name, _)| *name == file);
        let Some((name, _)) = known else {
            let near = did_you_mean(file, SHIPPED.iter().map(|(name, _)| *name));
            let help = near.map_or_else(
                || "take it out; `upline notify templates` names those that there are".into(),
                |near| format!("did you mean `{near}`?"),
            );
            return Err(fault(None, "no letter uses this template".to_owned(), help));
        };
        let read = read(&path);
        let source = read.map_err(|why| fault(None, why, "make it a text in UTF-8".to_owned()))?;
        let added = self.environment.add_template_owned(*name, source);
        if let Err(error) = added {
            // Whatever was there before is the shipped one.
            return Err(self.fault(&error, &path));
        }
        self.own.push(name);
        Ok(())
    }

    /// Whether the operator has put something in the place of any of these.
    pub(super) fn is_own(&self) -> bool {
        !self.own.is_empty()
    }

    /// Writes one. What goes wrong names the file of the operator's in which it did.
    pub(super) fn write(&self, name: &str, facts: &Value) -> Result<String, TemplateFault> {
        let told = |error: &minijinja::Error| self.fault(error, &self.folder.join(name));
        let template = self.environment.get_template(name);
        let template = template.map_err(|error| told(&error))?;
        let mut text = Bounded::default();
        let written = template.render_captured_to(facts.clone(), &mut text);
        if text.is_full {
            return Err(TemplateFault {
                file: self.folder.join(name),
                line: None,
                message: too_long(),
                help: "leave something out, for example a loop over fields".to_owned(),
            });
        }
        written.map_err(|error| told(&error))?;
        String::from_utf8(text.bytes).map_err(|_| TemplateFault {
            file: self.folder.join(name),
            line: None,
            message: "it writes what is no text".to_owned(),
            help: "make it a text in UTF-8".to_owned(),
        })
    }

    fn fault(&self, error: &minijinja::Error, path: &Path) -> TemplateFault {
        // An included template's own error is the one to tell.
        let mut inner = error;
        while let Some(source) = std::error::Error::source(inner)
            && let Some(source) = source.downcast_ref::<minijinja::Error>()
        {
            inner = source;
        }
        let name = inner.name().unwrap_or_default();
        let own = self.own.contains(&name);
        let detail = inner.detail().map(|detail| format!(": {detail}"));
        TemplateFault {
            file: if own {
                self.folder.join(name)
            } else {
                path.to_owned()
            },
            line: inner.line(),
            message: format!("{}{}", inner.kind(), detail.unwrap_or_default()),
            help: help(inner.kind()).to_owned(),
        }
    }
}

fn too_long() -> String {
    format!("it writes more than {MAX_PART_BYTES} bytes")
}

fn help(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::UndefinedError => {
            "there is nothing of this name here, or not always: what may be empty belongs into an `if`; \
             docs/telling.md has all names"
        }
        ErrorKind::SyntaxError => "each `{{`, `{%` and block needs its end",
        ErrorKind::OutOfFuel => "it takes too many steps: leave out a loop",
        ErrorKind::TemplateNotFound => "only the templates of letters can be included",
        ErrorKind::UnknownFilter => "docs/telling.md says where the filters are listed",
        _ => "compare it with the shipped one: `upline notify templates NAME` prints it",
    }
}

fn bounded() -> Environment<'static> {
    let mut environment = Environment::new();
    // Tags on lines of their own leave no empty lines.
    if let Ok(syntax) = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .build()
    {
        environment.set_syntax(syntax);
    }
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(MAX_DEPTH);
    environment
}

/// The names of the folder's files, without hidden ones.
fn files(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if let Ok(name) = entry.file_name().into_string()
            && !name.starts_with('.')
            && !name.ends_with('~')
        {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

fn read(path: &Path) -> Result<String, String> {
    let size = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if !size.is_file() {
        return Err("it is no file".to_owned());
    }
    if size.len() > MAX_TEMPLATE_BYTES {
        return Err(format!("it is larger than {MAX_TEMPLATE_BYTES} bytes"));
    }
    std::fs::read_to_string(path).map_err(|error| error.to_string())
}

/// Takes [`MAX_PART_BYTES`] and no more.
#[derive(Default)]
struct Bounded {
    bytes: Vec<u8>,
    is_full: bool,
}

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > MAX_PART_BYTES {
            self.is_full = true;
            return Err(io::Error::other("too much"));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
