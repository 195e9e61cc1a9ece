//! Supervision cards (督办): reminder, yellow, red, raised by rules over the same clocks that
//! everything else uses, outside scripts. A card is never deleted, only answered or appealed.

use serde::{Deserialize, Serialize};

use crate::id::Seq;
use crate::law::ClockKind;
use crate::time::Moment;

pub use crate::organisation::card_rules::CardLevel;

/// A card that was raised: one rung of one rule over one clock, once.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct CardRaised {
    /// Id of the rule.
    pub rule: String,
    /// Version of the rules that were read.
    pub rules_version: String,
    /// How loud.
    pub level: CardLevel,
    /// The clock that it is about.
    pub clock: ClockKind,
    /// What the clock is about, if it is one of several of its kind.
    pub about: String,
    /// When the clock had started: a clock that starts anew begins its rungs anew.
    pub since: Moment,
    /// The instant of the rung.
    pub at: Moment,
    /// When the clock is due.
    pub due: Moment,
    /// Whom it is addressed to: `department.role`.
    pub to: String,
    /// When the reply is due, if one is asked.
    pub reply_due: Option<Moment>,
}

/// What somebody did about a card.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct CardAnswer {
    /// Entry that raised the card.
    pub card: Seq,
    /// What.
    pub kind: CardAnswerKind,
    /// His words.
    pub text: String,
}

/// What can be done about a card.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub enum CardAnswerKind {
    /// The office replies.
    Reply,
    /// The office appeals (申诉).
    Appeal,
    /// The supervisor upholds the appeal: the card does not count.
    AppealUpheld,
    /// The supervisor rejects the appeal.
    AppealRejected,
}

/// A card as the log has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Card {
    /// Entry that raised it.
    pub no: Seq,
    /// The matter.
    pub matter: crate::id::MatterNo,
    /// What was raised.
    pub raised: std::sync::Arc<CardRaised>,
    /// What was done about it, in order: when, who, what.
    pub answers: Vec<(Moment, String, std::sync::Arc<CardAnswer>)>,
}

impl Card {
    /// Tells whether an appeal waits for the supervisor, whatever the office added to it.
    pub fn is_appealed(&self) -> bool {
        self.has(CardAnswerKind::Appeal)
            && self.counts()
            && !self.has(CardAnswerKind::AppealRejected)
    }

    /// Tells whether the card still counts.
    pub fn counts(&self) -> bool {
        !self.has(CardAnswerKind::AppealUpheld)
    }

    fn has(&self, kind: CardAnswerKind) -> bool {
        self.answers.iter().any(|(_, _, answer)| answer.kind == kind)
    }
}
