//! How instants are written down: in text as RFC 3339, in a binary format as seconds and nanoseconds, which
//! are shorter and need no reading of a calendar.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

pub(crate) fn serialize<S: Serializer>(at: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
    match to.is_human_readable() {
        true => at.serialize(to),
        false => parts(*at).serialize(to),
    }
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
    match from.is_human_readable() {
        true => Timestamp::deserialize(from),
        false => whole(<(i64, i32)>::deserialize(from)?).map_err(D::Error::custom),
    }
}

fn parts(at: Timestamp) -> (i64, i32) {
    (at.as_second(), at.subsec_nanosecond())
}

fn whole((seconds, nanoseconds): (i64, i32)) -> Result<Timestamp, jiff::Error> {
    Timestamp::new(seconds, nanoseconds)
}

/// The same for an instant that may be missing.
pub(crate) mod option {
    use super::{Deserialize, Deserializer, Error, Serialize, Serializer, Timestamp, parts, whole};

    pub(crate) fn serialize<S: Serializer>(
        at: &Option<Timestamp>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        match to.is_human_readable() {
            true => at.serialize(to),
            false => at.map(parts).serialize(to),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        match from.is_human_readable() {
            true => Option::deserialize(from),
            false => {
                let parts = Option::<(i64, i32)>::deserialize(from)?;
                parts.map(whole).transpose().map_err(D::Error::custom)
            }
        }
    }
}
