//! Mail.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::Language;
use crate::settings::{Secret, Section};

/// How the way to the mail server is kept from others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailSecurity {
    /// TLS from the first byte.
    #[default]
    Tls,
    /// TLS after `STARTTLS`; without it nothing is sent.
    StartTls,
    /// Not at all: a server on this machine only.
    None,
}

/// The section `[mail]`: how mail is sent.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct MailSettings {
    /// The mail server's name.
    pub server: String,
    /// Its port; else 465 with TLS, 587 with `starttls`, 25 without.
    pub port: Option<u16>,
    /// How the way to it is kept from others.
    #[serde(default)]
    pub security: MailSecurity,
    /// The user to log in as.
    pub user: Option<String>,
    /// His password.
    pub password: Option<Secret>,
    /// Who the mail is from: `Service Desk <desk@example.com>`.
    pub from: String,
    /// Where answers go, if not there.
    pub reply_to: Option<String>,
    /// The language of people who speak none that mail is written in.
    #[serde(default)]
    pub language: Language,
    /// A folder of templates that take the place of those shipped.
    pub templates: Option<PathBuf>,
}

impl MailSettings {
    /// The port to connect to.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(match self.security {
            MailSecurity::Tls => 465,
            MailSecurity::StartTls => 587,
            MailSecurity::None => 25,
        })
    }
}

impl Section for MailSettings {
    const NAME: &'static str = "mail";

    fn settle(&mut self, folder: &Path) -> Result<(), Vec<String>> {
        if let Some(password) = &mut self.password {
            password.settle(folder);
        }
        if let Some(templates) = &mut self.templates {
            *templates = folder.join(&templates);
        }
        match self.user.is_some() == self.password.is_some() {
            true => Ok(()),
            false => Err(vec![
                "`user` and `password` must be given together".to_owned(),
            ]),
        }
    }

    fn rows(&self) -> Vec<(&'static str, String)> {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let password = self.password.as_ref();
        let templates = self.templates.as_ref();
        vec![
            ("server", self.server.clone()),
            ("port", self.port().to_string()),
            ("security", format!("{:?}", self.security).to_lowercase()),
            ("user", text(&self.user)),
            (
                "password",
                password.map(Secret::to_string).unwrap_or_default(),
            ),
            ("from", self.from.clone()),
            ("reply-to", text(&self.reply_to)),
            ("language", self.language.to_string()),
            (
                "templates",
                templates
                    .map(|path| path.display().to_string())
                    .unwrap_or_default(),
            ),
        ]
    }
}
