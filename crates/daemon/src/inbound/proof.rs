//! Whose message it is: a token, or a signature of what came.

use std::time::Duration;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac_sha256::HMAC;
use standardwebhooks::{HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP, Webhook};

use super::settings::{Signature, SourceSettings};
use crate::settings::Secret;

/// The header of [`Signature::Hub`].
const HUB: &str = "x-hub-signature-256";

/// How old a signature may be, or how far ahead.
pub const REPLAY_WINDOW: Duration = Duration::from_secs(5 * 60);

/// Shortest token or key: shorter ones are guessed.
pub const MIN_SECRET_BYTES: usize = 16;

/// What a source proves itself with.
pub(super) struct Proof {
    /// The hash of its token: comparing hashes takes as long for every wrong one.
    token: Option<blake3::Hash>,
    /// The keys of its signatures, the newest first.
    secrets: Vec<Vec<u8>>,
    signature: Signature,
}

/// Why a message is not believed. What it says helps whoever sets a source up, and nobody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doubt {
    /// Neither a token nor a signature.
    Nothing,
    /// A token, and not the right one; or no token is taken here.
    Token,
    /// A signature, and not the right one; or none is taken here.
    Signature,
    /// Signed more than five minutes ago, or ahead.
    Time,
}

impl Doubt {
    pub(super) fn says(self) -> &'static str {
        match self {
            Self::Nothing => "a token or a signature is needed",
            Self::Token => "this token is not the one of the source",
            Self::Signature => "the signature is not the source's for this body",
            Self::Time => "it was signed more than five minutes ago, or ahead: look at the clocks",
        }
    }
}

impl Proof {
    /// Reads the secrets.
    ///
    /// # Errors
    /// A line for the operator.
    pub(super) fn new(settings: &SourceSettings) -> Result<Self, String> {
        let read = |field: &str, secret: &Secret| {
            secret.read().map_err(|fault| format!("`{field}`: {fault}"))
        };
        let token = match &settings.token {
            Some(secret) => {
                let token = read("token", secret)?;
                if token.reveal().len() < MIN_SECRET_BYTES {
                    return Err(format!(
                        "`token` must have at least {MIN_SECRET_BYTES} bytes"
                    ));
                }
                Some(blake3::hash(token.reveal().as_bytes()))
            }
            None => None,
        };
        let mut secrets = Vec::new();
        let given = [
            ("secret", &settings.secret),
            ("previous-secret", &settings.previous_secret),
        ];
        for (field, secret) in given {
            let Some(secret) = secret else { continue };
            let secret = read(field, secret)?;
            let key = match settings.signature {
                Signature::Standard => {
                    let encoded = secret.reveal().strip_prefix("whsec_").unwrap_or_default();
                    STANDARD.decode(encoded).unwrap_or_default()
                }
                Signature::Hub => secret.reveal().as_bytes().to_vec(),
            };
            if key.len() < MIN_SECRET_BYTES {
                let what = match settings.signature {
                    Signature::Standard => "`whsec_` and, in base64, ",
                    Signature::Hub => "",
                };
                return Err(format!(
                    "`{field}` must be {what}at least {MIN_SECRET_BYTES} random bytes"
                ));
            }
            secrets.push(key);
        }
        Ok(Self {
            token,
            secrets,
            signature: settings.signature,
        })
    }

    /// Whether the message is the source's. With a signature, that counts; else a token.
    pub(super) fn of(&self, headers: &HeaderMap, body: &[u8]) -> Result<(), Doubt> {
        if headers.contains_key(HEADER_WEBHOOK_SIGNATURE) && self.signature == Signature::Standard {
            return self.standard(headers, body);
        }
        if let Some(given) = headers.get(HUB)
            && self.signature == Signature::Hub
        {
            let given = given.to_str().map_err(|_| Doubt::Signature)?;
            return self.hub(given, body);
        }
        let header = headers.get(AUTHORIZATION).ok_or(Doubt::Nothing)?;
        let given = header.to_str().ok().and_then(|text| text.split_once(' '));
        let (scheme, given) = given.ok_or(Doubt::Token)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(Doubt::Token);
        }
        let given = blake3::hash(given.trim().as_bytes());
        // This comparison takes the same time for all.
        match self.token.is_some_and(|token| token == given) {
            true => Ok(()),
            false => Err(Doubt::Token),
        }
    }

    fn standard(&self, headers: &HeaderMap, body: &[u8]) -> Result<(), Doubt> {
        let time = headers.get(HEADER_WEBHOOK_TIMESTAMP);
        let time = time.and_then(|time| time.to_str().ok()?.parse::<i64>().ok());
        let now = jiff::Timestamp::now().as_second();
        // Looked at here already: the library would subtract whatever was sent.
        if time.is_none_or(|time| time.abs_diff(now) > REPLAY_WINDOW.as_secs()) {
            return Err(Doubt::Time);
        }
        let known = |secret: &Vec<u8>| {
            let known = Webhook::from_bytes(secret.clone());
            known.and_then(|known| known.verify(body, headers)).is_ok()
        };
        match self.secrets.iter().any(known) {
            true => Ok(()),
            false => Err(Doubt::Signature),
        }
    }

    fn hub(&self, given: &str, body: &[u8]) -> Result<(), Doubt> {
        let given = given.strip_prefix("sha256=").unwrap_or_default();
        let given = blake3::hash(given.to_ascii_lowercase().as_bytes());
        let mut is_right = false;
        for secret in &self.secrets {
            let expected = HMAC::mac(body, secret);
            let expected: String = expected.iter().map(|byte| format!("{byte:02x}")).collect();
            // Hashes of both are compared, in the same time for all.
            is_right |= blake3::hash(expected.as_bytes()) == given;
        }
        match is_right {
            true => Ok(()),
            false => Err(Doubt::Signature),
        }
    }
}
