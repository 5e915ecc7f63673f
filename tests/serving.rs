//! `upline serve` and `upline token`, as an operator meets them.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::documents::upline;
use crate::repository::root;

fn call(arguments: &[&str]) -> (String, i32) {
    let arguments: Vec<String> = arguments.iter().map(|one| (*one).to_owned()).collect();
    upline(&arguments)
}

/// An empty folder of this test's own.
fn folder(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
        .join("serving")
        .join(name);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

#[test]
fn a_daemon_starts_answers_and_stops_when_it_is_told() {
    let folder = folder("stops");
    let config = folder.join("upline.toml");
    let workflows = root().join("workflows");
    let text = format!(
        "data = \"tickets\"\nworkflows = \"{}\"\nlisten = \"127.0.0.1:0\"\n",
        workflows.display()
    );
    fs::write(&config, text).unwrap();
    let mut daemon = Command::new(env!("CARGO_BIN_EXE_upline"))
        .args(["serve", "--config"])
        .arg(&config)
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut log = BufReader::new(daemon.stderr.take().unwrap());
    let mut codes = Vec::new();
    let address = loop {
        let mut line = String::new();
        assert_ne!(
            log.read_line(&mut line).unwrap(),
            0,
            "it has ended: {codes:?}"
        );
        let entry: serde_json::Value = serde_json::from_str(&line).expect(&line);
        codes.push(entry["code"].as_str().unwrap().to_owned());
        if entry["code"] == "started" {
            break entry["address"].as_str().unwrap().to_owned();
        }
    };
    assert!(codes.contains(&"no-tokens".to_owned()), "{codes:?}");
    let ask = |path: &str| {
        let mut stream = TcpStream::connect(&address).unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        // Whoever sends too much may be hung up on before all of it is sent.
        let sent = stream.write_all(request.as_bytes());
        let mut answer = Vec::new();
        let read = stream.read_to_end(&mut answer);
        let whole = sent.is_ok() && read.is_ok();
        (String::from_utf8(answer).unwrap(), whole)
    };
    assert!(ask("/readyz").0.starts_with("HTTP/1.1 200"));
    assert!(ask("/v1/tickets").0.starts_with("HTTP/1.1 401"));
    #[cfg(target_os = "linux")]
    {
        let status = fs::read_to_string(format!("/proc/{}/status", daemon.id())).unwrap();
        assert!(
            !status.contains("THP_enabled:\t1"),
            "the system may give it huge pages: {status}"
        );
    }
    let long = format!("/{}", "x".repeat(20_000));
    let (refusal, whole) = ask(&long);
    assert!(
        refusal.starts_with("HTTP/1.1 4") || (refusal.is_empty() && !whole),
        "a line that is too long: {refusal}"
    );
    // A connection that says nothing does not hold up the stop.
    let _idle = TcpStream::connect(&address).unwrap();
    let told = Command::new("kill")
        .arg(daemon.id().to_string())
        .status()
        .unwrap();
    assert!(told.success());
    assert_eq!(daemon.wait().unwrap().code(), Some(0));
    let mut rest = String::new();
    log.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("\"code\":\"stopped\""), "{rest}");
    assert!(
        folder.join("tickets").is_dir(),
        "a path in the file is meant from where the file is"
    );
}

#[test]
fn one_that_is_told_to_stop_while_it_starts_stops() {
    let folder = folder("stops-early");
    let mut daemon = crate::service::upline(&["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(folder.join("tickets"))
        .arg("--workflows")
        .arg(root().join("workflows"))
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = BufReader::new(daemon.stderr.take().unwrap());
    let mut first = String::new();
    log.read_line(&mut first).unwrap();
    assert!(first.contains("\"no-tokens\""), "{first}");
    for signal in ["-HUP", "-TERM"] {
        let told = Command::new("kill")
            .args([signal, &daemon.id().to_string()])
            .status();
        assert!(told.unwrap().success());
    }
    let mut rest = String::new();
    log.read_to_string(&mut rest).unwrap();
    assert_eq!(daemon.wait().unwrap().code(), Some(0), "{rest}");
}

/// What a service manager is told, in the order in which it is.
#[test]
fn a_service_manager_is_told_that_it_is_ready_alive_reading_and_stopping() {
    let folder = folder("manager");
    // A socket's path must be short.
    let socket = std::env::temp_dir().join(format!("upline-{}", std::process::id()));
    let _ = fs::remove_file(&socket);
    let manager = UnixDatagram::bind(&socket).unwrap();
    let long = std::time::Duration::from_secs(60);
    manager.set_read_timeout(Some(long)).unwrap();
    let mut daemon = Command::new(env!("CARGO_BIN_EXE_upline"))
        .args(["serve", "--listen", "127.0.0.1:0", "--log", "off", "--data"])
        .arg(folder.join("tickets"))
        .arg("--workflows")
        .arg(root().join("workflows"))
        .env("NOTIFY_SOCKET", &socket)
        .env("WATCHDOG_USEC", "200000")
        .spawn()
        .unwrap();
    let wait_for = |what: &str| {
        let mut buffer = [0; 4096];
        loop {
            let length = manager.recv(&mut buffer).unwrap();
            let told = std::str::from_utf8(&buffer[..length]).unwrap().to_owned();
            if told.lines().any(|line| line == what) {
                return told;
            }
            assert_eq!(told, "WATCHDOG=1\n", "while waiting for {what}");
        }
    };
    assert!(wait_for("READY=1").contains("STATUS=listening on 127.0.0.1:"));
    for _ in 0..3 {
        wait_for("WATCHDOG=1");
    }
    let kill = |signal: &str| {
        let killed = Command::new("kill")
            .args([signal, &daemon.id().to_string()])
            .status();
        assert!(killed.unwrap().success());
    };
    kill("-HUP");
    assert!(wait_for("RELOADING=1").contains("MONOTONIC_USEC="));
    wait_for("READY=1");
    kill("-TERM");
    wait_for("STOPPING=1");
    assert_eq!(daemon.wait().unwrap().code(), Some(0));
    fs::remove_file(&socket).unwrap();
}

#[test]
fn what_is_wrong_with_a_start_is_told_in_full() {
    let folder = folder("wrong");
    let workflows = folder.join("workflows");
    fs::create_dir(&workflows).unwrap();
    for name in ["directory.yaml", "trouble-ticket.yaml"] {
        let text = fs::read_to_string(root().join("workflows").join(name)).unwrap();
        let text = text
            .replace("start: new", "start: nwe")
            .replace("goto: resolved,", "goto: solved,");
        fs::write(workflows.join(name), text).unwrap();
    }
    let data = folder.join("data").display().to_string();
    let workflows = workflows.display().to_string();
    let both = ["serve", "--data", &data, "--workflows", &workflows];
    let with = |more: &[&'static str]| {
        let arguments: Vec<&str> = both.iter().copied().chain(more.iter().copied()).collect();
        call(&arguments)
    };
    let (said, exit) = with(&["--listen", "127.0.0.1:0", "--log", "off"]);
    assert_eq!(exit, 1, "{said}");
    assert!(
        said.contains("there is no state `nwe`") && said.contains("`solved`"),
        "{said}"
    );
    let (said, exit) = with(&["--listen", "0.0.0.0:0", "--log", "off"]);
    assert_eq!(exit, 2, "{said}");
    assert!(
        said.contains("there are no tokens") && said.contains("help: "),
        "{said}"
    );
    let (said, exit) = with(&["--listen", "here", "--log", "loud"]);
    assert_eq!(exit, 2, "{said}");
    assert!(
        said.contains("`listen` (--listen)") && said.contains("the levels are"),
        "{said}"
    );
    let (said, exit) = call(&["serve", "--config", "nowhere.toml"]);
    assert_eq!(exit, 3, "{said}");
}

#[test]
fn settings_and_tokens_are_printed() {
    let (said, exit) = call(&["serve", "--data", "d", "--workflows", "w", "--settings"]);
    assert_eq!(exit, 0, "{said}");
    assert!(
        said.contains("127.0.0.1:8080") && said.contains("--data"),
        "{said}"
    );
    let (said, exit) = call(&["token", "ann-phone", "--role", "agent", "--person", "ann"]);
    assert_eq!(exit, 0, "{said}");
    assert!(
        said.contains("hash = \"blake3:") && said.contains("upl_"),
        "{said}"
    );
    let (said, exit) = call(&["token", "ann-phone", "--role", "agent"]);
    assert_eq!(exit, 2, "{said}");
    assert!(said.contains("`person` must say"), "{said}");
}
