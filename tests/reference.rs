//! The ground itself, proven with the reference plugins: whoever doubts a failure looks here first.

use tests::cni::{self, Call};
use tests::lab::{Lab, UPLINK};
use tests::skip::{Requirement, needs_all};
use tests::witness;

#[test]
fn reference_macvlan_gives_a_pod_an_address_that_the_outside_reaches() {
    if !needs_all(&[Requirement::Root, Requirement::ReferencePlugins, Requirement::Macvlan]) {
        return;
    }
    let lab = Lab::new();
    let pod = lab.pod("p1");
    let conf = cni::reference_macvlan(&lab);
    let add = Call::add(&conf).netns(pod.path()).pod("default", "p1");

    let result = add.run(&lab).ok();

    assert_eq!(cni::addresses(&result), ["192.168.0.100/24"]);
    assert_eq!(witness::addresses(&pod, "net1"), ["192.168.0.100/24"]);
    assert_eq!(witness::default_gateway(&pod, 4).as_deref(), Some("192.168.0.1"));
    assert!(witness::ping(&lab.outside, "192.168.0.100"));
    assert!(witness::arping(&lab.outside, lab.outside.interface(), "192.168.0.100"));
    assert!(witness::ping(&pod, "192.168.0.1"));
    Call::check(&conf, &result).netns(pod.path()).run(&lab).ok();

    add.clone().verb("DEL").run(&lab).ok();

    assert_eq!(witness::link_names(&pod), Vec::<String>::new());
    assert_eq!(witness::link_names(&lab.node), [UPLINK]);
}

#[test]
fn a_failing_plugin_answers_with_a_code() {
    if !needs_all(&[Requirement::Root, Requirement::ReferencePlugins]) {
        return;
    }
    let lab = Lab::new();
    let pod = lab.pod("p1");
    let mut conf = cni::reference_macvlan(&lab);
    conf["cniVersion"] = "9.9.9".into();

    assert_eq!(Call::add(&conf).netns(pod.path()).run(&lab).code(), 1);
}

#[test]
fn a_plugin_answers_version_and_can_be_killed_on_the_way() {
    if !needs_all(&[Requirement::Root, Requirement::ReferencePlugins]) {
        return;
    }
    let lab = Lab::new();

    let versions = Call::version("host-local").run(&lab).ok();
    assert_eq!(versions["cniVersion"], "1.0.0");

    let running = Call::version("host-local").spawn(&lab);
    running.kill9();
    running.wait(tests::command::LIMIT);
}

#[test]
fn labs_stand_side_by_side_and_leave_nothing_behind() {
    if !needs_all(&[Requirement::Root]) {
        return;
    }
    let (first, second) = (Lab::new(), Lab::builder().outside(&["10.1.0.1/16"]).build());
    let pod = first.pod("p1");
    assert_eq!(witness::addresses(&first.outside, first.outside.interface()).len(), 2);
    assert_eq!(witness::addresses(&second.outside, second.outside.interface()), ["10.1.0.1/16"]);
    second.outside.set_address("10.1.0.9/16");
    assert_eq!(witness::addresses(&second.outside, second.outside.interface()), ["10.1.0.9/16"]);
    let left = [first.node.path(), first.outside.path(), pod.path(), first.dir().to_owned()];

    drop((pod, first, second));

    assert!(left.iter().all(|path| !path.exists()), "{left:?}");
}
