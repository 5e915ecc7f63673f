//! Every reason is worded in both languages, and the Chinese one is Chinese.

use upline_core::{Operation, Reason};

use super::*;

/// A name that stands for a name; whatever else is Latin is a word of a language.
const NAME: &str = "xyz";

fn name() -> Name {
    Name::from(NAME)
}

fn at() -> Timestamp {
    "2026-03-06T09:00:00Z".parse().unwrap()
}

fn time(_: Timestamp) -> String {
    "09:00".to_owned()
}

/// Both texts are there, and differ; without names and what people type (in backticks), no letter is Latin.
fn speaks_both(english: &str, chinese: &str) {
    assert!(english.is_ascii() && !english.is_empty(), "{english}");
    let typed = chinese.split('`').step_by(2);
    let words = typed.collect::<String>().replace(NAME, "");
    let latin = words.chars().find(char::is_ascii_alphabetic);
    assert_eq!(latin, None, "{chinese}");
    let han = words
        .chars()
        .any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
    assert!(han, "{chinese}");
}

/// The values, one of each variant in order. `number` gives the variant's number, and how many there are: one
/// that is added to the enum must get a line there, as the compiler demands, and then a value here.
fn each<T>(
    values: Vec<T>,
    (number, count): (impl Fn(&T) -> usize, usize),
    words: impl Fn(&T, Language) -> String,
) {
    let numbers: Vec<usize> = values.iter().map(&number).collect();
    assert_eq!(numbers, (0..count).collect::<Vec<_>>());
    for value in &values {
        let [english, chinese] = Language::ALL.map(|language| words(value, language));
        speaks_both(&english, &chinese);
    }
}

/// The number of a value's variant; each has a line, and the compiler misses none.
macro_rules! number {
    ($of:ty: $($pattern:pat => $number:literal,)+) => {
        (|value: &$of| match value { $($pattern => $number,)+ }, [$($number),+].len())
    };
}

fn rejected_as(value: &Rejection, language: Language) -> String {
    rejection_words(value, language, &time)
}

fn operation(because: Because) -> Rejection {
    Rejection::NotPossible {
        operation: Operation::Claim,
        because,
    }
}

fn form() -> Rejection {
    let faults = vec![FieldFault::Missing { field: name() }];
    Rejection::Form { faults }
}

fn not_ticked() -> Rejection {
    let items = vec![name()];
    Rejection::NotTicked { items }
}

fn excluded() -> Rejection {
    Rejection::Excluded {
        action: name(),
        except: name(),
    }
}

#[test]
fn rejections() {
    use Rejection as R;
    let values = vec![
        R::AlreadyOpen,
        R::NotOpen,
        R::HasEnded,
        R::WhichBranch {
            branches: vec![name(), name()],
        },
        R::NoSuchBranch { branch: name() },
        R::NoSuchAction {
            state: name(),
            action: name(),
            actions: vec![name()],
        },
        R::NotAwaited { message: name() },
        R::HeldBy { holder: name() },
        R::AlreadyClaimed { by: name() },
        R::NotAllowed {
            operation: Operation::Claim,
        },
        operation(Because::NotOffered),
        R::NoSuchPerson { person: name() },
        R::CannotHave {
            person: name(),
            reason: Reason::Absent { until: at() },
        },
        form(),
        not_ticked(),
        R::NoSuchItem { item: name() },
        R::NoSuchLevel { levels: 3 },
        R::NoSuchClock,
        R::BadTime { latest: at() },
        R::BadText { limit: 5 },
        R::InstantLoop { state: name() },
        R::CannotMigrate {
            state: name(),
            because: MigrationFault::NoSuchState,
        },
        R::WrongWorkflow { state: name() },
        excluded(),
        R::BadId { limit: 5 },
    ];
    let number = number! {
        R:
        R::AlreadyOpen => 0,
        R::NotOpen => 1,
        R::HasEnded => 2,
        R::WhichBranch { .. } => 3,
        R::NoSuchBranch { .. } => 4,
        R::NoSuchAction { .. } => 5,
        R::NotAwaited { .. } => 6,
        R::HeldBy { .. } => 7,
        R::AlreadyClaimed { .. } => 8,
        R::NotAllowed { .. } => 9,
        R::NotPossible { .. } => 10,
        R::NoSuchPerson { .. } => 11,
        R::CannotHave { .. } => 12,
        R::Form { .. } => 13,
        R::NotTicked { .. } => 14,
        R::NoSuchItem { .. } => 15,
        R::NoSuchLevel { .. } => 16,
        R::NoSuchClock => 17,
        R::BadTime { .. } => 18,
        R::BadText { .. } => 19,
        R::InstantLoop { .. } => 20,
        R::CannotMigrate { .. } => 21,
        R::WrongWorkflow { .. } => 22,
        R::Excluded { .. } => 23,
        R::BadId { .. } => 24,
    };
    each(values, number, rejected_as);
    let every = Operation::ALL.map(|operation| R::NotAllowed { operation });
    every.iter().for_each(|one| {
        speaks_both(
            &rejected_as(one, Language::English),
            &rejected_as(one, Language::Chinese),
        );
    });
}

#[test]
fn reasons_of_rejections() {
    use {Because as B, MigrationFault as M};
    let values = vec![
        B::NotOffered,
        B::NotTaken,
        B::LastResort,
        B::Suspended,
        B::NotSuspended,
        B::NoLadder,
        B::NotGiven,
        B::Branches,
    ];
    let number = number! {
        B:
        B::NotOffered => 0,
        B::NotTaken => 1,
        B::LastResort => 2,
        B::Suspended => 3,
        B::NotSuspended => 4,
        B::NoLadder => 5,
        B::NotGiven => 6,
        B::Branches => 7,
    };
    each(values, number, |because, language| {
        rejected_as(&operation(*because), language)
    });

    let values = vec![
        M::NoSuchState,
        M::NobodyAnswerable,
        M::OtherBranch,
        M::NothingWatches,
        M::OtherBranches,
        M::NothingAwaited,
    ];
    let number = number! {
        M:
        M::NoSuchState => 0,
        M::NobodyAnswerable => 1,
        M::OtherBranch => 2,
        M::NothingWatches => 3,
        M::OtherBranches => 4,
        M::NothingAwaited => 5,
    };
    each(values, number, |because, language| {
        let (state, because) = (name(), *because);
        rejected_as(&Rejection::CannotMigrate { state, because }, language)
    });
}

#[test]
fn forms_and_values() {
    use {FieldFault as F, ValueError as V};
    let form = |fault: &F, language| {
        let faults = vec![fault.clone()];
        rejected_as(&Rejection::Form { faults }, language)
    };
    let of_value = |fault| F::Value {
        field: name(),
        fault,
    };
    let values = vec![
        F::Unknown { field: name() },
        F::NotInForm { field: name() },
        F::Missing { field: name() },
        of_value(V::NotADate),
    ];
    let number = number! {
        F:
        F::Unknown { .. } => 0,
        F::NotInForm { .. } => 1,
        F::Missing { .. } => 2,
        F::Value { .. } => 3,
    };
    each(values, number, form);

    let options = vec![name(), name()];
    let values = vec![
        V::TooLong,
        V::NotOneLine,
        V::NotAnOption { options },
        V::NotANumber,
        V::TooManyDigits,
        V::NotAFlag,
        V::NotADate,
    ];
    let number = number! {
        V:
        V::TooLong => 0,
        V::NotOneLine => 1,
        V::NotAnOption { .. } => 2,
        V::NotANumber => 3,
        V::TooManyDigits => 4,
        V::NotAFlag => 5,
        V::NotADate => 6,
    };
    each(values, number, |fault, language| {
        form(&of_value(fault.clone()), language)
    });
}

#[test]
fn reasons_why_somebody_is_not_asked() {
    use Reason as R;
    let values = vec![
        R::Absent { until: at() },
        R::OffShift,
        R::AtCapacity { at_most: 8 },
        R::LacksSkill { skill: name() },
        R::Excluded,
        R::Unreachable,
        R::HadIt,
        R::HasIt,
        R::Busier { open: 3 },
        R::LaterInLine,
        R::Unknown,
        R::Nobody,
        R::More { count: 2 },
    ];
    let number = number! {
        R:
        R::Absent { .. } => 0,
        R::OffShift => 1,
        R::AtCapacity { .. } => 2,
        R::LacksSkill { .. } => 3,
        R::Excluded => 4,
        R::Unreachable => 5,
        R::HadIt => 6,
        R::HasIt => 7,
        R::Busier { .. } => 8,
        R::LaterInLine => 9,
        R::Unknown => 10,
        R::Nobody => 11,
        R::More { .. } => 12,
    };
    each(values, number, |reason, language| {
        reason_words(reason, language, &time)
    });
}

#[test]
fn refusals_and_steps_in_vain() {
    let values = vec![
        Refusal::Rejected(Rejection::NotOpen),
        Refusal::SameKey {
            key: name(),
            ticket: name(),
        },
        Refusal::NoSuchWorkflow { workflow: name() },
        Refusal::TooDeep,
        Refusal::Down,
    ];
    let number = number! {
        Refusal:
        Refusal::Rejected(_) => 0,
        Refusal::SameKey { .. } => 1,
        Refusal::NoSuchWorkflow { .. } => 2,
        Refusal::TooDeep => 3,
        Refusal::Down => 4,
    };
    each(values, number, |refusal, language| {
        refusal_words(refusal, language, &time)
    });

    let values = vec![
        InVain::Refused(Refusal::Down),
        InVain::NoMessage {
            to: name(),
            via: Name::from("mail"),
        },
        InVain::NoClock,
        InVain::NoMachine,
    ];
    let number = number! {
        InVain:
        InVain::Refused(_) => 0,
        InVain::NoMessage { .. } => 1,
        InVain::NoClock => 2,
        InVain::NoMachine => 3,
    };
    each(values, number, |why, language| {
        in_vain(why, language, &time)
    });
}

#[test]
fn why_a_calendar_counts_or_not() {
    let values = [
        Why::Open,
        Why::OutsideHours,
        Why::DayOff,
        Why::Holiday(None),
        Why::Holiday(Some(name())),
        Why::UnknownYear,
    ];
    for why in values {
        speaks_both(
            &calendar_words(&why, Language::English),
            &calendar_words(&why, Language::Chinese),
        );
    }
}

#[test]
fn times_are_those_of_the_reader() {
    let late = Rejection::BadTime { latest: at() };
    assert_eq!(
        rejected_as(&late, Language::English),
        "the time must lie after now and before 09:00"
    );
    let reason = Reason::Absent { until: at() };
    let away = Rejection::CannotHave {
        person: name(),
        reason,
    };
    assert_eq!(
        rejected_as(&away, Language::English),
        "xyz can't have it: away until 09:00"
    );
}
