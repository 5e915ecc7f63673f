//! Backups of which a file, or the list of files, is not what was written: `verify`, `doctor` and `restore`
//! say the same of them, and what `restore` refuses is no data folder.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::data_folders::{data, text, upline};
use crate::harmed::copy;

const KEYS: &str = "keys/0000000001";

/// A backup of a data folder, which it is beside.
fn backed_up(name: &str) -> PathBuf {
    let folder = data(name);
    let backup = folder.with_file_name("backup");
    assert_eq!(upline(&["backup", text(&folder), text(&backup)]).exit, 0);
    assert_eq!(upline(&["doctor", text(&backup)]).exit, 0);
    backup
}

/// Changes what `backup.json` says.
fn rewrite(backup: &Path, change: impl FnOnce(&mut Value)) {
    let file = backup.join("backup.json");
    let mut said = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    change(&mut said);
    fs::write(file, serde_json::to_vec_pretty(&said).unwrap()).unwrap();
}

/// The entry of a file.
fn entry<'a>(said: &'a mut Value, path: &str) -> &'a mut Value {
    let files = said["files"].as_array_mut().unwrap();
    files.iter_mut().find(|file| file["path"] == path).unwrap()
}

/// Another first byte of a hash.
fn another(hash: &mut Value) {
    match hash {
        Value::Array(bytes) => bytes[0] = (bytes[0].as_u64().unwrap() ^ 1).into(),
        Value::String(digits) => {
            let first = if digits.starts_with('0') { "1" } else { "0" };
            digits.replace_range(..1, first);
        }
        other => panic!("{other}"),
    }
}

/// All three say of the backup what is wrong with it, and nothing is made of it.
fn refused(backup: &Path, told: &str) {
    let verified = upline(&["verify", text(backup)]);
    assert_eq!(verified.exit, 1, "{told}: {verified:?}");
    let line = format!("damaged: {told}");
    assert!(
        verified.out.lines().any(|one| one.starts_with(&line)),
        "{verified:?}"
    );
    assert!(
        !verified.out.contains("as they were written"),
        "{verified:?}"
    );
    let looked = upline(&["doctor", text(backup)]);
    assert_eq!(looked.exit, 1, "{told}: {looked:?}");
    let line = format!("trouble: {told}");
    assert!(
        looked.out.contains(&line) && !looked.out.contains("nothing to do"),
        "{looked:?}"
    );
    let chinese = upline(&["verify", text(backup), "--lang", "zh"]);
    assert!(
        chinese.exit == 1 && !chinese.out.contains(told),
        "{chinese:?}"
    );

    let to = backup.with_file_name("restored");
    let restored = upline(&["restore", text(backup), text(&to)]);
    assert_eq!(restored.exit, 1, "{told}: {restored:?}");
    let line = format!("the backup is not what was written: {told}");
    assert!(restored.error.contains(&line), "{told}: {restored:?}");
    assert!(!to.join("folder").exists(), "{told}: it is a data folder");
    if to.exists() {
        if fs::read_dir(&to).unwrap().next().is_some() {
            let looked = upline(&["doctor", text(&to)]);
            assert_ne!(looked.exit, 0, "{told}: {looked:?}");
        }
        fs::remove_dir_all(to).unwrap();
    }
}

#[test]
fn a_file_that_says_whose_it_is_and_is_not_as_written_makes_no_data_folder() {
    let backup = backed_up("identity");
    let harmed = copy(&backup, "harmed");
    rewrite(&harmed, |said| another(&mut entry(said, "folder")["hash"]));
    refused(&harmed, "the file \"folder\" has changed since");

    let harmed = copy(&backup, "harmed");
    let own = fs::read_to_string(harmed.join("folder")).unwrap();
    fs::write(harmed.join("folder"), own.replacen('1', "7", 1)).unwrap();
    let called = upline(&[
        "restore",
        text(&harmed),
        text(&backup.with_file_name("restored")),
    ]);
    assert!(
        called.exit == 1 && called.error.contains("\"folder\" has changed since"),
        "{called:?}"
    );
    assert!(!backup.with_file_name("restored").join("folder").exists());
    let _ = fs::remove_dir_all(backup.with_file_name("restored"));

    let harmed = copy(&backup, "harmed");
    rewrite(&harmed, |said| another(&mut said["folder"]));
    refused(&harmed, "the file \"backup.json\" is of the data folder ");
}

#[test]
fn a_list_that_says_another_last_commit_is_told() {
    let backup = backed_up("listed-head");
    let harmed = copy(&backup, "harmed");
    rewrite(&harmed, |said| another(&mut said["head"]["hash"]));
    refused(
        &harmed,
        "the file \"backup.json\" says that the last commit is ",
    );
    let harmed = copy(&backup, "harmed");
    rewrite(&harmed, |said| said["head"] = Value::Null);
    refused(
        &harmed,
        "the file \"backup.json\" says that the last commit is none",
    );
}

#[test]
fn keys_that_are_not_as_listed_are_told() {
    let backup = backed_up("listed-keys");
    let changed = format!("the file \"{KEYS}\" has changed since");
    type Change = fn(&mut Value);
    let cases: [(Change, &str); 4] = [
        (|said| another(&mut entry(said, KEYS)["hash"]), &changed),
        (
            |said| {
                let length = entry(said, KEYS)["length"].as_u64().unwrap();
                entry(said, KEYS)["length"] = (length + 1).into();
            },
            &changed,
        ),
        (
            |said| entry(said, KEYS)["path"] = "keys/0000000513".into(),
            "the file \"keys/0000000513\" of the backup is missing",
        ),
        (
            |said| {
                let files = said["files"].as_array_mut().unwrap();
                files.retain(|file| file["path"] != KEYS);
            },
            "the file \"keys/0000000001\" is there, but \"backup.json\" does not list it",
        ),
    ];
    for (change, told) in cases {
        let harmed = copy(&backup, "harmed");
        rewrite(&harmed, change);
        refused(&harmed, told);
    }
}

/// The bytes that were written are all there, and it is said how many there were.
#[test]
fn a_file_with_bytes_behind_what_was_written_has_changed() {
    let backup = backed_up("appended");
    let said: Value =
        serde_json::from_slice(&fs::read(backup.join("backup.json")).unwrap()).unwrap();
    for file in said["files"].as_array().unwrap() {
        let (path, length) = (
            file["path"].as_str().unwrap(),
            file["length"].as_u64().unwrap(),
        );
        let harmed = copy(&backup, "harmed");
        let mut bytes = fs::read(harmed.join(path)).unwrap();
        bytes.push(7);
        fs::write(harmed.join(path), bytes).unwrap();
        let more = length + 1;
        let told =
            format!("the file \"{path}\" has changed since: it has {more} bytes, and had {length}");
        refused(&harmed, &told);
    }
}

/// What a service keeps in its folder besides the tickets comes back, and for nobody else to read.
#[test]
fn the_secrets_of_a_service_are_in_a_backup_for_nobody_else() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = data("secrets");
    let secret = format!("{}\n", "7e".repeat(32));
    fs::write(folder.join("mail.key"), &secret).unwrap();
    let (backup, to) = (
        folder.with_file_name("backup"),
        folder.with_file_name("restored"),
    );
    assert_eq!(upline(&["backup", text(&folder), text(&backup)]).exit, 0);
    assert_eq!(upline(&["restore", text(&backup), text(&to)]).exit, 0);
    for folder in [&backup, &to] {
        let key = folder.join("mail.key");
        assert_eq!(fs::read_to_string(&key).unwrap(), secret);
        let rights = fs::metadata(&key).unwrap().permissions().mode();
        assert_eq!(rights & 0o777, 0o600, "{}", key.display());
        assert!(!folder.join("links.key").exists());
    }
    assert_eq!(upline(&["doctor", text(&to)]).exit, 0);
    fs::remove_dir_all(&to).unwrap();
    let harmed = copy(&backup, "harmed");
    fs::write(harmed.join("mail.key"), "another\n").unwrap();
    refused(
        &harmed,
        "the file \"mail.key\" has changed since: it has 8 bytes, and had 65",
    );
}
