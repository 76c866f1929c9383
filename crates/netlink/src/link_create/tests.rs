//! The detour of older kernels, which a newer one never takes by itself.

use super::*;
use crate::errno::Errno;
use crate::lab::{Space, needs_root};

fn exists() -> Error {
    let (errno, code) = (Errno::Exists, libc::EEXIST);
    Error::Refused { attempt: "create".into(), errno, code, kernel_says: None }
}

fn macvlan(parent_index: u32) -> Macvlan<'static> {
    Macvlan { name: "p0", parent_index, mode: MacvlanMode::Bridge, mac: [2, 0, 0, 0, 0, 5], mtu: None }
}

#[test]
fn name_of_the_host_is_got_by_renaming_inside() {
    if !needs_root() {
        return;
    }
    let ((host, _peer), pod) = (Space::pair(), Space::new());

    host.handle().add_macvlan_renamed(&macvlan(host.index("p0")), &pod.netns, exists()).unwrap();

    let seen = &pod.show(&["link", "show", "p0"])[0];
    assert_eq!(seen["address"], "02:00:00:00:00:05");
    assert_eq!(pod.handle().links().unwrap().len(), 2);
}

#[test]
fn name_taken_in_the_pod_stays_refused_and_nothing_is_left() {
    if !needs_root() {
        return;
    }
    let ((host, _peer), pod) = (Space::pair(), Space::new());
    pod.ip(&["link", "add", "p0", "type", "bridge"]);

    let refusal = host.handle().add_macvlan_renamed(&macvlan(host.index("p0")), &pod.netns, exists());

    assert!(refusal.unwrap_err().is_exists());
    assert_eq!(pod.handle().links().unwrap().len(), 2);
}

#[test]
fn passing_names_are_names_and_differ() {
    let (one, other) = (passing_name(), passing_name());

    assert!(ifname::is_valid(&one), "{one}");
    assert_ne!(one, other);
}
