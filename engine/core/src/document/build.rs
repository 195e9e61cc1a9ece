//! From facts to content: each kind takes what it says, and what must not go out is refused.

use std::collections::BTreeSet;

use super::content::{
    DocumentContent, DocumentDetail, DocumentFacts, DocumentSubject, Recipient, Remedies,
};
use super::kind::DocumentKind;
use super::number::{DocumentNo, NumberError, NumberParts};
use crate::definition::Regime;
use crate::error::ErrorClass;

/// A document that must not be made like this.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ContentError {
    /// Something that the kind must say is not among the facts.
    #[error(
        "不能制作{}:缺少{lacking_name},请补充后重试 / cannot make a {} document: {lacking} is missing; add it and try again",
        kind.name(),
        kind.code()
    )]
    Lacking {
        /// The kind.
        kind: DocumentKind,
        /// Code of what is missing.
        lacking: &'static str,
        /// Its Chinese name.
        lacking_name: &'static str,
    },
    /// A correction list names a material twice, so that it is not one list.
    #[error(
        "不能制作补正告知书:材料 {0:?} 在清单中出现两次,请合并 / cannot make a correction notice: material {0:?} is listed twice; merge the lines"
    )]
    ListedTwice(String),
    /// The number cannot be derived.
    #[error(transparent)]
    Number(#[from] NumberError),
}

impl ContentError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Lacking { .. } => "DOCUMENT_INCOMPLETE",
            Self::ListedTwice(_) => "CORRECTION_LISTED_TWICE",
            Self::Number(error) => error.code(),
        }
    }

    /// Returns the class.
    pub fn class(&self) -> ErrorClass {
        ErrorClass::Invalid
    }
}

/// Builds the content of a document of this kind.
///
/// The result says what the kind says and nothing else of `facts`: a query code, for one, stands
/// on the receipt only.
pub fn content_for(
    kind: DocumentKind,
    facts: &DocumentFacts,
) -> Result<DocumentContent, ContentError> {
    let subject = &facts.subject;
    let number = DocumentNo::derive(&NumberParts {
        office_word: &subject.office.word,
        kind,
        year: subject.made_at.date().year(),
        case_number: &subject.case_number,
        matter: subject.matter.no,
        running: subject.running,
    })?;
    let detail = select(kind, facts);
    let required = Required { kind, subject, detail: &detail };
    required.check()?;
    Ok(DocumentContent {
        kind,
        number,
        case_number: subject.case_number.clone(),
        service_name: subject.service_name.clone(),
        matter: subject.matter.clone(),
        office: subject.office.clone(),
        recipient: Recipient::of(&subject.recipient),
        agent: subject.agent.as_ref().map(Recipient::of),
        region: subject.region.clone(),
        region_name: subject.region_name.clone(),
        made_at: subject.made_at,
        effective_at: subject.effective_at,
        detail,
    })
}

/// Takes from the facts what this kind says.
fn select(kind: DocumentKind, facts: &DocumentFacts) -> DocumentDetail {
    let all = &facts.detail;
    let common = DocumentDetail {
        basis: basis(kind, facts),
        facts: all.facts.clone(),
        officer: all.officer.clone(),
        attachments: all.attachments.clone(),
        ..DocumentDetail::default()
    };
    let reasoned = DocumentDetail {
        ground: all.ground.clone(),
        reasons: all.reasons.clone(),
        ..common.clone()
    };
    match kind {
        DocumentKind::Receipt => DocumentDetail {
            materials: all.materials.clone(),
            query_code: all.query_code.clone(),
            ..common
        },
        DocumentKind::CorrectionNotice => DocumentDetail {
            missing: all.missing.clone(),
            correction_limit: all.correction_limit,
            correction_round: all.correction_round,
            ..common
        },
        DocumentKind::Acceptance => DocumentDetail {
            limit: all.limit,
            promised_end: all.promised_end,
            materials: all.materials.clone(),
            ..common
        },
        DocumentKind::SpecialProcedure => DocumentDetail { expected: all.expected, ..reasoned },
        DocumentKind::Extension => {
            DocumentDetail { limit: all.limit, promised_end: all.promised_end, ..reasoned }
        }
        DocumentKind::Grant => DocumentDetail {
            result: all.result.clone(),
            materials: all.materials.clone(),
            ..common
        },
        DocumentKind::NotAccepted | DocumentKind::Denial => {
            DocumentDetail { remedies: all.remedies.clone(), ..reasoned }
        }
        DocumentKind::Revocation => DocumentDetail {
            remedies: all.remedies.clone(),
            concerns: all.concerns.clone(),
            ..reasoned
        },
        DocumentKind::Forwarding => DocumentDetail {
            forwarded_to: all.forwarded_to.clone(),
            materials: all.materials.clone(),
            reasons: all.reasons.clone(),
            ..common
        },
        DocumentKind::DeliveryNote => DocumentDetail { concerns: all.concerns.clone(), ..common },
        DocumentKind::WithdrawalConfirmation
        | DocumentKind::Termination
        | DocumentKind::ReturnNotice => reasoned,
    }
}

fn basis(kind: DocumentKind, facts: &DocumentFacts) -> Vec<String> {
    let general = kind.basis(facts.subject.regime).map(str::to_owned);
    let own = facts.detail.basis.iter().filter(|rule| !rule.trim().is_empty()).cloned();
    general.into_iter().chain(own).collect()
}

/// What a kind must say, checked against what it would say.
struct Required<'a> {
    kind: DocumentKind,
    subject: &'a DocumentSubject,
    detail: &'a DocumentDetail,
}

impl Required<'_> {
    fn check(&self) -> Result<(), ContentError> {
        self.there(&self.subject.office.name, "office name", "机关名称")?;
        self.there(&self.subject.recipient.name, "recipient's name", "当事人姓名或名称")?;
        self.there(&self.subject.matter.name, "matter name", "事项名称")?;
        match self.kind {
            DocumentKind::Receipt => {
                let code = self.detail.query_code.as_deref().unwrap_or("");
                self.there(code, "query code", "查询码")
            }
            DocumentKind::CorrectionNotice => self.correction(),
            DocumentKind::Acceptance => {
                // Outside licensing law a matter may have no limit; then there is none to promise.
                if self.subject.regime != Regime::Licence {
                    return Ok(());
                }
                self.some(self.detail.promised_end, "promised end", "承诺办结日期")
            }
            DocumentKind::SpecialProcedure => {
                self.ground()?;
                self.some(self.detail.expected, "expected length", "预计所需时间")
            }
            DocumentKind::Extension => {
                self.reasons()?;
                self.some(self.detail.promised_end, "extended end", "延长后的期限")
            }
            DocumentKind::NotAccepted => {
                self.ground()?;
                self.adverse()
            }
            DocumentKind::Denial => self.adverse(),
            DocumentKind::Revocation => {
                self.concerns()?;
                self.adverse()
            }
            DocumentKind::Forwarding => {
                let office = self.detail.forwarded_to.as_deref().unwrap_or("");
                self.there(office, "deciding office", "决定机关")
            }
            DocumentKind::Termination | DocumentKind::ReturnNotice => self.reasons(),
            DocumentKind::DeliveryNote => self.concerns(),
            DocumentKind::Grant | DocumentKind::WithdrawalConfirmation => Ok(()),
        }
    }

    fn correction(&self) -> Result<(), ContentError> {
        let list = &self.detail.missing;
        self.some(list.first(), "list of missing items", "补正清单")?;
        let mut seen = BTreeSet::new();
        for line in list {
            self.there(&line.material, "material of a listed item", "补正项所属材料")?;
            self.there(&line.defect, "defect of a listed item", "补正项的问题说明")?;
            if !seen.insert(line.material.as_str()) {
                return Err(ContentError::ListedTwice(line.material.clone()));
            }
        }
        let limit = self.detail.correction_limit.filter(|limit| limit.amount > 0);
        self.some(limit, "correction limit", "补正期限")
    }

    fn adverse(&self) -> Result<(), ContentError> {
        self.reasons()?;
        self.some(self.detail.basis.first(), "legal basis", "法律依据")?;
        let told = self.detail.remedies.as_ref().filter(|remedies| are_told(remedies));
        self.some(told, "remedies", "救济途径(复议机关、法院和期限)")
    }

    fn ground(&self) -> Result<(), ContentError> {
        let named = self
            .detail
            .ground
            .as_ref()
            .filter(|ground| !ground.code.trim().is_empty() && !ground.text.trim().is_empty());
        self.some(named, "ground", "法定事由")
    }

    fn reasons(&self) -> Result<(), ContentError> {
        self.there(&self.detail.reasons, "reasons", "理由")
    }

    fn concerns(&self) -> Result<(), ContentError> {
        let all_named = self.detail.concerns.iter().all(|other| !other.number.trim().is_empty());
        let first = self.detail.concerns.first().filter(|_| all_named);
        self.some(first, "document concerned", "所涉文书")
    }

    fn there(
        &self,
        text: &str,
        lacking: &'static str,
        lacking_name: &'static str,
    ) -> Result<(), ContentError> {
        self.some(text.chars().find(|letter| !letter.is_whitespace()), lacking, lacking_name)
    }

    fn some<T>(
        &self,
        found: Option<T>,
        lacking: &'static str,
        lacking_name: &'static str,
    ) -> Result<(), ContentError> {
        let kind = self.kind;
        found.map(|_| ()).ok_or(ContentError::Lacking { kind, lacking, lacking_name })
    }
}

fn are_told(remedies: &Remedies) -> bool {
    let named = [&remedies.review_body, &remedies.court].iter().all(|body| !body.trim().is_empty());
    named && remedies.review_days > 0 && remedies.suit_months > 0
}

#[cfg(test)]
mod tests;
