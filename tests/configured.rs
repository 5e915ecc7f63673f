//! `upline config show`: which settings hold, and where each came from.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::service::{printed, upline};

#[test]
fn the_settings_that_were_given_are_shown_and_those_that_hold() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("shown-settings");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("upline.toml");
    let text = "data = \"d\"\n[mail]\nserver = \"mail.example.com\"\nfrom = \"desk@example.com\"\n\
        user = \"desk\"\npassword = { env = \"UPLINE_MAIL_PASSWORD\" }\n";
    fs::write(&file, text).unwrap();
    let show = |words: &[&str], variable: &str| {
        let mut command = upline(&["config", "show", "--log", "debug"]);
        command.args(words).arg("--config").arg(&file);
        command
            .env("UPLINE_WORKFLOWS", "w")
            .env(variable, "simsalabim");
        printed(&mut command)
    };
    let rows = |words: &[&str]| {
        let (said, exit) = show(&[words, &["--json"]].concat(), "UPLINE_MAIL_PASSWORD");
        assert_eq!(exit, 0, "{said}");
        assert!(!said.contains("simsalabim"), "{said}");
        let rows: Vec<Value> = serde_json::from_str(&said).expect(&said);
        let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
        let one = |row: &Value| {
            (
                text(row, "setting"),
                (text(row, "value"), text(row, "source")),
            )
        };
        rows.iter().map(one).collect::<BTreeMap<_, _>>()
    };
    let (given, all) = (rows(&[]), rows(&["--effective"]));
    let file = file.to_str().unwrap();
    let pair = |value: &str, source: &str| (value.to_owned(), source.to_owned());
    assert_eq!(given["workflows"], pair("w", "UPLINE_WORKFLOWS"));
    assert_eq!(given["log"], pair("debug", "--log"));
    assert_eq!(given["mail.server"], pair("mail.example.com", file));
    assert!(given["mail.password"].0.contains("UPLINE_MAIL_PASSWORD"));
    assert!(!given.contains_key("listen") && !given.contains_key("mail.port"));
    assert_eq!(all["listen"], pair("127.0.0.1:8080", "default"));
    assert!(given.iter().all(|(name, row)| all[name] == *row));
    assert!(all.values().any(|(_, source)| source == "default"));
    let (said, exit) = show(&["--effective"], "UPLINE_MAIL_PASSWORD");
    assert_eq!(exit, 0, "{said}");
    assert!(said.lines().next().unwrap().ends_with("from"), "{said}");
    let (said, exit) = show(&[], "UPLINE_LISTN");
    assert_eq!(exit, 2, "{said}");
    assert!(said.contains("did you mean `UPLINE_LISTEN`?"), "{said}");
    let (said, exit) = show(&[], "UPLINE_BLESS");
    assert_eq!(exit, 0, "{said}");
    assert!(
        said.contains("warning: `UPLINE_BLESS` is no setting"),
        "{said}"
    );
}
