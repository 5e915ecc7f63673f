//! What the benches of the engine and of the daemon share: the desk, the workload, folders, callers, and what the system says of this process.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use upline::core::{Actor, Name, Wish};
use upline::index::State;
use upline::{Builder, Engine, Handle, Submission};

/// How much is done: all of it, or so little that it is a test.
#[derive(Clone, Copy)]
pub(crate) struct Scale {
    pub(crate) measured: bool,
}

impl Scale {
    pub(crate) fn of(self, full: u64, tiny: u64) -> u64 {
        if self.measured { full } else { tiny }
    }

    pub(crate) fn seconds(self, full: f64) -> Duration {
        Duration::from_secs_f64(if self.measured { full } else { 0.02 })
    }
}

/// How many people the desk has, beside its lead and its manager.
pub(crate) const PEOPLE: usize = 20;

/// 20 people in one group, a lead, a manager.
pub(crate) fn desk() -> String {
    let ids: Vec<String> = (0..PEOPLE).map(|one| format!("p{one}")).collect();
    let people: String = ids
        .iter()
        .map(|id| format!("  {id}: {{ name: Agent {id}, mail: {id}@example.com }}\n"))
        .collect();
    format!(
        "directory: acme\nlast-resort: user max\npeople:\n{people}\
         \x20 lea: {{ name: Lea, mail: lea@example.com }}\n\
         \x20 max: {{ name: Max, mail: max@example.com }}\n\
         groups:\n  desk: {{ members: [{}], lead: lea, manager: max }}\n",
        ids.join(", ")
    )
}

/// The trouble ticket, short: asked, worked on, closed; `first` is the first step of its ladder.
pub(crate) fn call(first: &str) -> String {
    format!(
        "
workflow: call
start: asked
fields:
  caller: {{ type: contact, label: Caller }}
  problem: {{ type: text, label: Problem }}
ladders:
  climb:
    - {{ {first} }}
    - {{ after: 1 h, assign: another in desk }}
    - {{ after: 2 h, assign: lead of desk }}
states:
  asked:
    assign: least busy in desk
    escalate: climb
    actions: {{ accept: {{ goto: working }} }}
  working:
    assign: who did accept
    escalate: climb
    actions:
      resolve: {{ goto: closed }}
      hand-back: {{ goto: asked }}
  closed: {{ end: done }}
"
    )
}

pub(crate) fn folder(name: &str) -> PathBuf {
    let base = std::env::var_os("UPLINE_BENCH_FOLDER");
    let base = base.map_or_else(std::env::temp_dir, PathBuf::from);
    base.join(format!("upline-bench-{}-{name}", std::process::id()))
}

pub(crate) fn remove(path: &Path) {
    std::fs::remove_dir_all(path).expect("the folder goes");
}

/// Passed from one colleague to the next.
pub(crate) const QUARTER: &str = "after: 15 min, assign: another in desk";
/// Not for a while.
pub(crate) const LATER: &str = "after: 90 min, assign: another in desk";
/// Soon, and once.
pub(crate) const SOON: &str = "after: 2 s, assign: lead of desk";

/// An engine's parts with the workload's files, whose ladder has `first` as its first step.
pub(crate) fn builder(first: &str) -> Builder {
    Engine::builder()
        .file("desk.yaml", desk())
        .file("call.yaml", call(first))
        .on_incident(|incident| eprintln!("incident: {incident:?}"))
}

pub(crate) async fn started(path: &Path, first: &str) -> Engine {
    let builder = builder(first).folder(path).expect("a data folder");
    builder.start().await.expect("it starts")
}

pub(crate) fn max() -> Actor {
    Actor::Operator("max".into())
}

pub(crate) async fn open(handle: &Handle) -> Name {
    let fields = vec![
        ("caller".into(), "Mr Low".into()),
        ("problem".into(), "no dial tone since this morning".into()),
    ];
    let done = handle.open("call", max(), fields).await;
    done.expect("it opens").id
}

pub(crate) async fn act(handle: &Handle, ticket: &str, action: &str) {
    let wish = Wish::Act {
        action: action.into(),
        fields: Vec::new(),
        note: None,
    };
    let done = handle.submit(ticket, Submission::new(max(), wish)).await;
    done.expect("it acts");
}

/// Opens so many tickets, 1,024 callers at a time.
pub(crate) async fn fill(handle: &Handle, count: u64) {
    const CALLERS: u64 = 1024;
    everybody(CALLERS.min(count), |caller| {
        let handle = handle.clone();
        async move {
            let share = count / CALLERS.min(count) + u64::from(caller < count % CALLERS.min(count));
            for _ in 0..share {
                open(&handle).await;
            }
        }
    })
    .await;
}

/// Runs callers side by side until all have ended.
pub(crate) async fn everybody<F, T>(callers: u64, caller: impl Fn(u64) -> F) -> Vec<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    let mut set = JoinSet::new();
    for one in 0..callers {
        set.spawn(caller(one));
    }
    set.join_all().await
}

/// Poisson arrivals, so many a second: what each does gets its number. How long each took, from when it came.
pub(crate) async fn arrivals<F>(
    rate: f64,
    time: Duration,
    work: impl Fn(usize) -> F,
) -> Vec<Duration>
where
    F: Future<Output = ()> + Send + 'static,
{
    let (comes, mut arrivals) = tokio::sync::mpsc::unbounded_channel();
    // A thread that waits in the kernel between two of them: one that looked at the clock without a pause would
    // take one of the two cores from what is measured.
    let door = std::thread::spawn(move || {
        let (mut numbers, began, mut due) = (Numbers(1), Instant::now(), Duration::ZERO);
        while due < time {
            due += Duration::from_secs_f64(-numbers.share().ln() / rate);
            while let Some(left) = due.checked_sub(began.elapsed()) {
                std::thread::park_timeout(left);
            }
            if comes.send(began + due).is_err() {
                return;
            }
        }
    });
    let (mut set, mut count) = (JoinSet::new(), 0);
    while let Some(came) = arrivals.recv().await {
        let work = work(count);
        count += 1;
        set.spawn(async move {
            work.await;
            came.elapsed()
        });
    }
    door.join().expect("the arrivals have ended");
    set.join_all().await
}

/// Waits until the index has all that was committed.
pub(crate) async fn followed(handle: &Handle) {
    let archive = handle.archive().expect("an index");
    while !matches!(archive.state(), State::Following { behind: 0 }) {
        tokio::time::sleep_until((Instant::now() + Duration::from_millis(2)).into()).await;
    }
}

/// Ids of tickets as the engine gives them: the first so many.
pub(crate) async fn ids(handle: &Handle, most: usize) -> Vec<Name> {
    let (mut found, mut after) = (Vec::new(), 0);
    while found.len() < most {
        let page = handle.tickets(upline::Filter::default(), after).await;
        let page = page.expect("a page");
        found.extend(page.items.into_iter().map(|ticket| ticket.id));
        match page.next {
            Some(next) => after = next,
            None => break,
        }
    }
    found.truncate(most);
    found
}

/// 4 KiB appended and synced, in a file whose room was written before: how often a second this disk can.
pub(crate) fn limit(time: Duration) -> f64 {
    let all = syncs(time);
    all.len() as f64 / all.iter().sum::<Duration>().as_secs_f64()
}

/// The same: how long each took.
pub(crate) fn syncs(time: Duration) -> Vec<Duration> {
    use std::os::unix::fs::FileExt;
    let path = folder("limit");
    let file = std::fs::File::create(&path).expect("a file");
    let room = 64 << 20;
    file.write_all_at(&vec![0; room], 0).expect("room");
    file.sync_all().expect("a sync");
    let (began, mut all) = (Instant::now(), Vec::new());
    while began.elapsed() < time {
        let (at, one) = ((all.len() * 4096) % room, Instant::now());
        file.write_all_at(&[7; 4096], at as u64).expect("a write");
        file.sync_data().expect("a sync");
        all.push(one.elapsed());
    }
    drop(file);
    std::fs::remove_file(&path).expect("the file goes");
    all
}

/// Numbers that look random and are the same each time (splitmix64; public domain, Vigna 2015).
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Above 0, at most 1.
    pub(crate) fn share(&mut self) -> f64 {
        ((self.next() >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }
}

/// Latencies: the median, 99 and 99.9 of 100, the longest, in milliseconds.
pub(crate) fn spread(mut all: Vec<Duration>) -> String {
    all.sort_unstable();
    let at = |share: f64| {
        let index = (all.len() as f64 * share) as usize;
        let one = all.get(index.min(all.len().saturating_sub(1)));
        one.map_or(0.0, |one| one.as_secs_f64() * 1000.0)
    };
    format!(
        "p50 {:.2} ms, p99 {:.2} ms, p99.9 {:.2} ms, longest {:.2} ms ({} of them)",
        at(0.5),
        at(0.99),
        at(0.999),
        at(1.0),
        all.len()
    )
}

/// A number out of `/proc/self/status`, in kilobytes where it is one of memory.
pub(crate) fn status_of_process(name: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(name));
    let number = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
    number.unwrap_or(0)
}

/// Bytes that this process has caused to be written to disks.
pub(crate) fn written() -> u64 {
    let text = std::fs::read_to_string("/proc/self/io").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("write_bytes"));
    let number = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
    number.unwrap_or(0)
}

/// Seconds of processor that this process has used.
pub(crate) fn processor() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks = |index| -> u64 {
        let field = after_name.split_whitespace().nth(index);
        field.and_then(|field| field.parse().ok()).unwrap_or(0)
    };
    // utime and stime, in ticks of 10 ms; see proc_pid_stat(5).
    (ticks(11) + ticks(12)) as f64 / 100.0
}

/// Bytes that the files of a folder take on the disk.
pub(crate) fn size(path: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let Ok(entries) = std::fs::read_dir(path) else {
        return 0;
    };
    let sizes = entries.flatten().map(|entry| match entry.metadata() {
        Ok(meta) if meta.is_dir() => size(&entry.path()),
        Ok(meta) => meta.blocks() * 512,
        Err(_) => 0,
    });
    sizes.sum()
}
