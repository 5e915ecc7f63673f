//! The sections `[source.NAME]`.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::shipped;
use crate::settings::{Secret, Section};

/// How a source proves with a secret that a message is its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Signature {
    /// As Standard Webhooks has it: with an id and the time, so that nobody can send it again later.
    #[default]
    Standard,
    /// As GitHub and many others do: `X-Hub-Signature-256`, a signature of the body alone.
    Hub,
}

impl std::fmt::Display for Signature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Standard => "standard",
            Self::Hub => "hub",
        })
    }
}

/// A section `[source.NAME]`: another system that opens tickets and moves them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct SourceSettings {
    /// What its messages mean: a file, or the name of a map that is shipped.
    pub map: String,
    /// The workflow of its tickets, if not the one that the map names.
    pub workflow: Option<String>,
    /// What it shows as `Authorization: Bearer`.
    pub token: Option<Secret>,
    /// What it signs with.
    pub secret: Option<Secret>,
    /// What it signed with before.
    pub previous_secret: Option<Secret>,
    /// How it signs.
    #[serde(default)]
    pub signature: Signature,
    /// The folder from which a map's path is meant.
    #[serde(skip)]
    pub(crate) folder: PathBuf,
}

impl SourceSettings {
    /// With a map, and nothing by which it could prove itself yet.
    #[must_use]
    pub fn new(map: impl Into<String>) -> Self {
        Self {
            map: map.into(),
            workflow: None,
            token: None,
            secret: None,
            previous_secret: None,
            signature: Signature::default(),
            folder: PathBuf::new(),
        }
    }

    /// The file of the map; `None`: it is shipped.
    pub(super) fn file(&self) -> Option<PathBuf> {
        let is_shipped = shipped(&self.map).is_some();
        (!is_shipped).then(|| self.folder.join(&self.map))
    }
}

impl Section for SourceSettings {
    const NAME: &'static str = "source";

    fn settle(&mut self, folder: &Path) -> Result<(), Vec<String>> {
        folder.clone_into(&mut self.folder);
        let secrets = [&mut self.token, &mut self.secret, &mut self.previous_secret];
        for secret in secrets.into_iter().flatten() {
            secret.settle(folder);
        }
        let mut faults = Vec::new();
        if self.token.is_none() && self.secret.is_none() {
            faults.push(
                "`token` or `secret` is missing: whoever reaches the daemon could open tickets"
                    .to_owned(),
            );
        }
        if self.previous_secret.is_some() && self.secret.is_none() {
            faults.push("`previous-secret` needs a `secret`".to_owned());
        }
        match faults.is_empty() {
            true => Ok(()),
            false => Err(faults),
        }
    }

    fn secrets(&self) -> Vec<&Secret> {
        let all = [&self.token, &self.secret, &self.previous_secret];
        all.into_iter().flatten().collect()
    }

    fn rows(&self) -> Vec<(&'static str, String)> {
        let secret =
            |secret: &Option<Secret>| secret.as_ref().map(Secret::to_string).unwrap_or_default();
        let map = self.file().map(|path| path.display().to_string());
        vec![
            ("map", map.unwrap_or_else(|| self.map.clone())),
            ("workflow", self.workflow.clone().unwrap_or_default()),
            ("token", secret(&self.token)),
            ("secret", secret(&self.secret)),
            ("previous-secret", secret(&self.previous_secret)),
            ("signature", self.signature.to_string()),
        ]
    }
}
