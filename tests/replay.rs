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
