//! The interfaces and addresses of a namespace at the price of reading a file.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::{Child, Stdio};
use std::time::Duration;

use tests::netns::Netns;
use tests::wait;

/// A process that does nothing in a namespace, so that its `/proc` shows what is there.
pub(crate) struct Inside(Child);

impl Inside {
    /// Goes in.
    pub(crate) fn of(netns: &Netns) -> Self {
        // It waits for input that never comes.
        let child = netns.command("cat").stdin(Stdio::piped()).spawn().unwrap();
        let inside = Self(child);
        let wanted = fs::metadata(netns.path()).unwrap().ino();
        wait::until("a process to be in a namespace", Duration::from_secs(60), || {
            let found = fs::metadata(inside.path("ns/net")).ok()?.ino();
            (found == wanted).then_some(())
        });
        inside
    }

    /// Whether an interface is there.
    pub(crate) fn has(&self, interface: &str) -> bool {
        let table = fs::read_to_string(self.path("net/dev")).unwrap();
        table.lines().any(|line| line.trim_start().starts_with(&format!("{interface}:")))
    }

    /// The IPv4 addresses of whatever interface but the loopback one.
    pub(crate) fn addresses(&self) -> Vec<String> {
        let trie = fs::read_to_string(self.path("net/fib_trie")).unwrap();
        let lines: Vec<_> = trie.lines().map(str::trim).collect();
        let local = lines.windows(2).filter(|pair| pair[1] == "/32 host LOCAL");
        let addresses = local.filter_map(|pair| pair[0].strip_prefix("|-- ")).map(str::to_owned);
        // The same trie is shown as the main and the local table.
        let found: BTreeSet<_> = addresses.filter(|address| !address.starts_with("127.")).collect();
        found.into_iter().collect()
    }

    fn path(&self, file: &str) -> String {
        format!("/proc/{}/{file}", self.0.id())
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
