//! Which files of a case its log names: what a material was handed in as, what was sealed, and
//! what proves a service.
//!
//! The bytes of files are kept outside the log, by their digest. Whatever clears files away asks
//! here first; so do backups and bundles. A name stays a name, also where the entry was voided or
//! replaced later, since the log is the evidence. Each kind of entry says by itself whether it
//! names files.

use std::collections::BTreeMap;

use crate::agency::{DocumentRef, ReplyBody};
use crate::digest::Digest;
use crate::entry::{Body, Entry};
use crate::material::{Form, MaterialGiven};

/// How surely a file that a log names was kept with the case.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Named {
    /// Only its digest was told; the bytes may be elsewhere.
    ByDigest,
    /// The bytes were kept before the entry was committed.
    Kept,
}

/// Files by their digests, each as surely named as its surest entry names it.
#[derive(Default)]
struct Files(BTreeMap<Digest, Named>);

impl Files {
    fn add(&mut self, digest: Digest, named: Named) {
        let known = self.0.entry(digest).or_insert(named);
        *known = named.max(*known);
    }

    /// Adds files of which only the digest came.
    fn refer(&mut self, digests: impl Iterator<Item = Digest>) {
        for digest in digests {
            self.add(digest, Named::ByDigest);
        }
    }

    /// A commitment has no bytes; a size is noted only when the bytes were found with the case.
    fn give(&mut self, given: &MaterialGiven) {
        match given.form {
            Form::File if given.bytes > 0 => self.add(given.digest, Named::Kept),
            Form::File => self.add(given.digest, Named::ByDigest),
            Form::Commitment { .. } => {}
        }
    }
}

/// Returns the digests of the files that a log names, each once.
pub fn named(entries: &[Entry]) -> BTreeMap<Digest, Named> {
    let mut files = Files::default();
    for entry in entries {
        add(&entry.body, &mut files);
    }
    files.0
}

fn add(body: &Body, files: &mut Files) {
    match body {
        Body::CaseStarted(started) => started.materials.iter().for_each(|given| files.give(given)),
        Body::MaterialHanded(given) => files.give(given),
        Body::DocumentSealed(sealed) => files.add(sealed.digest, Named::Kept),
        Body::DocumentServed(served) => {
            files.refer(served.service.evidence.iter().map(|file| file.digest));
        }
        Body::CallReplied(reply) => {
            files.refer(documents(&reply.body).iter().map(|document| document.digest));
        }
        // The rest holds values; how a requirement was met repeats what was handed in.
        Body::MatterFiled(_)
        | Body::MaterialTried(_)
        | Body::MaterialMet(_)
        | Body::InputArrived { .. }
        | Body::InputSuperseded { .. }
        | Body::Acted { .. }
        | Body::Requested(_)
        | Body::CallRenewed(_)
        | Body::CallAbandoned { .. }
        | Body::RequestReleased { .. }
        | Body::ObligationResolved { .. }
        | Body::TaskOpened(_)
        | Body::TaskClaimed { .. }
        | Body::TaskReleased { .. }
        | Body::TaskCompleted { .. }
        | Body::TaskDropped { .. }
        | Body::TaskAssigned(_)
        | Body::TaskEscalated { .. }
        | Body::TaskUrged { .. }
        | Body::MatterUrged { .. }
        | Body::TaskRefreshed { .. }
        | Body::DraftSaved { .. }
        | Body::DecisionProposed { .. }
        | Body::FormChanged(_)
        | Body::Consented(_)
        | Body::CardRaised(_)
        | Body::CardAnswered(_)
        | Body::DocumentDrafted(_)
        | Body::CaseSubmitted
        | Body::TimerFired { .. }
        | Body::IncidentRaised(_)
        | Body::RunFinished { .. }
        | Body::RunRestarted { .. }
        | Body::OutcomeUncaught { .. }
        | Body::ClockFired { .. }
        | Body::PeriodRenewed { .. }
        | Body::EntryVoided { .. }
        | Body::CalendarChanged { .. }
        | Body::IncidentSettled(_)
        | Body::WayOutProposed(_)
        | Body::CaseRebound(_)
        | Body::RunRewound(_)
        | Body::ResultOverridden(_)
        | Body::Paused { .. }
        | Body::Resumed { .. }
        | Body::CancelRequested { .. }
        | Body::CompensationEnded
        | Body::CallReopened { .. }
        | Body::CallPlaced { .. }
        | Body::MessageArrived(_)
        | Body::MessageTaken { .. }
        | Body::IntakeBegun { .. }
        | Body::IntakeRecommended(_)
        | Body::FieldsTried(_)
        | Body::PartialOutcome(_)
        | Body::RunFailed(_) => {}
    }
}

/// Returns the documents that came with a reply.
fn documents(body: &ReplyBody) -> &[DocumentRef] {
    match body {
        ReplyBody::Completed { documents, .. } => documents,
        ReplyBody::Accepted { .. } | ReplyBody::Act(_) | ReplyBody::Otherwise(_) => &[],
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::document::{
        Attachment, DocumentKind, DocumentNo, NumberParts, SealKind, SealRecord, Service,
        ServiceMode,
    };
    use crate::entry::{DocumentSealed, DocumentServed, Origin};
    use crate::id::{MatterNo, Seq};
    use crate::time::Moment;

    fn at() -> Moment {
        Moment::parse("2026-03-02T09:00:00+08:00").unwrap()
    }

    fn entry(body: Body) -> Entry {
        Entry {
            seq: Seq(1),
            matter: MatterNo(1),
            recorded_at: at(),
            effective_at: at(),
            origin: Origin::Engine,
            body,
        }
    }

    fn number() -> DocumentNo {
        let parts = NumberParts {
            office_word: "示规",
            kind: DocumentKind::Receipt,
            year: 2026,
            case_number: "4203002603020001",
            matter: MatterNo(1),
            running: 1,
        };
        DocumentNo::derive(&parts).unwrap()
    }

    fn sealed(page: Digest) -> Body {
        let seal = SealRecord {
            version: SealRecord::VERSION,
            kind: SealKind::Trial,
            name: String::new(),
            office: String::new(),
            signer: String::new(),
            key_id: String::new(),
            algorithm: String::new(),
            signed_at: at(),
            made_at: at(),
            valid_from: at(),
            valid_until: at(),
            document_no: number(),
            digest: page,
            signature: Vec::new(),
        };
        Body::DocumentSealed(Arc::new(DocumentSealed { number: number(), digest: page, seal }))
    }

    fn served(proof: Digest) -> Body {
        let how = ServiceMode::Window { signed_by: "示例甲".to_owned() };
        let evidence = vec![Attachment { name: "回证.pdf".to_owned(), digest: proof }];
        let service = Service { at: at(), how, evidence };
        let evidence = String::new();
        Body::DocumentServed(Arc::new(DocumentServed { number: number(), service, evidence }))
    }

    fn handed(form: Form, bytes: &[u8], size: u64) -> Body {
        let given = MaterialGiven::file("sketch", "效果图.pdf", Digest::of(bytes));
        Body::MaterialHanded(Arc::new(MaterialGiven { form, bytes: size, ..given }))
    }

    #[test]
    fn materials_sealed_pages_and_proofs_of_service_are_named() {
        let commitment = Form::Commitment { text_version: "1".to_owned() };
        let log = [
            handed(Form::File, b"first", 5),
            handed(Form::File, b"first", 0),
            handed(Form::File, b"second", 0),
            handed(commitment, b"a text, not a file", 18),
            sealed(Digest::of(b"page")),
            served(Digest::of(b"proof")),
            Body::EntryVoided { entry: Seq(1), reason: "录错".to_owned() },
        ];
        let log: Vec<Entry> = log.into_iter().map(entry).collect();
        let files: [(&[u8], Named); 4] = [
            (b"first", Named::Kept),
            (b"second", Named::ByDigest),
            (b"page", Named::Kept),
            (b"proof", Named::ByDigest),
        ];
        let expected = BTreeMap::from(files.map(|(bytes, named)| (Digest::of(bytes), named)));
        assert_eq!(named(&log), expected, "a voided entry still names its file");
    }

    #[test]
    fn a_log_without_files_names_none() {
        assert_eq!(named(&[entry(Body::CaseSubmitted)]), BTreeMap::new());
    }
}
