//! Keys are given once, survive, and are gone when they are destroyed.

use super::*;
use crate::disk::sim::{Keep, SimDisk};
use crate::kit::entropy;

fn open(disk: &SimDisk, next: u32) -> Vault {
    let mut vault = Vault::open(Arc::new(disk.clone()), [7; 16], entropy(1)).unwrap();
    vault.go_on(next).unwrap();
    vault
}

#[test]
fn what_is_sealed_opens_under_its_own_key_only() {
    let disk = SimDisk::new(1);
    let vault = open(&disk, 0);
    let (a, b) = (vault.take().unwrap(), vault.take().unwrap());
    let sealed = vault.seal(a, b"1", b"Mr Low").unwrap();
    let opened = vault.unseal(a, b"1", &sealed).unwrap();
    assert_eq!(opened.unwrap(), b"Mr Low");
    let wrong = [
        vault.unseal(b, b"1", &sealed),
        vault.unseal(a, b"2", &sealed),
        vault.unseal(a, b"1", &sealed[1..]),
    ];
    for wrong in wrong {
        assert!(matches!(wrong, Err(VaultError::Sealed { .. })), "{wrong:?}");
    }
    assert_ne!(sealed, vault.seal(a, b"1", b"Mr Low").unwrap());
    assert_eq!(vault.seal(a, b"1", b"").unwrap(), b"");
}

#[test]
fn a_destroyed_key_opens_nothing_even_after_a_power_cut() {
    let disk = SimDisk::new(1);
    let vault = open(&disk, 0);
    let slot = vault.take().unwrap();
    let key = vault.keys(slot).unwrap()[0].unwrap();
    let sealed = vault.seal(slot, b"", b"Mr Low").unwrap();
    vault.destroy(slot).unwrap();
    assert_eq!(vault.unseal(slot, b"", &sealed).unwrap(), None);
    assert_eq!(vault.seal(slot, b"", b"Mr Low").unwrap(), b"");
    let disk = disk.crash(Keep::Nothing);
    let vault = open(&disk, slot + 1);
    assert_eq!(vault.unseal(slot, b"", &sealed).unwrap(), None);
    let bytes = disk.contents(&path(1)).unwrap();
    assert!(!bytes.windows(32).any(|at| at == key));
}

#[test]
fn a_key_that_was_given_survives_a_power_cut_and_none_is_given_twice() {
    let disk = SimDisk::new(1);
    let vault = open(&disk, 0);
    let given: Vec<u32> = (0..=KEYS_A_FILE).map(|_| vault.take().unwrap()).collect();
    assert!(given.is_sorted_by(|a, b| a < b));
    let last = *given.last().unwrap();
    let sealed = vault.seal(last, b"", b"x").unwrap();
    let disk = disk.crash(Keep::Nothing);
    let vault = open(&disk, last + 1);
    assert_eq!(vault.unseal(last, b"", &sealed).unwrap().unwrap(), b"x");
    assert_eq!(vault.take().unwrap(), last + 1);
}

#[test]
fn keys_of_another_folder_and_missing_and_damaged_ones_are_told() {
    let disk = SimDisk::new(1);
    let slot = open(&disk, 0).take().unwrap();
    let other = Vault::open(Arc::new(disk.clone()), [8; 16], entropy(1)).unwrap();
    let foreign = other.seal(slot, b"", b"x");
    assert!(matches!(foreign, Err(VaultError::Foreign { .. })));
    let missing = open(&disk, KEYS_A_FILE + 2).take();
    assert!(matches!(missing, Err(VaultError::Missing { .. })));
    assert!(disk.flip(&path(1), 84, 1));
    let damaged = open(&disk, 2).seal(slot, b"", b"x");
    assert!(matches!(damaged, Err(VaultError::Damaged { .. })));
}
