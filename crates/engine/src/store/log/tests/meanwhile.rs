//! Looking for damage on a real disk while an engine moves the journal's beginning and its end on: between
//! any two steps of the look.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::retire::{Ear, ruled, weeks};
use super::*;
use crate::disk::{DiskFile, RealDisk};
use crate::journal::{Report, verify};
use crate::kit::reads::{Between, ReadsOf};

/// What an engine does meanwhile.
type Deed = Box<dyn FnOnce() + Send>;

/// Counts the steps of whoever reads, before one of which something happens.
struct Raced {
    disk: RealDisk,
    taken: AtomicUsize,
    at: usize,
    deed: Mutex<Option<Deed>>,
}

impl Raced {
    fn step(&self) {
        if self.taken.fetch_add(1, Ordering::Relaxed) != self.at {
            return;
        }
        let deed = self
            .deed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(deed) = deed {
            deed();
        }
    }
}

impl Between for Raced {
    type File = Arc<dyn DiskFile>;

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        self.step();
        self.disk.list(folder)
    }

    fn open(&self, path: &str) -> io::Result<Self::File> {
        self.step();
        self.disk.open_read(path)
    }

    fn len(&self, file: &Self::File) -> io::Result<u64> {
        self.step();
        file.len()
    }

    fn read_at(&self, file: &Self::File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        self.step();
        file.read_at(buffer, at)
    }
}

fn on(folder: &Path, ear: &Ear) -> Hand {
    let disk = Arc::new(RealDisk::new(folder));
    let store = LogStore::open(disk, ruled(), entropy(7)).unwrap();
    Hand::open(store.listener(ear.clone()), begin()).unwrap()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (from, name) = entry.map(|one| (one.path(), one.file_name())).unwrap();
        match from.is_dir() {
            true => copy(&from, &to.join(name)),
            false => drop(std::fs::copy(from, to.join(name)).unwrap()),
        }
    }
}

/// Removes all that the rule wants gone, and begins a segment or two.
fn move_on(mut hand: Hand) {
    hand.reading.wall += 20 * 86_400_000;
    for ticket in 0..8 {
        hand.pass(60);
        hand.open_ticket(&format!("Late {ticket}")).unwrap();
    }
}

/// Looks at a copy of the folder; before that step, or never, an engine moves on. What was found, and how many
/// steps it took.
fn raced(home: &Path, folder: &Path, at: usize, spoil: &dyn Fn(&Path)) -> (Report, usize) {
    let place = home.join(format!("at-{at}"));
    copy(folder, &place);
    let hand = on(&place, &Ear::all());
    // Behind the engine's back: it reads no old segment at its start.
    spoil(&place);
    let disk = ReadsOf::new(Raced {
        disk: RealDisk::new(&place),
        taken: AtomicUsize::new(0),
        at,
        deed: Mutex::new(Some(Box::new(move || move_on(hand)))),
    });
    let report = verify(&*disk, None, None, &mut |_| ()).unwrap();
    std::fs::remove_dir_all(&place).unwrap();
    (report, disk.between().taken.load(Ordering::Relaxed))
}

#[test]
fn what_an_engine_moves_on_between_any_two_steps_of_a_look_is_not_called_damaged() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("folder");
    // Whoever follows the journal has seen nothing of it yet, so that nothing was removed.
    let mut hand = on(&folder, &Ear::default());
    weeks(&mut hand, 14, &mut |_| ());
    drop(hand);
    let as_it_is = |_: &Path| ();
    let (still, steps) = raced(home.path(), &folder, usize::MAX, &as_it_is);
    assert!(still.is_whole() && still.first == 1, "{still:?}");
    let (mut behind, mut anew) = (0, 0);
    for at in 0..steps {
        let (report, taken) = raced(home.path(), &folder, at, &as_it_is);
        assert!(report.is_whole(), "at {at}: {report:?}");
        behind += usize::from(report.first > 1);
        anew += usize::from(report.first > 1 && taken > steps);
    }
    // Early on it is not noticed at all; and later the first look would have told of damage.
    assert!(behind > anew && anew > 5, "{behind} {anew} of {steps}");

    // What is damaged stays damaged, whatever moves on.
    let last = |place: &Path| {
        let journal = std::fs::read_dir(place.join("journal")).unwrap();
        let mut names: Vec<_> = journal.map(|one| one.unwrap().path()).collect();
        names.retain(|path| path.extension().is_some_and(|end| end == "log"));
        names.sort();
        names.swap_remove(names.len() - 1)
    };
    let spoil = |place: &Path| {
        let path = last(place);
        let mut bytes = std::fs::read(&path).unwrap();
        // In its first frame, which is not removed.
        bytes[512 + 70] ^= 1;
        std::fs::write(path, bytes).unwrap();
    };
    for at in (0..steps).step_by(7) {
        let (report, _) = raced(home.path(), &folder, at, &spoil);
        assert_eq!(report.damage.len(), 1, "at {at}: {report:?}");
    }
}
