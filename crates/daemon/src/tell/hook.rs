//! Webhooks: messages for programs and chats, by HTTP.
//!
//! A peer that hangs, refuses or answers at length costs a message its time and nothing else; what its answer
//! means is `verdict`'s, where a message may go at all is `egress`'s.

mod address;
mod calm;
mod egress;
mod settings;
mod shape;
#[cfg(test)]
mod tests;
mod verdict;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use reqwest::{Client, Response};
use tokio::sync::Semaphore;
use upline::core::{Directory, Name};
use upline::notify::{Message, SendError, Sending};

use super::{Channel, Language, Letter};
use crate::settings::Hidden;

use egress::refusal;
pub use egress::{CONNECT_TIME, MAX_URL_BYTES};
pub(crate) use egress::{System, Target, chain};
pub use settings::{Address, DEFAULT_TIMEOUT, MAX_TIMEOUT, WebhookSettings};
use shape::{Content, Parcel};
pub use shape::{MAX_SENT_BYTES, Shape};
use verdict::{Answer, Verdict};
pub use verdict::{LONGEST_WAIT, MAX_ANSWER_BYTES, SHORTEST_WAIT};

/// Most messages that are under way to one peer: what else is due waits, and holds up no other channel.
pub const MAX_AT_ONCE: usize = 4;

/// How long a message waits for those before it; then the engine brings it again after [`BUSY_WAIT`].
const ROOM_TIME: Duration = Duration::from_secs(1);

/// When a message for which there was no room comes again.
const BUSY_WAIT: Duration = Duration::from_secs(2);

/// What became of tries, in the order of their counters.
const FATES: [&str; 3] = ["delivered", "temporary", "permanent"];

/// All webhooks of the settings.
#[derive(Debug, Default)]
pub struct Hooks {
    all: BTreeMap<Name, Arc<Hook>>,
}

/// What there is to say of a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Its name.
    pub name: Name,
    /// How many tries had which end.
    pub tries: [(&'static str, u64); 3],
    /// Why nothing goes there until a reload.
    pub closed: Option<String>,
}

impl Hooks {
    /// Makes them ready. `own` is where the daemon listens, which no message goes to; `source` says in each
    /// message which installation it comes from.
    ///
    /// # Errors
    /// All that is wrong with them, each as a line for the operator; secrets are not shown.
    pub fn new(
        settings: &BTreeMap<String, WebhookSettings>,
        own: Option<SocketAddr>,
        source: &str,
    ) -> Result<Self, Vec<String>> {
        let mut all = BTreeMap::new();
        let mut faults = Vec::new();
        for (name, settings) in settings {
            match Hook::new(name, settings, own, source) {
                Ok(hook) => {
                    all.insert(Name::new(name), Arc::new(hook));
                }
                Err(fault) => faults.push(format!("`[webhook.{name}]`: {fault}")),
            }
        }
        match faults.is_empty() {
            true => Ok(Self { all }),
            false => Err(faults),
        }
    }

    /// Each with the channel that it is.
    pub fn channels(&self) -> impl Iterator<Item = (Name, Arc<dyn Channel>)> {
        self.all.iter().map(|(name, hook)| {
            let via = Name::new(format!("webhook:{name}"));
            (via, Arc::clone(hook) as Arc<dyn Channel>)
        })
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// One of them.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<Hook>> {
        self.all.get(name)
    }

    /// Says in the log which webhooks people are to be told by and the settings do not have.
    pub(crate) fn tell_missing(&self, directory: &Directory) {
        for (person, known) in &directory.people {
            for channel in &known.channels {
                let name = channel.via.strip_prefix("webhook:");
                if let Some(webhook) = name.filter(|name| !self.all.contains_key(*name)) {
                    tracing::warn!(
                        code = "no-webhook", webhook, person = %person,
                        "somebody is to be told by a webhook that the settings do not have"
                    );
                }
            }
        }
    }

    /// An operator has looked: those that were closed are tried again.
    pub fn reopen(&self) {
        for hook in self.all.values() {
            *hook.closed.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }

    /// How each of them is.
    #[must_use]
    pub fn standings(&self) -> Vec<Standing> {
        let hooks = self.all.values();
        hooks.map(|hook| hook.standing()).collect()
    }
}

/// One webhook.
#[derive(Debug)]
pub struct Hook {
    name: Name,
    shape: Shape,
    target: Target,
    client: Client,
    /// What to sign with, the newest first.
    keys: Vec<Hidden>,
    links: bool,
    source: String,
    timeout: Duration,
    room: Semaphore,
    tries: [AtomicU64; FATES.len()],
    /// The peer has said that it takes nothing any more.
    closed: Mutex<Option<String>>,
}

impl Hook {
    fn new(
        name: &str,
        settings: &WebhookSettings,
        own: Option<SocketAddr>,
        source: &str,
    ) -> Result<Self, String> {
        let url = settings
            .url
            .read()
            .map_err(|fault| format!("`url`: {fault}"))?;
        let target = Target::new(url.reveal().trim(), settings.allow_private, own)?;
        let mut keys = Vec::new();
        let secrets = [
            ("secret", &settings.secret),
            ("previous-secret", &settings.previous_secret),
        ];
        for (field, secret) in secrets {
            let Some(secret) = secret else { continue };
            let wrong = |fault: String| format!("`{field}`: {fault}");
            let key = secret.read().map_err(wrong)?;
            settings.shape.knows(&key).map_err(wrong)?;
            keys.push(key);
        }
        let timeout = settings.timeout();
        let client = target.client(Arc::new(System), timeout)?;
        Ok(Self {
            name: Name::new(name),
            shape: settings.shape,
            target,
            client,
            keys,
            links: settings.links,
            source: source.to_owned(),
            timeout,
            room: Semaphore::new(MAX_AT_ONCE),
            tries: Default::default(),
            closed: Mutex::default(),
        })
    }

    /// Asks the peer, and says what its answer means.
    async fn ask(&self, parcel: Parcel) -> Verdict {
        let mut request = self.client.post(parcel.url).body(parcel.body);
        for (name, value) in parcel.headers {
            request = request.header(name, value);
        }
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => return self.failed(error),
        };
        let answer = Answer {
            status: response.status(),
            retry_after: verdict::retry_after(response.headers(), Timestamp::now()),
            body: beginning(response).await,
        };
        self.shape.verdict(&answer)
    }

    /// There was no answer.
    fn failed(&self, error: reqwest::Error) -> Verdict {
        // Robots have their secret in the address.
        let error = error.without_url();
        if let Some(refused) = refusal(&error) {
            return Verdict::never(refused.to_string());
        }
        if error.is_builder() {
            return Verdict::never(chain(&error));
        }
        if error.is_timeout() {
            let seconds = self.timeout.as_secs();
            return Verdict::later(format!("the peer did not answer within {seconds} s"));
        }
        Verdict::later(chain(&error))
    }

    async fn try_to_send(&self, message: &Message, letter: &Letter) -> Verdict {
        if let Some(why) = &*self.closed.lock().unwrap_or_else(PoisonError::into_inner) {
            return Verdict::never(format!("it was closed: {why}"));
        }
        let Ok(Ok(_room)) = tokio::time::timeout(ROOM_TIME, self.room.acquire()).await else {
            return Verdict::Later {
                reason: "the peer is still busy with the messages before".to_owned(),
                after: Some(BUSY_WAIT),
            };
        };
        let content = Content {
            key: &message.key,
            written: message.written,
            message: Some(message),
            letter,
            links: self.links,
            source: &self.source,
        };
        self.deliver(&content).await
    }

    /// Sends a trial by the way that messages go. The host that has taken it. Neither counted nor concluded
    /// from: whether the peer is gone, a message must find out.
    pub(crate) async fn try_out(&self, language: Language) -> Result<String, String> {
        if let Some(why) = &*self.closed.lock().unwrap_or_else(PoisonError::into_inner) {
            return Err(format!("it was closed: {why}"));
        }
        let now = Timestamp::now();
        let content = Content {
            key: &format!("test-{}", now.as_millisecond()),
            written: now,
            message: None,
            letter: &trial(language, &self.name),
            links: false,
            source: &self.source,
        };
        match self.deliver(&content).await {
            Verdict::Delivered => Ok(self.target.host().to_owned()),
            Verdict::Later { reason, .. }
            | Verdict::Never { reason }
            | Verdict::Gone { reason } => Err(reason),
        }
    }

    async fn deliver(&self, content: &Content<'_>) -> Verdict {
        // What time it is to the peer, whatever the engine's clock shows.
        let now = Timestamp::now();
        let packed = self.shape.pack(content, self.target.url(), &self.keys, now);
        match packed {
            Ok(parcel) => self.ask(parcel).await,
            Err(fault) => Verdict::never(fault),
        }
    }

    /// Counts and logs what became of a try, and closes a peer that is gone.
    fn conclude(&self, message: &Message, verdict: Verdict) -> Result<(), SendError> {
        let (name, host) = (&self.name, self.target.host());
        let (fate, result) = match verdict {
            Verdict::Delivered => (0, Ok(())),
            Verdict::Later { reason, after } => {
                tracing::warn!(
                    code = "webhook", webhook = %name, host, key = %message.key, attempt = message.attempt,
                    reason = %reason, "a message did not go; it is tried again"
                );
                (1, Err(SendError::Temporary { reason, after }))
            }
            Verdict::Never { reason } => {
                tracing::error!(
                    code = "webhook", webhook = %name, host, key = %message.key, reason = %reason,
                    "a message was refused: the person's next channel is tried"
                );
                (2, Err(SendError::Permanent { reason }))
            }
            Verdict::Gone { reason } => {
                tracing::error!(
                    code = "webhook-closed", webhook = %name, host, reason = %reason,
                    "the peer takes nothing any more: nothing goes there until the settings are read again"
                );
                let mut closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
                *closed = Some(reason.clone());
                (2, Err(SendError::Permanent { reason }))
            }
        };
        self.tries[fate].fetch_add(1, Ordering::Relaxed);
        result
    }

    fn standing(&self) -> Standing {
        let counts = self.tries.iter().map(|count| count.load(Ordering::Relaxed));
        let mut tries = FATES.map(|fate| (fate, 0));
        for (fate, count) in tries.iter_mut().zip(counts) {
            fate.1 = count;
        }
        Standing {
            name: self.name.clone(),
            tries,
            closed: self
                .closed
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone(),
        }
    }
}

/// Sends a trial to a webhook of the settings, by the way that messages go. The host that has taken it. `own`
/// is where the daemon listens: what would be refused there is refused here.
///
/// # Errors
/// What is wrong with the section, or what the peer said; a line for the operator.
pub async fn try_webhook(
    name: &str,
    settings: &WebhookSettings,
    own: SocketAddr,
    language: Language,
    source: &str,
) -> Result<String, String> {
    let hook = Hook::new(name, settings, Some(own), source)?;
    hook.try_out(language).await
}

fn trial(language: Language, name: &str) -> Letter {
    let (subject, brief) = match language {
        Language::En => (
            format!("A test of the webhook {name}"),
            "Messages of Upline come here. You need not do anything.",
        ),
        Language::Zh => (
            format!("Webhook {name} 测试"),
            "Upline 的消息可以送达这里。您无需处理。",
        ),
    };
    Letter {
        language,
        text: format!("{subject}\n\n{brief}\n"),
        subject,
        html: None,
        brief: brief.to_owned(),
        buttons: Vec::new(),
    }
}

impl Channel for Hook {
    fn send<'a>(&'a self, message: &'a Message, letter: &'a Letter) -> Sending<'a> {
        Box::pin(async move {
            let verdict = self.try_to_send(message, letter).await;
            self.conclude(message, verdict)
        })
    }
}

/// At most [`MAX_ANSWER_BYTES`] of an answer; the rest is not fetched. One that breaks off ends there: its
/// status has come.
async fn beginning(mut response: Response) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        let room = MAX_ANSWER_BYTES - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if body.len() == MAX_ANSWER_BYTES {
            break;
        }
    }
    body
}
