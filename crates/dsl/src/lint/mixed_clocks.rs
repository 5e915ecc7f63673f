//! `mixed-clocks`: the spans of one promise count some in a calendar and some around the clock. When its
//! condition comes to hold or ceases to, the time that is used up is counted anew, in the other way.

use super::subject::Subject;
use crate::{Code, Diagnostic, Found};

pub(super) fn check(at: &Subject<'_>, found: &mut Found) {
    for promise in &at.workflow.promises {
        if promise.calendar.is_none() && at.workflow.calendar.is_none() {
            continue;
        }
        let clock = promise.within.around_the_clock;
        let spans = promise.except.iter().map(|(_, span)| span).enumerate();
        for (number, span) in spans.filter(|(_, span)| span.around_the_clock != clock) {
            found.add(|| {
                let way = |clock| {
                    if clock {
                        "around the clock"
                    } else {
                        "in a calendar"
                    }
                };
                let message = format!(
                    "`{span}` counts {}, and the promise's own `{}` {}",
                    way(span.around_the_clock),
                    promise.within,
                    way(clock)
                );
                let node = at.node(&["promises", &promise.name]);
                let site = node.find(&["except"]).item(number).find(&["within"]).at;
                let mut diagnostic = Diagnostic::new(Code::MixedClocks, site, message);
                diagnostic.label("let both count alike");
                diagnostic.also(node.find(&["within"]).at, "the promise's own span");
                diagnostic
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::kit::{check, fine};

    fn workflow(calendar: &str, within: &str, except: &str) -> String {
        format!(
            "
{calendar}
fields: {{ sort: {{ type: choice, options: [A, B] }} }}
promises:
  soon: {{ within: {within}, except: [{{ when: sort is A, within: {except} }}], met-in: done }}
states:
  new: {{ assign: next in desk, escalate: climb, form: [sort], actions: {{ go: done }} }}
  done: {{ end: done }}
"
        )
    }

    #[test]
    fn both_ways_in_one_promise() {
        let calendar = "calendar: office-hours";
        check(
            &workflow(calendar, "8 h", "4 h around the clock"),
            &[
                "mixed-clocks `4 h around the clock` `4 h around the clock` counts around the clock, \
                 and the promise's own `8 h` in a calendar + `8 h`",
            ],
        );
        fine(&workflow(calendar, "8 h", "4 h"));
        fine(&workflow(
            calendar,
            "8 h around the clock",
            "4 h around the clock",
        ));
        fine(&workflow("", "8 h", "4 h around the clock"));
    }
}
