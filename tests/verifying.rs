//! `upline verify` on folders that are not what they say.

use std::fs;

use crate::data_folders::{data, text, upline};

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
