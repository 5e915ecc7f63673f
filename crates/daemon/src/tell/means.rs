//! From settings to whoever writes letters, and whoever sends them.

use std::path::Path;
use std::sync::Arc;

use super::{Hooks, Letters, Mail, MailSettings, Teller};
use crate::StartError;
use crate::alarms::Alarms;
use crate::thread::Threads;

/// Who writes letters, and who sends them; nobody, if there is no channel.
pub(crate) fn means(
    data: &Path,
    mail: Option<&MailSettings>,
    hooks: &Hooks,
    alarms: &Alarms,
) -> Result<(Arc<Letters>, Option<Teller>), StartError> {
    let language = mail.map(|mail| mail.language).unwrap_or_default();
    let folder = mail.and_then(|mail| mail.templates.clone());
    let letters = Arc::new(Letters::new(language, folder, alarms.clone()));
    if mail.is_none() && hooks.is_empty() {
        return Ok((letters, None));
    }
    let add = |teller: Teller, (via, channel)| teller.channel(via, channel);
    let teller = Teller::new(Arc::<Letters>::clone(&letters));
    let teller = hooks.channels().fold(teller, add);
    let Some(settings) = mail else {
        return Ok((letters, Some(teller)));
    };
    let threads = threads(data)?;
    let section = |why| StartError::Section {
        section: "mail",
        why,
    };
    let mail = Mail::new(settings, threads, alarms.clone()).map_err(section)?;
    Ok((letters, Some(teller.channel("mail".into(), Arc::new(mail)))))
}

/// The ids of this data folder's mails.
pub(crate) fn threads(data: &Path) -> Result<Threads, StartError> {
    Ok(Threads::in_folder(data)?)
}
