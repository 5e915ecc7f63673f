//! The section `[links]`.

use std::path::Path;

use serde::Deserialize;

use crate::settings::Section;

/// What stands for taking a ticket.
const TAKE: &str = "take";
/// What stands for "not me".
const DECLINE: &str = "decline";
/// What stands for every action without fields.
const ALL: &str = "all";

/// The section `[links]`: which links there are in messages to people.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
#[non_exhaustive]
pub struct LinksSettings {
    /// Whether there are any. They need a `public-url` too.
    pub enabled: bool,
    /// What can be done by a link: `take`, `decline`, `all`, or one action as `WORKFLOW/ACTION`.
    pub actions: Vec<String>,
}

impl Default for LinksSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            actions: vec![TAKE.to_owned(), DECLINE.to_owned()],
        }
    }
}

impl LinksSettings {
    pub(super) fn takes(&self) -> bool {
        self.has(TAKE)
    }

    pub(super) fn declines(&self) -> bool {
        self.has(DECLINE)
    }

    /// Whether this action may be taken by a link; `takes`: whoever presses it has the ticket afterwards.
    pub(super) fn allows(&self, workflow: &str, action: &str, takes: bool) -> bool {
        let named = |one: &String| one.split_once('/') == Some((workflow, action));
        (takes && self.takes()) || self.has(ALL) || self.actions.iter().any(named)
    }

    fn has(&self, word: &str) -> bool {
        self.actions.iter().any(|one| one == word)
    }
}

impl Section for LinksSettings {
    const NAME: &'static str = "links";

    fn settle(&mut self, _folder: &Path) -> Result<(), Vec<String>> {
        let known = |one: &&String| {
            let words = [TAKE, DECLINE, ALL].contains(&one.as_str());
            let named = one.split_once('/');
            let named = named.is_some_and(|(workflow, action)| {
                !workflow.is_empty() && !action.is_empty() && !action.contains('/')
            });
            words || named
        };
        let unknown = self.actions.iter().filter(|one| !known(one));
        let faults: Vec<String> = unknown
            .map(|one| {
                format!(
                    "`actions`: `{one}` is none; there are `{TAKE}`, `{DECLINE}`, `{ALL}` and single \
                     ones, such as `trouble-ticket/accept`"
                )
            })
            .collect();
        match faults.is_empty() {
            true => Ok(()),
            false => Err(faults),
        }
    }

    fn rows(&self) -> Vec<(&'static str, String)> {
        vec![
            ("enabled", self.enabled.to_string()),
            ("actions", self.actions.join(", ")),
        ]
    }
}
