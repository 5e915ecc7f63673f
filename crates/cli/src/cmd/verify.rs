//! `upline verify`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use upline::disk::{Disk, RealDisk};
use upline::doctor::{FileDamage, IndexCheck, check_files, compare_index, in_language};
use upline::journal::{FolderId, Mark, Report, verify_folder};
use upline_dsl::shown;

use crate::bar::{Bar, Unit};
use crate::cmd::backup::{Meant, failure, must_be_there};
use crate::cmd::doctor::counted;
use crate::exit::{Exit, Failure};
use crate::language::Lang;
use crate::output::Output;

/// Say whether every commit of a data folder's journal is as it was written, and its index equals it
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The data folder, or a backup
    folder: PathBuf,
    /// A commit that must be in it, as an earlier `verify` printed it: finds a journal that was cut
    #[arg(long, value_name = "COMMIT")]
    head: Option<Mark>,
    #[command(flatten)]
    lang: Lang,
}

/// The answer for programs.
#[derive(Serialize)]
struct Answer {
    whole: bool,
    frames: u64,
    first: u64,
    base: Option<String>,
    head: Option<String>,
    anchored: bool,
    removed: bool,
    damage: Vec<String>,
    more: u64,
    unread: Vec<String>,
    index: Option<IndexAnswer>,
}

/// What became of comparing the index with the journal.
#[derive(Serialize)]
struct IndexAnswer {
    state: IndexState,
    /// The last commit that is in it.
    commit: Option<u64>,
    tickets: u64,
    keys: u64,
    differences: Vec<String>,
    more: u64,
    why: Option<String>,
}

#[derive(Serialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
enum IndexState {
    None,
    InUse,
    ReadOnly,
    Equal,
    Differs,
    Damaged,
    Unknown,
}

impl IndexState {
    /// Whether nothing is known to be wrong with it. One that could not be compared may be anything.
    const fn is_fine(self) -> bool {
        matches!(
            self,
            Self::None | Self::InUse | Self::ReadOnly | Self::Equal
        )
    }
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<Exit, Failure> {
    let disk: Arc<dyn Disk> = Arc::new(RealDisk::new(&args.folder));
    let lang = &args.lang;
    must_be_there(&args.folder, lang.get())?;
    let unit = Unit::Of(lang.pick("files", "个文件"));
    let bar = Bar::told_in(lang.get(), lang.pick("verifying", "校验"), unit);
    let mut tell = |progress: upline::journal::Progress| {
        bar.at_of(progress.segments, progress.of);
    };
    let report = verify_folder(&*disk, args.head.as_ref(), &mut tell);
    bar.clear();
    let report =
        report.map_err(|error| failure(&args.folder, &error.into(), Meant::Either, lang.get()))?;
    let files = files(&args.folder, &disk, report.folder, lang)?;
    let all_read = report.unread.is_empty();
    // An engine that never committed has left a folder that is whole.
    let is_new = report.folder.is_none() && report.is_whole() && files.is_empty() && all_read;
    let has = |name: &str| args.folder.join(name).exists();
    if is_new && !has("folder") && !has("backup.json") {
        let path = shown(&args.folder);
        return Err(Failure::not_found(lang.pick(
            format!("`{path}` has no journal"),
            format!("`{path}` 没有日志"),
        )));
    }
    let anchored = args.head.is_none() || report.anchored || report.removed;
    let whole = report.is_whole() && anchored && files.is_empty();
    let index = match whole && !is_new {
        true => Some(index(&args.folder, lang)?),
        // What is damaged itself is no measure, nor is what is not there yet.
        false => None,
    };
    let fine = index.as_ref().is_none_or(|index| index.state.is_fine());
    let (damage, unread) = texts(&report, files, lang);
    let answer = Answer {
        whole,
        frames: report.frames,
        first: report.first,
        base: report.base.map(|base| base.to_string()),
        head: report.last.map(|last| last.to_string()),
        anchored: report.anchored,
        removed: report.removed,
        damage,
        more: report.more,
        unread,
        index,
    };
    if output.is_json() {
        output.json(&answer)?;
    } else {
        told(&answer, lang, output)?;
    }
    let harmed = !answer.damage.is_empty() || !anchored || !fine;
    Ok(match (harmed, answer.unread.is_empty()) {
        // Of what could not be read nothing is known, the commit of `--head` included.
        (true, true) => Exit::Findings,
        (true, false) if !answer.damage.is_empty() || !fine => Exit::Findings,
        (_, false) => Exit::NotFound,
        (false, true) => Exit::Ok,
    })
}

/// What is damaged, and what could not be read.
fn texts(report: &Report, files: Vec<FileDamage>, lang: &Lang) -> (Vec<String>, Vec<String>) {
    let (unread, files): (Vec<FileDamage>, Vec<FileDamage>) =
        files.into_iter().partition(|file| file.unread);
    let of_journal = report.unread.iter();
    let mut unread: Vec<String> = of_journal
        .map(|one| in_language(&one.why, lang.get()))
        .chain(unread.iter().map(|file| file.told(lang.get())))
        .collect();
    // A file of a backup is looked at for what it is, and as one that is listed.
    let mut seen = BTreeSet::new();
    unread.retain(|one| seen.insert(one.clone()));
    let damage = report.damage.iter();
    let mut damage: Vec<String> = damage.map(|one| one.told(lang.get())).collect();
    let places = || report.damage.iter().zip(&damage);
    // That a file of a backup has changed is said already by a place in it.
    let is_new = |file: &&FileDamage| {
        !places().any(|(place, told)| place.path == file.path && told.contains(&file.path))
    };
    let new = files.iter().filter(is_new);
    let new: Vec<String> = new.map(|file| file.told(lang.get())).collect();
    damage.extend(new);
    (damage, unread)
}

/// The files beside the journal that are not as they were written.
fn files(
    folder: &Path,
    disk: &Arc<dyn Disk>,
    whose: Option<FolderId>,
    lang: &Lang,
) -> Result<Vec<FileDamage>, Failure> {
    let bar = Bar::told_in(lang.get(), lang.pick("checking", "核对"), Unit::Bytes);
    let files = check_files(disk, whose, &mut |progress| {
        bar.at_of(progress.done, progress.of)
    });
    bar.clear();
    files.map_err(|error| {
        let path = shown(folder);
        Failure::not_found(lang.pick(format!("`{path}`: {error}"), format!("`{path}`：{error}")))
    })
}

fn index(folder: &Path, lang: &Lang) -> Result<IndexAnswer, Failure> {
    let mut answer = IndexAnswer {
        state: IndexState::None,
        commit: None,
        tickets: 0,
        keys: 0,
        differences: Vec::new(),
        more: 0,
        why: None,
    };
    let (what, unit) = lang.pick(("comparing the index", "commits"), ("核对索引", "次提交"));
    let bar = Bar::told_in(lang.get(), what, Unit::Of(unit));
    let compared = quietly(|| compare_index(folder, &mut |done, of| bar.at_of(done, of)));
    bar.clear();
    match compared.map_err(|error| failure(folder, &error.into(), Meant::Either, lang.get()))? {
        IndexCheck::InUse => answer.state = IndexState::InUse,
        IndexCheck::ReadOnly => answer.state = IndexState::ReadOnly,
        IndexCheck::Damaged(why) => {
            answer.state = IndexState::Damaged;
            answer.why = Some(in_language(&why, lang.get()));
        }
        IndexCheck::Compared(verified) => {
            answer.state = match verified.is_fine() {
                true => IndexState::Equal,
                false => IndexState::Differs,
            };
            answer.commit = verified.mark.map(|mark| mark.seq);
            (answer.tickets, answer.keys) = (verified.tickets, verified.keys);
            let differences = verified.differences.iter();
            answer.differences = differences.map(|one| one.told(lang.get())).collect();
            answer.more = verified.more;
        }
        IndexCheck::OtherHistory => {
            answer.state = IndexState::Differs;
            answer.differences.push(lang.pick(
                "its last commit is none of this journal: it is of another history of this folder"
                    .to_owned(),
                "它最后的提交不属于这份日志：它来自这个文件夹的另一段历史".to_owned(),
            ));
        }
        IndexCheck::Failed(why) => {
            answer.state = IndexState::Unknown;
            answer.why = Some(in_language(&why, lang.get()));
        }
        _ => (),
    }
    Ok(answer)
}

/// sled panics over damage. That is caught, and is part of the answer: it need not be on the screen too.
pub(crate) fn quietly<T>(work: impl FnOnce() -> T) -> T {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| ()));
    let done = work();
    std::panic::set_hook(hook);
    done
}

fn index_told(index: &IndexAnswer, lang: &Lang, output: &mut Output) -> Result<(), Failure> {
    let why = index.why.as_deref().unwrap_or_default();
    let (tickets, commit) = (index.tickets, index.commit.unwrap_or(0));
    let line = match index.state {
        IndexState::None => return Ok(()),
        IndexState::InUse => lang.pick(
            "index: an engine has it open; it was not compared".to_owned(),
            "索引：引擎正在使用，没有核对".to_owned(),
        ),
        IndexState::ReadOnly => lang.pick(
            "index: not looked at, since this folder can't be written; no engine can start on it so"
                .to_owned(),
            "索引：没有查看，因为这个文件夹不能写；这样引擎也不能在它上面启动".to_owned(),
        ),
        IndexState::Equal => lang.pick(
            format!(
                "index: {} up to commit {commit}, all as the journal says",
                counted(tickets, "ticket")
            ),
            format!("索引：{tickets} 张工单，到第 {commit} 次提交，都与日志一致"),
        ),
        IndexState::Differs => {
            for line in &index.differences {
                output.line(lang.pick(
                    format!("index differs: {line}"),
                    format!("索引不一致：{line}"),
                ))?;
            }
            let more = index.more;
            if more > 0 {
                output.line(lang.pick(
                    format!("and {more} more differences"),
                    format!("另有 {more} 处不一致"),
                ))?;
            }
            lang.pick(
                "index: remove the folder `index`; the next start builds it anew".to_owned(),
                "索引：请删除文件夹 `index`，下次启动会重建它".to_owned(),
            )
        }
        IndexState::Damaged => lang.pick(
            format!("index: damaged, and nothing is lost: the next start builds it anew ({why})"),
            format!("索引：已损坏，但什么也没丢：下次启动会重建它（{why}）"),
        ),
        IndexState::Unknown => lang.pick(
            format!("index: not compared: {why}"),
            format!("索引：没有核对：{why}"),
        ),
    };
    Ok(output.line(line)?)
}

fn told(answer: &Answer, lang: &Lang, output: &mut Output) -> Result<(), Failure> {
    for line in &answer.damage {
        output.line(lang.pick(format!("damaged: {line}"), format!("损坏：{line}")))?;
    }
    for line in &answer.unread {
        output.line(lang.pick(
            format!(
                "not looked at: {line}; nothing is known to be lost: see to its rights, or to what stands \
                 in its place, and look again"
            ),
            format!(
                "没有查看：{line}；没有发现有什么丢失：请检查它的权限，或它的位置上是什么，然后再看一次"
            ),
        ))?;
    }
    let (frames, first, more) = (answer.frames, answer.first, answer.more);
    if more > 0 {
        output.line(lang.pick(format!("and {more} more places"), format!("另有 {more} 处")))?;
    }
    if answer.whole && frames == 0 {
        output.line(lang.pick("no commit yet", "还没有提交"))?;
    } else if answer.whole {
        output.line(lang.pick(
            format!(
                "{} from number {first} on, all as they were written",
                counted(frames, "commit")
            ),
            format!("从第 {first} 次起共 {frames} 次提交，都与写入时相同"),
        ))?;
    }
    if let Some(base) = answer.base.as_ref().filter(|_| first > 1) {
        output.line(lang.pick(
            format!("begins: {base}; what was before it was removed by the retention rule"),
            format!("开头：{base}；之前的已按保留规则删除"),
        ))?;
    }
    if answer.removed {
        output.line(lang.pick(
            "the commit of `--head` was removed by the retention rule: it can't be compared any more",
            "`--head` 的提交已按保留规则删除：无法再核对",
        ))?;
    }
    if let Some(index) = &answer.index {
        index_told(index, lang, output)?;
    }
    if let Some(head) = &answer.head {
        output.line(lang.pick(format!("head: {head}"), format!("末尾：{head}")))?;
    }
    Ok(())
}
