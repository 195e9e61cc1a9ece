//! Agreements between places (跨省通办协议): who does what for whose applicants, and until when.
//!
//! An agreement says for each matter how it is handled (three modes), under which implementation
//! code in each place, what is accepted and checked, how fast files travel and how results come
//! back. [`Agreements::route`] finds the one that is in force; that there is none is a lawful
//! outcome with a name, not an error.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::kind::DocumentKind;
use super::text;
use crate::id::{MatterCode, RegionCode};
use crate::time::Period;

/// A document of agreements.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AgreementsDocument {
    /// Where the schema of this document lies, for editors.
    #[serde(rename = "$schema", default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// Always [`DocumentKind::Agreements`].
    pub kind: DocumentKind,
    /// Which one of its kind, such as a region's code.
    pub code: String,
    /// What the document is, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// The agreements.
    pub agreements: Vec<Agreement>,
}

/// One agreement.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Agreement {
    /// Its number or code, kept with every case that it carries.
    pub code: String,
    /// Its title.
    pub name: String,
    /// The title in English.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_en: Option<String>,
    /// The places that agree, two or more.
    pub parties: Vec<PartyToAgreement>,
    /// First day in force.
    #[serde(with = "text::plain")]
    pub from: Date,
    /// Last day in force; open when left out.
    #[serde(default, with = "text::optional", skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
    /// What is agreed for each matter.
    pub matters: Vec<AgreedMatter>,
    /// What the data that travel may be used for.
    pub purpose: String,
    /// How they are kept confidential.
    pub confidentiality: String,
    /// Where an applicant complains, and who answers.
    pub complaints: Complaints,
    /// How a party leaves.
    pub exit: Exit,
}

impl Agreement {
    /// Tells whether it is in force on `date`.
    pub fn is_in_force_on(&self, date: Date) -> bool {
        self.from <= date && self.until.is_none_or(|until| date <= until)
    }

    /// Returns what is agreed for a matter.
    pub fn matter(&self, matter: &MatterCode) -> Option<&AgreedMatter> {
        self.matters.iter().find(|agreed| agreed.matter == *matter)
    }

    /// Returns how closely its parties fit two places: the home place first, for it decides.
    fn closeness(&self, from: &RegionCode, to: &RegionCode) -> Option<(usize, usize)> {
        let length = |party: &PartyToAgreement| party.region.prefix().len();
        let homes = self.parties.iter().enumerate().filter(|(_, party)| party.region.covers(to));
        homes
            .flat_map(|(home, party)| {
                let others = self.parties.iter().enumerate();
                let origins = others
                    .filter(move |(origin, other)| *origin != home && other.region.covers(from));
                origins.map(move |(_, other)| (length(party), length(other)))
            })
            .max()
    }
}

/// A place that agrees, with the office that answers for it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PartyToAgreement {
    /// The place, with everything inside it.
    pub region: RegionCode,
    /// The office that signed.
    pub office: String,
    /// Its 统一社会信用代码.
    pub credit_code: String,
    /// The desk that answers; an office's telephones, never a person's.
    pub contact: Contact,
}

/// A desk that answers.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Contact {
    /// The desk or unit.
    pub desk: String,
    /// Its telephones.
    pub phones: Vec<String>,
}

/// How a matter is handled between two places.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CrossRegionMode {
    /// 全程网办: one filing online, decided at home.
    FullyOnline,
    /// 异地代收代办: one place collects and forwards, the home place accepts and decides.
    RemoteCollection,
    /// 多地联办: one place accepts, each does its part.
    MultiPlaceJoint,
}

impl CrossRegionMode {
    /// Every mode.
    pub const ALL: [Self; 3] = [Self::FullyOnline, Self::RemoteCollection, Self::MultiPlaceJoint];

    /// Returns the code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::FullyOnline => "fully_online",
            Self::RemoteCollection => "remote_collection",
            Self::MultiPlaceJoint => "multi_place_joint",
        }
    }

    /// Returns the Chinese name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FullyOnline => "全程网办",
            Self::RemoteCollection => "异地代收代办",
            Self::MultiPlaceJoint => "多地联办",
        }
    }
}

/// What is agreed for one matter.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AgreedMatter {
    /// The matter, as scripts name it.
    pub matter: MatterCode,
    /// Its name in the agreement.
    pub name: String,
    /// How it is handled.
    pub mode: CrossRegionMode,
    /// Its 实施编码 in each place, one for each party.
    pub implementations: Vec<Implementation>,
    /// The materials and forms that are accepted, and whose.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accepts: Vec<Accepted>,
    /// Who checks what.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Check>,
    /// How fast a collected file must travel on.
    #[serde(with = "text::plain")]
    pub forward_within: Period,
    /// How fast the other place must answer.
    #[serde(with = "text::plain")]
    pub reply_within: Period,
    /// Who mails paper and who pays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mailing: Option<Mailing>,
    /// How the result comes back, in the order of preference.
    pub results: Vec<ResultRoute>,
    /// Seals and signatures that both sides recognise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recognises: Vec<String>,
}

/// The code of a matter as one place implements it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Implementation {
    /// The place; a party's region.
    pub region: RegionCode,
    /// 实施编码 there.
    pub code: String,
}

/// A material or form that is accepted.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Accepted {
    /// Code of the material or form.
    pub code: String,
    /// Its name.
    pub name: String,
    /// In which form it travels.
    pub form: AcceptedForm,
}

/// In which form a material travels.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AcceptedForm {
    /// 原件.
    Original,
    /// 复印件.
    Copy,
    /// 扫描件.
    Scan,
    /// 电子证照.
    License,
}

/// One side of a matter between two places.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// 收件地: where the applicant stands.
    Collecting,
    /// 属地: the place that has the legal power.
    Home,
}

/// Who checks what.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Check {
    /// Which side.
    pub side: Side,
    /// What it checks.
    pub what: String,
}

/// Who mails paper and who pays.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Mailing {
    /// Who sends.
    pub sender: Side,
    /// Who pays.
    pub payer: Payer,
}

/// Who pays for mailing.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Payer {
    /// The collecting place.
    Collecting,
    /// The home place.
    Home,
    /// The applicant.
    Applicant,
}

/// How a result comes back.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResultRoute {
    /// As an electronic licence or document.
    Electronic,
    /// By post to the applicant.
    Post,
    /// At the window that collected the file.
    Window,
}

/// Where an applicant complains.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Complaints {
    /// Telephones, such as 12345.
    pub phones: Vec<String>,
    /// How fast the place responsible must answer.
    #[serde(with = "text::plain")]
    pub reply_within: Period,
    /// How a complaint finds the place responsible.
    pub route: String,
}

/// How a party leaves an agreement.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Exit {
    /// How long before it must say so.
    #[serde(with = "text::plain")]
    pub notice: Period,
    /// What happens to cases under way.
    pub running_cases: String,
}

/// What is asked of the agreements.
#[derive(Clone, Copy, Debug)]
pub struct RouteQuestion<'a> {
    /// The matter.
    pub matter: &'a MatterCode,
    /// Where the applicant stands.
    pub from: &'a RegionCode,
    /// The place that has the legal power.
    pub to: &'a RegionCode,
    /// The day.
    pub date: Date,
}

/// What the agreements say about a matter between two places.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Route<'a> {
    /// An agreement is in force.
    Agreed {
        /// The agreement.
        agreement: &'a Agreement,
        /// What it says about the matter.
        matter: &'a AgreedMatter,
    },
    /// No agreement carries it, which is lawful: the applicant files at the home place.
    NoAgreement(NoAgreement),
}

/// Why no agreement carries a matter.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoAgreement {
    /// The two places never agreed on anything.
    NoSuchParties,
    /// They agree, though not on this matter.
    MatterNotAgreed,
    /// They agreed on it, though not for this day.
    NotInForce,
}

impl NoAgreement {
    /// Returns the code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoSuchParties => "no_such_parties",
            Self::MatterNotAgreed => "matter_not_agreed",
            Self::NotInForce => "not_in_force",
        }
    }

    /// Returns the sentence for people, in Chinese.
    pub const fn chinese(self) -> &'static str {
        match self {
            Self::NoSuchParties => "两地之间没有跨区域通办协议,请到属地办理",
            Self::MatterNotAgreed => "两地协议未包含该事项,请到属地办理",
            Self::NotInForce => "两地关于该事项的协议当日未生效或已到期,请到属地办理",
        }
    }

    /// Returns the sentence for people, in English.
    pub const fn english(self) -> &'static str {
        match self {
            Self::NoSuchParties => "the two places have no agreement; file at the home place",
            Self::MatterNotAgreed => {
                "the agreement of the two places leaves this matter out; file at the home place"
            }
            Self::NotInForce => {
                "the agreement on this matter is not in force that day; file at the home place"
            }
        }
    }
}

/// All agreements, ready to be asked.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Agreements {
    list: Vec<Agreement>,
}

impl Agreements {
    pub(super) fn new(list: Vec<Agreement>) -> Self {
        Self { list }
    }

    /// Returns every agreement.
    pub fn all(&self) -> &[Agreement] {
        &self.list
    }

    /// Returns the agreement with this code.
    pub fn find(&self, code: &str) -> Option<&Agreement> {
        self.list.iter().find(|agreement| agreement.code == code)
    }

    /// Returns what carries a matter between two places on a day, or why nothing does. The
    /// agreement of the closest home place wins, then of the closest collecting place.
    pub fn route(&self, question: RouteQuestion<'_>) -> Route<'_> {
        let RouteQuestion { matter, from, to, date } = question;
        let mut reason = NoAgreement::NoSuchParties;
        let mut best: Option<((usize, usize), Route<'_>)> = None;
        for agreement in &self.list {
            let Some(closeness) = agreement.closeness(from, to) else { continue };
            let Some(agreed) = agreement.matter(matter) else {
                reason = reason.max(NoAgreement::MatterNotAgreed);
                continue;
            };
            if !agreement.is_in_force_on(date) {
                reason = NoAgreement::NotInForce;
            } else if best.as_ref().is_none_or(|(known, _)| *known < closeness) {
                best = Some((closeness, Route::Agreed { agreement, matter: agreed }));
            }
        }
        best.map_or(Route::NoAgreement(reason), |(_, route)| route)
    }

    /// Returns the agreement that carries a matter from one place to another on a day.
    pub fn agreement_for(
        &self,
        matter: &MatterCode,
        from: &RegionCode,
        to: &RegionCode,
        date: Date,
    ) -> Option<&Agreement> {
        match self.route(RouteQuestion { matter, from, to, date }) {
            Route::Agreed { agreement, .. } => Some(agreement),
            Route::NoAgreement(_) => None,
        }
    }
}
