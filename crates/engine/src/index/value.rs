//! The bytes of values: each with the version of its form and a check, which covers its key too, so that a
//! value in the place of another one is found.

use super::tree::Failure;

/// The form of the values, and of the whole. In form 1 no ticket was found by its contacts.
pub(super) const FORM: u8 = 2;
/// Bytes before the content.
const FRAME: usize = 1 + 8;
/// Longest value. sled keeps longer ones less safely: those that need a file of their own are never synced.
pub(super) const MAX_VALUE: usize = 4096;
/// Longest content of one value.
pub(super) const MAX_CONTENT: usize = MAX_VALUE - FRAME;

/// A hash of a key and what it holds.
///
/// The sum of all of them is kept with the position, and is compared when the folder is opened. It finds what
/// no check of a single value can: one that is missing, or that is whole and out of date.
pub(super) fn hash(key: &[u8], content: &[u8]) -> u128 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(key.len() as u64).to_le_bytes());
    hasher.update(key);
    hasher.update(content);
    let hash = hasher.finalize();
    u128::from_le_bytes(std::array::from_fn(|at| hash.as_bytes()[at]))
}

/// A value, and the hash of it and its key.
pub(super) fn seal(key: &[u8], content: &[u8]) -> (Vec<u8>, u128) {
    let hash = hash(key, content);
    let mut value = Vec::with_capacity(FRAME + content.len());
    value.push(FORM);
    value.extend(check(hash));
    value.extend(content);
    (value, hash)
}

/// What a value holds, and the hash of it and its key.
pub(super) fn open<'a>(key: &[u8], value: &'a [u8]) -> Result<(&'a [u8], u128), Failure> {
    let Some((&[form, ref sum @ ..], content)) = value.split_first_chunk::<FRAME>() else {
        return Err(Failure::Broken(format!("a value is cut: {key:02x?}")));
    };
    if form != FORM {
        return Err(Failure::Broken(format!(
            "it has form {form}, and this program's is {FORM}"
        )));
    }
    let hash = hash(key, content);
    match *sum == check(hash) {
        true => Ok((content, hash)),
        false => Err(Failure::Broken(format!("a value is damaged: {key:02x?}"))),
    }
}

fn check(hash: u128) -> [u8; 8] {
    let bytes = hash.to_le_bytes();
    std::array::from_fn(|at| bytes[at])
}
