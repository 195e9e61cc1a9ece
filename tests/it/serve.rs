//! A server as those who operate it meet it: asked to stop as soon as it is there, and while other
//! commands work on its folder.

use std::fs;
use std::path::Path;

use serde_json::Value as Json;
use tongban_tests::{Server, Tongban};

const PROGRAM: Tongban = Tongban(env!("CARGO_BIN_EXE_tongban-under-test"));
const RULES: &str = r#"{ "kind": "card-rules", "code": "shiyan", "about": "第一版", "rules": [] }"#;
/// Starts that are cut short: the moment in which a wish could be overheard is a short one.
const STARTS: usize = 5;

fn text(path: &Path) -> &str {
    path.to_str().expect("test folders have plain names")
}

/// Tells whether a process would hear SIGTERM, instead of dying of it.
#[cfg(target_os = "linux")]
fn hears_the_wish_to_stop(server: &Server) -> bool {
    const SIGTERM: u32 = 15;
    let status = fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
    let caught = u64::from_str_radix(caught.trim(), 16).unwrap();
    caught & (1 << (SIGTERM - 1)) != 0
}

#[cfg(not(target_os = "linux"))]
fn hears_the_wish_to_stop(_: &Server) -> bool {
    true
}

#[test]
fn a_server_that_is_asked_to_stop_as_soon_as_it_is_there_ends_in_order() {
    let folder = tempfile::tempdir().unwrap();
    for start in 0..STARTS {
        let server = PROGRAM.serve(&["--dev", "--data", text(folder.path())]);
        assert!(hears_the_wish_to_stop(&server), "start {start}: it is there and does not listen");
        let (status, told) = server.terminate();
        assert_eq!(status.code(), Some(0), "start {start}: {status} {told}");
        assert!(!folder.path().join("control.json").exists(), "it leaves no open door behind");
    }
}

fn audited(data: &Path) -> Vec<Json> {
    let listed = PROGRAM.run(&["audit", "list", "--data", text(data), "--format", "json"]);
    assert_eq!(listed.code, Some(0), "{}", listed.stderr);
    listed.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn documents_that_replace_others_leave_a_record_also_while_a_server_holds_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let (data, rules) = (folder.path().join("data"), folder.path().join("rules.json"));
    fs::write(&rules, RULES).unwrap();
    let import = |more: &[&str]| {
        let wish = [&["import", text(&rules), "--data", text(&data)], more].concat();
        let ended = PROGRAM.run(&wish);
        assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    };
    import(&["--dry-run"]);
    assert!(!data.exists(), "a dry run leaves nothing");
    import(&[]);
    let first = audited(&data);
    assert_eq!(first.len(), 1, "{first:?}");
    assert_eq!(
        (&first[0]["act"], &first[0]["role"]),
        (&"standing_replaced".into(), &"operator".into())
    );
    let target = first[0]["target"].as_str().unwrap().to_owned();
    assert!(target.starts_with("card-rules/shiyan "), "{target}");
    import(&[]);
    assert_eq!(audited(&data).len(), 1, "the same document replaces nothing");

    let server = PROGRAM.serve(&["--dev", "--data", text(&data)]);
    fs::write(&rules, RULES.replace("第一版", "第二版")).unwrap();
    import(&[]);
    let (status, told) = server.terminate();
    assert_eq!(status.code(), Some(0), "{told}");
    let both = audited(&data);
    assert_eq!(both.len(), 2, "{both:?}");
    assert_ne!(both[1]["target"], first[0]["target"], "the digest tells which version it is");
    assert_eq!(PROGRAM.run(&["audit", "verify", "--data", text(&data)]).code, Some(0));
}
