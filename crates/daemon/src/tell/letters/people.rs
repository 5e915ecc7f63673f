//! People and phrases in words.

use jiff::Timestamp;
use upline::core::{Action, Base, Directory, Level, Name, Position, Ticket, Who, Workflow};

use super::clean;
use crate::tell::Language;

/// Longest name of anybody or anything in a letter, in characters.
const MAX_NAME: usize = 80;

/// Where names and phrases come from.
#[derive(Clone, Copy)]
pub(super) struct People<'a> {
    pub(super) ticket: &'a Ticket,
    pub(super) workflow: &'a Workflow,
    pub(super) directory: &'a Directory,
    pub(super) language: Language,
}

/// One line of a name.
pub(super) fn short(text: &str) -> String {
    clean::clip(&clean::line(text), MAX_NAME)
}

impl People<'_> {
    /// A person's name, or his id if he has none or has gone.
    pub(super) fn name(&self, person: &str) -> String {
        let known = self.directory.people.get(person);
        let name = known.map_or(person, |known| known.name.as_str());
        short(if name.is_empty() { person } else { name })
    }

    /// Whom a phrase means at that time, by name where it can mean one person only: `Lea Novak (the lead of
    /// service-desk)`. Else the phrase in words: who of a group will be asked is decided then.
    pub(super) fn whom(&self, who: &Who, position: &Position, at: Timestamp) -> String {
        let words = self.phrase(who);
        match self.only_one(who, position, at) {
            Some(person) if matches!(who.base, Base::User(_)) => self.name(&person),
            Some(person) => self.also(&self.name(&person), &words),
            None => words,
        }
    }

    /// A name, and what else it is.
    fn also(&self, name: &str, words: &str) -> String {
        match self.language {
            Language::En => format!("{name} ({words})"),
            Language::Zh => format!("{name}（{words}）"),
        }
    }

    /// The one person whom a rule of the position's ladder can mean at that time; see
    /// [`People::only_one`].
    pub(super) fn of_rule(&self, rule: &str, position: &Position, at: Timestamp) -> Option<Name> {
        let ladder = self.workflow.ladders.get(position.ladder.as_ref()?)?;
        let mut rules = ladder
            .levels
            .iter()
            .filter_map(|level| level.assign.as_ref());
        let assign = rules.find(|assign| assign.text == *rule)?;
        self.only_one(&assign.who, position, at)
    }

    /// The one person whom the phrase can mean. `None`: several, nobody, or somebody whom it leaves out.
    fn only_one(&self, who: &Who, position: &Position, at: Timestamp) -> Option<Name> {
        let found = self.one(&who.base, position, at)?;
        let person = self.directory.stand_in(&found, at)?;
        let known = self.directory.people.get(person)?;
        let excluded = |base: &Base| match base.group() {
            Some(_) if !matches!(base, Base::LeadOf(_) | Base::ManagerOf(_)) => true,
            _ => self.one(base, position, at).as_ref() == Some(person),
        };
        let skilled = who.skills.iter().all(|skill| known.skills.contains(skill));
        let left_out = who.except.iter().any(excluded) || position.unreachable.contains(person);
        (skilled && !left_out).then(|| person.clone())
    }

    fn one(&self, base: &Base, position: &Position, at: Timestamp) -> Option<Name> {
        let group = |name: &Name| self.directory.groups.get(name);
        match base {
            Base::User(person) => Some(person.clone()),
            Base::Assignee => position.holder.answerable().cloned(),
            Base::Opener => self.ticket.opener.person().cloned(),
            Base::WhoDid(action) => self.ticket.did.get(action).cloned(),
            Base::Named(field) => self.ticket.named(field).map(Name::new),
            Base::LeadOf(name) => group(name)?.lead.clone(),
            Base::ManagerOf(name) => group(name)?.manager.clone(),
            Base::OnCall(name) => self.directory.schedules.get(name)?.on_call(at),
            Base::Contact(_)
            | Base::AnyoneIn(_)
            | Base::LeastBusy(_)
            | Base::LongestIdle(_)
            | Base::NextIn(_)
            | Base::AnotherIn(_) => None,
        }
    }

    /// A phrase in words.
    pub(super) fn phrase(&self, who: &Who) -> String {
        let mut words = self.base(&who.base);
        for skill in &who.skills {
            words.push_str(&match self.language {
                Language::En => format!(" with skill {skill}"),
                Language::Zh => format!("（具备 {skill}）"),
            });
        }
        for base in &who.except {
            let base = self.base(base);
            words.push_str(&match self.language {
                Language::En => format!(" but not {base}"),
                Language::Zh => format!("（{base}除外）"),
            });
        }
        if let Some(otherwise) = &who.otherwise {
            let otherwise = self.phrase(otherwise);
            words.push_str(&match self.language {
                Language::En => format!(", else {otherwise}"),
                Language::Zh => format!("，否则{otherwise}"),
            });
        }
        words
    }

    fn base(&self, base: &Base) -> String {
        match self.language {
            Language::En => match base {
                Base::Assignee => "whoever has it".to_owned(),
                Base::Opener => "whoever opened it".to_owned(),
                Base::Contact(field) | Base::Named(field) => self.field(field),
                Base::User(person) => self.name(person),
                Base::AnyoneIn(group) => format!("anyone in {group}"),
                Base::LeastBusy(group) => format!("the least busy in {group}"),
                Base::LongestIdle(group) => format!("the longest idle in {group}"),
                Base::NextIn(group) => format!("the next in {group}"),
                Base::AnotherIn(group) => format!("another person in {group}"),
                Base::OnCall(schedule) => format!("on call for {schedule}"),
                Base::LeadOf(group) => format!("the lead of {group}"),
                Base::ManagerOf(group) => format!("the manager of {group}"),
                Base::WhoDid(action) => format!("who did “{}”", self.did(action)),
            },
            Language::Zh => match base {
                Base::Assignee => "当前处理人".to_owned(),
                Base::Opener => "建单人".to_owned(),
                Base::Contact(field) | Base::Named(field) => self.field(field),
                Base::User(person) => self.name(person),
                Base::AnyoneIn(group) => format!("{group} 的任一成员"),
                Base::LeastBusy(group) => format!("{group} 中最空闲的人"),
                Base::LongestIdle(group) => format!("{group} 中空闲最久的人"),
                Base::NextIn(group) => format!("{group} 轮到的下一位"),
                Base::AnotherIn(group) => format!("{group} 的另一位同事"),
                Base::OnCall(schedule) => format!("{schedule} 的当值人员"),
                Base::LeadOf(group) => format!("{group} 的负责人"),
                Base::ManagerOf(group) => format!("{group} 的经理"),
                Base::WhoDid(action) => format!("执行“{}”的人", self.did(action)),
            },
        }
    }

    fn field(&self, field: &str) -> String {
        let known = self.workflow.fields.get(field);
        let label = known.map_or("", |known| known.label.text(self.tag()));
        short(if label.is_empty() { field } else { label })
    }

    fn did(&self, action: &str) -> String {
        let states = self.workflow.state_order.iter();
        let mut works = states.filter_map(|state| self.workflow.work(state));
        let found = works.find_map(|work| work.action(action));
        found.map_or_else(|| short(action), |action| self.label(action))
    }

    /// What people see on an action's button.
    pub(super) fn label(&self, action: &Action) -> String {
        let label = action.label.text(self.tag());
        short(if label.is_empty() {
            &action.name
        } else {
            label
        })
    }

    /// The rule by which a position came to whoever has it.
    pub(super) fn rule(&self, position: &Position) -> String {
        let rule = &position.why.rule;
        let ladder = position.ladder.as_ref();
        let ladder = ladder.and_then(|name| self.workflow.ladders.get(name));
        let levels = ladder.into_iter().flat_map(|ladder| &ladder.levels);
        let of_levels = levels.filter_map(|level| level.assign.as_ref());
        let of_state = self.workflow.work(&position.state);
        let of_state = of_state.and_then(|work| work.assign.as_ref());
        let mut phrases = of_state.into_iter().chain(of_levels);
        match phrases.find(|assign| assign.text == *rule) {
            Some(assign) => self.phrase(&assign.who),
            None => self.by_hand(rule),
        }
    }

    fn by_hand(&self, rule: &str) -> String {
        let (en, zh) = match rule {
            "last resort" => ("you are the last resort", "您是最终负责人"),
            "stand-in" => ("you stand in for a colleague", "您代替同事"),
            "claim" => ("you claimed it", "由您认领"),
            "delegate" => ("it was delegated to you", "委托给您"),
            "reassign" => ("it was handed to you", "改派给您"),
            other => return short(other),
        };
        match self.language {
            Language::En => en.to_owned(),
            Language::Zh => zh.to_owned(),
        }
    }

    /// Where on its ladder a position is: `level 2`.
    pub(super) fn rung(&self, level: Level) -> String {
        match (level, self.language) {
            (Level::Entry, _) => String::new(),
            (Level::Number(number), Language::En) => format!("level {number}"),
            (Level::Number(number), Language::Zh) => format!("第 {number} 级"),
            (Level::LastResort, Language::En) => "last resort".to_owned(),
            (Level::LastResort, Language::Zh) => "最终负责人".to_owned(),
        }
    }

    pub(super) fn tag(&self) -> &'static str {
        self.language.tag()
    }
}
