//! `upline explain`, `forecast` and `migrate --plan`, on data folders that an engine has written: what they
//! say, and that nothing in the folder changes by it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use upline::Engine;
use upline::clock::ManualClock;
use upline::core::Actor;
use upline::disk::RealDisk;
use upline::index::{FollowerOptions, Index, IndexHandle, IndexOptions};
use upline::record::{Entry, Millis, Number};
use upline::store::log::{LogOptions, LogStore};
use upline::store::{Batch, Store};
use upline::vault::system_entropy;

use crate::data_folders::{Called, journal, place, runtime, text, told, upline};

pub(crate) const DESK: &str = "
directory: acme
last-resort: user max
people: { ann: { mail: ann@example.com }, lea: { mail: lea@example.com }, max: { mail: max@example.com } }
calendars: { office: { time-zone: Europe/Berlin, hours: { mon-fri: [\"09:00-17:00\"] } } }
";
pub(crate) const CALL: &str = "
workflow: call
calendar: office
start: asked
ladders: { climb: [{ after: 30 min, assign: user lea }, { after: 1 h, assign: user max }] }
states:
  asked: { assign: user ann, escalate: climb, actions: { accept: { goto: working }, done: { goto: closed } } }
  working: { assign: who did accept, escalate: climb, actions: { done: { goto: closed } } }
  closed: { end: done }
";

/// A folder in which, since Friday 2026-03-06 16:50 in Berlin, ticket 1 has ended, 2 is asked and 3 is worked
/// on.
pub(crate) fn data(name: &str) -> PathBuf {
    let folder = place(name).join("data");
    runtime().block_on(async {
        let engine = engine(&folder).await;
        let handle = engine.handle();
        for _ in 0..3 {
            let opened = handle.open("call", Actor::Person("max".into()), vec![]);
            opened.await.unwrap();
        }
        let ann = || Actor::Person("ann".into());
        handle.act("1", ann(), "done").await.unwrap();
        handle.act("3", ann(), "accept").await.unwrap();
        handle.settled().await.unwrap();
        engine.stop().await.unwrap();
    });
    folder
}

/// An engine on a folder whose journal's files are small, with an index.
async fn engine(folder: &Path) -> Engine {
    let mut options = LogOptions::default();
    options.segment_bytes = 1 << 16;
    let disk = Arc::new(RealDisk::new(folder));
    let store = LogStore::open(disk, options, system_entropy()).unwrap();
    let index = Index::in_folder(folder.join("index"), IndexOptions::default());
    let index = IndexHandle::new(index);
    let clock = ManualClock::at("2026-03-06T15:50:00Z".parse().unwrap());
    let builder = Engine::builder().store(store.listener(index.clone()));
    let builder = builder
        .index(index, FollowerOptions::default())
        .clock(clock);
    let builder = builder.file("desk.yaml", DESK).file("call.yaml", CALL);
    builder.start().await.unwrap()
}

/// All files of a folder, and what is in them.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.append(&mut files(&path)),
            false => drop(found.insert(path.clone(), fs::read(&path).unwrap())),
        }
    }
    found
}

/// `upline` with these words about a folder, in which nothing may change.
pub(crate) fn ask(folder: &Path, words: &[&str]) -> Called {
    let before = files(folder);
    let called = upline(words);
    assert!(files(folder) == before, "{words:?} has changed something");
    called
}

pub(crate) const FRIDAY: [&str; 2] = ["--at", "2026-03-06 16:55"];

#[test]
fn a_ticket_is_explained() {
    let folder = data("explain");
    let called = ask(
        &folder,
        &[&["explain", text(&folder), "2"][..], &FRIDAY].concat(),
    );
    assert_eq!((called.exit, called.error.as_str()), (0, ""), "{called:?}");
    let expected = "\
ticket 2, call version 1, as of Fri 2026-03-06 16:55 Europe/Berlin
asked: ann is answerable since Fri 16:50
  because: user ann (call.yaml:7)
  if nobody acts: user lea, Mon 09:20 (64 h 25 min left)
    30 min in office since Fri 16:50
    Fri 16:50 – Fri 17:00  10 min counted
    Fri 17:00 – Sat 00:00  not counted, outside hours
    Sat 00:00 – Mon 00:00  not counted, day off
    Mon 00:00 – Mon 09:00  not counted, outside hours
    Mon 09:00 – Mon 09:20  20 min counted
";
    assert_eq!(called.out, expected);
    let words = ["explain", text(&folder), "2", "--json"];
    let json = ask(&folder, &[&words[..], &FRIDAY].concat()).json();
    assert_eq!(json["positions"][0]["answerable"], "ann");
    assert_eq!(json["now"], "2026-03-06T15:55:00Z");
    assert_eq!(json["last-commit"], "2026-03-06T15:50:00Z");
    assert_eq!(json["positions"][0]["clocks"][0]["overdue"], false);
    assert!(
        json["outcome"].is_null() && json["set-aside"].is_null(),
        "{json}"
    );
    // Nobody has run an engine since: what is due by now is overdue.
    let called = ask(&folder, &["explain", text(&folder), "2"]);
    assert!(
        called
            .out
            .contains("overdue: it fires as soon as an engine runs"),
        "{called:?}"
    );
    let words = ["explain", text(&folder), "2", "--lang", "zh"];
    let called = ask(&folder, &[&words[..], &FRIDAY].concat());
    assert!(
        called.out.starts_with("工单 2，call 第 1 版，截至 "),
        "{called:?}"
    );
}

/// This ticket can't be moved any more, as an engine has found at this time, in milliseconds.
pub(crate) fn set_aside(folder: &Path, number: Number, why: &str, at: Millis) {
    let disk = Arc::new(RealDisk::new(folder));
    let mut store = LogStore::open(disk, LogOptions::default(), system_entropy()).unwrap();
    store.recover(&mut |_| Ok(())).unwrap();
    let mut record = store.ticket(number).unwrap().unwrap();
    record.set_aside = Some(why.to_owned());
    let batch = Batch {
        fence: 0,
        at,
        wall: at,
        entries: vec![Entry::SetAside {
            number,
            why: record.set_aside.clone(),
        }],
        after: vec![&mut record],
    };
    store.commit(batch).unwrap();
}

#[test]
fn a_ticket_that_is_set_aside_is_counted_and_nothing_is_promised_for_it() {
    let folder = data("set-aside");
    let json = upline(&["doctor", text(&folder), "--json"]).json();
    assert_eq!(json["aside"]["count"], 0, "{json}");
    let why = "clock 1 is due, and nothing happens";
    set_aside(&folder, 2, why, 1_772_812_200_000);
    let called = ask(
        &folder,
        &[&["explain", text(&folder), "2"][..], &FRIDAY].concat(),
    );
    let expected = "\
ticket 2, call version 1, as of Fri 2026-03-06 16:55 Europe/Berlin
set aside, and no engine moves it until an operator has looked: clock 1 is due, and nothing happens
asked: ann is answerable since Fri 16:50
  because: user ann (call.yaml:7)
now: see to what is wrong, and let it go on with `upline ticket put-back 2`
";
    assert_eq!((called.exit, called.out.as_str()), (0, expected));
    let chinese = [
        &["explain", text(&folder), "2", "--lang", "zh"][..],
        &FRIDAY,
    ]
    .concat();
    let told = ask(&folder, &chinese).out;
    let advice = "现在：解决问题，再用 `upline ticket put-back 2` 让它继续\n";
    assert!(told.ends_with(advice), "{told}");
    let json = ask(&folder, &["explain", text(&folder), "2", "--json"]).json();
    assert_eq!(json["set-aside"], "clock 1 is due, and nothing happens");
    let called = ask(
        &folder,
        &[&["forecast", text(&folder), "2"][..], &FRIDAY].concat(),
    );
    let lines: Vec<&str> = called.out.lines().skip(1).take(3).collect();
    let expected = [
        "set aside, and no engine moves it until an operator has looked: clock 1 is due, and nothing happens",
        "if it were let go on now:",
        "Mon 09:20  to lea (user lea)",
    ];
    assert_eq!(lines, expected, "{called:?}");
    let called = upline(&["doctor", text(&folder)]);
    assert_eq!(called.exit, 1, "{called:?}");
    for part in [
        "set aside    1 ticket\n",
        "2: clock 1 is due, and nothing happens\n",
        "trouble: 1 ticket is set aside",
        "now: `upline explain FOLDER TICKET` says why",
        "let it go on with `upline ticket put-back ID`\n",
    ] {
        assert!(called.out.contains(part), "{part}: {called:?}");
    }
    let json = upline(&["doctor", text(&folder), "--json"]).json();
    let expected = serde_json::json!({
        "count": 1,
        "tickets": [{ "ticket": "2", "why": "clock 1 is due, and nothing happens" }],
    });
    assert_eq!(json["aside"], expected);
}

#[test]
fn the_next_holders_are_told_in_order() {
    let folder = data("forecast");
    let called = ask(
        &folder,
        &[&["forecast", text(&folder), "2"][..], &FRIDAY].concat(),
    );
    assert_eq!(called.exit, 0, "{called:?}");
    let lines: Vec<&str> = called.out.lines().collect();
    assert_eq!(
        lines[0],
        "ticket 2, call version 1, as of Fri 2026-03-06 16:55 Europe/Berlin"
    );
    assert!(lines.len() > 1, "{lines:#?}");
    let hops: Vec<&&str> = lines.iter().filter(|line| line.contains("  to ")).collect();
    assert!(
        hops[0].starts_with("Mon 09:20") && hops[0].contains("lea"),
        "{lines:#?}"
    );
    assert!(
        hops[1].starts_with("Mon 10:20") && hops[1].contains("max"),
        "{lines:#?}"
    );
    let words = [
        "forecast",
        text(&folder),
        "2",
        "--until",
        "2026-03-09 10:00",
    ];
    let called = ask(&folder, &[&words[..], &FRIDAY].concat());
    assert!(
        called.out.contains("lea") && !called.out.contains("to max"),
        "{called:?}"
    );
    let words = [
        "forecast",
        text(&folder),
        "2",
        "--until",
        "2026-03-09 08:00",
    ];
    let called = ask(&folder, &[&words[..], &FRIDAY].concat());
    assert!(
        called.out.ends_with("nothing happens until then\n"),
        "{called:?}"
    );
    // What is overdue happens as soon as an engine runs.
    let words = [
        "forecast",
        text(&folder),
        "2",
        "--json",
        "--at",
        "2026-03-11 09:00",
    ];
    let json = ask(&folder, &words).json();
    assert_eq!(json["from"], "2026-03-11T08:00:00Z");
    assert_eq!(
        (&json["steps"][0]["at"], &json["steps"][0]["who"]),
        (&json["from"], &"lea".into())
    );
    for (option, time) in [
        ("--until", "2026-03-06 16:00"),
        ("--at", "2026-03-06 16:49"),
        ("--at", "tea"),
    ] {
        let words = ["forecast", text(&folder), "2", option, time];
        let words = match option {
            "--at" => words.to_vec(),
            _ => [&words[..], &FRIDAY].concat(),
        };
        let called = ask(&folder, &words);
        assert_eq!((called.exit, called.out.as_str()), (2, ""), "{called:?}");
        assert!(
            called.error.starts_with(&format!("error: `{option}")),
            "{called:?}"
        );
    }
}

#[test]
fn tickets_that_have_ended_and_those_that_never_were() {
    let folder = data("ended");
    let called = ask(&folder, &["explain", text(&folder), "1"]);
    assert_eq!(called.exit, 0, "{called:?}");
    assert_eq!(
        called.out.lines().nth(1).unwrap(),
        "ended: done, Fri 2026-03-06 16:50"
    );
    let json = ask(&folder, &["explain", text(&folder), "1", "--json"]).json();
    assert_eq!(
        (&json["outcome"], &json["ended"]),
        (&"done".into(), &"2026-03-06T15:50:00Z".into())
    );
    let called = ask(&folder, &["forecast", text(&folder), "1"]);
    assert_eq!(called.exit, 0, "{called:?}");
    assert!(called.out.contains("ended: done, ") && called.out.ends_with("nothing more happens\n"));
    for id in ["4", "order-7", "0"] {
        for command in ["explain", "forecast"] {
            let called = ask(&folder, &[command, text(&folder), id]);
            assert_eq!((called.exit, called.out.as_str()), (3, ""), "{called:?}");
            assert!(
                called.error.contains(&format!("there is no ticket `{id}`")),
                "{called:?}"
            );
            assert!(called.error.contains("numbers 1 to 3"), "{called:?}");
        }
    }
}

#[test]
fn folders_that_can_not_be_looked_into() {
    let folder = data("unreadable");
    let workflow = folder.with_file_name("call.yaml");
    fs::write(&workflow, CALL).unwrap();
    let each = |folder: &Path, exit: i32, what: &str| {
        let commands = [
            vec!["explain", text(folder), "2"],
            vec!["forecast", text(folder), "2"],
            vec!["migrate", "--plan", text(folder), text(&workflow)],
        ];
        for words in commands {
            let called = match folder.is_dir() {
                true => ask(folder, &words),
                false => upline(&words),
            };
            assert_eq!(
                (called.exit, called.out.as_str()),
                (exit, ""),
                "{words:?}: {called:?}"
            );
            let name = format!("`{}`", text(folder));
            assert!(called.error.contains(&name), "{words:?}: {called:?}");
            assert!(called.error.contains(what), "{words:?}: {called:?}");
            let json = upline(&[words, vec!["--json"]].concat()).json();
            assert_eq!(json["exit"], exit);
        }
    };
    let other = |name: &str| folder.with_file_name(name);
    each(&other("nowhere"), 3, "there is no folder");
    assert!(!other("nowhere").exists());
    fs::create_dir(other("empty")).unwrap();
    each(&other("empty"), 3, "this is no data folder");
    fs::create_dir(other("foreign")).unwrap();
    fs::write(other("foreign").join("song.mp3"), "la").unwrap();
    each(&other("foreign"), 3, "this is no data folder");
    let backup = other("backup");
    assert_eq!(upline(&["backup", text(&folder), text(&backup)]).exit, 0);
    // A backup answers too, and no lock is made in it.
    assert_eq!(ask(&backup, &["explain", text(&backup), "2"]).exit, 0);
    let (path, mut bytes, end) = journal(&backup);
    bytes[end / 2] ^= 1;
    fs::write(path, bytes).unwrap();
    each(&backup, 1, "upline doctor");
    fs::write(backup.join("folder"), "upline data folder 9\n").unwrap();
    each(&backup, 3, "has format 9");
    runtime().block_on(async {
        let engine = engine(&folder).await;
        let called = upline(&["explain", text(&folder), "2"]);
        assert_eq!(called.exit, 3, "{called:?}");
        assert!(
            called.error.contains("this data folder is open already"),
            "{called:?}"
        );
        assert!(called.error.contains("upline backup"), "{called:?}");
        engine.stop().await.unwrap();
    });
    // It goes on where it was.
    assert_eq!(upline(&["verify", text(&folder)]).exit, 0);
}

#[test]
fn one_word_is_a_mistake_and_two_are_a_ticket() {
    let folder = data("words");
    let called = upline(&["explain", text(&folder)]);
    assert_eq!(called.exit, 2, "{called:?}");
    assert!(
        called.error.contains("is a folder") && called.error.contains("FOLDER TICKET"),
        "{called:?}"
    );
    let called = upline(&["explain", "bad-span", "--lang", "zh"]);
    assert_eq!(called.exit, 2, "{called:?}");
    let help = upline(&["explain", "--help"]).out;
    assert!(
        help.contains("upline explain [OPTIONS] FOLDER TICKET"),
        "{help}"
    );
    let called = told(&["explain", text(&folder), "order-7"], "0");
    assert!(called.error.contains("reading the journal: "), "{called:?}");
}

#[test]
fn a_migration_is_planned_and_not_done() {
    let folder = data("migrate");
    let file = folder.with_file_name("next.yaml");
    let second = CALL.replace("workflow: call", "workflow: call\nversion: 2");
    let second = second.replace("working", "busy").replace("30 min", "2 h");
    fs::write(&file, &second).unwrap();
    let words = ["migrate", "--plan", text(&folder), text(&file)];
    let called = ask(&folder, &[&words[..], &FRIDAY].concat());
    let expected = "\
call version 2, as of Fri 2026-03-06 16:55 Europe/Berlin
2: moves from version 1
  asked, ann, next clock Mon 09:20
3: stays in version 1: it can't leave `working` for the new version: the new version has no such state
1 can move, 1 can't, 0 have this version already
";
    assert_eq!(
        (called.exit, called.out.as_str()),
        (1, expected),
        "{called:?}"
    );
    let more = ["--state", "working=busy", "--clocks", "restart"];
    let called = ask(&folder, &[&words[..], &more, &FRIDAY].concat());
    assert_eq!(called.exit, 0, "{called:?}");
    assert!(
        called
            .out
            .contains("  asked, ann, next clock Mon 09:20 → Mon 10:55\n"),
        "{called:?}"
    );
    assert!(called.out.contains("  working → busy, ann, "), "{called:?}");
    let json = ask(
        &folder,
        &[&words[..], &more, &["--json", "--ticket", "3"]].concat(),
    )
    .json();
    assert_eq!(
        (&json["movable"], &json["stuck"], &json["version"]),
        (&1.into(), &0.into(), &2.into())
    );
    assert_eq!(json["unused"], serde_json::json!([]));
    let called = ask(&folder, &[&words[..], &["--state", "workin=busy"]].concat());
    let told = "`--state`: none of these tickets is in a state `workin`\n";
    assert!(called.out.contains(told), "{called:?}");
    let other = folder.with_file_name("other.yaml");
    fs::write(&other, CALL.replace("workflow: call", "workflow: another")).unwrap();
    let called = ask(&folder, &["migrate", "--plan", text(&folder), text(&other)]);
    let told = "no open ticket here is of a workflow `another`\n";
    assert!(called.exit == 0 && called.out.ends_with(told), "{called:?}");
    let place = &json["tickets"][0]["positions"][0];
    assert_eq!(
        (&place["from"], &place["to"]),
        (&"working".into(), &"busy".into())
    );
    let called = ask(&folder, &[&words[..], &["--ticket", "1"]].concat());
    assert_eq!(called.exit, 3, "{called:?}");
    let called = ask(&folder, &[&words[..], &["--state", "working"]].concat());
    assert_eq!(called.exit, 2, "{called:?}");
    let called = ask(&folder, &["migrate", text(&folder), text(&file)]);
    assert_eq!(called.exit, 2, "{called:?}");
    assert!(called.error.contains("`--plan`"), "{called:?}");
    fs::write(&file, second.replace("goto: closed", "goto: nowhere")).unwrap();
    let called = ask(&folder, &words);
    assert_eq!((called.exit, called.out.as_str()), (1, ""), "{called:?}");
    assert!(
        called.error.contains("unknown-state") && called.error.contains("next.yaml"),
        "{called:?}"
    );
    fs::write(&file, second.replace("version: 2", "version: 1")).unwrap();
    let called = ask(&folder, &words);
    assert!(
        called.exit == 1 && called.error.contains("raise `version`"),
        "{called:?}"
    );
}
