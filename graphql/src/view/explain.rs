//! The count behind a clock, day by day.

use async_graphql::{Object, SimpleObject};
use tongban_core::calendar::{ExplainedDay, Explanation};

use super::code::{DayReason, Lang, in_lang};
use super::{Date, DateTime};

/// 期限的逐日计算 / The count behind a clock, day by day
#[derive(SimpleObject)]
pub(crate) struct ClockExplanation {
    /// 到期时间 / Last moment that is in time
    due_at: DateTime,
    /// 到期时间是否暂定(超出已发布的节假日表) / Whether the due time is provisional: past the published holidays
    provisional: bool,
    /// 所用节假日表版本 / Version of the holiday table
    calendar: String,
    /// 是否将相邻同类日期合并为一行 / Whether neighbouring days of one kind share a line
    merged: bool,
    /// 各日,从起算事件当日到最后计入日 / The days, from that of the event to the last one counted
    days: Vec<ClockDay>,
}

impl ClockExplanation {
    /// Shows a count that was made with a version of a calendar.
    pub(crate) fn of(explanation: Explanation, calendar: &str) -> Self {
        Self {
            due_at: explanation.due.at.into(),
            provisional: explanation.due.provisional,
            calendar: calendar.to_owned(),
            merged: explanation.is_merged(),
            days: explanation.days.into_iter().map(ClockDay).collect(),
        }
    }
}

/// 期限计算中的一日,或相邻的几日 / A day of a count, or several neighbouring ones
pub(crate) struct ClockDay(ExplainedDay);

/// 期限计算中的一日,或相邻的几日 / A day of a count, or several neighbouring ones
#[Object]
impl ClockDay {
    /// 日期;多日时为首日 / The day; the first of several
    async fn date(&self) -> Date {
        Date(self.0.date)
    }

    /// 末日;只有一日时与 date 相同 / The last day; the same as date for one
    async fn last(&self) -> Date {
        Date(self.0.last)
    }

    /// 是否计入 / Whether it was counted
    async fn counted(&self) -> bool {
        self.0.counted
    }

    /// 原因 / Why
    async fn why(&self) -> DayReason {
        (&self.0.why).into()
    }

    /// 截至此日累计;按小时或分钟的期限以毫秒计 / All that was counted up to it; milliseconds for limits in hours or minutes
    async fn total(&self) -> i64 {
        self.0.total
    }

    /// 是否暂定(超出已发布的节假日表) / Whether a notice may still change it: past the published holidays
    async fn provisional(&self) -> bool {
        self.0.provisional
    }

    /// 一句话说明 / One sentence
    async fn text(
        &self,
        #[graphql(desc = "语言,默认中文 / Language, Chinese by default")] lang: Option<Lang>,
    ) -> &str {
        in_lang(lang, &self.0.zh, &self.0.en)
    }

    /// 依据:法律、通知或日历及其版本 / What it rests on: the law, the notice, or the calendar with its version
    async fn source(&self) -> &str {
        &self.0.source
    }
}
