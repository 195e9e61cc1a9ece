//! The audit log of a store: deeds that stand in no case's log.
//!
//! Who saw personal data as it is, who took it out of the store, who moved what all cases share:
//! each with who, when and why, written down before it is done. The log is append-only and
//! chained: every record holds the digest of the one before it, so that one that was changed,
//! left out or put in between is noticed by anyone who has the exported records and nothing else.
//! It holds no personal data itself, but for the name of who acted.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::time::Moment;

/// Characters of a reason or a target that are kept.
const TEXT_CHARS_MAX: usize = 500;

/// A deed, before it has its place in the log.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Deed {
    /// When, by the wire clock.
    pub at: Moment,
    /// Who: subject of the identity, or the name of the user of the program.
    pub by: String,
    /// Code of the role in which he acted; `operator` for the user of the program.
    pub role: String,
    /// What he did.
    pub act: AuditedAct,
    /// To what: a case, a call, a file.
    pub target: String,
    /// Why.
    pub reason: String,
}

/// What is written down.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum AuditedAct {
    /// Personal data of a case was shown as it is.
    Revealed,
    /// Cases were written into a file, with everything that they hold.
    Exported,
    /// The whole store was written into a backup.
    BackedUp,
    /// Cases of another store were put into this one.
    Imported,
    /// Lawful time was moved.
    ClockMoved,
    /// Calendars, offices, people or rules were replaced.
    StandingReplaced,
    /// A reply that matched no call was handed to one by a person.
    ReplyDelivered,
    /// A reply that matched no call was put aside by a person.
    ReplyDismissed,
    /// Live cases were moved to another version of their scripts.
    CasesRebound,
}

impl AuditedAct {
    /// Every act with its code and Chinese name.
    pub const ALL: [(Self, &'static str, &'static str); 9] = [
        (Self::Revealed, "revealed", "查看个人信息原文"),
        (Self::Exported, "exported", "导出办件"),
        (Self::BackedUp, "backed_up", "备份"),
        (Self::Imported, "imported", "导入办件"),
        (Self::ClockMoved, "clock_moved", "拨动法定时钟"),
        (Self::StandingReplaced, "standing_replaced", "更换机构、日历或规则"),
        (Self::ReplyDelivered, "reply_delivered", "人工交付回执"),
        (Self::ReplyDismissed, "reply_dismissed", "人工搁置回执"),
        (Self::CasesRebound, "cases_rebound", "批量换用脚本版本"),
    ];

    fn row(self) -> (&'static str, &'static str) {
        let row = Self::ALL.iter().find(|(act, _, _)| *act == self);
        row.map_or(("", ""), |(_, code, name)| (*code, *name))
    }

    /// Returns the code.
    pub fn code(self) -> &'static str {
        self.row().0
    }

    /// Returns the Chinese name.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// Reads a code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known, _)| *known == code).map(|(act, _, _)| *act)
    }
}

/// A record of the audit log.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Audited {
    /// Its place, from 1 without a gap.
    pub no: u64,
    /// What was done.
    pub deed: Deed,
    /// Digest of the record before it; of nothing for the first.
    pub before: Digest,
    /// Its own digest, over place, deed and `before`.
    pub digest: Digest,
}

impl Audited {
    /// Writes down a deed after the last record of the log.
    pub fn after(last: Option<&Self>, deed: Deed) -> Self {
        let (no, before) = match last {
            None => (1, Digest::of(b"")),
            Some(last) => (last.no + 1, last.digest),
        };
        let clipped = |text: &str| text.trim().chars().take(TEXT_CHARS_MAX).collect();
        let deed = Deed { target: clipped(&deed.target), reason: clipped(&deed.reason), ..deed };
        let digest = digest(no, &deed, &before);
        Self { no, deed, before, digest }
    }

    /// Returns its members as the digest takes them, one after the other: place, digest before in
    /// hexadecimal digits, time, who, role, code of the act, target, reason.
    pub fn members(&self) -> [String; 8] {
        members(self.no, &self.deed, &self.before)
    }
}

fn members(no: u64, deed: &Deed, before: &Digest) -> [String; 8] {
    [
        no.to_string(),
        before.hex(),
        deed.at.to_string(),
        deed.by.clone(),
        deed.role.clone(),
        deed.act.code().to_owned(),
        deed.target.clone(),
        deed.reason.clone(),
    ]
}

/// SHA-256 over every member as `bytes:text,`: no text can pass for another member, and anybody
/// can compute it from an exported record.
fn digest(no: u64, deed: &Deed, before: &Digest) -> Digest {
    let mut text = String::new();
    for member in members(no, deed, before) {
        text.push_str(&member.len().to_string());
        text.push(':');
        text.push_str(&member);
        text.push(',');
    }
    Digest::of(text.as_bytes())
}

/// Where a chain of records is broken.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("审计日志第 {no} 条{zh} / audit record {no} {en}")]
pub struct BrokenChain {
    /// The first record that does not hold.
    pub no: u64,
    zh: &'static str,
    en: &'static str,
}

/// Checks records as they come, the oldest first. A chain may begin at any record; from there on
/// none may be missing or changed.
#[derive(Clone, Debug, Default)]
pub struct ChainCheck {
    last: Option<Audited>,
    count: u64,
}

impl ChainCheck {
    /// Takes the next record.
    ///
    /// # Errors
    /// [`BrokenChain`] when it was changed, or does not follow the one before it.
    pub fn take(&mut self, record: Audited) -> Result<(), BrokenChain> {
        let broken = |zh, en| Err(BrokenChain { no: record.no, zh, en });
        if digest(record.no, &record.deed, &record.before) != record.digest {
            return broken("内容与其摘要不符", "is not what its digest says");
        }
        let follows = match &self.last {
            None => record.no != 1 || record.before == Digest::of(b""),
            Some(last) => record.no == last.no + 1 && record.before == last.digest,
        };
        if !follows {
            return broken("不接续前一条", "does not follow the one before it");
        }
        self.count += 1;
        self.last = Some(record);
        Ok(())
    }

    /// Returns how many records hold.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Returns the newest record, whose digest stands for the whole chain.
    pub fn last(&self) -> Option<&Audited> {
        self.last.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deed(reason: &str) -> Deed {
        Deed {
            at: Moment::from_millis(1_772_413_200_000),
            by: "wang".to_owned(),
            role: "operator".to_owned(),
            act: AuditedAct::Revealed,
            target: "case_01ARZ3NDEKTSV4RRFFQ69G5FAV".to_owned(),
            reason: reason.to_owned(),
        }
    }

    fn chain() -> Vec<Audited> {
        let mut chain: Vec<Audited> = Vec::new();
        for reason in ["投诉核查", "例行检查", "投诉核查"] {
            chain.push(Audited::after(chain.last(), deed(reason)));
        }
        chain
    }

    fn check(records: Vec<Audited>) -> Result<u64, u64> {
        let mut check = ChainCheck::default();
        for record in records {
            check.take(record).map_err(|broken| broken.no)?;
        }
        Ok(check.count())
    }

    #[test]
    fn a_chain_holds_and_so_does_a_part_of_it() {
        assert_eq!(check(chain()), Ok(3));
        assert_eq!(check(chain().split_off(1)), Ok(2));
    }

    #[test]
    fn a_record_that_was_changed_left_out_or_moved_is_noticed() {
        let mut changed = chain();
        changed[1].deed.reason = "例行".to_owned();
        assert_eq!(check(changed), Err(2));
        let mut made_anew = chain();
        made_anew[1] = Audited::after(made_anew.first(), deed("别的"));
        assert_eq!(check(made_anew), Err(3), "the next one knows its digest");
        let mut left_out = chain();
        left_out.remove(1);
        assert_eq!(check(left_out), Err(3));
        let mut moved = chain();
        moved.swap(0, 1);
        assert_eq!(check(moved), Err(1));
        let mut beginning = chain().split_off(1);
        beginning[0].no = 1;
        assert_eq!(check(beginning), Err(1));
    }

    #[test]
    fn a_digest_can_be_computed_from_the_members_alone() {
        let record = Audited::after(None, deed("a"));
        let members = record.members();
        let counted: Vec<String> =
            members.iter().map(|text| format!("{}:{text},", text.len())).collect();
        let text = counted.concat();
        assert_eq!(Digest::of(text.as_bytes()), record.digest);
        assert!(text.starts_with("1:1,64:e3b0c44298fc1c14"), "{text}");
    }

    #[test]
    fn every_act_reads_back_from_its_code() {
        for (act, code, name) in AuditedAct::ALL {
            assert_eq!(AuditedAct::from_code(code), Some(act));
            assert!(!name.is_empty());
        }
    }
}
