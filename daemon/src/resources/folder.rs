//! The folder on the disk: list it, read it, wait for it to change.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::files::{MAX_FILE_BYTES, Parsed, Refused, is_resource_file, parse_file};
use super::index::Index;
use super::last_good::LastGood;
use super::problem::{Place, Problem};
use super::watch::Watch;

/// Everything a folder said at one time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Snapshot {
    /// The objects in effect.
    pub index: Index,
    /// Subnets that cannot be meant, as they stand now. An older version of one may be in effect.
    pub refused: Vec<Refused>,
    /// What a person should look at, by file and line.
    pub problems: Vec<Problem>,
}

/// The folder cannot be watched.
#[derive(Debug, Error)]
pub enum FolderError {
    /// The path cannot be made absolute.
    #[error("find the absolute path of the folder {folder:?}")]
    Path {
        /// The folder.
        folder: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// inotify failed. Most often a limit: `fs.inotify.max_user_instances`, `fs.inotify.max_user_watches`.
    #[error("watch the folder {folder:?} with inotify")]
    Watch {
        /// The folder.
        folder: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

/// A folder of resource files. It may be missing, and come and go.
pub struct Folder {
    path: PathBuf,
    watch: Watch,
    last_good: LastGood,
    /// Why the watch could not be renewed, when it could not.
    blind: Option<Problem>,
}

impl Folder {
    /// Begins to watch `path`. Must be called inside a tokio runtime with I/O enabled.
    ///
    /// # Errors
    /// When nothing can be watched; a missing folder is no error.
    pub fn open(path: &Path) -> Result<Self, FolderError> {
        let path = std::path::absolute(path)
            .map_err(|source| FolderError::Path { folder: path.to_owned(), source })?;
        let watch =
            Watch::arm(&path).map_err(|source| FolderError::Watch { folder: path.clone(), source })?;
        Ok(Self { path, watch, last_good: LastGood::default(), blind: None })
    }

    /// Waits until something in the folder has changed since it was opened or last waited for. Events that are queued
    /// count as one change. Safe to cancel.
    ///
    /// # Errors
    /// When the watch breaks.
    pub async fn changed(&mut self) -> Result<(), FolderError> {
        self.watch
            .changed()
            .await
            .map_err(|source| FolderError::Watch { folder: self.path.clone(), source })?;
        self.rearm();
        Ok(())
    }

    /// Watches what stands at the path now, in place of what stood there before. The old watch stays when there can
    /// be no new one: it still sees every change but the folder's being replaced.
    fn rearm(&mut self) {
        self.blind = match Watch::arm(&self.path) {
            Ok(watch) => {
                self.watch = watch;
                None
            }
            Err(error) => Some(Problem::broken(
                Place::new(&self.path.display().to_string(), 0),
                format!("the watch on the folder cannot be renewed: {error}"),
                "look at the limits fs.inotify.max_user_instances and max_user_watches",
            )),
        };
    }

    /// Reads the whole folder. Blocks on the disk.
    ///
    /// While the folder cannot be listed everything that was in effect stays in effect: a folder that is swapped or
    /// mounted anew must not look like an order to remove every network.
    pub fn load(&mut self) -> Snapshot {
        let mut snapshot = Snapshot::default();
        match list(&self.path) {
            Ok(names) => {
                self.last_good.retain(&names);
                for name in &names {
                    let read = self.read(name);
                    let Parsed { objects, refused, problems } = self.last_good.settle(name, read);
                    snapshot.problems.extend(problems);
                    snapshot.refused.extend(refused);
                    feed(&mut snapshot, objects);
                }
            }
            Err(error) => {
                feed(&mut snapshot, self.last_good.all().cloned());
                snapshot.problems.push(unlisted(&self.path, &error));
            }
        }
        snapshot.problems.extend(self.blind.clone());
        snapshot.problems.sort();
        snapshot
    }

    fn read(&self, name: &str) -> Parsed {
        let bad = |what: String, hint: &str| Parsed {
            problems: vec![Problem::broken(Place::new(name, 0), what, hint)],
            ..Parsed::default()
        };
        let bytes = match read_file(&self.path.join(name)) {
            Ok(bytes) => bytes,
            Err(ReadError::NotAFile) => return bad("is not a file".into(), ""),
            Err(ReadError::TooLarge) => {
                return bad(format!("is larger than {} MiB", MAX_FILE_BYTES >> 20), "split it");
            }
            Err(ReadError::Io(error)) => return bad(format!("cannot be read: {error}"), ""),
        };
        // A shell redirection empties a file long before it writes it.
        if bytes.is_empty() && self.last_good.knows(name) {
            return bad("has become empty".into(), "remove the file to remove its objects");
        }
        match String::from_utf8(bytes) {
            Ok(text) => parse_file(name, &text),
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                bad(format!("is not UTF-8 text from byte {} on", at + 1), "")
            }
        }
    }
}

fn feed(snapshot: &mut Snapshot, objects: impl IntoIterator<Item = super::files::Located>) {
    for object in objects {
        if let Err(problem) = snapshot.index.feed(object) {
            snapshot.problems.push(problem);
        }
    }
}

/// The names of the resource files, in the order in which they count.
fn list(folder: &Path) -> io::Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name();
        if let Some(name) = name.to_str().filter(|name| is_resource_file(name)) {
            names.insert(name.to_owned());
        }
    }
    Ok(names)
}

fn unlisted(folder: &Path, error: &io::Error) -> Problem {
    let at = Place::new(&folder.display().to_string(), 0);
    if error.kind() == io::ErrorKind::NotFound {
        return Problem::broken(at, "the folder does not exist", "create it; it is read when it appears");
    }
    Problem::broken(at, format!("the folder cannot be listed: {error}"), "")
}

enum ReadError {
    NotAFile,
    TooLarge,
    Io(io::Error),
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn read_file(path: &Path) -> Result<Vec<u8>, ReadError> {
    // Looked at before it is opened: opening a pipe would wait for a writer.
    let found = std::fs::metadata(path)?;
    if !found.is_file() {
        return Err(ReadError::NotAFile);
    }
    if found.len() > MAX_FILE_BYTES {
        return Err(ReadError::TooLarge);
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE_BYTES { Err(ReadError::TooLarge) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests;
