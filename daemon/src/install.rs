//! Upstream's `--install-cni-config`: the CNI configuration appears whole or not at all.

use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::PathBuf;

use thiserror::Error;

use crate::config::InstallCniConfig;

/// The configuration cannot be installed.
#[derive(Debug, Error)]
#[error("{step} {path}")]
pub struct InstallError {
    step: &'static str,
    path: PathBuf,
    source: io::Error,
}

/// Copies the file by a temporary one and a rename. A file of mode 0600 that is already there was put there by a person
/// or by an earlier run and stays (upstream's rule); one of another mode only gets the mode.
///
/// # Errors
/// [`InstallError`] naming step and path.
pub fn install(config: &InstallCniConfig) -> Result<(), InstallError> {
    let target = config.folder.join(&config.name);
    let failed = |step, path: &PathBuf| {
        let path = path.clone();
        move |source| InstallError { step, path, source }
    };
    if let Ok(about) = std::fs::metadata(&target) {
        if about.permissions().mode() & 0o777 != 0o600 {
            std::fs::set_permissions(&target, std::fs::Permissions::from_mode(0o600))
                .map_err(failed("set the mode of", &target))?;
        }
        return Ok(());
    }
    let text = std::fs::read(&config.source).map_err(failed("read", &config.source))?;
    let temporary = config.folder.join(format!(".{}.new", config.name));
    let write = || -> io::Result<()> {
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&temporary)?;
        file.write_all(&text)?;
        file.sync_all()
    };
    write().map_err(failed("write", &temporary))?;
    std::fs::rename(&temporary, &target).map_err(failed("put in place", &target))
}
