use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::PathBuf;

use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tongban_core::error::ErrorClass;
use tongban_core::limits::{UPLOAD_BYTES_MAX, UPLOAD_NAME_CHARS_MAX};
use tongban_core::time::Moment;

use super::*;

const PDF: &[u8] = b"%PDF-1.7\n1 0 obj\n<< >>\nendobj\n%%EOF\n";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
const JPEG: &[u8] = b"\xff\xd8\xff\xe0\0\x10JFIF\0";
const TIFF: &[u8] = b"II*\0\x08\0\0\0\0\0\0\0";
const DWG: &[u8] = b"AC1032\0\0\0\0\0\0";
const COMPOUND: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0\0\0";

/// What a stream of a test brings.
type Piece = Result<Bytes, io::Error>;

fn case(no: u8) -> CaseId {
    CaseId::new(Moment::parse("2026-03-02T09:00:00+08:00").unwrap(), [no; 10])
}

/// Later than any file.
fn never() -> Moment {
    Moment::from_millis(i64::MAX)
}

fn memory() -> Blobs {
    Blobs::open(objects::memory())
}

fn folder() -> (TempDir, Blobs) {
    let folder = tempfile::tempdir().unwrap();
    let blobs = Blobs::in_folder(folder.path()).unwrap();
    (folder, blobs)
}

fn wanted(name: &str) -> Wanted {
    let known: Vec<String> = EXTENSIONS.iter().map(|(one, _)| (*one).to_owned()).collect();
    Wanted::new(name, &known)
}

/// Cuts bytes into pieces, as a network would.
fn pieces(bytes: &[u8], size: usize) -> impl Stream<Item = Piece> + Send + 'static {
    let pieces: Vec<Piece> =
        bytes.chunks(size).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
    stream::iter(pieces)
}

async fn put(blobs: &Blobs, name: &str, bytes: &[u8]) -> Result<StoredBlob, BlobError> {
    blobs.put(case(1), &wanted(name), pieces(bytes, 1_000)).await
}

async fn refusal(name: &str, bytes: &[u8]) -> BlobError {
    let (folder, blobs) = folder();
    let error = put(&blobs, name, bytes).await.unwrap_err();
    assert_eq!(files(&folder), Vec::<PathBuf>::new(), "{error} left files");
    error
}

async fn read(blobs: &Blobs, digest: Digest) -> Result<Vec<u8>, BlobError> {
    let reader = blobs.get(case(1), digest).await?.expect("the case has the blob");
    let chunks: Vec<Bytes> = reader.stream.try_collect().await?;
    Ok(chunks.concat())
}

/// Lists every file in a folder.
fn files(folder: &TempDir) -> Vec<PathBuf> {
    let mut folders = vec![folder.path().to_path_buf()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files
}

/// Writes an archive whose entries are all empty.
fn archive(names: &[&str]) -> Vec<u8> {
    let length = |name: &str| u16::try_from(name.len()).unwrap().to_le_bytes();
    let (mut local, mut central) = (Vec::new(), Vec::new());
    for name in names {
        local.extend_from_slice(b"PK\x03\x04");
        local.extend_from_slice(&[0; 22]);
        local.extend_from_slice(&length(name));
        local.extend_from_slice(&[0; 2]);
        local.extend_from_slice(name.as_bytes());
        central.extend_from_slice(b"PK\x01\x02");
        central.extend_from_slice(&[0; 24]);
        central.extend_from_slice(&length(name));
        central.extend_from_slice(&[0; 16]);
        central.extend_from_slice(name.as_bytes());
    }
    [local, central, b"PK\x05\x06".to_vec(), vec![0; 18]].concat()
}

/// A PDF of some megabytes that does not repeat itself.
fn long_pdf(bytes: u32) -> Vec<u8> {
    let body = (0..bytes / 4).flat_map(|no| no.wrapping_mul(2_654_435_761).to_le_bytes());
    PDF.iter().copied().chain(body).collect()
}

#[tokio::test]
async fn a_file_comes_back_as_it_went_in() {
    let (folder, blobs) = folder();
    let bytes = long_pdf(3_000_000);
    let stored = put(&blobs, "图纸 一.PDF", &bytes).await.unwrap();
    assert_eq!(stored.digest, Digest::of(&bytes));
    assert_eq!((stored.bytes, stored.media_type), (bytes.len() as u64, "application/pdf"));
    assert_eq!(blobs.find(case(1), stored.digest).await.unwrap(), Some(stored.clone()));
    assert_eq!(read(&blobs, stored.digest).await.unwrap(), bytes);
    let path = format!("files/{}/{}", case(1), stored.digest.hex());
    assert_eq!(files(&folder), [folder.path().join(path)]);
    let again = Blobs::in_folder(folder.path()).unwrap();
    assert_eq!(read(&again, stored.digest).await.unwrap(), bytes);
}

#[tokio::test]
async fn every_type_is_told_by_its_bytes() {
    let ofd = archive(&["OFD.xml", "Doc_0/Document.xml"]);
    let docx = archive(&["[Content_Types].xml", "_rels/.rels", "word/document.xml"]);
    let xlsx = archive(&["xl/workbook.xml", "[Content_Types].xml"]);
    let zip = archive(&["drawings/OFD.xml"]);
    for (name, bytes, media_type) in [
        ("a.pdf", PDF, "application/pdf"),
        ("a.png", PNG, "image/png"),
        ("a.jpg", JPEG, "image/jpeg"),
        ("a.JPEG", JPEG, "image/jpeg"),
        ("a.tif", TIFF, "image/tiff"),
        ("a.dwg", DWG, "image/vnd.dwg"),
        ("a.doc", COMPOUND, "application/x-ole-storage"),
        ("a.ofd", &ofd, "application/ofd"),
        ("a.docx", &docx, Kind::Docx.media_type()),
        ("a.xlsx", &xlsx, Kind::Xlsx.media_type()),
        ("a.zip", &zip, "application/zip"),
        ("a.zip", &docx, Kind::Docx.media_type()),
    ] {
        let blobs = memory();
        let stored = put(&blobs, name, bytes).await.unwrap();
        assert_eq!(stored.media_type, media_type, "{name}");
        assert_eq!(blobs.find(case(1), stored.digest).await.unwrap(), Some(stored));
    }
}

#[tokio::test]
async fn a_lying_extension_is_refused() {
    let zip = archive(&["a.txt"]);
    let cut = archive(&["OFD.xml"]);
    let hidden = [b"<html>", PDF].concat();
    for (name, bytes) in [
        ("a.pdf", PNG),
        ("a.png", PDF),
        ("a.pdf", b"MZ\x90\0\x03\0\0\0"),
        ("a.pdf", b"just text"),
        ("a.pdf", &hidden),
        ("a.ofd", &zip),
        ("a.docx", &zip),
        ("a.ofd", &cut[..cut.len() - 1]),
        ("a.zip", b"PK\x05\x06"),
        ("a.xlsx", COMPOUND),
    ] {
        let error = refusal(name, bytes).await;
        assert_eq!((error.code(), error.class()), ("FILE_TYPE_MISMATCH", ErrorClass::Invalid));
    }
    let error = refusal("总平面图.pdf", PNG).await;
    assert_eq!(
        error.to_string(),
        "文件 总平面图.pdf 的内容不是 pdf(检测为 image/png),请上传原文件 / the content of 总平面图.pdf is not pdf but image/png; send the original file"
    );
}

#[tokio::test]
async fn a_lying_extension_is_refused_before_the_end() {
    let blobs = memory();
    let (send, mut receive) = mpsc::unbounded_channel::<Piece>();
    send.send(Ok(vec![b'M'; HEAD_BYTES].into())).unwrap();
    let endless = stream::poll_fn(move |context| receive.poll_recv(context));
    let error = blobs.put(case(1), &wanted("a.pdf"), endless).await.unwrap_err();
    assert_eq!(error.code(), "FILE_TYPE_MISMATCH");
    drop(send);
}

#[tokio::test]
async fn what_the_material_does_not_accept_is_refused_with_what_it_does() {
    let blobs = memory();
    let only = Wanted::new("a.png", &["pdf".to_owned(), "dwg".to_owned()]);
    let error = blobs.put(case(1), &only, pieces(PNG, 4)).await.unwrap_err();
    assert_eq!((error.code(), error.class()), ("FILE_TYPE_NOT_ACCEPTED", ErrorClass::Invalid));
    assert!(error.to_string().contains("可用类型:pdf、dwg"), "{error}");
    for name in ["pdf", "a", "a.", "a.pdf.exe"] {
        assert_eq!(refusal(name, PDF).await.code(), "FILE_TYPE_NOT_ACCEPTED", "{name}");
    }
}

#[tokio::test]
async fn names_that_mislead_are_refused() {
    let long = format!("{}.pdf", "a".repeat(UPLOAD_NAME_CHARS_MAX));
    for name in ["", "..", "../a.pdf", "a\\b.pdf", "a\n.pdf", "a\u{202E}fdp.exe.pdf", &long] {
        assert_eq!(refusal(name, PDF).await.code(), "FILE_NAME", "{name:?}");
    }
}

#[tokio::test]
async fn a_file_too_large_is_refused_with_the_limit_and_leaves_nothing() {
    let (folder, blobs) = folder();
    let limited = Wanted { bytes_max: 600_000, ..wanted("a.pdf") };
    let bytes = long_pdf(800_000);
    let error = blobs.put(case(1), &limited, pieces(&bytes, 100_000)).await.unwrap_err();
    assert_eq!((error.code(), error.class()), ("FILE_TOO_LARGE", ErrorClass::Invalid));
    let text = error.to_string();
    assert!(text.contains("600000") && text.contains("700000"), "{text}");
    assert_eq!(files(&folder), Vec::<PathBuf>::new());
    assert_eq!(wanted("a.pdf").bytes_max, UPLOAD_BYTES_MAX);
    let whole = Wanted { bytes_max: bytes.len() as u64, ..limited };
    blobs.put(case(1), &whole, pieces(&bytes, 100_000)).await.unwrap();
}

#[tokio::test]
async fn an_empty_file_is_refused() {
    assert_eq!(refusal("a.pdf", b"").await.code(), "FILE_EMPTY");
}

#[tokio::test]
async fn a_torn_upload_leaves_nothing() {
    let (folder, blobs) = folder();
    let bytes = long_pdf(1_000_000);
    let torn = io::Error::from(io::ErrorKind::ConnectionReset);
    let broken = pieces(&bytes, 100_000).take(6).chain(stream::iter([Err(torn)]));
    let error = blobs.put(case(1), &wanted("a.pdf"), broken).await.unwrap_err();
    assert_eq!((error.code(), error.class()), ("FILE_TORN", ErrorClass::Transient));
    assert!(error.to_string().contains("600000"), "{error}");
    assert_eq!(files(&folder), Vec::<PathBuf>::new());
    assert_eq!(blobs.find(case(1), Digest::of(&bytes)).await.unwrap(), None);
}

#[tokio::test]
async fn an_upload_that_is_given_up_is_never_seen() {
    let (folder, blobs) = folder();
    let (send, mut receive) = mpsc::unbounded_channel::<Piece>();
    let (taken, mut was_taken) = mpsc::unbounded_channel();
    send.send(Ok(long_pdf(600_000).into())).unwrap();
    let endless = stream::poll_fn(move |context| {
        // The second question comes once the first part is on the device.
        taken.send(()).expect("the test listens");
        receive.poll_recv(context)
    });
    let wanted = wanted("a.pdf");
    let mut upload = Box::pin(blobs.put(case(1), &wanted, endless));
    tokio::select! {
        _ = &mut upload => panic!("the upload cannot end"),
        _ = async { was_taken.recv().await.and(was_taken.recv().await) } => {}
    }
    drop(upload);
    drop(send);
    let listed: Vec<ObjectMeta> = blobs.store.list(None).try_collect().await.unwrap();
    assert_eq!(listed, []);
    // What a process leaves behind that had no time to clear up goes when the folder is opened.
    let left = folder.path().join("files/unfinished/0011#1");
    fs::create_dir_all(left.parent().unwrap()).unwrap();
    fs::write(&left, "left").unwrap();
    drop(Blobs::in_folder(folder.path()).unwrap());
    assert!(!left.exists());
}

#[tokio::test]
async fn the_same_bytes_twice_are_one_blob_and_cases_share_none() {
    let (folder, blobs) = folder();
    let first = put(&blobs, "a.pdf", PDF).await.unwrap();
    assert_eq!(put(&blobs, "b.pdf", PDF).await.unwrap(), first);
    assert_eq!(files(&folder).len(), 1);
    assert_eq!(blobs.find(case(2), first.digest).await.unwrap(), None);
    assert!(blobs.get(case(2), first.digest).await.unwrap().is_none());
    blobs.put(case(2), &wanted("a.pdf"), pieces(PDF, 9)).await.unwrap();
    assert_eq!(blobs.delete_case(case(2)).await.unwrap(), 1);
    assert_eq!(read(&blobs, first.digest).await.unwrap(), PDF);
    assert_eq!(blobs.delete_case(case(1)).await.unwrap(), 1);
    assert_eq!(blobs.delete_case(case(1)).await.unwrap(), 0);
    assert_eq!(files(&folder), Vec::<PathBuf>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn uploads_at_once_do_not_disturb_each_other() {
    let (folder, blobs) = folder();
    let mut uploads = JoinSet::new();
    for no in 0..16_u32 {
        let blobs = blobs.clone();
        // Each file is sent four times, at once.
        let bytes = long_pdf(400_000 + 4 * (no / 4));
        uploads.spawn(async move {
            let stored = put(&blobs, "a.pdf", &bytes).await.unwrap();
            assert_eq!(stored.digest, Digest::of(&bytes));
            assert_eq!(read(&blobs, stored.digest).await.unwrap(), bytes);
        });
    }
    uploads.join_all().await;
    assert_eq!(files(&folder).len(), 4);
}

#[tokio::test]
async fn more_uploads_than_allowed_are_told_to_come_back() {
    let blobs = memory();
    let count = u32::try_from(UPLOADS_AT_ONCE_MAX).unwrap();
    let all = Arc::clone(&blobs.uploads).try_acquire_many_owned(count).unwrap();
    assert_eq!(put(&blobs, "a.pdf", PDF).await.unwrap_err().code(), "UPLOADS_BUSY");
    drop(all);
    put(&blobs, "a.pdf", PDF).await.unwrap();
}

#[tokio::test]
async fn a_case_that_is_full_takes_no_more() {
    let (folder, blobs) = folder();
    put(&blobs, "a.pdf", PDF).await.unwrap();
    // A hole takes no space, but counts.
    let path = files(&folder).remove(0).with_file_name(Digest::of(b"large").hex());
    fs::File::create(path).unwrap().set_len(CASE_FILES_BYTES_MAX).unwrap();
    let error = put(&blobs, "a.png", PNG).await.unwrap_err();
    assert_eq!((error.code(), error.class()), ("CASE_FILES_FULL", ErrorClass::Invalid));
    blobs.put(case(2), &wanted("a.png"), pieces(PNG, 9)).await.unwrap();
}

#[tokio::test]
async fn a_damaged_blob_never_ends_well() {
    let (folder, blobs) = folder();
    for mut bytes in [PDF.to_vec(), long_pdf(100_000)] {
        let stored = put(&blobs, "a.pdf", &bytes).await.unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        fs::write(&files(&folder)[0], &bytes).unwrap();
        let mut reader = blobs.get(case(1), stored.digest).await.unwrap().unwrap();
        let mut delivered = 0;
        let error = loop {
            match reader.stream.next().await.expect("it ends with an error") {
                Ok(chunk) => delivered += chunk.len(),
                Err(error) => break error,
            }
        };
        assert_eq!((error.code(), error.class()), ("BLOB_DAMAGED", ErrorClass::Permanent));
        assert!(error.to_string().contains(&stored.digest.hex()), "{error}");
        assert!(delivered < bytes.len());
        blobs.delete_case(case(1)).await.unwrap();
    }
}

#[tokio::test]
async fn a_sweep_takes_old_blobs_that_nothing_names() {
    let (folder, blobs) = folder();
    let named = put(&blobs, "a.pdf", PDF).await.unwrap();
    let stray = put(&blobs, "a.png", PNG).await.unwrap();
    blobs.put(case(2), &wanted("a.pdf"), pieces(PDF, 9)).await.unwrap();
    fs::write(folder.path().join("files/unfinished/00ff"), "whole, without its name").unwrap();
    fs::write(folder.path().join("files/readme.txt"), "a foreign file").unwrap();
    let log = |of: CaseId| async move {
        let known = (of == case(1)).then(|| BTreeSet::from([named.digest]));
        Ok::<_, BlobError>(known)
    };
    let young = blobs.sweep(Sweep::all_before(Moment::from_millis(0)), &log).await.unwrap();
    assert_eq!(young, Swept::default());
    let all = Sweep::all_before(never());
    let bytes = (PNG.len() + PDF.len() + 23) as u64;
    let found = Swept { kept: 1, strays: 3, bytes };
    let counted = blobs.sweep(Sweep { strays: Strays::Count, ..all }, &log).await.unwrap();
    assert_eq!(counted, found);
    assert!(blobs.find(case(1), stray.digest).await.unwrap().is_some(), "counted, not deleted");
    assert_eq!(blobs.sweep(all, &log).await.unwrap(), found);
    assert_eq!(blobs.find(case(1), stray.digest).await.unwrap(), None);
    assert_eq!(read(&blobs, named.digest).await.unwrap(), PDF);
    assert!(folder.path().join("files/readme.txt").exists());
}

#[tokio::test]
async fn a_sweep_waits_for_whoever_is_about_to_commit() {
    let blobs = memory();
    let stored = put(&blobs, "a.pdf", PDF).await.unwrap();
    let log = std::sync::Mutex::new(BTreeSet::new());
    let held = blobs.hold().await;
    let logs = |_: CaseId| {
        let named = log.lock().unwrap().clone();
        async { Ok::<_, BlobError>(Some(named)) }
    };
    let mut sweep = Box::pin(blobs.sweep(Sweep::all_before(never()), &logs));
    tokio::select! {
        biased;
        _ = &mut sweep => panic!("the sweep must wait"),
        () = tokio::task::yield_now() => {}
    }
    assert!(blobs.find(case(1), stored.digest).await.unwrap().is_some());
    log.lock().unwrap().insert(stored.digest);
    drop(held);
    assert_eq!(sweep.await.unwrap(), Swept { kept: 1, ..Swept::default() });
    assert!(blobs.find(case(1), stored.digest).await.unwrap().is_some());
}

#[tokio::test]
async fn a_sweep_that_cannot_ask_deletes_nothing() {
    let blobs = memory();
    let stored = put(&blobs, "a.pdf", PDF).await.unwrap();
    let logs = |_: CaseId| async { Err(BlobError::Busy) };
    let swept = blobs.sweep(Sweep::all_before(never()), &logs).await;
    assert_eq!(swept.unwrap_err().code(), "UPLOADS_BUSY");
    assert_eq!(read(&blobs, stored.digest).await.unwrap(), PDF);
}

/// Sets back when a file was written.
fn age(file: &std::path::Path, written: Moment) {
    let since = std::time::Duration::from_millis(u64::try_from(written.millis()).unwrap());
    let file = fs::File::options().append(true).open(file).unwrap();
    file.set_modified(std::time::UNIX_EPOCH + since).unwrap();
}

#[tokio::test]
async fn a_sweep_passes_by_what_an_earlier_one_has_looked_at() {
    let (folder, blobs) = folder();
    for (name, bytes) in [("a.pdf", PDF), ("a.png", PNG), ("a.jpg", JPEG)] {
        put(&blobs, name, bytes).await.unwrap();
    }
    let day = |day: i64| {
        Moment::parse("2026-03-02T09:00:00+08:00").unwrap().plus_millis(day * 86_400_000)
    };
    let path = |bytes: &[u8]| {
        let named = |path: &PathBuf| path.ends_with(Digest::of(bytes).hex());
        files(&folder).into_iter().find(named).unwrap()
    };
    for (bytes, written) in [(PDF, day(0)), (PNG, day(2)), (JPEG, day(4))] {
        age(&path(bytes), written);
    }
    let asked = std::sync::Mutex::new(0);
    let logs = |_: CaseId| {
        *asked.lock().unwrap() += 1;
        async { Ok::<_, BlobError>(Some(BTreeSet::from([Digest::of(PNG)]))) }
    };
    let window = Sweep { since: Some(day(1)), ..Sweep::all_before(day(3)) };
    let swept = blobs.sweep(window, &logs).await.unwrap();
    assert_eq!(swept, Swept { kept: 1, ..Swept::default() });
    assert_eq!((files(&folder).len(), *asked.lock().unwrap()), (3, 1));
}

#[tokio::test]
async fn the_files_of_a_case_that_is_gone_stay_together_while_one_is_young() {
    let (folder, blobs) = folder();
    put(&blobs, "a.pdf", PDF).await.unwrap();
    put(&blobs, "a.png", PNG).await.unwrap();
    let year = Moment::parse("2026-01-01T00:00:00+08:00").unwrap();
    age(&files(&folder)[0], year);
    let nobody = |_: CaseId| async { Ok::<_, BlobError>(None) };
    let window = Sweep::all_before(year.plus_millis(1));
    assert_eq!(blobs.sweep(window, &nobody).await.unwrap(), Swept::default());
    age(&files(&folder)[1], year);
    let swept = blobs.sweep(window, &nobody).await.unwrap();
    assert_eq!((swept.strays, files(&folder).len()), (2, 0));
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_may_look_into_the_folder() {
    use std::os::unix::fs::PermissionsExt as _;
    let (folder, _blobs) = folder();
    let mode = fs::metadata(folder.path().join("files")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}
