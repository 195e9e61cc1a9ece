use tongban_core::digest::Digest;
use tongban_core::document::DocumentKind;

use super::*;
use crate::document::{Face, render, sample};

fn sealed(kind: SealKind) -> (DocumentContent, Sealed) {
    let content = sample::content(DocumentKind::Denial);
    let digest = Digest::of(&render(&content, Face::Final));
    let at = sample::made_at();
    let seal = SealRecord {
        version: SealRecord::VERSION,
        kind,
        name: format!("{}(十堰市自然资源和规划局)", kind.name()),
        office: "十堰市自然资源和规划局".to_owned(),
        signer: "签章服务".to_owned(),
        key_id: "trial-0123456789abcdef".to_owned(),
        algorithm: "Ed25519".to_owned(),
        signed_at: at,
        made_at: at,
        valid_from: at,
        valid_until: at.plus_millis(1_000),
        document_no: content.number.clone(),
        digest,
        signature: vec![0xab; 64],
    };
    (content, Sealed { drafted_at: at, at, seal, digest })
}

fn page(kind: SealKind, verified: &Result<(), SealFault>) -> String {
    let (content, sealed) = sealed(kind);
    String::from_utf8(render_sealed(&content, &sealed, verified)).unwrap()
}

#[test]
fn a_genuine_seal_is_shown_with_its_record_and_the_digest_of_the_kept_file() {
    let page = page(SealKind::Official, &Ok(()));
    let (_, sealed) = sealed(SealKind::Official);
    let digest = sealed.digest.to_string();
    for words in ["<svg", "验证通过", "本页为展示页", "Ed25519", digest.as_str()] {
        assert!(page.contains(words), "{words}");
    }
    assert!(!page.contains("试用印章"));
}

#[test]
fn a_trial_seal_says_so_across_the_page() {
    assert!(page(SealKind::Trial, &Ok(())).contains("试用印章 · 无法律效力"));
}

#[test]
fn a_seal_that_does_not_hold_has_no_picture() {
    let (_, sealed) = sealed(SealKind::Official);
    let document_no = sealed.seal.document_no;
    let page = page(SealKind::Official, &Err(SealFault::NotGenuine { document_no }));
    assert!(!page.contains("<svg"));
    assert!(page.contains("验证不通过") && page.contains("SEAL_NOT_GENUINE"));
}

#[test]
fn names_are_broken_into_even_lines() {
    assert_eq!(name_lines("十堰市自然资源和规划局"), ["十堰市自然资", "源和规划局"]);
    assert_eq!(name_lines("公安局"), ["公安局"]);
    assert_eq!(name_lines(""), Vec::<String>::new());
    assert_eq!(name_lines(&"局".repeat(90)).concat().chars().count(), 24);
}
