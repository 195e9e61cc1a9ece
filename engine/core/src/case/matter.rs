//! A matter of a case: what its standing means for scripts, materials and siblings.

use super::{Matter, MatterResult, Run};
use crate::entry::PlannedMatter;
use crate::id::{MatterNo, Seq};
use crate::law::Law;
use crate::material::{Found, Requirement};
use crate::recommend::Advice;
use crate::time::Moment;

impl Matter {
    pub(super) fn planned(no: MatterNo, planned: &PlannedMatter, at: Moment) -> Self {
        Self {
            no,
            planned: planned.clone(),
            law: Law::planned(at),
            filed: None,
            inputs: Vec::new(),
            run: Run::default(),
            result: None,
            early: Vec::new(),
            requirements: Vec::new(),
            materials_version: 1,
            asked_at: Seq(0),
            returned_at: Seq(0),
            mail: Vec::new(),
            changed_at: at,
            urged: None,
            advice: Advice::default(),
        }
    }

    pub(super) fn begin_run(&mut self, seq: Seq, at: Moment) {
        if self.run.begun.is_none() {
            self.run.no = 1;
            self.run.begun = Some((seq, at));
        }
    }

    /// Folds an act that was answered done; `false` when the standing makes it impossible.
    pub(super) fn act(&mut self, recorded: (Seq, Moment), act: &crate::law::Act) -> bool {
        let (seq, recorded_at) = recorded;
        if !self.law.apply(act) {
            return false;
        }
        if matches!(act.terms, crate::law::Terms::Correction(_)) {
            self.asked_at = seq;
        }
        if act.kind == crate::law::ActKind::Return {
            self.returned_at = seq;
        }
        let accepts =
            matches!(act.kind, crate::law::ActKind::Accept | crate::law::ActKind::DeemAccept);
        if accepts {
            // What a script does begins when it is known that it may begin.
            self.begin_run(seq, recorded_at);
            self.early.clear();
        }
        if self.law.ending().is_some_and(crate::law::Ending::is_grant) && self.result.is_none() {
            self.result = Some(MatterResult {
                number: act.document_no.clone(),
                version: 1,
                fields: act.detail.clone(),
                effective_at: act.effective_at,
            });
        }
        true
    }

    /// Returns the codes of the materials that the matter was filed without (容缺) and that had
    /// not come by entry `seen`.
    pub fn owed(&self, seen: Seq) -> Vec<&str> {
        let Some(filed) = &self.filed else {
            return Vec::new();
        };
        let came =
            |from: MatterNo| self.inputs.iter().any(|input| input.from == from && input.at <= seen);
        let met = |code: &str| {
            let now = self.requirements.iter().find(|now| now.code == code);
            now.is_some_and(|now| now.how_at(seen).is_met())
        };
        filed
            .materials
            .iter()
            .filter(|found| match found.how {
                Found::Owed { from } => !from.is_some_and(came) && !met(&found.code),
                Found::ResultOf { .. }
                | Found::Given { .. }
                | Found::Missing
                | Found::License { .. }
                | Found::Data { .. }
                | Found::Committed { .. }
                | Found::Asked { .. } => false,
            })
            .map(|found| found.code.as_str())
            .collect()
    }

    /// Tells whether the applicant may hand in the material now: it is missing, promised, or
    /// listed in the open correction. What is not listed stays closed (dossier 14.6).
    pub fn is_wanted(&self, code: &str) -> bool {
        let listed = self
            .law
            .correction()
            .is_some_and(|round| round.list.materials.iter().any(|listed| listed == code));
        let missing = self.requirement(code).is_some_and(|known| !known.how.is_met());
        let returned = self.law.stage == crate::law::Stage::Returned;
        self.is_open_or_owed()
            && (listed || missing || (returned && self.requirement(code).is_some()))
    }

    /// A tolerant grant leaves promised materials to come.
    fn is_open_or_owed(&self) -> bool {
        self.is_open() || self.law.ending() == Some(crate::law::Ending::GrantedTolerant)
    }

    /// Returns a material that the matter requires.
    pub fn requirement(&self, code: &str) -> Option<&Requirement> {
        self.requirements.iter().find(|requirement| requirement.code == code)
    }

    /// Tells whether the matter was filed without a material that the result of `no` will be.
    pub fn is_owed_result_of(&self, no: MatterNo) -> bool {
        self.filed.as_ref().is_some_and(|filed| {
            filed.materials.iter().any(|found| found.how == Found::Owed { from: Some(no) })
        })
    }

    /// Tells whether the matter belongs to the case at all.
    pub fn is_included(&self) -> bool {
        !self.planned.skipped
    }

    /// Tells whether its department decides in its own system.
    pub fn decides_elsewhere(&self) -> bool {
        let filed = self.filed.as_ref();
        filed.is_some_and(|filed| filed.decides_in == crate::definition::DecidesIn::Connector)
    }

    /// Tells whether its script may still go on: what follows a grant is part of it.
    pub fn may_run(&self) -> bool {
        let granted = self.law.ending().is_some_and(crate::law::Ending::is_grant);
        self.is_open() || (granted && self.run.is_live())
    }

    /// Tells whether the matter still has something to come.
    pub fn is_open(&self) -> bool {
        self.is_included() && self.law.ending().is_none()
    }
}
