//! An explanation as lines for people.

use jiff::SignedDuration;
use upline_core::ticket::PromiseState;

use super::{Explanation, PromiseStanding, Running, Standing};
use crate::render::{
    Language, Next, Times, calendar_words, duration, next_words, reach_words, reason_words,
};
use crate::timeline::{NotAsked, Rung};

impl Explanation {
    /// What stands above the lines: which ticket, and for when.
    pub fn head(&self, times: &Times, language: Language) -> String {
        let (id, workflow, version) = (&self.ticket, &self.workflow, self.version);
        let zone = times.zone().iana_name().unwrap_or("UTC");
        let at = Times::new(times.zone().clone(), language).stamp(self.now);
        match language {
            Language::English => {
                format!("ticket {id}, {workflow} version {version}, as of {at} {zone}")
            }
            Language::Chinese => {
                format!("工单 {id}，{workflow} 第 {version} 版，截至 {at} {zone}")
            }
        }
    }

    /// The explanation as lines. Times are those that a reader understands at the time of asking.
    pub fn lines(&self, times: &Times, language: Language) -> Vec<String> {
        let words = Words {
            explanation: self,
            times,
            language,
        };
        let mut lines = Vec::new();
        if let Some(outcome) = &self.outcome {
            let at = self.ended.map(|at| words.time(at)).unwrap_or_default();
            lines.push(words.pick(
                format!("ended: {outcome}, {at}"),
                format!("结束：{outcome}，{at}"),
            ));
        }
        if let Some(why) = &self.set_aside {
            lines.push(words.pick(
                format!("set aside, and no engine moves it until an operator has looked: {why}"),
                format!("已搁置，运维人员查看之前引擎不会推动它：{why}"),
            ));
        }
        for standing in &self.positions {
            words.standing(standing, &mut lines);
        }
        for promise in &self.promises {
            lines.push(words.promise(promise));
        }
        lines
    }

    /// Has the reasons in this language, for a program that shows them as they stand; in English they are so
    /// already, with times in UTC.
    pub fn reasons_in(&mut self, times: &Times, language: Language) {
        if language == Language::English {
            return;
        }
        let now = self.now;
        for standing in &mut self.positions {
            for one in &mut standing.not_asked {
                one.reason = reason_words(&one.why, language, &|at| times.around(now, at));
            }
            let stretches = standing
                .clocks
                .iter_mut()
                .flat_map(|clock| &mut clock.ledger);
            for stretch in stretches {
                stretch.why = calendar_words(&stretch.reason, language);
            }
        }
    }
}

struct Words<'a> {
    explanation: &'a Explanation,
    times: &'a Times,
    language: Language,
}

impl Words<'_> {
    fn pick(&self, english: String, chinese: String) -> String {
        match self.language {
            Language::English => english,
            Language::Chinese => chinese,
        }
    }

    fn time(&self, at: jiff::Timestamp) -> String {
        self.times.around(self.explanation.now, at)
    }

    fn standing(&self, standing: &Standing, lines: &mut Vec<String>) {
        let Standing {
            branch,
            state,
            answerable,
            ..
        } = standing;
        let place = match branch.is_empty() {
            true => state.to_string(),
            false => format!("{branch}: {state}"),
        };
        let since = self.time(standing.since);
        lines.push(self.pick(
            format!("{place}: {answerable} is answerable since {since}"),
            format!("{place}：{answerable} 负责，自 {since}"),
        ));
        lines.push(self.why(standing));
        for NotAsked { who, why, .. } in &standing.not_asked {
            let reason = reason_words(why, self.language, &|at| self.time(at));
            lines.push(self.pick(
                format!("  not {who}: {reason}"),
                format!("  未选 {who}：{reason}"),
            ));
        }
        if let Some(until) = standing.suspended {
            let until = self.time(until);
            lines.push(self.pick(
                format!("  suspended until {until}"),
                format!("  暂停至 {until}"),
            ));
        }
        // No clock of it fires: to tell what one would do would be to promise it.
        if self.explanation.set_aside.is_some() {
            return;
        }
        for clock in &standing.clocks {
            self.clock(clock, lines);
        }
    }

    fn why(&self, standing: &Standing) -> String {
        let rung = match standing.rung {
            Rung::Entry => String::new(),
            Rung::Level(number) => {
                self.pick(format!("level {number}, "), format!("第 {number} 级，"))
            }
            Rung::LastResort => {
                return self.pick(
                    "  because: the last resort".to_owned(),
                    "  原因：最终负责人".to_owned(),
                );
            }
        };
        let rule = &standing.rule;
        let place = match standing.place.line {
            0 => String::new(),
            _ => self.pick(
                format!(" ({})", standing.place),
                format!("（{}）", standing.place),
            ),
        };
        self.pick(
            format!("  because: {rung}{rule}{place}"),
            format!("  原因：{rung}{rule}{place}"),
        )
    }

    fn clock(&self, clock: &Running, lines: &mut Vec<String>) {
        let next = match (&clock.next, &clock.by) {
            (
                Next::Reach {
                    person,
                    unless_acted,
                },
                Some(by),
            ) => reach_words(person, by, *unless_acted, self.language),
            (next, _) => next_words(next, self.language),
        };
        let due = self.time(clock.due);
        let left = clock.due.duration_since(self.explanation.now);
        let left = match (left > SignedDuration::ZERO, clock.overdue) {
            (true, _) => {
                let left = duration(left.as_secs(), self.language);
                self.pick(format!(" ({left} left)"), format!("（还有 {left}）"))
            }
            (false, true) => self.pick(
                " (overdue: it fires as soon as an engine runs)".to_owned(),
                "（已过期：引擎一运行就会触发）".to_owned(),
            ),
            (false, false) => String::new(),
        };
        lines.push(self.pick(
            format!("  if nobody acts: {next}, {due}{left}"),
            format!("  若无人处理：{next}，{due}{left}"),
        ));
        let Some(calendar) = &clock.calendar else {
            return;
        };
        let span = clock.span.as_deref().unwrap_or_default();
        let armed = self.time(clock.armed);
        lines.push(self.pick(
            format!("    {span} in {calendar} since {armed}"),
            format!("    {calendar} 内 {span}，自 {armed}"),
        ));
        for stretch in &clock.ledger {
            let long = stretch.to.duration_since(stretch.from).as_secs();
            let long = duration(long, self.language);
            let (from, to) = (self.time(stretch.from), self.time(stretch.to));
            let counts = match stretch.counted {
                true => self.pick(format!("{long} counted"), format!("计 {long}")),
                false => {
                    let why = calendar_words(&stretch.reason, self.language);
                    self.pick(format!("not counted, {why}"), format!("不计，{why}"))
                }
            };
            lines.push(format!("    {from} – {to}  {counts}"));
        }
    }

    fn promise(&self, promise: &PromiseStanding) -> String {
        let name = &promise.promise;
        let budget = duration(promise.budget, self.language);
        let used = duration(promise.consumed, self.language);
        let due = promise.due.map(|due| self.time(due)).unwrap_or_default();
        let state = match (promise.breached, promise.state, promise.due) {
            (Some(at), _, _) => {
                let at = self.time(at);
                self.pick(format!("broken {at}"), format!("{at} 违约"))
            }
            (None, PromiseState::Met, _) => {
                self.pick(format!("met, {used} used"), format!("达成，用时 {used}"))
            }
            (None, PromiseState::Paused, _) => {
                self.pick(format!("paused, {used} used"), format!("暂停，已用 {used}"))
            }
            (None, PromiseState::Running, Some(at)) if at < self.explanation.now => {
                self.pick(format!("overdue since {due}"), format!("自 {due} 起已过期"))
            }
            (None, PromiseState::Running, _) => {
                self.pick(format!("due {due}"), format!("期限 {due}"))
            }
        };
        self.pick(
            format!("promise {name}: {budget}, {state}"),
            format!("承诺 {name}：{budget}，{state}"),
        )
    }
}
