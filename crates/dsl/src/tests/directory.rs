//! What each part of a directory means.

use upline_core::calendar::{Opening, WEEKDAYS};
use upline_core::schedule::Every;
use upline_core::{Quiet, Span};

use super::directory;

const TEXT: &str = "directory: acme
last-resort: lead of desk
people:
  ann: { name: Ann, mail: ann@example.com, skills: [billing], languages: [en, zh-CN], at-most: 8 tickets }
  bob: { at-most: 1 ticket, notify: [{ webhook: phone }, { webhook: pager, after: 5 min, unless: acted }] }
  cem: { name: Cem, mail: cem@example.com, time-zone: America/New_York, notify: [{ mail: 10 min }] }
  dan:
    mail: dan@example.com
    notify: [{ webhook: phone, quiet: skip }, { mail: now, quiet: only }, { mail: 1 h }]
    quiet-hours: [\"22:00-07:00\", { days: sat-sun, hours: [\"00:00-12:00\", \"12:00-24:00\"] }]
  eva: { mail: eva@example.com, time-zone: America/New_York, quiet-hours: \"22:00-07:00\" }
  fay: { mail: fay@example.com, quiet-hours: { hours: \"12:00-13:00\" } }
groups:
  desk: { members: [bob, ann], lead: ann, manager: cem, schedule: duty }
calendars:
  office:
    time-zone: Asia/Shanghai
    hours: { mon-thu: [\"09:00-12:00\", \"13:30-18:00\"], fri: \"09:00-12:00\", sat: closed }
    holidays: { National Day: 2026-10-01..2026-10-07, Christmas: 12-25 }
    working-days: [2026-10-10]
  nights: { time-zone: UTC, hours: { fri-mon: \"22:00-06:00\" } }
  always: { time-zone: UTC, hours: 24 h }
schedules:
  duty:
    rotations:
      - { every: 1 week, from: 2026-03-02 08:00, members: [ann, bob], hours: { mon-fri: \"08:00-20:00\" } }
      - { every: 12 h, from: 2026-03-02, until: 2026-03-31, members: [cem], time-zone: Europe/Berlin }
    shifts:
      - { days: [sat, sun], hours: \"08:00-20:00\", members: ann }
      - { from: 2026-05-01 22:00, to: 2026-05-02, members: [bob] }
    overrides: [{ from: 2026-03-10 08:00, to: 2026-03-11 08:00, on-call: cem, instead-of: bob }]
absences:
  - { who: cem, from: 2026-08-03, to: 2026-08-05, deputy: ann }
  - { who: ann, from: 2026-08-01 12:00, to: 2026-08-01 18:00 }
  - { who: ann, from: 2026-07-01, to: 2026-07-01 }
";

#[test]
fn a_directory_says_all_of_it() {
    let read = directory(TEXT);
    assert_eq!(read.last_resort, "ann");
    let ann = &read.people["ann"];
    assert_eq!(ann.at_most, Some(8));
    assert_eq!(ann.channels[0].via, "mail");
    let bob = &read.people["bob"];
    assert_eq!((bob.name.as_str(), bob.at_most), ("bob", Some(1)));
    assert_eq!(bob.channels[1].via, "webhook:pager");
    assert_eq!(
        bob.channels[1].after,
        Some(Span::minutes(5).around_the_clock())
    );
    assert!(bob.channels[1].unless_acted && !bob.channels[0].unless_acted);
    let cem = &read.people["cem"];
    assert_eq!(
        cem.channels[0].after,
        Some(Span::minutes(10).around_the_clock())
    );
    assert_eq!(read.groups["desk"].members, ["bob", "ann"]);
    calendars(&read);
    let duty = read.schedules["duty"].parts();
    assert_eq!(duty.rotations[1].every, Every::Hours(12));
    assert_eq!(
        duty.rotations[1].until.unwrap().to_string(),
        "2026-04-01T00:00:00"
    );
    assert_eq!(
        duty.zone.iana_name(),
        Some("Asia/Shanghai"),
        "the first calendar's"
    );
    assert_eq!(
        duty.weekly[0].hours.on(WEEKDAYS[5])[0].to_string(),
        "08:00-20:00"
    );
    assert_eq!(
        duty.shifts[0].to.unwrap().to_string(),
        "2026-05-03T00:00:00"
    );
    let cem = &read.absences["cem"][0];
    assert_eq!(
        cem.from.to_string(),
        "2026-08-03T04:00:00Z",
        "in the zone of the person"
    );
    assert_eq!(
        cem.to.to_string(),
        "2026-08-06T04:00:00Z",
        "the last day is one of it"
    );
    let ann: Vec<_> = read.absences["ann"]
        .iter()
        .map(|one| one.to.to_string())
        .collect();
    assert_eq!(
        ann,
        ["2026-07-01T16:00:00Z", "2026-08-01T10:00:00Z"],
        "in the first calendar's zone"
    );
}

#[test]
fn quiet_hours_are_those_of_the_persons_clock() {
    let people = directory(TEXT).people;
    let minds: Vec<Quiet> = people["dan"].channels.iter().map(|way| way.quiet).collect();
    assert_eq!(minds, [Quiet::Skip, Quiet::Only, Quiet::Any]);
    assert_eq!(people["bob"].channels[0].quiet, Quiet::Any);
    assert_eq!(people["bob"].quiet_hours, None);
    let hours = |person: &str, day: usize| {
        let hours = people[person].quiet_hours.as_ref().unwrap();
        let on = hours.week().on(WEEKDAYS[day]).iter();
        on.map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(hours("dan", 4), ["22:00-07:00"]);
    assert_eq!(
        hours("dan", 5),
        ["00:00-12:00", "12:00-24:00", "22:00-07:00"]
    );
    assert_eq!(hours("fay", 6), ["12:00-13:00"]);
    let quiet = |person: &str, at: &str| people[person].is_quiet(at.parse().unwrap());
    // Ten at night in New York; Dan has no zone of his own, so the clock hangs where the first calendar's does.
    assert!(quiet("eva", "2026-01-07T03:00:00Z"));
    assert!(!quiet("eva", "2026-01-07T02:59:00Z"));
    assert!(quiet("dan", "2026-01-07T14:00:00Z"));
    assert!(!quiet("dan", "2026-01-07T13:59:00Z"));
    assert!(!quiet("dan", "2026-01-07T03:00:00Z"));
}

fn calendars(read: &upline_core::Directory) {
    let office = read.calendars["office"].parts();
    assert_eq!(office.week.on(WEEKDAYS[3]).len(), 2);
    assert_eq!(office.week.on(WEEKDAYS[4]).len(), 1);
    assert!(office.week.on(WEEKDAYS[5]).is_empty());
    let names: Vec<_> = office
        .holidays
        .iter()
        .filter_map(|day| day.name.clone())
        .collect();
    assert_eq!(names, ["National Day", "Christmas"]);
    let nights = read.calendars["nights"].parts();
    let open: Vec<usize> = (0..7)
        .filter(|day| !nights.week.on(WEEKDAYS[*day]).is_empty())
        .collect();
    assert_eq!(open, [0, 4, 5, 6]);
    let always = read.calendars["always"].parts();
    assert_eq!(always.week.on(WEEKDAYS[6]), [Opening::WHOLE_DAY]);
}
