//! The sections `[webhook.NAME]`.

use std::path::Path;
use std::time::Duration;

use jiff::SignedDuration;
use serde::Deserialize;

use super::egress::Target;
use super::shape::{Shape, Signs};
use crate::settings::{Hidden, Secret, Section};

/// How long a peer may take to answer, unless a setting says otherwise.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(15);

/// Longest time that a peer can be given. The engine waits for twice as long.
pub const MAX_TIMEOUT: Duration = Duration::from_secs(30);

/// The address of a webhook: as a text, or, since robots have a secret in it, where it is kept.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(
    untagged,
    expecting = "an address, or where it is kept: { env = \"NAME\" } or { file = \"PATH\" }"
)]
pub enum Address {
    /// The address.
    Text(String),
    /// Where it is kept.
    Kept(Secret),
}

impl std::fmt::Debug for Address {
    /// Without the address.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(_) => f.write_str("Text"),
            Self::Kept(secret) => secret.fmt(f),
        }
    }
}

impl Address {
    /// The address itself.
    ///
    /// # Errors
    /// As [`Secret::read`].
    pub(crate) fn read(&self) -> Result<Hidden, String> {
        match self {
            Self::Text(text) => Ok(Hidden::from(text.clone())),
            Self::Kept(secret) => secret.read(),
        }
    }

    /// What is wrong with an address that stands in the settings themselves, a line for people. One that is
    /// kept elsewhere is looked at when it is used.
    pub(crate) fn fault(&self, allow_private: bool) -> Option<String> {
        let Self::Text(text) = self else {
            return None;
        };
        Target::new(text.trim(), allow_private, None).err()
    }

    /// Takes a path as meant from this folder.
    pub(crate) fn settle(&mut self, folder: &Path) {
        if let Self::Kept(secret) = self {
            secret.settle(folder);
        }
    }

    /// Where it is kept, if it is a secret.
    pub(crate) fn secret(&self) -> Option<&Secret> {
        match self {
            Self::Text(_) => None,
            Self::Kept(secret) => Some(secret),
        }
    }

    /// What people are shown of it: the host alone, since robots have their secret behind it.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Text(text) => match url::Url::parse(text) {
                Ok(url) => format!(
                    "{}://{}/…",
                    url.scheme(),
                    url.host_str().unwrap_or_default()
                ),
                Err(_) => "…".to_owned(),
            },
            Self::Kept(secret) => secret.to_string(),
        }
    }
}

/// A section `[webhook.NAME]`: where messages for people with `webhook: NAME` go.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct WebhookSettings {
    /// Where to.
    pub url: Address,
    /// What the peer takes.
    #[serde(default)]
    pub shape: Shape,
    /// What messages are signed with.
    pub secret: Option<Secret>,
    /// What they were signed with before, and are signed with too until the peer knows the new one.
    pub previous_secret: Option<Secret>,
    /// Whether the peer may be in the own network.
    #[serde(default)]
    pub allow_private: bool,
    /// Whether the links by which people act are sent: whoever reads the channel could use them.
    #[serde(default)]
    pub links: bool,
    /// How long the peer may take: `15 s`.
    pub(super) timeout: Option<SignedDuration>,
}

impl WebhookSettings {
    /// With an address, and everything else as if nothing was said.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: Address::Text(url.into()),
            shape: Shape::default(),
            secret: None,
            previous_secret: None,
            allow_private: false,
            links: false,
            timeout: None,
        }
    }

    /// How long the peer may take.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        let given = self.timeout.and_then(|given| given.try_into().ok());
        given.unwrap_or(DEFAULT_TIMEOUT)
    }

    fn faults(&self) -> Vec<String> {
        let mut faults: Vec<String> = self.url.fault(self.allow_private).into_iter().collect();
        match (self.shape.signs(), &self.secret) {
            (Signs::Always, None) => faults.push(
                "`secret` is missing: by it the peer knows that a message is ours; it is `whsec_` \
                 and 24 to 64 random bytes in base64"
                    .to_owned(),
            ),
            (Signs::Never, Some(_)) => faults.push(format!(
                "`secret` has no use: the shape `{}` signs nothing",
                self.shape
            )),
            _ => (),
        }
        if self.previous_secret.is_some() && self.shape != Shape::Standard {
            let shape = self.shape;
            faults.push(format!(
                "`previous-secret` has no use: `{shape}` takes one signature"
            ));
        }
        let bounds = Duration::from_secs(1)..=MAX_TIMEOUT;
        if self.timeout.is_some_and(|given| given.is_negative())
            || !bounds.contains(&self.timeout())
        {
            faults.push(format!(
                "`timeout` must be 1 s to {} s",
                MAX_TIMEOUT.as_secs()
            ));
        }
        faults
    }
}

impl Section for WebhookSettings {
    const NAME: &'static str = "webhook";

    fn settle(&mut self, folder: &Path) -> Result<(), Vec<String>> {
        self.url.settle(folder);
        for secret in [&mut self.secret, &mut self.previous_secret]
            .into_iter()
            .flatten()
        {
            secret.settle(folder);
        }
        let faults = self.faults();
        match faults.is_empty() {
            true => Ok(()),
            false => Err(faults),
        }
    }

    fn secrets(&self) -> Vec<&Secret> {
        let own = [&self.secret, &self.previous_secret];
        own.into_iter().flatten().chain(self.url.secret()).collect()
    }

    fn rows(&self) -> Vec<(&'static str, String)> {
        let secret =
            |secret: &Option<Secret>| secret.as_ref().map(Secret::to_string).unwrap_or_default();
        vec![
            ("url", self.url.shown()),
            ("shape", self.shape.to_string()),
            ("secret", secret(&self.secret)),
            ("previous-secret", secret(&self.previous_secret)),
            ("allow-private", self.allow_private.to_string()),
            ("links", self.links.to_string()),
            ("timeout", format!("{} s", self.timeout().as_secs())),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<WebhookSettings, String> {
        let mut read: WebhookSettings = toml::from_str(text).map_err(|error| error.to_string())?;
        read.settle(Path::new("etc"))
            .map_err(|faults| faults.join("; "))?;
        Ok(read)
    }

    #[test]
    fn a_webhook_is_read_and_its_address_is_not_shown() {
        let read = read(
            "url = \"https://robot.example/send?key=s3cret\"\nshape = \"wecom\"\n\
             links = true\ntimeout = \"5 s\"",
        )
        .unwrap();
        assert_eq!(read.timeout(), Duration::from_secs(5));
        assert!(read.links && !read.allow_private);
        let shown = format!("{read:?} {:?}", read.rows());
        assert!(
            shown.contains("robot.example") && !shown.contains("s3cret"),
            "{shown}"
        );
    }

    #[test]
    fn what_a_webhook_must_not_say_is_told() {
        let url = "url = \"https://peer.example/x\"\n";
        let cases = [
            ("", "`secret` is missing"),
            (
                "shape = \"slack\"\nsecret = { env = \"A\" }",
                "`secret` has no use",
            ),
            (
                "shape = \"feishu\"\nprevious-secret = { env = \"A\" }",
                "`previous-secret` has no use",
            ),
            ("shape = \"irc\"", "unknown variant `irc`"),
            ("secret = \"open\"", "secret"),
            (
                "shape = \"slack\"\ntimeout = \"40 s\"",
                "`timeout` must be 1 s to 30 s",
            ),
            ("shape = \"slack\"\ntimeout = \"-2 s\"", "`timeout` must be"),
            ("shape = \"slack\"\ntimeout = \"soon\"", "soon"),
            ("shape = \"slack\"\nurls = 3", "unknown field `urls`"),
        ];
        for (text, expected) in cases {
            let said = read(&format!("{url}{text}")).unwrap_err();
            assert!(said.contains(expected), "{text}\n{said}");
        }
        let said = read("url = 3").unwrap_err();
        assert!(said.contains("an address, or where it is kept"), "{said}");
    }
}
