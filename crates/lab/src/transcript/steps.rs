//! Steps that come one by one, and not from a transcript: for simulations.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use upline_core::{Actor, Name, Typed};
use upline_dsl::{FileId, Site};

use super::Setting;
use super::cursor::{self, Cursor};
use super::deed::Deed;
use super::lex::tokens;
use super::moment::instant;
use super::parse::Parser;
use super::player::{Fault, Player};
use super::script::StepKind;
use crate::render::Language;
use crate::world::{Log, World};

/// What was rejected, and when.
pub(crate) type Rejections = Vec<(Timestamp, String)>;

/// Reads and plays steps one by one.
pub(crate) struct Steps<'a> {
    setting: &'a Setting,
    zone: TimeZone,
    parser: Parser<'a>,
    player: Player<'a>,
}

impl<'a> Steps<'a> {
    pub(crate) fn new(setting: &'a Setting, zone: TimeZone, language: Language) -> Self {
        let parser = Parser::new(&setting.workflows, &setting.main, &setting.directory);
        Self {
            setting,
            parser,
            player: Player::new(setting, zone.clone(), language),
            zone,
        }
    }

    pub(crate) fn go_to(&mut self, at: Timestamp) {
        self.player.go_to(at);
    }

    /// Opens the ticket that is simulated, or says why not.
    pub(crate) fn open(&mut self, by: &Actor, ticket: &Name, fields: &Typed) -> Result<(), String> {
        self.parser.opens_one(ticket.clone());
        let deed = Deed::Open {
            by: by.clone(),
            workflow: self.setting.main.clone(),
            ticket: ticket.clone(),
            key: None,
            fields: fields.clone(),
        };
        let before = self.player.rejected.len();
        let played = self.player.play(&deed).map_err(|(_, message)| message);
        played.and_then(|()| match self.player.rejected.get(before) {
            Some((_, text)) => Err(text.clone()),
            None => Ok(()),
        })
    }

    /// Reads what somebody does.
    pub(crate) fn read(&mut self, text: &str, file: FileId) -> Result<Deed, cursor::Fault> {
        self.parser.step(StepKind::Deed, text, 0, file)
    }

    /// Reads a time that stands at byte `start` of a file, and says when it is after `now`.
    pub(crate) fn time(
        &self,
        text: &str,
        start: usize,
        file: FileId,
        now: Timestamp,
    ) -> Result<Timestamp, Fault> {
        let fault = |fault: cursor::Fault| (Site::new(file, fault.span), fault.message);
        let end = start + text.len();
        let unclosed = |_| (Site::new(file, start..end), "this is no time".to_owned());
        let tokens = tokens(text, start).map_err(unclosed)?;
        let mut cursor = Cursor::new(&tokens, file, end);
        let when = cursor.when().map_err(fault)?;
        cursor.done().map_err(fault)?;
        instant(&when, Some(now), &self.zone)
    }

    pub(crate) fn play(&mut self, deed: &Deed) -> Result<(), Fault> {
        self.player.play(deed)
    }

    /// The world as the steps left it, and what was rejected.
    pub(crate) fn into_world(self) -> Option<(World<Log>, Rejections)> {
        Some((self.player.world?, self.player.rejected))
    }
}
