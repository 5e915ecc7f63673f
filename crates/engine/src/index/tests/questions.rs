//! Every question against the plainest answer: looking through all tickets.

use std::collections::BTreeMap;

use upline_core::{Level, Name};

use super::kit::{Bench, Dice, commits};
use crate::index::{
    COMMANDS_MS, Counts, Cursor, Filter, HistoryCursor, Index, IndexError, Page, Standing,
};
use crate::record::{Commit, Entry, Millis, Number, Record};

fn built(seed: u64, steps: u64) -> (Bench, BTreeMap<Number, Record>) {
    let bench = Bench::with(commits(seed, steps));
    bench.index.open(&bench.reader()).unwrap();
    bench.catch_up();
    let model = bench.model(bench.commits.len());
    (bench, model)
}

/// All of a list, in pieces of so many; each cursor by way of its text.
fn whole<T>(limit: usize, piece: impl Fn(Option<&Cursor>, usize) -> Page<T>) -> Vec<T> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = piece(after.as_ref(), limit);
        assert!(page.items.len() <= limit);
        all.extend(page.items);
        after = page.next.map(|next| next.to_string().parse().unwrap());
        if after.is_none() {
            return all;
        }
    }
}

fn listed(index: &Index, filter: &Filter, limit: usize) -> Vec<Number> {
    let all = whole(limit, |after, limit| {
        index.list(filter, after, limit).unwrap()
    });
    all.into_iter().map(|record| record.number).collect()
}

/// When the clock is due that is due first, if it runs.
fn due(record: &Record) -> Option<Millis> {
    let clocks = record.ticket.clocks.iter();
    let due = clocks.map(|clock| clock.due.as_millisecond()).min();
    due.filter(|_| record.ticket.is_open() && record.set_aside.is_none())
}

fn is_wanted(filter: &Filter, record: &Record) -> bool {
    let ticket = &record.ticket;
    let mut states: Vec<&Name> = ticket.positions.values().map(|one| &one.state).collect();
    states.extend(ticket.ended.as_ref().map(|ended| &ended.outcome));
    let time = match (&ticket.ended, filter.standing) {
        (Some(ended), Some(Standing::Ended)) => ended.at.as_millisecond(),
        _ => ticket.opened.as_millisecond(),
    };
    let holds = |person: &Name| ticket.answerable().any(|(_, holder)| holder == person);
    let mut levels = ticket.positions.values().map(|position| position.level);
    let is_at = |level| ticket.is_open() && levels.any(|its| its == level);
    let is_due = |before| due(record).is_some_and(|due| due < before);
    filter
        .workflow
        .as_ref()
        .is_none_or(|wanted| *wanted == ticket.workflow)
        && filter.level.is_none_or(is_at)
        && filter.due_before.is_none_or(is_due)
        && (!filter.due_first || ticket.is_open())
        && filter
            .state
            .as_ref()
            .is_none_or(|wanted| states.contains(&wanted))
        && filter.person.as_ref().is_none_or(holds)
        && filter
            .standing
            .is_none_or(|wanted| (wanted == Standing::Open) == ticket.is_open())
        && filter.from.is_none_or(|from| from <= time)
        && filter.to.is_none_or(|to| time < to)
}

fn some_filter(dice: &mut Dice, model: &BTreeMap<Number, Record>) -> Filter {
    let mut filter = Filter::default();
    let states = [
        "asked",
        "working",
        "apart",
        "ordering",
        "planning",
        "done",
        "cancelled",
    ];
    if dice.roll(2) == 0 {
        filter.workflow = Some((*dice.one_of(&["call", "call", "another"])).into());
    }
    if dice.roll(2) == 0 {
        filter.state = Some((*dice.one_of(&states)).into());
    }
    if dice.roll(3) == 0 {
        filter.person = Some((*dice.one_of(&["ann", "bob", "lea", "max"])).into());
    }
    filter.standing = *dice.one_of(&[None, Some(Standing::Open), Some(Standing::Ended)]);
    let times: Vec<Millis> = model
        .values()
        .flat_map(|record| {
            let ended = record.ticket.ended.as_ref().map(|ended| ended.at);
            [Some(record.ticket.opened), ended]
        })
        .flatten()
        .map(|at| at.as_millisecond())
        .collect();
    if dice.roll(3) == 0 {
        filter.from = Some(*dice.one_of(&times));
    }
    if dice.roll(3) == 0 {
        filter.to = Some(*dice.one_of(&times));
    }
    filter.newest_first = dice.roll(2) == 0;
    filter
}

#[test]
fn every_list_has_what_is_wanted_each_once() {
    let (bench, model) = built(21, 500);
    let mut dice = Dice(5);
    let mut not_empty = 0;
    for round in 0..400 {
        let filter = some_filter(&mut dice, &model);
        let limit = 1 + dice.roll(30) as usize;
        let mut found = listed(&bench.index, &filter, limit);
        let expected = model.values().filter(|record| is_wanted(&filter, record));
        let expected: Vec<Number> = expected.map(|record| record.number).collect();
        not_empty += usize::from(!expected.is_empty());
        let one_range =
            filter.person.is_some() || (filter.workflow.is_none() && filter.standing.is_none());
        if one_range && filter.newest_first {
            found.reverse();
        }
        if !one_range {
            found.sort_unstable();
        }
        assert_eq!(found, expected, "round {round}: {filter:?}");
    }
    assert!(
        not_empty > 150,
        "only {not_empty} lists had anything in them"
    );
}

#[test]
fn what_is_due_first_comes_first_and_what_has_no_clock_last() {
    let (bench, model) = built(21, 500);
    let clocks: Vec<Millis> = model.values().filter_map(due).collect();
    let levels = [Level::Entry, Level::Number(1), Level::Number(2)];
    let mut dice = Dice(6);
    let (mut with, mut without) = (0, 0);
    for round in 0..600 {
        let mut filter = some_filter(&mut dice, &model);
        filter.due_first = dice.roll(3) > 0;
        if dice.roll(2) == 0 {
            filter.due_before = Some(*dice.one_of(&clocks));
        }
        if dice.roll(3) == 0 {
            filter.level = Some(*dice.one_of(&levels));
        }
        if !filter.due_first && filter.due_before.is_none() {
            continue;
        }
        let limit = 1 + dice.roll(30) as usize;
        let found = listed(&bench.index, &filter, limit);
        let place = |number: &Number| (due(&model[number]).unwrap_or(Millis::MAX), *number);
        let (mut running, mut stopped): (Vec<_>, Vec<_>) = model
            .values()
            .filter(|record| is_wanted(&filter, record))
            .map(|record| place(&record.number))
            .partition(|(due, _)| *due < Millis::MAX);
        running.sort_unstable();
        stopped.sort_unstable();
        let mut found: Vec<_> = found.iter().map(place).collect();
        assert_eq!(
            found
                .drain(..running.len().min(found.len()))
                .collect::<Vec<_>>(),
            running
        );
        found.sort_unstable();
        assert_eq!(found, stopped, "round {round}: {filter:?}");
        with += running.len();
        without += stopped.len();
    }
    assert!(
        with > 1_000 && without > 100,
        "{with} with a clock, {without} without"
    );
}

#[test]
fn ended_tickets_come_in_order_of_their_end() {
    let (bench, model) = built(22, 400);
    let filter = Filter {
        standing: Some(Standing::Ended),
        from: Some(0),
        newest_first: true,
        ..Filter::default()
    };
    let ends: Vec<_> = listed(&bench.index, &filter, 7)
        .iter()
        .map(|number| model[number].ticket.ended.as_ref().unwrap().at)
        .collect();
    assert!(ends.len() > 10);
    assert!(
        ends.is_sorted_by(|later, earlier| later >= earlier),
        "{ends:?}"
    );
}

#[test]
fn tickets_are_found_by_id_and_by_another_system_s_key() {
    let (bench, model) = built(23, 500);
    let mut by_id: BTreeMap<&str, Number> = BTreeMap::new();
    let mut by_key: BTreeMap<&str, Vec<Number>> = BTreeMap::new();
    for record in model.values() {
        by_id.insert(&record.ticket.id, record.number);
        if let Some(key) = &record.ticket.key {
            by_key.entry(key).or_default().insert(0, record.number);
        }
    }
    assert!(by_id.keys().any(|id| id.starts_with("own-")));
    for (id, number) in by_id {
        let found = bench.index.find(id).unwrap().unwrap();
        assert_eq!(found, model[&number], "{id}");
    }
    assert!(by_key.values().any(|numbers| numbers.len() > 1));
    for (key, numbers) in by_key {
        let found = whole(1, |after, limit| {
            bench.index.by_key("call", key, after, limit).unwrap()
        });
        let found: Vec<Number> = found.iter().map(|record| record.number).collect();
        assert_eq!(found, numbers, "{key}");
    }
    for nobody in ["", "0", "007", "own-999", "crm/1", "99999999999999999999"] {
        assert_eq!(bench.index.find(nobody).unwrap(), None, "{nobody:?}");
    }
    let none = bench.index.by_key("other", "crm/1", None, 5).unwrap();
    assert_eq!((none.items, none.next), (Vec::new(), None));
}

#[test]
fn counts_clocks_messages_and_what_is_set_aside() {
    let (bench, model) = built(24, 500);
    let mut states: BTreeMap<(Name, Name), u64> = BTreeMap::new();
    let (mut due, mut unsent, mut aside) = (Vec::new(), Vec::new(), Vec::new());
    for record in model.values() {
        let mut names: Vec<&Name> = record
            .ticket
            .positions
            .values()
            .map(|one| &one.state)
            .collect();
        names.dedup();
        for state in names.into_iter().filter(|_| record.ticket.is_open()) {
            *states.entry(("call".into(), state.clone())).or_default() += 1;
        }
        if let Some(clock) = record.ticket.next_due()
            && record.set_aside.is_none()
        {
            due.push((clock.due.as_millisecond(), record.number));
        }
        unsent.extend((!record.unsent.is_empty()).then_some(record.number));
        aside.extend(record.set_aside.as_ref().map(|_| record.number));
    }
    due.sort_unstable();
    let index = &bench.index;
    let Counts { by_state, next, .. } = index.counts(Standing::Open, None, None).unwrap();
    assert_eq!((by_state, next), (states, None));
    let other = index.counts(Standing::Open, Some("other"), None).unwrap();
    assert!(other.by_state.is_empty());
    assert!(due.len() > 5 && !aside.is_empty());
    assert_eq!(
        whole(3, |after, limit| index.due(after, limit).unwrap()),
        due
    );
    assert_eq!(
        whole(3, |after, limit| index.unsent(after, limit).unwrap()),
        unsent
    );
    let found = whole(3, |after, limit| {
        index.set_aside_tickets(after, limit).unwrap()
    });
    assert_eq!(found, aside);
}

#[test]
fn a_history_has_every_entry_the_last_first() {
    let (bench, model) = built(25, 400);
    for number in model.keys() {
        let mut expected = Vec::new();
        for (commit, at) in bench.commits.iter().zip(&bench.at) {
            for entry in &commit.entries {
                let of = match entry {
                    Entry::Moved(moved) => moved.number,
                    Entry::Erased { number, .. }
                    | Entry::SetAside { number, .. }
                    | Entry::Released { number, .. } => *number,
                    Entry::Files(_) => 0,
                };
                if of == *number {
                    expected.insert(0, (*at, commit.at, entry.clone()));
                }
            }
        }
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let reader = bench.reader();
            let piece = bench.index.history(&reader, *number, after, 2).unwrap();
            let steps = piece.steps.into_iter();
            found.extend(steps.map(|step| (step.mark.position.0, step.at, step.entry)));
            let Some(next) = piece.next else { break };
            after = Some(next.to_string().parse::<HistoryCursor>().unwrap());
        }
        // A commit's entries are shown as the journal has them, with the positions that it has.
        let plain = |entry: &Entry| match entry {
            Entry::Moved(moved) => format!("{:?}", (&moved.events, &moved.settled)),
            other => format!("{other:?}"),
        };
        let shown = |all: &[(u64, Millis, Entry)]| -> Vec<_> {
            let all = all.iter();
            all.map(|(at, when, entry)| (*at, *when, plain(entry)))
                .collect()
        };
        assert_eq!(shown(&found), shown(&expected), "ticket {number}");
    }
    let none = bench
        .index
        .history(&bench.reader(), 9_999, None, 5)
        .unwrap();
    assert!(none.steps.is_empty() && none.next.is_none());
}

#[test]
fn commands_are_remembered_for_seven_days() {
    let (mut bench, model) = built(26, 300);
    let last = bench.commits.last().unwrap().at;
    let known = |bench: &Bench, after: Millis| {
        let (mut kept, mut gone) = (0, 0);
        for commit in &bench.commits {
            for entry in &commit.entries {
                if let Entry::Moved(moved) = entry
                    && let Some((id, wish)) = moved.command
                {
                    let found = bench.index.command(&id).unwrap();
                    if commit.at < after {
                        gone += usize::from(found.is_none());
                        continue;
                    }
                    let found = found.unwrap();
                    let revision = moved.revision + moved.events.len() as u64;
                    assert_eq!((found.wish, found.at), (wish, commit.at));
                    assert_eq!((found.number, found.revision), (moved.number, revision));
                    kept += 1;
                }
            }
        }
        (kept, gone)
    };
    let (kept, gone) = known(&bench, 0);
    assert!(kept > 100 && gone == 0);
    assert_eq!(bench.index.command(&[9; 16]).unwrap(), None);
    // Time goes on with nothing but files: what is over is forgotten bit by bit, and the rest stays.
    let middle = bench.commits[bench.commits.len() / 2].at;
    for round in 0..20 {
        bench.append(Commit {
            at: middle + COMMANDS_MS + i64::from(round > 0),
            wall: last,
            entries: vec![Entry::SetAside {
                number: 9_999,
                why: None,
            }],
        });
        bench.catch_up();
    }
    let (kept, gone) = known(&bench, middle + 1);
    assert!(kept > 20 && gone > 20, "{kept} kept, {gone} gone");
    let verified = bench
        .index
        .verify(&bench.reader(), 1_000, &mut |_, _| ())
        .unwrap();
    assert!(verified.is_fine(), "{verified:?}");
    assert_eq!(bench.all(), model);
}

#[test]
fn a_cursor_of_another_list_is_refused() {
    let (bench, _) = built(27, 200);
    let by_number = bench
        .index
        .list(&Filter::default(), None, 1)
        .unwrap()
        .next
        .unwrap();
    let other = Filter {
        person: Some("ann".into()),
        ..Filter::default()
    };
    let refused = bench.index.list(&other, Some(&by_number), 1);
    assert!(matches!(refused, Err(IndexError::Cursor)), "{refused:?}");
    let by_state = Filter::default().standing(Standing::Open);
    let first = bench.index.list(&by_state, None, 1).unwrap().next.unwrap();
    let by_clock = by_state.due_first();
    let refused = bench.index.list(&by_clock, Some(&first), 1);
    assert!(matches!(refused, Err(IndexError::Cursor)), "{refused:?}");
    for text in ["", "7", "zz", "+1+1", "7é"] {
        assert!(text.parse::<Cursor>().is_err(), "{text:?}");
        assert!(
            text == "7" || text.parse::<HistoryCursor>().is_err(),
            "{text:?}"
        );
    }
}

#[test]
fn names_too_long_for_a_key_are_found_by_their_hash() {
    let mut all = commits(28, 60);
    let long: Name = "长".repeat(300).into();
    for commit in &mut all {
        for entry in &mut commit.entries {
            if let Entry::Moved(moved) = entry {
                for event in &mut moved.events {
                    if let upline_core::Fact::Opened { workflow, key, .. } = &mut event.fact {
                        *workflow = long.clone();
                        *key = key.as_ref().map(|key| format!("{key}{long}").into());
                    }
                }
            }
        }
    }
    let bench = Bench::with(all);
    bench.index.open(&bench.reader()).unwrap();
    bench.catch_up();
    let model = bench.model(bench.commits.len());
    assert_eq!(bench.all(), model);
    let counts = bench
        .index
        .counts(Standing::Open, Some(&long), None)
        .unwrap();
    assert!(
        counts
            .by_state
            .keys()
            .all(|(workflow, _)| *workflow == long)
    );
    assert!(!counts.by_state.is_empty());
    let keyed = model
        .values()
        .find(|record| record.ticket.key.is_some())
        .unwrap();
    let key = keyed.ticket.key.as_ref().unwrap();
    let found = bench.index.by_key(&long, key, None, 5).unwrap();
    assert!(found.items.contains(keyed));
}
