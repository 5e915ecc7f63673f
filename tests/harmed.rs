//! Data folders and backups of which a file is damaged, gone, or can't be written: what is told, and with
//! which code.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use upline::Engine;
use upline::core::Actor;

use crate::data_folders::{
    CALL, Called, DESK, data, indexed, journal, place, runtime, text, upline,
};
use crate::verifying::english_words;

const KEYS: &str = "keys/0000000001";

fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 1;
    fs::write(path, bytes).unwrap();
}

/// A call in English, and in Chinese, which both end with this code.
fn both(words: &[&str], exit: i32) -> (Called, Called) {
    let (english, chinese) = (upline(words), upline(&[words, &["--lang", "zh"]].concat()));
    assert_eq!((english.exit, chinese.exit), (exit, exit), "{english:?}");
    (english, chinese)
}

/// A copy of a folder beside it.
pub(crate) fn copy(folder: &Path, name: &str) -> PathBuf {
    let to = folder.with_file_name(name);
    fn all(from: &Path, to: &Path) {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
            let to = to.join(entry.file_name());
            match entry.path().is_dir() {
                true => all(&entry.path(), &to),
                false => drop(fs::copy(entry.path(), to).unwrap()),
            }
        }
    }
    if to.exists() {
        fs::remove_dir_all(&to).unwrap();
    }
    all(folder, &to);
    to
}

#[test]
fn verify_finds_keys_that_are_damaged_or_gone() {
    for folder in [data("keys-plain"), indexed("keys-indexed")] {
        let whole = fs::read(folder.join(KEYS)).unwrap();
        assert_eq!(upline(&["verify", text(&folder)]).exit, 0);
        flip(&folder.join(KEYS), 100);
        for (english, chinese) in [("is damaged", "已损坏"), ("is missing", "缺失")] {
            if english == "is missing" {
                fs::remove_file(folder.join(KEYS)).unwrap();
            }
            let (called, in_chinese) = both(&["verify", text(&folder)], 1);
            let start = format!("damaged: the file \"{KEYS}\" with tickets' keys {english}: ");
            assert!(called.out.starts_with(&start), "{called:?}");
            assert!(!called.out.contains("as they were written"), "{called:?}");
            let start = format!("损坏：存放工单密钥的文件 \"{KEYS}\" {chinese}：");
            assert!(in_chinese.out.starts_with(&start), "{in_chinese:?}");
            let json = upline(&["verify", text(&folder), "--json"]).json();
            assert_eq!(
                (&json["whole"], json["damage"].as_array().unwrap().len()),
                (&false.into(), 1)
            );
        }
        fs::write(folder.join(KEYS), whole).unwrap();
        assert_eq!(upline(&["verify", text(&folder)]).exit, 0);
    }
}

#[test]
fn every_file_of_a_backup_that_is_not_as_it_was_written_is_named() {
    let folder = data("listed");
    let backup = folder.with_file_name("backup");
    let json = upline(&["backup", text(&folder), text(&backup), "--json"]).json();
    let files = json["files"].as_array().unwrap();
    assert!(files.len() > 2, "{json}");
    for file in files {
        let (name, bytes) = (file["path"].as_str().unwrap(), file["bytes"].as_u64());
        let harmed = copy(&backup, "harmed");
        flip(&harmed.join(name), bytes.unwrap() as usize / 2);
        told_by_all(&harmed, name);
        fs::remove_file(harmed.join(name)).unwrap();
        told_by_all(&harmed, name);
    }
    let harmed = copy(&backup, "harmed");
    fs::write(harmed.join("backup.json"), "{").unwrap();
    let (called, in_chinese) = both(&["verify", text(&harmed)], 1);
    let start = "damaged: this is no whole backup: \"backup.json\" can't be read: ";
    assert!(called.out.starts_with(start), "{called:?}");
    let start = "损坏：这不是完整的备份：\"backup.json\" 无法读取：";
    assert!(in_chinese.out.starts_with(start), "{in_chinese:?}");
}

fn told_by_all(backup: &Path, name: &str) {
    let (called, _) = both(&["verify", text(backup)], 1);
    assert!(called.out.contains(name), "{name}: {called:?}");
    assert!(!called.out.contains("as they were written"), "{called:?}");
    let (called, _) = both(&["doctor", text(backup)], 1);
    assert!(called.out.contains(name), "{name}: {called:?}");
    let to = backup.with_file_name("restored");
    let told = format!("the backup is not what was written: the file \"{name}\" ");
    for (language, told) in [("en", told.as_str()), ("zh", name)] {
        let called = upline(&["restore", text(backup), text(&to), "--lang", language]);
        assert_eq!(called.exit, 1, "{called:?}");
        assert!(called.error.contains(told), "{name}: {called:?}");
        // What it had copied by then must not look like a place to begin anew.
        if to.exists() {
            let help = ["empty it before", "请清空它"].map(|help| called.error.contains(help));
            assert!(help.contains(&true), "{called:?}");
            fs::remove_dir_all(&to).unwrap();
        }
    }
}

#[test]
fn a_backup_that_fails_leaves_the_folders_that_were_there() {
    let folder = data("not-made");
    flip(&folder.join(KEYS), 100);
    let (deep, there) = (folder.with_file_name("a"), folder.with_file_name("there"));
    fs::create_dir(&there).unwrap();
    for to in [deep.join("b/c"), there.clone()] {
        let called = upline(&["backup", text(&folder), text(&to)]);
        assert_eq!(called.exit, 1, "{called:?}");
        assert!(!called.error.contains("empty it"), "{called:?}");
    }
    assert!(!deep.exists() && there.exists());
    assert_eq!(fs::read_dir(&there).unwrap().count(), 0);
}

#[test]
fn a_folder_that_is_not_there_is_told_in_one_way() {
    let home = place("nowhere");
    let (nix, to, file) = (home.join("nix"), home.join("to"), home.join("file"));
    fs::write(&file, "").unwrap();
    let each = |from: &Path, english: &str, chinese: &str| {
        let (from, to) = (text(from), text(&to));
        for words in [
            vec!["verify", from],
            vec!["doctor", from],
            vec!["backup", from, to],
            vec!["restore", from, to],
            vec!["explain", from, "1"],
            vec!["forecast", from, "1"],
        ] {
            let (called, in_chinese) = both(&words, 3);
            assert_eq!(called.error, format!("error: {english}\n"), "{words:?}");
            assert_eq!(in_chinese.error, format!("error: {chinese}\n"), "{words:?}");
        }
    };
    let (name, there) = (text(&nix), text(&file));
    each(
        &nix,
        &format!("there is no folder `{name}`"),
        &format!("没有文件夹 `{name}`"),
    );
    each(
        &file,
        &format!("`{there}` is a file, and no folder"),
        &format!("`{there}` 是文件，不是文件夹"),
    );
    assert!(!nix.exists() && !to.exists());
}

#[test]
fn nothing_is_restored_into_the_backup_itself() {
    let folder = data("into-itself");
    let backup = folder.with_file_name("b1");
    assert_eq!(upline(&["backup", text(&folder), text(&backup)]).exit, 0);
    let inside = backup.join("x");
    let (called, chinese) = both(&["restore", text(&backup), text(&inside)], 2);
    assert!(
        called.error.contains("is inside of the folder"),
        "{called:?}"
    );
    assert!(
        chinese.error.contains("就在要复制的文件夹里面"),
        "{chinese:?}"
    );
    assert!(!inside.exists());
    assert_eq!(upline(&["verify", text(&backup)]).exit, 0);
}

#[test]
fn nothing_is_copied_into_itself_by_way_of_a_folder_that_is_not_there() {
    let folder = data("detour");
    let nix = folder.with_file_name("nix");
    let beside = folder.join("../nix/../beside");
    let called = upline(&["backup", text(&folder), text(&beside)]);
    assert!(called.exit == 0 && !nix.exists(), "{called:?}");
    let backup = folder.with_file_name("beside");
    let detours = [
        "../nix/../{}/x",
        "../nix/{}/../../{}/x",
        "nix/../x",
        "../nix/../{}",
    ];
    for (command, of) in [("backup", &folder), ("restore", &backup)] {
        let name = of.file_name().unwrap().to_str().unwrap();
        for detour in detours {
            let to = of.join(detour.replace("{}", name));
            let (called, chinese) = both(&[command, text(of), text(&to)], 2);
            let told = match detour.ends_with('x') {
                true => ("is inside of the folder", "就在要复制的文件夹里面"),
                false => ("must be empty", "必须是空的"),
            };
            assert!(called.error.contains(told.0), "{to:?}: {called:?}");
            assert!(chinese.error.contains(told.1), "{to:?}: {chinese:?}");
        }
        assert!(!nix.exists() && !of.join("x").exists() && !of.join("nix").exists());
        assert_eq!(upline(&["verify", text(of)]).exit, 0);
    }
}

#[test]
fn errors_of_a_look_are_told_in_chinese() {
    let folder = data("look-zh");
    let explain = |folder: &Path, words: &[&str], exit: i32| {
        let all = [&["explain", text(folder), "2", "--lang", "zh"], words].concat();
        let called = upline(&all);
        assert_eq!(called.exit, exit, "{called:?}");
        called.error
    };
    let path = text(&folder);
    let gone = upline(&["explain", path, "77", "--lang", "zh"]);
    assert_eq!(
        (gone.exit, gone.error),
        (
            3,
            format!("error: `{path}`：没有工单 `77`\n  help: 这里开过的工单编号是 1 到 6\n")
        )
    );
    let early = explain(&folder, &["--at", "2020-01-01 09:00"], 2);
    assert!(
        early.starts_with("error: `--at`：早于最后一次提交"),
        "{early}"
    );
    let never = explain(&folder, &["--at", "soon"], 2);
    assert_eq!(
        never,
        "error: `--at 'soon'`：这不是时间\n  help: 例如 `2026-03-06 17:20`\n"
    );
    let (segment, mut bytes, end) = journal(&folder);
    bytes[end / 2] ^= 1;
    fs::write(segment, bytes).unwrap();
    let told = explain(&folder, &[], 1);
    assert!(
        told.starts_with(&format!("error: `{path}`：journal/")),
        "{told}"
    );
    let help = format!("  help: `upline doctor {path}` 会说明该怎么做\n");
    assert!(told.ends_with(&help), "{told}");
    assert_eq!(
        english_words(&told.replace(path, "")),
        ["error", "help", "doctor"]
    );
    let foreign = place("look-zh-foreign");
    fs::write(foreign.join("song.mp3"), "la").unwrap();
    let told = explain(&foreign, &[], 3);
    let none = "这不是数据文件夹：里面没有文件 \"folder\"";
    assert_eq!(told, format!("error: `{}`：{none}\n", text(&foreign)));
    let restored = upline(&[
        "restore",
        text(&foreign),
        text(&foreign.join("../to")),
        "--lang",
        "zh",
    ]);
    let none = "这不是完整的备份：里面没有文件 \"backup.json\"";
    assert_eq!(
        (restored.exit, restored.error),
        (3, format!("error: `{}`：{none}\n", text(&foreign)))
    );
}

#[test]
fn another_format_is_told_with_its_number() {
    let folder = data("format-nine");
    fs::write(folder.join("folder"), "upline data folder 9\n00\n").unwrap();
    let path = text(&folder);
    let (called, chinese) = both(&["doctor", path], 1);
    assert!(called.out.contains("unknown, format 9\n"), "{called:?}");
    assert!(chinese.out.contains("未知，格式 9\n"), "{chinese:?}");
    let json = upline(&["doctor", path, "--json"]).json();
    assert_eq!(json["format"], 9);
    let told = "这个数据文件夹的格式是 9，本程序认识 1：请用写它的程序";
    let called = upline(&["forecast", path, "1", "--lang", "zh", "--json"]);
    let message = called.json()["problems"][0]["message"].clone();
    assert_eq!(
        (called.exit, message),
        (3, format!("`{path}`：{told}").into())
    );
}

#[test]
fn a_head_that_is_none_or_is_not_reached_is_told_as_such() {
    let folder = data("heads");
    let path = text(&folder);
    let called = upline(&["verify", path, "--head", "5"]);
    assert_eq!(called.exit, 2, "{called:?}");
    let told = "<number>@<position>:<64 hexadecimal digits>, as `upline verify`";
    assert!(called.error.contains(told), "{called:?}");
    let head = format!("99@12345:{}", "ab".repeat(32));
    let (called, chinese) = both(&["verify", path, "--head", &head], 1);
    let told = "damaged: the journal ends before commit 99, which was in it";
    assert!(called.out.starts_with(told), "{called:?}");
    let told = "损坏：日志在第 99 次提交之前就结束了";
    assert!(chinese.out.starts_with(told), "{chinese:?}");
    assert!(!called.out.contains("byte 0"), "{called:?}");
}

/// A text that is sealed under a damaged key is told as such in both languages.
#[test]
fn a_ticket_whose_key_is_damaged_says_which_file_it_is() {
    let folder = place("sealed").join("data");
    runtime().block_on(async {
        let builder = Engine::builder().folder(&folder).unwrap();
        let call = CALL.replace(
            "start: asked",
            "fields: { problem: { type: text } }\nstart: asked",
        );
        let builder = builder.file("desk.yaml", DESK).file("call.yaml", call);
        let engine = builder.start().await.unwrap();
        let typed = vec![("problem".into(), "no tone".into())];
        let opened = engine.handle();
        let opened = opened
            .open("call", Actor::Person("max".into()), typed)
            .await;
        opened.unwrap();
        engine.stop().await.unwrap();
    });
    flip(&folder.join(KEYS), 100);
    let path = text(&folder);
    let (called, chinese) = both(&["explain", path, "1"], 1);
    let told = format!("the file \"{KEYS}\" with tickets' keys is damaged");
    assert!(called.error.contains(&told), "{called:?}");
    let told = format!("存放工单密钥的文件 \"{KEYS}\" 已损坏：请从最近的备份恢复它\n");
    assert!(chinese.error.contains(&told), "{chinese:?}");
    let help = format!("  help: `upline doctor {path}` 会说明该怎么做\n");
    assert!(chinese.error.ends_with(&help), "{chinese:?}");
}

/// A system that gives no more bytes to a file stands for a full disk.
#[test]
fn a_full_disk_is_told_of_the_folder_that_is_copied_to() {
    let folder = data("full");
    let (backup, to) = (folder.with_file_name("b"), folder.with_file_name("x/to"));
    assert_eq!(upline(&["backup", text(&folder), text(&backup)]).exit, 0);
    for (command, from) in [("backup", &folder), ("restore", &backup)] {
        let called = |language: &str| {
            let script = "trap '' XFSZ; ulimit -f 8; exec \"$@\"";
            let upline = env!("CARGO_BIN_EXE_upline");
            let words = [command, text(from), text(&to), "--lang", language];
            let output = Command::new("sh")
                .args(["-c", script, "sh", upline])
                .args(words)
                .output()
                .unwrap();
            assert_eq!(output.status.code(), Some(3), "{output:?}");
            String::from_utf8(output.stderr).unwrap()
        };
        let name = text(&to);
        let (english, chinese) = match command {
            "backup" => (
                "make room there and give the command again; what it had copied is removed"
                    .to_owned(),
                "请在那里腾出空间，再次执行这个命令；已复制的已删除".to_owned(),
            ),
            _ => (
                format!(
                    "make room there, empty `{name}`, which is of no use now, and give the command again"
                ),
                format!("请在那里腾出空间，清空现在没有用的 `{name}`，再次执行这个命令"),
            ),
        };
        let expected = format!("error: `{name}`: the disk is full\n  help: {english}\n");
        assert_eq!(called("en"), expected);
        let made = folder.with_file_name("x");
        assert_eq!(made.exists(), command == "restore");
        let _ = fs::remove_dir_all(&made);
        let expected = format!("error: `{name}`：磁盘已满\n  help: {chinese}\n");
        assert_eq!(called("zh"), expected);
        let _ = fs::remove_dir_all(&made);
    }
}

/// Where nothing can be made, it is this folder that is named, and not the one that is copied.
#[test]
fn the_folder_that_can_t_be_written_is_named() {
    let folder = data("unwritten");
    let (backup, file) = (folder.with_file_name("b"), folder.with_file_name("file"));
    assert_eq!(upline(&["backup", text(&folder), text(&backup)]).exit, 0);
    fs::write(&file, "").unwrap();
    let to = file.join("to");
    for words in [["backup", text(&folder)], ["restore", text(&backup)]] {
        let (called, chinese) = both(&[&words[..], &[text(&to)]].concat(), 3);
        let start = format!("error: `{}`: writing the copy: create folder", text(&to));
        assert!(called.error.starts_with(&start), "{called:?}");
        let start = format!("error: `{}`：读写失败：create folder", text(&to));
        assert!(chinese.error.starts_with(&start), "{chinese:?}");
    }
}
