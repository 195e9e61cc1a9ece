//! A folder that changes under a running host.

use std::fs;

use tempfile::TempDir;
use tokio::sync::mpsc;
use tongban_core::id::ServiceCode;
use tongban_core::port::Script as _;
use tongban_core::time::Moment;
use tongban_engine::clock::ManualClock;

use super::*;

const SERVICE: &str = r#"service(#{ code: "one", name: "一", lead: "d", target: "person",
    regions: ["420300"], matters: [ part("m") ] });"#;
const MATTER: &str = r#"matter(#{ code: "m", name: "事项", department: "d" }); fn handle(m) { }"#;

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("services")).unwrap();
    fs::create_dir_all(folder.path().join("matters/d")).unwrap();
    write(&folder, "services/one.rhai", SERVICE);
    write(&folder, "matters/d/m.rhai", MATTER);
    folder
}

fn write(folder: &TempDir, path: &str, text: &str) {
    fs::write(folder.path().join(path), text).unwrap();
}

fn watch(folder: &TempDir) -> (Arc<Host>, Watch) {
    let host = Arc::new(Host::open(folder).unwrap());
    (Arc::clone(&host), Watch::new(host, folder.path()))
}

fn name(host: &Host) -> String {
    host.active(&ServiceCode::new("one")).unwrap().service.name.clone()
}

#[test]
fn a_change_is_acted_on_when_two_looks_agree() {
    let folder = folder();
    let (host, mut watch) = watch(&folder);
    assert!(watch.look().is_none());
    write(&folder, "services/one.rhai", &SERVICE.replace('一', "第一"));
    assert!(watch.look().is_none(), "an editor may still write");
    let Some(Change::Activated(changes)) = watch.look() else { panic!("not activated") };
    assert_eq!(changes.len(), 1);
    assert_eq!(name(&host), "第一");
    let said = told(&Change::Activated(changes));
    assert!(said.contains("  one: ") && said.contains(" → "), "{said}");
    assert!(watch.look().is_none());
}

#[test]
fn a_mistake_is_told_with_file_and_line_and_mended_by_the_next_change() {
    let folder = folder();
    let (host, mut watch) = watch(&folder);
    write(&folder, "matters/d/m.rhai", "matter(#{ code: \"m\", nam: 1 });");
    assert!(watch.look().is_none());
    let refused = watch.look().unwrap();
    assert!(matches!(refused, Change::Refused(_)));
    let said = told(&refused);
    assert!(said.contains("matters/d/m.rhai:1") && said.contains("继续使用原版本"), "{said}");
    assert_eq!(name(&host), "一");
    assert!(watch.look().is_none(), "told once");
    write(&folder, "matters/d/m.rhai", MATTER);
    assert!(watch.look().is_none());
    let mended = watch.look().unwrap();
    assert!(told(&mended).contains("again the version in use"));
}

#[tokio::test]
async fn the_folder_is_looked_at_by_the_wire_clock() {
    let folder = folder();
    let (host, watch) = watch(&folder);
    let clock = Arc::new(ManualClock::new(Moment::from_millis(0)));
    let (tell, mut told) = mpsc::unbounded_channel();
    let wire: Arc<dyn WireClock> = Arc::clone(&clock) as _;
    let mut running = tokio::task::JoinSet::new();
    running.spawn(async move {
        watch.run(wire, move |change| drop(tell.send(super::told(change)))).await
    });
    write(&folder, "services/one.rhai", &SERVICE.replace('一', "第一"));
    for _ in 0..2 {
        clock.sleepers_reach(1).await;
        clock.advance(EVERY_MILLIS);
        // The sleeper rises before the next one lies down.
        tokio::task::yield_now().await;
    }
    let said = told.recv().await.unwrap();
    assert!(said.contains("scripts changed"), "{said}");
    assert_eq!(name(&host), "第一");
}
