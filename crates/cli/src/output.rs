//! Where output goes: what was asked for to stdout, everything else to stderr.

use std::fmt::Display;
use std::io::{self, BufWriter, IsTerminal, StdoutLock, Write};

use clap::ValueEnum;
use comfy_table::{CellAlignment, ColumnConstraint, Table, presets};
use serde::Serialize;
use upline_dsl::{Diagnostic, Sources, render};

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Colour {
    // Without doc comments the help names them on one line.
    Auto,
    Always,
    Never,
}

/// The two streams of a command.
pub(crate) struct Output {
    out: BufWriter<StdoutLock<'static>>,
    json: bool,
    colour: bool,
    note_colour: bool,
}

impl Output {
    /// The process's own streams.
    pub(crate) fn new(json: bool, colour: Colour) -> Self {
        let stdout = io::stdout();
        let terminal = stdout.is_terminal();
        let unset = |name| std::env::var_os(name).is_none_or(|value| value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let coloured = |terminal: bool| match colour {
            Colour::Auto => terminal && unset("NO_COLOR") && !dumb,
            Colour::Always => true,
            Colour::Never => false,
        };
        Self {
            out: BufWriter::new(stdout.lock()),
            json,
            colour: coloured(terminal),
            note_colour: coloured(io::stderr().is_terminal()),
        }
    }

    /// Whether a program reads this.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Whether to colour what was asked for.
    pub(crate) fn colour(&self) -> render::Colour {
        if self.colour {
            render::Colour::On
        } else {
            render::Colour::Off
        }
    }

    /// Whether to colour the rest.
    pub(crate) fn colour_of_notes(&self) -> render::Colour {
        if self.note_colour {
            render::Colour::On
        } else {
            render::Colour::Off
        }
    }

    /// A line of what was asked for.
    pub(crate) fn line(&mut self, text: impl Display) -> io::Result<()> {
        writeln!(self.out, "{text}")
    }

    /// What was asked for, as it stands.
    pub(crate) fn text(&mut self, text: impl Display) -> io::Result<()> {
        write!(self.out, "{text}")
    }

    /// What was asked for, for a program.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut self.out, value)?;
        writeln!(self.out)
    }

    /// A table with wide characters counted as wide; the columns named in `right` hold numbers. An empty
    /// `head` is none.
    pub(crate) fn table(
        &mut self,
        head: &[&str],
        rows: impl IntoIterator<Item = Vec<String>>,
        right: &[usize],
    ) -> io::Result<()> {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).add_rows(rows);
        // A table of names and values has no heads.
        if head.iter().any(|head| !head.is_empty()) {
            table.set_header(head.to_vec());
        }
        for (index, column) in table.column_iter_mut().enumerate() {
            let first = if index == 0 { 2 } else { 0 };
            column
                .set_padding((first, 2))
                .set_constraint(ColumnConstraint::ContentWidth);
            if right.contains(&index) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        for line in table.lines() {
            writeln!(self.out, "{}", line.trim_end())?;
        }
        Ok(())
    }

    /// A line that nobody asked for, such as progress or a hint.
    pub(crate) fn note(&mut self, text: impl Display) {
        // Nobody may be listening on stderr, and that is no reason to stop.
        let _ = writeln!(io::stderr(), "{text}");
    }

    /// Mistakes that nobody asked for but that must be seen.
    pub(crate) fn mistakes(&mut self, sources: &Sources, found: &[Diagnostic]) {
        if !found.is_empty() {
            let text = render::texts(sources, found, self.colour_of_notes());
            self.note(text.trim_end());
        }
    }

    /// Hands on what is buffered: before a pause, and at the end.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
