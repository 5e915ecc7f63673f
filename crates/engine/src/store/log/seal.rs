//! Between the store and its disk: what is personal is sealed on the way out and opened on the way in.

use crate::record::{
    self, Moved, Number, Record, Unreadable, restore_events, restore_fields, take_events,
};
use crate::store::StoreError;
use crate::vault::Vault;

/// What a seal is about, so that nothing can be put in the place of something else.
fn about(number: Number, what: u8) -> [u8; 9] {
    let mut about = [what; 9];
    about[..8].copy_from_slice(&number.to_le_bytes());
    about
}

const EVENTS: u8 = b'e';
const FIELDS: u8 = b'f';

/// Takes what is personal out of the events, and seals it.
pub(crate) fn close_moved(vault: &Vault, moved: &mut Moved) -> Result<(), StoreError> {
    let secrets = take_events(&mut moved.events).map_err(Unreadable::Bytes)?;
    moved.sealed = vault.seal(moved.key, &about(moved.number, EVENTS), &secrets)?;
    Ok(())
}

/// Puts back what is personal, if the key is still there; says whether it is.
pub(crate) fn open_moved(vault: &Vault, moved: &mut Moved) -> Result<bool, StoreError> {
    let sealed = std::mem::take(&mut moved.sealed);
    let secrets = vault.unseal(moved.key, &about(moved.number, EVENTS), &sealed)?;
    if let Some(secrets) = &secrets {
        restore_events(&mut moved.events, secrets).map_err(Unreadable::Bytes)?;
    }
    Ok(secrets.is_some())
}

/// A record's bytes, its fields sealed. The record is as before afterwards.
pub(super) fn encode(
    vault: &Vault,
    record: &mut Record,
    scratch: &mut Vec<u8>,
) -> Result<Vec<u8>, StoreError> {
    let fields = std::mem::take(&mut record.ticket.fields);
    let secrets = record::fields_bytes(&fields).map_err(Unreadable::Bytes);
    let encoded = secrets.map_err(StoreError::from).and_then(|secrets| {
        let hash = short_hash(&secrets);
        if record.sealed_of != Some(hash) {
            record.sealed = vault.seal(record.key, &about(record.number, FIELDS), &secrets)?;
            record.sealed_of = Some(hash);
        }
        *scratch = record::encode(&*record, cleared(scratch)).map_err(Unreadable::Bytes)?;
        // Exactly as long as it must be: there are many.
        Ok(scratch.as_slice().into())
    });
    record.ticket.fields = fields;
    encoded
}

fn short_hash(bytes: &[u8]) -> [u8; 16] {
    let hash = blake3::hash(bytes);
    std::array::from_fn(|at| hash.as_bytes()[at])
}

/// The buffer, empty, with the room that it has.
pub(super) fn cleared(scratch: &mut Vec<u8>) -> Vec<u8> {
    let mut bytes = std::mem::take(scratch);
    bytes.clear();
    bytes
}

/// A record from its bytes. Without the key its fields are empty.
pub(super) fn decode(vault: &Vault, bytes: &[u8]) -> Result<Record, StoreError> {
    let mut record: Record = record::decode(bytes)?;
    open_record(vault, &mut record)?;
    Ok(record)
}

/// Puts a record's fields back, if the key is still there.
pub(crate) fn open_record(vault: &Vault, record: &mut Record) -> Result<(), StoreError> {
    let about = about(record.number, FIELDS);
    if let Some(fields) = vault.unseal(record.key, &about, &record.sealed)? {
        restore_fields(&mut record.ticket, &fields).map_err(Unreadable::Bytes)?;
        record.sealed_of = Some(short_hash(&fields));
    }
    Ok(())
}
