//! `tongban scripts explain`: the guide that an applicant would get for given answers.
//!
//! Open questions are asked back, because a guide that guesses is worse than none. The text is
//! for whoever writes the service; the sheet is what the applicant takes home.

use std::fmt::Write as _;

use tongban_core::guide::{
    Bring, Guide, GuidedMatter, LimitBasis, Requirement, Stretch, Supply, Words, limit_words,
    list_words,
};
use tongban_core::id::RegionCode;
use tongban_core::port::WireClock as _;
use tongban_core::time::Period;
use tongban_core::value::Value;
use tongban_engine::clock::SystemClock;
use tongban_engine::document::{
    GuideAnswer, GuideFee, GuideMaterial, GuideMatter, GuideSheet, GuideTotal, GuideWay,
    render_guide,
};

use super::args::{ExplainArguments, GuideFormat, Language};
use super::error::ProgramError;
use super::output;
use super::scripts_situation::{Situation, asked_back};

/// Prints the guide, or asks for the answers that are missing.
pub(crate) fn run(arguments: &ExplainArguments) -> Result<(), ProgramError> {
    let situation = Situation::read(&arguments.situation)?;
    let open = situation.open();
    if !open.is_empty() {
        let given = situation.answers.as_ref().unwrap_or(&Value::Null);
        output::tell(&asked_back(&open, given));
        return Err(ProgramError::AnswersMissing(open.len()));
    }
    let guide = situation.guide()?;
    let shown = match arguments.format {
        GuideFormat::Text => Page::of(&guide, arguments.lang),
        GuideFormat::Json => {
            serde_json::to_string_pretty(&guide).expect("a guide has only text names and numbers")
        }
        GuideFormat::Html => {
            let regions: Vec<&str> =
                situation.closure.service.regions.iter().map(RegionCode::as_str).collect();
            let sheet = sheet(&guide, &regions.join("、"));
            String::from_utf8(render_guide(&sheet)).expect("a sheet is text")
        }
    };
    output::data(shown.trim_end());
    Ok(())
}

/// The guide as text in one language.
struct Page {
    lang: Language,
    text: String,
}

impl Page {
    fn of(guide: &Guide, lang: Language) -> String {
        let mut page = Self { lang, text: String::new() };
        page.head(guide);
        page.situation(guide);
        page.matters(guide);
        page.materials(guide);
        page.form(guide);
        page.time(guide);
        page.exemption(guide);
        page.warnings(guide);
        page.text
    }

    fn line(&mut self, line: &str) {
        writeln!(self.text, "{line}").expect("a text can be written to");
    }

    fn heading(&mut self, zh: &str, en: &str) {
        let heading = self.say(zh, en).to_owned();
        self.line("");
        self.line(&heading);
    }

    fn say<'a>(&self, zh: &'a str, en: &'a str) -> &'a str {
        match self.lang {
            Language::Zh => zh,
            Language::En => en,
        }
    }

    fn of_words<'a>(&self, words: &'a Words) -> &'a str {
        self.say(&words.zh, &words.en)
    }

    fn limit(&self, period: Option<Period>) -> String {
        period
            .map_or_else(|| "—".to_owned(), |period| self.of_words(&limit_words(period)).to_owned())
    }

    fn head(&mut self, guide: &Guide) {
        let title =
            format!("{} · {}", self.of_words(&guide.name), self.say("一次告知", "one-time notice"));
        self.line(&title);
        let version = guide.version.hex();
        let line = format!(
            "{} {}  {} {}",
            self.say("牵头部门", "led by"),
            guide.lead,
            self.say("版本", "version"),
            &version[..12]
        );
        self.line(&line);
    }

    fn situation(&mut self, guide: &Guide) {
        if guide.situation.is_empty() {
            return;
        }
        self.heading("您的情形", "Your situation");
        for one in &guide.situation {
            let line = format!("  {} {}", self.of_words(&one.label), self.of_words(&one.words));
            self.line(&line);
        }
    }

    fn matters(&mut self, guide: &Guide) {
        let count = guide.matters.len();
        self.heading(&format!("需办理的事项({count})"), &format!("Matters ({count})"));
        for matter in &guide.matters {
            self.matter(matter);
        }
        if !guide.skipped.is_empty() {
            let names = list_words(guide.skipped.iter().map(|one| &one.name));
            let line =
                format!("  {}{}", self.say("本情形不需要:", "not needed: "), self.of_words(&names));
            self.line(&line);
        }
    }

    fn matter(&mut self, matter: &GuidedMatter) {
        let line = format!(
            "  {:>2}. {}  [{}]",
            matter.no,
            self.of_words(&matter.matter.name),
            matter.department
        );
        self.line(&line);
        let limits = format!(
            "      {} {}, {} {}",
            self.say("承诺", "promised"),
            self.limit(matter.limits.promised),
            self.say("法定", "by law"),
            self.limit(matter.limits.statutory)
        );
        self.line(&limits);
        let (intake, place) = (matter.intake_words(), matter.decides_in_words());
        let how = format!("      {}; {}", self.of_words(&intake), self.of_words(&place));
        self.line(&how);
        for fee in matter.fee_words() {
            let line = format!("      {} {}", self.say("收费", "fee"), self.of_words(&fee));
            self.line(&line);
        }
        for earlier in &matter.after {
            let (name, awaits) = (&earlier.matter.name, earlier.awaits_words());
            let after = match self.lang {
                Language::Zh => format!("      在“{}”{}开始", name.zh, awaits.zh),
                Language::En => format!("      after {}, {}", name.en, awaits.en),
            };
            self.line(&after);
        }
    }

    fn materials(&mut self, guide: &Guide) {
        let count = guide.bring.len();
        self.heading(
            &format!("需您提交的材料({count}),每份只交一次"),
            &format!("What you hand in ({count}), each once"),
        );
        for one in &guide.bring {
            self.bring(one);
        }
        let fetched: Vec<&Requirement> =
            guide.requirements.iter().filter(|one| !one.supply.is_handed_in()).collect();
        if fetched.is_empty() {
            return;
        }
        self.heading("无需您提交的材料", "What you need not hand in");
        for one in fetched {
            let line = format!(
                "  · {}({}): {}",
                one.name,
                self.of_words(&one.matter.name),
                self.of_words(&one.supply_words())
            );
            self.line(&line);
        }
    }

    fn bring(&mut self, one: &Bring) {
        let kinds = if one.types.is_empty() {
            String::new()
        } else {
            format!(" [{}]", one.types.join(", "))
        };
        let later =
            if one.may_come_later { self.say(",可容缺后补", "; may come later") } else { "" };
        let line = format!("  · {}{kinds}{later}", one.names.join("、"));
        self.line(&line);
        let serves = list_words(one.matters.iter().map(|matter| &matter.name));
        let line = format!("      {}{}", self.say("用于:", "for: "), self.of_words(&serves));
        self.line(&line);
    }

    fn form(&mut self, guide: &Guide) {
        let count = guide.form.len();
        self.heading(
            &format!("一张表单({count} 项),每项只填一次"),
            &format!("The one form ({count} fields), each filled once"),
        );
        for asked in &guide.form {
            let label = Words::new(&asked.field.label, &asked.field.label_en);
            let need = if asked.field.required {
                self.say("必填", "required")
            } else {
                self.say("选填", "optional")
            };
            let uses = asked.matters.len();
            let uses = match self.lang {
                Language::Zh => format!("{uses} 个事项使用"),
                Language::En => format!("used by {uses}"),
            };
            let line = format!("  · {} ({need}, {uses})", self.of_words(&label));
            self.line(&line);
        }
    }

    fn time(&mut self, guide: &Guide) {
        self.heading("时限", "Time");
        let stretches: Vec<String> =
            guide.time.critical_path.iter().map(|one| self.stretch(one)).collect();
        let path = stretches.join(" → ");
        let line = format!("  {}{path}", self.say("关键路径:", "critical path: "));
        self.line(&line);
        let total = guide.time.total.words();
        let line = format!(
            "  {}{}{}",
            self.say("各事项承诺时限合计:", "sum of the single promises: "),
            self.of_words(&total),
            self.say(
                "(自受理起算,不含受理前和补正)",
                " (from acceptance; intake and corrections not counted)"
            )
        );
        self.line(&line);
        let line = format!(
            "  {}{}",
            self.say("总承诺时限:", "promised for the whole: "),
            self.limit(guide.time.promise)
        );
        self.line(&line);
    }

    fn stretch(&self, one: &Stretch) -> String {
        let name = self.of_words(&one.matter.name);
        let basis = match one.basis {
            LimitBasis::Promised => self.limit(one.limit),
            LimitBasis::Statutory => {
                format!("{}{}", self.say("法定 ", "by law "), self.limit(one.limit))
            }
            LimitBasis::Acceptance => self.say("只等受理", "acceptance only").to_owned(),
            LimitBasis::Unknown => self.say("无公布时限", "no published limit").to_owned(),
        };
        format!("{name}({basis})")
    }

    fn exemption(&mut self, guide: &Guide) {
        let one = &guide.exemption;
        self.heading("设计减免率", "Exempted by design");
        let line = match (one.percent, self.lang) {
            (None, _) => format!("  {}", self.say("没有材料要求", "nothing is required")),
            (Some(percent), Language::Zh) => format!(
                "  {percent}%:单独办理共需 {} 份材料,本服务须提交 {} 份(合并后 {} 份)",
                one.pairs, one.handed_in, one.brought
            ),
            (Some(percent), Language::En) => format!(
                "  {percent} %: the single matters demand {}, {} are handed in ({} after merging)",
                one.pairs, one.handed_in, one.brought
            ),
        };
        self.line(&line);
    }

    fn warnings(&mut self, guide: &Guide) {
        if guide.warnings.is_empty() {
            return;
        }
        self.heading("提示", "Note");
        for warning in &guide.warnings {
            let line = format!("  ! {} [{}]", self.of_words(&warning.words), warning.code);
            self.line(&line);
        }
    }
}

/// Fills the printable sheet.
fn sheet(guide: &Guide, region: &str) -> GuideSheet {
    GuideSheet {
        title: guide.name.zh.clone(),
        title_en: guide.name.en.clone(),
        office: guide.lead.to_string(),
        region: region.to_owned(),
        answers: guide
            .situation
            .iter()
            .map(|one| GuideAnswer { question: one.label.zh.clone(), answer: one.words.zh.clone() })
            .collect(),
        matters: guide.matters.iter().map(|matter| sheet_matter(guide, matter)).collect(),
        total: sheet_total(guide),
        as_of: SystemClock.now().date(),
        version: guide.version.hex()[..12].to_owned(),
    }
}

/// Where no fee is declared the sheet names who publishes them instead of claiming none.
fn fee(declared: Option<String>) -> GuideFee {
    GuideFee::Charged(declared.unwrap_or_else(|| "以主管部门公布的标准为准".to_owned()))
}

fn fees_of(matter: &GuidedMatter) -> Option<String> {
    let fees: Vec<String> = matter.fee_words().into_iter().map(|words| words.zh).collect();
    (!fees.is_empty()).then(|| fees.join(";"))
}

fn sheet_matter(guide: &Guide, matter: &GuidedMatter) -> GuideMatter {
    let own = guide.requirements.iter().filter(|one| one.matter.code == matter.matter.code);
    GuideMatter {
        code: matter.matter.code.to_string(),
        name: matter.matter.name.zh.clone(),
        office: matter.department.to_string(),
        after: matter.after.iter().map(|one| one.matter.name.zh.clone()).collect(),
        statutory: matter.limits.statutory,
        promised: matter.limits.promised,
        fee: fee(fees_of(matter)),
        materials: own
            .map(|one| GuideMaterial {
                code: one.material.clone(),
                name: one.name.clone(),
                way: way(one),
                source: one.supply.words().zh,
                note: String::new(),
            })
            .collect(),
    }
}

fn way(one: &Requirement) -> GuideWay {
    match &one.supply {
        Supply::HandIn { .. } | Supply::EarlierMatter { .. } if one.may_come_later => {
            GuideWay::MayFollow
        }
        Supply::HandIn { .. } => GuideWay::HandIn,
        Supply::EarlierMatter { .. } | Supply::License { .. } | Supply::Data { .. } => {
            GuideWay::Exempt
        }
        Supply::Commitment => GuideWay::Commitment,
    }
}

fn sheet_total(guide: &Guide) -> GuideTotal {
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let promise = guide.time.promise.map(|promise| limit_words(promise).zh);
    let promise =
        promise.map(|promise| format!(";公布的总承诺时限为{promise}")).unwrap_or_default();
    let sum = guide.time.total.words().zh;
    GuideTotal {
        time: guide.time.total.single(),
        time_note: format!(
            "各事项时限沿最长路径合计{sum},自受理起算,不含受理前和补正的时间{promise}"
        ),
        to_hand_in: count(guide.bring.len()),
        exempt: count(guide.exemption.pairs - guide.exemption.handed_in),
        fee: fee(guide.fees.map(|sum| format!("已列明的收费合计 {sum} 元"))),
    }
}

#[cfg(test)]
mod tests;
