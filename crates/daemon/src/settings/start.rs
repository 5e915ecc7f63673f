//! From settings to a daemon.

use super::Settings;
use crate::Start;
use crate::tokens::Tokens;

impl Settings {
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
