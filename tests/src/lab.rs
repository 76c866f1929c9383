//! One node with its wire to the outside world, made for one test.

use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::binaries::{Binaries, PLUGIN};
use crate::netns::Netns;
use crate::rundir::RunDir;
use crate::sweep;

/// The node's interface to the outside, as in the user guide.
pub const UPLINK: &str = "eth1";

/// The other end of [`UPLINK`], in the outside namespace.
const WIRE: &str = "wan0";

/// Where the reference plugins are.
const REFERENCE_PLUGINS: &str = "/usr/lib/cni";

/// A node: a network namespace whose `eth1` ends in another namespace, the outside, and a private folder.
///
/// Labs share nothing, so tests run side by side.
#[derive(Debug)]
pub struct Lab {
    tag: String,
    /// The node; daemon, runtimes and plugins run in it.
    pub node: Netns,
    /// The network on the other end of the node's `eth1`.
    pub outside: Outside,
    binaries: Binaries,
    // Last, so that every process is gone when the folder is removed.
    dir: RunDir,
}

/// What a lab is to be like.
#[derive(Debug, Clone)]
pub struct Builder {
    outside: Vec<String>,
    binaries: Binaries,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            outside: vec!["192.168.0.1/24".into(), "fd00:192:168::1/64".into()],
            binaries: Binaries::product(),
        }
    }
}

impl Builder {
    /// The addresses of the outside host, with prefix lengths, instead of 192.168.0.1/24 and fd00:192:168::1/64.
    #[must_use]
    pub fn outside(mut self, addresses: &[&str]) -> Self {
        self.outside = addresses.iter().map(|&a| a.to_owned()).collect();
        self
    }

    /// Other programs than [`Binaries::product`].
    #[must_use]
    pub fn binaries(mut self, binaries: Binaries) -> Self {
        self.binaries = binaries;
        self
    }

    /// Makes the lab.
    ///
    /// # Panics
    /// When the machine refuses.
    #[track_caller]
    pub fn build(self) -> Lab {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        sweep::once();
        let tag = sweep::tag(std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let dir = RunDir::create(&tag);
        let node = Netns::create(&format!("{tag}-node"));
        let outside = Outside { netns: Netns::create(&format!("{tag}-out")) };
        node.must(&format!(
            "ip link add {UPLINK} netns {} type veth peer name {WIRE} netns {}",
            node.name(),
            outside.name()
        ));
        node.must(&format!("ip link set {UPLINK} up"));
        outside.must(&format!("ip link set {WIRE} up"));
        self.outside.iter().for_each(|a| outside.add_address(a));
        let lab = Lab { tag, node, outside, binaries: self.binaries, dir };
        lab.link_plugins();
        make_folder(&lab.objects());
        lab
    }
}

impl Lab {
    /// A lab with the guide's external network.
    #[track_caller]
    pub fn new() -> Self {
        Builder::default().build()
    }

    /// A lab of another kind.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// A name that no other lab has, at most 12 bytes.
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// The private folder.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Makes a folder in the private folder.
    #[track_caller]
    pub fn folder(&self, name: &str) -> PathBuf {
        let path = self.dir().join(name);
        make_folder(&path);
        path
    }

    /// The socket on which this node's daemon listens.
    pub fn socket(&self) -> PathBuf {
        self.dir().join("d.sock")
    }

    /// The folder of `kubeovn.io/v1` YAML that the daemon is given with `--standalone`.
    pub fn objects(&self) -> PathBuf {
        self.dir().join("objects")
    }

    /// The daemon's `--state-dir`.
    pub fn state(&self) -> PathBuf {
        self.dir().join("state")
    }

    /// The plugin folder (`CNI_PATH`): the reference plugins and ours.
    pub fn plugins(&self) -> PathBuf {
        self.dir().join("bin")
    }

    /// The product's programs that this lab runs.
    pub fn binaries(&self) -> &Binaries {
        &self.binaries
    }

    /// Puts a YAML file into [`Lab::objects`], complete or not at all.
    ///
    /// # Panics
    /// When the file cannot be written.
    #[track_caller]
    pub fn write_object(&self, file: &str, yaml: &str) {
        let half = self.dir().join(format!(".{file}"));
        let whole = self.objects().join(file);
        fs::write(&half, yaml)
            .and_then(|()| fs::rename(&half, &whole))
            .unwrap_or_else(|e| panic!("write {}: {e}", whole.display()));
    }

    /// Takes a file out of [`Lab::objects`].
    ///
    /// # Panics
    /// When it is not there.
    #[track_caller]
    pub fn remove_object(&self, file: &str) {
        let path = self.objects().join(file);
        fs::remove_file(&path).unwrap_or_else(|e| panic!("remove {}: {e}", path.display()));
    }

    /// A pod's network namespace, empty but for a loopback interface that is up, without IP forwarding.
    #[track_caller]
    pub fn pod(&self, name: &str) -> Netns {
        let pod = Netns::create(&format!("{}-{name}", self.tag));
        // A namespace inherits it from the machine: a pod that is somebody's next hop would forward without being told to.
        pod.sysctl("net.ipv4.ip_forward", "0");
        pod
    }

    fn link_plugins(&self) {
        let folder = self.plugins();
        make_folder(&folder);
        let reference = fs::read_dir(REFERENCE_PLUGINS).into_iter().flatten().flatten().map(|e| e.path());
        for program in reference.chain(self.binaries.find(PLUGIN)) {
            let link = folder.join(program.file_name().unwrap_or_default());
            std::os::unix::fs::symlink(&program, &link)
                .unwrap_or_else(|e| panic!("link {} to {}: {e}", link.display(), program.display()));
        }
    }
}

impl Default for Lab {
    fn default() -> Self {
        Self::new()
    }
}

/// The host on the other end of the node's `eth1`.
#[derive(Debug)]
pub struct Outside {
    netns: Netns,
}

impl Outside {
    /// Adds an address with its prefix length, usable at once.
    ///
    /// # Panics
    /// When the kernel refuses.
    #[track_caller]
    pub fn add_address(&self, address: &str) {
        let nodad = if address.contains(':') { "nodad" } else { "" };
        self.must(&format!("ip addr add {address} dev {WIRE} {nodad}"));
    }

    /// Makes `address` the only one of its family.
    ///
    /// # Panics
    /// When the kernel refuses.
    #[track_caller]
    pub fn set_address(&self, address: &str) {
        let family = if address.contains(':') { "-6" } else { "-4" };
        self.must(&format!("ip {family} addr flush dev {WIRE} scope global"));
        self.add_address(address);
    }

    /// The name of its interface to the node.
    pub fn interface(&self) -> &'static str {
        WIRE
    }
}

impl Deref for Outside {
    type Target = Netns;

    fn deref(&self) -> &Netns {
        &self.netns
    }
}

#[track_caller]
fn make_folder(path: &Path) {
    fs::create_dir_all(path).unwrap_or_else(|e| panic!("make {}: {e}", path.display()));
}
