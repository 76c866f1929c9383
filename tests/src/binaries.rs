//! Where the product's programs are: never built by a test, only looked up.

use std::env;
use std::path::{Path, PathBuf};

/// The CNI plugin.
pub const PLUGIN: &str = "kube-ovn";
/// The node daemon.
pub const DAEMON: &str = "kube-ovn-daemon";
/// The tool for people.
pub const VPCCTL: &str = "vpcctl";

/// Names the folder of the product's programs; without it the build folder of the test itself is used.
pub const DIR: &str = "KUBE_OVN_BIN_DIR";
/// Names a folder whose daemon and plugin are built with the feature `crash-points`.
pub const CRASH_DIR: &str = "KUBE_OVN_CRASH_BIN_DIR";
/// The product's environment variable that names the point at which a crash build kills itself.
pub const CRASH_AT: &str = "KUBE_OVN_CRASH_AT";

/// A folder with the product's programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binaries {
    folder: PathBuf,
}

impl Binaries {
    /// The programs as they are delivered.
    pub fn product() -> Self {
        Self { folder: env::var_os(DIR).map_or_else(build_folder, absolute) }
    }

    /// The programs that can crash on request; `None` when nobody built them.
    pub fn crashing() -> Option<Self> {
        env::var_os(CRASH_DIR).map(|folder| Self { folder: absolute(folder) })
    }

    /// The path of a program, `None` when it has not been built.
    pub fn find(&self, name: &str) -> Option<PathBuf> {
        Some(self.folder.join(name)).filter(|path| path.is_file())
    }

    /// The path of a program.
    ///
    /// # Panics
    /// When it has not been built.
    #[track_caller]
    pub fn path(&self, name: &str) -> PathBuf {
        self.find(name).unwrap_or_else(|| panic!("no {name} in {}: run `make test`", self.folder.display()))
    }
}

/// `target/debug`, wherever it is: tests lie in its folder `deps`, programs in itself.
fn build_folder() -> PathBuf {
    let program = env::current_exe().unwrap_or_default();
    let folder = program.parent().unwrap_or(Path::new(""));
    let inner = folder.ends_with("deps") || folder.ends_with("examples");
    folder.parent().filter(|_| inner).unwrap_or(folder).to_owned()
}

/// A folder of an environment variable, absolute so that links to its programs hold.
fn absolute(folder: std::ffi::OsString) -> PathBuf {
    std::path::absolute(&folder).unwrap_or_else(|_| folder.into())
}
