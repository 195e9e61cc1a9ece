//! The kinds of documents: one table, from which everything else that differs by kind is read.

use serde::{Deserialize, Serialize};

use crate::definition::Regime;

/// What a document is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub enum DocumentKind {
    /// 收件凭证: papers were taken, nothing is decided.
    Receipt,
    /// 补正告知书: the one complete list of what is missing.
    CorrectionNotice,
    /// 受理通知书: accepted; the office's clock runs.
    Acceptance,
    /// 不予受理决定书: not accepted, on an enumerated ground.
    NotAccepted,
    /// 特别程序告知书: the clock stands for a hearing, a test, a review …
    SpecialProcedure,
    /// 延期告知书: the limit was extended.
    Extension,
    /// 准予决定书: granted.
    Grant,
    /// 不予决定书: denied.
    Denial,
    /// 转报单: sent up to the office that decides.
    Forwarding,
    /// 撤回确认书: the applicant took his application back.
    WithdrawalConfirmation,
    /// 终止通知书: ended without a decision.
    Termination,
    /// 撤销决定书: a later act that takes a decision back.
    Revocation,
    /// 送达回证: proof that documents reached the recipient.
    DeliveryNote,
    /// 退回告知书: given back before acceptance, with every reason at once.
    ReturnNotice,
}

/// A period of the applicant that service of a document starts.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub enum ApplicantPeriod {
    /// The limit for the correction (补正期限).
    Correction,
    /// The limits for review and suit (复议、诉讼期限).
    Remedies,
}

/// What the table says of one kind.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct KindRow {
    /// The kind.
    pub kind: DocumentKind,
    /// Stable code.
    pub code: &'static str,
    /// Title in Chinese.
    pub name: &'static str,
    /// Title in English.
    pub english: &'static str,
    /// The word in its number (文号), two characters, one kind each.
    pub word: &'static str,
    /// The rule that asks for it where the matter is a licence; empty where that law is silent.
    pub licence_basis: &'static str,
    /// The period that its service starts.
    pub starts: Option<ApplicantPeriod>,
}

const fn row(kind: DocumentKind, code: &'static str, names: [&'static str; 3]) -> KindRow {
    let [name, english, word] = names;
    KindRow { kind, code, name, english, word, licence_basis: "", starts: None }
}

impl KindRow {
    const fn under(self, licence_basis: &'static str) -> Self {
        Self { licence_basis, ..self }
    }

    const fn starts(self, period: ApplicantPeriod) -> Self {
        Self { starts: Some(period), ..self }
    }
}

impl DocumentKind {
    /// Every kind with what is said of it.
    pub const ALL: [KindRow; 14] = [
        row(Self::Receipt, "receipt", ["收件凭证", "Receipt of Application Papers", "收件"])
            .under("《中华人民共和国行政许可法》第三十二条"),
        row(
            Self::CorrectionNotice,
            "correction_notice",
            ["补正告知书", "Correction Notice", "补正"],
        )
        .under("《中华人民共和国行政许可法》第三十二条第一款第四项")
        .starts(ApplicantPeriod::Correction),
        row(Self::Acceptance, "acceptance", ["受理通知书", "Notice of Acceptance", "受理"])
            .under("《中华人民共和国行政许可法》第三十二条第一款第五项、第二款"),
        row(
            Self::NotAccepted,
            "not_accepted",
            ["不予受理决定书", "Decision Not to Accept", "不受"],
        )
        .under("《中华人民共和国行政许可法》第三十二条")
        .starts(ApplicantPeriod::Remedies),
        row(
            Self::SpecialProcedure,
            "special_procedure",
            ["特别程序告知书", "Notice of Special Procedure", "特程"],
        )
        .under("《中华人民共和国行政许可法》第四十五条"),
        row(Self::Extension, "extension", ["延期告知书", "Notice of Extension", "延期"])
            .under("《中华人民共和国行政许可法》第四十二条"),
        row(Self::Grant, "grant", ["准予决定书", "Decision to Grant", "准予"])
            .under("《中华人民共和国行政许可法》第三十八条第一款"),
        row(Self::Denial, "denial", ["不予决定书", "Decision to Deny", "不予"])
            .under("《中华人民共和国行政许可法》第三十八条第二款")
            .starts(ApplicantPeriod::Remedies),
        row(Self::Forwarding, "forwarding", ["转报单", "Forwarding Note", "转报"])
            .under("《中华人民共和国行政许可法》第四十三条"),
        row(
            Self::WithdrawalConfirmation,
            "withdrawal_confirmation",
            ["撤回确认书", "Confirmation of Withdrawal", "撤回"],
        ),
        row(Self::Termination, "termination", ["终止通知书", "Notice of Termination", "终止"]),
        row(Self::Revocation, "revocation", ["撤销决定书", "Decision to Revoke", "撤销"])
            .under("《中华人民共和国行政许可法》第六十九条")
            .starts(ApplicantPeriod::Remedies),
        row(
            Self::DeliveryNote,
            "delivery_note",
            ["送达回证", "Acknowledgement of Service", "送达"],
        )
        .under("《中华人民共和国行政许可法》第四十四条"),
        row(Self::ReturnNotice, "return_notice", ["退回告知书", "Notice of Return", "退回"]),
    ];

    /// Returns its row of the table.
    pub fn row(self) -> &'static KindRow {
        const ALL: &[KindRow] = &DocumentKind::ALL;
        ALL.iter().find(|row| row.kind == self).expect("a test finds every kind in the table")
    }

    /// Returns the code.
    pub fn code(self) -> &'static str {
        self.row().code
    }

    /// Returns the Chinese title.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// Returns the English title.
    pub fn english(self) -> &'static str {
        self.row().english
    }

    /// Reads a code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().find(|row| row.code == code).map(|row| row.kind)
    }

    /// Returns the general rule that asks for it, if one does. Licensing law speaks of licences
    /// only; for every other regime the matter's own basis must carry the document.
    pub fn basis(self, regime: Regime) -> Option<&'static str> {
        let basis = self.row().licence_basis;
        (regime == Regime::Licence && !basis.is_empty()).then_some(basis)
    }

    /// Tells whether it goes against the recipient, so that he must be told his remedies.
    pub fn is_adverse(self) -> bool {
        self.row().starts == Some(ApplicantPeriod::Remedies)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_table_holds_every_kind_once_in_order() {
        for (index, row) in DocumentKind::ALL.iter().enumerate() {
            assert_eq!(row.kind as usize, index, "{}", row.code);
            assert_eq!(row.kind.row(), row);
            assert_eq!(DocumentKind::from_code(row.code), Some(row.kind));
        }
        assert_eq!(DocumentKind::ReturnNotice as usize + 1, DocumentKind::ALL.len());
    }

    #[test]
    fn words_tell_the_kinds_apart() {
        let words: BTreeSet<&str> = DocumentKind::ALL.iter().map(|row| row.word).collect();
        assert_eq!(words.len(), DocumentKind::ALL.len());
        assert!(words.iter().all(|word| word.chars().count() == 2));
    }

    #[test]
    fn licensing_law_is_cited_for_licences_only() {
        for row in DocumentKind::ALL {
            assert_eq!(row.kind.basis(Regime::Registration), None, "{}", row.code);
        }
        let basis = DocumentKind::Denial.basis(Regime::Licence);
        assert_eq!(basis, Some("《中华人民共和国行政许可法》第三十八条第二款"));
    }

    #[test]
    fn refusals_and_revocations_are_adverse() {
        let adverse: Vec<&str> = DocumentKind::ALL
            .iter()
            .filter(|row| row.kind.is_adverse())
            .map(|row| row.code)
            .collect();
        assert_eq!(adverse, ["not_accepted", "denial", "revocation"]);
    }
}
