//! Both disks do the same; and the simulated one loses what it should.

use std::io::ErrorKind;
use std::sync::atomic::{AtomicU64, Ordering};

use super::sim::{Fault, Keep, SimDisk};
use super::{Disk, RealDisk, SECTOR};

/// A folder of the operating system that is removed afterwards.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("upline-disk-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn with_both(check: impl Fn(&dyn Disk)) {
    let folder = Folder::new();
    check(&RealDisk::new(&folder.0));
    check(&SimDisk::new(1));
}

fn kind<T>(result: std::io::Result<T>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind())
}

#[test]
fn files_are_made_written_read_cut_and_removed() {
    with_both(|disk| {
        disk.create_folder("a/b").unwrap();
        disk.create_folder("a/b").unwrap();
        let file = disk.create("a/b/one").unwrap();
        assert_eq!(kind(disk.create("a/b/one")), Some(ErrorKind::AlreadyExists));
        assert_eq!(kind(disk.open("a/b/two")), Some(ErrorKind::NotFound));
        assert_eq!(kind(disk.create("c/one")), Some(ErrorKind::NotFound));
        assert!(file.is_empty().unwrap());
        file.write_at(b"there", 600).unwrap();
        file.write_at(b"over", 510).unwrap();
        assert_eq!(file.len().unwrap(), 605);
        let mut buffer = [9; 100];
        assert_eq!(file.read_at(&mut buffer, 508).unwrap(), 97);
        assert_eq!(&buffer[..8], b"\0\0over\0\0");
        assert_eq!(&buffer[92..98], b"there\x09");
        assert_eq!(file.read_at(&mut buffer, 700).unwrap(), 0);

        file.set_len(512).unwrap();
        file.allocate(2_000).unwrap();
        file.allocate(100).unwrap();
        assert_eq!(file.len().unwrap(), 2_000);
        file.read_at(&mut buffer, 508).unwrap();
        assert_eq!(&buffer[..8], b"\0\0ov\0\0\0\0");
        file.sync().unwrap();

        disk.rename("a/b/one", "a/two").unwrap();
        disk.sync_folder("a").unwrap();
        disk.sync_folder("").unwrap();
        assert_eq!(disk.list("a").unwrap(), ["b", "two"]);
        assert_eq!(disk.list("a/b").unwrap(), [""; 0]);
        let read = disk.open_read("a/two").unwrap();
        assert_eq!(read.len().unwrap(), 2_000);
        assert!(read.write_at(b"no", 0).is_err());
        disk.remove("a").unwrap();
        assert_eq!(kind(disk.list("a")), Some(ErrorKind::NotFound));
        assert_eq!(kind(disk.remove("a")), Some(ErrorKind::NotFound));
        assert_eq!(disk.list("").unwrap(), [""; 0]);
    });
}

#[test]
fn a_rename_replaces_and_a_lock_keeps_others_out() {
    with_both(|disk| {
        disk.create("one").unwrap().write_at(b"1", 0).unwrap();
        disk.create("two").unwrap().write_at(b"2", 0).unwrap();
        disk.rename("one", "two").unwrap();
        let mut byte = [0];
        let two = disk.open_read("two").unwrap();
        two.read_at(&mut byte, 0).unwrap();
        assert_eq!((&byte, disk.list("").unwrap().len()), (b"1", 1));
        disk.create_folder("f/g").unwrap();
        disk.create("f/g/x").unwrap();
        disk.rename("f", "h").unwrap();
        assert_eq!(disk.list("h/g").unwrap(), ["x"]);

        let lock = disk.lock("lock").unwrap();
        assert_eq!(kind(disk.lock("lock")), Some(ErrorKind::WouldBlock));
        drop(lock);
        drop(disk.lock("lock").unwrap());
    });
}

#[test]
fn errors_name_the_file_and_paths_stay_inside() {
    with_both(|disk| {
        let text = disk.open("no/where").err().unwrap().to_string();
        assert!(
            text.starts_with("open ") && text.contains("no/where: "),
            "{text}"
        );
        for path in ["../x", "a/../../x", "/etc/x"] {
            assert_eq!(kind(disk.create(path)), Some(ErrorKind::InvalidInput));
        }
    });
}

/// Nobody may write here, as on a read-only file system; but for root, whom rights don't bind.
#[test]
fn a_read_only_folder_is_listed_and_read() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let disk = RealDisk::new(&folder.0);
    disk.create("one").unwrap().write_at(b"1", 0).unwrap();
    let rights = |mode| {
        let rights = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(&folder.0, rights).unwrap();
    };
    rights(0o500);
    assert_eq!(disk.list("").unwrap(), ["one"]);
    let file = disk.open_read("one").unwrap();
    assert_eq!(file.len().unwrap(), 1);
    assert!(file.write_at(b"2", 0).is_err());
    rights(0o700);
}

/// A pipe would otherwise hold up whoever opens it for as long as nobody is at its other end.
#[test]
fn what_is_no_file_is_not_opened_as_one() {
    let folder = Folder::new();
    let disk = RealDisk::new(&folder.0);
    let pipe = folder.0.join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    disk.create_folder("folder").unwrap();
    for name in ["pipe", "folder"] {
        let told = disk.open_read(name).err().unwrap().to_string();
        assert!(
            told.contains(name) && told.contains("it is no file"),
            "{told}"
        );
        assert!(disk.open(name).is_err(), "{name}");
    }
}

fn two_sectors(byte: u8) -> Vec<u8> {
    vec![byte; 2 * SECTOR]
}

/// A file with two synced sectors of 1, of which the second was then overwritten with 2.
fn half_written(seed: u64) -> SimDisk {
    let disk = SimDisk::new(seed);
    let file = disk.create("f").unwrap();
    file.write_at(&two_sectors(1), 0).unwrap();
    file.sync().unwrap();
    disk.sync_folder("").unwrap();
    file.write_at(&two_sectors(2), SECTOR as u64).unwrap();
    disk
}

#[test]
fn a_power_cut_leaves_what_was_synced_and_some_of_the_rest() {
    let left = |seed, keep| half_written(seed).crash(keep).contents("f").unwrap();
    assert_eq!(left(1, Keep::Nothing), two_sectors(1));
    let all = [vec![1; SECTOR], two_sectors(2)].concat();
    assert_eq!(left(1, Keep::Everything), all);
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..64 {
        let bytes = left(seed, Keep::Torn);
        assert_eq!(bytes[..SECTOR], [1; SECTOR]);
        assert_ne!(bytes, all, "something of the last write is missing");
        seen.insert(left(seed, Keep::Half));
        assert_eq!(
            left(seed, Keep::Half),
            left(seed, Keep::Half),
            "from the seed"
        );
    }
    assert_eq!(seen.len(), 6, "length and two sectors, each lost or kept");
}

#[test]
fn names_survive_only_when_their_folder_was_synced() {
    let disk = SimDisk::new(3);
    disk.create_folder("d").unwrap();
    disk.create("d/one").unwrap().sync().unwrap();
    disk.sync_folder("d").unwrap();
    assert_eq!(disk.copy(1).crash(Keep::Nothing).list("").unwrap(), [""; 0]);
    disk.sync_folder("").unwrap();
    disk.rename("d/one", "d/two").unwrap();
    disk.create("d/three").unwrap();
    let names = |keep| disk.copy(1).crash(keep).list("d").unwrap();
    assert_eq!(names(Keep::Nothing), ["one"]);
    assert_eq!(names(Keep::Everything), ["three", "two"]);
    assert_eq!(names(Keep::Torn), ["two"]);
    disk.sync_folder("d").unwrap();
    assert_eq!(names(Keep::Nothing), ["three", "two"]);
}

/// The reason why a file whose sync failed must not be written to again.
#[test]
fn a_failing_sync_loses_what_a_later_one_does_not_bring_back() {
    let disk = half_written(1);
    let file = disk.open("f").unwrap();
    disk.fail(disk.operations(), Fault::Error);
    assert!(file.sync().is_err());
    file.sync().unwrap();
    let seen = disk.contents("f").unwrap();
    assert_eq!(seen[SECTOR..], two_sectors(2));
    assert_eq!(disk.kill().contents("f").unwrap(), seen);
    let cut = disk.copy(1).crash(Keep::Everything);
    assert_eq!(cut.contents("f").unwrap(), two_sectors(1));
    // Written once more it is on its way again.
    let disk = disk.kill();
    let file = disk.open("f").unwrap();
    file.write_at(&two_sectors(2)[..SECTOR], SECTOR as u64)
        .unwrap();
    file.sync().unwrap();
    let cut = disk.crash(Keep::Nothing).contents("f").unwrap();
    assert_eq!(cut[SECTOR..], [2; SECTOR]);
}

#[test]
fn a_planned_operation_fails_as_planned() {
    for fault in Fault::ALL {
        let disk = half_written(1);
        let before = disk.contents("f").unwrap();
        let file = disk.open("f").unwrap();
        disk.fail(disk.operations() + 1, fault);
        file.set_len(1_536).unwrap();
        let error = file.write_at(&two_sectors(3), 0).err().unwrap();
        let full = matches!(fault, Fault::Full | Fault::FullInPart);
        assert_eq!(error.kind() == ErrorKind::StorageFull, full);
        let after = disk.contents("f").unwrap();
        let written = after.iter().zip(&before).filter(|(a, b)| a != b).count();
        match fault {
            Fault::Error | Fault::Full => assert_eq!(written, 0),
            Fault::Part | Fault::FullInPart => assert!(written > 0 && written < 2 * SECTOR),
            Fault::Done => assert_eq!(written, 2 * SECTOR),
        }
        file.write_at(&two_sectors(4), 0).unwrap();
    }
    let disk = half_written(1);
    disk.fail_read(disk.reads());
    assert!(disk.list("").is_err() && disk.list("").is_ok());
}

#[test]
fn a_full_disk_takes_what_fits_and_more_when_there_is_room_again() {
    let disk = half_written(1);
    assert_eq!(disk.used(), 3 * SECTOR as u64);
    disk.set_capacity(Some(4 * SECTOR as u64));
    let file = disk.open("f").unwrap();
    let error = file
        .write_at(&two_sectors(5), 3 * SECTOR as u64)
        .err()
        .unwrap();
    assert_eq!(error.kind(), ErrorKind::StorageFull);
    assert_eq!(disk.contents("f").unwrap()[3 * SECTOR..], [5; SECTOR]);
    disk.set_capacity(Some(5 * SECTOR as u64));
    let other = disk.create("g").unwrap();
    assert_eq!(
        kind(other.allocate(2 * SECTOR as u64)),
        Some(ErrorKind::StorageFull)
    );
    other.allocate(SECTOR as u64).unwrap();
    disk.remove("f").unwrap();
    assert_eq!(disk.used(), SECTOR as u64);
    other.allocate(4 * SECTOR as u64).unwrap();
}

#[test]
fn without_power_nothing_goes_and_nobody_holds_a_lock() {
    let disk = half_written(1);
    let lock = disk.lock("l").unwrap();
    disk.power_off_at(disk.operations() + 1);
    let file = disk.open("f").unwrap();
    file.sync().unwrap();
    assert!(file.sync().is_err() && disk.list("").is_err() && disk.lock("m").is_err());
    let disk = disk.crash(Keep::Nothing);
    let second = disk.lock("l").unwrap();
    drop(lock);
    assert_eq!(kind(disk.lock("l")), Some(ErrorKind::WouldBlock));
    drop(second);
    assert!(file.len().is_err());
    assert_eq!(disk.contents("f").unwrap().len(), 3 * SECTOR);
    assert!(disk.flip("f", 700, 3) && !disk.flip("f", 1_536, 0) && !disk.flip("g", 0, 0));
    assert_eq!(disk.contents("f").unwrap()[700], 2 ^ 8);
    disk.put("x/y", b"z");
    disk.take("f");
    let disk = disk.crash(Keep::Nothing);
    assert_eq!(disk.list("").unwrap(), ["x"]);
    assert_eq!(disk.contents("x/y").as_deref(), Some(&b"z"[..]));
}
