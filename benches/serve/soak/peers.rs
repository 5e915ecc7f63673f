//! Those that the daemon tells: a mail server and twenty receivers of webhooks, of which some always misbehave.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::peer::{Peer, Reaction, Seen};
use super::post::{Deed, PostOffice, Step};

/// One of so many peers misbehaves at any time, and one of so many mails.
pub(super) const ONE_IN: usize = 20;

/// What a mail server does wrong, and at which step.
const DEEDS: [(Step, Deed); 17] = [
    (Step::To, Deed::Says("550 no such user here")),
    (Step::From, Deed::Drops),
    (Step::Greeting, Deed::Says("421 too busy")),
    (Step::Data, Deed::Says("451 not now")),
    (Step::Content, Deed::Says("554 not with me")),
    (Step::Content, Deed::TakesAndDrops),
    (Step::Hello, Deed::Drops),
    (Step::From, Deed::Says("451 not now")),
    (Step::To, Deed::Says("450 greylisted")),
    (Step::Data, Deed::Hangs),
    (Step::Greeting, Deed::Hangs),
    (Step::From, Deed::Says("550 who are you")),
    (Step::Data, Deed::Says("554 not with me")),
    (Step::Content, Deed::Says("452 the disk is full")),
    (Step::Content, Deed::Hangs),
    (Step::Greeting, Deed::Says("554 go away")),
    (Step::Hello, Deed::Says("550 go away")),
];

/// What went wrong, how often.
type Counts = Mutex<BTreeMap<String, u64>>;

/// All of them.
pub(super) struct Peers {
    pub(super) hooks: Vec<Peer>,
    pub(super) post: PostOffice,
    shared: Arc<Shared>,
}

struct Shared {
    began: Instant,
    /// For how long a peer misbehaves, until it is the next one's turn.
    turn: Duration,
    /// The keys of the messages that were answered with 200.
    accepted: Mutex<BTreeSet<String>>,
    faults: Counts,
    post: Mutex<Queue>,
}

/// Which deeds the mail server has still to do.
#[derive(Default)]
struct Queue {
    mails: usize,
    next: usize,
    armed: Vec<(Step, Deed)>,
}

impl Peers {
    pub(super) fn start(turn: Duration) -> Self {
        let shared = Arc::new(Shared {
            began: Instant::now(),
            turn,
            accepted: Mutex::default(),
            faults: Mutex::default(),
            post: Mutex::default(),
        });
        let hooks = (0..ONE_IN).map(|own| {
            let shared = Arc::clone(&shared);
            Peer::choosing(move |number, seen| shared.reaction(own, number, seen))
        });
        let at_post = Arc::clone(&shared);
        Self {
            hooks: hooks.collect(),
            post: PostOffice::choosing(move |step| at_post.deed(step)),
            shared,
        }
    }

    /// What went wrong so far, how often.
    pub(super) fn faults(&self) -> BTreeMap<String, u64> {
        lock(&self.shared.faults).clone()
    }

    /// Whether a receiver has answered 200 to the message with this key.
    pub(super) fn has_accepted(&self, key: &str) -> bool {
        lock(&self.shared.accepted).contains(key)
    }

    pub(super) fn accepted(&self) -> usize {
        lock(&self.shared.accepted).len()
    }
}

impl Shared {
    /// What the receiver `own` does with its request of that number.
    fn reaction(&self, own: usize, number: usize, seen: Option<&Seen>) -> Reaction {
        let turn = self.began.elapsed().as_millis() / self.turn.as_millis();
        let is_faulty = turn % ONE_IN as u128 == own as u128;
        let (what, reaction) = match (is_faulty, number % 11) {
            (false, _) => ("", Reaction::ok()),
            (true, 0) => ("refuses the connection", Reaction::Refuse),
            (true, 1) => ("answers 500", Reaction::status(500)),
            (true, 2) => ("hangs", Reaction::Hang),
            (true, 3) => ("answers 404", Reaction::status(404)),
            (true, 4) => ("drops the request", Reaction::Drop),
            (true, 5) => ("answers without end", Reaction::Flood),
            (true, 6) => {
                let elsewhere = "Location: http://127.0.0.1:1/\r\n";
                let answer = Reaction::Answer(302, elsewhere, String::new());
                ("redirects", answer)
            }
            (true, 7) => ("answers half", Reaction::HalfAnswer),
            (true, 8) => {
                let answer = Reaction::Answer(429, "Retry-After: 1\r\n", String::new());
                ("answers 429", answer)
            }
            (true, 9) => ("answers 400", Reaction::status(400)),
            (true, _) => ("answers 503", Reaction::status(503)),
        };
        let Some(seen) = seen else { return reaction };
        if !what.is_empty() {
            self.note(format!("webhook {what}"));
        }
        let is_taken = match reaction {
            Reaction::Answer(status, ..) => status == 200,
            Reaction::Flood | Reaction::HalfAnswer => true,
            _ => false,
        };
        if is_taken {
            lock(&self.accepted).insert(seen.header("webhook-id").to_owned());
        }
        reaction
    }

    /// Each twentieth mail meets the next deed.
    fn deed(&self, step: Step) -> Option<Deed> {
        let mut queue = lock(&self.post);
        if step == Step::From {
            queue.mails += 1;
            if queue.mails.is_multiple_of(ONE_IN) {
                let deed = DEEDS[queue.next % DEEDS.len()];
                queue.next += 1;
                queue.armed.push(deed);
            }
        }
        let found = queue.armed.iter().position(|(at, _)| *at == step)?;
        let (step, deed) = queue.armed.remove(found);
        drop(queue);
        self.note(format!("mail server at {step:?}: {deed:?}"));
        Some(deed)
    }

    fn note(&self, what: String) {
        *lock(&self.faults).entry(what).or_default() += 1;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
