use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::Engine;
use crate::clock::ManualClock;
use crate::disk::{Disk, RealDisk};
use crate::kit::{CALL, DESK, begin, person};
use crate::store::log::{LogOptions, LogStore};
use crate::vault::system_entropy;

async fn engine(folder: &Path) -> Engine {
    let builder = Engine::builder().folder(folder).unwrap();
    let builder = builder.clock(ManualClock::at(begin()));
    let builder = builder.file("desk.yaml", DESK).file("call.yaml", CALL);
    builder.start().await.unwrap()
}

async fn with_tickets(folder: &Path) {
    let engine = engine(folder).await;
    let handle = engine.handle();
    for _ in 0..5 {
        handle
            .open("call", person("max"), Vec::new())
            .await
            .unwrap();
    }
    handle.settled().await.unwrap();
    #[cfg(feature = "sled")]
    assert_eq!(handle.archive().unwrap().ticket("9").await.unwrap(), None);
    engine.stop().await.unwrap();
}

fn look(folder: &Path) -> Checkup {
    examine(folder, &mut |_, _| ()).unwrap()
}

fn said(checkup: &Checkup) -> String {
    let findings = checkup.findings.iter();
    findings
        .map(|one| format!("{:?}: {}\n", one.severity, one.what))
        .collect()
}

#[tokio::test]
async fn a_folder_in_order_is_fine_stopped_and_in_use() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("data");
    assert_eq!(
        examine(&folder, &mut |_, _| ()).unwrap_err().kind(),
        io::ErrorKind::NotFound
    );
    fs::create_dir(&folder).unwrap();
    assert_eq!(look(&folder).kind, Kind::Empty);
    with_tickets(&folder).await;
    let checkup = look(&folder);
    assert!(
        checkup.is_fine() && checkup.kind == Kind::DataFolder,
        "{checkup:?}"
    );
    let journal = checkup.journal.unwrap();
    assert_eq!(journal.last_at.as_deref(), Some("2026-03-06T09:00:00Z"));
    assert!(journal.commits > Some(5) && journal.damage.is_empty());
    assert_eq!(checkup.keys.unwrap().files, 1);
    #[cfg(feature = "sled")]
    assert_eq!(checkup.index.unwrap().commit, journal.commits);
    let engine = engine(&folder).await;
    let checkup = look(&folder);
    assert!(checkup.is_fine() && checkup.in_use, "{checkup:?}");
    assert!(checkup.journal.unwrap().head.is_some());
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn every_part_that_is_damaged_is_named_with_what_to_do() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("data");
    with_tickets(&folder).await;
    fs::write(folder.join("holiday.jpg"), "sun").unwrap();
    fs::write(folder.join("snapshots.txt"), "").unwrap();
    fs::create_dir_all(folder.join("snapshots")).unwrap();
    fs::write(folder.join("snapshots/00000000000000000003.snap"), "no").unwrap();
    let checkup = look(&folder);
    assert!(checkup.is_fine(), "{checkup:?}");
    assert_eq!(checkup.strangers, ["holiday.jpg", "snapshots.txt"]);
    assert!(
        said(&checkup).contains("snapshot of commit 3"),
        "{}",
        said(&checkup)
    );

    #[cfg(feature = "sled")]
    {
        let spoil = || {
            // sled, which has panicked in this process, may have the old file locked for ever.
            fs::remove_file(folder.join("index/db")).unwrap();
            fs::write(folder.join("index/db"), [7; 9000]).unwrap();
        };
        spoil();
        let checkup = look(&folder);
        assert!(checkup.is_fine() && checkup.index.as_ref().unwrap().damage.is_some());
        spoil();
        let compared = compare_index(&folder, &mut |_, _| ()).unwrap();
        assert!(matches!(compared, IndexCheck::Damaged(_)), "{compared:?}");
    }

    let key = folder.join("keys/0000000001");
    let mut bytes = fs::read(&key).unwrap();
    bytes[100] ^= 1;
    fs::write(&key, bytes).unwrap();
    assert!(!look(&folder).is_fine());
    let elsewhere = home.path().join("keys");
    fs::rename(folder.join("keys"), &elsewhere).unwrap();
    let missing = look(&folder);
    let told = said(&missing);
    assert!(
        told.contains("0000000001\" with tickets' keys is missing"),
        "{told}"
    );
    fs::rename(elsewhere, folder.join("keys")).unwrap();

    let segment = folder.join("journal/00000000000000000001.log");
    let mut bytes = fs::read(&segment).unwrap();
    bytes[700] ^= 1;
    fs::write(&segment, bytes).unwrap();
    let checkup = look(&folder);
    let said = said(&checkup);
    assert!(
        said.contains("journal is damaged") && said.contains("keys"),
        "{said}"
    );
    assert!(
        checkup
            .findings
            .iter()
            .all(|finding| !finding.advice.is_empty())
    );
    let order: Vec<Severity> = checkup.findings.iter().map(|one| one.severity).collect();
    assert!(order.is_sorted_by(|a, b| a >= b));
}

/// On a folder of which a snapshot is made now and then.
async fn snapshotted(folder: &Path) -> Result<Engine, crate::StartError> {
    let mut options = LogOptions::default();
    (options.snapshot_commits, options.beside) = (5, false);
    let disk = Arc::new(RealDisk::new(folder));
    let store = LogStore::open(disk, options, system_entropy()).unwrap();
    let builder = Engine::builder().store(store);
    let builder = builder.clock(ManualClock::at(begin()));
    let builder = builder.file("desk.yaml", DESK).file("call.yaml", CALL);
    builder.start().await
}

fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[tokio::test]
async fn damage_before_the_newest_snapshot_is_told_from_damage_that_stops_a_start() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("data");
    let engine = snapshotted(&folder).await.unwrap();
    for _ in 0..12 {
        let handle = engine.handle();
        handle
            .open("call", person("max"), Vec::new())
            .await
            .unwrap();
    }
    engine.stop().await.unwrap();
    let checkup = look(&folder);
    assert!(
        checkup.is_fine() && checkup.snapshots[0].commit > 5,
        "{checkup:?}"
    );
    let segment = folder.join("journal/00000000000000000001.log");
    flip(&segment, 512 + 70);
    let told = said(&look(&folder));
    assert!(told.contains("an engine starts and goes on"), "{told}");
    // Without another snapshot, which would be of a commit behind the head that is damaged next.
    self::engine(&folder).await.stop().await.unwrap();

    let head = checkup.journal.unwrap().head.unwrap();
    let head: crate::journal::Mark = head.parse().unwrap();
    flip(&segment, 512 + 70 + head.position.0 as usize);
    let told = said(&look(&folder));
    assert!(told.contains("no engine starts on it"), "{told}");
    assert!(snapshotted(&folder).await.is_err());
}

#[tokio::test]
async fn a_folder_that_is_not_ours_or_of_another_format_is_told() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("song.mp3"), "la").unwrap();
    let checkup = look(home.path());
    assert!(checkup.kind == Kind::Foreign && !checkup.is_fine());
    let folder = home.path().join("data");
    with_tickets(&folder).await;
    fs::write(folder.join("folder"), "upline data folder 9\n00\n").unwrap();
    let checkup = look(&folder);
    assert!(said(&checkup).contains("format 9"), "{}", said(&checkup));
    assert!(!checkup.is_fine());
}

#[cfg(feature = "sled")]
#[tokio::test]
async fn an_index_equals_its_journal_and_one_in_use_is_left_alone() {
    let home = tempfile::tempdir().unwrap();
    with_tickets(home.path()).await;
    match compare_index(home.path(), &mut |_, _| ()).unwrap() {
        IndexCheck::Compared(verified) => {
            assert!(verified.is_fine() && verified.tickets == 5, "{verified:?}");
        }
        other => panic!("{other:?}"),
    }
    let engine = engine(home.path()).await;
    let compared = compare_index(home.path(), &mut |_, _| ()).unwrap();
    assert!(matches!(compared, IndexCheck::InUse), "{compared:?}");
    engine.stop().await.unwrap();
    fs::remove_dir_all(home.path().join("index")).unwrap();
    let compared = compare_index(home.path(), &mut |_, _| ()).unwrap();
    assert!(matches!(compared, IndexCheck::None), "{compared:?}");
}

/// A disk that is mounted for reading only.
struct OnlyRead(RealDisk);

impl crate::kit::reads::Between for OnlyRead {
    type File = Arc<dyn crate::disk::DiskFile>;

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        self.0.list(folder)
    }

    fn open(&self, path: &str) -> io::Result<Self::File> {
        self.0.open_read(path)
    }

    fn len(&self, file: &Self::File) -> io::Result<u64> {
        file.len()
    }

    fn read_at(&self, file: &Self::File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        file.read_at(buffer, at)
    }
}

#[tokio::test]
async fn a_folder_that_can_only_be_read_has_no_damaged_index() {
    let home = tempfile::tempdir().unwrap();
    with_tickets(home.path()).await;
    let disk: Arc<dyn Disk> = crate::kit::reads::ReadsOf::new(OnlyRead(RealDisk::new(home.path())));
    let here = look::Here {
        folder: home.path(),
        disk: &disk,
        free: None,
        read_only: false,
    };
    for (language, told) in [
        (Language::English, "no engine can start on it"),
        (Language::Chinese, "引擎不能在它上面启动"),
    ] {
        let checkup = look::examine_here(&here, language, &mut |_, _| ()).unwrap();
        let findings = &checkup.findings;
        assert!(checkup.read_only && !checkup.is_fine(), "{checkup:?}");
        assert!(
            findings.len() == 1 && findings[0].what.contains(told),
            "{findings:?}"
        );
        #[cfg(feature = "sled")]
        assert_eq!(checkup.index.unwrap().damage, None);
    }
    #[cfg(feature = "sled")]
    {
        let compared = compare::compare(home.path(), disk, &mut |_, _| ()).unwrap();
        assert!(matches!(compared, IndexCheck::ReadOnly), "{compared:?}");
    }
    assert!(look(home.path()).is_fine());
}

/// A disk of which one file or folder may not be read, and nothing but the lock be written.
struct Forbidden(RealDisk, &'static str);

impl Forbidden {
    fn may(&self, path: &str) -> io::Result<()> {
        match path == self.1 {
            true => Err(io::ErrorKind::PermissionDenied.into()),
            false => Ok(()),
        }
    }
}

impl crate::kit::reads::Between for Forbidden {
    type File = Arc<dyn crate::disk::DiskFile>;

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        self.may(folder).and_then(|()| self.0.list(folder))
    }

    fn open(&self, path: &str) -> io::Result<Self::File> {
        self.may(path).and_then(|()| self.0.open_read(path))
    }

    fn len(&self, file: &Self::File) -> io::Result<u64> {
        file.len()
    }

    fn read_at(&self, file: &Self::File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        file.read_at(buffer, at)
    }

    fn lock(&self) -> io::Result<Box<dyn Send + Sync>> {
        self.0.lock("lock")
    }
}

#[tokio::test]
async fn what_may_not_be_read_or_written_is_told_and_is_no_damage() {
    let home = tempfile::tempdir().unwrap();
    with_tickets(home.path()).await;
    let look = |forbidden| {
        let disk = Forbidden(RealDisk::new(home.path()), forbidden);
        let disk: Arc<dyn Disk> = crate::kit::reads::ReadsOf::new(disk);
        let here = look::Here {
            folder: home.path(),
            disk: &disk,
            free: None,
            read_only: false,
        };
        look::examine_here(&here, Language::English, &mut |_, _| ()).unwrap()
    };
    let segment = "journal/00000000000000000001.log";
    for forbidden in ["journal", segment, "keys", "keys/0000000001", "folder"] {
        let checkup = look(forbidden);
        let mut findings = checkup.findings.iter();
        let worst = findings.find(|one| one.unread).unwrap();
        assert!(!checkup.is_fine());
        assert!(
            worst.what.contains(forbidden) || forbidden == "journal",
            "{worst:?}"
        );
        assert!(
            worst.advice.contains("nothing is known to be lost"),
            "{worst:?}"
        );
        assert!(checkup.journal.unwrap().damage.is_empty());
        assert!(!said(&look(forbidden)).contains("damaged"), "{forbidden}");
    }
    // All of it can be read, and an engine could not go on in it.
    let checkup = look("nothing");
    let told = said(&checkup);
    assert!(
        told.contains(&format!("Trouble: the file \"{segment}\" can't be written")),
        "{told}"
    );
    assert!(!checkup.findings[0].unread);
}

/// What no service would start with is told here too, and is no damage of the tickets.
#[tokio::test]
async fn the_files_of_a_service_are_looked_at() {
    let home = tempfile::tempdir().unwrap();
    with_tickets(home.path()).await;
    let whole = [
        ("mail.key", format!("{}\n", "0f".repeat(32))),
        ("overrides", "{}".to_owned()),
        ("links.burned", "what was burned".to_owned()),
    ];
    for (name, text) in &whole {
        fs::write(home.path().join(name), text).unwrap();
    }
    assert!(look(home.path()).is_fine());
    for (name, text) in [
        ("mail.key", "xyz"),
        ("mail.key", ""),
        ("links.key", "\u{fffd}"),
        ("overrides", "{"),
    ] {
        fs::write(home.path().join(name), text).unwrap();
        let told = said(&look(home.path()));
        let what = format!("the file {name:?} is not what was written");
        assert!(told.contains(&what), "{told}");
        let disk: Arc<dyn Disk> = Arc::new(RealDisk::new(home.path()));
        let files = check_files(&disk, None, &mut |_| ()).unwrap();
        assert_eq!(files.len(), 1, "{files:?}");
        let chinese = files[0].told(upline_lab::render::Language::Chinese);
        assert_eq!(chinese, format!("文件 {name:?} 不是写入时的样子"));
        fs::remove_file(home.path().join(name)).unwrap();
    }
}
