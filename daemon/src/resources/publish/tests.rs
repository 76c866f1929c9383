use std::fs;
use std::time::Duration;

use tempfile::TempDir;

use super::*;

#[tokio::test]
async fn receivers_get_the_newest_snapshot_and_the_end_of_the_last_one_ends_the_work() {
    let dir = TempDir::new().unwrap();
    let mut folder = Folder::open(dir.path()).unwrap();
    let (sender, mut receiver) = channel(&mut folder);
    let work = tokio::spawn(follow(folder, sender));
    assert_eq!(receiver.borrow_and_update().index.vpcs().count(), 0);

    fs::write(dir.path().join("a.yaml"), "{kind: Vpc, apiVersion: kubeovn.io/v1, metadata: {name: a}}")
        .unwrap();

    let wait = receiver.wait_for(|snapshot| snapshot.index.vpc("a").is_some());
    drop(tokio::time::timeout(Duration::from_secs(10), wait).await.unwrap().unwrap());
    drop(receiver);
    tokio::time::timeout(Duration::from_secs(10), work).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn a_change_that_changes_nothing_is_not_published() {
    let dir = TempDir::new().unwrap();
    let mut folder = Folder::open(dir.path()).unwrap();
    let (sender, mut receiver) = channel(&mut folder);
    tokio::spawn(follow(folder, sender));
    receiver.mark_unchanged();

    fs::write(dir.path().join("a.yaml"), "# nothing\n").unwrap();

    assert!(tokio::time::timeout(Duration::from_millis(300), receiver.changed()).await.is_err());
}
