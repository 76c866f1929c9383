//! Network namespaces for tests, removed with their guard, and `ip` as the witness of what is in them.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "each test file uses its part, panics and prints"
)]

use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use netlink::{Handle, Netns};
use serde_json::Value;

/// Whether this process may make namespaces. A test that may not says so, on stderr and in the file that
/// `KUBE_OVN_SKIPPED` names, and returns.
pub fn needs_root() -> bool {
    let is_root =
        std::fs::metadata("/proc/self").is_ok_and(|me| std::os::unix::fs::MetadataExt::uid(&me) == 0);
    if !is_root {
        let name = std::thread::current().name().unwrap_or("a test").to_owned();
        eprintln!("SKIPPED: needs root: {name}");
        if let Some(list) = std::env::var_os("KUBE_OVN_SKIPPED") {
            let mut list = std::fs::File::options().append(true).create(true).open(list).unwrap();
            writeln!(list, "netlink {name}: needs root").unwrap();
        }
    }
    is_root
}

/// A named network namespace of this test alone.
pub struct Space {
    pub name: String,
    pub netns: Netns,
}

impl Space {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("kont-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        run("ip", &["netns", "add", &name]);
        let netns = Netns::open(&Self::path_of(&name)).unwrap();
        Self { name, netns }
    }

    /// A namespace with a veth pair: `p0` in it and `p1` in the second one, both up and sending.
    pub fn pair() -> (Self, Self) {
        let (here, there) = (Self::new(), Self::new());
        here.ip(&["link", "add", "p0", "type", "veth", "peer", "name", "p1", "netns", &there.name]);
        here.ip(&["link", "set", "p0", "up"]);
        there.ip(&["link", "set", "p1", "up"]);
        here.wait_until_sending("p0");
        there.wait_until_sending("p1");
        (here, there)
    }

    /// The kernel activates a veth's queue from a work queue after both ends are up, and drops frames till then.
    pub fn wait_until_sending(&self, link: &str) {
        let deadline = Instant::now() + Duration::from_secs(5);
        while self.show(&["link", "show", link])[0]["operstate"] != "UP" {
            assert!(Instant::now() < deadline, "{link} does not come up");
        }
    }

    pub fn path(&self) -> PathBuf {
        Self::path_of(&self.name)
    }

    fn path_of(name: &str) -> PathBuf {
        PathBuf::from("/run/netns").join(name)
    }

    pub fn handle(&self) -> Handle {
        Handle::inside(&self.netns).unwrap()
    }

    /// `ip -n NAME ARGS`, which must succeed.
    pub fn ip(&self, args: &[&str]) {
        run("ip", &[&["-n", &self.name], args].concat());
    }

    /// What `ip -j -d -n NAME ARGS` prints.
    pub fn show(&self, args: &[&str]) -> Value {
        let text = run("ip", &[&["-j", "-d", "-n", &self.name], args].concat());
        if text.trim().is_empty() { Value::Array(Vec::new()) } else { serde_json::from_str(&text).unwrap() }
    }

    /// What `program ARGS` prints inside.
    pub fn exec(&self, program: &str, args: &[&str]) -> String {
        run("ip", &[&["netns", "exec", &self.name, program], args].concat())
    }

    pub fn index(&self, link: &str) -> u32 {
        self.handle().link(link).unwrap().unwrap().index
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.name]).status();
    }
}

/// What a program prints; it must succeed.
pub fn run(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output().unwrap();
    assert!(output.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
