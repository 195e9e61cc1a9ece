use std::fs;

use tempfile::TempDir;
use tokio::task::JoinSet;

use super::*;

fn at(minute: u32) -> Moment {
    Moment::parse("2026-03-02T09:00:00.123+08:00").unwrap().plus_millis(i64::from(minute) * 60_000)
}

fn memory() -> References {
    References::open(objects::memory())
}

async fn publish(references: &References, name: &str, text: &str) -> Version {
    references.publish("organisation", name, text.into(), at(0)).await.unwrap()
}

/// Lists the files of a document in a folder, by name.
fn files(folder: &TempDir, document: &str) -> Vec<String> {
    let folder = folder.path().join("reference").join(document);
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn versions_count_from_one_and_the_same_bytes_make_none() {
    let references = memory();
    let first = publish(&references, "420300", r#"{"offices":[]}"#).await;
    assert_eq!((first.version, first.size), (1, 14));
    let again = references.publish("organisation", "420300", br#"{"offices":[]}"#.into(), at(5));
    assert_eq!(again.await.unwrap(), first);
    let second = publish(&references, "420300", r#"{"offices":[1]}"#).await;
    let back = publish(&references, "420300", r#"{"offices":[]}"#).await;
    assert_eq!((second.version, back.version), (2, 3));
    let versions = references.versions("organisation", "420300").await.unwrap();
    assert_eq!(versions, [first.clone(), second, back.clone()]);
    assert_eq!(first.digest, back.digest);
}

#[tokio::test]
async fn the_current_set_holds_the_newest_of_each_name() {
    let references = memory();
    publish(&references, "420302", "{}").await;
    publish(&references, "420300", "[1]").await;
    publish(&references, "420300", "[2]").await;
    references.publish("calendar", "2026", b"[]".into(), at(0)).await.unwrap();
    let current = references.current("organisation").await.unwrap();
    let short: Vec<_> =
        current.iter().map(|one| (one.name.as_str(), one.version, one.bytes.as_slice())).collect();
    assert_eq!(short, [("420300", 2, &b"[2]"[..]), ("420302", 1, b"{}")]);
    assert_eq!(current[0].at, at(0));
    assert_eq!(references.current("agreements").await.unwrap(), []);
}

#[tokio::test]
async fn older_versions_stay_and_missing_ones_are_none() {
    let references = memory();
    publish(&references, "a", "1").await;
    publish(&references, "a", "2").await;
    let first = references.version("organisation", "a", 1).await.unwrap().unwrap();
    assert_eq!((first.bytes.as_slice(), first.digest), (&b"1"[..], Digest::of(b"1")));
    assert_eq!(references.version("organisation", "a", 3).await.unwrap(), None);
    assert_eq!(references.version("organisation", "a", 0).await.unwrap(), None);
    assert_eq!(references.versions("organisation", "b").await.unwrap(), []);
}

#[tokio::test]
async fn what_is_not_a_document_is_refused_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let references = References::in_folder(folder.path()).unwrap();
    let large = format!("\"{}\"", "a".repeat(REFERENCE_BYTES_MAX));
    for (kind, name, text, code) in [
        ("people", "a", "{}", "REFERENCE_KIND"),
        ("../calendar", "a", "{}", "REFERENCE_KIND"),
        ("calendar", "", "{}", "REFERENCE_NAME"),
        ("calendar", "..", "{}", "REFERENCE_NAME"),
        ("calendar", "a/b", "{}", "REFERENCE_NAME"),
        ("calendar", "A", "{}", "REFERENCE_NAME"),
        ("calendar", "a#1", "{}", "REFERENCE_NAME"),
        ("calendar", &"a".repeat(65), "{}", "REFERENCE_NAME"),
        ("calendar", "a", "", "REFERENCE_NOT_JSON"),
        ("calendar", "a", "{} {}", "REFERENCE_NOT_JSON"),
        ("calendar", "a", "{\n  \"day\": 1,\n}", "REFERENCE_NOT_JSON"),
        ("calendar", "a", &large, "REFERENCE_TOO_LARGE"),
    ] {
        let error = references.publish(kind, name, text.into(), at(0)).await.unwrap_err();
        assert_eq!((error.code(), error.class()), (code, ErrorClass::Invalid), "{error}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    let error = references.publish("calendar", "a", b"{\n  1\n}".into(), at(0)).await.unwrap_err();
    assert!(error.to_string().starts_with("参考数据 calendar/a 第 2 行第 3 列"), "{error}");
}

#[tokio::test]
async fn a_folder_is_legible_and_read_again_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let references = References::in_folder(folder.path()).unwrap();
    let version = publish(&references, "420300", "{\"offices\":[]}").await;
    let digest = &version.digest.hex()[..12];
    assert_eq!(
        files(&folder, "organisation/420300"),
        [format!("00001-{digest}.json"), "00001.version.json".to_owned()]
    );
    let record = folder.path().join("reference/organisation/420300/00001.version.json");
    let record = fs::read_to_string(record).unwrap();
    assert!(record.contains("\"at\": \"2026-03-02T09:00:00.123+08:00\""), "{record}");
    let again = References::in_folder(folder.path()).unwrap();
    assert_eq!(again.versions("organisation", "420300").await.unwrap(), [version]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn importers_at_once_get_numbers_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let mut importers = JoinSet::new();
    for no in 0..8_u32 {
        let references = References::in_folder(folder.path()).unwrap();
        importers.spawn(async move { publish(&references, "420300", &format!("[{no}]")).await });
    }
    let mut published = importers.join_all().await;
    published.sort_by_key(|version| version.version);
    let references = References::in_folder(folder.path()).unwrap();
    let versions = references.versions("organisation", "420300").await.unwrap();
    assert_eq!(versions, published);
    assert!(versions.iter().map(|version| version.version).eq(1..=8));
    // Two files a version: whoever lost a number took his document back.
    assert_eq!(files(&folder, "organisation/420300").len(), 16);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn importers_of_the_same_bytes_publish_one_version() {
    let references = memory();
    let mut importers = JoinSet::new();
    for _ in 0..8 {
        let references = references.clone();
        importers.spawn(async move { publish(&references, "a", "{}").await });
    }
    let published = importers.join_all().await;
    assert!(published.iter().all(|version| *version == published[0]));
    assert_eq!(references.versions("organisation", "a").await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_document_without_its_record_was_never_published() {
    let store = objects::memory();
    let references = References::open(Arc::clone(&store));
    let digest = Digest::of(b"[1]");
    let record = Record { version: 1, digest, at: at(0), size: 3 };
    let place = Place::new("organisation", "a").unwrap();
    store.put(&place.document(&record), PutPayload::from_static(b"[1]")).await.unwrap();
    assert_eq!(references.current("organisation").await.unwrap(), []);
    // The next importer of the same bytes finishes it, one of other bytes passes by.
    assert_eq!(publish(&references, "a", "[1]").await.version, 1);
    assert_eq!(publish(&references, "a", "[2]").await.version, 2);
}

#[tokio::test]
async fn a_changed_file_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let references = References::in_folder(folder.path()).unwrap();
    let version = publish(&references, "a", "[1]").await;
    let name = format!("00001-{}.json", &version.digest.hex()[..12]);
    fs::write(folder.path().join("reference/organisation/a").join(&name), "[2]").unwrap();
    let error = references.current("organisation").await.unwrap_err();
    assert_eq!((error.code(), error.class()), ("REFERENCE_DAMAGED", ErrorClass::Permanent));
    assert!(error.to_string().contains(&name), "{error}");
    let record = folder.path().join("reference/organisation/a/00001.version.json");
    fs::write(record, "{}").unwrap();
    let error = references.versions("organisation", "a").await.unwrap_err();
    assert_eq!(error.code(), "REFERENCE_DAMAGED");
}
