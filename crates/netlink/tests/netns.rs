//! Which paths are network namespaces, and where a closure runs.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]

mod lab;

use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;

use lab::{Space, needs_root, run};
use netlink::{Netns, NetnsError, NetnsId};

#[test]
fn namespace_is_known_by_its_device_and_inode() {
    if !needs_root() {
        return;
    }
    let space = Space::new();

    let seen = std::fs::metadata(space.path()).unwrap();

    assert_eq!(space.netns.id(), NetnsId::from_parts(seen.dev(), seen.ino()));
    assert_eq!(NetnsId::of_path(&space.path()).unwrap(), Some(space.netns.id()));
    assert_eq!(space.netns.id().to_string(), format!("{}:{}", seen.dev(), seen.ino()));
}

#[test]
fn kernels_own_link_is_followed_and_a_made_one_refused() {
    if !needs_root() {
        return;
    }
    let space = Space::new();
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("ns");
    symlink(space.path(), &link).unwrap();
    let to_proc = folder.path().join("proc");
    symlink("/proc/self/ns/net", &to_proc).unwrap();

    assert!(matches!(Netns::open(&link), Err(NetnsError::Symlink { .. })));
    assert!(matches!(Netns::open(&to_proc), Err(NetnsError::Symlink { .. })));
    assert_eq!(NetnsId::of_path(&link).unwrap(), None);
    let own = Netns::open(Path::new("/proc/self/ns/net")).unwrap();
    assert_eq!(own.id(), Netns::current().unwrap().id());
}

#[test]
fn link_on_the_way_is_followed() {
    if !needs_root() {
        return;
    }
    let space = Space::new();
    let folder = tempfile::tempdir().unwrap();
    symlink("/run/netns", folder.path().join("dir")).unwrap();

    let through = Netns::open(&folder.path().join("dir").join(&space.name)).unwrap();

    assert_eq!(through.id(), space.netns.id());
}

#[test]
fn what_is_no_network_namespace_is_refused_by_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();

    assert!(matches!(Netns::open(&folder.path().join("no")), Err(NetnsError::Missing { .. })));
    assert!(matches!(Netns::open(&file.join("below")), Err(NetnsError::Missing { .. })));
    assert!(matches!(Netns::open(&file), Err(NetnsError::NotANamespace { .. })));
    assert!(matches!(Netns::open(folder.path()), Err(NetnsError::NotANamespace { .. })));
    assert!(matches!(Netns::open(Path::new("/proc/self/cwd")), Err(NetnsError::NotANamespace { .. })));
    assert!(matches!(Netns::open(Path::new("/proc/self/status")), Err(NetnsError::NotANamespace { .. })));
    assert!(matches!(Netns::open(Path::new("/proc/self/ns/mnt")), Err(NetnsError::NotNetwork { .. })));
}

#[test]
fn pipe_without_a_writer_does_not_block() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    run("mkfifo", &[pipe.to_str().unwrap()]);

    assert!(matches!(Netns::open(&pipe), Err(NetnsError::NotANamespace { .. })));
}

#[test]
fn closure_runs_inside_and_the_caller_stays_where_it_was() {
    if !needs_root() {
        return;
    }
    let space = Space::new();
    let before = Netns::current().unwrap().id();

    let inside = space.netns.run(|| Netns::current().unwrap().id()).unwrap();

    assert_eq!(inside, space.netns.id());
    assert_eq!(Netns::current().unwrap().id(), before);
    assert_ne!(inside, before);
}

#[test]
#[should_panic(expected = "as asked")]
fn panic_inside_reaches_the_caller() {
    if !needs_root() {
        panic!("as asked, though it was not tried");
    }
    let space = Space::new();

    space.netns.run(|| panic!("as asked")).unwrap()
}

#[test]
fn namespace_outlives_its_path_while_it_is_held() {
    if !needs_root() {
        return;
    }
    let space = Space::new();

    // As runtimes do it: a descriptor of ours keeps the mount busy for a plain umount.
    run("umount", &["--lazy", space.path().to_str().unwrap()]);

    assert!(space.path().exists());
    assert_eq!(NetnsId::of_path(&space.path()).unwrap(), None);
    assert_eq!(space.netns.run(|| Netns::current().unwrap().id()).unwrap(), space.netns.id());
    run("ip", &["netns", "del", &space.name]);
    assert_eq!(NetnsId::of_path(&space.path()).unwrap(), None);
}
