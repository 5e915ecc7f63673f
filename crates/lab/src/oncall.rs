//! Who is on call: at an instant, from then on, and when nobody is.
//!
//! A ladder asks groups, or whoever a schedule has on duty; so these are the teams that are told. What holds
//! for one ticket only (its load, skills, who has had it) is for [`explain`](crate::explain) to say.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use upline_core::schedule::{Team, uncovered};
use upline_core::{Calendar, Directory, Group, Name, Schedule};

/// Most changes that are listed of one team.
pub const MAX_CHANGES: usize = 1_000;

/// How far the next change is looked for: a year with every holiday.
const LOOKED_AHEAD: SignedDuration = SignedDuration::from_hours(366 * 24);

/// Who is on call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct OnCall {
    /// The instant that it is for.
    pub at: Timestamp,
    /// How far changes and gaps were looked for; the instant itself if they were not asked for.
    pub to: Timestamp,
    /// The groups, by name, and then the schedules that no group has.
    pub teams: Vec<TeamOnCall>,
    /// Answerable for whatever nobody else takes.
    pub last_resort: Someone,
}

/// A group, or a schedule that no group has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct TeamOnCall {
    /// The group's name, or the schedule's.
    pub team: Name,
    /// By which schedule its people are on duty; `None`: all of them always are.
    pub schedule: Option<Name>,
    /// The schedule's time zone, such as `Asia/Shanghai`.
    pub zone: Option<String>,
    /// Who is on duty, in the order of the schedule or else of the group.
    pub on_duty: Vec<Someone>,
    /// When that changes next.
    pub until: Option<Timestamp>,
    /// Who is on duty from then on; empty if nobody is, or if nothing changes.
    pub then: Vec<Someone>,
    /// Answerable while the group is offered a ticket.
    pub lead: Option<Someone>,
    /// The next level up.
    pub manager: Option<Someone>,
    /// The changes until [`OnCall::to`], at most [`MAX_CHANGES`].
    pub changes: Vec<Change>,
    /// Time until [`OnCall::to`] in which nobody is there: on duty, and present or represented.
    pub gaps: Vec<Gap>,
}

/// Somebody, and who has his tickets while he is away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Someone {
    /// The id.
    pub person: Name,
    /// The name for people.
    pub name: String,
    /// Until when he is away, if he is.
    pub away_until: Option<Timestamp>,
    /// Who stands in for him then; `None`: nobody.
    pub stand_in: Option<Name>,
}

/// Somebody comes on duty, or goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Change {
    /// When.
    pub at: Timestamp,
    /// Who is on duty from then on, in order; empty if nobody is.
    pub on_duty: Vec<Someone>,
}

/// Time in which nobody is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub to: Timestamp,
}

impl OnCall {
    /// Who is on call at `at`, with the changes and gaps before `to`. With a calendar, a gap counts only
    /// within its open time.
    #[must_use]
    pub fn of(
        directory: &Directory,
        at: Timestamp,
        to: Timestamp,
        calendar: Option<&Calendar>,
    ) -> Self {
        // Nobody comes on duty between two seconds, and such times are told to people.
        let whole = |at: Timestamp| Timestamp::from_second(at.as_second()).unwrap_or(at);
        let (at, to) = (whole(at), whole(to));
        let asked = Asked {
            directory,
            at,
            to,
            calendar,
        };
        let groups = directory.groups.values();
        let teams = groups.map(|group| asked.of_group(group));
        let taken = |schedule: &&Schedule| {
            let mut groups = directory.groups.values();
            groups.any(|group| group.schedule.as_ref() == Some(schedule.name()))
        };
        let alone = directory.schedules.values().filter(|one| !taken(one));
        let alone = alone.map(|schedule| asked.of_team(schedule.name(), Team::on_call(schedule)));
        Self {
            at,
            to,
            teams: teams.chain(alone).collect(),
            last_resort: someone(directory, &directory.last_resort, at),
        }
    }

    /// Only the team of this name. Whether there is one.
    pub fn only(&mut self, team: &str) -> bool {
        self.teams.retain(|one| one.team == *team);
        !self.teams.is_empty()
    }
}

/// What is asked for.
#[derive(Clone, Copy)]
struct Asked<'a> {
    directory: &'a Directory,
    at: Timestamp,
    to: Timestamp,
    calendar: Option<&'a Calendar>,
}

impl Asked<'_> {
    fn of_group(self, group: &Group) -> TeamOnCall {
        let leader = |who: &Option<Name>| {
            who.as_ref()
                .map(|who| someone(self.directory, who, self.at))
        };
        let team = Team::of_group(self.directory, group);
        TeamOnCall {
            lead: leader(&group.lead),
            manager: leader(&group.manager),
            ..self.of_team(&group.id, team)
        }
    }

    fn of_team(self, name: &Name, team: Team<'_>) -> TeamOnCall {
        let Self { at, to, .. } = self;
        let everybody = |who: &[Name], at| {
            let of_team = |who: &&Name| team.members.is_none_or(|members| members.contains(who));
            let who = who.iter().filter(of_team);
            who.map(|who| someone(self.directory, who, at)).collect()
        };
        let mut found = TeamOnCall {
            team: name.clone(),
            schedule: None,
            zone: None,
            on_duty: everybody(team.members.unwrap_or_default(), at),
            until: None,
            then: Vec::new(),
            lead: None,
            manager: None,
            changes: Vec::new(),
            gaps: Vec::new(),
        };
        if to > at {
            let gaps = uncovered(self.directory, team, self.calendar, at, to).into_iter();
            found.gaps = gaps.map(|(from, to)| Gap { from, to }).collect();
        }
        let Some(schedule) = team.schedule else {
            return found;
        };
        found.schedule = Some(schedule.name().clone());
        found.zone = schedule.parts().zone.iana_name().map(str::to_owned);
        found.on_duty = everybody(&schedule.on_duty(at), at);
        let mut before = found.on_duty.clone();
        let far = at
            .saturating_add(LOOKED_AHEAD)
            .unwrap_or(Timestamp::MAX)
            .max(to);
        let changes = schedule.handoffs(at, far).filter_map(|handoff| {
            let on_duty: Vec<Someone> = everybody(&handoff.on_duty, handoff.at);
            // The schedule may know people who are not of the group.
            let is_change = handoff.at > at && ids(&on_duty).ne(ids(&before));
            before.clone_from(&on_duty);
            is_change.then_some(Change {
                at: handoff.at,
                on_duty,
            })
        });
        let mut changes = changes.take(MAX_CHANGES).peekable();
        if let Some(next) = changes.peek() {
            found.until = Some(next.at);
            found.then.clone_from(&next.on_duty);
        }
        found.changes = changes.take_while(|change| change.at < to).collect();
        found
    }
}

fn ids(people: &[Someone]) -> impl Iterator<Item = &Name> {
    people.iter().map(|one| &one.person)
}

fn someone(directory: &Directory, who: &Name, at: Timestamp) -> Someone {
    let name = directory.people.get(who).map(|person| person.name.clone());
    let absence = directory.absence(who, at);
    let stand_in = absence.and_then(|_| directory.stand_in(who, at));
    Someone {
        person: who.clone(),
        name: name.unwrap_or_else(|| who.to_string()),
        away_until: absence.map(|absence| absence.to),
        stand_in: stand_in.cloned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::at;

    const DESK: &str = r#"
directory: on-call
last-resort: user max
people:
  ann: { name: Ann, mail: ann@example.com }
  bob: { name: Bob, mail: bob@example.com }
  eve: { name: Eve, mail: eve@example.com }
  max: { name: Max, mail: max@example.com }
groups:
  all: { members: [ann, bob, eve] }
  desk: { members: [ann, bob], lead: ann, manager: max, schedule: shifts }
calendars:
  office: { time-zone: Europe/Berlin, hours: { mon-fri: "08:00-17:00" } }
schedules:
  shifts:
    time-zone: Europe/Berlin
    shifts:
      - { days: mon-fri, hours: "09:00-17:00", members: [ann, eve, bob] }
      - { days: mon-fri, hours: "17:00-20:00", members: [eve] }
  duty:
    time-zone: Europe/Berlin
    rotation: { every: 1 week, from: "2026-03-02 09:00", members: [ann, bob] }
    overrides:
      - { from: "2026-03-08 00:00", to: "2026-03-08 12:00", on-call: max, instead-of: ann }
absences:
  - { who: ann, from: "2026-03-06 12:00", to: "2026-03-09 09:00", deputy: eve }
"#;

    fn directory() -> Directory {
        let loaded = upline_dsl::load([("directory.yaml", DESK)]);
        assert!(loaded.found.is_empty(), "{:?}", loaded.found);
        loaded.directory.unwrap().value
    }

    fn people(all: &[Someone]) -> Vec<&str> {
        ids_of(all).collect()
    }

    fn ids_of(all: &[Someone]) -> impl Iterator<Item = &str> {
        ids(all).map(Name::as_str)
    }

    #[test]
    fn each_team_tells_who_is_on_duty_until_when_and_who_is_then() {
        let now = at("2026-03-06T14:00:00.25Z");
        let found = OnCall::of(&directory(), now, now, None);
        let teams: Vec<&str> = found.teams.iter().map(|team| team.team.as_str()).collect();
        assert_eq!(teams, ["all", "desk", "duty"]);
        let [all, desk, duty] = &found.teams[..] else {
            panic!("three")
        };
        assert_eq!(people(&all.on_duty), ["ann", "bob", "eve"]);
        assert_eq!((all.until, &all.schedule, &all.lead), (None, &None, &None));
        // Eve is on shift, and not of the desk; that she goes on alone changes nothing of it.
        assert_eq!(people(&desk.on_duty), ["ann", "bob"]);
        assert_eq!(desk.zone.as_deref(), Some("Europe/Berlin"));
        assert_eq!(desk.until, Some(at("2026-03-06T16:00:00Z")));
        assert_eq!(people(&desk.then), [""; 0]);
        let ann = desk.lead.as_ref().unwrap();
        assert_eq!(ann.away_until, Some(at("2026-03-09T08:00:00Z")));
        assert_eq!(ann.stand_in.as_deref(), Some("eve"));
        assert_eq!(desk.manager.as_ref().unwrap().away_until, None);
        assert_eq!(people(&duty.on_duty), ["ann"]);
        assert_eq!(duty.until, Some(at("2026-03-07T23:00:00Z")));
        assert_eq!(people(&duty.then), ["max"]);
        assert_eq!(found.last_resort.name, "Max");
        assert_eq!(
            (found.at, found.to),
            (at("2026-03-06T14:00:00Z"), at("2026-03-06T14:00:00Z"))
        );
        assert!(
            found
                .teams
                .iter()
                .all(|team| team.changes.is_empty() && team.gaps.is_empty())
        );
    }

    #[test]
    fn changes_and_gaps_are_those_before_the_end() {
        let from = at("2026-03-06T14:00:00Z");
        let mut found = OnCall::of(&directory(), from, at("2026-03-10T00:00:00Z"), None);
        assert!(found.only("desk"));
        let desk = &found.teams[0];
        let times: Vec<String> = desk.changes.iter().map(|one| one.at.to_string()).collect();
        let expected = [
            "2026-03-06T16:00:00Z",
            "2026-03-09T08:00:00Z",
            "2026-03-09T16:00:00Z",
        ];
        assert_eq!(times, expected);
        assert_eq!(people(&desk.changes[1].on_duty), ["ann", "bob"]);
        let gaps: Vec<(Timestamp, Timestamp)> =
            desk.gaps.iter().map(|gap| (gap.from, gap.to)).collect();
        let night = (at("2026-03-09T16:00:00Z"), at("2026-03-10T00:00:00Z"));
        let weekend = (at("2026-03-06T16:00:00Z"), at("2026-03-09T08:00:00Z"));
        assert_eq!(gaps, [weekend, night]);
        assert!(!found.only("nobody"));

        // With a calendar only that hour of Monday in which the office is open and nobody is there.
        let directory = directory();
        let office = directory.calendars.get("office");
        let found = OnCall::of(&directory, from, at("2026-03-10T00:00:00Z"), office);
        let gaps = &found.teams[1].gaps;
        let hour = Gap {
            from: at("2026-03-09T07:00:00Z"),
            to: at("2026-03-09T08:00:00Z"),
        };
        assert_eq!(gaps, &[hour]);
    }
}
