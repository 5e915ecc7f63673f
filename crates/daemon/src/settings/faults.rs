//! Everything that is wrong with a section, at once, and on which line it stands.

use std::collections::BTreeMap;
use std::path::Path;

use toml::de::{DeTable, DeValue};
use toml::{Table, Value};

use super::Section;

/// Most mistakes that are told of one section.
const MAX_FAULTS: usize = 20;

/// On which line of the file each setting stands, by its name with dots: `mail.server`.
#[derive(Debug, Default)]
pub(super) struct Lines(BTreeMap<String, usize>);

impl Lines {
    /// Of a text that can't be read none are known.
    pub(super) fn of(text: &str) -> Self {
        let mut lines = Self::default();
        if let Ok(table) = DeTable::parse(text) {
            lines.add("", table.get_ref(), text);
        }
        lines
    }

    fn add(&mut self, within: &str, table: &DeTable<'_>, text: &str) {
        for (key, value) in table {
            let name = match within {
                "" => key.get_ref().to_string(),
                within => format!("{within}.{}", key.get_ref()),
            };
            let before = text.get(..key.span().start).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            if let DeValue::Table(inner) = value.get_ref() {
                self.add(&name, inner, text);
            }
            self.0.insert(name, line);
        }
    }

    /// What is told behind a mistake: the line of the setting, else of what it belongs to.
    pub(super) fn told(&self, name: &str) -> String {
        let mut name = name;
        loop {
            if let Some(line) = self.0.get(name) {
                return format!(" (line {line})");
            }
            match name.rsplit_once('.') {
                Some((outer, _)) => name = outer,
                None => return String::new(),
            }
        }
    }
}

/// A mistake of a section.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// The field; empty if it is none in particular.
    pub(super) field: String,
    /// What is wrong, a line for people.
    pub(super) why: String,
}

/// The section, or all that is wrong with it. A field that can't be read is left out, and one that is missing
/// stood in for, so that the others are looked at too.
pub(super) fn read<S: Section>(mut table: Table, folder: &Path) -> Result<S, Vec<Fault>> {
    let mut faults: Vec<Fault> = Vec::new();
    while faults.len() < MAX_FAULTS {
        let error = match table.clone().try_into::<S>() {
            Ok(section) => return settled(section, folder, &table, faults),
            Err(error) => error,
        };
        let mut why = error.message().trim_end().to_owned();
        let Some(field) = field(&error) else {
            let field = String::new();
            faults.push(Fault { field, why });
            return Err(faults);
        };
        if named(&why) != Some(&field) {
            why = format!("`{field}`: {why}");
        }
        // What was left out is missing now: that is no second mistake.
        let is_new = faults.iter().all(|fault| fault.field != field);
        let went_on = match table.remove(&field) {
            Some(_) => true,
            None => stand_in::<S>(&mut table, &field),
        };
        if is_new {
            faults.push(Fault { field, why });
        }
        if !went_on {
            return Err(faults);
        }
    }
    Err(faults)
}

/// What one field alone doesn't show. Where a field was wrong, only what the others say that are given: what
/// is missing besides may be for the wrong one to say.
fn settled<S: Section>(
    mut section: S,
    folder: &Path,
    given: &Table,
    mut faults: Vec<Fault>,
) -> Result<S, Vec<Fault>> {
    let found = section.settle(folder).err().unwrap_or_default();
    let is_other = |why: &String| {
        let names = |fault: &Fault| why.contains(&format!("`{}`", fault.field));
        let is_given = named(why).is_some_and(|field| given.contains_key(field));
        faults.is_empty() || (is_given && !faults.iter().any(names))
    };
    let found: Vec<String> = found.into_iter().filter(is_other).collect();
    faults.extend(found.into_iter().map(|why| Fault {
        field: named(&why).unwrap_or_default().to_owned(),
        why,
    }));
    match faults.is_empty() {
        true => Ok(section),
        false => Err(faults),
    }
}

/// The field that an error is about.
fn field(error: &toml::de::Error) -> Option<String> {
    let told = error.to_string();
    let within = told
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix("in `"));
    let within = within.and_then(|rest| rest.split(['`', '.']).next());
    let message = error.message();
    let is_named = message.starts_with("unknown field") || message.starts_with("missing field");
    let field = within.or_else(|| named(message).filter(|_| is_named))?;
    Some(field.to_owned())
}

/// The first word in backticks.
fn named(text: &str) -> Option<&str> {
    text.split('`').nth(1)
}

/// Puts something into a missing field that can be read there. Whether anything can.
fn stand_in<S: Section>(table: &mut Table, missing: &str) -> bool {
    let all = [
        Value::String("x".to_owned()),
        Value::Integer(1),
        Value::Boolean(false),
        Value::Array(Vec::new()),
        Value::Table(Table::new()),
    ];
    for value in all {
        table.insert(missing.to_owned(), value);
        match table.clone().try_into::<S>() {
            Ok(_) => return true,
            Err(error) if field(&error).as_deref() != Some(missing) => return true,
            Err(_) => (),
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::super::{Given, Settings};

    fn faults(text: &str) -> Vec<String> {
        let text = format!("data = \"d\"\nworkflows = \"w\"\n{text}");
        Settings::read(&Given::default().text("upline.toml", text)).unwrap_err()
    }

    #[test]
    fn all_mistakes_of_a_section_are_told_with_their_lines() {
        let found = faults(
            "[mail]\nport = \"x\"\nform = \"b\"\nfrom = 3\ntimeout = \"99 h\"\n\
             [mailbox.desk]\nfolder = \"m\"\nevery = 0\nper-hour = \"many\"\n\
             [webhook.a]\nurl = \"ftp://x.example\"\n[webhook.b]\nurl = \"http://x.example\"\n\
             shape = \"irc\"\n[links]\nactions = [\"take\", \"x/\"]\n",
        );
        for (begins, ends) in [
            (
                "`upline.toml`: `[mail]`: `port`: invalid type: string \"x\"",
                " (line 4)",
            ),
            ("`upline.toml`: `[mail]`: unknown field `form`", " (line 5)"),
            (
                "`upline.toml`: `[mail]`: `from`: invalid type: integer `3`",
                " (line 6)",
            ),
            (
                "`upline.toml`: `[mail]`: missing field `server`",
                " (line 3)",
            ),
            ("`upline.toml`: `[mail]`: `timeout` must be", " (line 7)"),
            (
                "`upline.toml`: `[mailbox.desk]`: `every` must be",
                " (line 10)",
            ),
            (
                "`upline.toml`: `[mailbox.desk]`: `per-hour`: invalid type",
                " (line 11)",
            ),
            ("`upline.toml`: `[webhook.a]`: `url` ", " (line 13)"),
            (
                "`upline.toml`: `[webhook.b]`: `shape`: unknown variant `irc`",
                " (line 16)",
            ),
            ("`upline.toml`: `[links]`: `actions`: `x/`", " (line 18)"),
        ] {
            let told = |fault: &&String| fault.starts_with(begins) && fault.ends_with(ends);
            assert_eq!(
                found.iter().filter(told).count(),
                1,
                "{begins}{ends}\n{found:#?}"
            );
        }
        // What is missing because it was wrong is told once.
        let from = found.iter().filter(|fault| fault.contains("`from`:"));
        // Whether it needs a secret is for the shape to say, which is wrong.
        let secret = "`[webhook.b]`: `secret`";
        assert!(
            !found.iter().any(|fault| fault.contains(secret)),
            "{found:#?}"
        );
        assert_eq!(from.count(), 1, "{found:#?}");
    }

    #[test]
    fn what_no_section_has_is_told_with_its_line() {
        assert_eq!(
            faults("\nmial = 3\n"),
            ["`upline.toml`: `mial` is no setting; did you mean `mail`? (line 4)"]
        );
    }
}
