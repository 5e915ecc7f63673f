//! A real Prometheus Alertmanager. Where `UPLINE_TEST_ALERTMANAGER` names the program, this test starts it; the
//! checks that run before a change lands install it and set the variable.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use super::*;

/// The variable that names the program.
const PROGRAM: &str = "UPLINE_TEST_ALERTMANAGER";
/// How long anything may take here.
const PATIENCE: Duration = Duration::from_secs(60);

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "{what}: not within {PATIENCE:?}");
        std::thread::park_timeout(Duration::from_millis(50));
    }
}

/// A running Alertmanager that sends everything to a service.
struct Alertmanager {
    folder: TempDir,
    port: u16,
    child: Child,
    agent: ureq::Agent,
}

impl Alertmanager {
    fn start(program: &str, service: &Service) -> Self {
        let folder = tempfile::tempdir().unwrap();
        kept(&folder, "token", TOKEN);
        let (at, upline) = (folder.path().display(), service.daemon().address());
        let config = format!(
            "route: {{ receiver: upline, group_by: [job], group_wait: 100ms, group_interval: 1s, \
             repeat_interval: 2s }}\nreceivers:\n  - name: upline\n    webhook_configs:\n      \
             - url: http://{upline}/v1/hooks/alertmanager\n        send_resolved: true\n        \
             http_config: {{ authorization: {{ credentials_file: {at}/token }} }}\n"
        );
        std::fs::write(folder.path().join("alertmanager.yml"), config).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let child = Command::new(program)
            .arg(format!("--config.file={at}/alertmanager.yml"))
            .arg(format!("--storage.path={at}/data"))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg("--cluster.listen-address=")
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(10)));
        let mut running = Self {
            folder,
            port,
            child,
            agent: config.build().into(),
        };
        wait_until("Alertmanager is ready", || {
            let ended = running.child.try_wait().unwrap();
            assert!(ended.is_none(), "it has ended: {}", running.log());
            let url = format!("http://127.0.0.1:{port}/-/ready");
            let ready = running.agent.get(&url).call();
            ready.is_ok_and(|answer| answer.status() == 200)
        });
        running
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// Says that something fires since then, or that it is over.
    fn tell(&self, name: &str, since: Timestamp, ends: Option<Timestamp>) {
        let mut alert = json!({
            "labels": { "alertname": name, "job": "node", "instance": "db1:9100", "severity": "critical" },
            "annotations": { "summary": format!("{name} 磁盘将满"), "description": "97 %" },
            "generatorURL": "http://prometheus.example/graph",
            "startsAt": since.to_string(),
        });
        if let Some(ends) = ends {
            alert["endsAt"] = ends.to_string().into();
        }
        let url = format!("http://127.0.0.1:{}/api/v2/alerts", self.port);
        let request = self
            .agent
            .post(&url)
            .header("content-type", "application/json");
        let answer = request.send(json!([alert]).to_string()).unwrap();
        assert_eq!(answer.status(), 200);
    }
}

impl Drop for Alertmanager {
    fn drop(&mut self) {
        // It may have ended by itself, which the test has told.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_real_alertmanager_opens_deduplicates_and_resolves() {
    let Ok(program) = std::env::var(PROGRAM) else {
        return;
    };
    let inbound = Inbound::with(&[("alertmanager", "alertmanager")]);
    let monitor = Alertmanager::start(&program, &inbound.service);
    let hour = SignedDuration::from_hours(1);
    let now = Timestamp::now();
    for name in ["DiskFull", "HostDown", "CertExpires"] {
        monitor.tell(name, now, None);
    }
    wait_until("three alerts are three tickets", || inbound.tickets() == 3);
    let by_alert = |name: &str| {
        let ids = ["1", "2", "3"].iter();
        let mut ids = ids.filter(|id| inbound.ticket(id)["fields"]["alert"] == *name);
        (*ids.next().unwrap()).to_owned()
    };
    let disk = by_alert("DiskFull");
    assert_eq!(inbound.state(&disk), "paged");
    let summary = inbound.ticket(&disk)["fields"]["summary"].clone();
    assert!(
        summary
            .as_str()
            .unwrap()
            .starts_with("DiskFull 磁盘将满\n97 %"),
        "{summary}"
    );

    // It repeats what still fires.
    let count = |outcome: &str| {
        let line = format!(
            "upline_inbound_messages_total{{source=\"alertmanager\",outcome=\"{outcome}\"}} "
        );
        let text = inbound.service.get("boss", "/metrics").is(200).text;
        let found = text.lines().find_map(|known| known.strip_prefix(&line));
        found.unwrap().parse::<u64>().unwrap()
    };
    wait_until("the alerts are repeated", || count("known") >= 3);
    assert_eq!((inbound.tickets(), count("opened")), (3, 3));

    monitor.tell("DiskFull", now, Some(Timestamp::now()));
    wait_until("it is over", || inbound.state(&disk) == "restored");
    assert_eq!(
        inbound.state(&by_alert("HostDown")),
        "paged",
        "the others are not"
    );
    // Later it fires again, while somebody still looks whether it holds.
    monitor.tell("DiskFull", Timestamp::now(), Some(Timestamp::now() + hour));
    wait_until("it is back", || inbound.state(&disk) == "paged");
    assert_eq!(
        (inbound.tickets(), count("refused"), count("not-proved")),
        (3, 0, 0),
        "{}",
        monitor.log()
    );
}
