//! What stands with the types in English, and the same in Chinese. `{}` is whatever stands there, in order;
//! `{0}`, `{1}` in the Chinese is the first of these, the second. A text that can be a part of another one,
//! and would match it too, comes behind it.

/// English, Chinese.
pub(super) type Entry = (&'static str, &'static str);

pub(super) const CATALOGUE: [&[Entry]; 6] = [JOURNAL, FLAWS, KEYS, SNAPSHOTS, FOLDERS, INDEX];

const JOURNAL: &[Entry] = &[
    (
        "{}; nothing was changed: keep a copy of the folder, list all such places with `upline verify`, and \
         restore the last backup",
        "{0}；什么也没有改动：请保留文件夹的副本，用 `upline verify` 列出每一处，并恢复最近的备份",
    ),
    (
        "the journal is not whole, in {} places; the first: {}",
        "日志不完整，有 {0} 处；第一处：{1}",
    ),
    (
        "{} belongs to the data folder {}, and this one is {}: segments were copied from elsewhere; restore \
         a whole folder instead",
        "{0} 属于数据文件夹 {1}，而这里是 {2}：请恢复整个文件夹",
    ),
    (
        "{} has the format {}, and this version of Upline reads up to {}: run the newer version that \
         wrote it",
        "{0} 的格式是 {1}，这个版本的 Upline 最多读到 {2}：请用写它的新版本",
    ),
    (
        "{} has the format {}, which this version of Upline can't read any more: open it once with a \
         version in between",
        "{0} 的格式是 {1}，这个版本的 Upline 已经不能读：请先用中间的版本打开一次",
    ),
    (
        "the journal ends with commit {}, but commit {} was in it: it was cut, or put back from an older \
         copy; nothing was changed: put the newer files back",
        "日志到第 {0} 次提交为止，但里面曾有第 {1} 次提交：被截断，或被换回旧的；什么也没有改动：请放回较新的文件",
    ),
    (
        "{} is not the file any more that commits are written to: it, or a folder above it, was moved, \
         removed or replaced while an engine works, which writes no more. Put it back in its place, and \
         start the engine again; what was removed can still be copied out of `/proc/PID/fd` while the \
         engine runs",
        "{0} 已经不是正在写入的那个文件：引擎运行期间，它或它上面的文件夹被移动、删除或替换，引擎不再写入。请把它放回原处，再重新启动引擎；\
         被删除的文件，在引擎还运行时可以从 `/proc/PID/fd` 里复制出来",
    ),
    (
        "commits before {} were removed by the retention rule: they are only in a backup",
        "第 {0} 次提交之前的已按保留规则删除：只有备份里才有",
    ),
    (
        "there is no commit at {} yet: the journal is synced up to {}",
        "位置 {0} 还没有提交：日志写到 {1} 为止",
    ),
    (
        "the journal moved on while it was read: look again",
        "读取时日志一直在往前走：请再看一次",
    ),
    (
        "the copy of the journal does not end where the journal does",
        "日志的副本没有在日志结束的地方结束",
    ),
    (
        "there are tickets' keys, but the journal is missing: put it back",
        "有工单的密钥，却没有日志：请把日志放回来",
    ),
    (
        "{} is damaged at byte {}, commit {}: {}",
        "{0} 在第 {1} 字节、第 {2} 次提交处损坏：{3}",
    ),
];

const FLAWS: &[Entry] = &[
    (
        "the segment's header does not match its check",
        "段的头部与校验值不符",
    ),
    (
        "the segment belongs to the data folder {}, not to {}",
        "该段属于数据文件夹 {0}，而不是 {1}",
    ),
    (
        "the file's name says commit {}, and its header says commit {}",
        "文件名说是第 {0} 次提交，头部说是第 {1} 次提交",
    ),
    (
        "the segment does not begin where the one before ends",
        "该段不是从前一段的末尾开始",
    ),
    (
        "the file has {} bytes and was made with {}",
        "文件有 {0} 字节，原来是 {1} 字节",
    ),
    ("there is no commit here", "这里没有提交"),
    ("the commit is longer than the file", "提交比文件还长"),
    ("the commit does not match its hash", "提交与它的哈希不符"),
    (
        "the commit at {} is here instead",
        "这里却是位置 {0} 的提交",
    ),
    ("commit {} is here instead", "这里却是第 {0} 次提交"),
    (
        "the commit before is not the one that it was written behind",
        "前一次提交不是写入时的那一次",
    ),
    (
        "the commit has the format {}, which is newer than {}",
        "提交的格式是 {0}，比 {1} 新",
    ),
    (
        "the commit is not the one whose mark was kept: the journal was put back and written anew",
        "这不是留有标记的那一次提交：日志曾被换回旧的，然后重新写过",
    ),
    (
        "the commits from {} on are missing before it",
        "它之前从第 {0} 次提交起缺失",
    ),
    (
        "the journal ends before commit {}, which was in it: it was cut, or put back from an older copy",
        "日志在第 {0} 次提交之前就结束了，而它曾在里面：被截断，或被换回旧的",
    ),
    (
        "the journal is missing, and commit {} was in it: put the folder \"journal\" back",
        "日志不见了，而第 {0} 次提交曾在里面：请把文件夹 \"journal\" 放回来",
    ),
    (
        "the file \"folder\" is of the data folder {}, and the journal of {}: files of two folders were \
         mixed",
        "文件 \"folder\" 属于数据文件夹 {0}，而日志属于 {1}：两个文件夹的文件混在了一起",
    ),
    ("the journal can't be read ({})", "日志无法读取（{0}）"),
    ("it can't be read ({})", "无法读取（{0}）"),
];

const KEYS: &[Entry] = &[
    (
        "the file {} with tickets' keys is damaged: restore it from the latest backup",
        "存放工单密钥的文件 {0} 已损坏：请从最近的备份恢复它",
    ),
    (
        "{} belongs to another data folder: put back the one that belongs to this journal",
        "{0} 属于另一个数据文件夹：请放回属于这份日志的那一个",
    ),
    (
        "the file {} with tickets' keys is missing: restore it from the latest backup",
        "存放工单密钥的文件 {0} 缺失：请从最近的备份恢复它",
    ),
    (
        "what was sealed under key {} does not open with it",
        "用密钥 {0} 封存的内容打不开",
    ),
    ("the tickets' keys: {}", "工单的密钥：{0}"),
];

const SNAPSHOTS: &[Entry] = &[
    ("a snapshot: {}", "快照：{0}"),
    ("it is damaged", "已损坏"),
    (
        "it has the format {}, and this program knows {}",
        "格式是 {0}，本程序认识 {1}",
    ),
    (
        "the snapshot of commit {} is not of this journal",
        "第 {0} 次提交的快照不属于这份日志",
    ),
    (
        "it is written in form {}, and this program knows form {}: use a newer program",
        "它的写法是 {0}，本程序认识 {1}：请用更新的程序",
    ),
    ("it can't be decoded: {}", "无法解读：{0}"),
    ("it is empty", "它是空的"),
];

const FOLDERS: &[Entry] = &[
    (
        "this is no data folder: it has no file {}",
        "这不是数据文件夹：里面没有文件 {0}",
    ),
    (
        "the file {} is not of a data folder",
        "文件 {0} 不是数据文件夹的",
    ),
    (
        "the data folder has format {}, and this program knows {}: use the program that wrote it",
        "这个数据文件夹的格式是 {0}，本程序认识 {1}：请用写它的程序",
    ),
    (
        "the folder has no file {} but has {}: a data folder begins empty, and one that was in use is \
         restored from a backup",
        "文件夹里没有文件 {0}，却有 {1}：数据文件夹从空的开始，用过的要从备份恢复",
    ),
    (
        "this is no whole backup: it has no file {}",
        "这不是完整的备份：里面没有文件 {0}",
    ),
    (
        "this is no whole backup: it has format {}, and this program knows {}",
        "这不是完整的备份：它的格式是 {0}，本程序认识 {1}",
    ),
    (
        "this is no whole backup: {} can't be read: {}",
        "这不是完整的备份：{0} 无法读取：{1}",
    ),
    (
        "the backup is not what was written: {}; take another one",
        "备份与写入时不同：{0}；请用另一个备份",
    ),
    (
        "the folder for the backup must be empty, and has {} in it",
        "备份用的文件夹必须是空的，里面却有 {0}",
    ),
    (
        "the folder to restore to must be empty, and has {} in it",
        "要恢复到的文件夹必须是空的，里面却有 {0}",
    ),
    (
        "the file {} has changed since: it has {} bytes, and had {}",
        "文件 {0} 此后有改动：现在有 {1} 字节，原来是 {2}",
    ),
    (
        "the file {} has changed since: something was written behind its {} bytes",
        "文件 {0} 此后有改动：在它的 {1} 字节之后又写入了内容",
    ),
    (
        "the folder is a backup, since it has a file {}: make a data folder of it with `upline restore`",
        "这个文件夹是备份，因为里面有文件 {0}：请先用 `upline restore` 由它恢复出数据文件夹",
    ),
    (
        "the file {} is there, but {} does not list it",
        "有文件 {0}，{1} 里却没有列出它",
    ),
    (
        "the file {} is of the data folder {}, and the other files of {}",
        "文件 {0} 属于数据文件夹 {1}，而其他文件属于 {2}",
    ),
    (
        "the file {} says that the last commit is {}, and in the journal it is {}",
        "文件 {0} 说最后的提交是 {1}，而日志里是 {2}",
    ),
    (
        "the folder {} can't be looked into ({})",
        "文件夹 {0} 无法查看（{1}）",
    ),
    ("the file {} has changed since", "文件 {0} 此后有改动"),
    (
        "the file {} is not what was written",
        "文件 {0} 不是写入时的样子",
    ),
    ("the file {} of the backup is missing", "备份里缺少文件 {0}"),
    ("the file {} can't be read ({})", "文件 {0} 无法读取（{1}）"),
    (
        "the file {}, which was right when it came, can't be read by this program: use the one that wrote \
         this folder",
        "文件 {0} 来时没有问题，本程序却不能读：请用写这个文件夹的程序",
    ),
    ("the reading was broken off", "读取中断了"),
];

const INDEX: &[Entry] = &[
    (
        "its last commit is none of this journal: it is of another history of this folder",
        "它最后的提交不属于这份日志：它来自这个文件夹的另一段历史",
    ),
    ("the index is not open yet", "索引还没有打开"),
    (
        "what was read from the index's file is damaged",
        "从索引文件里读到的内容已损坏",
    ),
    (
        "the index is damaged and must be built anew: {}",
        "索引已损坏，必须重建：{0}",
    ),
    ("the index can't be used: {}", "索引不能用：{0}"),
    (
        "commit {} can't be taken into the index: {}",
        "第 {0} 次提交不能放进索引：{1}",
    ),
    (
        "the index can't be built: it needs commit {}, and the journal begins with commit {}",
        "索引不能建立：它需要第 {0} 次提交，而日志从第 {1} 次提交开始",
    ),
    (
        "the index can't be built: the journal's base: {}",
        "索引不能建立：日志的开头：{0}",
    ),
    ("the index can't go on: {}", "索引不能继续：{0}"),
];
