//! `four-eyes`: an action that is for whoever has the ticket, except for who did another one; and at the end
//! of the ladder the last resort has it, who may have done the other one himself. He is never left out, so
//! he keeps it, and nobody can take the action.
//!
//! Not a state that time leaves by itself, and not an action that somebody besides the assignee may take.

use std::collections::BTreeMap;

use upline_core::workflow::{Action, Work};
use upline_core::{Base, Name, Who};

use super::graph::work;
use super::phrases::{Asked, Role, alternatives};
use super::subject::Subject;
use super::team::{Team, Teams};
use crate::{Code, Diagnostic, Found, Severity};

pub(super) fn check(at: &Subject<'_>, found: &mut Found) {
    let Some(directory) = at.directory else {
        return;
    };
    let watched = |asked: &Asked<'_>| matches!(asked.role, Role::By(..)) && excepts(asked.who);
    if !at.phrases.iter().any(watched) {
        return;
    }
    let last = LastResort {
        at,
        teams: Teams::new(directory, at.from),
        person: &directory.last_resort,
    };
    let mut known: BTreeMap<&Name, May> = BTreeMap::new();
    for (number, state) in at.reached() {
        let Some(work) = work(state).filter(|work| !work.escalate.is_empty()) else {
            continue;
        };
        if !work.after.is_empty() {
            continue;
        }
        for action in work.actions.iter().filter(|one| one.message.is_none()) {
            if let Some((done, may)) = last.stuck(action, &mut known) {
                found.add(|| last.diagnostic(number, action, done, may));
            }
        }
    }
}

fn excepts(who: &Who) -> bool {
    let mut except = alternatives(who).flat_map(|who| &who.except);
    except.any(|base| matches!(base, Base::WhoDid(_)))
}

/// Whether the last resort can have taken an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum May {
    /// He can't.
    No,
    /// He, or others.
    Perhaps,
    /// Nobody else can.
    Only,
}

struct LastResort<'s, 'a> {
    at: &'s Subject<'a>,
    teams: Teams<'a>,
    person: &'a Name,
}

impl<'a> LastResort<'_, 'a> {
    /// The action that he has done if nobody can take this one; if there is such an action.
    fn stuck(
        &self,
        action: &'a Action,
        known: &mut BTreeMap<&'a Name, May>,
    ) -> Option<(&'a Name, May)> {
        let mut worst: Option<(&Name, May)> = None;
        for who in action.by.iter().flat_map(alternatives) {
            let alone = self.alone(who)?;
            let done = who.except.iter().filter_map(|base| match base {
                Base::WhoDid(done) => Some(done),
                _ => None,
            });
            let may = done.map(|done| {
                let may = known.entry(done).or_insert_with(|| self.may_do(done));
                (done, (*may).min(alone))
            });
            let (done, may) = may.max_by_key(|(_, may)| *may)?;
            if may == May::No {
                return None;
            }
            if worst.is_none_or(|(_, known)| may < known) {
                worst = Some((done, may));
            }
        }
        worst
    }

    /// Whether the phrase means nobody else while he has the ticket: perhaps, or ever. `None`: it may.
    fn alone(&self, who: &'a Who) -> Option<May> {
        match (&who.base, self.teams.of(&who.base)) {
            (Base::Assignee, _) => Some(May::Perhaps),
            (_, Team::Anybody) => None,
            (_, Team::These(people)) => {
                let mut others = people
                    .into_iter()
                    .filter_map(|person| self.teams.stands_for(who, person));
                others
                    .all(|other| other == self.person)
                    .then_some(May::Only)
            }
        }
    }

    /// Whether he can have taken the action.
    fn may_do(&self, name: &Name) -> May {
        let mut may = May::No;
        let mut others = false;
        for (_, state) in self.at.reached() {
            let Some((work, action)) =
                work(state).and_then(|work| Some((work, work.action(name)?)))
            else {
                continue;
            };
            // Machines are nobody.
            if action.by.is_empty() && work.doing.is_some() {
                others = true;
                continue;
            }
            let holder = Who::from(Base::Assignee);
            let by = match action.by.as_slice() {
                [] => std::slice::from_ref(&holder),
                by => by,
            };
            for who in by.iter().flat_map(alternatives) {
                let he = self.may_be(work, who);
                others |= !matches!(&who.base, Base::User(user) if user == self.person);
                if he {
                    may = May::Perhaps;
                }
            }
        }
        match (may, others) {
            (May::Perhaps, false) => May::Only,
            (may, _) => may,
        }
    }

    /// Whether the phrase, as the `by` of an action here, can mean him.
    fn may_be(&self, work: &Work, who: &Who) -> bool {
        if who
            .except
            .iter()
            .any(|base| self.teams.is_always(base, self.person))
        {
            return false;
        }
        match &who.base {
            Base::Contact(_) => false,
            Base::Assignee => {
                let assigned = work.assign.iter();
                let mut assigned = assigned.flat_map(|assign| alternatives(&assign.who));
                !work.escalate.is_empty()
                    || work.assign.is_none()
                    || assigned.any(|who| self.teams.may_mean(&who.base, self.person))
            }
            base => self.teams.may_mean(base, self.person),
        }
    }

    fn diagnostic(&self, state: usize, action: &'a Action, done: &Name, may: May) -> Diagnostic {
        let Self { at, person, .. } = self;
        let name = &action.name;
        let asked = Asked {
            who: &action.by[0],
            role: Role::By(state, name, 0),
        };
        let message = match may {
            May::Only => {
                format!("nobody can ever take `{name}`: only `{person}` can have done `{done}`")
            }
            _ => {
                format!("if the last resort `{person}` has done `{done}`, nobody can take `{name}`")
            }
        };
        let mut diagnostic = Diagnostic::new(Code::FourEyes, at.phrase_at(&asked), message);
        if may == May::Only {
            diagnostic.severity = Severity::Error;
        }
        diagnostic
            .label("at the end of the ladder he has the ticket: the last resort is never left out");
        diagnostic.help(format!(
            "let somebody besides the assignee take it, such as \
             `by: [assignee except who did {done}, lead of GROUP except who did {done}]`; \
             or keep him from `{done}`: `by: assignee except user {person}`"
        ));
        diagnostic
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::kit::{check, fine};

    fn states(propose: &str, agree: &str, rest: &str) -> String {
        format!(
            "
states:
  new: {{ assign: next in desk, escalate: climb, actions: {{ propose: {propose} }} }}
  sign:
    assign: next in desk except who did propose
    escalate: climb
    actions:
      agree: {{ goto: done, by: {agree} }}
      refuse: new
    {rest}
  done: {{ end: done, by-silence: allowed }}
"
        )
    }

    #[test]
    fn the_last_resort_may_have_proposed_it() {
        let stuck = "four-eyes `assignee except who did propose` \
             if the last resort `max` has done `propose`, nobody can take `agree`";
        let assignee = "assignee except who did propose";
        check(&states("sign", assignee, ""), &[stuck]);
        let opener = "{ goto: sign, by: opener }";
        check(&states(opener, assignee, ""), &[stuck]);
        let both = "[assignee except who did propose, manager of desk except who did propose]";
        check(&states("sign", both, ""), &[stuck]);
    }

    #[test]
    fn somebody_else_may_take_it() {
        for by in [
            "[assignee except who did propose, lead of desk except who did propose]",
            "[assignee except who did propose, user max]",
            "next in desk except who did propose",
            "assignee",
            "assignee except user ann",
        ] {
            fine(&states("sign", by, ""));
        }
    }

    #[test]
    fn he_can_not_have_proposed_it_or_time_goes_on() {
        let assignee = "assignee except who did propose";
        fine(&states("{ goto: sign, by: next in desk }", assignee, ""));
        let but = "{ goto: sign, by: assignee except user max }";
        fine(&states(but, assignee, ""));
        fine(&states("sign", assignee, "after: { 1 day: done }"));
    }

    #[test]
    fn nobody_but_him_proposes_and_agrees() {
        check(
            &states(
                "{ goto: sign, by: user max }",
                "user max except who did propose",
                "",
            ),
            &["four-eyes `user max except who did propose` \
                 nobody can ever take `agree`: only `max` can have done `propose`"],
        );
    }
}
