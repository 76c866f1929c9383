//! The private folder of one lab: short enough for unix sockets, removed with everything mounted below it.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::command;

/// A folder `/tmp/<tag>` of mode 0700. It stays, and its path is printed, when the test fails.
#[derive(Debug)]
pub struct RunDir {
    path: PathBuf,
}

impl RunDir {
    /// Makes the folder.
    ///
    /// # Panics
    /// When it exists already or cannot be made.
    #[track_caller]
    pub fn create(tag: &str) -> Self {
        let path = Path::new("/tmp").join(tag);
        fs::DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .unwrap_or_else(|e| panic!("make {}: {e}", path.display()));
        Self { path }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for RunDir {
    #[expect(clippy::print_stderr, reason = "libtest shows it with the failed test")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            unmount_below(&self.path);
            eprintln!("the run directory is kept until the next run: {}", self.path.display());
        } else {
            remove(&self.path);
        }
    }
}

/// Removes a folder that may have mounts in it.
pub(crate) fn remove(folder: &Path) {
    unmount_below(folder);
    drop(fs::remove_dir_all(folder));
}

/// Detaches every mount below `folder`, the deepest first.
fn unmount_below(folder: &Path) {
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let points = table.lines().filter_map(|l| l.split(' ').nth(4));
    let mut below: Vec<_> = points.filter(|p| Path::new(p).starts_with(folder)).collect();
    below.sort_by_key(|p| std::cmp::Reverse(p.len()));
    for point in below {
        command::run(command::words(&format!("umount -l {point}")), b"");
    }
}
