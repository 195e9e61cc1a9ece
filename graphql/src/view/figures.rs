//! Figures: sums with the rates that are derived from them, and who waits for whom.

use async_graphql::{Enum, ID, Object, SimpleObject};
use tongban_core::figures::{self as core, Bucket, Share, Sums};
use tongban_engine::figures::Counted;

use super::code::{Lang, in_lang};
use super::{DateTime, Revision};

/// 分组方式 / By what sums are kept apart
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
pub(crate) enum FigureGroup {
    /// 地区 / Region
    Region,
    /// 部门 / Department
    Department,
    /// 服务 / Service
    Service,
    /// 月份 / Month
    Month,
}

/// 统计结果。同一修订号、同一问题,结果相同。 / Figures. The same question at the same revision has the same answer.
pub(crate) struct Figures(pub(crate) Counted);

/// 统计结果。同一修订号、同一问题,结果相同。 / Figures. The same question at the same revision has the same answer.
#[Object]
impl Figures {
    /// 读取的修订号 / The revision that was read
    async fn revision(&self) -> Revision {
        Revision(self.0.revision)
    }

    /// 读取的办件数 / How many cases were read
    async fn cases_read(&self) -> u64 {
        self.0.cases
    }

    /// 统计自何时起 / From when
    async fn from(&self) -> Option<DateTime> {
        self.0.span.from.map(DateTime)
    }

    /// 统计至何时 / Until when; states are told as of then
    async fn until(&self) -> DateTime {
        DateTime(self.0.span.until)
    }

    /// 合计 / Everything
    async fn total(&self) -> FigureSums {
        FigureSums(self.0.figures.total())
    }

    /// 分组 / By region, department, service or month
    async fn groups(
        &self,
        #[graphql(desc = "分组方式 / By what")] by: FigureGroup,
    ) -> Vec<FigureRow> {
        let part = |bucket: &Bucket| match by {
            FigureGroup::Region => bucket.region.as_str().to_owned(),
            FigureGroup::Department => bucket.department.as_str().to_owned(),
            FigureGroup::Service => bucket.service.as_str().to_owned(),
            FigureGroup::Month => bucket.month.to_string(),
        };
        let groups = self.0.figures.by(part).into_iter();
        groups.map(|(key, sums)| FigureRow { key, sums }).collect()
    }
}

/// 一组的统计 / Figures of one group
pub(crate) struct FigureRow {
    key: String,
    sums: Sums,
}

/// 一组的统计 / Figures of one group
#[Object]
impl FigureRow {
    /// 代码,或月份如 2026-03 / Code, or a month such as 2026-03
    async fn key(&self) -> &str {
        &self.key
    }

    /// 统计 / The figures
    async fn sums(&self) -> FigureSums {
        FigureSums(self.sums.clone())
    }
}

/// 统计项:只含可相加的数,比率由其算出 / Figures: numbers that add up, and rates made of them
pub(crate) struct FigureSums(Sums);

/// 统计项:只含可相加的数,比率由其算出 / Figures: numbers that add up, and rates made of them
#[Object]
impl FigureSums {
    /// 提交的办件,计入牵头部门 / Cases submitted, counted for the lead department
    async fn cases(&self) -> u64 {
        self.0.cases
    }

    /// 送达部门的事项 / Matters given to their department
    async fn filed(&self) -> u64 {
        self.0.filed
    }

    /// 受理的事项 / Matters accepted
    async fn accepted(&self) -> u64 {
        self.0.accepted
    }

    /// 其中视为受理的 / Those that the law accepted in place of a silent office
    async fn deemed(&self) -> u64 {
        self.0.deemed
    }

    /// 办结的事项 / Matters ended
    async fn completed(&self) -> u64 {
        self.0.completed()
    }

    /// 各种办结结果 / By how they ended
    async fn endings(&self) -> Vec<FigureCount> {
        let endings = self.0.ended.iter();
        endings
            .map(|(code, count)| FigureCount { code: (*code).to_owned(), count: *count })
            .collect()
    }

    /// 承诺时限内办结率 / Ended within the promise
    async fn promised_on_time(&self) -> FigureRate {
        FigureRate::of(self.0.promised.rate())
    }

    /// 法定时限内办结率 / Ended within the limit of the law
    async fn statutory_on_time(&self) -> FigureRate {
        FigureRate::of(self.0.statutory.rate())
    }

    /// 平均办理工作日,精确到百分之一;没有按工作日承诺的办结事项时为空 / Average working days used, to hundredths; null without such matters
    async fn average_days(&self) -> Option<String> {
        self.0.used.average().hundredths().map(decimal)
    }

    /// 平均承诺工作日 / Average working days promised
    async fn average_promised_days(&self) -> Option<String> {
        self.0.used.promised_average().hundredths().map(decimal)
    }

    /// 补正次数 / Corrections asked
    async fn corrections(&self) -> u64 {
        self.0.corrections
    }

    /// 每个事项的平均补正次数 / Corrections for each matter filed
    async fn corrections_per_matter(&self) -> Option<String> {
        self.0.corrections_per_matter().hundredths().map(decimal)
    }

    /// 每个办件的平均补正次数,计入牵头部门和提交月份 / Corrections for each case submitted, whichever department asked; counted for the lead department in the month of submission
    async fn corrections_per_case(&self) -> Option<String> {
        self.0.corrections_per_case().hundredths().map(decimal)
    }

    /// 中止次数 / Suspensions
    async fn suspensions(&self) -> u64 {
        self.0.suspensions
    }

    /// 受理当日即中止的次数 / Suspensions on the very day of the acceptance
    async fn suspended_at_once(&self) -> u64 {
        self.0.suspended_at_once
    }

    /// 中止的工作日总数 / Working days suspended
    async fn suspended_days(&self) -> u64 {
        self.0.suspended_days
    }

    /// 正在中止的事项 / Matters whose clocks stand still now
    async fn suspended_now(&self) -> u64 {
        self.0.suspended_now
    }

    /// 材料减免 / Materials that need not be handed in
    async fn exemption(&self) -> FigureExemption {
        FigureExemption::of(&self.0.exemption)
    }

    /// 督办牌,按级别和责任岗位 / Cards by level and office
    async fn cards(&self) -> Vec<FigureCards> {
        let cards = self.0.cards.iter();
        cards
            .map(|((level, office), cards)| FigureCards {
                level: level.code(),
                office: office.clone(),
                raised: cards.raised,
                answered: cards.answered,
                lifted: cards.lifted,
            })
            .collect()
    }
}

/// 代码及其数目 / A code and how many
#[derive(Clone, Debug, SimpleObject)]
pub(crate) struct FigureCount {
    /// 代码 / The code
    code: String,
    /// 数目 / How many
    count: u64,
}

/// 比率 / A rate
#[derive(Clone, Copy, Debug, SimpleObject)]
pub(crate) struct FigureRate {
    /// 分子 / The part
    part: u64,
    /// 分母 / The whole
    whole: u64,
    /// 千分比,向下取整;分母为零时为空 / In tenths of a percent, rounded down; null of nothing
    permille: Option<u64>,
}

impl FigureRate {
    fn of(share: Share) -> Self {
        Self { part: share.part, whole: share.whole, permille: share.permille() }
    }
}

/// 材料减免:按(材料,事项)对计算 / Exemption, by pairs of material and matter
#[derive(Clone, Debug, SimpleObject)]
pub(crate) struct FigureExemption {
    /// 全部材料要求 / All pairs required
    required: u64,
    /// 申请人提交的 / Pairs that the applicant handed in
    handed_in: u64,
    /// 尚未取得的 / Pairs that are not met yet
    open: u64,
    /// 实际减免率 / What was met without a hand-in
    actual: FigureRate,
    /// 设计减免率 / What the services do not mean to have handed in
    design: FigureRate,
    /// 减免方式 / Ways in which pairs were met without a hand-in
    by_cause: Vec<FigureCount>,
    /// 转为上传的原因 / Why pairs fell to the applicant after all
    fallbacks: Vec<FigureCount>,
}

impl FigureExemption {
    fn of(of: &core::Exemption) -> Self {
        let counts = |counts: &std::collections::BTreeMap<&'static str, u64>| {
            let counts = counts.iter();
            let count = |(code, count): (&&str, &u64)| FigureCount {
                code: (*code).to_owned(),
                count: *count,
            };
            counts.map(count).collect()
        };
        Self {
            required: of.pairs,
            handed_in: of.handed_in,
            open: of.open,
            actual: FigureRate::of(of.actual()),
            design: FigureRate::of(of.design()),
            by_cause: counts(&of.by_cause),
            fallbacks: counts(&of.fallbacks),
        }
    }
}

/// 某级别、某岗位的督办牌 / Cards of one level for one office
#[derive(Clone, Debug, SimpleObject)]
pub(crate) struct FigureCards {
    /// 级别代码:reminder、yellow、red / Code of the level
    level: &'static str,
    /// 责任岗位,如 natural-resources.head / Whom they are addressed to
    office: String,
    /// 有效的牌 / Cards that count
    raised: u64,
    /// 其中已答复的 / Those answered
    answered: u64,
    /// 申诉成立而撤销的 / Cards that an upheld appeal lifted
    lifted: u64,
}

/// 谁在等谁 / Who waits for whom
pub(crate) struct StuckMatters(pub(crate) Counted);

/// 谁在等谁 / Who waits for whom
#[Object]
impl StuckMatters {
    /// 读取的修订号 / The revision that was read
    async fn revision(&self) -> Revision {
        Revision(self.0.revision)
    }

    /// 截至何时 / As of when
    async fn until(&self) -> DateTime {
        DateTime(self.0.span.until)
    }

    /// 按被等待方汇总 / By who is waited for
    async fn parties(&self) -> Vec<WaitedFor> {
        let waiting = self.0.figures.waiting.iter();
        waiting
            .map(|((party, who), waiting)| WaitedFor {
                party: (*party).to_owned(),
                who: who.clone(),
                matters: waiting.matters,
                days: waiting.days,
                longest: waiting.longest,
            })
            .collect()
    }

    /// 等得最久的事项,最久者在前 / The matters that wait longest, longest first
    async fn matters(
        &self,
        #[graphql(desc = "最多多少条,1 到 200 / At most so many, 1 to 200")] first: i32,
        #[graphql(desc = "至少等了多少个工作日 / Only those that wait so many working days")]
        days: Option<u32>,
    ) -> Vec<StuckMatter> {
        let most = usize::try_from(first).unwrap_or(0);
        let least = days.unwrap_or(0);
        let stuck = self.0.stuck.iter().filter(|stuck| stuck.days >= least).take(most);
        stuck.cloned().map(StuckMatter).collect()
    }
}

/// 被等待的一方 / Somebody who is waited for
#[derive(Clone, Debug, SimpleObject)]
pub(crate) struct WaitedFor {
    /// 类别代码,如 applicant、department、agency / Code of the kind of party
    party: String,
    /// 名称:岗位、连接器、事项;申请人为空 / A role, a connector, matters; empty for the applicant
    who: String,
    /// 在等的事项数 / Matters that wait
    matters: u64,
    /// 等待的工作日合计 / Their working days, added up
    days: u64,
    /// 最长的工作日数 / The longest of them
    longest: u32,
}

/// 一个在等的事项 / A matter that waits
pub(crate) struct StuckMatter(core::Stuck);

/// 一个在等的事项 / A matter that waits
#[Object]
impl StuckMatter {
    /// 办件标识 / Id of its case
    async fn case_id(&self) -> ID {
        ID(self.0.case.to_string())
    }

    /// 办件编号 / Public number of its case
    async fn number(&self) -> &str {
        &self.0.number
    }

    /// 事项在办件中的序号 / Its number in the case
    async fn no(&self) -> u16 {
        self.0.matter.0
    }

    /// 事项名称 / Its name
    async fn title(&self) -> &str {
        &self.0.name
    }

    /// 部门代码 / Code of its department
    async fn department(&self) -> &str {
        self.0.department.as_str()
    }

    /// 被等待方的类别代码 / Code of the kind of party that is waited for
    async fn party(&self) -> &str {
        self.0.party.code()
    }

    /// 被等待方;申请人为空 / Who it is; empty for the applicant
    async fn who(&self) -> &str {
        &self.0.who
    }

    /// 自何时起 / Since when
    async fn since(&self) -> DateTime {
        DateTime(self.0.since)
    }

    /// 已等的工作日 / Working days since then
    async fn days(&self) -> u32 {
        self.0.days
    }

    /// 时限,如有 / When the monitored clock is due
    async fn until(&self) -> Option<DateTime> {
        self.0.until.map(DateTime)
    }

    /// 一句话说明 / One plain sentence
    async fn text(
        &self,
        #[graphql(desc = "语言,默认中文 / Language, Chinese by default")] lang: Option<Lang>,
    ) -> &str {
        in_lang(lang, &self.0.zh, &self.0.en)
    }
}

/// Writes hundredths as a decimal.
fn decimal(hundredths: u64) -> String {
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}
