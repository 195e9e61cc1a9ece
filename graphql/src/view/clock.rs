//! Time limits and their lights, derived when they are read.

use async_graphql::{Object, SimpleObject};
use tongban_core::calendar::Due;
use tongban_core::case::Matter;
use tongban_core::law::{Clock, ClockKind as LawClock};
use tongban_core::time::{self, Moment};
use tongban_engine::CaseView;

use super::DateTime;
use super::code::{ClockKind, Lang, Light, PeriodUnit};

/// A light turns yellow when no more than one part in so many of the time is left.
const YELLOW_PARTS: i64 = 5;

/// 期限长度:数量、单位和日历 / A length of time: amount, unit and calendar
#[derive(Clone, Debug, SimpleObject)]
pub(crate) struct Period {
    /// 数量 / How many
    amount: u32,
    /// 单位 / Unit
    unit: PeriodUnit,
    /// 所用节假日表版本;尚未启动时为空 / Version of the holiday table; null before the clock is set
    calendar: Option<String>,
}

impl Period {
    /// Shows a period as it was declared.
    pub(crate) fn declared(period: time::Period) -> Self {
        Self { amount: period.amount, unit: period.unit.into(), calendar: None }
    }
}

/// A clock of a matter at the moment it was read.
pub(crate) struct TimeLimit {
    clock: Clock,
    due: Due,
    used_days: u32,
    calendar: Option<String>,
    operation: Option<String>,
}

impl TimeLimit {
    /// Reads a clock of a matter.
    pub(crate) fn of(view: &CaseView, matter: &Matter, clock: &Clock) -> Self {
        Self {
            clock: clock.clone(),
            due: view.due(matter, clock),
            used_days: view.used_days(matter, clock),
            calendar: matter.filed.as_ref().map(|filed| filed.calendar.clone()),
            operation: operation(view, clock),
        }
    }
}

/// 时限:预算、已用和到期时间 / A time limit: budget, use and due time
#[Object]
impl TimeLimit {
    /// 类别 / What it measures
    async fn kind(&self) -> ClockKind {
        self.clock.kind.into()
    }

    /// 类别名称 / Name of the kind
    async fn kind_label(
        &self,
        #[graphql(desc = "语言,默认中文 / Language, Chinese by default")] lang: Option<Lang>,
    ) -> String {
        ClockKind::label(self.clock.kind, lang)
    }

    /// 针对什么:容缺材料代码、调用标识;其他期限为空 / What it is about: the promised material, the call; null for other clocks
    async fn about(&self) -> Option<&str> {
        Some(self.clock.about.as_str()).filter(|about| !about.is_empty())
    }

    /// 系统办理期限:所调用的操作,如 tax.status;其他期限为空 / The operation that an agency is to answer, such as tax.status; null for other clocks
    async fn operation(&self) -> Option<&str> {
        self.operation.as_deref()
    }

    /// 延期增加的数量,单位同 period / Units that an extension added, in the unit of the period
    async fn extended_by(&self) -> u32 {
        self.clock.more
    }

    /// 期限长度 / How long
    async fn period(&self) -> Period {
        let declared = Period::declared(self.clock.budget);
        Period { calendar: self.calendar.clone(), ..declared }
    }

    /// 已计入的工作日 / Working days counted so far
    async fn used_working_days(&self) -> u32 {
        self.used_days
    }

    /// 起算时间;当日不计 / When it started; the day itself does not count
    async fn started_at(&self) -> DateTime {
        self.clock.since.into()
    }

    /// 停止时间 / When it stopped for good
    async fn stopped_at(&self) -> Option<DateTime> {
        self.clock.stopped.map(DateTime)
    }

    /// 到期时间 / Last moment that is in time
    async fn due_at(&self) -> DateTime {
        self.due.at.into()
    }

    /// 逾期后果生效时所记录的到期时间;尚无后果则为空 / The due time by which the consequence of its passing was recorded; null without one
    async fn fired_at(&self) -> Option<DateTime> {
        self.clock.fired.map(DateTime)
    }

    /// 到期时间是否暂定(超出已发布的节假日表) / Whether the due time is provisional: past the published holidays
    async fn provisional(&self) -> bool {
        self.due.provisional
    }
}

/// Returns what the call of an agency's clock asks for.
fn operation(view: &CaseView, clock: &Clock) -> Option<String> {
    if clock.kind != LawClock::Connector {
        return None;
    }
    let call = view.case().calls.get(&clock.about.parse().ok()?)?;
    view.case().operation_of(call).map(ToOwned::to_owned)
}

/// Returns the light of a span that ends at `due`.
pub(crate) fn light(since: Moment, due: Moment, now: Moment) -> Light {
    let left = due.since(now);
    let total = due.since(since);
    match () {
        () if left < 0 => Light::Red,
        () if left.saturating_mul(YELLOW_PARTS) <= total => Light::Yellow,
        () => Light::Green,
    }
}

/// Returns the light of a matter; none while no clock of it has started.
pub(crate) fn matter_light(view: &CaseView, matter: &Matter) -> Option<Light> {
    let intake = matter.law.clocks().iter().find(|clock| clock.kind == LawClock::Acceptance);
    let clock = view.handling_clock(matter).or(intake)?;
    let due = view.due(matter, clock).at;
    if let Some(stopped) = clock.stopped {
        return Some(if stopped > due { Light::Red } else { Light::Blue });
    }
    if matter.law.suspended().is_some() {
        return Some(Light::Grey);
    }
    Some(light(clock.since, due, view.now()))
}

/// Returns the light of a case: the gravest of its matters'.
pub(crate) fn case_light(view: &CaseView) -> Option<Light> {
    let included = view.case().matters.iter().filter(|matter| matter.is_included());
    included.filter_map(|matter| matter_light(view, matter)).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_light_goes_from_green_over_yellow_to_red() {
        let at = |minutes: i64| Moment::from_millis(minutes * 60_000);
        let light_at = |minutes| light(at(0), at(100), at(minutes));
        assert_eq!(light_at(0), Light::Green);
        assert_eq!(light_at(79), Light::Green);
        assert_eq!(light_at(80), Light::Yellow);
        assert_eq!(light_at(100), Light::Yellow);
        assert_eq!(light_at(101), Light::Red);
    }

    #[test]
    fn a_red_light_outshines_every_other() {
        assert_eq!([Light::Blue, Light::Red, Light::Grey].into_iter().max(), Some(Light::Red));
    }
}
