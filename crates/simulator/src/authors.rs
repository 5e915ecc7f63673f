//! Those who write workflows and directories: valid files of many shapes, from a small grammar.

use crate::plan::Text;
use crate::random::Random;

/// Everybody who may be in a directory, in the order in which they come.
pub const MEMBERS: [&str; 6] = ["ann", "bob", "cem", "dan", "eva", "flo"];
/// The lead and the manager of everybody, who never leave.
pub const LEADS: [&str; 2] = ["lea", "max"];
/// The actions of the workflows, and one that none of them has.
pub const ACTIONS: [&str; 9] = [
    "accept", "done", "back", "check", "ask", "fine", "settle", "refuse", "sing",
];

const SPANS: [&str; 8] = [
    "1 min", "5 min", "15 min", "30 min", "1 h", "2 h", "4 h", "1 day",
];

const SLOW: [&str; 6] = ["30 min", "2 h", "4 h", "8 h", "1 day", "2 days"];

/// Who is in the directory, and who is away.
#[derive(Debug, Clone)]
pub struct Office {
    members: Vec<&'static str>,
    other: Vec<&'static str>,
    lead: &'static str,
    capacity: bool,
    channels: bool,
    shape: u64,
}

impl Office {
    /// A group of one to six, and another one.
    pub fn new(random: &mut Random) -> Self {
        let count = usize::try_from(random.between(1, 6)).unwrap_or(1);
        let split = usize::try_from(random.between(1, count as u64)).unwrap_or(1);
        Self {
            members: MEMBERS[..count].to_vec(),
            other: MEMBERS[count - split..count].to_vec(),
            lead: "lea",
            capacity: random.percent(30),
            channels: random.percent(40),
            shape: random.number(),
        }
    }

    /// The directory as everybody is there.
    pub fn directory(&self) -> Text {
        self.text(&self.members, self.lead, &[])
    }

    /// The directory of another day: some have left, some are away from some hour on.
    pub fn another_day(&self, random: &mut Random, begin: jiff::Timestamp) -> Text {
        let stay = |random: &mut Random| random.percent(65);
        let mut members: Vec<&'static str> = Vec::new();
        for member in &self.members {
            if stay(random) {
                members.push(member);
            }
        }
        if members.is_empty() {
            members.push(self.members[0]);
        }
        let mut absences = Vec::new();
        for member in members.iter().copied().chain(["lea"]) {
            if !random.percent(30) {
                continue;
            }
            let from = i64::try_from(random.below(5 * 24)).unwrap_or(0);
            let to = from + i64::try_from(random.between(1, 96)).unwrap_or(1);
            let hour = |hours: i64| {
                let at = begin.checked_add(jiff::SignedDuration::from_hours(hours));
                let at = at.unwrap_or(begin).to_zoned(jiff::tz::TimeZone::UTC);
                at.strftime("%Y-%m-%d %H:%M").to_string()
            };
            let deputy = match random.percent(50) {
                true => format!(", deputy: {}", random.one(&["max", "lea"])),
                false => String::new(),
            };
            if member == "lea" && deputy.ends_with("lea") {
                continue;
            }
            absences.push(format!(
                "  - {{ who: {member}, from: \"{}\", to: \"{}\"{deputy} }}",
                hour(from),
                hour(to)
            ));
        }
        let lead = match random.percent(20) {
            true => "max",
            false => "lea",
        };
        self.text(&members, lead, &absences)
    }

    /// How some are told; with quiet hours, on one line, since the oracle reads it.
    fn ways(&self) -> &'static str {
        match self.shape / 2 % 6 {
            0 => {
                ", quiet-hours: \"22:00-07:00\", notify: [{ mail: now, quiet: skip }, { webhook: phone, \
                 quiet: only }, { webhook: chat, after: 5 min, unless: acted }]"
            }
            1 => {
                ", quiet-hours: \"08:00-14:00\", notify: [{ mail: now, quiet: skip }, { webhook: phone, \
                 after: 10 min, quiet: only }, { webhook: chat, after: 5 min, unless: acted, quiet: \
                 skip }]"
            }
            2 => {
                ", quiet-hours: \"12:00-06:30\", notify: [{ webhook: phone, after: 10 min, unless: acted, \
                 quiet: skip }, { webhook: chat, after: 1 min, quiet: only }, { mail: 1 h }]"
            }
            _ => ", notify: [{ mail: now }, { webhook: phone, after: 5 min, unless: acted }]",
        }
    }

    fn text(&self, members: &[&str], lead: &str, absences: &[String]) -> Text {
        let mut lines = vec!["directory: acme".to_owned(), "last-resort: user max".into()];
        lines.push("people:".into());
        for person in members.iter().chain(&LEADS) {
            let mut also = String::new();
            if self.capacity && *person != "max" {
                also.push_str(", at-most: 2 tickets");
            }
            if self.channels && person.len() + self.shape as usize % 2 > 2 {
                also.push_str(self.ways());
            }
            lines.push(format!(
                "  {person}: {{ mail: {person}@example.com{also} }}"
            ));
        }
        let other: Vec<&str> = self
            .other
            .iter()
            .filter(|person| members.contains(person))
            .copied()
            .collect();
        let other = if other.is_empty() { members } else { &other };
        lines.push("groups:".into());
        let names = members.join(", ");
        lines.push(format!(
            "  desk: {{ members: [{names}], lead: {lead}, manager: max }}"
        ));
        let names = other.join(", ");
        lines.push(format!(
            "  back: {{ members: [{names}], lead: lea, manager: max }}"
        ));
        lines.push("calendars:".into());
        lines.push("  office:".into());
        lines.push("    time-zone: Europe/Berlin".into());
        lines.push("    hours: { mon-fri: [\"08:00-12:00\", \"13:00-18:00\"] }".into());
        if !absences.is_empty() {
            lines.push("absences:".into());
            lines.extend(absences.iter().cloned());
        }
        lines.push(String::new());
        Text {
            name: "people.yaml".into(),
            text: lines.join("\n"),
        }
    }
}

/// The main workflow and the one that it calls.
pub fn workflows(random: &mut Random, version: u32) -> Vec<Text> {
    let child = random.percent(50);
    let mut texts = vec![call(random, version, child)];
    if child {
        texts.push(inquiry(random, version));
    }
    texts
}

fn who(random: &mut Random) -> &'static str {
    random.one(&[
        "least busy in desk",
        "next in desk",
        "longest idle in desk",
        "anyone in desk",
        "anyone in back",
        "least busy in back",
        "user ann",
        "lead of desk",
    ])
}

fn ladder(random: &mut Random, quiet: bool) -> String {
    let count = random.between(1, 5);
    let mut levels = Vec::new();
    for level in 0..count {
        // The last one is how often the last resort is reminded.
        let after = match level + 1 == count {
            true => random.one(&SLOW),
            false => random.one(&SPANS),
        };
        let around = match after.contains("day") || random.percent(70) {
            true => "",
            false => " around the clock",
        };
        let what = match random.below(if quiet { 6 } else { 5 }) {
            0 | 1 => "assign: another in desk".to_owned(),
            2 => "assign: lead of desk".into(),
            3 => format!("assign: {}", who(random)),
            4 => "assign: manager of desk, notify: [lead of desk]".into(),
            _ => "notify: [assignee]".into(),
        };
        levels.push(format!("      - {{ after: {after}{around}, {what} }}"));
    }
    let mut lines = vec!["    levels:".to_owned()];
    lines.append(&mut levels);
    if random.percent(30) {
        lines.push(format!("    repeat: {}", random.between(1, 2)));
        if random.percent(50) {
            lines.push(format!("    back-to: {}", random.between(1, count)));
        }
    }
    if quiet && random.percent(50) {
        lines.push("    answer-by: 4 h".into());
    }
    lines.join("\n")
}

fn promises(random: &mut Random) -> String {
    if random.percent(40) {
        return String::new();
    }
    let within = random.one(&["10 min", "30 min", "2 h", "8 h"]);
    let warn = match random.percent(70) {
        true => ", warn: { at: 50%, notify: [assignee] }",
        false => "",
    };
    let breach = match random.percent(50) {
        true => "{ notify: [lead of desk] }",
        false => "{ escalate: true, notify: [manager of desk] }",
    };
    let paused = match random.percent(40) {
        true => ", paused-in: checking",
        false => "",
    };
    format!(
        "promises:\n  answer: {{ within: {within}, met-in: working{paused}{warn}, breach: {breach} }}\n"
    )
}

fn after(random: &mut Random, percent: u64, to: &str) -> String {
    match random.percent(percent) {
        true => {
            let span = random.one(&["30 min", "3 h", "1 day", "3 days"]);
            format!("    after: {{ {span}: {to} }}\n")
        }
        false => String::new(),
    }
}

fn call(random: &mut Random, version: u32, child: bool) -> Text {
    let calendar = match random.percent(25) {
        true => "calendar: office\n",
        false => "",
    };
    let catch_up = match random.percent(15) {
        true => "catch-up: from-due\n",
        false => "",
    };
    let promises = promises(random);
    let (climb, quiet) = (ladder(random, false), ladder(random, true));
    let (first, second) = (who(random), random.one(&["who did accept", "opener"]));
    let asked = after(random, 20, "working");
    let working = after(random, 20, "checking");
    let (ask, asking) = match child {
        true => (
            ", ask: { goto: asking }",
            format!(
                "  asking:\n    assign: lead of desk\n    escalate: quiet\n    call: {{ workflow: \
                inquiry, with: \
                 {{ topic: about }} }}\n    actions: {{ settled: {{ goto: working }}, refused: {{ \
                 goto: asked }} \
                 }}\n{}",
                after(random, 30, "working")
            ),
        ),
        false => ("", String::new()),
    };
    let text = format!(
        "workflow: call\nversion: {version}\n{calendar}{catch_up}fields:\n  about: {{ type: text, \
        label: About }}\n\
         {promises}ladders:\n  climb:\n{climb}\n  quiet:\n{quiet}\nstart: \
         asked\nstates:\n  asked:\n    assign: \
         {first}\n    escalate: climb\n    form: [about]\n    actions: {{ accept: {{ goto: working }}, \
         done: {{ \
         goto: closed }} }}\n{asked}  working:\n    assign: {second}, else lead of desk\n    escalate: \
         quiet\n    \
         form: [about]\n    actions: {{ done: {{ goto: closed }}, back: {{ goto: asked }}, check: {{ \
         goto: checking \
         }}{ask} }}\n{working}  checking:\n    assign: next in desk except who did check, else lead of \
         desk\n    \
         escalate: climb\n    actions: {{ fine: {{ goto: closed }}, back: {{ goto: working }} \
         }}\n{asking}  closed: \
         {{ end: done, by-silence: allowed }}\n"
    );
    Text {
        name: "call.yaml".into(),
        text,
    }
}

fn inquiry(random: &mut Random, version: u32) -> Text {
    let (climb, first) = (ladder(random, false), who(random));
    let text = format!(
        "workflow: inquiry\nversion: {version}\nfields:\n  topic: {{ type: text, label: Topic \
        }}\nladders:\n  \
         climb:\n{climb}\nstart: waiting\nstates:\n  waiting:\n    assign: {first}\n    escalate: \
         climb\n    actions: \
         {{ settle: {{ goto: settled }}, refuse: {{ goto: refused }} }}\n{}  settled: {{ end: settled, \
         by-silence: \
         allowed }}\n  refused: {{ end: refused, by-silence: allowed }}\n",
        after(random, 40, "refused")
    );
    Text {
        name: "inquiry.yaml".into(),
        text,
    }
}

/// The smallest office that works: for a plan whose author had no luck.
pub fn plain(version: u32) -> Vec<Text> {
    let text = format!(
        "workflow: call\nversion: {version}\nfields:\n  about: {{ type: text, label: About \
        }}\nladders:\n  climb: [{{ \
         after: 15 min, assign: another in desk }}, {{ after: 30 min, assign: lead of desk }}]\nstart: \
         asked\nstates:\n  asked:\n    assign: least busy in desk\n    escalate: climb\n    form: \
         [about]\n    \
         actions: {{ accept: {{ goto: working }}, done: {{ goto: closed }} }}\n  working:\n    assign: \
         who did accept\n    \
         escalate: climb\n    actions: {{ done: {{ goto: closed }} }}\n  closed: {{ end: done }}\n"
    );
    vec![Text {
        name: "call.yaml".into(),
        text,
    }]
}
