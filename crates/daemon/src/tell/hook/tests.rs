//! Real messages of a real engine, to peers that do what peers do.

mod kit;

use std::time::{Duration, Instant};

use serde_json::Value;

use super::*;
use crate::settings::Secret;
use crate::tell::Teller;
use crate::tests::peer::{Peer, Reaction, Seen};
use kit::*;

#[tokio::test]
async fn a_receiver_verifies_what_it_got_and_knows_a_second_copy() {
    let peer = Peer::start([Reaction::ok()]);
    let kept = Kept::new();
    let mut settings = kept.settings(peer.url());
    settings.previous_secret = kept.secret("old", OLD_KEY);
    let hooks = hooks(&[("phone", settings)]);
    let message = message().await;
    for _ in 0..2 {
        let hook = hooks.get("phone").unwrap();
        hook.send(&message, &letter(&message)).await.unwrap();
    }
    let seen = peer.seen();
    assert_eq!(seen.len(), 2);
    for one in &seen {
        assert!(verified(one, KEY), "{one:?}");
        assert!(
            verified(one, OLD_KEY),
            "the peer may still have the old one: {one:?}"
        );
        assert!(!verified(one, "whsec_enp6enp6enp6enp6enp6enp6enp6enp6"));
        assert_eq!(one.header("webhook-id"), message.key);
        assert_eq!(one.path, "/hook");
        let mut changed = one.clone();
        changed.body[10] ^= 1;
        assert!(!verified(&changed, KEY));
    }
    assert_eq!(seen[0].json()["id"], seen[1].json()["id"]);
    let standing = &hooks.standings()[0];
    assert_eq!(standing.tries[0], ("delivered", 2));
}

#[tokio::test]
async fn the_body_is_a_cloud_event_with_links_only_if_wanted() {
    let peer = Peer::start([Reaction::ok()]);
    let kept = Kept::new();
    let settings = kept.settings(peer.url());
    let with_links = WebhookSettings {
        links: true,
        ..settings.clone()
    };
    send(settings).await.unwrap();
    send(with_links).await.unwrap();
    let seen = peer.seen();
    let kind = seen[0].header("content-type");
    assert_eq!(kind, "application/cloudevents+json; charset=utf-8");
    let body = seen[0].json();
    assert_eq!(body["specversion"], "1.0");
    assert_eq!(body["type"], "upline.message.assigned.v1");
    assert_eq!(body["source"], "https://u.example/");
    assert_eq!(body["subject"], "1");
    assert_eq!(body["time"], "2026-03-06T01:10:00Z");
    let data = &body["data"];
    assert_eq!(data["to"]["id"], "ann");
    assert_eq!(
        (&data["language"], &data["brief"]),
        (&"zh".into(), &"现在轮到您".into())
    );
    assert_eq!(data["ticket"]["position"]["answerable"], "ann");
    assert_eq!(data["ticket"]["position"]["state"], "asked");
    assert_eq!(
        data["ticket"]["position"]["next-due"],
        "2026-03-06T02:10:00Z"
    );
    assert!(data.get("text").is_none() && data.get("actions").is_none());
    assert!(!body.to_string().contains("/a/T") && !body.to_string().contains("47"));
    let data = &seen[1].json()["data"];
    assert!(
        data["text"]
            .as_str()
            .unwrap()
            .contains("https://u.example/a/T")
    );
    assert_eq!(data["actions"][0]["number"], "47");
}

#[tokio::test]
async fn a_long_letter_is_cut_to_what_may_be_sent() {
    let peer = Peer::start([Reaction::ok()]);
    let kept = Kept::new();
    let settings = WebhookSettings {
        links: true,
        ..kept.settings(peer.url())
    };
    let hooks = hooks(&[("phone", settings)]);
    let message = message().await;
    let mut long = letter(&message);
    long.subject = "网".repeat(5_000);
    long.text = "\"\u{1}\\".repeat(50_000);
    hooks
        .get("phone")
        .unwrap()
        .send(&message, &long)
        .await
        .unwrap();
    let seen = peer.seen().remove(0);
    assert!(seen.body.len() <= MAX_SENT_BYTES && verified(&seen, KEY));
    assert!(seen.json()["data"]["text"].as_str().unwrap().ends_with('…'));
}

#[tokio::test]
async fn what_may_work_later_is_tried_again() {
    for status in [408, 425, 500, 503] {
        let (result, _) = sent_to(Reaction::status(status)).await;
        let (reason, after) = temporary(result);
        assert!(
            reason.contains(&status.to_string()) && after.is_none(),
            "{reason}"
        );
    }
    let slow_down = Reaction::Answer(429, "Retry-After: 120\r\n", "later".to_owned());
    let (reason, after) = temporary(sent_to(slow_down).await.0);
    assert!(reason.contains("later"), "{reason}");
    assert_eq!(after, Some(Duration::from_secs(120)));
    let for_ever = Reaction::Answer(503, "Retry-After: 9999999\r\n", String::new());
    assert_eq!(temporary(sent_to(for_ever).await.0).1, Some(LONGEST_WAIT));
    for reaction in [Reaction::Drop, Reaction::Refuse, Reaction::Hang] {
        let (result, seen) = sent_to(reaction.clone()).await;
        let (reason, _) = temporary(result);
        assert!(
            !reason.is_empty() && !reason.contains("/hook"),
            "{reaction:?}: {reason}"
        );
        assert!(seen.len() <= 1, "{reaction:?}: a try is one request");
    }
    // Nobody listens there.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/s3cret", free.local_addr().unwrap());
    drop(free);
    let (reason, _) = temporary(send(Kept::new().settings(url)).await);
    assert!(!reason.contains("s3cret"), "{reason}");
}

#[tokio::test]
async fn what_is_refused_is_refused_for_good_and_redirects_are_not_followed() {
    for status in [400, 401, 403, 404, 413, 422] {
        let reason = permanent(sent_to(Reaction::status(status)).await.0);
        assert!(reason.contains(&status.to_string()), "{reason}");
    }
    let inside = Peer::start([Reaction::ok()]);
    for status in [301, 302, 303, 307, 308] {
        let header: &'static str = format!("Location: {}\r\n", inside.url()).leak();
        let moved = Reaction::Answer(status, header, String::new());
        let reason = permanent(sent_to(moved).await.0);
        assert!(reason.contains("redirects are not followed"), "{reason}");
    }
    assert!(inside.seen().is_empty());
}

#[tokio::test]
async fn an_answer_is_read_to_a_limit_and_for_a_time() {
    let began = Instant::now();
    sent_to(Reaction::Flood).await.0.unwrap();
    // Its status has come: it was delivered.
    sent_to(Reaction::HalfAnswer).await.0.unwrap();
    assert!(began.elapsed() < Duration::from_secs(30));
    let refusal = Reaction::Answer(400, "", "no\r\n\u{1b}[2J".repeat(40_000));
    let reason = permanent(sent_to(refusal).await.0);
    assert!(reason.len() < 300 && !reason.contains('\u{1b}'), "{reason}");
}

#[tokio::test]
async fn a_peer_that_is_gone_is_left_alone_until_an_operator_has_looked() {
    let peer = Peer::start([Reaction::status(410), Reaction::ok()]);
    let kept = Kept::new();
    let hooks = hooks(&[("phone", kept.settings(peer.url()))]);
    let (hook, message) = (hooks.get("phone").unwrap(), message().await);
    let reason = permanent(hook.send(&message, &letter(&message)).await);
    assert!(reason.contains("410"), "{reason}");
    assert!(hooks.standings()[0].closed.is_some());
    let reason = permanent(hook.send(&message, &letter(&message)).await);
    assert!(reason.contains("it was closed"), "{reason}");
    assert_eq!(peer.seen().len(), 1);
    hooks.reopen();
    hook.send(&message, &letter(&message)).await.unwrap();
    assert_eq!(hooks.standings()[0].closed, None);
}

#[tokio::test]
async fn a_peer_that_hangs_holds_up_a_few_messages_only() {
    let peer = Peer::start([Reaction::Hang]);
    let kept = Kept::new();
    let hooks = hooks(&[("phone", kept.settings(peer.url()))]);
    let (hook, message) = (hooks.get("phone").unwrap(), message().await);
    let (hook, letter) = (Arc::clone(hook), letter(&message));
    let mut under_way = Vec::new();
    for _ in 0..MAX_AT_ONCE {
        let (hook, message, letter) = (Arc::clone(&hook), message.clone(), letter.clone());
        under_way.push(tokio::spawn(
            async move { hook.send(&message, &letter).await },
        ));
    }
    let wait = tokio::task::spawn_blocking(move || peer.wait_for(MAX_AT_ONCE));
    assert_eq!(wait.await.unwrap().len(), MAX_AT_ONCE);
    let began = Instant::now();
    let (reason, after) = temporary(hook.send(&message, &letter).await);
    assert!(
        reason.contains("busy") && after == Some(BUSY_WAIT),
        "{reason}"
    );
    assert!(
        began.elapsed() < Duration::from_secs(10),
        "it does not wait for the others"
    );
    under_way.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test]
async fn no_proxy_of_the_environment_and_no_other_address_is_used() {
    // The name stands for this machine, and that is not allowed here.
    let peer = Peer::start([Reaction::ok()]);
    let kept = Kept::new();
    let url = format!("https://localhost:{}/x", peer.address.port());
    let settings = WebhookSettings {
        allow_private: false,
        ..kept.settings(url)
    };
    let reason = permanent(send(settings).await);
    assert!(reason.contains("private network"), "{reason}");
    assert!(peer.seen().is_empty());
    let own = Some(peer.address);
    let settings = [("a".to_owned(), kept.settings(peer.url()))].into();
    let faults = Hooks::new(&settings, own, "").unwrap_err().join("\n");
    assert!(
        faults.contains("`[webhook.a]`: `url`: `127.0.0.1` is Upline itself"),
        "{faults}"
    );
}

#[test]
fn every_fault_of_the_webhooks_is_told_at_once() {
    let kept = Kept::new();
    let good = kept.settings("https://peer.example/x".to_owned());
    let bad_key = WebhookSettings {
        secret: kept.secret("short", "whsec_c2hvcnQ="),
        ..good.clone()
    };
    let plain_key = WebhookSettings {
        secret: kept.secret("plain", "open sesame"),
        ..good.clone()
    };
    let no_file = WebhookSettings {
        secret: Some(Secret::File("nowhere".into())),
        ..good.clone()
    };
    let inside = WebhookSettings {
        allow_private: false,
        ..kept.settings("https://0x7f.1/x".to_owned())
    };
    let all = [
        ("a", bad_key),
        ("b", plain_key),
        ("c", no_file),
        ("d", inside),
        ("e", good),
    ];
    let all = all
        .map(|(name, settings)| (name.to_owned(), settings))
        .into();
    let faults = Hooks::new(&all, None, "").unwrap_err();
    assert_eq!(faults.len(), 4, "{faults:#?}");
    let text = faults.join("\n");
    for expected in [
        "[webhook.a]`: `secret`: must be `whsec_`",
        "[webhook.c]`: `secret`: file `nowhere`",
    ] {
        assert!(text.contains(expected), "{text}");
    }
    assert!(!text.contains("sesame"), "{text}");
}

#[test]
fn the_engine_tries_again_with_the_same_key_and_passes_on_what_is_refused() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let phone = Peer::start([Reaction::status(503), Reaction::Drop, Reaction::status(404)]);
    let chat = Peer::start([Reaction::Answer(200, "", r#"{"errcode":93000}"#.to_owned())]);
    let backup = Peer::start([Reaction::ok()]);
    let kept = Kept::new();
    let robot = WebhookSettings {
        secret: None,
        shape: Shape::Wecom,
        ..kept.settings(chat.url())
    };
    let hooks = hooks(&[
        ("phone", kept.settings(phone.url())),
        ("chat", robot),
        ("backup", kept.settings(backup.url())),
    ]);
    let channels = hooks.channels();
    let teller = channels.fold(Teller::new(Arc::new(Plain)), |teller, (via, channel)| {
        teller.channel(via, channel)
    });
    let clock = clock();
    let engine = runtime.block_on(engine(teller, &clock));
    let handle = engine.handle();
    runtime.block_on(async {
        open(&handle).await;
        for _ in 0..3 {
            handle.settled().await.unwrap();
            clock.forward(Duration::from_secs(30));
        }
        handle.settled().await.unwrap();
    });
    let tries = phone.wait_for(3);
    assert!(
        tries
            .iter()
            .all(|one| one.header("webhook-id") == tries[0].header("webhook-id"))
    );
    // For good: the next channel of hers, and when that refuses too, the next person. Nobody waits an hour.
    assert_eq!(chat.wait_for(1)[0].json()["msgtype"], "markdown");
    let told: Vec<Value> = backup.wait_for(1).iter().map(Seen::json).collect();
    assert_eq!(told[0]["data"]["to"]["id"], "max");
    assert_eq!(told[0]["data"]["ticket"]["position"]["answerable"], "max");
    let ticket = runtime.block_on(handle.ticket("1")).unwrap().unwrap();
    let position = ticket.positions.values().next().unwrap();
    assert!(
        position
            .unreachable
            .iter()
            .any(|person| person.as_str() == "ann")
    );
    runtime.block_on(engine.stop()).unwrap();
}
