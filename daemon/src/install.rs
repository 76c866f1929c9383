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

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "{\"cniVersion\":\"0.3.1\"}";

    fn setting() -> (tempfile::TempDir, InstallCniConfig, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("source");
        std::fs::write(&source, TEXT).unwrap();
        let config =
            InstallCniConfig { source, folder: folder.path().to_owned(), name: "01.conflist".into() };
        let target = folder.path().join("01.conflist");
        (folder, config, target)
    }

    fn mode(path: &PathBuf) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn the_configuration_is_copied_for_root_only_and_nothing_else_is_left() {
        let (folder, config, target) = setting();

        install(&config).unwrap();

        assert_eq!((std::fs::read_to_string(&target).unwrap().as_str(), mode(&target)), (TEXT, 0o600));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn one_that_is_there_keeps_its_text_and_gets_the_mode() {
        let (_folder, config, target) = setting();
        std::fs::write(&target, "a person's").unwrap();
        std::fs::set_permissions(&target, std::fs::Permissions::from_mode(0o644)).unwrap();

        install(&config).unwrap();

        assert_eq!(
            (std::fs::read_to_string(&target).unwrap().as_str(), mode(&target)),
            ("a person's", 0o600)
        );
    }

    #[test]
    fn a_failure_names_step_and_path() {
        let (_folder, mut config, target) = setting();
        config.source.push("absent");

        let error = install(&config).unwrap_err();

        assert!(error.to_string().starts_with("read /"), "{error}");
        assert!(!target.exists());
    }
}
