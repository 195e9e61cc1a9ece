//! Supervision cards. Applicants are never given one.

use async_graphql::{ID, Object, SimpleObject};
use tongban_core::card;
use tongban_core::id::CaseId;

use super::code::{CardAnswerKind, CardLevel, ClockKind, Lang};
use super::{Case, CaseMatter, DateTime, EntryKind, write_entry_id};

/// A card of a case that the viewer may see.
pub(crate) struct Card {
    case: Case,
    card: card::Card,
}

impl Card {
    /// Puts a card beside its case.
    pub(crate) fn of(case: Case, card: card::Card) -> Self {
        Self { case, card }
    }
}

/// 对督办牌的一次处理 / Something that was done about a card
#[derive(SimpleObject)]
pub(crate) struct CardAnswer {
    /// 时间 / When
    at: DateTime,
    /// 何人 / Who
    by: String,
    /// 何种处理 / What
    kind: CardAnswerKind,
    /// 内容 / The words
    text: String,
}

/// 督办牌:提醒、黄牌、红牌 / A supervision card: reminder, yellow, red
#[Object]
impl Card {
    /// 标识 / Id
    async fn id(&self) -> ID {
        let case: CaseId = self.case.row().case;
        write_entry_id(EntryKind::Card, case, self.card.no)
    }

    /// 级别 / Level
    async fn level(&self) -> CardLevel {
        self.card.raised.level.into()
    }

    /// 级别名称 / Name of the level
    async fn level_label(
        &self,
        #[graphql(desc = "语言,默认中文 / Language, Chinese by default")] lang: Option<Lang>,
    ) -> String {
        CardLevel::label(self.card.raised.level, lang)
    }

    /// 规则代码 / Id of the rule
    async fn rule(&self) -> &str {
        &self.card.raised.rule
    }

    /// 针对哪个期限 / The clock that it is about
    async fn clock(&self) -> ClockKind {
        self.card.raised.clock.into()
    }

    /// 事项 / The matter
    async fn case_matter(&self) -> Option<CaseMatter> {
        self.case.matter(self.card.matter)
    }

    /// 触发时间 / When it was raised
    async fn at(&self) -> DateTime {
        self.card.raised.at.into()
    }

    /// 该期限的到期时间 / When the clock is due
    async fn due_at(&self) -> DateTime {
        self.card.raised.due.into()
    }

    /// 督办对象,如 transport.approver / Whom it is addressed to, such as transport.approver
    async fn to(&self) -> &str {
        &self.card.raised.to
    }

    /// 答复期限;无需答复则为空 / When the reply is due; null when none is asked
    async fn reply_due_at(&self) -> Option<DateTime> {
        self.card.raised.reply_due.map(DateTime)
    }

    /// 是否计入考核;申诉成立则不计 / Whether it counts; not once an appeal was upheld
    async fn counts(&self) -> bool {
        self.card.counts()
    }

    /// 是否有申诉待裁定 / Whether an appeal waits for the supervisor
    async fn is_appealed(&self) -> bool {
        self.card.is_appealed()
    }

    /// 答复与申诉,从早到晚 / What was done about it, oldest first
    async fn answers(&self) -> Vec<CardAnswer> {
        let answers = self.card.answers.iter();
        answers
            .map(|(at, by, answer)| CardAnswer {
                at: (*at).into(),
                by: by.clone(),
                kind: answer.kind.into(),
                text: answer.text.clone(),
            })
            .collect()
    }
}
