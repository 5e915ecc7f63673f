//! A desk's life, for two hours: 200 commands a second by people and systems who do not wait for each other,
//! one caller in twenty behaves badly, one receiver of webhooks in twenty and one mail in twenty go wrong. At
//! the end every ticket must be where its commands have brought it, and every message must have its fate.

mod desk;
mod drive;
mod end;
mod life;
#[path = "../../crates/daemon/src/tests/peer.rs"]
#[expect(
    dead_code,
    clippy::unwrap_used,
    reason = "it is the tests' too, which use more of it"
)]
mod peer;
mod peers;
#[path = "../../crates/daemon/src/tests/post.rs"]
#[expect(
    dead_code,
    clippy::unwrap_used,
    reason = "it is the tests' too, which use more of it"
)]
mod post;
mod rude;
mod tally;
mod watch;

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use upline_daemon::settings::{Given, Settings};
use upline_daemon::tokens::Tokens;
use upline_daemon::{Daemon, Signals, start_log, use_small_pages};

use self::drive::World;
use self::peers::Peers;
use self::watch::Watch;
pub(crate) use self::watch::resident;

/// The variable that makes this program the daemon, with the settings of that file.
pub(crate) const SETTINGS: &str = "UPLINE_SOAK_SETTINGS";

/// How large a soak is.
#[derive(Debug, Clone)]
struct Scale {
    /// Whether what depends on the machine's speed is judged.
    is_timed: bool,
    /// For how long it drives.
    time: Duration,
    /// Commands a second.
    rate: u32,
    teams: usize,
    /// How long a level of a ladder waits, in seconds.
    span: u64,
    /// After how long silence ends a ticket, in seconds.
    lapse: u64,
    /// For how long one peer misbehaves, before it is the next one's turn.
    turn: Duration,
    /// How often the daemon is looked at.
    look: Duration,
    /// How often a line is printed, and the memory noted.
    note: Duration,
    /// How long messages may take to be sent in the end.
    patience: Duration,
    /// How long a daemon that was started again rests before it is looked at.
    rest: Duration,
}

impl Scale {
    fn of(measured: bool) -> Self {
        if !measured {
            return Self {
                is_timed: false,
                time: Duration::from_secs(2),
                rate: 40,
                teams: 2,
                span: 1,
                lapse: 6,
                turn: Duration::from_secs(2),
                look: Duration::from_millis(500),
                note: Duration::from_secs(2),
                patience: Duration::from_secs(300),
                rest: Duration::ZERO,
            };
        }
        let minutes = std::env::var("UPLINE_SOAK_MINUTES").ok();
        let minutes = minutes.map_or(Ok(120), |minutes| minutes.parse());
        let minutes: u64 = minutes.expect("UPLINE_SOAK_MINUTES is a number");
        Self {
            is_timed: true,
            time: Duration::from_secs(60 * minutes),
            rate: 200,
            teams: 50,
            span: 3,
            lapse: 30,
            turn: Duration::from_secs(60),
            look: Duration::from_secs(10),
            note: Duration::from_secs(60),
            patience: Duration::from_secs(30 * 60),
            rest: Duration::from_secs(60),
        }
    }
}

/// The whole soak; whether nothing was wrong.
pub(crate) async fn run(measured: bool) -> bool {
    let scale = Scale::of(measured);
    let base = std::env::var_os("UPLINE_BENCH_FOLDER");
    let base = base.map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = base.join(format!("upline-soak-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    println!(
        "soak: {} commands a second for {} s; folder {}",
        scale.rate,
        scale.time.as_secs(),
        folder.display()
    );
    let peers = Peers::start(scale.turn);
    let port = free_port();
    let settings = desk::write(&folder, &scale, &peers, port);
    let daemon = start(&folder, &settings);
    let world = World::new((Ipv4Addr::LOCALHOST, port).into(), scale);
    let mut watch = Watch::new(daemon.id());
    world.until_ready().await;
    let driven = drive::drive(&world, &mut watch, &peers).await;
    end::settle(&world, &mut watch, &peers).await;
    end::audit(&world, &driven, &peers).await;
    stop(daemon, &world).await;
    end::verify_tickets(&folder.join("data"), driven.len(), &world);
    let again = started_again(&folder, &settings, &world).await;
    watch.judge(&world, again);
    let clean = world.tally.report(&peers);
    if clean {
        std::fs::remove_dir_all(folder).expect("it is removed");
    } else {
        println!("soak: the folder is kept: {}", folder.display());
    }
    clean
}

/// A port that nobody listens on: the settings need its number before the daemon has it.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.local_addr().expect("its address").port()
}

/// The daemon as a process of its own: this program, as [`daemon`]. Its log is a file.
fn start(folder: &Path, settings: &Path) -> Child {
    let program = std::env::current_exe().expect("this program");
    let mut log = std::fs::File::options();
    let log = log
        .create(true)
        .append(true)
        .open(folder.join("daemon.log"))
        .expect("a log");
    Command::new(program)
        .env(SETTINGS, settings)
        .stdin(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("the daemon starts")
}

/// What `upline serve --config FILE` does.
pub(crate) async fn daemon(settings: &Path) {
    let text = std::fs::read_to_string(settings).expect("settings");
    let settings = Settings::read(&Given::default().text(settings, text)).expect("settings");
    let tokens = settings.tokens.value.as_ref().expect("a file of tokens");
    let tokens = std::fs::read_to_string(tokens).expect("tokens");
    use_small_pages();
    start_log(settings.log.value);
    let start = settings.start(Tokens::read(&tokens).expect("tokens"));
    let signals = Signals::listen().expect("signals");
    let daemon = match Daemon::start(start).await {
        Ok(daemon) => daemon,
        Err(error) => {
            eprintln!("the daemon does not start: {error}");
            std::process::exit(1);
        }
    };
    daemon.run(signals).await.expect("it stops");
}

/// How many KB a daemon has that is started on the folder again, when it has had the time to give back what it
/// needs only at its start.
async fn started_again(folder: &Path, settings: &Path, world: &World) -> f64 {
    let daemon = start(folder, settings);
    world.until_ready().await;
    let began = Instant::now();
    let mut beat = tokio::time::interval(Duration::from_millis(250));
    while began.elapsed() < world.scale.rest {
        beat.tick().await;
    }
    let again = watch::resident(daemon.id());
    stop(daemon, world).await;
    again.unwrap_or_else(|| {
        world.tally.wrong("it does not start on its folder again");
        f64::NAN
    })
}

/// It is asked to end as a service is.
async fn stop(mut daemon: Child, world: &World) {
    let began = Instant::now();
    let asked = Command::new("kill").arg(daemon.id().to_string()).status();
    if !asked.is_ok_and(|status| status.success()) {
        world.tally.wrong("the daemon was not there to be stopped");
    }
    let ended = tokio::task::spawn_blocking(move || daemon.wait()).await;
    match ended {
        Ok(Ok(status)) if status.success() => (),
        other => world
            .tally
            .wrong(format!("the daemon ended with {other:?}")),
    }
    println!("soak: it stopped within {} ms", began.elapsed().as_millis());
}

/// The driver's, which all of its commands under way have.
type Shared = Arc<World>;
