//! `long-closure`: a calendar in which clocks run is closed for a quarter of a year or longer, at a time that
//! the proof does not look at. Within the proved year the bounds say it: see `long-silence`.

use std::collections::BTreeSet;

use jiff::Timestamp;
use upline_core::calendar::Closure;
use upline_core::proof::LONG_SECONDS;
use upline_core::{Calendar, Name};

use super::subject::Subject;
use crate::{Code, Diagnostic, Found, Site};

pub(super) fn check(at: &Subject<'_>, found: &mut Found) {
    let (Some(directory), Some(proof)) = (at.directory, at.proof) else {
        return;
    };
    let mut seen: BTreeSet<&Name> = BTreeSet::new();
    let own = at.workflow.calendar.iter();
    let own = own.map(|name| (name, at.node(&["calendar"]).at, proof.to));
    // The proof knows nothing of promises.
    let promises = at.workflow.promises.iter().filter_map(|promise| {
        let site = at.node(&["promises", &promise.name, "calendar"]).at;
        Some((promise.calendar.as_ref()?, site, proof.from))
    });
    for (name, site, from) in own.chain(promises) {
        let Some(calendar) = directory.calendars.get(name) else {
            continue;
        };
        let closures = calendar.closures(from, LONG_SECONDS);
        let mut later = closures.iter().filter(|(close, _)| *close >= from);
        if let Some(first) = later.next()
            && seen.insert(name)
        {
            found.add(|| diagnostic(calendar, *first, later.count(), site));
        }
    }
}

fn diagnostic(calendar: &Calendar, (close, open): Closure, more: usize, site: Site) -> Diagnostic {
    let day = |at: Timestamp| at.to_zoned(calendar.zone().clone()).date();
    let until = match open {
        Some(open) => format!("until {}", day(open)),
        None => "for ever".to_owned(),
    };
    let name = calendar.name();
    let message = format!(
        "the calendar `{name}` is closed from {} {until}",
        day(close)
    );
    let mut diagnostic = Diagnostic::new(Code::LongClosure, site, message);
    diagnostic.label("no clock runs then, and a ticket waits");
    if more > 0 {
        let days = LONG_SECONDS / 86_400;
        diagnostic.help(format!("and {more} times more for longer than {days} days"));
    }
    diagnostic
}

#[cfg(test)]
mod tests {
    use crate::lint::kit::{check_files, with_calendars};

    fn directory(holidays: &str) -> String {
        let calendar = |name: &str, holidays: &str| {
            let hours = "time-zone: Asia/Shanghai, hours: { mon-fri: \"09:00-17:00\" }";
            format!("{name}: {{ {hours}, holidays: [{holidays}] }}")
        };
        with_calendars(&[calendar("office", ""), calendar("shop", holidays)])
    }

    fn workflow(calendar: &str, promise: &str) -> String {
        format!(
            "workflow: fault
calendar: {calendar}
promises:
  soon: {{ within: 8 h, met-in: done{promise} }}
ladders:
  climb: [{{ after: 1 h, assign: manager of desk }}]
start: new
states:
  new: {{ assign: next in desk, escalate: climb, actions: {{ go: done }} }}
  done: {{ end: done }}
"
        )
    }

    const YEARS: &str = "2028-01-01..2028-12-31, 2029-01-01..2029-12-31";

    #[test]
    fn ranges_that_follow_one_another() {
        let found =
            "long-closure `shop` the calendar `shop` is closed from 2027-12-31 until 2030-01-01";
        check_files(&[&workflow("shop", ""), &directory(YEARS)], &[found]);
        let promised = workflow("office", ", calendar: shop");
        check_files(&[&promised, &directory(YEARS)], &[found]);
        let summer = "2026-04-01..2026-07-15";
        let soon =
            "long-closure `shop` the calendar `shop` is closed from 2026-03-31 until 2026-07-16";
        check_files(&[&promised, &directory(summer)], &[soon]);
    }

    /// A calendar that only conditions ask may be closed for as long as it likes, and so may a short holiday.
    #[test]
    fn what_stops_no_clock() {
        check_files(&[&workflow("office", ""), &directory(YEARS)], &[]);
        let short = "2028-01-01..2028-01-31, 2028-02-10..2028-03-10";
        check_files(&[&workflow("shop", ""), &directory(short)], &[]);
    }
}
