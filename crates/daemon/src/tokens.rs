//! Who is behind a request: the file of API tokens, and of people who log in with a password.
//!
//! A token is a secret of 32 random bytes. Only its hash is kept, so that whoever reads the file can't use
//! it; that the secret is random makes a slow hash needless. What people choose needs one: see
//! [`passwords`](crate::passwords).
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

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use upline::core::{Actor, Name};
use upline::vault::system_entropy;

use crate::passwords::HashedPassword;

/// What every secret begins with, so that it is recognised where it should not be.
const PREFIX: &str = "upl_";
/// What a hash in the file begins with.
const SCHEME: &str = "blake3:";
/// Random bytes of a secret.
const SECRET_BYTES: usize = 32;

/// What a token may do. What that means for a ticket is the core's to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
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
    /// The name of the token or login: what the journal says of the way by which a command came.
    pub name: Name,
    /// What it may do.
    pub role: Role,
    /// The person of the directory that it stands for.
    pub person: Option<Name>,
    /// From where it asks; of a file's entries nothing is known of that.
    pub from: Option<IpAddr>,
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

/// What is wrong with a text that is no file of tokens, and on which line, but not the line itself: hashes
/// of passwords are not for `/readyz` and the log.
fn unread(text: &str, error: &toml::de::Error) -> TokensError {
    let why = error.message().trim_end();
    let before = error.span().and_then(|span| text.get(..span.start));
    TokensError(match before {
        Some(before) => format!("line {}: {why}", before.matches('\n').count() + 1),
        None => why.to_owned(),
    })
}

/// Somebody who logs in with a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// Who it is then.
    pub caller: Caller,
    /// What the password is held against.
    pub password: HashedPassword,
}

/// All tokens, by their hash, and all logins, by their name.
#[derive(Debug, Clone, Default)]
pub struct Tokens {
    by_hash: HashMap<[u8; blake3::OUT_LEN], Caller>,
    logins: HashMap<Name, Login>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    token: Vec<Entry>,
    #[serde(default)]
    login: Vec<LoginEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    hash: String,
    role: Role,
    person: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LoginEntry {
    name: String,
    password: String,
    role: Role,
    person: Option<String>,
}

/// The names of a file so far: one is one caller, by whichever way he comes.
#[derive(Default)]
struct Names(BTreeSet<String>);

impl Names {
    fn caller(
        &mut self,
        name: &str,
        role: Role,
        person: Option<String>,
    ) -> Result<Caller, &'static str> {
        if name.is_empty() || !self.0.insert(name.to_owned()) {
            return Err("each needs a name of its own");
        }
        match (role, &person) {
            (Role::Lead | Role::Agent, None) => {
                return Err("`person` must say for whom it stands");
            }
            (Role::Reader | Role::Integration, Some(_)) => {
                return Err("this role stands for no person: leave `person` out");
            }
            _ => (),
        }
        Ok(Caller {
            name: Name::new(name),
            role,
            person: person.map(Name::new),
            from: None,
        })
    }
}

impl Tokens {
    /// Reads the text of a file: a `[[token]]` for each, with `name`, `hash`, `role` and, for people,
    /// `person`; and a `[[login]]` for each who has a password, with `password` in the place of `hash`.
    ///
    /// # Errors
    /// [`TokensError`] says what is wrong with which of them.
    pub fn read(text: &str) -> Result<Self, TokensError> {
        let written: Written = toml::from_str(text).map_err(|error| unread(text, &error))?;
        let mut names = Names::default();
        let mut tokens = Self::default();
        for entry in written.token {
            let name = entry.name.clone();
            let added = tokens.add(&mut names, entry);
            added.map_err(|what| TokensError(format!("token `{name}`: {what}")))?;
        }
        for entry in written.login {
            let name = entry.name.clone();
            let added = tokens.add_login(&mut names, entry);
            added.map_err(|what| TokensError(format!("login `{name}`: {what}")))?;
        }
        Ok(tokens)
    }

    fn add(&mut self, names: &mut Names, entry: Entry) -> Result<(), &'static str> {
        let caller = names.caller(&entry.name, entry.role, entry.person)?;
        let hash = entry.hash.strip_prefix(SCHEME);
        let hash = hash.and_then(|hex| blake3::Hash::from_hex(hex).ok());
        let hash = hash.ok_or("`hash` must be what `upline token` has printed")?;
        match self.by_hash.insert(*hash.as_bytes(), caller) {
            None => Ok(()),
            Some(_) => Err("another one has the same hash"),
        }
    }

    fn add_login(&mut self, names: &mut Names, entry: LoginEntry) -> Result<(), &'static str> {
        if entry.role == Role::Integration {
            return Err("another system has no password: give it a token");
        }
        let caller = names.caller(&entry.name, entry.role, entry.person)?;
        let password = HashedPassword::read(&entry.password);
        let password = password.ok_or("`password` must be what `upline password` has printed")?;
        let login = Login { caller, password };
        self.logins.insert(login.caller.name.clone(), login);
        Ok(())
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_hash.is_empty() && self.logins.is_empty()
    }

    /// Who logs in by this name.
    #[must_use]
    pub fn login(&self, name: &str) -> Option<&Login> {
        self.logins.get(name)
    }

    /// Who has this secret. The search is by the hash: how long it takes tells nothing about a secret.
    #[must_use]
    pub fn find(&self, secret: &str) -> Option<&Caller> {
        self.by_hash(&blake3::hash(secret.as_bytes()))
    }

    /// Who has the secret with this hash.
    pub(crate) fn by_hash(&self, hash: &blake3::Hash) -> Option<&Caller> {
        self.by_hash.get(hash.as_bytes())
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
    fn what_cannot_be_read_is_told_by_its_line_and_not_shown() {
        let text = entry("role = \"reader\"") + "[[login]]\npassword = \"$argon2id$s3cret\n";
        let why = Tokens::read(&text).unwrap_err().to_string();
        assert!(why.starts_with("line ") && !why.contains("s3cret"), "{why}");
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

    fn login(name: &str, rest: &str) -> String {
        let password = HashedPassword::of("correct horse battery").unwrap();
        let password = password.as_str();
        format!("[[login]]\nname = \"{name}\"\npassword = \"{password}\"\n{rest}\n")
    }

    #[test]
    fn what_a_login_must_not_be_is_refused() {
        let agent = "role = \"agent\"\nperson = \"ann\"";
        let reader = "role = \"reader\"";
        let cases = [
            (login("b", "role = \"agent\""), "`person` must say"),
            (login("b", "role = \"integration\""), "give it a token"),
            (login("", reader), "a name of its own"),
            (login("b", reader).repeat(2), "a name of its own"),
            // A name is one caller, whichever way he comes.
            (entry(reader) + &login("a", agent), "a name of its own"),
            (
                "[[login]]\nname = \"b\"\npassword = \"letmein\"\nrole = \"reader\"".into(),
                "`password` must be",
            ),
        ];
        for (text, expected) in cases {
            let said = Tokens::read(&text).unwrap_err().to_string();
            assert!(said.contains(expected), "{text}\n{said}");
        }
        let read = Tokens::read(&login("ann", agent)).unwrap();
        assert_eq!(read.login("ann").unwrap().caller.role, Role::Agent);
        assert!(!read.is_empty() && read.login("a").is_none());
    }

    #[test]
    fn secrets_are_long_and_never_the_same() {
        let (one, other) = (new_secret().unwrap(), new_secret().unwrap());
        assert_eq!(one.len(), PREFIX.len() + 2 * SECRET_BYTES);
        assert_ne!(one, other);
    }
}
