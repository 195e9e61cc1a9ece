//! The memory of mutations: what a repetition under the same key is answered with.
//!
//! What was done is remembered by its ids, and the payload is resolved afresh. A refusal that is
//! an answer about the case is remembered too: whoever was told no must not find later that a
//! belated copy of his request was done after all. Both are one list of texts on disk, so that
//! records from before refusals were remembered read as they did.

use serde::{Deserialize, Serialize};

use crate::command::Refusal;
use crate::digest::Digest;
use crate::id::CaseId;
use crate::time::Moment;

/// First text of a record of a refusal; no id begins so.
const REFUSED: &str = "!refused";
/// Bytes of each text of a refusal, so that no record passes what a store takes.
const TEXT_BYTES_MAX: usize = 1_200;
/// Steps of the path of a refusal.
const PATH_STEPS_MAX: usize = 8;
/// Bytes of each step.
const STEP_BYTES_MAX: usize = 80;

/// The memory of one mutation, so that its repetition changes nothing.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct IdempotencyRecord {
    /// Digest over (principal, mutation, key).
    pub key: Digest,
    /// Digest of the input; another input under the same key is refused.
    pub input: Digest,
    /// What came of it.
    pub result: MutationEnd,
    /// When; kept for [`crate::limits::IDEMPOTENCY_MILLIS`].
    pub at: Moment,
}

/// What a mutation came to.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(from = "Vec<String>", into = "Vec<String>")]
pub enum MutationEnd {
    /// It was done: ids of what came of it.
    Done(Vec<String>),
    /// It was refused, and stays refused.
    Refused {
        /// The case that it was about, if it was about one.
        case: Option<CaseId>,
        /// The answer.
        refusal: Box<Refusal>,
    },
}

impl MutationEnd {
    /// Says that a mutation was refused; texts that no record can hold are cut.
    pub fn refused(case: Option<CaseId>, refusal: &Refusal) -> Self {
        let path = refusal.path.iter().take(PATH_STEPS_MAX);
        let refusal = Refusal {
            code: refusal.code.clone(),
            zh: cut(&refusal.zh, TEXT_BYTES_MAX),
            en: cut(&refusal.en, TEXT_BYTES_MAX),
            path: path.map(|step| cut(step, STEP_BYTES_MAX)).collect(),
            current: refusal.current,
        };
        Self::Refused { case, refusal: Box::new(refusal) }
    }

    /// Returns the case that the mutation was about, if it was about one.
    pub fn case(&self) -> Option<CaseId> {
        match self {
            Self::Done(ids) => ids.first().and_then(|id| id.parse().ok()),
            Self::Refused { case, .. } => *case,
        }
    }
}

impl From<MutationEnd> for Vec<String> {
    fn from(end: MutationEnd) -> Self {
        let (case, refusal) = match end {
            MutationEnd::Done(ids) => return ids,
            MutationEnd::Refused { case, refusal } => (case, refusal),
        };
        let Refusal { code, zh, en, path, current } = *refusal;
        let case = case.map(|case| case.to_string()).unwrap_or_default();
        let current = current.map(|current| current.to_string()).unwrap_or_default();
        [REFUSED.to_owned(), case, code, current, zh, en].into_iter().chain(path).collect()
    }
}

impl From<Vec<String>> for MutationEnd {
    fn from(texts: Vec<String>) -> Self {
        match texts.as_slice() {
            [marker, case, code, current, zh, en, path @ ..] if marker == REFUSED => {
                Self::Refused {
                    case: case.parse().ok(),
                    refusal: Box::new(Refusal {
                        code: code.clone(),
                        zh: zh.clone(),
                        en: en.clone(),
                        path: path.to_vec(),
                        current: current.parse().ok(),
                    }),
                }
            }
            _ => Self::Done(texts),
        }
    }
}

/// Cuts a text to so many bytes, and shows that it was cut.
fn cut(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(most - "…".len());
    format!("{}…", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::RECORD_INLINE_BYTES_MAX;
    use crate::wire;

    fn record(result: MutationEnd) -> IdempotencyRecord {
        let at = Moment::parse("2026-03-02T09:00:00+08:00").unwrap();
        IdempotencyRecord { key: Digest([1; 32]), input: Digest([2; 32]), result, at }
    }

    fn read_back(result: &MutationEnd) -> MutationEnd {
        let bytes = wire::encode(&record(result.clone()));
        wire::decode::<IdempotencyRecord>(&bytes).unwrap().result
    }

    /// The form of a record before refusals were remembered.
    #[derive(Serialize, Deserialize)]
    struct Earlier {
        key: Digest,
        input: Digest,
        result: Vec<String>,
        at: Moment,
    }

    #[test]
    fn records_from_before_refusals_were_remembered_read_as_they_did() {
        let ids = vec![CaseId([7; 16]).to_string(), "2".to_owned()];
        let now = record(MutationEnd::Done(ids.clone()));
        let (key, input, at) = (now.key, now.input, now.at);
        let earlier = wire::encode(&Earlier { key, input, result: ids, at });
        assert_eq!(wire::encode(&now), earlier, "the bytes have not changed");
        assert_eq!(wire::decode::<IdempotencyRecord>(&earlier), Ok(now.clone()));
        assert_eq!(now.result.case(), Some(CaseId([7; 16])));
        let nothing = MutationEnd::Done(Vec::new());
        assert_eq!((read_back(&nothing), nothing.case()), (nothing.clone(), None));
    }

    #[test]
    fn a_refusal_reads_back_with_its_code_words_place_and_version() {
        let conflict = Refusal {
            current: Some(4),
            ..Refusal::new("VERSION_CONFLICT", "已被修改", "changed").at(["expectedVersion"])
        };
        for (case, refusal) in
            [(Some(CaseId([7; 16])), conflict), (None, Refusal::new("NOT_OPEN", "", ""))]
        {
            let end = MutationEnd::refused(case, &refusal);
            assert_eq!(end, MutationEnd::Refused { case, refusal: Box::new(refusal) });
            assert_eq!(read_back(&end), end);
            assert_eq!(end.case(), case);
        }
    }

    #[test]
    fn a_refusal_of_any_length_fits_into_a_record() {
        let long = "缺少材料、".repeat(4_000);
        let refusal = Refusal {
            path: vec![long.clone(); 100],
            ..Refusal::new("MATERIALS_INCOMPLETE", long.clone(), long)
        };
        let end = MutationEnd::refused(Some(CaseId([7; 16])), &refusal);
        assert_eq!(read_back(&end), end);
        assert!(wire::encode(&record(end.clone())).len() <= RECORD_INLINE_BYTES_MAX);
        let MutationEnd::Refused { refusal, .. } = end else { panic!("{end:?}") };
        assert!(refusal.zh.ends_with('…') && refusal.zh.len() <= TEXT_BYTES_MAX);
    }
}
