//! Who holds things up, in one sentence.

use async_graphql::Object;
use tongban_core::waiting;
use tongban_engine::CaseView;

use super::DateTime;
use super::code::{Lang, WaitingKind, in_lang};

/// Who is waited for.
pub(crate) struct WaitingOn(pub(crate) waiting::WaitingOn);

/// 正在等谁、等到何时、下一步是什么 / Who is waited for, until when, and what comes next
#[Object]
impl WaitingOn {
    /// 哪一类人或系统 / The kind of party
    async fn kind(&self) -> WaitingKind {
        self.0.party.into()
    }

    /// 具体是谁:角色、连接器或事项;等申请人时为空 / Who it is: a role, a connector, matters; null for the applicant
    async fn party(&self) -> Option<&str> {
        Some(self.0.who.as_str()).filter(|who| !who.is_empty())
    }

    /// 从何时起 / Since when
    async fn since(&self) -> DateTime {
        self.0.since.into()
    }

    /// 到何时为止;无计时则为空 / Until when, if a clock runs
    async fn until(&self) -> Option<DateTime> {
        self.0.until.map(DateTime)
    }

    /// 下一步,一句话 / The next step, in one sentence
    async fn next_step(
        &self,
        #[graphql(desc = "语言,默认中文 / Language, Chinese by default")] lang: Option<Lang>,
    ) -> &str {
        in_lang(lang, &self.0.zh, &self.0.en)
    }
}

/// Returns what a case as a whole waits on: of its matters that wait for someone outside, the one
/// that is due first; else any that is open.
pub(crate) fn case_waiting(view: &CaseView) -> Option<WaitingOn> {
    let case = view.case();
    let waits = case.matters.iter().filter_map(|matter| view.waiting_on(matter));
    let first = waits.min_by_key(|on| {
        let inward = matches!(
            on.party,
            waiting::WaitingParty::EarlierMatters | waiting::WaitingParty::Engine
        );
        (inward, on.until.is_none(), on.until, on.since)
    });
    first.map(WaitingOn)
}
