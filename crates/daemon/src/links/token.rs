//! The token of a link: what it stands for, sealed, so that nobody can read, change or make one.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use upline::core::{Branch, Name, Ticket};
use upline::record::CommandId;

/// Longest token that is looked at, in characters.
pub(crate) const MAX_TOKEN_CHARS: usize = 2048;
/// What is sealed is filled up to a multiple of so many bytes, so that its length tells little.
const BLOCK_BYTES: usize = 16;
const NONCE_BYTES: usize = 12;
/// Which link it is, for what is remembered of it.
pub(super) type LinkId = [u8; 16];

/// What a link does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Deed {
    /// Takes what is offered.
    Claim,
    /// "Not me."
    Decline,
    /// Takes this action of the state.
    Act(Name),
}

impl Deed {
    /// Its word, for the log.
    pub(crate) fn word(&self) -> &str {
        match self {
            Self::Claim => "claim",
            Self::Decline => "decline",
            Self::Act(action) => action,
        }
    }
}

/// What a link stands for: who does what, where, and for how long that is meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Aim {
    pub(crate) ticket: Name,
    pub(crate) branch: Branch,
    pub(crate) person: Name,
    pub(crate) deed: Deed,
    /// When the state is left, the link is void.
    pub(crate) visit: u32,
    /// When somebody else is asked, the link is void.
    pub(crate) epoch: u32,
    /// Seconds since 1970 after which it is void whatever happens.
    pub(crate) until: i64,
    /// The message that it stands in.
    pub(crate) message: u64,
}

impl Aim {
    /// Whether the ticket is still where it was when the message was written.
    pub(crate) fn is_there(&self, ticket: &Ticket) -> bool {
        let position = ticket.positions.get(&self.branch);
        ticket.is_open()
            && position.is_some_and(|at| {
                at.visit == self.visit && at.epoch == self.epoch && at.ended.is_none()
            })
    }

    /// Whether its time is over.
    pub(crate) fn is_over(&self, now: Timestamp) -> bool {
        now.as_second() >= self.until
    }
}

/// A link that was opened: it is one of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) aim: Aim,
    /// The two digits to type.
    pub(crate) number: String,
    pub(super) id: LinkId,
}

/// What is needed to make and to open tokens.
#[derive(Clone)]
pub(super) struct Keys {
    seal: [u8; 32],
    mac: [u8; 32],
    command: [u8; 32],
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys")
    }
}

impl Keys {
    pub(super) fn new(secret: &[u8; 32]) -> Self {
        let key = |what: &str| blake3::derive_key(&format!("upline 2026 links: {what}"), secret);
        Self {
            seal: key("seal"),
            mac: key("mac"),
            command: key("command"),
        }
    }

    /// The token and the number. The same aim has the same ones: a message that is sent a second time is the
    /// same message.
    pub(super) fn make(&self, aim: &Aim) -> Option<(String, String)> {
        let mut plain = postcard::to_stdvec(aim).ok()?;
        plain.resize(plain.len().next_multiple_of(BLOCK_BYTES), 0);
        let mac = blake3::keyed_hash(&self.mac, &plain);
        // Made from what is sealed, so it never comes twice for different texts.
        let nonce = &mac.as_bytes()[..NONCE_BYTES];
        let mut token = nonce.to_vec();
        token.extend(
            self.cipher()
                .encrypt(Nonce::from_slice(nonce), &*plain)
                .ok()?,
        );
        let token = URL_SAFE_NO_PAD.encode(token);
        (token.len() <= MAX_TOKEN_CHARS).then(|| (token, number(&mac)))
    }

    /// `None`: it is none of ours.
    pub(super) fn open(&self, token: &str) -> Option<Link> {
        if token.len() > MAX_TOKEN_CHARS {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_BYTES)?;
        let plain = self
            .cipher()
            .decrypt(Nonce::from_slice(nonce), sealed)
            .ok()?;
        let mac = blake3::keyed_hash(&self.mac, &plain);
        let (aim, _) = postcard::take_from_bytes(&plain).ok()?;
        Some(Link {
            aim,
            number: number(&mac),
            id: std::array::from_fn(|at| mac.as_bytes()[at]),
        })
    }

    /// The id of the command that a link gives, the same however often it is pressed.
    pub(super) fn command(&self, link: &Link, what: &str) -> CommandId {
        let mut hasher = blake3::Hasher::new_keyed(&self.command);
        hasher.update(&link.id);
        hasher.update(what.as_bytes());
        let hash = hasher.finalize();
        std::array::from_fn(|at| hash.as_bytes()[at])
    }

    fn cipher(&self) -> ChaCha20Poly1305 {
        ChaCha20Poly1305::new(Key::from_slice(&self.seal))
    }
}

/// Two digits of the MAC, from bytes that no token shows.
fn number(mac: &blake3::Hash) -> String {
    let bytes = std::array::from_fn(|at| mac.as_bytes()[16 + at]);
    format!("{:02}", u64::from_le_bytes(bytes) % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aim() -> Aim {
        Aim {
            ticket: "1042".into(),
            branch: Branch::default(),
            person: "ann.berg".into(),
            deed: Deed::Act("accept".into()),
            visit: 2,
            epoch: 7,
            until: 1_772_000_000,
            message: 99,
        }
    }

    #[test]
    fn a_token_says_nothing_and_is_opened_by_its_own_key_alone() {
        let keys = Keys::new(&[7; 32]);
        let (token, digits) = keys.make(&aim()).unwrap();
        assert_eq!(keys.make(&aim()).unwrap(), (token.clone(), digits.clone()));
        assert!(
            token
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
        );
        assert!(token.len() <= 110, "{}", token.len());
        let bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
        for word in ["ann", "accept", "1042"] {
            let found = bytes
                .windows(word.len())
                .any(|part| part == word.as_bytes());
            assert!(!found && !token.contains(word), "{word}");
        }
        let link = keys.open(&token).unwrap();
        assert_eq!((&link.aim, &link.number), (&aim(), &digits));
        assert!(Keys::new(&[8; 32]).open(&token).is_none());
    }

    #[test]
    fn a_token_that_was_changed_is_none() {
        let keys = Keys::new(&[7; 32]);
        let (token, _) = keys.make(&aim()).unwrap();
        for at in 0..token.len() {
            let mut other: Vec<u8> = token.bytes().collect();
            other[at] = if other[at] == b'A' { b'B' } else { b'A' };
            let other = String::from_utf8(other).unwrap();
            assert!(keys.open(&other).is_none(), "{at}");
            assert!(keys.open(&token[..at]).is_none(), "{at}");
        }
        let long = "A".repeat(MAX_TOKEN_CHARS + 1);
        for wrong in [
            "",
            "A",
            "é",
            "==",
            "../..",
            "A A",
            &format!("{token}A"),
            &long,
        ] {
            assert!(keys.open(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn numbers_are_two_digits_and_differ_between_links() {
        let keys = Keys::new(&[7; 32]);
        let numbers: std::collections::BTreeSet<String> = (0..200)
            .map(|epoch| keys.make(&Aim { epoch, ..aim() }).unwrap().1)
            .collect();
        assert!(numbers.iter().all(|number| number.len() == 2));
        assert!(numbers.len() > 60, "{numbers:?}");
    }
}
