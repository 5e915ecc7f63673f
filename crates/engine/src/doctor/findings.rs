//! What can be found, and what to do then, in words.

use std::io;

use upline_lab::render::Language;

use super::{Checkup, Finding, Severity};

/// In English, and in Chinese.
type Both<T> = (T, T);

impl Checkup {
    fn find(&mut self, severity: Severity, what: Both<String>, advice: Both<&str>) {
        let (what, advice) = match self.language {
            Language::English => (what.0, advice.0),
            Language::Chinese => (what.1, advice.1),
        };
        self.findings.push(Finding {
            severity,
            what,
            advice: advice.to_owned(),
            unread: false,
        });
    }

    fn trouble(&mut self, what: Both<String>, advice: Both<&str>) {
        self.find(Severity::Trouble, what, advice);
    }

    fn note(&mut self, what: Both<String>, advice: Both<&str>) {
        self.find(Severity::Note, what, advice);
    }

    pub(super) fn found_empty(&mut self) {
        self.note(
            (
                "nothing is in this folder".into(),
                "这个文件夹里什么也没有".into(),
            ),
            (
                "start an engine on it to begin, or restore a backup into it",
                "在它上面启动引擎即可开始，或把备份恢复到里面",
            ),
        );
    }

    pub(super) fn found_foreign(&mut self) {
        self.trouble(
            (
                "this is no data folder of Upline, and no backup of one".into(),
                "这不是 Upline 的数据文件夹，也不是它的备份".into(),
            ),
            (
                "name another folder, or restore a backup into an empty one",
                "请指定另一个文件夹，或把备份恢复到空文件夹里",
            ),
        );
    }

    /// `what` is in the checkup's language.
    pub(super) fn found_other_format(&mut self, what: String) {
        self.trouble(
            (what.clone(), what),
            (
                "use the program that wrote it, or restore the latest backup into an empty folder",
                "请用写它的程序，或把最近的备份恢复到空文件夹里",
            ),
        );
    }

    /// The file `folder` is missing, which comes last when a backup is restored. `what` is in the checkup's
    /// language.
    pub(super) fn found_unfinished(&mut self, what: String) {
        self.trouble(
            (what.clone(), what),
            (
                "this may be a restore that was not finished, or a copy that lacks the file: empty this \
                 folder and restore the backup again, or put the file `folder` back; no engine starts here \
                 until then",
                "这可能是没有完成的恢复，或是缺了这个文件的副本：请清空这个文件夹，重新恢复备份，\
                 或把文件 `folder` 放回来；在那之前引擎不会在这里启动",
            ),
        );
    }

    /// `what` is in the checkup's language.
    pub(super) fn found_unreadable(&mut self, what: String) {
        self.trouble(
            (what.clone(), what),
            (
                "see to the disk and its rights first",
                "请先检查磁盘和它的权限",
            ),
        );
    }

    /// `what` is in the checkup's language.
    pub(super) fn found_other_journal(&mut self, what: String) {
        self.trouble(
            (what.clone(), what),
            (
                "use the program that wrote it; nothing was changed",
                "请用写它的程序；什么也没有改动",
            ),
        );
    }

    /// Something that may not be read, or is no file. `what` is in the checkup's language.
    pub(super) fn found_in_the_way(&mut self, what: String) {
        self.trouble(
            (what.clone(), what),
            (
                "nothing is known to be lost, and no backup is needed for this: see to its rights (whoever \
                 gives this command must be able to read it, the engine to write it too), or to what stands \
                 in its place, and look again",
                "没有发现有什么丢失，也不需要恢复备份：请检查它的权限（执行这个命令的用户要能读，\
                 引擎的用户还要能写），或它的位置上是什么，然后再看一次",
            ),
        );
        self.mark_unread();
    }

    /// `why` is in the checkup's language. A start looks at the newest first, and passes over none that it
    /// can't read: it may know of commits that the journal has lost.
    pub(super) fn found_snapshot_unread(&mut self, commit: u64, why: &str, is_newest: bool) {
        let what = (
            format!("the snapshot of commit {commit} can't be read: {why}"),
            format!("第 {commit} 次提交的快照无法读取：{why}"),
        );
        if !is_newest {
            return self.note(
                what,
                (
                    "nothing is lost: no start looks at it while a newer one is whole",
                    "什么也没丢：只要更新的快照完好，启动时就不会看它",
                ),
            );
        }
        self.trouble(
            what,
            (
                "nothing is known to be lost, but an engine that can't read it either does not start: see to \
                 its rights, or to what stands in its place; or move it out of this folder, and the next \
                 start reads more of the journal instead, if `upline verify` says that it is whole",
                "没有发现有什么丢失，但读不了它的引擎不会启动：请检查它的权限，或它的位置上是什么；\
                 也可以把它移出这个文件夹，下次启动就会改读更多日志，只要 `upline verify` 说日志完整",
            ),
        );
        self.mark_unread();
    }

    /// `why` is in the checkup's language.
    pub(super) fn found_base_unread(&mut self, why: &str) {
        self.trouble(
            (
                format!("the snapshot that the journal begins with can't be read: {why}"),
                format!("日志开头的快照无法读取：{why}"),
            ),
            (
                "nothing is known to be lost: see to its rights, or to what stands in its place, and do not \
                 remove it: it stands for what the rule on old history has removed",
                "没有发现有什么丢失：请检查它的权限，或它的位置上是什么；不要删除它：\
                 按保留规则删除的内容由它代表",
            ),
        );
        self.mark_unread();
    }

    pub(super) fn found_unwritable(&mut self, path: &str, error: &io::Error) {
        self.trouble(
            (
                format!(
                    "the file {path:?} can't be written ({error}): no engine of this user starts"
                ),
                format!("文件 {path:?} 不能写（{error}）：这个用户的引擎不会启动"),
            ),
            (
                "nothing is lost: let the user under whom the engine runs write it",
                "什么也没丢：请让引擎的用户能写它",
            ),
        );
    }

    pub(super) fn found_lock(&mut self, error: &io::Error) {
        self.trouble(
            (
                format!(
                    "what is in the place of the file \"lock\" can't be used ({error}): no engine starts"
                ),
                format!("文件 \"lock\" 的位置上的东西不能用（{error}）：引擎不会启动"),
            ),
            (
                "nothing is lost: remove it while no engine runs; the next start makes it anew",
                "什么也没丢：请在没有引擎运行时删除它，下次启动会重新建立",
            ),
        );
    }

    pub(super) fn found_journal_missing(&mut self) {
        self.trouble(
            (
                "the journal is missing, and with it what is known of all tickets".into(),
                "日志不见了，所有工单的内容也随之不见".into(),
            ),
            (
                "start no engine here; if the folder `journal` was moved away, put it back, and nothing is \
                 lost; otherwise restore the latest backup into an empty folder",
                "不要在这里启动引擎；如果文件夹 `journal` 被移走了，请放回来，那样什么也没丢；\
                 否则把最近的备份恢复到空文件夹里",
            ),
        );
    }

    /// `why` is in the checkup's language.
    pub(super) fn found_index_of_other(&mut self, why: &str) {
        self.trouble(
            (
                format!("the index of all tickets can't be used: {why}"),
                format!("所有工单的索引不能用：{why}"),
            ),
            (
                "nothing is lost: stop the engine and remove the folder `index`; the next start builds it \
                 anew from the journal",
                "什么也没丢：请停止引擎，删除文件夹 `index`；下次启动会从日志重建",
            ),
        );
    }

    /// The last finding is about what could not be read.
    fn mark_unread(&mut self) {
        if let Some(last) = self.findings.last_mut() {
            last.unread = true;
        }
    }

    pub(super) fn found_no_journal(&mut self) {
        self.note(
            ("there is no journal yet".into(), "还没有日志".into()),
            (
                "nothing was committed here so far",
                "到目前为止这里没有提交过什么",
            ),
        );
    }

    pub(super) fn found_damage(&mut self, places: usize, starts: bool) {
        if starts {
            return self.found_old_damage(places);
        }
        self.trouble(
            (
                format!("the journal is damaged in {places} places: no engine starts on it"),
                format!("日志有 {places} 处损坏：引擎不会在它上面启动"),
            ),
            (
                "keep this folder as it is, restore the latest backup into an empty folder, and go on \
                 from there; `upline verify` lists every place",
                "让这个文件夹保持原样，把最近的备份恢复到空文件夹里，从那里继续；\
                 `upline verify` 列出每一处",
            ),
        );
    }

    fn found_old_damage(&mut self, places: usize) {
        self.trouble(
            (
                format!(
                    "the journal is damaged in {places} places, all before the newest snapshot: an engine \
                     starts and goes on behind them, but what was committed there can't be read any more, \
                     the index can't be built anew, and no backup can be taken"
                ),
                format!(
                    "日志有 {places} 处损坏，都在最新的快照之前：引擎能启动并在其后继续，但那里提交过的\
                     已无法读取，索引不能重建，也不能备份"
                ),
            ),
            (
                "keep a copy of this whole folder, made while no engine has it open, before anything \
                 else; a restored backup has what was damaged, and lacks what was committed since it was \
                 taken: go on from one only if that can be lost; `upline verify` lists every place",
                "首先在没有引擎使用时把整个文件夹复制一份；恢复的备份里有损坏的部分，\
                 但缺少备份之后的提交：只有能失去那些时才从备份继续；`upline verify` 列出每一处",
            ),
        );
    }

    /// `why` is in the checkup's language.
    pub(super) fn found_base(&mut self, why: &str) {
        self.trouble(
            (
                format!("the snapshot that the journal begins with can't be used: {why}"),
                format!("日志开头的快照不能用：{why}"),
            ),
            (
                "put this file back from the latest backup that has it; an engine starts without it, but \
                 can't build the index anew, and `upline verify` finds the journal's beginning missing",
                "请从最近的、有它的备份放回这个文件；没有它引擎也能启动，但不能重建索引，\
                 `upline verify` 会发现日志缺少开头",
            ),
        );
    }

    /// `why` is in the checkup's language.
    pub(super) fn found_snapshot(&mut self, commit: u64, why: &str) {
        self.note(
            (
                format!("the snapshot of commit {commit} can't be used: {why}"),
                format!("第 {commit} 次提交的快照不能用：{why}"),
            ),
            (
                "nothing is lost: the next start reads more of the journal and takes longer",
                "什么也没丢：下次启动要读更多日志，用时更长",
            ),
        );
    }

    /// `what` is in the checkup's language.
    pub(super) fn found_keys(&mut self, what: String) {
        self.trouble(
            (what.clone(), what),
            (
                "put back this file, and no other, from the latest backup that has it: without it what is \
                 personal in its tickets can't be read; then erase again those that were erased since",
                "请从最近的、有它的备份只放回这一个文件：没有它，这些工单里的个人内容无法读取；\
                 然后把此后抹除过的再抹除一次",
            ),
        );
    }

    /// `what` is in the checkup's language.
    pub(super) fn found_service(&mut self, what: String) {
        self.trouble(
            (what.clone(), what),
            (
                "no service starts with it: put it back from a backup; or remove it, and what was sent with \
                 it is void (`links.key`, `mail.key`), or nobody stands in for anybody (`overrides`)",
                "服务无法用它启动：请从备份放回；或者删掉它，这样以前发出的链接和邮件不再有效（`links.key`、\
                 `mail.key`），或者没有代班了（`overrides`）",
            ),
        );
    }

    /// `what` is in the checkup's language.
    pub(super) fn found_changed(&mut self, what: String) {
        self.trouble(
            (what.clone(), what),
            (
                "`upline restore` refuses this backup: take another one; `upline verify` lists every file",
                "`upline restore` 会拒绝这个备份：请用另一个；`upline verify` 列出每个文件",
            ),
        );
    }

    pub(super) fn found_index(&mut self, why: &str) {
        self.note(
            (
                format!("the index of all tickets can't be used: {why}"),
                format!("所有工单的索引不能用：{why}"),
            ),
            (
                "nothing is lost: the next start sets it aside and builds it anew from the journal",
                "什么也没丢：下次启动会把它搁在一边，从日志重建",
            ),
        );
    }

    pub(super) fn found_old_index(&mut self, folders: &str) {
        self.note(
            (
                format!("an index was damaged and set aside: {folders}"),
                format!("有一个索引损坏过，已搁在一边：{folders}"),
            ),
            (
                "remove these folders when nobody wants to know why; if it happens again, test the disk",
                "没有人要查原因时可以删除这些文件夹；如果再次发生，请检测磁盘",
            ),
        );
    }

    pub(super) fn found_set_aside(&mut self, count: u64) {
        let tickets = match count {
            1 => "1 ticket is".to_owned(),
            count => format!("{count} tickets are"),
        };
        self.trouble(
            (
                format!(
                    "{tickets} set aside: nobody is asked and no clock fires until an operator has looked"
                ),
                format!("{count} 张工单已搁置：运维人员查看之前不会问任何人，时钟也不会触发"),
            ),
            (
                "`upline explain FOLDER TICKET` says why; keep a backup, see to what is wrong, start \
                 `upline serve`, and let it go on with `upline ticket put-back ID`",
                "`upline explain FOLDER TICKET` 会说明原因；请保留一份备份，解决问题，启动 \
                 `upline serve`，再用 `upline ticket put-back ID` 让它继续",
            ),
        );
    }

    pub(super) fn found_in_use(&mut self) {
        self.note(
            (
                "an engine has this folder open".into(),
                "引擎正在使用这个文件夹".into(),
            ),
            (
                "for a look at every commit and at the index, stop it first, or look at a backup",
                "要查看每次提交和索引，请先停止它，或查看备份",
            ),
        );
    }

    pub(super) fn found_read_only(&mut self) {
        self.trouble(
            (
                "this folder can't be written: no engine can start on it, and the index was not looked at"
                    .into(),
                "这个文件夹不能写：引擎不能在它上面启动，索引也没有查看".into(),
            ),
            (
                "let Upline write there: see to the rights, and to how its disk is mounted; a system makes a \
                 disk that fails read-only, and says so in its log",
                "请让 Upline 能写：检查权限，以及磁盘是怎样挂载的；磁盘出错时系统会把它变成只读，\
                 并写在系统日志里",
            ),
        );
    }

    pub(super) fn found_little_room(&mut self, mebibytes: u64) {
        self.trouble(
            (
                format!("only {mebibytes} MiB are free on this disk"),
                format!("这块磁盘只剩 {mebibytes} MiB"),
            ),
            (
                "make room: on a full disk nothing can be committed; what was is safe",
                "请腾出空间：磁盘满了就不能再提交；已提交的是安全的",
            ),
        );
    }

    pub(super) fn found_strangers(&mut self, names: &str) {
        self.note(
            (
                format!("not Upline's: {names}"),
                format!("不是 Upline 的：{names}"),
            ),
            (
                "keep other files elsewhere; Upline leaves them alone",
                "其他文件请放在别处；Upline 不会动它们",
            ),
        );
    }
}
