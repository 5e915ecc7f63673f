//! `upline replay`: what its two streams and its exit code say.

use std::process::{Command, Output};

use serde_json::Value;

use crate::repository::root;

const LOG: &str = "tests/data/small-log.csv";
const MAP: &str = "examples/replay/small.map.yaml";
const WORKFLOW: &str = "examples/replay/it-support.yaml";

fn replay(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_upline"));
    let command = command.arg("replay").args(arguments).current_dir(root());
    command.output().unwrap()
}

fn told(output: &Output) -> (String, Option<i32>) {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    (text, output.status.code())
}

#[test]
fn the_json_has_everything() {
    let output = replay(&[LOG, "--map", MAP, "--workflow", WORKFLOW, "--json"]);
    assert_eq!(told(&output), (String::new(), Some(0)));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["facts"]["tickets"], 6);
    assert_eq!(report["problems"]["bad_rows"]["named"][0]["line"], 10);
    assert_eq!(report["play"]["opened"], 6);
    assert_eq!(report["play"]["levels"][0]["level"], "entry");
}

#[test]
fn without_a_workflow_the_log_is_only_counted() {
    let output = replay(&[LOG, "--map", MAP, "--json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&report["facts"]["rows"], &report["play"]),
        (&26.into(), &Value::Null)
    );
}

#[test]
fn a_log_of_another_layout_is_refused_with_its_columns() {
    let (error, exit) = told(&replay(&[
        LOG,
        "--map",
        "examples/replay/bpi-2013.map.yaml",
    ]));
    assert_eq!(exit, Some(1));
    assert!(error.contains("no columns `SR Number`"), "{error}");
    assert!(error.contains("is the delimiter `;`?"), "{error}");
}

#[test]
fn a_mapping_for_another_workflow_is_refused_at_its_places() {
    let other = "workflows/trouble-ticket.yaml";
    let (error, exit) = told(&replay(&[LOG, "--map", MAP, "--workflow", other]));
    assert_eq!(exit, Some(1));
    for expected in [
        "error[unknown-state]: there is no state `queued`",
        "--> examples/replay/small.map.yaml:",
        "error[unknown-field]: there is no field `product`",
        "error[unknown-person]: there is no person `first-1`",
    ] {
        assert!(error.contains(expected), "{expected}: {error}");
    }
}

#[test]
fn what_is_not_there_is_said() {
    for arguments in [
        ["nowhere.csv", "--map", MAP],
        [LOG, "--map", "nowhere.yaml"],
    ] {
        let (error, exit) = told(&replay(&arguments));
        assert_eq!(exit, Some(3), "{error}");
        assert!(error.contains("cannot read `nowhere"), "{error}");
    }
    assert_eq!(told(&replay(&[LOG])).1, Some(2));
}

#[test]
fn a_folder_is_no_log() {
    let (error, exit) = told(&replay(&["tests", "--map", MAP]));
    assert_eq!(
        (error.as_str(), exit),
        (
            "error: `tests` is a folder, not a log\n  help: name the CSV file in it\n",
            Some(2)
        )
    );
}

/// By the clocks of the log, else by those of the workflow's calendar.
#[test]
fn the_reports_times_are_those_of_the_logs_zone() {
    let output = replay(&[LOG, "--map", MAP, "--workflow", WORKFLOW]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let from = text
        .lines()
        .find(|line| line.trim_start().starts_with("from "));
    assert!(
        from.is_some_and(|line| line.ends_with(" Europe/Berlin")),
        "{text}"
    );
    assert!(!text.contains('Z'), "{text}");
}

#[test]
fn where_no_terminal_is_progress_is_lines() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("progress");
    std::fs::create_dir_all(&folder).unwrap();
    let rows = (0..2_500).map(|row| format!("{row},2026-03-06T09:00Z,new\n"));
    let log = folder.join("log.csv");
    std::fs::write(&log, format!("no,time,state\n{}", rows.collect::<String>())).unwrap();
    let map = folder.join("map.yaml");
    let text =
        "log: x\ncolumns: { ticket: no, time: time, status: state }\nmeans: { new: queued }\n";
    std::fs::write(&map, text).unwrap();
    let called = |seconds: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_upline"))
            .args([
                "replay".as_ref(),
                log.as_os_str(),
                "--map".as_ref(),
                map.as_os_str(),
            ])
            .env("UPLINE_PROGRESS_SECONDS", seconds)
            .output()
            .unwrap();
        assert!(output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert_eq!(
        called("0"),
        "reading: 1,000 rows\nreading: 2,000 rows\nreading: 2,500 rows\n"
    );
    assert_eq!(called("3600"), "");
}

#[test]
fn a_key_that_some_take_for_a_yes_is_told_to_be_quoted() {
    let map = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("n.map.yaml");
    let text = "log: x\ncolumns: { ticket: a, time: b, status: c }\nmeans: { n: queued }\n";
    std::fs::write(&map, text).unwrap();
    let (error, exit) = told(&replay(&[LOG, "--map", &map.to_string_lossy()]));
    assert_eq!(exit, Some(1));
    assert!(
        error.contains("write \"n\", or take another word"),
        "{error}"
    );
}
