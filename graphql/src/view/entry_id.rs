//! Ids of what a single entry of a case is: `evt_<case>-<seq>`, `crd_<case>-<seq>`,
//! `inc_<case>-<seq>`.

use async_graphql::ID;
use tongban_core::id::{CaseId, Seq, TaskId};

/// What an entry is shown as.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum EntryKind {
    /// An event.
    Event,
    /// A supervision card.
    Card,
    /// An incident.
    Incident,
}

impl EntryKind {
    fn prefix(self) -> &'static str {
        match self {
            Self::Event => "evt_",
            Self::Card => "crd_",
            Self::Incident => "inc_",
        }
    }
}

/// Writes the id of an entry.
pub(crate) fn write_entry_id(kind: EntryKind, case: CaseId, seq: Seq) -> ID {
    let case = case.to_string();
    ID(format!("{}-{seq}", case.replacen("case_", kind.prefix(), 1)))
}

/// Reads the id of an entry.
pub(crate) fn read_entry_id(kind: EntryKind, id: &ID) -> Option<(CaseId, Seq)> {
    // Case and number are written alike in every id of a part; a task's are read by core.
    let rest = id.strip_prefix(kind.prefix())?;
    let part: TaskId = format!("tsk_{rest}").parse().ok()?;
    Some((part.case, part.no))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_as_what_it_was_written_for_and_nothing_else() {
        let case: CaseId = "case_01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().unwrap();
        let id = write_entry_id(EntryKind::Card, case, Seq(17));
        assert_eq!(read_entry_id(EntryKind::Card, &id), Some((case, Seq(17))));
        assert_eq!(read_entry_id(EntryKind::Event, &id), None);
        assert_eq!(read_entry_id(EntryKind::Card, &ID("crd_x".to_owned())), None);
    }
}
