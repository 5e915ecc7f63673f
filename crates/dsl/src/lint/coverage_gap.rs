//! `coverage-gap`: hours in which a phrase has nobody on shift. From the language's list of checks; found by
//! the proof. A warning: whoever comes next is asked at once.

use upline_core::proof::{Gap, GapWhy};

use super::subject::{MAX_ALSO, Subject};
use crate::{Code, Diagnostic, Found};

pub(super) fn check(at: &Subject<'_>, found: &mut Found) {
    for gap in at.proof.iter().flat_map(|proof| &proof.gaps) {
        // Never at all is another mistake.
        if !gap.always {
            found.add(|| diagnostic(at, gap));
        }
    }
}

fn diagnostic(at: &Subject<'_>, gap: &Gap) -> Diagnostic {
    let mut sites = gap.asked.iter().map(|asked| at.asked_at(asked));
    let site = sites.next().unwrap_or_else(|| at.key_at("workflow"));
    let message = format!("there are times at which `{}` finds nobody", gap.who);
    let mut diagnostic = Diagnostic::new(Code::CoverageGap, site, message);
    diagnostic.label(times(at, gap));
    for site in sites.take(MAX_ALSO) {
        diagnostic.also(site, "asked here too");
    }
    if gap.why == GapWhy::Away {
        diagnostic.help(
            "nobody is on shift then, or all are away without a deputy; the next level is asked at \
             once",
        );
    }
    diagnostic
}

/// When it is first, and for how long in all.
fn times(at: &Subject<'_>, gap: &Gap) -> String {
    let zone = at.zone();
    let Some((from, to)) = gap.intervals.first() else {
        return String::new();
    };
    let local = |at: &jiff::Timestamp| {
        at.to_zoned(zone.clone())
            .strftime("%a %Y-%m-%d %H:%M")
            .to_string()
    };
    let hours = gap.seconds.div_euclid(3600).max(1);
    let counted = if at.workflow.calendar.is_some() {
        "open hours"
    } else {
        "hours"
    };
    let name = zone.iana_name().unwrap_or("UTC");
    match gap.intervals.len() {
        1 => format!("from {} to {} ({name})", local(from), local(to)),
        count => format!(
            "first from {} to {} ({name}), and {} times more in a year: {hours} {counted}",
            local(from),
            local(to),
            count - 1
        ),
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::kit::{check_files, states};

    const WEEK: &str = "{ days: mon-fri, hours: \"08:00-17:00\", members: [ann, bob] }";

    fn directory(schedule: &str, absences: &str) -> String {
        format!(
            "
directory: acme
last-resort: user max
people:
  ann: {{ mail: ann@example.com }}
  bob: {{ mail: bob@example.com }}
  max: {{ mail: max@example.com }}
groups:
  desk: {{ members: [ann, bob], lead: max, manager: max, schedule: shifts }}
calendars:
  office: {{ time-zone: Europe/Berlin, hours: {{ mon-fri: [\"09:00-17:00\"] }} }}
schedules:
  shifts:
    time-zone: Europe/Berlin
    shifts: [{schedule}]
absences: [{absences}]
"
        )
    }

    fn workflow(calendar: &str) -> String {
        let text = states(
            "fault",
            "
  new: { NEXT { go: done } }
  done: { end: done }
",
        );
        text.replacen(
            "workflow: fault\n",
            &format!("workflow: fault\n{calendar}"),
            1,
        )
    }

    #[test]
    fn hours_without_anybody() {
        let office = workflow("calendar: office\n");
        let found = |when: &str| {
            format!(
                "coverage-gap `next in desk` there are times at which `next in desk` finds nobody ({when})"
            )
        };
        let fridays = "first from Fri 2026-03-06 15:00 to Fri 2026-03-06 17:00 (Europe/Berlin), \
             and 51 times more in a year: 104 open hours";
        let short = directory(
            "{ days: mon-thu, hours: \"08:00-17:00\", members: [ann, bob] }, \
             { days: fri, hours: \"08:00-15:00\", members: [ann] }",
            "",
        );
        check_files(&[&office, &short], &[&found(fridays)]);
        let august = "{ who: ann, from: 2026-08-03, to: 2026-08-04 }, \
             { who: bob, from: 2026-08-04, to: 2026-08-07 }";
        let away = directory(WEEK, august);
        let once = "from Tue 2026-08-04 09:00 to Tue 2026-08-04 17:00 (Europe/Berlin)";
        check_files(&[&office, &away], &[&found(once)]);
    }

    #[test]
    fn shifts_that_cover_the_open_hours_are_enough() {
        let office = workflow("calendar: office\n");
        check_files(&[&office, &directory(WEEK, "")], &[]);
        let deputy = "{ who: ann, from: 2026-08-03, to: 2026-08-09, deputy: max }, \
             { who: bob, from: 2026-08-03, to: 2026-08-09 }";
        check_files(&[&office, &directory(WEEK, deputy)], &[]);
        let always = directory(
            "{ days: mon-sun, hours: \"00:00-24:00\", members: [ann, bob] }",
            "",
        );
        check_files(&[&workflow(""), &always], &[]);
    }
}
