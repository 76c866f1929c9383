//! What a configuration means, by verb, and how unusable ones are refused.

use super::*;

const OWN: &str = r#"{"cniVersion":"1.1.0","name":"net","type":"kube-ovn","server_socket":"/run/d.sock","prevResult":{},
    "cni.dev/valid-attachments":[]}"#;

fn read(json: &str, verb: Verb) -> Result<NetConf, ConfError> {
    NetConf::new(&Document::parse(json.as_bytes())?, verb)
}

fn refusal(json: &str, verb: Verb) -> String {
    read(json, verb).unwrap_err().to_string()
}

#[test]
fn an_own_configuration_reads_the_top_level() {
    let conf = read(
        r#"{"name":"n","type":"kube-ovn","server_socket":"/s","provider":"a.b.ovn","routes":[{"gw":"10.0.0.1"}],
            "ipam":{"type":"x","server_socket":"/other","provider":"other"},"master":"eth1","mtu":9000,
            "deviceID":"0000:01:00.0","unknown":[1],"name":"m"}"#,
        Verb::Add,
    )
    .unwrap();

    assert!(!conf.is_delegated);
    assert_eq!(conf.name.as_str(), "m", "the last of two equal keys counts");
    assert_eq!(conf.version, SpecVersion::V0_1_0);
    assert_eq!((conf.socket.as_path(), conf.provider.as_str()), (Path::new("/s"), "a.b.ovn"));
    assert_eq!(conf.routes, Some(vec![Route { dst: String::new(), gw: "10.0.0.1".into() }]));
    assert_eq!(conf.macvlan, Some(MacvlanConf { master: "eth1".into(), mode: String::new(), mtu: 9000 }));
    assert_eq!(conf.device_id, "0000:01:00.0");
}

#[test]
fn a_delegated_configuration_reads_the_ipam_block_only() {
    let conf = read(
        r#"{"name":"n","type":"macvlan","server_socket":"/top","provider":"top","routes":[{"gw":"1.1.1.1"}],
            "master":"eth1","mode":"bridge","mtu":"not ours","ipam":{"type":"kube-ovn","server_socket":"/s"}}"#,
        Verb::Add,
    )
    .unwrap();

    assert!(conf.is_delegated);
    assert_eq!((conf.socket.as_path(), conf.provider.as_str()), (Path::new("/s"), "ovn"));
    assert_eq!(conf.routes, None);
    assert_eq!(conf.macvlan.unwrap().mode, "bridge");
}

#[test]
fn what_the_caller_asks_for_is_kept_by_place() {
    let conf = read(
        r#"{"name":"n","type":"kube-ovn","server_socket":"/s",
            "runtimeConfig":{"ips":["10.0.0.5/24"],"mac":"02:00:00:00:00:01",
                "io.kubernetes.cri.pod-annotations":{"ovn.kubernetes.io/ip_address":"10.0.0.5"}},
            "args":{"cni":{"ips":["10.0.0.6"],"mac":"02:00:00:00:00:02"},"labels":[{}]}}"#,
        Verb::Add,
    )
    .unwrap();

    assert_eq!(conf.runtime_config.ips, ["10.0.0.5/24"]);
    assert_eq!(conf.runtime_config.macs, ["02:00:00:00:00:01"]);
    assert_eq!(conf.args, Asked { ips: vec!["10.0.0.6".into()], macs: vec!["02:00:00:00:00:02".into()] });
    assert_eq!(conf.annotations["ovn.kubernetes.io/ip_address"], "10.0.0.5");
}

#[test]
fn every_verb_needs_its_version() {
    for version in SpecVersion::ALL {
        let json = OWN.replace("1.1.0", version.as_str());
        for verb in [Verb::Add, Verb::Del] {
            assert!(read(&json, verb).is_ok(), "{verb} {version:?}");
        }
        assert_eq!(read(&json, Verb::Check).is_ok(), version >= SpecVersion::V0_4_0, "{version:?}");
        for verb in [Verb::Gc, Verb::Status] {
            assert_eq!(read(&json, verb).is_ok(), version == SpecVersion::V1_1_0, "{verb} {version:?}");
        }
    }
    assert_eq!(refusal(&OWN.replace("1.1.0", "0.3.1"), Verb::Check), "config version does not allow CHECK");
}

#[test]
fn an_unspoken_version_comes_before_everything_else() {
    assert!(matches!(
        read(r#"{"cniVersion":"9.9.9"}"#, Verb::Add),
        Err(ConfError::Version(Unsupported { .. }))
    ));
    assert!(matches!(read(r#"{"cniVersion":1}"#, Verb::Add), Err(ConfError::WrongType(_))));
}

#[test]
fn a_caller_that_did_not_choose_gets_the_newest_common_version() {
    let json = r#"{"cniVersions":["0.3.1","1.0.0"],"name":"n","server_socket":"/s"}"#;

    assert_eq!(read(json, Verb::Add).unwrap().version, SpecVersion::V1_0_0);
}

#[test]
fn bytes_that_are_no_object_are_refused() {
    for bad in ["", "{", "not json", r#"{"name":"n"} x"#] {
        assert!(matches!(Document::parse(bad.as_bytes()), Err(ConfError::NotJson(_))), "{bad}");
    }
    for bad in ["[]", "1", "\"x\"", "true"] {
        assert!(matches!(Document::parse(bad.as_bytes()), Err(ConfError::NotAnObject)), "{bad}");
    }
    assert!(matches!(read("null", Verb::Add), Err(ConfError::Name(_))));
    let deep = "[".repeat(100_000);
    assert!(matches!(Document::parse(deep.as_bytes()), Err(ConfError::NotJson(_))));
}

#[test]
fn stdin_is_limited() {
    let mut long: &[u8] = &vec![b' '; MAX_BYTES + 1];
    assert!(matches!(Document::read(&mut long), Err(ConfError::TooLong)));

    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::from(io::ErrorKind::PermissionDenied))
        }
    }
    assert!(matches!(Document::read(&mut Broken), Err(ConfError::Unreadable(_))));
}

#[test]
fn wrong_types_name_their_key() {
    for (json, key) in [
        (r#"{"name":5}"#, "name"),
        (r#"{"name":"n","routes":{}}"#, "routes"),
        (r#"{"name":"n","ipam":[]}"#, "ipam"),
        (r#"{"name":"n","runtimeConfig":{"ips":"10.0.0.1"}}"#, "runtimeConfig.ips"),
        (r#"{"name":"n","args":{"cni":{"mac":1}}}"#, "args.cni.mac"),
        (r#"{"name":"n","prevResult":"x"}"#, "prevResult"),
        (r#"{"name":"n","mtu":-1}"#, "mtu"),
    ] {
        let json = json.replacen('{', r#"{"server_socket":"/s","#, 1);
        match read(&json, Verb::Add) {
            Err(ConfError::WrongType(e)) => assert_eq!(e.key, key),
            other => panic!("{json}: {other:?}"),
        }
    }
}

#[test]
fn names_follow_the_specification() {
    for bad in ["", "-x", "a/b", "../../etc", "a b"] {
        let json = format!(r#"{{"name":"{bad}","server_socket":"/s"}}"#);
        assert!(matches!(read(&json, Verb::Add), Err(ConfError::Name(_))), "{bad}");
    }
}

#[test]
fn a_missing_socket_says_what_to_write_where() {
    let own = r#"{"cniVersion":"1.1.0","name":"n","type":"kube-ovn","prevResult":{}}"#;
    let delegated = r#"{"name":"n","type":"macvlan","server_socket":"/top","ipam":{"type":"kube-ovn"}}"#;

    for verb in [Verb::Add, Verb::Check, Verb::Status] {
        assert_eq!(
            refusal(own, verb),
            "server_socket is required: set \"server_socket\": \"/run/openvswitch/kube-ovn-daemon.sock\" \
             beside \"type\": \"kube-ovn\""
        );
    }
    assert!(refusal(delegated, Verb::Add).ends_with("in the \"ipam\" block"));
}

#[test]
fn a_crooked_socket_is_refused_but_in_a_del() {
    for bad in ["run/d.sock", "/run/../d.sock", "d.sock", "/a\\u0000b"] {
        let json = format!(r#"{{"name":"n","server_socket":"{bad}"}}"#);
        assert!(matches!(read(&json, Verb::Add), Err(ConfError::BadSocket(_))), "{bad}");
        assert_eq!(read(&json, Verb::Del).unwrap().socket, Path::new(route::DEFAULT_SOCKET));
    }
}

#[test]
fn a_del_that_lost_every_key_goes_to_the_default_daemon() {
    let conf = read(
        r#"{"cniVersion":"1.0.0","ipam":{"type":"kube-ovn"},"name":"x","type":"macvlan","prevResult":{"ips":[]}}"#,
        Verb::Del,
    )
    .unwrap();

    assert_eq!(conf.socket, Path::new(route::DEFAULT_SOCKET));
    assert_eq!((conf.provider.as_str(), conf.cni_type.as_str()), ("ovn", "macvlan"));
}

#[test]
fn a_del_takes_wrong_types_for_absent() {
    let conf = read(
        r#"{"name":"n","type":5,"ipam":[],"provider":"a/b","routes":1,"runtimeConfig":7,"args":"x"}"#,
        Verb::Del,
    )
    .unwrap();

    assert_eq!((conf.cni_type.as_str(), conf.provider.as_str()), ("", "ovn"));
}

#[test]
fn check_needs_its_result_and_gc_its_list() {
    let bare = r#"{"cniVersion":"1.1.0","name":"n","server_socket":"/s","prevResult":null}"#;
    assert!(matches!(read(bare, Verb::Check), Err(ConfError::NoPrevResult)));
    assert!(matches!(read(bare, Verb::Gc), Err(ConfError::NoAttachmentList)));
    assert_eq!(read(OWN, Verb::Gc).unwrap().valid_attachments, Some(Vec::new()));

    let libcni = r#"{"cniVersion":"1.1.0","name":"n",
        "cni.dev/attachments":[{"containerID":"keep1","ifname":"eth0"}]}"#;
    let list = read(libcni, Verb::Gc).unwrap().valid_attachments.unwrap();
    assert_eq!((list[0].container_id.as_str(), list[0].ifname.as_str()), ("keep1", "eth0"));
}
