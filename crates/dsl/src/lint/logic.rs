//! Which *when* phrases can hold together.
//!
//! A condition is brought into the form "this and this, or that and that". What stands together in one of
//! these terms is looked at field by field: whether any value of the field, or none, fits all of it. Fields
//! are independent of each other, so that is exact. Where it would take too long the answer is "it can".

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::civil::Date;
use rust_decimal::Decimal;
use upline_core::{Condition, Field, FieldType, Name, Value};

/// Most terms that are kept apart.
const MAX_TERMS: usize = 64;

/// Most conditions of a term.
const MAX_ATOMS: usize = 64;

/// One comparison, and whether it shall hold or not.
type Atom<'c> = (&'c Condition, bool);

/// What shall hold at once.
type Term<'c> = Vec<Atom<'c>>;

/// Terms of which one shall hold. None at all: it can't be.
#[derive(Debug, Clone)]
pub(super) struct Cases<'c> {
    fields: &'c BTreeMap<Name, Field>,
    terms: Vec<Term<'c>>,
}

impl<'c> Cases<'c> {
    /// Everything that can be.
    pub(super) fn all(fields: &'c BTreeMap<Name, Field>) -> Self {
        Self {
            fields,
            terms: vec![Vec::new()],
        }
    }

    /// Whether there is any.
    pub(super) fn are_possible(&self) -> bool {
        !self.terms.is_empty()
    }

    /// Those of them in which the condition holds, or does not. `None`: there would be too many.
    pub(super) fn that(&self, condition: &'c Condition, holds: bool) -> Option<Self> {
        match (condition, holds) {
            (Condition::Not(inner), _) => self.that(inner, !holds),
            (Condition::And(parts), true) | (Condition::Or(parts), false) => {
                let mut cases = self.clone();
                for part in parts {
                    cases = cases.that(part, holds)?;
                }
                Some(cases)
            }
            (Condition::And(parts), false) | (Condition::Or(parts), true) => {
                let mut all = Self {
                    fields: self.fields,
                    terms: Vec::new(),
                };
                for part in parts {
                    all.terms.extend(self.that(part, holds)?.terms);
                    if all.terms.len() > MAX_TERMS {
                        return None;
                    }
                }
                Some(all)
            }
            _ => self.with((condition, holds)),
        }
    }

    fn with(&self, atom: Atom<'c>) -> Option<Self> {
        let mut terms = Vec::with_capacity(self.terms.len());
        for term in &self.terms {
            if term.len() >= MAX_ATOMS {
                return None;
            }
            if self.fits(term, atom) {
                let mut longer = term.clone();
                longer.push(atom);
                terms.push(longer);
            }
        }
        Some(Self {
            fields: self.fields,
            terms,
        })
    }

    /// Whether the atom can hold beside those of the term that are about the same thing.
    fn fits(&self, term: &Term<'c>, atom: Atom<'c>) -> bool {
        let about = subject(atom.0);
        let same = term
            .iter()
            .copied()
            .filter(|other| subject(other.0) == about);
        let mut atoms: Term<'c> = same.collect();
        atoms.push(atom);
        let kind = match about {
            Some(Subject::Field(name)) => self.fields.get(name).map(|field| &field.kind),
            // It is open or it is not.
            Some(Subject::Calendar(_)) => return atoms.iter().all(|other| other.1 == atom.1),
            None => None,
        };
        match kind {
            Some(FieldType::Choices(options)) => some_choice_fits(options, &atoms),
            Some(kind) => some_value_fits(kind, &atoms),
            None => true,
        }
    }
}

/// What a comparison is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Subject<'c> {
    Field(&'c Name),
    Calendar(&'c Name),
}

/// `None`: it is no comparison, but made of several.
fn subject(condition: &Condition) -> Option<Subject<'_>> {
    Some(match condition {
        Condition::Is(field, _)
        | Condition::IsOneOf(field, _)
        | Condition::IsEmpty(field)
        | Condition::IsOver(field, _)
        | Condition::IsUnder(field, _)
        | Condition::Before(field, _)
        | Condition::After(field, _) => Subject::Field(field),
        Condition::During(calendar) => Subject::Calendar(calendar),
        Condition::And(_) | Condition::Or(_) | Condition::Not(_) => return None,
    })
}

fn some_value_fits(kind: &FieldType, atoms: &[Atom<'_>]) -> bool {
    let fits = |value: Option<&Value>| {
        atoms
            .iter()
            .all(|(condition, holds)| holds_for(condition, value) == *holds)
    };
    fits(None) || samples(kind, atoms).iter().any(|value| fits(Some(value)))
}

/// What the core's `holds` says for a field of one value.
fn holds_for(condition: &Condition, value: Option<&Value>) -> bool {
    match (condition, value) {
        (Condition::IsEmpty(_), value) => value.is_none(),
        (_, None) => false,
        (Condition::Is(_, wanted), Some(value)) => value == wanted,
        (Condition::IsOneOf(_, wanted), Some(value)) => wanted.contains(value),
        (Condition::IsOver(_, bound), Some(Value::Number(number))) => number > bound,
        (Condition::IsUnder(_, bound), Some(Value::Number(number))) => number < bound,
        (Condition::Before(_, day), Some(Value::Date(date))) => date < day,
        (Condition::After(_, day), Some(Value::Date(date))) => date > day,
        _ => false,
    }
}

/// Values of which one fits if any value does: those that are named, and one of each stretch between them.
fn samples(kind: &FieldType, atoms: &[Atom<'_>]) -> Vec<Value> {
    let named = || atoms.iter().flat_map(|(condition, _)| named_in(condition));
    match kind {
        FieldType::Choice(options) => {
            let texts = options.iter().map(|option| Value::Text(option.to_string()));
            texts.collect()
        }
        FieldType::Flag => vec![Value::Flag(false), Value::Flag(true)],
        FieldType::Number => numbers(named().filter_map(|value| match &*value {
            Value::Number(number) => Some(*number),
            _ => None,
        })),
        FieldType::Date => {
            let dates = named().filter_map(|value| match &*value {
                Value::Date(date) => Some(*date),
                _ => None,
            });
            let around = |date: Date| [date.yesterday().ok(), Some(date), date.tomorrow().ok()];
            let mut dates: Vec<Date> = dates.flat_map(around).flatten().collect();
            if dates.is_empty() {
                dates.push(Date::constant(2000, 1, 1));
            }
            dates.into_iter().map(Value::Date).collect()
        }
        _ => {
            let mut values: Vec<Value> = named().map(Cow::into_owned).collect();
            // A text that is none of them: longer than each.
            let longest = values.iter().map(|value| value.to_string().len()).max();
            values.push(Value::Text("x".repeat(longest.unwrap_or(0) + 1)));
            values
        }
    }
}

fn named_in(condition: &Condition) -> Vec<Cow<'_, Value>> {
    match condition {
        Condition::Is(_, value) => vec![Cow::Borrowed(value)],
        Condition::IsOneOf(_, values) => values.iter().map(Cow::Borrowed).collect(),
        Condition::IsOver(_, bound) | Condition::IsUnder(_, bound) => {
            vec![Cow::Owned(Value::Number(*bound))]
        }
        Condition::Before(_, day) | Condition::After(_, day) => {
            vec![Cow::Owned(Value::Date(*day))]
        }
        _ => Vec::new(),
    }
}

fn numbers(named: impl Iterator<Item = Decimal>) -> Vec<Value> {
    let mut named: Vec<Decimal> = named.collect();
    named.sort_unstable();
    named.dedup();
    let least = named
        .first()
        .and_then(|least| least.checked_sub(Decimal::ONE));
    let most = named.last().and_then(|most| most.checked_add(Decimal::ONE));
    let between = named.windows(2).filter_map(|pair| {
        let half = pair[1].checked_sub(pair[0])?.checked_div(Decimal::TWO)?;
        pair[0].checked_add(half)
    });
    let mut all: Vec<Decimal> = between.chain(least).chain(most).collect();
    all.extend(named);
    if all.is_empty() {
        all.push(Decimal::ZERO);
    }
    all.into_iter().map(Value::Number).collect()
}

/// A field of several choices is each of those that were made: some set of options must fit, or none.
fn some_choice_fits(options: &[Name], atoms: &[Atom<'_>]) -> bool {
    let texts = |condition: &'_ Condition| -> Vec<String> {
        named_in(condition)
            .iter()
            .map(|value| value.to_string())
            .collect()
    };
    let mut barred: Vec<String> = Vec::new();
    for (condition, _) in atoms.iter().filter(|(_, holds)| !holds) {
        barred.extend(texts(condition));
    }
    let free = |text: &String| !barred.contains(text);
    let mut empty = true;
    let mut filled = true;
    for (condition, holds) in atoms {
        match (condition, *holds) {
            (Condition::IsEmpty(_), true) => filled = false,
            (Condition::IsEmpty(_), false) => empty = false,
            (_, true) => {
                empty = false;
                filled &= texts(condition).iter().any(free);
            }
            (_, false) => (),
        }
    }
    filled &= options.iter().any(|option| free(&option.to_string()));
    empty || filled
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phrase::when;

    fn fields() -> BTreeMap<Name, Field> {
        let options = || ["A", "B", "C"].map(Name::from).to_vec();
        let all = [
            ("one", FieldType::Choice(options())),
            ("some", FieldType::Choices(options())),
            ("count", FieldType::Number),
            ("flag", FieldType::Flag),
            ("day", FieldType::Date),
            ("text", FieldType::Text),
        ];
        let field = |(name, kind): (&str, FieldType)| {
            let field = Field {
                option_labels: Default::default(),
                name: name.into(),
                kind,
                label: upline_core::Label::plain(name),
                required: false,
            };
            (field.name.clone(), field)
        };
        all.into_iter().map(field).collect()
    }

    fn possible(text: &str, holds: bool) -> bool {
        let fields = fields();
        let condition = when(text, &fields).unwrap().value;
        let cases = Cases::all(&fields).that(&condition, holds);
        cases.is_none_or(|cases| cases.are_possible())
    }

    #[test]
    fn what_can_not_be() {
        for text in [
            "one is A and one is B",
            "one is A and one is not A",
            "one is one of [A, B] and one is C",
            "one is not A and one is not B and one is not C and one is not empty",
            "one is empty and one is A",
            "not (one is A or one is not A)",
            "(one is A or one is B) and one is C",
            "some is empty and some is A",
            "some is A and some is not one of [A, B]",
            "some is not A and some is not B and some is not C and some is not empty",
            "count is over 5 and count is under 5",
            "count is over 5 and count is 5",
            "count is 1 and count is 2",
            "flag is true and flag is false",
            "day before 2026-01-01 and day after 2026-01-01",
            "day after 2026-01-01 and day before 2026-01-02",
            "text is a and text is b",
            "text is a and text is empty",
            "during night and outside night",
        ] {
            assert!(!possible(text, true), "{text}");
            assert!(possible(text, false), "not {text}");
        }
    }

    #[test]
    fn what_can_be() {
        for text in [
            "one is A and text is b",
            "one is not A and one is not B and one is not C",
            "some is A and some is B",
            "some is one of [A, B] and some is not A",
            "count is over 5 and count is under 6",
            "count is over 5.1 and count is under 5.2",
            "count is not 5",
            "flag is not true and flag is not false",
            "day after 2026-01-01 and day before 2026-01-03",
            "text is not a and text is not b",
            "during night and outside day",
        ] {
            assert!(possible(text, true), "{text}");
        }
        assert!(!possible("one is A or one is not A", false));
        assert!(!possible("count is over 5 or not (count is over 5)", false));
    }

    #[test]
    fn large_ones_are_given_up() {
        let either = |number: usize| format!("(text is a{number} or one is B)");
        let parts: Vec<String> = (0..30).map(either).collect();
        assert!(possible(&parts.join(" and "), true));
    }
}
