//! `upline doctor`.

use std::path::PathBuf;

use upline::doctor::{Checkup, JournalPart, Kind, Severity, examine_in};
use upline_dsl::shown;

use crate::bar::{Bar, Unit};
use crate::cmd::backup::must_be_there;
use crate::cmd::verify::quietly;
use crate::exit::{Exit, Failure};
use crate::language::Lang;
use crate::output::Output;

/// Say what is in a data folder, how it is, and what to do now
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The data folder, or a backup
    folder: PathBuf,
    #[command(flatten)]
    lang: Lang,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<Exit, Failure> {
    let lang = &args.lang;
    must_be_there(&args.folder, lang.get())?;
    let (what, unit) = lang.pick(("looking", "files"), ("查看", "个文件"));
    let bar = Bar::told_in(lang.get(), what, Unit::Of(unit));
    let mut tell = |done, of| bar.at_of(done, of);
    let checkup = quietly(|| examine_in(&args.folder, lang.get(), &mut tell));
    bar.clear();
    let checkup = checkup.map_err(|error| {
        let path = shown(&args.folder);
        Failure::not_found(lang.pick(format!("`{path}`: {error}"), format!("`{path}`：{error}")))
    })?;
    if output.is_json() {
        output.json(&checkup)?;
    } else {
        told(&checkup, lang, output)?;
    }
    let troubles = checkup.findings.iter();
    let mut troubles = troubles.filter(|one| one.severity == Severity::Trouble);
    let only_unread = troubles.all(|one| one.unread);
    Ok(match (checkup.kind, checkup.is_fine()) {
        (Kind::Foreign, _) => Exit::NotFound,
        (_, true) => Exit::Ok,
        // Nothing is known to be wrong with what could not be read.
        (_, false) if only_unread => Exit::NotFound,
        (_, false) => Exit::Findings,
    })
}

fn told(checkup: &Checkup, lang: &Lang, output: &mut Output) -> Result<(), Failure> {
    let rows = rows(checkup, lang);
    if !rows.is_empty() {
        output.table(&["", ""], rows, &[])?;
    }
    for finding in &checkup.findings {
        let (what, advice) = (&finding.what, &finding.advice);
        let mark = match finding.severity {
            Severity::Trouble => lang.pick("trouble: ", "故障："),
            Severity::Note => lang.pick("note: ", "注意："),
        };
        output.line(format!("{mark}{what}"))?;
        output.line(lang.pick(format!("  now: {advice}"), format!("  现在：{advice}")))?;
    }
    if checkup.findings.is_empty() {
        output.line(lang.pick("nothing to do", "没有要做的事"))?;
    }
    Ok(())
}

/// Names and values.
struct Rows(Vec<Vec<String>>);

impl Rows {
    fn add(&mut self, name: &str, text: impl Into<String>) {
        self.0.push(vec![name.to_owned(), text.into()]);
    }
}

fn rows(checkup: &Checkup, lang: &Lang) -> Vec<Vec<String>> {
    let mut rows = Rows(Vec::new());
    let kind = match checkup.kind {
        Kind::DataFolder => lang.pick("data folder", "数据文件夹"),
        Kind::Backup => lang.pick("backup", "备份"),
        _ => return rows.0,
    };
    let id = checkup.folder.as_deref();
    let id = id.unwrap_or(lang.pick("unknown", "未知"));
    let format = checkup
        .format
        .map(|format| lang.pick(format!(", format {format}"), format!("，格式 {format}")));
    rows.add(kind, format!("{id}{}", format.unwrap_or_default()));
    let used = match (checkup.in_use, checkup.read_only) {
        (true, _) => lang.pick("yes, by an engine", "是，引擎正在使用"),
        // Whoever may only read it can't ask for the lock.
        (false, true) => lang.pick("not known: it can only be read", "不详：只能读取"),
        (false, false) => lang.pick("no", "否"),
    };
    rows.add(lang.pick("in use", "使用中"), used);
    if let Some(part) = &checkup.journal {
        journal(part, lang, &mut rows);
    }
    snapshots(checkup, lang, &mut rows);
    if let Some(keys) = &checkup.keys {
        let (files, size) = (keys.files, bytes(keys.bytes));
        let damage = damaged(keys.damage.len(), lang);
        let told = lang.pick(
            format!("{}, {size}{damage}", counted(files, "file")),
            format!("{files} 个文件，{size}{damage}"),
        );
        rows.add(lang.pick("keys", "密钥"), told);
    }
    if let Some(index) = &checkup.index {
        let state = match (index.commit, &index.damage) {
            (Some(commit), _) => lang.pick(
                format!(", up to commit {commit}"),
                format!("，到第 {commit} 次提交"),
            ),
            (None, Some(_)) => damaged(1, lang),
            (None, None) => String::new(),
        };
        rows.add(
            lang.pick("index", "索引"),
            format!("{}{state}", bytes(index.bytes)),
        );
    }
    if let Some(aside) = checkup.aside.as_ref().filter(|aside| aside.count > 0) {
        let count = aside.count;
        let tickets = if count == 1 { "ticket" } else { "tickets" };
        let told = lang.pick(format!("{count} {tickets}"), format!("{count} 张工单"));
        rows.add(lang.pick("set aside", "已搁置"), told);
        for one in &aside.tickets {
            let (ticket, why) = (&one.ticket, &one.why);
            rows.add(
                "",
                lang.pick(format!("{ticket}: {why}"), format!("{ticket}：{why}")),
            );
        }
    }
    if let Some(free) = checkup.free {
        rows.add(lang.pick("free", "可用空间"), bytes(free));
    }
    rows.0
}

fn journal(part: &JournalPart, lang: &Lang, rows: &mut Rows) {
    let (files, size, format) = (part.files, bytes(part.bytes), part.format);
    let commits = part.commits.map(|commits| {
        lang.pick(
            format!(", {}", counted(commits, "commit")),
            format!("，{commits} 次提交"),
        )
    });
    let (commits, damage) = (
        commits.unwrap_or_default(),
        damaged(part.damage.len(), lang),
    );
    let told = lang.pick(
        format!(
            "{}, {size}{commits}, format {format}{damage}",
            counted(files, "file")
        ),
        format!("{files} 个文件，{size}{commits}，格式 {format}{damage}"),
    );
    rows.add(lang.pick("journal", "日志"), told);
    if let Some(head) = &part.head {
        rows.add(lang.pick("last commit", "最后的提交"), head.as_str());
    }
    if let Some(at) = &part.last_at {
        rows.add(lang.pick("committed", "提交时间"), at.as_str());
    }
    for place in &part.damage {
        rows.add("", place.as_str());
    }
}

/// The one that the journal begins with, and the others.
fn snapshots(checkup: &Checkup, lang: &Lang, rows: &mut Rows) {
    if let Some(base) = &checkup.base {
        let (commit, size) = (base.commit, bytes(base.bytes));
        let until = base.at.as_deref();
        let until = until.unwrap_or(lang.pick("an unknown time", "未知时间"));
        let damage = state(base.damage.as_ref(), base.unread.as_ref(), lang);
        let told = lang.pick(
            format!("with commit {commit}, {size}{damage}; what ended until {until} is removed"),
            format!("第 {commit} 次提交，{size}{damage}；{until} 之前结束的已删除"),
        );
        rows.add(lang.pick("begins", "开头"), told);
    }
    for snapshot in &checkup.snapshots {
        let (commit, size) = (snapshot.commit, bytes(snapshot.bytes));
        let damage = state(snapshot.damage.as_ref(), snapshot.unread.as_ref(), lang);
        let told = lang.pick(
            format!("of commit {commit}, {size}{damage}"),
            format!("第 {commit} 次提交，{size}{damage}"),
        );
        rows.add(lang.pick("snapshot", "快照"), told);
    }
}

fn state(damage: Option<&String>, unread: Option<&String>, lang: &Lang) -> String {
    match unread {
        Some(_) => lang.pick(", not read", "，没有读到").to_owned(),
        None => damaged(usize::from(damage.is_some()), lang),
    }
}

/// `1 file`, `2 files`.
pub(crate) fn counted(count: u64, one: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {one}{s}")
}

fn damaged(places: usize, lang: &Lang) -> String {
    match places {
        0 => String::new(),
        1 => lang.pick(", damaged", "，已损坏").to_owned(),
        _ => lang.pick(
            format!(", damaged in {places} places"),
            format!("，{places} 处损坏"),
        ),
    }
}

fn bytes(bytes: u64) -> String {
    indicatif::HumanBytes(bytes).to_string()
}
