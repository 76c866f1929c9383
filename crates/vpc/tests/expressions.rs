//! Which texts are expressions: our reader beside OVN's own, as far as `ovn-trace` is installed.
#![expect(clippy::unwrap_used, reason = "a test may panic anywhere, in its own functions too")]

use std::path::Path;
use std::process::{Child, Command, Stdio};

use vpc::expression::Expression;

/// Both understand these.
const ACCEPTED: &[&str] = &[
    "ip4.src==10.0.1.0/24 && ip4.dst==10.0.1.250",
    "ip",
    "1",
    "0",
    "(((ip4)))",
    "!(ip4.src == 10.0.0.1)",
    "!eth.bcast",
    "!(!(ip4))",
    "!(ip.proto != 6)",
    "ip4 && (tcp || udp)",
    "(ip4.src == 10.0.0.0/8 && ip4.dst == 10.1.0.0/255.255.0.0) || ip6.src == fd00::/64",
    "ip4.src == {10.0.0.1, 10.0.0.2} && tcp.dst == {80 443}",
    "ip.ttl == {1,2,}",
    "ip4.src == $set && ip4.dst != $set",
    "ip4.src == {$set, 10.0.0.9}",
    "outport == {\"a\", \"b\"}",
    "0 < tcp.dst <= 1024",
    "1024 > tcp.dst > 2",
    "80 != tcp.dst",
    "{80, 443} == tcp.dst",
    "$set == ip4.src",
    "\"p\" == inport",
    "abcd::1 == ip6.src",
    "tcp.dst == 0x0050",
    "tcp.dst == 3/1",
    "tcp.flags == 0x2/0x12",
    "eth.dst[40] && !eth.src[0]",
    "ip4.dst[28..31] == 0xe",
    "ip4.src[0..7] < 3",
    "ct.new && !ct.est",
    "ct.new == 0",
    "tcp == 1",
    "tcp != 0",
    "eth.src == 02:00:00:00:00:03/02:00:00:00:00:00",
    "eth.type == 0x800",
    "ip6.dst == ::1",
    "ip4.src == 10.0.1.5/24",
    "ip4.dst == 10.0.0.1/255.0.0.255",
    "ip4.src < 10.0.0.5",
    "ip4.src == 10",
    "vlan.present && vlan.vid > 5",
    "ip.frag > 1",
    "ip6.mcast && ip4.mcast",
    "icmp4.type == 8 && icmp4.code == 0",
    "nd.sll == 02:00:00:00:00:01",
    "arp.op == 1",
    "ip6.label == 5",
    "pkt.mark == 1",
];

/// Both refuse these.
const REFUSED: &[&str] = &[
    "()",
    "(ip4",
    "ip4)",
    "ip4 tcp",
    "ip4 &&",
    "ip4 && tcp || udp",
    "ip4.source == 10.0.0.1",
    "ip4.src",
    "ip4.src = 10.0.0.1",
    "ip4.src == a.b",
    "ip4.src == 1.2.3",
    "ip4.src == 010.0.0.1",
    "ip4.src == 10.0.0.0/33",
    "ip4.src == 10.0.0.0/08",
    "ip4.src == fd00::1",
    "ip4.src == 10.0.0.1 == 1",
    "inport == \"web",
    "inport != \"web\"",
    "inport[0]",
    "!ip4",
    "!!ip4",
    "!ip4.src == 10.0.0.1",
    "!(tcp && udp)",
    "!(ip.proto == 6)",
    "ip.proto != 6",
    "ip.proto > 6",
    "ip.ttl > 1",
    "ip.proto[0]",
    "tcp == 0",
    "tcp != 1",
    "eth.bcast > 0",
    "tcp.dst == 70000",
    "tcp.dst == 080",
    "tcp.dst == 10.0.0.1",
    "tcp.dst > {80, 443}",
    "tcp.dst == {}",
    "tcp.dst[16] == 1",
    "0 < tcp.dst > 5",
    "1 == 1",
    "mpls",
    "ip4 // x",
];

#[test]
fn we_understand_what_ovn_does() {
    for text in ACCEPTED {
        assert!(Expression::parse(text).is_ok(), "{text}: {:?}", Expression::parse(text));
    }
    for text in REFUSED {
        assert!(Expression::parse(text).is_err(), "{text}");
    }
}

#[test]
fn ovn_agrees() {
    let Some(ovn) = Ovn::start() else {
        println!("skipped: ovsdb-server, ovn-northd or ovn-trace is not installed");
        return;
    };
    for text in ACCEPTED {
        assert_eq!(ovn.complaint(text), None, "{text}");
    }
    for text in REFUSED {
        assert!(ovn.complaint(text).is_some(), "{text}");
    }
}

/// A northbound and a southbound database with one switch; gone when dropped.
struct Ovn {
    folder: tempfile::TempDir,
    servers: Vec<Child>,
}

impl Ovn {
    /// `None` when a program is missing.
    fn start() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let mut servers = Vec::new();
        for name in ["nb", "sb"] {
            let schema = format!("/usr/share/ovn/ovn-{name}.ovsschema");
            if !Path::new(&schema).exists() {
                return None;
            }
            let file = path(&format!("{name}.db"));
            Command::new("ovsdb-tool").args(["create", &file, &schema]).status().ok()?;
            let socket = path(&format!("{name}.sock"));
            let remote = format!("--remote=punix:{socket}");
            let control = format!("--unixctl={}", path(&format!("{name}.ctl")));
            servers.push(quiet("ovsdb-server").args([&file, &remote, &control]).spawn().ok()?);
        }
        let (nb, sb) = (format!("unix:{}", path("nb.sock")), format!("unix:{}", path("sb.sock")));
        let control = format!("--unixctl={}", path("northd.ctl"));
        let databases = [format!("--ovnnb-db={nb}"), format!("--ovnsb-db={sb}")];
        servers.push(quiet("ovn-northd").args(databases).arg(control).spawn().ok()?);
        let ovn = Self { folder, servers };
        let nb = format!("--db={nb}");
        let switch = "--wait=sb ls-add s -- lsp-add s p -- create Address_Set name=set addresses=10.0.0.1";
        let made = quiet("ovn-nbctl").arg(nb).arg("--timeout=20").args(switch.split(' ')).status();
        assert!(made.ok()?.success(), "the switch was not made");
        ovn.complaint("ip4").is_none().then_some(ovn)
    }

    /// What OVN's parser says against a text. That a trace wants a text without alternatives is not held against it.
    fn complaint(&self, text: &str) -> Option<String> {
        let db = format!("--db=unix:{}", self.folder.path().join("sb.sock").display());
        let flow = format!("inport == \"p\" && ({text})");
        let traced = Command::new("ovn-trace").args([&db, "s", &flow]).output().unwrap();
        let said = String::from_utf8_lossy(&traced.stdout).into_owned();
        let complaint = said.split_once("error parsing flow: ").map(|(_, why)| why.trim().to_owned());
        // Without a parser's word it must have got as far as the trace, or it says nothing about the text.
        let is_traced = said.contains("ingress(dp=\"s\", inport=\"p\")");
        assert!(
            complaint.is_some() || is_traced,
            "{text}: {said}{}",
            String::from_utf8_lossy(&traced.stderr)
        );
        complaint.filter(|why| !why.starts_with("Constraints are "))
    }
}

impl Drop for Ovn {
    fn drop(&mut self) {
        for server in &mut self.servers {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

fn quiet(program: &str) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}
