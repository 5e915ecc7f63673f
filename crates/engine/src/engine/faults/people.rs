//! Notifiers that misbehave, and many people at once.

use std::fmt::Write as _;

use tokio::sync::{Notify, mpsc};
use upline_core::{Rejection, Wish};

use super::*;
use crate::notify::{Message, Sending};

/// Panics at the first try of the first ticket's message, hangs at the second, answers the third too late.
struct Odd {
    tries: mpsc::UnboundedSender<(String, u32)>,
    late: Arc<Notify>,
}

impl Notifier for Odd {
    fn send<'a>(&'a self, message: &'a Message) -> Sending<'a> {
        let odd = message.key.starts_with("1-");
        let attempt = message.attempt;
        self.tries.send((message.key.clone(), attempt)).unwrap();
        Box::pin(async move {
            match (odd, attempt) {
                (true, 1) => panic!("the notifier's own mistake"),
                (true, 2) => std::future::pending().await,
                (true, 3) => self.late.notified().await,
                _ => (),
            }
            Ok(())
        })
    }
}

#[tokio::test]
async fn a_notifier_that_panics_hangs_or_answers_too_late_holds_up_nobody() {
    let home = tempfile::tempdir().unwrap();
    let (clock, heard) = (ManualClock::at(begin()), Heard::default());
    let (tries, mut tried) = mpsc::unbounded_channel();
    let late = Arc::new(Notify::new());
    let odd = Odd {
        tries,
        late: Arc::clone(&late),
    };
    let store = LogStore::open(real(home.path()), options(), system_entropy()).unwrap();
    let builder = Engine::builder().store(store).notifier(odd);
    let engine = with(builder, &clock, &heard).await;
    let handle = engine.handle();
    open(&handle).await.unwrap();
    let (key, first) = tried.recv().await.unwrap();
    assert_eq!(first, 1);
    // That it panicked is known when nothing is under way any more.
    handle.settled().await.unwrap();
    for (attempt, seconds) in [(2, 7), (3, 61)] {
        clock.forward(Duration::from_secs(seconds));
        assert_eq!(tried.recv().await.unwrap(), (key.clone(), attempt));
        let other = open(&handle).await.unwrap();
        let (others, first) = tried.recv().await.unwrap();
        assert!(others.starts_with(&format!("{}-", other.number)) && first == 1);
    }
    clock.forward(Duration::from_secs(61));
    assert_eq!(tried.recv().await.unwrap(), (key.clone(), 4));
    handle.settled().await.unwrap();
    assert_eq!(handle.status().await.unwrap().unsent, 0);
    let history = handle.history("1", None).await.unwrap();
    late.notify_one();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    handle.settled().await.unwrap();
    assert_eq!(handle.history("1", None).await.unwrap(), history);
    clock.forward(minutes(15));
    handle.settled().await.unwrap();
    assert_eq!(holder(&handle, "1").await, "bob");
    engine.stop().await.unwrap();
    let told = Told::read(real(home.path()));
    assert!(told.delivered.contains(&key), "{told:?}");
    assert_eq!(heard.lock().unwrap().as_slice(), []);
}

#[tokio::test]
async fn of_a_hundred_who_claim_one_ticket_one_has_it_and_the_others_are_told_who() {
    let mut desk =
        "directory: acme\nlast-resort: user lea\npeople:\n  lea: { mail: lea@example.com }\n"
            .to_owned();
    for one in 0..100 {
        writeln!(desk, "  p{one}: {{ mail: p{one}@example.com }}").unwrap();
    }
    let members: Vec<String> = (0..100).map(|one| format!("p{one}")).collect();
    let members = members.join(", ");
    write!(
        desk,
        "groups:\n  desk: {{ members: [{members}], lead: lea }}\n"
    )
    .unwrap();
    let job = "workflow: job\nstart: offered\n\
               ladders: { nobody: [{ after: 30 min, assign: lead of desk }] }\n\
               states:\n  offered: { assign: anyone in desk, escalate: nobody, actions: { done: closed } }\n\
               \x20 closed: { end: done }\n";
    let home = tempfile::tempdir().unwrap();
    let builder = Engine::builder().folder(home.path()).unwrap();
    let builder = builder.clock(ManualClock::at(begin()));
    let builder = builder.file("desk.yaml", desk).file("job.yaml", job);
    let engine = builder.start().await.unwrap();
    let handle = engine.handle();
    handle.open("job", person("lea"), vec![]).await.unwrap();
    let claims = (0..100).map(|one| {
        let handle = handle.clone();
        let claim = Submission::new(person(&format!("p{one}")), Wish::Claim);
        tokio::spawn(async move { (one, handle.submit("1", claim).await) })
    });
    let claims: Vec<_> = claims.collect();
    let (mut won, mut told) = (Vec::new(), Vec::new());
    for claim in claims {
        match claim.await.unwrap() {
            (one, Ok(_)) => won.push(format!("p{one}")),
            (_, Err(Error::Rejected(Rejection::AlreadyClaimed { by }))) => told.push(by),
            (one, other) => panic!("p{one}: {other:?}"),
        }
    }
    assert_eq!((won.len(), told.len()), (1, 99));
    assert!(told.iter().all(|by| **by == *won[0]), "{won:?} {told:?}");
    assert_eq!(holder(&handle, "1").await, won[0]);
    engine.stop().await.unwrap();
}
