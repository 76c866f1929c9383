//! The objects in the folder of `--standalone`: read, checked, watched, published as snapshots.
//!
//! `document` cuts a file, `files` reads the pieces, `check` asks whether they can be meant, `last_good` decides what
//! a broken file means, `index` is what the rest of the daemon looks into: all of these are pure. `folder` and
//! `watch` touch the disk, and `publish` joins everything.

pub mod check;
mod document;
pub mod files;
pub mod folder;
pub mod index;
mod last_good;
pub mod problem;
pub mod publish;
mod watch;

pub use folder::{Folder, FolderError, Snapshot};
pub use index::Index;
pub use problem::{Place, Problem, Severity};
pub use publish::{channel, follow};
