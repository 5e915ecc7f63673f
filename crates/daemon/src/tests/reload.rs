//! Files that change while the daemon runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::kit::shipped_copy;
use crate::tokens::{Tokens, hash};
use crate::{Daemon, Start};

/// How long a change may take to hold.
const PATIENCE: Duration = Duration::from_secs(30);

struct Watched {
    runtime: Runtime,
    daemon: Daemon,
    workflows: TempDir,
    etc: TempDir,
    _data: TempDir,
}

/// A file of tokens in which this secret is an admin's.
fn token(secret: &str) -> String {
    let hash = hash(secret);
    format!("[[token]]\nname = \"boss\"\nhash = \"{hash}\"\nrole = \"admin\"\n")
}

fn start() -> Watched {
    let (workflows, etc) = (shipped_copy(), tempfile::tempdir().unwrap());
    let data = tempfile::tempdir().unwrap();
    let file = etc.path().join("tokens.toml");
    fs::write(&file, token("upl_first")).unwrap();
    let listen = "127.0.0.1:0".parse().unwrap();
    let start = Start::new(data.path(), workflows.path(), listen)
        .tokens(Tokens::read(&token("upl_first")).unwrap())
        .token_file(Some(file))
        .watch_files(true);
    let runtime = Runtime::new().unwrap();
    let daemon = runtime.block_on(Daemon::start(start)).unwrap();
    Watched {
        runtime,
        daemon,
        workflows,
        etc,
        _data: data,
    }
}

impl Watched {
    fn get(&self, path: &str, secret: &str) -> (u16, String) {
        let url = format!("http://{}{path}", self.daemon.address());
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .build()
            .into();
        let request = agent
            .get(url)
            .header("authorization", format!("Bearer {secret}"));
        let mut response = request.call().unwrap();
        let text = response.body_mut().read_to_string().unwrap();
        (response.status().as_u16(), text)
    }

    /// What an operator is warned of.
    fn warnings(&self) -> Vec<String> {
        let (status, text) = self.get("/readyz", "");
        assert_eq!(status, 200, "{text}");
        let ready: Value = serde_json::from_str(&text).unwrap();
        let warnings = ready["warnings"].as_array().unwrap();
        let told = |one: &Value| format!("{}: {}", one["code"], one["detail"]);
        warnings.iter().map(told).collect()
    }

    fn wait_until(&self, what: &str, is_so: impl Fn() -> bool) {
        let end = Instant::now() + PATIENCE;
        while !is_so() {
            assert!(Instant::now() < end, "{what}: {:?}", self.warnings());
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }

    fn workflow(&self) -> PathBuf {
        self.workflows.path().join("it-incident.yaml")
    }
}

/// As editors do: another file takes its place.
fn replace(file: &Path, text: &str) {
    let new = file.with_extension("tmp");
    fs::write(&new, text).unwrap();
    fs::rename(new, file).unwrap();
}

#[test]
fn a_file_that_changes_holds_and_a_broken_one_is_told() {
    let watched = start();
    assert_eq!(watched.warnings(), [""; 0]);
    let text = fs::read_to_string(watched.workflow()).unwrap();
    let raised = text.replace("version: 1\n", "version: 2\n");
    assert_ne!(raised, text);
    fs::write(watched.workflow(), raised.replace("start: ", "start: no-")).unwrap();
    watched.wait_until("the first mistake is told with its place", || {
        watched.warnings().iter().any(|one| {
            one.contains("\"files\"")
                && one.contains("it-incident.yaml:")
                && one.contains("there is no state `no-arrived`")
                && one.contains("errors); what was in force before holds on")
        })
    });
    replace(&watched.workflow(), &raised);
    watched.wait_until("it is right again", || watched.warnings().is_empty());
    // What holds now has the new version.
    let handle = watched.daemon.handle();
    let open = handle.open(
        "it-incident",
        upline::core::Actor::System("test".into()),
        Vec::new(),
    );
    let id = watched.runtime.block_on(open).unwrap().id;
    let ticket = watched
        .runtime
        .block_on(handle.ticket(&id))
        .unwrap()
        .unwrap();
    assert_eq!(ticket.version, 2);
}

#[test]
fn a_folder_that_is_emptied_or_gone_is_told_and_one_that_comes_back_is_read() {
    let watched = start();
    assert_eq!(watched.warnings(), [""; 0]);
    let (folder, away) = (watched.workflows.path(), watched.etc.path().join("away"));
    let told = |word: &str| watched.warnings().iter().any(|one| one.contains(word));
    fs::create_dir(&away).unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        fs::rename(&path, away.join(path.file_name().unwrap())).unwrap();
    }
    watched.wait_until("it is empty", || {
        told("\"no-files\"") && told("has no file that ends in `.yaml`")
    });
    // What was in force is in force.
    let by = || upline::core::Actor::System("test".into());
    let open = |handle: upline::Handle| {
        let open = handle.open("it-incident", by(), Vec::new());
        watched.runtime.block_on(open)
    };
    open(watched.daemon.handle()).unwrap();
    fs::remove_dir(folder).unwrap();
    watched.wait_until("it is gone", || told("\"files\"") && told("No such file"));
    open(watched.daemon.handle()).unwrap();
    fs::rename(&away, folder).unwrap();
    watched.wait_until("it is back", || watched.warnings().is_empty());
    // And it is watched again.
    fs::write(watched.workflow(), "workflow: ").unwrap();
    watched.wait_until("a change is seen", || told("it-incident.yaml:"));
}

#[test]
fn tokens_come_and_go_and_a_broken_file_locks_nobody_out() {
    let watched = start();
    let file = watched.etc.path().join("tokens.toml");
    let status = |secret: &str| watched.get("/v1/tickets", secret).0;
    assert_eq!((status("upl_first"), status("upl_second")), (200, 401));
    fs::write(&file, "[[token]]\nname = ").unwrap();
    watched.wait_until("a mistake is told", || {
        watched
            .warnings()
            .iter()
            .any(|one| one.contains("\"tokens\""))
    });
    assert_eq!(status("upl_first"), 200);
    replace(&file, &token("upl_second"));
    watched.wait_until("the new one gets in", || status("upl_second") == 200);
    assert_eq!(status("upl_first"), 401);
    assert_eq!(watched.warnings(), [""; 0]);
    // Something else in that folder is not its business.
    fs::write(watched.etc.path().join("other.toml"), "x").unwrap();
    watched.runtime.block_on(watched.daemon.stop()).unwrap();
}
