//! `long-silence`: the proof holds, but its bound is so long that nobody can have meant it, such as in a
//! calendar that is open for a minute a week. A warning: the ticket does get to somebody.

use std::collections::BTreeMap;

use upline_core::StateKind;
use upline_core::proof::{Bound, LONG_SECONDS, StateBound};

use super::subject::{MAX_ALSO, Subject};
use crate::{Code, Diagnostic, Found};

/// An end that silence may lead to is waited for as long as its author has said; but where so many times the
/// open time passes, the calendar is to blame.
const STRETCHED: i64 = 8;

const DAY: i64 = 86_400;

pub(super) fn check(at: &Subject<'_>, found: &mut Found) {
    let states = at.proof.iter().flat_map(|proof| &proof.states);
    // One and the same ladder at the end of the way is one and the same mistake.
    let mut long: BTreeMap<Option<&str>, Vec<(usize, &StateBound, Bound)>> = BTreeMap::new();
    for state in states {
        let (Some(bound), Some(number)) = (state.last_resort, at.graph.number(&state.state)) else {
            continue;
        };
        if at.reachable[number] && is_long(at, state, bound) {
            let group = long.entry(ladder_at_the_end(at, state)).or_default();
            group.push((number, state, bound));
        }
    }
    for mut states in long.into_values() {
        states.sort_by_key(|(number, _, bound)| (std::cmp::Reverse(bound.wall), *number));
        found.add(|| diagnostic(at, &states));
    }
}

fn is_long(at: &Subject<'_>, state: &StateBound, bound: Bound) -> bool {
    let last = state
        .leads_to
        .last()
        .and_then(|name| at.workflow.states.get(name));
    let ends = last.is_some_and(|last| matches!(last.kind, StateKind::End { .. }));
    bound.wall > LONG_SECONDS && (!ends || bound.wall / STRETCHED > bound.working)
}

/// The ladder that silence waits for last.
fn ladder_at_the_end<'p>(at: &Subject<'p>, state: &'p StateBound) -> Option<&'p str> {
    let Some(last) = state.leads_to.last() else {
        return state.ladder.as_ref().map(|ladder| ladder.as_str());
    };
    let mut choices = at.workflow.work(last)?.escalate.iter();
    choices.next().map(|choice| choice.ladder.as_str())
}

fn diagnostic(at: &Subject<'_>, states: &[(usize, &StateBound, Bound)]) -> Diagnostic {
    let mut sites = states.iter().map(|(number, ..)| at.state_at(*number));
    let site = sites.next().unwrap_or_else(|| at.key_at("states"));
    let (days, name) = states.first().map_or((0, ""), |(number, _, bound)| {
        (bound.wall / DAY, at.name(*number))
    });
    let message = format!("`{name}` may be silent for {days} days");
    let mut diagnostic = Diagnostic::new(Code::LongSilence, site, message);
    if let Some((_, state, bound)) = states.first() {
        let zone = at.zone();
        let entered = bound.entered.to_zoned(zone.clone());
        let entered = entered.strftime("%a %Y-%m-%d %H:%M");
        let zone = zone.iana_name().unwrap_or("UTC");
        diagnostic.label(format!(
            "a ticket that comes here on {entered} ({zone}) waits for so long, if nobody acts"
        ));
        let way = [&state.state].into_iter().chain(&state.leads_to);
        let way: Vec<String> = way
            .take(MAX_ALSO + 2)
            .map(|name| format!("`{name}`"))
            .collect();
        let (open, way) = (hours(bound.working), way.join(" → "));
        diagnostic.help(match &at.workflow.calendar {
            Some(calendar) => format!(
                "it goes {way}; of this time the calendar `{calendar}` is open for {open}: open it for \
                 longer, let it be closed for less, or let the spans count around the clock"
            ),
            None => format!("it goes {way}: shorten the spans or the ladder"),
        });
    }
    for site in sites.take(MAX_ALSO) {
        diagnostic.also(site, "and here");
    }
    diagnostic
}

fn hours(seconds: i64) -> String {
    match seconds / 3600 {
        0 => format!("{} min", seconds / 60),
        hours => format!("{hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::kit::{check_files, states, with_calendars};

    fn directory(hours: &str) -> String {
        with_calendars(&[format!("office: {{ time-zone: Europe/Berlin, {hours} }}")])
    }

    fn workflow(body: &str) -> String {
        let text = states("fault", body);
        text.replacen(
            "workflow: fault\n",
            "workflow: fault\ncalendar: office\n",
            1,
        )
    }

    const MINUTE: &str = "hours: { mon: \"09:00-09:01\" }";
    const OFFICE: &str = "hours: { mon-fri: \"09:00-17:00\" }";

    /// Two hours and ten minutes take 130 weeks.
    #[test]
    fn a_minute_a_week() {
        let text = workflow(
            "
  new: { NEXT { go: then } }
  then: { LEAD { go: done }, after: { 5 min: new2 } }
  new2: { LEAD { go: done } }
  done: { end: done }
",
        );
        let found = "long-silence `then` `then` may be silent for 910 days + `new` + `new2` (a ticket that \
             comes here on Mon 2026-05-04 09:00 (Europe/Berlin) waits for so long, if nobody acts)";
        check_files(&[&text, &directory(MINUTE)], &[found]);
        check_files(&[&text, &directory(OFFICE)], &[]);
    }

    #[test]
    fn closed_for_years_within_the_proved_one() {
        let text = workflow("  new: { NEXT { go: done } }\n  done: { end: done }\n");
        let years = "holidays: [2026-06-01..2027-05-31, 2027-06-01..2028-05-31]";
        let found = "long-silence `new` `new` may be silent for 733 days";
        check_files(
            &[&text, &directory(&format!("{OFFICE}, {years}"))],
            &[found],
        );
        let summer = "holidays: [2026-07-01..2026-08-31]";
        check_files(&[&text, &directory(&format!("{OFFICE}, {summer}"))], &[]);
    }

    /// What the author has said of an end counts, and what a calendar makes of it does not.
    #[test]
    fn ends_that_silence_may_lead_to() {
        let text = |span: &str| {
            workflow(&format!(
                "
  new: {{ assign: next in desk, actions: {{ go: done }}, after: {{ {span}: done }} }}
  done: {{ end: done, by-silence: allowed }}
"
            ))
        };
        let half_a_year = text("180 days around the clock");
        check_files(&[&half_a_year, &directory(OFFICE)], &[]);
        let found = "long-silence `new` `new` may be silent for 140 days";
        check_files(&[&text("20 min"), &directory(MINUTE)], &[found]);
    }

    #[test]
    fn ladders_without_a_calendar() {
        let climb = "ladders:\n  climb: [{ after: 60 days, assign: manager of desk }]\n";
        let body = "start: new\nstates:\n  new: { assign: next in desk, escalate: climb, ";
        let body = format!("{body}actions: {{ go: done }} }}\n");
        let text = format!("workflow: fault\n{climb}{body}  done: {{ end: done }}\n");
        let found = "long-silence `new` `new` may be silent for 120 days (a ticket that comes here on Mon \
             2026-03-02 08:00 (UTC) waits for so long, if nobody acts)";
        check_files(&[&text, &directory(OFFICE)], &[found]);
    }
}
