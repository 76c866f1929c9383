//! The command line as text: upstream's flags, accepted with their names and defaults, and our own.

use std::ffi::OsString;

use clap::{Arg, ArgAction, ArgMatches, Command};

/// One flag: name, kind and default. The kind only decides whether a bare `--flag` is allowed.
struct Flag {
    name: &'static str,
    kind: Kind,
    default: &'static str,
    help: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Takes effect here.
    Text,
    /// Takes effect here; a bare flag means `true`.
    Bool,
    /// Upstream's, accepted and without effect so far.
    IdleText,
    /// Upstream's, accepted and without effect so far; a bare flag means `true`.
    IdleBool,
}

use Kind::{Bool, IdleBool, IdleText, Text};

const fn flag(name: &'static str, kind: Kind, default: &'static str, help: &'static str) -> Flag {
    Flag { name, kind, default, help }
}

const OURS: &[Flag] = &[
    flag("standalone", Text, "", "run without Kubernetes on the kubeovn.io/v1 YAML of this folder"),
    flag("state-dir", Text, "/var/lib/kube-ovn", "where the address ledger is kept"),
    flag(
        "metrics-addr",
        Text,
        "0.0.0.0:10665",
        "TCP address of /metrics, /healthz, /readyz, /livez; empty for none",
    ),
    flag("probe-address-v4", Text, "192.0.0.8", PROBE_HELP),
    flag("probe-address-v6", Text, "100::8", PROBE_HELP),
    flag("log-format", Text, "text", "text or json"),
    flag("log-level", Text, "info", "tracing filter, e.g. info or daemon=debug"),
    flag("sweep-interval", Text, "30", "seconds between two looks for claims whose sandbox is gone"),
    flag(
        "ovs-db",
        Text,
        "unix:/run/openvswitch/db.sock",
        "database of the node's Open vSwitch; empty for a node without one",
    ),
    flag(
        "ovn-nb",
        Text,
        "unix:/run/ovn/ovnnb_db.sock",
        "OVN northbound database, endpoints separated by commas; empty when somebody else keeps it",
    ),
];

const PROBE_HELP: &str =
    "where carried probes come from: in no subnet and on no device, the same on all nodes";

const UPSTREAM: &[Flag] = &[
    flag("bind-socket", Text, daemon_api::route::DEFAULT_SOCKET, "the socket that the CNI plugin speaks to"),
    flag("enable-arp-detect-ip-conflict", Bool, "true", "probe the external network for duplicate addresses"),
    flag("enable-metrics", Bool, "true", "serve /metrics"),
    flag("install-cni-config", Bool, "false", "copy the CNI configuration into --cni-conf-dir and exit"),
    flag("cni-conf-dir", Text, "/etc/cni/net.d", "where runtimes look for CNI configurations"),
    flag("cni-conf-file", Text, "/kube-ovn/01-kube-ovn.conflist", "the CNI configuration to install"),
    flag("cni-conf-name", Text, "01-kube-ovn.conflist", "the name to install it under"),
    flag("enable-tproxy", Bool, "false", "carry the kubelet's probes into pods of custom VPCs"),
    flag("iface", IdleText, "", "tunnel interface"),
    flag("host-tunnel-src", IdleBool, "false", "allow /32 and /128 tunnel addresses"),
    flag("dpdk-tunnel-iface", IdleText, "br-phy", "tunnel interface of DPDK nodes"),
    flag(
        "mtu",
        Text,
        "0",
        "MTU of pods on OVN whose Subnet says nothing; 0 for what fits into the node's tunnels",
    ),
    flag("enable-mirror", IdleBool, "false", "mirror all pod traffic"),
    flag("mirror-iface", IdleText, "mirror0", "mirror interface"),
    flag("ovs-socket", IdleText, "", "unused upstream too"),
    flag("kubeconfig", IdleText, "", "path of a kubeconfig"),
    flag("service-cluster-ip-range", IdleText, "10.96.0.0/12", "ClusterIP ranges"),
    flag("cluster-router", IdleText, "ovn-cluster", "router of the default VPC"),
    flag("node-switch", IdleText, "join", "switch of the nodes"),
    flag("encap-checksum", IdleBool, "true", "checksum tunnel packets"),
    flag("enable-pprof", IdleBool, "false", "Go profiling, not offered here"),
    flag("pprof-port", IdleText, "10665", "Go profiling, not offered here"),
    flag("secure-serving", IdleBool, "false", "TLS on the metrics port"),
    flag("tls-min-version", IdleText, "", "TLS on the metrics port"),
    flag("tls-max-version", IdleText, "", "TLS on the metrics port"),
    flag("tls-cipher-suites", IdleText, "", "TLS on the metrics port"),
    flag("mac-learning-fallback", IdleBool, "false", "provider bridges"),
    flag("network-type", IdleText, "geneve", "tunnel encapsulation"),
    flag("default-provider-name", IdleText, "provider", "default provider network"),
    flag("default-interface-name", IdleText, "", "interface of the default provider network"),
    flag(
        "external-gateway-config-ns",
        IdleText,
        "kube-system",
        "namespace of the external gateway configuration",
    ),
    flag("external-gateway-switch", IdleText, "external", "external gateway switch"),
    flag("kubelet-dir", IdleText, "/var/lib/kubelet", "the kubelet's folder"),
    flag("enable-verbose-conn-check", IdleBool, "false", "connectivity listeners"),
    flag("tcp-conn-check-port", IdleText, "8100", "connectivity listeners"),
    flag("udp-conn-check-port", IdleText, "8101", "connectivity listeners"),
    flag("ovs-vsctl-concurrency", IdleText, "100", "no ovs-vsctl is started here"),
    flag("enable-ovn-ipsec", IdleBool, "false", "IPsec between nodes"),
    flag("cert-manager-ipsec-cert", IdleBool, "false", "IPsec between nodes"),
    flag("cert-manager-issuer-name", IdleText, "kube-ovn", "IPsec between nodes"),
    flag("ovn-ipsec-cert-duration", IdleText, "63072000", "IPsec between nodes"),
    flag("set-vxlan-tx-off", IdleBool, "false", "checksum offload of vxlan_sys"),
    flag("log-perm", IdleText, "640", "mode of upstream's log file"),
    flag("non-primary-cni-mode", IdleBool, "false", "another CNI is primary"),
    flag("v", IdleText, "0", "klog"),
    flag("vmodule", IdleText, "", "klog"),
    flag("logtostderr", IdleBool, "true", "klog"),
    flag("alsologtostderr", IdleBool, "false", "klog"),
    flag("log_file", IdleText, "", "klog"),
    flag("log_file_max_size", IdleText, "1800", "klog"),
    flag("log_dir", IdleText, "", "klog"),
    flag("stderrthreshold", IdleText, "2", "klog"),
    flag("add_dir_header", IdleBool, "false", "klog"),
    flag("skip_headers", IdleBool, "false", "klog"),
    flag("skip_log_headers", IdleBool, "false", "klog"),
    flag("one_output", IdleBool, "false", "klog"),
    flag("log_backtrace_at", IdleText, "", "klog"),
];

/// The flags as given, not checked yet.
#[derive(Debug, Clone)]
pub struct Args(ArgMatches);

impl Args {
    /// Parses a command line, program name first.
    ///
    /// # Errors
    /// clap's own text for an unknown flag or a missing value, and for `--help`.
    pub fn parse<I, T>(line: I) -> Result<Self, clap::Error>
    where
        I: IntoIterator<Item = T>,
        T: Into<OsString> + Clone,
    {
        command().try_get_matches_from(line).map(Self)
    }

    /// The text of a flag, its default when it was not given.
    pub fn text(&self, name: &str) -> &str {
        self.0.get_one::<String>(name).map_or("", String::as_str)
    }

    /// Upstream's flags that were given a value other than their default and have no effect here so far.
    pub fn idle(&self) -> Vec<String> {
        OURS.iter()
            .chain(UPSTREAM)
            .filter(|f| matches!(f.kind, IdleText | IdleBool) && self.text(f.name) != f.default)
            .map(|f| format!("--{}={}", f.name, self.text(f.name)))
            .collect()
    }
}

fn command() -> Command {
    let mut command = Command::new("kube-ovn-daemon")
        .version(env!("CARGO_PKG_VERSION"))
        .about("The node daemon of Kube-OVN's VPC networking: addresses, interfaces and probes of this node's pods")
        .args_override_self(true);
    for (list, heading) in [(OURS, "Options"), (UPSTREAM, "Upstream's options")] {
        command = command.next_help_heading(heading).args(list.iter().map(arg));
    }
    command
}

fn arg(flag: &Flag) -> Arg {
    let help = match flag.kind {
        Text | Bool => flag.help.to_owned(),
        IdleText | IdleBool => format!("{} (accepted, no effect yet)", flag.help),
    };
    let arg =
        Arg::new(flag.name).long(flag.name).default_value(flag.default).help(help).action(ArgAction::Set);
    // Go's flag sets make a flag of one letter its own shorthand.
    let arg = match flag.name.as_bytes() {
        [letter] => arg.short(char::from(*letter)),
        _ => arg,
    };
    match flag.kind {
        Text | IdleText => arg,
        Bool | IdleBool => arg.num_args(0..=1).require_equals(true).default_missing_value("true"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(flags: &[&str]) -> Args {
        Args::parse([&["kube-ovn-daemon"], flags].concat()).unwrap()
    }

    #[test]
    fn the_daemonset_of_upstream_starts_us_unchanged() {
        let args = parse(&[
            "--enable-mirror=false",
            "--mirror-iface=mirror0",
            "--encap-checksum=true",
            "--logtostderr=false",
            "--alsologtostderr=true",
            "--log_file=/var/log/kube-ovn/kube-ovn-cni.log",
            "--log_file_max_size=200",
            "--enable-tproxy=true",
            "--enable-arp-detect-ip-conflict=false",
            "--v=3",
            "-v=4",
        ]);

        assert_eq!(args.text("enable-arp-detect-ip-conflict"), "false");
        assert!(args.idle().contains(&"--log_file_max_size=200".to_owned()), "{:?}", args.idle());
        assert_eq!(args.text("v"), "4");
        assert!(!args.idle().iter().any(|f| f.contains("mirror-iface")), "defaults are no news");
    }

    #[test]
    fn a_bare_bool_is_true_and_takes_no_neighbour() {
        let args = parse(&["--enable-tproxy", "--standalone=/d"]);

        assert_eq!((args.text("enable-tproxy"), args.text("standalone")), ("true", "/d"));
    }

    #[test]
    fn the_last_of_two_wins_and_an_unknown_flag_is_refused() {
        assert_eq!(parse(&["--mtu=1", "--mtu=2"]).text("mtu"), "2");
        assert!(Args::parse(["kube-ovn-daemon", "--no-such-flag"]).is_err());
    }

    #[test]
    fn no_flag_is_listed_twice() {
        command().debug_assert();
    }
}
