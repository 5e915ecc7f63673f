//! Passwords on the command line.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::service::Service;

const PASSWORD: &str = "correct horse battery staple\n";

/// What a command printed that was given this on its standard input, on each stream, and its exit code.
fn given(command: &mut Command, input: &str) -> (String, String, i32) {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // Whoever refuses before it has read closes the pipe.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        text(output.stdout),
        text(output.stderr),
        output.status.code().unwrap(),
    )
}

#[test]
fn who_has_a_password_logs_in_and_out() {
    let mut service = Service::start("logging-in");
    let words = ["password", "ann-web", "--role", "agent", "--person", "ann"];
    let (entry, said, exit) = given(&mut service.command("-", &words), PASSWORD);
    assert_eq!(exit, 0, "{said}");
    assert!(
        entry.starts_with("[[login]]\nname = \"ann-web\"\n"),
        "{entry}"
    );
    assert!(!(entry.clone() + &said).contains("horse"), "{entry}{said}");
    service.restarted(|data| {
        let file = data.with_file_name("tokens.toml");
        let tokens = fs::read_to_string(&file).unwrap();
        fs::write(&file, tokens + &entry).unwrap();
    });

    let login = ["login", "ann-web"];
    let (token, said, exit) = given(&mut service.command("-", &login), PASSWORD);
    assert_eq!(exit, 0, "{said}");
    assert!(said.contains("it ends at"), "{said}");
    let with = |words: &[&str]| {
        let mut command = service.command("-", words);
        given(command.env("UPLINE_TOKEN", token.trim()), "")
    };
    assert_eq!(with(&["ticket", "list"]).2, 0);
    let (_, said, exit) = with(&["logout"]);
    assert_eq!((said.as_str(), exit), ("the token has ended\n", 0));
    let (_, said, exit) = with(&["ticket", "list"]);
    assert_eq!(exit, 5, "{said}");
    assert!(said.contains("`upline login`"), "{said}");
}

#[test]
fn a_password_that_is_wrong_or_weak_is_told() {
    let service = Service::start("logging-in-wrong");
    let (out, said, exit) = given(&mut service.command("-", &["login", "ann-web"]), PASSWORD);
    assert_eq!((out.as_str(), exit), ("", 5));
    assert_eq!(said, "error: the name or the password is wrong\n");
    let agent = ["password", "ann-web", "--role", "agent", "--person", "ann"];
    for (words, input, expected) in [
        (&agent[..], "too short\n", "15 characters or more"),
        (&agent[..], "", "15 characters or more"),
        (&agent[..], &"x".repeat(2000), "1024 bytes at most"),
        (&agent[..4], PASSWORD, "`person` must say"),
        (
            &["password", "pbx", "--role", "integration"],
            PASSWORD,
            "another system has no password",
        ),
    ] {
        let (out, said, exit) = given(&mut service.command("-", words), input);
        assert_eq!((out.as_str(), exit), ("", 2), "{said}");
        assert!(said.contains(expected), "{said}");
    }
}
