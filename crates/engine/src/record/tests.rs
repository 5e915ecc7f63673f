use upline_core::ticket::{Branch, Holder};
use upline_core::{Actor, Cause, Fact, Value};

use super::*;

fn events() -> Vec<Event> {
    let at = "2026-03-06T09:20:00.123Z".parse().unwrap();
    let number = Value::Number("12.50".parse().unwrap());
    let facts = [
        Fact::FieldsSet {
            by: Actor::Person("tom".into()),
            values: vec![
                ("caller".into(), Some(Value::Text("Mr Low".into()))),
                ("sum".into(), Some(number)),
                ("gone".into(), None),
            ],
        },
        Fact::Entered {
            branch: Branch::default(),
            state: "open".into(),
            visit: 1,
            cause: Cause::Person {
                operation: upline_core::Operation::Release,
                by: Actor::Person("tom".into()),
                reason: Some("I am ill".into()),
            },
            clocks: Vec::new(),
            holder: Holder::Assignee("tom".into()),
            taken: false,
        },
    ];
    let event = |fact| Event { at, fact };
    facts.map(event).into()
}

#[test]
fn what_is_personal_is_taken_out_and_put_back() {
    let whole = events();
    let mut bare = whole.clone();
    let secrets = take_events(&mut bare).unwrap();
    let bytes = encode(&bare, Vec::new()).unwrap();
    for text in ["Mr Low", "12.50", "I am ill"] {
        let plain = |bytes: &[u8]| bytes.windows(text.len()).any(|at| at == text.as_bytes());
        assert!(!plain(&bytes), "{text}");
        assert!(plain(&secrets), "{text}");
    }
    let mut read: Vec<Event> = decode(&bytes).unwrap();
    assert_eq!(read, bare);
    restore_events(&mut read, &secrets).unwrap();
    assert_eq!(read, whole);
}

#[test]
fn another_form_is_refused_and_so_is_anything_else() {
    assert_eq!(decode::<Commit>(&[]), Err(Unreadable::Empty));
    assert_eq!(decode::<Commit>(&[2, 0]), Err(Unreadable::Form(2)));
    let cut = decode::<Commit>(&[FORM, 1]);
    assert!(matches!(cut, Err(Unreadable::Bytes(_))), "{cut:?}");
}
