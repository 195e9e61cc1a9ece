//! The audit log beside a bundle: written, read back, verified.

use super::*;

fn verified(path: &Path) -> Result<(), ProgramError> {
    let arguments = VerifyArguments { data: None, file: Some(path.to_owned()) };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(verify(&arguments))
}

#[test]
fn deeds_beside_a_bundle_are_one_chain_and_a_change_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    for reason in ["投诉核查", "复现问题,第二次"] {
        let said = (AuditedAct::Revealed, "case_x".to_owned(), reason);
        note_beside(folder.path(), said).unwrap();
    }
    let records = read(&path).unwrap();
    assert_eq!(records.len(), 2);
    assert_eq!(records[1].before, records[0].digest);
    assert_eq!(records[1].deed.role, "operator");
    verified(&path).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("投诉核查", "例行")).unwrap();
    assert_eq!(verified(&path).unwrap_err().code(), "AUDIT_BROKEN");
    std::fs::write(&path, text.lines().nth(1).unwrap()).unwrap();
    verified(&path).unwrap();
    std::fs::write(&path, "x").unwrap();
    assert!(verified(&path).is_err());
}
