//! `upline doctor`.

use std::path::PathBuf;

use upline::doctor::{Checkup, Kind, Severity, examine};
use upline_dsl::shown;

use crate::bar::{Bar, Unit};
use crate::cmd::verify::quietly;
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// Say what is in a data folder, how it is, and what to do now
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The data folder, or a backup
    folder: PathBuf,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<Exit, Failure> {
    let bar = Bar::new("looking", Unit::Of("files"));
    let checkup = quietly(|| examine(&args.folder, &mut |done, of| bar.at_of(done, of)));
    bar.clear();
    let checkup = checkup.map_err(|error| {
        let path = shown(&args.folder);
        Failure::not_found(format!("`{path}`: {error}"))
    })?;
    if output.is_json() {
        output.json(&checkup)?;
    } else {
        told(&checkup, output)?;
    }
    Ok(match (checkup.kind, checkup.is_fine()) {
        (Kind::Foreign, _) => Exit::NotFound,
        (_, true) => Exit::Ok,
        (_, false) => Exit::Findings,
    })
}

fn told(checkup: &Checkup, output: &mut Output) -> Result<(), Failure> {
    let rows = rows(checkup);
    if !rows.is_empty() {
        output.table(&["", ""], rows, &[])?;
    }
    for finding in &checkup.findings {
        let mark = match finding.severity {
            Severity::Trouble => "trouble",
            Severity::Note => "note",
        };
        output.line(format!("{mark}: {}", finding.what))?;
        output.line(format!("  now: {}", finding.advice))?;
    }
    if checkup.findings.is_empty() {
        output.line("nothing to do")?;
    }
    Ok(())
}

fn rows(checkup: &Checkup) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let mut row = |name: &str, text: String| rows.push(vec![name.to_owned(), text]);
    let kind = match checkup.kind {
        Kind::DataFolder => "data folder",
        Kind::Backup => "backup",
        _ => return rows,
    };
    let id = checkup.folder.as_deref().unwrap_or("unknown");
    row(kind, format!("{id}, format {}", checkup.format));
    let used = if checkup.in_use {
        "yes, by an engine"
    } else {
        "no"
    };
    row("in use", used.to_owned());
    if let Some(journal) = &checkup.journal {
        let (files, size) = (journal.files, bytes(journal.bytes));
        let commits = match journal.commits {
            Some(commits) => format!(", {commits} commits"),
            None => String::new(),
        };
        let damage = damaged(journal.damage.len());
        let format = journal.format;
        row(
            "journal",
            format!("{files} files, {size}{commits}, format {format}{damage}"),
        );
        if let Some(head) = &journal.head {
            row("last commit", head.clone());
        }
        if let Some(at) = &journal.last_at {
            row("committed", at.clone());
        }
        for place in &journal.damage {
            row("", place.clone());
        }
    }
    if let Some(base) = &checkup.base {
        let (commit, size) = (base.commit, bytes(base.bytes));
        let until = base.at.as_deref().unwrap_or("an unknown time");
        let damage = damaged(usize::from(base.damage.is_some()));
        row(
            "begins",
            format!("with commit {commit}, {size}{damage}; what ended until {until} is removed"),
        );
    }
    for snapshot in &checkup.snapshots {
        let damage = damaged(usize::from(snapshot.damage.is_some()));
        let size = bytes(snapshot.bytes);
        row(
            "snapshot",
            format!("of commit {}, {size}{damage}", snapshot.commit),
        );
    }
    if let Some(keys) = &checkup.keys {
        let (files, size) = (keys.files, bytes(keys.bytes));
        row(
            "keys",
            format!("{files} files, {size}{}", damaged(keys.damage.len())),
        );
    }
    if let Some(index) = &checkup.index {
        let state = match (index.commit, &index.damage) {
            (Some(commit), _) => format!(", up to commit {commit}"),
            (None, Some(_)) => ", damaged".to_owned(),
            (None, None) => String::new(),
        };
        row("index", format!("{}{state}", bytes(index.bytes)));
    }
    if let Some(aside) = checkup.aside.as_ref().filter(|aside| aside.count > 0) {
        let tickets = if aside.count == 1 {
            "ticket"
        } else {
            "tickets"
        };
        row("set aside", format!("{} {tickets}", aside.count));
        for one in &aside.tickets {
            row("", format!("{}: {}", one.ticket, one.why));
        }
    }
    if let Some(free) = checkup.free {
        row("free", bytes(free));
    }
    rows
}

fn damaged(places: usize) -> String {
    match places {
        0 => String::new(),
        1 => ", damaged".to_owned(),
        _ => format!(", damaged in {places} places"),
    }
}

fn bytes(bytes: u64) -> String {
    indicatif::HumanBytes(bytes).to_string()
}
