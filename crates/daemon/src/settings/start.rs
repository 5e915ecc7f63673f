//! From settings to a daemon.

use super::{Secret, Section, Settings};
use crate::Start;
use crate::tokens::Tokens;

impl Settings {
    /// Says in the log which secrets every user of the machine can read.
    pub fn warn_of_open_secrets(&self) {
        for secret in self.secrets().into_iter().filter(|secret| secret.is_open()) {
            tracing::warn!(
                code = "secret-open",
                secret = %secret,
                "every user of this machine can read a secret: take the right from others (`chmod o-r`)"
            );
        }
    }

    /// Where the secrets of all sections are kept.
    pub(crate) fn secrets(&self) -> Vec<&Secret> {
        let mut all = Vec::new();
        all.extend(self.mail.iter().flat_map(Section::secrets));
        all.extend(self.mailboxes.values().flat_map(Section::secrets));
        all.extend(self.sources.values().flat_map(Section::secrets));
        all.extend(self.webhooks.values().flat_map(Section::secrets));
        all.extend(self.heartbeat.iter().flat_map(Section::secrets));
        all
    }

    /// What a daemon is started with that has these settings, all of them. The tokens are given, since a file
    /// of them may be wrong in ways of its own; changes of it and of the workflows are seen while it runs.
    #[must_use]
    pub fn start(self, tokens: Tokens) -> Start {
        let language = self.mail.as_ref().map(|mail| mail.language);
        Start::new(self.data.value, self.workflows.value, self.listen.value)
            .tokens(tokens)
            .token_file(self.tokens.value)
            .watch_files(true)
            .keep_history(self.keep_history.value.time())
            .behind_proxy(self.behind_proxy.value)
            .mail(self.mail)
            .sources(self.sources)
            .webhooks(self.webhooks)
            .links(
                self.public_url.value,
                self.links.unwrap_or_default(),
                language.unwrap_or_default(),
            )
            .mailboxes(self.mailboxes)
            .heartbeat(self.heartbeat)
    }
}
