//! Times in letters: with weekday, date and offset, in the reader's own zone.

use jiff::Timestamp;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use upline::core::{Directory, Person, Workflow};

use crate::tell::Language;

/// `Fri 2026-03-06 09:40 +08:00`; Chinese: `2026-03-06 周五 09:40 +08:00`.
pub(super) fn instant(at: Timestamp, zone: &TimeZone, language: Language) -> String {
    let local = zone.to_datetime(at);
    let (date, time) = (local.date(), local.time().strftime("%H:%M"));
    let offset = zone.to_offset(at);
    let minutes = offset.seconds() / 60;
    let sign = if minutes < 0 { '-' } else { '+' };
    let minutes = minutes.unsigned_abs();
    let offset = format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60);
    let day = weekday(local.weekday(), language);
    match language {
        Language::En => format!("{day} {date} {time} {offset}"),
        Language::Zh => format!("{date} {day} {time} {offset}"),
    }
}

fn weekday(day: Weekday, language: Language) -> &'static str {
    let index = usize::from(day.to_monday_zero_offset().unsigned_abs());
    let names = match language {
        Language::En => ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
        Language::Zh => ["周一", "周二", "周三", "周四", "周五", "周六", "周日"],
    };
    names[index % names.len()]
}

/// About how long, in one or two units: `30 min`, `2 h 15 min`, `3 days`.
pub(super) fn span(seconds: i64, language: Language) -> String {
    let [s, min, h, days] = match language {
        Language::En => ["s", "min", "h", "days"],
        Language::Zh => ["秒", "分钟", "小时", "天"],
    };
    let seconds = seconds.max(0);
    // Half a minute less is the same to a reader, and a message is some seconds under way.
    let minutes = (seconds + 30) / 60;
    match minutes {
        0 => format!("{seconds} {s}"),
        1..=59 => format!("{minutes} {min}"),
        60..=2879 if minutes % 60 == 0 => format!("{} {h}", minutes / 60),
        60..=2879 => format!("{} {h} {} {min}", minutes / 60, minutes % 60),
        _ => format!("{} {days}", (minutes + 720) / 1440),
    }
}

/// The reader's own zone, else that of the workflow's calendar, else UTC.
pub(super) fn zone(
    person: Option<&Person>,
    workflow: &Workflow,
    directory: &Directory,
) -> TimeZone {
    let own = person.and_then(|person| person.time_zone.as_ref());
    let own = own.and_then(|name| TimeZone::get(name).ok());
    let calendar = workflow.calendar.as_ref();
    let calendar = calendar.and_then(|name| directory.calendars.get(name));
    own.or_else(|| calendar.map(|calendar| calendar.zone().clone()))
        .unwrap_or(TimeZone::UTC)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_has_all_that_a_reader_abroad_needs() {
        let at: Timestamp = "2026-03-06T01:40:00Z".parse().unwrap();
        let shanghai = TimeZone::get("Asia/Shanghai").unwrap();
        assert_eq!(
            instant(at, &shanghai, Language::En),
            "Fri 2026-03-06 09:40 +08:00"
        );
        assert_eq!(
            instant(at, &shanghai, Language::Zh),
            "2026-03-06 周五 09:40 +08:00"
        );
        let newfoundland = TimeZone::get("America/St_Johns").unwrap();
        assert_eq!(
            instant(at, &newfoundland, Language::En),
            "Thu 2026-03-05 22:10 -03:30"
        );
    }

    #[test]
    fn a_span_is_told_in_at_most_two_units() {
        let told = [0, 29, 31, 1795, 3600, 8100, 172_799, 300_000].map(|s| span(s, Language::En));
        let expected = [
            "0 s",
            "29 s",
            "1 min",
            "30 min",
            "1 h",
            "2 h 15 min",
            "2 days",
            "3 days",
        ];
        assert_eq!(told, expected);
        assert_eq!(span(1800, Language::Zh), "30 分钟");
        assert_eq!(span(-5, Language::En), "0 s");
    }
}
