//! Clocks that are set, and many that are due at once.

use super::*;

fn days(days: i64) -> jiff::SignedDuration {
    jiff::SignedDuration::from_hours(24 * days)
}

#[tokio::test]
async fn a_clock_that_jumps_by_a_day_fires_nothing_early_twice_or_never() {
    let home = tempfile::tempdir().unwrap();
    let (clock, heard) = (ManualClock::at(begin()), Heard::default());
    let engine = on(home.path(), &clock, &heard).await;
    let handle = engine.handle();
    open(&handle).await.unwrap();
    handle.settled().await.unwrap();
    clock.set_wall(begin() + days(1));
    let status = handle.status().await.unwrap();
    assert_eq!(status.clock_ahead, Some(Duration::from_secs(24 * 3600)));
    clock.forward(minutes(1));
    handle.settled().await.unwrap();
    assert_eq!(holder(&handle, "1").await, "ann", "it is not believed yet");
    // It was a mistake, and then it is one in the other direction.
    clock.set_wall(begin() + minutes(1) - days(1));
    clock.forward(minutes(13));
    handle.settled().await.unwrap();
    assert_eq!(holder(&handle, "1").await, "ann");
    clock.forward(minutes(2));
    handle.settled().await.unwrap();
    assert_eq!(
        holder(&handle, "1").await,
        "bob",
        "a minute late, not a day"
    );
    engine.stop().await.unwrap();
    // The next process begins a day before the last commit.
    let engine = on(home.path(), &clock, &heard).await;
    let handle = engine.handle();
    handle.settled().await.unwrap();
    assert_eq!(holder(&handle, "1").await, "bob");
    clock.forward(minutes(33));
    handle.settled().await.unwrap();
    assert_eq!(holder(&handle, "1").await, "lea");
    // Now it is put right, which is a jump of a day forward, and lasts.
    clock.set_wall(clock.now() + days(1));
    clock.forward(minutes(1));
    handle.settled().await.unwrap();
    assert_eq!(holder(&handle, "1").await, "lea");
    clock.forward(minutes(2));
    handle.settled().await.unwrap();
    let status = handle.status().await.unwrap();
    assert_eq!((status.clock_ahead, status.now), (None, clock.now()));
    engine.stop().await.unwrap();
    Told::read(real(home.path()));
    assert_eq!(heard.lock().unwrap().as_slice(), []);
}

#[tokio::test]
async fn a_clock_that_is_corrected_to_and_fro_all_the_time_fires_everything_once_and_in_time() {
    let home = tempfile::tempdir().unwrap();
    let (clock, heard) = (ManualClock::at(begin()), Heard::default());
    let engine = on(home.path(), &clock, &heard).await;
    let handle = engine.handle();
    for _ in 0..10 {
        open(&handle).await.unwrap();
    }
    let first = ticket(&handle, "1").await.positions[""].epoch;
    let mut right = begin();
    let hops = [(15, 1), (45, 2), (75, 3)];
    for second in 0..80 * 60_i64 {
        clock.forward(Duration::from_secs(1));
        right += jiff::SignedDuration::from_secs(1);
        // Up to two seconds ahead, then as much behind.
        let wrong = [1_300, -700, 2_000, 0, -2_000][usize::try_from(second % 5).unwrap()];
        clock.set_wall(right + jiff::SignedDuration::from_millis(wrong));
        if second % 60 != 30 {
            continue;
        }
        handle.settled().await.unwrap();
        let due = hops.iter().filter(|(minute, _)| minute * 60 <= second);
        let due = due.map(|(_, hops)| *hops).max().unwrap_or(0);
        for id in 1..=10 {
            let epoch = ticket(&handle, &id.to_string()).await.positions[""].epoch;
            assert_eq!(epoch, first + due, "after {second} s");
        }
    }
    engine.stop().await.unwrap();
    assert_eq!(Told::read(real(home.path())).fired.len(), 30);
    assert_eq!(heard.lock().unwrap().as_slice(), []);
}

#[tokio::test]
async fn thousands_of_tickets_that_are_due_in_one_second_hop_once_each() {
    let home = tempfile::tempdir().unwrap();
    let (clock, heard) = (ManualClock::at(begin()), Heard::default());
    let engine = on(home.path(), &clock, &heard).await;
    let handle = engine.handle();
    let tickets = 2_000_u64;
    let opened = (0..tickets).map(|_| {
        let handle = handle.clone();
        tokio::spawn(async move { open(&handle).await.map(drop) })
    });
    let opened: Vec<_> = opened.collect();
    for one in opened {
        one.await.unwrap().unwrap();
    }
    handle.settled().await.unwrap();
    clock.forward(minutes(15));
    // Somebody else's command is answered between the slices.
    open(&handle).await.unwrap();
    handle.settled().await.unwrap();
    let status = handle.status().await.unwrap();
    assert_eq!((status.late, status.unsent), (Duration::ZERO, 0));
    engine.stop().await.unwrap();
    let told = Told::read(real(home.path()));
    assert_eq!(told.fired.len() as u64, tickets);
    let (&last, &first) = (
        told.epochs.values().max().unwrap(),
        &told.epochs[&(tickets + 1)],
    );
    let of_the_herd = told.epochs.range(..=tickets);
    assert!(of_the_herd.into_iter().all(|(_, epoch)| *epoch == last));
    assert_eq!(last, first + 1);
    assert_eq!(heard.lock().unwrap().as_slice(), []);
}

#[tokio::test]
async fn time_that_passes_is_no_outage() {
    let home = tempfile::tempdir().unwrap();
    let (clock, heard) = (ManualClock::at(begin()), Heard::default());
    let engine = on(home.path(), &clock, &heard).await;
    let handle = engine.handle();
    open(&handle).await.unwrap();
    handle.pass(&clock, minutes(46)).await.unwrap();
    assert_eq!(clock.now(), begin() + minutes(46));
    let passed = handle.history("1", None).await.unwrap();
    // Step by step it is the same.
    let other = tempfile::tempdir().unwrap();
    let clock = ManualClock::at(begin());
    let stepped = on(other.path(), &clock, &heard).await;
    let handle = stepped.handle();
    open(&handle).await.unwrap();
    handle.settled().await.unwrap();
    for _ in 0..46 {
        clock.forward(minutes(1));
        handle.settled().await.unwrap();
    }
    let events = |history: Vec<crate::HistoryEntry>| -> Vec<upline_core::Event> {
        history.into_iter().flat_map(|entry| entry.events).collect()
    };
    let history = handle.history("1", None).await.unwrap();
    assert_eq!(events(passed), events(history));
    assert_eq!(holder(&handle, "1").await, "lea");
    engine.stop().await.unwrap();
    stepped.stop().await.unwrap();
}

#[tokio::test]
async fn where_time_ends_nothing_fires_without_end_and_the_engine_answers() {
    let (clock, heard) = (ManualClock::at(begin()), Heard::default());
    let engine = with(Engine::builder(), &clock, &heard).await;
    let handle = engine.handle();
    open(&handle).await.unwrap();
    for by in [300_000_000_000, 9_223_372_036_854_775, u64::MAX] {
        clock.forward(Duration::from_secs(by));
        handle.settled().await.unwrap();
    }
    assert_eq!(holder(&handle, "1").await, "bob", "after it nothing is due");
    clock.set_wall(begin());
    clock.forward(Duration::MAX);
    handle.pass(&clock, Duration::MAX).await.unwrap();
    // What is opened there has no time left to climb.
    let opened = open(&handle).await.unwrap();
    handle.settled().await.unwrap();
    assert_eq!(holder(&handle, &opened.id).await, "ann");
    engine.stop().await.unwrap();
    assert_eq!(heard.lock().unwrap().as_slice(), []);
}
