use std::fs;
use std::os::unix::fs::symlink;
use std::time::Duration;

use tempfile::TempDir;

use super::*;

fn vpc(name: &str) -> String {
    format!("{{kind: Vpc, apiVersion: kubeovn.io/v1, metadata: {{name: {name}}}}}\n")
}

fn vpcs(folder: &mut Folder) -> String {
    let snapshot = folder.load();
    snapshot.index.vpcs().map(|vpc| vpc.name().to_owned()).collect::<Vec<_>>().join(",")
}

fn problems(folder: &mut Folder) -> String {
    folder.load().problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// Looks again after each change until the VPCs are `wanted`.
async fn settles(folder: &mut Folder, wanted: &str) {
    let wait = async {
        while vpcs(folder) != wanted {
            folder.changed().await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(10), wait).await.unwrap_or_else(|_| panic!("never {wanted:?}"));
}

/// True when no change is seen, although the kernel had the time to tell.
async fn is_quiet(folder: &mut Folder) -> bool {
    tokio::time::timeout(Duration::from_millis(200), folder.changed()).await.is_err()
}

#[tokio::test]
async fn files_are_read_in_the_order_of_their_names() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("b.yaml"), vpc("x") + "---\n" + &vpc("y")).unwrap();
    fs::write(dir.path().join("a.yaml"), vpc("x")).unwrap();
    fs::write(dir.path().join("a.txt"), "]").unwrap();
    let mut folder = Folder::open(dir.path()).unwrap();

    assert_eq!(vpcs(&mut folder), "x,y");
    assert_eq!(
        problems(&mut folder),
        "b.yaml:1: Vpc \"x\" is already defined in a.yaml:1, which stays in effect; remove one of the two"
    );
}

#[tokio::test]
async fn every_way_of_changing_a_file_is_seen() {
    let dir = TempDir::new().unwrap();
    let mut folder = Folder::open(dir.path()).unwrap();
    let path = |name: &str| dir.path().join(name);
    assert_eq!(vpcs(&mut folder), "");

    fs::write(path("a.yaml"), vpc("a")).unwrap();
    settles(&mut folder, "a").await;
    fs::write(path("a.yaml"), vpc("b")).unwrap();
    settles(&mut folder, "b").await;
    fs::write(path(".new"), vpc("c")).unwrap();
    fs::rename(path(".new"), path("a.yaml")).unwrap();
    settles(&mut folder, "c").await;
    fs::rename(path("a.yaml"), path("a.off")).unwrap();
    settles(&mut folder, "").await;
    symlink(path("a.off"), path("l.yaml")).unwrap();
    settles(&mut folder, "c").await;
    fs::remove_file(path("l.yaml")).unwrap();
    settles(&mut folder, "").await;
    fs::hard_link(path("a.off"), path("h.yaml")).unwrap();
    settles(&mut folder, "c").await;
}

#[tokio::test]
async fn what_an_editor_leaves_beside_the_files_wakes_nobody() {
    let dir = TempDir::new().unwrap();
    let mut folder = Folder::open(dir.path()).unwrap();

    fs::write(dir.path().join(".a.yaml.swp"), "x").unwrap();
    fs::write(dir.path().join("a.yaml~"), "x").unwrap();
    fs::write(dir.path().join("4913"), "x").unwrap();

    assert!(is_quiet(&mut folder).await);
}

#[tokio::test]
async fn a_burst_of_changes_is_one_change() {
    let dir = TempDir::new().unwrap();
    let mut folder = Folder::open(dir.path()).unwrap();
    for i in 0..300 {
        fs::write(dir.path().join(format!("f{i}.yaml")), vpc(&format!("v{i}"))).unwrap();
    }

    folder.changed().await.unwrap();

    assert_eq!(folder.load().index.vpcs().count(), 300);
    assert!(is_quiet(&mut folder).await);
}

#[tokio::test]
async fn a_kubelet_swap_of_the_data_link_is_seen() {
    let dir = TempDir::new().unwrap();
    let path = |name: &str| dir.path().join(name);
    let version = |name: &str, vpcs: &str| {
        fs::create_dir(path(name)).unwrap();
        fs::write(path(name).join("a.yaml"), vpcs).unwrap();
    };
    version("..1", &vpc("old"));
    symlink("..1", path("..data")).unwrap();
    symlink("..data/a.yaml", path("a.yaml")).unwrap();
    let mut folder = Folder::open(dir.path()).unwrap();
    assert_eq!(vpcs(&mut folder), "old");

    version("..2", &vpc("new"));
    symlink("..2", path("..data_tmp")).unwrap();
    fs::rename(path("..data_tmp"), path("..data")).unwrap();
    fs::remove_dir_all(path("..1")).unwrap();

    settles(&mut folder, "new").await;
}

#[tokio::test]
async fn a_missing_folder_is_a_problem_until_it_appears() {
    let dir = TempDir::new().unwrap();
    let deep = dir.path().join("etc/kube-ovn/resources");
    let mut folder = Folder::open(&deep).unwrap();
    assert_eq!(vpcs(&mut folder), "");
    assert_eq!(
        problems(&mut folder),
        format!("{}: the folder does not exist; create it; it is read when it appears", deep.display())
    );

    fs::create_dir_all(&deep).unwrap();
    fs::write(deep.join("a.yaml"), vpc("a")).unwrap();

    settles(&mut folder, "a").await;
    assert_eq!(problems(&mut folder), "");
}

#[tokio::test]
async fn a_folder_that_is_replaced_keeps_its_objects_until_the_new_one_is_there() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("r");
    fs::create_dir(&path).unwrap();
    fs::write(path.join("a.yaml"), vpc("a")).unwrap();
    let mut folder = Folder::open(&path).unwrap();
    assert_eq!(vpcs(&mut folder), "a");

    fs::rename(&path, dir.path().join("gone")).unwrap();
    folder.changed().await.unwrap();
    assert_eq!(vpcs(&mut folder), "a");
    assert!(problems(&mut folder).contains("does not exist"));

    fs::create_dir(&path).unwrap();
    settles(&mut folder, "").await;
    fs::write(path.join("b.yaml"), vpc("b")).unwrap();
    settles(&mut folder, "b").await;
    fs::remove_dir_all(&path).unwrap();
    folder.changed().await.unwrap();
    fs::create_dir(&path).unwrap();
    fs::write(path.join("c.yaml"), vpc("c")).unwrap();
    settles(&mut folder, "c").await;
}

#[tokio::test]
async fn a_file_that_becomes_bad_keeps_its_last_good_version() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("a.yaml");
    fs::write(&file, vpc("a")).unwrap();
    let mut folder = Folder::open(dir.path()).unwrap();
    assert_eq!(vpcs(&mut folder), "a");

    for (bad, why) in [
        (&b"kind: ["[..], "a.yaml:1: "),
        (&b""[..], "a.yaml: has become empty"),
        (&b"kind: \xff"[..], "a.yaml: is not UTF-8 text from byte 7 on"),
        (&vec![b' '; (4 << 20) + 1][..], "a.yaml: is larger than 4 MiB"),
    ] {
        fs::write(&file, bad).unwrap();
        assert_eq!(vpcs(&mut folder), "a");
        let problems = problems(&mut folder);
        assert!(problems.contains(why), "{problems}");
        assert!(problems.contains("the last good version of Vpc \"a\" stays in effect"), "{problems}");
    }
    fs::write(&file, vpc("b")).unwrap();
    assert_eq!((vpcs(&mut folder).as_str(), problems(&mut folder).as_str()), ("b", ""));
}

#[tokio::test]
async fn what_is_no_readable_file_is_named() {
    let dir = TempDir::new().unwrap();
    fs::create_dir(dir.path().join("d.yaml")).unwrap();
    symlink("nowhere", dir.path().join("l.yaml")).unwrap();
    nix::unistd::mkfifo(&dir.path().join("p.yaml"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let mut folder = Folder::open(dir.path()).unwrap();

    assert_eq!(
        problems(&mut folder),
        "d.yaml: is not a file\nl.yaml: cannot be read: No such file or directory (os error 2)\np.yaml: is not a file"
    );
}
