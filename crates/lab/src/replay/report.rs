//! What a replay found, whole: for programs as JSON, for people as tables.

use jiff::tz::TimeZone;
use serde::Serialize;

use super::times::written;
use super::{
    LogFacts, PlayReport, Problems, Spread, StateUse, Stays, Values, in_words, level_in_words,
};

/// Most rows of a table that has one for each bad row, reason or value; the rest is in the JSON.
pub const MAX_SHOWN: usize = 10;

/// What a replay found.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ReplayReport {
    /// What people call the log.
    pub log: String,
    /// What the log says of itself.
    pub facts: LogFacts,
    /// What in it is not as the mapping says.
    pub problems: Problems,
    /// What the workflow would have made of it; `None` if it was only counted.
    pub play: Option<PlayReport>,
}

/// A table for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// What it shows.
    pub title: String,
    /// Its columns' heads; all empty for names and values.
    pub head: Vec<&'static str>,
    /// Its rows, each as long as the head.
    pub rows: Vec<Vec<String>>,
    /// Columns of numbers, from 0: they are aligned to the right.
    pub right: Vec<usize>,
}

impl Table {
    fn new(title: impl Into<String>, head: &[&'static str], right: &[usize]) -> Self {
        Self {
            title: title.into(),
            head: head.to_vec(),
            rows: Vec::new(),
            right: right.to_vec(),
        }
    }

    fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into());
    }

    /// A name and its value.
    fn fact(&mut self, name: impl Into<String>, value: impl ToString) {
        self.rows.push(vec![name.into(), value.to_string()]);
    }
}

impl ReplayReport {
    /// The tables for people, in the order of reading; tables without rows are left out.
    ///
    /// Times are written by the clocks of `zone`: the log's, or that of the workflow's calendar.
    pub fn tables(&self, zone: &TimeZone) -> Vec<Table> {
        let mut tables = vec![self.log_table(zone)];
        tables.extend(self.problem_tables());
        if let Some(play) = &self.play {
            tables.extend(play.tables(zone));
        }
        tables.retain(|table| !table.rows.is_empty());
        tables
    }

    fn log_table(&self, zone: &TimeZone) -> Table {
        let facts = &self.facts;
        let mut table = Table::new(format!("The log: {}", self.log), &["", ""], &[]);
        table.fact("rows", grouped(facts.rows));
        table.fact("rows that could be used", grouped(facts.used_rows));
        if let (Some(from), Some(until)) = (facts.from, facts.until) {
            let name = zone.iana_name().unwrap_or("UTC");
            let time = |at| format!("{} {name}", written(at, Some(zone)));
            table.fact("from", time(from));
            table.fact("until", time(until));
        }
        table.fact("tickets", grouped(facts.tickets));
        for (name, count) in [("people", facts.people), ("teams", facts.teams)] {
            if count > 0 {
                table.fact(name, grouped(count));
            }
        }
        let moves = &facts.moves;
        if !moves.highest.is_empty() {
            let up = share(moves.tickets_up, facts.tickets);
            table.fact("tickets that moved up a level", up);
            table.fact("moves up", grouped(moves.up));
            table.fact("moves down", grouped(moves.down));
        }
        for (level, tickets) in &moves.highest {
            table.fact(format!("highest level {level}"), grouped(*tickets));
        }
        stays(&mut table, "in the queue", &facts.queue);
        for (status, tickets) in &facts.last_status {
            let name = format!("last row: {}", super::problems::quoted(status));
            table.fact(name, grouped(*tickets));
        }
        table.fact("still open at the end", grouped(facts.still_open));
        table
    }

    fn problem_tables(&self) -> [Table; 5] {
        let problems = &self.problems;
        let mut bad = Table::new(
            shown(
                "Rows that could not be used",
                problems.bad_rows.rows,
                problems.bad_rows.named.len(),
            ),
            &["line", "why"],
            &[0],
        );
        for row in problems.bad_rows.named.iter().take(MAX_SHOWN) {
            bad.row([row.line.to_string(), row.what.clone()]);
        }
        let order = &problems.out_of_order;
        let mut out_of_order = Table::new(
            shown(
                "Rows that stand before an earlier one",
                order.rows,
                order.named.len(),
            ),
            &["line", "what"],
            &[0],
        );
        for row in order.named.iter().take(MAX_SHOWN) {
            out_of_order.row([row.line.to_string(), row.what.clone()]);
        }
        let mut clocks = Table::new("Local times at a change of the clocks", &["", ""], &[]);
        for (name, rows) in [
            ("shown twice, read as the first", problems.twice),
            ("skipped, read as the first after it", problems.skipped),
        ] {
            if rows > 0 {
                clocks.fact(name, grouped(rows));
            }
        }
        [
            bad,
            values("Statuses without a meaning", &problems.unknown_statuses),
            values("Levels without a rank", &problems.unknown_levels),
            out_of_order,
            clocks,
        ]
    }
}

impl PlayReport {
    fn tables(&self, zone: &TimeZone) -> Vec<Table> {
        vec![
            self.run_table(zone),
            self.state_table(),
            self.level_table(),
            self.promise_table(),
            self.people_table(zone),
            self.refused_table(),
            values("Values that fit no field", &self.unknown_values),
            values(
                "People of the log that the directory does not have",
                &self.unknown_people,
            ),
        ]
    }

    fn run_table(&self, zone: &TimeZone) -> Table {
        let title = format!(
            "The workflow: {} (version {}), directory {}",
            self.workflow, self.version, self.directory
        );
        let mut table = Table::new(title, &["", ""], &[]);
        if let Some(at) = self.given_up {
            table.fact(
                "given up, because too many clocks had fallen due, at",
                written(at, Some(zone)),
            );
            table.fact("rows not played", grouped(self.rows.not_played));
        }
        table.fact("tickets opened", grouped(self.opened));
        if self.opened_besides > 0 {
            table.fact("tickets opened besides", grouped(self.opened_besides));
        }
        table.fact("ended", grouped(self.ended));
        table.fact("open at the end", grouped(self.open_at_end));
        table.fact("rows that took an action", grouped(self.rows.acted));
        table.fact(
            "rows about a ticket that was there already",
            grouped(self.rows.there_already),
        );
        table.fact("rows that do nothing", grouped(self.rows.nothing));
        table.fact("rows that were not possible", grouped(self.rows.refused));
        let all = self.opened + self.opened_besides;
        let moved = share(self.tickets_moved, all);
        table.fact("tickets passed on because nobody acted", moved);
        table.fact(
            "tickets that came to the last resort",
            share(self.last_resort, all),
        );
        table.fact("reminders of the last resort", grouped(self.reminders));
        spread(
            &mut table,
            "from being asked until somebody acted",
            &self.until_acted,
        );
        table.fact("events", grouped(self.events));
        table
    }

    fn state_table(&self) -> Table {
        let head = [
            "state",
            "visits",
            "acted",
            "passed on before",
            "by clock",
            "still there",
            "median",
            "90 %",
            "99 %",
        ];
        let mut table = Table::new(
            "States, and how long it took until somebody acted",
            &head,
            &[1, 2, 3, 4, 5, 6, 7, 8],
        );
        let asking_first = |state: &&StateUse| (!state.asks, std::cmp::Reverse(state.visits));
        let mut states: Vec<&StateUse> = self.states.iter().collect();
        states.sort_by_key(asking_first);
        for state in states {
            let spread = &state.until_acted;
            let time = |seconds| match spread.count {
                0 => "–".to_owned(),
                _ => in_words(seconds),
            };
            table.row([
                state.state.to_string(),
                grouped(state.visits),
                grouped(state.acted),
                share(state.moved_before_act, state.acted),
                grouped(state.ended_by_clock),
                grouped(state.still_there),
                time(spread.median),
                time(spread.p90),
                time(spread.p99),
            ]);
        }
        table
    }

    fn level_table(&self) -> Table {
        let head = ["ladder", "level", "hops", "tickets", "had nobody"];
        let mut table = Table::new("Hops per level", &head, &[2, 3, 4]);
        for level in &self.levels {
            table.row([
                level.ladder.to_string(),
                level_in_words(level.level),
                grouped(level.hops),
                grouped(level.tickets),
                grouped(level.nobody),
            ]);
        }
        table
    }

    fn promise_table(&self) -> Table {
        let head = [
            "promise",
            "met",
            "met late",
            "broken",
            "ended before",
            "running",
        ];
        let mut table = Table::new("Promises", &head, &[1, 2, 3, 4, 5]);
        for promise in &self.promises {
            table.row([
                promise.promise.to_string(),
                grouped(promise.met),
                grouped(promise.met_late),
                grouped(promise.breached),
                grouped(promise.ended_before),
                grouped(promise.running),
            ]);
        }
        table
    }

    fn people_table(&self, zone: &TimeZone) -> Table {
        let head = [
            "person",
            "given",
            "actions",
            "most at once",
            "when",
            "on average",
            "at the end",
        ];
        let mut table = Table::new("People", &head, &[1, 2, 3, 5, 6]);
        for person in &self.people {
            let when = person.peak_at.map(|at| written(at, Some(zone)));
            table.row([
                person.person.to_string(),
                grouped(person.given),
                grouped(person.acts),
                person.peak_open.to_string(),
                when.unwrap_or_default(),
                format!("{:.1}", person.mean_open),
                person.open_at_end.to_string(),
            ]);
        }
        table
    }

    fn refused_table(&self) -> Table {
        let title = shown(
            "Rows that were not possible",
            self.rows.refused,
            self.refused.len(),
        );
        let mut table = Table::new(title, &["rows", "tell", "first line", "why not"], &[0, 2]);
        for refused in self.refused.iter().take(MAX_SHOWN) {
            table.row([
                grouped(refused.rows),
                refused.what.to_string(),
                refused.first_line.to_string(),
                refused.reason.clone(),
            ]);
        }
        for (reason, rows) in self.refused_to_clocks.iter().take(MAX_SHOWN) {
            let who = "a clock".to_owned();
            table.row([grouped(*rows), who, String::new(), reason.clone()]);
        }
        table
    }
}

fn stays(table: &mut Table, what: &str, stays: &Stays) {
    if stays.count() == 0 && stays.not_ended == 0 {
        return;
    }
    spread(table, what, &stays.spread);
    for (limit, count) in &stays.longer_than {
        let name = format!("{what}, longer than {}", in_words(*limit));
        table.fact(name, share(*count, stays.count()));
    }
    if stays.not_ended > 0 {
        table.fact(format!("{what} at the end"), grouped(stays.not_ended));
    }
}

fn spread(table: &mut Table, what: &str, spread: &Spread) {
    table.fact(format!("{what}, times"), grouped(spread.count));
    if spread.count > 0 {
        table.fact(format!("{what}, median"), in_words(spread.median));
        table.fact(format!("{what}, 90 % within"), in_words(spread.p90));
        table.fact(format!("{what}, 99 % within"), in_words(spread.p99));
        table.fact(format!("{what}, longest"), in_words(spread.longest));
    }
}

fn values(title: &str, values: &Values) -> Table {
    let title = shown(title, values.rows, values.named.len());
    let mut table = Table::new(title, &["rows", "first line", "value"], &[0, 1]);
    let mut named: Vec<_> = values.named.iter().collect();
    named.sort_by_key(|(_, counts)| std::cmp::Reverse(counts.rows));
    for (value, counts) in named.into_iter().take(MAX_SHOWN) {
        let first_line = counts.first_line.to_string();
        table.row([grouped(counts.rows), first_line, value.clone()]);
    }
    table
}

/// The title of a table that may not show all.
fn shown(title: &str, rows: u64, named: usize) -> String {
    match named > MAX_SHOWN {
        true => format!(
            "{title}: {}; the first {MAX_SHOWN}, more in the JSON",
            grouped(rows)
        ),
        false => format!("{title}: {}", grouped(rows)),
    }
}

/// A count and its share of the whole.
fn share(part: u64, whole: u64) -> String {
    match whole {
        0 => grouped(part),
        _ => format!(
            "{} ({:.1} %)",
            grouped(part),
            part as f64 * 100.0 / whole as f64
        ),
    }
}

/// A number with its thousands apart.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_for_people() {
        assert_eq!(
            [0, 999, 1_000, 65_533, 1_234_567].map(grouped),
            ["0", "999", "1,000", "65,533", "1,234,567"]
        );
        assert_eq!(share(2_299, 7_554), "2,299 (30.4 %)");
        assert_eq!(share(0, 0), "0");
    }
}
