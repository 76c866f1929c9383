//! Keys and certificates as administrators of Open vSwitch make them: with ovs-pki.

use ovsdb::tls::TlsFiles;
use tempfile::TempDir;

use super::run;

/// An authority of its own.
pub struct Pki {
    directory: TempDir,
}

impl Pki {
    pub fn new() -> Self {
        let pki = Self { directory: super::directory() };
        pki.run(&["init"]);
        pki
    }

    fn run(&self, arguments: &[&str]) {
        let (directory, log) = (self.path("pki"), self.path("log"));
        let options = [format!("--dir={directory}"), format!("--log={log}"), "--force".to_owned()];
        let mut all: Vec<&str> = options.iter().map(String::as_str).collect();
        all.extend(arguments);
        run("ovs-pki", &all);
    }

    fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.directory.path().display())
    }

    pub fn ca_cert(&self) -> String {
        self.path("pki/switchca/cacert.pem")
    }

    /// A key with a certificate of this authority.
    pub fn files(&self, name: &str) -> TlsFiles {
        let stem = self.path(name);
        self.run(&["req+sign", &stem, "switch"]);
        TlsFiles {
            private_key: format!("{stem}-privkey.pem").into(),
            certificate: format!("{stem}-cert.pem").into(),
            ca_cert: self.ca_cert().into(),
        }
    }
}

/// The options of ovsdb-server to serve TLS with these files, and to take clients of this authority only.
pub fn options(files: &TlsFiles) -> Vec<String> {
    vec![
        "--remote=pssl:0:127.0.0.1".to_owned(),
        format!("--private-key={}", files.private_key.display()),
        format!("--certificate={}", files.certificate.display()),
        format!("--ca-cert={}", files.ca_cert.display()),
    ]
}
