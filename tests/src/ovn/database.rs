//! One ovsdb-server with one database file.

use std::fs;
use std::path::{Path, PathBuf};

use crate::command::{self, words};
use crate::lab::Lab;

use super::process::{Process, Recipe, Socket};

/// A database that is served on a unix socket.
#[derive(Debug)]
pub struct Database {
    process: Process,
    file: PathBuf,
    socket: PathBuf,
    schema: &'static str,
}

impl Database {
    /// Makes and serves an empty database; `stem` with further endings names its files.
    #[track_caller]
    pub(super) fn create(lab: &Lab, stem: &Path, schema: &'static str) -> Self {
        let file = stem.with_extension("db");
        let socket = stem.with_extension("sock");
        make(&file, schema);
        let recipe = Recipe::new(lab, "ovsdb-server", &stem.with_extension("log"))
            .arg(&file)
            .arg(format!("--remote=punix:{}", socket.display()))
            .arg(format!("--unixctl={}", stem.with_extension("ctl").display()));
        let process = Process::start_of(recipe, Socket::At(socket.clone()));
        Self { process, file, socket, schema }
    }

    /// As the tools and the daemon's flags take it: `unix:PATH`.
    pub fn endpoint(&self) -> String {
        format!("unix:{}", self.socket.display())
    }

    /// The path of the unix socket.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Kills the server (SIGKILL) and waits for its end.
    pub fn kill9(&mut self) {
        self.process.kill9();
    }

    /// Asks the server to end (SIGTERM) and waits for that.
    ///
    /// # Panics
    /// When it does not end.
    #[track_caller]
    pub fn stop(&mut self) {
        self.process.stop();
    }

    /// Serves the same file again.
    ///
    /// # Panics
    /// When the server still runs, or does not start.
    #[track_caller]
    pub fn start(&mut self) {
        self.process.start();
    }

    /// [`Database::stop`] and [`Database::start`].
    #[track_caller]
    pub fn restart(&mut self) {
        self.process.restart();
    }

    /// Replaces the file by a new, empty one and serves it at the same place. The server may have been ended before.
    ///
    /// # Panics
    /// When the file cannot be replaced, or the server does not start.
    #[track_caller]
    pub fn wipe(&mut self) {
        self.kill9();
        fs::remove_file(&self.file).unwrap_or_else(|e| panic!("remove {}: {e}", self.file.display()));
        make(&self.file, self.schema);
        self.process.start();
    }

    /// The server: pid, memory, log.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }
}

#[track_caller]
fn make(file: &Path, schema: &str) {
    command::run(words(&format!("ovsdb-tool create {} {schema}", file.display())), b"").expect_success();
}
