//! What the variables mean, verb by verb, and what hostile ones are told.

use std::os::unix::ffi::OsStringExt;

use super::*;

const FULL: [(&str, &str); 6] = [
    ("CNI_COMMAND", "ADD"),
    ("CNI_CONTAINERID", "abc123"),
    ("CNI_NETNS", "/var/run/netns/cni-1"),
    ("CNI_IFNAME", "eth0"),
    ("CNI_PATH", "/opt/cni/bin"),
    ("CNI_ARGS", "K8S_POD_NAME=p"),
];

fn read_with(changes: &[(&str, Option<&str>)]) -> Result<Invocation, EnvError> {
    read(&|name| match changes.iter().find(|(n, _)| *n == name) {
        Some((_, value)) => value.map(OsString::from),
        None => FULL.iter().find(|(n, _)| *n == name).map(|(_, v)| OsString::from(v)),
    })
}

fn error_with(changes: &[(&str, Option<&str>)]) -> String {
    read_with(changes).unwrap_err().to_string()
}

#[test]
fn a_full_environment_is_an_invocation() {
    let sandbox = Sandbox {
        container_id: ContainerId::new("abc123").unwrap(),
        ifname: IfName::new("eth0").unwrap(),
        netns: Some(NetnsPath::new("/var/run/netns/cni-1").unwrap()),
        args: "K8S_POD_NAME=p".into(),
        netns_override: false,
    };

    assert_eq!(read_with(&[]), Ok(Invocation::Add(sandbox.clone())));
    assert_eq!(read_with(&[("CNI_COMMAND", Some("CHECK"))]), Ok(Invocation::Check(sandbox.clone())));
    assert_eq!(read_with(&[("CNI_COMMAND", Some("DEL"))]), Ok(Invocation::Del(sandbox)));
}

#[test]
fn no_variable_at_all_is_a_person() {
    assert_eq!(read(&|_| None), Ok(Invocation::About));
    assert_eq!(error_with(&[("CNI_COMMAND", None)]), "required env variables [CNI_COMMAND] missing");
    assert_eq!(
        read(&|name| (name == "CNI_COMMAND").then(OsString::new)).unwrap_err().to_string(),
        "required env variables [CNI_COMMAND] missing"
    );
}

#[test]
fn every_missing_variable_is_named() {
    let only = |verb: &'static str| {
        read(&move |name| (name == "CNI_COMMAND").then(|| verb.into())).unwrap_err().to_string()
    };

    let all = "required env variables [CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME,CNI_PATH] missing";
    assert_eq!(only("ADD"), all);
    assert_eq!(only("CHECK"), all);
    assert_eq!(only("DEL"), "required env variables [CNI_CONTAINERID,CNI_IFNAME,CNI_PATH] missing");
    assert_eq!(only("GC"), "required env variables [CNI_PATH] missing");
    assert_eq!(only("STATUS"), "required env variables [CNI_PATH] missing");
}

#[test]
fn missing_and_bad_variables_are_named_together() {
    assert_eq!(
        error_with(&[
            ("CNI_CONTAINERID", Some("../x")),
            ("CNI_NETNS", Some("")),
            ("CNI_IFNAME", Some("a/b"))
        ]),
        "required env variables [CNI_NETNS] missing; CNI_CONTAINERID: container id \"../x\" does not start with a \
         letter or a digit; CNI_IFNAME: interface name \"a/b\" holds '/', ':', white space or a control character"
    );
}

#[test]
fn hostile_values_are_refused() {
    let table = [
        ("CNI_CONTAINERID", "-rf"),
        ("CNI_CONTAINERID", "a/../../etc"),
        ("CNI_CONTAINERID", "a b"),
        ("CNI_IFNAME", "sixteen-bytes-xx"),
        ("CNI_IFNAME", ".."),
        ("CNI_IFNAME", "a:b"),
        ("CNI_IFNAME", "a\tb"),
        ("CNI_NETNS", "relative"),
        ("CNI_NETNS", "/run/netns/../../proc/1/ns/net"),
        ("CNI_NETNS", "/run/netns/"),
    ];
    for (name, value) in table {
        let text = error_with(&[(name, Some(value))]);
        assert!(text.starts_with(&format!("{name}: ")), "{name}={value}: {text}");
    }
    for command in ["add", "ADD ", "UPDATE"] {
        assert_eq!(
            read_with(&[("CNI_COMMAND", Some(command))]),
            Err(EnvError::UnknownCommand(command.into()))
        );
    }
}

#[test]
fn bytes_that_are_not_text_are_refused() {
    let result = read(&|name| match name {
        "CNI_IFNAME" => Some(OsString::from_vec(vec![0xff])),
        _ => FULL.iter().find(|(n, _)| *n == name).map(|(_, v)| OsString::from(v)),
    });

    assert_eq!(result.unwrap_err().to_string(), "CNI_IFNAME: is not UTF-8");
}

#[test]
fn a_del_bears_an_empty_or_unusable_namespace() {
    for netns in [None, Some(""), Some("dummy"), Some("/run/../x")] {
        let call = read_with(&[("CNI_COMMAND", Some("DEL")), ("CNI_NETNS", netns)]).unwrap();
        let Invocation::Del(sandbox) = call else { panic!("{call:?}") };
        assert_eq!(sandbox.netns_text(), "");
    }
}

#[test]
fn gc_status_and_version_do_not_look_at_the_others() {
    let dummy = [
        ("CNI_CONTAINERID", Some("")),
        ("CNI_NETNS", Some("dummy")),
        ("CNI_IFNAME", Some("")),
        ("CNI_ARGS", Some("")),
    ];
    for (verb, wanted) in
        [("GC", Invocation::Gc), ("STATUS", Invocation::Status), ("VERSION", Invocation::Version)]
    {
        let mut changes = dummy.to_vec();
        changes.push(("CNI_COMMAND", Some(verb)));
        assert_eq!(read_with(&changes), Ok(wanted));
    }
    assert_eq!(read_with(&[("CNI_COMMAND", Some("VERSION")), ("CNI_PATH", None)]), Ok(Invocation::Version));
}

#[test]
fn the_namespace_override_is_1_or_true() {
    for (value, wanted) in
        [("1", true), ("true", true), ("TRUE", true), ("0", false), ("", false), ("yes", false)]
    {
        let call = read_with(&[("CNI_NETNS_OVERRIDE", Some(value))]).unwrap();
        let Invocation::Add(sandbox) = call else { panic!("{call:?}") };
        assert_eq!(sandbox.netns_override, wanted, "{value}");
    }
}
