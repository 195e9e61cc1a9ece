use std::path::Path;

use tongban_core::document::{DocumentFacts, PromisedEnd, content_for};
use tongban_core::entry::Party;
use tongban_core::time::Moment;

use super::*;
use crate::document::sample;

fn page(content: &DocumentContent, face: Face) -> String {
    String::from_utf8(render(content, face)).unwrap()
}

fn spoilt(kind: DocumentKind, spoil: impl FnOnce(&mut DocumentFacts)) -> String {
    let mut facts = sample::facts();
    spoil(&mut facts);
    page(&content_for(kind, &facts).unwrap(), Face::Final)
}

/// Returns what stands on the sheet, one element per line, so that a difference can be read.
fn sheet_lines(page: &str) -> String {
    let from = page.find("<main").expect("every page has a sheet");
    let until = page.find("</footer>").expect("every page has a foot");
    let mut lines = page[from..until].to_owned();
    for tag in ["<p", "<h1", "<h2", "<table", "<thead", "<tbody", "<tr", "<ol", "<li", "<div"] {
        lines = lines.replace(tag, &format!("\n{tag}"));
    }
    lines + "\n"
}

#[test]
fn every_kind_reads_as_it_is_kept_here() {
    for row in DocumentKind::ALL {
        let page = page(&sample::content(row.kind), Face::Final);
        let path =
            format!("{}/src/document/notice/pages/{}.html", env!("CARGO_MANIFEST_DIR"), row.code);
        expect_test::expect_file![Path::new(&path)].assert_eq(&sheet_lines(&page));
    }
}

#[test]
fn equal_content_gives_equal_bytes_after_storage_too() {
    for row in DocumentKind::ALL {
        let content = sample::content(row.kind);
        let stored = postcard::to_allocvec(&content).unwrap();
        let read: DocumentContent = postcard::from_bytes(&stored).unwrap();
        assert_eq!(render(&content, Face::Final), render(&read, Face::Final), "{}", row.code);
    }
}

#[test]
fn a_page_holds_all_it_needs_and_runs_nothing() {
    for row in DocumentKind::ALL {
        let page = page(&sample::content(row.kind), Face::Final);
        assert!(page.starts_with("<!DOCTYPE html><html lang=\"zh-CN\">"), "{}", row.code);
        assert!(page.contains("Content-Security-Policy"));
        for outside in
            ["<script", "<link", "<img", "<iframe", "http://", "https://", "url(", "@import"]
        {
            assert!(!page.contains(outside), "{} holds {outside}", row.code);
        }
    }
}

#[test]
fn a_draft_is_marked_and_a_final_page_is_not() {
    let content = sample::content(DocumentKind::Grant);
    assert!(page(&content, Face::Draft).contains("草稿 DRAFT"));
    assert!(!page(&content, Face::Final).contains("草稿"));
}

#[test]
fn no_page_shows_a_whole_identifier() {
    for row in DocumentKind::ALL {
        let page = page(&sample::content(row.kind), Face::Final);
        assert!(!page.contains("91420302MA4DEM010M"), "{}", row.code);
        assert!(!page.contains("420302199001010015"), "{}", row.code);
    }
}

#[test]
fn hostile_text_stays_text() {
    let hostile = "<script>alert(1)</script>\"><img src=x onerror=y>&\u{202e}\u{0}</title></style>";
    let page = spoilt(DocumentKind::Denial, |facts| {
        facts.subject.recipient = Party { id: hostile.to_owned(), name: hostile.to_owned() };
        facts.subject.office.name = hostile.to_owned();
        facts.subject.matter.name = hostile.to_owned();
        facts.subject.service_name = hostile.to_owned();
        facts.subject.region_name = hostile.to_owned();
        facts.detail.reasons = hostile.to_owned();
        facts.detail.basis = vec![hostile.to_owned()];
        facts.detail.remedies = Some(Remedies::general(hostile, hostile));
        facts.detail.facts[0].label = hostile.to_owned();
        facts.detail.attachments[0].name = hostile.to_owned();
    });
    assert!(!page.contains("<script") && !page.contains("<img"));
    assert!(!page.contains('\u{202e}') && !page.contains('\u{0}'));
    assert_eq!(page.matches("</style>").count(), 1);
    assert_eq!(page.matches("</title>").count(), 1);
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
}

#[test]
fn long_and_right_to_left_text_is_kept_whole() {
    let reasons = "理由一二三四五六\n".repeat(32 * 1024 / 25);
    let page = spoilt(DocumentKind::Denial, |facts| {
        facts.subject.recipient.name = "شركة المثال".repeat(30);
        facts.detail.reasons.clone_from(&reasons);
    });
    assert!(page.contains(&reasons));
    assert!(page.contains(&"شركة المثال".repeat(30)));
}

#[test]
fn text_that_is_no_unicode_cannot_reach_a_page() {
    assert!(serde_json::from_str::<String>("\"\\ud800\"").is_err());
}

#[test]
fn a_provisional_end_says_so() {
    let at = Moment::parse("2027-02-26T23:59:59+08:00").unwrap();
    let page = spoilt(DocumentKind::Acceptance, |facts| {
        facts.detail.promised_end = Some(PromisedEnd { at, provisional: true });
    });
    assert!(page.contains("2027年2月26日") && page.contains("暂定"));
}

#[test]
fn a_review_that_must_come_first_is_told_as_such() {
    let page = spoilt(DocumentKind::Denial, |facts| {
        facts.detail.remedies.as_mut().unwrap().order = RemedyOrder::ReviewFirst;
    });
    assert!(page.contains("依法应当先申请行政复议") && !page.contains("也可以自收到"));
}
