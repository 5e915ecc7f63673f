//! API tokens: who is behind a request.
//!
//! A token is a secret of 32 random bytes. Only its hash is kept, so that whoever reads the file can't use
//! it; that the secret is random makes a slow hash needless.
//!
//! ```
//! use upline_daemon::tokens::{Role, Tokens, hash};
//!
//! let file = format!(
//!     "[[token]]\nname = \"ann-phone\"\nhash = \"{}\"\nrole = \"agent\"\nperson = \"ann\"\n",
//!     hash("upl_5ec2e7"),
//! );
//! let tokens = Tokens::read(&file)?;
//! let caller = tokens.find("upl_5ec2e7").expect("it is in the file");
//! assert_eq!((caller.name.as_str(), caller.role), ("ann-phone", Role::Agent));
//! assert!(tokens.find("upl_0").is_none());
//! # Ok::<(), upline_daemon::tokens::TokensError>(())
//! ```

use std::collections::HashMap;
use std::fmt::Write as _;

use serde::Deserialize;
use upline::core::{Actor, Name};
use upline::vault::system_entropy;

/// What every secret begins with, so that it is recognised where it should not be.
const PREFIX: &str = "upl_";
/// What a hash in the file begins with.
const SCHEME: &str = "blake3:";
/// Random bytes of a secret.
const SECRET_BYTES: usize = 32;

/// What a token may do. What that means for a ticket is the core's to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The operator's rights over every ticket, and may deploy files. Sees everything.
    Admin,
    /// A person who sees every ticket. What he may do follows from the groups that he leads.
    Lead,
    /// A person who sees the tickets that have to do with him.
    Agent,
    /// Sees every ticket and does nothing.
    Reader,
    /// Another system: opens tickets, says something, sends messages; sees what it has opened.
    Integration,
}

/// Who is behind a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The token's name: what the journal says of the way by which a command came.
    pub name: Name,
    /// What it may do.
    pub role: Role,
    /// The person of the directory that it stands for.
    pub person: Option<Name>,
}

impl Caller {
    /// From whom its commands come. `None`: from nobody, since it gives none.
    #[must_use]
    pub fn actor(&self) -> Option<Actor> {
        let person = || self.person.clone().unwrap_or_else(|| self.name.clone());
        match self.role {
            Role::Admin => Some(Actor::Operator(person())),
            Role::Lead | Role::Agent => Some(Actor::Person(person())),
            Role::Integration => Some(Actor::System(self.name.clone())),
            Role::Reader => None,
        }
    }

    /// Whether it sees every ticket.
    #[must_use]
    pub fn sees_all(&self) -> bool {
        matches!(self.role, Role::Admin | Role::Lead | Role::Reader)
    }
}

/// Why a file of tokens can't be used.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct TokensError(String);

/// All tokens, by their hash.
#[derive(Debug, Clone, Default)]
pub struct Tokens {
    by_hash: HashMap<[u8; blake3::OUT_LEN], Caller>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    token: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    hash: String,
    role: Role,
    person: Option<String>,
}

impl Tokens {
    /// Reads the text of a file: a `[[token]]` for each, with `name`, `hash`, `role` and, for people,
    /// `person`.
    ///
    /// # Errors
    /// [`TokensError`] says what is wrong with which of them.
    pub fn read(text: &str) -> Result<Self, TokensError> {
        let written: Written =
            toml::from_str(text).map_err(|error| TokensError(error.to_string()))?;
        let mut by_hash = HashMap::new();
        let mut names = std::collections::BTreeSet::new();
        for entry in written.token {
            let name = entry.name.clone();
            let wrong = |what: &str| TokensError(format!("token `{name}`: {what}"));
            if name.is_empty() || !names.insert(name.clone()) {
                return Err(wrong("each needs a name of its own"));
            }
            let hash = entry.hash.strip_prefix(SCHEME);
            let hash = hash.and_then(|hex| blake3::Hash::from_hex(hex).ok());
            let hash =
                hash.ok_or_else(|| wrong("`hash` must be what `upline token` has printed"))?;
            match (entry.role, &entry.person) {
                (Role::Lead | Role::Agent, None) => {
                    return Err(wrong("`person` must say for whom it stands"));
                }
                (Role::Reader | Role::Integration, Some(_)) => {
                    return Err(wrong("this role stands for no person: leave `person` out"));
                }
                _ => (),
            }
            let caller = Caller {
                name: Name::new(&entry.name),
                role: entry.role,
                person: entry.person.map(Name::new),
            };
            if by_hash.insert(*hash.as_bytes(), caller).is_some() {
                return Err(wrong("another one has the same hash"));
            }
        }
        Ok(Self { by_hash })
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_hash.is_empty()
    }

    /// Who has this secret. The search is by the hash: how long it takes tells nothing about a secret.
    #[must_use]
    pub fn find(&self, secret: &str) -> Option<&Caller> {
        self.by_hash.get(blake3::hash(secret.as_bytes()).as_bytes())
    }
}

/// What stands in the file for a secret.
#[must_use]
pub fn hash(secret: &str) -> String {
    format!("{SCHEME}{}", blake3::hash(secret.as_bytes()).to_hex())
}

/// A new secret: shown once, and kept nowhere.
///
/// # Errors
/// If the system gives no random bytes.
pub fn new_secret() -> std::io::Result<String> {
    let mut bytes = [0; SECRET_BYTES];
    system_entropy()(&mut bytes)?;
    Ok(bytes.iter().fold(PREFIX.to_owned(), |mut text, byte| {
        // Writing to a text can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(rest: &str) -> String {
        format!(
            "[[token]]\nname = \"a\"\nhash = \"{}\"\n{rest}\n",
            hash("s")
        )
    }

    #[test]
    fn what_a_file_of_tokens_must_not_say_is_refused() {
        let twice = entry("role = \"reader\"").repeat(2);
        let cases = [
            (entry("role = \"boss\""), "unknown variant"),
            (entry("role = \"agent\""), "`person` must say"),
            (
                entry("role = \"reader\"\nperson = \"ann\""),
                "stands for no person",
            ),
            (entry("role = \"reader\"\nsecret = \"x\""), "unknown field"),
            (twice, "a name of its own"),
            (
                "[[token]]\nname = \"a\"\nhash = \"s\"\nrole = \"reader\"".into(),
                "`hash` must be",
            ),
        ];
        for (text, expected) in cases {
            let said = Tokens::read(&text).unwrap_err().to_string();
            assert!(said.contains(expected), "{text}\n{said}");
        }
    }

    #[test]
    fn secrets_are_long_and_never_the_same() {
        let (one, other) = (new_secret().unwrap(), new_secret().unwrap());
        assert_eq!(one.len(), PREFIX.len() + 2 * SECRET_BYTES);
        assert_ne!(one, other);
    }
}
