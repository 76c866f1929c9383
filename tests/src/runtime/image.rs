//! The pause image: a static program compiled here, in an OCI archive written here. No registry is asked.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::command;

/// The image's full name; containerd finds it under that name without looking elsewhere.
pub(super) const PAUSE: &str = "lab.local/pause:1";

/// Process 1 of a sandbox: reaps children, ends on TERM and INT.
const PAUSE_C: &str = r"
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
static void down(int s) { (void)s; _exit(0); }
static void reap(int s) { (void)s; while (waitpid(-1, 0, WNOHANG) > 0); }
int main(void) { signal(SIGTERM, down); signal(SIGINT, down); signal(SIGCHLD, reap); for (;;) pause(); }
";

/// Compiles the pause program into `folder`.
#[track_caller]
pub(super) fn compile_pause(folder: &Path) -> PathBuf {
    let (source, program) = (folder.join("pause.c"), folder.join("pause"));
    write(&source, PAUSE_C.as_bytes());
    let line = format!("cc -static -O2 -s -o {} {}", program.display(), source.display());
    command::run(command::words(&line), b"").expect_success();
    program
}

/// Writes an OCI archive with one layer that holds `program` as its entry point.
#[track_caller]
pub(super) fn write_archive(archive: &Path, name: &str, program: &Path) {
    let bytes = fs::read(program).unwrap_or_else(|e| panic!("read {}: {e}", program.display()));
    let entry = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut layer = Vec::new();
    for folder in ["proc", "sys", "dev", "etc", "tmp"] {
        append(&mut layer, folder, b'5', &[]);
    }
    append(&mut layer, &entry, b'0', &bytes);
    finish(&mut layer);

    let config = json!({
        "architecture": architecture(), "os": "linux",
        "config": {"Entrypoint": [format!("/{entry}")], "User": "0"},
        "rootfs": {"type": "layers", "diff_ids": [digest(&layer)]},
    });
    let config = config.to_string().into_bytes();
    let manifest = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": descriptor("application/vnd.oci.image.config.v1+json", &config),
        "layers": [descriptor("application/vnd.oci.image.layer.v1.tar", &layer)],
    });
    let manifest = manifest.to_string().into_bytes();
    let mut listed = descriptor("application/vnd.oci.image.manifest.v1+json", &manifest);
    listed["annotations"] = json!({"io.containerd.image.name": name});
    let index = json!({"schemaVersion": 2, "manifests": [listed]});

    let mut tar = Vec::new();
    append(&mut tar, "oci-layout", b'0', br#"{"imageLayoutVersion":"1.0.0"}"#);
    append(&mut tar, "index.json", b'0', index.to_string().as_bytes());
    for blob in [&layer, &config, &manifest] {
        append(&mut tar, &format!("blobs/{}", digest(blob).replace(':', "/")), b'0', blob);
    }
    finish(&mut tar);
    write(archive, &tar);
}

fn descriptor(media_type: &str, blob: &[u8]) -> Value {
    json!({"mediaType": media_type, "digest": digest(blob), "size": blob.len()})
}

/// `sha256:` and the hexadecimal sum.
#[track_caller]
fn digest(bytes: &[u8]) -> String {
    let sum = command::run(command::words("sha256sum"), bytes).expect_success().text();
    format!("sha256:{}", sum.split_whitespace().next().unwrap_or_default())
}

/// Go's name of this machine's architecture.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// Appends one member in the POSIX ustar form (IEEE 1003.1, pax "ustar Interchange Format"), all times 0.
fn append(tar: &mut Vec<u8>, name: &str, kind: u8, content: &[u8]) {
    let mut header = [0u8; 512];
    let mut put = |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, name);
    put(100, "0000755\0");
    put(108, "0000000\0");
    put(116, "0000000\0");
    put(124, &format!("{:011o}\0", content.len()));
    put(136, "00000000000\0");
    put(148, "        ");
    put(257, "ustar\x0000");
    header[156] = kind;
    let sum: u32 = header.iter().map(|&b| u32::from(b)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    tar.extend_from_slice(&header);
    tar.extend_from_slice(content);
    tar.resize(tar.len().next_multiple_of(512), 0);
}

/// Two empty blocks end an archive.
fn finish(tar: &mut Vec<u8>) {
    tar.resize(tar.len() + 1024, 0);
}

#[track_caller]
fn write(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap_or_else(|e| panic!("write {}: {e}", path.display()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tar_reads_what_we_write() {
        let mut archive = Vec::new();
        append(&mut archive, "d", b'5', &[]);
        append(&mut archive, "d/f", b'0', &[b'x'; 513]);
        finish(&mut archive);

        let list =
            command::run(command::words("tar --list --verbose --file -"), &archive).expect_success().text();

        assert_eq!(archive.len(), 512 + 512 + 1024 + 1024);
        assert!(list.lines().count() == 2 && list.contains("513"), "{list}");
    }
}
