use std::sync::Mutex;

use upline_core::ticket::Level;
use upline_core::{Rejection, Wish};

use super::*;
use crate::clock::ManualClock;
use crate::kit::{CALL, DESK, begin, person};
use crate::notify::{Message, SendError, Sending};

#[derive(Clone, Default)]
struct Post {
    sent: Arc<Mutex<Vec<(String, String)>>>,
    answers: Arc<Mutex<Vec<Result<(), SendError>>>>,
}

impl Notifier for Post {
    fn send<'a>(&'a self, message: &'a Message) -> Sending<'a> {
        let line = (message.key.clone(), message.to.name().to_string());
        self.sent.lock().unwrap().push(line);
        let answer = self.answers.lock().unwrap().pop().unwrap_or(Ok(()));
        Box::pin(async { answer })
    }
}

async fn started(post: &Post) -> (Engine, ManualClock) {
    let clock = ManualClock::at(begin());
    let engine = Engine::builder()
        .clock(clock.clone())
        .notifier(post.clone())
        .file("desk.yaml", DESK)
        .file("call.yaml", CALL)
        .start()
        .await
        .unwrap();
    (engine, clock)
}

async fn holder(handle: &Handle, id: &str) -> String {
    let ticket = handle.ticket(id).await.unwrap().unwrap();
    let (_, holder) = ticket.answerable().next().unwrap();
    holder.to_string()
}

#[tokio::test]
async fn two_tickets_that_have_had_one_id_have_no_message_key_in_common() {
    let post = Post::default();
    let (engine, _) = started(&post).await;
    let handle = engine.handle();
    for _ in 0..2 {
        let wish = Wish::Open {
            ticket: "order-7".into(),
            key: None,
            parent: None,
            fields: vec![("caller".into(), "Mr Low".into())],
        };
        let open = Submission::new(person("max"), wish);
        handle.open_with("call", open).await.unwrap();
        handle.settled().await.unwrap();
        let asked = holder(&handle, "order-7").await;
        handle.act("order-7", person(&asked), "done").await.unwrap();
        handle.settled().await.unwrap();
    }
    let keys: Vec<String> = post
        .sent
        .lock()
        .unwrap()
        .iter()
        .map(|sent| sent.0.clone())
        .collect();
    let different: std::collections::BTreeSet<&String> = keys.iter().collect();
    assert!(keys.len() >= 2 && different.len() == keys.len(), "{keys:?}");
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn a_ticket_climbs_when_nobody_acts_and_everybody_is_told_once() {
    let post = Post::default();
    let (engine, clock) = started(&post).await;
    let handle = engine.handle();
    let fields = vec![("caller".into(), "Mr Low".into())];
    let done = handle.open("call", person("max"), fields).await.unwrap();
    assert_eq!((done.number, done.id.as_str()), (1, "1"));
    let minutes = |minutes: u64| std::time::Duration::from_secs(60 * minutes);
    for (wait, who) in [(0, "ann"), (15, "bob"), (30, "lea"), (30, "max")] {
        clock.forward(minutes(wait));
        handle.settled().await.unwrap();
        assert_eq!(holder(&handle, "1").await, who);
    }
    let told: Vec<String> = post
        .sent
        .lock()
        .unwrap()
        .iter()
        .map(|(_, to)| to.clone())
        .collect();
    assert_eq!(told, ["ann", "bob", "lea", "max"]);
    handle.act("1", person("max"), "done").await.unwrap();
    handle.settled().await.unwrap();
    assert_eq!(handle.ticket("1").await.unwrap(), None);
    let late = handle.act("1", person("max"), "done").await;
    assert!(
        matches!(late, Err(Error::Rejected(Rejection::HasEnded))),
        "{late:?}"
    );
    assert_eq!(handle.status().await.unwrap().tickets, 0);
    engine.stop().await.unwrap();
    assert!(matches!(handle.status().await, Err(Error::Stopped)));
}

#[tokio::test]
async fn a_command_with_an_id_is_carried_out_once() {
    let (engine, _) = started(&Post::default()).await;
    let handle = engine.handle();
    let open = || {
        let wish = Wish::Open {
            ticket: "".into(),
            key: None,
            parent: None,
            fields: Vec::new(),
        };
        Submission::new(person("max"), wish).id([1; 16])
    };
    let first = handle.open_with("call", open()).await.unwrap();
    let second = handle.open_with("call", open()).await.unwrap();
    assert!(!first.again && second.again);
    assert_eq!((first.id, first.revision), (second.id, second.revision));
    assert_eq!(handle.status().await.unwrap().tickets, 1);
    let other = Submission::new(person("ann"), Wish::Claim).id([1; 16]);
    let other = handle.submit("1", other).await;
    assert!(matches!(other, Err(Error::OtherCommand)), "{other:?}");
    // The same wish for another ticket is another command.
    handle.open_with("call", open().id([2; 16])).await.unwrap();
    let wish = || {
        let reason = "wrong number".into();
        Submission::new(person("max"), Wish::Cancel { reason }).id([3; 16])
    };
    assert!(!handle.submit("1", wish()).await.unwrap().again);
    assert!(handle.submit("1", wish()).await.unwrap().again);
    let other = handle.submit("2", wish()).await;
    assert!(matches!(other, Err(Error::OtherCommand)), "{other:?}");
    let other = handle.open_with("call-back", open()).await;
    assert!(matches!(other, Err(Error::OtherCommand)), "{other:?}");
}

#[tokio::test]
async fn of_a_hundred_who_act_at_once_one_wins() {
    let (engine, _) = started(&Post::default()).await;
    let handle = engine.handle();
    handle
        .open("call", person("max"), Vec::new())
        .await
        .unwrap();
    handle.settled().await.unwrap();
    let revision = handle.ticket("1").await.unwrap().unwrap().revision;
    let mut tasks = Vec::new();
    for _ in 0..100 {
        let handle = handle.clone();
        let act = Wish::Act {
            action: "accept".into(),
            fields: Vec::new(),
            note: None,
        };
        let act = Submission::new(person("ann"), act).expecting(revision);
        tasks.push(tokio::spawn(async move { handle.submit("1", act).await }));
    }
    let (mut won, mut lost) = (0, 0);
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => won += 1,
            Err(Error::Changed { .. }) => lost += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!((won, lost), (1, 99));
}

#[tokio::test]
async fn what_fails_for_the_moment_is_tried_again_under_the_same_key() {
    let post = Post::default();
    let busy = SendError::Temporary {
        reason: "busy".into(),
        after: None,
    };
    *post.answers.lock().unwrap() = vec![Ok(()), Err(busy.clone()), Err(busy)];
    let (engine, clock) = started(&post).await;
    let handle = engine.handle();
    handle
        .open("call", person("max"), Vec::new())
        .await
        .unwrap();
    for _ in 0..40 {
        handle.settled().await.unwrap();
        clock.forward(std::time::Duration::from_secs(1));
    }
    handle.settled().await.unwrap();
    let sent = post.sent.lock().unwrap().clone();
    assert_eq!(sent.len(), 3, "{sent:?}");
    assert!(sent.iter().all(|line| *line == sent[0]), "{sent:?}");
}

#[tokio::test]
async fn whom_no_channel_reaches_is_passed_over_at_once() {
    let post = Post::default();
    let gone = SendError::Permanent {
        reason: "550".into(),
    };
    *post.answers.lock().unwrap() = vec![Err(gone)];
    let (engine, _) = started(&post).await;
    let handle = engine.handle();
    handle
        .open("call", person("max"), Vec::new())
        .await
        .unwrap();
    handle.settled().await.unwrap();
    assert_eq!(holder(&handle, "1").await, "bob");
    let told: Vec<_> = post
        .sent
        .lock()
        .unwrap()
        .iter()
        .map(|(_, to)| to.clone())
        .collect();
    assert_eq!(told, ["ann", "bob"]);
}

#[tokio::test]
async fn files_with_mistakes_change_nothing() {
    let (engine, _) = started(&Post::default()).await;
    let handle = engine.handle();
    let file = |text: &str| {
        vec![File {
            name: "call.yaml".into(),
            text: text.into(),
        }]
    };
    let broken = handle
        .deploy(file(&CALL.replace("goto: closed", "goto: nowhere")))
        .await;
    let Err(broken @ Error::Files(_)) = broken else {
        panic!("{broken:?}");
    };
    let line = CALL.lines().position(|line| line.contains("goto: closed"));
    let line = line.unwrap() + 1;
    let column = CALL.lines().nth(line - 1).unwrap().find("closed").unwrap() + 1;
    let text = broken.to_string();
    let expected = format!("the files have mistakes: call.yaml:{line}:{column}: ");
    assert!(text.starts_with(&expected), "{text}");
    assert!(text.contains("nowhere") && !text.contains('\n'), "{text}");
    let many = (0..5).fold(CALL.to_owned(), |text, number| {
        text + &format!("  stray{number}: {{ assign: user nobody{number} }}\n")
    });
    let text = handle.deploy(file(&many)).await.unwrap_err().to_string();
    assert_eq!(text.matches("call.yaml:").count(), 3, "{text}");
    assert!(text.contains("; and "), "{text}");
    let silent = handle.deploy(file(&CALL.replace("15 min", "20 min"))).await;
    assert!(matches!(silent, Err(Error::SameVersion { .. })));
    let second = CALL.replace("workflow: call", "workflow: call\nversion: 2");
    let deployed = handle
        .deploy(file(&second.replace("15 min", "20 min")))
        .await;
    assert_eq!(deployed.unwrap().workflows, [("call".into(), 2)]);
    assert_eq!(
        handle
            .deploy(file(&second.replace("15 min", "20 min")))
            .await
            .unwrap()
            .workflows,
        []
    );
}

#[tokio::test]
async fn who_leaves_the_directory_loses_the_ticket_at_once() {
    let (engine, _) = started(&Post::default()).await;
    let handle = engine.handle();
    handle
        .open("call", person("max"), Vec::new())
        .await
        .unwrap();
    assert_eq!(handle.tasks("ann", 0).await.unwrap().items.len(), 1);
    let text = DESK.replace("  ann: { name: Ann, mail: ann@example.com }\n", "");
    let file = File {
        name: "desk.yaml".into(),
        text: text.replace("[ann, bob]", "[bob]"),
    };
    assert!(handle.deploy(vec![file]).await.unwrap().directory);
    handle.settled().await.unwrap();
    assert_eq!(holder(&handle, "1").await, "bob");
    assert_eq!(handle.tasks("ann", 0).await.unwrap().items.len(), 0);
}

#[tokio::test]
async fn a_ticket_is_explained_from_its_journal_and_its_future_is_told() {
    use upline_lab::forecast::Horizon;
    use upline_lab::render::{Language, Times};

    let (engine, clock) = started(&Post::default()).await;
    let handle = engine.handle();
    let opened = handle.open("call", person("max"), Vec::new());
    opened.await.unwrap();
    handle.settled().await.unwrap();
    clock.forward(std::time::Duration::from_secs(15 * 60));
    handle.settled().await.unwrap();
    let history = handle.history("1", None).await.unwrap();
    let origins: Vec<&str> = history.iter().map(|entry| entry.origin.as_str()).collect();
    assert_eq!(origins, ["outbox", "timer", "outbox", "library"]);
    let earlier = handle.history("1", Some(history[1].position)).await;
    assert_eq!(earlier.unwrap(), history[2..]);
    let explained = handle.explain("1").await.unwrap();
    assert_eq!(explained.positions[0].answerable, "bob");
    let not_asked = &explained.positions[0].not_asked;
    assert_eq!(not_asked[0].who, "ann", "{not_asked:?}");
    let language = Language::English;
    let times = Times::new(jiff::tz::TimeZone::UTC, language);
    let ahead = handle.forecast("1", Horizon::default(), times, language);
    let ahead = ahead.await.unwrap();
    assert!(ahead.last_resort.is_some());
    assert_eq!(holder(&handle, "1").await, "bob", "nothing has happened");
    let filter = crate::Filter {
        state: Some("working".into()),
        ..crate::Filter::default()
    };
    assert_eq!(handle.tickets(filter, 0).await.unwrap().items, []);
}

#[tokio::test]
async fn open_tickets_are_counted_and_listed_by_state_and_level() {
    let home = tempfile::tempdir().unwrap();
    let clock = ManualClock::at(begin());
    let started = async || {
        let builder = Engine::builder().clock(clock.clone());
        let builder = builder.file("desk.yaml", DESK).file("call.yaml", CALL);
        builder.folder(home.path()).unwrap().start().await.unwrap()
    };
    let engine = started().await;
    let handle = engine.handle();
    for _ in 0..5 {
        let fields = vec![("caller".into(), "Mr Low".into())];
        handle.open("call", person("max"), fields).await.unwrap();
        clock.forward(std::time::Duration::from_secs(60));
    }
    let who = holder(&handle, "5").await;
    handle.act("5", person(&who), "accept").await.unwrap();
    let who = holder(&handle, "4").await;
    handle.act("4", person(&who), "done").await.unwrap();
    // The first two have hopped.
    clock.forward(std::time::Duration::from_secs(11 * 60 + 30));
    handle.settled().await.unwrap();
    let expected = [
        ("asked", Level::Entry, 1),
        ("asked", Level::Number(1), 2),
        ("working", Level::Entry, 1),
    ];
    let check = |counts: Vec<crate::Count>| {
        let counts = counts.iter();
        let counts: Vec<_> = counts
            .map(|one| (one.state.as_str(), one.level, one.tickets))
            .collect();
        assert_eq!(counts, expected);
    };
    check(handle.counts().await.unwrap());
    let ids = async |filter: crate::Filter| -> Vec<String> {
        let page = handle.tickets(filter, 0).await.unwrap();
        assert_eq!(page.next, None);
        page.items.iter().map(|one| one.id.to_string()).collect()
    };
    let all = crate::Filter::default();
    assert_eq!(ids(all.clone()).await, ["1", "2", "3", "5"]);
    let hopped = crate::Filter {
        level: Some(Level::Number(1)),
        ..all.clone()
    };
    assert_eq!(ids(hopped.clone()).await, ["1", "2"]);
    let state = Some("working".into());
    let working = crate::Filter { state, ..all };
    assert_eq!(ids(working.clone()).await, ["5"]);
    let both = crate::Filter {
        level: hopped.level,
        ..working
    };
    assert_eq!(ids(both).await, [""; 0]);
    // The same after a restart.
    engine.stop().await.unwrap();
    let engine = started().await;
    check(engine.handle().counts().await.unwrap());
    engine.stop().await.unwrap();
}

#[test]
fn a_wish_is_recognised_whatever_was_said_of_it_first() {
    let wish = || Submission::new(person("max"), Wish::Claim);
    let first = wish().id([1; 16]).branch("left".into());
    assert_eq!(first, wish().branch("left".into()).id([1; 16]));
    assert_ne!(first, wish().branch("right".into()).id([1; 16]));
}

#[tokio::test]
async fn a_version_keeps_its_text_whatever_its_file_is_called() {
    let (engine, _) = started(&Post::default()).await;
    let handle = engine.handle();
    let deploy = async |name: &str, text: String| {
        let name = name.into();
        handle.deploy(vec![File { name, text }]).await
    };
    let other = CALL.replace("workflow: call", "workflow: other");
    deploy("call.yaml", other).await.unwrap();
    let changed = CALL.replace("working", "busy");
    for text in [&changed, &CALL.replace("30 min", "45 min")] {
        let done = deploy("again.yaml", text.clone()).await;
        assert!(
            matches!(done, Err(Error::SameVersion { version: 1, .. })),
            "{done:?}"
        );
    }
    deploy("again.yaml", CALL.to_owned()).await.unwrap();
    let second = changed.replace("start:", "version: 2\nstart:");
    deploy("again.yaml", second).await.unwrap();
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn no_question_and_nobody_who_is_told_ends_the_engine() {
    let post = Post::default();
    let clock = ManualClock::at(begin());
    let engine = Engine::builder()
        .clock(clock.clone())
        .notifier(post)
        .file("desk.yaml", DESK)
        .file("call.yaml", CALL)
        .on_incident(|incident| panic!("{incident:?}"))
        .start()
        .await
        .unwrap();
    let handle = engine.handle();
    handle
        .open("call", person("max"), Vec::new())
        .await
        .unwrap();
    let last = handle.tickets(crate::Filter::default(), u64::MAX).await;
    assert_eq!(last.unwrap().items, []);
    assert_eq!(handle.set_aside(u64::MAX).await.unwrap().items, []);
    assert_eq!(handle.tasks("ann", u64::MAX).await.unwrap().items, []);
    let why = "a test".to_owned();
    handle.send(Mail::Told(Incident::Store { why })).unwrap();
    handle.settled().await.unwrap();
    assert_eq!(handle.status().await.unwrap().tickets, 1);
    engine.stop().await.unwrap();
}

#[test]
fn files_are_deployed_also_where_there_is_no_runtime() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_time()
        .build()
        .unwrap();
    let (engine, _) = runtime.block_on(started(&Post::default()));
    let text = CALL.replace("start:", "version: 2\nstart:");
    let name = "call.yaml".into();
    let deployed = pollster(engine.handle().deploy(vec![File { name, text }]));
    assert_eq!(deployed.unwrap().workflows, [("call".into(), 2)]);
    runtime.block_on(engine.stop()).unwrap();
}

/// Waits for a future without a runtime.
fn pollster<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(std::thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Arc::new(Unpark(std::thread::current())).into();
    let mut context = std::task::Context::from_waker(&waker);
    let mut future = std::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            std::task::Poll::Ready(answer) => return answer,
            std::task::Poll::Pending => std::thread::park(),
        }
    }
}
