//! Data folders in which something may not be read, or stands in the place of a file: that is no damage, nobody
//! is sent to the last backup for it, and the rest is looked at all the same.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use upline::Engine;

use crate::data_folders::{CALL, Called, DESK, data, indexed, runtime, text, upline, work};
use crate::harmed::copy;

const SNAPSHOT: &str = "snapshots/00000000000000000003.snap";

/// What can stand in the place of a file and is none.
const THINGS: [&str; 5] = ["pipe", "folder", "loop", "nowhere", "zero"];

fn put(thing: &str, at: &Path) {
    fs::create_dir_all(at.parent().unwrap()).unwrap();
    match thing {
        "pipe" => {
            let made = Command::new("mkfifo").arg(at).status().unwrap();
            assert!(made.success());
        }
        "folder" => fs::create_dir(at).unwrap(),
        "file" => fs::write(at, "").unwrap(),
        "socket" => drop(UnixListener::bind(at).unwrap()),
        "loop" => symlink(at, at).unwrap(),
        "nowhere" => symlink(at.with_file_name("nowhere").join("at all"), at).unwrap(),
        "zero" => symlink("/dev/zero", at).unwrap(),
        other => panic!("{other}"),
    }
}

fn remove(at: &Path) {
    match fs::symlink_metadata(at).unwrap().is_dir() {
        true => fs::remove_dir_all(at).unwrap(),
        false => fs::remove_file(at).unwrap(),
    }
}

/// `doctor` and `verify`, in both languages, with this code.
fn both(folder: &Path, exit: i32) -> [Called; 2] {
    let [english, _] = ["en", "zh"].map(|language| {
        ["doctor", "verify"].map(|command| {
            let called = upline(&[command, text(folder), "--lang", language]);
            assert_eq!(called.exit, exit, "{command}: {called:?}");
            assert!(called.error.is_empty() || command == "verify", "{called:?}");
            called
        })
    });
    english
}

/// Nobody is told of damage or sent to a backup.
fn is_calm(called: &Called) {
    let told = format!("{}{}", called.out, called.error);
    let untrue = [
        "damaged",
        "restore the l",
        "no journal yet",
        "nothing to do",
    ];
    for word in untrue {
        assert!(!told.contains(word), "{word}: {told}");
    }
    assert!(told.contains("nothing is known to be lost"), "{told}");
}

fn start(folder: &Path) -> Result<(), String> {
    runtime().block_on(async {
        let builder = Engine::builder()
            .folder(folder)
            .map_err(|error| error.to_string())?;
        let builder = builder.file("desk.yaml", DESK).file("call.yaml", CALL);
        let engine = builder.start().await.map_err(|error| error.to_string())?;
        engine.stop().await.map_err(|error| error.to_string())
    })
}

#[test]
fn a_snapshot_that_can_t_be_read_is_no_damage() {
    let whole = data("snapshot-unread");
    for thing in THINGS {
        let folder = copy(&whole, "unread");
        put(thing, &folder.join(SNAPSHOT));
        let [looked, verified] = both(&folder, 3);
        is_calm(&looked);
        is_calm(&verified);
        let told = "trouble: the snapshot of commit 3 can't be read: ";
        assert!(looked.out.contains(told), "{looked:?}");
        assert!(looked.out.contains("of commit 3, "), "{looked:?}");
        let told = format!("not looked at: the file \"{SNAPSHOT}\" can't be read (");
        assert!(verified.out.starts_with(&told), "{verified:?}");
        assert!(
            verified.out.contains("all as they were written"),
            "{verified:?}"
        );
        let json = upline(&["verify", text(&folder), "--json"]).json();
        assert_eq!(
            (&json["whole"], json["unread"].as_array().unwrap().len()),
            (&true.into(), 1)
        );
        let refused = start(&folder).unwrap_err();
        assert!(refused.contains("nothing is known to be lost"), "{refused}");
        remove(&folder.join(SNAPSHOT));
        start(&folder).unwrap();
        assert_eq!(upline(&["verify", text(&folder)]).exit, 0);
    }
}

#[test]
fn a_journal_that_can_t_be_read_is_not_damaged_and_not_missing() {
    let whole = data("journal-unread");
    let file = "journal/00000000000000000001.log";
    let places = THINGS.map(|thing| (thing, file));
    let folders = [("file", "journal"), ("pipe", "journal")];
    for (thing, place) in places.into_iter().chain(folders) {
        let folder = copy(&whole, "unread");
        remove(&folder.join(place));
        put(thing, &folder.join(place));
        let [looked, verified] = both(&folder, 3);
        is_calm(&looked);
        is_calm(&verified);
        assert!(looked.out.contains(place), "{thing}: {looked:?}");
        assert!(
            format!("{verified:?}").contains(place) && !verified.out.contains("as they were"),
            "{thing}: {verified:?}"
        );
        let refused = start(&folder).unwrap_err();
        assert!(!refused.contains("restore"), "{refused}");
    }
}

#[test]
fn a_journal_that_is_gone_is_missing() {
    let folder = data("journal-gone");
    fs::rename(folder.join("journal"), folder.with_file_name("moved")).unwrap();
    let called = upline(&["doctor", text(&folder)]);
    assert_eq!(called.exit, 1, "{called:?}");
    assert!(
        called.out.contains("trouble: the journal is missing"),
        "{called:?}"
    );
    assert!(
        called.out.contains("put it back") && !called.out.contains("no journal yet"),
        "{called:?}"
    );
    fs::rename(folder.with_file_name("moved"), folder.join("journal")).unwrap();
    assert_eq!(upline(&["doctor", text(&folder)]).exit, 0);
}

#[test]
fn what_can_t_be_looked_into_keeps_nobody_from_looking_at_the_rest() {
    let whole = data("parts");
    for (thing, part) in [
        ("file", "keys"),
        ("pipe", "keys"),
        ("file", "snapshots"),
        ("pipe", "keys/0000000001"),
        ("folder", "folder"),
    ] {
        let folder = copy(&whole, "part");
        let at = folder.join(part);
        if at.exists() {
            remove(&at);
        }
        put(thing, &at);
        let [looked, verified] = both(&folder, 3);
        is_calm(&looked);
        is_calm(&verified);
        assert!(looked.out.contains(&format!("\"{part}\"")), "{looked:?}");
        assert!(looked.out.contains("last commit"), "{looked:?}");
        assert!(verified.out.contains("head: "), "{verified:?}");
        let json = upline(&["doctor", text(&folder), "--json"]).json();
        assert_eq!(json["findings"][0]["unread"], true);
        assert!(json["journal"]["commits"].as_u64() > Some(5), "{json}");
    }
    // What is damaged besides is damage.
    let folder = copy(&whole, "part");
    put("file", &folder.join("snapshots"));
    fs::write(folder.join("keys/0000000001"), "no keys").unwrap();
    let [looked, verified] = both(&folder, 1);
    for (called, told) in [(looked, "trouble: "), (verified, "damaged: ")] {
        let told = format!("{told}the file \"keys/0000000001\" with tickets' keys is damaged");
        assert!(called.out.contains(&told), "{called:?}");
        assert!(called.out.contains("\"snapshots\" can't be"), "{called:?}");
    }
}

#[test]
fn what_stands_in_the_place_of_the_lock_is_told() {
    let whole = indexed("lock-place");
    for thing in ["folder", "socket", "nowhere"] {
        let folder = copy(&whole, "locked");
        fs::remove_file(folder.join("lock")).unwrap();
        put(thing, &folder.join("lock"));
        if thing == "nowhere" {
            remove(&folder.join("lock"));
            symlink(folder.with_file_name("elsewhere"), folder.join("lock")).unwrap();
        }
        let called = upline(&["doctor", text(&folder)]);
        assert_eq!(called.exit, 1, "{thing}: {called:?}");
        let told = "trouble: what is in the place of the file \"lock\" can't be used (";
        assert!(called.out.contains(told), "{thing}: {called:?}");
        upline(&["verify", text(&folder)]);
        assert!(!folder.with_file_name("elsewhere").exists(), "it was made");
        remove(&folder.join("lock"));
        start(&folder).unwrap();
    }
}

#[test]
fn an_index_that_is_no_folder_is_told() {
    let folder = indexed("index-place");
    fs::remove_dir_all(folder.join("index")).unwrap();
    put("pipe", &folder.join("index"));
    let called = upline(&["doctor", text(&folder)]);
    assert_eq!(called.exit, 0, "{called:?}");
    assert!(
        called
            .out
            .contains("note: the index of all tickets can't be used: ")
            && called.out.contains("nothing is lost"),
        "{called:?}"
    );
}

#[test]
fn verify_makes_no_file() {
    let folder = copy(&indexed("no-lock"), "copied");
    fs::remove_file(folder.join("lock")).unwrap();
    let called = upline(&["verify", text(&folder)]);
    assert!(
        called.exit == 0 && called.out.contains("index: 6 tickets"),
        "{called:?}"
    );
    assert!(!folder.join("lock").exists());
    assert_eq!(upline(&["doctor", text(&folder)]).exit, 0);
    assert!(!folder.join("lock").exists());
}

/// Goes on with a folder, in a way that no other does.
fn go_on(folder: &Path, name: &str) {
    runtime().block_on(async {
        let another = CALL.replacen("call", name, 1);
        let builder = Engine::builder().folder(folder).unwrap();
        let builder = builder.file("desk.yaml", DESK).file("call.yaml", CALL);
        let builder = builder.file("another.yaml", another);
        let engine = builder.start().await.unwrap();
        work(&engine, 5).await;
        let archive = engine.handle().archive().unwrap();
        assert!(archive.ticket("1").await.unwrap().is_some());
        engine.stop().await.unwrap();
    });
}

#[test]
fn an_index_of_another_history_is_not_called_damage_of_the_journal() {
    let one: PathBuf = indexed("histories");
    let other = copy(&one, "other");
    go_on(&one, "short");
    go_on(&other, "a-name-that-is-longer");
    go_on(&other, "a-name-that-is-longer");
    fs::remove_dir_all(other.join("index")).unwrap();
    fs::rename(one.join("index"), other.join("index")).unwrap();
    let verified = upline(&["verify", text(&other)]);
    assert_eq!(verified.exit, 1, "{verified:?}");
    assert!(
        verified.out.contains("all as they were written")
            && verified
                .out
                .contains("index differs: its last commit is none of this journal")
            && verified.out.contains("remove the folder `index`"),
        "{verified:?}"
    );
    assert!(verified.error.is_empty(), "{verified:?}");
    let looked = upline(&["doctor", text(&other)]);
    assert!(
        looked.exit == 1 && looked.out.contains("remove the folder `index`"),
        "{looked:?}"
    );
    assert!(!looked.out.contains("restore"), "{looked:?}");
    fs::remove_dir_all(other.join("index")).unwrap();
    assert_eq!(upline(&["verify", text(&other)]).exit, 0);
}
