//! What was said reaches those whom it concerns, with its text, from whatever store the engine runs on.

use std::sync::Mutex;

use upline_core::{Actor, Name, Recipient, Topic, Wish};

use super::*;
use crate::clock::ManualClock;
use crate::kit::{CALL, DESK, begin, person};
use crate::notify::{Comment, Message, SendError, Sending};

type Said = (Recipient, Option<Comment>, u32);

#[derive(Clone, Default)]
struct Post {
    said: Arc<Mutex<Vec<Said>>>,
    /// How many tries fail before one does not.
    failing: Arc<Mutex<u32>>,
}

impl Notifier for Post {
    fn send<'a>(&'a self, message: &'a Message) -> Sending<'a> {
        if message.topic != Topic::Commented {
            assert_eq!(message.comment, None);
            return Box::pin(async { Ok(()) });
        }
        let said = (message.to.clone(), message.comment.clone(), message.attempt);
        self.said.lock().unwrap().push(said);
        let mut failing = self.failing.lock().unwrap();
        let answer = match *failing {
            0 => Ok(()),
            _ => Err(SendError::Temporary {
                reason: "busy".into(),
                after: None,
            }),
        };
        *failing = failing.saturating_sub(1);
        Box::pin(async { answer })
    }
}

impl Post {
    fn take(&self) -> Vec<Said> {
        std::mem::take(&mut self.said.lock().unwrap())
    }
}

async fn started(builder: Builder, post: &Post) -> (Engine, ManualClock) {
    let clock = ManualClock::at(begin());
    let builder = builder.clock(clock.clone()).notifier(post.clone());
    let builder = builder.file("desk.yaml", DESK).file("call.yaml", CALL);
    (builder.start().await.unwrap(), clock)
}

async fn opened(handle: &Handle) {
    let fields = vec![("caller".into(), "Mr Low <low@example.com>".into())];
    handle.open("call", person("max"), fields).await.unwrap();
    handle.settled().await.unwrap();
}

async fn comment(handle: &Handle, by: Actor, text: &str, to_caller: bool) {
    let text = text.to_owned();
    let said = Submission::new(by, Wish::Comment { text, to_caller });
    handle.submit("1", said).await.unwrap();
    handle.settled().await.unwrap();
}

async fn holder(handle: &Handle) -> Name {
    let ticket = handle.ticket("1").await.unwrap().unwrap();
    ticket.answerable().next().unwrap().1.clone()
}

fn caller() -> Actor {
    Actor::Contact("caller".into())
}

async fn texts_arrive(builder: Builder) {
    let post = Post::default();
    let (engine, clock) = started(builder, &post).await;
    let handle = engine.handle();
    opened(&handle).await;
    let asked = holder(&handle).await;
    *post.failing.lock().unwrap() = 1;
    comment(&handle, caller(), "any news?", false).await;
    // Another one, and other commits of the ticket, before the first gets through.
    comment(&handle, caller(), "hello?", false).await;
    clock.forward(Duration::from_secs(60));
    handle.settled().await.unwrap();
    let to = Recipient::Person(asked.clone());
    let said = |text: &str| Some(Comment::new(caller(), text, false));
    assert_eq!(
        post.take(),
        [
            (to.clone(), said("any news?"), 1),
            (to.clone(), said("hello?"), 1),
            (to.clone(), said("any news?"), 2),
        ]
    );
    let by = Actor::Person(asked);
    comment(&handle, by.clone(), "it is the cable", true).await;
    let answer = Some(Comment::new(by, "it is the cable", true));
    let to = Recipient::Contact("caller".into());
    assert_eq!(post.take(), [(to, answer, 1)]);
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn the_text_arrives_with_the_message() {
    texts_arrive(Engine::builder()).await;
    let home = tempfile::tempdir().unwrap();
    texts_arrive(Engine::builder().folder(home.path()).unwrap()).await;
}

/// An answer that is under way when its ticket ends; whether the ticket is erased then; what arrives.
async fn under_way(is_erased: bool) -> Vec<(Recipient, Option<Comment>)> {
    let home = tempfile::tempdir().unwrap();
    let folder = || Engine::builder().folder(home.path()).unwrap();
    let post = Post::default();
    *post.failing.lock().unwrap() = 2;
    let (engine, _) = started(folder(), &post).await;
    let handle = engine.handle();
    opened(&handle).await;
    let by = Actor::Person(holder(&handle).await);
    comment(&handle, by.clone(), "it is the cable", true).await;
    comment(&handle, caller(), "thanks", false).await;
    let done = Wish::Act {
        action: "done".into(),
        fields: Vec::new(),
        note: None,
    };
    let done = Submission::new(by, done);
    handle.submit("1", done).await.unwrap();
    if is_erased {
        handle.erase("1", "max").await.unwrap();
    }
    engine.stop().await.unwrap();
    assert_eq!(post.take().len(), 2);
    let (engine, clock) = started(folder(), &post).await;
    clock.forward(Duration::from_secs(60));
    engine.handle().settled().await.unwrap();
    assert_eq!(engine.handle().status().await.unwrap().unsent, 0);
    engine.stop().await.unwrap();
    let said = post.take().into_iter();
    said.map(|(to, said, _)| (to, said)).collect()
}

/// What the caller has said himself is not told any more.
#[tokio::test]
async fn an_answer_goes_out_after_a_restart_and_after_the_end() {
    let said = under_way(false).await;
    let text = said[0].1.as_ref().map(|said| said.text.as_str());
    assert_eq!(text, Some("it is the cable"));
    assert_eq!(said.len(), 1);
    assert_eq!(said[0].0, Recipient::Contact("caller".into()));
}

#[tokio::test]
async fn what_was_erased_is_not_said_any_more() {
    let to = Recipient::Contact("caller".into());
    assert_eq!(under_way(true).await, [(to, None)]);
}
