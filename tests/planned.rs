//! What `upline migrate --plan` says first of a file that can't be planned with, and what `--lang zh` reaches in
//! what is told of tickets in a folder.

use std::fs;

use crate::data_folders::text;
use crate::looking::{CALL, DESK, FRIDAY, ask, data};

fn second() -> String {
    let second = CALL.replace("workflow: call", "workflow: call\nversion: 2");
    second.replace("working", "busy")
}

#[test]
fn the_mistake_that_is_really_there_is_told_first() {
    let folder = data("planned-mistake");
    let file = folder.with_file_name("next.yaml");
    let plan = |words: &[&str]| {
        let all = ["migrate", "--plan", text(&folder), text(&file)];
        ask(&folder, &[&all, words].concat())
    };
    for version in ["0", "99999999999"] {
        let version = format!("version: {version}");
        fs::write(&file, second().replace("version: 2", &version)).unwrap();
        let called = plan(&[]);
        assert_eq!(called.exit, 1, "{called:?}");
        assert!(called.error.starts_with("error[bad-value]"), "{called:?}");
        assert!(!called.error.contains("call.yaml"), "{called:?}");
    }
    fs::write(&file, DESK).unwrap();
    let called = plan(&[]);
    assert_eq!(called.exit, 1, "{called:?}");
    let told = "next.yaml` is a directory of people, and no workflow";
    assert!(called.error.contains(told), "{called:?}");
    let called = plan(&["--lang", "zh"]);
    assert!(
        called.error.contains("是人员目录，不是工作流"),
        "{called:?}"
    );
    fs::write(&file, second()).unwrap();
    let called = plan(&["--state", "working=bussy"]);
    assert_eq!((called.exit, called.out.as_str()), (2, ""), "{called:?}");
    let told = "`--state 'working=bussy'`: `call` version 2 has no state `bussy`\n  help: did you mean `busy`?";
    assert!(called.error.contains(told), "{called:?}");
    let called = plan(&["--state", "working=bussy", "--lang", "zh"]);
    assert!(called.error.contains("没有状态 `bussy`"), "{called:?}");
}

#[test]
fn reasons_are_told_in_chinese() {
    let folder = data("planned-zh");
    let file = folder.with_file_name("next.yaml");
    fs::write(&file, second()).unwrap();
    let words = [
        "migrate",
        "--plan",
        text(&folder),
        text(&file),
        "--lang",
        "zh",
    ];
    let why = "在 `working` 无法转到新版本：新版本没有这个状态";
    let called = ask(&folder, &words);
    assert!(called.out.contains(why), "{called:?}");
    let json = ask(&folder, &[&words[..], &["--json"]].concat()).json();
    assert_eq!(json["tickets"][1]["why"], why);
    let words = ["explain", text(&folder), "2", "--lang", "zh", "--json"];
    let json = ask(&folder, &[&words[..], &FRIDAY].concat()).json();
    let ledger = &json["positions"][0]["clocks"][0]["ledger"];
    assert_eq!(
        (&ledger[0]["why"], &ledger[1]["why"]),
        (&"营业".into(), &"非营业时间".into())
    );
    let words = ["forecast", text(&folder), "2", "--lang", "zh"];
    let until = ["--until", "2026-03-09 11:00"];
    let called = ask(&folder, &[&words[..], &FRIDAY, &until].concat());
    assert!(called.error.contains("……以此类推"), "{called:?}");
}
