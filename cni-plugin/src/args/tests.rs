//! What runtimes really write into `CNI_ARGS`, and what nobody should.

use super::*;

fn container() -> ContainerId {
    ContainerId::new("0123abcd").unwrap()
}

fn add(text: &str) -> Result<PodArgs, ArgsError> {
    for_add(text, &container())
}

fn permutations(list: &[&str]) -> Vec<Vec<String>> {
    if list.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for (i, first) in list.iter().enumerate() {
        let rest: Vec<&str> = list.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, s)| *s).collect();
        for mut tail in permutations(&rest) {
            tail.insert(0, (*first).to_owned());
            all.push(tail);
        }
    }
    all
}

#[test]
fn the_order_of_the_pairs_does_not_matter() {
    let pairs = [
        "IgnoreUnknown=1",
        "K8S_POD_NAMESPACE=ns",
        "K8S_POD_NAME=p",
        "K8S_POD_INFRA_CONTAINER_ID=0123abcd",
        "K8S_POD_UID=u-1",
        "FOO=bar",
    ];
    let wanted =
        PodArgs { namespace: "ns".into(), name: "p".into(), uid: "u-1".into(), ..PodArgs::default() };
    for order in permutations(&pairs) {
        assert_eq!(add(&order.join(";")), Ok(wanted.clone()), "{order:?}");
    }
}

#[test]
fn every_key_may_come_twice_and_the_first_that_is_not_empty_wins() {
    let multus = "IgnoreUnknown=true;K8S_POD_NAMESPACE=;K8S_POD_NAME=p;K8S_POD_NAME=p;K8S_POD_NAMESPACE=ns;\
                  K8S_POD_UID=u;K8S_POD_UID=other;IgnoreUnknown=1";

    let args = add(multus).unwrap();

    assert_eq!((args.namespace.as_str(), args.name.as_str(), args.uid.as_str()), ("ns", "p", "u"));
}

#[test]
fn unknown_keys_need_ignore_unknown_in_any_of_its_places() {
    assert_eq!(add("A=1;K8S_POD_NAME=p;B=2").unwrap_err().to_string(), "CNI_ARGS: unknown keys [A,B]");
    assert!(add("A=1;IgnoreUnknown=0").is_err());
    for ok in ["IgnoreUnknown=1;A=/etc", "A=1;IgnoreUnknown=True", "IgnoreUnknown=0;A=1;IgnoreUnknown=1"] {
        assert!(add(ok).is_ok(), "{ok}");
    }
}

#[test]
fn without_a_pod_the_container_stands_for_it() {
    let plain = add("").unwrap();
    assert_eq!((plain.namespace.as_str(), plain.name.as_str()), ("default", "0123abcd"));

    let podman = add("IgnoreUnknown=1;K8S_POD_NAME=web;IP=10.0.0.9;MAC=02:00:00:00:00:01").unwrap();
    assert_eq!((podman.namespace.as_str(), podman.name.as_str()), ("default", "web"));
    assert_eq!((podman.ips, podman.macs), (vec!["10.0.0.9".into()], vec!["02:00:00:00:00:01".into()]));
}

#[test]
fn several_addresses_may_be_asked_for_with_a_prefix_length() {
    assert_eq!(add("IP=10.0.0.9/24, fd00::9/64").unwrap().ips, ["10.0.0.9/24", "fd00::9/64"]);
}

#[test]
fn values_that_look_like_paths_or_lines_are_refused() {
    for bad in [
        "K8S_POD_NAME=../x",
        "K8S_POD_NAMESPACE=a/b",
        "K8S_POD_UID=/etc/passwd",
        "K8S_POD_INFRA_CONTAINER_ID=a/b",
        "K8S_POD_UID=a\nb",
        "MAC=a/b",
        "IgnoreUnknown=1;K8S_POD_NAME=ok;K8S_POD_NAME=a\0b",
    ] {
        assert!(matches!(add(bad), Err(ArgsError::UnsafeValue { .. })), "{bad:?}");
    }
    assert!(matches!(add("K8S_POD_NAME=-x"), Err(ArgsError::Pod(_))));
    assert!(matches!(add("K8S_POD_NAME"), Err(ArgsError::NotAPair(_))));
}

#[test]
fn nothing_in_the_arguments_makes_a_del_fail() {
    assert_eq!(for_del(""), PodArgs::default());
    assert_eq!(for_del("A=1;K8S_POD_NAME"), PodArgs::default());
    assert_eq!(for_del("K8S_POD_NAME=../x;K8S_POD_NAMESPACE=ns"), PodArgs::default());
    assert_eq!(for_del("K8S_POD_NAME=p").name, "p");
}
