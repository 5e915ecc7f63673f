//! `upline verify`, `backup` and `restore`, on data folders that an engine has written.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use serde_json::Value;
use upline::Engine;
use upline::core::Actor;
use upline::disk::RealDisk;
use upline::store::log::{LogOptions, LogStore};
use upline::vault::system_entropy;

pub(crate) const DESK: &str = "
directory: acme
last-resort: user max
people: { ann: { mail: ann@example.com }, max: { mail: max@example.com } }
";
pub(crate) const CALL: &str = "
workflow: call
start: asked
ladders: { climb: [{ after: 15 min, assign: user max }] }
states:
  asked: { assign: user ann, escalate: climb, actions: { done: { goto: closed } } }
  closed: { end: done }
";

/// An empty place for a test.
pub(crate) fn place(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("data-{name}"));
    if path.exists() {
        fs::remove_dir_all(&path).unwrap();
    }
    fs::create_dir_all(&path).unwrap();
    path
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

/// An engine on a data folder whose journal's files are small.
async fn engine(folder: &Path) -> Engine {
    let mut options = LogOptions::default();
    options.segment_bytes = 1 << 16;
    let disk = Arc::new(RealDisk::new(folder));
    let store = LogStore::open(disk, options, system_entropy()).unwrap();
    let builder = Engine::builder().store(store);
    let builder = builder.file("desk.yaml", DESK).file("call.yaml", CALL);
    builder.start().await.unwrap()
}

/// Opens tickets and ends every second one.
pub(crate) async fn work(engine: &Engine, tickets: usize) {
    let handle = engine.handle();
    for ticket in 0..tickets {
        let opened = handle
            .open("call", Actor::Person("max".into()), vec![])
            .await
            .unwrap();
        if ticket % 2 == 0 {
            let done = handle
                .act(&opened.id, Actor::Person("ann".into()), "done")
                .await;
            done.unwrap();
        }
    }
}

/// A data folder of an engine that has stopped.
pub(crate) fn data(name: &str) -> PathBuf {
    let folder = place(name).join("data");
    runtime().block_on(async {
        let engine = engine(&folder).await;
        work(&engine, 6).await;
        engine.stop().await.unwrap();
    });
    folder
}

#[derive(Debug)]
pub(crate) struct Called {
    pub(crate) out: String,
    pub(crate) error: String,
    pub(crate) exit: i32,
}

impl Called {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// `upline` with these words; the paths are words of their own, so that any path will do.
pub(crate) fn upline(words: &[&str]) -> Called {
    told(words, "3600")
}

pub(crate) fn told(words: &[&str], seconds: &str) -> Called {
    let output = Command::new(env!("CARGO_BIN_EXE_upline"))
        .args(words)
        .env("NO_COLOR", "1")
        .env("UPLINE_PROGRESS_SECONDS", seconds)
        .output()
        .unwrap();
    Called {
        out: String::from_utf8(output.stdout).unwrap(),
        error: String::from_utf8(output.stderr).unwrap(),
        exit: output.status.code().unwrap(),
    }
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The last file of the journal, and how many of its bytes are written.
pub(crate) fn journal(folder: &Path) -> (PathBuf, Vec<u8>, usize) {
    let files = fs::read_dir(folder.join("journal")).unwrap();
    let mut files: Vec<PathBuf> = files.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let written = |path: &PathBuf| {
        let bytes = fs::read(path).unwrap();
        let end = bytes
            .iter()
            .rposition(|byte| *byte != 0)
            .map_or(0, |last| last + 1);
        (path.clone(), bytes, end)
    };
    // A next file may have been made already, with nothing in it but its header.
    files
        .iter()
        .map(written)
        .max_by_key(|(_, _, end)| *end)
        .unwrap()
}

#[test]
fn a_good_folder_is_whole() {
    let folder = data("good");
    let called = upline(&["verify", text(&folder)]);
    assert_eq!((called.exit, called.error.as_str()), (0, ""), "{called:?}");
    let mut lines = called.out.lines();
    let first = lines.next().unwrap();
    assert!(
        first.ends_with("commits from number 1 on, all as they were written"),
        "{first}"
    );
    let head = lines
        .next()
        .and_then(|line| line.strip_prefix("head: "))
        .unwrap();
    let json = upline(&["verify", text(&folder), "--head", head, "--json"]).json();
    assert_eq!(json["whole"], true);
    assert_eq!(json["anchored"], true);
    assert_eq!(json["head"], head);
    assert_eq!((&json["first"], &json["more"]), (&1.into(), &0.into()));
    assert!(
        json["frames"].as_u64().is_some_and(|frames| frames >= 9),
        "{json}"
    );
    assert_eq!(json["damage"], serde_json::json!([]));
    let called = upline(&["verify", text(&folder), "--head", "yesterday"]);
    assert_eq!(called.exit, 2, "{called:?}");
    assert!(called.error.contains("`yesterday`"), "{called:?}");
}

#[test]
fn a_flipped_byte_is_found_and_not_backed_up_as_good() {
    let folder = data("flipped");
    let (path, mut bytes, end) = journal(&folder);
    bytes[end / 2] ^= 1;
    fs::write(&path, bytes).unwrap();
    let called = upline(&["verify", text(&folder)]);
    assert_eq!(called.exit, 1, "{called:?}");
    assert!(called.out.starts_with("damaged: "), "{called:?}");
    assert!(!called.out.contains("as they were written"), "{called:?}");
    let name = path.file_name().unwrap().to_str().unwrap();
    assert!(called.out.contains(name), "{called:?}");
    let called = upline(&["verify", text(&folder), "--json"]);
    let json = called.json();
    assert_eq!((called.exit, &json["whole"]), (1, &false.into()));
    assert!(!json["damage"].as_array().unwrap().is_empty(), "{json}");
    // What is damaged is not a backup that somebody would rely on.
    let to = folder.with_file_name("backup");
    let back = upline(&["backup", text(&folder), text(&to)]);
    if back.exit == 0 {
        let restored = upline(&["restore", text(&to), text(&folder.with_file_name("new"))]);
        assert_eq!(restored.exit, 1, "{restored:?}");
    } else {
        assert_eq!(back.exit, 1, "{back:?}");
        assert!(!to.join("backup.json").exists());
    }
}

/// What a crash leaves of a commit that was not acknowledged is no damage; an acknowledged one that is gone is
/// found by the head that was kept elsewhere.
#[test]
fn a_torn_tail_is_found_by_the_head() {
    let folder = data("torn");
    let json = upline(&["verify", text(&folder), "--json"]).json();
    let head = json["head"].as_str().unwrap().to_owned();
    let frames = json["frames"].as_u64().unwrap();
    let (path, mut bytes, end) = journal(&folder);
    bytes[end - 20..].fill(0);
    fs::write(&path, bytes).unwrap();
    let called = upline(&["verify", text(&folder), "--json"]);
    let json = called.json();
    assert_eq!(json["frames"].as_u64(), Some(frames - 1), "{json}");
    assert_ne!(json["head"], head.as_str());
    let called = upline(&["verify", text(&folder), "--head", &head]);
    assert_eq!(called.exit, 1, "{called:?}");
    assert!(!called.out.contains("as they were written"), "{called:?}");
    let json = upline(&["verify", text(&folder), "--head", &head, "--json"]).json();
    assert_eq!(
        (&json["whole"], &json["anchored"]),
        (&false.into(), &false.into())
    );
    assert!(!json["damage"].as_array().unwrap().is_empty(), "{json}");
}

#[test]
fn what_is_no_data_folder_is_told_and_left_alone() {
    let folder = place("none");
    let (nowhere, foreign) = (folder.join("nowhere"), folder.join("foreign"));
    fs::create_dir(&foreign).unwrap();
    fs::write(foreign.join("letter.txt"), "dear").unwrap();
    let to = folder.join("to");
    for from in [&nowhere, &foreign] {
        for words in [
            vec!["verify", text(from)],
            vec!["backup", text(from), text(&to)],
            vec!["restore", text(from), text(&to)],
        ] {
            let called = upline(&words);
            assert_eq!(
                (called.exit, called.out.as_str()),
                (3, ""),
                "{words:?}: {called:?}"
            );
            let name = format!("`{}`", text(from));
            assert!(called.error.contains(&name), "{words:?}: {called:?}");
            let json = upline(&[words, vec!["--json"]].concat()).json();
            assert_eq!(json["exit"], 3);
        }
    }
    assert!(!nowhere.exists());
    assert_eq!(fs::read_dir(&foreign).unwrap().count(), 1);
    // A backup is told from a data folder, and the other way round.
    let data = data("other-sort");
    let called = upline(&["restore", text(&data), text(&to)]);
    assert_eq!(called.exit, 3, "{called:?}");
    assert!(
        called.error.contains("this is no whole backup"),
        "{called:?}"
    );
}

#[test]
fn a_backup_is_restored_to_the_same() {
    let folder = data("there-and-back");
    let (backup, new) = (
        folder.with_file_name("backup"),
        folder.with_file_name("new"),
    );
    let called = upline(&["backup", text(&folder), text(&backup)]);
    assert_eq!((called.exit, called.error.as_str()), (0, ""), "{called:?}");
    assert!(called.out.starts_with("backed up: "), "{called:?}");
    let head = called
        .out
        .trim_end()
        .rsplit_once("head: ")
        .unwrap()
        .1
        .to_owned();
    assert_eq!(upline(&["verify", text(&backup), "--head", &head]).exit, 0);
    let called = upline(&["restore", text(&backup), text(&new), "--json"]);
    let json = called.json();
    assert_eq!(called.exit, 0);
    assert_eq!(json["format"], 1);
    assert!(
        json["folder"].is_string() && json["head"] == head.as_str(),
        "{json}"
    );
    for file in json["files"].as_array().unwrap() {
        let path = new.join(file["path"].as_str().unwrap());
        assert_eq!(
            path.metadata().unwrap().len(),
            file["length"].as_u64().unwrap()
        );
        assert!(file["bytes"].as_u64() <= file["length"].as_u64());
    }
    assert_eq!(upline(&["verify", text(&new), "--head", &head]).exit, 0);
    // An engine goes on where the other one stopped.
    runtime().block_on(async {
        let engine = engine(&new).await;
        work(&engine, 1).await;
        engine.stop().await.unwrap();
    });
    // A backup in which a byte changed is not restored.
    let (path, mut bytes, end) = journal(&backup);
    bytes[end - 1] ^= 1;
    fs::write(path, bytes).unwrap();
    let other = folder.with_file_name("other");
    let called = upline(&["restore", text(&backup), text(&other)]);
    assert_eq!(called.exit, 1, "{called:?}");
    assert!(
        called.error.contains("the backup is not what was written"),
        "{called:?}"
    );
    assert!(
        !other.join("folder").exists(),
        "it would be taken for a data folder"
    );
}

#[test]
fn nothing_is_copied_onto_what_is_there() {
    let folder = data("onto");
    let (backup, other) = (
        folder.with_file_name("backup"),
        folder.with_file_name("other"),
    );
    fs::create_dir(&other).unwrap();
    fs::write(other.join("letter.txt"), "dear").unwrap();
    assert_eq!(upline(&["backup", text(&folder), text(&backup)]).exit, 0);
    for words in [
        ["backup", text(&folder), text(&other)],
        ["backup", text(&folder), text(&backup)],
        ["backup", text(&folder), text(&folder)],
        ["restore", text(&backup), text(&other)],
        ["restore", text(&backup), text(&folder)],
    ] {
        let called = upline(&words);
        assert_eq!(
            (called.exit, called.out.as_str()),
            (2, ""),
            "{words:?}: {called:?}"
        );
        assert!(
            called.error.contains("must be empty, and has \""),
            "{words:?}: {called:?}"
        );
        // It is the other folder that is in the way.
        let start = format!("error: `{}`", words[2]);
        assert!(called.error.starts_with(&start), "{words:?}: {called:?}");
    }
    assert_eq!(
        fs::read_to_string(other.join("letter.txt")).unwrap(),
        "dear"
    );
    assert_eq!(fs::read_dir(&other).unwrap().count(), 1);
    let inside = folder.join("backups").join("today");
    let called = upline(&["backup", text(&folder), text(&inside)]);
    assert_eq!(called.exit, 2, "{called:?}");
    assert!(
        called.error.contains("is inside of the folder"),
        "{called:?}"
    );
    assert!(!folder.join("backups").exists());
    assert_eq!(upline(&["verify", text(&folder)]).exit, 0);
}

/// While another process writes the folder, it can be looked through and backed up, and not restored onto.
#[test]
fn a_folder_in_use_is_read_and_not_disturbed() {
    let folder = place("in-use").join("data");
    let backup = folder.with_file_name("backup");
    runtime().block_on(async {
        let engine = engine(&folder).await;
        work(&engine, 4).await;
        assert_eq!(upline(&["verify", text(&folder)]).exit, 0);
        let called = upline(&["backup", text(&folder), text(&backup)]);
        assert_eq!(called.exit, 0, "{called:?}");
        let called = upline(&["restore", text(&backup), text(&folder)]);
        assert_eq!(called.exit, 2, "{called:?}");
        work(&engine, 2).await;
        engine.stop().await.unwrap();
    });
    let frames =
        |folder: &Path| upline(&["verify", text(folder), "--json"]).json()["frames"].as_u64();
    assert!(frames(&backup) < frames(&folder));
}

#[test]
fn long_work_tells_how_far_it_has_come() {
    let folder = data("progress");
    let backup = folder.with_file_name("backup");
    let called = told(&["verify", text(&folder)], "0");
    assert!(called.error.starts_with("verifying: 1 of "), "{called:?}");
    let called = told(&["backup", text(&folder), text(&backup)], "0");
    assert!(
        called.error.starts_with("copying: ") && called.error.contains(" of "),
        "{called:?}"
    );
    // What programs read is not disturbed by it.
    told(&["verify", text(&backup), "--json"], "0").json();
}

/// A data folder of an engine that keeps an index.
pub(crate) fn indexed(name: &str) -> PathBuf {
    let folder = place(name).join("data");
    runtime().block_on(async {
        let builder = Engine::builder().folder(&folder).unwrap();
        let builder = builder.file("desk.yaml", DESK).file("call.yaml", CALL);
        let engine = builder.start().await.unwrap();
        work(&engine, 6).await;
        let archive = engine.handle().archive().unwrap();
        assert!(archive.ticket("1").await.unwrap().is_some());
        engine.stop().await.unwrap();
    });
    folder
}

#[test]
fn verify_compares_the_index_with_the_journal() {
    let folder = indexed("verify-index");
    let called = upline(&["verify", text(&folder)]);
    assert!(
        called.out.contains("index: 6 tickets up to commit "),
        "{called:?}"
    );
    let index = upline(&["--json", "verify", text(&folder)]).json()["index"].clone();
    assert_eq!(
        (&index["state"], &index["tickets"]),
        (&"equal".into(), &6.into())
    );
    fs::write(folder.join("index/db"), [7; 9000]).unwrap();
    let called = upline(&["verify", text(&folder)]);
    assert_eq!(called.exit, 1, "{called:?}");
    assert!(
        called.out.contains("index: damaged, and nothing is lost"),
        "{called:?}"
    );
    assert_eq!(
        called.error, "",
        "a panic that was caught is not on the screen"
    );
    let json = upline(&["--json", "verify", text(&folder)]).json();
    assert_eq!(json["index"]["state"], "damaged");
    assert_eq!(json["whole"], true);
    fs::remove_dir_all(folder.join("index")).unwrap();
    assert_eq!(upline(&["verify", text(&folder)]).exit, 0);
}

#[test]
fn doctor_says_what_is_there_and_what_to_do() {
    let folder = indexed("doctor");
    let called = upline(&["doctor", text(&folder)]);
    assert_eq!(called.exit, 0, "{called:?}");
    for part in [
        "data folder",
        "in use",
        "last commit",
        "committed",
        "keys",
        "index",
        "nothing to do",
    ] {
        assert!(called.out.contains(part), "{part}: {called:?}");
    }
    let json = upline(&["--json", "doctor", text(&folder)]).json();
    assert_eq!(
        (&json["kind"], &json["in_use"]),
        (&"data-folder".into(), &false.into())
    );
    assert_eq!(json["index"]["commit"], json["journal"]["commits"]);

    let key = folder.join("keys/0000000001");
    fs::write(&key, "no keys").unwrap();
    let called = upline(&["doctor", text(&folder)]);
    assert_eq!(called.exit, 1, "{called:?}");
    assert!(
        called.out.contains("trouble: ") && called.out.contains("  now: put back"),
        "{called:?}"
    );

    let other = place("doctor-other");
    assert_eq!(upline(&["doctor", text(&other)]).exit, 0);
    fs::write(other.join("song.mp3"), "la").unwrap();
    assert_eq!(upline(&["doctor", text(&other)]).exit, 3);
    let missing = upline(&["doctor", text(&other.join("nowhere"))]);
    assert!(
        missing.exit == 3 && missing.error.contains("nowhere"),
        "{missing:?}"
    );
}
