//! One simulated file: what is read, what would survive, and what is on its way between the two.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::{Fault, Go, Inner, Last, Random, SimDisk, failure, named};
use crate::disk::{DiskFile, SECTOR};

type Sector = Box<[u8; SECTOR]>;

/// Sectors that are missing read as zeros.
#[derive(Debug, Clone, Default)]
struct Image {
    sectors: BTreeMap<u64, Sector>,
    len: u64,
    /// Bytes taken on the disk, a multiple of a sector.
    room: u64,
}

#[derive(Debug, Clone, Default)]
pub(super) struct SimFile {
    now: Image,
    safe: Image,
    /// Sectors that the next sync makes safe. One that differs and is not in here was lost by a failing sync.
    unsynced: BTreeSet<u64>,
    length_unsynced: bool,
}

fn sectors(from: u64, to: u64) -> std::ops::Range<u64> {
    from / SECTOR as u64..to.div_ceil(SECTOR as u64)
}

/// A length or place that a slice has, so that it fits.
fn small(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

impl Image {
    /// The part of sector `number` between `from` and `to`: where in the sector, and where after `from`.
    fn overlap(number: u64, from: u64, to: u64) -> (std::ops::Range<usize>, usize) {
        let start = number * SECTOR as u64;
        let (first, last) = (from.max(start), to.min(start + SECTOR as u64));
        (
            small(first - start)..small(last - start),
            small(first - from),
        )
    }

    fn read(&self, buffer: &mut [u8], at: u64) -> usize {
        let count = small(self.len.saturating_sub(at)).min(buffer.len());
        let buffer = &mut buffer[..count];
        buffer.fill(0);
        let to = at + count as u64;
        if count > 0 {
            for (number, sector) in self.sectors.range(sectors(at, to)) {
                let (inside, into) = Self::overlap(*number, at, to);
                let part = &sector[inside];
                buffer[into..into + part.len()].copy_from_slice(part);
            }
        }
        count
    }

    fn write(&mut self, number: u64, inside: std::ops::Range<usize>, bytes: &[u8]) -> bool {
        let zeros = bytes.iter().all(|byte| *byte == 0);
        if zeros && !self.sectors.contains_key(&number) {
            return false;
        }
        let sector = self.sectors.entry(number).or_insert_with(zero_sector);
        sector[inside].copy_from_slice(bytes);
        true
    }

    fn put(&mut self, number: u64, sector: Option<&Sector>) {
        match sector {
            Some(sector) => self.sectors.insert(number, sector.clone()),
            None => self.sectors.remove(&number),
        };
    }

    /// Cuts or extends; what lies behind the end reads as zeros when it is extended again.
    fn set_len(&mut self, len: u64) -> Option<u64> {
        let shorter = len < self.len;
        self.len = len;
        if !shorter {
            return None;
        }
        let whole = len.div_ceil(SECTOR as u64);
        self.sectors.split_off(&whole);
        self.room = self.room.min(whole * SECTOR as u64);
        let last = len / SECTOR as u64;
        let rest = small(len % SECTOR as u64);
        let cut = self.sectors.get_mut(&last).filter(|_| rest > 0);
        cut.map(|sector| {
            sector[rest..].fill(0);
            last
        })
    }
}

fn zero_sector() -> Sector {
    Box::new([0; SECTOR])
}

impl SimFile {
    pub(super) fn settled(bytes: &[u8]) -> Self {
        let mut file = Self::default();
        file.write(bytes, 0);
        file.set_room(bytes.len().next_multiple_of(SECTOR) as u64);
        file.sync();
        file
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; small(self.now.len)];
        self.now.read(&mut bytes, 0);
        bytes
    }

    /// What would be read after a power cut that keeps nothing, from `from` on.
    pub(super) fn surviving_bytes(&self, from: u64) -> Vec<u8> {
        let mut bytes = vec![0; small(self.safe.len.saturating_sub(from))];
        self.safe.read(&mut bytes, from);
        bytes
    }

    pub(super) fn room(&self) -> u64 {
        self.now.room
    }

    pub(super) fn set_room(&mut self, room: u64) {
        self.now.room = room;
    }

    pub(super) fn flip(&mut self, byte: u64, bit: u8) -> bool {
        let (number, inside) = (byte / SECTOR as u64, small(byte % SECTOR as u64));
        for image in [&mut self.now, &mut self.safe] {
            if byte < image.len {
                let sector = image.sectors.entry(number).or_insert_with(zero_sector);
                sector[inside] ^= 1 << bit;
            }
        }
        byte < self.now.len
    }

    fn write(&mut self, bytes: &[u8], at: u64) {
        let to = at + bytes.len() as u64;
        if bytes.is_empty() {
            return;
        }
        for number in sectors(at, to) {
            let (inside, from) = Image::overlap(number, at, to);
            let part = &bytes[from..from + inside.len()];
            if self.now.write(number, inside, part) {
                self.unsynced.insert(number);
            }
        }
        if to > self.now.len {
            self.now.len = to;
            self.length_unsynced = true;
        }
    }

    fn set_len(&mut self, len: u64) {
        if let Some(cut) = self.now.set_len(len) {
            self.unsynced.insert(cut);
        }
        self.length_unsynced = true;
    }

    fn sync(&mut self) {
        self.arrive(|_| true, true);
    }

    /// Lets some of the unsynced sectors reach the disk; the rest is forgotten by it, though still read.
    fn arrive(&mut self, mut arrives: impl FnMut(u64) -> bool, length: bool) {
        if std::mem::take(&mut self.length_unsynced) && length {
            self.safe.set_len(self.now.len);
            self.safe.room = self.now.room;
        }
        for number in std::mem::take(&mut self.unsynced) {
            if arrives(number) {
                self.safe.put(number, self.now.sectors.get(&number));
            }
        }
        let end = self.safe.len.div_ceil(SECTOR as u64);
        // What lies behind the end as it survives was written, but the file doesn't reach it.
        self.safe.sectors.split_off(&end);
    }

    /// What a failing sync leaves.
    fn fail_to_sync(&mut self, fault: Fault, random: &mut Random) {
        match fault {
            Fault::Error | Fault::Full => self.arrive(|_| false, false),
            Fault::Part | Fault::FullInPart => {
                let length = random.coin();
                self.arrive(|_| random.coin(), length);
            }
            Fault::Done => self.sync(),
        }
    }

    /// The sectors that are on their way.
    pub(super) fn unsynced_between(&self, from: u64, to: u64) -> Vec<u64> {
        self.unsynced.range(sectors(from, to)).copied().collect()
    }

    pub(super) fn cut_power(&mut self, arrives: impl FnMut(u64) -> bool, length: bool) {
        self.arrive(arrives, length);
        self.now = self.safe.clone();
    }
}

/// An open file of a [`SimDisk`].
pub(super) struct Handle {
    pub(super) disk: SimDisk,
    pub(super) id: u64,
    pub(super) path: String,
    pub(super) read_only: bool,
}

impl Handle {
    fn change(&self, act: impl FnOnce(&mut Inner) -> io::Result<()>) -> io::Result<()> {
        if self.read_only {
            return Err(io::Error::from(io::ErrorKind::PermissionDenied));
        }
        act(&mut self.disk.lock())
    }

    fn write(&self, inner: &mut Inner, bytes: &[u8], at: u64) -> io::Result<()> {
        let end = at + bytes.len() as u64;
        inner.take_room(self.id, end)?;
        inner.file(self.id)?.write(bytes, at);
        inner.last = Some(Last::Write {
            file: self.id,
            from: at,
            to: end,
        });
        Ok(())
    }
}

impl DiskFile for Handle {
    fn len(&self) -> io::Result<u64> {
        let mut inner = self.disk.lock();
        let length = inner
            .read(self.disk.life)
            .and_then(|()| Ok(inner.file(self.id)?.now.len));
        length.map_err(named("measure", &self.path))
    }

    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        let mut inner = self.disk.lock();
        let count = inner
            .read(self.disk.life)
            .and_then(|()| Ok(inner.file(self.id)?.now.read(buffer, at)));
        count.map_err(named("read", &self.path))
    }

    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        let act = |inner: &mut Inner| match inner.begin(self.disk.life)? {
            Go::Well => {
                let result = self.write(inner, bytes, at);
                let full = |error: &io::Error| error.kind() == io::ErrorKind::StorageFull;
                if result.as_ref().is_err_and(full) {
                    // What still fits is written, as a real disk does it.
                    let room = inner.file(self.id)?.room().saturating_add(inner.free());
                    let fits = small(room.saturating_sub(at)).min(bytes.len());
                    self.write(inner, &bytes[..fits], at)?;
                }
                result
            }
            Go::Fault(fault) => {
                let count = match fault {
                    Fault::Error | Fault::Full => 0,
                    Fault::Part | Fault::FullInPart => {
                        small(inner.random.below(bytes.len() as u64))
                    }
                    Fault::Done => bytes.len(),
                };
                self.write(inner, &bytes[..count], at)?;
                Err(failure(fault))
            }
        };
        self.change(act).map_err(named("write", &self.path))
    }

    fn allocate(&self, length: u64) -> io::Result<()> {
        let act = |inner: &mut Inner| {
            inner.whole(self.disk.life, |inner| {
                inner.take_room(self.id, length)?;
                let file = inner.file(self.id)?;
                if file.now.len < length {
                    file.set_len(length);
                }
                Ok(())
            })
        };
        self.change(act)
            .map_err(named("reserve room for", &self.path))
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        let act = |inner: &mut Inner| {
            inner.whole(self.disk.life, |inner| {
                inner.file(self.id)?.set_len(length);
                inner.count_used();
                Ok(())
            })
        };
        self.change(act).map_err(named("cut", &self.path))
    }

    fn sync(&self) -> io::Result<()> {
        let act = |inner: &mut Inner| {
            inner.syncs += 1;
            let go = inner.begin(self.disk.life)?;
            let mut random = inner.random.clone();
            let file = inner.file(self.id)?;
            let result = match go {
                Go::Well => {
                    file.sync();
                    Ok(())
                }
                Go::Fault(fault) => {
                    file.fail_to_sync(fault, &mut random);
                    Err(failure(fault))
                }
            };
            inner.random = random;
            result
        };
        self.change(act).map_err(named("sync", &self.path))
    }
}
