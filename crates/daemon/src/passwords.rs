//! Passwords: how people get in who have no token.
//!
//! A password is kept as a hash that takes time and memory to compute (Argon2id), so that whoever reads the
//! file must try long for each that he guesses. Whoever gives the right one gets a token that ends by itself:
//! requests are as cheap as with any other.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Semaphore;
use upline::clock::Clock;
use upline::core::Name;
use upline::vault::system_entropy;

use crate::limits::{
    LOGIN_TIME, MAX_LOGINS_OF_ONE, MAX_PASSWORD_BYTES, MAX_PASSWORDS_AT_ONCE,
    MAX_PASSWORDS_WAITING, MIN_PASSWORD_CHARACTERS,
};
use crate::tokens::{Caller, Login, Tokens, new_secret};

/// Random bytes that are hashed with a password.
const SALT_BYTES: usize = 16;
/// Most memory, in KiB, and most passes that a hash in a file may ask for: 256 MiB, and 16.
const MAX_COST: (u32, u32) = (256 * 1024, 16);

/// A password, as a file has it: a PHC string of Argon2id.
///
/// ```
/// use upline_daemon::passwords::HashedPassword;
/// let hashed = HashedPassword::of("correct horse battery")?;
/// assert_eq!(HashedPassword::read(hashed.as_str()), Some(hashed));
/// assert!(HashedPassword::of("too short").is_err());
/// # Ok::<(), upline_daemon::passwords::PasswordError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct HashedPassword(Arc<str>);

impl std::fmt::Debug for HashedPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HashedPassword")
    }
}

/// Why a password is not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// NIST SP 800-63B-4, 3.1.1.2, wants so many where nothing else is asked for.
    #[error(
        "a password needs {MIN_PASSWORD_CHARACTERS} characters or more: some words that only you put together"
    )]
    TooShort,
    /// Longer than what is read of a request.
    #[error("a password has {MAX_PASSWORD_BYTES} bytes at most")]
    TooLong,
    /// The system gave no random bytes, or no memory.
    #[error("the password can't be hashed: {0}")]
    System(String),
}

impl From<io::Error> for PasswordError {
    fn from(error: io::Error) -> Self {
        Self::System(error.to_string())
    }
}

impl HashedPassword {
    /// Hashes a password that somebody has chosen, with the cost that OWASP recommends: 19 MiB, two passes.
    ///
    /// # Errors
    /// [`PasswordError`] says what is wrong with it.
    pub fn of(password: &str) -> Result<Self, PasswordError> {
        if password.chars().count() < MIN_PASSWORD_CHARACTERS {
            return Err(PasswordError::TooShort);
        }
        if password.len() > MAX_PASSWORD_BYTES {
            return Err(PasswordError::TooLong);
        }
        let mut salt = [0; SALT_BYTES];
        system_entropy()(&mut salt)?;
        let hash = Argon2::default().hash_password_with_salt(password.as_bytes(), &salt);
        let hash = hash.map_err(|error| PasswordError::System(error.to_string()))?;
        Ok(Self(hash.to_string().into()))
    }

    /// What a file says. `None`: it is no such hash, or one that would take too long.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let hash = PasswordHash::new(text).ok()?;
        let argon2id = Algorithm::Argon2id.ident();
        let params = Params::try_from(&hash).ok()?;
        let is_complete = hash.salt.is_some() && hash.hash.is_some();
        let is_bounded = params.m_cost() <= MAX_COST.0 && params.t_cost() <= MAX_COST.1;
        (hash.algorithm == argon2id && is_complete && is_bounded).then(|| Self(text.into()))
    }

    /// As it stands in a file.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the password. Takes some hundredths of a second.
    fn is(&self, password: &str) -> bool {
        let hash = PasswordHash::new(&self.0);
        hash.is_ok_and(|hash| {
            let verified = Argon2::default().verify_password(password.as_bytes(), &hash);
            verified.is_ok()
        })
    }
}

/// Held against a password where nobody has the name, so that it takes as long as where somebody has.
static NOBODYS: LazyLock<Option<HashedPassword>> =
    LazyLock::new(|| HashedPassword::of(&new_secret().ok()?).ok());

/// Somebody who is logged in.
#[derive(Debug)]
struct Held {
    login: Name,
    /// With another password in the file he is not logged in any more.
    password: HashedPassword,
    /// By the steady clock, in milliseconds.
    ends: i64,
}

/// Why it is not known whether a password is right.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotTried {
    /// Too many are being tried.
    Busy,
    /// It was broken off.
    Stopped,
}

/// Who is logged in. It is kept in memory alone: after a restart people log in again.
pub(crate) struct Logins {
    clock: Arc<dyn Clock>,
    held: Mutex<HashMap<[u8; blake3::OUT_LEN], Held>>,
    /// Bounds the memory and the processors that passwords take.
    trying: Semaphore,
    waiting: Semaphore,
}

impl std::fmt::Debug for Logins {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Logins").finish_non_exhaustive()
    }
}

impl Logins {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            held: Mutex::default(),
            trying: Semaphore::new(MAX_PASSWORDS_AT_ONCE),
            waiting: Semaphore::new(MAX_PASSWORDS_WAITING),
        }
    }

    /// Whether this is the password of this login. Where there is none, it takes as long.
    pub(crate) async fn is_right(
        &self,
        login: Option<&Login>,
        password: String,
    ) -> Result<bool, NotTried> {
        let _waits = self.waiting.try_acquire().map_err(|_| NotTried::Busy)?;
        let _tries = self.trying.acquire().await.map_err(|_| NotTried::Stopped)?;
        let hashed = login.map(|login| login.password.clone());
        let tried = tokio::task::spawn_blocking(move || match hashed {
            Some(hashed) => hashed.is(&password),
            None => {
                let _ = NOBODYS
                    .as_ref()
                    .is_some_and(|nobodys| nobodys.is(&password));
                false
            }
        });
        tried.await.map_err(|_| NotTried::Stopped)
    }

    /// Logs somebody in: his token, and when it ends. Of too many of his the oldest ends.
    pub(crate) fn begin(&self, login: &Login) -> io::Result<(String, Timestamp)> {
        let secret = new_secret()?;
        let now = self.clock.read();
        let lasts = SignedDuration::try_from(LOGIN_TIME).unwrap_or(SignedDuration::MAX);
        let ends = now.steady.saturating_add(lasts.as_millis() as i64);
        let until = Timestamp::from_millisecond(now.wall).unwrap_or(Timestamp::MAX);
        let until = until.saturating_add(lasts).unwrap_or(Timestamp::MAX);
        let name = &login.caller.name;
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|_, one| one.ends > now.steady);
        let his = held.iter().filter(|(_, one)| one.login == *name);
        if his.clone().count() >= MAX_LOGINS_OF_ONE {
            let oldest = his.min_by_key(|(hash, one)| (one.ends, **hash));
            if let Some(hash) = oldest.map(|(hash, _)| *hash) {
                held.remove(&hash);
            }
        }
        let one = Held {
            login: name.clone(),
            password: login.password.clone(),
            ends,
        };
        held.insert(*blake3::hash(secret.as_bytes()).as_bytes(), one);
        Ok((secret, until))
    }

    /// Who is logged in by the token with this hash, with the rights that the file gives him now.
    pub(crate) fn find(&self, token: &blake3::Hash, tokens: &Tokens) -> Option<Caller> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let one = held.get(token.as_bytes())?;
        let login = tokens.login(&one.login)?;
        let holds = one.ends > self.clock.read().steady && login.password == one.password;
        holds.then(|| login.caller.clone())
    }

    /// Ends one. `false`: there is none.
    pub(crate) fn end(&self, secret: &str) -> bool {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let hash = blake3::hash(secret.as_bytes());
        held.remove(hash.as_bytes()).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_that_are_none_or_take_too_long_are_refused() {
        let fine = HashedPassword::of("fifteen letters!").unwrap();
        assert!(fine.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(fine.is("fifteen letters!") && !fine.is("fifteen letters?"));
        let with = |from: &str, to: &str| fine.as_str().replace(from, to);
        for text in [
            String::new(),
            "fifteen letters!".into(),
            with("argon2id", "argon2i"),
            with("m=19456", "m=99999999"),
            with("t=2", "t=99"),
            "$argon2id$v=19$m=19456,t=2,p=1".into(),
        ] {
            assert_eq!(HashedPassword::read(&text), None, "{text}");
        }
    }

    #[test]
    fn characters_are_counted_and_bytes_are_bounded() {
        // Fifteen characters in Chinese are a long password too.
        assert!(HashedPassword::of(&"\u{5de5}".repeat(MIN_PASSWORD_CHARACTERS)).is_ok());
        let short = HashedPassword::of(&"\u{5de5}".repeat(MIN_PASSWORD_CHARACTERS - 1));
        assert!(matches!(short, Err(PasswordError::TooShort)));
        let long = HashedPassword::of(&"x".repeat(MAX_PASSWORD_BYTES + 1));
        assert!(matches!(long, Err(PasswordError::TooLong)));
    }

    #[test]
    fn two_hashes_of_one_password_are_not_the_same() {
        let of = || HashedPassword::of("correct horse battery").unwrap();
        assert_ne!(of(), of());
    }
}
