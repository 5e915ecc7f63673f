//! Quiet hours choose the channel, and delay nothing.

use jiff::Timestamp;
use jiff::civil::Weekday::{Saturday, Sunday};
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::kit::{Desk, directory, minutes, start, trouble};
use crate::calendar::{Opening, WEEKDAYS, Week};
use crate::{
    Actor, Base, Channel, Command, Directory, Fact, Person, Quiet, QuietHours, Recipient, Span,
    Topic, Wish,
};

const HOUR: u32 = 3600;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn daily(from: u32, to: u32, zone: &str) -> QuietHours {
    let hours = Opening::new(from, to).unwrap();
    QuietHours::new(
        Week::of(&WEEKDAYS, &[hours]),
        crate::calendar::tests::zone(zone),
    )
}

fn rule(via: &str, after: Option<u32>, quiet: Quiet) -> Channel {
    Channel {
        via: via.into(),
        after: after.map(Span::minutes),
        unless_acted: false,
        quiet,
    }
}

/// Ann has these rules; her quiet hours last for an hour from a time in minutes after the start at 09:00.
fn people(rules: Vec<Channel>, from: i64) -> Directory {
    let mut people = directory();
    let ann = people.people.get_mut("ann").unwrap();
    ann.channels = rules;
    let from = u32::try_from(9 * 60 + from).unwrap() * 60;
    ann.quiet_hours = Some(daily(from, from + HOUR, "UTC"));
    people
}

fn desk(rules: Vec<Channel>, from: i64) -> Desk {
    let first = Base::User("ann".into());
    let mut desk = Desk::new(trouble(first), people(rules, from));
    desk.open().unwrap();
    desk
}

/// By what Ann was told when, in minutes: `mail@0 phone@5`.
fn told(desk: &Desk) -> String {
    let mut all = Vec::new();
    for event in &desk.journal {
        let minutes = (event.at.as_second() - start().as_second()) / 60;
        let ann = Recipient::Person("ann".into());
        let notices = event.fact.notices().iter();
        let notices = notices.filter(|notice| notice.to == ann);
        all.extend(notices.map(|notice| format!("{}@{minutes}", notice.via)));
    }
    all.join(" ")
}

/// The newest message to Ann can't be delivered.
fn fail(desk: &mut Desk) {
    let wish = Wish::Undeliverable {
        notice: desk.ticket.last_notice,
        reason: "refused".into(),
    };
    let by = Actor::System("mail".into());
    desk.submit(&Command {
        branch: None,
        by,
        wish,
    })
    .unwrap();
}

#[test]
fn hours_over_midnight_hold_in_the_zone_of_the_person() {
    let night = daily(22 * HOUR, 7 * HOUR, "Asia/Shanghai");
    for (time, quiet) in [
        ("2026-03-06T13:59:59.999Z", false),
        ("2026-03-06T14:00:00Z", true),
        ("2026-03-06T16:00:00Z", true),
        ("2026-03-06T22:59:59.999Z", true),
        ("2026-03-06T23:00:00Z", false),
    ] {
        assert_eq!(night.holds(at(time)), quiet, "{time}");
    }
}

#[test]
fn hours_of_some_days_begin_on_them_and_may_overlap() {
    let mut week = Week::of(&WEEKDAYS, &[Opening::new(22 * HOUR, 7 * HOUR).unwrap()]);
    for day in [Saturday, Sunday] {
        week.add(day, Opening::WHOLE_DAY);
    }
    let quiet = QuietHours::new(week, TimeZone::UTC);
    // 2026-03-06 is a Friday.
    for (time, is) in [
        ("2026-03-06T21:59:00Z", false),
        ("2026-03-07T06:00:00Z", true),
        ("2026-03-07T12:00:00Z", true),
        ("2026-03-08T12:00:00Z", true),
        ("2026-03-09T06:59:00Z", true),
        ("2026-03-09T07:00:00Z", false),
    ] {
        assert_eq!(quiet.holds(at(time)), is, "{time}");
    }
    let fridays = Week::of(
        &[jiff::civil::Weekday::Friday],
        &[Opening::new(22 * HOUR, 7 * HOUR).unwrap()],
    );
    let quiet = QuietHours::new(fridays, TimeZone::UTC);
    assert!(quiet.holds(at("2026-03-07T06:59:00Z")));
    assert!(!quiet.holds(at("2026-03-06T06:59:00Z")));
    assert!(!quiet.holds(at("2026-03-07T22:00:00Z")));
}

#[test]
fn a_night_on_which_clocks_change_is_shorter_or_longer() {
    // In Berlin 02:00 became 03:00 on 2026-03-29, and 03:00 becomes 02:00 on 2026-10-25.
    let night = daily(22 * HOUR, 7 * HOUR, "Europe/Berlin");
    let hours = |from: &str| {
        let from = at(from);
        let quiet = |minute: &i64| night.holds(from + minutes(*minute));
        (0..24 * 60).filter(quiet).count()
    };
    assert_eq!(hours("2026-03-27T12:00:00Z"), 9 * 60);
    assert_eq!(hours("2026-03-28T12:00:00Z"), 8 * 60);
    assert_eq!(hours("2026-10-24T12:00:00Z"), 10 * 60);
    // An end that the clocks skip is the first instant after the skip.
    let early = daily(22 * HOUR, 2 * HOUR + HOUR / 2, "Europe/Berlin");
    assert!(early.holds(at("2026-03-29T00:59:59Z")));
    assert!(!early.holds(at("2026-03-29T01:00:00Z")));
    // One that they show twice is the first of the two.
    assert!(early.holds(at("2026-10-25T00:29:59Z")));
    assert!(!early.holds(at("2026-10-25T00:30:00Z")));
    assert!(!early.holds(at("2026-10-25T01:15:00Z")));
}

#[test]
fn a_rule_that_is_not_for_the_moment_leaves_its_place_to_the_next() {
    let rules = || {
        vec![
            rule("phone", None, Quiet::Skip),
            rule("chat", Some(5), Quiet::Only),
            rule("mail", Some(10), Quiet::Any),
        ]
    };
    let mut waking = desk(rules(), 60);
    waking.until(14);
    // At five past, which is not quiet, the chat leaves its place to the mail, which is not sent again.
    assert_eq!(told(&waking), "phone@0 mail@5");
    let mut quiet = desk(rules(), 0);
    quiet.until(14);
    assert_eq!(told(&quiet), "chat@0 mail@10");
    quiet.until(15);
    assert_eq!(quiet.hops(), "ann@0 bob@15", "nothing is delayed");
}

#[test]
fn a_rule_behind_others_that_begin_at_once_takes_their_place_alone() {
    let rules = vec![
        rule("phone", None, Quiet::Skip),
        rule("mail", None, Quiet::Any),
        rule("chat", Some(5), Quiet::Any),
    ];
    let mut quiet = desk(rules, 0);
    quiet.until(14);
    assert_eq!(told(&quiet), "mail@0 chat@5");
}

#[test]
fn rules_of_the_same_time_are_one_step() {
    let rules = || {
        vec![
            rule("mail", None, Quiet::Skip),
            rule("note", None, Quiet::Only),
            rule("phone", Some(5), Quiet::Skip),
            rule("chat", Some(5), Quiet::Only),
            rule("pager", Some(9), Quiet::Any),
        ]
    };
    let mut waking = desk(rules(), 60);
    waking.until(14);
    assert_eq!(told(&waking), "mail@0 phone@5 pager@9");
    let mut quiet = desk(rules(), 0);
    quiet.until(14);
    assert_eq!(told(&quiet), "note@0 chat@5 pager@9");
    // Used early, in place of one that failed or is not for the moment, it is the same step.
    let mut failed = desk(rules(), 60);
    fail(&mut failed);
    failed.until(14);
    assert_eq!(told(&failed), "mail@0 phone@0 pager@9");
    let mut forward = desk(rules()[1..].to_vec(), 60);
    forward.until(14);
    assert_eq!(told(&forward), "phone@0 pager@9");
}

#[test]
fn a_span_that_ends_in_quiet_hours_is_judged_then() {
    let rules = || {
        vec![
            rule("mail", None, Quiet::Any),
            rule("phone", Some(5), Quiet::Skip),
        ]
    };
    for (from, expected) in [
        (6, "mail@0 phone@5"),
        (5, "mail@0"),
        (1, "mail@0"),
        (0, "mail@0"),
    ] {
        let mut desk = desk(rules(), from);
        desk.until(14);
        assert_eq!(told(&desk), expected, "quiet from minute {from}");
        desk.until(15);
        assert_eq!(desk.hops(), "ann@0 bob@15");
    }
}

#[test]
fn whoever_was_told_by_nothing_yet_is_told_by_the_last_rule() {
    // Before the quiet hours the one for them leaves its place to the other, and so the other way round.
    let rules = || {
        vec![
            rule("phone", Some(5), Quiet::Skip),
            rule("chat", Some(2), Quiet::Only),
        ]
    };
    let mut before = desk(rules(), 3);
    before.until(14);
    assert_eq!(told(&before), "phone@2");
    let mut within = desk(rules(), 0);
    within.until(14);
    assert_eq!(told(&within), "chat@2");
}

#[test]
fn a_channel_that_fails_in_quiet_hours_is_followed_by_the_next_for_them() {
    let rules = vec![
        rule("mail", None, Quiet::Any),
        rule("phone", Some(3), Quiet::Skip),
        rule("chat", Some(12), Quiet::Only),
        rule("pager", Some(13), Quiet::Skip),
    ];
    let mut desk = desk(rules, 0);
    desk.until(1);
    fail(&mut desk);
    assert_eq!(told(&desk), "mail@0 chat@1");
    assert_eq!(desk.hops(), "ann@0");
    desk.until(2);
    fail(&mut desk);
    // The phone and the pager would be left, but not in quiet hours: the next person has it at once.
    assert_eq!(desk.hops(), "ann@0 bob@2");
    let event = desk.journal.last().unwrap();
    let Fact::Hopped(hop) = &event.fact else {
        panic!("{event:?}")
    };
    assert_eq!(hop.left_out[0].reason, crate::Reason::Unreachable);
}

#[test]
fn a_channel_for_other_hours_is_there_when_quiet_hours_are_to_come() {
    let rules = vec![
        rule("mail", None, Quiet::Any),
        rule("phone", Some(10), Quiet::Skip),
    ];
    let mut desk = desk(rules, 5);
    desk.until(1);
    fail(&mut desk);
    assert_eq!(told(&desk), "mail@0 phone@1");
}

#[test]
fn what_only_informs_goes_by_the_first_rule_for_the_moment() {
    let rules = || {
        vec![
            rule("phone", None, Quiet::Skip),
            rule("pager", Some(5), Quiet::Only),
            rule("mail", None, Quiet::Only),
        ]
    };
    let informed = |from: i64| {
        let mut workflow = trouble(Base::User("bob".into()));
        let climbing = workflow.ladders.get_mut("climbing").unwrap();
        climbing.levels[0]
            .notify
            .push(Base::User("ann".into()).into());
        let mut people = people(rules(), from);
        people.groups.get_mut("desk").unwrap().members.remove(0);
        let mut desk = Desk::new(workflow, people);
        desk.open().unwrap();
        desk.until(16);
        let facts = desk.journal.iter().flat_map(|event| event.fact.notices());
        let mut informed = facts.filter(|notice| notice.topic == Topic::Informed);
        assert!(informed.next().is_some());
        told(&desk)
    };
    assert_eq!(informed(0), "mail@15");
    assert_eq!(informed(60), "phone@15");
}

#[test]
fn hours_of_none_or_rules_of_none_change_nothing() {
    let mut desk = desk(vec![rule("mail", None, Quiet::Any)], 0);
    desk.until(14);
    assert_eq!(told(&desk), "mail@0");
    let person = Person::default();
    assert!(!person.is_quiet(start()));
}

#[test]
fn what_is_to_come_is_known_before() {
    let rules = || {
        vec![
            rule("mail", None, Quiet::Any),
            rule("phone", Some(5), Quiet::Skip),
            rule("fax", Some(5), Quiet::Only),
            rule("chat", Some(6), Quiet::Any),
            rule("pager", Some(7), Quiet::Skip),
            rule("bell", Some(10), Quiet::Only),
        ]
    };
    for from in 1..12 {
        let mut desk = desk(rules(), from);
        let ann = desk.directory.people["ann"].clone();
        let later = ann.later(&desk.ticket.clocks, desk.now);
        let due = |later: &crate::Later<'_>| desk.ticket.clock(later.clock).unwrap().due;
        let minute = |at: Timestamp| (at.as_second() - start().as_second()) / 60;
        let later = later
            .iter()
            .map(|later| format!(" {}@{}", later.channel.via, minute(due(later))));
        let expected: String = later.collect();
        desk.until(14);
        assert_eq!(
            told(&desk),
            format!("mail@0{expected}"),
            "quiet from {from}"
        );
    }
}

fn channel() -> impl Strategy<Value = Channel> {
    let after = prop_oneof![Just(None), (1_u32..14).prop_map(Some)];
    let quiet = prop_oneof![Just(Quiet::Any), Just(Quiet::Skip), Just(Quiet::Only)];
    ("[abc]", after, quiet).prop_map(|(via, after, quiet)| rule(&via, after, quiet))
}

proptest! {
    /// Whoever has a rule for each moment is told by the time of his last one, by rules that were for it then.
    #[test]
    fn whoever_can_be_told_is_told(
        rules in prop::collection::vec(channel(), 1..6),
        from in 0_i64..14,
        minutes_long in 1_u32..14,
    ) {
        let whole = [true, false].iter().all(|quiet| rules.iter().any(|rule| rule.quiet.is_for(*quiet)));
        prop_assume!(whole);
        let mut people = people(rules.clone(), from);
        let begin = u32::try_from(9 * 60 + from).unwrap() * 60;
        let ann = people.people.get_mut("ann").unwrap();
        ann.quiet_hours = Some(daily(begin, begin + minutes_long * 60, "UTC"));
        let ann = ann.clone();
        let mut desk = Desk::new(trouble(Base::User("ann".into())), people);
        desk.open().unwrap();
        desk.until(14);
        let mut all = 0;
        for event in &desk.journal {
            let quiet = ann.is_quiet(event.at);
            for notice in event.fact.notices() {
                all += 1;
                let fits = |rule: &&Channel| rule.via == notice.via && rule.quiet.is_for(quiet);
                prop_assert!(rules.iter().any(|rule| fits(&rule)), "{notice:?} at {}", event.at);
            }
        }
        prop_assert!((1..=rules.len()).contains(&all), "{}", told(&desk));
        if rules.iter().any(|rule| rule.after.is_none()) {
            prop_assert!(told(&desk).contains("@0"), "{}", told(&desk));
        }
    }
}
