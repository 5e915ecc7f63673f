//! What a fact says about people outside: the values of fields, and what somebody wrote. A store keeps it
//! apart from the rest, under a key that can be destroyed, so that it can be erased from a journal that
//! can't be changed.

use super::{Cause, ClockMove, Fact};
use crate::Value;

/// One such thing, in its place in the fact.
#[derive(Debug, PartialEq)]
pub enum Personal<'a> {
    /// What somebody wrote.
    Text(&'a mut String),
    /// What a field holds.
    Value(&'a mut Value),
}

impl Fact {
    /// Shows everything personal in the fact to `each`, always in the same order.
    ///
    /// A place stays a place when it is emptied: a fact whose texts were taken out has the same places, so
    /// that they can be put back. Names of people of the directory, and the key by which another system
    /// knows the ticket, are not personal in this sense.
    ///
    /// ```
    /// use upline_core::event::Personal;
    /// use upline_core::{Actor, Fact};
    ///
    /// let mut fact = Fact::Commented {
    ///     branch: "".into(),
    ///     by: Actor::Person("ann".into()),
    ///     text: "Mr Low is ill".into(),
    ///     to_caller: false,
    /// };
    /// let mut taken = Vec::new();
    /// fact.each_personal(&mut |place| {
    ///     if let Personal::Text(text) = place {
    ///         taken.push(std::mem::take(text));
    ///     }
    /// });
    /// assert_eq!(taken, ["Mr Low is ill"]);
    /// ```
    pub fn each_personal(&mut self, each: &mut dyn FnMut(Personal<'_>)) {
        match self {
            Self::FieldsSet { values, .. } => {
                let values = values.iter_mut().filter_map(|(_, value)| value.as_mut());
                values.for_each(|value| each(Personal::Value(value)));
            }
            Self::RunStarted { body, .. } => body
                .iter_mut()
                .for_each(|(_, value)| each(Personal::Value(value))),
            Self::Called { fields, .. } => fields
                .iter_mut()
                .for_each(|(_, value)| each(Personal::Value(value))),
            Self::Commented { text, .. } => each(Personal::Text(text)),
            Self::RunFailed { reason, .. } => each(Personal::Text(reason)),
            Self::Acted { note: said, .. }
            | Self::Delivery { detail: said, .. }
            | Self::Suspended { reason: said, .. } => {
                said.iter_mut().for_each(|said| each(Personal::Text(said)));
            }
            Self::ClockMoved { how, .. } => match how {
                ClockMove::Changed { reason } => each(Personal::Text(reason)),
                ClockMove::AnswerBy | ClockMove::Held => (),
            },
            Self::Hopped(hop) => of_cause(&mut hop.cause, each),
            Self::Entered { cause, .. }
            | Self::LevelReached { cause, .. }
            | Self::Resumed { cause, .. }
            | Self::Ended { cause, .. } => of_cause(cause, each),
            Self::Opened { .. }
            | Self::LevelPassed { .. }
            | Self::Reminded { .. }
            | Self::Notified { .. }
            | Self::Ticked { .. }
            | Self::Promise { .. }
            | Self::BranchEnded { .. }
            | Self::Migrated { .. } => (),
        }
    }
}

fn of_cause(cause: &mut Cause, each: &mut dyn FnMut(Personal<'_>)) {
    if let Cause::Person {
        reason: Some(reason),
        ..
    } = cause
    {
        each(Personal::Text(reason));
    }
}
