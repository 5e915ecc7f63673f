//! Journals that a real engine has written, and what they add up to by the plainest way.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;
use upline_core::{Actor, Fact, Wish};

use crate::clock::ManualClock;
use crate::disk::Disk;
use crate::disk::sim::SimDisk;
use crate::engine::{Engine, Handle, Submission};
use crate::index::{Index, IndexOptions};
use crate::journal::{FolderId, Journal, JournalError, JournalReader, Options};
use crate::kit::entropy;
use crate::record::{self, Commit, Entry, File, Number, Record};
use crate::store::fold::Fold;
use crate::store::log::close_moved;
use crate::store::{Batch, MemoryStore, Recovered, Store, StoreError};
use crate::vault::Vault;

const DESK: &str = "
directory: acme
last-resort: user max
people:
  ann: { name: Ann, mail: ann@example.com }
  bob: { name: Bob, mail: bob@example.com }
  eve: { name: Eve, mail: eve@example.com }
  lea: { name: Lea, mail: lea@example.com }
  max: { name: Max, mail: max@example.com }
groups:
  desk: { members: [ann, bob, eve], lead: lea, manager: max }
";

const CALL: &str = "
workflow: call
start: asked
fields:
  caller: { type: contact, label: Caller }
ladders:
  climb: [{ after: 15 min, assign: another in desk }, { after: 30 min, assign: lead of desk }]
states:
  asked:
    assign: least busy in desk
    escalate: climb
    form: [caller]
    actions: { accept: { goto: working }, done: { goto: closed }, wrong: { goto: refused } }
  working:
    assign: who did accept
    escalate: climb
    actions: { done: { goto: closed }, both: { goto: apart } }
  apart:
    parallel:
      branches:
        parts:
          start: ordering
          states:
            ordering: { assign: least busy in desk, escalate: climb, actions: { here: { goto: there } } }
            there: { end: done }
        visit:
          start: planning
          states:
            planning: { assign: lead of desk, escalate: climb, actions: { agreed: { goto: fixed } } }
            fixed: { end: done }
      join: all
      goto: working
  closed: { end: done }
  refused: { end: refused }
";

/// Numbers that look random and are the same each time.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn roll(&mut self, sides: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut roll = self.0;
        roll = (roll ^ (roll >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        roll = (roll ^ (roll >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (roll ^ (roll >> 31)) % sides
    }

    pub(super) fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.roll(all.len() as u64) as usize]
    }
}

/// A store in memory that can be looked into.
struct Kept(Arc<Mutex<MemoryStore>>);

impl Store for Kept {
    fn recover(&mut self, each: &mut crate::store::Show<'_>) -> Result<Recovered, StoreError> {
        self.0.lock().unwrap().recover(each)
    }
    fn make_room(&mut self) -> Result<(), StoreError> {
        Ok(())
    }
    fn next_position(&self) -> u64 {
        self.0.lock().unwrap().next_position()
    }
    fn new_key(&mut self) -> Result<u32, StoreError> {
        self.0.lock().unwrap().new_key()
    }
    fn ticket(&mut self, number: Number) -> Result<Option<Record>, StoreError> {
        self.0.lock().unwrap().ticket(number)
    }
    fn commit(&mut self, batch: Batch<'_>) -> Result<(), StoreError> {
        self.0.lock().unwrap().commit(batch)
    }
    fn read(&self, position: u64) -> Result<Option<Commit>, StoreError> {
        self.0.lock().unwrap().read(position)
    }
    fn destroy_key(&mut self, _key: u32) -> Result<(), StoreError> {
        Ok(())
    }
    fn between_commits(&mut self, _known: &dyn Fn() -> Recovered) -> Result<(), StoreError> {
        Ok(())
    }
}

/// The commits of an engine in which people have done this and that, as a store on disk writes them: what is
/// personal is out of them.
pub(super) fn commits(seed: u64, steps: u64) -> Vec<Commit> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let store = Arc::new(Mutex::new(MemoryStore::new()));
    runtime.block_on(async {
        let clock = ManualClock::at("2026-03-06T09:00:00Z".parse().unwrap());
        let engine = Engine::builder()
            .store(Kept(Arc::clone(&store)))
            .clock(clock.clone())
            .file("desk.yaml", DESK)
            .file("call.yaml", CALL)
            .start()
            .await
            .unwrap();
        let mut dice = Dice(seed);
        for step in 0..steps {
            act(&engine.handle(), &mut dice, step).await;
            if dice.roll(4) == 0 {
                clock.forward(Duration::from_secs(60 * dice.roll(20)));
                engine.handle().settled().await.unwrap();
            }
        }
        engine.stop().await.unwrap();
    });
    let mut commits = store.lock().unwrap().journal().to_vec();
    sprinkle(&mut commits, &mut Dice(!seed));
    commits
}

/// Callers, some of them in several spellings.
pub(super) const CALLERS: [&str; 6] = [
    "Mr Low",
    "Mr Low <low@example.com>",
    "LOW@example.com",
    "+49 30 1234567",
    "0049 (0)30 1234567",
    "王先生",
];

fn caller(step: u64) -> String {
    CALLERS[(step % 6) as usize].into()
}

async fn act(handle: &Handle, dice: &mut Dice, step: u64) {
    let by = Actor::Person((*dice.one_of(&["ann", "bob", "eve", "lea", "max"])).into());
    let mut id = [0; 16];
    id[..8].copy_from_slice(&step.to_le_bytes());
    if step < 3 || dice.roll(4) == 0 {
        let own = dice.roll(5) == 0;
        let keyed = dice.roll(3) == 0;
        let wish = Wish::Open {
            ticket: if own {
                format!("own-{}", dice.roll(40)).into()
            } else {
                "".into()
            },
            key: keyed.then(|| format!("crm/{}", dice.roll(30)).into()),
            parent: None,
            fields: vec![("caller".into(), caller(step))],
        };
        // A key or id that an open ticket has is refused: that is as good a command as any.
        let _ = handle
            .open_with("call", Submission::new(by, wish).id(id))
            .await;
        return;
    }
    let tasks = handle.tasks("lea", 0).await.unwrap().items;
    let ticket = match tasks.first() {
        Some(ticket) if dice.roll(2) == 0 => ticket.id.to_string(),
        _ => (1 + dice.roll(step.div_ceil(4))).to_string(),
    };
    let action = *dice.one_of(&["accept", "done", "wrong", "both", "here", "agreed"]);
    let wish = match dice.roll(8) {
        0 => Wish::Comment {
            text: "Mr Low is ill".into(),
            to_caller: false,
        },
        1 => Wish::Escalate {
            to: None,
            reason: Some("Mr Low calls".into()),
        },
        2 => Wish::Cancel {
            reason: "Mr Low is well".into(),
        },
        _ => Wish::Act {
            action: action.into(),
            // Where the form has it, the caller is another one from now on.
            fields: match step % 3 {
                0 => vec![("caller".into(), caller(step + 1))],
                _ => Vec::new(),
            },
            note: Some("for Mr Low".into()),
        },
    };
    let _ = handle
        .submit(&ticket, Submission::new(by, wish).id(id))
        .await;
}

/// Adds what an engine does rarely, and takes out what is personal.
fn sprinkle(commits: &mut [Commit], dice: &mut Dice) {
    let mut highest = 0;
    for commit in commits {
        for entry in &mut commit.entries {
            if let Entry::Moved(moved) = entry {
                highest = highest.max(moved.number);
                moved.sealed = record::take_events(&mut moved.events).unwrap();
                moved.sealed.reverse();
            }
        }
        if highest == 0 {
            continue;
        }
        let number = 1 + dice.roll(highest);
        match dice.roll(12) {
            0 => commit.entries.push(Entry::Erased {
                number,
                by: "max".into(),
            }),
            why @ 1..=2 => commit.entries.push(Entry::SetAside {
                number,
                why: (why < 2).then(|| "it was broken off".into()),
            }),
            3 => commit.entries.push(Entry::Released {
                number,
                by: "max".into(),
            }),
            4 => commit.entries.push(Entry::Files(vec![File {
                name: "desk.yaml".into(),
                text: DESK.into(),
            }])),
            _ => (),
        }
    }
}

/// The same, so many times over side by side: each with tickets of its own, and each commit has all of them.
pub(super) fn many(commits: Vec<Commit>, times: u64) -> Vec<Commit> {
    let moved = commits.iter().flat_map(|commit| &commit.entries);
    let numbers = moved.filter_map(|entry| match entry {
        Entry::Moved(moved) => Some(moved.number),
        _ => None,
    });
    let each = numbers.max().unwrap_or(0);
    let mut many = commits;
    for commit in &mut many {
        let once = std::mem::take(&mut commit.entries);
        for time in 0..times {
            let entries = once.iter().cloned();
            commit
                .entries
                .extend(entries.map(|entry| another(entry, time, each)));
        }
    }
    many
}

fn another(mut entry: Entry, time: u64, each: Number) -> Entry {
    match &mut entry {
        Entry::Moved(moved) => {
            moved.number += time * each;
            // As many tickets have at most as many keys.
            moved.key += u32::try_from(time * each).unwrap();
            if let Some((id, _)) = &mut moved.command {
                id[15] = time as u8;
            }
            if let Some(Fact::Opened { ticket, key, .. }) =
                moved.events.first_mut().map(|event| &mut event.fact)
            {
                *ticket = match ticket.starts_with("own") {
                    true => format!("{ticket}-{time}").into(),
                    false => moved.number.to_string().into(),
                };
                *key = key.as_ref().map(|key| format!("{key}-{time}").into());
            }
        }
        Entry::Erased { number, .. }
        | Entry::SetAside { number, .. }
        | Entry::Released { number, .. } => *number += time * each,
        Entry::Files(_) => (),
    }
    entry
}

/// A journal and an index beside it.
pub(super) struct Bench {
    pub(super) folder: TempDir,
    pub(super) journal: Journal,
    pub(super) index: Index,
    /// Positions of the commits.
    pub(super) at: Vec<u64>,
    pub(super) commits: Vec<Commit>,
    /// The same before it was sealed.
    pub(super) plain: Vec<Commit>,
    vault: Vault,
    keys: BTreeMap<Number, u32>,
}

impl Bench {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let index = Index::in_folder(folder.path().join("index"), IndexOptions::default());
        let options = Options::new(FolderId([3; 16]));
        let disk: Arc<dyn Disk> = Arc::new(SimDisk::new(1));
        let vault = Vault::open(Arc::clone(&disk), [3; 16], entropy(3)).unwrap();
        let journal = Journal::open::<JournalError>(disk, options, None, |_| Ok(())).unwrap();
        Self {
            plain: Vec::new(),
            vault,
            keys: BTreeMap::new(),
            folder,
            journal,
            index,
            at: Vec::new(),
            commits: Vec::new(),
        }
    }

    /// With a journal that is there already.
    pub(super) fn with(commits: Vec<Commit>) -> Self {
        let mut bench = Self::new();
        commits.into_iter().for_each(|commit| bench.append(commit));
        bench
    }

    pub(super) fn reader(&self) -> JournalReader {
        self.journal.reader()
    }

    pub(super) fn path(&self) -> PathBuf {
        self.folder.path().join("index")
    }

    /// Another handle for the same folder, as after a start.
    pub(super) fn again(&mut self) -> &Index {
        self.index = Index::in_folder(self.path(), IndexOptions::default());
        &self.index
    }

    pub(super) fn append(&mut self, mut commit: Commit) {
        for entry in &mut commit.entries {
            if let Entry::Moved(moved) = entry {
                let mut secrets = std::mem::take(&mut moved.sealed);
                secrets.reverse();
                record::restore_events(&mut moved.events, &secrets).unwrap();
            }
        }
        self.plain.push(commit.clone());
        self.seal(&mut commit);
        self.append_as_it_is(commit);
    }

    /// Under the tickets' keys, which are made and destroyed as an engine does it.
    fn seal(&mut self, commit: &mut Commit) {
        for entry in &mut commit.entries {
            match entry {
                Entry::Moved(moved) => {
                    while self.vault.next() <= moved.key {
                        self.vault.take().unwrap();
                    }
                    self.keys.insert(moved.number, moved.key);
                    close_moved(&self.vault, moved).unwrap();
                }
                Entry::Erased { number, .. } => {
                    if let Some(key) = self.keys.get(number) {
                        self.vault.destroy(*key).unwrap();
                    }
                }
                Entry::Files(_) | Entry::SetAside { .. } | Entry::Released { .. } => (),
            }
        }
    }

    pub(super) fn append_as_it_is(&mut self, mut commit: Commit) {
        for entry in &mut commit.entries {
            if let Entry::Moved(moved) = entry {
                // The store in memory counts commits; a journal has positions.
                moved.previous = moved.previous.map(|before| self.at[before as usize]);
            }
        }
        let bytes = record::encode(&commit, Vec::new()).unwrap();
        let mark = self.journal.append(&bytes).unwrap();
        self.at.push(mark.position.0);
        self.commits.push(commit);
    }

    /// What the first commits add up to.
    pub(super) fn model(&self, commits: usize) -> BTreeMap<Number, Record> {
        let mut fold = Fold::default();
        for (commit, at) in self.commits.iter().zip(&self.at).take(commits) {
            fold.commit(*at, commit.clone(), &mut |_| Ok(None)).unwrap();
        }
        for record in fold.records.values_mut() {
            record.ticket.fields.clear();
        }
        fold.records
    }

    pub(super) fn catch_up(&self) {
        while self.index.catch_up(&self.reader(), 64).unwrap().behind > 0 {}
    }

    /// Everything that the index says of its tickets.
    pub(super) fn all(&self) -> BTreeMap<Number, Record> {
        all(&self.index)
    }
}

pub(super) fn all(index: &Index) -> BTreeMap<Number, Record> {
    let filter = crate::index::Filter::default();
    let mut found = BTreeMap::new();
    let mut after = None;
    loop {
        let page = index.list(&filter, after.as_ref(), 50).unwrap();
        found.extend(page.items.into_iter().map(|record| (record.number, record)));
        after = page.next;
        if after.is_none() {
            return found;
        }
    }
}
