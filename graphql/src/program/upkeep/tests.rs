//! What the commands print, and how they end.

use tempfile::TempDir;
use tongban_engine::store::SledOptions;

use super::*;
use crate::program::args::Format;

fn empty_store() -> TempDir {
    let folder = TempDir::new().unwrap();
    drop(SledStore::open(folder.path(), SledOptions::default()).unwrap());
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_a_folder_is_restored_under_a_new_generation() {
    let (folder, beside) = (empty_store(), TempDir::new().unwrap());
    let (to, new) = (beside.path().join("backup"), beside.path().join("new"));
    let arguments =
        BackupArguments { tool: None, data: Some(folder.path().to_owned()), to: Some(to.clone()) };
    backup(arguments).await.unwrap();
    let arguments = RestoreArguments { from: to.clone(), data: new.clone(), config: None };
    restore(&arguments).await.unwrap();
    let taken = restore(&arguments).await.unwrap_err();
    assert_eq!(taken.code(), "INPUT_OUTPUT", "a folder with data is not overwritten");
    let store = SledStore::open(&new, SledOptions::default()).unwrap();
    let identity = tongban_core::port::Store::identity(&store);
    assert_eq!(identity.generation, tongban_core::id::Generation(2));
    assert!(identity.restored.is_some());
    drop(store);
    let arguments = FolderArguments { data: new, format: Format::Json };
    store_is_clean(&arguments).await;
}

async fn store_is_clean(arguments: &FolderArguments) {
    check(arguments).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_a_folder_that_is_served_is_taken_by_its_server() {
    let (folder, beside) = (empty_store(), TempDir::new().unwrap());
    let store = folder::open(folder.path()).unwrap();
    let storage = Storage::of(folder.path()).await.unwrap();
    let kept = Kept::of(store, &storage, folder.path()).unwrap();
    let door = control::open(kept).await.unwrap();
    let to = beside.path().join("backup");
    let arguments =
        BackupArguments { tool: None, data: Some(folder.path().to_owned()), to: Some(to.clone()) };
    backup(arguments).await.unwrap();
    Backup::verify(&to, &mut |_| {}).unwrap();
    let again = BackupArguments { tool: None, data: Some(folder.path().to_owned()), to: Some(to) };
    let refused = backup(again).await.unwrap_err();
    assert_eq!(refused.code(), "CARRY_NOT_EMPTY", "the server's refusal is told");
    drop(door);
    assert!(!folder.path().join("control.json").exists());
}
