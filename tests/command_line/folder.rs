//! A folder of its own for a test, and `upline` run in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// People for small workflows.
pub(super) const PEOPLE: &str = "\
directory: small
last-resort: user max
people:
  ann: { mail: ann@example.com }
  lea: { mail: lea@example.com }
  max: { mail: max@example.com }
groups: { desk: { members: [ann], lead: lea, manager: max } }
";

/// A workflow for them, which is fine.
pub(super) const WORKFLOW: &str = "\
workflow: small
fields: { cost: { type: number } }
ladders: { up: [{ after: 1 h, assign: lead of desk }] }
start: asked
states:
  asked: { assign: next in desk, escalate: up, form: cost, actions: { done: closed } }
  closed: { end: done }
";

/// A transcript for it that passes.
pub(super) const TRANSCRIPT: &str = "\
at 2026-03-06 09:00
> max opens
    Fri 09:00  state: asked
    Fri 09:00  assigned to ann (next in desk)
    Fri 09:00  notify ann by mail
    Fri 09:00  next: lead of desk, Fri 10:00
";

/// What came of a call.
#[derive(Debug, PartialEq)]
pub(super) struct Called {
    pub(super) out: String,
    pub(super) error: String,
    pub(super) exit: i32,
}

impl Called {
    /// All that was printed.
    pub(super) fn told(&self) -> String {
        format!("{}{}", self.out, self.error)
    }

    /// What programs read.
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

pub(super) struct Folder(PathBuf);

impl Folder {
    /// An empty folder of this name.
    pub(super) fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        if path.exists() {
            fs::remove_dir_all(&path).unwrap();
        }
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// A folder that is there.
    pub(super) const fn at(path: PathBuf) -> Self {
        Self(path)
    }

    /// A folder with the small workflow, its transcript and its people.
    pub(super) fn small(name: &str) -> Self {
        let files = [
            ("small.yaml", WORKFLOW),
            ("small.test.txt", TRANSCRIPT),
            ("directory.yaml", PEOPLE),
        ];
        Self::with(name, &files)
    }

    /// A folder with these files.
    pub(super) fn with(name: &str, files: &[(&str, &str)]) -> Self {
        let folder = Self::new(name);
        files
            .iter()
            .for_each(|(file, text)| folder.write(file, text));
        folder
    }

    pub(super) fn write(&self, file: &str, text: impl AsRef<[u8]>) {
        let path = self.path(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(super) fn path(&self, file: &str) -> PathBuf {
        self.0.join(file)
    }

    /// `upline` with the words of this line, in the folder; what stands in `'…'` is one word.
    pub(super) fn run(&self, line: &str) -> Called {
        let output = Command::new(env!("CARGO_BIN_EXE_upline"))
            .args(crate::documents::words(line))
            .current_dir(&self.0)
            .env("NO_COLOR", "1")
            .env_remove("UPLINE_BLESS")
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Called {
            out: text(output.stdout),
            error: text(output.stderr),
            exit: output.status.code().unwrap_or(-1),
        }
    }
}
