//! `upline verify` on folders that are not what they say, and what is told of folders in Chinese.

use std::fs;
use std::path::Path;

use crate::data_folders::{data, journal, place, runtime, text, told, upline};

/// An engine starts on none of these, so they are not in order.
#[test]
fn a_folder_that_says_it_is_another_one_is_no_whole_folder() {
    let folder = data("whose");
    let file = folder.join("folder");
    let own = fs::read_to_string(&file).unwrap();
    let id = own.lines().nth(1).unwrap();
    let other = "00112233445566778899aabbccddeeff";
    let cases = [
        (
            Some(own.replace(id, other)),
            format!("is of the data folder {other}"),
        ),
        (
            Some(own.replace("folder 1", "folder 9")),
            "has format 9".to_owned(),
        ),
        (
            Some("song".to_owned()),
            "is not of a data folder".to_owned(),
        ),
        (None, "it has no file \"folder\"".to_owned()),
    ];
    for (text_of_it, told) in cases {
        match &text_of_it {
            Some(text) => fs::write(&file, text).unwrap(),
            None => fs::remove_file(&file).unwrap(),
        }
        let called = upline(&["verify", text(&folder)]);
        assert_eq!(called.exit, 1, "{told}: {called:?}");
        let first = called.out.lines().next().unwrap_or_default();
        assert!(
            first.starts_with("damaged: ") && first.contains(&told),
            "{called:?}"
        );
        assert!(!called.out.contains("as they were written"), "{called:?}");
        let json = upline(&["verify", text(&folder), "--json"]).json();
        assert_eq!(
            (&json["whole"], json["damage"].as_array().unwrap().len()),
            (&false.into(), 1)
        );
    }
    fs::write(&file, own).unwrap();
    let backup = folder.with_file_name("backup");
    assert_eq!(upline(&["backup", text(&folder), text(&backup)]).exit, 0);
    assert_eq!(upline(&["verify", text(&backup)]).exit, 0);
    fs::write(backup.join("folder"), "song").unwrap();
    assert_eq!(upline(&["verify", text(&backup)]).exit, 1);
}

/// Whether a text has a word that a Chinese reader need not know; names and ids are none.
pub(crate) fn english_words(text: &str) -> Vec<&str> {
    let words = text.split(|c: char| !c.is_ascii_alphabetic());
    let known = [
        "upline", "MiB", "KiB", "GiB", "TiB", "Upline", "verify", "log", "journal",
    ];
    let long = words.filter(|word| word.len() > 2 && !known.contains(word));
    // Ids and hashes are hexadecimal.
    long.filter(|word| !word.bytes().all(|byte| byte.is_ascii_hexdigit()))
        .collect()
}

#[test]
fn all_is_told_in_chinese_too() {
    let folder = data("chinese");
    let (backup, new) = (
        folder.with_file_name("backup"),
        folder.with_file_name("new"),
    );
    let in_chinese = |words: &[&str], exit: i32, told: &str| {
        let called = upline(&[words, &["--lang", "zh"]].concat());
        assert_eq!(called.exit, exit, "{words:?}: {called:?}");
        let all = format!("{}{}", called.out, called.error);
        assert!(all.contains(told), "{words:?}: {told}: {all}");
        all
    };
    for (words, told) in [
        (vec!["verify", text(&folder)], "次提交，都与写入时相同"),
        (vec!["doctor", text(&folder)], "没有要做的事"),
        (
            vec!["backup", text(&folder), text(&backup)],
            "已备份：3 个文件，末尾：",
        ),
        (
            vec!["restore", text(&backup), text(&new)],
            "已恢复：3 个文件，末尾：",
        ),
        (vec!["doctor", text(&backup)], "备份"),
    ] {
        let all = in_chinese(&words, 0, told);
        assert_eq!(english_words(&all), [] as [&str; 0], "{all}");
    }
    in_chinese(&["backup", text(&folder), text(&backup)], 2, "必须是空的");
    let (path, mut bytes, end) = journal(&folder);
    bytes[end / 2] ^= 1;
    fs::write(&path, bytes).unwrap();
    in_chinese(&["verify", text(&folder)], 1, "损坏：journal/");
    let all = in_chinese(&["doctor", text(&folder)], 1, "故障：日志有 ");
    assert!(all.contains("现在：让这个文件夹保持原样"), "{all}");
    let json = upline(&["doctor", text(&folder), "--lang", "zh", "--json"]).json();
    let what = json["findings"][0]["what"].as_str().unwrap();
    assert!(what.starts_with("日志有 "), "{what}");
    let called = told(&["verify", text(&backup), "--lang", "zh"], "0");
    assert!(called.error.starts_with("校验：1 / "), "{called:?}");
    let called = upline(&["doctor", text(&folder), "--lang", "fr"]);
    assert_eq!(called.exit, 2, "{called:?}");
    assert!(called.error.contains("en, zh"), "{called:?}");
}

#[test]
fn damage_is_code_1_whoever_comes_upon_it_and_what_is_none_of_ours_is_3() {
    let folder = data("damage-code");
    let near = |name: &str| folder.with_file_name(name);
    let (backup, to) = (near("backup"), near("to"));
    assert_eq!(upline(&["backup", text(&folder), text(&backup)]).exit, 0);
    let all = |from: &Path, exit: i32| {
        for words in [
            vec!["verify", text(from)],
            vec!["doctor", text(from)],
            vec!["backup", text(from), text(&to)],
            vec!["explain", text(from), "1"],
        ] {
            let called = upline(&words);
            assert_eq!(called.exit, exit, "{words:?}: {called:?}");
        }
    };
    fs::write(folder.join("folder"), "song").unwrap();
    all(&folder, 1);
    fs::remove_file(folder.join("folder")).unwrap();
    all(&folder, 1);
    let called = upline(&["doctor", text(&folder)]);
    assert!(
        called.out.contains("a restore that was not finished"),
        "{called:?}"
    );
    let called = upline(&["doctor", text(&folder), "--lang", "zh"]);
    assert!(called.out.contains("没有完成的恢复"), "{called:?}");
    // No backup, and none that is damaged.
    for none in [&folder, &place("damage-code-none")] {
        let called = upline(&["restore", text(none), text(&to)]);
        assert_eq!(called.exit, 3, "{called:?}");
    }
    all(&place("damage-code-foreign").join("../damage-code-nix"), 3);
    fs::write(backup.join("backup.json"), "{").unwrap();
    for words in [
        vec!["verify", text(&backup)],
        vec!["doctor", text(&backup)],
        vec!["restore", text(&backup), text(&to)],
    ] {
        let called = upline(&words);
        assert_eq!(called.exit, 1, "{words:?}: {called:?}");
    }
    assert!(!to.exists());
}

#[test]
fn a_folder_without_a_commit_is_whole_and_one_whose_journal_is_gone_is_not() {
    let folder = place("no-commit").join("data");
    runtime().block_on(async {
        let engine = upline::Engine::builder().folder(&folder).unwrap();
        engine.start().await.unwrap().stop().await.unwrap();
    });
    let near = |name: &str| folder.with_file_name(name);
    let (backup, new) = (near("backup"), near("new"));
    assert_eq!(upline(&["backup", text(&folder), text(&backup)]).exit, 0);
    assert_eq!(upline(&["restore", text(&backup), text(&new)]).exit, 0);
    for whole in [&folder, &backup, &new] {
        let called = upline(&["verify", text(whole)]);
        assert_eq!(
            (called.exit, called.out.as_str()),
            (0, "no commit yet\n"),
            "{called:?}"
        );
    }
    let called = upline(&["verify", text(&new), "--lang", "zh"]);
    assert_eq!(called.out, "还没有提交\n");
    fs::write(new.join("folder"), "song").unwrap();
    assert_eq!(upline(&["verify", text(&new)]).exit, 1);

    let gone = data("journal-gone");
    fs::remove_dir_all(gone.join("journal")).unwrap();
    let called = upline(&["verify", text(&gone)]);
    assert_eq!(called.exit, 1, "{called:?}");
    assert!(
        called.out.contains("the journal is missing, and commit "),
        "{called:?}"
    );
    let called = upline(&["verify", text(&gone), "--lang", "zh"]);
    assert!(called.out.contains("日志不见了"), "{called:?}");
}
